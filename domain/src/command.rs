//! Commands: asking a device for something, and what came of it.

use serde::{Deserialize, Serialize};

use crate::entity::EntityId;
use crate::time::Timestamp;

/// What is asked. On the wire `{"action":"turn_on","brightness":80}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Action {
    /// On, perhaps with a brightness or warmth.
    TurnOn {
        /// Per cent, 0 to 100.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        brightness: Option<u8>,
        /// Kelvin.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        color_temp: Option<u16>,
    },
    /// Off.
    TurnOff {},
    /// The opposite of what is reported; resolved by the server before it goes out.
    Toggle {},
}

/// Reads all fields at once: a derived tag would copy them first, and weigh more in the browser.
impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Word {
            TurnOn,
            TurnOff,
            Toggle,
        }
        #[derive(Deserialize)]
        struct Fields {
            action: Word,
            #[serde(default)]
            brightness: Option<u8>,
            #[serde(default)]
            color_temp: Option<u16>,
        }
        let Fields { action, brightness, color_temp } = Fields::deserialize(deserializer)?;
        Ok(match action {
            Word::TurnOn => Self::TurnOn { brightness, color_temp },
            Word::TurnOff => Self::TurnOff {},
            Word::Toggle => Self::Toggle {},
        })
    }
}

impl Action {
    /// The word of the contract: `turn_on`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::TurnOn { .. } => "turn_on",
            Self::TurnOff {} => "turn_off",
            Self::Toggle {} => "toggle",
        }
    }
}

/// Names a command for as long as it is followed. Made by the server.
pub type CommandId = String;

/// Where a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum CommandState {
    /// On its way to the broker.
    Sent,
    /// The broker acknowledged it.
    Accepted,
    /// The device's own state agrees.
    Confirmed,
    /// No agreement within the wait.
    Unconfirmed,
    /// The link broke or the broker refused it.
    Failed,
    /// Never sent: rights, offline, unsupported, invalid.
    Refused,
}

impl CommandState {
    /// Whether nothing more will follow. (An `accepted` of a device without a state topic is final too.)
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Confirmed | Self::Unconfirmed | Self::Failed | Self::Refused)
    }

    /// The word of the contract: `confirmed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Confirmed => "confirmed",
            Self::Unconfirmed => "unconfirmed",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }
}

/// Why a command was refused at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such entity.
    #[error("unknown entity \"{0}\"")]
    UnknownEntity(String),
    /// The entity cannot do that.
    #[error("{entity} cannot {action}")]
    Unsupported {
        /// Which entity.
        entity: EntityId,
        /// What was asked.
        action: &'static str,
    },
    /// A number out of range.
    #[error("{field} must be between {min} and {max}")]
    OutOfRange {
        /// Which number.
        field: &'static str,
        /// Smallest allowed.
        min: u16,
        /// Largest allowed.
        max: u16,
    },
    /// The device said it is gone.
    #[error("{0} is offline")]
    DeviceOffline(EntityId),
    /// No connection to the broker.
    #[error("no connection to the broker")]
    LinkDown,
    /// The state is unknown, so its opposite is too.
    #[error("the state of {0} is unknown, so it cannot be toggled")]
    UnknownState(EntityId),
    /// The caller may not.
    #[error("operator rights are needed")]
    Forbidden,
    /// The server is shutting down or out of room.
    #[error("the server cannot take commands now")]
    Unavailable,
}

/// A command on its way: what is shown as pending, and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandReport {
    /// Which command.
    pub id: CommandId,
    /// Which entity.
    pub entity: EntityId,
    /// What was asked, with `toggle` already resolved.
    pub action: Action,
    /// Where it stands.
    pub state: CommandState,
    /// Why it ended so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Milliseconds from sending to this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_travel_as_the_contract_writes_them() {
        let on = Action::TurnOn { brightness: Some(80), color_temp: None };
        assert_eq!(serde_json::to_string(&on).expect("JSON"), r#"{"action":"turn_on","brightness":80}"#);
        assert_eq!(serde_json::from_str::<Action>(r#"{"action":"toggle"}"#).expect("reads"), Action::Toggle {});
        assert_eq!(serde_json::from_str::<Action>(r#"{"brightness":80,"action":"turn_on"}"#).expect("reads"), on);
        for bad in [r#"{"action":"explode"}"#, "{}", r#"{"action":"turn_on","brightness":300}"#] {
            assert!(serde_json::from_str::<Action>(bad).is_err(), "{bad}");
        }
    }
}
