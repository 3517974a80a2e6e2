//! Blocks: the heads of packed readings, and the readings.

use std::collections::HashMap;

use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::registry::to_json;
use crate::store::StoreError;
use crate::store::codec::Sum;
use crate::store::codec::{self, Point};

/// What is known of a block without reading it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) series: i64,
    /// First moment.
    pub(super) start_at: i64,
    /// What its readings come to.
    pub(super) sum: Sum,
    pub(super) born: i64,
    /// Where the readings are.
    pub(super) data_id: i64,
}

impl Head {
    /// Last moment.
    pub(super) const fn end_at(&self) -> i64 {
        self.sum.last_key >> 1
    }

    /// Whether it is the last of its series, and may be made longer.
    pub(super) const fn is_short(&self) -> bool {
        self.data_id < 0
    }
}

/// A block that is to be written.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) head: Head,
    pub(super) data: Vec<u8>,
}

type Row = (i64, i64, i64, i64, i64, f64, f64, f64, f64, i64);

fn head((series, start_at, born, last_key, n, total, low, high, last, data_id): Row) -> Head {
    Head { series, start_at, sum: Sum { n, total, low, high, last, last_key }, born, data_id }
}

/// What a statement about heads begins with.
macro_rules! heads {
    ($rest:literal) => {
        concat!(
            "select block.series_id, block.start_at, block.born, end_key, n, total, low, high, last_value, data_id from json_each(?2) as asked ",
            $rest
        )
    };
}

/// The heads of blocks of some series that begin in a span, in order of time for each series; with `before`, also the last that begins before it.
pub(super) async fn list(
    connection: &mut SqliteConnection,
    generation: i64,
    series: &[i64],
    (from, to): (i64, i64),
    before: bool,
) -> Result<Vec<Head>, StoreError> {
    let sql = heads!(
        "cross join block on block.series_id = asked.value and block.start_at < ?4 and block.start_at >= coalesce(iif(?5, (
           select earlier.start_at from block as earlier
           where earlier.series_id = asked.value and earlier.start_at <= ?3 and earlier.born <= ?1 and (earlier.died is null or earlier.died > ?1)
           order by earlier.start_at desc limit 1
         ), null), ?3)
         where block.born <= ?1 and (block.died is null or block.died > ?1)"
    );
    let rows: Vec<Row> = sqlx::query_as(sql).bind(generation).bind(to_json(&series)?).bind(from).bind(to).bind(before).fetch_all(connection).await?;
    Ok(rows.into_iter().map(head).collect())
}

/// The block of each series and moment that holds it, or ends before it; moments may repeat.
pub(super) async fn at(connection: &mut SqliteConnection, generation: i64, moments: &[(i64, i64)]) -> Result<Vec<Head>, StoreError> {
    let sql = heads!(
        "cross join block on block.series_id = asked.value ->> 0 and block.start_at = (
           select earlier.start_at from block as earlier
           where earlier.series_id = asked.value ->> 0 and earlier.start_at <= asked.value ->> 1
             and earlier.born <= ?1 and (earlier.died is null or earlier.died > ?1)
           order by earlier.start_at desc limit 1
         )
         where block.born <= ?1 and (block.died is null or block.died > ?1)"
    );
    let rows: Vec<Row> = sqlx::query_as(sql).bind(generation).bind(to_json(&moments)?).fetch_all(connection).await?;
    Ok(rows.into_iter().map(head).collect())
}

/// The heads of some blocks by series and first moment, in this order; each of them is there.
pub(super) async fn known(connection: &mut SqliteConnection, generation: i64, starts: &[(i64, i64)]) -> Result<Vec<Head>, StoreError> {
    let sql = heads!(
        "cross join block on block.series_id = asked.value ->> 0 and block.start_at = asked.value ->> 1
         where block.born <= ?1 and (block.died is null or block.died > ?1)"
    );
    let rows: Vec<Row> = sqlx::query_as(sql).bind(generation).bind(to_json(&starts)?).fetch_all(connection).await?;
    if rows.len() != starts.len() {
        return Err(StoreError::Failed(format!("{} of {} blocks are there", rows.len(), starts.len())));
    }
    Ok(rows.into_iter().map(head).collect())
}

/// The heads of the first blocks of a series that begin in a span, at most `limit`.
pub(super) async fn first(
    connection: &mut SqliteConnection,
    generation: i64,
    series: i64,
    (from, to): (i64, i64),
    limit: i64,
) -> Result<Vec<Head>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "select series_id, start_at, born, end_key, n, total, low, high, last_value, data_id from block
         where series_id = ?2 and start_at >= ?3 and start_at < ?4 and born <= ?1 and (died is null or died > ?1) order by start_at limit ?5",
    )
    .bind(generation)
    .bind(series)
    .bind(from)
    .bind(to)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(head).collect())
}

/// The readings of some blocks, by `data_id`.
pub(super) async fn read(connection: &mut SqliteConnection, ids: &[i64]) -> Result<HashMap<i64, Vec<Point>>, StoreError> {
    let all = read_packed(connection, ids).await?;
    ids.iter().map(|id| Ok((*id, codec::decode(all.get(*id)?).map_err(|error| damaged(*id, &error))?))).collect()
}

/// The readings of a block.
pub(super) async fn read_one(connection: &mut SqliteConnection, id: i64) -> Result<Vec<Point>, StoreError> {
    codec::decode(read_packed(connection, &[id]).await?.get(id)?).map_err(|error| damaged(id, &error))
}

/// The readings of some blocks as they are packed.
#[derive(Default)]
pub(super) struct AllPacked {
    rows: Vec<SqliteRow>,
    /// Where each is: the row, and the column.
    places: HashMap<i64, (usize, usize)>,
}

impl AllPacked {
    /// Those of one block.
    pub(super) fn get(&self, id: i64) -> Result<&[u8], StoreError> {
        let missing = || StoreError::Failed(format!("block {id} is missing"));
        let (row, column) = self.places.get(&id).ok_or_else(missing)?;
        let row = self.rows.get(*row).ok_or_else(missing)?;
        row.try_get::<Option<&[u8]>, _>(*column)?.ok_or_else(missing)
    }
}

/// What reads the blocks of so many numbers into as many columns of one row.
macro_rules! columns {
    ($first:literal $($n:literal)*) => {
        concat!(
            "select (select data from block_data where data_id = ?", $first, ") as data",
            $(", (select data from block_data where data_id = ?", $n, ")",)*
        )
    };
}

/// Statements for few blocks and for many, with the number of their columns; what is not asked for is null.
const STATEMENTS: [(usize, &str); 3] = [
    (1, columns!(1)),
    (6, columns!(1 2 3 4 5 6)),
    (32, columns!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)),
];
/// Blocks of a row at most.
const MOST_OF_A_ROW: usize = 32;

/// The same as [`read`], packed. Many come as one row, side by side: each row that SQLite hands to another thread costs more than to find a block.
pub(super) async fn read_packed(connection: &mut SqliteConnection, ids: &[i64]) -> Result<AllPacked, StoreError> {
    let mut all = AllPacked::default();
    for ids in ids.chunks(MOST_OF_A_ROW) {
        let (n, sql) = STATEMENTS.into_iter().find(|(n, _)| *n >= ids.len()).unwrap_or(STATEMENTS[2]);
        let mut query = sqlx::query(sql);
        for place in 0..n {
            query = query.bind(ids.get(place).copied());
        }
        let row = query.fetch_one(&mut *connection).await?;
        all.places.extend(ids.iter().enumerate().map(|(column, id)| (*id, (all.rows.len(), column))));
        all.rows.push(row);
    }
    Ok(all)
}

/// What is wrong with a block.
pub(super) fn damaged(id: i64, error: &codec::CodecError) -> StoreError {
    StoreError::Failed(format!("block {id}: {error}"))
}

/// Writes blocks of a generation that is not there yet, and notes which ones end with it.
pub(super) async fn insert(connection: &mut SqliteConnection, generation: i64, packed: &[Packed], dead: &[Head]) -> Result<(), StoreError> {
    let mut all = vec![];
    let mut places = Vec::with_capacity(packed.len());
    let mut heads = Vec::with_capacity(packed.len());
    for Packed { head, data } in packed {
        // `substr` counts from one.
        places.push((head.data_id, all.len() + 1, data.len()));
        all.extend_from_slice(data);
        let Head { series, start_at, sum, data_id, .. } = head;
        heads.push((series, start_at, sum.last_key, sum.n, sum.total, sum.low, sum.high, sum.last, data_id));
    }
    sqlx::query("insert or replace into block_data (data_id, data) select value ->> 0, substr(?1, value ->> 1, value ->> 2) from json_each(?2)")
        .bind(all)
        .bind(to_json(&places)?)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "insert into block (series_id, start_at, born, end_key, n, total, low, high, last_value, data_id)
         select value ->> 0, value ->> 1, ?1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8
         from json_each(?2)",
    )
    .bind(generation)
    .bind(to_json(&heads)?)
    .execute(&mut *connection)
    .await?;
    super::runs::insert(connection, packed).await?;
    let keys: Vec<(i64, i64, i64)> = dead.iter().map(|head| (head.series, head.start_at, head.born)).collect();
    if !keys.is_empty() {
        sqlx::query(
            "update block set died = ?1 from json_each(?2) as asked
             where series_id = asked.value ->> 0 and start_at = asked.value ->> 1 and born = asked.value ->> 2",
        )
        .bind(generation)
        .bind(to_json(&keys)?)
        .execute(connection)
        .await?;
    }
    Ok(())
}

/// The largest number of a block's readings.
pub(super) async fn last_data_id(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let last: Option<i64> = sqlx::query_scalar("select max(data_id) from block_data").fetch_one(connection).await?;
    Ok(last.unwrap_or(0).max(0))
}

/// A number for the readings of a short last block that no other block has, not even one that is dead and still to be cleared away.
pub(super) async fn spare_data_id(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    // Far below the two places that each series has for it.
    const BELOW: i64 = -(1 << 40);
    let first: Option<i64> = sqlx::query_scalar("select min(data_id) from block_data").fetch_one(connection).await?;
    Ok(first.unwrap_or(0).min(BELOW) - 1)
}

/// Blocks that are deleted at once.
const CLEARED: i64 = 128;

/// Deletes some blocks that died with a generation; how many.
pub(super) async fn clear(connection: &mut SqliteConnection, generation: i64) -> Result<usize, StoreError> {
    let dead: Vec<(i64, i64, i64, i64)> =
        sqlx::query_as("select series_id, start_at, born, data_id from block where died is not null and died <= ? limit ?")
            .bind(generation)
            .bind(CLEARED)
            .fetch_all(&mut *connection)
            .await?;
    delete(connection, &dead).await
}

/// Takes back some of what was begun for a generation after the one that is sealed; how much.
pub(super) async fn take_back(connection: &mut SqliteConnection, generation: i64) -> Result<usize, StoreError> {
    let unborn: Vec<(i64, i64, i64, i64)> = sqlx::query_as("select series_id, start_at, born, data_id from block where born > ? limit ?")
        .bind(generation)
        .bind(CLEARED)
        .fetch_all(&mut *connection)
        .await?;
    let n = delete(connection, &unborn).await?;
    if n > 0 {
        return Ok(n);
    }
    let undead: Vec<(i64, i64, i64)> = sqlx::query_as("select series_id, start_at, born from block where died is not null and died > ? limit ?")
        .bind(generation)
        .bind(CLEARED)
        .fetch_all(&mut *connection)
        .await?;
    if !undead.is_empty() {
        sqlx::query(
            "update block set died = null from json_each(?) as asked
             where series_id = asked.value ->> 0 and start_at = asked.value ->> 1 and born = asked.value ->> 2",
        )
        .bind(to_json(&undead)?)
        .execute(connection)
        .await?;
    }
    Ok(undead.len())
}

async fn delete(connection: &mut SqliteConnection, blocks: &[(i64, i64, i64, i64)]) -> Result<usize, StoreError> {
    if blocks.is_empty() {
        return Ok(0);
    }
    let blocks_json = to_json(&blocks)?;
    sqlx::query("delete from block_data where data_id in (select value ->> 3 from json_each(?))")
        .bind(&blocks_json)
        .execute(&mut *connection)
        .await?;
    sqlx::query("delete from block where (series_id, start_at, born) in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?))")
        .bind(&blocks_json)
        .execute(connection)
        .await?;
    Ok(blocks.len())
}
