//! From a device's publish to the frame at a viewer, against a bare subscriber of the same broker that hears the very same publish.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::mqtt::Client;
use crate::program::Program;
use crate::table::{Sample, Unit, percentiles};

const TOPIC: &str = "sensors/bench/temperature";
const ENTITY: &str = "bench.temperature";
const PUBLISHES: u32 = 300;
/// Publishes before they count: the first one makes the entity.
const WARM_UP: u32 = 10;
/// Between two publishes. A viewer gets at most a frame each 16 ms, and the first after a silence at once: this is about the latter.
const SPACING: Duration = Duration::from_millis(40);

/// A connection to `/live`.
pub(crate) type Viewer = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Times from just before the publish.
pub(crate) async fn measure(program: &Program) -> Result<Vec<Sample>> {
    let (mut viewer, _) = connect_async_with_config(format!("ws://{}/live", program.http), None, true).await?;
    viewer.send(Message::text(json!({"type": "subscribe", "entities": ["*"]}).to_string())).await?;
    while frame(&mut viewer).await?.0["type"] != "snapshot" {}
    let mut bare = Client::connect(program.mqtt, "bench-bare").await?;
    bare.subscribe(TOPIC).await?;
    let device = Client::connect(program.mqtt, "bench-device").await?;
    let (mut seen, mut heard) = (vec![], vec![]);
    for n in 0..WARM_UP + PUBLISHES {
        sleep(SPACING).await;
        let sent = Instant::now();
        device.publish(TOPIC.to_owned(), n.to_string()).await?;
        let (at_viewer, at_bare) = tokio::try_join!(sees(&mut viewer, n), hears(&mut bare, n))?;
        if n >= WARM_UP {
            seen.push((at_viewer - sent).as_secs_f64());
            heard.push((at_bare - sent).as_secs_f64());
        }
    }
    let ((seen_50, seen_99), (heard_50, heard_99)) = (percentiles(seen), percentiles(heard));
    Ok(vec![
        Sample::new("live: viewer p50, subscriber", Unit::Ms, seen_50).over(heard_50),
        Sample::new("live: viewer p99, subscriber", Unit::Ms, seen_99).over(heard_99),
    ])
}

/// When the change to `n` came.
async fn sees(viewer: &mut Viewer, n: u32) -> Result<Instant> {
    loop {
        let (frame, at) = frame(viewer).await?;
        let changes = frame["c"].as_array().map(Vec::as_slice).unwrap_or_default();
        if frame["type"] == "changes" && changes.iter().any(|change| change["e"] == ENTITY && change["v"].as_f64() == Some(n.into())) {
            return Ok(at);
        }
    }
}

/// The next value of an entity, and when it came.
pub(crate) async fn sees_any(viewer: &mut Viewer, entity: &str) -> Result<(f64, Instant)> {
    loop {
        let (frame, at) = frame(viewer).await?;
        let changes = frame["c"].as_array().map(Vec::as_slice).unwrap_or_default();
        let value = changes.iter().filter(|change| change["e"] == entity).find_map(|change| change["v"].as_f64());
        if let (Some(value), true) = (value, frame["type"] == "changes") {
            return Ok((value, at));
        }
    }
}

/// When the message `n` came.
async fn hears(bare: &mut Client, n: u32) -> Result<Instant> {
    loop {
        let message = bare.message().await?;
        if message.payload == n.to_string() {
            return Ok(message.at);
        }
    }
}

/// The next frame of the server and when it came; it is parsed after that.
pub(crate) async fn frame(viewer: &mut Viewer) -> Result<(Value, Instant)> {
    loop {
        let message = viewer.next().await.context("the server closed the WebSocket")??;
        let at = Instant::now();
        match message {
            Message::Text(text) => return Ok((serde_json::from_str(&text)?, at)),
            Message::Close(reason) => bail!("the server closed the WebSocket: {reason:?}"),
            _ => {}
        }
    }
}
