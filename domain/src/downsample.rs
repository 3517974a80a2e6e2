//! Many points into few: aligned buckets of min, mean, max and last.

use crate::history::Range;
use crate::time::Timestamp;

/// Lengths of buckets that divide days and hours evenly, in milliseconds: whole seconds first, then minutes, hours and days.
const NICE_MS: [i64; 25] = [
    1,
    10,
    100,
    1_000,
    2_000,
    5_000,
    10_000,
    15_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    10_800_000,
    21_600_000,
    43_200_000,
    86_400_000,
    172_800_000,
    604_800_000,
    1_209_600_000,
    2_592_000_000,
];

/// The shortest even length of which at most `points` buckets cover the range.
#[must_use]
pub fn bucket_ms(range: Range, points: usize) -> i64 {
    let points = i64::try_from(points.max(1)).unwrap_or(i64::MAX);
    NICE_MS.iter().copied().find(|&ms| buckets_between(range, ms) <= points).unwrap_or_else(|| {
        // Past a month a bucket, whole months of 30 days.
        let month = 2_592_000_000;
        let mut ms = month;
        // A range on both sides of the epoch never fits one aligned bucket.
        while buckets_between(range, ms) > points && ms < i64::MAX / 4 {
            ms *= 2;
        }
        ms
    })
}

/// Lengths of buckets in milliseconds that divide days and hours evenly, from one on, shortest first.
pub fn lengths_from(ms: i64) -> impl Iterator<Item = i64> {
    let month = NICE_MS[NICE_MS.len() - 1];
    let longer = std::iter::successors(month.checked_mul(2), |months| months.checked_mul(2));
    NICE_MS.into_iter().chain(longer).filter(move |length| *length >= ms)
}

fn buckets_between(range: Range, ms: i64) -> i64 {
    if range.len_ms() == 0 {
        return 0;
    }
    let first = range.from.as_ms().div_euclid(ms);
    let last = range.to.as_ms().saturating_sub(1).div_euclid(ms);
    last - first + 1
}

/// The start of the bucket that holds `t`.
#[must_use]
pub const fn bucket_start(t: Timestamp, bucket_ms: i64) -> Timestamp {
    Timestamp::from_ms(t.as_ms().div_euclid(bucket_ms) * bucket_ms)
}

/// Where buckets begin and end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grid {
    /// All of the same length in milliseconds, from the epoch on.
    Even(i64),
    /// In order, each up to where the next begins. The last is an end: no bucket begins there.
    Starts(Vec<i64>),
}

impl Grid {
    /// Beginning (inside) and end (outside) of the bucket that holds a moment, in milliseconds. What lies before the first bucket or after the last
    /// counts as of one bucket there.
    #[must_use]
    pub fn bucket(&self, at: i64) -> (i64, i64) {
        match self {
            Self::Even(ms) => {
                let start = at.saturating_sub(at.rem_euclid(*ms));
                (start, start.saturating_add(*ms))
            }
            Self::Starts(starts) => {
                let next = starts.partition_point(|start| *start <= at);
                let start = next.checked_sub(1).and_then(|before| starts.get(before));
                (start.copied().unwrap_or(i64::MIN), starts.get(next).copied().unwrap_or(i64::MAX))
            }
        }
    }
}

impl Grid {
    /// Whether every bucket is made of whole spans of this length, from the epoch on.
    #[must_use]
    pub fn is_made_of(&self, ms: i64) -> bool {
        match self {
            Self::Even(length) => length % ms == 0,
            Self::Starts(starts) => starts.iter().all(|start| start % ms == 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_more_buckets_than_points(from in 0i64..2_000_000_000_000, len in 1i64..400_000_000_000, points in 1usize..5_000) {
            let range = Range { from: Timestamp::from_ms(from), to: Timestamp::from_ms(from + len) };
            let ms = bucket_ms(range, points);
            prop_assert!(buckets_between(range, ms) <= i64::try_from(points).expect("small"), "{ms}");
        }

        #[test]
        fn every_range_has_a_length_of_buckets(from in -8_640_000_000_000_000i64..0, to in 0i64..8_640_000_000_000_000, points in 0usize..3) {
            let range = Range { from: Timestamp::from_ms(from), to: Timestamp::from_ms(to) };
            prop_assert!(buckets_between(range, bucket_ms(range, points)) <= 2);
        }

        #[test]
        fn a_moment_lies_in_its_bucket(t in -1_000_000_000i64..2_000_000_000_000, ms in 1i64..100_000_000) {
            let start = bucket_start(Timestamp::from_ms(t), ms).as_ms();
            prop_assert!(start <= t && t < start + ms);
        }
    }
}
