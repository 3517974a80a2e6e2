//! Gen1 devices of one broker: `shellies/<id>/…` (Shelly's API documentation, Gen1, "MQTT").

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Json;

use super::gen1_parts::{Seen, entity, looks_inside, told};
use crate::convention::found::{Finding, FoundDevice, FoundEntity};
use crate::convention::greeting::Greeting;
use crate::convention::payload::{MAX_PAYLOAD_BYTES, shown};
use crate::convention::speech::Order;
use crate::convention::{Claim, Heard};
use crate::device::About;
use crate::time::Timestamp;

/// Devices remembered of a broker.
const MOST_DEVICES: usize = 10_000;
/// Entities remembered of one.
const MOST_OF_ONE: usize = 128;
/// Entities remembered of all.
const MOST_ENTITIES: usize = 50_000;

#[derive(Debug, Default)]
struct Device {
    mac: Option<String>,
    about: About,
    /// What showed itself, by the beginning of its topics: `relay/0`, `sensor/temperature`.
    parts: BTreeMap<Box<str>, Seen>,
}

/// All of them, by id.
#[derive(Debug, Default)]
pub(super) struct Gen1 {
    devices: HashMap<String, Device>,
    n_parts: usize,
    greeting: Greeting,
}

impl Gen1 {
    /// `rest` is what follows `shellies/`, all of which is theirs.
    pub(super) fn hear(&mut self, rest: &str, heard: &Heard<'_>, out: &mut Vec<Finding>) -> Claim {
        if rest == "announce" {
            self.announced(None, heard.payload, out);
            return Claim::Hears;
        }
        let Some((id, path)) = rest.split_once('/').filter(|(id, _)| !id.is_empty()) else { return Claim::Ignores };
        match path {
            "announce" => {
                self.announced(Some(id), heard.payload, out);
                return Claim::Hears;
            }
            "online" => {
                if heard.payload == b"true" || heard.payload == b"false" {
                    self.know(id, out);
                }
                return Claim::Ignores;
            }
            _ => {}
        }
        // An empty retained message takes something back, and tells of nothing.
        if heard.payload.is_empty() {
            return Claim::Ignores;
        }
        let Some(is_read) = looks_inside(path) else { return Claim::Ignores };
        self.know(id, out);
        let said = is_read.then(|| read(heard.payload)).flatten();
        let Some(device) = self.devices.get_mut(id) else { return Claim::Ignores };
        let mut found = vec![];
        for (key, shown) in told(path, said.as_ref()) {
            if !device.parts.contains_key(key.as_str()) {
                if device.parts.len() >= MOST_OF_ONE || self.n_parts >= MOST_ENTITIES {
                    continue;
                }
                self.n_parts += 1;
            }
            let seen = device.parts.entry(key.as_str().into()).or_default();
            if seen.add(shown) {
                found.extend(entity(id, &key, *seen));
            }
        }
        device.tell(id, found, out);
        if is_read { Claim::Hears } else { Claim::Ignores }
    }

    /// All devices are asked who they are, when a broker is reached.
    pub(super) fn reconnected(&mut self, now: Timestamp) {
        self.greeting.reconnected(now);
    }

    pub(super) fn tick(&mut self, now: Timestamp, out: &mut Vec<Finding>) {
        if self.greeting.is_due(now) {
            out.push(Finding::Ask(Order { topic: "shellies/command".to_owned(), payload: b"announce".to_vec() }));
        }
    }

    fn know(&mut self, id: &str, out: &mut Vec<Finding>) {
        if self.devices.contains_key(id) {
            return;
        }
        if self.devices.len() >= MOST_DEVICES {
            out.push(Finding::Trouble(format!("{MOST_DEVICES} Shelly devices are known: no room for \"{}\"", shown(id))));
            return;
        }
        let about = About { manufacturer: Some("Shelly".to_owned()), ..About::default() };
        let mac = id.rsplit_once('-').map(|(_, end)| end).filter(|end| end.len() == 12 && end.bytes().all(|b| b.is_ascii_hexdigit()));
        self.devices.insert(id.to_owned(), Device { mac: mac.map(str::to_owned), about, ..Device::default() });
    }

    /// A device says who it is.
    fn announced(&mut self, by: Option<&str>, payload: &[u8], out: &mut Vec<Finding>) {
        if payload.is_empty() {
            return;
        }
        let Some(said) = read(payload) else {
            return out.push(Finding::Trouble("an announcement of a Shelly is no JSON that can be read".to_owned()));
        };
        let text = |name: &str| said[name].as_str().filter(|text| !text.is_empty() && text.len() <= 256).map(str::to_owned);
        let Some(id) = text("id").filter(|id| !id.contains('/') && by.is_none_or(|by| by == id)) else {
            return out.push(Finding::Trouble("an announcement of a Shelly has no id, or another's".to_owned()));
        };
        self.know(&id, out);
        let Some(device) = self.devices.get_mut(&id) else { return };
        device.mac = text("mac").or(device.mac.take());
        device.about.model = text("model").or(device.about.model.take());
        device.about.sw_version = text("fw_ver").or(device.about.sw_version.take());
        if let Some(ip) = text("ip").filter(|ip| ip.parse::<core::net::IpAddr>().is_ok()) {
            device.about.configuration_url = Some(format!("http://{ip}/"));
        }
        let all = device.parts.iter().filter_map(|(key, seen)| entity(&id, key, *seen)).collect();
        device.tell(&id, all, out);
    }
}

impl Device {
    fn tell(&self, id: &str, entities: Vec<FoundEntity>, out: &mut Vec<Finding>) {
        if entities.is_empty() {
            return;
        }
        let root = ["shellies/", id].concat();
        out.push(Finding::Device(Box::new(FoundDevice {
            device: root.clone(),
            identifiers: self.mac.iter().cloned().collect(),
            name: id.to_owned(),
            id_hint: id.to_owned(),
            topic_root: root,
            suggested_area: None,
            about: self.about.clone(),
            entities,
            is_whole: false,
        })));
    }
}

fn read(payload: &[u8]) -> Option<Json> {
    serde_json::from_slice(payload.get(..payload.len().min(MAX_PAYLOAD_BYTES))?).ok()
}
