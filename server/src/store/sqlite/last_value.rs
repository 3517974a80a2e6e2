use std::collections::HashMap;

use domain::entity::EntityId;
use domain::reading::Reading;
use domain::time::Timestamp;
use domain::value::Value;
use sqlx::sqlite::SqliteConnection;

use super::registry::to_json;
use crate::clock::now;
use crate::store::StoreError;

/// The newest reading of a series.
#[derive(Clone, Debug)]
pub(super) struct Last {
    value: Value,
    pub(super) taken_at: i64,
    received_at: i64,
    device_time: bool,
}

impl Last {
    /// A reading as it came.
    pub(super) fn of(reading: &Reading) -> Self {
        Self {
            value: reading.value.clone(),
            taken_at: reading.taken_at.as_ms(),
            received_at: reading.received_at.as_ms(),
            device_time: reading.device_time,
        }
    }

    /// A reading found in history, by its place there. When it arrived is not part of history: not before it was taken, and not after now.
    pub(super) fn found(value: Value, taken_at: i64, n: i64) -> Self {
        Self { value, taken_at, received_at: taken_at.min(now().as_ms()), device_time: n == 0 }
    }
}

/// Moves the last value of each series on to its newest reading; a late one moves nothing.
pub(super) async fn upsert(connection: &mut SqliteConnection, newest: &HashMap<i64, Last>) -> Result<(), StoreError> {
    if newest.is_empty() {
        return Ok(());
    }
    let row = |(series, last): (&i64, &Last)| (*series, last.value.clone(), last.taken_at, last.received_at, i64::from(last.device_time));
    let mut rows: Vec<_> = newest.iter().map(row).collect();
    rows.sort_unstable_by_key(|(series, ..)| *series);
    sqlx::query(
        "insert into last_value (series_id, value, taken_at, received_at, device_time)
         select value ->> 0, value -> 1, value ->> 2, value ->> 3, value ->> 4 from json_each(?) where true
         on conflict (series_id) do update
           set value = excluded.value, taken_at = excluded.taken_at, received_at = excluded.received_at, device_time = excluded.device_time
         where excluded.taken_at >= last_value.taken_at",
    )
    .bind(to_json(&rows)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// The last readings of all entities, by id.
pub(super) async fn list(connection: &mut SqliteConnection) -> Result<Vec<Reading>, StoreError> {
    let rows: Vec<(String, String, i64, i64, bool)> = sqlx::query_as(
        "select entity_id, value, taken_at, received_at, device_time from last_value join series using (series_id) order by entity_id",
    )
    .fetch_all(connection)
    .await?;
    let reading = |(entity, value, taken_at, received_at, device_time): (String, String, i64, i64, bool)| {
        Some(Reading {
            entity: EntityId::parse(&entity).ok()?,
            value: serde_json::from_str::<Value>(&value).ok()?,
            taken_at: Timestamp::from_ms(taken_at),
            received_at: Timestamp::from_ms(received_at),
            device_time,
        })
    };
    Ok(rows.into_iter().filter_map(reading).collect())
}
