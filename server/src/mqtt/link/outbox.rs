use std::collections::VecDeque;
use std::future::{Future, pending};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use super::super::Report;

/// Where the connections put what they have to tell, without ever waiting.
///
/// What the broker waits to have acknowledged is always taken: the receive window, and packet ids, limit it. QoS 0 has
/// no such limit, so this is the one place where it is dropped when too much waits, the oldest first: what is newest
/// says most about now.
pub(super) struct Outbox {
    shared: Arc<Shared>,
    max_reports: usize,
    n_dropped: AtomicU64,
}

/// The other end.
pub(super) struct Waiting {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    pushed: Notify,
}

/// In order of their numbers: the queue whose first has the lower one is next.
#[derive(Default)]
struct Queue {
    next: u64,
    kept: VecDeque<(u64, Report)>,
    droppable: VecDeque<(u64, Report)>,
    n_bytes: usize,
}

/// Above this, in bytes, QoS 0 is dropped even when few messages wait.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// How long the rest of the server may take to accept the last reports when the link ends.
const LAST_REPORTS: Duration = Duration::from_secs(2);

/// Both ends of an outbox in which QoS 0 is dropped while more than `max_reports` reports wait.
pub(super) fn outbox(max_reports: usize) -> (Outbox, Waiting) {
    let shared = Arc::<Shared>::default();
    (Outbox { shared: Arc::clone(&shared), max_reports, n_dropped: AtomicU64::new(0) }, Waiting { shared })
}

impl Outbox {
    /// Puts a report behind the others; how many messages were dropped for it, which may be itself.
    pub(super) fn push(&self, report: Report) -> u64 {
        let mut queue = self.shared.lock();
        queue.push(report);
        let mut n_dropped = 0;
        while (queue.len() > self.max_reports || queue.n_bytes > MAX_BYTES) && queue.drop_oldest() {
            n_dropped += 1;
        }
        drop(queue);
        self.n_dropped.fetch_add(n_dropped, Ordering::Relaxed);
        self.shared.pushed.notify_one();
        n_dropped
    }

    /// How many messages were dropped so far.
    pub(super) fn n_dropped(&self) -> u64 {
        self.n_dropped.load(Ordering::Relaxed)
    }
}

impl Waiting {
    /// Hands on what waits, in order, until `ended` resolves; then the rest, if it is taken soon.
    pub(super) async fn forward(self, reports: mpsc::Sender<Report>, ended: impl Future<Output = ()> + Send) {
        tokio::select! {
            () = ended => {}
            () = async {
                loop {
                    self.forward_all(&reports).await;
                    self.shared.pushed.notified().await;
                }
            } => {}
        }
        // Too slow a receiver loses what the broker will deliver again.
        let _: Result<(), _> = timeout(LAST_REPORTS, self.forward_all(&reports)).await;
    }

    /// Hands on what waits now.
    async fn forward_all(&self, reports: &mpsc::Sender<Report>) {
        while !self.shared.lock().is_empty() {
            // A place is reserved first, so that nothing is lost when the wait for it is cut short.
            let Ok(place) = reports.reserve().await else {
                // Nobody receives any more. What waits stays, unacknowledged, until the link ends.
                return pending().await;
            };
            if let Some(report) = self.shared.lock().pop() {
                place.send(report);
            }
        }
    }
}

impl Shared {
    /// A panic elsewhere leaves nothing half done here.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn len(&self) -> usize {
        self.kept.len() + self.droppable.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn push(&mut self, report: Report) {
        self.n_bytes += size(&report);
        let place = (self.next, report);
        self.next += 1;
        if matches!(place.1, Report::Message { ack: None, .. }) { self.droppable.push_back(place) } else { self.kept.push_back(place) }
    }

    fn pop(&mut self) -> Option<Report> {
        let is_droppable = match (self.kept.front(), self.droppable.front()) {
            (Some((kept, _)), Some((droppable, _))) => droppable < kept,
            (None, droppable) => droppable.is_some(),
            (Some(_), None) => false,
        };
        let (_, report) = if is_droppable { self.droppable.pop_front() } else { self.kept.pop_front() }?;
        self.n_bytes -= size(&report);
        Some(report)
    }

    fn drop_oldest(&mut self) -> bool {
        let dropped = self.droppable.pop_front();
        self.n_bytes -= dropped.as_ref().map_or(0, |(_, report)| size(report));
        dropped.is_some()
    }
}

fn size(report: &Report) -> usize {
    match report {
        Report::Message { message, .. } => message.topic.len() + message.payload.len(),
        Report::State { .. } | Report::SessionLost { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::input::Message;

    fn message(n_bytes: usize) -> Report {
        let payload = vec![0; n_bytes].into();
        Report::Message { message: Message { link: "broker".into(), topic: "a".into(), payload, qos: 0, retained: false }, ack: None }
    }

    fn kept() -> Report {
        Report::SessionLost { broker: "broker".into() }
    }

    /// The sizes of what is handed on.
    async fn handed_on(waiting: Waiting) -> Vec<usize> {
        let (reports, mut received) = mpsc::channel(8);
        waiting.forward(reports, async {}).await;
        let mut sizes = vec![];
        while let Some(report) = received.recv().await {
            sizes.push(size(&report));
        }
        sizes
    }

    #[tokio::test]
    async fn the_oldest_that_may_be_dropped_makes_room_and_the_rest_keeps_its_order() {
        let (outbox, waiting) = outbox(4);
        let dropped: Vec<u64> = [kept(), message(1), message(2), kept(), message(3), kept()].into_iter().map(|report| outbox.push(report)).collect();
        assert_eq!((dropped, outbox.n_dropped()), (vec![0, 0, 0, 0, 1, 1], 2));
        assert_eq!(handed_on(waiting).await, [0, 0, 4, 0]);
    }

    #[tokio::test]
    async fn what_must_be_kept_is_kept_however_much_it_is() {
        let (outbox, waiting) = outbox(2);
        for _ in 0..4 {
            assert_eq!(outbox.push(kept()), 0);
        }
        assert_eq!(outbox.push(message(1)), 1);
        assert_eq!(handed_on(waiting).await, [0; 4]);
    }

    #[test]
    fn many_bytes_are_too_much_also_in_few_messages() {
        let (outbox, _waiting) = outbox(8);
        assert_eq!((outbox.push(message(MAX_BYTES / 2)), outbox.push(message(MAX_BYTES / 2))), (0, 1));
        assert_eq!(outbox.push(message(1)), 0);
    }

    #[tokio::test]
    async fn what_comes_later_is_handed_on_too() {
        let (outbox, waiting) = outbox(2);
        let (reports, mut received) = mpsc::channel(1);
        let later = async {
            for n_bytes in 1..5 {
                outbox.push(message(n_bytes));
                assert_eq!(received.recv().await.as_ref().map(size), Some(1 + n_bytes));
            }
        };
        tokio::select! {
            () = waiting.forward(reports, pending()) => unreachable!("nothing ends it"),
            () = later => {}
        }
    }
}
