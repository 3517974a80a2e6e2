//! What the topics of Gen1 devices are about, and the entities that they come to.

use serde_json::Value as Json;

use crate::convention::Convention;
use crate::convention::found::FoundEntity;
use crate::convention::speech::{ColorForm, Extract, Form, Map, Part, Presence, Read, Scale, Speech, Write};
use crate::entity::EntityKind;

/// Something that shows itself of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Its topic.
    Topic = 1,
    /// Its status as JSON.
    Status = 2,
    /// Of a light, its warmth.
    Warmth = 4,
    /// Of a roller, where it stands.
    Position = 8,
}

/// What showed itself of an entity so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen(u8);

impl Seen {
    /// Whether it is news.
    pub(super) const fn add(&mut self, shown: Shown) -> bool {
        let before = self.0;
        self.0 |= shown as u8;
        self.0 != before
    }

    const fn has(self, shown: Shown) -> bool {
        self.0 & shown as u8 != 0
    }
}

/// What is measured at a topic.
struct Measure {
    key: &'static str,
    name: &'static str,
    class: &'static str,
    unit: &'static str,
    factor: f64,
    is_hidden: bool,
}

/// What is so or not at a topic.
struct Fact {
    key: &'static str,
    name: &'static str,
    class: &'static str,
    yes: &'static str,
    no: &'static str,
}

/// Watt-minutes as kilowatt-hours.
const WATT_MINUTES: f64 = 1.0 / 60_000.0;

fn measure(levels: &[&str]) -> Option<Measure> {
    let of = |key, name, class, unit, factor, is_hidden| Some(Measure { key, name, class, unit, factor, is_hidden });
    match levels {
        ["relay" | "roller" | "light" | "color" | "white" | "emeter", _, "power"] => of("power", "Power", "power", "W", 1.0, false),
        ["relay" | "roller" | "light" | "color" | "white", _, "energy"] => of("energy", "Energy", "energy", "kWh", WATT_MINUTES, false),
        // The same as `energy`, which counts in the same steps from the start of the device, but in watt-hours and for good.
        ["emeter", _, "total"] => of("energy", "Energy", "energy", "kWh", 1e-3, false),
        ["emeter", _, "total_returned"] => of("energy-returned", "Energy returned", "energy", "kWh", 1e-3, false),
        ["emeter", _, "voltage"] | ["voltage"] | ["adc" | "voltage", _] => of("voltage", "Voltage", "voltage", "V", 1.0, false),
        ["emeter", _, "current"] => of("current", "Current", "current", "A", 1.0, false),
        ["emeter", _, "pf"] => of("power-factor", "Power factor", "power_factor", "", 1.0, true),
        ["emeter", _, "reactive_power"] => of("reactive-power", "Reactive power", "reactive_power", "var", 1.0, true),
        ["temperature"] => of("device-temperature", "Device temperature", "temperature", "°C", 1.0, true),
        ["sensor", "temperature"] | ["ext_temperature", _] => of("temperature", "Temperature", "temperature", "°C", 1.0, false),
        ["sensor", "humidity"] | ["ext_humidity", _] => of("humidity", "Humidity", "humidity", "%", 1.0, false),
        ["sensor", "battery"] | ["status", "bat"] => of("battery", "Battery", "battery", "%", 1.0, false),
        ["sensor" | "status", "lux"] => of("illuminance", "Illuminance", "illuminance", "lx", 1.0, false),
        ["sensor", "tilt"] => of("tilt", "Tilt", "", "°", 1.0, false),
        ["sensor", "concentration"] => of("concentration", "Gas concentration", "", "ppm", 1.0, false),
        ["info", "rssi"] => of("rssi", "Signal strength", "signal_strength", "dBm", 1.0, true),
        _ => None,
    }
}

fn fact(levels: &[&str]) -> Option<Fact> {
    let of = |key, name, class, yes, no| Some(Fact { key, name, class, yes, no });
    match levels {
        ["input", _] => of("input", "Input", "", "1", "0"),
        ["ext_switch", _] => of("external-switch", "External switch", "", "1", "0"),
        ["overtemperature"] => of("overheating", "Overheating", "heat", "1", "0"),
        ["sensor" | "status", "motion"] => of("motion", "Motion", "motion", "true", "false"),
        ["status", "vibration"] => of("vibration", "Vibration", "vibration", "true", "false"),
        ["sensor", "vibration"] => of("vibration", "Vibration", "vibration", "1", "0"),
        ["sensor", "flood"] => of("flood", "Flood", "moisture", "true", "false"),
        ["sensor", "smoke"] => of("smoke", "Smoke", "smoke", "true", "false"),
        ["sensor", "state"] => of("opening", "Opening", "opening", "open", "close"),
        _ => None,
    }
}

/// Words: key and name.
fn word(levels: &[&str]) -> Option<(&'static str, &'static str)> {
    match levels {
        ["sensor", "illumination"] => Some(("illumination", "Illumination")),
        ["sensor", "gas"] => Some(("gas", "Gas")),
        ["sensor", "operation"] => Some(("operation", "Operation")),
        ["input_event", _] => Some(("event", "Event")),
        _ => None,
    }
}

fn levels(path: &str) -> Vec<&str> {
    path.split('/').take(4).collect()
}

/// The number of a relay, an input, and so on.
fn number_in(levels: &[&str]) -> Option<u16> {
    levels.get(1).filter(|n| n.len() <= 3 && n.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
}

fn is_light(word: &str) -> bool {
    matches!(word, "light" | "color" | "white")
}

/// Whether what a topic says is looked at, not only that something is said there; `None` for one that shows nothing. `path` is without the device.
pub(super) fn looks_inside(path: &str) -> Option<bool> {
    let levels = levels(path);
    match levels.as_slice() {
        ["status" | "info"] => Some(true),
        [word, _, "status"] if is_light(word) => number_in(&levels).map(|_| true),
        [word, ..] if matches!(*word, "sensor" | "temperature" | "overtemperature") || levels == ["voltage"] => {
            (measure(&levels).is_some() || fact(&levels).is_some() || self::word(&levels).is_some()).then_some(false)
        }
        levels => {
            number_in(levels)?;
            let is_main = matches!(levels, [word, _] if is_light(word) || matches!(*word, "relay" | "roller"));
            let is_known = is_main || matches!(levels, ["roller", _, "pos"]) || measure(levels).is_some() || fact(levels).is_some();
            (is_known || word(levels).is_some()).then_some(false)
        }
    }
}

/// What a message tells of entities, by their keys.
pub(super) fn told(path: &str, said: Option<&Json>) -> Vec<(String, Shown)> {
    let levels = levels(path);
    let has = |name: &str| said.is_some_and(|said| said.get(name).is_some_and(|of| !of.is_null()));
    match levels.as_slice() {
        ["status"] => ["motion", "vibration", "lux", "bat"]
            .into_iter()
            .filter(|name| has(name))
            .map(|name| (["status/", name].concat(), Shown::Topic))
            .collect(),
        ["info"] => {
            let rssi = said.and_then(|said| said.get("wifi_sta")?.get("rssi")).filter(|rssi| rssi.is_number());
            rssi.map(|_| ("info/rssi".to_owned(), Shown::Topic)).into_iter().collect()
        }
        [of, n, "status"] => {
            let key = [of, "/", n].concat();
            let mut told = vec![];
            if has("ison") {
                told.push((key.clone(), Shown::Status));
            }
            if has("ison") && has("temp") {
                told.push((key, Shown::Warmth));
            }
            told
        }
        ["roller", n, "pos"] => vec![(["roller/", n].concat(), Shown::Position)],
        _ => vec![(path.to_owned(), Shown::Topic)],
    }
}

/// The entity of a key, with what showed itself of it so far.
pub(super) fn entity(id: &str, key: &str, seen: Seen) -> Option<FoundEntity> {
    let levels = levels(key);
    let root = ["shellies/", id].concat();
    let topic = |path: &str| [&root, "/", path].concat();
    let mut speech = Speech::new(Convention::Shelly, &root, key);
    // What lives on a battery is gone most of the time without anything being wrong.
    if !matches!(levels.as_slice(), ["sensor" | "status" | "info", ..]) {
        speech.presence.push(Presence::words(&topic("online"), "true", "false"));
    }
    let n = number_in(&levels);
    let numbered = |text: &str, between: char| match n {
        Some(n @ 1..) => format!("{text}{between}{n}"),
        _ => text.to_owned(),
    };
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    // Some values stand in JSON, under their own names.
    let (at, extract) = match levels.as_slice() {
        ["status", name] => (topic("status"), Extract::key(name)),
        ["info", "rssi"] => (topic("info"), Extract::path(&["wifi_sta", "rssi"])),
        ["input_event", _] => (topic(key), Extract::key("event")),
        _ => (topic(key), Extract::Whole),
    };
    let read = |part, map| Read { topic: at.clone(), part, extract: extract.clone(), map };
    let mut found = if let Some(measure) = measure(&levels) {
        speech.reads.push(read(Part::State, Map::Number(Scale { factor: measure.factor, offset: 0.0 })));
        FoundEntity {
            id_hint: numbered(measure.key, '-'),
            class: text(measure.class),
            unit: text(measure.unit),
            counter: (measure.unit == "kWh").then_some(true),
            is_hidden: measure.is_hidden,
            ..FoundEntity::new(&numbered(measure.name, ' '), EntityKind::Sensor, speech)
        }
    } else if let Some(fact) = fact(&levels) {
        speech.reads.push(read(Part::State, Map::OnOff { on: fact.yes.into(), off: fact.no.into() }));
        FoundEntity {
            id_hint: numbered(fact.key, '-'),
            class: text(fact.class),
            ..FoundEntity::new(&numbered(fact.name, ' '), EntityKind::BinarySensor, speech)
        }
    } else if let Some((key, name)) = word(&levels) {
        speech.reads.push(read(Part::State, Map::Text));
        FoundEntity { id_hint: numbered(key, '-'), ..FoundEntity::new(&numbered(name, ' '), EntityKind::Sensor, speech) }
    } else {
        let (name, kind) = match *levels.first()? {
            "relay" => ("Switch", EntityKind::Switch),
            "roller" => ("Cover", EntityKind::Cover),
            _ => ("Light", EntityKind::Light),
        };
        match kind {
            EntityKind::Switch => relay(&at, &mut speech),
            EntityKind::Cover => roller(&at, seen, &mut speech),
            _ => light(&at, levels.first() == Some(&"color"), seen, &mut speech),
        }
        FoundEntity { id_hint: numbered(&name.to_lowercase(), '-'), ..FoundEntity::new(&numbered(name, ' '), kind, speech) }
    };
    found.precision = found.precision.or((found.unit.as_deref() == Some("kWh")).then_some(3));
    Some(found)
}

fn on_off() -> Map {
    Map::OnOff { on: "on".into(), off: "off".into() }
}

fn relay(topic: &str, speech: &mut Speech) {
    // A relay that switched itself off says `overpower` in place of `off`.
    let extract = Extract::Template("{{ 'off' if value == 'overpower' else value }}".to_owned());
    speech.reads.push(Read { topic: topic.to_owned(), part: Part::State, extract, map: on_off() });
    speech.writes.push(Write { topic: [topic, "/command"].concat(), part: Part::State, form: Form::on_off("on", "off"), only_alone: false });
}

fn roller(topic: &str, seen: Seen, speech: &mut Speech) {
    // It says which way it goes, and `stop` once it stands.
    let words = [("open", "opening"), ("close", "closing"), ("stop", "stopped")].map(|(device, ours)| (device.into(), ours.to_owned()));
    speech.reads.push(Read {
        topic: topic.to_owned(),
        part: Part::State,
        extract: Extract::Whole,
        map: Map::Words { words: words.to_vec(), others: false },
    });
    let words = ["open", "close", "stop"].map(|word| (word.to_owned(), word.into()));
    let command = [topic, "/command"].concat();
    speech.writes.push(Write {
        topic: command.clone(),
        part: Part::State,
        form: Form::Word { words: words.to_vec(), others: false },
        only_alone: false,
    });
    if seen.has(Shown::Position) {
        let number = Scale::default();
        speech.reads.push(Read { topic: [topic, "/pos"].concat(), part: Part::Position, extract: Extract::Whole, map: Map::Number(number) });
        let form = Form::Number { scale: number, whole: true };
        speech.writes.push(Write { topic: [&command, "/pos"].concat(), part: Part::Position, form, only_alone: false });
    }
}

fn light(topic: &str, is_colored: bool, seen: Seen, speech: &mut Speech) {
    let read = |path: &str, part, extract, map| Read { topic: [topic, path].concat(), part, extract, map };
    if seen.has(Shown::Topic) {
        speech.reads.push(read("", Part::State, Extract::Whole, on_off()));
    }
    let set = [topic, "/set"].concat();
    let write = |part, form: Form| Write { topic: set.clone(), part, form, only_alone: false };
    speech.writes.push(write(Part::State, Form::on_off("on", "off").at("turn")));
    if !seen.has(Shown::Status) {
        return;
    }
    let number = Scale::default();
    let brightness = if is_colored { "gain" } else { "brightness" };
    speech.reads.push(read("/status", Part::State, Extract::key("ison"), Map::OnOff { on: true.into(), off: false.into() }));
    speech.reads.push(read("/status", Part::Brightness, Extract::key(brightness), Map::Number(number)));
    speech.writes.push(write(Part::Brightness, Form::Number { scale: number, whole: true }.at(brightness)));
    if seen.has(Shown::Warmth) {
        speech.reads.push(read("/status", Part::ColorTemp, Extract::key("temp"), Map::Number(number)));
        speech.writes.push(write(Part::ColorTemp, Form::Number { scale: number, whole: true }.at("temp")));
    }
    if is_colored {
        let said = "{% if value_json.red is defined %}{{ value_json.red }},{{ value_json.green }},{{ value_json.blue }}{% endif %}";
        speech.reads.push(read("/status", Part::Color, Extract::Template(said.to_owned()), Map::Color(ColorForm::RgbText)));
        // Each channel has a name of its own beside those of the rest, so that a color is a message of its own.
        let asked = r#"{"mode":"color","red":{{ red }},"green":{{ green }},"blue":{{ blue }}}"#;
        speech.writes.push(write(Part::Color, Form::Template(asked.to_owned())));
    }
}
