//! `ESPHome` by its topics alone, without the discovery of Home Assistant (wire.md, section 6).

/// What topics are about, and the entities that they come to.
mod discover;

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde_json::Value as Json;

use super::found::{Finding, FoundDevice, FoundEntity};
use super::payload::{MAX_PAYLOAD_BYTES, shown};
use super::{Claim, Heard, Speaker};
use crate::device::About;
use crate::time::{SECOND_MS, Timestamp};
use discover::{entity, shown_by, topic_of};

/// Prefixes remembered of a broker of which not enough is known yet: many topics end in `status`.
const MOST_CANDIDATES: usize = 10_000;
/// Devices remembered.
const MOST_DEVICES: usize = 10_000;
/// Descriptions remembered that devices publish of themselves.
const MOST_NODES: usize = 10_000;
/// Components remembered of one device, and of all.
const MOST_OF_ONE: usize = 500;
const MOST_COMPONENTS: usize = 50_000;
/// A broker that replays what it holds says more of a device within that time: all of it is told at once.
const SETTLE_MS: i64 = SECOND_MS;

/// What is known under a prefix.
#[derive(Debug, Default)]
struct Device {
    /// It says whether it is there.
    has_status: bool,
    /// What showed itself, by component: `sensor/temperature`.
    parts: BTreeMap<Box<str>, u8>,
    is_told: bool,
}

/// What a device publishes of itself.
#[derive(Debug)]
struct Node {
    friendly_name: Option<String>,
    mac: Option<String>,
    about: About,
}

/// What is known of the devices of one broker that speak it.
#[derive(Debug, Default)]
pub struct EspHome {
    devices: HashMap<String, Device>,
    /// Those that are none yet, in the order in which they were heard of; one may be one already.
    candidates: VecDeque<String>,
    /// By name.
    nodes: HashMap<String, Node>,
    n_parts: usize,
    n_told: usize,
    /// What is to be told, and from when on.
    due: BTreeMap<String, Timestamp>,
}

impl Speaker for EspHome {
    fn hear(&mut self, heard: &Heard<'_>, out: &mut Vec<Finding>) -> Claim {
        if let Some(rest) = heard.topic.strip_prefix("esphome/discover") {
            if let Some(name) = rest.strip_prefix('/').filter(|name| !name.is_empty()) {
                self.described(name, heard, out);
            }
            return Claim::Hears;
        }
        if let Some(topic) = topic_of(heard.topic) {
            let bits = shown_by(topic, heard.payload);
            if bits != 0 {
                self.learn(topic.prefix, topic.key, bits, heard.now, out);
            }
            // A light says more of itself when it is on. Before it is an entity, what it says is kept for it.
            let is_told = self.devices.get(topic.prefix).is_some_and(|device| device.is_told);
            return if is_told && topic.kind == "light" && !topic.is_command { Claim::Hears } else { Claim::Ignores };
        }
        let Some((prefix, last)) = heard.topic.rsplit_once('/').filter(|(prefix, _)| !prefix.is_empty()) else { return Claim::No };
        match last {
            "status" if heard.payload == b"online" || heard.payload == b"offline" => {
                self.candidate(prefix);
                if let Some(device) = self.devices.get_mut(prefix) {
                    device.has_status = true;
                }
                self.consider(prefix, heard.now);
                // Others say so in the same way: it is no reason to take the topic.
                Claim::No
            }
            // Its log comes before its first state.
            "debug" if is_log(heard.payload) || self.devices.get(prefix).is_some_and(|device| !device.parts.is_empty()) => Claim::Ignores,
            _ => Claim::No,
        }
    }

    fn tick(&mut self, now: Timestamp, out: &mut Vec<Finding>) {
        let is_due = |at: Timestamp| now >= at || at.since_ms(now) > SETTLE_MS;
        let due: Vec<String> = self.due.iter().filter(|(_, at)| is_due(**at)).map(|(prefix, _)| prefix.clone()).collect();
        for prefix in due {
            self.due.remove(&prefix);
            if self.n_told >= MOST_DEVICES {
                out.push(Finding::Trouble(format!("{MOST_DEVICES} ESPHome devices are known: no room for \"{}\"", shown(&prefix))));
                continue;
            }
            let Some(device) = self.devices.get_mut(&prefix) else { continue };
            device.is_told = true;
            self.n_told += 1;
            self.tell_all(&prefix, out);
        }
    }
}

impl EspHome {
    /// Makes room for a prefix, if need be by forgetting the oldest one of which nothing came.
    fn candidate(&mut self, prefix: &str) {
        if self.devices.contains_key(prefix) {
            return;
        }
        self.devices.insert(prefix.to_owned(), Device::default());
        self.candidates.push_back(prefix.to_owned());
        if self.candidates.len() > MOST_CANDIDATES
            && let Some(oldest) = self.candidates.pop_front()
            && self.devices.get(&oldest).is_some_and(|device| !device.is_told)
        {
            self.n_parts -= self.devices.remove(&oldest).map_or(0, |device| device.parts.len());
            self.due.remove(&oldest);
        }
    }

    /// Takes up what a message shows of a component.
    fn learn(&mut self, prefix: &str, key: &str, bits: u8, now: Timestamp, out: &mut Vec<Finding>) {
        self.candidate(prefix);
        let Some(device) = self.devices.get_mut(prefix) else { return };
        let known = device.parts.get(key).copied();
        // A sensor that says a text once, among numbers, is still one of numbers.
        let bits = if key.starts_with("sensor/") { known.unwrap_or(bits) } else { known.unwrap_or_default() | bits };
        if known == Some(bits) {
            return;
        }
        if known.is_none() {
            if device.parts.len() >= MOST_OF_ONE || self.n_parts >= MOST_COMPONENTS {
                return;
            }
            self.n_parts += 1;
        }
        device.parts.insert(key.into(), bits);
        if device.is_told {
            let found = entity(prefix, key, bits).into_iter().collect();
            self.tell(prefix, found, out);
        } else {
            self.consider(prefix, now);
        }
    }

    /// A device it is once something is known of it besides a component.
    fn consider(&mut self, prefix: &str, now: Timestamp) {
        let Some(device) = self.devices.get(prefix) else { return };
        if !device.is_told && !device.parts.is_empty() && (device.has_status || self.node(prefix).is_some()) {
            self.due.entry(prefix.to_owned()).or_insert(now.plus_ms(SETTLE_MS));
        }
    }

    /// What the device of a prefix says of itself: it is named after it unless its owner chose otherwise.
    fn node(&self, prefix: &str) -> Option<&Node> {
        self.nodes.get(prefix.rsplit('/').next()?)
    }

    /// A device describes itself.
    fn described(&mut self, name: &str, heard: &Heard<'_>, out: &mut Vec<Finding>) {
        if heard.payload.is_empty() {
            self.nodes.remove(name);
            return;
        }
        let said: Option<Json> = (heard.payload.len() <= MAX_PAYLOAD_BYTES).then(|| serde_json::from_slice(heard.payload).ok()).flatten();
        let Some(Json::Object(said)) = said else {
            return out.push(Finding::Trouble(format!("what \"{}\" says of itself is no JSON that can be read", shown(name))));
        };
        if name.len() > 256 || (self.nodes.len() >= MOST_NODES && !self.nodes.contains_key(name)) {
            return;
        }
        let text = |key: &str| said.get(key).and_then(Json::as_str).filter(|text| !text.is_empty() && text.len() <= 256).map(str::to_owned);
        let about = About { model: text("board"), sw_version: text("version"), ..About::default() };
        self.nodes.insert(name.to_owned(), Node { friendly_name: text("friendly_name"), mac: text("mac"), about });
        let of_it: Vec<String> =
            [name.to_owned(), ["esphome/", name].concat()].into_iter().filter(|prefix| self.devices.contains_key(prefix)).collect();
        for prefix in of_it {
            if self.devices.get(&prefix).is_some_and(|device| device.is_told) {
                self.tell_all(&prefix, out);
            } else {
                self.consider(&prefix, heard.now);
            }
        }
    }

    fn tell_all(&self, prefix: &str, out: &mut Vec<Finding>) {
        let parts = self.devices.get(prefix).into_iter().flat_map(|device| &device.parts);
        let found = parts.filter_map(|(key, bits)| entity(prefix, key, *bits)).collect();
        self.tell(prefix, found, out);
    }

    fn tell(&self, prefix: &str, entities: Vec<FoundEntity>, out: &mut Vec<Finding>) {
        if entities.is_empty() {
            return;
        }
        let name = prefix.rsplit('/').next().unwrap_or(prefix);
        let node = self.node(prefix);
        out.push(Finding::Device(Box::new(FoundDevice {
            device: prefix.to_owned(),
            identifiers: node.and_then(|node| node.mac.clone()).into_iter().collect(),
            name: node.and_then(|node| node.friendly_name.clone()).unwrap_or_else(|| name.to_owned()),
            id_hint: name.to_owned(),
            topic_root: prefix.to_owned(),
            suggested_area: None,
            about: node.map(|node| node.about.clone()).unwrap_or_default(),
            entities,
            is_whole: false,
        })));
    }
}

/// Whether a message is a line of a log: `[D][sensor:093]: …`, mostly in color.
fn is_log(payload: &[u8]) -> bool {
    let line = match payload.strip_prefix(b"\x1b[") {
        Some(colored) => colored.iter().position(|byte| *byte == b'm').filter(|at| *at < 12).and_then(|at| colored.get(at + 1..)),
        None => Some(payload),
    };
    let Some([b'[', level, rest @ ..]) = line else { return false };
    matches!(level, b'E' | b'W' | b'I' | b'C' | b'D' | b'V') && (rest.starts_with(b"][") || rest.starts_with(b"V]["))
}
