//! Which topic feeds what: a hash map from exact topics, so that the cost of a message does not grow with the number of devices.

use std::collections::HashMap;
use std::sync::Arc;

use crate::device::{Device, DeviceId};
use crate::entity::Entity;

/// Most topics remembered as feeding nothing; past it they are looked at again each time.
const MAX_NOTHING: usize = 200_000;
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
    /// Nothing.
    Nothing,
}

impl Binding {
    /// The entities that read the topic.
    pub(super) fn entities(&self) -> Vec<usize> {
        match self {
            Self::Readings(feeds) => feeds.entities().collect(),
            Self::State(idx) | Self::Command(idx) => vec![*idx],
            Self::Availability(_) | Self::Nothing => vec![],
        }
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
    n_nothing: usize,
}

impl Bindings {
    pub(super) fn find(&self, link: &str, topic: &str) -> Option<&Binding> {
        self.by_link.get(link)?.get(topic)
    }

    pub(super) fn bind(&mut self, link: &str, topic: &Arc<str>, binding: Binding) {
        if binding == Binding::Nothing {
            if self.n_nothing >= MAX_NOTHING {
                return;
            }
            self.n_nothing += 1;
        }
        self.of_link(link).insert(Arc::clone(topic), binding);
    }

    pub(super) fn bind_availability(&mut self, device: &Device) {
        for topic in [format!("devices/{}/status", device.id), format!("{}/status", device.topic_root)] {
            self.of_link(&device.link).entry(topic.into()).or_insert_with(|| Binding::Availability(device.id.clone()));
        }
    }

    pub(super) fn bind_entity(&mut self, entity: &Entity, device: Option<&Device>, idx: usize) {
        self.bind_commands(entity, device, idx);
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
        for topic in [&entity.command_topic, &entity.control.position_command_topic].into_iter().flatten() {
            topics.insert(topic.as_str().into(), Binding::Command(idx));
        }
    }

    fn of_link(&mut self, link: &str) -> &mut HashMap<Arc<str>, Binding> {
        self.by_link.entry(link.into()).or_default()
    }
}
