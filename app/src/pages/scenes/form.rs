//! The forms that make and change groups, scenes and schedules.

use domain::entity::EntityKind;
use domain::value::number_words;
use leptos::prelude::*;

use crate::erase::Erase as _;
use crate::plans::{Asks, Choice, Form, ScenesPage};

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
                                <th scope="col">"With"</th>
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

/// What can be asked of a kind.
const fn actions(kind: EntityKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        EntityKind::Cover => &[LEFT, ("open", "Open"), ("close", "Close"), ("stop", "Stop"), ("set", "Set position")],
        EntityKind::Button => &[LEFT, ("press", "Press")],
        EntityKind::Number | EntityKind::Select | EntityKind::Text => &[LEFT, ("set", "Set to")],
        _ => &[LEFT, ("turn_on", "Turn on"), ("turn_off", "Turn off")],
    }
}

/// What can be asked of some kind.
const ALL: &[(&str, &str)] =
    &[("turn_on", "Turn on"), ("turn_off", "Turn off"), ("set", "Set"), ("press", "Press"), ("open", "Open"), ("close", "Close"), ("stop", "Stop")];

const LEFT: (&str, &str) = ("", "Leave as it is");

fn command((choice, asks): (Choice, Asks)) -> AnyView {
    let Choice { entity, name, kind, limits } = choice;
    let Asks { action, brightness, value } = asks;
    // Every row posts all four, so that they stay beside each other.
    let level = match kind {
        EntityKind::Light => percent("brightness[]", brightness, ["Brightness of ", &name].concat()),
        _ => view! { <input type="hidden" name="brightness[]" value=""/> }.erase(),
    };
    let label = ["Value for ", &name].concat();
    let number = |n: Option<f64>| n.map(|n| number_words(n, Some(6)));
    let value = match kind {
        EntityKind::Cover => percent("values[]", value, ["Position of ", &name].concat()),
        EntityKind::Number => view! {
            <input
                class="input"
                name="values[]"
                type="number"
                inputmode="decimal"
                min=number(limits.min)
                max=number(limits.max)
                step=number(limits.step).unwrap_or_else(|| "any".to_owned())
                value=value
                aria-label=label
            />
        }
        .erase(),
        EntityKind::Select if !limits.options.is_empty() => {
            let words = limits.options.into_iter().map(|word| {
                let (shown, selected) = (word.clone(), word == value);
                view! {
                    <option value=word selected=selected>
                        {shown}
                    </option>
                }
            });
            view! {
                <select class="select" name="values[]" aria-label=label>
                    {words.collect_view()}
                </select>
            }
            .erase()
        }
        EntityKind::Select | EntityKind::Text => {
            view! { <input class="input" name="values[]" type="text" maxlength="255" autocomplete="off" value=value aria-label=label/> }.erase()
        }
        _ => view! { <input type="hidden" name="values[]" value=""/> }.erase(),
    };
    let label = ["Command for ", &name].concat();
    view! {
        <tr>
            <th scope="row">
                {name} <small>{entity.clone()}</small> <input type="hidden" name="entities[]" value=entity/>
            </th>
            <td data-label="Command">
                <select class="select" name="actions[]" aria-label=label>
                    {options(actions(kind), &action)}
                </select>
            </td>
            <td data-label="With">{level} {value}</td>
        </tr>
    }
    .erase()
}

fn percent(field: &'static str, value: String, label: String) -> AnyView {
    view! {
        <span class="input-unit">
            <input class="input" name=field type="number" min="0" max="100" inputmode="numeric" value=value aria-label=label/>
            <span>"%"</span>
        </span>
    }
    .erase()
}

fn schedule_form(form: Form, page: &ScenesPage) -> AnyView {
    let Form::Schedule { id, name, enabled, when, cron, offset_min, targets, target, asks } = form else { return ().erase() };
    let Asks { action, brightness, value } = asks;
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
                    {options(ALL, &action)}
                </select>
            </div>
            <div class="field">
                <label for="f-level">"Brightness, for lights that are turned on"</label>
                <span class="input-unit">
                    <input class="input" id="f-level" name="brightness" type="number" min="0" max="100" value=brightness/>
                    <span>"%"</span>
                </span>
            </div>
            <div class="field">
                <label for="f-value">"Value, or position in per cent, for what is set"</label>
                <input class="input" id="f-value" name="value" maxlength="255" autocomplete="off" value=value/>
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
