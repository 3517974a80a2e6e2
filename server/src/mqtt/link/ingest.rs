use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::input::Message;
use domain::topic::TopicFilter;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use tracing::warn;

use super::super::Report;
use super::acks::{AckQueue, Owed, Settled};
use super::connection::Role;
use super::settings::Passed;
use super::shared::{Half, Publish, Shared};
use super::watchdog::{Step, Watch};
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
    watch: Watch,
    watch_ticks: Interval,
    probe_topic: String,
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
    /// Must be called in a runtime: it watches the clock.
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let (acks, settled) = AckQueue::new();
        let probe_topic = shared.settings.probe_topic();
        // What is dealt out to a group may come to another one.
        let is_covered = shared.settings.subscribe.iter().any(|filter| !filter.is_shared() && filter.matches(&probe_topic));
        let watch = Watch::new(shared.settings.watchdog, is_covered);
        let mut watch_ticks = interval(watch.period().max(Duration::from_millis(1)));
        watch_ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { shared, acks, settled, asked: None, watch, watch_ticks, probe_topic, n_presence: 0, leaving: false }
    }

    fn publish_presence(&mut self, presence: &'static str, client: &impl Client) {
        if client.try_publish(&self.shared.settings.presence_topic(), presence.into(), 1, true) {
            self.n_presence += 1;
        }
    }

    fn subscribed(&mut self, refusals: &[Option<String>], client: &impl Client) {
        if self.asked.take().is_none() {
            // The other subscription: that of the watchdog.
            let step = self.watch.granted(refusals.iter().all(Option::is_none));
            return self.say_if_over(step);
        }
        let filters = &self.shared.settings.subscribe;
        let refused: Vec<(String, String)> =
            filters.iter().zip(refusals).filter_map(|(filter, refusal)| Some((filter.as_str().to_owned(), refusal.clone()?))).collect();
        self.shared.refuse(refused.clone());
        if refused.is_empty() {
            self.shared.up(Half::Ingest);
            self.passed(Passed::Subscribed);
            self.watch.begin(Instant::now());
        } else {
            self.shared.down(Half::Ingest, &format!("the broker refused the subscription to {}", listed(&refused)));
        }
        self.publish_presence(ONLINE, client);
    }

    fn receive(&mut self, received: Received) {
        if self.leaving {
            // Not acknowledged, so the broker keeps it for the next start.
            return;
        }
        let Received { topic, payload, qos, retained, pkid, dup } = received;
        if topic.as_deref() == Some(&self.probe_topic) {
            // Ours, and nobody else's business.
            if qos > 0 {
                self.acks.owe(Owed { pkid, qos }).release();
            }
            if !retained {
                self.watch.probe(Instant::now());
            }
            return;
        }
        self.watch.message(Instant::now());
        self.passed(Passed::Arrived { n_payload_bytes: payload.len(), qos });
        let Some(topic) = topic else {
            // Acknowledged all the same: it would come back without a topic again.
            self.count(&self.shared.n_nameless, "Messages without a topic dropped; does the broker use topic aliases?");
            if qos > 0 {
                self.acks.owe(Owed { pkid, qos }).release();
            }
            return;
        };
        let ack = (qos > 0).then(|| (Delivery { packet_id: pkid, dup }, self.acks.owe(Owed { pkid, qos })));
        let message = Message { link: Arc::clone(&self.shared.settings.name), topic, payload: payload.as_ref().into(), qos, retained };
        let n_dropped = self.shared.outbox.push(Report::Message { message, ack });
        let all = self.shared.outbox.n_dropped();
        // The first, and then each time their number has doubled.
        if n_dropped > 0 && all.checked_ilog2() != all.saturating_sub(n_dropped).checked_ilog2() {
            warn!(broker.name = %self.shared.settings.name, n = all, "QoS 0 messages dropped, too many wait to be recorded");
        }
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

    /// Does what the watchdog asks for.
    fn watch(&mut self, client: &impl Client) -> Result<(), Failure> {
        let now = Instant::now();
        // While messages wait for us the broker may have no room to deliver more.
        let is_free = self.acks.is_empty() && self.asked.is_none() && !self.leaving;
        let is_done = match self.watch.tick(now, is_free) {
            Step::Wait => true,
            Step::Subscribe => match TopicFilter::parse(&self.probe_topic) {
                Ok(filter) => client.try_subscribe(&[filter], 0),
                Err(_) => false,
            },
            Step::Probe => {
                // QoS 0: nothing is to be kept for later, and no window to be waited for.
                let probe = Publish { topic: self.probe_topic.clone(), payload: PROBE.to_vec(), qos: 0, retain: false, expires_s: None, reply: None };
                self.shared.queue_publish(probe).is_ok()
            }
            Step::Reconnect => {
                self.shared.n_deaf.fetch_add(1, Ordering::Relaxed);
                return Err(Failure::Deaf);
            }
            step @ Step::GiveUp => {
                self.say_if_over(step);
                true
            }
        };
        if !is_done {
            self.watch.put_off(now);
        }
        Ok(())
    }

    fn say_if_over(&self, step: Step) {
        if step == Step::GiveUp {
            self.shared.is_watched.store(false, Ordering::Relaxed);
            warn!(
                broker.name = %self.shared.settings.name,
                topic = self.probe_topic,
                "The broker does not deliver what this link sends to itself: a deaf connection will not be noticed; does it allow the topic?"
            );
        }
    }

    fn flush_acks(&mut self, client: &impl Client) {
        let mut n = 0;
        self.acks.flush(|owed| {
            let is_sent = client.try_acknowledge(owed.pkid, owed.qos);
            n += u64::from(is_sent);
            is_sent
        });
        if n > 0 {
            self.passed(Passed::Acknowledged { n });
        }
    }

    fn passed(&self, passed: Passed) {
        if let Some(on_message) = &self.shared.settings.on_message {
            on_message(passed);
        }
    }
}

/// Filters with the reasons that they were refused for.
fn listed(refused: &[(String, String)]) -> String {
    refused.iter().map(|(filter, reason)| format!("\"{filter}\" ({reason})")).collect::<Vec<_>>().join(", ")
}

/// What becomes of [`Ingest::next`].
pub(super) enum Todo {
    /// A message was recorded or given up.
    Settle(Settled),
    /// Time has passed.
    Watch,
}

const PROBE: &[u8] = b"probe";
const ONLINE: &str = "online";
const OFFLINE: &str = "offline";

impl Role for Ingest {
    const HALF: Half = Half::Ingest;
    type Item = Todo;

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

    async fn next(&mut self) -> Todo {
        tokio::select! {
            // There is always one: the queue holds a sender.
            Some(settled) = self.settled.recv() => Todo::Settle(settled),
            _ = self.watch_ticks.tick() => Todo::Watch,
        }
    }

    fn take(&mut self, todo: Todo, client: &impl Client) -> Result<(), Failure> {
        match todo {
            Todo::Settle(settled) => {
                self.acks.settle(&settled);
                while let Ok(settled) = self.settled.try_recv() {
                    self.acks.settle(&settled);
                }
                self.flush_acks(client);
            }
            Todo::Watch => self.watch(client)?,
        }
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
        self.shared.refuse(vec![]);
        let step = self.watch.end();
        self.say_if_over(step);
    }
}
