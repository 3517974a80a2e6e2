//! Asking nodes to say again all that they have: each rarely, and all of them not at once.

use std::collections::{HashMap, HashSet, VecDeque};

use super::encode::rebirth;
use crate::convention::found::Finding;
use crate::time::{SECOND_MS, Timestamp};

/// Shortest time between two requests to one node.
const PAUSE_MS: i64 = 30 * SECOND_MS;
/// Requests within a second, to all of them.
const A_SECOND: usize = 5;
/// Nodes that wait to be asked. One too many is asked when it is heard again.
const MOST_WAITING: usize = 1_000;

/// Who was asked, and who is to be.
#[derive(Debug, Default)]
pub(super) struct Rebirths {
    /// When each was asked, as long as it matters: no more than the rate of the requests allows.
    asked: HashMap<(String, String), Timestamp>,
    /// When the last ones were.
    lately: VecDeque<Timestamp>,
    wanted: HashSet<(String, String)>,
    /// In the order in which they were wanted; one may have been born since.
    order: VecDeque<(String, String)>,
}

/// Whether so much time has not passed yet. What is in the future was noted before our clock was set back.
fn is_within(ms: i64, since: Timestamp, now: Timestamp) -> bool {
    (0..ms).contains(&now.since_ms(since))
}

impl Rebirths {
    /// A birth is wanted: asks for it, now or as soon as that may be.
    pub(super) fn want(&mut self, group: &str, node: &str, now: Timestamp, out: &mut Vec<Finding>) {
        let name = (group.to_owned(), node.to_owned());
        if self.wanted.contains(&name) {
            if self.ask(&name, now, out) {
                self.wanted.remove(&name);
            }
            return;
        }
        if self.order.len() >= MOST_WAITING {
            return;
        }
        if !self.ask(&name, now, out) {
            self.wanted.insert(name.clone());
            self.order.push_back(name);
        }
    }

    /// A birth will be wanted unless the node speaks before anybody can be asked.
    pub(super) fn want_soon(&mut self, group: &str, node: &str) {
        let name = (group.to_owned(), node.to_owned());
        if self.order.len() < MOST_WAITING && self.wanted.insert(name.clone()) {
            self.order.push_back(name);
        }
    }

    /// A birth came, or is not needed any more.
    pub(super) fn came(&mut self, group: &str, node: &str) {
        if !self.wanted.is_empty() {
            self.wanted.remove(&(group.to_owned(), node.to_owned()));
        }
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: Timestamp, out: &mut Vec<Finding>) {
        self.asked.retain(|_, at| is_within(PAUSE_MS, *at, now));
        for _ in 0..self.order.len() {
            let Some(name) = self.order.pop_front() else { return };
            if !self.wanted.contains(&name) {
                continue;
            }
            if self.ask(&name, now, out) {
                self.wanted.remove(&name);
            } else {
                self.order.push_back(name);
            }
        }
    }

    fn ask(&mut self, name: &(String, String), now: Timestamp, out: &mut Vec<Finding>) -> bool {
        while self.lately.front().is_some_and(|at| !is_within(SECOND_MS, *at, now)) {
            self.lately.pop_front();
        }
        if self.lately.len() >= A_SECOND || self.asked.get(name).is_some_and(|at| is_within(PAUSE_MS, *at, now)) {
            return false;
        }
        let Some(order) = rebirth(&name.0, &name.1, now) else { return false };
        self.lately.push_back(now);
        self.asked.insert(name.clone(), now);
        out.push(Finding::Ask(order));
        true
    }
}
