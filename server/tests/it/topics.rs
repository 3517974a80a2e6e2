//! The topic explorer and the times of devices, as programs ask for them.

use serde_json::{Value as Json, json};

use crate::test_app::{Device, TestApp, Viewer};

/// A server with a device, and a viewer that follows its entities.
async fn app_with_a_device() -> (TestApp, Device, Viewer) {
    let app = TestApp::start().await;
    let device = app.device().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    (app, device, viewer)
}

fn topics(answer: &Json) -> Vec<&str> {
    answer["items"].as_array().unwrap().iter().filter_map(|item| item["topic"].as_str()).collect()
}

/// Publishes a last message and waits until the server shows it: all that came before it is handled then.
async fn until_handled(device: &mut Device, viewer: &mut Viewer) {
    let mark = fastrand::u32(..);
    device.publishes("zz/end/mark", mark.to_string(), false).await;
    viewer.sees("end.mark", |change| change["v"] == f64::from(mark)).await;
}

#[tokio::test]
async fn topics_are_listed_with_their_last_message_and_who_reads_it() {
    let (app, mut device, mut viewer) = app_with_a_device().await;
    device.publishes("sensors/a/temperature", "20", false).await;
    device.publishes("sensors/a/temperature", "21.5", true).await;
    device.publishes("commands/a", vec![0xff, 0x00], false).await;
    device.publishes("commands/big", "x".repeat(10_000), false).await;
    until_handled(&mut device, &mut viewer).await;
    let all = app.json("/api/v1/topics").await;
    let own: Vec<&str> = topics(&all).into_iter().filter(|topic| !topic.starts_with("clients/")).collect();
    assert_eq!(own, ["commands/a", "commands/big", "sensors/a/temperature", "zz/end/mark"]);
    assert_eq!((&all["next_cursor"], &all["forgotten"]), (&json!(null), &json!(0)));
    let one = &app.json("/api/v1/topics?prefix=sensors/").await["items"][0];
    assert_eq!((&one["payload"], &one["size"], &one["truncated"], &one["qos"]), (&json!("21.5"), &json!(4), &json!(false), &json!(1)));
    assert_eq!((&one["link"], &one["messages"], &one["retained"]), (&json!("embedded"), &json!(2), &json!(false)));
    assert!(one["messages_per_s"].as_f64().is_some_and(|rate| rate > 0.0), "{one}");
    assert_eq!((&one["entities"], &one["bad"]), (&json!(["a.temperature"]), &json!(null)));
    let commands = app.json("/api/v1/topics?prefix=commands/").await;
    let (bytes, big) = (&commands["items"][0], &commands["items"][1]);
    assert_eq!((&bytes["payload"], &bytes["payload_base64"], &bytes["entities"]), (&json!(null), &json!("/wA="), &json!([])));
    assert_eq!((&big["size"], &big["truncated"], big["payload"].as_str().map(str::len)), (&json!(10_000), &json!(true), Some(4_096)));
    app.stop().await;
}

#[tokio::test]
async fn topics_are_paged_in_order_without_a_gap() {
    let (app, mut device, mut viewer) = app_with_a_device().await;
    for n in [3, 1, 4, 0, 2] {
        device.publishes(&format!("commands/{n}"), "x", false).await;
    }
    until_handled(&mut device, &mut viewer).await;
    let (mut found, mut cursor) = (vec![], String::new());
    loop {
        let page = app.json(&format!("/api/v1/topics?prefix=commands/&limit=2{cursor}")).await;
        found.extend(topics(&page).into_iter().map(ToOwned::to_owned));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, ["commands/0", "commands/1", "commands/2", "commands/3", "commands/4"]);
    let (status, ..) = app.request("GET /api/v1/topics?cursor=no.cursor HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status, 422);
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_counted_with_a_sample_and_its_reason() {
    let (app, mut device, mut viewer) = app_with_a_device().await;
    device.publishes("sensors/a", r#"{"temperature":21,"humidity":40}"#, false).await;
    device.publishes("sensors/a", r#"{"temperature":NaN,"humidity":41}"#, false).await;
    until_handled(&mut device, &mut viewer).await;
    let bad = &app.json("/api/v1/topics?prefix=sensors/").await["items"][0]["bad"];
    assert_eq!((&bad["messages"], &bad["size"], &bad["truncated"]), (&json!(1), &json!(33), &json!(false)));
    assert_eq!(bad["payload"], r#"{"temperature":NaN,"humidity":41}"#);
    let reason = "temperature: \"NaN\" is no finite number";
    assert_eq!(bad["reason"], reason);
    let entity = |id: &str| format!("/api/v1/entities/{id}");
    let temperature = app.json(&entity("a.temperature")).await;
    assert_eq!((&temperature["v"], &temperature["q"], &temperature["reason"]), (&json!(21.0), &json!("bad"), &json!(reason)));
    let humidity = app.json(&entity("a.humidity")).await;
    assert_eq!((&humidity["v"], &humidity["q"], humidity.get("reason")), (&json!(41.0), &json!("good"), None));
    app.stop().await;
}

#[tokio::test]
async fn every_row_of_a_late_batch_is_in_history_and_the_tile_stays() {
    let (app, mut device, mut viewer) = app_with_a_device().await;
    device.publishes("sensors/a/temperature", "21", false).await;
    let first = 1_700_000_000_000_i64;
    // Out of order, and one row twice.
    let rows: Vec<String> = (0..1_500).map(|n| format!(r#"{{"ts":{},"value":{n}}}"#, first + (n * 7 % 1_500) * 1_000)).collect();
    device.publishes("sensors/a/temperature", format!("[{},{}]", rows.join(","), rows[0]), false).await;
    until_handled(&mut device, &mut viewer).await;
    let query = format!("/api/v1/history?entities=a.temperature&points=5000&from={first}&to={}", first + 1_500_000);
    let mut n = 0;
    // The recorder writes soon; asking is the way to see that it has.
    while n < 1_500 {
        tokio::task::yield_now().await;
        n = app.json(&query).await["series"][0]["t"].as_array().map_or(0, Vec::len);
    }
    assert_eq!(n, 1_500);
    let entity = app.json("/api/v1/entities/a.temperature").await;
    assert_eq!((&entity["v"], &entity["q"]), (&json!(21.0), &json!("good")));
    app.stop().await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_said_and_the_value_stays_live() {
    let (app, mut device, mut viewer) = app_with_a_device().await;
    let ahead = 7_200_000;
    let ts = server::clock::now().as_ms() + ahead;
    device.publishes("sensors/a/temperature", format!(r#"{{"value":21,"ts":{ts}}}"#), false).await;
    device.publishes("sensors/b/temperature", "20", false).await;
    until_handled(&mut device, &mut viewer).await;
    let entity = app.json("/api/v1/entities/a.temperature").await;
    assert!((ahead - 60_000..=ahead).contains(&entity["clock_skew_ms"].as_i64().unwrap()), "{entity}");
    assert!(entity["t"].as_i64().unwrap() < ts - ahead + 60_000 && entity["q"] == "good", "{entity}");
    assert!(app.json("/api/v1/entities/b.temperature").await.get("clock_skew_ms").is_none());
    let words = "ahead, its times are not used";
    assert!(app.get("/devices/a").await.contains(words) && !app.get("/devices/b").await.contains(words));
    app.stop().await;
}
