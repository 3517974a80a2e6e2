//! The WebSocket, as programs use it.

use domain::alarm::Severity;
use domain::entity::EntityId;
use domain::rule::{Condition, Rule};
use rumqttc::{LastWill, QoS};
use serde_json::json;

use crate::test_app::{Device, TestApp, Viewer};

#[tokio::test]
async fn the_first_frame_is_hello() {
    let app = TestApp::start().await;
    for path in ["/live", "/dashboard"] {
        let viewer = Viewer::connect(app.http(), path).await;
        assert_eq!((&viewer.hello["role"], viewer.hello["session"].as_str().map(str::len)), (&json!("operator"), Some(32)));
    }
    app.stop().await;
}

#[tokio::test]
async fn a_new_sensor_appears_whole_and_turns_offline_when_its_device_dies() {
    let app = TestApp::start().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    viewer.hears("snapshot").await;
    let mut device = Device::connect_with(app.mqtt(), |options| {
        options.set_last_will(LastWill::new("devices/temp-sensor-001/status", "offline", QoS::AtLeastOnce, true));
    })
    .await;
    device.publishes("devices/temp-sensor-001/status", "online", true).await;
    device.publishes("sensors/temp-sensor-001/temperature", "21.3", true).await;
    let change = viewer.sees("temp-sensor-001.temperature", |change| change["v"] == 21.3).await;
    assert_eq!((&change["q"], &change["entity"]["unit"], &change["entity"]["name"]), (&json!("good"), &json!("°C"), &json!("Temperature")));
    device.dies();
    let change = viewer.sees("temp-sensor-001.temperature", |change| change["q"] == "offline").await;
    assert_eq!(change["v"], 21.3);
    app.stop().await;
}

#[tokio::test]
async fn a_topic_filter_gives_the_current_value_then_every_message() {
    let app = TestApp::start().await;
    let mut device = app.device().await;
    device.publishes("sensors/a/temperature", "1", false).await;
    let mut first = app.viewer().await;
    first.says(json!({"type": "subscribe", "entities": ["a.temperature"]})).await;
    if first.hears("snapshot").await["entities"][0]["v"] != 1.0 {
        first.sees("a.temperature", |change| change["v"] == 1.0).await;
    }
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "topics": ["sensors/+/temperature", "commands/#"]})).await;
    let update = viewer.hears("sensor-update").await;
    assert_eq!((&update["deviceId"], &update["value"], &update["snapshot"]), (&json!("a"), &json!(1.0), &json!(true)));
    for n in [2.0, 3.0, 4.0] {
        device.publishes("sensors/a/temperature", n.to_string(), false).await;
    }
    for n in [2.0, 3.0, 4.0] {
        let update = viewer.hears("sensor-update").await;
        assert_eq!((&update["value"], update.get("snapshot")), (&json!(n), None));
    }
    device.publishes("sensors/new/temperature", "9", false).await;
    assert_eq!(viewer.hears("sensor-update").await["entityId"], "new.temperature");
    device.publishes("commands/a", "restart", false).await;
    let message = viewer.hears("mqtt-message").await;
    assert_eq!((&message["topic"], &message["payload"]), (&json!("commands/a"), &json!("restart")));
    device.publishes("commands/a", vec![0xff, 0x00], false).await;
    let message = viewer.hears("mqtt-message").await;
    assert_eq!((message.get("payload"), &message["payloadBase64"]), (None, &json!("/wA=")));
    viewer.says(json!({"type": "unsubscribe", "topics": ["commands/#"]})).await;
    device.publishes("commands/a", "again", false).await;
    device.publishes("sensors/a/temperature", "5", false).await;
    assert_eq!(viewer.next().await.unwrap()["value"], 5.0);
    app.stop().await;
}

#[tokio::test]
async fn whoever_begins_to_follow_a_busy_topic_misses_nothing_and_hears_nothing_twice() {
    const LAST: u16 = 3_000;
    let app = TestApp::start().await;
    let mut device = app.device().await;
    device.publishes("sensors/a/count", "0", false).await;
    let mut first = app.viewer().await;
    first.says(json!({"type": "subscribe", "topics": ["sensors/a/count"]})).await;
    assert_eq!(first.hears("sensor-update").await["value"], 0.0);
    let follow = async {
        for _ in 0..20 {
            let mut viewer = app.viewer().await;
            viewer.says(json!({"type": "subscribe", "topics": ["sensors/+/count"]})).await;
            let mut heard: Vec<f64> = vec![];
            while heard.len() < 20 && heard.last() != Some(&f64::from(LAST)) {
                let update = viewer.hears("sensor-update").await;
                assert_eq!(update["snapshot"] == true, heard.is_empty());
                heard.push(update["value"].as_f64().unwrap());
            }
            assert!(heard.windows(2).all(|pair| pair[1] == pair[0] + 1.0), "{heard:?}");
        }
    };
    tokio::join!(device.bursts("sensors/a/count", (1..=LAST).map(|n| n.to_string())), follow);
    for n in 1..=LAST {
        assert_eq!(first.hears("sensor-update").await["value"], f64::from(n));
    }
    app.stop().await;
}

#[tokio::test]
async fn every_viewer_sees_the_newest_value_once_whenever_it_came_and_whatever_it_follows() {
    const LAST: u16 = 2_000;
    let app = TestApp::start().await;
    let mut device = app.device().await;
    device.publishes("sensors/a/count", "0", false).await;
    device.publishes("sensors/b/count", "0", false).await;
    let look = async |entities: &[&str]| {
        let mut viewer = app.viewer().await;
        viewer.says(json!({"type": "subscribe", "entities": entities})).await;
        let snapshot = viewer.hears("snapshot").await;
        let of_a =
            |of: &serde_json::Value, id: &str| of.as_array().unwrap().iter().find(|one| one[id] == "a.count").map(|one| one["v"].as_f64().unwrap());
        let (mut seen, mut seq) = (vec![of_a(&snapshot["entities"], "id").unwrap()], snapshot["seq"].as_u64().unwrap());
        while seen.last() != Some(&f64::from(LAST)) {
            let frame = viewer.hears("changes").await;
            assert!(frame["seq"].as_u64() > Some(seq), "{frame} after {seq}");
            seq = frame["seq"].as_u64().unwrap();
            seen.extend(of_a(&frame["c"], "e"));
        }
        // A snapshot may hold what the first frame of changes says again.
        assert!(seen[1..].windows(2).all(|pair| pair[1] > pair[0]) && seen.get(1).is_none_or(|first| *first >= seen[0]), "{seen:?}");
    };
    let several = async {
        for _ in 0..5 {
            tokio::join!(look(&["*"]), look(&["a.count"]), look(&["b.count", "a.count"]));
        }
    };
    // Whoever comes after the last value is sent it with the snapshot.
    tokio::join!(
        device.bursts("sensors/a/count", (1..=LAST).map(|n| n.to_string())),
        tokio::time::timeout(std::time::Duration::from_secs(60), several)
    )
    .1
    .unwrap();
    app.stop().await;
}

#[tokio::test]
async fn a_publish_reaches_the_broker_with_qos_1_not_retained() {
    let app = TestApp::start().await;
    let mut lamp = app.device().await;
    lamp.subscribes("control/#").await;
    let mut viewer = Viewer::connect(app.http(), "/dashboard").await;
    viewer.says(json!({"type": "publish", "topic": "control/lights/living-room", "payload": {"state": "on", "brightness": 80}, "id": "a1"})).await;
    let (topic, payload, qos, retained) = lamp.receives().await;
    let payload: serde_json::Value = serde_json::from_str(&payload).unwrap();
    assert_eq!((topic.as_str(), payload, qos, retained), ("control/lights/living-room", json!({"state": "on", "brightness": 80}), 1, false));
    assert_eq!(viewer.hears("published").await["id"], "a1");
    for bad in ["control/+/x", "#", "$SYS/x", ""] {
        viewer.says(json!({"type": "publish", "topic": bad, "payload": "x", "id": "b"})).await;
        let error = viewer.hears("error").await;
        assert_eq!((&error["id"], &error["code"]), (&json!("b"), &json!("bad_topic")), "{bad}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_command_is_followed_until_the_device_confirms_it() {
    let app = TestApp::start().await;
    let mut lamp = app.device().await;
    lamp.subscribes("control/lights/hall").await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    lamp.publishes("state/lights/hall", r#"{"state":"off","brightness":10}"#, true).await;
    viewer.sees("hall.light", |_| true).await;
    viewer.says(json!({"type": "command", "id": "c1", "entity": "hall.light", "action": "turn_on", "brightness": 80})).await;
    assert_eq!(lamp.receives().await.1, r#"{"state":"on","brightness":80}"#);
    for state in ["sent", "accepted"] {
        let frame = viewer.hears("command").await;
        assert_eq!((&frame["id"], &frame["state"]), (&json!("c1"), &json!(state)));
    }
    lamp.publishes("state/lights/hall", r#"{"state":"on","brightness":80}"#, true).await;
    assert_eq!(viewer.hears("command").await["state"], "confirmed");
    viewer.says(json!({"type": "command", "id": "c2", "entity": "hall.light", "action": "turn_on", "brightness": 300})).await;
    assert_eq!(viewer.hears("error").await["id"], "c2");
    viewer.says(json!({"type": "command", "id": "c3", "entity": "nothing.light", "action": "turn_off"})).await;
    let frame = viewer.hears("command").await;
    assert_eq!((&frame["id"], &frame["state"]), (&json!("c3"), &json!("refused")));
    assert!(frame["reason"].as_str().unwrap().contains("nothing.light"));
    app.stop().await;
}

#[tokio::test]
async fn a_dropped_session_goes_on_where_it_was() {
    let app = TestApp::start().await;
    let mut device = app.device().await;
    device.publishes("sensors/a/temperature", "1", false).await;
    let mut viewer = app.viewer().await;
    let session = viewer.hello["session"].clone();
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let seq = viewer.hears("snapshot").await["seq"].clone();
    drop(viewer);
    device.publishes("sensors/a/temperature", "2", false).await;
    // The server notices the drop by itself; until then the session is unknown, and the answer is a snapshot that holds the same.
    let mut again = app.viewer().await;
    again.says(json!({"type": "resume", "session": session, "seq": seq})).await;
    loop {
        let frame = again.next().await.unwrap();
        let changes = frame["c"].as_array().or_else(|| frame["entities"].as_array()).cloned().unwrap_or_default();
        if changes.iter().any(|change| change["v"] == 2.0) {
            break;
        }
    }
    let mut unknown = app.viewer().await;
    unknown.says(json!({"type": "resume", "session": "nobody", "seq": 5})).await;
    assert_eq!(unknown.hears("snapshot").await["entities"][0]["id"], "a.temperature");
    app.stop().await;
}

#[tokio::test]
async fn bad_frames_are_answered_and_only_the_worst_end_the_connection() {
    let app = TestApp::start().await;
    let mut viewer = app.viewer().await;
    for bad in [r#"{"type":"ping","id":"x","more":1}"#, r#"{"type":"nothing","id":"x"}"#, r#"{"type":"subscribe","topics":["a/#/b"],"id":"x"}"#] {
        viewer.says_text(bad).await;
        assert_eq!(viewer.hears("error").await["id"], "x", "{bad}");
    }
    viewer.says_text("[1]").await;
    viewer.hears("error").await;
    viewer.says(json!({"type": "ping"})).await;
    viewer.hears("pong").await;
    viewer.says_text("{").await;
    viewer.hears("error").await;
    assert_eq!(viewer.next().await, None);
    let mut talkative = app.viewer().await;
    for _ in 0..200 {
        talkative.says(json!({"type": "ping"})).await;
    }
    assert_eq!(talkative.hears("error").await["code"], "too_frequent");
    app.stop().await;
}

#[tokio::test]
async fn pages_of_other_sites_get_no_socket() {
    let app = TestApp::start().await;
    let own = format!("http://{}", app.http());
    for (origin, status) in [(own.as_str(), 101), ("http://evil.example", 403), ("null", 403)] {
        assert_eq!(Viewer::status_from(app.http(), origin).await, status, "{origin}");
    }
    app.stop().await;
}

#[tokio::test]
async fn an_alarm_is_told_acknowledged_and_kept_over_a_restart() {
    let rule = Rule {
        id: "hot".into(),
        name: String::new(),
        entity: EntityId::parse("a.temperature").unwrap(),
        condition: Condition::Above { limit: 30.0 },
        severity: Severity::Critical,
        hysteresis: 1.0,
        message: "too hot".into(),
    };
    let mut app = TestApp::start_with(|config| config.rules.push(rule)).await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut device = app.device().await;
    device.publishes("sensors/a/temperature", "31", false).await;
    let alert = viewer.hears("alert").await;
    assert_eq!(
        (&alert["id"], &alert["state"], &alert["message"], &alert["entityId"]),
        (&json!("hot"), &json!("unacked"), &json!("too hot"), &json!("a.temperature"))
    );
    drop(device);
    app.restart().await;
    let alarms = app.json("/api/v1/alarms").await;
    assert_eq!((&alarms["items"][0]["state"], &alarms["items"][0]["since"]), (&json!("unacked"), &alert["ts"]));
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    viewer.hears("snapshot").await;
    viewer.says(json!({"type": "ack", "alarm": "hot"})).await;
    assert_eq!(viewer.hears("alert").await["state"], "acked");
    app.device().await.publishes("sensors/a/temperature", "29", false).await;
    assert_eq!(viewer.hears("alert").await["state"], "normal");
    app.stop().await;
}
