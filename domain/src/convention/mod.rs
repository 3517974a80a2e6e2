//! How devices talk: what a topic is about, what a payload says, how a command is written.
//!
//! Each convention has the same three parts: discover (a topic to what it feeds), decode (a payload to values), encode (a command to a
//! payload). So far there is one, for topics without any convention.

/// What a payload says.
pub mod payload;
/// Topics without any convention: `sensors/<device>/<measure>`.
pub mod plain;

use crate::entity::EntityKind;

/// What a topic is about, as its convention says by the topic alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Measured values of a device.
    Readings {
        /// The device's name as in the topic.
        device: String,
        /// The measure's name as in the topic; empty where the payload names its measures.
        measure: String,
        /// The area's name as in the topic.
        area: Option<String>,
        /// The beginning of the device's topics.
        root: String,
    },
    /// The reported state of something that can be set.
    State {
        /// The device's name as in the topic.
        device: String,
        /// A light or a switch.
        kind: EntityKind,
        /// Where its commands go.
        command_topic: String,
    },
    /// A command to something that can be set: seen when somebody sends one.
    Command {
        /// The device's name as in the topic.
        device: String,
        /// A light or a switch.
        kind: EntityKind,
    },
    /// Whether a device is there.
    Availability {
        /// The device's name as in the topic.
        device: String,
        /// The beginning of the device's topics.
        root: String,
    },
    /// Nothing that becomes an entity.
    Nothing,
}
