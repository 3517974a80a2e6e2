//! The strip of a tile: when something was on in the last hour.

use domain::time::{HOUR_MS, Timestamp};
use leptos::prelude::*;

use crate::erase::{Erase as _, attr, memo, part};
use crate::live::{Entry, Live};
use crate::tile::trend::spans;

/// When something was on in the last hour; hatched while its device is gone.
#[component]
pub fn Strip(
    /// Whose.
    entry: Entry,
) -> AnyView {
    let live = Live::expect();
    let view = entry.view.clone();
    let past = entry.past;
    let shape = memo(move || past.with(|past| past.as_ref().map(|past| spans(past, live.minute.get())).unwrap_or_default()));
    let (named, gone) = (view.clone(), memo(move || view.with(|view| view.offline_since)));
    view! {
        <svg class="strip" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label=attr(move || Some(named.with(|view| [&view.name, ", last hour"].concat())))>
            <rect class="strip-base" width="100" height="8"/>
            {part(move || shape.get().into_iter().map(|(x, width)| view! { <rect class="strip-on" x=x width=width height="8"/> }).collect_view())}
            {part(move || gone.get().map(|since| {
                let x = percent(since, live.minute.get());
                view! { <rect class="strip-gap" x=x.to_string() width=(100 - x).to_string() height="8"/> }
            }))}
        </svg>
    }
    .erase()
}

/// Where a moment lies in the hour before `now`, 0 to 100.
fn percent(t: Timestamp, now: Timestamp) -> i64 {
    (HOUR_MS - now.since_ms(t)).clamp(0, HOUR_MS) * 100 / HOUR_MS
}
