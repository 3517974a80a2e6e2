//! `/api/v1/scenes`.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::scene::{Run, Scene, SceneCommand};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::{By, Cursor, Page, Query, page};
use crate::backend::plans::not_found;
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::plans::KnownScene;
use crate::store::plan::PlanKind;

/// The routes.
pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/scenes", get(list).post(add))
        .route("/api/v1/scenes/{id}", get(one).put(put).delete(delete))
        .route("/api/v1/scenes/{id}/run", post(start))
        .route("/api/v1/scenes/{id}/runs/{run}", get(run))
}

/// A scene with its last run.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http::api) struct ListedScene {
    #[serde(flatten)]
    scene: Scene,
    last: Option<Run>,
}

impl From<KnownScene> for ListedScene {
    fn from(KnownScene { scene, last }: KnownScene) -> Self {
        Self { scene, last }
    }
}

/// A scene as it is asked for.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is read by hand, so that errors name the place; this says what is read")]
pub(in crate::http::api) struct SceneBody {
    /// As in the path, where it stands there.
    #[schema(pattern = "^[a-z0-9_-]+$", max_length = 64, required = false)]
    id: String,
    #[schema(max_length = 80)]
    name: String,
    /// Each entity once.
    #[schema(min_items = 1, max_items = 100)]
    commands: Vec<SceneCommand>,
}

/// Scenes with their last runs, by id.
#[utoipa::path(get, path = "/api/v1/scenes", params(Cursor), responses((status = 200, body = Page<ListedScene>)))]
pub(in crate::http::api) async fn list(
    State(app): State<AppState>,
    By(caller): By,
    Query(cursor): Query<Cursor>,
) -> Result<Json<Page<ListedScene>>, Problem> {
    let all: Vec<ListedScene> = app.backend.scenes(&caller)?.into_iter().map(Into::into).collect();
    Ok(Json(page(all, &cursor, |listed| &listed.scene.id)))
}

/// One scene with its last run.
#[utoipa::path(get, path = "/api/v1/scenes/{id}", params(("id" = String, Path, description = "`evening`")), responses((status = 200, body = ListedScene)))]
pub(in crate::http::api) async fn one(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<Json<ListedScene>, Problem> {
    let found = app.backend.scenes(&caller)?.into_iter().find(|known| known.scene.id == id);
    Ok(Json(found.ok_or_else(|| not_found(PlanKind::Scene, &id))?.into()))
}

/// Makes a new scene; without an `id` it gets one from its name.
#[utoipa::path(post, path = "/api/v1/scenes", request_body = SceneBody, responses((status = 201, body = Scene)))]
pub(in crate::http::api) async fn add(State(app): State<AppState>, by: By, body: Bytes) -> Result<Response, Problem> {
    super::add(PlanKind::Scene, app, by, body).await
}

/// Makes a scene (201) or changes it (200).
#[utoipa::path(put, path = "/api/v1/scenes/{id}", params(("id" = String, Path, description = "`evening`")), request_body = SceneBody, responses((status = 200, body = Scene), (status = 201, body = Scene)))]
pub(in crate::http::api) async fn put(State(app): State<AppState>, by: By, Path(id): Path<String>, body: Bytes) -> Result<Response, Problem> {
    super::put(PlanKind::Scene, app, by, id, body).await
}

/// Takes a scene away.
#[utoipa::path(delete, path = "/api/v1/scenes/{id}", params(("id" = String, Path, description = "`evening`")), responses((status = 204)))]
pub(in crate::http::api) async fn delete(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    app.backend.delete_plan(&caller, PlanKind::Scene, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Runs a scene at once.
#[utoipa::path(post, path = "/api/v1/scenes/{id}/run", params(("id" = String, Path, description = "`evening`")), responses((status = 202, body = Run)))]
pub(in crate::http::api) async fn start(
    State(app): State<AppState>,
    By(caller): By,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Run>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(app.backend.run_scene(&caller, &id)?)))
}

/// How far a run came, among the last ones.
#[utoipa::path(get, path = "/api/v1/scenes/{id}/runs/{run}", params(("id" = String, Path, description = "`evening`"), ("run" = String, Path)), responses((status = 200, body = Run)))]
pub(in crate::http::api) async fn run(
    State(app): State<AppState>,
    By(caller): By,
    Path((of, id)): Path<(String, String)>,
) -> Result<Json<Run>, Problem> {
    Ok(Json(app.backend.run(&caller, PlanKind::Scene, &of, &id)?))
}
