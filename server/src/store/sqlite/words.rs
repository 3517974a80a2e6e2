use domain::entity::EntityId;
use domain::history::Range;
use domain::value::Value;
use domain::words::Words;
use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteConnection;

use super::states;
use crate::store::StoreError;
use crate::store::words::Changes;

/// Words that are looked at, the newest of a range: one that says another with each message must not keep everybody waiting.
const MOST: i64 = 100_000;

/// What one series said in words within a range.
pub(super) async fn list(
    connection: &mut SqliteConnection,
    series: i64,
    entity: &EntityId,
    range: Range,
    points: usize,
) -> Result<Words, StoreError> {
    if range.len_ms() == 0 {
        return Ok(Words::none(entity.clone()));
    }
    let (at, n) = states::first(connection, series, range.from).await?;
    let mut rows = sqlx::query_as::<_, (i64, String)>(
        "select taken_at, value from (
           select taken_at, n, value from state where series_id = ? and (taken_at, n) >= (?, ?) and taken_at < ?
           order by taken_at desc, n desc limit ?
         )
         order by taken_at, n",
    )
    .bind(series)
    .bind(at)
    .bind(n)
    .bind(range.to.as_ms())
    .bind(MOST)
    .fetch(connection);
    let mut changes = Changes::default();
    while let Some((at, value)) = rows.try_next().await? {
        // What this release cannot read is not known; on and off are no words.
        if let Ok(value) = serde_json::from_str::<Value>(&value)
            && let Some(word) = value.word()
        {
            changes.push(at, word);
        }
    }
    Ok(changes.told(entity.clone(), range, points))
}
