//! What lets messages into the embedded broker: no faster than the program records them, and none of devices once it is about to stop.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use mqtt5::broker::{BrokerEventHandler, ClientPublishEvent, PublishAction};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::guards;

/// Bytes that may be on their way through the broker to the program, all devices together.
const MAX_UNDER_WAY: u64 = 2 << 20;
/// What a message takes beside its payload: topic, properties, places in queues.
const OVERHEAD: u64 = 512;
/// The program has taken nothing for so long: what it does not read the broker keeps for it on disk, and devices must not wait for that.
const NOT_READING: Duration = Duration::from_secs(1);
/// With the gate shut, what has not arrived after so much silence never will.
const SILENT: Duration = Duration::from_millis(300);

// A lane that is full drops messages with QoS 0 in silence: the gate must be shut before.
const _: () = assert!(MAX_UNDER_WAY / OVERHEAD < guards::LANE as u64, "messages without payload fill a lane before the gate shuts");

/// Holds publishes back while too much is under way, so that devices feel it as a broker that is slow to acknowledge, and nothing piles up here.
///
/// A message that is held back is neither acknowledged nor passed on: its sender keeps it.
#[derive(Debug)]
pub struct Gate {
    /// What the client ids of the program itself begin with. They are never held back.
    own: Arc<str>,
    is_shut: AtomicBool,
    /// Bytes let in, and bytes that arrived at the program. They may drift apart, for a broker drops and repeats.
    let_in: AtomicU64,
    arrived: AtomicU64,
    /// Told when bytes arrived.
    room: Notify,
}

impl Gate {
    /// An open gate.
    pub(super) fn new(own: Arc<str>) -> Self {
        Self { own, is_shut: AtomicBool::new(false), let_in: AtomicU64::new(0), arrived: AtomicU64::new(0), room: Notify::new() }
    }

    /// The program has received a message from this broker.
    pub fn arrived(&self, n_payload_bytes: usize) {
        self.arrived.fetch_add(n_payload_bytes as u64 + OVERHEAD, Ordering::AcqRel);
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

    async fn wait_for_room(&self) {
        loop {
            let room = self.room.notified();
            if self.under_way() < MAX_UNDER_WAY {
                return;
            }
            if timeout(NOT_READING, room).await.is_err() {
                // Nothing arrives, or never will: counted anew.
                self.arrived.fetch_max(self.let_in.load(Ordering::Acquire), Ordering::AcqRel);
            }
        }
    }
}

impl BrokerEventHandler for Gate {
    fn on_client_publish<'a>(&'a self, event: ClientPublishEvent) -> Pin<Box<dyn Future<Output = PublishAction> + Send + 'a>> {
        Box::pin(async move {
            // Neither is counted at the other end: `#` leaves out what begins with a dollar sign.
            if event.client_id.starts_with(&*self.own) || event.topic.starts_with('$') {
                return PublishAction::Continue;
            }
            self.wait_for_room().await;
            if self.is_shut.load(Ordering::Acquire) {
                // Every answer is an acknowledgment to somebody: none is given.
                return std::future::pending().await;
            }
            self.let_in.fetch_add(event.payload.len() as u64 + OVERHEAD, Ordering::AcqRel);
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
        Gate::new("signalbox-".into())
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
        gate.arrived(2 << 20);
        assert!(passes(&gate, "device", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_goes_on_when_something_arrived_and_when_nothing_does() {
        let gate = gate();
        assert!(passes(&gate, "device", 2 << 20));
        let waiting = gate.on_client_publish(publish("device", 1));
        tokio::join!(waiting, async { gate.arrived(2 << 20) });
        assert!(passes(&gate, "device", 2 << 20));
        // Nothing will arrive: the clock of the test goes on by itself.
        gate.on_client_publish(publish("device", 1)).await;
    }

    #[tokio::test]
    async fn what_a_broker_repeats_makes_no_room_for_later() {
        let gate = gate();
        gate.arrived(16 << 20);
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
            gate.arrived(10);
            tokio::task::yield_now().await;
            gate.arrived(10);
            gate.under_way()
        };
        let ((), left) = tokio::join!(gate.shut(), arrivals);
        assert_eq!(left, 0);
    }
}
