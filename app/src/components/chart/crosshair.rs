//! The line under the pointer: what it shows in each pane.

use domain::time::Timestamp;
use leptos::prelude::*;

use crate::components::chart::handle::Chart;
use crate::components::chart::model::{ChartModel, Charted, period_before};
use crate::components::chart::number::percent;
use crate::components::chart::panes::Pane;
use crate::components::chart::shapes::{dot, vertical};
use crate::erase::Erase as _;

/// Longest name in the box, in characters: it does not wrap.
const MOST_NAME_CHARS: usize = 24;

/// What [`words`] says, found out once for all that show it.
pub(super) type Words = Memo<Option<(String, String)>>;

/// The moment under the crosshair and the values there, in words: `11:20`, `Air temperature 28.1 °C`. Tracked.
pub(super) fn words(chart: Chart) -> Option<(String, String)> {
    let at = chart.at.get()?;
    let model = chart.model.get();
    let words = |(n, one): (usize, &Charted)| {
        let value = chart.value_at(&model, n, at).map_or_else(|| "no data".to_owned(), |v| one.words(v));
        format!("{} {value}", one.entity.name)
    };
    let values: Vec<String> = model.charted.iter().enumerate().map(words).collect();
    Some((model.moment_words(at, chart.window()), values.join(", ")))
}

/// Line, dots and box over a pane. Tracked.
pub(super) fn over_pane(chart: Chart, model: &ChartModel, pane: &Pane) -> Option<AnyView> {
    let (at, x) = (chart.at.get()?, chart.x()?);
    let points = points(chart, model, pane, at);
    let dots = points.iter().filter_map(|point| point.y.map(|y| dot(point.style, x, y, "4.5"))).collect_view();
    let width = tip_width(&points);
    let rows: Vec<AnyView> = points.into_iter().enumerate().map(|(n, point)| tip_row(n, width, point)).collect();
    let height = 12 + 20 * rows.len();
    // The box stands on the side with more room.
    let side = if x > 50.0 { format!("translate(-{} 0)", width + 12) } else { "translate(12 0)".to_owned() };
    let view = view! {
        <g class="cursor">{vertical("cursor-line", x)} {dots}</g>
        <svg class="tip" x=percent(x) y="8" overflow="visible">
            <g transform=side>
                <rect class="tip-box" width=width.to_string() height=height.to_string() rx="6"/>
                {rows}
            </g>
        </svg>
    };
    Some(view.erase())
}

/// A series at the crosshair.
struct CursorPoint {
    style: usize,
    name: String,
    /// `None` in a gap, as the words.
    y: Option<f64>,
    words: Option<String>,
}

/// Each series of a pane, and under it its period before.
fn points(chart: Chart, model: &ChartModel, pane: &Pane, at: Timestamp) -> Vec<CursorPoint> {
    let mut points = vec![];
    for line in &pane.lines {
        let one = &model.charted[line.style - 1];
        let mut push = |style, name, value: Option<f64>| {
            points.push(CursorPoint { style, name, y: value.map(|v| pane.scale.y(v)), words: value.map(|v| one.words(v)) });
        };
        push(line.style, one.entity.name.clone(), chart.value_at(model, line.style - 1, at));
        if line.previous.is_some() {
            let name = if pane.lines.len() == 1 { period_before(model.range) } else { format!("{}, before", one.entity.name) };
            push(pane.previous_style(line), name, one.previous_at(at));
        }
    }
    points
}

/// The words of a value that may be missing.
fn words_or_gap(words: Option<&String>) -> &str {
    words.map_or("no data", String::as_str)
}

/// Width of the box: text cannot be measured before it is drawn, so that a name counts 7 and a value 8.5 px a character.
fn tip_width(points: &[CursorPoint]) -> usize {
    let width = |point: &CursorPoint| {
        let (name, words) = (point.name.chars().count().min(MOST_NAME_CHARS), words_or_gap(point.words.as_ref()).chars().count());
        52 + 7 * name + 17 * words / 2
    };
    points.iter().map(width).max().unwrap_or(0)
}

fn tip_row(n: usize, width: usize, point: CursorPoint) -> AnyView {
    let y = 20 * n;
    let CursorPoint { style, mut name, words, .. } = point;
    if name.chars().count() > MOST_NAME_CHARS {
        name = name.chars().take(MOST_NAME_CHARS - 1).chain(['…']).collect();
    }
    view! {
        <circle class=format!("end-dot c{style}") cx="14" cy=(y + 16).to_string() r="4.5"/>
        <text class="tip-text" x="26" y=(y + 20).to_string()>{name}</text>
        <text class="tip-value" x=(width - 10).to_string() y=(y + 20).to_string() text-anchor="end">{words_or_gap(words.as_ref()).to_owned()}</text>
    }
    .erase()
}
