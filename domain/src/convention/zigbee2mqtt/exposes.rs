//! From one expose to entities: the generic types. What stands in an expose is the bridge's own description of a property, so that entities are
//! data and nothing else.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::known::{Property, property};
use super::{specific, text};
use crate::control::Control;
use crate::convention::Convention;
use crate::convention::found::FoundEntity;
use crate::convention::speech::{Extract, Form, Map, Part, Presence, PresenceMode, Read, Scale, Speech, Write, scalar_text};
use crate::device::name_from;
use crate::entity::EntityKind;

/// Entities of one device.
const MOST_ENTITIES: usize = 250;
/// Words of one select.
const MOST_OPTIONS: usize = 256;
/// Longest name of a property, in bytes.
const MOST_NAME_BYTES: usize = 128;
/// `access`: the property stands in the published state.
const PUBLISHED: u64 = 1;
/// `access`: it can be set.
const SETTABLE: u64 = 2;
/// Both forms in which it is said whether somebody is there: a word (1.x) and `{"state":"online"}` (2.x).
const AVAILABILITY: &str = "{{ value_json.state | default(value) }}";

/// The entities of one device as they are made.
pub(super) struct Maker<'a> {
    /// The device's address.
    pub(super) device: &'a str,
    /// Where it says its state.
    pub(super) topic: &'a str,
    /// Where it takes what it is asked.
    pub(super) set_topic: &'a str,
    /// Where it is said whether it is there.
    pub(super) presence: Vec<Presence>,
    /// What is made so far.
    pub(super) entities: Vec<FoundEntity>,
    keys: HashSet<String>,
}

/// A generic expose.
#[derive(Clone, Copy)]
pub(super) struct Expose<'a> {
    json: &'a Json,
    /// The object that it stands in, for a part of a composite.
    within: Option<&'a str>,
    /// What it may do where it says nothing: parts of something bigger often do not.
    usual_access: u64,
}

impl<'a> Expose<'a> {
    pub(super) fn new(json: &'a Json) -> Self {
        Self { json, within: None, usual_access: PUBLISHED }
    }

    /// A feature of a light, a cover, a climate.
    pub(super) fn feature(json: &'a Json) -> Self {
        Self { json, within: None, usual_access: PUBLISHED | SETTABLE }
    }

    pub(super) fn name(&self) -> &'a str {
        text(self.json, "name").unwrap_or_default()
    }

    /// The names on the way to it in a message.
    pub(super) fn path(&self) -> Option<Vec<String>> {
        let own = text(self.json, "property").or_else(|| text(self.json, "name"))?;
        let path: Vec<String> = self.within.into_iter().chain([own]).map(str::to_owned).collect();
        path.iter().all(|name| name.len() <= MOST_NAME_BYTES).then_some(path)
    }

    fn access(&self) -> u64 {
        self.json.get("access").and_then(Json::as_u64).unwrap_or(self.usual_access)
    }

    pub(super) fn is_published(&self) -> bool {
        self.access() & PUBLISHED != 0
    }

    pub(super) fn is_settable(&self) -> bool {
        self.access() & SETTABLE != 0
    }

    pub(super) fn number(&self, field: &str) -> Option<f64> {
        self.json.get(field).and_then(Json::as_f64).filter(|n| n.is_finite())
    }

    /// What says on and off.
    pub(super) fn on_off(&self) -> (Json, Json) {
        let said =
            |field: &str, usual: &str| self.json.get(field).filter(|said| scalar_text(said).is_some()).cloned().unwrap_or_else(|| Json::from(usual));
        (said("value_on", "ON"), said("value_off", "OFF"))
    }

    /// The words of an enum.
    pub(super) fn values(&self) -> Vec<Json> {
        let list = self.json.get("values").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter(|value| scalar_text(value).is_some_and(|text| text.len() <= MOST_NAME_BYTES)).take(MOST_OPTIONS).cloned().collect()
    }
}

impl<'a> Maker<'a> {
    pub(super) fn new(device: &'a str, topic: &'a str, set_topic: &'a str, presence: Vec<Presence>) -> Self {
        Self { device, topic, set_topic, presence, entities: vec![], keys: HashSet::new() }
    }

    /// The entities of one expose. `all` are those beside it.
    pub(super) fn take(&mut self, expose: &'a Json, all: &'a [Json]) {
        match text(expose, "type") {
            Some("light") => specific::light(self, expose, all),
            Some("switch") => specific::switch(self, expose),
            Some("fan") => specific::fan(self, expose),
            Some("cover") => specific::cover(self, expose),
            Some("lock") => specific::lock(self, expose),
            Some("climate") => specific::climate(self, expose),
            Some("composite") => self.composite(expose),
            Some(_) => self.generic(Expose::new(expose)),
            None => {}
        }
    }

    /// The parts of a composite that are published: one that can only be set is set as a whole, which no single control can.
    fn composite(&mut self, expose: &'a Json) {
        let Some(within) = text(expose, "property").or_else(|| text(expose, "name")) else { return };
        for feature in features(expose) {
            let part = Expose { json: feature, within: Some(within), usual_access: Expose::new(expose).access() };
            if part.is_published() && text(feature, "type") != Some("composite") {
                self.generic(part);
            }
        }
    }

    /// One property.
    pub(super) fn generic(&mut self, expose: Expose<'a>) {
        let Some(path) = expose.path() else { return };
        let kind = text(expose.json, "type").unwrap_or_default();
        let values = expose.values();
        let is_binary = kind == "binary";
        let Property { class, unit, is_counter, is_inverted, is_hidden } = property(expose.name(), is_binary);
        let (is_published, is_settable) = (expose.is_published(), expose.is_settable());
        let (kind, map, form) = match kind {
            "binary" => {
                let (on, off) = expose.on_off();
                // Bridges say themselves that `false` is on; a description that does not is turned around.
                let (on, off) = if is_inverted && on != Json::Bool(false) { (off, on) } else { (on, off) };
                let kind = if is_settable { EntityKind::Switch } else { EntityKind::BinarySensor };
                (kind, Map::OnOff { on: on.clone(), off: off.clone() }, Form::on_off(on, off))
            }
            "numeric" => {
                let kind = if is_settable { EntityKind::Number } else { EntityKind::Sensor };
                (kind, Map::Number(Scale::default()), Form::Number { scale: Scale::default(), whole: false })
            }
            // A single word that can only be sent is a button.
            "enum" if is_settable && !is_published && values.len() == 1 => {
                let press = values.first().cloned().unwrap_or_default();
                (EntityKind::Button, Map::Text, Form::Word { words: vec![("press".to_owned(), press)], others: false })
            }
            "enum" => {
                let kind = if is_settable { EntityKind::Select } else { EntityKind::Sensor };
                (kind, Map::Text, words_as_they_are(&values))
            }
            "text" => {
                let kind = if is_settable { EntityKind::Text } else { EntityKind::Sensor };
                (kind, Map::Text, Form::Word { words: vec![], others: true })
            }
            "list" if is_published => (EntityKind::Sensor, Map::Text, Form::Word { words: vec![], others: false }),
            _ => return,
        };
        let is_read_only = kind == EntityKind::Sensor || kind == EntityKind::BinarySensor;
        if !(is_published || is_settable && !is_read_only) {
            return;
        }
        let mut speech = self.speech(&path.join("_"));
        if is_published {
            speech.reads.push(self.read(Part::State, path.clone(), map));
        }
        if is_settable && !is_read_only {
            speech.writes.push(self.write(Part::State, path, form));
        }
        let is_number = matches!(kind, EntityKind::Sensor | EntityKind::Number) && values.is_empty();
        let unit = text(expose.json, "unit").or(unit).filter(|_| is_number);
        self.push(FoundEntity {
            unit: unit.map(str::to_owned),
            class: class.filter(|_| kind != EntityKind::Switch).map(str::to_owned),
            counter: is_counter.then_some(true).filter(|_| kind == EntityKind::Sensor),
            // A charge is a diagnosis to bridges of today, and what an operator looks after.
            is_hidden: is_hidden || is_aside(expose.json) && class != Some("battery"),
            control: Control {
                min: expose.number("value_min"),
                max: expose.number("value_max"),
                step: expose.number("value_step").filter(|step| *step > 0.0),
                options: if kind == EntityKind::Select { options(&values) } else { vec![] },
                ..Control::default()
            },
            // A door is called a door, not a contact.
            ..FoundEntity::new(&if is_inverted { String::new() } else { name(expose.json, expose.within) }, kind, speech)
        });
    }

    /// A speech of this device that says nothing yet.
    pub(super) fn speech(&self, key: &str) -> Speech {
        Speech { presence: self.presence.clone(), presence_mode: PresenceMode::All, ..Speech::new(Convention::Zigbee2Mqtt, self.device, key) }
    }

    pub(super) fn read(&self, part: Part, path: Vec<String>, map: Map) -> Read {
        Read { topic: self.topic.to_owned(), part, extract: Extract::Path(path), map }
    }

    pub(super) fn write(&self, part: Part, path: Vec<String>, form: Form) -> Write {
        Write { topic: self.set_topic.to_owned(), part, form: Form::Json { path, form: Box::new(form) }, only_alone: false }
    }

    /// Takes an entity, unless it is one too many or has the key of another.
    pub(super) fn push(&mut self, mut entity: FoundEntity) {
        let is_silent = entity.speech.reads.is_empty() && entity.speech.writes.is_empty();
        if is_silent || self.entities.len() >= MOST_ENTITIES || !self.keys.insert(entity.speech.key.clone()) {
            return;
        }
        entity.id_hint.clone_from(&entity.speech.key);
        self.entities.push(entity);
    }
}

/// Whether it is a setting or a diagnosis.
pub(super) fn is_aside(expose: &Json) -> bool {
    matches!(text(expose, "category"), Some("config" | "diagnostic"))
}

/// The features of something bigger.
pub(super) fn features(expose: &Json) -> &[Json] {
    expose.get("features").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// What an expose is called: `Power on behavior`, with its endpoint where it has one.
pub(super) fn name(expose: &Json, within: Option<&str>) -> String {
    let own = text(expose, "label").map_or_else(|| name_from(text(expose, "name").unwrap_or_default()), str::to_owned);
    let own = within.map_or_else(|| own.clone(), |within| [&name_from(within), " ", &own.to_lowercase()].concat());
    match text(expose, "endpoint") {
        Some(endpoint) if !own.contains(endpoint) => [&own, " (", endpoint, ")"].concat(),
        _ => own,
    }
}

/// Words that mean here what they mean there; those that are no texts go out as what they are.
pub(super) fn words_as_they_are(values: &[Json]) -> Form {
    if values.iter().all(Json::is_string) {
        return Form::Word { words: vec![], others: true };
    }
    let words = values.iter().filter_map(|value| Some((scalar_text(value)?.into_owned(), value.clone())));
    Form::Word { words: words.collect(), others: false }
}

pub(super) fn options(values: &[Json]) -> Vec<String> {
    values.iter().filter_map(|value| scalar_text(value).map(std::borrow::Cow::into_owned)).collect()
}

/// Where it is said whether the owner of a topic, and its bridge, is there.
pub(super) fn presence(base: &str, topic: &str) -> Vec<Presence> {
    [format!("{topic}/availability"), format!("{base}/bridge/state")]
        .into_iter()
        .map(|topic| Presence { extract: Extract::Template(AVAILABILITY.to_owned()), ..Presence::words(&topic, "online", "offline") })
        .collect()
}
