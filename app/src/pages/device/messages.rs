//! The last messages of a device, followed while the page is open.

use std::time::Duration;

use domain::device::Device;
use leptos::prelude::*;

use super::address;
use crate::backend::LastMessage;
use crate::components::icon;
use crate::erase::{Erase as _, attr, effect, later, part, spawn};
use crate::live::{Connection, Live};
use crate::server_fns::load_messages;

/// New ones are asked for after this time: a dozen rows, and no code on the socket for one card of one page.
const EVERY: Duration = Duration::from_secs(5);

/// The card of messages, newest first.
pub(super) fn messages(messages: &[LastMessage], device: &Device, utc_offset_s: i32) -> AnyView {
    let live = Live::expect();
    let (list, paused, is_alive) = (RwSignal::new(messages.to_vec()), RwSignal::new(false), RwSignal::new(false));
    let id = device.id.to_string();
    effect(move || {
        is_alive.set(true);
        follow(live, list, paused, id.clone());
    });
    let rows = part(move || list.with(|list| rows(list, utc_offset_s)));
    // Without script there is nothing to pause; the browser takes over what the server drew before anything is added to it.
    let pause = part(move || is_alive.get().then(|| pause(paused)));
    view! {
        <section class="card" aria-labelledby="msg-h">
            <header class="card-head">
                <h2 id="msg-h">"Last messages"</h2>
                {pause}
            </header>
            {rows}
            <footer class="card-foot">
                <a href=address::topic(&device.topic_root) rel="external">
                    "Open in topic explorer"
                </a>
            </footer>
        </section>
    }
    .erase()
}

fn pause(paused: RwSignal<bool>) -> AnyView {
    view! {
        <button
            class="button button-quiet row-end"
            type="button"
            aria-pressed=attr(move || Some(if paused.get() { "true" } else { "false" }))
            on:click=move |_| paused.update(|paused| *paused = !*paused)
        >
            {icon("pause", "")}
            "Pause"
        </button>
    }
    .erase()
}

fn rows(messages: &[LastMessage], utc_offset_s: i32) -> AnyView {
    if messages.is_empty() {
        return view! { <p class="card-body muted">"No message since the server started."</p> }.erase();
    }
    let items: Vec<AnyView> = messages.iter().map(|message| row(message, utc_offset_s)).collect();
    view! { <ol class="messages">{items}</ol> }.erase()
}

fn row(message: &LastMessage, utc_offset_s: i32) -> AnyView {
    let chip = |words: &'static str| view! { " " <i class="chip">{words}</i> };
    view! {
        <li>
            <time datetime=message.at.rfc3339()>{message.at.civil(utc_offset_s).clock()}</time>
            <b>{message.topic.clone()}</b>
            <span>
                {message.payload.clone()} {message.retained.then(|| chip("retained"))} {message.own.then(|| chip("sent by Signalbox"))}
            </span>
        </li>
    }
    .erase()
}

/// Asks again and again, until the page is left. Nothing is asked while it is paused, cut off, or nobody looks.
fn follow(live: Live, list: RwSignal<Vec<LastMessage>>, paused: RwSignal<bool>, id: String) {
    later(EVERY, move || {
        let Some(is_paused) = paused.try_get_untracked() else { return };
        if is_paused || live.connection.get_untracked() != Connection::Up {
            return follow(live, list, paused, id);
        }
        spawn(async move {
            // What cannot be had now comes with the next answer.
            if let Ok(messages) = load_messages(id.clone()).await
                && paused.try_get_untracked() == Some(false)
                && list.try_get_untracked().is_some_and(|shown| shown != messages)
            {
                _ = list.try_set(messages);
            }
            follow(live, list, paused, id);
        });
    });
}
