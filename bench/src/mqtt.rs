//! An MQTT client that notes when it heard what. Bare `rumqttc`: what a subscriber without Signalbox would be.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, NetworkOptions, Packet, QoS};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// QoS 1 messages that wait for their acknowledgment at the same time.
const IN_FLIGHT: u16 = 100;

/// A connected client. Dropped, its connection breaks.
pub(crate) struct Client {
    sender: AsyncClient,
    heard: UnboundedReceiver<Heard>,
    /// Ends the loop with the client.
    _loop: JoinSet<()>,
}

/// A message that arrived.
#[derive(Debug)]
pub(crate) struct Message {
    /// The payload as text.
    pub(crate) payload: String,
    /// When it was read from the socket.
    pub(crate) at: Instant,
}

enum Heard {
    Connected,
    Subscribed,
    Message(Message),
    Lost(String),
}

impl Client {
    /// Connects and waits for the broker's answer.
    pub(crate) async fn connect(address: SocketAddr, id: &str) -> Result<Self> {
        let mut options = MqttOptions::new(id, address.ip().to_string(), address.port());
        options.set_keep_alive(Duration::from_secs(30)).set_clean_session(true).set_inflight(IN_FLIGHT);
        let (sender, mut connection) = AsyncClient::new(options, IN_FLIGHT.into());
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        connection.set_network_options(network);
        let (tell, heard) = unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(connection, tell));
        let mut client = Self { sender, heard, _loop: tasks };
        match client.next().await? {
            Heard::Connected => Ok(client),
            _ => bail!("the broker answered {id} with something else than CONNACK"),
        }
    }

    /// Subscribes with QoS 1 and waits for the SUBACK.
    pub(crate) async fn subscribe(&mut self, filter: &str) -> Result<()> {
        self.sender.subscribe(filter, QoS::AtLeastOnce).await?;
        loop {
            if matches!(self.next().await?, Heard::Subscribed) {
                return Ok(());
            }
        }
    }

    /// Publishes with QoS 1, not retained. Waits only while [`IN_FLIGHT`] messages are on their way and as many wait behind them.
    pub(crate) async fn publish(&self, topic: String, payload: String) -> Result<()> {
        Ok(self.sender.publish(topic, QoS::AtLeastOnce, false, payload).await?)
    }

    /// The next message.
    pub(crate) async fn message(&mut self) -> Result<Message> {
        loop {
            if let Heard::Message(message) = self.next().await? {
                return Ok(message);
            }
        }
    }

    async fn next(&mut self) -> Result<Heard> {
        match self.heard.recv().await.context("the connection to the broker has ended")? {
            Heard::Lost(error) => bail!("the connection to the broker broke: {error}"),
            heard => Ok(heard),
        }
    }
}

/// Reads until the connection breaks or nobody listens. Acknowledgments are left to rumqttc, which counts them.
async fn listen(mut connection: EventLoop, tell: UnboundedSender<Heard>) {
    loop {
        let heard = match connection.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => Heard::Connected,
            Ok(Event::Incoming(Packet::SubAck(_))) => Heard::Subscribed,
            Ok(Event::Incoming(Packet::Publish(message))) => {
                Heard::Message(Message { payload: String::from_utf8_lossy(&message.payload).into_owned(), at: Instant::now() })
            }
            Ok(_) => continue,
            Err(error) => Heard::Lost(error.to_string()),
        };
        let lost = matches!(heard, Heard::Lost(_));
        if tell.send(heard).is_err() || lost {
            return;
        }
    }
}
