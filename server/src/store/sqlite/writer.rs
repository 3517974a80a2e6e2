use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::reading::Reading;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::Mutex;

use super::budget::Budget;
use super::exclude::{Excluded, Exclusion, TakenOut};
use super::expire::Expired;
use super::floor::{self, Floor};
use super::hot::{Hot, Tables};
use super::journal::{self, Kind};
use super::last_value::{self, Behind};
use super::log::Log;
use super::reading::Ends;
use super::seal::Change;
use super::storing::Storing;
use super::work::{Done, Work};
use super::{growth, sealed, series};
use crate::clock::now;
use crate::store::activity::Activity;
use crate::store::plan::{PlanChange, PlanKind};
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
    excluded: Excluded,
    behind: Behind,
    log: Log,
    budget: Option<Budget>,
}

impl Writer {
    /// Reads what is not sealed into `hot`.
    pub(super) async fn open(mut connection: SqliteConnection, hot: Arc<Hot>, path: &Path, budget: Option<Budget>) -> Result<Self, StoreError> {
        let (generation, seq) = sealed::get(&mut connection).await?;
        hot.reset(generation, seq);
        hot.floors(floor::list(&mut connection).await?);
        growth::begin(&mut connection, now()).await?;
        let state = State {
            connection: Some(connection),
            hot: Arc::clone(&hot),
            open: false,
            unsure: true,
            keys: series::Keys::default(),
            ends: Ends::default(),
            excluded: Excluded::default(),
            behind: Behind::default(),
            log: Log::new(path, budget),
            budget,
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

    /// Stores readings that somebody fills in; how many were not there.
    pub(super) async fn fill(&self, readings: &[Reading]) -> Result<u64, StoreError> {
        let mut state = self.state.lock().await;
        let n = state.transaction(Work::Fill(readings)).await?.n;
        state.keep_log_short().await;
        Ok(n)
    }

    /// How many of some readings [`Writer::fill`] would store.
    pub(super) async fn try_fill(&self, readings: &[Reading]) -> Result<u64, StoreError> {
        self.do_some(Work::TryFill(readings)).await
    }

    /// Takes readings out of history, all that are stored of the moment; `None` where there are none. What becomes of blocks is prepared already.
    pub(super) async fn exclude(&self, exclusion: &Exclusion, entry: &Activity) -> Result<Option<TakenOut>, StoreError> {
        Ok(self.state.lock().await.transaction(Work::Exclude(exclusion, entry)).await?.taken_out)
    }

    /// Takes the readings of a moment back into history; how many they were.
    pub(super) async fn include(&self, series: i64, taken_at: i64, entry: &Activity) -> Result<u64, StoreError> {
        self.do_some(Work::Include(series, taken_at, entry)).await
    }

    /// Adds an entry to the log of what was done.
    pub(super) async fn note(&self, entry: &Activity) -> Result<(), StoreError> {
        self.state.lock().await.transaction(Work::Note(entry)).await.map(drop)
    }

    /// Changes a group, scene or schedule, and writes down who did.
    pub(super) async fn change_plan(&self, kind: PlanKind, change: &PlanChange, entry: Option<&Activity>) -> Result<(), StoreError> {
        self.state.lock().await.transaction(Work::Plan(kind, change, entry)).await.map(drop)
    }

    /// Puts other patterns of topics in the place of all, and writes down who did.
    pub(super) async fn set_patterns(&self, patterns: &[String], entry: &Activity) -> Result<(), StoreError> {
        self.state.lock().await.transaction(Work::Patterns(patterns, entry)).await.map(drop)
    }

    /// Stores what is behind: last values.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        self.state.lock().await.settle().await
    }

    /// Takes on a little of an earlier version's table; whether there is more.
    pub(super) async fn adopt(&self) -> Result<bool, StoreError> {
        Ok(self.do_some(Work::Adopt).await? > 0)
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

    /// Makes what the next generation consists of take the place of what is there, with what that leaves of some series.
    pub(super) async fn retire(&self, floors: &[(i64, Floor)]) -> Result<(), StoreError> {
        self.state.lock().await.transaction(Work::Retire(floors)).await.map(drop)
    }

    /// Deletes a little of what is past its time and in no block; whether there is more.
    pub(super) async fn expire(&self, expired: &Expired) -> Result<bool, StoreError> {
        Ok(self.do_some(Work::Expire(expired)).await? > 0)
    }

    /// Deletes a little of what is sealed from the journal; whether there is more.
    pub(super) async fn clear_journal(&self) -> Result<bool, StoreError> {
        Ok(self.do_some(Work::ClearJournal).await? > 0)
    }

    /// Deletes some blocks whose place others took; whether there are more. Nobody may read them any more.
    pub(super) async fn clear_blocks(&self) -> Result<bool, StoreError> {
        Ok(self.do_some(Work::ClearBlocks).await? > 0)
    }

    /// Takes back a little of a generation that was begun and not finished; whether there is more.
    pub(super) async fn take_back(&self) -> Result<bool, StoreError> {
        Ok(self.do_some(Work::TakeBack).await? > 0)
    }

    /// Gives a little of what is free back to the disk; whether there is more.
    pub(super) async fn shrink(&self) -> Result<bool, StoreError> {
        Ok(self.do_some(Work::Shrink).await? > 0)
    }

    /// How much was done.
    async fn do_some(&self, work: Work<'_>) -> Result<u64, StoreError> {
        Ok(self.state.lock().await.transaction(work).await?.n)
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
            let (generation, sealed_seq) = sealed::get(connection).await?;
            if generation != self.hot.ask(Tables::generation) {
                // A generation may be one that has less in its blocks, and nothing more of the journal.
                match self.hot.ask(Tables::closed_seq) {
                    Some(seq) if sealed_seq < seq => self.hot.remade(generation),
                    _ => self.hot.sealed(generation),
                }
                self.ends.forget();
                self.hot.floors(floor::list(connection).await?);
            }
            self.excluded = Excluded::load(connection).await?;
            let written = last_value::written(connection).await?;
            loop {
                let rows = journal::list(connection, self.hot.ask(Tables::seq)).await?;
                if rows.is_empty() {
                    break;
                }
                for journal::Row { seq, kind, entries } in rows {
                    if kind == Kind::Came {
                        self.behind.take_found(&entries, &written);
                    }
                    self.hot.follow(seq, kind, &entries);
                }
            }
            self.unsure = false;
        }
        Ok(())
    }

    /// Not sqlx's own transaction: on a full disk SQLite rolls back by itself, sqlx's rollback then fails and its count of open transactions
    /// never gets back to zero.
    async fn transaction(&mut self, work: Work<'_>) -> Result<Done, StoreError> {
        self.make_sure().await?;
        let connection = self.connection.as_mut().ok_or_else(closed)?;
        // Noted before anything is asked for: when this future is dropped, what was asked for happens all the same.
        (self.open, self.unsure) = (true, true);
        // Immediate: a transaction that reads first and writes later can fail in between, where no waiting helps.
        sqlx::query("begin immediate").execute(&mut *connection).await?;
        let generation = self.hot.ask(Tables::generation);
        if let Work::Include(series, taken_at, _) = work {
            self.excluded.forget(series, taken_at);
        }
        let into = Storing { keys: &mut self.keys, ends: &mut self.ends, hot: &self.hot, excluded: &self.excluded };
        let done = work.run(connection, into, &self.behind, self.budget).await;
        if matches!((&done, work), (Ok(_), Work::TryFill(_))) {
            self.roll_back().await;
            self.unsure = false;
            return done;
        }
        let committed = match &done {
            Ok(_) => sqlx::query("commit").execute(&mut *connection).await.map(drop).map_err(StoreError::from),
            Err(_) => Ok(()),
        };
        match (done, committed) {
            (Ok(mut done), Ok(())) => {
                if let Some((new, seq)) = done.stored.take() {
                    self.hot.add(seq, &new.numbers);
                    new.last_numbers.into_iter().for_each(|(series, last)| self.behind.take(series, last));
                }
                if let Some(taken) = &done.taken_out {
                    self.hot.follow(taken.hot.1, Kind::TakenOut, &taken.hot.0);
                    self.excluded.take(taken);
                    if taken.is_remade {
                        self.hot.remade(generation + 1);
                        self.ends.forget();
                    }
                }
                match work {
                    Work::Last => self.behind = Behind::default(),
                    Work::Seal(_) => {
                        self.hot.sealed(generation + 1);
                        self.ends.forget();
                    }
                    // Where the blocks of a series end is still where its readings end.
                    Work::Retire(floors) => self.hot.retired(generation + 1, floors),
                    _ => {}
                }
                (self.open, self.unsure) = (false, false);
                Ok(done)
            }
            (Err(error), _) | (_, Err(error)) => {
                self.roll_back().await;
                // As it was before, and known to be so; but for what was to be taken back, which is looked up again.
                self.unsure = matches!(work, Work::Include(..));
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

fn closed() -> StoreError {
    StoreError::Failed("it is closed".to_owned())
}
