//! Choosing the range and how it is shown: links, because each view has an address.

use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;
use web_sys::{FormData, HtmlFormElement};

use crate::components::chart::model::period_before;
use crate::components::icon;
use crate::erase::Erase as _;
use crate::pages::history::address::{PRESETS, View};
use domain::time::Timestamp;

/// The lengths, a range of one's own, a step back, a step forward, and three switches.
pub(super) fn toolbar(view: &View, utc_offset_s: i32) -> AnyView {
    let current = view.preset();
    let presets = PRESETS.map(|preset| {
        let is_current = (Some(preset) == current).then_some("true");
        view! {
            <a href=view.with_preset(preset) aria-current=is_current>
                {preset.label}
            </a>
        }
    });
    let forward_label = format!("{} forward", view.step());
    // The present has no later side: the place stays, so that the step back does not move.
    let forward = view.forward();
    let is_last = forward.is_none().then_some("true");
    let meter = view.meter.map(|is_shown| {
        view! {
            <a class="button toggle" href=view.with_meter(!is_shown) aria-current=on(is_shown)>
                "Meter reading"
            </a>
        }
    });
    let compare = format!("Compare with {}", period_before(view.range));
    view! {
        <div class="toolbar no-print">
            <div class="seg seg-scroll" role="group" aria-label="Period">
                {presets.into_iter().collect_view()}
            </div>
            {custom(view, utc_offset_s)}
            <div class="row">
                <a class="button button-icon" href=view.back() aria-label=format!("{} back", view.step())>
                    {icon("left", "")}
                </a>
                <a class="button button-icon" href=forward role=is_last.map(|_| "link") aria-disabled=is_last aria-label=forward_label>
                    {icon("right", "")}
                </a>
            </div>
            <a class="button toggle" href=view.with_compare(!view.compare) aria-current=on(view.compare)>
                {icon("compare", "")}
                <span class="fold">{compare}</span>
            </a>
            <a class="button toggle" href=view.with_band(!view.has_band) aria-current=on(view.has_band)>
                <span>"Band"<span class="visually-hidden">" of smallest and largest"</span></span>
            </a>
            {meter}
            <a class="button toggle" href=view.with_live(!view.is_live) aria-current=on(view.is_live)>
                "Live"
            </a>
            <a class="button only-narrow" href="#series" rel="external">
                {icon("plus", "")}
                <span class="fold">"Choose series"</span>
            </a>
        </div>
    }
    .erase()
}

fn on(is_on: bool) -> Option<&'static str> {
    is_on.then_some("true")
}

/// A range of one's own: a form that works without script, and needs no new page with it.
fn custom(view: &View, utc_offset_s: i32) -> AnyView {
    let navigate = use_navigate();
    let (held, entities) = (view.clone(), view.chosen.clone());
    let submit = move |event: leptos::ev::SubmitEvent| {
        let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
        let Some(data) = form.and_then(|form| FormData::new_with_form(&form).ok()) else { return };
        event.prevent_default();
        let field = |name| data.get(name).as_string().unwrap_or_default();
        navigate(&held.with_civil(&field("from"), &field("to")), leptos_router::NavigateOptions::default());
        if let Ok(Some(menu)) = document().query_selector("details.menu[open]") {
            _ = menu.remove_attribute("open");
        }
    };
    let hidden = view.options().into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> });
    let entities = entities.into_iter().map(|id| view! { <input type="hidden" name="e" value=id.as_str().to_owned()/> });
    view! {
        <details class="menu" data-align="start">
            <summary class="button" aria-current=on(view.preset().is_none())>
                {icon("calendar", "")}
                <span class="fold">"Custom"</span>
            </summary>
            <div class="menu-panel">
                <form class="menu-form" method="get" action="/history" on:submit=submit>
                    {entities.collect_view()}
                    {hidden.collect_view()}
                    <div class="field">
                        <label for="h-from">"From"</label>
                        <input class="input" id="h-from" name="from" type="datetime-local" required value=local(view.range.from, utc_offset_s)/>
                    </div>
                    <div class="field">
                        <label for="h-to">"To"</label>
                        <input class="input" id="h-to" name="to" type="datetime-local" required value=local(view.range.to, utc_offset_s)/>
                    </div>
                    <button class="button button-primary button-block" type="submit">
                        "Show"
                    </button>
                </form>
            </div>
        </details>
    }
    .erase()
}

/// A moment as a form's field takes it: `2026-06-11T14:03`.
fn local(at: Timestamp, utc_offset_s: i32) -> String {
    let civil = at.civil(utc_offset_s);
    format!("{:04}-{:02}-{:02}T{}", civil.year, civil.month, civil.day, civil.hour_minute())
}
