//! One entity: name, value, control, the last hour, and what matters about it.

use domain::alarm::Alarm;
use domain::entity::EntityKind;
use domain::live::EntityView;
use domain::quality::Quality;
use domain::value::Value;
use leptos::prelude::*;

use super::control::slot;
use super::fader::Faders;
use super::spark::Spark;
use super::strip::Strip;
use super::switch::Switch;
use super::tile_foot::{foot_parts, parts_view};
use super::{glyph, icon};
use crate::erase::{Erase as _, attr, memo, part, text};
use crate::live::{Entry, Live};
use crate::tile::alarms::worst;
use crate::tile::foot::{Look, Part};
use crate::tile::kind::TileKind;
use crate::tile::trend::Past;
use crate::tile::words::value_words;

/// What stands where the value does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Face {
    Value,
    Offline,
    NoReading,
    /// A button: it has none.
    Bare,
}

/// One entity.
#[component]
pub fn TileCard(
    /// The entity.
    entry: Entry,
) -> AnyView {
    let live = Live::expect();
    let (view, past) = (entry.view.clone(), entry.past.clone());
    let kind = memo(move || view.with(|view| TileKind::of(view, past.with(|past| matches!(past, Some(Past::Line { .. }))))));
    let id = entry.id.clone();
    let alarm = memo(move || live.alarms.with(|alarms| worst(alarms, |alarm| alarm.entity == id).cloned()));
    let parts = foot_parts(&entry, kind, alarm);
    let view = entry.view.clone();
    let quality = memo(move || {
        let look = view.with(EntityView::look);
        if look == "fresh" && live.lost().is_some() { "stale" } else { look }
    });
    let is_cover = entry.view.with_untracked(|view| view.kind == EntityKind::Cover && view.settable);
    let asked = entry.asked.clone();
    let command = attr(move || asked.with(|asked| asked.as_ref().map(|asked| asked.phase.as_str())));

    let dom_id = entry.id.as_str().to_owned();
    let name_id = [&dom_id, "-n"].concat();
    let labelledby = name_id.clone();
    let head = head(&entry, name_id, alarm);
    let view = entry.view.clone();
    let settable = memo(move || view.with(|view| view.settable));
    let body = part(move || body(&entry, kind.get(), settable.get(), parts));
    view! {
        <article
            class="tile"
            id=dom_id
            data-kind=attr(move || Some(kind.get().as_str()))
            data-size=attr(move || (is_cover || kind.get() == TileKind::Light).then_some("2x1"))
            data-quality=attr(move || Some(quality.get()))
            data-command=command
            data-alarm=attr(move || alarm.with(|alarm| alarm.as_ref().map(|alarm| alarm.severity.as_str())))
            data-alarm-state=attr(move || alarm.with(|alarm| alarm.as_ref().map(|alarm| alarm.state.as_str())))
            aria-labelledby=labelledby
        >
            {head}
            {body}
        </article>
    }
    .erase()
}

fn head(entry: &Entry, name_id: String, alarm: Memo<Option<Alarm>>) -> AnyView {
    let view = entry.view.clone();
    let sign = memo(move || {
        view.with(|view| {
            let open = view.icon == "door" && view.v.as_ref().and_then(Value::is_on) == Some(true);
            if open { "door-open".to_owned() } else { view.icon.clone() }
        })
    });
    let mark = memo(move || alarm.with(|alarm| alarm.as_ref().map(|alarm| (alarm.severity, alarm.state))));
    let view = entry.view.clone();
    let name = memo(move || view.with(|view| view.name.clone()));
    let href = entry.view.with_untracked(|view| ["/devices/", view.device.as_str()].concat());
    view! {
        <header class="tile-head">
            {part(move || icon(&sign.get(), ""))}
            <h3 class="tile-name" id=name_id>
                <a href=href>{text(move || name.get())}</a>
            </h3>
            {part(move || mark.get().map(|(severity, state)| glyph(severity, state, true)))}
        </header>
    }
    .erase()
}

fn body(entry: &Entry, kind: TileKind, settable: bool, parts: Memo<Vec<Part>>) -> AnyView {
    let foot_id = [entry.id.as_str(), "-f"].concat();
    let name_id = [entry.id.as_str(), "-n"].concat();
    let view = entry.view.clone();
    let face = memo(move || {
        view.with(|view| match (view.q, &view.v) {
            (Quality::Offline, _) => Face::Offline,
            _ if view.kind == EntityKind::Button => Face::Bare,
            (_, None) => Face::NoReading,
            _ => Face::Value,
        })
    });
    let switch = (settable && matches!(kind, TileKind::Light | TileKind::Switch))
        .then(|| view! { <Switch entry=entry.clone() labelledby=name_id describedby=foot_id.clone()/> });
    let value = {
        let (entry, foot_id) = (entry.clone(), foot_id.clone());
        part(move || value(&entry, kind, face.get(), parts, &foot_id))
    };
    let has_control = settable && entry.view.with_untracked(|view| view.kind.has_control());
    let trend = match kind {
        _ if has_control => slot(entry),
        TileKind::Number => {
            let entry = entry.clone();
            part(move || if face.get() == Face::Value { view! { <Spark entry=entry.clone()/> }.erase() } else { no_data() }).erase()
        }
        TileKind::Light => view! { <Faders entry=entry.clone()/> }.erase(),
        TileKind::Switch | TileKind::Binary | TileKind::Text => view! { <Strip entry=entry.clone()/> }.erase(),
    };
    view! {
        <div class="tile-main">{value} {switch}</div>
        {trend}
        {(kind != TileKind::Light).then(|| foot(entry.clone(), foot_id, parts))}
    }
    .erase()
}

fn value(entry: &Entry, kind: TileKind, face: Face, parts: Memo<Vec<Part>>, foot_id: &str) -> AnyView {
    let view = entry.view.clone();
    let words = text(move || view.with(value_words));
    let small = (kind == TileKind::Light).then(|| small(entry.clone(), foot_id.to_owned(), parts));
    match face {
        Face::Offline => view! { <p class="tile-value tile-value-text">{icon("offline", "icon-lg")} "Offline " {small}</p> }.erase(),
        Face::NoReading => view! { <p class="tile-value tile-value-text">{icon("unknown", "icon-lg")} "No reading " {small}</p> }.erase(),
        Face::Value if kind == TileKind::Number => {
            let view = entry.view.clone();
            let raw = attr(move || view.with(|view| view.v.as_ref().map(|value| value.words(view.precision).into_owned())));
            let view = entry.view.clone();
            let unit = part(move || view.with(|view| view.unit.clone()).map(|unit| view! { <span class="unit">{unit}</span> }));
            view! {
                <p class="tile-value">
                    <data value=raw>{words}</data>
                    {unit}
                </p>
            }
            .erase()
        }
        Face::Value => view! { <p class="tile-value tile-value-text">{words} " " {small}</p> }.erase(),
        Face::Bare => "".erase(),
    }
}

fn no_data() -> AnyView {
    view! {
        <svg class="nodata" role="img" aria-label="No data">
            <rect width="100%" height="100%" rx="4" fill="url(#hatch)"/>
        </svg>
    }
    .erase()
}

fn foot(entry: Entry, id: String, parts: Memo<Vec<Part>>) -> AnyView {
    let has_button = move || parts.with(|parts| parts.iter().any(|part| part.look == Look::Retry));
    view! {
        <footer class="tile-foot" class:tile-foot-act=has_button id=id>
            {part(move || parts_view(parts.get(), &entry))}
        </footer>
    }
    .erase()
}

/// What a light's foot says, beside its value: the faders take the foot's place.
fn small(entry: Entry, id: String, parts: Memo<Vec<Part>>) -> AnyView {
    let joined = part(move || {
        let mut views = parts_view(parts.get(), &entry).into_iter();
        let first = views.next();
        views.fold(first.into_iter().collect::<Vec<_>>(), |mut all, view| {
            all.push(", ".erase());
            all.push(view);
            all
        })
    });
    view! { <small id=id>{joined}</small> }.erase()
}
