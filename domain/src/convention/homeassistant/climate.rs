//! Heating and cooling.

use super::components::{any_word, asks_on_off, entity, part, plain_number};
use super::config::Config;
use crate::control::Control;
use crate::convention::found::FoundEntity;
use crate::convention::speech::{Form, Map, Part, Read, Scale};
use crate::entity::EntityKind;

/// The modes of one that does not say which it has.
const MODES: [&str; 6] = ["auto", "off", "cool", "heat", "dry", "fan_only"];

/// The fan's modes of one that does not say which it has.
const FAN_MODES: [&str; 4] = ["auto", "low", "medium", "high"];

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
    let presets = std::iter::once("none".to_owned()).chain(config.words("preset_modes")).collect();
    for (name, part, map, form) in [
        ("mode", Part::Mode, Map::Text, any_word()),
        ("temperature", Part::Temperature, plain_number(), number()),
        ("fan_mode", Part::FanMode, Map::Text, listed(words_or(config, "fan_modes", &FAN_MODES))),
        ("preset_mode", Part::Preset, Map::Text, listed(presets)),
    ] {
        // Presets alone call it a value.
        let read_by = if part == Part::Preset { "value_template" } else { "state_template" };
        climate.speech.reads.extend(read(config, &format!("{name}_state_topic"), &format!("{name}_{read_by}"), part, map)?);
        climate.speech.writes.extend(config.write(&format!("{name}_command_topic"), &format!("{name}_command_template"), part, form)?);
    }
    let current = read(config, "current_temperature_topic", "current_temperature_template", Part::CurrentTemperature, plain_number())?;
    climate.speech.reads.extend(current);
    if climate.speech.reads.is_empty() && climate.speech.writes.is_empty() {
        return Err("mode_command_topic and temperature_command_topic are missing".to_owned());
    }
    let unit = if is_fahrenheit { "°F" } else { "°C" };
    let limits = climate.control.clone();
    Ok(std::iter::once(climate).chain(bounds(config, &limits, unit)?).chain(further(config)?).collect())
}

/// Where a part is read. A template that is said for none of them is that of all.
fn read(config: &Config<'_>, topic: &str, template: &str, part: Part, map: Map) -> Result<Option<Read>, String> {
    config.read(topic, if config.get(template).is_some() { template } else { "value_template" }, part, map)
}

fn number() -> Form {
    Form::Number { scale: Scale::default(), whole: false }
}

/// Words that are offered; others may be asked for too.
fn listed(words: Vec<String>) -> Form {
    Form::Word { words: words.into_iter().map(|word| (word.clone(), word.into())).collect(), others: true }
}

fn words_or(config: &Config<'_>, key: &str, usual: &[&str]) -> Vec<String> {
    let words = config.words(key);
    if words.is_empty() { usual.iter().map(|word| (*word).to_owned()).collect() } else { words }
}

/// Of one that both heats and cools: the temperatures between which it does neither.
fn bounds(config: &Config<'_>, limits: &Control, unit: &str) -> Result<Vec<FoundEntity>, String> {
    let mut all = vec![];
    for name in ["temperature_low", "temperature_high"] {
        let mut bound = part(EntityKind::Number, name);
        (bound.class, bound.unit) = (Some("temperature".to_owned()), Some(unit.to_owned()));
        bound.control = Control { min: limits.min, max: limits.max, step: limits.step, ..Control::default() };
        bound.speech.reads.extend(read(config, &format!("{name}_state_topic"), &format!("{name}_state_template"), Part::State, plain_number())?);
        bound.speech.writes.extend(config.write(&format!("{name}_command_topic"), &format!("{name}_command_template"), Part::State, number())?);
        all.extend((!bound.speech.writes.is_empty()).then_some(bound));
    }
    Ok(all)
}

fn further(config: &Config<'_>) -> Result<Vec<FoundEntity>, String> {
    let mut all = vec![];
    let mut action = part(EntityKind::Sensor, "action");
    action.speech.reads.extend(read(config, "action_topic", "action_template", Part::State, Map::Text)?);
    all.extend((!action.speech.reads.is_empty()).then_some(action));

    let mut power = part(EntityKind::Switch, "power");
    power.speech.writes.extend(config.write("power_command_topic", "power_command_template", Part::State, asks_on_off(config)?)?);
    all.extend((!power.speech.writes.is_empty()).then_some(power));

    let mut humidity = part(EntityKind::Sensor, "humidity");
    (humidity.class, humidity.unit) = (Some("humidity".to_owned()), Some("%".to_owned()));
    humidity.speech.reads.extend(read(config, "current_humidity_topic", "current_humidity_template", Part::State, plain_number())?);
    all.extend((!humidity.speech.reads.is_empty()).then_some(humidity));

    let mut target = part(EntityKind::Number, "target_humidity");
    let (min, max) = (config.number("min_humidity").unwrap_or(30.0), config.number("max_humidity").unwrap_or(99.0));
    target.unit = Some("%".to_owned());
    target.control = Control { min: Some(min), max: Some(max), ..Control::default() };
    let form = Form::Number { scale: Scale::default(), whole: true };
    target.speech.reads.extend(read(config, "target_humidity_state_topic", "target_humidity_state_template", Part::State, plain_number())?);
    target.speech.writes.extend(config.write("target_humidity_command_topic", "target_humidity_command_template", Part::State, form)?);
    all.extend((!target.speech.writes.is_empty()).then_some(target));

    for name in ["swing_mode", "swing_horizontal_mode"] {
        let mut swing = part(EntityKind::Select, name);
        swing.control.options = words_or(config, &format!("{name}s"), &["on", "off"]);
        swing.speech.reads.extend(read(config, &format!("{name}_state_topic"), &format!("{name}_state_template"), Part::State, Map::Text)?);
        swing.speech.writes.extend(config.write(&format!("{name}_command_topic"), &format!("{name}_command_template"), Part::State, any_word())?);
        all.extend((!swing.speech.writes.is_empty()).then_some(swing));
    }
    Ok(all)
}
