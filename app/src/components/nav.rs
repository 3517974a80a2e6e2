//! Main navigation: pages, areas with their worst alarm, version.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{glyph, icon};
use crate::erase::{Erase as _, attr, memo, part, text};
use crate::live::Live;
use crate::tile::alarms::{is_shown, worst};
use crate::tile::words::uptime_words;

const PAGES: [(&str, &str, &str); 7] = [
    ("/", "overview", "Overview"),
    ("/history", "history", "History"),
    ("/alarms", "bell", "Alarms"),
    ("/devices", "devices", "Devices"),
    ("/scenes", "calendar", "Scenes"),
    ("/activity", "activity", "Activity"),
    ("/settings", "settings", "Settings"),
];

/// Main navigation.
#[component]
pub fn Nav() -> AnyView {
    let live = Live::expect();
    let path = use_location().pathname;
    let active = memo(move || live.alarms.with(|alarms| alarms.iter().filter(|alarm| is_shown(alarm)).count()));
    let page = move |(href, sign, word): (&'static str, &'static str, &'static str)| {
        let current = attr(move || path.with(|path| is_current(href, path)).then_some("page"));
        let badge = part(move || (href == "/alarms" && active.get() > 0).then(|| badge(active.get())));
        view! {
            <li>
                <a class="nav-link" href=href aria-current=current>
                    {icon(sign, "")}
                    <span class="nav-label">{word}</span>
                    {badge}
                </a>
            </li>
        }
        .erase()
    };
    view! {
        <nav class="nav" aria-label="Main">
            <ul class="nav-list">{PAGES.map(page).into_iter().collect_view()}</ul>
            <Areas/>
            <p class="nav-foot">
                {text(move || ["Signalbox ", &live.about.with(|about| about.version.clone())].concat())} <br/> {text(move || up_words(live))}
            </p>
        </nav>
    }
    .erase()
}

fn is_current(href: &str, path: &str) -> bool {
    if href == "/" { path == "/" } else { path == href || path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/')) }
}

fn badge(n: usize) -> AnyView {
    view! {
        <span class="badge">
            <span class="visually-hidden">", "</span>
            {n.to_string()}
            <span class="visually-hidden">" active"</span>
        </span>
    }
    .erase()
}

/// `Up 12 d 6 h`, to the minute: the page was made at `minute`, and the clock of its parts moves on with it.
fn up_words(live: Live) -> String {
    ["Up ", &uptime_words(live.minute.get().since_ms(live.about.with(|about| about.started)))].concat()
}

#[component]
fn Areas() -> AnyView {
    let live = Live::expect();
    let areas = part(move || {
        let areas = live.areas.get();
        (!areas.is_empty()).then(|| {
            let items = areas.into_iter().map(|area| {
                let href = ["/#area-", area.id.as_str()].concat();
                let sign = area.icon.unwrap_or_else(|| "home".to_owned());
                let id = area.id;
                let mark = memo(move || {
                    live.tally.track();
                    live.alarms.with(|alarms| {
                        worst(alarms, |alarm| {
                            live.find(&alarm.entity).is_some_and(|entry| entry.view.with_untracked(|view| view.area.as_ref() == Some(&id)))
                        })
                        .map(|alarm| (alarm.severity, alarm.state))
                    })
                });
                view! {
                    <li>
                        <a class="nav-link" href=href>
                            {icon(&sign, "")}
                            <span class="nav-label">{area.name}</span>
                            {part(move || mark.get().map(|(severity, state)| glyph(severity, state, true)))}
                        </a>
                    </li>
                }
            });
            view! {
                <div class="nav-areas">
                    <p class="nav-title" id="nav-areas">
                        "Areas"
                    </p>
                    <ul class="nav-list" aria-labelledby="nav-areas">
                        {items.collect_view()}
                    </ul>
                </div>
            }
            .erase()
        })
    });
    areas.erase()
}

#[cfg(test)]
mod tests {
    use super::is_current;

    #[test]
    fn a_page_is_current_with_all_below_it() {
        for (href, path, current) in [
            ("/", "/", true),
            ("/", "/history", false),
            ("/devices", "/devices/a", true),
            ("/devices", "/devices2", false),
            ("/alarms", "/alarms", true),
        ] {
            assert_eq!(is_current(href, path), current, "{href} {path}");
        }
    }
}
