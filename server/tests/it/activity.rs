//! The log of what was done, over REST.

use serde_json::{Value as Json, json};

use crate::link_rig::soon;
use crate::test_app::TestApp;

/// A server with a light that obeys, and what was done to it in the log.
async fn app() -> TestApp {
    let app = TestApp::start().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut device = app.device().await;
    device.publishes("state/lights/hall", "off", true).await;
    device.publishes("sensors/a/temperature", "21", true).await;
    viewer.sees("a.temperature", |change| change["v"] == 21.0).await;
    let (status, sent) = app.post("/api/v1/entities/hall.light/command", r#"{"action":"turn_on"}"#).await;
    assert_eq!(status, 202, "{sent}");
    device.publishes("state/lights/hall", "on", true).await;
    viewer.sees("hall.light", |change| change["v"]["state"] == "on").await;
    assert_eq!(app.post("/api/v1/history", r#"{"entity":"a.temperature","t":[1700000000000],"v":[1]}"#).await.0, 200);
    app
}

async fn whats(app: &TestApp, query: &str) -> Vec<String> {
    let items = app.json(&format!("/api/v1/activity?{query}")).await["items"].take();
    items.as_array().unwrap().iter().map(|row| row["what"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_command_is_one_row_that_says_how_it_ended_and_who_sent_it_from_where() {
    let app = app().await;
    let row = soon("the end of the command in the log", async {
        loop {
            let log = app.json("/api/v1/activity?entity=hall.light").await;
            if log["items"][0]["outcome"] == "confirmed" {
                assert_eq!(log["items"].as_array().unwrap().len(), 1, "{log}");
                return log["items"][0].clone();
            }
        }
    })
    .await;
    assert_eq!(
        (&row["what"], &row["who"], &row["address"], &row["kind"], &row["detail"]["action"]["action"]),
        (&json!("turn_on"), &json!("anonymous"), &json!("127.0.0.1"), &json!("control"), &json!("turn_on"))
    );
    assert!(row["after_ms"].as_i64().is_some_and(|ms| ms >= 0), "{row}");
    app.stop().await;
}

#[tokio::test]
async fn the_log_is_filtered_by_everything_it_says() {
    let mut app = app().await;
    let from = |query: String| {
        let app = &app;
        async move { whats(app, &query).await }
    };
    soon("the link and the start in the log", async { while from("kind=system".into()).await != ["link.up", "server.started"] {} }).await;
    assert_eq!(from("what=history.fill".into()).await, ["history.fill"]);
    assert_eq!(from("entity=a.temperature".into()).await, ["history.fill"]);
    // What is filled in is in the log when it is answered; a command within a quarter of a second.
    soon("the command in the log", async { while from("who=anonymous".into()).await != ["history.fill", "turn_on"] {} }).await;
    assert_eq!(from("who=anonymous&kind=control".into()).await, ["turn_on"]);
    assert_eq!(from("who=signalbox&what=server.started&outcome=done".into()).await, ["server.started"]);
    assert_eq!(from("who=nobody".into()).await, Vec::<String>::new());
    assert_eq!(from("q=HISTORY".into()).await, ["history.fill"]);
    // By the name that people know it by.
    assert_eq!(from("q=hall".into()).await, ["turn_on"]);
    app.patch("/api/v1/entities/a.temperature", r#"{"name":"Oven"}"#).await;
    assert_eq!(whats(&app, "q=oven&kind=history").await, ["history.fill"]);
    app.patch("/api/v1/entities/hall.light", r#"{"area":"attic"}"#).await;
    assert_eq!(whats(&app, "area=attic&kind=control").await, ["turn_on"]);
    let t = app.json("/api/v1/activity?what=turn_on").await["items"][0]["t"].as_i64().unwrap();
    assert_eq!(whats(&app, &format!("kind=control&from={t}&to={}", t + 1)).await, ["turn_on"]);
    assert_eq!(whats(&app, &format!("kind=control&to={t}")).await, Vec::<String>::new());
    assert_eq!(whats(&app, &format!("kind=control&from={}", t + 1)).await, Vec::<String>::new());
    // Row by row, by cursor, it is the same log.
    let all = whats(&app, "limit=200").await;
    let (mut one_by_one, mut cursor) = (vec![], String::new());
    loop {
        let page = app.json(&format!("/api/v1/activity?limit=1{cursor}")).await;
        one_by_one.extend(page["items"].as_array().unwrap().iter().map(|row| row["what"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(one_by_one, all);
    app.restart().await;
    let count = |system: &[String], what: &str| system.iter().filter(|found| *found == what).count();
    soon("the second start in the log", async { while count(&whats(&app, "kind=system&limit=200").await, "server.started") < 2 {} }).await;
    assert_eq!(count(&whats(&app, "kind=system&limit=200").await, "server.stopped"), 1);
    app.stop().await;
}

#[tokio::test]
async fn a_question_about_the_log_that_makes_no_sense_names_the_field() {
    let app = TestApp::start().await;
    for (query, field) in [
        ("from=yesterday", "from"),
        ("from=2&to=1", "from"),
        ("entity=x", "entity"),
        ("area=Living%20Room", "area"),
        ("kind=all", "kind"),
        ("cursor=x", "cursor"),
        ("cursor=1.c9", "cursor"),
    ] {
        let (status, _, body) = app.request(&format!("GET /api/v1/activity?{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        let body: Json = serde_json::from_str(&body).unwrap_or_default();
        assert_eq!((status, body["field"].as_str()), (422, Some(field)), "{query}: {body}");
    }
    app.stop().await;
}

#[tokio::test]
async fn alarms_and_who_acknowledged_them_stand_in_the_log() {
    let app = TestApp::start_with(|config| {
        let rule = json!({"id": "hot", "entity": "a.temperature", "condition": {"type": "above", "limit": 30}, "severity": "critical"});
        config.rules.push(serde_json::from_value(rule).unwrap());
    })
    .await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut device = app.device().await;
    device.publishes("sensors/a/temperature", "31", true).await;
    let id = viewer.hears("alert").await["id"].as_str().unwrap().to_owned();
    assert_eq!(app.post(&format!("/api/v1/alarms/{id}/ack"), "{}").await.0, 200);
    device.publishes("sensors/a/temperature", "20", true).await;
    while viewer.hears("alert").await["state"] != "normal" {}
    let rows = soon("the alarm in the log", async {
        loop {
            let rows = app.json("/api/v1/activity?kind=alarm").await["items"].take();
            if rows.as_array().is_some_and(|rows| rows.len() == 3) {
                return rows;
            }
        }
    })
    .await;
    let row = |n: usize| [&rows[n]["what"], &rows[n]["who"], &rows[n]["entity"]].map(|text| text.as_str().unwrap().to_owned());
    assert_eq!(row(2), ["alarm.raised", "rule hot", "a.temperature"]);
    assert_eq!(row(1), ["alarm.acknowledged", "anonymous", "a.temperature"]);
    assert_eq!(row(0), ["alarm.cleared", "rule hot", "a.temperature"]);
    assert_eq!((&rows[1]["address"], &rows[0]["address"]), (&json!("127.0.0.1"), &json!(null)));
    app.stop().await;
}

#[tokio::test]
async fn the_log_goes_out_as_a_table_of_all_that_a_filter_lets_through() {
    let app = app().await;
    // More than is read at once.
    for n in 0..1_100 {
        let name = if n == 7 { "=1+1, \"x\"".to_owned() } else { format!("Lamp {n}") };
        assert_eq!(app.sends("PATCH", "/api/v1/entities/hall.light", &json!({"name": name}).to_string()).await.0, 200);
    }
    soon("all of them in the log", async { while whats(&app, "kind=settings&limit=1000").await.len() < 1_000 {} }).await;
    let table = app.get("/api/v1/activity.csv?kind=settings").await;
    let (head, rows) = table.split_once('\n').unwrap();
    assert_eq!(head, "time,who,address,kind,what,entity,outcome,after_ms,detail");
    assert_eq!(rows.lines().count(), 1_100, "none is told twice, and none is left out");
    assert!(rows.lines().all(|row| row.contains(",anonymous,127.0.0.1,settings,entity.written,hall.light,done,,")), "{rows}");
    assert!(rows.contains(r#""{""entity"#) || rows.contains(r#""{""written"#), "{rows}");
    let (status, _, body) = app.request("GET /api/v1/activity.csv?cursor=1.1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(status == 422 && body.contains("cursor"), "{status} {body}");
    app.stop().await;
}

#[tokio::test]
async fn the_page_counts_what_a_filter_lets_through_and_leads_to_the_table_of_it() {
    let app = app().await;
    soon("the command in the log", async { while whats(&app, "kind=control").await.is_empty() {} }).await;
    let html = app.get("/activity?kind=control").await;
    assert!(html.contains("1 entry.") && html.contains("/api/v1/activity.csv?kind=control"), "{html}");
    let at = app.json("/api/v1/activity?kind=control").await["items"][0]["t"].as_i64().unwrap();
    let html = app.get(&format!("/activity?from={}&to={}", at - 10_000, at)).await;
    assert!(!html.contains("hall.light turned on") && html.contains("Show all times"), "{html}");
    let html = app.get(&format!("/activity?from={at}")).await;
    assert!(html.contains("Hall turned on"), "{html}");
    let (status, _, body) = app.request("GET /activity?from=soon HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(status == 400 && body.contains("neither Unix milliseconds nor RFC 3339"), "{status}");
    app.stop().await;
}
