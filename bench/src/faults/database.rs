use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::time::{Instant, sleep, sleep_until};

use super::broker::{connects, has_alarm, until_alarm, until_up};
use super::fleet::{self, Plan};
use super::history;
use super::kills::held;
use super::sqlite::Sqlite;
use crate::http::Connection;
use crate::memory;
use crate::metrics::Metrics;
use crate::mosquitto::Mosquitto;
use crate::program::Program;
use crate::task::Task;

/// The alarm of a server that cannot store.
pub(super) const ALARM: &str = "signalbox.recorder";
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Another program holds the database for half a minute while 1,000 messages a second come in: they wait, nothing breaks, and then they are stored.
pub(super) async fn locked(binary: &Path) -> Result<String> {
    const HELD: Duration = Duration::from_secs(30);
    let plan = Plan { messages: 45_000, per_s: 1_000, devices: 20 };
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mosquitto = Mosquitto::start(broker_folder.path(), false).await?;
    let server = Program::start_beside(binary, folder.path(), mosquitto.address).await?;
    until_up(server.http).await?;
    let mut other = Sqlite::open(&folder.path().join("data/signalbox.db")).await?;
    let mut sent = Task::begin(fleet::send(plan, mosquitto.address, |_| ()));
    sleep(Duration::from_secs(8)).await;
    let (before, connected) = (memory::resident_mib(&server).await?, connects(server.http).await?);
    ensure!(!has_alarm(server.http, ALARM).await?, "the alarm {ALARM} is raised without a reason");
    other.ask("begin immediate; select 'held';").await?;
    let until = Instant::now() + HELD;
    let (mut most, mut raised) = (before, false);
    while Instant::now() < until {
        sleep(LOOK_EVERY).await;
        most = most.max(memory::resident_mib(&server).await?);
        raised = has_alarm(server.http, ALARM).await?;
    }
    let stored = Metrics::look(server.http).await?.value("signalbox_recorder_rows_total")?;
    other.close().await?;
    let released = Instant::now();
    ensure!(raised, "the alarm {ALARM} is not there while nothing can be stored");
    until_alarm(server.http, ALARM, false).await?;
    sent.end().await?;
    let found = history::compare(server.http, plan, Duration::from_secs(90)).await?;
    let drained_s = released.elapsed().as_secs_f64();
    most = most.max(memory::resident_mib(&server).await?);
    let (grown, again) = (most - before, connects(server.http).await? - connected);
    server.stop().await?;
    let figures = format!(
        "{}; {stored} of them before the end of the lock; {again} new connections, drained after {drained_s:.1} s, memory {grown:+.1} MiB",
        held(found, plan, 0)?
    );
    ensure!(again == 0 && drained_s <= 60.0 && grown <= 50.0, "{figures}");
    Ok(figures)
}

/// Another program reads one and the same state of the database for a minute while 5,000 readings a second come in: the log stays short enough
/// for a small disk, and readings are stored as fast as without it.
pub(super) async fn read(binary: &Path) -> Result<String> {
    let plan = Plan { messages: 500_000, per_s: 5_000, devices: 125 };
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mosquitto = Mosquitto::start(broker_folder.path(), false).await?;
    let server = Program::start_beside(binary, folder.path(), mosquitto.address).await?;
    until_up(server.http).await?;
    let mut reader = Sqlite::open(&folder.path().join("data/signalbox.db")).await?;
    let mut sent = Task::begin(fleet::send(plan, mosquitto.address, |_| ()));
    sleep(Duration::from_secs(5)).await;
    let (normal, log_normal) = watched(server.http, Duration::from_secs(25)).await?;
    reader.ask("begin; select count(*) from reading;").await?;
    let (beside, log) = watched(server.http, Duration::from_secs(60)).await?;
    reader.close().await?;
    sent.end().await?;
    let found = history::compare(server.http, plan, Duration::from_secs(60)).await?;
    server.stop().await?;
    let share = 100.0 * beside / normal;
    let figures = format!(
        "{}; {normal:.0}/s without the reader, {beside:.0}/s ({share:.0} %) beside it; log {log_normal:.1} and {log:.1} MiB",
        held(found, plan, 0)?
    );
    // On a machine that cannot store what is sent, the share would say nothing.
    ensure!(normal >= 4_500.0, "the machine is too slow for this run: {figures}");
    ensure!(share >= 90.0 && log <= 128.0, "{figures}");
    Ok(figures)
}

/// Rows stored in a second, and the longest write-ahead log in MiB.
async fn watched(http: SocketAddr, time: Duration) -> Result<(f64, f64)> {
    let mut connection = Connection::open(http).await?;
    let began = Instant::now();
    let first = Metrics::read(&mut connection).await?.value("signalbox_recorder_rows_total")?;
    let mut longest = 0_f64;
    loop {
        sleep_until((Instant::now() + LOOK_EVERY).min(began + time)).await;
        let metrics = Metrics::read(&mut connection).await.context("while readings come in")?;
        longest = longest.max(metrics.value("signalbox_database_wal_bytes")? / 1024.0 / 1024.0);
        if began.elapsed() >= time {
            let rows = metrics.value("signalbox_recorder_rows_total")? - first;
            return Ok((rows / began.elapsed().as_secs_f64(), longest));
        }
    }
}
