//! One device.

use domain::device::{Device, DeviceId};
use domain::entity::EntityId;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

/// Addresses of and around the page.
mod address;
/// Its alarms.
mod aside;
/// What is said of its entities besides their values.
mod attributes;
/// The last 24 hours of its first numbers.
mod charts;
/// What a climate can be asked for.
mod climate;
/// What can be set.
mod controls;
/// What there is to know about it.
mod facts;
/// The form that stands open.
mod form;
/// Its name, and what can be done with it.
mod head;
/// How well it is reached, and by what it is powered.
mod link;
/// What can be done with one of its entities.
mod menu;
/// Its last messages.
mod messages;
/// What is measured.
mod sensors;
/// Icons that only this page shows.
mod sprite;
/// Whether it is there.
mod status;
/// Why there is no data.
mod why;

use crate::backend::{DevicePage as Page, Role};
use crate::device::DeviceRequest;
use crate::erase::{Erase as _, memo};
use crate::live::{Entry, Live};
use crate::pages::trouble::{fetched, or_trouble};
use crate::server_fns::load_device;

/// The page of one device.
#[component]
pub fn DevicePage() -> AnyView {
    let (params, query) = (use_params_map(), use_query_map());
    let request = memo(move || {
        let id = params.with(|params| params.get("id").unwrap_or_default());
        query.with(|query| {
            let text = |key| query.get(key).unwrap_or_default();
            DeviceRequest { id, edit: text("edit"), q: text("q"), why: text("why"), err: text("__err"), done: text("done") }
        })
    });
    let data = Resource::new_blocking(move || request.get(), |request| async move { or_trouble(load_device(request).await).await });
    let live = Live::expect();
    let shell = move |page: &Page| {
        _ = seed(live, page);
        page.shell.clone()
    };
    fetched(data, shell, move |page| device(live, page, move || data.refetch()))
}

/// Makes the device's entities live ones.
fn seed(live: Live, page: &Page) -> Vec<Entry> {
    page.tiles.iter().map(|tile| live.seed_tile(tile, page.shell.now)).collect()
}

/// What rows need to know to say what can be done with them.
#[derive(Clone, Debug)]
struct Ways {
    device: DeviceId,
    /// Somebody looks who may change things.
    may_act: bool,
    /// Units that were read out of the text of messages.
    guessed: Vec<(EntityId, String)>,
}

/// An entity, with its smallest and largest value of the last 24 hours.
type Row = (Entry, Option<(f64, f64)>);

/// The content of the page.
fn device(live: Live, page: Page, reload: impl Fn() + 'static) -> AnyView {
    let entries = seed(live, &page);
    // The day is in the units that were shown when the page was made.
    let units: Vec<_> = entries.iter().cloned().zip(page.tiles.iter().map(|tile| tile.entity.unit.clone())).collect();
    let is_of_other_units = memo(move || units.iter().any(|(entry, unit)| entry.view.with(|view| view.unit != *unit)));
    Effect::new(move || {
        if is_of_other_units.get() {
            reload();
        }
    });
    let views: Vec<_> = page.tiles.iter().map(|tile| tile.entity.clone()).collect();
    Effect::new(move || live.follow(views.iter()));
    let ways = Ways { device: page.device.id.clone(), may_act: page.shell.role >= Role::Operator, guessed: page.more.guessed.clone() };
    let rows: Vec<Row> = entries.iter().cloned().zip(page.extremes.iter().copied().chain(std::iter::repeat(None))).collect();
    let (hidden, shown): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|(entry, _)| entry.view.with_untracked(|view| view.hidden));
    let is_all_hidden = shown.is_empty();
    let (main, fold) = (parts(live, &page, shown, &ways, ""), folded(live, &page, hidden, &ways, is_all_hidden));
    let charts = charts::charts(&page);
    let messages = messages::messages(&page.messages, &page.device, page.shell.utc_offset_s);
    let facts = facts::facts(live, &page.device, &page.more, &entries);
    let attributes = attributes::attributes(&page.more.attributes, page.shell.utc_offset_s);
    let open = form::open(&page, &entries);
    let why = page.more.why.as_ref().map(why::why);
    let told = head::told(live, &page.more);
    let Page { device, clock_skew_ms: skew, more, .. } = page;
    view! {
        <Title text=format!("{} · Signalbox", device.name)/>
        {sprite::sprite()}
        <header class="page-head device-head">
            <div class="page-title">
                {crumbs(live, &device)} <h1>{device.name.clone()}</h1>
                <div class="row">{status::status(live, &device, &entries, skew)} {link::link(&entries)}</div>
            </div>
            {head::actions(live, &device, &more, &entries, &ways)}
        </header>
        {told}
        {open}
        {why}
        <div class="split split-wide">
            <div class="stack">{main} {fold} {charts} {attributes} {messages}</div>
            <aside class="stack" aria-label="Device details">
                {aside::alarms(live, &device)} {facts} {aside::activity(live, &device, &more.activity)}
            </aside>
        </div>
    }
    .erase()
}

/// The controls and the sensors among some entities. `prefix` keeps the ids of their headings apart from those of others.
fn parts(live: Live, page: &Page, rows: Vec<Row>, ways: &Ways, prefix: &'static str) -> AnyView {
    let (set, read): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(entry, _)| controls::is_control(entry));
    let set = set.into_iter().map(|(entry, _)| entry).collect();
    view! {
        {controls::controls(set, &page.more.climates, ways, prefix)}
        {sensors::sensors(live, read, ways, prefix)}
    }
    .erase()
}

/// What stays out of the overview, folded away; open where there is nothing else.
fn folded(live: Live, page: &Page, rows: Vec<Row>, ways: &Ways, is_open: bool) -> Option<AnyView> {
    let n = rows.len();
    (n > 0).then(|| {
        view! {
            <details class="card hidden-ones" open=is_open>
                <summary class="card-head">
                    <h2>{format!("Diagnostics and settings ({n})")}</h2>
                    <span class="row-end">{crate::components::icon("down", "icon-turn")}</span>
                </summary>
                <div class="stack">{parts(live, page, rows, ways, "hidden-")}</div>
            </details>
        }
        .erase()
    })
}

fn crumbs(live: Live, device: &Device) -> AnyView {
    let area = device.area.as_ref().map(|area| {
        view! {
            {crate::components::icon("right", "icon-sm")}
            <a href=format!("/#area-{area}")>{live.area_name(area)}</a>
        }
    });
    view! {
        <nav class="crumbs" aria-label="Breadcrumb">
            <a href="/devices">"Devices"</a>
            {area}
        </nav>
    }
    .erase()
}
