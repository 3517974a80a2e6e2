//! SQLite's own program: somebody else at the database.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::NotHere;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// `sqlite3` with a database open. Dropped, it is killed.
pub(super) struct Sqlite {
    process: Child,
    say: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Sqlite {
    /// Opens a database; waits as long as anything takes for one that is locked.
    pub(super) async fn open(database: &Path) -> Result<Self> {
        let started =
            Command::new("sqlite3").arg("-batch").arg("-bail").arg(database).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn();
        let mut process = started.map_err(|error| NotHere(format!("cannot start sqlite3 ({error}): please install it")))?;
        let say = process.stdin.take().context("sqlite3 has no standard input")?;
        let lines = BufReader::new(process.stdout.take().context("sqlite3 has no standard output")?).lines();
        let mut sqlite = Self { process, say, lines };
        sqlite.ask(".timeout 30000\nselect 1;").await?;
        Ok(sqlite)
    }

    /// Runs statements of which the last one answers with a row, and returns its first line.
    pub(super) async fn ask(&mut self, statements: &str) -> Result<String> {
        self.say.write_all(format!("{statements}\n").as_bytes()).await.context("sqlite3 has ended")?;
        let line = timeout(PATIENCE, self.lines.next_line()).await.with_context(|| format!("sqlite3 does not answer {statements}"))??;
        line.with_context(|| format!("sqlite3 ended at {statements}"))
    }

    /// Ends it; a transaction that is open is rolled back.
    pub(super) async fn close(mut self) -> Result<()> {
        drop(self.say);
        let status = timeout(PATIENCE, self.process.wait()).await.context("sqlite3 does not end")??;
        ensure!(status.success(), "sqlite3 ended with {status}");
        Ok(())
    }
}

/// Fails unless the database is sound.
pub(super) async fn check(database: &Path) -> Result<()> {
    let mut sqlite = Sqlite::open(database).await?;
    let answer = sqlite.ask("pragma integrity_check;").await?;
    ensure!(answer == "ok", "the database is broken: {answer}");
    sqlite.close().await
}
