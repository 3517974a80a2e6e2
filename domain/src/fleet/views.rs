//! What there is to see of a fleet.

use super::binding::Binding;
use super::{Fleet, Slot};
use crate::alarm::{Alarm, AlarmState};
use crate::command::CommandReport;
use crate::device::{Area, AreaId, Availability, Device, DeviceId};
use crate::entity::{Entity, EntityId};
use crate::live::{EntityChange, EntityView, LinkView};
use crate::rule::Rule;

impl Fleet {
    /// What is stored of every entity besides its values, in no order.
    pub fn known_entities(&self) -> impl Iterator<Item = Entity> {
        self.slots.iter().filter(|slot| !slot.is_gone).map(Slot::as_found)
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
        let idxs = self.bindings.find(link, topic).map(Binding::entities).unwrap_or_default();
        idxs.into_iter().filter_map(|idx| self.slots.get(idx)).map(|slot| &slot.entity.id).collect()
    }

    /// All entities with their values, ordered by area, then by their place, then by id; in each area its groups first.
    #[must_use]
    pub fn entities(&self) -> Vec<EntityView> {
        let slots = self.slots.iter().filter(|slot| !slot.is_gone).map(|slot| (self.place(slot), Ok(slot)));
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

    /// A device, also by the id of one that was made one with it.
    #[must_use]
    pub fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.devices.get(&self.merged(id.clone()))
    }

    /// The device of an entity.
    #[must_use]
    pub fn device_id_of(&self, entity: &EntityId) -> Option<&DeviceId> {
        self.by_id.get(entity).and_then(|&idx| self.slots.get(idx)).map(|slot| &slot.entity.device)
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

    /// The rules that watch an entity, their numbers in the unit that it is shown in.
    pub fn rules_of<'a>(&'a self, id: &'a EntityId) -> impl Iterator<Item = Rule> + 'a {
        self.settings.rules.iter().filter(move |rule| rule.entity == *id).map(|rule| self.shown_rule(rule))
    }

    /// A rule by its id, its numbers in the unit that its entity is shown in.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<Rule> {
        self.settings.rules.iter().find(|rule| rule.id == id).map(|rule| self.shown_rule(rule))
    }

    /// The command on its way to an entity.
    #[must_use]
    pub fn pending(&self, id: &EntityId) -> Option<&CommandReport> {
        self.pending.values().map(|pending| &pending.report).find(|report| report.entity == *id).or_else(|| self.pending_of_group(id))
    }

    pub(super) fn view_of(&self, slot: &Slot) -> EntityView {
        let mut view = EntityView { hidden: !slot.is_shown(), ..EntityView::of(&slot.entity, self.area_of(slot)) };
        let EntityChange { v, t, q, since, .. } = slot.change();
        (view.v, view.t, view.q, view.since) = (v, t, q, since);
        view.link = self.devices.get(&slot.entity.device).map(|device| device.link.clone());
        view.offline_since =
            self.devices.get(&slot.entity.device).filter(|d| d.availability == Availability::Offline).map(|device| device.availability_since);
        view
    }
}
