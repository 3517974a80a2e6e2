//! Readings: a value with its times.

use crate::entity::EntityId;
use crate::time::Timestamp;
use crate::value::Value;

/// One value of one entity at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Whose value.
    pub entity: EntityId,
    /// The value.
    pub value: Value,
    /// When the device took it (its own time when it says one, else ours).
    pub taken_at: Timestamp,
    /// When it reached us.
    pub received_at: Timestamp,
    /// The device said the time itself: a second message with the same time is the same reading.
    pub device_time: bool,
}
