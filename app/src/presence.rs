//! Whether a device is there.

use domain::device::Availability;
use domain::quality::Quality;
use serde::{Deserialize, Serialize};

/// Whether a device is there. In the order that lists show it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// It said, or its last will said, that it is gone.
    Offline,
    /// It speaks, but nothing it measures is as new as it should be.
    Stale,
    /// It has not said anything yet.
    Unknown,
    /// It is there.
    Online,
}

impl Presence {
    /// By what its entities show, which moves live; without any, by what the device itself said.
    #[must_use]
    pub fn of(said: Availability, qualities: &[Quality]) -> Self {
        let all = |wanted: Quality| {
            !qualities.is_empty() && qualities.iter().all(|q| *q == wanted || *q == Quality::Unknown) && qualities.contains(&wanted)
        };
        if qualities.contains(&Quality::Offline) || (qualities.is_empty() && said == Availability::Offline) {
            Self::Offline
        } else if all(Quality::Stale) {
            Self::Stale
        } else if qualities.iter().all(|q| *q == Quality::Unknown) && said != Availability::Online {
            Self::Unknown
        } else {
            Self::Online
        }
    }

    /// `data-status` of the style sheet, and the word.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Online => ("online", "Online"),
            Self::Stale => ("stale", "Stale"),
            Self::Offline => ("offline", "Offline"),
            Self::Unknown => ("hidden", "Unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_what_its_entities_show() {
        use Quality::{Good, Retained, Stale, Unknown};
        for (said, qualities, presence) in [
            (Availability::Unknown, &[Good, Stale][..], Presence::Online),
            (Availability::Online, &[Stale, Stale, Unknown], Presence::Stale),
            (Availability::Online, &[Quality::Offline, Unknown], Presence::Offline),
            (Availability::Unknown, &[Unknown, Unknown], Presence::Unknown),
            (Availability::Online, &[Unknown], Presence::Online),
            (Availability::Offline, &[], Presence::Offline),
            (Availability::Unknown, &[], Presence::Unknown),
            (Availability::Unknown, &[Retained], Presence::Online),
        ] {
            assert_eq!(Presence::of(said, qualities), presence, "{said:?} {qualities:?}");
        }
    }
}
