use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use domain::reading::Reading;
use domain::value::Value;
use sqlx::sqlite::SqliteConnection;

use super::registry::to_json;
use super::series::Keys;
use crate::store::StoreError;

/// A reading that was not stored before.
#[derive(Debug)]
pub(super) struct New {
    /// Its place in the batch.
    pub(super) idx: usize,
    /// Its series.
    pub(super) series: i64,
    /// When it was taken, in milliseconds.
    pub(super) taken_at: i64,
    /// Its place among readings of the same series and millisecond.
    pub(super) n: i64,
    /// Its number; `None` for texts.
    pub(super) number: Option<f64>,
}

/// Moment, series and place of a reading: its key.
type Key = (i64, i64, i64);

/// Inserts the readings that are not there yet and returns them, in the order of the batch. Numbers that are not finite are left out.
pub(super) async fn insert(connection: &mut SqliteConnection, keys: &mut Keys, readings: &[Reading]) -> Result<Vec<New>, StoreError> {
    let series = keys.of(connection, readings).await?;
    let mut taken = taken(connection, readings, &series).await?;
    let mut new = Vec::with_capacity(readings.len());
    for (idx, (reading, &series)) in readings.iter().zip(&series).enumerate() {
        let number = reading.value.as_number();
        let taken_at = reading.taken_at.as_ms();
        if number.is_some_and(|number| !number.is_finite()) {
            continue;
        }
        if let Some(n) = taken.place(taken_at, series, reading.device_time) {
            new.push(New { idx, series, taken_at, n, number });
        }
    }
    insert_numbers(connection, &new, readings).await?;
    insert_states(connection, &new, readings).await?;
    Ok(new)
}

/// The keys in use where the batch goes.
#[derive(Default)]
struct Taken {
    device_time: HashSet<(i64, i64)>,
    last_n: HashMap<(i64, i64), i64>,
}

impl Taken {
    fn add(&mut self, (taken_at, series, n): Key) {
        if n == 0 {
            self.device_time.insert((taken_at, series));
        } else {
            let last = self.last_n.entry((taken_at, series)).or_default();
            *last = n.max(*last);
        }
    }

    /// The place of one more reading; `None` when it is there already.
    fn place(&mut self, taken_at: i64, series: i64, device_time: bool) -> Option<i64> {
        if device_time {
            return self.device_time.insert((taken_at, series)).then_some(0);
        }
        let last = self.last_n.entry((taken_at, series)).or_default();
        *last += 1;
        Some(*last)
    }
}

/// What is stored at the moments of the batch. Readings newer than everything stored, which is nearly all of them, need no look.
async fn taken(connection: &mut SqliteConnection, readings: &[Reading], series: &[i64]) -> Result<Taken, StoreError> {
    let newest: Option<i64> = sqlx::query_scalar("select max(taken_at) from reading").fetch_one(&mut *connection).await?;
    let (mut numbers, mut states) = (vec![], vec![]);
    for (reading, &series) in readings.iter().zip(series) {
        let taken_at = reading.taken_at.as_ms();
        if !matches!(reading.value, Value::Number(_)) {
            states.push((taken_at, series));
        } else if newest.is_some_and(|newest| taken_at <= newest) {
            numbers.push((taken_at, series));
        }
    }
    let mut taken = Taken::default();
    if !numbers.is_empty() {
        let keys: Vec<Key> = sqlx::query_as(
            "select reading.taken_at, reading.series_id, reading.n from json_each(?) as moment
             cross join reading on reading.taken_at = moment.value ->> 0 and reading.series_id = moment.value ->> 1",
        )
        .bind(to_json(&numbers)?)
        .fetch_all(&mut *connection)
        .await?;
        keys.into_iter().for_each(|key| taken.add(key));
    }
    if !states.is_empty() {
        let keys: Vec<Key> = sqlx::query_as(
            "select state.taken_at, state.series_id, state.n from json_each(?) as moment
             cross join state on state.series_id = moment.value ->> 1 and state.taken_at = moment.value ->> 0",
        )
        .bind(to_json(&states)?)
        .fetch_all(&mut *connection)
        .await?;
        keys.into_iter().for_each(|key| taken.add(key));
    }
    Ok(taken)
}

async fn insert_numbers(connection: &mut SqliteConnection, new: &[New], readings: &[Reading]) -> Result<(), StoreError> {
    let mut rows = String::with_capacity(new.len() * 40);
    // In the order of the table: each page is then filled once, and whole.
    let mut new: Vec<&New> = new.iter().collect();
    new.sort_unstable_by_key(|new| (new.taken_at, new.series, new.n));
    for New { idx, series, taken_at, n, .. } in new {
        if let Value::Number(number) = readings[*idx].value {
            let comma = if rows.is_empty() { '[' } else { ',' };
            // `{:?}` of a finite number is JSON, and the shortest that reads back to the same bits.
            write!(rows, "{comma}[{taken_at},{series},{n},{number:?}]").expect("a string takes all that is written to it");
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    rows.push(']');
    sqlx::query(
        "insert into reading (taken_at, series_id, n, value)
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(?)",
    )
    .bind(rows)
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_states(connection: &mut SqliteConnection, new: &[New], readings: &[Reading]) -> Result<(), StoreError> {
    let rows: Vec<(i64, i64, i64, &Value)> = new
        .iter()
        .map(|new| (new.series, new.taken_at, new.n, &readings[new.idx].value))
        .filter(|(.., value)| !matches!(value, Value::Number(_)))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into state (series_id, taken_at, n, value)
         select value ->> 0, value ->> 1, value ->> 2, value -> 3 from json_each(?)",
    )
    .bind(to_json(&rows)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Spans of time as a statement takes them: `from` inside, `to` outside, in order and apart.
pub(super) type Spans = Vec<(i64, i64)>;

/// Time, place and number of the readings of some series in some spans: numbers and states that count as one. In no order.
pub(super) async fn list_numbers(
    connection: &mut SqliteConnection,
    series: &[i64],
    spans: &Spans,
    mut each: impl FnMut(i64, i64, i64, f64),
) -> Result<(), StoreError> {
    let (series, spans) = (to_json(&series)?, to_json(spans)?);
    let numbers: Vec<(i64, i64, i64, f64)> = sqlx::query_as(
        "select series_id, taken_at, n, reading.value from json_each(?) as span
         cross join reading on taken_at >= span.value ->> 0 and taken_at < span.value ->> 1
         where series_id in (select value from json_each(?))",
    )
    .bind(&spans)
    .bind(&series)
    .fetch_all(&mut *connection)
    .await?;
    numbers.into_iter().for_each(|(series, taken_at, n, number)| each(series, taken_at, n, number));

    // Texts have no number: they are the values that begin with a quotation mark.
    let states: Vec<(i64, i64, i64, String)> = sqlx::query_as(
        "select series_id, taken_at, n, state.value from json_each(?) as asked cross join json_each(?) as span
         cross join state on series_id = asked.value and taken_at >= span.value ->> 0 and taken_at < span.value ->> 1
         where state.value not like '\"%'",
    )
    .bind(&series)
    .bind(&spans)
    .fetch_all(&mut *connection)
    .await?;
    for (series, taken_at, n, state) in states {
        if let Some(number) = serde_json::from_str::<Value>(&state).ok().and_then(|value| value.as_number()) {
            each(series, taken_at, n, number);
        }
    }
    Ok(())
}
