//! The past as a table: `GET /api/v1/history.csv`, the same question as `GET /api/v1/history`, or with `resolution=raw` every single reading.

use std::fmt::Write as _;
use std::io;

use app::backend::Caller;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use domain::entity::EntityId;
use domain::history::{MAX_POINTS, MAX_SERIES, Range, Resolution, Series};
use domain::time::Timestamp;
use futures_util::{StreamExt as _, stream};
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::By;
use super::history::{Asked, Question};
use crate::http::AppState;
use crate::http::problem::Problem;

#[derive(Debug, Deserialize)]
pub(super) struct Form {
    resolution: Option<String>,
}

pub(super) async fn export(
    State(app): State<AppState>,
    By(caller): By,
    Query(question): Query<Question>,
    Query(form): Query<Form>,
) -> Result<Response, Problem> {
    let is_raw = match form.resolution.as_deref() {
        None | Some("") => false,
        Some("raw") => true,
        Some(_) => return Err(Problem::field("resolution", "resolution must be raw, or be left out")),
    };
    let Asked { entities, range, points, zone } = question.read()?;
    if entities.len() > MAX_SERIES {
        return Err(Problem::field("entities", format!("at most {MAX_SERIES} entities at once")));
    }
    let left = entities.into_iter().rev().map(|entity| (entity, range)).collect();
    let mut table = Table { app, caller, left, points: if is_raw { MAX_POINTS } else { points }, is_raw, zone };
    // What cannot be answered at all is said with a status; once rows are on their way, only by ending early.
    let mut first = if is_raw { "entity,time,value\n" } else { "entity,time,min,mean,max,last,n\n" }.to_owned();
    first.push_str(&table.next().await?.unwrap_or_default());
    let rest = stream::try_unfold(table, async |mut table: Table| match table.next().await {
        Ok(rows) => Ok(rows.map(|rows| (rows, table))),
        Err(_) => Err(io::Error::other("the rest cannot be read")),
    });
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, "attachment; filename=\"signalbox-history.csv\"")];
    Ok((headers, Body::from_stream(stream::iter([Ok(first)]).chain(rest))).into_response())
}

/// A table that is read while it is sent, a few thousand rows at a time: no reader holds the database for as long as a slow line takes.
struct Table {
    app: AppState,
    caller: Caller,
    /// What is still to be read, the first last.
    left: Vec<(EntityId, Range)>,
    points: usize,
    is_raw: bool,
    zone: Option<TimeZone>,
}

impl Table {
    /// The next rows; `None` after the last.
    async fn next(&mut self) -> Result<Option<String>, Problem> {
        while let Some((entity, range)) = self.left.pop() {
            let series = self.app.backend.series(&self.caller, std::slice::from_ref(&entity), range, self.points, self.zone.as_ref()).await?;
            let Some(series) = series.into_iter().next() else { continue };
            if self.is_raw && series.resolution != Resolution::Raw && range.len_ms() > 1 {
                // More readings than an answer holds: in two halves.
                let middle = range.from.plus_ms(range.len_ms() / 2);
                self.left.push((entity.clone(), Range { from: middle, to: range.to }));
                self.left.push((entity, Range { from: range.from, to: middle }));
                continue;
            }
            let rows = if self.is_raw { raw_rows(&series) } else { bucket_rows(&series) };
            if !rows.is_empty() {
                return Ok(Some(rows));
            }
        }
        Ok(None)
    }
}

// Ids hold letters, digits, dots, dashes and underscores only and begin with a letter or digit: nothing in a row needs quotes, and no spreadsheet
// takes any of it for a formula.

fn raw_rows(series: &Series) -> String {
    let mut out = String::new();
    for (at, value) in series.t.iter().zip(&series.last) {
        write(&mut out, format_args!("{},{},{value}\n", series.entity, Time(*at)));
    }
    out
}

fn bucket_rows(series: &Series) -> String {
    let Series { entity, t, min, mean, max, last, n, .. } = series;
    let mut out = String::new();
    for (idx, at) in t.iter().enumerate() {
        write(&mut out, format_args!("{entity},{},{},{},{},{},{}\n", Time(*at), min[idx], mean[idx], max[idx], last[idx], n[idx]));
    }
    out
}

fn write(out: &mut String, row: std::fmt::Arguments<'_>) {
    out.write_fmt(row).expect("a string takes all that is written to it");
}

/// ISO 8601 in UTC, to the millisecond.
struct Time(Timestamp);

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0.as_ms()) {
            Ok(at) => write!(f, "{at:.3}"),
            // Past the year 9999.
            Err(_) => write!(f, "{}", self.0.as_ms()),
        }
    }
}
