//! The figures under the chart.

use domain::history::Range;
use domain::time::{Timestamp, duration_words};
use leptos::prelude::*;

use crate::components::chart::Swatch;
use crate::components::chart::model::Charted;
use crate::components::chart::number::number;
use crate::components::chart::states::on_and_known_ms;
use crate::components::chart::stats::stats;
use crate::components::chart::time_axis::point_time;
use crate::erase::Erase as _;

/// One row of figures as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    name: String,
    /// Value and its time.
    min: (String, Option<(Timestamp, String)>),
    mean: (String, Option<String>),
    max: (String, Option<(Timestamp, String)>),
    last: String,
    coverage: String,
}

/// The table of figures.
pub(super) fn statistics(charted: &[Charted], range: Range, utc_offset_s: i32) -> AnyView {
    let rows = charted.iter().enumerate().map(|(n, one)| {
        let row = row(one, range, utc_offset_s);
        view! {
            <tr>
                <th scope="row">
                    <span class="row">
                        <Swatch style=n + 1/>
                        <span>{row.name}</span>
                    </span>
                </th>
                {extreme("Min", row.min)}
                <td class="num" data-label="Mean">
                    {row.mean.0} {row.mean.1.map(|note| view! { <small>{note}</small> })}
                </td>
                {extreme("Max", row.max)}
                <td class="num" data-label="Last">
                    <b>{row.last}</b>
                </td>
                <td class="num" data-label="Coverage">
                    {row.coverage}
                </td>
            </tr>
        }
    });
    view! {
        <div class="table-wrap">
            <table class="table table-cards">
                <caption class="visually-hidden">"Statistics for the selected period"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Series"</th>
                        {["Min", "Mean", "Max", "Last", "Coverage"].map(|head| view! { <th scope="col" class="num">{head}</th> }).into_iter().collect_view()}
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .erase()
}

fn extreme(label: &'static str, (value, at): (String, Option<(Timestamp, String)>)) -> AnyView {
    let time = at.map(|(at, words)| view! { <small><time datetime=at.rfc3339()>{words}</time></small> });
    view! { <td class="num" data-label=label>{value} {time}</td> }.erase()
}

fn row(one: &Charted, range: Range, utc_offset_s: i32) -> Row {
    let name = one.entity.unit.as_ref().map_or_else(|| one.entity.name.clone(), |unit| format!("{}, {unit}", one.entity.name));
    let none = || "–".to_owned();
    if one.is_state() {
        let (on_ms, known_ms) = on_and_known_ms(&one.series, range);
        let on = crate::components::chart::model::state_word(&one.entity, true);
        return Row {
            name,
            min: (none(), None),
            mean: if known_ms == 0 { (none(), None) } else { (format!("{on} {}", percent(on_ms, known_ms)), Some(duration_words(on_ms))) },
            max: (none(), None),
            last: one.series.last.last().map_or_else(none, |&v| one.words(v)),
            coverage: percent(known_ms, range.len_ms()),
        };
    }
    let Some(stats) = stats(&one.series, range) else {
        return Row { name, min: (none(), None), mean: (none(), None), max: (none(), None), last: none(), coverage: "0 %".to_owned() };
    };
    let words = |v: f64| one.bare_words(v);
    let at = |t: Timestamp| Some((t, point_time(t, range, utc_offset_s)));
    Row {
        name,
        min: (words(stats.min.0), at(stats.min.1)),
        mean: (words(stats.mean), None),
        max: (words(stats.max.0), at(stats.max.1)),
        last: words(stats.last),
        coverage: format!("{} %", number((stats.coverage * 100.0 + 1e-9).floor(), Some(0))),
    }
}

/// Whole per cent, rounded down: 100 % is said only of all.
fn percent(part: i64, whole: i64) -> String {
    format!("{} %", i128::from(part) * 100 / i128::from(whole.max(1)))
}
