//! The configuration: built-in defaults, below `signalbox.toml`, below the environment, below flags.
//!
//! One table ([`KEYS`]) drives all four. Whatever is not in it is an error that names the nearest key: a typing error must not
//! silently leave a default in force.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use app::backend::Role;
use domain::convention::plain::TopicPattern;
use domain::device::{Area, AreaId};
use domain::entity::EntityId;
use domain::fleet::{Declared, MOST_UNCLAIMED, Override};
use domain::rule::Rule;
use jiff::tz::TimeZone;

use crate::store::retention::{Class, Retention};

pub use self::block::{BLOCKS, Block, Field, MqttConfig, Protocol, Secret};
pub use self::error::{ConfigError, Origin};
pub use self::key::{KEYS, Key, VARIABLE_PREFIX};

/// Blocks of the file: brokers, topics, rules, areas, entities.
mod block;
/// What is right alone and wrong together.
mod check;
/// What an `[[entity]]` says of something that can be set.
mod declared;
/// Why a configuration is refused.
mod error;
/// The file.
mod file;
/// The table of keys.
mod key;
/// One block of the file.
mod row;
/// Values as text.
mod value;

/// Everything that can be set. Paths are complete: relative ones were taken from the working directory.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The web server.
    pub http: HttpConfig,
    /// Folder of the database and of the embedded broker's state.
    pub data_dir: PathBuf,
    /// Where history is kept.
    pub database: DatabaseConfig,
    /// The embedded broker.
    pub broker: BrokerConfig,
    /// What devices make by themselves.
    pub discovery: DiscoveryConfig,
    /// Who may do what.
    pub auth: AuthConfig,
    /// How long history is kept.
    pub retention: RetentionConfig,
    /// The log.
    pub log: LogConfig,
    /// Times on the pages.
    pub time: TimeConfig,
    /// Where the plant stands.
    pub location: LocationConfig,
    /// Outside brokers: `[[mqtt]]`. Names are unique.
    pub mqtt: Vec<MqttConfig>,
    /// Alarm rules: `[[rule]]`. Ids are unique.
    pub rules: Vec<Rule>,
    /// What topics are about: `[[topic]]`, the first one that a topic matches counts. No two are the same.
    pub patterns: Vec<TopicPattern>,
    /// Areas in the order shown: `[[area]]`. Ids are unique.
    pub areas: Vec<Area>,
    /// What the user knows better of an entity: `[[entity]]`. Ids are unique.
    pub entities: Vec<(EntityId, Override)>,
    /// What can be set by `[[entity]]`.
    pub declared: Vec<(EntityId, Declared)>,
    /// The file that was read.
    pub file: Option<PathBuf>,
}

/// The web server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// Its address.
    pub listen: SocketAddr,
}

/// Where history is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// The file of the database; its folder may be missing.
    pub path: PathBuf,
}

/// The embedded broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerConfig {
    /// Whether it runs; see [`Config::runs_embedded_broker`].
    pub embedded: Embedded,
    /// Its MQTT address.
    pub listen: SocketAddr,
    /// Its address for MQTT over WebSocket.
    pub websocket_listen: Option<SocketAddr>,
}

/// When the embedded broker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Embedded {
    /// When there is no `[[mqtt]]`.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// What devices make by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiscoveryConfig {
    /// Entities on the overview that only a topic has named, at most.
    pub most_unclaimed: usize,
    /// Seconds that a device is offline or silent before it is listed as a ghost.
    pub ghost_after_s: u32,
}

/// Who may do what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthConfig {
    /// What a visitor without an account may do: nothing, [`Role::Viewer`] or [`Role::Operator`].
    pub anonymous: Option<Role>,
    /// Anonymous visitors may come from other machines.
    pub allow_public_anonymous: bool,
}

/// How long history is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionConfig {
    /// Most megabytes on disk.
    pub disk_budget_mb: u64,
    /// Where nothing else is said.
    pub class: Class,
    /// What `[[area]]` says of its entities.
    pub areas: Vec<(AreaId, Class)>,
    /// What `[[entity]]` says.
    pub entities: Vec<(EntityId, Class)>,
    /// Days that commands and what else is logged are kept.
    pub log_days: u32,
}

impl Config {
    /// What the store is to keep.
    #[must_use]
    pub fn retention(&self) -> Retention {
        let RetentionConfig { disk_budget_mb, class, areas, entities, log_days } = &self.retention;
        let placed = |(id, written): &(EntityId, Override)| Some((id.clone(), written.area.clone()?));
        Retention {
            disk_budget_bytes: Some(disk_budget_mb.saturating_mul(1_000_000)),
            class: *class,
            areas: areas.iter().cloned().collect(),
            entities: entities.iter().cloned().collect(),
            placed: self.entities.iter().filter_map(placed).collect(),
            log_days: Some(*log_days),
        }
    }
}

/// The log on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Its form.
    pub format: LogFormat,
    /// How much of it.
    pub level: LogLevel,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: LogLevel::Info }
    }
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How much is logged: each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Something is broken.
    Error,
    /// Something will need attention.
    Warn,
    /// What happens at large.
    Info,
    /// What happens in detail.
    Debug,
    /// Everything.
    Trace,
}

/// Times on the pages.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeConfig {
    /// The zone; `None` is the system's.
    pub zone: Option<TimeZone>,
}

impl TimeConfig {
    /// The zone of the pages.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        self.zone.clone().unwrap_or_else(TimeZone::system)
    }
}

/// Where the plant stands: both or neither.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LocationConfig {
    /// Degrees, -90 to 90, north positive.
    pub latitude: Option<f64>,
    /// Degrees, -180 to 180, east positive.
    pub longitude: Option<f64>,
}

impl Config {
    /// The names of the brokers.
    #[must_use]
    pub fn links(&self) -> Vec<String> {
        let embedded = self.runs_embedded_broker().then(|| EMBEDDED.to_owned());
        embedded.into_iter().chain(self.mqtt.iter().map(|broker| broker.name.clone())).collect()
    }

    /// Whether the embedded broker runs.
    #[must_use]
    pub fn runs_embedded_broker(&self) -> bool {
        match self.broker.embedded {
            Embedded::On => true,
            Embedded::Off => false,
            Embedded::Auto => self.mqtt.is_empty(),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            http: HttpConfig { listen: (Ipv4Addr::LOCALHOST, 3000).into() },
            data_dir: "data".into(),
            database: DatabaseConfig { path: "data/signalbox.db".into() },
            broker: BrokerConfig { embedded: Embedded::Auto, listen: (Ipv4Addr::LOCALHOST, 1883).into(), websocket_listen: None },
            discovery: DiscoveryConfig { most_unclaimed: MOST_UNCLAIMED, ghost_after_s: 7 * 24 * 60 * 60 },
            auth: AuthConfig { anonymous: None, allow_public_anonymous: false },
            retention: RetentionConfig { disk_budget_mb: 2048, class: Class::default(), areas: Vec::new(), entities: Vec::new(), log_days: 400 },
            log: LogConfig::default(),
            time: TimeConfig { zone: None },
            location: LocationConfig::default(),
            mqtt: Vec::new(),
            patterns: Vec::new(),
            rules: Vec::new(),
            areas: Vec::new(),
            entities: Vec::new(),
            declared: Vec::new(),
            file: None,
        }
    }
}

/// What the configuration is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// `signalbox serve` and `signalbox check`.
    #[default]
    Serve,
    /// `signalbox demo`: other defaults, embedded broker, loopback only.
    Demo,
}

/// What the command line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigArgs {
    /// What the configuration is for.
    pub mode: Mode,
    /// `--config`: this file must exist; without it `signalbox.toml` is read when there is one.
    pub file: Option<PathBuf>,
    /// Flags by the name of their key.
    pub flags: Vec<(&'static str, String)>,
}

/// The name of the link to the broker in this process.
pub const EMBEDDED: &str = "embedded";

/// The file that is read without `--config`.
pub const DEFAULT_FILE: &str = "signalbox.toml";

/// The configuration of this command line, environment and working directory. Variables that do not begin with [`VARIABLE_PREFIX`] are
/// nobody's business here.
///
/// # Errors
/// [`ConfigError`]; the first one found.
pub fn load(args: &ConfigArgs, env: impl IntoIterator<Item = (String, String)>, cwd: &Path) -> Result<Config, ConfigError> {
    let mut loading = Loading { config: defaults(args.mode), origins: BTreeMap::new() };
    loading.read_file(args.file.as_deref(), cwd)?;
    loading.read_variables(env)?;
    for (name, value) in &args.flags {
        let key = KEYS.iter().find(|key| key.name == *name).expect("flags are made from the table of keys");
        loading.set(key, value, &format!("\"{value}\""), Origin::Flag(format!("--{}", key.flag())))?;
    }
    let Loading { mut config, origins } = loading;
    if !origins.contains_key("database.url") {
        config.database.path = config.data_dir.join("signalbox.db");
    }
    check::check(&config, args.mode, &origins)?;
    for path in [&mut config.data_dir, &mut config.database.path] {
        *path = cwd.join(&*path);
    }
    for path in config.mqtt.iter_mut().flat_map(MqttConfig::paths_mut) {
        *path = cwd.join(&*path);
    }
    Ok(config)
}

/// The environment of this process as [`load`] takes it. Bytes that are not UTF-8 become U+FFFD, which [`load`] refuses.
pub fn process_environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
}

fn defaults(mode: Mode) -> Config {
    let mut config = Config::default();
    if mode == Mode::Demo {
        // A folder of its own: generated history must never mix with real readings.
        config.data_dir = "data/demo".into();
        config.auth.anonymous = Some(Role::Operator);
        config.broker.embedded = Embedded::On;
    }
    config
}

/// A configuration on its way, with the origin of every key that somebody set.
struct Loading {
    config: Config,
    origins: BTreeMap<&'static str, Origin>,
}

impl Loading {
    fn read_file(&mut self, asked: Option<&Path>, cwd: &Path) -> Result<(), ConfigError> {
        let path = asked.unwrap_or(Path::new(DEFAULT_FILE));
        match std::fs::read_to_string(cwd.join(path)) {
            Ok(text) => {
                self.config.file = Some(path.to_owned());
                file::read(&file::Source { path: path.to_owned(), text: &text }, self)
            }
            Err(e) if asked.is_none() && e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(ConfigError::Unreadable { path: path.to_owned(), source }),
        }
    }

    fn read_variables(&mut self, env: impl IntoIterator<Item = (String, String)>) -> Result<(), ConfigError> {
        // In order, so that of two errors the same one is always told.
        let ours: BTreeMap<String, String> = env.into_iter().filter(|(name, _)| name.starts_with(VARIABLE_PREFIX)).collect();
        for (name, text) in ours {
            let Some(key) = KEYS.iter().find(|key| key.variable() == name) else {
                let key = key::nearest(&name[VARIABLE_PREFIX.len()..].replacen('_', ".", 1));
                return Err(ConfigError::UnknownVariable { name: value::shown(&name), key: key.name, variable: key.variable() });
            };
            if text.contains(char::REPLACEMENT_CHARACTER) {
                let value = value::shown(&format!("\"{text}\""));
                return Err(ConfigError::BadValue { origin: Origin::Variable(name), key: key.name.to_owned(), value, expected: "text in UTF-8" });
            }
            self.set(key, &text, &format!("\"{text}\""), Origin::Variable(name))?;
        }
        Ok(())
    }

    /// Sets a key; `written` is the value as an error repeats it.
    fn set(&mut self, key: &'static Key, text: &str, written: &str, origin: Origin) -> Result<(), ConfigError> {
        match (key.set)(&mut self.config, text) {
            Ok(()) => {
                self.origins.insert(key.name, origin);
                Ok(())
            }
            Err(key::Refusal::Invalid) => {
                Err(ConfigError::BadValue { origin, key: key.name.to_owned(), value: value::shown(written), expected: key.expected })
            }
            Err(key::Refusal::NotYet(instead)) => Err(ConfigError::NotYet { origin, key: key.name.to_owned(), instead }),
        }
    }
}

#[cfg(test)]
mod tests;
