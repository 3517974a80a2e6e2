//! Clearing what brokers retain of ghosts: an empty retained message on each topic, one after the other, each acknowledged, none of a device that is back.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::backend::{Caller, Role};
use domain::device::DeviceId;
use domain::time::Timestamp;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval, timeout};
use utoipa::ToSchema;

use super::super::amend::entry;
use super::super::rights::{Wish, check};
use super::{ClearError, Plan, PlannedTopic};
use crate::backend::{LiveBackend, require};
use crate::clock::now;
use crate::mqtt::PublishError;
use crate::store::activity::Activity;

/// Messages that are cleared in a second on one broker, at most: each goes to everybody who listens.
pub const PER_SECOND: u64 = 20;
/// How long a broker may take to acknowledge.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(10);
/// Topics that are named of those that failed; the others are counted.
const MOST_NAMED: usize = 20;

/// How a clearing stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = GhostClearingState)]
pub enum ClearingState {
    /// On its way.
    #[default]
    Running,
    /// Over.
    Done,
    /// The server stopped before it was over.
    Stopped,
}

/// A clearing, on its way or over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = GhostClearing)]
pub struct Clearing {
    /// How it stands.
    pub state: ClearingState,
    /// Who asked for it.
    pub who: String,
    /// When it began.
    pub since: Timestamp,
    /// Messages that it is to clear.
    pub messages: usize,
    /// Messages that the broker acknowledged.
    pub cleared: usize,
    /// Devices that came back, or share a topic by now, each with how many of its messages were left alone because of that.
    pub spared: BTreeMap<String, usize>,
    /// Messages that were not cleared, or perhaps not.
    pub failed: usize,
    /// The first of these, at most 20.
    pub failures: Vec<Failure>,
}

/// A message that was not cleared, or perhaps not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = GhostFailure)]
pub struct Failure {
    /// Without control and bidi characters.
    pub topic: String,
    /// The broker.
    pub link: String,
    /// What it says, or what is wrong.
    pub reason: String,
}

/// Where clearings are looked after: one at a time.
#[derive(Debug, Default)]
pub struct Desk(Mutex<Option<Clearing>>);

impl Desk {
    /// The one that is on its way, else the last.
    pub fn told(&self) -> Option<Clearing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes one up, unless another is on its way.
    fn begin(&self, clearing: Clearing) -> Result<(), ClearError> {
        let mut desk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if desk.as_ref().is_some_and(|other| other.state == ClearingState::Running) {
            return Err(ClearError::Busy);
        }
        *desk = Some(clearing);
        Ok(())
    }

    fn note(&self, change: impl FnOnce(&mut Clearing)) {
        if let Some(clearing) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            change(clearing);
        }
    }
}

/// What became of one message.
enum Fate {
    Cleared,
    Spared,
    Failed(String),
}

impl LiveBackend {
    /// Clears what brokers retain of some devices, as [`LiveBackend::plan_clearing`] says; returns when it has begun.
    ///
    /// # Errors
    /// [`ClearError`] says why nothing is cleared.
    pub async fn clear_ghosts(&self, caller: &Caller, devices: &[String]) -> Result<Plan, ClearError> {
        require(caller, Role::Operator)?;
        let plan = Plan { dry_run: false, ..self.plan_clearing(caller, devices)? };
        for topic in &plan.topics {
            check(caller, Wish::Publish(&topic.raw))?;
        }
        let begun = Clearing { who: caller.name.clone(), since: now(), messages: plan.messages, ..Clearing::default() };
        self.clearings.begin(begun)?;
        let mut ids: Vec<&DeviceId> = plan.topics.iter().map(|topic| &topic.device).collect();
        ids.dedup();
        let (n_devices, named) = (ids.len(), ids.into_iter().take(MOST_NAMED).cloned().collect::<Vec<_>>());
        let of_whom = json!({"devices": named, "n_devices": n_devices, "messages": plan.messages});
        let begun = Activity { outcome: "accepted".to_owned(), ..entry(caller, "message.clearing", None, of_whom.clone()) };
        self.write_clearing(&begun).await;
        let (backend, caller, topics) = (self.clone(), caller.clone(), plan.topics.clone());
        self.plans.tasks.spawn(async move {
            let is_whole = backend.carry_out_clearing(topics).await;
            backend.clearings.note(|clearing| clearing.state = if is_whole { ClearingState::Done } else { ClearingState::Stopped });
            let Some(clearing) = backend.clearings.told() else { return };
            let mut detail = of_whom;
            detail["cleared"] = clearing.cleared.into();
            detail["spared"] = json!(clearing.spared);
            detail["failed"] = clearing.failed.into();
            detail["failures"] = json!(clearing.failures);
            let outcome = if is_whole && clearing.failed == 0 { "done" } else { "failed" };
            let ms = now().since_ms(clearing.since);
            let done = Activity { outcome: outcome.to_owned(), after_ms: Some(ms), ..entry(&caller, "message.cleared", None, detail) };
            backend.write_clearing(&done).await;
        });
        Ok(plan)
    }

    async fn write_clearing(&self, done: &Activity) {
        if let Err(error) = self.store.note(done).await {
            tracing::error!(%error, detail = %done.detail, "A clearing could not be written into the log");
        }
    }

    /// Clears all topics, broker beside broker; `false` when the server stops before.
    async fn carry_out_clearing(&self, topics: Vec<PlannedTopic>) -> bool {
        let mut by_link: BTreeMap<Arc<str>, Vec<PlannedTopic>> = BTreeMap::new();
        for topic in topics {
            by_link.entry(Arc::clone(&topic.on)).or_default().push(topic);
        }
        let all = by_link.into_iter().map(|(link, topics)| async move {
            let link = self.links.get(&link);
            let clear = |topic: &PlannedTopic| {
                // Asked when its turn comes, and for each topic: a device may come back while others are cleared.
                let sent = topic.is_still(self, now()).then(|| link.map(|link| link.publish_by_hand(topic.raw.to_string(), vec![], 1, true)));
                async move {
                    match sent {
                        None => Fate::Spared,
                        Some(None) => Fate::Failed("there is no such broker".to_owned()),
                        Some(Some(sent)) => fate(timeout(ACKNOWLEDGED_WITHIN, sent).await.ok()),
                    }
                }
            };
            paced(&topics, clear, |topic, fate| self.clearings.note(|clearing| clearing.take(topic, fate))).await;
        });
        tokio::select! {
            biased;
            () = self.plans.tasks.stopping() => false,
            _ = join_all(all) => true,
        }
    }
}

fn fate(sent: Option<Result<(), PublishError>>) -> Fate {
    match sent {
        Some(Ok(())) => Fate::Cleared,
        Some(Err(error)) => Fate::Failed(error.to_string()),
        None => Fate::Failed(format!("no acknowledgement within {} s: it may or may not be cleared", ACKNOWLEDGED_WITHIN.as_secs())),
    }
}

/// Goes through all, one after the other, no more than [`PER_SECOND`] in any second: one that took longer is not made up for.
async fn paced<T, F: Future<Output = Fate>>(all: &[T], mut each: impl FnMut(&T) -> F, mut told: impl FnMut(&T, Fate)) {
    let mut pace = interval(Duration::from_millis(1_000 / PER_SECOND));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for one in all {
        pace.tick().await;
        let fate = each(one).await;
        told(one, fate);
    }
}

impl Clearing {
    fn take(&mut self, topic: &PlannedTopic, fate: Fate) {
        match fate {
            Fate::Cleared => self.cleared += 1,
            Fate::Spared => *self.spared.entry(topic.device.to_string()).or_default() += 1,
            Fate::Failed(reason) => {
                self.failed += 1;
                if self.failures.len() < MOST_NAMED {
                    self.failures.push(Failure { topic: topic.topic.clone(), link: topic.link.clone(), reason });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{Instant, sleep};

    #[tokio::test(start_paused = true)]
    async fn no_second_sees_more_than_twenty_however_long_one_takes() {
        let all: Vec<usize> = (0..100).collect();
        let (mut at, mut done) = (vec![], vec![]);
        let each = |n: &usize| {
            at.push(Instant::now());
            let slow = *n == 10;
            async move {
                sleep(Duration::from_millis(if slow { 3_000 } else { 1 })).await;
                if slow { Fate::Failed("slow".to_owned()) } else { Fate::Cleared }
            }
        };
        paced(&all, each, |n, fate| done.push((*n, matches!(fate, Fate::Cleared)))).await;
        assert_eq!(done, all.iter().map(|n| (*n, *n != 10)).collect::<Vec<_>>());
        let most = at.iter().map(|from| at.iter().filter(|at| **at >= *from && **at < *from + Duration::from_secs(1)).count()).max();
        assert_eq!(most, Some(20));
    }

    #[test]
    fn one_clearing_at_a_time() {
        let desk = Desk::default();
        desk.begin(Clearing::default()).unwrap();
        assert!(matches!(desk.begin(Clearing::default()), Err(ClearError::Busy)));
        desk.note(|clearing| clearing.state = ClearingState::Stopped);
        desk.begin(Clearing { messages: 2, ..Clearing::default() }).unwrap();
        assert_eq!(desk.told().map(|clearing| clearing.messages), Some(2));
    }
}
