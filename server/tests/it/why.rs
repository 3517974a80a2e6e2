//! Why there is no data: one test a step, from outside.

use std::path::Path;

use serde_json::{Value as Json, json};
use server::config::{Config, ConfigArgs, Mode, load};

use crate::mosquitto::free_port;
use crate::test_app::{TestApp, Viewer, soon};

const ENTITY: &str = "\n[[entity]]\nid = \"plant.flow\"\nkind = \"number\"\ncommand_topic = \"plant/flow/set\"\nstate_topic = \"plant/flow\"\n";

fn config(folder: &Path, text: &str) -> Config {
    let file = folder.join("signalbox.toml");
    std::fs::write(&file, format!("auth.anonymous = \"operator\"\nhttp.listen = \"127.0.0.1:0\"\nbroker.listen = \"127.0.0.1:0\"\n{text}")).unwrap();
    load(&ConfigArgs { mode: Mode::Serve, file: Some(file), flags: vec![] }, [], folder).unwrap()
}

/// The steps that fail, the first of them first, and the verdict.
async fn why(app: &TestApp, entity: &str) -> (Vec<String>, String) {
    let answer = app.json(&format!("/api/v1/entities/{entity}/why")).await;
    let steps = answer["steps"].as_array().unwrap();
    let names: Vec<&str> = steps.iter().filter_map(|step| step["step"].as_str()).collect();
    assert_eq!(names, ["link", "rights", "subscription", "message", "parse", "time", "shown"]);
    let failing = steps.iter().filter(|step| step["ok"] == false).map(|step| step["step"].as_str().unwrap().to_owned()).collect();
    (failing, answer["verdict"].as_str().unwrap().to_owned())
}

/// Waits until a step is the first that fails, for a reason with some words.
async fn until(app: &TestApp, entity: &str, step: &str, words: &[&str]) -> String {
    soon(step, async {
        loop {
            let (failing, verdict) = why(app, entity).await;
            if failing.first().is_some_and(|first| first == step) && words.iter().all(|word| verdict.contains(word)) {
                return verdict;
            }
        }
    })
    .await
}

async fn watched(app: &TestApp) -> Viewer {
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    viewer
}

#[tokio::test]
async fn a_broker_that_is_not_reached_is_named_with_its_error() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let config = config(folder.path(), &format!("[[mqtt]]\nname = \"plant\"\nurl = \"mqtt://127.0.0.1:{port}\"\n{ENTITY}"));
    let app = TestApp::start_unlinked(config, folder).await;
    until(&app, "plant.flow", "link", &["\"plant\" is not reached since", "refused", "[[mqtt]]"]).await;
    app.stop().await;
}

/// A broker that lets nobody subscribe to anything but `home/#`.
fn dynsec(folder: &Path) -> String {
    let file = folder.join("dynsec.json");
    let access = json!({"publishClientSend": true, "publishClientReceive": true, "subscribe": false, "unsubscribe": true});
    let acls: Vec<Json> =
        ["home/#", "clients/#"].iter().map(|topic| json!({"acltype": "subscribePattern", "topic": topic, "priority": 0, "allow": true})).collect();
    let all = json!({
        "defaultACLAccess": access,
        "anonymousGroup": "all",
        "groups": [{"groupname": "all", "roles": [{"rolename": "home"}], "clients": []}],
        "roles": [{"rolename": "home", "acls": acls}],
        "clients": [],
    });
    std::fs::write(&file, all.to_string()).unwrap();
    let plugin = std::fs::read_dir("/usr/lib")
        .unwrap()
        .filter_map(|entry| Some(entry.ok()?.path().join("mosquitto_dynamic_security.so")))
        .find(|path| path.exists())
        .expect("the package mosquitto brings it");
    format!("plugin {}\nplugin_opt_config_file {}\n", plugin.display(), file.display())
}

#[tokio::test]
async fn a_broker_that_refuses_the_topic_is_named_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let rules = tempfile::tempdir().unwrap();
    let broker = crate::link_mosquitto::Mosquitto::start_with(&dynsec(rules.path()));
    let subscribe = "subscribe = [\"plant/#\", \"home/#\"]";
    let config = config(folder.path(), &format!("[[mqtt]]\nname = \"plant\"\nurl = \"mqtt://127.0.0.1:{}\"\n{subscribe}\n{ENTITY}", broker.port));
    let app = TestApp::start_unlinked(config, folder).await;
    until(&app, "plant.flow", "rights", &["\"plant/flow\"", "it refused \"plant/#\"", "access list"]).await;
    app.stop().await;
}

#[tokio::test]
async fn a_topic_that_no_filter_holds_is_said_to_be_so() {
    let folder = tempfile::tempdir().unwrap();
    let broker = crate::link_mosquitto::Mosquitto::start();
    let subscribe = "subscribe = [\"home/#\"]";
    let config = config(folder.path(), &format!("[[mqtt]]\nname = \"plant\"\nurl = \"mqtt://127.0.0.1:{}\"\n{subscribe}\n{ENTITY}", broker.port));
    let app = TestApp::start_on(config, folder).await;
    until(&app, "plant.flow", "subscription", &["No filter of the broker holds \"plant/flow\"", "\"home/#\"", "\"subscribe\""]).await;
    app.stop().await;
}

#[tokio::test]
async fn a_topic_that_nobody_heard_is_told_with_those_that_look_alike() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::start_on(config(folder.path(), ENTITY), folder).await;
    until(&app, "plant.flow", "message", &["ever heard on \"plant/flow\"", "Nothing was heard near it"]).await;
    let mut device = app.device().await;
    for topic in ["plant/Flow", "plant/flow_rate", "plant/x"] {
        device.publishes(topic, "1", false).await;
    }
    until(&app, "plant.flow", "message", &["Of 3 topics beside it the nearest are \"plant/Flow\", \"plant/x\", \"plant/flow_rate\"."]).await;
    device.publishes("plant/flow", "21", false).await;
    let (failing, verdict) = soon("all to be well", async {
        loop {
            let why = why(&app, "plant.flow").await;
            if why.0.is_empty() {
                return why;
            }
        }
    })
    .await;
    assert!(failing.is_empty() && verdict.starts_with("All is well"), "{verdict}");
    app.stop().await;
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_shown_with_the_reason() {
    let app = TestApp::start().await;
    let mut viewer = watched(&app).await;
    let mut device = app.device().await;
    device.publishes("sensors/node/temperature", "21", false).await;
    viewer.sees("node.temperature", |change| change["v"] == 21.0).await;
    device.publishes("sensors/node/temperature", "<b>warm", false).await;
    viewer.sees("node.temperature", |change| change["q"] == "bad").await;
    until(&app, "node.temperature", "parse", &["could not be read", "The last good value is shown.", "It was: <b>warm"]).await;
    let html = app.get("/devices/node?why=node.temperature").await;
    assert!(html.contains("It was: &lt;b&gt;warm") && html.contains("Why is there no data of"), "it stands on the page, as text");
    assert_eq!(app.status("/devices/node?why=other.temperature").await, 404);
    assert_eq!(app.status("/api/v1/entities/a.b/why").await, 404);
    app.stop().await;
}

#[tokio::test]
async fn a_wrong_clock_and_a_long_silence_are_about_time() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::start_on(config(folder.path(), "[[entity]]\nid = \"quiet.temperature\"\nstale_after_s = 1\n"), folder).await;
    let mut viewer = watched(&app).await;
    let mut device = app.device().await;
    device.publishes("sensors/quiet/temperature", "1", false).await;
    viewer.sees("quiet.temperature", |change| change["q"] == "stale").await;
    until(&app, "quiet.temperature", "time", &["It is silent since", "late after 1 s"]).await;
    // In the future, and whatever time it is: two hours ahead of any clock.
    let ahead = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap() + 3 * 3_600_000;
    device.publishes("sensors/node/temperature", json!({"value": 1, "ts": ahead}).to_string(), false).await;
    viewer.sees("node.temperature", |_| true).await;
    until(&app, "node.temperature", "time", &["ahead: its times are not used"]).await;
    app.stop().await;
}

#[tokio::test]
async fn a_device_that_is_offline_and_an_entity_that_is_hidden_say_so() {
    let app = TestApp::start().await;
    let mut viewer = watched(&app).await;
    let mut device = app.device().await;
    device.publishes("sensors/node/temperature", "1", false).await;
    viewer.sees("node.temperature", |_| true).await;
    assert_eq!(app.patch("/api/v1/entities/node.temperature", r#"{"hidden":true}"#).await.0, 200);
    until(&app, "node.temperature", "shown", &["It is hidden"]).await;
    device.publishes("devices/node/status", "offline", true).await;
    viewer.sees("node.temperature", |change| change["q"] == "offline").await;
    until(&app, "node.temperature", "message", &["It is offline since", "\"devices/node/status\"", "says so"]).await;
    app.stop().await;
}
