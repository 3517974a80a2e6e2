//! The last hour: the points of a sparkline, the spans of a strip, and their shapes.

use domain::alarm::Severity;
use domain::time::{HOUR_MS, MINUTE_MS, Timestamp};
use domain::value::Value;

use crate::backend::{Limit, Tile, Trend};

/// Points of a line: one a minute.
const POINTS: usize = 60;
/// Width and height of a sparkline's view box.
const WIDTH: f64 = 120.0;
const TOP: f64 = 3.0;
const BOTTOM: f64 = 29.0;

/// The last hour of an entity, with moments instead of distances from the page's making, so that it can grow.
#[derive(Clone, Debug, PartialEq)]
pub enum Past {
    /// A value a minute; the last one belongs to minute `end` (minutes since 1970).
    Line {
        /// Minute of the last point.
        end: i64,
        /// Oldest first.
        points: Vec<Option<f64>>,
    },
    /// Spans of on; the last one may have no end yet.
    Spans(Vec<(Timestamp, Option<Timestamp>)>),
}

impl Past {
    /// The trend of a page made at `now`.
    #[must_use]
    pub fn new(trend: &Trend, now: Timestamp) -> Self {
        match trend {
            Trend::Line(points) => Self::Line { end: minute(now), points: points.clone() },
            Trend::Spans(spans) => Self::Spans(
                spans.iter().map(|&(from, to)| (now.plus_ms(from.saturating_neg()), (to > 0).then(|| now.plus_ms(to.saturating_neg())))).collect(),
            ),
        }
    }

    /// Takes a new value in: replaces the point of its minute, opens or closes a span. `changed` is for texts, whose spans alternate.
    pub fn push(&mut self, value: &Value, t: Timestamp, changed: bool) {
        match self {
            Self::Line { end, points } => {
                let Value::Number(n) = value else { return };
                let ahead = minute(t) - *end;
                if ahead > 0 {
                    let skipped = usize::try_from(ahead - 1).unwrap_or(POINTS).min(POINTS);
                    points.extend(std::iter::repeat_n(None, skipped));
                    points.push(Some(*n));
                    points.drain(..points.len().saturating_sub(POINTS));
                    *end += ahead;
                } else if ahead == 0
                    && let Some(last) = points.last_mut()
                {
                    *last = Some(*n);
                }
            }
            Self::Spans(spans) => {
                let open = spans.last().is_some_and(|(_, to)| to.is_none());
                let on = value.is_on().unwrap_or(open != changed);
                match (open, on) {
                    (false, true) => spans.push((t, None)),
                    (true, false) => {
                        if let Some((_, to)) = spans.last_mut() {
                            *to = Some(t);
                        }
                    }
                    _ => {}
                }
                if spans.len() > 200 {
                    spans.drain(..100);
                }
            }
        }
    }

    /// Smallest and largest point of the hour before `now`; `None` without points.
    #[must_use]
    pub fn extremes(&self, now: Timestamp) -> Option<(f64, f64)> {
        let Self::Line { end, points } = self else { return None };
        hour(points, *end, now).iter().flatten().fold(None, |range, &n| Some(range.map_or((n, n), |(min, max): (f64, f64)| (min.min(n), max.max(n)))))
    }
}

const fn minute(t: Timestamp) -> i64 {
    t.as_ms().div_euclid(MINUTE_MS)
}

/// The points of the 60 minutes that end with the minute of `now`.
fn hour(points: &[Option<f64>], end: i64, now: Timestamp) -> Vec<Option<f64>> {
    let first = minute(now) - (POINTS as i64 - 1);
    let offset = first - (end - (points.len() as i64 - 1));
    (0..POINTS as i64).map(|i| usize::try_from(i + offset).ok().and_then(|i| points.get(i).copied().flatten())).collect()
}

/// A sparkline in a view box of 120 by 32.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spark {
    /// Path of the line, broken where readings are missing.
    pub line: String,
    /// Dots from the last point to now, when it is late.
    pub gap: Option<String>,
    /// A dot at the last point.
    pub end: String,
    /// Limits inside: severity and path.
    pub limits: Vec<(Severity, String)>,
}

/// The sparkline of the hour before `now`. A limit is drawn when it lies near the values.
#[must_use]
pub fn spark(past: &Past, limits: &[Limit], now: Timestamp) -> Spark {
    let Past::Line { end, points } = past else { return Spark::default() };
    let points = hour(points, *end, now);
    let Some((mut min, mut max)) = past.extremes(now) else { return Spark::default() };
    let near = (max - min).max(max.abs() * 0.02).max(f64::EPSILON);
    let limits: Vec<&Limit> = limits.iter().filter(|limit| limit.value >= min - near && limit.value <= max + near).collect();
    for limit in &limits {
        min = min.min(limit.value);
        max = max.max(limit.value);
    }
    let y = |n: f64| if max > min { BOTTOM - (n - min) / (max - min) * (BOTTOM - TOP) } else { f64::midpoint(TOP, BOTTOM) };
    let x = |i: usize| i as f64 * WIDTH / (POINTS - 1) as f64;

    let known: Vec<(usize, f64)> = points.iter().enumerate().filter_map(|(i, n)| n.map(|n| (i, n))).collect();
    let rhythm = rhythm(&known);
    let mut spark = Spark::default();
    let mut before: Option<usize> = None;
    for &(i, n) in &known {
        // A line is broken when a reading is later than three times the usual distance; never bridged, never dropped to zero.
        let joined = before.is_some_and(|before| i - before <= 3 * rhythm);
        spark.line.push(if joined { 'L' } else { 'M' });
        point(&mut spark.line, x(i), y(n));
        before = Some(i);
    }
    if let Some(&(i, n)) = known.last() {
        spark.end.push('M');
        point(&mut spark.end, x(i), y(n));
        spark.end.push_str("h0");
        if i + rhythm < POINTS - 1 {
            let mut gap = String::from("M");
            point(&mut gap, x(i), y(n));
            gap.push_str("H120");
            spark.gap = Some(gap);
        }
    }
    spark.limits = limits
        .iter()
        .map(|limit| {
            let mut path = String::from("M0 ");
            tenths(&mut path, y(limit.value));
            path.push_str("H120");
            (limit.severity, path)
        })
        .collect();
    spark
}

/// The usual distance of points in minutes: the median.
fn rhythm(known: &[(usize, f64)]) -> usize {
    let steps = || known.windows(2).map(|pair| pair[1].0 - pair[0].0);
    let half = steps().count() / 2;
    // An hour has few minutes: counting takes less code than sorting.
    (1..60).find(|step| steps().filter(|other| other <= step).count() > half).unwrap_or(1)
}

/// Left edge and width of each span of a strip that is 100 wide, for the hour before `now`.
#[must_use]
pub fn spans(past: &Past, now: Timestamp) -> Vec<(String, String)> {
    let Past::Spans(spans) = past else { return vec![] };
    let start = now.plus_ms(-HOUR_MS);
    let x = |t: Timestamp| t.since_ms(start).clamp(0, HOUR_MS) as f64 * 100.0 / HOUR_MS as f64;
    spans
        .iter()
        .map(|&(from, to)| (x(from), to.map_or(100.0, x)))
        .filter(|(from, to)| to > from)
        .map(|(from, to)| {
            let (mut left, mut width) = (String::new(), String::new());
            tenths(&mut left, from);
            // Nothing that happened is too short to see.
            tenths(&mut width, (to - from).max(0.6));
            (left, width)
        })
        .collect()
}

fn point(path: &mut String, x: f64, y: f64) {
    tenths(path, x);
    path.push(' ');
    tenths(path, y);
}

/// Writes a number with at most one decimal; the standard formatting of floats would weigh more than the rest of this file.
fn tenths(path: &mut String, n: f64) {
    let tenths = (n * 10.0).round() as i64;
    path.push_str(&(tenths / 10).to_string());
    if tenths % 10 != 0 {
        path.push('.');
        path.push_str(&(tenths % 10).abs().to_string());
    }
}

/// The tiles with trends no finer than a line can show: each digit travels in every page.
#[must_use]
pub fn compact_all(tiles: Vec<Tile>) -> Vec<Tile> {
    tiles.into_iter().map(|tile| Tile { trend: compact(tile.trend), ..tile }).collect()
}

/// The trend cut to four significant digits.
fn compact(trend: Trend) -> Trend {
    match trend {
        Trend::Line(points) => Trend::Line(points.into_iter().map(|point| point.map(four_digits)).collect()),
        spans @ Trend::Spans(_) => spans,
    }
}

fn four_digits(n: f64) -> f64 {
    if n == 0.0 || !n.is_finite() {
        return n;
    }
    let exponent = 3 - n.abs().log10().floor() as i32;
    // Dividing by a whole power of ten gives the nearest float to the short text, multiplying by a fraction does not.
    if exponent >= 0 {
        let scale = 10f64.powi(exponent);
        (n * scale).round() / scale
    } else {
        let scale = 10f64.powi(-exponent);
        (n / scale).round() * scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_000);

    fn line(points: Vec<Option<f64>>) -> Past {
        Past::new(&Trend::Line(points), NOW)
    }

    fn limit(value: f64) -> Limit {
        Limit { value, severity: Severity::Critical, label: String::new(), is_below: false }
    }

    #[test]
    fn a_line_spans_the_box_and_ends_in_a_dot() {
        let rising = spark(&line((0..60).map(|i| Some(f64::from(i))).collect()), &[], NOW);
        assert!(rising.line.starts_with("M0 29L2 28.6"), "{}", rising.line);
        assert!(rising.line.ends_with("L120 3"), "{}", rising.line);
        assert_eq!((rising.end.as_str(), rising.gap), ("M120 3h0", None));
        assert_eq!(spark(&line(vec![Some(5.0); 60]), &[], NOW).end, "M120 16h0");
    }

    #[test]
    fn gaps_break_the_line_and_a_late_end_is_dotted() {
        let mut points = vec![Some(1.0); 60];
        points[10..20].fill(None);
        points[45..].fill(None);
        let broken = spark(&line(points), &[], NOW);
        assert_eq!(broken.line.matches('M').count(), 2);
        assert_eq!(broken.gap.as_deref(), Some("M89.5 16H120"));
    }

    #[test]
    fn a_slow_sensor_is_no_gap() {
        let slow = spark(&line((0..60).map(|i| (i % 5 == 4).then_some(1.0)).collect()), &[], NOW);
        assert_eq!((slow.line.matches('M').count(), slow.gap), (1, None));
    }

    #[test]
    fn a_limit_is_drawn_when_it_is_near() {
        let values = line((0..60).map(|i| Some(30.0 + f64::from(i) / 15.0)).collect());
        assert_eq!(spark(&values, &[limit(34.0)], NOW).limits.len(), 1);
        assert_eq!(spark(&values, &[limit(80.0)], NOW).limits.len(), 0);
    }

    #[test]
    fn the_rhythm_is_the_median_distance() {
        for (minutes, distance) in [(&[][..], 1), (&[7], 1), (&[0, 3], 3), (&[0, 5, 10, 11], 5), (&[0, 1, 10], 9), (&[0, 59], 59)] {
            let known: Vec<(usize, f64)> = minutes.iter().map(|&minute| (minute, 0.0)).collect();
            assert_eq!(rhythm(&known), distance, "{minutes:?}");
        }
    }

    #[test]
    fn nothing_is_drawn_without_points() {
        assert_eq!(spark(&line(vec![None; 60]), &[limit(1.0)], NOW), Spark::default());
        assert_eq!(spark(&line(vec![]), &[], NOW), Spark::default());
    }

    #[test]
    fn a_value_replaces_its_minute_and_a_later_one_moves_on() {
        let mut past = line(vec![Some(1.0), Some(2.0)]);
        past.push(&Value::Number(3.0), NOW, true);
        past.push(&Value::Number(4.0), NOW.plus_ms(2 * MINUTE_MS), true);
        past.push(&Value::Number(9.0), NOW.plus_ms(-HOUR_MS), true);
        let Past::Line { end, points } = &past else { panic!("a line stays a line") };
        assert_eq!(points, &[Some(1.0), Some(3.0), None, Some(4.0)]);
        assert_eq!(*end, minute(NOW) + 2);
        assert_eq!(past.extremes(NOW.plus_ms(2 * MINUTE_MS)), Some((1.0, 4.0)));
        assert_eq!(past.extremes(NOW.plus_ms(3 * HOUR_MS)), None);
    }

    #[test]
    fn spans_open_and_close_with_the_state() {
        let mut past = Past::new(&Trend::Spans(vec![(HOUR_MS * 2, HOUR_MS / 2), (MINUTE_MS * 6, 0)]), NOW);
        let strip = |past: &Past| spans(past, NOW).into_iter().map(|(x, w)| format!("{x}+{w}")).collect::<Vec<_>>().join(" ");
        assert_eq!(strip(&past), "0+50 90+10");
        past.push(&Value::Bool(true), NOW.plus_ms(-1), false);
        past.push(&Value::Bool(false), NOW.plus_ms(-3 * MINUTE_MS), true);
        assert_eq!(strip(&past), "0+50 90+5");
        past.push(&Value::Text("Auto".into()), NOW.plus_ms(-MINUTE_MS), true);
        past.push(&Value::Text("Auto".into()), NOW.plus_ms(-1), false);
        assert_eq!(strip(&past), "0+50 90+5 98.3+1.7");
    }

    #[test]
    fn trends_travel_with_four_digits() {
        for (n, cut) in [(21.437_912, 21.44), (0.001_234_56, 0.001_235), (123_456.0, 123_500.0), (0.0, 0.0), (-18.249_9, -18.25)] {
            assert_eq!(compact(Trend::Line(vec![Some(n), None])), Trend::Line(vec![Some(cut), None]));
        }
    }
}
