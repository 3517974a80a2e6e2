//! What a convention finds in messages: devices with their entities, values, who is there, and what is to be asked.

use super::Order;
use super::speech::Speech;
use crate::control::Control;
use crate::device::About;
use crate::entity::EntityKind;
use crate::time::Timestamp;
use crate::value::Value;

/// What follows from a message, or from time passing.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// A device announced itself, or something about it.
    Device(Box<FoundDevice>),
    /// A device is there no more: it, or whoever speaks for it, took its announcement back.
    DeviceGone {
        /// As the convention calls it.
        device: String,
    },
    /// An entity is there no more.
    EntityGone {
        /// As the convention calls its device.
        device: String,
        /// As the convention calls it.
        key: String,
    },
    /// A whole device is there, or is not, since a time that is not ours to choose.
    Presence {
        /// As the convention calls it.
        device: String,
        /// Whether it is there.
        online: bool,
    },
    /// Whether a whole device is there is not known any more: what it said last may be out of date until it speaks again.
    Doubt {
        /// As the convention calls it.
        device: String,
    },
    /// A value that the convention decoded itself.
    Reading {
        /// As the convention calls the device.
        device: String,
        /// As the convention calls the entity.
        key: String,
        /// What it says; an error keeps the last good value and is told.
        value: Result<Value, String>,
        /// When it was so, by the device's clock.
        taken_at: Option<Timestamp>,
        /// Where it goes.
        keep: Keep,
    },
    /// A device, or its bridge, reports that it could not do what it was asked.
    Complaint {
        /// As the convention calls the device.
        device: String,
        /// The entity, where the report names one.
        key: Option<String>,
        /// What it reports.
        text: String,
    },
    /// A device says that it got what it was asked, and has not done it yet.
    Accepted {
        /// As the convention calls the device.
        device: String,
        /// As the convention calls the entity.
        key: String,
    },
    /// A device answered a call.
    Reply {
        /// The number that the call carried.
        ticket: u32,
        /// What went wrong; `None` where nothing did.
        error: Option<String>,
    },
    /// A bridge answered a request that was nobody's command.
    Answered {
        /// The number that the request carried.
        request: u32,
        /// What went wrong; `None` where nothing did.
        error: Option<String>,
    },
    /// Something is to be asked of devices, which is nobody's command.
    Ask(Order),
    /// A message, or something in it, could not be understood: told once, naming the input.
    Trouble(String),
}

/// Where a value goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// It is shown and stored.
    #[default]
    Both,
    /// It happened before what is shown: stored, never shown.
    HistoryOnly,
    /// It is shown, never stored.
    LiveOnly,
}

/// A device as its convention describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundDevice {
    /// As the convention calls it, for good: an address, an id. No other device of the convention has it.
    pub device: String,
    /// What others may know it by too: see [`identifier`]. Devices that share one are one.
    pub identifiers: Vec<String>,
    /// Its name, as text of a stranger.
    pub name: String,
    /// What its id is made of, the first time it is found; the name where it is empty.
    pub id_hint: String,
    /// The beginning of its topics.
    pub topic_root: String,
    /// Where it says that it stands.
    pub suggested_area: Option<String>,
    /// What it is.
    pub about: About,
    /// What it measures and lets one set.
    pub entities: Vec<FoundEntity>,
    /// Whether these are all of this convention: others that were found before are gone.
    pub is_whole: bool,
}

/// An entity as its convention describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundEntity {
    /// What its id is made of, the first time it is found; the name where it is empty.
    pub id_hint: String,
    /// Its name, as text of a stranger; empty for that of its device.
    pub name: String,
    /// What it is.
    pub kind: EntityKind,
    /// Its unit.
    pub unit: Option<String>,
    /// Its device class in Home Assistant's words: `temperature`. Gives what is not said otherwise: name, icon, unit, words.
    pub class: Option<String>,
    /// Icon name without `i-`.
    pub icon: Option<String>,
    /// Decimals shown.
    pub precision: Option<u8>,
    /// Whether it is a meter that counts up, where that is known.
    pub counter: Option<bool>,
    /// Out of the overview until somebody asks for it: settings and diagnostics of a device.
    pub is_hidden: bool,
    /// Nothing confirms what it is asked.
    pub is_assumed: bool,
    /// Range and options.
    pub control: Control,
    /// How it is read and commanded.
    pub speech: Speech,
}

impl FoundEntity {
    /// An entity of which nothing is known but what it is.
    #[must_use]
    pub fn new(name: &str, kind: EntityKind, speech: Speech) -> Self {
        Self {
            id_hint: String::new(),
            name: name.to_owned(),
            kind,
            unit: None,
            class: None,
            icon: None,
            precision: None,
            counter: None,
            is_hidden: false,
            is_assumed: false,
            control: Control::default(),
            speech,
        }
    }
}

/// An identifier in the form in which two conventions that mean the same write the same: hardware addresses without separators and in lower case,
/// Zigbee addresses without what bridges put in front. `24:0A:C4:12:AB:EF`, `240ac412abef` and `240AC412ABEF` are one.
#[must_use]
pub fn identifier(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("zigbee2mqtt_").unwrap_or(text);
    let bare: String = text.chars().filter(|c| !matches!(c, ':' | '-')).collect();
    let is_address = |digits: &str| matches!(digits.len(), 12 | 16) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let digits = bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X")).unwrap_or(&bare);
    if is_address(digits) { digits.to_ascii_lowercase() } else { crate::device::clean_text(text, 128) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_one_however_they_are_written() {
        for (text, same) in [
            ("24:0A:C4:12:AB:EF", "240ac412abef"),
            ("240AC412ABEF", "240ac412abef"),
            ("0x00158D0001DC126A", "00158d0001dc126a"),
            ("zigbee2mqtt_0x00158d0001dc126a", "00158d0001dc126a"),
            ("ea334450945afc", "ea334450945afc"),
            ("my-lamp", "my-lamp"),
        ] {
            assert_eq!(identifier(text), same, "{text}");
        }
    }
}
