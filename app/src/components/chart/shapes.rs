//! Parts of drawings. Each is one function, so that its code is in the browser once.

use leptos::prelude::*;

use crate::components::chart::handle::Chart;
use crate::components::chart::number::percent;
use crate::components::chart::words::Look;
use crate::erase::Erase as _;

/// A line between two places, given as SVG attributes.
pub(super) fn line(class: &'static str, x: (&str, &str), y: (&str, &str)) -> AnyView {
    view! { <line class=class x1=x.0.to_owned() x2=x.1.to_owned() y1=y.0.to_owned() y2=y.1.to_owned()/> }.erase()
}

/// A line from top to bottom.
pub(super) fn vertical(class: &'static str, x: f64) -> AnyView {
    let x = percent(x);
    line(class, (&x, &x), ("0", "100%"))
}

/// A line from left to right.
pub(super) fn horizontal(class: &'static str, y: f64) -> AnyView {
    let y = percent(y);
    line(class, ("0", "100%"), (&y, &y))
}

/// The vertical lines of a chart's grid. Tracked.
pub(super) fn columns(chart: Chart) -> AnyView {
    let lines = chart.ticks().into_iter().map(|tick| vertical(if tick.is_major { "grid-line-day" } else { "grid-line" }, tick.x));
    lines.collect_view().erase()
}

/// A word at a place in per cent, moved by `dx` and `dy`.
pub(super) fn text(class: &'static str, (x, dx): (f64, &'static str), (y, dy): (f64, &'static str), anchor: &'static str, words: String) -> AnyView {
    view! { <text class=class x=percent(x) dx=dx y=percent(y) dy=dy text-anchor=anchor>{words}</text> }.erase()
}

/// A dot in the color of a series.
pub(super) fn dot(style: usize, x: f64, y: f64, r: &'static str) -> AnyView {
    view! { <circle class=format!("end-dot c{style}") cx=percent(x) cy=percent(y) r=r/> }.erase()
}

/// A drawing, and what moves over it.
pub(super) fn over(drawing: AnyView, moving: AnyView) -> AnyView {
    view! { <div class="drawing">{drawing} {moving}</div> }.erase()
}

/// The class of a series' line: color and dashes.
pub(super) fn series_class(style: usize) -> String {
    if (2..=4).contains(&style) { format!("series series-{style} c{style}") } else { format!("series c{style}") }
}

/// The sample of a word beside it.
#[must_use]
pub fn word_swatch(look: Look) -> AnyView {
    let mark = look.mark();
    let mark = (!mark.is_empty()).then(|| line(mark, ("0", "24"), ("6", "6")));
    view! {
        <svg class=format!("swatch c{}", look.color()) viewBox="0 0 24 12" aria-hidden="true">
            <rect class="lane-on" width="24" height="12"/>
            {mark}
        </svg>
    }
    .erase()
}

/// The sample of a series' line beside its name.
#[component]
pub fn Swatch(
    /// 1 to 6: the place among the series.
    style: usize,
    /// With the area of smallest to largest.
    #[prop(optional)]
    has_band: bool,
) -> AnyView {
    let dashes = (2..=4).contains(&style).then(|| format!("series-{style}"));
    view! {
        <svg class=format!("swatch c{style}") viewBox="0 0 24 12" aria-hidden="true">
            {has_band.then(|| view! { <path class="band" d="M0 1.5h24v9H0z"/> })}
            <path class=dashes d="M0 6h24"/>
        </svg>
    }
    .erase()
}
