//! What readings come to in each hour: what long spans are answered from. And in each minute, of those that are not kept any more.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::time::{HOUR_MS, MINUTE_MS};
use sqlx::sqlite::SqliteConnection;

use super::registry::to_json;
use crate::store::StoreError;
use crate::store::codec::{self, Point, Sum};

/// What readings are summed up by; each has a table of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// All that is in blocks but for short last ones, and all that was in blocks.
    Hour,
    /// What is in no block any more.
    Minute,
}

impl Span {
    /// Its length in milliseconds.
    pub(super) const fn ms(self) -> i64 {
        match self {
            Self::Hour => HOUR_MS,
            Self::Minute => MINUTE_MS,
        }
    }

    /// Length of a row: three weeks of hours, half a day of minutes.
    pub(super) const fn chunk_ms(self) -> i64 {
        match self {
            Self::Hour => 504 * HOUR_MS,
            Self::Minute => 720 * MINUTE_MS,
        }
    }
}

/// A statement about the table of a span.
macro_rules! sql {
    ($span:expr, $first:literal $(, $next:literal)*) => {
        match $span {
            Span::Hour => concat!($first $(, "hours", $next)*),
            Span::Minute => concat!($first $(, "minutes", $next)*),
        }
    };
}

/// What spans of a series gain, by their number since the epoch.
pub(super) type Gains = BTreeMap<i64, Sum>;

/// Adds readings, in order, to what spans gain.
pub(super) fn gain(span: Span, gains: &mut Gains, points: &[Point]) {
    let hour = |point: &Point| point.taken_at().div_euclid(span.ms());
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

/// The rows as they are once spans have gained what they gain.
pub(super) async fn changed(reader: &mut SqliteConnection, generation: i64, span: Span, gains: HashMap<i64, Gains>) -> Result<Vec<Row>, StoreError> {
    let mut chunks: BTreeMap<(i64, i64), Gains> = BTreeMap::new();
    for (series, gains) in gains {
        for (hour, sum) in gains {
            chunks.entry((series, chunk_of(span, hour * span.ms()))).or_default().insert(hour, sum);
        }
    }
    let keys: Vec<(i64, i64)> = chunks.keys().copied().collect();
    let known: Vec<(i64, i64, i64, Vec<u8>)> = sqlx::query_as(sql!(
        span,
        "select tier.rowid, series_id, chunk_at, data from json_each(?2) as asked cross join ",
        " as tier on series_id = asked.value ->> 0 and chunk_at = asked.value ->> 1 where born <= ?1 and (died is null or died > ?1)"
    ))
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

/// The row of an hour of a series once its readings come to `sum`; `None` where there is no such row.
pub(super) async fn replaced(
    reader: &mut SqliteConnection,
    generation: i64,
    series: i64,
    at: i64,
    sum: Option<Sum>,
) -> Result<Option<Row>, StoreError> {
    let chunk_at = chunk_of(Span::Hour, at);
    let known: Option<(i64, Vec<u8>)> =
        sqlx::query_as("select hours_id, data from hours where series_id = ?2 and chunk_at = ?3 and born <= ?1 and (died is null or died > ?1)")
            .bind(generation)
            .bind(series)
            .bind(chunk_at)
            .fetch_optional(reader)
            .await?;
    let Some((id, data)) = known else { return Ok(None) };
    let hour = at.div_euclid(HOUR_MS);
    let mut sums: Gains = decode(id, &data)?.into_iter().filter(|(known, _)| *known != hour).collect();
    sums.extend(sum.map(|sum| (hour, sum)));
    let sums: Vec<(i64, Sum)> = sums.into_iter().collect();
    Ok(Some(Row { series, chunk_at, data: codec::encode_sums(&sums), dead: Some(id) }))
}

/// Writes rows of a generation that is not there yet, and notes which ones end with it.
pub(super) async fn insert(connection: &mut SqliteConnection, generation: i64, span: Span, rows: &[Row]) -> Result<(), StoreError> {
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
    sqlx::query(sql!(
        span,
        "insert into ",
        " (series_id, chunk_at, born, data) select value ->> 0, value ->> 1, ?1, substr(?2, value ->> 2, value ->> 3) from json_each(?3)"
    ))
    .bind(generation)
    .bind(all)
    .bind(to_json(&places)?)
    .execute(&mut *connection)
    .await?;
    let dead: Vec<i64> = rows.iter().filter_map(|row| row.dead).collect();
    end(connection, generation, span, &dead).await
}

/// Notes which rows end with a generation.
pub(super) async fn end(connection: &mut SqliteConnection, generation: i64, span: Span, rows: &[i64]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(sql!(span, "update ", " set died = ? where rowid in (select value from json_each(?))"))
        .bind(generation)
        .bind(to_json(&rows)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// The rows of a series that end no later than a moment, oldest first, at most `limit`.
pub(super) async fn ending_before(
    connection: &mut SqliteConnection,
    generation: i64,
    span: Span,
    series: i64,
    end: i64,
    limit: i64,
) -> Result<Vec<i64>, StoreError> {
    let sql = sql!(
        span,
        "select rowid from ",
        " where series_id = ?2 and chunk_at <= ?3 and born <= ?1 and (died is null or died > ?1) order by chunk_at limit ?4"
    );
    let rows = sqlx::query_scalar(sql).bind(generation).bind(series).bind(end.saturating_sub(span.chunk_ms())).bind(limit);
    Ok(rows.fetch_all(connection).await?)
}

/// What some series come to in the spans of a length that begin in a range, in no order: series, beginning, and sum.
pub(super) async fn list(
    connection: &mut SqliteConnection,
    generation: i64,
    span: Span,
    series: &[i64],
    (from, to): (i64, i64),
) -> Result<Vec<(i64, i64, Sum)>, StoreError> {
    let rows: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(sql!(
        span,
        "select tier.rowid, series_id, data from json_each(?2) as asked cross join ",
        " as tier on series_id = asked.value and chunk_at >= ?3 and chunk_at < ?4 where born <= ?1 and (died is null or died > ?1)"
    ))
    .bind(generation)
    .bind(to_json(&series)?)
    .bind(chunk_of(span, from))
    .bind(to)
    .fetch_all(connection)
    .await?;
    let mut found = vec![];
    for (id, series, data) in rows {
        let inside = |at: i64| from <= at && at < to;
        found.extend(decode(id, &data)?.into_iter().map(|(nth, sum)| (series, nth * span.ms(), sum)).filter(|(_, at, _)| inside(*at)));
    }
    Ok(found)
}

/// Whether a series has anything in the spans of a length that begin in a range.
pub(super) async fn is_any(
    connection: &mut SqliteConnection,
    generation: i64,
    span: Span,
    series: i64,
    (from, to): (i64, i64),
) -> Result<bool, StoreError> {
    if from >= to {
        return Ok(false);
    }
    // No row is empty: only those at the edges have to be read.
    let (first, end) = (chunk_of(span, from), chunk_of(span, to));
    let sql = sql!(
        span,
        "select exists (select 1 from ",
        " where series_id = ?2 and chunk_at >= ?3 and chunk_at < ?4 and born <= ?1 and (died is null or died > ?1))"
    );
    let is_within: bool = sqlx::query_scalar(sql)
        .bind(generation)
        .bind(series)
        .bind(first.saturating_add(if first < from { span.chunk_ms() } else { 0 }))
        .bind(end)
        .fetch_one(&mut *connection)
        .await?;
    if is_within {
        return Ok(true);
    }
    for edge in [(from, to.min(first.saturating_add(span.chunk_ms()))), (from.max(end), to)] {
        if edge.0 < edge.1 && !list(connection, generation, span, &[series], edge).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What there is in the spans that hold some moments of series: the key of the last reading there.
pub(super) async fn last_keys(
    connection: &mut SqliteConnection,
    generation: i64,
    span: Span,
    moments: &[(i64, i64)],
) -> Result<HashMap<(i64, i64), i64>, StoreError> {
    if moments.is_empty() {
        return Ok(HashMap::new());
    }
    let keys: HashSet<(i64, i64)> = moments.iter().map(|(series, at)| (*series, chunk_of(span, *at))).collect();
    let rows: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(sql!(
        span,
        "select tier.rowid, series_id, data from json_each(?2) as asked cross join ",
        " as tier on series_id = asked.value ->> 0 and chunk_at = asked.value ->> 1 where born <= ?1 and (died is null or died > ?1)"
    ))
    .bind(generation)
    .bind(to_json(&keys)?)
    .fetch_all(connection)
    .await?;
    let mut last: HashMap<(i64, i64), i64> = HashMap::new();
    for (id, series, data) in rows {
        last.extend(decode(id, &data)?.into_iter().map(|(nth, sum)| ((series, nth), sum.last_key)));
    }
    Ok(moments.iter().filter_map(|(series, at)| Some(((*series, *at), *last.get(&(*series, at.div_euclid(span.ms())))?))).collect())
}

/// Rows that are deleted at once.
const CLEARED: i64 = 128;

/// Deletes some rows that died with a generation; how many.
pub(super) async fn clear(connection: &mut SqliteConnection, generation: i64, span: Span) -> Result<usize, StoreError> {
    let sql = sql!(span, "delete from ", " where rowid in (select rowid from ", " where died is not null and died <= ? limit ?)");
    let done = sqlx::query(sql).bind(generation).bind(CLEARED).execute(connection).await?;
    Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
}

/// Takes back some of what was begun for a generation after the one that is sealed; how much.
pub(super) async fn take_back(connection: &mut SqliteConnection, generation: i64, span: Span) -> Result<usize, StoreError> {
    let mut n = 0;
    for sql in [
        sql!(span, "delete from ", " where rowid in (select rowid from ", " where born > ? limit ?)"),
        sql!(span, "update ", " set died = null where rowid in (select rowid from ", " where died is not null and died > ? limit ?)"),
    ] {
        n += sqlx::query(sql).bind(generation).bind(CLEARED).execute(&mut *connection).await?.rows_affected();
    }
    Ok(usize::try_from(n).unwrap_or(usize::MAX))
}

const fn chunk_of(span: Span, at: i64) -> i64 {
    at.div_euclid(span.chunk_ms()) * span.chunk_ms()
}

fn decode(id: i64, data: &[u8]) -> Result<Vec<(i64, Sum)>, StoreError> {
    codec::decode_sums(data).map_err(|error| StoreError::Failed(format!("sums {id}: {error}")))
}
