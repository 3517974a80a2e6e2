//! What an earlier version stored, a row a reading: moved to the journal when the database is opened.

use sqlx::sqlite::SqliteConnection;

use super::journal::{self, Entry, Kind};
use super::reading::ENDS_MS;
use crate::store::StoreError;
use crate::store::codec::Point;

/// Rows of a step.
const ROWS: i64 = 50_000;

/// Moves some rows after row `seq` of the journal; returns how many, what is kept of them, and the last row then.
pub(super) async fn some(connection: &mut SqliteConnection, seq: i64) -> Result<(usize, Vec<Entry>, i64), StoreError> {
    let rows: Vec<(i64, i64, i64, f64)> = sqlx::query_as("select taken_at, series_id, n, value from reading order by taken_at, series_id, n limit ?")
        .bind(ROWS)
        .fetch_all(&mut *connection)
        .await?;
    let Some(&(taken_at, series, n, _)) = rows.last() else { return Ok((0, vec![], seq)) };
    sqlx::query("delete from reading where (taken_at, series_id, n) <= (?, ?, ?)")
        .bind(taken_at)
        .bind(series)
        .bind(n)
        .execute(&mut *connection)
        .await?;
    let n_rows = rows.len();
    let kept = |taken_at: &i64| (ENDS_MS.0..=ENDS_MS.1).contains(taken_at);
    let entries: Vec<Entry> = rows
        .into_iter()
        .filter(|(taken_at, ..)| kept(taken_at))
        .map(|(taken_at, series, n, value)| (series, Point::new(taken_at, n == 0, value)))
        .collect();
    let seq = journal::append(connection, seq, Kind::Came, &entries).await?;
    Ok((n_rows, entries, seq))
}
