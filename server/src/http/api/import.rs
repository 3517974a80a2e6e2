//! Filling in the past from a table: `POST /api/v1/history.csv`, the shape that `GET /api/v1/history.csv?resolution=raw` answers with.

use std::collections::HashMap;
use std::time::Duration;

use app::backend::{Caller, Role};
use axum::Json;
use axum::body::{Body, BodyDataStream};
use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;
use domain::entity::EntityId;
use domain::reading::Reading;
use domain::time::Timestamp;
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::By;
use super::fill::{Answer, stored, unavailable, unread};
use crate::backend::require;
use crate::clock::now;
use crate::fill::{PIECE, Target};
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::rows::Rows;
use crate::table_in::{Columns, TableError};

/// How long the next piece of a table may take to arrive.
const PAUSE: Duration = Duration::from_secs(30);

/// Fills in what is missing from a table, as it is exported with `resolution=raw`.
#[utoipa::path(post, path = "/api/v1/history.csv", request_body(content = String, content_type = "text/csv"), responses((status = 200, body = Answer)))]
pub(super) async fn import(State(app): State<AppState>, By(caller): By, body: Body) -> Result<Json<Answer>, Problem> {
    require(&caller, Role::Operator)?;
    let turn = app.intake.clone().acquire_owned().await.map_err(|_| unavailable())?;
    let (reply, answer) = oneshot::channel();
    let app = app.clone();
    // What was stored goes into the log, also when the sender goes away in the midst of it.
    app.tasks.clone().spawn(async move {
        let mut import = Import::new(&app, &caller);
        let done = import.run(body.into_data_stream()).await;
        let Answer { stored, known } = import.answer;
        if stored > 0 {
            let (from, to) = import.ends;
            let entities: Vec<&EntityId> = import.targets.values().map(Target::entity).take(50).collect();
            let detail = json!({"stored": stored, "known": known, "from": from, "to": to, "entities": entities});
            app.backend.filled(&caller, "history.import", None, detail).await;
        }
        drop(turn);
        let _: Result<(), _> = reply.send(done.map(|()| import.answer));
    });
    answer.await.map_err(|_| unavailable())?.map(Json)
}

/// A table on its way in.
struct Import<'a> {
    app: &'a AppState,
    caller: &'a Caller,
    rows: Rows,
    columns: Option<Columns>,
    targets: HashMap<String, Target>,
    /// Read, and not stored yet.
    waiting: Vec<Reading>,
    answer: Answer,
    /// First and last moment.
    ends: (Timestamp, Timestamp),
}

impl<'a> Import<'a> {
    fn new(app: &'a AppState, caller: &'a Caller) -> Self {
        let ends = (Timestamp::from_ms(i64::MAX), Timestamp::from_ms(i64::MIN));
        let (rows, answer) = (Rows::default(), Answer::default());
        Self { app, caller, rows, columns: None, targets: HashMap::new(), waiting: vec![], answer, ends }
    }

    async fn run(&mut self, mut body: BodyDataStream) -> Result<(), Problem> {
        loop {
            let piece = match timeout(PAUSE, body.next()).await {
                Ok(Some(Ok(piece))) if piece.is_empty() => continue,
                Ok(Some(Ok(piece))) => piece,
                Ok(Some(Err(error))) => return Err(unread(&error)),
                Ok(None) => Bytes::new(),
                Err(_) => return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the table took too long to arrive")),
            };
            let is_end = piece.is_empty();
            let read = self.read(&piece);
            // What stands before a line that cannot be read is stored all the same: the same table again, mended, adds what is missing.
            self.store(is_end || read.is_err()).await?;
            read?;
            if is_end {
                return Ok(());
            }
        }
    }

    fn read(&mut self, piece: &[u8]) -> Result<(), Problem> {
        let now = now();
        let mut rows = vec![];
        let read = self.rows.push(piece, &mut rows);
        for row in rows {
            let Some(columns) = &self.columns else {
                self.columns = Some(Columns::read(&row).map_err(|error| refused(&error))?);
                continue;
            };
            let cells = columns.cells(&row).map_err(|error| refused(&error))?;
            if !self.targets.contains_key(cells.entity) {
                let known = EntityId::parse(cells.entity).ok();
                let target = known.map(|entity| self.app.backend.target(self.caller, &entity)).transpose()?.flatten();
                let target = target.ok_or_else(|| refused(&TableError::unknown(row.line, cells.entity)))?;
                self.targets.insert(cells.entity.to_owned(), target);
            }
            let reading = columns.reading(&row, &self.targets[cells.entity], now).map_err(|error| refused(&error))?;
            self.ends = (self.ends.0.min(reading.taken_at), self.ends.1.max(reading.taken_at));
            self.waiting.push(reading);
        }
        read.map_err(|error| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
    }

    /// Stores what waits, in pieces; what is less than one waits on, unless it is the last.
    async fn store(&mut self, is_last: bool) -> Result<(), Problem> {
        while self.waiting.len() >= PIECE || (is_last && !self.waiting.is_empty()) {
            if self.app.tasks.is_stopping() {
                return Err(unavailable());
            }
            let piece: Vec<Reading> = self.waiting.drain(..PIECE.min(self.waiting.len())).collect();
            stored(self.app, self.caller, &piece, &mut self.answer).await?;
        }
        Ok(())
    }
}

fn refused(error: &TableError) -> Problem {
    Problem::field(error.column(), error.to_string())
}
