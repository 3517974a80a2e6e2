//! What there is not, or not yet.

use leptos::prelude::*;
use leptos_meta::Title;

/// The page for an unknown address.
#[component]
pub fn NotFound() -> AnyView {
    crate::status::not_found();
    view! { <Title text="Not found"/> }.into_any()
}
