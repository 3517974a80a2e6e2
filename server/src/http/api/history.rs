//! The past: `GET /api/v1/history?entities=a,b&from=&to=&points=1000`.

use axum::Json;
use axum::extract::{Query, State};
use domain::entity::EntityId;
use domain::history::{MAX_POINTS, Range, Series};
use domain::time::{DAY_MS, Timestamp};
use serde::{Deserialize, Serialize};

use super::By;
use crate::clock::now;
use crate::http::AppState;
use crate::http::problem::Problem;

#[derive(Debug, Deserialize)]
pub(super) struct Question {
    #[serde(default)]
    entities: String,
    from: Option<String>,
    to: Option<String>,
    points: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    series: Vec<Series>,
}

pub(super) async fn query(State(app): State<AppState>, By(caller): By, Query(question): Query<Question>) -> Result<Json<Answer>, Problem> {
    let entities = question
        .entities
        .split(',')
        .filter(|id| !id.is_empty())
        .map(|id| EntityId::parse(id).map_err(|error| Problem::field("entities", error.to_string())))
        .collect::<Result<Vec<_>, _>>()?;
    let to = moment("to", question.to.as_deref())?.unwrap_or_else(|| now().plus_ms(1));
    let from = moment("from", question.from.as_deref())?.unwrap_or_else(|| to.plus_ms(-DAY_MS));
    if from > to {
        return Err(Problem::field("from", "from is after to"));
    }
    let points = match question.points.as_deref() {
        None => 1_000,
        Some(text) => match text.parse::<usize>() {
            Ok(points) if (1..=MAX_POINTS).contains(&points) => points,
            _ => return Err(Problem::field("points", format!("points must be a number from 1 to {MAX_POINTS}"))),
        },
    };
    let series = app.backend.series(&caller, &entities, Range { from, to }, points).await?;
    Ok(Json(Answer { series }))
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
