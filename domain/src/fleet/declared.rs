//! Entities that the configuration names: it makes them, or says of known ones what they are and where their commands go.

use crate::control::Control;
use crate::convention::payload::decode_state;
use crate::device::{Device, DeviceId, name_from};
use crate::entity::{Entity, EntityId, EntityKind};
use crate::time::Timestamp;
use crate::units::measure;
use crate::value::Value;

use super::{Fleet, MAX_DEVICES, MAX_ENTITIES};

/// The convention of devices that only the configuration knows.
const CONVENTION: &str = "configuration";

/// What the configuration says of something that can be set.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// What it is: nothing that is only measured.
    pub kind: EntityKind,
    /// Where commands go.
    pub command_topic: String,
    /// Where its state comes from; `None` where another convention knows, or nobody.
    pub state_topic: Option<String>,
    /// Its broker; `None` is the only one.
    pub link: Option<String>,
    /// Range, options and payloads.
    pub control: Control,
}

impl Declared {
    /// Says of an entity what is declared.
    fn amend(&self, entity: &mut Entity) {
        entity.kind = self.kind;
        entity.command_topic = Some(self.command_topic.clone());
        entity.control = Control { is_declared: true, ..self.control.clone() };
        if let Some(topic) = &self.state_topic {
            entity.state_topic.clone_from(topic);
            entity.leaf = None;
        }
        entity.assumed = entity.state_topic.is_empty();
    }
}

impl Fleet {
    /// What is declared of an entity that is about to be known; `false` for one that nothing but an earlier configuration knew.
    pub(super) fn declare_entity(&self, entity: &mut Entity) -> bool {
        match self.settings.declared.get(&entity.id) {
            Some(declared) => declared.amend(entity),
            None if entity.control.is_declared => return false,
            None => {}
        }
        true
    }

    /// Makes what is declared and not known yet. To be called once, after what an earlier run stored was taken up; returns what is to be stored.
    pub fn declare(&mut self, only_link: &str, now: Timestamp) -> (Vec<Device>, Vec<Entity>) {
        let mut declared: Vec<(EntityId, Declared)> = self.settings.declared.iter().map(|(id, declared)| (id.clone(), declared.clone())).collect();
        declared.sort_by(|a, b| a.0.cmp(&b.0));
        let (mut devices, mut entities) = (vec![], vec![]);
        for (id, declared) in declared {
            let link = declared.link.as_deref().unwrap_or(only_link);
            let Ok(device_id) = DeviceId::parse(id.device()) else { continue };
            if let Some(device) = self.device_of_declared(&device_id, link, now) {
                devices.push(device);
            }
            if self.devices.contains_key(&device_id) && !self.by_id.contains_key(&id) && self.n_entities() < MAX_ENTITIES {
                let entity = Entity {
                    name: name_from(id.key()),
                    icon: icon(declared.kind, id.key()).to_owned(),
                    ..Entity::new(id.clone(), device_id.clone())
                };
                self.insert_entity(entity);
            }
            // Last, so that nothing that an earlier run made of these topics stands in the way.
            if let Some(slot) = self.by_id.get(&id).and_then(|&idx| self.slots.get(idx)) {
                self.bindings.bind_commands(&slot.entity, self.devices.get(&device_id), self.by_id[&id]);
                entities.push(slot.as_found());
            }
        }
        (devices, entities)
    }

    /// The device of something declared, when it is new or has another broker now.
    fn device_of_declared(&mut self, id: &DeviceId, link: &str, now: Timestamp) -> Option<Device> {
        let device = match self.devices.get(id) {
            Some(known) if known.convention == CONVENTION && known.link != link => Device { link: link.to_owned(), ..known.clone() },
            Some(_) => return None,
            None if self.devices.len() >= MAX_DEVICES => return None,
            None => {
                Device { convention: CONVENTION.to_owned(), ..Device::new(id.clone(), name_from(id.as_str()), link, format!("devices/{id}"), now) }
            }
        };
        self.bindings.bind_availability(&device);
        self.devices.insert(id.clone(), device.clone());
        Some(device)
    }
}

/// A value of a message as something that can be set says it; what it is to be in words where it is none.
pub(super) fn fitted(kind: EntityKind, value: &Value, before: Option<&Value>) -> Result<Value, &'static str> {
    let text = match value {
        Value::Number(n) => n.to_string(),
        Value::Bool(on) => if *on { "on" } else { "off" }.to_owned(),
        other => other.words(None).into_owned(),
    };
    decode_state(kind, text.as_bytes(), before).ok().flatten().ok_or(match kind {
        EntityKind::Number => "number",
        EntityKind::Light | EntityKind::Switch | EntityKind::Fan => "on or off",
        _ => "state of it",
    })
}

fn icon(kind: EntityKind, key: &str) -> &'static str {
    match kind {
        EntityKind::Light => "bulb",
        EntityKind::Switch | EntityKind::Fan | EntityKind::Button => "power",
        _ => measure(key).icon,
    }
}
