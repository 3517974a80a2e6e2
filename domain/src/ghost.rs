//! Ghosts: devices that are gone and whose announcements a broker still replays.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::device::DeviceId;
use crate::time::Timestamp;

/// Why a device is a ghost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum GhostReason {
    /// An operator removed it, and it has not spoken since.
    Removed,
    /// It, or its last will, says that it is not there, for long.
    Offline,
    /// Nothing came from it for long but what its broker replays.
    Silent,
}

impl GhostReason {
    /// As it is written: `removed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Offline => "offline",
            Self::Silent => "silent",
        }
    }
}

/// A topic on which something of a ghost is retained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GhostTopic {
    /// As it was heard: text of a stranger.
    pub topic: Arc<str>,
    /// Bytes of what was heard there last.
    pub bytes: u32,
    /// The broker replayed it: it is retained for certain. Else it was heard when it was said, on a topic on which devices of its kind let the
    /// broker retain what they say; a broker does not tell who is connected then whether it keeps a message.
    pub is_replayed: bool,
}

/// A device that is gone and whose announcements a broker still replays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ghost {
    /// Its id.
    pub device: DeviceId,
    /// The broker.
    pub link: Arc<str>,
    /// Its name, as far as it is known.
    pub name: String,
    /// Why it is one.
    pub reason: GhostReason,
    /// Since when it has been so; `None` for one that was removed when nobody wrote down when.
    pub since: Option<Timestamp>,
    /// Where something of it is retained, in order; never a topic that belongs to others too.
    pub topics: Vec<GhostTopic>,
}
