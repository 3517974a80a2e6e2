//! The recorder: nothing is acknowledged before it is stored.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::entity::EntityId;
use domain::history::{Range, Series};
use domain::time::Timestamp;
use domain::value::Value;
use server::mqtt::Ack;
use server::recorder::{Health, Limits, Record, Recorder, start_with};
use server::store::{Batch, Saved, Sizes, Store, StoreError};
use server::tasks::Tasks;
use tokio::sync::{mpsc, oneshot};

use crate::store::{TestStore, reading};

/// What a write is asked to do.
type Verdict = Result<(), StoreError>;

/// A write that waits for the test's verdict.
struct Write {
    readings: usize,
    verdict: oneshot::Sender<Verdict>,
}

/// A store that does as the test says.
struct FakeStore {
    writes: mpsc::UnboundedSender<Write>,
}

#[async_trait]
impl Store for FakeStore {
    async fn load(&self) -> Result<Saved, StoreError> {
        Ok(Saved::default())
    }
    async fn write(&self, batch: &Batch) -> Verdict {
        let (verdict, told) = oneshot::channel();
        self.writes.send(Write { readings: batch.readings.len(), verdict }).unwrap();
        told.await.unwrap()
    }
    async fn history(&self, _: &[EntityId], _: Range, _: usize) -> Result<Vec<Series>, StoreError> {
        Ok(vec![])
    }
    async fn history_in(&self, _: &jiff::tz::TimeZone, _: &[EntityId], _: Range, _: usize) -> Result<Vec<Series>, StoreError> {
        Ok(vec![])
    }
    async fn buckets(&self, _: &[EntityId], _: Range, _: i64) -> Result<Vec<Series>, StoreError> {
        Ok(vec![])
    }
    async fn states(&self, _: &[EntityId], _: Range, _: usize) -> Result<Vec<Vec<(Timestamp, Value)>>, StoreError> {
        Ok(vec![])
    }
    async fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(true)
    }
    async fn sizes(&self) -> Sizes {
        Sizes::default()
    }
    async fn close(&self) {}
}

struct Setup {
    recorder: Recorder,
    tasks: Tasks,
    writes: mpsc::UnboundedReceiver<Write>,
    released: Arc<Mutex<Vec<i64>>>,
}

impl Setup {
    fn new(limits: Limits) -> Self {
        let (sender, writes) = mpsc::unbounded_channel();
        let tasks = Tasks::default();
        let recorder = start_with(Arc::new(FakeStore { writes: sender }), &tasks, limits);
        Self { recorder, tasks, writes, released: Arc::default() }
    }

    /// One reading with an acknowledgement that notes its number.
    fn record(&self, number: i64) -> Record {
        let released = Arc::clone(&self.released);
        Record {
            batch: Batch { readings: vec![reading("a.x", number, Value::Bool(true))], ..Batch::default() },
            acks: vec![Ack::new(move || released.lock().unwrap().push(number))],
        }
    }

    async fn send(&self, numbers: std::ops::Range<i64>) {
        for number in numbers {
            self.recorder.send(self.record(number)).await;
        }
    }

    fn released(&self) -> Vec<i64> {
        self.released.lock().unwrap().clone()
    }
}

/// Waits for nothing but what the test says.
fn patient() -> Limits {
    Limits { gather: Duration::from_secs(3_600), first_retry: Duration::from_millis(1), longest_retry: Duration::from_millis(2), ..Limits::default() }
}

#[tokio::test]
async fn nothing_is_acknowledged_before_the_commit_and_everything_in_order_after_it() {
    let mut setup = Setup::new(Limits { acks: 10, ..patient() });
    setup.send(0..20).await;
    let write = setup.writes.recv().await.unwrap();
    assert_eq!((write.readings, setup.released()), (10, vec![]));
    write.verdict.send(Ok(())).unwrap();
    let write = setup.writes.recv().await.unwrap();
    assert_eq!(setup.released(), (0..10).collect::<Vec<_>>());
    write.verdict.send(Ok(())).unwrap();
    setup.tasks.stop().await;
    assert_eq!(setup.released(), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_store_that_does_not_answer_does_not_hold_up_the_end() {
    let mut setup = Setup::new(Limits { acks: 1, last_wait: Duration::from_millis(1), ..patient() });
    setup.send(0..1).await;
    let write = setup.writes.recv().await.unwrap();
    crate::test_app::soon("the end", setup.tasks.stop()).await;
    assert!(setup.released().is_empty(), "it was not stored");
    drop(write);
}

#[tokio::test]
async fn many_rows_are_written_without_waiting_for_more() {
    let mut setup = Setup::new(Limits { rows: 3, ..patient() });
    setup.send(0..4).await;
    let write = setup.writes.recv().await.unwrap();
    assert_eq!(write.readings, 3);
    drop(write.verdict.send(Ok(())));
}

#[tokio::test]
async fn a_single_record_waits_no_longer_than_the_gathering() {
    let mut setup = Setup::new(Limits { gather: Duration::from_millis(5), ..patient() });
    setup.send(0..1).await;
    assert_eq!(setup.writes.recv().await.unwrap().readings, 1);
}

#[tokio::test]
async fn a_failed_write_is_tried_again_and_acknowledged_once_it_succeeded() {
    let mut setup = Setup::new(Limits { acks: 2, ..patient() });
    setup.send(0..2).await;
    for (error, says) in [(StoreError::Full, "full"), (StoreError::Full, "full"), (StoreError::Busy, "locked"), (StoreError::Failed("x".into()), "x")]
    {
        let write = setup.writes.recv().await.unwrap();
        assert_eq!((write.readings, setup.released()), (2, vec![]));
        write.verdict.send(Err(error)).unwrap();
        let write = setup.writes.recv().await.unwrap();
        let Health::Failing { error, since, .. } = setup.recorder.health() else { panic!("healthy") };
        assert!(error.contains(says) && since.as_ms() > 0, "{error}");
        write.verdict.send(Err(StoreError::Failed(says.into()))).unwrap();
    }
    setup.writes.recv().await.unwrap().verdict.send(Ok(())).unwrap();
    setup.tasks.stop().await;
    assert_eq!((setup.released(), setup.recorder.health()), (vec![0, 1], Health::Ok));
}

#[tokio::test]
async fn a_stop_stores_and_acknowledges_what_was_sent_before() {
    let mut setup = Setup::new(Limits { acks: 4, ..patient() });
    setup.send(0..10).await;
    let mut stop = Box::pin(setup.tasks.stop());
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            write = setup.writes.recv() => write.unwrap().verdict.send(Ok(())).unwrap(),
        }
    }
    drop(stop);
    assert_eq!(setup.released(), (0..10).collect::<Vec<_>>());
    // What comes later is neither stored nor acknowledged.
    setup.recorder.send(setup.record(11)).await;
    assert_eq!(setup.released().len(), 10);
}

#[tokio::test]
async fn a_store_that_keeps_failing_does_not_hold_up_the_end() {
    let mut setup = Setup::new(Limits { acks: 1, ..patient() });
    setup.send(0..1).await;
    let mut stop = Box::pin(setup.tasks.stop());
    let mut attempts = 0;
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            write = setup.writes.recv() => {
                attempts += 1;
                write.unwrap().verdict.send(Err(StoreError::Full)).unwrap();
            }
        }
    }
    drop(stop);
    assert!((1..=10).contains(&attempts), "{attempts}");
    assert!(setup.released().is_empty());
}

#[tokio::test]
async fn a_full_queue_makes_the_sender_wait() {
    let mut setup = Setup::new(Limits { queue: 2, acks: 1, ..patient() });
    setup.send(0..1).await;
    let write = setup.writes.recv().await.unwrap();
    setup.send(1..3).await;
    let mut send = Box::pin(setup.recorder.send(setup.record(3)));
    assert!(futures_util::poll!(&mut send).is_pending());
    write.verdict.send(Ok(())).unwrap();
    send.await;
}

#[tokio::test]
async fn what_the_recorder_acknowledged_is_in_the_database() {
    let test = TestStore::open().await;
    let store = Arc::new(test.store);
    let tasks = Tasks::default();
    let recorder = start_with(Arc::clone(&store) as Arc<dyn Store>, &tasks, patient());
    let (released, acknowledged) = oneshot::channel();
    let batch = Batch { readings: vec![reading("a.x", 5, Value::Number(2.0))], ..Batch::default() };
    recorder.send(Record { batch, acks: vec![Ack::new(move || released.send(()).unwrap())] }).await;
    tasks.stop().await;
    acknowledged.await.unwrap();
    assert_eq!(store.load().await.unwrap().last, [reading("a.x", 5, Value::Number(2.0))]);
}
