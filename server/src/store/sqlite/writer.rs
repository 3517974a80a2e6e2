use std::path::{Path, PathBuf};

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::Mutex;

use super::due::{self, Due};
use super::log::Log;
use super::{alarm, command, delivery, reading, registry, series};
use crate::store::{Batch, Sizes, StoreError};

/// The one connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    state: Mutex<State>,
    path: PathBuf,
}

#[derive(Debug)]
struct State {
    /// `None` once closed.
    connection: Option<SqliteConnection>,
    /// A transaction may still be open: the future that began it failed or was dropped.
    open: bool,
    /// What the tables hold may be more than what is known here: a transaction ended unseen, or an earlier process was killed.
    unsure: bool,
    keys: series::Keys,
    due: Due,
    log: Log,
}

impl Writer {
    pub(super) fn new(connection: SqliteConnection, path: &Path) -> Self {
        let (keys, due) = (series::Keys::default(), Due::default());
        let log = Log::new(path);
        Self { state: Mutex::new(State { connection: Some(connection), open: false, unsure: true, keys, due, log }), path: path.to_owned() }
    }

    /// Stores the batch in one transaction.
    pub(super) async fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut state = self.state.lock().await;
        state.make_sure().await?;
        state.transaction(Work::Batch(batch)).await?;
        if state.due.is_ripe()
            && let Err(error) = state.transaction(Work::Due).await
        {
            // The batch is stored, and roll-ups wait; what is in the way is reported when it keeps a batch from being stored.
            tracing::debug!(%error, "Roll-ups wait");
        }
        let State { connection, log, .. } = &mut *state;
        if let Some(connection) = connection {
            log.keep_short(connection).await;
        }
        Ok(())
    }

    /// Stores what is behind: roll-ups and last values.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        self.state.lock().await.settle().await
    }

    pub(super) async fn sizes(&self) -> Sizes {
        let bytes = async |path| tokio::fs::metadata(path).await.map_or(0, |found| found.len());
        Sizes { database_bytes: bytes(self.path.clone()).await, log_bytes: bytes(super::log::path(&self.path)).await }
    }

    pub(super) async fn close(&self) {
        let mut state = self.state.lock().await;
        // In the midst of something there is nothing to wait for: another program may hold the database, and the next start makes up for it.
        if state.connection.is_some()
            && !state.open
            && !state.unsure
            && let Err(error) = state.settle().await
        {
            tracing::warn!(%error, "Roll-ups are behind; the next start makes up for it");
        }
        if let Some(connection) = state.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "The database was not closed cleanly; the next start repairs it");
        }
    }
}

/// What a transaction does.
#[derive(Clone, Copy)]
enum Work<'a> {
    Batch(&'a Batch),
    Due,
    Recover,
}

impl State {
    async fn settle(&mut self) -> Result<(), StoreError> {
        self.make_sure().await?;
        if self.due.is_empty() { Ok(()) } else { self.transaction(Work::Due).await }
    }

    /// Ends what an earlier transaction or process left unfinished.
    async fn make_sure(&mut self) -> Result<(), StoreError> {
        if self.open {
            self.roll_back().await;
        }
        if self.unsure {
            self.transaction(Work::Recover).await?;
            self.unsure = false;
        }
        Ok(())
    }

    /// Not sqlx's own transaction: on a full disk SQLite rolls back by itself, sqlx's rollback then fails and its count of open transactions
    /// never gets back to zero.
    async fn transaction(&mut self, work: Work<'_>) -> Result<(), StoreError> {
        let connection = self.connection.as_mut().ok_or_else(closed)?;
        // Noted before anything is asked for: when this future is dropped, what was asked for happens all the same.
        (self.open, self.unsure) = (true, true);
        // Immediate: a transaction that reads first and writes later can fail in between, where no waiting helps.
        sqlx::query("begin immediate").execute(&mut *connection).await?;
        let done = match work {
            Work::Batch(batch) => write_all(connection, &mut self.keys, &self.due, batch).await,
            Work::Due => self.due.write(connection).await.map(|()| Written::default()),
            Work::Recover => due::recover(connection).await.map(|()| Written::default()),
        };
        let committed = match &done {
            Ok(_) => sqlx::query("commit").execute(&mut *connection).await.map(drop).map_err(StoreError::from),
            Err(_) => Ok(()),
        };
        match (done, committed) {
            (Ok(Written { new, noted }), Ok(())) => {
                (self.open, self.unsure) = (false, false);
                match work {
                    Work::Batch(batch) => self.due.take(&new, &batch.readings, noted),
                    Work::Due | Work::Recover => self.due = Due::default(),
                }
                Ok(())
            }
            (Err(error), _) | (_, Err(error)) => {
                self.roll_back().await;
                // As it was before, and known to be so.
                self.unsure = matches!(work, Work::Recover);
                Err(error)
            }
        }
    }

    /// Fails only when SQLite has rolled back already, which is what is wanted.
    async fn roll_back(&mut self) {
        if let Some(connection) = &mut self.connection
            && let Err(error) = sqlx::query("rollback").execute(connection).await
        {
            tracing::debug!(%error, "Nothing to roll back");
        }
        // Keys given out by the transaction are gone with it.
        self.keys.forget();
        self.open = false;
    }
}

/// Readings that were not stored before, and where of theirs nothing was due.
#[derive(Default)]
struct Written {
    new: Vec<reading::New>,
    noted: std::collections::BTreeSet<i64>,
}

async fn write_all(connection: &mut SqliteConnection, keys: &mut series::Keys, due: &Due, batch: &Batch) -> Result<Written, StoreError> {
    registry::upsert_devices(connection, &batch.devices).await?;
    registry::upsert_entities(connection, &batch.entities).await?;
    let mut written = Written::default();
    if !batch.readings.is_empty() {
        written.new = reading::insert(connection, keys, &batch.readings).await?;
        written.noted = due.note(connection, &written.new).await?;
    }
    delivery::append(connection, &batch.taken).await?;
    alarm::upsert(connection, &batch.alarms).await?;
    command::upsert(connection, &batch.commands).await?;
    Ok(written)
}

fn closed() -> StoreError {
    StoreError::Failed("it is closed".to_owned())
}
