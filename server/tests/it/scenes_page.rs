//! The page of groups, scenes and schedules, as a browser without script uses it.

use serde_json::json;

use crate::groups::{lamps, obey};
use crate::test_app::TestApp;

/// Posts a form as a browser does; where it leads.
async fn posts(app: &TestApp, to: &str, fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| text.bytes().fold(String::new(), |all, byte| all + &format!("%{byte:02X}"));
    let body = fields.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect::<Vec<_>>().join("&");
    let request = format!(
        "POST {to} HTTP/1.1\r\nhost: x\r\norigin: http://x\r\nreferer: http://x/scenes\r\naccept: text/html\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (status, head, body) = app.request(&request).await;
    assert_eq!(status, 302, "{head}\n{body}");
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    headers.rfind(|(name, _)| name.eq_ignore_ascii_case("location")).map(|(_, to)| to.to_owned()).unwrap_or_default()
}

/// What a reader sees of a page.
async fn page(app: &TestApp, path: &str) -> String {
    let html = app.get(path).await;
    let html = html.split_once("<main").map_or("", |(_, body)| body);
    html.split("</main>").next().unwrap_or_default().replace("<!>", "")
}

#[tokio::test]
async fn everything_is_made_run_and_deleted_by_plain_forms() {
    let app = TestApp::start().await;
    let (_viewer, mut device) = lamps(&app, &["a", "b"]).await;
    assert!(page(&app, "/scenes").await.contains("No scenes yet"));

    let form = page(&app, "/scenes?edit=group").await;
    assert!(form.contains("name=\"members[]\" value=\"a.light\""), "{form}");
    let to = posts(&app, "/fn/group_save", &[("id", ""), ("name", "Both lamps"), ("members[]", "a.light"), ("members[]", "b.light")]).await;
    assert_eq!(to, "/scenes#groups");
    assert_eq!(app.json("/api/v1/groups/both_lamps").await["members"], json!(["a.light", "b.light"]));

    let rows = [
        ("entities[]", "a.light"),
        ("actions[]", "turn_on"),
        ("brightness[]", "30"),
        ("entities[]", "b.light"),
        ("actions[]", ""),
        ("brightness[]", ""),
    ];
    let fields = [&[("id", ""), ("name", "Evening <b>")], &rows[..]].concat();
    assert_eq!(posts(&app, "/fn/scene_save", &fields).await, "/scenes#scenes");
    let id = app.json("/api/v1/scenes").await["items"][0]["id"].as_str().unwrap().to_owned();
    let known = app.json(&format!("/api/v1/scenes/{id}")).await;
    assert_eq!(known["commands"], json!([{"entity": "a.light", "action": "turn_on", "brightness": 30}]));

    let scene = [("kind", "scene"), ("id", id.as_str())];
    let (to, _) = tokio::join!(posts(&app, "/fn/plan_run", &scene), obey(&mut device, 1, &["a"]));
    assert_eq!(to, "/scenes");
    let html = page(&app, "/scenes").await;
    assert!(html.contains("Evening &lt;b&gt;") && html.contains("on at 30 %: confirmed"), "{html}");

    let schedule = [
        ("id", ""),
        ("name", "Morning"),
        ("enabled", "on"),
        ("when", "cron"),
        ("cron", "0 7 * * *"),
        ("offset_min", "0"),
        ("target", "b.light"),
        ("action", "turn_off"),
        ("brightness", ""),
    ];
    assert_eq!(posts(&app, "/fn/schedule_save", &schedule).await, "/scenes#schedules");
    assert_eq!(app.json("/api/v1/schedules/morning").await["run"], json!({"entity": "b.light", "action": "turn_off"}));
    let html = page(&app, "/scenes?edit=schedule:morning").await;
    assert!(html.contains("value=\"0 7 * * *\"") && html.contains(", 07:00"), "{html}");

    assert!(page(&app, "/scenes?delete=group:both_lamps").await.contains("Delete the group Both lamps?"));
    for (kind, id) in [("group", "both_lamps"), ("schedule", "morning"), ("scene", &id)] {
        assert_eq!(posts(&app, "/fn/plan_delete", &[("kind", kind), ("id", id)]).await, "/scenes");
    }
    for list in ["groups", "scenes", "schedules"] {
        assert_eq!(app.json(&format!("/api/v1/{list}")).await["items"], json!([]), "{list}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_form_that_is_refused_says_why_on_the_page() {
    let app = TestApp::start().await;
    let (_viewer, _device) = lamps(&app, &["a"]).await;
    for (to, fields, words) in [
        ("/fn/group_save", vec![("name", "All")], "a group has 1 to 100 members"),
        (
            "/fn/scene_save",
            vec![("name", "x"), ("entities[]", "a.light"), ("actions[]", "turn_on"), ("brightness[]", "200")],
            "no whole number from 0 to 100",
        ),
        (
            "/fn/schedule_save",
            vec![("name", "x"), ("when", "cron"), ("cron", "soon"), ("target", "a.light"), ("action", "turn_on")],
            "five fields are needed",
        ),
        ("/fn/schedule_save", vec![("name", "x"), ("when", "sunset"), ("target", "a.light"), ("action", "turn_on")], "location.latitude"),
        ("/fn/plan_run", vec![("kind", "scene"), ("id", "none")], "was not found"),
    ] {
        // The case of the address matters: what was refused is part of it.
        let encode = |text: &str| text.bytes().fold(String::new(), |all, byte| all + &format!("%{byte:02X}"));
        let body = fields.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect::<Vec<_>>().join("&");
        let request = format!(
            "POST {to} HTTP/1.1\r\nhost: x\r\nreferer: http://x/scenes\r\naccept: text/html\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (_, head, _) = app.request(&request).await;
        let location = head.lines().find_map(|line| line.strip_prefix("location: http://x")).unwrap_or_else(|| panic!("{head}")).to_owned();
        let html = page(&app, &location).await;
        assert!(html.contains("role=\"alert\"") && html.contains(words), "{words}: {html}");
    }
    let (status, _, _) = app.request("GET /scenes?edit=scene:none HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status, 404);
    app.stop().await;
}

#[tokio::test]
async fn a_form_that_is_refused_leads_back_to_the_page_that_says_why() {
    let app = TestApp::start().await;
    let fields = [("id", ""), ("name", "Dawn"), ("enabled", "on"), ("when", "cron"), ("cron", "61 7 * * *"), ("target", "scene:dawn")];
    let to = posts(&app, "/fn/schedule_save", &fields).await;
    let path = to.strip_prefix("http://x").unwrap_or_else(|| panic!("{to}"));
    assert!(page(&app, path).await.contains("no cron pattern"), "{to}");
    app.stop().await;
}

#[tokio::test]
async fn a_scene_asks_things_of_all_kinds_and_a_form_shows_what_it_asked() {
    use domain::entity::EntityKind::{Button, Climate, Cover, Number, Select};
    let app = TestApp::start_with(|config| config.declared = crate::openapi::things(&[Button, Climate, Cover, Number, Select])).await;
    let row = |entity: &'static str, action: &'static str, value: &'static str| {
        [("entities[]", entity), ("actions[]", action), ("brightness[]", ""), ("values[]", value)]
    };
    let scene = |rows: &[[(&'static str, &'static str); 4]]| [&[("id", ""), ("name", "Night")], &*rows.concat()].concat();
    let all =
        [row("plant.button", "press", ""), row("plant.cover", "set", "40"), row("plant.number", "set", "41.5"), row("plant.select", "set", "heat")];
    assert_eq!(posts(&app, "/fn/scene_save", &scene(&all)).await, "/scenes#scenes");
    let known = app.json("/api/v1/scenes/night").await;
    assert_eq!(
        known["commands"],
        json!([
            {"entity": "plant.button", "action": "press"},
            {"entity": "plant.cover", "action": "set", "position": 40},
            {"entity": "plant.number", "action": "set", "value": 41.5},
            {"entity": "plant.select", "action": "set", "value": "heat"},
        ])
    );
    let html = page(&app, "/scenes").await;
    assert!(html.contains("to 40 %") && html.contains("to 41.5") && html.contains("to heat"), "{html}");

    // What a form does not show stays as it is when the scene is saved again.
    let climate = json!({"name": "Night", "commands": [{"entity": "plant.climate", "action": "set", "temperature": 18.0}, known["commands"][2]]});
    assert_eq!(app.sends("PUT", "/api/v1/scenes/night", &climate.to_string()).await.0, 200);
    let html = page(&app, "/scenes?edit=scene:night").await;
    assert!(html.contains("value=\"41.5\"") && html.contains("1 commands of other kinds"), "{html}");
    let fields = [&[("id", "night"), ("name", "Night")], &row("plant.number", "set", "20")[..]].concat();
    assert_eq!(posts(&app, "/fn/scene_save", &fields).await, "/scenes#scenes");
    let commands = app.json("/api/v1/scenes/night").await["commands"].take();
    assert_eq!((&commands[0]["temperature"], &commands[1]["value"]), (&json!(18.0), &json!(20.0)));

    for (bad, words) in [
        (row("plant.cover", "set", "140"), "position of Cover: \"140\" is no whole number from 0 to 100"),
        (row("plant.number", "set", "much"), "value of Number: \"much\" is no number"),
        (row("plant.select", "set", ""), "value of Select: it is missing"),
    ] {
        let to = posts(&app, "/fn/scene_save", &scene(&[bad])).await;
        let html = page(&app, to.strip_prefix("http://x").unwrap_or(&to)).await;
        assert!(html.replace("&quot;", "\"").to_lowercase().contains(&words.to_lowercase()), "{words}: {html}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_form_that_is_refused_comes_back_as_it_was_typed() {
    let app = TestApp::start().await;
    let (_viewer, _device) = lamps(&app, &["a", "b"]).await;
    let rows = [
        ("entities[]", "a.light"),
        ("actions[]", "turn_on"),
        ("brightness[]", "7000"),
        ("values[]", ""),
        ("entities[]", "b.light"),
        ("actions[]", "turn_off"),
        ("brightness[]", "33"),
        ("values[]", ""),
    ];
    let encode = |text: &str| text.bytes().fold(String::new(), |all, byte| all + &format!("%{byte:02X}"));
    let fields = [&[("id", ""), ("name", "Dusk <i>")], &rows[..]].concat();
    let body = fields.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect::<Vec<_>>().join("&");
    let request = format!(
        "POST /fn/scene_save HTTP/1.1\r\nhost: x\r\norigin: http://x\r\nreferer: http://x/scenes?edit=scene\r\naccept: text/html\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (status, head, _) = app.request(&request).await;
    assert_eq!(status, 302, "{head}");
    let header = |wanted: &str| {
        let mut all = head.lines().filter_map(|line| line.split_once(": ")).filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        all.next_back().map(|(_, value)| value.to_owned()).unwrap_or_else(|| panic!("{wanted}: {head}"))
    };
    let (to, cookie) = (header("location"), header("set-cookie"));
    assert!(cookie.contains("HttpOnly") && cookie.starts_with("draft="), "{cookie}");
    let path = to.strip_prefix("http://x").unwrap_or(&to);
    let shown = async |cookie: &str| app.request(&format!("GET {path} HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n")).await.2;
    let html = shown(cookie.split(';').next().unwrap()).await;
    assert!(html.contains("Brightness of "), "{html}");
    for typed in ["value=\"Dusk &lt;i&gt;\"", "value=\"7000\"", "value=\"33\""] {
        assert!(html.contains(typed), "{typed}: {html}");
    }
    let stranger = shown("draft=0123456789abcdef0123456789abcdef").await;
    assert!(!stranger.contains("value=\"7000\""));
    app.stop().await;
}
