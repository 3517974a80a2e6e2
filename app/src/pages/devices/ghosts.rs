//! Devices that are gone and still announced. Plain forms: asking what clearing would come to is an address, and only its answer has the button that
//! clears.

use domain::ghost::GhostReason;
use domain::time::{Timestamp, duration_words};
use leptos::prelude::*;

use super::{Loaded, Parts, address, counted};
use crate::components::icon;
use crate::devices::{DevicesRequest, GhostPlan, GhostRow, TopicsRequest};
use crate::erase::{Erase as _, part};

/// The fold below the list; nothing while there are none.
pub(super) fn ghosts(parts: Parts) -> AnyView {
    let view = move || {
        let may_act = parts.may_act();
        let topics = parts.asked_topics.get();
        parts.loaded.with(|loaded| (!loaded.page.ghosts.rows.is_empty()).then(|| fold(loaded, &topics, may_act)))
    };
    part(view).erase()
}

fn fold(loaded: &Loaded, topics: &TopicsRequest, may_act: bool) -> AnyView {
    let Loaded { page, asked } = loaded;
    let ghosts = &page.ghosts;
    let n = [&*ghosts.rows.len().to_string(), if ghosts.is_more { "+" } else { "" }].concat();
    let now = page.shell.now;
    let is_dry = |id: &String| asked.dry.contains(id);
    let rows: Vec<AnyView> = ghosts.rows.iter().map(|ghost| row(ghost, now, may_act, is_dry(&ghost.device))).collect();
    let check = may_act.then(|| view! { <th scope="col">"Clear"</th> });
    let problem = (!ghosts.problem.is_empty()).then(|| {
        view! {
            <p class="error-text card-body" role="alert">
                {icon("caution", "")}
                {ghosts.problem.clone()}
            </p>
        }
    });
    let clearing = (!ghosts.clearing.is_empty()).then(|| {
        view! {
            <p class="card-body" role="status">
                <b>"Last clearing: "</b>
                {ghosts.clearing.clone()}
            </p>
        }
    });
    let dry_run = may_act.then(|| {
        view! {
            <p class="card-body row">
                <button class="button" type="submit">
                    "Dry run"
                </button>
                <span class="hint">"Says what would be cleared, and clears nothing."</span>
            </p>
        }
    });
    let plan = ghosts.plan.as_ref().filter(|_| may_act).map(|plan| planned(plan, asked, topics));
    view! {
        <section class="card" id="ghosts" aria-labelledby="gh-h">
            <details open=!asked.dry.is_empty() || !ghosts.clearing.is_empty()>
                <summary class="card-body">
                    <h2 id="gh-h">{["Ghosts (", &n, ")"].concat()}</h2>
                </summary>
                <p class="card-body hint">
                    "Devices that are gone, and that their broker announces again at each connect because it retains what they said. Clearing deletes that from the broker, for everybody; a device that announces itself again is there again."
                </p>
                {clearing}
                {problem}
                <form method="get" action="/devices#ghosts">
                    {kept(asked, topics)}
                    <div class="table-wrap">
                        <table class="table table-cards">
                            <thead>
                                <tr>
                                    {check} <th scope="col">"Device"</th> <th scope="col">"Why"</th> <th scope="col">"Retained"</th>
                                </tr>
                            </thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </div>
                    {dry_run}
                </form>
                {plan}
            </details>
        </section>
    }
    .erase()
}

fn row(ghost: &GhostRow, now: Timestamp, may_act: bool, is_dry: bool) -> AnyView {
    let GhostRow { device, name, link, n_topics, topics, .. } = ghost.clone();
    let check = may_act.then(|| {
        view! {
            <td class="cell-check">
                <input type="checkbox" name="dry" value=device.clone() checked=is_dry aria-label=["Clear ", &name].concat() autocomplete="off"/>
            </td>
        }
    });
    let more =
        (topics.len() < n_topics).then(|| view! { <li class="muted">{["and ", &(n_topics - topics.len()).to_string(), " more"].concat()}</li> });
    let topics: Vec<AnyView> = topics.into_iter().map(|topic| view! { <li>{topic}</li> }.erase()).collect();
    view! {
        <tr>
            {check} <td data-label="Device">
                <b>{name}</b>
                <small class="muted">{[" ", &device, ", broker ", &link].concat()}</small>
            </td> <td data-label="Why">{why(ghost.reason, ghost.since, now)}</td> <td data-label="Retained">
                <details>
                    <summary>{counted(n_topics, "topic", "topics")}</summary>
                    <ul class="mono ghost-topics">{topics} {more}</ul>
                </details>
            </td>
        </tr>
    }
    .erase()
}

/// `Silent for 9 d`.
fn why(reason: GhostReason, since: Option<Timestamp>, now: Timestamp) -> String {
    let age = since.map(|since| duration_words(now.since_ms(since).max(0)));
    match (reason, age) {
        (GhostReason::Removed, None) => "Removed".to_owned(),
        (GhostReason::Removed, Some(age)) => ["Removed ", &age, " ago"].concat(),
        (GhostReason::Offline, age) => ["Offline for ", &age.unwrap_or_default()].concat(),
        (GhostReason::Silent, age) => ["Silent for ", &age.unwrap_or_default()].concat(),
    }
}

/// What the address says besides.
fn kept(asked: &DevicesRequest, topics: &TopicsRequest) -> Vec<AnyView> {
    [
        ("q", &asked.q),
        ("status", &asked.status),
        ("area", &asked.area),
        ("convention", &asked.convention),
        ("sort", &asked.sort),
        ("cursor", &asked.cursor),
        ("topic", &topics.topic),
        ("topics", &topics.filter),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| view! { <input type="hidden" name=name value=value.clone()/> }.erase())
    .collect()
}

/// What the dry run says, with the button that clears just that.
fn planned(plan: &GhostPlan, asked: &DevicesRequest, topics: &TopicsRequest) -> AnyView {
    let messages = counted(plan.n, "message", "messages");
    let words = [
        &*counted(plan.n, "retained message", "retained messages"),
        " of ",
        &counted(plan.devices.len(), "device", "devices"),
        " would be cleared, ",
        &plan.bytes.to_string(),
        " bytes as they were last heard",
        &(if plan.takes_s > 1 { [", in at least ", &plan.takes_s.to_string(), " s"].concat() } else { String::new() }),
        ". Nothing is cleared yet.",
    ]
    .concat();
    let not_ghosts = (!plan.not_ghosts.is_empty()).then(|| view! { <p>{["No ghosts any more: ", &plan.not_ghosts.join(", ")].concat()}</p> });
    let more = plan.n.saturating_sub(plan.topics.len());
    let more = (more > 0).then(|| view! { <li class="muted">{["and ", &more.to_string(), " more"].concat()}</li> });
    let item = |(topic, bytes, is_replayed): &(String, u32, bool)| {
        let note = [" ", &bytes.to_string(), " bytes", if *is_replayed { "" } else { ", retained perhaps" }].concat();
        view! {
            <li>
                {topic.clone()} <small class="muted">{note}</small>
            </li>
        }
        .erase()
    };
    let items: Vec<AnyView> = plan.topics.iter().map(item).collect();
    let ids: Vec<AnyView> = plan.devices.iter().map(|id| view! { <input type="hidden" name="devices[]" value=id.clone()/> }.erase()).collect();
    view! {
        <form class="card-body stack ghost-plan" method="post" action="/fn/ghosts_clear" aria-label="Dry run">
            <input type="hidden" name="back" value=address::write(asked, topics)/>
            {ids}
            <p role="status">{words}</p>
            {not_ghosts}
            <ul class="mono ghost-topics">{items} {more}</ul>
            <p>
                <button class="button button-danger" type="submit">
                    {["Clear ", &messages].concat()}
                </button>
            </p>
        </form>
    }
    .erase()
}
