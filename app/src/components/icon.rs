//! Icons and alarm marks. Plain functions: an icon holds no state.

use domain::alarm::{AlarmState, Severity};
use leptos::prelude::*;

use crate::erase::Erase as _;
use crate::tile::alarms::mark_words;

/// An icon beside a word: `icon("plug", "")`. The second text adds a class, such as `icon-sm`.
#[must_use]
pub fn icon(name: &str, class: &str) -> AnyView {
    let href = ["#i-", name].concat();
    let class = if class.is_empty() { "icon".to_owned() } else { ["icon ", class].concat() };
    view! {
        <svg class=class aria-hidden="true">
            <use_ href=href></use_>
        </svg>
    }
    .erase()
}

/// An alarm mark: shape tells the priority, fill and mark the state. `alone` when no word stands beside it.
#[must_use]
pub fn glyph(severity: Severity, state: AlarmState, alone: bool) -> AnyView {
    let shape = ["#s-", severity.as_str()].concat();
    let mark = ["#m-", state.as_str()].concat();
    // A triangle's middle is lower than that of a box.
    let y = (severity == Severity::Warning).then_some("2.2");
    view! {
        <svg
            class="glyph"
            data-priority=severity.as_str()
            data-state=state.as_str()
            role=alone.then_some("img")
            aria-label=alone.then(|| mark_words(severity, state))
            aria-hidden=(!alone).then_some("true")
        >
            <use_ href=shape></use_>
            <use_ href=mark y=y></use_>
        </svg>
    }
    .erase()
}
