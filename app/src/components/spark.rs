//! The line of a tile: the last hour of a number.

use domain::live::EntityView;
use leptos::prelude::*;

use crate::erase::{Erase as _, attr, memo, part};
use crate::live::{Entry, Live};
use crate::tile::trend::spark;
use crate::tile::words::{decimals, range_words};

/// The last hour of a number, with the limits near it. Grows with each new value.
#[component]
pub fn Spark(
    /// Whose.
    entry: Entry,
) -> AnyView {
    let live = Live::expect();
    let (view, past, limits) = (entry.view.clone(), entry.past.clone(), entry.limits.clone());
    let shape =
        memo(move || past.with(|past| limits.with(|limits| past.as_ref().map(|past| spark(past, limits, live.minute.get())))).unwrap_or_default());
    let past = entry.past;
    let label = attr(move || {
        let range = past.with(|past| past.as_ref().and_then(|past| past.extremes(live.minute.get())));
        Some(view.with(|view| hour_words(view, range)))
    });
    let limits = part(move || {
        shape
            .with(|shape| shape.limits.clone())
            .into_iter()
            .map(|(severity, path)| view! { <path class="spark-limit" data-priority=severity.as_str() d=path/> })
            .collect_view()
    });
    view! {
        <svg class="spark" viewBox="0 0 120 32" preserveAspectRatio="none" role="img" aria-label=label>
            {limits}
            <path class="spark-line" d=attr(move || Some(shape.with(|shape| shape.line.clone())))/>
            {part(move || shape.with(|shape| shape.gap.clone()).map(|gap| view! { <path class="spark-gap" d=gap/> }))}
            <path class="spark-end" d=attr(move || Some(shape.with(|shape| shape.end.clone())))/>
        </svg>
    }
    .erase()
}

/// `Temperature, last hour: 20.8 to 21.4 °C`.
fn hour_words(view: &EntityView, range: Option<(f64, f64)>) -> String {
    let Some(range) = range else { return [&view.name, ", last hour: no readings"].concat() };
    let words = range_words(range, decimals(view)).replace(" – ", " to ");
    [&view.name, ", last hour: ", &words, " ", view.unit.as_deref().unwrap_or_default()].concat().trim_end().to_owned()
}
