//! Choosing what is charted: a form that works without script, and follows each press with it.

use domain::device::AreaId;
use domain::live::EntityView;
use leptos::ev::Event;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use crate::backend::HistoryPage;
use crate::components::chart::model::MOST_SERIES;
use crate::components::icon;
use crate::erase::Erase as _;
use crate::pages::history::address::View;
use crate::pages::history::names::distinct;

/// Groups shown open, besides those with a chosen series.
const OPEN_GROUPS: usize = 2;

/// The picker.
pub(super) fn picker(page: &HistoryPage, view: &View) -> AnyView {
    let areas = page.shell.areas.iter().map(|area| (Some(&area.id), area.name.clone(), area.icon.clone()));
    let all: Vec<(Option<&AreaId>, String, Option<String>)> = areas.chain([(None, "No area".to_owned(), None)]).collect();
    let is_known = |area: &AreaId| page.shell.areas.iter().any(|known| known.id == *area);
    let groups = all.into_iter().filter_map(|(area, name, icon)| {
        // What stands in an area that the page does not know is not lost.
        let is_here = |choice: &&EntityView| choice.area.as_ref().filter(|a| is_known(a)) == area;
        let members: Vec<&EntityView> = page.choices.iter().filter(is_here).collect();
        (!members.is_empty()).then_some((name, icon, members))
    });
    let groups = groups.enumerate().map(|(n, (name, icon, members))| group(n, name, icon, &members, view)).collect_view();
    view! {
        <section class="card picker no-print" id="series" aria-labelledby="pick-h">
            <header class="card-head">
                <h2 id="pick-h">"Series"</h2>
                <p class="row-end">{format!("{} of {}", view.chosen.len(), page.choices.len())}</p>
            </header>
            <form class="card-body" method="get" action="/history">
                <input type="hidden" name="range" value=view.preset().word/>
                {view.pinned().map(|to| view! { <input type="hidden" name="to" value=to.as_ms().to_string()/> })}
                {groups}
                <div class="picker-end">
                    <button class="button button-block" type="submit">
                        "Show chosen"
                    </button>
                    <p class="hint">"Up to six series"</p>
                </div>
            </form>
        </section>
    }
    .erase()
}

fn group(n: usize, name: String, area_icon: Option<String>, members: &[&EntityView], view: &View) -> AnyView {
    let is_open = n < OPEN_GROUPS || members.iter().any(|member| view.chosen.contains(&member.id));
    let checks = members.iter().map(|member| check(member, distinct(member, members.iter().copied()), view)).collect_view();
    view! {
        <details class="picker-group" open=is_open>
            <summary>
                {icon(&area_icon.unwrap_or_else(|| "home".to_owned()), "")} {name}
                {icon("down", "icon-sm icon-turn")}
            </summary>
            {checks}
        </details>
    }
    .erase()
}

fn check(entity: &EntityView, name: String, view: &View) -> AnyView {
    let is_chosen = view.chosen.contains(&entity.id);
    let is_full = !is_chosen && view.chosen.len() >= MOST_SERIES;
    let unit = entity.unit.clone().unwrap_or_else(|| if entity.kind.is_sensor() { String::new() } else { "on/off".to_owned() });
    let (id, view) = (entity.id.clone(), view.clone());
    let navigate = use_navigate();
    let follow =
        move |ev: Event| navigate(&view.toggled(&id, event_target_checked(&ev)), NavigateOptions { scroll: false, ..NavigateOptions::default() });
    view! {
        <label class="check">
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
