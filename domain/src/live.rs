//! Frames of the WebSocket `/live` (contract, section 3). One JSON object a frame, `type` first.

use serde::{Deserialize, Serialize};

use crate::control::Limits;
use crate::device::{AreaId, DeviceId};
use crate::entity::{Entity, EntityId, EntityKind};
use crate::quality::Quality;
use crate::time::Timestamp;
use crate::value::Value;

pub use client_frame::{ClientFrame, CommandFrame, Deliver, PageFrame};
pub use server_frame::{
    Alert, Areas, Changes, CommandStanding, EntityChange, Error, Hello, MqttMessage, Pong, Published, Resumed, SensorUpdate, ServerFrame, Snapshot,
    read_for_page,
};

/// What pages and programs say.
mod client_frame;
/// What the server says.
mod server_frame;

/// An entity with its current value: the same fields in `snapshot`, in `/api/v1/entities` and in the pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
    /// The unit was read out of the text of a message, and nobody wrote one. Pages are told where they say so.
    #[cfg(feature = "decode")]
    #[serde(default, skip_serializing_if = "is_false")]
    pub unit_guessed: bool,
    /// The newest good value; `null` before the first.
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::value::Said>))]
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
    /// The topic it reads; empty for a group.
    pub topic: String,
    /// Stays out of the overview: somebody wants it so, or too many came that nobody has claimed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hidden: bool,
    /// The broker of its device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What may be set. A page asks for it when it needs it.
    #[cfg(feature = "decode")]
    #[serde(flatten)]
    #[cfg_attr(not(feature = "schema"), serde(skip_deserializing))]
    pub limits: Limits,
    /// What a group's members say together; for groups. A page has it in words, as `word_off`, and does not read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(feature = "schema"), serde(skip_deserializing))]
    pub members: Option<Members>,
}

/// What the members of a group say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(Deserialize, utoipa::ToSchema))]
pub struct Members {
    /// How many are on.
    pub on: usize,
    /// How many there are.
    pub total: usize,
    /// Some are on, and not all.
    pub mixed: bool,
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
    /// Whether its history is one of words: a mode, where a cover stands.
    #[must_use]
    pub const fn says_words(&self) -> bool {
        match &self.v {
            Some(value) => matches!(value, Value::Text(_) | Value::Cover(_) | Value::Climate(_)),
            None => matches!(self.kind, EntityKind::Text | EntityKind::Select | EntityKind::Cover | EntityKind::Climate),
        }
    }

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
            #[cfg(feature = "decode")]
            unit_guessed: entity.unit_guessed,
            v: None,
            t: None,
            q: Quality::Unknown,
            assumed: entity.assumed,
            settable: entity.is_settable(),
            icon: entity.icon.clone(),
            precision: entity.precision,
            since: None,
            word_on: entity.word_on.clone(),
            word_off: entity.word_off.clone(),
            offline_since: None,
            topic: entity.state_topic.clone(),
            hidden: entity.hidden,
            link: None,
            #[cfg(feature = "decode")]
            limits: entity.control.limits(),
            members: None,
        }
    }

    /// What may be set; nothing in a page, which asks for it when it needs it.
    #[must_use]
    pub fn limits(&self) -> Limits {
        #[cfg(feature = "decode")]
        return self.limits.clone();
        #[cfg(not(feature = "decode"))]
        Limits::default()
    }

    /// How the page shows it: as its quality says, but a button, which never says anything, is no less there for that.
    #[must_use]
    pub const fn look(&self) -> &'static str {
        match (self.kind, self.q) {
            (EntityKind::Button, Quality::Unknown) => Quality::Good.look(),
            _ => self.q.look(),
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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

#[cfg(test)]
mod tests;
