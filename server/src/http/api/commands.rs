//! Commands: sending one, following it.

use app::backend::Backend;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::command::{Action, CommandReport, CommandState};
use domain::entity::EntityId;
use serde::Serialize;
use utoipa::ToSchema;

use super::By;
use super::entities::not_found;
use crate::http::AppState;
use crate::http::problem::Problem;

/// Where a command stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Standing {
    id: String,
    entity: EntityId,
    state: CommandState,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_ms: Option<i64>,
}

impl From<CommandReport> for Standing {
    fn from(report: CommandReport) -> Self {
        Self { id: report.id, entity: report.entity, state: report.state, reason: report.reason, after_ms: report.after_ms }
    }
}

/// Asks a device for something.
#[utoipa::path(post, path = "/api/v1/entities/{id}/command", params(("id" = String, Path, description = "`living-room.light`")), request_body = Action, responses((status = 202, body = Standing)))]
pub(super) async fn send(
    State(app): State<AppState>,
    By(caller): By,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Standing>), Problem> {
    let entity = EntityId::parse(&id).map_err(|_| not_found("entity", &id))?;
    let action: Action = serde_json::from_slice(&body).map_err(|error| Problem::field("action", error.to_string()))?;
    let report = app.backend.send_command(&caller, &entity, action).await?;
    Ok((StatusCode::ACCEPTED, Json(report.into())))
}

/// Where a command stands.
#[utoipa::path(get, path = "/api/v1/commands/{id}", params(("id" = String, Path)), responses((status = 200, body = Standing)))]
pub(super) async fn one(State(app): State<AppState>, By(_): By, Path(id): Path<String>) -> Result<Json<Standing>, Problem> {
    app.backend.command(&id).map(|report| Json(report.into())).ok_or_else(|| not_found("command", &id))
}
