//! Values: what an entity can say.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

pub use climate::ClimateState;
pub use cover::{CoverState, CoverWord};
pub use light::{Color, Effect, LightState, OnOff};

/// Heating and cooling.
mod climate;
/// Blinds, vents, gates.
mod cover;
/// Lights.
mod light;

/// A value as the contract writes it: a number, `true` or `false`, a text, or the object of a light, a cover or a climate.
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
    /// A cover.
    Cover(CoverState),
    /// A climate.
    Climate(Box<ClimateState>),
}

/// The object of a light, a cover or a climate. A page shows less than there may be: the rest need not be loaded by a browser.
#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    brightness: Option<u8>,
    #[serde(default)]
    color_temp: Option<u16>,
    #[serde(default)]
    position: Option<u8>,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    temperature: Option<f64>,
    #[cfg(feature = "decode")]
    #[serde(default)]
    color: Option<Color>,
    #[cfg(feature = "decode")]
    #[serde(default)]
    effect: Option<String>,
    #[cfg(feature = "decode")]
    #[serde(default)]
    current_temperature: Option<f64>,
    #[cfg(feature = "decode")]
    #[serde(default)]
    fan_mode: Option<String>,
    #[cfg(feature = "decode")]
    #[serde(default)]
    preset: Option<String>,
}

impl Object {
    /// Lights say on or off, covers another word, climates none.
    fn value(self) -> Option<Value> {
        let Some(state) = self.state.as_deref() else {
            let climate = self.climate();
            // A page knows less of a climate than there is; a server that knows nothing of it has read something else.
            return (cfg!(not(feature = "decode")) || climate != ClimateState::default()).then(|| Value::Climate(Box::new(climate)));
        };
        let on = match state {
            "on" => OnOff::On,
            "off" => OnOff::Off,
            word => return CoverWord::parse(word).map(|state| Value::Cover(CoverState { state, position: self.position })),
        };
        let light = LightState { brightness: self.brightness, color_temp: self.color_temp, ..LightState::new(on) };
        #[cfg(feature = "decode")]
        let light = LightState { color: self.color, effect: self.effect.as_deref().and_then(Effect::new), ..light };
        Some(Value::Light(light))
    }

    fn climate(self) -> ClimateState {
        ClimateState {
            mode: self.mode,
            temperature: self.temperature,
            #[cfg(feature = "decode")]
            current_temperature: self.current_temperature,
            #[cfg(feature = "decode")]
            fan_mode: self.fan_mode,
            #[cfg(feature = "decode")]
            preset: self.preset,
        }
    }
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
                f.write_str("a number, true, false, a text or an object")
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
                let object = Object::deserialize(MapAccessDeserializer::new(map))?;
                object.value().ok_or_else(|| serde::de::Error::custom("no state of a light or a cover"))
            }
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl Value {
    /// The value as one number for history: numbers as they are, states as 1 and 0; texts, covers and climates have none.
    #[must_use]
    pub const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(n) => Some(*n),
            Self::Bool(on) => Some(if *on { 1.0 } else { 0.0 }),
            Self::Light(light) => Some(if matches!(light.state, OnOff::On) { 1.0 } else { 0.0 }),
            Self::Text(_) | Self::Cover(_) | Self::Climate(_) => None,
        }
    }

    /// Whether the value says on; `None` for what is neither on nor off.
    #[must_use]
    pub const fn is_on(&self) -> Option<bool> {
        match self {
            Self::Bool(on) => Some(*on),
            Self::Light(light) => Some(matches!(light.state, OnOff::On)),
            Self::Number(_) | Self::Text(_) | Self::Cover(_) | Self::Climate(_) => None,
        }
    }

    /// The word of what is neither a number nor on or off: a text, where a cover stands, the mode of a climate.
    #[must_use]
    pub fn word(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Cover(cover) => Some(cover.state.as_str()),
            Self::Climate(climate) => climate.mode.as_deref(),
            Self::Number(_) | Self::Bool(_) | Self::Light(_) => None,
        }
    }

    /// The value as a person reads it, without a unit: `21.4`, `On`, `Auto`.
    #[must_use]
    pub fn words(&self, precision: Option<u8>) -> Cow<'_, str> {
        match self {
            Self::Number(n) => Cow::Owned(number_words(*n, precision)),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Cover(cover) => Cow::Borrowed(cover.state.as_str()),
            Self::Climate(climate) => match (&climate.mode, climate.temperature) {
                (Some(mode), None) => Cow::Borrowed(mode),
                (mode, Some(n)) => Cow::Owned([mode.as_deref().unwrap_or_default(), " ", &number_words(n, precision)].concat()),
                (None, None) => Cow::Borrowed("–"),
            },
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
        let light = LightState { brightness: Some(80), ..LightState::new(OnOff::On) };
        let colored = LightState { color: Some(Color { r: 1, g: 2, b: 3 }), effect: Effect::new("Rainbow"), ..light };
        let climate = ClimateState {
            mode: Some("heat".into()),
            temperature: Some(21.5),
            current_temperature: Some(19.0),
            fan_mode: Some("low".into()),
            preset: Some("away".into()),
        };
        for (value, json) in [
            (Value::Number(21.3), "21.3"),
            (Value::Bool(true), "true"),
            (Value::Text("Auto".into()), "\"Auto\""),
            (Value::Light(light), r#"{"state":"on","brightness":80}"#),
            (Value::Light(colored), r#"{"state":"on","brightness":80,"color":{"r":1,"g":2,"b":3},"effect":"Rainbow"}"#),
            (Value::Cover(CoverState { state: CoverWord::Opening, position: Some(40) }), r#"{"state":"opening","position":40}"#),
            (Value::Climate(Box::new(climate)), r#"{"mode":"heat","temperature":21.5,"current_temperature":19.0,"fan_mode":"low","preset":"away"}"#),
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
