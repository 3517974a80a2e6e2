//! `/api/v1/schedules`.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::scene::Run;
use domain::schedule::{Schedule, Target, When};
use utoipa::ToSchema;

use super::super::{By, Cursor, Page, Query, page};
use crate::backend::plans::{ShownSchedule, not_found};
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::store::plan::PlanKind;

/// The routes.
pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/schedules", get(list).post(add))
        .route("/api/v1/schedules/{id}", get(one).put(put).delete(delete))
        .route("/api/v1/schedules/{id}/run", post(start))
        .route("/api/v1/schedules/{id}/runs/{run}", get(run))
}

/// A schedule as it is asked for.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is read by hand, so that errors name the place; this says what is read")]
pub(in crate::http::api) struct ScheduleBody {
    /// As in the path, where it stands there.
    #[schema(pattern = "^[a-z0-9_-]+$", max_length = 64, required = false)]
    id: String,
    #[schema(max_length = 80)]
    name: String,
    /// Whether it runs by itself; `true` when it is left out.
    #[schema(default = true, required = false)]
    enabled: bool,
    when: When,
    run: Target,
}

/// Schedules with how they stand, by id.
#[utoipa::path(get, path = "/api/v1/schedules", params(Cursor), responses((status = 200, body = Page<ShownSchedule>)))]
pub(in crate::http::api) async fn list(
    State(app): State<AppState>,
    By(caller): By,
    Query(cursor): Query<Cursor>,
) -> Result<Json<Page<ShownSchedule>>, Problem> {
    Ok(Json(page(app.backend.schedules(&caller)?, &cursor, |shown| &shown.schedule.id)))
}

/// One schedule with how it stands.
#[utoipa::path(get, path = "/api/v1/schedules/{id}", params(("id" = String, Path, description = "`dusk`")), responses((status = 200, body = ShownSchedule)))]
pub(in crate::http::api) async fn one(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<Json<ShownSchedule>, Problem> {
    let found = app.backend.schedules(&caller)?.into_iter().find(|shown| shown.schedule.id == id);
    Ok(Json(found.ok_or_else(|| not_found(PlanKind::Schedule, &id))?))
}

/// Makes a new schedule; without an `id` it gets one from its name.
#[utoipa::path(post, path = "/api/v1/schedules", request_body = ScheduleBody, responses((status = 201, body = Schedule)))]
pub(in crate::http::api) async fn add(State(app): State<AppState>, by: By, body: Bytes) -> Result<Response, Problem> {
    super::add(PlanKind::Schedule, app, by, body).await
}

/// Makes a schedule (201) or changes it (200).
#[utoipa::path(put, path = "/api/v1/schedules/{id}", params(("id" = String, Path, description = "`dusk`")), request_body = ScheduleBody, responses((status = 200, body = Schedule), (status = 201, body = Schedule)))]
pub(in crate::http::api) async fn put(State(app): State<AppState>, by: By, Path(id): Path<String>, body: Bytes) -> Result<Response, Problem> {
    super::put(PlanKind::Schedule, app, by, id, body).await
}

/// Takes a schedule away.
#[utoipa::path(delete, path = "/api/v1/schedules/{id}", params(("id" = String, Path, description = "`dusk`")), responses((status = 204)))]
pub(in crate::http::api) async fn delete(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    app.backend.delete_plan(&caller, PlanKind::Schedule, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Runs a schedule at once.
#[utoipa::path(post, path = "/api/v1/schedules/{id}/run", params(("id" = String, Path, description = "`dusk`")), responses((status = 202, body = Run)))]
pub(in crate::http::api) async fn start(
    State(app): State<AppState>,
    By(caller): By,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Run>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(app.backend.run_schedule(&caller, &id)?)))
}

/// How far a run came, among the last ones.
#[utoipa::path(get, path = "/api/v1/schedules/{id}/runs/{run}", params(("id" = String, Path, description = "`dusk`"), ("run" = String, Path)), responses((status = 200, body = Run)))]
pub(in crate::http::api) async fn run(
    State(app): State<AppState>,
    By(caller): By,
    Path((of, id)): Path<(String, String)>,
) -> Result<Json<Run>, Problem> {
    Ok(Json(app.backend.run(&caller, PlanKind::Schedule, &of, &id)?))
}
