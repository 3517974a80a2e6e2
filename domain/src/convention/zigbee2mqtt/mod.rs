//! Zigbee2MQTT (wire.md, section 3): a bridge that says on `<base>/bridge/devices` what all of its devices are, and on `<base>/<name>` how they are.
//!
//! The base is `zigbee2mqtt` unless somebody configured another one, which shows itself by what a bridge says. Names of devices may hold slashes, so
//! that a topic below a base is never taken apart: what is a device's is known from the list alone.

/// What the bridge reports.
mod decode;
/// From the bridge's lists to devices.
mod discover;
/// Requests to the bridge.
mod encode;
/// From one expose to entities.
mod exposes;
/// Groups.
mod groups;
/// What is known of properties by their names.
mod known;
/// Lights, covers, climates, fans and locks.
mod specific;

use std::collections::HashMap;

use serde_json::Value as Json;

use super::found::Finding;
use super::payload::shown;
use super::{Claim, Heard, Speaker};

pub use encode::{MOST_SECONDS, permit_join, remove, rename};

use discover::Known;
use groups::Group;

/// The base that is Zigbee2MQTT's without any sign of it.
const DEFAULT_BASE: &str = "zigbee2mqtt";
/// Bridges of one broker.
const MOST_BASES: usize = 64;
/// Largest list that is read, in bytes: a device takes some ten kilobytes.
const MOST_LIST_BYTES: usize = 4 * 1024 * 1024;
/// Largest other message of a bridge that is read, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// What is known of the bridges of one broker.
#[derive(Debug)]
pub struct Zigbee2Mqtt {
    bases: HashMap<String, Base>,
}

/// What is known of one bridge.
#[derive(Debug, Default)]
struct Base {
    /// By their address.
    devices: HashMap<String, Known>,
    /// From names to addresses, and to what groups are called here.
    names: HashMap<String, String>,
    /// By their number.
    groups: HashMap<String, Group>,
}

impl Default for Zigbee2Mqtt {
    fn default() -> Self {
        Self { bases: HashMap::from([(DEFAULT_BASE.to_owned(), Base::default())]) }
    }
}

impl Speaker for Zigbee2Mqtt {
    fn hear(&mut self, heard: &Heard<'_>, out: &mut Vec<Finding>) -> Claim {
        if let Some((base, what)) = self.bridge_topic(heard) {
            return self.hear_bridge(&base, what, heard, out);
        }
        if self.is_below_a_base(heard.topic) { Claim::Ignores } else { Claim::No }
    }
}

impl Zigbee2Mqtt {
    /// The base of a bridge's own topic, and what stands behind `bridge`. A base that nobody knows is taken for one as soon as its bridge says
    /// something that only a bridge says.
    fn bridge_topic<'a>(&mut self, heard: &Heard<'a>) -> Option<(String, &'a str)> {
        let candidates = heard.topic.match_indices("/bridge/").map(|(at, sign)| (&heard.topic[..at], &heard.topic[at + sign.len()..]));
        for (base, what) in candidates.filter(|(base, what)| !base.is_empty() && !what.is_empty()) {
            if self.bases.contains_key(base) {
                return Some((base.to_owned(), what));
            }
            if self.bases.len() < MOST_BASES && shows_a_bridge(what, heard.payload) {
                self.bases.insert(base.to_owned(), Base::default());
                return Some((base.to_owned(), what));
            }
        }
        None
    }

    fn is_below_a_base(&self, topic: &str) -> bool {
        topic.match_indices('/').any(|(at, _)| self.bases.contains_key(&topic[..at]))
    }

    fn hear_bridge(&mut self, base: &str, what: &str, heard: &Heard<'_>, out: &mut Vec<Finding>) -> Claim {
        let Some(of) = self.bases.get_mut(base) else { return Claim::No };
        match what {
            "devices" => of.take_devices(base, heard, out),
            "groups" => of.take_groups(base, heard, out),
            "logging" | "log" => of.take_log(heard.payload, out),
            _ if what.starts_with("response/") => decode::take_response(heard, out),
            // `state` is read by each entity, which finds what was said there when it comes; nobody needs the rest.
            _ => return Claim::Ignores,
        }
        Claim::Hears
    }
}

/// Whether a message behind `bridge/` is one that only a bridge sends.
fn shows_a_bridge(what: &str, payload: &[u8]) -> bool {
    let limit = if matches!(what, "devices" | "info") { MOST_LIST_BYTES } else { MOST_BYTES };
    if payload.len() > limit {
        return false;
    }
    let is_word = |text: &str| matches!(text, "online" | "offline");
    if what == "state" && std::str::from_utf8(payload).is_ok_and(|text| is_word(text.trim())) {
        return true;
    }
    if !matches!(what, "state" | "info" | "devices" | "groups" | "logging" | "event") {
        return false;
    }
    let Ok(said) = serde_json::from_slice::<Json>(payload) else { return false };
    match (what, &said) {
        ("state", said) => text(said, "state").is_some_and(is_word),
        ("info", said) => said.get("version").is_some() && said.get("coordinator").is_some(),
        ("devices", Json::Array(list)) => list.iter().any(|one| text(one, "ieee_address").is_some()),
        ("groups", Json::Array(list)) => list.iter().any(|one| one.get("id").is_some() && one.get("members").is_some()),
        ("logging", said) => text(said, "level").is_some() && text(said, "message").is_some(),
        ("event", said) => text(said, "type").is_some_and(|of| of.starts_with("device_")) && said.get("data").is_some(),
        _ => false,
    }
}

/// A list of the bridge's; `None`, and a word about it, when it is none.
fn read_list(heard: &Heard<'_>, out: &mut Vec<Finding>) -> Option<Vec<Json>> {
    let Heard { topic, payload, .. } = heard;
    if payload.len() > MOST_LIST_BYTES {
        out.push(Finding::Trouble(format!("the list on \"{}\" has {} bytes, more than {MOST_LIST_BYTES}", shown(topic), payload.len())));
        return None;
    }
    match serde_json::from_slice::<Json>(payload) {
        Ok(Json::Array(list)) => Some(list),
        Ok(_) => {
            out.push(Finding::Trouble(format!("\"{}\" says no list", shown(topic))));
            None
        }
        Err(error) => {
            out.push(Finding::Trouble(format!("the list on \"{}\" cannot be read: {}", shown(topic), shown(&error.to_string()))));
            None
        }
    }
}

/// A text in an object that is one and not empty.
fn text<'a>(json: &'a Json, field: &str) -> Option<&'a str> {
    json.get(field).and_then(Json::as_str).map(str::trim).filter(|text| !text.is_empty())
}
