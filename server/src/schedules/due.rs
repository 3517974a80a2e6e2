//! What is to be done about a schedule at a moment: run it, tell that it was missed, or neither. A function of what is known and the time.

use domain::schedule::{MOST_MISSED, Missed, When};
use domain::time::{MINUTE_MS, SECOND_MS, Timestamp};

use super::when::{Next, Place, next};

/// A run that is late by more than this is missed: the clock was set, or the machine slept.
pub const MOST_LATE_MS: i64 = 30 * SECOND_MS;
/// A clock that is set back by less than this makes nothing due again.
pub const SET_BACK_MS: i64 = 5 * MINUTE_MS;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// All that was due up to here is dealt with then.
    pub done_until: Timestamp,
    /// It is to be run now; when it was due.
    pub run: Option<Timestamp>,
    /// What was missed.
    pub missed: Option<Missed>,
}

/// What is to be done at `now` about what was due after `done_until`; `None` when nothing is. Runs that are late by more than `most_late_ms` are
/// missed: none of those that were due while the server was not there is made up for.
#[must_use]
pub fn due(when: &When, place: &Place, done_until: Timestamp, now: Timestamp, most_late_ms: i64) -> Option<Due> {
    if done_until.since_ms(now) > SET_BACK_MS {
        // The clock was ahead. What it came to is not taken back, and what comes is not held up.
        return Some(Due { done_until: now, run: None, missed: None });
    }
    let (mut run, mut missed, mut n): (_, Option<Missed>, _) = (None, None, 0);
    let mut after = done_until;
    while let Next::At(at) = next(when, place, after) {
        if at > now || n >= MOST_MISSED {
            break;
        }
        n += 1;
        if now.since_ms(at) <= most_late_ms {
            run = Some(at);
        } else {
            let first = missed.as_ref().map_or(at, |missed| missed.first);
            missed = Some(Missed { count: n, first, last: at, noticed: now });
        }
        after = at;
    }
    (n > 0).then_some(Due { done_until: now, run, missed })
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    const NOON: Timestamp = Timestamp::from_ms(1_781_265_600_000); // 12 June 2026, 12:00 UTC

    fn cron(text: &str) -> When {
        When::Cron { cron: text.to_owned() }
    }

    fn at(seconds: i64) -> Timestamp {
        NOON.plus_ms(seconds * SECOND_MS)
    }

    /// Seconds after noon: when it runs; how many were missed, the first and the last.
    type Looked = (Option<i64>, Option<(u32, i64, i64)>);

    fn look(text: &str, done: i64, now: i64, late_ms: i64) -> Option<Looked> {
        let place = Place { zone: TimeZone::UTC, location: None };
        let seconds = |t: Timestamp| t.since_ms(NOON) / SECOND_MS;
        let due = due(&cron(text), &place, at(done), at(now), late_ms)?;
        assert_eq!(due.done_until, at(now));
        Some((due.run.map(seconds), due.missed.map(|missed| (missed.count, seconds(missed.first), seconds(missed.last)))))
    }

    #[test]
    fn a_run_is_due_once_at_its_time() {
        assert_eq!(look("1 12 * * *", 0, 59, MOST_LATE_MS), None);
        assert_eq!(look("1 12 * * *", 59, 60, MOST_LATE_MS), Some((Some(60), None)));
        assert_eq!(look("1 12 * * *", 60, 61, MOST_LATE_MS), None);
    }

    #[test]
    fn what_was_due_while_nobody_was_there_is_missed_and_not_made_up_for() {
        assert_eq!(look("*/10 * * * *", 0, 3_605, -1), Some((None, Some((6, 600, 3_600)))), "a start");
        assert_eq!(look("*/10 * * * *", 0, 3_605, MOST_LATE_MS), Some((Some(3_600), Some((5, 600, 3_000)))), "a clock that jumped");
        assert_eq!(look("* * * * *", 0, 365 * 86_400, MOST_LATE_MS), Some((None, Some((MOST_MISSED, 60, 60_000)))), "a year");
    }

    #[test]
    fn a_clock_that_is_set_back_a_little_runs_nothing_twice_and_one_far_ahead_holds_nothing_up() {
        assert_eq!(look("1 12 * * *", 61, 59, MOST_LATE_MS), None);
        assert_eq!(look("1 12 * * *", 61, 62, MOST_LATE_MS), None);
        assert_eq!(look("1 12 * * *", 86_400, 30, MOST_LATE_MS), Some((None, None)));
        assert_eq!(look("1 12 * * *", 30, 60, MOST_LATE_MS), Some((Some(60), None)));
    }

    proptest! {
        /// However often somebody looks and wherever the clock jumps ahead, each time is run or told as missed, once.
        #[test]
        fn nothing_is_lost_and_nothing_runs_twice(steps in proptest::collection::vec((1_i64..40, 0_i64..4_000), 1..60)) {
            let place = Place { zone: TimeZone::UTC, location: None };
            let when = cron("*/7 * * * *");
            let (mut done, mut now, mut n) = (NOON, NOON, 0);
            for (step, jump) in steps {
                now = now.plus_ms(step * SECOND_MS + if jump > 3_900 { jump * SECOND_MS } else { 0 });
                if let Some(due) = due(&when, &place, done, now, MOST_LATE_MS) {
                    done = due.done_until;
                    n += due.missed.map_or(0, |missed| missed.count) + u32::from(due.run.is_some());
                }
            }
            let mut expected = 0;
            let mut minute = NOON;
            while minute.plus_ms(MINUTE_MS) <= now {
                minute = minute.plus_ms(MINUTE_MS);
                expected += u32::from(minute.as_ms() / MINUTE_MS % 60 % 7 == 0);
            }
            prop_assert_eq!(n, expected);
        }
    }
}
