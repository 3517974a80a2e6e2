//! The overview under a chart: a longer range, with a window on the part that the chart shows.

use std::sync::Arc;

use domain::history::Range;
use domain::time::{DAY_MS, Timestamp};
use leptos::prelude::*;
use leptos::{ev, svg};
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::backend::Around;
use crate::components::chart::gaps::runs;
use crate::components::chart::handle::Chart;
use crate::components::chart::number::percent;
use crate::components::chart::panes::plot_x;
use crate::components::chart::path::line;
use crate::components::chart::scale::{Fit, Scale};
use crate::components::chart::shapes::text;
use crate::components::chart::time_axis::{MOST_LABELS, time_ticks, x_percent};
use crate::components::chart::zoom::{Edge, held, panned, resized};
use crate::erase::{Erase as _, attr, part};

/// A handle takes this many pixels to both sides.
const HANDLE_PX: f64 = 22.0;

/// What a pointer holds.
#[derive(Clone, Copy)]
enum Hold {
    /// An end of the window.
    Handle(Edge),
    /// All of it: the window and the place where it was taken.
    Window(Range, f64),
}

/// The overview.
#[component]
pub fn Brush(
    /// The chart whose window it is.
    chart: Chart,
    /// What is drawn; without it there is no overview.
    around: Signal<Option<Arc<Around>>>,
) -> AnyView {
    let drawn = move || around.get().map(|around| brush(chart, &around));
    part(drawn).erase()
}

fn brush(chart: Chart, around: &Around) -> AnyView {
    let range = around.range;
    let drawing: NodeRef<svg::Svg> = NodeRef::new();
    let offset = chart.model.with_untracked(|model| model.utc_offset_s);
    let ticks = time_ticks(range, offset, MOST_LABELS).into_iter().map(|tick| {
        let class = if tick.is_wide_only { "axis-text wide-only" } else { "axis-text" };
        let x = percent(tick.x);
        // A label that would reach past the end is left out.
        let label = (tick.x < 93.0).then(|| text(class, (tick.x, "5"), (0.0, "1rem"), "start", tick.label));
        view! { <line class="grid-line" x1=x.clone() x2=x y1="0" y2="100%"/> {label} }
    });
    let start = move || x_percent(range, chart.window().from);
    let end = move || x_percent(range, chart.window().to);
    let hold = StoredValue::new(None::<Hold>);
    let place = move |event: &ev::PointerEvent| {
        let rect = drawing.get_untracked()?.get_bounding_client_rect();
        (rect.width() > 0.0).then(|| ((f64::from(event.client_x()) - rect.left()) / rect.width(), rect.width()))
    };
    let moved = move |event: &ev::PointerEvent| {
        let (Some(held_now), Some((place, _))) = (hold.get_value(), place(event)) else { return };
        chart.want(match held_now {
            Hold::Handle(edge) => resized(untrack(|| chart.window()), edge, held(range, place.clamp(0.0, 1.0)), chart.latest()),
            Hold::Window(window, from) => dragged(range, window, place - from, chart.latest()),
        });
    };
    let pressed = move |event: ev::PointerEvent| {
        let Some((place, width)) = place(&event).filter(|_| event.pointer_type() != "mouse" || event.button() == 0) else { return };
        if let Some(target) = event.current_target().and_then(|target| target.dyn_into::<Element>().ok()) {
            _ = target.set_pointer_capture(event.pointer_id());
        }
        let window = untrack(|| chart.window());
        let (from, to) = (x_percent(range, window.from) / 100.0, x_percent(range, window.to) / 100.0);
        hold.set_value(Some(grip(place, (from, to), HANDLE_PX / width).map_or_else(
            || {
                // Pressed beside it: the window comes to the pointer, and goes on with it.
                let there = dragged(range, window, place - f64::midpoint(from, to), chart.latest());
                chart.want(there);
                Hold::Window(there, place)
            },
            |edge| edge.map_or(Hold::Window(window, place), Hold::Handle),
        )));
    };
    view! {
        <div class="chart-pane no-print">
            <svg
                class="chart-svg brush"
                data-size="brush"
                role="group"
                aria-label="Choose the period"
                node_ref=drawing
                on:pointerdown=pressed
                on:pointermove=move |event| moved(&event)
                on:pointerup=move |_| hold.set_value(None)
                on:pointercancel=move |_| hold.set_value(None)
            >
                <rect class="chart-frame" width="100%" height="100%"/>
                <svg class="plot" viewBox="0 0 1000 100" preserveAspectRatio="none" width="100%" height="100%">
                    <path class="brush-line" d=means(around)/>
                </svg>
                <rect class="brush-dim" x="0" width=attr(move || Some(percent(start()))) height="100%"/>
                <rect class="brush-dim" x=attr(move || Some(percent(end()))) width=attr(move || Some(percent(100.0 - end()))) height="100%"/>
                {ticks.collect_view()}
                <rect
                    class="brush-window"
                    x=attr(move || Some(percent(start())))
                    width=attr(move || Some(percent((end() - start()).max(0.0))))
                    y="1"
                    height="98%"
                    rx="3"
                />
                {handle(chart, Edge::Start, range)}
                {handle(chart, Edge::End, range)}
            </svg>
        </div>
    }
    .erase()
}

/// What is under a pointer: an end, the window (`Some(None)`), or what lies beside it (`None`). `reach` is how far a handle takes.
fn grip(place: f64, (from, to): (f64, f64), reach: f64) -> Option<Option<Edge>> {
    let (to_start, to_end) = ((place - from).abs(), (place - to).abs());
    // A narrow window stays movable: its handles take outwards only.
    let inside = (to - from) / 4.0;
    let is_start = to_start < if place > from { reach.min(inside) } else { reach };
    let is_end = to_end < if place < to { reach.min(inside) } else { reach };
    match (is_start, is_end) {
        (true, true) => Some(Some(if to_start < to_end { Edge::Start } else { Edge::End })),
        (true, false) => Some(Some(Edge::Start)),
        (false, true) => Some(Some(Edge::End)),
        (false, false) => (from <= place && place <= to).then_some(None),
    }
}

/// `window` moved by a share of `range`, not past its ends.
#[expect(clippy::cast_precision_loss, reason = "shares of some years")]
fn dragged(range: Range, window: Range, by: f64, latest: Timestamp) -> Range {
    let len = window.len_ms().max(1) as f64;
    let (least, most) = (range.from.since_ms(window.from) as f64, range.to.since_ms(window.to) as f64);
    panned(window, (by * range.len_ms() as f64).clamp(least.min(0.0), most.max(0.0)) / len, latest)
}

/// The line, over all of the height.
fn means(around: &Around) -> String {
    let (series, range) = (&around.series, around.range);
    let scale = Scale::covering(series.mean.iter().copied(), Fit::ToData);
    let y = |row: usize| series.mean.get(row).copied().filter(|v| v.is_finite()).map_or(f64::NAN, |v| 5.0 + scale.y(v) * 0.9);
    let point = |row: usize| (plot_x(range, series.t[row]), y(row));
    line(&runs(&series.t, series.resolution).into_iter().map(|rows| rows.map(point).collect()).collect::<Vec<Vec<_>>>())
}

/// A handle: for the pointer it is only a sign, the keys move it.
fn handle(chart: Chart, edge: Edge, range: Range) -> AnyView {
    let is_alive = RwSignal::new(false);
    Effect::new(move |_| is_alive.set(true));
    let at = move || {
        let window = chart.window();
        match edge {
            Edge::Start => window.from,
            Edge::End => window.to,
        }
    };
    let label = match edge {
        Edge::Start => "Start of period",
        Edge::End => "End of period",
    };
    let words = move || {
        let civil = at().civil(chart.model.with_untracked(|model| model.utc_offset_s));
        format!("{} {}", civil.date(), civil.hour_minute())
    };
    let now = move || x_percent(range, at()).round().to_string();
    let typed = move |event: ev::KeyboardEvent| {
        let share = match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => -0.01,
            "ArrowRight" | "ArrowUp" => 0.01,
            "PageDown" => -0.1,
            "PageUp" => 0.1,
            "Home" => -1.0,
            "End" => 1.0,
            _ => return,
        };
        event.prevent_default();
        let (window, latest) = untrack(|| (chart.window(), chart.latest()));
        let place = (x_percent(range, untrack(at)) / 100.0 + share).clamp(0.0, 1.0);
        chart.want(resized(window, edge, held(range, place), latest));
    };
    view! {
        <svg x=attr(move || Some(percent(x_percent(range, at())))) y="50%" overflow="visible">
            <g
                class="brush-handle"
                tabindex=attr(move || is_alive.get().then_some("0"))
                role="slider"
                aria-label=label
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=attr(move || Some(now()))
                aria-valuetext=attr(move || Some(words()))
                on:keydown=typed
            >
                <rect class="brush-hit" x="-22" y="-32" width="44" height="64"/>
                <rect x="-5" y="-14" width="10" height="28" rx="4"/>
            </g>
        </svg>
    }
    .erase()
}

/// Whether an overview says more than the chart above it.
#[must_use]
pub fn is_worth_showing(around: &Around, shown: Range) -> bool {
    around.range.len_ms() > shown.len_ms() && around.range.len_ms() < 200 * 365 * DAY_MS && !around.series.t.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::HOUR_MS;

    #[test]
    fn handles_are_taken_at_the_ends_and_the_window_between_them() {
        let at = |place| grip(place, (0.4, 0.6), 0.03);
        assert_eq!(at(0.39), Some(Some(Edge::Start)));
        assert_eq!(at(0.42), Some(Some(Edge::Start)));
        assert_eq!(at(0.5), Some(None));
        assert_eq!(at(0.62), Some(Some(Edge::End)));
        assert_eq!(at(0.8), None);
        // A window as narrow as a handle can still be moved.
        assert_eq!(grip(0.51, (0.5, 0.52), 0.03), Some(None));
    }

    #[test]
    fn a_window_stays_inside_of_the_overview() {
        let hours = |from: i64, to: i64| Range { from: Timestamp::from_ms((100 + from) * HOUR_MS), to: Timestamp::from_ms((100 + to) * HOUR_MS) };
        let latest = Timestamp::from_ms(110 * HOUR_MS);
        assert_eq!(dragged(hours(0, 10), hours(4, 6), 0.2, latest), hours(6, 8));
        assert_eq!(dragged(hours(0, 10), hours(4, 6), 5.0, latest), hours(8, 10));
        assert_eq!(dragged(hours(0, 10), hours(4, 6), -5.0, latest), hours(0, 2));
    }
}
