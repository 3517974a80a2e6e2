use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::process::Command;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::NotHere;
use super::broker::until_up;
use crate::http::Connection;
use crate::memory;
use crate::program::Program;
use crate::table;
use crate::wire;

/// Devices, each with a connection of its own.
const DEVICES: u32 = 9_000;
/// Messages of each, one a second.
const MESSAGES: u32 = 10;
/// Connections that are being made at the same time.
const AT_ONCE: usize = 50;
/// How long an acknowledgment may take before the run gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// 9,000 devices at the embedded broker, each with a message a second: everything acknowledged is stored, soon, and in little memory.
pub(super) async fn connected(binary: &Path) -> Result<String> {
    if binary.parent().is_some_and(|folder| folder.ends_with("debug")) {
        let why = "a build without optimizations is too slow for it: SIGNALBOX_BIN=target/release/signalbox";
        return Err(NotHere(why.to_owned()).into());
    }
    room_for(u64::from(DEVICES) + 500).await?;
    let folder = tempfile::tempdir()?;
    let server = Program::start(binary, "serve", folder.path()).await?;
    until_up(server.http).await?;
    let (begin, at) = watch::channel(None);
    let (doors, mut devices) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    let (arrive, mut arrived) = watch::channel(0_u32);
    let arrive = Arc::new(arrive);
    let began = Instant::now();
    for n in 0..DEVICES {
        devices.spawn(device(server.mqtt, n, Arc::clone(&doors), Arc::clone(&arrive), at.clone()));
    }
    let failed = tokio::select! {
        all = arrived.wait_for(|n| *n == DEVICES) => all.map(|_| None)?,
        // None ends before it was told to begin, unless it failed.
        failed = devices.join_next() => failed,
    };
    if let Some(failed) = failed {
        failed?.with_context(|| format!("after {} of {DEVICES} connections", *arrived.borrow()))?;
    }
    let connected_s = began.elapsed().as_secs_f64();
    begin.send_replace(Some(Instant::now() + Duration::from_secs(1)));
    let mut took_s = Vec::with_capacity((DEVICES * MESSAGES) as usize);
    while let Some(ended) = devices.join_next().await {
        took_s.extend(ended??);
    }
    let resident = memory::resident_mib(&server).await?;
    let lost = missing(server.http).await?;
    let (p50, p99) = table::percentiles(took_s);
    server.stop().await?;
    let figures = format!(
        "{DEVICES} connections in {connected_s:.1} s, {} messages acknowledged, {lost} lost; PUBACK p50 {p50:.0} ms, p99 {p99:.0} ms; memory {resident:.0} MiB",
        DEVICES * MESSAGES
    );
    ensure!(lost == 0 && p99 <= 1_000.0 && resident <= 500.0, "{figures}");
    Ok(figures)
}

/// Connects, waits for the beginning, and sends; the seconds that each acknowledgment took.
async fn device(
    broker: SocketAddr,
    n: u32,
    doors: Arc<Semaphore>,
    arrive: Arc<watch::Sender<u32>>,
    mut at: watch::Receiver<Option<Instant>>,
) -> Result<Vec<f64>> {
    let door = doors.acquire_owned().await?;
    let connected = timeout(PATIENCE, wire::connect(broker, &format!("fault-crowd-{n:04}"), true)).await.context("the broker does not answer")?;
    let ((mut reader, mut writer), _) = connected?;
    drop(door);
    arrive.send_modify(|n| *n += 1);
    let began = at.wait_for(Option::is_some).await?.context("no beginning")?;
    // Spread over the second, as devices are that do not know of each other.
    let first = began + Duration::from_secs(1) * n / DEVICES;
    let mut took_s = vec![];
    for message in 0..MESSAGES {
        sleep_until(first + Duration::from_secs(message.into())).await;
        let sent = Instant::now();
        writer.publish(&format!("sensors/crowd-{n:04}/count"), message.to_string().as_bytes(), Some(1), false)?;
        writer.flush().await?;
        timeout(PATIENCE, reader.acknowledged()).await.context("the broker does not acknowledge")??;
        took_s.push(sent.elapsed().as_secs_f64());
    }
    Ok(took_s)
}

/// Messages that are not in history, once nothing more comes.
async fn missing(http: SocketAddr) -> Result<u64> {
    let mut connection = Connection::open(http).await?;
    let until = Instant::now() + PATIENCE;
    loop {
        let mut stored = 0;
        for first in (0..DEVICES).step_by(50) {
            let names: Vec<String> = (first..DEVICES.min(first + 50)).map(|n| format!("crowd-{n:04}.count")).collect();
            let answer = connection.get(&format!("/api/v1/history?entities={}&points=100", names.join(",")), "identity").await?;
            ensure!(answer.status == 200, "history answered {}", answer.status);
            let answer: Value = serde_json::from_slice(&answer.body)?;
            let series = answer["series"].as_array().context("history without series")?;
            // Each value once, or the sum would hide a loss behind something that is stored twice.
            for values in series.iter().filter_map(|series| series["last"].as_array()) {
                stored += u64::from((0..MESSAGES).map(|n| u32::from(values.iter().any(|v| v.as_f64() == Some(n.into())))).sum::<u32>());
            }
        }
        let missing = u64::from(DEVICES * MESSAGES) - stored;
        if missing == 0 || Instant::now() > until {
            return Ok(missing);
        }
        sleep(Duration::from_millis(500)).await;
    }
}

/// Lets this program, and those it starts, open so many files.
pub(crate) async fn room_for(files: u64) -> Result<()> {
    let limits = tokio::fs::read_to_string("/proc/self/limits").await.map_err(|error| NotHere(format!("this run is for Linux: {error}")))?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).context("no limit of open files")?;
    let mut numbers = line.split_whitespace().map(|word| word.parse().unwrap_or(u64::MAX));
    let (soft, hard) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if hard < files {
        return Err(NotHere(format!("it takes {files} open files, and this system allows {hard}")).into());
    }
    if soft < files {
        let limit = format!("--nofile={files}:{hard}");
        let raised = Command::new("prlimit").args(["--pid", &std::process::id().to_string(), &limit]).status().await;
        let raised = raised.map_err(|error| NotHere(format!("cannot run prlimit: {error}")))?;
        ensure!(raised.success(), "prlimit cannot allow {files} open files");
    }
    Ok(())
}
