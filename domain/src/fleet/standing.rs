//! How an entity stands, for those who wonder why there is no data.

use crate::convention::found::identifier;
use crate::convention::speech::{Form, Part};
use crate::device::Device;
use crate::entity::EntityId;
use crate::time::Timestamp;

use super::Fleet;

/// How an entity stands. Of a group there is none: it is worked out from others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The topics that it reads, each once; empty for one that reports no state.
    pub topics: Vec<String>,
    /// Where in a payload its value stands; `None` takes the whole payload.
    pub leaf: Option<String>,
    /// When the last live message fed it; `None` before the first since the start.
    pub heard_at: Option<Timestamp>,
    /// How long it may be silent, in milliseconds; `None` for states that are sent when they change.
    pub late_after_ms: Option<i64>,
    /// The topics on which it is said whether it is there. Where a convention does not name them, those of the device by custom.
    pub presence: Vec<String>,
    /// It is said of this entity that it is not there, whatever its device is.
    pub is_absent: bool,
    /// It is shown nowhere unasked, because too many came that nobody has claimed.
    pub is_unlisted: bool,
    /// Somebody or its convention wants it out of the overview.
    pub is_hidden: bool,
}

impl Fleet {
    /// How an entity stands.
    #[must_use]
    pub fn standing(&self, id: &EntityId) -> Option<Standing> {
        let slot = self.by_id.get(id).and_then(|&idx| self.slots.get(idx))?;
        let entity = &slot.entity;
        let mut standing = Standing {
            leaf: entity.leaf.clone(),
            heard_at: slot.heard_at(),
            late_after_ms: slot.late_after_ms(),
            is_absent: slot.is_absent,
            is_unlisted: !slot.is_listed,
            is_hidden: entity.hidden,
            ..Standing::default()
        };
        let device = self.devices.get(&entity.device);
        let of_device = device.map(|device| [format!("devices/{}/status", device.id), format!("{}/status", device.topic_root)]);
        match entity.speech.as_deref() {
            Some(speech) => {
                each_once(&mut standing.topics, speech.reads.iter().map(|read| read.topic.as_str()));
                each_once(&mut standing.presence, speech.presence.iter().map(|presence| presence.topic.as_str()));
            }
            None => each_once(&mut standing.presence, of_device.iter().flatten().map(String::as_str)),
        }
        if !entity.state_topic.is_empty() {
            each_once(&mut standing.topics, std::iter::once(entity.state_topic.as_str()));
        }
        Some(standing)
    }

    /// The words that may be asked for a part of an entity; `None` where it cannot be asked for, and none where any word may be.
    #[must_use]
    pub fn words_of(&self, id: &EntityId, part: Part) -> Option<Vec<String>> {
        let slot = self.by_id.get(id).and_then(|&idx| self.slots.get(idx))?;
        let write = slot.entity.speech.as_deref()?.writes.iter().find(|write| write.part == part)?;
        Some(words(&write.form))
    }

    /// The device of a broker that is known by an identifier, whichever convention writes it. Looks at each device.
    #[must_use]
    pub fn device_known_as(&self, link: &str, text: &str) -> Option<&Device> {
        let plain = identifier(text);
        let is_it = |known: &String| *known == text || *known == plain;
        self.devices.values().find(|device| device.link == link && device.identifiers.iter().any(is_it))
    }
}

fn words(form: &Form) -> Vec<String> {
    match form {
        Form::Word { words, .. } => words.iter().map(|(ours, _)| ours.clone()).collect(),
        Form::Json { form, .. } | Form::Rpc { form, .. } | Form::Made { form, .. } => words(form),
        _ => vec![],
    }
}

fn each_once<'a>(to: &mut Vec<String>, topics: impl Iterator<Item = &'a str>) {
    for topic in topics {
        if !to.iter().any(|known| known == topic) {
            to.push(topic.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fleet::Settings;
    use crate::input::{Input, Message};

    fn message(topic: &str, payload: &str) -> Input {
        Input::Message(Message { link: "main".into(), topic: topic.into(), payload: Arc::from(payload.as_bytes()), qos: 1, retained: false })
    }

    #[test]
    fn an_entity_says_what_it_reads_and_when_it_was_heard() {
        let (mut fleet, id) = (Fleet::new(Settings::default()), EntityId::parse("node.temperature").expect("id"));
        assert_eq!(fleet.standing(&id), None);
        let mut out = vec![];
        for n in 0..5 {
            fleet.apply(message("sensors/node/temperature", &n.to_string()), Timestamp::from_ms(n * 5_000), &mut out);
        }
        let standing = fleet.standing(&id).expect("known");
        assert_eq!(standing.topics, ["sensors/node/temperature"]);
        assert_eq!((standing.heard_at, standing.late_after_ms), (Some(Timestamp::from_ms(20_000)), Some(20_000)));
        assert_eq!(standing.presence, ["devices/node/status", "sensors/node/status"]);
        assert!(!standing.is_absent && !standing.is_unlisted && !standing.is_hidden);
        assert_eq!(fleet.words_of(&id, Part::Mode), None);
    }

    #[test]
    fn words_are_found_wherever_a_form_holds_them() {
        let form = Form::Word { words: vec![("eco".into(), "E".into()), ("away".into(), "A".into())], others: false };
        assert_eq!(words(&form.at("preset")), ["eco", "away"]);
        assert!(words(&Form::Mired).is_empty());
    }
}
