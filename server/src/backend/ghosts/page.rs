//! What the page of devices shows of ghosts.

use app::backend::{BackendError, Caller};
use app::devices::{GhostPlan, GhostRow, Ghosts, Told};
use app::tile::words::capital;
use domain::device::clean_text;
use domain::ghost::Ghost;
use domain::topic::MAX_TOPIC_BYTES;

use super::clear::{Clearing, ClearingState};
use super::{ClearError, Plan};
use crate::backend::LiveBackend;

/// Ghosts of a page.
const ROWS: usize = 200;
/// Topics that are named of one of them, and of a dry run.
const MOST_TOPICS: usize = 20;
const MOST_PLANNED: usize = 200;

impl LiveBackend {
    /// The ghosts, and what clearing those in `dry` would come to.
    pub(in crate::backend) async fn ghosts_shown(&self, caller: &Caller, dry: &[String]) -> Result<Ghosts, BackendError> {
        let (ghosts, is_more) = self.ghosts(caller, None, ROWS).await?;
        let (plan, problem) = match dry {
            [] => (None, String::new()),
            dry => match self.plan_clearing(caller, dry) {
                Ok(plan) => (Some(shown(plan)), String::new()),
                Err(ClearError::Refused(error)) => return Err(error),
                Err(error) => (None, capital(&clean_text(&error.to_string(), 300))),
            },
        };
        let clearing = self.clearing(caller)?.map(|clearing| words(&clearing)).unwrap_or_default();
        Ok(Ghosts { rows: ghosts.iter().map(row).collect(), is_more, plan, problem, clearing })
    }

    pub(in crate::backend) async fn clear_by_form(&self, caller: &Caller, devices: &[String]) -> Result<Told, BackendError> {
        let told = |words: String, failed| Told { words, failed, field: if failed { "ghosts".to_owned() } else { String::new() }, publish: None };
        match self.clear_ghosts(caller, devices).await {
            Ok(plan) => {
                let takes = if plan.takes_s > 1 {
                    format!(" It takes at least {} s; below the list stands how it goes.", plan.takes_s)
                } else {
                    String::new()
                };
                Ok(told(format!("Clearing {}.{takes}", counted(plan.messages)), false))
            }
            Err(ClearError::Refused(error)) => Err(error),
            Err(error) => Ok(told(capital(&clean_text(&error.to_string(), 300)), true)),
        }
    }
}

fn counted(n: usize) -> String {
    if n == 1 { "1 retained message".to_owned() } else { format!("{n} retained messages") }
}

fn row(ghost: &Ghost) -> GhostRow {
    GhostRow {
        device: ghost.device.to_string(),
        name: clean_text(&ghost.name, 80),
        link: ghost.link.to_string(),
        reason: ghost.reason,
        since: ghost.since,
        n_topics: ghost.topics.len(),
        topics: ghost.topics.iter().take(MOST_TOPICS).map(|topic| clean_text(&topic.topic, MAX_TOPIC_BYTES)).collect(),
    }
}

fn shown(plan: Plan) -> GhostPlan {
    let mut devices: Vec<String> = plan.topics.iter().map(|topic| topic.device.to_string()).collect();
    devices.dedup();
    GhostPlan {
        devices,
        n: plan.messages,
        bytes: plan.bytes,
        takes_s: plan.takes_s,
        topics: plan.topics.into_iter().take(MOST_PLANNED).map(|topic| (topic.topic, topic.bytes, topic.replayed)).collect(),
        not_ghosts: plan.not_ghosts.iter().map(ToString::to_string).collect(),
    }
}

/// How a clearing stands, in a sentence or two.
fn words(clearing: &Clearing) -> String {
    let of = format!("{} of {} cleared", clearing.cleared, counted(clearing.messages));
    let mut words = match clearing.state {
        ClearingState::Running => format!("On its way: {of}."),
        ClearingState::Done => format!("{of}."),
        ClearingState::Stopped => format!("Stopped with the server: {of}."),
    };
    if !clearing.spared.is_empty() {
        let names: Vec<&str> = clearing.spared.keys().take(5).map(String::as_str).collect();
        let more = clearing.spared.len().saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        words.push_str(&format!(" Spared, for they are back: {}{more}.", names.join(", ")));
    }
    if let Some(first) = clearing.failures.first() {
        words.push_str(&format!(" {} not cleared: {}: {}.", clearing.failed, first.topic, first.reason));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clearing_says_what_was_spared_and_what_failed() {
        let failure =
            super::super::clear::Failure { topic: "a/b".into(), link: "main".into(), reason: "the broker refused it: not authorized".into() };
        let clearing = Clearing {
            state: ClearingState::Done,
            messages: 4,
            cleared: 1,
            spared: [("lamp".to_owned(), 2)].into(),
            failed: 1,
            failures: vec![failure],
            ..Clearing::default()
        };
        assert_eq!(
            words(&clearing),
            "1 of 4 retained messages cleared. Spared, for they are back: lamp. 1 not cleared: a/b: the broker refused it: not authorized."
        );
    }
}
