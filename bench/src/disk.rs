//! What a reading costs on disk when 1,000 devices take turns. Linux says it; elsewhere nothing is measured.
//!
//! Beside an outside broker: what the broker in the process keeps for its sessions is not part of it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::{Instant, sleep_until};

use crate::mosquitto::Mosquitto;
use crate::mqtt::Client;
use crate::program::Program;
use crate::table::{Sample, Unit};

const DEVICES: u32 = 1_000;
/// Messages go out in handfuls of this length.
const TURN: Duration = Duration::from_millis(10);
/// For so long at each rate: log and roll-ups are written several times over.
const TIME: Duration = Duration::from_secs(20);

/// Bytes written for each reading, at a rate where batches are large and at one where they are small.
pub(crate) async fn measure(binary: &Path) -> Result<Vec<Sample>> {
    if !cfg!(target_os = "linux") {
        return Ok(vec![]);
    }
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let broker = Mosquitto::start(broker_folder.path(), false).await?;
    let program = Program::start_beside(binary, folder.path(), broker.address).await?;
    let devices = Client::connect(broker.address, "bench-devices").await?;
    let mut load = Load { devices, n: 0 };
    // The entities are made before it counts.
    load.publish(5_000, Duration::from_secs(2)).await?;
    let mut samples = vec![];
    for (name, rate) in [("disk: a reading, 5,000 msg/s", 5_000), ("disk: a reading, 500 msg/s", 500)] {
        let before = written(&program).await?;
        let n = load.publish(rate, TIME).await?;
        let written = written(&program).await? - before;
        samples.push(Sample::new(name, Unit::Bytes, written / f64::from(n)));
    }
    program.stop().await?;
    Ok(samples)
}

struct Load {
    devices: Client,
    /// Messages so far.
    n: u32,
}

impl Load {
    /// Publishes at a steady rate; how many messages that were.
    async fn publish(&mut self, rate: u32, time: Duration) -> Result<u32> {
        let (began, first) = (Instant::now(), self.n);
        let mut turn = 0;
        while TURN * turn < time {
            for _ in 0..rate / 100 {
                // A prime number of steps apart, so that neighbors in a batch are none in the database.
                let device = self.n.wrapping_mul(7) % DEVICES;
                self.devices.publish(format!("sensors/disk-{device:04}/temperature"), format!("{}.{}", self.n % 40, self.n % 7)).await?;
                self.n += 1;
            }
            turn += 1;
            sleep_until(began + TURN * turn).await;
        }
        Ok(self.n - first)
    }
}

/// Bytes that the program has had written to disk so far.
async fn written(program: &Program) -> Result<f64> {
    let io = tokio::fs::read_to_string(format!("/proc/{}/io", program.pid()?)).await?;
    let bytes = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse::<f64>().ok());
    bytes.context("the system does not say how much the process has written")
}
