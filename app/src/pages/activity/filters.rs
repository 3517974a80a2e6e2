//! Choosing what is shown of the log: a form that works without script, and needs no button with it.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;
use web_sys::{FormData, HtmlFormElement};

use super::{Loaded, address};
use crate::backend::ActivityRequest;
use crate::erase::{Erase as _, part};
use crate::live::Live;

/// Kinds as addresses and as readers know them.
const KINDS: [(&str, &str); 7] = [
    ("", "All"),
    ("control", "Controls"),
    ("alarm", "Alarms"),
    ("device", "Devices"),
    ("history", "History"),
    ("settings", "Settings"),
    ("system", "System"),
];

/// Search, kind, person, area, and whether only what was not confirmed.
pub(super) fn filters(live: Live, loaded: Memo<Arc<Loaded>>) -> AnyView {
    let first = loaded.with_untracked(|loaded| loaded.asked.clone());
    let asked = move || loaded.with(|loaded| loaded.asked.clone());
    let navigate = use_navigate();
    let go = Arc::new(move |form: &HtmlFormElement| {
        let Ok(data) = FormData::new_with_form(form) else { return };
        let field = |name| data.get(name).as_string().unwrap_or_default();
        let chosen = loaded.with_untracked(|loaded| ActivityRequest {
            q: field("q").trim().to_owned(),
            who: field("who"),
            area: field("area"),
            not_confirmed: field("unconfirmed") == "1",
            cursor: String::new(),
            ..loaded.asked.clone()
        });
        navigate(&address::write(&chosen), NavigateOptions { scroll: false, ..NavigateOptions::default() });
    });
    let changed = Arc::clone(&go);
    let form_of = |event: &web_sys::Event| {
        let target = event.current_target();
        target.and_then(|target| target.dyn_into::<HtmlFormElement>().ok())
    };
    let kinds = move || {
        let asked = asked();
        KINDS
            .map(|(kind, label)| {
                let current = (asked.kind == kind).then_some("true");
                let href = address::write(&ActivityRequest { kind: kind.to_owned(), cursor: String::new(), ..asked.clone() });
                view! {
                    <a href=href aria-current=current>
                        {label}
                    </a>
                }
            })
            .into_iter()
            .collect_view()
    };
    let keep = move || {
        loaded.with(|loaded| {
            let ActivityRequest { kind, entity, from, to, .. } = loaded.asked.clone();
            [("kind", kind), ("entity", entity), ("from", from), ("to", to)]
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
                .collect_view()
        })
    };
    let people = move || loaded.with(|loaded| options("Everyone", loaded.page.people.clone(), &loaded.asked.who));
    let areas = move || {
        let areas = live.areas.get().into_iter().map(|area| (area.id.to_string(), area.name)).collect();
        loaded.with(|loaded| options("All areas", areas, &loaded.asked.area))
    };
    let ActivityRequest { q, not_confirmed, .. } = first;
    view! {
        <form
            class="toolbar"
            method="get"
            action="/activity"
            role="search"
            aria-label="Activity"
            on:submit=move |event| {
                if let Some(form) = form_of(&event) {
                    event.prevent_default();
                    go(&form);
                }
            }
            on:change=move |event| {
                if let Some(form) = form_of(&event) {
                    changed(&form);
                }
            }
        >
            <label class="visually-hidden" for="af">
                "Search activity"
            </label>
            <input class="input filter-input" id="af" name="q" type="search" placeholder="Search activity" maxlength="100" value=q autocomplete="off"/>
            <div class="seg seg-scroll" role="group" aria-label="Kind">
                {part(kinds)}
            </div>
            {part(keep)}
            <select class="select select-auto" name="who" aria-label="Person">
                {part(people)}
            </select>
            <select class="select select-auto" name="area" aria-label="Area">
                {part(areas)}
            </select>
            <label class="check">
                <input type="checkbox" name="unconfirmed" value="1" checked=not_confirmed/>
                <span>"Not confirmed only"</span>
            </label>
            <button class="button no-script" type="submit">
                "Show"
            </button>
        </form>
    }
    .erase()
}

/// What a list offers. What was asked for is among it, whether it is known or not.
fn options(all: &'static str, mut known: Vec<(String, String)>, chosen: &str) -> AnyView {
    if !chosen.is_empty() && !known.iter().any(|(value, _)| value == chosen) {
        known.push((chosen.to_owned(), chosen.to_owned()));
    }
    known.insert(0, (String::new(), all.to_owned()));
    known
        .into_iter()
        .map(|(value, label)| {
            let is_chosen = value == chosen;
            view! {
                <option value=value selected=is_chosen>
                    {label}
                </option>
            }
        })
        .collect_view()
        .erase()
}
