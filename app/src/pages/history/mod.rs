//! The past, as charts.

use domain::history::{Range, Resolution};
use domain::time::{DAY_MS, Timestamp};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// The address: it carries the whole view.
mod address;
/// Names of what is charted.
mod names;
/// Choosing what is charted.
mod picker;
/// The points as a table.
mod readings;
/// The figures under the chart.
mod statistics;
/// Choosing the range.
mod toolbar;

pub(super) use address::day_of;

use crate::backend::HistoryPage;
use crate::components::chart::gaps::bucket_ms;
use crate::components::chart::model::{ChartModel, ChartSize, Charted, resolution_words};
use crate::components::chart::{Swatch, TimeChart};
use crate::components::icon;
use crate::erase::{Erase as _, memo};
use crate::pages::trouble::{fetched, or_trouble};
use crate::server_fns::load_history;
use address::View;

/// The history page.
#[component]
pub fn History() -> AnyView {
    let query = use_query_map();
    let request = memo(move || query.with(address::request));
    let data = Resource::new_blocking(
        move || request.get(),
        |request| async move {
            let to = request.to;
            or_trouble(load_history(request).await).await.map(|page| (page, to))
        },
    );
    view! {
        <Title text="History · Signalbox"/>
        {fetched(data, |(page, _)| page.shell.clone(), |(page, to)| history(&page, to))}
    }
    .erase()
}

/// The content of the page. `to` is the end that was asked for; `None` follows the clock.
fn history(page: &HistoryPage, to: Option<i64>) -> AnyView {
    let view = View::of(page, to);
    let (range, offset) = (page.range, page.shell.utc_offset_s);
    let content = if page.choices.is_empty() { nothing_yet() } else { content(names::charted(page), range, offset, &view) };
    view! {
        <header class="page-head page-head-tight">
            <div class="page-title">
                <h1>"History"</h1>
                <p>
                    {moment(range.from, range, offset)} " to " {moment(range.to, range, offset)}
                    {coarsest(page).map(|words| view! { <span class="not-phone">", " {words}</span> })}
                </p>
            </div>
        </header>
        {toolbar::toolbar(&view)}
        <div class="split split-start">{picker::picker(page, &view)} <div class="stack">{content}</div></div>
    }
    .erase()
}

fn content(charted: Vec<Charted>, range: Range, utc_offset_s: i32, view: &View) -> AnyView {
    if charted.is_empty() {
        return view! {
            <section class="card empty">
                {icon("history", "")} <h2>"No series chosen"</h2> <p>"Choose up to six series to see them on one time axis."</p>
            </section>
        }
        .erase();
    }
    let statistics = statistics::statistics(&charted, range, utc_offset_s);
    let readings = readings::readings(&charted, range, utc_offset_s);
    let legend = legend(&charted, view);
    let model = ChartModel::new(charted, range, utc_offset_s, ChartSize::Full);
    let left_out = (!model.left_out.is_empty()).then(|| {
        let names = model.left_out.join(", ");
        view! { <p class="card-foot">"Not drawn: " {names} ". A chart holds six series of three units; the statistics have them all."</p> }
    });
    view! {
        <figure class="card" aria-labelledby="chart-h">
            <figcaption class="card-head">
                <h2 class="visually-hidden" id="chart-h">
                    "Chart"
                </h2>
                {legend}
            </figcaption>
            <TimeChart model size=ChartSize::Full id="history"/>
            {left_out}
        </figure>
        <section class="card" aria-labelledby="stat-h">
            <header class="card-head">
                <h2 id="stat-h">"Statistics"</h2>
                <p>"Missing time is left out of every figure"</p>
            </header>
            {statistics}
            {readings}
        </section>
    }
    .erase()
}

fn legend(charted: &[Charted], view: &View) -> AnyView {
    let items = charted.iter().enumerate().map(|(n, one)| {
        let name = one.entity.name.clone();
        let has_band = one.series.resolution != Resolution::Raw && !one.is_state();
        view! {
            <li>
                <Swatch style=n + 1 has_band/>
                {name.clone()}
                <a href=view.without(&one.entity.id) aria-label=format!("Remove {name}")>
                    {icon("close", "icon-sm")}
                </a>
            </li>
        }
    });
    view! { <ul class="legend" aria-label="Series">{items.collect_view()}</ul> }.erase()
}

fn nothing_yet() -> AnyView {
    view! {
        <section class="card empty">
            {icon("history", "")} <h2>"Nothing to chart yet"</h2>
            <p>"Numbers and states have a history from their first message on. Connect a device, and its series appear here."</p>
        </section>
    }
    .erase()
}

/// An end of the range: `Fri 12 Jun 14:03`, with the year where the range is long.
fn moment(at: Timestamp, range: Range, utc_offset_s: i32) -> AnyView {
    let civil = at.civil(utc_offset_s);
    let words =
        if range.len_ms() > 180 * DAY_MS { format!("{} {}", civil.date(), civil.year) } else { format!("{} {}", civil.date(), civil.hour_minute()) };
    view! { <time datetime=at.rfc3339()>{words}</time> }.erase()
}

/// How far apart the points are: of several resolutions the coarsest. `None` without series.
fn coarsest(page: &HistoryPage) -> Option<String> {
    let series = page.series.iter().filter(|series| !series.t.is_empty());
    series.map(|series| series.resolution).max_by_key(|resolution| bucket_ms(*resolution)).map(resolution_words)
}
