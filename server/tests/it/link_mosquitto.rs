//! Debian's mosquitto, and plain clients of it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS};

use crate::link_rig::{PATIENCE, soon};

const PROGRAM: &str = "/usr/sbin/mosquitto";

/// A broker on a port of its own; killed when it is dropped.
pub(crate) struct Mosquitto {
    pub(crate) port: u16,
    child: Child,
    folder: tempfile::TempDir,
}

impl Mosquitto {
    /// Starts a broker and waits until it listens.
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// The same, with more lines of configuration, such as listeners.
    pub(crate) fn start_with(more: &str) -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "user root\nlog_dest stderr\nlog_type information\npersistence false\nmax_queued_messages 0\nallow_anonymous true\n\
             listener {port} 127.0.0.1\n{more}"
        );
        std::fs::write(folder.path().join("mosquitto.conf"), config).expect("written");
        Self { port, child: launch(&folder), folder }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("running");
        self.child.wait().expect("ended");
    }

    /// Stops it in the midst of what it does; only [`Mosquitto::kill`] ends that.
    pub(crate) fn freeze(&self) {
        let frozen = Command::new("kill").arg("-STOP").arg(self.child.id().to_string()).status();
        assert!(frozen.is_ok_and(|status| status.success()), "it stands still");
    }

    /// Starts it again on the same port, empty.
    pub(crate) fn restart(&mut self) {
        self.child = launch(&self.folder);
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _: std::io::Result<()> = self.child.kill();
        let _: std::io::Result<_> = self.child.wait();
    }
}

/// A port of the loopback address that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

#[expect(clippy::panic, reason = "a test without its broker has nothing to say")]
fn launch(folder: &tempfile::TempDir) -> Child {
    let mut child = Command::new(PROGRAM)
        .arg("-c")
        .arg(folder.path().join("mosquitto.conf"))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{PROGRAM} cannot be started ({error}); install it: apt-get install mosquitto"));
    let log = BufReader::new(child.stderr.take().expect("piped"));
    let (running, wait) = mpsc::channel();
    std::thread::spawn(move || {
        // Read to the end, for a full pipe would stop the broker.
        for line in log.lines().map_while(Result::ok) {
            if line.ends_with("running") {
                let _: Result<(), _> = running.send(());
            }
        }
    });
    wait.recv_timeout(PATIENCE).expect("mosquitto says that it runs");
    child
}

fn client(port: u16, client_id: &str) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(client_id, "127.0.0.1", port);
    options.set_max_packet_size(64 * 1024 * 1024, 64 * 1024 * 1024);
    AsyncClient::new(options, 10)
}

async fn until(events: &mut EventLoop, mut wanted: impl FnMut(&Event) -> bool) {
    soon("an answer of mosquitto", async { while !wanted(&events.poll().await.expect("connected")) {} }).await;
}

/// Publishes as a device would.
pub(crate) async fn publish(port: u16, topic: &str, payload: impl Into<Vec<u8>>, qos: u8, retain: bool) {
    let (client, mut events) = client(port, "device");
    client.try_publish(topic, rumqttc::qos(qos).expect("a QoS"), retain, payload).expect("room");
    until(&mut events, |event| match event {
        Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_)) => true,
        event => qos == 0 && *event == Event::Outgoing(Outgoing::Publish(0)),
    })
    .await;
    client.try_disconnect().expect("room");
    until(&mut events, |event| *event == Event::Outgoing(Outgoing::Disconnect)).await;
}

/// Takes over the session of a client, which breaks its connection, and is gone.
pub(crate) async fn kick(port: u16, client_id: &str) {
    let mut options = MqttOptions::new(client_id, "127.0.0.1", port);
    options.set_clean_session(false).set_manual_acks(true);
    let (_client, mut events) = AsyncClient::new(options, 10);
    until(&mut events, |event| matches!(event, Event::Incoming(Packet::ConnAck(_)))).await;
}

/// A subscriber that sees what a device would see.
pub(crate) struct Subscriber {
    events: EventLoop,
    _client: AsyncClient,
}

/// What a subscriber saw: topic, payload, QoS, retained.
pub(crate) type Seen = (String, String, u8, bool);

impl Subscriber {
    /// Subscribes and waits until the broker says so.
    pub(crate) async fn start(port: u16, client_id: &str, filter: &str) -> Self {
        let (client, mut events) = client(port, client_id);
        client.try_subscribe(filter, QoS::ExactlyOnce).expect("room");
        until(&mut events, |event| matches!(event, Event::Incoming(Packet::SubAck(_)))).await;
        Self { events, _client: client }
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Seen {
        let mut seen = None;
        until(&mut self.events, |event| {
            if let Event::Incoming(Packet::Publish(p)) = event {
                seen = Some((p.topic.clone(), String::from_utf8_lossy(&p.payload).into_owned(), p.qos as u8, p.retain));
            }
            seen.is_some()
        })
        .await;
        seen.expect("just set")
    }
}

/// What a subscriber should see.
pub(crate) fn seen(topic: &str, payload: &str, qos: u8, retained: bool) -> Seen {
    (topic.to_owned(), payload.to_owned(), qos, retained)
}
