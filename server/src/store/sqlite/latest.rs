//! The newest state of each series that is stored: what says it again is no change, and is not.

use std::collections::HashMap;

use domain::reading::Reading;
use domain::value::Value;
use sqlx::sqlite::SqliteConnection;

use super::registry::to_json;
use super::series::set_states;
use crate::store::StoreError;
use crate::store::codec::Point;

/// The newest state of each series, as far as it was asked.
#[derive(Debug, Default)]
pub(super) struct Latest {
    /// [`Point::key`] of it, and what it says; `None` where there is none.
    known: HashMap<i64, Option<(i64, Value)>>,
}

impl Latest {
    /// Looks up the series of the states among some readings.
    pub(super) async fn ask(&mut self, connection: &mut SqliteConnection, readings: &[Reading], series: &[i64]) -> Result<(), StoreError> {
        let states = readings.iter().zip(series).filter(|(reading, _)| !matches!(reading.value, Value::Number(_)));
        let mut unknown: Vec<i64> = states.map(|(_, &key)| key).filter(|key| !self.known.contains_key(key)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() {
            return Ok(());
        }
        set_states(connection, &unknown).await?;
        let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(
            "select state.series_id, state.taken_at, state.n, state.value from json_each(?) as asked
             cross join state on state.series_id = asked.value and (state.taken_at, state.n) = (
               select newest.taken_at, newest.n from state as newest
               where newest.series_id = asked.value order by newest.taken_at desc, newest.n desc limit 1
             )",
        )
        .bind(to_json(&unknown)?)
        .fetch_all(connection)
        .await?;
        self.known.extend(unknown.into_iter().map(|key| (key, None)));
        for (key, taken_at, n, value) in rows {
            if let Ok(value) = serde_json::from_str(&value) {
                self.known.insert(key, Some((Point::new(taken_at, n == 0, 0.0).key(), value)));
            }
        }
        Ok(())
    }

    /// Whether a state only says again what is so since an arrival before. That goes by times of arrival alone: where devices say when something was,
    /// more may come of the time in between, and then each word of it counts. `is_out` says of what is stored whether it was taken out since.
    pub(super) fn repeats(&self, series: i64, reading: &Reading, is_out: impl Fn(i64) -> bool) -> bool {
        let point = point(reading);
        match self.known.get(&series) {
            Some(Some((key, value))) => {
                let is_arrival = !point.is_device_time() && !Point::of_key(*key, 0.0).is_device_time();
                is_arrival && *key <= point.key() && *value == reading.value && !is_out(*key)
            }
            _ => false,
        }
    }

    /// Takes note of a state that is stored.
    pub(super) fn take(&mut self, series: i64, reading: &Reading, is_out: impl Fn(i64) -> bool) {
        let key = point(reading).key();
        let known = self.known.entry(series).or_default();
        if known.as_ref().is_none_or(|(before, _)| *before <= key || is_out(*before)) {
            *known = Some((key, reading.value.clone()));
        }
    }

    /// Forgets all: what was taken note of may not be stored.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }
}

const fn point(reading: &Reading) -> Point {
    Point::new(reading.taken_at.as_ms(), reading.device_time, 0.0)
}
