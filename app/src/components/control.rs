//! Controls of kinds that few plants have: numbers, selects, texts, buttons, covers. Plain forms, drawn by the server. The code that brings them to
//! life comes when a page shows the first one; until then a form posts itself.

use std::sync::Arc;

use domain::command::Action;
use domain::control::Limits;
use domain::entity::EntityKind;
use domain::live::EntityView;
use domain::value::{CoverState, Value, number_words};
use leptos::prelude::*;

use super::icon;
use super::switch::can_switch;
use crate::backend::BackendError;
use crate::erase::{Erase as _, attr, effect, memo, part, spawn, text};
use crate::live::{Entry, Live, Notice};
use crate::pages::lazy::{RETRY, pause};
use crate::rare::with_rare;
use crate::server_fns::load_limits;
use crate::status::ON_SERVER;
use crate::tile::asked::Phase;

/// The place of a control: what the server drew, until its code is there.
pub fn slot(entry: &Entry) -> AnyView {
    let place = RwSignal::new(None::<Notice>);
    let (entry, held) = (entry.clone(), entry.clone());
    effect(move || {
        let entry = held.clone();
        with_rare(move |rare| (rare.control)(entry, place));
    });
    part(move || match place.get() {
        Some(control) => control(),
        None if ON_SERVER => view! { <div class="control">{control(&entry, &entry.view.with_untracked(EntityView::limits))}</div> }.erase(),
        // The browser leaves alone what stands there.
        None => view! { <div class="control"></div> }.erase(),
    })
    .erase()
}

/// Makes the control of an entity and puts it into its place, once it is known what can be set.
pub fn fill(entry: Entry, place: RwSignal<Option<Notice>>) {
    spawn(async move {
        let limits = loop {
            match load_limits(entry.id.as_str().to_owned()).await {
                Ok(limits) => break limits,
                // It is gone, or nobody may look: what the server drew stays.
                Err(BackendError::NotFound(_) | BackendError::Forbidden(_) | BackendError::Invalid(_)) => return,
                Err(BackendError::Internal) => pause(RETRY).await,
            }
        };
        let show: Notice = Arc::new(move || view! { <div class="control">{control(&entry, &limits)}</div> }.erase());
        // The tile may be gone by now.
        _ = place.try_set(Some(show));
    });
}

/// The control of an entity.
fn control(entry: &Entry, limits: &Limits) -> AnyView {
    match entry.view.with_untracked(|view| view.kind) {
        EntityKind::Button => form(entry, press(entry, Action::Press {}, "Press", "")),
        EntityKind::Cover => cover(entry),
        kind => field(entry, kind, limits.clone()),
    }
}

/// A form around buttons, each of which says what is asked.
fn form(entry: &Entry, content: AnyView) -> AnyView {
    view! {
        <form class="control-form" method="post" action="/fn/command">
            <input type="hidden" name="entity" value=entry.id.as_str().to_owned()/>
            {content}
        </form>
    }
    .erase()
}

/// Nobody may use it now, or it is on its way.
fn lock(entry: &Entry) -> impl Fn() -> Option<&'static str> + Send + Clone + 'static {
    let (live, held) = (Live::expect(), entry.clone());
    let able = memo(move || can_switch(live, &held));
    move || (!able.get()).then_some("")
}

/// A button that asks for something at once: with a word, or with a sign and the word for those who do not see it.
fn press(entry: &Entry, action: Action, word: &'static str, sign: &'static str) -> AnyView {
    let live = Live::expect();
    let name = entry.view.with_untracked(|view| [word, " ", &view.name].concat());
    let class = if sign.is_empty() { "button" } else { "button button-icon" };
    let value = action.as_str();
    let (asked, own) = (entry.asked.clone(), action.clone());
    let busy = attr(move || {
        let is_own = asked.with(|asked| asked.as_ref().is_some_and(|asked| asked.phase == Phase::Pending && asked.action == own));
        is_own.then_some("true")
    });
    let of = entry.clone();
    view! {
        <button
            class=class
            type="submit"
            name="action"
            value=value
            aria-label=name
            aria-busy=busy
            disabled=attr(lock(entry))
            on:click=move |event| {
                if live.ask(&of, action.clone()) {
                    event.prevent_default();
                }
            }
        >
            {(!sign.is_empty()).then(|| icon(sign, ""))}
            {sign.is_empty().then_some(word)}
        </button>
    }
    .erase()
}

/// Open, stop, close; and where it stands, if it says so.
fn cover(entry: &Entry) -> AnyView {
    let buttons = [(Action::Open {}, "Open", "up"), (Action::Stop {}, "Stop", "pause"), (Action::Close {}, "Close", "down")];
    let buttons = buttons.map(|(action, word, sign)| press(entry, action, word, sign)).into_iter().collect_view().erase();
    let view = entry.view.clone();
    let has_position = memo(move || view.with(|view| position(view.v.as_ref()).is_some()));
    let of = entry.clone();
    view! {
        {form(entry, buttons)}
        {part(move || has_position.get().then(|| opening(&of)))}
    }
    .erase()
}

fn position(value: Option<&Value>) -> Option<u8> {
    match value {
        Some(Value::Cover(CoverState { position, .. })) => *position,
        _ => None,
    }
}

/// How far a cover is open.
fn opening(entry: &Entry) -> AnyView {
    let live = Live::expect();
    let name = entry.view.with_untracked(|view| [&view.name, " position, percent"].concat());
    let dragged = RwSignal::new(None::<u8>);
    let view = entry.view.clone();
    let shown = memo(move || dragged.get().or_else(|| view.with(|view| position(view.v.as_ref()))).unwrap_or_default().to_string());
    let of = entry.clone();
    let release = move |event: leptos::ev::Event| {
        if let Ok(position) = event_target_value(&event).parse::<u8>() {
            _ = live.ask_for(&of, Action::Set(Box::default()), &format!(",\"position\":{position}"));
        }
        dragged.set(None);
    };
    let fader = view! {
        <input type="hidden" name="action" value="set"/>
        <label class="fader fader-point">
            <span>"Position"</span>
            <output>{text(move || [&*shown.get(), " %"].concat())}</output>
            <input
                type="range"
                name="position"
                min="0"
                max="100"
                value=shown.get_untracked()
                prop:value=move || shown.get()
                aria-label=name
                disabled=attr(lock(entry))
                on:input=move |event| dragged.set(event_target_value(&event).parse().ok())
                on:change=release
            />
        </label>
        <button class="text-button no-script" type="submit">
            "Set"
        </button>
    };
    form(entry, fader.erase())
}

/// A number, a text or one of some words, and the button that asks for it.
fn field(entry: &Entry, kind: EntityKind, limits: Limits) -> AnyView {
    let live = Live::expect();
    let (name, unit) = entry.view.with_untracked(|view| (view.name.clone(), view.unit.clone()));
    let draft = RwSignal::new(None::<String>);
    let view = entry.view.clone();
    let reported = memo(move || view.with(|view| view.v.as_ref().map(|value| value.words(view.precision).into_owned()).unwrap_or_default()));
    let shown = move || draft.get().unwrap_or_else(|| reported.get());
    let asked = entry.asked.clone();
    let phase = memo(move || asked.with(|asked| asked.as_ref().map(|asked| asked.phase)));
    // What was typed stands there until the device has taken it.
    effect(move || {
        if phase.get() == Some(Phase::Confirmed) {
            draft.set(None);
        }
    });
    let typed = move |event: leptos::ev::Event| draft.set(Some(event_target_value(&event)));
    let first = shown_untracked(draft, reported);
    let number = |n: Option<f64>| n.map(|n| number_words(n, Some(6)));
    let input = match kind {
        EntityKind::Select if !limits.options.is_empty() => {
            let options = limits.options.into_iter().map(|word| {
                let (is, value, selected) = (word.clone(), word.clone(), word == first);
                view! {
                    <option value=value selected=selected prop:selected=move || shown() == is>
                        {word}
                    </option>
                }
            });
            view! {
                <select class="select" name="value" aria-label=name.clone() disabled=attr(lock(entry)) on:change=typed>
                    {first.is_empty().then(|| view! { <option value="" disabled="" selected="" hidden=""></option> })}
                    {options.collect_view()}
                </select>
            }
            .erase()
        }
        EntityKind::Number => view! {
            <input
                class="input"
                name="value"
                type="number"
                required=""
                inputmode="decimal"
                min=number(limits.min)
                max=number(limits.max)
                step=number(limits.step).unwrap_or_else(|| "any".to_owned())
                value=first
                prop:value=shown
                aria-label=unit.map_or_else(|| name.clone(), |unit| [&name, ", ", &unit].concat())
                disabled=attr(lock(entry))
                on:input=typed
            />
        }
        .erase(),
        _ => view! {
            <input
                class="input"
                name="value"
                type="text"
                required=""
                maxlength="255"
                autocomplete="off"
                value=first
                prop:value=shown
                aria-label=name.clone()
                disabled=attr(lock(entry))
                on:input=typed
            />
        }
        .erase(),
    };
    let of = entry.clone();
    let submit = move |event: leptos::ev::SubmitEvent| {
        // A text always encodes.
        let value = serde_json::to_string(&untrack(shown)).unwrap_or_default();
        if live.ask_for(&of, Action::Set(Box::default()), &format!(",\"value\":{value}")) {
            event.prevent_default();
        }
    };
    view! {
        <form class="control-form" method="post" action="/fn/command" on:submit=submit>
            <input type="hidden" name="entity" value=entry.id.as_str().to_owned()/>
            <input type="hidden" name="action" value="set"/>
            {input}
            <button
                class="button"
                type="submit"
                aria-label=["Set ", &name].concat()
                aria-busy=attr(move || (phase.get() == Some(Phase::Pending)).then_some("true"))
                disabled=attr(lock(entry))
            >
                {text(move || if phase.get() == Some(Phase::Failed) { "Retry" } else { "Set" })}
            </button>
        </form>
    }
    .erase()
}

fn shown_untracked(draft: RwSignal<Option<String>>, reported: Memo<String>) -> String {
    draft.get_untracked().unwrap_or_else(|| reported.get_untracked())
}
