//! What a meter counted, by buckets.

use domain::downsample::Grid;

use super::traced::{Fold, Row};
use crate::store::codec::{Point, Sum, Traced, increase};

/// Takes the readings of a meter in order.
#[derive(Debug)]
pub(super) struct Meter<'a> {
    grid: &'a Grid,
    /// What it showed last.
    before: Option<f64>,
    /// The bucket that the last one lies in, from where to where.
    bucket: (i64, i64),
    rows: Vec<Row>,
    /// Single readings, as long as there are no more than `most`.
    raw: Option<Vec<Row>>,
    most: usize,
}

impl<'a> Meter<'a> {
    /// A meter that showed `before` last. `most` readings are kept apart.
    pub(super) fn new(grid: &'a Grid, before: Option<f64>, most: Option<usize>) -> Self {
        Self { grid, before, bucket: (i64::MAX, i64::MIN), rows: vec![], raw: most.map(|_| vec![]), most: most.unwrap_or(0) }
    }

    /// All readings when there were few, and the buckets; the latter of what was summed up too.
    pub(super) fn done(self) -> (Option<Vec<Row>>, Vec<Row>) {
        (self.raw, self.rows)
    }

    fn add(&mut self, at: i64, sum: &Sum, increase: f64) {
        if at < self.bucket.0 || at >= self.bucket.1 {
            self.bucket = self.grid.bucket(at);
        }
        match self.rows.last_mut() {
            Some(row) if row.at == self.bucket.0 => {
                row.sum.add(sum);
                row.more += increase;
            }
            _ => self.rows.push(Row { at: self.bucket.0, sum: *sum, more: increase, known_ms: 0 }),
        }
        self.before = Some(sum.last);
    }

    /// By how much it counted up to what it shows now.
    fn counted(&self, now: f64) -> f64 {
        self.before.map_or(0.0, |before| increase(before, now))
    }
}

impl Fold for Meter<'_> {
    const IS_STATE: bool = false;

    fn until(&self) -> i64 {
        i64::MAX
    }

    fn point(&mut self, point: &Point) {
        let (sum, increase) = (Sum::of(point), self.counted(point.value));
        if let Some(raw) = &mut self.raw {
            raw.push(Row { at: point.taken_at(), sum, more: increase, known_ms: 0 });
        }
        if self.raw.as_ref().is_some_and(|raw| raw.len() > self.most) {
            self.raw = None;
        }
        self.add(point.taken_at(), &sum, increase);
    }

    fn span(&mut self, span: &Traced) {
        self.raw = None;
        self.add(span.first_at(), &span.sum, self.counted(span.run.first) + span.increase());
    }
}
