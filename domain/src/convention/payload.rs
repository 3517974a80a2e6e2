//! What a plain payload says (wire.md, section 9). Payloads are hostile: everything here is bounded and nothing panics.

use serde_json::{Map, Value as Json};

use crate::device::clean_text;
use crate::time::Timestamp;
use crate::value::{LightState, OnOff, Value};

/// Largest payload read as telemetry, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024;
/// Deepest JSON read.
pub const MAX_DEPTH: usize = 32;
/// Most values that one message may hold.
pub const MAX_VALUES: usize = 1_000;
/// Longest text that is a value, in characters.
pub const MAX_TEXT_CHARS: usize = 255;

/// Why a payload could not be read. The messages name the input, cut to what a log line takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Too many bytes.
    #[error("payload of {0} bytes is too large for a reading")]
    TooLarge(usize),
    /// Bytes that are no text.
    #[error("payload is not UTF-8")]
    NotUtf8,
    /// JSON that ends early, is nested too deep, or holds too much.
    #[error("payload is no JSON that can be read: {0}")]
    BadJson(String),
    /// NaN, infinite, or too large for a number.
    #[error("\"{0}\" is no finite number")]
    NotFinite(String),
    /// Not what the entity says otherwise.
    #[error("\"{text}\" is no {wanted}")]
    Unexpected {
        /// What arrived.
        text: String,
        /// What the entity says otherwise.
        wanted: &'static str,
    },
}

/// One value of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Where it stood in the JSON, `battery.voltage`; empty for the main value.
    pub leaf: String,
    /// The value, not yet fitted to an entity.
    pub value: Value,
    /// The unit, when the payload says one.
    pub unit: Option<String>,
    /// When the device took it, when the payload says so.
    pub taken_at: Option<Timestamp>,
}

/// The values that a payload holds; none for an empty payload (a retained message that was deleted).
///
/// # Errors
/// [`PayloadError`] when nothing of it can be read.
pub fn decode(payload: &[u8]) -> Result<Vec<Sample>, PayloadError> {
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(PayloadError::TooLarge(payload.len()));
    }
    let text = std::str::from_utf8(payload).map_err(|_| PayloadError::NotUtf8)?.trim();
    match text.as_bytes().first() {
        None => Ok(vec![]),
        Some(b'{' | b'[') => decode_json(text),
        Some(b'"') => match serde_json::from_str::<String>(text) {
            Ok(inner) => scalar(inner.trim()).map(|sample| vec![sample]),
            Err(_) => scalar(text).map(|sample| vec![sample]),
        },
        Some(_) => scalar(text).map(|sample| vec![sample]),
    }
}

/// A text as a number, a number with a unit, a word for yes or no, or a text.
fn scalar(text: &str) -> Result<Sample, PayloadError> {
    let sample = |value, unit| Sample { leaf: String::new(), value, unit, taken_at: None };
    if let Some(n) = number(text)? {
        return Ok(sample(Value::Number(n), None));
    }
    if let Some((n, unit)) = number_with_unit(text)? {
        return Ok(sample(Value::Number(n), Some(unit)));
    }
    if let Some(on) = yes_no(text) {
        return Ok(sample(Value::Bool(on), None));
    }
    if matches!(text.to_ascii_lowercase().as_str(), "nan" | "null" | "none" | "unavailable" | "unknown" | "inf" | "-inf" | "infinity" | "-infinity") {
        return Err(PayloadError::NotFinite(shown(text)));
    }
    Ok(sample(Value::Text(clean_text(text, MAX_TEXT_CHARS)), None))
}

/// A decimal number; `Ok(None)` for anything else, an error for a number that is not finite.
fn number(text: &str) -> Result<Option<f64>, PayloadError> {
    let numeric = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) && text.bytes().any(|b| b.is_ascii_digit());
    if !numeric {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(n) if n.is_finite() => Ok(Some(n)),
        Ok(_) => Err(PayloadError::NotFinite(shown(text))),
        Err(_) => Ok(None),
    }
}

fn number_with_unit(text: &str) -> Result<Option<(f64, String)>, PayloadError> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))).unwrap_or(text.len());
    let (digits, unit) = (text[..end].trim(), text[end..].trim());
    let is_unit =
        !unit.is_empty() && unit.chars().count() <= 8 && unit.chars().all(|c| c.is_alphabetic() || matches!(c, '°' | '%' | '/' | '²' | '³' | 'µ'));
    if !is_unit {
        return Ok(None);
    }
    Ok(number(digits)?.map(|n| (n, unit.to_owned())))
}

/// `on`/`off`, `true`/`false`, `open`/`closed`, `yes`/`no`, in any case.
#[must_use]
pub fn yes_no(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "open" | "yes" => Some(true),
        "off" | "false" | "closed" | "no" => Some(false),
        _ => None,
    }
}

/// Whether a payload says online or offline: a word, or `{"state":"online"}`.
#[must_use]
pub fn availability_word(payload: &[u8]) -> Option<bool> {
    let text = std::str::from_utf8(payload.get(..256.min(payload.len()))?).ok()?.trim();
    let word = |text: &str| match text.to_ascii_lowercase().as_str() {
        "online" | "connected" | "ready" => Some(true),
        "offline" | "disconnected" | "lost" => Some(false),
        _ => None,
    };
    word(text).or_else(|| match serde_json::from_str::<Json>(text).ok()?.get("state")? {
        Json::String(state) => word(state),
        _ => None,
    })
}

fn decode_json(text: &str) -> Result<Vec<Sample>, PayloadError> {
    let json: Json = serde_json::from_str(text).map_err(|error| PayloadError::BadJson(shown(&error.to_string())))?;
    let mut samples = vec![];
    match &json {
        Json::Object(object) => object_samples(object, None, &mut samples)?,
        Json::Array(rows) => {
            for row in rows {
                let Json::Object(row) = row else { return Err(PayloadError::BadJson("a batch is a list of objects".to_owned())) };
                let taken_at = time_of(row);
                match row.get("values") {
                    Some(Json::Object(values)) => object_samples(values, taken_at, &mut samples)?,
                    _ => object_samples(row, taken_at, &mut samples)?,
                }
            }
        }
        _ => return Err(PayloadError::BadJson("neither an object nor a list".to_owned())),
    }
    Ok(samples)
}

const MAIN: [&str; 3] = ["value", "val", "v"];
const UNIT: [&str; 2] = ["unit", "uom"];
const TIME: [&str; 4] = ["ts", "time", "timestamp", "Time"];

fn object_samples(object: &Map<String, Json>, outer: Option<Timestamp>, samples: &mut Vec<Sample>) -> Result<(), PayloadError> {
    let taken_at = time_of(object).or(outer);
    let unit = UNIT.iter().find_map(|key| object.get(*key)?.as_str()).map(|unit| clean_text(unit, 12));
    let first = samples.len();
    collect(object, "", 0, taken_at, samples)?;
    for sample in &mut samples[first..] {
        if MAIN.contains(&sample.leaf.as_str()) {
            sample.leaf.clear();
            sample.unit.clone_from(&unit);
        }
    }
    Ok(())
}

fn collect(
    object: &Map<String, Json>,
    prefix: &str,
    depth: usize,
    taken_at: Option<Timestamp>,
    samples: &mut Vec<Sample>,
) -> Result<(), PayloadError> {
    if depth >= MAX_DEPTH {
        return Err(PayloadError::BadJson(format!("nested deeper than {MAX_DEPTH}")));
    }
    for (key, json) in object {
        if depth == 0 && (TIME.contains(&key.as_str()) || UNIT.contains(&key.as_str())) {
            continue;
        }
        let leaf = if prefix.is_empty() { clean_text(key, 64) } else { format!("{prefix}.{}", clean_text(key, 64)) };
        let value = match json {
            Json::Object(inner) => {
                collect(inner, &leaf, depth + 1, taken_at, samples)?;
                continue;
            }
            Json::Number(n) => match n.as_f64() {
                Some(n) if n.is_finite() => Value::Number(n),
                _ => continue,
            },
            Json::Bool(on) => Value::Bool(*on),
            Json::String(text) => match scalar(text.trim()) {
                Ok(sample) => sample.value,
                Err(_) => continue,
            },
            Json::Null | Json::Array(_) => continue,
        };
        if samples.len() >= MAX_VALUES {
            return Err(PayloadError::BadJson(format!("more than {MAX_VALUES} values")));
        }
        samples.push(Sample { leaf, value, unit: None, taken_at });
    }
    Ok(())
}

fn time_of(object: &Map<String, Json>) -> Option<Timestamp> {
    TIME.iter().find_map(|key| object.get(*key)).and_then(device_time)
}

/// A device's time: seconds, milliseconds or microseconds since 1970 by their size, or ISO 8601 (without a zone it is UTC).
fn device_time(json: &Json) -> Option<Timestamp> {
    if let Some(text) = json.as_str() {
        let zoned = text.parse::<jiff::Timestamp>().ok();
        let ms = zoned
            .or_else(|| text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp()))?
            .as_millisecond();
        return Some(Timestamp::from_ms(ms));
    }
    let n = json.as_f64().filter(|n| n.is_finite() && *n > 0.0)?;
    let ms = match n {
        n if n < 1e11 => n * 1e3,
        n if n < 1e14 => n,
        n if n < 1e17 => n / 1e3,
        _ => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "at most 1e14")]
    Some(Timestamp::from_ms(ms.round() as i64))
}

/// The state of a light: `{"state":"on","brightness":80}` with brightness in per cent, or a word.
///
/// # Errors
/// [`PayloadError`] when it says neither on nor off.
pub fn decode_light(payload: &[u8]) -> Result<Option<Value>, PayloadError> {
    decode_switchable(payload).map(|state| state.map(Value::Light))
}

/// The state of a switch: `on`, or `{"state":"on"}`.
///
/// # Errors
/// [`PayloadError`] when it says neither on nor off.
pub fn decode_switch(payload: &[u8]) -> Result<Option<Value>, PayloadError> {
    decode_switchable(payload).map(|state| state.map(|light| Value::Bool(light.state == OnOff::On)))
}

fn decode_switchable(payload: &[u8]) -> Result<Option<LightState>, PayloadError> {
    let samples = decode(payload)?;
    if samples.is_empty() && payload.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let find = |leaf: &str| samples.iter().find(|s| s.leaf == leaf).map(|s| &s.value);
    let on = match find("state").or_else(|| find("")) {
        Some(Value::Bool(on)) => *on,
        Some(Value::Number(n)) if *n == 0.0 || *n == 1.0 => *n == 1.0,
        _ => return Err(PayloadError::Unexpected { text: shown(&String::from_utf8_lossy(payload)), wanted: "on or off" }),
    };
    let whole = |leaf: &str, max: f64| match find(leaf) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held between 0 and max")]
        Some(Value::Number(n)) => Some(n.round().clamp(0.0, max) as u16),
        _ => None,
    };
    Ok(Some(LightState {
        state: on.into(),
        brightness: whole("brightness", 100.0).and_then(|b| u8::try_from(b).ok()),
        color_temp: whole("color_temp", 20_000.0),
    }))
}

/// A payload's text as a log line or an operator may see it.
#[must_use]
pub fn shown(text: &str) -> String {
    clean_text(text, 80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(payload: &str, expected: &[(&str, Value)]) {
        let got = decode(payload.as_bytes()).expect(payload);
        let got: Vec<(&str, Value)> = got.iter().map(|s| (s.leaf.as_str(), s.value.clone())).collect();
        assert_eq!(got, expected, "{payload}");
    }

    #[test]
    fn payloads_are_read_as_devices_write_them() {
        use Value::{Bool, Number, Text};
        check("23.4", &[("", Number(23.4))]);
        check(" -1e3\n", &[("", Number(-1000.0))]);
        check("\"23.4\"", &[("", Number(23.4))]);
        check("23.4 °C", &[("", Number(23.4))]);
        check("56%", &[("", Number(56.0))]);
        check("ON", &[("", Bool(true))]);
        check("closed", &[("", Bool(false))]);
        check("Auto, drip", &[("", Text("Auto, drip".into()))]);
        check("", &[]);
        check(r#"{"value":3,"unit":"bar"}"#, &[("", Number(3.0))]);
        check(r#"{"battery":{"voltage":3.1,"low":false},"list":[1]}"#, &[("battery.low", Bool(false)), ("battery.voltage", Number(3.1))]);
        check(r#"[{"ts":1,"value":1},{"ts":2,"values":{"a":2}}]"#, &[("", Number(1.0)), ("a", Number(2.0))]);
        check("<b>x</b>", &[("", Text("<b>x</b>".into()))]);
    }

    #[test]
    fn what_is_no_reading_is_refused_by_name() {
        for (payload, words) in [
            ("NaN", "\"NaN\" is no finite number"),
            ("1e999", "\"1e999\" is no finite number"),
            ("{\"a\":", "payload is no JSON that can be read"),
            ("[1,2]", "a batch is a list of objects"),
        ] {
            let error = decode(payload.as_bytes()).expect_err(payload).to_string();
            assert!(error.contains(words), "{payload}: {error}");
        }
        assert_eq!(decode(&[0xff, 0xfe]), Err(PayloadError::NotUtf8));
        assert_eq!(decode(&vec![b'1'; MAX_PAYLOAD_BYTES + 1]), Err(PayloadError::TooLarge(MAX_PAYLOAD_BYTES + 1)));
        let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        assert!(decode(deep.as_bytes()).is_err());
        let wide = format!("{{{}}}", (0..=MAX_VALUES).map(|i| format!("\"k{i}\":1")).collect::<Vec<_>>().join(","));
        assert!(decode(wide.as_bytes()).is_err());
    }

    #[test]
    fn device_times_are_read_by_their_size() {
        let ms = Some(Timestamp::from_ms(1_781_273_006_000));
        for ts in [
            "1781273006",
            "1781273006000",
            "1781273006000000",
            "\"2026-06-12T14:03:26Z\"",
            "\"2026-06-12T14:03:26\"",
            "\"2026-06-12T16:03:26+02:00\"",
        ] {
            let payload = format!("{{\"value\":1,\"ts\":{ts}}}");
            assert_eq!(decode(payload.as_bytes()).expect("reads")[0].taken_at, ms, "{ts}");
        }
    }

    #[test]
    fn lights_say_on_or_off_and_how_bright() {
        let light = |payload: &[u8]| decode_light(payload);
        let state = |on: bool, brightness, color_temp| Ok(Some(Value::Light(LightState { state: on.into(), brightness, color_temp })));
        assert_eq!(light(br#"{"state":"on","brightness":80}"#), state(true, Some(80), None));
        assert_eq!(light(br#"{"state":"OFF","color_temp":2700}"#), state(false, None, Some(2700)));
        assert_eq!(light(b"on"), state(true, None, None));
        assert_eq!(light(b"1"), state(true, None, None));
        assert_eq!(light(br#"{"state":"on","brightness":900}"#), state(true, Some(100), None));
        assert_eq!(light(b""), Ok(None));
        assert!(light(b"purple").is_err() && light(b"{}").is_err() && light(b"12").is_err());
    }

    #[test]
    fn availability_has_many_words() {
        for (payload, online) in [
            ("online", Some(true)),
            ("Offline", Some(false)),
            (r#"{"state":"online"}"#, Some(true)),
            ("lost", Some(false)),
            ("21", None),
            ("{}", None),
        ] {
            assert_eq!(availability_word(payload.as_bytes()), online, "{payload}");
        }
    }

    proptest! {
        #[test]
        fn no_payload_panics(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (decode(&payload), decode_light(&payload), availability_word(&payload));
        }

        #[test]
        fn no_text_panics_and_every_number_is_finite(payload in r#"[ -~\[\]{}":,0-9eE.+µ°-]{0,80}"#) {
            for sample in decode(payload.as_bytes()).unwrap_or_default() {
                if let Value::Number(n) = sample.value {
                    prop_assert!(n.is_finite());
                }
            }
        }

        #[test]
        fn every_finite_number_reads_back(n in proptest::num::f64::NORMAL) {
            prop_assert_eq!(&decode(n.to_string().as_bytes()).expect("a number")[0].value, &Value::Number(n));
        }
    }
}
