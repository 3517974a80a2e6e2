//! The drawing of lanes: strips of states and words, and what happened.

use std::sync::Arc;

use leptos::prelude::*;

use crate::components::chart::crosshair::over_lane;
use crate::components::chart::events::{EventKind, EventLane, EventMark};
use crate::components::chart::handle::Chart;
use crate::components::chart::model::ChartModel;
use crate::components::chart::number::percent;
use crate::components::chart::shapes::{columns, horizontal, line, over};
use crate::components::chart::words::{Span, has_room};
use crate::components::glyph;
use crate::erase::{Erase as _, part};

/// Longest word for a state that has room in the margin, in characters.
const MOST_CHARS_BESIDE: usize = 6;

/// Draws the lane of states or words at place `n`. `id` names its title in the document.
pub(super) fn lane_view(chart: Chart, model: &Arc<ChartModel>, n: usize, id: String) -> AnyView {
    let lane = &model.lanes[n];
    // Beside the strip, in the margin; words for which that is too narrow stand above it.
    let end = lane.end.clone().map(|words| {
        let is_long = words.chars().count() > MOST_CHARS_BESIDE;
        let (dx, y, anchor) = if is_long { ("0", "12", "end") } else { ("9", "29", "start") };
        view! { <text class="end-text" x="100%" dx=dx y=y dy=(!is_long).then_some(".34em") text-anchor=anchor>{words}</text> }
    });
    let held = Arc::clone(model);
    let bars = move || {
        let (lane, window) = (&held.lanes[n], chart.window());
        let before = lane.before(window).map(|width| bar("strip-gap", 0.0, width));
        let on = lane.bars(window).into_iter().map(|(x, width)| bar("lane-on", x, width)).collect_view();
        let words = lane.said(window).into_iter().map(|(x, width, span)| word(x, width, span)).collect_view();
        (before, on, words)
    };
    let drawing = view! {
        <svg class=format!("chart-svg c{}", lane.style) data-size="lane" role="img" aria-labelledby=id>
            <title id=id.clone()>{lane.title.clone()}</title>
            {part(move || columns(chart))}
            <text class="axis-text axis-text-lane" x="0" y="12">
                {lane.name.clone()}
            </text>
            {bar("strip-base", 0.0, 100.0)}
            {part(bars)}
            {end}
        </svg>
    };
    let crosshair = over_lane(chart, Some((Arc::clone(model), lane.style - 1)));
    over(drawing.erase(), crosshair)
}

/// Draws the lane of events at place `n`.
pub(super) fn event_view(chart: Chart, model: &Arc<ChartModel>, n: usize, id: String) -> AnyView {
    let lane = &model.events[n];
    let held = Arc::clone(model);
    let marks = move || {
        let lane = &held.events[n];
        lane.marks(chart.window()).into_iter().map(|mark| event(lane, &mark)).collect_view()
    };
    let drawing = view! {
        <svg class="chart-svg" data-size="lane" role="img" aria-labelledby=id>
            <title id=id.clone()>{lane.title.clone()}</title>
            {part(move || columns(chart))}
            {horizontal("grid-line", 100.0)}
            <text class="axis-text axis-text-lane" x="0" y="-2">
                {lane.name}
            </text>
            {part(marks)}
        </svg>
    };
    over(drawing.erase(), over_lane(chart, None))
}

/// A word: its color, its mark, and itself where there is room.
fn word(x: f64, width: f64, span: &Span) -> AnyView {
    let (left, right) = (percent(x), percent(x + width));
    let mark = span.look.mark();
    let mark = (!mark.is_empty()).then(|| line(mark, (&left, &right), ("29", "29")));
    let words = has_room(&span.word, width).then(|| {
        view! { <text class="lane-word wide-only" x=left.clone() dx="6" y="33">{span.word.clone()}</text> }
    });
    view! {
        <g class=format!("c{}", span.look.color())>
            <title>{span.title.clone()}</title>
            {bar("lane-on", x, width)}
            {mark}
            {line("lane-edge", (&left, &left), ("22", "36"))}
            {words}
        </g>
    }
    .erase()
}

/// One event: a bar from its beginning to its end, and a mark where it began.
fn event(lane: &EventLane, mark: &EventMark) -> AnyView {
    let event = &lane.events[mark.event];
    let middle = 11 + 18 * mark.row;
    let bar_class = match event.kind {
        EventKind::Alarm(domain::alarm::Severity::Critical, _) => "lane-bar lane-bar-critical",
        EventKind::Alarm(domain::alarm::Severity::Notice, _) => "lane-bar lane-bar-notice",
        EventKind::Alarm(..) | EventKind::Command(_) => "lane-bar",
    };
    let bar = (mark.width > 0.0)
        .then(|| view! { <rect class=bar_class x=percent(mark.x) width=percent(mark.width) y=(middle - 2).to_string() height="4" rx="2"/> });
    let sign = mark.has_mark.then(|| match event.kind {
        EventKind::Alarm(severity, state) => view! {
            <svg x=percent(mark.x) y=middle.to_string() overflow="visible">
                <svg x="-8" y="-8" width="16" height="16" overflow="visible">
                    {glyph(severity, state, false)}
                </svg>
            </svg>
        }
        .erase(),
        EventKind::Command(came_to_nothing) => {
            let class = if came_to_nothing { "lane-bar" } else { "cursor-flag" };
            view! { <circle class=class cx=percent(mark.x) cy=middle.to_string() r="4.5"/> }.erase()
        }
    });
    view! { <g><title>{event.words.clone()}</title>{bar} {sign}</g> }.erase()
}

fn bar(class: &'static str, x: f64, width: f64) -> AnyView {
    view! { <rect class=class x=percent(x) width=percent(width) y="22" height="14"/> }.erase()
}
