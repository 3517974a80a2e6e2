use super::sum::bounded;
use super::{Point, Sum};

/// What the order of some readings adds to their [`Sum`]: how a meter counted through them, and how long a state was on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// The first of them.
    pub first: f64,
    /// [`Point::key`] of the first.
    pub first_key: i64,
    /// What a meter showed in all before it began anew from zero, each time it did.
    pub lost: f64,
    /// From the first to the last of them, for how many milliseconds the state was on.
    pub on_ms: i64,
    /// How often one differs from the one before.
    pub changes: i64,
}

/// What readings in order come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traced {
    /// In any order.
    pub sum: Sum,
    /// In theirs.
    pub run: Run,
}

impl Traced {
    /// One reading.
    #[must_use]
    pub const fn of(point: &Point) -> Self {
        Self { sum: Sum::of(point), run: Run { first: point.value, first_key: point.key(), lost: 0.0, on_ms: 0, changes: 0 } }
    }

    /// Readings in order; `None` for none.
    #[must_use]
    pub fn all(points: &[Point]) -> Option<Self> {
        let (first, rest) = points.split_first()?;
        let mut all = Self::of(first);
        rest.iter().for_each(|point| all.then(&Self::of(point)));
        Some(all)
    }

    /// Takes what comes after it, all of it.
    pub fn then(&mut self, later: &Self) {
        let (last, next) = (self.sum.last, later.run.first);
        if bounded(next) < bounded(last) {
            self.run.lost += bounded(last);
        }
        if is_on(last) {
            self.run.on_ms += (later.run.first_key >> 1) - self.last_at();
        }
        self.run.changes += later.run.changes + i64::from(next.to_bits() != last.to_bits());
        self.run.lost += later.run.lost;
        self.run.on_ms += later.run.on_ms;
        self.sum.add(&later.sum);
    }

    /// By how much a meter counted from the first of them to the last.
    #[must_use]
    pub fn increase(&self) -> f64 {
        bounded(self.sum.last) - bounded(self.run.first) + self.run.lost
    }

    /// The moment of the first in milliseconds.
    #[must_use]
    pub const fn first_at(&self) -> i64 {
        self.run.first_key >> 1
    }

    /// The moment of the last in milliseconds.
    #[must_use]
    pub const fn last_at(&self) -> i64 {
        self.sum.last_key >> 1
    }
}

/// By how much a meter counted from one reading to the next; a lower one began anew from zero.
#[must_use]
pub fn increase(before: f64, next: f64) -> f64 {
    domain::history::increase(bounded(before), bounded(next))
}

/// Whether a number stands for on.
#[must_use]
pub const fn is_on(number: f64) -> bool {
    number > 0.5
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_come_to_what_all_of_them_come_to(steps in prop::collection::vec((0i64..5, 0i32..4), 2..40), cut in any::<prop::sample::Index>()) {
            let mut at = 0;
            let points: Vec<Point> = steps.into_iter().map(|(ms, value)| {
                at += ms;
                Point::new(at, false, f64::from(value))
            }).collect();
            let (early, late) = points.split_at(1 + cut.index(points.len() - 1));
            let mut both = Traced::all(early).expect("one at least");
            if let Some(late) = Traced::all(late) {
                both.then(&late);
            }
            prop_assert_eq!(Some(both), Traced::all(&points));
            let counted: f64 = points.windows(2).map(|pair| increase(pair[0].value, pair[1].value)).sum();
            prop_assert_eq!(both.increase(), counted);
        }
    }
}
