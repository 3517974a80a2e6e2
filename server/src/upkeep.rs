//! What the store has to do beside ingest: packing readings that are no longer new, and clearing away what that leaves.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::store::Store;
use crate::tasks::Tasks;

/// Time between two looks when there is nothing to do.
const IDLE: Duration = Duration::from_secs(1);
/// Longest rest after a step: each is followed by a rest of its own length, so that ingest and pages have half of the time at least.
const LONGEST_REST: Duration = Duration::from_millis(50);
/// Time before a step that failed is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// Tends the store, step by step, until the tasks are told to stop. A step that was begun is brought to its end.
pub fn start(store: Arc<dyn Store>, tasks: &Tasks) {
    let stop = tasks.clone();
    tasks.spawn(async move {
        let mut failing: Option<String> = None;
        while !stop.is_stopping() {
            let began = Instant::now();
            let rest = match store.tend().await {
                Ok(more) => {
                    if failing.take().is_some() {
                        tracing::info!("Old readings are packed again");
                    }
                    if more { began.elapsed().min(LONGEST_REST) } else { IDLE }
                }
                Err(error) => {
                    let error = error.to_string();
                    if failing.as_ref() != Some(&error) {
                        tracing::warn!(error, "Old readings cannot be packed; they stay as they are");
                        failing = Some(error);
                    }
                    AGAIN
                }
            };
            tokio::select! {
                () = sleep(rest) => {}
                () = stop.stopping() => {}
            }
        }
    });
}
