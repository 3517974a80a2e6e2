//! The past: `GET /api/v1/history?entities=a,b&from=&to=&points=1000`.

use axum::Json;
use axum::extract::State;
use domain::entity::EntityId;
use domain::history::{MAX_POINTS, Range, Series};
use domain::time::{DAY_MS, Timestamp};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{By, Query};
use crate::clock::now;
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::store::{Held, HeldState};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Question {
    /// Whose, with commas between them.
    #[serde(default)]
    entities: String,
    /// Unix milliseconds or RFC 3339; a day before `to` when it is left out.
    from: Option<String>,
    /// As `from`; now when it is left out.
    to: Option<String>,
    /// Most rows of an entity, 1 to 5,000; 1,000 when it is left out.
    points: Option<String>,
    /// `Europe/Berlin`: buckets begin by the clock there.
    zone: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = History)]
pub(super) struct Answer {
    series: Vec<Told>,
}

/// What is told of an entity.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ToldSeries)]
struct Told {
    #[serde(flatten)]
    series: Series,
    /// Of words, which have no numbers: those that held longest, longest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    states: Option<Vec<HeldState>>,
    /// For how long all others held, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_ms: Option<i64>,
}

/// What is asked, as far as it can be answered.
pub(super) struct Asked {
    pub(super) entities: Vec<EntityId>,
    pub(super) range: Range,
    /// Most rows of an entity.
    pub(super) points: usize,
    /// Whose clock buckets begin by; UTC without one.
    pub(super) zone: Option<TimeZone>,
}

/// The past, in columns.
#[utoipa::path(get, path = "/api/v1/history", params(Question), responses((status = 200, body = Answer)))]
pub(super) async fn query(State(app): State<AppState>, By(caller): By, Query(question): Query<Question>) -> Result<Json<Answer>, Problem> {
    let Asked { entities, range, points, zone } = question.read()?;
    let series = app.backend.series(&caller, &entities, range, points, zone.as_ref()).await?;
    let mut held = app.backend.held(&caller, &series, range).await?;
    let told = |series: Series| {
        let (states, other_ms) = held.remove(&series.entity).map(|Held { states, other_ms }| (states, other_ms)).unzip();
        Told { states, other_ms, series }
    };
    Ok(Json(Answer { series: series.into_iter().map(told).collect() }))
}

impl Question {
    pub(super) fn read(&self) -> Result<Asked, Problem> {
        let entities = self
            .entities
            .split(',')
            .filter(|id| !id.is_empty())
            .map(|id| EntityId::parse(id).map_err(|error| Problem::field("entities", error.to_string())))
            .collect::<Result<Vec<_>, _>>()?;
        let to = moment("to", self.to.as_deref())?.unwrap_or_else(|| now().plus_ms(1));
        let from = moment("from", self.from.as_deref())?.unwrap_or_else(|| to.plus_ms(-DAY_MS));
        if from > to {
            return Err(Problem::field("from", "from is after to"));
        }
        let points = match self.points.as_deref() {
            None => 1_000,
            Some(text) => match text.parse::<usize>() {
                Ok(points) if (1..=MAX_POINTS).contains(&points) => points,
                _ => return Err(Problem::field("points", format!("points must be a number from 1 to {MAX_POINTS}"))),
            },
        };
        let zone = match self.zone.as_deref().filter(|name| !name.is_empty()) {
            None => None,
            Some(name) => Some(TimeZone::get(name).map_err(|_| {
                Problem::field("zone", format!("\"{}\" is no time zone; one is called Europe/Berlin", domain::device::clean_text(name, 40)))
            })?),
        };
        Ok(Asked { entities, range: Range { from, to }, points, zone })
    }
}

/// Unix milliseconds or RFC 3339.
fn moment(field: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    if let Ok(ms) = text.parse::<i64>() {
        return Ok(Some(Timestamp::from_ms(ms)));
    }
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => Ok(Some(Timestamp::from_ms(at.as_millisecond()))),
        Err(_) => Err(Problem::field(field, format!("\"{}\" is neither Unix milliseconds nor RFC 3339", domain::device::clean_text(text, 40)))),
    }
}
