//! All tiles by area.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::backend::{BackendError, Overview};
use crate::components::Frame;
use crate::server_fns::load_overview;

/// The overview page.
#[component]
pub fn OverviewPage() -> AnyView {
    let data = Resource::new_blocking(|| (), |()| load_overview());
    view! {
        <Title text="Overview · Signalbox"/>
        <Suspense>{move || Suspend::new(async move { page(data.await) })}</Suspense>
    }
    .into_any()
}

fn page(data: Result<Overview, BackendError>) -> AnyView {
    match data {
        Ok(overview) => view! { <Frame shell=overview.shell><h1>"Overview"</h1></Frame> }.into_any(),
        Err(error) => view! { <p>{error.to_string()}</p> }.into_any(),
    }
}
