//! A chart over time: panes, lanes, and one time axis under them.

use std::sync::Arc;

use leptos::prelude::*;

use crate::components::chart::crosshair::Crosshair;
use crate::components::chart::lane_view::lane_view;
use crate::components::chart::model::{ChartModel, ChartSize};
use crate::components::chart::number::percent;
use crate::components::chart::pane_view::pane_view;
use crate::components::chart::time_axis::TimeTick;
use crate::erase::Erase as _;

/// A chart over time.
#[component]
pub fn TimeChart(
    /// What to draw.
    model: ChartModel,
    /// How large.
    size: ChartSize,
    /// Begins the ids of its titles; each chart of a page has its own.
    id: &'static str,
) -> AnyView {
    let model = Arc::new(model);
    let crosshair = Crosshair::new(model.clone());
    // Without script there is nothing to step through: the layer appears when the page has come to life.
    let is_alive = RwSignal::new(false);
    Effect::new(move |_| is_alive.set(true));

    let panes = model.panes.iter().enumerate().map(|(n, pane)| pane_view(&model, pane, size, format!("{id}-pane-{n}"), crosshair));
    let lanes = model.lanes.iter().enumerate().map(|(n, lane)| lane_view(&model, lane, format!("{id}-lane-{n}"), crosshair));
    let mut drawings: Vec<AnyView> = panes.chain(lanes).collect();
    let last = drawings.pop();
    let axis = axis(&model.ticks, crosshair);
    let n_before = drawings.len();
    let class = |n: usize| if n == 0 { "chart-pane chart-pane-first" } else { "chart-pane" };
    view! {
        <div class="chart">
            {drawings.into_iter().enumerate().map(|(n, drawing)| view! { <div class=class(n)>{drawing}</div> }).collect_view()}
            <div class=class(n_before)>{last} {axis}</div>
            {move || is_alive.get().then(|| crosshair.layer())}
            {move || crosshair.words().map(|(moment, values)| view! { <p class="readout only-phone"><b>{moment}</b>" "{values}</p> })}
        </div>
    }
    .erase()
}

fn axis(ticks: &[TimeTick], crosshair: Crosshair) -> AnyView {
    let labels = ticks.iter().map(|tick| {
        let class = match (tick.is_major, tick.is_wide_only) {
            (true, _) => "axis-text axis-text-day",
            (false, true) => "axis-text wide-only",
            (false, false) => "axis-text",
        };
        let x = tick.x;
        // The flag of the crosshair takes the place of the labels under it.
        let is_covered = move || crosshair.x().is_some_and(|at| (at - x).abs() < 6.0).then_some("");
        view! { <text class=class data-covered=is_covered x=percent(x) y="1.1rem" text-anchor="middle">{tick.label.clone()}</text> }
    });
    view! {
        <svg class="chart-svg" data-size="axis" aria-hidden="true" node_ref=crosshair.width_of>
            {labels.collect_view()}
            {move || flag(crosshair)}
        </svg>
    }
    .erase()
}

fn flag(crosshair: Crosshair) -> Option<AnyView> {
    let (x, (moment, _)) = crosshair.x().zip(crosshair.words())?;
    // A digit of the axis is 7 px wide.
    let width = 13 + 7 * moment.chars().count();
    let view = view! {
        <svg class="cursor" x=percent(x) y="3" overflow="visible">
            <rect class="cursor-flag" x=format!("-{}", width / 2) width=width.to_string() height="20" rx="4"/>
            <text class="cursor-flag-text" y="14" text-anchor="middle">{moment}</text>
        </svg>
    };
    Some(view.erase())
}
