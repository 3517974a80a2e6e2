//! What can be set: one row each, with the switch of the tile.

use domain::entity::EntityKind;
use domain::live::EntityView;
use domain::value::Value;
use leptos::prelude::*;

use super::Ways;
use super::menu::menu;
use crate::components::control::slot;
use crate::components::fader::Faders;
use crate::components::icon;
use crate::components::switch::Switch;
use crate::components::tile_foot::{foot_parts, parts_view};
use crate::device::Climate;
use crate::erase::{Erase as _, memo, part, text};
use crate::live::Entry;
use crate::tile::kind::TileKind;
use crate::tile::words::value_with_unit;

/// Whether an entity is a row of controls: it can be set from here.
#[must_use]
pub(super) fn is_control(entry: &Entry) -> bool {
    entry.view.with_untracked(|view| view.settable && (view.kind.is_switchable() || view.kind.has_control() || view.kind == EntityKind::Climate))
}

/// The card of controls; nothing without one.
pub(super) fn controls(entries: Vec<Entry>, climates: &[Climate], ways: &Ways, prefix: &'static str) -> Option<AnyView> {
    if entries.is_empty() {
        return None;
    }
    let rows: Vec<AnyView> = entries.into_iter().map(|entry| row(entry, climates, ways)).collect();
    let (id, labelled_by) = ([prefix, "ctl-h"].concat(), [prefix, "ctl-h"].concat());
    let card = view! {
        <section class="card" aria-labelledby=labelled_by>
            <header class="card-head">
                <h2 id=id>"Controls"</h2>
                <p class="row-end not-phone">"A control settles only when the device reports back"</p>
            </header>
            <ul class="list controls">{rows}</ul>
        </section>
    };
    Some(card.erase())
}

fn row(entry: Entry, climates: &[Climate], ways: &Ways) -> AnyView {
    let (name_id, state_id) = (format!("{}-n", entry.id), format!("{}-f", entry.id));
    let (name, sign, is_light, is_switch) =
        entry.view.with_untracked(|view| (view.name.clone(), view.icon.clone(), matches!(view.v, Some(Value::Light(_))), view.kind.is_switchable()));
    let kind = if is_light { TileKind::Light } else { TileKind::Switch };
    let parts = foot_parts(&entry, memo(|| TileKind::Switch), memo(|| None));
    let view = entry.view.clone();
    let foot_of = entry.clone();
    let faders = (kind == TileKind::Light).then(|| view! { <div class="control-wide"><Faders entry=entry.clone()/></div> });
    let menu = menu(&entry, ways);
    let control = match climates.iter().find(|climate| climate.entity == entry.id) {
        Some(climate) => super::climate::climate(&entry, climate),
        None if is_switch => view! { <Switch entry labelledby=name_id.clone() describedby=state_id.clone()/> }.erase(),
        None => slot(&entry),
    };
    view! {
        <li>
            {icon(&sign, "")}
            <div class="grow">
                <b id=name_id.clone()>{name}</b>
                <small class="control-state" id=state_id.clone()>
                    <span>{text(move || view.with(shown))}</span>
                    {part(move || parts_view(parts.get(), &foot_of))}
                </small>
            </div>
            {faders}
            {control}
            {menu}
        </li>
    }
    .erase()
}

/// The value with its unit; nothing for a button, which has none.
fn shown(view: &EntityView) -> String {
    if view.kind == EntityKind::Button { String::new() } else { value_with_unit(view) }
}
