use std::collections::HashMap;

use domain::entity::EntityId;
use domain::reading::Reading;
use domain::time::Timestamp;
use domain::value::Value;
use sqlx::sqlite::SqliteConnection;

use super::reading::New;
use super::registry::to_json;
use crate::store::StoreError;

/// Moves the last value of each series on to its newest reading; a late one moves nothing.
pub(super) async fn upsert(connection: &mut SqliteConnection, new: &[New], readings: &[Reading]) -> Result<(), StoreError> {
    let mut newest: HashMap<i64, &New> = HashMap::new();
    for reading in new {
        let known = newest.entry(reading.series).or_insert(reading);
        if reading.taken_at >= known.taken_at {
            *known = reading;
        }
    }
    if newest.is_empty() {
        return Ok(());
    }
    let row = |new: &New| {
        let Reading { value, taken_at, received_at, device_time, .. } = &readings[new.idx];
        (new.series, value.clone(), *taken_at, *received_at, i64::from(*device_time))
    };
    let mut rows: Vec<_> = newest.into_values().map(row).collect();
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
