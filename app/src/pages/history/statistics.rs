//! The figures under the chart.

use domain::history::Range;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp, duration_words};
use domain::words::Words;
use leptos::prelude::*;

use crate::components::chart::bars::counted;
use crate::components::chart::beyond::beyond_ms;
use crate::components::chart::gaps::bucket_ms;
use crate::components::chart::model::{Charted, period_before, span_words, state_word};
use crate::components::chart::number::number;
use crate::components::chart::shapes::word_swatch;
use crate::components::chart::states::on_and_known_ms;
use crate::components::chart::stats::stats;
use crate::components::chart::time_axis::point_time;
use crate::components::chart::words::{Look, MOST_LOOKS, known_ms, looks};
use crate::components::chart::{Chart, Swatch};
use crate::erase::{Erase as _, text};

/// One row of figures as it is written: each a value, with a note under it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    name: String,
    min: Figure,
    mean: Figure,
    max: Figure,
    /// The last value when the page was made.
    last: String,
    change: Figure,
    /// One for each limit.
    beyond: Vec<Figure>,
    coverage: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Figure {
    value: String,
    note: Option<String>,
    at: Option<Timestamp>,
}

impl Figure {
    fn of(value: impl Into<String>) -> Self {
        Self { value: value.into(), note: None, at: None }
    }

    fn none() -> Self {
        Self::of("–")
    }

    fn noted(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }
}

/// The table of figures. `is_compared` beside the period before; `chart` knows values that came since.
pub(super) fn statistics(charted: &[Charted], range: Range, utc_offset_s: i32, is_compared: bool, chart: Chart) -> AnyView {
    let rows = charted.iter().enumerate().map(|(n, one)| {
        let row = row(one, range, utc_offset_s, is_compared);
        let last = text(move || chart.newest_words(n).unwrap_or_else(|| row.last.clone()));
        let figures = match &one.words {
            Some(words) => shares(words),
            None => (cell("Min", vec![row.min]), cell("Mean", vec![row.mean]), cell("Max", vec![row.max])).erase(),
        };
        view! {
            <tr>
                <th scope="row">
                    <span class="row">
                        <Swatch style=one.swatch(n)/>
                        <span>{row.name}</span>
                    </span>
                </th>
                {figures}
                <td class="num" data-label="Last">
                    <b>{last}</b>
                </td>
                {cell("Change", vec![row.change])}
                {cell("Beyond limit", row.beyond)}
                {cell("Coverage", vec![Figure::of(row.coverage)])}
            </tr>
        }
    });
    let change = if is_compared { format!("Change to {}", period_before(range)) } else { "Change".to_owned() };
    let heads = ["Min", "Mean", "Max", "Last", &change, "Time beyond limit", "Coverage"].map(str::to_owned);
    view! {
        <div class="table-wrap">
            <table class="table table-cards">
                <caption class="visually-hidden">"Statistics for the selected period"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Series"</th>
                        {heads.map(|head| view! { <th scope="col" class="num">{head}</th> }).into_iter().collect_view()}
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .erase()
}

/// For which share of the known time each word held, in place of least, mean and largest.
fn shares(words: &Words) -> AnyView {
    let known = known_ms(words);
    let share = |look: Option<Look>, word: String, ms: i64| {
        view! {
            <li>
                {look.map(word_swatch)} <span>{word} " " <b>{percent(ms, known)}</b></span> <small>{held_words(ms)}</small>
            </li>
        }
    };
    let looks = looks(words).into_iter().take(MOST_LOOKS);
    let named = words.words.iter().zip(looks).map(|(held, look)| share(Some(look), held.word.clone(), held.ms));
    let others = words.other_ms + words.words.iter().skip(MOST_LOOKS).map(|held| held.ms).sum::<i64>();
    let others = (others > 0).then(|| share(None, "Others".to_owned(), others));
    let list = if known > 0 { view! { <ul class="shares">{named.chain(others).collect_view()}</ul> }.erase() } else { "–".erase() };
    view! {
        <td class="cell-wide" colspan="3" data-label="Share of time">
            {list}
        </td>
    }
    .erase()
}

fn cell(label: &'static str, figures: Vec<Figure>) -> AnyView {
    let figures = figures.into_iter().map(|Figure { value, note, at }| {
        let note = note.map(|note| match at {
            Some(at) => view! { <small><time datetime=at.rfc3339()>{note}</time></small> }.erase(),
            None => view! { <small>{note}</small> }.erase(),
        });
        view! { {value} {note} }
    });
    view! { <td class="num" data-label=label>{figures.collect_view()}</td> }.erase()
}

fn row(one: &Charted, range: Range, utc_offset_s: i32, is_compared: bool) -> Row {
    let name = one.entity.unit.as_ref().map_or_else(|| one.entity.name.clone(), |unit| format!("{}, {unit}", one.entity.name));
    let nothing = Row {
        name,
        min: Figure::none(),
        mean: Figure::none(),
        max: Figure::none(),
        last: "–".to_owned(),
        change: Figure::none(),
        beyond: vec![Figure::none().noted("no limit")],
        coverage: "0 %".to_owned(),
    };
    if let Some(words) = &one.words {
        let n = words.n_changes;
        return Row {
            last: one.series.last.last().map_or(nothing.last, |&row| one.bare_words(row)),
            change: Figure::of(n.to_string()).noted(if n == 1 { "change" } else { "changes" }),
            coverage: percent(known_ms(words), range.len_ms()),
            ..nothing
        };
    }
    if one.is_state() {
        let (on_ms, known_ms) = on_and_known_ms(&one.series, range);
        let share = || Figure::of(format!("{} {}", state_word(&one.entity, true), percent(on_ms, known_ms))).noted(held_words(on_ms));
        return Row {
            mean: if known_ms == 0 { Figure::none() } else { share() },
            last: one.series.last.last().map_or(nothing.last, |&v| one.words(v)),
            coverage: percent(known_ms, range.len_ms()),
            ..nothing
        };
    }
    let Some(figures) = stats(&one.series, range) else { return nothing };
    let words = |v: f64| one.bare_words(v);
    let at = |(value, t): (f64, Timestamp)| Figure { at: Some(t), ..Figure::of(words(value)).noted(point_time(t, range, utc_offset_s)) };
    let coverage = format!("{} %", number((figures.coverage * 100.0 + 1e-9).floor(), Some(0)));
    if one.is_meter() {
        return Row { coverage, ..meter_row(one, range, utc_offset_s, is_compared, nothing) };
    }
    let beyond = one.limits.iter().map(|limit| {
        // The label says how bad it is as well: `Critical above 34`.
        let side = limit.label.split_once(' ').map_or(limit.label.as_str(), |(_, side)| side);
        let ms = beyond_ms(&one.series, limit);
        Figure::of(if ms == 0 { "0 min".to_owned() } else { duration_words(ms) }).noted(side)
    });
    let beyond: Vec<Figure> = beyond.collect();
    Row {
        min: at(figures.min),
        mean: Figure::of(words(figures.mean)),
        max: at(figures.max),
        last: words(figures.last),
        change: change(one, range, figures.mean, figures.last, is_compared),
        beyond: if beyond.is_empty() { nothing.beyond } else { beyond },
        coverage,
        ..nothing
    }
}

/// What a meter counted: least, mean and most of a bucket, what it shows, and the sum.
fn meter_row(one: &Charted, range: Range, utc_offset_s: i32, is_compared: bool, nothing: Row) -> Row {
    let rows = || one.series.t.iter().zip(&one.series.increase);
    let at = |found: Option<(&Timestamp, &f64)>| match found {
        Some((&t, &v)) => Figure { at: Some(t), ..Figure::of(one.bare_words(v)).noted(point_time(t, range, utc_offset_s)) },
        None => Figure::none(),
    };
    let sum = counted(&one.series);
    #[expect(clippy::cast_precision_loss, reason = "a chart has few bars")]
    let mean = sum / one.series.increase.len().max(1) as f64;
    let per = bucket_ms(one.series.resolution).map_or_else(String::new, |ms| format!("per {}", span_words(ms)));
    let change = match (is_compared, &one.previous) {
        (false, _) => Figure::of(signed(one, sum)).noted("sum"),
        (true, Some(before)) => Figure::of(signed(one, sum - counted(before))).noted(format!("sum {}", one.words(sum))),
        (true, None) => Figure::none().noted("no data"),
    };
    Row {
        min: at(rows().min_by(|a, b| a.1.total_cmp(b.1))),
        mean: Figure::of(one.bare_words(mean)).noted(per),
        max: at(rows().max_by(|a, b| a.1.total_cmp(b.1))),
        last: one.series.last.last().map_or_else(|| nothing.last.clone(), |&shown| one.bare_words(shown)),
        change,
        ..nothing
    }
}

/// A difference in words, with its sign and unit: `+12.4 kWh`.
fn signed(one: &Charted, difference: f64) -> String {
    let words = one.words(difference);
    if difference > 0.0 && words != one.words(0.0) { format!("+{words}") } else { words }
}

/// What changed: the mean against that of the period before, or the last value against the first.
fn change(one: &Charted, range: Range, mean: f64, last: f64, is_compared: bool) -> Figure {
    let (difference, note) = if is_compared {
        let before = one.previous.as_ref().and_then(|previous| stats(previous, range));
        (before.map(|before| mean - before.mean), "mean")
    } else {
        (one.series.mean.iter().copied().find(|v| v.is_finite()).map(|first| last - first), "first to last")
    };
    match difference.filter(|d| d.is_finite()) {
        Some(difference) => {
            let words = one.bare_words(difference);
            Figure::of(if difference > 0.0 && words != one.bare_words(0.0) { format!("+{words}") } else { words }).noted(note)
        }
        None => Figure::none().noted("no data"),
    }
}

/// How long something held: `40 s`, `25 min`, `6 h 12 min`, `3 d 4 h`.
fn held_words(ms: i64) -> String {
    let two = |(large, name): (i64, &str), (small, next): (i64, &str)| match ms % large / small {
        0 => format!("{} {name}", ms / large),
        rest => format!("{} {name} {rest} {next}", ms / large),
    };
    match ms {
        ..HOUR_MS => duration_words(ms),
        HOUR_MS..DAY_MS => two((HOUR_MS, "h"), (MINUTE_MS, "min")),
        _ => two((DAY_MS, "d"), (HOUR_MS, "h")),
    }
}

/// Whole per cent, rounded down: 100 % is said only of all.
fn percent(part: i64, whole: i64) -> String {
    format!("{} %", i128::from(part) * 100 / i128::from(whole.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_something_held_is_told_in_two_units() {
        for (ms, words) in [
            (40_000, "40 s"),
            (25 * MINUTE_MS, "25 min"),
            (6 * HOUR_MS + 12 * MINUTE_MS + 59_000, "6 h 12 min"),
            (2 * HOUR_MS, "2 h"),
            (3 * DAY_MS + 4 * HOUR_MS, "3 d 4 h"),
        ] {
            assert_eq!(held_words(ms), words);
        }
    }
}
