//! The one place that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::time::Timestamp;
use tokio::time::Instant;

/// A clock that is off by so much within one look was set; less is the time between two readings of clocks.
const STEP_MS: i64 = 2_000;

/// Now, as the system's clock says it.
#[must_use]
pub fn now() -> Timestamp {
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Timestamp::from_ms(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// Notices that the system's clock was set, by comparing it with one that cannot be.
#[derive(Debug)]
pub struct ClockSteps {
    looked_at: (Timestamp, Instant),
}

impl ClockSteps {
    /// Notices what happens from now on.
    #[must_use]
    pub fn new(now: Timestamp, at: Instant) -> Self {
        Self { looked_at: (now, at) }
    }

    /// By how many milliseconds the clock was set since the last look, forward when positive; `None` when it was not. To be asked every second
    /// or so.
    pub fn look(&mut self, now: Timestamp, at: Instant) -> Option<i64> {
        let (known, before) = std::mem::replace(&mut self.looked_at, (now, at));
        let passed = i64::try_from(at.saturating_duration_since(before).as_millis()).unwrap_or(i64::MAX);
        let by_ms = now.since_ms(known).saturating_sub(passed);
        (by_ms.saturating_abs() >= STEP_MS).then_some(by_ms)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_that_is_set_is_noticed_and_one_that_drifts_is_not() {
        let start = Instant::now();
        let mut steps = ClockSteps::new(Timestamp::from_ms(1_000_000), start);
        let mut look = |now_ms, at_ms| steps.look(Timestamp::from_ms(now_ms), start + Duration::from_millis(at_ms));
        assert_eq!(look(1_000_500, 500), None);
        assert_eq!(look(1_002_400, 1_000), None, "a second and a half");
        assert_eq!(look(4_602_900, 1_500), Some(3_600_000));
        assert_eq!(look(4_603_400, 2_000), None);
        assert_eq!(look(1_003_900, 2_500), Some(-3_600_000));
    }
}
