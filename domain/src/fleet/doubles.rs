//! What two conventions say of one thing: it is there once. Who says more of it (the later of [`Convention`]'s kinds) describes it.

use crate::convention::Convention;
use crate::convention::found::FoundDevice;
use crate::convention::speech::{Extract, Form, Part, Read, Speech, Write};
use crate::device::DeviceId;
use crate::entity::Entity;

use super::Fleet;
use super::binding::Binding;
use super::findings::stem_of;

/// Entities of one topic that are looked at: a topic may have tens of thousands.
const MOST_LOOKS: usize = 16;

impl Fleet {
    /// Whether an entity of another convention is the same thing.
    pub(super) fn is_double(&self, idx: usize, speech: &Speech) -> bool {
        let Some(slot) = self.slots.get(idx) else { return false };
        let Some(other) = slot.entity.speech.as_deref() else { return is_plain_double(&slot.entity, speech) };
        if other.convention == speech.convention {
            return false;
        }
        match (speech.reads.is_empty(), other.reads.is_empty()) {
            (false, false) => speech.reads.iter().any(|read| other.reads.iter().any(|known| is_same_place(read, known))),
            (true, true) => speech.writes.iter().any(|write| other.writes.iter().any(|known| is_same_wish(write, known))),
            _ => false,
        }
    }

    pub(super) fn says_more(&self, idx: usize, speech: &Speech) -> bool {
        self.slots.get(idx).and_then(|slot| slot.entity.speech.as_deref()).is_none_or(|known| speech.convention > known.convention)
    }

    /// The device that topics alone made, under the name that a device has which announces itself now and speaks on its topics.
    pub(super) fn find_namesake(&self, link: &str, found: &FoundDevice) -> Option<DeviceId> {
        let id = DeviceId::slug(&stem_of(found));
        let device = self.devices.get(&id).filter(|device| device.identifiers.is_empty() && device.link == link)?;
        let is_its_own = |topic: &String| {
            let Some(binding) = self.bindings.find(link, topic) else { return false };
            match binding {
                Binding::Availability(of) => *of == id,
                other => other.entities().iter().any(|&idx| self.slots.get(idx).is_some_and(|slot| slot.entity.device == id)),
            }
        };
        let speaks = |speech: &Speech| {
            let topics = speech.reads.iter().map(|read| &read.topic).chain(speech.presence.iter().map(|presence| &presence.topic));
            topics.chain(speech.writes.iter().map(|write| &write.topic)).any(is_its_own)
        };
        found.entities.iter().take(MOST_LOOKS).any(|entity| speaks(&entity.speech)).then(|| device.id.clone())
    }

    /// The device of another convention that says in the same place whether it is there, or what it measures. Of those that announce themselves to
    /// Home Assistant under a name that their own topics do not tell, nothing else is the same.
    pub(super) fn find_by_topics(&self, link: &str, found: &FoundDevice) -> Option<DeviceId> {
        found.entities.iter().find_map(|entity| {
            let speech = &entity.speech;
            let presence = speech.presence.iter().map(|presence| &presence.topic);
            let topics = presence.chain(speech.reads.iter().map(|read| &read.topic));
            topics.take(MOST_LOOKS).find_map(|topic| {
                let Some(Binding::Spoken(spoken)) = self.bindings.find(link, topic) else { return None };
                let present = spoken.present.iter().take(MOST_LOOKS).map(|idx| (idx, true));
                present.chain(spoken.reading.iter().take(MOST_LOOKS).map(|idx| (idx, false))).find_map(|(idx, says_presence)| {
                    let other = &self.slots.get(*idx)?.entity;
                    let convention = other.speech.as_deref()?.convention;
                    let is_meeting = has_own_presence(speech.convention) && convention == Convention::HomeAssistant
                        || has_own_presence(convention) && speech.convention == Convention::HomeAssistant;
                    let is_one = is_meeting && (says_presence || speech.presence.is_empty() && self.is_double(*idx, speech));
                    is_one.then(|| other.device.clone())
                })
            })
        })
    }
}

/// Whether topics alone made an entity of what is described now. One that nobody had claimed is gone already.
fn is_plain_double(entity: &Entity, speech: &Speech) -> bool {
    let stands_at = |extract: &Extract| match (extract, entity.leaf.as_deref()) {
        (Extract::Whole, None) => true,
        (Extract::Path(path), Some(leaf)) => path.join(".") == leaf,
        _ => false,
    };
    !entity.state_topic.is_empty() && speech.reads.iter().any(|read| read.topic == entity.state_topic && stands_at(&read.extract))
}

/// Whether a device of the convention says on a topic of its own whether it is there, which no other device reads.
const fn has_own_presence(convention: Convention) -> bool {
    matches!(convention, Convention::EspHome | Convention::Tasmota | Convention::Shelly)
}

/// Whether a part is read in the same place.
fn is_same_place(one: &Read, other: &Read) -> bool {
    if one.part != other.part {
        return false;
    }
    if one.topic == other.topic {
        return one.extract == other.extract || is_made_of(&one.extract, &other.extract) || is_made_of(&other.extract, &one.extract);
    }
    is_below(one, other) || is_below(other, one)
}

/// Zigbee2MQTT says `action` in the state of its device, and on a topic of its own below.
fn is_below(whole: &Read, own: &Read) -> bool {
    let Extract::Path(path) = &whole.extract else { return false };
    own.extract == Extract::Whole
        && whole.part == Part::State
        && matches!(path.as_slice(), [name] if name == "action" && own.topic.strip_prefix(whole.topic.as_str()) == Some("/action"))
}

/// Whether a template makes something of what stands in one place, and of nothing else: `heating` of what the device calls `heat`.
fn is_made_of(template: &Extract, place: &Extract) -> bool {
    let (Extract::Template(template), Extract::Path(path)) = (template, place) else { return false };
    let [name] = path.as_slice() else { return false };
    let mut names = template.split("value_json").skip(1).map(named).peekable();
    names.peek().is_some() && names.all(|named| named == Some(name))
}

/// The name behind `value_json`: `.state` or `['state']`, and nothing further inside.
fn named(rest: &str) -> Option<&str> {
    let (name, after) = if let Some(rest) = rest.strip_prefix('.') {
        rest.split_at(rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len()))
    } else {
        let quoted = rest.strip_prefix('[')?;
        let quote = quoted.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (name, after) = quoted.get(1..)?.split_once(quote)?;
        (name, after.strip_prefix(']')?)
    };
    (!after.starts_with(['.', '['])).then_some(name)
}

/// Whether the same is asked in the same way. Zigbee2MQTT takes `{"identify":…}` on `…/set` and the bare word on `…/set/identify`.
fn is_same_wish(one: &Write, other: &Write) -> bool {
    if one.part != other.part {
        return false;
    }
    let bare = |whole: &Write, own: &Write| {
        let Form::Json { path, form } = &whole.form else { return false };
        **form == own.form && own.topic.strip_prefix(whole.topic.as_str()).and_then(|rest| rest.strip_prefix('/')) == Some(path.join("/").as_str())
    };
    (one.topic == other.topic && one.form == other.form) || bare(one, other) || bare(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_makes_something_of_one_place_is_about_it() {
        let place = Extract::key("running_state");
        for (template, is_about_it) in [
            ("{% set values = {'idle':'off','heat':'heating'} %}{{ values[value_json.running_state] }}", true),
            ("{{ value_json['running_state'] | default('idle') }}", true),
            ("{{ value_json.running_state if value_json.running_state in ['a'] else '' }}", true),
            ("{{ value_json.running_state }}{{ value_json.mode }}", false),
            ("{{ value_json.running_state.word }}", false),
            ("{{ value_json[name] }}", false),
            ("{{ value_json }}", false),
            ("{{ value }}", false),
        ] {
            assert_eq!(is_made_of(&Extract::Template(template.to_owned()), &place), is_about_it, "{template}");
        }
    }
}
