//! What is said of entities besides their values. It is kept in memory only, as it came, and read when somebody asks for it.

use serde_json::{Map as Object, Value as Json};

use super::Fleet;
use super::hearing::Hearing;
use crate::convention::payload::PayloadError;
use crate::convention::speech::Told;
use crate::entity::EntityId;
use crate::time::Timestamp;

/// Most bytes that are kept of all entities.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What was said of an entity besides its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Attributes {
    /// By name; or why the last message could not be read.
    pub read: Result<Object<String, Json>, PayloadError>,
    /// When it was said; `None` where the broker had kept it.
    pub at: Option<Timestamp>,
}

impl Fleet {
    /// What was said of an entity besides its value; `None` where nothing was.
    #[must_use]
    pub fn attributes(&self, id: &EntityId) -> Option<Attributes> {
        let slot = self.by_id.get(id).and_then(|&idx| self.slots.get(idx))?;
        let (told, source) = (slot.told.as_ref()?, slot.entity.speech.as_deref()?.attributes.as_ref()?);
        Some(Attributes { read: told.read(&source.extract, &self.templates), at: told.at })
    }

    /// A message with attributes of an entity; an empty one takes them back. Past what may be kept, what was said before goes and nothing new stays.
    pub(super) fn take_attributes(&mut self, idx: usize, heard: &Hearing<'_>) {
        let message = heard.message;
        let at = (!message.retained).then_some(heard.now);
        let told = (!message.payload.iter().all(u8::is_ascii_whitespace)).then(|| Told::new(&message.payload, at));
        self.forget_attributes(idx);
        let (Some(slot), Some(told)) = (self.slots.get_mut(idx), told) else { return };
        if self.n_told_bytes + told.n_bytes() <= MOST_BYTES {
            self.n_told_bytes += told.n_bytes();
            slot.told = Some(told);
        }
    }

    /// Nothing is known any more of what was said of an entity besides its value.
    pub(super) fn forget_attributes(&mut self, idx: usize) {
        if let Some(told) = self.slots.get_mut(idx).and_then(|slot| slot.told.take()) {
            self.n_told_bytes -= told.n_bytes();
        }
    }
}
