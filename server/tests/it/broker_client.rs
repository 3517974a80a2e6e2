//! An MQTT client for tests: the same few verbs for MQTT 3.1.1 and 5, each waiting for the broker's answer.

use std::net::SocketAddr;
use std::time::Duration;

use rumqttc::v5;
use server::tasks::Tasks;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// The version of MQTT a test speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V311,
    V5,
}

/// What the broker says to the client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Connected { session_present: bool },
    Subscribed,
    Acknowledged,
    Message(Message),
    Closed(String),
}

/// A message that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
}

/// How to connect.
#[derive(Clone, Debug)]
pub(crate) struct Connect {
    pub(crate) version: Version,
    pub(crate) id: &'static str,
    /// Whether the session shall outlive the connection.
    pub(crate) persistent: bool,
    /// Topic and payload of a retained will.
    pub(crate) will: Option<(&'static str, &'static str)>,
}

impl Connect {
    pub(crate) fn new(version: Version, id: &'static str) -> Self {
        Self { version, id, persistent: false, will: None }
    }

    pub(crate) fn persistent(self) -> Self {
        Self { persistent: true, ..self }
    }

    pub(crate) fn will(self, topic: &'static str, payload: &'static str) -> Self {
        Self { will: Some((topic, payload)), ..self }
    }

    /// Connects; returns the client and whether the broker knew its session.
    pub(crate) async fn to(self, address: SocketAddr) -> (Client, bool) {
        let (events, received) = unbounded_channel();
        // Dropping the client drops this sender, which ends the loop and with it the connection.
        let (alive, gone) = tokio::sync::oneshot::channel();
        let sender = match self.version {
            Version::V311 => self.connect_v311(address, events, gone),
            Version::V5 => self.connect_v5(address, events, gone),
        };
        let mut client = Client { sender, events: received, kept: Vec::new(), _alive: alive };
        match client.event().await {
            Event::Connected { session_present } => (client, session_present),
            other => panic!("expected a CONNACK, got {other:?}"),
        }
    }

    fn connect_v311(&self, address: SocketAddr, events: UnboundedSender<Event>, mut gone: tokio::sync::oneshot::Receiver<()>) -> Sender {
        let mut options = rumqttc::MqttOptions::new(self.id, address.ip().to_string(), address.port());
        options.set_keep_alive(Duration::from_secs(10)).set_clean_session(!self.persistent).set_max_packet_size(MAX_PACKET, MAX_PACKET);
        if let Some((topic, payload)) = self.will {
            options.set_last_will(rumqttc::LastWill::new(topic, payload, rumqttc::QoS::AtLeastOnce, true));
        }
        let (client, mut connection) = rumqttc::AsyncClient::new(options, 100);
        Tasks::default().spawn(async move {
            loop {
                let event = tokio::select! { event = connection.poll() => event, _ = &mut gone => return };
                let event = match event {
                    Ok(rumqttc::Event::Incoming(packet)) => match packet {
                        rumqttc::Packet::ConnAck(ack) => Event::Connected { session_present: ack.session_present },
                        rumqttc::Packet::SubAck(_) => Event::Subscribed,
                        rumqttc::Packet::PubAck(_) | rumqttc::Packet::PubComp(_) => Event::Acknowledged,
                        rumqttc::Packet::Publish(p) => {
                            Event::Message(Message { topic: p.topic, payload: p.payload.to_vec(), qos: p.qos as u8, retain: p.retain })
                        }
                        _ => continue,
                    },
                    Ok(rumqttc::Event::Outgoing(_)) => continue,
                    Err(e) => Event::Closed(e.to_string()),
                };
                let closed = matches!(event, Event::Closed(_));
                if events.send(event).is_err() || closed {
                    return;
                }
            }
        });
        Sender::V311(client)
    }

    fn connect_v5(&self, address: SocketAddr, events: UnboundedSender<Event>, mut gone: tokio::sync::oneshot::Receiver<()>) -> Sender {
        let mut options = v5::MqttOptions::new(self.id, address.ip().to_string(), address.port());
        options.set_keep_alive(Duration::from_secs(10)).set_clean_start(!self.persistent);
        options.set_max_packet_size(Some(u32::try_from(MAX_PACKET).unwrap()));
        if self.persistent {
            options.set_session_expiry_interval(Some(3600));
        }
        if let Some((topic, payload)) = self.will {
            options.set_last_will(v5::mqttbytes::v5::LastWill::new(topic, payload, v5::mqttbytes::QoS::AtLeastOnce, true, None));
        }
        let (client, mut connection) = v5::AsyncClient::new(options, 100);
        Tasks::default().spawn(async move {
            loop {
                let event = tokio::select! { event = connection.poll() => event, _ = &mut gone => return };
                let event = match event {
                    Ok(v5::Event::Incoming(packet)) => match packet {
                        v5::Incoming::ConnAck(ack) => Event::Connected { session_present: ack.session_present },
                        v5::Incoming::SubAck(_) => Event::Subscribed,
                        v5::Incoming::PubAck(_) | v5::Incoming::PubComp(_) => Event::Acknowledged,
                        v5::Incoming::Publish(p) => {
                            let topic = String::from_utf8(p.topic.to_vec()).unwrap();
                            Event::Message(Message { topic, payload: p.payload.to_vec(), qos: p.qos as u8, retain: p.retain })
                        }
                        v5::Incoming::Disconnect(d) => Event::Closed(format!("{:?}", d.reason_code)),
                        _ => continue,
                    },
                    Ok(v5::Event::Outgoing(_)) => continue,
                    Err(e) => Event::Closed(e.to_string()),
                };
                let closed = matches!(event, Event::Closed(_));
                if events.send(event).is_err() || closed {
                    return;
                }
            }
        });
        Sender::V5(client)
    }
}

/// A connected client. Dropped, its connection breaks without a DISCONNECT, as when a device loses power.
pub(crate) struct Client {
    sender: Sender,
    events: UnboundedReceiver<Event>,
    /// Messages that arrived while something else was awaited.
    kept: Vec<Message>,
    _alive: tokio::sync::oneshot::Sender<()>,
}

enum Sender {
    V311(rumqttc::AsyncClient),
    V5(v5::AsyncClient),
}

impl Client {
    /// Publishes and waits for the broker's acknowledgment, if there is to be one.
    pub(crate) async fn publish(&mut self, topic: &str, qos: u8, retain: bool, payload: impl Into<Vec<u8>>) {
        self.send(topic, qos, retain, payload.into()).await;
        if qos > 0 {
            self.acknowledged(1).await;
        }
    }

    /// Publishes without waiting.
    pub(crate) async fn send(&self, topic: &str, qos: u8, retain: bool, payload: Vec<u8>) {
        match &self.sender {
            Sender::V311(client) => client.publish(topic, rumqttc::qos(qos).unwrap(), retain, payload).await.unwrap(),
            Sender::V5(client) => client.publish(topic, v5::mqttbytes::qos(qos).unwrap(), retain, payload).await.unwrap(),
        }
    }

    /// Waits until the broker acknowledged `n` messages.
    pub(crate) async fn acknowledged(&mut self, n: usize) {
        for _ in 0..n {
            self.until(|event| matches!(event, Event::Acknowledged)).await;
        }
    }

    /// Subscribes and waits for the SUBACK.
    pub(crate) async fn subscribe(&mut self, filter: &str, qos: u8) {
        match &self.sender {
            Sender::V311(client) => client.subscribe(filter, rumqttc::qos(qos).unwrap()).await.unwrap(),
            Sender::V5(client) => client.subscribe(filter, v5::mqttbytes::qos(qos).unwrap()).await.unwrap(),
        }
        self.until(|event| matches!(event, Event::Subscribed)).await;
    }

    /// The next message.
    pub(crate) async fn message(&mut self) -> Message {
        if !self.kept.is_empty() {
            return self.kept.remove(0);
        }
        match self.event().await {
            Event::Message(message) => message,
            other => panic!("expected a message, got {other:?}"),
        }
    }

    /// Waits until the broker closes the connection; returns what was said.
    pub(crate) async fn closed(&mut self) -> String {
        match self.until(|event| matches!(event, Event::Closed(_))).await {
            Event::Closed(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    /// Says DISCONNECT and waits until the connection is closed.
    pub(crate) async fn leave(mut self) {
        match &self.sender {
            Sender::V311(client) => client.disconnect().await.unwrap(),
            Sender::V5(client) => client.disconnect().await.unwrap(),
        }
        self.closed().await;
    }

    async fn event(&mut self) -> Event {
        timeout(PATIENCE, self.events.recv()).await.expect("the broker answers in time").expect("the client runs")
    }

    async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            match self.event().await {
                event if wanted(&event) => return event,
                Event::Message(message) => self.kept.push(message),
                other => panic!("unexpected {other:?}"),
            }
        }
    }
}

const MAX_PACKET: usize = 16 << 20;

/// Ends a test that would otherwise wait for ever; far longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(30);
