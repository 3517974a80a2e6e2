//! Topic patterns from outside: what they would match on the live broker, and what becomes of topics once they are written.

use app::backend::Role;
use domain::convention::plain::TopicPattern;
use serde_json::{Value as Json, json};

use crate::devices_page::{page, posts};
use crate::test_app::{Device, TestApp, Viewer};

const PATH: &str = "/api/v1/topic-patterns";
const PREVIEW: &str = "/api/v1/topic-patterns/preview";

async fn started(change: impl FnOnce(&mut server::config::Config)) -> (TestApp, Device, Viewer) {
    let app = TestApp::start_with(change).await;
    let device = app.device().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    (app, device, viewer)
}

/// Publishes, and waits until the server shows the last of it.
async fn hears(device: &mut Device, viewer: &mut Viewer, messages: &[(&str, &str)]) {
    for (topic, payload) in messages {
        device.publishes(topic, *payload, false).await;
    }
    let mark = fastrand::u32(..);
    device.publishes("zz/end/mark", mark.to_string(), false).await;
    viewer.sees("end.mark", |change| change["v"] == f64::from(mark)).await;
}

fn body(patterns: &[&str]) -> String {
    json!({"patterns": patterns}).to_string()
}

fn written(answer: &Json) -> Vec<(&str, &str, u64, u64)> {
    let of = |item: &'_ Json| (item["topics"].as_u64().unwrap(), item["shadowed"].as_u64().unwrap());
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|item| (item["pattern"].as_str().unwrap(), item["origin"].as_str().unwrap(), of(item).0, of(item).1)).collect()
}

fn with_a_file(config: &mut server::config::Config) {
    config.patterns.push(TopicPattern::parse("mill/{device}/speed").unwrap());
}

const SAID: [(&str, &str); 7] = [
    ("plant/a/b/power", "5"),
    ("plant/a/c/power", "6"),
    ("plant/a/d/text", "<b>x</b>"),
    ("plant/a/e/none", "{not json"),
    ("home/kitchen/temperature", "21"),
    ("mill/m/speed", "7"),
    ("commands/m", "restart"),
];

#[tokio::test]
async fn a_preview_says_what_would_become_of_the_topics_of_the_broker() {
    let (app, mut device, mut viewer) = started(with_a_file).await;
    hears(&mut device, &mut viewer, &SAID).await;
    let asked = body(&["plant/{area}/{device}/{measure}", "plant/+/{device}/power", "home/{device}/{measure}", "mill/{device}/{measure}"]);
    let (status, told) = app.post(PREVIEW, &asked).await;
    assert_eq!(status, 200, "{told}");
    let rows: Vec<Json> =
        told["items"].as_array().unwrap().iter().map(|row| json!([row["topic"], row["entities"], row["now"], row["stays"]])).collect();
    assert_eq!(
        json!(rows),
        json!([
            ["home/kitchen/temperature", ["kitchen.temperature"], ["kitchen.temperature"], null],
            ["mill/m/speed", ["m.value"], ["m.value"], "same"],
            ["plant/a/b/power", ["b.power"], [], null],
            ["plant/a/c/power", ["c.power"], [], null],
            ["plant/a/d/text", ["d.text"], [], null],
            ["plant/a/e/none", [], [], null],
        ])
    );
    let power = &told["items"][2];
    assert_eq!((&power["device"], &power["measure"], &power["area"], &power["last"]), (&json!("b"), &json!("power"), &json!("a"), &json!("5")));
    assert_eq!((&power["pattern"], &power["also"]), (&json!("plant/{area}/{device}/{measure}"), &json!(["plant/+/{device}/power"])));
    assert_eq!((&told["items"][1]["pattern"], &told["items"][1]["role"]), (&json!("mill/{device}/speed"), &json!("readings")));
    assert!(told["items"][5]["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{told}");
    let counted: Vec<Json> = told["patterns"].as_array().unwrap().iter().map(|one| json!([one["origin"], one["topics"], one["shadowed"]])).collect();
    assert_eq!(json!(counted), json!([["file", 1, 0], ["operator", 4, 0], ["operator", 0, 2], ["operator", 1, 0], ["operator", 0, 1]]));
    assert_eq!((&told["matched"], &told["found"], &told["new"], &told["changed"]), (&json!(6), &json!(6), &json!(3), &json!(0)));
    // Nothing is changed by looking.
    assert_eq!(written(&app.json(PATH).await), [("mill/{device}/speed", "file", 1, 0)]);
    let (mut found, mut cursor) = (vec![], json!(""));
    while cursor != json!(null) {
        let asked = json!({"patterns": ["plant/{area}/{device}/{measure}"], "q": "POWER", "limit": 1, "cursor": cursor});
        let (_, page) = app.post(PREVIEW, &asked.to_string()).await;
        assert_eq!((&page["matched"], &page["found"]), (&json!(4), &json!(2)));
        found.extend(page["items"].as_array().unwrap().iter().map(|row| row["topic"].as_str().unwrap().to_owned()));
        cursor = page["next_cursor"].clone();
    }
    assert_eq!(found, ["plant/a/b/power", "plant/a/c/power"]);
    app.stop().await;
}

#[tokio::test]
async fn patterns_count_at_once_and_after_a_restart_behind_those_of_the_file() {
    let (mut app, mut device, mut viewer) = started(with_a_file).await;
    hears(&mut device, &mut viewer, &SAID).await;
    assert_eq!(app.status("/api/v1/entities/b.power").await, 404);
    let two = ["plant/{area}/{device}/{measure}", "mill/{device}/{measure}"];
    let (status, told) = app.sends("PUT", PATH, &body(&two)).await;
    assert_eq!(status, 200, "{told}");
    let all = [("mill/{device}/speed", "file", 1, 0), (two[0], "operator", 4, 0), (two[1], "operator", 0, 1)];
    assert_eq!((written(&told), &told["most"]), (all.to_vec(), &json!(64)));
    hears(&mut device, &mut viewer, &SAID[..1]).await;
    assert_eq!(app.json("/api/v1/entities/b.power").await["area"], "a");
    let log = app.json("/api/v1/activity").await;
    let entry = log["items"].as_array().unwrap().iter().find(|entry| entry["what"] == "patterns.written").unwrap().clone();
    assert_eq!((&entry["detail"]["added"], &entry["detail"]["n"], &entry["who"]), (&json!(two), &json!(2), &json!("anonymous")), "{entry}");
    // The same again is no change.
    assert_eq!(app.sends("PUT", PATH, &body(&two)).await.0, 200);
    let n_written = |log: Json| log["items"].as_array().unwrap().iter().filter(|entry| entry["what"] == "patterns.written").count();
    assert_eq!(n_written(app.json("/api/v1/activity").await), 1);
    assert!(app.get("/activity").await.contains("Topic patterns changed"));
    app.restart().await;
    let names = |told: &Json| written(told).iter().map(|(pattern, origin, ..)| format!("{pattern} {origin}")).collect::<Vec<_>>();
    let wanted: Vec<String> = all.iter().map(|(pattern, origin, ..)| format!("{pattern} {origin}")).collect();
    assert_eq!(names(&app.json(PATH).await), wanted);
    let (mut device, mut viewer) = (app.device().await, app.viewer().await);
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    hears(&mut device, &mut viewer, &[("plant/a/later/power", "1")]).await;
    assert_eq!(app.json("/api/v1/entities/later.power").await["v"], 1.0);
    // Taken away, they count no more: what only they made goes, and the file's stays.
    assert_eq!(app.sends("PUT", PATH, &body(&[])).await.0, 200);
    assert_eq!((app.status("/api/v1/entities/later.power").await, app.status("/api/v1/entities/m.value").await), (404, 200));
    app.stop().await;
}

#[tokio::test]
async fn what_is_no_pattern_is_refused_by_its_place_and_changes_nothing() {
    let (app, mut device, mut viewer) = started(with_a_file).await;
    hears(&mut device, &mut viewer, &SAID).await;
    assert_eq!(app.sends("PUT", PATH, &body(&["plant/{area}/{device}/{measure}"])).await.0, 200);
    let before = app.json(PATH).await;
    let long = format!("{{device}}/{}", "x".repeat(500_000));
    for (bad, words) in [
        ("a/{device}{device}", "a level that is not understood"),
        ("{device}/{device}", "names the same thing twice"),
        ("<script>alert(1)</script>/{device}/#", "# is none here"),
        ("a+/{device}", "a wildcard in the wrong place"),
        ("#", "# is none here"),
        ("$SYS/{device}", "belong to the broker"),
        ("", "nothing in it"),
        ("mill/{device}/speed", "in the configuration already"),
        (&long, "longer than any topic"),
    ] {
        for (method, path) in [("PUT", PATH), ("POST", PREVIEW)] {
            let (status, told) = app.sends(method, path, &body(&["ok/{device}", bad])).await;
            assert_eq!((status, &told["field"]), (422, &json!("patterns[1]")), "{method} {told}");
            let detail = told["detail"].as_str().unwrap();
            assert!(detail.contains(words) && detail.len() < 500, "{detail}");
        }
    }
    for (text, status) in [
        (r#"{"patterns":7}"#.to_owned(), 422),
        (r#"{"patterns":["a/{device}"],"more":1}"#.to_owned(), 422),
        ("[]".to_owned(), 400),
        (body(&["a/{device}"; 65]), 422),
        (body(&[&"x".repeat(1 << 20)]), 413),
    ] {
        assert_eq!(app.sends("PUT", PATH, &text).await.0, status, "{}", text.get(..60).unwrap_or(&text));
    }
    assert_eq!(app.json(PATH).await, before);
    app.stop().await;
}

#[tokio::test]
async fn a_viewer_sees_the_list_and_neither_tries_nor_writes() {
    let (app, ..) = started(|config| {
        with_a_file(config);
        config.auth.anonymous = Some(Role::Viewer);
    })
    .await;
    assert_eq!(written(&app.json(PATH).await).len(), 1);
    assert_eq!(app.sends("PUT", PATH, &body(&["a/{device}"])).await.0, 403);
    assert_eq!(app.post(PREVIEW, &body(&["a/{device}"])).await.0, 403);
    app.stop().await;
}

#[tokio::test]
async fn the_page_previews_a_list_before_it_offers_to_save_it() {
    let (app, mut device, mut viewer) = started(with_a_file).await;
    hears(&mut device, &mut viewer, &SAID).await;
    let opened = page(&app, "/devices?patterns=").await;
    assert!(opened.contains("mill/{device}/speed") && opened.contains("name=\"do\" value=\"add\"") && !opened.contains("patterns_save"), "{opened}");
    let draft = "/devices?patterns=plant/%7Barea%7D/%7Bdevice%7D/%7Bmeasure%7D&patterns=%3Cb%3E/%7Bdevice%7D&draft=1";
    let moved = page(&app, &format!("{draft}&do=up-1")).await;
    let fields: Vec<&str> = moved.split("name=\"patterns\" value=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(fields, ["&lt;b&gt;/{device}", "plant/{area}/{device}/{measure}"]);
    let tried = page(&app, &format!("{draft}&do=try")).await;
    for words in ["4 topics match.", "3 that feed nothing today", "b.power", "plant/a/d/text", "last payload:", "action=\"/fn/patterns_save\""] {
        assert!(tried.contains(words), "{words}: {tried}");
    }
    let bad = page(&app, "/devices?patterns=ok/%7Bdevice%7D&patterns=%3Cscript%3E/%23&draft=1&do=try").await;
    assert!(bad.contains("aria-invalid=\"true\"") && bad.contains("# is none here") && !bad.contains("<script>"), "{bad}");
    assert!(!bad.contains("patterns_save"), "what is refused is not saved: {bad}");
    let standing = "/devices?patterns=";
    let fields = [("patterns[]", "plant/{area}/{device}/{measure}"), ("back", "/devices"), ("standing", standing)];
    let (status, to) = posts(&app, "/fn/patterns_save", &fields).await;
    assert!(status == 302 && to.starts_with("/devices?patterns=&saved="), "{status} {to}");
    let saved = page(&app, &to).await;
    assert!(
        saved.contains("Topic patterns saved") && saved.contains("value=\"plant/{area}/{device}/{measure}\"") && saved.contains("4 topics"),
        "{saved}"
    );
    let (_, to) = posts(&app, "/fn/patterns_save", &[("patterns[]", "no"), ("back", "/devices?patterns=no&draft=1"), ("standing", standing)]).await;
    assert!(page(&app, &to).await.contains("Not saved: topic pattern \"no\" names no {device}"), "{to}");
    assert_eq!(written(&app.json(PATH).await).len(), 2);
    // Not a place of ours: it leads nowhere else.
    let (_, to) = posts(&app, "/fn/patterns_save", &[("standing", "https://elsewhere/")]).await;
    assert!(to.starts_with("/devices?saved="), "{to}");
    assert_eq!(written(&app.json(PATH).await).len(), 1);
    app.stop().await;
}
