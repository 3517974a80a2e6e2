//! Gen2+ devices of one broker: what is known of each, and what their messages add.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map as Object, Value as Json};

use super::ask::Asks;
use super::component::{Role, fields};
use super::discover::{Component, Place, at, entities, split};
use crate::convention::found::{Finding, FoundDevice, FoundEntity, Keep};
use crate::convention::payload::{MAX_PAYLOAD_BYTES, shown};
use crate::convention::template::Templates;
use crate::convention::{Claim, Heard};
use crate::device::About;
use crate::fleet::SOURCE;
use crate::time::{MINUTE_MS, SECOND_MS, Timestamp};
use crate::value::Value;

/// Devices remembered of a broker.
const MOST_DEVICES: usize = 10_000;
/// Components remembered of all.
const MOST_COMPONENTS: usize = 100_000;
/// Components remembered of one.
const MOST_OF_ONE: usize = 128;
/// A device is not asked more often what it is.
const ASK_AGAIN_MS: i64 = MINUTE_MS;

/// What is known of a device.
#[derive(Debug, Default)]
pub(super) struct Device {
    /// What it calls itself in messages.
    pub(super) source: Option<Box<str>>,
    pub(super) mac: Option<String>,
    pub(super) name: Option<String>,
    pub(super) about: About,
    pub(super) components: BTreeMap<Box<str>, Component>,
    /// What it said last about being there.
    online: Option<bool>,
    asked_at: Option<Timestamp>,
    pub(super) is_informed: bool,
}

/// All of them, by the beginning of their topics.
#[derive(Debug, Default)]
pub(super) struct Gen2 {
    pub(super) devices: HashMap<String, Device>,
    pub(super) sources: HashSet<Box<str>>,
    n_components: usize,
    pub(super) asks: Asks,
    pub(super) templates: Templates,
}

/// What a topic is among those of a device.
enum Topic<'a> {
    Events,
    Status(&'a str),
    Online,
    /// What it says of itself when it is asked for it.
    Announce,
    /// Calls, commands, logs: nothing that tells of a device.
    Other,
}

fn topic_of(topic: &str) -> Option<(&str, Topic<'_>)> {
    let of = |suffix: &str| topic.strip_suffix(suffix).filter(|prefix| !prefix.is_empty());
    if let Some(prefix) = of("/events/rpc") {
        return Some((prefix, Topic::Events));
    }
    if let Some(prefix) = of("/online") {
        return Some((prefix, Topic::Online));
    }
    if let Some(prefix) = of("/announce") {
        return Some((prefix, Topic::Announce));
    }
    if let Some(prefix) = of("/rpc").or_else(|| of("/command")).or_else(|| of("/debug/log")) {
        return Some((prefix, Topic::Other));
    }
    let (parent, component) = topic.rsplit_once('/')?;
    let (prefix, word) = parent.rsplit_once('/').filter(|(prefix, _)| !prefix.is_empty())?;
    match word {
        "status" => Some((prefix, Topic::Status(component))),
        "command" => Some((prefix, Topic::Other)),
        _ => None,
    }
}

/// Whether a device calls itself so by itself: `shellyplus1-a8032abe54dc`. The hardware address in it.
fn address_in(id: &str) -> Option<&str> {
    let (model, mac) = id.rsplit_once('-').filter(|(model, _)| model.to_ascii_lowercase().starts_with("shelly"))?;
    let is_address = mac.len() == 12 && mac.bytes().all(|b| b.is_ascii_hexdigit());
    (is_address && model.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(mac)
}

fn last_level(prefix: &str) -> &str {
    prefix.rsplit('/').next().unwrap_or(prefix)
}

pub(super) fn read(payload: &[u8]) -> Result<Json, String> {
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(format!("payload of {} bytes is too large", payload.len()));
    }
    serde_json::from_slice(payload).map_err(|error| format!("payload is no JSON that can be read: {}", shown(&error.to_string())))
}

impl Gen2 {
    /// `is_shared` where Gen1 devices have their topics: there only what no Gen1 device says tells of a newer one.
    pub(super) fn hear(&mut self, heard: &Heard<'_>, is_shared: bool, out: &mut Vec<Finding>) -> Claim {
        if heard.topic.strip_suffix("/rpc") == Some(SOURCE) {
            self.hear_reply(heard, out);
            return Claim::Hears;
        }
        let Some((prefix, topic)) = topic_of(heard.topic).filter(|(prefix, _)| *prefix != SOURCE) else { return Claim::No };
        let is_known = self.devices.contains_key(prefix);
        let is_named = is_known || (!is_shared && address_in(last_level(prefix)).is_some());
        match topic {
            Topic::Events => match read(heard.payload) {
                Ok(frame) if is_frame(&frame) => {
                    self.hear_frame(prefix, &frame, heard, out);
                    Claim::Hears
                }
                _ if !is_named => Claim::No,
                Ok(_) => Claim::Hears,
                Err(error) => {
                    // Those who read values there say so themselves, if they do.
                    out.push(Finding::Trouble(format!("{}: {error}", shown(prefix))));
                    Claim::Hears
                }
            },
            Topic::Status(component) => self.hear_status(prefix, component, is_named, heard, out),
            Topic::Online => {
                if !is_named {
                    return Claim::No;
                }
                if heard.payload == b"true" {
                    self.know(prefix, heard.now, out);
                }
                if let Some(device) = self.devices.get_mut(prefix) {
                    // Its entities hear it themselves once there are any.
                    device.online = (heard.payload == b"true").then_some(true).or((heard.payload == b"false").then_some(false));
                }
                Claim::Hears
            }
            Topic::Announce => self.hear_announcement(prefix, is_named, heard, out),
            Topic::Other if is_named => Claim::Ignores,
            // Others who call devices get their replies beside us.
            Topic::Other if heard.topic.ends_with("/rpc") && read(heard.payload).is_ok_and(|call| is_call(&call)) => Claim::Ignores,
            Topic::Other => Claim::No,
        }
    }

    pub(super) fn tick(&mut self, now: Timestamp, out: &mut Vec<Finding>) {
        self.asks.make(now, out);
    }

    /// A device that is there. Asks it what it is, unless it has said so, or was asked a moment ago.
    fn know(&mut self, prefix: &str, now: Timestamp, out: &mut Vec<Finding>) {
        if !self.devices.contains_key(prefix) {
            if self.devices.len() >= MOST_DEVICES {
                out.push(Finding::Trouble(format!("{MOST_DEVICES} Shelly devices are known: no room for \"{}\"", shown(prefix))));
                return;
            }
            let own = address_in(last_level(prefix));
            let device = Device {
                mac: own.map(str::to_owned),
                source: own.map(|_| last_level(prefix).into()),
                about: About { manufacturer: Some("Shelly".to_owned()), ..About::default() },
                ..Device::default()
            };
            self.sources.extend(device.source.clone());
            self.devices.insert(prefix.to_owned(), device);
        }
        let Some(device) = self.devices.get_mut(prefix) else { return };
        let is_due = device.asked_at.is_none_or(|at| !(0..ASK_AGAIN_MS).contains(&now.since_ms(at)));
        if !device.is_informed && is_due {
            device.asked_at = Some(now);
            self.asks.ask_all(prefix);
        }
    }

    /// Changes, all there is, or events.
    fn hear_frame(&mut self, prefix: &str, frame: &Json, heard: &Heard<'_>, out: &mut Vec<Finding>) {
        self.know(prefix, heard.now, out);
        let Some(device) = self.devices.get_mut(prefix) else { return };
        if let Some(source) = frame["src"].as_str().filter(|source| device.source.is_none() && source.len() <= 64) {
            device.mac = device.mac.take().or_else(|| address_in(source).map(str::to_owned));
            device.source = Some(source.into());
            self.sources.insert(source.into());
        }
        let Some(params) = frame["params"].as_object() else { return };
        if frame["method"] == "NotifyEvent" {
            self.hear_events(prefix, params, out);
        } else {
            self.learn(prefix, params, out);
        }
    }

    /// What a device says of itself. Its components it does not name.
    fn hear_announcement(&mut self, prefix: &str, is_named: bool, heard: &Heard<'_>, out: &mut Vec<Finding>) -> Claim {
        let said = read(heard.payload).ok().filter(|said| said["gen"].as_u64().is_some_and(|n| n >= 2) && said["id"].as_str().is_some());
        let mac = said.as_ref().and_then(|said| said["mac"].as_str()).filter(|mac| mac.len() == 12 && mac.bytes().all(|b| b.is_ascii_hexdigit()));
        let (Some(said), Some(mac)) = (&said, mac) else { return if is_named { Claim::Ignores } else { Claim::No } };
        self.know(prefix, heard.now, out);
        if let Some(device) = self.devices.get_mut(prefix) {
            let text = |name: &str| said[name].as_str().filter(|text| !text.is_empty() && text.len() <= 64).map(str::to_owned);
            device.mac.get_or_insert_with(|| mac.to_owned());
            device.name = device.name.take().or_else(|| text("name"));
            device.about.model = device.about.model.take().or_else(|| text("model"));
            device.about.sw_version = device.about.sw_version.take().or_else(|| text("ver"));
        }
        Claim::Hears
    }

    /// The status of one component.
    fn hear_status(&mut self, prefix: &str, component: &str, is_ours: bool, heard: &Heard<'_>, out: &mut Vec<Finding>) -> Claim {
        let Some((kind, n)) = split(component) else { return if is_ours { Claim::Ignores } else { Claim::No } };
        // `sys` and `wifi` may be anybody's, `switch:0` is not.
        if !is_ours && (n.is_none() || fields(kind).is_none()) {
            return Claim::No;
        }
        match read(heard.payload) {
            Ok(status @ Json::Object(_)) => {
                self.know(prefix, heard.now, out);
                let params = Object::from_iter([(component.to_owned(), status)]);
                self.learn(prefix, &params, out);
                Claim::Hears
            }
            _ if is_ours => Claim::Hears,
            _ => Claim::No,
        }
    }

    /// Takes up what showed itself of a device's components, and what is gone.
    pub(super) fn learn(&mut self, prefix: &str, params: &Object<String, Json>, out: &mut Vec<Finding>) {
        let Some(device) = self.devices.get_mut(prefix) else { return };
        let had_battery = device.sleeps();
        let mut news: Vec<&str> = vec![];
        for (name, status) in params {
            let Some(all) = split(name).and_then(|(kind, _)| fields(kind)) else { continue };
            if name == "sys" && device.mac.is_none() {
                device.mac = status["mac"].as_str().map(str::to_owned);
            }
            if !device.components.contains_key(name.as_str()) {
                if status.is_null() || device.components.len() >= MOST_OF_ONE || self.n_components >= MOST_COMPONENTS {
                    continue;
                }
                self.n_components += 1;
                device.components.insert(name.as_str().into(), Component::default());
            }
            let Some(component) = device.components.get_mut(name.as_str()) else { continue };
            let before = component.seen;
            for (bit, field) in all.iter().enumerate() {
                let bit = 1 << bit;
                match at(status, field.path) {
                    _ if status.is_null() => component.seen &= !bit,
                    None => {}
                    Some(Json::Null) => {
                        let Role::Own(own) = field.role else { continue };
                        let key = format!("{name}/{}", own.key);
                        if component.seen & bit == 0 {
                            continue;
                        }
                        let found = match fault(status) {
                            Some(fault) => Finding::Reading { device: prefix.to_owned(), key, value: Err(fault), taken_at: None, keep: Keep::Both },
                            None => {
                                component.seen &= !bit;
                                Finding::EntityGone { device: prefix.to_owned(), key }
                            }
                        };
                        out.push(found);
                    }
                    Some(_) => component.seen |= bit,
                }
            }
            if status.is_null() {
                let gone = Component { seen: before, ..Component::default() };
                let place = Place { prefix, component: name, tells_presence: false };
                let keys = entities(place, &gone).into_iter().map(|entity| entity.speech.key);
                out.extend(keys.map(|key| Finding::EntityGone { device: prefix.to_owned(), key }));
            } else if component.seen & !before != 0 {
                news.push(name);
            }
        }
        if device.sleeps() == had_battery {
            let found = news.iter().flat_map(|name| device.entities_of(prefix, name)).collect();
            device.tell(prefix, found, out);
        } else {
            device.tell_all(prefix, out);
        }
    }

    /// Buttons that were pressed, and the like.
    fn hear_events(&mut self, prefix: &str, params: &Object<String, Json>, out: &mut Vec<Finding>) {
        let Some(device) = self.devices.get_mut(prefix) else { return };
        for event in params.get("events").and_then(Json::as_array).into_iter().flatten().take(32) {
            let (Some(name), Some(word)) = (event["component"].as_str(), event["event"].as_str()) else { continue };
            // What the system does to itself (a new configuration, an update) is no event of the house.
            if !matches!(split(name), Some(("input" | "bthomedevice" | "button", Some(_)))) || word.is_empty() {
                continue;
            }
            if !device.components.contains_key(name) {
                if device.components.len() >= MOST_OF_ONE || self.n_components >= MOST_COMPONENTS {
                    continue;
                }
                self.n_components += 1;
                device.components.insert(name.into(), Component::default());
            }
            let Some(component) = device.components.get_mut(name) else { continue };
            if !std::mem::replace(&mut component.has_events, true) {
                let found = device.entities_of(prefix, name);
                device.tell(prefix, found, out);
            }
            out.push(Finding::Reading {
                device: prefix.to_owned(),
                key: format!("{name}/event"),
                value: Ok(Value::Text(crate::device::clean_text(word, 64))),
                taken_at: event["ts"].as_f64().and_then(timestamp),
                keep: Keep::Both,
            });
        }
    }
}

impl Device {
    /// Whether it lives on a battery, and is gone most of the time without anything being wrong.
    fn sleeps(&self) -> bool {
        self.components.iter().any(|(name, component)| {
            // The battery's charge without a supply from outside, in the order of its fields.
            name.starts_with("devicepower:") && component.seen & 1 != 0
        })
    }

    pub(super) fn entities_of(&self, prefix: &str, name: &str) -> Vec<FoundEntity> {
        let place = Place { prefix, component: name, tells_presence: !self.sleeps() };
        self.components.get(name).map(|component| entities(place, component)).unwrap_or_default()
    }

    fn tell(&self, prefix: &str, entities: Vec<FoundEntity>, out: &mut Vec<Finding>) {
        if entities.is_empty() {
            return;
        }
        out.push(Finding::Device(Box::new(FoundDevice {
            device: prefix.to_owned(),
            identifiers: self.mac.iter().cloned().collect(),
            name: self.name.clone().unwrap_or_else(|| last_level(prefix).to_owned()),
            id_hint: last_level(prefix).to_owned(),
            topic_root: prefix.to_owned(),
            suggested_area: None,
            about: self.about.clone(),
            entities,
            is_whole: false,
        })));
        // What sleeps is there, whatever was said of it while that was not known.
        if let Some(online) = if self.sleeps() { Some(true) } else { self.online } {
            out.push(Finding::Presence { device: prefix.to_owned(), online });
        }
    }

    pub(super) fn tell_all(&self, prefix: &str, out: &mut Vec<Finding>) {
        let all = self.components.keys().flat_map(|name| self.entities_of(prefix, name)).collect();
        self.tell(prefix, all, out);
    }
}

/// Why a field that a sensor should have has no value.
fn fault(status: &Json) -> Option<String> {
    let words: Vec<&str> = status["errors"].as_array()?.iter().filter_map(Json::as_str).take(4).collect();
    (!words.is_empty()).then(|| format!("the device reports: {}", shown(&words.join(", "))))
}

fn is_frame(frame: &Json) -> bool {
    frame["src"].is_string() && matches!(frame["method"].as_str(), Some("NotifyStatus" | "NotifyFullStatus" | "NotifyEvent"))
}

fn is_call(call: &Json) -> bool {
    let says = |names: &[&str]| names.iter().all(|name| call.get(name).is_some());
    says(&["id", "src", "method"]) || says(&["id", "src", "dst", "result"]) || says(&["id", "src", "dst", "error"])
}

#[expect(clippy::cast_possible_truncation, reason = "held within what a time can be")]
fn timestamp(seconds: f64) -> Option<Timestamp> {
    (seconds > 0.0 && seconds < 1e11).then(|| Timestamp::from_ms((seconds * SECOND_MS as f64) as i64))
}
