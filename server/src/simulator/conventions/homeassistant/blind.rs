//! A cover that says where it is while it moves.

use domain::time::Timestamp;
use serde_json::json;

use super::{HUB_STATUS, about, asks_again, availability, config};
use crate::simulator::conventions::actor::Speech;
use crate::simulator::conventions::parts::{Shutter, text, whole};
use crate::simulator::player::Outgoing;

const ID: &str = "studio-blind";

/// The blind.
#[derive(Debug)]
pub(in crate::simulator::conventions) struct Blind(Shutter);

impl Blind {
    pub(in crate::simulator::conventions) const fn new() -> Self {
        Self(Shutter::at(100))
    }

    fn states(&self) -> Vec<Outgoing> {
        vec![
            // Half open is open for the default payloads.
            Outgoing::retained(format!("{ID}/state"), self.0.state("open")),
            Outgoing::retained(format!("{ID}/position"), self.0.position.to_string()),
        ]
    }
}

impl Speech for Blind {
    fn id(&self) -> &str {
        ID
    }

    fn topics(&self) -> Vec<String> {
        vec![format!("{ID}/set"), format!("{ID}/position/set"), HUB_STATUS.to_owned()]
    }

    fn farewell(&self) -> Outgoing {
        availability(ID, false)
    }

    fn birth(&mut self, _now: Timestamp) -> Vec<Outgoing> {
        let (device, origin) = about(ID, "Studio blind", "Rollo", "R 20");
        let json = json!({
            "~": ID, "name": null, "uniq_id": "studio_blind_cover", "dev_cla": "shutter", "cmd_t": "~/set", "stat_t": "~/state",
            "pos_t": "~/position", "set_pos_t": "~/position/set", "avty_t": "~/availability", "dev": device, "o": origin,
        });
        let mut out = vec![config("cover/studio_blind", &json), availability(ID, true)];
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
        if topic == format!("{ID}/position/set") {
            let Some(position) = whole(payload, 0..=100_u8) else { return vec![] };
            self.0.go_to(position);
        } else {
            match text(payload) {
                Some("OPEN") => self.0.go_to(100),
                Some("CLOSE") => self.0.go_to(0),
                Some("STOP") => self.0.stop(),
                _ => return vec![],
            }
        }
        self.states()
    }

    fn is_moving(&self) -> bool {
        self.0.target.is_some()
    }

    fn step(&mut self, _now: Timestamp) -> Vec<Outgoing> {
        self.0.step();
        self.states()
    }
}
