//! The simulated devices, seen by another client of the same broker.

use std::collections::HashMap;
use std::time::Duration;

use domain::value::{LightState, OnOff};
use server::simulator::curve::{Curve, Model};
use server::simulator::device::{Fault, FaultKind, Form, Place, Shown};
use server::simulator::{self, Device, Scene, SimTarget, demo_entities, scenes};
use server::tasks::Tasks;

use crate::mosquitto::{Mosquitto, Watcher, free_port, text};

fn play(port: u16, scenes: Vec<Scene>) -> Tasks {
    let tasks = Tasks::default();
    simulator::run(SimTarget { host: "127.0.0.1".into(), port, credentials: None }, scenes, &tasks);
    tasks
}

fn one_device(fault: Option<Fault>) -> Vec<Scene> {
    let shown = Shown::new(1, "Speed", "pump").unit("rpm");
    let mut device = Device::new("drive").sensor("rpm", 1_000, Form::Plain, shown, Model::Number(Curve::flat(1_440.0, 0)));
    device.fault = fault;
    vec![Scene { name: "one", area: Place { id: "hall", name: "Hall", icon: "home" }, devices: vec![device] }]
}

fn n_devices() -> usize {
    scenes().iter().map(|scene| scene.devices.len()).sum()
}

#[tokio::test]
async fn sensors_publish_retained_values() {
    let broker = Mosquitto::start();
    let tasks = play(broker.port(), scenes());
    let mut live = Watcher::connect(broker.port(), &["sensors/#", "home/#"]).await;
    let mut seen: HashMap<String, String> = HashMap::new();
    let n_topics: usize = scenes().iter().flat_map(|scene| &scene.devices).map(|device| device.sensors.len()).sum();
    live.find(|message| {
        seen.insert(message.topic.clone(), text(message).to_owned());
        seen.len() == n_topics
    })
    .await;
    assert!(seen["sensors/greenhouse-1/air-temperature"].parse::<f64>().is_ok_and(|celsius| (20.0..40.0).contains(&celsius)));
    assert!(matches!(seen["sensors/garden/door"].as_str(), "open" | "closed"));
    assert!(seen["sensors/house-energy/data"].starts_with(r#"{"energy_today":"#));

    let mut late = Watcher::connect(broker.port(), &["home/livingroom/temperature"]).await;
    let first = late.find(|_| true).await;
    assert!(first.retain && text(&first).parse::<f64>().is_ok(), "{first:?}");
    tasks.stop().await;
}

#[tokio::test]
async fn a_light_obeys_and_reports_its_state() {
    let broker = Mosquitto::start();
    let tasks = play(broker.port(), scenes());
    let mut watcher = Watcher::connect(broker.port(), &["state/#"]).await;
    watcher.next("state/lights/ceiling-light", |_| true).await;
    watcher.publish("control/lights/ceiling-light", r#"{"state":"on","brightness":80}"#);
    let report = watcher.next("state/lights/ceiling-light", |payload| payload.contains(r#""brightness":80"#)).await;
    let state: LightState = serde_json::from_str(text(&report)).unwrap();
    assert_eq!(state, LightState { brightness: Some(80), color_temp: Some(2_900), ..LightState::new(OnOff::On) });

    for (payload, expected) in [("on", "on"), (r#"{"state":"off"}"#, "off")] {
        watcher.publish("control/switches/floor-lamp", payload);
        watcher.next("state/switches/floor-lamp", |state| state == expected).await;
    }
    tasks.stop().await;
}

#[tokio::test]
async fn the_misting_valve_hears_and_never_confirms() {
    let broker = Mosquitto::start();
    let tasks = play(broker.port(), scenes());
    let mut watcher = Watcher::connect(broker.port(), &["state/#", "control/#"]).await;
    watcher.next("state/switches/misting-valve", |state| state == "off").await;
    watcher.publish("control/switches/misting-valve", "on");
    watcher.next("control/switches/misting-valve", |payload| payload == "on").await;
    // A device that obeys holds its reports back until it has done so: the next one would say on.
    let report = watcher.next("state/switches/misting-valve", |_| true).await;
    assert_eq!(text(&report), "off");
    tasks.stop().await;
}

#[tokio::test]
async fn a_device_that_drops_off_is_reported_by_its_will_and_comes_back() {
    let broker = Mosquitto::start();
    let ms = Duration::from_millis;
    let fault = Fault { kind: FaultKind::Dropped, first_after: ms(500), lasts: ms(1_500), between: ms(600_000) };
    let mut watcher = Watcher::connect(broker.port(), &["devices/+/status"]).await;
    let tasks = play(broker.port(), one_device(Some(fault)));
    for expected in ["online", "offline", "online"] {
        let status = watcher.next("devices/drive/status", |_| true).await;
        assert_eq!(text(&status), expected);
    }
    tasks.stop().await;
}

#[tokio::test]
async fn a_clean_stop_leaves_every_device_offline() {
    let broker = Mosquitto::start();
    let tasks = play(broker.port(), scenes());
    let mut watcher = Watcher::connect(broker.port(), &["devices/+/status"]).await;
    let mut online = 0;
    watcher
        .find(|message| {
            online += usize::from(text(message) == "online");
            online == n_devices()
        })
        .await;
    tokio::time::timeout(Duration::from_secs(5), tasks.stop()).await.expect("devices end soon");

    let mut late = Watcher::connect(broker.port(), &["devices/+/status"]).await;
    let mut offline = 0;
    late.find(|message| {
        assert!(message.retain && text(message) == "offline", "{message:?}");
        offline += 1;
        offline == n_devices()
    })
    .await;
}

#[tokio::test]
async fn devices_find_a_broker_that_comes_late_and_one_that_comes_back() {
    let port = free_port();
    let tasks = play(port, one_device(None));
    for _ in 0..2 {
        let broker = Mosquitto::start_on(port);
        let mut watcher = Watcher::connect(broker.port(), &["sensors/#"]).await;
        watcher.next("sensors/drive/rpm", |payload| payload == "1440").await;
    }
    tokio::time::timeout(Duration::from_secs(5), tasks.stop()).await.expect("a device without a broker ends too");
}

#[test]
fn the_demo_names_every_entity_that_its_devices_publish() {
    let entities = demo_entities();
    for device in scenes().iter().flat_map(|scene| &scene.devices) {
        assert!(entities.iter().any(|entity| entity.id.device() == device.id), "{}", device.id);
    }
}
