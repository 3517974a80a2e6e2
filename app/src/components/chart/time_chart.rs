//! A chart over time: panes, lanes, and one time axis under them.

use std::sync::Arc;

use leptos::prelude::*;

use crate::components::chart::crosshair::{Words, over_axis, words};
use crate::components::chart::gestures::layer;
use crate::components::chart::handle::Chart;
use crate::components::chart::lane_view::{event_view, lane_view};
use crate::components::chart::model::ChartModel;
use crate::components::chart::number::percent;
use crate::components::chart::pane_view::pane_view;
use crate::components::chart::shapes::over;
use crate::components::chart::time_axis::TimeTick;
use crate::erase::{Erase as _, attr, memo, part};

/// A chart over time.
#[component]
pub fn TimeChart(
    /// What to draw.
    chart: Chart,
    /// Begins the ids of its titles; each chart of a page has its own.
    id: &'static str,
    /// Under the chart.
    #[prop(optional)]
    under: Option<AnyView>,
) -> AnyView {
    // Without script there is nothing to step through: the layer appears when the page has come to life.
    let is_alive = RwSignal::new(false);
    Effect::new(move |_| is_alive.set(true));
    let words = memo(move || words(chart));
    let readout = move || {
        let (moment, values) = words.get()?;
        Some(view! { <p class="readout only-phone"><b>{moment}</b>" "{values}</p> })
    };
    view! {
        <div class="chart">
            // Above the axis only: what stands under the chart has pointers of its own.
            <div class="chart-area" data-moving=attr(move || chart.wanted().map(|_| ""))>
                {part(move || drawings(chart, words, id))} {part(move || is_alive.get().then(|| untrack(|| layer(chart, words))))}
            </div>
            {part(readout)}
            {under}
        </div>
    }
    .erase()
}

/// All panes and lanes, the last one with the axis.
fn drawings(chart: Chart, words: Words, id: &str) -> AnyView {
    let model: Arc<ChartModel> = chart.model.get();
    let panes = (0..model.panes.len()).map(|n| pane_view(chart, &model, n, format!("{id}-pane-{n}")));
    let lanes = (0..model.lanes.len()).map(|n| lane_view(chart, &model, n, format!("{id}-lane-{n}")));
    let events = (0..model.events.len()).map(|n| event_view(chart, &model, n, format!("{id}-events-{n}")));
    let mut all: Vec<AnyView> = panes.chain(lanes).chain(events).collect();
    let last = all.pop();
    let n_before = all.len();
    let class = |n: usize| if n == 0 { "chart-pane chart-pane-first" } else { "chart-pane" };
    view! {
        {all.into_iter().enumerate().map(|(n, drawing)| view! { <div class=class(n)>{drawing}</div> }).collect_view()}
        <div class=class(n_before)>{last} {axis(chart, words)}</div>
    }
    .erase()
}

fn axis(chart: Chart, words: Words) -> AnyView {
    let label = move |tick: TimeTick| {
        let class = match (tick.is_major, tick.is_wide_only) {
            (true, _) => "axis-text axis-text-day",
            (false, true) => "axis-text wide-only",
            (false, false) => "axis-text",
        };
        let x = tick.x;
        // The flag of the crosshair takes the place of the labels under it.
        let is_covered = attr(move || chart.x().is_some_and(|at| (at - x).abs() < 6.0).then_some(""));
        view! { <text class=class data-covered=is_covered x=percent(x) y="1.1rem" text-anchor="middle">{tick.label}</text> }
    };
    let drawing = view! {
        <svg class="chart-svg" data-size="axis" aria-hidden="true" node_ref=chart.drawing>
            {part(move || chart.ticks().into_iter().map(label).collect_view())}
        </svg>
    };
    over(drawing.erase(), over_axis(chart, words))
}
