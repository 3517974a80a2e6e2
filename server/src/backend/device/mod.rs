//! The page of a device: what it shows besides values, and what its forms ask for.

use std::collections::HashSet;

use app::backend::{BackendError, Caller, DevicePage, LastMessage, Role, Tile};
use app::device::{Climate, DeviceMore, DeviceRequest, MOST_AREAS, MOST_CHOICES, MOST_DEEDS, Open};
use domain::convention::speech::Part;
use domain::device::{Device, DeviceId, clean_text};
use domain::entity::{EntityId, EntityKind};
use domain::group::GROUP_DEVICE;
use domain::history::Range;
use domain::time::{DAY_MS, Timestamp};
use domain::value::Value;

use super::pages::tile;
use super::{LiveBackend, plans, require};
use crate::clock::now;
use crate::ingest::State;

/// What is said of its entities besides their values.
mod attributes;
/// What its forms ask for.
mod form;
/// What only the Zigbee bridge of a device can do.
mod zigbee;

impl LiveBackend {
    /// The page of a device.
    ///
    /// # Errors
    /// [`BackendError::NotFound`] names the device, or what the address asks about it.
    pub(super) async fn device_page(
        &self,
        caller: &Caller,
        id: &DeviceId,
        request: &DeviceRequest,
        problem: String,
    ) -> Result<DevicePage, BackendError> {
        require(caller, Role::Viewer)?;
        let now = now();
        let (shell, device, tiles, messages, clock_skew_ms, mut more) = {
            let state = self.state();
            let device = state.fleet.device(id).cloned().or_else(|| plans::device_of_groups(&state.fleet, id));
            let device = device.ok_or_else(|| BackendError::NotFound(format!("device {id}")))?;
            // It may have been made one with another.
            let id = &device.id;
            let views = state.fleet.entities().into_iter().filter(|view| view.device == *id);
            let tiles: Vec<Tile> = views.map(|view| tile(&state, view, now)).collect();
            let messages = state.messages.get(id).into_iter().flatten().cloned().collect();
            // A device has one clock; the entity that shows it most wrong was heard last.
            let skews = tiles.iter().filter_map(|tile| state.fleet.clock_skew_ms(&tile.entity.id));
            let skew = skews.max_by_key(|ms| ms.saturating_abs());
            let more = more(&state, &device, &tiles, request, caller, now);
            (self.shell_of(caller, &state, now), device, tiles, messages, skew, more)
        };
        let ids: Vec<EntityId> = tiles.iter().map(|tile| tile.entity.id.clone()).collect();
        let day = Range { from: now.plus_ms(-DAY_MS), to: now.plus_ms(1) };
        let series = self.chart(&ids, day).await?;
        let is_number = |tile: &Tile| tile.entity.kind.is_sensor();
        let extremes = tiles
            .iter()
            .zip(&series)
            .map(|(tile, series)| {
                let low = series.min.iter().copied().reduce(f64::min);
                let high = series.max.iter().copied().reduce(f64::max);
                low.zip(high).filter(|_| is_number(tile))
            })
            .collect();
        let charts =
            tiles.iter().zip(series).filter(|(tile, series)| is_number(tile) && !series.t.is_empty()).map(|(_, series)| series).take(2).collect();
        more.activity = self.deeds(&device.id, &ids, MOST_DEEDS).await?;
        (more.problem, more.done) = (problem, request.done.clone());
        if !request.why.is_empty() {
            let entity = tiles.iter().map(|tile| &tile.entity.id).find(|id| id.as_str() == request.why);
            let entity = entity.ok_or_else(|| BackendError::NotFound(format!("entity \"{}\"", clean_text(&request.why, 80))))?;
            more.why = Some(self.why_of(entity)?);
        }
        Ok(DevicePage { shell, device, tiles, extremes, charts, messages, clock_skew_ms, more })
    }

    /// The last messages of a device, newest first; `None` where there is no such device.
    pub(super) fn last_messages(&self, id: &DeviceId) -> Option<Vec<LastMessage>> {
        let state = self.state();
        let device = state.fleet.device(id)?;
        Some(state.messages.get(&device.id).into_iter().flatten().cloned().collect())
    }
}

fn more(state: &State, device: &Device, tiles: &[Tile], request: &DeviceRequest, caller: &Caller, now: Timestamp) -> DeviceMore {
    let (fleet, may_act) = (&state.fleet, caller.role >= Role::Operator);
    let topics: HashSet<&str> = tiles.iter().map(|tile| tile.entity.topic.as_str()).collect();
    let per_s: f64 = topics.into_iter().filter_map(|topic| state.topics.get(&device.link, topic)).map(|entry| entry.per_s(now)).sum();
    let rhythms = || tiles.iter().filter_map(|tile| fleet.standing(&tile.entity.id)?.late_after_ms);
    let via = device.about.via.as_ref().map(|via| match fleet.device_known_as(&device.link, via) {
        Some(known) => (known.name.clone(), Some(known.id.clone())),
        None => (via.clone(), None),
    });
    let is_changeable = device.id.as_str() != GROUP_DEVICE;
    let can_open = may_act && is_changeable;
    DeviceMore {
        areas: fleet.areas().iter().take(MOST_AREAS).cloned().collect(),
        is_changeable,
        per_minute: per_s * 60.0,
        stale_after_ms: rhythms().min().zip(rhythms().max()),
        via,
        zigbee: fleet.zigbee(&device.id).map(|known| known.name),
        climates: tiles.iter().filter_map(|tile| climate(state, tile)).collect(),
        guessed: tiles
            .iter()
            .filter(|tile| tile.entity.unit_guessed)
            .filter_map(|tile| Some((tile.entity.id.clone(), tile.entity.unit.clone()?)))
            .collect(),
        attributes: attributes::attributes(fleet, tiles),
        open: can_open.then(|| open(state, device, tiles, request)).flatten(),
        ..DeviceMore::default()
    }
}

/// The form that the address asks for; one that there is not is not open.
fn open(state: &State, device: &Device, tiles: &[Tile], request: &DeviceRequest) -> Option<Open> {
    match request.edit.as_str() {
        "" => None,
        "name" => Some(Open::Name),
        "area" => Some(Open::Area),
        "remove" => Some(Open::Remove),
        "zigbee-name" | "zigbee-remove" | "zigbee-join" if state.fleet.zigbee(&device.id).is_none() => None,
        "zigbee-name" => Some(Open::ZigbeeName),
        "zigbee-remove" => Some(Open::ZigbeeRemove),
        "zigbee-join" => Some(Open::ZigbeeJoin),
        "merge" => {
            let q = clean_text(&request.q, 80);
            let (choices, is_more) = others(state, device, &q.to_lowercase());
            Some(Open::Merge { q, choices, is_more })
        }
        entity => tiles.iter().find(|tile| tile.entity.id.as_str() == entity).map(|tile| {
            let (id, native) = (tile.entity.id.clone(), state.fleet.native_unit(&tile.entity.id));
            let has_numbers = matches!(tile.entity.kind, EntityKind::Sensor | EntityKind::Number | EntityKind::Climate);
            let units = native.as_deref().filter(|_| has_numbers).map(domain::units::alternatives).unwrap_or_default();
            Open::Entity { id, native, units: units.into_iter().map(str::to_owned).collect() }
        }),
    }
}

/// Other devices of the same broker that hold a text, which is in lower case, in order of their names; and whether there are more.
fn others(state: &State, device: &Device, text: &str) -> (Vec<(DeviceId, String, String)>, bool) {
    let holds = |other: &&Device| {
        other.id != device.id
            && other.link == device.link
            && (text.is_empty() || [other.id.as_str(), &other.name, &other.topic_root].iter().any(|of| of.to_lowercase().contains(text)))
    };
    let mut found: Vec<&Device> = state.fleet.devices().into_iter().filter(holds).collect();
    let is_more = found.len() > MOST_CHOICES;
    found.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    (found.into_iter().take(MOST_CHOICES).map(|other| (other.id.clone(), other.name.clone(), other.topic_root.clone())).collect(), is_more)
}

/// What can be asked of an entity, if it is a climate.
fn climate(state: &State, tile: &Tile) -> Option<Climate> {
    let view = &tile.entity;
    if view.kind != EntityKind::Climate || !view.settable {
        return None;
    }
    let (fan, preset) = match &view.v {
        Some(Value::Climate(value)) => (value.fan_mode.clone(), value.preset.clone()),
        _ => (None, None),
    };
    let part = |is: Option<String>, part: Part| match (is, state.fleet.words_of(&view.id, part)) {
        (None, None) => None,
        (is, words) => Some((is.unwrap_or_default(), words.unwrap_or_default())),
    };
    Some(Climate { entity: view.id.clone(), limits: view.limits.clone(), fan_mode: part(fan, Part::FanMode), preset: part(preset, Part::Preset) })
}
