//! The forms that make and change groups, scenes and schedules.

use leptos::prelude::*;

use crate::erase::Erase as _;
use crate::plans::{Choice, Form, ScenesPage};

/// The form of what is edited.
pub(super) fn form(form: Form, page: &ScenesPage) -> AnyView {
    match form {
        Form::Group { id, name, choices } => {
            let fields = view! {
                <fieldset>
                    <legend class="label">"Members"</legend>
                    {choices.into_iter().map(member).collect_view()}
                </fieldset>
            };
            card("group", &id, &name, "/fn/group_save", fields.erase())
        }
        Form::Scene { id, name, choices, n_others } => {
            let others = (n_others > 0).then(|| {
                let words = format!("{n_others} commands of other kinds stay as they are; change them over REST.");
                view! { <p class="hint">{words}</p> }
            });
            let fields = view! {
                <div class="table-wrap">
                    <table class="table table-cards">
                        <caption class="visually-hidden">"What the scene asks of each"</caption>
                        <thead>
                            <tr>
                                <th scope="col">"Entity"</th>
                                <th scope="col">"Command"</th>
                                <th scope="col">"Brightness"</th>
                            </tr>
                        </thead>
                        <tbody>{choices.into_iter().map(command).collect_view()}</tbody>
                    </table>
                </div>
                {others}
            };
            card("scene", &id, &name, "/fn/scene_save", fields.erase())
        }
        schedule @ Form::Schedule { .. } => schedule_form(schedule, page),
    }
}

fn card(kind: &'static str, id: &str, name: &str, action: &'static str, fields: AnyView) -> AnyView {
    let title = if id.is_empty() { ["New ", kind].concat() } else { ["Edit ", name].concat() };
    view! {
        <form class="card" id="form" method="post" action=action aria-labelledby="form-h">
            <header class="card-head">
                <h2 id="form-h">{title}</h2>
            </header>
            <div class="card-body stack">
                <input type="hidden" name="id" value=id.to_owned()/>
                <div class="field">
                    <label for="f-name">"Name"</label>
                    <input class="input" id="f-name" name="name" value=name.to_owned() required="" maxlength="80" autocomplete="off"/>
                </div>
                {fields}
            </div>
            <div class="card-foot">
                <button class="button button-primary" type="submit">
                    "Save"
                </button>
                <a class="button" href="/scenes" rel="external">
                    "Cancel"
                </a>
            </div>
        </form>
    }
    .erase()
}

fn member((choice, checked): (Choice, bool)) -> AnyView {
    view! {
        <label class="check">
            <input type="checkbox" name="members[]" value=choice.entity.clone() checked=checked/>
            <span>{choice.name} <small>{choice.entity}</small></span>
        </label>
    }
    .erase()
}

fn command((choice, action, brightness): (Choice, String, String)) -> AnyView {
    let Choice { entity, name, is_light } = choice;
    // Every row posts all three, so that they stay beside each other.
    let level = if is_light {
        view! {
            <span class="input-unit">
                <input
                    class="input"
                    name="brightness[]"
                    type="number"
                    min="0"
                    max="100"
                    inputmode="numeric"
                    value=brightness
                    aria-label=["Brightness of ", &name].concat()
                />
                <span>"%"</span>
            </span>
        }
        .erase()
    } else {
        view! { <input type="hidden" name="brightness[]" value=""/> }.erase()
    };
    let label = ["Command for ", &name].concat();
    view! {
        <tr>
            <th scope="row">
                {name} <small>{entity.clone()}</small> <input type="hidden" name="entities[]" value=entity/>
            </th>
            <td data-label="Command">
                <select class="select" name="actions[]" aria-label=label>
                    {options(&[("", "Leave as it is"), ("turn_on", "Turn on"), ("turn_off", "Turn off")], &action)}
                </select>
            </td>
            <td data-label="Brightness">{level}</td>
        </tr>
    }
    .erase()
}

fn schedule_form(form: Form, page: &ScenesPage) -> AnyView {
    let Form::Schedule { id, name, enabled, when, cron, offset_min, targets, target, action, brightness } = form else { return ().erase() };
    let zone =
        format!("Minute, hour, day of month, month, day of week, by the clock of {}: 0 7 * * 1-5 is seven o'clock on working days.", page.zone);
    let sun = if page.has_place {
        "Minutes after sunrise or sunset; with a minus before it."
    } else {
        "For sunrise and sunset, location.latitude and location.longitude must be set in the configuration."
    };
    let targets: Vec<AnyView> = targets
        .into_iter()
        .map(|(value, words)| {
            let selected = value == target;
            view! {
                <option value=value selected=selected>
                    {words}
                </option>
            }
            .erase()
        })
        .collect();
    let fields = view! {
        <label class="check">
            <input type="checkbox" name="enabled" value="on" checked=enabled/>
            <span>"Runs by itself"</span>
        </label>
        <div class="cols-2">
            <div class="field">
                <label for="f-when">"When"</label>
                <select class="select" id="f-when" name="when">
                    {options(&[("cron", "At set times"), ("sunrise", "By sunrise"), ("sunset", "By sunset")], &when)}
                </select>
            </div>
            <div class="field">
                <label for="f-cron">"Set times, as a cron pattern"</label>
                <input class="input" id="f-cron" name="cron" value=cron maxlength="120" autocomplete="off" aria-describedby="f-cron-h"/>
                <p class="hint" id="f-cron-h">
                    {zone}
                </p>
            </div>
            <div class="field">
                <label for="f-offset">"Minutes from the sun"</label>
                <input class="input" id="f-offset" name="offset_min" type="number" min="-720" max="720" value=offset_min aria-describedby="f-offset-h"/>
                <p class="hint" id="f-offset-h">
                    {sun}
                </p>
            </div>
            <div class="field">
                <label for="f-target">"What"</label>
                <select class="select" id="f-target" name="target">
                    {targets}
                </select>
            </div>
            <div class="field">
                <label for="f-action">"Command, for all but scenes"</label>
                <select class="select" id="f-action" name="action">
                    {options(&[("turn_on", "Turn on"), ("turn_off", "Turn off")], &action)}
                </select>
            </div>
            <div class="field">
                <label for="f-level">"Brightness, for lights that are turned on"</label>
                <span class="input-unit">
                    <input class="input" id="f-level" name="brightness" type="number" min="0" max="100" value=brightness/>
                    <span>"%"</span>
                </span>
            </div>
        </div>
    };
    card("schedule", &id, &name, "/fn/schedule_save", fields.erase())
}

fn options(all: &[(&'static str, &'static str)], chosen: &str) -> Vec<AnyView> {
    let option = |&(value, words): &(&'static str, &'static str)| {
        view! {
            <option value=value selected=value == chosen>
                {words}
            </option>
        }
        .erase()
    };
    all.iter().map(option).collect()
}
