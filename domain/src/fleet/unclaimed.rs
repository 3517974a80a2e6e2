//! What was said on topics before anybody knew what they are about. A broker that replays what it holds sends states before the announcements that
//! explain them as often as after: once they are explained, what they said last is heard again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::input::Message;
use crate::time::Timestamp;

/// Topics remembered.
const MOST_TOPICS: usize = 20_000;
/// Bytes of payloads remembered.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Larger payloads are not: no state is.
const MOST_OF_ONE: usize = 64 * 1024;

/// The last message of each topic that nobody could make anything of, with when it came.
#[derive(Debug, Default)]
pub(super) struct Unclaimed {
    by_topic: HashMap<(Arc<str>, Arc<str>), (Message, Timestamp)>,
    /// In the order in which topics came; one may be gone already.
    order: VecDeque<(Arc<str>, Arc<str>)>,
    n_bytes: usize,
}

impl Unclaimed {
    pub(super) fn keep(&mut self, message: &Message, now: Timestamp) {
        let key = (Arc::clone(&message.link), Arc::clone(&message.topic));
        if message.payload.is_empty() || message.payload.len() > MOST_OF_ONE {
            self.take(&message.link, &message.topic);
            return;
        }
        self.n_bytes += message.payload.len();
        match self.by_topic.insert(key.clone(), (message.clone(), now)) {
            Some((before, _)) => self.n_bytes -= before.payload.len(),
            None => self.order.push_back(key),
        }
        while self.n_bytes > MOST_BYTES || self.order.len() > MOST_TOPICS {
            let Some((link, topic)) = self.order.pop_front() else { return };
            self.take(&link, &topic);
        }
    }

    /// What was said on a topic last. It is held on to: several entities may read one topic, and be announced one after the other.
    pub(super) fn find(&self, link: &Arc<str>, topic: &Arc<str>) -> Option<(Message, Timestamp)> {
        self.by_topic.get(&(Arc::clone(link), Arc::clone(topic))).cloned()
    }

    /// What is said now on a topic that somebody knows by now: whoever comes later hears this, and nothing older. What a broker replays is kept for
    /// those who are announced later still.
    pub(super) fn renew(&mut self, message: &Message, now: Timestamp) {
        let is_kept = || self.by_topic.contains_key(&(Arc::clone(&message.link), Arc::clone(&message.topic)));
        if message.retained || (!self.by_topic.is_empty() && is_kept()) {
            self.keep(message, now);
        }
    }

    fn take(&mut self, link: &Arc<str>, topic: &Arc<str>) {
        if let Some((message, _)) = self.by_topic.remove(&(Arc::clone(link), Arc::clone(topic))) {
            self.n_bytes -= message.payload.len();
        }
    }
}
