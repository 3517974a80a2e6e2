//! What people write about entities, devices and areas: names and places that win over what topics say.
//!
//! Three hands write: the program itself for its demo ([`crate::fleet::Settings::suggested`]), operators over REST ([`Amendment`]), and whoever
//! keeps the configuration file. Each wins over the one before.

use serde::{Deserialize, Serialize};

use crate::device::{AreaId, DeviceId};
use crate::entity::EntityId;
use crate::time::Timestamp;

pub use read::BadField;

/// Amendments as REST takes them.
mod read;

/// What is written about an entity: wins over what its topic says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// Shown name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it stands: wins over the area of its device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<AreaId>,
    /// Icon name without `i-`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Unit as shown. Values are converted into it from the unit that the device speaks in; where they do not convert it is only a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The unit that the device speaks in, where it does not say it or says it wrongly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native_unit: Option<String>,
    /// Decimals shown, 0 to 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<u8>,
    /// Whether it is a meter that counts up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter: Option<bool>,
    /// Place in its area, lower first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<i32>,
    /// Out of the overview.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
    /// The word for `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_on: Option<String>,
    /// The word for `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_off: Option<String>,
    /// Seconds without a reading after which it is stale, in place of the learned rhythm; 0 is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after_s: Option<u32>,
}

impl Override {
    /// Both, where this one wins.
    #[must_use]
    pub fn over(&self, below: Option<&Self>) -> Self {
        let Some(below) = below else { return self.clone() };
        Self {
            name: self.name.clone().or_else(|| below.name.clone()),
            area: self.area.clone().or_else(|| below.area.clone()),
            icon: self.icon.clone().or_else(|| below.icon.clone()),
            unit: self.unit.clone().or_else(|| below.unit.clone()),
            native_unit: self.native_unit.clone().or_else(|| below.native_unit.clone()),
            precision: self.precision.or(below.precision),
            counter: self.counter.or(below.counter),
            order: self.order.or(below.order),
            hidden: self.hidden.or(below.hidden),
            word_on: self.word_on.clone().or_else(|| below.word_on.clone()),
            word_off: self.word_off.clone().or_else(|| below.word_off.clone()),
            stale_after_s: self.stale_after_s.or(below.stale_after_s),
        }
    }
}

/// What operators wrote about a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceOverride {
    /// Shown name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it stands, and with it those of its entities that nothing else is written about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<AreaId>,
    /// It was removed: what brokers replay of it brings it back no more, only its own voice does. All that it was known by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Vec<String>>,
    /// When it was removed; not known of those that were removed before that was written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Timestamp>,
    /// It is another device, and so is whatever is found of it from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<DeviceId>,
}

/// What operators wrote about an area.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaOverride {
    /// Shown name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// All that operators have written about one thing: what is stored. Nothing written is nothing stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    /// About an entity.
    Entity(EntityId, Override),
    /// About a device.
    Device(DeviceId, DeviceOverride),
    /// About an area.
    Area(AreaId, AreaOverride),
}

/// What becomes of one thing that is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is taken back: topics have the word again.
    Clear,
    /// It is written anew.
    Set(T),
}

impl<T: Clone> Patch<T> {
    /// Changes what is written.
    pub fn apply(&self, to: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *to = None,
            Self::Set(value) => *to = Some(value.clone()),
        }
    }

    const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

/// Changes of what is written about an entity.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EntityPatch {
    /// Shown name.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, max_length = 80))]
    pub name: Patch<String>,
    /// Where it stands.
    #[cfg_attr(feature = "schema", schema(value_type = Option<AreaId>))]
    pub area: Patch<AreaId>,
    /// Icon name without `i-`.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub icon: Patch<String>,
    /// Unit as shown. Values are converted into it from the unit that the device speaks in; where they do not convert it is only a label.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub unit: Patch<String>,
    /// The unit that the device speaks in, where it does not say it or says it wrongly.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub native_unit: Patch<String>,
    /// Decimals shown, 0 to 3.
    #[cfg_attr(feature = "schema", schema(value_type = Option<u8>, maximum = 3))]
    pub precision: Patch<u8>,
    /// Place in its area, lower first.
    #[cfg_attr(feature = "schema", schema(value_type = Option<i32>))]
    pub order: Patch<i32>,
    /// Out of the overview.
    #[cfg_attr(feature = "schema", schema(value_type = Option<bool>))]
    pub hidden: Patch<bool>,
}

/// Changes of what is written about a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DevicePatch {
    /// Shown name.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, max_length = 80))]
    pub name: Patch<String>,
    /// Where it stands.
    #[cfg_attr(feature = "schema", schema(value_type = Option<AreaId>))]
    pub area: Patch<AreaId>,
}

/// Changes of what is written about an area.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AreaPatch {
    /// Shown name.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, max_length = 80))]
    pub name: Patch<String>,
}

/// Something that an operator writes.
#[derive(Clone, Debug, PartialEq)]
pub enum Amendment {
    /// About an entity.
    Entity(EntityId, EntityPatch),
    /// About a device.
    Device(DeviceId, DevicePatch),
    /// About an area.
    Area(AreaId, AreaPatch),
    /// A device is to go, with its entities; its history stays. It comes back when it announces itself again.
    RemoveDevice(DeviceId),
    /// Two devices are one: the first goes, and its entities are the other's.
    MergeDevice {
        /// Which goes.
        from: DeviceId,
        /// Which stays.
        into: DeviceId,
    },
}

impl EntityPatch {
    /// Changes what is written.
    pub fn apply(&self, to: &mut Override) {
        self.name.apply(&mut to.name);
        self.area.apply(&mut to.area);
        self.icon.apply(&mut to.icon);
        self.unit.apply(&mut to.unit);
        self.native_unit.apply(&mut to.native_unit);
        self.precision.apply(&mut to.precision);
        self.order.apply(&mut to.order);
        self.hidden.apply(&mut to.hidden);
    }

    /// The first field that it would change although it is written in `file`.
    #[must_use]
    pub fn clash(&self, file: &Override) -> Option<&'static str> {
        [
            ("name", !self.name.is_keep() && file.name.is_some()),
            ("area", !self.area.is_keep() && file.area.is_some()),
            ("icon", !self.icon.is_keep() && file.icon.is_some()),
            ("unit", !self.unit.is_keep() && file.unit.is_some()),
            ("native_unit", !self.native_unit.is_keep() && file.native_unit.is_some()),
            ("precision", !self.precision.is_keep() && file.precision.is_some()),
            ("order", !self.order.is_keep() && file.order.is_some()),
            ("hidden", !self.hidden.is_keep() && file.hidden.is_some()),
        ]
        .into_iter()
        .find_map(|(field, clashes)| clashes.then_some(field))
    }
}

impl DevicePatch {
    /// Changes what is written.
    pub fn apply(&self, to: &mut DeviceOverride) {
        self.name.apply(&mut to.name);
        self.area.apply(&mut to.area);
    }
}

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmendError {
    /// There is no such thing.
    #[error("unknown {0}")]
    Unknown(String),
    /// The configuration file says it, and the file wins.
    #[error("{field} is written in the configuration file, which wins: change it there, in {what}")]
    InFile {
        /// Which field.
        field: &'static str,
        /// Whose: the block of the file.
        what: String,
    },
    /// It makes no sense.
    #[error("{field} {reason}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// Why not.
        reason: String,
    },
}
