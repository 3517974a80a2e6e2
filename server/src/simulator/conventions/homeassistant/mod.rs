//! Devices that announce themselves by Home Assistant's MQTT discovery, with abbreviated keys, retained.

use serde_json::{Value as Json, json};

use crate::simulator::player::Outgoing;

/// A cover with a position.
pub(super) mod blind;
/// A radiator valve: climate, number, select and button of one device.
pub(super) mod heating;
/// A dimmer of the default schema and a color light of the JSON schema.
pub(super) mod lights;
/// A weather station: one announcement for the whole device.
pub(super) mod weather;

/// Where Home Assistant says `online` when it starts; devices announce themselves again then.
const HUB_STATUS: &str = "homeassistant/status";

/// The announcement of a component or a device, below the usual prefix.
fn config(path: &str, json: &Json) -> Outgoing {
    Outgoing::retained(format!("homeassistant/{path}/config"), json.to_string())
}

/// Whether a device is there: also its last will.
fn availability(device: &str, online: bool) -> Outgoing {
    Outgoing::retained(format!("{device}/availability"), if online { "online" } else { "offline" })
}

/// What announcements say of the device and of the program that announces it.
fn about(id: &str, name: &str, maker: &str, model: &str) -> (Json, Json) {
    (
        json!({ "ids": [id], "name": name, "mf": maker, "mdl": model, "sw": "2.4.1" }),
        json!({ "name": "signalbox-simulator", "sw": env!("CARGO_PKG_VERSION") }),
    )
}

/// Whether a message asks devices to announce themselves again.
fn asks_again(topic: &str, payload: &[u8]) -> bool {
    topic == HUB_STATUS && payload == b"online"
}

#[cfg(test)]
mod tests {
    use domain::time::Timestamp;

    use super::*;
    use crate::simulator::conventions::actor::Speech;

    const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_000);

    fn json(message: &Outgoing) -> Json {
        serde_json::from_slice(&message.payload).expect("JSON")
    }

    /// What a device answers: topic and payload.
    fn tell(device: &mut impl Speech, topic: &str, payload: &str) -> Vec<(String, String)> {
        device.obey(topic, payload.as_bytes(), NOW).into_iter().map(|o| (o.topic.clone(), o.text())).collect()
    }

    fn is(topic: &str, payload: &str) -> (String, String) {
        (topic.to_owned(), payload.to_owned())
    }

    /// Announcements name the topics that the device then speaks and listens on.
    fn check(device: &mut impl Speech, n_announcements: usize) {
        let out = device.birth(NOW);
        assert!(out.iter().all(|o| o.retain), "{out:?}");
        let (configs, rest) = out.split_at(n_announcements);
        let spoken: Vec<&str> = rest.iter().map(|o| o.topic.as_str()).collect();
        let heard = device.topics();
        for config in configs {
            assert!(config.topic.starts_with("homeassistant/") && config.topic.ends_with("/config"), "{}", config.topic);
            let config = json(config);
            assert!(config["dev"]["ids"][0].is_string() && config["o"]["name"].is_string(), "{config}");
            let root = config["~"].as_str().unwrap_or_default();
            for (key, value) in config.as_object().expect("an object") {
                let Some(topic) = value.as_str().filter(|_| key.ends_with("_t") && key != "uniq_id").map(|t| t.replacen('~', root, 1)) else {
                    continue;
                };
                let command = key.contains("cmd") || key == "set_pos_t";
                let known = if command { heard.iter().any(|filter| covers(filter, &topic)) } else { spoken.contains(&topic.as_str()) };
                assert!(known, "{key} {topic}: {spoken:?} {heard:?}");
            }
        }
        assert!(rest[0].topic.ends_with("/availability") && rest[0].text() == "online");
        assert_eq!((device.farewell().topic, device.farewell().text()), (rest[0].topic.clone(), "offline".to_owned()));
        // The hub starts: everything is said again.
        assert_eq!(device.obey(HUB_STATUS, b"online", NOW), out);
        assert_eq!(device.obey(HUB_STATUS, b"offline", NOW), []);
    }

    fn covers(filter: &str, topic: &str) -> bool {
        let (filter, topic): (Vec<&str>, Vec<&str>) = (filter.split('/').collect(), topic.split('/').collect());
        filter.len() == topic.len() && filter.iter().zip(&topic).all(|(f, t)| f == t || *f == "+")
    }

    #[test]
    fn every_device_announces_where_it_speaks_and_listens() {
        check(&mut weather::Weather::new(), 1);
        check(&mut lights::Dimmer::new(), 1);
        check(&mut lights::Strip::new(), 1);
        check(&mut blind::Blind::new(), 1);
        check(&mut heating::Heating::new(), 4);
    }

    #[test]
    fn the_templates_of_the_weather_station_find_what_it_says() {
        let mut weather = weather::Weather::new();
        let out = weather.birth(NOW);
        let (config, state) = (json(&out[0]), json(&out[2]));
        assert_eq!(config["stat_t"], out[2].topic);
        assert_eq!(config["cmps"].as_object().expect("components").len(), 4);
        assert!(state["wind"]["speed"].is_number() && state["rain"].is_number());
        for component in config["cmps"].as_object().expect("components").values() {
            assert!(
                component["p"].is_string() && component["uniq_id"].is_string() && component["val_tpl"].as_str().is_some_and(|t| t.starts_with("{{"))
            );
        }
    }

    #[test]
    fn the_dimmer_takes_power_and_brightness() {
        let mut dimmer = lights::Dimmer::new();
        let states = |power: &str, brightness: &str| vec![is("attic-lamp/power", power), is("attic-lamp/brightness", brightness)];
        for (topic, payload, power, brightness) in [
            ("attic-lamp/brightness/set", "35", "ON", "35"),
            ("attic-lamp/power/set", "OFF", "OFF", "35"),
            ("attic-lamp/power/set", "ON", "ON", "35"),
            ("attic-lamp/brightness/set", "0", "OFF", "35"),
        ] {
            assert_eq!(tell(&mut dimmer, topic, payload), states(power, brightness), "{topic} {payload}");
        }
        assert_eq!((tell(&mut dimmer, "attic-lamp/power/set", "up"), tell(&mut dimmer, "attic-lamp/brightness/set", "101")), (vec![], vec![]));
    }

    #[test]
    fn the_strip_takes_color_white_and_effects() {
        let mut strip = lights::Strip::new();
        let mut set = |payload: &str| strip.obey("shelf-strip/set", payload.as_bytes(), NOW).first().map(json);
        let state = set(r#"{"state":"ON","brightness":153,"color":{"r":10,"g":20,"b":30}}"#).expect("a state");
        assert_eq!(state, json!({ "state": "ON", "brightness": 153, "effect": null, "color_mode": "rgb", "color": { "r": 10, "g": 20, "b": 30 } }));
        let state = set(r#"{"state":"ON","color_temp":250}"#).expect("a state");
        assert_eq!((&state["color_mode"], &state["color_temp"], &state["color"]), (&json!("color_temp"), &json!(250), &Json::Null));
        assert_eq!(set(r#"{"state":"ON","effect":"candle"}"#).expect("a state")["effect"], "candle");
        assert_eq!(set(r#"{"state":"OFF"}"#).expect("a state")["state"], "OFF");
        assert_eq!((set("ON"), set(r#"{"brightness":3}"#), set(r#"{"state":"blue"}"#)), (None, None, None));
    }

    #[test]
    fn the_blind_moves_and_says_so() {
        let mut blind = blind::Blind::new();
        assert_eq!(tell(&mut blind, "studio-blind/position/set", "88"), [is("studio-blind/state", "closing"), is("studio-blind/position", "100")]);
        let mut last = vec![];
        while blind.is_moving() {
            last = blind.step(NOW);
        }
        assert_eq!(last.iter().map(Outgoing::text).collect::<Vec<_>>(), ["open", "88"]);
        assert_eq!(tell(&mut blind, "studio-blind/set", "CLOSE")[0].1, "closing");
        assert_eq!(tell(&mut blind, "studio-blind/set", "STOP")[0].1, "open");
        assert_eq!(tell(&mut blind, "studio-blind/set", "OPEN")[0].1, "opening");
        assert_eq!((tell(&mut blind, "studio-blind/set", "open"), tell(&mut blind, "studio-blind/position/set", "-1")), (vec![], vec![]));
    }

    #[test]
    fn the_radiator_takes_what_its_announcements_allow() {
        let mut heating = heating::Heating::new();
        let mut set = |topic: &str, payload: &str| heating.obey(&format!("study-radiator/{topic}"), payload.as_bytes(), NOW).first().map(json);
        for (topic, payload, key, value) in [
            ("mode/set", "auto", "mode", json!("auto")),
            ("preset/set", "eco", "preset", json!("eco")),
            ("program/set", "Party", "program", json!("Party")),
            ("target/set", "19.5", "target", json!(19.5)),
            ("set", r#"{"boost": 40 }"#, "boost", json!(40)),
        ] {
            assert_eq!(set(topic, payload).expect("a state")[key], value, "{topic}");
        }
        for (topic, payload) in [
            ("mode/set", "cool"),
            ("program/set", "party"),
            ("target/set", "31"),
            ("target/set", "warm"),
            ("set", "40"),
            ("set", r#"{"boost":4}"#),
            ("identify", "PRESS"),
        ] {
            assert_eq!(set(topic, payload), None, "{topic} {payload}");
        }
    }
}
