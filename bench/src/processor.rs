//! Processor time of a process. Linux says it.

use anyhow::{Context as _, Result};

/// Ticks of the system's clock in a second, as Linux counts processor time for programs.
const TICKS: f64 = 100.0;

/// Processor time of a process so far, of all its threads, in seconds. Linux only.
pub(crate) async fn seconds(pid: u32) -> Result<f64> {
    let stat = tokio::fs::read_to_string(format!("/proc/{pid}/stat")).await?;
    // The name in parentheses may hold anything; user and system time are the 12th and 13th word after it.
    let (_, words) = stat.rsplit_once(')').context("a process without a name")?;
    let ticks: f64 = words.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok()).sum();
    Ok(ticks / TICKS)
}
