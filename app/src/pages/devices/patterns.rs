//! Topic patterns: what stands, and a form to write others. It is offered to save them only after what they would match was shown.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use leptos_router::params::ParamsMap;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::js_sys::Array;
use web_sys::{FormData, HtmlFormElement};

use super::{Parts, address, counted, preview};
use crate::components::chart::browser::{call, get};
use crate::components::icon;
use crate::erase::Erase as _;
use crate::pages::trouble::Trouble;
use crate::patterns::{PatternProblem, PatternRow, PatternsPage, PatternsRequest};

/// The patterns, and what was asked for; `None` while they are not shown.
pub(super) type Patterns = Result<Option<(PatternsPage, PatternsRequest)>, Trouble>;

/// The section, where the address asks for it.
pub(super) fn section(parts: Parts) -> AnyView {
    let patterns = parts.patterns;
    let content = move || {
        Suspend::new(async move {
            match patterns.await {
                Ok(Some((page, asked))) => Some(card(parts, &page, &asked)),
                Ok(None) => None,
                Err(_) => Some(view! { <p class="card card-body">"The topic patterns cannot be shown."</p> }.erase()),
            }
        })
    };
    view! { <Transition>{content}</Transition> }.erase()
}

/// The link that opens the section, with what is to be added to the list.
pub(super) fn link(parts: Parts, text: &str, words: &'static str) -> AnyView {
    let to = address::with_patterns(&parts.list(), &parts.asked_topics.get(), text);
    view! { <a href=to>{words}</a> }.erase()
}

/// What a topic is like, as a beginning of a pattern: its last two levels are a device and what it measures.
pub(super) fn like(topic: &str) -> String {
    let levels: Vec<&str> = topic.split('/').collect();
    match levels.as_slice() {
        [.., _, _] => [&levels[..levels.len() - 2], &["{device}", "{measure}"]].concat().join("/"),
        _ => "{device}".to_owned(),
    }
}

fn card(parts: Parts, page: &PatternsPage, asked: &PatternsRequest) -> AnyView {
    let close = address::write(&parts.list(), &parts.asked_topics.get());
    let told = page.told.clone().map(|told| {
        view! {
            <p class=if told.failed { "error-text" } else { "row" } role=if told.failed { "alert" } else { "status" }>
                {icon(if told.failed { "caution" } else { "check" }, "")}
                {told.words}
            </p>
        }
    });
    let fixed = page.fixed.iter().map(|one| {
        view! {
            <li>
                <code>{one.text.clone()}</code>
                " "
                <small class="muted">"in the configuration file, " {counts(one)}</small>
            </li>
        }
    });
    let fixed = (!page.fixed.is_empty()).then(|| view! { <ol class="pattern-fixed">{fixed.collect_view()}</ol> });
    let own = if page.may_write { form(parts, page, asked) } else { list(page) };
    view! {
        <section class="card" id="patterns" aria-labelledby="pt-h">
            <header class="card-head">
                <h2 id="pt-h">"Topic patterns"</h2>
                <a class="button button-quiet row-end" href=close data-noscroll="">
                    "Close"
                </a>
            </header>
            <div class="card-body stack">
                {told}
                <p class="hint">
                    "What the levels of topics are: " <code>"sensors/{device}/{measure}"</code> ", with " <code>"{area}"</code> ", " <code>"{site}"</code> ", "
                    <code>"{kind}"</code> " (lights, switches) where there are such levels, and " <code>"+"</code>
                    " for any. The first pattern that a topic matches counts."
                </p> {fixed} {own}
            </div>
        </section>
    }
    .erase()
}

/// `12 topics, 3 more taken by an earlier pattern`.
fn counts(row: &PatternRow) -> String {
    let Some((topics, shadowed)) = row.counts else { return "not looked at yet".to_owned() };
    let mut words = counted(topics, "topic", "topics");
    if shadowed > 0 {
        words.push_str(&[", ", &shadowed.to_string(), " more taken by an earlier pattern"].concat());
    }
    words
}

fn list(page: &PatternsPage) -> AnyView {
    let own = page.own.iter().filter(|one| !one.text.is_empty()).map(|one| {
        view! {
            <li>
                <code>{one.text.clone()}</code>
                " "
                <small class="muted">{counts(one)}</small>
            </li>
        }
    });
    view! {
        <ol>{own.collect_view()}</ol>
        <p class="hint">"To write topic patterns, operator rights are needed."</p>
    }
    .erase()
}

/// What is pressed goes into the address, with a script and without.
fn form(parts: Parts, page: &PatternsPage, asked: &PatternsRequest) -> AnyView {
    let navigate = use_navigate();
    let is_edited = RwSignal::new(false);
    let submit = move |event: SubmitEvent| {
        let form = event.current_target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
        let Some(data) = form.and_then(|form| FormData::new_with_form(&form).ok()) else { return };
        event.prevent_default();
        let mut query = ParamsMap::new();
        for key in address::KEYS.into_iter().chain(["patterns", "draft", "find"]) {
            let all = call(&data, "getAll", &[&JsValue::from_str(key)]).map(JsCast::unchecked_into::<Array>);
            for value in all.iter().flat_map(|all| all.iter()).filter_map(|value| value.as_string()) {
                if !value.is_empty() || key == "patterns" {
                    query.insert(key, value);
                }
            }
        }
        let act = get(&get(&event, "submitter"), "value").as_string().unwrap_or_else(|| "try".to_owned());
        query.insert("do", act);
        navigate(&["/devices", &query.to_query_string()].concat(), NavigateOptions { scroll: false, replace: true, ..NavigateOptions::default() });
    };
    let n = page.own.len();
    let rows: Vec<AnyView> = page.own.iter().enumerate().map(|(nth, one)| field(nth, n, one, page.problem.as_ref())).collect();
    let problem = page.problem.as_ref().filter(|problem| problem.place.is_none()).map(|problem| {
        view! {
            <p class="error-text" role="alert">
                {problem.words.clone()}
            </p>
        }
    });
    let shown = page.preview.as_ref().map(|tried| preview::preview(parts, page, asked, tried, is_edited));
    view! {
        <form
            class="stack"
            method="get"
            action="/devices#patterns"
            aria-label="Topic patterns"
            on:input=move |_| is_edited.set(true)
            on:submit=submit
        >
            // The first button is what the key Enter presses.
            <button class="visually-hidden" type="submit" name="do" value="try" tabindex="-1">
                "Preview the list"
            </button>
            {address::kept(&parts.list(), &parts.asked_topics.get())}
            <input type="hidden" name="draft" value="1"/>
            <ol class="pattern-list stack">{rows}</ol>
            {problem}
            <div class="row">
                <button class="button" type="submit" name="do" value="add" disabled={n >= page.most}>
                    {icon("plus", "")}
                    "Add a pattern"
                </button>
                <input
                    class="input row-end pattern-find"
                    name="find"
                    type="search"
                    value=asked.find.clone()
                    maxlength="200"
                    placeholder="Only topics with"
                    aria-label="Only topics with"
                    autocomplete="off"
                />
                <button class="button button-primary" type="submit" name="do" value="try">
                    "Preview"
                </button>
            </div>
        </form>
        {shown}
    }
    .erase()
}

fn field(nth: usize, n: usize, row: &PatternRow, problem: Option<&PatternProblem>) -> AnyView {
    let bad = problem.filter(|problem| problem.place == Some(nth)).map(|problem| problem.words.clone());
    let (id, about) = (["pt-", &nth.to_string()].concat(), ["pt-e-", &nth.to_string()].concat());
    let name = ["Pattern ", &(nth + 1).to_string()].concat();
    let press = |act: &str| [act, "-", &nth.to_string()].concat();
    let button = |act: &str, verb: &str, sign: &'static str, is_off: bool| {
        view! {
            <button
                class="button button-icon"
                type="submit"
                name="do"
                value=press(act)
                disabled=is_off
                aria-label=[verb, " pattern ", &(nth + 1).to_string()].concat()
            >
                {icon(sign, "")}
            </button>
        }
        .erase()
    };
    let words = if bad.is_none() && !row.text.is_empty() { counts(row) } else { String::new() };
    let is_bad = bad.is_some();
    let bad = bad.map(|words| view! { <span class="error-text">{words}</span> });
    view! {
        <li>
            <div class="pattern-row">
                <input
                    class="input mono"
                    id=id
                    name="patterns"
                    value=row.text.clone()
                    maxlength="1024"
                    autocomplete="off"
                    spellcheck="false"
                    aria-label=name
                    aria-invalid=is_bad.then_some("true")
                    aria-describedby=about.clone()
                />
                {button("up", "Move up", "up", nth == 0)}
                {button("down", "Move down", "down", nth + 1 >= n)}
                {button("remove", "Remove", "close", false)}
            </div>
            <p class="hint" id=about>
                {words}
                {bad}
            </p>
        </li>
    }
    .erase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_the_beginning_of_a_pattern() {
        for (topic, pattern) in
            [("plant/hall/a/power", "plant/hall/{device}/{measure}"), ("a/b", "{device}/{measure}"), ("a", "{device}"), ("", "{device}")]
        {
            assert_eq!(like(topic), pattern);
        }
    }
}
