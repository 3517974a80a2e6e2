//! What brokers keep of which device. Only what they replay and what announces a device is written down, never a reading that comes live: the cost of
//! those does not change, and what was heard live says nothing about being kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::device::DeviceId;
use crate::time::Timestamp;

use super::MAX_DEVICES;

/// Topics remembered in all.
pub(super) const MOST_TOPICS: usize = 100_000;
/// Topics remembered of one device, or under one root.
pub(super) const MOST_OF_ONE: usize = 1_000;

/// A device on a broker. A plain device may speak on two.
pub(super) type Key = (DeviceId, Arc<str>);

/// What is kept on a topic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) bytes: u32,
    /// The broker replayed it.
    pub(super) is_replayed: bool,
    /// How often its broker was lost before it was heard.
    turn: u32,
}

/// Whose a topic is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A device's.
    Device(DeviceId),
    /// That of whoever has this beginning of topics: brokers replay a tree in any order, and say only on one of its topics whose it is.
    Root(Arc<str>),
}

/// What is known of a device.
#[derive(Debug, Default)]
pub(super) struct OfDevice {
    /// As it called itself last.
    pub(super) name: String,
    /// When it announced itself last, itself.
    pub(super) announced_at: Option<Timestamp>,
    /// The roots that are its own.
    pub(super) roots: Vec<Arc<str>>,
    pub(super) topics: BTreeMap<Arc<str>, Held>,
}

impl Held {
    pub(super) const fn new(bytes: u32, is_replayed: bool) -> Self {
        Self { bytes, is_replayed, turn: 0 }
    }
}

#[derive(Debug, Default)]
struct OfRoot {
    owner: Option<DeviceId>,
    /// Two devices claim it: it is nobody's.
    is_contested: bool,
    topics: BTreeMap<Arc<str>, Held>,
}

/// What brokers keep, by device.
#[derive(Debug, Default)]
pub(super) struct Kept {
    places: HashMap<Arc<str>, HashMap<Arc<str>, Place>>,
    devices: BTreeMap<Key, OfDevice>,
    roots: HashMap<(Arc<str>, Arc<str>), OfRoot>,
    n_topics: usize,
    /// How often each broker was lost.
    turns: HashMap<Arc<str>, u32>,
}

impl Kept {
    /// Something is kept on a topic of a device or under a root. One topic too many is left out: a ghost then has fewer than it could.
    pub(super) fn put(&mut self, link: &Arc<str>, topic: &Arc<str>, place: Place, held: Held) {
        let held = Held { turn: self.turn(link), ..held };
        let before = self.places.get(link).and_then(|topics| topics.get(topic)).cloned();
        let held = match before {
            // Heard live again it is kept as before.
            Some(before) if before == place => Held { is_replayed: held.is_replayed || self.is_replayed(link, topic, &place), ..held },
            Some(_) => {
                self.forget(link, topic);
                held
            }
            None => held,
        };
        let is_new = self.places.get(link).is_none_or(|topics| !topics.contains_key(topic));
        if is_new && self.n_topics >= MOST_TOPICS {
            return;
        }
        let topics = self.topics_mut(link, &place);
        if is_new && topics.len() >= MOST_OF_ONE {
            return;
        }
        topics.insert(Arc::clone(topic), held);
        if is_new {
            self.n_topics += 1;
            self.places.entry(Arc::clone(link)).or_default().insert(Arc::clone(topic), place);
        }
    }

    fn is_replayed(&self, link: &Arc<str>, topic: &str, place: &Place) -> bool {
        let topics = match place {
            Place::Device(id) => self.devices.get(&(id.clone(), Arc::clone(link))).map(|of| &of.topics),
            Place::Root(root) => self.roots.get(&(Arc::clone(link), Arc::clone(root))).map(|of| &of.topics),
        };
        topics.and_then(|topics| topics.get(topic)).is_some_and(|held| held.is_replayed)
    }

    fn topics_mut(&mut self, link: &Arc<str>, place: &Place) -> &mut BTreeMap<Arc<str>, Held> {
        match place {
            Place::Device(id) => &mut self.devices.entry((id.clone(), Arc::clone(link))).or_default().topics,
            Place::Root(root) => &mut self.roots.entry((Arc::clone(link), Arc::clone(root))).or_default().topics,
        }
    }

    /// Nothing is kept on a topic any more; whether something was.
    pub(super) fn forget(&mut self, link: &Arc<str>, topic: &Arc<str>) -> bool {
        let Some(place) = self.places.get_mut(link).and_then(|topics| topics.remove(topic)) else { return false };
        self.n_topics -= 1;
        match place {
            Place::Device(id) => {
                let key = (id, Arc::clone(link));
                if let Some(of) = self.devices.get_mut(&key) {
                    of.topics.remove(topic);
                    if of.topics.is_empty() && of.roots.is_empty() && of.announced_at.is_none() {
                        self.devices.remove(&key);
                    }
                }
            }
            Place::Root(root) => {
                let key = (Arc::clone(link), root);
                if let Some(of) = self.roots.get_mut(&key) {
                    of.topics.remove(topic);
                    if of.topics.is_empty() && of.owner.is_none() {
                        self.roots.remove(&key);
                    }
                }
            }
        }
        true
    }

    /// A device called itself by a name, and perhaps by a root of topics that is its own; `live` when it did so itself, now.
    pub(super) fn announced(&mut self, key: &Key, name: &str, root: Option<&str>, live: Option<Timestamp>) {
        if !self.devices.contains_key(key) && self.devices.len() >= MAX_DEVICES {
            return;
        }
        let of = self.devices.entry(key.clone()).or_default();
        name.clone_into(&mut of.name);
        of.announced_at = live.or(of.announced_at);
        let Some(root) = root else { return };
        let root: Arc<str> = root.into();
        let of_root = self.roots.entry((Arc::clone(&key.1), Arc::clone(&root))).or_default();
        match &of_root.owner {
            Some(owner) if *owner != key.0 => of_root.is_contested = true,
            Some(_) => {}
            None => {
                of_root.owner = Some(key.0.clone());
                of.roots.push(root);
            }
        }
    }

    /// A broker is lost. When it is reached again it replays what it keeps, and what it does not replay it keeps no more. Whose a topic is stays known
    /// for one more time: a convention need not say again what it has heard before.
    pub(super) fn lose_link(&mut self, link: &Arc<str>) {
        let turn = self.turn(link);
        let of_devices = self.devices.iter().filter(|((_, of), _)| of == link).flat_map(|(_, device)| &device.topics);
        let of_roots = self.roots.iter().filter(|((of, _), _)| of == link).flat_map(|(_, root)| &root.topics);
        let gone: Vec<Arc<str>> = of_devices.chain(of_roots).filter(|(_, held)| held.turn < turn).map(|(topic, _)| Arc::clone(topic)).collect();
        for topic in gone {
            self.forget(link, &topic);
        }
        self.turns.insert(Arc::clone(link), turn + 1);
    }

    fn turn(&self, link: &str) -> u32 {
        self.turns.get(link).copied().unwrap_or_default()
    }

    /// Whose a topic was when it was heard last.
    pub(super) fn place(&self, link: &str, topic: &str) -> Option<Place> {
        self.places.get(link)?.get(topic).cloned()
    }

    /// A device is there no more, and nobody removed it: what is left of it is nobody's.
    pub(super) fn forget_device(&mut self, id: &DeviceId) {
        for (id, link) in self.keys_of(id) {
            let Some(of) = self.devices.remove(&(id, Arc::clone(&link))) else { continue };
            let of_roots = of.roots.into_iter().filter_map(|root| self.roots.remove(&(Arc::clone(&link), root)));
            let topics: Vec<Arc<str>> = of_roots.flat_map(|root| root.topics.into_keys()).chain(of.topics.into_keys()).collect();
            for topic in topics {
                self.forget(&link, &topic);
            }
        }
    }

    /// A device is another.
    pub(super) fn rename(&mut self, from: &DeviceId, into: &DeviceId) {
        for (id, link) in self.keys_of(from) {
            let Some(of) = self.devices.remove(&(id, Arc::clone(&link))) else { continue };
            for topic in of.topics.keys() {
                if let Some(place) = self.places.get_mut(&link).and_then(|topics| topics.get_mut(topic)) {
                    *place = Place::Device(into.clone());
                }
            }
            for root in &of.roots {
                if let Some(root) = self.roots.get_mut(&(Arc::clone(&link), Arc::clone(root))) {
                    root.owner = Some(into.clone());
                }
            }
            let to = self.devices.entry((into.clone(), link)).or_default();
            to.announced_at = to.announced_at.max(of.announced_at);
            to.topics.extend(of.topics);
            to.roots.extend(of.roots);
        }
    }

    fn keys_of(&self, id: &DeviceId) -> Vec<Key> {
        self.devices.range((id.clone(), "".into())..).map(|(key, _)| key).take_while(|(of, _)| of == id).cloned().collect()
    }

    /// What is known of a device.
    pub(super) fn get(&self, key: &Key) -> Option<&OfDevice> {
        self.devices.get(key)
    }

    /// The devices after one, in order.
    pub(super) fn after(&self, after: Option<&Key>) -> impl Iterator<Item = (&Key, &OfDevice)> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.devices.range::<Key, _>((after.map_or(Unbounded, Excluded), Unbounded))
    }

    /// All topics on which something of a device is kept, in order; `now` only those that were heard since its broker was lost last.
    pub(super) fn topics_of(&self, key: &Key, now: bool) -> Vec<(&Arc<str>, Held)> {
        let Some(of) = self.devices.get(key) else { return vec![] };
        let turn = self.turn(&key.1);
        let roots = of.roots.iter().filter_map(|root| self.roots.get(&(Arc::clone(&key.1), Arc::clone(root)))).filter(|root| !root.is_contested);
        let mut all: Vec<_> = of
            .topics
            .iter()
            .chain(roots.flat_map(|root| &root.topics))
            .filter(|(_, held)| !now || held.turn == turn)
            .map(|(topic, held)| (topic, *held))
            .collect();
        all.sort_by_key(|(topic, _)| *topic);
        all
    }

    /// Topics in all.
    #[cfg(test)]
    pub(super) const fn n_topics(&self) -> usize {
        self.n_topics
    }
}
