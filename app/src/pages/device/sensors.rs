//! What is measured: value, age, last hour, last 24 hours, alarm rule.

use domain::alarm::Alarm;
use domain::live::EntityView;
use domain::quality::Quality;
use domain::value::Value;
use leptos::prelude::*;

use super::menu::menu;
use super::{Row, Ways, address};
use crate::components::chart::number::number;
use crate::components::spark::Spark;
use crate::components::strip::Strip;
use crate::components::tile_foot::{foot_parts, parts_view};
use crate::components::{glyph, icon};
use crate::erase::{Erase as _, attr, memo, text};
use crate::live::{Entry, Live};
use crate::pages::history::day_of;
use crate::tile::alarms::worst;
use crate::tile::foot::{Look, since_words};
use crate::tile::kind::TileKind;
use crate::tile::trend::Past;
use crate::tile::words::{capital, decimals, value_words};

/// The table of sensors, each with its smallest and largest value of the last 24 hours; nothing without one.
pub(super) fn sensors(live: Live, entries: Vec<Row>, ways: &Ways, prefix: &'static str) -> Option<AnyView> {
    if entries.is_empty() {
        return None;
    }
    let n = entries.len();
    let rows: Vec<AnyView> = entries.into_iter().map(|(entry, extremes)| row(live, &entry, extremes, ways)).collect();
    let (id, labelled_by) = ([prefix, "ent-h"].concat(), [prefix, "ent-h"].concat());
    let card = view! {
        <section class="card" aria-labelledby=labelled_by>
            <header class="card-head">
                <h2 id=id>"Sensors"</h2>
                <span class="badge badge-quiet">{n}</span>
            </header>
            <div class="table-wrap">
                <table class="table table-cards">
                    <caption class="visually-hidden">"What the device measures"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Sensor"</th>
                            <th scope="col" class="num">
                                "Now"
                            </th>
                            <th scope="col">"Last hour"</th>
                            <th scope="col" class="num cell-roomy">
                                "Min to max, 24 h"
                            </th>
                            <th scope="col">"Alarm rule"</th>
                            <th scope="col">
                                <span class="visually-hidden">"Actions"</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    };
    Some(card.erase())
}

fn row(live: Live, entry: &Entry, extremes: Option<(f64, f64)>, ways: &Ways) -> AnyView {
    let (view, past) = (entry.view.clone(), entry.past.clone());
    let kind = memo(move || view.with(|view| TileKind::of(view, past.with(|past| matches!(past, Some(Past::Line { .. }))))));
    let view = entry.view.clone();
    let quality = memo(move || view.with(EntityView::look));
    let trend = {
        let entry = entry.clone();
        move || {
            if kind.get() == TileKind::Number {
                view! { <Spark entry=entry.clone()/> }.erase()
            } else {
                view! { <Strip entry=entry.clone()/> }.erase()
            }
        }
    };
    let day = entry.view.with_untracked(|view| extremes.map_or_else(|| "–".to_owned(), |extremes| day_words(extremes, view)));
    view! {
        <tr data-quality=attr(move || Some(quality.get()))>
            <th scope="row">{name(entry)}</th>
            <td class="num entity-value">{now(entry, kind, ways)}</td>
            <td class="entity-spark">{trend}</td>
            <td class="num cell-skip cell-roomy">{day}</td>
            <td class="cell-wide">{rule(live, entry)}</td>
            <td class="num cell-menu">{menu(entry, ways)}</td>
        </tr>
    }
    .erase()
}

fn name(entry: &Entry) -> AnyView {
    let (name, sign) = entry.view.with_untracked(|view| (view.name.clone(), view.icon.clone()));
    view! {
        <span class="row entity">
            {icon(&sign, "")}
            <span>
                <a href=day_of(&entry.id)>{name}</a>
                <small>
                    <code>{entry.id.key().to_owned()}</code>
                </small>
            </span>
        </span>
    }
    .erase()
}

/// The value with its unit, or the word that replaces it, and under it what there is to know about its age.
fn now(entry: &Entry, kind: Memo<TileKind>, ways: &Ways) -> AnyView {
    let parts = foot_parts(entry, kind, memo(|| None));
    let foot_of = entry.clone();
    let foot = move || {
        let mut parts = parts.get();
        // Beside an age a tile says the range of the hour, which has its own column here.
        if parts.first().is_some_and(|part| part.look == Look::Age) {
            parts.truncate(1);
        }
        parts_view(parts, &foot_of)
    };
    let (view, href) = (entry.view.clone(), address::why(&ways.device, entry.id.as_str()));
    let name = entry.view.with_untracked(|view| ["Why is there no data of ", &view.name, "?"].concat());
    let is_in_doubt = memo(move || view.with(|view| !matches!(view.q, Quality::Good | Quality::Retained)));
    // It is always there: a value that came before the browser took over must not make another page of it.
    let ask = view! {
        <a href=href aria-label=name rel="external" hidden=attr(move || (!is_in_doubt.get()).then_some(""))>
            "Why?"
        </a>
    };
    let view = entry.view.clone();
    let guessed = ways.guessed.iter().find(|(id, _)| *id == entry.id).map(|(_, unit)| unit.clone());
    let value = move || {
        view.with(|view| match (view.q, &view.v) {
            (Quality::Offline, _) => view! { <b>"Offline"</b> }.erase(),
            (_, None) => view! { <b>"No reading"</b> }.erase(),
            (_, Some(value)) => {
                let unit = view.unit.clone().filter(|_| matches!(value, Value::Number(_))).map(|unit| format!("\u{a0}{unit}"));
                let mark = (unit.is_some() && guessed.is_some() && guessed == view.unit).then(|| view! { <small class="muted">" guessed"</small> });
                view! {
                    <b>{value_words(view)}</b>
                    {unit}
                    {mark}
                }
                .erase()
            }
        })
    };
    view! {
        {value}
        <small class="entity-age">{foot} {ask}</small>
    }
    .erase()
}

/// The alarm that stands, or else the limits that rules set.
fn rule(live: Live, entry: &Entry) -> AnyView {
    let id = entry.id.clone();
    let limits = entry.limits.clone();
    let alarm = memo(move || live.alarms.with(|alarms| worst(alarms, |alarm| alarm.entity == id).cloned()));
    let content = move || match alarm.get() {
        Some(alarm) => standing(live, &alarm),
        None => {
            let words = limits.with(|limits| limits.iter().map(|limit| limit.label.clone()).collect::<Vec<_>>().join(", "));
            if words.is_empty() { view! { <span class="muted">"None"</span> }.erase() } else { view! { <span>{words}</span> }.erase() }
        }
    };
    view! {
        <span class="only-phone muted">"Alarm rule: "</span>
        {content}
    }
    .erase()
}

fn standing(live: Live, alarm: &Alarm) -> AnyView {
    let (condition, since) = (capital(&alarm.condition), alarm.since);
    view! {
        <span class="cell-alarm">
            {glyph(alarm.severity, alarm.state, true)}
            <span>{condition} ", " {text(move || since_words(since, live.now.get(), live.minute.get(), live.utc_offset_s.get()))}</span>
        </span>
    }
    .erase()
}

/// `15.8 to 35.0`; one number where both read the same.
fn day_words((min, max): (f64, f64), view: &EntityView) -> String {
    let (min, max) = (number(min, Some(decimals(view))), number(max, Some(decimals(view))));
    if min == max { min } else { format!("{min} to {max}") }
}
