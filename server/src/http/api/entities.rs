//! Entities, devices and areas: the current state.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use domain::device::{Area, Device, DeviceId};
use domain::entity::EntityId;
use domain::live::EntityView;

use super::{By, Cursor, Page, page};
use crate::http::AppState;
use crate::http::problem::Problem;

pub(super) async fn list(State(app): State<AppState>, By(_): By, Query(cursor): Query<Cursor>) -> Json<Page<EntityView>> {
    let mut entities = app.backend.state().fleet.entities();
    entities.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    Json(page(entities, &cursor, |view| view.id.as_str()))
}

pub(super) async fn one(State(app): State<AppState>, By(_): By, Path(id): Path<String>) -> Result<Json<EntityView>, Problem> {
    let found = EntityId::parse(&id).ok().and_then(|id| app.backend.state().fleet.entity(&id));
    found.map(Json).ok_or_else(|| not_found("entity", &id))
}

pub(super) async fn list_devices(State(app): State<AppState>, By(_): By, Query(cursor): Query<Cursor>) -> Json<Page<Device>> {
    let devices = app.backend.state().fleet.devices().into_iter().cloned().collect();
    Json(page(devices, &cursor, |device: &Device| device.id.as_str()))
}

pub(super) async fn one_device(State(app): State<AppState>, By(_): By, Path(id): Path<String>) -> Result<Json<Device>, Problem> {
    let found = DeviceId::parse(&id).ok().and_then(|id| app.backend.state().fleet.device(&id).cloned());
    found.map(Json).ok_or_else(|| not_found("device", &id))
}

pub(super) async fn list_areas(State(app): State<AppState>, By(_): By, Query(cursor): Query<Cursor>) -> Json<Page<Area>> {
    let mut areas = app.backend.state().fleet.areas().to_vec();
    areas.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    Json(page(areas, &cursor, |area| area.id.as_str()))
}

pub(super) fn not_found(what: &str, id: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("unknown {what} \"{}\"", domain::device::clean_text(id, 80)))
}
