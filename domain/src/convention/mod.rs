//! How devices talk: what a topic is about, what a payload says, how a command is written.
//!
//! Each convention has the same parts. *Discover* turns announcements into devices and entities ([`found`]); *decode* and *encode* are, wherever a
//! convention's own descriptions allow it, data that is made once and stored with the entity ([`speech`]); *availability* is where it is said that a
//! device is there. What cannot be said as data (sessions, aliases, calls with replies) a [`Speaker`] remembers for each broker.

/// ESPHome without discovery.
pub mod esphome;
/// What conventions find.
pub mod found;
/// A word to all devices after a connection.
mod greeting;
/// Home Assistant MQTT discovery.
pub mod homeassistant;
/// Homie 3, 4 and 5.
pub mod homie;
/// What a payload says.
pub mod payload;
/// Topics without any convention: `sensors/<device>/<measure>`.
pub mod plain;
/// Shelly Gen1 and Gen2+.
pub mod shelly;
/// Sparkplug B.
pub mod sparkplug;
/// How one entity is read and commanded.
pub mod speech;
/// Tasmota.
pub mod tasmota;
/// Jinja templates.
pub mod template;
/// Zigbee2MQTT.
pub mod zigbee2mqtt;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use found::Finding;

pub use plain::Role;
pub use speech::Order;

/// Which convention something belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Convention {
    /// `ESPHome` by its topics alone.
    EspHome,
    /// Home Assistant discovery.
    HomeAssistant,
    /// Tasmota.
    Tasmota,
    /// Zigbee2MQTT.
    Zigbee2Mqtt,
    /// Shelly.
    Shelly,
    /// Homie.
    Homie,
    /// Sparkplug B.
    Sparkplug,
}

impl Convention {
    /// All of them, in the order in which they are asked about a topic that nobody knows.
    pub const ALL: [Self; 7] = [Self::HomeAssistant, Self::Zigbee2Mqtt, Self::Tasmota, Self::Shelly, Self::Homie, Self::Sparkplug, Self::EspHome];

    /// As it is shown: `Zigbee2MQTT`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EspHome => "ESPHome",
            Self::HomeAssistant => "Home Assistant discovery",
            Self::Tasmota => "Tasmota",
            Self::Zigbee2Mqtt => "Zigbee2MQTT",
            Self::Shelly => "Shelly",
            Self::Homie => "Homie",
            Self::Sparkplug => "Sparkplug B",
        }
    }
}

/// A message on its way to a convention.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// The topic: at most 1,024 bytes and 32 levels, no control characters.
    pub topic: &'a str,
    /// The payload: anything, of any size.
    pub payload: &'a [u8],
    /// Replayed by the broker, not new.
    pub retained: bool,
    /// Now.
    pub now: Timestamp,
}

/// Whether a topic is a convention's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is not, as far as can be told so far.
    No,
    /// It is, and each of its messages is to be heard.
    Hears,
    /// It is, and nothing is to be learned from it: no other convention takes it either.
    Ignores,
}

/// A convention's memory of one broker. It is asked about topics that nobody knows yet, and hears each message of those that it claims; what entities
/// [read](speech::Read), they decode without it.
pub trait Speaker: std::fmt::Debug + Send + Sync {
    /// Whether the topic is its own, and what follows from the message. Nothing may panic, and what is remembered is bounded.
    fn hear(&mut self, heard: &Heard<'_>, out: &mut Vec<Finding>) -> Claim;

    /// Time has passed: about twice a second.
    fn tick(&mut self, _now: Timestamp, _out: &mut Vec<Finding>) {}

    /// The broker is reached, for the first time or again: what was heard before may be out of date, and what it holds is replayed now.
    fn reconnected(&mut self, _now: Timestamp, _out: &mut Vec<Finding>) {}
}

/// All conventions on one broker.
#[derive(Debug)]
pub struct Speakers(Vec<(Convention, Box<dyn Speaker>)>);

impl Default for Speakers {
    fn default() -> Self {
        let speaker = |convention| -> Box<dyn Speaker> {
            match convention {
                Convention::EspHome => Box::<esphome::EspHome>::default(),
                Convention::HomeAssistant => Box::<homeassistant::HomeAssistant>::default(),
                Convention::Tasmota => Box::<tasmota::Tasmota>::default(),
                Convention::Zigbee2Mqtt => Box::<zigbee2mqtt::Zigbee2Mqtt>::default(),
                Convention::Shelly => Box::<shelly::Shelly>::default(),
                Convention::Homie => Box::<homie::Homie>::default(),
                Convention::Sparkplug => Box::<sparkplug::Sparkplug>::default(),
            }
        };
        Self(Convention::ALL.into_iter().map(|convention| (convention, speaker(convention))).collect())
    }
}

impl Speakers {
    /// Offers a message on a topic that nobody knows to each in turn; whose it is.
    pub fn offer(&mut self, heard: &Heard<'_>, out: &mut Vec<Finding>) -> (Claim, Option<Convention>) {
        for (convention, speaker) in &mut self.0 {
            match speaker.hear(heard, out) {
                Claim::No => {}
                claim => return (claim, Some(*convention)),
            }
        }
        (Claim::No, None)
    }

    /// A message on a topic that a convention claimed, or that one of its entities reads.
    pub fn hear(&mut self, of: Convention, heard: &Heard<'_>, out: &mut Vec<Finding>) -> Claim {
        let speaker = self.0.iter_mut().find(|(convention, _)| *convention == of);
        speaker.map_or(Claim::No, |(_, speaker)| speaker.hear(heard, out))
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Timestamp, mut each: impl FnMut(Convention, Vec<Finding>)) {
        for (convention, speaker) in &mut self.0 {
            let mut out = vec![];
            speaker.tick(now, &mut out);
            if !out.is_empty() {
                each(*convention, out);
            }
        }
    }

    /// The broker is reached.
    pub fn reconnected(&mut self, now: Timestamp, mut each: impl FnMut(Convention, Vec<Finding>)) {
        for (convention, speaker) in &mut self.0 {
            let mut out = vec![];
            speaker.reconnected(now, &mut out);
            if !out.is_empty() {
                each(*convention, out);
            }
        }
    }
}
