//! The past, as charts.

use leptos::prelude::*;
use leptos_meta::Title;

/// The history page.
#[component]
pub fn History() -> AnyView {
    view! { <Title text="History"/> }.into_any()
}
