//! Why there is no data: the way of a message, step by step.

use leptos::prelude::*;

use crate::components::icon;
use crate::device::{Step, Why};
use crate::erase::Erase as _;

/// The verdict, and the steps that lead to it.
pub(super) fn why(why: &Why) -> AnyView {
    let failing = why.failing().map(|step| step.step.clone());
    let steps: Vec<AnyView> = why.steps.iter().map(|step| item(step, failing.as_deref() == Some(step.step.as_str()))).collect();
    let steps = (!steps.is_empty()).then(|| view! { <ol class="list why">{steps}</ol> });
    view! {
        <section class="card device-form" id="why" aria-labelledby="why-h">
            <header class="card-head">
                <h2 id="why-h">{format!("Why is there no data of {}?", why.name)}</h2>
            </header>
            <p class="card-body">
                <strong>{why.verdict.clone()}</strong>
            </p>
            {steps}
        </section>
    }
    .erase()
}

fn item(step: &Step, is_first: bool) -> AnyView {
    let (sign, word) = match step.ok {
        Some(true) => ("check", "passed"),
        Some(false) => ("caution", "fails"),
        None => ("unknown", "not known"),
    };
    // What the verdict says is not said twice.
    let detail = if is_first { "This is where it ends.".to_owned() } else { step.detail.clone() };
    view! {
        <li data-ok=step.ok.map(|ok| ok.to_string())>
            {icon(sign, "")}
            <span class="grow">
                <b>{title(&step.step)}</b>
                <span class="visually-hidden">", "{word}</span>
                <small>{detail}</small>
            </span>
        </li>
    }
    .erase()
}

fn title(step: &str) -> &'static str {
    match step {
        "link" => "Connection to the broker",
        "rights" => "Rights at the broker",
        "subscription" => "Subscription",
        "message" => "Last message",
        "parse" => "Reading it",
        "time" => "Time",
        _ => "Shown",
    }
}
