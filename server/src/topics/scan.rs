//! Reading topics in order, a part at a time.

use std::collections::BinaryHeap;
use std::sync::Arc;

use super::Topics;

/// Topics looked at in one part: some tenths of a millisecond.
pub(super) const PART: usize = 2_048;

/// A topic and its broker: their order, and the name of a place in it.
pub type Key = (Arc<str>, Arc<str>);

/// A page of topics on its way. It is found in parts, so that nobody waits for whoever asks: between two parts messages may arrive.
#[derive(Debug)]
pub struct Scan {
    prefix: String,
    after: Option<Key>,
    limit: usize,
    next: usize,
    /// The first ones so far, the last of them on top: one more than asked for, to know whether there are more.
    found: BinaryHeap<Key>,
}

impl Scan {
    /// The first `limit` topics after `after` that begin with `prefix`.
    #[must_use]
    pub fn new(prefix: String, after: Option<Key>, limit: usize) -> Self {
        Self { prefix, after, limit, next: 0, found: BinaryHeap::new() }
    }

    /// Looks at a part of the topics; whether that was the last one.
    pub fn look(&mut self, topics: &Topics) -> bool {
        let end = (self.next + PART).min(topics.entries.len());
        for entry in topics.entries.get(self.next..end).unwrap_or_default().iter().flatten() {
            if !entry.topic().starts_with(self.prefix.as_str()) {
                continue;
            }
            let link = &topics.links[usize::from(entry.link())].name;
            let key = (entry.topic(), &**link);
            let is_before = |other: &Key| key < (&*other.0, &*other.1);
            if self.after.as_ref().is_some_and(|after| is_before(after) || key == (&*after.0, &*after.1)) {
                continue;
            }
            if self.found.len() > self.limit && !self.found.peek().is_some_and(is_before) {
                continue;
            }
            self.found.push((Arc::clone(entry.shared_topic()), Arc::clone(link)));
            if self.found.len() > self.limit + 1 {
                self.found.pop();
            }
        }
        self.next = end;
        end >= topics.entries.len()
    }

    /// The page, in order, and whether there are more.
    #[must_use]
    pub fn end(self) -> (Vec<Key>, bool) {
        let mut found = self.found.into_sorted_vec();
        let is_more = found.len() > self.limit;
        found.truncate(self.limit);
        (found, is_more)
    }
}
