//! Gaps: a connection that broke, and a page that nobody looked at for a while.

use domain::alarm::Severity;
use domain::entity::EntityId;
use domain::rule::{Condition, Rule};
use serde_json::{Value as Json, json};

use crate::test_app::{TestApp, Viewer, soon};

fn above_30(entity: &str) -> Rule {
    Rule {
        id: entity.replace('.', "-"),
        name: String::new(),
        entity: EntityId::parse(entity).unwrap(),
        condition: Condition::Above { limit: 30.0 },
        severity: Severity::Critical,
        hysteresis: 0.0,
        message: String::new(),
    }
}

async fn with_rules() -> TestApp {
    TestApp::start_with(|config| config.rules.extend(["a.temperature", "b.temperature"].map(above_30))).await
}

/// Everything that a viewer hears up to a frame of one kind, that one last.
async fn until(viewer: &mut Viewer, kind: &str) -> Vec<Json> {
    let mut heard = vec![];
    loop {
        let frame = viewer.next().await.unwrap();
        let is_last = frame["type"] == kind;
        heard.push(frame);
        if is_last {
            return heard;
        }
    }
}

/// Takes a session up. The server notices by itself that its connection is gone, and until then does not know it.
async fn resumed(app: &TestApp, session: &Json, seq: &Json) -> (Viewer, Vec<Json>) {
    soon("the session", async {
        loop {
            let mut viewer = app.viewer().await;
            viewer.says(json!({"type": "resume", "session": session, "seq": seq, "entities": ["nobody.knows"]})).await;
            viewer.says(json!({"type": "ping"})).await;
            let heard = until(&mut viewer, "pong").await;
            if heard.iter().all(|frame| frame["type"] != "snapshot") {
                return (viewer, heard);
            }
        }
    })
    .await
}

fn values(frames: &[Json]) -> Vec<(String, Json, bool)> {
    let changes = frames.iter().filter_map(|frame| frame["c"].as_array()).flatten();
    changes.map(|change| (change["e"].as_str().unwrap().to_owned(), change["v"].clone(), change["entity"].is_object())).collect()
}

#[tokio::test]
async fn after_a_gap_a_viewer_knows_what_came_what_cleared_and_nothing_twice() {
    let app = with_rules().await;
    let mut device = app.device().await;
    let mut viewer = app.viewer().await;
    let session = viewer.hello["session"].clone();
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    device.publishes("sensors/a/temperature", "31", false).await;
    viewer.hears("alert").await;
    viewer.says(json!({"type": "ack", "alarm": "a-temperature"})).await;
    viewer.hears("alert").await;
    device.publishes("sensors/b/temperature", "5", false).await;
    let seq = loop {
        let frame = viewer.hears("changes").await;
        if frame["c"].as_array().unwrap().iter().any(|change| change["e"] == "b.temperature") {
            break frame["seq"].clone();
        }
    };
    drop(viewer);

    let mut witness = app.viewer().await;
    witness.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    for (topic, value) in [("a", "21"), ("b", "32"), ("b", "33"), ("new", "7")] {
        device.publishes(&format!("sensors/{topic}/temperature"), value, false).await;
    }
    witness.sees("new.temperature", |_| true).await;
    let (mut again, heard) = resumed(&app, &session, &seq).await;
    let number = |n: f64| json!(n);
    assert_eq!(
        values(&heard),
        [
            ("a.temperature".to_owned(), number(21.0), false),
            ("b.temperature".to_owned(), number(33.0), false),
            ("new.temperature".to_owned(), number(7.0), true)
        ]
    );
    let told = heard.iter().find(|frame| frame["type"] == "resumed").unwrap();
    let alarms: Vec<&Json> = told["alarms"].as_array().unwrap().iter().map(|alarm| &alarm["id"]).collect();
    assert_eq!(alarms, [&json!("b-temperature")], "the one of a has cleared");
    assert_eq!((&told["links"][0]["state"], told["areas"].is_array()), (&json!("up"), true));

    device.publishes("sensors/b/temperature", "34", false).await;
    let frame = again.hears("changes").await;
    assert_eq!(values(std::slice::from_ref(&frame)), [("b.temperature".to_owned(), number(34.0), false)]);
    assert!(frame["seq"].as_u64() > told["seq"].as_u64());
    app.stop().await;
}

#[tokio::test]
async fn a_command_is_followed_over_a_gap() {
    let app = TestApp::start().await;
    let mut device = app.device().await;
    device.publishes("state/lights/hall", "off", true).await;
    device.subscribes("control/lights/hall").await;
    let mut viewer = app.viewer().await;
    let session = viewer.hello["session"].clone();
    viewer.says(json!({"type": "subscribe", "entities": ["hall.light"]})).await;
    let mut seq = viewer.hears("snapshot").await["seq"].clone();
    if app.json("/api/v1/entities").await["items"].as_array().unwrap().is_empty() {
        seq = viewer.hears("changes").await["seq"].clone();
    }
    viewer.says(json!({"type": "command", "id": "mine", "entity": "hall.light", "action": "turn_on"})).await;
    while viewer.hears("command").await["state"] != "accepted" {}
    drop(viewer);
    let (mut again, heard) = resumed(&app, &session, &seq).await;
    let told = heard.iter().find(|frame| frame["type"] == "command").expect("where the command stands");
    assert_eq!((&told["id"], &told["state"]), (&json!("mine"), &json!("accepted")));
    device.publishes("state/lights/hall", "on", true).await;
    assert_eq!(again.hears("command").await["state"], "confirmed");
    app.stop().await;
}

#[tokio::test]
async fn a_session_that_is_not_known_gets_what_was_asked_for_instead() {
    let app = TestApp::start().await;
    let mut device = app.device().await;
    device.publishes("sensors/a/temperature", "1", false).await;
    device.publishes("sensors/b/temperature", "2", false).await;
    let mut all = app.viewer().await;
    all.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut n = all.hears("snapshot").await["entities"].as_array().unwrap().len();
    while n < 2 {
        n += all.hears("changes").await["c"].as_array().unwrap().len();
    }
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "resume", "session": "nobody", "seq": 1, "entities": ["b.temperature"]})).await;
    let snapshot = viewer.hears("snapshot").await;
    assert_eq!((snapshot["entities"].as_array().map(Vec::len), &snapshot["entities"][0]["id"]), (Some(1), &json!("b.temperature")));
    viewer.hears("areas").await;
    viewer.says(json!({"type": "resume", "session": "nobody", "seq": 1, "entities": ["Not An Id"], "id": "r"})).await;
    assert_eq!(viewer.hears("error").await["id"], "r");
    app.stop().await;
}

#[tokio::test]
async fn while_nobody_looks_values_wait_and_alarms_do_not() {
    let app = with_rules().await;
    let mut device = app.device().await;
    device.publishes("sensors/a/temperature", "1", false).await;
    let mut viewer = app.viewer().await;
    let session = viewer.hello["session"].clone();
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut frame = viewer.hears("snapshot").await;
    if frame["entities"].as_array().unwrap().is_empty() {
        frame = viewer.hears("changes").await;
    }
    let seq = frame["seq"].clone();
    viewer.says(json!({"type": "pause"})).await;
    viewer.says(json!({"type": "ping"})).await;
    viewer.hears("pong").await;
    for value in ["20", "25", "31"] {
        device.publishes("sensors/a/temperature", value, false).await;
    }
    assert_eq!(values(&until(&mut viewer, "alert").await), []);
    device.publishes("sensors/a/temperature", "32", false).await;
    let mut witness = app.viewer().await;
    witness.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    if witness.hears("snapshot").await["entities"][0]["v"] != 32.0 {
        witness.sees("a.temperature", |change| change["v"] == 32.0).await;
    }
    viewer.says(json!({"type": "resume", "session": session, "seq": seq})).await;
    let heard = until(&mut viewer, "resumed").await;
    assert_eq!(values(&heard), [("a.temperature".to_owned(), json!(32.0), false)]);
    assert_eq!(heard.last().unwrap()["alarms"][0]["id"], "a-temperature");
    device.publishes("sensors/a/temperature", "33", false).await;
    viewer.sees("a.temperature", |change| change["v"] == 33.0).await;
    app.stop().await;
}
