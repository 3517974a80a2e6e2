//! How long a series was beyond a limit.

use domain::history::{Resolution, Series};

use crate::backend::Limit;
use crate::components::chart::gaps::{bucket_ms, interval_ms};

/// Milliseconds of a series beyond `limit`. A reading holds until the next one, but not across a gap; of a bucket that reaches over the limit the
/// share counts that lies beyond, as if its values were spread evenly.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a share of some years in milliseconds")]
pub fn beyond_ms(series: &Series, limit: &Limit) -> i64 {
    let interval = interval_ms(&series.t, series.resolution).unwrap_or(0);
    let is_bucket = matches!(series.resolution, Resolution::BucketMs(_));
    let rows = series.t.iter().enumerate().map(|(row, &at)| {
        let next = series.t.get(row + 1).map_or(i64::MAX, |next| next.since_ms(at));
        let held = if is_bucket { bucket_ms(series.resolution).unwrap_or(interval).min(next) } else { next.min(interval.saturating_mul(3)) };
        // The last reading stands for one interval: what comes after it is not known.
        let held = if next == i64::MAX && !is_bucket { interval } else { held };
        let (Some(&low), Some(&high)) = (series.min.get(row), series.max.get(row)) else { return 0 };
        (held as f64 * share(low, high, limit)) as i64
    });
    rows.sum()
}

/// The share of `low` to `high` that lies beyond a limit, 0 to 1.
fn share(low: f64, high: f64, limit: &Limit) -> f64 {
    let (value, low, high) = if limit.is_below { (-limit.value, -high, -low) } else { (limit.value, low, high) };
    if low > value {
        1.0
    } else if high > value {
        // Not more than 1 and not less than 0, also where the difference has no room in an f64.
        ((high - value) / (high - low)).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::alarm::Severity;
    use domain::entity::EntityId;
    use domain::time::Timestamp;
    use proptest::prelude::*;

    fn series(resolution: Resolution, rows: &[(i64, f64, f64)]) -> Series {
        let mut series = Series::empty(EntityId::parse("a.b").expect("id"), resolution);
        for &(t, low, high) in rows {
            series.t.push(Timestamp::from_ms(t));
            series.min.push(low);
            series.mean.push(f64::midpoint(low, high));
            series.max.push(high);
            series.last.push(high);
            series.n.push(1);
        }
        series
    }

    fn limit(value: f64, is_below: bool) -> Limit {
        Limit { value, severity: Severity::Warning, label: String::new(), is_below }
    }

    #[test]
    fn a_reading_holds_until_the_next_but_not_across_a_gap() {
        let series = series(Resolution::Raw, &[(0, 1.0, 1.0), (10, 5.0, 5.0), (20, 5.0, 5.0), (30, 1.0, 1.0), (40, 5.0, 5.0), (900, 5.0, 5.0)]);
        // 10 to 30, then 30 after the reading at 40, and one interval at the end.
        assert_eq!(beyond_ms(&series, &limit(4.0, false)), 20 + 30 + 10);
        assert_eq!(beyond_ms(&series, &limit(4.0, true)), 10 + 10);
    }

    #[test]
    fn a_bucket_counts_for_its_share() {
        let series = series(Resolution::BucketMs(100), &[(0, 0.0, 1.0), (100, 2.0, 6.0), (200, 7.0, 9.0)]);
        assert_eq!(beyond_ms(&series, &limit(5.0, false)), 25 + 100);
        assert_eq!(beyond_ms(&series, &limit(5.0, true)), 100 + 75);
    }

    proptest! {
        #[test]
        fn above_and_below_never_come_to_more_than_all(values in prop::collection::vec((any::<f64>(), any::<f64>()), 0..20), value in any::<f64>()) {
            let rows: Vec<_> = values.iter().enumerate().map(|(n, (a, b))| (i64::try_from(n).expect("small") * 10, a.min(*b), a.max(*b))).collect();
            let series = series(Resolution::BucketMs(10), &rows);
            let (above, below) = (beyond_ms(&series, &limit(value, false)), beyond_ms(&series, &limit(value, true)));
            prop_assert!(above >= 0 && below >= 0 && above + below <= 10 * i64::try_from(rows.len()).expect("small"), "{above} {below}");
        }
    }
}
