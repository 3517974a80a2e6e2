//! The tree of topics. Each row is a link that opens its level or shows its topic; what was opened stays so until it is closed.

use std::collections::BTreeMap;
use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, FormData, HtmlElement, HtmlFormElement};

use super::{Parts, counted, patterns, publish, topic};
use crate::components::chart::browser::{call, get};
use crate::components::icon;
use crate::devices::{Branch, Level, TopicsPage, TopicsRequest};
use crate::erase::{Erase as _, attr, effect, part, text};
use crate::tile::words::page_number;

/// What is open: levels by what their topics begin with.
type Open = BTreeMap<String, Level>;

/// The newest topics that came, and what was asked for.
pub(super) type Latest = Memo<Arc<(TopicsPage, TopicsRequest)>>;

/// What the rows share. Cheap to copy.
#[derive(Clone, Copy)]
struct Tree {
    parts: Parts,
    latest: Latest,
    open: RwSignal<Open>,
}

impl Tree {
    /// Closes a level, or opens one that was closed; `false` for one that has to be asked for.
    fn turn(self, prefix: &str, is_open: bool) -> bool {
        if is_open {
            self.open.update(|open| open.retain(|known, _| !known.starts_with(prefix)));
            return true;
        }
        let known = self.latest.with_untracked(|latest| latest.0.levels.iter().find(|(known, _)| known == prefix).cloned());
        // Another one that is looked at has an address of its own.
        let is_looked_at = self.parts.asked_topics.with_untracked(|asked| asked.topic == prefix);
        let Some((prefix, level)) = known.filter(|_| is_looked_at) else { return false };
        self.open.update(|open| _ = open.insert(prefix, level));
        true
    }
}

/// The explorer.
pub(super) fn explorer(parts: Parts) -> AnyView {
    let topics = parts.topics;
    let content = async move {
        match topics.await {
            Ok(first) => {
                let first = Arc::new(first);
                let latest = Memo::new_with_compare(
                    move |before: Option<&Arc<(TopicsPage, TopicsRequest)>>| match topics.get() {
                        Some(Ok(page)) => Arc::new(page),
                        _ => before.cloned().unwrap_or_else(|| Arc::clone(&first)),
                    },
                    |_, _| true,
                );
                content(parts, latest)
            }
            Err(_) => unreadable(),
        }
    };
    view! {
        <section class="card" id="topics" aria-labelledby="tp-h">
            <Transition>{Suspend::new(content)}</Transition>
        </section>
    }
    .erase()
}

fn unreadable() -> AnyView {
    view! {
        <header class="card-head">
            <h2 id="tp-h">"Topic explorer"</h2>
        </header>
        <p class="card-body">
            "These topics cannot be shown. "<a href="/devices" rel="external">
                "Show all topics"
            </a>
        </p>
    }
    .erase()
}

fn content(parts: Parts, latest: Latest) -> AnyView {
    let open = RwSignal::new(latest.with_untracked(|latest| latest.0.levels.iter().cloned().collect::<Open>()));
    let before = StoredValue::new(latest.with_untracked(|latest| latest.1.clone()));
    effect(move || {
        latest.with(|latest| {
            let (page, asked) = &**latest;
            let was = before.get_value();
            before.set_value(asked.clone());
            open.update(|open| {
                if was.filter != asked.filter {
                    open.clear();
                }
                for (prefix, level) in &page.levels {
                    // What comes again by itself opens nothing that was closed meanwhile.
                    if was != *asked || open.contains_key(prefix) {
                        open.insert(prefix.clone(), level.clone());
                    }
                }
            });
        });
    });
    let counted = move || {
        latest.with(|latest| {
            let page = &latest.0;
            [&*counted(page.n_known, "topic", "topics"), ", ", &page_number(page.per_s, Some(0)), " msg/s"].concat()
        })
    };
    let rows = move || {
        let looked_at = parts.asked_topics.with(|asked| asked.topic.clone());
        open.with(|levels| level(Tree { parts, latest, open }, levels, "", &looked_at))
    };
    let nothing = move || latest.with(|latest| nothing(&latest.0, &latest.1));
    view! {
        <header class="card-head">
            <h2 id="tp-h">"Topic explorer"</h2>
            <p class="row-end">{text(counted)}</p>
            {part(move || patterns::link(parts, "", "Topic patterns"))}
        </header>
        {filter_form(parts, latest)}
        {part(nothing)}
        <ul class="tree" role="tree" aria-label="Topics" on:keydown=|event| keys(&event)>
            {part(rows)}
        </ul>
        {part(move || latest.with(|latest| topic::details(parts, &latest.0)))}
        {publish::form(parts, latest)}
    }
    .erase()
}

fn nothing(page: &TopicsPage, asked: &TopicsRequest) -> Option<AnyView> {
    let words = if page.n_known == 0 {
        "No message yet. Topics appear as soon as something is published."
    } else if page.levels.first().is_some_and(|(_, level)| level.branches.is_empty()) && !asked.filter.is_empty() {
        "No topic passes this filter."
    } else {
        return None;
    };
    Some(view! { <p class="card-body muted">{words}</p> }.erase())
}

fn filter_form(parts: Parts, latest: Latest) -> AnyView {
    let navigate = use_navigate();
    let go = Arc::new(move |form: &HtmlFormElement| {
        let Ok(data) = FormData::new_with_form(form) else { return };
        let filter = data.get("topics").as_string().unwrap_or_default();
        let to = untrack(|| parts.to_topics(|topics| *topics = TopicsRequest { filter: filter.trim().to_owned(), ..TopicsRequest::default() }));
        navigate(&to, NavigateOptions { scroll: false, ..NavigateOptions::default() });
    });
    let changed = Arc::clone(&go);
    let form_of = |event: &web_sys::Event| event.current_target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
    let keep = move || {
        let list = parts.list();
        let fields = [
            ("q", list.q),
            ("status", list.status),
            ("area", list.area),
            ("convention", list.convention),
            ("sort", list.sort),
            ("cursor", list.cursor),
        ];
        let shown = fields.into_iter().filter(|(_, value)| !value.is_empty());
        shown.map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()
    };
    let problem = move || latest.with(|latest| latest.0.problem.clone());
    let filter = latest.with_untracked(|latest| latest.1.filter.clone());
    let is_bad = attr(move || (!problem().is_empty()).then_some("true"));
    let said = move || Some(problem()).filter(|words| !words.is_empty()).map(|words| view! { <p class="error-text">{words}</p> });
    view! {
        <form
            class="explorer-filter"
            method="get"
            action="/devices#topics"
            role="search"
            aria-label="Topics"
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
            <label class="visually-hidden" for="tf">
                "Filter topics"
            </label>
            <input
                class="input"
                id="tf"
                name="topics"
                type="search"
                placeholder="Filter, for example greenhouse/#"
                maxlength="1024"
                value=filter
                autocomplete="off"
                aria-invalid=is_bad
                aria-describedby="tf-e"
            />
            <div id="tf-e">{part(said)}</div>
            {part(keep)}
        </form>
    }
    .erase()
}

/// The rows of a level and of those that are open below it.
fn level(tree: Tree, open: &Open, prefix: &str, looked_at: &str) -> Vec<AnyView> {
    let Some(Level { branches, is_more }) = open.get(prefix) else { return vec![] };
    let mut rows: Vec<AnyView> = branches.iter().map(|branch| row(tree, open, branch, looked_at)).collect();
    if *is_more {
        let words = ["Only the first ", &branches.len().to_string(), " are shown: filter for the others."].concat();
        rows.push(view! { <li role="none" class="hint">{words}</li> }.erase());
    }
    rows
}

fn row(tree: Tree, open: &Open, branch: &Branch, looked_at: &str) -> AnyView {
    let Branch { name, path, n_below, is_topic, last } = branch.clone();
    let below = [&path, "/"].concat();
    let has_below = n_below > 0;
    let is_open = has_below && open.contains_key(&below);
    let is_looked_at = looked_at == path || (has_below && looked_at == below);
    // Where it leads without script: into the level, or out of it again.
    let target = match (has_below, is_open) {
        (false, _) => path.clone(),
        (true, false) => below.clone(),
        (true, true) => path.rfind('/').map_or_else(String::new, |at| path[..=at].to_owned()),
    };
    let href = tree.parts.to_topics(|topics| topics.topic = target);
    let press = move |event: leptos::ev::MouseEvent| {
        // A press with a key held down opens a window of its own.
        if has_below && !event.ctrl_key() && !event.meta_key() && !event.shift_key() && tree.turn(&below, is_open) {
            event.prevent_default();
        }
    };
    let sign = match (has_below, is_open) {
        (false, _) => icon("tag", ""),
        (true, false) => icon("right", ""),
        (true, true) => icon("down", ""),
    };
    let n = (has_below && !is_open).then(|| view! { <small class="muted">{counted(n_below, "topic", "topics")}</small> });
    let last = is_topic.then(|| view! { <span class="tree-last">{last}</span> });
    let inner = is_open.then(|| {
        let rows = level(tree, open, &[&branch.path, "/"].concat(), looked_at);
        view! { <ul role="group">{rows}</ul> }
    });
    // A level may have no name: `a//b`.
    let name = if name.is_empty() { "(empty)".to_owned() } else { name };
    view! {
        <li role="none">
            <a
                class="tree-row"
                role="treeitem"
                href=href
                data-noscroll=""
                aria-expanded=has_below.then_some(if is_open { "true" } else { "false" })
                aria-selected=if is_looked_at { "true" } else { "false" }
                on:click=press
            >
                {sign}
                <b>{name}</b>
                {n}
                {last}
            </a>
            {inner}
        </li>
    }
    .erase()
}

/// Arrow keys, as in any tree.
fn keys(event: &KeyboardEvent) {
    let Some(item) = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else { return };
    let expanded = item.get_attribute("aria-expanded");
    let to = match event.key().as_str() {
        "ArrowDown" => below(&item),
        "ArrowUp" => above(&item),
        "ArrowRight" if expanded.as_deref() == Some("false") => {
            _ = call(&item, "click", &[]);
            None
        }
        "ArrowRight" => first_inside(&item),
        "ArrowLeft" if expanded.as_deref() == Some("true") => {
            _ = call(&item, "click", &[]);
            None
        }
        "ArrowLeft" => around(&item),
        _ => return,
    };
    event.prevent_default();
    if let Some(to) = to.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        _ = to.focus();
    }
}

/// An element beside or around another.
fn near(element: &Element, property: &str) -> Option<Element> {
    get(element, property).dyn_into().ok()
}

fn first_inside(item: &Element) -> Option<Element> {
    near(item, "nextElementSibling")?.query_selector("a").ok()?
}

/// The item of the level around.
fn around(item: &Element) -> Option<Element> {
    let group: Element = call(item, "closest", &[&JsValue::from_str("[role=group]")])?.dyn_into().ok()?;
    near(&group, "previousElementSibling")
}

fn below(item: &Element) -> Option<Element> {
    first_inside(item).or_else(|| {
        let mut at = Some(item.clone());
        while let Some(item) = at {
            let row = near(&item, "parentElement")?;
            let next = near(&row, "nextElementSibling").and_then(|row| row.query_selector("a").ok()?);
            if next.is_some() {
                return next;
            }
            at = around(&item);
        }
        None
    })
}

fn above(item: &Element) -> Option<Element> {
    let row = near(item, "parentElement")?;
    let Some(row) = near(&row, "previousElementSibling") else { return around(item) };
    let mut last = row.query_selector("a").ok()??;
    // The last one inside of what is open there.
    while let Some(group) = near(&last, "nextElementSibling") {
        last = near(&group, "lastElementChild")?.query_selector("a").ok()??;
    }
    Some(last)
}
