//! Commands: sending one, following it, those that wait for their devices.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::command::{Action, CommandReport, CommandState, Refusal};
use domain::entity::EntityId;
use domain::live::Deliver;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json_};
use utoipa::{IntoParams, ToSchema};

use super::entities::not_found;
use super::{By, Cursor, Page, Query, page};
use crate::http::AppState;
use crate::http::problem::Problem;

/// Where a command stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Standing {
    id: String,
    entity: EntityId,
    /// What was asked, its fields among these.
    #[serde(flatten)]
    action: Action,
    state: CommandState,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// When it was sent, or queued.
    t: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_ms: Option<i64>,
    /// Milliseconds that the device usually takes to agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    usual_ms: Option<i64>,
    /// Until when it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

impl From<CommandReport> for Standing {
    fn from(report: CommandReport) -> Self {
        let CommandReport { id, entity, action, state, reason, sent_at, after_ms, usual_ms } = report;
        Self { id, entity, action, state, reason, t: sent_at, after_ms, usual_ms, expires_at: None }
    }
}

/// What is asked, and how it is to be sent.
#[derive(ToSchema)]
struct Asked {
    /// `at_once` when it is left out.
    deliver: Option<Deliver>,
    /// For how many seconds it may wait for its device.
    expires_s: Option<u64>,
    #[serde(flatten)]
    action: Action,
}

impl Asked {
    /// Read by hand, so that errors name the field.
    fn read(body: &[u8]) -> Result<Self, Problem> {
        let mut fields: Map<String, Json_> = serde_json::from_slice(body).map_err(|error| Problem::field("action", error.to_string()))?;
        let deliver = taken::<Deliver>(&mut fields, "deliver", "\"at_once\" or \"when_online\"")?;
        let expires_s = taken::<u64>(&mut fields, "expires_s", "a whole number of seconds")?;
        Ok(Self { deliver, expires_s, action: Action::read(&fields).map_err(Refusal::from)? })
    }
}

/// Asks a device for something.
#[utoipa::path(post, path = "/api/v1/entities/{id}/command", params(("id" = String, Path, description = "`living-room.light`")), request_body = Asked, responses((status = 202, body = Standing)))]
pub(super) async fn send(
    State(app): State<AppState>,
    By(caller): By,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Standing>), Problem> {
    let entity = EntityId::parse(&id).map_err(|_| not_found("entity", &id))?;
    let Asked { deliver, expires_s, action } = Asked::read(&body)?;
    let report = app.backend.command_for(&caller, &entity, action, deliver, expires_s).await?;
    Ok((StatusCode::ACCEPTED, Json(report.into())))
}

/// A field that says how, and not what.
fn taken<T: for<'de> Deserialize<'de>>(fields: &mut Map<String, Json_>, field: &'static str, expected: &str) -> Result<Option<T>, Problem> {
    match fields.remove(field) {
        None | Some(Json_::Null) => Ok(None),
        Some(json) => {
            let shown = domain::device::clean_text(&json.to_string(), 60);
            serde_json::from_value(json).map(Some).map_err(|_| Problem::field(field, format!("{field} cannot be {shown}, expected {expected}")))
        }
    }
}

/// Where a command stands.
#[utoipa::path(get, path = "/api/v1/commands/{id}", params(("id" = String, Path)), responses((status = 200, body = Standing)))]
pub(super) async fn one(State(app): State<AppState>, By(_): By, Path(id): Path<String>) -> Result<Json<Standing>, Problem> {
    standings(&app, |report| report.id == id).pop().map(Json).ok_or_else(|| not_found("command", &id))
}

/// Which commands.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Question {
    /// That stand so.
    state: Option<CommandState>,
    /// Of which entity.
    entity: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items of a page at most; 200 when it is left out.
    limit: Option<usize>,
}

/// The last commands, and all that wait.
#[utoipa::path(get, path = "/api/v1/commands", params(Question), responses((status = 200, body = Page<Standing>)))]
pub(super) async fn list(State(app): State<AppState>, By(_): By, Query(question): Query<Question>) -> Result<Json<Page<Standing>>, Problem> {
    let Question { state, entity, cursor, limit } = question;
    let mut found = standings(&app, |report| {
        state.is_none_or(|state| report.state == state) && entity.as_ref().is_none_or(|entity| report.entity.as_str() == entity)
    });
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Json(page(found, &Cursor { cursor, limit }, |standing| &standing.id)))
}

/// Takes a command back that waits for its device.
#[utoipa::path(delete, path = "/api/v1/commands/{id}", params(("id" = String, Path)), responses((status = 200, body = Standing)))]
pub(super) async fn cancel(State(app): State<AppState>, By(caller): By, Path(id): Path<String>) -> Result<Json<Standing>, Problem> {
    let Some(known) = standings(&app, |report| report.id == id).pop() else { return Err(not_found("command", &id)) };
    match app.backend.cancel_command(&caller, &id).await? {
        Some(report) => Ok(Json(report.into())),
        None => Err(Problem::new(StatusCode::CONFLICT, format!("the command waits no longer: it is {}", known.state.as_str()))),
    }
}

/// The last commands, and all that wait.
fn standings(app: &AppState, wanted: impl Fn(&CommandReport) -> bool) -> Vec<Standing> {
    let state = app.backend.state();
    let waiting = state.fleet.queued().filter(|queued| wanted(&queued.report));
    let waiting = waiting.map(|queued| Standing { expires_at: Some(queued.expires_at), ..queued.report.into() });
    let others = state.commands.iter().filter(|report| report.state != CommandState::Queued && wanted(report));
    others.map(|report| report.clone().into()).chain(waiting).collect()
}
