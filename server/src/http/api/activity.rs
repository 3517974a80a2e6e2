//! The log of what was done: `GET /api/v1/activity`, newest first.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use domain::device::AreaId;
use domain::entity::EntityId;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{By, DEFAULT_LIMIT, MAX_LIMIT, Page, Query};
use crate::backend::MAX_TEXT_CHARS;
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::moment;
use crate::store::activity::{Activity, Filter, Kind, Place};

/// An entry.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Entry {
    /// Its place in the log.
    id: String,
    t: Timestamp,
    who: String,
    /// Where from.
    #[schema(value_type = Option<String>)]
    address: Option<IpAddr>,
    /// What it is about.
    kind: &'static str,
    what: String,
    entity: Option<EntityId>,
    outcome: String,
    /// Milliseconds until the outcome, where one is waited for.
    after_ms: Option<i64>,
    detail: Value,
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Question {
    /// Who did it, as the log writes it.
    who: Option<String>,
    /// Of which entity.
    entity: Option<String>,
    /// Of the entities of which area.
    area: Option<String>,
    /// What was done.
    what: Option<String>,
    /// What became of it; several with commas between them.
    outcome: Option<String>,
    /// What it is about.
    kind: Option<String>,
    /// Not before.
    from: Option<String>,
    /// Before.
    to: Option<String>,
    /// Stands in what was done, of whom, by whom or in the detail.
    q: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

/// The log of what was done, newest first.
#[utoipa::path(get, path = "/api/v1/activity", params(Question), responses((status = 200, body = Page<Entry>)))]
pub(super) async fn list(State(app): State<AppState>, By(caller): By, Query(question): Query<Question>) -> Result<Json<Page<Entry>>, Problem> {
    let before = question.cursor.as_deref().map(place).transpose()?;
    let limit = question.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let filter = filter(question, &app)?;
    let page = app.backend.activity(&caller, filter, before.as_ref(), limit).await?;
    let next_cursor = page.next.map(Place::to_string_id);
    Ok(Json(Page { items: page.entries.into_iter().map(Entry::from).collect(), next_cursor }))
}

fn filter(question: Question, app: &AppState) -> Result<Filter, Problem> {
    let moment = |field: &'static str, text: Option<String>| match text.filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => {
            moment::parse(&text).map(Some).ok_or_else(|| Problem::field(field, format!("{field} is neither Unix milliseconds nor RFC 3339")))
        }
    };
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (from, to) = (moment("from", question.from)?, moment("to", question.to)?);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(Problem::field("from", "from is after to"));
    }
    let entity =
        given(question.entity).map(|id| EntityId::parse(&id).map_err(|error| Problem::field("entity", format!("entity {error}")))).transpose()?;
    let area = given(question.area).map(|id| AreaId::parse(&id).map_err(|error| Problem::field("area", format!("area {error}")))).transpose()?;
    let kind = given(question.kind).map(|word| {
        let words = Kind::ALL.map(Kind::as_str).join(", ");
        Kind::parse(&word).ok_or_else(|| Problem::field("kind", format!("kind is none of {words}")))
    });
    let text = question.q.unwrap_or_default().trim().to_owned();
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err(Problem::field("q", format!("q has more than {MAX_TEXT_CHARS} characters")));
    }
    let outcomes = given(question.outcome).map(|words| words.split(',').map(|word| word.trim().to_owned()).collect()).unwrap_or_default();
    Ok(Filter {
        who: given(question.who),
        entity,
        what: given(question.what),
        outcomes,
        kind: kind.transpose()?,
        from,
        to,
        entities: area.map(|area| app.backend.entities_in(&area)),
        text,
        named: vec![],
    })
}

impl From<(Place, Activity)> for Entry {
    fn from((place, Activity { at, who, what, entity, outcome, after_ms, detail }): (Place, Activity)) -> Self {
        let kind = Kind::of(&what).as_str();
        Self { id: place.to_string_id(), t: at, who: who.name, address: who.address, kind, what, entity, outcome, after_ms, detail }
    }
}

fn place(cursor: &str) -> Result<Place, Problem> {
    Place::parse(cursor).ok_or_else(|| Problem::field("cursor", "cursor is none that an answer gave"))
}
