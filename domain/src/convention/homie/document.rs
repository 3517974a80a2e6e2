//! Homie 5: a device described by one JSON document.

use serde_json::{Map as Object, Value as Json};

use super::discover::{MOST_PROPERTIES, Node, Property, is_id};
use super::value::Datatype;
use crate::convention::payload::shown;

/// Largest document, in bytes.
pub(super) const MAX_DOCUMENT_BYTES: usize = 512 * 1024;

/// What a document says.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub name: String,
    pub nodes: Vec<Node>,
    /// The device that keeps the connection for it.
    pub root: Option<String>,
    /// The device above it.
    pub parent: Option<String>,
    /// What could not be understood of it.
    pub troubles: Vec<String>,
}

/// Reads a document.
///
/// # Errors
/// Says why it cannot be one.
pub(super) fn read(payload: &[u8]) -> Result<Document, String> {
    if payload.len() > MAX_DOCUMENT_BYTES {
        return Err(format!("a description of {} bytes is too large", payload.len()));
    }
    let json: Json = serde_json::from_slice(payload).map_err(|error| format!("a description cannot be read: {}", shown(&error.to_string())))?;
    let version = json["homie"].as_str().unwrap_or_default();
    if !version.starts_with("5.") && version != "5" {
        return Err(format!("a description is of version \"{}\", expected 5", shown(version)));
    }
    let id = |name: &str| json[name].as_str().filter(|id| is_id(id)).map(str::to_owned);
    let mut document = Document { name: text(&json, "name"), root: id("root"), parent: id("parent"), ..Document::default() };
    let mut room = MOST_PROPERTIES;
    for (id, said) in members(&json["nodes"]) {
        if !is_id(&id) {
            document.troubles.push(format!("\"{}\" is no name of a node", shown(&id)));
            continue;
        }
        let mut node = Node { id, name: text(said, "name"), properties: vec![] };
        for (id, said) in members(&said["properties"]) {
            if room == 0 {
                document.troubles.push(format!("it has more than {MOST_PROPERTIES} properties"));
                break;
            }
            room -= 1;
            match property(&id, said) {
                Ok(property) => node.properties.push(property),
                Err(trouble) => document.troubles.push(trouble),
            }
        }
        document.nodes.push(node);
        if room == 0 {
            break;
        }
    }
    Ok(document)
}

/// Named members: of an object by their names, of a list by their `id`, as drafts wrote it.
fn members(json: &Json) -> Vec<(String, &Json)> {
    let named = |object: &'_ Object<String, Json>| object.get("id").and_then(Json::as_str).map(str::to_owned);
    match json {
        Json::Object(object) => object.iter().map(|(id, of)| (id.clone(), of)).collect(),
        Json::Array(list) => list.iter().filter_map(|of| Some((named(of.as_object()?)?, of))).collect(),
        _ => vec![],
    }
}

fn property(id: &str, said: &Json) -> Result<Property, String> {
    if !is_id(id) {
        return Err(format!("\"{}\" is no name of a property", shown(id)));
    }
    let word = said["datatype"].as_str().unwrap_or_default();
    let datatype = Datatype::parse(word).ok_or_else(|| format!("property {id} has the datatype \"{}\", which is not understood", shown(word)))?;
    Ok(Property {
        id: id.to_owned(),
        name: text(said, "name"),
        datatype,
        format: text(said, "format"),
        unit: text(said, "unit"),
        is_settable: said["settable"] == true,
    })
}

fn text(json: &Json, name: &str) -> String {
    json[name].as_str().unwrap_or_default().to_owned()
}
