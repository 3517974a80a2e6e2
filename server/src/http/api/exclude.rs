//! Readings that are taken out of history, and taken back: `/api/v1/history/exclude`, `/include`, `/excluded`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::EntityId;
use domain::excluded::Excluded;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entities::not_found;
use super::history::{Asked, Question};
use super::{By, Query};
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::moment;

/// Which reading.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    entity: String,
    t: Moment,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
enum Moment {
    Ms(i64),
    Text(String),
}

impl Which {
    fn read(body: &[u8]) -> Result<(EntityId, Timestamp), Problem> {
        let Self { entity, t } =
            serde_json::from_slice(body).map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}")))?;
        let entity = EntityId::parse(&entity).map_err(|_| not_found("entity", &entity))?;
        let at = match t {
            Moment::Ms(ms) => Some(Timestamp::from_ms(ms)),
            Moment::Text(text) => moment::parse(&text),
        };
        Ok((entity, at.ok_or_else(|| Problem::field("t", "t is neither Unix milliseconds nor RFC 3339"))?))
    }
}

/// What is taken out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExcludedReadings)]
pub(super) struct Answer {
    items: Vec<Excluded>,
}

/// How many came back.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Included {
    included: usize,
}

/// Takes the readings of a moment out of history.
#[utoipa::path(post, path = "/api/v1/history/exclude", request_body = Which, responses((status = 200, body = Answer)))]
pub(super) async fn exclude(State(app): State<AppState>, By(caller): By, body: Bytes) -> Result<Json<Answer>, Problem> {
    let (entity, at) = Which::read(&body)?;
    Ok(Json(Answer { items: app.backend.exclude(&caller, &entity, at).await? }))
}

/// Takes them back.
#[utoipa::path(post, path = "/api/v1/history/include", request_body = Which, responses((status = 200, body = Included)))]
pub(super) async fn include(State(app): State<AppState>, By(caller): By, body: Bytes) -> Result<Json<Included>, Problem> {
    let (entity, at) = Which::read(&body)?;
    Ok(Json(Included { included: app.backend.include(&caller, &entity, at).await? }))
}

/// What is taken out of history.
#[utoipa::path(get, path = "/api/v1/history/excluded", params(Question), responses((status = 200, body = Answer)))]
pub(super) async fn list(State(app): State<AppState>, By(caller): By, Query(question): Query<Question>) -> Result<Json<Answer>, Problem> {
    let Asked { entities, range, .. } = question.read()?;
    Ok(Json(Answer { items: app.backend.excluded(&caller, &entities, range).await? }))
}
