//! States and meters from outside: what REST says of them, and what stands on the page.

use domain::entity::EntityId;
use domain::fleet::Override;
use serde_json::json;

use crate::test_app::{Device, TestApp, Viewer, soon};

/// A full hour of the past.
const NOON: i64 = 1_760_000_400_000;
const MINUTE: i64 = 60_000;

async fn both(app: &TestApp) -> (Viewer, Device) {
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    (viewer, app.device().await)
}

/// The series of an entity once it is as long as that.
async fn series(app: &TestApp, query: &str, rows: usize) -> serde_json::Value {
    soon("what was sent to stand in history", async {
        loop {
            let answer = app.json(&format!("/api/v1/history?{query}")).await["series"][0].take();
            if answer["t"].as_array().is_some_and(|t| t.len() == rows) {
                return answer;
            }
        }
    })
    .await
}

async fn page_with(app: &TestApp, path: &str, parts: &[&str]) -> String {
    soon("what was sent to stand in the page", async {
        loop {
            let html = app.get(path).await;
            let html = html.split_once("<body").map_or("", |(_, body)| body);
            let html = html.split("__RESOLVED_RESOURCES").next().unwrap_or_default().replace("<!>", "");
            if parts.iter().all(|part| html.contains(part)) {
                return html;
            }
        }
    })
    .await
}

#[tokio::test]
async fn states_are_told_by_how_long_they_held() {
    let app = TestApp::start().await;
    let (mut viewer, mut device) = both(&app).await;
    let say = |minute: i64, state: &str| json!({"value": state, "ts": NOON + minute * MINUTE});
    let all = json!([say(-90, "open"), say(10, "open"), say(15, "closed"), say(40, "open"), say(50, "closed"), say(55, "closed")]);
    device.publishes("sensors/door/contact", all.to_string(), false).await;
    viewer.sees("door.contact", |_| true).await;
    let query = format!("entities=door.contact&from={NOON}&to={}", NOON + 60 * MINUTE);
    let raw = series(&app, &query, 4).await;
    assert_eq!(raw["resolution"], "raw");
    assert_eq!((&raw["n"], &raw["last"]), (&json!([0, 1, 1, 1]), &json!([1.0, 0.0, 1.0, 0.0])));
    assert_eq!(raw["known_ms"], json!([15 * MINUTE, 25 * MINUTE, 10 * MINUTE, 10 * MINUTE]));
    assert!(raw.get("increase").is_none());
    let halves = series(&app, &format!("{query}&points=3"), 2).await;
    assert_eq!(halves["resolution"], 30 * MINUTE);
    assert_eq!((&halves["duty"], &halves["mean"]), (&json!([0.5, 1.0 / 3.0]), &halves["duty"]));
    assert_eq!((&halves["n"], &halves["known_ms"]), (&json!([1, 2]), &json!([30 * MINUTE, 30 * MINUTE])));
    page_with(
        &app,
        &format!("/history?e=door.contact&from={NOON}&to={}", NOON + 60 * MINUTE),
        &["Open 41 %", ">25 min<", "Open for 25 min of 60 min"],
    )
    .await;
    app.stop().await;
}

#[tokio::test]
async fn meters_are_told_by_what_they_counted() {
    let precise = |id: &str, precision, counter| (EntityId::parse(id).unwrap(), Override { precision, counter, ..Override::default() });
    let app = TestApp::start_with(|config| {
        config.entities.push(precise("house.energy", Some(1), None));
        config.entities.push(precise("tank.flow", Some(1), None));
    })
    .await;
    let (mut viewer, mut device) = both(&app).await;
    let say = |minute: i64, shown: f64| json!({"value": shown, "ts": NOON + minute * MINUTE});
    // Begins anew at minute 50, after it showed 434531.4.
    let all = json!([say(-30, 434_526.3), say(5, 434_526.5), say(20, 434_528.1), say(45, 434_531.4), say(50, 0.4), say(55, 7.6)]);
    device.publishes("sensors/house/energy", all.to_string(), false).await;
    device.publishes("sensors/tank/flow", json!([say(5, 1.0), say(10, 1.1), say(15, 1.1)]).to_string(), false).await;
    viewer.sees("house.energy", |_| true).await;
    let query = format!("entities=house.energy&from={NOON}&to={}", NOON + 60 * MINUTE);
    let raw = series(&app, &query, 5).await;
    assert_eq!((&raw["increase"], &raw["last"][3]), (&json!([0.2, 1.6, 3.3, 0.4, 7.2]), &json!(0.4)));
    assert!(raw.get("duty").is_none());
    let halves = series(&app, &format!("{query}&points=3"), 2).await;
    assert_eq!((&halves["increase"], &halves["n"]), (&json!([1.8, 10.9]), &json!([2, 3])));
    // Worked out as it is shown.
    let flow = series(&app, &format!("entities=tank.flow&from={NOON}&to={}&points=1", NOON + 60 * MINUTE), 1).await;
    assert_eq!(flow["mean"], json!([1.1]));
    assert!(flow.get("increase").is_none(), "no meter");

    let path = format!("/history?e=house.energy&from={NOON}&to={}", NOON + 60 * MINUTE);
    let bars = page_with(&app, &path, &["class=\"bars c1\"", "+12.7\u{a0}kWh", "Energy counted 12.7\u{a0}kWh", "Meter reading"]).await;
    assert!(!bars.contains("d=\"M83.3 "), "no line beside the bars");
    let line = page_with(&app, &format!("{path}&meter=1"), &["<path d=\"M83.3 ", "Meter reading"]).await;
    assert!(!line.contains("class=\"bars"));
    page_with(&app, &format!("{path}&compare=1"), &["class=\"bars c1\"", "Change to hour before"]).await;
    app.stop().await;
}

#[tokio::test]
async fn the_operator_says_what_a_meter_is() {
    let app = TestApp::start_with(|config| {
        let id = |text: &str| EntityId::parse(text).unwrap();
        config.entities.push((id("cellar.water"), Override { unit: Some("L".to_owned()), counter: Some(true), ..Override::default() }));
        config.entities.push((id("roof.energy"), Override { counter: Some(false), ..Override::default() }));
    })
    .await;
    let (mut viewer, mut device) = both(&app).await;
    let say = |minute: i64, shown: f64| json!({"value": shown, "ts": NOON + minute * MINUTE});
    for topic in ["sensors/cellar/water", "sensors/roof/energy"] {
        device.publishes(topic, json!([say(0, 10.0), say(1, 12.5)]).to_string(), false).await;
    }
    viewer.sees("roof.energy", |_| true).await;
    let query = |id: &str| format!("entities={id}&from={NOON}&to={}", NOON + 60 * MINUTE);
    assert_eq!(series(&app, &query("cellar.water"), 2).await["increase"], json!([0.0, 2.5]));
    assert!(series(&app, &query("roof.energy"), 2).await.get("increase").is_none());
    app.stop().await;
}
