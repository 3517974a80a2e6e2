//! What a day brings.

use domain::time::{DAY_MS, HOUR_MS, Timestamp};
use sqlx::sqlite::SqliteConnection;

use crate::store::StoreError;

/// How long it is remembered.
const KEPT_MS: i64 = 8 * DAY_MS;
/// With less than this nothing is said about a day.
const LEAST_MS: i64 = 3 * HOUR_MS;

/// Notes how many readings were sealed, once with each time.
pub(super) async fn add(connection: &mut SqliteConnection, now: Timestamp, n: usize) -> Result<(), StoreError> {
    let now = now.as_ms();
    sqlx::query(
        "insert into growth (hour_at, ends_at, n) values (?, ?, ?) on conflict (hour_at) do update set ends_at = excluded.ends_at, n = n + excluded.n",
    )
    .bind(now.div_euclid(HOUR_MS) * HOUR_MS)
    .bind(now)
    .bind(i64::try_from(n).unwrap_or(i64::MAX))
    .execute(&mut *connection)
    .await?;
    sqlx::query("delete from growth where hour_at < ?").bind(now.saturating_sub(KEPT_MS)).execute(connection).await?;
    Ok(())
}

/// Begins to count, where nothing was counted yet.
pub(super) async fn begin(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
    let is_counted: bool = sqlx::query_scalar("select exists (select 1 from growth)").fetch_one(&mut *connection).await?;
    if is_counted { Ok(()) } else { add(connection, now, 0).await }
}

/// Readings of a day at the rate of the last one; `None` where too few hours are known. `n_hot` are those that came since the last were sealed.
pub(super) async fn per_day(connection: &mut SqliteConnection, now: Timestamp, n_hot: usize) -> Result<Option<f64>, StoreError> {
    let rows: Vec<(i64, i64)> = sqlx::query_as("select ends_at, n from growth order by hour_at").fetch_all(connection).await?;
    Ok(rate(&rows, now.as_ms(), n_hot))
}

/// From the last time at least a day ago, or the first there is. What was sealed then came before.
fn rate(rows: &[(i64, i64)], now: i64, n_hot: usize) -> Option<f64> {
    let since = rows.partition_point(|(ends_at, _)| *ends_at <= now - DAY_MS).saturating_sub(1);
    let (first, later) = rows.get(since..)?.split_first()?;
    let len_ms = now - first.0;
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let per_ms = (later.iter().map(|(_, n)| n).sum::<i64>() as f64 + n_hot as f64) / len_ms.max(1) as f64;
    #[expect(clippy::cast_precision_loss, reason = "a day")]
    let per_day = per_ms * DAY_MS as f64;
    (len_ms >= LEAST_MS).then_some(per_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_day() {
        let hours = |n: i64| n * HOUR_MS;
        let check = |rows: &[(i64, i64)], now: i64, n_hot: usize, expected: Option<f64>| assert_eq!(rate(rows, now, n_hot), expected, "{rows:?}");
        check(&[], hours(100), 5, None);
        check(&[(hours(99), 7)], hours(100), 5, None);
        check(&[(hours(96), 7)], hours(100), 5, Some(30.0));
        // Busy times that are long gone count no more.
        check(&[(hours(1), 1_000_000), (hours(76), 1_000), (hours(88), 50), (hours(99), 50)], hours(100), 20, Some(120.0));
    }
}
