//! The log of what was done: who, when, from where, what, and what became of it.

use std::net::IpAddr;

use domain::entity::EntityId;
use domain::time::Timestamp;
use serde::Serialize;
use serde_json::Value as Json;

/// Who does something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// As the log writes it: `anonymous`; empty where nobody did.
    pub name: String,
    /// Where from; `None` where that is not known, and for the program itself.
    pub address: Option<IpAddr>,
}

impl From<&str> for Actor {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), address: None }
    }
}

/// What an entry is about, roughly: what a page of the log is filtered by first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something was asked of a device.
    Control,
    /// An alarm was raised, went, or was acknowledged.
    Alarm,
    /// A device came or went.
    Device,
    /// Readings were filled in, taken out or taken back.
    History,
    /// Names and places.
    Settings,
    /// The server itself and its brokers.
    System,
}

impl Kind {
    /// All of them, in the order shown.
    pub const ALL: [Self; 6] = [Self::Control, Self::Alarm, Self::Device, Self::History, Self::Settings, Self::System];

    /// The word of the API: `control`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Alarm => "alarm",
            Self::Device => "device",
            Self::History => "history",
            Self::Settings => "settings",
            Self::System => "system",
        }
    }

    /// The kind of a word; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The kind of what was done: the word in front of the point says it, and commands have none; what runs
    /// commands, and what is published by hand, is of their kind.
    #[must_use]
    pub fn of(what: &str) -> Self {
        match what.split_once('.') {
            None | Some(("scene" | "schedule", "run" | "missed") | ("message", _)) => Self::Control,
            Some(("alarm", _)) => Self::Alarm,
            Some(("device", "online" | "offline")) => Self::Device,
            Some(("history", _)) => Self::History,
            Some(("server" | "link", _)) => Self::System,
            Some(_) => Self::Settings,
        }
    }
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Activity {
    /// When it was done.
    pub at: Timestamp,
    /// Who did it.
    pub who: Actor,
    /// What, in one word: `history.exclude`, `alarm.raised`, `entity.written`, `link.down`; for a command its action, `turn_on`.
    pub what: String,
    /// Whose it was, where it was of one entity.
    pub entity: Option<EntityId>,
    /// What became of it: `done`, or the state of a command.
    pub outcome: String,
    /// Milliseconds from the deed to its outcome; `None` where nothing is waited for.
    pub after_ms: Option<i64>,
    /// What there is to say besides; an object.
    pub detail: Json,
}

/// The place of an entry in the log: its moment in Unix milliseconds, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Unix milliseconds.
    pub at: i64,
    /// Its number, which tells entries of one moment apart.
    pub id: i64,
}

impl Place {
    /// As addresses write it: `1781273006000.42`.
    #[must_use]
    pub fn to_string_id(self) -> String {
        format!("{}.{}", self.at, self.id)
    }

    /// Reads what [`Place::to_string_id`] wrote; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('.')?;
        Some(Self { at: at.parse().ok()?, id: id.parse().ok()? })
    }
}

/// Which entries are asked for: those that all of it lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Who did it, as the log writes it.
    pub who: Option<String>,
    /// Of which entity.
    pub entity: Option<EntityId>,
    /// What was done.
    pub what: Option<String>,
    /// What became of it; several are alternatives, none is any.
    pub outcomes: Vec<String>,
    /// What it is about.
    pub kind: Option<Kind>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// Of one of these; `None` is any.
    pub entities: Option<Vec<EntityId>>,
    /// Stands in what was done, of whom, by whom or in the detail; upper and lower case of ASCII letters are the same. Empty is anything.
    pub text: String,
    /// Of one of these, if the text stands nowhere: those whose names hold it.
    pub named: Vec<EntityId>,
}

/// A page of the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Newest first.
    pub entries: Vec<(Place, Activity)>,
    /// Where the next page begins; `None` where the log ends. A page may be short of entries and still have a next one: a question reads a bounded
    /// part of the log at once.
    pub next: Option<Place>,
}
