//! A dimmer of the default schema, each property on a topic of its own, and a color light of the JSON schema.

use domain::time::Timestamp;
use serde_json::{Value as Json, json};

use super::{HUB_STATUS, about, asks_again, availability, config};
use crate::simulator::conventions::actor::Speech;
use crate::simulator::conventions::parts::{level, object, switched, text, whole, word};
use crate::simulator::player::Outgoing;

const DIMMER: &str = "attic-lamp";
const STRIP: &str = "shelf-strip";
/// What the strip can play by itself.
const EFFECTS: [&str; 2] = ["rainbow", "candle"];

/// The dimmer: brightness 0 to 100.
#[derive(Debug)]
pub(in crate::simulator::conventions) struct Dimmer {
    on: bool,
    brightness: u8,
}

impl Dimmer {
    pub(in crate::simulator::conventions) const fn new() -> Self {
        Self { on: false, brightness: 60 }
    }

    fn states(&self) -> Vec<Outgoing> {
        vec![
            Outgoing::retained(format!("{DIMMER}/power"), word(self.on, "ON", "OFF")),
            Outgoing::retained(format!("{DIMMER}/brightness"), self.brightness.to_string()),
        ]
    }
}

impl Speech for Dimmer {
    fn id(&self) -> &str {
        DIMMER
    }

    fn topics(&self) -> Vec<String> {
        vec![format!("{DIMMER}/power/set"), format!("{DIMMER}/brightness/set"), HUB_STATUS.to_owned()]
    }

    fn farewell(&self) -> Outgoing {
        availability(DIMMER, false)
    }

    fn birth(&mut self, _now: Timestamp) -> Vec<Outgoing> {
        let (device, origin) = about(DIMMER, "Attic lamp", "Lumo", "Dim 1");
        let json = json!({
            "~": DIMMER, "name": null, "uniq_id": "attic_lamp_light", "cmd_t": "~/power/set", "stat_t": "~/power",
            "bri_cmd_t": "~/brightness/set", "bri_stat_t": "~/brightness", "bri_scl": 100, "avty_t": "~/availability", "qos": 1,
            "dev": device, "o": origin,
        });
        let mut out = vec![config("light/attic_lamp", &json), availability(DIMMER, true)];
        out.extend(self.states());
        out
    }

    fn telemetry(&mut self, _now: Timestamp) -> Vec<Outgoing> {
        self.states()
    }

    fn obey(&mut self, topic: &str, payload: &[u8], now: Timestamp) -> Vec<Outgoing> {
        if asks_again(topic, payload) {
            return self.birth(now);
        }
        if topic == format!("{DIMMER}/power/set") {
            let Some(on) = text(payload).and_then(|text| switched(text, self.on)) else { return vec![] };
            self.on = on;
        } else {
            match whole(payload, 0..=100_u8) {
                None => return vec![],
                Some(0) => self.on = false,
                Some(brightness) => (self.on, self.brightness) = (true, brightness),
            }
        }
        self.states()
    }
}

/// The strip: brightness 0 to 255, a color or a white of 153 to 500 mireds, effects.
#[derive(Debug)]
pub(in crate::simulator::conventions) struct Strip {
    on: bool,
    brightness: u16,
    shade: Shade,
    effect: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
enum Shade {
    Color([u16; 3]),
    White { mireds: u16 },
}

impl Strip {
    pub(in crate::simulator::conventions) const fn new() -> Self {
        Self { on: true, brightness: 128, shade: Shade::Color([255, 140, 60]), effect: None }
    }

    fn state(&self) -> Outgoing {
        let mut json = json!({ "state": word(self.on, "ON", "OFF"), "brightness": self.brightness, "effect": self.effect });
        match self.shade {
            Shade::Color([r, g, b]) => {
                json["color_mode"] = "rgb".into();
                json["color"] = json!({ "r": r, "g": g, "b": b });
            }
            Shade::White { mireds } => {
                json["color_mode"] = "color_temp".into();
                json["color_temp"] = mireds.into();
            }
        }
        Outgoing::retained(format!("{STRIP}/state"), json.to_string())
    }

    fn announcement() -> Outgoing {
        let (device, origin) = about(STRIP, "Shelf strip", "Lumo", "Strip RGBW");
        let json = json!({
            "~": STRIP, "name": null, "uniq_id": "shelf_strip_light", "schema": "json", "cmd_t": "~/set", "stat_t": "~/state", "brightness": true,
            "sup_clrm": ["rgb", "color_temp"], "min_mirs": 153, "max_mirs": 500, "effect": true, "fx_list": EFFECTS,
            "avty": [{ "t": "~/availability" }], "dev": device, "o": origin,
        });
        config("light/shelf/strip", &json)
    }
}

impl Speech for Strip {
    fn id(&self) -> &str {
        STRIP
    }

    fn topics(&self) -> Vec<String> {
        vec![format!("{STRIP}/set"), HUB_STATUS.to_owned()]
    }

    fn farewell(&self) -> Outgoing {
        availability(STRIP, false)
    }

    fn birth(&mut self, _now: Timestamp) -> Vec<Outgoing> {
        vec![Self::announcement(), availability(STRIP, true), self.state()]
    }

    fn telemetry(&mut self, _now: Timestamp) -> Vec<Outgoing> {
        vec![self.state()]
    }

    fn obey(&mut self, topic: &str, payload: &[u8], now: Timestamp) -> Vec<Outgoing> {
        if asks_again(topic, payload) {
            return self.birth(now);
        }
        let Some(command) = object(payload).filter(|_| topic != HUB_STATUS) else { return vec![] };
        // A command without a state makes no sense to a light of this schema.
        let Some(on) = command.get("state").and_then(Json::as_str).and_then(|state| switched(state, self.on)) else { return vec![] };
        self.on = on;
        if let Some(brightness) = command.get("brightness").and_then(|b| level(b, 1, 255)) {
            self.brightness = brightness;
        }
        if let Some(color) = command.get("color") {
            let part = |key: &str| color.get(key).and_then(|part| level(part, 0, 255));
            if let (Some(r), Some(g), Some(b)) = (part("r"), part("g"), part("b")) {
                (self.shade, self.effect) = (Shade::Color([r, g, b]), None);
            }
        }
        if let Some(mireds) = command.get("color_temp").and_then(|mireds| level(mireds, 153, 500)) {
            (self.shade, self.effect) = (Shade::White { mireds }, None);
        }
        if let Some(effect) = command.get("effect").and_then(Json::as_str) {
            self.effect = EFFECTS.into_iter().find(|known| *known == effect);
        }
        vec![self.state()]
    }
}
