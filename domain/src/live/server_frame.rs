use serde::{Deserialize, Serialize};

use super::{EntityView, LinkView, is_false};
use crate::alarm::{Alarm, AlarmState, Severity};
use crate::command::CommandState;
use crate::device::{Area, DeviceId};
use crate::entity::EntityId;
use crate::quality::Quality;
use crate::time::Timestamp;
use crate::value::Value;

/// One change of one entity inside a `changes` frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EntityChange {
    /// Which entity.
    pub e: EntityId,
    /// Its newest good value.
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::value::Said>))]
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SensorUpdate {
    /// The device.
    pub device_id: DeviceId,
    /// The entity.
    pub entity_id: EntityId,
    /// The topic.
    pub topic: String,
    /// The value.
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::value::Said>))]
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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

/// The answer to `resume`, after the changes that were missed: from here on the viewer knows everything again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Resumed {
    /// Counts changes.
    pub seq: u64,
    /// The server's clock.
    pub now: Timestamp,
    /// All alarms that are not normal: those that are missing here have cleared.
    pub alarms: Vec<Alarm>,
    /// The brokers.
    pub links: Vec<LinkView>,
    /// The areas, in the order shown.
    pub areas: Vec<Area>,
}

/// Where a command stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
    /// Milliseconds that the device usually takes to agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_ms: Option<i64>,
}

/// There are other areas, or they have other names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Areas {
    /// All of them, in the order shown.
    pub areas: Vec<Area>,
}

/// The broker acknowledged a publish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Published {
    /// The id of the frame that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The topic.
    pub topic: String,
}

/// The answer to `ping`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Pong {
    /// The server's clock.
    pub now: Timestamp,
}

/// A frame could not be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ServerFrame {
    /// See [`Hello`].
    Hello(Hello),
    /// See [`Snapshot`].
    Snapshot(Snapshot),
    /// See [`Changes`].
    Changes(Changes),
    /// See [`Resumed`].
    Resumed(Resumed),
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
    /// See [`Areas`].
    Areas(Areas),
    /// See [`Published`].
    Published(Published),
    /// See [`Pong`].
    Pong(Pong),
    /// See [`Error`].
    Error(Error),
}

/// Whatever a page listens to, in one: reading each frame by a type of its own, or through serde's tagged enums, costs the browser three times the code.
#[derive(Deserialize)]
struct PageHears<'a> {
    r#type: &'a str,
    now: Option<Timestamp>,
    #[serde(default)]
    seq: u64,
    c: Option<Vec<EntityChange>>,
    entities: Option<Vec<EntityView>>,
    #[serde(default)]
    alarms: Vec<Alarm>,
    #[serde(default)]
    links: Vec<LinkView>,
    areas: Option<Vec<Area>>,
    #[serde(default)]
    build: String,
    #[serde(default)]
    session: String,
    id: Option<String>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    condition: String,
    #[serde(default)]
    rule: String,
    severity: Option<Severity>,
    state: Option<&'a str>,
    #[serde(rename = "entityId", alias = "entity")]
    entity: Option<EntityId>,
    ts: Option<Timestamp>,
    reason: Option<String>,
    after_ms: Option<i64>,
    usual_ms: Option<i64>,
}

/// The frames that a page listens to. What it has no use for stays empty: version and role of `hello`, the code of `error`. Frames of other
/// types, and what is no frame, are `None`.
#[must_use]
pub fn read_for_page(text: &str) -> Option<ServerFrame> {
    let heard: PageHears<'_> = serde_json::from_str(text).ok()?;
    let PageHears { now, seq, id, message, state, entity, .. } = heard;
    Some(match heard.r#type {
        "changes" => ServerFrame::Changes(Changes { seq, now: now?, c: heard.c? }),
        "snapshot" => ServerFrame::Snapshot(Snapshot { seq, now: now?, entities: heard.entities?, alarms: heard.alarms, links: heard.links }),
        "resumed" => {
            ServerFrame::Resumed(Resumed { seq, now: now?, alarms: heard.alarms, links: heard.links, areas: heard.areas.unwrap_or_default() })
        }
        "hello" => {
            let (version, role) = (String::new(), String::new());
            ServerFrame::Hello(Hello { version, build: heard.build, session: heard.session, seq, now: now?, role })
        }
        "alert" => ServerFrame::Alert(Alert {
            id: id?,
            message,
            severity: heard.severity?,
            state: AlarmState::ALL.into_iter().find(|known| state == Some(known.as_str()))?,
            entity_id: entity?,
            ts: heard.ts?,
            seq,
            condition: heard.condition,
            rule: heard.rule,
        }),
        "command" => ServerFrame::Command(CommandStanding {
            id: id?,
            entity: entity?,
            state: CommandState::ALL.into_iter().find(|known| state == Some(known.as_str()))?,
            reason: heard.reason,
            after_ms: heard.after_ms,
            usual_ms: heard.usual_ms,
        }),
        "areas" => ServerFrame::Areas(Areas { areas: heard.areas? }),
        // Read again: a snapshot's brokers are read by the same code.
        "link" => ServerFrame::Link(serde_json::from_str(text).ok()?),
        "pong" => ServerFrame::Pong(Pong { now: now? }),
        "error" => ServerFrame::Error(Error { id, code: String::new(), message }),
        _ => return None,
    })
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
