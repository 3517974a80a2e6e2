use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use domain::reading::Reading;
use domain::value::Value;
use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteConnection;
use tokio::time::Instant;

use super::last_value::{self, Last};
use super::reading::New;
use super::registry::to_json;
use super::rollup::{self, Level, Sum, Sums};
use crate::store::StoreError;

/// How long roll-ups may be behind: written with each batch they would be most of what is written, a page for each few series.
const LONGEST: Duration = Duration::from_secs(60);
/// Roll-ups that are kept in memory: some five megabytes.
const MOST_SUMS: usize = 50_000;
/// Spans that a query reads from single readings, and a start after a crash goes through.
const MOST_BUCKETS: usize = 64;

/// What readings that are stored come to, as far as it is not stored itself: nothing of it is lost with the process, for the table `due`
/// says in which spans of time to look for it again.
#[derive(Debug, Default)]
pub(super) struct Due {
    sums: Sums,
    last: HashMap<i64, Last>,
    /// What stands in the table.
    buckets: BTreeSet<i64>,
    since: Option<Instant>,
}

impl Due {
    /// Notes, in the transaction that stores them, where new readings lie. Returns what was not noted before.
    pub(super) async fn note(&self, connection: &mut SqliteConnection, new: &[New]) -> Result<BTreeSet<i64>, StoreError> {
        let buckets: BTreeSet<i64> = new.iter().map(bucket).filter(|bucket| !self.buckets.contains(bucket)).collect();
        if !buckets.is_empty() {
            sqlx::query("insert into due (bucket_at) select value from json_each(?) where true on conflict (bucket_at) do nothing")
                .bind(to_json(&buckets)?)
                .execute(connection)
                .await?;
        }
        Ok(buckets)
    }

    /// Takes readings that were stored just now, with what was noted for them.
    pub(super) fn take(&mut self, new: &[New], readings: &[Reading], noted: BTreeSet<i64>) {
        if new.is_empty() {
            return;
        }
        self.since.get_or_insert_with(Instant::now);
        self.buckets.extend(noted);
        for new in new {
            if let Some(number) = new.number {
                let sum = Sum::of(number, new.taken_at, new.n);
                self.sums.entry((bucket(new), new.series)).and_modify(|known| known.add(&sum)).or_insert(sum);
            }
            if self.last.get(&new.series).is_none_or(|known| new.taken_at >= known.taken_at) {
                self.last.insert(new.series, Last::of(&readings[new.idx]));
            }
        }
    }

    /// Whether it is time to store it.
    pub(super) fn is_ripe(&self) -> bool {
        self.sums.len() >= MOST_SUMS || self.buckets.len() >= MOST_BUCKETS || self.since.is_some_and(|since| since.elapsed() >= LONGEST)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.since.is_none()
    }

    /// Stores it. It is up to the caller to forget it after the commit.
    pub(super) async fn write(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        rollup::add(connection, &self.sums).await?;
        last_value::upsert(connection, &self.last).await?;
        clear(connection).await
    }
}

/// Makes up for what a process that was killed, or a transaction without an end, left behind. The caller holds a transaction.
pub(super) async fn recover(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let buckets = list(connection).await?;
    let mut last = HashMap::new();
    for &from in &buckets {
        let to = from.saturating_add(Level::FiveMinutes.len_ms());
        let mut sums: BTreeMap<(i64, i64), Sum> = BTreeMap::new();
        each_reading(connection, (from, to), |series, taken_at, n, value| {
            if let Some(number) = value.as_number() {
                let sum = Sum::of(number, taken_at, n);
                sums.entry((from, series)).and_modify(|known| known.add(&sum)).or_insert(sum);
            }
            let found = last.entry(series).or_insert(((taken_at, n), Value::Bool(false)));
            if (taken_at, n) >= found.0 {
                *found = ((taken_at, n), value);
            }
        })
        .await?;
        rollup::replace(connection, from, &sums).await?;
    }
    let hours: BTreeSet<i64> = buckets.iter().map(|&bucket| rollup::start(bucket, Level::Hour.len_ms())).collect();
    for hour in hours {
        rollup::rebuild_hour(connection, hour).await?;
    }
    let last = last.into_iter().map(|(series, ((taken_at, n), value))| (series, Last::found(value, taken_at, n))).collect();
    last_value::upsert(connection, &last).await?;
    clear(connection).await
}

/// The spans of five minutes, by their start, whose roll-ups lack something.
pub(super) async fn list(connection: &mut SqliteConnection) -> Result<Vec<i64>, StoreError> {
    Ok(sqlx::query_scalar("select bucket_at from due order by bucket_at").fetch_all(connection).await?)
}

async fn clear(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("delete from due").execute(connection).await?;
    Ok(())
}

/// Series, moment, place and value of every reading of a span.
async fn each_reading(
    connection: &mut SqliteConnection,
    (from, to): (i64, i64),
    mut each: impl FnMut(i64, i64, i64, Value),
) -> Result<(), StoreError> {
    let mut numbers = sqlx::query_as("select series_id, taken_at, n, value from reading where taken_at >= ? and taken_at < ?")
        .bind(from)
        .bind(to)
        .fetch(&mut *connection);
    while let Some((series, taken_at, n, number)) = numbers.try_next().await? {
        each(series, taken_at, n, Value::Number(number));
    }
    drop(numbers);
    // In order of series: without naming them the whole table would be read.
    let mut states = sqlx::query_as(
        "select state.series_id, taken_at, n, value from series
         cross join state on state.series_id = series.series_id and taken_at >= ? and taken_at < ?",
    )
    .bind(from)
    .bind(to)
    .fetch(connection);
    while let Some((series, taken_at, n, state)) = states.try_next().await? {
        let state: String = state;
        if let Ok(value) = serde_json::from_str(&state) {
            each(series, taken_at, n, value);
        }
    }
    Ok(())
}

fn bucket(new: &New) -> i64 {
    rollup::start(new.taken_at, Level::FiveMinutes.len_ms())
}
