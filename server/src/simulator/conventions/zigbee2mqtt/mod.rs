//! Zigbee2MQTT 2.x: one client, the bridge, that speaks for all its devices.

use domain::time::Timestamp;
use serde_json::{Value as Json, json};

use self::device::{Device, Refusal};
use super::actor::Speech;
use super::parts::{object, text};
use crate::simulator::player::Outgoing;

/// The devices behind the bridge: what they expose, what they say.
mod device;
/// What the bridge itself is asked for: joining, renaming, removing.
mod request;

const BASE: &str = "zigbee2mqtt";
/// The group, by its name and the names of its members at the start.
const GROUP: &str = "Ground floor";

/// The bridge.
#[derive(Debug)]
pub(super) struct Bridge {
    devices: Vec<Device>,
    /// When joining ends by itself; `None` while nobody may join.
    joining_until: Option<Timestamp>,
}

impl Bridge {
    pub(super) fn new() -> Self {
        Self { devices: device::all(), joining_until: None }
    }

    fn find(&mut self, name: &str) -> Option<&mut Device> {
        self.devices.iter_mut().find(|device| device.name == name || device.ieee == name)
    }

    fn bridge_devices(&self) -> Outgoing {
        let coordinator = json!({
            "ieee_address": "0x00124b0024c1a000", "type": "Coordinator", "network_address": 0, "supported": true, "disabled": false,
            "friendly_name": "Coordinator", "definition": null, "endpoints": {}, "interview_completed": true, "interview_state": "SUCCESSFUL",
        });
        let all: Vec<Json> = std::iter::once(coordinator).chain(self.devices.iter().map(Device::announcement)).collect();
        Outgoing::retained(topic("bridge/devices"), Json::from(all).to_string())
    }

    fn bridge_groups(&self) -> Outgoing {
        let members: Vec<Json> = self.devices.iter().filter(|d| d.in_group).map(|d| json!({ "ieee_address": d.ieee, "endpoint": 1 })).collect();
        let groups = json!([{ "id": 1, "friendly_name": GROUP, "description": null, "scenes": [], "members": members }]);
        Outgoing::retained(topic("bridge/groups"), groups.to_string())
    }

    fn bridge_info(&self) -> Outgoing {
        let info = json!({
            "version": "2.1.3", "commit": "unknown", "zigbee_herdsman": { "version": "3.2.7" },
            "coordinator": { "ieee_address": "0x00124b0024c1a000", "type": "ZStack3x0", "meta": { "revision": 20_240_710 } },
            "network": { "channel": 15, "pan_id": 6_754, "extended_pan_id": "0xdddddddddddddddd" },
            "log_level": "info", "permit_join": self.joining_until.is_some(), "permit_join_end": self.joining_until.map(Timestamp::as_ms),
            "restart_required": false, "config": { "mqtt": { "base_topic": BASE }, "availability": { "enabled": true } },
        });
        Outgoing::retained(topic("bridge/info"), info.to_string())
    }

    /// Everybody whom a name means: a device, or the members of the group.
    fn addressed(&mut self, name: &str) -> Vec<&mut Device> {
        self.devices.iter_mut().filter(|device| if name == GROUP { device.in_group } else { device.name == name || device.ieee == name }).collect()
    }

    /// What the group says after its members did something.
    fn group_state(&self) -> Outgoing {
        let on = self.devices.iter().filter(|device| device.in_group).any(Device::is_on);
        Outgoing::event(topic(GROUP), json!({ "state": if on { "ON" } else { "OFF" } }).to_string())
    }

    fn set(&mut self, name: &str, command: &Json, now: Timestamp) -> Vec<Outgoing> {
        let (mut out, mut group_changed) = (vec![], false);
        let n_keys = command.as_object().map_or(0, serde_json::Map::len);
        let devices = self.addressed(name);
        if devices.is_empty() {
            return vec![error(&format!("Entity '{name}' is unknown"))];
        }
        for device in devices {
            let refused = device.set(command);
            if refused.len() < n_keys {
                group_changed |= device.in_group;
                out.push(device.state(now));
            }
            out.extend(refused.iter().map(|Refusal { key, why }| error(&format!("Publish 'set' '{key}' to '{}' failed: '{why}'", device.name))));
        }
        if group_changed {
            out.push(self.group_state());
        }
        out
    }
}

impl Speech for Bridge {
    fn id(&self) -> &'static str {
        "zigbee2mqtt"
    }

    /// Names hold slashes, so that no narrower filter finds the commands of all.
    fn topics(&self) -> Vec<String> {
        vec![topic("#")]
    }

    fn understands(&self, topic: &str) -> bool {
        Asked::read(topic).is_some()
    }

    fn farewell(&self) -> Outgoing {
        Outgoing::retained(topic("bridge/state"), r#"{"state":"offline"}"#)
    }

    fn birth(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let mut out =
            vec![Outgoing::retained(topic("bridge/state"), r#"{"state":"online"}"#), self.bridge_info(), self.bridge_devices(), self.bridge_groups()];
        out.extend(self.devices.iter().map(Device::availability));
        out.extend(self.telemetry(now));
        out
    }

    fn telemetry(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let mut out: Vec<Outgoing> = self.devices.iter_mut().filter(|device| device.reachable).map(|device| device.state(now)).collect();
        out.push(self.group_state());
        if self.joining_until.is_some_and(|end| end <= now) {
            self.joining_until = None;
            out.push(self.bridge_info());
        }
        out
    }

    fn obey(&mut self, topic: &str, payload: &[u8], now: Timestamp) -> Vec<Outgoing> {
        match Asked::read(topic) {
            None => vec![],
            Some(Asked::Request(what)) => request::answer(self, what, payload, now),
            Some(Asked::Get { name }) => self.addressed(name).into_iter().filter(|d| d.reachable).map(|device| device.state(now)).collect(),
            Some(Asked::Set { name, key: None }) => match object(payload) {
                Some(command) => self.set(name, &Json::Object(command), now),
                None => vec![error(&format!("Invalid JSON '{}', skipping...", String::from_utf8_lossy(payload)))],
            },
            // Without JSON, or with: `ON`, `254`, `{"x":0.3,"y":0.3}`.
            Some(Asked::Set { name, key: Some(key) }) => {
                let Some(text) = text(payload) else { return vec![] };
                let value = serde_json::from_str(text).unwrap_or_else(|_| Json::from(text));
                let command = std::iter::once((key.to_owned(), value)).collect();
                self.set(name, &Json::Object(command), now)
            }
        }
    }
}

/// What a topic asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked<'a> {
    Set { name: &'a str, key: Option<&'a str> },
    Get { name: &'a str },
    Request(&'a str),
}

impl<'a> Asked<'a> {
    fn read(topic: &'a str) -> Option<Self> {
        let rest = topic.strip_prefix(BASE)?.strip_prefix('/')?;
        if let Some(bridge) = rest.strip_prefix("bridge/") {
            return bridge.strip_prefix("request/").map(Self::Request);
        }
        if let Some(name) = rest.strip_suffix("/set") {
            return Some(Self::Set { name, key: None });
        }
        if let Some(name) = rest.strip_suffix("/get") {
            return Some(Self::Get { name });
        }
        let (name, key) = rest.rsplit_once("/set/")?;
        (!key.contains('/')).then_some(Self::Set { name, key: Some(key) })
    }
}

/// A topic of the bridge.
fn topic(below: &str) -> String {
    format!("{BASE}/{below}")
}

/// What the bridge logs, as it is published: the only sign of a command that failed.
fn error(message: &str) -> Outgoing {
    Outgoing::event(topic("bridge/logging"), json!({ "level": "error", "message": format!("z2m: {message}"), "namespace": "z2m" }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_000);

    /// What the bridge answers: topics below its base, payloads as JSON.
    fn ask(bridge: &mut Bridge, below: &str, payload: &str) -> Vec<(String, Json)> {
        said(&bridge.obey(&topic(below), payload.as_bytes(), NOW))
    }

    fn said(out: &[Outgoing]) -> Vec<(String, Json)> {
        let below = |o: &Outgoing| o.topic.strip_prefix("zigbee2mqtt/").expect("below the base").to_owned();
        out.iter().map(|o| (below(o), serde_json::from_slice(&o.payload).unwrap_or(Json::Null))).collect()
    }

    #[test]
    fn topics_are_told_apart_from_the_end_because_names_hold_slashes() {
        let set = |name, key| Some(Asked::Set { name, key });
        for (below, expected) in [
            ("Kitchen/Ceiling/set", set("Kitchen/Ceiling", None)),
            ("Kitchen/Ceiling/set/state", set("Kitchen/Ceiling", Some("state"))),
            ("a/set/b/set", set("a/set/b", None)),
            ("Kitchen/Ceiling/get", Some(Asked::Get { name: "Kitchen/Ceiling" })),
            ("bridge/request/device/rename", Some(Asked::Request("device/rename"))),
            ("Kitchen/Ceiling", None),
            ("Kitchen/Ceiling/set/a/b", None),
            ("bridge/set", None),
        ] {
            assert_eq!(Asked::read(&topic(below)), expected, "{below}");
        }
    }

    #[test]
    fn it_introduces_the_bridge_the_devices_and_their_states() {
        let mut bridge = Bridge::new();
        let out = bridge.birth(NOW);
        assert!(out.iter().filter(|o| o.topic.contains("/bridge/") || o.topic.ends_with("/availability")).all(|o| o.retain && o.qos == 1));
        let out = said(&out);
        assert_eq!(out[0], ("bridge/state".into(), json!({ "state": "online" })));
        let devices = &out.iter().find(|(topic, _)| topic == "bridge/devices").expect("all devices").1;
        let names: Vec<&str> = devices.as_array().expect("a list").iter().filter_map(|d| d["friendly_name"].as_str()).collect();
        assert_eq!(names, ["Coordinator", "Kitchen/Ceiling", "Desk plug", "Balcony door", "Hall motion", "Cellar lamp"]);
        for name in &names[1..] {
            assert!(out.contains(&(format!("{name}/availability"), json!({ "state": "online" }))), "{name}");
            assert_eq!(out.iter().any(|(topic, _)| topic == name), *name != "Cellar lamp", "{name}");
        }
        assert_eq!(bridge.farewell().text(), r#"{"state":"offline"}"#);
    }

    #[test]
    fn a_light_is_set_by_json_and_by_key() {
        let mut bridge = Bridge::new();
        let out = ask(&mut bridge, "Kitchen/Ceiling/set", r#"{"state":"ON","brightness":152,"color_temp":300,"transition":1}"#);
        let (topic, state) = &out[0];
        assert_eq!(topic, "Kitchen/Ceiling");
        assert_eq!(
            (&state["state"], &state["brightness"], &state["color_temp"], &state["color_mode"]),
            (&json!("ON"), &json!(152), &json!(300), &json!("color_temp"))
        );
        assert_eq!(out[1], ("Ground floor".into(), json!({ "state": "ON" })));
        assert_eq!(ask(&mut bridge, "Kitchen/Ceiling/set/state", "OFF")[0].1["state"], "OFF");
        assert_eq!(ask(&mut bridge, "Kitchen/Ceiling/set/brightness", "20")[0].1["state"], "ON");
        assert_eq!(ask(&mut bridge, "0x00158d0000a1b201/set", r#"{"state":"TOGGLE"}"#)[0].1["state"], "OFF");
        assert_eq!(ask(&mut bridge, "Desk plug/get", r#"{"state":""}"#)[0].0, "Desk plug");
    }

    #[test]
    fn a_group_sets_its_members() {
        let mut bridge = Bridge::new();
        let topics: Vec<(String, Json)> = ask(&mut bridge, "Ground floor/set", r#"{"state":"OFF"}"#);
        assert_eq!(
            topics.iter().map(|(t, s)| (t.as_str(), s["state"].as_str())).collect::<Vec<_>>(),
            [("Kitchen/Ceiling", Some("OFF")), ("Desk plug", Some("OFF")), ("Ground floor", Some("OFF"))]
        );
    }

    #[test]
    fn what_cannot_be_done_is_logged_and_no_state_follows() {
        let mut bridge = Bridge::new();
        let failed = ask(&mut bridge, "Cellar lamp/set", r#"{"state":"ON"}"#);
        let [(topic, log)] = failed.as_slice() else { panic!("one message, not {failed:?}") };
        assert_eq!((topic.as_str(), &log["level"]), ("bridge/logging", &json!("error")));
        let message = log["message"].as_str().expect("a text");
        assert!(message.starts_with("z2m: Publish 'set' 'state' to 'Cellar lamp' failed: 'Error: ZCL command "), "{message}");
        for (below, payload, part) in [
            ("Nobody/set", r#"{"state":"ON"}"#, "Entity 'Nobody' is unknown"),
            ("Desk plug/set", "ON", "Invalid JSON 'ON'"),
            ("Desk plug/set", r#"{"state":"UP"}"#, "Publish 'set' 'state' to 'Desk plug' failed"),
            ("Balcony door/set", r#"{"contact":true}"#, "No converter available for 'contact'"),
        ] {
            let out = ask(&mut bridge, below, payload);
            assert_eq!(out.len(), 1, "{out:?}");
            assert!(out[0].0 == "bridge/logging" && out[0].1["message"].as_str().is_some_and(|m| m.contains(part)), "{out:?}");
        }
    }

    #[test]
    fn joining_ends_by_itself() {
        let mut bridge = Bridge::new();
        let out = ask(&mut bridge, "bridge/request/permit_join", r#"{"time":60,"transaction":"t1"}"#);
        assert_eq!(out[0], ("bridge/response/permit_join".into(), json!({ "data": { "time": 60 }, "status": "ok", "transaction": "t1" })));
        assert_eq!((&out[1].0, &out[1].1["permit_join"]), (&"bridge/info".to_owned(), &json!(true)));
        assert!(said(&bridge.telemetry(NOW.plus_ms(59_000))).iter().all(|(topic, _)| topic != "bridge/info"));
        let late = said(&bridge.telemetry(NOW.plus_ms(60_000)));
        assert_eq!(late.iter().find(|(topic, _)| topic == "bridge/info").expect("told").1["permit_join"], false);
        assert_eq!(ask(&mut bridge, "bridge/request/permit_join", r#"{"time":900}"#)[0].1["status"], "error");
    }

    #[test]
    fn a_device_is_renamed_and_removed() {
        let mut bridge = Bridge::new();
        let out = bridge.obey(&topic("bridge/request/device/rename"), br#"{"from":"Desk plug","to":"Desk/Socket","transaction":7}"#, NOW);
        let cleared = out.iter().find(|o| o.topic == "zigbee2mqtt/Desk plug/availability").expect("the old topic is cleared");
        assert!(cleared.retain && cleared.payload.is_empty());
        let out = said(&out);
        let data = json!({ "from": "Desk plug", "to": "Desk/Socket", "homeassistant_rename": false });
        assert_eq!(out[0], ("bridge/response/device/rename".into(), json!({ "data": data, "status": "ok", "transaction": 7 })));
        let devices = &out.iter().find(|(topic, _)| topic == "bridge/devices").expect("told").1;
        assert!(devices.to_string().contains(r#""friendly_name":"Desk/Socket""#));
        assert_eq!(ask(&mut bridge, "Desk/Socket/set", r#"{"state":"OFF"}"#)[0].1["state"], "OFF");

        let out = ask(&mut bridge, "bridge/request/device/remove", r#"{"id":"Desk/Socket"}"#);
        assert_eq!(out[0].1["status"], "ok");
        assert!(out.iter().any(|(topic, event)| topic == "bridge/event" && event["type"] == "device_leave"));
        assert_eq!(bridge.devices.len(), 4);
        for (what, payload) in [
            ("device/rename", r#"{"from":"Nobody","to":"x"}"#),
            ("device/rename", r#"{"from":"Hall motion","to":"Balcony door"}"#),
            ("device/rename", r#"{"from":"Hall motion","to":"a/+"}"#),
            ("device/rename", "Hall"),
            ("device/remove", r#"{"id":"Nobody"}"#),
        ] {
            let out = ask(&mut bridge, &format!("bridge/request/{what}"), payload);
            assert_eq!((out.len(), &out[0].0, &out[0].1["status"]), (1, &format!("bridge/response/{what}"), &json!("error")), "{payload}");
            assert!(out[0].1["error"].is_string());
        }
        assert_eq!(ask(&mut bridge, "bridge/request/dance", "{}"), []);
    }
}
