//! Panes: numbers of one unit over one value axis.

use domain::alarm::Severity;
use domain::history::{Range, Resolution, Series};
use domain::time::{Timestamp, duration_words};

use crate::backend::Limit;
use crate::components::chart::bars::{Place, bars, tops};
use crate::components::chart::finding::finding;
use crate::components::chart::gaps::{gaps, joined, runs};
use crate::components::chart::model::{ChartSize, Charted};
use crate::components::chart::number::push_thousandths;
use crate::components::chart::path::{PLOT_WIDTH, band, line};
use crate::components::chart::scale::{Fit, Scale};
use crate::components::chart::time_axis::{x_beyond, x_percent};

/// Series of one unit over one value axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Pane {
    /// Unit as shown; empty for bare numbers.
    pub unit: String,
    /// Whether the unit is too long for the top tick and stands as a caption.
    pub has_caption: bool,
    /// What the pane shows, in a sentence.
    pub title: String,
    /// The value axis.
    pub scale: Scale,
    /// Place (per cent from the top) and text of each value tick, lowest first.
    pub y_ticks: Vec<(f64, String)>,
    /// Spans without data, oldest first.
    pub gaps: Vec<Range>,
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
    /// Path of the line; empty for a meter.
    pub d: String,
    /// Path of a meter's bars.
    pub bars: Option<String>,
    /// Path of smallest to largest; `None` for single readings.
    pub band: Option<String>,
    /// Path of the period before, moved to this one.
    pub previous: Option<String>,
    /// The last value.
    pub end: Option<LineEnd>,
}

/// The end of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct LineEnd {
    /// Where the line ends.
    pub at: Timestamp,
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

impl Pane {
    /// The color of a line's period before: gray beside its one line, else as the line, for there are several to tell apart.
    #[must_use]
    pub const fn previous_style(&self, line: &Line) -> usize {
        if self.lines.len() == 1 { 0 } else { line.style }
    }
}

/// A series with its place among the chart's series, counted from 1.
pub type Member<'a> = (usize, &'a Charted);

/// Lays out the pane of `members`.
#[must_use]
pub fn pane(unit: &str, members: &[Member<'_>], range: Range, utc_offset_s: i32, size: ChartSize) -> Pane {
    let is_meter = members.iter().any(|(_, one)| one.is_meter());
    // Limits are those of what a meter shows, not of what it counted.
    let limits: Vec<&Limit> = members.iter().filter(|_| !is_meter).flat_map(|(_, one)| &one.limits).collect();
    let series = members.iter().flat_map(|(_, one)| [Some(&one.series), one.previous.as_ref()]).flatten();
    let values = series.flat_map(|series| {
        let columns = if is_meter { [&series.increase, &[][..], &[]] } else { [&series.min[..], &series.max, &series.mean] };
        columns.into_iter().flatten().copied()
    });
    let fit = if is_meter { Fit::FromZero } else { Fit::of_unit(Some(unit)) };
    let scale = Scale::covering(values.chain(limits.iter().map(|limit| limit.value)), fit);
    // A short unit fits beside the top tick, which every chart has.
    let is_short = (1..=2).contains(&unit.chars().count());
    let ticks = scale.ticks();
    let top = ticks.len() - 1;
    let label = |n: usize, tick: f64| if n == top && is_short { format!("{} {unit}", scale.label(tick)) } else { scale.label(tick) };
    let line = |(nth, (style, one)): (usize, &Member<'_>)| {
        if is_meter { meter_line(*style, one, &scale, range, (nth, members.len())) } else { series_line(*style, one, &scale, range) }
    };
    let mut lines: Vec<Line> = members.iter().enumerate().map(line).collect();
    // The texts at the ends are 13 px high; the panes 264 and 160 px.
    separate(&mut lines, if size == ChartSize::Small { 9.0 } else { 6.0 });
    let missing = members.iter().flat_map(|(_, one)| gaps(&one.series.t, one.series.resolution, range)).collect();
    Pane {
        unit: unit.to_owned(),
        has_caption: !unit.is_empty() && !is_short,
        title: members.iter().map(|(_, one)| finding(one, range, utc_offset_s)).collect::<Vec<_>>().join(" "),
        y_ticks: ticks.iter().enumerate().map(|(n, &tick)| (scale.y(tick), label(n, tick))).collect(),
        scale,
        gaps: joined(missing),
        lines,
        limits: limit_marks(&limits, &scale),
    }
}

fn meter_line(style: usize, one: &Charted, scale: &Scale, range: Range, place: Place) -> Line {
    let previous = one.previous.as_ref().map(|series| tops(series, scale, range, place)).filter(|d| !d.is_empty());
    Line { style, d: String::new(), bars: Some(bars(&one.series, scale, range, place)), band: None, previous, end: None }
}

fn series_line(style: usize, one: &Charted, scale: &Scale, range: Range) -> Line {
    let series = &one.series;
    let y = |values: &[f64], row: usize| values.get(row).map_or(f64::NAN, |&v| if v.is_finite() { scale.y(v) } else { f64::NAN });
    let edges = || {
        let x = |row: usize| plot_x(range, series.t[row]);
        let point = |row: usize| (x(row), y(&series.min, row), y(&series.max, row));
        runs(&series.t, series.resolution).into_iter().map(|rows| rows.map(point).collect()).collect::<Vec<_>>()
    };
    let last = series.t.len().checked_sub(1);
    // The text names the newest reading; the dot sits on the line, which ends at the mean of the last bucket.
    let end = last.and_then(|row| {
        let (y, value) = (y(&series.mean, row), *series.last.get(row)?);
        (y.is_finite() && value.is_finite()).then(|| LineEnd { at: series.t[row], y, text_y: y, text: one.bare_words(value) })
    });
    Line {
        style,
        d: means(series, scale, range),
        bars: None,
        previous: one.previous.as_ref().map(|series| means(series, scale, range)).filter(|d| !d.is_empty()),
        band: matches!(series.resolution, Resolution::BucketMs(_)).then(|| band(&edges())).filter(|d| !d.is_empty()),
        end,
    }
}

/// The path of a series' means. What lies outside of the range is drawn too, left or right of the picture.
fn means(series: &Series, scale: &Scale, range: Range) -> String {
    let y = |row: usize| series.mean.get(row).copied().filter(|v| v.is_finite()).map_or(f64::NAN, |v| scale.y(v));
    let point = |row: usize| (plot_x(range, series.t[row]), y(row));
    line(&runs(&series.t, series.resolution).into_iter().map(|rows| rows.map(point).collect()).collect::<Vec<Vec<_>>>())
}

/// Where a moment stands in the inner drawing of a range.
#[must_use]
pub fn plot_x(range: Range, at: Timestamp) -> f64 {
    x_beyond(range, at) / 100.0 * PLOT_WIDTH
}

/// The part of the inner drawing of `range` that shows `window`: the attribute `viewBox`. In thousandths: a window may be a small part.
#[must_use]
pub fn view_box(range: Range, window: Range) -> String {
    let (from, to) = (plot_x(range, window.from), plot_x(range, window.to));
    let mut text = String::new();
    push_thousandths(&mut text, from);
    text.push_str(" 0 ");
    push_thousandths(&mut text, (to - from).max(0.001));
    text.push_str(" 100");
    text
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

/// The gaps as `window` shows them.
#[must_use]
pub fn gap_marks(spans: &[Range], window: Range) -> Vec<GapMark> {
    // "no data, 55 min" takes an eighth of the width of a page's chart: the longest gaps are named, and whoever has room beside them.
    const LABEL_WIDTH: f64 = 14.0;
    let mut marks: Vec<(i64, GapMark)> = spans
        .iter()
        .filter(|span| span.from < window.to && span.to > window.from)
        .map(|span| {
            let (x, end) = (x_percent(window, span.from), x_percent(window, span.to));
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
