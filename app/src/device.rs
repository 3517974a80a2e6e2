//! What the page of a device is asked for and shows besides its values, and what its forms ask for.

use domain::control::Limits;
use domain::device::{Area, DeviceId};
use domain::entity::EntityId;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::backend::ActivityRow;

/// What the page of a device is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRequest {
    /// `temp-sensor-001`.
    pub id: String,
    /// Which form stands open: `name`, `area`, `merge`, `remove`, `zigbee-name`, `zigbee-remove`, `zigbee-join`, or an entity id; empty is none.
    #[serde(default)]
    pub edit: String,
    /// Which devices the form `merge` offers: those that hold the text in name, id or topics. Empty is any.
    #[serde(default)]
    pub q: String,
    /// The entity of which is asked why there is no data; empty is none.
    #[serde(default)]
    pub why: String,
    /// What the last form was refused for, as Leptos writes it into the address.
    #[serde(default)]
    pub err: String,
    /// What the last form did: a word of [`done_words`].
    #[serde(default)]
    pub done: String,
}

/// What the page of a device shows besides its values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceMore {
    /// The areas that it can stand in, at most [`MOST_AREAS`].
    pub areas: Vec<Area>,
    /// Whether it can be named, moved, removed: not what stands for the groups.
    pub is_changeable: bool,
    /// Messages a minute on the topics that it reads, over about the last minute.
    pub per_minute: f64,
    /// The least and the most milliseconds that its entities may be silent; `None` where none has a rhythm.
    pub stale_after_ms: Option<(i64, i64)>,
    /// The device that it is reached through: its name, and its id where it is known.
    pub via: Option<(String, Option<DeviceId>)>,
    /// What its Zigbee bridge calls it; `None` for one that is behind none.
    pub zigbee: Option<String>,
    /// What was done to it and by it, newest first, at most [`MOST_DEEDS`].
    pub activity: Vec<ActivityRow>,
    /// What can be asked of its climates.
    pub climates: Vec<Climate>,
    /// Entities whose unit was read out of the text of a message, and that unit: nobody wrote it.
    #[serde(default)]
    pub guessed: Vec<(EntityId, String)>,
    /// What is said of its entities besides their values.
    #[serde(default)]
    pub attributes: Vec<Attributes>,
    /// The form that stands open.
    pub open: Option<Open>,
    /// Why there is no data of the entity asked about.
    pub why: Option<Why>,
    /// What the form before was refused for, a sentence; empty for none.
    pub problem: String,
    /// What the form before did, a word of [`done_words`]; empty for none.
    pub done: String,
}

/// What is said of some entities besides their values, in one message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Names of the entities.
    pub entities: Vec<String>,
    /// Names and values, at most [`MOST_ATTRIBUTES`].
    pub rows: Vec<(String, String)>,
    /// How many there are besides.
    pub n_more: usize,
    /// When it was said; `None` where the broker had kept it.
    pub at: Option<Timestamp>,
    /// Why the message could not be read; empty where it could.
    pub problem: String,
}

/// Attributes that the page shows of one message at most.
pub const MOST_ATTRIBUTES: usize = 60;
/// Entries of the log that the page shows at most.
pub const MOST_DEEDS: usize = 4;
/// Areas that the menu offers at most.
pub const MOST_AREAS: usize = 100;
/// Devices that the form `merge` offers at most.
pub const MOST_CHOICES: usize = 50;

/// A form that stands open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Open {
    /// The name of the device.
    Name,
    /// A new area.
    Area,
    /// Name, unit and decimals of an entity.
    Entity {
        /// Which.
        id: EntityId,
        /// The unit that its device speaks in.
        native: Option<String>,
        /// The units that this one converts into, itself among them; none where there is no other.
        units: Vec<String>,
    },
    /// The question whether it is to be removed.
    Remove,
    /// What its Zigbee bridge calls it.
    ZigbeeName,
    /// The question whether its network is to lose it.
    ZigbeeRemove,
    /// For how long its network takes in new devices.
    ZigbeeJoin,
    /// Which other device it is.
    Merge {
        /// What the choices hold.
        q: String,
        /// Devices of the same broker: id, name, beginning of their topics.
        choices: Vec<(DeviceId, String, String)>,
        /// There are more.
        is_more: bool,
    },
}

/// What can be asked of a climate. Mode and temperature are live values; the rest is as it was when the page was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Climate {
    /// Which.
    pub entity: EntityId,
    /// Range and step of the temperature, and the modes.
    pub limits: Limits,
    /// Of the fan: what it is and what it can be; `None` where it has none. Without words any may be asked for.
    pub fan_mode: Option<(String, Vec<String>)>,
    /// The same of the preset.
    pub preset: Option<(String, Vec<String>)>,
}

/// Why there is no data of an entity: the way of a message, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// Which entity.
    pub entity: EntityId,
    /// Its name.
    pub name: String,
    /// In the order that a message takes.
    pub steps: Vec<Step>,
    /// The first step that fails, in a sentence; or that nothing does.
    pub verdict: String,
}

impl Why {
    /// The first step that fails.
    #[must_use]
    pub fn failing(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.ok == Some(false))
    }
}

/// One step on the way of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// `link`, `rights`, `subscription`, `message`, `parse`, `time` or `shown`.
    pub step: String,
    /// Whether it is passed; `None` where nobody can know, because one before is not.
    pub ok: Option<bool>,
    /// The evidence, and what to do.
    pub detail: String,
}

/// What a form of the page asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceForm {
    /// Names the device; an empty name is the one that it was found with.
    Name(String),
    /// Moves it: into an area by id, `-` for where it was found, or into a new one by name, which wins.
    Place {
        /// An area id, or `-`.
        area: String,
        /// The name of a new area.
        new_area: String,
    },
    /// Hides or shows all its entities.
    Hide(bool),
    /// Removes it; only with `true`.
    Remove(bool),
    /// Makes it one with another, which stays.
    Merge(String),
    /// Writes about one of its entities. What is empty is as it was found.
    Entity {
        /// Its id.
        entity: String,
        /// Shown name.
        name: String,
        /// Unit.
        unit: String,
        /// Decimals, 0 to 3.
        precision: String,
    },
    /// Hides or shows one of its entities.
    HideEntity(String, bool),
    /// Lets its Zigbee bridge call it something else, by which its topics change.
    ZigbeeName(String),
    /// Takes it out of its Zigbee network.
    ZigbeeRemove {
        /// Only with `true`.
        sure: bool,
        /// The bridge forgets it also where it does not answer.
        force: bool,
    },
    /// Lets its Zigbee network take in new devices for so many seconds, 0 to 254.
    ZigbeeJoin(String),
}

/// What a form did, in words; `None` for a word that no form leaves.
#[must_use]
pub fn done_words(done: &str) -> Option<&'static str> {
    Some(match done {
        "name" => "The name is changed.",
        "area" => "The device is moved.",
        "hidden" => "Hidden: it stays out of the overview and keeps its history.",
        "shown" => "Shown on the overview again.",
        "merged" => "The two devices are one now.",
        "zigbee-name" => "The Zigbee bridge calls it by its new name.",
        "zigbee-open" => "The Zigbee network takes in new devices now. Those that join appear among the devices.",
        "zigbee-closed" => "The Zigbee network takes in no new devices.",
        "entity" => "The change is written.",
        "entity-hidden" => "The entity is hidden: it stays out of the overview and keeps its history.",
        "entity-shown" => "The entity is shown on the overview.",
        _ => return None,
    })
}
