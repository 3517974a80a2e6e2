//! Account menu with the theme switch.

use leptos::prelude::*;

use super::icon;
use crate::erase::{Erase as _, attr, spawn, text};
use crate::live::Live;
use crate::server_fns::set_theme;
use crate::theme::Theme;
use crate::tile::words::{capital, upper};

/// Who looks, and the theme: a form, so that it works without script.
#[component]
pub fn Account() -> AnyView {
    let live = Live::expect();
    let theme = RwSignal::new(Theme::current());
    let user = move || live.about.with(|about| about.user.clone());
    let initials = text(move || live.about.with(|about| initials(&about.user)));
    view! {
        <details class="menu" data-align="end">
            <summary class="avatar-button" aria-label=attr(move || Some(["Account and theme: ", &capital(&user())].concat()))>
                <span class="avatar" aria-hidden="true">
                    {initials}
                </span>
            </summary>
            <div class="menu-panel">
                <div class="menu-user">
                    <b>{text(move || capital(&user()))}</b>
                    <span>{text(move || capital(live.role.get().as_str()))}</span>
                </div>
                <hr/>
                <div class="menu-title" id="theme-label">
                    "Theme"
                </div>
                <form class="seg seg-fill" role="group" aria-labelledby="theme-label" method="post" action="/fn/theme">
                    {[(Theme::Auto, "Auto", "auto"), (Theme::Light, "Light", "sun"), (Theme::Dark, "Dark", "moon")]
                        .map(|(each, word, sign)| choice(theme, each, word, sign))
                        .into_iter()
                        .collect_view()}
                </form>
            </div>
        </details>
    }
    .erase()
}

fn choice(theme: RwSignal<Theme>, each: Theme, word: &'static str, sign: &'static str) -> AnyView {
    let press = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        theme.set(each);
        if let Some(root) = document().document_element() {
            _ = match each.attribute() {
                Some(word) => root.set_attribute("data-theme", word),
                None => root.remove_attribute("data-theme"),
            };
        }
        // The server keeps it in a cookie; if that fails, this page has it all the same.
        spawn(async move { _ = set_theme(each.as_str().to_owned()).await });
    };
    view! {
        <button
            type="submit"
            name="theme"
            value=each.as_str()
            aria-pressed=attr(move || Some(if theme.get() == each { "true" } else { "false" }))
            on:click=press
        >
            {icon(sign, "")}
            {word}
        </button>
    }
    .erase()
}

/// The first letters of the first two words: `MI`.
fn initials(name: &str) -> String {
    let letters: String = name.split_whitespace().take(2).filter_map(|word| word.chars().next()).collect();
    upper(&letters)
}
