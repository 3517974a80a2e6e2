//! One device.

use leptos::prelude::*;

use crate::erase::Erase as _;
use leptos_meta::Title;

/// The page of one device.
#[component]
pub fn DevicePage() -> AnyView {
    view! { <Title text="Device"/> }.erase()
}
