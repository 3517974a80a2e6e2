//! What a transaction of the writer does.

use domain::reading::Reading;
use sqlx::sqlite::SqliteConnection;

use super::budget::{self, Budget};
use super::exclude::{self, Exclusion, TakenOut};
use super::expire::Expired;
use super::floor::{self, Floor};
use super::hot::Tables;
use super::hours::Span;
use super::last_value::{self, Behind};
use super::reading::{New, Origin};
use super::seal::Change;
use super::storing::Storing;
use super::{activity, adopt, block, growth, hours, journal, pattern, scene, sealed, space};
use crate::clock::now;
use crate::store::activity::Activity;
use crate::store::plan::{PlanChange, PlanKind};
use crate::store::{Batch, StoreError};

/// What is to be done.
#[derive(Clone, Copy)]
pub(super) enum Work<'a> {
    Batch(&'a Batch),
    Fill(&'a [Reading]),
    /// As `Fill`, and taken back at once.
    TryFill(&'a [Reading]),
    Exclude(&'a Exclusion, &'a Activity),
    Include(i64, i64, &'a Activity),
    Note(&'a Activity),
    Plan(PlanKind, &'a PlanChange, Option<&'a Activity>),
    Patterns(&'a [String], &'a Activity),
    Last,
    Prepare(&'a Change),
    Seal(i64),
    Retire(&'a [(i64, Floor)]),
    Expire(&'a Expired),
    ClearJournal,
    ClearBlocks,
    TakeBack,
    Shrink,
    Adopt,
}

/// What was done.
#[derive(Default)]
pub(super) struct Done {
    /// Numbers to be taken, and the last row of the journal with them.
    pub(super) stored: Option<(New, i64)>,
    /// What is to be given up.
    pub(super) taken_out: Option<TakenOut>,
    pub(super) n: u64,
}

impl Work<'_> {
    /// Does it; the transaction is begun, and whoever asks ends it.
    pub(super) async fn run(
        self,
        connection: &mut SqliteConnection,
        mut into: Storing<'_>,
        behind: &Behind,
        budget: Option<Budget>,
    ) -> Result<Done, StoreError> {
        let hot = into.hot;
        let generation = hot.ask(Tables::generation);
        match self {
            Self::Batch(_) | Self::Fill(_) if !has_room(connection, budget).await? => Err(StoreError::Full),
            Self::Batch(batch) => into.write_all(connection, batch).await,
            Self::Fill(readings) => into.store(connection, Origin::Filled, readings).await,
            Self::TryFill(readings) => into.try_out(connection, readings).await,
            Self::Exclude(exclusion, entry) => {
                let taken_out = exclude::write(connection, hot, exclusion, entry).await?;
                Ok(Done { taken_out, ..Done::default() })
            }
            Self::Include(series, taken_at, entry) => into.include(connection, series, taken_at, entry).await,
            Self::Note(entry) => activity::insert(connection, entry).await.map(|()| Done::default()),
            Self::Plan(kind, change, entry) => plan(connection, kind, change, entry).await.map(|()| Done::default()),
            Self::Patterns(patterns, entry) => {
                pattern::replace(connection, patterns).await?;
                activity::insert(connection, entry).await.map(|()| Done::default())
            }
            Self::Last => last_value::upsert(connection, behind.list()).await.map(|()| Done::default()),
            Self::Prepare(change) => prepare(connection, generation + 1, change).await.map(|()| Done::default()),
            Self::Seal(seq) => seal(connection, generation + 1, seq, hot.ask(Tables::n_closed)).await.map(|()| Done::default()),
            Self::Retire(floors) => retire(connection, generation + 1, floors).await.map(|()| Done::default()),
            Self::Expire(expired) => expired.delete(connection).await.map(counted),
            Self::ClearJournal => clear_journal(connection).await,
            Self::ClearBlocks => clear_blocks(connection, generation).await.map(counted),
            Self::TakeBack => take_back(connection, generation).await.map(counted),
            Self::Shrink => space::give_back(connection, budget).await.map(counted),
            Self::Adopt => adopt::some(connection, hot.ask(Tables::seq)).await.map(adopted),
        }
    }
}

async fn has_room(connection: &mut SqliteConnection, budget: Option<Budget>) -> Result<bool, StoreError> {
    match budget {
        Some(budget) => budget::has_room(connection, budget).await,
        None => Ok(true),
    }
}

async fn plan(connection: &mut SqliteConnection, kind: PlanKind, change: &PlanChange, entry: Option<&Activity>) -> Result<(), StoreError> {
    scene::change(connection, kind, change).await?;
    match entry {
        Some(entry) => activity::insert(connection, entry).await,
        None => Ok(()),
    }
}

async fn prepare(connection: &mut SqliteConnection, generation: i64, change: &Change) -> Result<(), StoreError> {
    let Change { packed, dead, hours, minutes, gone } = change;
    block::insert(connection, generation, packed, dead).await?;
    hours::insert(connection, generation, Span::Hour, hours).await?;
    hours::insert(connection, generation, Span::Minute, minutes).await?;
    for (span, rows) in gone {
        hours::end(connection, generation, *span, rows).await?;
    }
    Ok(())
}

async fn seal(connection: &mut SqliteConnection, generation: i64, seq: i64, n: usize) -> Result<(), StoreError> {
    sealed::set(connection, generation, seq).await?;
    growth::add(connection, now(), n).await
}

async fn retire(connection: &mut SqliteConnection, generation: i64, floors: &[(i64, Floor)]) -> Result<(), StoreError> {
    let (_, seq) = sealed::get(connection).await?;
    floor::upsert(connection, floors).await?;
    sealed::set(connection, generation, seq).await
}

async fn clear_blocks(connection: &mut SqliteConnection, generation: i64) -> Result<usize, StoreError> {
    Ok(block::clear(connection, generation).await?
        + hours::clear(connection, generation, Span::Hour).await?
        + hours::clear(connection, generation, Span::Minute).await?)
}

async fn take_back(connection: &mut SqliteConnection, generation: i64) -> Result<usize, StoreError> {
    Ok(block::take_back(connection, generation).await?
        + hours::take_back(connection, generation, Span::Hour).await?
        + hours::take_back(connection, generation, Span::Minute).await?)
}

async fn clear_journal(connection: &mut SqliteConnection) -> Result<Done, StoreError> {
    let (_, seq) = sealed::get(connection).await?;
    Ok(Done { n: journal::delete(connection, seq).await?, ..Done::default() })
}

fn counted(n: usize) -> Done {
    Done { n: n as u64, ..Done::default() }
}

fn adopted((n, numbers, seq): (usize, Vec<journal::Entry>, i64)) -> Done {
    Done { stored: Some((New { numbers, ..New::default() }, seq)), n: n as u64, ..Done::default() }
}
