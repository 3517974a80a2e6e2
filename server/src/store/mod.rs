//! The store: everything that survives a restart. The only place with SQL.

/// The log of what was done.
pub mod activity;
/// Buckets by the clock on the wall.
pub mod civil;
/// Readings of one series, packed.
pub mod codec;
/// Groups, scenes and schedules.
pub mod plan;
/// What is kept for how long.
pub mod retention;
/// One SQLite file.
pub mod sqlite;
/// Words over time.
mod words;

use async_trait::async_trait;
use domain::alarm::{Alarm, AlarmState};
use domain::change::QueueChange;
use domain::command::{CommandReport, QueuedCommand};
use domain::device::{Device, DeviceId};
use domain::entity::{Entity, EntityId};
use domain::excluded::Excluded;
use domain::history::{Range, Series};
use domain::reading::Reading;
use domain::time::Timestamp;
use domain::value::Value;
use domain::words::Words;
use domain::written::Written;
use jiff::tz::TimeZone;
use serde::Serialize;
use utoipa::ToSchema;

use crate::redelivery::Taken;
use activity::{Activity, Actor, Filter, Page, Place};
use plan::{PlanChange, PlanKind, PlanRow};

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
    /// A state that is to be taken out of history or back is not what this release writes; it stays where it is.
    #[error("a state of {entity} at {} cannot be read by this release of Signalbox", at.rfc3339())]
    Unreadable {
        /// Whose.
        entity: EntityId,
        /// When.
        at: Timestamp,
    },
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
            Self::Unreadable { .. } => "a state cannot be read by this release of Signalbox",
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
    /// Devices that are there no more, none of which is in `devices`.
    pub gone_devices: Vec<DeviceId>,
    /// Entities that are there no more, none of which is in `entities`. Their history stays.
    pub gone_entities: Vec<EntityId>,
    /// Readings of entities known to the store or in `entities`. Each is at once history and, when it is the newest of its entity by
    /// `taken_at`, the entity's last value.
    pub readings: Vec<Reading>,
    /// Alarms that changed.
    pub alarms: Vec<Alarm>,
    /// What happened to alarms, in this order, with each as it was afterwards.
    pub alarm_events: Vec<(Alarm, AlarmEvent)>,
    /// Commands that changed, with who sent them.
    pub commands: Vec<(CommandReport, Actor)>,
    /// What happened to commands that wait for their devices, in this order.
    pub queue: Vec<QueueChange>,
    /// What operators wrote.
    pub written: Vec<Written>,
    /// What else was done, for the log.
    pub notes: Vec<Activity>,
    /// The messages that `readings` came by, to know them again.
    pub taken: Vec<Taken>,
}

impl Batch {
    /// Whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { devices, entities, gone_devices, gone_entities, readings, alarms, alarm_events, commands, queue, written, notes, taken } = self;
        let has_no_alarm = alarms.is_empty() && alarm_events.is_empty();
        let has_no_deed = commands.is_empty() && queue.is_empty() && written.is_empty() && notes.is_empty();
        let has_no_registry = devices.is_empty() && entities.is_empty() && gone_devices.is_empty() && gone_entities.is_empty();
        has_no_registry && readings.is_empty() && has_no_alarm && has_no_deed && taken.is_empty()
    }
}

/// Devices and entities come and go: of what one batch says about each, the last counts.
impl Batch {
    /// A device was found or changed.
    pub fn put_device(&mut self, device: Device) {
        self.gone_devices.retain(|gone| *gone != device.id);
        self.devices.push(device);
    }

    /// An entity was found or changed.
    pub fn put_entity(&mut self, entity: Entity) {
        self.gone_entities.retain(|gone| *gone != entity.id);
        self.entities.push(entity);
    }

    /// A device is there no more.
    pub fn lose_device(&mut self, id: DeviceId) {
        self.devices.retain(|device| device.id != id);
        self.gone_devices.push(id);
    }

    /// An entity is there no more.
    pub fn lose_entity(&mut self, id: EntityId) {
        self.entities.retain(|entity| entity.id != id);
        self.gone_entities.push(id);
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
    /// Commands that wait for their devices.
    pub queued: Vec<QueuedCommand>,
    /// The messages taken last, oldest first.
    pub taken: Vec<Taken>,
    /// What operators wrote.
    pub written: Vec<Written>,
}

/// A change of an alarm's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmEvent {
    /// When.
    pub at: Timestamp,
    /// Who did it; empty where nobody did.
    pub who: String,
    /// The state since then.
    pub state: AlarmState,
}

/// What happened in a range besides readings.
#[derive(Debug, Default)]
pub struct Marks {
    /// Alarms that lasted in it, oldest first, with their ends; `None` while one lasts. One that was raised again is there for each time.
    pub alarms: Vec<(Alarm, Option<Timestamp>)>,
    /// Commands that were sent in it, oldest first, with who sent them.
    pub commands: Vec<(CommandReport, String)>,
}

/// States of an entity that are told one by one at most: the others are summed up.
pub const MOST_STATES: usize = 12;

/// For how long an entity was in which state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Held {
    /// The states that held longest, at most [`MOST_STATES`], longest first.
    pub states: Vec<HeldState>,
    /// For how long all others held, in milliseconds.
    pub other_ms: i64,
}

/// For how long a state held.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct HeldState {
    /// What it says.
    #[schema(value_type = domain::value::Said)]
    pub v: Value,
    /// In milliseconds.
    pub ms: i64,
}

impl From<(Value, i64)> for HeldState {
    fn from((v, ms): (Value, i64)) -> Self {
        Self { v, ms }
    }
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
    /// What stands in all answers about numbers: of states there is a row for each change, with the one in force when the range begins in front, or for
    /// each bucket in which the state is known; meters say how far they counted.
    ///
    /// At most `points` rows per entity; raw readings when the range holds no more than `points` of them. Unknown entities and those without
    /// numbers give an empty series.
    async fn history(&self, entities: &[EntityId], range: Range, points: usize) -> Result<Vec<Series>, StoreError>;
    /// As [`Store::history`], with buckets that begin by the clock of a zone: days at midnight, also those of 23 and 25 hours. The resolution is
    /// the nominal length.
    async fn history_in(&self, zone: &TimeZone, entities: &[EntityId], range: Range, points: usize) -> Result<Vec<Series>, StoreError>;
    /// Buckets of exactly `bucket_ms`, aligned to the epoch, for many entities at once: what tiles show.
    async fn buckets(&self, entities: &[EntityId], range: Range, bucket_ms: i64) -> Result<Vec<Series>, StoreError>;
    /// As [`Store::history_in`], always in buckets, however few readings there are.
    async fn buckets_in(&self, _zone: &TimeZone, _entities: &[EntityId], _range: Range, _points: usize) -> Result<Vec<Series>, StoreError> {
        Err(unable())
    }
    /// The changes of state of each entity in the range, oldest first, with the state in force at `range.from` in front under its own time; at most
    /// `limit` per entity, newest kept. Repeats are left out; numbers are no states.
    async fn states(&self, entities: &[EntityId], range: Range, limit: usize) -> Result<Vec<Vec<(Timestamp, Value)>>, StoreError>;
    /// For how long each entity was in which state within the range, up to now. Numbers are no states. A store that keeps no states has none.
    async fn held(&self, entities: &[EntityId], _range: Range) -> Result<Vec<Held>, StoreError> {
        Ok(vec![Held::default(); entities.len()])
    }
    /// What each entity said in words within the range, up to now: about as many rows as `points` says at most, of the newest 100,000 words. Entities
    /// that say none have no rows.
    async fn words(&self, entities: &[EntityId], _range: Range, _points: usize) -> Result<Vec<Words>, StoreError> {
        Ok(entities.iter().cloned().map(Words::none).collect())
    }
    /// Alarms and commands of some entities in a range, at most `limit` of each, newest kept. A store that keeps none of them has none.
    async fn marks(&self, _entities: &[EntityId], _range: Range, _limit: usize) -> Result<Marks, StoreError> {
        Ok(Marks::default())
    }
    /// Stores readings that somebody fills in, in one transaction; how many of them were not there. Entity and moment say which reading it is, so
    /// that the same again adds nothing. They are nobody's last value, however new they are.
    async fn fill(&self, _readings: &[Reading]) -> Result<usize, StoreError> {
        Err(unable())
    }
    /// Takes the readings of one moment out of history, and writes `entry`, which names the entity, into the log of what was done. They are kept
    /// beside; the same reading coming again does not bring them back. Returns what was taken out: nothing where nothing is told of that moment.
    async fn exclude(&self, _at: Timestamp, _entry: &Activity) -> Result<Vec<Excluded>, StoreError> {
        Err(unable())
    }
    /// Takes what was taken out of one moment back into history, and writes `entry`; how many readings.
    async fn include(&self, _at: Timestamp, _entry: &Activity) -> Result<usize, StoreError> {
        Err(unable())
    }
    /// The moment from which on single readings of an entity are kept; before it there are sums alone. A store that keeps all of them says the
    /// beginning of time.
    async fn raw_from(&self, _entity: &EntityId) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_ms(i64::MIN))
    }
    /// What is taken out of the history of some entities in a range, newest first, at most `limit`.
    async fn excluded(&self, _entities: &[EntityId], _range: Range, _limit: usize) -> Result<Vec<Excluded>, StoreError> {
        Err(unable())
    }
    /// Writes an entry into the log of what was done.
    async fn note(&self, _entry: &Activity) -> Result<(), StoreError> {
        Err(unable())
    }
    /// The log of what was done before a place in it, newest first, at most `limit` entries. Commands stand in it too.
    async fn activity(&self, before: Option<&Place>, limit: usize) -> Result<Vec<(Place, Activity)>, StoreError> {
        Ok(self.activity_of(&Filter::default(), before, limit).await?.entries)
    }
    /// As [`Store::activity`], of those entries that a filter lets through.
    async fn activity_of(&self, _filter: &Filter, _before: Option<&Place>, _limit: usize) -> Result<Page, StoreError> {
        Err(unable())
    }
    /// How many entries of the log a filter lets through, and whether that is all of them; at most `limit` are looked at.
    async fn activity_count(&self, _filter: &Filter, _limit: usize) -> Result<(usize, bool), StoreError> {
        Err(unable())
    }
    /// Who stands in the log, by name; at most `limit`.
    async fn people(&self, _limit: usize) -> Result<Vec<String>, StoreError> {
        Err(unable())
    }
    /// What happened to an alarm, oldest first, at most `limit`, newest kept.
    async fn alarm_journal(&self, _alarm: &str, _limit: usize) -> Result<Vec<AlarmEvent>, StoreError> {
        Err(unable())
    }
    /// All groups, scenes or schedules, by id. A store that keeps none has none.
    async fn plans(&self, _kind: PlanKind) -> Result<Vec<PlanRow>, StoreError> {
        Ok(vec![])
    }
    /// Adds, changes or takes away one of them, and writes `entry` into the log of what was done, where there is one.
    async fn change_plan(&self, _kind: PlanKind, _change: &PlanChange, _entry: Option<&Activity>) -> Result<(), StoreError> {
        Err(unable())
    }
    /// The patterns of topics that operators wrote, in their order. A store that keeps none has none.
    async fn topic_patterns(&self) -> Result<Vec<String>, StoreError> {
        Ok(vec![])
    }
    /// Puts others in the place of all of them, and writes `entry` into the log of what was done.
    async fn set_topic_patterns(&self, _patterns: &[String], _entry: &Activity) -> Result<(), StoreError> {
        Err(unable())
    }
    /// Does one of the small steps that are due beside ingest: packs readings that are no longer new, and clears away what that leaves. Whether
    /// there is another step to be done at once. After a step that failed, or was given up half way, the next begins where nothing is lost. A store
    /// that has nothing to tend does nothing.
    async fn tend(&self) -> Result<bool, StoreError> {
        Ok(false)
    }
    /// Whether anything was ever stored.
    async fn is_empty(&self) -> Result<bool, StoreError>;
    /// What is kept, and how far back it will reach; some seconds old.
    async fn kept(&self) -> Result<retention::Kept, StoreError> {
        Err(unable())
    }
    /// What it takes on disk; zero where that cannot be said.
    async fn sizes(&self) -> Sizes;
    /// Ends all connections after the last write.
    async fn close(&self);
}

/// What a store says that keeps only a part of all this.
fn unable() -> StoreError {
    StoreError::Failed("this store does not keep that".to_owned())
}
