use domain::history::Range;
use domain::time::Timestamp;
use domain::value::Value;
use sqlx::sqlite::SqliteConnection;

use crate::store::StoreError;

/// The changes of state of one series in a range, oldest first, with the state in force at its beginning in front; the newest `limit` of them.
pub(super) async fn list(connection: &mut SqliteConnection, series: i64, range: Range, limit: usize) -> Result<Vec<(Timestamp, Value)>, StoreError> {
    if range.len_ms() == 0 {
        return Ok(vec![]);
    }
    let (at, n) = first(connection, series, range.from).await?;
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "select taken_at, value from (
           select taken_at, n, value, lag(value) over (order by taken_at, n) as before from state
           where series_id = ? and (taken_at, n) >= (?, ?) and taken_at < ?
         )
         where before is null or before <> value order by taken_at desc, n desc limit ?",
    )
    .bind(series)
    .bind(at)
    .bind(n)
    .bind(range.to.as_ms())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let state = |(at, value): (i64, String)| Some((Timestamp::from_ms(at), serde_json::from_str(&value).ok()?));
    Ok(rows.into_iter().rev().filter_map(state).collect())
}

/// Place of the first state that says something of the time from a moment on: the one in force then.
pub(super) async fn first(connection: &mut SqliteConnection, series: i64, from: Timestamp) -> Result<(i64, i64), StoreError> {
    let in_force: Option<(i64, i64)> =
        sqlx::query_as("select taken_at, n from state where series_id = ? and taken_at <= ? order by taken_at desc, n desc limit 1")
            .bind(series)
            .bind(from.as_ms())
            .fetch_optional(connection)
            .await?;
    // A state of the very moment says all of what follows.
    Ok(in_force.filter(|(at, _)| *at < from.as_ms()).unwrap_or((from.as_ms(), 0)))
}
