//! What a page shows instead of its content.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::backend::{BackendError, Shell};
use crate::components::Frame;
use crate::components::icon;
use crate::erase::Erase as _;
use crate::server_fns::load_shell;

/// Why a page has no content, and what to show around that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Trouble {
    error: BackendError,
    /// `None` when the server could not say that either.
    shell: Option<Shell>,
}

/// `result`, with the frame of a page beside an error.
///
/// # Errors
/// [`Trouble`] instead of the error.
pub(super) async fn or_trouble<T>(result: Result<T, BackendError>) -> Result<T, Trouble> {
    match result {
        Ok(page) => Ok(page),
        Err(error) => Err(Trouble { error, shell: load_shell().await.ok() }),
    }
}

/// What went wrong, in the frame of every page.
pub(super) fn trouble_page(trouble: Trouble) -> AnyView {
    let (symbol, head, text) = match trouble.error {
        BackendError::NotFound(what) => ("search", "Not found", format!("There is no {what} here. It may have been renamed or removed.")),
        BackendError::Invalid(why) => ("caution", "The address makes no sense", format!("{why}.")),
        BackendError::Forbidden(role) => ("lock", "Not allowed", format!("For this page {role} rights are needed.")),
        BackendError::Internal => ("caution", "The page could not be read", "The server did not answer. Try again in a moment.".to_owned()),
    };
    framed(trouble.shell, symbol, head, text)
}

/// A sentence in place of a page, with the way back.
pub(super) fn framed(shell: Option<Shell>, symbol: &'static str, head: &'static str, text: String) -> AnyView {
    let content = view! {
        <section class="card empty">
            {icon(symbol, "")} <h1>{head}</h1> <p>{text}</p>
            <div class="row">
                <a class="button" href="/">
                    {icon("overview", "")}
                    "Back to overview"
                </a>
            </div>
        </section>
    };
    match shell {
        Some(shell) => view! { <Frame shell>{content}</Frame> }.erase(),
        None => view! { <main class="main" id="main" tabindex="-1">{content}</main> }.erase(),
    }
}
