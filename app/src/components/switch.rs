//! The switch of a tile. `aria-checked` is always the reported state; what was asked for is pending until the device agrees.

use domain::command::Action;
use domain::quality::Quality;
use domain::value::Value;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::erase::{Erase as _, attr, memo};
use crate::live::{Entry, Live};
use crate::tile::asked::Phase;

/// Whether the entity can be switched now: rights, connection, broker, device.
#[must_use]
pub fn can_switch(live: Live, entry: &Entry) -> bool {
    live.may_act() && entry.view.with(|view| view.settable && view.q != Quality::Offline && !live.is_cut(view))
}

/// A form around the switch, so that it works without script; with script the press goes out over the socket.
#[component]
pub fn Switch(
    /// Whose.
    entry: Entry,
    /// Id of the element that names it.
    labelledby: String,
    /// Id of the element that tells its state.
    describedby: String,
) -> AnyView {
    let live = Live::expect();
    let view = entry.view.clone();
    let on = memo(move || view.with(|view| view.v.as_ref().and_then(Value::is_on) == Some(true)));
    let asked = entry.asked.clone();
    let phase = memo(move || asked.with(|asked| asked.as_ref().map(|asked| (asked.phase, asked.target()))));
    // A change of brightness is pending too, but the thumb stays where it is.
    let target = attr(move || match phase.get() {
        Some((Phase::Pending, target)) if (target == "on") != on.get() => Some(target),
        _ => None,
    });
    let pending = move || matches!(phase.get(), Some((Phase::Pending, _)));
    let held = entry.clone();
    let able = memo(move || can_switch(live, &held));
    let id = entry.id.as_str().to_owned();
    let submit = move |event: SubmitEvent| {
        let action = if on.get_untracked() { Action::TurnOff {} } else { Action::TurnOn { brightness: None, color_temp: None } };
        // Before the socket is open the form posts itself.
        if live.ask(&entry, action) {
            event.prevent_default();
        }
    };
    view! {
        <form class="inline-form" method="post" action="/fn/command" on:submit=submit>
            <input type="hidden" name="entity" value=id/>
            <input type="hidden" name="action" value=attr(move || Some(if on.get() { "turn_off" } else { "turn_on" }))/>
            <button
                class="switch"
                type="submit"
                role="switch"
                aria-checked=attr(move || Some(if on.get() { "true" } else { "false" }))
                aria-labelledby=labelledby
                aria-describedby=describedby
                data-command=attr(move || phase.get().map(|(phase, _)| phase.as_str()))
                data-target=target
                aria-busy=attr(move || pending().then_some("true"))
                disabled=attr(move || (!able.get()).then_some(""))
            >
                <span class="switch-track">
                    <span class="switch-thumb"></span>
                </span>
            </button>
        </form>
    }
    .erase()
}
