//! The log of what was done: `GET /api/v1/activity`, newest first.

use std::net::IpAddr;

use axum::Json;
use axum::extract::{Query, State};
use domain::entity::EntityId;
use domain::time::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{By, Cursor, DEFAULT_LIMIT, MAX_LIMIT, Page};
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::store::activity::{Activity, Place};

/// An entry.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    t: Timestamp,
    who: String,
    /// Where from.
    address: Option<IpAddr>,
    what: String,
    entity: Option<EntityId>,
    outcome: String,
    detail: Value,
}

pub(super) async fn list(State(app): State<AppState>, By(caller): By, Query(cursor): Query<Cursor>) -> Result<Json<Page<Entry>>, Problem> {
    let before = cursor.cursor.as_deref().map(place).transpose()?;
    let limit = cursor.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    // One more says whether there is another page.
    let mut found = app.backend.activity(&caller, before.as_ref(), limit + 1).await?;
    let is_more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| is_more).map(|(Place { at, id }, _)| format!("{at}.{id}"));
    let items = found.into_iter().map(|(_, entry)| entry.into()).collect();
    Ok(Json(Page { items, next_cursor }))
}

impl From<Activity> for Entry {
    fn from(Activity { at, who, what, entity, outcome, detail }: Activity) -> Self {
        Self { t: at, who: who.name, address: who.address, what, entity, outcome, detail }
    }
}

fn place(cursor: &str) -> Result<Place, Problem> {
    let read = || {
        let (at, id) = cursor.split_once('.')?;
        Some(Place { at: at.parse().ok()?, id: id.to_owned() })
    };
    read().ok_or_else(|| Problem::field("cursor", "cursor is none that an answer gave"))
}
