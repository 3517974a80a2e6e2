//! The list: one row a device, a card on a phone.

use domain::time::duration_words;
use leptos::prelude::*;

use super::{Parts, bulk, counted, empty};
use crate::components::{glyph, icon};
use crate::devices::{DeviceRow, DevicesRequest, Signal};
use crate::erase::{Erase as _, attr, memo, part, text};
use crate::tile::alarms::worst;
use crate::tile::words::{capital, moment_words, page_number};

/// Below this a battery is low, per cent.
const LOW_BATTERY: f64 = 25.0;

/// The list in its form, or what to do where there is nothing.
pub(super) fn list(parts: Parts) -> AnyView {
    let content = move || {
        let is_empty = parts.loaded.with(|loaded| loaded.page.rows.is_empty());
        // What else changes is followed where it is shown: the rows are made again only for another page of the list.
        untrack(|| if is_empty { empty::empty(parts) } else { bulk::form(parts, table(parts)) })
    };
    view! {
        <section class="card" id="list" aria-label="Devices">
            {bulk::told(parts)}
            {part(content)}
        </section>
    }
    .erase()
}

fn table(parts: Parts) -> AnyView {
    let may_act = parts.may_act();
    let rows = parts.loaded.with(|loaded| loaded.page.rows.clone());
    let rows: Vec<AnyView> = rows.into_iter().map(|first| row(parts, first, may_act)).collect();
    let all = may_act.then(|| view! { <th scope="col">{bulk::select_all()}</th> });
    view! {
        <div class="table-wrap">
            <table class="table table-cards device-table">
                <thead>
                    <tr>
                        {all} {head(parts, "device", "Device", "")} {head(parts, "status", "Status", "")} {head(parts, "area", "Area", "")}
                        <th scope="col" class="cell-roomy">
                            "Convention"
                        </th> {head(parts, "seen", "Last seen", "num")} <th scope="col">"Link"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {foot(parts)}
    }
    .erase()
}

/// A head that orders the list; pressed again, the other way round.
fn head(parts: Parts, sort: &'static str, label: &'static str, class: &'static str) -> AnyView {
    let asked = parts.list().sort;
    let (is_down, by) = asked.strip_prefix('-').map_or((false, asked.as_str()), |by| (true, by));
    let is_this = by == sort || (by.is_empty() && sort == "device");
    let order = is_this.then_some(if is_down { "descending" } else { "ascending" });
    let next = match (is_this, is_down, sort) {
        (true, false, _) => ["-", sort].concat(),
        (_, _, "device") => String::new(),
        _ => sort.to_owned(),
    };
    let href = attr(move || Some(parts.to_list(|list| list.sort.clone_from(&next))));
    let arrow = is_this.then(|| icon(if is_down { "down" } else { "up" }, "icon-sm"));
    view! {
        <th scope="col" class=class aria-sort=order>
            <a class="sort" href=href data-noscroll="">
                {label}
                {arrow}
            </a>
        </th>
    }
    .erase()
}

fn row(parts: Parts, first: DeviceRow, may_act: bool) -> AnyView {
    let live = parts.live;
    let (id, name, n) = (first.id.clone(), first.name.clone(), first.n_entities);
    let now = {
        let id = id.clone();
        memo(move || parts.news.with(|news| news.get(&id).cloned()).unwrap_or_else(|| first.clone()))
    };
    let worst = {
        let id = id.clone();
        memo(move || live.alarms.with(|alarms| worst(alarms, |alarm| alarm.entity.device() == id).map(|alarm| (alarm.severity, alarm.state))))
    };
    let (check, selected) = bulk::check(parts, &id, &name, may_act);
    let presence = move || now.with(|row| if row.hidden { ("hidden", "Hidden") } else { row.presence.words() });
    let area = text(move || now.with(|row| row.area.clone().unwrap_or_else(|| "–".to_owned())));
    let signal = move || now.with(|row| row.signal).map_or_else(|| view! { <span class="muted">"–"</span> }.erase(), signal_view);
    // A card says nothing of what is not known.
    let skipped = attr(move || now.with(|row| row.signal.is_none()).then_some("cell-skip"));
    view! {
        <tr aria-selected=selected>
            {check} <th scope="row">
                <a href=["/devices/", &id].concat()>{name}</a>
                <small>{counted(n, "entity", "entities")}</small>
            </th> <td>
                <span class="cell-alarm">
                    <span class="status" data-status=attr(move || Some(presence().0))>
                        {text(move || presence().1)}
                    </span>
                    {part(move || worst.get().map(|(severity, state)| glyph(severity, state, true)))}
                </span>
            </td> <td data-label="Area">{area}</td> <td class="nowrap cell-roomy" data-label="Convention">
                {text(move || now.with(|row| convention(&row.convention)))}
            </td> <td class="num" data-label="Last seen">
                {part(move || seen(parts, &now.get()))}
            </td> <td data-label="Link" class=skipped>{part(signal)}</td>
        </tr>
    }
    .erase()
}

/// When a device was heard last: the moment in a page without script, else how long ago that is.
fn seen(parts: Parts, row: &DeviceRow) -> AnyView {
    let live = parts.live;
    let Some(at) = row.seen else { return view! { <span class="muted">"never"</span> }.erase() };
    let ago = move || match live.now.get() {
        Some(now) => [&duration_words(now.since_ms(at)), " ago"].concat(),
        None => moment_words(at, live.minute.get(), live.utc_offset_s.get()),
    };
    view! {
        <time datetime=at.rfc3339()>{text(ago)}</time>
        <small>{[&page_number(row.per_min, Some(if row.per_min < 10.0 { 1 } else { 0 })), " per min"].concat()}</small>
    }
    .erase()
}

fn signal_view(signal: Signal) -> AnyView {
    let number = |n| page_number(n, Some(0));
    let words = match signal {
        Signal::Rssi(dbm) => [&number(dbm), " dBm"].concat(),
        Signal::Lqi(lqi) => ["LQI ", &number(lqi)].concat(),
        Signal::Battery(left) => [&*number(left), " %", if left < LOW_BATTERY { ", low" } else { "" }].concat(),
    };
    let bars = signal.bars();
    let sign = match bars {
        Some(_) => view! {
            <svg class="icon" aria-hidden="true">
                <path d="M5 19v-3"/>
                <path d="M10 19v-6.5"/>
                <path d="M15 19V9"/>
                <path d="M20 19V5"/>
            </svg>
        }
        .erase(),
        None => icon("battery", ""),
    };
    view! {
        <span class="signal" data-level=bars.map(|n| n.to_string())>
            {sign}
            <span>{words}</span>
        </span>
    }
    .erase()
}

/// A convention as a column shows it: `Plain topics`.
pub(super) fn convention(name: &str) -> String {
    if name.is_empty() { "–".to_owned() } else { capital(name) }
}

/// Which part of the list this is, and the ways to the others.
fn foot(parts: Parts) -> AnyView {
    let (n, before, next, asked) = parts.loaded.with(|loaded| {
        let page = &loaded.page;
        (page.rows.len(), page.n_before, page.next.clone(), loaded.asked.clone())
    });
    let counts = parts.counts;
    let status = asked.status.clone();
    let of = move || {
        counts.with(|(_, found)| match status.as_str() {
            "online" => found.online,
            "stale" => found.stale,
            "offline" => found.offline,
            "hidden" => found.hidden,
            _ => found.all,
        })
    };
    let words = move || {
        let of = of();
        if before == 0 && n == of {
            counted(n, "device", "devices")
        } else {
            [&(before + 1).to_string(), " to ", &(before + n).to_string(), " of ", &of.to_string(), " devices"].concat()
        }
    };
    let first = (!asked.cursor.is_empty()).then(|| {
        let href = attr(move || Some(parts.to_list(|_| {})));
        view! {
            <a class="button" href=href>
                {icon("up", "")}
                "First page"
            </a>
        }
    });
    let more = next.map(|cursor| {
        let href = attr(move || Some(parts.to_list(|list: &mut DevicesRequest| list.cursor.clone_from(&cursor))));
        view! {
            <a class="button row-end" href=href>
                "Show more"
                {icon("down", "")}
            </a>
        }
    });
    view! {
        <footer class="card-foot">
            <span>{text(words)}</span>
            {first}
            {more}
        </footer>
    }
    .erase()
}
