//! Whether a device's clock can be believed: which time its readings get.

use crate::time::{DAY_MS, MINUTE_MS, SECOND_MS, Timestamp};

/// A device's clock may be this far ahead of ours; what it says then stays its own time.
pub const MAX_AHEAD_MS: i64 = 10 * SECOND_MS;
/// A live reading older than this is either late or of a clock that is wrong.
pub const MAX_BEHIND_MS: i64 = DAY_MS;
/// No device measured before 2000-01-01: a clock that says so was never set.
pub const EARLIEST: Timestamp = Timestamp::from_ms(946_684_800_000);
/// A time that differs less from ours is right.
const RIGHT_MS: i64 = MINUTE_MS;
/// How long old times must advance with ours before the clock is what is wrong.
const WATCH_MS: i64 = 10 * SECOND_MS;
/// How much two intervals may differ: networks delay, and devices write whole seconds.
const SLACK_MS: i64 = 1_500;
/// Messages after the first that must agree.
const AGREE: u8 = 2;

/// What is known of the clock behind an entity's readings.
///
/// A time in the future, or before [`EARLIEST`], is wrong at once. A time in the past may be that of a late reading, which belongs into its place
/// in history, or that of a clock that is behind. The two are told by how the times advance: a device that sends what it kept for a week sends
/// it faster than it was measured, a clock that is behind advances as ours does. Unless it is ours that was set forward: a device that agrees
/// with what ours would be without that is believed as before.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// By how much it is wrong, positive when it is ahead; `None` while it is believed.
    skew_ms: Option<i64>,
    /// An old time and when it arrived, to compare the next ones with.
    seen: Option<(Timestamp, Timestamp)>,
    n_agree: u8,
}

impl Clock {
    /// By how much the clock is wrong, positive when it is ahead; `None` while it is believed.
    pub(super) const fn skew_ms(&self) -> Option<i64> {
        self.skew_ms
    }

    /// What must be added to the times of a live message whose newest one is `newest`: nothing when they are believed. `shown` is the time of
    /// the entity's newest reading, `stepped_ms` by how much our clock was set forward since the start.
    pub(super) fn correction_ms(&mut self, newest: Timestamp, shown: Option<Timestamp>, now: Timestamp, stepped_ms: i64) -> Option<i64> {
        let ahead = newest.since_ms(now);
        // Once wrong it must be clearly right again, so that a clock at the limit does not change from message to message.
        let limit = if self.skew_ms.is_some() { MAX_AHEAD_MS / 2 } else { MAX_AHEAD_MS };
        if ahead > limit || newest < EARLIEST {
            return self.wrong(ahead);
        }
        if stepped_ms > 0 && ahead.saturating_add(stepped_ms).abs() <= RIGHT_MS {
            *self = Self::default();
            return None;
        }
        let is_old = -ahead > MAX_BEHIND_MS || (-ahead > RIGHT_MS && (self.skew_ms.is_some() || shown.is_some_and(|shown| newest < shown)));
        if !is_old {
            *self = Self::default();
            return None;
        }
        let steady = self.seen.is_some_and(|(said, heard)| {
            let passed = now.since_ms(heard);
            // A device may be away for days; that must not make any time of it look steady.
            (newest.since_ms(said) - passed).abs() <= SLACK_MS + (passed / 5).clamp(0, MINUTE_MS)
        });
        let seen = self.seen.replace((newest, now));
        match (self.skew_ms, seen) {
            (Some(_), _) if steady => self.wrong_since(ahead, (newest, now)),
            (None, Some(first)) if steady => {
                self.n_agree = self.n_agree.saturating_add(1);
                if self.n_agree >= AGREE && now.since_ms(first.1) >= WATCH_MS {
                    return self.wrong_since(ahead, (newest, now));
                }
                self.seen = Some(first);
                None
            }
            _ => {
                (self.skew_ms, self.n_agree) = (None, 0);
                None
            }
        }
    }

    fn wrong(&mut self, ahead: i64) -> Option<i64> {
        (self.seen, self.n_agree, self.skew_ms) = (None, 0, Some(ahead));
        Some(-ahead)
    }

    fn wrong_since(&mut self, ahead: i64, seen: (Timestamp, Timestamp)) -> Option<i64> {
        (self.seen, self.skew_ms) = (Some(seen), Some(ahead));
        Some(-ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    /// Messages as arrival after `NOW` and time said, relative to `NOW`; which of them are corrected, and the skew after the last.
    fn check(messages: &[(i64, i64)], corrected: &[bool], skew_ms: Option<i64>) {
        let mut clock = Clock::default();
        let mut shown: Option<Timestamp> = None;
        let got: Vec<bool> = messages
            .iter()
            .map(|&(heard, said)| {
                let (heard, said) = (Timestamp::from_ms(NOW + heard), Timestamp::from_ms(NOW + said));
                let correction = clock.correction_ms(said, shown, heard, 0);
                let taken_at = said.plus_ms(correction.unwrap_or(0));
                shown = Some(shown.map_or(taken_at, |shown| shown.max(taken_at)));
                assert!(taken_at <= heard.plus_ms(MAX_AHEAD_MS) && taken_at >= EARLIEST, "a reading gets a time that can be");
                correction.is_some()
            })
            .collect();
        assert_eq!((got.as_slice(), clock.skew_ms()), (corrected, skew_ms), "{messages:?}");
    }

    #[test]
    fn a_time_in_the_future_or_before_any_device_is_wrong_at_once() {
        check(&[(0, 10_000)], &[false], None);
        check(&[(0, 10_001)], &[true], Some(10_001));
        check(&[(0, 100_000_000_000), (1_000, 1_000)], &[true, false], None);
        check(&[(0, -NOW + 12_345)], &[true], Some(-NOW + 12_345));
    }

    #[test]
    fn a_clock_at_the_limit_does_not_change_from_message_to_message() {
        check(&[(0, 10_500), (5_000, 14_500), (10_000, 20_100), (15_000, 19_000)], &[true, true, true, false], None);
    }

    #[test]
    fn a_clock_that_is_behind_is_told_from_late_readings_by_how_it_advances() {
        let days = 3 * DAY_MS;
        let behind = |ms: i64| (ms, ms - days);
        check(&[behind(0), behind(30_000), behind(60_700), behind(90_000)], &[false, false, true, true], Some(-days));
        // A backlog of a week, a minute each, sent one a second.
        let late: Vec<(i64, i64)> = (0..60).map(|n| (n * 1_000, -7 * DAY_MS + n * MINUTE_MS)).collect();
        check(&late, &[false; 60], None);
        // The same reading again and again.
        let same: Vec<(i64, i64)> = (0..60).map(|n| (n * 1_000, -7 * DAY_MS)).collect();
        check(&same, &[false; 60], None);
        // A second a row, all at once.
        let burst: Vec<(i64, i64)> = (0..60).map(|n| (n, -7 * DAY_MS + n * 1_000)).collect();
        check(&burst, &[false; 60], None);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_freeze_its_tile() {
        let hour = 60 * MINUTE_MS;
        let set_back = [(0, 0), (10_000, 10_000 - hour), (20_000, 20_000 - hour), (30_000, 30_000 - hour), (40_000, 40_000)];
        check(&set_back, &[false, false, false, true, false], None);
    }

    #[test]
    fn a_constant_delay_below_a_day_is_believed() {
        let hour = 60 * MINUTE_MS;
        check(&[(0, -hour), (hour, 0), (2 * hour, hour), (3 * hour, 2 * hour)], &[false; 4], None);
    }
}
