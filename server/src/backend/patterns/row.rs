//! What stands in a row of a preview: what a topic would be, and what it is.

use domain::convention::plain::{Role, TopicPattern};
use domain::device::{AreaId, DeviceId, clean_text};
use domain::entity::EntityId;
use domain::topic::MAX_TOPIC_BYTES;
use serde::Serialize;
use utoipa::ToSchema;

use crate::backend::topics::payload::brief;
use crate::ingest::State;
use crate::topics::Key;

/// Longest text of what could not be read, in characters.
const MOST_CHARS: usize = 200;

/// A topic that a pattern matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TriedTopic {
    /// Without control and bidi characters.
    pub topic: String,
    /// The broker.
    pub link: String,
    /// The pattern that takes it: the first that it matches.
    pub pattern: String,
    /// The other patterns that it matches, which do not count for it.
    pub also: Vec<String>,
    /// What it says: `readings`, `state`, `command`, `presence`, or `nothing`.
    pub role: &'static str,
    /// The device that it is about.
    pub device: Option<DeviceId>,
    /// What it measures, in its own words; `null` where the payload says it.
    pub measure: Option<String>,
    /// The area that it names.
    pub area: Option<AreaId>,
    /// The last payload in a few characters, or its size.
    pub last: String,
    /// The entities that it would feed with its last payload, at most 20.
    pub entities: Vec<EntityId>,
    /// Why the last payload would make none.
    pub reason: Option<String>,
    /// The entities that it feeds now, at most 20.
    pub now: Vec<EntityId>,
    /// Why it stays what it is: `same`, `convention`, `written` or `presence`; `null` where it would be something else.
    pub stays: Option<&'static str>,
}

/// The row of a topic; `None` when it was forgotten since it was found.
pub(super) fn row(state: &State, patterns: &[TopicPattern], (topic, link): &Key) -> Option<TriedTopic> {
    let entry = state.topics.get(link, topic)?;
    let (payload, size) = (entry.payload(), entry.size() as usize);
    let forecast = state.fleet.forecast(patterns, (link, topic), payload, payload.len() < size)?;
    let mut taking = patterns.iter().filter(|pattern| pattern.takes(topic)).map(ToString::to_string);
    let pattern = taking.next()?;
    let measure = match &forecast.role {
        Role::Readings { measure, .. } if !measure.is_empty() => Some(clean_text(measure, MOST_CHARS)),
        _ => None,
    };
    let role = match &forecast.role {
        Role::Readings { .. } => "readings",
        Role::State { .. } => "state",
        Role::Command { .. } => "command",
        Role::Availability { .. } => "presence",
        Role::Nothing => "nothing",
    };
    Some(TriedTopic {
        topic: clean_text(topic, MAX_TOPIC_BYTES),
        link: link.to_string(),
        pattern,
        also: taking.collect(),
        role,
        device: forecast.device,
        measure,
        area: forecast.area,
        last: brief(payload, size),
        entities: forecast.entities,
        reason: forecast.reason.map(|reason| clean_text(&reason, MOST_CHARS)),
        now: forecast.now,
        stays: forecast.stays.map(domain::fleet::Stays::as_str),
    })
}
