//! Messages that a broker delivers again although they are stored: it did not hear the acknowledgement, because the connection broke, or the
//! server died, between the commit and the broker.
//!
//! A device that says the time needs nothing of this: the same reading twice is one reading. Without it the second delivery would become a
//! reading of its own, at the time of its own arrival. The last messages of each link are therefore remembered by their packet id, in the
//! transaction that stores their readings.

use std::collections::{HashMap, VecDeque};
use std::hash::Hasher as _;
use std::sync::Arc;

use domain::input::Message;
use fnv::FnvHasher;

/// Messages remembered for each link: more than a broker sends without an acknowledgement ([`crate::mqtt::link::LinkSettings`] asks for
/// 2,000 at most; where MQTT 3.1.1 leaves that to the broker, brokers send some ten).
pub const REMEMBERED: u64 = 8_192;

/// How a broker delivered a message that it wants acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its packet id, which a repeated delivery keeps.
    pub packet_id: u16,
    /// The broker says that it may have delivered it before.
    pub dup: bool,
}

/// A message that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The broker's name in the configuration.
    pub link: Arc<str>,
    /// It was the n-th of its link.
    pub n: u64,
    /// The packet id that it came with.
    pub packet_id: u16,
    /// Topic and payload in short; the same in every version of the program.
    pub digest: u64,
}

/// The messages that were taken last.
#[derive(Debug, Default)]
pub struct Memory {
    links: HashMap<Arc<str>, Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    next: u64,
    taken: VecDeque<Taken>,
}

impl Memory {
    /// What an earlier run remembered, oldest first.
    #[must_use]
    pub fn restored(taken: Vec<Taken>) -> Self {
        let mut memory = Self::default();
        taken.into_iter().for_each(|taken| memory.push(taken));
        memory
    }

    /// Whether a message was taken before, beyond doubt.
    ///
    /// Some brokers give a packet id to the next message as soon as it is free. There an equal message under an equal id may be a new one
    /// that was lost on its first way, and to store a reading twice is better than to lose it: an id that came more than once says nothing.
    #[must_use]
    pub fn is_again(&self, message: &Message, delivery: Delivery) -> bool {
        if !delivery.dup {
            return false;
        }
        let mut same_id =
            self.links.get(&message.link).into_iter().flat_map(|ring| &ring.taken).filter(|taken| taken.packet_id == delivery.packet_id);
        matches!((same_id.next(), same_id.next()), (Some(taken), None) if taken.digest == digest(message))
    }

    /// Remembers a message; what is returned belongs into the transaction that stores its readings.
    pub fn take(&mut self, message: &Message, delivery: Delivery) -> Taken {
        let n = self.links.get(&message.link).map_or(0, |ring| ring.next);
        let taken = Taken { link: Arc::clone(&message.link), n, packet_id: delivery.packet_id, digest: digest(message) };
        self.push(taken.clone());
        taken
    }

    /// A broker has lost the session: it repeats nothing, and counts packet ids from the start.
    pub fn forget(&mut self, link: &str) {
        if let Some(ring) = self.links.get_mut(link) {
            // So far on that what is stored counts for nothing either.
            ring.next += REMEMBERED;
            ring.taken.clear();
        }
    }

    fn push(&mut self, taken: Taken) {
        let ring = self.links.entry(Arc::clone(&taken.link)).or_default();
        ring.next = taken.n + 1;
        while ring.taken.front().is_some_and(|oldest| oldest.n + REMEMBERED <= taken.n) {
            ring.taken.pop_front();
        }
        ring.taken.push_back(taken);
    }
}

fn digest(message: &Message) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(message.topic.as_bytes());
    // No topic has this byte: it ends the topic.
    hasher.write(&[0]);
    hasher.write(&message.payload);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(payload: &str) -> Message {
        Message { link: "main".into(), topic: "sensors/a/temperature".into(), payload: payload.as_bytes().into(), qos: 1, retained: false }
    }

    fn delivery(packet_id: u16, dup: bool) -> Delivery {
        Delivery { packet_id, dup }
    }

    #[test]
    fn a_repeated_delivery_is_known_by_its_id_and_its_words_also_after_a_restart() {
        let mut memory = Memory::default();
        let taken = vec![memory.take(&message("21"), delivery(7, false)), memory.take(&message("21"), delivery(8, false))];
        assert_eq!(taken.iter().map(|taken| taken.n).collect::<Vec<_>>(), [0, 1]);
        for memory in [memory, Memory::restored(taken)] {
            assert!(memory.is_again(&message("21"), delivery(7, true)));
            assert!(!memory.is_again(&message("21"), delivery(7, false)), "the broker says that it is new");
            assert!(!memory.is_again(&message("22"), delivery(7, true)), "another message under the same id");
            assert!(!memory.is_again(&message("21"), delivery(9, true)), "it was lost on its first way");
            assert!(!memory.is_again(&Message { link: "other".into(), ..message("21") }, delivery(7, true)));
        }
    }

    #[test]
    fn a_broker_that_uses_an_id_again_at_once_is_believed_to_repeat_nothing() {
        let mut memory = Memory::default();
        memory.take(&message("21"), delivery(1, false));
        memory.take(&message("21"), delivery(1, false));
        assert!(!memory.is_again(&message("21"), delivery(1, true)));
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut memory = Memory::default();
        for packet_id in 1..=10_000 {
            memory.take(&message("21"), delivery(packet_id, false));
        }
        assert!(!memory.is_again(&message("21"), delivery(1, true)));
        assert!(memory.is_again(&message("21"), delivery(10_000 - 8_191, true)));
        assert_eq!(memory.links["main"].taken.len() as u64, REMEMBERED);
    }

    #[test]
    fn a_broker_that_lost_the_session_begins_anew() {
        let mut memory = Memory::default();
        let mut stored = vec![memory.take(&message("21"), delivery(1, false))];
        memory.forget("main");
        assert!(!memory.is_again(&message("21"), delivery(1, true)));
        stored.push(memory.take(&message("21"), delivery(1, false)));
        assert!(memory.is_again(&message("21"), delivery(1, true)));
        assert!(Memory::restored(stored).is_again(&message("21"), delivery(1, true)), "what came before the loss was stored and counts no more");
    }
}
