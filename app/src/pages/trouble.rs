//! What a page shows around its content, and instead of it.

use std::sync::Arc;

use leptos::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::backend::{BackendError, Shell};
use crate::components::{Frame, icon};
use crate::erase::{Erase as _, memo};
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

/// What the frame shows: from the page, or from what is known without it.
fn shell_of<T>(result: &Result<T, Trouble>, shell: impl Fn(&T) -> Shell) -> Option<Shell> {
    match result {
        Ok(page) => Some(shell(page)),
        Err(trouble) => trouble.shell.clone(),
    }
}

/// A page that fetches. The frame is made once and stays; its content follows `data`.
/// (A frame made again with each answer would be gone while it is still read, for the time of loading lies between.)
pub(super) fn fetched<T>(
    data: Resource<Result<T, Trouble>>,
    // Says what the frame shows, and takes in what it depends on: server and browser must know the same when they draw it.
    shell: impl Fn(&T) -> Shell + Send + Sync + 'static,
    content: impl Fn(T) -> AnyView + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let page = async move {
        let shell = shell_of(&data.await, shell);
        let content = move || {
            let result = data.get()?;
            // What the content reads while it is made must not make it again.
            Some(untrack(|| match result {
                Ok(page) => content(page),
                Err(trouble) => sorry(trouble.error),
            }))
        };
        framed(shell, content.erase())
    };
    // While the next data are on their way, those before stay.
    view! { <Transition>{Suspend::new(page)}</Transition> }.erase()
}

/// A page that fetches, whose content is made once and follows the data by itself: a field that is typed into and a thing that is dragged outlive
/// the next answer.
pub(super) fn followed<T>(
    data: Resource<Result<T, Trouble>>,
    // As for [`fetched`].
    shell: impl Fn(&T) -> Shell + Send + Sync + 'static,
    content: impl Fn(Memo<Arc<T>>) -> AnyView + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let page = async move {
        let shell = shell_of(&data.await, shell);
        let trouble = memo(move || data.with(|result| result.as_ref().map(|result| result.as_ref().err().cloned())));
        let content = move || {
            if let Some(trouble) = trouble.get()? {
                return Some(untrack(|| sorry(trouble.error)));
            }
            let first = untrack(|| data.get())?.ok().map(Arc::new)?;
            let latest = Memo::new_with_compare(
                move |before: Option<&Arc<T>>| match data.get() {
                    Some(Ok(page)) => Arc::new(page),
                    _ => before.cloned().unwrap_or_else(|| Arc::clone(&first)),
                },
                |_, _| true,
            );
            Some(untrack(|| content(latest)))
        };
        framed(shell, content.erase())
    };
    view! { <Transition>{Suspend::new(page)}</Transition> }.erase()
}

/// The content of a page in its frame; without one when the server could not say what belongs there.
pub(super) fn framed(shell: Option<Shell>, content: AnyView) -> AnyView {
    match shell {
        Some(_) => view! { <Frame shell>{content}</Frame> }.erase(),
        None => view! {
            <main class="main" id="main" tabindex="-1">
                {content}
            </main>
        }
        .erase(),
    }
}

fn sorry(error: BackendError) -> AnyView {
    let (symbol, head, text) = match error {
        BackendError::NotFound(what) => ("search", "Not found", format!("There is no {what} here. It may have been renamed or removed.")),
        BackendError::Invalid(why) => ("caution", "The address makes no sense", format!("{why}.")),
        BackendError::Forbidden(role) => ("lock", "Not allowed", format!("For this page {role} rights are needed.")),
        BackendError::Internal => ("caution", "The page could not be read", "The server did not answer. Try again in a moment.".to_owned()),
    };
    card(symbol, head, text)
}

/// A sentence in place of a page, with the way back.
pub(super) fn card(symbol: &'static str, head: &'static str, text: String) -> AnyView {
    view! {
        <section class="card empty">
            {icon(symbol, "")} <h1>{head}</h1> <p>{text}</p>
            <div class="row">
                <a class="button" href="/">
                    {icon("overview", "")}
                    "Back to overview"
                </a>
            </div>
        </section>
    }
    .erase()
}
