//! One device.

use domain::device::Device;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

/// Alarms and facts beside the values.
mod aside;
/// The last 24 hours of its first numbers.
mod charts;
/// What can be set.
mod controls;
/// Its last messages.
mod messages;
/// What is measured.
mod sensors;
/// Whether it is there.
mod status;

use crate::backend::DevicePage as Page;
use crate::components::icon;
use crate::erase::{Erase as _, memo};
use crate::live::{Entry, Live};
use crate::pages::trouble::{fetched, or_trouble};
use crate::server_fns::load_device;

/// The page of one device.
#[component]
pub fn DevicePage() -> AnyView {
    let params = use_params_map();
    let id = memo(move || params.with(|params| params.get("id").unwrap_or_default()));
    let data = Resource::new_blocking(move || id.get(), |id| async move { or_trouble(load_device(id).await).await });
    let live = Live::expect();
    let shell = move |page: &Page| {
        _ = seed(live, page);
        page.shell.clone()
    };
    fetched(data, shell, move |page| device(live, page))
}

/// Makes the device's entities live ones.
fn seed(live: Live, page: &Page) -> Vec<Entry> {
    page.tiles.iter().map(|tile| live.seed_tile(tile, page.shell.now)).collect()
}

/// The content of the page.
fn device(live: Live, page: Page) -> AnyView {
    let entries = seed(live, &page);
    let views: Vec<_> = page.tiles.iter().map(|tile| tile.entity.clone()).collect();
    Effect::new(move || live.follow(views.iter()));
    let (set, read): (Vec<_>, Vec<_>) =
        entries.iter().cloned().zip(page.extremes.iter().copied().chain(std::iter::repeat(None))).partition(|(entry, _)| controls::is_control(entry));
    let charts = charts::charts(&page);
    let messages = messages::messages(&page.messages, page.shell.utc_offset_s);
    let (device, skew) = (page.device, page.clock_skew_ms);
    view! {
        <Title text=format!("{} · Signalbox", device.name)/>
        <header class="page-head device-head">
            <div class="page-title">{crumbs(live, &device)} <h1>{device.name.clone()}</h1> {status::status(live, &device, &entries, skew)}</div>
        </header>
        <div class="split split-wide">
            <div class="stack">
                {controls::controls(set.into_iter().map(|(entry, _)| entry).collect())} {sensors::sensors(live, read)} {charts} {messages}
            </div>
            <aside class="stack" aria-label="Device details">
                {aside::alarms(live, &device)} {aside::facts(live, &device)}
            </aside>
        </div>
    }
    .erase()
}

fn crumbs(live: Live, device: &Device) -> AnyView {
    let area = device.area.as_ref().map(|area| {
        view! {
            {icon("right", "icon-sm")}
            <a href=format!("/#area-{area}")>{live.area_name(area)}</a>
        }
    });
    view! {
        <nav class="crumbs" aria-label="Breadcrumb">
            <a href="/">"Overview"</a>
            {area}
        </nav>
    }
    .erase()
}
