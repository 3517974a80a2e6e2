//! What is no line: a switch that changes all the time, and readings that became minutes.

use std::sync::Arc;

use anyhow::{Result, ensure};
use domain::downsample::bucket_ms;
use domain::entity::EntityId;
use domain::history::Range;
use domain::reading::Reading;
use domain::time::{DAY_MS, MINUTE_MS, Timestamp};
use domain::value::Value;
use server::store::Store as _;
use server::store::retention::{Class, Retention};
use server::store::sqlite::{Settings, SqliteStore};

use super::data::{BEGIN_MS, EVERY_MS, Sensor};
use super::plain::Plain;
use super::{BATCH, median_ms, seal_all, tend, write};
use crate::table::{Sample, Unit};

/// Changes of the switch in a year.
const CHANGES: usize = 1_000_000;
const YEAR_MS: i64 = 365 * DAY_MS;
/// Buckets that a page has room for.
const POINTS: usize = 1_000;
/// Sensors whose readings become minutes, and for how many days.
const SERIES: usize = 10;
const DAYS: i64 = 60;

/// A quick look takes a part of it all: `n` of 20 million.
pub(crate) async fn measure(n: usize) -> Result<Vec<Sample>> {
    let changes = (n / 20).min(CHANGES);
    let days = (DAYS * i64::try_from(n / 100_000)? / 200).clamp(2, DAYS);
    Ok([switch(changes.max(2_000)).await?, minutes(days).await?].concat())
}

/// A year of a switch, for how long it was on in each bucket.
async fn switch(n: usize) -> Result<Vec<Sample>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("signalbox.db");
    let entity = EntityId::parse("pump.running").expect("an id");
    let mut random = fastrand::Rng::with_seed(1);
    let every_ms = YEAR_MS / i64::try_from(n)?;
    let changes: Vec<Reading> = (0..n)
        .zip(0..)
        .map(|(idx, step)| {
            let at = Timestamp::from_ms(BEGIN_MS + step * every_ms + random.i64(0..every_ms));
            Reading { entity: entity.clone(), value: Value::Bool(idx % 2 == 0), taken_at: at, received_at: at, device_time: true }
        })
        .collect();
    let mut plain = Plain::open(&folder.path().join("plain.db")).await?;
    let store = SqliteStore::open(&path).await?;
    for part in changes.chunks(BATCH * 4) {
        plain.write(&part.iter().map(|reading| (0, reading.clone())).collect::<Vec<_>>()).await?;
        write(&store, part.to_vec()).await?;
        tend(&store).await?;
    }
    store.close().await;
    seal_all(&path).await?.close().await;
    let store = SqliteStore::open(&path).await?;
    let year = Range { from: Timestamp::from_ms(BEGIN_MS), to: Timestamp::from_ms(BEGIN_MS + YEAR_MS) };
    let floor = median_ms(async || plain.duty(0, (BEGIN_MS, BEGIN_MS + YEAR_MS), bucket_ms(year, POINTS)).await).await?;
    plain.close().await?;
    let ms = median_ms(async || {
        let found = store.history(std::slice::from_ref(&entity), year, POINTS).await?.remove(0);
        let counted: u64 = found.n.iter().map(|n| u64::from(*n)).sum();
        ensure!(found.duty.len() <= POINTS && counted == u64::try_from(n)?, "{counted} changes in {} buckets", found.duty.len());
        Ok(())
    })
    .await?;
    store.close().await;
    Ok(vec![Sample::new("store: a year of a switch", Unit::Ms, ms).over(floor)])
}

/// What a minute takes once only its sum is kept.
#[expect(clippy::cast_precision_loss, reason = "numbers of minutes")]
async fn minutes(days: i64) -> Result<Vec<Sample>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("signalbox.db");
    let store = SqliteStore::open(&path).await?;
    let mut sensors: Vec<Sensor> = (0..SERIES).map(Sensor::new).collect();
    for day in 0..days {
        let steps = day * DAY_MS / EVERY_MS..(day + 1) * DAY_MS / EVERY_MS;
        for sensor in &mut sensors {
            write(&store, steps.clone().filter_map(|step| sensor.at(step)).collect()).await?;
        }
        tend(&store).await?;
    }
    store.close().await;
    let retention = Retention { class: Class { raw_days: Some(1), rollup_days: None }, ..Retention::default() };
    let store = SqliteStore::open_with(&path, Settings { most_hot: 1, retention: Arc::new(retention), ..Settings::default() }).await?;
    tend(&store).await?;
    let bytes = store.kept().await?.minutes.bytes as f64;
    let entities: Vec<EntityId> = sensors.iter().map(|sensor| sensor.entity.clone()).collect();
    let all = Range { from: Timestamp::from_ms(BEGIN_MS), to: Timestamp::from_ms(BEGIN_MS + (days + 1) * DAY_MS) };
    let n: usize = store.buckets(&entities, all, MINUTE_MS).await?.iter().map(|series| series.t.len()).sum();
    store.close().await;
    ensure!(bytes > 0.0, "no readings became minutes");
    Ok(vec![Sample::new("store: a minute, once only its sum is kept", Unit::Bytes, bytes / n as f64)])
}
