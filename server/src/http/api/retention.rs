//! What is kept, and how far back it will reach: `GET /api/v1/retention`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::By;
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::store::retention::Kept;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Retention)]
pub(super) struct Answer {
    #[serde(flatten)]
    kept: Kept,
    /// The horizons in words; `null` while they are not known.
    horizon: Option<String>,
}

/// What is kept of history, and how far back it will reach.
#[utoipa::path(get, path = "/api/v1/retention", responses((status = 200, body = Answer)))]
pub(super) async fn show(State(app): State<AppState>, By(caller): By) -> Result<Json<Answer>, Problem> {
    let kept = app.backend.kept(&caller).await?;
    Ok(Json(Answer { horizon: kept.sentence(), kept }))
}
