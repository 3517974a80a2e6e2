//! Home Assistant MQTT discovery (wire.md, section 2).
//!
//! Everything under the prefix belongs to it: configurations are heard, and what devices say of themselves there beside is data as anywhere else.
//! `<prefix>/status` is where Home Assistant says `online` when it comes, by which devices announce themselves that do not let the broker keep it. After
//! a connection we say it too, so that these are found without a Home Assistant. It is never retained: what the broker keeps there stays the word of a
//! Home Assistant beside us.

/// Short forms of keys.
mod abbreviations;
/// Where it is said whether an entity is there.
mod availability;
/// Heating and cooling.
mod climate;
/// The kinds with one value.
mod components;
/// The keys of a configuration.
mod config;
/// Covers and valves.
mod cover;
/// From a configuration to a device.
mod discover;
/// Fans.
mod fan;
/// Lights.
mod light;
/// Who announced what.
mod memory;

use std::collections::HashSet;

use serde_json::Value as Json;

use super::found::Finding;
use super::greeting::Greeting;
use super::payload::shown;
use super::speech::Order;
use super::{Claim, Heard, Speaker};
use crate::time::Timestamp;
use discover::{Place, Refused};
use memory::Memory;

/// Kinds of components that nothing is known of, told once each.
const MOST_UNKNOWN: usize = 100;

/// What is known of the devices of one broker that speak it.
#[derive(Debug)]
pub struct HomeAssistant {
    /// The first levels of the topics of configurations.
    prefix: String,
    memory: Memory,
    greeting: Greeting,
    /// Kinds of components that nothing is known of.
    unknown: HashSet<String>,
}

impl Default for HomeAssistant {
    fn default() -> Self {
        Self { prefix: "homeassistant".to_owned(), memory: Memory::default(), greeting: Greeting::default(), unknown: HashSet::new() }
    }
}

impl Speaker for HomeAssistant {
    fn hear(&mut self, heard: &Heard<'_>, out: &mut Vec<Finding>) -> Claim {
        let Some(rest) = under(&self.prefix, heard.topic) else { return Claim::No };
        if rest == "status" {
            return Claim::Hears;
        }
        let prefix = self.prefix.clone();
        let Some(place) = place(&prefix, rest) else { return Claim::Ignores };
        self.hear_config(place, heard, out);
        Claim::Hears
    }

    fn tick(&mut self, now: Timestamp, out: &mut Vec<Finding>) {
        if self.greeting.is_due(now) {
            out.push(Finding::Ask(Order { topic: [&self.prefix, "/status"].concat(), payload: b"online".to_vec() }));
        }
    }

    fn reconnected(&mut self, now: Timestamp, _out: &mut Vec<Finding>) {
        self.greeting.reconnected(now);
    }
}

impl HomeAssistant {
    fn hear_config(&mut self, place: Place<'_>, heard: &Heard<'_>, out: &mut Vec<Finding>) {
        if heard.payload.iter().all(u8::is_ascii_whitespace) {
            return self.memory.forget(heard.topic, out);
        }
        let object = match serde_json::from_slice::<Json>(heard.payload) {
            Ok(Json::Object(object)) => object,
            Ok(_) => return out.push(trouble(heard.topic, "it is no JSON object")),
            Err(error) => return out.push(trouble(heard.topic, &error.to_string())),
        };
        let is_moving = |key: &str| object.get(key) == Some(&Json::Bool(true));
        if is_moving("migrate_discovery") || is_moving("migr_discvry") {
            // Another topic is about to announce the same: what there is stays until then, with all that is written about it.
            return self.memory.release(heard.topic);
        }
        let announced = discover::read(place, &object);
        for refused in &announced.refused {
            match refused {
                Refused::Bad(why) => out.push(trouble(heard.topic, why)),
                Refused::Unknown(kind) => {
                    let kind = shown(kind);
                    if self.unknown.len() < MOST_UNKNOWN && self.unknown.insert(kind.clone()) {
                        out.push(trouble(heard.topic, &format!("components of kind \"{kind}\" are not understood")));
                    }
                }
            }
        }
        if let Err(why) = self.memory.announce(heard.topic, announced, out) {
            out.push(trouble(heard.topic, why));
        }
    }
}

fn trouble(topic: &str, why: &str) -> Finding {
    Finding::Trouble(format!("{}: {why}", shown(topic)))
}

fn under<'a>(prefix: &str, topic: &'a str) -> Option<&'a str> {
    topic.strip_prefix(prefix)?.strip_prefix('/')
}

/// Whether a topic is one of configurations: nothing else may be said there.
fn is_config(prefix: &str, topic: &str) -> bool {
    under(prefix, topic).is_some_and(|rest| rest.ends_with("/config"))
}

/// The place of a configuration, by its topic without the prefix.
fn place<'a>(prefix: &'a str, rest: &'a str) -> Option<Place<'a>> {
    let (component, path) = rest.strip_suffix("/config")?.split_once('/')?;
    let is_level = |level: &str| !level.is_empty() && level.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let fits = is_level(component) && path.split('/').count() <= 2 && path.split('/').all(is_level);
    fits.then_some(Place { prefix, component, path })
}
