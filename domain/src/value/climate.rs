//! What a climate reports.

use serde::Serialize;

/// What a climate reports. Nothing else is written: in a description, this is what tells it from a light or a cover.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ClimateState {
    /// `heat`, `cool`, `off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The temperature that it is to reach, in its own unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The temperature that it measures. Of a climate a page loads what it shows.
    #[cfg(feature = "decode")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_temperature: Option<f64>,
    /// `low`, `auto`.
    #[cfg(feature = "decode")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fan_mode: Option<String>,
    /// `away`, `eco`.
    #[cfg(feature = "decode")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
}
