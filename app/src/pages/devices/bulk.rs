//! What is done with several devices at once: one form around the list. Which ones is what its boxes say, with a script and without.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::tachys::reactive_graph::SharedReactiveFunction;
use leptos::task::spawn_local;
use std::borrow::Cow;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::js_sys::Array;
use web_sys::{FormData, HtmlFormElement};

use super::{Parts, address};
use crate::components::chart::browser::{call, get, set};
use crate::components::icon;
use crate::erase::{Erase as _, attr, effect, part, text};
use crate::server_fns;

/// The devices that a form says.
fn read(form: &HtmlFormElement) -> Vec<String> {
    let all = FormData::new_with_form(form).ok().and_then(|data| call(&data, "getAll", &[&JsValue::from_str("devices[]")]));
    all.map(|all| all.unchecked_into::<Array>().iter().filter_map(|id| id.as_string()).collect()).unwrap_or_default()
}

/// Checks no box any more.
pub(super) fn clear(parts: Parts) {
    if let Ok(Some(form)) = document().query_selector(".device-form") {
        _ = call(&form, "reset", &[]);
    }
    parts.selected.set(vec![]);
}

/// The form around the list, with what can be done with those that are selected.
pub(super) fn form(parts: Parts, table: AnyView) -> AnyView {
    if !parts.may_act() {
        return table;
    }
    let selected = parts.selected;
    let node = NodeRef::<leptos::html::Form>::new();
    // Boxes may have been checked before the code came.
    effect(move || {
        if let Some(form) = node.get() {
            selected.set(read(&form));
        }
    });
    let again = move || {
        if let Some(form) = node.get_untracked() {
            selected.set(read(&form));
        }
    };
    let submit = move |event: SubmitEvent| {
        let Some(form) = node.get_untracked() else { return };
        let act = get(&get(&event, "submitter"), "value").as_string().unwrap_or_default();
        let Ok(data) = FormData::new_with_form(&form) else { return };
        event.prevent_default();
        let field = |name| data.get(name).as_string().unwrap_or_default();
        let asked = server_fns::change_devices(read(&form), act, field("area"), field("new_area"), String::new());
        spawn_local(async move {
            let told = asked.await.unwrap_or_else(|error| crate::devices::Told {
                words: crate::tile::words::capital(&error.to_string()),
                failed: true,
                field: String::new(),
                publish: None,
            });
            parts.live.status.set(told.words.clone());
            if !told.failed {
                parts.again.update(|n| *n += 1);
            }
            parts.told.set(Some(told));
        });
    };
    view! {
        <form
            class="device-form"
            method="post"
            action="/fn/devices_change"
            node_ref=node
            on:change=move |_| again()
            // The boxes are reset after the event.
            on:reset=move |_| crate::erase::later(std::time::Duration::ZERO, again)
            on:submit=submit
        >
            <input type="hidden" name="back" value=attr(move || Some(address::write(&parts.list(), &parts.asked_topics.get())))/>
            {bar(parts, selected)}
            {table}
        </form>
    }
    .erase()
}

fn bar(parts: Parts, selected: RwSignal<Vec<String>>) -> AnyView {
    let areas = move || {
        let known = parts.loaded.with(|loaded| loaded.page.areas.iter().map(|area| (area.id.to_string(), area.name.clone())).collect::<Vec<_>>());
        super::filters::options("Choose an area", known.into_iter().chain([("-".to_owned(), "Where it was found".to_owned())]).collect(), "")
    };
    let words = move || match selected.with(Vec::len) {
        0 => "Selected".to_owned(),
        n => [&n.to_string(), " selected"].concat(),
    };
    view! {
        <div class="bulk" role="toolbar" aria-label="Selected devices">
            <b>{text(words)}</b>
            <details class="menu" data-align="start">
                <summary class="button">{icon("home", "")} "Move to area"</summary>
                <div class="menu-panel stack">
                    <div class="field">
                        <label for="m-a">"Area"</label>
                        <select class="select" id="m-a" name="area">
                            {part(areas)}
                        </select>
                    </div>
                    <div class="field">
                        <label for="m-n">"or a new one"</label>
                        <input class="input" id="m-n" name="new_area" maxlength="80" autocomplete="off"/>
                    </div>
                    <button class="button button-primary" type="submit" name="act" value="move">
                        "Move"
                    </button>
                </div>
            </details>
            <button class="button" type="submit" name="act" value="hide">
                <svg class="icon" aria-hidden="true">
                    <path d="M10 6a9 9 0 0 1 2-.2c6 0 9.2 6.2 9.2 6.2a15 15 0 0 1-2.7 3.4M6.3 7.6A15 15 0 0 0 2.8 12S6 18.2 12 18.2a9 9 0 0 0 4.6-1.3M9.8 10.3a2.8 2.8 0 0 0 3.9 3.9M4 4l16 16"/>
                </svg>
                "Hide"
            </button>
            <button class="button" type="submit" name="act" value="show">
                "Show"
            </button>
            <button class="button button-quiet row-end" type="reset">
                {icon("close", "")}
                "Clear"
            </button>
        </div>
    }
    .erase()
}

/// What became of the form before.
pub(super) fn told(parts: Parts) -> AnyView {
    let view = move || {
        parts.told.get().map(|told| {
            view! {
                <p class=if told.failed { "error-text card-body" } else { "row card-body" } role=if told.failed { "alert" } else { "status" }>
                    {icon(if told.failed { "caution" } else { "check" }, "")}
                    {told.words}
                </p>
            }
        })
    };
    part(view).erase()
}

/// The box of a device, and whether it is checked.
pub(super) fn check(parts: Parts, id: &str, name: &str, may_act: bool) -> (Option<AnyView>, SharedReactiveFunction<Option<Cow<'static, str>>>) {
    let selected = parts.selected;
    let own = id.to_owned();
    let is_checked = attr(move || selected.with(|selected| selected.contains(&own)).then_some("true"));
    let view = may_act.then(|| {
        view! {
            <td class="cell-check">
                <input type="checkbox" name="devices[]" value=id.to_owned() aria-label=["Select ", name].concat() autocomplete="off"/>
            </td>
        }
        .erase()
    });
    (view, is_checked)
}

/// The box that checks all others, for a script.
pub(super) fn select_all() -> AnyView {
    let press = move |event: leptos::ev::Event| {
        let Some(all) = event.target() else { return };
        let is_checked = get(&all, "checked");
        let others = if is_checked.is_truthy() { "[name='devices[]']:not(:checked)" } else { "[name='devices[]']:checked" };
        // Each one that is found is none of them afterwards.
        while let Ok(Some(other)) = document().query_selector(others) {
            set(&other, "checked", &is_checked);
        }
    };
    view! { <input type="checkbox" class="with-script" aria-label="Select all devices" autocomplete="off" on:change=press/> }.erase()
}
