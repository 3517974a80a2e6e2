//! What the topics of `ESPHome` devices are about, and the entities that they come to.

use serde_json::Value as Json;

use crate::convention::Convention;
use crate::convention::found::FoundEntity;
use crate::convention::speech::{ColorForm, Extract, Form, Map, Part, Presence, Read, Scale, Speech, Write};
use crate::device::name_from;
use crate::device_class::class;
use crate::entity::EntityKind;
use crate::units::measure;

/// A topic of a component: `<prefix>/<kind>/<name>/state`, or `…/<part>/state`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Topic<'a> {
    pub prefix: &'a str,
    /// `sensor`.
    pub kind: &'static str,
    /// `cover/gate`, by which the entity is known.
    pub key: &'a str,
    /// `position` of a cover; empty for its state.
    pub part: &'a str,
    /// Where commands go, not where states come from.
    pub is_command: bool,
}

/// Components that are understood.
const KINDS: [&str; 16] = [
    "sensor",
    "text_sensor",
    "binary_sensor",
    "switch",
    "light",
    "number",
    "select",
    "text",
    "fan",
    "cover",
    "valve",
    "lock",
    "button",
    "climate",
    "event",
    "alarm_control_panel",
];

/// What a topic is among those of a device; `None` for no topic of a component. The prefix may hold slashes.
pub(super) fn topic_of(topic: &str) -> Option<Topic<'_>> {
    let (rest, last) = topic.rsplit_once('/')?;
    let is_command = match last {
        "state" => false,
        "command" => true,
        _ => return None,
    };
    let find = |rest: &'_ str| {
        let (before, name) = rest.rsplit_once('/')?;
        let (prefix, kind) = before.rsplit_once('/')?;
        let kind = KINDS.into_iter().find(|known| *known == kind)?;
        // Many devices that announce themselves to Home Assistant say their states beside the announcement.
        let is_free = prefix != "homeassistant" && !prefix.starts_with("homeassistant/");
        (is_free && !prefix.is_empty() && !name.is_empty()).then_some((prefix.len(), kind))
    };
    let (len, kind, end, part) = match find(rest) {
        Some((len, kind)) => (len, kind, rest.len(), ""),
        None => {
            let (inner, part) = rest.rsplit_once('/')?;
            let (len, kind) = find(inner)?;
            (len, kind, inner.len(), part)
        }
    };
    Some(Topic { prefix: &topic[..len], kind, key: &topic[len + 1..end], part, is_command })
}

/// What showed itself of a component: a bit each.
pub(super) mod seen {
    pub(in super::super) const STATE: u8 = 1;
    pub(in super::super) const TEXT: u8 = 2;
    pub(in super::super) const BRIGHTNESS: u8 = 4;
    pub(in super::super) const COLOR_TEMP: u8 = 8;
    pub(in super::super) const COLOR: u8 = 16;
    pub(in super::super) const EFFECT: u8 = 32;
    pub(in super::super) const POSITION: u8 = 4;
    pub(in super::super) const MODE: u8 = 2;
    pub(in super::super) const TARGET: u8 = 4;
    pub(in super::super) const CURRENT: u8 = 8;
    pub(in super::super) const FAN_MODE: u8 = 16;
    pub(in super::super) const PRESET: u8 = 32;
}

/// What a message shows of its component; 0 for nothing.
pub(super) fn shown_by(topic: Topic<'_>, payload: &[u8]) -> u8 {
    match (topic.kind, topic.part, topic.is_command) {
        // A button says nothing by itself: only when it is pressed it is seen.
        ("button", "", true) if payload == b"PRESS" => seen::STATE,
        (_, _, true) => 0,
        // A sensor of texts stands under the same name. One that has no value yet says `nan`.
        ("sensor", "", _) => {
            let is_number = std::str::from_utf8(payload).is_ok_and(|text| text.trim().parse::<f64>().is_ok());
            if is_number { seen::STATE } else { seen::STATE | seen::TEXT }
        }
        ("light", "", _) => {
            let Some(Json::Object(said)) = (payload.len() <= 4_096).then(|| serde_json::from_slice(payload).ok()).flatten() else { return 0 };
            let bit = |name: &str, bit: u8| if said.get(name).is_some_and(|of| !of.is_null()) { bit } else { 0 };
            seen::STATE
                | bit("brightness", seen::BRIGHTNESS)
                | bit("color_temp", seen::COLOR_TEMP)
                | bit("color", seen::COLOR)
                | bit("effect", seen::EFFECT)
        }
        ("cover" | "valve", "position", _) => seen::POSITION,
        ("climate", "mode", _) => seen::MODE,
        ("climate", "target_temperature", _) => seen::TARGET,
        ("climate", "current_temperature", _) => seen::CURRENT,
        ("climate", "fan_mode", _) => seen::FAN_MODE,
        ("climate", "preset", _) => seen::PRESET,
        ("climate", ..) => 0,
        (_, "", _) => seen::STATE,
        _ => 0,
    }
}

/// Where the parts of a component are said and asked for.
struct Speaks<'a> {
    topic: String,
    has: u8,
    speech: &'a mut Speech,
}

impl Speaks<'_> {
    fn read(&mut self, path: &str, part: Part, extract: Extract, map: Map) {
        self.speech.reads.push(Read { topic: [&self.topic, path, "/state"].concat(), part, extract, map });
    }

    fn write(&mut self, path: &str, part: Part, form: Form) {
        self.speech.writes.push(Write { topic: [&self.topic, path, "/command"].concat(), part, form, only_alone: false });
    }

    /// On and off, as words.
    fn switch(&mut self) {
        self.read("", Part::State, Extract::Whole, on_off());
        self.write("", Part::State, Form::on_off("ON", "OFF"));
    }

    /// A light in the JSON schema of Home Assistant.
    fn light(&mut self) {
        let has = |bit: u8, of: &Self| of.has & bit != 0;
        let scale = Scale::percent_of(255.0);
        let word = || Form::Word { words: vec![], others: true };
        self.read("", Part::State, Extract::key("state"), on_off());
        self.write("", Part::State, Form::on_off("ON", "OFF").at("state"));
        if has(seen::BRIGHTNESS, self) {
            self.read("", Part::Brightness, Extract::key("brightness"), Map::Number(scale));
            self.write("", Part::Brightness, Form::Number { scale, whole: true }.at("brightness"));
        }
        if has(seen::COLOR_TEMP, self) {
            self.read("", Part::ColorTemp, Extract::key("color_temp"), Map::Mired);
            self.write("", Part::ColorTemp, Form::Mired.at("color_temp"));
        }
        if has(seen::COLOR, self) {
            self.read("", Part::Color, Extract::key("color"), Map::Color(ColorForm::Rgb));
            self.write("", Part::Color, Form::Color(ColorForm::Rgb).at("color"));
        }
        if has(seen::COLOR, self) && has(seen::COLOR_TEMP, self) {
            self.read("", Part::ColorMode, Extract::key("color_mode"), Map::Text);
        }
        if has(seen::EFFECT, self) {
            self.read("", Part::Effect, Extract::key("effect"), Map::Text);
            self.write("", Part::Effect, word().at("effect"));
        }
        self.write("", Part::Transition, Form::Number { scale: Scale::default(), whole: false }.at("transition"));
    }

    fn cover(&mut self) {
        // What has no end stops and no position says `unknown` where it does not move.
        let word = Extract::Template("{{ '' if value | lower == 'unknown' else value | lower }}".to_owned());
        if self.has & seen::STATE != 0 {
            self.read("", Part::State, word, Map::Words { words: vec![], others: true });
        }
        let words = [("open", "OPEN"), ("close", "CLOSE"), ("stop", "STOP")].map(|(ours, device)| (ours.to_owned(), device.into()));
        self.write("", Part::State, Form::Word { words: words.to_vec(), others: false });
        if self.has & seen::POSITION != 0 {
            let scale = Scale::default();
            self.read("/position", Part::Position, Extract::Whole, Map::Number(scale));
            self.write("/position", Part::Position, Form::Number { scale, whole: true });
        }
    }

    fn climate(&mut self) {
        let word = || Form::Word { words: vec![], others: true };
        let scale = Scale::default();
        for (bit, path, part) in [
            (seen::MODE, "/mode", Part::Mode),
            (seen::TARGET, "/target_temperature", Part::Temperature),
            (seen::CURRENT, "/current_temperature", Part::CurrentTemperature),
            (seen::FAN_MODE, "/fan_mode", Part::FanMode),
            (seen::PRESET, "/preset", Part::Preset),
        ] {
            if self.has & bit == 0 {
                continue;
            }
            let is_number = matches!(part, Part::Temperature | Part::CurrentTemperature);
            self.read(path, part, Extract::Whole, if is_number { Map::Number(scale) } else { Map::Text });
            match part {
                Part::CurrentTemperature => {}
                Part::Temperature => self.write(path, part, Form::Number { scale, whole: false }),
                _ => self.write(path, part, word()),
            }
        }
    }
}

fn on_off() -> Map {
    Map::OnOff { on: "ON".into(), off: "OFF".into() }
}

/// The entity of a component, with what showed itself of it; `None` before it is one.
pub(super) fn entity(prefix: &str, key: &str, has: u8) -> Option<FoundEntity> {
    let (kind, name) = key.split_once('/')?;
    let mut speech = Speech::new(Convention::EspHome, prefix, key);
    speech.presence.push(Presence::words(&[prefix, "/status"].concat(), "online", "offline"));
    let mut speaks = Speaks { topic: [prefix, "/", key].concat(), has, speech: &mut speech };
    let is_text = has & seen::TEXT != 0 && kind == "sensor";
    let any_word = || Form::Word { words: vec![], others: true };
    let kind = match kind {
        "sensor" if !is_text => {
            speaks.read("", Part::State, Extract::Whole, Map::Number(Scale::default()));
            EntityKind::Sensor
        }
        "binary_sensor" => {
            speaks.read("", Part::State, Extract::Whole, on_off());
            EntityKind::BinarySensor
        }
        "switch" | "fan" => {
            speaks.switch();
            if kind == "fan" { EntityKind::Fan } else { EntityKind::Switch }
        }
        "light" => {
            speaks.light();
            EntityKind::Light
        }
        "number" => {
            speaks.read("", Part::State, Extract::Whole, Map::Number(Scale::default()));
            speaks.write("", Part::State, Form::Number { scale: Scale::default(), whole: false });
            EntityKind::Number
        }
        "select" | "text" => {
            speaks.read("", Part::State, Extract::Whole, Map::Text);
            speaks.write("", Part::State, any_word());
            if kind == "text" { EntityKind::Text } else { EntityKind::Select }
        }
        "cover" | "valve" => {
            speaks.cover();
            EntityKind::Cover
        }
        "climate" => {
            speaks.climate();
            EntityKind::Climate
        }
        "button" => {
            speaks.write("", Part::State, Form::Word { words: vec![("press".to_owned(), "PRESS".into())], others: false });
            EntityKind::Button
        }
        "lock" => {
            let words = [("LOCKED", "locked"), ("UNLOCKED", "unlocked"), ("JAMMED", "jammed"), ("LOCKING", "locking"), ("UNLOCKING", "unlocking")];
            let words = words.map(|(device, ours)| (device.into(), ours.to_owned())).to_vec();
            speaks.read("", Part::State, Extract::Whole, Map::Words { words, others: true });
            EntityKind::Lock
        }
        "event" => {
            speaks.read("", Part::State, Extract::key("event_type"), Map::Text);
            EntityKind::Sensor
        }
        "sensor" | "text_sensor" | "alarm_control_panel" => {
            speaks.read("", Part::State, Extract::Whole, Map::Text);
            EntityKind::Sensor
        }
        _ => return None,
    };
    Some(described(name, kind, speech, !is_text && key.starts_with("sensor/")))
}

/// What a component's name gives away.
fn described(name: &str, kind: EntityKind, speech: Speech, is_measured: bool) -> FoundEntity {
    let words = || name.rsplit(['_', '-']);
    let is_binary = kind == EntityKind::BinarySensor;
    let of_word =
        words().find(|word| (is_measured || is_binary) && class(word).is_some_and(|class| class.word_on.is_some() == is_binary || is_measured));
    let is_signal = name.ends_with("wifi_signal") || name.ends_with("rssi") || name.ends_with("signal_strength");
    let is_uptime = name.ends_with("uptime");
    let unit = match measure(name).unit {
        _ if is_signal => "dBm",
        _ if is_uptime => "s",
        unit => unit,
    };
    let of_class = if is_signal { Some("signal_strength") } else { of_word };
    // What looks after the device itself.
    const OF_THE_DEVICE: [&str; 7] = ["version", "ip_address", "ssid", "bssid", "mac_address", "dns_address", "reset_reason"];
    let is_hidden = is_signal || is_uptime || (is_binary && name == "status") || OF_THE_DEVICE.iter().any(|end| name.ends_with(end));
    FoundEntity {
        id_hint: name.to_owned(),
        unit: (is_measured && !unit.is_empty()).then(|| unit.to_owned()),
        class: of_class.map(str::to_owned),
        is_hidden,
        ..FoundEntity::new(&name_from(name), kind, speech)
    }
}
