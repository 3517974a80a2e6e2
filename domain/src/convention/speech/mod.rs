//! How one entity is read and commanded, as data: what every convention turns its own descriptions into.
//!
//! A [`Speech`] is stored with its entity, so that a restart understands a device before it announces itself again.

/// What is said besides the value.
mod attributes;
/// Colors as devices write them.
mod color;
/// What several parts make of a value.
mod fold;
/// What a device's word or number means.
mod map;
/// From a message to values.
mod read;
/// From an action to messages.
mod write;
/// What is asked, part by part.
mod written;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Convention;

pub use attributes::{MAX_ATTRIBUTES_BYTES, Source, Told};
pub use color::ColorForm;
pub use fold::fold;
pub use map::{Map, Scale, scalar_text};
pub use read::{Extract, Payload, decode, presence};
pub use write::{Context, Form, Order, Write, encode, unwritable};

/// How one entity is read and commanded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Speech {
    /// Whose it is.
    pub convention: Convention,
    /// The device, as its convention calls it: an address, an id.
    pub device: String,
    /// The entity, as its convention calls it; no other of the device has it.
    pub key: String,
    /// Where its value comes from. Empty for one that its convention decodes itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<Read>,
    /// Where what is asked goes, in the order in which it is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<Write>,
    /// Where it is said whether it is there, besides what its convention says of the whole device.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub presence: Vec<Presence>,
    /// What several of `presence` come to.
    #[serde(default)]
    pub presence_mode: PresenceMode,
    /// Where more is said of it than its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Source>,
    /// Older than so many seconds, a value is stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after_s: Option<u32>,
    /// So many seconds after the last `true` it is `false`, for devices that only say the one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off_delay_s: Option<u32>,
}

impl Speech {
    /// A speech that neither reads nor writes.
    #[must_use]
    pub fn new(convention: Convention, device: &str, key: &str) -> Self {
        Self {
            convention,
            device: device.to_owned(),
            key: key.to_owned(),
            reads: vec![],
            writes: vec![],
            presence: vec![],
            presence_mode: PresenceMode::default(),
            attributes: None,
            expire_after_s: None,
            off_delay_s: None,
        }
    }

    /// The topics on which something is heard of it, some of them perhaps twice.
    pub fn heard_topics(&self) -> impl Iterator<Item = &String> {
        let values = self.reads.iter().map(|read| &read.topic);
        values.chain(self.presence.iter().map(|presence| &presence.topic)).chain(self.attributes.iter().map(|source| &source.topic))
    }

    /// Whether it says something of its state, ever.
    #[must_use]
    pub fn has_state(&self) -> bool {
        !self.reads.is_empty() || self.convention == Convention::Sparkplug
    }
}

/// One place that a part of the value comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Read {
    /// The topic.
    pub topic: String,
    /// Which part of the value.
    pub part: Part,
    /// Where in the payload.
    #[serde(default)]
    pub extract: Extract,
    /// What it means.
    #[serde(default)]
    pub map: Map,
}

/// A part of an entity's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The value itself: what a sensor measures, `on` or `off`, where a cover stands in words, the word of a select.
    State,
    /// Of a light, in per cent.
    Brightness,
    /// Of a light, in kelvin.
    ColorTemp,
    /// Of a light.
    Color,
    /// Of a light: which of its color and its warmth it shows. Only said.
    ColorMode,
    /// Of a light, by name.
    Effect,
    /// Of a light: how long a change takes, in seconds. Only asked.
    Transition,
    /// Of a cover, in per cent; 0 is closed.
    Position,
    /// Of a climate: `heat`.
    Mode,
    /// Of a climate: what is aimed at.
    Temperature,
    /// Of a climate: what is.
    CurrentTemperature,
    /// Of a climate.
    FanMode,
    /// Of a climate.
    Preset,
}

/// A part's value in our words and units.
#[derive(Clone, Debug, PartialEq)]
pub enum PartValue {
    /// A finite number.
    Number(f64),
    /// On or off.
    Bool(bool),
    /// A word.
    Word(String),
    /// A color.
    Color(crate::value::Color),
}

/// Where it is said whether a device is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Presence {
    /// The topic.
    pub topic: String,
    /// Where in the payload.
    #[serde(default)]
    pub extract: Extract,
    /// What says that it is.
    pub online: Json,
    /// What says that it is not.
    pub offline: Json,
}

impl Presence {
    /// A topic that says `online` or `offline`.
    #[must_use]
    pub fn words(topic: &str, online: &str, offline: &str) -> Self {
        Self { topic: topic.to_owned(), extract: Extract::Whole, online: online.into(), offline: offline.into() }
    }
}

/// What several places come to that say whether a device is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresenceMode {
    /// All must say that it is.
    All,
    /// One is enough.
    Any,
    /// Whoever spoke last.
    #[default]
    Latest,
}
