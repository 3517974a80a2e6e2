//! Lights, switches, covers, climates, fans and locks: what several properties are together.

use serde_json::Value as Json;

use super::exposes::{Expose, Maker, features, is_aside, name, options, words_as_they_are};
use super::text;
use crate::control::Control;
use crate::convention::found::FoundEntity;
use crate::convention::speech::{ColorForm, Form, Map, Part, Scale, Speech};
use crate::entity::EntityKind;

/// What a Zigbee light calls full brightness.
const FULL: f64 = 254.0;

/// What a light can do besides on and off: what a group needs to know of its members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Looks {
    /// It has a brightness.
    pub(super) brightness: bool,
    /// It has a warmth.
    pub(super) color_temp: bool,
    /// It has a color.
    pub(super) color: bool,
}

/// A feature by its name.
fn feature<'a>(expose: &'a Json, name: &str) -> Option<Expose<'a>> {
    features(expose).iter().find(|feature| text(feature, "name") == Some(name)).map(Expose::feature)
}

/// What is left of the features becomes entities of their own.
fn rest<'a>(maker: &mut Maker<'a>, expose: &'a Json, taken: &[&str]) {
    for feature in features(expose) {
        if !text(feature, "name").is_some_and(|name| taken.contains(&name)) && text(feature, "type") != Some("composite") {
            maker.generic(Expose::feature(feature));
        }
    }
}

/// `light`, or `light_l1` of an endpoint.
fn key(expose: &Json, of: &str) -> String {
    text(expose, "endpoint").map_or_else(|| of.to_owned(), |endpoint| [of, "_", endpoint].concat())
}

/// One that bears the name of its device, unless it has an endpoint.
fn entity(expose: &Json, kind: EntityKind, speech: Speech) -> FoundEntity {
    let name = if text(expose, "endpoint").is_some() { name_of(expose, kind) } else { String::new() };
    FoundEntity { is_hidden: is_aside(expose), ..FoundEntity::new(&name, kind, speech) }
}

fn name_of(expose: &Json, kind: EntityKind) -> String {
    let own = text(expose, "label").map_or_else(|| crate::device::name_from(kind.as_str()), str::to_owned);
    text(expose, "endpoint").map_or_else(|| own.clone(), |endpoint| [&own, " (", endpoint, ")"].concat())
}

/// Reads and writes a part at a feature, as far as it may be.
fn bind(maker: &Maker<'_>, speech: &mut Speech, of: Option<Expose<'_>>, part: Part, (map, form): (Map, Form)) {
    let Some((of, path)) = of.and_then(|of| Some((of, of.path()?))) else { return };
    if of.is_published() {
        speech.reads.push(maker.read(part, path.clone(), map));
    }
    if of.is_settable() {
        speech.writes.push(maker.write(part, path, form));
    }
}

fn on_off(of: Option<Expose<'_>>) -> (Map, Form) {
    let (on, off) = of.map_or_else(|| ("ON".into(), "OFF".into()), |of| of.on_off());
    (Map::OnOff { on: on.clone(), off: off.clone() }, Form::on_off(on, off))
}

/// A light with what it can do; `beside` are the exposes beside it, among which its effects are.
pub(super) fn light<'a>(maker: &mut Maker<'a>, expose: &'a Json, beside: &'a [Json]) {
    let mut speech = maker.speech(&key(expose, "light"));
    let state = feature(expose, "state");
    bind(maker, &mut speech, state, Part::State, on_off(state));
    let brightness = feature(expose, "brightness");
    let full = brightness.and_then(|of| of.number("value_max")).filter(|max| *max > 0.0).unwrap_or(FULL);
    bind(maker, &mut speech, brightness, Part::Brightness, percent(full));
    let color_temp = feature(expose, "color_temp");
    bind(maker, &mut speech, color_temp, Part::ColorTemp, (Map::Mired, Form::Mired));
    // What comes first is what the light does better.
    let color = features(expose).iter().find_map(|feature| match text(feature, "name") {
        Some("color_xy") => Some((Expose::feature(feature), ColorForm::Xy)),
        Some("color_hs") => Some((Expose::feature(feature), ColorForm::HueSaturation)),
        _ => None,
    });
    if let Some((of, form)) = color {
        bind(maker, &mut speech, Some(of), Part::Color, (Map::Color(form), Form::Color(form)));
        if let Some(mode) = color_temp.and_then(|of| mode_path(of)) {
            speech.reads.push(maker.read(Part::ColorMode, mode, Map::Text));
        }
    }
    let endpoint = text(expose, "endpoint");
    let effect =
        beside.iter().find(|one| text(one, "name") == Some("effect") && text(one, "type") == Some("enum") && text(one, "endpoint") == endpoint);
    if let Some(path) = effect.and_then(|effect| Expose::new(effect).path()) {
        speech.writes.push(maker.write(Part::Effect, path, Form::Word { words: vec![], others: true }));
    }
    if brightness.is_some() && !speech.writes.is_empty() {
        let seconds = Form::Number { scale: Scale::default(), whole: false };
        speech.writes.push(maker.write(Part::Transition, vec!["transition".to_owned()], seconds));
    }
    maker.push(entity(expose, EntityKind::Light, speech));
    rest(maker, expose, &["state", "brightness", "color_temp", "color_xy", "color_hs"]);
}

/// Where a light says which of its color and its warmth it shows: `color_mode`, or `color_mode_l1` of an endpoint.
fn mode_path(color_temp: Expose<'_>) -> Option<Vec<String>> {
    let path = color_temp.path()?;
    let (last, outer) = path.split_last()?;
    let mode = ["color_mode", last.strip_prefix("color_temp")?].concat();
    Some(outer.iter().cloned().chain([mode]).collect())
}

/// What the light of an expose can do.
pub(super) fn looks(expose: &Json) -> Looks {
    let has = |names: &[&str]| names.iter().any(|name| feature(expose, name).is_some());
    Looks { brightness: has(&["brightness"]), color_temp: has(&["color_temp"]), color: has(&["color_xy", "color_hs"]) }
}

fn percent(full: f64) -> (Map, Form) {
    let scale = Scale::percent_of(full);
    (Map::Number(scale), Form::Number { scale, whole: true })
}

/// A light that is made of others.
pub(super) fn light_of(maker: &mut Maker<'_>, looks: Looks) {
    let mut speech = maker.speech("light");
    let mut both = |part: Part, property: &str, (map, form): (Map, Form)| {
        speech.reads.push(maker.read(part, vec![property.to_owned()], map));
        speech.writes.push(maker.write(part, vec![property.to_owned()], form));
    };
    both(Part::State, "state", on_off(None));
    if looks.brightness {
        both(Part::Brightness, "brightness", percent(FULL));
    }
    if looks.color_temp {
        both(Part::ColorTemp, "color_temp", (Map::Mired, Form::Mired));
    }
    if looks.color {
        both(Part::Color, "color", (Map::Color(ColorForm::Xy), Form::Color(ColorForm::Xy)));
    }
    if looks.color && looks.color_temp {
        speech.reads.push(maker.read(Part::ColorMode, vec!["color_mode".to_owned()], Map::Text));
    }
    if looks.brightness {
        speech.writes.push(maker.write(Part::Transition, vec!["transition".to_owned()], Form::Number { scale: Scale::default(), whole: false }));
    }
    maker.push(FoundEntity::new("", EntityKind::Light, speech));
}

/// A switch that is made of others.
pub(super) fn switch_of(maker: &mut Maker<'_>) {
    let mut speech = maker.speech("switch");
    let (map, form) = on_off(None);
    speech.reads.push(maker.read(Part::State, vec!["state".to_owned()], map));
    speech.writes.push(maker.write(Part::State, vec!["state".to_owned()], form));
    maker.push(FoundEntity::new("", EntityKind::Switch, speech));
}

pub(super) fn switch<'a>(maker: &mut Maker<'a>, expose: &'a Json) {
    let mut speech = maker.speech(&key(expose, "switch"));
    let state = feature(expose, "state");
    bind(maker, &mut speech, state, Part::State, on_off(state));
    maker.push(entity(expose, EntityKind::Switch, speech));
    rest(maker, expose, &["state"]);
}

pub(super) fn fan<'a>(maker: &mut Maker<'a>, expose: &'a Json) {
    let mut speech = maker.speech(&key(expose, "fan"));
    let state = feature(expose, "state");
    bind(maker, &mut speech, state, Part::State, on_off(state));
    maker.push(entity(expose, EntityKind::Fan, speech));
    rest(maker, expose, &["state"]);
}

/// A cover: its words are `OPEN`, `CLOSE` and `STOP`, its position is 0 when it is closed.
pub(super) fn cover<'a>(maker: &mut Maker<'a>, expose: &'a Json) {
    let mut speech = maker.speech(&key(expose, "cover"));
    let said = [("OPEN", "open"), ("CLOSE", "closed"), ("CLOSED", "closed"), ("STOP", "stopped"), ("OPENING", "opening"), ("CLOSING", "closing")];
    let said = said.into_iter().flat_map(|(word, ours)| [(Json::from(word), ours.to_owned()), (Json::from(word.to_lowercase()), ours.to_owned())]);
    let asked = [("open", "OPEN"), ("close", "CLOSE"), ("stop", "STOP")].map(|(ours, word)| (ours.to_owned(), Json::from(word)));
    let words = (Map::Words { words: said.collect(), others: false }, Form::Word { words: asked.to_vec(), others: false });
    bind(maker, &mut speech, feature(expose, "state"), Part::State, words);
    let position = feature(expose, "position");
    let range = position.map_or((0.0, 100.0), |of| (of.number("value_min").unwrap_or(0.0), of.number("value_max").unwrap_or(100.0)));
    let scale = Scale::between(range.0, range.1);
    bind(maker, &mut speech, position, Part::Position, (Map::Number(scale), Form::Number { scale, whole: true }));
    maker.push(entity(expose, EntityKind::Cover, speech));
    rest(maker, expose, &["state", "position"]);
}

/// A lock: it says whether it is locked. What it is asked is none of what an operator's page offers yet.
pub(super) fn lock<'a>(maker: &mut Maker<'a>, expose: &'a Json) {
    let mut speech = maker.speech(&key(expose, "lock"));
    if let Some((state, path)) = feature(expose, "state").and_then(|of| Some((of, of.path()?))).filter(|(of, _)| of.is_published()) {
        let (locked, unlocked) = state.on_off();
        let words = vec![(locked, "locked".to_owned()), (unlocked, "unlocked".to_owned())];
        speech.reads.push(maker.read(Part::State, path, Map::Words { words, others: true }));
    }
    maker.push(entity(expose, EntityKind::Lock, speech));
    rest(maker, expose, &["state"]);
}

/// A thermostat or an air conditioner.
pub(super) fn climate<'a>(maker: &mut Maker<'a>, expose: &'a Json) {
    const SETPOINTS: [&str; 3] = ["occupied_heating_setpoint", "current_heating_setpoint", "occupied_cooling_setpoint"];
    let mut speech = maker.speech(&key(expose, "climate"));
    let number = || (Map::Number(Scale::default()), Form::Number { scale: Scale::default(), whole: false });
    let setpoint = SETPOINTS.iter().find_map(|name| feature(expose, name));
    let mode = feature(expose, "system_mode");
    let modes = mode.map(|of| of.values()).unwrap_or_default();
    bind(maker, &mut speech, mode, Part::Mode, (Map::Text, words_as_they_are(&modes)));
    bind(maker, &mut speech, setpoint, Part::Temperature, number());
    let local = feature(expose, "local_temperature");
    if let Some(path) = local.and_then(|of| of.path()) {
        speech.reads.push(maker.read(Part::CurrentTemperature, path, Map::Number(Scale::default())));
    }
    for (name, part) in [("fan_mode", Part::FanMode), ("preset", Part::Preset)] {
        let of = feature(expose, name);
        let values = of.map(|of| of.values()).unwrap_or_default();
        bind(maker, &mut speech, of, part, (Map::Text, words_as_they_are(&values)));
    }
    let limit = |field: &str| setpoint.and_then(|of| of.number(field));
    let control = Control {
        min: limit("value_min"),
        max: limit("value_max"),
        step: limit("value_step").filter(|step| *step > 0.0),
        options: options(&modes),
        ..Control::default()
    };
    maker.push(FoundEntity { control, ..entity(expose, EntityKind::Climate, speech) });
    // What it measures is a measure too, with a line of its own.
    if let Some((local, path)) = local.and_then(|of| Some((of, of.path()?))) {
        let mut speech = maker.speech(&path.join("_"));
        speech.reads.push(maker.read(Part::State, path, Map::Number(Scale::default())));
        let label = features(expose).iter().find(|one| text(one, "name") == Some(local.name()));
        maker.push(FoundEntity {
            unit: Some("°C".to_owned()),
            class: Some("temperature".to_owned()),
            ..FoundEntity::new(&label.map(|label| name(label, None)).unwrap_or_default(), EntityKind::Sensor, speech)
        });
    }
    let setpoint = setpoint.map(|of| of.name()).unwrap_or_default();
    rest(maker, expose, &["system_mode", "local_temperature", "fan_mode", "preset", setpoint]);
}
