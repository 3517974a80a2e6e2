//! Series of states: 1 is on, 0 is off, and a state holds until the next one.

use domain::history::{Range, Series};
use domain::time::Timestamp;

use crate::components::chart::gaps::bucket_ms;

/// A span of time in which a state was on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Start.
    pub from: Timestamp,
    /// End.
    pub to: Timestamp,
}

/// The spans of `range` in which the state was on, oldest first. A bucket in which it was on at all counts as on:
/// a short press must not vanish.
#[must_use]
pub fn spans(series: &Series, range: Range) -> Vec<Span> {
    let bucket = bucket_ms(series.resolution).unwrap_or(0);
    let mut spans: Vec<Span> = vec![];
    let mut add = |from: Timestamp, to: Timestamp| {
        let (from, to) = (from.max(range.from), to.min(range.to));
        match spans.last_mut() {
            _ if from >= to => {}
            Some(last) if from <= last.to => last.to = last.to.max(to),
            _ => spans.push(Span { from, to }),
        }
    };
    for (row, &t) in series.t.iter().enumerate() {
        let next = series.t.get(row + 1).copied().unwrap_or(range.to);
        let end = t.plus_ms(bucket).min(next);
        if series.max.get(row).is_some_and(|&v| v > 0.5) {
            add(t, end);
        }
        if series.last.get(row).is_some_and(|&v| v > 0.5) {
            add(end, next);
        }
    }
    spans
}

/// How long the state was on, and how long it is known at all, in milliseconds.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a share of some years in milliseconds")]
pub fn on_and_known_ms(series: &Series, range: Range) -> (i64, i64) {
    if !series.duty.is_empty() {
        let on = series.duty.iter().zip(&series.known_ms).map(|(duty, &ms)| (duty * ms as f64).round() as i64);
        return (on.sum(), series.known_ms.iter().sum());
    }
    let on = spans(series, range).iter().map(|span| span.to.since_ms(span.from)).sum();
    let known = series.t.first().map_or(0, |&first| range.to.since_ms(first.max(range.from)).max(0));
    (on, known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::entity::EntityId;
    use domain::history::Resolution;

    fn series(resolution: Resolution, rows: &[(i64, f64, f64)]) -> Series {
        let mut series = Series::empty(EntityId::parse("a.b").expect("id"), resolution);
        for &(t, max, last) in rows {
            series.t.push(Timestamp::from_ms(t));
            series.min.push(0.0);
            series.mean.push(0.5);
            series.max.push(max);
            series.last.push(last);
            series.n.push(1);
        }
        series
    }

    fn check(series: &Series, expected: &[(i64, i64)]) {
        let range = Range { from: Timestamp::from_ms(0), to: Timestamp::from_ms(100) };
        let found: Vec<_> = spans(series, range).iter().map(|span| (span.from.as_ms(), span.to.as_ms())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_state_holds_until_the_next_one() {
        check(&series(Resolution::Raw, &[(10, 1.0, 1.0), (30, 0.0, 0.0), (80, 1.0, 1.0)]), &[(10, 30), (80, 100)]);
    }

    #[test]
    fn a_short_press_fills_its_bucket() {
        check(&series(Resolution::BucketMs(10), &[(10, 1.0, 0.0), (50, 1.0, 1.0), (70, 0.0, 0.0)]), &[(10, 20), (50, 70)]);
    }

    #[test]
    fn of_a_bucket_the_share_counts_in_which_it_was_on() {
        let mut series = series(Resolution::BucketMs(50), &[(0, 1.0, 0.0), (50, 1.0, 1.0)]);
        (series.duty, series.known_ms) = (vec![0.1, 0.5], vec![40, 50]);
        let range = Range { from: Timestamp::from_ms(0), to: Timestamp::from_ms(100) };
        assert_eq!(on_and_known_ms(&series, range), (29, 90));
    }

    #[test]
    fn time_before_the_first_state_is_not_known() {
        let range = Range { from: Timestamp::from_ms(0), to: Timestamp::from_ms(100) };
        assert_eq!(on_and_known_ms(&series(Resolution::Raw, &[(60, 1.0, 1.0), (90, 0.0, 0.0)]), range), (30, 40));
    }
}
