//! Devices behind a Zigbee bridge, which can be asked for what only it can do.

use std::sync::Arc;

use crate::convention::Convention;
use crate::device::DeviceId;

use super::Fleet;

/// A device behind a Zigbee2MQTT bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZigbeeDevice {
    /// The broker that the bridge is on.
    pub link: Arc<str>,
    /// The beginning of the bridge's topics: `zigbee2mqtt`.
    pub base: String,
    /// Its address, `0x00158d0001dc126a`, by which the bridge knows it under any name.
    pub address: String,
    /// What the bridge calls it; may hold slashes.
    pub name: String,
}

impl Fleet {
    /// What the bridge knows a device as; `None` for one that is behind none, or for a group.
    #[must_use]
    pub fn zigbee(&self, id: &DeviceId) -> Option<ZigbeeDevice> {
        let device = self.device(id)?;
        let slots = self.by_device.get(&device.id)?.iter().filter_map(|&idx| self.slots.get(idx));
        let mut speeches = slots.filter_map(|slot| slot.entity.speech.as_deref());
        let speech = speeches.find(|speech| speech.convention == Convention::Zigbee2Mqtt && speech.device.starts_with("0x"))?;
        // Each of its entities is there only as long as the bridge is, and reads its own topic below the bridge's.
        let base = speech.presence.iter().find_map(|presence| presence.topic.strip_suffix("/bridge/state"))?;
        let own = speech.presence.iter().find_map(|presence| presence.topic.strip_suffix("/availability"))?;
        let name = own.strip_prefix(base)?.strip_prefix('/')?;
        Some(ZigbeeDevice { link: device.link.as_str().into(), base: base.to_owned(), address: speech.device.clone(), name: name.to_owned() })
    }
}
