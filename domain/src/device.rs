//! Devices, areas, and their names.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Longest id in bytes: past that, text of a stranger is cut.
pub const MAX_ID_BYTES: usize = 128;
/// Longest name shown, in characters.
pub const MAX_NAME_CHARS: usize = 80;

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no id: only a-z, 0-9, _ and - are allowed, at most {MAX_ID_BYTES} characters")]
pub struct BadId(pub String);

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[a-z0-9_-]+$"))]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks that `text` is an id: `[a-z0-9_-]+`.
            ///
            /// # Errors
            /// [`BadId`] names the text.
            pub fn parse(text: &str) -> Result<Self, BadId> {
                if is_id(text) { Ok(Self(text.into())) } else { Err(BadId(text.chars().take(MAX_NAME_CHARS).collect())) }
            }

            /// The id nearest to a text of a stranger: lower case, everything outside `[a-z0-9_-]` becomes `_`.
            #[must_use]
            pub fn slug(text: &str) -> Self {
                Self(slug(text).into())
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }
    };
}

id_type! {
    /// The id of a device: `temp-sensor-001`.
    DeviceId
}
id_type! {
    /// The id of an area: `livingroom`.
    AreaId
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID_BYTES && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

/// Lower case, everything outside `[a-z0-9_-]` becomes `_`; never empty, at most [`MAX_ID_BYTES`] long.
#[must_use]
pub fn slug(text: &str) -> String {
    let slug: String = text
        .chars()
        .take(MAX_ID_BYTES)
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c.to_ascii_lowercase() } else { '_' })
        .collect();
    if slug.is_empty() { "_".to_owned() } else { slug }
}

/// A text of a stranger as a name: separators become spaces, the first letter a capital, control and bidi characters go, long texts are cut.
/// `soil-bed_a` becomes `Soil bed a`.
#[must_use]
pub fn name_from(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c == '-' || c == '_' { ' ' } else { c }).collect();
    let cleaned = clean_text(&spaced, MAX_NAME_CHARS);
    let trimmed = cleaned.trim();
    let mut chars = trimmed.chars();
    chars.next().map_or_else(
        || text.chars().filter(char::is_ascii_graphic).take(MAX_NAME_CHARS).collect(),
        |first| first.to_uppercase().chain(chars).collect(),
    )
}

/// `text` without control and bidi characters, at most `max_chars` long.
#[must_use]
pub fn clean_text(text: &str, max_chars: usize) -> String {
    text.chars().filter(|&c| !c.is_control() && !is_bidi_control(c)).take(max_chars).collect()
}

/// Whether a character changes the direction of the text around it: names with it can pretend to be others.
#[must_use]
pub const fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A place that holds devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Area {
    /// Stable id.
    pub id: AreaId,
    /// Shown name.
    pub name: String,
    /// Icon name without `i-`, when one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
}

/// Whether a device says it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Availability {
    /// The device said so.
    Online,
    /// The device, or its last will, said so.
    Offline,
    /// The device has no topic for it.
    #[default]
    Unknown,
}

/// What a device says it is. All of it is text of a stranger, and any of it may be unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct About {
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// What it is called by who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its firmware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sw_version: Option<String>,
    /// Its hardware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hw_version: Option<String>,
    /// Its serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// Where it can be configured: `http:` or `https:` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration_url: Option<String>,
    /// The identifier of the device that it is reached through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
}

impl About {
    /// Takes up what another description says and this one does not, or says otherwise.
    pub fn add(&mut self, other: &Self) {
        let clean = |text: &Option<String>| text.as_deref().map(|text| clean_text(text.trim(), MAX_NAME_CHARS)).filter(|text| !text.is_empty());
        let put = |to: &mut Option<String>, from: &Option<String>| *to = clean(from).or_else(|| to.take());
        put(&mut self.manufacturer, &other.manufacturer);
        put(&mut self.model, &other.model);
        put(&mut self.sw_version, &other.sw_version);
        put(&mut self.hw_version, &other.hw_version);
        put(&mut self.serial_number, &other.serial_number);
        put(&mut self.via, &other.via);
        // Whatever else it is, it is no place to send somebody to.
        let url = other.configuration_url.as_deref().filter(|url| url.starts_with("http://") || url.starts_with("https://"));
        if let Some(url) = url.filter(|url| url.len() <= 300) {
            self.configuration_url = Some(clean_text(url, 300));
        }
    }
}

/// Something that talks over MQTT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Device {
    /// Stable id.
    pub id: DeviceId,
    /// Shown name.
    pub name: String,
    /// Where it stands.
    pub area: Option<AreaId>,
    /// Which convention it speaks, as shown: `plain topics`.
    pub convention: String,
    /// The broker it was found on: the name of the link.
    pub link: String,
    /// The beginning of its topics: `sensors/temp-sensor-001`.
    pub topic_root: String,
    /// Whether it says it is there.
    pub availability: Availability,
    /// When `availability` changed last.
    pub availability_since: Timestamp,
    /// When it was seen for the first time.
    pub first_seen: Timestamp,
    /// When its last message arrived (retained replays apart); `None` before the first.
    pub last_seen: Option<Timestamp>,
    /// All that it is known by: the first is what its first convention calls it. Empty for one that only its topics tell of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<String>,
    /// What it says it is.
    #[serde(default)]
    pub about: About,
}

impl Device {
    /// A device of which nothing is known but where it was found.
    #[must_use]
    pub fn new(id: DeviceId, name: String, link: &str, topic_root: String, now: Timestamp) -> Self {
        Self {
            id,
            name,
            area: None,
            convention: String::new(),
            link: link.to_owned(),
            topic_root,
            availability: Availability::Unknown,
            availability_since: now,
            first_seen: now,
            last_seen: None,
            identifiers: vec![],
            about: About::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_readable_and_harmless() {
        for (text, name) in [("soil-bed_a", "Soil bed a"), ("CO2", "CO2"), ("a\u{202e}b\u{7}", "Ab"), ("--", "--"), ("élan", "Élan")] {
            assert_eq!(name_from(text), name);
        }
    }

    proptest! {
        #[test]
        fn every_slug_is_an_id(text in ".*") {
            prop_assert!(DeviceId::parse(DeviceId::slug(&text).as_str()).is_ok());
        }

        #[test]
        fn an_id_is_its_own_slug(id in "[a-z0-9_-]{1,128}") {
            prop_assert_eq!(slug(&id), id);
        }
    }
}
