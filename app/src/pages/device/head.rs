//! What can be done with a device, and what was done.

use domain::device::{Area, Device};
use domain::quality::Quality;
use leptos::prelude::*;

use super::{Ways, address};
use crate::components::icon;
use crate::device::{DeviceMore, done_words};
use crate::erase::{Erase as _, effect};
use crate::live::{Entry, Live};

/// What the form before did, or was refused for.
pub(super) fn told(live: Live, more: &DeviceMore) -> Option<AnyView> {
    if !more.problem.is_empty() {
        let problem = more.problem.clone();
        return Some(
            view! {
                // That something was refused, the frame says in a region that is read aloud.
                <div class="banner" data-kind="error" id="problem">
                    {icon("caution", "")}
                    <p>{problem}</p>
                </div>
            }
            .erase(),
        );
    }
    let words = done_words(&more.done)?;
    effect(move || live.status.set(words.to_owned()));
    Some(
        view! {
            <div class="banner" data-kind="done">
                {icon("check", "")}
                <p>{words}</p>
            </div>
        }
        .erase(),
    )
}

/// Rename, area, hide or show, and the rest in a menu. Those who only look find out why there is no data.
pub(super) fn actions(live: Live, device: &Device, more: &DeviceMore, entries: &[Entry], ways: &Ways) -> AnyView {
    let ask = worst(entries).map(|entry| {
        view! {
            <a class="menu-item" href=address::why(&device.id, entry.id.as_str()) rel="external">
                {icon("unknown", "")}
                "Why is there no data?"
            </a>
        }
        .erase()
    });
    let can_change = ways.may_act && more.is_changeable;
    let change = can_change.then(|| {
        let are_hidden = !entries.is_empty() && entries.iter().all(|entry| entry.view.with_untracked(|view| view.hidden));
        let hide = (!entries.is_empty()).then(|| hide(device, are_hidden));
        view! {
            <a class="button" href=address::edit(&device.id, "name") rel="external">
                {icon("edit", "")}
                "Rename"
            </a>
            {areas(live, device, more)}
            {hide}
        }
    });
    let rest = can_change.then(|| {
        let zigbee = more.zigbee.is_some().then(|| {
            let item = |what: &str, sign: &'static str, word: &'static str| {
                view! {
                    <a class="menu-item" href=address::edit(&device.id, what) rel="external">
                        {icon(sign, "")}
                        {word}
                    </a>
                }
                .erase()
            };
            [
                item("zigbee-join", "plus", "Let devices join"),
                item("zigbee-name", "edit", "Rename on Zigbee network"),
                item("zigbee-remove", "trash", "Remove from Zigbee network"),
            ]
            .collect_view()
        });
        view! {
            <a class="menu-item" href=address::edit(&device.id, "merge") rel="external">
                {icon("merge", "")}
                "Merge with another device"
            </a>
            <a class="menu-item" href=address::edit(&device.id, "remove") rel="external">
                {icon("trash", "")}
                "Remove"
            </a>
            {zigbee}
        }
    });
    let menu = (ask.is_some() || rest.is_some()).then(|| {
        view! {
            <details class="menu" data-align="end">
                <summary class="button button-icon" aria-label="More actions">
                    {icon("more", "")}
                </summary>
                <div class="menu-panel">{ask} {rest}</div>
            </details>
        }
    });
    view! { <div class="actions">{change} {menu}</div> }.erase()
}

/// The entity that most needs an answer: one that shows nothing fresh, or the first.
fn worst(entries: &[Entry]) -> Option<&Entry> {
    let rank = |entry: &&Entry| {
        entry.view.with_untracked(|view| match view.q {
            Quality::Unknown => 0,
            Quality::Offline => 1,
            Quality::Bad => 2,
            Quality::Stale => 3,
            Quality::Retained => 4,
            Quality::Good => 5,
        })
    };
    entries.iter().min_by_key(rank)
}

fn hide(device: &Device, are_hidden: bool) -> AnyView {
    let (act, word, sign) = if are_hidden { ("show", "Show", "eye") } else { ("hide", "Hide", "eye-off") };
    view! {
        <form class="inline-form" method="post" action="/fn/device_change">
            <input type="hidden" name="id" value=device.id.to_string()/>
            <input type="hidden" name="act" value=act/>
            <button class="button" type="submit">
                {icon(sign, "")}
                {word}
            </button>
        </form>
    }
    .erase()
}

fn areas(live: Live, device: &Device, more: &DeviceMore) -> AnyView {
    let (name, sign) = match &device.area {
        Some(id) => {
            let area = more.areas.iter().find(|area| area.id == *id);
            (area.map_or_else(|| live.area_name(id), |area| area.name.clone()), area.and_then(|area| area.icon.clone()))
        }
        None => ("No area".to_owned(), None),
    };
    let choices: Vec<AnyView> = more.areas.iter().map(|area| choice(area, device.area.as_ref() == Some(&area.id))).collect();
    view! {
        <details class="menu" data-align="end">
            <summary class="button">
                <span class="visually-hidden">"Area: "</span>
                {icon(sign.as_deref().unwrap_or("pin"), "")}
                <span class="clip">{name}</span>
                {icon("down", "")}
            </summary>
            <form class="menu-panel menu-scroll" method="post" action="/fn/device_change">
                <input type="hidden" name="id" value=device.id.to_string()/>
                <input type="hidden" name="act" value="area"/>
                <div class="menu-title">"Area"</div>
                {choices}
                <button class="menu-item" type="submit" name="area" value="-">
                    {icon("retry", "")}
                    "Where it was found"
                </button>
                <a class="menu-item" href=address::edit(&device.id, "area") rel="external">
                    {icon("plus", "")}
                    "New area"
                </a>
            </form>
        </details>
    }
    .erase()
}

fn choice(area: &Area, is_here: bool) -> AnyView {
    let sign = if is_here { "check" } else { area.icon.as_deref().unwrap_or("pin") };
    view! {
        <button class="menu-item" type="submit" name="area" value=area.id.to_string() aria-current=is_here.then_some("true")>
            {icon(sign, "")}
            {area.name.clone()}
        </button>
    }
    .erase()
}
