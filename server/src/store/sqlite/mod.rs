//! The store in one SQLite file.
//!
//! One connection writes, four read. Numbers are appended to a journal in the order they arrive, and held in memory by series and time until they
//! are sealed: packed into blocks of some hundred to some thousand readings of a series (`seal.rs`). What is stored is never stored twice, so an
//! answer is the sum of what blocks and memory hold; of blocks that lie in one bucket only the heads are read.
//!
//! Sealing goes in small steps beside ingest. The blocks of a generation are written while nobody sees them, and one short transaction makes them
//! take the place of what they were made of. A reader takes what memory holds and a generation at once, and what that generation consists of stays
//! until the last such reader is gone: it sees one state, however long it takes, and holds no snapshot of the database meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::downsample::{self, Grid};
use domain::entity::EntityId;
use domain::excluded::Excluded;
use domain::history::{Range, Resolution, Series};
use domain::reading::Reading;
use domain::time::Timestamp;
use domain::value::Value;
use jiff::tz::TimeZone;
use sqlx::SqlitePool;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::activity::{Activity, Filter, Page, Place};
use super::plan::{PlanChange, PlanKind, PlanRow};
use super::retention::{Kept, Retention};
use super::{AlarmEvent, Batch, Held, Marks, Saved, Sizes, Store, StoreError, civil};
use crate::clock::now;
use answer::answer;
use budget::Budget;
use history::Asked;
use keep::Keeper;
use tend::Tender;
use writer::Writer;

pub use alone::Alone;
pub use beside::Beside;

/// One program at a time writes.
mod alone;
/// Answers, whatever the series are of.
mod answer;
/// What SQLite's errors mean.
mod error;
/// The write-ahead log.
mod log;
/// Opening, settings and migrations.
mod open;
/// Groups, scenes and schedules.
mod scene;
/// Storing readings.
mod storing;
/// What a transaction does.
mod work;
/// The connection that writes.
mod writer;

/// Reading what another program writes.
mod beside;

/// What an earlier version stored.
mod adopt;
/// Packed readings and their heads.
mod block;
/// The disk budget.
mod budget;
/// States and what is logged, once their time has come.
mod expire;
/// Where blocks lie in time.
mod extent;
/// How far back each series is kept.
mod floor;
/// What a day brings.
mod growth;
/// Numbers that are not in blocks yet, in memory.
mod hot;
/// What the readings in blocks come to in each hour.
mod hours;
/// Numbers as they came.
mod journal;
/// Keeps to what retention says.
mod keep;
/// Which series that concerns.
mod plan;
/// What is kept now, and will be.
mod report;
/// What becomes of what is not kept.
mod retire;
/// From memory to blocks.
mod seal;
/// Which blocks are there.
mod sealed;
/// Free pages.
mod space;
/// What is done beside ingest, step by step.
mod tend;

/// The log of what was done.
mod activity;
/// Alarms.
mod alarm;
/// What became of alarms.
mod alarm_journal;
/// The log of commands.
mod command;
/// The messages taken last.
mod delivery;
/// Readings that somebody took out of history.
mod exclude;
/// The newest reading of each entity.
mod last_value;
/// What of a batch is new.
mod reading;
/// Devices and entities.
mod registry;
/// Short keys for histories.
mod series;
/// What operators wrote.
mod written;

/// Readings and blocks into buckets.
mod buckets;
/// Blocks that lie in several buckets.
mod divided;
/// For how long states were on.
mod duty;
/// For how long something was in which state.
mod held;
/// Answers from blocks and memory.
mod history;
/// Which state each series was in last.
mod latest;
/// Alarms and commands of a range.
mod marks;
/// What meters counted.
mod meter;
/// Answers about times of which not every reading is kept.
mod older;
/// How much a statement reads.
mod pace;
/// Commands that wait.
mod queued;
/// What the order of readings adds to a block's head.
mod runs;
/// What was in force when.
mod states;
/// Answers for states and meters.
mod traced;

/// More buckets are in no answer, whatever was asked for: those of states are filled, whether anything changed in them or not.
const MOST_BUCKETS: usize = 100_000;

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long to wait for another program to let go of the database, when opening and with each write.
    pub busy_timeout: Duration,
    /// Most pages of 4 KiB the file may take; past that writing gives [`StoreError::Full`], as a full disk does. `None` is the disk's end.
    pub max_pages: Option<u32>,
    /// Readings that are held in memory at most before they are sealed, 16 bytes each; fewer where there are few series.
    pub most_hot: usize,
    /// What is to be kept.
    pub retention: Arc<Retention>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(5), max_pages: None, most_hot: 1_000_000, retention: Arc::default() }
    }
}

/// A store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: SqlitePool,
    tender: Tender,
    retention: Arc<Retention>,
    /// What was said last of what is kept: it is looked up everywhere in the file.
    kept: Mutex<Option<(Instant, Kept)>>,
}

/// How long that is true enough.
const KEPT_FOR: Duration = Duration::from_secs(10);

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
        let budget = settings.retention.disk_budget_bytes.map(Budget::of);
        let most_hot = budget.map_or(settings.most_hot, |budget| budget.most_hot(settings.most_hot));
        let (writer, readers, path) = open::open(path, &settings, budget).await?;
        let writer = Writer::open(writer, Arc::default(), &path, budget).await?;
        let retention = settings.retention;
        let tender = Tender::new(most_hot, Keeper::new(Arc::clone(&retention)));
        let store = Self { writer, readers, tender, retention, kept: Mutex::default() };
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

    /// How many of some readings [`Store::fill`] would store. Nothing is stored.
    ///
    /// # Errors
    /// What the database says.
    pub async fn try_fill(&self, readings: &[Reading]) -> Result<usize, StoreError> {
        Ok(usize::try_from(self.writer.try_fill(readings).await?).unwrap_or(usize::MAX))
    }

    async fn ask(&self, entities: &[EntityId], asked: Asked, points: Option<usize>) -> Result<Vec<Series>, StoreError> {
        answer(&mut *self.readers.acquire().await?, self.writer.hot(), entities, asked, points).await
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
            queued: queued::list(&mut reader).await?,
            taken: delivery::list(&mut reader).await?,
            written: written::list(&mut reader).await?,
        })
    }

    async fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() { Ok(()) } else { self.writer.write(batch).await }
    }

    async fn history(&self, entities: &[EntityId], range: Range, points: usize) -> Result<Vec<Series>, StoreError> {
        let range = history::within_ends(range);
        let bucket_ms = downsample::bucket_ms(range, points.min(MOST_BUCKETS));
        let asked = Asked { range, grid: Grid::Even(bucket_ms), resolution: Resolution::BucketMs(bucket_ms) };
        self.ask(entities, asked, Some(points)).await
    }

    async fn history_in(&self, zone: &TimeZone, entities: &[EntityId], range: Range, points: usize) -> Result<Vec<Series>, StoreError> {
        let range = history::within_ends(range);
        let (grid, bucket_ms) = civil::grid(range, points.min(MOST_BUCKETS), zone);
        self.ask(entities, Asked { range, grid, resolution: Resolution::BucketMs(bucket_ms) }, Some(points)).await
    }

    async fn buckets(&self, entities: &[EntityId], range: Range, bucket_ms: i64) -> Result<Vec<Series>, StoreError> {
        let (range, bucket_ms) = (history::within_ends(range), bucket_ms.max(1));
        self.ask(entities, Asked { range, grid: Grid::Even(bucket_ms), resolution: Resolution::BucketMs(bucket_ms) }, None).await
    }

    async fn buckets_in(&self, zone: &TimeZone, entities: &[EntityId], range: Range, points: usize) -> Result<Vec<Series>, StoreError> {
        let range = history::within_ends(range);
        let (grid, bucket_ms) = civil::grid(range, points.min(MOST_BUCKETS), zone);
        self.ask(entities, Asked { range, grid, resolution: Resolution::BucketMs(bucket_ms) }, None).await
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

    async fn held(&self, entities: &[EntityId], range: Range) -> Result<Vec<Held>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        let keys = series::find(&mut reader, entities).await?;
        let (mut all, now) = (Vec::with_capacity(entities.len()), now());
        for entity in entities {
            all.push(match keys.get(entity) {
                Some(&key) => held::list(&mut reader, key, Range { to: range.to.min(now), ..range }).await?,
                None => Held::default(),
            });
        }
        Ok(all)
    }

    async fn fill(&self, readings: &[Reading]) -> Result<usize, StoreError> {
        // Faster than readings are sealed, they would all be in memory.
        while self.writer.hot().ask(|tables| tables.n_open().0) > self.tender.most_hot() && self.tend().await? {}
        Ok(usize::try_from(self.writer.fill(readings).await?).unwrap_or(usize::MAX))
    }

    async fn exclude(&self, at: Timestamp, entry: &Activity) -> Result<Vec<Excluded>, StoreError> {
        let Some(entity) = &entry.entity else { return Ok(vec![]) };
        // Before a reader is taken: a step that is being taken may wait for one.
        let _held = self.tender.hold(&self.writer).await?;
        let mut reader = self.readers.acquire().await?;
        let Some(&series) = series::find(&mut reader, std::slice::from_ref(entity)).await?.get(entity) else { return Ok(vec![]) };
        let Some(exclusion) = exclude::find(&mut reader, self.writer.hot(), series, at.as_ms()).await? else { return Ok(vec![]) };
        // Whoever else asks may have it meanwhile.
        drop(reader);
        if let Some(change) = &exclusion.change {
            self.writer.prepare(change).await?;
        }
        let taken = self.writer.exclude(&exclusion, entry).await?;
        Ok(taken.map(|taken| taken.list(entity, entry)).unwrap_or_default())
    }

    async fn include(&self, at: Timestamp, entry: &Activity) -> Result<usize, StoreError> {
        let Some(entity) = &entry.entity else { return Ok(0) };
        let keys = series::find(&mut *self.readers.acquire().await?, std::slice::from_ref(entity)).await?;
        let Some(&series) = keys.get(entity) else { return Ok(0) };
        Ok(usize::try_from(self.writer.include(series, at.as_ms(), entry).await?).unwrap_or(usize::MAX))
    }

    async fn raw_from(&self, entity: &EntityId) -> Result<Timestamp, StoreError> {
        let keys = series::find(&mut *self.readers.acquire().await?, std::slice::from_ref(entity)).await?;
        let of = |key| self.writer.hot().ask(|tables| floor::Floor::of(tables.floors(), key).raw_from);
        Ok(Timestamp::from_ms(keys.get(entity).map_or(i64::MIN, |&key| of(key))))
    }

    async fn excluded(&self, entities: &[EntityId], range: Range, limit: usize) -> Result<Vec<Excluded>, StoreError> {
        exclude::list(&mut *self.readers.acquire().await?, entities, range, limit).await
    }

    async fn note(&self, entry: &Activity) -> Result<(), StoreError> {
        self.writer.note(entry).await
    }

    async fn activity_of(&self, filter: &Filter, before: Option<&Place>, limit: usize) -> Result<Page, StoreError> {
        activity::list(&mut *self.readers.acquire().await?, filter, before, limit).await
    }

    async fn activity_count(&self, filter: &Filter, limit: usize) -> Result<(usize, bool), StoreError> {
        activity::count(&mut *self.readers.acquire().await?, filter, limit).await
    }

    async fn people(&self, limit: usize) -> Result<Vec<String>, StoreError> {
        activity::people(&mut *self.readers.acquire().await?, limit).await
    }

    async fn plans(&self, kind: PlanKind) -> Result<Vec<PlanRow>, StoreError> {
        scene::list(&mut *self.readers.acquire().await?, kind).await
    }

    async fn change_plan(&self, kind: PlanKind, change: &PlanChange, entry: Option<&Activity>) -> Result<(), StoreError> {
        self.writer.change_plan(kind, change, entry).await
    }

    async fn alarm_journal(&self, alarm: &str, limit: usize) -> Result<Vec<AlarmEvent>, StoreError> {
        alarm_journal::list(&mut *self.readers.acquire().await?, alarm, limit).await
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

    async fn kept(&self) -> Result<Kept, StoreError> {
        let mut known = self.kept.lock().await;
        if let Some((at, kept)) = &*known
            && at.elapsed() < KEPT_FOR
        {
            return Ok(kept.clone());
        }
        let sizes = self.writer.sizes().await;
        let kept = report::kept(&mut *self.readers.acquire().await?, self.writer.hot(), &self.retention, sizes, now()).await?;
        *known = Some((Instant::now(), kept.clone()));
        Ok(kept)
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
