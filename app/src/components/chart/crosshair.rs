//! The line under the pointer: what it shows in each pane.
//!
//! It stands over the drawings, not in them, in layers that are only moved: a drawing of thousands of points is neither laid out nor painted again
//! because a pointer moves over it.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::svg;
use wasm_bindgen::JsValue;

use crate::components::chart::browser::{call, get, set};
use crate::components::chart::handle::Chart;
use crate::components::chart::model::{ChartModel, Charted, period_before};
use crate::components::chart::number::{percent, push_tenths, push_thousandths};
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
    let model = Arc::clone(model);
    in_sight(chart, move || standing(chart, &model, n))
}

/// The line over a lane, and beside it what the series at a place of the chart says.
pub(super) fn over_lane(chart: Chart, of: Option<(Arc<ChartModel>, usize)>) -> AnyView {
    in_sight(chart, move || {
        let said = of.clone().map(|(model, n)| said(chart, model, n));
        (upright(chart, ().into_any()), said).erase()
    })
}

/// What a series says at the crosshair, in a box above its lane.
fn said(chart: Chart, model: Arc<ChartModel>, n: usize) -> AnyView {
    let words = memo(move || {
        let value = chart.at.get().and_then(|at| chart.value_at(&model, n, at));
        value.zip(model.charted.get(n)).map_or_else(|| "no data".to_owned(), |(value, one)| one.words(value))
    });
    let tip = NodeRef::new();
    moves(tip, move || chart.x().map(beside));
    // A letter is about 7.5 px wide.
    let width = move || Some((20 + 15 * words.with(|words| words.chars().count()) / 2).to_string());
    view! {
        <svg class="tip tip-lane" aria-hidden="true" width=attr(width) height="20" node_ref=tip>
            <rect class="tip-box" width="100%" height="100%" rx="6"/>
            <text class="tip-value" x="10" y="14">
                {text(move || words.get())}
            </text>
        </svg>
    }
    .erase()
}

/// The flag over the axis: the moment.
pub(super) fn over_axis(chart: Chart, words: Words) -> AnyView {
    in_sight(chart, move || {
        let moment = memo(move || words.with(|words| words.as_ref().map(|(moment, _)| moment.clone()).unwrap_or_default()));
        // A digit of the axis is 7 px wide.
        let width = memo(move || 13 + 7 * moment.with(|moment| moment.chars().count()));
        let flag = view! {
            <rect
                class="cursor-flag"
                x=attr(move || Some(format!("-{}", width.get() / 2)))
                y="3"
                width=attr(move || Some(width.get().to_string()))
                height="20"
                rx="4"
            />
            <text class="cursor-flag-text" y="17" text-anchor="middle">
                {text(move || moment.get())}
            </text>
        };
        at_crosshair(chart, flag.erase())
    })
}

/// What stands there while the crosshair does.
fn in_sight(chart: Chart, view: impl Fn() -> AnyView + Send + 'static) -> AnyView {
    let is_in_sight = memo(move || chart.x().is_some());
    part(move || is_in_sight.get().then(&view)).erase()
}

/// The line itself, and what stands on it.
fn upright(chart: Chart, on_it: AnyView) -> AnyView {
    at_crosshair(chart, (line("cursor-line", ("0", "0"), ("0", "100%")), on_it).erase())
}

/// A drawing whose left edge is the crosshair.
fn at_crosshair(chart: Chart, content: AnyView) -> AnyView {
    let node = NodeRef::new();
    moves(node, move || chart.x().map(across));
    view! {
        <svg class="cursor" aria-hidden="true" node_ref=node>
            {content}
        </svg>
    }
    .erase()
}

/// A place in per cent of the drawing's width, as style sheets take it.
fn across(x: f64) -> String {
    let mut text = String::new();
    push_tenths(&mut text, x);
    text.push_str("cqw");
    text
}

/// Where a box beside the crosshair stands: on the side with more room.
fn beside(x: f64) -> String {
    [across(x).as_str(), if x > 50.0 { " - 100% - 12px" } else { " + 12px" }].concat()
}

/// Moves a drawing to where `to` says. Not by an attribute: those are part of the page, and a page's security policy lets nobody write styles there.
fn moves(node: NodeRef<svg::Svg>, to: impl Fn() -> Option<String> + 'static) {
    Effect::new(move |_| {
        if let (Some(svg), Some(to)) = (node.get(), to()) {
            transform(&svg, &whole_pixels(&to));
        }
    });
}

/// Lays a drawing over what is shown now.
pub(super) fn stretches(node: NodeRef<svg::Svg>, chart: Chart) {
    let stretch = memo(move || chart.stretch());
    Effect::new(move |before: Option<()>| {
        let (Some(svg), stretch) = (node.get(), stretch.get()) else { return };
        if stretch.is_none() {
            // The server drew it so.
            if before.is_some() {
                transform(&svg, "");
            }
            return;
        }
        let mut left = String::new();
        push_thousandths(&mut left, stretch.left);
        left.push_str("cqw");
        if stretch.width == 1.0 {
            return transform(&svg, &whole_pixels(&left));
        }
        let mut width = String::new();
        push_thousandths(&mut width, stretch.width * 1_000.0);
        transform(&svg, &["translateX(", &left, ") scaleX(calc(", &width, " / 1000))"].concat());
    });
}

/// A movement to the right by a length, to whole pixels: letters and lines between two pixels would be soft.
fn whole_pixels(by: &str) -> String {
    thread_local! {
        /// Whether the browser knows `round`.
        static KNOWS_ROUND: bool = call(
            &get(&window(), "CSS"),
            "supports",
            &[&JsValue::from_str("transform"), &JsValue::from_str("translateX(round(1px, 1px))")],
        )
        .is_some_and(|knows| knows.is_truthy());
    }
    let [before, after] = if KNOWS_ROUND.with(|knows| *knows) { ["round(", ", 1px))"] } else { ["calc(", "))"] };
    ["translateX(", before, by, after].concat()
}

fn transform(svg: &JsValue, text: &str) {
    set(&get(svg, "style"), "transform", &JsValue::from_str(text));
}

fn standing(chart: Chart, model: &Arc<ChartModel>, n: usize) -> AnyView {
    let names = names(model, &model.panes[n]);
    let of_cursor = Arc::clone(model);
    let cursor = memo(move || Cursor::of(chart, &of_cursor, &of_cursor.panes[n]));
    let width = move || cursor.with(|cursor| cursor.width);
    let tip = NodeRef::new();
    moves(tip, move || Some(beside(cursor.with(|cursor| cursor.x))));
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
        {upright(chart, dots.erase())}
        <svg class="tip" aria-hidden="true" width=attr(move || Some(width().to_string())) height=height.to_string() node_ref=tip>
            <rect class="tip-box" width="100%" height="100%" rx="6"/>
            {rows}
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
    let words = move || cursor.with(|cursor| cursor.points.get(nth).map(|point| point.words.clone()).unwrap_or_default());
    view! {
        <circle class=format!("end-dot c{style}") cx="14" cy=(20 * nth + 16).to_string() r="4.5"/>
        <text class="tip-text" x="26" y=y.clone()>{name}</text>
        <text class="tip-value" x="100%" dx="-10" y=y text-anchor="end">{text(words)}</text>
    }
    .erase()
}
