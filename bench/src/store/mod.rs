//! History: what readings cost on disk and in time, against a plain SQLite table with the same readings in the same run.
//!
//! `bench store [READINGS]` measures this alone, with so many readings of the fleet; without a number it is 20 million. The store runs in this
//! process, as a library of the server: from outside, most of what it takes would be MQTT and HTTP.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use domain::reading::Reading;
use server::store::sqlite::{Settings, SqliteStore};
use server::store::{Batch, Store as _};

use crate::table::Sample;

/// Readings as sensors send them.
mod data;
/// Many series side by side: bytes, and how fast they are written and sealed.
mod fleet;
/// A plain table.
mod plain;
/// States, and sums of minutes.
mod step;
/// A year of few series: how fast it is asked for.
mod year;

/// Readings of a batch, as the recorder gathers them.
const BATCH: usize = 5_000;
/// Readings of the fleet.
const READINGS: usize = 20_000_000;

/// Everything, with so many readings of the fleet.
pub(crate) async fn measure(words: &[String]) -> Result<Vec<Sample>> {
    let n = match words.first() {
        Some(word) => word.parse().with_context(|| format!("\"{word}\" is no number of readings"))?,
        None => READINGS,
    };
    let mut samples = fleet::measure(n).await?;
    samples.extend(year::measure(n).await?);
    samples.extend(step::measure(n).await?);
    Ok(samples)
}

async fn write(store: &SqliteStore, readings: Vec<Reading>) -> Result<()> {
    Ok(store.write(&Batch { readings, ..Batch::default() }).await?)
}

/// Seals all there is to seal; the longest step in seconds.
async fn tend(store: &SqliteStore) -> Result<f64> {
    let mut longest = 0.0f64;
    loop {
        let began = Instant::now();
        let more = store.tend().await?;
        longest = longest.max(began.elapsed().as_secs_f64());
        if !more {
            return Ok(longest);
        }
    }
}

/// Seals everything, also what would otherwise wait for more.
async fn seal_all(path: &Path) -> Result<SqliteStore> {
    let store = SqliteStore::open_with(path, Settings { most_hot: 1, ..Settings::default() }).await?;
    tend(&store).await?;
    Ok(store)
}

/// Bytes of a database and its log.
fn bytes(path: &Path) -> f64 {
    let of = |suffix: &str| std::fs::metadata(format!("{}{suffix}", path.display())).map_or(0, |found| found.len());
    #[expect(clippy::cast_precision_loss, reason = "no file is that long")]
    let all = (of("") + of("-wal")) as f64;
    all
}

/// Seconds of processor that this process has used, in all its threads.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = after_name.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok()).sum();
    ticks / 100.0
}

/// The median of a few runs, in milliseconds.
async fn median_ms<T>(mut ask: impl AsyncFnMut() -> Result<T>) -> Result<f64> {
    let mut times = vec![];
    for _ in 0..9 {
        let began = Instant::now();
        std::hint::black_box(ask().await?);
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
