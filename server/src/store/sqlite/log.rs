use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::time::Instant;

use super::budget::Budget;

/// A log of this length is begun anew, though readers be waited for; a shorter one where the disk budget is small.
const LONG_BYTES: u64 = 64 * 1024 * 1024;
/// How long readers are waited for.
const WAIT: Duration = Duration::from_millis(500);
/// Batches between two looks at its length.
const LOOK_EVERY: u32 = 64;
/// Time between two attempts.
const AGAIN: Duration = Duration::from_secs(10);

/// Keeps the write-ahead log short.
///
/// SQLite copies the log to the database by itself, and begins it anew once nobody reads from it. Where readers follow each other without a gap
/// there is no such moment, and the log would grow without end: then the writer waits for those that read, while new ones read from the database.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    options: SqliteConnectOptions,
    long_bytes: u64,
    n_batches: u32,
    tried: Option<Instant>,
}

impl Log {
    pub(super) fn new(database: &Path, budget: Option<Budget>) -> Self {
        let options = SqliteConnectOptions::new().filename(database).busy_timeout(WAIT).disable_statement_logging();
        let long_bytes = budget.map_or(LONG_BYTES, |budget| budget.long_log_bytes().cast_unsigned());
        Self { path: path(database), options, long_bytes, n_batches: 0, tried: None }
    }

    /// After a batch, outside a transaction.
    pub(super) async fn keep_short(&mut self, connection: &mut SqliteConnection) {
        self.n_batches = self.n_batches.wrapping_add(1);
        if !self.n_batches.is_multiple_of(LOOK_EVERY) || self.tried.is_some_and(|tried| tried.elapsed() < AGAIN) {
            return;
        }
        match tokio::fs::metadata(&self.path).await {
            Ok(found) if found.len() > self.long_bytes => {}
            _ => return,
        }
        self.tried = Some(Instant::now());
        match self.begin_anew(connection).await {
            Ok(true) => tracing::debug!("The write-ahead log was begun anew"),
            Ok(false) => tracing::warn!("Another program reads the database and keeps the write-ahead log from being begun anew"),
            Err(error) => tracing::warn!(%error, "The write-ahead log cannot be begun anew"),
        }
    }

    async fn begin_anew(&self, connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        // Whoever holds a snapshot of before the end of the log holds it for long: no waiting for those.
        let (_, length, copied): (i64, i64, i64) = sqlx::query_as("pragma wal_checkpoint(passive)").fetch_one(&mut *connection).await?;
        if copied < length {
            return Ok(false);
        }
        // A connection of its own, which waits less long than the one that writes does for other programs.
        let mut own = self.options.connect().await?;
        let (refused, ..): (i64, i64, i64) = sqlx::query_as("pragma wal_checkpoint(truncate)").fetch_one(&mut own).await?;
        own.close().await?;
        Ok(refused == 0)
    }
}

/// Where the log of a database is.
pub(super) fn path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    path.into()
}
