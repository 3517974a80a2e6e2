//! The drawing of a lane: a strip of states.

use leptos::prelude::*;

use crate::components::chart::crosshair::Crosshair;
use crate::components::chart::lanes::Lane;
use crate::components::chart::model::ChartModel;
use crate::components::chart::number::percent;
use crate::components::chart::shapes::vertical;
use crate::erase::Erase as _;

/// Draws a lane. `id` names its title in the document.
pub(super) fn lane_view(model: &ChartModel, lane: &Lane, id: String, crosshair: Crosshair) -> AnyView {
    let columns = model.ticks.iter().map(|tick| vertical(if tick.is_major { "grid-line-day" } else { "grid-line" }, tick.x)).collect_view();
    let before = lane.before.map(|width| bar("strip-gap", 0.0, width));
    let on = lane.on.iter().map(|(x, width)| bar("lane-on", *x, *width)).collect_view();
    let end = lane.end.clone().map(|words| view! { <text class="end-text" x="100%" dx="9" y="29" dy=".34em">{words}</text> });
    view! {
        <svg class=format!("chart-svg c{}", lane.style) data-size="lane" role="img" aria-labelledby=id>
            <title id=id.clone()>{lane.title.clone()}</title>
            {columns}
            <text class="axis-text axis-text-lane" x="0" y="12">{lane.name.clone()}</text>
            {bar("strip-base", 0.0, 100.0)}
            {before}
            {on}
            {end}
            {move || crosshair.x().map(|x| view! { <g class="cursor">{vertical("cursor-line", x)}</g> })}
        </svg>
    }
    .erase()
}

fn bar(class: &'static str, x: f64, width: f64) -> AnyView {
    view! { <rect class=class x=percent(x) width=percent(width) y="22" height="14"/> }.erase()
}
