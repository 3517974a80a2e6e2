//! Taking it with you: an address to share, tables, a picture, paper.

use leptos::prelude::*;

use crate::components::icon;
use crate::erase::{Erase as _, part};
use crate::live::Live;
use crate::pages::history::address::View;
use crate::pages::history::{browser, picture};

/// Share link and the export menu.
pub(super) fn actions(view: &View) -> AnyView {
    let live = Live::expect();
    let is_copied = RwSignal::new(false);
    let share = view.share();
    let copy = {
        let share = share.clone();
        move |event: leptos::ev::MouseEvent| {
            let origin = window().location().origin().unwrap_or_default();
            // Without a clipboard (a page that is not served securely has none) the link is followed: the address bar has it then.
            if browser::copy(&[origin.as_str(), share.as_str()].concat()) {
                event.prevent_default();
                is_copied.set(true);
                live.status.set("Link copied".to_owned());
            }
        }
    };
    // Buttons that nothing answers without script appear with it.
    let is_alive = RwSignal::new(false);
    Effect::new(move |_| is_alive.set(true));
    let name = picture_name(view);
    let buttons = move || {
        let name = name.clone();
        is_alive.get().then(|| {
            view! {
                <button class="menu-item" type="button" on:click=move |_| picture::save(&name)>
                    {icon("image", "")}
                    "PNG, 2400 px wide"
                </button>
                <button class="menu-item" type="button" on:click=move |_| _ = window().print()>
                    {icon("print", "")}
                    "Print this page"
                </button>
            }
        })
    };
    view! {
        <div class="actions">
            <a class="button" href=share on:click=copy>
                // Only this page shows it: it is not part of the sheet of icons.
                <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
                    <path d="M10 14a4 4 0 0 0 5.7 0l3.2-3.2a4 4 0 0 0-5.7-5.7L12 6.3"/>
                    <path d="M14 10a4 4 0 0 0-5.7 0l-3.2 3.2a4 4 0 0 0 5.7 5.7l1.2-1.2"/>
                </svg>
                <span class="fold">{part(move || if is_copied.get() { "Link copied" } else { "Share link" })}</span>
            </a>
            <details class="menu" data-align="end">
                <summary class="button">
                    {icon("download", "")} <span class="fold">"Export"</span>
                    {icon("down", "not-phone")}
                </summary>
                <div class="menu-panel">
                    <a class="menu-item" href=view.csv(false) download="" rel="external">
                        {icon("table", "")}
                        "CSV, visible points"
                    </a>
                    <a class="menu-item" href=view.csv(true) download="" rel="external">
                        {icon("table", "")}
                        "CSV, every reading"
                    </a>
                    {part(buttons)}
                </div>
            </details>
        </div>
    }
    .erase()
}

/// The name of the file of a picture: `signalbox-climate-1.humidity-1781265806.png`.
fn picture_name(view: &View) -> String {
    let first = view.chosen.first().map(|id| format!("{id}-")).unwrap_or_default();
    format!("signalbox-{first}{}.png", view.range.to.as_ms() / 1_000)
}
