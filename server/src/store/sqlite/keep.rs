//! Keeps to what retention says: finds what is due, and does it in small steps.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;
use tokio::time::Instant;

use super::budget::{self, Budget, PAGE_BYTES, Pressure};
use super::expire::Expired;
use super::floor::Floor;
use super::hot::Tables;
use super::plan;
use super::retire::{Retired, Task};
use super::writer::Writer;
use crate::clock::now;
use crate::store::StoreError;
use crate::store::retention::Retention;

/// Time between two looks at what became too old, where nothing is sealed in between.
const AGAIN: Duration = Duration::from_secs(600);
/// Time between two looks for something that could go for room, where there was nothing.
const LATER: Duration = Duration::from_secs(10);
/// Blocks and rows that go with one generation, about.
const AT_ONCE: usize = 512;

/// Knows what is to be kept, and what is due.
#[derive(Debug)]
pub(super) struct Keeper {
    retention: Arc<Retention>,
    budget: Option<Budget>,
    /// What is due by age.
    tasks: VecDeque<Task>,
    expired: VecDeque<Expired>,
    looked: Option<Instant>,
    /// Room was made just now; whoever else has something to do comes first.
    made_room: bool,
    /// Rows were deleted just now.
    deleted: bool,
    /// Since when there is nothing left that could go.
    at_a_loss: Option<Instant>,
}

/// A generation that is being prepared.
#[derive(Debug)]
pub(super) struct Retiring {
    left: VecDeque<Task>,
    /// What was not done to the end.
    later: Vec<Task>,
    floors: Vec<(i64, Floor)>,
    n: usize,
    is_for_room: bool,
}

impl Keeper {
    pub(super) fn new(retention: Arc<Retention>) -> Self {
        let budget = retention.disk_budget_bytes.map(Budget::of);
        Self { retention, budget, tasks: VecDeque::new(), expired: VecDeque::new(), looked: None, made_room: false, deleted: false, at_a_loss: None }
    }

    /// Readings became blocks: some may be due at once.
    pub(super) fn look_again(&mut self) {
        self.looked = None;
    }

    /// What is due, if nothing is being sealed, nor should be by now.
    pub(super) async fn due(&mut self, writer: &Writer, readers: &SqlitePool, seals_next: bool) -> Result<Option<Retiring>, StoreError> {
        if std::mem::take(&mut self.made_room) && seals_next || writer.hot().ask(Tables::closed_seq).is_some() {
            return Ok(None);
        }
        let mut reader = readers.acquire().await?;
        if let Some(tasks) = self.for_room(writer, &mut reader).await? {
            self.made_room = true;
            return Ok(Some(Retiring::new(tasks.into(), true)));
        }
        if self.tasks.is_empty() && self.looked.is_none_or(|looked| looked.elapsed() >= AGAIN) {
            self.looked = Some(Instant::now());
            let oldest = self.oldest(writer, &mut reader).await?;
            self.tasks = plan::by_age(&oldest, now()).into();
            self.expired = plan::states(&oldest, now()).into();
            self.expired.extend(self.retention.log_cut(now()).map(Expired::Logged));
        }
        Ok((!self.tasks.is_empty()).then(|| Retiring::new(std::mem::take(&mut self.tasks), false)))
    }

    /// What has to go for room; `None` while there is enough.
    async fn for_room(&mut self, writer: &Writer, reader: &mut SqliteConnection) -> Result<Option<Vec<Task>>, StoreError> {
        let Some(budget) = self.budget else { return Ok(None) };
        let (all, free) = budget::pages(reader).await?;
        let used = (all - free) * PAGE_BYTES;
        let pressure = budget.pressure(used);
        if pressure == Pressure::None {
            self.at_a_loss = None;
            return Ok(None);
        }
        if self.at_a_loss.is_some_and(|since| since.elapsed() < LATER) {
            return Ok(None);
        }
        let tiers = budget::tiers(reader).await?;
        let oldest = self.oldest(writer, reader).await?;
        if used - tiers.iter().sum::<i64>() > budget.soft_bytes() / 4 && self.expired.is_empty() {
            self.expired = plan::oldest_states(&oldest, now()).into();
        }
        let tasks = plan::for_room(&oldest, budget, pressure, tiers, now());
        if tasks.is_empty() {
            if self.at_a_loss.replace(Instant::now()).is_none() && self.expired.is_empty() {
                tracing::warn!(
                    used_bytes = used,
                    "The disk budget is used up by what is newest, and nothing older is left to go: readings wait when it is full"
                );
            }
            return Ok(None);
        }
        Ok(Some(tasks))
    }

    async fn oldest(&self, writer: &Writer, reader: &mut SqliteConnection) -> Result<Vec<plan::Oldest>, StoreError> {
        plan::oldest(reader, writer.hot().ask(Tables::generation), &self.retention).await
    }

    /// Does some of what is due. Once that is made known, there is nothing left of it.
    pub(super) async fn step(&mut self, mut retiring: Retiring, writer: &Writer, readers: &SqlitePool) -> Result<Option<Retiring>, StoreError> {
        let (generation, floors) = writer.hot().ask(|tables| (tables.generation(), Arc::clone(tables.floors())));
        let mut retired = Retired::default();
        {
            let mut reader = readers.acquire().await?;
            while retired.has_room()
                && let Some(task) = retiring.left.pop_front()
            {
                retired.take(&mut reader, generation, task, Floor::of(&floors, task.series)).await?;
                tokio::task::yield_now().await;
            }
            retired.finish(&mut reader, generation).await?;
        }
        if retired.n > 0 {
            writer.prepare(&retired.change).await?;
        }
        retiring.n += retired.n;
        retiring.floors.extend(retired.floors);
        retiring.later.extend(retired.left);
        if !retiring.left.is_empty() && retiring.n.max(retiring.floors.len()) < AT_ONCE {
            return Ok(Some(retiring));
        }
        if retiring.n > 0 || !retiring.floors.is_empty() {
            writer.retire(&retiring.floors).await?;
            tracing::debug!(n = retiring.n, series = retiring.floors.len(), is_for_room = retiring.is_for_room, "Old history was given up");
        }
        if !retiring.is_for_room {
            self.tasks = retiring.left;
            self.tasks.extend(retiring.later);
            if retiring.n > 0 {
                // A series that gave up minutes may have readings to give up next.
                self.look_again();
            }
        }
        Ok(None)
    }

    /// Whether there are rows to be deleted next.
    pub(super) fn has_more(&self) -> bool {
        !self.expired.is_empty()
    }

    /// Deletes some rows that are past their time, in turns with everything else; whether it did.
    pub(super) async fn expire(&mut self, writer: &Writer) -> Result<bool, StoreError> {
        self.deleted = !self.deleted && !self.expired.is_empty();
        let Some(expired) = self.expired.front().filter(|_| self.deleted) else { return Ok(false) };
        if !writer.expire(expired).await? {
            self.expired.pop_front();
        }
        Ok(true)
    }
}

impl Retiring {
    fn new(left: VecDeque<Task>, is_for_room: bool) -> Self {
        Self { left, later: vec![], floors: vec![], n: 0, is_for_room }
    }
}
