//! One topic: its last message, who reads it, and what is wrong with it.

use domain::time::Timestamp;
use leptos::prelude::*;

use super::{Parts, counted, patterns};
use crate::components::icon;
use crate::devices::{Payload, TopicDetail, TopicsPage, Unread};
use crate::erase::{Erase as _, text};
use crate::tile::words::{moment_words, page_number};

/// The topic that is looked at, once for each broker that has it.
pub(super) fn details(parts: Parts, page: &TopicsPage) -> AnyView {
    let is_alone = page.links.len() < 2;
    page.details.iter().map(|topic| detail(parts, topic, is_alone)).collect_view().erase()
}

fn detail(parts: Parts, topic: &TopicDetail, is_alone: bool) -> AnyView {
    let TopicDetail { topic: name, link, at, qos, retained, retained_command, per_s, size, payload, readers, bad, .. } = topic.clone();
    // A message that is not replayed may be kept all the same: of that nothing is known.
    let retained = retained.then(|| view! { <span>"retained"</span> });
    let link = (!is_alone).then(|| view! { <span>{link}</span> });
    let warning = retained_command.then(|| {
        view! {
            <p class="error-text">
                {icon("caution", "icon-sm")} "A command is retained here: devices obey it again at each start. Publish an empty, retained payload to take it back."
            </p>
        }
    });
    let readers = (!readers.is_empty()).then(|| {
        let links = readers.into_iter().map(|(device, entity, name)| {
            view! {
                <li>
                    <a href=["/devices/", &device].concat()>{name}</a>
                    " "
                    <small class="muted">{entity}</small>
                </li>
            }
        });
        view! {
            <h4>"Read by"</h4>
            <ul>{links.collect_view()}</ul>
        }
    });
    let pattern = parts.may_act().then(|| view! { <p>{patterns::link(parts, &patterns::like(&name), "Make a pattern of this topic")}</p> });
    view! {
        <div class="topic-detail stack">
            <h3 class="topic-name">
                <code>{name}</code>
            </h3>
            <p class="row xs muted">
                {moment(parts, at)} <span>{["QoS ", &qos.to_string()].concat()}</span> {retained}
                <span>{bytes(size)}</span> <span>{rate(per_s)}</span> {link}
            </p>
            {warning}
            {bad.map(|bad| unread(parts, bad))}
            {shown(payload, "Last payload")}
            {readers}
            {pattern}
        </div>
    }
    .erase()
}

fn shown(payload: Payload, label: &'static str) -> AnyView {
    let Payload { text, is_cut, is_hex } = payload;
    let cut = is_cut.then(|| view! { <p class="hint">"Only the beginning is shown."</p> });
    if text.is_empty() {
        return view! { <p class="hint">"The payload is empty."</p> }.erase();
    }
    let label = if is_hex { [label, ", as hex digits"].concat() } else { label.to_owned() };
    view! {
        <pre class="payload" tabindex="0" role="region" aria-label=label>
            {text}
        </pre>
        {cut}
    }
    .erase()
}

fn unread(parts: Parts, bad: Unread) -> AnyView {
    let n = counted(usize::try_from(bad.n).unwrap_or(usize::MAX), "message", "messages");
    let n = [&n, " could not be read: ", &bad.reason].concat();
    view! {
        <p class="error-text">{icon("caution", "icon-sm")} <span>{n} ", " {moment(parts, bad.at)}</span></p>
        {shown(bad.payload, "Last payload that could not be read")}
    }
    .erase()
}

/// `14:03:23`, or the day of what is older.
fn moment(parts: Parts, at: Timestamp) -> AnyView {
    let live = parts.live;
    let words = move || {
        let (today, offset) = (live.minute.get(), live.utc_offset_s.get());
        if today.since_ms(at) < 12 * 3_600_000 { at.civil(offset).clock() } else { moment_words(at, today, offset) }
    };
    view! { <time datetime=at.rfc3339()>{text(words)}</time> }.erase()
}

fn bytes(n: usize) -> String {
    counted(n, "byte", "bytes")
}

/// `every 10 s` of what speaks in a rhythm, `42 per s` of what speaks often.
fn rate(per_s: f64) -> String {
    if per_s >= 1.0 {
        [&page_number(per_s, Some(0)), " per s"].concat()
    } else if per_s > 0.02 {
        ["every ", &page_number(1.0 / per_s, Some(0)), " s"].concat()
    } else {
        "silent".to_owned()
    }
}
