//! What goes on while nothing can be stored, and what is there afterwards.

use domain::entity::EntityId;
use domain::history::Range;
use domain::time::Timestamp;
use serde_json::{Value as Json, json};
use server::application::{Application, Play};
use server::store::Store as _;
use server::store::sqlite::SqliteStore;
use sqlx::{Connection as _, SqliteConnection};

use crate::link_mosquitto::Mosquitto;
use crate::link_rig::soon;
use crate::test_app::{Device, Viewer, config_beside, request_to};

/// More than a broker sends without an acknowledgement.
const N: i32 = 3_000;

/// The next frame about the alarm of the recorder.
async fn alert(viewer: &mut Viewer) -> Json {
    loop {
        let alert = viewer.hears("alert").await;
        if alert["id"] == "signalbox.recorder" {
            return alert;
        }
    }
}

async fn get(app: &Application, path: &str) -> Json {
    let (status, _, body) = request_to(app.http_addr(), &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

#[tokio::test]
async fn while_the_database_is_locked_operators_know_and_commands_go_out_and_nothing_is_lost() {
    let mosquitto = Mosquitto::start();
    let folder = tempfile::tempdir().unwrap();
    let config = config_beside(folder.path(), mosquitto.port);
    let app = Application::start(&config, Play::Real).await.unwrap();
    let address = ([127, 0, 0, 1], mosquitto.port).into();
    let (mut sensor, mut lamp) = (Device::connect(address).await, Device::connect(address).await);
    let mut viewer = Viewer::connect(app.http_addr(), "/live").await;
    viewer.says(json!({"type": "subscribe", "entities": ["*"]})).await;
    lamp.publishes("control/lights/lamp", r#"{"state":"off"}"#, true).await;
    viewer.sees("lamp.light", |change| change["v"]["state"] == "off").await;
    let connects = get(&app, "/api/v1/brokers").await["items"][0]["connects"].clone();

    let mut other = SqliteConnection::connect(&format!("sqlite:{}", config.database.path.display())).await.unwrap();
    sqlx::query("begin immediate").execute(&mut other).await.unwrap();
    sensor.bursts("sensors/a/count", (0..N).map(|n| (n + 1).to_string())).await;
    let raised = alert(&mut viewer).await;
    assert_eq!((&raised["state"], &raised["severity"]), (&json!("unacked"), &json!("critical")));
    let message = "The database is locked by another program: history is not being recorded. Trying again; nothing acknowledged is lost";
    assert_eq!(raised["message"], message);
    let alarms = get(&app, "/api/v1/alarms").await;
    assert_eq!(alarms["items"][0]["id"], "signalbox.recorder");

    lamp.subscribes("control/lights/lamp").await;
    lamp.receives().await;
    let body = r#"{"action":"turn_on"}"#;
    let command = format!(
        "POST /api/v1/entities/lamp.light/command HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (status, _, answer) = request_to(app.http_addr(), &command).await;
    assert_eq!(status, 202, "{answer}");
    let (_, payload, _, _) = lamp.receives().await;
    assert!(payload.to_ascii_lowercase().contains("on"), "{payload}");

    sqlx::query("rollback").execute(&mut other).await.unwrap();
    assert_eq!(alert(&mut viewer).await["state"], "returned");
    soon("the last value", async { while get(&app, "/api/v1/entities/a.count").await["v"] != f64::from(N) {} }).await;
    assert_eq!(get(&app, "/api/v1/brokers").await["items"][0]["connects"], connects, "the broker was let go");
    soon("the end", app.stop()).await;

    let store = SqliteStore::open(&config.database.path).await.unwrap();
    let all = Range { from: Timestamp::from_ms(0), to: Timestamp::from_ms(i64::from(u32::MAX) * 1_000) };
    let series = store.history(&[EntityId::parse("a.count").unwrap()], all, 1_000_000).await.unwrap();
    store.close().await;
    assert_eq!(series[0].last, (1..=N).map(f64::from).collect::<Vec<_>>());
}
