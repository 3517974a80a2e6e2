//! Debian's mosquitto as an outside broker.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

/// A mosquitto that keeps what it acknowledged in its folder. Dropped, it is killed.
pub(crate) struct Mosquitto {
    /// Where clients connect.
    pub(crate) address: SocketAddr,
    config: PathBuf,
    process: Child,
    /// Reads what it logs: a full pipe would stop it.
    _log: JoinSet<()>,
}

impl Mosquitto {
    /// Starts on a free port with its state in `folder`. `durable` writes it every second, as often as it
    /// can be asked to without stopping for each message: killed, it forgets what it has not passed on since.
    pub(crate) async fn start(folder: &Path, durable: bool) -> Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        drop(listener);
        let config = folder.join("mosquitto.conf");
        let keep =
            if durable { format!("persistence true\npersistence_location {}/\nautosave_interval 1\n", folder.display()) } else { String::new() };
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\nlog_type information\nmax_queued_messages 0\nuser root\n{keep}",
            address.port()
        );
        tokio::fs::write(&config, text).await?;
        let (process, log) = launch(&config).await?;
        Ok(Self { address, config, process, _log: log })
    }

    /// Kills it with SIGKILL.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }

    /// Starts it again on the same port and folder.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        (self.process, self._log) = launch(&self.config).await?;
        Ok(())
    }
}

/// Starts it and returns when it accepts clients.
async fn launch(config: &Path) -> Result<(Child, JoinSet<()>)> {
    let program = if Path::new("/usr/sbin/mosquitto").exists() { "/usr/sbin/mosquitto" } else { "mosquitto" };
    let mut process = Command::new(program)
        .arg("-c")
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {program}: please install mosquitto"))?;
    let mut lines = BufReader::new(process.stderr.take().context("it has no standard error")?).lines();
    let mut said = vec![];
    loop {
        let line = lines.next_line().await?;
        ensure!(line.is_some(), "mosquitto did not start: {}", said.join("; "));
        let line = line.unwrap_or_default();
        if line.ends_with("running") {
            break;
        }
        said.push(line);
    }
    let mut log = JoinSet::new();
    log.spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((process, log))
}
