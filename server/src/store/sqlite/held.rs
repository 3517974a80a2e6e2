use domain::history::Range;
use sqlx::sqlite::SqliteConnection;

use super::states;
use crate::store::{Held, MOST_STATES, StoreError};

/// For how long a series was in each of its states. Each holds until the next; nothing is known before the first, and of what follows the range.
pub(super) async fn list(connection: &mut SqliteConnection, series: i64, range: Range) -> Result<Held, StoreError> {
    let mut held = Held::default();
    if range.len_ms() == 0 {
        return Ok(held);
    }
    let (at, n) = states::first(connection, series, range.from).await?;
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "select value, ms, sum(ms) over () as total from (
           select value, sum(until - max(taken_at, ?1)) as ms from (
             select taken_at, value, lead(taken_at, 1, ?2) over (order by taken_at, n) as until from state
             where series_id = ?3 and (taken_at, n) >= (?4, ?5) and taken_at < ?2
           )
           where until > ?1 group by value
         )
         where ms > 0 order by ms desc, value limit ?6",
    )
    .bind(range.from.as_ms())
    .bind(range.to.as_ms())
    .bind(series)
    .bind(at)
    .bind(n)
    .bind(i64::try_from(MOST_STATES).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    held.other_ms = rows.first().map_or(0, |(.., total)| *total);
    for (value, ms, _) in rows {
        // What this release cannot read is one of the others.
        if let Ok(v) = serde_json::from_str(&value) {
            held.states.push((v, ms).into());
            held.other_ms -= ms;
        }
    }
    Ok(held)
}
