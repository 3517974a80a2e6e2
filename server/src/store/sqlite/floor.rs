//! How far back each series is kept as it came, and in minutes.

use std::collections::HashMap;

use domain::time::MINUTE_MS;
use sqlx::sqlite::SqliteConnection;

use super::hours::Span;
use super::reading::ENDS_MS;
use super::registry::to_json;
use crate::store::StoreError;

/// What retention did to a series. Moments in milliseconds, none of them ever moves back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Floor {
    /// Before it nothing is told that is finer than minutes.
    pub(super) raw_from: i64,
    /// Before it nothing finer than hours: what else there is, is not looked at any more. A whole hour.
    pub(super) minutes_from: i64,
    /// Blocks that begin before it were looked at: they are minutes now, or stay because they take no more room.
    pub(super) packed_to: i64,
}

/// Of the series that retention did anything to.
pub(super) type Floors = HashMap<i64, Floor>;

impl Floor {
    /// Everything is kept: all that is stored is later than that.
    pub(super) const NONE: Self = {
        let before = ENDS_MS.0 - 1;
        Self { raw_from: before, minutes_from: before, packed_to: before }
    };

    /// Of a series.
    pub(super) fn of(floors: &Floors, series: i64) -> Self {
        floors.get(&series).copied().unwrap_or(Self::NONE)
    }

    /// What a moment can be told in, if not exactly.
    pub(super) const fn span(&self, at: i64) -> Option<Span> {
        match () {
            () if at < self.minutes_from => Some(Span::Hour),
            () if at < self.raw_from => Some(Span::Minute),
            () => None,
        }
    }

    /// The last moment before `at` from which on a row of minutes can begin, or one of hours.
    pub(super) const fn row_before(span: Span, at: i64) -> i64 {
        at.div_euclid(span.chunk_ms()) * span.chunk_ms()
    }

    /// Minutes that some readings of a time take at most.
    pub(super) const fn minutes_between(first: i64, last: i64) -> i64 {
        last.div_euclid(MINUTE_MS) - first.div_euclid(MINUTE_MS) + 1
    }
}

/// All of them.
pub(super) async fn list(connection: &mut SqliteConnection) -> Result<Floors, StoreError> {
    let rows: Vec<(i64, i64, i64, i64)> =
        sqlx::query_as("select series_id, raw_from, minutes_from, packed_to from floor").fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(series, raw_from, minutes_from, packed_to)| (series, Floor { raw_from, minutes_from, packed_to })).collect())
}

/// Writes what changed.
pub(super) async fn upsert(connection: &mut SqliteConnection, changed: &[(i64, Floor)]) -> Result<(), StoreError> {
    let rows: Vec<(i64, i64, i64, i64)> =
        changed.iter().map(|(series, floor)| (*series, floor.raw_from, floor.minutes_from, floor.packed_to)).collect();
    sqlx::query(
        "insert or replace into floor (series_id, raw_from, minutes_from, packed_to)
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(?)",
    )
    .bind(to_json(&rows)?)
    .execute(connection)
    .await?;
    Ok(())
}
