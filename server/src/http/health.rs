//! Whether the server lives, and whether it is ready.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::live::LinkView;
use domain::time::Timestamp;
use serde::Serialize;

use super::AppState;
use crate::recorder::Health;

/// Answers as long as the process does.
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// What readiness is made of.
#[derive(Debug, Serialize)]
pub(super) struct Readiness {
    ready: bool,
    recording: Recording,
    links: Vec<LinkView>,
}

/// Whether what arrives is being stored.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Recording {
    Ok,
    /// Tried again until it works; the brokers keep what is not stored.
    Failing {
        /// `the database is locked by another program`.
        error: &'static str,
        since: Timestamp,
    },
}

/// The database is open (or the server would not run), what arrives is stored, and every link is up or reported. Else 503.
pub(super) async fn ready(State(app): State<AppState>) -> (StatusCode, Json<Readiness>) {
    let links = app.backend.state().fleet.links().cloned().collect();
    let (status, recording) = match app.recorder.health() {
        Health::Ok => (StatusCode::OK, Recording::Ok),
        Health::Failing { cause, since, .. } => (StatusCode::SERVICE_UNAVAILABLE, Recording::Failing { error: cause, since }),
    };
    (status, Json(Readiness { ready: status == StatusCode::OK, recording, links }))
}
