//! A page that could not be made: what failed, what still works, what to do.

use leptos::prelude::*;

use super::icon;
use crate::backend::BackendError;
use crate::erase::Erase as _;
use crate::tile::words::capital;

/// Says why a page could not be made. It stands alone, for the frame around a page comes with its data.
#[component]
pub fn Problem(
    /// What the server said.
    error: BackendError,
) -> AnyView {
    let what = match error {
        BackendError::NotFound(what) => [&capital(&what), " was not found"].concat(),
        other => capital(&other.to_string()),
    };
    view! {
        <main class="main" id="main" tabindex="-1">
            <div class="card empty">
                {icon("caution", "")}
                <h1>{what}</h1>
                <p>"Devices and alarms go on without this page."</p>
                <p class="actions">
                    <a class="button button-primary" href="" rel="external">
                        "Try again"
                    </a>
                    <a class="button" href="/" rel="external">
                        "Overview"
                    </a>
                </p>
            </div>
        </main>
    }
    .erase()
}
