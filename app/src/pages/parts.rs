//! Small parts that several pages use.

use leptos::prelude::*;

use crate::erase::Erase as _;

/// An icon beside a word.
pub(super) fn icon(name: &str) -> AnyView {
    sized("icon", name)
}

/// An icon of a small button.
pub(super) fn icon_sm(name: &str) -> AnyView {
    sized("icon icon-sm", name)
}

fn sized(class: &'static str, name: &str) -> AnyView {
    view! {
        <svg class=class aria-hidden="true">
            <use href=format!("#i-{name}")></use>
        </svg>
    }
    .erase()
}
