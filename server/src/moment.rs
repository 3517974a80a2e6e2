//! Moments as people and programs write them.

use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Unix milliseconds, or RFC 3339; `None` for anything else.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(ms) = text.parse::<i64>() {
        return Some(Timestamp::from_ms(ms));
    }
    text.parse::<jiff::Timestamp>().ok().map(|at| Timestamp::from_ms(at.as_millisecond()))
}

/// As [`parse`], and also a civil time of `zone`, `2026-06-11T14:03` or `2026-06-11`.
#[must_use]
pub fn parse_in(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let civil = || {
        let at = text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok()?;
        Some(Timestamp::from_ms(at.timestamp().as_millisecond()))
    };
    parse(text).or_else(civil)
}

/// A length of time, `90s`, `15m`, `1h`, `1d` or `1w`, in milliseconds; `None` for anything else, and for none at all.
#[must_use]
pub fn parse_length(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "s" => SECOND_MS,
        "m" | "min" => MINUTE_MS,
        "h" => HOUR_MS,
        "d" => DAY_MS,
        "w" => 7 * DAY_MS,
        _ => return None,
    };
    let n: i64 = digits.parse().ok().filter(|n| *n > 0)?;
    n.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_a_unit() {
        for (text, ms) in [("90s", Some(90_000)), ("15m", Some(900_000)), ("1h", Some(HOUR_MS)), ("2d", Some(2 * DAY_MS)), ("1w", Some(7 * DAY_MS))] {
            assert_eq!(parse_length(text), ms, "{text}");
        }
        for text in ["", "5", "m", "0s", "-1h", "1.5h", "1y", "h1", "9223372036854775807w"] {
            assert_eq!(parse_length(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_is_written_in_one_of_four_ways() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone of the database");
        for (text, ms) in [
            ("1781265806000", Some(1_781_265_806_000)),
            ("-5", Some(-5)),
            ("2026-06-12T12:03:26Z", Some(1_781_265_806_000)),
            ("2026-06-12T14:03:26.5+02:00", Some(1_781_265_806_500)),
            ("2026-06-12T14:03:26", Some(1_781_265_806_000)),
            ("2026-06-12", Some(1_781_215_200_000)),
            ("", None),
            ("soon", None),
            ("1e3", None),
        ] {
            assert_eq!(parse_in(text, &zone).map(Timestamp::as_ms), ms, "{text}");
        }
        assert_eq!(parse("2026-06-12T14:03:26"), None, "without a zone of its own");
    }
}
