//! REST: `/api/v1/…`, one file a resource.

/// The log of what was done.
mod activity;
/// Alarms and their acknowledgement.
mod alarms;
/// Brokers.
mod brokers;
/// Commands.
mod commands;
/// The description of all of this.
pub mod doc;
/// Entities, devices and areas.
mod entities;
/// Readings that are taken out of history.
mod exclude;
/// Filling in the past.
mod fill;
/// Devices that are gone and still announced.
mod ghosts;
/// The past.
mod history;
/// Filling in the past from a table.
mod import;
/// What topics are about, as operators write it.
mod patterns;
/// Groups, scenes and schedules.
mod plans;
/// What is kept for how long.
mod retention;
/// The past as a table.
mod table;
/// The topic explorer.
mod topics;
/// Why there is no data.
mod why;
/// Names and places of entities, devices and areas.
mod write;

use app::backend::Caller;
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::routing::{any, get, post};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::{IntoParams, ToSchema};

use super::AppState;
use super::problem::Problem;

/// All routes of the REST interface.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/entities", get(entities::list))
        .route("/api/v1/entities/{id}", get(entities::one).patch(write::entity))
        .route("/api/v1/entities/{id}/command", post(commands::send))
        .route("/api/v1/entities/{id}/why", get(why::why))
        .route("/api/v1/commands", get(commands::list))
        .route("/api/v1/commands/{id}", get(commands::one).delete(commands::cancel))
        .route("/api/v1/devices", get(entities::list_devices))
        .route("/api/v1/devices/{id}", get(entities::one_device).patch(write::device).delete(write::remove_device))
        .route("/api/v1/devices/{id}/merge", post(write::merge_device))
        .route("/api/v1/ghosts", get(ghosts::list))
        .route("/api/v1/ghosts/clear", post(ghosts::clear))
        .route("/api/v1/areas", get(entities::list_areas))
        .route("/api/v1/areas/{id}", get(entities::one_area).patch(write::area))
        .route("/api/v1/history", get(history::query))
        .route("/api/v1/history.csv", get(table::export))
        .route("/api/v1/history/exclude", post(exclude::exclude))
        .route("/api/v1/history/include", post(exclude::include))
        .route("/api/v1/history/excluded", get(exclude::list))
        .route("/api/v1/activity", get(activity::list))
        .route("/api/v1/activity.csv", get(activity::export))
        .route("/api/v1/alarms", get(alarms::list))
        .route("/api/v1/alarms/{id}", get(alarms::one))
        .route("/api/v1/alarms/{id}/ack", post(alarms::acknowledge))
        .route("/api/v1/brokers", get(brokers::list))
        .route("/api/v1/retention", get(retention::show))
        .route("/api/v1/topics", get(topics::list))
        .route("/api/v1/topic-patterns", get(patterns::list).put(patterns::put))
        .route("/api/v1/topic-patterns/preview", post(patterns::preview))
        .merge(plans::router())
        .route("/api/v1/openapi.json", get(doc::openapi))
        .route("/api/v1/live.schema.json", get(doc::live))
        .route("/api/{*rest}", any(unknown))
        .method_not_allowed_fallback(not_allowed)
}

/// The routes that take large bodies.
pub fn intake() -> Router<AppState> {
    Router::new().route("/api/v1/history", post(fill::fill)).route("/api/v1/history.csv", post(import::import))
}

async fn unknown(uri: axum::http::Uri) -> Problem {
    Problem::new(axum::http::StatusCode::NOT_FOUND, format!("there is no {}", domain::device::clean_text(uri.path(), 120)))
}

async fn not_allowed(method: axum::http::Method, uri: axum::http::Uri) -> Problem {
    let path = domain::device::clean_text(uri.path(), 120);
    Problem::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, format!("{path} does not answer {}", domain::device::clean_text(method.as_str(), 20)))
}

/// What an address asks for; what cannot be read is a problem.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<AppState> for Query<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let read = axum::extract::Query::try_from_uri(&parts.uri);
        read.map(|axum::extract::Query(asked)| Self(asked))
            .map_err(|error| Problem::new(axum::http::StatusCode::BAD_REQUEST, domain::device::clean_text(&error.body_text(), 200)))
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

/// Where a list is read.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Cursor {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items of a page at most; 200 when it is left out.
    limit: Option<usize>,
}

/// Items of a page when no limit is given.
const DEFAULT_LIMIT: usize = 200;
/// Items of a page at most.
const MAX_LIMIT: usize = 1_000;

/// Cuts a page out of `items`, which are ordered by `key`.
fn page<T>(items: Vec<T>, cursor: &Cursor, key: impl Fn(&T) -> &str) -> Page<T> {
    let limit = cursor.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let mut rest = items.into_iter().filter(|item| cursor.cursor.as_deref().is_none_or(|after| key(item) > after)).peekable();
    let items: Vec<T> = rest.by_ref().take(limit).collect();
    let next_cursor = items.last().filter(|_| rest.peek().is_some()).map(|last| key(last).to_owned());
    Page { items, next_cursor }
}

/// The caller, put into the request by the layer around all routes.
pub struct By(pub Caller);

impl FromRequestParts<AppState> for By {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        parts.extensions.get::<Caller>().cloned().map(Self).ok_or_else(|| Problem::new(axum::http::StatusCode::UNAUTHORIZED, "sign in first"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_a_gap() {
        let all = vec!["a", "b", "c"];
        let first = page(all.clone(), &Cursor { cursor: None, limit: Some(2) }, |s| s);
        assert_eq!((first.items, first.next_cursor.as_deref()), (vec!["a", "b"], Some("b")));
        let second = page(all, &Cursor { cursor: Some("b".into()), limit: Some(2) }, |s| s);
        assert_eq!((second.items, second.next_cursor), (vec!["c"], None));
    }
}
