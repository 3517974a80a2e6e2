//! The table of keys. The file, the environment, the flags, the help text, the suggestions and the test of the documentation all read it.

use app::backend::Role;
use domain::fleet::MAX_ENTITIES;
use jiff::tz::TimeZone;

use super::value::{address, sqlite_file};
use super::{Config, Embedded, LogFormat, LogLevel};

/// Longest time before a device is listed as a ghost: ten years.
const MAX_GHOST_AFTER_S: u32 = 315_360_000;

/// One key of the configuration.
pub struct Key {
    /// As the file writes it with points: `http.listen`.
    pub name: &'static str,
    /// The default in words.
    pub default: &'static str,
    /// What it is for, one line.
    pub meaning: &'static str,
    /// What a right value looks like: follows the word "expected".
    pub expected: &'static str,
    /// What the file must hold.
    pub(super) shape: Shape,
    /// Reads a value into the configuration.
    pub(super) set: fn(&mut Config, &str) -> Result<(), Refusal>,
}

/// What the file must hold: environment and flags are text in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Integer,
    Number,
    Bool,
}

/// Why a value is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It cannot be read.
    Invalid,
    /// A later release will take it; says what to do until then.
    NotYet(&'static str),
}

impl Key {
    /// As a variable: `SIGNALBOX_HTTP_LISTEN`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.replace('.', "_").to_uppercase())
    }

    /// As a flag, without the dashes: `http-listen`.
    #[must_use]
    pub fn flag(&self) -> String {
        self.name.replace(['.', '_'], "-")
    }

    /// Whether it is `true` or `false`, so that the flag alone means `true`.
    #[must_use]
    pub fn is_bool(&self) -> bool {
        self.shape == Shape::Bool
    }
}

/// What our environment variables begin with.
pub const VARIABLE_PREFIX: &str = "SIGNALBOX_";

const ADDRESS: &str = "an IP address with a port, such as 127.0.0.1:3000, [::1]:3000 or localhost:3000";
pub(super) const DAYS: &str = "a whole number of days from 1 to 36500";
const PROXY: &str = "put a reverse proxy in front of the server";

/// A hundred years are for good.
pub(super) const DAYS_RANGE: std::ops::RangeInclusive<u32> = 1..=36_500;

/// All keys, in the order of the documentation.
pub const KEYS: &[Key] = &[
    Key {
        name: "http.listen",
        default: "127.0.0.1:3000",
        meaning: "address of the web server; port 0 picks a free one",
        expected: ADDRESS,
        shape: Shape::Text,
        set: |c, text| put(&mut c.http.listen, address(text)),
    },
    Key {
        name: "http.base_path",
        default: "/",
        meaning: "path under which a reverse proxy serves the pages; only / is possible yet",
        expected: "a path that begins with /",
        shape: Shape::Text,
        set: |_, text| match text {
            "/" => Ok(()),
            _ if text.starts_with('/') => Err(Refusal::NotYet("give Signalbox a host name of its own")),
            _ => Err(Refusal::Invalid),
        },
    },
    Key {
        name: "http.tls_cert",
        default: "none",
        meaning: "PEM file of the certificate; not possible yet",
        expected: "a PEM file",
        shape: Shape::Text,
        set: |_, _| Err(Refusal::NotYet(PROXY)),
    },
    Key {
        name: "http.tls_key",
        default: "none",
        meaning: "PEM file of the certificate's key; not possible yet",
        expected: "a PEM file",
        shape: Shape::Text,
        set: |_, _| Err(Refusal::NotYet(PROXY)),
    },
    Key {
        name: "data_dir",
        default: "data",
        meaning: "folder of the database and of the embedded broker's state; made when missing; `data/demo` for the demo",
        expected: "the path of a folder",
        shape: Shape::Text,
        set: |c, text| put(&mut c.data_dir, (!text.is_empty()).then(|| text.into())),
    },
    Key {
        name: "database.url",
        default: "sqlite:<data_dir>/signalbox.db",
        meaning: "where history is kept; only SQLite is possible yet",
        expected: "sqlite: followed by the path of a file",
        shape: Shape::Text,
        set: |c, text| {
            if text.starts_with("postgres://") || text.starts_with("postgresql://") {
                return Err(Refusal::NotYet("use sqlite: followed by the path of a file"));
            }
            put(&mut c.database.path, sqlite_file(text))
        },
    },
    Key {
        name: "broker.embedded",
        default: "auto",
        meaning: "runs a broker inside the server: `auto` (when no `[[mqtt]]` is given), `on`, `off`",
        expected: "auto, on or off",
        shape: Shape::Text,
        set: |c, text| {
            let embedded = match text {
                "auto" => Some(Embedded::Auto),
                "on" => Some(Embedded::On),
                "off" => Some(Embedded::Off),
                _ => None,
            };
            put(&mut c.broker.embedded, embedded)
        },
    },
    Key {
        name: "broker.listen",
        default: "127.0.0.1:1883",
        meaning: "MQTT address of the embedded broker, loopback only yet; port 0 picks a free one",
        expected: ADDRESS,
        shape: Shape::Text,
        set: |c, text| put(&mut c.broker.listen, address(text)),
    },
    Key {
        name: "broker.websocket_listen",
        default: "none",
        meaning: "address for MQTT over WebSocket of the embedded broker (path `/mqtt`), loopback only yet",
        expected: ADDRESS,
        shape: Shape::Text,
        set: |c, text| put(&mut c.broker.websocket_listen, address(text).map(Some)),
    },
    Key {
        name: "discovery.most_unclaimed",
        default: "1000",
        meaning: "most entities on the overview that only a topic has named: those in no `[[area]]`, without `[[entity]]` and `[[rule]]`; the page says how many more there are",
        expected: "a whole number from 0 to 50000",
        shape: Shape::Integer,
        set: |c, text| put(&mut c.discovery.most_unclaimed, text.parse().ok().filter(|&n| n <= MAX_ENTITIES)),
    },
    Key {
        name: "discovery.ghost_after_s",
        default: "604800",
        meaning: "seconds that a device is offline or silent before it is listed as a [ghost](http.md#ghosts): gone, and still announced by what its broker retains",
        expected: "a whole number of seconds from 0 to 315360000 (ten years)",
        shape: Shape::Integer,
        set: |c, text| put(&mut c.discovery.ghost_after_s, text.parse().ok().filter(|&s| s <= MAX_GHOST_AFTER_S)),
    },
    Key {
        name: "auth.anonymous",
        default: "none",
        meaning: "what a visitor without an account may do: `none`, `viewer`, `operator`; `operator` for the demo",
        expected: "none, viewer or operator",
        shape: Shape::Text,
        set: |c, text| {
            let role = match text {
                "none" => Some(None),
                "viewer" => Some(Some(Role::Viewer)),
                "operator" => Some(Some(Role::Operator)),
                _ => None,
            };
            put(&mut c.auth.anonymous, role)
        },
    },
    Key {
        name: "auth.allow_public_anonymous",
        default: "false",
        meaning: "allows visitors without an account on an address that others can reach",
        expected: "true or false",
        shape: Shape::Bool,
        set: |c, text| put(&mut c.auth.allow_public_anonymous, text.parse().ok()),
    },
    Key {
        name: "retention.disk_budget_mb",
        default: "2048",
        meaning: "most megabytes that history takes on disk, its log and all; when they are used up the oldest goes",
        expected: "a whole number of megabytes, at least 1",
        shape: Shape::Integer,
        set: |c, text| put(&mut c.retention.disk_budget_mb, text.parse().ok().filter(|&mb| mb >= 1)),
    },
    Key {
        name: "retention.raw_days",
        default: "none",
        meaning: "days that single readings are kept, then sums of minutes take their place; without it as long as the disk budget allows",
        expected: DAYS,
        shape: Shape::Integer,
        set: |c, text| put(&mut c.retention.class.raw_days, days(text).map(Some)),
    },
    Key {
        name: "retention.rollup_days",
        default: "none",
        meaning: "days that sums of minutes, states and meters are kept, then only sums of hours; without it as long as the disk budget allows",
        expected: DAYS,
        shape: Shape::Integer,
        set: |c, text| put(&mut c.retention.class.rollup_days, days(text).map(Some)),
    },
    Key {
        name: "retention.log_days",
        default: "400",
        meaning: "days that commands, past alarms and the activity log are kept",
        expected: DAYS,
        shape: Shape::Integer,
        set: |c, text| put(&mut c.retention.log_days, days(text)),
    },
    Key {
        name: "log.format",
        default: "text",
        meaning: "form of the log on standard error: `text` or `json`",
        expected: "text or json",
        shape: Shape::Text,
        set: |c, text| {
            let format = match text {
                "text" => Some(LogFormat::Text),
                "json" => Some(LogFormat::Json),
                _ => None,
            };
            put(&mut c.log.format, format)
        },
    },
    Key {
        name: "log.level",
        default: "info",
        meaning: "how much is logged: `error`, `warn`, `info`, `debug`, `trace`",
        expected: "error, warn, info, debug or trace",
        shape: Shape::Text,
        set: |c, text| {
            let level = match text {
                "error" => Some(LogLevel::Error),
                "warn" => Some(LogLevel::Warn),
                "info" => Some(LogLevel::Info),
                "debug" => Some(LogLevel::Debug),
                "trace" => Some(LogLevel::Trace),
                _ => None,
            };
            put(&mut c.log.level, level)
        },
    },
    Key {
        name: "time.zone",
        default: "the system's",
        meaning: "time zone of the pages, by its IANA name",
        expected: "a name of the system's time zone database (package tzdata), such as Europe/Berlin or UTC",
        shape: Shape::Text,
        set: |c, text| put(&mut c.time.zone, TimeZone::get(text).ok().map(Some)),
    },
    Key {
        name: "location.latitude",
        default: "none",
        meaning: "where the plant stands, for schedules by sunrise and sunset: degrees, south of the equator negative; with `location.longitude`",
        expected: "degrees from -90 to 90, such as 52.52",
        shape: Shape::Number,
        set: |c, text| put(&mut c.location.latitude, degrees(text, 90.0).map(Some)),
    },
    Key {
        name: "location.longitude",
        default: "none",
        meaning: "degrees, west of Greenwich negative",
        expected: "degrees from -180 to 180, such as 13.4",
        shape: Shape::Number,
        set: |c, text| put(&mut c.location.longitude, degrees(text, 180.0).map(Some)),
    },
];

fn degrees(text: &str, most: f64) -> Option<f64> {
    text.parse().ok().filter(|degrees: &f64| degrees.abs() <= most)
}

fn days(text: &str) -> Option<u32> {
    text.parse().ok().filter(|days| DAYS_RANGE.contains(days))
}

fn put<T>(place: &mut T, value: Option<T>) -> Result<(), Refusal> {
    *place = value.ok_or(Refusal::Invalid)?;
    Ok(())
}

/// The key that is probably meant by a text that is none: the text is compared with whole keys and with their last parts.
pub(super) fn nearest(text: &str) -> &'static Key {
    best(KEYS.iter(), text, |key| key.name).expect("there are keys")
}

/// The candidate whose name is most like `text`, as a whole or in its last part; the first of equals.
pub(super) fn best<T>(candidates: impl Iterator<Item = T>, text: &str, name: impl Fn(&T) -> &'static str) -> Option<T> {
    let text = text.to_lowercase();
    let likeness = |name: &str| {
        let last = name.rsplit('.').next().unwrap_or(name);
        strsim::jaro_winkler(name, &text).max(strsim::jaro_winkler(last, &text))
    };
    let mut best: Option<(f64, T)> = None;
    for candidate in candidates {
        let like = likeness(name(&candidate));
        if best.as_ref().is_none_or(|(most, _)| like > *most) {
            best = Some((like, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_name_everywhere() {
        let key = KEYS.iter().find(|key| key.name == "retention.disk_budget_mb").unwrap();
        assert_eq!((key.variable().as_str(), key.flag().as_str()), ("SIGNALBOX_RETENTION_DISK_BUDGET_MB", "retention-disk-budget-mb"));
    }

    #[test]
    fn the_table_names_the_true_defaults() {
        for key in KEYS.iter().filter(|key| !matches!(key.default, "none" | "the system's" | "sqlite:<data_dir>/signalbox.db")) {
            let mut config = Config::default();
            (key.set)(&mut config, key.default).unwrap_or_else(|_| panic!("{}", key.name));
            assert_eq!(config, Config::default(), "{}", key.name);
        }
    }

    #[test]
    fn the_nearest_key_is_what_was_meant() {
        for (text, expected) in [
            ("http.listn", "http.listen"),
            ("htpt.listen", "http.listen"),
            ("broker.embeded", "broker.embedded"),
            ("broker.websocket", "broker.websocket_listen"),
            ("datadir", "data_dir"),
            ("timezone", "time.zone"),
            ("loglevel", "log.level"),
            ("LOG.FORMAT", "log.format"),
            ("anonymous", "auth.anonymous"),
            ("disk_budget", "retention.disk_budget_mb"),
        ] {
            assert_eq!(nearest(text).name, expected, "{text}");
        }
    }
}
