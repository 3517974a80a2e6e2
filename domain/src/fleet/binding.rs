//! Which topic feeds what: a hash map from exact topics, so that the cost of a message does not grow with the number of devices.

use std::collections::HashMap;
use std::sync::Arc;

use crate::device::{Device, DeviceId};
use crate::entity::Entity;

/// Most topics remembered as feeding nothing; past it they are looked at again each time.
const MAX_NOTHING: usize = 200_000;

/// What a known topic feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// Readings of entities: by where they stand in the payload.
    Readings(Vec<(Option<String>, usize)>),
    /// The reported state of something that can be set.
    State(usize),
    /// Commands to something that can be set.
    Command(usize),
    /// Whether a device is there.
    Availability(DeviceId),
    /// Nothing.
    Nothing,
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

    pub(super) fn bind(&mut self, link: &str, topic: &str, binding: Binding) {
        if binding == Binding::Nothing {
            if self.n_nothing >= MAX_NOTHING {
                return;
            }
            self.n_nothing += 1;
        }
        self.of_link(link).insert(topic.into(), binding);
    }

    pub(super) fn bind_availability(&mut self, device: &Device) {
        for topic in [format!("devices/{}/status", device.id), format!("{}/status", device.topic_root)] {
            self.of_link(&device.link).entry(topic.into()).or_insert_with(|| Binding::Availability(device.id.clone()));
        }
    }

    pub(super) fn bind_entity(&mut self, entity: &Entity, device: Option<&Device>, idx: usize) {
        let link = device.map_or("", |device| device.link.as_str()).to_owned();
        let topics = self.of_link(&link);
        let Some(command_topic) = &entity.command_topic else {
            match topics.entry(entity.state_topic.as_str().into()).or_insert_with(|| Binding::Readings(vec![])) {
                Binding::Readings(feeds) => feeds.push((entity.leaf.clone(), idx)),
                other => *other = Binding::Readings(vec![(entity.leaf.clone(), idx)]),
            }
            return;
        };
        topics.insert(command_topic.as_str().into(), Binding::Command(idx));
        if entity.state_topic != *command_topic {
            topics.insert(entity.state_topic.as_str().into(), Binding::State(idx));
        }
    }

    fn of_link(&mut self, link: &str) -> &mut HashMap<Arc<str>, Binding> {
        self.by_link.entry(link.into()).or_default()
    }
}
