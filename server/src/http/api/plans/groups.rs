//! `/api/v1/groups`.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use domain::entity::EntityId;
use domain::group::Group;
use utoipa::ToSchema;

use super::super::{By, Cursor, Page, Query, page};
use crate::backend::plans::{ShownGroup, not_found};
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::store::plan::PlanKind;

/// The routes.
pub(super) fn router() -> Router<AppState> {
    Router::new().route("/api/v1/groups", get(list).post(add)).route("/api/v1/groups/{id}", get(one).put(put).delete(delete))
}

/// A group as it is asked for.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is read by hand, so that errors name the place; this says what is read")]
pub(in crate::http::api) struct GroupBody {
    /// As in the path, where it stands there.
    #[schema(pattern = "^[a-z0-9_-]+$", max_length = 64, required = false)]
    id: String,
    #[schema(max_length = 80)]
    name: String,
    /// Lights and switches, each once; no groups.
    #[schema(min_items = 1, max_items = 100)]
    members: Vec<EntityId>,
}

/// Groups with what they show, by id.
#[utoipa::path(get, path = "/api/v1/groups", params(Cursor), responses((status = 200, body = Page<ShownGroup>)))]
pub(in crate::http::api) async fn list(
    State(app): State<AppState>,
    By(caller): By,
    Query(cursor): Query<Cursor>,
) -> Result<Json<Page<ShownGroup>>, Problem> {
    Ok(Json(page(app.backend.groups(&caller)?, &cursor, |shown| &shown.group.id)))
}

/// One group with what it shows.
#[utoipa::path(get, path = "/api/v1/groups/{id}", params(("id" = String, Path, description = "`stairs`")), responses((status = 200, body = ShownGroup)))]
pub(in crate::http::api) async fn one(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<Json<ShownGroup>, Problem> {
    let found = app.backend.groups(&caller)?.into_iter().find(|shown| shown.group.id == id);
    Ok(Json(found.ok_or_else(|| not_found(PlanKind::Group, &id))?))
}

/// Makes a new group; without an `id` it gets one from its name.
#[utoipa::path(post, path = "/api/v1/groups", request_body = GroupBody, responses((status = 201, body = Group)))]
pub(in crate::http::api) async fn add(State(app): State<AppState>, by: By, body: Bytes) -> Result<Response, Problem> {
    super::add(PlanKind::Group, app, by, body).await
}

/// Makes a group (201) or changes it (200).
#[utoipa::path(put, path = "/api/v1/groups/{id}", params(("id" = String, Path, description = "`stairs`")), request_body = GroupBody, responses((status = 200, body = Group), (status = 201, body = Group)))]
pub(in crate::http::api) async fn put(State(app): State<AppState>, by: By, Path(id): Path<String>, body: Bytes) -> Result<Response, Problem> {
    super::put(PlanKind::Group, app, by, id, body).await
}

/// Takes a group away.
#[utoipa::path(delete, path = "/api/v1/groups/{id}", params(("id" = String, Path, description = "`stairs`")), responses((status = 204)))]
pub(in crate::http::api) async fn delete(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    app.backend.delete_plan(&caller, PlanKind::Group, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
