//! Snapshots that many viewers ask for at once, as all of them do after a restart: made once for all who ask while nothing happens.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use domain::live::{EntityView, ServerFrame, Snapshot};
use tokio::time::Instant;

use crate::backend::LiveBackend;
use crate::clock::now;
use crate::hub::{Hub, Packed};

/// It tells the server's clock, which must not be off.
const FRESH: Duration = Duration::from_millis(100);

/// The newest snapshots, for as long as somebody is being sent one.
#[derive(Debug, Default)]
pub struct Snapshots {
    all: Mutex<Newest>,
    shown: Mutex<Newest>,
}

#[derive(Debug, Default)]
struct Newest {
    standing: (u64, u64),
    made: Option<Instant>,
    frame: Weak<Packed>,
}

impl Snapshots {
    /// A snapshot of all entities, or of those that do not stay out of the overview, and the number of the newest change that is surely in it.
    pub fn get(&self, hub: &Hub, backend: &LiveBackend, all: bool) -> (u64, Arc<Packed>) {
        let newest = if all { &self.all } else { &self.shown };
        // Whoever comes while it is made waits for it, for making it again takes as long.
        let mut newest = newest.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = hub.standing();
        if newest.standing == standing
            && newest.made.is_some_and(|made| made.elapsed() < FRESH)
            && let Some(frame) = newest.frame.upgrade()
        {
            return (standing.0, frame);
        }
        let frame = Arc::new(make(standing.0, backend, |view| all || !view.hidden));
        *newest = Newest { standing, made: Some(Instant::now()), frame: Arc::downgrade(&frame) };
        (standing.0, frame)
    }
}

/// A snapshot of the entities that are wanted, which holds at least everything up to `seq`.
pub(super) fn make(seq: u64, backend: &LiveBackend, wanted: impl Fn(&EntityView) -> bool) -> Packed {
    let frame = {
        let state = backend.state();
        let mut entities = state.fleet.entities();
        entities.retain(wanted);
        ServerFrame::Snapshot(Snapshot { seq, now: now(), entities, alarms: state.fleet.alarms(), links: state.fleet.links().cloned().collect() })
    };
    packed(&frame)
}

/// A frame as it is written.
pub(super) fn packed(frame: &ServerFrame) -> Packed {
    // Frames are made of strings and finite numbers: they always encode.
    Packed::new(&serde_json::to_string(frame).unwrap_or_default())
}
