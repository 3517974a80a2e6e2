//! Covers, and valves as covers.

use super::components::{entity, field, part};
use super::config::Config;
use crate::control::Control;
use crate::convention::found::FoundEntity;
use crate::convention::speech::{Form, Map, Part, Read, Scale, Write};
use crate::entity::EntityKind;

/// A cover, and its tilt where it has one.
pub(super) fn cover(config: &Config<'_>) -> Result<Vec<FoundEntity>, String> {
    let mut cover = entity(EntityKind::Cover, "");
    let scale = scale(config)?;
    cover.speech.reads.extend(config.read("state_topic", "value_template", Part::State, states(config)?)?);
    let template =
        if config.get("position_template").is_some() || config.get("state_topic").is_some() { "position_template" } else { "value_template" };
    cover.speech.reads.extend(config.read("position_topic", template, Part::Position, Map::Number(scale))?);
    let words = config.payloads(&[("open", "payload_open", "OPEN"), ("close", "payload_close", "CLOSE"), ("stop", "payload_stop", "STOP")])?;
    cover.speech.writes.extend(config.write("command_topic", "command_template", Part::State, Form::Word { words, others: false })?);
    add_position(&mut cover, config, "set_position_topic", "set_position_template", scale)?;
    if cover.speech.writes.is_empty() && cover.speech.reads.is_empty() {
        return Err("command_topic is missing".to_owned());
    }
    Ok(std::iter::once(cover).chain(tilt(config)?).collect())
}

pub(super) fn valve(config: &Config<'_>) -> Result<FoundEntity, String> {
    let mut valve = entity(EntityKind::Cover, "");
    let scale = scale(config)?;
    let reports_position = config.flag("reports_position") == Some(true);
    if let (true, Some(topic)) = (reports_position, config.topic("state_topic")?) {
        // A word says where it goes, a number where it stands, and an object both.
        for (name, part, map) in [("state", Part::State, states(config)?), ("position", Part::Position, Map::Number(scale))] {
            let extract = field(config.template("value_template")?, name, true);
            valve.speech.reads.push(Read { topic: topic.clone(), part, extract, map });
        }
    } else {
        valve.speech.reads.extend(config.read("state_topic", "value_template", Part::State, states(config)?)?);
    }
    let stop = config.payload("payload_stop", "")?.map(|stop| ("stop".to_owned(), stop));
    if reports_position {
        if let (Some(stop), Some(topic)) = (stop, config.topic("command_topic")?) {
            valve.speech.writes.push(Write { topic, part: Part::State, form: Form::Word { words: vec![stop], others: false }, only_alone: false });
        }
        add_position(&mut valve, config, "command_topic", "command_template", scale)?;
        add_ends(&mut valve, config, "command_topic", "command_template", scale)?;
    } else {
        let mut words = config.payloads(&[("open", "payload_open", "OPEN"), ("close", "payload_close", "CLOSE")])?;
        words.extend(stop);
        valve.speech.writes.extend(config.write("command_topic", "command_template", Part::State, Form::Word { words, others: false })?);
    }
    if valve.speech.writes.is_empty() && valve.speech.reads.is_empty() {
        return Err("command_topic is missing".to_owned());
    }
    Ok(valve)
}

/// Per cent of the way from closed to open, whichever of them is the larger number.
fn scale(config: &Config<'_>) -> Result<Scale, String> {
    let (closed, open) = (config.number("position_closed").unwrap_or(0.0), config.number("position_open").unwrap_or(100.0));
    if closed == open { Err(format!("position_closed and position_open are both {open}")) } else { Ok(Scale::between(closed, open)) }
}

fn states(config: &Config<'_>) -> Result<Map, String> {
    config.states(&[
        ("open", "state_open", "open"),
        ("opening", "state_opening", "opening"),
        ("closed", "state_closed", "closed"),
        ("closing", "state_closing", "closing"),
        ("stopped", "state_stopped", "stopped"),
    ])
}

/// Where positions go. One that takes nothing else is opened and closed by them.
fn add_position(cover: &mut FoundEntity, config: &Config<'_>, topic: &str, template: &str, scale: Scale) -> Result<(), String> {
    let form = Form::Number { scale, whole: true };
    cover.speech.writes.extend(config.write(topic, template, Part::Position, form)?);
    if topic != "command_topic" && config.get("command_topic").is_none() {
        add_ends(cover, config, topic, template, scale)?;
    }
    Ok(())
}

fn add_ends(cover: &mut FoundEntity, config: &Config<'_>, topic: &str, template: &str, scale: Scale) -> Result<(), String> {
    #[expect(clippy::cast_possible_truncation, reason = "a float that is too large is held at the largest number")]
    let end = |percent: f64| serde_json::Value::from(scale.device(percent).round() as i64);
    let words = vec![("open".to_owned(), end(100.0)), ("close".to_owned(), end(0.0))];
    cover.speech.writes.extend(config.write(topic, template, Part::State, Form::Word { words, others: false })?);
    Ok(())
}

fn tilt(config: &Config<'_>) -> Result<Option<FoundEntity>, String> {
    let (min, max) = (config.number("tilt_min").unwrap_or(0.0), config.number("tilt_max").unwrap_or(100.0));
    if min == max {
        return Ok(None);
    }
    let scale = Scale::between(min, max);
    let mut tilt = part(EntityKind::Number, "tilt");
    tilt.unit = Some("%".to_owned());
    tilt.control = Control { min: Some(0.0), max: Some(100.0), step: Some(1.0), ..Control::default() };
    tilt.speech.reads.extend(config.read("tilt_status_topic", "tilt_status_template", Part::State, Map::Number(scale))?);
    tilt.speech.writes.extend(config.write("tilt_command_topic", "tilt_command_template", Part::State, Form::Number { scale, whole: true })?);
    Ok((!tilt.speech.writes.is_empty()).then_some(tilt))
}
