//! What is done beside ingest, in steps that are each so short that nobody notices.

use std::collections::VecDeque;
use std::sync::Arc;

use sqlx::SqlitePool;
use tokio::sync::Mutex;

use super::block;
use super::hot::Tables;
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
}

impl Tender {
    pub(super) fn new(most_hot: usize) -> Self {
        Self { most_hot, stage: Mutex::default() }
    }

    /// One step; whether there is another to be done at once.
    pub(super) async fn step(&self, writer: &Writer, readers: &SqlitePool) -> Result<bool, StoreError> {
        let mut stage = self.stage.lock().await;
        // Should this future be dropped, the next one looks anew.
        let (next, more) = self.next(std::mem::take(&mut *stage), writer, readers).await?;
        *stage = next;
        Ok(more)
    }

    async fn next(&self, stage: Stage, writer: &Writer, readers: &SqlitePool) -> Result<(Stage, bool), StoreError> {
        Ok(match stage {
            Stage::Look => (if writer.take_back().await? { Stage::Look } else { Stage::ClearJournal }, true),
            Stage::ClearJournal => (if writer.clear_journal().await? { Stage::ClearJournal } else { Stage::ClearBlocks }, true),
            Stage::ClearBlocks if writer.hot().is_read() => (Stage::ClearBlocks, false),
            Stage::ClearBlocks => (if writer.clear_blocks().await? { Stage::ClearBlocks } else { Stage::Shrink }, true),
            Stage::Shrink => (if writer.shrink().await? { Stage::Shrink } else { Stage::Wait }, true),
            Stage::Wait => match self.begin(writer, readers).await? {
                Some(stage) => (stage, true),
                None => (Stage::Wait, false),
            },
            Stage::Seal { seq, left, next_id } => (pack(seq, left, next_id, writer, readers).await?, true),
        })
    }

    /// Closes the hot readings if there are enough of them.
    async fn begin(&self, writer: &Writer, readers: &SqlitePool) -> Result<Option<Stage>, StoreError> {
        let ((n, n_series), closed) = writer.hot().ask(|tables| (tables.n_open(), tables.closed_seq()));
        // What was closed before something went wrong is still to be sealed.
        if closed.is_none() && n < (n_series * PER_SERIES).max(AT_LEAST).min(self.most_hot) {
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
    let generation = writer.hot().ask(Tables::generation);
    // Blocks change only here, so that what is read now is still true when it is written: the writer is free meanwhile.
    let change = seal::change(&mut *readers.acquire().await?, generation, &some, &mut next_id).await?;
    writer.prepare(&change).await?;
    Ok(Stage::Seal { seq, left, next_id })
}
