//! Which entities each device has, in places that one can walk along in parts.

use std::collections::HashMap;

use domain::change::Change;
use domain::device::DeviceId;
use domain::entity::EntityId;
use domain::fleet::Fleet;

/// The devices with their entities, in no order. Bounded as the fleet is.
#[derive(Debug, Default)]
pub struct Roster {
    places: HashMap<DeviceId, usize>,
    /// Places of devices that are gone are empty until they are used again.
    devices: Vec<Option<(DeviceId, Vec<EntityId>)>>,
    free: Vec<usize>,
}

impl Roster {
    /// What a fleet holds.
    #[must_use]
    pub fn of(fleet: &Fleet) -> Self {
        let mut roster = Self::default();
        for device in fleet.devices() {
            roster.put(&device.id);
        }
        for entity in fleet.known_entities() {
            roster.put(&entity.device).push(entity.id);
        }
        roster
    }

    /// Takes a change in.
    pub(super) fn note(&mut self, change: &Change) {
        match change {
            Change::Device(device) => _ = self.put(&device.id),
            Change::Entity(entity, _) => {
                let entities = self.put(&entity.device);
                if !entities.contains(&entity.id) {
                    entities.push(entity.id.clone());
                }
            }
            Change::Gone(id) => {
                let place = DeviceId::parse(id.device()).ok().and_then(|device| self.places.get(&device).copied());
                if let Some((_, entities)) = place.and_then(|place| self.devices.get_mut(place)).and_then(Option::as_mut) {
                    entities.retain(|known| known != id);
                }
            }
            Change::DeviceGone(id) => {
                if let Some(place) = self.places.remove(id) {
                    self.devices[place] = None;
                    self.free.push(place);
                }
            }
            _ => {}
        }
    }

    /// The entities of a device, in the order they were found.
    #[must_use]
    pub fn entities(&self, device: &DeviceId) -> &[EntityId] {
        let known = self.places.get(device).and_then(|&place| self.devices.get(place)?.as_ref());
        known.map_or(&[], |(_, entities)| entities)
    }

    /// The devices from a place on, each with the place behind it.
    pub fn from(&self, place: usize) -> impl Iterator<Item = (usize, &DeviceId, &[EntityId])> {
        let rest = self.devices.get(place..).unwrap_or_default().iter().zip(place + 1..);
        rest.filter_map(|(known, next)| known.as_ref().map(|(device, entities)| (next, device, entities.as_slice())))
    }

    fn put(&mut self, device: &DeviceId) -> &mut Vec<EntityId> {
        let place = self.places.get(device).copied().unwrap_or_else(|| {
            let place = self.free.pop().unwrap_or(self.devices.len());
            if place == self.devices.len() {
                self.devices.push(None);
            }
            self.places.insert(device.clone(), place);
            place
        });
        &mut self.devices[place].get_or_insert_with(|| (device.clone(), vec![])).1
    }
}

#[cfg(test)]
mod tests {
    use domain::fleet::Settings;
    use domain::input::{Input, Message};
    use domain::time::Timestamp;

    use super::*;

    #[test]
    fn it_holds_what_the_fleet_holds() {
        let mut fleet = Fleet::new(Settings::default());
        let mut roster = Roster::default();
        let id = |text: &str| DeviceId::parse(text).expect("an id");
        for topic in ["sensors/a/temperature", "sensors/b/humidity", "sensors/a/humidity", "sensors/a/temperature"] {
            let message = Message { link: "main".into(), topic: topic.into(), payload: b"1".as_slice().into(), qos: 0, retained: false };
            let mut changes = vec![];
            fleet.apply(Input::Message(message), Timestamp::from_ms(1_800_000_000_000), &mut changes);
            changes.iter().for_each(|change| roster.note(change));
        }
        let names = |roster: &Roster, device: &str| roster.entities(&id(device)).iter().map(ToString::to_string).collect::<Vec<_>>();
        for roster in [&roster, &Roster::of(&fleet)] {
            let mut a = names(roster, "a");
            a.sort();
            assert_eq!((a, names(roster, "b")), (vec!["a.humidity".to_owned(), "a.temperature".to_owned()], vec!["b.humidity".to_owned()]));
        }
        roster.note(&Change::Gone(EntityId::parse("a.humidity").expect("an id")));
        assert_eq!(names(&roster, "a"), ["a.temperature"]);
        roster.note(&Change::DeviceGone(id("a")));
        assert_eq!((names(&roster, "a"), roster.from(0).count()), (vec![], 1));
    }
}
