//! Entities: one thing a device measures or lets you set.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::control::Control;
use crate::device::{BadId, DeviceId, slug};
use crate::history::SeriesKind;
use crate::units::counts;

/// The id of an entity, `<device>.<key>`: `temp-sensor-001.temperature`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[a-z0-9_-]+[.][a-z0-9_-]+$"))]
pub struct EntityId(Arc<str>);

impl EntityId {
    /// Checks that `text` is `<device>.<key>` with `[a-z0-9_-]+` on both sides.
    ///
    /// # Errors
    /// [`BadId`] names the text.
    pub fn parse(text: &str) -> Result<Self, BadId> {
        let bad = || BadId(text.chars().take(80).collect());
        let (device, key) = text.split_once('.').ok_or_else(bad)?;
        DeviceId::parse(device).and(DeviceId::parse(key)).map_err(|_| bad())?;
        Ok(Self(text.into()))
    }

    /// The id of `key` at `device`; the key is made an id first.
    #[must_use]
    pub fn new(device: &DeviceId, key: &str) -> Self {
        Self(format!("{device}.{}", slug(key)).into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the point.
    #[must_use]
    pub fn device(&self) -> &str {
        self.0.split_once('.').map_or(&*self.0, |(device, _)| device)
    }

    /// The part after the point.
    #[must_use]
    pub fn key(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, key)| key)
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for EntityId {
    type Error = BadId;
    fn try_from(text: String) -> Result<Self, BadId> {
        Self::parse(&text)
    }
}

impl From<EntityId> for String {
    fn from(id: EntityId) -> Self {
        id.0.as_ref().to_owned()
    }
}

/// What an entity is. The words of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum EntityKind {
    /// A number or a text that cannot be set.
    Sensor,
    /// Yes or no that cannot be set.
    BinarySensor,
    /// A light: on or off, perhaps brightness and warmth.
    Light,
    /// On or off.
    Switch,
    /// A number that can be set.
    Number,
    /// One of several words.
    Select,
    /// A text that can be set.
    Text,
    /// Something to press.
    Button,
    /// A blind, a vent, a gate.
    Cover,
    /// Heating or cooling.
    Climate,
    /// A fan.
    Fan,
    /// A lock.
    Lock,
}

impl EntityKind {
    /// The word of the contract: `binary_sensor`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sensor => "sensor",
            Self::BinarySensor => "binary_sensor",
            Self::Light => "light",
            Self::Switch => "switch",
            Self::Number => "number",
            Self::Select => "select",
            Self::Text => "text",
            Self::Button => "button",
            Self::Cover => "cover",
            Self::Climate => "climate",
            Self::Fan => "fan",
            Self::Lock => "lock",
        }
    }

    /// Whether the page shows a switch for it.
    #[must_use]
    pub const fn is_switchable(self) -> bool {
        matches!(self, Self::Light | Self::Switch | Self::Fan)
    }

    /// Whether the page shows a control of its own for it: a button, a field, a list.
    #[must_use]
    pub const fn has_control(self) -> bool {
        matches!(self, Self::Number | Self::Select | Self::Text | Self::Button | Self::Cover)
    }

    /// Whether its history is a line (numbers) and not a strip of states.
    #[must_use]
    pub const fn is_sensor(self) -> bool {
        matches!(self, Self::Sensor | Self::Number)
    }
}

/// One thing a device measures or lets you set: what stays the same from reading to reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// Stable id.
    pub id: EntityId,
    /// Its device.
    pub device: DeviceId,
    /// Shown name: `Temperature`.
    pub name: String,
    /// What it is.
    pub kind: EntityKind,
    /// Unit as shown, `°C`; `None` for states and bare numbers.
    pub unit: Option<String>,
    /// The unit was read out of the text of a message, `23.4 °C`: nothing else says so.
    #[cfg(feature = "decode")]
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unit_guessed: bool,
    /// Icon name without `i-`.
    pub icon: String,
    /// Decimals shown at most, 0 to 3; `None` shows what arrives, up to 3.
    pub precision: Option<u8>,
    /// The device reports no state: what is shown was asked for, not confirmed.
    pub assumed: bool,
    /// The topic that its readings come from.
    pub state_topic: String,
    /// Where in a JSON payload the readings stand, e.g. `battery.voltage`; `None` takes the whole payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf: Option<String>,
    /// The topic that its commands go to; `None` cannot be set.
    pub command_topic: Option<String>,
    /// The word for `true`, e.g. `Open`; `None` is `On`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_on: Option<String>,
    /// The word for `false`, e.g. `Closed`; `None` is `Off`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_off: Option<String>,
    /// Hidden entities stay out of the overview and keep their history.
    pub hidden: bool,
    /// Place among the entities of its area, lower first; equal numbers are ordered by id.
    pub order: i32,
    /// Whether its numbers are a meter that counts up; `None` goes by unit and name ([`Entity::series_kind`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter: Option<bool>,
    /// Range, options and payloads of what can be set.
    #[serde(default, skip_serializing_if = "Control::is_empty")]
    pub control: Control,
    /// How it is read and commanded, where a convention describes it; `None` for topics without one.
    #[cfg(feature = "decode")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speech: Option<Arc<crate::convention::speech::Speech>>,
}

impl Entity {
    /// A sensor of which nothing is known but its id.
    #[must_use]
    pub fn new(id: EntityId, device: DeviceId) -> Self {
        Self {
            id,
            device,
            name: String::new(),
            kind: EntityKind::Sensor,
            unit: None,
            #[cfg(feature = "decode")]
            unit_guessed: false,
            icon: String::new(),
            precision: None,
            assumed: false,
            state_topic: String::new(),
            leaf: None,
            command_topic: None,
            word_on: None,
            word_off: None,
            hidden: false,
            order: 0,
            counter: None,
            control: Control::default(),
            #[cfg(feature = "decode")]
            speech: None,
        }
    }

    /// Whether commands have somewhere to go.
    #[must_use]
    pub const fn is_settable(&self) -> bool {
        self.command_topic.is_some()
    }

    /// What its history is a history of. Without a word from elsewhere a sensor is a counter when its unit is one of energy or volume that meters
    /// count in, or when its name ends in `total`, `count` or `counter` and its unit is none of another kind.
    #[must_use]
    pub fn series_kind(&self) -> SeriesKind {
        if !self.kind.is_sensor() {
            return SeriesKind::Step;
        }
        let is_counter = self.counter.unwrap_or_else(|| self.kind == EntityKind::Sensor && counts(self.unit.as_deref(), self.id.key()));
        if is_counter { SeriesKind::Counter } else { SeriesKind::Gauge }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(key: &str, kind: EntityKind, unit: Option<&str>, counter: Option<bool>) -> Entity {
        let device = DeviceId::parse("a").expect("id");
        Entity { kind, unit: unit.map(str::to_owned), counter, ..Entity::new(EntityId::new(&device, key), device) }
    }

    #[test]
    fn unit_and_name_tell_meters_from_measures_and_the_operator_knows_better() {
        use SeriesKind::{Counter, Gauge, Step};
        for (key, unit, counter, kind) in [
            ("energy", Some("kWh"), None, Counter),
            ("gas", Some("m³"), None, Counter),
            ("rain_total", None, None, Counter),
            ("pulse-counter", Some("pulses"), None, Counter),
            ("count", None, None, Counter),
            ("power_total", Some("W"), None, Gauge),
            ("account", None, None, Gauge),
            ("total_power", None, None, Gauge),
            ("temperature", Some("°C"), None, Gauge),
            ("volume", Some("L"), None, Gauge),
            ("volume", Some("L"), Some(true), Counter),
            ("energy", Some("kWh"), Some(false), Gauge),
        ] {
            assert_eq!(entity(key, EntityKind::Sensor, unit, counter).series_kind(), kind, "{key} {unit:?} {counter:?}");
        }
        assert_eq!(entity("total", EntityKind::Switch, None, Some(true)).series_kind(), Step);
        // What somebody sets is no meter.
        assert_eq!(entity("count", EntityKind::Number, None, None).series_kind(), Gauge);
    }

    #[test]
    fn an_entity_id_has_two_parts() {
        assert!(EntityId::parse("temp-sensor-001.temperature").is_ok());
        for bad in ["", ".", "a.", ".a", "a", "a.b.c", "A.b", "a.b c", "ä.b"] {
            assert!(EntityId::parse(bad).is_err(), "{bad}");
        }
    }
}
