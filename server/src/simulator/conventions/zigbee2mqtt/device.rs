//! The devices behind the bridge.

use domain::time::Timestamp;
use serde_json::{Value as Json, json};

use super::{Outgoing, topic};
use crate::simulator::conventions::parts::{Meter, curve, is_on, level, number, rounded, spells, switched};
use crate::simulator::curve::{Curve, Model, Spells};

/// One device.
#[derive(Debug)]
pub(super) struct Device {
    /// What its owner calls it; holds slashes if he likes.
    pub(super) name: String,
    /// What it is.
    pub(super) ieee: &'static str,
    /// One that does not answer is not yet known to be gone: that takes ten minutes.
    pub(super) reachable: bool,
    /// Whether the group sets it too.
    pub(super) in_group: bool,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Light { on: bool, brightness: u16, mireds: u16 },
    Plug { on: bool, power: Model, meter: Meter },
    Contact { open: Model },
    Motion { seen: Model, light: Model },
}

/// Why a key of a command was not set.
pub(super) struct Refusal {
    pub(super) key: String,
    pub(super) why: String,
}

/// All devices, in the order in which they joined.
pub(super) fn all() -> Vec<Device> {
    let device = |name: &str, ieee, kind| Device { name: name.to_owned(), ieee, reachable: true, in_group: false, kind };
    let power = curve("z2m.plug", Curve::flat(62.0, 1).noise(9.0, 40).bursts(55.0, 90, 0.2).within(0.0, 3_680.0));
    let open = spells("z2m.door", Spells::new(900, 0.6, 30, 240));
    let (seen, light) =
        (spells("z2m.motion", Spells::new(300, 0.6, 20, 90)), curve("z2m.lux", Curve::flat(210.0, 0).daily(180.0, 13).within(0.0, 2_000.0)));
    vec![
        Device { in_group: true, ..device("Kitchen/Ceiling", "0x00158d0000a1b201", Kind::Light { on: true, brightness: 180, mireds: 370 }) },
        Device { in_group: true, ..device("Desk plug", "0x00158d0000a1b202", Kind::Plug { on: true, power, meter: Meter::at_wh(41_870.0) }) },
        device("Balcony door", "0x00158d0000a1b203", Kind::Contact { open }),
        device("Hall motion", "0x00158d0000a1b204", Kind::Motion { seen, light }),
        Device { reachable: false, ..device("Cellar lamp", "0x00158d0000a1b205", Kind::Light { on: false, brightness: 254, mireds: 250 }) },
    ]
}

impl Device {
    /// Whether it is there, as the bridge believes.
    pub(super) fn availability(&self) -> Outgoing {
        Outgoing::retained(topic(&format!("{}/availability", self.name)), r#"{"state":"online"}"#)
    }

    /// Whether it is switched on; sensors are not.
    pub(super) const fn is_on(&self) -> bool {
        matches!(self.kind, Kind::Light { on: true, .. } | Kind::Plug { on: true, .. })
    }

    /// Its state as published: not retained, as by default.
    pub(super) fn state(&mut self, now: Timestamp) -> Outgoing {
        let on_off = |on: bool| if on { "ON" } else { "OFF" };
        let json = match &mut self.kind {
            Kind::Light { on, brightness, mireds } => {
                json!({ "state": on_off(*on), "brightness": brightness, "color_mode": "color_temp", "color_temp": mireds, "linkquality": 120 })
            }
            Kind::Plug { on, power, meter } => {
                let watts = if *on { number(power, now) } else { 0.0 };
                let energy = rounded(meter.count(watts, now) / 1_000.0, 2);
                json!({ "state": on_off(*on), "power": watts, "energy": energy, "voltage": 231, "linkquality": 156 })
            }
            // These magnets say true while the door is shut.
            Kind::Contact { open } => json!({ "contact": !is_on(open, now), "battery": 87, "voltage": 2_985, "linkquality": 72 }),
            Kind::Motion { seen, light } => {
                json!({ "occupancy": is_on(seen, now), "illuminance": number(light, now), "battery": 64, "linkquality": 93 })
            }
        };
        Outgoing::event(topic(&self.name), json.to_string())
    }

    /// Sets what a command says, key by key; answers with what could not be set.
    pub(super) fn set(&mut self, command: &Json) -> Vec<Refusal> {
        let Json::Object(keys) = command else { return vec![] };
        let refused = keys.iter().filter_map(|(key, value)| self.set_one(key, value).err().map(|why| Refusal { key: key.clone(), why }));
        refused.collect()
    }

    fn set_one(&mut self, key: &str, value: &Json) -> Result<(), String> {
        let (Kind::Light { .. } | Kind::Plug { .. }) = self.kind else { return Err(no_converter(key)) };
        if !self.reachable {
            let call = match key {
                "brightness" => "genLevelCtrl.moveToLevelWithOnOff",
                "color_temp" => "lightingColorCtrl.moveToColorTemp",
                _ => "genOnOff.on",
            };
            let asked = format!("ZCL command {}/1 {call}({value}, {{\"timeout\":10000}})", self.ieee);
            return Err(format!("Error: {asked} failed (Data request failed with error: 'MAC no ack' (233))"));
        }
        let invalid = || format!("Error: Invalid value for '{key}': {value}");
        match (&mut self.kind, key) {
            (Kind::Light { on, .. } | Kind::Plug { on, .. }, "state") => {
                *on = value.as_str().and_then(|word| switched(word, *on)).ok_or_else(invalid)?;
            }
            (Kind::Light { on, brightness, .. }, "brightness") => match level(value, 0, 254).ok_or_else(invalid)? {
                0 => *on = false,
                lit => (*on, *brightness) = (true, lit),
            },
            (Kind::Light { mireds, .. }, "color_temp") => *mireds = level(value, 153, 500).ok_or_else(invalid)?,
            (Kind::Light { .. }, "transition" | "effect") => {}
            _ => return Err(no_converter(key)),
        }
        Ok(())
    }

    /// How the bridge lists it.
    pub(super) fn announcement(&self) -> Json {
        let Described { vendor, model, about, power_source, exposes } = self.described();
        json!({
            "ieee_address": self.ieee, "type": if power_source == "Battery" { "EndDevice" } else { "Router" }, "network_address": 4_101,
            "supported": true, "disabled": false, "friendly_name": self.name, "description": null, "power_source": power_source,
            "model_id": model, "manufacturer": vendor, "interview_completed": true, "interview_state": "SUCCESSFUL",
            "endpoints": { "1": { "bindings": [], "clusters": { "input": ["genBasic"], "output": [] }, "configured_reportings": [], "scenes": [] } },
            "definition": { "model": model, "vendor": vendor, "description": about, "supports_ota": false, "options": [], "exposes": exposes },
        })
    }

    fn described(&self) -> Described {
        let state = binary("state", 7, &json!("ON"), &json!("OFF"));
        let link = numeric("linkquality", 1, "lqi");
        let with = |mut json: Json, key: &str, value: Json| {
            json[key] = value;
            json
        };
        let diagnostic = |json: Json| with(json, "category", "diagnostic".into());
        let (vendor, model, about, power_source, exposes) = match self.kind {
            Kind::Light { .. } => {
                let ranged = |mut json: Json, least: u16, most: u16| {
                    json["value_min"] = least.into();
                    json["value_max"] = most.into();
                    json
                };
                let presets = json!([{ "name": "coolest", "value": 153, "description": "Coolest" }, { "name": "warmest", "value": 500, "description": "Warmest" }]);
                let features = json!([
                    with(state, "value_toggle", "TOGGLE".into()),
                    ranged(numeric("brightness", 7, ""), 0, 254),
                    with(ranged(numeric("color_temp", 7, "mired"), 153, 500), "presets", presets),
                ]);
                let effect =
                    json!({ "type": "enum", "name": "effect", "label": "Effect", "property": "effect", "access": 2, "values": ["blink", "breathe"] });
                let exposes = json!([{ "type": "light", "features": features }, effect, diagnostic(link)]);
                ("Lumo", "LUMO-E27-CCT", "White bulb, warm to cool", "Mains (single phase)", exposes)
            }
            Kind::Plug { .. } => {
                let state = with(state, "value_toggle", "TOGGLE".into());
                let measures = [numeric("power", 5, "W"), numeric("energy", 1, "kWh"), numeric("voltage", 1, "V")];
                let [power, energy, voltage] = measures;
                let exposes = json!([{ "type": "switch", "features": [state] }, power, energy, diagnostic(voltage), diagnostic(link)]);
                ("Stecker", "ST-PM16", "Plug with power meter", "Mains (single phase)", exposes)
            }
            Kind::Contact { .. } => {
                let exposes = json!([
                    binary("contact", 1, &json!(false), &json!(true)),
                    diagnostic(numeric("battery", 1, "%")),
                    diagnostic(numeric("voltage", 1, "mV")),
                    diagnostic(link)
                ]);
                ("Fenster", "FE-MC1", "Door and window contact", "Battery", exposes)
            }
            Kind::Motion { .. } => {
                let exposes = json!([
                    binary("occupancy", 1, &json!(true), &json!(false)),
                    numeric("illuminance", 1, "lx"),
                    diagnostic(numeric("battery", 1, "%")),
                    diagnostic(link)
                ]);
                ("Fenster", "FE-PIR2", "Motion sensor", "Battery", exposes)
            }
        };
        Described { vendor, model, about, power_source, exposes }
    }
}

/// What the bridge knows of a kind of device.
struct Described {
    vendor: &'static str,
    model: &'static str,
    about: &'static str,
    power_source: &'static str,
    exposes: Json,
}

fn no_converter(key: &str) -> String {
    format!("Error: No converter available for '{key}'")
}

/// Access is a sum of bits: 1 is published, 2 can be set, 4 can be asked for.
fn binary(name: &str, access: u8, on: &Json, off: &Json) -> Json {
    json!({ "type": "binary", "name": name, "label": name, "property": name, "access": access, "value_on": on, "value_off": off })
}

fn numeric(name: &str, access: u8, unit: &str) -> Json {
    let mut json = json!({ "type": "numeric", "name": name, "label": name, "property": name, "access": access });
    if !unit.is_empty() {
        json["unit"] = unit.into();
    }
    json
}
