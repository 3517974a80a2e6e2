//! A radiator valve: a climate, a number, a select and a button, each announced on its own and all of one device.

use domain::time::Timestamp;
use serde_json::{Value as Json, json};

use super::{HUB_STATUS, about, asks_again, availability, config};
use crate::simulator::conventions::actor::Speech;
use crate::simulator::conventions::parts::{curve, number, object, rounded, text};
use crate::simulator::curve::{Curve, Model};
use crate::simulator::player::Outgoing;

const ID: &str = "study-radiator";
const MODES: [&str; 3] = ["off", "heat", "auto"];
const PRESETS: [&str; 3] = ["none", "eco", "boost"];
const PROGRAMS: [&str; 3] = ["Week", "Holiday", "Party"];

/// The radiator valve.
#[derive(Debug)]
pub(in crate::simulator::conventions) struct Heating {
    room: Model,
    mode: &'static str,
    preset: &'static str,
    program: &'static str,
    /// °C, in halves.
    target: f64,
    /// Minutes, in fives.
    boost: u8,
}

impl Heating {
    pub(in crate::simulator::conventions) fn new() -> Self {
        let room = curve("study-radiator.room", Curve::flat(20.6, 1).daily(0.7, 17).wave(0.3, 45).noise(0.1, 300));
        Self { room, mode: "heat", preset: "none", program: "Week", target: 21.0, boost: 15 }
    }

    fn state(&self, now: Timestamp) -> Outgoing {
        let json = json!({
            "mode": self.mode, "preset": self.preset, "program": self.program, "target": self.target, "boost": self.boost,
            "current": number(&self.room, now),
        });
        Outgoing::retained(format!("{ID}/state"), json.to_string())
    }

    fn announcements() -> Vec<Outgoing> {
        let (device, origin) = about(ID, "Study radiator", "Thermo", "TRV 3");
        let component = |path: &str, mut json: Json| {
            json["~"] = ID.into();
            json["avty_t"] = "~/availability".into();
            json["dev"] = device.clone();
            json["o"] = origin.clone();
            config(path, &json)
        };
        let climate = json!({
            "name": null, "uniq_id": "study_radiator_climate", "modes": MODES, "mode_cmd_t": "~/mode/set", "mode_stat_t": "~/state",
            "mode_stat_tpl": "{{ value_json.mode }}", "temp_cmd_t": "~/target/set", "temp_stat_t": "~/state",
            "temp_stat_tpl": "{{ value_json.target }}", "curr_temp_t": "~/state", "curr_temp_tpl": "{{ value_json.current }}",
            "min_temp": 5, "max_temp": 30, "temp_step": 0.5, "temp_unit": "C", "pr_modes": ["eco", "boost"], "pr_mode_cmd_t": "~/preset/set",
            "pr_mode_stat_t": "~/state", "pr_mode_val_tpl": "{{ value_json.preset }}",
        });
        let number = json!({
            "name": "Boost time", "uniq_id": "study_radiator_boost", "cmd_t": "~/set", "cmd_tpl": "{\"boost\": {{ value | int }} }",
            "stat_t": "~/state", "val_tpl": "{{ value_json.boost }}", "min": 5, "max": 60, "step": 5, "unit_of_meas": "min",
        });
        let select = json!({
            "name": "Program", "uniq_id": "study_radiator_program", "cmd_t": "~/program/set", "stat_t": "~/state",
            "val_tpl": "{{ value_json.program }}", "ops": PROGRAMS,
        });
        let button = json!({ "name": "Identify", "uniq_id": "study_radiator_identify", "cmd_t": "~/identify", "pl_prs": "PRESS" });
        vec![
            component("climate/study_radiator", climate),
            component("number/study_radiator/boost", number),
            component("select/study_radiator/program", select),
            component("button/study_radiator/identify", button),
        ]
    }

    /// Whether a command made sense.
    fn take(&mut self, topic: &str, payload: &[u8]) -> Option<()> {
        let one_of = |known: [&'static str; 3]| text(payload).and_then(|text| known.into_iter().find(|word| *word == text));
        match topic.strip_prefix(ID)? {
            "/mode/set" => self.mode = one_of(MODES)?,
            "/preset/set" => self.preset = one_of(PRESETS)?,
            "/program/set" => self.program = one_of(PROGRAMS)?,
            "/target/set" => {
                let target: f64 = text(payload)?.parse().ok()?;
                self.target = Some(rounded(target * 2.0, 0) / 2.0).filter(|target| (5.0..=30.0).contains(target))?;
            }
            "/set" => self.boost = object(payload)?.get("boost")?.as_u64().and_then(|m| u8::try_from(m).ok()).filter(|m| (5..=60).contains(m))?,
            // It blinks; nobody is told.
            _ => return None,
        }
        Some(())
    }
}

impl Speech for Heating {
    fn id(&self) -> &str {
        ID
    }

    fn topics(&self) -> Vec<String> {
        vec![format!("{ID}/+/set"), format!("{ID}/set"), format!("{ID}/identify"), HUB_STATUS.to_owned()]
    }

    fn farewell(&self) -> Outgoing {
        availability(ID, false)
    }

    fn birth(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let mut out = Self::announcements();
        out.extend([availability(ID, true), self.state(now)]);
        out
    }

    fn telemetry(&mut self, now: Timestamp) -> Vec<Outgoing> {
        vec![self.state(now)]
    }

    fn obey(&mut self, topic: &str, payload: &[u8], now: Timestamp) -> Vec<Outgoing> {
        if asks_again(topic, payload) {
            return self.birth(now);
        }
        self.take(topic, payload).map(|()| vec![self.state(now)]).unwrap_or_default()
    }
}
