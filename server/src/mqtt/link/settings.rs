use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::topic::TopicFilter;

use super::tls::Tls;

/// Which version of MQTT to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// MQTT 5, and 3.1.1 when the broker does not understand it.
    #[default]
    Auto,
    /// MQTT 5 only.
    V5,
    /// MQTT 3.1.1 only.
    V311,
}

/// How MQTT is carried to the broker.
#[derive(Clone, Debug)]
pub enum Transport {
    /// `mqtt://`: TCP.
    Tcp,
    /// `mqtts://`: TLS over TCP.
    Tls(Tls),
    /// `ws://`: WebSocket, at this path with its query.
    WebSocket(String),
    /// `wss://`: WebSocket over TLS, at this path with its query.
    SecureWebSocket(String, Tls),
}

/// When a link that is connected but delivers nothing is taken for deaf. See [`super::Link::is_watched`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watchdog {
    /// After how long without any message the link asks for one of its own, the probe.
    pub quiet: Duration,
    /// How long the broker may take to deliver it.
    pub patience: Duration,
}

/// How far messages have come on their way through a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// The broker delivers from now on.
    Subscribed,
    /// One came from the broker, whatever becomes of it.
    Arrived {
        /// Bytes of payload.
        n_payload_bytes: usize,
        /// How it was delivered: 0, 1 or 2.
        qos: u8,
    },
    /// So many were acknowledged to the broker: what they say is on disk.
    Acknowledged {
        /// How many.
        n: u64,
    },
}

/// Where a broker is and what to ask of it.
#[derive(Clone)]
pub struct LinkSettings {
    /// The broker's name in the configuration.
    pub name: Arc<str>,
    /// How MQTT is carried.
    pub transport: Transport,
    /// Host name or address; IPv6 with or without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User name, if the broker asks for one.
    pub username: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// Client id of the ingest connection; stable over restarts, for it names the session. The command connection
    /// adds `-cmd`. Unique: two clients with one id disconnect each other forever.
    pub client_id: String,
    /// What to subscribe to.
    pub subscribe: Vec<TopicFilter>,
    /// Highest QoS to be delivered with: 0, 1 or 2.
    pub qos: u8,
    /// Which version of MQTT to speak.
    pub protocol: Protocol,
    /// How many unacknowledged messages the broker may have on their way (MQTT 5). With 3.1.1 the broker decides.
    pub receive_maximum: u16,
    /// How often the connection is probed; whole seconds, at least 5 s with MQTT 5, where the broker may ask for
    /// another time. Nothing heard for one and a half of these is a dead line.
    pub keep_alive: Duration,
    /// When a connection that stands is taken for deaf.
    pub watchdog: Watchdog,
    /// Largest packet in bytes, either way. With MQTT 5 the broker is told; with 3.1.1 a larger one ends the
    /// connection, so limit the size at the broker.
    pub packet_limit: u32,
    /// Told of messages on their way through the link.
    pub on_message: Option<Arc<dyn Fn(Passed) + Send + Sync>>,
}

impl LinkSettings {
    /// A broker with the settings that fit most: TCP, everything subscribed to with QoS 1, a window of 2,000 messages,
    /// packets up to 16 MiB (device lists of Zigbee2MQTT run to megabytes), 10 s keep alive, a probe after 30 s without
    /// a message. Addresses of a configuration are read by [`Self::from_url`].
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, host: impl Into<String>, port: u16, client_id: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            transport: Transport::Tcp,
            host: host.into(),
            port,
            username: None,
            password: None,
            client_id: client_id.into(),
            subscribe: vec![TopicFilter::parse("#").expect("# is a filter")],
            qos: 1,
            protocol: Protocol::Auto,
            receive_maximum: 2_000,
            keep_alive: Duration::from_secs(10),
            watchdog: Watchdog { quiet: Duration::from_secs(30), patience: Duration::from_secs(10) },
            packet_limit: 16 * 1024 * 1024,
            on_message: None,
        }
    }

    /// Where this client says `online` and `offline`, retained.
    #[must_use]
    pub fn presence_topic(&self) -> String {
        presence_topic(&self.client_id)
    }

    /// Where this client sends itself a message to see whether the broker delivers.
    #[must_use]
    pub fn probe_topic(&self) -> String {
        format!("clients/{}/probe", self.client_id)
    }
}

pub(super) fn presence_topic(client_id: &str) -> String {
    format!("clients/{client_id}/status")
}

impl fmt::Debug for LinkSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The password stays out of logs.
        f.debug_struct("LinkSettings")
            .field("name", &self.name)
            .field("transport", &self.transport)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("client_id", &self.client_id)
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}
