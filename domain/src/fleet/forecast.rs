//! What a topic would be by other patterns: for whoever is about to write them. Nothing is changed.

use crate::convention::payload::{decode, shown};
use crate::convention::plain::{Role, TopicPattern};
use crate::device::{AreaId, DeviceId, MAX_ID_BYTES};
use crate::entity::{Entity, EntityId, EntityKind};

use super::binding::Binding;
use super::discovery::{decodes, first_of_each, key_of, key_of_settable};
use super::patterns::is_other;
use super::{Fleet, MAX_ENTITIES_PER_DEVICE};

/// Entities of one topic that are named at most.
const MOST_NAMED: usize = 20;

/// Why a topic stays what it is, whatever patterns say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    /// The patterns say of it what is said already.
    Same,
    /// A convention of its own says what it is.
    Convention,
    /// Somebody wrote about its entities: they keep their ids.
    Written,
    /// It says whether a device is there, until the next start.
    Presence,
}

impl Stays {
    /// One word: `convention`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Convention => "convention",
            Self::Written => "written",
            Self::Presence => "presence",
        }
    }
}

/// What a topic would be by other patterns, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// What the first pattern that takes it says.
    pub role: Role,
    /// The device that it would be about; `None` where it would be about none.
    pub device: Option<DeviceId>,
    /// The area that the topic names.
    pub area: Option<AreaId>,
    /// The entities that it would feed with its last message, at most 20.
    pub entities: Vec<EntityId>,
    /// Why its last message would make none: what could not be read.
    pub reason: Option<String>,
    /// The entities that it feeds now, at most 20.
    pub now: Vec<EntityId>,
    /// Why it stays what it is; `None` for what would be something else.
    pub stays: Option<Stays>,
    /// It feeds nothing today, and would feed something.
    pub is_new: bool,
}

impl Fleet {
    /// What a topic of a broker would be by other patterns, as its last message says, of which `payload` is the beginning when `is_cut`; `None` where
    /// none of them takes it. An id that something else has by then, and that is free now, is not foreseen.
    #[must_use]
    pub fn forecast(&self, patterns: &[TopicPattern], (link, topic): (&str, &str), payload: &[u8], is_cut: bool) -> Option<Forecast> {
        let role = patterns.iter().find_map(|pattern| pattern.role(topic))?;
        let (device, area) = match &role {
            Role::Readings { device, area, .. } => (Some(device), area.as_deref().map(AreaId::slug)),
            Role::State { device, .. } | Role::Command { device, .. } | Role::Availability { device, .. } => (Some(device), None),
            Role::Nothing => (None, None),
        };
        let device = device.map(|device| self.merged(DeviceId::slug(device)));
        let binding = self.bindings.find(link, topic);
        let fed: Vec<&Entity> =
            binding.map(Binding::entities).unwrap_or_default().into_iter().filter_map(|idx| Some(&self.slots.get(idx)?.entity)).collect();
        let kept = |entity: &&&Entity| !self.goes(entity, &self.settings.patterns, patterns);
        let stays = match binding {
            Some(Binding::Spoken(_) | Binding::Speaker(_)) => Some(Stays::Convention),
            Some(Binding::Availability(_)) => Some(if is_other(topic, &self.settings.patterns, patterns) { Stays::Presence } else { Stays::Same }),
            None | Some(Binding::Nothing) => None,
            Some(_) if !is_other(topic, &self.settings.patterns, patterns) => Some(Stays::Same),
            Some(_) => fed.iter().any(|entity| kept(&entity)).then_some(Stays::Written),
        };
        let ids = |entities: &mut dyn Iterator<Item = &Entity>| entities.take(MOST_NAMED).map(|entity| entity.id.clone()).collect::<Vec<_>>();
        let now = ids(&mut fed.iter().copied());
        let (entities, reason) = match (stays, &device) {
            (Some(Stays::Written), _) => (ids(&mut fed.iter().filter(kept).copied()), None),
            (Some(_), _) => (now.clone(), None),
            (None, Some(device)) => self.foreseen(device, &role, patterns, topic, (payload, is_cut)),
            (None, None) => (vec![], None),
        };
        let is_nothing = matches!(binding, None | Some(Binding::Nothing));
        let is_new = is_nothing && (!entities.is_empty() || matches!(role, Role::Availability { .. }));
        Some(Forecast { role, device, area, entities, reason, now, stays, is_new })
    }

    /// The entities that a topic would make, and what could not be read.
    fn foreseen(
        &self,
        device: &DeviceId,
        role: &Role,
        patterns: &[TopicPattern],
        topic: &str,
        (payload, is_cut): (&[u8], bool),
    ) -> (Vec<EntityId>, Option<String>) {
        let keys = match role {
            Role::Readings { .. } if is_cut => return (vec![], Some("its last payload is longer than what is remembered".to_owned())),
            Role::Readings { measure, .. } => match decode(payload) {
                Ok(decoded) => {
                    first_of_each(decoded.samples.iter().collect()).into_iter().take(MOST_NAMED).map(|one| key_of(measure, &one.leaf)).collect()
                }
                Err(error) => return (vec![], Some(shown(&error.to_string()))),
            },
            Role::State { kind, .. } | Role::Command { kind, .. } => {
                if !decodes(*kind, payload) {
                    let what = if *kind == EntityKind::Light { "light" } else { "switch" };
                    return (vec![], Some(format!("its last payload is no state of a {what}")));
                }
                vec![key_of_settable(*kind).to_owned()]
            }
            Role::Availability { .. } | Role::Nothing => vec![],
        };
        (keys.iter().map(|key| self.free_id(device, key, patterns, topic)).collect(), None)
    }

    /// The id that a new entity of a topic would get.
    fn free_id(&self, device: &DeviceId, key: &str, patterns: &[TopicPattern], topic: &str) -> EntityId {
        let id = EntityId::new(device, key);
        let is_taken = |id: &EntityId| {
            self.is_group(id)
                || self.by_id.get(id).and_then(|&idx| self.slots.get(idx)).is_some_and(|slot| {
                    let entity = &slot.entity;
                    let is_paired = entity.control.is_declared && entity.state_topic.is_empty();
                    // A state topic and its commands are one thing.
                    let is_state_of = |command: &String| topic.strip_suffix("/state") == Some(command.as_str());
                    let is_own = entity.state_topic == topic || entity.command_topic.as_ref().is_some_and(is_state_of);
                    !is_paired && !is_own && !self.goes(entity, &self.settings.patterns, patterns)
                })
        };
        if !is_taken(&id) {
            return id;
        }
        let stem = &id.key()[..id.key().len().min(MAX_ID_BYTES - 5)];
        let mut numbered = (2..=MAX_ENTITIES_PER_DEVICE + 1).map(|n| EntityId::new(device, &format!("{stem}-{n}")));
        numbered.find(|id| !is_taken(id)).unwrap_or_else(|| id.clone())
    }
}
