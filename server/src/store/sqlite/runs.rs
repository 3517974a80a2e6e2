//! What the order of its readings adds to the head of a block, of series of states and of meters.

use std::collections::{HashMap, HashSet};

use sqlx::sqlite::SqliteConnection;

use super::block::Packed;
use super::registry::to_json;
use super::series;
use crate::store::StoreError;
use crate::store::codec::{self, Run, Traced};

/// Writes the runs of those of some new blocks that are full, and of such a series. They are worked out from what was packed: whoever makes a block
/// need not know of them.
pub(super) async fn insert(connection: &mut SqliteConnection, packed: &[Packed]) -> Result<(), StoreError> {
    let full = || packed.iter().filter(|packed| !packed.head.is_short());
    let all: HashSet<i64> = full().map(|packed| packed.head.series).collect();
    if all.is_empty() {
        return Ok(());
    }
    let traced = series::traced(connection, &all.into_iter().collect::<Vec<_>>()).await?;
    let mut rows = vec![];
    for Packed { head, data } in full().filter(|packed| traced.contains(&packed.head.series)) {
        let points = codec::decode(data).map_err(|error| StoreError::Failed(error.to_string()))?;
        if let Some(Traced { run, .. }) = Traced::all(&points) {
            rows.push((head.data_id, run.first, run.lost, run.on_ms, run.changes));
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert or replace into block_run (data_id, first_value, lost, on_ms, changes)
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 from json_each(?)",
    )
    .bind(to_json(&rows)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// The runs of some blocks, by `data_id`. Those of an earlier version have none.
pub(super) async fn list(connection: &mut SqliteConnection, ids: &[i64]) -> Result<HashMap<i64, Run>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, f64, f64, i64, i64)> =
        sqlx::query_as("select data_id, first_value, lost, on_ms, changes from json_each(?) as asked cross join block_run on data_id = asked.value")
            .bind(to_json(&ids)?)
            .fetch_all(connection)
            .await?;
    let run = |(id, first, lost, on_ms, changes)| (id, Run { first, first_key: 0, lost, on_ms, changes });
    Ok(rows.into_iter().map(run).collect())
}
