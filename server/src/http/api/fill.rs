//! Filling in the past: `POST /api/v1/history` with `{"entity":…,"t":[…],"v":[…]}`.

use std::fmt;
use std::time::Duration;

use app::backend::{Caller, Role};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::EntityId;
use domain::reading::Reading;
use domain::time::Timestamp;
use domain::value::LightState;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::By;
use super::entities::not_found;
use crate::backend::{FillError, require};
use crate::clock::now;
use crate::fill::{Given, PIECE, Target, Unfit, shown};
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::http::shield::MAX_LARGE_BODY_BYTES;
use crate::moment;

/// Readings of one request at most: what is held in memory.
const MAX_READINGS: usize = 1_000_000;
/// How long a body may take to arrive.
const ARRIVAL: Duration = Duration::from_mins(2);

/// What was asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Filling)]
pub(super) struct Question {
    entity: String,
    /// When, Unix milliseconds or RFC 3339 each.
    #[schema(value_type = Vec<serde_json::Value>)]
    t: Column,
    /// What it said then.
    #[schema(value_type = Vec<serde_json::Value>)]
    v: Column,
}

/// What became of readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Filled)]
pub(super) struct Answer {
    /// Readings that were not there and are now on disk.
    pub(super) stored: usize,
    /// Readings that were there already.
    pub(super) known: usize,
}

/// Fills in what is missing of an entity's past.
#[utoipa::path(post, path = "/api/v1/history", request_body = Question, responses((status = 200, body = Answer)))]
pub(super) async fn fill(State(app): State<AppState>, By(caller): By, body: Body) -> Result<Json<Answer>, Problem> {
    require(&caller, Role::Operator)?;
    // One after the other, so that memory is bounded whoever sends how much.
    let turn = app.intake.clone().acquire_owned().await.map_err(|_| unavailable())?;
    let body = match timeout(ARRIVAL, axum::body::to_bytes(body, MAX_LARGE_BODY_BYTES)).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => return Err(unread(&error)),
        Err(_) => return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")),
    };
    let (reply, answer) = oneshot::channel();
    let app = app.clone();
    // What was begun is brought to its end, and into the log, also when nobody waits for the answer any more.
    app.tasks.clone().spawn(async move {
        let done = store(&app, &caller, body.into()).await;
        drop(turn);
        let _: Result<(), _> = reply.send(done);
    });
    answer.await.map_err(|_| unavailable())?.map(Json)
}

async fn store(app: &AppState, caller: &Caller, body: Vec<u8>) -> Result<Answer, Problem> {
    // Tens of megabytes: not on a thread that others wait for.
    let question = tokio::task::spawn_blocking(move || serde_json::from_slice::<Question>(&body)).await.map_err(|_| unavailable())?;
    let Question { entity, t, v } = question.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}")))?;
    let entity = EntityId::parse(&entity).map_err(|_| not_found("entity", &entity))?;
    let target = app.backend.target(caller, &entity)?.ok_or_else(|| not_found("entity", entity.as_str()))?;
    let readings = readings(&target, &t, &v, now())?;
    drop((t, v));
    let (mut answer, ends) = (Answer::default(), readings.first().zip(readings.last()).map(|(first, last)| (first.taken_at, last.taken_at)));
    let mut failed = None;
    for piece in readings.chunks(PIECE) {
        let stored = if app.tasks.is_stopping() { Err(unavailable()) } else { stored(app, caller, piece, &mut answer).await };
        if let Err(problem) = stored {
            failed = Some(problem);
            break;
        }
    }
    if let Some((from, to)) = ends
        && answer.stored > 0
    {
        let detail = json!({"stored": answer.stored, "known": answer.known, "from": from, "to": to});
        app.backend.filled(caller, "history.fill", Some(&entity), detail).await;
    }
    failed.map_or(Ok(answer), Err)
}

/// Stores a piece and counts it.
pub(super) async fn stored(app: &AppState, caller: &Caller, piece: &[Reading], answer: &mut Answer) -> Result<(), Problem> {
    let stored = app.backend.fill(caller, piece).await.map_err(|error| match error {
        FillError::Refused(error) => error.into(),
        // The same again is safe.
        FillError::Store(error) => {
            let so_far = format!("{}; {} readings were stored before. Send the same again later", error.cause(), answer.stored);
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, so_far)
        }
    })?;
    answer.stored += stored;
    answer.known += piece.len() - stored;
    Ok(())
}

/// The readings that two columns say, oldest first.
fn readings(target: &Target, t: &Column, v: &Column, now: Timestamp) -> Result<Vec<Reading>, Problem> {
    if t.is_cut || v.is_cut {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {MAX_READINGS} readings at once")));
    }
    let (n_times, n_values) = (t.cells.len(), v.cells.len());
    if n_times != n_values {
        return Err(Problem::field("v", format!("t has {n_times} entries and v has {n_values}")));
    }
    let mut readings = Vec::with_capacity(n_times);
    for (n, (at, value)) in t.cells.iter().zip(&v.cells).enumerate() {
        let bad = |column: &str, why: Unfit| Problem::field(format!("{column}[{n}]"), format!("{column}[{n}]: {why}"));
        let at = at.time().map_err(|why| bad("t", why))?;
        let reading = target.reading(at, value.given(), now).map_err(|why| match why {
            Unfit::Future(_) | Unfit::Beyond(_) => bad("t", why),
            _ => bad("v", why),
        })?;
        readings.push(reading);
    }
    // Stable: of two for one moment the first one counts.
    readings.sort_by_key(|reading| reading.taken_at);
    Ok(readings)
}

/// The cells of a column, in order.
#[derive(Debug, Default)]
struct Column {
    cells: Vec<Cell>,
    /// There were more.
    is_cut: bool,
}

/// A time or a value, before it is known whose.
#[derive(Debug)]
enum Cell {
    Number(f64),
    Bool(bool),
    Text(Box<str>),
    Light(LightState),
    Odd,
}

impl Cell {
    fn given(&self) -> Given<'_> {
        match self {
            Self::Number(number) => Given::Number(*number),
            Self::Bool(on) => Given::Bool(*on),
            Self::Text(text) => Given::Text(text),
            Self::Light(light) => Given::Light(*light),
            Self::Odd => Given::Odd,
        }
    }

    fn time(&self) -> Result<Timestamp, Unfit> {
        let time = match self {
            #[expect(clippy::cast_possible_truncation, reason = "whole, and as far as numbers are exact")]
            Self::Number(ms) if ms.fract() == 0.0 && ms.abs() <= 9.0e15 => Some(Timestamp::from_ms(*ms as i64)),
            Self::Text(text) => moment::parse(text),
            _ => None,
        };
        time.ok_or_else(|| Unfit::Time(shown(self.given()).into_owned()))
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Cells;
        impl<'de> Visitor<'de> for Cells {
            type Value = Column;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Column, A::Error> {
                let mut column = Column::default();
                while column.cells.len() < MAX_READINGS {
                    let Some(cell) = seq.next_element_seed(AnyCell)? else { return Ok(column) };
                    column.cells.push(cell);
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    column.is_cut = true;
                }
                Ok(column)
            }
        }
        deserializer.deserialize_seq(Cells)
    }
}

/// Takes whatever stands in a cell: what is wrong with it is said with its place.
struct AnyCell;

impl<'de> DeserializeSeed<'de> for AnyCell {
    type Value = Cell;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyCell {
    type Value = Cell;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_bool<E>(self, on: bool) -> Result<Cell, E> {
        Ok(Cell::Bool(on))
    }
    #[expect(clippy::cast_precision_loss, reason = "numbers are f64 wherever a browser reads them")]
    fn visit_i64<E>(self, number: i64) -> Result<Cell, E> {
        Ok(Cell::Number(number as f64))
    }
    #[expect(clippy::cast_precision_loss, reason = "as above")]
    fn visit_u64<E>(self, number: u64) -> Result<Cell, E> {
        Ok(Cell::Number(number as f64))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Cell, E> {
        Ok(Cell::Number(number))
    }
    fn visit_str<E>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell::Text(text.into()))
    }
    fn visit_unit<E>(self) -> Result<Cell, E> {
        Ok(Cell::Odd)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Cell, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell::Odd)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Cell, A::Error> {
        let object = serde_json::Value::deserialize(MapAccessDeserializer::new(map))?;
        Ok(serde_json::from_value(object).map_or(Cell::Odd, Cell::Light))
    }
}

/// The server ends.
pub(super) fn unavailable() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping; send the same again later")
}

/// A body that did not come to its end.
pub(super) fn unread(error: &axum::Error) -> Problem {
    // The limit stands somewhere among the causes.
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit exceeded") {
            return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body may have {} MiB", MAX_LARGE_BODY_BYTES / (1024 * 1024)));
        }
        cause = error.source();
    }
    Problem::new(StatusCode::BAD_REQUEST, "the body ended early")
}
