//! Blocks of the file: `[[mqtt]]`, `[[topic]]`, `[[rule]]`, `[[area]]`, `[[entity]]`. Their fields stand in tables too.

use std::fmt;
use std::path::PathBuf;

use domain::alarm::Severity;
use domain::convention::plain::TopicPattern;
use domain::device::{Area, AreaId};
use domain::entity::EntityId;
use domain::fleet::Override;
use domain::rule::{Condition, Rule};
use domain::topic::TopicFilter;
use toml::Spanned;
use toml::de::DeValue;

use super::declared;
use super::file::{Source, integer};
use super::key::{DAYS, DAYS_RANGE};
use super::row::{Row, file, filters, icon, is_plain, name, number, text, whole, yes};
use super::{Config, ConfigError};
use crate::store::retention::Class;

/// A kind of block.
pub struct Block {
    /// As the file writes it, without the brackets: `mqtt`.
    pub name: &'static str,
    /// Its fields; the first one names the block in errors.
    pub fields: &'static [Field],
}

/// A field of a block.
pub struct Field {
    /// As the file writes it.
    pub name: &'static str,
    /// The default in words; `None` must be set.
    pub default: Option<&'static str>,
    /// What a right value looks like: follows the word "expected".
    pub expected: &'static str,
    /// A later release will take it.
    pub(super) not_yet: bool,
}

const fn must(name: &'static str, expected: &'static str) -> Field {
    Field { name, default: None, expected, not_yet: false }
}

const fn may(name: &'static str, default: &'static str, expected: &'static str) -> Field {
    Field { name, default: Some(default), expected, not_yet: false }
}

const fn later(name: &'static str) -> Field {
    Field { name, default: Some("none"), expected: "nothing yet", not_yet: true }
}

const NAME: &str = "a name of at most 80 characters";
const ENTITY: &str = "an entity id such as temp-sensor-001.temperature";
const KIND: &str = "\"light\", \"switch\", \"number\", \"select\", \"text\", \"button\", \"cover\", \"climate\" or \"fan\"";
const TOPIC: &str = "a topic without wildcards, such as pump/speed/set";
const PATTERN: &str = "a topic with names in braces, such as sensors/{device}/{measure} or {site}/{area}/{device}/{measure}";
const AREA: &str = "an area id of a-z, 0-9, _ and -";
const ICON: &str = "the name of an icon: a-z, 0-9 and -";

/// All kinds of blocks.
pub const BLOCKS: &[Block] = &[
    Block {
        name: "mqtt",
        fields: &[
            may("name", "broker", NAME),
            must("url", "a URL such as mqtt://192.168.1.10:1883"),
            may("username", "none", "a text"),
            may("password", "none", "a text"),
            may("client_id", "made by the server", "at most 64 characters of a-z, A-Z, 0-9, _ and -"),
            may("subscribe", "[\"#\"]", "a list of topic filters such as [\"sensors/#\", \"+/+/state\"]"),
            may("qos", "1", "0, 1 or 2"),
            may("protocol", "auto", "\"auto\", \"5\" or \"3.1.1\""),
            may("ca_file", "the system's authorities", "a PEM file"),
            may("cert_file", "none", "a PEM file"),
            may("key_file", "none", "a PEM file"),
        ],
    },
    Block { name: "topic", fields: &[must("pattern", PATTERN)] },
    Block {
        name: "rule",
        fields: &[
            must("id", "an id of a-z, A-Z, 0-9, _, - and ."),
            may("name", "the entity's name", NAME),
            must("entity", ENTITY),
            must("condition", "{ type = \"above\", limit = 30 }, { type = \"below\", limit = 5 } or { type = \"offline\" }"),
            must("severity", "\"critical\", \"warning\" or \"notice\""),
            may("hysteresis", "0", "a finite number that is not negative"),
            may("message", "the condition in words", "a text of at most 200 characters"),
            later("on_delay_s"),
            later("off_delay_s"),
            later("latch"),
            later("channels"),
            later("enabled"),
        ],
    },
    Block {
        name: "area",
        fields: &[
            must("id", AREA),
            may("name", "made from the id", NAME),
            may("icon", "none", ICON),
            may("raw_days", "retention.raw_days", DAYS),
            may("rollup_days", "retention.rollup_days", DAYS),
        ],
    },
    Block {
        name: "entity",
        fields: &[
            must("id", ENTITY),
            may("name", "made from the topic", NAME),
            may("area", "taken from the topic", AREA),
            may("icon", "made from the measure", ICON),
            may("unit", "as the device says it, or made from the measure", "a unit of at most 20 characters"),
            may("native_unit", "as the device says it, or made from the measure", "a unit of at most 20 characters"),
            may("precision", "as it arrives, at most 3", "a number of decimals, 0 to 3"),
            may("counter", "by unit and name", "true or false"),
            may("order", "0", "a whole number, lower first"),
            may("hidden", "false", "true or false"),
            may("word_on", "made from the measure", NAME),
            may("word_off", "made from the measure", NAME),
            may("stale_after_s", "learned from its messages", "a whole number of seconds from 1 to 31,536,000 (a year), or 0 for never"),
            may("raw_days", "its area's", DAYS),
            may("rollup_days", "its area's", DAYS),
            may("kind", "made from the topic", KIND),
            may("command_topic", "made from the topic", TOPIC),
            may("state_topic", "made from the topic", TOPIC),
            may("position_command_topic", "command_topic", TOPIC),
            may("payload_press", "PRESS", "a text of at most 255 characters"),
            may("min", "none", "a finite number"),
            may("max", "none", "a finite number"),
            may("step", "none", "a finite number above 0"),
            may("options", "any word", "a list of at most 100 different words, such as [\"eco\", \"comfort\"]"),
            may("link", "the only broker", "the name of a broker"),
        ],
    },
];

const CONDITION: Block = Block {
    name: "condition",
    fields: &[must("type", "\"above\", \"below\" or \"offline\""), may("limit", "none", "a finite number"), later("after_s")],
};

/// A broker of somebody else: `[[mqtt]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttConfig {
    /// As pages and logs show it; unique.
    pub name: String,
    /// Where it is: read by the link. It may hold a password.
    pub url: Secret,
    /// Who we are.
    pub username: Option<String>,
    /// How we prove it.
    pub password: Option<Secret>,
    /// Our client id; the link makes one when there is none. Safe as a level of a topic.
    pub client_id: Option<String>,
    /// What is subscribed; never empty.
    pub subscribe: Vec<TopicFilter>,
    /// Of the subscriptions: 0, 1 or 2.
    pub qos: u8,
    /// The version of MQTT.
    pub protocol: Protocol,
    /// PEM file of the authorities that are trusted.
    pub ca_file: Option<PathBuf>,
    /// PEM file of our certificate; set together with `key_file`.
    pub cert_file: Option<PathBuf>,
    /// PEM file of its key.
    pub key_file: Option<PathBuf>,
}

impl MqttConfig {
    /// The files that it names.
    pub(super) fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.ca_file, &mut self.cert_file, &mut self.key_file].into_iter().flatten()
    }
}

/// The version of MQTT that is spoken with a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// 5 first, 3.1.1 when the broker does not know it.
    Auto,
    /// 5 only.
    V5,
    /// 3.1.1 only.
    V311,
}

/// A text that logs must not hold.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Reads all blocks of one kind.
pub(super) fn read(source: &Source<'_>, block: &'static Block, value: &Spanned<DeValue<'_>>, config: &mut Config) -> Result<(), ConfigError> {
    let not_blocks = || ConfigError::Syntax {
        origin: source.origin(&value.span()),
        reason: format!("{0} is a kind of block, write [[{0}]] in front of each", block.name),
    };
    for item in value.get_ref().as_array().ok_or_else(not_blocks)? {
        let row = Row::new(source, block, item).ok_or_else(not_blocks)?;
        row.check_names()?;
        match block.name {
            "mqtt" => add(&mut config.mqtt, &row, mqtt, |broker| &broker.name)?,
            "topic" => add(&mut config.patterns, &row, pattern, TopicPattern::as_str)?,
            "rule" => add(&mut config.rules, &row, rule, |rule| &rule.id)?,
            "area" => {
                add(&mut config.areas, &row, area, |area| area.id.as_str())?;
                let class = class(&row)?;
                config.retention.areas.extend(config.areas.last().map(|area| (area.id.clone(), class)).filter(is_said));
            }
            _ => {
                add(&mut config.entities, &row, entity, |(id, _)| id.as_str())?;
                let declared = declared::read(&row)?;
                config.declared.extend(config.entities.last().map(|(id, _)| id.clone()).zip(declared));
                let class = class(&row)?;
                config.retention.entities.extend(config.entities.last().map(|(id, _)| (id.clone(), class)).filter(is_said));
            }
        }
    }
    Ok(())
}

/// Reads one block and adds it, unless there is one with its id.
fn add<T>(all: &mut Vec<T>, row: &Row<'_>, read: fn(&Row<'_>) -> Result<T, ConfigError>, id: fn(&T) -> &str) -> Result<(), ConfigError> {
    let one = read(row)?;
    if all.iter().any(|other| id(other) == id(&one)) {
        return Err(ConfigError::Duplicate { origin: row.source.origin(&row.span), block: format!("[[{}]] \"{}\"", row.block.name, id(&one)) });
    }
    all.push(one);
    Ok(())
}

fn mqtt(row: &Row<'_>) -> Result<MqttConfig, ConfigError> {
    let broker = MqttConfig {
        name: row.get("name", name)?.unwrap_or_else(|| "broker".to_owned()),
        url: row.need("url", |v| text(v).filter(|url| !url.trim().is_empty()).map(Secret))?,
        username: row.get("username", text)?,
        password: row.get("password", |v| text(v).map(Secret))?,
        client_id: row.get("client_id", |v| text(v).filter(|id| is_plain(id, 64, "_-")))?,
        subscribe: row.get("subscribe", filters)?.unwrap_or_else(|| vec![TopicFilter::parse("#").expect("# is a filter")]),
        qos: row.get("qos", |v| whole(v, 0, 2))?.unwrap_or(1),
        protocol: row.get("protocol", protocol)?.unwrap_or(Protocol::Auto),
        ca_file: row.get("ca_file", file)?,
        cert_file: row.get("cert_file", file)?,
        key_file: row.get("key_file", file)?,
    };
    let is_encrypted = ["mqtts://", "wss://"].iter().any(|scheme| broker.url.expose().starts_with(scheme));
    match (&broker.ca_file, &broker.cert_file, &broker.key_file) {
        (None, None, None) => Ok(broker),
        // They would mean nothing, and whoever set them believes the connection to be encrypted.
        _ if !is_encrypted => Err(ConfigError::Conflict(format!("{}: ca_file, cert_file and key_file need a url mqtts:// or wss://", row.place()))),
        (_, Some(_), None) => Err(row.missing("key_file")),
        (_, None, Some(_)) => Err(row.missing("cert_file")),
        _ => Ok(broker),
    }
}

fn pattern(row: &Row<'_>) -> Result<TopicPattern, ConfigError> {
    let written = row.need("pattern", text)?;
    TopicPattern::parse(&written).map_err(|error| ConfigError::Conflict(format!("{}: {error}", row.place())))
}

fn rule(row: &Row<'_>) -> Result<Rule, ConfigError> {
    Ok(Rule {
        id: row.need("id", |v| text(v).filter(|id| is_plain(id, 80, "_-.")))?,
        name: row.get("name", name)?.unwrap_or_default(),
        entity: row.need("entity", |v| EntityId::parse(v.as_str()?).ok())?,
        condition: condition(row)?,
        severity: row.need("severity", |v| match v.as_str()? {
            "critical" => Some(Severity::Critical),
            "warning" => Some(Severity::Warning),
            "notice" => Some(Severity::Notice),
            _ => None,
        })?,
        hysteresis: row.get("hysteresis", |v| number(v).filter(|&n| n >= 0.0))?.unwrap_or(0.0),
        message: row.get("message", |v| text(v).filter(|m| domain::device::clean_text(m, 200) == *m))?.unwrap_or_default(),
    })
}

fn condition(row: &Row<'_>) -> Result<Condition, ConfigError> {
    let value = row.table.get("condition").ok_or_else(|| row.missing("condition"))?;
    let inner = Row::new(row.source, &CONDITION, value).ok_or_else(|| row.bad("condition", value))?;
    let inner = Row { label: format!("the condition of {}", row.label), ..inner };
    if inner.table.get("type").is_some_and(|kind| kind.get_ref().as_str() == Some("stale")) {
        let key = format!("type = \"stale\" of {}", inner.label);
        return Err(ConfigError::NotYet { origin: row.source.origin(&inner.span), key, instead: "use above, below or offline" });
    }
    inner.check_names()?;
    let limit = || inner.need("limit", number);
    match inner.need("type", |v| text(v).filter(|kind| matches!(kind.as_str(), "above" | "below" | "offline")))?.as_str() {
        "above" => Ok(Condition::Above { limit: limit()? }),
        "below" => Ok(Condition::Below { limit: limit()? }),
        _ => match inner.table.get("limit") {
            None => Ok(Condition::Offline {}),
            Some(_) => Err(row.bad("condition", value)),
        },
    }
}

fn area(row: &Row<'_>) -> Result<Area, ConfigError> {
    let id = row.need("id", |v| AreaId::parse(v.as_str()?).ok())?;
    let name = row.get("name", name)?.unwrap_or_else(|| domain::device::name_from(id.as_str()));
    Ok(Area { id, name, icon: row.get("icon", icon)? })
}

fn entity(row: &Row<'_>) -> Result<(EntityId, Override), ConfigError> {
    let id = row.need("id", |v| EntityId::parse(v.as_str()?).ok())?;
    let written = Override {
        name: row.get("name", name)?,
        area: row.get("area", |v| AreaId::parse(v.as_str()?).ok())?,
        icon: row.get("icon", icon)?,
        unit: row.get("unit", unit)?,
        native_unit: row.get("native_unit", unit)?,
        precision: row.get("precision", |v| whole(v, 0, 3))?,
        counter: row.get("counter", yes)?,
        order: row.get("order", |v| whole(v, i32::MIN.into(), i32::MAX.into()))?,
        hidden: row.get("hidden", yes)?,
        word_on: row.get("word_on", name)?,
        word_off: row.get("word_off", name)?,
        stale_after_s: row.get("stale_after_s", |v| whole(v, 0, 31_536_000))?,
    };
    Ok((id, written))
}

fn unit(value: &DeValue<'_>) -> Option<String> {
    text(value).filter(|unit| domain::device::clean_text(unit, 20) == *unit)
}

/// How long history is kept.
fn class(row: &Row<'_>) -> Result<Class, ConfigError> {
    let days = |value: &DeValue<'_>| whole(value, (*DAYS_RANGE.start()).into(), (*DAYS_RANGE.end()).into());
    let class = Class { raw_days: row.get("raw_days", days)?, rollup_days: row.get("rollup_days", days)? };
    match class.contradiction() {
        Some(words) => Err(ConfigError::Conflict(format!("{}: {words}", row.place()))),
        None => Ok(class),
    }
}

fn is_said<T>((_, class): &(T, Class)) -> bool {
    *class != Class::default()
}

fn protocol(value: &DeValue<'_>) -> Option<Protocol> {
    match (value.as_str(), value.as_integer().and_then(integer)) {
        (Some("auto"), _) => Some(Protocol::Auto),
        (Some("5"), _) | (_, Some(5)) => Some(Protocol::V5),
        (Some("3.1.1"), _) => Some(Protocol::V311),
        _ => None,
    }
}
