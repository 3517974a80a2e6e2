//! The drawing of a pane: grid, gaps, data, limits, ends.

use std::sync::Arc;

use domain::history::Range;
use leptos::prelude::*;

use crate::components::chart::crosshair::{over_pane, stretches};
use crate::components::chart::handle::Chart;
use crate::components::chart::model::{ChartModel, ChartSize};
use crate::components::chart::number::percent;
use crate::components::chart::panes::{Pane, gap_marks, plot_x, view_box};
use crate::components::chart::path::{line, pieces};
use crate::components::chart::shapes::{columns, dot, horizontal, over, series_class, text};
use crate::components::chart::time_axis::x_percent;
use crate::erase::{Erase as _, attr, part};

/// Draws the pane at place `n`. `id` names its title in the document.
pub(super) fn pane_view(chart: Chart, model: &Arc<ChartModel>, n: usize, id: String) -> AnyView {
    let pane = &model.panes[n];
    let rows = pane.y_ticks.iter().enumerate().map(|(n, (y, _))| horizontal(if n == 0 { "axis-line" } else { "grid-line" }, *y)).collect_view();
    let labels = pane.y_ticks.iter().map(|(y, label)| text("axis-text", (0.0, "-8"), (*y, ".32em"), "end", label.clone())).collect_view();
    let caption = pane.has_caption.then(|| text("axis-text", (0.0, "0"), (0.0, "-.5em"), "start", pane.unit.clone()));
    let (of_gaps, of_ends) = (Arc::clone(model), Arc::clone(model));
    let drawing = view! {
        <svg class="chart-svg" data-size=(model.size == ChartSize::Small).then_some("s") role="img" aria-labelledby=id>
            <title id=id.clone()>{pane.title.clone()}</title>
            <g>{part(move || columns(chart))} {rows}</g>
            <g>{labels} {caption}</g>
            {part(move || gaps(&of_gaps.panes[n], chart.window(), of_gaps.size))}
        </svg>
    };
    // The lines stand between two drawings: what changes with each value or movement stands apart from thousands of points.
    let above = view! {
        <div class="plots">{plot(chart, model, pane)}</div>
        <svg class="chart-above" aria-hidden="true">
            {limits(pane)}
            {part(move || ends(chart, &of_ends, &of_ends.panes[n]))}
            {part(move || selection(chart))}
        </svg>
    };
    over((drawing, above).erase(), over_pane(chart, model, n))
}

fn gaps(pane: &Pane, window: Range, size: ChartSize) -> AnyView {
    let label = |middle: f64, words: &Option<String>| {
        // A small chart has no room for the words; the title says them.
        words.clone().filter(|_| size == ChartSize::Full).map(|words| text("gap-text wide-only", (middle, "0"), (50.0, "0"), "middle", words))
    };
    let marks = gap_marks(&pane.gaps, window).into_iter().map(|gap| {
        view! {
            <g>
                <rect class="gap-rect" x=percent(gap.x) width=percent(gap.width) y="0" height="100%"/>
                // In full, also at the edges.
                {label((gap.x + gap.width / 2.0).clamp(6.0, 94.0), &gap.label)}
            </g>
        }
    });
    marks.collect_view().erase()
}

fn plot(chart: Chart, model: &Arc<ChartModel>, pane: &Pane) -> AnyView {
    let range = model.range;
    let bands = pane.lines.iter().filter_map(|line| line.band.clone().map(|d| view! { <path class=format!("band c{}", line.style) d=d/> }));
    let previous = pane.lines.iter().rev().filter_map(|line| {
        let class = format!("series-prev c{}", pane.previous_style(line));
        line.previous.clone().map(|d| view! { <path class=class d=d/> })
    });
    // The first series is drawn last, over the others.
    let bars = pane.lines.iter().filter_map(|line| line.bars.clone().map(|d| view! { <path class=format!("bars c{}", line.style) d=d/> }));
    let lines = pane.lines.iter().rev().flat_map(|line| pieces(&line.d).into_iter().map(|d| view! { <path class=series_class(line.style) d=d/> }));
    let lines = plotted(chart, range, (bands.collect_view(), bars.collect_view(), previous.collect_view(), lines.collect_view()).erase());
    let tails = pane.lines.iter().rev().map(|line| {
        let (style, scale, model) = (line.style, pane.scale, Arc::clone(model));
        let d = move || Some(tail_path(chart, &model, style - 1, |v| scale.y(v)));
        view! { <path class=series_class(style) d=attr(d)/> }
    });
    (lines, chart.can_zoom.then(|| plotted(chart, range, tails.collect_view().erase()))).erase()
}

/// A layer of the data, stretched to what is shown. What came since the page was made has one of its own: a new value paints the end of a line, not
/// thousands of points.
fn plotted(chart: Chart, range: Range, content: AnyView) -> AnyView {
    let node = NodeRef::new();
    stretches(node, chart);
    view! {
        <svg class="plot" viewBox=attr(move || Some(view_box(range, chart.drawn()))) preserveAspectRatio="none" aria-hidden="true" node_ref=node>
            {content}
        </svg>
    }
    .erase()
}

/// The path from the end of a drawn line through what came since; empty when nothing came.
fn tail_path(chart: Chart, model: &ChartModel, n: usize, y: impl Fn(f64) -> f64) -> String {
    chart.tails.with(|tails| {
        let Some(tail) = tails.get(n).filter(|tail| !tail.is_empty()) else { return String::new() };
        let series = &model.charted[n].series;
        let drawn = series.t.last().copied().zip(series.mean.last().copied());
        let points = drawn.into_iter().chain(tail.iter().copied()).map(|(at, value)| (plot_x(model.range, at), y(value)));
        line(&[points.collect()])
    })
}

fn limits(pane: &Pane) -> AnyView {
    let marks = pane.limits.iter().map(|limit| {
        let (line, words) = if limit.is_critical { ("limit-line limit-critical", "limit-text limit-critical") } else { ("limit-line", "limit-text") };
        let dy = if limit.is_label_below { "1.15em" } else { "-.45em" };
        view! { <g>{horizontal(line, limit.y)} {text(words, (limit.label_x, "8"), (limit.y, dy), "start", limit.label.clone())}</g> }
    });
    marks.collect_view().erase()
}

/// The last values, where they are in sight.
fn ends(chart: Chart, model: &ChartModel, pane: &Pane) -> AnyView {
    let window = chart.window();
    let ends = pane.lines.iter().filter_map(|line| {
        let end = line.end.as_ref()?;
        let tail = chart.tails.with(|tails| tails.get(line.style - 1)?.last().copied());
        let (at, y, words) = match tail {
            Some((at, value)) => (at, pane.scale.y(value), model.charted[line.style - 1].bare_words(value)),
            None => (end.at, end.y, end.text.clone()),
        };
        // The words stand in the margin even where the line ended earlier, and move with their dot.
        let text_y = (end.text_y + y - end.y).clamp(0.0, 100.0);
        // A value is shown at once; the window follows when it is half a pixel behind.
        let is_in_sight = window.from <= at && at.since_ms(window.to) <= window.len_ms() / 500;
        let words = is_in_sight.then(|| text("end-text", (100.0, "9"), (text_y, ".34em"), "start", words));
        is_in_sight.then(|| view! { <g>{dot(line.style, x_percent(window, at), y, "4")} {words}</g> })
    });
    ends.collect_view().erase()
}

fn selection(chart: Chart) -> Option<AnyView> {
    let (one, two) = chart.selected.get()?;
    let (left, right) = (one.min(two).clamp(0.0, 1.0) * 100.0, one.max(two).clamp(0.0, 1.0) * 100.0);
    Some(view! { <rect class="chart-selection" x=percent(left) width=percent(right - left) height="100%"/> }.erase())
}
