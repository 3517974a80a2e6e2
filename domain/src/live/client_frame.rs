use serde::{Deserialize, Serialize};

use crate::command::Action;
use crate::entity::EntityId;

/// Frames from the browser or another program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ClientFrame {
    /// MQTT filters; entity ids, `*` (all), or `shown` (all but those that stay out of the overview).
    Subscribe {
        /// MQTT filters.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        topics: Vec<String>,
        /// Entity ids, `*` or `shown`.
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
        /// Entity ids, `*` or `shown`.
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
    /// Takes up a dropped session, or goes on after `pause` when the session is the connection's own.
    Resume {
        /// From `hello`.
        session: String,
        /// The last `seq` seen.
        seq: u64,
        /// What is subscribed to where the session is not known any more; `*` when not given.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        entities: Vec<String>,
        /// Repeated in an `error`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// No values until `resume` or `subscribe`: nobody looks. What is subscribed to stays, and alarms, links and commands are still told.
    Pause {
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CommandFrame {
    /// Repeated in every answer.
    #[serde(default)]
    pub id: String,
    /// The entity.
    pub entity: EntityId,
    /// When it is to be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliver: Option<Deliver>,
    /// How long it may wait for its device, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<u64>,
    /// What is asked.
    #[serde(flatten)]
    pub action: Action,
}

/// When a command is to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Deliver {
    /// Now or never.
    #[default]
    AtOnce,
    /// With the next sign of life of its device.
    WhenOnline,
}

/// What a page of ours sends: as [`ClientFrame`] reads it, without what only other programs send, and written by hand: serde's way to write it is a
/// good part of a browser's code. Ids hold nothing that JSON would write in another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageFrame<'a> {
    /// Entity ids, or `shown`.
    Subscribe {
        /// Entity ids, or `shown`.
        entities: &'a [&'a str],
    },
    /// Goes on where an earlier connection, or a page that nobody looked at, left off.
    Resume {
        /// From the `hello` of that connection: letters and digits.
        session: &'a str,
        /// Up to where everything is known.
        seq: u64,
        /// What the page follows where the session is gone.
        entities: &'a [&'a str],
    },
    /// Nobody looks at the page.
    Pause,
    /// Asks a device for something.
    Command {
        /// Repeated in every answer: letters and digits.
        id: &'a str,
        /// The entity.
        entity: &'a EntityId,
        /// The word of the action.
        action: &'static str,
        /// What else is asked, each field with a comma in front: `,"brightness":80`.
        fields: &'a str,
    },
    /// Answered by `pong`.
    Ping,
}

impl PageFrame<'_> {
    /// The frame as JSON.
    #[must_use]
    pub fn to_json(self) -> String {
        let list = |ids: &[&str]| ids.join("\",\"");
        match self {
            Self::Subscribe { entities } => ["{\"type\":\"subscribe\",\"entities\":[\"", &list(entities), "\"]}"].concat(),
            Self::Resume { session, seq, entities } => {
                let seq = seq.to_string();
                ["{\"type\":\"resume\",\"session\":\"", session, "\",\"seq\":", &seq, ",\"entities\":[\"", &list(entities), "\"]}"].concat()
            }
            Self::Pause => "{\"type\":\"pause\"}".to_owned(),
            Self::Command { id, entity, action, fields } => {
                ["{\"type\":\"command\",\"id\":\"", id, "\",\"entity\":\"", entity.as_str(), "\",\"action\":\"", action, "\"", fields, "}"].concat()
            }
            Self::Ping => "{\"type\":\"ping\"}".to_owned(),
        }
    }
}

const fn qos_1() -> u8 {
    1
}
