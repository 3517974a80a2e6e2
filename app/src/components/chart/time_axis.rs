//! The time axis: labels at even moments of the server's zone.

use domain::history::Range;
use domain::time::{Civil, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};

/// Steps shorter than a month. 10 minutes is there for the hour, which has no other step with 6 to 9 labels; seconds are for those who zoom in.
const STEPS_MS: [i64; 18] = [
    SECOND_MS,
    2 * SECOND_MS,
    5 * SECOND_MS,
    10 * SECOND_MS,
    15 * SECOND_MS,
    30 * SECOND_MS,
    MINUTE_MS,
    2 * MINUTE_MS,
    5 * MINUTE_MS,
    10 * MINUTE_MS,
    15 * MINUTE_MS,
    30 * MINUTE_MS,
    HOUR_MS,
    3 * HOUR_MS,
    6 * HOUR_MS,
    12 * HOUR_MS,
    DAY_MS,
    WEEK_MS,
];
/// Steps in months.
const STEPS_MONTHS: [i64; 5] = [1, 2, 3, 6, 12];
const WEEK_MS: i64 = 7 * DAY_MS;
/// Most labels of a chart of a page's width.
pub const MOST_LABELS: usize = 9;
/// Most labels of a chart of half the width.
pub const MOST_LABELS_SMALL: usize = 6;

/// A label of the time axis.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeTick {
    /// Where, in per cent from the left.
    pub x: f64,
    /// `15:00`, at midnight `Fri 12 Jun`.
    pub label: String,
    /// Stronger line and bold text: midnight among hours, the first among days, the new year among months.
    pub is_major: bool,
    /// Left out on phones: every second one.
    pub is_wide_only: bool,
}

/// The labels of `range`, at most `most` of them: the finest step that gives no more.
/// `utc_offset_s` is the distance of the server's zone from UTC, taken as constant over the range.
#[must_use]
pub fn time_ticks(range: Range, utc_offset_s: i32, most: usize) -> Vec<TimeTick> {
    if range.len_ms() == 0 {
        return vec![];
    }
    let step = step(range, utc_offset_s, most.max(1));
    let moments = step.moments(range, utc_offset_s);
    let labels: Vec<(Timestamp, String, bool)> = moments
        .into_iter()
        .map(|at| {
            let (label, is_major) = step.label(&at.civil(utc_offset_s), most <= MOST_LABELS_SMALL);
            (at, label, is_major)
        })
        .collect();
    // The strongest label is among those that phones keep.
    let kept = labels.iter().position(|(_, _, is_major)| *is_major).unwrap_or(0) % 2;
    labels
        .into_iter()
        .enumerate()
        .map(|(n, (at, label, is_major))| TimeTick { x: x_percent(range, at), label, is_major, is_wide_only: n % 2 != kept && !is_major })
        .collect()
}

/// Where a moment stands in a range, in per cent from the left; outside it at the edge.
#[must_use]
pub fn x_percent(range: Range, at: Timestamp) -> f64 {
    x_beyond(range, at).clamp(0.0, 100.0)
}

/// Where a moment stands, in per cent of the range from its left edge; before it negative, after it more than 100.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a chart has some thousand pixels")]
pub fn x_beyond(range: Range, at: Timestamp) -> f64 {
    at.since_ms(range.from) as f64 / range.len_ms().max(1) as f64 * 100.0
}

/// The moment at a place of the range, given from 0 (left) to 1 (right).
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "clamped to the range just before")]
pub fn moment_at(range: Range, place: f64) -> Timestamp {
    let place = if place.is_finite() { place.clamp(0.0, 1.0) } else { 1.0 };
    range.from.plus_ms((range.len_ms() as f64 * place).round() as i64)
}

/// A moment as a point of a chart is named: `14:03`, with the date where the range is longer than a day.
#[must_use]
pub fn point_time(at: Timestamp, range: Range, utc_offset_s: i32) -> String {
    let civil = at.civil(utc_offset_s);
    match range.len_ms() {
        len if len <= HOUR_MS => civil.clock(),
        len if len <= DAY_MS => civil.hour_minute(),
        _ => format!("{} {}", civil.date(), civil.hour_minute()),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Ms(i64),
    Months(i64),
}

fn step(range: Range, utc_offset_s: i32, most: usize) -> Step {
    let most_ms = i64::try_from(most).unwrap_or(i64::MAX);
    let fits = |step: &Step| step.moments(range, utc_offset_s).len() <= most;
    // Months are counted only where weeks are too many, and lengths that cannot fit are not laid out at all.
    let short = STEPS_MS.into_iter().filter(|ms| range.len_ms() / ms <= most_ms).map(Step::Ms).find(fits);
    short
        .or_else(|| STEPS_MONTHS.into_iter().map(Step::Months).find(fits))
        .unwrap_or(Step::Months(12 * (1 + range.len_ms() / (300 * DAY_MS * most_ms))))
}

impl Step {
    fn moments(self, range: Range, utc_offset_s: i32) -> Vec<Timestamp> {
        let offset_ms = i64::from(utc_offset_s) * 1_000;
        match self {
            Self::Ms(ms) => {
                // Weeks start on Monday; day 0 of Unix time was a Thursday.
                let origin = if ms == WEEK_MS { 4 * DAY_MS } else { 0 };
                let local_from = range.from.as_ms() + offset_ms - origin;
                let first = local_from.div_euclid(ms) * ms + if local_from.rem_euclid(ms) == 0 { 0 } else { ms };
                let moment = |n: i64| Timestamp::from_ms(first + n * ms + origin - offset_ms);
                (0..).map(moment).take_while(|at| *at <= range.to).collect()
            }
            Self::Months(months) => {
                let start = range.from.civil(utc_offset_s);
                let first = (start.year * 12 + i64::from(start.month) - 1).div_euclid(months);
                let moment = |n: i64| Timestamp::from_ms(days_before_month((first + n) * months) * DAY_MS - offset_ms);
                (0..).map(moment).skip_while(|at| *at < range.from).take_while(|at| *at <= range.to).collect()
            }
        }
    }

    fn label(self, civil: &Civil, is_short: bool) -> (String, bool) {
        let is_midnight = civil.hour == 0 && civil.minute == 0 && civil.second == 0;
        match self {
            Self::Ms(..DAY_MS) if is_midnight => (if is_short { civil.weekday_day() } else { civil.date() }, true),
            Self::Ms(..MINUTE_MS) => (civil.clock(), false),
            Self::Ms(..DAY_MS) => (civil.hour_minute(), false),
            Self::Ms(DAY_MS) => (civil.weekday_day(), civil.day == 1),
            // The weekday is always Monday: the date says more.
            Self::Ms(_) => (civil.date().split_once(' ').map_or_else(String::new, |(_, date)| date.to_owned()), false),
            Self::Months(_) if civil.month == 1 => (civil.year.to_string(), true),
            Self::Months(_) => (civil.date().rsplit(' ').next().unwrap_or_default().to_owned(), false),
        }
    }
}

/// Days from 1970-01-01 to the first of a month, which is counted from year 0.
fn days_before_month(month: i64) -> i64 {
    // Years that begin in March, so that the leap day comes last: the usual conversion of the proleptic Gregorian calendar.
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Fri 12 Jun 2026 14:03:26 in UTC+2.
    const NOW: i64 = 1_781_265_806_000;
    const ZONE: i32 = 7_200;

    fn last(ms: i64) -> Range {
        Range { from: Timestamp::from_ms(NOW - ms), to: Timestamp::from_ms(NOW) }
    }

    fn check(len_ms: i64, most: usize, expected: &[&str]) {
        let labels: Vec<String> = time_ticks(last(len_ms), ZONE, most)
            .into_iter()
            .map(|tick| if tick.is_major { format!("[{}]", tick.label) } else { tick.label })
            .collect();
        assert_eq!(labels, expected);
    }

    #[test]
    fn labels_stand_at_even_moments() {
        check(15 * MINUTE_MS, 9, &["13:50", "13:52", "13:54", "13:56", "13:58", "14:00", "14:02"]);
        check(MINUTE_MS, 9, &["14:02:30", "14:02:40", "14:02:50", "14:03:00", "14:03:10", "14:03:20"]);
        check(HOUR_MS, 9, &["13:10", "13:20", "13:30", "13:40", "13:50", "14:00"]);
        check(DAY_MS, 9, &["15:00", "18:00", "21:00", "[Fri 12 Jun]", "03:00", "06:00", "09:00", "12:00"]);
        check(DAY_MS, 6, &["18:00", "[Fri 12]", "06:00", "12:00"]);
        check(7 * DAY_MS, 9, &["Sat 6", "Sun 7", "Mon 8", "Tue 9", "Wed 10", "Thu 11", "Fri 12"]);
        check(30 * DAY_MS, 9, &["18 May", "25 May", "1 Jun", "8 Jun"]);
        check(365 * DAY_MS, 9, &["Jul", "Sep", "Nov", "[2026]", "Mar", "May"]);
    }

    #[test]
    fn phones_keep_midnight() {
        let ticks = time_ticks(last(DAY_MS), ZONE, MOST_LABELS);
        let kept: Vec<_> = ticks.iter().filter(|tick| !tick.is_wide_only).map(|tick| tick.label.as_str()).collect();
        assert_eq!(kept, ["18:00", "Fri 12 Jun", "06:00", "12:00"]);
    }

    #[test]
    fn a_point_is_named_as_exactly_as_the_range_needs() {
        let at = Timestamp::from_ms(NOW);
        assert_eq!(point_time(at, last(HOUR_MS), ZONE), "14:03:26");
        assert_eq!(point_time(at, last(DAY_MS), ZONE), "14:03");
        assert_eq!(point_time(at, last(7 * DAY_MS), ZONE), "Fri 12 Jun 14:03");
    }

    proptest! {
        #[test]
        fn labels_are_few_ordered_and_inside(from in -4_000_000_000_000i64..4_000_000_000_000, len in 1i64..4_000_000_000_000, zone in -50_000i32..50_000, most in 1usize..12) {
            let range = Range { from: Timestamp::from_ms(from), to: Timestamp::from_ms(from + len) };
            let ticks = time_ticks(range, zone, most);
            prop_assert!(ticks.len() <= most.max(1), "{} labels", ticks.len());
            prop_assert!(ticks.windows(2).all(|pair| pair[0].x < pair[1].x));
            prop_assert!(ticks.iter().all(|tick| (0.0..=100.0).contains(&tick.x)));
        }

        #[test]
        fn the_first_of_a_month_is_a_first(month in 0i64..60_000) {
            let civil = Timestamp::from_ms(days_before_month(month) * DAY_MS).civil(0);
            prop_assert_eq!((civil.year * 12 + i64::from(civil.month) - 1, civil.day, civil.hour), (month, 1, 0));
        }

        #[test]
        fn a_place_and_its_moment_agree(len in 1_000i64..4_000_000_000, place in 0.0..1.0f64) {
            let range = Range { from: Timestamp::from_ms(0), to: Timestamp::from_ms(len) };
            prop_assert!((x_percent(range, moment_at(range, place)) - place * 100.0).abs() < 0.1);
        }
    }
}
