use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::{Instant, sleep};

use super::broker::{say, until_down, until_up, until_value};
use super::proxy::{Line, Proxy};
use crate::memory;
use crate::mosquitto::Mosquitto;
use crate::program::Program;

/// The line breaks, swallows everything for a minute, and becomes slow: the loss is noticed, and everything comes back by itself.
pub(super) async fn cut(binary: &Path) -> Result<String> {
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mosquitto = Mosquitto::start(broker_folder.path(), false).await?;
    let line = Proxy::start(mosquitto.address).await?;
    let server = Program::start_beside(binary, folder.path(), line.address).await?;
    until_up(server.http).await?;
    let before = memory::resident_mib(&server).await?;
    let (mut noticed_ms, mut back_ms) = (vec![], vec![]);
    for (round, state, lasts_s) in [(1_u32, Line::Cut, 3), (2, Line::Hole, 60)] {
        line.set(state);
        let began = Instant::now();
        until_down(server.http).await?;
        noticed_ms.push(began.elapsed().as_millis());
        sleep(Duration::from_secs(lasts_s).saturating_sub(began.elapsed())).await;
        line.set(Line::Open);
        let open = Instant::now();
        until_up(server.http).await?;
        say(mosquitto.address, "sensors/fault-line/count", round.to_string().as_bytes()).await?;
        until_value(server.http, "fault-line.count", |value| value.as_f64() == Some(round.into())).await?;
        back_ms.push(open.elapsed().as_millis());
    }
    line.set(Line::Slow);
    for n in 10..15_u32 {
        say(mosquitto.address, "sensors/fault-line/count", n.to_string().as_bytes()).await?;
    }
    until_value(server.http, "fault-line.count", |value| value.as_f64() == Some(14.0)).await?;
    let grown = memory::resident_mib(&server).await? - before;
    server.stop().await?;
    let figures = format!(
        "broken: noticed {} ms, back {} ms; silent: noticed {} ms, back {} ms; memory {grown:+.1} MiB",
        noticed_ms[0], back_ms[0], noticed_ms[1], back_ms[1]
    );
    ensure!(noticed_ms.iter().all(|ms| *ms <= 25_000) && back_ms.iter().all(|ms| *ms <= 5_000) && grown <= 20.0, "{figures}");
    Ok(figures)
}
