//! All tiles by area, the most urgent alarms above them.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::backend::{BackendError, Overview};
use crate::components::alert_strip::AlertStrip;
use crate::components::area::{Areas, entities_words, summary};
use crate::components::{Frame, Problem};
use crate::erase::{Erase as _, text};
use crate::live::Live;
use crate::server_fns::load_overview;

/// The overview page.
#[component]
pub fn OverviewPage() -> AnyView {
    let live = Live::expect();
    live.search.set(use_query_map().with_untracked(|query| query.get("q")).unwrap_or_default());
    let data = Resource::new_blocking(|| (), |()| load_overview());
    view! {
        <Title text="Overview · Signalbox"/>
        <Suspense>{move || Suspend::new(async move { page(live, data.await) })}</Suspense>
    }
    .erase()
}

fn page(live: Live, data: Result<Overview, BackendError>) -> AnyView {
    let overview = match data {
        Ok(overview) => overview,
        Err(error) => return view! { <Problem error=error/> }.erase(),
    };
    let now = overview.shell.now;
    for tile in &overview.tiles {
        live.seed_tile(tile, now);
    }
    view! {
        <Frame shell=Some(overview.shell)>
            <AlertStrip/>
            <header class="page-head">
                <div class="page-title">
                    <h1>"Overview"</h1>
                    <p>{text(move || summary(live))}</p>
                </div>
            </header>
            <Areas/>
            {left_out(overview.n_unlisted)}
        </Frame>
    }
    .erase()
}

/// What is not shown, and what to do about it.
fn left_out(n_unlisted: usize) -> Option<AnyView> {
    (n_unlisted > 0).then(|| {
        view! {
            <p class="hint">
                {["Not shown: ", &*entities_words(n_unlisted), " that nobody has named. "].concat()}
                "A name or an area in the configuration brings them here, or a larger "<code>"discovery.most_unclaimed"</code>"."
            </p>
        }
        .erase()
    })
}
