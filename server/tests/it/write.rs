//! `PATCH`: names and places that operators write.

use app::backend::Role;
use serde_json::{Value as Json, json};

use crate::test_app::TestApp;

impl TestApp {
    /// The answer to `PATCH path` with a JSON body: status and JSON.
    pub async fn patch(&self, path: &str, body: &str) -> (u16, Json) {
        let request = format!("PATCH {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let (status, _, body) = self.request(&request).await;
        (status, serde_json::from_str(&body).unwrap_or(Json::Null))
    }
}

async fn app() -> TestApp {
    let app = TestApp::start().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    app.device().await.publishes("home/livingroom/temperature", "21.3", true).await;
    viewer.sees("livingroom.temperature", |change| change["v"] == 21.3).await;
    app
}

#[tokio::test]
async fn what_is_written_is_on_every_open_page_and_survives_a_restart() {
    let mut app = app().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    viewer.hears("snapshot").await;
    let body = json!({"name": "Warmth", "area": "attic", "icon": "sun", "precision": 0, "order": 3, "hidden": true});
    let (status, answer) = app.patch("/api/v1/entities/livingroom.temperature", &body.to_string()).await;
    assert_eq!((status, &answer["name"], &answer["area"], &answer["hidden"]), (200, &json!("Warmth"), &json!("attic"), &json!(true)));
    let seen = viewer.sees("livingroom.temperature", |change| change["entity"]["name"] == "Warmth").await;
    assert_eq!((&seen["v"], &seen["entity"]["icon"], &seen["entity"]["hidden"]), (&json!(21.3), &json!("sun"), &json!(true)));
    assert_eq!(app.patch("/api/v1/devices/livingroom", r#"{"name":"Node 1"}"#).await.1["name"], "Node 1");
    assert_eq!(app.patch("/api/v1/areas/attic", r#"{"name":"Loft"}"#).await.0, 200);
    let loft = |frame: &Json| frame["areas"].as_array().is_some_and(|areas| areas.iter().any(|area| area["name"] == "Loft"));
    while !loft(&viewer.hears("areas").await) {}
    // The log says who wrote what.
    let log = app.json("/api/v1/activity?kind=settings").await;
    let what = |n: usize| (log["items"][n]["what"].as_str().unwrap(), log["items"][n]["who"].as_str().unwrap());
    assert_eq!([what(0), what(1), what(2)], [("area.written", "anonymous"), ("device.written", "anonymous"), ("entity.written", "anonymous")]);
    assert_eq!((&log["items"][2]["detail"]["written"], &log["items"][2]["entity"]), (&body, &json!("livingroom.temperature")));
    app.restart().await;
    let after = app.json("/api/v1/entities/livingroom.temperature").await;
    assert_eq!((&after["name"], &after["area"], &after["v"]), (&json!("Warmth"), &json!("attic"), &json!(21.3)));
    assert_eq!(app.json("/api/v1/devices/livingroom").await["name"], "Node 1");
    assert_eq!(app.json("/api/v1/areas/attic").await["name"], "Loft");
    let (status, answer) = app.patch("/api/v1/entities/livingroom.temperature", r#"{"name":null,"area":null,"hidden":null}"#).await;
    assert_eq!((status, &answer["name"], &answer["area"]), (200, &json!("Temperature"), &json!("livingroom")));
    assert!(app.get("/").await.contains("livingroom.temperature"), "back on the overview");
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_written_is_a_problem_that_names_the_field() {
    let app = app().await;
    let entity = "/api/v1/entities/livingroom.temperature";
    for (path, body, status, field) in [
        (entity, "", 400, ""),
        (entity, "[1]", 400, ""),
        (entity, r#"{"name":"#, 400, ""),
        (entity, r#"{"nmae":"x"}"#, 422, "nmae"),
        (entity, r#"{"name":""}"#, 422, "name"),
        (entity, r#"{"area":"Living Room"}"#, 422, "area"),
        (entity, r#"{"precision":9}"#, 422, "precision"),
        (entity, r#"{"hidden":"yes"}"#, 422, "hidden"),
        ("/api/v1/entities/no.such", r#"{"name":"x"}"#, 404, ""),
        ("/api/v1/entities/NO", r#"{"name":"x"}"#, 404, ""),
        ("/api/v1/devices/livingroom", r#"{"icon":"sun"}"#, 422, "icon"),
        ("/api/v1/devices/none", r#"{"name":"x"}"#, 404, ""),
        ("/api/v1/areas/livingroom", r#"{"name":7}"#, 422, "name"),
        ("/api/v1/areas/none", r#"{"name":"x"}"#, 404, ""),
        ("/api/v1/areas", r#"{"name":"x"}"#, 405, ""),
        ("/api/v1/nothing", r#"{"name":"x"}"#, 404, ""),
    ] {
        let (found, answer) = app.patch(path, body).await;
        assert_eq!((found, answer["field"].as_str().unwrap_or_default()), (status, field), "{path} {body}: {answer}");
    }
    let long = json!({"name": "x".repeat(81)}).to_string();
    assert_eq!(app.patch(entity, &long).await.1["field"], "name");
    assert_eq!(app.json(entity).await["name"], "Temperature");
    assert_eq!(app.json("/api/v1/activity?kind=settings").await["items"], json!([]));
    app.stop().await;
}

#[tokio::test]
async fn what_stands_in_the_file_is_a_conflict_and_viewers_write_nothing() {
    let id = domain::entity::EntityId::parse("livingroom.temperature").unwrap();
    let app = TestApp::start_with(|config| {
        config.entities.push((id, domain::written::Override { name: Some("From the file".into()), ..Default::default() }));
    })
    .await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    app.device().await.publishes("home/livingroom/temperature", "21.3", true).await;
    viewer.sees("livingroom.temperature", |change| change["v"] == 21.3).await;
    let (status, answer) = app.patch("/api/v1/entities/livingroom.temperature", r#"{"name":"Mine"}"#).await;
    assert_eq!((status, &answer["field"]), (409, &json!("name")));
    assert!(answer["detail"].as_str().unwrap().contains("[[entity]] \"livingroom.temperature\""), "{answer}");
    assert_eq!(app.patch("/api/v1/entities/livingroom.temperature", r#"{"icon":"sun"}"#).await.0, 200);
    app.stop().await;
    let viewer = TestApp::start_with(|config| config.auth.anonymous = Some(Role::Viewer)).await;
    for path in ["entities/a.b", "devices/a", "areas/a"] {
        assert_eq!(viewer.patch(&format!("/api/v1/{path}"), r#"{"name":"x"}"#).await.0, 403, "{path}");
    }
    viewer.stop().await;
}

#[tokio::test]
async fn a_device_that_was_removed_stays_gone_until_it_speaks_again() {
    let mut app = app().await;
    let (entity, path) = ("/api/v1/entities/livingroom.temperature", "/api/v1/devices/livingroom");
    let delete = format!("DELETE {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!(app.request(&delete).await.0, 204);
    assert_eq!(app.request(&delete).await.0, 404);
    assert_eq!((app.status(entity).await, app.status(path).await, app.status("/devices/livingroom").await), (404, 404, 404));
    let log = app.json("/api/v1/activity?kind=settings").await;
    assert_eq!((&log["items"][0]["what"], &log["items"][0]["detail"]["device"]), (&json!("device.removed"), &json!("livingroom")));
    // The broker still holds its last message, and says it again.
    app.restart().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "topics": ["home/#"], "entities": ["*"]})).await;
    app.device().await.publishes("home/attic/temperature", "20", false).await;
    viewer.sees("attic.temperature", |change| change["v"] == 20.0).await;
    assert_eq!(app.status(entity).await, 404);
    app.device().await.publishes("home/livingroom/temperature", "21.4", true).await;
    viewer.sees("livingroom.temperature", |change| change["v"] == 21.4).await;
    assert_eq!(app.json(entity).await["v"], 21.4);
    app.stop().await;
}

#[tokio::test]
async fn two_devices_become_one_and_stay_it() {
    let mut app = app().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    app.device().await.publishes("sensors/node/humidity", "40", false).await;
    viewer.sees("node.humidity", |change| change["v"] == 40.0).await;
    let merge = "/api/v1/devices/node/merge";
    for (body, status, words) in [
        (r#"{"into":"node"}"#, 422, "into is the device itself"),
        (r#"{"into":"nobody"}"#, 404, "unknown device \"nobody\""),
        (r#"{"into":"A b"}"#, 422, "no id"),
        (r#"{"onto":"livingroom"}"#, 422, "expected"),
        ("[]", 400, "no JSON object"),
    ] {
        let (got, problem) = app.post(merge, body).await;
        assert_eq!(got, status, "{body}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{body}: {problem}");
    }
    let (status, answer) = app.post(merge, r#"{"into":"livingroom"}"#).await;
    assert_eq!((status, &answer["id"]), (200, &json!("livingroom")));
    app.restart().await;
    assert_eq!(app.json("/api/v1/entities/node.humidity").await["device"], "livingroom");
    assert_eq!(app.json("/api/v1/devices/node").await["id"], "livingroom", "found by both ids");
    assert!(app.get("/devices/node").await.contains("node.humidity"));
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    app.device().await.publishes("sensors/node/pressure", "1000", false).await;
    viewer.sees("livingroom.pressure", |change| change["v"] == 1000.0).await;
    app.stop().await;
}
