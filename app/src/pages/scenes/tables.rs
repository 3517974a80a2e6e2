//! The three tables: what there is, how it stands, and what can be done.

use leptos::prelude::*;

use super::run::run;
use crate::components::icon;
use crate::erase::Erase as _;
use crate::plans::{GroupRow, SceneRow, ScenesPage, ScheduleRow};

/// Commands and members that a row names; the others are counted.
const MOST_NAMED: usize = 4;

/// The scenes.
pub(super) fn scenes(scenes: &[SceneRow], may_act: bool) -> AnyView {
    let row = |scene: &SceneRow| {
        view! {
            <tr>
                <th scope="row">{scene.name.clone()} <small>{scene.id.clone()}</small></th>
                <td data-label="Commands" class="cell-wide">
                    {named(&scene.commands)}
                </td>
                <td data-label="Last run">{run(scene.last.as_ref())}</td>
                <td class="cell-wide">{actions("scene", &scene.id, &scene.name, true, may_act)}</td>
            </tr>
        }
    };
    let empty = "No scenes yet. A scene sends several commands at once and tells what became of each.";
    section(
        "scene",
        "Scenes",
        may_act,
        scenes.is_empty().then_some(empty),
        &["Name", "Commands", "Last run"],
        scenes.iter().map(row).collect_view().erase(),
    )
}

/// The groups.
pub(super) fn groups(groups: &[GroupRow], may_act: bool) -> AnyView {
    let row = |group: &GroupRow| {
        view! {
            <tr>
                <th scope="row">
                    <a href="/devices/group">{group.name.clone()}</a>
                    <small>{["group.", &group.id].concat()}</small>
                </th>
                <td data-label="State">{group.state.clone()}</td>
                <td data-label="Members" class="cell-wide">
                    {named(&group.members)}
                </td>
                <td class="cell-wide">{actions("group", &group.id, &group.name, false, may_act)}</td>
            </tr>
        }
    };
    let empty = "No groups yet. A group shows and switches several lights or switches as one tile.";
    section(
        "group",
        "Groups",
        may_act,
        groups.is_empty().then_some(empty),
        &["Name", "State", "Members"],
        groups.iter().map(row).collect_view().erase(),
    )
}

/// The schedules.
pub(super) fn schedules(page: &ScenesPage, may_act: bool) -> AnyView {
    let row = |schedule: &ScheduleRow| {
        let missed = (!schedule.missed.is_empty()).then(|| {
            view! {
                <small class="row" data-missed="true">
                    {icon("caution", "icon-sm")}
                    {schedule.missed.clone()}
                </small>
            }
        });
        view! {
            <tr>
                <th scope="row">{schedule.name.clone()} <small>{schedule.id.clone()}</small></th>
                <td data-label="When">{schedule.when.clone()} <small>{schedule.what.clone()}</small></td>
                <td data-label="Next run">{schedule.next.clone()} {missed}</td>
                <td data-label="Last run" class="cell-wide">
                    {run(schedule.last.as_ref())}
                </td>
                <td class="cell-wide">{actions("schedule", &schedule.id, &schedule.name, true, may_act)}</td>
            </tr>
        }
    };
    let empty = "No schedules yet. A schedule runs a scene or a command at set times, or by the sun.";
    let rows = page.schedules.iter().map(row).collect_view().erase();
    section("schedule", "Schedules", may_act, page.schedules.is_empty().then_some(empty), &["Name", "When", "Next run", "Last run"], rows)
}

fn section(kind: &'static str, title: &'static str, may_act: bool, empty: Option<&'static str>, heads: &[&'static str], rows: AnyView) -> AnyView {
    let id = [kind, "s"].concat();
    let new = may_act.then(|| {
        view! {
            <a class="button row-end" href=["/scenes?edit=", kind].concat() rel="external">
                {icon("plus", "")}
                {["New ", kind].concat()}
            </a>
        }
    });
    let heads: Vec<AnyView> = heads.iter().map(|head| view! { <th scope="col">{*head}</th> }.erase()).collect();
    let content = match empty {
        Some(empty) => view! { <p class="card-body muted">{empty}</p> }.erase(),
        None => view! {
            <div class="table-wrap">
                <table class="table table-cards">
                    <thead>
                        <tr>
                            {heads} <th scope="col">
                                <span class="visually-hidden">"Actions"</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .erase(),
    };
    view! {
        <section class="card" id=id.clone() aria-labelledby=[&*id, "-h"].concat()>
            <header class="card-head">
                <h2 id=[&*id, "-h"].concat()>{title}</h2>
                {new}
            </header>
            {content}
        </section>
    }
    .erase()
}

fn actions(kind: &'static str, id: &str, name: &str, can_run: bool, may_act: bool) -> Option<AnyView> {
    may_act.then(|| {
        let run = can_run.then(|| {
            view! {
                <form class="inline-form" method="post" action="/fn/plan_run">
                    <input type="hidden" name="kind" value=kind/>
                    <input type="hidden" name="id" value=id.to_owned()/>
                    <button class="button button-act" type="submit" aria-label=["Run ", name].concat()>
                        "Run"
                    </button>
                </form>
            }
        });
        let what = [kind, ":", id].concat();
        view! {
            <div class="row">
                {run}
                <a class="button" href=["/scenes?edit=", &what].concat() rel="external" aria-label=["Edit ", name].concat()>
                    "Edit"
                </a>
                <a class="button button-danger" href=["/scenes?delete=", &what].concat() rel="external" aria-label=["Delete ", name].concat()>
                    "Delete"
                </a>
            </div>
        }
        .erase()
    })
}

/// `Hall lamp on, Stairs off and 3 more`.
fn named(all: &[String]) -> String {
    let mut words = all.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > MOST_NAMED {
        words = format!("{words} and {} more", all.len() - MOST_NAMED);
    }
    words
}
