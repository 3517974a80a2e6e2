//! Every topic that was heard, with its last message: what the topic explorer shows. Bounded in memory, whatever arrives.

/// One topic.
mod entry;
/// Reading them in order.
mod scan;
/// Reading them level by level.
mod tree;

use std::collections::HashMap;
use std::sync::Arc;

use domain::input::Message;
use domain::time::Timestamp;

pub use self::entry::{Bad, Entry, MAX_BAD_BYTES, MAX_PAYLOAD_BYTES};
pub use self::scan::{Key, Scan};
pub use self::tree::{Tree, Twig, Wanted};

/// How much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Topics.
    pub topics: usize,
    /// Bytes in all: topics, payloads, and what it takes to find them.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { topics: 200_000, bytes: 64 << 20 }
    }
}

/// Topics looked at to find one that was not heard for long. Among so many one of the oldest twentieth is nearly always found, and a list in
/// the order of hearing would cost every message more than this costs a new topic.
const LOOKED_AT: usize = 64;

/// Every topic that was heard, by broker. Past its limits it forgets those that were not heard for long: what is asked for is what speaks now,
/// and a topic that is forgotten is back with its next message. New ones are never refused, else a flood of topics at the start would hide all
/// that come later.
#[derive(Debug, Default)]
pub struct Topics {
    limits: Limits,
    links: Vec<Link>,
    /// In no order; places of forgotten topics are empty until they are used again.
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
    n_known: usize,
    n_bytes: usize,
    n_forgotten: u64,
    /// Where the next look for a topic to forget begins.
    hand: usize,
}

#[derive(Debug)]
struct Link {
    name: Arc<str>,
    places: HashMap<Arc<str>, usize>,
    n_bad: u64,
}

impl Topics {
    /// Topics with limits of their own.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// A message arrived.
    pub fn hear(&mut self, message: &Message, now: Timestamp) {
        let place = self.place(message, now);
        if let Some(entry) = self.entries.get_mut(place).and_then(Option::as_mut) {
            let before = entry.n_bytes();
            entry.hear(message, now);
            self.n_bytes = self.n_bytes - before + entry.n_bytes();
        }
        self.make_room(0);
    }

    /// Something in a message could not be taken. Counts no message: [`Topics::hear`] does.
    pub fn reject(&mut self, message: &Message, reason: &str, now: Timestamp) {
        let place = self.place(message, now);
        if let Some(entry) = self.entries.get_mut(place).and_then(Option::as_mut) {
            self.links[usize::from(entry.link())].n_bad += 1;
            let before = entry.n_bytes();
            entry.reject(message, reason, now);
            self.n_bytes = self.n_bytes - before + entry.n_bytes();
        }
        self.make_room(0);
    }

    /// One topic of a broker.
    #[must_use]
    pub fn get(&self, link: &str, topic: &str) -> Option<&Entry> {
        let place = *self.links.iter().find(|known| *known.name == *link)?.places.get(topic)?;
        self.entries.get(place)?.as_ref()
    }

    /// The brokers that have a topic, by name, with what each of them last said on it.
    #[must_use]
    pub fn on(&self, topic: &str) -> Vec<(&Arc<str>, &Entry)> {
        let of = |link: &'_ Link| link.places.get(topic).and_then(|&place| self.entries.get(place)?.as_ref());
        let mut found: Vec<_> = self.links.iter().filter_map(|link| Some((&link.name, of(link)?))).collect();
        found.sort_by_key(|(name, _)| Arc::clone(name));
        found
    }

    /// The topics from a place on, each with its broker and the place behind it: for who looks at all of them in parts.
    pub fn from(&self, place: usize) -> impl Iterator<Item = (usize, &Arc<str>, &Entry)> {
        let known = self.entries.iter().enumerate().skip(place);
        known.filter_map(|(n, entry)| entry.as_ref().map(|entry| (n + 1, &self.links[usize::from(entry.link())].name, entry)))
    }

    /// Messages of a broker of which something could not be taken, since the start.
    #[must_use]
    pub fn n_bad(&self, link: &str) -> u64 {
        self.links.iter().find(|known| *known.name == *link).map_or(0, |known| known.n_bad)
    }

    /// Topics that are remembered.
    #[must_use]
    pub const fn n_known(&self) -> usize {
        self.n_known
    }

    /// Topics that were forgotten to stay within the limits; one that came back and was forgotten again counts twice.
    #[must_use]
    pub const fn n_forgotten(&self) -> u64 {
        self.n_forgotten
    }

    /// Bytes that they take, as far as can be counted.
    #[must_use]
    pub const fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    /// The place of a message's topic, made when it is new.
    fn place(&mut self, message: &Message, now: Timestamp) -> usize {
        let known = self.links.iter().position(|known| Arc::ptr_eq(&known.name, &message.link) || known.name == message.link);
        let link = known.unwrap_or_else(|| {
            self.links.push(Link { name: Arc::clone(&message.link), places: HashMap::new(), n_bad: 0 });
            self.links.len() - 1
        });
        if let Some(&place) = self.links[link].places.get(&*message.topic) {
            return place;
        }
        let entry = Entry::new(u16::try_from(link).unwrap_or(u16::MAX), Arc::clone(&message.topic), now);
        self.make_room(1);
        self.n_known += 1;
        self.n_bytes += entry.n_bytes();
        let place = self.free.pop().unwrap_or(self.entries.len());
        match self.entries.get_mut(place) {
            Some(empty) => *empty = Some(entry),
            None => self.entries.push(Some(entry)),
        }
        self.links[link].places.insert(Arc::clone(&message.topic), place);
        place
    }

    /// Forgets topics until there is room for `more`. The last one stays.
    fn make_room(&mut self, more: usize) {
        while self.n_known > 1 && (self.n_known + more > self.limits.topics || self.n_bytes > self.limits.bytes) {
            self.forget_one();
        }
    }

    fn forget_one(&mut self) {
        let len = self.entries.len();
        let places = (0..len).map(|n| (self.hand + n) % len);
        let known = places.filter_map(|place| self.entries[place].as_ref().map(|entry| (entry.heard_at(), place)));
        let Some((_, place)) = known.take(LOOKED_AT).min() else { return };
        self.hand = (self.hand + LOOKED_AT) % len;
        if let Some(entry) = self.entries.get_mut(place).and_then(Option::take) {
            self.n_bytes -= entry.n_bytes();
            self.links[usize::from(entry.link())].places.remove(entry.topic());
            self.free.push(place);
            self.n_known -= 1;
            self.n_forgotten += 1;
        }
    }
}

#[cfg(test)]
mod tests;
