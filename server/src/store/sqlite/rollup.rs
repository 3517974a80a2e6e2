use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use sqlx::sqlite::SqliteConnection;

use super::reading::Spans;
use super::registry::to_json;
use crate::store::StoreError;

/// A table of roll-ups by the length of its buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// One hour.
    Hour,
    /// Five minutes.
    FiveMinutes,
}

/// All levels, coarsest first. Each length divides the one before.
pub(super) const LEVELS: [Level; 2] = [Level::Hour, Level::FiveMinutes];

/// Larger numbers count as this much in a sum, so that no sum of theirs leaves the range of numbers.
const LARGEST_SUMMAND: f64 = 1e290;

impl Level {
    /// Length of a bucket in milliseconds.
    pub(super) const fn len_ms(self) -> i64 {
        match self {
            Self::Hour => 3_600_000,
            Self::FiveMinutes => 300_000,
        }
    }

    const fn upsert_sql(self) -> &'static str {
        macro_rules! upsert {
            ($table:literal) => {
                concat!(
                    "insert into ",
                    $table,
                    " (bucket_at, series_id, n, total, low, high, last_value, last_at, last_n)
                     select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8
                     from json_each(?) where true
                     on conflict (bucket_at, series_id) do update set
                       n = n + excluded.n, total = total + excluded.total, low = min(low, excluded.low), high = max(high, excluded.high),
                       last_value = iif((excluded.last_at, excluded.last_n) > (last_at, last_n), excluded.last_value, last_value),
                       last_n = iif((excluded.last_at, excluded.last_n) > (last_at, last_n), excluded.last_n, last_n),
                       last_at = max(last_at, excluded.last_at)"
                )
            };
        }
        match self {
            Self::Hour => upsert!("rollup_1h"),
            Self::FiveMinutes => upsert!("rollup_5min"),
        }
    }

    const fn list_sql(self) -> &'static str {
        macro_rules! list {
            ($table:literal) => {
                concat!(
                    "select series_id, bucket_at, n, total, low, high, last_value, last_at, last_n from json_each(?) as span cross join ",
                    $table,
                    " on bucket_at >= span.value ->> 0 and bucket_at < span.value ->> 1 where series_id in (select value from json_each(?))"
                )
            };
        }
        match self {
            Self::Hour => list!("rollup_1h"),
            Self::FiveMinutes => list!("rollup_5min"),
        }
    }
}

/// What some readings of one series come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sum {
    /// How many.
    pub(super) n: i64,
    /// Their sum.
    pub(super) total: f64,
    /// The smallest.
    pub(super) low: f64,
    /// The largest.
    pub(super) high: f64,
    /// The last by `last_at`.
    pub(super) last: f64,
    /// Moment and place of the last.
    pub(super) last_at: (i64, i64),
}

impl Sum {
    /// One reading.
    pub(super) const fn of(number: f64, taken_at: i64, n: i64) -> Self {
        let total = number.clamp(-LARGEST_SUMMAND, LARGEST_SUMMAND);
        Self { n: 1, total, low: number, high: number, last: number, last_at: (taken_at, n) }
    }

    /// Both together, in whatever order they come.
    pub(super) fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.total += other.total;
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
        if other.last_at > self.last_at {
            (self.last, self.last_at) = (other.last, other.last_at);
        }
    }

    /// The mean; rounding never moves it past the smallest or the largest.
    #[expect(clippy::cast_precision_loss, reason = "no bucket holds 2^53 readings")]
    pub(super) fn mean(&self) -> f64 {
        (self.total / self.n as f64).max(self.low).min(self.high)
    }
}

/// What some readings come to, by the start of their five minutes and their series.
pub(super) type Sums = HashMap<(i64, i64), Sum>;

/// Adds what readings of five minutes come to, here and in their hour.
pub(super) async fn add(connection: &mut SqliteConnection, sums: &Sums) -> Result<(), StoreError> {
    let sums: BTreeMap<(i64, i64), Sum> = sums.iter().map(|(key, sum)| (*key, *sum)).collect();
    upsert(connection, Level::FiveMinutes, &sums).await?;
    upsert(connection, Level::Hour, &in_hours(&sums)).await
}

/// Writes five minutes anew.
pub(super) async fn replace(connection: &mut SqliteConnection, bucket: i64, sums: &BTreeMap<(i64, i64), Sum>) -> Result<(), StoreError> {
    sqlx::query("delete from rollup_5min where bucket_at = ?").bind(bucket).execute(&mut *connection).await?;
    upsert(connection, Level::FiveMinutes, sums).await
}

/// Writes an hour anew from its five minutes.
pub(super) async fn rebuild_hour(connection: &mut SqliteConnection, hour: i64) -> Result<(), StoreError> {
    sqlx::query("delete from rollup_1h where bucket_at = ?").bind(hour).execute(&mut *connection).await?;
    let rows: Vec<Row> = sqlx::query_as(
        "select series_id, bucket_at, n, total, low, high, last_value, last_at, last_n from rollup_5min where bucket_at >= ? and bucket_at < ?",
    )
    .bind(hour)
    .bind(hour.saturating_add(Level::Hour.len_ms()))
    .fetch_all(&mut *connection)
    .await?;
    let sums = rows.into_iter().map(sum_of).map(|(series, bucket, sum)| ((bucket, series), sum)).collect();
    upsert(connection, Level::Hour, &in_hours(&sums)).await
}

fn in_hours(sums: &BTreeMap<(i64, i64), Sum>) -> BTreeMap<(i64, i64), Sum> {
    let mut hours: BTreeMap<(i64, i64), Sum> = BTreeMap::new();
    for (&(bucket, series), sum) in sums {
        let hour = start(bucket, Level::Hour.len_ms());
        hours.entry((hour, series)).and_modify(|known| known.add(sum)).or_insert(*sum);
    }
    hours
}

async fn upsert(connection: &mut SqliteConnection, level: Level, sums: &BTreeMap<(i64, i64), Sum>) -> Result<(), StoreError> {
    if sums.is_empty() {
        return Ok(());
    }
    let mut rows = String::with_capacity(sums.len() * 100);
    for ((bucket, series), sum) in sums {
        let comma = if rows.is_empty() { '[' } else { ',' };
        let Sum { n, total, low, high, last, last_at: (last_at, last_n) } = sum;
        write!(rows, "{comma}[{bucket},{series},{n},{total:?},{low:?},{high:?},{last:?},{last_at},{last_n}]")
            .expect("a string takes all that is written to it");
    }
    rows.push(']');
    sqlx::query(level.upsert_sql()).bind(rows).execute(connection).await?;
    Ok(())
}

type Row = (i64, i64, i64, f64, f64, f64, f64, i64, i64);

/// Roll-ups of some series in some spans that begin and end with a bucket, in no order.
pub(super) async fn list(
    connection: &mut SqliteConnection,
    level: Level,
    series: &[i64],
    spans: &Spans,
    mut each: impl FnMut(i64, i64, Sum),
) -> Result<(), StoreError> {
    let rows: Vec<Row> = sqlx::query_as(level.list_sql()).bind(to_json(spans)?).bind(to_json(&series)?).fetch_all(connection).await?;
    for (series, bucket, sum) in rows.into_iter().map(sum_of) {
        each(series, bucket, sum);
    }
    Ok(())
}

fn sum_of((series, bucket, n, total, low, high, last, last_at, last_n): Row) -> (i64, i64, Sum) {
    (series, bucket, Sum { n, total, low, high, last, last_at: (last_at, last_n) })
}

/// The start of the bucket that holds a moment; the ends of time hold.
pub(super) const fn start(at: i64, len_ms: i64) -> i64 {
    at.saturating_sub(at.rem_euclid(len_ms))
}
