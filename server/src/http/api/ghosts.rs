//! Ghosts: devices that are gone and still announced, and clearing what brokers retain of them.

use app::backend::Role;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::device::{DeviceId, clean_text};
use domain::ghost::{Ghost, GhostReason};
use domain::time::Timestamp;
use domain::topic::MAX_TOPIC_BYTES;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{By, Cursor, DEFAULT_LIMIT, MAX_LIMIT, Query};
use crate::backend::ghosts::{ClearError, Clearing, Key, Plan};
use crate::backend::require;
use crate::http::AppState;
use crate::http::problem::Problem;

/// Topics that are named of one device; the others are counted.
const MOST_TOPICS: usize = 100;

/// A page of ghosts, and how clearing stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ghosts)]
pub(super) struct Answer {
    items: Vec<Item>,
    next_cursor: Option<String>,
    /// The clearing that is on its way, else the last one since the start.
    clearing: Option<Clearing>,
}

/// A device that is gone and still announced.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ghost)]
struct Item {
    device: DeviceId,
    /// As far as it is known.
    name: String,
    /// The broker.
    link: String,
    reason: GhostReason,
    /// Since when it has been so, where that is known.
    since: Option<Timestamp>,
    /// Where something of it is retained, at most 100, without control and bidi characters.
    topics: Vec<String>,
    /// How many topics these are in all.
    n_topics: usize,
    /// Bytes of what was heard there last.
    bytes: u64,
}

impl From<Ghost> for Item {
    fn from(ghost: Ghost) -> Self {
        Self {
            device: ghost.device,
            name: clean_text(&ghost.name, 80),
            link: ghost.link.to_string(),
            reason: ghost.reason,
            since: ghost.since,
            topics: ghost.topics.iter().take(MOST_TOPICS).map(|topic| clean_text(&topic.topic, MAX_TOPIC_BYTES)).collect(),
            n_topics: ghost.topics.len(),
            bytes: ghost.topics.iter().map(|topic| u64::from(topic.bytes)).sum(),
        }
    }
}

/// What is to be cleared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Clear {
    /// Ids of ghosts, at most 200.
    #[schema(value_type = Vec<DeviceId>)]
    devices: Vec<String>,
    /// Only says what would be cleared. `true` unless it is said to be `false`.
    #[serde(default = "yes")]
    #[schema(default = true)]
    dry_run: bool,
}

const fn yes() -> bool {
    true
}

/// Devices that are gone and still announced: what a broker retains of them is replayed at each connect. By id.
#[utoipa::path(get, path = "/api/v1/ghosts", params(Cursor), responses((status = 200, body = Answer)))]
pub(super) async fn list(State(app): State<AppState>, By(caller): By, Query(cursor): Query<Cursor>) -> Result<Json<Answer>, Problem> {
    let after = cursor.cursor.as_deref().map(read_cursor).transpose()?;
    let limit = cursor.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let (ghosts, is_more) = app.backend.ghosts(&caller, after, limit).await?;
    let next_cursor = ghosts.last().filter(|_| is_more).map(|last| URL_SAFE_NO_PAD.encode(format!("{}\0{}", last.device, last.link)));
    Ok(Json(Answer { items: ghosts.into_iter().map(Item::from).collect(), next_cursor, clearing: app.backend.clearing(&caller)? }))
}

/// Says what would be cleared of some ghosts, or clears it: an empty retained message on each topic, at most 20 a second on each broker. One that comes
/// back meanwhile is spared. `GET /api/v1/ghosts` says how it goes, the log how it ended.
#[utoipa::path(
    post,
    path = "/api/v1/ghosts/clear",
    request_body = Clear,
    responses((status = 200, body = Plan, description = "A dry run: what would be cleared"), (status = 202, body = Plan, description = "What is being cleared"))
)]
pub(super) async fn clear(State(app): State<AppState>, By(caller): By, body: Bytes) -> Result<Response, Problem> {
    require(&caller, Role::Operator)?;
    let Clear { devices, dry_run } = serde_json::from_slice(&body).map_err(|error| {
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let is_list = body["devices"].as_array().is_some_and(|all| all.iter().all(serde_json::Value::is_string));
        let is_word = body.get("dry_run").is_none_or(serde_json::Value::is_boolean);
        let field = if !is_word {
            "dry_run"
        } else if !is_list {
            "devices"
        } else {
            "body"
        };
        Problem::field(field, format!("expected {{\"devices\":[\"<device id>\"],\"dry_run\":true}}: {}", clean_text(&error.to_string(), 200)))
    })?;
    if dry_run {
        return Ok(Json(app.backend.plan_clearing(&caller, &devices)?).into_response());
    }
    let plan = app.backend.clear_ghosts(&caller, &devices).await?;
    Ok((StatusCode::ACCEPTED, Json(plan)).into_response())
}

fn read_cursor(cursor: &str) -> Result<Key, Problem> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (device, link) = text.split_once('\0')?;
        Some((DeviceId::parse(device).ok()?, link.into()))
    };
    read().ok_or_else(|| Problem::field("cursor", "cursor is none that an answer gave"))
}

impl From<ClearError> for Problem {
    fn from(error: ClearError) -> Self {
        let detail = error.to_string();
        match error {
            ClearError::Refused(error) => error.into(),
            ClearError::Invalid(_) => Self::field("devices", detail),
            ClearError::Busy => Self::new(StatusCode::CONFLICT, detail),
        }
    }
}
