//! What was acknowledged is in history, once: whatever dies between the broker and the disk.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::entity::EntityId;
use domain::history::Range;
use domain::time::Timestamp;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::json;
use server::application::{Application, Play};
use server::config::Config;
use server::store::Store as _;
use server::store::sqlite::SqliteStore;
use server::tasks::Tasks;
use tokio::sync::watch;

use crate::link_fake::{Connection, PUBACK, SUBSCRIBE, fake_broker};
use crate::link_mosquitto::Mosquitto;
use crate::link_rig::soon;
use crate::test_app::{Viewer, config_beside as config};

/// Everything stored of an entity, in the order of time. The server must have ended.
async fn stored(config: &Config, entity: &str) -> Vec<f64> {
    let store = SqliteStore::open(&config.database.path).await.unwrap();
    let all = Range { from: Timestamp::from_ms(0), to: Timestamp::from_ms(i64::from(u32::MAX) * 1_000) };
    let series = store.history(&[EntityId::parse(entity).unwrap()], all, 1_000_000).await.unwrap();
    store.close().await;
    series.into_iter().next().unwrap().last
}

/// Waits until a viewer sees the value.
async fn until_seen(http: std::net::SocketAddr, entity: &str, value: f64) {
    let mut viewer = Viewer::connect(http, "/live").await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    let snapshot = viewer.hears("snapshot").await;
    let is_there = |e: &serde_json::Value| e["id"] == entity && e["v"] == value;
    if !snapshot["entities"].as_array().unwrap().iter().any(is_there) {
        viewer.sees(entity, |change| change["v"] == value).await;
    }
}

/// Serves one connection of a broker: a session that is kept, these deliveries, each waited for; then it breaks.
async fn deliver(mut connection: Connection, kept: bool, messages: &[(&str, u16, bool)]) {
    connection.accept_connect(kept, &[]).await;
    let Some(subscribe) = connection.read_kind(SUBSCRIBE).await else { return };
    connection.answer_subscribe(&subscribe, 1).await;
    for &(payload, id, dup) in messages {
        connection.deliver_as(if dup { 0x3a } else { 0x32 }, "sensors/a/temperature", payload, Some(id), None).await;
    }
    for _ in messages {
        connection.read_kind(PUBACK).await;
    }
}

#[tokio::test]
async fn a_message_that_is_delivered_again_is_stored_once_also_after_a_restart() {
    let tasks = Tasks::default();
    let n_connections = Arc::new(AtomicUsize::new(0));
    let (go, went) = watch::channel(0);
    let port = fake_broker(&tasks, move |connection| {
        let (n_connections, mut went) = (Arc::clone(&n_connections), went.clone());
        async move {
            if connection.is_command() {
                return connection.serve().await;
            }
            match n_connections.fetch_add(1, Ordering::Relaxed) {
                0 => deliver(connection, false, &[("21", 1, false), ("21", 2, false), ("22", 3, false)]).await,
                // None of the acknowledgements had arrived; 4 was lost on its way, and 5 is new.
                1 => {
                    deliver(connection, true, &[("21", 1, true), ("21", 2, true), ("22", 3, true), ("22", 4, true), ("23", 5, false)]).await;
                }
                // The server was restarted, and again the last acknowledgements had not arrived.
                2 => {
                    went.wait_for(|n| *n == 1).await.unwrap();
                    deliver(connection, true, &[("22", 4, true), ("23", 5, true), ("24", 6, false)]).await;
                }
                // The broker lost everything: equal words under equal ids are new.
                3 => deliver(connection, false, &[("24", 6, false), ("25", 7, false)]).await,
                _ => connection.serve().await,
            }
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), port);
    let app = Application::start(&config, Play::Real).await.unwrap();
    until_seen(app.http_addr(), "a.temperature", 23.0).await;
    soon("the end", app.stop()).await;
    assert_eq!(stored(&config, "a.temperature").await, [21.0, 21.0, 22.0, 22.0, 23.0]);

    let app = Application::start(&config, Play::Real).await.unwrap();
    go.send_replace(1);
    until_seen(app.http_addr(), "a.temperature", 25.0).await;
    soon("the end", app.stop()).await;
    assert_eq!(stored(&config, "a.temperature").await, [21.0, 21.0, 22.0, 22.0, 23.0, 24.0, 24.0, 25.0]);
    tasks.stop().await;
}

/// The program on a folder, started and ready.
struct Server {
    child: Child,
    http: std::net::SocketAddr,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_signalbox"))
            .args(["serve", "--config", "signalbox.toml"])
            .current_dir(folder)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let http = lines.find_map(|line| line.strip_prefix("listening http ")?.parse().ok()).unwrap();
        assert!(lines.any(|line| line == "ready"));
        Self { child, http }
    }

    /// Ends it as a power cut ends a program.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn stop(mut self) {
        assert!(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

/// Publishes 1 to `n` with QoS 1 and tells how many the broker has acknowledged.
async fn publish_numbers(port: u16, n: usize, acknowledged: watch::Sender<usize>) {
    let mut options = MqttOptions::new("device", "127.0.0.1", port);
    options.set_inflight(20);
    let (client, mut events) = AsyncClient::new(options, 20);
    let publish = async {
        for number in 1..=n {
            client.publish("sensors/a/count", QoS::AtLeastOnce, false, number.to_string()).await.unwrap();
        }
    };
    let count = async {
        while *acknowledged.borrow() < n {
            if matches!(soon("an acknowledgement", events.poll()).await.unwrap(), Event::Incoming(Packet::PubAck(_))) {
                acknowledged.send_modify(|n| *n += 1);
            }
        }
    };
    tokio::join!(publish, count);
}

#[tokio::test]
async fn every_acknowledged_message_is_in_history_once_however_often_the_server_is_killed() {
    const N: usize = 12_000;
    let mosquitto = Mosquitto::start();
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), mosquitto.port);
    let mut server = Server::start(folder.path());
    until_linked(server.http).await;
    let (acknowledged, mut progress) = watch::channel(0);
    let publishing = publish_numbers(mosquitto.port, N, acknowledged);
    let killing = async {
        for at in [700, 1_900, 3_100, 5_200, 7_300, 9_900] {
            progress.wait_for(|n| *n >= at).await.unwrap();
            server.kill();
            server = Server::start(folder.path());
        }
        server
    };
    let ((), server) = tokio::join!(publishing, killing);
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    until_seen(server.http, "a.count", N as f64).await;
    server.stop();
    let stored = stored(&config, "a.count").await;
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let expected: Vec<f64> = (1..=N).map(|n| n as f64).collect();
    let missing: Vec<_> = expected.iter().filter(|n| !stored.contains(n)).collect();
    assert!(missing.is_empty(), "{} were lost: {missing:?}", missing.len());
    assert_eq!(stored, expected, "stored more than once, or in another order");
}

/// Waits until the broker is reached: from then on it keeps for the server what it acknowledges to others.
async fn until_linked(http: std::net::SocketAddr) {
    let mut viewer = Viewer::connect(http, "/live").await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    if viewer.hears("snapshot").await["links"][0]["state"] != "up" {
        while viewer.hears("link").await["state"] != "up" {}
    }
}
