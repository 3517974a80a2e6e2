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

/// Red, green and blue, 0 to 255 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Color {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
}

/// The name of a light's effect. It is stored in place, so that the state of a light is as cheap to hand around as a number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// UTF-8, zeros behind it.
    bytes: [u8; Self::MAX_BYTES],
}

impl Effect {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 32;

    /// `None` for a name that is empty, too long, or holds a zero.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let mut bytes = [0; Self::MAX_BYTES];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        (!name.is_empty() && !name.contains('\0')).then_some(Self { bytes })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.bytes.iter().position(|byte| *byte == 0).unwrap_or(Self::MAX_BYTES);
        // It was made from a text.
        std::str::from_utf8(&self.bytes[..end]).unwrap_or_default()
    }
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Effect {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What a light reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LightState {
    /// On or off.
    pub state: OnOff,
    /// Per cent, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brightness: Option<u8>,
    /// Color temperature in kelvin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color_temp: Option<u16>,
    /// The color. A page does not show it, and does not load it.
    #[cfg(feature = "decode")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
    /// The name of the effect that it shows; so too.
    #[cfg(feature = "decode")]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, max_length = 32))]
    pub effect: Option<Effect>,
}

impl<'de> Deserialize<'de> for LightState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Object::deserialize(deserializer)?.value() {
            Some(Value::Light(light)) => Ok(light),
            _ => Err(serde::de::Error::custom("no state of a light")),
        }
    }
}

impl LightState {
    /// A light of which nothing else is known.
    #[must_use]
    pub const fn new(state: OnOff) -> Self {
        Self {
            state,
            brightness: None,
            color_temp: None,
            #[cfg(feature = "decode")]
            color: None,
            #[cfg(feature = "decode")]
            effect: None,
        }
    }
}

/// Where a cover stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum CoverWord {
    /// Open, also when not all the way.
    Open,
    /// Closed.
    Closed,
    /// On its way up.
    Opening,
    /// On its way down.
    Closing,
    /// Standing somewhere.
    Stopped,
}

impl CoverWord {
    /// The word of the contract: `open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Opening => "opening",
            Self::Closing => "closing",
            Self::Stopped => "stopped",
        }
    }

    /// The word as a device or a frame writes it, in lower case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Closed, Self::Opening, Self::Closing, Self::Stopped].into_iter().find(|known| known.as_str() == word)
    }
}

/// What a cover reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CoverState {
    /// Where it stands.
    pub state: CoverWord,
    /// Per cent, 0 is closed, 100 is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u8>,
}

/// What a climate reports. Nothing else is written: in a description, this is what tells it from a light or a cover.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ClimateState {
    /// `heat`, `cool`, `off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The temperature that it is to reach, in its own unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The temperature that it measures. Of a climate a page loads what it shows.
    #[cfg(feature = "decode")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_temperature: Option<f64>,
    /// `low`, `auto`.
    #[cfg(feature = "decode")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fan_mode: Option<String>,
    /// `away`, `eco`.
    #[cfg(feature = "decode")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
}

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
    fn the_name_of_an_effect_fits_or_is_none() {
        let longest = "é".repeat(Effect::MAX_BYTES / 2);
        assert_eq!(Effect::new(&longest).expect("fits").as_str(), longest);
        for bad in ["", "a\0b", &format!("{longest}x")] {
            assert_eq!(Effect::new(bad), None, "{bad:?}");
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
