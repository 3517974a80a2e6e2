//! A plain table, as one would make it first: `(series, ts, value) without rowid`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use domain::reading::Reading;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

pub(crate) struct Plain {
    connection: SqliteConnection,
}

impl Plain {
    pub(crate) async fn open(path: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
        let mut connection = options.disable_statement_logging().connect().await?;
        sqlx::query(
            "create table if not exists reading (
               series integer not null, ts integer not null, value real not null, primary key (series, ts)
             ) strict, without rowid",
        )
        .execute(&mut connection)
        .await?;
        Ok(Self { connection })
    }

    /// From here on only what is stored counts, not how fast: everything stays in memory and nothing is waited for.
    pub(crate) async fn hurry(&mut self) -> Result<()> {
        sqlx::raw_sql("pragma synchronous = off; pragma cache_size = -800000").execute(&mut self.connection).await?;
        Ok(())
    }

    /// Stores a batch in one statement and one transaction.
    pub(crate) async fn write(&mut self, readings: &[(usize, Reading)]) -> Result<()> {
        let mut rows = String::with_capacity(readings.len() * 32);
        for (series, reading) in readings {
            if let Some(number) = reading.value.as_number() {
                write!(rows, "{}[{series},{},{number:?}]", if rows.is_empty() { '[' } else { ',' }, reading.taken_at.as_ms())?;
            }
        }
        rows.push(']');
        sqlx::query(
            "insert into reading (series, ts, value) select value ->> 0, value ->> 1, value ->> 2 from json_each(?) where true
             on conflict do nothing",
        )
        .bind(rows)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// Minimum, mean and maximum in buckets of one series; how many buckets.
    pub(crate) async fn buckets(&mut self, series: i64, (from, to): (i64, i64), bucket_ms: i64) -> Result<usize> {
        let rows: Vec<(i64, f64, f64, f64)> = sqlx::query_as(
            "select ts / ?1 as bucket, min(value), avg(value), max(value) from reading where series = ?2 and ts >= ?3 and ts < ?4 group by bucket",
        )
        .bind(bucket_ms)
        .bind(series)
        .bind(from)
        .bind(to)
        .fetch_all(&mut self.connection)
        .await?;
        Ok(rows.len())
    }

    /// For how long a switch was on in buckets of one series, a change counting for the bucket it falls into; how many buckets.
    pub(crate) async fn duty(&mut self, series: i64, (from, to): (i64, i64), bucket_ms: i64) -> Result<usize> {
        let rows: Vec<(i64, f64, i64)> = sqlx::query_as(
            "select ts / ?1 as bucket, sum(value * (next - ts)), count(*) from (
               select ts, value, lead(ts, 1, ?4) over (order by ts) as next from reading where series = ?2 and ts >= ?3 and ts < ?4
             ) group by bucket",
        )
        .bind(bucket_ms)
        .bind(series)
        .bind(from)
        .bind(to)
        .fetch_all(&mut self.connection)
        .await?;
        Ok(rows.len())
    }

    pub(crate) async fn close(self) -> Result<()> {
        Ok(self.connection.close().await?)
    }
}
