//! What each kind of component is: the kinds with one value. Those with several have files of their own.

use super::config::Config;
use super::{climate, cover, fan, light};
use crate::control::Control;
use crate::convention::Convention;
use crate::convention::found::FoundEntity;
use crate::convention::speech::{Extract, Form, Map, Part, Read, Scale, Speech};
use crate::entity::EntityKind;

/// The entities of one component: the first is its own, the others have a part of it each. Their keys are what is added to that of the component.
/// `None` for a component that nothing is known of.
///
/// # Errors
/// What is wrong with the configuration.
pub(super) fn describe(component: &str, config: &Config<'_>) -> Result<Option<Vec<FoundEntity>>, String> {
    Ok(Some(match component {
        "sensor" => vec![sensor(config)?],
        "binary_sensor" => vec![binary_sensor(config)?],
        "switch" => vec![switch(config)?],
        "light" => vec![light::light(config)?],
        "number" => vec![number(config)?],
        "select" => vec![select(config)?],
        "text" => vec![text(config)?],
        "button" => vec![button(config, "payload_press", "PRESS")?],
        "scene" => vec![button(config, "payload_on", "ON")?],
        "cover" => cover::cover(config)?,
        "valve" => vec![cover::valve(config)?],
        "climate" => climate::climate(config)?,
        "fan" => fan::fan(config)?,
        "lock" => vec![lock(config)?],
        "event" => vec![event(config)?],
        "device_automation" => vec![device_automation(config)?],
        "update" => update(config)?,
        _ => return Ok(None),
    }))
}

/// An entity, or a further part of one.
pub(super) fn entity(kind: EntityKind, suffix: &str) -> FoundEntity {
    FoundEntity::new("", kind, Speech::new(Convention::HomeAssistant, "", suffix))
}

/// A further part of an entity, under a name of its own.
pub(super) fn part(kind: EntityKind, suffix: &str) -> FoundEntity {
    FoundEntity { id_hint: suffix.to_owned(), name: crate::device::name_from(suffix), ..entity(kind, suffix) }
}

/// A number of the device's scale.
pub(super) const fn plain_number() -> Map {
    Map::Number(Scale { factor: 1.0, offset: 0.0 })
}

/// A word as it is.
pub(super) const fn any_word() -> Form {
    Form::Word { words: vec![], others: true }
}

fn sensor(config: &Config<'_>) -> Result<FoundEntity, String> {
    let mut sensor = entity(EntityKind::Sensor, "");
    let class = config.text("device_class");
    let class = class.as_deref().unwrap_or_default();
    let state_class = config.text("state_class");
    sensor.unit = config.text("unit_of_measurement");
    sensor.precision = config.whole("suggested_display_precision").and_then(|decimals| u8::try_from(decimals).ok());
    sensor.counter = match state_class.as_deref() {
        Some("total" | "total_increasing") => Some(true),
        Some(_) => Some(false),
        None => None,
    };
    let is_text = config.get("options").is_some() || matches!(class, "enum" | "timestamp" | "date" | "uptime");
    let is_number = sensor.unit.is_some() || state_class.is_some() || sensor.precision.is_some() || !class.is_empty();
    let map = match (is_text, is_number) {
        (true, _) => Map::Text,
        (_, true) => plain_number(),
        _ => Map::NumberOrText,
    };
    config.needs_topic("state_topic")?;
    sensor.speech.reads.extend(config.read("state_topic", "value_template", Part::State, map)?);
    sensor.speech.expire_after_s = config.whole("expire_after").filter(|s| *s > 0);
    Ok(sensor)
}

fn binary_sensor(config: &Config<'_>) -> Result<FoundEntity, String> {
    let mut sensor = entity(EntityKind::BinarySensor, "");
    config.needs_topic("state_topic")?;
    let map = on_off(config, ("payload_on", "ON"), ("payload_off", "OFF"))?;
    sensor.speech.reads.extend(config.read("state_topic", "value_template", Part::State, map)?);
    sensor.speech.expire_after_s = config.whole("expire_after").filter(|s| *s > 0);
    sensor.speech.off_delay_s = config.whole("off_delay").filter(|s| *s > 0);
    Ok(sensor)
}

/// What says on and off.
pub(super) fn on_off(config: &Config<'_>, on: (&str, &str), off: (&str, &str)) -> Result<Map, String> {
    let word = |(key, default): (&str, &str)| config.payload(key, default).map(|word| word.unwrap_or_else(|| default.into()));
    Ok(Map::OnOff { on: word(on)?, off: word(off)? })
}

/// What asks for on and off.
pub(super) fn asks_on_off(config: &Config<'_>) -> Result<Form, String> {
    Ok(Form::Word { words: config.payloads(&[("on", "payload_on", "ON"), ("off", "payload_off", "OFF")])?, others: false })
}

fn switch(config: &Config<'_>) -> Result<FoundEntity, String> {
    let mut switch = entity(EntityKind::Switch, "");
    config.needs_topic("command_topic")?;
    // What it is asked is what it says, unless something else is said of it.
    let key = |own: &'static str, asked: &'static str| if config.get(own).is_some() { own } else { asked };
    let map = on_off(config, (key("state_on", "payload_on"), "ON"), (key("state_off", "payload_off"), "OFF"))?;
    switch.speech.reads.extend(config.read("state_topic", "value_template", Part::State, map)?);
    switch.speech.writes.extend(config.write("command_topic", "command_template", Part::State, asks_on_off(config)?)?);
    Ok(switch)
}

fn number(config: &Config<'_>) -> Result<FoundEntity, String> {
    let mut number = entity(EntityKind::Number, "");
    config.needs_topic("command_topic")?;
    number.unit = config.text("unit_of_measurement");
    let (min, max) = (config.number("min").unwrap_or(1.0), config.number("max").unwrap_or(100.0));
    if min > max {
        return Err(format!("min {min} is above max {max}"));
    }
    number.control = Control { min: Some(min), max: Some(max), step: Some(config.number("step").unwrap_or(1.0).abs()), ..Control::default() };
    number.speech.reads.extend(config.read("state_topic", "value_template", Part::State, plain_number())?);
    let form = Form::Number { scale: Scale::default(), whole: false };
    number.speech.writes.extend(config.write("command_topic", "command_template", Part::State, form)?);
    Ok(number)
}

fn select(config: &Config<'_>) -> Result<FoundEntity, String> {
    let mut select = entity(EntityKind::Select, "");
    config.needs_topic("command_topic")?;
    select.control.options = config.words("options");
    if select.control.options.is_empty() {
        return Err("options are missing".to_owned());
    }
    select.speech.reads.extend(config.read("state_topic", "value_template", Part::State, Map::Text)?);
    select.speech.writes.extend(config.write("command_topic", "command_template", Part::State, any_word())?);
    Ok(select)
}

fn text(config: &Config<'_>) -> Result<FoundEntity, String> {
    let mut text = entity(EntityKind::Text, "");
    config.needs_topic("command_topic")?;
    // What is typed unseen is not shown either.
    let is_secret = config.text("mode").as_deref() == Some("password");
    if !is_secret {
        text.speech.reads.extend(config.read("state_topic", "value_template", Part::State, Map::Text)?);
    }
    text.is_hidden = is_secret;
    text.speech.writes.extend(config.write("command_topic", "command_template", Part::State, any_word())?);
    Ok(text)
}

fn button(config: &Config<'_>, payload: &str, default: &str) -> Result<FoundEntity, String> {
    let mut button = entity(EntityKind::Button, "");
    config.needs_topic("command_topic")?;
    let form = Form::Word { words: config.payloads(&[("press", payload, default)])?, others: false };
    button.speech.writes.extend(config.write("command_topic", "command_template", Part::State, form)?);
    Ok(button)
}

fn lock(config: &Config<'_>) -> Result<FoundEntity, String> {
    let mut lock = entity(EntityKind::Lock, "");
    config.needs_topic("command_topic")?;
    let map = config.states(&[
        ("locked", "state_locked", "LOCKED"),
        ("unlocked", "state_unlocked", "UNLOCKED"),
        ("locking", "state_locking", "LOCKING"),
        ("unlocking", "state_unlocking", "UNLOCKING"),
        ("jammed", "state_jammed", "JAMMED"),
    ])?;
    lock.speech.reads.extend(config.read("state_topic", "value_template", Part::State, map)?);
    let words = config.payloads(&[("lock", "payload_lock", "LOCK"), ("unlock", "payload_unlock", "UNLOCK")])?;
    lock.speech.writes.extend(config.write("command_topic", "command_template", Part::State, Form::Word { words, others: false })?);
    Ok(lock)
}

/// What a field of a JSON object says that a template makes, or that is the payload.
pub(super) fn field(template: Option<&str>, name: &str, or_whole: bool) -> Extract {
    Extract::Template(match template {
        Some(template) => format!("{{% set made %}}{template}{{% endset %}}{{{{ made | string | trim | signalbox_field('{name}', {or_whole}) }}}}"),
        None => format!("{{{{ value | signalbox_field('{name}', {or_whole}) }}}}"),
    })
}

/// The type of the last event.
fn event(config: &Config<'_>) -> Result<FoundEntity, String> {
    let mut event = entity(EntityKind::Sensor, "");
    let extract = field(config.template("value_template")?, "event_type", false);
    event.speech.reads.push(Read { topic: config.needs_topic("state_topic")?, part: Part::State, extract, map: Map::Text });
    Ok(event)
}

/// A trigger of a device, such as a button: what was said last where it is told. Several triggers of a device that are told in one place are one.
fn device_automation(config: &Config<'_>) -> Result<FoundEntity, String> {
    let mut trigger = entity(EntityKind::Sensor, "");
    let topic = config.needs_topic("topic")?;
    let extract = config.extract("value_template")?;
    let place = match &extract {
        Extract::Whole => String::new(),
        Extract::Path(path) => path.join("."),
        Extract::Template(template) => template.clone(),
    };
    let last = topic.rsplit('/').next().unwrap_or("action").to_owned();
    trigger.id_hint = if place.is_empty() { last } else { clean_hint(&place) };
    trigger.name = crate::device::name_from(&trigger.id_hint);
    trigger.speech.key = format!("{topic} {}", crate::device::clean_text(&place, 128));
    trigger.speech.reads.push(Read { topic, part: Part::State, extract, map: Map::Text });
    Ok(trigger)
}

/// A name out of a place such as `Switch1.Action`, or of a template.
fn clean_hint(place: &str) -> String {
    if place.contains(['{', ' ']) { "action".to_owned() } else { place.replace('.', "_") }
}

/// The version installed, and the newest one where it is told.
fn update(config: &Config<'_>) -> Result<Vec<FoundEntity>, String> {
    let mut installed = entity(EntityKind::Sensor, "");
    let template = config.template("value_template")?;
    let topic = config.topic("state_topic")?;
    if let Some(topic) = &topic {
        let extract = field(template, "installed_version", true);
        installed.speech.reads.push(Read { topic: topic.clone(), part: Part::State, extract, map: Map::Text });
    }
    let mut latest = part(EntityKind::Sensor, "latest_version");
    latest.is_hidden = true;
    if let Some(topic) = config.topic("latest_version_topic")? {
        let extract = config.extract("latest_version_template")?;
        latest.speech.reads.push(Read { topic, part: Part::State, extract, map: Map::Text });
    } else if let (Some(topic), Some(template)) = (topic, template.filter(|template| template.contains("latest_version"))) {
        latest.speech.reads.push(Read { topic, part: Part::State, extract: field(Some(template), "latest_version", false), map: Map::Text });
    }
    let all = [installed, latest].into_iter().filter(|entity| !entity.speech.reads.is_empty()).collect::<Vec<_>>();
    if all.is_empty() { Err("state_topic is missing".to_owned()) } else { Ok(all) }
}
