//! Tables, templates and arrays as a short JSON text.

use serde_json::{Map, Value as Json};

use super::datatype::{DataType, Item};
use super::decode::{moment, value, widened};
use super::message::{DataSet, Element, ElementValue, MetricValue, Template, read};
use crate::convention::payload::MAX_TEXT_CHARS;
use crate::value::Value;

/// A JSON list or object that ends once it is longer than anybody is shown.
struct Short {
    text: String,
    n: usize,
}

impl Short {
    fn begin(bracket: char) -> Self {
        Self { text: bracket.into(), n: 0 }
    }

    /// Whether there is room for another.
    fn push(&mut self, item: &str) -> bool {
        if self.n > 0 {
            self.text.push(',');
        }
        self.n += 1;
        self.text.push_str(item);
        self.text.len() <= MAX_TEXT_CHARS * 4
    }

    fn end(mut self, bracket: char) -> String {
        self.text.push(bracket);
        if self.text.chars().count() > MAX_TEXT_CHARS {
            self.text = self.text.chars().take(MAX_TEXT_CHARS - 1).chain(['…']).collect();
        }
        self.text
    }
}

/// A text of a stranger, no longer than is shown of it.
fn text(text: &str) -> Json {
    text.chars().take(MAX_TEXT_CHARS + 1).collect::<String>().into()
}

/// A table: `[{"column":1,…},…]`.
pub(super) fn data_set(bytes: &[u8]) -> Result<String, String> {
    let set: DataSet = read(bytes)?;
    let mut rows = Short::begin('[');
    for row in &set.rows {
        let cells = set.columns.iter().zip(&row.elements).enumerate().take(MAX_TEXT_CHARS);
        let cells: Map<String, Json> =
            cells.map(|(at, (column, element))| (column.chars().take(MAX_TEXT_CHARS).collect(), cell(set.types.get(at), element))).collect();
        if !rows.push(&Json::Object(cells).to_string()) {
            break;
        }
    }
    Ok(rows.end(']'))
}

fn cell(datatype: Option<&u32>, element: &Element) -> Json {
    let datatype = DataType::of(datatype.copied().unwrap_or_default());
    let whole = |field: u64| match datatype {
        DataType::Integer(integer) => json_number(integer.read(field)),
        DataType::DateTime => moment(field).map_or(Json::Null, Json::from),
        _ => field.into(),
    };
    match &element.value {
        Some(ElementValue::Int(n)) => whole(u64::from(*n)),
        Some(ElementValue::Long(n)) => whole(*n),
        Some(ElementValue::Float(n)) => json_number(widened(*n)),
        Some(ElementValue::Double(n)) => json_number(*n),
        Some(ElementValue::Boolean(on)) => (*on).into(),
        Some(ElementValue::String(said)) => text(said),
        None => Json::Null,
    }
}

/// Whole numbers without a point; what is no finite number is null.
fn json_number(n: f64) -> Json {
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 1e15")]
    if n.fract() == 0.0 && n.abs() < 1e15 { (n as i64).into() } else { n.into() }
}

/// A template: `{"metric":1,…}`, with what is inside its own templates left out.
pub(super) fn template(bytes: &[u8]) -> Result<String, String> {
    let template: Template = read(bytes)?;
    let mut fields = Short::begin('{');
    for metric in &template.metrics {
        let Some(name) = metric.name.as_deref() else { continue };
        let datatype = DataType::number_of(metric.datatype, metric.value.as_ref());
        let said = match &metric.value {
            // One level only: what nests without end is not followed.
            Some(MetricValue::Template(_)) => Json::from("template"),
            Some(MetricValue::DataSet(_)) => Json::from("table"),
            _ => match value(datatype, metric) {
                Ok(Value::Number(n)) => json_number(n),
                Ok(Value::Bool(on)) => on.into(),
                Ok(other) => other.words(None).into_owned().into(),
                Err(_) => Json::Null,
            },
        };
        if !fields.push(&format!("{}:{said}", text(name))) {
            break;
        }
    }
    Ok(fields.end('}'))
}

/// Whether a template is a type and no value.
pub(super) fn is_definition(bytes: &[u8]) -> bool {
    read::<Template>(bytes).is_ok_and(|template| template.is_definition == Some(true))
}

/// An array: `[1,2,…]`. Its items are packed, the lowest byte first; Booleans by the bit after their number, texts each ended by a zero.
pub(super) fn array(item: Item, bytes: &[u8]) -> Result<String, String> {
    let mut list = Short::begin('[');
    match item {
        Item::Boolean => {
            let (count, bits) = bytes.split_first_chunk::<4>().ok_or("its array has no length")?;
            let count = usize::try_from(u32::from_le_bytes(*count)).unwrap_or(usize::MAX);
            if count > bits.len().saturating_mul(8) {
                return Err("its array ends early".to_owned());
            }
            let all = bits.iter().flat_map(|byte| (0..8).map(move |bit| byte & (0x80 >> bit) != 0)).take(count);
            for on in all {
                if !list.push(if on { "true" } else { "false" }) {
                    break;
                }
            }
        }
        Item::Text => {
            for said in bytes.strip_suffix(b"\0").unwrap_or(bytes).split(|byte| *byte == 0).take(if bytes.is_empty() { 0 } else { usize::MAX }) {
                if !list.push(&text(&String::from_utf8_lossy(said)).to_string()) {
                    break;
                }
            }
        }
        Item::Integer(_) | Item::Float | Item::Double | Item::DateTime => {
            let width = match item {
                Item::Integer(integer) => usize::from(integer.bits() / 8),
                Item::Float => 4,
                _ => 8,
            };
            if !bytes.len().is_multiple_of(width) {
                return Err("its array ends early".to_owned());
            }
            for packed in bytes.chunks_exact(width) {
                let mut field = [0; 8];
                field.iter_mut().zip(packed).for_each(|(to, from)| *to = *from);
                let field = u64::from_le_bytes(field);
                let said = match item {
                    Item::Integer(integer) => json_number(integer.read(field)),
                    #[expect(clippy::cast_possible_truncation, reason = "four bytes were read")]
                    Item::Float => json_number(widened(f32::from_bits(field as u32))),
                    Item::Double => json_number(f64::from_bits(field)),
                    _ => moment(field).map_or(Json::Null, Json::from),
                };
                if !list.push(&said.to_string()) {
                    break;
                }
            }
        }
    }
    Ok(list.end(']'))
}
