//! What there is to know about a device.

use domain::device::Device;
use domain::time::{Timestamp, duration_words};
use leptos::prelude::*;

use super::link;
use crate::device::DeviceMore;
use crate::erase::Erase as _;
use crate::live::{Entry, Live};

/// The card of facts.
pub(super) fn facts(live: Live, device: &Device, more: &DeviceMore, entries: &[Entry]) -> AnyView {
    let about = &device.about;
    let text = |term: &'static str, text: &Option<String>| text.clone().map(|text| fact(term, text.erase()));
    let identifiers = (!device.identifiers.is_empty()).then(|| {
        let each = device.identifiers.iter().map(|one| view! { <li><code>{one.clone()}</code></li> }).collect_view();
        fact("Identifiers", view! { <ul class="plain">{each}</ul> }.erase())
    });
    let via = more.via.clone().map(|(name, id)| {
        let name = match id {
            Some(id) => view! { <a href=format!("/devices/{id}")>{name}</a> }.erase(),
            None => view! { <code>{name}</code> }.erase(),
        };
        fact("Reached through", name)
    });
    // Only what the device itself could be is a link; a stranger wrote it.
    let url = about.configuration_url.clone().filter(|url| url.starts_with("http://") || url.starts_with("https://"));
    let url = url.map(|url| {
        let href = url.clone();
        let link = view! {
            <a href=href rel="noreferrer noopener external" target="_blank">
                {url}
                <span class="visually-hidden">", in a new tab"</span>
            </a>
        };
        fact("Configuration", link.erase())
    });
    let stale = more.stale_after_ms.map(|span| fact("Stale after", stale_words(span).erase()));
    let root = (!device.topic_root.is_empty()).then(|| fact("Topic root", view! { <code>{device.topic_root.clone()}</code> }.erase()));
    view! {
        <section class="card" aria-labelledby="id-h">
            <header class="card-head">
                <h2 id="id-h">"Device"</h2>
            </header>
            <div class="card-body">
                <dl class="facts">
                    {fact("Id", view! { <code>{device.id.as_str().to_owned()}</code> }.erase())}
                    {(!device.convention.is_empty()).then(|| fact("Convention", device.convention.clone().erase()))}
                    {text("Maker", &about.manufacturer)}
                    {text("Model", &about.model)}
                    {text("Firmware", &about.sw_version)}
                    {text("Hardware", &about.hw_version)}
                    {text("Serial number", &about.serial_number)}
                    {root}
                    {identifiers}
                    {fact("Broker", device.link.clone().erase())}
                    {via}
                    {link::signal(entries).map(|signal| fact("Signal", signal))}
                    {link::battery(entries).map(|battery| fact("Power", battery))}
                    {more.is_changeable.then(|| fact("Rate", rate_words(more.per_minute).erase()))}
                    {stale}
                    {more.is_changeable.then(|| fact("First seen", first_seen(live, device.first_seen)))}
                    {url}
                </dl>
            </div>
        </section>
    }
    .erase()
}

fn fact(term: &'static str, value: AnyView) -> AnyView {
    view! {
        <div>
            <dt>{term}</dt>
            <dd>{value}</dd>
        </div>
    }
    .erase()
}

fn first_seen(live: Live, at: Timestamp) -> AnyView {
    view! { <time datetime=at.rfc3339()>{date(at, live.utc_offset_s.get_untracked())}</time> }.erase()
}

/// `8.4 messages per minute`.
fn rate_words(per_minute: f64) -> String {
    let n = (per_minute * 10.0).round() / 10.0;
    if n > 0.0 { format!("{n} messages per minute") } else { "no message in the last minute".to_owned() }
}

/// `2 min without a message`; of values with rhythms of their own, the least and the most.
fn stale_words((least, most): (i64, i64)) -> String {
    let (least, most) = (duration_words(least), duration_words(most));
    if least == most { format!("{least} without a message") } else { format!("{least} to {most} without a message") }
}

/// `3 Mar 2026`.
fn date(at: Timestamp, utc_offset_s: i32) -> String {
    let civil = at.civil(utc_offset_s);
    let date = civil.date();
    format!("{} {}", date.split_once(' ').map_or(&*date, |(_, date)| date), civil.year)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_said_in_words() {
        assert_eq!((rate_words(8.43), rate_words(0.0)), ("8.4 messages per minute".into(), "no message in the last minute".into()));
        assert_eq!(stale_words((120_000, 120_500)), "2 min without a message");
        assert_eq!(stale_words((10_000, 3_600_000)), "10 s to 60 min without a message");
    }
}
