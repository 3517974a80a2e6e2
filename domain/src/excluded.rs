//! Readings that somebody took out of history.

use serde::{Deserialize, Serialize};

use crate::entity::EntityId;
use crate::time::Timestamp;
use crate::value::Value;

/// A reading that is part of no chart, no figure and no table. It is kept beside history, and can be taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Excluded {
    /// Whose.
    pub entity: EntityId,
    /// When it was taken.
    pub t: Timestamp,
    /// What it said.
    #[cfg_attr(feature = "schema", schema(value_type = crate::value::Said))]
    pub v: Value,
    /// Who took it out.
    pub who: String,
    /// When it was taken out.
    pub at: Timestamp,
}
