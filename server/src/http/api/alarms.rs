//! Alarms and their acknowledgement.

use app::backend::Backend;
use axum::Json;
use axum::extract::{Path, Query, State};
use domain::alarm::Alarm;

use super::entities::not_found;
use super::{By, Cursor, Page, page};
use crate::http::AppState;
use crate::http::problem::Problem;

pub(super) async fn list(State(app): State<AppState>, By(_): By, Query(cursor): Query<Cursor>) -> Json<Page<Alarm>> {
    let mut alarms = app.backend.state().fleet.alarms();
    alarms.sort_by(|a, b| a.id.cmp(&b.id));
    Json(page(alarms, &cursor, |alarm| alarm.id.as_str()))
}

pub(super) async fn one(State(app): State<AppState>, By(_): By, Path(id): Path<String>) -> Result<Json<Alarm>, Problem> {
    app.backend.state().fleet.alarm(&id).cloned().map(Json).ok_or_else(|| not_found("alarm", &id))
}

pub(super) async fn acknowledge(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<Json<Alarm>, Problem> {
    Ok(Json(app.backend.acknowledge_alarm(&caller, &id).await?))
}
