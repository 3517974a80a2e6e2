use std::collections::HashMap;
use std::time::Duration;

use domain::entity::EntityId;
use domain::reading::Reading;
use domain::time::Timestamp;
use domain::value::Value;
use sqlx::sqlite::SqliteConnection;
use tokio::time::Instant;

use super::journal::Entry;
use super::registry::to_json;
use crate::clock::now;
use crate::store::StoreError;
use crate::store::codec::Point;

/// How long last values may be behind: written with each batch they would be a page for each few series.
const LONGEST: Duration = Duration::from_secs(60);

/// The newest reading of a series.
#[derive(Clone, Debug)]
pub(super) struct Last {
    value: Value,
    taken_at: i64,
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

    /// A number found in the journal. When it arrived does not stand there: not before it was taken, and not after now.
    fn found(point: &Point) -> Self {
        let (taken_at, value) = (point.taken_at(), Value::Number(point.value));
        Self { value, taken_at, received_at: taken_at.min(now().as_ms()), device_time: point.is_device_time() }
    }
}

/// Last numbers that are not written yet. Nothing of it is lost with the process: the journal says it again.
#[derive(Debug, Default)]
pub(super) struct Behind {
    last: HashMap<i64, Last>,
    since: Option<Instant>,
}

impl Behind {
    /// Takes a number that was stored just now.
    pub(super) fn take(&mut self, series: i64, last: Last) {
        self.since.get_or_insert_with(Instant::now);
        if self.last.get(&series).is_none_or(|known| last.taken_at >= known.taken_at) {
            self.last.insert(series, last);
        }
    }

    /// Takes what stands in the journal, as far as it is newer than what is `written`.
    pub(super) fn take_found(&mut self, entries: &[Entry], written: &HashMap<i64, i64>) {
        for (series, point) in entries {
            if written.get(series).is_none_or(|&taken_at| taken_at < point.taken_at()) {
                self.take(*series, Last::found(point));
            }
        }
    }

    /// Whether it is time to write it.
    pub(super) fn is_ripe(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= LONGEST)
    }

    /// What is not written.
    pub(super) const fn list(&self) -> &HashMap<i64, Last> {
        &self.last
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

/// When the last value of each series was taken.
pub(super) async fn written(connection: &mut SqliteConnection) -> Result<HashMap<i64, i64>, StoreError> {
    let rows: Vec<(i64, i64)> = sqlx::query_as("select series_id, taken_at from last_value").fetch_all(connection).await?;
    Ok(rows.into_iter().collect())
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
