//! What a page says while it is cut off, and when a form could not be carried out.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::icon;
use crate::erase::{Erase as _, memo, part, text};
use crate::live::{Connection, Live, retry_now};

/// Says that the connection is lost, with the time of the data, what happened meanwhile, or that a form without script was refused.
#[component]
pub fn Banner() -> AnyView {
    let live = Live::expect();
    let is_lost = memo(move || matches!(live.connection.get(), Connection::Lost { .. }));
    // A refused form leads back here with `__err`. What it holds is text of a stranger: it is not shown.
    let refused = use_query_map().with_untracked(|query| query.get_str("__err").is_some());
    view! {
        {part(move || is_lost.get().then(move || lost(live)))}
        // It stands there empty: a region that appears together with its text is not read aloud.
        <div role="status">{part(move || live.notice.get().map(|show| show()))}</div>
        {refused
            .then(|| {
                view! {
                    <div class="banner" data-kind="error" role="alert">
                        {icon("caution", "")}
                        <p>
                            <b>"That was not carried out."</b>
                            " The server refused it: the device may be offline, or your rights may not reach that far."
                        </p>
                    </div>
                }
                    .erase()
            })}
    }
    .erase()
}

fn lost(live: Live) -> AnyView {
    let as_of = text(move || live.lost().map(|t| t.civil(live.utc_offset_s.get()).clock()).unwrap_or_default());
    view! {
        <div class="banner" data-kind="lost" role="alert">
            <span class="spinner" aria-hidden="true"></span>
            <p>
                <b>"Connection lost. Reconnecting, data as of " {as_of} "."</b>
                <br/>
                // The count-down is for the eye: read aloud every second it would drown the rest.
                <span aria-hidden="true">{text(move || attempt_words(live.connection.get()))}</span>
                " Controls are off until the connection is back."
            </p>
            <button class="button" type="button" on:click=move |_| retry_now(live)>
                {icon("retry", "")}
                "Try now"
            </button>
        </div>
    }
    .erase()
}

/// `Attempt 3, next in 4 s.`
pub(super) fn attempt_words(connection: Connection) -> String {
    match connection {
        Connection::Lost { attempt, next_s } => ["Attempt ", &attempt.to_string(), ", next in ", &next_s.to_string(), " s."].concat(),
        _ => String::new(),
    }
}
