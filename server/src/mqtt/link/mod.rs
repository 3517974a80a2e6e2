//! The connection to a broker, over rumqttc.
//!
//! A link is two connections, so that a stall of one does not stop the other: `ingest` subscribes and acknowledges
//! in a persistent session, `command` publishes in a clean one. Each belongs to one task, which owns rumqttc's event
//! loop and waits for nothing that waits for that loop. A connection that broke is never used again: the next one gets
//! a client of its own, because what rumqttc keeps across reconnects (queued requests, collisions, aliases, packet
//! ids) is where a stale acknowledgement or a late command would come from.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::live::LinkState;
use domain::topic::{TopicFilter, check_topic};
use tokio::sync::{mpsc, oneshot};

use super::{PublishError, Report};
use crate::tasks::Tasks;

/// Requests that are answered.
mod calls;
/// Where a broker is and what to ask of it.
mod settings;
/// Certificates, and whom to trust.
mod tls;
/// What is wrong with TLS, for people.
mod trust;
/// Addresses of brokers.
mod url;
/// Which version of MQTT to speak.
mod version;

/// The way from the ingest connection to the rest of the server.
mod outbox;
/// What both halves of a link share: state, counters, the door for publishes.
mod shared;

/// How long to wait before the next attempt.
mod backoff;
/// One connection, from CONNECT to its end.
mod connection;
/// Connect, run, wait, again.
mod keeper;

/// Acknowledgements in the order of arrival.
mod acks;
/// The connection that publishes.
mod command;
/// The connection that subscribes and acknowledges.
mod ingest;
/// Which publish an acknowledgement belongs to.
mod tracker;
/// Connections that stand and deliver nothing.
mod watchdog;

/// MQTT 3.1.1.
mod v4;
/// MQTT 5.
mod v5;
/// What the two versions of rumqttc have in common.
mod wire;

pub use settings::{LinkSettings, Passed, Protocol, Transport, Watchdog};
pub use shared::LinkCounts;
pub use tls::{Tls, TlsError, TlsFiles};
pub use url::{SettingsError, UrlError};

use shared::{Publish, Shared};

/// A link to one broker. Cheap to clone; the connections end with the tasks they were started on.
#[derive(Clone)]
pub struct Link {
    shared: Arc<Shared>,
}

impl Link {
    /// Starts both connections on `tasks` and keeps them up until the tasks are told to stop. States and messages go
    /// to `reports`, in order. When told to stop, the presence topic says `offline` and the broker keeps the session.
    #[must_use]
    pub fn start(settings: LinkSettings, reports: mpsc::Sender<Report>, tasks: &Tasks) -> Self {
        let (outbox, waiting) = outbox::outbox(usize::from(settings.receive_maximum));
        let shared = Arc::new(Shared::new(settings, outbox));
        shared.report_state();
        keeper::start(&shared, waiting, reports, tasks);
        Self { shared }
    }

    /// Publishes over the command connection, never retained. The message is queued before this returns, so calls keep
    /// their order; the future resolves when the broker acknowledged (QoS 1 and 2) or it was written (QoS 0).
    ///
    /// # Errors
    /// [`PublishError`], at once when the link is down. Nothing is ever sent after an outage.
    pub fn publish(&self, topic: String, payload: Vec<u8>, qos: u8) -> impl Future<Output = Result<(), PublishError>> + Send + 'static + use<> {
        self.publish_for(topic, payload, qos, None)
    }

    /// As [`Link::publish`], with the seconds after which a broker that speaks MQTT 5 shall no longer deliver it.
    ///
    /// # Errors
    /// As [`Link::publish`].
    pub fn publish_for(
        &self,
        topic: String,
        payload: Vec<u8>,
        qos: u8,
        expires_s: Option<u32>,
    ) -> impl Future<Output = Result<(), PublishError>> + Send + 'static + use<> {
        self.send(topic, payload, qos, false, expires_s)
    }

    /// Publishes a request with QoS 1 that is answered with the number it carries: what went wrong, as the other side says, or `None`. How long that
    /// may take is up to the caller.
    ///
    /// # Errors
    /// As [`Link::publish`].
    pub async fn call(&self, make: impl FnOnce(u32) -> (String, Vec<u8>)) -> Result<Option<String>, PublishError> {
        let (number, answer) = self.shared.calls.open().ok_or(PublishError::QueueFull)?;
        let (topic, payload) = make(number);
        self.publish(topic, payload, 1).await?;
        answer.await.map_err(|_| PublishError::Lost)
    }

    /// The answer to a request came.
    pub fn answered(&self, number: u32, error: Option<String>) {
        self.shared.calls.answered(number, error);
    }

    /// As [`Link::publish`], for what a person publishes: only they may ask the broker to keep it.
    ///
    /// # Errors
    /// As [`Link::publish`].
    pub fn publish_by_hand(
        &self,
        topic: String,
        payload: Vec<u8>,
        qos: u8,
        retain: bool,
    ) -> impl Future<Output = Result<(), PublishError>> + Send + 'static + use<> {
        self.send(topic, payload, qos, retain, None)
    }

    fn send(
        &self,
        topic: String,
        payload: Vec<u8>,
        qos: u8,
        retain: bool,
        expires_s: Option<u32>,
    ) -> impl Future<Output = Result<(), PublishError>> + Send + 'static + use<> {
        let (reply, answer) = oneshot::channel();
        let queued = check_topic(&topic)
            .map_err(PublishError::from)
            .and_then(|()| self.shared.queue_publish(Publish { topic, payload, qos: qos.min(2), retain, expires_s, reply: Some(reply) }));
        async move {
            queued?;
            answer.await.unwrap_or(Err(PublishError::Lost))
        }
    }

    /// Whether the broker is reached: both connections stand and the broker took every subscription.
    #[must_use]
    pub fn state(&self) -> LinkState {
        self.shared.state()
    }

    /// What is wrong while the link is not up, for the operator.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.shared.trouble()
    }

    /// What it subscribes to.
    #[must_use]
    pub fn filters(&self) -> &[TopicFilter] {
        &self.shared.settings.subscribe
    }

    /// The filters that the broker refused, each with its reason; empty while it is not reached.
    #[must_use]
    pub fn refused(&self) -> Vec<(String, String)> {
        self.shared.refused()
    }

    /// The broker's name in the configuration.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.shared.settings.name
    }

    /// Where it is, as `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", wire::bracketed(&self.shared.settings.host), self.shared.settings.port)
    }

    /// The version of MQTT that is spoken: `5` or `3.1.1`; `None` before it is known.
    #[must_use]
    pub fn protocol(&self) -> Option<&'static str> {
        self.shared.agreed.get().map(version::Version::as_str)
    }

    /// Whether a connection would be noticed that stands and delivers nothing. It is not when the broker does not let
    /// this client send messages to itself, on [`LinkSettings::probe_topic`].
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.shared.is_watched.load(Ordering::Relaxed)
    }

    /// What was counted since the start.
    #[must_use]
    pub fn counts(&self) -> LinkCounts {
        self.shared.counts()
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("name", self.name()).field("state", &self.state()).finish_non_exhaustive()
    }
}
