use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::input::Message;
use tokio::sync::mpsc;
use tracing::warn;

use super::super::Report;
use super::acks::{AckQueue, Owed, Settled};
use super::connection::Role;
use super::shared::{Half, Shared};
use super::wire::{Client, Event, Failure, Granted, Options, Received, Session};
use crate::redelivery::Delivery;

/// The connection that subscribes and acknowledges, in a session that the broker keeps for a day.
///
/// It also owns the presence of the link, the last will with it: `online` says that messages are recorded, and a
/// command connection that stumbles must not say otherwise.
pub(super) struct Ingest {
    shared: Arc<Shared>,
    acks: AckQueue,
    settled: mpsc::UnboundedReceiver<Settled>,
    /// Since when the broker owes the answer to SUBSCRIBE.
    asked: Option<Instant>,
    /// How many presence messages wait for their acknowledgement.
    n_presence: usize,
    leaving: bool,
}

const SESSION_EXPIRY_SECONDS: u32 = 86_400;
/// A broker that keeps its SUBACK this long is not going to send it.
const SUBACK_LIMIT: Duration = Duration::from_secs(20);
/// So many messages that were given up are worth a reconnect: each fills a place in the broker's window, which may be
/// as small as 20, and only a reconnect makes the broker deliver them again.
const MAX_ABANDONED: usize = 10;

impl Ingest {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let (acks, settled) = AckQueue::new();
        Self { shared, acks, settled, asked: None, n_presence: 0, leaving: false }
    }

    fn publish_presence(&mut self, presence: &'static str, client: &impl Client) {
        if client.try_publish(&self.shared.settings.presence_topic(), presence.into(), 1, true) {
            self.n_presence += 1;
        }
    }

    fn subscribed(&mut self, refusals: &[Option<String>], client: &impl Client) {
        self.asked = None;
        let filters = &self.shared.settings.subscribe;
        let refused: Vec<String> = filters
            .iter()
            .zip(refusals)
            .filter_map(|(filter, refusal)| refusal.as_ref().map(|reason| format!("\"{}\" ({reason})", filter.as_str())))
            .collect();
        if refused.is_empty() {
            self.shared.up(Half::Ingest);
        } else {
            self.shared.down(Half::Ingest, &format!("the broker refused the subscription to {}", refused.join(", ")));
        }
        self.publish_presence(ONLINE, client);
    }

    fn receive(&mut self, received: Received) {
        if self.leaving {
            // Not acknowledged, so the broker keeps it for the next start.
            return;
        }
        let Received { topic, payload, qos, retained, pkid, dup } = received;
        let Some(topic) = topic else {
            // Acknowledged all the same: it would come back without a topic again.
            self.count(&self.shared.n_nameless, "Messages without a topic dropped; does the broker use topic aliases?");
            if qos > 0 {
                self.acks.owe(Owed { pkid, qos }).release();
            }
            return;
        };
        if qos == 0 && !self.shared.outbox.has_room() {
            self.count(&self.shared.n_dropped, "QoS 0 messages dropped, too many wait to be recorded");
            return;
        }
        let ack = (qos > 0).then(|| (Delivery { packet_id: pkid, dup }, self.acks.owe(Owed { pkid, qos })));
        let message = Message { link: Arc::clone(&self.shared.settings.name), topic, payload: payload.as_ref().into(), qos, retained };
        self.shared.outbox.push(Report::Message { message, ack });
    }

    /// Counts, and logs the first and then each time the count has doubled.
    fn count(&self, counter: &AtomicU64, what: &'static str) {
        let n = counter.fetch_add(1, Ordering::Relaxed) + 1;
        if n.is_power_of_two() {
            warn!(broker.name = %self.shared.settings.name, n, "{what}");
        }
    }

    /// Whether a new connection would do better.
    fn check(&self) -> Result<(), Failure> {
        if self.asked.is_some_and(|asked| asked.elapsed() > SUBACK_LIMIT) {
            return Err(Failure::Broken("the broker does not answer the subscription".to_owned()));
        }
        if self.acks.n_abandoned() >= MAX_ABANDONED {
            return Err(Failure::Broken("messages could not be recorded, asking for them again".to_owned()));
        }
        Ok(())
    }

    fn flush_acks(&mut self, client: &impl Client) {
        self.acks.flush(|owed| client.try_acknowledge(owed.pkid, owed.qos));
    }
}

const ONLINE: &str = "online";
const OFFLINE: &str = "offline";

impl Role for Ingest {
    const HALF: Half = Half::Ingest;
    type Item = Settled;

    fn options(&self) -> Options {
        let settings = &self.shared.settings;
        Options {
            client_id: settings.client_id.clone(),
            session: Some(Session { expiry_seconds: SESSION_EXPIRY_SECONDS, receive_maximum: settings.receive_maximum }),
            will: Some((settings.presence_topic(), OFFLINE)),
            // Every acknowledgement of a window, and the few requests of our own.
            n_requests: usize::from(settings.receive_maximum) + 64,
            ..Options::of(settings)
        }
    }

    fn begin(&mut self, granted: &Granted, client: &impl Client) {
        if !granted.session_present {
            self.shared.outbox.push(Report::SessionLost { broker: Arc::clone(&self.shared.settings.name) });
        }
        // Whatever the broker says of its session: some forget subscriptions, and configurations change.
        if client.try_subscribe(&self.shared.settings.subscribe, self.shared.settings.qos) {
            self.asked = Some(Instant::now());
        }
    }

    async fn next(&mut self) -> Settled {
        match self.settled.recv().await {
            Some(settled) => settled,
            // Cannot be: the queue holds a sender.
            None => std::future::pending().await,
        }
    }

    fn take(&mut self, settled: Settled, client: &impl Client) -> Result<(), Failure> {
        self.acks.settle(&settled);
        while let Ok(settled) = self.settled.try_recv() {
            self.acks.settle(&settled);
        }
        self.flush_acks(client);
        self.check()
    }

    fn event(&mut self, event: Event, client: &impl Client) -> Result<(), Failure> {
        match event {
            Event::Subscribed(refusals) => self.subscribed(&refusals, client),
            Event::Message(received) => self.receive(received),
            Event::Acknowledged { refused, .. } => {
                self.n_presence = self.n_presence.saturating_sub(1);
                if let Some(reason) = refused {
                    warn!(broker.name = %self.shared.settings.name, reason, "The broker refused the presence of this link");
                }
            }
            _ => {}
        }
        // An acknowledgement for which there was no room goes now.
        self.flush_acks(client);
        self.check()
    }

    fn leave(&mut self, client: &impl Client) {
        self.leaving = true;
        self.publish_presence(OFFLINE, client);
    }

    fn is_done(&self) -> bool {
        self.n_presence == 0 && self.acks.is_empty()
    }

    fn end(&mut self) {
        (self.acks, self.settled) = AckQueue::new();
        (self.asked, self.n_presence) = (None, 0);
    }
}
