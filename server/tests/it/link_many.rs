//! Several links at once: copies of one server that share the work, and one server with several brokers.

use std::collections::BTreeSet;

use domain::topic::TopicFilter;
use serde_json::{Value as Json, json};
use server::config::{ConfigArgs, Embedded, load};
use server::mqtt::Ack;
use server::mqtt::link::{LinkSettings, Protocol};

use crate::link_mosquitto::{Mosquitto, publish};
use crate::link_rig::{Rig, settings, soon};
use crate::test_app::TestApp;

#[tokio::test]
async fn links_that_share_a_subscription_get_each_message_once_between_them() {
    let broker = Mosquitto::start();
    let shared = || vec![TopicFilter::parse("$share/copies/t/#").expect("a filter")];
    let of = |client_id: &str, protocol| LinkSettings { subscribe: shared(), ..settings(broker.port, client_id, protocol) };
    let mut links = [Rig::up(of("first", Protocol::V5)).await, Rig::up(of("second", Protocol::V311)).await];
    for n in 0..20 {
        publish(broker.port, &format!("t/{n}"), n.to_string(), 1, false).await;
    }
    let mut found: [BTreeSet<String>; 2] = Default::default();
    let [first, second] = &mut links;
    while found[0].len() + found[1].len() < 20 {
        let (idx, (message, ack)) = tokio::select! {
            got = first.message() => (0, got),
            got = second.message() => (1, got),
        };
        ack.into_iter().for_each(Ack::release);
        assert!(found[idx].insert(message.topic.to_string()), "{} came twice", message.topic);
    }
    assert!(found[0].is_disjoint(&found[1]));
    assert!(found.iter().all(|part| !part.is_empty()), "{found:?}");
    for link in links {
        link.stop().await;
    }
}

#[tokio::test]
async fn outside_brokers_and_the_embedded_one_are_listened_to_at_once() {
    let (house, barn) = (Mosquitto::start(), Mosquitto::start());
    let blocks = format!(
        "[[mqtt]]\nname = \"house\"\nurl = \"mqtt://127.0.0.1:{}\"\nsubscribe = [\"sensors/#\"]\n\
         [[mqtt]]\nname = \"barn\"\nurl = \"mqtt://127.0.0.1:{}\"\nsubscribe = [\"$share/copies/devices/#\"]\nqos = 0\nprotocol = \"3.1.1\"\n",
        house.port, barn.port
    );
    let app = embedded_and(&blocks).await;
    soon("every broker", async {
        let up = |links: &Json| links.as_array().is_some_and(|links| links.len() == 3 && links.iter().all(|link| link["state"] == "up"));
        while !up(&app.json("/api/v1/brokers").await["items"]) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    viewer.hears("snapshot").await;
    // Each broker with what the other one is asked for: only its own filter counts.
    publish(barn.port, "sensors/stray/temperature", "1", 1, false).await;
    publish(house.port, "devices/stray/temperature", "1", 1, false).await;
    publish(house.port, "sensors/oven/temperature", "180", 1, false).await;
    viewer.sees("oven.temperature", |change| change["v"] == json!(180.0)).await;
    publish(barn.port, "devices/stable/humidity", "60", 1, false).await;
    viewer.sees("stable.humidity", |change| change["v"] == json!(60.0)).await;
    app.device().await.publishes("sensors/desk/temperature", "21", false).await;
    viewer.sees("desk.temperature", |change| change["v"] == json!(21.0)).await;
    let entities = app.get("/api/v1/entities").await;
    assert!(!entities.contains("stray"), "{entities}");
    app.stop().await;
}

#[tokio::test]
async fn pages_hear_of_each_broker_what_comes_from_it_or_what_is_wrong() {
    // A port that was free a moment ago: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let app = embedded_and(&format!("[[mqtt]]\nname = \"gone\"\nurl = \"mqtt://127.0.0.1:{port}\"\n")).await;
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let mut known = viewer.hears("snapshot").await["links"].as_array().expect("links").clone();
    let found = |links: &[Json], broker: &str, wanted: fn(&Json) -> bool| links.iter().any(|link| link["broker"] == broker && wanted(link));
    while !found(&known, "gone", |link| link["state"] == "down" && link["error"].as_str().is_some_and(|error| error.contains("refused")))
        || !found(&known, "embedded", |link| link["state"] == "up" && link["messages_per_s"].is_number() && link.get("error").is_none())
    {
        known.push(viewer.hears("link").await);
    }
    app.stop().await;
}

async fn embedded_and(blocks: &str) -> TestApp {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("signalbox.toml");
    std::fs::write(&file, blocks).expect("written");
    let args = ConfigArgs { file: Some(file), ..ConfigArgs::default() };
    let mqtt = load(&args, [], folder.path()).expect("a configuration").mqtt;
    TestApp::start_with(|config| {
        config.broker.embedded = Embedded::On;
        config.mqtt = mqtt;
    })
    .await
}
