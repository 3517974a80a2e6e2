//! What a range of a series comes to. Missing time is left out of every figure.

use domain::history::{Range, Series};
use domain::time::Timestamp;

use crate::components::chart::gaps::{gaps, interval_ms};

/// The figures of one series over one range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    /// Smallest value, and when.
    pub min: (f64, Timestamp),
    /// Mean over the time that is covered.
    pub mean: f64,
    /// Largest value, and when.
    pub max: (f64, Timestamp),
    /// The newest value.
    pub last: f64,
    /// Share of the range that has data, 0 to 1.
    pub coverage: f64,
}

/// The figures of a series; `None` without a finite value.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "shares of a range of some years")]
pub fn stats(series: &Series, range: Range) -> Option<Stats> {
    let extreme = |values: &[f64], is_beyond: fn(f64, f64) -> bool| {
        let rows = values.iter().zip(&series.t).filter(|(v, _)| v.is_finite());
        rows.fold(
            None,
            |best: Option<(f64, Timestamp)>, (&v, &t)| if best.is_none_or(|(other, _)| is_beyond(v, other)) { Some((v, t)) } else { best },
        )
    };
    let min = extreme(&series.min, |v, other| v < other)?;
    let max = extreme(&series.max, |v, other| v > other)?;
    let missing: i64 = gaps(&series.t, series.resolution, range).iter().map(|gap| gap.len_ms()).sum();
    let coverage = 1.0 - missing as f64 / range.len_ms().max(1) as f64;
    Some(Stats {
        min,
        mean: mean(series)?,
        max,
        last: series.last.iter().rev().copied().find(|v| v.is_finite())?,
        coverage: coverage.clamp(0.0, 1.0),
    })
}

/// Each row counts for the time until the next one, and across a gap for one interval: a device that reports in bursts is not counted for its bursts.
#[expect(clippy::cast_precision_loss, reason = "a weight in milliseconds")]
fn mean(series: &Series) -> Option<f64> {
    let interval = interval_ms(&series.t, series.resolution).unwrap_or(1);
    let weight = |row: usize| match series.t.get(row + 1).map(|next| next.since_ms(series.t[row])) {
        Some(ms) if ms <= interval.saturating_mul(3) => ms.max(1),
        _ => interval,
    };
    let rows = series.mean.iter().enumerate().take(series.t.len()).filter(|(_, v)| v.is_finite());
    // A running mean, because the sum of large finite values need not be finite.
    let (mean, total) = rows.fold((0.0, 0.0), |(mean, total), (row, &v)| {
        let total = total + weight(row) as f64;
        (mean * (1.0 - weight(row) as f64 / total) + v * (weight(row) as f64 / total), total)
    });
    (total > 0.0).then_some(mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::entity::EntityId;
    use domain::history::Resolution;
    use proptest::prelude::*;

    fn raw(rows: &[(i64, f64)]) -> Series {
        let values: Vec<f64> = rows.iter().map(|row| row.1).collect();
        Series {
            t: rows.iter().map(|row| Timestamp::from_ms(row.0)).collect(),
            min: values.clone(),
            mean: values.clone(),
            max: values.clone(),
            last: values,
            n: vec![1; rows.len()],
            ..Series::empty(EntityId::parse("a.b").expect("id"), Resolution::Raw)
        }
    }

    fn range(to: i64) -> Range {
        Range { from: Timestamp::from_ms(0), to: Timestamp::from_ms(to) }
    }

    #[test]
    fn figures_leave_missing_time_out() {
        let series = raw(&[(0, 1.0), (10, 2.0), (20, 3.0), (30, 4.0), (90, 10.0), (100, 10.0)]);
        let stats = stats(&series, range(100)).expect("figures");
        assert_eq!(stats.min, (1.0, Timestamp::from_ms(0)));
        assert_eq!(stats.max, (10.0, Timestamp::from_ms(90)));
        assert!((stats.mean - 5.0).abs() < 1e-9, "{}", stats.mean);
        assert!((stats.coverage - 0.4).abs() < 1e-9);
    }

    #[test]
    fn a_burst_counts_for_its_time_only() {
        let stats = stats(&raw(&[(0, 0.0), (40, 0.0), (80, 100.0), (81, 100.0), (82, 100.0), (120, 0.0), (160, 0.0)]), range(160)).expect("figures");
        assert!(stats.mean < 30.0, "{}", stats.mean);
    }

    #[test]
    fn without_values_there_are_no_figures() {
        assert_eq!(stats(&raw(&[]), range(100)), None);
        assert_eq!(stats(&raw(&[(0, f64::NAN)]), range(100)), None);
    }

    proptest! {
        #[test]
        fn the_mean_lies_between_the_extremes(values in prop::collection::vec(-1e6..1e6f64, 1..40), step in 1i64..1000) {
            let rows: Vec<_> = values.iter().enumerate().map(|(n, v)| (i64::try_from(n).expect("small") * step, *v)).collect();
            let stats = stats(&raw(&rows), range(50_000)).expect("figures");
            prop_assert!(stats.min.0 - 1e-6 <= stats.mean && stats.mean <= stats.max.0 + 1e-6);
            prop_assert!((0.0..=1.0).contains(&stats.coverage));
        }
    }
}
