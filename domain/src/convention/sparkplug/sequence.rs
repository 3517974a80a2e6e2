//! The order of a node's messages: each has a number, 0 to 255 and from the beginning again, and those that come early wait for those before them.

use std::collections::BTreeMap;

use crate::time::{SECOND_MS, Timestamp};

/// How long a message that is missing is waited for (the host's reorder time-out).
pub(super) const REORDER_MS: i64 = 5 * SECOND_MS;
/// How long a birth is waited for then. A node that gives none is read as it was, from what came after the gap.
const GIVE_UP_MS: i64 = REORDER_MS + 30 * SECOND_MS;
/// Messages of one node that wait.
const MOST_EARLY: usize = 128;
/// Bytes of them.
const MOST_EARLY_BYTES: usize = 1024 * 1024;
/// A number so little behind is that of a message that came twice.
const BEHIND: u8 = 16;

/// A message that came before its turn.
#[derive(Clone, Debug)]
pub(super) struct Early {
    /// What it is about.
    pub(super) topic: String,
    /// Not decoded again before its turn.
    pub(super) payload: Vec<u8>,
    /// When it was sent, by the node's clock.
    pub(super) sent_at: Option<u64>,
}

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    /// The number of the next message; `None` takes any.
    next: Option<u8>,
    /// Messages may have been missed without a gap: the broker was away.
    is_unsure: bool,
    /// When the last message was sent, by the node's clock.
    last_sent: Option<u64>,
    gap_since: Option<Timestamp>,
    early: BTreeMap<u8, Early>,
    n_bytes: usize,
}

/// What is to be done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is its turn.
    Now,
    /// It came before its turn.
    Early,
    /// It came already.
    Old,
}

/// What is to be done about a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Wait, or there is none.
    Wait,
    /// Ask for a birth.
    Ask,
    /// Go on without.
    GiveUp,
}

impl Sequence {
    /// A birth begins it anew; messages that came before it and are younger stay.
    pub(super) fn begin(&mut self, seq: Option<u8>, sent_at: Option<u64>, now: Timestamp) {
        (self.next, self.last_sent, self.is_unsure) = (seq.map(|seq| seq.wrapping_add(1)), sent_at, false);
        self.early.retain(|_, early| early.sent_at.zip(sent_at).is_some_and(|(early, birth)| early >= birth));
        self.n_bytes = self.early.values().map(|early| early.payload.len()).sum();
        self.gap_since = (!self.early.is_empty()).then_some(now);
    }

    /// Whose turn a message is. One without a number is taken as it comes.
    pub(super) fn turn(&mut self, seq: Option<u8>, sent_at: Option<u64>) -> Turn {
        let Some(seq) = seq else { return Turn::Now };
        let next = self.next.unwrap_or(seq);
        if seq == next {
            self.next = Some(seq.wrapping_add(1));
            self.last_sent = sent_at.or(self.last_sent);
            self.is_unsure = false;
            return Turn::Now;
        }
        let is_behind = next.wrapping_sub(seq) <= BEHIND;
        let is_older = sent_at.zip(self.last_sent).is_some_and(|(sent, last)| sent <= last);
        if is_behind && is_older { Turn::Old } else { Turn::Early }
    }

    /// Keeps a message for its turn; what is to be done about the gap before it.
    pub(super) fn keep(&mut self, seq: u8, early: Early, now: Timestamp) -> Gap {
        self.gap_since.get_or_insert(now);
        let has_room = self.early.len() < MOST_EARLY && self.n_bytes + early.payload.len() <= MOST_EARLY_BYTES;
        if has_room && !self.early.contains_key(&seq) {
            self.n_bytes += early.payload.len();
            self.early.insert(seq, early);
        }
        if self.is_unsure || !has_room { Gap::Ask } else { self.gap(now) }
    }

    /// The message whose turn it is now, if it came already.
    pub(super) fn next_early(&mut self) -> Option<Early> {
        let next = self.next?;
        let Some(early) = self.early.remove(&next) else {
            if self.early.is_empty() {
                self.gap_since = None;
            }
            return None;
        };
        self.n_bytes -= early.payload.len();
        self.next = Some(next.wrapping_add(1));
        self.last_sent = early.sent_at.or(self.last_sent);
        Some(early)
    }

    /// What is to be done about a gap, if there is one.
    pub(super) fn gap(&self, now: Timestamp) -> Gap {
        match self.gap_since.map(|since| now.since_ms(since)) {
            Some(GIVE_UP_MS.. | i64::MIN..0) => Gap::GiveUp,
            Some(REORDER_MS..) => Gap::Ask,
            _ => Gap::Wait,
        }
    }

    /// All that wait, in their order, as if nothing were missing. The next message may have any number.
    pub(super) fn give_up(&mut self) -> Vec<Early> {
        let next = self.next.unwrap_or_default();
        let mut early: Vec<(u8, Early)> = std::mem::take(&mut self.early).into_iter().collect();
        early.sort_by_key(|(seq, _)| seq.wrapping_sub(next));
        (self.next, self.gap_since, self.n_bytes, self.is_unsure) = (None, None, 0, false);
        early.into_iter().map(|(_, early)| early).collect()
    }

    /// Those that wait and were sent before a birth, in their order.
    pub(super) fn before(&mut self, birth: Option<u64>) -> Vec<Early> {
        let next = self.next.unwrap_or_default();
        let is_before = |early: &Early| early.sent_at.zip(birth).is_some_and(|(early, birth)| early < birth);
        let mut seqs: Vec<u8> = self.early.iter().filter(|(_, early)| is_before(early)).map(|(seq, _)| *seq).collect();
        seqs.sort_by_key(|seq| seq.wrapping_sub(next));
        seqs.into_iter().filter_map(|seq| self.early.remove(&seq)).collect()
    }

    /// The broker was away: what comes next may be of another session.
    pub(super) fn doubt(&mut self) {
        self.is_unsure = true;
    }
}
