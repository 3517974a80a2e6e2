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
async fn an_alarm_that_is_over_is_a_bar_from_its_beginning_to_its_end() {
    let rule = Rule {
        id: "hot".into(),
        name: String::new(),
        entity: EntityId::parse("oven.temperature").unwrap(),
        condition: Condition::Above { limit: 30.0 },
        severity: Severity::Critical,
        hysteresis: 0.0,
        message: String::new(),
    };
    let mut app = TestApp::start_with(|config| config.rules.push(rule)).await;
    let (mut viewer, mut device) = both(&app).await;
    for (value, state) in [("31.5", "unacked"), ("20.5", "returned"), ("32.5", "unacked")] {
        device.publishes("sensors/oven/temperature", value, true).await;
        assert_eq!(viewer.hears("alert").await["state"], state);
    }
    assert_eq!(app.post("/api/v1/alarms/hot/ack", "").await.0, 200);
    device.publishes("sensors/oven/temperature", "20.5", true).await;
    while viewer.hears("alert").await["state"] != "normal" {}
    let path = "/history?e=oven.temperature&range=15m";
    let html = page_with(&app, path, &["Alarms in this period", "; Temperature above 30 from "]).await;
    let title = html.split_once("Alarms in this period: ").unwrap().1.split_once("</title>").unwrap().0;
    assert_eq!(
        (title.matches("Temperature above 30 from ").count(), title.matches(" to ").count(), title.matches("since").count()),
        (2, 2, 0),
        "{title}"
    );
    assert!(html.contains("lane-bar-critical"));
    // What happened is written down, with who did it.
    let journal = async |app: &TestApp| {
        let alarm = app.json("/api/v1/alarms/hot").await;
        let events = alarm["journal"].as_array().unwrap().clone();
        events.iter().map(|event| (event["state"].as_str().unwrap().to_owned(), event["who"].as_str().unwrap().to_owned())).collect::<Vec<_>>()
    };
    let expected = [("unacked", ""), ("returned", ""), ("unacked", ""), ("acked", "anonymous"), ("normal", "")];
    let expected = expected.map(|(state, who)| (state.to_owned(), who.to_owned()));
    assert_eq!(journal(&app).await, expected);
    app.restart().await;
    assert_eq!(journal(&app).await, expected);
    let again = visible(&app.get(path).await);
    assert!(again.contains(title.split_once(';').unwrap().0), "{title}");
    app.stop().await;
}

#[tokio::test]
async fn an_alarm_whose_rule_is_removed_ends_with_the_next_start() {
    let rule = |id: &str, entity: &str| Rule {
        id: id.into(),
        name: String::new(),
        entity: EntityId::parse(entity).unwrap(),
        condition: Condition::Above { limit: 30.0 },
        severity: Severity::Critical,
        hysteresis: 0.0,
        message: String::new(),
    };
    let rules = [rule("kept", "oven.temperature"), rule("gone", "oven.temperature"), rule("moved", "oven.temperature")];
    let mut app = TestApp::start_with(|config| config.rules.extend(rules)).await;
    let (mut viewer, mut device) = both(&app).await;
    device.publishes("sensors/oven/temperature", "31.5", true).await;
    for _ in 0..3 {
        assert_eq!(viewer.hears("alert").await["state"], "unacked");
    }
    let path = "/history?e=oven.temperature&range=15m";
    let lasting = |html: &str| html.matches("Temperature above 30 since ").count();
    let html = page_with(&app, path, &["Alarms in this period"]).await;
    let title = |html: &str| html.split_once("Alarms in this period: ").unwrap().1.split_once("</title>").unwrap().0.to_owned();
    assert_eq!(lasting(&title(&html)), 3, "{html}");

    // One is gone, and one watches something else under the same name.
    app.config.rules = vec![rule("kept", "oven.temperature"), rule("moved", "boiler.temperature")];
    app.restart().await;
    let html = page_with(&app, path, &["Alarms in this period"]).await;
    assert_eq!((lasting(&title(&html)), title(&html).matches("Temperature above 30 from ").count()), (1, 2), "{html}");
    let moved = app.json("/api/v1/alarms/moved").await;
    assert_eq!((&moved["state"], &moved["entity"]), (&"normal".into(), &"boiler.temperature".into()));
    let last = moved["journal"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["state"], &last["who"]), (&"normal".into(), &"rule removed".into()));
    assert_eq!(app.json("/api/v1/alarms/kept").await["state"], "unacked");
    // Once: the next start finds nothing to end. And a rule that comes back begins anew.
    app.config.rules.push(rule("gone", "oven.temperature"));
    app.restart().await;
    let gone = app.json("/api/v1/alarms/gone").await;
    let states: Vec<&str> = gone["journal"].as_array().unwrap().iter().map(|event| event["who"].as_str().unwrap()).collect();
    assert_eq!((&gone["state"], states), (&"normal".into(), vec!["", "rule removed"]));
    app.stop().await;
}

/// The answer to a form that a page without script sends from `referer`: status, and where it leads.
async fn sends(app: &TestApp, action: &str, fields: &str, referer: &str) -> (u16, String) {
    let request = format!(
        "POST {action} HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept: text/html\r\nreferer: http://x{referer}\r\norigin: http://x\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{fields}",
        fields.len()
    );
    let (status, head, _) = app.request(&request).await;
    let location = head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap_or_default().to_owned();
    (status, location)
}

#[tokio::test]
async fn a_reading_is_taken_out_after_a_question_and_taken_back() {
    let app = TestApp::start().await;
    let (mut viewer, mut device) = both(&app).await;
    for (n, value) in [(0, 20.5), (1, 999.0), (2, 21.5)] {
        device.publishes("sensors/tank/temperature", json!({"value": value, "ts": NOON + n * 60_000}).to_string(), false).await;
    }
    viewer.sees("tank.temperature", |change| change["v"] == 21.5).await;
    let path = format!("/history?e=tank.temperature&from={NOON}&to={}", NOON + 3_600_000);
    let html = page_with(&app, &path, &["999", ">Exclude<"]).await;
    let spike = NOON + 60_000;
    let ask = format!("{path}&exclude=tank.temperature@{spike}");
    assert!(html.contains(&format!("exclude=tank.temperature@{spike}\"")), "each reading has a way out");
    assert!(!html.contains("out of history?"), "nobody asked");
    let question = visible(&app.get(&ask).await);
    for part in ["of Temperature, ", "out of history?", "action=\"/fn/exclude\"", "method=\"post\"", "name=\"t\"", ">Cancel<"] {
        assert!(question.contains(part), "{part} is missing");
    }
    let fields = format!("entity=tank.temperature&t={spike}");
    let (status, location) = sends(&app, "/fn/exclude", &fields, &ask).await;
    let back = location.strip_prefix("http://x").unwrap_or_default();
    assert!(status == 302 && back.replace("%40", "@") == ask, "{status} {location}");
    let html = visible(&app.get(back).await);
    assert!(html.contains("Taken out of history in this period") && html.contains(">Include again<") && html.contains("anonymous"));
    assert!(!html.contains("out of history?") && html.matches(">Exclude<").count() == 2, "it is no reading any more");
    let raw = format!("/api/v1/history?entities=tank.temperature&from={NOON}&to={}", NOON + 3_600_000);
    assert_eq!(app.json(&raw).await["series"][0]["last"], json!([20.5, 21.5]));
    // The device says it again, and it stays out.
    device.publishes("sensors/tank/temperature", json!({"value": 999.0, "ts": spike}).to_string(), false).await;
    device.publishes("sensors/tank/temperature", json!({"value": 22.5, "ts": NOON + 180_000}).to_string(), false).await;
    page_with(&app, &path, &["22.5"]).await;
    assert_eq!(app.json(&raw).await["series"][0]["last"], json!([20.5, 21.5, 22.5]));
    assert_eq!(sends(&app, "/fn/include", &fields, &path).await.0, 302);
    assert_eq!(app.json(&raw).await["series"][0]["last"], json!([20.5, 999.0, 21.5, 22.5]));
    assert!(!visible(&app.get(&path).await).contains("Taken out of history"));
    let log = app.json("/api/v1/activity?kind=history").await;
    let did: Vec<&str> = log["items"].as_array().unwrap().iter().map(|entry| entry["what"].as_str().unwrap()).collect();
    assert_eq!((did, &log["items"][1]["detail"]["t"]), (vec!["history.include", "history.exclude"], &json!(spike)));
    app.stop().await;
}

#[tokio::test]
async fn programs_take_readings_out_and_ask_what_is_out() {
    let app = TestApp::start().await;
    let (mut viewer, mut device) = both(&app).await;
    device.publishes("sensors/tank/temperature", json!({"value": 999.5, "ts": NOON}).to_string(), false).await;
    viewer.sees("tank.temperature", |_| true).await;
    let raw = format!("/api/v1/history?entities=tank.temperature&from={NOON}&to={}", NOON + 1);
    page_with(&app, &format!("/history?e=tank.temperature&from={}&to={}", NOON - 1_000, NOON + 1_000), &["999.5"]).await;
    let which = json!({"entity": "tank.temperature", "t": "2025-10-09T09:00:00Z"}).to_string();
    let (status, answer) = app.post("/api/v1/history/exclude", &which).await;
    assert_eq!((status, &answer["items"][0]["v"], &answer["items"][0]["t"]), (200, &json!(999.5), &json!(NOON)));
    assert_eq!(app.json(&raw).await["series"][0]["t"], json!([]));
    let out = app.json(&format!("/api/v1/history/excluded?entities=tank.temperature&from={NOON}&to={}", NOON + 1)).await;
    assert_eq!((&out["items"][0]["v"], &out["items"][0]["who"]), (&json!(999.5), &json!("anonymous")));
    // What the device said last is what it said last.
    assert_eq!(app.json("/api/v1/entities/tank.temperature").await["v"], 999.5);
    assert_eq!(app.post("/api/v1/history/include", &which).await, (200, json!({"included": 1})));
    assert_eq!(app.json(&raw).await["series"][0]["last"], json!([999.5]));
    for (body, status) in [
        (json!({"entity": "tank.temperature", "t": 5}), 404),
        (json!({"entity": "no.such", "t": NOON}), 404),
        (json!({"entity": "No such", "t": NOON}), 404),
        (json!({"entity": "tank.temperature", "t": "soon"}), 422),
        (json!({"entity": "tank.temperature", "t": 1.5}), 400),
        (json!({"entity": "tank.temperature"}), 400),
        (json!({"entity": "tank.temperature", "t": NOON, "v": 1}), 400),
    ] {
        for what in ["exclude", "include"] {
            assert_eq!(app.post(&format!("/api/v1/history/{what}"), &body.to_string()).await.0, status, "{what} {body}");
        }
    }
    assert_eq!(app.json("/api/v1/activity?limit=1").await["items"].as_array().unwrap().len(), 1);
    let (status, problem) = (422, "cursor");
    let answer = app.request("GET /api/v1/activity?cursor=x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.0 == status && answer.2.contains(problem), "{answer:?}");
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
async fn words_have_a_lane_their_shares_and_rows_in_a_table() {
    let app = TestApp::start().await;
    let (mut viewer, mut device) = both(&app).await;
    let minute = |n: i64| NOON + n * 60_000;
    for (n, word) in [(-30, "Idle"), (15, "Running"), (15, "Running"), (45, "Fault, \u{201c}hot\u{201d} <b>"), (48, "Running"), (54, "=1+1")] {
        device.publishes("sensors/pump/mode", json!({"value": word, "ts": minute(n)}).to_string(), false).await;
    }
    viewer.sees("pump.mode", |change| change["v"] == "=1+1").await;
    // A cover has its word, wherever it stands.
    let range = format!("from={NOON}&to={}", minute(60));
    let path = format!("/history?e=pump.mode&{range}");
    let html = page_with(&app, &path, &["Running <b>60 %</b>", "=1+1 <b>10 %</b>"]).await;
    let spans: Vec<&str> =
        html.split("<g class=\"c").skip(1).filter_map(|span| Some(span.split_once("<title>")?.1.split_once("</title>")?.0)).collect();
    // The hours are those of the server's zone.
    for (span, begin, end) in [(0, "Idle, ", ":15:00"), (1, "Running, ", ":45:00"), (3, "Running, ", ":54:00"), (4, "=1+1, since ", ":54:00")] {
        assert!(spans[span].starts_with(begin) && spans[span].ends_with(end), "{spans:?}");
    }
    let figures = ["Idle <b>25 %</b>", "<small>36 min</small>", ">4<small>changes</small>", "100 %", ">Running</text>", "5 %"];
    for part in figures {
        assert!(html.contains(part), "{part} is missing: {html}");
    }
    assert!(!html.contains("<b>\u{201c}") && html.contains("&lt;b>") | html.contains("&lt;b&gt;"), "a word is no markup");
    assert!(!html.contains("strip-gap") && !html.contains("no data"), "all of the hour is known");
    assert_eq!(html.matches(">Exclude<").count(), 4, "the word in force at the beginning is a reading of another time");

    let table = app.get(&format!("/api/v1/history.csv?entities=pump.mode&{range}&points=100")).await;
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(
        rows[..3],
        ["entity,time,min,mean,max,last,n", "pump.mode,2025-10-09T09:00:00.000Z,,,,Idle,0", "pump.mode,2025-10-09T09:15:00.000Z,,,,Running,1"]
    );
    assert_eq!((rows.len(), rows[5]), (6, "pump.mode,2025-10-09T09:54:00.000Z,,,,\"'=1+1\",1"));
    let every = app.get(&format!("/api/v1/history.csv?entities=pump.mode&{range}&resolution=raw")).await;
    assert_eq!((every.lines().count(), every.lines().nth(1)), (5, Some("pump.mode,2025-10-09T09:15:00.000Z,Running")));
    // Where it was silent there is a lane, of which nothing is known.
    let html = visible(&app.get(&format!("/history?e=pump.mode&from={}&to={}", minute(-90), minute(-60))).await);
    assert!(html.contains("Mode: no data.") && html.contains("strip-gap"), "{html}");
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
