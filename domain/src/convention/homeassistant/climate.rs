//! Heating and cooling.

use super::components::{any_word, entity, part, plain_number};
use super::config::Config;
use crate::control::Control;
use crate::convention::found::FoundEntity;
use crate::convention::speech::{Form, Map, Part, Scale};
use crate::entity::EntityKind;

/// The modes of one that does not say which it has.
const MODES: [&str; 6] = ["auto", "off", "cool", "heat", "dry", "fan_only"];

/// A climate, and what else it measures or lets one set.
pub(super) fn climate(config: &Config<'_>) -> Result<Vec<FoundEntity>, String> {
    let mut climate = entity(EntityKind::Climate, "");
    let is_fahrenheit = config.text("temperature_unit").as_deref() == Some("F");
    let (coldest, hottest) = if is_fahrenheit { (44.6, 95.0) } else { (7.0, 35.0) };
    let (min, max) = (config.number("min_temp").unwrap_or(coldest), config.number("max_temp").unwrap_or(hottest));
    if min > max {
        return Err(format!("min_temp {min} is above max_temp {max}"));
    }
    let modes = config.words("modes");
    climate.control = Control {
        min: Some(min),
        max: Some(max),
        // The step of one that does not say it is that of a page's buttons, not of the device.
        step: config.number("temp_step").filter(|step| *step > 0.0),
        options: if modes.is_empty() { MODES.map(str::to_owned).to_vec() } else { modes },
        ..Control::default()
    };
    let number = || Form::Number { scale: Scale::default(), whole: false };
    for (name, part, map, form) in [
        ("mode", Part::Mode, Map::Text, any_word()),
        ("temperature", Part::Temperature, plain_number(), number()),
        ("fan_mode", Part::FanMode, Map::Text, any_word()),
        ("preset_mode", Part::Preset, Map::Text, any_word()),
    ] {
        // Presets alone call it a value.
        let read_by = if part == Part::Preset { "value_template" } else { "state_template" };
        climate.speech.reads.extend(config.read(&format!("{name}_state_topic"), &format!("{name}_{read_by}"), part, map)?);
        climate.speech.writes.extend(config.write(&format!("{name}_command_topic"), &format!("{name}_command_template"), part, form)?);
    }
    let current = config.read("current_temperature_topic", "current_temperature_template", Part::CurrentTemperature, plain_number())?;
    climate.speech.reads.extend(current);
    if climate.speech.reads.is_empty() && climate.speech.writes.is_empty() {
        return Err("mode_command_topic and temperature_command_topic are missing".to_owned());
    }
    Ok(std::iter::once(climate).chain(further(config)?).collect())
}

fn further(config: &Config<'_>) -> Result<Vec<FoundEntity>, String> {
    let mut all = vec![];
    let mut humidity = part(EntityKind::Sensor, "humidity");
    (humidity.class, humidity.unit) = (Some("humidity".to_owned()), Some("%".to_owned()));
    humidity.speech.reads.extend(config.read("current_humidity_topic", "current_humidity_template", Part::State, plain_number())?);
    all.extend((!humidity.speech.reads.is_empty()).then_some(humidity));

    let mut target = part(EntityKind::Number, "target_humidity");
    let (min, max) = (config.number("min_humidity").unwrap_or(30.0), config.number("max_humidity").unwrap_or(99.0));
    target.unit = Some("%".to_owned());
    target.control = Control { min: Some(min), max: Some(max), ..Control::default() };
    let form = Form::Number { scale: Scale::default(), whole: true };
    target.speech.reads.extend(config.read("target_humidity_state_topic", "target_humidity_state_template", Part::State, plain_number())?);
    target.speech.writes.extend(config.write("target_humidity_command_topic", "target_humidity_command_template", Part::State, form)?);
    all.extend((!target.speech.writes.is_empty()).then_some(target));

    let mut swing = part(EntityKind::Select, "swing_mode");
    let modes = config.words("swing_modes");
    swing.control.options = if modes.is_empty() { ["on", "off"].map(str::to_owned).to_vec() } else { modes };
    swing.speech.reads.extend(config.read("swing_mode_state_topic", "swing_mode_state_template", Part::State, Map::Text)?);
    swing.speech.writes.extend(config.write("swing_mode_command_topic", "swing_mode_command_template", Part::State, any_word())?);
    all.extend((!swing.speech.writes.is_empty()).then_some(swing));
    Ok(all)
}
