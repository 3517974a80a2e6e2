//! Entities that it follows: the snapshot, then what changes.

use domain::entity::EntityId;
use domain::topic::TopicFilter;

use super::super::snapshots::make;
use super::{ALL, Gone, SHOWN, Viewer};
use crate::backend::rights::{Wish, check, sees_all};
use crate::clock::now;
use crate::hub::Interval;

/// Filters and entities that one viewer may follow.
const MAX_SUBSCRIPTIONS: usize = 10_000;

impl Viewer {
    pub(super) async fn subscribe(&mut self, topics: &[String], entities: &[String], id: Option<String>) -> Result<(), Gone> {
        if self.subscriptions.topics.len() + self.subscriptions.entities.len() + topics.len() + entities.len() > MAX_SUBSCRIPTIONS {
            return self.error(id, "too_many", format!("at most {MAX_SUBSCRIPTIONS} subscriptions")).await;
        }
        let mut filters = vec![];
        for topic in topics {
            match TopicFilter::parse(topic) {
                Ok(filter) => filters.push(filter),
                Err(error) => return self.error(id, "bad_topic", error.to_string()).await,
            }
        }
        let mut added = vec![];
        for entity in entities.iter().filter(|entity| ![ALL, SHOWN].contains(&entity.as_str())) {
            match EntityId::parse(entity) {
                Ok(entity) => added.push(entity),
                Err(error) => return self.error(id, "bad_entity", error.to_string()).await,
            }
        }
        self.subscriptions.all |= entities.iter().any(|entity| entity == ALL);
        self.subscriptions.shown |= entities.iter().any(|entity| entity == SHOWN);
        self.subscriptions.entities.extend(added);
        if !entities.is_empty() {
            self.snapshot().await?;
        }
        self.follow(filters).await
    }

    pub(super) async fn snapshot(&mut self) -> Result<(), Gone> {
        self.follow_entities();
        if self.shares() {
            let (seq, frame) = self.app.snapshots.get(&self.hub, &self.app.backend, self.subscriptions.all);
            self.cursor = seq;
            return self.say(&frame).await;
        }
        // The number is read first: what changes in between comes once more, and never too little.
        let seq = self.hub.seq();
        let frame = make(seq, &self.app.backend, |view| self.wants(&view.id, view.hidden));
        self.cursor = seq;
        self.say(&frame).await
    }

    /// Whether it is sent what all others are.
    fn shares(&self) -> bool {
        self.subscriptions.is_common() && sees_all(&self.caller)
    }

    /// Whether it is told of an entity.
    pub(super) fn wants(&self, id: &EntityId, is_hidden: bool) -> bool {
        self.subscriptions.wants(id, is_hidden) && check(&self.caller, Wish::See(id)).is_ok()
    }

    /// From now on the intervals that end are waited for.
    pub(super) fn follow_entities(&mut self) {
        if self.intervals.is_none() {
            self.intervals = Some(self.hub.intervals());
        }
    }

    /// Sends what changed in an interval, or all that was missed up to its end.
    pub(super) async fn interval(&mut self, interval: &Interval) -> Result<(), Gone> {
        let shared = (interval.frame.is_some() && self.cursor == interval.from && self.shares()).then(|| self.subscriptions.of(interval));
        let frame = match shared {
            Some(frame) => frame.clone(),
            None => self.hub.missed(self.cursor, interval.to, |id, is_hidden| self.wants(id, is_hidden)).frame(now()),
        };
        self.cursor = self.cursor.max(interval.to);
        let sent = match frame {
            Some(frame) => self.say(&frame).await,
            None => Ok(()),
        };
        interval.taken();
        sent
    }
}
