//! The components of Gen2+ devices: what stands in the status of each (Shelly's API documentation, "Components").

use crate::convention::speech::{ColorForm, Form, Map, Part, Scale};
use crate::entity::EntityKind;

/// Something in the status of a component.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// Where it stands, from the outside.
    pub path: &'static [&'static str],
    /// What it is.
    pub role: Role,
}

/// What a field is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    /// A part of what the component is itself.
    Part(Part),
    /// An entity of its own.
    Own(Own),
}

/// A field that is an entity of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own {
    /// What its id is made of: `power`.
    pub key: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its device class; empty for none.
    pub class: &'static str,
    /// Its unit; empty for none.
    pub unit: &'static str,
    /// Ours for one of the device's.
    pub factor: f64,
    /// Yes or no.
    pub is_binary: bool,
    /// A meter that counts up.
    pub counts: bool,
    /// Of interest to nobody but who looks after the device.
    pub is_hidden: bool,
}

/// What a component is itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Main {
    /// What.
    pub kind: EntityKind,
    /// What its id is made of.
    pub key: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its device class; empty for none.
    pub class: &'static str,
    /// What its methods begin with: `Switch`.
    pub namespace: &'static str,
}

const fn own(path: &'static [&'static str], key: &'static str, name: &'static str, class: &'static str, unit: &'static str) -> Field {
    let own = Own { key, name, class, unit, factor: 1.0, is_binary: false, counts: false, is_hidden: false };
    Field { path, role: Role::Own(own) }
}

const fn part(path: &'static [&'static str], part: Part) -> Field {
    Field { path, role: Role::Part(part) }
}

impl Field {
    const fn with(self, factor: f64, counts: bool, is_hidden: bool, is_binary: bool) -> Self {
        match self.role {
            Role::Own(own) => Self { role: Role::Own(Own { factor, is_binary, counts, is_hidden, ..own }), ..self },
            Role::Part(_) => self,
        }
    }

    /// Watt-hours as kilowatt-hours.
    const fn meter(self) -> Self {
        self.with(1e-3, true, false, false)
    }

    const fn hidden(self) -> Self {
        self.with(1.0, false, true, false)
    }

    const fn binary(self) -> Self {
        self.with(1.0, false, false, true)
    }
}

const POWER: Field = own(&["apower"], "power", "Power", "power", "W");
const VOLTAGE: Field = own(&["voltage"], "voltage", "Voltage", "voltage", "V");
const CURRENT: Field = own(&["current"], "current", "Current", "current", "A");
const FACTOR: Field = own(&["pf"], "power-factor", "Power factor", "power_factor", "").hidden();
const FREQUENCY: Field = own(&["freq"], "frequency", "Frequency", "frequency", "Hz").hidden();
const ENERGY: Field = own(&["aenergy", "total"], "energy", "Energy", "energy", "kWh").meter();
const RETURNED: Field = own(&["ret_aenergy", "total"], "energy-returned", "Energy returned", "energy", "kWh").meter();
const INSIDE: Field = own(&["temperature", "tC"], "device-temperature", "Device temperature", "temperature", "°C").hidden();

const SWITCH: &[Field] = &[part(&["output"], Part::State), POWER, VOLTAGE, CURRENT, FACTOR, FREQUENCY, ENERGY, RETURNED, INSIDE];
const COVER: &[Field] =
    &[part(&["state"], Part::State), part(&["current_pos"], Part::Position), POWER, VOLTAGE, CURRENT, FACTOR, FREQUENCY, ENERGY, INSIDE];
const LIGHT: &[Field] = &[
    part(&["output"], Part::State),
    part(&["brightness"], Part::Brightness),
    part(&["temp"], Part::ColorTemp),
    POWER,
    VOLTAGE,
    CURRENT,
    ENERGY,
    INSIDE,
];
const CCT: &[Field] = &[
    part(&["output"], Part::State),
    part(&["brightness"], Part::Brightness),
    part(&["ct"], Part::ColorTemp),
    POWER,
    VOLTAGE,
    CURRENT,
    ENERGY,
    INSIDE,
];
const RGB: &[Field] =
    &[part(&["output"], Part::State), part(&["brightness"], Part::Brightness), part(&["rgb"], Part::Color), POWER, VOLTAGE, CURRENT, ENERGY, INSIDE];
const INPUT: &[Field] = &[
    part(&["state"], Part::State),
    own(&["percent"], "input-level", "Input level", "", "%"),
    own(&["counts", "total"], "input-count", "Input count", "", "").with(1.0, true, false, false),
    own(&["freq"], "input-frequency", "Input frequency", "frequency", "Hz"),
];
const EM: &[Field] = &[
    own(&["a_act_power"], "power-a", "Power A", "power", "W"),
    own(&["b_act_power"], "power-b", "Power B", "power", "W"),
    own(&["c_act_power"], "power-c", "Power C", "power", "W"),
    own(&["total_act_power"], "power", "Power", "power", "W"),
    own(&["a_voltage"], "voltage-a", "Voltage A", "voltage", "V"),
    own(&["b_voltage"], "voltage-b", "Voltage B", "voltage", "V"),
    own(&["c_voltage"], "voltage-c", "Voltage C", "voltage", "V"),
    own(&["a_current"], "current-a", "Current A", "current", "A"),
    own(&["b_current"], "current-b", "Current B", "current", "A"),
    own(&["c_current"], "current-c", "Current C", "current", "A"),
    own(&["n_current"], "current-n", "Current N", "current", "A"),
    own(&["total_current"], "current", "Current", "current", "A"),
    own(&["total_aprt_power"], "apparent-power", "Apparent power", "apparent_power", "VA"),
    own(&["a_aprt_power"], "apparent-power-a", "Apparent power A", "apparent_power", "VA").hidden(),
    own(&["b_aprt_power"], "apparent-power-b", "Apparent power B", "apparent_power", "VA").hidden(),
    own(&["c_aprt_power"], "apparent-power-c", "Apparent power C", "apparent_power", "VA").hidden(),
    own(&["a_pf"], "power-factor-a", "Power factor A", "power_factor", "").hidden(),
    own(&["b_pf"], "power-factor-b", "Power factor B", "power_factor", "").hidden(),
    own(&["c_pf"], "power-factor-c", "Power factor C", "power_factor", "").hidden(),
    own(&["a_freq"], "frequency-a", "Frequency A", "frequency", "Hz").hidden(),
    own(&["b_freq"], "frequency-b", "Frequency B", "frequency", "Hz").hidden(),
    own(&["c_freq"], "frequency-c", "Frequency C", "frequency", "Hz").hidden(),
];
const EM_DATA: &[Field] = &[
    own(&["total_act"], "energy", "Energy", "energy", "kWh").meter(),
    own(&["total_act_ret"], "energy-returned", "Energy returned", "energy", "kWh").meter(),
    own(&["a_total_act_energy"], "energy-a", "Energy A", "energy", "kWh").meter(),
    own(&["b_total_act_energy"], "energy-b", "Energy B", "energy", "kWh").meter(),
    own(&["c_total_act_energy"], "energy-c", "Energy C", "energy", "kWh").meter(),
    own(&["a_total_act_ret_energy"], "energy-returned-a", "Energy returned A", "energy", "kWh").meter(),
    own(&["b_total_act_ret_energy"], "energy-returned-b", "Energy returned B", "energy", "kWh").meter(),
    own(&["c_total_act_ret_energy"], "energy-returned-c", "Energy returned C", "energy", "kWh").meter(),
];
const EM1: &[Field] = &[
    own(&["act_power"], "power", "Power", "power", "W"),
    VOLTAGE,
    CURRENT,
    own(&["aprt_power"], "apparent-power", "Apparent power", "apparent_power", "VA").hidden(),
    FACTOR,
    FREQUENCY,
];
const EM1_DATA: &[Field] = &[
    own(&["total_act_energy"], "energy", "Energy", "energy", "kWh").meter(),
    own(&["total_act_ret_energy"], "energy-returned", "Energy returned", "energy", "kWh").meter(),
];
const BATTERY: &[Field] = &[
    own(&["battery", "percent"], "battery", "Battery", "battery", "%"),
    own(&["battery", "V"], "battery-voltage", "Battery voltage", "voltage", "V").hidden(),
    own(&["external", "present"], "external-power", "External power", "plug", "").with(1.0, false, true, true),
];
const STATE: &[Field] = &[part(&["value"], Part::State)];
const PM1: &[Field] = &[POWER, VOLTAGE, CURRENT, FACTOR, FREQUENCY, ENERGY, RETURNED];
const TEMPERATURE: &[Field] = &[own(&["tC"], "temperature", "Temperature", "temperature", "°C")];
const HUMIDITY: &[Field] = &[own(&["rh"], "humidity", "Humidity", "humidity", "%")];
const ILLUMINANCE: &[Field] = &[own(&["lux"], "illuminance", "Illuminance", "illuminance", "lx")];
const VOLTMETER: &[Field] = &[VOLTAGE, own(&["xvoltage"], "voltage-scaled", "Scaled voltage", "", "")];
const SMOKE: &[Field] = &[own(&["alarm"], "smoke", "Smoke", "smoke", "").binary()];
const FLOOD: &[Field] = &[own(&["alarm"], "flood", "Flood", "moisture", "").binary()];
const PRESENCE: &[Field] = &[own(&["state"], "presence", "Presence", "occupancy", "").binary()];
const BTHOME: &[Field] = &[own(&["value"], "value", "Value", "", "")];
const SYSTEM: &[Field] = &[own(&["uptime"], "uptime", "Uptime", "duration", "s").hidden()];
const WIFI: &[Field] = &[own(&["rssi"], "rssi", "Signal strength", "signal_strength", "dBm").hidden()];

/// What may stand in the status of a component of this kind: `switch` of `switch:0`. At most 32 fields each; `None` for one of which nothing is shown.
pub(super) fn fields(kind: &str) -> Option<&'static [Field]> {
    Some(match kind {
        "switch" => SWITCH,
        "cover" => COVER,
        "light" => LIGHT,
        "cct" => CCT,
        "rgb" | "rgbw" => RGB,
        "input" => INPUT,
        "pm1" => PM1,
        "em" => EM,
        "emdata" => EM_DATA,
        "em1" => EM1,
        "em1data" => EM1_DATA,
        "temperature" => TEMPERATURE,
        "humidity" => HUMIDITY,
        "illuminance" => ILLUMINANCE,
        "voltmeter" => VOLTMETER,
        "devicepower" => BATTERY,
        "smoke" => SMOKE,
        "flood" => FLOOD,
        "presence" => PRESENCE,
        "boolean" | "number" | "text" | "enum" => STATE,
        "bthomesensor" => BTHOME,
        "sys" => SYSTEM,
        "wifi" => WIFI,
        _ => return None,
    })
}

/// What a component is itself; `None` for one that only measures.
pub(super) fn main_of(kind: &str) -> Option<Main> {
    let (of, key, name, namespace) = match kind {
        "switch" => (EntityKind::Switch, "switch", "Switch", "Switch"),
        "cover" => (EntityKind::Cover, "cover", "Cover", "Cover"),
        "light" => (EntityKind::Light, "light", "Light", "Light"),
        "cct" => (EntityKind::Light, "light", "Light", "CCT"),
        "rgb" => (EntityKind::Light, "light", "Light", "RGB"),
        "rgbw" => (EntityKind::Light, "light", "Light", "RGBW"),
        "input" => (EntityKind::BinarySensor, "input", "Input", ""),
        "boolean" => (EntityKind::Switch, "boolean", "Boolean", "Boolean"),
        "number" => (EntityKind::Number, "number", "Number", "Number"),
        "text" => (EntityKind::Text, "text", "Text", "Text"),
        "enum" => (EntityKind::Select, "enum", "Selection", "Enum"),
        _ => return None,
    };
    Some(Main { kind: of, key, name, class: "", namespace })
}

/// What a part of a component means.
pub(super) fn map_of(kind: EntityKind, part: Part) -> Map {
    match (kind, part) {
        (EntityKind::Switch | EntityKind::Light | EntityKind::BinarySensor, Part::State) => Map::OnOff { on: true.into(), off: false.into() },
        // While it learns where its ends are, it moves.
        (EntityKind::Cover, Part::State) => Map::Words { words: vec![("calibrating".into(), "opening".to_owned())], others: true },
        (EntityKind::Text | EntityKind::Select, Part::State) => Map::Text,
        (_, Part::Color) => Map::Color(ColorForm::RgbList),
        _ => Map::Number(Scale::default()),
    }
}

/// How a part of a component is asked for: method, name of the parameter, form.
pub(super) fn calls_of(main: Main, part: Part) -> Vec<(String, &'static str, Form)> {
    let of = |method: &str| [main.namespace, ".", method].concat();
    let number = |whole| Form::Number { scale: Scale::default(), whole };
    let word = |word: &str| Form::Word { words: vec![(word.to_owned(), true.into())], others: false };
    match (main.kind, part) {
        (EntityKind::Cover, Part::State) => vec![(of("Open"), "", word("open")), (of("Close"), "", word("close")), (of("Stop"), "", word("stop"))],
        (EntityKind::Cover, Part::Position) => vec![(of("GoToPosition"), "pos", number(true))],
        (EntityKind::Switch | EntityKind::Light, Part::State) => {
            let key = if main.namespace == "Boolean" { "value" } else { "on" };
            vec![(of("Set"), key, Form::on_off(true, false))]
        }
        (EntityKind::Light, Part::Brightness) => vec![(of("Set"), "brightness", number(true))],
        (EntityKind::Light, Part::ColorTemp) => vec![(of("Set"), if main.namespace == "CCT" { "ct" } else { "temp" }, number(true))],
        (EntityKind::Light, Part::Color) => vec![(of("Set"), "rgb", Form::Color(ColorForm::RgbList))],
        (EntityKind::Number, Part::State) => vec![(of("Set"), "value", number(false))],
        (EntityKind::Text | EntityKind::Select, Part::State) => vec![(of("Set"), "value", Form::Word { words: vec![], others: true })],
        _ => vec![],
    }
}
