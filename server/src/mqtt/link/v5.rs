use std::time::Duration;

use rumqttc::v5::mqttbytes::v5::{
    ConnAck, ConnectProperties, ConnectReturnCode, Filter, LastWill, Packet, PubAckReason, PubCompReason, PubRecReason, Publish, PublishProperties,
    SubscribeReasonCode,
};
use rumqttc::v5::mqttbytes::{Error, QoS, qos};
use rumqttc::v5::{AsyncClient, ConnectionError, EventLoop, MqttOptions, StateError};
use rumqttc::{NetworkOptions, Outgoing};

use super::trust::{Way, cut_off, objection};
use super::wire::{Client, Event, Events, Failure, Granted, MAX_IN_FLIGHT, Options, Received, reason, words};
use domain::topic::TopicFilter;

/// A client and its event loop for one connection in MQTT 5.
pub(super) fn open(options: &Options) -> (V5Client, V5Events) {
    let mut mqtt = MqttOptions::new(&options.client_id, options.address(), options.port);
    mqtt.set_transport(options.transport());
    // The properties say nothing of topic aliases: rumqttc would hand out messages without a topic.
    let mut properties = ConnectProperties::new();
    properties.max_packet_size = Some(options.packet_limit);
    properties.session_expiry_interval = Some(options.session.map_or(0, |session| session.expiry_seconds));
    properties.receive_maximum = options.session.map(|session| session.receive_maximum.max(1));
    mqtt.set_connect_properties(properties)
        .set_clean_start(options.session.is_none())
        .set_manual_acks(true)
        .set_keep_alive(options.keep_alive.max(MIN_KEEP_ALIVE))
        .set_outgoing_inflight_upper_limit(MAX_IN_FLIGHT);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    mqtt.set_network_options(network);
    if let Some((username, password)) = &options.credentials {
        mqtt.set_credentials(username, password);
    }
    if let Some((topic, payload)) = &options.will {
        mqtt.set_last_will(LastWill::new(topic, *payload, QoS::AtLeastOnce, true, None));
    }
    let (client, events) = AsyncClient::new(mqtt, options.n_requests);
    (V5Client(client), V5Events { events, packet_limit: options.packet_limit, way: Way::of(options), is_connected: false })
}

/// rumqttc panics below.
const MIN_KEEP_ALIVE: Duration = Duration::from_secs(5);

pub(super) struct V5Client(AsyncClient);

impl Client for V5Client {
    fn try_subscribe(&self, filters: &[TopicFilter], level: u8) -> bool {
        let filters = filters.iter().map(|filter| Filter::new(filter.as_str(), qos(level).unwrap_or(QoS::AtLeastOnce)));
        self.0.try_subscribe_many(filters).is_ok()
    }

    fn try_publish(&self, topic: &str, payload: Vec<u8>, level: u8, retain: bool) -> bool {
        self.0.try_publish(topic, qos(level).unwrap_or(QoS::AtLeastOnce), retain, payload).is_ok()
    }

    fn try_publish_for(&self, topic: &str, payload: Vec<u8>, level: u8, retain: bool, expires_s: Option<u32>) -> bool {
        let properties = PublishProperties { message_expiry_interval: expires_s, ..PublishProperties::default() };
        self.0.try_publish_with_properties(topic, qos(level).unwrap_or(QoS::AtLeastOnce), retain, payload, properties).is_ok()
    }

    fn try_acknowledge(&self, pkid: u16, level: u8) -> bool {
        self.0.try_ack(&seen(pkid, level)).is_ok()
    }

    fn try_disconnect(&self) -> bool {
        self.0.try_disconnect().is_ok()
    }
}

/// A message of which only the packet id and the QoS matter.
fn seen(pkid: u16, level: u8) -> Publish {
    let mut publish = Publish::new("", qos(level).unwrap_or(QoS::AtLeastOnce), Vec::new(), None);
    publish.pkid = pkid;
    publish
}

pub(super) struct V5Events {
    events: EventLoop,
    packet_limit: u32,
    way: Way,
    is_connected: bool,
}

impl Events for V5Events {
    async fn poll(&mut self) -> Result<Event, Failure> {
        match self.events.poll().await {
            Ok(rumqttc::v5::Event::Incoming(Packet::ConnAck(ack))) => {
                self.is_connected = true;
                Ok(Event::Connected(self.granted(&ack)))
            }
            Ok(event) => Ok(event_of(event)),
            Err(error) => Err(self.way.explain(failure_of(error, self.way), self.is_connected)),
        }
    }

    fn left(&mut self) -> Vec<Event> {
        // What was to be written was not, or nobody knows: only what came counts.
        let left = self.events.state.events.drain(..);
        left.filter(|event| matches!(event, rumqttc::v5::Event::Incoming(_))).map(event_of).collect()
    }

    fn expect_releases(&mut self) {
        for pkid in 1..=u16::MAX {
            if self.events.state.handle_incoming_packet(Packet::Publish(seen(pkid, 2))).is_ok() {
                self.events.state.events.pop_back();
            }
        }
    }
}

impl V5Events {
    fn granted(&mut self, ack: &ConnAck) -> Granted {
        let properties = ack.properties.as_ref();
        // A broker that wants no keep alive says 0, which rumqttc takes for a ping without end.
        if properties.and_then(|p| p.server_keep_alive) == Some(0) {
            self.events.options.set_keep_alive(MIN_KEEP_ALIVE * 2);
        }
        Granted {
            session_present: ack.session_present,
            max_qos: properties.and_then(|p| p.max_qos).unwrap_or(2),
            packet_limit: properties.and_then(|p| p.max_packet_size).map_or(self.packet_limit, |limit| limit.min(self.packet_limit)),
            keep_alive: self.events.options.keep_alive(),
        }
    }
}

fn event_of(event: rumqttc::v5::Event) -> Event {
    let packet = match event {
        rumqttc::v5::Event::Incoming(packet) => packet,
        rumqttc::v5::Event::Outgoing(Outgoing::Publish(pkid)) => return Event::Written(pkid),
        rumqttc::v5::Event::Outgoing(Outgoing::Disconnect) => return Event::Disconnecting,
        rumqttc::v5::Event::Outgoing(_) => return Event::Sent,
    };
    match packet {
        Packet::Publish(publish) => Event::Message(Received {
            topic: std::str::from_utf8(&publish.topic).ok().filter(|topic| !topic.is_empty()).map(Into::into),
            payload: publish.payload,
            qos: publish.qos as u8,
            retained: publish.retain,
            pkid: publish.pkid,
            dup: publish.dup,
        }),
        Packet::SubAck(ack) => {
            Event::Subscribed(ack.return_codes.iter().map(|code| reason(!matches!(code, SubscribeReasonCode::Success(_)), code)).collect())
        }
        Packet::PubAck(ack) => Event::Acknowledged {
            pkid: ack.pkid,
            refused: reason(!matches!(ack.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers), &ack.reason),
            slot_lost: false,
        },
        // A PUBREC without an error is half of the way only.
        Packet::PubRec(ack) if !matches!(ack.reason, PubRecReason::Success | PubRecReason::NoMatchingSubscribers) => {
            Event::Acknowledged { pkid: ack.pkid, refused: Some(words(&ack.reason)), slot_lost: true }
        }
        Packet::PubComp(ack) => {
            let refused = reason(ack.reason != PubCompReason::Success, &ack.reason);
            Event::Acknowledged { pkid: ack.pkid, slot_lost: refused.is_some(), refused }
        }
        _ => Event::Heard,
    }
}

fn failure_of(error: ConnectionError, way: Way) -> Failure {
    let cause: &(dyn std::error::Error + 'static) = match &error {
        // What is inside does not count as its source.
        ConnectionError::MqttState(StateError::Deserialization(inner)) => inner,
        error => error,
    };
    if let Some(objection) = objection(cause) {
        return Failure::Tls(objection);
    }
    match error {
        ConnectionError::ConnectionRefused(ConnectReturnCode::UnsupportedProtocolVersion | ConnectReturnCode::RefusedProtocolVersion)
        | ConnectionError::MqttState(StateError::Deserialization(Error::InvalidConnectReturnCode(1))) => Failure::Version,
        ConnectionError::ConnectionRefused(code) => Failure::Refused(words(&code)),
        ConnectionError::Io(error) => Failure::Unreachable(error.to_string()),
        ConnectionError::Tls(error) => Failure::Tls(cut_off(&error)),
        ConnectionError::Websocket(error) => way.no_web_socket(&error),
        ConnectionError::ResponseValidation(error) => Failure::NoWebSocket(error.to_string()),
        ConnectionError::Timeout(_) | ConnectionError::MqttState(StateError::AwaitPingResp) => Failure::Silent,
        ConnectionError::MqttState(StateError::Deserialization(Error::PayloadSizeLimitExceeded { pkt_size, max })) => {
            Failure::TooLarge(format!("{pkt_size} bytes, {max} allowed"))
        }
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, .. }) => Failure::Broken(words(&reason_code)),
        error => Failure::Broken(error.to_string()),
    }
}
