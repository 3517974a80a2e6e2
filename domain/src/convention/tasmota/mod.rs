//! Tasmota (wire.md, section 4): each device says on `tasmota/discovery/<MAC>/config` what it is and how its topics are made, and on `…/sensors` what
//! it measures.
//!
//! A device whose firmware is too old to announce itself (before 9.2) is not found.

/// What a device says of itself.
mod config;
/// From an announcement to a device.
mod discover;
/// Lights.
mod lights;
/// Relays, shutters, inputs, buttons.
mod relays;
/// What is measured.
mod sensors;

use std::collections::{HashMap, HashSet, VecDeque};

use super::found::{Finding, FoundDevice};
use super::payload::shown;
use super::{Claim, Heard, Order, Speaker};
use crate::time::Timestamp;

use config::Config;

/// Where devices announce themselves.
const DISCOVERY: &str = "tasmota/discovery/";
/// Devices of one broker.
const MOST_DEVICES: usize = 5_000;
/// Largest announcement, in bytes: a firmware has not room for more than some thousands.
const MOST_BYTES_OF_ONE: usize = 32 * 1024;
/// All announcements that are remembered, in bytes.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Longest name of a device in the topic of its announcement, in bytes.
const MOST_MAC_BYTES: usize = 32;
/// Topics on which devices were heard to be gone before they were known.
const MOST_ABSENT: usize = 5_000;
/// Questions asked at once, about twice a second: five a second, so that a broker's restart does not make all devices speak at the same time.
const QUESTIONS_A_TICK: usize = 2;
/// Milliseconds between two rounds of questions.
const ROUND_MS: i64 = 400;

/// What is known of the devices of one broker.
#[derive(Debug, Default)]
pub struct Tasmota {
    /// By the address in their announcements.
    devices: HashMap<String, Known>,
    /// Beginnings of topics, up to the last slash, with how many devices have it.
    roots: HashMap<String, usize>,
    n_bytes: usize,
    /// Topics of last wills that said that nobody is there, before it was known whose they are.
    absent: HashSet<String>,
    questions: VecDeque<Order>,
    asked_at: Option<Timestamp>,
}

/// What a device announced last.
#[derive(Debug, Default)]
struct Known {
    config: Box<[u8]>,
    sensors: Box<[u8]>,
    roots: Vec<String>,
    /// It was asked how it is since the broker is reached.
    is_asked: bool,
}

impl Known {
    fn n_bytes(&self) -> usize {
        self.config.len() + self.sensors.len()
    }
}

/// Which half of an announcement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Config,
    Sensors,
}

impl Speaker for Tasmota {
    fn hear(&mut self, heard: &Heard<'_>, out: &mut Vec<Finding>) -> Claim {
        if let Some((mac, half)) = announcement(heard.topic) {
            self.take(mac, half, heard, out);
            return Claim::Hears;
        }
        let Some((root, last)) = heard.topic.rsplit_once('/') else { return Claim::No };
        if last == "LWT" {
            self.note_will(heard);
        }
        if self.roots.contains_key(root) || is_chatter(heard.topic, last) { Claim::Ignores } else { Claim::No }
    }

    fn tick(&mut self, now: Timestamp, out: &mut Vec<Finding>) {
        // A clock that was set back holds nothing up.
        if self.questions.is_empty() || self.asked_at.is_some_and(|at| (0..ROUND_MS).contains(&now.since_ms(at))) {
            return;
        }
        self.asked_at = Some(now);
        out.extend(self.questions.drain(..QUESTIONS_A_TICK.min(self.questions.len())).map(Finding::Ask));
    }

    fn reconnected(&mut self, _now: Timestamp, _out: &mut Vec<Finding>) {
        // What was said meanwhile was not heard: announcements that are replayed now are followed by a question again.
        self.devices.values_mut().for_each(|known| known.is_asked = false);
        self.questions.clear();
        self.absent.clear();
    }
}

/// The device and the half of a topic on which announcements are.
fn announcement(topic: &str) -> Option<(&str, Half)> {
    let (mac, half) = topic.strip_prefix(DISCOVERY)?.split_once('/')?;
    let is_mac = (1..=MOST_MAC_BYTES).contains(&mac.len()) && mac.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let half = match half {
        "config" => Half::Config,
        "sensors" => Half::Sensors,
        _ => return None,
    };
    is_mac.then_some((mac, half))
}

/// Whether a topic is this firmware's by its looks alone: the usual order of its levels, or answers and reports of which nobody else makes any.
/// States in another order, of a device that is not known, may be anybody's.
fn is_chatter(topic: &str, last: &str) -> bool {
    if ["cmnd/", "stat/", "tele/"].iter().any(|prefix| topic.starts_with(prefix)) {
        return true;
    }
    let is_numbered = |word: &str| last.strip_prefix(word).is_some_and(|n| n.len() <= 2 && n.bytes().all(|b| b.is_ascii_digit()));
    let is_report = matches!(last, "INFO1" | "INFO2" | "INFO3" | "LOGGING" | "RESULT" | "UPTIME") || is_numbered("STATUS") || is_numbered("POWER");
    is_report && topic.split('/').any(|level| matches!(level, "stat" | "tele"))
}

impl Tasmota {
    /// Somebody's last will, whose is not known yet: whoever is not there need not be asked anything.
    fn note_will(&mut self, heard: &Heard<'_>) {
        if heard.payload.eq_ignore_ascii_case(b"offline") {
            if self.absent.len() < MOST_ABSENT {
                self.absent.insert(heard.topic.to_owned());
            }
        } else {
            self.absent.remove(heard.topic);
        }
    }

    /// One half of an announcement.
    fn take(&mut self, mac: &str, half: Half, heard: &Heard<'_>, out: &mut Vec<Finding>) {
        if heard.payload.is_empty() {
            return self.take_back(mac, half, out);
        }
        if heard.payload.len() > MOST_BYTES_OF_ONE {
            out.push(Finding::Trouble(format!("the announcement on \"{}\" has {} bytes", shown(heard.topic), heard.payload.len())));
            return;
        }
        let known = self.devices.get(mac);
        let (config, sensors) = match half {
            Half::Config => (heard.payload, known.map(|known| &*known.sensors).unwrap_or_default()),
            Half::Sensors => (known.map(|known| &*known.config).unwrap_or_default(), heard.payload),
        };
        let n_bytes = self.n_bytes - known.map_or(0, Known::n_bytes) + config.len() + sensors.len();
        if known.is_none() && self.devices.len() >= MOST_DEVICES || n_bytes > MOST_BYTES {
            out.push(Finding::Trouble(format!("{} devices of Tasmota are known: no room for {}", self.devices.len(), shown(mac))));
            return;
        }
        let config_then = if config.is_empty() { None } else { Some(Config::read(mac, config)) };
        let read = match (config_then, sensors::read(sensors)) {
            (Some(Err(reason)), _) | (_, Err(reason)) => Err(reason),
            (Some(Ok(config)), Ok(sensors)) => Ok(Some((config, sensors))),
            (None, Ok(_)) => Ok(None),
        };
        let found = match read {
            Ok(found) => found,
            Err(reason) => {
                out.push(Finding::Trouble(format!("the announcement on \"{}\" {reason}", shown(heard.topic))));
                return;
            }
        };
        let (config_bytes, sensor_bytes): (Box<[u8]>, Box<[u8]>) = (config.into(), sensors.into());
        let before = self.devices.remove(mac);
        // The first half alone does not tell what an earlier run knew by both.
        let is_whole = !sensor_bytes.is_empty() || before.as_ref().is_some_and(|known| !known.config.is_empty());
        let is_asked = before.as_ref().is_some_and(|known| known.is_asked);
        self.forget_roots(before);
        let mut known = Known { config: config_bytes, sensors: sensor_bytes, roots: vec![], is_asked };
        if let Some((config, sensors)) = found {
            known.roots = config.roots();
            if !known.is_asked && !self.absent.contains(&config.tele("LWT")) {
                known.is_asked = true;
                // What is switched, and what is measured.
                self.questions.push_back(Order { topic: config.cmnd("STATE"), payload: vec![] });
                self.questions.push_back(Order { topic: config.cmnd("STATUS"), payload: b"10".to_vec() });
            }
            out.push(Finding::Device(Box::new(FoundDevice { is_whole, ..discover::device(&config, &sensors) })));
        }
        for root in &known.roots {
            *self.roots.entry(root.clone()).or_default() += 1;
        }
        self.n_bytes = n_bytes;
        self.devices.insert(mac.to_owned(), known);
    }

    /// One half of an announcement is taken back.
    fn take_back(&mut self, mac: &str, half: Half, out: &mut Vec<Finding>) {
        let Some(mut known) = self.devices.remove(mac) else {
            // It may have been found by an earlier run.
            if half == Half::Config {
                out.push(Finding::DeviceGone { device: mac.to_owned() });
            }
            return;
        };
        self.n_bytes -= known.n_bytes();
        let left = match half {
            Half::Config => {
                out.push(Finding::DeviceGone { device: mac.to_owned() });
                let sensors = std::mem::take(&mut known.sensors);
                self.forget_roots(Some(known));
                Known { sensors, ..Known::default() }
            }
            Half::Sensors => {
                if let (false, Ok(config)) = (known.config.is_empty(), Config::read(mac, &known.config)) {
                    out.push(Finding::Device(Box::new(discover::device(&config, &[]))));
                }
                Known { sensors: Box::default(), ..known }
            }
        };
        if left.n_bytes() > 0 {
            self.n_bytes += left.n_bytes();
            self.devices.insert(mac.to_owned(), left);
        }
    }

    fn forget_roots(&mut self, known: Option<Known>) {
        for root in known.map(|known| known.roots).unwrap_or_default() {
            if let Some(n) = self.roots.get_mut(&root) {
                *n -= 1;
                if *n == 0 {
                    self.roots.remove(&root);
                }
            }
        }
    }
}
