//! The store in one SQLite file.
//!
//! One connection writes, four read. Readings lie in order of time with roll-ups of five minutes and one hour beside them. Roll-ups and last
//! values are written some time behind the readings (`due.rs`), because for devices that take turns they would be most of what is written; the
//! transaction that stores readings notes what lacks them. An answer is stitched from the coarsest roll-up that fits, and from single readings
//! at its edges and where roll-ups lack something: it is exact at any time, also after the process was killed.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use domain::entity::EntityId;
use domain::history::{Range, Resolution, Series};
use domain::time::Timestamp;
use domain::value::Value;
use sqlx::SqlitePool;

use super::{Batch, Saved, Sizes, Store, StoreError};
use history::Columns;
use writer::Writer;

/// What SQLite's errors mean.
mod error;
/// The write-ahead log.
mod log;
/// Opening, settings and migrations.
mod open;
/// The connection that writes.
mod writer;

/// Alarms.
mod alarm;
/// The log of commands.
mod command;
/// The messages taken last.
mod delivery;
/// Roll-ups and last values that are behind their readings.
mod due;
/// The newest reading of each entity.
mod last_value;
/// Numbers and states as they came.
mod reading;
/// Devices and entities.
mod registry;
/// What the readings of a span come to.
mod rollup;
/// Short keys for histories.
mod series;

/// Answers from roll-ups and readings.
mod history;
/// How much a statement reads.
mod pace;
/// What was in force when.
mod states;

/// How a database is opened.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long to wait for another program to let go of the database, when opening and with each write.
    pub busy_timeout: Duration,
    /// Most pages of 4 KiB the file may take; past that writing gives [`StoreError::Full`], as a full disk does. `None` is the disk's end.
    pub max_pages: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(5), max_pages: None }
    }
}

/// A store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the database at `path`, makes it when there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Open`] names the path and says what is wrong with it.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, Settings::default()).await
    }

    /// As [`SqliteStore::open`], with settings.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn open_with(path: &Path, settings: Settings) -> Result<Self, StoreError> {
        let (writer, readers, path) = open::open(path, settings).await?;
        Ok(Self { writer: Writer::new(writer, &path), readers })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self) -> Result<Saved, StoreError> {
        if let Err(error) = self.writer.settle().await {
            // Also on a full disk the server starts and shows what it has.
            tracing::warn!(%error, "The last values may be older than history");
        }
        let mut reader = self.readers.acquire().await?;
        Ok(Saved {
            devices: registry::list_devices(&mut reader).await?,
            entities: registry::list_entities(&mut reader).await?,
            last: last_value::list(&mut reader).await?,
            alarms: alarm::list_not_normal(&mut reader).await?,
            taken: delivery::list(&mut reader).await?,
        })
    }

    async fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() { Ok(()) } else { self.writer.write(batch).await }
    }

    async fn history(&self, entities: &[EntityId], range: Range, points: usize) -> Result<Vec<Series>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        let keys = series::find(&mut reader, entities).await?;
        let found = history::points(&mut reader, &distinct(&keys), range, points).await?;
        Ok(in_order(entities, &keys, &found, Resolution::Raw))
    }

    async fn buckets(&self, entities: &[EntityId], range: Range, bucket_ms: i64) -> Result<Vec<Series>, StoreError> {
        let bucket_ms = bucket_ms.max(1);
        let mut reader = self.readers.acquire().await?;
        let keys = series::find(&mut reader, entities).await?;
        let found = history::buckets(&mut reader, &distinct(&keys), range, bucket_ms).await?;
        Ok(in_order(entities, &keys, &found, Resolution::BucketMs(bucket_ms)))
    }

    async fn states(&self, entities: &[EntityId], range: Range, limit: usize) -> Result<Vec<Vec<(Timestamp, Value)>>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        let keys = series::find(&mut reader, entities).await?;
        let mut all = Vec::with_capacity(entities.len());
        for entity in entities {
            all.push(match keys.get(entity) {
                Some(&key) => states::list(&mut reader, key, range, limit).await?,
                None => vec![],
            });
        }
        Ok(all)
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        let mut reader = self.readers.acquire().await?;
        registry::is_empty(&mut reader).await
    }

    async fn sizes(&self) -> Sizes {
        self.writer.sizes().await
    }

    async fn close(&self) {
        // Readers first: the last connection to go folds the log into the database file.
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn distinct(keys: &HashMap<EntityId, i64>) -> Vec<i64> {
    keys.values().copied().collect()
}

/// One series for each entity asked for, in the order asked; an empty one where nothing was found.
fn in_order(entities: &[EntityId], keys: &HashMap<EntityId, i64>, found: &HashMap<i64, Columns>, empty: Resolution) -> Vec<Series> {
    entities
        .iter()
        .map(|entity| match keys.get(entity).and_then(|key| found.get(key)) {
            Some(columns) => columns.series(entity.clone()),
            None => Series::empty(entity.clone(), empty),
        })
        .collect()
}
