//! Storing readings and what comes with them, within a transaction of the writer.

use domain::reading::Reading;
use sqlx::sqlite::SqliteConnection;

use super::exclude::{self, Excluded};
use super::hot::{Hot, Tables};
use super::journal::{self, Kind};
use super::reading::{self, Ends, New, Origin};
use super::work::Done;
use super::{activity, alarm, alarm_journal, command, delivery, queued, registry, series, written};
use crate::store::activity::Activity;
use crate::store::{Batch, StoreError};

/// What readings are stored with.
pub(super) struct Storing<'a> {
    pub(super) keys: &'a mut series::Keys,
    pub(super) ends: &'a mut Ends,
    pub(super) hot: &'a Hot,
    pub(super) excluded: &'a Excluded,
}

impl Storing<'_> {
    /// All of a batch.
    pub(super) async fn write_all(&mut self, connection: &mut SqliteConnection, batch: &Batch) -> Result<Done, StoreError> {
        registry::upsert_devices(connection, &batch.devices).await?;
        registry::upsert_entities(connection, &batch.entities).await?;
        registry::delete(connection, &batch.gone_devices, &batch.gone_entities).await?;
        let done = if batch.readings.is_empty() { Done::default() } else { self.store(connection, Origin::Device, &batch.readings).await? };
        delivery::append(connection, &batch.taken).await?;
        alarm::upsert(connection, &batch.alarms).await?;
        alarm_journal::append(connection, &batch.alarm_events).await?;
        command::upsert(connection, &batch.commands).await?;
        queued::apply(connection, &batch.queue).await?;
        written::upsert(connection, &batch.written).await?;
        activity::append(connection, &batch.notes).await?;
        Ok(done)
    }

    /// Those readings that are not there yet.
    pub(super) async fn store(&mut self, connection: &mut SqliteConnection, origin: Origin, readings: &[Reading]) -> Result<Done, StoreError> {
        let new = self.find_new(connection, origin, readings).await?;
        let kind = if origin == Origin::Device { Kind::Came } else { Kind::Filled };
        let seq = journal::append(connection, self.hot.ask(Tables::seq), kind, &new.numbers).await?;
        Ok(Done { n: new.n as u64, stored: Some((new, seq)), ..Done::default() })
    }

    /// What [`Storing::store`] would store of what is filled in: for a transaction that is taken back.
    pub(super) async fn try_out(&mut self, connection: &mut SqliteConnection, readings: &[Reading]) -> Result<Done, StoreError> {
        let new = self.find_new(connection, Origin::Filled, readings).await?;
        Ok(Done { n: new.n as u64, ..Done::default() })
    }

    /// What was taken out of a moment, again.
    pub(super) async fn include(
        &mut self,
        connection: &mut SqliteConnection,
        series: i64,
        taken_at: i64,
        entry: &Activity,
    ) -> Result<Done, StoreError> {
        let Some(entity) = &entry.entity else { return Ok(Done::default()) };
        let readings = exclude::give_back(connection, entity, series, taken_at).await?;
        if readings.is_empty() {
            return Ok(Done::default());
        }
        activity::insert(connection, entry).await?;
        let done = self.store(connection, Origin::TakenBack, &readings).await?;
        Ok(Done { n: readings.len() as u64, ..done })
    }

    async fn find_new(&mut self, connection: &mut SqliteConnection, origin: Origin, readings: &[Reading]) -> Result<New, StoreError> {
        let Self { keys, ends, hot, excluded } = self;
        reading::insert(connection, keys, ends, hot, excluded, origin, readings).await
    }
}
