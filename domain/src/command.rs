//! Commands: asking a device for something, and what came of it.

use serde::{Deserialize, Serialize};

use crate::entity::EntityId;
use crate::time::Timestamp;

pub use action::{Action, Paint, Wish};
#[cfg(feature = "decode")]
pub use check::check;
#[cfg(feature = "decode")]
pub use read::BadField;

/// What is asked.
mod action;
/// Whether an entity can do what is asked.
#[cfg(feature = "decode")]
mod check;
/// What an action is written as, for descriptions.
#[cfg(feature = "schema")]
mod described;
/// What a request or a frame asks for.
#[cfg(feature = "decode")]
mod read;

/// Names a command for as long as it is followed. Made by the server.
pub type CommandId = String;

/// Where a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum CommandState {
    /// Kept until the device gives a sign of life; then it is sent, or it expires.
    Queued,
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
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Queued, Self::Sent, Self::Accepted, Self::Confirmed, Self::Unconfirmed, Self::Failed, Self::Refused];

    /// Whether nothing more will follow. (An `accepted` of a device without a state topic is final too.)
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Confirmed | Self::Unconfirmed | Self::Failed | Self::Refused)
    }

    /// The word of the contract: `confirmed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
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
    /// A field that cannot be so.
    #[error("{field} {reason}")]
    Invalid {
        /// Which field of the command.
        field: String,
        /// Why not, with what is expected.
        reason: String,
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
    /// Too many commands wait for devices that sleep.
    #[error("too many commands wait for their devices already")]
    QueueFull,
    /// The caller may not.
    #[error("operator rights are needed")]
    Forbidden,
    /// The server is shutting down or out of room.
    #[error("the server cannot take commands now")]
    Unavailable,
}

impl Refusal {
    /// The field of the command that is to blame.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::OutOfRange { field, .. } => Some(field),
            _ => None,
        }
    }
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
    /// Milliseconds that the device usually takes to agree; `None` before it ever did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_ms: Option<i64>,
}

/// A command that waits for its device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueuedCommand {
    /// As it was queued; `sent_at` is that moment.
    pub report: CommandReport,
    /// From then on it is not sent any more.
    pub expires_at: Timestamp,
}
