//! What a chart draws, computed without a page: panes by unit, paths, marks.

use domain::alarm::Severity;
use domain::history::{Range, Resolution, Series};
use domain::live::EntityView;
use domain::time::{Timestamp, duration_words};

use crate::backend::Limit;
use crate::components::chart::finding::finding;
use crate::components::chart::gaps::{bucket_ms, gaps, joined, runs};
use crate::components::chart::hit::{nearest, stops};
use crate::components::chart::number::number;
use crate::components::chart::path::{PLOT_WIDTH, band, line};
use crate::components::chart::scale::{Fit, Scale};
use crate::components::chart::states::{Span, spans};
use crate::components::chart::time_axis::{MOST_LABELS, MOST_LABELS_SMALL, TimeTick, point_time, time_ticks, x_percent};

/// Most panes of one chart.
pub const MOST_PANES: usize = 3;
/// Most series of one chart.
pub const MOST_SERIES: usize = 6;

/// One entity of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Charted {
    /// Its name, unit and words.
    pub entity: EntityView,
    /// Its points.
    pub series: Series,
    /// Its limits.
    pub limits: Vec<Limit>,
}

impl Charted {
    /// Whether it is drawn as a lane of states instead of a line.
    #[must_use]
    pub const fn is_state(&self) -> bool {
        !self.entity.kind.is_sensor()
    }

    /// A value in words, with its unit: `21.4 °C`, `Open`.
    #[must_use]
    pub fn words(&self, value: f64) -> String {
        if self.is_state() {
            return state_word(&self.entity, value > 0.5);
        }
        match &self.entity.unit {
            Some(unit) => format!("{}\u{a0}{unit}", number(value, self.entity.precision)),
            None => number(value, self.entity.precision),
        }
    }
}

/// The word for a state: `Open`, `On`.
#[must_use]
pub fn state_word(entity: &EntityView, is_on: bool) -> String {
    let word = if is_on { &entity.word_on } else { &entity.word_off };
    word.clone().unwrap_or_else(|| if is_on { "On" } else { "Off" }.to_owned())
}

/// How large a chart is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartSize {
    /// The width of a page.
    Full,
    /// Beside another one.
    Small,
}

/// A chart, ready to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartModel {
    /// The range.
    pub range: Range,
    /// The server's zone.
    pub utc_offset_s: i32,
    /// Labels of the time axis.
    pub ticks: Vec<TimeTick>,
    /// Numbers, one unit a pane.
    pub panes: Vec<Pane>,
    /// States.
    pub lanes: Vec<Lane>,
    /// Names of what found no room: a fourth unit.
    pub left_out: Vec<String>,
}

/// Series of one unit over one value axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Pane {
    /// Unit as shown; empty for bare numbers.
    pub unit: String,
    /// Whether the unit is too long for the top tick and stands as a caption.
    pub has_caption: bool,
    /// What the pane shows, in a sentence.
    pub title: String,
    /// Place (per cent from the top) and text of each value tick, lowest first.
    pub y_ticks: Vec<(f64, String)>,
    /// Spans without data.
    pub gaps: Vec<GapMark>,
    /// Lines, in the order of the series.
    pub lines: Vec<Line>,
    /// Limits.
    pub limits: Vec<LimitMark>,
}

/// A hatched span.
#[derive(Clone, Debug, PartialEq)]
pub struct GapMark {
    /// Left edge in per cent.
    pub x: f64,
    /// Width in per cent.
    pub width: f64,
    /// `no data, 55 min`; `None` where the words would lie over those of another gap.
    pub label: Option<String>,
}

/// One series of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// 1 to 6: its style.
    pub style: usize,
    /// Path of the line.
    pub d: String,
    /// Path of smallest to largest; `None` for single readings.
    pub band: Option<String>,
    /// The last value.
    pub end: Option<LineEnd>,
    /// What the crosshair shows.
    pub cursor: CursorSeries,
}

/// The end of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct LineEnd {
    /// Place of the dot, in per cent.
    pub x: f64,
    /// Place of the dot, in per cent from the top.
    pub y: f64,
    /// Place of the text: apart from those of its neighbors.
    pub text_y: f64,
    /// The last value without unit.
    pub text: String,
}

/// A limit.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitMark {
    /// In per cent from the top.
    pub y: f64,
    /// In words.
    pub label: String,
    /// Critical ones have their own color.
    pub is_critical: bool,
    /// Where the words begin, in per cent.
    pub label_x: f64,
    /// Words under the line instead of above it.
    pub is_label_below: bool,
}

/// One series of states.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// 1 to 6: its place among the series.
    pub style: usize,
    /// The entity's name.
    pub name: String,
    /// What the lane shows, in a sentence.
    pub title: String,
    /// Left edge and width of each span that was on, in per cent.
    pub on: Vec<(f64, f64)>,
    /// Left edge and width of the time before the first state, in per cent; `None` if there is none.
    pub before: Option<f64>,
    /// The last state in words.
    pub end: Option<String>,
    /// What the crosshair shows.
    pub cursor: CursorSeries,
}

/// What the crosshair shows of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct CursorSeries {
    /// 1 to 6.
    pub style: usize,
    /// The entity's name.
    pub name: String,
    /// Moments, ascending.
    times: Vec<Timestamp>,
    /// Place in per cent from the top, and words.
    points: Vec<(f64, String)>,
    /// A point farther from the crosshair than this is not at it; `None` holds until the next one (states).
    reach_ms: Option<i64>,
}

impl CursorSeries {
    /// The point at a moment: place in per cent from the top, and words. `None` in a gap.
    #[must_use]
    pub fn at(&self, moment: Timestamp) -> Option<&(f64, String)> {
        let Some(reach) = self.reach_ms else {
            let after = self.times.partition_point(|&t| t <= moment);
            return self.points.get(after.checked_sub(1)?);
        };
        let row = nearest(&self.times, moment)?;
        if self.times[row].since_ms(moment).abs() > reach { None } else { self.points.get(row) }
    }
}

impl ChartModel {
    /// Lays out at most [`MOST_SERIES`] series in at most [`MOST_PANES`] panes, and states in lanes under them.
    #[must_use]
    pub fn new(charted: &[Charted], range: Range, utc_offset_s: i32, size: ChartSize) -> Self {
        let mut by_unit: Vec<(Option<&str>, Vec<(usize, &Charted)>)> = vec![];
        let mut left_out = vec![];
        let mut lanes = vec![];
        for (n, one) in charted.iter().take(MOST_SERIES).enumerate() {
            let unit = one.entity.unit.as_deref();
            if one.is_state() {
                lanes.push(lane(n + 1, one, range, utc_offset_s));
            } else if let Some((_, members)) = by_unit.iter_mut().find(|(of, _)| *of == unit) {
                members.push((n + 1, one));
            } else if by_unit.len() < MOST_PANES {
                by_unit.push((unit, vec![(n + 1, one)]));
            } else {
                left_out.push(one.entity.name.clone());
            }
        }
        left_out.extend(charted.iter().skip(MOST_SERIES).map(|one| one.entity.name.clone()));
        let most = if size == ChartSize::Small { MOST_LABELS_SMALL } else { MOST_LABELS };
        Self {
            range,
            utc_offset_s,
            ticks: time_ticks(range, utc_offset_s, most),
            panes: by_unit.iter().map(|(unit, members)| pane(unit.unwrap_or_default(), members, range, utc_offset_s, size)).collect(),
            lanes,
            left_out,
        }
    }

    /// All moments with a point, ascending: where the crosshair stops.
    #[must_use]
    pub fn stops(&self) -> Vec<Timestamp> {
        stops(self.cursors().map(|series| &series.times[..]))
    }

    /// The series in words at a moment: `11:20: Air temperature 28.1 °C, Humidity 74 %`.
    #[must_use]
    pub fn readout(&self, moment: Timestamp) -> (String, String) {
        let mut all: Vec<&CursorSeries> = self.cursors().collect();
        all.sort_by_key(|series| series.style);
        let words = all.iter().map(|series| format!("{} {}", series.name, series.at(moment).map_or("no data", |(_, words)| words)));
        (point_time(moment, self.range, self.utc_offset_s), words.collect::<Vec<_>>().join(", "))
    }

    fn cursors(&self) -> impl Iterator<Item = &CursorSeries> {
        self.panes.iter().flat_map(|pane| pane.lines.iter().map(|line| &line.cursor)).chain(self.lanes.iter().map(|lane| &lane.cursor))
    }
}

fn pane(unit: &str, members: &[(usize, &Charted)], range: Range, utc_offset_s: i32, size: ChartSize) -> Pane {
    let limits: Vec<&Limit> = members.iter().flat_map(|(_, one)| &one.limits).collect();
    let values = members.iter().flat_map(|(_, one)| one.series.min.iter().chain(&one.series.max).chain(&one.series.mean).copied());
    let scale = Scale::covering(values.chain(limits.iter().map(|limit| limit.value)), Fit::of_unit(Some(unit)));
    // A short unit fits beside the top tick, which every chart has.
    let is_short = (1..=2).contains(&unit.chars().count());
    let ticks = scale.ticks();
    let top = ticks.len() - 1;
    let label = |n: usize, tick: f64| if n == top && is_short { format!("{} {unit}", scale.label(tick)) } else { scale.label(tick) };
    let mut lines: Vec<Line> = members.iter().map(|(style, one)| series_line(*style, one, &scale, range)).collect();
    // The texts at the ends are 13 px high; the panes 264 and 160 px.
    separate(&mut lines, if size == ChartSize::Small { 9.0 } else { 6.0 });
    let missing = members.iter().flat_map(|(_, one)| gaps(&one.series.t, one.series.resolution, range)).collect();
    Pane {
        unit: unit.to_owned(),
        has_caption: !unit.is_empty() && !is_short,
        title: members.iter().map(|(_, one)| finding(one, range, utc_offset_s)).collect::<Vec<_>>().join(" "),
        y_ticks: ticks.iter().enumerate().map(|(n, &tick)| (scale.y(tick), label(n, tick))).collect(),
        gaps: gap_marks(joined(missing), range),
        lines,
        limits: limit_marks(&limits, &scale),
    }
}

fn series_line(style: usize, one: &Charted, scale: &Scale, range: Range) -> Line {
    let series = &one.series;
    let x = |row: usize| x_percent(range, series.t[row]) / 100.0 * PLOT_WIDTH;
    let y = |values: &[f64], row: usize| values.get(row).map_or(f64::NAN, |&v| if v.is_finite() { scale.y(v) } else { f64::NAN });
    let runs = runs(&series.t, series.resolution);
    let line_points: Vec<Vec<_>> = runs.iter().map(|rows| rows.clone().map(|row| (x(row), y(&series.mean, row))).collect()).collect();
    let edges = || runs.iter().map(|rows| rows.clone().map(|row| (x(row), y(&series.min, row), y(&series.max, row))).collect()).collect::<Vec<_>>();
    let last = series.t.len().checked_sub(1);
    // The text names the newest reading; the dot sits on the line, which ends at the mean of the last bucket.
    let end = last.and_then(|row| {
        let (y, value) = (y(&series.mean, row), *series.last.get(row)?);
        (y.is_finite() && value.is_finite()).then(|| LineEnd {
            x: x_percent(range, series.t[row]),
            y,
            text_y: y,
            text: number(value, one.entity.precision),
        })
    });
    let points = series.mean.iter().map(|&v| (if v.is_finite() { scale.y(v) } else { 100.0 }, one.words(v))).collect();
    let interval = crate::components::chart::gaps::interval_ms(&series.t, series.resolution);
    Line {
        style,
        d: line(&line_points),
        band: matches!(series.resolution, Resolution::BucketMs(_)).then(|| band(&edges())).filter(|d| !d.is_empty()),
        end,
        cursor: CursorSeries { style, name: one.entity.name.clone(), times: series.t.clone(), points, reach_ms: Some(interval.unwrap_or(1) * 3 / 2) },
    }
}

fn lane(style: usize, one: &Charted, range: Range, utc_offset_s: i32) -> Lane {
    let on = spans(&one.series, range);
    let place = |span: &Span| (x_percent(range, span.from), x_percent(range, span.to) - x_percent(range, span.from));
    let first = one.series.t.first().map_or(range.to, |&t| t);
    let before = x_percent(range, first);
    Lane {
        style,
        name: one.entity.name.clone(),
        title: finding(one, range, utc_offset_s),
        on: on.iter().map(place).collect(),
        before: (before > 0.0).then_some(before),
        end: one.series.last.last().map(|&v| one.words(v)),
        cursor: CursorSeries {
            style,
            name: one.entity.name.clone(),
            times: one.series.t.clone(),
            points: one.series.last.iter().map(|&v| (50.0, one.words(v))).collect(),
            reach_ms: None,
        },
    }
}

/// Moves the texts at the ends of lines apart, by `least` per cent of the pane's height.
fn separate(lines: &mut [Line], least: f64) {
    let mut ends: Vec<&mut LineEnd> = lines.iter_mut().filter_map(|line| line.end.as_mut()).collect();
    ends.sort_by(|a, b| a.y.total_cmp(&b.y));
    let mut lowest = f64::NEG_INFINITY;
    for end in &mut ends {
        end.text_y = end.y.max(lowest + least);
        lowest = end.text_y;
    }
    let mut highest = 100.0;
    for end in ends.iter_mut().rev() {
        end.text_y = end.text_y.min(highest);
        highest = end.text_y - least;
    }
}

fn gap_marks(spans: Vec<Range>, range: Range) -> Vec<GapMark> {
    // "no data, 55 min" takes an eighth of the width of a page's chart: the longest gaps are named, and whoever has room beside them.
    const LABEL_WIDTH: f64 = 14.0;
    let mut marks: Vec<(i64, GapMark)> = spans
        .into_iter()
        .map(|span| {
            let (x, end) = (x_percent(range, span.from), x_percent(range, span.to));
            (span.len_ms(), GapMark { x, width: end - x, label: None })
        })
        .collect();
    let mut order: Vec<usize> = (0..marks.len()).collect();
    order.sort_by_key(|&n| std::cmp::Reverse(marks[n].0));
    let mut named: Vec<f64> = vec![];
    for n in order {
        let (len_ms, mark) = &mut marks[n];
        let middle = mark.x + mark.width / 2.0;
        if named.iter().all(|other| (other - middle).abs() >= LABEL_WIDTH) {
            named.push(middle);
            mark.label = Some(format!("no data, {}", duration_words(*len_ms)));
        }
    }
    marks.into_iter().map(|(_, mark)| mark).collect()
}

fn limit_marks(limits: &[&Limit], scale: &Scale) -> Vec<LimitMark> {
    let mut sorted: Vec<&&Limit> = limits.iter().filter(|limit| limit.value.is_finite()).collect();
    sorted.sort_by(|a, b| b.value.total_cmp(&a.value));
    sorted.dedup_by(|a, b| a.value == b.value && a.label == b.label);
    let mut before: Option<(f64, f64)> = None;
    sorted
        .into_iter()
        .map(|limit| {
            let y = scale.y(limit.value);
            // Words of near limits stand beside each other, not on each other.
            let label_x = before.map_or(0.0, |(other, x)| if y - other < 10.0 { (x + 30.0) % 90.0 } else { 0.0 });
            before = Some((y, label_x));
            // The words stand on the far side from the data, which a limit has above it when it lies low.
            let is_label_below = if y < 8.0 { true } else { y > 50.0 && y < 92.0 };
            LimitMark { y, label: limit.label.clone(), is_critical: limit.severity == Severity::Critical, label_x, is_label_below }
        })
        .collect()
}

/// The words for how far apart the points are: `one point per 5 min`, `every reading`.
#[must_use]
pub fn resolution_words(resolution: Resolution) -> String {
    bucket_ms(resolution).map_or_else(|| "every reading".to_owned(), |ms| format!("one point per {}", span_words(ms)))
}

/// A length of time that is even: `30 s`, `5 min`, `1 h`, `1 d`.
#[must_use]
pub fn span_words(ms: i64) -> String {
    use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
    for (unit, word) in [(DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "min"), (SECOND_MS, "s")] {
        if ms >= unit && ms % unit == 0 {
            return format!("{} {word}", ms / unit);
        }
    }
    if ms < SECOND_MS { format!("{ms} ms") } else { duration_words(ms) }
}
