//! What can be done with one entity of a device.

use leptos::prelude::*;

use super::{Ways, address};
use crate::components::icon;
use crate::erase::Erase as _;
use crate::live::Entry;
use crate::pages::history::day_of;

/// The menu at the end of a row.
pub(super) fn menu(entry: &Entry, ways: &Ways) -> AnyView {
    let (name, topic, hidden) = entry.view.with_untracked(|view| (view.name.clone(), view.topic.clone(), view.hidden));
    let id = entry.id.as_str().to_owned();
    let topic = (!topic.is_empty()).then(|| {
        view! {
            <a class="menu-item" href=address::topic(&topic) rel="external">
                {icon("search", "")}
                "Topic that it reads"
            </a>
        }
    });
    let change = ways.may_act.then(|| {
        let (act, word, sign) = if hidden { ("show-entity", "Show", "eye") } else { ("hide-entity", "Hide", "eye-off") };
        view! {
            <a class="menu-item" href=address::edit(&ways.device, &id) rel="external">
                {icon("edit", "")}
                "Rename, unit, decimals"
            </a>
            <form class="inline-form" method="post" action="/fn/device_change">
                <input type="hidden" name="id" value=ways.device.to_string()/>
                <input type="hidden" name="act" value=act/>
                <input type="hidden" name="entity" value=id.clone()/>
                <button class="menu-item" type="submit">
                    {icon(sign, "")}
                    {word}
                </button>
            </form>
        }
    });
    view! {
        <details class="menu" data-align="end">
            <summary class="button button-quiet button-icon" aria-label=["More for ", &name].concat()>
                {icon("more", "")}
            </summary>
            <div class="menu-panel">
                <a class="menu-item" href=day_of(&entry.id)>
                    {icon("history", "")}
                    "History"
                </a>
                {topic}
                <a class="menu-item" href=address::why(&ways.device, &id) rel="external">
                    {icon("unknown", "")}
                    "Why is there no data?"
                </a>
                {change}
            </div>
        </details>
    }
    .erase()
}
