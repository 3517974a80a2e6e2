//! What pages and sockets ask of ingest.

use domain::alarm::Alarm;
use domain::command::{Action, CommandReport};
use domain::convention::plain::TopicPattern;
use domain::entity::EntityId;
use domain::group::{BadPlan, Group};
use domain::input::Input;
use domain::time::Timestamp;
use domain::written::{AmendError, Amendment};
use tokio::sync::oneshot;

use crate::store::activity::{Activity, Actor};

/// What pages and sockets ask of ingest.
#[derive(Debug)]
pub enum Request {
    /// Send a command.
    Command {
        /// Made by the caller, unique.
        id: String,
        /// The entity.
        entity: EntityId,
        /// What is asked.
        action: Action,
        /// From when on it is not sent any more, for one that may wait for its device.
        expires_at: Option<Timestamp>,
        /// Who asks.
        who: Actor,
        /// The first report: `sent`, `queued` or `refused`.
        reply: oneshot::Sender<CommandReport>,
    },
    /// Write down a command that was refused at once.
    Refused {
        /// As the caller is told.
        report: CommandReport,
        /// Who asked.
        who: Actor,
    },
    /// Give up a command that waits for its device.
    Cancel {
        /// Which command.
        id: String,
        /// Who does not want it.
        who: Actor,
        /// The last report; `None` when it does not wait.
        reply: oneshot::Sender<Option<CommandReport>>,
    },
    /// Acknowledge an alarm.
    Acknowledge {
        /// The alarm's id.
        alarm: String,
        /// Who acknowledges.
        who: Actor,
        /// The alarm after it; `None` when there is no such alarm.
        reply: oneshot::Sender<Option<Alarm>>,
    },
    /// Write about an entity, a device or an area.
    Amend {
        /// What is written.
        amendment: Amendment,
        /// What the log says of it.
        entry: Box<Activity>,
        /// Told once it is stored, or that it cannot be taken. Dropped when the server stops before.
        reply: oneshot::Sender<Result<(), AmendError>>,
    },
    /// Make a group, or change it.
    PutGroup {
        /// The group, right in itself.
        group: Group,
        /// Whether it fits; if not, nothing is changed.
        reply: oneshot::Sender<Result<(), BadPlan>>,
    },
    /// Take a group away.
    RemoveGroup {
        /// Its id, without `group.`.
        id: String,
        /// When it is done.
        reply: oneshot::Sender<()>,
    },
    /// Take other patterns of topics behind those of the configuration.
    SetPatterns {
        /// Those that operators wrote, in their order.
        patterns: Vec<TopicPattern>,
        /// When it is done.
        reply: oneshot::Sender<()>,
    },
    /// How the publish of a command ended.
    Outcome(Input),
}
