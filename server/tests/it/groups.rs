//! Groups from outside: what they show, how they are switched, and who may make them.

use app::backend::Role;
use serde_json::{Value as Json, json};

use crate::test_app::{Device, TestApp, Viewer, soon};

/// Lamps that report what they are told, and a viewer of everything.
pub async fn lamps(app: &TestApp, names: &[&str]) -> (Viewer, Device) {
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut device = app.device().await;
    for name in names {
        device.publishes(&format!("state/lights/{name}"), "off", true).await;
        viewer.sees(&format!("{name}.light"), |_| true).await;
        device.subscribes(&format!("control/lights/{name}")).await;
    }
    (viewer, device)
}

/// Waits for so many commands and then answers those of `names` as lamps do; the names of all, in order. (Whoever waits for the broker's word on
/// an answer hears no command meanwhile.)
pub async fn obey(device: &mut Device, n: usize, names: &[&str]) -> Vec<String> {
    let mut asked = vec![];
    for _ in 0..n {
        let (topic, payload, ..) = device.receives().await;
        asked.push((topic.rsplit('/').next().unwrap().to_owned(), payload));
    }
    asked.sort();
    for (name, payload) in &asked {
        if names.contains(&name.as_str()) {
            device.publishes(&format!("state/lights/{name}"), payload.clone(), true).await;
        }
    }
    asked.into_iter().map(|(name, _)| name).collect()
}

fn all(members: &[&str]) -> String {
    json!({"id": "all", "name": "All lamps", "members": members}).to_string()
}

#[tokio::test]
async fn a_group_is_an_entity_everywhere_and_survives_a_restart() {
    let mut app = TestApp::start().await;
    let (mut viewer, mut device) = lamps(&app, &["a", "b", "c"]).await;
    let (status, made) = app.post("/api/v1/groups", &all(&["a.light", "b.light", "c.light"])).await;
    assert_eq!((status, &made["id"]), (201, &json!("all")), "{made}");
    let told = viewer.sees("group.all", |_| true).await;
    assert_eq!((&told["entity"]["name"], &told["v"]["state"]), (&json!("All lamps"), &json!("off")));
    device.publishes("state/lights/b", "on", true).await;
    let mixed = viewer.sees("group.all", |change| change["entity"]["members"]["mixed"] == true).await;
    assert_eq!(mixed["entity"]["members"], json!({"on": 1, "total": 3, "mixed": true}));
    let one = app.json("/api/v1/entities/group.all").await;
    assert_eq!((&one["members"], &one["settable"], &one["device"]), (&json!({"on": 1, "total": 3, "mixed": true}), &json!(true), &json!("group")));
    assert!(app.get("/").await.contains("Mixed · 1 of 3 on"));
    assert!(app.get("/devices/group").await.contains("All lamps"));
    assert_eq!(app.json("/api/v1/groups").await["items"][0]["entity"]["members"]["on"], 1);
    // It reads no topic, so whoever follows all of them hears its members alone.
    let mut follower = app.viewer().await;
    follower.says(json!({"type": "subscribe", "topics": ["#"]})).await;
    for _ in 0..3 {
        assert_ne!(follower.hears("sensor-update").await["deviceId"], "group");
    }
    follower.says(json!({"type": "ping"})).await;
    while let Some(frame) = follower.next().await {
        assert_ne!(frame["deviceId"], "group");
        if frame["type"] == "pong" {
            break;
        }
    }
    app.restart().await;
    let after = app.json("/api/v1/groups/all").await;
    assert_eq!((&after["members"], &after["entity"]["members"]["on"]), (&json!(["a.light", "b.light", "c.light"]), &json!(1)));
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let snapshot = viewer.hears("snapshot").await;
    assert!(snapshot["entities"].as_array().unwrap().iter().any(|entity| entity["id"] == "group.all"));
    assert_eq!(app.sends("DELETE", "/api/v1/groups/all", "").await.0, 204);
    let gone = viewer.sees("group.all", |change| change["q"] == "unknown").await;
    assert_eq!(gone["v"], Json::Null);
    assert_eq!(app.sends("GET", "/api/v1/entities/group.all", "").await.0, 404);
    app.restart().await;
    assert_eq!(app.json("/api/v1/groups").await["items"], json!([]));
    app.stop().await;
}

#[tokio::test]
async fn a_command_goes_to_every_member_and_names_the_silent_one() {
    let app = TestApp::start().await;
    let (mut viewer, mut device) = lamps(&app, &["a", "b"]).await;
    assert_eq!(app.post("/api/v1/groups", &all(&["a.light", "b.light"])).await.0, 201);
    let (status, sent) = app.post("/api/v1/entities/group.all/command", r#"{"action":"turn_on","brightness":40}"#).await;
    assert_eq!((status, &sent["state"]), (202, &json!("sent")));
    assert_eq!(obey(&mut device, 2, &["a", "b"]).await, ["a", "b"]);
    viewer.sees("group.all", |change| change["v"]["state"] == "on").await;
    let id = sent["id"].as_str().unwrap();
    let ended = soon("the end of the command", until(&app, &format!("/api/v1/commands/{id}"), |report| report["state"] == "confirmed")).await;
    assert_eq!(ended["reason"], Json::Null);

    // Now one says nothing.
    let (_, sent) = app.post("/api/v1/entities/group.all/command", r#"{"action":"turn_off"}"#).await;
    obey(&mut device, 2, &["a"]).await;
    let id = sent["id"].as_str().unwrap();
    let ended = soon("the end of the command", until(&app, &format!("/api/v1/commands/{id}"), |report| report["state"] == "unconfirmed")).await;
    assert!(ended["reason"].as_str().unwrap().starts_with("b.light: no answer in "), "{ended}");
    // Each member's command is a row of its own beside the group's.
    let log = soon(
        "the log",
        until(&app, "/api/v1/activity", |log| {
            // What became of them is written a little later than that they were sent.
            let all = rows(log, "turn_off");
            all.len() == 3 && all.iter().all(|row| row["outcome"] != "sent" && row["outcome"] != "accepted")
        }),
    )
    .await;
    let outcome = |entity: &str| rows(&log, "turn_off").into_iter().find(|row| row["entity"] == entity).unwrap()["outcome"].clone();
    assert_eq!((outcome("group.all"), outcome("a.light"), outcome("b.light")), (json!("unconfirmed"), json!("confirmed"), json!("unconfirmed")));
    app.stop().await;
}

#[tokio::test]
async fn a_group_that_makes_no_sense_is_a_problem_that_names_the_field() {
    let app = TestApp::start().await;
    let (_viewer, mut device) = lamps(&app, &["a"]).await;
    device.publishes("sensors/a/temperature", "1", false).await;
    soon("the sensor", async { while app.sends("GET", "/api/v1/entities/a.temperature", "").await.0 != 200 {} }).await;
    for (body, status, field) in [
        (json!({"name": "All", "members": []}), 422, "members"),
        (json!({"name": "All", "members": ["nobody.light"]}), 422, "members[0]"),
        (json!({"name": "All", "members": ["a.light", "a.temperature"]}), 422, "members[1]"),
        (json!({"name": "All", "members": ["a.light", 5]}), 422, "members[1]"),
        (json!({"name": " ", "members": ["a.light"]}), 422, "name"),
        (json!({"id": "No", "name": "a", "members": ["a.light"]}), 422, "id"),
        (json!({"name": "a", "member": ["a.light"]}), 422, "member"),
    ] {
        let (said, problem) = app.post("/api/v1/groups", &body.to_string()).await;
        assert_eq!((said, &problem["field"]), (status, &json!(field)), "{body}: {problem}");
    }
    assert_eq!(app.post("/api/v1/groups", "{").await.0, 400);
    assert_eq!(app.sends("DELETE", "/api/v1/groups/none", "").await.0, 404);
    let made = json!({"name": "All", "members": ["a.light"]}).to_string();
    assert_eq!(app.post("/api/v1/groups", &made).await.0, 201);
    assert_eq!(app.post("/api/v1/groups", &made).await.0, 409);
    let renamed = json!({"name": "Hall", "members": ["a.light"]}).to_string();
    assert_eq!(app.sends("PUT", "/api/v1/groups/all", &renamed).await.0, 200);
    assert_eq!(app.json("/api/v1/entities/group.all").await["name"], "Hall");
    app.stop().await;
}

#[tokio::test]
async fn viewers_may_look_and_nothing_else() {
    let app = TestApp::start_with(|config| config.auth.anonymous = Some(Role::Viewer)).await;
    for (method, path) in [
        ("POST", "/api/v1/groups"),
        ("PUT", "/api/v1/groups/a"),
        ("DELETE", "/api/v1/groups/a"),
        ("PUT", "/api/v1/scenes/a"),
        ("DELETE", "/api/v1/scenes/a"),
        ("POST", "/api/v1/scenes/a/run"),
        ("PUT", "/api/v1/schedules/a"),
        ("DELETE", "/api/v1/schedules/a"),
        ("POST", "/api/v1/schedules/a/run"),
    ] {
        let body = match path.contains("group") {
            true => json!({"name": "a", "members": ["a.light"]}),
            false if path.contains("scene") => json!({"name": "a", "commands": [{"entity": "a.light", "action": "turn_on"}]}),
            false => json!({"name": "a", "when": {"type": "cron", "cron": "* * * * *"}, "run": {"scene": "a"}}),
        };
        assert_eq!(app.sends(method, path, &body.to_string()).await.0, 403, "{method} {path}");
    }
    for list in ["groups", "scenes", "schedules"] {
        assert_eq!(app.json(&format!("/api/v1/{list}")).await["items"], json!([]));
    }
    app.stop().await;
}

/// The answer once it is as wanted.
pub async fn until(app: &TestApp, path: &str, wanted: impl Fn(&Json) -> bool) -> Json {
    loop {
        let answer = app.json(path).await;
        if wanted(&answer) {
            return answer;
        }
    }
}

/// The rows of the log that say `what`.
pub fn rows(log: &Json, what: &str) -> Vec<Json> {
    log["items"].as_array().unwrap().iter().filter(|row| row["what"] == what).cloned().collect()
}
