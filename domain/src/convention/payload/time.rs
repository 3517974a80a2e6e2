//! The times that devices write.

use serde_json::Value as Json;

use crate::time::Timestamp;

/// A device's time: seconds, milliseconds, microseconds or nanoseconds since 1970 by their size, as a number or in quotation marks, or
/// ISO 8601 (without a zone it is UTC). `None` for what is no time, and for zero, which devices without a clock send.
pub(super) fn device_time(json: &Json) -> Option<Timestamp> {
    match json {
        Json::String(text) => {
            let text = text.trim();
            text.parse::<f64>().ok().and_then(since_1970).or_else(|| iso_8601(text))
        }
        other => since_1970(other.as_f64()?),
    }
}

fn since_1970(n: f64) -> Option<Timestamp> {
    if !n.is_finite() || n <= 0.0 {
        return None;
    }
    // Each unit covers the years up to 5138, and what is smaller in it is before 1973: no two of them meet.
    let ms = match n {
        n if n < 1e11 => n * 1e3,
        n if n < 1e14 => n,
        n if n < 1e17 => n / 1e3,
        n if n < 1e20 => n / 1e6,
        _ => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "at most 1e14")]
    Some(Timestamp::from_ms(ms.round() as i64))
}

fn iso_8601(text: &str) -> Option<Timestamp> {
    let zoned = text.parse::<jiff::Timestamp>().ok();
    let moment =
        zoned.or_else(|| text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp()))?;
    Some(Timestamp::from_ms(moment.as_millisecond()))
}
