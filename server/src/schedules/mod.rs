//! Schedules: one task that looks each second what is due, and has it run.

/// What is to be done at a moment.
mod due;
/// When a schedule is due next.
mod when;

use std::collections::HashMap;
use std::time::Duration;

use domain::schedule::{Schedule, When};
use domain::time::{DAY_MS, Timestamp};

use crate::backend::LiveBackend;
use crate::clock::now;
use crate::tasks::Tasks;

pub use due::{Due, MOST_LATE_MS, SET_BACK_MS, due};
pub use when::{Next, Place, check, next};

/// How often is looked: the clock of the wall may be set at any time, so nothing sleeps until a moment.
const LOOK: Duration = Duration::from_secs(1);

/// When schedules are due next, remembered: to find out that the sun does not rise takes a while.
#[derive(Debug, Default)]
struct Ahead {
    of: HashMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    when: When,
    /// After which moment it was looked for.
    after: Timestamp,
    next: Next,
}

impl Ahead {
    /// Whether anything of a schedule may be due at `now` that was not at `done_until`.
    fn is_due(&mut self, schedule: &Schedule, place: &Place, done_until: Timestamp, now: Timestamp) -> bool {
        let is_known = |known: &Known| {
            let is_old = known.next.at().is_none() && now.since_ms(known.after) > DAY_MS;
            known.when == schedule.when && known.after == done_until && !is_old
        };
        if !self.of.get(&schedule.id).is_some_and(is_known) {
            let known = Known { when: schedule.when.clone(), after: done_until, next: next(&schedule.when, place, done_until) };
            self.of.insert(schedule.id.clone(), known);
        }
        let is_past = |known: &Known| known.next.at().is_some_and(|at| at <= now);
        self.of.get(&schedule.id).is_some_and(is_past) || done_until.since_ms(now) > SET_BACK_MS
    }
}

/// Runs what is due until the tasks are told to stop. What was due while the server was not there is told as missed.
pub fn start(backend: LiveBackend, tasks: &Tasks) {
    let stop = tasks.clone();
    tasks.spawn(async move {
        let mut ahead = Ahead::default();
        // No moment is late by less than nothing: at a start everything that is past is missed.
        let mut most_late_ms = -1;
        while !stop.is_stopping() {
            let now = now();
            for (schedule, due) in look(&backend, &mut ahead, now, most_late_ms) {
                backend.deal_with(&schedule, due).await;
            }
            most_late_ms = MOST_LATE_MS;
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.stopping() => {}
            }
        }
    });
}

/// What is due of all schedules.
fn look(backend: &LiveBackend, ahead: &mut Ahead, now: Timestamp, most_late_ms: i64) -> Vec<(Schedule, Due)> {
    let plans = backend.plans();
    let known: Vec<_> = plans.schedules().values().map(|known| (known.schedule.clone(), known.standing.done_until)).collect();
    ahead.of.retain(|id, _| known.iter().any(|(schedule, _)| schedule.id == *id));
    let enabled = known.into_iter().filter(|(schedule, _)| schedule.enabled);
    enabled
        .filter_map(|(schedule, done_until)| {
            if !ahead.is_due(&schedule, &plans.place, done_until, now) {
                return None;
            }
            let due = due(&schedule.when, &plans.place, done_until, now, most_late_ms)?;
            Some((schedule, due))
        })
        .collect()
}
