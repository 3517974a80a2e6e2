//! `tasmota/discovery/<MAC>/config` and `/sensors`, as the firmware writes them.

use domain::time::Timestamp;
use serde_json::{Value as Json, json};

use super::{Kind, Outgoing, Tasmota, time};

impl Tasmota {
    /// What it is and where it speaks.
    pub(super) fn announce_config(&self) -> Outgoing {
        let (relay, light) = if matches!(self.kind, Kind::Light { .. }) { (2, 2) } else { (1, 0) };
        let first = |first: Json, rest: Json, n: usize| Json::from_iter(std::iter::once(first).chain(std::iter::repeat_n(rest, n - 1)));
        let config = json!({
            "ip": "192.168.7.31", "dn": self.name, "fn": first(self.name.into(), Json::Null, 8), "hn": self.topic.replace('_', "-"), "mac": self.mac,
            "md": self.module, "ty": 0, "if": 0, "cam": 0, "ofln": "Offline", "onln": "Online", "state": ["OFF", "ON", "TOGGLE", "HOLD"],
            "sw": "14.4.1", "t": self.topic, "ft": if self.prefix_first { "%prefix%/%topic%/" } else { "%topic%/%prefix%/" },
            "tp": ["cmnd", "stat", "tele"], "rl": first(relay.into(), 0.into(), 32), "swc": first((-1).into(), (-1).into(), 28),
            "swn": first(Json::Null, Json::Null, 28), "btn": first(0.into(), 0.into(), 32),
            "so": { "4": 0, "11": 0, "13": 0, "17": 1, "20": 0, "30": 0, "68": 0, "73": 0, "82": 0, "114": 0, "117": 0 },
            "lk": 1, "lt_st": light, "bat": 0, "dslp": 0, "sho": [0, 0, 0, 0], "sht": [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]], "ver": 1,
        });
        Outgoing::retained(format!("tasmota/discovery/{}/config", self.mac), config.to_string())
    }

    /// What it measures.
    pub(super) fn announce_sensors(&mut self, now: Timestamp) -> Outgoing {
        let sensors = self.sensors(now).unwrap_or_else(|| json!({ "Time": time(now) }));
        Outgoing::retained(format!("tasmota/discovery/{}/sensors", self.mac), json!({ "sn": sensors, "ver": 1 }).to_string())
    }
}
