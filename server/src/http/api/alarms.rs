//! Alarms and their acknowledgement.

use app::backend::Backend;
use axum::Json;
use axum::extract::{Path, Query, State};
use domain::alarm::{Alarm, AlarmState};
use domain::time::Timestamp;
use serde::Serialize;

use super::entities::not_found;
use super::{By, Cursor, Page, page};
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::store::AlarmEvent;

pub(super) async fn list(State(app): State<AppState>, By(_): By, Query(cursor): Query<Cursor>) -> Json<Page<Alarm>> {
    let mut alarms = app.backend.state().fleet.alarms();
    alarms.sort_by(|a, b| a.id.cmp(&b.id));
    Json(page(alarms, &cursor, |alarm| alarm.id.as_str()))
}

/// An alarm with what happened to it.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    #[serde(flatten)]
    alarm: Alarm,
    /// Oldest first.
    journal: Vec<Event>,
}

/// A change of its state.
#[derive(Debug, Serialize)]
struct Event {
    t: Timestamp,
    /// Empty where nobody did it.
    who: String,
    state: AlarmState,
}

pub(super) async fn one(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<Json<Told>, Problem> {
    let alarm = app.backend.state().fleet.alarm(&id).cloned().ok_or_else(|| not_found("alarm", &id))?;
    let journal = app.backend.alarm_journal(&caller, &id).await?;
    let event = |AlarmEvent { at, who, state }| Event { t: at, who, state };
    Ok(Json(Told { alarm, journal: journal.into_iter().map(event).collect() }))
}

pub(super) async fn acknowledge(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<Json<Alarm>, Problem> {
    Ok(Json(app.backend.acknowledge_alarm(&caller, &id).await?))
}
