//! Why there is no data of an entity.

use app::backend::Backend as _;
use app::device::Why;
use axum::Json;
use axum::extract::{Path, State};
use domain::entity::EntityId;
use serde::Serialize;
use utoipa::ToSchema;

use super::By;
use super::entities::not_found;
use crate::http::AppState;
use crate::http::problem::Problem;

/// The way of a message, step by step.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Why)]
pub(super) struct Answer {
    /// In the order that a message takes.
    steps: Vec<Step>,
    /// The first step that fails, in a sentence; or that nothing does.
    verdict: String,
}

/// One step on the way of a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WhyStep)]
struct Step {
    /// `link`, `rights`, `subscription`, `message`, `parse`, `time` or `shown`.
    step: String,
    /// Whether it is passed; `null` where nobody can know, because one before is not.
    ok: Option<bool>,
    /// The evidence, and what to do.
    detail: String,
}

/// Why there is no data of an entity: link, rights, subscription, last message, parsing, time, whether it is shown.
#[utoipa::path(get, path = "/api/v1/entities/{id}/why", params(("id" = String, Path, description = "`temp-sensor-001.temperature`")), responses((status = 200, body = Answer)))]
pub(super) async fn why(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<Json<Answer>, Problem> {
    let entity = EntityId::parse(&id).map_err(|_| not_found("entity", &id))?;
    let Why { steps, verdict, .. } = app.backend.why(&caller, &entity).await?;
    let steps = steps.into_iter().map(|step| Step { step: step.step, ok: step.ok, detail: step.detail }).collect();
    Ok(Json(Answer { steps, verdict }))
}
