//! What the page of devices shows, and what its forms say: the list of devices, the topics, publishing.

use domain::device::Area;
use domain::ghost::GhostReason;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::backend::Shell;
use crate::presence::Presence;

/// Which devices are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevicesRequest {
    /// Stands anywhere in a name, an id or the beginning of the topics, whatever the case.
    #[serde(default)]
    pub q: String,
    /// `online`, `stale`, `offline` or `hidden`; empty is all that are not hidden.
    #[serde(default)]
    pub status: String,
    /// An area id; `none` for devices without one, empty for all.
    #[serde(default)]
    pub area: String,
    /// A convention, as shown; empty is all.
    #[serde(default)]
    pub convention: String,
    /// `device`, `status`, `area` or `seen`, with `-` in front for the other way round; empty is `device`.
    #[serde(default)]
    pub sort: String,
    /// Where the page begins; empty is the first.
    #[serde(default)]
    pub cursor: String,
    /// What became of a form without script: the name of an answer.
    #[serde(default)]
    pub done: String,
    /// Ghosts of which is asked what clearing them would come to.
    #[serde(default)]
    pub dry: Vec<String>,
}

/// The list of devices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DevicesPage {
    /// Around it.
    pub shell: Shell,
    /// In the order asked for, at most 50.
    pub rows: Vec<DeviceRow>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
    /// How many devices stand before the first of `rows`.
    pub n_before: usize,
    /// The whole plant.
    pub all: Counts,
    /// What the request lets through, whatever its status.
    pub found: Counts,
    /// All areas, in the order shown.
    pub areas: Vec<Area>,
    /// The conventions that devices speak, by name.
    pub conventions: Vec<String>,
    /// Entities that stay out of the overview because too many came that nobody has claimed.
    pub n_unlisted: usize,
    /// Devices that are gone and still announced.
    #[serde(default)]
    pub ghosts: Ghosts,
    /// What became of the form before.
    #[serde(default)]
    pub told: Option<Told>,
}

/// Devices that are gone and still announced by what their brokers retain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ghosts {
    /// By id, at most 200.
    pub rows: Vec<GhostRow>,
    /// There are more.
    pub is_more: bool,
    /// What clearing those that were asked for would come to.
    pub plan: Option<GhostPlan>,
    /// Why that could not be said.
    pub problem: String,
    /// How the last clearing went, or goes; empty where there was none.
    pub clearing: String,
}

/// A device that is gone and still announced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GhostRow {
    /// Its id.
    pub device: String,
    /// Its name, as far as it is known.
    pub name: String,
    /// The broker.
    pub link: String,
    /// Why it is one.
    pub reason: GhostReason,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Where something of it is retained, at most 20.
    pub topics: Vec<String>,
    /// How many topics these are in all.
    pub n_topics: usize,
}

/// What clearing would come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GhostPlan {
    /// The ghosts that it is of.
    pub devices: Vec<String>,
    /// Retained messages.
    pub n: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Seconds that it takes at least.
    pub takes_s: u64,
    /// The first 200: topic, bytes, and whether the broker replayed it.
    pub topics: Vec<(String, u32, bool)>,
    /// Devices that were named and are no ghosts.
    pub not_ghosts: Vec<String>,
}

/// How many devices there are of each kind. `hidden` ones are in no other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All but the hidden ones.
    pub all: usize,
    /// There.
    pub online: usize,
    /// Late.
    pub stale: usize,
    /// Gone.
    pub offline: usize,
    /// Without a word so far.
    pub unknown: usize,
    /// All of whose entities somebody hid.
    pub hidden: usize,
}

/// A device in the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceRow {
    /// Its id.
    pub id: String,
    /// Shown name.
    pub name: String,
    /// How many entities it has.
    pub n_entities: usize,
    /// Whether it is there.
    pub presence: Presence,
    /// Somebody hid all of its entities.
    pub hidden: bool,
    /// Where it stands, by name.
    pub area: Option<String>,
    /// Which convention it speaks.
    pub convention: String,
    /// When it was heard last.
    pub seen: Option<Timestamp>,
    /// Messages a minute.
    pub per_min: f64,
    /// How well it is connected, as far as it says.
    pub signal: Option<Signal>,
}

/// How well a device is connected, by its own word.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Received signal strength in dBm.
    Rssi(f64),
    /// Link quality, 0 to 255.
    Lqi(f64),
    /// What is left in the battery, per cent.
    Battery(f64),
}

impl Signal {
    /// How many of four bars; `None` for a battery.
    #[must_use]
    pub fn bars(self) -> Option<u8> {
        let count = |value: f64, limits: [f64; 3]| 1 + limits.iter().map(|limit| u8::from(value >= *limit)).sum::<u8>();
        match self {
            Self::Rssi(dbm) => Some(count(dbm, [-95.0, -75.0, -55.0])),
            Self::Lqi(lqi) => Some(count(lqi, [50.0, 100.0, 150.0])),
            Self::Battery(_) => None,
        }
    }
}

/// What the list knows anew of devices that stand on a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DevicesNews {
    /// Those of the devices that are still there.
    pub rows: Vec<DeviceRow>,
    /// The whole plant.
    pub all: Counts,
    /// What the request lets through.
    pub found: Counts,
}

/// What is asked of several devices at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevicesForm {
    /// Device ids, at most 200.
    pub devices: Vec<String>,
    /// `move`, `hide` or `show`.
    pub act: String,
    /// For `move`: an area id, or `-` for where they were found.
    pub area: String,
    /// For `move`: the name of a new area, which wins.
    pub new_area: String,
}

/// What became of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// In words.
    pub words: String,
    /// Something was not done.
    pub failed: bool,
    /// The field that was refused; empty where none was.
    #[serde(default)]
    pub field: String,
    /// What was published, or not: the form shows it again.
    #[serde(default)]
    pub publish: Option<PublishForm>,
}

/// A message that somebody publishes by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishForm {
    /// The topic.
    pub topic: String,
    /// The payload as text.
    pub payload: String,
    /// 0, 1 or 2.
    pub qos: u8,
    /// The broker keeps it for those who come later.
    pub retain: bool,
    /// Which broker; empty is the first by name.
    pub link: String,
}

/// Which part of the topics is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicsRequest {
    /// The topic that is looked at, or, with `/` at its end, the level that is open.
    #[serde(default)]
    pub topic: String,
    /// How topics begin, or an MQTT filter; empty is all.
    #[serde(default)]
    pub filter: String,
    /// What became of a publish without script: the name of an answer.
    #[serde(default)]
    pub done: String,
}

/// Topics: the levels that are open, and the one that is looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopicsPage {
    /// From the top down: what a level's topics begin with, and what is on it.
    pub levels: Vec<(String, Level)>,
    /// The topic that is looked at, for each broker that has it.
    pub details: Vec<TopicDetail>,
    /// Topics that are known.
    pub n_known: usize,
    /// Topics that were forgotten to keep memory bounded.
    pub n_forgotten: u64,
    /// Messages a second.
    pub per_s: f64,
    /// Why the filter is none.
    #[serde(default)]
    pub problem: String,
    /// The brokers, by name.
    pub links: Vec<String>,
    /// The viewer may publish.
    pub may_publish: bool,
    /// What became of the publish before.
    #[serde(default)]
    pub told: Option<Told>,
}

/// One level of the topics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// By name, at most 200.
    pub branches: Vec<Branch>,
    /// There are more.
    pub is_more: bool,
}

/// What stands on a level.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Its own word.
    pub name: String,
    /// The topic up to here.
    pub path: String,
    /// Topics below it.
    pub n_below: usize,
    /// Something was heard on `path` itself.
    pub is_topic: bool,
    /// The last payload in a few characters, or its size.
    pub last: String,
}

/// A topic and its last message on one broker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopicDetail {
    /// Without control and bidi characters.
    pub topic: String,
    /// The broker.
    pub link: String,
    /// When the last message arrived.
    pub at: Timestamp,
    /// 0, 1 or 2.
    pub qos: u8,
    /// Replayed, or kept, by the broker.
    pub retained: bool,
    /// A command is retained on it.
    pub retained_command: bool,
    /// Messages a second over about a minute.
    pub per_s: f64,
    /// Messages since it is known.
    pub n: u64,
    /// True size of the last payload in bytes.
    pub size: usize,
    /// What is shown of it.
    pub payload: Payload,
    /// The entities that read it, at most 50: device, entity, name.
    pub readers: Vec<(String, String, String)>,
    /// What could not be read.
    pub bad: Option<Unread>,
}

/// What is shown of a payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Text, laid out when it is JSON; bytes as hex digits when it is no text.
    pub text: String,
    /// Less than all of it.
    pub is_cut: bool,
    /// As hex digits.
    pub is_hex: bool,
}

/// Messages of a topic that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// How many.
    pub n: u64,
    /// Why the last one could not.
    pub reason: String,
    /// What the last one was.
    pub payload: Payload,
    /// When it arrived.
    pub at: Timestamp,
}
