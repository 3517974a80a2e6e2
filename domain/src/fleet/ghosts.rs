//! Ghosts: devices that are gone and whose announcements a broker still replays.
//!
//! A broker says of a message that it retains it only to those who subscribe after it was published: what comes live is never marked. So a topic counts
//! when the broker replayed it, and else only where devices of its kind let the broker retain what they say there: the announcements of Home Assistant,
//! Tasmota and ESPHome, the attributes of Homie, `status` of a plain device. To clear one of those that was not retained after all clears nothing.

use std::sync::Arc;

use crate::convention::Convention;
use crate::convention::found::FoundDevice;
use crate::device::{Availability, DeviceId};
use crate::ghost::{Ghost, GhostReason, GhostTopic};
use crate::input::Message;
use crate::live::LinkState;
use crate::time::{DAY_MS, HOUR_MS, SECOND_MS, Timestamp};

use super::Fleet;
use super::binding::Binding;
use super::hearing::Hearing;
use super::kept::{Held, Key, Place};

/// So long a device is offline or silent before it counts as a ghost, unless the configuration says otherwise.
pub const GHOST_AFTER_MS: i64 = 7 * DAY_MS;
/// So long a broker was reached before silence counts: who speaks each half hour has not spoken yet when a server has just started.
const LISTEN_FIRST_MS: i64 = HOUR_MS;
/// So long a broker may take to replay what it retains.
const REPLAY_MS: i64 = 30 * SECOND_MS;

impl Fleet {
    /// Ghosts after one, in the order of their ids and brokers, of the next `n_looked_at` devices; where to go on, unless these were the last.
    pub fn ghosts_after(&self, after: Option<&Key>, n_looked_at: usize, now: Timestamp, found: &mut Vec<Ghost>) -> Option<Key> {
        let mut last: Option<&Key> = None;
        for (n, (key, _)) in self.kept.after(after).enumerate() {
            if n == n_looked_at {
                return last.cloned();
            }
            found.extend(self.ghost(&key.0, &key.1, now));
            last = Some(key);
        }
        None
    }

    /// A device as a ghost on a broker, if it is one.
    #[must_use]
    pub fn ghost(&self, device: &DeviceId, link: &Arc<str>, now: Timestamp) -> Option<Ghost> {
        let key = (device.clone(), Arc::clone(link));
        let of = self.kept.get(&key)?;
        let (reason, since) = self.why_gone(&key, now)?;
        let is_own = |topic: &Arc<str>| !is_shared(topic) && !self.is_of_others(link, topic, device);
        let topics: Vec<GhostTopic> = (self.kept.topics_of(&key, self.was_replayed(link, now)).into_iter())
            .filter(|(topic, _)| is_own(topic))
            .map(|(topic, held)| GhostTopic { topic: Arc::clone(topic), bytes: held.bytes, is_replayed: held.is_replayed })
            .collect();
        let written = || self.written_of_device(device).and_then(|written| written.name.clone());
        let known = self.devices.get(device).map(|device| device.name.clone()).or_else(written);
        let name = known.or_else(|| (!of.name.is_empty()).then(|| of.name.clone())).unwrap_or_else(|| device.to_string());
        (!topics.is_empty()).then(|| Ghost { device: device.clone(), link: Arc::clone(link), name, reason, since, topics })
    }

    /// Whether a topic of a ghost may still be cleared: nobody else has it by now, and the device did not come back since it was found to be gone for
    /// `reason`. One that went with its announcement is gone all the same.
    #[must_use]
    pub fn may_clear(&self, device: &DeviceId, link: &Arc<str>, reason: GhostReason, topic: &str, now: Timestamp) -> bool {
        let is_gone = || {
            self.why_gone(&(device.clone(), Arc::clone(link)), now)
                .is_some_and(|(now, _)| (now == GhostReason::Removed) == (reason == GhostReason::Removed))
        };
        !is_shared(topic) && !self.is_of_others(link, topic, device) && (!self.devices.contains_key(device) || is_gone())
    }

    /// Whether a broker has had the time to replay what it retains: until then it still has what it had before.
    fn was_replayed(&self, link: &str, now: Timestamp) -> bool {
        self.links.get(link).is_some_and(|link| link.state == LinkState::Up && now.since_ms(link.since) >= REPLAY_MS)
    }

    fn why_gone(&self, (id, link): &Key, now: Timestamp) -> Option<(GhostReason, Option<Timestamp>)> {
        let Some(device) = self.devices.get(id) else {
            let removed_at = || self.written_of_device(id).and_then(|written| written.removed_at);
            return self.departed.is_removed(id).then(|| (GhostReason::Removed, removed_at()));
        };
        let after_ms = self.settings.ghost_after_ms;
        let heard_at = self.heard_at(id, link).max(Some(device.first_seen));
        let (reason, since) = match device.availability {
            // Whoever says that it is there is none, however rarely it has something to say.
            Availability::Online => return None,
            Availability::Offline => (GhostReason::Offline, heard_at.max(Some(device.availability_since))?),
            Availability::Unknown => (GhostReason::Silent, heard_at?),
        };
        let link = self.links.get(link).filter(|link| link.state == LinkState::Up)?;
        let is_long = now.since_ms(since) >= after_ms && now.since_ms(link.since) >= after_ms.min(LISTEN_FIRST_MS);
        is_long.then_some((reason, Some(since)))
    }

    /// When a device was heard last, itself, as far as anybody remembers: a start does not make it younger, nor older than its newest value.
    fn heard_at(&self, id: &DeviceId, link: &Arc<str>) -> Option<Timestamp> {
        let announced = self.kept.get(&(id.clone(), Arc::clone(link))).and_then(|of| of.announced_at);
        let slots = self.by_device.get(id).into_iter().flatten().filter_map(|&idx| self.slots.get(idx));
        let values = slots.filter_map(|slot| slot.taken_at).max();
        self.devices.get(id).and_then(|device| device.last_seen).max(announced).max(values)
    }

    /// Whether somebody else reads a topic or says there that it is there.
    fn is_of_others(&self, link: &str, topic: &str, device: &DeviceId) -> bool {
        match self.bindings.find(link, topic) {
            Some(Binding::Availability(of)) => of != device,
            Some(binding) => self.listeners(binding).any(|of| of != device),
            None => false,
        }
    }

    fn listeners<'a>(&'a self, binding: &'a Binding) -> impl Iterator<Item = &'a DeviceId> {
        let present = if let Binding::Spoken(spoken) = binding { spoken.present.as_slice() } else { &[] };
        let all = binding.entities().into_iter().chain(present.iter().copied());
        all.filter_map(|idx| self.slots.get(idx)).filter(|slot| !slot.is_gone).map(|slot| &slot.entity.device)
    }

    /// Writes down what a message says about what its broker keeps; `is_presence` for one on which a device says that it is there.
    pub(super) fn note_kept(&mut self, heard: &Hearing<'_>, is_presence: bool) {
        let message = heard.message;
        // Readings end here: they cost nothing more.
        let is_attribute = || heard.of == Some(Convention::Homie) && message.topic.contains("/$");
        let may_be_kept = message.retained || is_presence || !heard.announced.is_empty() || is_attribute();
        if !may_be_kept || message.payload.is_empty() || is_shared(&message.topic) {
            return;
        }
        let is_announcement = heard.of.is_some_and(|of| announces(of, &message.topic));
        let place = match heard.announced.as_slice() {
            [id] if is_announcement || heard.of.is_none() => Some(Place::Device(id.clone())),
            _ => heard.of.and_then(|of| root_in(of, &message.topic)).map(Place::Root).or_else(|| self.sole_listener(message).map(Place::Device)),
        };
        let place = place.or_else(|| self.kept.place(&message.link, &message.topic));
        let Some(place) = place.filter(|_| message.retained || is_presence || is_announcement) else { return };
        if let (false, true, Place::Device(id)) = (message.retained, is_presence, &place) {
            // Its own word, or that of its last will: in either case it was there.
            let name = self.devices.get(id).map(|device| device.name.clone()).unwrap_or_default();
            self.kept.announced(&(id.clone(), Arc::clone(&message.link)), &name, None, Some(heard.now));
        }
        self.keep(message, place);
    }

    /// What was said before anybody knew what it is about, and is known now.
    pub(super) fn note_kept_late(&mut self, message: &Message) {
        let may_be_kept = message.retained && !message.payload.is_empty() && !is_shared(&message.topic);
        if let Some(id) = self.sole_listener(message).filter(|_| may_be_kept) {
            self.keep(message, Place::Device(id));
        }
    }

    fn keep(&mut self, message: &Message, place: Place) {
        let held = Held::new(u32::try_from(message.payload.len()).unwrap_or(u32::MAX), message.retained);
        self.kept.put(&message.link, &message.topic, place, held);
    }

    /// The one device that a topic is about. One that several read is nobody's, nor is one on which somebody else says that they are there: a gateway.
    fn sole_listener(&self, message: &Message) -> Option<DeviceId> {
        let binding = self.bindings.find(&message.link, &message.topic)?;
        if let Binding::Availability(id) = binding {
            return Some(id.clone());
        }
        if matches!(binding, Binding::Command(_)) {
            return None;
        }
        let mut all = self.listeners(binding);
        let first = all.next()?;
        if all.any(|other| other != first) {
            return None;
        }
        let device = self.devices.get(first)?;
        let root = device.topic_root.as_str();
        // Home Assistant's announcements name no root: what is common to their topics may be a gateway's.
        let is_below_root = || {
            !root.is_empty()
                && device.convention != Convention::HomeAssistant.as_str()
                && message.topic.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
        };
        (!binding.entities().is_empty() || is_below_root()).then(|| first.clone())
    }

    /// A device announced itself, or its broker replayed that it did.
    pub(super) fn note_announced(&mut self, id: &DeviceId, of: Convention, found: &FoundDevice, heard: &mut Hearing<'_>) {
        // What a convention finds out by and by was announced by no message.
        let is_said = !heard.message.topic.is_empty();
        let live = (is_said && !heard.message.retained && announces(of, &heard.message.topic)).then_some(heard.now);
        let is_rooted = matches!(of, Convention::Homie | Convention::Shelly | Convention::EspHome) && !found.topic_root.is_empty();
        let root = is_rooted.then_some(found.topic_root.as_str());
        // Others announce many at once, on topics of their own.
        if root.is_some() || announces(of, &heard.message.topic) {
            let name = crate::device::clean_text(found.name.trim(), crate::device::MAX_NAME_CHARS);
            self.kept.announced(&(id.clone(), Arc::clone(&heard.message.link)), &name, root, live);
        }
        heard.announces(id);
    }
}

/// Whether devices of a convention announce themselves on a topic, and let the broker retain it.
fn announces(of: Convention, topic: &str) -> bool {
    match of {
        Convention::HomeAssistant => topic.ends_with("/config"),
        Convention::Tasmota => topic.starts_with("tasmota/discovery/"),
        Convention::EspHome => topic.starts_with("esphome/discover/"),
        Convention::Homie => topic.contains("/$"),
        Convention::Shelly => topic.ends_with("/announce") || topic.ends_with("/online"),
        // A bridge, or a node, speaks for all of its devices at once.
        Convention::Zigbee2Mqtt | Convention::Sparkplug => false,
    }
}

/// The beginning of the topics of a device, as its topic alone says it.
fn root_in(of: Convention, topic: &str) -> Option<Arc<str>> {
    let levels: Vec<&str> = topic.split('/').collect();
    let first = |n: usize| (levels.len() > n).then(|| levels[..n].join("/").into());
    match of {
        Convention::Homie if levels.get(1) == Some(&"5") => first(3),
        Convention::Homie => first(2),
        Convention::Shelly if levels[0] == "shellies" => first(2),
        Convention::Shelly => topic.strip_suffix("/online").map(Into::into),
        Convention::EspHome => topic.strip_prefix("esphome/discover/").map(Into::into),
        _ => None,
    }
}

/// Whether several live on a topic, or a bridge or a server does: clearing it takes from others too.
fn is_shared(topic: &str) -> bool {
    let mut levels = topic.split('/');
    let first = levels.next().unwrap_or_default();
    let is_of_many = matches!(first, "clients" | "STATE" | "spBv1.0") || first.starts_with('$');
    is_of_many
        || topic == "homeassistant/status"
        || matches!(topic, "shellies/announce" | "shellies/command")
        || levels.any(|level| level == "bridge" || level == "$broadcast")
}
