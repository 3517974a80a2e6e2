//! The history page without a browser: what it is asked for, and what stands in its HTML.

use domain::alarm::Severity;
use domain::entity::EntityId;
use domain::rule::{Condition, Rule};
use serde_json::json;

use crate::test_app::{Device, TestApp, Viewer, soon};

/// A full hour of the past: readings with a time of their own land there.
const NOON: i64 = 1_760_000_400_000;

/// A viewer that sees all, and a device.
async fn both(app: &TestApp) -> (Viewer, Device) {
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    (viewer, app.device().await)
}

/// What a reader sees of a page: from `body` up to the data that the browser's half reads, without the markers between texts.
fn visible(html: &str) -> String {
    let body = html.split_once("<body").map_or("", |(_, body)| body);
    body.split("__RESOLVED_RESOURCES").next().unwrap_or_default().replace("<!>", "")
}

/// The page once it holds all of `parts`: what was sent is stored a moment later.
async fn page_with(app: &TestApp, path: &str, parts: &[&str]) -> String {
    soon("what was sent to stand in the page", async {
        loop {
            let html = visible(&app.get(path).await);
            if parts.iter().all(|part| html.contains(part)) {
                return html;
            }
        }
    })
    .await
}

#[tokio::test]
async fn commands_and_alarms_stand_under_the_chart() {
    let rule = Rule {
        id: "hot".into(),
        name: String::new(),
        entity: EntityId::parse("oven.temperature").unwrap(),
        condition: Condition::Above { limit: 30.0 },
        severity: Severity::Critical,
        hysteresis: 0.0,
        message: String::new(),
    };
    let app = TestApp::start_with(|config| config.rules.push(rule)).await;
    let (mut viewer, mut device) = both(&app).await;
    device.publishes("state/lights/hall", "off", true).await;
    viewer.sees("hall.light", |_| true).await;
    device.publishes("sensors/oven/temperature", "20.5", true).await;
    device.publishes("sensors/oven/temperature", "31.5", true).await;
    viewer.hears("alert").await;
    let (status, _) = app.post("/api/v1/entities/hall.light/command", r#"{"action":"turn_on","brightness":80}"#).await;
    assert_eq!(status, 202);
    let html = page_with(
        &app,
        "/history?e=oven.temperature&e=hall.light&range=15m",
        &["Alarms in this period", "Commands in this period", "above 30</small>"],
    )
    .await;
    for part in ["Temperature above 30 since ", ": turned on at 80\u{a0}% by anonymous at ", "lane-bar-critical", "Critical above 30"] {
        assert!(html.contains(part), "{part} is missing");
    }
    // What happened to others does not stand here.
    let html = visible(&app.get("/history?e=oven.temperature&range=15m").await);
    assert!(html.contains("Alarms in this period") && !html.contains("Commands in this period"));
    // Nor what happened later.
    let html = visible(&app.get(&format!("/history?e=oven.temperature&e=hall.light&from={NOON}&to={}", NOON + 3_600_000)).await);
    assert!(!html.contains("in this period:"), "it happened now");
    app.stop().await;
}

#[tokio::test]
async fn a_state_that_began_before_the_range_is_in_force_when_it_begins() {
    let app = TestApp::start().await;
    let (mut viewer, mut device) = both(&app).await;
    device.publishes("sensors/door/contact", format!(r#"{{"value":"open","ts":{}}}"#, NOON - 7_200_000), false).await;
    device.publishes("sensors/door/contact", format!(r#"{{"value":"closed","ts":{}}}"#, NOON + 1_800_000), false).await;
    viewer.sees("door.contact", |_| true).await;
    let path = format!("/history?e=door.contact&from={NOON}&to={}", NOON + 3_600_000);
    let html = page_with(&app, &path, &["class=\"lane-on\"", "Open 50 %"]).await;
    assert!(html.contains(">30 min<") && !html.contains("strip-gap"), "half of the hour, all of it known");
    app.stop().await;
}

#[tokio::test]
async fn the_period_before_stands_beside_this_one() {
    let app = TestApp::start().await;
    let (mut viewer, mut device) = both(&app).await;
    let rows = |from: i64, value: f64| (0..60).map(move |n| json!({"ts": from + n * 60_000, "value": value}));
    let batch: Vec<_> = rows(NOON - 3_600_000, 10.5).chain(rows(NOON, 14.25)).collect();
    device.publishes("sensors/tank/temperature", json!(batch).to_string(), false).await;
    viewer.sees("tank.temperature", |_| true).await;
    let path = format!("/history?e=tank.temperature&range=1h&to={}&compare=1", NOON + 3_600_000);
    let html = page_with(&app, &path, &["series-prev", "+3.75"]).await;
    assert!(html.contains("Change to hour before") && html.contains("Hour before"));
    assert!(!visible(&app.get(&path.replace("&compare=1", "")).await).contains("series-prev"));
    app.stop().await;
}

#[tokio::test]
async fn a_form_says_its_times_as_clocks_do() {
    let app = TestApp::start().await;
    let (mut viewer, mut device) = both(&app).await;
    device.publishes("sensors/a/temperature", "20", true).await;
    viewer.sees("a.temperature", |_| true).await;
    let html = visible(&app.get("/history?e=a.temperature&from=2026-01-11T14:03&to=2026-01-12T15:33").await);
    assert!(html.contains("Sun 11 Jan 14:03") && html.contains("Mon 12 Jan 15:33"));
    assert!(html.contains("value=\"2026-01-11T14:03\"") && html.contains("value=\"2026-01-12T15:33\""), "the form shows what was asked for");
    for (query, why) in [("from=soon&to=2026-01-12T15:33", "from &quot;soon&quot; is no time"), ("from=9&to=8", "from is not before to")] {
        let (status, _, html) = app.request(&format!("GET /history?{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        let html = visible(&html).replace("&#34;", "&quot;").replace("\"soon\"", "&quot;soon&quot;");
        assert!(status == 400 && html.contains(why), "{status}, not {why}");
    }
    app.stop().await;
}
