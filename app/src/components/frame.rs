//! The frame around every page: top bar, navigation, main.

use leptos::prelude::*;

use super::banner::Banner;
use super::nav::Nav;
use super::topbar::TopBar;
use crate::backend::Shell;
use crate::erase::{Erase as _, effect};
use crate::live::{Live, start};

/// Top bar, navigation and `main` around a page's content. What the server says about every page goes to [`Live`], and is shown from there.
/// Once the first frame stands in the browser, the page goes live: values that came before would not be those that the server drew.
#[component]
pub fn Frame(
    /// What the server says about every page; `None` leaves what is known.
    shell: Option<Shell>,
    /// The page's content.
    children: Children,
) -> AnyView {
    let live = Live::expect();
    if let Some(shell) = shell {
        live.seed(shell);
    }
    effect(move || start(live));
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
