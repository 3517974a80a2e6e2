//! What is done beside ingest, in steps that are each so short that nobody notices.

use std::collections::VecDeque;
use std::sync::Arc;

use sqlx::SqlitePool;
use tokio::sync::{Mutex, MutexGuard};

use super::block;
use super::keep::{Keeper, Retiring};
use super::seal;
use super::writer::Writer;
use crate::store::StoreError;
use crate::store::codec::Point;

/// Readings of each series that are sealed at once, as far as memory allows: the short last block of each is packed anew each time.
const PER_SERIES: usize = 256;
/// Where there are few series, readings wait until there are so many.
const AT_LEAST: usize = 100_000;
/// Readings that a step packs: some milliseconds.
const STEP_POINTS: usize = 8_192;
/// Series of a step: what it writes is a few dozen pages.
const STEP_SERIES: usize = 16;

/// Seals what is no longer new, and clears away what that leaves.
#[derive(Debug)]
pub(super) struct Tender {
    most_hot: usize,
    stage: Mutex<Stage>,
    keeper: Mutex<Keeper>,
}

/// No step is taken while this is held.
#[derive(Debug)]
pub(super) struct Held<'a> {
    _stage: MutexGuard<'a, Stage>,
}

/// What the next step does.
#[derive(Debug, Default)]
enum Stage {
    /// Finds out what there is: at the start, and whenever something went wrong.
    #[default]
    Look,
    /// Deletes from the journal what is sealed.
    ClearJournal,
    /// Deletes blocks whose place others took, once nobody reads them.
    ClearBlocks,
    /// Gives what is free back to the disk.
    Shrink,
    /// Waits until there is enough to seal.
    Wait,
    /// Packs these series.
    Seal { seq: i64, left: VecDeque<(i64, Arc<Vec<Point>>)>, next_id: i64 },
    /// Gives up what is not to be kept.
    Retire(Retiring),
}

impl Tender {
    pub(super) fn new(most_hot: usize, keeper: Keeper) -> Self {
        Self { most_hot, stage: Mutex::default(), keeper: Mutex::new(keeper) }
    }

    /// Readings that are held in memory at most.
    pub(super) const fn most_hot(&self) -> usize {
        self.most_hot
    }

    /// One step; whether there is another to be done at once.
    pub(super) async fn step(&self, writer: &Writer, readers: &SqlitePool) -> Result<bool, StoreError> {
        let mut stage = self.stage.lock().await;
        // Should this future be dropped, the next one looks anew.
        let (next, more) = self.next(std::mem::take(&mut *stage), writer, readers).await?;
        *stage = next;
        Ok(more)
    }

    /// Lets nobody take a step while what this returns is held, and leaves nothing begun: for whoever changes blocks himself.
    pub(super) async fn hold(&self, writer: &Writer) -> Result<Held<'_>, StoreError> {
        let mut stage = self.stage.lock().await;
        *stage = Stage::Look;
        while writer.take_back().await? {}
        Ok(Held { _stage: stage })
    }

    async fn next(&self, stage: Stage, writer: &Writer, readers: &SqlitePool) -> Result<(Stage, bool), StoreError> {
        Ok(match stage {
            Stage::Look => (if writer.take_back().await? { Stage::Look } else { Stage::ClearJournal }, true),
            Stage::ClearJournal => (if writer.clear_journal().await? { Stage::ClearJournal } else { Stage::ClearBlocks }, true),
            Stage::ClearBlocks if writer.hot().is_read() => (Stage::ClearBlocks, false),
            Stage::ClearBlocks => (if writer.clear_blocks().await? { Stage::ClearBlocks } else { Stage::Shrink }, true),
            Stage::Shrink => (if writer.shrink().await? { Stage::Shrink } else { Stage::Wait }, true),
            Stage::Wait if self.keeper.lock().await.expire(writer).await? => (Stage::Wait, true),
            Stage::Wait => match self.begin(writer, readers).await? {
                Some(stage) => (stage, true),
                None => (Stage::Wait, self.keeper.lock().await.has_more()),
            },
            Stage::Seal { seq, left, next_id } => {
                let next = pack(seq, left, next_id, writer, readers).await?;
                if matches!(next, Stage::ClearJournal) {
                    self.keeper.lock().await.look_again();
                }
                (next, true)
            }
            Stage::Retire(retiring) => match self.keeper.lock().await.step(retiring, writer, readers).await? {
                Some(retiring) => (Stage::Retire(retiring), true),
                None => (Stage::ClearBlocks, true),
            },
        })
    }

    /// Gives up what is due, or closes the hot readings if there are enough of them.
    async fn begin(&self, writer: &Writer, readers: &SqlitePool) -> Result<Option<Stage>, StoreError> {
        let ((n, n_series), closed) = writer.hot().ask(|tables| (tables.n_open(), tables.closed_seq()));
        // What was closed before something went wrong is still to be sealed.
        let seals = closed.is_some() || n >= (n_series * PER_SERIES).max(AT_LEAST).min(self.most_hot);
        if let Some(retiring) = self.keeper.lock().await.due(writer, readers, seals).await? {
            return Ok(Some(Stage::Retire(retiring)));
        }
        if !seals {
            return Ok(None);
        }
        let next_id = block::last_data_id(&mut *readers.acquire().await?).await?;
        writer.hot().close();
        Ok(writer.hot().ask(|tables| Some(Stage::Seal { seq: tables.closed_seq()?, left: tables.list_closed().into(), next_id })))
    }
}

/// Packs some series; when all are, makes that known.
async fn pack(
    seq: i64,
    mut left: VecDeque<(i64, Arc<Vec<Point>>)>,
    mut next_id: i64,
    writer: &Writer,
    readers: &SqlitePool,
) -> Result<Stage, StoreError> {
    if left.is_empty() {
        writer.seal(seq).await?;
        return Ok(Stage::ClearJournal);
    }
    let (mut some, mut n) = (vec![], 0);
    while let Some((series, points)) = left.pop_front_if(|(_, points)| n == 0 || (n + points.len() <= STEP_POINTS && some.len() < STEP_SERIES)) {
        n += points.len();
        some.push((series, points));
    }
    let (generation, floors) = writer.hot().ask(|tables| (tables.generation(), Arc::clone(tables.floors())));
    // Blocks change only here, so that what is read now is still true when it is written: the writer is free meanwhile.
    let change = seal::change(&mut *readers.acquire().await?, generation, &floors, &some, &mut next_id).await?;
    writer.prepare(&change).await?;
    Ok(Stage::Seal { seq, left, next_id })
}
