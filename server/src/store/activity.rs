//! The log of what was done: who, when, from where, what, and what became of it.

use std::net::IpAddr;

use domain::entity::EntityId;
use domain::time::Timestamp;
use serde_json::Value as Json;

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// As the log writes it: `anonymous`.
    pub name: String,
    /// Where from; `None` where that is not known, and for the program itself.
    pub address: Option<IpAddr>,
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Activity {
    /// When it was done.
    pub at: Timestamp,
    /// Who did it.
    pub who: Actor,
    /// What, in one word: `history.exclude`, `history.include`, `history.fill`, `history.import`; for a command its action, `turn_on`.
    pub what: String,
    /// Whose it was, where it was of one entity.
    pub entity: Option<EntityId>,
    /// What became of it: `done`, or the state of a command.
    pub outcome: String,
    /// What there is to say besides; an object.
    pub detail: Json,
}

/// The place of an entry in the log: its moment in Unix milliseconds, and its name among those of that moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Unix milliseconds.
    pub at: i64,
    /// Its name.
    pub id: String,
}
