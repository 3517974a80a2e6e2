//! Frames of the WebSocket `/live` (contract, section 3). One JSON object a frame, `type` first.

use serde::{Deserialize, Serialize};

use crate::alarm::{Alarm, AlarmState, Severity};
use crate::command::{Action, CommandState};
use crate::device::{AreaId, DeviceId};
use crate::entity::{Entity, EntityId, EntityKind};
use crate::quality::Quality;
use crate::time::Timestamp;
use crate::value::Value;

/// An entity with its current value: the same fields in `snapshot`, in `/api/v1/entities` and in the pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntityView {
    /// `<device>.<key>`.
    pub id: EntityId,
    /// Its device.
    pub device: DeviceId,
    /// Where it stands.
    pub area: Option<AreaId>,
    /// Shown name.
    pub name: String,
    /// What it is.
    pub kind: EntityKind,
    /// Unit as shown.
    pub unit: Option<String>,
    /// The newest good value; `null` before the first.
    pub v: Option<Value>,
    /// When the device took it.
    pub t: Option<Timestamp>,
    /// How far it can be trusted.
    pub q: Quality,
    /// The device reports no state: what is shown was asked for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub assumed: bool,
    /// Whether a command can be sent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub settable: bool,
    /// Icon name without `i-`.
    pub icon: String,
    /// Decimals shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<u8>,
    /// Since when the value has been what it is; for states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The word for `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_on: Option<String>,
    /// The word for `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_off: Option<String>,
    /// Since when the device has been offline, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline_since: Option<Timestamp>,
    /// The topic it reads.
    pub topic: String,
}

#[cfg_attr(target_pointer_width = "64", expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for"))]
const fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_false(b: &bool) -> bool {
    !*b
}

impl EntityView {
    /// The view of an entity without a reading.
    #[must_use]
    pub fn of(entity: &Entity, area: Option<AreaId>) -> Self {
        Self {
            id: entity.id.clone(),
            device: entity.device.clone(),
            area,
            name: entity.name.clone(),
            kind: entity.kind,
            unit: entity.unit.clone(),
            v: None,
            t: None,
            q: Quality::Unknown,
            assumed: entity.assumed,
            settable: entity.command_topic.is_some(),
            icon: entity.icon.clone(),
            precision: entity.precision,
            since: None,
            word_on: entity.word_on.clone(),
            word_off: entity.word_off.clone(),
            offline_since: None,
            topic: entity.state_topic.clone(),
        }
    }

    /// The value in words, without a unit: `21.4`, `Open`, `No reading`.
    #[must_use]
    pub fn words(&self) -> String {
        let Some(value) = &self.v else { return "No reading".to_owned() };
        match (value.is_on(), &self.word_on, &self.word_off) {
            (Some(true), Some(word), _) | (Some(false), _, Some(word)) => word.clone(),
            _ => value.words(self.precision).into_owned(),
        }
    }
}

/// Whether a broker is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkState {
    /// Connected and subscribed.
    Up,
    /// Not connected; trying again.
    Down,
    /// The first attempt.
    Connecting,
}

impl LinkState {
    /// The word of the contract: `up`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Connecting => "connecting",
        }
    }
}

/// A broker as the top bar shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkView {
    /// Its name in the configuration.
    pub broker: String,
    /// Whether it is reached.
    pub state: LinkState,
    /// Since when.
    pub since: Timestamp,
    /// What is wrong while it is not up; shown as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Messages a second that came lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages_per_s: Option<f64>,
    /// QoS 0 messages that were dropped since the start because too many waited.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
}

impl LinkView {
    /// A broker of which no more is known yet.
    #[must_use]
    pub fn new(broker: impl Into<String>, state: LinkState, since: Timestamp) -> Self {
        Self { broker: broker.into(), state, since, error: None, messages_per_s: None, dropped: 0 }
    }
}

/// One change of one entity inside a `changes` frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntityChange {
    /// Which entity.
    pub e: EntityId,
    /// Its newest good value.
    pub v: Option<Value>,
    /// When the device took it.
    pub t: Option<Timestamp>,
    /// How far it can be trusted.
    pub q: Quality,
    /// Since when the value has been what it is; for states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Everything about the entity, when the viewer does not know it yet or more than its value changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Box<EntityView>>,
}

/// The first frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// Version of the server.
    pub version: String,
    /// Names the build; a page of another build reloads.
    pub build: String,
    /// Names this session for `resume`.
    pub session: String,
    /// Counts changes.
    pub seq: u64,
    /// The server's clock.
    pub now: Timestamp,
    /// What the viewer may do: `viewer`, `operator`, `admin`.
    pub role: String,
}

/// Everything subscribed to, as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Counts changes.
    pub seq: u64,
    /// The server's clock.
    pub now: Timestamp,
    /// The entities.
    pub entities: Vec<EntityView>,
    /// Alarms that are not normal.
    pub alarms: Vec<Alarm>,
    /// The brokers.
    pub links: Vec<LinkView>,
}

/// What changed since the frame before, the newest of each entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// Counts changes.
    pub seq: u64,
    /// The server's clock.
    pub now: Timestamp,
    /// The changes.
    pub c: Vec<EntityChange>,
}

/// A message on a subscribed topic that feeds an entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SensorUpdate {
    /// The device.
    pub device_id: DeviceId,
    /// The entity.
    pub entity_id: EntityId,
    /// The topic.
    pub topic: String,
    /// The value.
    pub value: Option<Value>,
    /// Unit as shown.
    pub unit: Option<String>,
    /// When the device took it.
    pub ts: Option<Timestamp>,
    /// How far it can be trusted.
    pub q: Quality,
    /// Counts changes.
    pub seq: u64,
    /// The current value sent on subscribe, not a new message.
    #[serde(default, skip_serializing_if = "is_false")]
    pub snapshot: bool,
}

/// A message on a subscribed topic that feeds no entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MqttMessage {
    /// The topic.
    pub topic: String,
    /// The payload as text, when it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// The payload in base 64, when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_base64: Option<String>,
    /// 0, 1 or 2.
    pub qos: u8,
    /// Replayed by the broker.
    pub retained: bool,
    /// Counts changes.
    pub seq: u64,
}

/// An alarm changed its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// The alarm's id.
    pub id: String,
    /// What to tell.
    pub message: String,
    /// How bad.
    pub severity: Severity,
    /// Where it stands.
    pub state: AlarmState,
    /// The entity.
    pub entity_id: EntityId,
    /// When it was raised.
    pub ts: Timestamp,
    /// Counts changes.
    pub seq: u64,
    /// The condition in words.
    pub condition: String,
    /// The id of its rule.
    pub rule: String,
}

/// Where a command stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandStanding {
    /// The id of the frame that it answers.
    pub id: String,
    /// The entity.
    pub entity: EntityId,
    /// Where it stands.
    pub state: CommandState,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Milliseconds since it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<i64>,
}

/// The broker acknowledged a publish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The id of the frame that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The topic.
    pub topic: String,
}

/// The answer to `ping`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pong {
    /// The server's clock.
    pub now: Timestamp,
}

/// A frame could not be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Error {
    /// The id of the frame that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A word for programs: `bad_frame`, `forbidden`, `bad_topic`, `link_down`, `too_frequent`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// Frames from the server.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ServerFrame {
    /// See [`Hello`].
    Hello(Hello),
    /// See [`Snapshot`].
    Snapshot(Snapshot),
    /// See [`Changes`].
    Changes(Changes),
    /// See [`SensorUpdate`].
    SensorUpdate(SensorUpdate),
    /// See [`MqttMessage`].
    MqttMessage(MqttMessage),
    /// See [`Alert`].
    Alert(Alert),
    /// See [`CommandStanding`].
    Command(CommandStanding),
    /// A broker was reached or lost.
    Link(LinkView),
    /// See [`Published`].
    Published(Published),
    /// See [`Pong`].
    Pong(Pong),
    /// See [`Error`].
    Error(Error),
}

/// The frames that a page listens to, read by their type: one after the other instead of through serde's tagged enums, which keep a copy of
/// the whole frame and cost the browser three times the code. Frames of other types, and what is no frame, are `None`.
#[must_use]
pub fn read_for_page(text: &str) -> Option<ServerFrame> {
    #[derive(Deserialize)]
    struct Head<'a> {
        r#type: &'a str,
    }
    let head: Head<'_> = serde_json::from_str(text).ok()?;
    match head.r#type {
        "changes" => serde_json::from_str(text).map(ServerFrame::Changes).ok(),
        "snapshot" => serde_json::from_str(text).map(ServerFrame::Snapshot).ok(),
        "hello" => serde_json::from_str(text).map(ServerFrame::Hello).ok(),
        "alert" => serde_json::from_str(text).map(ServerFrame::Alert).ok(),
        "command" => serde_json::from_str(text).map(ServerFrame::Command).ok(),
        "link" => serde_json::from_str(text).map(ServerFrame::Link).ok(),
        "pong" => serde_json::from_str(text).map(ServerFrame::Pong).ok(),
        "error" => serde_json::from_str(text).map(ServerFrame::Error).ok(),
        _ => None,
    }
}

impl ServerFrame {
    /// The `alert` frame of an alarm.
    #[must_use]
    pub fn alert(alarm: &Alarm, seq: u64) -> Self {
        Self::Alert(Alert {
            id: alarm.id.clone(),
            message: alarm.message.clone(),
            severity: alarm.severity,
            state: alarm.state,
            entity_id: alarm.entity.clone(),
            ts: alarm.since,
            seq,
            condition: alarm.condition.clone(),
            rule: alarm.rule.clone(),
        })
    }
}

/// Frames from the browser or another program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ClientFrame {
    /// MQTT filters, entity ids, or `*`.
    Subscribe {
        /// MQTT filters.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        topics: Vec<String>,
        /// Entity ids, or `*`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        entities: Vec<String>,
        /// Repeated in an `error`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// Ends a subscription.
    Unsubscribe {
        /// MQTT filters.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        topics: Vec<String>,
        /// Entity ids, or `*`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        entities: Vec<String>,
        /// Repeated in an `error`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// Sends a message to the broker.
    Publish {
        /// Without wildcards.
        topic: String,
        /// A string as it is, anything else as JSON.
        payload: serde_json::Value,
        /// 0, 1 or 2; 1 when not given.
        #[serde(default = "qos_1")]
        qos: u8,
        /// Repeated in the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// Asks a device for something.
    Command(CommandFrame),
    /// Takes up a dropped session.
    Resume {
        /// From `hello`.
        session: String,
        /// The last `seq` seen.
        seq: u64,
        /// Repeated in an `error`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// Acknowledges an alarm.
    Ack {
        /// The alarm's id.
        alarm: String,
        /// A note for the journal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// Repeated in an `error`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// Answered by `pong`.
    Ping {
        /// Repeated in an `error`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
}

/// `{"type":"command","id":"a2","entity":"living-room.light","action":"turn_on","brightness":80}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandFrame {
    /// Repeated in every answer.
    #[serde(default)]
    pub id: String,
    /// The entity.
    pub entity: EntityId,
    /// What is asked.
    #[serde(flatten)]
    pub action: Action,
}

/// What a page of ours sends: as [`ClientFrame`] reads it, without what only other programs send. Writing numbers of all sizes and whole JSON
/// values is a good part of a browser's code, and a page sends neither.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PageFrame {
    /// Entity ids, or `*`.
    Subscribe {
        /// Entity ids, or `*`.
        entities: [&'static str; 1],
    },
    /// Asks a device for something.
    Command(CommandFrame),
    /// Answered by `pong`.
    Ping,
}

const fn qos_1() -> u8 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, frame: &ClientFrame) {
        assert_eq!(&serde_json::from_str::<ClientFrame>(json).expect(json), frame);
    }

    #[test]
    fn client_frames_read_as_the_contract_writes_them() {
        check(
            r#"{"type":"subscribe","topics":["sensors/+/temperature"]}"#,
            &ClientFrame::Subscribe { topics: vec!["sensors/+/temperature".into()], entities: vec![], id: None },
        );
        check(
            r#"{"type":"publish","topic":"a","payload":{"state":"on"},"id":"a1"}"#,
            &ClientFrame::Publish { topic: "a".into(), payload: serde_json::json!({"state": "on"}), qos: 1, id: Some("a1".into()) },
        );
        check(
            r#"{"type":"command","id":"a2","entity":"living-room.light","action":"turn_on","brightness":80}"#,
            &ClientFrame::Command(CommandFrame {
                id: "a2".into(),
                entity: EntityId::parse("living-room.light").expect("id"),
                action: Action::TurnOn { brightness: Some(80), color_temp: None },
            }),
        );
        check(r#"{"type":"ping"}"#, &ClientFrame::Ping { id: None });
    }

    #[test]
    fn the_server_reads_what_a_page_writes() {
        let command = CommandFrame {
            id: "a2".into(),
            entity: EntityId::parse("living-room.light").expect("id"),
            action: Action::TurnOn { brightness: Some(80), color_temp: None },
        };
        for (sent, read) in [
            (PageFrame::Subscribe { entities: ["*"] }, ClientFrame::Subscribe { topics: vec![], entities: vec!["*".into()], id: None }),
            (PageFrame::Command(command.clone()), ClientFrame::Command(command)),
            (PageFrame::Ping, ClientFrame::Ping { id: None }),
        ] {
            check(&serde_json::to_string(&sent).expect("JSON"), &read);
        }
    }

    #[test]
    fn a_frame_with_an_unknown_field_is_refused() {
        for bad in [
            r#"{"type":"ping","x":1}"#,
            r#"{"type":"subscribe","topic":"a"}"#,
            r#"{"type":"nothing"}"#,
            "[]",
            r#"{"type":"publish","topic":1,"payload":1}"#,
        ] {
            assert!(serde_json::from_str::<ClientFrame>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_reads_what_the_server_writes() {
        let change = EntityChange {
            e: EntityId::parse("a.b").expect("id"),
            v: Some(Value::Text("x \"y\"".into())),
            t: None,
            q: Quality::Good,
            since: None,
            entity: None,
        };
        for frame in [
            ServerFrame::Changes(Changes { seq: 1, now: Timestamp::from_ms(2), c: vec![change] }),
            ServerFrame::Pong(Pong { now: Timestamp::from_ms(2) }),
            ServerFrame::Error(Error { id: None, code: "c".into(), message: "m".into() }),
        ] {
            assert_eq!(read_for_page(&serde_json::to_string(&frame).expect("JSON")), Some(frame));
        }
        for other in ["", "[]", "{}", r#"{"type":"new"}"#, r#"{"type":"changes"}"#, r#"{"type":5}"#] {
            assert_eq!(read_for_page(other), None, "{other}");
        }
    }

    #[test]
    fn server_frames_are_written_as_the_contract_says() {
        let frame = ServerFrame::SensorUpdate(SensorUpdate {
            device_id: DeviceId::parse("a").expect("id"),
            entity_id: EntityId::parse("a.temperature").expect("id"),
            topic: "sensors/a/temperature".into(),
            value: Some(Value::Number(21.3)),
            unit: Some("°C".into()),
            ts: Some(Timestamp::from_ms(5)),
            q: Quality::Good,
            seq: 7,
            snapshot: false,
        });
        assert_eq!(
            serde_json::to_string(&frame).expect("JSON"),
            r#"{"type":"sensor-update","deviceId":"a","entityId":"a.temperature","topic":"sensors/a/temperature","value":21.3,"unit":"°C","ts":5,"q":"good","seq":7}"#
        );
    }
}
