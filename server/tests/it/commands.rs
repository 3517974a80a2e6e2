//! Commands never lie: for each thing that a device can do with one, the whole series of states on the socket, in REST and in the log.

use domain::control::Control;
use domain::entity::{EntityId, EntityKind};
use domain::fleet::Declared;
use serde_json::{Value as Json, json};
use server::application::{Application, Play};

use crate::link_mosquitto::{self, Mosquitto, Subscriber};
use crate::test_app::{Device, TestApp, Viewer, config_beside, request_to, soon};

const HALL: &str = "hall.light";

/// A server, a viewer, and a device at its broker that has said that it is off.
struct Plant {
    app: TestApp,
    viewer: Viewer,
    lamp: Device,
}

impl Plant {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let mut lamp = app.device().await;
        lamp.subscribes("control/lights/hall").await;
        let mut viewer = app.viewer().await;
        viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
        lamp.publishes("state/lights/hall", r#"{"state":"off","brightness":10}"#, true).await;
        viewer.sees(HALL, |_| true).await;
        Self { app, viewer, lamp }
    }

    /// A device that answered once within a moment: from then on nobody waits for long.
    async fn quick() -> Self {
        let mut plant = Self::new().await;
        plant.asks("quick", "turn_on").await;
        plant.lamp.receives().await;
        plant.lamp.publishes("state/lights/hall", "on", true).await;
        assert_eq!(states(&plant.hears_all("quick").await), ["sent", "accepted", "confirmed"]);
        plant.asks("quicker", "turn_off").await;
        plant.lamp.receives().await;
        plant.lamp.publishes("state/lights/hall", "off", true).await;
        plant.hears_all("quicker").await;
        plant
    }

    async fn asks(&mut self, id: &str, action: &str) {
        self.viewer.says(json!({"type": "command", "id": id, "entity": HALL, "action": action})).await;
    }

    /// The frames of a command, to its last.
    async fn hears_all(&mut self, id: &str) -> Vec<Json> {
        hears_all(&mut self.viewer, id).await
    }

    /// The newest row of the log, once it is this one; REST says the same of the command.
    async fn logged(&self, what: &str, outcome: &str) -> Json {
        soon("the log", async {
            loop {
                let log = self.app.json("/api/v1/activity?limit=1").await;
                let entry = &log["items"][0];
                // The log is written a quarter of a second behind.
                if entry["what"] == what && entry["outcome"] == outcome {
                    assert_eq!((&entry["entity"], &entry["who"]), (&json!(HALL), &json!("anonymous")));
                    let standing = self.app.json(&format!("/api/v1/commands/{}", entry["detail"]["command"].as_str().unwrap())).await;
                    assert_eq!((&standing["state"], &standing["reason"]), (&entry["outcome"], &entry["detail"]["reason"]));
                    return entry.clone();
                }
            }
        })
        .await
    }
}

async fn hears_all(viewer: &mut Viewer, id: &str) -> Vec<Json> {
    let mut frames = vec![];
    loop {
        let frame = viewer.hears("command").await;
        if frame["id"] == id {
            frames.push(frame.clone());
            if matches!(frame["state"].as_str(), Some("confirmed" | "unconfirmed" | "failed" | "refused")) {
                return frames;
            }
        }
    }
}

fn states(frames: &[Json]) -> Vec<&str> {
    frames.iter().map(|frame| frame["state"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_device_that_reports_what_was_asked_confirms() {
    let mut plant = Plant::quick().await;
    plant.asks("1", "turn_on").await;
    plant.lamp.receives().await;
    plant.lamp.publishes("state/lights/hall", "on", true).await;
    let frames = plant.hears_all("1").await;
    assert_eq!(states(&frames), ["sent", "accepted", "confirmed"]);
    assert!(frames.iter().all(|frame| frame["usual_ms"].is_i64()), "{frames:?}");
    plant.logged("turn_on", "confirmed").await;
    plant.app.stop().await;
}

#[tokio::test]
async fn a_device_that_answers_too_late_leaves_a_command_unconfirmed_and_is_shown_as_it_is() {
    let mut plant = Plant::quick().await;
    plant.asks("1", "turn_on").await;
    plant.lamp.receives().await;
    let frames = plant.hears_all("1").await;
    assert_eq!(states(&frames), ["sent", "accepted", "unconfirmed"]);
    assert_eq!(frames[2]["reason"], "no answer in 2 s");
    plant.lamp.publishes("state/lights/hall", "on", true).await;
    plant.viewer.sees(HALL, |change| change["v"]["state"] == "on").await;
    plant.logged("turn_on", "unconfirmed").await;
    plant.app.stop().await;
}

#[tokio::test]
async fn a_device_that_reports_another_state_is_not_taken_at_its_word() {
    let mut plant = Plant::quick().await;
    plant.asks("1", "turn_on").await;
    plant.lamp.receives().await;
    plant.lamp.publishes("state/lights/hall", "off", true).await;
    let frames = plant.hears_all("1").await;
    assert_eq!(states(&frames), ["sent", "accepted", "unconfirmed"]);
    assert_eq!(frames[2]["reason"], "after 2 s the device reports off");
    plant.logged("turn_on", "unconfirmed").await;
    plant.app.stop().await;
}

#[tokio::test]
async fn a_device_that_reports_an_error_fails_the_command() {
    let mut plant = Plant::new().await;
    plant.asks("1", "turn_on").await;
    plant.lamp.receives().await;
    // The broker has taken it; then only the device has a say.
    while plant.viewer.hears("command").await["state"] != "accepted" {}
    plant.lamp.publishes("state/lights/hall", r#"{"state":"off","error":"lamp broken"}"#, true).await;
    let frames = plant.hears_all("1").await;
    assert_eq!(states(&frames), ["failed"]);
    assert_eq!(frames[0]["reason"], "the device reports: lamp broken");
    assert_eq!(plant.logged("turn_on", "failed").await["detail"]["reason"], "the device reports: lamp broken");
    plant.app.stop().await;
}

#[tokio::test]
async fn a_device_that_is_offline_is_not_asked_and_that_is_written_down() {
    let mut plant = Plant::new().await;
    plant.lamp.publishes("devices/hall/status", "offline", true).await;
    plant.viewer.sees(HALL, |change| change["q"] == "offline").await;
    plant.asks("1", "turn_on").await;
    let frames = plant.hears_all("1").await;
    assert_eq!(states(&frames), ["refused"]);
    assert_eq!(frames[0]["reason"], "hall.light is offline");
    let (status, problem) = plant.app.post("/api/v1/entities/hall.light/command", r#"{"action":"turn_on"}"#).await;
    assert_eq!((status, &problem["detail"]), (409, &json!("hall.light is offline")));
    assert_eq!(plant.logged("turn_on", "refused").await["detail"]["reason"], "hall.light is offline");
    plant.app.stop().await;
}

#[tokio::test]
async fn a_broker_that_goes_between_click_and_publish_fails_the_command_and_delivers_it_never() {
    let mut mosquitto = Mosquitto::start();
    let folder = tempfile::tempdir().unwrap();
    let config = config_beside(folder.path(), mosquitto.port);
    let app = Application::start(&config, Play::Real).await.unwrap();
    let mut viewer = Viewer::connect(app.http_addr(), "/live").await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    if viewer.hears("snapshot").await["links"][0]["state"] != "up" {
        while viewer.hears("link").await["state"] != "up" {}
    }
    link_mosquitto::publish(mosquitto.port, "state/lights/hall", "off", 1, false).await;
    viewer.sees(HALL, |_| true).await;
    // It stands still: what is sent lies on the line, and nobody has it.
    mosquitto.freeze();
    viewer.says(json!({"type": "command", "id": "1", "entity": HALL, "action": "turn_on"})).await;
    assert_eq!(viewer.hears("command").await["state"], "sent");
    mosquitto.kill();
    let frame = viewer.hears("command").await;
    assert_eq!(frame["state"], "failed", "{frame}");
    assert!(frame["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{frame}");
    mosquitto.restart();
    let mut lamp = Subscriber::start(mosquitto.port, "lamp", "control/#").await;
    while viewer.hears("link").await["state"] != "up" {}
    viewer.says(json!({"type": "command", "id": "2", "entity": HALL, "action": "turn_off"})).await;
    let (topic, payload, ..) = lamp.next().await;
    assert_eq!((topic.as_str(), payload.as_str()), ("control/lights/hall", r#"{"state":"off"}"#), "the first one is never sent");
    // The log is written a quarter of a second behind.
    let log = async || request_to(app.http_addr(), "GET /api/v1/activity HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.2;
    soon("the failed one in the log", async { while !log().await.contains("\"failed\"") {} }).await;
    soon("the stop", app.stop()).await;
}

#[tokio::test]
async fn a_drag_is_ten_commands_a_second_and_ends_where_it_ended() {
    let mut plant = Plant::new().await;
    let begun = tokio::time::Instant::now();
    for n in 1..=60_u8 {
        plant.viewer.says(json!({"type": "command", "id": n.to_string(), "entity": HALL, "action": "turn_on", "brightness": n})).await;
    }
    let (mut n_received, mut last) = (0, String::new());
    while last != r#"{"state":"on","brightness":60}"# {
        last = plant.lamp.receives().await.1;
        n_received += 1;
    }
    let most = begun.elapsed().as_millis() / 100 + 2;
    assert!(n_received <= most, "{n_received} commands, {most} allowed");
    plant.lamp.publishes("state/lights/hall", &*last, true).await;
    let mut ends = std::collections::BTreeMap::new();
    while ends.len() < 60 {
        let frame = plant.viewer.hears("command").await;
        if matches!(frame["state"].as_str(), Some("confirmed" | "unconfirmed")) {
            let told = format!("{} {}", frame["state"].as_str().unwrap(), frame["reason"].as_str().unwrap_or_default());
            ends.insert(frame["id"].as_str().unwrap().to_owned(), told);
        }
    }
    assert_eq!(ends.remove("60").as_deref(), Some("confirmed "));
    assert!(ends.values().all(|told| told == "unconfirmed superseded by a newer command"), "{ends:?}");
    plant.app.stop().await;
}

#[tokio::test]
async fn a_command_waits_for_a_device_that_sleeps_through_a_restart() {
    let mut plant = Plant::new().await;
    plant.lamp.publishes("devices/hall/status", "offline", true).await;
    plant.viewer.sees(HALL, |change| change["q"] == "offline").await;
    let path = "/api/v1/entities/hall.light/command";
    for (body, field) in [
        (r#"{"action":"turn_on","deliver":"later"}"#, "deliver"),
        (r#"{"action":"turn_on","deliver":"when_online","expires_s":0}"#, "expires_s"),
        (r#"{"action":"turn_on","expires_s":60}"#, "expires_s"),
        (r#"{"action":"turn_on","deliver":"when_online","brightness":101}"#, "brightness"),
    ] {
        let (status, problem) = plant.app.post(path, body).await;
        assert_eq!((status, &problem["field"]), (422, &json!(field)), "{body}");
    }
    let (status, older) = plant.app.post(path, r#"{"action":"turn_off","deliver":"when_online"}"#).await;
    assert_eq!((status, &older["state"]), (202, &json!("queued")));
    let (_, sent) = plant.app.post(path, r#"{"action":"turn_on","brightness":40,"deliver":"when_online","expires_s":3600}"#).await;
    let one = format!("/api/v1/commands/{}", sent["id"].as_str().unwrap());
    let superseded = plant.app.json(&format!("/api/v1/commands/{}", older["id"].as_str().unwrap())).await;
    assert_eq!((&superseded["state"], &superseded["reason"]), (&json!("unconfirmed"), &json!("superseded by a newer command")));

    let Plant { mut app, lamp, .. } = plant;
    lamp.dies();
    app.restart().await;
    let waiting = app.json("/api/v1/commands?state=queued").await;
    assert_eq!((waiting["items"].as_array().map(Vec::len), &waiting["items"][0]["id"]), (Some(1), &sent["id"]));
    let left_ms = waiting["items"][0]["expires_at"].as_i64().unwrap() - waiting["items"][0]["t"].as_i64().unwrap();
    assert_eq!(left_ms, 3_600_000);
    assert_eq!(app.json(&one).await["state"], "queued");

    let mut lamp = app.device().await;
    lamp.subscribes("control/lights/hall").await;
    lamp.publishes("devices/hall/status", "online", true).await;
    assert_eq!(lamp.receives().await.1, r#"{"state":"on","brightness":40}"#);
    lamp.publishes("state/lights/hall", r#"{"state":"on","brightness":40}"#, true).await;
    soon("the confirmation", async { while app.json(&one).await["state"] != "confirmed" {} }).await;
    assert_eq!(app.json("/api/v1/commands?state=queued").await["items"], json!([]));
    app.stop().await;
}

#[tokio::test]
async fn a_command_that_waits_can_be_cancelled() {
    let mut plant = Plant::new().await;
    plant.viewer.says(json!({"type": "command", "id": "q", "entity": HALL, "action": "turn_on", "deliver": "when_online"})).await;
    assert_eq!(plant.viewer.hears("command").await["state"], "queued");
    let id = plant.app.json("/api/v1/commands?state=queued").await["items"][0]["id"].as_str().unwrap().to_owned();
    let delete = format!("DELETE /api/v1/commands/{id} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!(plant.app.request(&delete).await.0, 200);
    let frame = plant.viewer.hears("command").await;
    assert_eq!((&frame["state"], &frame["reason"]), (&json!("refused"), &json!("cancelled by anonymous")));
    assert_eq!(plant.app.request(&delete).await.0, 409);
    assert_eq!(plant.app.request(&delete.replace(&id, "none")).await.0, 404);
    plant.app.stop().await;
}

#[tokio::test]
async fn a_command_that_a_broker_keeps_is_told_and_is_no_state() {
    let mut plant = Plant::new().await;
    plant.lamp.publishes("control/lights/hall", "on", true).await;
    let Plant { mut app, .. } = plant;
    app.restart().await;
    let row = soon("the topic", async {
        loop {
            let topics = app.json("/api/v1/topics?prefix=control/").await;
            if topics["items"][0]["retained_command"] == true {
                return topics["items"][0].clone();
            }
        }
    })
    .await;
    assert_eq!(row["topic"], "control/lights/hall");
    assert_eq!(app.json("/api/v1/entities/hall.light").await["v"]["state"], "off");
    let alarm = app.json("/api/v1/alarms/signalbox.retained_command").await;
    assert!(alarm["state"] == "unacked" && alarm["message"].as_str().is_some_and(|told| told.contains("control/lights/hall")), "{alarm}");
    app.device().await.publishes("control/lights/hall", "", true).await;
    soon("the end of it", async { while app.json("/api/v1/topics?prefix=control/").await["items"][0]["retained_command"] == true {} }).await;
    app.stop().await;
}

fn declared(kind: EntityKind, control: Control) -> Declared {
    Declared { kind, command_topic: "boiler/thing/set".into(), state_topic: Some("boiler/thing/is".into()), link: None, control }
}

#[tokio::test]
async fn what_the_configuration_names_can_be_set_and_says_what_may_be() {
    let id = EntityId::parse("boiler.flow").unwrap();
    let control = Control { min: Some(20.0), max: Some(60.0), step: Some(0.5), ..Control::default() };
    let app = TestApp::start_with(|config| config.declared = vec![(id, declared(EntityKind::Number, control))]).await;
    let entity = app.json("/api/v1/entities/boiler.flow").await;
    for (field, expected) in [
        ("kind", json!("number")),
        ("min", json!(20.0)),
        ("max", json!(60.0)),
        ("step", json!(0.5)),
        ("settable", json!(true)),
        ("link", json!("embedded")),
        ("v", Json::Null),
    ] {
        assert_eq!(entity[field], expected, "{field} of {entity}");
    }
    let path = "/api/v1/entities/boiler.flow/command";
    let (status, problem) = app.post(path, r#"{"action":"set","value":61}"#).await;
    assert_eq!((status, &problem["field"]), (422, &json!("value")));
    assert_eq!(problem["detail"], "value cannot be 61, it must be between 20 and 60");
    let mut boiler = app.device().await;
    boiler.subscribes("boiler/thing/set").await;
    let (_, sent) = app.post(path, r#"{"action":"set","value":45.5}"#).await;
    assert_eq!(boiler.receives().await.1, "45.5");
    boiler.publishes("boiler/thing/is", r#"{"value":45.5}"#, true).await;
    let one = format!("/api/v1/commands/{}", sent["id"].as_str().unwrap());
    soon("the confirmation", async { while app.json(&one).await["state"] != "confirmed" {} }).await;
    let standing = app.json(&one).await;
    assert_eq!((&standing["action"], &standing["value"]), (&json!("set"), &json!(45.5)));
    assert_eq!(app.json("/api/v1/entities/boiler.flow").await["v"], 45.5);
    assert_eq!(app.json("/api/v1/entities").await["items"].as_array().map(Vec::len), Some(1), "nothing else was made of its topics");
    app.stop().await;
}
