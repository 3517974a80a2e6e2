//! What a device says of its entities besides their values: as it was when the page was made, with the time.

use leptos::prelude::*;

use crate::components::icon;
use crate::device::Attributes;
use crate::erase::Erase as _;

/// The fold; nothing where nothing is said.
pub(super) fn attributes(all: &[Attributes], utc_offset_s: i32) -> Option<AnyView> {
    let n: usize = all.iter().map(|one| one.rows.len() + one.n_more).sum();
    all.first()?;
    let each: Vec<AnyView> = all.iter().map(|one| said(one, utc_offset_s)).collect();
    Some(
        view! {
            <details class="card hidden-ones" id="attributes">
                <summary class="card-head">
                    <h2>{["Attributes (", &n.to_string(), ")"].concat()}</h2>
                    <span class="row-end">{icon("down", "icon-turn")}</span>
                </summary>
                {each}
            </details>
        }
        .erase(),
    )
}

fn said(one: &Attributes, utc_offset_s: i32) -> AnyView {
    let when = match one.at {
        Some(at) => {
            let civil = at.civil(utc_offset_s);
            let words = [&*civil.date(), ", ", &civil.clock()].concat();
            view! { "As of " <time datetime=at.rfc3339()>{words}</time> }.erase()
        }
        None => "Retained by the broker; when it was said is not known".erase(),
    };
    let problem = (!one.problem.is_empty()).then(|| {
        view! {
            <p class="error-text">
                {icon("caution", "")} {["The last message cannot be read: ", &one.problem].concat()}
            </p>
        }
    });
    let rows: Vec<AnyView> = one
        .rows
        .iter()
        .map(|(name, value)| {
            view! {
                <div>
                    <dt>{name.clone()}</dt>
                    <dd>{value.clone()}</dd>
                </div>
            }
            .erase()
        })
        .collect();
    let more = (one.n_more > 0).then(|| view! { <p class="hint">{["and ", &one.n_more.to_string(), " more"].concat()}</p> });
    view! {
        <div class="card-body">
            <h3>{one.entities.join(", ")}</h3>
            <p class="hint">{when}</p>
            {problem}
            <dl class="facts">{rows}</dl>
            {more}
        </div>
    }
    .erase()
}
