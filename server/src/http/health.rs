//! Whether the server lives, and whether it is ready.

use axum::Json;
use axum::extract::State;
use domain::live::LinkView;
use serde::Serialize;

use super::AppState;

/// Answers as long as the process does.
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// What readiness is made of.
#[derive(Debug, Serialize)]
pub(super) struct Readiness {
    ready: bool,
    links: Vec<LinkView>,
}

/// The database is open (or the server would not run) and every link is up or reported.
pub(super) async fn ready(State(app): State<AppState>) -> Json<Readiness> {
    let links = app.backend.state().fleet.links().cloned().collect();
    Json(Readiness { ready: true, links })
}
