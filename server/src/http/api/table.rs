//! The past as a table: `GET /api/v1/history.csv`, the same question as `GET /api/v1/history`, or with `resolution=raw` every single reading.

use std::io;

use app::backend::Caller;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use domain::entity::EntityId;
use domain::history::{MAX_SERIES, Range, Series};
use domain::time::Timestamp;
use domain::words::Words;
use futures_util::{StreamExt as _, stream};
use jiff::tz::TimeZone;
use serde::Deserialize;
use utoipa::IntoParams;

use super::history::{Asked, Question};
use super::{By, Query};
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::moment;
use crate::table_out::{Rows, Source, Table, csv_head, csv_part};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Form {
    /// `raw` for every reading, or the length of a bucket, `15m`.
    resolution: Option<String>,
}

/// The past as a table.
#[utoipa::path(get, path = "/api/v1/history.csv", params(Question, Form), responses((status = 200, body = String, content_type = "text/csv")))]
pub(super) async fn export(
    State(app): State<AppState>,
    By(caller): By,
    Query(question): Query<Question>,
    Query(form): Query<Form>,
) -> Result<Response, Problem> {
    let length = match form.resolution.as_deref() {
        None | Some("" | "raw") => None,
        Some(text) => {
            let refused = || Problem::field("resolution", "resolution must be raw, a length such as 15m or 1h, or be left out");
            Some(moment::parse_length(text).ok_or_else(refused)?)
        }
    };
    let is_raw = form.resolution.as_deref() == Some("raw");
    let Asked { entities, range, points, zone } = question.read()?;
    if entities.len() > MAX_SERIES {
        return Err(Problem::field("entities", format!("at most {MAX_SERIES} entities at once")));
    }
    let rows = match length {
        Some(ms) => Rows::Buckets(ms),
        None if is_raw => Rows::Every,
        None => Rows::Points(points, zone),
    };
    let mut table = Table::new(Live { app, caller }, entities.into_iter().map(|entity| (entity, range)), rows.clone());
    // What cannot be answered at all is said with a status; once rows are on their way, only by ending early.
    let mut first = csv_head(&rows).to_owned();
    first.push_str(&table.next().await?.map(|part| csv_part(&rows, &part)).unwrap_or_default());
    let rest = stream::try_unfold((table, rows), async |(mut table, rows)| match table.next().await {
        Ok(part) => Ok(part.map(|part| (csv_part(&rows, &part), (table, rows)))),
        Err(_) => Err(io::Error::other("the rest cannot be read")),
    });
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, "attachment; filename=\"signalbox-history.csv\"")];
    Ok((headers, Body::from_stream(stream::iter([Ok(first)]).chain(rest))).into_response())
}

/// The store of a running server.
struct Live {
    app: AppState,
    caller: Caller,
}

impl Source for Live {
    type Error = Problem;

    async fn raw_from(&mut self, entity: &EntityId) -> Result<Timestamp, Problem> {
        Ok(self.app.backend.raw_from(&self.caller, entity).await?)
    }

    async fn points(&mut self, entity: &EntityId, range: Range, points: usize, zone: Option<&TimeZone>) -> Result<Option<Series>, Problem> {
        let found = self.app.backend.series(&self.caller, std::slice::from_ref(entity), range, points, zone).await?;
        Ok(found.into_iter().next())
    }

    async fn words(&mut self, entity: &EntityId, range: Range, points: usize) -> Result<Option<Words>, Problem> {
        Ok(Some(self.app.backend.words(&self.caller, entity, range, points).await?))
    }

    async fn buckets(&mut self, entity: &EntityId, range: Range, bucket_ms: i64) -> Result<Option<Series>, Problem> {
        let found = self.app.backend.buckets(&self.caller, std::slice::from_ref(entity), range, bucket_ms).await?;
        Ok(found.into_iter().next())
    }
}
