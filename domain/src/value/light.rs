//! What a light reports.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Object, Value};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_effect_fits_or_is_none() {
        let longest = "é".repeat(Effect::MAX_BYTES / 2);
        assert_eq!(Effect::new(&longest).expect("fits").as_str(), longest);
        for bad in ["", "a\0b", &format!("{longest}x")] {
            assert_eq!(Effect::new(bad), None, "{bad:?}");
        }
    }
}
