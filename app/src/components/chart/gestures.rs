//! What mouse, fingers and keys do to a chart: the crosshair, and what part is shown.

use domain::history::Range;
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::components::chart::crosshair::Words;
use crate::components::chart::frame::Frame;
use crate::components::chart::handle::Chart;
use crate::components::chart::hit::{Step, nearest};
use crate::components::chart::time_axis::moment_at;
use crate::components::chart::zoom::{held, panned, pinched, selected, zoomed};
use crate::erase::{Erase as _, attr};

/// A page that was scrolled this short a time ago goes on scrolling when the chart comes under the pointer.
const SCROLLING_MS: f64 = 300.0;

/// What the pointers hold.
#[derive(Clone, Default)]
struct Hold {
    /// Fingers on the chart: id and place.
    fingers: Vec<(i32, f64)>,
    /// Two moments under two fingers.
    pinch: Option<(f64, f64)>,
    /// The window and the place where a pan began.
    pan: Option<(Range, f64)>,
    /// The place where a selection began.
    select: Option<f64>,
    /// When the page was scrolled last, by the clock of events.
    scrolled: f64,
    /// Where the pointer came to, and the chart follows in the next frame.
    came: Option<f64>,
    /// What the wheel leads to in the next frame.
    turned: Option<Range>,
}

/// The layer over all panes. A slider, so that a screen reader says what the keys step to.
pub(super) fn layer(chart: Chart, words: Words) -> AnyView {
    let hold = StoredValue::new(Hold::default());
    let frame = Frame::new(move || follow(chart, hold));
    if chart.can_zoom {
        let scroll = window_event_listener(ev::scroll, move |event| hold.update_value(|hold| hold.scrolled = event.time_stamp()));
        on_cleanup(move || scroll.remove());
    }
    let n_stops = move || chart.model.with(|model| model.stops.len());
    let row = move || {
        let at = chart.at.get();
        chart.model.with(|model| at.and_then(|at| nearest(&model.stops, at)).unwrap_or(model.stops.len().saturating_sub(1)))
    };
    let label = if chart.can_zoom { "Point in time; drag to zoom, plus and minus zoom too, Shift and arrows move" } else { "Point in time" };
    view! {
        <div
            class="chart-cursor no-print"
            tabindex="0"
            role="slider"
            aria-label=label
            aria-valuemin="0"
            aria-valuemax=attr(move || Some(n_stops().saturating_sub(1).to_string()))
            aria-valuenow=attr(move || Some(row().to_string()))
            aria-valuetext=attr(move || {
                Some(words.get().map_or_else(|| "none chosen".to_owned(), |(moment, values)| format!("{moment}: {values}")))
            })
            on:pointermove=move |event| moved(chart, hold, frame, &event)
            on:pointerdown=move |event| pressed(chart, hold, frame, &event)
            on:pointerup=move |event| released(chart, hold, frame, &event)
            on:pointercancel=move |_| hold.update_value(|hold| *hold = Hold { scrolled: hold.scrolled, ..Hold::default() })
            on:pointerleave=move |event| {
                // A finger that is lifted leaves the value to be read.
                if event.pointer_type() == "mouse" {
                    hold.update_value(|hold| hold.came = None);
                    chart.at.set(None);
                }
            }
            on:dblclick=move |event| {
                frame.now();
                if let (true, Some(place)) = (chart.can_zoom, chart.place_of(event.client_x())) {
                    chart.want(zoomed(chart.window(), place, 2.0, chart.latest()));
                }
            }
            on:wheel=move |event| turned(chart, hold, frame, &event)
            on:keydown=move |event| {
                frame.now();
                typed(chart, &event);
            }
        ></div>
    }
    .erase()
}

fn moved(chart: Chart, hold: StoredValue<Hold>, frame: Frame, event: &ev::PointerEvent) {
    let Some(place) = chart.place_of(event.client_x()) else { return };
    hold.update_value(|hold| {
        hold.came = Some(place);
        if let Some(finger) = hold.fingers.iter_mut().find(|(id, _)| *id == event.pointer_id()) {
            finger.1 = place;
        }
    });
    frame.ask();
}

/// Follows the pointers and the wheel to where they came since the last frame.
fn follow(chart: Chart, hold: StoredValue<Hold>) {
    let (mut pinch, mut pan, mut select) = (None, None, None);
    let (mut came, mut turned) = (None, None);
    hold.update_value(|hold| {
        (pan, select) = (hold.pan, hold.select);
        (came, turned) = (hold.came.take(), hold.turned.take());
        if let (Some(moments), [(_, one), (_, two)]) = (hold.pinch, &hold.fingers[..]) {
            pinch = Some((moments, (*one, *two)));
        }
    });
    if let Some(range) = turned {
        chart.want(range);
    }
    let Some(place) = came else { return };
    if let Some((moments, places)) = pinch {
        if let Some(range) = pinched(moments, places, chart.latest()) {
            chart.want(range);
        }
        return;
    }
    if let Some((from, start)) = pan {
        chart.want(panned(from, start - place, chart.latest()));
        return;
    }
    if let Some(start) = select {
        chart.selected.set(Some((start, place)));
    }
    let at = chart.stop_near(moment_at(untrack(|| chart.window()), place));
    if at != chart.at.get_untracked() {
        chart.at.set(at);
    }
}

fn pressed(chart: Chart, hold: StoredValue<Hold>, frame: Frame, event: &ev::PointerEvent) {
    frame.now();
    let Some(place) = chart.place_of(event.client_x()) else { return };
    let window = untrack(|| chart.window());
    let is_mouse = event.pointer_type() == "mouse";
    if chart.can_zoom && (!is_mouse || event.button() == 0) {
        if let Some(layer) = event.current_target().and_then(|target| target.dyn_into::<Element>().ok()) {
            // Without it a drag ends where the pointer leaves the chart; that is all.
            _ = layer.set_pointer_capture(event.pointer_id());
        }
        hold.update_value(|hold| {
            if !is_mouse {
                hold.fingers.retain(|(id, _)| *id != event.pointer_id());
                hold.fingers.push((event.pointer_id(), place));
                hold.pinch = match hold.fingers[..] {
                    [(_, one), (_, two)] => Some((held(window, one), held(window, two))),
                    _ => None,
                };
            } else if event.shift_key() {
                hold.pan = Some((window, place));
            } else {
                hold.select = Some(place);
            }
        });
    }
    moved(chart, hold, frame, event);
}

fn released(chart: Chart, hold: StoredValue<Hold>, frame: Frame, event: &ev::PointerEvent) {
    frame.now();
    let select = hold.with_value(|hold| hold.select);
    hold.update_value(|hold| {
        hold.fingers.retain(|(id, _)| *id != event.pointer_id());
        hold.pinch = None;
        hold.pan = None;
        hold.select = None;
    });
    if chart.selected.get_untracked().is_some() {
        chart.selected.set(None);
    }
    if let (Some(start), Some(place)) = (select, chart.place_of(event.client_x()))
        && let Some(range) = selected(untrack(|| chart.window()), (start, place), chart.latest())
    {
        chart.at.set(None);
        chart.want(range);
    }
}

fn turned(chart: Chart, hold: StoredValue<Hold>, frame: Frame, event: &ev::WheelEvent) {
    let is_scrolling = event.time_stamp() - hold.with_value(|hold| hold.scrolled) < SCROLLING_MS && !event.ctrl_key();
    if !chart.can_zoom || is_scrolling {
        return;
    }
    let Some(place) = chart.place_of(event.client_x()) else { return };
    event.prevent_default();
    // Some mice count lines.
    let unit = if event.delta_mode() == 0 { 1.0 } else { 16.0 };
    let (x, y) = (event.delta_x() * unit, event.delta_y() * unit);
    let window = hold.with_value(|hold| hold.turned).unwrap_or_else(|| untrack(|| chart.window()));
    let latest = chart.latest();
    let range = if event.shift_key() || x.abs() > y.abs() {
        let along = if x == 0.0 { y } else { x };
        panned(window, along / 1_000.0, latest)
    } else {
        // A pinch on a trackpad comes as small turns with the control key.
        let turn = if event.ctrl_key() { y * 5.0 } else { y };
        zoomed(window, place, (turn.clamp(-400.0, 400.0) / 500.0).exp(), latest)
    };
    hold.update_value(|hold| hold.turned = Some(range));
    frame.ask();
}

fn typed(chart: Chart, event: &ev::KeyboardEvent) {
    let (window, latest) = untrack(|| (chart.window(), chart.latest()));
    let place = untrack(|| chart.x()).map_or(0.5, |x| x / 100.0);
    let key = event.key();
    let zoom = match key.as_str() {
        "+" | "=" => Some(zoomed(window, place, 0.5, latest)),
        "-" => Some(zoomed(window, place, 2.0, latest)),
        "ArrowLeft" if event.shift_key() => Some(panned(window, -0.2, latest)),
        "ArrowRight" if event.shift_key() => Some(panned(window, 0.2, latest)),
        _ => None,
    };
    if let Some(range) = zoom.filter(|_| chart.can_zoom && !event.ctrl_key()) {
        event.prevent_default();
        chart.want(range);
        return;
    }
    if let Some(step) = Step::of_key(&key) {
        event.prevent_default();
        let at = chart.model.with_untracked(|model| {
            // Among the points in sight only.
            let (first, end) = (model.stops.partition_point(|at| *at < window.from), model.stops.partition_point(|at| *at <= window.to));
            let stops = &model.stops[first..end];
            let row = chart.at.get_untracked().and_then(|at| nearest(stops, at));
            step.from(row, stops.len()).map(|row| stops[row])
        });
        chart.at.set(at);
    }
}
