//! What Homie describes, as entities: nodes and their properties.

use std::collections::{HashMap, HashSet};

use super::value::{Datatype, class_of, control_of, is_switch_word, map_of, reads_of_color, unit_of, write_of, write_of_color};
use crate::control::Control;
use crate::convention::Convention;
use crate::convention::found::FoundEntity;
use crate::convention::speech::{Extract, Form, Part, Read, Scale, Speech, Write};
use crate::device::name_from;
use crate::entity::EntityKind;

/// Properties of one device that are shown: as many as a device may have entities.
pub(super) const MOST_PROPERTIES: usize = crate::fleet::MAX_ENTITIES_PER_DEVICE;

/// A property as it is described.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Property {
    pub id: String,
    pub name: String,
    pub datatype: Datatype,
    pub format: String,
    pub unit: String,
    pub is_settable: bool,
}

/// A node as it is described.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Node {
    pub id: String,
    pub name: String,
    pub properties: Vec<Property>,
}

/// Whether a text may be a level of a topic that a device names: anything else would be another's topic.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 128 && !text.contains(['/', '+', '#', '$']) && !text.chars().any(char::is_control)
}

/// All entities of a device. `is_5` writes colors and empty texts as Homie 5 does.
pub(super) fn entities(prefix: &str, nodes: &[Node], is_5: bool) -> Vec<FoundEntity> {
    let mut n_named: HashMap<&str, usize> = HashMap::new();
    for property in nodes.iter().flat_map(|node| &node.properties) {
        *n_named.entry(property.id.as_str()).or_default() += 1;
    }
    let mut found = vec![];
    for node in nodes {
        let of = Of { prefix, node, is_only: nodes.len() == 1, is_5 };
        let light = of.light();
        let parts: HashSet<&str> = light.iter().flat_map(Light::properties).collect();
        found.extend(light.as_ref().map(|light| of.light_entity(light)));
        for property in node.properties.iter().filter(|property| !parts.contains(property.id.as_str())) {
            let is_unique = n_named.get(property.id.as_str()) == Some(&1);
            found.push(of.entity(property, is_unique));
        }
    }
    found.truncate(MOST_PROPERTIES);
    found
}

/// A node that is a light: what is on or off, with what makes it more than a switch.
struct Light<'a> {
    on: &'a Property,
    brightness: Option<&'a Property>,
    color: Option<&'a Property>,
}

impl<'a> Light<'a> {
    fn properties(&self) -> impl Iterator<Item = &'a str> {
        [Some(self.on), self.brightness, self.color].into_iter().flatten().map(|property| property.id.as_str())
    }
}

/// Where an entity stands.
struct Of<'a> {
    prefix: &'a str,
    node: &'a Node,
    is_only: bool,
    is_5: bool,
}

impl Of<'_> {
    fn topic(&self, property: &Property) -> String {
        [self.prefix, "/", &self.node.id, "/", &property.id].concat()
    }

    fn node_name(&self) -> String {
        let name = self.node.name.trim();
        if name.is_empty() { name_from(&self.node.id) } else { name.to_owned() }
    }

    fn entity(&self, property: &Property, is_unique: bool) -> FoundEntity {
        let topic = self.topic(property);
        let mut speech = Speech::new(Convention::Homie, self.prefix, &[&self.node.id, "/", &property.id].concat());
        speech.reads.push(Read { topic: topic.clone(), part: Part::State, extract: Extract::Whole, map: map_of(property) });
        let kind = match (property.datatype, property.is_settable) {
            (Datatype::Boolean, true) => EntityKind::Switch,
            (Datatype::Boolean, false) => EntityKind::BinarySensor,
            (_, false) => EntityKind::Sensor,
            (Datatype::Integer | Datatype::Float | Datatype::Percent, true) => EntityKind::Number,
            (Datatype::Enum, true) => EntityKind::Select,
            (_, true) => EntityKind::Text,
        };
        if property.is_settable {
            let form = write_of(property, self.is_5);
            speech.writes.push(Write { topic: [&topic, "/set"].concat(), part: Part::State, form, only_alone: false });
        }
        let own = property.name.trim();
        let own = if own.is_empty() { name_from(&property.id) } else { own.to_owned() };
        let node = self.node_name();
        let name = if self.is_only || own.to_lowercase().starts_with(&node.to_lowercase()) { own } else { format!("{node} {own}") };
        FoundEntity {
            id_hint: if is_unique { property.id.clone() } else { [&self.node.id, "-", &property.id].concat() },
            unit: unit_of(property),
            class: class_of(property, kind),
            precision: (property.datatype == Datatype::Integer).then_some(0),
            control: if property.is_settable { control_of(property) } else { Control::default() },
            // No text for people.
            is_hidden: property.datatype == Datatype::Json,
            ..FoundEntity::new(&name, kind, speech)
        }
    }

    /// The light that a node is: one settable yes or no with the name of a switch, beside something that only lights have.
    fn light(&self) -> Option<Light<'_>> {
        let settable = || self.node.properties.iter().filter(|property| property.is_settable);
        let mut switches = settable().filter(|property| property.datatype == Datatype::Boolean && is_switch_word(&property.id));
        let (on, None) = (switches.next()?, switches.next()) else { return None };
        let is_bright = |property: &&Property| {
            let is_named = matches!(property.id.as_str(), "brightness" | "dim" | "dimmer" | "intensity");
            is_named && matches!(property.datatype, Datatype::Integer | Datatype::Float | Datatype::Percent)
        };
        let brightness = settable().find(is_bright);
        let color = settable().find(|property| property.datatype == Datatype::Color);
        (brightness.is_some() || color.is_some()).then_some(Light { on, brightness, color })
    }

    fn light_entity(&self, light: &Light<'_>) -> FoundEntity {
        let mut speech = Speech::new(Convention::Homie, self.prefix, &self.node.id);
        let mut part = |property: &Property, part: Part, map, form: Form| {
            let topic = self.topic(property);
            speech.writes.push(Write { topic: [&topic, "/set"].concat(), part, form, only_alone: false });
            speech.reads.push(Read { topic, part, extract: Extract::Whole, map });
        };
        part(light.on, Part::State, map_of(light.on), write_of(light.on, self.is_5));
        if let Some(brightness) = light.brightness {
            let control = control_of(brightness);
            let scale = Scale::between(control.min.unwrap_or(0.0), control.max.unwrap_or(100.0));
            let whole = brightness.datatype == Datatype::Integer;
            part(brightness, Part::Brightness, crate::convention::speech::Map::Number(scale), Form::Number { scale, whole });
        }
        if let Some(color) = light.color {
            let mut maps = reads_of_color(color, self.is_5).into_iter();
            if let Some(map) = maps.next() {
                part(color, Part::Color, map, write_of_color(color, self.is_5));
            }
            let topic = self.topic(color);
            speech.reads.extend(maps.map(|map| Read { topic: topic.clone(), part: Part::Color, extract: Extract::Whole, map }));
        }
        let hint = if self.is_only { "light" } else { &self.node.id };
        FoundEntity { id_hint: hint.to_owned(), ..FoundEntity::new(&self.node_name(), EntityKind::Light, speech) }
    }
}
