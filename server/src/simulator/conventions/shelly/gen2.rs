//! What devices of the second generation have in common: presence, calls, notifications, the control topics.

use std::fmt::Debug;
use std::time::Duration;

use domain::time::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::{Answer, Identity, RpcError, seconds, text};
use crate::simulator::conventions::actor::Speech;
use crate::simulator::conventions::parts::{Uptime, object, word};
use crate::simulator::player::Outgoing;

/// The one component of a device.
pub(in crate::simulator::conventions) trait Component: Debug + Send {
    /// `switch:0`.
    const KEY: &'static str;
    /// The methods that it answers.
    const METHODS: &'static [&'static str];

    /// Its whole status.
    fn status(&mut self, now: Timestamp) -> Json;

    /// What changes all the time.
    fn measured(&mut self, now: Timestamp) -> Json;

    /// Answers a call; `None` where the method is none of its own.
    fn call(&mut self, method: &str, params: &Map<String, Json>) -> Option<Answer>;

    /// Does what a word on its control topic says; `false` where it makes no sense.
    fn control(&mut self, word: &str) -> bool;

    /// What changed by the last call or step, for those who follow; `None` when nothing did.
    fn changed(&mut self) -> Option<Json>;

    /// Whether it is on its way.
    fn is_moving(&self) -> bool {
        false
    }

    /// Moves on by a quarter of a second.
    fn step(&mut self) {}
}

/// A device of the second generation.
#[derive(Debug)]
pub(in crate::simulator::conventions) struct Gen2<C> {
    what: Identity,
    uptime: Uptime,
    component: C,
}

impl<C: Component> Gen2<C> {
    pub(super) const fn new(what: Identity, component: C) -> Self {
        Self { what, uptime: Uptime::new(), component }
    }

    fn topic(&self, below: &str) -> String {
        format!("{}/{below}", self.what.id)
    }

    fn online(&self, online: bool) -> Outgoing {
        Outgoing::retained(self.topic("online"), word(online, "true", "false"))
    }

    fn status(&mut self, now: Timestamp) -> Outgoing {
        Outgoing::event(self.topic(&format!("status/{}", C::KEY)), self.component.status(now).to_string())
    }

    /// A notification: the members that changed, and no others.
    fn notify(&self, delta: &Json, now: Timestamp) -> Outgoing {
        let params = json!({ "ts": seconds(now), C::KEY: delta });
        let frame = json!({ "src": self.what.id, "dst": self.topic("events"), "method": "NotifyStatus", "params": params });
        Outgoing::event(self.topic("events/rpc"), frame.to_string())
    }

    /// What everybody is told after something was done.
    fn changes(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let Some(delta) = self.component.changed() else { return vec![] };
        vec![self.notify(&delta, now), self.status(now)]
    }

    fn device_info(&self) -> Json {
        let Identity { id, name, mac, model, app } = self.what;
        json!({
            "name": name, "id": id, "mac": mac, "slot": 1, "model": model, "gen": 2, "fw_id": "20250107-133822/1.4.4-g6d2a586", "ver": "1.4.4",
            "app": app, "auth_en": false, "auth_domain": null,
        })
    }

    /// The answer to a call, for the topic that the caller names; without one nobody can be answered.
    fn rpc(&mut self, payload: &[u8], now: Timestamp) -> Vec<Outgoing> {
        let Some(call) = object(payload) else { return vec![] };
        let empty = Map::new();
        let params = call.get("params").and_then(Json::as_object).unwrap_or(&empty);
        let method = call.get("method").and_then(Json::as_str).unwrap_or_default();
        let answer = match method {
            "Shelly.GetDeviceInfo" => Ok(self.device_info()),
            "Shelly.GetStatus" => Ok(json!({
                C::KEY: self.component.status(now), "sys": { "mac": self.what.mac, "uptime": self.uptime.seconds(now), "unixtime": now.as_ms() / 1_000 },
                "wifi": { "sta_ip": "192.168.7.44", "status": "got ip", "ssid": "workshop", "rssi": -58 }, "mqtt": { "connected": true },
            })),
            "Shelly.ListMethods" => {
                let own = ["Shelly.GetDeviceInfo", "Shelly.GetStatus", "Shelly.ListMethods"];
                Ok(json!({ "methods": C::METHODS.iter().chain(&own).collect::<Vec<_>>() }))
            }
            _ if C::METHODS.contains(&method) && method.ends_with(".GetStatus") => super::component_0(params).map(|()| self.component.status(now)),
            _ => self.component.call(method, params).unwrap_or_else(|| Err(RpcError::unknown_method(method))),
        };
        let mut out = vec![];
        if let Some(caller) = call.get("src").and_then(Json::as_str).filter(|src| is_topic(src)) {
            let mut reply = json!({ "id": call.get("id"), "src": self.what.id, "dst": caller });
            match answer {
                Ok(result) => reply["result"] = result,
                Err(RpcError { code, message }) => reply["error"] = json!({ "code": code, "message": message }),
            }
            out.push(Outgoing::event(format!("{caller}/rpc"), reply.to_string()));
        }
        out.extend(self.changes(now));
        out
    }
}

impl<C: Component> Speech for Gen2<C> {
    fn id(&self) -> &str {
        self.what.id
    }

    fn topics(&self) -> Vec<String> {
        vec![self.topic("rpc"), self.topic("command"), self.topic(&format!("command/{}", C::KEY)), "shellies/command".to_owned()]
    }

    fn farewell(&self) -> Outgoing {
        self.online(false)
    }

    fn birth(&mut self, now: Timestamp) -> Vec<Outgoing> {
        // What changed while nobody listened is in the status.
        let _told: Option<Json> = self.component.changed();
        let status = self.component.status(now);
        self.uptime.seconds(now);
        vec![self.online(true), self.notify(&status, now), self.status(now)]
    }

    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn telemetry(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let delta = self.component.measured(now);
        vec![self.notify(&delta, now)]
    }

    fn obey(&mut self, topic: &str, payload: &[u8], now: Timestamp) -> Vec<Outgoing> {
        if topic == self.topic("rpc") {
            return self.rpc(payload, now);
        }
        let Some(said) = text(payload) else { return vec![] };
        if topic == self.topic("command") || topic == "shellies/command" {
            return match said {
                "announce" => vec![Outgoing::event(self.topic("announce"), self.device_info().to_string())],
                "status_update" => vec![self.status(now)],
                _ => vec![],
            };
        }
        if self.component.control(said) { self.changes(now) } else { vec![] }
    }

    fn is_moving(&self) -> bool {
        self.component.is_moving()
    }

    fn step(&mut self, now: Timestamp) -> Vec<Outgoing> {
        self.component.step();
        self.changes(now)
    }
}

/// Whether a caller's name makes a topic: an answer with a wildcard would cost the device its connection.
fn is_topic(name: &str) -> bool {
    !name.is_empty() && name.len() <= 200 && !name.contains(['+', '#', '\0'])
}
