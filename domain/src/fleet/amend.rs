//! What operators write about entities, devices and areas, over what topics say and under what the configuration file says.

use std::collections::HashMap;

use crate::change::Change;
use crate::device::{Area, AreaId, Device, DeviceId, MAX_NAME_CHARS, clean_text, name_from};
use crate::entity::EntityId;
use crate::time::Timestamp;
use crate::written::{AmendError, Amendment, AreaOverride, DeviceOverride, Override, Patch, Written};

use super::{Fleet, MOST_AREAS};

/// All that operators have written.
#[derive(Debug, Default)]
pub(super) struct Amended {
    entities: HashMap<EntityId, Override>,
    devices: HashMap<DeviceId, DeviceOverride>,
    areas: HashMap<AreaId, AreaOverride>,
    /// Name and area of devices as they were found, for those that something is written about.
    found: HashMap<DeviceId, (String, Option<AreaId>)>,
}

impl Fleet {
    /// Takes up what operators wrote in earlier runs. Before [`Fleet::restore`].
    pub fn restore_written(&mut self, written: Vec<Written>) {
        for written in written {
            match written {
                Written::Entity(id, written) => {
                    if let Some(area) = &written.area {
                        self.note_area(area);
                    }
                    self.amended.entities.insert(id, written);
                }
                Written::Device(id, written) => {
                    self.note_departed(&id, &written);
                    self.amended.devices.insert(id, written);
                }
                Written::Area(id, written) => {
                    self.amended.areas.insert(id.clone(), written);
                    self.name_area(&id);
                }
            }
        }
    }

    /// Whether an amendment can be taken.
    ///
    /// # Errors
    /// [`AmendError`] says why not.
    pub fn check_amendment(&self, amendment: &Amendment) -> Result<(), AmendError> {
        let in_file = |field, block: &str, id: &str| Err(AmendError::InFile { field, what: format!("[[{block}]] \"{id}\"") });
        match amendment {
            Amendment::Entity(id, _) if !self.by_id.contains_key(id) => Err(AmendError::Unknown(format!("entity \"{id}\""))),
            Amendment::Device(id, _) if !self.devices.contains_key(id) => Err(AmendError::Unknown(format!("device \"{id}\""))),
            Amendment::Area(id, _) if !self.areas.iter().any(|area| area.id == *id) => Err(AmendError::Unknown(format!("area \"{id}\""))),
            Amendment::Entity(id, patch) => match self.settings.overrides.get(id).and_then(|file| patch.clash(file)) {
                Some(field) => in_file(field, "entity", id.as_str()),
                None => Ok(()),
            },
            Amendment::Area(id, patch) if patch.name != Patch::Keep && self.settings.areas.iter().any(|area| area.id == *id) => {
                in_file("name", "area", id.as_str())
            }
            Amendment::Device(..) | Amendment::Area(..) => Ok(()),
            Amendment::RemoveDevice(id) => self.check_removal(id),
            Amendment::MergeDevice { from, into } => self.check_merge(from, into),
        }
    }

    /// Writes; what cannot be taken changes nothing ([`Fleet::check_amendment`] says why).
    pub(super) fn amend(&mut self, amendment: Amendment, now: Timestamp, out: &mut Vec<Change>) {
        if self.check_amendment(&amendment).is_err() {
            return;
        }
        match amendment {
            Amendment::Entity(id, patch) => {
                let mut written = self.amended.entities.remove(&id).unwrap_or_default();
                patch.apply(&mut written);
                if let Some(area) = written.area.clone() {
                    self.make_room_for(&area, out);
                }
                if written != Override::default() {
                    self.amended.entities.insert(id.clone(), written.clone());
                }
                out.push(Change::Written(Written::Entity(id.clone(), written)));
                if let Some(&idx) = self.by_id.get(&id) {
                    self.claim(idx);
                    let (written, before) = (self.written_about(&id), self.conversion(&id));
                    if let Some(slot) = self.slots.get_mut(idx) {
                        slot.rewrite(&written);
                    }
                    self.tell_entity(idx, out);
                    if self.conversion(&id) != before {
                        self.tell_alarms_anew(idx, out);
                        self.tell_queued_anew(&id, out);
                    }
                }
            }
            Amendment::Device(id, patch) => {
                let mut written = self.amended.devices.remove(&id).unwrap_or_default();
                patch.apply(&mut written);
                if let Some(area) = written.area.clone() {
                    self.make_room_for(&area, out);
                }
                if let (Some(device), Some((name, area))) = (self.devices.get_mut(&id), self.amended.found.remove(&id)) {
                    (device.name, device.area) = (name, area);
                }
                if written != DeviceOverride::default() {
                    self.amended.devices.insert(id.clone(), written.clone());
                    self.write_device(&id);
                }
                out.push(Change::Written(Written::Device(id.clone(), written)));
                // Where their device stands, they stand.
                for idx in self.by_device.get(&id).cloned().unwrap_or_default() {
                    self.claim(idx);
                    self.tell_entity(idx, out);
                }
            }
            Amendment::Area(id, patch) => {
                let mut written = self.amended.areas.remove(&id).unwrap_or_default();
                patch.name.apply(&mut written.name);
                if written != AreaOverride::default() {
                    self.amended.areas.insert(id.clone(), written.clone());
                }
                self.name_area(&id);
                out.push(Change::Written(Written::Area(id, written)));
                out.push(Change::Areas(self.areas.clone()));
            }
            Amendment::RemoveDevice(id) => self.remove_for_good(&id, now, out),
            Amendment::MergeDevice { from, into } => self.merge_devices(&from, &into, now, out),
        }
    }

    /// What operators wrote about a device.
    pub(super) fn written_of_device(&self, id: &DeviceId) -> Option<&DeviceOverride> {
        self.amended.devices.get(id)
    }

    /// Writes about a device, in place of what was written before.
    pub(super) fn write_of_device(&mut self, id: &DeviceId, written: DeviceOverride, out: &mut Vec<Change>) {
        if written == DeviceOverride::default() {
            self.amended.devices.remove(id);
        } else {
            self.amended.devices.insert(id.clone(), written.clone());
        }
        out.push(Change::Written(Written::Device(id.clone(), written)));
    }

    /// Whether an operator has written about an entity or its device.
    pub(super) fn is_amended(&self, id: &EntityId, device: &DeviceId) -> bool {
        let names = |written: &DeviceOverride| written.name.is_some() || written.area.is_some();
        self.amended.entities.contains_key(id) || self.amended.devices.get(device).is_some_and(names)
    }

    /// All that is written about an entity, by whoever has the last word about each part of it.
    pub(super) fn written_about(&self, id: &EntityId) -> Override {
        let below = self.settings.suggested.get(id);
        match (self.settings.overrides.get(id), self.amended.entities.get(id)) {
            (Some(file), Some(amended)) => file.over(Some(&amended.over(below))),
            (Some(one), None) | (None, Some(one)) => one.over(below),
            (None, None) => below.cloned().unwrap_or_default(),
        }
    }

    /// Whether the configuration file says in which unit an entity is shown: its rules are written in that one then.
    pub(super) fn is_unit_in_file(&self, id: &EntityId) -> bool {
        self.settings.overrides.get(id).is_some_and(|file| file.unit.is_some())
    }

    /// Puts what is written about a device over what was found. Once after it was found or restored.
    pub(super) fn write_device(&mut self, id: &DeviceId) {
        let (Some(written), Some(device)) = (self.amended.devices.get(id), self.devices.get_mut(id)) else { return };
        self.amended.found.insert(id.clone(), (device.name.clone(), device.area.clone()));
        device.name = written.name.clone().unwrap_or_else(|| device.name.clone());
        device.area = written.area.clone().or_else(|| device.area.clone());
        if let Some(area) = device.area.clone() {
            self.note_area(&area);
        }
    }

    /// Where an entity stands by what somebody wrote, about it or its device; `None` where nobody did.
    pub(super) fn written_area(&self, id: &EntityId, device: &DeviceId) -> Option<AreaId> {
        let of = |written: &HashMap<EntityId, Override>| written.get(id)?.area.clone();
        of(&self.settings.overrides)
            .or_else(|| of(&self.amended.entities))
            .or_else(|| self.amended.devices.get(device)?.area.clone())
            .or_else(|| of(&self.settings.suggested))
    }

    /// An entity says where its device was found to stand.
    pub(super) fn place_device(&mut self, id: &DeviceId, area: &AreaId) {
        let Some(device) = self.devices.get_mut(id) else { return };
        if let Some((_, found)) = self.amended.found.get_mut(id) {
            *found = Some(area.clone());
        }
        if self.amended.devices.get(id).is_none_or(|written| written.area.is_none()) {
            device.area = Some(area.clone());
        }
    }

    /// A device as it was found, which is what is stored of it.
    pub(super) fn as_found(&self, device: &Device) -> Device {
        let mut found = device.clone();
        if let Some((name, area)) = self.amended.found.get(&device.id) {
            (found.name, found.area) = (name.clone(), area.clone());
        }
        found
    }

    /// Takes a device as it is found, under what is written about it.
    pub(super) fn put_device(&mut self, found: Device) {
        let id = found.id.clone();
        if let Some(area) = &found.area {
            self.note_area(area);
        }
        self.amended.found.remove(&id);
        self.devices.insert(id.clone(), found);
        self.write_device(&id);
    }

    /// A device is gone, and with it what was found of it; what is written stays for when it is back.
    pub(super) fn forget_found(&mut self, id: &DeviceId) {
        self.amended.found.remove(id);
    }

    /// An area that a device names in its own words.
    pub(super) fn note_area_named(&mut self, id: &AreaId, name: &str, out: &mut Vec<Change>) {
        // All of them are told with each: devices that name one each would make more than anybody can be told.
        if self.areas.len() < MOST_AREAS && !self.is_area(id) {
            self.areas.push(Area { id: id.clone(), name: clean_text(name, MAX_NAME_CHARS), icon: None });
            out.push(Change::Areas(self.areas.clone()));
        }
    }

    /// Whether there is such an area.
    pub(super) fn is_area(&self, id: &AreaId) -> bool {
        self.areas.iter().any(|area| area.id == *id)
    }

    /// Adds an area that nobody named before, and tells of it.
    fn make_room_for(&mut self, area: &AreaId, out: &mut Vec<Change>) {
        let before = self.areas.len();
        self.note_area(area);
        if self.areas.len() > before {
            out.push(Change::Areas(self.areas.clone()));
        }
    }

    /// Gives an area the name that is written, in the file first, or the one that its id makes.
    fn name_area(&mut self, id: &AreaId) {
        self.note_area(id);
        let of = |areas: &[Area]| areas.iter().find(|area| area.id == *id).map(|area| area.name.clone());
        let name = of(&self.settings.areas)
            .or_else(|| self.amended.areas.get(id).and_then(|written| written.name.clone()))
            .or_else(|| of(&self.settings.suggested_areas))
            .unwrap_or_else(|| name_from(id.as_str()));
        if let Some(area) = self.areas.iter_mut().find(|area| area.id == *id) {
            area.name = name;
        }
    }
}
