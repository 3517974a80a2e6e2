//! One device.

use leptos::prelude::*;
use leptos_meta::Title;

/// The page of one device.
#[component]
pub fn DevicePage() -> AnyView {
    view! { <Title text="Device"/> }.into_any()
}
