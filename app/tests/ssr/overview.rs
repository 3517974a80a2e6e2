//! The overview as the server renders it.

use app::backend::Role;
use app::theme::Theme;
use domain::entity::EntityKind;
use domain::value::Value;

use crate::fake::{Fake, number, tile};
use crate::render::{keep, render};

async fn farm(path: &str) -> String {
    let (status, html) = render(path, Fake::farm(), Role::Operator, Theme::Auto).await;
    assert_eq!(status, 200);
    html
}

/// The visible part: without the data that travels for hydration.
fn visible(html: &str) -> &str {
    html.split_once("<body").and_then(|(_, body)| body.split_once("<svg class=\"sprite\"")).map_or(html, |(body, _)| body)
}

/// The HTML of one tile.
fn tile_html<'a>(html: &'a str, id: &str) -> &'a str {
    let start = html.find(&format!("<article id=\"{id}\"")).expect(id);
    let len = html[start..].find("</article>").expect("a tile ends");
    &html[start..start + len]
}

#[tokio::test]
async fn every_value_is_in_the_html() {
    let html = farm("/").await;
    keep("overview.html", &html);
    for (id, shown) in [
        ("lr.temperature", "<data value=\"21.4\">21.4</data>"),
        ("lr.humidity", "46"),
        ("door.contact", "Closed"),
        ("ceiling.light", "65 %"),
        ("ceiling.light", "2900 K"),
        ("floor-lamp.switch", "Turning on"),
        ("misting.valve", "Not confirmed"),
        ("irrigation.mode", "Auto, drip"),
        ("line.flow", "m³/h"),
        ("pump-2.rpm", "Offline"),
        ("van12.cargo", "<data value=\"-18.2\">−18.2</data>"),
        ("van12.cargo", "Stale"),
        ("van12.tyre", "No reading"),
        ("gh.temperature", "Above 34.0, since 13:57"),
        ("motor-1.temperature", "Back to normal"),
    ] {
        assert!(tile_html(&html, id).contains(shown), "{id} misses {shown}:\n{}", tile_html(&html, id));
    }
    for text in ["22 entities: 19 fresh, 1 stale, 1 offline, 1 unknown", "7 entities, all fresh", "farm-broker, 42 msg/s", "Up 12 d 6 h", "14:03:26"]
    {
        assert!(visible(&html).contains(text), "{text}");
    }
    for bad in ["undefined", "NaN", "None", "Some("] {
        assert!(!visible(&html).contains(bad), "{bad}");
    }
}

#[tokio::test]
async fn a_switch_is_a_form_that_works_without_script() {
    let html = farm("/").await;
    let pump = tile_html(&html, "pump-1.switch");
    for part in [
        "method=\"post\" action=\"/fn/command\"",
        "name=\"entity\" value=\"pump-1.switch\"",
        "name=\"action\" value=\"turn_off\"",
        "role=\"switch\" aria-checked=\"true\" aria-labelledby=\"pump-1.switch-n\" aria-describedby=\"pump-1.switch-f\"",
    ] {
        assert!(pump.contains(part), "{part}:\n{pump}");
    }
    let lamp = tile_html(&html, "floor-lamp.switch");
    assert!(lamp.contains("aria-checked=\"false\"") && lamp.contains("data-command=\"pending\" data-target=\"on\" aria-busy=\"true\""), "{lamp}");
    assert!(tile_html(&html, "ceiling.light").contains("name=\"brightness\" min=\"1\" max=\"100\" step=\"1\" value=\"65\""));
    assert!(!tile_html(&html, "living-room.light").contains("Warmth"));
    assert!(tile_html(&html, "grow.light").contains(" disabled"));
}

#[tokio::test]
async fn viewers_find_controls_disabled() {
    let (_, html) = render("/", Fake::farm(), Role::Viewer, Theme::Auto).await;
    let pump = tile_html(&html, "pump-1.switch");
    assert!(pump.contains("disabled") && pump.contains("view only"), "{pump}");
}

#[tokio::test]
async fn alarms_stand_above_everything_in_order_of_urgency() {
    let html = farm("/").await;
    let page = visible(&html);
    let at = |text: &str| page.find(text).expect(text);
    assert!(at("Air temperature 34.6\u{a0}°C") < at("Pump 2 drive offline"));
    assert!(at("Pump 2 drive offline") < at("Motor 1 back at 68.3\u{a0}°C"));
    assert!(at("Motor 1 back at") < at("<h1>Overview</h1>"));
    for text in [
        "Greenhouse 1, above 34.0, since 13:57",
        "Pump house, was above 80.0",
        "All 5 active alarms",
        "Active alarms: 1 critical, 3 warning, 1 notice",
    ] {
        at(text);
    }
    assert!(page.contains("action=\"/fn/acknowledge\"") && page.contains("name=\"alarm\" value=\"rule.gh.temperature\""));
}

#[tokio::test]
async fn text_of_strangers_stays_text() {
    let hostile = "<img src=x onerror=alert(1)>\"'&";
    let mut fake = Fake::farm();
    let mut evil =
        tile("living", "evil.mode", hostile, hostile, EntityKind::Sensor, Some(Value::Text("</script><script>alert(2)</script>".to_owned())));
    evil.entity.topic = hostile.to_owned();
    fake.tiles.push(evil);
    let mut unit = number("living", "evil.number", "Number", "gauge", (1.0, "<b>x</b>", 0.0));
    unit.entity.word_on = Some(hostile.to_owned());
    fake.tiles.push(unit);
    fake.areas[0].name = hostile.to_owned();
    fake.alarms[0].message = hostile.to_owned();
    fake.alarms[0].condition = hostile.to_owned();
    let (_, html) = render("/", fake, Role::Operator, Theme::Auto).await;
    for bad in ["<img", "<script>", "<b>x</b>"] {
        assert!(!html.contains(bad), "{bad} at {:?}", html.find(bad).map(|at| &html[at.saturating_sub(80)..at + 40]));
    }
    assert!(visible(&html).contains("&lt;img src=x onerror=alert(1)&gt;"));
}

#[tokio::test]
async fn the_same_data_makes_the_same_page() {
    // Nothing in the page comes from the clock, a random number or the order of a map.
    let (one, other) = (farm("/").await, farm("/").await);
    let without_nonce = |html: &str| html.split("nonce=\"").map(|part| part.split_once('"').map_or(part, |(_, rest)| rest)).collect::<String>();
    assert_eq!(without_nonce(visible(&one)), without_nonce(visible(&other)));
}

#[tokio::test]
async fn the_search_filters_on_the_server_too() {
    let html = farm("/?q=pump%20SWITCH").await;
    let page = visible(&html);
    assert!(page.contains("id=\"pump-1.switch\"") && !page.contains("id=\"lr.temperature\"") && page.contains("value=\"pump SWITCH\""));
    assert!(visible(&farm("/?q=nothing-like-that").await).contains("Nothing matches"));
}

#[tokio::test]
async fn the_theme_is_painted_by_the_server() {
    let (_, html) = render("/", Fake::farm(), Role::Operator, Theme::Dark).await;
    keep("overview-dark.html", &html);
    assert!(html.contains("<html lang=\"en\" data-theme=\"dark\" data-build=\"b1\">"), "{}", &html[..200]);
    assert!(!farm("/").await.contains("data-theme=\"dark\""));
}

#[tokio::test]
async fn a_house_without_devices_says_what_to_do() {
    let (status, html) = render("/", Fake::default(), Role::Operator, Theme::Auto).await;
    keep("empty.html", &html);
    assert_eq!(status, 200);
    assert!(visible(&html).contains("No device yet") && visible(&html).contains("mosquitto_pub"));
}

#[tokio::test]
async fn trouble_of_the_server_is_said_without_its_cause() {
    let (status, html) = render("/", Fake { fails: true, ..Fake::default() }, Role::Operator, Theme::Auto).await;
    assert_eq!(status, 500);
    assert!(visible(&html).contains("The server could not answer"));
}

#[tokio::test]
async fn what_does_not_exist_has_the_status_404() {
    for path in ["/nothing/here", "/alarms", "/devices", "/settings"] {
        assert_eq!(render(path, Fake::farm(), Role::Operator, Theme::Auto).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn scripts_carry_the_nonce_and_no_handler_is_inline() {
    let html = farm("/").await;
    assert!(html.contains("import init, { hydrate } from \"/pkg/signalbox.abc.js\"") || html.contains("/pkg/signalbox.abc.js"));
    for script in html.split("<script").skip(1) {
        assert!(script.split('>').next().is_some_and(|tag| tag.contains("nonce=")), "{}", &script[..script.len().min(120)]);
    }
    for bad in [" style=\"", " onclick=", " onload="] {
        assert!(!html.contains(bad), "{bad}");
    }
}
