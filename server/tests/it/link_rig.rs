//! A link under test, and what it reports.

use std::time::Duration;

use domain::input::Message;
use domain::live::LinkState;
use domain::topic::TopicFilter;
use server::mqtt::link::{Link, LinkSettings, Protocol};
use server::mqtt::{Ack, PublishError, Report};
use server::tasks::Tasks;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// Both versions of MQTT.
pub(crate) const BOTH: [Protocol; 2] = [Protocol::V5, Protocol::V311];

/// Waits for what must happen.
#[expect(clippy::panic, reason = "says what a test waited for")]
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: nothing within {PATIENCE:?}"))
}

/// A link, its reports, and its tasks.
pub(crate) struct Rig {
    pub(crate) link: Link,
    pub(crate) reports: mpsc::Receiver<Report>,
    pub(crate) tasks: Tasks,
}

/// Settings of the tests: subscribed to `t/#`.
pub(crate) fn settings(port: u16, client_id: &str, protocol: Protocol) -> LinkSettings {
    LinkSettings {
        protocol,
        subscribe: vec![TopicFilter::parse("t/#").expect("a filter")],
        receive_maximum: 100,
        ..LinkSettings::new("test", "127.0.0.1", port, client_id)
    }
}

impl Rig {
    pub(crate) fn start(settings: LinkSettings) -> Self {
        Self::start_with_capacity(settings, 100)
    }

    pub(crate) fn start_with_capacity(settings: LinkSettings, capacity: usize) -> Self {
        let tasks = Tasks::default();
        let (sender, reports) = mpsc::channel(capacity);
        Self { link: Link::start(settings, sender, &tasks), reports, tasks }
    }

    /// Starts a link and waits until it is up.
    pub(crate) async fn up(settings: LinkSettings) -> Self {
        let mut rig = Self::start(settings);
        rig.state(LinkState::Up).await;
        rig
    }

    /// The next report of this state; messages before it are dropped.
    pub(crate) async fn state(&mut self, wanted: LinkState) {
        soon(wanted.as_str(), async {
            loop {
                match self.reports.recv().await.expect("the link lives") {
                    Report::State { state, .. } if state == wanted => return,
                    _ => {}
                }
            }
        })
        .await;
    }

    /// The next message; states before it are skipped.
    pub(crate) async fn message(&mut self) -> (Message, Option<Ack>) {
        soon("a message", async {
            loop {
                if let Report::Message { message, ack } = self.reports.recv().await.expect("the link lives") {
                    return (message, ack.map(|(_, ack)| ack));
                }
            }
        })
        .await
    }

    /// The topic of the next message, which is acknowledged.
    pub(crate) async fn topic(&mut self) -> String {
        let (message, ack) = self.message().await;
        ack.into_iter().for_each(Ack::release);
        message.topic.to_string()
    }

    /// The payload of the next message as text; the message is acknowledged.
    pub(crate) async fn text(&mut self) -> String {
        let (message, ack) = self.message().await;
        ack.into_iter().for_each(Ack::release);
        String::from_utf8(message.payload.to_vec()).expect("text")
    }

    pub(crate) async fn publish(&self, topic: &str, payload: &str) -> Result<(), PublishError> {
        soon("the end of a publish", self.link.publish(topic.to_owned(), payload.into(), 1)).await
    }

    pub(crate) async fn stop(self) {
        soon("the end of the link", self.tasks.stop()).await;
    }
}
