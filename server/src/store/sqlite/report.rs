//! What is kept now, and how far back it will reach.

use domain::time::{DAY_MS, Timestamp};
use sqlx::sqlite::SqliteConnection;

use super::budget::{self, Budget, PAGE_BYTES};
use super::growth;
use super::hot::{Hot, Tables};
use super::plan;
use crate::store::retention::{Kept, Retention, Tier};
use crate::store::{Sizes, StoreError};

/// Newest rows that are looked at to tell what one takes.
const SAMPLE: i64 = 200;
/// Bytes of a block and of a row of minutes or hours beside what is packed: heads, indices, room that is left in pages.
const BESIDE: [f64; 3] = [130.0, 120.0, 120.0];
/// Bytes of a reading, a minute and an hour, before there are any.
const GUESS: [f64; 3] = [1.6, 6.0, 10.0];
/// Minutes of a day.
const MINUTES: f64 = 1_440.0;

/// All of it.
pub(super) async fn kept(reader: &mut SqliteConnection, hot: &Hot, retention: &Retention, sizes: Sizes, now: Timestamp) -> Result<Kept, StoreError> {
    let (pages, free) = budget::pages(reader).await?;
    let tiers = budget::tiers(reader).await?;
    let (n_hot, _) = hot.ask(Tables::n_open);
    let n_hot = n_hot + hot.ask(Tables::n_closed);
    let readings_per_day = growth::per_day(reader, now, n_hot).await?;
    let used = ((pages - free) * PAGE_BYTES).max(0);
    let packed: i64 = tiers.iter().sum();
    let n_series: i64 =
        sqlx::query_scalar("select count(*) from last_value where taken_at >= ?").bind(now.as_ms() - DAY_MS).fetch_one(&mut *reader).await?;
    let rate = Rate { readings: readings_per_day, n_series: number(n_series), bytes: costs(reader).await?, other_bytes: number(used - packed) };
    let horizon = rate.horizon(retention);
    let oldest = plan::oldest(reader, hot.ask(Tables::generation), retention).await?;
    let from = plan::first_of(&oldest).map(|at| at.map(Timestamp::from_ms));
    let days = [retention.class.raw_days, retention.class.rollup_days, None];
    let tier = |nth: usize| Tier { bytes: tiers[nth].max(0).cast_unsigned(), from: from[nth], days: days[nth], horizon_days: horizon[nth] };
    Ok(Kept {
        disk_budget_bytes: retention.disk_budget_bytes,
        disk_bytes: sizes.database_bytes + sizes.log_bytes,
        free_bytes: (free * PAGE_BYTES).max(0).cast_unsigned(),
        readings_per_day: readings_per_day.map(f64::round),
        raw: tier(0),
        minutes: tier(1),
        hours: tier(2),
        other_bytes: (used - packed).max(0).cast_unsigned(),
        log_days: retention.log_days,
        classes: retention.exceptions(),
    })
}

/// What a day brings.
struct Rate {
    readings: Option<f64>,
    /// That had any today.
    n_series: f64,
    /// Of a reading, a minute and an hour.
    bytes: [f64; 3],
    /// Bytes of all that is not packed.
    other_bytes: f64,
}

impl Rate {
    /// Days that readings, minutes and hours reach back in the end, when the disk budget is used up and each day brings what this one brings.
    fn horizon(&self, retention: &Retention) -> [Option<f64>; 3] {
        let limits = [retention.class.raw_days, retention.class.rollup_days].map(|days| days.map_or(f64::INFINITY, f64::from));
        let (Some(readings), Some(budget)) = (self.readings.filter(|n| *n >= 1.0), retention.disk_budget_bytes.map(Budget::of)) else {
            return [limits[0], limits[1], f64::INFINITY].map(|days| Some(days).filter(|days| self.readings.is_some() && days.is_finite()));
        };
        let n_series = self.n_series.max(1.0);
        let per_series = readings / n_series;
        let bytes = [readings * self.bytes[0], n_series * per_series.min(MINUTES) * self.bytes[1], n_series * per_series.min(24.0) * self.bytes[2]];
        let room = (number(budget.soft_bytes()) - self.other_bytes).max(0.0);
        let share = |nth: usize| number(budget.shares()[nth]).min(room);
        let hours = share(2) / bytes[2];
        // Readings that take no more room than their minutes stay, and there are no minutes beside them.
        if per_series < 3.0 * MINUTES {
            let raw = ((room - share(2)) / bytes[0]).min(limits[1]);
            let told = raw.min(limits[0]);
            return [Some(told), Some(raw), Some(hours.max(raw))];
        }
        // Minutes begin where readings end; what they leave is for readings.
        let most = share(1) / bytes[1];
        let mut raw = ((room - share(2) - share(1)) / bytes[0]).min(limits[0]).min(limits[1]);
        let minutes = most.min((limits[1] - raw).max(0.0));
        raw = ((room - share(2) - minutes * bytes[1]) / bytes[0]).min(limits[0]).min(limits[1]);
        let minutes = (raw + minutes).min(limits[1]);
        [Some(raw), Some(minutes), Some(hours.max(minutes))]
    }
}

/// What the newest rows say that a reading, a minute and an hour take.
async fn costs(reader: &mut SqliteConnection) -> Result<[f64; 3], StoreError> {
    let mut costs = GUESS;
    // How many are packed stands in bytes 2 to 5, little endian.
    for (nth, sql) in [
        "select length(data), hex(substr(data, 3, 4)) from block_data order by data_id desc limit ?",
        "select length(data), hex(substr(data, 3, 4)) from minutes order by minutes_id desc limit ?",
        "select length(data), hex(substr(data, 3, 4)) from hours order by hours_id desc limit ?",
    ]
    .into_iter()
    .enumerate()
    {
        let rows: Vec<(i64, String)> = sqlx::query_as(sql).bind(SAMPLE).fetch_all(&mut *reader).await?;
        let n: f64 = rows.iter().filter_map(|(_, hex)| u32::from_str_radix(hex, 16).ok()).map(|n| f64::from(n.swap_bytes())).sum();
        let bytes: f64 = rows.iter().map(|(bytes, _)| number(*bytes) + BESIDE[nth]).sum();
        if n > 0.0 {
            costs[nth] = bytes / n;
        }
    }
    Ok(costs)
}

#[expect(clippy::cast_precision_loss, reason = "bytes of a disk, for an estimate")]
fn number(n: i64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::retention::Class;

    const BYTES: [f64; 3] = [1.6, 5.0, 10.0];

    fn horizon(readings: Option<f64>, n_series: f64, raw_days: Option<u32>, rollup_days: Option<u32>) -> [Option<f64>; 3] {
        let retention = Retention { disk_budget_bytes: Some(2_048_000_000), class: Class { raw_days, rollup_days }, ..Retention::default() };
        Rate { readings, n_series, bytes: BYTES, other_bytes: 10e6 }.horizon(&retention).map(|days| days.map(f64::round))
    }

    #[test]
    fn what_is_kept_fills_the_budget_and_no_more() {
        let readings = 8_640.0 * 1_000.0;
        let [raw, minutes, hours] = horizon(Some(readings), 1_000.0, None, None).map(|days| days.expect("known"));
        let taken = raw * readings * BYTES[0] + (minutes - raw) * 1_440_000.0 * BYTES[1] + hours * 24_000.0 * BYTES[2];
        assert!((1.7e9..1.81e9).contains(&taken), "{raw} {minutes} {hours}: {taken}");
        assert!(raw > 50.0 && minutes > 100.0 && hours > 800.0, "{raw} {minutes} {hours}");
        // What is not kept so long leaves room for the others.
        let [raw_longer, ..] = horizon(Some(readings), 1_000.0, None, Some(70)).map(|days| days.expect("known"));
        assert!(raw_longer > raw, "{raw_longer} {raw}");
    }

    #[test]
    fn numbers_of_days_are_kept_to_and_nothing_is_said_too_early() {
        assert_eq!(horizon(None, 10.0, Some(30), None), [None; 3]);
        let [raw, minutes, _] = horizon(Some(86_400.0), 10.0, Some(30), Some(400));
        assert_eq!((raw, minutes), (Some(30.0), Some(400.0)));
        let [raw, minutes, hours] = horizon(Some(144.0), 1.0, None, None).map(|days| days.expect("known"));
        assert!(raw == minutes && minutes <= hours, "one reading in ten minutes stays as it is: {raw} {minutes} {hours}");
    }
}
