//! What topics are about, as the operator writes it: from the next message on.

use crate::change::Change;
use crate::convention::plain::{Preview, Role, TopicPattern, discover_by};
use crate::entity::Entity;
use crate::time::Timestamp;

use super::Fleet;

impl Fleet {
    /// The patterns that are asked first.
    #[must_use]
    pub fn patterns(&self) -> &[TopicPattern] {
        &self.settings.patterns
    }

    /// What a pattern would make of topics, for whoever is about to write it. It looks at nothing but them.
    #[must_use]
    pub fn preview<'a>(pattern: &TopicPattern, topics: impl Iterator<Item = &'a str>) -> Vec<Preview> {
        pattern.preview(topics)
    }

    /// Takes other patterns. Topics that fed nothing are looked at again, and entities that only their topic made, of which it says something else
    /// now, go: their next message makes them anew, under the id that they have by then. What somebody has written about stays as it is.
    pub(super) fn set_patterns(&mut self, patterns: Vec<TopicPattern>, now: Timestamp, out: &mut Vec<Change>) {
        if self.settings.patterns == patterns {
            return;
        }
        let before = std::mem::replace(&mut self.settings.patterns, patterns);
        self.bindings.forget_nothing();
        let others: Vec<usize> = (0..self.slots.len())
            .filter(|&idx| self.slots.get(idx).is_some_and(|slot| !slot.is_gone && self.goes(&slot.entity, &before, &self.settings.patterns)))
            .collect();
        for idx in others {
            let Some(device) = self.slots.get(idx).map(|slot| slot.entity.device.clone()) else { continue };
            self.remove_entity(idx, now, out);
            if self.by_device.get(&device).is_none_or(Vec::is_empty) {
                self.remove_device(&device, now, out);
            }
        }
    }
}

impl Fleet {
    /// Whether an entity that is there by some patterns is none by others: only its topic made it, and that says something else.
    pub(super) fn goes(&self, entity: &Entity, before: &[TopicPattern], after: &[TopicPattern]) -> bool {
        entity.speech.is_none() && !entity.state_topic.is_empty() && is_other(&entity.state_topic, before, after) && !self.is_written_about(entity)
    }
}

/// Whether a topic is about something else by other patterns.
pub(super) fn is_other(topic: &str, before: &[TopicPattern], after: &[TopicPattern]) -> bool {
    names(discover_by(before, topic, b"1")) != names(discover_by(after, topic, b"1"))
}

/// What of a role makes an entity what it is.
fn names(role: Role) -> (u8, String, String, Option<String>) {
    match role {
        Role::Readings { device, measure, area, .. } => (0, device, measure, area),
        Role::State { device, command_topic, .. } => (1, device, command_topic, None),
        Role::Command { device, .. } => (2, device, String::new(), None),
        Role::Availability { device, .. } => (3, device, String::new(), None),
        Role::Nothing => (4, String::new(), String::new(), None),
    }
}
