//! What the readings in blocks come to in each hour: what long spans are answered from.

use std::collections::{BTreeMap, HashMap};

use domain::time::HOUR_MS;
use sqlx::sqlite::SqliteConnection;

use super::registry::to_json;
use crate::store::StoreError;
use crate::store::codec::{self, Point, Sum};

/// Hours of a row: three weeks.
const CHUNK_MS: i64 = 504 * HOUR_MS;

/// What hours of a series gain, by their number since the epoch.
pub(super) type Gains = BTreeMap<i64, Sum>;

/// Adds readings, in order, to what hours gain.
pub(super) fn gain(gains: &mut Gains, points: &[Point]) {
    let hour = |point: &Point| point.taken_at().div_euclid(HOUR_MS);
    for own in points.chunk_by(|a, b| hour(a) == hour(b)) {
        if let Some((first, sum)) = own.first().zip(Sum::all(own)) {
            gains.entry(hour(first)).and_modify(|known| known.add(&sum)).or_insert(sum);
        }
    }
}

/// A row that is to be written.
#[derive(Debug)]
pub(super) struct Row {
    series: i64,
    chunk_at: i64,
    data: Vec<u8>,
    /// Whose place it takes.
    dead: Option<i64>,
}

/// The rows as they are once hours have gained what they gain.
pub(super) async fn changed(reader: &mut SqliteConnection, generation: i64, gains: HashMap<i64, Gains>) -> Result<Vec<Row>, StoreError> {
    let mut chunks: BTreeMap<(i64, i64), Gains> = BTreeMap::new();
    for (series, gains) in gains {
        for (hour, sum) in gains {
            chunks.entry((series, chunk_of(hour * HOUR_MS))).or_default().insert(hour, sum);
        }
    }
    let keys: Vec<(i64, i64)> = chunks.keys().copied().collect();
    let known: Vec<(i64, i64, i64, Vec<u8>)> = sqlx::query_as(
        "select hours_id, series_id, chunk_at, data from json_each(?2) as asked
         cross join hours on series_id = asked.value ->> 0 and chunk_at = asked.value ->> 1
         where born <= ?1 and (died is null or died > ?1)",
    )
    .bind(generation)
    .bind(to_json(&keys)?)
    .fetch_all(reader)
    .await?;
    let mut dead: HashMap<(i64, i64), i64> = HashMap::new();
    for (id, series, chunk_at, data) in known {
        let Some(gains) = chunks.get_mut(&(series, chunk_at)) else { continue };
        dead.insert((series, chunk_at), id);
        for (hour, before) in decode(id, &data)? {
            // In this order, so that of two at the same moment the newer one counts as the later.
            let sum = gains.get(&hour).map_or(before, |gained| {
                let mut sum = before;
                sum.add(gained);
                sum
            });
            gains.insert(hour, sum);
        }
    }
    let mut rows = Vec::with_capacity(chunks.len());
    for ((series, chunk_at), sums) in chunks {
        let sums: Vec<(i64, Sum)> = sums.into_iter().collect();
        rows.push(Row { series, chunk_at, data: codec::encode_sums(&sums), dead: dead.get(&(series, chunk_at)).copied() });
        // One after the other takes long where there are many.
        tokio::task::yield_now().await;
    }
    Ok(rows)
}

/// Writes rows of a generation that is not there yet, and notes which ones end with it.
pub(super) async fn insert(connection: &mut SqliteConnection, generation: i64, rows: &[Row]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut all = vec![];
    let mut places = Vec::with_capacity(rows.len());
    for Row { series, chunk_at, data, .. } in rows {
        // `substr` counts from one.
        places.push((series, chunk_at, all.len() + 1, data.len()));
        all.extend_from_slice(data);
    }
    sqlx::query(
        "insert into hours (series_id, chunk_at, born, data)
         select value ->> 0, value ->> 1, ?1, substr(?2, value ->> 2, value ->> 3) from json_each(?3)",
    )
    .bind(generation)
    .bind(all)
    .bind(to_json(&places)?)
    .execute(&mut *connection)
    .await?;
    let dead: Vec<i64> = rows.iter().filter_map(|row| row.dead).collect();
    sqlx::query("update hours set died = ? where hours_id in (select value from json_each(?))")
        .bind(generation)
        .bind(to_json(&dead)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// The hours of some series that begin in a span, in no order: series, beginning, and what they come to.
pub(super) async fn list(
    connection: &mut SqliteConnection,
    generation: i64,
    series: &[i64],
    (from, to): (i64, i64),
) -> Result<Vec<(i64, i64, Sum)>, StoreError> {
    let rows: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(
        "select hours_id, series_id, data from json_each(?2) as asked
         cross join hours on series_id = asked.value and chunk_at >= ?3 and chunk_at < ?4
         where born <= ?1 and (died is null or died > ?1)",
    )
    .bind(generation)
    .bind(to_json(&series)?)
    .bind(chunk_of(from))
    .bind(to)
    .fetch_all(connection)
    .await?;
    let mut found = vec![];
    for (id, series, data) in rows {
        let inside = |at: i64| from <= at && at < to;
        found.extend(decode(id, &data)?.into_iter().map(|(hour, sum)| (series, hour * HOUR_MS, sum)).filter(|(_, at, _)| inside(*at)));
    }
    Ok(found)
}

/// Rows that are deleted at once.
const CLEARED: i64 = 128;

/// Deletes some rows that died with a generation; how many.
pub(super) async fn clear(connection: &mut SqliteConnection, generation: i64) -> Result<usize, StoreError> {
    let sql = "delete from hours where hours_id in (select hours_id from hours where died is not null and died <= ? limit ?)";
    let done = sqlx::query(sql).bind(generation).bind(CLEARED).execute(connection).await?;
    Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
}

/// Takes back some of what was begun for a generation after the one that is sealed; how much.
pub(super) async fn take_back(connection: &mut SqliteConnection, generation: i64) -> Result<usize, StoreError> {
    let mut n = 0;
    for sql in [
        "delete from hours where hours_id in (select hours_id from hours where born > ? limit ?)",
        "update hours set died = null where hours_id in (select hours_id from hours where died is not null and died > ? limit ?)",
    ] {
        n += sqlx::query(sql).bind(generation).bind(CLEARED).execute(&mut *connection).await?.rows_affected();
    }
    Ok(usize::try_from(n).unwrap_or(usize::MAX))
}

const fn chunk_of(at: i64) -> i64 {
    at.div_euclid(CHUNK_MS) * CHUNK_MS
}

fn decode(id: i64, data: &[u8]) -> Result<Vec<(i64, Sum)>, StoreError> {
    codec::decode_sums(data).map_err(|error| StoreError::Failed(format!("hours {id}: {error}")))
}
