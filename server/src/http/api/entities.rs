//! Entities, devices and areas: the current state.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::device::{Area, AreaId, Device, DeviceId};
use domain::entity::EntityId;
use domain::fleet::{Attributes, Fleet};
use domain::live::EntityView;
use domain::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{By, Cursor, Page, Query, page};
use crate::http::AppState;
use crate::http::problem::Problem;

/// An entity with what only those ask for who wonder about it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listed {
    #[serde(flatten)]
    view: EntityView,
    /// By how many milliseconds its device's clock is wrong, positive when it is ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_skew_ms: Option<i64>,
    /// Why the last message could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What is said of it besides its value; only where one entity is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Told>,
}

/// What a device says of an entity besides its value.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Told {
    /// By name, as the device says it; empty where the message could not be read.
    #[schema(value_type = Object)]
    values: serde_json::Map<String, serde_json::Value>,
    /// When it was said; `null` where the broker had kept it.
    t: Option<Timestamp>,
    /// Why the last message could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<Attributes> for Told {
    fn from(Attributes { read, at: t }: Attributes) -> Self {
        match read {
            Ok(values) => Self { values, t, reason: None },
            Err(error) => Self { values: serde_json::Map::new(), t, reason: Some(error.to_string()) },
        }
    }
}

impl Listed {
    fn of(view: EntityView, fleet: &Fleet) -> Self {
        Self { clock_skew_ms: fleet.clock_skew_ms(&view.id), reason: fleet.bad_reason(&view.id).map(ToOwned::to_owned), attributes: None, view }
    }
}

/// Entities with their current values, by id.
#[utoipa::path(get, path = "/api/v1/entities", params(Cursor), responses((status = 200, body = Page<Listed>)))]
pub(super) async fn list(State(app): State<AppState>, By(_): By, Query(cursor): Query<Cursor>) -> Json<Page<Listed>> {
    let state = app.backend.state();
    let mut entities: Vec<Listed> = state.fleet.entities().into_iter().map(|view| Listed::of(view, &state.fleet)).collect();
    drop(state);
    entities.sort_by(|a, b| a.view.id.as_str().cmp(b.view.id.as_str()));
    Json(page(entities, &cursor, |listed| listed.view.id.as_str()))
}

/// One entity with its current value.
#[utoipa::path(get, path = "/api/v1/entities/{id}", params(("id" = String, Path, description = "`temp-sensor-001.temperature`")), responses((status = 200, body = Listed)))]
pub(super) async fn one(State(app): State<AppState>, By(_): By, Path(id): Path<String>) -> Result<Json<Listed>, Problem> {
    let state = app.backend.state();
    let found = EntityId::parse(&id).ok().and_then(|id| state.fleet.entity(&id)).map(|view| {
        let attributes = state.fleet.attributes(&view.id).map(Told::from);
        Listed { attributes, ..Listed::of(view, &state.fleet) }
    });
    found.map(Json).ok_or_else(|| not_found("entity", &id))
}

/// Devices, by id.
#[utoipa::path(get, path = "/api/v1/devices", params(Cursor), responses((status = 200, body = Page<Device>)))]
pub(super) async fn list_devices(State(app): State<AppState>, By(_): By, Query(cursor): Query<Cursor>) -> Json<Page<Device>> {
    let devices = app.backend.state().fleet.devices().into_iter().cloned().collect();
    Json(page(devices, &cursor, |device: &Device| device.id.as_str()))
}

/// One device.
#[utoipa::path(get, path = "/api/v1/devices/{id}", params(("id" = String, Path, description = "`temp-sensor-001`")), responses((status = 200, body = Device)))]
pub(super) async fn one_device(State(app): State<AppState>, By(_): By, Path(id): Path<String>) -> Result<Json<Device>, Problem> {
    let found = DeviceId::parse(&id).ok().and_then(|id| app.backend.state().fleet.device(&id).cloned());
    found.map(Json).ok_or_else(|| not_found("device", &id))
}

/// Areas, by id.
#[utoipa::path(get, path = "/api/v1/areas", params(Cursor), responses((status = 200, body = Page<Area>)))]
pub(super) async fn list_areas(State(app): State<AppState>, By(_): By, Query(cursor): Query<Cursor>) -> Json<Page<Area>> {
    let mut areas = app.backend.state().fleet.areas().to_vec();
    areas.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    Json(page(areas, &cursor, |area| area.id.as_str()))
}

/// One area.
#[utoipa::path(get, path = "/api/v1/areas/{id}", params(("id" = String, Path, description = "`livingroom`")), responses((status = 200, body = Area)))]
pub(super) async fn one_area(State(app): State<AppState>, By(_): By, Path(id): Path<String>) -> Result<Json<Area>, Problem> {
    let found = AreaId::parse(&id).ok().and_then(|id| app.backend.state().fleet.area(&id).cloned());
    found.map(Json).ok_or_else(|| not_found("area", &id))
}

pub(super) fn not_found(what: &str, id: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("unknown {what} \"{}\"", domain::device::clean_text(id, 80)))
}
