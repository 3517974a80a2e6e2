//! The one place that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::time::Timestamp;

/// Now, as the system's clock says it.
#[must_use]
pub fn now() -> Timestamp {
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Timestamp::from_ms(i64::try_from(ms).unwrap_or(i64::MAX))
}
