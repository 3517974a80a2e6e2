//! The points as a table: the text form of the chart.

use domain::history::Range;
use domain::time::Timestamp;
use leptos::prelude::*;

use crate::components::chart::hit::stops;
use crate::components::chart::model::Charted;
use crate::components::chart::time_axis::point_time;
use crate::components::icon;
use crate::erase::Erase as _;
use crate::pages::history::excluding::Excluding;

/// Most rows: the newest. A page is no export.
const MOST_ROWS: usize = 100;

/// The newest points of all series, closed until asked for.
pub(super) fn readings(charted: &[Charted], range: Range, utc_offset_s: i32, excluding: &Excluding<'_>) -> AnyView {
    let times = stops(charted.iter().map(|one| &one.series.t[..]));
    if times.is_empty() {
        return excluding.list().erase();
    }
    let newest = &times[times.len().saturating_sub(MOST_ROWS)..];
    let note = if newest.len() < times.len() {
        format!("The newest {} of {} points", newest.len(), times.len())
    } else {
        format!("All {} points", times.len())
    };
    let heads = charted.iter().map(|one| view! { <th scope="col" class="num">{one.entity.name.clone()}</th> }).collect_view();
    let rows = newest.iter().rev().map(|&at| row(charted, at, range, utc_offset_s, excluding)).collect_view();
    view! {
        {excluding.question(charted)}
        {excluding.list()}
        <details class="readings no-print" open=excluding.is_asked(charted)>
            <summary class="card-foot">{icon("table", "")} "Show readings"</summary>
            // Wider than a phone: what scrolls must be reached by keys.
            <div class="table-wrap" tabindex="0" role="region" aria-label="Readings">
                <table class="table">
                    <caption class="hint">{note}</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Time"</th>
                            {heads}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </details>
    }
    .erase()
}

fn row(charted: &[Charted], at: Timestamp, range: Range, utc_offset_s: i32, excluding: &Excluding<'_>) -> AnyView {
    let cells = charted.iter().map(|one| {
        // The point of this very moment: what a series has at others is in their rows.
        let value = one.series.t.binary_search(&at).ok().and_then(|row| match (one.is_meter(), one.is_lane()) {
            (true, _) => one.series.increase.get(row),
            (_, true) => one.series.last.get(row),
            _ => one.series.mean.get(row),
        });
        let exclude = value.and_then(|_| excluding.action(one, at));
        view! { <td class="num">{value.map_or_else(|| "–".to_owned(), |&v| one.words(v))} {exclude}</td> }
    });
    view! {
        <tr>
            <th scope="row">
                <time datetime=at.rfc3339()>{point_time(at, range, utc_offset_s)}</time>
            </th>
            {cells.collect_view()}
        </tr>
    }
    .erase()
}
