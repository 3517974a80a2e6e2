//! A part of what is asked: in our words, and as a device takes it.

use serde_json::{Map as Object, Value as Json};

use super::color::ColorForm;
use super::write::{Context, Form};
use super::{Part, Scale, scalar_text};
use crate::command::{Action, Paint, Wish};
use crate::entity::EntityKind;
use crate::value::{Color, Value};

/// A part of what is asked, in our words and units.
#[derive(Clone, Debug)]
pub(super) enum Wanted<'a> {
    Word(&'a str),
    Number(f64),
    Color(Color, Option<u8>),
    Value(&'a Value),
}

/// What an action asks, by part.
pub(super) fn wanted(kind: EntityKind, action: &Action) -> Vec<(Part, Wanted<'_>)> {
    let light = |brightness: Option<u8>, color_temp: Option<u16>| {
        let mut parts = vec![(Part::State, Wanted::Word("on"))];
        parts.extend(brightness.map(|n| (Part::Brightness, Wanted::Number(f64::from(n)))));
        parts.extend(color_temp.map(|n| (Part::ColorTemp, Wanted::Number(f64::from(n)))));
        parts
    };
    match action {
        Action::TurnOn { brightness, color_temp } => light(*brightness, *color_temp),
        Action::Paint(paint) => {
            let Paint { brightness, color_temp, color, effect, transition_s } = &**paint;
            let mut parts = light(*brightness, *color_temp);
            parts.extend(color.map(|color| (Part::Color, Wanted::Color(color, *brightness))));
            parts.extend(effect.as_ref().map(|effect| (Part::Effect, Wanted::Word(effect.as_str()))));
            parts.extend(transition_s.map(|s| (Part::Transition, Wanted::Number(s))));
            parts
        }
        Action::TurnOff {} => vec![(Part::State, Wanted::Word("off"))],
        Action::Toggle {} => vec![],
        Action::Press {} => vec![(Part::State, Wanted::Word("press"))],
        Action::Open {} => vec![(Part::State, Wanted::Word("open"))],
        Action::Close {} => vec![(Part::State, Wanted::Word("close"))],
        Action::Stop {} => vec![(Part::State, Wanted::Word("stop"))],
        Action::Lock {} => vec![(Part::State, Wanted::Word("lock"))],
        Action::Unlock {} => vec![(Part::State, Wanted::Word("unlock"))],
        Action::Set(wish) => {
            let Wish { value, position, temperature, mode, fan_mode, preset } = &**wish;
            let mut parts = vec![];
            parts.extend(value.as_ref().map(|value| match value {
                Value::Number(n) if kind == EntityKind::Number => (Part::State, Wanted::Number(*n)),
                Value::Text(text) => (Part::State, Wanted::Word(text)),
                other => (Part::State, Wanted::Value(other)),
            }));
            parts.extend(position.map(|n| (Part::Position, Wanted::Number(f64::from(n)))));
            // A device that is off takes a temperature once it is on.
            parts.extend(mode.as_ref().map(|mode| (Part::Mode, Wanted::Word(mode))));
            parts.extend(temperature.map(|n| (Part::Temperature, Wanted::Number(n))));
            parts.extend(fan_mode.as_ref().map(|mode| (Part::FanMode, Wanted::Word(mode))));
            parts.extend(preset.as_ref().map(|preset| (Part::Preset, Wanted::Word(preset))));
            parts
        }
    }
}

/// A part as its form writes it.
pub(super) fn written(form: &Form, asked: &Wanted<'_>, context: Context<'_>) -> Option<Json> {
    match (form, asked) {
        (Form::Word { words, others }, Wanted::Word(word)) => {
            let known = words.iter().find(|(ours, _)| ours == word).map(|(_, device)| device.clone());
            known.or_else(|| (*others || words.is_empty()).then(|| Json::from(*word)))
        }
        (Form::Word { .. }, Wanted::Number(n)) => Some(number(*n, false)),
        (Form::Word { .. }, Wanted::Value(value)) => Some(bare(value)),
        (Form::Number { scale, whole }, Wanted::Number(n)) => Some(number(scale.device(*n), *whole)),
        (Form::Mired, Wanted::Number(kelvin)) if *kelvin > 0.0 => Some(number(1e6 / kelvin, true)),
        (Form::Color(form), Wanted::Color(color, brightness)) => Some(form.write(*color, *brightness)),
        (Form::Made { template, form }, asked) => {
            let value = match written(form, asked, context)? {
                Json::Number(n) if n.is_i64() => minijinja::Value::from(n.as_i64()),
                Json::Number(n) => minijinja::Value::from(n.as_f64()),
                other => scalar_text(&other).map_or_else(|| minijinja::Value::from(other.to_string()), minijinja::Value::from),
            };
            // Templates of covers ask for the `position`.
            let parts = minijinja::context! { value => value.clone(), position => value };
            context.templates.render_parts(template, parts).ok().map(Json::from)
        }
        (Form::Template(template), Wanted::Color(color, _)) => {
            let parts = minijinja::Value::from_pairs(color_parts(*color));
            context.templates.render_parts(template, parts).ok().map(Json::from)
        }
        (Form::Template(template), asked) => {
            let value = match asked {
                Wanted::Word(word) => minijinja::Value::from(*word),
                Wanted::Number(n) if n.fract() == 0.0 && n.abs() < 1e15 => {
                    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 1e15")]
                    let whole = *n as i64;
                    minijinja::Value::from(whole)
                }
                Wanted::Number(n) => minijinja::Value::from(*n),
                Wanted::Value(value) => minijinja::value::Serde(bare(value)).into(),
                Wanted::Color(..) => return None,
            };
            context.templates.render_command(template, value).ok().map(Json::from)
        }
        _ => None,
    }
}

/// A color under the names that templates know.
fn color_parts(color: Color) -> Vec<(&'static str, minijinja::Value)> {
    let mut parts = vec![("red", color.r.into()), ("green", color.g.into()), ("blue", color.b.into())];
    for (form, names) in [(ColorForm::Hs, [("h", "hue"), ("s", "sat")]), (ColorForm::Xy, [("x", "x"), ("y", "y")])] {
        let written = form.write(color, None);
        parts.extend(names.into_iter().filter_map(|(ours, theirs)| Some((theirs, written.get(ours)?.as_f64()?.into()))));
    }
    parts
}

/// What is asked of a light, under the names that templates know.
pub(super) fn look(wanted: &[(Part, Wanted<'_>)], scale: Scale, is_kelvin: bool) -> minijinja::Value {
    let whole = |n: f64| minijinja::value::Serde(number(n, true)).into();
    let mut parts: Vec<(&'static str, minijinja::Value)> = vec![];
    for (part, asked) in wanted {
        match (part, asked) {
            (Part::State, Wanted::Word(word)) => parts.push(("state", minijinja::Value::from(*word))),
            (Part::Brightness, Wanted::Number(n)) => parts.push(("brightness", whole(scale.device(*n)))),
            (Part::ColorTemp, Wanted::Number(n)) => parts.push(("color_temp", whole(if is_kelvin { *n } else { 1e6 / n.max(1.0) }))),
            (Part::Color, Wanted::Color(color, _)) => parts.extend(color_parts(*color)),
            (Part::Effect, Wanted::Word(effect)) => parts.push(("effect", minijinja::Value::from(*effect))),
            (Part::Transition, Wanted::Number(s)) => parts.push(("transition", minijinja::value::Serde(number(*s, false)).into())),
            _ => {}
        }
    }
    minijinja::Value::from_pairs(parts)
}

/// A value as JSON, without what is only for the eye.
pub(super) fn bare(value: &Value) -> Json {
    match value {
        Value::Number(n) => number(*n, false),
        Value::Bool(on) => Json::from(*on),
        other => Json::from(other.words(None).into_owned()),
    }
}

/// Whole numbers without a point: devices that take `21` may not take `21.0`.
fn number(n: f64, whole: bool) -> Json {
    let n = if whole { n.round() } else { (n * 1e6).round() / 1e6 };
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 1e15")]
    if n.fract() == 0.0 && n.abs() < 1e15 { Json::from(n as i64) } else { Json::from(n) }
}

/// Puts a value under a path of names.
pub(super) fn put(object: &mut Object<String, Json>, path: &[String], value: Json) {
    match path {
        [] => {}
        [name] => {
            object.insert(name.clone(), value);
        }
        [name, inner @ ..] => {
            let inside = object.entry(name.clone()).or_insert_with(|| Json::Object(Object::new()));
            if let Json::Object(inside) = inside {
                put(inside, inner, value);
            }
        }
    }
}
