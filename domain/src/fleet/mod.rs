//! The fleet: all devices and entities, and how inputs change them. Pure: feed [`Input`]s, read [`Change`]s.

/// Rules and their alarms.
mod alarms;
/// What operators write.
mod amend;
/// Which topic feeds what.
mod binding;
/// Whether a device's clock can be believed.
mod clock;
/// Commands on their way.
mod commands;
/// Entities that the configuration names.
mod declared;
/// New devices and entities.
mod discovery;
/// Entities that are worked out from others.
mod groups;
/// What a message says, on its way into the fleet.
mod hearing;
/// Which entities are shown.
mod listing;
/// Commands that wait for their devices.
mod queue;
/// What readings do to an entity.
mod readings;
/// Commands that brokers keep.
mod retained;
/// How often an entity is heard.
mod rhythm;
/// One entity with its value.
mod slot;
/// What the server says of itself.
mod trouble;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::alarm::{Alarm, AlarmState};
use crate::change::Change;
use crate::command::{CommandId, CommandReport, QueuedCommand};
use crate::device::{Area, AreaId, Availability, Device, DeviceId};
use crate::entity::{Entity, EntityId};
use crate::input::Input;
use crate::live::{EntityChange, EntityView, LinkState, LinkView};
use crate::reading::Reading;
use crate::rule::Rule;
use crate::time::Timestamp;

use amend::Amended;
use binding::Bindings;
use commands::Pending;
use groups::Groups;
use slot::Slot;

pub use clock::{EARLIEST, MAX_AHEAD_MS, MAX_BEHIND_MS};
pub use commands::{MAX_WAIT_MS, MIN_WAIT_MS, PAUSE_MS, UNLEARNED_WAIT_MS};
pub use declared::Declared;
pub use listing::MOST_UNCLAIMED;
pub use queue::{DEFAULT_EXPIRES_S, MAX_EXPIRES_S, MAX_QUEUED, waits_s};

pub use crate::written::Override;

/// Most entities of one device.
pub const MAX_ENTITIES_PER_DEVICE: usize = 1_000;
/// Most entities in all.
pub const MAX_ENTITIES: usize = 50_000;
/// Most devices: each may have one entity.
pub const MAX_DEVICES: usize = MAX_ENTITIES;

/// What the configuration says about the plant.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Alarm rules.
    pub rules: Vec<Rule>,
    /// Areas in the order shown; others are added as topics name them.
    pub areas: Vec<Area>,
    /// By entity. Wins over what operators write.
    pub overrides: HashMap<EntityId, Override>,
    /// What can be set, by entity.
    pub declared: HashMap<EntityId, Declared>,
    /// What the program itself writes about the devices of its demo: under what operators write.
    pub suggested: HashMap<EntityId, Override>,
    /// Areas of the demo: in front of `areas`, and operators may give them other names.
    pub suggested_areas: Vec<Area>,
    /// Entities shown that nobody has claimed, at most; see [`Fleet::n_unlisted`].
    pub most_unclaimed: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rules: vec![],
            areas: vec![],
            overrides: HashMap::new(),
            declared: HashMap::new(),
            suggested: HashMap::new(),
            suggested_areas: vec![],
            most_unclaimed: MOST_UNCLAIMED,
        }
    }
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
    amended: Amended,
    links: BTreeMap<Arc<str>, LinkView>,
    pending: HashMap<CommandId, Pending>,
    /// What waits for devices that sleep.
    queued: BTreeMap<EntityId, QueuedCommand>,
    /// Broker and topic of commands that a broker keeps.
    retained_commands: BTreeSet<(Arc<str>, Arc<str>)>,
    alarms: BTreeMap<String, Alarm>,
    /// Entities that nobody has claimed and that are shown, and those that are not.
    n_unclaimed: usize,
    n_unlisted: usize,
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
        // In the file an area may have another name than in the demo.
        let suggested = settings.suggested_areas.iter().filter(|area| !settings.areas.iter().any(|known| known.id == area.id));
        let areas = suggested.chain(&settings.areas).cloned().collect();
        let mut fleet = Self { settings, areas, ..Self::default() };
        fleet.make_alarms();
        fleet
    }

    /// Takes up what an earlier run stored. Values come back as `retained` with their own age. Returns the alarms that nothing raises or ends any
    /// more: those whose rules are gone, or watch something else now.
    pub fn restore(&mut self, devices: Vec<Device>, mut entities: Vec<Entity>, last: Vec<Reading>, alarms: Vec<Alarm>) -> Vec<Alarm> {
        for mut device in devices {
            // What a device said about being there may have changed while nobody listened; its retained status will tell.
            if device.availability == Availability::Online {
                device.availability = Availability::Unknown;
            }
            self.bindings.bind_availability(&device);
            let id = device.id.clone();
            self.devices.insert(id.clone(), device);
            self.write_device(&id);
        }
        // As they were found: who was shown before is shown again.
        entities.sort_by_key(|entity| self.devices.get(&entity.device).map(|device| device.first_seen));
        for mut entity in entities {
            // What only an earlier configuration made of it, it is no more; its next message makes it anew.
            if self.declare_entity(&mut entity) {
                self.insert_entity(entity);
            }
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
            Input::QueueCommand { id, entity, action, expires_at } => self.queue_command(id, &entity, &action, expires_at, now, out),
            Input::CancelCommand { id, who } => self.cancel_command(&id, &who, now, out),
            Input::Due => self.release_commands(now, out),
            Input::CommandAccepted { id } => self.command_accepted(&id, now, out),
            Input::CommandFailed { id, reason } => self.command_failed(&id, reason, now, out),
            Input::Amend(amendment) => self.amend(amendment, out),
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
        if state == LinkState::Up {
            self.forget_retained(broker);
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
        self.release_commands(now, out);
        self.expire_commands(now, out);
        self.expire_queued(now, out);
        self.review_retained(now, out);
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

    fn insert_entity(&mut self, mut entity: Entity) -> usize {
        let idx = self.slots.len();
        self.declare_entity(&mut entity);
        self.bindings.bind_entity(&entity, self.devices.get(&entity.device), idx);
        self.by_id.insert(entity.id.clone(), idx);
        self.by_device.entry(entity.device.clone()).or_default().push(idx);
        let of = |written: &HashMap<EntityId, Override>| written.get(&entity.id)?.area.clone();
        if let Some(area) = of(&self.settings.overrides).or_else(|| of(&self.settings.suggested)) {
            self.place_device(&entity.device, &area);
        }
        let written = self.written_about(&entity.id);
        let is_listed = self.give_place(&entity);
        self.slots.push(Slot::new(entity, &written, is_listed));
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
        self.written_area(&slot.entity.id, &slot.entity.device)
            .or_else(|| self.devices.get(&slot.entity.device).and_then(|device| device.area.clone()))
    }

    fn view_of(&self, slot: &Slot) -> EntityView {
        let mut view = EntityView { hidden: !slot.is_shown(), ..EntityView::of(&slot.entity, self.area_of(slot)) };
        let EntityChange { v, t, q, since, .. } = slot.change();
        (view.v, view.t, view.q, view.since) = (v, t, q, since);
        view.link = self.devices.get(&slot.entity.device).map(|device| device.link.clone());
        view.offline_since =
            self.devices.get(&slot.entity.device).filter(|d| d.availability == Availability::Offline).map(|device| device.availability_since);
        view
    }
}

/// Reading the state.
impl Fleet {
    /// What is stored of every entity besides its values, in no order.
    pub fn known_entities(&self) -> impl Iterator<Item = Entity> {
        self.slots.iter().map(Slot::as_found)
    }

    /// An area.
    #[must_use]
    pub fn area(&self, id: &AreaId) -> Option<&Area> {
        self.areas.iter().find(|area| area.id == *id)
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
        let shown = self.slots.iter().filter(|slot| slot.is_shown());
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

    /// A rule by its id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.settings.rules.iter().find(|rule| rule.id == id)
    }

    /// The command on its way to an entity.
    #[must_use]
    pub fn pending(&self, id: &EntityId) -> Option<&CommandReport> {
        self.pending.values().map(|pending| &pending.report).find(|report| report.entity == *id).or_else(|| self.pending_of_group(id))
    }
}
