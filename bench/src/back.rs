//! How soon a viewer sees a new value after an outside broker is back.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use futures_util::SinkExt as _;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::Message;

use crate::live::{frame, sees_any};
use crate::mosquitto::Mosquitto;
use crate::program::Program;
use crate::table::{Sample, Unit};
use crate::wire;

/// How long the broker is gone.
const AWAY: Duration = Duration::from_secs(10);
const TOPIC: &str = "sensors/bench-back/count";
const ENTITY: &str = "bench-back.count";

/// From the moment that the broker accepts clients.
pub(crate) async fn measure(binary: &Path) -> Result<Vec<Sample>> {
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut mosquitto = Mosquitto::start(broker_folder.path(), false).await?;
    let server = Program::start_beside(binary, folder.path(), mosquitto.address).await?;
    let (mut viewer, _) = connect_async_with_config(format!("ws://{}/live", server.http), None, true).await?;
    viewer.send(Message::text(json!({"type": "subscribe", "entities": ["*"]}).to_string())).await?;
    while frame(&mut viewer).await?.0["type"] != "snapshot" {}
    let ((_reader, mut writer), _) = wire::connect(mosquitto.address, "bench-back", true).await?;
    let mut n = 0_u32;
    // Until the server has subscribed, what is sent goes nowhere.
    loop {
        n += 1;
        writer.publish(TOPIC, n.to_string().as_bytes(), None, false)?;
        writer.flush().await?;
        if timeout(Duration::from_millis(100), sees_any(&mut viewer, ENTITY)).await.is_ok_and(|seen| seen.is_ok()) {
            break;
        }
    }
    mosquitto.kill().await?;
    sleep(AWAY).await;
    mosquitto.restart().await?;
    let back = Instant::now();
    let ((_reader, mut writer), _) = wire::connect(mosquitto.address, "bench-back", true).await?;
    let first = n + 1;
    let at = loop {
        n += 1;
        writer.publish(TOPIC, n.to_string().as_bytes(), None, false)?;
        writer.flush().await?;
        if let Ok(seen) = timeout(Duration::from_millis(50), sees_any(&mut viewer, ENTITY)).await {
            let (value, at) = seen?;
            // A change of quality repeats the old value: that is not new.
            if value >= f64::from(first) {
                break at;
            }
        }
    };
    server.stop().await?;
    Ok(vec![Sample::new("broker back: value at viewer", Unit::Ms, (at - back).as_secs_f64() * 1e3)])
}
