//! What a metric says.

use super::datatype::{DataType, Integer};
use super::message::{MetaData, Metric, MetricValue, Property, PropertySet, read};
use super::structure;
use crate::convention::found::Keep;
use crate::convention::payload::{MAX_TEXT_CHARS, shown};
use crate::device::clean_text;
use crate::time::Timestamp;
use crate::value::Value;

/// The last millisecond of the year 9999.
const LAST_MS: u64 = 253_402_300_799_999;
/// The property that says how far a value can be trusted (specification, section 6.4.15), and its two bad words.
const QUALITY: &str = "quality";
const QUALITY_BAD: u64 = 0;
const QUALITY_STALE: u64 = 500;

/// The value of a metric of a data type that its birth gave.
///
/// # Errors
/// Why there is none that can be shown. `is_null` is one of these: the device says that it does not know, which is no value of a line or a lamp; what
/// it said last stays, and is marked.
pub(super) fn value(datatype: u32, metric: &Metric) -> Result<Value, String> {
    if metric.is_null == Some(true) {
        return Err("its value is null: the device does not know it".to_owned());
    }
    let Some(said) = &metric.value else { return Err("it has no value".to_owned()) };
    let unexpected = |wanted: &str| Err(format!("its value is no {wanted}"));
    let text = |text: &str| Ok(Value::Text(clean_text(text, MAX_TEXT_CHARS)));
    match (DataType::of(datatype), said) {
        (DataType::Integer(integer), said) => number(Some(integer), said),
        (DataType::Float | DataType::Double, said) => number(None, said),
        (DataType::Boolean, MetricValue::Boolean(on)) => Ok(Value::Bool(*on)),
        (DataType::Boolean, MetricValue::Int(n @ (0 | 1))) => Ok(Value::Bool(*n == 1)),
        (DataType::Boolean, MetricValue::Long(n @ (0 | 1))) => Ok(Value::Bool(*n == 1)),
        (DataType::Boolean, _) => unexpected("Boolean"),
        (DataType::DateTime, MetricValue::Long(ms)) => moment(*ms).map(Value::Text).ok_or_else(|| format!("{ms} is no moment")),
        (DataType::DateTime, _) => unexpected("moment"),
        (DataType::DataSet, MetricValue::DataSet(bytes)) => text(&structure::data_set(bytes)?),
        (DataType::Template, MetricValue::Template(bytes)) => text(&structure::template(bytes)?),
        (DataType::Array(item), MetricValue::Bytes(bytes)) => text(&structure::array(item, bytes)?),
        (DataType::File, MetricValue::Bytes(bytes)) => text(&file(metric, bytes.len())),
        (_, MetricValue::String(said)) => text(said),
        (DataType::Text, _) => unexpected("text"),
        (_, MetricValue::Bytes(bytes)) => text(&format!("{} bytes", bytes.len())),
        _ => unexpected("value of its data type"),
    }
}

fn number(integer: Option<Integer>, said: &MetricValue) -> Result<Value, String> {
    #[expect(clippy::cast_precision_loss, reason = "JSON numbers are f64 wherever a browser reads them")]
    let whole = |field: u64| integer.map_or(field as f64, |integer| integer.read(field));
    let n = match said {
        MetricValue::Int(n) => whole(u64::from(*n)),
        MetricValue::Long(n) => whole(*n),
        MetricValue::Float(n) => widened(*n),
        MetricValue::Double(n) => *n,
        _ => return Err("its value is no number".to_owned()),
    };
    if n.is_finite() { Ok(Value::Number(n)) } else { Err(format!("\"{n}\" is no finite number")) }
}

/// The number that a device meant: 21.3 and not 21.299999237060547, which is what 32 bits hold of it.
pub(super) fn widened(n: f32) -> f64 {
    n.to_string().parse().unwrap_or_else(|_| f64::from(n))
}

/// A moment as text, ISO 8601 in UTC.
pub(super) fn moment(ms: u64) -> Option<String> {
    let ms = i64::try_from(ms).ok().filter(|_| ms <= LAST_MS)?;
    Some(Timestamp::from_ms(ms).rfc3339())
}

fn file(metric: &Metric, n_bytes: usize) -> String {
    let name = metric.metadata.as_deref().and_then(|bytes| read::<MetaData>(bytes).ok()?.file_name).filter(|name| !name.trim().is_empty());
    match name {
        Some(name) => format!("{} ({n_bytes} bytes)", shown(name.trim())),
        None => format!("{n_bytes} bytes"),
    }
}

/// When a metric was taken: its own time, or that of its message.
pub(super) fn taken_at(metric: &Metric, sent_at: Option<u64>) -> Option<Timestamp> {
    let ms = metric.timestamp.or(sent_at).filter(|ms| (1..=LAST_MS).contains(ms))?;
    i64::try_from(ms).ok().map(Timestamp::from_ms)
}

/// Where its value goes.
pub(super) fn keep(metric: &Metric) -> Keep {
    match (metric.is_historical, metric.is_transient) {
        (Some(true), _) => Keep::HistoryOnly,
        (_, Some(true)) => Keep::LiveOnly,
        _ => Keep::Both,
    }
}

/// What is said of a metric besides its value, by names without capitals and separators.
#[derive(Debug, Default)]
pub(super) struct Properties(Vec<(String, Property)>);

impl Properties {
    /// Those of a metric; none where they cannot be read.
    pub(super) fn of(metric: &Metric) -> Self {
        let Some(bytes) = metric.properties.as_deref() else { return Self::default() };
        let Ok(set) = read::<PropertySet>(bytes) else { return Self::default() };
        let bare = |key: &str| key.chars().filter(char::is_ascii_alphanumeric).take(64).collect::<String>().to_ascii_lowercase();
        Self(set.keys.iter().zip(set.values).filter_map(|(key, value)| Some((bare(key), value.value?))).collect())
    }

    fn find(&self, key: &str) -> Option<&Property> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The first of several that is a text.
    pub(super) fn text(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| match self.find(key) {
            Some(Property::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            _ => None,
        })
    }

    /// One that says yes or no.
    pub(super) fn yes(&self, key: &str) -> Option<bool> {
        match self.find(key)? {
            Property::Boolean(yes) => Some(*yes),
            Property::Int(n) => Some(*n != 0),
            Property::Long(n) => Some(*n != 0),
            Property::String(word) => crate::convention::payload::yes_no(word.trim()),
            Property::Float(_) | Property::Double(_) => None,
        }
    }

    /// Why a value is not to be trusted.
    pub(super) fn distrust(&self) -> Option<&'static str> {
        let quality = match self.find(QUALITY)? {
            Property::Int(n) => u64::from(*n),
            Property::Long(n) => *n,
            _ => return None,
        };
        match quality {
            QUALITY_BAD => Some("the device marks it as bad"),
            QUALITY_STALE => Some("the device marks it as stale"),
            _ => None,
        }
    }
}
