//! Topics without any convention (wire.md, sections 1 and 9): `sensors/<device>/<measure>`, `<site>/<area>/<measure>`,
//! `devices/<device>/status`, `control/lights/<light>`.

use super::payload::availability_word;
use crate::entity::EntityKind;

pub use command::{agrees, encode, expected};
pub use pattern::{BadPattern, MAX_PATTERNS, Matched, Preview, SHIPPED, TopicPattern};

/// How commands are written, and what agrees with them.
mod command;
/// What topics are about, as the operator writes it.
mod pattern;

/// What a topic is about, as its convention says by the topic alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Measured values of a device.
    Readings {
        /// The device's name as in the topic.
        device: String,
        /// The measure's name as in the topic; empty where the payload names its measures.
        measure: String,
        /// The area's name as in the topic.
        area: Option<String>,
        /// The beginning of the device's topics.
        root: String,
    },
    /// The reported state of something that can be set.
    State {
        /// The device's name as in the topic.
        device: String,
        /// A light or a switch.
        kind: EntityKind,
        /// Where its commands go.
        command_topic: String,
    },
    /// A command to something that can be set: seen when somebody sends one.
    Command {
        /// The device's name as in the topic.
        device: String,
        /// A light or a switch.
        kind: EntityKind,
    },
    /// Whether a device is there.
    Availability {
        /// The device's name as in the topic.
        device: String,
        /// The beginning of the device's topics.
        root: String,
    },
    /// Nothing that becomes an entity.
    Nothing,
}

/// First levels that belong to the conventions of other products, to commands, or to the broker's clients: they feed no plain entity.
const RESERVED: [&str; 18] = [
    "homeassistant",
    "zigbee2mqtt",
    "tasmota",
    "tele",
    "stat",
    "cmnd",
    "shellies",
    "esphome",
    "homie",
    "spBv1.0",
    "STATE",
    "owntracks",
    "commands",
    "clients",
    "bridge",
    "test",
    "N",
    "R",
];

/// Last levels under which a device says whether it is there.
const AVAILABILITY: [&str; 6] = ["status", "state", "availability", "LWT", "online", "connected"];

/// What a topic is about: by the first pattern of the operator that it matches, else by itself.
#[must_use]
pub fn discover_by(patterns: &[TopicPattern], topic: &str, payload: &[u8]) -> Role {
    patterns.iter().find_map(|pattern| pattern.role(topic)).unwrap_or_else(|| discover(topic, payload))
}

/// What a topic is about by itself. `payload` decides only where a last level such as `state` is used for both readings and availability.
#[must_use]
pub fn discover(topic: &str, payload: &[u8]) -> Role {
    let levels: Vec<&str> = topic.split('/').collect();
    if topic.starts_with('$') || levels.iter().any(|level| level.is_empty()) || RESERVED.contains(&levels[0]) {
        return Role::Nothing;
    }
    if let Some(role) = settable(&levels) {
        return role;
    }
    if let Some((last, parent)) = levels.split_last()
        && AVAILABILITY.contains(last)
        && let Some(device) = parent.last()
        && (levels[0] == "devices" || availability_word(payload).is_some())
    {
        return Role::Availability { device: (*device).to_owned(), root: parent.join("/") };
    }
    readings(&levels)
}

fn settable(levels: &[&str]) -> Option<Role> {
    let own = |device: &&str| (*device).to_owned();
    match levels {
        ["control", kind, device] => Some(kind_of(kind).map_or(Role::Nothing, |kind| Role::Command { device: own(device), kind })),
        ["state", kind, device] | ["control", kind, device, "state"] => Some(kind_of(kind).map_or(Role::Nothing, |of| Role::State {
            device: own(device),
            kind: of,
            command_topic: format!("control/{kind}/{device}"),
        })),
        ["lights", device] => Some(Role::State { device: own(device), kind: EntityKind::Light, command_topic: format!("control/lights/{device}") }),
        ["control" | "state", ..] => Some(Role::Nothing),
        _ => None,
    }
}

fn kind_of(word: &str) -> Option<EntityKind> {
    match word {
        "lights" | "light" => Some(EntityKind::Light),
        "switches" | "switch" | "plugs" | "relays" | "outlets" => Some(EntityKind::Switch),
        _ => None,
    }
}

fn readings(levels: &[&str]) -> Role {
    let of = |device: &str, measure: String, area: Option<&str>, root: String| Role::Readings {
        device: device.to_owned(),
        measure,
        area: area.map(ToOwned::to_owned),
        root,
    };
    match levels {
        ["sensors", device] | ["sensors", device, "data"] => of(device, String::new(), None, format!("sensors/{device}")),
        ["sensors", device, measure @ ..] if !measure.is_empty() => of(device, measure.join("_"), None, format!("sensors/{device}")),
        ["devices", device] => of(device, String::new(), None, format!("devices/{device}")),
        ["devices", device, measure @ ..] => of(device, measure.join("_"), None, format!("devices/{device}")),
        ["sensors" | "devices"] => Role::Nothing,
        [site, area, measure] => of(area, (*measure).to_owned(), Some(area), format!("{site}/{area}")),
        [device, measure] => of(device, (*measure).to_owned(), None, (*device).to_owned()),
        _ => Role::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn readings(topic: &str, device: &str, measure: &str, area: Option<&str>) {
        match discover(topic, b"1") {
            Role::Readings { device: d, measure: m, area: a, .. } => {
                assert_eq!((d.as_str(), m.as_str(), a.as_deref()), (device, measure, area), "{topic}");
            }
            other => panic!("{topic}: {other:?}"),
        }
    }

    #[test]
    fn topics_name_device_measure_and_area() {
        readings("sensors/temp-sensor-001/temperature", "temp-sensor-001", "temperature", None);
        readings("sensors/a/data", "a", "", None);
        readings("sensors/a/battery/voltage", "a", "battery_voltage", None);
        readings("home/livingroom/temperature", "livingroom", "temperature", Some("livingroom"));
        readings("boiler/pressure", "boiler", "pressure", None);
        readings("devices/a/power", "a", "power", None);
    }

    #[test]
    fn topics_of_other_conventions_feed_nothing() {
        for topic in [
            "commands/a",
            "homeassistant/light/x/config",
            "$SYS/broker/uptime",
            "clients/signalbox/status",
            "a",
            "a//b",
            "/a/b",
            "a/b/c/d",
            "control/x/y",
            "sensors",
        ] {
            assert_eq!(discover(topic, b"1"), Role::Nothing, "{topic}");
        }
    }

    #[test]
    fn availability_is_told_by_its_words() {
        assert!(matches!(discover("devices/a/status", b"online"), Role::Availability { device, .. } if device == "a"));
        assert!(matches!(discover("home/attic/state", b"offline"), Role::Availability { device, .. } if device == "attic"));
        assert!(matches!(discover("home/attic/state", b"21"), Role::Readings { .. }));
    }

    #[test]
    fn lights_and_switches_have_a_state_and_a_command_topic() {
        assert_eq!(discover("control/lights/hall", b"{}"), Role::Command { device: "hall".into(), kind: EntityKind::Light });
        for topic in ["state/lights/hall", "control/lights/hall/state", "lights/hall"] {
            assert_eq!(
                discover(topic, b"on"),
                Role::State { device: "hall".into(), kind: EntityKind::Light, command_topic: "control/lights/hall".into() },
                "{topic}"
            );
        }
        assert!(matches!(discover("state/switches/pump", b"on"), Role::State { kind: EntityKind::Switch, .. }));
    }

    proptest! {
        #[test]
        fn no_topic_panics(topic in ".{0,80}", payload in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _: Role = discover(&topic, &payload);
        }
    }
}
