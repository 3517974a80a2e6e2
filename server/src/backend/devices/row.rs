//! How a device stands, and what its row says.

use std::collections::HashSet;

use app::devices::{DeviceRow, Signal};
use app::presence::Presence;
use domain::device::{Device, DeviceId};
use domain::entity::EntityId;
use domain::live::EntityView;
use domain::quality::Quality;
use domain::time::Timestamp;
use domain::value::Value;

use crate::ingest::State;

/// How a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub presence: Presence,
    /// Somebody hid all of its entities.
    pub hidden: bool,
}

/// How a device with these entities stands.
pub(super) fn standing(state: &State, device: &Device, entities: &[EntityId]) -> Standing {
    let views: Vec<(Quality, bool)> = entities
        .iter()
        .filter_map(|id| state.fleet.entity(id))
        // Those for which there is no room on the overview are not hidden by anybody.
        .map(|view| (view.q, view.hidden && state.fleet.is_listed(&view.id)))
        .collect();
    let qualities: Vec<Quality> = views.iter().map(|(q, _)| *q).collect();
    let hidden = !views.is_empty() && views.iter().all(|(_, hidden)| *hidden);
    Standing { presence: Presence::of(device.availability, &qualities), hidden }
}

/// The row of a device; `None` when there is no such device.
pub(super) fn row(state: &State, id: &DeviceId, now: Timestamp) -> Option<DeviceRow> {
    let device = state.fleet.device(id)?;
    let entities = state.roster.entities(id);
    let Standing { presence, hidden } = standing(state, device, entities);
    let views: Vec<EntityView> = entities.iter().filter_map(|id| state.fleet.entity(id)).collect();
    let topics: HashSet<&str> = views.iter().map(|view| view.topic.as_str()).collect();
    let per_s: f64 = topics.into_iter().filter_map(|topic| state.topics.get(&device.link, topic)).map(|entry| entry.per_s(now)).sum();
    Some(DeviceRow {
        id: device.id.to_string(),
        name: device.name.clone(),
        n_entities: views.len(),
        presence,
        hidden,
        area: device.area.as_ref().map(|id| state.fleet.area(id).map_or_else(|| id.to_string(), |area| area.name.clone())),
        convention: device.convention.clone(),
        seen: device.last_seen,
        per_min: (per_s * 600.0).round() / 10.0,
        signal: signal(&views),
    })
}

/// How well a device is connected, by what its own entities say: signal strength before link quality before what is left in the battery.
fn signal(views: &[EntityView]) -> Option<Signal> {
    let numbers = views.iter().filter_map(|view| match view.v {
        Some(Value::Number(n)) if n.is_finite() => Some((view, n)),
        _ => None,
    });
    let named = |view: &EntityView, words: &[&str]| words.iter().any(|word| view.id.key() == *word || view.id.key().ends_with(&format!("_{word}")));
    let read = |(view, n): (&EntityView, f64)| {
        if named(view, &["rssi", "signal", "signal_strength"]) && (-150.0..0.0).contains(&n) {
            Some((0, Signal::Rssi(n)))
        } else if named(view, &["linkquality", "lqi"]) && (0.0..=255.0).contains(&n) {
            Some((1, Signal::Lqi(n)))
        } else if named(view, &["battery", "battery_level"]) && view.unit.as_deref() == Some("%") && (0.0..=100.0).contains(&n) {
            Some((2, Signal::Battery(n)))
        } else {
            None
        }
    };
    numbers.filter_map(read).min_by_key(|(rank, _)| *rank).map(|(_, signal)| signal)
}
