//! Where blocks lie in time, without what they come to.

use std::str::FromStr;

use sqlx::sqlite::SqliteConnection;

use super::registry::to_json;
use crate::store::StoreError;

/// From where to where a block reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) series: i64,
    /// First moment.
    pub(super) start_at: i64,
    /// [`crate::store::codec::Point::key`] of the last reading.
    pub(super) last_key: i64,
    /// How many readings.
    pub(super) n: i64,
    /// Where the readings are.
    pub(super) data_id: i64,
}

impl Extent {
    /// Last moment.
    pub(super) const fn end_at(&self) -> i64 {
        self.last_key >> 1
    }
}

/// Columns as text, with commas between.
type Row = (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);

/// The extents of blocks of some series that begin in a span; with `before`, also of the last that begins before it. In order of series and time.
///
/// They come as one row: each value that SQLite hands to another thread costs more than to find a block, and a year has some hundred of them.
pub(super) async fn list(
    connection: &mut SqliteConnection,
    generation: i64,
    series: &[i64],
    (from, to): (i64, i64),
    before: bool,
) -> Result<Vec<Extent>, StoreError> {
    let row: Row = sqlx::query_as(
        "select group_concat(block.series_id), group_concat(block.start_at), group_concat(end_key), group_concat(n), group_concat(data_id)
         from json_each(?2) as asked cross join block on block.series_id = asked.value and block.start_at < ?4
           and block.start_at >= coalesce(iif(?5, (
             select earlier.start_at from block as earlier
             where earlier.series_id = asked.value and earlier.start_at <= ?3 and earlier.born <= ?1 and (earlier.died is null or earlier.died > ?1)
             order by earlier.start_at desc limit 1
           ), null), ?3)
         where block.born <= ?1 and (block.died is null or block.died > ?1)",
    )
    .bind(generation)
    .bind(to_json(&series)?)
    .bind(from)
    .bind(to)
    .bind(before)
    .fetch_one(connection)
    .await?;
    let (Some(series), Some(starts), Some(ends), Some(ns), Some(ids)) = row else { return Ok(vec![]) };
    let [series, mut starts, mut ends, mut ns, mut ids] = [&series, &starts, &ends, &ns, &ids].map(|text| text.split(','));
    let mut extents = vec![];
    for first in series {
        let extent = Extent {
            series: integer(Some(first))?,
            start_at: integer(starts.next())?,
            last_key: integer(ends.next())?,
            n: integer(ns.next())?,
            data_id: integer(ids.next())?,
        };
        extents.push(extent);
    }
    extents.sort_unstable_by_key(|extent| (extent.series, extent.start_at));
    Ok(extents)
}

/// An integer that SQLite wrote as text.
pub(super) fn integer<T: FromStr<Err = std::num::ParseIntError>>(text: Option<&str>) -> Result<T, StoreError> {
    let text = text.unwrap_or_default();
    text.parse().map_err(|error| StoreError::Failed(format!("\"{text}\" of a block is no integer: {error}")))
}
