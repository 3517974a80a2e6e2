//! A two-channel relay that drives a roller shutter.

use domain::time::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::gen2::{Component, Gen2};
use super::{Answer, Identity, RpcError, component_0};
use crate::simulator::conventions::parts::{Meter, Shutter, rounded};

/// What the motor takes, in watts.
const MOTOR: f64 = 117.3;

/// The shutter.
#[derive(Debug)]
pub(in crate::simulator::conventions) struct Cover {
    shutter: Shutter,
    told: bool,
    meter: Meter,
}

/// The roller shutter.
pub(in crate::simulator::conventions) fn cover() -> Gen2<Cover> {
    let what = Identity { id: "shellyplus2pm-5443b23d8e10", name: "Loading gate", mac: "5443B23D8E10", model: "SNSW-102P16EU", app: "Plus2PM" };
    Gen2::new(what, Cover { shutter: Shutter::at(0), told: true, meter: Meter::at_wh(1_204.0) })
}

impl Cover {
    const fn watts(&self) -> f64 {
        if self.shutter.target.is_some() { MOTOR } else { 0.0 }
    }

    fn go_to(&mut self, position: u8) {
        self.shutter.go_to(position);
        self.told = false;
    }
}

impl Component for Cover {
    const KEY: &'static str = "cover:0";
    const METHODS: &'static [&'static str] = &["Cover.Open", "Cover.Close", "Cover.Stop", "Cover.GoToPosition", "Cover.GetStatus"];

    fn status(&mut self, now: Timestamp) -> Json {
        let watts = self.watts();
        let energy = rounded(self.meter.count(watts, now), 3);
        json!({
            "id": 0, "source": "MQTT", "state": self.shutter.state("stopped"), "apower": watts, "voltage": 231.0, "current": rounded(watts / 231.0, 3),
            "freq": 50.0, "aenergy": { "total": energy }, "temperature": { "tC": 44.1, "tF": 111.4 }, "pos_control": true,
            "last_direction": if self.shutter.opened_last { "open" } else { "close" }, "current_pos": self.shutter.position,
            "target_pos": self.shutter.target,
        })
    }

    fn measured(&mut self, now: Timestamp) -> Json {
        let watts = self.watts();
        json!({ "id": 0, "apower": watts, "aenergy": { "total": rounded(self.meter.count(watts, now), 3) } })
    }

    fn call(&mut self, method: &str, params: &Map<String, Json>) -> Option<Answer> {
        let position = match method {
            "Cover.Open" => Ok(Some(100)),
            "Cover.Close" => Ok(Some(0)),
            "Cover.Stop" => Ok(None),
            "Cover.GoToPosition" => {
                let position = params.get("pos").and_then(Json::as_u64).and_then(|pos| u8::try_from(pos).ok()).filter(|pos| *pos <= 100);
                position.map(Some).ok_or_else(|| RpcError::invalid_argument("pos"))
            }
            _ => return None,
        };
        Some(component_0(params).and(position).map(|position| {
            match position {
                Some(position) => self.go_to(position),
                None => {
                    self.shutter.stop();
                    self.told = false;
                }
            }
            Json::Null
        }))
    }

    fn control(&mut self, word: &str) -> bool {
        match word {
            "open" => self.go_to(100),
            "close" => self.go_to(0),
            "stop" => {
                self.shutter.stop();
                self.told = false;
            }
            _ => {
                let position = word.strip_prefix("pos,").and_then(|pos| pos.parse().ok()).filter(|pos: &u8| *pos <= 100);
                let Some(position) = position else { return false };
                self.go_to(position);
            }
        }
        true
    }

    fn changed(&mut self) -> Option<Json> {
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        // A place to go to is gone, as null says, once it is reached.
        Some(json!({
            "id": 0, "source": "MQTT", "state": self.shutter.state("stopped"), "current_pos": self.shutter.position, "target_pos": self.shutter.target,
            "apower": self.watts(),
        }))
    }

    fn is_moving(&self) -> bool {
        self.shutter.target.is_some()
    }

    fn step(&mut self) {
        self.shutter.step();
        self.told = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::conventions::actor::Speech;

    const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_000);

    fn call(cover: &mut Gen2<Cover>, method: &str, params: &Json) -> Vec<Json> {
        let call = json!({ "id": 1, "src": "dash", "method": method, "params": params });
        let out = cover.obey("shellyplus2pm-5443b23d8e10/rpc", call.to_string().as_bytes(), NOW);
        out.iter().map(|o| serde_json::from_slice(&o.payload).expect("JSON")).collect()
    }

    /// What is told of the shutter in each step until it stands: state, position, target.
    fn way(cover: &mut Gen2<Cover>) -> Vec<(String, Json, Json)> {
        let mut seen = vec![];
        while cover.is_moving() {
            let out = cover.step(NOW);
            let frame: Json = serde_json::from_slice(&out[0].payload).expect("JSON");
            let delta = &frame["params"]["cover:0"];
            seen.push((delta["state"].as_str().expect("a text").to_owned(), delta["current_pos"].clone(), delta["target_pos"].clone()));
        }
        seen
    }

    #[test]
    fn it_goes_where_it_is_sent_and_tells_the_way() {
        let mut cover = cover();
        let out = call(&mut cover, "Cover.GoToPosition", &json!({ "id": 0, "pos": 12 }));
        assert_eq!((&out[0]["result"], &out[1]["params"]["cover:0"]["state"]), (&Json::Null, &json!("opening")));
        let opening = |pos: u8| ("opening".to_owned(), json!(pos), json!(12));
        assert_eq!(way(&mut cover), [opening(5), opening(10), ("stopped".to_owned(), json!(12), Json::Null)]);
        call(&mut cover, "Cover.Close", &json!({ "id": 0 }));
        assert_eq!(way(&mut cover).last().expect("a way").0, "closed");
    }

    #[test]
    fn it_stops_and_takes_words_too() {
        let mut cover = cover();
        let mut tell = |word: &str| cover.obey("shellyplus2pm-5443b23d8e10/command/cover:0", word.as_bytes(), NOW).len();
        assert_eq!((tell("open"), tell("stop"), tell("pos,40"), tell("pos,400"), tell("up")), (2, 2, 2, 0, 0));
        assert!(cover.is_moving());
        let out = call(&mut cover, "Cover.Stop", &json!({ "id": 0 }));
        assert_eq!((&out[1]["params"]["cover:0"]["state"], cover.is_moving()), (&json!("closed"), false));
        for (method, params, code) in
            [("Cover.GoToPosition", json!({ "id": 0, "pos": 101 }), -103), ("Cover.Open", json!({}), -103), ("Switch.Set", json!({ "id": 0 }), 404)]
        {
            assert_eq!(call(&mut cover, method, &params)[0]["error"]["code"], code, "{method}");
        }
    }
}
