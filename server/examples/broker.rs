//! The embedded broker alone, for the tests in `end2end/interop`: `broker DATA_DIR [HOST:PORT [WEBSOCKET_HOST:PORT]]`.
//!
//! Prints `listening mqtt HOST:PORT` (and `listening ws HOST:PORT`) once it answers, stops in order on SIGTERM.

use std::io::Write;

use anyhow::Context;
use server::mqtt::embedded::{BrokerSettings, start};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::WARN).init();
    let mut arguments = std::env::args().skip(1);
    let mut settings = BrokerSettings::new(arguments.next().context("give the data folder")?);
    settings.listen = arguments.next().as_deref().unwrap_or("127.0.0.1:0").parse().context("the second argument is HOST:PORT")?;
    settings.websocket = arguments.next().map(|address| address.parse()).transpose().context("the third argument is HOST:PORT")?;

    let mut terminate = signal(SignalKind::terminate())?;
    let broker = start(settings).await?;
    let mut out = std::io::stdout();
    writeln!(out, "listening mqtt {}", broker.local_addr())?;
    if let Some(address) = broker.websocket_addr() {
        writeln!(out, "listening ws {address}")?;
    }
    out.flush()?;
    terminate.recv().await;
    broker.stop().await;
    Ok(())
}
