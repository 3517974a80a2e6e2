//! Which topic feeds what: a hash map from exact topics, so that the cost of a message does not grow with the number of devices.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::convention::Convention;
use crate::convention::speech::Speech;
use crate::device::{Device, DeviceId};
use crate::entity::Entity;

/// Most topics remembered as feeding nothing, or a convention and no entity; past it they are looked at again each time. Entities and devices are
/// bounded elsewhere.
const MAX_FREE: usize = 200_000;
/// Leaves that are found by looking at each.
const FEW: usize = 8;

/// What a known topic feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// Readings of entities: by where they stand in the payload.
    Readings(Arc<Feeds>),
    /// The reported state of something that can be set.
    State(usize),
    /// Commands to something that can be set.
    Command(usize),
    /// Whether a device is there.
    Availability(DeviceId),
    /// Entities that a convention describes, and perhaps the convention itself.
    Spoken(Arc<Spoken>),
    /// A convention, and no entity.
    Speaker(Convention),
    /// Nothing.
    Nothing,
}

impl Binding {
    /// The entities that read the topic.
    pub(super) fn entities(&self) -> Vec<usize> {
        match self {
            Self::Readings(feeds) => feeds.entities().collect(),
            Self::State(idx) | Self::Command(idx) => vec![*idx],
            Self::Spoken(spoken) => spoken.all(),
            Self::Availability(_) | Self::Speaker(_) | Self::Nothing => vec![],
        }
    }

    /// Whether it is entities' of whose conventions none was asked whether it wants to hear the topic too.
    pub(super) fn is_unoffered(&self) -> bool {
        matches!(self, Self::Spoken(spoken) if !spoken.is_offered)
    }

    /// The convention that hears each message of the topic.
    pub(super) fn speaker(&self) -> Option<Convention> {
        match self {
            Self::Speaker(of) => Some(*of),
            Self::Spoken(spoken) => spoken.speaker,
            _ => None,
        }
    }
}

/// Who listens to a topic that a convention describes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spoken {
    /// Entities that read values there.
    pub(super) reading: Vec<usize>,
    /// Entities of which it says there whether they are there.
    pub(super) present: Vec<usize>,
    /// Entities of which more is said there than their value.
    pub(super) telling: Vec<usize>,
    /// The convention, which hears each message first.
    pub(super) speaker: Option<Convention>,
    /// The conventions of its entities were asked whether they want to hear more of it than what the entities read.
    pub(super) is_offered: bool,
}

impl Spoken {
    /// The entities of which values or more are read there, each once.
    fn all(&self) -> Vec<usize> {
        let reading: HashSet<usize> = self.reading.iter().copied().collect();
        self.reading.iter().chain(self.telling.iter().filter(|idx| !reading.contains(idx))).copied().collect()
    }

    fn lists(&mut self) -> [&mut Vec<usize>; 3] {
        [&mut self.reading, &mut self.present, &mut self.telling]
    }
}

/// Entities by the leaf that they read; the main value has an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Feeds {
    list: Vec<(Box<str>, usize)>,
    /// The same, once there are many: a wide message must cost no more than its width.
    by_leaf: HashMap<Box<str>, usize>,
}

impl Feeds {
    /// The entity that reads a leaf.
    pub(super) fn find(&self, leaf: &str) -> Option<usize> {
        if self.list.len() > FEW {
            return self.by_leaf.get(leaf).copied();
        }
        self.list.iter().find(|(known, _)| **known == *leaf).map(|(_, idx)| *idx)
    }

    /// All of them, in the order they were found.
    pub(super) fn entities(&self) -> impl Iterator<Item = usize> {
        self.list.iter().map(|(_, idx)| *idx)
    }

    /// Whether there are none left without this one.
    fn remove(&mut self, idx: usize) -> bool {
        self.list.retain(|(_, of)| *of != idx);
        self.by_leaf.retain(|_, of| *of != idx);
        self.list.is_empty()
    }

    fn add(&mut self, leaf: &str, idx: usize) {
        if self.find(leaf).is_some() {
            return;
        }
        self.list.push((leaf.into(), idx));
        match self.list.len() {
            ..=FEW => {}
            n if n == FEW + 1 => self.by_leaf.extend(self.list.iter().cloned()),
            _ => {
                self.by_leaf.insert(leaf.into(), idx);
            }
        }
    }
}

/// All bindings, by broker and topic.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    by_link: HashMap<Arc<str>, HashMap<Arc<str>, Binding>>,
    /// Topics that are remembered without an entity or a device.
    n_free: usize,
    /// Where it is said whether a device is there: to take one out costs no look at all topics.
    availability_of: HashMap<DeviceId, Vec<Arc<str>>>,
}

impl Bindings {
    pub(super) fn find(&self, link: &str, topic: &str) -> Option<&Binding> {
        self.by_link.get(link)?.get(topic)
    }

    pub(super) fn bind(&mut self, link: &str, topic: &Arc<str>, binding: Binding) {
        if binding == Binding::Nothing {
            if self.n_free >= MAX_FREE {
                return;
            }
            self.n_free += 1;
        }
        if let Binding::Availability(device) = &binding {
            self.availability_of.entry(device.clone()).or_default().push(Arc::clone(topic));
        }
        self.of_link(link).insert(Arc::clone(topic), binding);
    }

    pub(super) fn bind_availability(&mut self, device: &Device) {
        for topic in [format!("devices/{}/status", device.id), format!("{}/status", device.topic_root)] {
            let topic: Arc<str> = topic.into();
            self.availability_of.entry(device.id.clone()).or_default().push(Arc::clone(&topic));
            self.of_link(&device.link).entry(topic).or_insert_with(|| Binding::Availability(device.id.clone()));
        }
    }

    pub(super) fn bind_entity(&mut self, entity: &Entity, device: Option<&Device>, idx: usize) {
        self.bind_commands(entity, device, idx);
        if let Some(speech) = entity.speech.as_deref() {
            return self.bind_speech(device.map_or("", |device| device.link.as_str()), speech, idx);
        }
        if entity.state_topic.is_empty() || entity.command_topic.as_ref() == Some(&entity.state_topic) {
            return;
        }
        let topics = self.of_link(device.map_or("", |device| device.link.as_str()));
        let leaf = entity.leaf.as_deref().unwrap_or_default();
        let binding = topics.entry(entity.state_topic.as_str().into()).or_insert(Binding::Nothing);
        match binding {
            Binding::Readings(feeds) => Arc::make_mut(feeds).add(leaf, idx),
            other if entity.command_topic.is_some() && leaf.is_empty() => *other = Binding::State(idx),
            other => {
                let mut feeds = Feeds::default();
                if let Binding::State(whole) = other {
                    feeds.add("", *whole);
                }
                feeds.add(leaf, idx);
                *other = Binding::Readings(Arc::new(feeds));
            }
        }
    }

    /// Where its commands go, nothing else is read.
    pub(super) fn bind_commands(&mut self, entity: &Entity, device: Option<&Device>, idx: usize) {
        let topics = self.of_link(device.map_or("", |device| device.link.as_str()));
        if let Some(speech) = entity.speech.as_deref() {
            for write in &speech.writes {
                let binding = topics.entry(write.topic.as_str().into()).or_insert(Binding::Nothing);
                if *binding == Binding::Nothing {
                    *binding = Binding::Command(idx);
                }
            }
            return;
        }
        for topic in [&entity.command_topic, &entity.control.position_command_topic].into_iter().flatten() {
            topics.insert(topic.as_str().into(), Binding::Command(idx));
        }
    }

    fn bind_speech(&mut self, link: &str, speech: &Speech, idx: usize) {
        let add = |list: &mut Vec<usize>| {
            // What it is bound to already, it was bound to last: a topic may have tens of thousands of readers.
            if list.last() != Some(&idx) {
                list.push(idx);
            }
        };
        for read in &speech.reads {
            add(&mut self.spoken(link, &read.topic).reading);
        }
        for presence in &speech.presence {
            add(&mut self.spoken(link, &presence.topic).present);
        }
        if let Some(source) = &speech.attributes {
            add(&mut self.spoken(link, &source.topic).telling);
        }
    }

    /// Who listens to a topic, in place of what topics alone made of it.
    fn spoken(&mut self, link: &str, topic: &str) -> &mut Spoken {
        let binding = self.of_link(link).entry(topic.into()).or_insert(Binding::Nothing);
        if !matches!(binding, Binding::Spoken(_)) {
            *binding = Binding::Spoken(Arc::new(Spoken { speaker: binding.speaker(), ..Spoken::default() }));
        }
        match binding {
            Binding::Spoken(spoken) => Arc::make_mut(spoken),
            // It was made one above.
            _ => unreachable!("a topic that is spoken on"),
        }
    }

    /// A convention hears each message of a topic from now on.
    pub(super) fn hear(&mut self, link: &str, topic: &Arc<str>, of: Convention) {
        let has_room = self.n_free < MAX_FREE;
        match self.of_link(link).get_mut(topic) {
            Some(Binding::Spoken(spoken)) => Arc::make_mut(spoken).speaker = Some(of),
            Some(other) => *other = Binding::Speaker(of),
            // One too many is offered again each time, and claimed again.
            None if !has_room => {}
            None => {
                self.n_free += 1;
                self.of_link(link).insert(Arc::clone(topic), Binding::Speaker(of));
            }
        }
    }

    /// The conventions of a topic's entities were asked about it, and one of them wants to hear each message, or none.
    pub(super) fn offered(&mut self, link: &str, topic: &str, speaker: Option<Convention>) {
        if let Some(Binding::Spoken(spoken)) = self.by_link.get_mut(link).and_then(|topics| topics.get_mut(topic)) {
            let spoken = Arc::make_mut(spoken);
            (spoken.is_offered, spoken.speaker) = (true, spoken.speaker.or(speaker));
        }
    }

    /// What fed nothing is looked at again.
    pub(super) fn forget_nothing(&mut self) {
        for topics in self.by_link.values_mut() {
            topics.retain(|_, binding| *binding != Binding::Nothing);
        }
        self.n_free = self.by_link.values().flat_map(HashMap::values).filter(|binding| matches!(binding, Binding::Speaker(_))).count();
    }

    /// An entity is not there any more.
    pub(super) fn unbind_entity(&mut self, link: &str, entity: &Entity, idx: usize) {
        let mut topics: Vec<&str> = vec![entity.state_topic.as_str()];
        topics.extend([&entity.command_topic, &entity.control.position_command_topic].into_iter().flatten().map(String::as_str));
        if let Some(speech) = entity.speech.as_deref() {
            topics.extend(speech.heard_topics().map(String::as_str));
            topics.extend(speech.writes.iter().map(|write| write.topic.as_str()));
        }
        let Some(of_link) = self.by_link.get_mut(link) else { return };
        for topic in topics {
            let Some(binding) = of_link.get_mut(topic) else { continue };
            let is_free = match binding {
                Binding::Readings(feeds) => Arc::make_mut(feeds).remove(idx),
                Binding::State(of) | Binding::Command(of) => *of == idx,
                Binding::Spoken(spoken) => {
                    let spoken = Arc::make_mut(spoken);
                    spoken.lists().into_iter().for_each(|list| list.retain(|of| *of != idx));
                    let is_free = spoken.lists().into_iter().all(|list| list.is_empty());
                    if let (true, Some(speaker)) = (is_free, spoken.speaker) {
                        *binding = Binding::Speaker(speaker);
                        continue;
                    }
                    is_free
                }
                Binding::Availability(_) | Binding::Speaker(_) | Binding::Nothing => false,
            };
            if is_free {
                of_link.remove(topic);
            }
        }
    }

    /// A device is not there any more.
    pub(super) fn unbind_device(&mut self, device: &Device) {
        let topics = self.availability_of.remove(&device.id).unwrap_or_default();
        let Some(of_link) = self.by_link.get_mut(device.link.as_str()) else { return };
        for topic in topics {
            if matches!(of_link.get(&topic), Some(Binding::Availability(of)) if *of == device.id) {
                of_link.remove(&topic);
            }
        }
    }

    /// All bindings of a broker.
    pub(super) fn of_broker(&mut self, link: &str) -> impl Iterator<Item = &mut Binding> {
        self.by_link.get_mut(link).into_iter().flat_map(HashMap::values_mut)
    }

    fn of_link(&mut self, link: &str) -> &mut HashMap<Arc<str>, Binding> {
        self.by_link.entry(link.into()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_without_entities_are_remembered_up_to_a_bound() {
        let mut bindings = Bindings::default();
        for n in 0..MAX_FREE + 10 {
            let topic: Arc<str> = format!("spBv1.0/g/NDATA/n{n}").into();
            if n % 2 == 0 {
                bindings.hear("main", &topic, Convention::Sparkplug);
            } else {
                bindings.bind("main", &topic, Binding::Nothing);
            }
        }
        assert_eq!(bindings.by_link["main"].len(), MAX_FREE);
        // What is known already may change its mind, and what fed nothing makes room.
        bindings.hear("main", &"spBv1.0/g/NDATA/n1".into(), Convention::Sparkplug);
        assert_eq!(bindings.find("main", "spBv1.0/g/NDATA/n1"), Some(&Binding::Speaker(Convention::Sparkplug)));
        bindings.forget_nothing();
        assert_eq!(bindings.by_link["main"].len(), MAX_FREE / 2 + 1);
        bindings.hear("main", &"spBv1.0/g/NDATA/late".into(), Convention::Sparkplug);
        assert!(bindings.find("main", "spBv1.0/g/NDATA/late").is_some());
    }
}
