//! What messages do: find entities, take values, tell who is there.

use crate::change::Change;
use crate::convention::payload::{PayloadError, Sample, availability_word, decode, decode_light, decode_switch, shown};
use crate::convention::{Role, plain};
use crate::device::{AreaId, Availability, Device, DeviceId, name_from};
use crate::entity::{Entity, EntityId, EntityKind};
use crate::input::Message;
use crate::live::EntityChange;
use crate::reading::Reading;
use crate::time::Timestamp;
use crate::topic::check_topic;
use crate::units::measure;
use crate::value::Value;

use super::binding::Binding;
use super::slot::Slot;
use super::{Fleet, MAX_ENTITIES, MAX_ENTITIES_PER_DEVICE};

impl Fleet {
    pub(super) fn message(&mut self, message: Message, now: Timestamp, out: &mut Vec<Change>) {
        let first = out.len();
        let mut fed = vec![];
        if let Err(error) = check_topic(&message.topic) {
            // Topics of the broker itself are not ours to judge; anything else is told.
            if !message.topic.starts_with('$') {
                out.push(Change::Rejected { topic: message.topic.clone(), reason: error.to_string() });
            }
        } else {
            if self.bindings.find(&message.link, &message.topic).is_none() {
                self.discover(&message, now, out);
            }
            match self.bindings.find(&message.link, &message.topic).cloned() {
                Some(Binding::Readings(feeds)) => self.feed(&message, &feeds, now, out, &mut fed),
                Some(Binding::State(idx)) => self.feed_state(&message, idx, now, out, &mut fed),
                Some(Binding::Command(idx)) => {
                    // Somebody sent a command: it says nothing about the device, unless the device has no other voice.
                    if self.slots.get(idx).is_some_and(|slot| slot.entity.assumed) {
                        self.feed_state(&message, idx, now, out, &mut fed);
                    }
                }
                Some(Binding::Availability(device)) => self.availability(&message, &device, now, out),
                Some(Binding::Nothing) | None => {}
            }
        }
        // Whoever follows the topic sees the message after what it did.
        debug_assert!(out.len() >= first, "changes are only added");
        out.push(Change::Message { message, fed });
    }

    fn discover(&mut self, message: &Message, now: Timestamp, out: &mut Vec<Change>) {
        match plain::discover(&message.topic, &message.payload) {
            Role::Readings { device, measure, area, root } => {
                if let Ok(samples) = decode(&message.payload) {
                    let area = area.map(|area| AreaId::slug(&area));
                    self.discover_readings(message, (&device, &measure, area, root), &samples, now, out);
                }
            }
            Role::State { device, kind, command_topic } => {
                let known = self.bindings.find(&message.link, &command_topic).cloned();
                if let Some(Binding::Command(idx)) = known {
                    self.pair_state_topic(message, idx, now, out);
                } else if decodes(kind, &message.payload) {
                    self.discover_settable(message, &device, kind, (&message.topic, &command_topic), now, out);
                }
            }
            Role::Command { device, kind } => {
                if !message.retained && decodes(kind, &message.payload) {
                    self.discover_settable(message, &device, kind, (&message.topic, &message.topic), now, out);
                }
            }
            Role::Availability { device, root } => {
                let id = DeviceId::slug(&device);
                self.device_for(message, &id, &device, None, root, now, out);
                self.bindings.bind(&message.link, &message.topic, Binding::Availability(id));
            }
            Role::Nothing => self.bindings.bind(&message.link, &message.topic, Binding::Nothing),
        }
    }

    fn discover_readings(
        &mut self,
        message: &Message,
        (device, measure_name, area, root): (&str, &str, Option<AreaId>, String),
        samples: &[Sample],
        now: Timestamp,
        out: &mut Vec<Change>,
    ) {
        if samples.is_empty() {
            return;
        }
        let device_id = DeviceId::slug(device);
        self.device_for(message, &device_id, device, area, root, now, out);
        for sample in samples {
            let key = match (measure_name.is_empty(), sample.leaf.is_empty()) {
                (false, true) => measure_name.to_owned(),
                (true, false) => sample.leaf.clone(),
                (false, false) => format!("{measure_name}_{}", sample.leaf),
                (true, true) => "value".to_owned(),
            };
            let leaf = (!sample.leaf.is_empty()).then(|| sample.leaf.clone());
            if let Some(idx) = self.new_entity(message, &device_id, &key, out) {
                let known = measure(&key.to_ascii_lowercase());
                let states = matches!(known.icon, "door" | "motion");
                let kind = match &sample.value {
                    Value::Bool(_) => EntityKind::BinarySensor,
                    Value::Number(n) if states && (*n == 0.0 || *n == 1.0) => EntityKind::BinarySensor,
                    _ => EntityKind::Sensor,
                };
                let is_number = kind == EntityKind::Sensor && matches!(sample.value, Value::Number(_));
                let unit = sample.unit.clone().or_else(|| (!known.unit.is_empty()).then(|| known.unit.to_owned())).filter(|_| is_number);
                let words = kind == EntityKind::BinarySensor && known.icon == "door";
                let id = idx;
                self.add_entity(
                    Entity {
                        id,
                        device: device_id.clone(),
                        name: name_from(&key.replace('.', " ")),
                        kind,
                        unit,
                        icon: known.icon.to_owned(),
                        precision: known.precision,
                        assumed: false,
                        state_topic: message.topic.to_string(),
                        leaf,
                        command_topic: None,
                        word_on: words.then(|| "Open".to_owned()),
                        word_off: words.then(|| "Closed".to_owned()),
                        hidden: false,
                        order: 0,
                    },
                    out,
                );
            }
        }
    }

    fn discover_settable(
        &mut self,
        message: &Message,
        device: &str,
        kind: EntityKind,
        (state_topic, command_topic): (&str, &str),
        now: Timestamp,
        out: &mut Vec<Change>,
    ) {
        let device_id = DeviceId::slug(device);
        self.device_for(message, &device_id, device, None, command_topic.to_owned(), now, out);
        let key = if kind == EntityKind::Light { "light" } else { "switch" };
        if let Some(id) = self.new_entity(message, &device_id, key, out) {
            self.add_entity(
                Entity {
                    id,
                    device: device_id,
                    name: name_from(device),
                    kind,
                    unit: None,
                    icon: if kind == EntityKind::Light { "bulb" } else { measure(&device.to_ascii_lowercase()).icon_or("power") }.to_owned(),
                    precision: None,
                    assumed: state_topic == command_topic,
                    state_topic: state_topic.to_owned(),
                    leaf: None,
                    command_topic: Some(command_topic.to_owned()),
                    word_on: None,
                    word_off: None,
                    hidden: false,
                    order: 0,
                },
                out,
            );
        }
    }

    /// A light that was only known by its commands turns out to report its state.
    fn pair_state_topic(&mut self, message: &Message, idx: usize, _now: Timestamp, out: &mut Vec<Change>) {
        let Some(slot) = self.slots.get_mut(idx) else { return };
        slot.entity.state_topic = message.topic.to_string();
        slot.entity.assumed = false;
        self.bindings.bind(&message.link, &message.topic, Binding::State(idx));
        self.tell_entity(idx, out);
    }

    /// A free id for a new entity; `None` (and a word about it) when the device or the server has too many.
    fn new_entity(&self, message: &Message, device: &DeviceId, key: &str, out: &mut Vec<Change>) -> Option<EntityId> {
        let of_device = self.by_device.get(device).map_or(0, Vec::len);
        if of_device >= MAX_ENTITIES_PER_DEVICE || self.slots.len() >= MAX_ENTITIES {
            let reason = format!("device {device} has {of_device} entities, the server {}: no room for \"{}\"", self.slots.len(), shown(key));
            out.push(Change::Rejected { topic: message.topic.clone(), reason });
            return None;
        }
        let id = EntityId::new(device, key);
        (1..=MAX_ENTITIES_PER_DEVICE + 1)
            .map(|n| if n == 1 { id.clone() } else { EntityId::new(device, &format!("{}-{n}", id.key())) })
            .find(|id| !self.by_id.contains_key(id))
    }

    fn add_entity(&mut self, entity: Entity, out: &mut Vec<Change>) {
        let idx = self.insert_entity(entity);
        self.tell_entity(idx, out);
    }

    fn tell_entity(&self, idx: usize, out: &mut Vec<Change>) {
        if let Some(slot) = self.slots.get(idx) {
            out.push(Change::Entity(Box::new(slot.entity.clone()), Box::new(self.view_of(slot))));
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call site a kind of topic; a struct would only rename the arguments")]
    fn device_for(
        &mut self,
        message: &Message,
        id: &DeviceId,
        name: &str,
        area: Option<AreaId>,
        root: String,
        now: Timestamp,
        out: &mut Vec<Change>,
    ) {
        if let Some(area) = &area {
            self.note_area(area);
        }
        if self.devices.contains_key(id) {
            return;
        }
        let device = Device {
            id: id.clone(),
            name: name_from(name),
            area,
            convention: "plain topics".to_owned(),
            link: message.link.to_string(),
            topic_root: root,
            availability: Availability::Unknown,
            availability_since: now,
            first_seen: now,
            last_seen: None,
        };
        self.bindings.bind_availability(&device);
        out.push(Change::Device(device.clone()));
        self.devices.insert(id.clone(), device);
    }

    fn feed(&mut self, message: &Message, feeds: &[(Option<String>, usize)], now: Timestamp, out: &mut Vec<Change>, fed: &mut Vec<EntityChange>) {
        let samples = match decode(&message.payload) {
            Ok(samples) => samples,
            Err(error) => {
                for &(_, idx) in feeds {
                    self.reject(message, idx, &error, now, out, fed);
                }
                return;
            }
        };
        let known = |sample: &Sample| feeds.iter().any(|(leaf, _)| leaf.as_deref().unwrap_or("") == sample.leaf);
        if samples.iter().any(|sample| !known(sample)) {
            // The device says something it did not say before.
            let news: Vec<Sample> = samples.iter().filter(|sample| !known(sample)).cloned().collect();
            if let Role::Readings { device, measure, area, root } = plain::discover(&message.topic, &message.payload) {
                self.discover_readings(message, (&device, &measure, area.map(|a| AreaId::slug(&a)), root), &dedup(news), now, out);
            }
        }
        let feeds = match self.bindings.find(&message.link, &message.topic) {
            Some(Binding::Readings(feeds)) => feeds.clone(),
            _ => return,
        };
        for sample in samples {
            if let Some(&(_, idx)) = feeds.iter().find(|(leaf, _)| leaf.as_deref().unwrap_or("") == sample.leaf) {
                match self.slots.get(idx).map(|slot| slot.fit(sample.value.clone())) {
                    Some(Ok(value)) => self.take(message, idx, value, sample.taken_at, now, out, fed),
                    Some(Err(wanted)) => {
                        let text = shown(&String::from_utf8_lossy(&message.payload));
                        self.reject(message, idx, &PayloadError::Unexpected { text, wanted }, now, out, fed);
                    }
                    None => {}
                }
            }
        }
    }

    fn feed_state(&mut self, message: &Message, idx: usize, now: Timestamp, out: &mut Vec<Change>, fed: &mut Vec<EntityChange>) {
        let Some(kind) = self.slots.get(idx).map(|slot| slot.entity.kind) else { return };
        let decoded = if kind == EntityKind::Light { decode_light(&message.payload) } else { decode_switch(&message.payload) };
        match decoded {
            Ok(Some(value)) => {
                // A light that says only on or off keeps the brightness it said before.
                let value = match (value, self.slots.get(idx).and_then(|slot| slot.value.clone())) {
                    (Value::Light(mut new), Some(Value::Light(old))) => {
                        new.brightness = new.brightness.or(old.brightness);
                        new.color_temp = new.color_temp.or(old.color_temp);
                        Value::Light(new)
                    }
                    (value, _) => value,
                };
                self.take(message, idx, value, None, now, out, fed);
            }
            Ok(None) => {}
            Err(error) => self.reject(message, idx, &error, now, out, fed),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the message and what it said; a struct would only rename the arguments")]
    fn take(
        &mut self,
        message: &Message,
        idx: usize,
        value: Value,
        device_time: Option<Timestamp>,
        now: Timestamp,
        out: &mut Vec<Change>,
        fed: &mut Vec<EntityChange>,
    ) {
        // A device whose clock runs ahead gets our time: its readings would stand in a future that nobody looks at.
        let device_time = device_time.filter(|&t| t <= now);
        let Some(cut) = self.slots.get(idx).map(|slot| self.cut_since(&slot.entity.device)) else { return };
        let Some(slot) = self.slots.get_mut(idx) else { return };
        let newest = slot.taken_at;
        let taken_at = slot.take(value.clone(), device_time, message.retained, now);
        if let Some(device) = self.devices.get_mut(&slot.entity.device)
            && !message.retained
        {
            device.last_seen = Some(now);
        }
        let offline = self.devices.get(&slot.entity.device).is_some_and(|device| device.availability == Availability::Offline);
        let quality_changed = slot.update_quality(offline, cut, now);
        let after = slot.change();
        fed.push(after.clone());
        let Some(taken_at) = taken_at else {
            if quality_changed {
                out.push(Change::Shown(after));
            }
            return;
        };
        out.push(Change::Reading(Reading { entity: slot.entity.id.clone(), value, taken_at, received_at: now, device_time: device_time.is_some() }));
        if newest.is_none_or(|newest| taken_at >= newest) {
            out.push(Change::Shown(after));
            self.settle_command(idx, now, out);
            self.check_rules(idx, now, out);
        }
    }

    fn reject(&mut self, message: &Message, idx: usize, error: &PayloadError, now: Timestamp, out: &mut Vec<Change>, fed: &mut Vec<EntityChange>) {
        let reason = error.to_string();
        if let Some(slot) = self.slots.get_mut(idx) {
            slot.bad = Some(reason.clone());
        }
        self.refresh_quality(idx, now, out);
        fed.extend(self.slots.get(idx).map(Slot::change));
        out.push(Change::Rejected { topic: message.topic.clone(), reason });
    }

    fn availability(&mut self, message: &Message, id: &DeviceId, now: Timestamp, out: &mut Vec<Change>) {
        let Some(online) = availability_word(&message.payload) else {
            if !message.payload.is_empty() {
                let reason = format!("\"{}\" is neither online nor offline", shown(&String::from_utf8_lossy(&message.payload)));
                out.push(Change::Rejected { topic: message.topic.clone(), reason });
            }
            return;
        };
        let Some(device) = self.devices.get_mut(id) else { return };
        let availability = if online { Availability::Online } else { Availability::Offline };
        if device.availability != availability {
            device.availability = availability;
            device.availability_since = now;
            out.push(Change::Device(device.clone()));
        }
        for idx in self.by_device.get(id).cloned().unwrap_or_default() {
            self.refresh_quality(idx, now, out);
            self.check_rules(idx, now, out);
        }
    }
}

fn decodes(kind: EntityKind, payload: &[u8]) -> bool {
    let decoded = if kind == EntityKind::Light { decode_light(payload) } else { decode_switch(payload) };
    matches!(decoded, Ok(Some(_)))
}

/// The samples of a batch name the same leaves again and again: each makes one entity.
fn dedup(samples: Vec<Sample>) -> Vec<Sample> {
    let mut seen = std::collections::HashSet::new();
    samples.into_iter().filter(|sample| seen.insert(sample.leaf.clone())).collect()
}
