//! Who announced what: an entity is there as long as one topic announces it. All of it is bounded.

use std::collections::HashMap;
use std::sync::Arc;

use super::discover::Announced;
use crate::convention::found::Finding;

/// Topics that are remembered, and entities that they announce.
const MOST: usize = 60_000;
/// Bytes of how entities are read and commanded, in all.
const MOST_BYTES: usize = 128 * 1024 * 1024;

/// One entity that a topic announces.
#[derive(Clone, Debug)]
struct Own {
    /// The component of the device; empty where the topic is about one alone.
    component: Box<str>,
    device: Arc<str>,
    key: Box<str>,
    /// What its speech takes, in bytes.
    n_bytes: usize,
}

/// Who announced what.
#[derive(Debug, Default)]
pub(super) struct Memory {
    by_topic: HashMap<Box<str>, Vec<Own>>,
    /// How many topics announce an entity, by device and key.
    n_topics: HashMap<String, u32>,
    n_entities: usize,
    n_bytes: usize,
}

impl Memory {
    /// A topic announces a device. What it announced before and does not any more is gone; components that it leaves out stay.
    ///
    /// # Errors
    /// There is no room for more.
    pub(super) fn announce(&mut self, topic: &str, announced: Announced, out: &mut Vec<Finding>) -> Result<(), &'static str> {
        let Announced { device, components, removed, .. } = announced;
        if components.is_empty() && removed.is_empty() {
            return Ok(());
        }
        let name: Arc<str> = device.device.as_str().into();
        let weights: HashMap<&str, usize> = device.entities.iter().map(|entity| (entity.speech.key.as_str(), weight(entity))).collect();
        let new: Vec<Own> = components
            .iter()
            .flat_map(|(component, keys)| keys.iter().map(move |key| (component, key)))
            .map(|(component, key)| Own {
                component: component.as_str().into(),
                device: Arc::clone(&name),
                key: key.as_str().into(),
                n_bytes: weights.get(key.as_str()).copied().unwrap_or_default(),
            })
            .collect();
        let is_named = |own: &Own| components.iter().any(|(id, _)| **id == *own.component) || removed.iter().any(|id| **id == *own.component);
        let before = self.by_topic.get(topic).map(Vec::as_slice).unwrap_or_default();
        let (old, kept): (Vec<Own>, Vec<Own>) = if components.len() + removed.len() > 8 {
            let ids: std::collections::HashSet<&str> =
                components.iter().map(|(id, _)| id.as_str()).chain(removed.iter().map(String::as_str)).collect();
            before.iter().cloned().partition(|own| ids.contains(&*own.component))
        } else {
            before.iter().cloned().partition(is_named)
        };
        let more_bytes: usize = new.iter().map(|own| own.n_bytes).sum();
        if self.n_entities + new.len() > MOST + old.len() || (before.is_empty() && self.by_topic.len() >= MOST) {
            return Err("there are too many configurations");
        }
        if self.n_bytes + more_bytes > MOST_BYTES {
            return Err("the configurations take too much room");
        }
        new.iter().for_each(|own| self.count(own));
        let mut all = kept;
        all.extend(new);
        if all.is_empty() {
            self.by_topic.remove(topic);
        } else {
            self.by_topic.insert(topic.into(), all);
        }
        for own in old {
            if self.discount(&own) {
                out.push(Finding::EntityGone { device: own.device.as_ref().to_owned(), key: own.key.into_string() });
            }
        }
        if !device.entities.is_empty() {
            out.push(Finding::Device(Box::new(device)));
        }
        Ok(())
    }

    /// A topic takes back all that it announced.
    pub(super) fn forget(&mut self, topic: &str, out: &mut Vec<Finding>) {
        for own in self.by_topic.remove(topic).unwrap_or_default() {
            if self.discount(&own) {
                out.push(Finding::EntityGone { device: own.device.as_ref().to_owned(), key: own.key.into_string() });
            }
        }
    }

    /// A topic has no say any more in what it announced, which stays.
    pub(super) fn release(&mut self, topic: &str) {
        for own in self.by_topic.remove(topic).unwrap_or_default() {
            self.discount(&own);
        }
    }

    fn count(&mut self, own: &Own) {
        *self.n_topics.entry(name_of(own)).or_default() += 1;
        self.n_entities += 1;
        self.n_bytes += own.n_bytes;
    }

    /// One topic less announces an entity; whether none does any more.
    fn discount(&mut self, own: &Own) -> bool {
        self.n_entities -= 1;
        self.n_bytes -= own.n_bytes;
        let name = name_of(own);
        match self.n_topics.get_mut(&name) {
            Some(n) if *n > 1 => {
                *n -= 1;
                false
            }
            _ => self.n_topics.remove(&name).is_some(),
        }
    }
}

fn name_of(own: &Own) -> String {
    [&*own.device, "\n", &*own.key].concat()
}

/// What an entity takes that is kept of it, in bytes.
fn weight(entity: &crate::convention::found::FoundEntity) -> usize {
    let options: usize = entity.control.options.iter().map(String::len).sum();
    serde_json::to_vec(&entity.speech).map_or(0, |json| json.len()) + options
}
