//! What is measured: each leaf of `…/sensors` is an entity, and stands at the same place in `tele/…/SENSOR`.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::config::Config;
use super::discover::{named, read as read_at, speech};
use crate::convention::found::FoundEntity;
use crate::convention::payload::shown;
use crate::convention::speech::{Map, Part, Scale};
use crate::entity::EntityKind;

/// Leaves of one device.
const MOST_LEAVES: usize = 200;
/// Names on the way to a leaf.
const MOST_DEPTH: usize = 4;
/// Longest name on the way, in bytes.
const MOST_NAME_BYTES: usize = 64;

/// Something that is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The names on the way to it.
    path: Vec<String>,
    is_text: bool,
    unit: Option<String>,
}

/// The leaves of what stands in `sn`.
fn leaves_of(json: &Json) -> Vec<Leaf> {
    let mut leaves = vec![];
    let unit = |field: &str| json.get(field).and_then(Json::as_str).filter(|unit| unit.len() <= 12).map(str::to_owned);
    let temperature = unit("TempUnit").map_or_else(|| "°C".to_owned(), |unit| if unit.starts_with('°') { unit } else { format!("°{unit}") });
    let units = Units {
        temperature,
        pressure: unit("PressureUnit").unwrap_or_else(|| "hPa".to_owned()),
        speed: unit("SpeedUnit").unwrap_or_else(|| "km/h".to_owned()),
    };
    if let Json::Object(object) = json {
        for (name, inside) in object {
            // Readers of cards say numbers of cards, shutters and switches are entities of another kind.
            let is_other = matches!(name.as_str(), "Time" | "PN532" | "RDM6300") || is_numbered(name, "Switch") || is_numbered(name, "Shutter");
            if !is_other && (inside.is_object() || inside.is_number()) {
                walk(&mut vec![name.clone()], inside, &units, &mut leaves);
            }
        }
    }
    leaves
}

/// Reads `…/sensors`; nothing where it was not said.
///
/// # Errors
/// Says what is wrong with it, to stand behind the name of its topic.
pub(super) fn read(payload: &[u8]) -> Result<Vec<Leaf>, String> {
    if payload.is_empty() {
        return Ok(vec![]);
    }
    let json: Json = serde_json::from_slice(payload).map_err(|error| format!("cannot be read: {}", shown(&error.to_string())))?;
    json.get("sn").filter(|sn| sn.is_object()).map(leaves_of).ok_or_else(|| "has no sensors in it".to_owned())
}

fn is_numbered(name: &str, word: &str) -> bool {
    name.strip_prefix(word).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

struct Units {
    temperature: String,
    pressure: String,
    speed: String,
}

fn walk(path: &mut Vec<String>, json: &Json, units: &Units, leaves: &mut Vec<Leaf>) {
    let own = path.last().map(String::as_str).unwrap_or_default();
    if own.len() > MOST_NAME_BYTES || leaves.len() >= MOST_LEAVES || matches!(own, "Id" | "TotalStartTime" | "Time") {
        return;
    }
    let mut inside = |name: String, json: &Json| {
        if path.len() < MOST_DEPTH {
            path.push(name);
            walk(path, json, units, leaves);
            path.pop();
        }
    };
    match json {
        Json::Object(object) => object.iter().for_each(|(name, json)| inside(name.clone(), json)),
        Json::Array(list) => list.iter().take(MOST_LEAVES).enumerate().for_each(|(n, json)| inside(n.to_string(), json)),
        Json::Bool(_) => {}
        leaf => {
            let quantity = quantity(path);
            let unit = match quantity {
                "Temperature" | "DewPoint" => Some(units.temperature.clone()),
                "Pressure" | "SeaPressure" => Some(units.pressure.clone()),
                "Speed" => Some(units.speed.clone()),
                other => known(other).1.map(str::to_owned),
            };
            leaves.push(Leaf { path: path.clone(), is_text: leaf.is_string(), unit });
        }
    }
}

/// What a leaf measures: the last name that is no number; of a speed, the name around its least and most.
fn quantity(path: &[String]) -> &str {
    let mut names = path.iter().rev().map(String::as_str).filter(|name| !name.bytes().all(|b| b.is_ascii_digit()));
    let own = names.next().unwrap_or_default();
    match own {
        "Act" | "Avg" | "Min" | "Max" => names.next().unwrap_or(own),
        own => own,
    }
}

/// The class and unit of a quantity (Tasmota, `xsns` drivers and `Commands.md`).
fn known(quantity: &str) -> (Option<&'static str>, Option<&'static str>) {
    let (class, unit) = match quantity {
        "Temperature" | "DewPoint" => ("temperature", ""),
        "Humidity" => ("humidity", "%"),
        "Moisture" => ("moisture", "%"),
        "Pressure" | "SeaPressure" => ("atmospheric_pressure", ""),
        "Illuminance" | "Ambient" => ("illuminance", "lx"),
        "Total" | "Today" | "Yesterday" | "Energy" | "ExportActive" | "ImportActive" | "TotalTariff" | "ExportTariff" => ("energy", "kWh"),
        "ImportReactive" | "ExportReactive" => ("", "kvarh"),
        "Period" => ("energy", "Wh"),
        "Power" | "ActivePower" => ("power", "W"),
        "ApparentPower" => ("apparent_power", "VA"),
        "ReactivePower" => ("reactive_power", "var"),
        "Factor" => ("power_factor", ""),
        "Frequency" => ("frequency", "Hz"),
        "Voltage" => ("voltage", "V"),
        "Current" | "CurrentNeutral" => ("current", "A"),
        "PhaseAngle" => ("", "°"),
        "Battery" | "BatteryPercentage" => ("battery", "%"),
        "CarbonDioxide" | "CO2" | "eCO2" => ("carbon_dioxide", "ppm"),
        "TVOC" => ("volatile_organic_compounds_parts", "ppb"),
        "PM1" | "CF1" => ("pm1", "µg/m³"),
        "PM2.5" | "CF2.5" => ("pm25", "µg/m³"),
        "PM10" | "CF10" => ("pm10", "µg/m³"),
        "Distance" => ("distance", "cm"),
        "Weight" => ("weight", "kg"),
        "Speed" => ("wind_speed", ""),
        "CCT" => ("", "K"),
        _ => ("", ""),
    };
    (Some(class).filter(|class| !class.is_empty()), Some(unit).filter(|unit| !unit.is_empty()))
}

/// An entity of each leaf.
pub(super) fn all(config: &Config, leaves: &[Leaf]) -> Vec<FoundEntity> {
    let mut n_called: HashMap<String, usize> = HashMap::new();
    leaves.iter().for_each(|leaf| *n_called.entry(short(&leaf.path)).or_default() += 1);
    leaves.iter().map(|leaf| entity(config, leaf, n_called.get(&short(&leaf.path)) == Some(&1))).collect()
}

fn entity(config: &Config, leaf: &Leaf, is_only: bool) -> FoundEntity {
    let Leaf { path, is_text, unit } = leaf;
    let own: Vec<&str> = path.iter().map(String::as_str).collect();
    let within: Vec<&str> = std::iter::once("StatusSNS").chain(own.iter().copied()).collect();
    let map = if *is_text { Map::Text } else { Map::Number(Scale::default()) };
    let mut speech = speech(config, &path.join("."));
    speech.reads.push(read_at(config.tele("SENSOR"), Part::State, &own, &map));
    speech.reads.extend(["STATUS8", "STATUS10"].map(|status| read_at(config.stat(status), Part::State, &within, &map)));
    let quantity = quantity(path);
    let is_chip = path.first().is_some_and(|of| of == "ESP32");
    let hint = if is_only { short(path) } else { path.join("_").to_lowercase() };
    let counter = match quantity {
        "Total" | "Today" | "ExportActive" | "ImportActive" | "TotalTariff" | "ExportTariff" => Some(true),
        "Yesterday" | "Period" => Some(false),
        _ => None,
    };
    let sensor = FoundEntity {
        unit: unit.clone().filter(|_| !is_text),
        class: known(quantity).0.filter(|_| !is_text).map(str::to_owned),
        counter,
        is_hidden: is_chip || quantity == "Period",
        ..FoundEntity::new(&name(path), EntityKind::Sensor, speech)
    };
    named(&hint, sensor)
}

/// The leaf without the sensor that it belongs to: `temperature`, `energy_today`, `power_1`.
fn short(path: &[String]) -> String {
    let inside = path.get(1..).filter(|inside| !inside.is_empty()).unwrap_or(path);
    let words: Vec<String> = inside.iter().map(|name| counted(name).unwrap_or_else(|| snake(name))).collect();
    let short = words.join("_");
    match short.as_str() {
        "total" => "energy".to_owned(),
        "today" | "yesterday" => ["energy_", &short].concat(),
        _ => short,
    }
}

/// A place in a list counts from 1.
fn counted(name: &str) -> Option<String> {
    name.parse::<u16>().ok().map(|n| (u32::from(n) + 1).to_string())
}

/// `ApparentPower` as `apparent_power`; `eCO2` and `PM2.5` stay together.
fn snake(name: &str) -> String {
    let mut words = String::new();
    let mut before = ' ';
    for c in name.chars() {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() && words.len() > 1 {
            words.push('_');
        }
        words.push(c.to_ascii_lowercase());
        before = c;
    }
    words
}

/// As the firmware shows it: `DS18B20 Temperature`; what belongs to a meter stands alone, `Apparent power`.
fn name(path: &[String]) -> String {
    let is_meter = path.first().is_some_and(|of| of == "ENERGY");
    let words = |name: &String| counted(name).unwrap_or_else(|| if is_meter { snake(name).replace('_', " ") } else { name.clone() });
    let names: Vec<String> = path.iter().skip(usize::from(is_meter)).map(words).collect();
    let name = names.join(" ");
    match (is_meter, name.as_str()) {
        (true, "total" | "today" | "yesterday") => ["Energy ", &name].concat(),
        (true, _) => crate::device::name_from(&name),
        (false, _) => name,
    }
}

/// What each device says of itself in its state.
pub(super) fn diagnostics(config: &Config) -> Vec<FoundEntity> {
    let all: [(&str, &str, &[&str], &str, &str); 3] = [
        ("rssi", "Wi-Fi quality", &["Wifi", "RSSI"], "%", "signal_strength"),
        ("signal", "Wi-Fi signal", &["Wifi", "Signal"], "dBm", "signal_strength"),
        ("uptime", "Uptime", &["UptimeSec"], "s", "duration"),
    ];
    let diagnosis = |(key, name, path, unit, class): (&str, &str, &[&str], &str, &str)| {
        let within: Vec<&str> = std::iter::once("StatusSTS").chain(path.iter().copied()).collect();
        let map = Map::Number(Scale::default());
        let mut speech = speech(config, key);
        speech.reads.push(read_at(config.tele("STATE"), Part::State, path, &map));
        speech.reads.push(read_at(config.stat("STATUS11"), Part::State, &within, &map));
        let sensor = FoundEntity {
            unit: Some(unit.to_owned()),
            class: Some(class.to_owned()),
            is_hidden: true,
            ..FoundEntity::new(name, EntityKind::Sensor, speech)
        };
        named(key, sensor)
    };
    all.into_iter().map(diagnosis).collect()
}
