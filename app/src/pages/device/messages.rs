//! The last messages of a device.

use leptos::prelude::*;

use crate::backend::LastMessage;
use crate::erase::Erase as _;

/// The card of messages, newest first.
pub(super) fn messages(messages: &[LastMessage], utc_offset_s: i32) -> AnyView {
    let items = messages.iter().map(|message| {
        view! {
            <li>
                <time datetime=message.at.rfc3339()>{message.at.civil(utc_offset_s).clock()}</time>
                <b>{message.topic.clone()}</b>
                <span>{message.payload.clone()} {message.retained.then(|| view! { " " <i class="chip">"retained"</i> })}</span>
            </li>
        }
    });
    let list = if messages.is_empty() {
        view! { <p class="card-body muted">"No message since the server started."</p> }.erase()
    } else {
        view! { <ol class="messages">{items.collect_view()}</ol> }.erase()
    };
    view! {
        <section class="card" aria-labelledby="msg-h">
            <header class="card-head">
                <h2 id="msg-h">"Last messages"</h2>
            </header>
            {list}
        </section>
    }
    .erase()
}
