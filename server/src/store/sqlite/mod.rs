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

use domain::entity::EntityId;
use domain::history::Series;
use domain::reading::Reading;
use sqlx::SqlitePool;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::retention::{Kept, Retention};
use super::{Store, StoreError};
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
/// What everybody asks of a store.
mod asked;
/// What SQLite's errors mean.
mod error;
/// The write-ahead log.
mod log;
/// Opening, settings and migrations.
mod open;
/// What topics are about, as operators wrote it.
mod pattern;
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
/// What was said when.
mod words;

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
