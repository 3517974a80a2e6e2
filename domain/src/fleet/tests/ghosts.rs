//! Devices that are gone and still announced.

use super::*;
use crate::device::DeviceId;
use crate::fleet::kept::{MOST_OF_ONE, MOST_TOPICS};
use crate::ghost::{Ghost, GhostReason};
use crate::time::DAY_MS;
use crate::written::Amendment;

const LAMP: &str = r#"{"name":"Lamp","unique_id":"lamp1","state_topic":"lamp/state","availability_topic":"lamp/there","device":{"identifiers":["lamp1"],"name":"Lamp"}}"#;
const CONFIG: &str = "homeassistant/binary_sensor/lamp1/config";

fn id(id: &str) -> DeviceId {
    DeviceId::parse(id).expect("an id")
}

impl Plant {
    fn ghosts(&self) -> Vec<Ghost> {
        let (mut found, mut after) = (vec![], None);
        loop {
            // One at a time: nothing may be lost between the parts.
            after = self.fleet.ghosts_after(after.as_ref(), 1, Timestamp::from_ms(self.now), &mut found);
            if after.is_none() {
                return found;
            }
        }
    }

    fn told(&self) -> Vec<(String, GhostReason, Vec<String>)> {
        let topics = |ghost: &Ghost| ghost.topics.iter().map(|topic| topic.topic.to_string()).collect();
        self.ghosts().iter().map(|ghost| (ghost.device.to_string(), ghost.reason, topics(ghost))).collect()
    }

    fn removes(&mut self, device: &str) {
        self.feed(Input::Amend(Amendment::RemoveDevice(id(device))));
    }

    fn reconnects(&mut self) {
        self.feed(Input::Link { broker: "main".into(), state: LinkState::Down });
        self.feed(Input::Link { broker: "main".into(), state: LinkState::Up });
    }
}

fn one(device: &str, reason: GhostReason, topics: &[&str]) -> Vec<(String, GhostReason, Vec<String>)> {
    vec![(device.to_owned(), reason, topics.iter().map(ToString::to_string).collect())]
}

#[test]
fn a_removed_device_that_its_broker_replays_is_a_ghost_until_it_speaks_itself() {
    let mut plant = Plant::new(Settings::default());
    plant.delivers("sensors/a/temperature", "21", true);
    plant.delivers("devices/a/status", "offline", true);
    plant.says("sensors/a/humidity", "40");
    assert!(plant.ghosts().is_empty(), "it is there");
    plant.removes("a");
    let topics = ["devices/a/status", "sensors/a/temperature"];
    assert_eq!(plant.told(), one("a", GhostReason::Removed, &topics));
    assert_eq!(plant.ghosts()[0].since, Some(Timestamp::from_ms(plant.now)));
    // What the broker does not replay is not kept; it may replay before it is said to be reached, and takes its time.
    plant.feed(Input::Link { broker: "main".into(), state: LinkState::Down });
    plant.delivers("sensors/a/temperature", "21", true);
    plant.feed(Input::Link { broker: "main".into(), state: LinkState::Up });
    assert_eq!(plant.told(), one("a", GhostReason::Removed, &topics));
    plant.wait(30_000);
    assert_eq!(plant.told(), one("a", GhostReason::Removed, &topics[1..]));
    let ghost = &plant.ghosts()[0];
    assert!((ghost.topics[0].bytes, ghost.topics[0].is_replayed) == (2, true) && ghost.name == "a");
    let may_clear =
        |plant: &Plant, topic: &str| plant.fleet.may_clear(&id("a"), &"main".into(), GhostReason::Removed, topic, Timestamp::from_ms(plant.now));
    assert!(may_clear(&plant, topics[1]));
    plant.says("sensors/a/temperature", "22");
    assert!(plant.ghosts().is_empty() && !may_clear(&plant, topics[1]));
}

#[test]
fn what_is_cleared_brings_nobody_back_and_is_no_value() {
    let mut plant = Plant::new(Settings { ghost_after_ms: 0, ..Settings::default() });
    for topic in ["sensors/a/temperature", "sensors/b/temperature"] {
        plant.delivers(topic, "21", true);
    }
    plant.delivers("devices/a/status", "online", true);
    plant.removes("a");
    plant.wait(1);
    assert_eq!(plant.told().len(), 2);
    for topic in ["sensors/a/temperature", "devices/a/status", "sensors/b/temperature"] {
        let out = plant.says(topic, "");
        assert!(matches!(&out[..], [Change::Message { fed, .. }] if fed.is_empty()), "{topic}: {out:?}");
    }
    assert!(plant.fleet.device(&id("a")).is_none() && plant.ghosts().is_empty());
    assert_eq!(plant.value("b.temperature"), (number(21.0), Quality::Retained));
    assert_eq!(plant.fleet.device(&id("b")).and_then(|device| device.last_seen), None);
}

#[test]
fn who_is_silent_or_offline_for_long_is_a_ghost_and_who_says_that_it_is_there_is_not() {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/live/temperature", "1");
    for device in ["quiet", "gone", "there"] {
        plant.delivers(&format!("sensors/{device}/temperature"), "1", true);
    }
    plant.delivers("devices/gone/status", "offline", true);
    plant.delivers("devices/there/status", "online", true);
    plant.wait(7 * DAY_MS - 1);
    assert!(plant.ghosts().is_empty());
    plant.wait(1);
    let told = plant.told();
    let gone = ["devices/gone/status", "sensors/gone/temperature"];
    let wanted = [one("gone", GhostReason::Offline, &gone), one("quiet", GhostReason::Silent, &["sensors/quiet/temperature"])].concat();
    assert_eq!(told, wanted);
    assert_eq!(plant.ghosts()[1].since, Some(Timestamp::from_ms(1_000_000)));
    // A broker that was just reached may have more to say than what it replays.
    plant.reconnects();
    plant.delivers("sensors/quiet/temperature", "1", true);
    assert!(plant.ghosts().is_empty());
    plant.wait(crate::time::HOUR_MS);
    assert_eq!(plant.told(), wanted[1..]);
    plant.says("sensors/quiet/temperature", "1");
    assert!(plant.ghosts().is_empty());
}

#[test]
fn announcements_of_conventions_count_and_who_announces_itself_again_is_none() {
    let mut plant = Plant::new(Settings::default());
    // Live: the broker does not say that it keeps it, and devices of this kind let it.
    plant.says(CONFIG, LAMP);
    plant.delivers("lamp/state", "ON", true);
    plant.removes("lamp");
    assert_eq!(plant.told(), one("lamp", GhostReason::Removed, &[CONFIG, "lamp/state"]));
    assert!(!plant.ghosts()[0].topics[0].is_replayed && plant.ghosts()[0].name == "Lamp");
    plant.reconnects();
    plant.delivers(CONFIG, LAMP, true);
    plant.wait(30_000);
    assert_eq!(plant.told(), one("lamp", GhostReason::Removed, &[CONFIG]));
    assert!(plant.ghosts()[0].topics[0].is_replayed && plant.fleet.device(&id("lamp")).is_none());
    plant.says(CONFIG, LAMP);
    assert!(plant.ghosts().is_empty() && plant.fleet.device(&id("lamp")).is_some());
    // It goes with its announcement, and what else is retained of it may be cleared all the same.
    plant.says(CONFIG, "");
    assert!(plant.fleet.device(&id("lamp")).is_none());
    assert!(plant.fleet.may_clear(&id("lamp"), &"main".into(), GhostReason::Silent, "lamp/state", Timestamp::from_ms(plant.now)));
}

#[test]
fn a_tree_is_its_devices_in_whatever_order_it_is_replayed() {
    let mut plant = Plant::new(Settings::default());
    let description = r#"{"homie":"5.0","version":1,"name":"Car","nodes":{"engine":{"properties":{"speed":{"datatype":"float"}}}}}"#;
    let topics = ["homie/5/car/$description", "homie/5/car/$state", "homie/5/car/engine/speed"];
    let replay = |plant: &mut Plant| {
        for (topic, payload) in topics.iter().rev().zip(["1.5", "lost", description]) {
            plant.delivers(topic, payload, true);
        }
    };
    replay(&mut plant);
    plant.delivers("homie/5/$broadcast/alert", "fire", true);
    plant.removes("car");
    assert_eq!(plant.told(), one("car", GhostReason::Removed, &topics));
    plant.reconnects();
    replay(&mut plant);
    plant.wait(30_000);
    assert_eq!(plant.told(), one("car", GhostReason::Removed, &topics), "also of one that is not there");
}

#[test]
fn a_tree_of_attributes_stays_removed_while_it_is_only_replayed() {
    let mut plant = Plant::new(Settings::default());
    let tree = [
        ("homie/fan/$homie", "4.0.0"),
        ("homie/fan/$name", "Fan"),
        ("homie/fan/$nodes", "n"),
        ("homie/fan/$state", "ready"),
        ("homie/fan/n/$name", "N"),
        ("homie/fan/n/$properties", "p"),
        ("homie/fan/n/p", "1"),
        ("homie/fan/n/p/$datatype", "integer"),
        ("homie/fan/n/p/$name", "P"),
    ];
    let topics: Vec<&str> = tree.iter().map(|(topic, _)| *topic).collect();
    let say = |plant: &mut Plant, retained| {
        tree.iter().for_each(|(topic, payload)| drop(plant.delivers(topic, payload, retained)));
        plant.wait(5_000);
    };
    say(&mut plant, true);
    assert!(plant.fleet.device(&id("fan")).is_some());
    let written = plant.feed(Input::Amend(Amendment::RemoveDevice(id("fan"))));
    assert_eq!(plant.told(), one("fan", GhostReason::Removed, &topics));
    // Also after a start, which remembers nothing else of it.
    let mut later = Plant::new(Settings::default());
    later
        .fleet
        .restore_written(written.into_iter().filter_map(|change| if let Change::Written(written) = change { Some(written) } else { None }).collect());
    say(&mut later, true);
    assert_eq!(later.told(), one("fan", GhostReason::Removed, &topics));
}

#[test]
fn tasmota_is_announced_by_two_topics() {
    let mut plant = Plant::new(Settings::default());
    let config = r#"{"dn":"Plug","fn":["Plug",null],"hn":"plug","mac":"AABBCCDDEEFF","md":"Plug","ofln":"Offline","onln":"Online","state":["OFF","ON","TOGGLE","HOLD"],"sw":"14.1.0","t":"plug","ft":"%prefix%/%topic%/","tp":["cmnd","stat","tele"],"rl":[1,0],"swc":[-1],"swn":[null],"btn":[0],"so":{"4":0},"lk":0,"lt_st":0,"sho":[],"ver":1}"#;
    let sensors = r#"{"sn":{"Time":"x","DS18B20":{"Temperature":1}},"ver":1}"#;
    let topics = ["tasmota/discovery/AABBCCDDEEFF/config", "tasmota/discovery/AABBCCDDEEFF/sensors", "tele/plug/LWT"];
    for (topic, payload) in topics.iter().zip([config, sensors, "Offline"]) {
        plant.delivers(topic, payload, true);
    }
    plant.wait(8 * DAY_MS);
    assert_eq!(plant.told(), one("plug", GhostReason::Offline, &topics));
    plant.reconnects();
    for (topic, payload) in topics.iter().zip([config, sensors, "Offline"]) {
        plant.delivers(topic, payload, true);
    }
    plant.wait(crate::time::HOUR_MS);
    assert_eq!(plant.told(), one("plug", GhostReason::Offline, &topics), "also when it is replayed again");
}

#[test]
fn topics_of_several_are_nobodys() {
    let mut plant = Plant::new(Settings::default());
    let of = |n: u8, there: &str| {
        format!(
            r#"{{"unique_id":"u{n}","state_topic":"gateway/all","availability_topic":"{there}","device":{{"identifiers":["u{n}"],"name":"D{n}"}}}}"#
        )
    };
    plant.delivers("homeassistant/sensor/u1/config", &of(1, "gateway/there"), true);
    // As long as one reads it, it may be its own; as soon as two do, it is not.
    plant.delivers("gateway/all", "1", true);
    plant.delivers("gateway/there", "online", true);
    plant.removes("d1");
    assert_eq!(
        plant.told(),
        one("d1", GhostReason::Removed, &["gateway/all", "homeassistant/sensor/u1/config"]),
        "a gateway says whether it is there"
    );
    plant.delivers("homeassistant/sensor/u2/config", &of(2, "gateway/there"), true);
    assert_eq!(plant.told(), one("d1", GhostReason::Removed, &["homeassistant/sensor/u1/config"]));
    for topic in [
        "gateway/all",
        "zigbee2mqtt/bridge/devices",
        "STATE/host",
        "spBv1.0/STATE/host",
        "homeassistant/status",
        "shellies/announce",
        "clients/x/status",
    ] {
        assert!(!plant.fleet.may_clear(&id("d1"), &"main".into(), GhostReason::Removed, topic, Timestamp::from_ms(plant.now)), "{topic}");
    }
    let z2m = r#"[{"ieee_address":"0x01","type":"EndDevice","friendly_name":"door","definition":{"model":"m","vendor":"v","exposes":[{"type":"binary","name":"contact","property":"contact","access":1,"value_on":true,"value_off":false}]}}]"#;
    plant.delivers("zigbee2mqtt/bridge/state", "online", true);
    plant.delivers("zigbee2mqtt/bridge/devices", z2m, true);
    plant.delivers("zigbee2mqtt/door", r#"{"contact":true}"#, true);
    plant.removes("door");
    assert_eq!(plant.told()[1..], one("door", GhostReason::Removed, &["zigbee2mqtt/door"]));
}

#[test]
fn what_a_living_device_reads_is_not_cleared_with_a_removed_one() {
    let mut plant = Plant::new(Settings::default());
    let of = |n: u8| format!(r#"{{"unique_id":"u{n}","state_topic":"meter/all","device":{{"identifiers":["u{n}"],"name":"D{n}"}}}}"#);
    plant.delivers("homeassistant/sensor/u1/config", &of(1), true);
    plant.delivers("meter/all", "1", true);
    // It was the first one's own, and the second one reads it too before the first one goes.
    plant.delivers("homeassistant/sensor/u2/config", &of(2), true);
    plant.removes("d1");
    assert_eq!(plant.told(), one("d1", GhostReason::Removed, &["homeassistant/sensor/u1/config"]));
    let may_clear = |topic: &str| plant.fleet.may_clear(&id("d1"), &"main".into(), GhostReason::Removed, topic, Timestamp::from_ms(plant.now));
    assert!(may_clear("homeassistant/sensor/u1/config") && !may_clear("meter/all"));
}

#[test]
fn memory_is_bounded_and_readings_are_not_written_down() {
    let mut plant = Plant::new(Settings::default());
    for n in 0..MOST_OF_ONE + 10 {
        plant.delivers(&format!("sensors/wide/m{n}"), "1", true);
    }
    plant.removes("wide");
    assert!(plant.ghosts()[0].topics.len() <= MOST_OF_ONE && plant.fleet.kept.n_topics() <= MOST_OF_ONE);
    let before = plant.fleet.kept.n_topics();
    for n in 0..100 {
        plant.says("sensors/live/temperature", &n.to_string());
    }
    assert_eq!(plant.fleet.kept.n_topics(), before);
    let mut kept = crate::fleet::kept::Kept::default();
    let link: std::sync::Arc<str> = "main".into();
    for n in 0..MOST_TOPICS + 10 {
        let place = crate::fleet::kept::Place::Device(id(&format!("d{}", n / 500)));
        kept.put(&link, &format!("t/{n}").into(), place, crate::fleet::kept::Held::new(1, true));
    }
    assert_eq!(kept.n_topics(), MOST_TOPICS);
    assert!(kept.forget(&link, &"t/7".into()) && !kept.forget(&link, &"t/7".into()));
    kept.lose_link(&link);
    kept.lose_link(&link);
    assert_eq!((kept.n_topics(), kept.after(None).count()), (0, 0));
}
