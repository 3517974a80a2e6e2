//! Homie 3 and 4: a device described by attributes, each on a topic of its own, in any order.

use std::collections::{BTreeMap, HashSet};

use super::discover::{MOST_PROPERTIES, Node, Property, is_id};
use super::value::Datatype;
use crate::convention::payload::shown;
use crate::device::About;

/// Attributes remembered of one device: as many properties as it may have, with all there is to say of each.
const MOST_ATTRIBUTES: usize = 12_000;
/// Longest attribute, in bytes: the list of properties of a node is the longest there is.
pub(super) const MAX_ATTRIBUTE_BYTES: usize = 32 * 1024;

/// First words of attributes.
const NAMES: [&str; 19] = [
    "$homie",
    "$name",
    "$state",
    "$nodes",
    "$extensions",
    "$implementation",
    "$localip",
    "$mac",
    "$fw",
    "$stats",
    "$type",
    "$properties",
    "$datatype",
    "$format",
    "$settable",
    "$retained",
    "$unit",
    "$array",
    "$online",
];

/// Whether a level is the first of an attribute that these versions know.
pub(super) fn is_attribute(level: &str) -> bool {
    NAMES.contains(&level)
}

/// Whether a node or a property of that name is understood: arrays of version 3, `strip[]`, are not.
fn is_listed(id: &str) -> bool {
    is_id(id) && !id.ends_with("[]")
}

/// What cannot be understood of an attribute.
pub(super) fn trouble_in(path: &str, said: &str) -> Option<String> {
    match path.rsplit('/').next()? {
        "$nodes" | "$properties" => {
            let ids = || said.split(',').map(str::trim).filter(|id| !id.is_empty());
            if ids().count() > MOST_PROPERTIES {
                return Some(format!("{} names more than {MOST_PROPERTIES}", shown(path)));
            }
            let id = ids().find(|id| !is_listed(id))?;
            Some(format!("\"{}\" in {} is nothing that is understood", shown(id), shown(path)))
        }
        "$datatype" if Datatype::parse(said).is_none() && !said.is_empty() => {
            Some(format!("\"{}\" in {} is no datatype that is understood: it is taken for a text", shown(said), shown(path)))
        }
        _ => None,
    }
}

/// Attributes by what follows the device in their topics: `$name`, `lights/$name`, `lights/power/$datatype`.
#[derive(Debug, Default)]
pub(super) struct Tree {
    attributes: BTreeMap<Box<str>, Box<str>>,
    n_bytes: usize,
}

/// What a tree comes to.
#[derive(Debug, Default)]
pub(super) struct Described {
    pub name: String,
    pub nodes: Vec<Node>,
    pub mac: Option<String>,
    pub about: About,
    /// All that it names is described.
    pub is_complete: bool,
}

impl Tree {
    /// Takes up an attribute, or takes it back where it is empty; whether anything is different now.
    pub(super) fn put(&mut self, path: &str, said: &str) -> bool {
        if said.is_empty() {
            let before = self.attributes.remove(path);
            self.n_bytes -= before.as_ref().map_or(0, |before| before.len() + path.len());
            return before.is_some();
        }
        if let Some(known) = self.attributes.get_mut(path) {
            if **known == *said {
                return false;
            }
            self.n_bytes = self.n_bytes - known.len() + said.len();
            *known = said.into();
            return true;
        }
        if self.attributes.len() >= MOST_ATTRIBUTES {
            return false;
        }
        self.n_bytes += path.len() + said.len();
        self.attributes.insert(path.into(), said.into());
        true
    }

    pub(super) const fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    pub(super) fn n_attributes(&self) -> usize {
        self.attributes.len()
    }

    pub(super) fn name(&self) -> &str {
        self.get("$name").unwrap_or_default()
    }

    fn get(&self, path: &str) -> Option<&str> {
        self.attributes.get(path).map(|said| said.trim())
    }

    fn list(&self, path: &str) -> Option<Vec<&str>> {
        let mut seen = HashSet::new();
        Some(self.get(path)?.split(',').map(str::trim).filter(|id| is_listed(id) && seen.insert(*id)).collect())
    }

    /// All that is described so far. Costs as much as the device has attributes.
    pub(super) fn described(&self) -> Described {
        let own = |path: &str| self.get(path).map(str::to_owned);
        let mut described = Described {
            name: own("$name").unwrap_or_default(),
            mac: own("$mac"),
            about: About { model: own("$fw/name"), sw_version: own("$fw/version"), hw_version: own("$implementation"), ..About::default() },
            ..Described::default()
        };
        let nodes = self.list("$nodes");
        described.is_complete = nodes.is_some();
        let mut room = MOST_PROPERTIES;
        for id in nodes.unwrap_or_default() {
            let properties = self.list(&[id, "/$properties"].concat());
            described.is_complete &= properties.is_some();
            let properties = properties.unwrap_or_default();
            let mut node = Node { id: id.to_owned(), name: own(&[id, "/$name"].concat()).unwrap_or_default(), properties: vec![] };
            for property in properties.into_iter().take(room) {
                let (property, is_known) = self.property(id, property);
                described.is_complete &= is_known;
                node.properties.push(property);
            }
            room = room.saturating_sub(node.properties.len());
            described.nodes.push(node);
            if room == 0 {
                break;
            }
        }
        described
    }

    /// A property, and whether its datatype is known. Without one it is a text.
    fn property(&self, node: &str, id: &str) -> (Property, bool) {
        let get = |attribute: &str| self.get(&[node, "/", id, "/", attribute].concat());
        let word = get("$datatype");
        let text = |attribute: &str| get(attribute).unwrap_or_default().to_owned();
        let property = Property {
            id: id.to_owned(),
            name: text("$name"),
            datatype: word.and_then(Datatype::parse).unwrap_or_default(),
            format: text("$format"),
            unit: text("$unit"),
            is_settable: get("$settable") == Some("true"),
        };
        (property, word.is_some())
    }
}
