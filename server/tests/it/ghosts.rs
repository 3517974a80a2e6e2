//! Devices that are gone and still announced: listed, and cleared only after it was said what that comes to.

use app::backend::Role;
use serde_json::{Value as Json, json};

use crate::devices_page::posts;
use crate::test_app::{Device, TestApp, config_beside, soon};

/// Retained messages of a plain device, in the order of their topics.
fn of(device: &str, n: usize) -> Vec<(String, &'static str)> {
    let measured = (0..n - 1).map(|n| (format!("sensors/{device}/m{n:02}"), "21.5"));
    std::iter::once((format!("devices/{device}/status"), "offline")).chain(measured).collect()
}

async fn retains(device: &mut Device, messages: &[(String, &'static str)]) {
    for (topic, payload) in messages {
        device.publishes(topic, *payload, true).await;
    }
}

/// Waits until a question has an answer.
async fn until(app: &TestApp, what: &str, path: &str, is_it: impl Fn(&Json) -> bool) -> Json {
    soon(what, async {
        loop {
            let answer = app.json(path).await;
            if is_it(&answer) {
                return answer;
            }
        }
    })
    .await
}

const GHOSTS: &str = "/api/v1/ghosts";

/// A server that was started on a broker that retains all of that, and whose operator removed the devices.
async fn haunted(devices: &[(&str, usize)]) -> TestApp {
    let mut app = TestApp::start().await;
    let mut device = app.device().await;
    for (name, n) in devices {
        retains(&mut device, &of(name, *n)).await;
    }
    app.restart().await;
    for (name, n) in devices {
        let path = format!("/api/v1/devices/{name}");
        soon("the device", async { while app.status(&path).await != 200 {} }).await;
        assert_eq!(app.sends("DELETE", &path, "").await.0, 204);
        // The rest of what is retained is heard by now or then.
        until(&app, "all that is retained", GHOSTS, |ghosts| {
            ghosts["items"].as_array().unwrap().iter().any(|ghost| ghost["device"] == *name && ghost["n_topics"] == *n)
        })
        .await;
    }
    app
}

/// The retained messages that a new client is given.
async fn retained(app: &TestApp) -> Vec<String> {
    let (mut late, mut marker) = (app.device().await, app.device().await);
    late.subscribes("#").await;
    marker.publishes("mark", "1", false).await;
    let mut found = vec![];
    loop {
        let (topic, payload, _, retained) = late.receives().await;
        if topic == "mark" {
            found.sort();
            return found;
        }
        assert!(!payload.is_empty(), "{topic}");
        // The server says there that it is there itself.
        if !topic.starts_with("clients/") {
            assert!(retained, "{topic}");
            found.push(topic);
        }
    }
}

#[tokio::test]
async fn a_dry_run_clears_nothing_and_clearing_empties_what_the_broker_retains() {
    let app = haunted(&[("gone", 3)]).await;
    let mut topics: Vec<String> = of("gone", 3).into_iter().map(|(topic, _)| topic).collect();
    let ghosts = app.json(GHOSTS).await;
    let ghost = &ghosts["items"][0];
    assert_eq!((&ghost["reason"], &ghost["topics"], &ghost["bytes"]), (&json!("removed"), &json!(topics), &json!(15)), "{ghosts}");
    assert!(ghost["since"].is_i64() && ghosts["clearing"].is_null() && ghosts["next_cursor"].is_null());
    // Nothing is cleared unless that is said in so many words.
    for body in [r#"{"devices":["gone"]}"#, r#"{"devices":["gone","other","gone"],"dry_run":true}"#] {
        let (status, plan) = app.post("/api/v1/ghosts/clear", body).await;
        assert_eq!(
            (status, &plan["dry_run"], &plan["messages"], &plan["bytes"], &plan["takes_s"]),
            (200, &json!(true), &json!(3), &json!(15), &json!(1))
        );
        let planned: Vec<&str> = plan["topics"].as_array().unwrap().iter().map(|topic| topic["topic"].as_str().unwrap()).collect();
        assert_eq!((planned, &plan["topics"][0]["replayed"]), (topics.iter().map(String::as_str).collect(), &json!(true)));
    }
    topics.sort();
    assert_eq!(retained(&app).await, topics, "a dry run clears nothing");
    for (body, field) in [
        (r#"{"devices":["other"],"dry_run":false}"#, "devices"),
        (r#"{"devices":[],"dry_run":false}"#, "devices"),
        (r#"{"devices":["A b"]}"#, "devices"),
        (r#"{"devices":["gone"],"dry_run":"no"}"#, "dry_run"),
        (r#"{"devices":["gone"],"dry-run":false}"#, "body"),
        (r#"{"devices":[7]}"#, "devices"),
        ("7", "devices"),
    ] {
        let (status, problem) = app.post("/api/v1/ghosts/clear", body).await;
        assert_eq!((status, &problem["field"]), (422, &json!(field)), "{body}: {problem}");
    }
    assert_eq!(app.post("/api/v1/ghosts/clear", r#"{"devices":["gone"],"dry_run":false}"#).await.0, 202);
    let over = until(&app, "the end", GHOSTS, |ghosts| ghosts["clearing"]["state"] == "done" && ghosts["items"] == json!([])).await;
    let clearing = &over["clearing"];
    assert_eq!((&clearing["cleared"], &clearing["failed"], &clearing["spared"]), (&json!(3), &json!(0), &json!({})), "{over}");
    assert_eq!(retained(&app).await, Vec::<String>::new());
    assert_eq!(app.status("/api/v1/devices/gone").await, 404, "what is cleared is no voice of its device");
    let log = until(&app, "the log", "/api/v1/activity?kind=control", |log| log["items"].as_array().unwrap().len() == 2).await;
    let [done, begun] = [&log["items"][0], &log["items"][1]];
    assert_eq!((&begun["what"], &begun["outcome"]), (&json!("message.clearing"), &json!("accepted")), "{log}");
    assert_eq!((&done["what"], &done["who"], &done["outcome"]), (&json!("message.cleared"), &json!("anonymous"), &json!("done")), "{log}");
    assert_eq!((&done["detail"]["cleared"], &done["detail"]["devices"]), (&json!(3), &json!(["gone"])));
    assert!(app.get("/activity?kind=control").await.contains("3 of 3 retained messages cleared"));
    app.stop().await;
}

#[tokio::test]
async fn one_that_comes_back_is_spared_and_there_is_one_clearing_at_a_time() {
    // Two seconds of messages stand in front of those of the one that comes back.
    let app = haunted(&[("a", 40), ("back", 2)]).await;
    let both = r#"{"devices":["a","back"],"dry_run":false}"#;
    let (status, plan) = app.post("/api/v1/ghosts/clear", both).await;
    assert_eq!((status, &plan["messages"], &plan["takes_s"]), (202, &json!(42), &json!(3)));
    assert_eq!(app.post("/api/v1/ghosts/clear", both).await.0, 409);
    let mut device = app.device().await;
    device.publishes("sensors/back/m00", "22", false).await;
    let over = until(&app, "the end", GHOSTS, |ghosts| ghosts["clearing"]["state"] == "done").await;
    let clearing = &over["clearing"];
    assert_eq!((&clearing["cleared"], &clearing["spared"]), (&json!(40), &json!({"back": 2})), "{over}");
    assert_eq!(retained(&app).await, ["devices/back/status", "sensors/back/m00"]);
    assert_eq!(app.status("/api/v1/devices/back").await, 200);
    app.stop().await;
}

#[tokio::test]
async fn a_broker_that_is_away_is_told_topic_by_topic() {
    let broker = TestApp::start().await;
    retains(&mut broker.device().await, &of("gone", 2)).await;
    let folder = tempfile::tempdir().unwrap();
    let config = config_beside(folder.path(), broker.mqtt().port());
    let app = TestApp::start_on(config, folder).await;
    soon("the device", async { while app.status("/api/v1/devices/gone").await != 200 {} }).await;
    assert_eq!(app.sends("DELETE", "/api/v1/devices/gone", "").await.0, 204);
    until(&app, "the ghost", GHOSTS, |ghosts| ghosts["items"][0]["n_topics"] == 2).await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    broker.stop().await;
    while viewer.hears("link").await["state"] == "up" {}
    assert_eq!(app.post("/api/v1/ghosts/clear", r#"{"devices":["gone"],"dry_run":false}"#).await.0, 202);
    let over = until(&app, "the end", GHOSTS, |ghosts| ghosts["clearing"]["state"] == "done").await;
    let clearing = &over["clearing"];
    assert_eq!((&clearing["cleared"], &clearing["failed"]), (&json!(0), &json!(2)), "{over}");
    let failure = json!({"topic": "devices/gone/status", "link": "plant", "reason": "no connection to the broker"});
    assert_eq!(clearing["failures"][0], failure);
    let log = until(&app, "the log", "/api/v1/activity?kind=control", |log| log["items"].as_array().unwrap().len() == 2).await;
    assert_eq!((&log["items"][0]["outcome"], &log["items"][0]["detail"]["failures"][0]), (&json!("failed"), &failure), "{log}");
    app.stop().await;
}

#[tokio::test]
async fn who_is_silent_for_longer_than_the_configuration_says_is_listed_in_pages() {
    let mut app = TestApp::start_with(|config| config.discovery.ghost_after_s = 0).await;
    let mut device = app.device().await;
    for name in ["q1", "q2", "there"] {
        device.publishes(&format!("sensors/{name}/temperature"), "1", true).await;
    }
    device.publishes("devices/there/status", "online", true).await;
    app.restart().await;
    let all = until(&app, "the ghosts", GHOSTS, |ghosts| ghosts["items"].as_array().unwrap().len() == 2).await;
    assert_eq!((&all["items"][0]["device"], &all["items"][0]["reason"]), (&json!("q1"), &json!("silent")), "{all}");
    let first = app.json("/api/v1/ghosts?limit=1").await;
    let next = first["next_cursor"].as_str().unwrap();
    let second = app.json(&format!("/api/v1/ghosts?limit=1&cursor={next}")).await;
    assert_eq!((&second["items"][0]["device"], &second["next_cursor"]), (&json!("q2"), &Json::Null));
    assert_eq!(app.status("/api/v1/ghosts?cursor=x").await, 422);
    app.stop().await;
}

#[tokio::test]
async fn the_page_says_what_would_be_cleared_before_it_has_a_button_for_it() {
    let app = haunted(&[("gone", 2)]).await;
    let html = app.get("/devices").await;
    assert!(html.contains("Ghosts (1)") && html.contains("Dry run") && !html.contains("/fn/ghosts_clear"), "{html}");
    let html = app.get("/devices?dry=gone").await;
    for words in ["2 retained messages of 1 device would be cleared, 11 bytes", "Clear 2 messages", "/fn/ghosts_clear", "devices/gone/status"] {
        assert!(html.contains(words), "{words}: {html}");
    }
    assert!(app.get("/devices?dry=no%3Cb%3E").await.contains("&lt;b&gt;"));
    let (status, to) = posts(&app, "/fn/ghosts_clear", &[("devices[]", "gone"), ("back", "/devices?sort=seen")]).await;
    assert!(status == 302 && to.starts_with("/devices?sort=seen&done="), "{status} {to}");
    assert!(app.get(&to).await.contains("Clearing 2 retained messages."));
    until(&app, "the end", GHOSTS, |ghosts| ghosts["clearing"]["state"] == "done" && ghosts["items"] == json!([])).await;
    assert!(!app.get("/devices").await.contains("Ghosts ("));
    app.stop().await;
}

#[tokio::test]
async fn viewers_look_and_clear_nothing() {
    let app = TestApp::start_with(|config| config.auth.anonymous = Some(Role::Viewer)).await;
    assert_eq!(app.json(GHOSTS).await, json!({"items": [], "next_cursor": null, "clearing": null}));
    for body in [r#"{"devices":["a"]}"#, r#"{"devices":["a"],"dry_run":false}"#] {
        assert_eq!(app.post("/api/v1/ghosts/clear", body).await.0, 403, "{body}");
    }
    assert_eq!(posts(&app, "/fn/ghosts_clear", &[("devices[]", "a"), ("back", "/devices")]).await.0, 403);
    app.stop().await;
}
