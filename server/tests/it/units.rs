//! Units that operators or the file choose: what the outside sees is in them, what devices and history say is not.

use std::process::Command;

use domain::control::Control;
use domain::entity::{EntityId, EntityKind};
use domain::fleet::{Declared, Override};
use domain::rule::{Condition, Rule};
use serde_json::{Value as Json, json};

use crate::test_app::TestApp;

/// A moment of the past: 2025-10-09T09:00:00Z.
const T: i64 = 1_760_000_400_000;
const ENTITY: &str = "/api/v1/entities/a.temperature";

async fn says(app: &TestApp, topic: &str, payload: &str, entity: &str) {
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    app.device().await.publishes(topic, payload, true).await;
    viewer.sees(entity, |change| !change["v"].is_null()).await;
}

/// `GET /api/v1/history` of an hour of the past.
async fn past(app: &TestApp, entity: &str, points: usize) -> Json {
    let path = format!("/api/v1/history?entities={entity}&from={T}&to={}&points={points}", T + 3_600_000);
    app.json(&path).await["series"][0].clone()
}

fn export(app: &TestApp) -> String {
    let folder = &app.config.data_dir;
    let output = Command::new(env!("CARGO_BIN_EXE_signalbox"))
        .args(["export", "--entities", "a.temperature", "--to", "2025-10-10"])
        .current_dir(folder)
        .env_clear()
        .env("SIGNALBOX_DATA_DIR", folder)
        .env("SIGNALBOX_TIME_ZONE", "UTC")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn values_history_and_tables_are_in_the_unit_shown_and_nothing_is_lost() {
    let mut app = TestApp::start().await;
    says(&app, "sensors/a/temperature", "21.5", "a.temperature").await;
    let body = json!({"entity": "a.temperature", "t": [T, T + 60_000, T + 120_000], "v": [10, 20, 21]});
    assert_eq!(app.post("/api/v1/history", &body.to_string()).await.0, 200);
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"], "topics": ["sensors/#"]})).await;
    viewer.hears("snapshot").await;

    // The unit and the value change as one.
    let (status, answer) = app.patch(ENTITY, r#"{"unit":"°F"}"#).await;
    assert_eq!((status, &answer["unit"], &answer["v"]), (200, &json!("°F"), &json!(70.7)));
    let seen = viewer.sees("a.temperature", |change| change["entity"]["unit"] == "°F").await;
    assert_eq!(seen["v"], 70.7);
    // What the device says next is converted, wherever it is told.
    let mut device = app.device().await;
    device.publishes("sensors/a/temperature", "22", true).await;
    assert_eq!(viewer.sees("a.temperature", |change| change["v"] != 70.7).await["v"], 71.6);
    let mut follower = app.viewer().await;
    follower.says(json!({"type": "subscribe", "topics": ["sensors/#"]})).await;
    let update = follower.hears("sensor-update").await;
    assert_eq!((&update["value"], &update["unit"]), (&json!(71.6), &json!("°F")));

    // All of history is.
    let raw = past(&app, "a.temperature", 100).await;
    assert_eq!((&raw["last"], &raw["resolution"]), (&json!([50.0, 68.0, 69.8]), &json!("raw")));
    let sum = past(&app, "a.temperature", 1).await;
    assert_eq!((&sum["min"], &sum["mean"], &sum["max"], &sum["last"]), (&json!([50.0]), &json!([62.6]), &json!([69.8]), &json!([69.8])));
    let table = app.get(&format!("/api/v1/history.csv?entities=a.temperature&from={T}&to={}&points=100", T + 3_600_000)).await;
    assert!(table.contains(",68,68,68,68,1\n"), "{table}");
    assert!(export(&app).contains("a.temperature,2025-10-09T09:01:00.000Z,68\n"), "{}", export(&app));

    // What is filled in is in the unit that is shown; what is taken out too.
    let body = json!({"entity": "a.temperature", "t": [T + 180_000], "v": [32]});
    assert_eq!(app.post("/api/v1/history", &body.to_string()).await.0, 200);
    assert_eq!(app.post("/api/v1/history.csv", &format!("entity,time,value\na.temperature,{},212\n", T + 240_000)).await.0, 200);
    let (_, taken) = app.post("/api/v1/history/exclude", &json!({"entity": "a.temperature", "t": T + 60_000}).to_string()).await;
    assert_eq!(taken["items"][0]["v"], 68.0, "{taken}");
    let listed = app.json(&format!("/api/v1/history/excluded?entities=a.temperature&from={T}&to={}", T + 3_600_000)).await;
    assert_eq!(listed["items"][0]["v"], 68.0);
    let page = app.get(&format!("/history?entities=a.temperature&from={T}&to={}", T + 3_600_000)).await;
    assert!(page.contains("°F") && page.contains("68"), "the page of charts");

    // A start changes nothing of it.
    app.restart().await;
    assert_eq!(past(&app, "a.temperature", 100).await["last"], json!([50.0, 69.8, 32.0, 212.0]));
    let after = app.json(ENTITY).await;
    assert_eq!((&after["v"], &after["unit"]), (&json!(71.6), &json!("°F")));

    // Taken back, everything is as the device said it.
    assert_eq!(app.patch(ENTITY, r#"{"unit":null}"#).await.1["v"], 22.0);
    assert_eq!(past(&app, "a.temperature", 100).await["last"], json!([10.0, 21.0, 0.0, 100.0]));
    // Something else is only another label.
    let (_, label) = app.patch(ENTITY, r#"{"unit":"warmth"}"#).await;
    assert_eq!((&label["unit"], &label["v"]), (&json!("warmth"), &json!(22.0)));
    app.stop().await;
}

#[tokio::test]
async fn a_meter_counts_in_the_unit_shown_without_an_offset_and_stays_a_meter() {
    let app = TestApp::start().await;
    says(&app, "sensors/house/energy", "5", "house.energy").await;
    let body = json!({"entity": "house.energy", "t": [T, T + 60_000, T + 120_000], "v": [1.0, 1.5, 4.0]});
    assert_eq!(app.post("/api/v1/history", &body.to_string()).await.0, 200);
    let (_, shown) = app.patch("/api/v1/entities/house.energy", r#"{"unit":"MJ"}"#).await;
    assert_eq!((&shown["v"], &shown["unit"]), (&json!(18.0), &json!("MJ")));
    let series = past(&app, "house.energy", 1).await;
    assert_eq!((&series["increase"], &series["max"]), (&json!([10.8]), &json!([14.4])), "{series}");
    app.stop().await;
}

#[tokio::test]
async fn a_command_goes_out_in_the_unit_of_the_device_and_a_scene_means_the_same_in_every_unit() {
    let id = EntityId::parse("boiler.flow").unwrap();
    let declared = Declared {
        kind: EntityKind::Number,
        command_topic: "boiler/flow/set".into(),
        state_topic: Some("boiler/flow".into()),
        link: None,
        control: Control { min: Some(20.0), max: Some(60.0), step: Some(0.5), ..Control::default() },
    };
    let written = Override { native_unit: Some("°C".into()), ..Override::default() };
    let app = TestApp::start_with(|config| {
        config.declared = vec![(id.clone(), declared)];
        config.entities = vec![(id, written)];
    })
    .await;
    let scene = json!({"id": "warm", "name": "Warm", "commands": [{"entity": "boiler.flow", "action": "set", "value": 50}]});
    assert_eq!(app.post("/api/v1/scenes", &scene.to_string()).await.0, 201);
    let path = "/api/v1/entities/boiler.flow";
    let (_, shown) = app.patch(path, r#"{"unit":"°F"}"#).await;
    assert_eq!((&shown["min"], &shown["max"], &shown["step"]), (&json!(68.0), &json!(140.0), &json!(0.9)));
    let mut boiler = app.device().await;
    boiler.subscribes("boiler/flow/set").await;
    let (status, _) = app.post(&format!("{path}/command"), r#"{"action":"set","value":113}"#).await;
    assert_eq!((status, boiler.receives().await.1), (202, "45".to_owned()));
    boiler.publishes("boiler/flow", "45", false).await;
    let (status, problem) = app.post(&format!("{path}/command"), r#"{"action":"set","value":45}"#).await;
    assert_eq!((status, &problem["detail"]), (422, &json!("value cannot be 45, it must be between 68 and 140")));
    // The scene was written as 50 °C.
    assert_eq!(app.json("/api/v1/scenes/warm").await["commands"][0]["value"], 122.0);
    assert_eq!(app.post("/api/v1/scenes/warm/run", "").await.0, 202);
    assert_eq!(boiler.receives().await.1, "50");
    app.stop().await;
}

#[tokio::test]
async fn a_unit_in_the_file_converts_its_rule_is_in_it_and_it_is_nobody_elses_to_change() {
    let id = EntityId::parse("a.temperature").unwrap();
    let rule = Rule {
        id: "hot".into(),
        name: String::new(),
        entity: id.clone(),
        condition: Condition::Above { limit: 80.0 },
        severity: domain::alarm::Severity::Warning,
        hysteresis: 0.0,
        message: String::new(),
    };
    let app = TestApp::start_with(|config| {
        config.entities = vec![(id, Override { unit: Some("°F".into()), ..Override::default() })];
        config.rules = vec![rule];
    })
    .await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut device = app.device().await;
    device.publishes("sensors/a/temperature", "25", true).await;
    assert_eq!(viewer.sees("a.temperature", |_| true).await["v"], 77.0);
    assert_eq!(app.json("/api/v1/alarms").await["items"], json!([]));
    device.publishes("sensors/a/temperature", "27", true).await;
    let alert = viewer.hears("alert").await;
    assert_eq!((&alert["message"], &alert["state"]), (&json!("temperature above 80"), &json!("unacked")));
    assert_eq!(app.patch(ENTITY, r#"{"unit":"K"}"#).await.0, 409);
    app.stop().await;
}

#[tokio::test]
async fn an_alarm_that_lasts_is_told_anew_in_the_unit_that_is_shown_now() {
    let rule = Rule {
        id: "hot".into(),
        name: "Room".into(),
        entity: EntityId::parse("a.temperature").unwrap(),
        condition: Condition::Above { limit: 30.0 },
        severity: domain::alarm::Severity::Warning,
        hysteresis: 0.0,
        message: String::new(),
    };
    let mut app = TestApp::start_with(|config| config.rules = vec![rule]).await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    app.device().await.publishes("sensors/a/temperature", "31", true).await;
    assert_eq!(viewer.hears("alert").await["message"], "Room above 30");
    assert_eq!(app.patch(ENTITY, r#"{"unit":"°F"}"#).await.0, 200);
    assert_eq!(viewer.hears("alert").await["message"], "Room above 86");
    assert_eq!(app.json("/api/v1/alarms/hot").await["journal"].as_array().map(Vec::len), Some(1), "nothing happened to it");
    app.restart().await;
    assert_eq!(app.json("/api/v1/alarms/hot").await["condition"], "above 86");
    // Back in °C nothing is raised and nothing ends.
    assert_eq!(app.patch(ENTITY, r#"{"unit":null}"#).await.0, 200);
    let alarm = app.json("/api/v1/alarms/hot").await;
    assert_eq!((&alarm["condition"], &alarm["state"]), (&json!("above 30"), &json!("unacked")));
    app.stop().await;
}

#[tokio::test]
async fn the_form_offers_what_converts_and_says_what_becomes_of_values() {
    let app = TestApp::start().await;
    says(&app, "sensors/a/temperature", "21.5", "a.temperature").await;
    says(&app, "sensors/a/humidity", "50", "a.humidity").await;
    let form = app.get("/devices/a?edit=a.temperature").await;
    assert!(form.contains("<option value=\"°F\">converted from °C</option>"), "{form}");
    assert!(form.contains("The device says °C."));
    assert_eq!(app.patch(ENTITY, r#"{"unit":"K"}"#).await.0, 200);
    assert!(app.get("/devices/a?edit=a.temperature").await.contains("Converted from °C."));
    assert!(app.get("/devices/a?edit=a.humidity").await.contains("Only the label changes"));
    app.stop().await;
}
