//! Groups, scenes and schedules: `/api/v1/groups`, `/scenes`, `/schedules`. All three are made, changed and taken away alike, which is here; what
//! is told of each, and what its routes are, stands in a file of its own.

/// Groups.
pub(super) mod groups;
/// Scenes and their runs.
pub(super) mod scenes;
/// Schedules and their runs.
pub(super) mod schedules;

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, http};
use domain::device::slug;
use domain::entity::EntityId;
use domain::group::{BadPlan, Group, MAX_PLAN_ID_BYTES};
use domain::scene::Scene;
use domain::schedule::Schedule;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::By;
use crate::backend::plans::{Plan, PlanError};
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::store::plan::PlanKind;

/// The routes of all three.
pub(super) fn router() -> Router<AppState> {
    groups::router().merge(scenes::router()).merge(schedules::router())
}

/// Makes a new one.
async fn add(kind: PlanKind, app: AppState, By(caller): By, body: Bytes) -> Result<Response, Problem> {
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

/// Makes one or changes it.
async fn put(kind: PlanKind, app: AppState, By(caller): By, id: String, body: Bytes) -> Result<Response, Problem> {
    let body = object(&body)?;
    if body.get("id").is_some_and(|said| said.as_str() != Some(&id)) {
        return Err(Problem::field("id", "id: it is another one than in the path"));
    }
    let plan = read(kind, id, &body)?;
    let answer = shown(&plan);
    let is_new = app.backend.put_plan(&caller, plan, false).await?;
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, answer).into_response())
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
