//! One message on its way into the fleet: what it is, and what it did so far.

use crate::change::Change;
use crate::convention::Convention;
use crate::device::DeviceId;
use crate::input::Message;
use crate::live::EntityChange;
use crate::time::Timestamp;

/// One message on its way into the fleet.
pub(super) struct Hearing<'a> {
    pub(super) message: &'a Message,
    /// Its number; no other message has it.
    pub(super) n: u64,
    /// When it arrived.
    pub(super) now: Timestamp,
    /// What follows from it.
    pub(super) out: &'a mut Vec<Change>,
    /// The entities that it fed, or could not feed, each once.
    pub(super) touched: Vec<usize>,
    /// These as they are after it.
    pub(super) fed: Vec<EntityChange>,
    /// The convention that heard it.
    pub(super) of: Option<Convention>,
    /// Two at most of the devices that it announced: more than one is too many to be somebody's own.
    pub(super) announced: Vec<DeviceId>,
    rejected: Option<String>,
    n_rejected: usize,
}

impl<'a> Hearing<'a> {
    pub(super) const fn new(message: &'a Message, n: u64, now: Timestamp, out: &'a mut Vec<Change>) -> Self {
        Self { message, n, now, out, touched: vec![], fed: vec![], of: None, announced: vec![], rejected: None, n_rejected: 0 }
    }

    /// It announced a device.
    pub(super) fn announces(&mut self, id: &DeviceId) {
        if self.announced.len() < 2 && !self.announced.contains(id) {
            self.announced.push(id.clone());
        }
    }

    /// Something in it could not be taken. However much it is, the message is told as one.
    pub(super) fn reject(&mut self, reason: impl FnOnce() -> String) {
        self.n_rejected += 1;
        if self.rejected.is_none() {
            self.rejected = Some(reason());
        }
    }

    /// What it fed, and why not all of it could be taken.
    pub(super) fn end(self) -> (Vec<EntityChange>, Option<String>) {
        let reason = self.rejected.map(|first| match self.n_rejected {
            1 => first,
            n => format!("{first} (and {} more)", n - 1),
        });
        (self.fed, reason)
    }
}
