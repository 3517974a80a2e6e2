//! The past, as charts.

use std::sync::Arc;

use domain::history::{Range, Resolution};
use domain::time::{DAY_MS, Timestamp};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

/// The address: it carries the whole view.
mod address;
/// What keeps the page up to date.
mod following;
/// Names of what is charted.
mod names;

/// What only this page asks of a browser.
mod browser;
/// Taking readings out of history.
mod excluding;
/// Share link, tables, pictures, paper.
mod export;
/// Choosing what is charted.
mod picker;
/// The chart as a picture.
mod picture;
/// The points as a table.
mod readings;
/// The figures under the chart.
mod statistics;
/// Choosing the range and how it is shown.
mod toolbar;

pub(super) use address::day_of;

use crate::backend::{Around, HistoryPage};
use crate::components::chart::brush::{Brush, is_worth_showing};
use crate::components::chart::gaps::bucket_ms;
use crate::components::chart::model::{Charted, period_before, resolution_words};
use crate::components::chart::{Chart, Swatch, TimeChart};
use crate::components::icon;
use crate::erase::{Erase as _, attr, memo, part, text};
use crate::pages::rules::rules;
use crate::pages::trouble::{followed, or_trouble};
use crate::server_fns::load_history;
use address::{Asked, View};
use excluding::Excluding;

/// A page, and what was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Loaded {
    page: HistoryPage,
    asked: Asked,
}

impl Loaded {
    fn view(&self) -> View {
        View::of(&self.page, &self.asked)
    }
}

/// The history page.
#[component]
pub fn History() -> AnyView {
    let query = use_query_map();
    let asked = memo(move || query.with(address::asked));
    let data = Resource::new_blocking(
        move || asked.get(),
        |asked| async move { or_trouble(load_history(asked.request.clone()).await).await.map(|page| Loaded { page, asked }) },
    );
    view! {
        <Title text="History · Signalbox"/>
        {rules(include_str!("../../../../style/history.css"))}
        {followed(data, |loaded| loaded.page.shell.clone(), move |page| history(page, move || data.refetch()))}
    }
    .erase()
}

/// The content of the page: made once, so that a pointer keeps what it holds while other data arrive.
fn history(page: Memo<Arc<Loaded>>, reload: impl Fn() + Copy + Send + Sync + 'static) -> AnyView {
    let first = page.get_untracked();
    let chart = Chart::zoomable(names::model(&first.page, first.asked.has_band));
    following::follow(chart, page, reload);
    let filter = RwSignal::new(first.asked.filter.to_lowercase());
    let coarsest = move || page.with(|loaded| coarsest(&loaded.page)).map(|words| view! { <span class="not-phone">", " {words}</span> });
    view! {
        <header class="page-head page-head-tight">
            <div class="page-title">
                <h1>"History"</h1>
                <p>
                    <span id="period">{moment(chart, page, |window| window.from)} " to " {moment(chart, page, |window| window.to)}</span>
                    {part(coarsest)}
                </p>
            </div>
            {part(move || page.with(|loaded| export::actions(&loaded.view())))}
        </header>
        {part(move || page.with(|loaded| toolbar::toolbar(&loaded.view(), loaded.page.utc_offset_s)))}
        <div class="split split-start">
            {part(move || page.with(|loaded| picker::picker(&loaded.page, &loaded.view(), filter)))}
            <div class="stack">{content(page, chart)} {part(move || page.with(|loaded| print_foot(&loaded.page)))}</div>
        </div>
    }
    .erase()
}

/// What the page can show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    NothingYet,
    NothingChosen,
    Chart,
}

fn content(page: Memo<Arc<Loaded>>, chart: Chart) -> AnyView {
    let which = memo(move || {
        page.with(|loaded| match &loaded.page {
            page if page.choices.is_empty() => Content::NothingYet,
            page if page.series.is_empty() => Content::NothingChosen,
            _ => Content::Chart,
        })
    });
    let content = move || match which.get() {
        Content::NothingYet => empty(
            "Nothing to chart yet",
            "Numbers and states have a history from their first message on. Connect a device, and its series appear here.",
        ),
        Content::NothingChosen => empty("No series chosen", "Choose up to six series to see them on one time axis."),
        Content::Chart => untrack(|| charts(page, chart)),
    };
    part(content).erase()
}

fn charts(page: Memo<Arc<Loaded>>, chart: Chart) -> AnyView {
    let around = memo(move || {
        let of = |loaded: &Loaded| loaded.page.around.clone().filter(|around| is_worth_showing(around, loaded.page.range));
        page.with(|loaded| of(loaded)).map(Arc::<Around>::new)
    });
    let left_out = move || {
        let names = chart.left_out().join(", ");
        (!names.is_empty()).then(
            || view! { <p class="card-foot">"Not drawn: " {names} ". A chart holds six series of three units; the statistics have them all."</p> },
        )
    };
    let figures = move || {
        page.with(|loaded| {
            let HistoryPage { range, utc_offset_s, .. } = loaded.page;
            let charted = names::charted(&loaded.page);
            let statistics = statistics::statistics(&charted, range, utc_offset_s, loaded.asked.request.compare, chart);
            view! {
                {statistics}
                {readings::readings(&charted, range, utc_offset_s, &Excluding::of(&loaded.page, loaded.view(), &loaded.asked.exclude))}
            }
        })
    };
    let under = view! { <Brush chart around=around.into()/> }.erase();
    view! {
        <figure class="card" aria-labelledby="chart-h">
            <figcaption class="card-head">
                <h2 class="visually-hidden" id="chart-h">
                    "Chart"
                </h2>
                {part(move || page.with(|loaded| legend(&names::charted(&loaded.page), loaded)))}
            </figcaption>
            <TimeChart chart id="history" under/>
            {part(left_out)}
        </figure>
        <section class="card" aria-labelledby="stat-h">
            <header class="card-head">
                <h2 id="stat-h">"Statistics"</h2>
                <p>"Missing time is left out of every figure"</p>
            </header>
            {part(figures)}
            {part(move || page.with(|loaded| reach(&loaded.page.reach)))}
        </section>
    }
    .erase()
}

/// How far back history reaches.
fn reach(words: &str) -> AnyView {
    let words = match words {
        "" => "How far back history will reach is known after some hours".to_owned(),
        words => format!("History reaches back: {words}"),
    };
    view! {
        <p class="card-foot" id="reach">
            {words}
        </p>
    }
    .erase()
}

fn legend(charted: &[Charted], loaded: &Loaded) -> AnyView {
    let view = loaded.view();
    let item = |swatch: AnyView, name: String, remove: String| {
        view! {
            <li>
                {swatch} {name.clone()}
                <a href=remove aria-label=format!("Remove {name}")>
                    {icon("close", "icon-sm")}
                </a>
            </li>
        }
    };
    let items = charted.iter().enumerate().map(|(n, one)| {
        let has_band = view.has_band && one.series.resolution != Resolution::Raw && !one.is_lane() && !one.is_meter();
        let swatch = view! { <Swatch style=one.swatch(n) has_band/> }.erase();
        item(swatch, one.entity.name.clone(), view.without(&one.entity.id))
    });
    let previous = charted.iter().any(|one| one.previous.is_some()).then(|| {
        let swatch = view! {
            <svg class="swatch c0" viewBox="0 0 24 12" aria-hidden="true">
                <path class="series-prev" d="M0 6h24"/>
            </svg>
        };
        let name = period_before(loaded.page.range);
        let name = name[..1].to_uppercase() + &name[1..];
        item(swatch.erase(), name, view.with_compare(false))
    });
    view! { <ul class="legend" aria-label="Series">{items.chain(previous).collect_view()}</ul> }.erase()
}

fn empty(head: &'static str, words: &'static str) -> AnyView {
    view! {
        <section class="card empty">
            {icon("history", "")} <h2>{head}</h2> <p>{words}</p>
        </section>
    }
    .erase()
}

/// Who printed it, and when.
fn print_foot(page: &HistoryPage) -> AnyView {
    let civil = page.shell.now.civil(page.shell.utc_offset_s);
    let when = format!("Printed {} {} {} by {}", civil.date(), civil.year, civil.hour_minute(), page.shell.user);
    view! { <p class="print-only print-foot"><span>"Signalbox"</span><span>{when}</span></p> }.erase()
}

/// An end of what is shown: `Fri 12 Jun 14:03`, with the year where the range is long.
fn moment(chart: Chart, page: Memo<Arc<Loaded>>, end: fn(Range) -> Timestamp) -> AnyView {
    let words = move || {
        let window = chart.window();
        let civil = end(window).civil(page.with(|loaded| loaded.page.utc_offset_s));
        match window.len_ms() {
            len if len > 180 * DAY_MS => format!("{} {}", civil.date(), civil.year),
            // Shorter than minutes can tell apart.
            len if len < 600_000 => format!("{} {}", civil.date(), civil.clock()),
            _ => format!("{} {}", civil.date(), civil.hour_minute()),
        }
    };
    view! { <time datetime=attr(move || Some(end(chart.window()).rfc3339()))>{text(words)}</time> }.erase()
}

/// How far apart the points are: of several resolutions the coarsest. `None` without series.
fn coarsest(page: &HistoryPage) -> Option<String> {
    let series = page.series.iter().filter(|series| !series.t.is_empty()).map(|series| series.resolution);
    let words = page.words.iter().filter(|words| !words.t.is_empty()).map(|words| words.resolution);
    series.chain(words).max_by_key(|resolution| bucket_ms(*resolution)).map(resolution_words)
}
