//! What can be set of an entity, besides its kind.

use serde::{Deserialize, Serialize};

/// Range, options and payloads of something that can be set. All of it may be unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// Least number, or temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Largest number, or temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Numbers between them are whole steps away from the least; positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<f64>,
    /// The words of a select, or the modes of a climate; empty where they are not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// What a button is sent; `PRESS` where nothing else is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_press: Option<String>,
    /// Where positions of a cover go; its command topic where nothing else is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position_command_topic: Option<String>,
    /// Whether the configuration says all this: without it, it is not so any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_declared: bool,
}

impl Control {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What a page or a program needs to offer the control.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let Self { min, max, step, options, .. } = self;
        Limits { min: *min, max: *max, step: *step, options: options.clone() }
    }
}

/// What may be set. In the frames and in REST its fields stand among those of the entity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Least number, or temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Largest number, or temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Numbers between them are whole steps away from the least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<f64>,
    /// The words of a select, or the modes of a climate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}
