//! The line under the pointer: where it stands, and what it shows in each pane.

use std::sync::Arc;

use domain::time::Timestamp;
use leptos::prelude::*;
use leptos::{ev, svg};

use crate::components::chart::hit::{Step, nearest};
use crate::components::chart::model::ChartModel;
use crate::components::chart::number::percent;
use crate::components::chart::panes::Pane;
use crate::components::chart::shapes::{dot, vertical};
use crate::components::chart::time_axis::{moment_at, x_percent};
use crate::erase::Erase as _;

/// Longest name in the box, in characters: it does not wrap.
const MOST_NAME_CHARS: usize = 24;

/// Where the crosshair of a chart stands.
#[derive(Clone, Copy)]
pub(super) struct Crosshair {
    model: StoredValue<Arc<ChartModel>>,
    stops: StoredValue<Vec<Timestamp>>,
    row: RwSignal<Option<usize>>,
    /// The part of the page that is as wide as the panes' drawings.
    pub(super) width_of: NodeRef<svg::Svg>,
}

impl Crosshair {
    pub(super) fn new(model: Arc<ChartModel>) -> Self {
        Self { stops: StoredValue::new(model.stops()), model: StoredValue::new(model), row: RwSignal::new(None), width_of: NodeRef::new() }
    }

    /// The moment it stands at; `None` when there is none. Tracked.
    pub(super) fn moment(self) -> Option<Timestamp> {
        self.row.get().and_then(|row| self.stops.with_value(|stops| stops.get(row).copied()))
    }

    /// Its place in per cent from the left. Tracked.
    pub(super) fn x(self) -> Option<f64> {
        self.moment().map(|at| self.model.with_value(|model| x_percent(model.range, at)))
    }

    /// The moment and the values there, in words: `11:20`, `Air temperature 28.1 °C`. Tracked.
    pub(super) fn words(self) -> Option<(String, String)> {
        self.moment().map(|at| self.model.with_value(|model| (model.moment_words(at), model.readout(at))))
    }

    /// Line, dots and box over a pane. Tracked.
    pub(super) fn over_pane(self, pane: &Pane) -> Option<AnyView> {
        let at = self.moment()?;
        let x = self.x()?;
        let points: Vec<CursorPoint> = self.model.with_value(|model| {
            let point = |style: usize| {
                let one = &model.charted[style - 1];
                let value = one.value_at(at);
                CursorPoint { style, name: one.entity.name.clone(), y: value.map(|v| pane.scale.y(v)), words: value.map(|v| one.words(v)) }
            };
            pane.lines.iter().map(|line| point(line.style)).collect()
        });
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

    /// The cursor's layer over all panes: a slider, so that a screen reader says what the keys step to.
    pub(super) fn layer(self) -> AnyView {
        let n_stops = self.stops.with_value(Vec::len);
        let move_to = move |ev: &ev::PointerEvent| {
            let Some(drawing) = self.width_of.get_untracked() else { return };
            let rect = drawing.get_bounding_client_rect();
            let place = (f64::from(ev.client_x()) - rect.left()) / rect.width();
            let at = self.model.with_value(|model| moment_at(model.range, place));
            let row = self.stops.with_value(|stops| nearest(stops, at));
            if row != self.row.get_untracked() {
                self.row.set(row);
            }
        };
        let step = move |ev: ev::KeyboardEvent| {
            if let Some(step) = Step::of_key(&ev.key()) {
                ev.prevent_default();
                self.row.set(step.from(self.row.get_untracked(), n_stops));
            }
        };
        view! {
            <div
                class="chart-cursor no-print"
                tabindex="0"
                role="slider"
                aria-label="Point in time"
                aria-valuemin="0"
                aria-valuemax=n_stops.saturating_sub(1).to_string()
                aria-valuenow=move || self.row.get().unwrap_or(n_stops.saturating_sub(1)).to_string()
                aria-valuetext=move || self.words().map_or_else(|| "none chosen".to_owned(), |(moment, values)| format!("{moment}: {values}"))
                on:pointermove=move |ev| move_to(&ev)
                on:pointerdown=move |ev| move_to(&ev)
                on:pointerleave=move |ev| {
                    // A finger that is lifted leaves the value to be read.
                    if ev.pointer_type() == "mouse" {
                        self.row.set(None);
                    }
                }
                on:keydown=step
            ></div>
        }
        .erase()
    }
}

/// A series at the crosshair.
struct CursorPoint {
    style: usize,
    name: String,
    /// `None` in a gap, as the words.
    y: Option<f64>,
    words: Option<String>,
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
