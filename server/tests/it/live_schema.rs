//! Every frame of the WebSocket is what its schema says: real ones from the server, and those that it takes.

use std::collections::BTreeSet;

use domain::entity::EntityKind;
use jsonschema::Validator;
use serde_json::{Value as Json, json};

use crate::openapi::things;
use crate::test_app::{TestApp, soon};

/// The schema of what comes from the server, or goes to it.
fn side(schema: &Json, side: &str) -> Validator {
    jsonschema::validator_for(&json!({"$ref": format!("#/$defs/{side}"), "$defs": schema["$defs"]})).unwrap()
}

/// The values of `type` that a side knows.
fn types(schema: &Json, side: &str) -> BTreeSet<String> {
    fn look(schema: &Json, found: &mut BTreeSet<String>) {
        match schema {
            Json::Object(fields) => {
                if let Some(word) = fields.get("properties").and_then(|properties| properties["type"]["enum"][0].as_str()) {
                    found.insert(word.to_owned());
                }
                fields.values().for_each(|schema| look(schema, found));
            }
            Json::Array(items) => items.iter().for_each(|schema| look(schema, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    look(&schema["$defs"][side], &mut found);
    found
}

#[tokio::test]
async fn every_frame_from_the_server_is_as_described() {
    let app = TestApp::start_with(|config| {
        let rule = json!({"id": "hot", "entity": "a.temperature", "condition": {"type": "above", "limit": 30}, "severity": "critical"});
        config.rules.push(serde_json::from_value(rule).unwrap());
        config.declared = things(&[EntityKind::Cover, EntityKind::Climate]);
    })
    .await;
    let schema = app.json("/api/v1/live.schema.json").await;
    let (server, expected) = (side(&schema, "ServerFrame"), types(&schema, "ServerFrame"));
    let mut viewer = app.viewer().await;
    let mut device = app.device().await;
    device.publishes("state/lights/hall", r#"{"state":"on","brightness":40,"color":{"r":1,"g":2,"b":3},"effect":"Rainbow"}"#, true).await;
    device.publishes("plant/cover/is", r#"{"state":"opening","position":40}"#, true).await;
    device.publishes("plant/climate/is", r#"{"mode":"heat","temperature":21.5,"current_temperature":19}"#, true).await;
    device.publishes("sensors/a/temperature", "21", true).await;
    soon("the light", async { while app.json("/api/v1/entities").await["items"].as_array().is_none_or(|items| items.len() < 4) {} }).await;
    assert_eq!(app.post("/api/v1/groups", r#"{"name":"All","members":["hall.light"]}"#).await.0, 201);
    viewer.says(json!({"type": "subscribe", "entities": ["*"], "topics": ["#"]})).await;
    viewer.says(json!({"type": "ping"})).await;
    viewer.says(json!({"type": "publish", "topic": "some/where/else/entirely", "payload": {"a": 1}, "id": "p"})).await;
    viewer.says(json!({"type": "command", "id": "c", "entity": "hall.light", "action": "turn_off"})).await;
    viewer.says(json!({"type": "command", "id": "d", "entity": "no.such", "action": "turn_off"})).await;
    viewer.says(json!({"type": "nonsense", "id": "e"})).await;
    viewer.says(json!({"type": "resume", "session": viewer.hello["session"].clone(), "seq": 0})).await;
    device.publishes("raw/bytes", vec![0xff, 0xfe], false).await;
    device.publishes("sensors/a/temperature", "31", true).await;
    device.publishes("sensors/a/door", "open", true).await;
    assert_eq!(app.patch("/api/v1/entities/a.temperature", r#"{"area":"attic"}"#).await.0, 200);
    let mut seen = BTreeSet::new();
    let hello = viewer.hello.clone();
    let mut check = |frame: Json| {
        let errors: Vec<String> = server.iter_errors(&frame).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{frame:#}");
        seen.insert(frame["type"].as_str().unwrap().to_owned());
        seen.clone()
    };
    check(hello);
    // The figures of a link are told within ten seconds of the messages that went through it.
    soon("a frame of every type", async { while check(viewer.next().await.unwrap()) != expected {} }).await;
    for frame in [json!({"type": "hello"}), json!({"type": "pong", "now": "soon"}), json!({"type": "nothing"}), json!([])] {
        assert!(!server.is_valid(&frame), "{frame}");
    }
    app.stop().await;
}

#[tokio::test]
async fn the_schema_and_the_server_take_the_same_frames() {
    let app = TestApp::start().await;
    let schema = app.json("/api/v1/live.schema.json").await;
    let client = side(&schema, "ClientFrame");
    let good = [
        json!({"type": "subscribe", "topics": ["sensors/+/temperature"]}),
        json!({"type": "subscribe", "entities": ["*"], "id": "1"}),
        json!({"type": "unsubscribe", "topics": ["a"], "entities": ["*"]}),
        json!({"type": "publish", "topic": "a/b", "payload": "x"}),
        json!({"type": "publish", "topic": "a/b", "payload": {"state": "on"}, "qos": 1, "id": "a1"}),
        json!({"type": "command", "id": "a2", "entity": "living-room.light", "action": "turn_on", "brightness": 80}),
        json!({"type": "command", "entity": "living-room.light", "action": "toggle"}),
        json!({"type": "command", "entity": "living-room.light", "action": "turn_on", "color": {"r": 1, "g": 2, "b": 3}, "effect": "Rainbow", "transition_s": 2}),
        json!({"type": "command", "entity": "living-room.light", "action": "turn_off", "deliver": "when_online", "expires_s": 60}),
        json!({"type": "command", "entity": "boiler.flow", "action": "set", "value": 41.5}),
        json!({"type": "command", "entity": "boiler.mode", "action": "set", "value": "eco"}),
        json!({"type": "command", "entity": "hall.cover", "action": "set", "position": 40}),
        json!({"type": "command", "entity": "hall.climate", "action": "set", "temperature": 21, "mode": "heat", "fan_mode": "low", "preset": "away"}),
        json!({"type": "command", "entity": "hall.button", "action": "press"}),
        json!({"type": "subscribe", "entities": ["shown"]}),
        json!({"type": "resume", "session": "x", "seq": 1}),
        json!({"type": "resume", "session": "x", "seq": 1, "entities": ["shown"]}),
        json!({"type": "pause"}),
        json!({"type": "ack", "alarm": "x", "note": "y"}),
        json!({"type": "ping"}),
    ];
    let told: BTreeSet<String> = good.iter().map(|frame| frame["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, types(&schema, "ClientFrame"), "a frame of each type is tried");
    let bad = [
        json!({"type": "subscribe", "topics": "a"}),
        json!({"type": "publish", "payload": "x"}),
        json!({"type": "publish", "topic": "a", "payload": "x", "qos": "one"}),
        json!({"type": "command", "entity": "living-room.light"}),
        json!({"type": "command", "entity": "Living Room", "action": "toggle"}),
        json!({"type": "command", "entity": "living-room.light", "action": "explode"}),
        json!({"type": "command", "entity": "living-room.light", "action": "turn_on", "color": {"r": 1}}),
        json!({"type": "command", "entity": "living-room.light", "action": "turn_on", "deliver": "later"}),
        json!({"type": "command", "entity": "boiler.flow", "action": "set", "value": true}),
        json!({"type": "resume", "session": "x"}),
        json!({"type": "explode"}),
        json!({}),
        json!([]),
    ];
    let mut viewer = app.viewer().await;
    for (frames, is_good) in [(&good[..], true), (&bad[..], false)] {
        for frame in frames {
            assert_eq!(client.is_valid(frame), is_good, "the schema: {frame}");
            viewer.says(frame.clone()).await;
            viewer.says(json!({"type": "ping"})).await;
            // What the server could not read it says before the next answer.
            let mut is_read = true;
            let mut pongs = 1 + u8::from(frame["type"] == "ping");
            while pongs > 0 {
                let answer = viewer.next().await.unwrap();
                is_read &= answer["code"] != "bad_frame";
                pongs -= u8::from(answer["type"] == "pong");
            }
            assert_eq!(is_read, is_good, "the server: {frame}");
        }
    }
    app.stop().await;
}
