//! The last hour: the points of a sparkline, the spans of a strip, and their shapes.

use domain::alarm::Severity;
use domain::history::{Range, Resolution};
use domain::time::{HOUR_MS, MINUTE_MS, Timestamp};
use domain::value::Value;

use crate::backend::{Limit, Tile, Trend};
use crate::components::chart::gaps::{each_run, interval_ms};
use crate::components::chart::number::push_tenths;
use crate::components::chart::path::{Point, stroke};
use crate::components::chart::scale::share_below;
use crate::components::chart::time_axis::x_percent;

/// Points of a line: one a minute.
const POINTS: usize = 60;
/// Most spans of a strip, the newest.
const MOST_SPANS: usize = 200;
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
                    // One by one: an hour has few minutes, and this takes the least code.
                    for left in (0..ahead.min(POINTS as i64)).rev() {
                        points.push(Some(*n).filter(|_| left == 0));
                        if points.len() > POINTS {
                            points.remove(0);
                        }
                    }
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
                if spans.len() > MOST_SPANS {
                    spans.remove(0);
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
    let y = |n: f64| TOP + share_below(n, min, max) * (BOTTOM - TOP);
    let span = Range { from: Timestamp::default(), to: Timestamp::from_ms((POINTS as i64 - 1) * MINUTE_MS) };

    let (mut times, mut line): (Vec<Timestamp>, Vec<Point>) = (vec![], vec![]);
    for (i, n) in (0..).zip(&points) {
        if let Some(n) = n {
            let at = Timestamp::from_ms(i * MINUTE_MS);
            times.push(at);
            line.push((x_percent(span, at) * WIDTH / 100.0, y(*n)));
        }
    }
    let resolution = Resolution::BucketMs(MINUTE_MS);
    let mut spark = Spark::default();
    each_run(&times, resolution, &mut |run| stroke(&mut spark.line, line.get(run).unwrap_or_default()));
    if let (Some(at), Some(last)) = (times.last(), line.last()) {
        stroke(&mut spark.end, &[*last]);
        if interval_ms(&times, resolution).is_some_and(|ms| span.to.since_ms(*at) > ms) {
            spark.gap = Some(level(*last));
        }
    }
    spark.limits = limits.iter().map(|limit| (limit.severity, level((0.0, y(limit.value))))).collect();
    spark
}

/// From a point to the right edge.
fn level((x, y): Point) -> String {
    let mut d = String::new();
    stroke(&mut d, &[(x, y), (WIDTH, y)]);
    d
}

/// Left edge and width of each span of a strip that is 100 wide, for the hour before `now`.
#[must_use]
pub fn spans(past: &Past, now: Timestamp) -> Vec<(String, String)> {
    let Past::Spans(spans) = past else { return vec![] };
    let hour = Range { from: now.plus_ms(-HOUR_MS), to: now };
    let x = |t: Timestamp| x_percent(hour, t);
    spans
        .iter()
        .map(|&(from, to)| (x(from), to.map_or(100.0, x)))
        .filter(|(from, to)| to > from)
        .map(|(from, to)| {
            let (mut left, mut width) = (String::new(), String::new());
            push_tenths(&mut left, from);
            // Nothing that happened is too short to see.
            push_tenths(&mut width, (to - from).max(0.6));
            (left, width)
        })
        .collect()
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
        assert_eq!(broken.gap.as_deref(), Some("M89.5 16L120 16"));
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
    fn a_line_ends_late_by_the_rhythm_of_its_sensor() {
        for (minutes, segments, is_late) in [
            (&[7][..], 1, true),
            (&[59], 1, false),
            (&[50, 53, 56], 1, false),
            (&[49, 52, 55], 1, true),
            (&[0, 5, 10, 11, 59], 2, false),
            (&[0, 59], 1, false),
        ] {
            let mut points = vec![None; 60];
            minutes.iter().for_each(|&minute: &usize| points[minute] = Some(1.0));
            let drawn = spark(&line(points), &[], NOW);
            assert_eq!((drawn.line.matches('M').count(), drawn.gap.is_some()), (segments, is_late), "{minutes:?}");
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
