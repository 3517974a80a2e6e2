//! The bar above every page: mark, search, broker, alarms, clock, account.

use domain::live::{LinkState, LinkView};
use leptos::prelude::*;

use super::account::Account;
use super::banner::attempt_words;
use super::search::Search;
use super::{glyph, icon};
use crate::erase::{Erase as _, attr, memo, part, text};
use crate::live::{Connection, Live};
use crate::tile::alarms::{counts, severity_word};
use crate::tile::words::lower;

/// The bar above every page.
#[component]
pub fn TopBar() -> AnyView {
    view! {
        <header class="topbar">
            <a class="brand" href="/" aria-label="Signalbox, go to overview">
                <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
                    <rect class="logo-box" x="1" y="1" width="30" height="30" rx="8"/>
                    <path class="logo-ink" d="M10 7v18.5"/>
                    <path class="logo-arm" d="M10.5 8.2 25.2 12.8 23.7 17.6 10.5 13.5z"/>
                    <path class="logo-ink" d="M6.5 25.5h7"/>
                    <circle class="logo-lamp" cx="20" cy="22.8" r="2.3"/>
                </svg>
                <span class="brand-name">"Signalbox"</span>
            </a>
            <Search/>
            <div class="topbar-end">
                <Broker/>
                <AlarmCount/>
                <Clock/>
                <Account/>
            </div>
        </header>
    }
    .erase()
}

/// The brokers in few words, and each of them in a menu.
#[component]
fn Broker() -> AnyView {
    let live = Live::expect();
    let state = memo(move || live.links.with(|links| broker_words(live.connection.get(), links)));
    let each = part(move || live.links.with(|links| links.iter().map(|link| broker_row(link, live.lost().is_some())).collect_view().erase()));
    view! {
        <details class="menu">
            <summary
                class="broker"
                data-link=attr(move || Some(if state.with(|state| state.up) { "up" } else { "lost" }))
                aria-label=attr(move || Some(state.with(|state| [state.title, ": ", &state.detail].concat())))
            >
                {part(move || icon(if state.with(|state| state.up) { "plug" } else { "offline" }, ""))}
                <span class="broker-text">
                    <b>{text(move || state.with(|state| state.title))}</b>
                    <small>{text(move || state.with(|state| state.detail.clone()))}</small>
                </span>
            </summary>
            <ul class="menu-panel broker-list">{each}</ul>
        </details>
    }
    .erase()
}

fn broker_row(link: &LinkView, is_lost: bool) -> AnyView {
    view! {
        <li class="menu-user">
            <b>{link.broker.clone()}</b>
            <span>{row_words(link, is_lost)}</span>
        </li>
    }
    .erase()
}

/// `Connected, 42 msg/s, 3 dropped`, `Not connected: connection refused`.
fn row_words(link: &LinkView, is_lost: bool) -> String {
    let mut words = match link.state {
        _ if is_lost => "Not known while the page is cut off".to_owned(),
        LinkState::Up => "Connected".to_owned(),
        LinkState::Connecting => "Connecting".to_owned(),
        LinkState::Down => "Not connected".to_owned(),
    };
    if let (false, Some(error)) = (is_lost, &link.error) {
        words.extend([": ", error]);
    }
    if let (false, Some(rate)) = (is_lost, link.messages_per_s) {
        words.extend([", ", &rate_words(rate), " msg/s"]);
    }
    if link.dropped > 0 {
        words.extend([", ", &link.dropped.to_string(), " dropped"]);
    }
    words
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct BrokerWords {
    up: bool,
    title: &'static str,
    detail: String,
}

fn broker_words(connection: Connection, links: &[LinkView]) -> BrokerWords {
    if let Connection::Lost { .. } = connection {
        let detail = lower(attempt_words(connection).trim_end_matches('.'));
        return BrokerWords { up: false, title: "Reconnecting", detail };
    }
    let worst = links.iter().find(|link| link.state == LinkState::Down).or_else(|| links.iter().find(|link| link.state == LinkState::Connecting));
    if let Some(link) = worst {
        let title = if link.state == LinkState::Down { "Broker not connected" } else { "Connecting to broker" };
        return BrokerWords { up: false, title, detail: link.broker.clone() };
    }
    let mut detail = match links {
        [] => return BrokerWords { up: false, title: "No broker", detail: "none is configured".to_owned() },
        [link] => link.broker.clone(),
        more => [&more.len().to_string(), " brokers"].concat(),
    };
    if let Some(rate) = links.iter().map(|link| link.messages_per_s).sum::<Option<f64>>() {
        detail.extend([", ", &rate_words(rate), " msg/s"]);
    }
    BrokerWords { up: true, title: "Broker connected", detail }
}

/// Whole numbers from 10 on, one decimal below.
fn rate_words(rate: f64) -> String {
    domain::value::number_words(rate, Some(u8::from(rate < 9.95 && rate > 0.0)))
}

#[component]
fn AlarmCount() -> AnyView {
    let live = Live::expect();
    let known = memo(move || live.alarms.with(|alarms| counts(alarms)));
    let label = attr(move || {
        let words: Vec<String> =
            known.with(|known| known.iter().map(|(severity, _, n)| [&n.to_string(), " ", &lower(severity_word(*severity))].concat()).collect());
        Some(if words.is_empty() { "No active alarms".to_owned() } else { ["Active alarms: ", &words.join(", ")].concat() })
    });
    let items = part(move || {
        let known = known.get();
        if known.is_empty() {
            return view! {
                <span class="alarm-count-item">
                    {icon("check", "")}
                    "0"
                </span>
            }
            .erase();
        }
        let items = known.into_iter().map(|(severity, state, n)| {
            view! {
                <span class="alarm-count-item">
                    {glyph(severity, state, false)}
                    {n.to_string()}
                </span>
            }
        });
        items.collect_view().erase()
    });
    view! {
        <a class="alarm-count" href="/alarms" aria-label=label>
            {items}
        </a>
    }
    .erase()
}

/// The server's clock. A moving clock proves that the page is alive: cut off, it stands still and dims.
#[component]
fn Clock() -> AnyView {
    let live = Live::expect();
    let frozen = memo(move || live.lost());
    let shown = move || frozen.get().or_else(|| live.now.get()).unwrap_or_else(|| live.minute.get());
    view! {
        <p class="clock" data-frozen=attr(move || frozen.get().map(|_| ""))>
            {part(move || frozen.get().map(|_| icon("stale", "icon-sm")))}
            <span class="visually-hidden">"Server time "</span>
            <time datetime=attr(move || Some(shown().rfc3339()))>{text(move || shown().civil(live.utc_offset_s.get()).clock())}</time>
        </p>
    }
    .erase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::Timestamp;

    fn link(name: &str, state: LinkState, messages_per_s: Option<f64>) -> LinkView {
        LinkView { messages_per_s, ..LinkView::new(name, state, Timestamp::from_ms(0)) }
    }

    #[test]
    fn the_broker_is_up_only_when_page_and_all_brokers_are() {
        let farm = |rate| link("farm", LinkState::Up, rate);
        let lost = Connection::Lost { attempt: 3, next_s: 4 };
        for (connection, links, title, detail) in [
            (Connection::Up, &[farm(Some(42.4))][..], "Broker connected", "farm, 42 msg/s"),
            (Connection::Opening, &[farm(Some(0.25))], "Broker connected", "farm, 0.2 msg/s"),
            (Connection::Up, &[farm(None)], "Broker connected", "farm"),
            (Connection::Up, &[farm(Some(1.5)), link("van", LinkState::Up, Some(2.0))], "Broker connected", "2 brokers, 3.5 msg/s"),
            (Connection::Up, &[farm(Some(1.0)), link("van", LinkState::Down, None)], "Broker not connected", "van"),
            (lost, &[farm(Some(1.0))], "Reconnecting", "attempt 3, next in 4 s"),
            (Connection::Up, &[], "No broker", "none is configured"),
        ] {
            let words = broker_words(connection, links);
            assert_eq!((words.title, words.detail.as_str()), (title, detail));
            assert_eq!(words.up, title == "Broker connected");
        }
    }

    #[test]
    fn each_broker_says_what_is_wrong_and_what_comes_through() {
        let mut down = link("van", LinkState::Down, None);
        down.error = Some("connection refused".to_owned());
        let mut busy = link("farm", LinkState::Up, Some(42.0));
        busy.dropped = 3;
        assert_eq!(row_words(&busy, false), "Connected, 42 msg/s, 3 dropped");
        assert_eq!(row_words(&down, false), "Not connected: connection refused");
        assert_eq!(row_words(&link("van", LinkState::Connecting, None), false), "Connecting");
        assert_eq!(row_words(&busy, true), "Not known while the page is cut off, 3 dropped");
    }
}
