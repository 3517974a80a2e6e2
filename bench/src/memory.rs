//! What the program holds in memory once its start is over. Linux says it; elsewhere nothing is measured.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::program::Program;
use crate::table::{Sample, Unit};

/// After `ready`: the simulated devices have reported by then, and what the start needed is given back if it ever is.
const SETTLED: Duration = Duration::from_secs(15);

/// The resident set of the process.
pub(crate) async fn measure(program: &Program) -> Result<Vec<Sample>> {
    tokio::time::sleep_until(program.ready + SETTLED).await;
    if !cfg!(target_os = "linux") {
        return Ok(vec![]);
    }
    Ok(vec![Sample::new("memory: demo after 15 s", Unit::MiB, resident_mib(program).await?)])
}

/// The resident set of the process in MiB. Linux only.
pub(crate) async fn resident_mib(program: &Program) -> Result<f64> {
    let status = tokio::fs::read_to_string(format!("/proc/{}/status", program.pid()?)).await?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<u32>().ok())
        .context("the system does not say how much memory the process has")?;
    Ok(f64::from(kib) / 1024.0)
}
