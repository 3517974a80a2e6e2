//! What there is not, or not yet.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

use crate::erase::Erase as _;
use crate::pages::trouble::{card, framed};
use crate::server_fns::load_shell;

/// The page for an unknown address.
#[component]
pub fn NotFound() -> AnyView {
    crate::status::not_found();
    let path = use_location().pathname;
    let shell = Resource::new_blocking(|| (), |()| load_shell());
    view! {
        <Title text="Not found · Signalbox"/>
        <Suspense>
            {Suspend::new(async move {
                let text = move || format!("There is no page at {}. The overview has everything that is connected.", path.get());
                framed(shell.await.ok(), (move || card("search", "Not found", text())).erase())
            })}
        </Suspense>
    }
    .erase()
}
