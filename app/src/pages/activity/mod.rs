//! The log of what was done.

use std::sync::Arc;

use domain::time::Timestamp;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

/// The address: it carries every filter.
mod address;
/// Choosing what is shown.
mod filters;
/// The entries.
mod rows;

use crate::backend::{ActivityPage, ActivityRequest};
use crate::components::icon;
use crate::erase::{Erase as _, attr, memo, part, text};
use crate::live::{Connection, Live};
use crate::pages::trouble::{followed, or_trouble};
use crate::server_fns::{count_activity, load_activity};

/// How often a page that is open asks whether there is more, in seconds.
const ASK_EVERY_S: i64 = 3;

/// A page, and what was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Loaded {
    page: ActivityPage,
    asked: ActivityRequest,
}

/// The page of the log.
#[component]
pub fn Activity() -> AnyView {
    let query = use_query_map();
    let asked = memo(move || query.with(address::read));
    let again = RwSignal::new(0_u32);
    let fetch = |(asked, _): (ActivityRequest, u32)| async move {
        let page = or_trouble(load_activity(asked.clone()).await).await?;
        Ok(Loaded { page, asked })
    };
    let data = Resource::new_blocking(move || (asked.get(), again.get()), fetch);
    let content = move |loaded| view! { <Title text="Activity · Signalbox"/> {log(loaded, again)} }.erase();
    followed(data, |loaded: &Loaded| loaded.page.shell.clone(), content)
}

fn log(loaded: Memo<Arc<Loaded>>, again: RwSignal<u32>) -> AnyView {
    let live = Live::expect();
    view! {
        <header class="page-head">
            <div class="page-title">
                <h1>"Activity"</h1>
                <p>"Who did what, and whether the device confirmed it"</p>
            </div>
        </header>
        {filters::filters(live, loaded)}
        {part(move || loaded.with(|loaded| range(live, &loaded.asked)))}
        {news(live, loaded, again)}
        {part(move || loaded.with(|loaded| rows::rows(loaded)))}
    }
    .erase()
}

/// From when to when, where not everything is asked for.
fn range(live: Live, asked: &ActivityRequest) -> Option<AnyView> {
    let words = |text: &str| match text.parse() {
        Ok(ms) => {
            let civil = Timestamp::from_ms(ms).civil(live.utc_offset_s.get());
            [&civil.date(), " ", &civil.clock()].concat()
        }
        // As somebody wrote it.
        Err(_) => text.to_owned(),
    };
    let words = match (asked.from.as_str(), asked.to.as_str()) {
        ("", "") => return None,
        (from, "") => format!("From {}.", words(from)),
        ("", to) => format!("Before {}.", words(to)),
        (from, to) => format!("From {} to {}.", words(from), words(to)),
    };
    let all = address::write(&ActivityRequest { from: String::new(), to: String::new(), cursor: String::new(), ..asked.clone() });
    let view = view! {
        <p class="hint row">
            {words} " " <a href=all>"Show all times"</a>
        </p>
    };
    Some(view.erase())
}

/// `3 new entries`: they wait behind a button, so that nothing moves under a reader's eyes.
fn news(live: Live, loaded: Memo<Arc<Loaded>>, again: RwSignal<u32>) -> AnyView {
    let n = RwSignal::new(0_usize);
    Effect::new(move |_| {
        // Another page of the log, or a newer one: what is new is counted anew.
        loaded.track();
        n.set(0);
    });
    Effect::new(move |_| {
        let Some(now) = live.now.get() else { return };
        let (asked, newest) = loaded.with_untracked(|loaded| (loaded.asked.clone(), loaded.page.rows.first().map(|row| row.id.clone())));
        // On an older page nothing new would come in front.
        let is_due = now.as_ms().div_euclid(1_000) % ASK_EVERY_S == 0 && live.connection.get_untracked() == Connection::Up;
        if !is_due || !asked.cursor.is_empty() || document().hidden() {
            return;
        }
        spawn_local(async move {
            if let Ok(found) = count_activity(asked.clone(), newest.unwrap_or_default()).await
                // The answer may be one to a page that is gone.
                && loaded.try_with_untracked(|loaded| loaded.asked == asked) == Some(true)
                && n.get_untracked() != found
            {
                n.set(found);
            }
        });
    });
    let words = move || match n.get() {
        1 => "1 new entry".to_owned(),
        n if n >= 99 => "99 or more new entries".to_owned(),
        n => [&n.to_string(), " new entries"].concat(),
    };
    view! {
        <p class="new-rows" role="status">
            <button class="button" type="button" hidden=attr(move || (n.get() == 0).then_some("")) on:click=move |_| again.update(|n| *n += 1)>
                {icon("up", "")}
                <span>{text(words)}</span>
            </button>
        </p>
    }
    .erase()
}
