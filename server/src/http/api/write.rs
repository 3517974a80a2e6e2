//! What operators write about entities, devices and areas: `PATCH`, answered with how it is shown from now on.

use app::backend::Role;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::device::{Area, AreaId, Device, DeviceId, clean_text};
use domain::entity::EntityId;
use domain::written::{AmendError, Amendment, AreaPatch, BadField, DevicePatch, EntityPatch};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::By;
use super::entities::{self, Listed, not_found};
use crate::backend::{WriteError, require};
use crate::http::AppState;
use crate::http::problem::Problem;

/// Names an entity, moves it, hides it. What is not named stays; `null` takes back what was written.
#[utoipa::path(patch, path = "/api/v1/entities/{id}", params(("id" = String, Path, description = "`temp-sensor-001.temperature`")), request_body = EntityPatch, responses((status = 200, body = Listed)))]
pub(super) async fn entity(State(app): State<AppState>, By(caller): By, Path(id): Path<String>, body: Bytes) -> Result<Json<Listed>, Problem> {
    require(&caller, Role::Operator)?;
    let entity = EntityId::parse(&id).map_err(|_| not_found("entity", &id))?;
    let fields = object(&body)?;
    let patch = EntityPatch::read(fields.clone())?;
    app.backend.write(&caller, Amendment::Entity(entity, patch), fields).await?;
    entities::one(State(app), By(caller), Path(id)).await
}

/// Names a device or moves it, and its entities with it.
#[utoipa::path(patch, path = "/api/v1/devices/{id}", params(("id" = String, Path, description = "`temp-sensor-001`")), request_body = DevicePatch, responses((status = 200, body = Device)))]
pub(super) async fn device(State(app): State<AppState>, By(caller): By, Path(id): Path<String>, body: Bytes) -> Result<Json<Device>, Problem> {
    require(&caller, Role::Operator)?;
    let device = DeviceId::parse(&id).map_err(|_| not_found("device", &id))?;
    let fields = object(&body)?;
    let patch = DevicePatch::read(fields.clone())?;
    app.backend.write(&caller, Amendment::Device(device, patch), fields).await?;
    entities::one_device(State(app), By(caller), Path(id)).await
}

/// Takes a device out, with its entities; their history stays, and so does what operators wrote. What a broker replays of it does not bring it back,
/// its own voice does.
#[utoipa::path(delete, path = "/api/v1/devices/{id}", params(("id" = String, Path, description = "`temp-sensor-001`")), responses((status = 204)))]
pub(super) async fn remove_device(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    require(&caller, Role::Operator)?;
    let device = DeviceId::parse(&id).map_err(|_| not_found("device", &id))?;
    app.backend.write(&caller, Amendment::RemoveDevice(device), Map::new()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The device that another is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Merge {
    /// Its id: it stays.
    #[schema(value_type = DeviceId)]
    into: String,
}

/// Makes two devices one: this one goes, its entities are the other's from now on and keep their ids, and so is whatever is found of it later.
#[utoipa::path(post, path = "/api/v1/devices/{id}/merge", params(("id" = String, Path, description = "`temp-sensor-001`")), request_body = Merge, responses((status = 200, body = Device)))]
pub(super) async fn merge_device(State(app): State<AppState>, By(caller): By, Path(id): Path<String>, body: Bytes) -> Result<Json<Device>, Problem> {
    require(&caller, Role::Operator)?;
    let from = DeviceId::parse(&id).map_err(|_| not_found("device", &id))?;
    let fields = object(&body)?;
    let merge: Merge = serde_json::from_value(Value::Object(fields.clone())).map_err(|error| {
        let field = if fields.contains_key("into") { "into" } else { "body" };
        Problem::field(field.to_owned(), format!("expected {{\"into\":\"<device id>\"}}: {}", clean_text(&error.to_string(), 200)))
    })?;
    let into = DeviceId::parse(&merge.into).map_err(|error| Problem::field("into".to_owned(), error.to_string()))?;
    app.backend.write(&caller, Amendment::MergeDevice { from, into: into.clone() }, fields).await?;
    entities::one_device(State(app), By(caller), Path(into.to_string())).await
}

/// Names an area.
#[utoipa::path(patch, path = "/api/v1/areas/{id}", params(("id" = String, Path, description = "`livingroom`")), request_body = AreaPatch, responses((status = 200, body = Area)))]
pub(super) async fn area(State(app): State<AppState>, By(caller): By, Path(id): Path<String>, body: Bytes) -> Result<Json<Area>, Problem> {
    require(&caller, Role::Operator)?;
    let area = AreaId::parse(&id).map_err(|_| not_found("area", &id))?;
    let fields = object(&body)?;
    let patch = AreaPatch::read(fields.clone())?;
    app.backend.write(&caller, Amendment::Area(area, patch), fields).await?;
    entities::one_area(State(app), By(caller), Path(id)).await
}

/// The fields to be changed. The order of the words is lost, and of two with one name the last one counts.
fn object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        let error = clean_text(&error.to_string(), 200);
        Problem::new(StatusCode::BAD_REQUEST, format!("the body is no JSON object with the fields to be changed: {error}"))
    })
}

impl From<BadField> for Problem {
    fn from(error: BadField) -> Self {
        let detail = error.to_string();
        Self::field(error.field, detail)
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        let detail = error.to_string();
        match error {
            WriteError::Refused(error) => error.into(),
            WriteError::Amend(AmendError::Unknown(_)) => Self::new(StatusCode::NOT_FOUND, detail),
            WriteError::Amend(AmendError::InFile { field, .. }) => Self::about(StatusCode::CONFLICT, field, detail),
            WriteError::Amend(AmendError::Invalid { field, .. }) => Self::field(field.to_owned(), detail),
            WriteError::NotStored => Self::new(StatusCode::SERVICE_UNAVAILABLE, detail),
        }
    }
}
