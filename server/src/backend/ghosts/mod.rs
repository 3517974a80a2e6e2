//! Ghosts: which devices are gone and still announced, and what it would take to clear that.

use std::sync::Arc;

use app::backend::{BackendError, Caller, Role};
use domain::device::{DeviceId, clean_text};
use domain::ghost::{Ghost, GhostReason};
use domain::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{LiveBackend, require};
use crate::clock::now;

/// Clearing, with its pace.
pub mod clear;
/// What the page of devices shows of them.
mod page;

pub use clear::{Clearing, Desk, PER_SECOND};

/// A device on a broker.
pub type Key = (DeviceId, Arc<str>);

/// Devices looked at before messages may arrive again.
const LOOKED_AT: usize = 500;
/// Devices of one request.
const MOST_DEVICES: usize = 200;
/// Messages that one request clears: four minutes of them.
pub const MOST_MESSAGES: usize = 5_000;

/// What clearing comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = GhostPlan)]
pub struct Plan {
    /// Nothing was cleared, and nothing will be because of this.
    pub dry_run: bool,
    /// The retained messages that are cleared, at most 5,000.
    pub topics: Vec<PlannedTopic>,
    /// How many these are.
    pub messages: usize,
    /// Their payloads in bytes, as they were heard last.
    pub bytes: u64,
    /// So many seconds it takes at least.
    pub takes_s: u64,
    /// Devices that were named and are no ghosts: nothing of theirs is cleared.
    pub not_ghosts: Vec<DeviceId>,
}

/// A retained message that is cleared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = GhostPlanTopic)]
pub struct PlannedTopic {
    /// Whose it is.
    pub device: DeviceId,
    /// The broker.
    pub link: String,
    /// Without control and bidi characters.
    pub topic: String,
    /// Bytes of its payload, as it was heard last.
    pub bytes: u32,
    /// The broker replayed it; else it is likely there, and clearing it may clear nothing.
    pub replayed: bool,
    #[serde(skip)]
    raw: Arc<str>,
    #[serde(skip)]
    on: Arc<str>,
    #[serde(skip)]
    reason: Option<GhostReason>,
}

/// Why nothing is cleared.
#[derive(Debug, thiserror::Error)]
pub enum ClearError {
    /// The caller may not.
    #[error(transparent)]
    Refused(#[from] BackendError),
    /// It cannot be asked for like this.
    #[error("{0}")]
    Invalid(String),
    /// One clearing at a time.
    #[error("another clearing is on its way: one at a time")]
    Busy,
}

impl LiveBackend {
    /// Ghosts after one, in order, at most `limit`; and whether there are more.
    ///
    /// # Errors
    /// [`BackendError::Forbidden`] for those who may not look.
    pub async fn ghosts(&self, caller: &Caller, after: Option<Key>, limit: usize) -> Result<(Vec<Ghost>, bool), BackendError> {
        require(caller, Role::Viewer)?;
        // As for the list of devices: the state is let go between the parts, and one walks at a time.
        let _turn = self.surveys.lock().await;
        let (now, mut after, mut found) = (now(), after, vec![]);
        loop {
            after = self.state().fleet.ghosts_after(after.as_ref(), LOOKED_AT, now, &mut found);
            if after.is_none() || found.len() > limit {
                break;
            }
            tokio::task::yield_now().await;
        }
        let is_more = found.len() > limit;
        found.truncate(limit);
        Ok((found, is_more))
    }

    /// The clearing that is on its way, else the last one since the start.
    ///
    /// # Errors
    /// [`BackendError::Forbidden`] for those who may not look.
    pub fn clearing(&self, caller: &Caller) -> Result<Option<Clearing>, BackendError> {
        require(caller, Role::Viewer)?;
        Ok(self.clearings.told())
    }

    /// What clearing some devices would come to.
    ///
    /// # Errors
    /// [`ClearError`] says why it cannot be asked for.
    pub fn plan_clearing(&self, caller: &Caller, devices: &[String]) -> Result<Plan, ClearError> {
        require(caller, Role::Operator)?;
        if devices.is_empty() {
            return Err(ClearError::Invalid("no device is named".to_owned()));
        }
        if devices.len() > MOST_DEVICES {
            return Err(ClearError::Invalid(format!("at most {MOST_DEVICES} devices at once")));
        }
        let (now, state) = (now(), self.state());
        let mut plan = Plan { dry_run: true, topics: vec![], messages: 0, bytes: 0, takes_s: 0, not_ghosts: vec![] };
        let mut ids = devices.iter().map(|text| read_id(text)).collect::<Result<Vec<_>, _>>()?;
        ids.sort();
        ids.dedup();
        for id in ids {
            let before = plan.topics.len();
            let ghosts = self.links.keys().filter_map(|link| state.fleet.ghost(&id, link, now));
            plan.topics.extend(ghosts.flat_map(planned));
            if plan.topics.len() == before {
                plan.not_ghosts.push(id);
            }
        }
        if plan.topics.is_empty() {
            let first = plan.not_ghosts.first().map(ToString::to_string).unwrap_or_default();
            return Err(ClearError::Invalid(format!("none of them is a ghost: \"{first}\" is there, or nothing of it is retained")));
        }
        if plan.topics.len() > MOST_MESSAGES {
            return Err(ClearError::Invalid(format!("{} messages are too many: at most {MOST_MESSAGES} at once", plan.topics.len())));
        }
        plan.messages = plan.topics.len();
        plan.bytes = plan.topics.iter().map(|topic| u64::from(topic.bytes)).sum();
        let of = |link: &str| plan.topics.iter().filter(|topic| topic.link == link).count() as u64;
        plan.takes_s = self.links.keys().map(|link| of(link).saturating_sub(1).div_ceil(PER_SECOND)).max().unwrap_or(0);
        Ok(plan)
    }
}

fn read_id(text: &str) -> Result<DeviceId, ClearError> {
    DeviceId::parse(text).map_err(|error| ClearError::Invalid(clean_text(&error.to_string(), 200)))
}

fn planned(ghost: Ghost) -> impl Iterator<Item = PlannedTopic> {
    let Ghost { device, link, reason, topics, .. } = ghost;
    topics.into_iter().map(move |topic| PlannedTopic {
        device: device.clone(),
        link: link.to_string(),
        topic: clean_text(&topic.topic, domain::topic::MAX_TOPIC_BYTES),
        bytes: topic.bytes,
        replayed: topic.is_replayed,
        raw: topic.topic,
        on: Arc::clone(&link),
        reason: Some(reason),
    })
}

impl PlannedTopic {
    /// Whether its device is still gone.
    fn is_still(&self, backend: &LiveBackend, now: Timestamp) -> bool {
        let state = backend.state();
        self.reason.is_some_and(|reason| state.fleet.may_clear(&self.device, &self.on, reason, &self.raw, now))
    }
}
