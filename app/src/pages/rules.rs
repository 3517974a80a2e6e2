//! Rules of style that one page needs alone: they travel with that page, for every first visit carries the style sheet of all.

use leptos::nonce::use_nonce;
use leptos::prelude::*;

use crate::components::chart::browser::get;
use crate::erase::Erase as _;
use crate::status::ON_SERVER;

/// `css` as an element that the policy of the page lets through.
pub(super) fn rules(css: &'static str) -> AnyView {
    let nonce = match use_nonce() {
        Some(nonce) => Some(nonce.to_string()),
        // In a browser, that of the rules that the page came with.
        None if ON_SERVER => None,
        None => document().query_selector("style[nonce]").ok().flatten().and_then(|style| get(&style, "nonce").as_string()),
    };
    view! { <style nonce=nonce>{css}</style> }.erase()
}
