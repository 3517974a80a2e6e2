//! Devices that are gone and still announced. Plain forms: asking what clearing would come to is an address, and only its answer has the button that
//! clears.

use domain::ghost::GhostReason;
use domain::time::{Timestamp, duration_words};
use leptos::prelude::*;
use leptos::tachys::view::keyed::keyed;

use super::{Parts, address, counted};
use crate::components::icon;
use crate::devices::{DevicesRequest, GhostPlan, GhostRow, Ghosts, TopicsRequest};
use crate::erase::{Erase as _, memo, part};

/// The fold below the list; nothing while there are none.
pub(super) fn ghosts(parts: Parts) -> AnyView {
    // The list is asked for again each time something changes in it: the fold is made anew only when what it shows did.
    let shown = memo(move || parts.loaded.with(|loaded| (loaded.page.ghosts.clone(), loaded.asked.clone())));
    let view = move || {
        let may_act = parts.may_act();
        let topics = parts.asked_topics.get();
        let now = parts.loaded.with_untracked(|loaded| loaded.page.shell.now);
        shown.with(|(ghosts, asked)| (!ghosts.rows.is_empty()).then(|| fold(ghosts, asked, &topics, now, may_act)))
    };
    part(view).erase()
}

fn fold(ghosts: &Ghosts, asked: &DevicesRequest, topics: &TopicsRequest, now: Timestamp, may_act: bool) -> AnyView {
    let n = [&*ghosts.rows.len().to_string(), if ghosts.is_more { "+" } else { "" }].concat();
    let is_dry: Vec<String> = asked.dry.clone();
    // By device: a box that is checked stays with its ghost when others come or go.
    let rows =
        keyed(ghosts.rows.clone(), |ghost| ghost.device.clone(), move |_, ghost| (|_| {}, row(&ghost, now, may_act, is_dry.contains(&ghost.device))));
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
                <summary class="card-head">
                    <h2 id="gh-h">{["Ghosts (", &n, ")"].concat()}</h2>
                    <span class="row-end">{icon("down", "icon-turn")}</span>
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
