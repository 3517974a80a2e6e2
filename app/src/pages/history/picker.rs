//! Choosing what is charted: a form that works without script, and follows each press with it.

use std::sync::Arc;

use domain::device::AreaId;
use domain::live::EntityView;
use leptos::ev::Event;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use crate::backend::HistoryPage;
use crate::components::chart::model::MOST_SERIES;
use crate::components::icon;
use crate::erase::{Erase as _, attr};
use crate::pages::history::address::View;
use crate::pages::history::names::distinct;

/// Groups shown open, besides those with a chosen series.
const OPEN_GROUPS: usize = 2;
/// From this many choices on a filter helps.
const LEAST_TO_FILTER: usize = 6;

/// The picker. `filter` is what its list is narrowed to, in lower case.
pub(super) fn picker(page: &HistoryPage, view: &View, filter: RwSignal<String>) -> AnyView {
    let areas = page.shell.areas.iter().map(|area| (Some(&area.id), area.name.clone(), area.icon.clone()));
    let all: Vec<(Option<&AreaId>, String, Option<String>)> = areas.chain([(None, "No area".to_owned(), None)]).collect();
    let is_known = |area: &AreaId| page.shell.areas.iter().any(|known| known.id == *area);
    let groups = all.into_iter().filter_map(|(area, name, icon)| {
        // What stands in an area that the page does not know is not lost.
        let is_here = |choice: &&EntityView| choice.area.as_ref().filter(|a| is_known(a)) == area;
        let members: Vec<&EntityView> = page.choices.iter().filter(is_here).collect();
        (!members.is_empty()).then_some((name, icon, members))
    });
    let groups = groups.enumerate().map(|(n, (name, icon, members))| group(n, name, icon, &members, view, filter)).collect_view();
    let hidden = view.range_fields().into_iter().chain(view.options());
    let search = (page.choices.len() >= LEAST_TO_FILTER).then(|| {
        view! {
            <label class="visually-hidden" for="pick-q">
                "Filter series"
            </label>
            <input
                class="input"
                id="pick-q"
                name="q"
                type="search"
                placeholder="Filter series"
                autocomplete="off"
                value=view.filter.clone()
                on:input=move |event| filter.set(event_target_value(&event).to_lowercase())
                on:keydown=move |event| {
                    // The list follows what is typed: there is nothing to send.
                    if event.key() == "Enter" {
                        event.prevent_default();
                    }
                }
            />
        }
    });
    view! {
        <section class="card picker no-print" id="series" aria-labelledby="pick-h">
            <header class="card-head">
                <h2 id="pick-h">"Series"</h2>
                <p class="row-end">{format!("{} of {}", view.chosen.len(), page.choices.len())}</p>
            </header>
            <form class="card-body" method="get" action="/history">
                {hidden.map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()}
                {search}
                {groups}
                <div class="picker-end">
                    <button class="button button-block no-script" type="submit">
                        "Show chosen"
                    </button>
                    <p class="hint">"Up to six series"</p>
                </div>
            </form>
        </section>
    }
    .erase()
}

fn group(n: usize, name: String, area_icon: Option<String>, members: &[&EntityView], view: &View, filter: RwSignal<String>) -> AnyView {
    let is_open = n < OPEN_GROUPS || members.iter().any(|member| view.chosen.contains(&member.id));
    let names: Arc<Vec<String>> = Arc::new(members.iter().map(|member| searched(&member.name, &name)).collect());
    let check = |member: &&EntityView| check(member, distinct(member, members.iter().copied()), view, searched(&member.name, &name), filter);
    let checks = members.iter().map(check).collect_view();
    let is_empty = {
        let names = Arc::clone(&names);
        move || filter.with(|filter| !names.iter().any(|name| name.contains(filter)))
    };
    view! {
        <details
            class="picker-group"
            open=move || is_open || filter.with(|filter| !filter.is_empty())
            hidden=attr(move || is_empty().then_some(""))
        >
            <summary>
                {icon(&area_icon.unwrap_or_else(|| "home".to_owned()), "")} {name}
                {icon("down", "icon-sm icon-turn")}
            </summary>
            {checks}
        </details>
    }
    .erase()
}

/// What a filter looks into: the name of the series and of its area.
fn searched(name: &str, area: &str) -> String {
    format!("{name} {area}").to_lowercase()
}

fn check(entity: &EntityView, name: String, view: &View, searched: String, filter: RwSignal<String>) -> AnyView {
    let is_chosen = view.chosen.contains(&entity.id);
    let is_full = !is_chosen && view.chosen.len() >= MOST_SERIES;
    let unit = entity.unit.clone().unwrap_or_else(|| {
        let kind = match entity {
            entity if entity.says_words() => "words",
            entity if entity.kind.is_sensor() => "",
            _ => "on/off",
        };
        kind.to_owned()
    });
    let (id, view) = (entity.id.clone(), view.clone());
    let navigate = use_navigate();
    let follow =
        move |ev: Event| navigate(&view.toggled(&id, event_target_checked(&ev)), NavigateOptions { scroll: false, ..NavigateOptions::default() });
    view! {
        <label class="check" hidden=attr(move || filter.with(|filter| !searched.contains(filter)).then_some(""))>
            // The attribute is for the page without script; the property is what a press has changed since.
            <input
                type="checkbox"
                name="e"
                value=entity.id.as_str().to_owned()
                checked=is_chosen
                prop:checked=is_chosen
                disabled=is_full
                on:change=follow
            />
            <span>{name}</span>
            <span class="end">{unit}</span>
        </label>
    }
    .erase()
}
