//! States, commands and what else is logged: rows that go one by one when their time has come.

use domain::time::Timestamp;
use sqlx::sqlite::SqliteConnection;

use crate::store::StoreError;

/// Rows that go at once: each may be of a page of its own.
const ROWS: i64 = 128;

/// What is past its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expired {
    /// States of a series that ended before.
    States(i64, Timestamp),
    /// What was logged before.
    Logged(Timestamp),
}

impl Expired {
    /// Deletes some rows; how many.
    pub(super) async fn delete(&self, connection: &mut SqliteConnection) -> Result<usize, StoreError> {
        match self {
            Self::States(series, before) => states(connection, *series, before.as_ms()).await,
            Self::Logged(before) => logged(connection, before.as_ms()).await,
        }
    }
}

/// The last state before stays: it is the one that was in force then.
async fn states(connection: &mut SqliteConnection, series: i64, before: i64) -> Result<usize, StoreError> {
    let done = sqlx::query(
        "delete from state where (series_id, taken_at, n) in (
           select series_id, taken_at, n from state
           where series_id = ?1 and taken_at < (select max(taken_at) from state where series_id = ?1 and taken_at < ?2)
           order by taken_at, n limit ?3
         )",
    )
    .bind(series)
    .bind(before)
    .bind(ROWS)
    .execute(connection)
    .await?;
    Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
}

async fn logged(connection: &mut SqliteConnection, before: i64) -> Result<usize, StoreError> {
    let mut n = 0;
    for sql in [
        "delete from command where command_id in (select command_id from command where sent_at < ? order by sent_at limit ?)",
        "delete from activity where activity_id in (select activity_id from activity where at < ? order by at limit ?)",
        // Only added to: the first are the oldest.
        "delete from alarm_event where at < ?1
         and alarm_event_id in (select alarm_event_id from alarm_event order by alarm_event_id limit ?2)",
        "delete from alarm_span where (alarm_id, raised_at) in (select alarm_id, raised_at from alarm_span where ended_at < ? limit ?)",
    ] {
        n += sqlx::query(sql).bind(before).bind(ROWS).execute(&mut *connection).await?.rows_affected();
    }
    Ok(usize::try_from(n).unwrap_or(usize::MAX))
}
