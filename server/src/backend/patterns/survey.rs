//! Looking at all topics, a part at a time: how many each pattern is for, and the first of those that are asked for.

use std::collections::BinaryHeap;
use std::sync::Arc;

use domain::convention::plain::TopicPattern;

use super::{CountedPattern, Origin, Trial};
use crate::ingest::State;
use crate::topics::{Entry, Key};

/// What is done in one part, in patterns held against a topic: some tenths of a millisecond.
const PART: usize = 8_192;
/// What it costs besides to foresee what becomes of a topic, and to read so many bytes of its payload.
const FORESEEN: usize = 24;
const BYTES: usize = 16;

/// Topics on their way.
#[derive(Debug)]
pub(super) struct Survey {
    /// Those of the configuration, then the others.
    pub patterns: Vec<TopicPattern>,
    n_fixed: usize,
    /// By pattern: topics that it is the first to match, and those that an earlier one takes.
    counts: Vec<(usize, usize)>,
    /// What becomes of topics is asked for too.
    is_trial: bool,
    q: String,
    after: Option<Key>,
    limit: usize,
    next: usize,
    /// The first ones so far, the last of them on top: one more than asked for, to know whether there are more.
    first: BinaryHeap<Key>,
    pub matched: usize,
    pub found: usize,
    pub new: usize,
    pub changed: usize,
}

impl Survey {
    /// How many topics each pattern is for.
    pub fn counting(patterns: Vec<TopicPattern>, n_fixed: usize) -> Self {
        Self {
            counts: vec![(0, 0); patterns.len()],
            patterns,
            n_fixed,
            is_trial: false,
            q: String::new(),
            after: None,
            limit: 0,
            next: 0,
            first: BinaryHeap::new(),
            matched: 0,
            found: 0,
            new: 0,
            changed: 0,
        }
    }

    /// The same, and what becomes of the topics that others than the first `n_fixed` match.
    pub fn trying(patterns: Vec<TopicPattern>, n_fixed: usize, trial: &Trial) -> Self {
        let (q, after, limit) = (trial.q.trim().to_lowercase(), trial.after.clone(), trial.limit);
        Self { is_trial: true, q, after, limit, ..Self::counting(patterns, n_fixed) }
    }

    /// Looks at a part of the topics; whether that was the last one.
    pub fn look(&mut self, state: &State) -> bool {
        let mut done = 0;
        for (next, link, entry) in state.topics.from(self.next) {
            if done >= PART {
                return false;
            }
            self.next = next;
            done += self.take(state, link, entry);
        }
        true
    }

    /// Looks at a topic; what that cost.
    fn take(&mut self, state: &State, link: &Arc<str>, entry: &Entry) -> usize {
        let topic = entry.topic();
        let cost = self.patterns.len() + 1;
        let mut is_asked = false;
        let mut is_first = true;
        for (n, (pattern, counts)) in self.patterns.iter().zip(&mut self.counts).enumerate() {
            if pattern.takes(topic) {
                *(if is_first { &mut counts.0 } else { &mut counts.1 }) += 1;
                (is_first, is_asked) = (false, is_asked || n >= self.n_fixed);
            }
        }
        if !self.is_trial || !is_asked {
            return cost;
        }
        self.matched += 1;
        let is_cut = entry.payload().len() < entry.size() as usize;
        if let Some(forecast) = state.fleet.forecast(&self.patterns, (link, topic), entry.payload(), is_cut) {
            self.new += usize::from(forecast.is_new);
            self.changed += usize::from(forecast.stays.is_none() && !forecast.now.is_empty() && forecast.now != forecast.entities);
        }
        if self.q.is_empty() || topic.to_lowercase().contains(&self.q) {
            self.found += 1;
            self.offer(entry, link);
        }
        cost * 2 + FORESEEN + entry.payload().len() / BYTES
    }

    fn offer(&mut self, entry: &Entry, link: &Arc<str>) {
        let is_after = |other: &Key| (entry.topic(), &**link) > (&*other.0, &*other.1);
        if self.limit == 0 || self.after.as_ref().is_some_and(|after| !is_after(after)) {
            return;
        }
        if self.first.len() > self.limit && self.first.peek().is_some_and(is_after) {
            return;
        }
        self.first.push((Arc::clone(entry.shared_topic()), Arc::clone(link)));
        if self.first.len() > self.limit + 1 {
            self.first.pop();
        }
    }

    /// The first topics, in order, and whether there are more.
    pub fn keys(&self) -> (Vec<Key>, bool) {
        let mut keys = self.first.clone().into_sorted_vec();
        let is_more = keys.len() > self.limit;
        keys.truncate(self.limit);
        (keys, is_more)
    }

    /// The patterns with how many topics each is for.
    pub fn counted(&self) -> Vec<CountedPattern> {
        let counted = |(n, (pattern, &(topics, shadowed))): (usize, (&TopicPattern, &(usize, usize)))| CountedPattern {
            pattern: pattern.to_string(),
            origin: if n < self.n_fixed { Origin::File } else { Origin::Operator },
            topics,
            shadowed,
        };
        self.patterns.iter().zip(&self.counts).enumerate().map(counted).collect()
    }
}

#[cfg(test)]
mod tests {
    use domain::fleet::{Fleet, Settings};
    use domain::input::Message;
    use domain::time::Timestamp;

    use super::*;

    #[test]
    fn many_topics_are_looked_at_in_short_parts_and_each_once() {
        let mut state = State::new(Fleet::new(Settings::default()));
        let n = 3_000;
        for nth in 0..n {
            let topic = format!("plant/d{nth:04}/power");
            state.topics.hear(
                &Message { link: "main".into(), topic: topic.into(), payload: b"5"[..].into(), qos: 0, retained: false },
                Timestamp::from_ms(1),
            );
        }
        let patterns: Vec<TopicPattern> = (0..63)
            .map(|nth| format!("other{nth}/{{device}}"))
            .chain(["plant/{device}/{measure}".to_owned()])
            .map(|text| text.parse().expect("a pattern"))
            .collect();
        let after = Some(("plant/d0999/power".into(), "main".into()));
        let mut survey = Survey::trying(patterns, 0, &Trial { q: "D1".into(), limit: 2, after, ..Trial::default() });
        let mut parts = 1;
        while !survey.look(&state) {
            parts += 1;
        }
        // Each is held against 64 patterns, twice where one of them takes it.
        assert!(parts >= n * 128 / PART, "{parts} parts");
        assert_eq!((survey.matched, survey.new, survey.found, survey.changed), (n, n, 1_000, 0));
        let (keys, is_more) = survey.keys();
        assert_eq!((keys.iter().map(|(topic, _)| &**topic).collect::<Vec<_>>(), is_more), (vec!["plant/d1000/power", "plant/d1001/power"], true));
        assert_eq!(survey.counted().last().map(|one| (one.topics, one.shadowed)), Some((n, 0)));
    }
}
