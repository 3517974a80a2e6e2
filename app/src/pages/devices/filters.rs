//! What the list is narrowed by: a form without script, and one that needs no button with it.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;
use web_sys::{FormData, HtmlFormElement};

use super::Parts;
use crate::devices::Counts;
use crate::erase::{Erase as _, part, text};

type Tab = (&'static str, &'static str, fn(&Counts) -> usize);

const TABS: [Tab; 5] = [
    ("", "All", |counts| counts.all),
    ("online", "Online", |counts| counts.online),
    ("stale", "Stale", |counts| counts.stale),
    ("offline", "Offline", |counts| counts.offline),
    ("hidden", "Hidden", |counts| counts.hidden),
];

/// Name or topic, status, area, convention.
pub(super) fn filters(parts: Parts) -> AnyView {
    let navigate = use_navigate();
    let go = Arc::new(move |form: &HtmlFormElement| {
        let Ok(data) = FormData::new_with_form(form) else { return };
        let field = |name| data.get(name).as_string().unwrap_or_default();
        let to = untrack(|| {
            parts.to_list(|list| {
                field("q").trim().clone_into(&mut list.q);
                (list.area, list.convention) = (field("area"), field("convention"));
            })
        });
        navigate(&to, NavigateOptions { scroll: false, ..NavigateOptions::default() });
    });
    let changed = Arc::clone(&go);
    let form_of = |event: &web_sys::Event| event.current_target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
    let tab = move |(status, label, n): Tab| {
        let current = (parts.list().status == status).then_some("true");
        let href = parts.to_list(|list| status.clone_into(&mut list.status));
        view! {
            <a href=href aria-current=current data-noscroll="">
                {label}
                <small class="muted">{text(move || n(&parts.counts.get().1).to_string())}</small>
            </a>
        }
    };
    let keep = move || {
        let topics = parts.asked_topics.get();
        let list = parts.list();
        [("status", list.status), ("sort", list.sort), ("topic", topics.topic), ("topics", topics.filter)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
            .collect_view()
    };
    let areas = move || {
        parts.loaded.with(|loaded| {
            let known = loaded.page.areas.iter().map(|area| (area.id.to_string(), area.name.clone()));
            let known = known.chain([("none".to_owned(), "No area".to_owned())]).collect();
            options("All areas", known, &loaded.asked.area)
        })
    };
    let conventions = move || {
        parts.loaded.with(|loaded| {
            let known = loaded.page.conventions.iter().map(|name| (name.clone(), super::table::convention(name))).collect();
            options("All conventions", known, &loaded.asked.convention)
        })
    };
    let q = parts.loaded.with_untracked(|loaded| loaded.asked.q.clone());
    view! {
        <form
            class="toolbar"
            method="get"
            action="/devices"
            role="search"
            aria-label="Devices"
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
            <label class="visually-hidden" for="df">
                "Filter devices"
            </label>
            <input class="input filter-input" id="df" name="q" type="search" placeholder="Filter by name or topic" maxlength="100" value=q autocomplete="off"/>
            <div class="seg seg-scroll" role="group" aria-label="Status">
                {part(move || TABS.map(tab).into_iter().collect_view())}
            </div>
            {part(keep)}
            <select class="select select-auto" name="area" aria-label="Area">
                {part(areas)}
            </select>
            <select class="select select-auto" name="convention" aria-label="Convention">
                {part(conventions)}
            </select>
            <button class="button no-script" type="submit">
                "Show"
            </button>
        </form>
    }
    .erase()
}

/// What a list offers. What was asked for is among it, whether it is known or not.
pub(super) fn options(all: &'static str, mut known: Vec<(String, String)>, chosen: &str) -> AnyView {
    if !chosen.is_empty() && !known.iter().any(|(value, _)| value == chosen) {
        known.push((chosen.to_owned(), chosen.to_owned()));
    }
    known.insert(0, (String::new(), all.to_owned()));
    let option = |(value, label): (String, String)| {
        let is_chosen = value == chosen;
        view! {
            <option value=value selected=is_chosen>
                {label}
            </option>
        }
    };
    known.into_iter().map(option).collect_view().erase()
}
