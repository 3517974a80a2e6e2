//! Where data are missing: a sample later than three intervals breaks the line.

use domain::history::{Range, Resolution};
use domain::time::Timestamp;

/// How many intervals a sample may be late.
const LATE_INTERVALS: i64 = 3;

/// The usual distance of two samples in milliseconds: their median, at least the length of a bucket. `None` for less than two samples.
#[must_use]
pub fn interval_ms(times: &[Timestamp], resolution: Resolution) -> Option<i64> {
    let least = bucket_ms(resolution);
    let n = n_within(times, i64::MAX);
    if n == 0 {
        return least;
    }
    // Found by halving what it may be and counting: every page has this code, and sorting takes a lot more of it.
    let (mut low, mut high) = (least.unwrap_or(1), times.last()?.since_ms(*times.first()?));
    while low < high {
        let middle = low + (high - low) / 2;
        if n_within(times, middle) > n / 2 {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

/// How many samples come later than the one before, by no more than so many milliseconds.
#[inline(never)]
fn n_within(times: &[Timestamp], most_ms: i64) -> usize {
    times.windows(2).filter(|pair| matches!(pair, [before, after] if (1..=most_ms).contains(&after.since_ms(*before)))).count()
}

/// The length of a bucket; `None` for single readings.
#[must_use]
pub const fn bucket_ms(resolution: Resolution) -> Option<i64> {
    match resolution {
        Resolution::Raw => None,
        Resolution::BucketMs(ms) => Some(ms),
    }
}

/// The spans of `range` without data, oldest first: between two samples, before the first and after the last. Without samples: all of it.
#[must_use]
pub fn gaps(times: &[Timestamp], resolution: Resolution, range: Range) -> Vec<Range> {
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return if range.len_ms() > 0 { vec![range] } else { vec![] };
    };
    let Some(interval) = interval_ms(times, resolution) else { return vec![] };
    // A bucket covers the time up to its end; before the first sample nothing is covered.
    let covered = bucket_ms(resolution).unwrap_or(0);
    let between = times.windows(2).map(|pair| (pair[0], covered, pair[1]));
    let edges = [(range.from, 0, *first)].into_iter().chain(between).chain([(*last, covered, range.to)]);
    let late = edges.filter(|(from, _, to)| to.since_ms(*from) > interval.saturating_mul(LATE_INTERVALS));
    late.map(|(from, covered, to)| Range { from: from.plus_ms(covered), to }).collect()
}

/// The rows of a series in runs without a gap inside, as ranges of row numbers.
#[must_use]
pub fn runs(times: &[Timestamp], resolution: Resolution) -> Vec<std::ops::Range<usize>> {
    let mut runs = vec![];
    each_run(times, resolution, &mut |run| runs.push(run));
    runs
}

/// Tells the rows of each run, one after the other.
pub fn each_run(times: &[Timestamp], resolution: Resolution, tell: &mut dyn FnMut(std::ops::Range<usize>)) {
    let late = interval_ms(times, resolution).map_or(i64::MAX, |ms| ms.saturating_mul(LATE_INTERVALS));
    let mut start = 0;
    for run in times.chunk_by(|before, after| after.since_ms(*before) <= late) {
        tell(start..start + run.len());
        start += run.len();
    }
}

/// The spans of several series as one list: what overlaps is joined.
#[must_use]
pub fn joined(mut spans: Vec<Range>) -> Vec<Range> {
    spans.sort_by_key(|span| span.from);
    let mut joined: Vec<Range> = vec![];
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
            _ => joined.push(span),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: &[i64]) -> Vec<Timestamp> {
        ms.iter().copied().map(Timestamp::from_ms).collect()
    }

    fn range(from: i64, to: i64) -> Range {
        Range { from: Timestamp::from_ms(from), to: Timestamp::from_ms(to) }
    }

    #[test]
    fn a_sample_later_than_three_intervals_makes_a_gap() {
        let times = at(&[0, 10, 20, 50, 60, 91, 100]);
        assert_eq!(gaps(&times, Resolution::Raw, range(0, 110)), [range(60, 91)]);
        assert_eq!(runs(&times, Resolution::Raw), [0..5, 5..7]);
    }

    #[test]
    fn missing_data_at_the_ends_count() {
        assert_eq!(gaps(&at(&[100, 110, 120]), Resolution::Raw, range(0, 200)), [range(0, 100), range(120, 200)]);
        assert_eq!(gaps(&[], Resolution::Raw, range(0, 200)), [range(0, 200)]);
    }

    #[test]
    fn a_bucket_covers_the_time_up_to_its_end() {
        assert_eq!(gaps(&at(&[0, 5, 10, 65, 70]), Resolution::BucketMs(5), range(0, 75)), [range(15, 65)]);
    }

    #[test]
    fn a_slow_device_has_its_own_interval() {
        let times = at(&[0, 60, 120, 180]);
        assert_eq!(gaps(&times, Resolution::BucketMs(5), range(0, 200)), []);
        assert_eq!(gaps(&at(&[0]), Resolution::BucketMs(5), range(0, 200)), [range(5, 200)]);
    }

    #[test]
    fn overlapping_spans_are_joined() {
        assert_eq!(joined(vec![range(50, 60), range(0, 10), range(5, 20)]), [range(0, 20), range(50, 60)]);
    }

    proptest! {
        #[test]
        fn half_of_all_samples_come_within_the_interval(steps in prop::collection::vec(prop_oneof![0i64..5, 0i64..1_000_000], 0..60), bucket in 0i64..20) {
            let times: Vec<_> = steps.iter().scan(0, |t, step| { *t += step; Some(Timestamp::from_ms(*t)) }).collect();
            let mut apart: Vec<i64> = steps.iter().skip(1).copied().filter(|step| *step > 0).collect();
            apart.sort_unstable();
            let median = apart.get(apart.len() / 2).copied();
            prop_assert_eq!(interval_ms(&times, Resolution::Raw), median);
            prop_assert_eq!(interval_ms(&times, Resolution::BucketMs(bucket.max(1))), Some(median.unwrap_or(1).max(bucket.max(1))));
        }

        #[test]
        fn runs_hold_every_row_once(steps in prop::collection::vec(1i64..100, 0..50)) {
            let times: Vec<_> = steps.iter().scan(0, |t, step| { *t += step; Some(Timestamp::from_ms(*t)) }).collect();
            let rows: Vec<usize> = runs(&times, Resolution::Raw).into_iter().flatten().collect();
            prop_assert_eq!(rows, (0..times.len()).collect::<Vec<_>>());
        }
    }
}
