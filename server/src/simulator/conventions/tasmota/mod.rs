//! Tasmota: a relay, a white light and a plug that measures. The plug has its prefix second in the topic, as some set it.

use std::time::Duration;

use domain::time::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::actor::Speech;
use super::parts::{Meter, Uptime, curve, number, rounded, switched, text, whole, word};
use crate::simulator::curve::{Curve, Model};
use crate::simulator::player::Outgoing;

/// What the devices say of themselves below `tasmota/discovery/`.
mod announce;

/// All devices of this kind listen to it too.
const GROUP: &str = "tasmotas";

/// One device.
#[derive(Debug)]
pub(super) struct Tasmota {
    topic: &'static str,
    name: &'static str,
    module: &'static str,
    mac: &'static str,
    prefix_first: bool,
    on: bool,
    uptime: Uptime,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Relay,
    Light { dimmer: u8, ct: u16 },
    Plug { power: Model, meter: Meter, total_kwh: f64 },
}

impl Tasmota {
    pub(super) const fn relay() -> Self {
        let (topic, name, module, mac) = ("tasmota_A1C3E0", "Garage relay", "Sonoff Basic", "DC4F22A1C3E0");
        Self { topic, name, module, mac, prefix_first: true, on: false, uptime: Uptime::new(), kind: Kind::Relay }
    }

    pub(super) const fn light() -> Self {
        let (topic, name, module, mac) = ("tasmota_B2D4F1", "Stairs light", "Sonoff B1 CW", "DC4F22B2D4F1");
        Self { topic, name, module, mac, prefix_first: true, on: true, uptime: Uptime::new(), kind: Kind::Light { dimmer: 55, ct: 327 } }
    }

    pub(super) fn plug() -> Self {
        let power = curve("tasmota.plug", Curve::flat(92.0, 0).noise(12.0, 60).cycle(640.0, 9, 0.3).within(0.0, 3_680.0));
        let (topic, name, module, mac) = ("tasmota_C3E5A2", "Washing machine", "Gosund SP1", "DC4F22C3E5A2");
        Self {
            topic,
            name,
            module,
            mac,
            prefix_first: false,
            on: true,
            uptime: Uptime::new(),
            kind: Kind::Plug { power, meter: Meter::at_wh(274_737.0), total_kwh: 274.737 },
        }
    }

    /// A topic of this device: prefix `cmnd`, `stat` or `tele`.
    fn at(&self, prefix: &str, last: &str) -> String {
        self.at_name(prefix, self.topic, last)
    }

    fn at_name(&self, prefix: &str, name: &str, last: &str) -> String {
        if self.prefix_first { format!("{prefix}/{name}/{last}") } else { format!("{name}/{prefix}/{last}") }
    }

    fn lwt(&self, online: bool) -> Outgoing {
        Outgoing::retained(self.at("tele", "LWT"), word(online, "Online", "Offline"))
    }

    /// What the device says of its outputs: the members that a reply, `STATE` and `STATUS11` have in common.
    fn outputs(&self) -> Map<String, Json> {
        let mut json = Map::new();
        json.insert("POWER".into(), word(self.on, "ON", "OFF").into());
        if let Kind::Light { dimmer, ct } = self.kind {
            let warm = rounded(f64::from(dimmer) * f64::from(ct - 153) / 347.0, 0);
            let channels = [rounded(f64::from(dimmer) - warm, 0), warm];
            json.insert("Dimmer".into(), dimmer.into());
            json.insert("Color".into(), channels.map(|c| format!("{}", rounded(c * 2.55, 0))).join(",").into());
            json.insert("CT".into(), ct.into());
            json.insert("Channel".into(), json!(channels));
        }
        json
    }

    fn state(&mut self, now: Timestamp) -> Json {
        let seconds = self.uptime.seconds(now);
        let uptime = format!("{}T{:02}:{:02}:{:02}", seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        let mut json = json!({ "Time": time(now), "Uptime": uptime, "UptimeSec": seconds, "Heap": 25, "SleepMode": "Dynamic", "Sleep": 50 });
        if let Json::Object(members) = &mut json {
            members.extend(self.outputs());
        }
        json["Wifi"] = json!({ "AP": 1, "SSId": "workshop", "Channel": 6, "RSSI": 78, "Signal": -61, "LinkCount": 1 });
        json
    }

    /// What it measures; `None` for those that measure nothing.
    fn sensors(&mut self, now: Timestamp) -> Option<Json> {
        let Kind::Plug { power, meter, total_kwh } = &mut self.kind else { return None };
        let watts = if self.on { number(power, now) } else { 0.0 };
        *total_kwh = rounded(meter.count(watts, now) / 1_000.0, 3);
        let energy = json!({
            "TotalStartTime": "2024-03-02T10:11:12", "Total": *total_kwh, "Yesterday": 1.204, "Today": rounded(*total_kwh - 274.0, 3),
            "Power": watts, "ApparentPower": rounded(watts * 1.04, 0), "ReactivePower": rounded(watts * 0.28, 0), "Factor": 0.96,
            "Voltage": 231, "Current": rounded(watts / 231.0, 3),
        });
        Some(json!({ "Time": time(now), "ENERGY": energy }))
    }

    /// A reply, and the state of the relay beside it.
    fn result(&self, json: &Json, with_power: bool) -> Vec<Outgoing> {
        let mut out = vec![Outgoing::event(self.at("stat", "RESULT"), json.to_string())];
        if with_power {
            out.push(Outgoing::event(self.at("stat", "POWER"), word(self.on, "ON", "OFF")));
        }
        out
    }

    fn status(&mut self, which: &str, now: Timestamp) -> Vec<Outgoing> {
        let (topic, json) = match which {
            "" => {
                let status =
                    json!({ "Module": 1, "DeviceName": self.name, "FriendlyName": [self.name], "Topic": self.topic, "Power": u8::from(self.on) });
                ("STATUS", json!({ "Status": status }))
            }
            "8" | "10" => {
                let sensors = self.sensors(now).unwrap_or_else(|| json!({ "Time": time(now) }));
                (if which == "8" { "STATUS8" } else { "STATUS10" }, json!({ "StatusSNS": sensors }))
            }
            "11" => ("STATUS11", json!({ "StatusSTS": self.state(now) })),
            _ => return self.result(&json!({ "Command": "Error" }), false),
        };
        vec![Outgoing::event(self.at("stat", topic), json.to_string())]
    }

    /// Does a command, named in capitals; an empty argument asks.
    fn command(&mut self, name: &str, argument: &str, now: Timestamp) -> Vec<Outgoing> {
        let asks = argument.is_empty() || argument == "?";
        let was_on = self.on;
        match (name, &mut self.kind) {
            ("POWER" | "POWER1", _) if asks => self.result(&json!({ "POWER": word(self.on, "ON", "OFF") }), true),
            ("POWER" | "POWER1", _) => {
                let said = match argument {
                    "0" => Some(false),
                    "1" => Some(true),
                    "2" => Some(!self.on),
                    other => switched(other, self.on),
                };
                let Some(on) = said else { return self.result(&json!({ "Command": "Error" }), false) };
                self.on = on;
                self.result(&json!({ "POWER": word(on, "ON", "OFF") }), true)
            }
            ("DIMMER", Kind::Light { dimmer, .. }) => {
                if asks {
                    let json = json!({ "Dimmer": *dimmer });
                    return self.result(&json, false);
                }
                match whole(argument.as_bytes(), 0..=100_u8) {
                    None => return self.result(&json!({ "Command": "Error" }), false),
                    Some(0) => self.on = false,
                    Some(percent) => (self.on, *dimmer) = (true, percent),
                }
                self.result(&Json::Object(self.outputs()), self.on != was_on)
            }
            ("CT", Kind::Light { ct, .. }) => {
                if asks {
                    let json = json!({ "CT": *ct });
                    return self.result(&json, false);
                }
                let Some(mireds) = whole(argument.as_bytes(), 153..=500_u16) else { return self.result(&json!({ "Command": "Error" }), false) };
                *ct = mireds;
                self.result(&Json::Object(self.outputs()), false)
            }
            ("STATE", _) => {
                let state = self.state(now);
                self.result(&state, false)
            }
            ("STATUS", _) => self.status(argument, now),
            _ => self.result(&json!({ "Command": "Unknown", "Input": name }), false),
        }
    }
}

impl Speech for Tasmota {
    fn id(&self) -> &str {
        self.topic
    }

    fn topics(&self) -> Vec<String> {
        vec![self.at("cmnd", "#"), self.at_name("cmnd", GROUP, "#")]
    }

    fn farewell(&self) -> Outgoing {
        self.lwt(false)
    }

    fn birth(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let info = |n: u8, json: Json| Outgoing::event(self.at("tele", &format!("INFO{n}")), json!({ format!("Info{n}"): json }).to_string());
        let mut out = vec![
            self.lwt(true),
            self.announce_config(),
            info(
                1,
                json!({ "Module": self.module, "Version": "14.4.1(release-tasmota)", "FallbackTopic": format!("cmnd/{}_fb/", self.topic), "GroupTopic": format!("cmnd/{GROUP}/") }),
            ),
            info(2, json!({ "WebServerMode": "Admin", "Hostname": self.topic, "IPAddress": "192.168.7.31" })),
            info(3, json!({ "RestartReason": "Software/System restart", "BootCount": 12 })),
        ];
        out.push(self.announce_sensors(now));
        out.extend(self.result(&json!({ "POWER": word(self.on, "ON", "OFF") }), true));
        out.extend(self.telemetry(now));
        out
    }

    /// Ten seconds, for those who watch; real ones take five minutes.
    fn every(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn telemetry(&mut self, now: Timestamp) -> Vec<Outgoing> {
        let state = self.state(now);
        let mut out = vec![Outgoing::event(self.at("tele", "STATE"), state.to_string())];
        out.extend(self.sensors(now).map(|json| Outgoing::event(self.at("tele", "SENSOR"), json.to_string())));
        out
    }

    fn obey(&mut self, topic: &str, payload: &[u8], now: Timestamp) -> Vec<Outgoing> {
        let Some(argument) = text(payload) else { return vec![] };
        let name = topic.rsplit('/').next().unwrap_or_default().to_ascii_uppercase();
        let argument = argument.to_owned();
        self.command(&name, &argument, now)
    }
}

/// A time as Tasmota writes it: without a zone.
fn time(now: Timestamp) -> String {
    now.rfc3339().trim_end_matches('Z').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_000);

    /// What a device answers: last level of the topic and payload.
    fn ask(device: &mut Tasmota, name: &str, argument: &str) -> Vec<(String, String)> {
        let topic = device.at("cmnd", name);
        said(&device.obey(&topic, argument.as_bytes(), NOW))
    }

    fn said(out: &[Outgoing]) -> Vec<(String, String)> {
        out.iter().map(|o| (o.topic.rsplit('/').next().expect("a level").to_owned(), o.text())).collect()
    }

    fn json(text: &str) -> Json {
        serde_json::from_str(text).expect("JSON")
    }

    #[test]
    fn it_announces_what_it_is_and_says_that_it_is_there() {
        for (mut device, relays, kind) in [(Tasmota::relay(), 1, 0), (Tasmota::light(), 2, 2), (Tasmota::plug(), 1, 0)] {
            let out = device.birth(NOW);
            assert_eq!((out[0].text().as_str(), out[0].retain), ("Online", true));
            let find = |end: &str| out.iter().find(|o| o.topic.ends_with(end)).expect("said");
            let config = find(&format!("tasmota/discovery/{}/config", device.mac));
            assert!(config.retain && find("/sensors").retain);
            let config = json(&config.text());
            assert_eq!((&config["rl"][0], &config["lt_st"], &config["t"]), (&json!(relays), &json!(kind), &json!(device.topic)));
            // What it says of its topics is where it speaks.
            let full = config["ft"].as_str().expect("a text").replace("%topic%", device.topic);
            let topic = |n: usize, last: &str| full.replace("%prefix%", config["tp"][n].as_str().expect("a text")) + last;
            assert_eq!((topic(0, "#"), topic(2, "LWT")), (device.topics()[0].clone(), device.farewell().topic));
            assert_eq!(json(&find("/STATE").text())["POWER"], word(device.on, "ON", "OFF"));
            assert_eq!(device.farewell().text(), "Offline");
        }
    }

    #[test]
    fn a_relay_switches_and_replies_twice() {
        let mut relay = Tasmota::relay();
        let reply = |power: &str| vec![("RESULT".to_owned(), format!(r#"{{"POWER":"{power}"}}"#)), ("POWER".to_owned(), power.to_owned())];
        for (name, argument, power) in [
            ("POWER", "ON", "ON"),
            ("power", "", "ON"),
            ("POWER1", "TOGGLE", "OFF"),
            ("Power", "1", "ON"),
            ("POWER", "?", "ON"),
            ("POWER", "off", "OFF"),
        ] {
            assert_eq!(ask(&mut relay, name, argument), reply(power), "{name} {argument}");
        }
        for (name, argument, answer) in
            [("POWER", "sideways", r#"{"Command":"Error"}"#), ("Dimmer", "5", r#"{"Command":"Unknown","Input":"DIMMER"}"#)]
        {
            assert_eq!(ask(&mut relay, name, argument), [("RESULT".to_owned(), answer.to_owned())]);
        }
    }

    #[test]
    fn a_light_is_dimmed_and_turns_on_with_it() {
        let mut light = Tasmota::light();
        ask(&mut light, "POWER", "OFF");
        let out = ask(&mut light, "Dimmer", "80");
        assert_eq!(
            (json(&out[0].1)["Dimmer"].clone(), json(&out[0].1)["POWER"].clone(), &out[1]),
            (json!(80), json!("ON"), &("POWER".to_owned(), "ON".to_owned()))
        );
        let out = ask(&mut light, "CT", "500");
        assert_eq!((out.len(), json(&out[0].1)["CT"].clone(), json(&out[0].1)["Color"].clone()), (1, json!(500), json!("0,204")));
        assert_eq!(ask(&mut light, "Dimmer", "")[0].1, r#"{"Dimmer":80}"#);
        assert_eq!(ask(&mut light, "Dimmer", "0")[1], ("POWER".to_owned(), "OFF".to_owned()));
        assert_eq!(ask(&mut light, "CT", "90")[0].1, r#"{"Command":"Error"}"#);
    }

    #[test]
    fn a_plug_measures_while_it_is_on() {
        let mut plug = Tasmota::plug();
        plug.birth(NOW);
        let energy = |plug: &mut Tasmota, hours: i64| plug.sensors(NOW.plus_ms(hours * 3_600_000)).expect("measures")["ENERGY"].clone();
        let (first, later) = (energy(&mut plug, 0), energy(&mut plug, 1));
        assert!(first["Power"].as_f64() > Some(0.0) && later["Total"].as_f64() > first["Total"].as_f64(), "{first} {later}");
        ask(&mut plug, "POWER", "OFF");
        let (off, still_off) = (energy(&mut plug, 1), energy(&mut plug, 9));
        assert_eq!((&off["Power"], &still_off["Total"]), (&json!(0.0), &later["Total"]));
    }

    #[test]
    fn questions_are_answered() {
        let mut plug = Tasmota::plug();
        for (argument, topic, member) in
            [("", "STATUS", "Status"), ("8", "STATUS8", "StatusSNS"), ("10", "STATUS10", "StatusSNS"), ("11", "STATUS11", "StatusSTS")]
        {
            let out = ask(&mut plug, "STATUS", argument);
            assert_eq!((out.len(), out[0].0.as_str()), (1, topic));
            assert!(json(&out[0].1)[member].is_object(), "{out:?}");
        }
        assert_eq!(json(&ask(&mut plug, "STATE", "")[0].1)["POWER"], "ON");
        assert_eq!(plug.obey("tasmotas/cmnd/POWER", b"OFF", NOW)[1].text(), "OFF");
    }
}
