//! Groups, scenes and schedules: `/api/v1/groups`, `/scenes`, `/schedules`. All three are listed, read, made, changed and taken away alike.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, http};
use domain::device::slug;
use domain::entity::EntityId;
use domain::group::{BadPlan, Group, MAX_PLAN_ID_BYTES};
use domain::scene::{Run, Scene};
use domain::schedule::Schedule;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{By, Cursor, Page, page};
use crate::backend::plans::{Plan, PlanError, ShownGroup, ShownSchedule, not_found};
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::plans::KnownScene;
use crate::store::plan::PlanKind;

/// The routes of all three.
pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/groups", get(groups).post(|state, by, body| add(PlanKind::Group, state, by, body)))
        .route(
            "/api/v1/groups/{id}",
            get(group)
                .put(|state, by, path, body| put(PlanKind::Group, state, by, path, body))
                .delete(|state, by, path| delete(PlanKind::Group, state, by, path)),
        )
        .route("/api/v1/scenes", get(scenes).post(|state, by, body| add(PlanKind::Scene, state, by, body)))
        .route(
            "/api/v1/scenes/{id}",
            get(scene)
                .put(|state, by, path, body| put(PlanKind::Scene, state, by, path, body))
                .delete(|state, by, path| delete(PlanKind::Scene, state, by, path)),
        )
        .route("/api/v1/scenes/{id}/run", post(run_scene))
        .route("/api/v1/scenes/{id}/runs/{run}", get(|state, by, path| run(PlanKind::Scene, state, by, path)))
        .route("/api/v1/schedules", get(schedules).post(|state, by, body| add(PlanKind::Schedule, state, by, body)))
        .route(
            "/api/v1/schedules/{id}",
            get(schedule)
                .put(|state, by, path, body| put(PlanKind::Schedule, state, by, path, body))
                .delete(|state, by, path| delete(PlanKind::Schedule, state, by, path)),
        )
        .route("/api/v1/schedules/{id}/run", post(run_schedule))
        .route("/api/v1/schedules/{id}/runs/{run}", get(|state, by, path| run(PlanKind::Schedule, state, by, path)))
}

/// A scene with its last run.
#[derive(Debug, Serialize)]
struct ListedScene {
    #[serde(flatten)]
    scene: Scene,
    last: Option<Run>,
}

impl From<KnownScene> for ListedScene {
    fn from(KnownScene { scene, last }: KnownScene) -> Self {
        Self { scene, last }
    }
}

async fn groups(State(app): State<AppState>, By(caller): By, Query(cursor): Query<Cursor>) -> Result<Json<Page<ShownGroup>>, Problem> {
    Ok(Json(page(app.backend.groups(&caller)?, &cursor, |shown| &shown.group.id)))
}

async fn group(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<Json<ShownGroup>, Problem> {
    let found = app.backend.groups(&caller)?.into_iter().find(|shown| shown.group.id == id);
    Ok(Json(found.ok_or_else(|| not_found(PlanKind::Group, &id))?))
}

async fn scenes(State(app): State<AppState>, By(caller): By, Query(cursor): Query<Cursor>) -> Result<Json<Page<ListedScene>>, Problem> {
    let all: Vec<ListedScene> = app.backend.scenes(&caller)?.into_iter().map(Into::into).collect();
    Ok(Json(page(all, &cursor, |listed| &listed.scene.id)))
}

async fn scene(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<Json<ListedScene>, Problem> {
    let found = app.backend.scenes(&caller)?.into_iter().find(|known| known.scene.id == id);
    Ok(Json(found.ok_or_else(|| not_found(PlanKind::Scene, &id))?.into()))
}

async fn schedules(State(app): State<AppState>, By(caller): By, Query(cursor): Query<Cursor>) -> Result<Json<Page<ShownSchedule>>, Problem> {
    Ok(Json(page(app.backend.schedules(&caller)?, &cursor, |shown| &shown.schedule.id)))
}

async fn schedule(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<Json<ShownSchedule>, Problem> {
    let found = app.backend.schedules(&caller)?.into_iter().find(|shown| shown.schedule.id == id);
    Ok(Json(found.ok_or_else(|| not_found(PlanKind::Schedule, &id))?))
}

async fn add(kind: PlanKind, State(app): State<AppState>, By(caller): By, body: Bytes) -> Result<Response, Problem> {
    let body = object(&body)?;
    let id = match body.get("id") {
        Some(Value::String(id)) => id.clone(),
        Some(_) => return Err(Problem::field("id", "id: a text is needed")),
        // A name is enough: `Good night` is `good_night`.
        None => slug(body.get("name").and_then(Value::as_str).unwrap_or_default().trim()).chars().take(MAX_PLAN_ID_BYTES).collect(),
    };
    let plan = read(kind, id, &body)?;
    let answer = (StatusCode::CREATED, [(http::header::LOCATION, format!("/api/v1/{}s/{}", kind.as_str(), plan.id()))], shown(&plan));
    app.backend.put_plan(&caller, plan, true).await?;
    Ok(answer.into_response())
}

async fn put(kind: PlanKind, State(app): State<AppState>, By(caller): By, Path(id): Path<String>, body: Bytes) -> Result<Response, Problem> {
    let body = object(&body)?;
    if body.get("id").is_some_and(|said| said.as_str() != Some(&id)) {
        return Err(Problem::field("id", "id: it is another one than in the path"));
    }
    let plan = read(kind, id, &body)?;
    let answer = shown(&plan);
    let is_new = app.backend.put_plan(&caller, plan, false).await?;
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, answer).into_response())
}

async fn delete(kind: PlanKind, State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    app.backend.delete_plan(&caller, kind, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn run_scene(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<(StatusCode, Json<Run>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(app.backend.run_scene(&caller, &id)?)))
}

async fn run_schedule(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<(StatusCode, Json<Run>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(app.backend.run_schedule(&caller, &id)?)))
}

async fn run(kind: PlanKind, State(app): State<AppState>, By(caller): By, Path((of, id)): Path<(String, String)>) -> Result<Json<Run>, Problem> {
    Ok(Json(app.backend.run(&caller, kind, &of, &id)?))
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}")))
}

fn read(kind: PlanKind, id: String, body: &Map<String, Value>) -> Result<Plan, BadPlan> {
    Ok(match kind {
        PlanKind::Group => Plan::Group(read_group(id, body)?),
        PlanKind::Scene => Plan::Scene(Scene::read(id, body)?),
        PlanKind::Schedule => Plan::Schedule(Schedule::read(id, body)?),
    })
}

fn read_group(id: String, body: &Map<String, Value>) -> Result<Group, BadPlan> {
    if let Some(key) = body.keys().find(|key| !matches!(key.as_str(), "id" | "name" | "members")) {
        return Err(BadPlan::new(domain::device::clean_text(key, 80), "there is no such field; there are id, name, members"));
    }
    let Some(Value::String(name)) = body.get("name") else { return Err(BadPlan::new("name", "a text is needed")) };
    let Some(Value::Array(all)) = body.get("members") else { return Err(BadPlan::new("members", "a list of entity ids is needed")) };
    let member =
        |(n, member): (usize, &Value)| EntityId::deserialize(member).map_err(|error| BadPlan::new(format!("members[{n}]"), error.to_string()));
    let members = all.iter().enumerate().map(member).collect::<Result<_, _>>()?;
    Group { id, name: name.clone(), members }.checked()
}

fn shown(plan: &Plan) -> Json<Value> {
    let shown = match plan {
        Plan::Group(group) => serde_json::to_value(group),
        Plan::Scene(scene) => serde_json::to_value(scene),
        Plan::Schedule(schedule) => serde_json::to_value(schedule),
    };
    // Made of texts and numbers, these always encode.
    Json(shown.unwrap_or_default())
}

impl From<BadPlan> for Problem {
    fn from(bad: BadPlan) -> Self {
        let detail = bad.to_string();
        Self::field(bad.field, detail)
    }
}

impl From<PlanError> for Problem {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Bad(bad) => bad.into(),
            PlanError::Refused(error) => error.into(),
            PlanError::Conflict(why) => Self::new(StatusCode::CONFLICT, why),
        }
    }
}
