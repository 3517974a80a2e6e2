//! A word to all devices of a convention after a connection, which makes them say who they are.

use crate::time::Timestamp;

/// How long after a connection it is said, in milliseconds: what the broker keeps is heard first, and the filters are agreed.
const SETTLE_MS: i64 = 1_000;
/// Shortest time from one to the next, in milliseconds: a link that comes and goes shall not make a plant talk of nothing else.
const AGAIN_MS: i64 = 60_000;

/// When the word is due.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Greeting {
    due_at: Option<Timestamp>,
    said_at: Option<Timestamp>,
}

impl Greeting {
    /// The broker is reached, for the first time or again.
    pub(super) fn reconnected(&mut self, now: Timestamp) {
        self.due_at = Some(now.plus_ms(SETTLE_MS));
    }

    /// Whether the word is to be said now. Asked each tick.
    pub(super) fn is_due(&mut self, now: Timestamp) -> bool {
        // A clock that was set back makes nobody wait longer.
        let is_free = self.said_at.is_none_or(|at| !(0..AGAIN_MS).contains(&now.since_ms(at)));
        let is_due = is_free && self.due_at.take_if(|at| now >= *at).is_some();
        if is_due {
            self.said_at = Some(now);
        }
        is_due
    }
}
