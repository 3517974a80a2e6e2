//! New devices and entities: what topics and first messages make.

use std::collections::HashSet;

use crate::change::Change;
use crate::convention::payload::{Sample, decode, decode_light, decode_switch, shown};
use crate::convention::{Role, plain};
use crate::device::{AreaId, Device, DeviceId, MAX_ID_BYTES, name_from};
use crate::entity::{Entity, EntityId, EntityKind};
use crate::units::measure;
use crate::value::Value;

use super::binding::Binding;
use super::hearing::Hearing;
use super::{Fleet, MAX_DEVICES, MAX_ENTITIES, MAX_ENTITIES_PER_DEVICE};

impl Fleet {
    /// Offers an unknown topic to the conventions, which may make entities of it.
    pub(super) fn discover(&mut self, heard: &mut Hearing<'_>) {
        if self.offer(heard) {
            return;
        }
        let message = heard.message;
        if message.payload.is_empty() {
            // What was retained there is deleted: nobody speaks, least of all one that was removed.
            return;
        }
        if message.retained {
            // A broker that replays what it holds says what a convention may explain only later.
            self.unclaimed.keep(message, heard.now);
        }
        match plain::discover_by(&self.settings.patterns, &message.topic, &message.payload) {
            Role::Readings { device, measure, area, root } => match decode(&message.payload) {
                Ok(decoded) => {
                    let news = first_of_each(decoded.samples.iter().collect());
                    self.discover_readings((&device, &measure, area.map(|area| AreaId::slug(&area)), root), &news, heard);
                }
                Err(error) => heard.reject(|| error.to_string()),
            },
            Role::State { device, kind, command_topic } => {
                let known = self.bindings.find(&message.link, &command_topic).cloned();
                if let Some(Binding::Command(idx)) = known {
                    self.pair_state_topic(idx, heard);
                } else if decodes(kind, &message.payload) {
                    self.discover_settable(&device, kind, (&message.topic, &command_topic), heard);
                }
            }
            Role::Command { device, kind } => {
                self.watch_command_topic(message, heard.now, heard.out);
                if !message.retained && decodes(kind, &message.payload) {
                    self.discover_settable(&device, kind, (&message.topic, &message.topic), heard);
                }
            }
            Role::Availability { device, root } => {
                let id = self.merged(DeviceId::slug(&device));
                if self.device_for(&id, &device, None, root, heard) {
                    self.bindings.bind(&message.link, &message.topic, Binding::Availability(id));
                }
            }
            Role::Nothing => self.bindings.bind(&message.link, &message.topic, Binding::Nothing),
        }
    }

    /// Makes an entity of each sample; no two of them have the same leaf.
    pub(super) fn discover_readings(
        &mut self,
        (device, measure_name, area, root): (&str, &str, Option<AreaId>, String),
        samples: &[&Sample],
        heard: &mut Hearing<'_>,
    ) {
        if samples.is_empty() {
            return;
        }
        let device_id = self.merged(DeviceId::slug(device));
        if !self.device_for(&device_id, device, area, root, heard) {
            return;
        }
        for sample in samples {
            let key = key_of(measure_name, &sample.leaf);
            let leaf = (!sample.leaf.is_empty()).then(|| sample.leaf.clone());
            if self.pair_declared(&EntityId::new(&device_id, &key), leaf.as_ref(), heard) {
                continue;
            }
            if let Some(id) = self.new_entity(&device_id, &key, heard) {
                let known = measure(&key.to_ascii_lowercase());
                let states = matches!(known.icon, "door" | "motion");
                let kind = match &sample.value {
                    Value::Bool(_) => EntityKind::BinarySensor,
                    Value::Number(n) if states && (*n == 0.0 || *n == 1.0) => EntityKind::BinarySensor,
                    _ => EntityKind::Sensor,
                };
                let is_number = kind == EntityKind::Sensor && matches!(sample.value, Value::Number(_));
                let unit = sample.unit.clone().or_else(|| (!known.unit.is_empty()).then(|| known.unit.to_owned())).filter(|_| is_number);
                // JSON has a field for it.
                let is_text = !matches!(heard.message.payload.trim_ascii_start().first(), Some(b'{' | b'['));
                let words = kind == EntityKind::BinarySensor && known.icon == "door";
                self.add_entity(
                    Entity {
                        name: name_from(&key.replace('.', " ")),
                        kind,
                        unit_guessed: is_number && is_text && sample.unit.is_some(),
                        unit,
                        icon: known.icon.to_owned(),
                        precision: known.precision,
                        state_topic: heard.message.topic.to_string(),
                        leaf,
                        word_on: words.then(|| "Open".to_owned()),
                        word_off: words.then(|| "Closed".to_owned()),
                        ..Entity::new(id, device_id.clone())
                    },
                    heard,
                );
            }
        }
    }

    fn discover_settable(&mut self, device: &str, kind: EntityKind, (state_topic, command_topic): (&str, &str), heard: &mut Hearing<'_>) {
        let device_id = self.merged(DeviceId::slug(device));
        if !self.device_for(&device_id, device, None, command_topic.to_owned(), heard) {
            return;
        }
        let key = key_of_settable(kind);
        if let Some(id) = self.new_entity(&device_id, key, heard) {
            self.add_entity(
                Entity {
                    name: name_from(device),
                    kind,
                    icon: if kind == EntityKind::Light { "bulb" } else { measure(&device.to_ascii_lowercase()).icon_or("power") }.to_owned(),
                    assumed: state_topic == command_topic,
                    state_topic: state_topic.to_owned(),
                    command_topic: Some(command_topic.to_owned()),
                    ..Entity::new(id, device_id)
                },
                heard,
            );
        }
    }

    /// A light that was only known by its commands turns out to report its state.
    fn pair_state_topic(&mut self, idx: usize, heard: &mut Hearing<'_>) {
        let Some(slot) = self.slots.get_mut(idx) else { return };
        slot.find(|entity| {
            entity.state_topic = heard.message.topic.to_string();
            entity.assumed = false;
        });
        self.bindings.bind(&heard.message.link, &heard.message.topic, Binding::State(idx));
        self.tell_entity(idx, heard.out);
    }

    /// Something declared, whose state nobody knew so far, turns out to be what a topic says.
    fn pair_declared(&mut self, id: &EntityId, leaf: Option<&String>, heard: &mut Hearing<'_>) -> bool {
        let Some(&idx) = self.by_id.get(id) else { return false };
        let Some(slot) = self.slots.get_mut(idx).filter(|slot| slot.entity.control.is_declared && slot.entity.state_topic.is_empty()) else {
            return false;
        };
        slot.find(|entity| {
            entity.state_topic = heard.message.topic.to_string();
            entity.leaf = leaf.cloned();
            entity.assumed = false;
        });
        let device = self.devices.get(&slot.entity.device);
        self.bindings.bind_entity(&slot.entity, device, idx);
        self.tell_entity(idx, heard.out);
        true
    }

    /// A free id for a new entity; `None` (and a word about it) when the device or the server has too many.
    pub(super) fn new_entity(&self, device: &DeviceId, key: &str, heard: &mut Hearing<'_>) -> Option<EntityId> {
        let of_device = self.by_device.get(device).map_or(0, Vec::len);
        if of_device >= MAX_ENTITIES_PER_DEVICE || self.n_entities() >= MAX_ENTITIES {
            let total = self.n_entities();
            heard.reject(|| format!("device {device} has {of_device} entities, the server {total}: no room for \"{}\"", shown(key)));
            return None;
        }
        let id = EntityId::new(device, key);
        // Room for the number, whatever the length: ids are ASCII.
        let stem = &id.key()[..id.key().len().min(MAX_ID_BYTES - 5)];
        (1..=MAX_ENTITIES_PER_DEVICE + 1)
            .map(|n| if n == 1 { id.clone() } else { EntityId::new(device, &format!("{stem}-{n}")) })
            .find(|id| !self.by_id.contains_key(id) && !self.is_group(id))
    }

    fn add_entity(&mut self, entity: Entity, heard: &mut Hearing<'_>) {
        let idx = self.insert_entity(entity);
        self.tell_entity(idx, heard.out);
    }

    pub(super) fn tell_entity(&self, idx: usize, out: &mut Vec<Change>) {
        if let Some(slot) = self.slots.get(idx) {
            out.push(Change::Entity(Box::new(slot.as_found()), Box::new(self.view_of(slot))));
        }
    }

    /// Makes the device when it is new; `false` (and a word about it) when there is no room.
    fn device_for(&mut self, id: &DeviceId, name: &str, area: Option<AreaId>, root: String, heard: &mut Hearing<'_>) -> bool {
        if self.devices.contains_key(id) {
            return true;
        }
        if let Some(id) = self.stays_removed(&[id.to_string()], heard) {
            heard.announces(&id);
            return false;
        }
        if self.devices.len() >= MAX_DEVICES || self.n_entities() >= MAX_ENTITIES {
            let (n_devices, n_entities) = (self.devices.len(), self.n_entities());
            heard.reject(|| format!("the server has {n_devices} devices and {n_entities} entities: no room for \"{}\"", shown(name)));
            return false;
        }
        if let Some(area) = &area {
            self.note_area(area);
        }
        let device = Device {
            area,
            convention: super::findings::PLAIN.to_owned(),
            ..Device::new(id.clone(), name_from(name), &heard.message.link, root, heard.now)
        };
        self.bindings.bind_availability(&device);
        heard.out.push(Change::Device(device.clone()));
        self.devices.insert(id.clone(), device);
        self.write_device(id);
        true
    }
}

/// What the entity of a leaf is called behind its device.
pub(super) fn key_of(measure: &str, leaf: &str) -> String {
    match (measure.is_empty(), leaf.is_empty()) {
        (false, true) => measure.to_owned(),
        (true, false) => leaf.to_owned(),
        (false, false) => format!("{measure}_{leaf}"),
        (true, true) => "value".to_owned(),
    }
}

/// What something that can be set is called behind its device.
pub(super) const fn key_of_settable(kind: EntityKind) -> &'static str {
    if matches!(kind, EntityKind::Light) { "light" } else { "switch" }
}

pub(super) fn decodes(kind: EntityKind, payload: &[u8]) -> bool {
    let decoded = if kind == EntityKind::Light { decode_light(payload) } else { decode_switch(payload) };
    matches!(decoded, Ok(Some(_)))
}

/// The rows of a batch name the same leaves again and again: each makes one entity.
pub(super) fn first_of_each(samples: Vec<&Sample>) -> Vec<&Sample> {
    let mut seen = HashSet::new();
    samples.into_iter().filter(|sample| seen.insert(sample.leaf.as_str())).collect()
}
