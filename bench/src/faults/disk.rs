use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::database::ALARM;
use super::fleet::{self, Plan};
use super::kills::held;
use super::{NotHere, broker, history, sqlite};
use crate::http::Connection;
use crate::mosquitto::Mosquitto;
use crate::program::Program;
use crate::task::Task;

/// Size of the disk.
const MIB: u32 = 12;
/// How long it stays full after the server has noticed.
const FULL: Duration = Duration::from_secs(8);

/// The disk fills up twice while devices send. The first time space returns: everything goes on by itself. The second time the server is killed
/// meanwhile: what it had acknowledged without storing it would be lost then.
pub(super) async fn full(binary: &Path) -> Result<String> {
    let plan = Plan { messages: 50_000, per_s: 500, devices: 20 };
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let disk = Disk::mount(&folder.path().join("data")).await?;
    let mosquitto = Mosquitto::start(broker_folder.path(), false).await?;
    let mut server = Program::start_beside(binary, folder.path(), mosquitto.address).await?;
    broker::until_up(server.http).await?;
    let (tell, mut acknowledged) = watch::channel(0);
    let mut sent = Task::begin(fleet::send(plan, mosquitto.address, move |n| _ = tell.send(n)));
    acknowledged.wait_for(|n| *n >= 2_000).await?;

    disk.fill().await?;
    broker::until_alarm(server.http, ALARM, true).await?;
    sleep(FULL).await;
    answers(server.http).await.context("with a full disk")?;
    let stored = stored(server.http).await?;
    disk.free().await?;
    let returned = Instant::now();
    broker::until_alarm(server.http, ALARM, false).await?;
    until_stored(server.http, stored).await?;
    let back_ms = returned.elapsed().as_millis();

    sleep(Duration::from_secs(2)).await;
    disk.fill().await?;
    broker::until_alarm(server.http, ALARM, true).await?;
    sleep(FULL).await;
    server.kill().await?;
    // Also on a full disk the server starts and shows what it has.
    server = Program::start_beside(binary, folder.path(), mosquitto.address).await.context("with a full disk")?;
    broker::until_alarm(server.http, ALARM, true).await?;
    answers(server.http).await.context("started with a full disk")?;
    disk.free().await?;
    sent.end().await?;
    let found = history::compare(server.http, plan, Duration::from_secs(60)).await?;
    broker::until_alarm(server.http, ALARM, false).await?;
    server.stop().await?;
    sqlite::check(&disk.folder.join("signalbox.db")).await?;

    // Nothing of it is left that a start could use: it says what is in its way.
    disk.fill().await?;
    ensure!(Program::start_beside(binary, folder.path(), mosquitto.address).await.is_err(), "it started without room for anything");
    let log = tokio::fs::read_to_string(folder.path().join("signalbox.log")).await?;
    ensure!(
        log.lines().last().is_some_and(|line| line.contains("the disk is full")),
        "it does not say that the disk is full: {:?}",
        log.lines().last()
    );
    drop(disk);
    let figures = format!("{}; back {back_ms} ms after space returned, integrity ok", held(found, plan, 0)?);
    ensure!(back_ms <= 10_000, "{figures}");
    Ok(figures)
}

/// The page and REST answer, each with its content.
async fn answers(http: SocketAddr) -> Result<()> {
    let mut connection = Connection::open(http).await?;
    let page = connection.get("/", "identity").await?;
    ensure!(
        page.status == 200 && String::from_utf8_lossy(&page.body).contains("history is not being recorded"),
        "the page does not say what is wrong"
    );
    for path in ["/healthz", "/api/v1/entities", "/api/v1/history?entities=fault-000.count&from=0&to=4102444800000&points=5"] {
        let answer = connection.get(path, "identity").await?;
        ensure!(answer.status == 200 && !answer.body.is_empty(), "{path} answered {}", answer.status);
    }
    Ok(())
}

/// Readings of the first device in history.
async fn stored(http: SocketAddr) -> Result<u64> {
    history::counted(http, &Plan::entity(0), fleet::now_ms()?, 20).await
}

/// Waits until there are more than so many.
async fn until_stored(http: SocketAddr, n: u64) -> Result<()> {
    while stored(http).await? <= n {
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// A small disk in memory. Dropped, it is gone.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    async fn mount(folder: &Path) -> Result<Self> {
        tokio::fs::create_dir(folder).await?;
        let size = format!("size={MIB}m");
        let mounting = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "signalbox-fault"]).arg(folder).stdin(Stdio::null()).output().await;
        let mounted = mounting.map_err(|error| NotHere(format!("cannot run mount: {error}")))?;
        if !mounted.status.success() {
            let why = String::from_utf8_lossy(&mounted.stderr);
            return Err(NotHere(format!("a small disk can be made by root only: {}", why.lines().next().unwrap_or_default())).into());
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Takes all the space there is.
    async fn fill(&self) -> Result<()> {
        let mut ballast = tokio::fs::File::create(self.ballast()).await?;
        let bytes = vec![0_u8; 4_096];
        for _ in 0..=MIB * 256 {
            if ballast.write_all(&bytes).await.is_err() || ballast.flush().await.is_err() {
                return Ok(());
            }
        }
        anyhow::bail!("the disk takes more than it has")
    }

    /// Gives it back.
    async fn free(&self) -> Result<()> {
        Ok(tokio::fs::remove_file(self.ballast()).await?)
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: the server may still be ending. A disk that cannot be taken away is left behind, and the run has said what it had to say.
        let _left: std::io::Result<std::process::ExitStatus> = std::process::Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
