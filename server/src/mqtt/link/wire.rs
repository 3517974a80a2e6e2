use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::topic::TopicFilter;
use rumqttc::TlsConfiguration;

use super::settings::{LinkSettings, Transport};

/// What rumqttc's two clients are told, without ever waiting: each call says whether there was room.
pub(super) trait Client: Send + Sync {
    fn try_subscribe(&self, filters: &[TopicFilter], qos: u8) -> bool;
    fn try_publish(&self, topic: &str, payload: Vec<u8>, qos: u8, retain: bool) -> bool;
    /// Thrown away by the broker after some seconds; MQTT 3.1.1 cannot say that.
    fn try_publish_for(&self, topic: &str, payload: Vec<u8>, qos: u8, retain: bool, expires_s: Option<u32>) -> bool;
    fn try_acknowledge(&self, pkid: u16, qos: u8) -> bool;
    fn try_disconnect(&self) -> bool;
}

/// What rumqttc's two event loops say. One value is one connection: it is not polled again after an error.
pub(super) trait Events: Send {
    /// Connects, then does everything there is to do until something happened. Dropping the future may lose a packet.
    fn poll(&mut self) -> impl Future<Output = Result<Event, Failure>> + Send;
    /// What had arrived, but was not handed out, when the connection broke.
    fn left(&mut self) -> Vec<Event>;
    /// Makes every PUBREL answered. rumqttc forgets with the connection which QoS 2 messages it has seen, and takes
    /// the PUBREL that the broker repeats in the next one for an error: a loop without end.
    fn expect_releases(&mut self);
}

/// One connection to make.
pub(super) struct Options {
    pub(super) client_id: String,
    pub(super) transport: Transport,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) credentials: Option<(String, String)>,
    pub(super) keep_alive: Duration,
    pub(super) packet_limit: u32,
    /// How long the broker keeps the session after the connection; `None` for a clean session.
    pub(super) session: Option<Session>,
    /// Topic and payload of the retained last will.
    pub(super) will: Option<(String, &'static str)>,
    /// How many requests may wait for the event loop.
    pub(super) n_requests: usize,
}

impl Options {
    /// A clean session without a will.
    pub(super) fn of(settings: &LinkSettings) -> Self {
        Self {
            client_id: settings.client_id.clone(),
            transport: settings.transport.clone(),
            host: settings.host.clone(),
            port: settings.port,
            credentials: settings.username.clone().map(|username| (username, settings.password.clone().unwrap_or_default())),
            keep_alive: settings.keep_alive,
            packet_limit: settings.packet_limit,
            session: None,
            will: None,
            n_requests: 0,
        }
    }

    /// What rumqttc takes for the broker's address: it depends on the transport.
    pub(super) fn address(&self) -> String {
        let place = || format!("{}:{}", bracketed(&self.host), self.port);
        match &self.transport {
            Transport::Tcp => bracketed(&self.host),
            // It is also the name that the certificate must have.
            Transport::Tls(_) => self.host.trim_matches(['[', ']']).to_owned(),
            Transport::WebSocket(path) => format!("ws://{}{path}", place()),
            Transport::SecureWebSocket(path, _) => format!("wss://{}{path}", place()),
        }
    }

    /// The transport as rumqttc takes it.
    pub(super) fn transport(&self) -> rumqttc::Transport {
        match &self.transport {
            Transport::Tcp => rumqttc::Transport::Tcp,
            Transport::Tls(tls) => rumqttc::Transport::Tls(TlsConfiguration::Rustls(tls.config())),
            Transport::WebSocket(_) => rumqttc::Transport::Ws,
            Transport::SecureWebSocket(_, tls) => rumqttc::Transport::Wss(TlsConfiguration::Rustls(tls.config())),
        }
    }
}

/// A session that outlives its connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    pub(super) expiry_seconds: u32,
    pub(super) receive_maximum: u16,
}

/// How many publishes may wait for their acknowledgement on one connection.
pub(super) const MAX_IN_FLIGHT: u16 = 10;

/// What happened on a connection.
#[derive(Debug)]
pub(super) enum Event {
    /// The broker accepted the connection.
    Connected(Granted),
    /// The broker answered the subscription: one entry for each filter, with the reason if it was refused.
    Subscribed(Vec<Option<String>>),
    /// The broker delivered a message.
    Message(Received),
    /// The oldest publish that had no packet id yet was written and got this one; 0 for QoS 0.
    Written(u16),
    /// The broker took the publish with this packet id, or refused it. `slot_lost` says that rumqttc goes on counting
    /// it as in flight, as it does with a QoS 2 publish that was refused.
    Acknowledged { pkid: u16, refused: Option<String>, slot_lost: bool },
    /// DISCONNECT was written.
    Disconnecting,
    /// The broker said something else, such as the answer to a ping.
    Heard,
    /// Something else was written.
    Sent,
}

impl Event {
    /// Whether the broker was heard, which shows that the line is alive. What we write shows nothing.
    pub(super) const fn is_from_broker(&self) -> bool {
        match self {
            Self::Connected(_) | Self::Subscribed(_) | Self::Message(_) | Self::Acknowledged { .. } | Self::Heard => true,
            Self::Written(_) | Self::Disconnecting | Self::Sent => false,
        }
    }
}

/// What the broker allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Granted {
    /// The broker kept the session.
    pub(super) session_present: bool,
    /// Highest QoS to publish with.
    pub(super) max_qos: u8,
    /// Largest packet the broker takes, in bytes.
    pub(super) packet_limit: u32,
    /// How often the broker is pinged. Nothing heard for one and a half of this is a dead line.
    pub(super) keep_alive: Duration,
}

/// A message as it came.
#[derive(Debug)]
pub(super) struct Received {
    /// `None` when it is empty or no text: rumqttc hands out a message under a topic alias without its topic.
    pub(super) topic: Option<Arc<str>>,
    pub(super) payload: Bytes,
    pub(super) qos: u8,
    pub(super) retained: bool,
    pub(super) pkid: u16,
    /// The broker may have delivered it before.
    pub(super) dup: bool,
}

/// Why a connection ended or did not come about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// No TCP connection.
    #[error("cannot reach the broker: {0}")]
    Unreachable(String),
    /// TLS found something wrong, on one side or the other. The text is a sentence.
    #[error("{0}")]
    Tls(String),
    /// Connected, and no MQTT over WebSocket there.
    #[error("no MQTT over WebSocket there: {0}; are port and path in url right?")]
    NoWebSocket(String),
    /// The broker does not know this version of MQTT.
    #[error("the broker does not speak this version of MQTT")]
    Version,
    /// The broker said no.
    #[error("the broker refused the connection: {0}")]
    Refused(String),
    /// A packet larger than our limit.
    #[error("a message is larger than the packet limit ({0}); limit the size at the broker or remove the retained message")]
    TooLarge(String),
    /// No answer in time.
    #[error("the broker does not answer")]
    Silent,
    /// It answers, and does not deliver what was subscribed to.
    #[error("the broker answers and delivers nothing, connecting anew")]
    Deaf,
    /// Closed, or something that MQTT does not allow.
    #[error("the connection broke: {0}")]
    Broken(String),
}

/// `Some(text)` unless `refused` is false.
pub(super) fn reason(refused: bool, code: &impl std::fmt::Debug) -> Option<String> {
    refused.then(|| words(code))
}

/// The name of a reason code as words: `NotAuthorized` becomes `not authorized`.
pub(super) fn words(code: &impl std::fmt::Debug) -> String {
    let mut words = String::new();
    for c in format!("{code:?}").chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

/// `host` as a part of `host:port`.
pub(super) fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_codes_become_words() {
        assert_eq!(words(&rumqttc::v5::mqttbytes::v5::PubAckReason::NotAuthorized), "not authorized");
    }

    #[test]
    fn the_address_is_what_rumqttc_wants_for_the_transport() {
        let address = |host: &str, transport| {
            let settings = LinkSettings { transport, ..LinkSettings::new("broker", host, 9001, "link") };
            Options::of(&settings).address()
        };
        assert_eq!(address("[::1]", Transport::Tcp), "[::1]");
        assert_eq!(address("host", Transport::WebSocket("/mqtt".to_owned())), "ws://host:9001/mqtt");
        assert_eq!(address("::1", Transport::WebSocket("/a?b".to_owned())), "ws://[::1]:9001/a?b");
    }

    #[test]
    fn ipv6_hosts_get_brackets() {
        assert_eq!([bracketed("::1"), bracketed("[::1]"), bracketed("host")], ["[::1]", "[::1]", "host"]);
    }
}
