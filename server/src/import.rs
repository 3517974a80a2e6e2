//! `signalbox import`: history from a table, into the database itself, while no server runs.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use domain::entity::EntityId;
use domain::fleet::Fleet;
use domain::reading::Reading;
use domain::time::Timestamp;
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use crate::application::plant;
use crate::clock::now;
use crate::config::Config;
use crate::fill::{PIECE, Target};
use crate::rows::{Row, Rows};
use crate::store::activity::{Activity, Actor};
use crate::store::sqlite::{Alone, Beside, Settings, SqliteStore};
use crate::store::{Store as _, StoreError};
use crate::table_in::{Columns, TableError};

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;
/// Lines that are told with what is wrong with them.
const MOST_TOLD: usize = 10;
/// Entities that the log of what was done names.
const MOST_NAMED: usize = 50;

/// What `signalbox import` takes, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportArgs {
    /// The table.
    pub file: PathBuf,
    /// Says what would be stored, and stores nothing.
    pub dry_run: bool,
}

/// Stores the readings of a table that are not there yet, until `stop` ends. What cannot be read is left out and told; what was done is said on
/// standard output.
///
/// # Errors
/// A sentence that names what is in the way, or says how many lines were left out.
pub async fn run(config: &Config, args: &ImportArgs, stop: impl Future<Output = ()>) -> Result<()> {
    let path = &config.database.path;
    // It has to be there, and of this version: entities are known from it, and nothing is brought up to date by the way.
    drop(Beside::open(path).await?);
    let _alone =
        Alone::take(path).context("an import needs it for itself: stop the server, or send the table to it with POST /api/v1/history.csv")?;
    let mut file = tokio::fs::File::open(&args.file).await.with_context(|| format!("cannot read {}", args.file.display()))?;
    let store = SqliteStore::open_with(path, Settings { retention: config.retention().into(), ..Settings::default() }).await?;
    let mut import = Import::new(config, &store, args.dry_run).await?;
    let done = import.read_all(&mut file, &args.file, stop).await;
    let noted = import.note().await;
    let told = import.tell(&args.file);
    store.close().await;
    done?;
    noted.context("what was done could not be written into the log")?;
    told
}

/// A table on its way in.
struct Import<'a> {
    store: &'a SqliteStore,
    fleet: Fleet,
    is_dry: bool,
    rows: Rows,
    columns: Option<Columns>,
    targets: HashMap<String, Target>,
    /// Read, and not stored yet.
    waiting: Vec<Reading>,
    stored: usize,
    known: usize,
    bad: usize,
    /// The first of the lines that are bad, with what is wrong with them.
    first_bad: Vec<TableError>,
    /// First and last moment.
    ends: Option<(Timestamp, Timestamp)>,
}

impl<'a> Import<'a> {
    async fn new(config: &Config, store: &'a SqliteStore, is_dry: bool) -> Result<Self> {
        Ok(Self {
            store,
            fleet: plant(config, store).await?,
            is_dry,
            rows: Rows::default(),
            columns: None,
            targets: HashMap::new(),
            waiting: vec![],
            stored: 0,
            known: 0,
            bad: 0,
            first_bad: vec![],
            ends: None,
        })
    }

    async fn read_all(&mut self, file: &mut tokio::fs::File, name: &Path, stop: impl Future<Output = ()>) -> Result<()> {
        let mut stop = std::pin::pin!(stop);
        let mut chunk = vec![0; CHUNK];
        loop {
            let n = tokio::select! {
                biased;
                () = &mut stop => bail!("told to stop in the midst of {}; the same again adds what is missing", name.display()),
                n = file.read(&mut chunk) => n.with_context(|| format!("cannot read {}", name.display()))?,
            };
            let read = self.take(&chunk[..n]);
            self.store(n == 0 || read.is_err()).await?;
            read.with_context(|| name.display().to_string())?;
            if n == 0 {
                return Ok(());
            }
        }
    }

    /// Takes a piece of the table; none of it is its end. What ends it early is an error.
    fn take(&mut self, piece: &[u8]) -> Result<()> {
        let now = now();
        let mut rows = vec![];
        let read = self.rows.push(piece, &mut rows);
        for row in rows {
            match &self.columns {
                None => self.columns = Some(Columns::read(&row)?),
                Some(columns) => match reading(columns, &row, &mut self.targets, &self.fleet, now) {
                    Ok(reading) => {
                        let (first, last) = self.ends.unwrap_or((reading.taken_at, reading.taken_at));
                        self.ends = Some((first.min(reading.taken_at), last.max(reading.taken_at)));
                        self.waiting.push(reading);
                    }
                    Err(error) => {
                        self.bad += 1;
                        if self.first_bad.len() < MOST_TOLD {
                            self.first_bad.push(error);
                        }
                    }
                },
            }
        }
        read?;
        if piece.is_empty() && self.columns.is_none() {
            bail!("the table is empty: its first line names the columns entity,time,value");
        }
        Ok(())
    }

    /// Stores what waits, in pieces; what is less than one waits on, unless it is the last.
    async fn store(&mut self, is_last: bool) -> Result<()> {
        while self.waiting.len() >= PIECE || (is_last && !self.waiting.is_empty()) {
            let piece: Vec<Reading> = self.waiting.drain(..PIECE.min(self.waiting.len())).collect();
            let stored = self.store_piece(&piece).await.with_context(|| {
                let done = if self.is_dry { "would be stored" } else { "were stored" };
                format!("{} readings {done} before; the same again adds what is missing", self.stored)
            })?;
            self.stored += stored;
            self.known += piece.len() - stored;
        }
        Ok(())
    }

    async fn store_piece(&self, piece: &[Reading]) -> Result<usize, StoreError> {
        if self.is_dry {
            return self.store.try_fill(piece).await;
        }
        match self.store.fill(piece).await {
            // Room is made beside, by what a server does all the time.
            Err(StoreError::Full) => {
                while self.store.tend().await? {}
                self.store.fill(piece).await
            }
            done => done,
        }
    }

    /// Writes into the log that readings were filled in.
    async fn note(&self) -> Result<(), StoreError> {
        if self.is_dry || self.stored == 0 {
            return Ok(());
        }
        let (from, to) = self.ends.unzip();
        let entities: Vec<&EntityId> = self.targets.values().map(Target::entity).take(MOST_NAMED).collect();
        let detail = json!({"stored": self.stored, "known": self.known, "from": from, "to": to, "entities": entities});
        let who = Actor { name: "signalbox import".to_owned(), address: None };
        self.store
            .note(&Activity { at: now(), who, what: "history.import".to_owned(), entity: None, outcome: "done".to_owned(), after_ms: None, detail })
            .await
    }

    /// Says what was done. Lines that were left out are an error.
    fn tell(&self, name: &Path) -> Result<()> {
        let Self { stored, known, bad, is_dry, .. } = self;
        let (done, left_out) = if *is_dry { ("would be stored", "would be left out") } else { ("stored", "left out") };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{stored} readings {done}, {known} were there already, {bad} lines {left_out}")?;
        for error in &self.first_bad {
            writeln!(out, "{error}")?;
        }
        if let Some(more @ 1..) = bad.checked_sub(self.first_bad.len()) {
            writeln!(out, "and {more} lines more")?;
        }
        out.flush()?;
        if *bad > 0 {
            bail!("{bad} lines of {} make no sense", name.display());
        }
        Ok(())
    }
}

/// The reading that a row says, of an entity that is known.
fn reading(columns: &Columns, row: &Row, targets: &mut HashMap<String, Target>, fleet: &Fleet, now: Timestamp) -> Result<Reading, TableError> {
    let name = columns.cells(row)?.entity;
    if !targets.contains_key(name) {
        let found = EntityId::parse(name).ok().and_then(|id| fleet.entity(&id));
        let view = found.ok_or_else(|| TableError::unknown(row.line, name))?;
        targets.insert(name.to_owned(), Target::of(&view).converting(fleet.conversion(&view.id)));
    }
    columns.reading(row, &targets[name], now)
}
