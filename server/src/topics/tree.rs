//! Topics level by level, a part at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::topic::TopicFilter;

use super::scan::PART;
use super::{Key, Topics};

/// Which topics are looked at.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Those that begin with a text; all for an empty one.
    Prefix(String),
    /// Those that pass a filter of MQTT.
    Filter(TopicFilter),
}

impl Wanted {
    fn lets_through(&self, topic: &str) -> bool {
        match self {
            Self::Prefix(prefix) => topic.starts_with(prefix.as_str()),
            Self::Filter(filter) => filter.matches(topic),
        }
    }
}

/// What stands on a level under one word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Twig {
    /// Topics below it.
    pub n_below: usize,
    /// Something was heard on it: the first broker by name, and the topic.
    pub topic: Option<Key>,
}

/// One level: the first words on it, and whether there are more.
pub type Found = (BTreeMap<Box<str>, Twig>, bool);

/// Some levels on their way. They are found in parts, in one walk over all topics, so that nobody waits for whoever asks.
#[derive(Debug)]
pub struct Tree {
    /// What the topics of each level begin with: each the beginning of the next, the first one empty.
    prefixes: Vec<String>,
    wanted: Wanted,
    limit: usize,
    next: usize,
    levels: Vec<Found>,
    n_found: usize,
}

impl Tree {
    /// The levels that are open when one looks at `topic`: the first one, and those of each `/` in it; of each the first `limit` words.
    #[must_use]
    pub fn new(topic: &str, wanted: Wanted, limit: usize) -> Self {
        let ends = topic.match_indices('/').map(|(at, _)| topic[..=at].to_owned());
        let prefixes: Vec<String> = std::iter::once(String::new()).chain(ends).collect();
        let levels = prefixes.iter().map(|_| Found::default()).collect();
        Self { prefixes, wanted, limit, next: 0, levels, n_found: 0 }
    }

    /// Looks at a part of the topics; whether that was the last one.
    pub fn look(&mut self, topics: &Topics) -> bool {
        let end = (self.next + PART).min(topics.entries.len());
        for entry in topics.entries.get(self.next..end).unwrap_or_default().iter().flatten() {
            if !self.wanted.lets_through(entry.topic()) {
                continue;
            }
            self.n_found += 1;
            for (prefix, level) in self.prefixes.iter().zip(&mut self.levels) {
                let Some(rest) = entry.topic().strip_prefix(prefix.as_str()) else { break };
                let link = &topics.links[usize::from(entry.link())].name;
                put(level, self.limit, rest, || (Arc::clone(entry.shared_topic()), Arc::clone(link)));
            }
        }
        self.next = end;
        end >= topics.entries.len()
    }

    /// What each level's topics begin with, and what is on it; and how many topics were looked for.
    #[must_use]
    pub fn end(self) -> (Vec<(String, Found)>, usize) {
        (self.prefixes.into_iter().zip(self.levels).collect(), self.n_found)
    }
}

/// Notes one topic on a level; `rest` is what follows what all of them begin with. Only the first `limit` words are kept: whatever was given up once
/// stays so, for what came in its place never goes.
fn put((words, is_more): &mut Found, limit: usize, rest: &str, key: impl Fn() -> Key) {
    let (word, below) = rest.split_once('/').map_or((rest, None), |(word, below)| (word, Some(below)));
    if !words.contains_key(word) {
        if words.len() >= limit {
            *is_more = true;
            if words.last_key_value().is_none_or(|(last, _)| &**last < word) {
                return;
            }
            words.pop_last();
        }
        words.insert(word.into(), Twig::default());
    }
    let Some(twig) = words.get_mut(word) else { return };
    if below.is_some() {
        twig.n_below += 1;
    } else {
        let key = key();
        if twig.topic.as_ref().is_none_or(|(_, link)| key.1 < *link) {
            twig.topic = Some(key);
        }
    }
}
