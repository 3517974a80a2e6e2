//! Values: what an entity can say.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum OnOff {
    /// On.
    On,
    /// Off.
    Off,
}

impl From<bool> for OnOff {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// What a light reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LightState {
    /// On or off.
    pub state: OnOff,
    /// Per cent, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brightness: Option<u8>,
    /// Color temperature in kelvin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color_temp: Option<u16>,
}

/// A value as the contract writes it: a number, `true` or `false`, a text, or the object of a light.
///
/// Read by hand: what serde makes of `untagged` keeps a copy of every possible JSON, which is a lot of code for a browser to load.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Value {
    /// Yes or no: switches and binary sensors.
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// A light.
    Light(LightState),
    /// A text.
    Text(String),
}

/// [`Value`] under a name that the macros of schemas do not take for any JSON.
#[cfg(feature = "schema")]
pub type Said = Value;

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;
        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, true, false, a text or a light's state")
            }
            fn visit_bool<E>(self, on: bool) -> Result<Value, E> {
                Ok(Value::Bool(on))
            }
            fn visit_f64<E>(self, n: f64) -> Result<Value, E> {
                Ok(Value::Number(n))
            }
            #[expect(clippy::cast_precision_loss, reason = "JSON numbers are f64 wherever a browser reads them")]
            fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
                Ok(Value::Number(n as f64))
            }
            #[expect(clippy::cast_precision_loss, reason = "as above")]
            fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
                Ok(Value::Number(n as f64))
            }
            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
                LightState::deserialize(MapAccessDeserializer::new(map)).map(Value::Light)
            }
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl Value {
    /// The value as one number for history: numbers as they are, states as 1 and 0; texts have none.
    #[must_use]
    pub const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(n) => Some(*n),
            Self::Bool(on) => Some(if *on { 1.0 } else { 0.0 }),
            Self::Light(light) => Some(if matches!(light.state, OnOff::On) { 1.0 } else { 0.0 }),
            Self::Text(_) => None,
        }
    }

    /// Whether the value says on; `None` for numbers and texts.
    #[must_use]
    pub const fn is_on(&self) -> Option<bool> {
        match self {
            Self::Bool(on) => Some(*on),
            Self::Light(light) => Some(matches!(light.state, OnOff::On)),
            Self::Number(_) | Self::Text(_) => None,
        }
    }

    /// The value as a person reads it, without a unit: `21.4`, `On`, `Auto`.
    #[must_use]
    pub fn words(&self, precision: Option<u8>) -> Cow<'_, str> {
        match self {
            Self::Number(n) => Cow::Owned(number_words(*n, precision)),
            Self::Text(text) => Cow::Borrowed(text),
            other => Cow::Borrowed(if other.is_on() == Some(true) { "On" } else { "Off" }),
        }
    }
}

/// A number with at most three decimals (or exactly `precision` of them), a point, and no grouping; a true minus sign is left to the page.
#[must_use]
pub fn number_words(n: f64, precision: Option<u8>) -> String {
    if let Some(decimals) = precision {
        return no_negative_zero(format!("{n:.*}", usize::from(decimals.min(3))));
    }
    let mut text = format!("{n:.3}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    no_negative_zero(text)
}

fn no_negative_zero(text: String) -> String {
    if text.starts_with('-') && text.bytes().all(|b| matches!(b, b'-' | b'0' | b'.')) { text[1..].to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_travel_as_the_contract_writes_them() {
        let light = Value::Light(LightState { state: OnOff::On, brightness: Some(80), color_temp: None });
        for (value, json) in [
            (Value::Number(21.3), "21.3"),
            (Value::Bool(true), "true"),
            (Value::Text("Auto".into()), "\"Auto\""),
            (light, r#"{"state":"on","brightness":80}"#),
        ] {
            assert_eq!(serde_json::to_string(&value).expect("a value is JSON"), json);
            assert_eq!(serde_json::from_str::<Value>(json).expect("reads back"), value);
        }
    }

    #[test]
    fn numbers_have_at_most_three_decimals() {
        for (n, precision, words) in [
            (21.40, None, "21.4"),
            (0.12345, None, "0.123"),
            (-0.0001, None, "0"),
            (1200.0, None, "1200"),
            (21.45, Some(1), "21.4"),
            (3.0, Some(1), "3.0"),
            (-0.01, Some(1), "0.0"),
        ] {
            assert_eq!(number_words(n, precision), words);
        }
    }
}
