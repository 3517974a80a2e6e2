//! Homie 3, 4 and 5 (wire.md, section 7).

/// What is wrong with devices.
mod alert;
/// The states of devices, and who is there.
mod availability;
/// Nodes and properties as entities.
mod discover;
/// Homie 5's description of a device.
mod document;
/// Homie 3's and 4's description of a device.
mod tree;
/// Datatypes, formats and units.
mod value;

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};

use super::found::{Finding, FoundDevice};
use super::payload::shown;
use super::{Claim, Convention, Heard, Speaker};
use crate::device::{About, clean_text};
use crate::time::{SECOND_MS, Timestamp};
use alert::alert_of;
use availability::State;
use discover::{Node, entities};
use tree::{MAX_ATTRIBUTE_BYTES, Tree, is_attribute, trouble_in};

/// The root that is theirs whatever is said there.
const ROOT: &str = "homie";
/// Devices remembered of a broker.
const MOST_DEVICES: usize = 10_000;
/// Bytes remembered of all descriptions.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// Attributes remembered of devices that are not known to be any yet, and their bytes.
const MOST_STRAYS: usize = 50_000;
const MOST_STRAY_BYTES: usize = 8 * 1024 * 1024;
/// Attributes looked at in one turn, unless one device has more.
const MOST_AT_ONCE: usize = 50_000;
/// So long a device may take to say what it is; then what it has said counts.
const PATIENCE_MS: i64 = 3 * SECOND_MS;
/// So long it may go on saying that it has not said all.
const INIT_PATIENCE_MS: i64 = 30 * SECOND_MS;

/// How a device describes itself.
#[derive(Debug)]
enum Description {
    /// Attributes, each on a topic of its own.
    Tree(Tree),
    /// A document, once it was read: its mark, and what it says.
    Document(u64, document::Document, usize),
    /// Of version 5, and not described yet.
    Unknown,
}

#[derive(Debug)]
struct Device {
    description: Description,
    state: Option<State>,
    /// By name: what is wrong.
    alerts: BTreeMap<String, String>,
    /// Whether there is an entity for what is wrong.
    has_alerts: bool,
    is_told: bool,
}

impl Device {
    fn n_bytes(&self) -> usize {
        match &self.description {
            Description::Tree(tree) => tree.n_bytes(),
            Description::Document(_, _, n_bytes) => *n_bytes,
            Description::Unknown => 0,
        }
    }
}

/// What is known of the devices of one broker that speak it.
#[derive(Debug, Default)]
pub struct Homie {
    /// By the beginning of their topics: `homie/lamp`, `homie/5/lamp`.
    devices: HashMap<String, Device>,
    n_bytes: usize,
    /// Attributes by topic, of whatever is no device yet.
    strays: BTreeMap<String, Box<str>>,
    n_stray_bytes: usize,
    /// What is to be told of devices, and since when.
    dirty: BTreeMap<String, Timestamp>,
    /// Devices that name another as the one that they are reached through, by that.
    below: HashMap<String, BTreeSet<String>>,
}

impl Speaker for Homie {
    fn hear(&mut self, heard: &Heard<'_>, out: &mut Vec<Finding>) -> Claim {
        let levels: Vec<&str> = heard.topic.split('/').collect();
        let Some(at) = levels.iter().position(|level| level.starts_with('$')).filter(|at| *at > 0) else {
            return if levels[0] == ROOT || self.is_value(&levels) { Claim::Ignores } else { Claim::No };
        };
        if levels.get(1) == Some(&"5") && at >= 3 {
            return self.hear_5(&levels, at, heard, out);
        }
        if at >= 2 && is_attribute(levels[at]) {
            return self.hear_attribute(&levels, at, heard, out);
        }
        if levels[0] == ROOT { Claim::Ignores } else { Claim::No }
    }

    fn tick(&mut self, now: Timestamp, out: &mut Vec<Finding>) {
        let dirty = std::mem::take(&mut self.dirty);
        let mut n_looked_at = 0;
        for (prefix, since) in dirty {
            if let Some(Description::Tree(tree)) = self.devices.get(&prefix).map(|device| &device.description) {
                n_looked_at += tree.n_attributes();
            }
            if n_looked_at > MOST_AT_ONCE {
                self.dirty.insert(prefix, since);
                continue;
            }
            let waited_ms = now.since_ms(since);
            let is_told = self.tell_tree(&prefix, waited_ms, out);
            // A clock that was set back makes nobody wait.
            if !is_told && (0..INIT_PATIENCE_MS).contains(&waited_ms) {
                self.dirty.insert(prefix, since);
            }
        }
    }
}

impl Homie {
    /// Whether a topic is a property of a known device, or one that it is set by.
    fn is_value(&self, levels: &[&str]) -> bool {
        let of = |n: usize| levels.len() > n && self.devices.contains_key(&levels[..levels.len() - n].join("/"));
        of(2) || (levels.last() == Some(&"set") && of(3))
    }

    /// A topic of version 5: `homie/5/lamp/$state`. `at` is where its first attribute stands.
    fn hear_5(&mut self, levels: &[&str], at: usize, heard: &Heard<'_>, out: &mut Vec<Finding>) -> Claim {
        let prefix = levels[..3].join("/");
        let is_known = self.devices.contains_key(&prefix);
        match (&levels[3..], at) {
            (["$state"], 3) => {
                let Ok(word) = std::str::from_utf8(heard.payload) else { return not_text(&prefix, is_known, out) };
                let state = State::parse(word.trim());
                if state.is_none() && !word.is_empty() {
                    if is_known || levels[0] == ROOT {
                        out.push(Finding::Trouble(format!("\"{}\" is no state of {}", shown(word), shown(&prefix))));
                    }
                    return if is_known || levels[0] == ROOT { Claim::Hears } else { Claim::No };
                }
                if word.is_empty() {
                    self.remove(&prefix, out);
                } else if self.know(&prefix, Description::Unknown, out) {
                    self.set_state(&prefix, state, out);
                    self.tell_document(&prefix, false, out);
                }
                Claim::Hears
            }
            (["$description"], 3) => {
                if !is_known && levels[0] != ROOT && document::read(heard.payload).is_err() {
                    return Claim::No;
                }
                if !heard.payload.is_empty() && self.know(&prefix, Description::Unknown, out) {
                    self.take_document(&prefix, heard.payload, out);
                }
                Claim::Hears
            }
            (["$alert", id], 3) if is_known || (levels[0] == ROOT && self.know(&prefix, Description::Unknown, out)) => {
                let text = String::from_utf8_lossy(heard.payload.get(..heard.payload.len().min(1_024)).unwrap_or_default());
                self.set_alert(&prefix, id, clean_text(text.trim(), 200), out);
                Claim::Hears
            }
            ([node, property, "$target"], 5) if is_known => {
                // A target that the broker kept is none of now.
                if !heard.retained && !heard.payload.is_empty() {
                    // A light's properties are one entity, by the name of their node.
                    out.push(Finding::Accepted { device: prefix.clone(), key: format!("{node}/{property}") });
                    out.push(Finding::Accepted { device: prefix, key: (*node).to_owned() });
                }
                Claim::Hears
            }
            // A device that is not known yet may be later.
            ([.., "$target"], _) if levels[0] == ROOT => Claim::Hears,
            _ if is_known || levels[0] == ROOT => Claim::Ignores,
            _ => Claim::No,
        }
    }

    /// A topic of versions 3 and 4: `homie/lamp/$name`, `homie/lamp/light/power/$datatype`.
    fn hear_attribute(&mut self, levels: &[&str], at: usize, heard: &Heard<'_>, out: &mut Vec<Finding>) -> Claim {
        let prefix = (0..=2).filter(|n| at > *n + 1).map(|n| levels[..at - n].join("/")).find(|prefix| self.devices.contains_key(prefix));
        let is_sound = heard.payload.len() <= MAX_ATTRIBUTE_BYTES;
        let Some(said) = std::str::from_utf8(heard.payload).ok().filter(|_| is_sound) else {
            return not_text(heard.topic, prefix.is_some() || levels[0] == ROOT, out);
        };
        match prefix {
            Some(prefix) => {
                let path = heard.topic.get(prefix.len() + 1..).unwrap_or_default();
                self.put(&prefix, path, said.trim(), heard.now, out);
            }
            None if levels[at..] == ["$homie"] => {
                let version = said.trim();
                if version.starts_with("3.") || version.starts_with("4.") {
                    let prefix = levels[..at].join("/");
                    if self.know(&prefix, Description::Tree(Tree::default()), out) {
                        self.put(&prefix, "$homie", version, heard.now, out);
                        self.take_strays(&prefix, heard.now, out);
                    }
                } else if !version.is_empty() {
                    out.push(Finding::Trouble(format!("version \"{}\" of Homie is not understood", shown(version))));
                }
            }
            None => self.put_stray(heard.topic, said.trim()),
        }
        Claim::Hears
    }

    fn put_stray(&mut self, topic: &str, said: &str) {
        if let Some(before) = self.strays.remove(topic) {
            self.n_stray_bytes -= before.len() + topic.len();
        }
        let n_bytes = said.len() + topic.len();
        if !said.is_empty() && self.strays.len() < MOST_STRAYS && self.n_stray_bytes + n_bytes <= MOST_STRAY_BYTES {
            self.n_stray_bytes += n_bytes;
            self.strays.insert(topic.to_owned(), said.into());
        }
    }

    /// What was said of a device before it was known to be one.
    fn take_strays(&mut self, prefix: &str, now: Timestamp, out: &mut Vec<Finding>) {
        let beginning = [prefix, "/"].concat();
        let mut own = self.strays.split_off(&beginning);
        if let Some(first_after) = own.keys().find(|topic| !topic.starts_with(&beginning)).cloned() {
            self.strays.append(&mut own.split_off(&first_after));
        }
        for (topic, said) in own {
            self.n_stray_bytes -= topic.len() + said.len();
            self.put(prefix, &topic[beginning.len()..], &said, now, out);
        }
    }

    /// Takes up an attribute of a device of versions 3 and 4.
    fn put(&mut self, prefix: &str, path: &str, said: &str, now: Timestamp, out: &mut Vec<Finding>) {
        if said.is_empty() && (path == "$homie" || path == "$state") {
            return self.remove(prefix, out);
        }
        let room = MOST_BYTES.saturating_sub(self.n_bytes);
        let Some(device) = self.devices.get_mut(prefix) else { return };
        let Description::Tree(tree) = &mut device.description else { return };
        if path == "$state" {
            match State::parse(said) {
                Some(state) => {
                    self.dirty.entry(prefix.to_owned()).or_insert(now);
                    self.set_state(prefix, Some(state), out);
                    let text = if state == State::Alert { "alert" } else { "" };
                    self.set_alert(prefix, "state", text.to_owned(), out);
                }
                None => out.push(Finding::Trouble(format!("\"{}\" is no state of {}", shown(said), shown(prefix)))),
            }
            return;
        }
        // What changes while it runs, and is nothing that is shown.
        if path.starts_with("$stats") || path == "$localip" || path == "$online" {
            return;
        }
        if said.len() + path.len() > room {
            return out.push(Finding::Trouble(format!("the descriptions of all Homie devices are too large: no room for {}", shown(prefix))));
        }
        let before = tree.n_bytes();
        if tree.put(path, said) {
            out.extend(trouble_in(path, said).map(|trouble| Finding::Trouble(format!("{}: {trouble}", shown(prefix)))));
            self.n_bytes = self.n_bytes - before + tree.n_bytes();
            self.dirty.entry(prefix.to_owned()).or_insert(now);
        }
    }

    /// Whether there is, or was made, room for a device.
    fn know(&mut self, prefix: &str, description: Description, out: &mut Vec<Finding>) -> bool {
        if self.devices.contains_key(prefix) {
            return true;
        }
        if self.devices.len() >= MOST_DEVICES {
            out.push(Finding::Trouble(format!("{MOST_DEVICES} Homie devices are known: no room for \"{}\"", shown(prefix))));
            return false;
        }
        let device = Device { description, state: None, alerts: BTreeMap::new(), has_alerts: false, is_told: false };
        self.devices.insert(prefix.to_owned(), device);
        true
    }

    fn remove(&mut self, prefix: &str, out: &mut Vec<Finding>) {
        self.hang(prefix, false);
        if let Some(device) = self.devices.remove(prefix) {
            self.n_bytes -= device.n_bytes();
        }
        self.dirty.remove(prefix);
        // Also one of an earlier run.
        out.push(Finding::DeviceGone { device: prefix.to_owned() });
    }

    fn take_document(&mut self, prefix: &str, payload: &[u8], out: &mut Vec<Finding>) {
        let mut hasher = DefaultHasher::new();
        payload.hash(&mut hasher);
        let mark = hasher.finish();
        let Some(device) = self.devices.get_mut(prefix) else { return };
        if matches!(&device.description, Description::Document(known, ..) if *known == mark) {
            return;
        }
        let said = match document::read(payload) {
            Ok(said) => said,
            Err(trouble) => return out.push(Finding::Trouble(format!("{}: {trouble}", shown(prefix)))),
        };
        let others = self.n_bytes - device.n_bytes();
        if others + payload.len() > MOST_BYTES {
            return out.push(Finding::Trouble(format!("the descriptions of all Homie devices are too large: no room for {}", shown(prefix))));
        }
        self.n_bytes = others + payload.len();
        out.extend(said.troubles.iter().take(8).map(|trouble| Finding::Trouble(format!("{}: {trouble}", shown(prefix)))));
        self.hang(prefix, false);
        if let Some(device) = self.devices.get_mut(prefix) {
            device.description = Description::Document(mark, said, payload.len());
        }
        self.hang(prefix, true);
        self.tell_document(prefix, true, out);
    }

    /// Tells of a device of version 5 once it is described and says how it stands.
    fn tell_document(&mut self, prefix: &str, is_news: bool, out: &mut Vec<Finding>) {
        let Some(device) = self.devices.get_mut(prefix) else { return };
        let Description::Document(_, said, _) = &device.description else { return };
        if device.state.is_none() || (device.is_told && !is_news) {
            return;
        }
        let above = said.parent.as_ref().or(said.root.as_ref()).filter(|above| !prefix.ends_with(&["/", above].concat()));
        let via = above.and_then(|above| Some([Convention::Homie.as_str(), " ", prefix.rsplit_once('/')?.0, "/", above].concat()));
        let found = found((prefix, &said.name), &said.nodes, true, !device.alerts.is_empty());
        device.has_alerts = !device.alerts.is_empty();
        device.is_told = true;
        out.push(Finding::Device(Box::new(FoundDevice { about: About { via, ..About::default() }, is_whole: true, ..found })));
        self.tell_state(prefix, out);
    }

    /// Tells of a device of versions 3 and 4; whether there is nothing more to wait for. `waited_ms` is how long it had to say all.
    fn tell_tree(&mut self, prefix: &str, waited_ms: i64, out: &mut Vec<Finding>) -> bool {
        let Some(device) = self.devices.get_mut(prefix) else { return true };
        let Description::Tree(tree) = &device.description else { return true };
        let (is_late, is_overdue) = (waited_ms >= PATIENCE_MS, waited_ms >= INIT_PATIENCE_MS);
        match device.state {
            // Its state will be heard.
            None => return true,
            Some(State::Init) if !device.is_told && !is_overdue => return false,
            Some(_) => {}
        }
        let described = tree.described();
        if !described.is_complete && !is_late {
            return false;
        }
        let found = found((prefix, &described.name), &described.nodes, false, !device.alerts.is_empty());
        device.has_alerts = !device.alerts.is_empty();
        if !found.entities.is_empty() {
            device.is_told = true;
            out.push(Finding::Device(Box::new(FoundDevice {
                identifiers: described.mac.into_iter().collect(),
                about: described.about,
                is_whole: described.is_complete,
                ..found
            })));
            self.tell_state(prefix, out);
        }
        true
    }
}

fn not_text(prefix: &str, is_ours: bool, out: &mut Vec<Finding>) -> Claim {
    if !is_ours {
        return Claim::No;
    }
    out.push(Finding::Trouble(format!("{} says what is no text, or too long", shown(prefix))));
    Claim::Hears
}

/// A device with the entities of its nodes.
fn found((prefix, name): (&str, &str), nodes: &[Node], is_5: bool, has_alerts: bool) -> FoundDevice {
    let id = prefix.rsplit('/').next().unwrap_or(prefix);
    let mut entities = entities(prefix, nodes, is_5);
    entities.extend(has_alerts.then(|| alert_of(prefix)));
    FoundDevice {
        device: prefix.to_owned(),
        name: if name.trim().is_empty() { id.to_owned() } else { name.to_owned() },
        id_hint: id.to_owned(),
        topic_root: prefix.to_owned(),
        entities,
        ..FoundDevice::default()
    }
}
