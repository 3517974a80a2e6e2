//! Debian's mosquitto as a broker of the tests, and a client that watches one.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish, QoS, SubscribeFilter};
use tempfile::TempDir;
use tokio::time::timeout;

/// Longer than anything that the tests wait for takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A mosquitto that ends with the test.
pub(crate) struct Mosquitto {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Mosquitto {
    /// Starts on a free port.
    pub(crate) fn start() -> Self {
        Self::start_on(free_port())
    }

    /// Starts on this port of the loopback address and returns when it accepts clients.
    pub(crate) fn start_on(port: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("mosquitto.conf");
        std::fs::write(&config, format!("listener {port} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\nlog_type information\n"))
            .expect("written");
        let mut process =
            Command::new("/usr/sbin/mosquitto").arg("-c").arg(&config).stderr(Stdio::piped()).spawn().expect("the package mosquitto is installed");
        let mut log = BufReader::new(process.stderr.take().expect("piped")).lines().map_while(Result::ok);
        assert!(log.any(|line| line.ends_with("running")), "mosquitto did not start on port {port}");
        // The rest of the log is read and dropped: a full pipe would stop the broker.
        std::thread::spawn(move || log.for_each(drop));
        Self { process, port, _folder: folder }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        // It may have ended by itself; then the test failed for another reason.
        let _gone = self.process.kill();
        let _status = self.process.wait();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// A client that sees what others publish.
pub(crate) struct Watcher {
    client: AsyncClient,
    events: EventLoop,
    /// Retained messages may come before the answer to the subscription.
    early: VecDeque<Publish>,
}

impl Watcher {
    /// Connects, subscribes and returns when the broker has said yes.
    pub(crate) async fn connect(port: u16, filters: &[&str]) -> Self {
        let options = MqttOptions::new(format!("watcher-{:x}", fastrand::u64(..)), "127.0.0.1", port);
        let (client, mut events) = AsyncClient::new(options, 64);
        let filters = filters.iter().map(|filter| SubscribeFilter::new((*filter).to_owned(), QoS::AtLeastOnce));
        client.try_subscribe_many(filters).expect("room in the queue");
        let mut early = VecDeque::new();
        let granted = async {
            loop {
                match events.poll().await.expect("a connection") {
                    Event::Incoming(Packet::SubAck(_)) => break,
                    Event::Incoming(Packet::Publish(message)) => early.push_back(message),
                    _ => {}
                }
            }
        };
        timeout(PATIENCE, granted).await.expect("the broker answers");
        Self { client, events, early }
    }

    /// Sends a message, QoS 1, not retained.
    pub(crate) fn publish(&self, topic: &str, payload: &str) {
        self.client.try_publish(topic, QoS::AtLeastOnce, false, payload).expect("room in the queue");
    }

    /// The next message on a topic that satisfies `wanted`.
    pub(crate) async fn next(&mut self, topic: &str, wanted: impl Fn(&str) -> bool) -> Publish {
        self.find(|message| message.topic == topic && wanted(text(message))).await
    }

    /// The next message that satisfies `wanted`.
    pub(crate) async fn find(&mut self, mut wanted: impl FnMut(&Publish) -> bool) -> Publish {
        let found = async {
            loop {
                let message = match self.early.pop_front() {
                    Some(message) => message,
                    None => match self.events.poll().await.expect("a connection") {
                        Event::Incoming(Packet::Publish(message)) => message,
                        _ => continue,
                    },
                };
                if wanted(&message) {
                    return message;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("the message arrives in time")
    }
}

/// The payload as text.
pub(crate) fn text(message: &Publish) -> &str {
    std::str::from_utf8(&message.payload).expect("simulated devices write UTF-8")
}
