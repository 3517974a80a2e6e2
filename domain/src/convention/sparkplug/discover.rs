//! Births: what a node or a device has.
//!
//! Everything in Sparkplug may be written, but few things are meant to be. What can be set here is what its own properties say so of
//! (`writable: true`, `readOnly: false`), and what stands below `Outputs/` and is not said to be read only; the Booleans of `Node Control/` and
//! `Device Control/` are buttons. All else is measured.

use std::collections::HashMap;

use super::datatype::{DataType, Shape};
use super::decode::Properties;
use super::message::{Metric, MetricValue, Payload};
use super::structure::is_definition;
use super::topic::{command_topic, root};
use crate::control::Control;
use crate::convention::Convention;
use crate::convention::found::{Finding, FoundDevice, FoundEntity};
use crate::convention::payload::shown;
use crate::convention::speech::{Form, Part, Speech, Write};
use crate::device::About;
use crate::entity::EntityKind;
use crate::fleet::MAX_ENTITIES_PER_DEVICE;

/// The number of a session, which births and deaths of one share.
pub(super) const BD_SEQ: &str = "bdSeq";
/// Longest name of a metric, in bytes.
const LONGEST_NAME: usize = 512;
/// What is asked of a node or a device itself.
const CONTROLS: [&str; 2] = ["Node Control/", "Device Control/"];
/// What is said of a node or a device itself.
const DETAILS: [&str; 4] = ["Properties/", "Node Info/", "Device Info/", "Node Properties/"];
/// What may be set unless it is said otherwise.
const OUTPUTS: &str = "Outputs/";

/// Who says something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Who<'a> {
    /// The group of nodes.
    pub(super) group: &'a str,
    /// The node.
    pub(super) node: &'a str,
    /// The device; `None` for the node itself.
    pub(super) device: Option<&'a str>,
}

impl Who<'_> {
    /// As the device is called for good: `<group>/<node>[/<device>]`.
    pub(super) fn identity(self) -> String {
        match self.device {
            Some(device) => [self.group, self.node, device].join("/"),
            None => [self.group, self.node].join("/"),
        }
    }
}

/// What is known of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// Its data type by number.
    pub(super) datatype: u32,
    /// Whether an entity is made of it that has a value.
    pub(super) is_shown: bool,
}

/// The metrics of a node or a device, as its last birth named them.
#[derive(Clone, Debug, Default)]
pub(super) struct Metrics {
    by_name: HashMap<String, Known>,
    by_alias: HashMap<u64, String>,
}

impl Metrics {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// The one that a message means, by name or alias.
    pub(super) fn find<'a>(&'a self, metric: &'a Metric) -> Option<(&'a str, Known)> {
        let name = match metric.name.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => name,
            None => self.by_alias.get(&metric.alias?)?,
        };
        self.by_name.get(name).map(|known| (name, *known))
    }
}

/// What a birth says: the device with its entities, and its metrics. A metric that cannot be one is told and left out.
pub(super) fn birth(who: Who<'_>, payload: &Payload, out: &mut Vec<Finding>) -> (FoundDevice, Metrics) {
    let identity = who.identity();
    let name = who.device.unwrap_or(who.node);
    let mut metrics = Metrics::default();
    let mut found = FoundDevice {
        identifiers: vec![identity.clone()],
        name: name.to_owned(),
        id_hint: name.to_owned(),
        topic_root: root(who.group),
        is_whole: true,
        ..FoundDevice::default()
    };
    found.about.via = who.device.map(|_| Who { device: None, ..who }.identity());
    // Of two with one name the last is meant.
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut n_left = 0;
    for metric in &payload.metrics {
        let Some(name) = metric.name.as_deref().filter(|name| !name.is_empty()) else {
            out.push(Finding::Trouble(format!("{}: a metric of the birth has no name", shown(&identity))));
            continue;
        };
        if name.len() > LONGEST_NAME {
            out.push(Finding::Trouble(format!("{}: the name of \"{}\" is longer than {LONGEST_NAME} bytes", shown(&identity), shown(name))));
            continue;
        }
        if !metrics.by_name.contains_key(name) && metrics.len() >= MAX_ENTITIES_PER_DEVICE {
            n_left += 1;
            continue;
        }
        let datatype = DataType::number_of(metric.datatype, metric.value.as_ref());
        let entity = entity(who, &identity, name, datatype, metric);
        let is_shown = entity.as_ref().is_some_and(|entity| entity.kind != EntityKind::Button);
        metrics.by_name.insert(name.to_owned(), Known { datatype, is_shown });
        if let Some(alias) = metric.alias {
            metrics.by_alias.insert(alias, name.to_owned());
        }
        tell(&mut found.about, name, metric);
        match (entity, places.get(name)) {
            (Some(entity), Some(&place)) => found.entities[place] = entity,
            (Some(entity), None) => {
                places.insert(name, found.entities.len());
                found.entities.push(entity);
            }
            (None, _) => {}
        }
    }
    if n_left > 0 {
        out.push(Finding::Trouble(format!("{}: no room for {n_left} of its metrics: {MAX_ENTITIES_PER_DEVICE} are read", shown(&identity))));
    }
    found.device = identity;
    (found, metrics)
}

/// What becomes of a metric; `None` for what is none of the operator's business: the number of the session, and the types of templates.
fn entity(who: Who<'_>, identity: &str, name: &str, datatype: u32, metric: &Metric) -> Option<FoundEntity> {
    let is_type = matches!(&metric.value, Some(MetricValue::Template(bytes)) if is_definition(bytes));
    if name == BD_SEQ || is_type {
        return None;
    }
    let properties = Properties::of(metric);
    let kind_of = DataType::of(datatype);
    let is_control = CONTROLS.iter().any(|controls| name.starts_with(controls));
    let is_button = is_control && kind_of == DataType::Boolean;
    // Moments, tables and bytes are nothing that somebody types in.
    let can_be_set = kind_of.shape() != Shape::Text || kind_of == DataType::Text;
    let is_settable = can_be_set && (is_button || is_writable(name, &properties));
    let kind = match (kind_of.shape(), is_settable) {
        _ if is_button => EntityKind::Button,
        (Shape::Number, true) => EntityKind::Number,
        (Shape::Boolean, true) => EntityKind::Switch,
        (Shape::Text, true) => EntityKind::Text,
        (Shape::Boolean, false) => EntityKind::BinarySensor,
        (Shape::Number | Shape::Text, false) => EntityKind::Sensor,
    };
    let mut speech = Speech::new(Convention::Sparkplug, identity, name);
    if is_settable {
        let form = Form::Sparkplug { metric: name.to_owned(), datatype };
        speech.writes.push(Write { topic: command_topic(who.group, who.node, who.device), part: Part::State, form, only_alone: false });
    }
    let short = name.rsplit('/').find(|part| !part.trim().is_empty()).unwrap_or(name);
    Some(FoundEntity {
        id_hint: name.to_owned(),
        unit: properties.text(&["engunit", "engineeringunits", "engineeringunit", "unit", "units"]),
        class: (kind_of == DataType::DateTime).then(|| "timestamp".to_owned()),
        is_hidden: is_control || DETAILS.iter().any(|details| name.starts_with(details)),
        // That a button was pressed, no state says.
        is_assumed: is_button,
        control: if kind == EntityKind::Number { limits(kind_of) } else { Control::default() },
        ..FoundEntity::new(short, kind, speech)
    })
}

fn is_writable(name: &str, properties: &Properties) -> bool {
    match (properties.yes("writable"), properties.yes("readonly")) {
        (_, Some(true)) | (Some(false), _) => false,
        (Some(true), _) | (_, Some(false)) => true,
        (None, None) => name.starts_with(OUTPUTS),
    }
}

/// What its data type can hold. The engineering limits of a birth are those of a scale, and often defaults that nobody has set: they bind nobody.
fn limits(datatype: DataType) -> Control {
    let DataType::Integer(integer) = datatype else { return Control::default() };
    let range = integer.range();
    let max = (integer.bits() < 64).then_some(range.end - 1.0);
    Control { min: max.map(|_| range.start).or((!integer.is_signed()).then_some(0.0)), max, step: Some(1.0), ..Control::default() }
}

/// What a node or a device says of itself in metrics whose names are custom: `Properties/Hardware Make`.
fn tell(about: &mut About, name: &str, metric: &Metric) {
    let (true, Some(MetricValue::String(said))) = (DETAILS.iter().any(|details| name.starts_with(details)), &metric.value) else { return };
    let last = name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase().replace(['_', '-'], " ");
    let last = last.trim_start_matches("node ").trim_start_matches("device ");
    let field = match last {
        "hardware make" | "manufacturer" | "make" => &mut about.manufacturer,
        "hardware model" | "model" => &mut about.model,
        "fw" | "fw version" | "firmware version" | "software version" | "sw version" => &mut about.sw_version,
        "hw version" | "hardware version" => &mut about.hw_version,
        "serial number" | "hardware serial number" => &mut about.serial_number,
        _ => return,
    };
    *field = Some(said.chars().take(200).collect());
}
