//! The WebSocket below its frames: shaking hands, large frames, slow readers.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::test_app::{TestApp, soon};

/// Entities of a plant whose snapshot is larger than any buffer on its way.
const DEVICES: usize = 10;
const FIELDS: usize = 150;

async fn a_large_plant() -> TestApp {
    let app = TestApp::start().await;
    let mut device = app.device().await;
    for n in 0..DEVICES {
        let fields: serde_json::Map<String, serde_json::Value> = (0..FIELDS).map(|field| (format!("field{field}"), json!(n))).collect();
        device.publishes(&format!("sensors/device{n}/state"), json!(fields).to_string(), true).await;
    }
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "subscribe", "topics": ["sensors/device9/state"]})).await;
    for _ in 0..FIELDS {
        viewer.hears("sensor-update").await;
    }
    app
}

#[tokio::test]
async fn a_large_plant_comes_whole() {
    let app = a_large_plant().await;
    for what in ["*", "shown"] {
        let mut viewer = app.viewer().await;
        viewer.says(json!({"type": "subscribe", "entities": [what]})).await;
        let n = viewer.hears("snapshot").await["entities"].as_array().unwrap().len();
        assert_eq!(n, if what == "*" { DEVICES * FIELDS } else { 1_000 }, "{what}");
        viewer.says(json!({"type": "ping"})).await;
        viewer.hears("pong").await;
    }
    app.stop().await;
}

#[tokio::test]
async fn pings_are_answered_between_frames_and_never_inside_one() {
    let app = a_large_plant().await;
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{}/live", app.http())).await.unwrap();
    for n in 0..20_u8 {
        socket.send(Message::Text(json!({"type": "subscribe", "entities": ["*"]}).to_string().into())).await.unwrap();
        socket.send(Message::Ping(vec![n].into())).await.unwrap();
    }
    let (mut n_snapshots, mut pongs) = (0, vec![]);
    soon("all answers", async {
        while n_snapshots < 20 || pongs.len() < 20 {
            match socket.next().await.unwrap().unwrap() {
                Message::Text(text) => {
                    let frame: serde_json::Value = serde_json::from_str(&text).unwrap();
                    n_snapshots += usize::from(frame["type"] == "snapshot");
                }
                Message::Pong(payload) => pongs.extend_from_slice(&payload),
                _ => {}
            }
        }
    })
    .await;
    assert_eq!(pongs, (0..20).collect::<Vec<u8>>());
    app.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_a_viewer_that_does_not_read() {
    let app = a_large_plant().await;
    let (mut silent, _) = tokio_tungstenite::connect_async(format!("ws://{}/live", app.http())).await.unwrap();
    // Far more than two sockets hold.
    for _ in 0..90 {
        silent.send(Message::Text(json!({"type": "subscribe", "entities": ["*"]}).to_string().into())).await.unwrap();
    }
    let mut viewer = app.viewer().await;
    viewer.says(json!({"type": "ping"})).await;
    viewer.hears("pong").await;
    soon("the end", app.stop()).await;
    drop(silent);
}

#[tokio::test]
async fn what_asks_for_no_websocket_of_ours_is_told_why() {
    let app = TestApp::start().await;
    let ask = async |headers: &str| app.request(&format!("GET /live HTTP/1.1\r\nhost: {}\r\n{headers}\r\n\r\n", app.http())).await;
    let (status, head, body) = ask("connection: close").await;
    assert_eq!(status, 400, "{head}");
    assert!(head.contains("application/problem+json") && body.contains("upgrade"), "{head}\n{body}");
    let of_version = |version| {
        format!("connection: upgrade, close\r\nupgrade: websocket\r\nsec-websocket-key: c2lnbmFsYm94LXRlc3QtMQ==\r\nsec-websocket-version: {version}")
    };
    let (status, head, _) = ask(&of_version(8)).await;
    assert!(status == 426 && head.to_ascii_lowercase().contains("sec-websocket-version: 13"), "{head}");
    app.stop().await;
}
