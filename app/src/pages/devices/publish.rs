//! Publishing by hand. What is said of it is what the broker said; until then it is on its way.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::{FormData, HtmlFormElement};

use super::explorer::Latest;
use super::{Parts, address, filters};
use crate::components::icon;
use crate::devices::{PublishForm, Told};
use crate::erase::{Erase as _, attr, part, text};
use crate::server_fns;

/// The form; for those who may not publish, why it is not there.
pub(super) fn form(parts: Parts, latest: Latest) -> AnyView {
    if !latest.with_untracked(|latest| latest.0.may_publish) {
        return view! { <p class="topic-detail hint" id="publish">"To publish, operator rights are needed."</p> }.erase();
    }
    let told = RwSignal::new(latest.with_untracked(|latest| latest.0.told.clone()));
    let draft = told.with_untracked(|told| told.as_ref().and_then(|told| told.publish.clone()));
    let is_restored = draft.is_some();
    let PublishForm { topic, payload, qos, retain, link } = draft.unwrap_or(PublishForm { qos: 1, ..PublishForm::default() });
    let is_on_its_way = RwSignal::new(false);
    let submit = move |event: SubmitEvent| {
        let form = event.current_target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
        let Some(data) = form.and_then(|form| FormData::new_with_form(&form).ok()) else { return };
        event.prevent_default();
        if is_on_its_way.get_untracked() {
            return;
        }
        let field = |name| data.get(name).as_string().unwrap_or_default();
        is_on_its_way.set(true);
        let asked =
            server_fns::publish(field("topic"), field("payload"), field("qos").parse().unwrap_or(1), field("retain"), field("link"), String::new());
        spawn_local(async move {
            let words = |error: String| crate::tile::words::capital(&error);
            let answer =
                asked.await.unwrap_or_else(|error| Told { words: words(error.to_string()), failed: true, field: String::new(), publish: None });
            if answer.failed {
                parts.live.alert.set(answer.words.clone());
            } else {
                parts.live.status.set(answer.words.clone());
            }
            _ = is_on_its_way.try_set(false);
            _ = told.try_set(Some(answer));
            parts.topics.refetch();
        });
    };
    // As the browser has it: the topic that is looked at stands in the field until somebody types.
    let value = move || {
        let looked_at = parts.asked_topics.with(|asked| asked.topic.clone());
        if is_restored || looked_at.ends_with('/') { topic.clone() } else { looked_at }
    };
    let is_field = move |name: &'static str| told.with(|told| told.as_ref().is_some_and(|told| told.failed && told.field == name));
    let said = move || {
        told.get().map(|told| {
            view! {
                <p class=if told.failed { "error-text" } else { "row" }>
                    {icon(if told.failed { "caution" } else { "check" }, "")}
                    {told.words}
                </p>
            }
        })
    };
    let links = latest.with_untracked(|latest| latest.0.links.clone());
    let links = (links.len() > 1).then(|| {
        view! {
            <select class="select select-auto" name="link" aria-label="Broker">
                {filters::options("First broker", links.into_iter().map(|name| (name.clone(), name)).collect(), &link)}
            </select>
        }
    });
    let levels = ["0", "1", "2"].map(|level| {
        view! {
            <option value=level selected=level == qos.to_string()>
                {["QoS ", level].concat()}
            </option>
        }
    });
    view! {
        <form class="topic-detail stack publish" id="publish" method="post" action="/fn/publish" aria-labelledby="pub-h" on:submit=submit>
            <h3 id="pub-h">"Publish"</h3>
            <input type="hidden" name="back" value=attr(move || Some(address::write(&parts.list(), &parts.asked_topics.get())))/>
            <div class="field">
                <label for="p-t">"Topic"</label>
                <input
                    class="input mono"
                    id="p-t"
                    name="topic"
                    required=""
                    maxlength="1024"
                    autocomplete="off"
                    spellcheck="false"
                    value=attr(move || Some(value()))
                    aria-invalid=attr(move || is_field("topic").then_some("true"))
                    aria-describedby="p-o"
                />
            </div>
            <div class="field">
                <label for="p-p">"Payload"</label>
                <textarea class="textarea mono" id="p-p" name="payload" rows="2" spellcheck="false">
                    {payload}
                </textarea>
            </div>
            <div class="row">
                {links} <select class="select select-auto" name="qos" aria-label="Quality of service">
                    {levels.into_iter().collect_view()}
                </select> <label class="check">
                    <input type="checkbox" name="retain" value="on" checked=retain autocomplete="off"/>
                    <span>"Retain"</span>
                </label>
                <button class="button button-primary row-end" type="submit" aria-disabled=attr(move || is_on_its_way.get().then_some("true"))>
                    // Here, not on the sheet that every page carries.
                    <svg class="icon" aria-hidden="true">
                        <path d="M20.5 3.5 10.7 13.3M20.5 3.5 14 20.5l-3.3-7.2-7.2-3.3z"/>
                    </svg>
                    {text(move || if is_on_its_way.get() { "On its way" } else { "Publish" })}
                </button>
            </div>
            <p class="hint retain-hint">
                "The broker keeps this message and gives it to everyone who subscribes later, until another takes its place; an empty payload deletes it. A command that is kept is obeyed again at each start of its device."
            </p>
            <div id="p-o">{part(said)}</div>
        </form>
    }
    .erase()
}
