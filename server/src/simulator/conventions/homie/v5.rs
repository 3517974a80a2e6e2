//! A heat pump of convention 5: it says at once what it aims at, and the value once it is there.

use domain::time::Timestamp;
use serde_json::{Value as Json, json};

use super::{boolean, kept, property};
use crate::simulator::conventions::actor::Speech;
use crate::simulator::conventions::parts::{curve, number, rounded, text};
use crate::simulator::curve::{Curve, Model};
use crate::simulator::player::Outgoing;

const ROOT: &str = "homie/5/heat-pump";
const MODES: [&str; 3] = ["eco", "comfort", "silent"];

/// The heat pump.
#[derive(Debug)]
pub(in crate::simulator::conventions) struct HeatPump {
    power: bool,
    mode: &'static str,
    /// °C, in halves.
    setpoint: f64,
    outside: Model,
    flow: Model,
    /// What was accepted and is not done yet, in order; the same property twice is there once.
    aims: Vec<Aim>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Aim {
    Power(bool),
    Mode(&'static str),
    Setpoint(f64),
}

impl Aim {
    /// What a command means; `None` for values that the description does not allow.
    fn read(property: &str, said: &str) -> Option<Self> {
        match property {
            "unit/power" => boolean(said).map(Self::Power),
            "unit/mode" => MODES.into_iter().find(|mode| *mode == said).map(Self::Mode),
            "circuit/setpoint" => {
                let degrees: f64 = said.parse().ok()?;
                Some(rounded(degrees * 2.0, 0) / 2.0).filter(|degrees| (20.0..=60.0).contains(degrees)).map(Self::Setpoint)
            }
            _ => None,
        }
    }

    const fn property(self) -> &'static str {
        match self {
            Self::Power(_) => "unit/power",
            Self::Mode(_) => "unit/mode",
            Self::Setpoint(_) => "circuit/setpoint",
        }
    }

    fn text(self) -> String {
        match self {
            Self::Power(on) => on.to_string(),
            Self::Mode(mode) => mode.to_owned(),
            Self::Setpoint(degrees) => degrees.to_string(),
        }
    }
}

impl HeatPump {
    pub(in crate::simulator::conventions) fn new() -> Self {
        Self {
            power: true,
            mode: "eco",
            setpoint: 38.5,
            outside: curve("homie5.outside", Curve::flat(9.6, 1).daily(4.0, 14).noise(0.4, 500)),
            flow: curve("homie5.flow", Curve::flat(37.9, 1).wave(1.1, 18).noise(0.2, 60)),
            aims: Vec::new(),
        }
    }

    fn description() -> Json {
        let fixed = |name: &str, format: &str| json!({ "name": name, "datatype": "float", "unit": "°C", "format": format, "settable": false });
        json!({
            "homie": "5.0", "version": 7, "name": "Heat pump", "children": [], "extensions": [],
            "nodes": {
                "unit": { "name": "Unit", "properties": {
                    "power": { "name": "Power", "datatype": "boolean", "settable": true },
                    "mode": { "name": "Mode", "datatype": "enum", "format": MODES.join(","), "settable": true },
                    "outside": fixed("Outside", "-40:60"),
                } },
                "circuit": { "name": "Circuit", "properties": {
                    "setpoint": { "name": "Setpoint", "datatype": "float", "unit": "°C", "format": "20:60:0.5", "settable": true },
                    "flow": fixed("Flow", "0:90"),
                } },
            },
        })
    }

    /// What can be set, as it stands.
    fn settings(&self) -> [Aim; 3] {
        [Aim::Power(self.power), Aim::Mode(self.mode), Aim::Setpoint(self.setpoint)]
    }
}

impl Speech for HeatPump {
    fn id(&self) -> &'static str {
        "homie5-heat-pump"
    }

    fn topics(&self) -> Vec<String> {
        vec![format!("{ROOT}/+/+/set")]
    }

    fn farewell(&self) -> Outgoing {
        kept(ROOT, "$state", "lost")
    }

    fn birth(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let mut out = vec![kept(ROOT, "$state", "init"), kept(ROOT, "$description", Self::description().to_string())];
        out.extend(self.settings().map(|aim| kept(ROOT, aim.property(), aim.text())));
        out.extend(self.telemetry(now));
        out.push(kept(ROOT, "$state", "ready"));
        out
    }

    fn telemetry(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let degrees = |model: &Model| format!("{:.1}", number(model, now));
        vec![kept(ROOT, "unit/outside", degrees(&self.outside)), kept(ROOT, "circuit/flow", degrees(&self.flow))]
    }

    fn obey(&mut self, topic: &str, payload: &[u8], _now: Timestamp) -> Vec<Outgoing> {
        let aim = property(ROOT, topic).zip(text(payload)).and_then(|(property, said)| Aim::read(property, said));
        let Some(aim) = aim else { return vec![] };
        self.aims.retain(|other| other.property() != aim.property());
        self.aims.push(aim);
        vec![kept(ROOT, &format!("{}/$target", aim.property()), aim.text())]
    }

    fn is_moving(&self) -> bool {
        !self.aims.is_empty()
    }

    fn step(&mut self, _now: Timestamp) -> Vec<Outgoing> {
        let reached = std::mem::take(&mut self.aims);
        for aim in &reached {
            match *aim {
                Aim::Power(on) => self.power = on,
                Aim::Mode(mode) => self.mode = mode,
                Aim::Setpoint(degrees) => self.setpoint = degrees,
            }
        }
        reached.into_iter().map(|aim| kept(ROOT, aim.property(), aim.text())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_000);

    #[test]
    fn it_describes_every_value_that_it_tells() {
        let mut device = HeatPump::new();
        let out = device.birth(NOW);
        let text = |below: &str| out.iter().filter(|o| o.topic == format!("homie/5/heat-pump/{below}")).map(Outgoing::text).collect::<Vec<_>>();
        assert_eq!(text("$state"), ["init", "ready"]);
        let description: Json = serde_json::from_str(&text("$description")[0]).expect("JSON");
        let mut told = 0;
        for (node, described) in description["nodes"].as_object().expect("nodes") {
            for id in described["properties"].as_object().expect("properties").keys() {
                assert_eq!(text(&format!("{node}/{id}")).len(), 1, "{node}/{id}");
                told += 1;
            }
        }
        assert_eq!(out.len(), told + 3);
        assert!(out.iter().all(|o| o.retain));
    }

    #[test]
    fn it_says_what_it_aims_at_and_then_what_it_has() {
        let mut device = HeatPump::new();
        let mut tell = |property: &str, value: &str| device.obey(&format!("homie/5/heat-pump/{property}/set"), value.as_bytes(), NOW);
        for (property, value) in [("unit/power", "false"), ("unit/mode", "silent"), ("circuit/setpoint", "44"), ("circuit/setpoint", "45.5")] {
            assert_eq!(tell(property, value), [Outgoing::retained(format!("homie/5/heat-pump/{property}/$target"), value)]);
        }
        for (property, value) in
            [("unit/power", "1"), ("unit/mode", "loud"), ("circuit/setpoint", "61"), ("circuit/setpoint", "NaN"), ("unit/outside", "3")]
        {
            assert_eq!(tell(property, value), [], "{property} {value}");
        }
        assert!(device.is_moving());
        let said: Vec<(String, String)> = device.step(NOW).into_iter().map(|o| (o.topic.clone(), o.text())).collect();
        let expected = [("unit/power", "false"), ("unit/mode", "silent"), ("circuit/setpoint", "45.5")];
        assert_eq!(said, expected.map(|(property, value)| (format!("homie/5/heat-pump/{property}"), value.to_owned())));
        assert!(!device.is_moving());
        assert!(device.birth(NOW).iter().any(|o| o.text() == "45.5"));
    }
}
