//! Scenes, groups and schedules. Every control is a plain form: a page without script does the same.

use std::time::Duration;

use domain::command::CommandState;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// The forms that make and change them.
mod form;
/// What became of a run.
mod run;
/// The tables.
mod tables;

use crate::backend::Role;
use crate::components::icon;
use crate::erase::{Erase as _, memo};
use crate::pages::trouble::{fetched, or_trouble};
use crate::plans::{ScenesPage as Page, ScenesRequest};
use crate::server_fns::load_scenes;

/// While something is on its way, the page asks again after this time.
const AGAIN: Duration = Duration::from_secs(1);

/// The page of groups, scenes and schedules.
#[component]
pub fn Scenes() -> AnyView {
    let query = use_query_map();
    let request = memo(move || {
        query.with(|query| {
            let text = |key| query.get(key).unwrap_or_default();
            ScenesRequest { edit: text("edit"), delete: text("delete"), err: text("__err"), draft: String::new() }
        })
    });
    let data = Resource::new_blocking(move || request.get(), |request| async move { or_trouble(load_scenes(request).await).await });
    Effect::new(move |_| {
        if data.with(|page| page.as_ref().is_some_and(|page| page.as_ref().is_ok_and(is_running))) {
            set_timeout(move || data.refetch(), AGAIN);
        }
    });
    fetched(data, |page: &Page| page.shell.clone(), |page| content(&page))
}

/// Something that was run has not ended.
fn is_running(page: &Page) -> bool {
    let runs = page.scenes.iter().map(|scene| &scene.last).chain(page.schedules.iter().map(|schedule| &schedule.last));
    runs.flatten().any(|run| run.state == CommandState::Sent)
}

fn content(page: &Page) -> AnyView {
    let may_act = page.shell.role >= Role::Operator;
    let problem = (!page.problem.is_empty()).then(|| {
        view! {
            <div class="banner" data-kind="error" role="alert">
                {icon("caution", "")} <p>{page.problem.clone()}</p>
            </div>
        }
    });
    let question = page.question.clone().filter(|_| may_act).map(question);
    let form = page.form.clone().filter(|_| may_act).map(|form| form::form(form, page));
    view! {
        <Title text="Scenes · Signalbox"/>
        <header class="page-head">
            <div class="page-title">
                <h1>"Scenes"</h1>
            </div>
        </header>
        {problem}
        {question}
        <div class="stack">
            {form} {tables::scenes(&page.scenes, may_act)} {tables::groups(&page.groups, may_act)} {tables::schedules(page, may_act)}
        </div>
    }
    .erase()
}

fn question((kind, id, name): (String, String, String)) -> AnyView {
    view! {
        <div class="banner" id="question">
            <p>
                <strong>{format!("Delete the {kind} {name}?")}</strong>
                " Devices keep what they are. The activity log keeps what was done with it."
            </p>
            <form class="inline-form" method="post" action="/fn/plan_delete">
                <input type="hidden" name="kind" value=kind.clone()/>
                <input type="hidden" name="id" value=id/>
                <button class="button button-danger" type="submit">
                    {format!("Delete {kind}")}
                </button>
            </form>
            <a class="button" href="/scenes">
                "Cancel"
            </a>
        </div>
    }
    .erase()
}
