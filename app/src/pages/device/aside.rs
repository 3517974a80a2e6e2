//! Alarms of a device, and what was done.

use domain::alarm::{Alarm, AlarmState};
use domain::device::{Device, DeviceId};
use leptos::prelude::*;

use crate::backend::ActivityRow;
use crate::components::alert_strip::ack;
use crate::components::{glyph, icon};
use crate::erase::{Erase as _, memo, text};
use crate::live::Live;
use crate::tile::alarms::{by_urgency, state_words};
use crate::tile::words::moment_words;

/// The alarms of the device, most urgent first.
pub(super) fn alarms(live: Live, device: &Device) -> AnyView {
    let id = device.id.clone();
    let alarms = memo(move || live.alarms.with(|alarms| of_device(live, alarms, &id)));
    let list = move || {
        let alarms = alarms.get();
        if alarms.is_empty() {
            return view! { <p class="card-body muted">"No active alarms"</p> }.erase();
        }
        view! { <ul class="list">{alarms.iter().map(|alarm| item(live, alarm)).collect_view()}</ul> }.erase()
    };
    view! {
        <section class="card" aria-labelledby="al-h">
            <header class="card-head">
                <h2 id="al-h">"Alarms"</h2>
            </header>
            {list}
        </section>
    }
    .erase()
}

/// An entity keeps its id when its device is made one with another: where it is known, it knows better.
fn of_device(live: Live, alarms: &[Alarm], device: &DeviceId) -> Vec<Alarm> {
    let is_its = |alarm: &Alarm| match live.find(&alarm.entity) {
        Some(entry) => entry.view.with(|view| view.device == *device),
        None => alarm.entity.device() == device.as_str(),
    };
    by_urgency(alarms).into_iter().filter(is_its).collect()
}

fn item(live: Live, alarm: &Alarm) -> AnyView {
    let entry = live.find(&alarm.entity);
    let name = entry.map_or_else(|| alarm.entity.as_str().to_owned(), |entry| entry.view.with_untracked(|view| view.name.clone()));
    let title = format!("{name} {}", alarm.condition);
    let (since, state) = (alarm.since, alarm.state);
    let button = (state != AlarmState::Acked).then(|| ack(live, alarm, &name));
    view! {
        <li>
            {glyph(alarm.severity, state, true)}
            <span class="grow">
                <b>{title}</b>
                <small>
                    "since "
                    <time datetime=since.rfc3339()>{text(move || moment_words(since, live.minute.get(), live.utc_offset_s.get()))}</time>
                    ", "
                    {state_words(state)}
                </small>
            </span>
            {button}
        </li>
    }
    .erase()
}

/// What was done to the device and by it last; nothing where the log has nothing.
pub(super) fn activity(live: Live, device: &Device, rows: &[ActivityRow]) -> Option<AnyView> {
    rows.first()?;
    let items: Vec<AnyView> = rows.iter().map(|row| deed(live, row)).collect();
    let href = ["/activity?q=", device.id.as_str()].concat();
    Some(
        view! {
            <section class="card" aria-labelledby="ac-h">
                <header class="card-head">
                    <h2 id="ac-h">"Activity"</h2>
                    <a class="row-end sm" href=href>
                        "All activity"
                    </a>
                </header>
                <ul class="list">
                    {items}
                </ul>
            </section>
        }
        .erase(),
    )
}

fn deed(live: Live, row: &ActivityRow) -> AnyView {
    let sign = match row.mark {
        Some((severity, state)) => glyph(severity, state, true),
        None => icon(&row.icon, ""),
    };
    let (at, more) = (row.at, [", ", &row.who].concat() + if row.outcome.is_empty() { "" } else { ", " } + &row.outcome.to_lowercase());
    view! {
        <li>
            {sign}
            <span class="grow">
                {row.title.clone()}
                <small>
                    <time datetime=at.rfc3339()>{text(move || moment_words(at, live.minute.get(), live.utc_offset_s.get()))}</time>
                    {more}
                </small>
            </span>
        </li>
    }
    .erase()
}
