//! The form that stands open: a page of its own in the page, so that it works without script.

use domain::device::DeviceId;
use domain::entity::EntityId;
use leptos::prelude::*;

use crate::backend::DevicePage as Page;
use crate::components::icon;
use crate::device::Open;
use crate::erase::Erase as _;
use crate::live::Entry;

/// The open form; nothing while there is none.
pub(super) fn open(page: &Page, entries: &[Entry]) -> Option<AnyView> {
    let (device, name) = (&page.device.id, &page.device.name);
    Some(match page.more.open.as_ref()? {
        Open::Name => {
            let hint = "Leave it empty to take the name that the device gives itself.";
            let fields = text_field("name", "Name", name, 80, Some(hint), true);
            card(device, "name", "Rename device", "Save", fields)
        }
        Open::Area => card(device, "area", "New area", "Move there", text_field("new_area", "Name of the area", "", 80, None, true)),
        Open::Entity { id, native, units } => {
            let entry = entries.iter().find(|entry| entry.id == *id)?;
            let is_guessed = page.more.guessed.iter().any(|(guessed, _)| guessed == id);
            entity(device, id, entry, unit_field(entry, native.as_deref(), units, is_guessed))
        }
        Open::Remove => remove(device, name, page.tiles.len()),
        Open::ZigbeeName => {
            let hint = "The bridge answers on topics of this name from then on; here the device keeps its id and its history.";
            let fields = text_field("name", "Name on the Zigbee network", page.more.zigbee.as_deref().unwrap_or_default(), 100, Some(hint), true);
            card(device, "zigbee-name", "Rename on the Zigbee network", "Rename", fields)
        }
        Open::ZigbeeRemove => zigbee_remove(device, name),
        Open::ZigbeeJoin => zigbee_join(device),
        Open::Merge { q, choices, is_more } => merge(device, name, (q, choices, *is_more)),
    })
}

fn back(device: &DeviceId) -> String {
    ["/devices/", device.as_str()].concat()
}

fn card(device: &DeviceId, act: &'static str, title: &'static str, word: &'static str, fields: AnyView) -> AnyView {
    view! {
        <form class="card device-form" id="form" method="post" action="/fn/device_change" aria-labelledby="form-h">
            <header class="card-head">
                <h2 id="form-h">{title}</h2>
            </header>
            <div class="card-body stack">
                <input type="hidden" name="id" value=device.to_string()/>
                <input type="hidden" name="act" value=act/>
                {fields}
            </div>
            <div class="card-foot row">
                <button class="button button-primary" type="submit">
                    {word}
                </button>
                <a class="button" href=back(device) rel="external">
                    "Cancel"
                </a>
            </div>
        </form>
    }
    .erase()
}

fn text_field(name: &'static str, label: &'static str, value: &str, most: u32, hint: Option<&'static str>, is_first: bool) -> AnyView {
    let (id, hint_id) = (["f-", name].concat(), ["f-", name, "-hint"].concat());
    let hint_view = hint.map(|hint| {
        view! {
            <p class="hint" id=hint_id.clone()>
                {hint}
            </p>
        }
    });
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                class="input"
                id=id
                name=name
                value=value.to_owned()
                maxlength=most
                autocomplete="off"
                autofocus=is_first
                aria-describedby=hint.map(|_| hint_id)
            />
            {hint_view}
        </div>
    }
    .erase()
}

/// The unit that is shown, with those that values are converted into, and what becomes of values.
fn unit_field(entry: &Entry, native: Option<&str>, units: &[String], is_guessed: bool) -> AnyView {
    let unit = entry.view.with_untracked(|view| view.unit.clone().unwrap_or_default());
    let native = native.filter(|_| !units.is_empty());
    let hint = match native {
        _ if is_guessed => "Guessed: it stood in the text of a message. Saved here, it is written.".to_owned(),
        None => "Only the label changes: values stay as they arrive.".to_owned(),
        Some(native) if native != unit && units.contains(&unit) => {
            ["Converted from ", native, ". With a unit that is not in the list only the label changes."].concat()
        }
        Some(native) => {
            ["The device says ", native, ". Into a unit of the list values are converted; with any other only the label changes."].concat()
        }
    };
    let options = units.iter().map(|unit| {
        let words =
            native.filter(|native| native != unit).map_or_else(|| "as the device says it".to_owned(), |native| ["converted from ", native].concat());
        view! { <option value=unit.clone()>{words}</option> }
    });
    view! {
        <div class="field">
            <label for="f-unit">"Unit"</label>
            <input class="input" id="f-unit" name="unit" value=unit maxlength=20 autocomplete="off" list="f-units" aria-describedby="f-unit-hint"/>
            <datalist id="f-units">{options.collect_view()}</datalist>
            <p class="hint" id="f-unit-hint">
                {hint}
            </p>
        </div>
    }
    .erase()
}

fn entity(device: &DeviceId, id: &EntityId, entry: &Entry, unit: AnyView) -> AnyView {
    let (name, precision) = entry.view.with_untracked(|view| (view.name.clone(), view.precision));
    let decimals = (0..=3_u8).map(|n| {
        view! {
            <option value=n.to_string() selected=precision == Some(n)>
                {n.to_string()}
            </option>
        }
    });
    let fields = view! {
        <input type="hidden" name="entity" value=id.to_string()/>
        {text_field("name", "Name", &name, 80, Some("What is left empty is as the device says it."), true)}
        {unit}
        <div class="field">
            <label for="f-precision">"Decimals"</label>
            <select class="select" id="f-precision" name="precision">
                <option value="" selected=precision.is_none()>
                    "As they arrive"
                </option>
                {decimals.collect_view()}
            </select>
        </div>
    };
    card(device, "entity", "Change entity", "Save", fields.erase())
}

fn remove(device: &DeviceId, name: &str, n_entities: usize) -> AnyView {
    let title = format!("Remove {name}, with {n_entities} {}?", if n_entities == 1 { "entity" } else { "entities" });
    let words = "Its history stays. It comes back when it announces itself again; what the broker replays does not bring it back.";
    danger(device, "remove", (title, words), "Remove device", None)
}

fn zigbee_remove(device: &DeviceId, name: &str) -> AnyView {
    let title = format!("Remove {name} from the Zigbee network?");
    let words = "The bridge tells it to leave, and it can only come back by joining again. Its history stays.";
    let force = view! {
        <label class="check">
            <input type="checkbox" name="force" value="on"/>
            <span>"Forget it also if it does not answer"</span>
        </label>
    };
    danger(device, "zigbee-remove", (title, words), "Remove from network", Some(force.erase()))
}

fn zigbee_join(device: &DeviceId) -> AnyView {
    let fields = view! {
        <div class="field">
            <label for="f-seconds">"Seconds"</label>
            <input
                class="input"
                id="f-seconds"
                name="seconds"
                type="number"
                min="0"
                max="254"
                step="1"
                required=""
                value="254"
                autofocus=""
                aria-describedby="f-seconds-hint"
            />
            <p class="hint" id="f-seconds-hint">
                "The network of this device takes in whatever asks to join for so long, at most 254 seconds. 0 closes it."
            </p>
        </div>
    };
    card(device, "zigbee-join", "Let devices join", "Open the network", fields.erase())
}

/// A question before what cannot be taken back: title and words, the word of its button, and what else may be chosen.
fn danger(device: &DeviceId, act: &'static str, (title, words): (String, &'static str), word: &'static str, more: Option<AnyView>) -> AnyView {
    view! {
        <form class="card device-form" id="form" method="post" action="/fn/device_change" aria-labelledby="form-h">
            <header class="card-head">
                <h2 id="form-h">{title}</h2>
            </header>
            <div class="card-body stack">
                <input type="hidden" name="id" value=device.to_string()/>
                <input type="hidden" name="act" value=act/>
                <p>{words}</p>
                <label class="check">
                    <input type="checkbox" name="sure" value="on" required="" autofocus=""/>
                    <span>"Yes, remove it"</span>
                </label>
                {more}
            </div>
            <div class="card-foot row">
                <button class="button button-danger" type="submit">
                    {icon("trash", "")}
                    {word}
                </button>
                <a class="button" href=back(device) rel="external">
                    "Cancel"
                </a>
            </div>
        </form>
    }
    .erase()
}

/// Text, devices that hold it, and whether there are more.
type Choices<'a> = (&'a str, &'a [(DeviceId, String, String)], bool);

fn merge(device: &DeviceId, name: &str, (q, choices, is_more): Choices<'_>) -> AnyView {
    let options: Vec<AnyView> = choices
        .iter()
        .map(|(id, name, root)| {
            let words = format!("{name} ({root})");
            view! { <option value=id.to_string()>{words}</option> }.erase()
        })
        .collect();
    let n = choices.len();
    let hint = match (n, is_more) {
        (0, _) => "No other device of this broker holds that text.".to_owned(),
        (n, true) => format!("The first {n}; filter to see others."),
        (n, false) => format!("{n} to choose from."),
    };
    let chosen = (n > 0).then(|| {
        view! {
            <form class="stack" method="post" action="/fn/device_change">
                <input type="hidden" name="id" value=device.to_string()/>
                <input type="hidden" name="act" value="merge"/>
                <div class="field">
                    <label for="f-into">"It is really this device"</label>
                    <select class="select" id="f-into" name="into">
                        {options}
                    </select>
                </div>
                <p class="hint">
                    "The chosen one stays. The entities of this one become its own, keep their ids and their history, and so does whatever is found of it later."
                </p>
                <div class="row">
                    <button class="button button-primary" type="submit">
                        "Merge"
                    </button>
                    <a class="button" href=back(device) rel="external">
                        "Cancel"
                    </a>
                </div>
            </form>
        }
        .erase()
    });
    view! {
        <section class="card device-form" id="form" aria-labelledby="form-h">
            <header class="card-head">
                <h2 id="form-h">{format!("Merge {name} with another device")}</h2>
            </header>
            <div class="card-body stack">
                <form class="row" method="get" action=back(device)>
                    <input type="hidden" name="edit" value="merge"/>
                    <label class="visually-hidden" for="f-q">
                        "Filter devices by name or topic"
                    </label>
                    <input class="input device-filter" id="f-q" name="q" type="search" value=q.to_owned() placeholder="Name or topic" autofocus=""/>
                    <button class="button" type="submit">
                        {icon("search", "")}
                        "Filter"
                    </button>
                    <p class="hint">{hint}</p>
                </form>
                {chosen}
            </div>
        </section>
    }
    .erase()
}
