//! Reading a database that another program may be writing: a server that runs, mostly.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use domain::downsample::{self, Grid};
use domain::entity::EntityId;
use domain::history::{Range, Resolution, Series};
use domain::time::Timestamp;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::answer::answer;
use super::error::open_reason;
use super::floor::{self, Floor};
use super::history::{self, Asked};
use super::hot::{Hot, Tables};
use super::journal::{self, Row};
use super::{open, registry, sealed, series, written};
use crate::store::codec::Point;
use crate::store::{Saved, StoreError};

/// How long to wait for whoever holds the database; readers wait for nobody but a server that starts.
const BUSY: Duration = Duration::from_secs(5);

/// A database that is only read. Nothing is ever changed by it, and nobody has to know of it: each question is answered from one state of the
/// database, which is let go of before the next.
#[derive(Debug)]
pub struct Beside {
    connection: SqliteConnection,
    /// What is in no block, as far as it was read, and the last row of the journal that is in blocks.
    hot: Hot,
    sealed_seq: Option<i64>,
}

impl Beside {
    /// Opens the database at `path`, which must be there and be of this version.
    ///
    /// # Errors
    /// [`StoreError::Open`] names the path and says what is wrong with it.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |reason: String| StoreError::Open { path: path.display().to_string(), reason };
        let absolute = std::path::absolute(path).map_err(|error| failed(error.to_string()))?;
        if !tokio::fs::try_exists(&absolute).await.unwrap_or(false) {
            return Err(failed("there is no such file".to_owned()));
        }
        let options = SqliteConnectOptions::new().filename(&absolute).read_only(true).busy_timeout(BUSY).disable_statement_logging();
        let mut connection = options.connect().await.map_err(|error| failed(open_reason(&error).into_owned()))?;
        open::check_version(&mut connection).await.map_err(failed)?;
        Ok(Self { connection, hot: Hot::default(), sealed_seq: None })
    }

    /// All entities that have a history, by id.
    ///
    /// # Errors
    /// What the database says.
    pub async fn list_entities(&mut self) -> Result<Vec<EntityId>, StoreError> {
        let rows: Vec<String> = sqlx::query_scalar("select entity_id from series order by entity_id").fetch_all(&mut self.connection).await?;
        Ok(rows.iter().filter_map(|id| EntityId::parse(id).ok()).collect())
    }

    /// The devices and entities that are known, and what operators wrote about them; nothing of what they say.
    ///
    /// # Errors
    /// What the database says.
    pub async fn registry(&mut self) -> Result<Saved, StoreError> {
        Ok(Saved {
            devices: registry::list_devices(&mut self.connection).await?,
            entities: registry::list_entities(&mut self.connection).await?,
            written: written::list(&mut self.connection).await?,
            ..Saved::default()
        })
    }

    /// A range that holds all readings of an entity; `None` where there are none.
    ///
    /// # Errors
    /// What the database says.
    pub async fn ends(&mut self, entity: &EntityId) -> Result<Option<Range>, StoreError> {
        let Some(key) = self.key(entity).await? else { return Ok(None) };
        self.within_one_state(async |connection, hot| {
            // Hours hold what is in blocks and what was; the rest is in the last block and in memory.
            let (first, last): (Option<i64>, Option<i64>) = sqlx::query_as(
                "select min(first_at), max(last_at) from (
                   select min(chunk_at) as first_at, max(chunk_at) as last_at from hours where series_id = ?1
                   union all select min(start_at), max(end_key >> 1) from block where series_id = ?1
                 )",
            )
            .bind(key)
            .fetch_one(connection)
            .await?;
            let view = hot.view(&[key]);
            let points = || view.points(key);
            let first = points().filter_map(<[_]>::first).map(Point::taken_at).chain(first).min();
            let last = points().filter_map(<[_]>::last).map(Point::taken_at).chain(last).max();
            let range = |(from, to): (i64, i64)| Range { from: Timestamp::from_ms(from), to: Timestamp::from_ms(to.saturating_add(1)) };
            Ok(first.zip(last).map(range))
        })
        .await
    }

    /// The moment from which on single readings of an entity are kept.
    ///
    /// # Errors
    /// What the database says.
    pub async fn raw_from(&mut self, entity: &EntityId) -> Result<Timestamp, StoreError> {
        let Some(key) = self.key(entity).await? else { return Ok(Timestamp::from_ms(i64::MIN)) };
        self.within_one_state(async |_, hot| Ok(Timestamp::from_ms(hot.ask(|tables| Floor::of(tables.floors(), key).raw_from)))).await
    }

    /// As [`crate::store::Store::history`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn history(&mut self, entities: &[EntityId], range: Range, points: usize) -> Result<Vec<Series>, StoreError> {
        let range = history::within_ends(range);
        let bucket_ms = downsample::bucket_ms(range, points);
        let asked = Asked { range, grid: Grid::Even(bucket_ms), resolution: Resolution::BucketMs(bucket_ms) };
        self.within_one_state(async |connection, hot| answer(connection, hot, entities, asked, Some(points)).await).await
    }

    /// As [`crate::store::Store::buckets`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn buckets(&mut self, entities: &[EntityId], range: Range, bucket_ms: i64) -> Result<Vec<Series>, StoreError> {
        let (range, bucket_ms) = (history::within_ends(range), bucket_ms.max(1));
        let asked = Asked { range, grid: Grid::Even(bucket_ms), resolution: Resolution::BucketMs(bucket_ms) };
        self.within_one_state(async |connection, hot| answer(connection, hot, entities, asked, None).await).await
    }

    async fn key(&mut self, entity: &EntityId) -> Result<Option<i64>, StoreError> {
        let keys: HashMap<EntityId, i64> = series::find(&mut self.connection, std::slice::from_ref(entity)).await?;
        Ok(keys.get(entity).copied())
    }

    /// Asks something of one state of the database, with what is in no block as it is in that state.
    async fn within_one_state<T>(
        &mut self,
        question: impl AsyncFnOnce(&mut SqliteConnection, &Hot) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // What an earlier question may have left open, when its future was dropped.
        let _: Result<_, _> = sqlx::query("rollback").execute(&mut self.connection).await;
        sqlx::query("begin").execute(&mut self.connection).await?;
        self.follow().await?;
        let answer = question(&mut self.connection, &self.hot).await;
        sqlx::query("commit").execute(&mut self.connection).await?;
        answer
    }

    /// Takes what the server did since the last question.
    async fn follow(&mut self) -> Result<(), StoreError> {
        let (generation, sealed_seq) = sealed::get(&mut self.connection).await?;
        if self.sealed_seq != Some(sealed_seq) {
            self.hot.reset(generation, sealed_seq);
            self.sealed_seq = Some(sealed_seq);
        }
        self.hot.remade(generation);
        self.hot.floors(floor::list(&mut self.connection).await?);
        loop {
            let rows = journal::list(&mut self.connection, self.hot.ask(Tables::seq)).await?;
            if rows.is_empty() {
                return Ok(());
            }
            for Row { seq, kind, entries } in rows {
                self.hot.follow(seq, kind, &entries);
            }
        }
    }
}
