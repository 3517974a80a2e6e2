use std::time::Duration;

use domain::topic::TopicFilter;
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, EventLoop, LastWill, MqttOptions, NetworkOptions, Outgoing, Packet, Publish, QoS, StateError,
    SubscribeFilter, SubscribeReasonCode, mqttbytes, qos,
};

use super::trust::{Way, cut_off, objection};
use super::wire::{Client, Event, Events, Failure, Granted, MAX_IN_FLIGHT, Options, Received, reason, words};

/// A client and its event loop for one connection in MQTT 3.1.1.
pub(super) fn open(options: &Options) -> (V4Client, V4Events) {
    let mut mqtt = MqttOptions::new(&options.client_id, options.address(), options.port);
    mqtt.set_transport(options.transport());
    let packet_limit = usize::try_from(options.packet_limit).unwrap_or(usize::MAX);
    mqtt.set_max_packet_size(packet_limit, packet_limit)
        .set_clean_session(options.session.is_none())
        .set_manual_acks(true)
        .set_keep_alive(options.keep_alive.max(MIN_KEEP_ALIVE))
        .set_inflight(MAX_IN_FLIGHT);
    if let Some((username, password)) = &options.credentials {
        mqtt.set_credentials(username, password);
    }
    if let Some((topic, payload)) = &options.will {
        mqtt.set_last_will(LastWill::new(topic, *payload, QoS::AtLeastOnce, true));
    }
    let (client, mut events) = AsyncClient::new(mqtt, options.n_requests);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    events.set_network_options(network);
    (V4Client(client), V4Events { events, packet_limit: options.packet_limit, way: Way::of(options), is_connected: false })
}

/// rumqttc panics below.
const MIN_KEEP_ALIVE: Duration = Duration::from_secs(1);

pub(super) struct V4Client(AsyncClient);

impl Client for V4Client {
    fn try_subscribe(&self, filters: &[TopicFilter], level: u8) -> bool {
        let level = qos(level).unwrap_or(QoS::AtLeastOnce);
        self.0.try_subscribe_many(filters.iter().map(|filter| SubscribeFilter::new(filter.as_str().to_owned(), level))).is_ok()
    }

    fn try_publish(&self, topic: &str, payload: Vec<u8>, level: u8, retain: bool) -> bool {
        self.0.try_publish(topic, qos(level).unwrap_or(QoS::AtLeastOnce), retain, payload).is_ok()
    }

    fn try_publish_for(&self, topic: &str, payload: Vec<u8>, level: u8, retain: bool, _: Option<u32>) -> bool {
        self.try_publish(topic, payload, level, retain)
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
    let mut publish = Publish::new("", qos(level).unwrap_or(QoS::AtLeastOnce), Vec::new());
    publish.pkid = pkid;
    publish
}

pub(super) struct V4Events {
    events: EventLoop,
    packet_limit: u32,
    way: Way,
    is_connected: bool,
}

impl Events for V4Events {
    async fn poll(&mut self) -> Result<Event, Failure> {
        match self.events.poll().await {
            Ok(rumqttc::Event::Incoming(Packet::ConnAck(ack))) => {
                self.is_connected = true;
                Ok(Event::Connected(Granted {
                    session_present: ack.session_present,
                    max_qos: 2,
                    packet_limit: self.packet_limit,
                    keep_alive: self.events.mqtt_options.keep_alive(),
                }))
            }
            Ok(event) => Ok(event_of(event)),
            Err(error) => Err(self.way.explain(failure_of(error, self.way), self.is_connected)),
        }
    }

    fn left(&mut self) -> Vec<Event> {
        // What was to be written was not, or nobody knows: only what came counts.
        let left = self.events.state.events.drain(..);
        left.filter(|event| matches!(event, rumqttc::Event::Incoming(_))).map(event_of).collect()
    }

    fn expect_releases(&mut self) {
        for pkid in 1..=u16::MAX {
            if self.events.state.handle_incoming_packet(Packet::Publish(seen(pkid, 2))).is_ok() {
                self.events.state.events.pop_back();
            }
        }
    }
}

fn event_of(event: rumqttc::Event) -> Event {
    let packet = match event {
        rumqttc::Event::Incoming(packet) => packet,
        rumqttc::Event::Outgoing(Outgoing::Publish(pkid)) => return Event::Written(pkid),
        rumqttc::Event::Outgoing(Outgoing::Disconnect) => return Event::Disconnecting,
        rumqttc::Event::Outgoing(_) => return Event::Sent,
    };
    match packet {
        Packet::Publish(publish) => Event::Message(Received {
            topic: Some(publish.topic).filter(|topic| !topic.is_empty()).map(Into::into),
            payload: publish.payload,
            qos: publish.qos as u8,
            retained: publish.retain,
            pkid: publish.pkid,
            dup: publish.dup,
        }),
        Packet::SubAck(ack) => Event::Subscribed(ack.return_codes.iter().map(|code| reason(*code == SubscribeReasonCode::Failure, code)).collect()),
        Packet::PubAck(ack) => Event::Acknowledged { pkid: ack.pkid, refused: None, slot_lost: false },
        Packet::PubComp(ack) => Event::Acknowledged { pkid: ack.pkid, refused: None, slot_lost: false },
        _ => Event::Heard,
    }
}

fn failure_of(error: ConnectionError, way: Way) -> Failure {
    if let Some(objection) = objection(&error) {
        return Failure::Tls(objection);
    }
    match error {
        ConnectionError::ConnectionRefused(ConnectReturnCode::RefusedProtocolVersion) => Failure::Version,
        ConnectionError::ConnectionRefused(code) => Failure::Refused(words(&code)),
        ConnectionError::Io(error) => Failure::Unreachable(error.to_string()),
        ConnectionError::Tls(error) => Failure::Tls(cut_off(&error)),
        ConnectionError::Websocket(error) => way.no_web_socket(&error),
        ConnectionError::ResponseValidation(error) => Failure::NoWebSocket(error.to_string()),
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout | ConnectionError::MqttState(StateError::AwaitPingResp) => Failure::Silent,
        ConnectionError::MqttState(StateError::Deserialization(mqttbytes::Error::PayloadSizeLimitExceeded(size))) => {
            Failure::TooLarge(format!("{size} bytes"))
        }
        error => Failure::Broken(error.to_string()),
    }
}
