use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::super::Report;

/// Where the connections put what they have to tell, without ever waiting.
///
/// What the broker waits to have acknowledged is always taken: the receive window, and packet ids, limit it. QoS 0 has
/// no such limit, so this is the one place where it is dropped: when more waits than [`Outbox::has_room`] allows.
pub(super) struct Outbox {
    sender: mpsc::UnboundedSender<Report>,
    load: Arc<Load>,
    max_reports: usize,
}

/// The other end.
pub(super) struct Waiting {
    receiver: mpsc::UnboundedReceiver<Report>,
    load: Arc<Load>,
}

#[derive(Default)]
struct Load {
    n_reports: AtomicUsize,
    n_bytes: AtomicUsize,
}

/// Above this, in bytes, QoS 0 is dropped even when few messages wait.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// How long the rest of the server may take to accept the last reports when the link ends.
const LAST_REPORTS: Duration = Duration::from_secs(2);

/// Both ends of an outbox in which QoS 0 finds room while fewer than `max_reports` reports wait.
pub(super) fn outbox(max_reports: usize) -> (Outbox, Waiting) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let load = Arc::<Load>::default();
    (Outbox { sender, load: Arc::clone(&load), max_reports }, Waiting { receiver, load })
}

impl Outbox {
    pub(super) fn push(&self, report: Report) {
        self.load.n_reports.fetch_add(1, Ordering::Relaxed);
        self.load.n_bytes.fetch_add(size(&report), Ordering::Relaxed);
        // The forwarder is gone only when the link has ended; then nobody is to be told.
        let _: Result<(), _> = self.sender.send(report);
    }

    /// Whether a message that may be dropped should be taken.
    pub(super) fn has_room(&self) -> bool {
        self.load.n_reports.load(Ordering::Relaxed) < self.max_reports && self.load.n_bytes.load(Ordering::Relaxed) < MAX_BYTES
    }
}

impl Waiting {
    /// Hands on what waits, in order, until `ended` resolves; then the rest, if it is taken soon.
    pub(super) async fn forward(mut self, reports: mpsc::Sender<Report>, ended: impl Future<Output = ()> + Send) {
        tokio::select! {
            () = ended => {}
            () = self.forward_all(&reports) => {}
        }
        self.receiver.close();
        // Too slow a receiver loses what the broker will deliver again.
        let _: Result<(), _> = timeout(LAST_REPORTS, self.forward_all(&reports)).await;
    }

    async fn forward_all(&mut self, reports: &mpsc::Sender<Report>) {
        // A place is reserved first, so that nothing is lost when the wait for it is cut short.
        while let Ok(place) = reports.reserve().await {
            let Some(report) = self.receiver.recv().await else { return };
            self.load.n_reports.fetch_sub(1, Ordering::Relaxed);
            self.load.n_bytes.fetch_sub(size(&report), Ordering::Relaxed);
            place.send(report);
        }
        // Nobody receives any more. What waits stays, unacknowledged, until the link ends.
        if !self.receiver.is_closed() {
            std::future::pending::<()>().await;
        }
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

    #[test]
    fn there_is_room_until_too_many_messages_or_bytes_wait() {
        let (outbox, _waiting) = outbox(2);
        outbox.push(message(1));
        assert!(outbox.has_room());
        outbox.push(message(1));
        assert!(!outbox.has_room());
        let (outbox, _waiting) = super::outbox(2);
        outbox.push(message(MAX_BYTES));
        assert!(!outbox.has_room());
    }

    #[tokio::test]
    async fn what_waits_is_handed_on_before_the_link_ends_and_makes_room() {
        let (outbox, waiting) = outbox(2);
        outbox.push(message(1));
        outbox.push(message(2));
        let (reports, mut received) = mpsc::channel(8);
        waiting.forward(reports, async {}).await;
        assert!(outbox.has_room());
        for n_bytes in [1, 2] {
            assert_eq!(received.recv().await.as_ref().map(size), Some(1 + n_bytes));
        }
        assert!(received.recv().await.is_none());
    }
}
