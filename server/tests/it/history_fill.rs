//! Filling in the past over HTTP: as JSON and as a table.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::test_app::{TestApp, soon};

/// A moment of the past.
const T: i64 = 1_760_000_400_000;

/// A server that knows a sensor, a door, a text and a light, each with a value of now.
async fn app() -> TestApp {
    let app = TestApp::start().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut device = app.device().await;
    for (topic, payload, entity) in [
        ("sensors/a/temperature", "21.5", "a.temperature"),
        ("sensors/door/contact", "open", "door.contact"),
        ("sensors/a/mode", "Auto", "a.mode"),
        ("state/lights/hall", "off", "hall.light"),
    ] {
        device.publishes(topic, payload, true).await;
        viewer.sees(entity, |_| true).await;
    }
    app
}

async fn fill(app: &TestApp, body: &Json) -> (u16, Json) {
    app.post("/api/v1/history", &body.to_string()).await
}

/// The readings of an entity between two moments: times and numbers.
async fn readings(app: &TestApp, id: &str, from: i64, to: i64) -> (Vec<i64>, Vec<f64>) {
    let series = app.json(&format!("/api/v1/history?entities={id}&from={from}&to={to}&points=5000")).await["series"][0].clone();
    assert_eq!(series["resolution"], "raw");
    (serde_json::from_value(series["t"].clone()).unwrap(), serde_json::from_value(series["last"].clone()).unwrap())
}

async fn import(app: &TestApp, table: &str) -> (u16, Json) {
    let request = format!(
        "POST /api/v1/history.csv HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: text/csv\r\ncontent-length: {}\r\n\r\n{table}",
        table.len()
    );
    let (status, _, body) = app.request(&request).await;
    (status, serde_json::from_str(&body).unwrap_or(Json::Null))
}

#[tokio::test]
async fn what_is_filled_in_is_there_once_and_moves_no_live_value() {
    let mut app = app().await;
    let live = app.json("/api/v1/entities/a.temperature").await;
    let now = live["t"].as_i64().unwrap();
    let body = json!({"entity": "a.temperature", "t": [T, "2025-10-09T09:00:01Z", T + 2_000, now + 1], "v": [1.5, "2.5", -3, 99]});
    assert_eq!(fill(&app, &body).await, (200, json!({"stored": 4, "known": 0})));
    assert_eq!(fill(&app, &body).await, (200, json!({"stored": 0, "known": 4})));
    assert_eq!(readings(&app, "a.temperature", T, T + 10_000).await, (vec![T, T + 1_000, T + 2_000], vec![1.5, 2.5, -3.0]));
    assert_eq!(app.json("/api/v1/entities/a.temperature").await["v"], 21.5);
    app.restart().await;
    let after = app.json("/api/v1/entities/a.temperature").await;
    assert_eq!((&after["v"], &after["t"]), (&live["v"], &live["t"]), "also not by a restart");
    assert_eq!(fill(&app, &body).await, (200, json!({"stored": 0, "known": 4})));
    // Who did it, and once: the same again did nothing.
    let log = app.json("/api/v1/activity?kind=history").await;
    let entry = &log["items"][0];
    assert_eq!(
        (&entry["what"], &entry["who"], &entry["entity"], &entry["outcome"], &entry["address"]),
        (&json!("history.fill"), &json!("anonymous"), &json!("a.temperature"), &json!("done"), &json!("127.0.0.1"))
    );
    assert_eq!((&entry["detail"]["stored"], log["items"].as_array().unwrap().len()), (&json!(4), 1));
    app.stop().await;
}

#[tokio::test]
async fn states_are_filled_in_as_states() {
    let app = app().await;
    for (id, values, numbers) in [
        ("door.contact", json!([true, "closed", 1, "0", "on"]), [1.0, 0.0, 1.0, 0.0, 1.0]),
        ("hall.light", json!([{"state": "on", "brightness": 80}, false, "on", 0, "ON"]), [1.0, 0.0, 1.0, 0.0, 1.0]),
    ] {
        let times: Vec<i64> = (0..5).map(|n| T + n * 1_000).collect();
        assert_eq!(fill(&app, &json!({"entity": id, "t": times, "v": values})).await, (200, json!({"stored": 5, "known": 0})), "{id}");
        let series = app.json(&format!("/api/v1/history?entities={id}&from={T}&to={}", T + 5_000)).await["series"][0].clone();
        assert_eq!(series["last"], json!(numbers), "{id}");
    }
    assert_eq!(fill(&app, &json!({"entity": "a.mode", "t": [T], "v": ["Eco"]})).await, (200, json!({"stored": 1, "known": 0})));
    app.stop().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_as_a_whole_and_says_where() {
    let app = app().await;
    let good = |v: Json| json!({"entity": "a.temperature", "t": [T, T + 1, T + 2], "v": v});
    for (body, status, field, why) in [
        (good(json!([1, "NaN", 3])), 422, "v[1]", "v[1]: \"NaN\" is no number"),
        (good(json!([1, 2, null])), 422, "v[2]", "v[2]: what stands there is no number"),
        (good(json!([1, 2, [[[]]]])), 422, "v[2]", "v[2]: what stands there is no number"),
        (good(json!([1, 2])), 422, "v", "t has 3 entries and v has 2"),
        (json!({"entity": "a.temperature", "t": [T, "soon"], "v": [1, 2]}), 422, "t[1]", "t[1]: \"soon\" is neither Unix milliseconds nor RFC 3339"),
        (json!({"entity": "a.temperature", "t": [T, 1.5], "v": [1, 2]}), 422, "t[1]", "t[1]: 1.5 is neither"),
        (json!({"entity": "a.temperature", "t": [T, 8.7e15], "v": [1, 2]}), 422, "t[1]", "lies outside of all calendars"),
        (json!({"entity": "a.temperature", "t": [T, 4_000_000_000_000_i64], "v": [1, 2]}), 422, "t[1]", "lies in the future"),
        (json!({"entity": "door.contact", "t": [T], "v": ["<script>\u{202e}"]}), 422, "v[0]", "v[0]: \"<script>\" is no state"),
        (json!({"entity": "no.such", "t": [T], "v": [1]}), 404, "", "unknown entity \"no.such\""),
        (json!({"entity": "No such", "t": [T], "v": [1]}), 404, "", "unknown entity"),
        (json!({"entity": "a.temperature", "t": [T], "v": [1], "unit": "K"}), 400, "", "unknown field `unit`"),
        (json!({"entity": "a.temperature", "t": [T]}), 400, "", "missing field `v`"),
        (json!({"entity": "a.temperature", "t": T, "v": 1}), 400, "", "invalid type"),
        (json!([]), 400, "", "cannot be read"),
    ] {
        let (found, problem) = fill(&app, &body).await;
        assert_eq!((found, problem["field"].as_str().unwrap_or_default()), (status, field), "{body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(why), "{why} in {problem}");
    }
    for body in ["", "{", "{\"entity\":\"a.temperature\",\"t\":[1],\"v\":[1e999]}", "\u{0}", &"[".repeat(100_000)] {
        assert_eq!(app.post("/api/v1/history", body).await.0, 400);
    }
    assert_eq!(readings(&app, "a.temperature", T, T + 10_000).await.0, Vec::<i64>::new(), "nothing of it is stored");
    assert_eq!(app.json("/api/v1/activity?kind=history").await["items"], json!([]));
    app.stop().await;
}

#[tokio::test]
async fn fifty_thousand_readings_come_in_one_body_and_far_too_many_do_not() {
    let app = app().await;
    let body = |n: i64| {
        let times: Vec<i64> = (0..n).rev().map(|n| T + n * 1_000).collect();
        let values: Vec<f64> = (0..n).rev().map(|n| f64::from(i32::try_from(n % 500).unwrap()) / 10.0).collect();
        json!({"entity": "a.temperature", "t": times, "v": values}).to_string()
    };
    let all = body(50_000);
    assert_eq!(app.post("/api/v1/history", &all).await, (200, json!({"stored": 50_000, "known": 0})));
    assert_eq!(app.post("/api/v1/history", &all).await, (200, json!({"stored": 0, "known": 50_000})));
    let (times, numbers) = readings(&app, "a.temperature", T, T + 5_000_000).await;
    assert_eq!((times.len(), numbers[4_321]), (5_000, 32.1));
    let column = ",0".repeat(1_000_000);
    let too_many = format!("{{\"entity\":\"a.temperature\",\"t\":[0{column}],\"v\":[0{column}]}}");
    assert_eq!(app.post("/api/v1/history", &too_many).await.0, 413);
    app.stop().await;
}

/// The status of a request whose body has no end, and how much of it was taken.
async fn endless(app: &TestApp, path: &str, piece: &str) -> (u16, usize) {
    soon("an answer", async {
        let mut stream = TcpStream::connect(app.http()).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut read, mut write) = stream.into_split();
        let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
        let mut taken = 0;
        let mut answer = vec![0; 4_096];
        loop {
            tokio::select! {
                biased;
                n = read.read(&mut answer) => {
                    let text = String::from_utf8_lossy(&answer[..n.unwrap_or(0)]).into_owned();
                    return (text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0), taken);
                }
                sent = write.write_all(chunk.as_bytes()) => {
                    taken += piece.len();
                    if sent.is_err() {
                        let n = read.read(&mut answer).await.unwrap_or(0);
                        let text = String::from_utf8_lossy(&answer[..n]).into_owned();
                        return (text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0), taken);
                    }
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let app = app().await;
    let (status, taken) = endless(&app, "/api/v1/history", &" ".repeat(100_000)).await;
    // The answer may be lost on its way: a connection that ends over bytes still unread is reset.
    assert!(matches!(status, 413 | 0) && taken < 40_000_000, "{status} after {taken} bytes");
    let (status, _) = endless(&app, "/api/v1/history.csv", &"x".repeat(70_000)).await;
    assert_eq!(status, 422, "a row that never ends");
    let (status, taken) = endless(&app, "/api/v1/history/exclude", &" ".repeat(100_000)).await;
    assert!(status == 413 && taken < 20_000_000, "{status} after {taken} bytes: the usual size elsewhere, and what lies between the two ends");
    // And the next one has its turn.
    assert_eq!(fill(&app, &json!({"entity": "a.temperature", "t": [T], "v": [1]})).await.0, 200);
    app.stop().await;
}

#[tokio::test]
async fn a_table_that_was_exported_comes_back_as_it_was() {
    let app = app().await;
    let times: Vec<i64> = (0..12_000).map(|n| T + n * 10_007).collect();
    let values: Vec<f64> = (0..12_000).map(|n| f64::from(n % 700 - 200) / 10.0).collect();
    assert_eq!(fill(&app, &json!({"entity": "a.temperature", "t": times, "v": values})).await.0, 200);
    assert_eq!(fill(&app, &json!({"entity": "door.contact", "t": [T, T + 5], "v": [true, false]})).await.0, 200);
    let query = format!("/api/v1/history.csv?entities=a.temperature,door.contact,hall.light&from={T}&resolution=raw");
    let table = app.get(&query).await;
    assert!(table.lines().count() > 12_002, "with the readings of now");
    // Where it comes from everything is known: also readings whose time is that of their arrival.
    let n = table.lines().count() - 1;
    assert_eq!(import(&app, &table).await, (200, json!({"stored": 0, "known": n})));
    let other = self::app().await;
    let past: String = table.lines().filter(|line| !line.contains(",202") || line.contains(",2025-")).fold(String::new(), |mut all, line| {
        writeln!(all, "{line}").unwrap();
        all
    });
    assert_eq!(import(&other, &past).await, (200, json!({"stored": 12_002, "known": 0})));
    let until = T + 200_000_000;
    let same = format!("{query}&to={until}");
    assert_eq!(other.get(&same).await, app.get(&same).await);
    let entry = other.json("/api/v1/activity?kind=history").await["items"][0].clone();
    assert_eq!((&entry["what"], &entry["detail"]["stored"]), (&json!("history.import"), &json!(12_002)));
    app.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_table_says_which_line_and_column_it_cannot_be_read_in() {
    let app = app().await;
    let head = "entity,time,value\n";
    let row = |n: i64| format!("a.temperature,{},{n}\n", T + n);
    for (table, field, why) in [
        (String::new(), "", ""),
        ("time;entity;value\n".to_owned(), "entity", "line 1, column entity: the first line must name the columns entity,time,value"),
        (format!("{head}{}a.temperature,soon,1\n", row(1)), "time", "line 3, column time: \"soon\" is neither Unix milliseconds nor RFC 3339"),
        (format!("{head}\n\n{}a.temperature,{T},NaN\n", row(2)), "value", "line 5, column value: \"NaN\" is no number"),
        (format!("{head}{}a.temperature,{T}\n", row(3)), "value", "line 3, column value: the row ends before it"),
        (format!("{head}no.such,{T},1\n"), "entity", "line 2, column entity: unknown entity \"no.such\""),
        (format!("{head}=cmd()|x,{T},1\n"), "entity", "line 2, column entity: unknown entity \"=cmd()|x\""),
        (format!("{head}a.temperature,4000000000000,1\n"), "time", "line 2, column time: 4000000000000 lies in the future"),
    ] {
        let (status, answer) = import(&app, &table).await;
        if why.is_empty() {
            assert_eq!((status, answer), (200, json!({"stored": 0, "known": 0})));
        } else {
            assert_eq!((status, answer["field"].as_str().unwrap()), (422, field), "{answer}");
            assert_eq!(answer["detail"], why);
        }
    }
    // What stands before such a line is stored; the mended table adds what is missing.
    assert_eq!(readings(&app, "a.temperature", T, T + 10).await.0, [T + 1, T + 2, T + 3]);
    let mended = format!("\u{feff}value , note,Time,ENTITY\r\n'-4.5,x,{},a.temperature\r\n\"5\",\"a, b\",{},a.temperature", T + 1, T + 5);
    assert_eq!(import(&app, &mended).await, (200, json!({"stored": 1, "known": 1})));
    assert_eq!(readings(&app, "a.temperature", T, T + 10).await, (vec![T + 1, T + 2, T + 3, T + 5], vec![1.0, 2.0, 3.0, 5.0]));
    app.stop().await;
}

#[tokio::test]
async fn viewers_and_pages_of_other_sites_change_nothing() {
    let mut app = app().await;
    app.config.auth.anonymous = Some(app::backend::Role::Viewer);
    app.restart().await;
    let body = json!({"entity": "a.temperature", "t": [T], "v": [1]});
    assert_eq!(fill(&app, &body).await.0, 403);
    assert_eq!(import(&app, &format!("entity,time,value\na.temperature,{T},1\n")).await.0, 403);
    for what in ["exclude", "include"] {
        assert_eq!(app.post(&format!("/api/v1/history/{what}"), r#"{"entity":"a.temperature","t":1}"#).await.0, 403);
    }
    app.config.auth.anonymous = Some(app::backend::Role::Operator);
    app.restart().await;
    for path in ["/api/v1/history", "/api/v1/history.csv", "/api/v1/history/exclude"] {
        let text = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\norigin: http://evil.example\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        );
        assert_eq!(app.request(&request).await.0, 403, "{path}");
    }
    assert_eq!(readings(&app, "a.temperature", T, T + 10).await.0, Vec::<i64>::new());
    app.stop().await;
}
