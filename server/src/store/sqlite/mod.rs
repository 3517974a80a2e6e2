//! The store in one SQLite file.
//!
//! One connection writes, four read. Numbers are appended to a journal in the order they arrive, and held in memory by series and time until they
//! are sealed: packed into blocks of some hundred to some thousand readings of a series (`seal.rs`). What is stored is never stored twice, so an
//! answer is the sum of what blocks and memory hold; of blocks that lie in one bucket only the heads are read.
//!
//! Sealing goes in small steps beside ingest. The blocks of a generation are written while nobody sees them, and one short transaction makes them
//! take the place of what they were made of. A reader takes what memory holds and a generation at once, and what that generation consists of stays
//! until the last such reader is gone: it sees one state, however long it takes, and holds no snapshot of the database meanwhile.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::downsample::{self, Grid};
use domain::entity::EntityId;
use domain::history::{Range, Resolution, Series};
use domain::time::Timestamp;
use domain::value::Value;
use jiff::tz::TimeZone;
use sqlx::SqlitePool;

use super::{Batch, Marks, Saved, Sizes, Store, StoreError, civil};
use history::{Asked, Columns};
use tend::Tender;
use writer::Writer;

/// What SQLite's errors mean.
mod error;
/// The write-ahead log.
mod log;
/// Opening, settings and migrations.
mod open;
/// The connection that writes.
mod writer;

/// What an earlier version stored.
mod adopt;
/// Packed readings and their heads.
mod block;
/// Numbers that are not in blocks yet, in memory.
mod hot;
/// What the readings in blocks come to in each hour.
mod hours;
/// Numbers as they came.
mod journal;
/// From memory to blocks.
mod seal;
/// Which blocks are there.
mod sealed;
/// Free pages.
mod space;
/// What is done beside ingest, step by step.
mod tend;

/// Alarms.
mod alarm;
/// The log of commands.
mod command;
/// The messages taken last.
mod delivery;
/// The newest reading of each entity.
mod last_value;
/// What of a batch is new.
mod reading;
/// Devices and entities.
mod registry;
/// Short keys for histories.
mod series;

/// Readings and blocks into buckets.
mod buckets;
/// Blocks that lie in several buckets.
mod divided;
/// Answers from blocks and memory.
mod history;
/// Alarms and commands of a range.
mod marks;
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
    /// Readings that are held in memory at most before they are sealed, 16 bytes each; fewer where there are few series.
    pub most_hot: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(5), max_pages: None, most_hot: 1_000_000 }
    }
}

/// A store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: SqlitePool,
    tender: Tender,
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
        let writer = Writer::open(writer, Arc::default(), &path).await?;
        let store = Self { writer, readers, tender: Tender::new(settings.most_hot) };
        store.adopt().await?;
        Ok(store)
    }

    /// Takes on what an earlier version stored, and seals it on the way: it may be more than fits in memory.
    async fn adopt(&self) -> Result<(), StoreError> {
        while self.writer.adopt().await? {
            while self.tend().await? {}
        }
        Ok(())
    }

    async fn ask(&self, entities: &[EntityId], asked: Asked, points: Option<usize>) -> Result<Vec<Series>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        let keys = series::find(&mut reader, entities).await?;
        let series = distinct(&keys);
        let view = self.writer.hot().view(&series);
        let (found, empty) = match points {
            Some(points) => (history::points(&mut reader, &view, &series, &asked, points).await?, Resolution::Raw),
            None => (history::buckets(&mut reader, &view, &series, &asked).await?, asked.resolution),
        };
        Ok(in_order(entities, &keys, &found, empty))
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
        let range = history::within_ends(range);
        let bucket_ms = downsample::bucket_ms(range, points);
        let asked = Asked { range, grid: Grid::Even(bucket_ms), resolution: Resolution::BucketMs(bucket_ms) };
        self.ask(entities, asked, Some(points)).await
    }

    async fn history_in(&self, zone: &TimeZone, entities: &[EntityId], range: Range, points: usize) -> Result<Vec<Series>, StoreError> {
        let range = history::within_ends(range);
        let (grid, bucket_ms) = civil::grid(range, points, zone);
        self.ask(entities, Asked { range, grid, resolution: Resolution::BucketMs(bucket_ms) }, Some(points)).await
    }

    async fn buckets(&self, entities: &[EntityId], range: Range, bucket_ms: i64) -> Result<Vec<Series>, StoreError> {
        let (range, bucket_ms) = (history::within_ends(range), bucket_ms.max(1));
        self.ask(entities, Asked { range, grid: Grid::Even(bucket_ms), resolution: Resolution::BucketMs(bucket_ms) }, None).await
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

    async fn marks(&self, entities: &[EntityId], range: Range, limit: usize) -> Result<Marks, StoreError> {
        let mut reader = self.readers.acquire().await?;
        marks::list(&mut reader, entities, range, limit).await
    }

    async fn tend(&self) -> Result<bool, StoreError> {
        self.tender.step(&self.writer, &self.readers).await
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
