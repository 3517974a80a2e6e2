//! The store: everything that survives a restart. The only place with SQL.

/// Buckets by the clock on the wall.
pub mod civil;
/// Readings of one series, packed.
pub mod codec;
/// One SQLite file.
pub mod sqlite;

use async_trait::async_trait;
use domain::alarm::Alarm;
use domain::command::CommandReport;
use domain::device::Device;
use domain::entity::{Entity, EntityId};
use domain::history::{Range, Series};
use domain::reading::Reading;
use domain::time::Timestamp;
use jiff::tz::TimeZone;

use crate::redelivery::Taken;

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be opened; the text names it and says why.
    #[error("cannot open the database {path}: {reason}")]
    Open {
        /// Where it is.
        path: String,
        /// Why.
        reason: String,
    },
    /// No room left; what was in the batch is not stored, everything before it is.
    #[error("the disk is full")]
    Full,
    /// Somebody else holds the database; worth trying again.
    #[error("the database is locked by another program")]
    Busy,
    /// Anything else; the source says what.
    #[error("the database failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// Why, in words for anybody who looks: what the database says of itself is for the log.
    #[must_use]
    pub const fn cause(&self) -> &'static str {
        match self {
            Self::Full => "the disk is full",
            Self::Busy => "the database is locked by another program",
            Self::Open { .. } | Self::Failed(_) => "the database failed",
        }
    }
}

/// What is stored together, in one transaction.
#[derive(Debug, Default)]
pub struct Batch {
    /// New or changed devices.
    pub devices: Vec<Device>,
    /// New or changed entities.
    pub entities: Vec<Entity>,
    /// Readings of entities known to the store or in `entities`. Each is at once history and, when it is the newest of its entity by
    /// `taken_at`, the entity's last value.
    pub readings: Vec<Reading>,
    /// Alarms that changed.
    pub alarms: Vec<Alarm>,
    /// Commands that changed, with who sent them.
    pub commands: Vec<(CommandReport, String)>,
    /// The messages that `readings` came by, to know them again.
    pub taken: Vec<Taken>,
}

impl Batch {
    /// Whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { devices, entities, readings, alarms, commands, taken } = self;
        devices.is_empty() && entities.is_empty() && readings.is_empty() && alarms.is_empty() && commands.is_empty() && taken.is_empty()
    }
}

/// What a restart finds.
#[derive(Debug, Default)]
pub struct Saved {
    /// All devices.
    pub devices: Vec<Device>,
    /// All entities.
    pub entities: Vec<Entity>,
    /// The last reading of each entity that has one, by `taken_at`. When it arrived may be forgotten after a crash; it is `taken_at` then.
    pub last: Vec<Reading>,
    /// Alarms that are not normal.
    pub alarms: Vec<Alarm>,
    /// The messages taken last, oldest first.
    pub taken: Vec<Taken>,
}

/// What happened in a range besides readings.
#[derive(Debug, Default)]
pub struct Marks {
    /// Alarms that were raised before its end and are not known to have ended before it, oldest first.
    pub alarms: Vec<Alarm>,
    /// Commands that were sent in it, oldest first, with who sent them.
    pub commands: Vec<(CommandReport, String)>,
}

/// Bytes on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The database.
    pub database_bytes: u64,
    /// What was written and is not yet part of the database: its write-ahead log.
    pub log_bytes: u64,
}

/// Everything that survives a restart.
#[async_trait]
pub trait Store: Send + Sync {
    /// What an earlier run left.
    async fn load(&self) -> Result<Saved, StoreError>;
    /// Stores a batch; when it returns `Ok` the batch survives a power cut.
    async fn write(&self, batch: &Batch) -> Result<(), StoreError>;
    /// At most `points` rows per entity; raw readings when the range holds no more than `points` of them. Unknown entities and those without
    /// numbers give an empty series.
    async fn history(&self, entities: &[EntityId], range: Range, points: usize) -> Result<Vec<Series>, StoreError>;
    /// As [`Store::history`], with buckets that begin by the clock of a zone: days at midnight, also those of 23 and 25 hours. The resolution is
    /// the nominal length.
    async fn history_in(&self, zone: &TimeZone, entities: &[EntityId], range: Range, points: usize) -> Result<Vec<Series>, StoreError>;
    /// Buckets of exactly `bucket_ms`, aligned to the epoch, for many entities at once: what tiles show.
    async fn buckets(&self, entities: &[EntityId], range: Range, bucket_ms: i64) -> Result<Vec<Series>, StoreError>;
    /// The changes of state of each entity in the range, oldest first, with the state in force at `range.from` in front under its own time; at most
    /// `limit` per entity, newest kept. Repeats are left out; numbers are no states.
    async fn states(&self, entities: &[EntityId], range: Range, limit: usize) -> Result<Vec<Vec<(Timestamp, domain::value::Value)>>, StoreError>;
    /// Alarms and commands of some entities in a range, at most `limit` of each, newest kept. A store that keeps none of them has none.
    async fn marks(&self, _entities: &[EntityId], _range: Range, _limit: usize) -> Result<Marks, StoreError> {
        Ok(Marks::default())
    }
    /// Does one of the small steps that are due beside ingest: packs readings that are no longer new, and clears away what that leaves. Whether
    /// there is another step to be done at once. After a step that failed, or was given up half way, the next begins where nothing is lost. A store
    /// that has nothing to tend does nothing.
    async fn tend(&self) -> Result<bool, StoreError> {
        Ok(false)
    }
    /// Whether anything was ever stored.
    async fn is_empty(&self) -> Result<bool, StoreError>;
    /// What it takes on disk; zero where that cannot be said.
    async fn sizes(&self) -> Sizes;
    /// Ends all connections after the last write.
    async fn close(&self);
}
