//! Between ingest and the store: gathers what is to be stored, writes it in few transactions, and only then acknowledges the messages it came by.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::time::Timestamp;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::{Instant, sleep, timeout_at};

use crate::clock::now;
use crate::mqtt::Ack;
use crate::store::{Batch, Store, StoreError};
use crate::tasks::Tasks;

/// What follows from one message or tick.
#[derive(Debug, Default)]
pub struct Record {
    /// What to store.
    pub batch: Batch,
    /// What to acknowledge once it is stored.
    pub acks: Vec<Ack>,
}

impl Record {
    /// How much it is: rows to write and messages to acknowledge, whichever is more.
    #[must_use]
    pub fn len(&self) -> usize {
        rows(&self.batch).max(self.acks.len())
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.acks.is_empty()
    }

    /// Both as one, in this order.
    pub fn append(&mut self, next: Self) {
        merge(self, next);
    }
}

/// Whether what arrives is being stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It is.
    Ok,
    /// The last write failed and is tried again; nothing is acknowledged meanwhile.
    Failing {
        /// Why: `the disk is full`.
        error: String,
        /// The same for anybody who looks: without what the database says of itself.
        cause: &'static str,
        /// When it failed first.
        since: Timestamp,
    },
}

/// How the recorder gathers and tries again.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Records that wait in front of a write; past that [`Recorder::send`] waits.
    pub queue: usize,
    /// Longest time that a record waits for others.
    pub gather: Duration,
    /// Rows that are written at once.
    pub rows: usize,
    /// Acknowledgements that are not kept waiting for others: half of what a broker sends without one.
    pub acks: usize,
    /// Wait after the first failed write; it doubles with each failure.
    pub first_retry: Duration,
    /// Longest wait between two attempts.
    pub longest_retry: Duration,
    /// Attempts after the order to stop.
    pub last_attempts: u32,
    /// How long one of them may take after it.
    pub last_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A record is up to 512 messages; past that they wait in ingest, and then in front of it.
            queue: 64,
            gather: Duration::from_millis(200),
            rows: 5_000,
            acks: 1_000,
            first_retry: Duration::from_millis(100),
            longest_retry: Duration::from_secs(5),
            last_attempts: 4,
            last_wait: Duration::from_secs(3),
        }
    }
}

/// Starts the recorder. When the tasks are told to stop, it stores what was sent before, acknowledges it and returns; if the store keeps
/// failing then, it gives up after a few attempts and says so, and the brokers deliver again what was not acknowledged.
#[must_use]
pub fn start(store: Arc<dyn Store>, tasks: &Tasks) -> Recorder {
    start_with(store, tasks, Limits::default())
}

/// As [`start`], with limits.
#[must_use]
pub fn start_with(store: Arc<dyn Store>, tasks: &Tasks, limits: Limits) -> Recorder {
    let (sender, records) = mpsc::channel(limits.queue.max(1));
    let told = Arc::new(Told { health: Mutex::new(Health::Ok), n_rows: AtomicU64::new(0), n_writes: AtomicU64::new(0), busy_us: AtomicU64::new(0) });
    let task = Task { store, records, told: Arc::clone(&told), limits, tasks: tasks.clone() };
    tasks.spawn(task.run());
    Recorder { sender, told }
}

/// The way to the recorder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorder {
    sender: mpsc::Sender<Record>,
    told: Arc<Told>,
}

/// What the recorder tells of itself.
#[derive(Debug)]
struct Told {
    health: Mutex<Health>,
    n_rows: AtomicU64,
    n_writes: AtomicU64,
    busy_us: AtomicU64,
}

/// What was counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RecorderCounts {
    /// Records that wait to be written.
    pub n_waiting: usize,
    /// Rows that were written.
    pub n_rows: u64,
    /// Transactions that they were written in.
    pub n_writes: u64,
    /// Time that those took.
    pub busy: Duration,
}

impl Recorder {
    /// Hands over a record. Waits while the queue is full: whoever reads from the brokers then reads no more, and they keep the messages.
    /// After the recorder was told to stop, the record is dropped, and its messages are delivered again after the next start.
    pub async fn send(&self, record: Record) {
        if let Err(refused) = self.sender.send(record).await {
            tracing::warn!(rows = rows(&refused.0.batch), "Readings came after the recorder had stopped and are not stored");
        }
    }

    /// Hands over a record if there is room for it now; gives it back when the queue is full.
    #[must_use]
    pub fn try_send(&self, record: Record) -> Option<Record> {
        match self.sender.try_send(record) {
            Ok(()) => None,
            Err(TrySendError::Full(record)) => Some(record),
            Err(TrySendError::Closed(record)) => {
                tracing::warn!(rows = rows(&record.batch), "Readings came after the recorder had stopped and are not stored");
                None
            }
        }
    }

    /// Waits until there is room for a record, or the recorder has stopped.
    pub async fn has_room(&self) {
        // Only one sends: what is free now stays free until it does.
        drop(self.sender.reserve().await);
    }

    /// Whether what arrives is being stored.
    #[must_use]
    pub fn health(&self) -> Health {
        self.told.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> RecorderCounts {
        RecorderCounts {
            n_waiting: self.sender.max_capacity() - self.sender.capacity(),
            n_rows: self.told.n_rows.load(Ordering::Relaxed),
            n_writes: self.told.n_writes.load(Ordering::Relaxed),
            busy: Duration::from_micros(self.told.busy_us.load(Ordering::Relaxed)),
        }
    }
}

struct Task {
    store: Arc<dyn Store>,
    records: mpsc::Receiver<Record>,
    told: Arc<Told>,
    limits: Limits,
    tasks: Tasks,
}

impl Task {
    async fn run(mut self) {
        while let Some(first) = self.next().await {
            let gathered = self.gather(first).await;
            if !self.store(&gathered.batch).await {
                // The acknowledgements are dropped, so the messages come again.
                return;
            }
            gathered.acks.into_iter().for_each(Ack::release);
        }
    }

    /// The next record; `None` when the order to stop has come and nothing is left.
    async fn next(&mut self) -> Option<Record> {
        tokio::select! {
            biased;
            record = self.records.recv() => record,
            () = self.tasks.stopping() => {
                // From here on nothing is taken; what was sent before is still received.
                self.records.close();
                self.records.recv().await
            }
        }
    }

    /// The record and those that follow it soon.
    async fn gather(&mut self, first: Record) -> Record {
        let until = Instant::now() + self.limits.gather;
        let mut gathered = first;
        while rows(&gathered.batch) < self.limits.rows && gathered.acks.len() < self.limits.acks {
            let next = tokio::select! {
                biased;
                next = timeout_at(until, self.records.recv()) => next.ok().flatten(),
                () = self.tasks.stopping() => self.records.try_recv().ok(),
            };
            let Some(next) = next else { break };
            merge(&mut gathered, next);
        }
        gathered
    }

    /// Stores the batch, again and again until it is stored; false when it was given up after the order to stop.
    async fn store(&self, batch: &Batch) -> bool {
        let mut wait = self.limits.first_retry;
        let mut left = self.limits.last_attempts;
        loop {
            let began = Instant::now();
            let written = tokio::select! {
                written = self.store.write(batch) => written,
                () = self.out_of_time() => {
                    left = 1;
                    Err(StoreError::Busy)
                }
            };
            let Err(error) = written else {
                self.succeeded(batch, began.elapsed());
                return true;
            };
            self.failed(&error);
            if self.tasks.is_stopping() {
                left = left.saturating_sub(1);
                if left == 0 {
                    tracing::error!(%error, rows = rows(batch), "What arrived last could not be stored; the brokers deliver it again if they keep it");
                    return false;
                }
                sleep(wait.min(self.limits.first_retry * 4)).await;
            } else {
                tokio::select! {
                    () = sleep(wait) => {}
                    () = self.tasks.stopping() => {}
                }
            }
            wait = (wait * 2).min(self.limits.longest_retry);
        }
    }

    async fn out_of_time(&self) {
        self.tasks.stopping().await;
        sleep(self.limits.last_wait).await;
    }

    fn succeeded(&self, batch: &Batch, took: Duration) {
        self.told.n_rows.fetch_add(rows(batch) as u64, Ordering::Relaxed);
        self.told.n_writes.fetch_add(1, Ordering::Relaxed);
        self.told.busy_us.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        let before = self.set_health(Health::Ok);
        if let Health::Failing { since, .. } = before {
            tracing::info!(outage_ms = now().since_ms(since), "The store takes readings again");
        }
    }

    /// Logs the first failure of an outage, and each change of its cause.
    fn failed(&self, error: &StoreError) {
        let cause = error.cause();
        let error = error.to_string();
        let mut health = self.told.health.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match &*health {
            Health::Failing { error: before, .. } if *before == error => return,
            Health::Failing { since, .. } => *since,
            Health::Ok => now(),
        };
        tracing::error!(error, "Readings cannot be stored; they wait, and nothing is acknowledged to the brokers");
        *health = Health::Failing { error, cause, since };
    }

    fn set_health(&self, health: Health) -> Health {
        std::mem::replace(&mut *self.told.health.lock().unwrap_or_else(PoisonError::into_inner), health)
    }
}

fn rows(batch: &Batch) -> usize {
    batch.devices.len()
        + batch.entities.len()
        + batch.gone_devices.len()
        + batch.gone_entities.len()
        + batch.readings.len()
        + batch.alarms.len()
        + batch.commands.len()
        + batch.queue.len()
        + batch.written.len()
        + batch.notes.len()
}

fn merge(into: &mut Record, next: Record) {
    let Record { batch, acks } = next;
    let Batch { devices, entities, gone_devices, gone_entities, readings, alarms, alarm_events, commands, queue, written, notes, taken } = batch;
    devices.into_iter().for_each(|device| into.batch.put_device(device));
    entities.into_iter().for_each(|entity| into.batch.put_entity(entity));
    gone_devices.into_iter().for_each(|id| into.batch.lose_device(id));
    gone_entities.into_iter().for_each(|id| into.batch.lose_entity(id));
    into.batch.readings.extend(readings);
    into.batch.alarms.extend(alarms);
    into.batch.alarm_events.extend(alarm_events);
    into.batch.commands.extend(commands);
    into.batch.queue.extend(queue);
    into.batch.written.extend(written);
    into.batch.notes.extend(notes);
    into.batch.taken.extend(taken);
    into.acks.extend(acks);
}
