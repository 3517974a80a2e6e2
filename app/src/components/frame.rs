//! The frame around every page: top bar, navigation, main.

use leptos::prelude::*;

use super::banner::Banner;
use super::nav::Nav;
use super::topbar::TopBar;
use crate::backend::Shell;
use crate::erase::Erase as _;
use crate::live::Live;

/// Top bar, navigation and `main` around a page's content. What the server says about every page goes to [`Live`], and is shown from there.
#[component]
pub fn Frame(
    /// What the server says about every page.
    shell: Shell,
    /// The page's content.
    children: Children,
) -> AnyView {
    Live::expect().seed(shell);
    view! {
        <TopBar/>
        <Nav/>
        <main class="main" id="main" tabindex="-1">
            <Banner/>
            {children()}
        </main>
    }
    .erase()
}
