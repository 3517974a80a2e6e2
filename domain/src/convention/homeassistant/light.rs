//! Lights, in the three schemas that there are.

use super::components::{any_word, asks_on_off, entity, on_off};
use super::config::Config;
use crate::convention::found::FoundEntity;
use crate::convention::speech::{ColorForm, Extract, Form, Map, Part, Read, Scale, Write};
use crate::convention::template::MAX_TEMPLATE_BYTES;
use crate::entity::EntityKind;

pub(super) fn light(config: &Config<'_>) -> Result<FoundEntity, String> {
    let light = entity(EntityKind::Light, "");
    config.needs_topic("command_topic")?;
    match config.text("schema").as_deref() {
        None | Some("basic" | "default") => basic(config, light),
        Some("json") => json(config, light),
        Some("template") => template(config, light),
        Some(other) => Err(format!("schema \"{}\" is not known", crate::convention::payload::shown(other))),
    }
}

/// Per cent of the device's scale of brightness.
fn brightness_scale(config: &Config<'_>) -> Scale {
    Scale::percent_of(config.number("brightness_scale").filter(|most| *most > 0.0).unwrap_or(255.0))
}

const fn whole(scale: Scale) -> Form {
    Form::Number { scale, whole: true }
}

/// Warmth in mireds, unless it says that it is in kelvin.
fn warmth(config: &Config<'_>) -> (Map, Form) {
    let plain = Scale { factor: 1.0, offset: 0.0 };
    if config.flag("color_temp_kelvin") == Some(true) { (Map::Number(plain), whole(plain)) } else { (Map::Mired, Form::Mired) }
}

/// A topic for each part.
fn basic(config: &Config<'_>, mut light: FoundEntity) -> Result<FoundEntity, String> {
    let state_by = if config.get("state_value_template").is_some() { "state_value_template" } else { "value_template" };
    let map = on_off(config, ("payload_on", "ON"), ("payload_off", "OFF"))?;
    light.speech.reads.extend(config.read("state_topic", state_by, Part::State, map)?);
    let scale = brightness_scale(config);
    let mut looks = vec![];
    looks.extend(config.write("brightness_command_topic", "brightness_command_template", Part::Brightness, whole(scale))?);
    light.speech.reads.extend(config.read("brightness_state_topic", "brightness_value_template", Part::Brightness, Map::Number(scale))?);
    let (map, form) = warmth(config);
    looks.extend(config.write("color_temp_command_topic", "color_temp_command_template", Part::ColorTemp, form)?);
    light.speech.reads.extend(config.read("color_temp_state_topic", "color_temp_value_template", Part::ColorTemp, map)?);
    for (name, form) in [
        ("rgb", ColorForm::RgbText),
        ("rgbw", ColorForm::RgbText),
        ("rgbww", ColorForm::RgbText),
        ("hs", ColorForm::HsText),
        ("xy", ColorForm::XyText),
    ] {
        light.speech.reads.extend(config.read(&format!("{name}_state_topic"), &format!("{name}_value_template"), Part::Color, Map::Color(form))?);
        // One way of asking for a color is enough.
        if !looks.iter().any(|write: &Write| write.part == Part::Color)
            && let Some(topic) = config.topic(&format!("{name}_command_topic"))?
        {
            let form = match (config.template(&format!("{name}_command_template"))?, name) {
                (Some(template), _) => Form::Template(template.to_owned()),
                // Their whites stay dark.
                (None, "rgbw") => Form::Template("{{ red }},{{ green }},{{ blue }},0".to_owned()),
                (None, "rgbww") => Form::Template("{{ red }},{{ green }},{{ blue }},0,0".to_owned()),
                (None, _) => Form::Color(form),
            };
            looks.push(Write { topic, part: Part::Color, form, only_alone: false });
        }
    }
    light.speech.reads.extend(config.read("color_mode_state_topic", "color_mode_value_template", Part::ColorMode, Map::Text)?);
    looks.extend(config.write("effect_command_topic", "effect_command_template", Part::Effect, any_word())?);
    light.speech.reads.extend(config.read("effect_state_topic", "effect_value_template", Part::Effect, Map::Text)?);
    let topic = config.needs_topic("command_topic")?;
    let state = Write { topic, part: Part::State, form: asks_on_off(config)?, only_alone: false };
    let writes = &mut light.speech.writes;
    match config.text("on_command_type").as_deref() {
        Some("first") => {
            writes.push(state);
            writes.append(&mut looks);
        }
        Some("brightness") if config.get("brightness_command_topic").is_some() => {
            // A brightness is all that turns it on: with none asked for, the full one.
            let full = Form::Word { words: vec![("on".to_owned(), full(scale))], others: false };
            let on = config.write("brightness_command_topic", "brightness_command_template", Part::State, full)?;
            writes.append(&mut looks);
            writes.extend(on.map(|on| Write { only_alone: true, ..on }));
            let off = Form::Word { words: config.payloads(&[("off", "payload_off", "OFF")])?, others: false };
            writes.push(Write { form: off, ..state });
        }
        _ => {
            writes.append(&mut looks);
            writes.push(state);
        }
    }
    Ok(light)
}

fn full(scale: Scale) -> serde_json::Value {
    #[expect(clippy::cast_possible_truncation, reason = "a float that is too large is held at the largest number")]
    let full = scale.device(100.0).round() as i64;
    full.into()
}

/// All parts in one JSON object.
fn json(config: &Config<'_>, mut light: FoundEntity) -> Result<FoundEntity, String> {
    let modes = config.words("supported_color_modes");
    let has = |mode: &str| modes.iter().any(|known| known == mode) || config.flag(mode) == Some(true);
    let has_color = ["rgb", "rgbw", "rgbww", "hs", "xy"].into_iter().any(has);
    let is_dimmed = config.flag("brightness") == Some(true) || modes.iter().any(|mode| mode != "onoff") || has_color;
    let (warm, warm_form) = warmth(config);
    let scale = brightness_scale(config);
    let color = match () {
        () if has("rgb") => ColorForm::Rgb,
        () if has("rgbww") => ColorForm::Rgbww,
        () if has("rgbw") => ColorForm::Rgbw,
        () if has("hs") => ColorForm::Hs,
        () => ColorForm::Xy,
    };
    let on_off = Map::OnOff { on: "ON".into(), off: "OFF".into() };
    let parts = [
        (true, "state", Part::State, on_off, Form::on_off("ON", "OFF")),
        (is_dimmed, "brightness", Part::Brightness, Map::Number(scale), whole(scale)),
        (has("color_temp"), "color_temp", Part::ColorTemp, warm, warm_form),
        (has_color, "color", Part::Color, Map::Color(color), Form::Color(color)),
        (config.flag("effect") == Some(true) || config.get("effect_list").is_some(), "effect", Part::Effect, Map::Text, any_word()),
    ];
    let (state_topic, command_topic) = (config.topic("state_topic")?, config.needs_topic("command_topic")?);
    for (_, name, part, map, form) in parts.into_iter().filter(|(is_there, ..)| *is_there) {
        light.speech.reads.extend(state_topic.clone().map(|topic| Read { topic, part, extract: Extract::key(name), map }));
        light.speech.writes.push(Write { topic: command_topic.clone(), part, form: form.at(name), only_alone: false });
    }
    if has_color && has("color_temp") {
        let mode = state_topic.map(|topic| Read { topic, part: Part::ColorMode, extract: Extract::key("color_mode"), map: Map::Text });
        light.speech.reads.extend(mode);
    }
    let seconds = Form::Number { scale: Scale::default(), whole: false };
    light.speech.writes.push(Write { topic: command_topic, part: Part::Transition, form: seconds.at("transition"), only_alone: false });
    Ok(light)
}

/// What templates make of it, both ways.
fn template(config: &Config<'_>, mut light: FoundEntity) -> Result<FoundEntity, String> {
    let needs = |key: &str| config.template(key)?.map(str::to_owned).ok_or_else(|| format!("{key} is missing"));
    let (on, off) = (needs("command_on_template")?, needs("command_off_template")?);
    let (map, _) = warmth(config);
    let scale = brightness_scale(config);
    let on_off = Map::OnOff { on: "on".into(), off: "off".into() };
    let mut parts = vec![];
    for (key, part, map) in [
        ("state_template", Part::State, on_off),
        ("brightness_template", Part::Brightness, Map::Number(scale)),
        ("color_temp_template", Part::ColorTemp, map),
        ("effect_template", Part::Effect, Map::Text),
    ] {
        parts.extend(config.template(key)?.map(|template| (part, crate::convention::template::extract(template), map)));
    }
    if let (Some(red), Some(green), Some(blue)) =
        (config.template("red_template")?, config.template("green_template")?, config.template("blue_template")?)
    {
        let all = [red, ",", green, ",", blue].concat();
        if all.len() > MAX_TEMPLATE_BYTES {
            return Err(format!("red_template, green_template and blue_template have more than {MAX_TEMPLATE_BYTES} bytes"));
        }
        parts.push((Part::Color, Extract::Template(all), Map::Color(ColorForm::RgbText)));
    }
    let command_topic = config.needs_topic("command_topic")?;
    // What can be read can be asked for, and what the template asks for by its name.
    let asks = |part: Part, name: &str| parts.iter().any(|(known, ..)| *known == part) || on.contains(name);
    let beside: Vec<Part> = [
        (Part::Brightness, "brightness"),
        (Part::ColorTemp, "color_temp"),
        (Part::Color, "red"),
        (Part::Effect, "effect"),
        (Part::Transition, "transition"),
    ]
    .into_iter()
    .filter_map(|(part, name)| asks(part, name).then_some(part))
    .collect();
    let form = Form::Look { on, off, scale, is_kelvin: config.flag("color_temp_kelvin") == Some(true) };
    light.speech.writes.push(Write { topic: command_topic.clone(), part: Part::State, form, only_alone: false });
    light.speech.writes.extend(beside.into_iter().map(|part| Write { topic: command_topic.clone(), part, form: Form::Beside, only_alone: false }));
    if let Some(topic) = config.topic("state_topic")? {
        light.speech.reads.extend(parts.into_iter().map(|(part, extract, map)| Read { topic: topic.clone(), part, extract, map }));
    }
    Ok(light)
}
