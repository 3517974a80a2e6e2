//! Alarms: something an operator must know. States follow ISA-18.2.

use serde::{Deserialize, Serialize};

use crate::entity::EntityId;
use crate::time::Timestamp;

/// How bad it is. Ordered: critical first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Severity {
    /// Act now.
    Critical,
    /// Act soon.
    Warning,
    /// Know it.
    Notice,
}

impl Severity {
    /// The word of the contract: `critical`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// Where an alarm stands. The words of the contract; ordered by urgency as the strip shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum AlarmState {
    /// Raised, nobody has acknowledged it.
    Unacked,
    /// The cause is gone, nobody has acknowledged it.
    Returned,
    /// Raised and acknowledged.
    Acked,
    /// Silenced until a time.
    Shelved,
    /// Silenced by a rule.
    Suppressed,
    /// Switched off.
    OutOfService,
    /// Nothing to tell.
    Normal,
}

impl AlarmState {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Unacked, Self::Returned, Self::Acked, Self::Shelved, Self::Suppressed, Self::OutOfService, Self::Normal];

    /// The word of the contract: `unacked`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unacked => "unacked",
            Self::Returned => "returned",
            Self::Acked => "acked",
            Self::Shelved => "shelved",
            Self::Suppressed => "suppressed",
            Self::OutOfService => "out_of_service",
            Self::Normal => "normal",
        }
    }
}

/// One alarm: the state of one rule at one entity. Its id is the rule's id and the entity's: it lives as long as the rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Alarm {
    /// Stable id.
    pub id: String,
    /// The id of its rule.
    pub rule: String,
    /// The entity it watches.
    pub entity: EntityId,
    /// How bad.
    pub severity: Severity,
    /// Where it stands.
    pub state: AlarmState,
    /// What to tell: the rule's message.
    pub message: String,
    /// The condition in words: `above 34.0`.
    pub condition: String,
    /// When it was raised last.
    pub since: Timestamp,
    /// When shelving ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}
