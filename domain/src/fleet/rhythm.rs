//! How often an entity is heard: learned from its messages, so that silence can be told.

use crate::time::{HOUR_MS, SECOND_MS, Timestamp};

/// A number that was not heard often enough may be this old before it counts as late.
const UNLEARNED_MS: i64 = HOUR_MS;
/// No rhythm is trusted below this: jitter of networks and brokers.
const MIN_LATE_MS: i64 = 10 * SECOND_MS;
/// The slowest rhythm.
const MAX_LATE_MS: i64 = 24 * HOUR_MS;
/// How many intervals may pass without a reading.
const LATE_INTERVALS: i64 = 4;
/// Messages closer than this are one: a burst says nothing about when the next one is due, and below it the bound is [`MIN_LATE_MS`] anyway.
const BURST_MS: i64 = MIN_LATE_MS / LATE_INTERVALS;
/// Intervals before a rhythm counts as learned.
const LEARNED: usize = 3;
/// Intervals remembered.
const REMEMBERED: usize = 16;
/// Times in a row that a state must be repeated before it counts as one that is sent again and again.
const REPEATED: u8 = 5;

/// When an entity is heard.
#[derive(Debug, Default)]
pub(super) struct Rhythm {
    /// When the last live message arrived, whatever time it said.
    heard_at: Option<Timestamp>,
    /// When the burst began that the last message belongs to.
    burst_at: Option<Timestamp>,
    /// The last intervals between bursts, in milliseconds; the oldest is replaced.
    intervals_ms: [u32; REMEMBERED],
    n_intervals: usize,
    n_repeats: u8,
    /// The state is sent again and again, not only when it changes.
    is_repeated: bool,
}

impl Rhythm {
    /// When the last live message arrived.
    pub(super) const fn heard_at(&self) -> Option<Timestamp> {
        self.heard_at
    }

    /// A live message arrived; `same` when it said what was known.
    pub(super) fn hear(&mut self, same: bool, now: Timestamp) {
        self.heard_at = Some(now);
        let interval = self.burst_at.map(|before| now.since_ms(before));
        // A clock of ours that was set back starts a new count.
        if interval.is_some_and(|interval| (0..BURST_MS).contains(&interval)) {
            return;
        }
        self.burst_at = Some(now);
        self.n_repeats = if same { self.n_repeats.saturating_add(1) } else { 0 };
        self.is_repeated |= self.n_repeats >= REPEATED;
        if let Some(interval) = interval.and_then(|interval| u32::try_from(interval).ok()) {
            self.intervals_ms[self.n_intervals % REMEMBERED] = interval;
            self.n_intervals += 1;
        }
    }

    /// How long silence may last; `None` for states that are sent when they change. `periodic` for what is sent in a rhythm by its nature.
    ///
    /// Four times the longest but one of the last intervals: bursts and jitter make it longer, a single outage does not.
    pub(super) fn late_after_ms(&self, periodic: bool) -> Option<i64> {
        if !periodic && !self.is_repeated {
            return None;
        }
        if self.n_intervals < LEARNED {
            return Some(UNLEARNED_MS);
        }
        let (mut longest, mut second) = (0, 0);
        for &interval in &self.intervals_ms[..self.n_intervals.min(REMEMBERED)] {
            if interval >= longest {
                (longest, second) = (interval, longest);
            } else {
                second = second.max(interval);
            }
        }
        Some((i64::from(second) * LATE_INTERVALS).clamp(MIN_LATE_MS, MAX_LATE_MS))
    }

    /// Keeps silence measurable after our clock was set back: what was heard "in the future" was heard now at the latest.
    pub(super) fn hold(&mut self, now: Timestamp) {
        self.heard_at = self.heard_at.map(|heard| heard.min(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bound after messages with these intervals, of a number.
    fn check(intervals_ms: &[i64], late_after_ms: i64) {
        let (mut rhythm, mut now) = (Rhythm::default(), 1_000_000);
        rhythm.hear(false, Timestamp::from_ms(now));
        for interval in intervals_ms {
            now += interval;
            rhythm.hear(false, Timestamp::from_ms(now));
        }
        assert_eq!(rhythm.late_after_ms(true), Some(late_after_ms), "{intervals_ms:?}");
    }

    #[test]
    fn silence_is_measured_against_the_rhythm() {
        check(&[5_000, 5_000], UNLEARNED_MS);
        check(&[5_000; 3], 20_000);
        check(&[100; 300], 10_000);
        check(&[1_000; 100], 12_000);
        check(&[40 * HOUR_MS; 5], MAX_LATE_MS);
        check(&[8_000, 12_000, 9_000, 11_500, 10_000], 46_000);
    }

    #[test]
    fn one_outage_changes_nothing_and_bursts_are_one_message() {
        check(&[5_000, 5_000, 5_000, 3_600_000, 5_000, 5_000], 20_000);
        check(&[3_600_000, 5_000, 5_000], 20_000);
        let bursts: Vec<i64> = (0..60).map(|n| if n % 6 == 0 { 60_000 } else { 120 }).collect();
        check(&bursts, 240_000 + 4 * 600);
    }

    #[test]
    fn a_new_rhythm_is_learned() {
        let slower: Vec<i64> = [vec![5_000; 20], vec![60_000; 2]].concat();
        check(&slower, 240_000);
        let faster: Vec<i64> = [vec![60_000; 20], vec![5_000; 16]].concat();
        check(&faster, 20_000);
    }

    #[test]
    fn a_state_has_a_rhythm_once_it_is_repeated() {
        let mut rhythm = Rhythm::default();
        let mut now = 0;
        let mut hear = |rhythm: &mut Rhythm, same, after_ms| {
            now += after_ms;
            rhythm.hear(same, Timestamp::from_ms(now));
            rhythm.late_after_ms(false)
        };
        assert_eq!(hear(&mut rhythm, false, 0), None);
        for _ in 0..20 {
            // The same message delivered again and again at once is no rhythm.
            assert_eq!(hear(&mut rhythm, true, 10), None);
        }
        for _ in 0..4 {
            assert_eq!(hear(&mut rhythm, true, 30_000), None);
        }
        assert_eq!(hear(&mut rhythm, true, 30_000), Some(120_000));
        assert_eq!(hear(&mut rhythm, false, 30_000), Some(120_000), "a change ends no rhythm");
    }
}
