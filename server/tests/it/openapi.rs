//! The description of the REST interface says what is true: every route stands in it, and answers are what it says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use domain::control::Control;
use domain::entity::{EntityId, EntityKind};
use domain::fleet::Declared;
use jsonschema::Validator;
use serde_json::{Value as Json, json};

use crate::test_app::TestApp;

/// Every method and path that stands in a `.route("…", …)` of the server's HTTP code.
fn routes() -> BTreeSet<String> {
    fn look(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look(&path, found);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for route in text.split(".route(\"").skip(1) {
                    let (address, rest) = route.split_once('"').unwrap();
                    let mut open = 1_i32;
                    let end = rest.find(|c| {
                        open += i32::from(c == '(') - i32::from(c == ')');
                        open == 0
                    });
                    for method in ["get", "post", "put", "patch", "delete"] {
                        if rest[..end.unwrap()].replace(".", " ").contains(&format!(" {method}(")) {
                            found.insert(format!("{method} {address}"));
                        }
                    }
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http"), &mut found);
    found
}

fn described(doc: &Json) -> BTreeSet<String> {
    let methods = |(path, item): (&String, &Json)| item.as_object().unwrap().keys().map(|method| format!("{method} {path}")).collect::<Vec<_>>();
    doc["paths"].as_object().unwrap().iter().flat_map(methods).collect()
}

/// What validates an answer of an operation with a status.
fn validator(doc: &Json, operation: &Json, status: u16, content_type: &str) -> Validator {
    let responses = &operation["responses"];
    let response = responses.get(status.to_string()).unwrap_or(&responses["default"]);
    let schema = &response["content"][content_type]["schema"];
    assert!(schema.is_object(), "{content_type} is not described for {status}: {response}");
    validates(doc, schema)
}

fn validates(doc: &Json, schema: &Json) -> Validator {
    let mut whole = json!({"components": doc["components"]});
    whole.as_object_mut().unwrap().extend(schema.as_object().unwrap().clone());
    jsonschema::validator_for(&whole).unwrap()
}

fn check(validator: &Validator, body: &Json, what: &str) {
    let errors: Vec<String> = validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}\n{body:#}");
}

/// Things of those kinds, `plant.<kind>`, as the configuration names them: what a device says of itself makes no others than sensors and lights.
pub fn things(kinds: &[EntityKind]) -> Vec<(EntityId, Declared)> {
    let thing = |&kind: &EntityKind| {
        let control = Control { min: Some(5.0), max: Some(60.0), step: Some(0.5), options: vec!["heat".into(), "off".into()], ..Control::default() };
        let topic = |end: &str| format!("plant/{}/{end}", kind.as_str());
        let declared = Declared { kind, command_topic: topic("set"), state_topic: Some(topic("is")), link: None, control };
        (EntityId::parse(&format!("plant.{}", kind.as_str())).unwrap(), declared)
    };
    kinds.iter().map(thing).collect()
}

#[tokio::test]
async fn every_route_is_described_and_nothing_else_is() {
    let app = TestApp::start().await;
    let doc = app.json("/api/v1/openapi.json").await;
    let (routes, described) = (routes(), described(&doc));
    assert!(routes.len() > 30, "{routes:?}");
    let missing: Vec<_> = routes.difference(&described).collect();
    assert!(missing.is_empty(), "not described; see server/src/http/api/doc.rs: {missing:?}");
    let gone: Vec<_> = described.difference(&routes).collect();
    assert!(gone.is_empty(), "described, but no route: {gone:?}");
    assert_eq!(doc["openapi"], "3.1.0");
    app.stop().await;
}

#[tokio::test]
async fn answers_are_what_is_described_and_errors_are_problems() {
    let app = TestApp::start_with(|config| {
        let rule = json!({"id": "hot", "entity": "a.temperature", "condition": {"type": "above", "limit": 30}, "severity": "critical"});
        config.rules.push(serde_json::from_value(rule).unwrap());
        config.declared = things(&[EntityKind::Cover, EntityKind::Climate, EntityKind::Number, EntityKind::Select]);
    })
    .await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut device = app.device().await;
    device.publishes("state/lights/hall", r#"{"state":"on","brightness":40,"color":{"r":1,"g":2,"b":3},"effect":"Rainbow"}"#, true).await;
    device.publishes("state/lights/stairs", "off", true).await;
    device.publishes("state/lights/attic", "off", true).await;
    device.publishes("plant/cover/is", r#"{"state":"opening","position":40}"#, true).await;
    device.publishes("plant/climate/is", r#"{"mode":"heat","temperature":21.5,"current_temperature":19}"#, true).await;
    device.publishes("devices/ghost/status", "offline", true).await;
    device.publishes("sensors/a/mode", "auto", true).await;
    device.publishes("sensors/a/door", "open", true).await;
    device.publishes("home/hall/humidity", "40", true).await;
    device.publishes("sensors/a/temperature", r#"{"value":31,"ts":1700000000000}"#, true).await;
    let alarm = viewer.hears("alert").await["id"].as_str().unwrap().to_owned();
    let doc = app.json("/api/v1/openapi.json").await;
    let sent = app.post("/api/v1/entities/hall.light/command", r#"{"action":"turn_off"}"#).await.1;
    let at = r#"{"entity":"a.temperature","t":1700000000000}"#;
    let fill = r#"{"entity":"a.temperature","t":[1600000000000,"2020-09-13T12:26:41Z"],"v":[1,2]}"#;
    let command = format!("/api/v1/commands/{}", sent["id"].as_str().unwrap());
    let queued = app.post("/api/v1/entities/attic.light/command", r#"{"action":"turn_on","deliver":"when_online","expires_s":60}"#).await.1;
    let queued = format!("/api/v1/commands/{}", queued["id"].as_str().unwrap());
    let scene = r#"{"name":"Night","commands":[{"entity":"stairs.light","action":"turn_off"},{"entity":"plant.cover","action":"set","position":0}]}"#;
    let schedule =
        r#"{"name":"Late","enabled":false,"when":{"type":"cron","cron":"0 23 * * *"},"run":{"entity":"stairs.light","action":"turn_off"}}"#;
    assert_eq!(app.sends("PUT", "/api/v1/scenes/late", scene).await.0, 201);
    assert_eq!(app.sends("PUT", "/api/v1/schedules/late", schedule).await.0, 201);
    let run_of = async |path: &str| format!("{path}s/{}", app.post(path, "").await.1["id"].as_str().unwrap());
    let (scene_run, schedule_run) = (run_of("/api/v1/scenes/late/run").await, run_of("/api/v1/schedules/late/run").await);
    let (one_alarm, ack) = (format!("/api/v1/alarms/{alarm}"), format!("/api/v1/alarms/{alarm}/ack"));
    // What is asked, as which operation, with which body, and the status.
    let asked: Vec<(&str, &str, &str, &str, u16)> = vec![
        ("get", "/api/v1/entities", "/api/v1/entities?limit=200", "", 200),
        ("get", "/api/v1/entities", "/api/v1/entities?limit=many", "", 400),
        ("get", "/api/v1/entities/{id}", "/api/v1/entities/hall.light", "", 200),
        ("get", "/api/v1/entities/{id}", "/api/v1/entities/none.none", "", 404),
        ("patch", "/api/v1/entities/{id}", "/api/v1/entities/hall.light", r#"{"name":"Lamp","area":"hall","hidden":true}"#, 200),
        ("patch", "/api/v1/entities/{id}", "/api/v1/entities/hall.light", r#"{"name":7}"#, 422),
        ("get", "/api/v1/devices", "/api/v1/devices", "", 200),
        ("get", "/api/v1/devices/{id}", "/api/v1/devices/a", "", 200),
        ("get", "/api/v1/devices/{id}", "/api/v1/devices/none", "", 404),
        ("patch", "/api/v1/devices/{id}", "/api/v1/devices/a", r#"{"name":"Node"}"#, 200),
        ("get", "/api/v1/areas", "/api/v1/areas", "", 200),
        ("get", "/api/v1/areas/{id}", "/api/v1/areas/hall", "", 200),
        ("get", "/api/v1/areas/{id}", "/api/v1/areas/none", "", 404),
        ("patch", "/api/v1/areas/{id}", "/api/v1/areas/hall", r#"{"name":"Entrance"}"#, 200),
        ("get", "/api/v1/entities/{id}/why", "/api/v1/entities/hall.light/why", "", 200),
        ("get", "/api/v1/entities/{id}/why", "/api/v1/entities/none.at_all/why", "", 404),
        ("post", "/api/v1/entities/{id}/command", "/api/v1/entities/hall.light/command", r#"{"action":"turn_on","brightness":80}"#, 202),
        ("post", "/api/v1/entities/{id}/command", "/api/v1/entities/hall.light/command", r#"{"action":"explode"}"#, 422),
        ("post", "/api/v1/entities/{id}/command", "/api/v1/entities/hall.light/command", r#"{"action":"turn_on","brightness":"high"}"#, 422),
        ("post", "/api/v1/entities/{id}/command", "/api/v1/entities/hall.light/command", r#"{"action":"turn_on","color":{"r":1}}"#, 422),
        ("post", "/api/v1/entities/{id}/command", "/api/v1/entities/hall.light/command", r#"{"action":"toggle","deliver":"later"}"#, 422),
        (
            "post",
            "/api/v1/entities/{id}/command",
            "/api/v1/entities/hall.light/command",
            r#"{"action":"turn_on","brightness":80,"color":{"r":255,"g":0,"b":9},"effect":"Rainbow","transition_s":1.5}"#,
            202,
        ),
        ("post", "/api/v1/entities/{id}/command", "/api/v1/entities/plant.cover/command", r#"{"action":"set","position":40}"#, 202),
        ("post", "/api/v1/entities/{id}/command", "/api/v1/entities/plant.cover/command", r#"{"action":"stop"}"#, 202),
        (
            "post",
            "/api/v1/entities/{id}/command",
            "/api/v1/entities/plant.climate/command",
            r#"{"action":"set","temperature":21,"mode":"heat"}"#,
            202,
        ),
        ("post", "/api/v1/entities/{id}/command", "/api/v1/entities/plant.number/command", r#"{"action":"set","value":41.5}"#, 202),
        ("post", "/api/v1/entities/{id}/command", "/api/v1/entities/plant.number/command", r#"{"action":"set","value":true}"#, 422),
        ("post", "/api/v1/entities/{id}/command", "/api/v1/entities/plant.select/command", r#"{"action":"set","value":"heat"}"#, 202),
        ("get", "/api/v1/commands", "/api/v1/commands", "", 200),
        ("get", "/api/v1/commands", "/api/v1/commands?state=queued&limit=1", "", 200),
        ("get", "/api/v1/commands", "/api/v1/commands?state=lost", "", 400),
        ("get", "/api/v1/commands", "/api/v1/commands?limit=many", "", 400),
        ("delete", "/api/v1/commands/{id}", &queued, "", 200),
        ("delete", "/api/v1/commands/{id}", &queued, "", 409),
        ("delete", "/api/v1/commands/{id}", "/api/v1/commands/none", "", 404),
        ("get", "/api/v1/commands/{id}", &command, "", 200),
        ("get", "/api/v1/commands/{id}", "/api/v1/commands/none", "", 404),
        ("get", "/api/v1/history", "/api/v1/history?entities=a.temperature,a.mode,a.door,hall.light&from=1500000000000", "", 200),
        ("get", "/api/v1/history", "/api/v1/history?entities=a.temperature&from=2&to=1", "", 422),
        ("get", "/api/v1/activity.csv", "/api/v1/activity.csv?limit=5", "", 422),
        ("get", "/api/v1/history.csv", "/api/v1/history.csv?entities=a.temperature&resolution=fine", "", 422),
        ("post", "/api/v1/history", "/api/v1/history", fill, 200),
        ("post", "/api/v1/history", "/api/v1/history", "{}", 400),
        ("post", "/api/v1/history.csv", "/api/v1/history.csv", "entity,time,value\na.temperature,1600000002000,3\n", 200),
        ("post", "/api/v1/history/exclude", "/api/v1/history/exclude", r#"{"entity":"a.temperature","t":1600000000000}"#, 200),
        ("post", "/api/v1/history/exclude", "/api/v1/history/exclude", "7", 400),
        ("get", "/api/v1/history/excluded", "/api/v1/history/excluded?entities=a.temperature&from=1", "", 200),
        ("post", "/api/v1/history/include", "/api/v1/history/include", r#"{"entity":"a.temperature","t":1600000000000}"#, 200),
        ("post", "/api/v1/history/include", "/api/v1/history/include", at, 404),
        ("get", "/api/v1/activity", "/api/v1/activity", "", 200),
        ("get", "/api/v1/activity", "/api/v1/activity?kind=all", "", 422),
        ("get", "/api/v1/activity", "/api/v1/activity?nonsense=1", "", 400),
        ("post", "/api/v1/groups", "/api/v1/groups", r#"{"name":"Lamps","members":["hall.light","stairs.light"]}"#, 201),
        ("post", "/api/v1/groups", "/api/v1/groups", r#"{"name":"None","members":[]}"#, 422),
        ("put", "/api/v1/groups/{id}", "/api/v1/groups/all", r#"{"id":"all","name":"All","members":["hall.light"]}"#, 201),
        ("put", "/api/v1/groups/{id}", "/api/v1/groups/all", r#"{"name":"All","members":["hall.light","stairs.light"]}"#, 200),
        ("put", "/api/v1/groups/{id}", "/api/v1/groups/all", r#"{"name":"All","members":["hall.light"],"nonsense":1}"#, 422),
        ("post", "/api/v1/groups", "/api/v1/groups", r#"{"id":null,"name":"None","members":["hall.light"]}"#, 422),
        ("get", "/api/v1/groups", "/api/v1/groups", "", 200),
        ("get", "/api/v1/groups/{id}", "/api/v1/groups/all", "", 200),
        ("get", "/api/v1/groups/{id}", "/api/v1/groups/none", "", 404),
        ("get", "/api/v1/entities/{id}", "/api/v1/entities/group.all", "", 200),
        ("delete", "/api/v1/groups/{id}", "/api/v1/groups/all", "", 204),
        ("post", "/api/v1/scenes", "/api/v1/scenes", scene, 201),
        ("post", "/api/v1/scenes", "/api/v1/scenes", r#"{"name":"x","commands":[{"entity":"hall.light","action":"explode"}]}"#, 422),
        ("put", "/api/v1/scenes/{id}", "/api/v1/scenes/night", scene, 200),
        ("put", "/api/v1/scenes/{id}", "/api/v1/scenes/night", r#"{"commands":[]}"#, 422),
        ("post", "/api/v1/scenes/{id}/run", "/api/v1/scenes/night/run", "", 202),
        ("get", "/api/v1/scenes/{id}/runs/{run}", &scene_run, "", 200),
        ("get", "/api/v1/scenes/{id}/runs/{run}", "/api/v1/scenes/night/runs/none", "", 404),
        ("get", "/api/v1/scenes", "/api/v1/scenes?limit=1", "", 200),
        ("get", "/api/v1/scenes", "/api/v1/scenes?limit=many", "", 400),
        ("get", "/api/v1/scenes/{id}", "/api/v1/scenes/late", "", 200),
        ("post", "/api/v1/schedules", "/api/v1/schedules", schedule, 409),
        (
            "put",
            "/api/v1/schedules/{id}",
            "/api/v1/schedules/dusk",
            r#"{"name":"Dusk","when":{"type":"cron","cron":"* * * * *"},"run":{"scene":"night"}}"#,
            201,
        ),
        (
            "put",
            "/api/v1/schedules/{id}",
            "/api/v1/schedules/dusk",
            r#"{"name":"Dusk","when":{"type":"sunset","offset_min":721},"run":{"scene":"night"}}"#,
            422,
        ),
        ("put", "/api/v1/schedules/{id}", "/api/v1/schedules/dusk", r#"{"name":"Dusk","when":{"type":"noon"},"run":{"scene":"night"}}"#, 422),
        ("put", "/api/v1/schedules/{id}", "/api/v1/schedules/dusk", r#"{"name":"Dusk","when":{"type":"cron","cron":"* * * * *"},"run":{}}"#, 422),
        ("post", "/api/v1/schedules/{id}/run", "/api/v1/schedules/late/run", "", 202),
        ("get", "/api/v1/schedules/{id}/runs/{run}", &schedule_run, "", 200),
        ("get", "/api/v1/schedules", "/api/v1/schedules", "", 200),
        ("get", "/api/v1/schedules/{id}", "/api/v1/schedules/late", "", 200),
        ("delete", "/api/v1/schedules/{id}", "/api/v1/schedules/dusk", "", 204),
        (
            "post",
            "/api/v1/schedules",
            "/api/v1/schedules",
            r#"{"name":"Dusk","when":{"type":"cron","cron":"1 1 * * *"},"run":{"scene":"night"}}"#,
            201,
        ),
        ("delete", "/api/v1/scenes/{id}", "/api/v1/scenes/night", "", 409),
        ("delete", "/api/v1/scenes/{id}", "/api/v1/scenes/late", "", 204),
        ("post", "/api/v1/devices/{id}/merge", "/api/v1/devices/attic/merge", r#"{"into":"a"}"#, 200),
        ("post", "/api/v1/devices/{id}/merge", "/api/v1/devices/stairs/merge", r#"{"into":7}"#, 422),
        ("delete", "/api/v1/devices/{id}", "/api/v1/devices/stairs", "", 204),
        ("delete", "/api/v1/devices/{id}", "/api/v1/devices/ghost", "", 204),
        ("get", "/api/v1/ghosts", "/api/v1/ghosts", "", 200),
        ("post", "/api/v1/ghosts/clear", "/api/v1/ghosts/clear", r#"{"devices":["ghost"]}"#, 200),
        ("post", "/api/v1/ghosts/clear", "/api/v1/ghosts/clear", r#"{"devices":["ghost"],"dry_run":false}"#, 202),
        ("post", "/api/v1/ghosts/clear", "/api/v1/ghosts/clear", r#"{"devices":7}"#, 422),
        ("get", "/api/v1/ghosts", "/api/v1/ghosts", "", 200),
        ("get", "/api/v1/ghosts", "/api/v1/ghosts?cursor=x", "", 422),
        ("get", "/api/v1/alarms", "/api/v1/alarms", "", 200),
        ("get", "/api/v1/alarms/{id}", &one_alarm, "", 200),
        ("post", "/api/v1/alarms/{id}/ack", &ack, "{}", 200),
        ("post", "/api/v1/alarms/{id}/ack", "/api/v1/alarms/none/ack", "{}", 404),
        ("get", "/api/v1/brokers", "/api/v1/brokers", "", 200),
        ("get", "/api/v1/retention", "/api/v1/retention", "", 200),
        ("get", "/api/v1/topics", "/api/v1/topics", "", 200),
        ("get", "/api/v1/topics", "/api/v1/topics?cursor=x", "", 422),
        ("get", "/api/v1/topic-patterns", "/api/v1/topic-patterns", "", 200),
        ("put", "/api/v1/topic-patterns", "/api/v1/topic-patterns", r#"{"patterns":["home/{device}/{measure}"]}"#, 200),
        ("put", "/api/v1/topic-patterns", "/api/v1/topic-patterns", r#"{"patterns":[7]}"#, 422),
        (
            "post",
            "/api/v1/topic-patterns/preview",
            "/api/v1/topic-patterns/preview",
            r#"{"patterns":["sensors/{area}/{measure}","plant/{device}/is"],"q":"E","limit":2}"#,
            200,
        ),
        ("post", "/api/v1/topic-patterns/preview", "/api/v1/topic-patterns/preview", r#"{"patterns":["a"],"limit":"many"}"#, 422),
        ("get", "/readyz", "/readyz", "", 200),
    ];
    let mut asked_of: BTreeMap<String, usize> = BTreeMap::new();
    for (method, path, address, body, status) in asked {
        let request = format!(
            "{} {address} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            method.to_uppercase(),
            body.len()
        );
        let (found, head, answer) = app.request(&request).await;
        assert_eq!(found, status, "{method} {address}: {answer}");
        let operation = &doc["paths"][path][method];
        *asked_of.entry(format!("{method} {path}")).or_default() += 1;
        // What is taken is what is described, and what cannot be read is not.
        let asks = &operation["requestBody"]["content"]["application/json"]["schema"];
        if asks.is_object() && (status < 400 || matches!(status, 400 | 422)) {
            let body = serde_json::from_str(body).unwrap();
            assert_eq!(validates(&doc, asks).is_valid(&body), status < 400, "{method} {address} {body}: {asks}");
        }
        if status == 204 {
            assert!(answer.is_empty() && operation["responses"]["204"].is_object(), "{method} {address}");
            continue;
        }
        let kind = if status < 400 { "application/json" } else { "application/problem+json" };
        assert!(head.to_ascii_lowercase().contains(&format!("content-type: {kind}")), "{method} {address}: {head}");
        check(&validator(&doc, operation, status, kind), &serde_json::from_str(&answer).unwrap(), &format!("{method} {address}"));
    }
    // All that answers with JSON was asked.
    let by_json = |operation: &String| {
        let (method, path) = operation.split_once(' ').unwrap();
        let responses = doc["paths"][path][method]["responses"].as_object().unwrap();
        responses.values().any(|response| response["content"].get("application/json").is_some()) && !path.ends_with("openapi.json")
    };
    let unasked: Vec<String> = described(&doc).into_iter().filter(by_json).filter(|operation| !asked_of.contains_key(operation)).collect();
    assert!(unasked.is_empty(), "described, but never asked in this test: {unasked:?}");
    // Where nothing is described, and where the method is none, it is a problem as well.
    let problem = jsonschema::validator_for(&doc["components"]["schemas"]["Problem"]).unwrap();
    for (request, status) in [("GET /api/v1/nothing", 404), ("DELETE /api/v1/entities", 405)] {
        let (found, head, answer) = app.request(&format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        assert!(found == status && head.contains("application/problem+json"), "{request}: {head}");
        check(&problem, &serde_json::from_str(&answer).unwrap(), request);
    }
    app.stop().await;
}
