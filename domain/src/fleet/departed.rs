//! Devices that operators removed, or made one with others. What a broker replays of a device that was removed does not bring it back; when it speaks
//! again itself, it is there again.

use std::collections::HashMap;

use crate::change::Change;
use crate::device::{DeviceId, MAX_ID_BYTES};
use crate::entity::Entity;
use crate::time::{MINUTE_MS, Timestamp};
use crate::written::{AmendError, DeviceOverride};

use super::Fleet;
use super::binding::Binding;
use super::hearing::Hearing;

/// So long a convention may take to make something of what a broker replays: longer than any waits for a device to say all of itself.
const BY_AND_BY_MS: i64 = MINUTE_MS;

/// Devices that are not there because an operator said so.
#[derive(Debug, Default)]
pub(super) struct Departed {
    /// Those that were removed, by each of what they are known by; ids are among it.
    removed: HashMap<String, DeviceId>,
    /// Those that are others.
    merged: HashMap<DeviceId, DeviceId>,
}

impl Departed {
    /// Whether an operator removed a device.
    pub(super) fn is_removed(&self, id: &DeviceId) -> bool {
        self.removed.get(id.as_str()) == Some(id)
    }
}

impl Fleet {
    pub(super) fn note_departed(&mut self, id: &DeviceId, written: &DeviceOverride) {
        for one in written.removed.iter().flatten() {
            self.departed.removed.insert(one.clone(), id.clone());
        }
        if let Some(into) = &written.merged_into {
            self.departed.merged.insert(id.clone(), into.clone());
        }
    }

    /// The device that another was made one with, or itself.
    pub(super) fn merged(&self, id: DeviceId) -> DeviceId {
        // A chain is no longer than this: each merge is checked.
        (0..MAX_ID_BYTES).try_fold(id, |id, _| self.departed.merged.get(&id).cloned().ok_or(id)).unwrap_or_else(|end| end)
    }

    /// The device whose replayed words say nothing because it was removed. Its own voice brings it back.
    pub(super) fn stays_removed(&mut self, known_by: &[String], heard: &mut Hearing<'_>) -> Option<DeviceId> {
        let id = known_by.iter().find_map(|one| self.departed.removed.get(one)).cloned()?;
        if heard.message.retained || self.is_replay(heard) {
            return Some(id);
        }
        self.departed.removed.retain(|_, of| *of != id);
        let written = self.written_of_device(&id).cloned().unwrap_or_default();
        self.write_of_device(&id, DeviceOverride { removed: None, removed_at: None, ..written }, heard.out);
        None
    }

    /// Whether what a convention found out by and by, of no message in particular, follows from what the broker replayed when it was reached.
    fn is_replay(&self, heard: &Hearing<'_>) -> bool {
        let since = self.links.get(&heard.message.link).map(|link| heard.now.since_ms(link.since));
        heard.message.topic.is_empty() && since.is_some_and(|ms| (0..BY_AND_BY_MS).contains(&ms))
    }

    pub(super) fn check_removal(&self, id: &DeviceId) -> Result<(), AmendError> {
        if !self.devices.contains_key(id) {
            return Err(AmendError::Unknown(format!("device \"{id}\"")));
        }
        let in_file = |entity: &Entity| self.settings.declared.contains_key(&entity.id);
        let slots = self.by_device.get(id).into_iter().flatten().filter_map(|&idx| self.slots.get(idx));
        match slots.map(|slot| &slot.entity).find(|entity| in_file(entity)) {
            Some(entity) => Err(AmendError::InFile { field: "device", what: format!("[[entity]] \"{}\"", entity.id) }),
            None => Ok(()),
        }
    }

    pub(super) fn check_merge(&self, from: &DeviceId, into: &DeviceId) -> Result<(), AmendError> {
        let invalid = |reason: &str| Err(AmendError::Invalid { field: "into", reason: reason.to_owned() });
        let Some(stays) = self.devices.get(into) else { return Err(AmendError::Unknown(format!("device \"{into}\""))) };
        let Some(goes) = self.devices.get(from) else { return Err(AmendError::Unknown(format!("device \"{from}\""))) };
        if from == into {
            return invalid("is the device itself");
        }
        if stays.link != goes.link {
            return invalid("is a device of another broker");
        }
        let n = |id: &DeviceId| self.by_device.get(id).map_or(0, Vec::len);
        if n(from) + n(into) > super::MAX_ENTITIES_PER_DEVICE {
            return invalid("would have too many entities");
        }
        self.check_removal(from)
    }

    /// An operator removes a device.
    pub(super) fn remove_for_good(&mut self, id: &DeviceId, now: Timestamp, out: &mut Vec<Change>) {
        let mut known_by = self.devices.get(id).map(|device| device.identifiers.clone()).unwrap_or_default();
        known_by.push(id.to_string());
        let written = DeviceOverride { removed: Some(known_by), removed_at: Some(now), ..self.written_of_device(id).cloned().unwrap_or_default() };
        self.take_out(id, now, out);
        self.note_departed(id, &written);
        self.write_of_device(id, written, out);
    }

    /// An operator says that two devices are one.
    pub(super) fn merge_devices(&mut self, from: &DeviceId, into: &DeviceId, now: Timestamp, out: &mut Vec<Change>) {
        let moved = self.by_device.remove(from).unwrap_or_default();
        for &idx in &moved {
            if let Some(slot) = self.slots.get_mut(idx) {
                slot.find(|entity| entity.device = into.clone());
            }
        }
        self.by_device.entry(into.clone()).or_default().extend(&moved);
        let Some(gone) = self.devices.get(from).map(|device| self.as_found(device)) else { return };
        let Some(mut stays) = self.devices.get(into).map(|device| self.as_found(device)) else { return };
        stays.about.add(&gone.about);
        for one in &gone.identifiers {
            if !stays.identifiers.contains(one) {
                stays.identifiers.push(one.clone());
            }
        }
        for convention in gone.convention.split(", ").filter(|convention| !convention.is_empty()) {
            if !stays.convention.split(", ").any(|known| known == convention) {
                stays.convention = [stays.convention.as_str(), ", ", convention].concat();
            }
        }
        stays.last_seen = stays.last_seen.max(gone.last_seen);
        self.bindings.rebind_availability(&gone.link, from, into);
        self.identified.values_mut().filter(|of| *of == from).for_each(|of| *of = into.clone());
        self.devices.remove(from);
        self.kept.rename(from, into);
        self.forget_found(from);
        self.put_device(stays.clone());
        out.push(Change::Device(stays));
        out.push(Change::DeviceGone(from.clone()));
        let written = DeviceOverride { merged_into: Some(into.clone()), ..DeviceOverride::default() };
        self.note_departed(from, &written);
        self.write_of_device(from, written, out);
        for idx in moved {
            self.refresh_quality(idx, now, out);
            self.tell_entity(idx, out);
        }
    }
}

/// Bindings that say whether a device is there say it of the one that it is now.
impl super::binding::Bindings {
    fn rebind_availability(&mut self, link: &str, from: &DeviceId, into: &DeviceId) {
        for binding in self.of_broker(link) {
            if matches!(binding, Binding::Availability(of) if of == from) {
                *binding = Binding::Availability(into.clone());
            }
        }
    }
}
