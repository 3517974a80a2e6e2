//! What the program holds and does with 10,000 entities and 200,000 known topics when nothing happens.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use crate::memory::resident_mib;
use crate::mosquitto::Mosquitto;
use crate::processor;
use crate::program::Program;
use crate::table::{Sample, Unit};
use crate::wire;

const DEVICES: u32 = 500;
const MEASURES: u32 = 20;
const TOPICS: u32 = 190_000;
/// Nothing is sent, and what was is stored.
const SETTLED: Duration = Duration::from_secs(5);
/// How long it is watched doing nothing.
const WATCHED: Duration = Duration::from_secs(10);

/// Memory, and the processor time of ten quiet seconds. Linux only.
pub(crate) async fn measure(binary: &Path) -> Result<Vec<Sample>> {
    if !cfg!(target_os = "linux") {
        return Ok(vec![]);
    }
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mosquitto = Mosquitto::start(broker_folder.path(), false).await?;
    let server = Program::start_beside(binary, folder.path(), mosquitto.address).await?;
    let ((mut reader, mut writer), _) = wire::connect(mosquitto.address, "bench-plant", true).await?;
    let entities = (0..DEVICES * MEASURES).map(|n| format!("sensors/plant-{:03}/measure-{:02}", n / MEASURES, n % MEASURES));
    let others = (0..TOPICS).map(|n| format!("plant/line/{}/machine/{n}/state", n % 40));
    let mut topics = entities.chain(others).peekable();
    while topics.peek().is_some() {
        let mut waiting = 0_u16;
        for (id, topic) in (1_u16..).zip(topics.by_ref().take(500)) {
            writer.publish(&topic, b"21.5", Some(id), false)?;
            waiting += 1;
        }
        writer.flush().await?;
        for _ in 0..waiting {
            reader.acknowledged().await?;
        }
    }
    sleep(SETTLED).await;
    let resident = resident_mib(&server).await?;
    let before = processor::seconds(server.pid()?).await?;
    sleep(WATCHED).await;
    let busy = (processor::seconds(server.pid()?).await? - before) / WATCHED.as_secs_f64() * 100.0;
    server.stop().await?;
    Ok(vec![Sample::new("loaded: 10,000 entities", Unit::MiB, resident), Sample::new("loaded: processor, idle", Unit::Percent, busy)])
}
