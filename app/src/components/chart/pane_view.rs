//! The drawing of a pane: grid, gaps, data, limits, ends.

use leptos::prelude::*;

use crate::components::chart::crosshair::Crosshair;
use crate::components::chart::model::{ChartModel, ChartSize};
use crate::components::chart::number::percent;
use crate::components::chart::panes::Pane;
use crate::components::chart::shapes::{dot, horizontal, series_class, text, vertical};
use crate::erase::Erase as _;

/// Draws a pane. `id` names its title in the document.
pub(super) fn pane_view(model: &ChartModel, pane: &Pane, size: ChartSize, id: String, crosshair: Crosshair) -> AnyView {
    let columns = model.ticks.iter().map(|tick| vertical(if tick.is_major { "grid-line-day" } else { "grid-line" }, tick.x)).collect_view();
    let rows = pane.y_ticks.iter().enumerate().map(|(n, (y, _))| horizontal(if n == 0 { "axis-line" } else { "grid-line" }, *y)).collect_view();
    let labels = pane.y_ticks.iter().map(|(y, label)| text("axis-text", (0.0, "-8"), (*y, ".32em"), "end", label.clone())).collect_view();
    let caption = pane.has_caption.then(|| text("axis-text", (0.0, "0"), (0.0, "-.5em"), "start", pane.unit.clone()));
    let moving = {
        let pane = pane.clone();
        move || crosshair.over_pane(&pane)
    };
    view! {
        <svg class="chart-svg" data-size=(size == ChartSize::Small).then_some("s") role="img" aria-labelledby=id>
            <title id=id.clone()>{pane.title.clone()}</title>
            <g>{columns} {rows}</g>
            <g>{labels} {caption}</g>
            {gaps(pane, size)}
            {plot(pane)}
            {limits(pane)}
            {ends(pane)}
            {moving}
        </svg>
    }
    .erase()
}

fn gaps(pane: &Pane, size: ChartSize) -> AnyView {
    let label = |middle: f64, words: &Option<String>| {
        // A small chart has no room for the words; the title says them.
        words.clone().filter(|_| size == ChartSize::Full).map(|words| text("gap-text wide-only", (middle, "0"), (50.0, "0"), "middle", words))
    };
    pane.gaps
        .iter()
        .map(|gap| {
            view! {
                <g>
                    <rect class="gap-rect" x=percent(gap.x) width=percent(gap.width) y="0" height="100%"/>
                    {label(gap.x + gap.width / 2.0, &gap.label)}
                </g>
            }
        })
        .collect_view()
        .erase()
}

fn plot(pane: &Pane) -> AnyView {
    let bands = pane.lines.iter().filter_map(|line| line.band.clone().map(|d| view! { <path class=format!("band c{}", line.style) d=d/> }));
    // The first series is drawn last, over the others.
    let lines = pane.lines.iter().rev().map(|line| view! { <path class=series_class(line.style) d=line.d.clone()/> });
    view! {
        <svg class="plot" viewBox="0 0 1000 100" preserveAspectRatio="none" width="100%" height="100%">
            {bands.collect_view()}
            {lines.collect_view()}
        </svg>
    }
    .erase()
}

fn limits(pane: &Pane) -> AnyView {
    let marks = pane.limits.iter().map(|limit| {
        let (line, words) = if limit.is_critical { ("limit-line limit-critical", "limit-text limit-critical") } else { ("limit-line", "limit-text") };
        let dy = if limit.is_label_below { "1.15em" } else { "-.45em" };
        view! { <g>{horizontal(line, limit.y)} {text(words, (limit.label_x, "8"), (limit.y, dy), "start", limit.label.clone())}</g> }
    });
    marks.collect_view().erase()
}

fn ends(pane: &Pane) -> AnyView {
    let ends = pane.lines.iter().filter_map(|line| {
        let end = line.end.as_ref()?;
        // The words stand in the margin even where the line ended earlier.
        Some(view! { <g>{dot(line.style, end.x, end.y, "4")} {text("end-text", (100.0, "9"), (end.text_y, ".34em"), "start", end.text.clone())}</g> })
    });
    ends.collect_view().erase()
}
