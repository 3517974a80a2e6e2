//! How many messages a second.

use std::collections::VecDeque;

use domain::time::{SECOND_MS, Timestamp};

/// The time that a rate looks back over.
const SPAN_MS: i64 = 10 * SECOND_MS;

/// Counts, and remembers how far it was in the last ten seconds.
#[derive(Debug, Default)]
pub struct Rate {
    n: u64,
    /// When, and how many by then; oldest first.
    marks: VecDeque<(Timestamp, u64)>,
}

impl Rate {
    /// One more.
    pub const fn count(&mut self) {
        self.n += 1;
    }

    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.n
    }

    /// Notes how far it is; called twice a second or so.
    pub fn mark(&mut self, now: Timestamp) {
        self.marks.push_back((now, self.n));
        while self.marks.front().is_some_and(|(at, _)| now.since_ms(*at) > SPAN_MS) {
            self.marks.pop_front();
        }
    }

    /// Per second over the last ten seconds, or since the first mark.
    #[must_use]
    pub fn per_s(&self) -> f64 {
        let (Some((from, n_from)), Some((to, n_to))) = (self.marks.front(), self.marks.back()) else { return 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let per_s = (n_to - n_from) as f64 * 1e3 / to.since_ms(*from).max(1) as f64;
        (per_s * 10.0).round() / 10.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_looks_back_over_ten_seconds() {
        let mut rate = Rate::default();
        assert_eq!(rate.per_s(), 0.0);
        rate.mark(Timestamp::from_ms(0));
        assert_eq!(rate.per_s(), 0.0);
        for second in 1..=20_i32 {
            for _ in 0..if second <= 10 { 5 } else { 2 } {
                rate.count();
            }
            rate.mark(Timestamp::from_ms(i64::from(second) * 1_000));
            if second == 10 {
                assert_eq!(rate.per_s(), 5.0);
            }
        }
        assert_eq!((rate.per_s(), rate.total()), (2.0, 70));
    }
}
