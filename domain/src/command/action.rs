use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

#[cfg(feature = "decode")]
use crate::value::{Color, Effect, Value};

/// What is asked. On the wire `{"action":"turn_on","brightness":80}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// On, perhaps with a brightness or warmth.
    TurnOn {
        /// Per cent, 0 to 100.
        brightness: Option<u8>,
        /// Kelvin.
        color_temp: Option<u16>,
    },
    /// Off.
    TurnOff {},
    /// The opposite of what is reported; resolved by the server before it goes out.
    Toggle {},
    /// `turn_on` of a light with more than brightness and warmth.
    Paint(Box<Paint>),
    /// `set`: a value, a position, what a climate shall do.
    Set(Box<Wish>),
    /// Presses a button.
    Press {},
    /// Opens a cover.
    Open {},
    /// Closes a cover.
    Close {},
    /// Stops a cover.
    Stop {},
    /// Locks a lock. A page reads it as [`Action::Set`]: what it does not offer it need not know.
    #[cfg(feature = "decode")]
    Lock {},
    /// Unlocks a lock; so too.
    #[cfg(feature = "decode")]
    Unlock {},
}

/// What a light shall look like; nothing of it in a page, which only shows that something is asked. At least one of color, effect and transition is there: otherwise it is an [`Action::TurnOn`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(description = "What a light shall look like. `color` and `color_temp` do not go together."))]
pub struct Paint {
    /// Per cent, 0 to 100.
    #[cfg(feature = "decode")]
    pub brightness: Option<u8>,
    /// Kelvin.
    #[cfg(feature = "decode")]
    pub color_temp: Option<u16>,
    /// The color.
    #[cfg(feature = "decode")]
    pub color: Option<Color>,
    /// The name of an effect.
    #[cfg(feature = "decode")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, min_length = 1, max_length = 32))]
    pub effect: Option<Effect>,
    /// How long the change shall take, in seconds.
    #[cfg(feature = "decode")]
    pub transition_s: Option<f64>,
}

/// What shall be set; nothing of it in a page. Which of them there may be goes by the kind of the entity.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(description = "What shall be set. Which of them there may be goes by the kind of the entity."))]
pub struct Wish {
    /// Of a number, a select or a text.
    #[cfg(feature = "decode")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<super::described::Settable>))]
    pub value: Option<Value>,
    /// Of a cover: per cent, 0 is closed.
    #[cfg(feature = "decode")]
    pub position: Option<u8>,
    /// Of a climate, in its own unit.
    #[cfg(feature = "decode")]
    pub temperature: Option<f64>,
    /// Of a climate: `heat`.
    #[cfg(feature = "decode")]
    pub mode: Option<String>,
    /// Of a climate: `low`.
    #[cfg(feature = "decode")]
    pub fan_mode: Option<String>,
    /// Of a climate: `away`.
    #[cfg(feature = "decode")]
    pub preset: Option<String>,
}

impl Action {
    /// The word of the contract: `turn_on`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::TurnOn { .. } | Self::Paint(_) => "turn_on",
            Self::TurnOff {} => "turn_off",
            Self::Toggle {} => "toggle",
            Self::Set(_) => "set",
            Self::Press {} => "press",
            Self::Open {} => "open",
            Self::Close {} => "close",
            Self::Stop {} => "stop",
            #[cfg(feature = "decode")]
            Self::Lock {} => "lock",
            #[cfg(feature = "decode")]
            Self::Unlock {} => "unlock",
        }
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("action", self.as_str())?;
        let mut put = Fields(&mut map);
        match self {
            Self::TurnOn { brightness, color_temp } => {
                put.field("brightness", brightness.as_ref())?;
                put.field("color_temp", color_temp.as_ref())?;
            }
            #[cfg(feature = "decode")]
            Self::Paint(paint) => {
                let Paint { brightness, color_temp, color, effect, transition_s } = &**paint;
                put.field("brightness", brightness.as_ref())?;
                put.field("color_temp", color_temp.as_ref())?;
                put.field("color", color.as_ref())?;
                put.field("effect", effect.as_ref())?;
                put.field("transition_s", transition_s.as_ref())?;
            }
            #[cfg(feature = "decode")]
            Self::Set(wish) => {
                let Wish { value, position, temperature, mode, fan_mode, preset } = &**wish;
                put.field("value", value.as_ref())?;
                put.field("position", position.as_ref())?;
                put.field("temperature", temperature.as_ref())?;
                put.field("mode", mode.as_ref())?;
                put.field("fan_mode", fan_mode.as_ref())?;
                put.field("preset", preset.as_ref())?;
            }
            _ => {}
        }
        map.end()
    }
}

/// Fields that are left out where there is nothing in them.
struct Fields<'a, M>(&'a mut M);

impl<M: serde::ser::SerializeMap> Fields<'_, M> {
    fn field<T: Serialize>(&mut self, name: &'static str, value: Option<&T>) -> Result<(), M::Error> {
        match value {
            Some(value) => self.0.serialize_entry(name, value),
            None => Ok(()),
        }
    }
}

/// On the server every field is read, and errors name it.
#[cfg(feature = "decode")]
impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = serde_json::Map::deserialize(deserializer)?;
        Self::read(&fields).map_err(serde::de::Error::custom)
    }
}

/// A page reads what it shows, all fields at once: what it does not show need not be loaded by a browser.
#[cfg(not(feature = "decode"))]
impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Word {
            TurnOn,
            TurnOff,
            Toggle,
            Press,
            Open,
            Close,
            Stop,
            #[serde(other)]
            Set,
        }
        #[derive(Deserialize)]
        struct Fields {
            action: Word,
            #[serde(default)]
            brightness: Option<u8>,
            #[serde(default)]
            color_temp: Option<u16>,
        }
        let Fields { action, brightness, color_temp } = Fields::deserialize(deserializer)?;
        Ok(match action {
            Word::TurnOn => Self::TurnOn { brightness, color_temp },
            Word::TurnOff => Self::TurnOff {},
            Word::Toggle => Self::Toggle {},
            Word::Press => Self::Press {},
            Word::Open => Self::Open {},
            Word::Close => Self::Close {},
            Word::Stop => Self::Stop {},
            Word::Set => Self::Set(Box::default()),
        })
    }
}
