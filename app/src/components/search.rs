//! The search box: filters the tiles of the overview, live with script, by loading `/?q=` without.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::icon;
use crate::erase::Erase as _;
use crate::live::Live;

/// The search box.
#[component]
pub fn Search() -> AnyView {
    let live = Live::expect();
    let pathname = use_location().pathname;
    let submit = move |event: leptos::ev::SubmitEvent| {
        // The overview is filtered already; other pages lead there.
        if pathname.with_untracked(|path| path == "/") {
            event.prevent_default();
        }
    };
    view! {
        <form class="search" role="search" method="get" action="/" on:submit=submit>
            <label class="visually-hidden" for="q">
                "Search entities, devices and topics"
            </label>
            {icon("search", "")}
            <input
                id="q"
                class="search-input"
                type="search"
                name="q"
                placeholder="Search entities, devices, topics"
                autocomplete="off"
                value=live.search.get_untracked()
                on:input=move |event| live.search.set(event_target_value(&event))
            />
            <kbd class="kbd">"/"</kbd>
        </form>
    }
    .erase()
}
