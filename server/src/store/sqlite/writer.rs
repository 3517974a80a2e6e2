use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::Mutex;

use super::hot::{Hot, Tables};
use super::last_value::{self, Behind};
use super::log::Log;
use super::reading::{Ends, New};
use super::seal::Change;
use super::{adopt, alarm, block, command, delivery, hours, journal, reading, registry, sealed, series, space};
use crate::store::{Batch, Sizes, StoreError};

/// The one connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    state: Mutex<State>,
    hot: Arc<Hot>,
    path: PathBuf,
}

#[derive(Debug)]
struct State {
    /// `None` once closed.
    connection: Option<SqliteConnection>,
    hot: Arc<Hot>,
    /// A transaction may still be open: the future that began it failed or was dropped.
    open: bool,
    /// The tables may hold more than what is known here: a transaction ended unseen.
    unsure: bool,
    keys: series::Keys,
    ends: Ends,
    behind: Behind,
    log: Log,
}

impl Writer {
    /// Reads what is not sealed into `hot`.
    pub(super) async fn open(mut connection: SqliteConnection, hot: Arc<Hot>, path: &Path) -> Result<Self, StoreError> {
        let (generation, seq) = sealed::get(&mut connection).await?;
        hot.reset(generation, seq);
        let state = State {
            connection: Some(connection),
            hot: Arc::clone(&hot),
            open: false,
            unsure: true,
            keys: series::Keys::default(),
            ends: Ends::default(),
            behind: Behind::default(),
            log: Log::new(path),
        };
        let writer = Self { state: Mutex::new(state), hot, path: path.to_owned() };
        writer.state.lock().await.make_sure().await?;
        Ok(writer)
    }

    /// Stores the batch in one transaction.
    pub(super) async fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut state = self.state.lock().await;
        state.transaction(Work::Batch(batch)).await?;
        if state.behind.is_ripe()
            && let Err(error) = state.transaction(Work::Last).await
        {
            // The batch is stored; what is in the way is reported when it keeps a batch from being stored.
            tracing::debug!(%error, "Last values wait");
        }
        state.keep_log_short().await;
        Ok(())
    }

    /// Stores what is behind: last values.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        self.state.lock().await.settle().await
    }

    /// Takes on a little of an earlier version's table; whether there is more.
    pub(super) async fn adopt(&self) -> Result<bool, StoreError> {
        Ok(self.state.lock().await.transaction(Work::Adopt).await? > 0)
    }

    /// Writes blocks of the next generation, which nobody sees yet.
    pub(super) async fn prepare(&self, change: &Change) -> Result<(), StoreError> {
        let mut state = self.state.lock().await;
        state.transaction(Work::Prepare(change)).await?;
        state.keep_log_short().await;
        Ok(())
    }

    /// Makes the blocks of the next generation take the place of the closed readings, which end with row `seq` of the journal.
    pub(super) async fn seal(&self, seq: i64) -> Result<(), StoreError> {
        self.state.lock().await.transaction(Work::Seal(seq)).await.map(drop)
    }

    /// Deletes a little of what is sealed from the journal; whether there is more.
    pub(super) async fn clear_journal(&self) -> Result<bool, StoreError> {
        Ok(self.state.lock().await.transaction(Work::ClearJournal).await? > 0)
    }

    /// Deletes some blocks whose place others took; whether there are more. Nobody may read them any more.
    pub(super) async fn clear_blocks(&self) -> Result<bool, StoreError> {
        Ok(self.state.lock().await.transaction(Work::ClearBlocks).await? > 0)
    }

    /// Takes back a little of a generation that was begun and not finished; whether there is more.
    pub(super) async fn take_back(&self) -> Result<bool, StoreError> {
        Ok(self.state.lock().await.transaction(Work::TakeBack).await? > 0)
    }

    /// Gives a little of what is free back to the disk; whether there is more.
    pub(super) async fn shrink(&self) -> Result<bool, StoreError> {
        Ok(self.state.lock().await.transaction(Work::Shrink).await? > 0)
    }

    pub(super) async fn sizes(&self) -> Sizes {
        let bytes = async |path| tokio::fs::metadata(path).await.map_or(0, |found| found.len());
        Sizes { database_bytes: bytes(self.path.clone()).await, log_bytes: bytes(super::log::path(&self.path)).await }
    }

    /// The hot readings.
    pub(super) fn hot(&self) -> &Hot {
        &self.hot
    }

    pub(super) async fn close(&self) {
        let mut state = self.state.lock().await;
        // In the midst of something there is nothing to wait for: another program may hold the database, and the next start makes up for it.
        if state.connection.is_some()
            && !state.open
            && !state.unsure
            && let Err(error) = state.settle().await
        {
            tracing::warn!(%error, "Last values are behind; the next start makes up for it");
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
    Last,
    Prepare(&'a Change),
    Seal(i64),
    ClearJournal,
    ClearBlocks,
    TakeBack,
    Shrink,
    Adopt,
}

/// What it did.
#[derive(Default)]
struct Done {
    /// Numbers to be taken, and the last row of the journal with them.
    stored: Option<(New, i64)>,
    n: u64,
}

impl State {
    async fn settle(&mut self) -> Result<(), StoreError> {
        self.make_sure().await?;
        if self.behind.list().is_empty() { Ok(()) } else { self.transaction(Work::Last).await.map(drop) }
    }

    /// Ends what an earlier transaction left unfinished, and takes what it stored.
    async fn make_sure(&mut self) -> Result<(), StoreError> {
        if self.open {
            self.roll_back().await;
        }
        if self.unsure {
            let connection = self.connection.as_mut().ok_or_else(closed)?;
            let (generation, _) = sealed::get(connection).await?;
            if generation != self.hot.ask(Tables::generation) {
                self.hot.sealed(generation);
                self.ends.forget();
            }
            let written = last_value::written(connection).await?;
            loop {
                let rows = journal::list(connection, self.hot.ask(Tables::seq)).await?;
                if rows.is_empty() {
                    break;
                }
                for (seq, entries) in rows {
                    self.behind.take_found(&entries, &written);
                    self.hot.add(seq, &entries);
                }
            }
            self.unsure = false;
        }
        Ok(())
    }

    /// Not sqlx's own transaction: on a full disk SQLite rolls back by itself, sqlx's rollback then fails and its count of open transactions
    /// never gets back to zero.
    async fn transaction(&mut self, work: Work<'_>) -> Result<u64, StoreError> {
        self.make_sure().await?;
        let connection = self.connection.as_mut().ok_or_else(closed)?;
        // Noted before anything is asked for: when this future is dropped, what was asked for happens all the same.
        (self.open, self.unsure) = (true, true);
        // Immediate: a transaction that reads first and writes later can fail in between, where no waiting helps.
        sqlx::query("begin immediate").execute(&mut *connection).await?;
        let generation = self.hot.ask(Tables::generation);
        let done = match work {
            Work::Batch(batch) => write_all(connection, &mut self.keys, &mut self.ends, &self.hot, batch).await,
            Work::Last => last_value::upsert(connection, self.behind.list()).await.map(|()| Done::default()),
            Work::Prepare(change) => prepare(connection, generation + 1, change).await.map(|()| Done::default()),
            Work::Seal(seq) => sealed::set(connection, generation + 1, seq).await.map(|()| Done::default()),
            Work::ClearJournal => clear_journal(connection).await,
            Work::ClearBlocks => clear_blocks(connection, generation).await.map(counted),
            Work::TakeBack => take_back(connection, generation).await.map(counted),
            Work::Shrink => space::give_back(connection).await.map(counted),
            Work::Adopt => adopt::some(connection, self.hot.ask(Tables::seq)).await.map(adopted),
        };
        let committed = match &done {
            Ok(_) => sqlx::query("commit").execute(&mut *connection).await.map(drop).map_err(StoreError::from),
            Err(_) => Ok(()),
        };
        match (done, committed) {
            (Ok(Done { stored, n }), Ok(())) => {
                if let Some((new, seq)) = stored {
                    self.hot.add(seq, &new.numbers);
                    new.last_numbers.into_iter().for_each(|(series, last)| self.behind.take(series, last));
                }
                match work {
                    Work::Last => self.behind = Behind::default(),
                    Work::Seal(_) => {
                        self.hot.sealed(generation + 1);
                        self.ends.forget();
                    }
                    _ => {}
                }
                (self.open, self.unsure) = (false, false);
                Ok(n)
            }
            (Err(error), _) | (_, Err(error)) => {
                self.roll_back().await;
                // As it was before, and known to be so.
                self.unsure = false;
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

    async fn keep_log_short(&mut self) {
        let Self { connection, log, .. } = self;
        if let Some(connection) = connection {
            log.keep_short(connection).await;
        }
    }
}

async fn write_all(
    connection: &mut SqliteConnection,
    keys: &mut series::Keys,
    ends: &mut Ends,
    hot: &Hot,
    batch: &Batch,
) -> Result<Done, StoreError> {
    registry::upsert_devices(connection, &batch.devices).await?;
    registry::upsert_entities(connection, &batch.entities).await?;
    let mut done = Done::default();
    if !batch.readings.is_empty() {
        let new = reading::insert(connection, keys, ends, hot, &batch.readings).await?;
        let seq = journal::append(connection, hot.ask(Tables::seq), &new.numbers).await?;
        done.stored = Some((new, seq));
    }
    delivery::append(connection, &batch.taken).await?;
    alarm::upsert(connection, &batch.alarms).await?;
    command::upsert(connection, &batch.commands).await?;
    Ok(done)
}

async fn prepare(connection: &mut SqliteConnection, generation: i64, Change { packed, dead, hours }: &Change) -> Result<(), StoreError> {
    block::insert(connection, generation, packed, dead).await?;
    hours::insert(connection, generation, hours).await
}

async fn clear_blocks(connection: &mut SqliteConnection, generation: i64) -> Result<usize, StoreError> {
    Ok(block::clear(connection, generation).await? + hours::clear(connection, generation).await?)
}

async fn take_back(connection: &mut SqliteConnection, generation: i64) -> Result<usize, StoreError> {
    Ok(block::take_back(connection, generation).await? + hours::take_back(connection, generation).await?)
}

async fn clear_journal(connection: &mut SqliteConnection) -> Result<Done, StoreError> {
    let (_, seq) = sealed::get(connection).await?;
    Ok(Done { stored: None, n: journal::delete(connection, seq).await? })
}

fn counted(n: usize) -> Done {
    Done { stored: None, n: n as u64 }
}

fn adopted((n, numbers, seq): (usize, Vec<journal::Entry>, i64)) -> Done {
    Done { stored: Some((New { numbers, last_numbers: vec![] }, seq)), n: n as u64 }
}

fn closed() -> StoreError {
    StoreError::Failed("it is closed".to_owned())
}
