//! `ESPHome` without discovery by Home Assistant: states below `<node>/<component>/<name>/state`.

use domain::time::Timestamp;
use serde_json::{Value as Json, json};

use super::actor::Speech;
use super::parts::{curve, is_on, level, number, object, spells, switched, text, word};
use crate::simulator::curve::{Curve, Model, Spells};
use crate::simulator::player::Outgoing;

const NODE: &str = "workshop-node";

/// The node: two sensors, a switch, a light.
#[derive(Debug)]
pub(super) struct Node {
    temperature: Model,
    humidity: Model,
    window: Model,
    fan: bool,
    lamp: Lamp,
}

#[derive(Debug)]
struct Lamp {
    on: bool,
    brightness: u16,
    color: [u16; 3],
}

impl Node {
    pub(super) fn new() -> Self {
        Self {
            temperature: curve("esphome.t", Curve::flat(19.4, 1).daily(1.4, 15).noise(0.3, 240)),
            humidity: curve("esphome.h", Curve::flat(51.0, 0).daily(-4.0, 15).noise(2.0, 300).within(20.0, 95.0)),
            window: spells("esphome.w", Spells::new(2_700, 0.4, 120, 900)),
            fan: false,
            lamp: Lamp { on: true, brightness: 204, color: [255, 214, 170] },
        }
    }

    fn fan(&self) -> Outgoing {
        Outgoing::retained(state("switch/fan"), word(self.fan, "ON", "OFF"))
    }

    fn lamp(&self) -> Outgoing {
        let Lamp { on, brightness, color: [r, g, b] } = self.lamp;
        let json = json!({ "state": word(on, "ON", "OFF"), "color_mode": "rgb", "brightness": brightness, "color": { "r": r, "g": g, "b": b } });
        Outgoing::retained(state("light/bench_light"), json.to_string())
    }

    fn discovered() -> Outgoing {
        let json = json!({
            "ip": "192.168.7.60", "name": NODE, "friendly_name": "Workshop", "port": 6_053, "version": "2025.2.0", "mac": "e868e7a1b3c4",
            "platform": "ESP32", "board": "esp32dev", "network": "wifi",
        });
        Outgoing::retained(format!("esphome/discover/{NODE}"), json.to_string())
    }

    fn set_lamp(&mut self, payload: &[u8]) -> Option<()> {
        let command = object(payload)?;
        if let Some(word) = command.get("state").and_then(Json::as_str) {
            self.lamp.on = switched(word, self.lamp.on)?;
        }
        if let Some(brightness) = command.get("brightness").and_then(|b| level(b, 0, 255)) {
            self.lamp.brightness = brightness;
        }
        for (place, key) in self.lamp.color.iter_mut().zip(["r", "g", "b"]) {
            if let Some(part) = command.get("color").and_then(|color| color.get(key)).and_then(|part| level(part, 0, 255)) {
                *place = part;
            }
        }
        Some(())
    }
}

impl Speech for Node {
    fn id(&self) -> &str {
        NODE
    }

    fn topics(&self) -> Vec<String> {
        vec![format!("{NODE}/switch/fan/command"), format!("{NODE}/light/bench_light/command"), "esphome/discover".to_owned()]
    }

    fn farewell(&self) -> Outgoing {
        Outgoing::retained(format!("{NODE}/status"), "offline")
    }

    fn birth(&mut self, now: Timestamp) -> Vec<Outgoing> {
        // The log comes with the colors of a terminal.
        let log = Outgoing::event(format!("{NODE}/debug"), "\u{1b}[0;36m[C][mqtt:029]: MQTT: Connected\u{1b}[0m").at_most_once();
        let mut out = vec![Outgoing::retained(format!("{NODE}/status"), "online"), Self::discovered(), log, self.fan(), self.lamp()];
        out.extend(self.telemetry(now));
        out
    }

    fn telemetry(&mut self, now: Timestamp) -> Vec<Outgoing> {
        vec![
            Outgoing::retained(state("sensor/workshop_temperature"), format!("{:.1}", number(&self.temperature, now))),
            Outgoing::retained(state("sensor/workshop_humidity"), format!("{:.0}", number(&self.humidity, now))),
            Outgoing::retained(state("binary_sensor/window"), word(is_on(&self.window, now), "ON", "OFF")),
        ]
    }

    fn obey(&mut self, topic: &str, payload: &[u8], _now: Timestamp) -> Vec<Outgoing> {
        if topic == "esphome/discover" {
            return vec![Self::discovered()];
        }
        if topic.contains("/light/") {
            return self.set_lamp(payload).map(|()| vec![self.lamp()]).unwrap_or_default();
        }
        let Some(on) = text(payload).and_then(|text| switched(text, self.fan)) else { return vec![] };
        self.fan = on;
        vec![self.fan()]
    }
}

fn state(path: &str) -> String {
    format!("{NODE}/{path}/state")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_000);

    #[test]
    fn it_says_what_it_has_and_that_it_is_there() {
        let mut node = Node::new();
        let out = node.birth(NOW);
        assert_eq!(out[0], Outgoing::retained("workshop-node/status", "online"));
        let find = |topic: &str| out.iter().find(|o| o.topic == topic).map(Outgoing::text).expect("said");
        assert!(find("workshop-node/sensor/workshop_temperature/state").parse::<f64>().is_ok());
        assert_eq!(find("workshop-node/switch/fan/state"), "OFF");
        assert!(find("esphome/discover/workshop-node").contains(r#""mac":"e868e7a1b3c4""#));
        assert_eq!(node.farewell().text(), "offline");
    }

    #[test]
    fn it_obeys_and_leaves_nonsense_alone() {
        let mut node = Node::new();
        let mut tell = |path: &str, payload: &[u8]| node.obey(&format!("workshop-node/{path}/command"), payload, NOW);
        assert_eq!(tell("switch/fan", b"ON"), [Outgoing::retained("workshop-node/switch/fan/state", "ON")]);
        let lamp: Json =
            serde_json::from_slice(&tell("light/bench_light", br#"{"state":"OFF","brightness":153,"color":{"r":1,"g":2,"b":3}}"#)[0].payload)
                .expect("JSON");
        assert_eq!(lamp, json!({ "state": "OFF", "color_mode": "rgb", "brightness": 153, "color": { "r": 1, "g": 2, "b": 3 } }));
        for (path, payload) in
            [("switch/fan", b"up".as_slice()), ("switch/fan", b"\xff"), ("light/bench_light", b"ON"), ("light/bench_light", br#"{"state":"dim"}"#)]
        {
            assert_eq!(tell(path, payload), [], "{path}");
        }
        assert_eq!(node.obey("esphome/discover", b"", NOW)[0].topic, "esphome/discover/workshop-node");
    }
}
