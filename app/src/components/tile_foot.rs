//! The small text of a tile.

use domain::alarm::Alarm;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::icon;
use crate::erase::{Erase as _, memo};
use crate::live::{Entry, Live};
use crate::tile::foot::{Known, Look, Part, foot};
use crate::tile::kind::TileKind;

/// What the foot of a tile says, kept up to date.
#[must_use]
pub fn foot_parts(entry: &Entry, kind: Memo<TileKind>, alarm: Memo<Option<Alarm>>) -> Memo<Vec<Part>> {
    let live = Live::expect();
    let Entry { view, past, asked, .. } = entry.clone();
    memo(move || {
        let today = live.minute.get();
        view.with(|view| {
            asked.with(|asked| {
                alarm.with(|alarm| {
                    foot(&Known {
                        kind: kind.get(),
                        view,
                        asked: asked.as_ref(),
                        alarm: alarm.as_ref(),
                        range: past.with(|past| past.as_ref().and_then(|past| past.extremes(today))),
                        may_switch: view.settable && live.role.get() >= crate::backend::Role::Operator,
                        lost: live.lost(),
                        is_locked: view.settable && live.is_cut(view),
                        now: live.now.get(),
                        today,
                        utc_offset_s: live.utc_offset_s.get(),
                    })
                })
            })
        })
    })
}

/// The parts of a foot side by side.
#[must_use]
pub fn parts_view(parts: Vec<Part>, entry: &Entry) -> Vec<AnyView> {
    parts.into_iter().map(|part| part_view(part, entry)).collect()
}

fn part_view(part: Part, entry: &Entry) -> AnyView {
    let text = part.text;
    match part.look {
        Look::Plain => view! { <span>{text}</span> }.erase(),
        Look::Age => view! {
            <time class="age" datetime=part.t.map(domain::time::Timestamp::rfc3339)>
                {text}
            </time>
        }
        .erase(),
        Look::Quality("") => view! { <span class="tile-quality">{text}</span> }.erase(),
        Look::Quality(sign) => view! {
            <span class="tile-quality">
                {icon(sign, "")} {text}
            </span>
        }
        .erase(),
        Look::Alarm => view! { <span class="tile-alarm clip">{text}</span> }.erase(),
        Look::Code => view! { <code class="clip">{text}</code> }.erase(),
        Look::Retry => retry(text, entry.clone()),
    }
}

/// Asks again for what failed: a form, as the switch is.
fn retry(text: String, entry: Entry) -> AnyView {
    let live = Live::expect();
    let asked = entry.asked.get_untracked();
    let name = entry.view.with_untracked(|view| view.name.clone());
    let action = asked.as_ref().map_or("turn_on", |asked| if asked.target() == "off" { "turn_off" } else { "turn_on" });
    let id = entry.id.as_str().to_owned();
    let submit = move |event: SubmitEvent| {
        if asked.as_ref().is_some_and(|asked| live.ask(&entry, asked.action.clone())) {
            event.prevent_default();
        }
    };
    view! {
        <form class="inline-form" method="post" action="/fn/command" on:submit=submit>
            <input type="hidden" name="entity" value=id/>
            <input type="hidden" name="action" value=action/>
            <button class="text-button" type="submit" aria-label=["Retry ", &name].concat()>
                {text}
            </button>
        </form>
    }
    .erase()
}
