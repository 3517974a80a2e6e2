//! What conventions find, on its way into the fleet.

use std::collections::HashSet;
use std::sync::Arc;

use crate::change::Change;
use crate::command::CommandState;
use crate::convention::Convention;
use crate::convention::found::{Finding, FoundDevice, FoundEntity, Keep, identifier};
use crate::convention::payload::shown;
use crate::convention::speech::Speech;
use crate::device::{AreaId, Device, DeviceId, MAX_ID_BYTES, MAX_NAME_CHARS, clean_text, name_from, slug};
use crate::device_class::{class, decimals};
use crate::entity::{Entity, EntityKind};
use crate::input::Message;
use crate::reading::Reading;
use crate::time::Timestamp;

use super::binding::{Binding, Spoken};
use super::hearing::Hearing;
use super::slot::Taken;
use super::{Fleet, MAX_DEVICES, MAX_ENTITIES};

/// Identifiers of one device that are remembered.
const MOST_IDENTIFIERS: usize = 32;
/// The convention of devices that were found by their topics alone.
pub(super) const PLAIN: &str = "plain topics";

/// By what an entity of a convention is found again.
pub(super) fn name_of(link: &str, speech: &Speech) -> String {
    key_of(link, speech.convention, &speech.device, &speech.key)
}

fn key_of(link: &str, convention: Convention, device: &str, key: &str) -> String {
    [link, convention.as_str(), device, key].join("\n")
}

fn identity(link: &str, identifier: &str) -> String {
    [link, identifier].join("\n")
}

fn own_identifier(convention: Convention, device: &str) -> String {
    [convention.as_str(), " ", device].concat()
}

impl Fleet {
    /// Takes what follows from a message, or from time passing.
    pub(super) fn take_findings(&mut self, of: Convention, findings: Vec<Finding>, heard: &mut Hearing<'_>) {
        let link = Arc::clone(&heard.message.link);
        for finding in findings {
            match finding {
                Finding::Device(found) => self.take_device(of, *found, heard),
                Finding::DeviceGone { device } => {
                    if let Some(id) = self.identified.get(&identity(&link, &own_identifier(of, &device))).cloned() {
                        self.retire(of, &device, &id, |_| false, heard);
                    }
                }
                Finding::EntityGone { device, key } => {
                    if let Some(&idx) = self.spoken.get(&key_of(&link, of, &device, &key)) {
                        let id = self.slots.get(idx).map(|slot| slot.entity.device.clone());
                        self.remove_entity(idx, heard.now, heard.out);
                        id.into_iter().for_each(|id| self.remove_if_empty(&id, heard));
                    }
                }
                Finding::Presence { device, online } => {
                    if let Some(id) = self.identified.get(&identity(&link, &own_identifier(of, &device))).cloned() {
                        self.set_availability(&id, online, heard.now, heard.out);
                    }
                }
                Finding::Doubt { device } => {
                    if let Some(id) = self.identified.get(&identity(&link, &own_identifier(of, &device))).cloned() {
                        self.doubt(&id, heard.now, heard.out);
                    }
                }
                Finding::Reading { device, key, value, taken_at, keep } => {
                    if let Some(&idx) = self.spoken.get(&key_of(&link, of, &device, &key)) {
                        match value {
                            Ok(value) => self.take_kept(idx, value, taken_at, keep, heard),
                            Err(reason) => self.reject_for(idx, &reason, heard),
                        }
                    }
                }
                Finding::Complaint { device, key, text } => {
                    let Some(id) = self.identified.get(&identity(&link, &own_identifier(of, &device))) else { continue };
                    let named = key.and_then(|key| self.spoken.get(&key_of(&link, of, &device, &key)).copied());
                    let idxs = named.map_or_else(|| self.by_device.get(id).cloned().unwrap_or_default(), |idx| vec![idx]);
                    for idx in idxs {
                        self.complain(idx, &clean_text(&text, 200), heard.now, heard.out);
                    }
                }
                Finding::Accepted { device, key } => {
                    if let Some(&idx) = self.spoken.get(&key_of(&link, of, &device, &key)) {
                        self.target_echoed(idx, heard.now, heard.out);
                    }
                }
                Finding::Reply { ticket, error } => self.reply(ticket, error, heard.now, heard.out),
                Finding::Answered { request, error } => {
                    let error = error.map(|error| clean_text(&error, 200));
                    heard.out.push(Change::Answered { link: Arc::clone(&link), request, error });
                }
                Finding::Ask(order) => heard.out.push(Change::Ask { link: Arc::clone(&link), topic: order.topic, payload: order.payload }),
                Finding::Trouble(reason) => heard.reject(|| reason),
            }
        }
    }

    /// A device announced itself.
    fn take_device(&mut self, of: Convention, found: FoundDevice, heard: &mut Hearing<'_>) {
        let link = Arc::clone(&heard.message.link);
        let namesake = self.find_namesake(&link, &found);
        for entity in &found.entities {
            self.evict_plain(&entity.speech, heard);
        }
        let own = own_identifier(of, &found.device);
        let identifiers: Vec<String> = std::iter::once(own.clone())
            .chain(found.identifiers.iter().map(|text| identifier(text)).filter(|text| !text.is_empty()))
            .take(MOST_IDENTIFIERS)
            .collect();
        if let Some(id) = self.stays_removed(&identifiers, heard) {
            return self.note_announced(&id, of, &found, heard);
        }
        let known = identifiers.iter().find_map(|one| self.identified.get(&identity(&link, one)).cloned());
        let known = known.or_else(|| self.find_by_topics(&link, &found));
        let known = known.or_else(|| namesake.filter(|id| self.devices.contains_key(id)));
        let Some(id) = known.or_else(|| self.new_device(&found, heard)) else { return };
        self.describe_device(of, &id, &found, identifiers, heard);
        self.note_announced(&id, of, &found, heard);
        // Those that are written down alone: with the device, they go.
        for one in self.devices.get(&id).map(|device| device.identifiers.clone()).unwrap_or_default() {
            self.identified.entry(identity(&link, &one)).or_insert_with(|| id.clone());
        }
        let keys: HashSet<String> = found.entities.iter().map(|entity| entity.speech.key.clone()).collect();
        for entity in found.entities {
            self.take_entity(&id, entity, heard);
        }
        if found.is_whole {
            self.retire(of, &found.device, &id, |key| keys.contains(key), heard);
        }
    }

    /// A free id for a new device; `None` (and a word about it) when there is no room.
    fn new_device(&self, found: &FoundDevice, heard: &mut Hearing<'_>) -> Option<DeviceId> {
        if self.devices.len() >= MAX_DEVICES || self.n_entities() >= MAX_ENTITIES {
            let n_devices = self.devices.len();
            heard.reject(|| format!("the server has {n_devices} devices: no room for \"{}\"", shown(&found.name)));
            return None;
        }
        let stem = stem_of(found);
        let stem = &stem[..stem.len().min(MAX_ID_BYTES - 6)];
        // Past some of one name, so many are likely that the number of all is free: looking at each of them for each would never end.
        (1..=100)
            .chain(self.devices.len() + 1..=2 * MAX_DEVICES + 1)
            .map(|n| if n == 1 { DeviceId::slug(stem) } else { DeviceId::slug(&format!("{stem}-{n}")) })
            .find(|id| !self.devices.contains_key(id) && id.as_str() != crate::group::GROUP_DEVICE)
    }

    /// Writes down what a device says of itself.
    fn describe_device(&mut self, of: Convention, id: &DeviceId, found: &FoundDevice, identifiers: Vec<String>, heard: &mut Hearing<'_>) {
        let name = clean_text(found.name.trim(), MAX_NAME_CHARS);
        let name = if name.is_empty() { name_from(&found.device) } else { name };
        let area = found.suggested_area.as_deref().map(str::trim).filter(|area| !area.is_empty());
        let area_id = area.map(AreaId::slug);
        if let (Some(area), Some(id)) = (area, &area_id) {
            self.note_area_named(id, area, heard.out);
        }
        let before = self.devices.get(id).map(|device| self.as_found(device));
        let mut device =
            before.clone().unwrap_or_else(|| Device::new(id.clone(), name.clone(), &heard.message.link, found.topic_root.clone(), heard.now));
        // Who describes a device first, or alone, names it.
        let is_first = device.identifiers.is_empty() || device.identifiers.iter().any(|known| identifiers.first() == Some(known));
        if is_first {
            device.name = name;
            device.topic_root.clone_from(&found.topic_root);
        }
        if let Some(area) = area_id.filter(|area| self.is_area(area)) {
            device.area = Some(area);
        }
        device.about.add(&found.about);
        for one in identifiers {
            if !device.identifiers.contains(&one) && device.identifiers.len() < MOST_IDENTIFIERS {
                device.identifiers.push(one);
            }
        }
        if !device.convention.split(", ").any(|known| known == of.as_str()) {
            device.convention = match device.convention.as_str() {
                "" | PLAIN => of.as_str().to_owned(),
                others => [others, ", ", of.as_str()].concat(),
            };
        }
        if before.as_ref() != Some(&device) {
            self.put_device(device.clone());
            heard.out.push(Change::Device(device));
        }
    }

    /// One of a device's entities.
    fn take_entity(&mut self, device: &DeviceId, found: FoundEntity, heard: &mut Hearing<'_>) {
        let link = Arc::clone(&heard.message.link);
        let name = name_of(&link, &found.speech);
        if self.templates.wants_room(&found.speech) {
            let there = self.slots.iter().filter(|slot| !slot.is_gone);
            self.templates.keep_only(there.filter_map(|slot| slot.entity.speech.as_deref()));
        }
        self.templates.prepare_all(&found.speech);
        let known = self.spoken.get(&name).copied();
        let mut known_topics = vec![];
        let double = || self.by_device.get(device)?.iter().copied().find(|&idx| self.is_double(idx, &found.speech));
        let idx = match known.or_else(double) {
            // Another convention says the same of it, and says more: that one stays.
            Some(idx) if known.is_none() && !self.says_more(idx, &found.speech) => return,
            Some(idx) => {
                known_topics = self.slots.get(idx).and_then(|slot| slot.entity.speech.as_deref()).map(topics_of).unwrap_or_default();
                self.redefine(idx, &found, heard);
                idx
            }
            None => {
                let device_name = self.devices.get(device).map(|device| device.name.clone()).unwrap_or_default();
                let hint = [found.id_hint.as_str(), &found.name, found.class.as_deref().unwrap_or_default(), found.kind.as_str()];
                let hint = hint.into_iter().find(|text| !text.trim().is_empty()).unwrap_or("value");
                let Some(id) = self.new_entity(device, hint, heard) else { return };
                let mut entity = Entity::new(id, device.clone());
                define(&mut entity, found, &device_name);
                let idx = self.insert_entity(entity);
                self.tell_entity(idx, heard.out);
                idx
            }
        };
        self.spoken.insert(name, idx);
        self.hear_again(&link, idx, &known_topics, heard);
    }

    /// An entity is described anew.
    fn redefine(&mut self, idx: usize, found: &FoundEntity, heard: &mut Hearing<'_>) {
        let Some(slot) = self.slots.get(idx) else { return };
        let before = slot.entity.clone();
        let (link, device_name) = self.devices.get(&before.device).map(|device| (device.link.clone(), device.name.clone())).unwrap_or_default();
        if let Some(speech) = before.speech.as_deref() {
            self.spoken.remove(&name_of(&link, speech));
        }
        let Some(slot) = self.slots.get_mut(idx) else { return };
        let as_found = slot.as_found();
        slot.find(|entity| define(entity, found.clone(), &device_name));
        let written = self.written_about(&before.id);
        let Some(slot) = self.slots.get_mut(idx) else { return };
        slot.rewrite(&written);
        if slot.as_found() == as_found {
            return;
        }
        if slot.entity.kind != before.kind {
            slot.forget_value();
        }
        let entity = slot.entity.clone();
        if entity.speech != before.speech {
            slot.said_there.clear();
            // Nobody will say any more that it is there.
            if entity.speech.as_deref().is_none_or(|speech| speech.presence.is_empty()) {
                (slot.said_last, slot.is_absent) = (None, false);
            }
            let source = |entity: &Entity| entity.speech.as_deref().and_then(|speech| speech.attributes.clone());
            if source(&entity) != source(&before) {
                self.forget_attributes(idx);
            }
            self.bindings.unbind_entity(&link, &before, idx);
            self.bindings.bind_entity(&entity, self.devices.get(&before.device), idx);
        }
        self.tell_entity(idx, heard.out);
        self.tell_alarms_anew(idx, heard.out);
    }

    /// What was said on an entity's topics before they were known to be its own; nothing more of those that it knew already.
    fn hear_again(&mut self, link: &Arc<str>, idx: usize, known: &[String], heard: &mut Hearing<'_>) {
        let Some(speech) = self.slots.get(idx).and_then(|slot| slot.entity.speech.clone()) else { return };
        for topic in topics_of(&speech).into_iter().filter(|topic| !known.contains(topic)) {
            let Some((message, at)) = self.unclaimed.find(link, &topic.as_str().into()) else { continue };
            // Others that read the topic have heard it.
            let is_read = speech.reads.iter().any(|read| read.topic == topic);
            let is_presence = speech.presence.iter().any(|presence| presence.topic == topic);
            let only = |is_of: bool| if is_of { vec![idx] } else { vec![] };
            let is_told = speech.attributes.as_ref().is_some_and(|source| source.topic == topic);
            let alone = Spoken { reading: only(is_read), present: only(is_presence), telling: only(is_told), ..Spoken::default() };
            self.feed_late(&message, at, &Arc::new(alone), heard);
        }
    }

    fn feed_late(&mut self, message: &Message, at: Timestamp, spoken: &Arc<Spoken>, heard: &mut Hearing<'_>) {
        self.n_messages += 1;
        let mut then = Hearing::new(message, self.n_messages, at, heard.out);
        self.feed_spoken(spoken, &mut then);
        self.settle(&mut then);
        self.note_kept_late(message);
    }

    /// Entities that topics alone made, of what somebody describes now: unless somebody has claimed them, they go.
    fn evict_plain(&mut self, speech: &Speech, heard: &mut Hearing<'_>) {
        let link = Arc::clone(&heard.message.link);
        let topics: Vec<String> = speech.heard_topics().chain(speech.writes.iter().map(|write| &write.topic)).cloned().collect();
        for topic in topics {
            let binding = self.bindings.find(&link, &topic).cloned();
            let idxs = match &binding {
                Some(Binding::Readings(_) | Binding::State(_) | Binding::Command(_)) => binding.map(|binding| binding.entities()).unwrap_or_default(),
                Some(Binding::Availability(device)) => {
                    let device = device.clone();
                    self.remove_if_empty(&device, heard);
                    continue;
                }
                _ => continue,
            };
            for idx in idxs {
                let Some(entity) = self.slots.get(idx).map(|slot| slot.entity.clone()).filter(|entity| entity.speech.is_none()) else { continue };
                if self.is_written_about(&entity) {
                    continue;
                }
                self.remove_entity(idx, heard.now, heard.out);
                self.remove_if_empty(&entity.device, heard);
            }
        }
    }

    /// Takes out the entities that a convention knows of a device, but for those to be kept, and the device when nothing is left of it.
    fn retire(&mut self, of: Convention, device: &str, id: &DeviceId, is_kept: impl Fn(&str) -> bool, heard: &mut Hearing<'_>) {
        for idx in self.by_device.get(id).cloned().unwrap_or_default() {
            let speech = self.slots.get(idx).and_then(|slot| slot.entity.speech.clone());
            if speech.is_some_and(|speech| speech.convention == of && speech.device == device && !is_kept(&speech.key)) {
                self.remove_entity(idx, heard.now, heard.out);
            }
        }
        self.remove_if_empty(id, heard);
    }

    /// A device of which nothing is left is not there.
    fn remove_if_empty(&mut self, id: &DeviceId, heard: &mut Hearing<'_>) {
        if self.by_device.get(id).is_none_or(Vec::is_empty) {
            self.remove_device(id, heard.now, heard.out);
        }
    }

    /// A value that its convention decoded.
    fn take_kept(&mut self, idx: usize, value: crate::value::Value, taken_at: Option<Timestamp>, keep: Keep, heard: &mut Hearing<'_>) {
        let fits = |fleet: &Self| fleet.slots.get(idx).map(|slot| slot.entity.id.clone());
        match keep {
            Keep::Both => self.take(idx, value, taken_at, taken_at, heard),
            Keep::HistoryOnly => {
                let Some(entity) = fits(self) else { return };
                let at = taken_at.filter(|at| *at <= heard.now && *at >= super::EARLIEST);
                if let Some(taken_at) = at {
                    heard.out.push(Change::Reading(Reading { entity, value, taken_at, received_at: heard.now, device_time: true }));
                } else {
                    heard.reject(|| "a historical value without a time that can be".to_owned());
                }
            }
            Keep::LiveOnly => {
                let Some(slot) = self.slots.get_mut(idx) else { return };
                if slot.touch(heard.n) {
                    heard.touched.push(idx);
                }
                let (at, own) = slot.time_for(taken_at, heard.message.retained, heard.now);
                if slot.take(value, at, own, heard.message.retained, heard.now) == Taken::Shown {
                    slot.feeding.is_shown = true;
                    self.check_rules(idx, heard.now, heard.out);
                }
            }
        }
    }

    /// What conventions do when a broker is reached again.
    pub(super) fn speakers_reconnected(&mut self, broker: &Arc<str>, now: Timestamp, out: &mut Vec<Change>) {
        let mut all = vec![];
        self.speakers.entry(Arc::clone(broker)).or_default().reconnected(now, |of, findings| all.push((of, findings)));
        self.take_unasked(broker, all, now, out);
    }

    /// What conventions do by themselves.
    pub(super) fn tick_speakers(&mut self, now: Timestamp, out: &mut Vec<Change>) {
        let mut all = vec![];
        for (broker, speakers) in &mut self.speakers {
            let mut of_broker = vec![];
            speakers.tick(now, |of, findings| of_broker.push((of, findings)));
            if !of_broker.is_empty() {
                all.push((Arc::clone(broker), of_broker));
            }
        }
        for (broker, findings) in all {
            self.take_unasked(&broker, findings, now, out);
        }
    }

    fn take_unasked(&mut self, broker: &Arc<str>, findings: Vec<(Convention, Vec<Finding>)>, now: Timestamp, out: &mut Vec<Change>) {
        // No message did it: nobody is told of one.
        let none = Message { link: Arc::clone(broker), topic: "".into(), payload: [].into(), qos: 0, retained: false };
        self.n_messages += 1;
        let mut heard = Hearing::new(&none, self.n_messages, now, out);
        for (of, findings) in findings {
            self.take_findings(of, findings, &mut heard);
        }
        self.settle(&mut heard);
    }

    /// Takes up by what a device of an earlier run is known.
    pub(super) fn remember_identifiers(&mut self, device: &Device) {
        for one in &device.identifiers {
            self.identified.insert(identity(&device.link, one), device.id.clone());
        }
    }

    /// A device is known by an identifier no more.
    pub(super) fn forget_identifier(&mut self, link: &str, identifier: &str, id: &DeviceId) {
        let name = identity(link, identifier);
        if self.identified.get(&name) == Some(id) {
            self.identified.remove(&name);
        }
    }

    /// Entities that are there.
    pub(super) fn n_entities(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Commands of which a device said that it got them.
    pub(super) fn target_echoed(&mut self, idx: usize, now: Timestamp, out: &mut Vec<Change>) {
        let pending = self.pending.values_mut().find(|pending| pending.idx == idx && pending.report.state == CommandState::Sent);
        if let Some(pending) = pending {
            pending.report.state = CommandState::Accepted;
            pending.report.after_ms = Some(now.since_ms(pending.report.sent_at));
            out.push(Change::Command(pending.report.clone()));
        }
    }
}

/// What the id of a new device is made of.
pub(super) fn stem_of(found: &FoundDevice) -> String {
    let hint = [found.id_hint.trim(), found.name.trim(), &found.device].into_iter().find(|text| !text.is_empty()).unwrap_or("device");
    slug(hint)
}

/// The topics on which an entity hears something, each once.
fn topics_of(speech: &Speech) -> Vec<String> {
    let mut once: Vec<String> = vec![];
    for topic in speech.heard_topics() {
        if !once.contains(topic) {
            once.push(topic.clone());
        }
    }
    once
}

/// Writes into an entity what is found of it.
fn define(entity: &mut Entity, found: FoundEntity, device_name: &str) {
    let class = found.class.as_deref().and_then(class);
    let name = clean_text(found.name.trim(), MAX_NAME_CHARS);
    entity.name = match (name.is_empty(), class) {
        (false, _) => name,
        (true, Some(class)) => class.name.to_owned(),
        (true, None) => clean_text(device_name, MAX_NAME_CHARS),
    };
    entity.kind = found.kind;
    let can_have_unit = matches!(found.kind, EntityKind::Sensor | EntityKind::Number);
    entity.unit = found.unit.map(|unit| clean_text(unit.trim(), 12)).filter(|unit| !unit.is_empty()).filter(|_| can_have_unit);
    let by_name = crate::units::measure(entity.id.key()).icon;
    entity.icon = found.icon.or_else(|| class.map(|class| class.icon.to_owned())).unwrap_or_else(|| match found.kind {
        EntityKind::Light => "bulb".to_owned(),
        EntityKind::Switch | EntityKind::Button => "power".to_owned(),
        EntityKind::Fan => "fan".to_owned(),
        EntityKind::Lock => "key".to_owned(),
        EntityKind::Climate => "temperature".to_owned(),
        _ => by_name.to_owned(),
    });
    let by_class = || decimals(found.class.as_deref()?, entity.unit.as_deref()).filter(|_| found.kind == EntityKind::Sensor);
    entity.precision = found.precision.map(|decimals| decimals.min(3)).or_else(by_class);
    entity.counter = found.counter;
    entity.hidden = found.is_hidden;
    let (on, off) = class.map_or((None, None), |class| (class.word_on, class.word_off));
    let has_words = found.kind == EntityKind::BinarySensor;
    entity.word_on = on.filter(|_| has_words).map(str::to_owned);
    entity.word_off = off.filter(|_| has_words).map(str::to_owned);
    entity.control = found.control;
    entity.assumed = found.is_assumed || (!found.speech.writes.is_empty() && !found.speech.has_state());
    entity.state_topic = found.speech.reads.first().map(|read| read.topic.clone()).unwrap_or_default();
    entity.command_topic = found.speech.writes.first().map(|write| write.topic.clone());
    entity.leaf = None;
    entity.speech = Some(Arc::new(found.speech));
}
