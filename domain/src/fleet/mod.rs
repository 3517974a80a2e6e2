//! The fleet: all devices and entities, and how inputs change them. Pure: feed [`Input`]s, read [`Change`]s.

/// Rules and their alarms.
mod alarms;
/// What operators write.
mod amend;
/// What is said of entities besides their values.
mod attributes;
/// Which topic feeds what.
mod binding;
/// Whether a device's clock can be believed.
mod clock;
/// Commands on their way.
mod commands;
/// Entities that the configuration names.
mod declared;
/// Devices that operators removed, or made one with others.
mod departed;
/// New devices and entities of topics without a convention.
mod discovery;
/// What two conventions say of one thing.
mod doubles;
/// What conventions find.
mod findings;
/// What topics would be by other patterns.
mod forecast;
/// Devices that are gone and still announced.
mod ghosts;
/// Entities that are worked out from others.
mod groups;
/// What a message says, on its way into the fleet.
mod hearing;
/// What brokers keep.
mod kept;
/// Which entities are shown.
mod listing;
/// What topics are about, as the operator writes it.
mod patterns;
/// Commands that wait for their devices.
mod queue;
/// What readings do to an entity.
mod readings;
/// Devices and entities that are there no more.
mod removal;
/// Commands that brokers keep.
mod retained;
/// How often an entity is heard.
mod rhythm;
/// Values and commands in the unit that is shown.
mod shown_unit;
/// One entity with its value.
mod slot;
/// Entities that conventions describe.
mod spoken;
/// How an entity stands.
mod standing;
/// What the server says of itself.
mod trouble;
/// What was said before anybody knew what it is about.
mod unclaimed;
/// What there is to see.
mod views;
/// Devices behind a Zigbee bridge.
mod zigbee;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::alarm::Alarm;
use crate::change::Change;
use crate::command::{CommandId, QueuedCommand};
use crate::convention::Speakers;
use crate::convention::plain::TopicPattern;
use crate::convention::template::Templates;
use crate::device::{Area, AreaId, Availability, Device, DeviceId};
use crate::entity::{Entity, EntityId};
use crate::input::Input;
use crate::live::{LinkState, LinkView};
use crate::reading::Reading;
use crate::rule::Rule;
use crate::time::Timestamp;

use amend::Amended;
use binding::Bindings;
use commands::Pending;
use departed::Departed;
use groups::Groups;
use slot::Slot;
use unclaimed::Unclaimed;

pub use attributes::Attributes;
pub use clock::{EARLIEST, MAX_AHEAD_MS, MAX_BEHIND_MS};
pub use commands::{MAX_WAIT_MS, MIN_WAIT_MS, PAUSE_MS, SOURCE, UNLEARNED_WAIT_MS};
pub use declared::Declared;
pub use forecast::{Forecast, Stays};
pub use ghosts::GHOST_AFTER_MS;
pub use listing::MOST_UNCLAIMED;
pub use queue::{DEFAULT_EXPIRES_S, MAX_EXPIRES_S, MAX_QUEUED, waits_s};
pub use shown_unit::show_value;
pub use standing::Standing;
pub use zigbee::ZigbeeDevice;

pub use crate::written::Override;

/// Most entities of one device.
pub const MAX_ENTITIES_PER_DEVICE: usize = 1_000;
/// Most entities in all.
pub const MAX_ENTITIES: usize = 50_000;
/// Most devices: each may have one entity.
pub const MAX_DEVICES: usize = MAX_ENTITIES;

/// Areas, past which devices cannot name further ones.
const MOST_AREAS: usize = 1_000;

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
    /// What topics are about, in the words of the operator: asked before what they are about by themselves.
    pub patterns: Vec<TopicPattern>,
    /// Entities shown that nobody has claimed, at most; see [`Fleet::n_unlisted`].
    pub most_unclaimed: usize,
    /// So long a device is offline or silent before it counts as a ghost, in milliseconds; see [`Fleet::ghost`].
    pub ghost_after_ms: i64,
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
            patterns: vec![],
            most_unclaimed: MOST_UNCLAIMED,
            ghost_after_ms: GHOST_AFTER_MS,
        }
    }
}

/// All devices and entities. Only the server's ingest changes it.
#[derive(Debug, Default)]
pub struct Fleet {
    settings: Settings,
    devices: HashMap<DeviceId, Device>,
    slots: Vec<Slot>,
    /// Places whose entities are gone.
    free: Vec<usize>,
    by_id: HashMap<EntityId, usize>,
    by_device: HashMap<DeviceId, Vec<usize>>,
    bindings: Bindings,
    /// Conventions, by broker.
    speakers: HashMap<Arc<str>, Speakers>,
    templates: Templates,
    /// Bytes that are kept of what is said of entities besides their values.
    n_told_bytes: usize,
    unclaimed: Unclaimed,
    /// Entities by what their conventions call them.
    spoken: HashMap<String, usize>,
    departed: Departed,
    kept: kept::Kept,
    /// Devices by all that they are known by.
    identified: HashMap<String, DeviceId>,
    /// Devices of which it is not known any more whether they are there, since when.
    doubted: HashMap<DeviceId, Timestamp>,
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
    /// Commands so far.
    n_tickets: u32,
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
            self.remember_identifiers(&device);
            if device.identifiers.is_empty() {
                self.bindings.bind_availability(&device);
            }
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
            Input::Amend(amendment) => self.amend(amendment, now, out),
            Input::SetPatterns(patterns) => self.set_patterns(patterns, now, out),
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
        if self.links.get(broker).is_some_and(|link| link.state == LinkState::Up) {
            // Not when it is reached again: it may replay before it is said to be.
            self.kept.lose_link(broker);
            self.forget_retained(broker);
        }
        let mut view = LinkView::new(&**broker, state, now);
        if let Some(known) = self.links.get(broker) {
            view.dropped = known.dropped;
        }
        self.links.insert(Arc::clone(broker), view.clone());
        out.push(Change::Link(view));
        if state == LinkState::Up {
            self.speakers_reconnected(broker, now, out);
        }
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

    /// Since when the broker of a device is not reached, or it is not known whether the device is there, while that is so.
    fn cut_since(&self, device: &DeviceId) -> Option<Timestamp> {
        let doubted = || self.doubted.get(device).copied();
        let link = self.links.get(self.devices.get(device)?.link.as_str())?;
        if link.state == LinkState::Down { Some(link.since) } else { doubted() }
    }

    fn tick(&mut self, now: Timestamp, out: &mut Vec<Change>) {
        self.release_commands(now, out);
        self.expire_commands(now, out);
        self.expire_queued(now, out);
        self.review_retained(now, out);
        self.release_off_delays(now, out);
        self.tick_speakers(now, out);
        for idx in 0..self.slots.len() {
            self.refresh_quality(idx, now, out);
        }
    }

    /// Recomputes the quality of an entity and tells when it changed.
    fn refresh_quality(&mut self, idx: usize, now: Timestamp, out: &mut Vec<Change>) {
        let Some(cut) = self.slots.get(idx).filter(|slot| !slot.is_gone).map(|slot| self.cut_since(&slot.entity.device)) else { return };
        let Some(slot) = self.slots.get_mut(idx) else { return };
        let offline = self.devices.get(&slot.entity.device).is_some_and(|device| device.availability == Availability::Offline);
        if slot.update_quality(offline, cut, now) {
            out.push(Change::Shown(slot.change()));
        }
    }

    fn insert_entity(&mut self, mut entity: Entity) -> usize {
        let idx = self.free.pop().unwrap_or(self.slots.len());
        self.declare_entity(&mut entity);
        if let Some(native) = self.settings.suggested.get(&entity.id).and_then(|suggested| suggested.native_unit.clone()) {
            // Stored as found, so that programs beside know it, which do not know what is suggested.
            entity.unit = Some(native);
        }
        if let Some(speech) = entity.speech.as_deref() {
            let link = self.devices.get(&entity.device).map(|device| device.link.as_str()).unwrap_or_default();
            self.spoken.insert(findings::name_of(link, speech), idx);
            self.templates.prepare_all(speech);
        }
        self.bindings.bind_entity(&entity, self.devices.get(&entity.device), idx);
        self.by_id.insert(entity.id.clone(), idx);
        self.by_device.entry(entity.device.clone()).or_default().push(idx);
        let of = |written: &HashMap<EntityId, Override>| written.get(&entity.id)?.area.clone();
        if let Some(area) = of(&self.settings.overrides).or_else(|| of(&self.settings.suggested)) {
            self.place_device(&entity.device, &area);
        }
        let written = self.written_about(&entity.id);
        let is_listed = self.give_place(&entity);
        let slot = Slot::new(entity, &written, is_listed);
        match self.slots.get_mut(idx) {
            Some(free) => *free = slot,
            None => self.slots.push(slot),
        }
        self.word_alarms(idx);
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
}
