//! Whether a device is there, in a word, and when it was heard last.

use domain::device::Device;
use domain::live::EntityView;
use domain::time::{Timestamp, duration_words};
use leptos::prelude::*;

use crate::erase::{Erase as _, attr, memo, part, text};
use crate::live::{Entry, Live};
use crate::presence::Presence;
use crate::tile::words::moment_words;

/// The line under the device's name.
pub(super) fn status(live: Live, device: &Device, entries: &[Entry], clock_skew_ms: Option<i64>) -> AnyView {
    let views: Vec<ArcRwSignal<EntityView>> = entries.iter().map(|entry| entry.view.clone()).collect();
    let (said, seen) = (device.availability, device.last_seen);
    let presence = {
        let views = views.clone();
        memo(move || Presence::of(said, &views.iter().map(|view| view.with(|view| view.q)).collect::<Vec<_>>()))
    };
    let last = memo(move || views.iter().filter_map(|view| view.with(|view| view.t)).chain(seen).max());
    view! {
        <p class="row">
            <span class="status" data-status=attr(move || Some(presence.get().words().0))>
                {text(move || presence.get().words().1)}
            </span>
            {clock_skew_ms.map(|ms| view! { <span class="status" data-status="stale">{skew_words(ms)}</span> })}
            {part(move || last.get().map_or_else(|| view! { <span>"no message yet"</span> }.erase(), |at| last_message(live, at)))}
        </p>
    }
    .erase()
}

/// `clock 3 h ahead, its times are not used`.
fn skew_words(ms: i64) -> String {
    format!("clock {} {}, its times are not used", duration_words(ms.saturating_abs()), if ms > 0 { "ahead" } else { "behind" })
}

fn last_message(live: Live, at: Timestamp) -> AnyView {
    view! {
        <span>
            "last message "
            <time datetime=at.rfc3339()>
                {text(move || match live.now.get() {
                    Some(now) => format!("{} ago", duration_words(now.since_ms(at))),
                    None => moment_words(at, live.minute.get(), live.utc_offset_s.get()),
                })}
            </time>
        </span>
    }
    .erase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_clock_is_said_in_words() {
        assert_eq!(skew_words(3 * 3_600_000), "clock 3 h ahead, its times are not used");
        assert_eq!(skew_words(-2 * 86_400_000), "clock 2 d behind, its times are not used");
    }
}
