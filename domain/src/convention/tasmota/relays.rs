//! Relays, shutters, inputs and buttons.

use super::config::Config;
use super::discover::{named, read, speech, write};
use crate::control::Control;
use crate::convention::found::FoundEntity;
use crate::convention::speech::{Extract, Form, Map, Part, Read, Scale, Speech};
use crate::entity::EntityKind;

/// `rl` of a relay.
const RELAY: u64 = 1;
/// `rl` of each of the two relays of a shutter.
const SHUTTER: u64 = 3;
/// `sho`: what is up is down.
const IS_INVERTED: u64 = 1;

/// Relays and shutters.
pub(super) fn all(config: &Config) -> Vec<FoundEntity> {
    let n_relays = config.relays.iter().filter(|kind| **kind == RELAY).count();
    let relays = config.relays.iter().enumerate().filter(|(_, kind)| **kind == RELAY).map(|(n, _)| relay(config, n, n_relays == 1));
    let mut entities: Vec<FoundEntity> = relays.collect();
    // Two relays beside each other move one shutter.
    let mut at = 0;
    let mut n_shutters = 0;
    while at + 1 < config.relays.len() {
        if config.relays.get(at) == Some(&SHUTTER) && config.relays.get(at + 1) == Some(&SHUTTER) {
            entities.push(shutter(config, n_shutters));
            n_shutters += 1;
            at += 1;
        }
        at += 1;
    }
    if n_shutters == 1
        && let Some(only) = entities.last_mut()
    {
        only.id_hint = "cover".to_owned();
        only.name = String::new();
    }
    if config.is_fan {
        entities.push(fan_speed(config));
    }
    entities
}

/// The names under which a relay is reported: the first is `POWER` where there is no other, and with `SetOption26` not even then.
fn powers(n: usize) -> Vec<String> {
    let own = format!("POWER{}", n + 1);
    if n == 0 { vec!["POWER".to_owned(), own] } else { vec![own] }
}

/// The name under which a relay is commanded.
fn power(config: &Config, n: usize) -> String {
    if config.n_powers() == 1 && !config.option("26") { "POWER".to_owned() } else { format!("POWER{}", n + 1) }
}

/// Reads and writes whether a relay, or the light behind it, is on. `is_alone` leaves it out where something else that is asked turns it on.
pub(super) fn bind_power(config: &Config, speech: &mut Speech, n: usize, is_alone: bool) {
    let map = Map::OnOff { on: config.on.as_str().into(), off: config.off.as_str().into() };
    for name in powers(n) {
        for topic in config.answers(&["STATE"]).into_iter().chain([config.tele("STATE")]) {
            speech.reads.push(read(topic, Part::State, &[&name], &map));
        }
        speech.reads.push(read(config.stat("STATUS11"), Part::State, &["StatusSTS", &name], &map));
        let own = config.stat(&name);
        if config.option("4") {
            // The answer and the bare word share a topic: one of the two finds something.
            speech.reads.push(read(own.clone(), Part::State, &[&name], &map));
        }
        speech.reads.push(Read { topic: own, part: Part::State, extract: Extract::Whole, map: map.clone() });
    }
    let asked = write(config.cmnd(&power(config, n)), Part::State, Form::on_off("ON", "OFF"));
    speech.writes.push(crate::convention::speech::Write { only_alone: is_alone, ..asked });
}

/// What a relay is called: by its own name, where that is not its device's.
pub(super) fn name_of(config: &Config, n: usize, kind: &str, is_only: bool) -> String {
    let own = config.names.get(n).cloned().flatten();
    match own {
        Some(own) if is_only && own == config.name => String::new(),
        Some(own) => own,
        None if is_only => String::new(),
        None => format!("{kind} {}", n + 1),
    }
}

fn relay(config: &Config, n: usize, is_only: bool) -> FoundEntity {
    // `SetOption30`: what is switched is a lamp.
    let (kind, word) = if config.option("30") { (EntityKind::Light, "light") } else { (EntityKind::Switch, "switch") };
    let mut speech = speech(config, &format!("relay_{}", n + 1));
    bind_power(config, &mut speech, n, false);
    let hint = if is_only { word.to_owned() } else { format!("{word}-{}", n + 1) };
    named(&hint, FoundEntity::new(&name_of(config, n, "Relay", is_only), kind, speech))
}

fn shutter(config: &Config, n: usize) -> FoundEntity {
    let own = format!("Shutter{}", n + 1);
    let is_inverted = config.shutters.get(n).is_some_and(|options| options & IS_INVERTED != 0);
    let scale = if is_inverted { Scale::between(100.0, 0.0) } else { Scale::default() };
    let (up, down) = if is_inverted { ("closing", "opening") } else { ("opening", "closing") };
    let direction =
        Map::Words { words: vec![(1.into(), up.to_owned()), ((-1).into(), down.to_owned()), (0.into(), "stopped".to_owned())], others: false };
    let mut speech = speech(config, &format!("shutter_{}", n + 1));
    let within = |topic: String, path: &[&str]| (topic, path.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>());
    let places = config
        .answers(&["SHUTTER", "STATE"])
        .into_iter()
        .chain([config.tele("STATE"), config.tele("SENSOR")])
        .map(|topic| within(topic, &[&own]))
        .chain(["STATUS8", "STATUS10"].map(|status| within(config.stat(status), &["StatusSNS", &own])));
    for (topic, path) in places {
        for (part, leaf, map) in [(Part::Position, "Position", &Map::Number(scale)), (Part::State, "Direction", &direction)] {
            let path: Vec<&str> = path.iter().map(String::as_str).chain([leaf]).collect();
            speech.reads.push(read(topic.clone(), part, &path, map));
        }
    }
    for (ours, command) in [("open", "ShutterOpen"), ("close", "ShutterClose"), ("stop", "ShutterStop")] {
        let word = Form::Word { words: vec![(ours.to_owned(), "".into())], others: false };
        speech.writes.push(write(config.cmnd(&format!("{command}{}", n + 1)), Part::State, word));
    }
    speech.writes.push(write(config.cmnd(&format!("ShutterPosition{}", n + 1)), Part::Position, Form::Number { scale, whole: true }));
    named(&format!("cover-{}", n + 1), FoundEntity::new(&format!("Shutter {}", n + 1), EntityKind::Cover, speech))
}

/// How fast the fan of a Sonoff iFan turns: 0 to 3.
fn fan_speed(config: &Config) -> FoundEntity {
    let mut speech = speech(config, "fan_speed");
    for topic in config.answers(&["FANSPEED", "STATE"]).into_iter().chain([config.tele("STATE")]) {
        speech.reads.push(read(topic, Part::State, &["FanSpeed"], &Map::Number(Scale::default())));
    }
    speech.writes.push(write(config.cmnd("FanSpeed"), Part::State, Form::Number { scale: Scale::default(), whole: true }));
    let control = Control { min: Some(0.0), max: Some(3.0), step: Some(1.0), ..Control::default() };
    named("fan_speed", FoundEntity { control, icon: Some("fan".to_owned()), ..FoundEntity::new("Fan speed", EntityKind::Number, speech) })
}

/// Switches that are connected, and buttons whose presses are told.
pub(super) fn inputs(config: &Config) -> Vec<FoundEntity> {
    let mut entities = vec![];
    for (n, mode) in config.inputs.iter().enumerate().filter(|(_, mode)| **mode >= 0) {
        entities.push(input(config, n, *mode));
        if !follows(*mode) {
            entities.push(event(config, n, "Switch", config.input_names.get(n).cloned().flatten()));
        }
    }
    let buttons = config.buttons.iter().enumerate().filter(|(_, is_told)| **is_told == 1);
    entities.extend(buttons.map(|(n, _)| event(config, n, "Button", None)));
    entities
}

/// Whether what a switch does is what it is: modes that follow it, and those that are on for a moment (Tasmota, `SwitchMode`).
fn follows(mode: i64) -> bool {
    matches!(mode, 1 | 2 | 13..=16)
}

fn input(config: &Config, n: usize, mode: i64) -> FoundEntity {
    let own = format!("Switch{}", n + 1);
    let map = Map::OnOff { on: config.on.as_str().into(), off: config.off.as_str().into() };
    let mut speech = speech(config, &format!("switch_{}", n + 1));
    speech.reads.push(read(config.tele("SENSOR"), Part::State, &[&own], &map));
    for status in ["STATUS8", "STATUS10"] {
        speech.reads.push(read(config.stat(status), Part::State, &["StatusSNS", &own], &map));
    }
    // Among what a switch does there are words that do not say how it is: `TOGGLE`, `HOLD`. As JSON, a text is a literal of a template too.
    let words = serde_json::json!([config.on, config.off]);
    let either = format!("{{% set said = value_json.{own}.Action or value_json.STATE or value %}}{{{{ said if said in {words} }}}}");
    let action = Extract::Template(format!("{{% set said = value_json.{own}.Action %}}{{{{ said if said in {words} }}}}"));
    let result = if follows(mode) { Extract::path(&[&own, "Action"]) } else { action };
    speech.reads.push(Read { topic: config.stat("RESULT"), part: Part::State, extract: result, map: map.clone() });
    speech.reads.push(Read { topic: config.stat(&own.to_uppercase()), part: Part::State, extract: Extract::Template(either), map });
    // It says only that it was pressed.
    speech.off_delay_s = matches!(mode, 13 | 14).then_some(1);
    let name = config.input_names.get(n).cloned().flatten().unwrap_or_else(|| format!("Switch {}", n + 1));
    named(&format!("input-{}", n + 1), FoundEntity::new(&name, EntityKind::BinarySensor, speech))
}

/// What was done with a button or a switch: `SINGLE`, `HOLD`, `TOGGLE`.
fn event(config: &Config, n: usize, of: &str, name: Option<String>) -> FoundEntity {
    let own = format!("{of}{}", n + 1);
    let mut speech = speech(config, &format!("{}_{}_action", of.to_lowercase(), n + 1));
    for topic in [config.stat("RESULT"), config.stat(&own.to_uppercase())] {
        speech.reads.push(read(topic, Part::State, &[&own, "Action"], &Map::Text));
    }
    let hint = if of == "Switch" { format!("input-{}-action", n + 1) } else { format!("button-{}", n + 1) };
    let name = name.map_or_else(|| format!("{of} {}", n + 1), |name| format!("{name} action"));
    named(&hint, FoundEntity { icon: Some("power".to_owned()), ..FoundEntity::new(&name, EntityKind::Sensor, speech) })
}
