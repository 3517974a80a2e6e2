//! Fans: on and off; how fast, which way and in what manner are entities beside it.

use super::components::{any_word, asks_on_off, entity, on_off, part};
use super::config::Config;
use crate::control::Control;
use crate::convention::found::FoundEntity;
use crate::convention::speech::{Form, Map, Part, Scale};
use crate::entity::EntityKind;

pub(super) fn fan(config: &Config<'_>) -> Result<Vec<FoundEntity>, String> {
    let mut fan = entity(EntityKind::Fan, "");
    config.needs_topic("command_topic")?;
    let template = if config.get("state_value_template").is_some() { "state_value_template" } else { "value_template" };
    let map = on_off(config, ("payload_on", "ON"), ("payload_off", "OFF"))?;
    fan.speech.reads.extend(config.read("state_topic", template, Part::State, map)?);
    fan.speech.writes.extend(config.write("command_topic", "command_template", Part::State, asks_on_off(config)?)?);

    let further = [percentage(config)?, preset(config)?, oscillation(config)?, direction(config)?];
    Ok(std::iter::once(fan).chain(further.into_iter().filter(|entity| !entity.speech.writes.is_empty())).collect())
}

fn percentage(config: &Config<'_>) -> Result<FoundEntity, String> {
    // The slowest speed is one step above standing still.
    let (slowest, fastest) = (config.number("speed_range_min").unwrap_or(1.0), config.number("speed_range_max").unwrap_or(100.0));
    if slowest > fastest {
        return Err(format!("speed_range_min {slowest} is above speed_range_max {fastest}"));
    }
    let scale = Scale::between(slowest - 1.0, fastest);
    let mut speed = part(EntityKind::Number, "percentage");
    speed.unit = Some("%".to_owned());
    speed.control = Control { min: Some(0.0), max: Some(100.0), step: Some(1.0), ..Control::default() };
    speed.speech.reads.extend(config.read("percentage_state_topic", "percentage_value_template", Part::State, Map::Number(scale))?);
    let form = Form::Number { scale, whole: true };
    speed.speech.writes.extend(config.write("percentage_command_topic", "percentage_command_template", Part::State, form)?);
    Ok(speed)
}

fn preset(config: &Config<'_>) -> Result<FoundEntity, String> {
    let mut preset = part(EntityKind::Select, "preset_mode");
    preset.control.options = config.words("preset_modes");
    preset.speech.reads.extend(config.read("preset_mode_state_topic", "preset_mode_value_template", Part::State, Map::Text)?);
    preset.speech.writes.extend(config.write("preset_mode_command_topic", "preset_mode_command_template", Part::State, any_word())?);
    Ok(preset)
}

fn oscillation(config: &Config<'_>) -> Result<FoundEntity, String> {
    let mut swing = part(EntityKind::Switch, "oscillation");
    let (on, off) = (("payload_oscillation_on", "oscillate_on"), ("payload_oscillation_off", "oscillate_off"));
    swing.speech.reads.extend(config.read("oscillation_state_topic", "oscillation_value_template", Part::State, on_off(config, on, off)?)?);
    let words = config.payloads(&[("on", on.0, on.1), ("off", off.0, off.1)])?;
    let form = Form::Word { words, others: false };
    swing.speech.writes.extend(config.write("oscillation_command_topic", "oscillation_command_template", Part::State, form)?);
    Ok(swing)
}

fn direction(config: &Config<'_>) -> Result<FoundEntity, String> {
    let mut direction = part(EntityKind::Select, "direction");
    direction.control.options = ["forward", "reverse"].map(str::to_owned).to_vec();
    direction.speech.reads.extend(config.read("direction_state_topic", "direction_value_template", Part::State, Map::Text)?);
    direction.speech.writes.extend(config.write("direction_command_topic", "direction_command_template", Part::State, any_word())?);
    Ok(direction)
}
