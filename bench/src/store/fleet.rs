//! 2,000 sensors side by side.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use domain::history::Range;
use domain::reading::Reading;
use domain::time::Timestamp;
use pco::ChunkConfig;
use pco::standalone::simple_compress;
use server::store::Store as _;
use server::store::sqlite::SqliteStore;

use super::data::Sensor;
use super::plain::Plain;
use super::{BATCH, bytes, processor_seconds, seal_all, tend, write};
use crate::table::{Sample, Unit};
use crate::task::Task;

const SERIES: usize = 2_000;
/// Readings of which it is measured how fast a plain table takes them; all of them would take minutes.
const PLAIN_TIMED: usize = 1_000_000;

/// Bytes a reading, and rates.
#[expect(clippy::cast_precision_loss, reason = "numbers of readings")]
pub(crate) async fn measure(n: usize) -> Result<Vec<Sample>> {
    let folder = tempfile::tempdir()?;
    let (plain_path, path) = (folder.path().join("plain.db"), folder.path().join("signalbox.db"));
    let n_steps = i64::try_from(n.div_ceil(SERIES))?;

    // As they arrive: all sensors of a step, then the next step.
    let mut plain = Plain::open(&plain_path).await?;
    let mut n = 0;
    let (mut plain_seconds, mut n_timed) = (0.0, 0);
    each_batch(n_steps, async |batch| {
        n += batch.len();
        let began = Instant::now();
        plain.write(&batch).await?;
        if n_timed < PLAIN_TIMED {
            n_timed += batch.len();
            plain_seconds += began.elapsed().as_secs_f64();
            if n_timed >= PLAIN_TIMED {
                plain.hurry().await?;
            }
        }
        Ok(())
    })
    .await?;
    plain.close().await?;
    let (n, plain_bytes) = (n as f64, bytes(&plain_path));
    std::fs::remove_file(&plain_path)?;

    let store = SqliteStore::open(&path).await?;
    let (mut writing, mut writing_processor, mut sealing, mut sealing_processor, mut longest) = (0.0, 0.0, 0.0, 0.0, 0.0f64);
    each_batch(n_steps, async |batch| {
        let readings: Vec<Reading> = batch.into_iter().map(|(_, reading)| reading).collect();
        let (began, processor) = (Instant::now(), processor_seconds());
        write(&store, readings).await?;
        writing += began.elapsed().as_secs_f64();
        let (began, between) = (Instant::now(), processor_seconds());
        writing_processor += between - processor;
        longest = longest.max(tend(&store).await?);
        sealing += began.elapsed().as_secs_f64();
        sealing_processor += processor_seconds() - between;
        Ok(())
    })
    .await?;
    store.close().await;
    let began = Instant::now();
    let store = seal_all(&path).await?;
    sealing += began.elapsed().as_secs_f64();
    store.close().await;
    let sealed_bytes = bytes(&path);

    let mut samples = vec![
        Sample::new("store: a reading on disk", Unit::Bytes, sealed_bytes / n).over(plain_bytes / n),
        Sample::new("store: against pco alone", Unit::Bytes, sealed_bytes / n).over(pco_bytes(n_steps)? / n),
        Sample::new("store: writing", Unit::PerS, n / writing).over(n_timed as f64 / plain_seconds),
        Sample::new("store: writing, processor", Unit::Us, writing_processor / n * 1e6),
        Sample::new("store: sealing", Unit::PerS, n / sealing),
        Sample::new("store: sealing, processor", Unit::Us, sealing_processor / n * 1e6),
        Sample::new("store: longest step of sealing", Unit::Ms, longest * 1e3),
    ];
    samples.extend(beside(&path, n_steps).await?);
    Ok(samples)
}

/// The longest write while sealing goes on beside it.
async fn beside(path: &std::path::Path, first: i64) -> Result<Vec<Sample>> {
    let store = Arc::new(SqliteStore::open(path).await?);
    let began = Instant::now();
    let saved = store.load().await?;
    let load = began.elapsed().as_secs_f64();
    ensure!(saved.last.len() == SERIES, "{} last values", saved.last.len());
    let mut sealing = Task::begin({
        let store = Arc::clone(&store);
        async move {
            loop {
                if !store.tend().await? {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        }
    });
    let mut sensors: Vec<Sensor> = (0..SERIES).map(Sensor::new).collect();
    let (mut longest, mut n) = (0.0f64, 0);
    for step in first..first + 600 {
        let readings: Vec<Reading> = sensors.iter_mut().filter_map(|sensor| sensor.at(step)).collect();
        n += readings.len();
        let began = Instant::now();
        write(&store, readings).await?;
        longest = longest.max(began.elapsed().as_secs_f64());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    ensure!(!sealing.has_ended()?, "sealing ended");
    drop(sealing);
    let range = Range { from: Timestamp::from_ms(0), to: Timestamp::from_ms(i64::MAX) };
    let entities: Vec<_> = sensors.iter().map(|sensor| sensor.entity.clone()).collect();
    let mut found = 0;
    for entities in entities.chunks(50) {
        found += store.buckets(entities, range, 86_400_000).await?.iter().flat_map(|series| &series.n).map(|n| *n as usize).sum::<usize>();
    }
    ensure!(found >= n, "{found} readings of at least {n} are there");
    store.close().await;
    Ok(vec![Sample::new("store: longest write beside it", Unit::Ms, longest * 1e3), Sample::new("store: what a start loads", Unit::Ms, load * 1e3)])
}

async fn each_batch(n_steps: i64, mut each: impl AsyncFnMut(Vec<(usize, Reading)>) -> Result<()>) -> Result<()> {
    let mut sensors: Vec<Sensor> = (0..SERIES).map(Sensor::new).collect();
    let mut batch = Vec::with_capacity(BATCH + SERIES);
    for step in 0..n_steps {
        batch.extend(sensors.iter_mut().enumerate().filter_map(|(idx, sensor)| Some((idx, sensor.at(step)?))));
        if batch.len() >= BATCH || step == n_steps - 1 {
            each(std::mem::take(&mut batch)).await?;
        }
    }
    Ok(())
}

/// What pco makes of the columns as they are: all times and all numbers of each series as one.
#[expect(clippy::cast_precision_loss, reason = "no memory is that large")]
fn pco_bytes(n_steps: i64) -> Result<f64> {
    let mut bytes = 0;
    for mut sensor in (0..SERIES).map(Sensor::new) {
        let (mut times, mut numbers) = (vec![], vec![]);
        for reading in (0..n_steps).filter_map(|step| sensor.at(step)) {
            times.push(reading.taken_at.as_ms());
            numbers.extend(reading.value.as_number());
        }
        bytes += simple_compress(&times, &ChunkConfig::default())?.len() + simple_compress(&numbers, &ChunkConfig::default())?.len();
    }
    Ok(bytes as f64)
}
