use std::sync::atomic::{AtomicU8, Ordering};

use super::settings::Protocol;
use super::wire::Failure;

/// A version of MQTT on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// MQTT 5.
    V5,
    /// MQTT 3.1.1.
    V4,
}

impl Version {
    /// As people call it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::V5 => "5",
            Self::V4 => "3.1.1",
        }
    }
}

/// Which version the link speaks, once that is known; for both connections and for the life of the link.
pub(super) struct Agreed {
    wanted: Protocol,
    /// 0 while unknown, else 4 or 5.
    found: AtomicU8,
}

impl Agreed {
    pub(super) const fn new(wanted: Protocol) -> Self {
        Self { wanted, found: AtomicU8::new(0) }
    }

    pub(super) fn get(&self) -> Option<Version> {
        match (self.wanted, self.found.load(Ordering::Relaxed)) {
            (Protocol::V5, _) | (_, 5) => Some(Version::V5),
            (Protocol::V311, _) | (_, 4) => Some(Version::V4),
            _ => None,
        }
    }

    fn set(&self, version: Version) {
        let found = match version {
            Version::V5 => 5,
            Version::V4 => 4,
        };
        self.found.store(found, Ordering::Relaxed);
    }
}

/// How many unanswered CONNECTs of MQTT 5 make a connection try 3.1.1.
const PATIENCE: u8 = 3;

/// The search of one connection for the version that the broker speaks.
///
/// A 3.1.1 broker answers a CONNECT of MQTT 5 with the two bytes of its own CONNACK, which rumqttc takes for an
/// incomplete packet: all that can be seen is a connection that closes or falls silent. A broker that is starting, or
/// the proxy before it, looks the same. So an answer to 3.1.1 counts only when MQTT 5 goes unanswered once more.
#[derive(Default)]
pub(super) struct Search {
    n_unanswered: u8,
    v4_answers: bool,
}

/// What to do with a connection that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accepted {
    /// Use it.
    Use,
    /// Close it and try MQTT 5 again, at once.
    TryV5Again,
}

impl Search {
    pub(super) fn next_version(&self, agreed: &Agreed) -> Version {
        match agreed.get() {
            Some(version) => version,
            None if self.n_unanswered >= PATIENCE && !self.v4_answers => Version::V4,
            None => Version::V5,
        }
    }

    /// The broker accepted a CONNECT of `version`.
    pub(super) fn accepted(&mut self, version: Version, agreed: &Agreed) -> Accepted {
        if agreed.get().is_none() {
            if version == Version::V4 {
                self.v4_answers = true;
                return Accepted::TryV5Again;
            }
            agreed.set(Version::V5);
        }
        Accepted::Use
    }

    /// A CONNECT of `version` failed. Says whether to go on at once, because something was learned.
    pub(super) fn failed(&mut self, version: Version, failure: &Failure, agreed: &Agreed) -> bool {
        if agreed.get().is_some() {
            return false;
        }
        let settled = match (version, failure) {
            (Version::V5, Failure::Version) => true,
            (Version::V5, Failure::Silent | Failure::Broken(_) | Failure::TooLarge(_)) => {
                self.n_unanswered = self.n_unanswered.saturating_add(1);
                self.v4_answers
            }
            // A refusal in its own words is an answer too.
            (Version::V4, Failure::Refused(_)) => {
                self.v4_answers = true;
                return true;
            }
            _ => {
                *self = Self::default();
                false
            }
        };
        if settled {
            agreed.set(Version::V4);
        }
        settled || self.n_unanswered == PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken() -> Failure {
        Failure::Broken("closed".to_owned())
    }

    #[test]
    fn a_refused_version_is_not_tried_again() {
        let (agreed, mut search) = (Agreed::new(Protocol::Auto), Search::default());
        assert_eq!(search.next_version(&agreed), Version::V5);
        assert!(search.failed(Version::V5, &Failure::Version, &agreed));
        assert_eq!(Search::default().next_version(&agreed), Version::V4, "the other connection knows it too");
    }

    #[test]
    fn a_broker_that_closes_on_version_5_and_answers_3_1_1_is_spoken_to_in_3_1_1() {
        let (agreed, mut search) = (Agreed::new(Protocol::Auto), Search::default());
        for _ in 0..3 {
            assert_eq!(search.next_version(&agreed), Version::V5);
            search.failed(Version::V5, &broken(), &agreed);
        }
        assert_eq!(search.next_version(&agreed), Version::V4);
        assert_eq!(search.accepted(Version::V4, &agreed), Accepted::TryV5Again);
        assert_eq!(search.next_version(&agreed), Version::V5);
        search.failed(Version::V5, &broken(), &agreed);
        assert_eq!(search.next_version(&agreed), Version::V4);
        assert_eq!(search.accepted(Version::V4, &agreed), Accepted::Use);
    }

    #[test]
    fn a_broker_of_3_1_1_that_refuses_the_password_is_found_too() {
        let (agreed, mut search) = (Agreed::new(Protocol::Auto), Search::default());
        for _ in 0..3 {
            search.failed(Version::V5, &broken(), &agreed);
        }
        let refused = Failure::Refused("bad user name password".to_owned());
        assert!(search.failed(Version::V4, &refused, &agreed));
        assert!(search.failed(Version::V5, &broken(), &agreed));
        assert!(!search.failed(Version::V4, &refused, &agreed), "from here on it waits between attempts");
        assert_eq!(search.next_version(&agreed), Version::V4);
    }

    #[test]
    fn a_broker_that_was_only_starting_is_spoken_to_in_version_5() {
        let (agreed, mut search) = (Agreed::new(Protocol::Auto), Search::default());
        for _ in 0..3 {
            search.failed(Version::V5, &broken(), &agreed);
        }
        search.accepted(Version::V4, &agreed);
        assert_eq!(search.accepted(Version::V5, &agreed), Accepted::Use);
        for _ in 0..9 {
            search.failed(Version::V5, &broken(), &agreed);
            assert_eq!(search.next_version(&agreed), Version::V5);
        }
    }

    #[test]
    fn a_host_that_is_not_there_says_nothing_about_the_version() {
        let (agreed, mut search) = (Agreed::new(Protocol::Auto), Search::default());
        for _ in 0..9 {
            search.failed(Version::V5, &Failure::Unreachable("refused".to_owned()), &agreed);
            assert_eq!(search.next_version(&agreed), Version::V5);
        }
    }

    #[test]
    fn a_version_that_was_asked_for_stays() {
        let (agreed, mut search) = (Agreed::new(Protocol::V5), Search::default());
        search.failed(Version::V5, &Failure::Version, &agreed);
        assert_eq!(search.next_version(&agreed), Version::V5);
        assert_eq!(Search::default().next_version(&Agreed::new(Protocol::V311)), Version::V4);
    }
}
