//! Readings that somebody takes out of history: the block that holds them is made anew without them, so that whoever asks never has to know.

use std::collections::HashSet;

use domain::entity::EntityId;
use domain::excluded::Excluded as Listed;
use domain::history::Range;
use domain::reading::Reading;
use domain::time::{HOUR_MS, Timestamp};
use domain::value::Value;
use sqlx::sqlite::SqliteConnection;

use super::block::{self, Head, Packed};
use super::buckets::within;
use super::floor::Floor;
use super::hot::{Hot, Tables};
use super::hours::{self, Span};
use super::journal::{self, Entry, Kind};
use super::registry::to_json;
use super::seal::Change;
use super::sealed;
use crate::store::StoreError;
use crate::store::activity::Activity;
use crate::store::codec::{self, Point, Sum};

/// Which readings are taken out, by series and [`Point::key`]: those come to nothing when they are delivered again.
#[derive(Debug, Default)]
pub(super) struct Excluded {
    keys: HashSet<(i64, i64)>,
}

impl Excluded {
    /// What the database says.
    pub(super) async fn load(connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        let rows: Vec<(i64, i64, i64)> = sqlx::query_as("select series_id, taken_at, n from excluded").fetch_all(connection).await?;
        Ok(Self { keys: rows.into_iter().map(|(series, taken_at, n)| (series, Point::new(taken_at, n == 0, 0.0).key())).collect() })
    }

    /// Whether a reading is taken out.
    pub(super) fn contains(&self, series: i64, key: i64) -> bool {
        self.keys.contains(&(series, key))
    }

    /// What was taken out just now.
    pub(super) fn take(&mut self, taken: &TakenOut) {
        let key = |(n, ..): &Row| Point::new(taken.taken_at, *n == 0, 0.0).key();
        self.keys.extend(taken.rows.iter().map(|row| (taken.series, key(row))));
    }

    /// All of a moment are taken back.
    pub(super) fn forget(&mut self, series: i64, taken_at: i64) {
        for device_time in [true, false] {
            self.keys.remove(&(series, Point::new(taken_at, device_time, 0.0).key()));
        }
    }
}

/// The readings of one moment of a series that are in a block, and what becomes of history without them.
#[derive(Debug)]
pub(super) struct Exclusion {
    series: i64,
    taken_at: i64,
    sealed: Vec<Point>,
    /// The block that holds them, made anew, and its hour.
    pub(super) change: Option<Change>,
}

/// What was taken out.
#[derive(Debug)]
pub(super) struct TakenOut {
    series: i64,
    taken_at: i64,
    rows: Vec<Row>,
    /// What memory is to give up, and the row of the journal that says so.
    pub(super) hot: (Vec<Entry>, i64),
    /// Another generation says what is in blocks.
    pub(super) is_remade: bool,
}

/// A reading: its place within the moment, its number, and its state as JSON.
type Row = (i64, Option<f64>, Option<String>);

/// Prepares to take out a moment; `None` where no single readings are kept. Blocks must not change until it is written; what is in none of them may.
pub(super) async fn find(reader: &mut SqliteConnection, hot: &Hot, series: i64, taken_at: i64) -> Result<Option<Exclusion>, StoreError> {
    let moment = (taken_at, taken_at.saturating_add(1));
    let view = hot.view(&[series]);
    if Floor::of(&view.floors, series).span(taken_at).is_some() {
        // Of that time only minutes or hours are told: no single reading is there to be taken out.
        return Ok(None);
    }
    let head = block::at(reader, view.generation, &[(series, taken_at)]).await?.pop().filter(|head| head.end_at() >= taken_at);
    let mut sealed: Vec<Point> = vec![];
    let mut change = None;
    if let Some(head) = head {
        let all = block::read_one(reader, head.data_id).await?;
        sealed.extend_from_slice(within(moment, &all));
        if !sealed.is_empty() {
            let left: Vec<Point> = all.into_iter().filter(|point| point.taken_at() != taken_at).collect();
            change = Some(without(reader, view.generation, &head, &left, taken_at).await?);
        }
    }
    Ok(Some(Exclusion { series, taken_at, sealed, change }))
}

/// The blocks and hours of a series once `left` is all that remains of a block.
async fn without(reader: &mut SqliteConnection, generation: i64, head: &Head, left: &[Point], taken_at: i64) -> Result<Change, StoreError> {
    let mut change = Change { dead: vec![*head], ..Change::default() };
    if let (Some(first), Some(sum)) = (left.first(), Sum::all(left)) {
        // Nothing is being sealed, so that no number is given away twice.
        let data_id = if head.is_short() { block::spare_data_id(reader).await? } else { block::last_data_id(reader).await? + 1 };
        let head = Head { start_at: first.taken_at(), sum, born: generation + 1, data_id, ..*head };
        change.packed.push(Packed { head, data: codec::encode(left) });
    }
    if !head.is_short() {
        let hour = taken_at.div_euclid(HOUR_MS) * HOUR_MS;
        let span = (hour, hour + HOUR_MS);
        // The hour may have begun where readings are not kept any more.
        let mut minutes = hours::list(reader, generation, Span::Minute, &[head.series], span).await?;
        minutes.sort_by_key(|(_, at, _)| *at);
        let mut own = vec![];
        for other in block::list(reader, generation, &[head.series], span, true).await? {
            if other.is_short() || other.end_at() < span.0 {
                continue;
            }
            if other.data_id == head.data_id {
                own.extend_from_slice(within(span, left));
            } else {
                let points = block::read_one(reader, other.data_id).await?;
                own.extend_from_slice(within(span, &points));
            }
        }
        let parts = minutes.into_iter().map(|(.., sum)| sum).chain(Sum::all(&own));
        let sum = parts.reduce(|mut all, next| {
            all.add(&next);
            all
        });
        change.hours.extend(hours::replaced(reader, generation, head.series, hour, sum).await?);
    }
    Ok(change)
}

/// Numbers and states of one moment, each reading once. Both are in the order of their arrival.
fn rows(numbers: &[Point], states: Vec<(i64, String)>) -> Vec<Row> {
    let mut n_arrived = 0;
    let mut rows: Vec<Row> = vec![];
    for point in numbers {
        let n = if point.is_device_time() {
            0
        } else {
            n_arrived += 1;
            n_arrived
        };
        rows.push((n, Some(point.value), None));
    }
    for (n, state) in states {
        match rows.iter_mut().find(|row| row.0 == n) {
            Some(row) => row.2 = Some(state),
            None => rows.push((n, None, Some(state))),
        }
    }
    rows
}

/// Takes out all readings of the moment: those of the block, and whatever else is stored by now. The blocks of the next generation are written already.
/// `None` where there is no such reading.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    hot: &Hot,
    exclusion: &Exclusion,
    entry: &Activity,
) -> Result<Option<TakenOut>, StoreError> {
    let Exclusion { series, taken_at, sealed, change } = exclusion;
    let moment = (*taken_at, taken_at.saturating_add(1));
    let in_memory: Vec<Point> = hot.view(&[*series]).points(*series).flat_map(|points| within(moment, points)).copied().collect();
    let states: Vec<(i64, String)> = sqlx::query_as("select n, value from state where series_id = ? and taken_at = ? order by n")
        .bind(series)
        .bind(taken_at)
        .fetch_all(&mut *connection)
        .await?;
    // In the order of the moment: a block and memory may both hold some of it.
    let mut numbers = [&sealed[..], &in_memory].concat();
    numbers.sort_by_key(Point::key);
    let rows = rows(&numbers, states);
    if rows.is_empty() {
        return Ok(None);
    }
    if let Some(entity) = entry.entity.as_ref().filter(|_| rows.iter().any(|row| value(row.clone()).is_none())) {
        // Nobody could be told what it was, nor take it back.
        return Err(StoreError::Unreadable { entity: entity.clone(), at: Timestamp::from_ms(*taken_at) });
    }
    if change.is_some() {
        let (_, sealed_seq) = sealed::get(connection).await?;
        sealed::set(connection, hot.ask(Tables::generation) + 1, sealed_seq).await?;
    }
    let gone: Vec<Entry> = in_memory.into_iter().map(|point| (*series, point)).collect();
    let seq = journal::append(connection, hot.ask(Tables::seq), Kind::TakenOut, &gone).await?;
    sqlx::query("delete from state where series_id = ? and taken_at = ?").bind(series).bind(taken_at).execute(&mut *connection).await?;
    // Some of the moment may have been taken out before: those of now came after them.
    let before: i64 = sqlx::query_scalar("select coalesce(max(n), 0) from excluded where series_id = ? and taken_at = ?")
        .bind(series)
        .bind(taken_at)
        .fetch_one(&mut *connection)
        .await?;
    for (n, number, state) in &rows {
        // Few, and bound as they are: a number keeps its bits.
        sqlx::query("insert into excluded (series_id, taken_at, n, number, state, excluded_at, who) values (?, ?, ?, ?, ?, ?, ?)")
            .bind(series)
            .bind(taken_at)
            .bind(if *n == 0 { 0 } else { before + n })
            .bind(number)
            .bind(state)
            .bind(entry.at.as_ms())
            .bind(&entry.who.name)
            .execute(&mut *connection)
            .await?;
    }
    super::activity::insert(connection, entry).await?;
    Ok(Some(TakenOut { series: *series, taken_at: *taken_at, rows, hot: (gone, seq), is_remade: change.is_some() }))
}

/// Gives up what was taken out of a moment; returns the readings that are to be stored again. An error takes nothing back.
pub(super) async fn give_back(connection: &mut SqliteConnection, entity: &EntityId, series: i64, taken_at: i64) -> Result<Vec<Reading>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as("select n, number, state from excluded where series_id = ? and taken_at = ? order by n")
        .bind(series)
        .bind(taken_at)
        .fetch_all(&mut *connection)
        .await?;
    sqlx::query("delete from excluded where series_id = ? and taken_at = ?").bind(series).bind(taken_at).execute(connection).await?;
    let at = Timestamp::from_ms(taken_at);
    let reading = |row: Row| {
        let device_time = row.0 == 0;
        // Whatever it is, it is all there is of it: one that is left out here would be gone for good.
        let value = value(row).ok_or_else(|| StoreError::Unreadable { entity: entity.clone(), at })?;
        Ok(Reading { entity: entity.clone(), value, taken_at: at, received_at: at, device_time })
    };
    rows.into_iter().map(reading).collect()
}

/// What is taken out of the history of some series in a range, newest first.
pub(super) async fn list(connection: &mut SqliteConnection, entities: &[EntityId], range: Range, limit: usize) -> Result<Vec<Listed>, StoreError> {
    type Found = (String, i64, i64, Option<f64>, Option<String>, i64, String);
    let rows: Vec<Found> = sqlx::query_as(
        "select series.entity_id, taken_at, n, number, state, excluded_at, who
         from json_each(?) as asked
         cross join series on series.entity_id = asked.value
         cross join excluded on excluded.series_id = series.series_id and taken_at >= ? and taken_at < ?
         order by taken_at desc, series.entity_id, n limit ?",
    )
    .bind(to_json(&entities)?)
    .bind(range.from.as_ms())
    .bind(range.to.as_ms())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let listed = |(entity, taken_at, n, number, state, at, who): Found| {
        Some(Listed {
            entity: EntityId::parse(&entity).ok()?,
            t: Timestamp::from_ms(taken_at),
            v: value((n, number, state))?,
            who,
            at: Timestamp::from_ms(at),
        })
    };
    Ok(rows.into_iter().filter_map(listed).collect())
}

impl TakenOut {
    /// What was taken out, in the order of the moment.
    pub(super) fn list(&self, entity: &EntityId, entry: &Activity) -> Vec<Listed> {
        let listed = |row: &Row| {
            let v = value(row.clone())?;
            Some(Listed { entity: entity.clone(), t: Timestamp::from_ms(self.taken_at), v, who: entry.who.name.clone(), at: entry.at })
        };
        self.rows.iter().filter_map(listed).collect()
    }
}

/// What a row said; `None` for a state of another release, which this one cannot read.
fn value((_, number, state): Row) -> Option<Value> {
    match state {
        Some(state) => serde_json::from_str(&state).ok(),
        None => number.map(Value::Number),
    }
}
