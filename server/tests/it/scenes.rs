//! Scenes from outside: all commands at once, and what becomes of each.

use serde_json::{Value as Json, json};

use crate::groups::{lamps, obey, rows, until};
use crate::test_app::{TestApp, soon};

fn evening(commands: &Json) -> String {
    json!({"name": "Evening", "commands": commands}).to_string()
}

/// How the members of a run stand, by entity.
fn members(run: &Json) -> Vec<(&str, &str)> {
    run["members"].as_array().unwrap().iter().map(|member| (member["entity"].as_str().unwrap(), member["state"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_scene_asks_all_at_once_and_tells_of_each() {
    let mut app = TestApp::start().await;
    let (_viewer, mut device) = lamps(&app, &["a", "b"]).await;
    let body = evening(&json!([{"entity": "a.light", "action": "turn_on", "brightness": 30}, {"entity": "b.light", "action": "turn_on"}]));
    assert_eq!(app.sends("PUT", "/api/v1/scenes/evening", &body).await.0, 201);
    let (status, run) = app.post("/api/v1/scenes/evening/run", "").await;
    assert_eq!((status, &run["state"], &run["who"]), (202, &json!("sent"), &json!("anonymous")));
    obey(&mut device, 2, &["a", "b"]).await;
    let path = format!("/api/v1/scenes/evening/runs/{}", run["id"].as_str().unwrap());
    let ended = soon("the end of the run", until(&app, &path, |run| run["state"] == "confirmed")).await;
    assert_eq!(members(&ended), [("a.light", "confirmed"), ("b.light", "confirmed")]);
    let log = soon("the log", until(&app, "/api/v1/activity", |log| rows(log, "scene.run").len() == 1 && rows(log, "turn_on").len() == 2)).await;
    let row = &rows(&log, "scene.run")[0];
    assert_eq!((&row["outcome"], &row["who"], &row["detail"]["scene"]), (&json!("confirmed"), &json!("anonymous"), &json!("evening")));
    assert_eq!((rows(&log, "scene.save").len(), rows(&log, "turn_on").len()), (1, 2));
    // What came of it outlives the server.
    app.restart().await;
    let known = app.json("/api/v1/scenes/evening").await;
    assert_eq!((&known["last"]["state"], &known["last"]["id"]), (&json!("confirmed"), &run["id"]));
    assert_eq!(app.json(&path).await["state"], "confirmed");
    app.stop().await;
}

#[tokio::test]
async fn the_member_that_did_not_do_it_is_told() {
    let app = TestApp::start().await;
    let (mut viewer, mut device) = lamps(&app, &["a", "b", "c"]).await;
    device.publishes("devices/c/status", "offline", true).await;
    viewer.sees("c.light", |change| change["q"] == "offline").await;
    let ask = |id: &str| json!({"entity": format!("{id}.light"), "action": "turn_on"});
    assert_eq!(app.sends("PUT", "/api/v1/scenes/evening", &evening(&json!([ask("a"), ask("b"), ask("c")]))).await.0, 201);
    let (_, run) = app.post("/api/v1/scenes/evening/run", "").await;
    obey(&mut device, 2, &["a"]).await;
    let path = format!("/api/v1/scenes/evening/runs/{}", run["id"].as_str().unwrap());
    let ended = soon("the end of the run", until(&app, &path, |run| run["ended"] != Json::Null)).await;
    assert_eq!(members(&ended), [("a.light", "confirmed"), ("b.light", "unconfirmed"), ("c.light", "refused")]);
    assert_eq!((&ended["state"], &ended["members"][2]["reason"]), (&json!("failed"), &json!("c.light is offline")));
    app.stop().await;
}

#[tokio::test]
async fn a_scene_that_makes_no_sense_is_a_problem_that_names_the_field() {
    let app = TestApp::start().await;
    let (_viewer, _device) = lamps(&app, &["a"]).await;
    let ok = json!({"entity": "a.light", "action": "turn_on"});
    for (body, field) in [
        (evening(&json!([])), "commands"),
        (evening(&json!([ok, {"entity": "b.light", "action": "turn_on"}])), "commands[1].entity"),
        (evening(&json!([{"entity": "a.light", "action": "jump"}])), "commands[0].action"),
        (json!({"commands": [ok]}).to_string(), "name"),
        (json!({"id": "other", "name": "a", "commands": [ok]}).to_string(), "id"),
    ] {
        let (status, problem) = app.sends("PUT", "/api/v1/scenes/evening", &body).await;
        assert_eq!((status, &problem["field"]), (422, &json!(field)), "{body}: {problem}");
    }
    assert_eq!(app.post("/api/v1/scenes/none/run", "").await.0, 404);
    assert_eq!(app.sends("PUT", "/api/v1/scenes/evening", &evening(&json!([ok]))).await.0, 201);
    let schedule = json!({"name": "a", "when": {"type": "cron", "cron": "0 7 * * *"}, "run": {"scene": "evening"}}).to_string();
    assert_eq!(app.sends("PUT", "/api/v1/schedules/a", &schedule).await.0, 201);
    assert_eq!(app.sends("DELETE", "/api/v1/scenes/evening", "").await.0, 409, "a schedule runs it");
    assert_eq!(app.sends("DELETE", "/api/v1/schedules/a", "").await.0, 204);
    assert_eq!(app.sends("DELETE", "/api/v1/scenes/evening", "").await.0, 204);
    app.stop().await;
}
