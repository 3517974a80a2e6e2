//! What a cover reports.

use serde::Serialize;

/// Where a cover stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum CoverWord {
    /// Open, also when not all the way.
    Open,
    /// Closed.
    Closed,
    /// On its way up.
    Opening,
    /// On its way down.
    Closing,
    /// Standing somewhere.
    Stopped,
}

impl CoverWord {
    /// The word of the contract: `open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Opening => "opening",
            Self::Closing => "closing",
            Self::Stopped => "stopped",
        }
    }

    /// The word as a device or a frame writes it, in lower case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Closed, Self::Opening, Self::Closing, Self::Stopped].into_iter().find(|known| known.as_str() == word)
    }
}

/// What a cover reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CoverState {
    /// Where it stands.
    pub state: CoverWord,
    /// Per cent, 0 is closed, 100 is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u8>,
}
