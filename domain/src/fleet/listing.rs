//! Which entities are shown without being asked for: all that somebody has claimed, and a bounded number of those that only a topic has named.
//! Whoever can publish can make entities without end; the page must stay of use to the operator all the same.

use std::collections::HashMap;

use crate::device::Area;
use crate::entity::{Entity, EntityId};

use super::slot::Slot;
use super::{Fleet, Override};

/// Unclaimed entities shown where nothing else is set.
pub const MOST_UNCLAIMED: usize = 1_000;

impl Fleet {
    /// Whether somebody has claimed an entity: the configuration or an operator names it, its device or its area, or a rule
    /// watches it.
    fn is_claimed(&self, entity: &Entity) -> bool {
        let has_known_area = || {
            let area = self.devices.get(&entity.device).and_then(|device| device.area.as_ref());
            let mut known = self.settings.areas.iter().chain(&self.settings.suggested_areas);
            area.is_some_and(|area| known.any(|known| known.id == *area))
        };
        let settings = &self.settings;
        let names = |written: &HashMap<EntityId, Override>| written.contains_key(&entity.id);
        [&settings.overrides, &settings.suggested].into_iter().any(names)
            || self.is_amended(&entity.id, &entity.device)
            || settings.declared.contains_key(&entity.id)
            || settings.rules.iter().any(|rule| rule.entity == entity.id)
            || has_known_area()
    }

    /// Whether a new entity has its place among those shown. Who came first keeps it: a flood takes no tile away.
    pub(super) fn give_place(&mut self, entity: &Entity) -> bool {
        if self.is_claimed(entity) {
            return true;
        }
        let has_room = self.n_unclaimed < self.settings.most_unclaimed;
        *(if has_room { &mut self.n_unclaimed } else { &mut self.n_unlisted }) += 1;
        has_room
    }

    /// An entity that is gone leaves its place to others.
    pub(super) fn give_place_back(&mut self, entity: &Entity) {
        if !self.is_claimed(entity) {
            self.n_unclaimed = self.n_unclaimed.saturating_sub(1);
        }
    }

    /// Whether somebody wrote about an entity: it does not go unasked.
    pub(super) fn is_written_about(&self, entity: &Entity) -> bool {
        self.settings.overrides.contains_key(&entity.id)
            || self.settings.declared.contains_key(&entity.id)
            || self.is_amended(&entity.id, &entity.device)
            || self.settings.rules.iter().any(|rule| rule.entity == entity.id)
    }

    /// Somebody has named an entity, or placed it.
    pub(super) fn claim(&mut self, idx: usize) {
        if let Some(slot) = self.slots.get_mut(idx).filter(|slot| !slot.is_listed) {
            slot.is_listed = true;
            self.n_unlisted -= 1;
        }
    }

    /// How many entities are shown nowhere unasked because too many came that nobody has claimed.
    #[must_use]
    pub fn n_unlisted(&self) -> usize {
        self.n_unlisted
    }

    /// Whether an entity is offered where all are. `false` only for one of [`Fleet::n_unlisted`].
    #[must_use]
    pub fn is_listed(&self, id: &EntityId) -> bool {
        self.by_id.get(id).and_then(|&idx| self.slots.get(idx)).is_some_and(|slot| slot.is_listed)
    }

    /// The areas with something on the overview, in the order shown.
    #[must_use]
    pub fn areas_shown(&self) -> Vec<Area> {
        let used: std::collections::HashSet<_> = self.slots.iter().filter(|slot| slot.is_shown()).filter_map(|slot| self.area_of(slot)).collect();
        self.areas.iter().filter(|area| used.contains(&area.id)).cloned().collect()
    }
}

impl Slot {
    /// Whether it stands on the overview.
    pub(super) const fn is_shown(&self) -> bool {
        self.is_listed && !self.entity.hidden
    }
}
