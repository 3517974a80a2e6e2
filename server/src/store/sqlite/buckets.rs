//! Readings and blocks into the buckets of one series.

use std::collections::BTreeMap;

use domain::downsample::Grid;

use super::block::Head;
use crate::store::codec::Point;
use crate::store::codec::Sum;

/// The buckets of one series that are not empty.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    sums: BTreeMap<i64, Sum>,
}

impl Buckets {
    /// Takes readings in order, as far as they are within the range.
    pub(super) fn add_points(&mut self, grid: &Grid, range: (i64, i64), points: &[Point]) {
        let mut left = within(range, points);
        while let Some(first) = left.first() {
            let (start, end) = grid.bucket(first.taken_at());
            // Long runs of one bucket, mostly: found by halves.
            let (own, later) = left.split_at(left.partition_point(|point| point.taken_at() < end));
            left = later;
            if let Some(sum) = Sum::all(own) {
                self.add(start, &sum);
            }
        }
    }

    /// Takes a block by its head if it lies in one bucket and within the range; otherwise it has to be read.
    pub(super) fn add_head(&mut self, grid: &Grid, range: (i64, i64), head: &Head) -> bool {
        let bucket = bucket_around(grid, range, (head.start_at, head.end_at()));
        if let Some(start) = bucket {
            self.add(start, &head.sum);
        }
        bucket.is_some()
    }

    /// Takes what readings of one bucket come to, by where it begins.
    pub(super) fn add(&mut self, start: i64, sum: &Sum) {
        self.sums.entry(start).and_modify(|known| known.add(sum)).or_insert(*sum);
    }

    /// Start and sum of each bucket, in order.
    pub(super) fn rows(self) -> Vec<(i64, Sum)> {
        self.sums.into_iter().collect()
    }
}

/// Where the bucket begins that everything between two moments lies in, if that is one bucket and within the range.
pub(super) fn bucket_around(grid: &Grid, (from, to): (i64, i64), (first, last): (i64, i64)) -> Option<i64> {
    let (start, end) = grid.bucket(first);
    (first >= from && last < to.min(end)).then_some(start)
}

/// Those of some readings in order that lie in a range.
pub(super) fn within((from, to): (i64, i64), points: &[Point]) -> &[Point] {
    let first = points.partition_point(|point| point.taken_at() < from);
    let end = points.partition_point(|point| point.taken_at() < to);
    points.get(first..end).unwrap_or_default()
}
