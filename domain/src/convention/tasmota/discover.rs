//! From an announcement to a device.

use super::config::Config;
use super::sensors::Leaf;
use super::{lights, relays, sensors};
use crate::convention::Convention;
use crate::convention::found::{FoundDevice, FoundEntity};
use crate::convention::speech::{Extract, Form, Map, Part, Presence, Read, Speech, Write};
use crate::device::About;

/// A device with all that it announced.
pub(super) fn device(config: &Config, measured: &[Leaf]) -> FoundDevice {
    let mut entities = relays::all(config);
    entities.extend(lights::all(config));
    entities.extend(relays::inputs(config));
    entities.extend(sensors::all(config, measured));
    entities.extend(sensors::diagnostics(config));
    FoundDevice {
        device: config.mac.clone(),
        identifiers: vec![config.mac.clone()],
        name: config.name.clone(),
        // Each device is called "Tasmota" until somebody names it, but has a topic of its own.
        id_hint: config.topic.clone(),
        topic_root: config.tele("").trim_end_matches('/').to_owned(),
        suggested_area: None,
        about: About {
            manufacturer: Some("Tasmota".to_owned()),
            model: config.model.clone(),
            sw_version: config.version.clone(),
            configuration_url: config.ip.map(|ip| format!("http://{}/", if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() })),
            ..About::default()
        },
        entities,
        is_whole: true,
    }
}

/// A speech that knows whether its device is there.
pub(super) fn speech(config: &Config, key: &str) -> Speech {
    let presence = vec![Presence::words(&config.tele("LWT"), &config.online, &config.offline)];
    Speech { presence, ..Speech::new(Convention::Tasmota, &config.mac, key) }
}

/// An entity with what its id is made of.
pub(super) fn named(hint: &str, entity: FoundEntity) -> FoundEntity {
    FoundEntity { id_hint: hint.to_owned(), ..entity }
}

pub(super) fn read(topic: String, part: Part, path: &[&str], map: &Map) -> Read {
    Read { topic, part, extract: Extract::path(path), map: map.clone() }
}

pub(super) fn write(topic: String, part: Part, form: Form) -> Write {
    Write { topic, part, form, only_alone: false }
}
