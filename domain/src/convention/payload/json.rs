//! Objects, and lists of them.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use super::time::device_time;
use super::{BadLeaf, Decoded, MAX_DEPTH, MAX_VALUES, PayloadError, Sample, lenient, scalar, shown};
use crate::device::clean_text;
use crate::time::Timestamp;
use crate::value::Value;

const MAIN: [&str; 3] = ["value", "val", "v"];
const UNIT: [&str; 2] = ["unit", "uom"];
const TIME: [&str; 4] = ["ts", "time", "timestamp", "Time"];

/// An object with one value a leaf, or a batch: a list of `{"ts":…,"value":…}` or `{"ts":…,"values":{…}}`.
pub(super) fn decode(text: &str) -> Result<Decoded, PayloadError> {
    let json = parse(text)?;
    let mut decoded = Decoded::default();
    match &json {
        Json::Object(object) => object_samples(object, None, &mut decoded)?,
        Json::Array(rows) => {
            for row in rows {
                let Json::Object(row) = row else {
                    decoded.bad.push(BadLeaf { leaf: None, error: not_a_row() });
                    continue;
                };
                match row.get("values") {
                    Some(Json::Object(values)) => object_samples(values, time_of(row), &mut decoded)?,
                    _ => object_samples(row, None, &mut decoded)?,
                }
            }
            if decoded.samples.is_empty() && !decoded.bad.is_empty() && decoded.bad.iter().all(|bad| bad.leaf.is_none()) {
                return Err(not_a_row());
            }
            if decoded.samples.len() > MAX_VALUES {
                let leaves: HashSet<&str> = decoded.samples.iter().map(|sample| sample.leaf.as_str()).collect();
                if leaves.len() > MAX_VALUES {
                    return Err(too_many());
                }
            }
        }
        _ => return Err(PayloadError::BadJson("neither an object nor a list".to_owned())),
    }
    Ok(decoded)
}

fn parse(text: &str) -> Result<Json, PayloadError> {
    serde_json::from_str(text)
        .or_else(|error| lenient::quoted(text).and_then(|text| serde_json::from_str(&text).ok()).ok_or(error))
        .map_err(|error| PayloadError::BadJson(shown(&error.to_string())))
}

fn not_a_row() -> PayloadError {
    PayloadError::BadJson("a batch is a list of objects".to_owned())
}

fn too_many() -> PayloadError {
    PayloadError::BadJson(format!("more than {MAX_VALUES} values"))
}

fn object_samples(object: &Map<String, Json>, outer: Option<Timestamp>, decoded: &mut Decoded) -> Result<(), PayloadError> {
    let taken_at = time_of(object).or(outer);
    let unit = UNIT.iter().find_map(|key| object.get(*key)?.as_str()).map(|unit| clean_text(unit, 12));
    let (first, first_bad) = (decoded.samples.len(), decoded.bad.len());
    Row { taken_at, first, decoded }.collect(object, "", 0)?;
    for sample in &mut decoded.samples[first..] {
        if MAIN.contains(&sample.leaf.as_str()) {
            sample.leaf.clear();
            sample.unit.clone_from(&unit);
        }
    }
    for leaf in decoded.bad[first_bad..].iter_mut().filter_map(|bad| bad.leaf.as_mut()) {
        if MAIN.contains(&leaf.as_str()) {
            leaf.clear();
        }
    }
    Ok(())
}

/// One object on its way into [`Decoded`].
struct Row<'a> {
    taken_at: Option<Timestamp>,
    /// Samples before it.
    first: usize,
    decoded: &'a mut Decoded,
}

impl Row<'_> {
    fn collect(&mut self, object: &Map<String, Json>, prefix: &str, depth: usize) -> Result<(), PayloadError> {
        if depth >= MAX_DEPTH {
            return Err(PayloadError::BadJson(format!("nested deeper than {MAX_DEPTH}")));
        }
        for (key, json) in object {
            if depth == 0 && (TIME.contains(&key.as_str()) || UNIT.contains(&key.as_str())) {
                continue;
            }
            let leaf = if prefix.is_empty() { clean_text(key, 64) } else { format!("{prefix}.{}", clean_text(key, 64)) };
            match value_of(json) {
                Ok(value) => {
                    if self.decoded.samples.len() - self.first >= MAX_VALUES {
                        return Err(too_many());
                    }
                    self.decoded.samples.push(Sample { leaf, value, unit: None, taken_at: self.taken_at });
                }
                Err(error) => {
                    if let Json::Object(inner) = json {
                        self.collect(inner, &leaf, depth + 1)?;
                    }
                    // Also an object: an entity may have read a number there.
                    self.decoded.bad.push(BadLeaf { leaf: Some(leaf), error });
                }
            }
        }
        Ok(())
    }
}

fn value_of(json: &Json) -> Result<Value, PayloadError> {
    match json {
        Json::Number(n) => n.as_f64().filter(|n| n.is_finite()).map(Value::Number).ok_or_else(|| PayloadError::NotFinite(shown(&n.to_string()))),
        Json::Bool(on) => Ok(Value::Bool(*on)),
        Json::String(text) => scalar::read(text.trim()).map(|sample| sample.value),
        Json::Null => Err(PayloadError::NotFinite("null".to_owned())),
        Json::Array(_) => Err(PayloadError::Unexpected { text: "a list".to_owned(), wanted: "single value" }),
        Json::Object(_) => Err(PayloadError::Unexpected { text: "an object".to_owned(), wanted: "single value" }),
    }
}

fn time_of(object: &Map<String, Json>) -> Option<Timestamp> {
    TIME.iter().find_map(|key| object.get(*key)).and_then(device_time)
}
