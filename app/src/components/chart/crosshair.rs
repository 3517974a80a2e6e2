//! The line under the pointer: what it shows in each pane.

use std::sync::Arc;

use leptos::prelude::*;

use crate::components::chart::handle::Chart;
use crate::components::chart::model::{ChartModel, Charted, period_before};
use crate::components::chart::number::percent;
use crate::components::chart::panes::Pane;
use crate::components::chart::shapes::line;
use crate::erase::{Erase as _, attr, memo, part, text};

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

/// Line, dots and box over a pane. They stay while the crosshair moves, and only what they say and where they are is set: a pointer moves with every
/// frame.
pub(super) fn over_pane(chart: Chart, model: &Arc<ChartModel>, n: usize) -> AnyView {
    let is_in_sight = memo(move || chart.x().is_some());
    let model = Arc::clone(model);
    part(move || is_in_sight.get().then(|| standing(chart, &model, n))).erase()
}

fn standing(chart: Chart, model: &Arc<ChartModel>, n: usize) -> AnyView {
    let names = names(model, &model.panes[n]);
    let of_cursor = Arc::clone(model);
    let cursor = memo(move || Cursor::of(chart, &of_cursor, &of_cursor.panes[n]));
    let x = move || Some(percent(cursor.with(|cursor| cursor.x)));
    let width = move || cursor.with(|cursor| cursor.width);
    // The box stands on the side with more room.
    let side =
        move || Some(if cursor.with(|cursor| cursor.x > 50.0) { format!("translate(-{} 0)", width() + 12) } else { "translate(12 0)".to_owned() });
    let height = 12 + 20 * names.len();
    let dots = names.iter().enumerate().map(|(nth, (style, _))| {
        let y = move || cursor.with(|cursor| cursor.points.get(nth).and_then(|point| point.y));
        // In a gap there is none.
        let r = move || Some(if y().is_some() { "4.5" } else { "0" });
        view! { <circle class=format!("end-dot c{style}") cy=attr(move || y().map(percent)) r=attr(r)/> }.erase()
    });
    let dots = dots.collect_view();
    let rows = names.into_iter().enumerate().map(|(nth, (style, name))| tip_row(cursor, nth, style, name)).collect_view();
    view! {
        <svg class="cursor" x=attr(x) overflow="visible">{line("cursor-line", ("0", "0"), ("0", "100%"))} {dots}</svg>
        <svg class="tip" x=attr(x) y="8" overflow="visible">
            <g transform=attr(side)>
                <rect class="tip-box" width=attr(move || Some(width().to_string())) height=height.to_string() rx="6"/>
                {rows}
            </g>
        </svg>
    }
    .erase()
}

/// What stands over a pane.
#[derive(Clone, Default, PartialEq)]
struct Cursor {
    /// In per cent from the left.
    x: f64,
    /// Width of the box.
    width: usize,
    /// As many as there are names.
    points: Vec<CursorPoint>,
}

/// A series at the crosshair.
#[derive(Clone, PartialEq)]
struct CursorPoint {
    /// In per cent from the top; `None` in a gap.
    y: Option<f64>,
    words: String,
}

impl Cursor {
    /// Tracked.
    fn of(chart: Chart, model: &ChartModel, pane: &Pane) -> Self {
        let Some((at, x)) = chart.at.get().zip(chart.x()) else { return Self::default() };
        let mut points = vec![];
        for line in &pane.lines {
            let one = &model.charted[line.style - 1];
            let mut push = |value: Option<f64>| {
                let words = value.map_or_else(|| "no data".to_owned(), |v| one.words(v));
                points.push(CursorPoint { y: value.map(|v| pane.scale.y(v)), words });
            };
            push(chart.value_at(model, line.style - 1, at));
            if line.previous.is_some() {
                push(one.previous_at(at));
            }
        }
        // Text cannot be measured before it is drawn: a name counts 7 and a value 8.5 px a character.
        let width = |((_, name), point): (&(usize, String), &CursorPoint)| 52 + 7 * name.chars().count() + 17 * point.words.chars().count() / 2;
        let width = names(model, pane).iter().zip(&points).map(width).max().unwrap_or(0);
        Self { x, width, points }
    }
}

/// Style and name of each series of a pane, and under it of its period before.
fn names(model: &ChartModel, pane: &Pane) -> Vec<(usize, String)> {
    let mut names = vec![];
    for line in &pane.lines {
        let one = &model.charted[line.style - 1];
        names.push((line.style, short(one.entity.name.clone())));
        if line.previous.is_some() {
            let name = if pane.lines.len() == 1 { period_before(model.range) } else { format!("{}, before", one.entity.name) };
            names.push((pane.previous_style(line), short(name)));
        }
    }
    names
}

fn short(name: String) -> String {
    if name.chars().count() > MOST_NAME_CHARS { name.chars().take(MOST_NAME_CHARS - 1).chain(['…']).collect() } else { name }
}

fn tip_row(cursor: Memo<Cursor>, nth: usize, style: usize, name: String) -> AnyView {
    let y = (20 * nth + 20).to_string();
    let x = move || Some(cursor.with(|cursor| cursor.width.saturating_sub(10)).to_string());
    let words = move || cursor.with(|cursor| cursor.points.get(nth).map(|point| point.words.clone()).unwrap_or_default());
    view! {
        <circle class=format!("end-dot c{style}") cx="14" cy=(20 * nth + 16).to_string() r="4.5"/>
        <text class="tip-text" x="26" y=y.clone()>{name}</text>
        <text class="tip-value" x=attr(x) y=y text-anchor="end">{text(words)}</text>
    }
    .erase()
}
