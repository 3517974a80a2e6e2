//! "While you were away": what happened while the page was cut off, the browser slept, or nobody looked.

use std::sync::Arc;
use std::time::Duration;

use domain::time::Timestamp;
use leptos::prelude::*;

use super::icon;
use crate::backend::{ActivityRow, Away};
use crate::erase::{Erase as _, spawn};
use crate::live::Live;
use crate::pages::lazy::pause;
use crate::server_fns::load_away;
use crate::tile::words::moment_words;

/// The log is written in batches: what happened last is in it a moment later.
const WRITTEN: Duration = Duration::from_secs(1);
/// How often the log is asked when the connection breaks once more.
const TRIES: u8 = 5;

/// Says what happened from a moment on and before another; nothing when nothing did.
pub fn tell(live: Live, from: Timestamp, to: Timestamp) {
    spawn(async move {
        for _ in 0..TRIES {
            pause(WRITTEN).await;
            let Ok(away) = load_away(from.as_ms(), to.as_ms()).await else { continue };
            if !away.rows.is_empty() {
                let away = Arc::new(away);
                live.notice.set(Some(Arc::new(move || line(live, &away, from, to))));
            }
            return;
        }
    });
}

fn line(live: Live, away: &Away, from: Timestamp, to: Timestamp) -> AnyView {
    let offset = live.utc_offset_s.get_untracked();
    let when = format!(", {} to {}: ", moment_words(from, to, offset), to.civil(offset).hour_minute());
    let href = format!("/activity?from={}&to={}", from.as_ms(), to.as_ms());
    view! {
        <div class="banner">
            {icon("bell", "")}
            <div class="away">
                <p>
                    <b>"While you were away"</b>
                    {when}
                    {counts(away)}
                </p>
                <ul>{away.rows.iter().map(row).collect_view()}</ul>
            </div>
            <a class="button" href=href>
                {icon("activity", "")}
                "Show in the log"
            </a>
            <button class="button button-quiet button-icon" type="button" aria-label="Dismiss" on:click=move |_| live.notice.set(None)>
                {icon("close", "")}
            </button>
        </div>
    }
    .erase()
}

fn row(row: &ActivityRow) -> AnyView {
    let outcome = if row.outcome.is_empty() { String::new() } else { format!(", {}", crate::tile::words::lower(&row.outcome)) };
    view! {
        <li>
            <time datetime=row.at.rfc3339()>{row.clock.clone()}</time>
            " "
            {row.title.clone()}
            {outcome}
        </li>
    }
    .erase()
}

/// `2 alarm events, 1 command`.
fn counts(away: &Away) -> String {
    let words = |n: usize, one: &str, more: &str| match n {
        0 => None,
        1 => Some(format!("1 {one}")),
        99.. => Some(format!("99 or more {more}")),
        n => Some(format!("{n} {more}")),
    };
    let all = [words(away.n_alarms, "alarm event", "alarm events"), words(away.n_commands, "command", "commands")];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_is_counted_in_words() {
        for (n_alarms, n_commands, told) in [(1, 0, "1 alarm event"), (2, 1, "2 alarm events, 1 command"), (0, 99, "99 or more commands"), (0, 0, "")]
        {
            assert_eq!(counts(&Away { n_alarms, n_commands, rows: vec![] }), told);
        }
    }
}
