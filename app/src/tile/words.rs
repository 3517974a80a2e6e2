//! Values and moments in words.

use domain::live::EntityView;
use domain::time::{DAY_MS, Timestamp};
use domain::value::{Value, number_words};
use web_sys::js_sys::JsString;

use crate::status::ON_SERVER;

/// The value as the page writes it, without a unit: as [`EntityView::words`], with a true minus sign.
#[must_use]
pub fn value_words(view: &EntityView) -> String {
    match &view.v {
        Some(Value::Number(n)) => page_number(*n, view.precision),
        _ => view.words(),
    }
}

/// The value with its unit: `21.4 °C`, held together by a space that does not break.
#[must_use]
pub fn value_with_unit(view: &EntityView) -> String {
    let mut words = value_words(view);
    if let (Some(unit), Some(Value::Number(_))) = (&view.unit, &view.v) {
        words.push('\u{a0}');
        words.push_str(unit);
    }
    words
}

/// A number with a true minus sign.
#[must_use]
pub fn page_number(n: f64, precision: Option<u8>) -> String {
    let words = number_words(n, precision);
    match words.strip_prefix('-') {
        Some(rest) => ["−", rest].concat(),
        None => words,
    }
}

/// How many decimals the shown value has, at most two: what is said beside it has as many.
#[must_use]
pub fn decimals(view: &EntityView) -> u8 {
    if let Some(precision) = view.precision {
        return precision.min(3);
    }
    let words = view.v.as_ref().map(|value| value.words(None).into_owned()).unwrap_or_default();
    let n = words.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    u8::try_from(n.min(2)).unwrap_or(2)
}

/// Smallest and largest: `20.8 – 21.4`; `steady` when both read the same.
#[must_use]
pub fn range_words((min, max): (f64, f64), decimals: u8) -> String {
    let (min, max) = (page_number(min, Some(decimals)), page_number(max, Some(decimals)));
    if min == max { "steady".to_owned() } else { [&min, " – ", &max].concat() }
}

/// A moment as an operator names it: `13:58` on the day of `today`, `Tue 08:12` within a week, `12 Jun` before that.
#[must_use]
pub fn moment_words(t: Timestamp, today: Timestamp, utc_offset_s: i32) -> String {
    let civil = t.civil(utc_offset_s);
    let day = |t: Timestamp| (t.as_ms() + i64::from(utc_offset_s) * 1_000).div_euclid(DAY_MS);
    match day(today) - day(t) {
        ..=0 => civil.hour_minute(),
        1..=6 => {
            let weekday_day = civil.weekday_day();
            [weekday_day.split(' ').next().unwrap_or_default(), " ", &civil.hour_minute()].concat()
        }
        _ => {
            let date = civil.date();
            date.split_once(' ').map_or_else(|| date.clone(), |(_, day_month)| day_month.to_owned())
        }
    }
}

/// How long something has been going on: `6 min`, `12 d 6 h`.
#[must_use]
pub fn uptime_words(ms: i64) -> String {
    let hours = ms.max(0) / 3_600_000;
    if hours < 24 {
        return domain::time::duration_words(ms);
    }
    [&(hours / 24).to_string(), " d ", &(hours % 24).to_string(), " h"].concat()
}

/// A text with its first letter as a capital.
#[must_use]
pub fn capital(text: &str) -> String {
    let (first, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    [&upper(first), rest].concat()
}

/// A text in capitals. A browser knows how; the tables of all letters are not sent to it once more.
#[must_use]
pub fn upper(text: &str) -> String {
    if ON_SERVER { text.to_uppercase() } else { JsString::from(text).to_upper_case().into() }
}

/// A text in small letters, as [`upper`].
#[must_use]
pub fn lower(text: &str) -> String {
    if ON_SERVER { text.to_lowercase() } else { JsString::from(text).to_lower_case().into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_all_languages_have_capitals() {
        for (text, words) in [("operator", "Operator"), ("élodie", "Élodie"), ("ßa", "SSa"), ("", "")] {
            assert_eq!(capital(text), words);
        }
        assert_eq!((upper("äb"), lower("ÄB")), ("ÄB".to_owned(), "äb".to_owned()));
    }

    #[test]
    fn moments_are_named_by_their_distance_in_days() {
        let today = Timestamp::from_ms(1_781_273_006_000); // Fri 12 Jun 2026, 14:03:26 UTC
        for (ago_ms, words) in
            [(0, "14:03"), (5 * 3_600_000, "09:03"), (24 * 3_600_000, "Thu 14:03"), (6 * DAY_MS, "Sat 14:03"), (7 * DAY_MS, "5 Jun")]
        {
            assert_eq!(moment_words(today.plus_ms(-ago_ms), today, 0), words);
        }
        assert_eq!(moment_words(Timestamp::from_ms(0), today, 3_600), "1 Jan");
    }

    #[test]
    fn numbers_have_a_true_minus_and_ranges_one_precision() {
        assert_eq!(page_number(-18.2, None), "−18.2");
        for (min, max, decimals, words) in [(20.81, 21.44, 1, "20.8 – 21.4"), (-19.2, -17.6, 1, "−19.2 – −17.6"), (46.0, 46.3, 0, "steady")] {
            assert_eq!(range_words((min, max), decimals), words);
        }
    }

    #[test]
    fn uptime_counts_days_and_hours() {
        for (ms, words) in [(6 * 60_000, "6 min"), (3 * 3_600_000, "3 h"), (294 * 3_600_000, "12 d 6 h"), (-1, "0 s")] {
            assert_eq!(uptime_words(ms), words);
        }
    }
}
