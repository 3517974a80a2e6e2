//! A plug that measures.

use domain::time::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::gen2::{Component, Gen2};
use super::{Answer, Identity, RpcError, component_0};
use crate::simulator::conventions::parts::{Meter, curve, number, rounded, switched};
use crate::simulator::curve::{Curve, Model};

/// The plug's relay.
#[derive(Debug)]
pub(in crate::simulator::conventions) struct Switch {
    on: bool,
    told: bool,
    power: Model,
    meter: Meter,
}

/// The plug.
pub(in crate::simulator::conventions) fn plug() -> Gen2<Switch> {
    let what = Identity { id: "shellyplusplugs-a0b765f1c201", name: "Heat lamp", mac: "A0B765F1C201", model: "SNPL-00112EU", app: "PlusPlugS" };
    let power = curve("shelly.plug", Curve::flat(148.0, 1).noise(4.0, 30).wave(6.0, 12).within(0.0, 2_500.0));
    Gen2::new(what, Switch { on: true, told: true, power, meter: Meter::at_wh(11_679.4) })
}

impl Switch {
    fn watts(&self, now: Timestamp) -> f64 {
        if self.on { number(&self.power, now) } else { 0.0 }
    }

    fn set(&mut self, on: bool) -> bool {
        let was = std::mem::replace(&mut self.on, on);
        self.told &= was == on;
        was
    }
}

impl Component for Switch {
    const KEY: &'static str = "switch:0";
    const METHODS: &'static [&'static str] = &["Switch.Set", "Switch.Toggle", "Switch.GetStatus"];

    fn status(&mut self, now: Timestamp) -> Json {
        let watts = self.watts(now);
        let energy = rounded(self.meter.count(watts, now), 3);
        json!({
            "id": 0, "source": "MQTT", "output": self.on, "apower": watts, "voltage": 230.4, "current": rounded(watts / 230.4, 3),
            "aenergy": { "total": energy, "by_minute": [0.0, 0.0, 0.0], "minute_ts": now.as_ms() / 60_000 * 60 },
            "temperature": { "tC": 31.2, "tF": 88.2 },
        })
    }

    fn measured(&mut self, now: Timestamp) -> Json {
        let watts = self.watts(now);
        let energy = rounded(self.meter.count(watts, now), 3);
        json!({ "id": 0, "apower": watts, "current": rounded(watts / 230.4, 3), "aenergy": { "total": energy } })
    }

    fn call(&mut self, method: &str, params: &Map<String, Json>) -> Option<Answer> {
        let on = match method {
            "Switch.Set" => params.get("on").and_then(Json::as_bool).ok_or_else(|| RpcError::invalid_argument("on")),
            "Switch.Toggle" => Ok(!self.on),
            _ => return None,
        };
        Some(component_0(params).and(on).map(|on| json!({ "was_on": self.set(on) })))
    }

    fn control(&mut self, word: &str) -> bool {
        switched(word, self.on).map(|on| self.set(on)).is_some()
    }

    fn changed(&mut self) -> Option<Json> {
        (!std::mem::replace(&mut self.told, true)).then(|| json!({ "id": 0, "output": self.on, "source": "MQTT" }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::conventions::actor::Speech;
    use crate::simulator::player::Outgoing;

    const ID: &str = "shellyplusplugs-a0b765f1c201";
    const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_000);

    fn said(out: &[Outgoing]) -> Vec<(String, Json)> {
        out.iter().map(|o| (o.topic.clone(), serde_json::from_slice(&o.payload).expect("JSON"))).collect()
    }

    fn call(plug: &mut Gen2<Switch>, call: &Json) -> Vec<(String, Json)> {
        said(&plug.obey(&format!("{ID}/rpc"), call.to_string().as_bytes(), NOW))
    }

    #[test]
    fn it_says_that_it_is_there_and_what_it_measures() {
        let mut plug = plug();
        let out = plug.birth(NOW);
        assert_eq!((out[0].topic.as_str(), out[0].text().as_str(), out[0].retain), ("shellyplusplugs-a0b765f1c201/online", "true", true));
        let out = said(&out);
        assert_eq!((&out[1].1["method"], &out[1].1["params"]["switch:0"]["output"]), (&json!("NotifyStatus"), &json!(true)));
        assert_eq!((out[2].0.as_str(), &out[2].1["id"]), ("shellyplusplugs-a0b765f1c201/status/switch:0", &json!(0)));
        let delta = &said(&plug.telemetry(NOW))[0].1["params"]["switch:0"];
        assert!(delta["apower"].as_f64() > Some(0.0) && delta.get("output").is_none(), "{delta}");
        assert_eq!(plug.farewell(), Outgoing::retained(format!("{ID}/online"), "false"));
    }

    #[test]
    fn a_call_is_answered_and_everybody_is_told() {
        let mut plug = plug();
        let out = call(&mut plug, &json!({ "id": 7, "src": "dash/1", "method": "Switch.Set", "params": { "id": 0, "on": false } }));
        assert_eq!(out[0], ("dash/1/rpc".into(), json!({ "id": 7, "src": ID, "dst": "dash/1", "result": { "was_on": true } })));
        assert_eq!(out[1].1["params"]["switch:0"], json!({ "id": 0, "output": false, "source": "MQTT" }));
        assert_eq!(
            (out[2].0.as_str(), &out[2].1["output"], &out[2].1["apower"]),
            ("shellyplusplugs-a0b765f1c201/status/switch:0", &json!(false), &json!(0.0))
        );
        let again = call(&mut plug, &json!({ "id": 8, "src": "dash", "method": "Switch.Set", "params": { "id": 0, "on": false } }));
        assert_eq!((again.len(), &again[0].1["result"]), (1, &json!({ "was_on": false })));
        let unheard = call(&mut plug, &json!({ "method": "Switch.Toggle", "params": { "id": 0 } }));
        assert_eq!(unheard[0].1["params"]["switch:0"]["output"], true);
    }

    #[test]
    fn questions_and_mistakes_are_answered() {
        let mut plug = plug();
        let mut ask =
            |method: &str, params: Json| call(&mut plug, &json!({ "id": "a", "src": "dash", "method": method, "params": params })).remove(0).1;
        assert_eq!(ask("Shelly.GetDeviceInfo", Json::Null)["result"]["gen"], 2);
        assert_eq!(ask("Shelly.GetStatus", Json::Null)["result"]["switch:0"]["output"], true);
        assert_eq!(ask("Switch.GetStatus", json!({ "id": 0 }))["result"]["output"], true);
        for (method, params, code) in [
            ("Light.Set", json!({ "id": 0, "on": true }), 404),
            ("Switch.Set", json!({ "id": 0 }), -103),
            ("Switch.Set", json!({ "on": true }), -103),
            ("Switch.Toggle", json!({ "id": 3 }), -105),
            ("", json!({}), 404),
        ] {
            assert_eq!(ask(method, params.clone())["error"]["code"], code, "{method} {params}");
        }
    }

    #[test]
    fn control_topics_work_and_nonsense_does_nothing() {
        let mut plug = plug();
        let mut tell = |below: &str, payload: &[u8]| said(&plug.obey(&format!("{ID}/{below}"), payload, NOW));
        assert_eq!(tell("command/switch:0", b"toggle")[0].1["params"]["switch:0"]["output"], false);
        assert_eq!(tell("command", b"announce")[0].1["id"], ID);
        assert_eq!(tell("command", b"status_update")[0].1["output"], false);
        for (below, payload) in [
            ("command/switch:0", b"up".as_slice()),
            ("rpc", b"[]"),
            ("rpc", b"\xff"),
            ("command", b"dance"),
            ("rpc", br#"{"src":"a/#","method":"Shelly.GetStatus"}"#),
        ] {
            assert_eq!(tell(below, payload), [], "{below}");
        }
    }
}
