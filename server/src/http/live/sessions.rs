//! Sessions that were dropped and may come back: what they were subscribed to.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use domain::entity::EntityId;
use domain::time::{SECOND_MS, Timestamp};
use domain::topic::TopicFilter;

use crate::hub::{Interval, Packed};

/// How long a dropped session can be taken up again.
const KEEP_MS: i64 = 60 * SECOND_MS;
/// Dropped sessions kept at most.
const MAX_KEPT: usize = 10_000;

/// What a viewer follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscriptions {
    /// Topic filters.
    pub topics: Vec<Follow>,
    /// All entities.
    pub all: bool,
    /// All entities that do not stay out of the overview.
    pub shown: bool,
    /// Single entities.
    pub entities: HashSet<EntityId>,
}

impl Subscriptions {
    /// Whether any entity is followed.
    pub fn has_entities(&self) -> bool {
        self.all || self.shown || !self.entities.is_empty()
    }

    /// Whether an entity is followed that stays out of the overview, or does not.
    pub fn wants(&self, id: &EntityId, is_hidden: bool) -> bool {
        self.all || (self.shown && !is_hidden) || self.entities.contains(id)
    }

    /// Whether just this is what most follow.
    pub fn is_common(&self) -> bool {
        self.all || (self.shown && self.entities.is_empty())
    }

    /// What is sent of an interval to those who follow what most do.
    pub const fn of<'a>(&self, interval: &'a Interval) -> &'a Option<Arc<Packed>> {
        if self.all { &interval.frame } else { &interval.shown }
    }
}

/// A topic filter that a viewer follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follow {
    /// The filter.
    pub filter: TopicFilter,
    /// The number of the newest message that the current values sent at the beginning hold: those after it are told one by one.
    pub since: u64,
}

/// What is kept of a dropped session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// What it followed.
    pub subscriptions: Subscriptions,
    /// Its commands on their way: the server's id to the frame's.
    pub commands: HashMap<String, String>,
}

/// Dropped sessions by their id.
#[derive(Debug, Default)]
pub struct Sessions {
    dropped: Mutex<HashMap<String, (Timestamp, Dropped)>>,
}

impl Sessions {
    /// Keeps what a viewer followed and asked for, for a while.
    pub fn keep(&self, session: String, kept: Dropped, now: Timestamp) {
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        dropped.retain(|_, (at, _)| now.since_ms(*at) < KEEP_MS);
        if dropped.len() < MAX_KEPT {
            dropped.insert(session, (now, kept));
        }
    }

    /// What a dropped session followed and asked for; once.
    pub fn take(&self, session: &str, now: Timestamp) -> Option<Dropped> {
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        dropped.remove(session).filter(|(at, _)| now.since_ms(*at) < KEEP_MS).map(|(_, kept)| kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_session_can_be_taken_up_once_and_not_for_ever() {
        let sessions = Sessions::default();
        let at = Timestamp::from_ms;
        let followed = Dropped { subscriptions: Subscriptions { all: true, ..Subscriptions::default() }, ..Dropped::default() };
        sessions.keep("a".into(), followed.clone(), at(0));
        sessions.keep("b".into(), followed.clone(), at(0));
        assert_eq!(sessions.take("a", at(5_000)), Some(followed));
        assert_eq!(sessions.take("a", at(5_000)), None);
        assert_eq!(sessions.take("b", at(KEEP_MS)), None);
    }
}
