//! The program under measurement, started and ended as an operator would.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, timeout};

/// How long a start may take. Generous: a build without optimizations generates its week slowly.
const START: Duration = Duration::from_secs(120);
/// How long an end may take: the promised 10 seconds and some for a busy machine.
const END: Duration = Duration::from_secs(20);

/// A running program. Dropped, it is killed.
pub(crate) struct Program {
    /// Where pages, REST and the WebSocket are.
    pub(crate) http: SocketAddr,
    /// Where its broker is: the one inside it, or the one that it was given.
    pub(crate) mqtt: SocketAddr,
    /// When it said `ready`.
    pub(crate) ready: Instant,
    started: Instant,
    child: Child,
    /// Kept open: what it would say after `ready` has to go somewhere.
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts it on free ports with its data in `folder`, and returns once it is ready.
    pub(crate) async fn start(binary: &Path, command: &str, folder: &Path) -> Result<Self> {
        Self::launch(binary, &[command], folder, "127.0.0.1:0", None, &[]).await
    }

    /// `serve` with more of an environment, which may take the place of what is usual here.
    pub(crate) async fn start_in(binary: &Path, folder: &Path, env: &[(&str, OsString)]) -> Result<Self> {
        Self::launch(binary, &["serve"], folder, "127.0.0.1:0", None, env).await
    }

    /// `serve` with its broker where it was before.
    pub(crate) async fn start_on(binary: &Path, folder: &Path, broker: SocketAddr) -> Result<Self> {
        Self::launch(binary, &["serve"], folder, &broker.to_string(), None, &[]).await
    }

    /// The same with an outside broker, over a line that may be another's address.
    pub(crate) async fn start_beside(binary: &Path, folder: &Path, broker: SocketAddr) -> Result<Self> {
        Self::start_beside_in(binary, folder, broker, &[]).await
    }

    /// The same with more of an environment.
    pub(crate) async fn start_beside_in(binary: &Path, folder: &Path, broker: SocketAddr, env: &[(&str, OsString)]) -> Result<Self> {
        let file = folder.join("signalbox.toml");
        tokio::fs::write(&file, format!("[[mqtt]]\nname = \"plant\"\nurl = \"mqtt://{broker}\"\n")).await?;
        Self::launch(binary, &["serve", "--config", "signalbox.toml"], folder, "127.0.0.1:0", Some(broker), env).await
    }

    /// A bare bridge beside a broker, which this very program holds.
    pub(crate) async fn start_bridge(folder: &Path, broker: SocketAddr) -> Result<Self> {
        let own = std::env::current_exe()?;
        Self::launch(&own, &["bridge", &broker.to_string()], folder, "127.0.0.1:0", Some(broker), &[]).await
    }

    async fn launch(
        binary: &Path,
        words: &[&str],
        folder: &Path,
        listen: &str,
        broker: Option<SocketAddr>,
        env: &[(&str, OsString)],
    ) -> Result<Self> {
        let started = Instant::now();
        let mut child = Command::new(binary)
            .args(words)
            .current_dir(folder)
            // The settings of whoever measures are none of its own.
            .env_clear()
            .env("SIGNALBOX_HTTP_LISTEN", "127.0.0.1:0")
            .env("SIGNALBOX_BROKER_LISTEN", listen)
            .env("SIGNALBOX_DATA_DIR", folder.join("data"))
            .env("SIGNALBOX_AUTH_ANONYMOUS", "operator")
            .env("SIGNALBOX_LOG_LEVEL", "warn")
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log(folder)?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let mut lines = BufReader::new(child.stdout.take().context("it has no standard output")?).lines();
        let (http, mqtt) = timeout(START, listeners(&mut lines)).await.with_context(|| format!("{} is not ready after {START:?}", words[0]))??;
        let mqtt = mqtt.or(broker).context("it is ready without saying where it listens")?;
        Ok(Self { http, mqtt, ready: Instant::now(), started, child, _lines: lines })
    }

    /// Milliseconds from the start to `ready`.
    pub(crate) fn ms_to_ready(&self) -> f64 {
        (self.ready - self.started).as_secs_f64() * 1e3
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> Result<u32> {
        self.child.id().context("the program has ended by itself")
    }

    /// Ends it as a power cut ends a program.
    pub(crate) async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to end and waits until it has; the milliseconds that it took.
    pub(crate) async fn stop(mut self) -> Result<f64> {
        let asked = Instant::now();
        let pid = self.pid()?.to_string();
        ensure!(Command::new("kill").args(["-TERM", &pid]).status().await?.success(), "cannot send SIGTERM");
        let status = timeout(END, self.child.wait()).await.with_context(|| format!("it runs on {END:?} after SIGTERM"))??;
        ensure!(status.code() == Some(0), "it ended with {status}");
        Ok(asked.elapsed().as_secs_f64() * 1e3)
    }
}

/// What it logs goes to a file beside its data, over all of its starts.
fn log(folder: &Path) -> Result<Stdio> {
    Ok(std::fs::File::options().create(true).append(true).open(folder.join("signalbox.log"))?.into())
}

/// Reads up to `ready`: the addresses of HTTP and, when a broker is inside, MQTT.
async fn listeners(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<(SocketAddr, Option<SocketAddr>)> {
    let (mut http, mut mqtt) = (None, None);
    while let Some(line) = lines.next_line().await? {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["listening", "http", address] => http = Some(address.parse()?),
            ["listening", "mqtt", address] => mqtt = Some(address.parse()?),
            ["ready"] => return Ok((http.context("it is ready without saying where it listens")?, mqtt)),
            _ => bail!("it said \"{line}\""),
        }
    }
    bail!("it ended before it was ready")
}
