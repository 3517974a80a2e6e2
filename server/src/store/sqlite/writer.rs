use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::Mutex;

use super::{alarm, command, delivery, last_value, reading, registry, rollup, series};
use crate::store::{Batch, StoreError};

/// The one connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// `None` once closed.
    connection: Option<SqliteConnection>,
    /// A transaction may still be open: the future that began it failed or was dropped.
    open: bool,
    keys: series::Keys,
}

impl Writer {
    pub(super) fn new(connection: SqliteConnection) -> Self {
        Self { state: Mutex::new(State { connection: Some(connection), open: false, keys: series::Keys::default() }) }
    }

    /// Stores the batch in one transaction.
    pub(super) async fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut state = self.state.lock().await;
        let State { connection, open, keys } = &mut *state;
        let connection = connection.as_mut().ok_or_else(closed)?;
        // Not sqlx's own transaction: on a full disk SQLite rolls back by itself, sqlx's rollback then fails and its count of open
        // transactions never gets back to zero.
        if *open {
            roll_back(connection).await;
            keys.forget();
        }
        // Immediate: a transaction that reads first and writes later can fail in between, where no waiting helps.
        // Noted before it is asked for: when this future is dropped while it waits, the transaction begins all the same.
        *open = true;
        sqlx::query("begin immediate").execute(&mut *connection).await?;
        let written = write_all(connection, keys, batch).await;
        let done = match written {
            Ok(()) => sqlx::query("commit").execute(&mut *connection).await.map(drop).map_err(StoreError::from),
            Err(error) => Err(error),
        };
        if done.is_err() {
            roll_back(connection).await;
            // Keys given out by the transaction are gone with it.
            keys.forget();
        }
        *open = false;
        done
    }

    pub(super) async fn close(&self) {
        let connection = self.state.lock().await.connection.take();
        if let Some(connection) = connection
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "The database was not closed cleanly; the next start repairs it");
        }
    }
}

async fn write_all(connection: &mut SqliteConnection, keys: &mut series::Keys, batch: &Batch) -> Result<(), StoreError> {
    registry::upsert_devices(connection, &batch.devices).await?;
    registry::upsert_entities(connection, &batch.entities).await?;
    if !batch.readings.is_empty() {
        let new = reading::insert(connection, keys, &batch.readings).await?;
        rollup::add(connection, &new).await?;
        last_value::upsert(connection, &new, &batch.readings).await?;
    }
    delivery::upsert(connection, &batch.taken).await?;
    alarm::upsert(connection, &batch.alarms).await?;
    command::upsert(connection, &batch.commands).await
}

/// Fails only when SQLite has rolled back already, which is what is wanted.
async fn roll_back(connection: &mut SqliteConnection) {
    if let Err(error) = sqlx::query("rollback").execute(connection).await {
        tracing::debug!(%error, "Nothing to roll back");
    }
}

fn closed() -> StoreError {
    StoreError::Failed("it is closed".to_owned())
}
