//! Alarms and their acknowledgement.

use app::backend::Backend;
use axum::Json;
use axum::extract::{Path, State};
use domain::alarm::{Alarm, AlarmState};
use domain::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::entities::not_found;
use super::{By, Cursor, Page, Query, page};
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::store::AlarmEvent;

/// Alarms that are not normal, by id.
#[utoipa::path(get, path = "/api/v1/alarms", params(Cursor), responses((status = 200, body = Page<Alarm>)))]
pub(super) async fn list(State(app): State<AppState>, By(_): By, Query(cursor): Query<Cursor>) -> Json<Page<Alarm>> {
    let mut alarms = app.backend.state().fleet.alarms();
    alarms.sort_by(|a, b| a.id.cmp(&b.id));
    Json(page(alarms, &cursor, |alarm| alarm.id.as_str()))
}

/// An alarm with what happened to it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Told {
    #[serde(flatten)]
    alarm: Alarm,
    /// Oldest first.
    journal: Vec<Event>,
}

/// A change of its state.
#[derive(Debug, Serialize, ToSchema)]
struct Event {
    t: Timestamp,
    /// Empty where nobody did it.
    who: String,
    state: AlarmState,
}

/// One alarm, also when it is normal, with what happened to it.
#[utoipa::path(get, path = "/api/v1/alarms/{id}", params(("id" = String, Path)), responses((status = 200, body = Told)))]
pub(super) async fn one(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<Json<Told>, Problem> {
    let alarm = app.backend.state().fleet.alarm(&id).cloned().ok_or_else(|| not_found("alarm", &id))?;
    let journal = app.backend.alarm_journal(&caller, &id).await?;
    let event = |AlarmEvent { at, who, state }| Event { t: at, who, state };
    Ok(Json(Told { alarm, journal: journal.into_iter().map(event).collect() }))
}

/// Acknowledges an alarm.
#[utoipa::path(post, path = "/api/v1/alarms/{id}/ack", params(("id" = String, Path)), responses((status = 200, body = Alarm)))]
pub(super) async fn acknowledge(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<Json<Alarm>, Problem> {
    Ok(Json(app.backend.acknowledge_alarm(&caller, &id).await?))
}
