//! From `bridge/devices` to devices: one for each that is not the bridge's own radio.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use super::exposes::{Maker, presence};
use super::specific::{Looks, looks};
use super::{Base, read_list, text};
use crate::convention::Heard;
use crate::convention::found::{Finding, FoundDevice, FoundEntity};
use crate::convention::payload::shown;
use crate::convention::speech::{Extract, Form};
use crate::device::About;
use crate::topic::check_topic;

/// Devices of one bridge: a Zigbee network has some hundreds at most.
const MOST_DEVICES: usize = 2_000;
/// Longest address, in bytes: `0x` and sixteen digits, or what a test bridge makes up.
const MOST_ADDRESS_BYTES: usize = 64;
/// Exposes of one device that are looked at.
const MOST_EXPOSES: usize = 500;

/// What is remembered of a device.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) name: String,
    /// What it is above all, for the groups that it is in.
    pub(super) main: Option<Main>,
    /// From properties to the entity that each belongs to; `None` for one that belongs to several.
    pub(super) keys: HashMap<String, Option<String>>,
}

/// What a device is above all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Main {
    Light(Looks),
    Switch,
}

impl Base {
    /// Takes the bridge's list: those that it does not name any more are gone.
    pub(super) fn take_devices(&mut self, base: &str, heard: &Heard<'_>, out: &mut Vec<Finding>) {
        let Some(list) = read_list(heard, out) else { return };
        let mut before = std::mem::take(&mut self.devices);
        let mut names = HashSet::new();
        if list.len() > MOST_DEVICES {
            out.push(Finding::Trouble(format!("\"{}\" lists {} devices: only {MOST_DEVICES} are taken", shown(heard.topic), list.len())));
        }
        for one in list.iter().take(MOST_DEVICES) {
            if text(one, "type") == Some("Coordinator") {
                continue;
            }
            let read = read_device(base, one, &mut names);
            let address = text(one, "ieee_address").unwrap_or_default();
            match read {
                Ok(_) if self.devices.contains_key(address) => {
                    out.push(Finding::Trouble(format!("\"{}\" lists {} twice", shown(heard.topic), shown(address))));
                }
                Ok(Some((found, known))) => {
                    before.remove(address);
                    self.devices.insert(address.to_owned(), known);
                    out.push(Finding::Device(Box::new(found)));
                }
                Ok(None) => {
                    // One that is being asked anew what it is stays what it was until it has said so.
                    if let Some(known) = before.remove(address).filter(|_| is_interviewed_now(one)) {
                        self.devices.insert(address.to_owned(), known);
                    } else {
                        out.push(Finding::DeviceGone { device: address.to_owned() });
                    }
                }
                Err(reason) => {
                    if let Some(known) = before.remove(address) {
                        self.devices.insert(address.to_owned(), known);
                    }
                    out.push(Finding::Trouble(reason));
                }
            }
        }
        out.extend(before.into_keys().map(|device| Finding::DeviceGone { device }));
        self.regroup(base, out);
    }

    /// Works out who is meant by which name, and what the groups are now.
    pub(super) fn regroup(&mut self, base: &str, out: &mut Vec<Finding>) {
        self.find_groups(base, out);
        self.names = self.devices.iter().map(|(address, known)| (known.name.clone(), address.clone())).collect();
        self.names.extend(self.groups.iter().map(|(id, group)| (group.name.clone(), id.clone())));
    }
}

/// A device of the list; `None` for one of which nothing can be said yet.
fn read_device(base: &str, json: &Json, names: &mut HashSet<String>) -> Result<Option<(FoundDevice, Known)>, String> {
    let address = text(json, "ieee_address").filter(|address| address.len() <= MOST_ADDRESS_BYTES);
    let address =
        address.ok_or_else(|| format!("a device without an address: {}", shown(&json.to_string().chars().take(200).collect::<String>())))?;
    // Spaces around it belong to a name: it is a topic.
    let name = json.get("friendly_name").and_then(Json::as_str).filter(|name| !name.is_empty()).unwrap_or(address);
    let topic = check_name(base, name)?;
    if !names.insert(name.to_owned()) {
        return Err(format!("two devices are called \"{}\"", shown(name)));
    }
    let is_disabled = json.get("disabled").and_then(Json::as_bool).unwrap_or(false);
    let definition = json.get("definition").filter(|definition| definition.is_object());
    let Some(definition) = definition.filter(|_| !is_disabled && is_interviewed(json)) else { return Ok(None) };
    let exposes = definition.get("exposes").and_then(Json::as_array).ok_or_else(|| format!("\"{}\" has no list of exposes", shown(name)))?;
    let exposes = exposes.get(..MOST_EXPOSES).unwrap_or(exposes);
    let set_topic = format!("{topic}/set");
    let mut maker = Maker::new(address, &topic, &set_topic, presence(base, &topic));
    exposes.iter().for_each(|expose| maker.take(expose, exposes));
    let entities = maker.entities;
    if entities.is_empty() {
        return Ok(None);
    }
    let known = Known { name: name.to_owned(), main: main_of(exposes), keys: keys_of(&entities) };
    let model = match (text(definition, "description"), text(definition, "model")) {
        (Some(description), Some(model)) => Some(format!("{description} ({model})")),
        (one, other) => one.or(other).map(str::to_owned),
    };
    let found = FoundDevice {
        device: address.to_owned(),
        identifiers: vec![address.to_owned()],
        name: name.to_owned(),
        id_hint: name.to_owned(),
        topic_root: topic,
        suggested_area: None,
        about: About {
            manufacturer: text(definition, "vendor").map(str::to_owned),
            model,
            sw_version: text(json, "software_build_id").map(str::to_owned),
            ..About::default()
        },
        entities,
        is_whole: true,
    };
    Ok(Some((found, known)))
}

/// The topic of a name, if it can be one.
pub(super) fn check_name(base: &str, name: &str) -> Result<String, String> {
    let topic = format!("{base}/{name}");
    if name == "bridge" || name.starts_with("bridge/") {
        return Err(format!("a device cannot be called \"{}\": that is the bridge", shown(name)));
    }
    // The longest of its topics, and the one that goes out.
    check_topic(&format!("{topic}/availability")).map_err(|error| format!("a device cannot be called \"{}\": {error}", shown(name)))?;
    Ok(topic)
}

/// Whether it has said what it is.
fn is_interviewed(json: &Json) -> bool {
    match text(json, "interview_state") {
        Some(state) => state == "SUCCESSFUL",
        None => json.get("interview_completed").and_then(Json::as_bool).unwrap_or(true),
    }
}

/// Whether it is being asked right now.
fn is_interviewed_now(json: &Json) -> bool {
    text(json, "interview_state") == Some("IN_PROGRESS") || json.get("interviewing").and_then(Json::as_bool).unwrap_or(false)
}

fn main_of(exposes: &[Json]) -> Option<Main> {
    let lights = exposes.iter().find(|expose| text(expose, "type") == Some("light")).map(|light| Main::Light(looks(light)));
    lights.or_else(|| exposes.iter().any(|expose| text(expose, "type") == Some("switch")).then_some(Main::Switch))
}

fn keys_of(entities: &[FoundEntity]) -> HashMap<String, Option<String>> {
    let mut keys: HashMap<String, Option<String>> = HashMap::new();
    for entity in entities {
        let read = entity.speech.reads.iter().filter_map(|read| if let Extract::Path(path) = &read.extract { path.first() } else { None });
        let written = entity.speech.writes.iter().filter_map(|write| if let Form::Json { path, .. } = &write.form { path.first() } else { None });
        for property in read.chain(written) {
            let key = keys.entry(property.clone()).or_insert_with(|| Some(entity.speech.key.clone()));
            if key.as_ref() != Some(&entity.speech.key) {
                *key = None;
            }
        }
    }
    keys
}
