//! What the commands of the command line do.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::application::{Application, Play};
use crate::cli::{Command, SimulateArgs};
use crate::config::{self, Config, ConfigArgs};
use crate::export::ExportArgs;
use crate::import::ImportArgs;
use crate::mqtt::link::{LinkSettings, TlsFiles, Transport};
use crate::simulator::{self, SimTarget};
use crate::store::Store as _;
use crate::store::sqlite::SqliteStore;
use crate::tasks::Tasks;
use crate::telemetry;

/// After this the process ends whatever still runs: what was acknowledged is on disk by then.
const STOP_LIMIT: Duration = Duration::from_secs(9);

/// Files that may be open: a device, a page or a database connection each take one.
const OPEN_FILES: u64 = 65_536;

/// Does what was asked. 0 is success, 1 is an error that was told, 2 a command line that makes no sense.
pub async fn run(command: Command) -> ExitCode {
    let done = match command {
        Command::Serve(args) => serve(&args, Play::Real).await,
        Command::Demo(args) => serve(&args, Play::Demo).await,
        Command::Check(args) => check(&args).await,
        Command::Simulate(args) => simulate(args).await,
        Command::Export(args, what) => export(&args, &what).await,
        Command::Import(args, what) => import(&args, &what).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may not be up yet, and an operator reads the last line: one sentence with its causes.
            let _: std::io::Result<()> = writeln!(std::io::stderr(), "signalbox: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn load(args: &ConfigArgs) -> Result<Config> {
    let cwd = std::env::current_dir().context("cannot read the working directory")?;
    Ok(config::load(args, config::process_environment(), &cwd)?)
}

async fn serve(args: &ConfigArgs, play: Play) -> Result<()> {
    let config = load(args)?;
    telemetry::init(config.log)?;
    // As far as the system lets us; who has few devices never notices.
    if let Err(error) = rlimit::increase_nofile_limit(OPEN_FILES) {
        tracing::warn!(%error, "The limit of open files stays as it is: it limits how many devices and pages can be connected");
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    if config.auth.anonymous.is_none() {
        tracing::warn!("auth.anonymous is none and accounts come with a later release: nobody can look at the pages");
    }
    let application = Application::start(&config, play).await?;
    announce(&application)?;
    tokio::select! {
        _ = terminate.recv() => tracing::info!("Told to stop"),
        _ = interrupt.recv() => tracing::info!("Interrupted"),
    }
    if tokio::time::timeout(STOP_LIMIT, application.stop()).await.is_err() {
        tracing::warn!(limit_s = STOP_LIMIT.as_secs(), "Not everything ended in time");
    }
    Ok(())
}

/// The machine-readable lines of standard output.
fn announce(application: &Application) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening http {}", application.http_addr())?;
    if let Some(mqtt) = application.mqtt_addr() {
        writeln!(out, "listening mqtt {mqtt}")?;
    }
    writeln!(out, "ready")?;
    Ok(out.flush()?)
}

async fn check(args: &ConfigArgs) -> Result<()> {
    let config = load(args)?;
    let mut out = std::io::stdout();
    writeln!(out, "configuration {}", config.file.as_deref().map_or("built-in".to_owned(), |file| file.display().to_string()))?;
    let store = SqliteStore::open(&config.database.path).await?;
    let saved = store.load().await?;
    writeln!(out, "database {}: {} devices, {} entities", config.database.path.display(), saved.devices.len(), saved.entities.len())?;
    store.close().await;
    let mut unreachable = vec![];
    for found in crate::application::probe_links(&config).await? {
        match found {
            (name, Ok(())) => writeln!(out, "broker \"{name}\": reached")?,
            (name, Err(reason)) => {
                writeln!(out, "broker \"{name}\": {reason}")?;
                unreachable.push(name);
            }
        }
    }
    anyhow::ensure!(unreachable.is_empty(), "not reached: {}", unreachable.join(", "));
    Ok(())
}

async fn export(args: &ConfigArgs, what: &ExportArgs) -> Result<()> {
    let config = load(args)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        done = crate::export::run(&config, what) => done,
        // A file that is half written goes with what is dropped here.
        _ = terminate.recv() => anyhow::bail!("told to stop; nothing was written"),
        _ = interrupt.recv() => anyhow::bail!("interrupted; nothing was written"),
    }
}

async fn import(args: &ConfigArgs, what: &ImportArgs) -> Result<()> {
    let config = load(args)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let told_to_stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    crate::import::run(&config, what, told_to_stop).await
}

async fn simulate(args: SimulateArgs) -> Result<()> {
    telemetry::init(config::LogConfig::default())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let link = LinkSettings::from_url("simulated", &args.url, "signalbox-simulate", &TlsFiles::default())?;
    anyhow::ensure!(matches!(link.transport, Transport::Tcp), "simulated devices speak mqtt:// only");
    let password = if args.password_stdin {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).context("cannot read the password from standard input")?;
        Some(line.trim_end_matches(['\r', '\n']).to_owned())
    } else {
        link.password
    };
    let credentials = args.username.or(link.username).map(|user| (user, password.unwrap_or_default()));
    let tasks = Tasks::default();
    simulator::play(SimTarget { host: link.host, port: link.port, credentials }, simulator::players(&args.scenes), &tasks);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tasks.stop().await;
    Ok(())
}
