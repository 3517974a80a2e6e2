//! What several parts make of a value: one message may say brightness and color, the next only that a light is on.

use super::{Part, PartValue};
use crate::convention::payload::{MAX_TEXT_CHARS, PayloadError, shown};
use crate::device::clean_text;
use crate::entity::EntityKind;
use crate::value::{ClimateState, CoverState, CoverWord, Effect, LightState, OnOff, Value, number_words};

/// The value of an entity after `parts`, given what it was before; `None` where they do not say enough to be one.
///
/// # Errors
/// [`PayloadError`] names what an entity of this kind cannot be.
pub fn fold(kind: EntityKind, before: Option<&Value>, parts: &[(Part, PartValue)]) -> Result<Option<Value>, PayloadError> {
    match kind {
        EntityKind::Light => Ok(light(before, parts)),
        EntityKind::Cover => cover(before, parts),
        EntityKind::Climate => Ok(climate(before, parts)),
        _ => parts.iter().rfind(|(part, _)| *part == Part::State).map(|(_, said)| single(kind, said)).transpose(),
    }
}

fn single(kind: EntityKind, said: &PartValue) -> Result<Value, PayloadError> {
    let unexpected = |wanted| Err(PayloadError::Unexpected { text: words(said), wanted });
    match (kind, said) {
        (EntityKind::BinarySensor | EntityKind::Switch | EntityKind::Fan, said) => match said {
            PartValue::Bool(on) => Ok(Value::Bool(*on)),
            PartValue::Number(n) if *n == 0.0 || *n == 1.0 => Ok(Value::Bool(*n == 1.0)),
            _ => unexpected("on or off"),
        },
        (EntityKind::Number, PartValue::Number(n)) => Ok(Value::Number(*n)),
        (EntityKind::Number, _) => unexpected("number"),
        (EntityKind::Sensor, PartValue::Number(n)) => Ok(Value::Number(*n)),
        (_, said) => Ok(Value::Text(words(said))),
    }
}

fn words(said: &PartValue) -> String {
    match said {
        // A number may have three hundred digits.
        PartValue::Number(n) => clean_text(&number_words(*n, None), MAX_TEXT_CHARS),
        PartValue::Bool(on) => if *on { "on" } else { "off" }.to_owned(),
        PartValue::Word(word) => word.clone(),
        PartValue::Color(color) => format!("{},{},{}", color.r, color.g, color.b),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held between 0 and 100")]
fn percent(n: f64) -> u8 {
    n.round().clamp(0.0, 100.0) as u8
}

fn light(before: Option<&Value>, parts: &[(Part, PartValue)]) -> Option<Value> {
    let known = if let Some(Value::Light(light)) = before { Some(*light) } else { None };
    let mut state = known.map(|light| light.state);
    let mut light = known.unwrap_or_else(|| LightState::new(OnOff::Off));
    for (part, said) in parts {
        match (part, said) {
            (Part::State, PartValue::Bool(on)) => state = Some((*on).into()),
            (Part::State, PartValue::Number(n)) => state = Some((*n != 0.0).into()),
            (Part::Brightness, PartValue::Number(n)) => light.brightness = Some(percent(*n)),
            (Part::ColorTemp, PartValue::Number(n)) => {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held between 0 and 20,000")]
                let kelvin = n.round().clamp(0.0, 20_000.0) as u16;
                light.color_temp = Some(kelvin);
            }
            (Part::Color, PartValue::Color(color)) => light.color = Some(*color),
            (Part::Effect, PartValue::Word(effect)) => light.effect = Effect::new(effect),
            _ => {}
        }
    }
    // In this mode its last color is one that it had.
    if parts
        .iter()
        .any(|(part, said)| *part == Part::ColorMode && matches!(said, PartValue::Word(mode) if matches!(mode.as_str(), "color_temp" | "white")))
    {
        light.color = None;
    }
    // One of which only the brightness is known is on as long as it has any.
    light.state = state.or_else(|| light.brightness.map(|brightness| (brightness > 0).into()))?;
    Some(Value::Light(light))
}

fn cover(before: Option<&Value>, parts: &[(Part, PartValue)]) -> Result<Option<Value>, PayloadError> {
    let known = if let Some(Value::Cover(cover)) = before { Some(*cover) } else { None };
    let mut position = known.and_then(|cover| cover.position);
    let mut word = None;
    let mut is_moved = false;
    for (part, said) in parts {
        match (part, said) {
            (Part::State, PartValue::Word(said)) => {
                let unknown = || PayloadError::Unexpected { text: shown(said), wanted: "open, closed, opening, closing or stopped" };
                word = Some(CoverWord::parse(said).ok_or_else(unknown)?);
            }
            (Part::State, PartValue::Bool(open)) => word = Some(if *open { CoverWord::Open } else { CoverWord::Closed }),
            (Part::Position, PartValue::Number(n)) => {
                is_moved = position != Some(percent(*n));
                position = Some(percent(*n));
            }
            _ => {}
        }
    }
    let stands = position.map(|at| if at == 0 { CoverWord::Closed } else { CoverWord::Open });
    let state = match (word, known.map(|cover| cover.state)) {
        // It has stopped somewhere, and where is known.
        (Some(CoverWord::Stopped), _) => stands.or(Some(CoverWord::Stopped)),
        (Some(word), _) => Some(word),
        // It is on its way as long as nothing else is said, and where it passes does not say that it stands.
        (None, Some(moving @ (CoverWord::Opening | CoverWord::Closing))) if is_moved && !matches!(position, Some(0 | 100)) => Some(moving),
        (None, before) => stands.or(before),
    };
    // What is open or closed without a word of its position has the one that it had only if that fits.
    let fits = |at: &u8| match word {
        Some(CoverWord::Closed) => *at == 0,
        Some(CoverWord::Open) => *at > 0,
        _ => true,
    };
    Ok(state.map(|state| Value::Cover(CoverState { state, position: position.filter(fits) })))
}

fn climate(before: Option<&Value>, parts: &[(Part, PartValue)]) -> Option<Value> {
    let mut climate = if let Some(Value::Climate(climate)) = before { (**climate).clone() } else { ClimateState::default() };
    for (part, said) in parts {
        match (part, said) {
            (Part::Mode, PartValue::Word(mode)) => climate.mode = Some(mode.clone()),
            (Part::Temperature, PartValue::Number(n)) => climate.temperature = Some(*n),
            (Part::CurrentTemperature, PartValue::Number(n)) => climate.current_temperature = Some(*n),
            (Part::FanMode, said) => climate.fan_mode = Some(words(said)),
            (Part::Preset, said) => climate.preset = Some(words(said)),
            // `off` looks like no.
            (Part::Mode, said) => climate.mode = Some(words(said)),
            _ => {}
        }
    }
    (climate != ClimateState::default()).then(|| Value::Climate(Box::new(climate)))
}
