//! The page of devices, as a browser without script uses it: the list, changing several at once, the topics, publishing.

use app::backend::Role;
use serde_json::{Value as Json, json};

use crate::test_app::{Device, TestApp, Viewer, soon};

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |all, byte| all + &format!("%{byte:02X}"))
}

/// Posts a form as a browser does: the status, and where it leads.
async fn posts(app: &TestApp, to: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let body = fields.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect::<Vec<_>>().join("&");
    let request = format!(
        "POST {to} HTTP/1.1\r\nhost: x\r\norigin: http://x\r\nreferer: http://x/devices\r\naccept: text/html\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (status, head, _) = app.request(&request).await;
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    let location = headers.rfind(|(name, _)| name.eq_ignore_ascii_case("location")).map(|(_, to)| to.to_owned());
    (status, location.unwrap_or_default().split('#').next().unwrap_or_default().to_owned())
}

/// What a reader sees of a page, in one line.
async fn page(app: &TestApp, path: &str) -> String {
    let html = app.get(path).await;
    let html = html.split_once("<main").map_or("", |(_, body)| body);
    html.split("</main>").next().unwrap_or_default().replace("<!>", "")
}

/// The ids of the devices in the list, in their order.
fn listed(page: &str) -> Vec<&str> {
    page.split("<th scope=\"row\"><a href=\"/devices/").skip(1).map(|rest| rest.split('"').next().unwrap_or_default()).collect()
}

/// The tabs with their counts: `All 3`.
fn tabs(page: &str) -> Vec<String> {
    let group = page.split("aria-label=\"Status\"").nth(1).and_then(|rest| rest.split("</div>").next()).unwrap_or_default();
    let text = |part: &str| part.split('<').map(|piece| piece.rsplit('>').next().unwrap_or_default()).collect::<Vec<_>>().join(" ");
    group.split("</a>").map(text).map(|words| words.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|words| !words.is_empty()).collect()
}

/// A server with a device that publishes, and a viewer that follows its entities.
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

const THREE: [(&str, &str); 5] = [
    ("sensors/alpha/temperature", "21.5"),
    ("sensors/alpha/rssi", "-61"),
    ("home/attic/humidity", "40"),
    ("sensors/beta/temperature", "20"),
    ("devices/beta/status", "offline"),
];

#[tokio::test]
async fn devices_are_listed_counted_narrowed_and_ordered_by_the_address() {
    let (app, mut device, mut viewer) = started(|_| {}).await;
    assert!(page(&app, "/devices").await.contains("No devices yet"));
    // One after the other: what is heard within one millisecond is seen at the same time.
    for message in THREE {
        hears(&mut device, &mut viewer, &[message]).await;
    }
    let all = page(&app, "/devices").await;
    assert!(all.contains("4 devices: 3 online, 1 offline"), "{all}");
    assert_eq!(tabs(&all), ["All 4", "Online 3", "Stale 0", "Offline 1", "Hidden 0"]);
    assert_eq!(listed(&all), ["alpha", "attic", "beta", "end"]);
    assert!(all.contains("−61 dBm") && all.contains("2 entities") && all.contains("data-status=\"offline\""), "{all}");
    for (query, ids) in [
        ("?sort=-device", &["end", "beta", "attic", "alpha"][..]),
        ("?sort=status", &["beta", "alpha", "attic", "end"]),
        ("?sort=seen", &["end", "beta", "attic", "alpha"]),
        ("?sort=area", &["attic", "end", "alpha", "beta"]),
        ("?status=offline", &["beta"]),
        ("?q=ALPH", &["alpha"]),
        ("?q=sensors/", &["alpha", "beta"]),
        ("?area=attic", &["attic"]),
        ("?area=none&q=a", &["alpha", "beta"]),
        ("?convention=nothing", &[]),
        ("?q=%3Cscript%3E", &[]),
    ] {
        assert_eq!(listed(&page(&app, &format!("/devices{query}")).await), ids, "{query}");
    }
    let none = page(&app, "/devices?q=%3Cscript%3E").await;
    assert!(none.contains("No device matches") && !none.contains("<script>"), "{none}");
    for query in ["?status=gone", "?sort=size", "?area=A%20b", "?cursor=x"] {
        let (status, ..) = app.request(&format!("GET /devices{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        assert_eq!(status, 400, "{query}");
    }
    app.stop().await;
}

#[tokio::test]
async fn more_than_a_page_of_devices_follow_each_other_without_a_gap() {
    let (app, mut device, mut viewer) = started(|config| config.discovery.most_unclaimed = 10).await;
    let topics: Vec<String> = (0..120).map(|n| format!("sensors/d{n:03}/temperature")).collect();
    let messages: Vec<(&str, &str)> = topics.iter().map(|topic| (topic.as_str(), "1")).collect();
    hears(&mut device, &mut viewer, &messages).await;
    for sort in ["", "-device", "seen", "-seen"] {
        let (mut path, mut seen, mut n_pages) = (format!("/devices?q=d&sort={sort}"), vec![], 0);
        loop {
            let html = page(&app, &path).await;
            assert!(listed(&html).len() <= 50);
            seen.extend(listed(&html).into_iter().map(ToOwned::to_owned));
            n_pages += 1;
            let Some((before, _)) = html.split_once("Show more") else { break };
            let more = before.rsplit("href=\"").next().and_then(|rest| rest.split('"').next()).unwrap();
            path = more.replace("&amp;", "&");
        }
        assert_eq!(n_pages, 3, "{sort}");
        // The device that ends the run has a `d` in its name too.
        assert_eq!(seen.len(), 121, "{sort}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 121, "{sort}");
    }
    let html = page(&app, "/devices").await;
    assert!(html.contains("1 to 50 of 121 devices") && html.contains("111 entities are not on the overview"), "{html}");
    app.stop().await;
}

#[tokio::test]
async fn several_devices_are_moved_hidden_and_shown_by_a_plain_form() {
    let (app, mut device, mut viewer) = started(|_| {}).await;
    hears(&mut device, &mut viewer, &THREE).await;
    let two = [("devices[]", "alpha"), ("devices[]", "beta"), ("back", "/devices?q=a")];
    let (status, to) = posts(&app, "/fn/devices_change", &[&two[..], &[("act", "move"), ("new_area", "Top <b> floor")]].concat()).await;
    assert!(status == 302 && to.starts_with("/devices?q=a&done="), "{status} {to}");
    let html = page(&app, &to).await;
    assert!(html.contains("2 devices moved to Top &lt;b&gt; floor."), "{html}");
    assert!(!page(&app, "/devices?done=made-up").await.contains("moved to"));
    let area = app.json("/api/v1/devices/alpha").await["area"].as_str().unwrap().to_owned();
    assert_eq!((app.json("/api/v1/devices/beta").await["area"].as_str(), area.as_str()), (Some("top__b__floor"), "top__b__floor"));
    assert_eq!(app.json("/api/v1/areas/top__b__floor").await["name"], "Top <b> floor");
    // The same name is the same area.
    let again = [("devices[]", "attic"), ("act", "move"), ("new_area", "top <B> floor")];
    posts(&app, "/fn/devices_change", &again).await;
    assert_eq!(listed(&page(&app, "/devices?area=top__b__floor").await), ["alpha", "attic", "beta"]);
    posts(&app, "/fn/devices_change", &[("devices[]", "attic"), ("act", "move"), ("area", "-")]).await;
    assert_eq!(app.json("/api/v1/devices/attic").await["area"], "attic");

    posts(&app, "/fn/devices_change", &[&two[..2], &[("act", "hide")]].concat()).await;
    let html = page(&app, "/devices").await;
    assert_eq!((listed(&html), tabs(&html).pop().as_deref()), (vec!["attic", "end"], Some("Hidden 2")));
    assert!(!page(&app, "/").await.contains("alpha.temperature"));
    assert_eq!(listed(&page(&app, "/devices?status=hidden").await), ["alpha", "beta"]);
    posts(&app, "/fn/devices_change", &[&two[..2], &[("act", "show")]].concat()).await;
    assert_eq!(listed(&page(&app, "/devices").await), ["alpha", "attic", "beta", "end"]);

    // Each change is an entry, as one over REST is.
    let log = app.json("/api/v1/activity?kind=settings&limit=100").await;
    let n = |what: &str| log["items"].as_array().unwrap().iter().filter(|item| item["what"] == what).count();
    assert_eq!((n("device.written"), n("entity.written"), n("area.written")), (4, 6, 1));
    for (fields, words) in [
        (vec![("act", "hide")], "No device is selected"),
        (vec![("devices[]", "alpha"), ("act", "move")], "Choose an area"),
        (vec![("devices[]", "alpha"), ("act", "move"), ("area", "nowhere")], "Unknown area \"nowhere\""),
        (vec![("devices[]", "<b>"), ("act", "hide")], "Unknown device \"&lt;b&gt;\""),
    ] {
        let (_, to) = posts(&app, "/fn/devices_change", &[&fields[..], &[("back", "https://evil.example/")]].concat()).await;
        assert!(to.starts_with("/devices?done="), "{to}");
        let html = page(&app, &to).await;
        assert!(html.contains(words) && html.contains("role=\"alert\""), "{words}: {html}");
    }
    app.stop().await;
}

#[tokio::test]
async fn what_the_file_says_is_not_changed_and_that_is_told() {
    let id = domain::entity::EntityId::parse("alpha.temperature").unwrap();
    let (app, mut device, mut viewer) = started(|config| {
        config.entities.push((id, domain::written::Override { hidden: Some(false), ..Default::default() }));
    })
    .await;
    hears(&mut device, &mut viewer, &THREE).await;
    let (_, to) = posts(&app, "/fn/devices_change", &[("devices[]", "alpha"), ("devices[]", "beta"), ("act", "hide"), ("back", "/devices")]).await;
    let html = page(&app, &to).await;
    assert!(html.contains("1 of 2 devices not hidden: hidden is written in the configuration file"), "{html}");
    app.stop().await;
}

#[tokio::test]
async fn topics_are_shown_level_by_level_with_their_last_message() {
    let (mut app, mut device, mut viewer) = started(|_| {}).await;
    device.publishes("control/lights/alpha", "on", true).await;
    device.publishes("raw/bytes", vec![0xff, 0x00], false).await;
    let json = r#"{"b":1,"a":"<b>"}"#;
    hears(&mut device, &mut viewer, &[&THREE[..], &[("raw/json", json), ("sensors/alpha/temperature", "no number")]].concat()).await;
    let top = page(&app, "/devices").await;
    assert!(top.contains("aria-expanded=\"false\"") && top.contains("topic=sensors%2F\""), "{top}");
    let open = page(&app, "/devices?topic=sensors/alpha/temperature").await;
    let rows = open.split("role=\"tree\"").nth(1).unwrap();
    assert_eq!(rows.matches("role=\"group\"").count(), 2, "{rows}");
    for wanted in ["href=\"/devices/alpha\"", "alpha.temperature", "no number", "1 message could not be read", "QoS 1", "9 bytes", "Read by"] {
        assert!(rows.contains(wanted), "{wanted}: {rows}");
    }
    assert!(page(&app, "/devices?topic=raw/json").await.contains("{\n  \"b\": 1,\n  \"a\": \"&lt;b&gt;\"\n}"));
    assert!(page(&app, "/devices?topic=raw/bytes").await.contains("ff 00"));
    let filtered = page(&app, "/devices?topics=sensors/%2B/temperature").await;
    assert!(filtered.contains("<b>sensors</b>") && filtered.contains("<b>beta</b>") && !filtered.contains("<b>raw</b>"), "{filtered}");
    assert!(page(&app, "/devices?topics=nothing/here").await.contains("No topic passes this filter"));
    assert!(page(&app, "/devices?topics=a%2B").await.contains("has a wildcard in the wrong place"));
    let long = "a/".repeat(40);
    let (status, ..) = app.request(&format!("GET /devices?topic={long} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
    assert_eq!(status, 400);
    // What the broker keeps is heard again by a server that starts.
    app.restart().await;
    soon("the warning", async { while !page(&app, "/devices?topic=control/lights/alpha").await.contains("A command is retained here") {} }).await;
    app.stop().await;
}

#[tokio::test]
async fn what_is_published_by_hand_reaches_the_broker_and_the_log_or_says_why_not() {
    let (app, mut device, _viewer) = started(|_| {}).await;
    device.subscribes("hand/#").await;
    let form = [("topic", "hand/lamp/set"), ("payload", "ON <b>"), ("qos", "1"), ("back", "/devices?topic=hand/")];
    let (status, to) = posts(&app, "/fn/publish", &form).await;
    assert!(status == 302 && to.starts_with("/devices?topic=hand/&sent="), "{status} {to}");
    assert_eq!(device.receives().await, ("hand/lamp/set".into(), "ON <b>".into(), 1, false));
    let html = page(&app, &to).await;
    assert!(html.contains("Acknowledged by ") && html.contains(" ms."), "{html}");
    posts(&app, "/fn/publish", &[("topic", "hand/kept"), ("payload", "1"), ("qos", "2"), ("retain", "on"), ("back", "/devices")]).await;
    assert_eq!(device.receives().await.0, "hand/kept");
    let mut late = app.device().await;
    late.subscribes("hand/#").await;
    assert_eq!(late.receives().await, ("hand/kept".into(), "1".into(), 1, true), "only what was asked to be kept is");
    for (topic, words) in [("hand/+", "holds a wildcard"), ("$SYS/x", "belongs to the broker"), ("", "must not be empty")] {
        let (_, to) = posts(&app, "/fn/publish", &[("topic", topic), ("payload", "typed"), ("qos", "1"), ("back", "/devices")]).await;
        let html = page(&app, &to).await;
        assert!(html.contains(words) && html.contains("aria-invalid=\"true\"") && html.contains("typed</textarea>"), "{words}: {html}");
    }
    let (_, to) = posts(&app, "/fn/publish", &[("topic", "hand/a"), ("qos", "1"), ("link", "no<b>"), ("back", "/devices")]).await;
    assert!(page(&app, &to).await.contains("Unknown broker \"no&lt;b&gt;\""));
    let log = app.json("/api/v1/activity?kind=control").await;
    let items = log["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{log}");
    let Json::Object(first) = &items[1] else { panic!("{log}") };
    assert_eq!((&first["what"], &first["who"], &first["outcome"]), (&json!("message.published"), &json!("anonymous"), &json!("done")));
    assert_eq!((&first["detail"]["topic"], &first["detail"]["payload"]), (&json!("hand/lamp/set"), &json!("ON <b>")));
    assert!(app.get("/activity?kind=control").await.contains("Published to hand/lamp/set"));
    app.stop().await;
}

#[tokio::test]
async fn a_broker_that_is_away_is_told_and_nothing_is_said_to_be_sent() {
    let folder = tempfile::tempdir().unwrap();
    let config = crate::test_app::config_beside(folder.path(), 9);
    let app = server::application::Application::start(&config, server::application::Play::Real).await.unwrap();
    let body = "topic=a/b&payload=1&qos=1";
    let request = format!(
        "POST /fn/publish HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (status, _, answer) = crate::test_app::request_to(app.http_addr(), &request).await;
    let told: Json = serde_json::from_str(&answer).unwrap();
    assert_eq!((status, &told["failed"], &told["words"]), (200, &json!(true), &json!("Not published: no connection to the broker")));
    app.stop().await;
}

#[tokio::test]
async fn viewers_look_and_change_nothing() {
    let (app, mut device, mut viewer) = started(|config| config.auth.anonymous = Some(Role::Viewer)).await;
    device.subscribes("hand/#").await;
    hears(&mut device, &mut viewer, &THREE).await;
    let html = page(&app, "/devices?topic=sensors/").await;
    assert_eq!(listed(&html), ["alpha", "attic", "beta", "end"]);
    assert!(!html.contains("devices[]") && !html.contains("action=\"/fn/publish\"") && html.contains("operator rights are needed"), "{html}");
    for (to, fields) in [
        ("/fn/devices_change", &[("devices[]", "alpha"), ("act", "hide")][..]),
        ("/fn/publish", &[("topic", "hand/a"), ("payload", "1"), ("qos", "1")]),
    ] {
        assert_eq!(posts(&app, to, fields).await.0, 403, "{to}");
    }
    assert_eq!(tabs(&page(&app, "/devices").await).pop().as_deref(), Some("Hidden 0"));
    // What the device itself says next is the first that is heard.
    device.publishes("hand/mark", "1", false).await;
    assert_eq!(device.receives().await.0, "hand/mark");
    assert_eq!(app.json("/api/v1/activity?kind=settings").await["items"], json!([]));
    app.stop().await;
}
