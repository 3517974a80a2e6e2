//! The simulated devices of every convention, started as an operator does.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::{Value as Json, json};

use crate::test_app::{TestApp, soon};

/// `signalbox simulate` beside a server; it ends with the test.
struct Simulator(Child);

impl Simulator {
    fn start(broker: SocketAddr, scene: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
        command.args(["simulate", "--url", &format!("mqtt://{broker}"), "--scene", scene]).env_clear().stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// Tells it to stop; its exit code.
    async fn stop(mut self) -> Option<i32> {
        assert!(Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap().success());
        soon("the end of the simulator", tokio::task::spawn_blocking(move || self.0.wait().unwrap().code())).await.unwrap()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It has ended already where the test stopped it.
        let _gone = self.0.kill();
        let _status = self.0.wait();
    }
}

/// What the devices of each convention say when they come.
const FIRST_WORDS: [&str; 17] = [
    "homeassistant/device/weather_7/config",
    "homeassistant/light/attic_lamp/config",
    "homeassistant/climate/study_radiator/config",
    "zigbee2mqtt/bridge/devices",
    "zigbee2mqtt/Kitchen/Ceiling",
    "tasmota/discovery/DC4F22A1C3E0/config",
    "tasmota_C3E5A2/tele/SENSOR",
    "shellyplusplugs-a0b765f1c201/events/rpc",
    "shellyplus2pm-5443b23d8e10/status/cover:0",
    "shellies/announce",
    "workshop-node/light/bench_light/state",
    "homie/ventilation/fan/speed/$format",
    "homie/ventilation/$state",
    "homie/5/heat-pump/$description",
    "spBv1.0/Plant-1/NBIRTH/Press-Line",
    "spBv1.0/Plant-1/DBIRTH/Press-Line/Press-1",
    "control/lights/porch",
];

/// What they say when they go, as the broker keeps it.
const LAST_WORDS: [(&str, &str); 18] = [
    ("weather-7/availability", "offline"),
    ("attic-lamp/availability", "offline"),
    ("shelf-strip/availability", "offline"),
    ("studio-blind/availability", "offline"),
    ("study-radiator/availability", "offline"),
    ("zigbee2mqtt/bridge/state", r#"{"state":"offline"}"#),
    ("tele/tasmota_A1C3E0/LWT", "Offline"),
    ("tele/tasmota_B2D4F1/LWT", "Offline"),
    ("tasmota_C3E5A2/tele/LWT", "Offline"),
    ("shellyplusplugs-a0b765f1c201/online", "false"),
    ("shellyplus2pm-5443b23d8e10/online", "false"),
    ("shellies/shelly1pm-8CAAB55F30D4/online", "false"),
    ("workshop-node/status", "offline"),
    ("homie/ventilation/$state", "lost"),
    ("homie/5/heat-pump/$state", "lost"),
    ("devices/porch/status", "offline"),
    ("devices/porch-motion/status", "offline"),
    // Bytes; it is not kept.
    ("spBv1.0/Plant-1/NDEATH/Press-Line", ""),
];

#[tokio::test]
async fn the_program_speaks_every_convention_obeys_and_says_goodbye() {
    let app = TestApp::start().await;
    let mut watcher = app.device().await;
    watcher.subscribes("#").await;
    let simulator = Simulator::start(app.mqtt(), "conventions");
    let mut missing: BTreeSet<&str> = FIRST_WORDS.into();
    while !missing.is_empty() {
        let (topic, ..) = watcher.receives().await;
        missing.remove(topic.as_str());
    }

    watcher.publishes("zigbee2mqtt/Desk plug/set", r#"{"state":"OFF"}"#, false).await;
    watcher.publishes("studio-blind/position/set", "85", false).await;
    let (mut plug_is_off, mut blind_is_there) = (false, false);
    while !(plug_is_off && blind_is_there) {
        let (topic, payload, _, retained) = watcher.receives().await;
        plug_is_off |= topic == "zigbee2mqtt/Desk plug" && payload.contains(r#""state":"OFF""#);
        blind_is_there |= topic == "studio-blind/position" && payload == "85";
        assert!(!retained, "{topic} comes from a device that is here");
    }

    let (stopped, ()) = tokio::join!(simulator.stop(), async {
        let mut missing = LAST_WORDS.to_vec();
        while !missing.is_empty() {
            let (topic, payload, ..) = watcher.receives().await;
            missing.retain(|(on, word)| *on != topic || (*word != payload && !on.contains("NDEATH")));
        }
    });
    assert_eq!(stopped, Some(0));
    let mut late = app.device().await;
    late.subscribes("+/availability").await;
    for _ in 0..5 {
        let (topic, payload, _, retained) = late.receives().await;
        assert_eq!((payload.as_str(), retained), ("offline", true), "{topic}");
    }
    app.stop().await;
}

/// A command: the beginning of the entity's id, its end, what is asked, and how it ends.
type Row = (&'static str, &'static str, Json, &'static str);

/// Sends each command by REST, all at once, and follows it to its end.
async fn check(rows: Vec<Row>) -> Vec<Json> {
    let app = TestApp::start().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let _simulator = Simulator::start(app.mqtt(), "conventions");
    // Which number an id ends with, where two have the same name, depends on who speaks first.
    let entity = |all: &Json, begin: &str, end: &str| {
        let is_meant = |id: &&str| id.replace('_', "-").starts_with(begin) && id.ends_with(end);
        all["items"].as_array().unwrap().iter().filter_map(|e| e["id"].as_str()).find(is_meant).map(ToOwned::to_owned)
    };
    let entities = soon("every entity", async {
        loop {
            let all = app.json("/api/v1/entities?limit=200").await;
            let found: Option<Vec<String>> = rows.iter().map(|(begin, end, ..)| entity(&all, begin, end)).collect();
            if let Some(found) = found {
                return found;
            }
            viewer.next().await;
        }
    })
    .await;
    let mut sent = vec![];
    for (id, (.., asked, _)) in entities.iter().zip(&rows) {
        let (status, answer) = app.post(&format!("/api/v1/entities/{id}/command"), &asked.to_string()).await;
        assert_eq!(status, 202, "{id} {asked}: {answer}");
        sent.push(answer["id"].as_str().unwrap().to_owned());
    }
    let mut outcomes = vec![];
    for (command, (id, (.., asked, end))) in sent.iter().zip(entities.iter().zip(&rows)) {
        let outcome = soon(&format!("the end of {asked} to {id}"), async {
            loop {
                let now = app.json(&format!("/api/v1/commands/{command}")).await;
                if now["state"] == **end || !["sent", "accepted"].contains(&now["state"].as_str().unwrap()) {
                    return now;
                }
                viewer.next().await;
            }
        })
        .await;
        assert_eq!(outcome["state"], *end, "{asked} to {id}: {outcome}");
        outcomes.push(outcome);
    }
    app.stop().await;
    outcomes
}

#[tokio::test]
async fn devices_of_every_convention_are_commanded_and_confirm() {
    let (on, off) = (json!({"action": "turn_on"}), json!({"action": "turn_off"}));
    let set = |value: Json| json!({"action": "set", "value": value});
    let confirmed = |begin, end, asked: &Json| -> Row { (begin, end, asked.clone(), "confirmed") };
    check(vec![
        confirmed("attic-lamp.", ".light", &json!({"action": "turn_on", "brightness": 35})),
        confirmed("shelf-strip.", ".light", &json!({"action": "turn_on", "brightness": 60, "color_temp": 4_000})),
        confirmed("studio-blind.", ".shutter", &json!({"action": "set", "position": 85})),
        confirmed("study-radiator.", ".boost_time", &set(json!(40))),
        confirmed("study-radiator.", ".program", &set(json!("Party"))),
        confirmed("study-radiator.", ".climate", &json!({"action": "set", "temperature": 19.5})),
        confirmed("kitchen-ceiling.", ".light", &json!({"action": "turn_on", "brightness": 60, "color_temp": 4_000})),
        confirmed("desk-plug.", ".switch", &off),
        confirmed("tasmota-a1c3e0.", ".switch", &on),
        confirmed("tasmota-b2d4f1.", ".light", &json!({"action": "turn_on", "brightness": 30, "color_temp": 5_000})),
        confirmed("tasmota-c3e5a2.", ".switch", &off),
        confirmed("shellyplusplugs-", ".switch", &off),
        confirmed("shellyplus2pm-", ".cover", &json!({"action": "set", "position": 35})),
        confirmed("shelly1pm-", ".switch", &on),
        confirmed("workshop-node", ".fan", &on),
        confirmed("workshop-node", ".bench_light", &json!({"action": "turn_on", "brightness": 40, "color": {"r": 10, "g": 20, "b": 30}})),
        confirmed("ventilation.", ".power", &off),
        confirmed("ventilation.", ".speed", &set(json!(75))),
        confirmed("ventilation.", ".level", &set(json!("high"))),
        confirmed("heat-pump.", ".setpoint", &set(json!(45.5))),
        confirmed("heat-pump.", ".mode", &set(json!("silent"))),
        confirmed("heat-pump.", ".power", &off),
        confirmed("press-1.", ".outputs_run", &off),
        confirmed("press-1.", ".outputs_setpoint", &set(json!(61.5))),
        confirmed("press-1.", ".outputs_trim", &set(json!(-7))),
        confirmed("press-1.", ".outputs_program", &set(json!("B"))),
        confirmed("conveyor.", ".outputs_speed", &set(json!(1.3))),
        // Nobody tells what became of these.
        ("study-radiator.", ".identify", json!({"action": "press"}), "accepted"),
        ("porch.", ".light", on, "accepted"),
    ])
    .await;
}

#[tokio::test]
async fn a_command_to_a_lamp_out_of_reach_fails_with_the_words_of_the_bridge() {
    let outcomes = check(vec![("cellar-lamp.", ".light", json!({"action": "turn_on"}), "failed")]).await;
    let reason = outcomes[0]["reason"].as_str().unwrap();
    assert!(reason.contains("Publish 'set' 'state' to 'Cellar lamp' failed: 'Error: ZCL command 0x00158d0000a1b205/1 genOnOff.on"), "{reason}");
    assert!(reason.contains("MAC no ack"), "{reason}");
}
