//! Changes: everything that follows from an input. The same change is stored, pushed and shown.

use crate::alarm::Alarm;
use crate::command::{CommandId, CommandReport, QueuedCommand};
use crate::device::{Area, Device, DeviceId};
use crate::entity::{Entity, EntityId};
use crate::input::Message;
use crate::live::{EntityChange, EntityView, LinkView};
use crate::reading::Reading;
use crate::written::Written;

/// A message to send to a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// The command that it carries.
    pub command: CommandId,
    /// The broker's name.
    pub link: std::sync::Arc<str>,
    /// The topic.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// Seconds after which a broker that still has it shall throw it away; at least 1.
    pub expires_s: u32,
}

/// What happened to the commands that wait for their devices.
#[derive(Clone, Debug, PartialEq)]
pub enum QueueChange {
    /// One waits, in place of any other for the same entity.
    Put(QueuedCommand),
    /// One waits no longer.
    Gone(CommandId),
}

/// Everything that can follow from an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A device was found or changed: to be stored as it was found.
    Device(Device),
    /// An entity was found or changed: to be stored as it was found, and shown whole, with what is written about it.
    Entity(Box<Entity>, Box<EntityView>),
    /// A group was made or changed: shown whole. It is worked out from others, and not stored among them.
    Group(Box<EntityView>),
    /// An entity or a group is there no more.
    Gone(EntityId),
    /// A device is there no more.
    DeviceGone(DeviceId),
    /// A reading to be stored. Retained replays and late readings are stored too; those already stored are dropped by the store.
    Reading(Reading),
    /// What is shown of an entity changed.
    Shown(EntityChange),
    /// A message arrived: for those who subscribed to its topic, with what it did.
    Message {
        /// The message.
        message: Message,
        /// The entities that it fed, as they were right after it; empty for a message that feeds none.
        fed: Vec<EntityChange>,
    },
    /// Something in a message could not be taken: once a message, before its [`Change::Message`].
    Rejected {
        /// The message.
        message: Message,
        /// Why, naming the input; the first reason of several.
        reason: String,
    },
    /// An alarm changed its state: to be stored and pushed at once.
    Alarm(Alarm),
    /// An alarm says the same in other words, for its entity is shown in another unit: to be pushed, for nothing happened.
    AlarmWords(Alarm),
    /// A command changed its state.
    Command(CommandReport),
    /// A command waits for its device, or waits no longer: to be stored.
    Queue(QueueChange),
    /// A command was found that a broker keeps: told once a topic.
    RetainedCommand {
        /// The broker's name.
        link: std::sync::Arc<str>,
        /// The topic.
        topic: std::sync::Arc<str>,
    },
    /// A message of a command goes out; a command may have several.
    Publish(Publish),
    /// Devices are asked for something that is nobody's command, with QoS 0 or 1 as the link likes: what they are, what they say.
    Ask {
        /// The broker's name.
        link: std::sync::Arc<str>,
        /// The topic.
        topic: String,
        /// The payload.
        payload: Vec<u8>,
    },
    /// A bridge answered a request that was nobody's command.
    Answered {
        /// The broker's name.
        link: std::sync::Arc<str>,
        /// The number that the request carried.
        request: u32,
        /// What went wrong, as it says itself; `None` where nothing did.
        error: Option<String>,
    },
    /// A broker was reached or lost.
    Link(LinkView),
    /// An operator wrote something: to be stored.
    Written(Written),
    /// There are other areas, or they have other names: all of them, in the order shown.
    Areas(Vec<Area>),
}
