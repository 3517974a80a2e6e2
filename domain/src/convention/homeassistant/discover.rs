//! From a configuration to a device with its entities.

use serde_json::{Map as Object, Value as Json};

use super::abbreviations::{long, long_of_device};
use super::config::Config;
use super::{availability, components};
use crate::convention::found::{FoundDevice, FoundEntity, identifier};
use crate::convention::payload::shown;
use crate::convention::speech::Source;
use crate::device::{About, slug};

/// Keys of the root that hold for each component of a device.
const SHARED: [&str; 13] = [
    "availability",
    "availability_mode",
    "availability_template",
    "availability_topic",
    "payload_available",
    "payload_not_available",
    "origin",
    "command_topic",
    "state_topic",
    "qos",
    "encoding",
    "json_attributes_topic",
    "json_attributes_template",
];
/// Most components of one message.
const MOST_COMPONENTS: usize = 1_000;
/// Longest identifier that is remembered, in bytes.
const MAX_IDENTIFIER_BYTES: usize = 200;
/// Most of them.
const MOST_IDENTIFIERS: usize = 16;

/// Where a configuration stands: `<prefix>/<component>/[<node_id>/]<object_id>/config`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) prefix: &'a str,
    pub(super) component: &'a str,
    /// The node and the object: `kitchen/lamp`.
    pub(super) path: &'a str,
}

impl Place<'_> {
    fn object(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }
}

/// What a configuration says.
#[derive(Debug, Default)]
pub(super) struct Announced {
    pub(super) device: FoundDevice,
    /// By component, which is empty where the message is about one alone: the keys of its entities, which are in `device`.
    pub(super) components: Vec<(String, Vec<String>)>,
    /// Components that are taken back.
    pub(super) removed: Vec<String>,
    /// Components of which nothing could be made, and why.
    pub(super) refused: Vec<Refused>,
}

/// Why nothing could be made of a component.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Nobody knows of such.
    Unknown(String),
    /// Something is wrong with it.
    Bad(String),
}

/// Reads a configuration.
pub(super) fn read(place: Place<'_>, object: &Object<String, Json>) -> Announced {
    let root = Config::new(object, long, None, place.prefix);
    let described = root.get("device").and_then(Json::as_object).map(|device| Config::new(device, long_of_device, None, place.prefix));
    let mut announced = Announced { device: device(place, &root, described.as_ref()), ..Announced::default() };
    match root.get("components").and_then(Json::as_object) {
        Some(all) if place.component == "device" => {
            for (id, component) in all.iter().take(MOST_COMPONENTS) {
                add_component(&mut announced, place, id, component, &root);
            }
            if all.len() > MOST_COMPONENTS {
                announced.refused.push(Refused::Bad(format!("it has more than {MOST_COMPONENTS} components")));
            }
        }
        _ if place.component == "device" => announced.refused.push(Refused::Bad("it has no components".to_owned())),
        _ => add(&mut announced, place, ("", place.component), &root),
    }
    announced.device.topic_root = root_of(&announced.device, &root);
    announced
}

fn add_component(announced: &mut Announced, place: Place<'_>, id: &str, component: &Json, root: &Config<'_>) {
    if id.len() > MAX_IDENTIFIER_BYTES {
        announced.refused.push(Refused::Bad(format!("the name of component \"{}\" is too long", shown(id))));
        return;
    }
    let Some(object) = component.as_object() else {
        announced.refused.push(Refused::Bad(format!("component \"{}\" is no object", shown(id))));
        return;
    };
    let mut config = Config::new(object, long, Some(root), place.prefix);
    let Some(kind) = config.text("platform") else {
        announced.refused.push(Refused::Bad(format!("component \"{}\" has no platform", shown(id))));
        return;
    };
    if config.has_only(&["platform"]) {
        announced.removed.push(id.to_owned());
        return;
    }
    for key in SHARED {
        config.share(root, key);
    }
    add(announced, place, (id, &kind), &config);
}

/// Takes up one component.
fn add(announced: &mut Announced, place: Place<'_>, (id, kind): (&str, &str), config: &Config<'_>) {
    let named = |why: String| if id.is_empty() { why } else { format!("component \"{}\": {why}", shown(id)) };
    match entities(place, (id, kind), config, &announced.device) {
        Ok(Some(entities)) => {
            let keys = entities.iter().map(|entity| entity.speech.key.clone()).collect();
            let twice = announced.components.iter().any(|(_, known): &(String, Vec<String>)| known.iter().any(|key| *key == entities[0].speech.key));
            if twice && kind != "device_automation" {
                announced.refused.push(Refused::Bad(named("its unique_id is that of another".to_owned())));
                return;
            }
            announced.components.push((id.to_owned(), keys));
            if !twice {
                announced.device.entities.extend(entities);
            }
        }
        Ok(None) => announced.refused.push(Refused::Unknown(kind.to_owned())),
        Err(why) => announced.refused.push(Refused::Bad(named(why))),
    }
}

/// The entities of a component, with all that is said of each whatever it is.
fn entities(place: Place<'_>, (id, kind): (&str, &str), config: &Config<'_>, device: &FoundDevice) -> Result<Option<Vec<FoundEntity>>, String> {
    let Some(mut entities) = components::describe(kind, config)? else { return Ok(None) };
    let unique = config.text("unique_id");
    if unique.as_ref().is_some_and(|unique| unique.len() > MAX_IDENTIFIER_BYTES) {
        return Err(format!("unique_id has more than {MAX_IDENTIFIER_BYTES} bytes"));
    }
    let path = || if id.is_empty() { place.path.to_owned() } else { [place.path, "/", id].concat() };
    let own = [kind, " ", &unique.unwrap_or_else(path)].concat();
    let category = config.text("entity_category");
    let is_hidden = matches!(category.as_deref(), Some("config" | "diagnostic")) || config.flag("enabled_by_default") == Some(false);
    let name = config.text("name");
    let part_of_name = name.as_deref().map(|name| without_device(name, &device.name)).unwrap_or_default();
    let hint = hint(config, part_of_name, kind, device);
    for (n, entity) in entities.iter_mut().enumerate() {
        let speech = &mut entity.speech;
        speech.device.clone_from(&device.device);
        availability::add(speech, config, place.prefix)?;
        speech.attributes = config
            .topic("json_attributes_topic")?
            .map(|topic| config.extract("json_attributes_template").map(|extract| Source { topic, extract }))
            .transpose()?;
        speech.key = match (kind, speech.key.as_str()) {
            // Several of them are one, whatever each is called.
            ("device_automation", key) => [kind, " ", key].concat(),
            (_, "") => own.clone(),
            (_, suffix) => [&own, " ", suffix].concat(),
        };
        entity.is_hidden |= is_hidden;
        if kind == "device_automation" {
            continue;
        }
        if n == 0 {
            entity.class = config.text("device_class");
            entity.id_hint.clone_from(&hint);
            // Without a name it has that of its device; one that only forgot to say it has that of its class.
            part_of_name.clone_into(&mut entity.name);
            if config.is_null("name") || (name.is_some() && part_of_name.is_empty()) {
                entity.name.clone_from(&device.name);
            }
        } else if !part_of_name.is_empty() {
            entity.name = [part_of_name, " ", &entity.name.to_lowercase()].concat();
            entity.id_hint = [&hint, "_", &entity.id_hint].concat();
        }
    }
    Ok(Some(entities))
}

/// What the id of an entity is made of.
fn hint(config: &Config<'_>, part_of_name: &str, kind: &str, device: &FoundDevice) -> String {
    let wanted = config.text("default_entity_id").map(|id| id.split_once('.').map_or(id.clone(), |(_, key)| key.to_owned()));
    let wanted = wanted.or_else(|| config.text("object_id")).map(|id| slug(&id));
    let own = wanted.as_deref().map(|id| without_device(id, &slug(&device.name)).to_owned());
    let class = || config.text("device_class").filter(|class| !class.is_empty());
    let candidates = [own, Some(part_of_name.to_owned())];
    let given = candidates.into_iter().flatten().find(|text| !text.is_empty());
    given.or_else(class).unwrap_or_else(|| if kind == "valve" { "valve".to_owned() } else { kind.to_owned() })
}

/// A name without that of its device in front, which says nothing beside it.
fn without_device<'a>(name: &'a str, device: &str) -> &'a str {
    if device.is_empty() {
        return name;
    }
    let Some((front, rest)) = name.split_at_checked(device.len()) else { return name };
    let is_border = rest.is_empty() || rest.starts_with([' ', '_', '-', ':']);
    if front.eq_ignore_ascii_case(device) && is_border { rest.trim_start_matches([' ', '_', '-', ':']).trim() } else { name }
}

/// The device that a configuration is about. One that names none is a device of its own.
fn device(place: Place<'_>, root: &Config<'_>, described: Option<&Config<'_>>) -> FoundDevice {
    let mut found = FoundDevice::default();
    let mut known: Vec<String> = vec![];
    if let Some(device) = described {
        let texts = |key: &str| match device.get(key) {
            Some(Json::Array(list)) => list.iter().take(MOST_IDENTIFIERS).cloned().collect(),
            Some(one) => vec![one.clone()],
            None => vec![],
        };
        let short = |json: &Json| {
            let text = crate::convention::speech::scalar_text(json)?.trim().to_owned();
            (!text.is_empty() && text.len() <= MAX_IDENTIFIER_BYTES).then_some(text)
        };
        known.extend(texts("identifiers").iter().filter_map(short));
        // Pairs of what it is and the address: `["mac","02:5b:…"]`.
        known.extend(texts("connections").iter().filter_map(|pair| short(pair.as_array()?.get(1)?)));
        found.name = device.text("name").unwrap_or_default();
        found.suggested_area = device.text("suggested_area");
        found.about = About {
            manufacturer: device.text("manufacturer"),
            model: device.text("model").or_else(|| device.text("model_id")),
            sw_version: device.text("sw_version"),
            hw_version: device.text("hw_version"),
            serial_number: device.text("serial_number"),
            configuration_url: device.text("configuration_url"),
            via: device.text("via_device").map(|via| identifier(&via)),
        };
    }
    found.device = match (known.first(), root.text("unique_id").filter(|unique| unique.len() <= MAX_IDENTIFIER_BYTES)) {
        (Some(first), _) => first.clone(),
        (None, Some(unique)) => [place.component, " ", &unique].concat(),
        (None, None) => [place.component, "/", place.path].concat(),
    };
    found.identifiers = known;
    if found.name.is_empty() {
        let of_entity = || if found.identifiers.is_empty() { root.text("name") } else { None };
        let object = || crate::device::name_from(place.object());
        found.name = of_entity().or_else(|| found.identifiers.first().cloned()).unwrap_or_else(object);
    }
    found.id_hint.clone_from(&found.name);
    found
}

/// The beginning of a device's topics: what `~` stands for, else what its first topic stands under.
fn root_of(device: &FoundDevice, root: &Config<'_>) -> String {
    let own = root.base().filter(|base| base.len() <= crate::topic::MAX_TOPIC_BYTES).map(str::to_owned);
    own.unwrap_or_else(|| {
        let speech = device.entities.first().map(|entity| &entity.speech);
        let topic =
            speech.and_then(|speech| speech.reads.first().map(|read| &read.topic).or_else(|| speech.writes.first().map(|write| &write.topic)));
        topic.map(|topic| topic.rsplit_once('/').map_or(topic.clone(), |(root, _)| root.to_owned())).unwrap_or_default()
    })
}
