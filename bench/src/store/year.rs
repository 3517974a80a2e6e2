//! A year of ten sensors that report every ten seconds: what a page asks for.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use domain::entity::EntityId;
use domain::history::{Range, Series};
use domain::reading::Reading;
use domain::time::Timestamp;
use server::store::Store as _;
use server::store::sqlite::SqliteStore;

use super::data::{BEGIN_MS, EVERY_MS, Sensor};
use super::plain::Plain;
use super::{BATCH, median_ms, seal_all, tend, write};
use crate::table::{Sample, Unit};
use crate::task::Task;

const SERIES: usize = 10;
const STEPS: i64 = 365 * 8_640;
const DAY_MS: i64 = 86_400_000;
/// Buckets that a page has room for.
const POINTS: usize = 1_000;

/// Questions over a year and a day, alone and while readings are written.
pub(crate) async fn measure(n: usize) -> Result<Vec<Sample>> {
    let folder = tempfile::tempdir()?;
    let (plain_path, path) = (folder.path().join("plain.db"), folder.path().join("signalbox.db"));
    // A quick look takes less than a year.
    let steps = if n < 20_000_000 { STEPS.min(i64::try_from(n)? / 2) } else { STEPS };
    let mut plain = Plain::open(&plain_path).await?;
    let store = SqliteStore::open(&path).await?;
    for idx in 0..SERIES {
        let mut sensor = Sensor::new(idx);
        let all: Vec<Reading> = (0..steps).filter_map(|step| sensor.at(step)).collect();
        for part in all.chunks(BATCH * 4) {
            if idx == 0 {
                let rows: Vec<(usize, Reading)> = part.iter().map(|reading| (idx, reading.clone())).collect();
                plain.write(&rows).await?;
            }
            write(&store, part.to_vec()).await?;
            tend(&store).await?;
        }
    }
    store.close().await;
    seal_all(&path).await?.close().await;
    let store = Arc::new(SqliteStore::open(&path).await?);

    let entities: Vec<EntityId> = (0..SERIES).map(|idx| Sensor::new(idx).entity).collect();
    let end = BEGIN_MS + steps * EVERY_MS;
    let year = (BEGIN_MS, end);
    let day = (end - DAY_MS, end);
    let mut samples = vec![];
    let bucket_ms = |range: (i64, i64)| domain::downsample::bucket_ms(range_of(range), POINTS);
    let plain_year = median_ms(async || plain.buckets(0, year, bucket_ms(year)).await).await?;
    let plain_day = median_ms(async || plain.buckets(0, day, bucket_ms(day)).await).await?;
    plain.close().await?;

    for is_written in [false, true] {
        // 20,000 readings a second of others meanwhile, sealed as they come.
        let load = is_written.then(|| Task::begin(load(Arc::clone(&store), end)));
        let mut ask = async |name: [&'static str; 2], entities: &[EntityId], range, floor: Option<f64>| {
            let ms = median_ms(async || answer(&store, entities, range).await).await?;
            let sample = Sample::new(name[usize::from(is_written)], Unit::Ms, ms);
            samples.push(match floor {
                Some(floor) => sample.over(floor),
                None => sample,
            });
            anyhow::Ok(())
        };
        ask(["store: a year of one series", "store: a year, while writing"], &entities[..1], year, Some(plain_year)).await?;
        ask(["store: a year of ten series", "store: ten years, while writing"], &entities, year, None).await?;
        ask(["store: a day of one series", "store: a day, while writing"], &entities[..1], day, Some(plain_day)).await?;
        drop(load);
    }
    // A thousand buckets of hours and a quarter, which the hours that are summed up do not fit: only blocks are left.
    let quarters = (year.1 - year.0) / 1_000 / 900_000;
    let odd = 900_000 * if quarters % 4 == 0 { quarters + 1 } else { quarters };
    let ms = median_ms(async || Ok(store.buckets(&entities[..1], range_of(year), odd).await?)).await?;
    samples.push(Sample::new("store: a year, from blocks only", Unit::Ms, ms).over(plain_year));
    store.close().await;
    Ok(samples)
}

async fn answer(store: &SqliteStore, entities: &[EntityId], range: (i64, i64)) -> Result<Vec<Series>> {
    let found = store.history(entities, range_of(range), POINTS).await?;
    ensure!(found.iter().all(|series| (1..=POINTS).contains(&series.t.len())), "an answer has {POINTS} buckets at most");
    Ok(found)
}

fn range_of((from, to): (i64, i64)) -> Range {
    Range { from: Timestamp::from_ms(from), to: Timestamp::from_ms(to) }
}

/// 2,000 sensors that report ten times a second.
async fn load(store: Arc<SqliteStore>, from: i64) -> Result<()> {
    let mut others: Vec<Sensor> = (100..2_100).map(Sensor::new).collect();
    let mut pace = tokio::time::interval(Duration::from_millis(100));
    let first = (from - BEGIN_MS) / EVERY_MS;
    for step in first.. {
        pace.tick().await;
        write(&store, others.iter_mut().filter_map(|sensor| sensor.at(step)).collect()).await?;
        while store.tend().await? {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    Ok(())
}
