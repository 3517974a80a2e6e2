//! Devices and entities that are there no more.

use crate::change::{Change, QueueChange};
use crate::command::{CommandId, CommandState};
use crate::device::DeviceId;
use crate::time::Timestamp;

use super::Fleet;

impl Fleet {
    /// Takes an entity out. Its history stays, and what operators wrote about it, for when it is found again.
    pub(super) fn remove_entity(&mut self, idx: usize, now: Timestamp, out: &mut Vec<Change>) {
        let Some(entity) = self.slots.get(idx).filter(|slot| !slot.is_gone).map(|slot| slot.entity.clone()) else { return };
        let on_its_way: Vec<CommandId> = self.pending.iter().filter(|(_, pending)| pending.idx == idx).map(|(id, _)| id.clone()).collect();
        for id in on_its_way {
            self.end_command(&id, CommandState::Failed, Some("the device took the entity back".to_owned()), now, out);
        }
        if let Some(queued) = self.queued.remove(&entity.id) {
            out.push(Change::Queue(QueueChange::Gone(queued.report.id)));
        }
        let link = self.devices.get(&entity.device).map(|device| device.link.clone()).unwrap_or_default();
        self.bindings.unbind_entity(&link, &entity, idx);
        self.by_id.remove(&entity.id);
        if let Some(of_device) = self.by_device.get_mut(&entity.device) {
            of_device.retain(|of| *of != idx);
        }
        if let Some(speech) = entity.speech.as_deref() {
            self.spoken.remove(&super::findings::name_of(&link, speech));
        }
        self.forget_attributes(idx);
        if let Some(slot) = self.slots.get_mut(idx) {
            slot.is_gone = true;
            if !slot.is_listed {
                self.n_unlisted -= 1;
            }
            slot.is_listed = false;
        }
        self.give_place_back(&entity);
        self.free.push(idx);
        out.push(Change::Gone(entity.id));
    }

    /// Takes a device out with all of its entities; what its broker keeps of it is nobody's.
    pub(super) fn remove_device(&mut self, id: &DeviceId, now: Timestamp, out: &mut Vec<Change>) {
        self.take_out(id, now, out);
        self.kept.forget_device(id);
    }

    /// Takes a device out with all of its entities, and remembers what its broker keeps of it.
    pub(super) fn take_out(&mut self, id: &DeviceId, now: Timestamp, out: &mut Vec<Change>) {
        for idx in self.by_device.get(id).cloned().unwrap_or_default() {
            self.remove_entity(idx, now, out);
        }
        self.by_device.remove(id);
        self.doubted.remove(id);
        if let Some(device) = self.devices.remove(id) {
            self.bindings.unbind_device(&device);
            for one in &device.identifiers {
                self.forget_identifier(&device.link, one, id);
            }
            self.forget_found(id);
            out.push(Change::DeviceGone(id.clone()));
        }
    }
}
