//! REST, as programs use it.

use serde_json::json;

use crate::link_rig::soon;
use crate::mosquitto::Mosquitto;
use crate::test_app::{Device, TestApp, request_to};

/// A server that knows one sensor with three readings and one light.
async fn app_with_a_sensor() -> TestApp {
    let app = TestApp::start().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut device = app.device().await;
    device.publishes("state/lights/hall", "off", true).await;
    for (n, ts) in [(1, 1_000), (3, 2_000), (2, 61_000)] {
        let ts = 1_700_000_000_000_i64 + ts;
        device.publishes("sensors/a/temperature", format!(r#"{{"value":{n},"ts":{ts}}}"#), false).await;
    }
    viewer.sees("a.temperature", |change| change["v"] == 2.0).await;
    app
}

#[tokio::test]
async fn entities_devices_and_areas_are_listed() {
    let app = app_with_a_sensor().await;
    let entities = app.json("/api/v1/entities?limit=1").await;
    assert_eq!((&entities["items"][0]["id"], &entities["next_cursor"]), (&json!("a.temperature"), &json!("a.temperature")));
    let rest = app.json("/api/v1/entities?limit=200&cursor=a.temperature").await;
    assert_eq!((&rest["items"][0]["id"], &rest["next_cursor"]), (&json!("hall.light"), &json!(null)));
    let one = app.json("/api/v1/entities/a.temperature").await;
    assert_eq!((&one["v"], &one["unit"], &one["kind"], &one["q"]), (&json!(2.0), &json!("°C"), &json!("sensor"), &json!("good")));
    assert_eq!(app.json("/api/v1/devices/hall").await["id"], "hall");
    assert_eq!(app.json("/api/v1/areas").await["items"], json!([]));
    app.stop().await;
}

#[tokio::test]
async fn what_is_stored_is_answered_raw_or_in_buckets() {
    let app = app_with_a_sensor().await;
    let query = "/api/v1/history?entities=a.temperature&from=1700000000000&to=1700000120000";
    let mut series = app.json(query).await["series"][0].clone();
    // The recorder writes within a quarter of a second; asking is the way to see that it has.
    while series["t"].as_array().is_none_or(|t| t.len() < 3) {
        tokio::task::yield_now().await;
        series = app.json(query).await["series"][0].clone();
    }
    assert_eq!((&series["resolution"], &series["last"], &series["n"]), (&json!("raw"), &json!([1.0, 3.0, 2.0]), &json!([1, 1, 1])));
    let buckets = app.json(&format!("{query}&points=2")).await["series"][0].clone();
    assert_eq!(
        (&buckets["min"], &buckets["mean"], &buckets["max"], &buckets["last"], &buckets["n"]),
        (&json!([1.0, 2.0]), &json!([2.0, 2.0]), &json!([3.0, 2.0]), &json!([3.0, 2.0]), &json!([2, 1]))
    );
    app.stop().await;
}

#[tokio::test]
async fn the_past_is_a_table_of_buckets_or_of_every_reading() {
    const N: u64 = 11_000;
    const FROM: u64 = 1_700_000_000_000;
    let app = TestApp::start().await;
    let mut device = app.device().await;
    let value = |n: u64| f64::from(i32::try_from(n % 700).unwrap() - 200) / 10.0;
    for batch in 0..N / 1_000 {
        let rows: Vec<_> = (batch * 1_000..(batch + 1) * 1_000).map(|n| json!({"ts": FROM + n * 250, "values": {"temperature": value(n)}})).collect();
        device.publishes("sensors/a", json!(rows).to_string(), false).await;
    }
    let table = async |query: &str| {
        let request =
            format!("GET /api/v1/history.csv?entities=a.temperature,b.none&from={FROM}&{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let (status, head, body) = app.request(&request).await;
        (status, head, body)
    };
    let all = soon("every reading", async {
        loop {
            let (status, head, body) = table("resolution=raw").await;
            assert_eq!(status, 200, "{body}");
            assert!(head.contains("text/csv; charset=utf-8") && head.contains("signalbox-history.csv"), "{head}");
            if body.matches("a.temperature,").count() == usize::try_from(N).unwrap() {
                return body;
            }
        }
    })
    .await;
    let mut rows = all.lines().filter(|line| line.contains(',')).skip(1);
    assert!(all.contains("entity,time,value\n"));
    assert!(all.contains("a.temperature,2023-11-14T22:13:20.250Z,-19.9\n"), "{}", &all[..200]);
    for n in 0..N {
        let row = rows.next().unwrap();
        assert!(row.ends_with(&format!("Z,{}", value(n))), "{n}: {row}");
    }
    assert_eq!(rows.next(), None);
    let (_, _, buckets) = table(&format!("to={}&points=3", FROM + 2_750_000)).await;
    assert!(buckets.contains("entity,time,min,mean,max,last,n\na.temperature,"), "{buckets}");
    let n_counted: u64 =
        buckets.lines().filter(|line| line.starts_with("a.")).map(|row| row.rsplit(',').next().unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(n_counted, N);
    // In India the clock is half an hour off: so are the buckets.
    let hours = format!("/api/v1/history?entities=a.temperature&from={}&to={}&points=100", FROM - 172_800_000, FROM + 86_400_000);
    let found = app.json(&format!("{hours}&zone=Asia/Kolkata")).await["series"][0].clone();
    let (len, at) = (found["resolution"].as_i64().unwrap(), found["t"][0].as_i64().unwrap());
    assert_eq!((len >= 3_600_000, (at + 19_800_000) % len), (true, 0), "{found}");
    assert_eq!(app.json(&hours).await["series"][0]["t"][0].as_i64().unwrap() % len, 0);
    assert_eq!(table("resolution=fine").await.0, 422);
    app.stop().await;
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_a_problem_that_names_the_field() {
    let app = TestApp::start().await;
    for (query, field) in [
        ("from=5&to=4", "from"),
        ("from=yesterday", "from"),
        ("points=many", "points"),
        ("points=0", "points"),
        ("entities=NO", "entities"),
        ("zone=Mars/Olympus", "zone"),
    ] {
        let (status, head, body) = app.request(&format!("GET /api/v1/history?{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &problem["field"], &problem["status"]), (422, &json!(field), &json!(422)), "{query}");
        assert!(head.contains("application/problem+json"), "{head}");
    }
    for path in ["/api/v1/entities/no.such", "/api/v1/devices/none", "/api/v1/alarms/none", "/api/v1/nonsense", "/api/v1/commands/none"] {
        let (status, ..) = app.request(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        assert_eq!(status, 404, "{path}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_command_is_answered_202_or_says_why_not() {
    let app = app_with_a_sensor().await;
    let (status, sent) = app.post("/api/v1/entities/hall.light/command", r#"{"action":"turn_on","brightness":40}"#).await;
    assert_eq!((status, &sent["state"]), (202, &json!("sent")));
    assert_eq!(app.json(&format!("/api/v1/commands/{}", sent["id"].as_str().unwrap())).await["entity"], "hall.light");
    for (id, body, expected) in [
        ("no.light", r#"{"action":"toggle"}"#, 404),
        ("a.temperature", r#"{"action":"turn_on"}"#, 422),
        ("hall.light", r#"{"action":"turn_on","brightness":101}"#, 422),
        ("hall.light", r#"{"action":"explode"}"#, 422),
        ("hall.light", "{", 422),
    ] {
        assert_eq!(app.post(&format!("/api/v1/entities/{id}/command"), body).await.0, expected, "{id} {body}");
    }
    app.device().await.publishes("devices/hall/status", "offline", true).await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["hall.light"]})).await;
    if viewer.hears("snapshot").await["entities"][0]["q"] != "offline" {
        viewer.sees("hall.light", |change| change["q"] == "offline").await;
    }
    assert_eq!(app.post("/api/v1/entities/hall.light/command", r#"{"action":"turn_off"}"#).await.0, 409);
    app.stop().await;
}

#[tokio::test]
async fn viewers_only_look_and_other_sites_change_nothing() {
    let app = TestApp::start_with(|config| config.auth.anonymous = Some(app::backend::Role::Viewer)).await;
    assert_eq!(app.post("/api/v1/entities/hall.light/command", r#"{"action":"turn_off"}"#).await.0, 403);
    assert_eq!(app.post("/api/v1/alarms/x/ack", "{}").await.0, 403);
    let body = "entity=hall.light&action=turn_on";
    let foreign = format!(
        "POST /fn/command HTTP/1.1\r\nhost: x\r\norigin: http://evil.example\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(app.request(&foreign).await.0, 403);
    app.stop().await;
}

#[tokio::test]
async fn an_outside_broker_is_used_like_the_embedded_one_and_may_come_late() {
    let port = crate::mosquitto::free_port();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signalbox.toml");
    std::fs::write(
        &file,
        format!("auth.anonymous = \"operator\"\nhttp.listen = \"127.0.0.1:0\"\n[[mqtt]]\nname = \"plant\"\nurl = \"mqtt://127.0.0.1:{port}\"\n"),
    )
    .unwrap();
    let args = server::config::ConfigArgs { mode: server::config::Mode::Serve, file: Some(file), flags: vec![] };
    let config = server::config::load(&args, [], folder.path()).unwrap();
    // The broker is down at the start: the server says so and goes on.
    let app = server::application::Application::start(&config, server::application::Play::Real).await.unwrap();
    assert_eq!(app.mqtt_addr(), None);
    let mut viewer = crate::test_app::Viewer::connect(app.http_addr(), "/live").await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    viewer.hears("snapshot").await;
    let mosquitto = Mosquitto::start_on(port);
    while viewer.hears("link").await["state"] != "up" {}
    let mut lamp = Device::connect(([127, 0, 0, 1], mosquitto.port()).into()).await;
    lamp.subscribes("control/#").await;
    lamp.publishes("state/lights/hall", "off", false).await;
    viewer.sees("hall.light", |_| true).await;
    viewer.says(json!({"type": "command", "id": "1", "entity": "hall.light", "action": "turn_on"})).await;
    let (topic, _, qos, retained) = lamp.receives().await;
    assert_eq!((topic.as_str(), qos, retained), ("control/lights/hall", 1, false));
    let asked = || async {
        let answer = request_to(app.http_addr(), "GET /api/v1/brokers HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.2;
        serde_json::from_str::<serde_json::Value>(&answer).unwrap()["items"][0].clone()
    };
    let plant = asked().await;
    assert_eq!((&plant["name"], &plant["address"]), (&json!("plant"), &json!(format!("127.0.0.1:{port}"))));
    assert_eq!((&plant["state"], &plant["protocol"], &plant["error"], &plant["dropped"]), (&json!("up"), &json!("5"), &json!(null), &json!(0)));
    assert!(plant["messages"].as_u64() >= Some(2) && plant["connects"].as_u64() >= Some(2), "{plant}");
    drop(mosquitto);
    // In whichever order: a link does not wait for the frame of changes, nor they for it.
    let (mut down, mut stale) = (false, false);
    while !(down && stale) {
        let frame = viewer.next().await.unwrap();
        down |= frame["type"] == "link" && frame["state"] == "down";
        stale |= frame["c"].as_array().into_iter().flatten().any(|change| change["e"] == "hall.light" && change["q"] == "stale");
    }
    let plant = asked().await;
    assert!(plant["state"] == "down" && plant["error"].as_str().is_some_and(|error| !error.is_empty()), "{plant}");
    viewer.says(json!({"type": "command", "id": "2", "entity": "hall.light", "action": "turn_on"})).await;
    loop {
        let frame = viewer.hears("command").await;
        if frame["id"] == "2" {
            assert_eq!(frame["state"], "refused");
            break;
        }
    }
    app.stop().await;
}
