//! The fleet: all devices and entities, and how inputs change them. Pure: feed [`Input`]s, read [`Change`]s.

/// Rules and their alarms.
mod alarms;
/// Which topic feeds what.
mod binding;
/// Whether a device's clock can be believed.
mod clock;
/// Commands on their way.
mod commands;
/// New devices and entities.
mod discovery;
/// Entities that are worked out from others.
mod groups;
/// What a message says, on its way into the fleet.
mod hearing;
/// What readings do to an entity.
mod readings;
/// How often an entity is heard.
mod rhythm;
/// One entity with its value.
mod slot;
/// What the server says of itself.
mod trouble;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::alarm::{Alarm, AlarmState};
use crate::change::Change;
use crate::command::{CommandId, CommandReport};
use crate::device::{Area, AreaId, Availability, Device, DeviceId};
use crate::entity::{Entity, EntityId};
use crate::input::Input;
use crate::live::{EntityChange, EntityView, LinkState, LinkView};
use crate::reading::Reading;
use crate::rule::Rule;
use crate::time::Timestamp;

use binding::Bindings;
use commands::Pending;
use groups::Groups;
use slot::Slot;

pub use clock::{EARLIEST, MAX_AHEAD_MS, MAX_BEHIND_MS};
pub use commands::{MAX_WAIT_MS, MIN_WAIT_MS, UNLEARNED_WAIT_MS};

/// Most entities of one device.
pub const MAX_ENTITIES_PER_DEVICE: usize = 1_000;
/// Most entities in all.
pub const MAX_ENTITIES: usize = 50_000;
/// Most devices: each may have one entity.
pub const MAX_DEVICES: usize = MAX_ENTITIES;

/// What the operator wrote down about an entity: wins over what its topic says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// Shown name.
    pub name: Option<String>,
    /// Where it stands: the area of its device.
    pub area: Option<AreaId>,
    /// Icon name without `i-`.
    pub icon: Option<String>,
    /// Unit as shown.
    pub unit: Option<String>,
    /// Decimals shown, 0 to 3.
    pub precision: Option<u8>,
    /// Whether it is a meter that counts up.
    #[serde(default)]
    pub counter: Option<bool>,
    /// Place in its area, lower first.
    pub order: Option<i32>,
    /// Out of the overview.
    pub hidden: Option<bool>,
    /// The word for `true`.
    pub word_on: Option<String>,
    /// The word for `false`.
    pub word_off: Option<String>,
    /// Seconds without a reading after which it is stale, in place of the learned rhythm; 0 is never.
    #[serde(default)]
    pub stale_after_s: Option<u32>,
}

/// What the configuration says about the plant.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Alarm rules.
    pub rules: Vec<Rule>,
    /// Areas in the order shown; others are added as topics name them.
    pub areas: Vec<Area>,
    /// By entity.
    pub overrides: HashMap<EntityId, Override>,
}

/// All devices and entities. Only the server's ingest changes it.
#[derive(Debug, Default)]
pub struct Fleet {
    settings: Settings,
    devices: HashMap<DeviceId, Device>,
    slots: Vec<Slot>,
    by_id: HashMap<EntityId, usize>,
    by_device: HashMap<DeviceId, Vec<usize>>,
    bindings: Bindings,
    areas: Vec<Area>,
    links: BTreeMap<Arc<str>, LinkView>,
    pending: HashMap<CommandId, Pending>,
    alarms: BTreeMap<String, Alarm>,
    groups: Groups,
    /// Messages so far.
    n_messages: u64,
    /// By how much our clock has been set since the start.
    stepped_ms: i64,
}

impl Fleet {
    /// An empty plant.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let areas = settings.areas.clone();
        let mut fleet = Self { settings, areas, ..Self::default() };
        fleet.make_alarms();
        fleet
    }

    /// Takes up what an earlier run stored. Values come back as `retained` with their own age. Returns the alarms that nothing raises or ends any
    /// more: those whose rules are gone, or watch something else now.
    pub fn restore(&mut self, devices: Vec<Device>, entities: Vec<Entity>, last: Vec<Reading>, alarms: Vec<Alarm>) -> Vec<Alarm> {
        for mut device in devices {
            // What a device said about being there may have changed while nobody listened; its retained status will tell.
            if device.availability == Availability::Online {
                device.availability = Availability::Unknown;
            }
            self.bindings.bind_availability(&device);
            self.devices.insert(device.id.clone(), device);
        }
        for entity in entities {
            self.insert_entity(entity);
        }
        for reading in last {
            if let Some(slot) = self.by_id.get(&reading.entity).and_then(|&idx| self.slots.get_mut(idx)) {
                slot.restore(&reading);
            }
        }
        let mut gone = vec![];
        for alarm in alarms {
            match self.alarms.get_mut(&alarm.id) {
                Some(known) if known.entity == alarm.entity => (known.state, known.since, known.until) = (alarm.state, alarm.since, alarm.until),
                Some(_) => gone.push(alarm),
                None => gone.extend(self.restore_trouble(alarm)),
            }
        }
        gone
    }

    /// What follows from `input` at `now`, appended to `out` in the order it happens.
    pub fn apply(&mut self, input: Input, now: Timestamp, out: &mut Vec<Change>) {
        let from = out.len();
        match input {
            Input::Message(message) => self.message(message, now, out),
            Input::Link { broker, state } => self.link(&broker, state, now, out),
            Input::LinkFigures { broker, error, messages_per_s, dropped } => self.link_figures(&broker, (error, messages_per_s, dropped), out),
            Input::Command { id, entity, action } if self.is_group(&entity) => self.command_group(id, &entity, &action, now, out),
            Input::Command { id, entity, action } => self.command(id, &entity, &action, now, out),
            Input::CommandAccepted { id } => self.command_accepted(&id, now, out),
            Input::CommandFailed { id, reason } => self.command_failed(&id, reason, now, out),
            Input::PutGroup(group) => self.put_group(group, out),
            Input::RemoveGroup { id } => self.remove_group(&id, out),
            Input::AcknowledgeAlarm { alarm } => self.acknowledge(&alarm, out),
            Input::Trouble { id, severity, condition, message } => self.trouble((id, severity), condition, message, now, out),
            Input::ClockSet { by_ms } => self.stepped_ms = self.stepped_ms.saturating_add(by_ms),
            Input::Tick => self.tick(now, out),
        }
        self.follow_groups(from, now, out);
    }

    fn link(&mut self, broker: &Arc<str>, state: LinkState, now: Timestamp, out: &mut Vec<Change>) {
        if self.links.get(broker).is_some_and(|link| link.state == state) {
            return;
        }
        let mut view = LinkView::new(&**broker, state, now);
        if let Some(known) = self.links.get(broker) {
            view.dropped = known.dropped;
        }
        self.links.insert(Arc::clone(broker), view.clone());
        out.push(Change::Link(view));
        // What cannot be heard of is not fresh, and it shows at once.
        for idx in 0..self.slots.len() {
            if self.slots.get(idx).and_then(|slot| self.devices.get(&slot.entity.device)).is_some_and(|device| *device.link == **broker) {
                self.refresh_quality(idx, now, out);
            }
        }
    }

    fn link_figures(&mut self, broker: &Arc<str>, (error, messages_per_s, dropped): (Option<String>, Option<f64>, u64), out: &mut Vec<Change>) {
        let Some(link) = self.links.get_mut(broker) else { return };
        let view = LinkView { error, messages_per_s, dropped, ..link.clone() };
        if *link != view {
            *link = view.clone();
            out.push(Change::Link(view));
        }
    }

    /// Since when the broker of a device is not reached, while it is not.
    fn cut_since(&self, device: &DeviceId) -> Option<Timestamp> {
        let link = self.links.get(self.devices.get(device)?.link.as_str())?;
        (link.state == LinkState::Down).then_some(link.since)
    }

    fn tick(&mut self, now: Timestamp, out: &mut Vec<Change>) {
        self.expire_commands(now, out);
        for idx in 0..self.slots.len() {
            self.refresh_quality(idx, now, out);
        }
    }

    /// Recomputes the quality of an entity and tells when it changed.
    fn refresh_quality(&mut self, idx: usize, now: Timestamp, out: &mut Vec<Change>) {
        let Some(cut) = self.slots.get(idx).map(|slot| self.cut_since(&slot.entity.device)) else { return };
        let Some(slot) = self.slots.get_mut(idx) else { return };
        let offline = self.devices.get(&slot.entity.device).is_some_and(|device| device.availability == Availability::Offline);
        if slot.update_quality(offline, cut, now) {
            out.push(Change::Shown(slot.change()));
        }
    }

    fn insert_entity(&mut self, entity: Entity) -> usize {
        let idx = self.slots.len();
        self.bindings.bind_entity(&entity, self.devices.get(&entity.device), idx);
        self.by_id.insert(entity.id.clone(), idx);
        self.by_device.entry(entity.device.clone()).or_default().push(idx);
        let overrides = self.settings.overrides.get(&entity.id).cloned().unwrap_or_default();
        if let Some(area) = &overrides.area
            && let Some(device) = self.devices.get_mut(&entity.device)
        {
            device.area = Some(area.clone());
        }
        self.slots.push(Slot::new(entity, &overrides));
        if let Some(area) = self.slots.get(idx).and_then(|slot| self.area_of(slot)) {
            self.note_area(&area);
        }
        idx
    }

    fn note_area(&mut self, id: &AreaId) {
        if !self.areas.iter().any(|area| area.id == *id) {
            self.areas.push(Area { id: id.clone(), name: crate::device::name_from(id.as_str()), icon: None });
        }
    }

    fn area_of(&self, slot: &Slot) -> Option<AreaId> {
        let written = self.settings.overrides.get(&slot.entity.id).and_then(|o| o.area.clone());
        written.or_else(|| self.devices.get(&slot.entity.device).and_then(|device| device.area.clone()))
    }

    fn view_of(&self, slot: &Slot) -> EntityView {
        let mut view = EntityView::of(&slot.entity, self.area_of(slot));
        let EntityChange { v, t, q, since, .. } = slot.change();
        (view.v, view.t, view.q, view.since) = (v, t, q, since);
        view.offline_since =
            self.devices.get(&slot.entity.device).filter(|d| d.availability == Availability::Offline).map(|device| device.availability_since);
        view
    }
}

/// Reading the state.
impl Fleet {
    /// What is known of every entity besides its values, in no order.
    pub fn known_entities(&self) -> impl Iterator<Item = &Entity> {
        self.slots.iter().map(|slot| &slot.entity)
    }

    /// An entity with its value.
    #[must_use]
    pub fn entity(&self, id: &EntityId) -> Option<EntityView> {
        match self.by_id.get(id) {
            Some(&idx) => self.slots.get(idx).map(|slot| self.view_of(slot)),
            None => self.group_view(id).cloned(),
        }
    }

    /// By how many milliseconds the clock of an entity's device is wrong, positive when it is ahead; `None` while its times are believed.
    #[must_use]
    pub fn clock_skew_ms(&self, id: &EntityId) -> Option<i64> {
        self.by_id.get(id).and_then(|&idx| self.slots.get(idx)).and_then(|slot| slot.clock.skew_ms())
    }

    /// Why the last message of an entity could not be read, while it is so.
    #[must_use]
    pub fn bad_reason(&self, id: &EntityId) -> Option<&str> {
        self.by_id.get(id).and_then(|&idx| self.slots.get(idx)).and_then(|slot| slot.bad.as_deref())
    }

    /// The entities that a topic feeds, in the order they were found.
    #[must_use]
    pub fn fed_by(&self, link: &str, topic: &str) -> Vec<&EntityId> {
        let idxs = self.bindings.find(link, topic).map(binding::Binding::entities).unwrap_or_default();
        idxs.into_iter().filter_map(|idx| self.slots.get(idx)).map(|slot| &slot.entity.id).collect()
    }

    /// Whether an entity stays out of the overview.
    #[must_use]
    pub fn is_hidden(&self, id: &EntityId) -> bool {
        self.by_id.get(id).and_then(|&idx| self.slots.get(idx)).is_some_and(|slot| slot.entity.hidden)
    }

    /// All entities with their values, ordered by area, then by their place, then by id; in each area its groups first.
    #[must_use]
    pub fn entities(&self) -> Vec<EntityView> {
        let slots = self.slots.iter().map(|slot| (self.place(slot), Ok(slot)));
        let groups = self.group_views().map(|view| (self.place_of_group(view), Err(view)));
        let mut order: Vec<_> = slots.chain(groups).collect();
        order.sort_by(|a, b| a.0.cmp(&b.0));
        order.into_iter().map(|(_, one)| one.map_or_else(Clone::clone, |slot| self.view_of(slot))).collect()
    }

    /// The first entity of the overview, in the order of [`Fleet::entities`].
    #[must_use]
    pub fn first_shown(&self) -> Option<&EntityId> {
        let shown = self.slots.iter().filter(|slot| !slot.entity.hidden);
        shown.map(|slot| self.place(slot)).chain(self.group_views().map(|view| self.place_of_group(view))).min().map(|(.., id)| id)
    }

    /// Where an entity stands among all: the place of its area, its own there, its id.
    fn place<'a>(&self, slot: &'a Slot) -> (usize, i32, &'a EntityId) {
        (self.place_of_area(self.area_of(slot).as_ref()), slot.entity.order, &slot.entity.id)
    }

    fn place_of_group<'a>(&self, view: &'a EntityView) -> (usize, i32, &'a EntityId) {
        (self.place_of_area(view.area.as_ref()), i32::MIN, &view.id)
    }

    fn place_of_area(&self, id: Option<&AreaId>) -> usize {
        id.and_then(|id| self.areas.iter().position(|area| area.id == *id)).unwrap_or(usize::MAX)
    }

    /// A device.
    #[must_use]
    pub fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.devices.get(id)
    }

    /// All devices, by id.
    #[must_use]
    pub fn devices(&self) -> Vec<&Device> {
        let mut devices: Vec<&Device> = self.devices.values().collect();
        devices.sort_by(|a, b| a.id.cmp(&b.id));
        devices
    }

    /// The areas, in the order shown.
    #[must_use]
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// The brokers.
    pub fn links(&self) -> impl Iterator<Item = &LinkView> {
        self.links.values()
    }

    /// An alarm, also a normal one.
    #[must_use]
    pub fn alarm(&self, id: &str) -> Option<&Alarm> {
        self.alarms.get(id)
    }

    /// Alarms that are not normal, most urgent first: by state, then by severity, then newest.
    #[must_use]
    pub fn alarms(&self) -> Vec<Alarm> {
        let mut alarms: Vec<Alarm> = self.alarms.values().filter(|alarm| alarm.state != AlarmState::Normal).cloned().collect();
        alarms.sort_by(|a, b| (a.state, a.severity, b.since).cmp(&(b.state, b.severity, a.since)));
        alarms
    }

    /// The rules that watch an entity.
    pub fn rules_of<'a>(&'a self, id: &'a EntityId) -> impl Iterator<Item = &'a Rule> {
        self.settings.rules.iter().filter(move |rule| rule.entity == *id)
    }

    /// The command on its way to an entity.
    #[must_use]
    pub fn pending(&self, id: &EntityId) -> Option<&CommandReport> {
        self.pending.values().map(|pending| &pending.report).find(|report| report.entity == *id).or_else(|| self.pending_of_group(id))
    }
}
