//! Buckets that begin when a day or an hour begins where the plant is.

use domain::downsample::{self, Grid};
use domain::history::Range;
use domain::time::DAY_MS;
use jiff::tz::TimeZone;

/// A moment that every zone knows its offset at: those of the years 1 to 9999.
const ENDS_MS: (i64, i64) = (-62_135_596_800_000, 253_402_200_000_000);
/// More buckets are not drawn.
const MOST: usize = 10_000;
/// The epoch was a Thursday; weeks begin on Mondays.
const WEEK_SHIFT_MS: i64 = 3 * DAY_MS;

/// At most `points` buckets that cover a range, and their nominal length in milliseconds. They begin at multiples of it by the clock on the wall: a
/// day is one bucket also when it has 23 or 25 hours, and the hour that a clock shows twice is two.
#[must_use]
pub fn grid(range: Range, points: usize, zone: &TimeZone) -> (Grid, i64) {
    let (from, to, points) = (range.from.as_ms(), range.to.as_ms(), points.min(MOST));
    if from >= ENDS_MS.0 && to <= ENDS_MS.1 && from < to {
        // From the shortest that may do; one of the next does, for clocks are set a few times a year only.
        let shortest = (to - from) / i64::try_from(points).unwrap_or(i64::MAX).saturating_add(1);
        for ms in downsample::lengths_from(shortest.max(1)).take(6) {
            if let Some(starts) = starts((from, to), points, ms, zone) {
                return (Grid::Starts(starts), ms);
            }
        }
    }
    let ms = downsample::bucket_ms(range, points);
    (Grid::Even(ms), ms)
}

/// The beginnings of all buckets of a range, and where the last one ends; `None` for more than `points`.
fn starts((from, to): (i64, i64), points: usize, ms: i64, zone: &TimeZone) -> Option<Vec<i64>> {
    let shift = if ms % (7 * DAY_MS) == 0 { WEEK_SHIFT_MS } else { 0 };
    let nth = |local: i64| (local + shift).div_euclid(ms);
    let begin = |nth: i64| nth * ms - shift;
    let mut starts: Vec<i64> = vec![];
    // From before the first bucket, so that a change of the clock within it is met on the way.
    let mut at = from - 2 * ms - DAY_MS;
    if at < ENDS_MS.0 {
        return None;
    }
    let mut last: Option<(i64, i64)> = None;
    loop {
        let offset = offset_ms(zone, at);
        let change = next_change(zone, at);
        let mut next = match last {
            // The clock was set at this moment: by less than a bucket, the bucket goes on until the clock leaves it; by more, another begins.
            Some((before, last_nth)) if (offset - before).abs() < ms => {
                let here = nth(at + offset);
                if here > last_nth {
                    starts.push(at);
                }
                here.max(last_nth) + 1
            }
            _ => {
                starts.push(if last.is_some() { at } else { begin(nth(at + offset)) - offset });
                nth(at + offset) + 1
            }
        };
        while begin(next) - offset < change.unwrap_or(i64::MAX) {
            let start = begin(next) - offset;
            // Those before the range do not count: the last of them holds its first moment.
            if starts.last().is_some_and(|last| *last < from) && start <= from {
                starts.clear();
            }
            starts.push(start);
            if start >= to {
                return trimmed(starts, (from, to), points);
            }
            if starts.len() > points + 2 {
                return None;
            }
            next += 1;
        }
        last = Some((offset, next - 1));
        at = change?;
        if at >= to {
            starts.push(moment_of(zone, begin(next), at));
            return trimmed(starts, (from, to), points);
        }
    }
}

/// The first moment from `at` on at which the clock shows `local`, or is past it.
fn moment_of(zone: &TimeZone, local: i64, mut at: i64) -> i64 {
    loop {
        let moment = (local - offset_ms(zone, at)).max(at);
        // A bucket may be longer than a summer.
        match next_change(zone, at) {
            Some(change) if change <= moment => at = change,
            _ => return moment,
        }
    }
}

/// Only what touches the range.
fn trimmed(mut starts: Vec<i64>, (from, to): (i64, i64), points: usize) -> Option<Vec<i64>> {
    let first = starts.partition_point(|start| *start <= from).saturating_sub(1);
    starts.drain(..first);
    let end = starts.partition_point(|start| *start < to);
    starts.truncate(end + 1);
    (starts.len() <= points.saturating_add(1)).then_some(starts)
}

fn jiff_of(at_ms: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

fn offset_ms(zone: &TimeZone, at_ms: i64) -> i64 {
    i64::from(zone.to_offset(jiff_of(at_ms)).seconds()) * 1_000
}

/// The next moment at which clocks are set.
fn next_change(zone: &TimeZone, at_ms: i64) -> Option<i64> {
    let offset = zone.to_offset(jiff_of(at_ms));
    // Some changes are of the name or of the law only.
    zone.following(jiff_of(at_ms)).find(|change| change.offset() != offset).map(|change| change.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use domain::time::{HOUR_MS, MINUTE_MS, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a zone of the system")
    }

    fn ms(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().expect("a moment").as_millisecond()
    }

    fn range(from: i64, to: i64) -> Range {
        Range { from: Timestamp::from_ms(from), to: Timestamp::from_ms(to) }
    }

    /// Lengths of the buckets of a range, in minutes.
    fn check(name: &str, from: &str, to: &str, length_ms: i64, minutes: &[i64]) {
        let starts = starts((ms(from), ms(to)), 5_000, length_ms, &zone(name)).expect("few");
        let lengths: Vec<i64> = starts.windows(2).map(|pair| (pair[1] - pair[0]) / MINUTE_MS).collect();
        assert_eq!(lengths, minutes, "{name} {from} {length_ms}");
    }

    #[test]
    fn days_have_23_and_25_hours_where_clocks_are_set() {
        let day = 24 * 60;
        check("Europe/Berlin", "2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z", DAY_MS, &[day, day - 60, day]);
        check("Europe/Berlin", "2026-10-23T22:00:00Z", "2026-10-26T23:00:00Z", DAY_MS, &[day, day + 60, day]);
        check("Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", HOUR_MS, &[60; 23]);
        check("Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", HOUR_MS, &[60; 25]);
        check("Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 30 * MINUTE_MS, &[30; 50]);
    }

    #[test]
    fn buckets_of_some_hours_begin_by_the_clock_on_the_wall() {
        // From two to three there is no time, or twice as much.
        check("Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T10:00:00Z", 3 * HOUR_MS, &[120, 180, 180, 180]);
        check("Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T11:00:00Z", 3 * HOUR_MS, &[240, 180, 180, 180]);
        check("Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T06:00:00Z", 2 * HOUR_MS, &[120, 60, 120, 120]);
    }

    #[test]
    fn zones_that_are_off_by_minutes_are_kept_to() {
        check("Asia/Kolkata", "2026-05-01T18:30:00Z", "2026-05-03T18:30:00Z", DAY_MS, &[24 * 60, 24 * 60]);
        let (grid, length) = grid(range(ms("2026-05-01T18:45:00Z"), ms("2026-05-02T18:45:00Z")), 30, &zone("Asia/Kolkata"));
        assert_eq!(length, HOUR_MS);
        assert_eq!(grid.bucket(ms("2026-05-01T18:45:00Z")).0, ms("2026-05-01T18:30:00Z"));
        // Clocks are set by half an hour there.
        check("Australia/Lord_Howe", "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z", DAY_MS, &[24 * 60 - 30]);
    }

    #[test]
    fn a_bucket_that_is_longer_than_a_summer_ends_by_the_clock_at_its_end() {
        let berlin = zone("Europe/Berlin");
        let (Grid::Starts(starts), length) = grid(range(429_923_957_814, 429_923_957_814 + 35_430_042_187), 1, &berlin) else {
            panic!("one bucket by the clock")
        };
        for start in starts {
            let local = start + offset_ms(&berlin, start);
            assert_eq!((if length % (7 * DAY_MS) == 0 { local + WEEK_SHIFT_MS } else { local }) % length, 0, "{start}");
        }
    }

    #[test]
    fn weeks_begin_on_mondays() {
        let (grid, length) = grid(range(ms("2026-05-01T00:00:00Z"), ms("2026-07-01T00:00:00Z")), 12, &TimeZone::UTC);
        assert_eq!(length, 7 * DAY_MS);
        assert_eq!(grid.bucket(ms("2026-05-06T12:00:00Z")).0, ms("2026-05-04T00:00:00Z"));
    }

    proptest! {
        #[test]
        fn buckets_follow_each_other_and_cover_the_range(
            name in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "UTC"]),
            from in 0i64..2_000_000_000_000,
            len in 1i64..100_000_000_000,
            points in 1usize..2_000,
        ) {
            let range = range(from, from + len);
            if let (Grid::Starts(starts), length) = grid(range, points, &zone(name)) {
                prop_assert!(starts.windows(2).all(|pair| pair[0] < pair[1]), "{starts:?}");
                prop_assert!(starts.len() <= points + 1);
                prop_assert!(starts[0] <= from && starts[starts.len() - 1] >= from + len);
                prop_assert!(starts.len() < 2 || (starts[1] > from && starts[starts.len() - 2] < from + len));
                for start in &starts {
                    let local = start + offset_ms(&zone(name), *start);
                    let is_change = offset_ms(&zone(name), *start - 1) != offset_ms(&zone(name), *start);
                    let aligned = if length % (7 * DAY_MS) == 0 { local + WEEK_SHIFT_MS } else { local } % length == 0;
                    prop_assert!(aligned || is_change, "{start} in {name}");
                }
            }
        }

        #[test]
        fn any_range_has_buckets(from in any::<i64>(), to in any::<i64>(), points in 0usize..10) {
            let end = |at: i64| at.clamp(-8_640_000_000_000_000, 8_640_000_000_000_000);
            let _ = grid(range(end(from), end(to)), points, &zone("Europe/Berlin"));
        }
    }
}
