//! Inputs: everything that can happen to a fleet.

use std::sync::Arc;

use crate::alarm::Severity;
use crate::command::{Action, CommandId};
use crate::entity::EntityId;
use crate::group::Group;
use crate::live::LinkState;
use crate::time::Timestamp;
use crate::written::Amendment;

/// A message as a broker delivered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The broker's name in the configuration.
    pub link: Arc<str>,
    /// The topic; not checked yet.
    pub topic: Arc<str>,
    /// The payload; hostile until decoded.
    pub payload: Arc<[u8]>,
    /// 0, 1 or 2.
    pub qos: u8,
    /// Replayed by the broker, not new.
    pub retained: bool,
}

/// Everything that can happen to a fleet.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A broker delivered a message.
    Message(Message),
    /// A broker was reached or lost.
    Link {
        /// The broker's name.
        broker: Arc<str>,
        /// Whether it is reached.
        state: LinkState,
    },
    /// What goes through the link to a broker was looked at.
    LinkFigures {
        /// The broker's name.
        broker: Arc<str>,
        /// What is wrong while it is not up.
        error: Option<String>,
        /// Messages a second that came lately.
        messages_per_s: Option<f64>,
        /// QoS 0 messages that were dropped since the start.
        dropped: u64,
    },
    /// Somebody asks a device for something.
    Command {
        /// Made by the server, unique.
        id: CommandId,
        /// Which entity.
        entity: EntityId,
        /// What is asked.
        action: Action,
    },
    /// Somebody asks a device that may be asleep.
    QueueCommand {
        /// Made by the server, unique.
        id: CommandId,
        /// Which entity.
        entity: EntityId,
        /// What is asked.
        action: Action,
        /// From then on it is not sent any more.
        expires_at: Timestamp,
    },
    /// A command that waits is not wanted any more.
    CancelCommand {
        /// Which command.
        id: CommandId,
        /// Who does not want it.
        who: String,
    },
    /// A command that was held back may go out: [`next_due`](crate::fleet::Fleet::next_due) says when.
    Due,
    /// The broker acknowledged the publish of a command.
    CommandAccepted {
        /// Which command.
        id: CommandId,
    },
    /// The publish of a command failed.
    CommandFailed {
        /// Which command.
        id: CommandId,
        /// Why, for the operator.
        reason: String,
    },
    /// Somebody makes a group or changes it. One that does not fit changes nothing: see [`Fleet::check_group`](crate::fleet::Fleet::check_group).
    PutGroup(Group),
    /// Somebody takes a group away.
    RemoveGroup {
        /// Its id, without `group.`.
        id: String,
    },
    /// An operator acknowledges an alarm.
    AcknowledgeAlarm {
        /// The alarm's id.
        alarm: String,
    },
    /// An operator writes about an entity, a device or an area. What [`crate::fleet::Fleet::check_amendment`] refuses changes nothing.
    Amend(Amendment),
    /// What topics are about, in the words of the operator, is other than before: all patterns, in their order.
    #[cfg(feature = "decode")]
    SetPatterns(Vec<crate::convention::plain::TopicPattern>),
    /// Something of the server itself went wrong, went on being wrong, or is in order.
    Trouble {
        /// The id of its alarm, which is that of an entity too: `signalbox.recorder`.
        id: &'static str,
        /// How bad it is.
        severity: Severity,
        /// What is the matter in short, as a condition: `not recording`.
        condition: &'static str,
        /// What to tell the operator; `None` while all is well.
        message: Option<String>,
    },
    /// Our own clock was set, forward when positive: the next inputs come with another time than they would have.
    ClockSet {
        /// By how many milliseconds.
        by_ms: i64,
    },
    /// Time has passed: staleness and waits are looked at. At least once a second.
    Tick,
}
