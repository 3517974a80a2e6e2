//! For how long a state was on, by buckets. A state holds until the next one.

use domain::downsample::Grid;

use super::traced::{Fold, Row};
use crate::store::codec::{Point, Sum, Traced, is_on};

/// Takes the states of a series in order. What says again what is so changes nothing.
#[derive(Debug)]
pub(super) struct Duty<'a> {
    grid: &'a Grid,
    /// Nothing is known from here on.
    until: i64,
    /// Buckets without a change have a row too.
    is_filled: bool,
    /// What holds, and since when that is not accounted for.
    held: Option<(f64, i64)>,
    bucket: (i64, i64),
    rows: Vec<Row>,
    /// Single changes, as long as there are no more than `most`.
    raw: Option<Vec<Row>>,
    most: usize,
}

impl<'a> Duty<'a> {
    /// From `from` on, where `before` held if anything did, up to `until`. `most` changes are kept apart.
    pub(super) fn new(grid: &'a Grid, (from, until): (i64, i64), before: Option<f64>, most: Option<usize>) -> Self {
        let held = before.map(|state| (state, from));
        let mut raw = most.map(|_| vec![]);
        if let (Some(raw), Some(state)) = (&mut raw, before)
            && from < until
        {
            // No change, but what held at the beginning.
            raw.push(Row { at: from, sum: Sum { n: 0, ..Sum::of(&Point::new(from, true, state)) }, more: 0.0, known_ms: 0 });
        }
        Self { grid, until, is_filled: true, held, bucket: (i64::MAX, i64::MIN), rows: vec![], raw, most: most.unwrap_or(0) }
    }

    /// The same with rows only where something changed.
    pub(super) fn without_empty(mut self) -> Self {
        self.is_filled = false;
        self
    }

    /// All changes when there were few, with what held at the beginning in front, and the buckets.
    pub(super) fn done(mut self) -> (Option<Vec<Row>>, Vec<Row>) {
        self.hold(self.until);
        if !self.is_filled {
            self.rows.retain(|row| row.sum.n > 0);
        }
        let mut raw = self.raw.filter(|raw| raw.len() <= self.most);
        if let Some(raw) = &mut raw {
            let mut next = self.until;
            for row in raw.iter_mut().rev() {
                row.known_ms = (next.min(self.until) - row.at).max(0);
                next = row.at;
                // All of it or nothing.
                row.more = if is_on(row.sum.last) { as_ms(row.known_ms) } else { 0.0 };
            }
        }
        (raw, self.rows)
    }

    /// What held goes on up to a moment.
    fn hold(&mut self, to: i64) {
        let Some((state, mut at)) = self.held else { return };
        let to = to.min(self.until);
        while at < to {
            let end = self.row(at, state).min(to);
            if let Some(row) = self.rows.last_mut() {
                row.known_ms += end - at;
                if is_on(state) {
                    row.more += as_ms(end - at);
                }
                row.sum.low = row.sum.low.min(state);
                row.sum.high = row.sum.high.max(state);
                row.sum.last = state;
            }
            at = end;
            if !self.is_filled && at < to {
                // What lies between has no row.
                at = at.max(self.grid.bucket(to - 1).0);
            }
        }
        self.held = Some((state, at));
    }

    /// Makes sure that the last row is of the bucket of a moment; returns where that ends. A new row begins with `state`.
    fn row(&mut self, at: i64, state: f64) -> i64 {
        if at < self.bucket.0 || at >= self.bucket.1 {
            self.bucket = self.grid.bucket(at);
        }
        if self.rows.last().is_none_or(|row| row.at != self.bucket.0) {
            let sum = Sum { n: 0, ..Sum::of(&Point::new(at, true, state)) };
            self.rows.push(Row { at: self.bucket.0, sum, more: 0.0, known_ms: 0 });
        }
        self.bucket.1
    }

    /// At a moment some changes are over, of which the last leads to `last`.
    fn change(&mut self, (first_at, last_at): (i64, i64), sum: &Sum, n: i64, on_ms: i64) {
        self.hold(first_at);
        self.row(first_at, sum.last);
        if let Some(row) = self.rows.last_mut() {
            row.sum.n += n;
            row.sum.low = row.sum.low.min(sum.low);
            row.sum.high = row.sum.high.max(sum.high);
            row.sum.last = sum.last;
            row.more += as_ms(on_ms);
            row.known_ms += last_at - first_at;
        }
        self.held = Some((sum.last, last_at));
    }

    fn is_held(&self, state: f64) -> bool {
        self.held.is_some_and(|(held, _)| held.to_bits() == state.to_bits())
    }
}

impl Fold for Duty<'_> {
    const IS_STATE: bool = true;

    fn until(&self) -> i64 {
        self.until
    }

    fn point(&mut self, point: &Point) {
        if self.is_held(point.value) {
            return;
        }
        let (at, sum) = (point.taken_at(), Sum::of(point));
        if let Some(raw) = &mut self.raw {
            raw.push(Row { at, sum, more: 0.0, known_ms: 0 });
        }
        if self.raw.as_ref().is_some_and(|raw| raw.len() > self.most.saturating_add(1)) {
            self.raw = None;
        }
        if let Some(raw) = &mut self.raw
            && let [before, _] = raw[..]
            && before.sum.n == 0
            && before.at == at
        {
            // It held for no time at all.
            raw.remove(0);
        }
        self.change((at, at), &sum, 1, 0);
    }

    fn span(&mut self, span: &Traced) {
        self.raw = None;
        let n = span.run.changes + i64::from(!self.is_held(span.run.first));
        self.change((span.first_at(), span.last_at()), &span.sum, n, span.run.on_ms);
    }
}

/// Exact up to the length of human history.
#[expect(clippy::cast_precision_loss, reason = "no calendar has 2^53 milliseconds between two moments that are kept")]
const fn as_ms(ms: i64) -> f64 {
    ms as f64
}
