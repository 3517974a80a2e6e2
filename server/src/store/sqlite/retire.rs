//! What is not kept any more: readings to minutes, those to nothing but the hours that hold them already, and those to nothing.

use std::collections::HashMap;

use sqlx::sqlite::SqliteConnection;

use super::block::{self, Head};
use super::floor::Floor;
use super::hours::{self, Gains, Span};
use super::seal::Change;
use crate::store::StoreError;

/// Blocks whose readings a step reads: some milliseconds.
const READ: usize = 16;
/// Blocks of a series that a step looks at.
const LOOKED_AT: i64 = 256;
/// Rows of a series that a step gives up.
const GIVEN_UP: i64 = 64;
/// Readings of a minute from which on its sum takes less room than they do.
const WORTH: i64 = 3;

/// What is to be done with a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) series: i64,
    pub(super) cut: Cut,
}

/// What goes, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Blocks that are older as a whole, to minutes. Those that would take no less room as minutes stay, and are told as minutes.
    Old(i64),
    /// Blocks that begin before, to minutes, where that saves room.
    Pack(i64),
    /// Minutes, and blocks: hours hold what they come to. A whole hour.
    Drop(i64),
    /// Hours.
    Forget(i64),
}

/// What some tasks change.
#[derive(Debug, Default)]
pub(super) struct Retired {
    pub(super) change: Change,
    pub(super) floors: Vec<(i64, Floor)>,
    /// Blocks and rows that are gone.
    pub(super) n: usize,
    /// Blocks that were read.
    n_read: usize,
    /// What was not done to the end.
    pub(super) left: Vec<Task>,
    minutes: HashMap<i64, Gains>,
    hours: HashMap<i64, Gains>,
}

impl Retired {
    /// Whether a step may still take another task.
    pub(super) const fn has_room(&self) -> bool {
        self.n_read < READ && self.n < 4 * GIVEN_UP as usize
    }

    /// Works out a task. A series may have one in a generation: what is read is what was before it.
    pub(super) async fn take(&mut self, reader: &mut SqliteConnection, generation: i64, task: Task, floor: Floor) -> Result<(), StoreError> {
        let (after, is_done) = match task.cut {
            Cut::Old(cut) => self.pack(reader, generation, task.series, floor, (i64::MAX, cut)).await?,
            Cut::Pack(cut) => self.pack(reader, generation, task.series, floor, (cut, i64::MAX)).await?,
            Cut::Drop(cut) => self.drop_before(reader, generation, task.series, floor, cut).await?,
            Cut::Forget(cut) => {
                let rows = hours::ending_before(reader, generation, Span::Hour, task.series, cut, GIVEN_UP).await?;
                let is_done = rows.len() < GIVEN_UP as usize;
                self.give_up(Span::Hour, rows);
                (floor, is_done)
            }
        };
        if after != floor {
            self.floors.push((task.series, after));
        }
        if !is_done {
            self.left.push(task);
        }
        Ok(())
    }

    /// The rows of hours and minutes, once all tasks of a step are taken.
    pub(super) async fn finish(&mut self, reader: &mut SqliteConnection, generation: i64) -> Result<(), StoreError> {
        self.change.hours = hours::changed(reader, generation, Span::Hour, std::mem::take(&mut self.hours)).await?;
        self.change.minutes = hours::changed(reader, generation, Span::Minute, std::mem::take(&mut self.minutes)).await?;
        Ok(())
    }

    async fn pack(
        &mut self,
        reader: &mut SqliteConnection,
        generation: i64,
        series: i64,
        mut floor: Floor,
        (begins_before, ends_before): (i64, i64),
    ) -> Result<(Floor, bool), StoreError> {
        let is_by_age = ends_before < i64::MAX;
        let limit = begins_before.min(ends_before);
        let heads = block::first(reader, generation, series, (floor.packed_to, limit), LOOKED_AT).await?;
        let mut is_done = heads.len() < usize::try_from(LOOKED_AT).unwrap_or(usize::MAX);
        let mut packed: Vec<Head> = vec![];
        for head in heads {
            let end = head.end_at().saturating_add(1);
            if end > ends_before {
                is_done = true;
                break;
            }
            let is_worth = head.sum.n >= WORTH * Floor::minutes_between(head.start_at, head.end_at());
            if is_worth && !head.is_short() {
                if self.n_read >= READ {
                    is_done = false;
                    break;
                }
                self.n_read += 1;
                packed.push(head);
            }
            // The last block of a series grows on; what is in it is told as minutes all the same.
            if !head.is_short() {
                floor.packed_to = floor.packed_to.max(end);
            }
            if is_by_age || is_worth && !head.is_short() {
                floor.raw_from = floor.raw_from.max(end);
            }
        }
        let ids: Vec<i64> = packed.iter().map(|head| head.data_id).collect();
        if !ids.is_empty() {
            let read = block::read(reader, &ids).await?;
            let gains = self.minutes.entry(series).or_default();
            for head in &packed {
                hours::gain(Span::Minute, gains, read.get(&head.data_id).map(Vec::as_slice).unwrap_or_default());
            }
        }
        self.n += packed.len();
        self.change.dead.extend(packed);
        Ok((floor, is_done))
    }

    async fn drop_before(
        &mut self,
        reader: &mut SqliteConnection,
        generation: i64,
        series: i64,
        mut floor: Floor,
        cut: i64,
    ) -> Result<(Floor, bool), StoreError> {
        let rows = hours::ending_before(reader, generation, Span::Minute, series, cut, GIVEN_UP).await?;
        let heads = block::first(reader, generation, series, (Floor::NONE.raw_from, cut), GIVEN_UP).await?;
        let is_done = rows.len().max(heads.len()) < GIVEN_UP as usize;
        self.give_up(Span::Minute, rows);
        for head in heads.into_iter().filter(|head| head.end_at() < cut) {
            if head.is_short() {
                // Hours do not hold it yet.
                let points = block::read_one(reader, head.data_id).await?;
                hours::gain(Span::Hour, self.hours.entry(series).or_default(), &points);
            }
            self.n += 1;
            self.change.dead.push(head);
        }
        for moment in [&mut floor.minutes_from, &mut floor.raw_from, &mut floor.packed_to] {
            *moment = cut.max(*moment);
        }
        Ok((floor, is_done))
    }

    fn give_up(&mut self, span: Span, rows: Vec<i64>) {
        if !rows.is_empty() {
            self.n += rows.len();
            self.change.gone.push((span, rows));
        }
    }
}
