//! Choosing the range: links, because each view has an address.

use leptos::prelude::*;

use crate::components::icon;
use crate::erase::Erase as _;
use crate::pages::history::address::{PRESETS, View};

/// The lengths, a step back, a step forward.
pub(super) fn toolbar(view: &View) -> AnyView {
    let current = view.preset();
    let presets = PRESETS.map(|preset| {
        let is_current = (preset == current).then_some("true");
        view! {
            <a href=view.with_preset(preset) aria-current=is_current>
                {preset.label}
            </a>
        }
    });
    let forward_label = format!("{} forward", current.step);
    let forward = match view.forward() {
        Some(href) => view! { <a class="button button-icon" href=href aria-label=forward_label>{icon("right", "")}</a> }.erase(),
        // The present has no later side: the place stays, so that the step back does not move.
        None => view! { <a class="button button-icon" role="link" aria-disabled="true" aria-label=forward_label>{icon("right", "")}</a> }.erase(),
    };
    view! {
        <div class="toolbar no-print">
            <div class="seg seg-scroll" role="group" aria-label="Period">
                {presets.into_iter().collect_view()}
            </div>
            <div class="row">
                <a class="button button-icon" href=view.back() aria-label=format!("{} back", current.step)>
                    {icon("left", "")}
                </a>
                {forward}
            </div>
            <a class="button only-narrow" href="#series">
                {icon("plus", "")}
                "Choose series"
            </a>
        </div>
    }
    .erase()
}
