//! Which point the crosshair is at.

use domain::time::Timestamp;

/// The row of `times` (ascending) that is nearest to `at`; of two equally near ones the later. `None` without rows.
#[must_use]
pub fn nearest(times: &[Timestamp], at: Timestamp) -> Option<usize> {
    let after = times.partition_point(|&t| t < at);
    match (after.checked_sub(1), times.get(after)) {
        (None, None) => None,
        (Some(before), None) => Some(before),
        (None, Some(_)) => Some(after),
        (Some(before), Some(&later)) => Some(if later.since_ms(at) <= at.since_ms(times[before]) { after } else { before }),
    }
}

/// All moments that occur in any of the series, ascending, each once: what the crosshair steps through.
#[must_use]
pub fn stops<'a>(series: impl IntoIterator<Item = &'a [Timestamp]>) -> Vec<Timestamp> {
    let mut all: Vec<Timestamp> = series.into_iter().flatten().copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A key that moves the crosshair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One point to the left.
    Back,
    /// One point to the right.
    Forward,
    /// To the first point.
    First,
    /// To the last point.
    Last,
    /// No crosshair.
    Away,
}

impl Step {
    /// The step that a key of the keyboard asks for.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        Some(match key {
            "ArrowLeft" | "ArrowDown" => Self::Back,
            "ArrowRight" | "ArrowUp" => Self::Forward,
            "Home" => Self::First,
            "End" => Self::Last,
            "Escape" => Self::Away,
            _ => return None,
        })
    }

    /// The row after the step from `row`, of `n_rows`. The first step without a crosshair shows the last point.
    #[must_use]
    pub fn from(self, row: Option<usize>, n_rows: usize) -> Option<usize> {
        let last = n_rows.checked_sub(1)?;
        match (self, row) {
            (Self::Away, _) => None,
            (Self::First, _) => Some(0),
            (Self::Last, _) | (Self::Back | Self::Forward, None) => Some(last),
            (Self::Back, Some(row)) => Some(row.saturating_sub(1).min(last)),
            (Self::Forward, Some(row)) => Some((row + 1).min(last)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: &[i64]) -> Vec<Timestamp> {
        ms.iter().copied().map(Timestamp::from_ms).collect()
    }

    #[test]
    fn the_crosshair_stops_at_every_point_once() {
        assert_eq!(stops([&at(&[0, 20])[..], &at(&[10, 20, 30])]), at(&[0, 10, 20, 30]));
    }

    #[test]
    fn keys_step_inside_the_data() {
        for (key, row, to) in [
            ("ArrowLeft", None, Some(4)),
            ("ArrowLeft", Some(0), Some(0)),
            ("ArrowRight", Some(4), Some(4)),
            ("ArrowRight", Some(1), Some(2)),
            ("Home", Some(3), Some(0)),
            ("End", None, Some(4)),
            ("Escape", Some(3), None),
        ] {
            assert_eq!(Step::of_key(key).and_then(|step| step.from(row, 5)), to, "{key} at {row:?}");
        }
        assert_eq!(Step::of_key("a"), None);
        assert_eq!(Step::Last.from(None, 0), None);
    }

    proptest! {
        #[test]
        fn no_point_is_nearer(mut times in prop::collection::vec(0i64..1000, 0..30), t in -10i64..1010) {
            times.sort_unstable();
            let found = nearest(&at(&times), Timestamp::from_ms(t)).map(|row| (times[row] - t).abs());
            prop_assert_eq!(found, times.iter().map(|x| (x - t).abs()).min());
        }
    }
}
