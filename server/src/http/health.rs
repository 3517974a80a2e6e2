//! Whether the server lives, and whether it is ready.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::live::LinkView;
use domain::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::AppState;
use crate::recorder::Health;

/// Answers as long as the process does.
#[utoipa::path(get, path = "/healthz", responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// What readiness is made of.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Readiness {
    ready: bool,
    recording: Recording,
    links: Vec<LinkView>,
}

/// Whether what arrives is being stored.
#[derive(Debug, Serialize, ToSchema)]
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
#[utoipa::path(get, path = "/readyz", responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub(super) async fn ready(State(app): State<AppState>) -> (StatusCode, Json<Readiness>) {
    let links = app.backend.state().fleet.links().cloned().collect();
    let (status, recording) = match app.recorder.health() {
        Health::Ok => (StatusCode::OK, Recording::Ok),
        Health::Failing { cause, since, .. } => (StatusCode::SERVICE_UNAVAILABLE, Recording::Failing { error: cause, since }),
    };
    (status, Json(Readiness { ready: status == StatusCode::OK, recording, links }))
}
