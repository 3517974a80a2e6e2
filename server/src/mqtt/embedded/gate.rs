//! What lets messages into the embedded broker: no faster than the program records them, and none of devices once it is about to stop.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mqtt5::QoS;
use mqtt5::broker::{BrokerEventHandler, ClientPublishEvent, PublishAction};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::guards;
use super::unstored::Unstored;
use crate::mqtt::link::Passed;

/// Bytes that may be on their way through the broker to the program, all devices together.
const MAX_UNDER_WAY: u64 = 2 << 20;
/// What a message takes beside its payload: topic, properties, places in queues.
const OVERHEAD: u64 = 512;
/// How long the oldest message that devices have acknowledged and the program has not stored may wait before no further ones come in. If the
/// process is killed, at most what came in so much time is lost.
const MAX_UNSTORED: Duration = Duration::from_millis(230);
/// What the broker kept from before the start has arrived when so much time passes in silence.
const BACKLOG_SILENT: Duration = Duration::from_millis(50);
/// Nor do devices wait longer than this for the program to begin to listen.
const LONGEST_START: Duration = Duration::from_secs(5);
/// The program has taken nothing for so long: what it does not read the broker keeps for it on disk, and devices must not wait for that.
const NOT_READING: Duration = Duration::from_secs(1);
/// With the gate shut, what has not arrived after so much silence never will.
const SILENT: Duration = Duration::from_millis(300);

// A lane that is full drops messages with QoS 0 in silence: the gate must be shut before.
const _: () = assert!(MAX_UNDER_WAY / OVERHEAD < guards::LANE as u64, "messages without payload fill a lane before the gate shuts");

/// Holds publishes back while too much is under way, so that devices feel it as a broker that is slow to acknowledge, and nothing piles up here.
///
/// A message that is held back is neither acknowledged nor passed on: its sender keeps it. What is let in is acknowledged by the broker on its
/// own word, before it is on disk: so little of that is on its way at any time.
#[derive(Debug)]
pub struct Gate {
    /// What the client ids of the program itself begin with. They are never held back.
    own: Arc<str>,
    /// The program listens: before that the broker would keep what it acknowledges in memory.
    is_heard: AtomicBool,
    /// The program listens and has what the broker kept for it from before.
    is_open: AtomicBool,
    is_shut: AtomicBool,
    began: Instant,
    /// Bytes let in, and bytes that arrived at the program. They may drift apart, for a broker drops and repeats.
    let_in: AtomicU64,
    arrived: AtomicU64,
    /// Messages that the broker acknowledges to devices on its own word, until the program acknowledges them to the broker.
    unstored: Mutex<Unstored>,
    /// Told when bytes arrived, or messages were stored.
    room: Notify,
}

impl Gate {
    /// A gate that opens when the program listens.
    pub(super) fn new(own: Arc<str>) -> Self {
        Self {
            own,
            is_heard: AtomicBool::new(false),
            is_open: AtomicBool::new(false),
            is_shut: AtomicBool::new(false),
            began: Instant::now(),
            let_in: AtomicU64::new(0),
            arrived: AtomicU64::new(0),
            unstored: Mutex::default(),
            room: Notify::new(),
        }
    }

    /// The program has received messages from this broker, or acknowledged them to it.
    pub fn passed(&self, passed: Passed) {
        match passed {
            Passed::Subscribed => self.is_heard.store(true, Ordering::Release),
            Passed::Arrived { n_payload_bytes, qos } => {
                self.arrived.fetch_add(n_payload_bytes as u64 + OVERHEAD, Ordering::AcqRel);
                if qos > 0 && !self.is_open.load(Ordering::Acquire) {
                    self.unstored().is_from_before();
                }
            }
            Passed::Acknowledged { n } => self.unstored().stored(n),
        }
        self.room.notify_waiters();
    }

    /// From now on nothing of others comes through, for ever. Returns when what came through before has arrived, or nothing arrives any more.
    pub(super) async fn shut(&self) {
        self.is_shut.store(true, Ordering::Release);
        loop {
            let arrived = self.room.notified();
            if self.under_way() == 0 || timeout(SILENT, arrived).await.is_err() {
                return;
            }
        }
    }

    /// Bytes between here and the program. More arrived than was let in when the broker repeats itself: that is nothing.
    fn under_way(&self) -> u64 {
        let arrived = self.arrived.load(Ordering::Acquire);
        let let_in = self.let_in.fetch_max(arrived, Ordering::AcqRel);
        let_in.saturating_sub(arrived)
    }

    fn unstored(&self) -> MutexGuard<'_, Unstored> {
        self.unstored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_room(&self) -> bool {
        self.under_way() < MAX_UNDER_WAY && self.unstored().longest(Instant::now()) < MAX_UNSTORED
    }

    /// Waits until the program listens and has what was kept for it, or will not in time.
    async fn wait_for_start(&self) {
        while !self.is_open.load(Ordering::Acquire) {
            let heard = self.room.notified();
            let is_silent = timeout(BACKLOG_SILENT, heard).await.is_err();
            if is_silent && self.is_heard.load(Ordering::Acquire) || self.began.elapsed() >= LONGEST_START {
                self.is_open.store(true, Ordering::Release);
            }
        }
    }

    async fn wait_for_room(&self) {
        self.wait_for_start().await;
        loop {
            let room = self.room.notified();
            if self.has_room() {
                return;
            }
            if timeout(NOT_READING, room).await.is_err() {
                // Nothing arrives, or never will: counted anew.
                self.arrived.fetch_max(self.let_in.load(Ordering::Acquire), Ordering::AcqRel);
                self.unstored().forget();
            }
        }
    }

    fn let_in(&self, event: &ClientPublishEvent) {
        self.let_in.fetch_add(event.payload.len() as u64 + OVERHEAD, Ordering::AcqRel);
        // Our own presence comes through before the gate opens, and arrives before.
        if event.qos != QoS::AtMostOnce && self.is_open.load(Ordering::Acquire) {
            self.unstored().let_in(Instant::now());
        }
    }
}

impl BrokerEventHandler for Gate {
    fn on_client_publish<'a>(&'a self, event: ClientPublishEvent) -> Pin<Box<dyn Future<Output = PublishAction> + Send + 'a>> {
        Box::pin(async move {
            // Not counted at the other end: `#` leaves out what begins with a dollar sign.
            if event.topic.starts_with('$') {
                return PublishAction::Continue;
            }
            if !event.client_id.starts_with(&*self.own) {
                self.wait_for_room().await;
                if self.is_shut.load(Ordering::Acquire) {
                    // Every answer is an acknowledgment to somebody: none is given.
                    return std::future::pending().await;
                }
            }
            self.let_in(&event);
            PublishAction::Continue
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(client: &str, bytes: usize) -> ClientPublishEvent {
        ClientPublishEvent {
            client_id: client.into(),
            user_id: None,
            topic: "a".into(),
            payload: vec![0; bytes].into(),
            qos: mqtt5::QoS::AtLeastOnce,
            retain: false,
            packet_id: Some(1),
            response_topic: None,
            correlation_data: None,
        }
    }

    fn gate() -> Gate {
        let gate = closed();
        gate.is_open.store(true, Ordering::Release);
        gate
    }

    fn closed() -> Gate {
        Gate::new("signalbox-".into())
    }

    fn arrived(gate: &Gate, n_payload_bytes: usize) {
        gate.passed(Passed::Arrived { n_payload_bytes, qos: 1 });
    }

    /// Whether it comes through without anything else happening.
    fn passes(gate: &Gate, client: &str, bytes: usize) -> bool {
        use futures_util::FutureExt as _;
        gate.on_client_publish(publish(client, bytes)).now_or_never().is_some()
    }

    #[tokio::test]
    async fn devices_wait_while_too_much_is_under_way() {
        let gate = gate();
        assert!(passes(&gate, "device", 2 << 20));
        assert!(!passes(&gate, "device", 1));
        assert!(passes(&gate, "signalbox-1", 1), "the program waits for itself");
        arrived(&gate, 2 << 20);
        assert!(passes(&gate, "device", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_goes_on_when_something_arrived_and_when_nothing_does() {
        let gate = gate();
        assert!(passes(&gate, "device", 2 << 20));
        let waiting = gate.on_client_publish(publish("device", 1));
        tokio::join!(waiting, async { arrived(&gate, 2 << 20) });
        assert!(passes(&gate, "device", 2 << 20));
        // Nothing will arrive: the clock of the test goes on by itself.
        gate.on_client_publish(publish("device", 1)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn devices_wait_while_what_they_sent_before_is_not_stored() {
        let gate = gate();
        assert!(passes(&gate, "device", 10));
        arrived(&gate, 10);
        tokio::time::advance(MAX_UNSTORED - Duration::from_millis(1)).await;
        assert!(passes(&gate, "device", 10), "a quarter of a second has not passed");
        arrived(&gate, 10);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!passes(&gate, "device", 10));
        gate.passed(Passed::Acknowledged { n: 1 });
        assert!(passes(&gate, "device", 10));
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_promised_to_keep_does_not_wait_for_the_disk() {
        let gate = gate();
        let event = || ClientPublishEvent { qos: QoS::AtMostOnce, packet_id: None, ..publish("device", 10) };
        gate.on_client_publish(event()).await;
        tokio::time::advance(MAX_UNSTORED * 2).await;
        assert!(passes(&gate, "device", 10));
    }

    #[tokio::test(start_paused = true)]
    async fn devices_wait_for_the_program_to_listen_and_to_have_what_was_kept_for_it() {
        let gate = closed();
        assert!(passes(&gate, "signalbox-1", 1), "the program waits for itself");
        let start = Instant::now();
        let program = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            gate.passed(Passed::Subscribed);
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                arrived(&gate, 10);
            }
        };
        tokio::join!(gate.on_client_publish(publish("device", 1)), program);
        assert_eq!(start.elapsed(), Duration::from_millis(1_200) + BACKLOG_SILENT);
        // What was kept is stored: that says nothing of what came since.
        tokio::time::advance(MAX_UNSTORED).await;
        gate.passed(Passed::Acknowledged { n: 10 });
        assert!(!passes(&gate, "device", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn devices_do_not_wait_for_ever_for_the_program() {
        let gate = closed();
        let start = Instant::now();
        gate.on_client_publish(publish("device", 1)).await;
        assert_eq!(start.elapsed(), LONGEST_START);
    }

    #[tokio::test]
    async fn what_a_broker_repeats_makes_no_room_for_later() {
        let gate = gate();
        arrived(&gate, 16 << 20);
        assert!(passes(&gate, "device", 2 << 20));
        assert!(!passes(&gate, "device", 1));
    }

    #[tokio::test]
    async fn a_shut_gate_lets_only_the_program_through() {
        let gate = gate();
        gate.shut().await;
        assert!(!passes(&gate, "device", 1));
        assert!(passes(&gate, "signalbox-1-cmd", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_gate_that_shuts_waits_for_what_is_under_way() {
        let gate = gate();
        assert!(passes(&gate, "device", 10) && passes(&gate, "device", 10));
        let arrivals = async {
            arrived(&gate, 10);
            tokio::task::yield_now().await;
            arrived(&gate, 10);
            gate.under_way()
        };
        let ((), left) = tokio::join!(gate.shut(), arrivals);
        assert_eq!(left, 0);
    }
}
