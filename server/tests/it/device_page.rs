//! The page of a device, as a browser without script uses it.

use app::backend::Role;
use serde_json::json;

use crate::test_app::{TestApp, Viewer};

/// Posts a form of a device's page as a browser does: where it leads.
async fn posts(app: &TestApp, device: &str, fields: &[(&str, &str)]) -> String {
    let (status, to) = post_to(app, "/fn/device_change", device, &[&[("id", device)], fields].concat()).await;
    assert_eq!(status, 302, "{fields:?}");
    to
}

async fn post_to(app: &TestApp, to: &str, device: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let encode = |text: &str| text.bytes().fold(String::new(), |all, byte| all + &format!("%{byte:02X}"));
    let body = fields.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect::<Vec<_>>().join("&");
    let request = format!(
        "POST {to} HTTP/1.1\r\nhost: x\r\norigin: http://x\r\nreferer: http://x/devices/{device}?edit=name\r\naccept: text/html\r\n\
         connection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (status, head, _) = app.request(&request).await;
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    (status, headers.rfind(|(name, _)| name.eq_ignore_ascii_case("location")).map(|(_, to)| to.to_owned()).unwrap_or_default())
}

/// What a reader sees of a page.
async fn page(app: &TestApp, path: &str) -> String {
    let html = app.get(path).await;
    let html = html.split_once("<main").map_or("", |(_, body)| body);
    html.split("</main>").next().unwrap_or_default().replace("<!>", "")
}

/// What the page says after a form was refused.
async fn refused(app: &TestApp, device: &str, fields: &[(&str, &str)]) -> String {
    let to = posts(app, device, fields).await;
    let path = to.strip_prefix("http://x").unwrap_or(&to).to_owned();
    assert!(path.contains("__err="), "{path}");
    let html = page(app, &path).await;
    let alert = html.split("id=\"problem\"").nth(1).unwrap_or_default();
    let words = alert.split("<p>").nth(1).and_then(|rest| rest.split("</p>").next());
    words.unwrap_or_else(|| panic!("{path}: {html}")).to_owned()
}

/// Two devices, one with two entities.
async fn plant() -> (TestApp, Viewer) {
    let app = TestApp::start().await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut device = app.device().await;
    for (topic, id) in [("sensors/node/temperature", "node.temperature"), ("sensors/node/rssi", "node.rssi"), ("sensors/other/co2", "other.co2")] {
        device.publishes(topic, "41", false).await;
        viewer.sees(id, |change| change["v"] == 41.0).await;
    }
    (app, viewer)
}

#[tokio::test]
async fn a_device_is_named_moved_and_hidden_by_plain_forms() {
    let (app, _viewer) = plant().await;
    let html = page(&app, "/devices/node").await;
    for wanted in ["href=\"/devices/node?edit=name\"", "sensors/node", "messages per minute", ">Hide<", "data-level=\"1\"", "Topic that it reads"] {
        assert!(html.contains(wanted), "{wanted}: {html}");
    }
    assert_eq!(posts(&app, "node", &[("act", "name"), ("name", "Boiler <room>")]).await, "/devices/node?done=name");
    assert!(page(&app, "/devices/node?done=name").await.contains("Boiler &lt;room&gt;"));
    assert_eq!(posts(&app, "node", &[("act", "name"), ("name", " ")]).await, "/devices/node?done=name");
    assert_eq!(app.json("/api/v1/devices/node").await["name"], "Node");
    let html = page(&app, "/devices/node").await;
    let activity = html.split_once(">Activity<").map_or("", |(_, rest)| rest);
    assert!(activity.contains("href=\"/activity?q=node\"") && activity.contains("Node changed"), "{html}");
    assert!(!page(&app, "/devices/other").await.contains("All activity"), "what was done to another device");
    assert!(refused(&app, "node", &[("act", "name"), ("name", &"x".repeat(81))]).await.starts_with("Name is no text of 1 to 80"));
    assert!(refused(&app, "node", &[("act", "grill")]).await.contains("\"grill\" is unknown"));

    assert_eq!(posts(&app, "node", &[("act", "area"), ("new_area", "Züri Keller")]).await, "/devices/node?done=area");
    assert_eq!(app.json("/api/v1/areas/z_ri_keller").await["name"], "Züri Keller");
    assert_eq!(app.json("/api/v1/entities/node.rssi").await["area"], "z_ri_keller");
    // Another name that would make the same id is another area; the same name is the same.
    for (name, id) in [("Zöri Keller", "z_ri_keller-2"), ("züri keller", "z_ri_keller")] {
        posts(&app, "other", &[("act", "area"), ("new_area", name)]).await;
        assert_eq!(app.json("/api/v1/devices/other").await["area"], id, "{name}");
    }
    assert_eq!(posts(&app, "other", &[("act", "area"), ("area", "-")]).await, "/devices/other?done=area");
    assert_eq!(app.json("/api/v1/devices/other").await["area"], json!(null));
    assert!(refused(&app, "other", &[("act", "area"), ("area", "Living Room")]).await.starts_with("Area is no id"));

    let hidden = async || {
        let mut hidden = vec![];
        for id in ["node.rssi", "node.temperature"] {
            hidden.push(app.json(&format!("/api/v1/entities/{id}")).await["hidden"] == true);
        }
        hidden
    };
    assert_eq!(posts(&app, "node", &[("act", "hide-entity"), ("entity", "node.rssi")]).await, "/devices/node?done=entity-hidden");
    assert_eq!(hidden().await, [true, false]);
    assert!(page(&app, "/devices/node").await.contains("Diagnostics and settings (1)"));
    assert_eq!(posts(&app, "node", &[("act", "hide")]).await, "/devices/node?done=hidden");
    assert_eq!(hidden().await, [true, true]);
    let html = page(&app, "/devices/node").await;
    assert!(html.contains("<details open class=\"card hidden-ones\"") || html.contains("class=\"card hidden-ones\" open"), "{html}");
    assert!(html.contains(">Show<"));
    assert_eq!(posts(&app, "node", &[("act", "show")]).await, "/devices/node?done=shown");
    assert_eq!(hidden().await, [false, false]);
    app.stop().await;
}

#[tokio::test]
async fn an_entity_gets_another_name_unit_and_decimals_and_what_is_not_changed_is_not_written() {
    let (app, _viewer) = plant().await;
    let change = |name: &'static str, unit: &'static str, precision: &'static str| {
        [("act", "entity"), ("entity", "node.temperature"), ("name", name), ("unit", unit), ("precision", precision)]
    };
    assert_eq!(posts(&app, "node", &change("Flow", "K", "2")).await, "/devices/node?done=entity");
    let entity = app.json("/api/v1/entities/node.temperature").await;
    assert_eq!((&entity["name"], &entity["unit"], &entity["precision"]), (&json!("Flow"), &json!("K"), &json!(2)));
    // The rest of the form stands there as it was shown.
    posts(&app, "node", &change("", "K", "2")).await;
    let log = app.json("/api/v1/activity?kind=settings").await;
    assert_eq!(log["items"][0]["detail"]["written"], json!({"name": null}));
    assert_eq!(app.json("/api/v1/entities/node.temperature").await["name"], "Temperature");
    assert!(refused(&app, "node", &change("", "", "many")).await.starts_with("Precision is no whole number from 0 to 3"));
    let other = [("act", "entity"), ("entity", "other.co2"), ("name", "x")];
    assert!(refused(&app, "node", &other).await.contains("is none of this device"));
    app.stop().await;
}

#[tokio::test]
async fn a_unit_out_of_a_text_is_marked_as_guessed_until_the_form_is_saved_with_it() {
    let (app, mut viewer) = plant().await;
    let mut device = app.device().await;
    device.publishes("sensors/node/level", "56%", true).await;
    viewer.sees("node.level", |_| true).await;
    let level = || app.json("/api/v1/entities/node.level");
    assert_eq!((&level().await["unit"], &level().await["unit_guessed"]), (&json!("%"), &json!(true)));
    assert!(app.json("/api/v1/entities/node.temperature").await.get("unit_guessed").is_none());
    assert!(page(&app, "/devices/node").await.contains(" guessed</small>"));
    assert!(page(&app, "/devices/node?edit=node.level").await.contains("Guessed: it stood in the text of a message."));
    let form = [("act", "entity"), ("entity", "node.level"), ("name", "Level"), ("unit", "%"), ("precision", "")];
    assert_eq!(posts(&app, "node", &form).await, "/devices/node?done=entity");
    assert_eq!((&level().await["unit"], level().await.get("unit_guessed")), (&json!("%"), None));
    assert!(!page(&app, "/devices/node").await.contains(" guessed</small>"));
    app.stop().await;
}

#[tokio::test]
async fn a_device_is_removed_only_when_that_is_meant() {
    let (app, _viewer) = plant().await;
    assert!(page(&app, "/devices/node?edit=remove").await.contains("with 2 entities?"));
    assert!(refused(&app, "node", &[("act", "remove")]).await.starts_with("Sure is not checked"));
    assert_eq!(app.status("/api/v1/devices/node").await, 200);
    assert_eq!(posts(&app, "node", &[("act", "remove"), ("sure", "on")]).await, "/devices?removed=node");
    assert_eq!((app.status("/api/v1/devices/node").await, app.status("/devices/node").await), (404, 404));
    app.stop().await;
}

#[tokio::test]
async fn two_devices_are_made_one_by_a_filtered_list() {
    let (app, mut viewer) = plant().await;
    let mut device = app.device().await;
    for n in 0..60 {
        device.publishes(&format!("sensors/many-{n:02}/co2"), "1", false).await;
    }
    viewer.sees("many-59.co2", |_| true).await;
    let html = page(&app, "/devices/node?edit=merge").await;
    assert_eq!((html.matches("<option").count(), html.contains("The first 50; filter")), (50, true), "{html}");
    let html = page(&app, "/devices/node?edit=merge&q=OTHER").await;
    assert!(html.contains("<option value=\"other\">") && html.matches("<option").count() == 1, "{html}");
    assert!(page(&app, "/devices/node?edit=merge&q=nobody%3Cb%3E").await.contains("No other device"));
    assert!(refused(&app, "node", &[("act", "merge"), ("into", "node")]).await.starts_with("Into is the device itself"));
    assert_eq!(posts(&app, "node", &[("act", "merge"), ("into", "other")]).await, "/devices/other?done=merged");
    assert_eq!(app.json("/api/v1/entities/node.rssi").await["device"], "other");
    assert!(page(&app, "/devices/node").await.contains("<code>rssi</code>"), "found by both ids");
    app.stop().await;
}

#[tokio::test]
async fn those_who_only_look_change_nothing() {
    let app = TestApp::start_with(|config| config.auth.anonymous = Some(Role::Viewer)).await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    app.device().await.publishes("sensors/node/temperature", "41", false).await;
    viewer.sees("node.temperature", |_| true).await;
    let html = page(&app, "/devices/node?edit=name").await;
    assert!(!html.contains("/fn/device_change") && html.contains("?why=node.temperature"), "{html}");
    for fields in [
        &[("act", "name"), ("name", "x")][..],
        &[("act", "hide")],
        &[("act", "remove"), ("sure", "on")],
        &[("act", "entity"), ("entity", "node.temperature"), ("name", "x")],
    ] {
        assert_eq!(refused(&app, "node", fields).await, "Operator rights are needed");
    }
    assert_eq!(app.json("/api/v1/devices/node").await["name"], "Node");
    app.stop().await;
}

#[tokio::test]
async fn what_a_device_says_besides_its_values_stands_on_its_page_and_in_the_answer_for_programs() {
    let (app, mut viewer) = plant().await;
    let mut meter = app.device().await;
    for key in ["power", "energy"] {
        let config = json!({
            "name": key, "uniq_id": key, "stat_t": format!("meter/{key}"), "unit_of_meas": if key == "power" { "W" } else { "kWh" },
            "json_attr_t": "meter/about", "dev": {"ids": ["m"], "name": "Meter"},
        });
        meter.publishes(&format!("homeassistant/sensor/{key}/config"), config.to_string(), true).await;
    }
    assert!(!page(&app, "/devices/node").await.contains("Attributes"));
    meter.publishes("meter/about", r#"{"serial":"<b>A-1</b>","phases":[1,2],"tariff":2}"#, false).await;
    meter.publishes("meter/power", "12", false).await;
    viewer.sees("meter.power", |change| change["v"] == 12.0).await;
    let html = page(&app, "/devices/meter").await;
    let fold = html.split_once("id=\"attributes\"").and_then(|(_, rest)| rest.split_once("</details>")).map_or("", |(fold, _)| fold);
    for wanted in ["Attributes (3)", "&lt;b&gt;A-1&lt;/b&gt;", "[1,2]", "<dd>2</dd>", "As of <time"] {
        assert!(fold.contains(wanted), "{wanted}: {html}");
    }
    // What two say alike stands there once.
    assert_eq!(fold.matches("<dt>serial</dt>").count(), 1, "{fold}");
    assert!(fold.to_lowercase().contains("energy, power"), "{fold}");
    let told = app.json("/api/v1/entities/meter.power").await["attributes"].clone();
    assert_eq!(told["values"], json!({"serial": "<b>A-1</b>", "phases": [1, 2], "tariff": 2}));
    assert!(told["t"].as_i64().is_some_and(|t| t > 0) && told["reason"].is_null(), "{told}");
    assert!(app.json("/api/v1/entities").await["items"][0]["attributes"].is_null());

    meter.publishes("meter/about", "[1]", false).await;
    meter.publishes("meter/power", "13", false).await;
    viewer.sees("meter.power", |change| change["v"] == 13.0).await;
    let why = "\"[1]\" is no JSON object";
    assert_eq!(app.json("/api/v1/entities/meter.power").await["attributes"]["reason"], why);
    assert!(page(&app, "/devices/meter").await.contains("The last message cannot be read: "));
}

#[tokio::test]
async fn what_goes_out_stands_among_the_last_messages() {
    let (app, mut viewer) = plant().await;
    let mut lamp = app.device().await;
    lamp.publishes("state/lights/hall", r#"{"state":"off"}"#, false).await;
    viewer.sees("hall.light", |_| true).await;
    lamp.subscribes("control/lights/hall").await;
    let fields = [("entity", "hall.light"), ("action", "turn_on")];
    assert_eq!(post_to(&app, "/fn/command", "hall", &fields).await.0, 302);
    lamp.receives().await;
    let html = page(&app, "/devices/hall").await;
    assert!(html.contains("<b>control/lights/hall</b>") && html.contains("sent by Signalbox"), "{html}");
    let form = "POST /fn/device-messages HTTP/1.1\r\nhost: x\r\norigin: http://x\r\naccept: application/json\r\nconnection: close\r\n\
                content-type: application/x-www-form-urlencoded\r\ncontent-length: 7\r\n\r\nid=hall";
    let (status, _, body) = app.request(form).await;
    let answer: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
    assert_eq!((status, &answer[0]["own"], &answer[1]["topic"]), (200, &json!(true), &json!("state/lights/hall")), "{body}");
    app.stop().await;
}

/// The list of a bridge with one lamp, under a name.
fn bridge_devices(name: &str) -> String {
    let lamp = json!({"ieee_address": "0x00158d0001dc126a", "friendly_name": name, "type": "Router", "interview_completed": true, "definition": {
        "vendor": "IKEA", "model": "LED1545G12", "exposes": [{"type": "light", "features": [
            {"type": "binary", "name": "state", "property": "state", "access": 7, "value_on": "ON", "value_off": "OFF"}]}]}});
    json!([lamp]).to_string()
}

#[tokio::test]
async fn a_zigbee_bridge_renames_opens_and_removes_or_says_why_not() {
    let (app, mut viewer) = plant().await;
    let mut bridge = app.device().await;
    bridge.subscribes("zigbee2mqtt/bridge/request/#").await;
    bridge.publishes("zigbee2mqtt/bridge/devices", bridge_devices("hall/lamp"), true).await;
    bridge.publishes("zigbee2mqtt/hall/lamp", r#"{"state":"ON"}"#, false).await;
    viewer.sees("hall_lamp.light", |change| change["v"]["state"] == "on").await;
    let device = "hall_lamp".to_owned();
    let html = page(&app, &format!("/devices/{device}")).await;
    for wanted in ["Let devices join", "Rename on Zigbee network", "Remove from Zigbee network"] {
        assert!(html.contains(wanted), "{wanted}: {html}");
        assert!(!page(&app, "/devices/node").await.contains(wanted), "a plain device offers \"{wanted}\"");
    }
    assert!(page(&app, &format!("/devices/{device}?edit=zigbee-name")).await.contains("value=\"hall/lamp\""));
    assert!(!page(&app, "/devices/node?edit=zigbee-name").await.contains("zigbee-name"));

    // Each request is answered by its number, and by another that is nobody's here.
    let answers = async |bridge: &mut crate::test_app::Device, topic: &str, with: serde_json::Value| {
        let (heard, payload, _, retained) = bridge.receives().await;
        assert_eq!((heard.as_str(), retained), (format!("zigbee2mqtt/bridge/request/{topic}").as_str(), false));
        let asked: serde_json::Value = serde_json::from_str(&payload).unwrap();
        for number in [1, asked["transaction"].as_u64().unwrap()] {
            let mut answer = if number == 1 { json!({"data": {}, "status": "error", "error": "of somebody else"}) } else { with.clone() };
            answer["transaction"] = number.into();
            bridge.publishes(&format!("zigbee2mqtt/bridge/response/{topic}"), answer.to_string(), false).await;
        }
        asked
    };
    let ok = json!({"data": {}, "status": "ok"});
    let fields = [("act", "zigbee-name"), ("name", "porch/lamp")];
    let (to, asked) = tokio::join!(posts(&app, &device, &fields), answers(&mut bridge, "device/rename", ok.clone()));
    assert_eq!(
        (to, &asked["from"], &asked["to"]),
        (format!("/devices/{device}?done=zigbee-name"), &json!("0x00158d0001dc126a"), &json!("porch/lamp"))
    );
    let taken = json!({"data": {}, "status": "error", "error": "friendly_name 'x' is <already> in use"});
    let fields = [("act", "zigbee-name"), ("name", "x")];
    let (words, _) = tokio::join!(refused(&app, &device, &fields), answers(&mut bridge, "device/rename", taken));
    assert_eq!(words, "The bridge reports: friendly_name 'x' is &lt;already&gt; in use");
    assert!(refused(&app, &device, &[("act", "zigbee-name"), ("name", "a/#")]).await.starts_with("Name is no text of 1 to 100 bytes"));

    let (to, asked) =
        tokio::join!(posts(&app, &device, &[("act", "zigbee-join"), ("seconds", "60")]), answers(&mut bridge, "permit_join", ok.clone()));
    assert_eq!((to, &asked["time"]), (format!("/devices/{device}?done=zigbee-open"), &json!(60)));
    assert!(refused(&app, &device, &[("act", "zigbee-join"), ("seconds", "255")]).await.contains("\"255\" is no whole number from 0 to 254"));

    assert!(refused(&app, &device, &[("act", "zigbee-remove")]).await.contains("stays in its network"));
    let fields = [("act", "zigbee-remove"), ("sure", "on"), ("force", "on")];
    let (to, asked) = tokio::join!(posts(&app, &device, &fields), answers(&mut bridge, "device/remove", ok));
    assert_eq!((to, &asked["force"]), (format!("/devices?removed={device}"), &json!(true)));
    assert!(refused(&app, "node", &[("act", "zigbee-remove"), ("sure", "on")]).await.contains("is behind no Zigbee bridge"));

    let log = app.json("/api/v1/activity?kind=settings").await;
    let told: Vec<_> = log["items"].as_array().unwrap().iter().map(|entry| (&entry["what"], &entry["outcome"])).collect();
    let entry = |what: &str, outcome: &str| (json!(what), json!(outcome));
    let wanted = [
        entry("device.zigbee_removed", "done"),
        entry("device.zigbee_join", "done"),
        entry("device.zigbee_renamed", "failed"),
        entry("device.zigbee_renamed", "done"),
    ];
    assert_eq!(told, wanted.iter().map(|(what, outcome)| (what, outcome)).collect::<Vec<_>>());
    app.stop().await;
}
