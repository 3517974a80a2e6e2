//! Quality: how far a shown value can be trusted.

use serde::{Deserialize, Serialize};

/// How far a shown value can be trusted. The words of the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Quality {
    /// Reported by the device, in time.
    Good,
    /// Late against the entity's own rhythm.
    Stale,
    /// Replayed by the broker or kept over a restart: its age is that of the stored reading.
    Retained,
    /// The device said, or its last will said, that it is gone.
    Offline,
    /// The last message could not be read; the value is the last good one.
    Bad,
    /// No reading yet.
    #[default]
    Unknown,
}

impl Quality {
    /// The word of the contract: `good`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Stale => "stale",
            Self::Retained => "retained",
            Self::Offline => "offline",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
        }
    }

    /// How a tile looks with it (`data-quality` of the style sheet): a bad value shows the last good one, with a warning.
    #[must_use]
    pub const fn look(self) -> &'static str {
        match self {
            Self::Good | Self::Retained | Self::Bad => "fresh",
            Self::Stale => "stale",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
        }
    }
}
