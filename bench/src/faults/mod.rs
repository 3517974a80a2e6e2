//! What the program has to survive, each run with a number that decides: `make faults`. Nothing here measures speed.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout};

/// What devices must not be able to do.
mod hostile;
/// Kills, cuts and restarts while devices send.
mod kills;
/// The line to the broker: gone, silent, slow.
mod line;

/// What the server says, and single messages.
mod broker;
/// Devices that count.
mod fleet;
/// What was stored.
mod history;
/// A line that can be cut.
mod proxy;

/// Longer than any run takes.
const PATIENCE: Duration = Duration::from_secs(400);

type Run = for<'a> fn(&'a Path) -> BoxFuture<'a, Result<String>>;

/// Every run with its name, in the order of the list in the design's facts.
const RUNS: &[(&str, Run)] = &[
    ("story", |binary| Box::pin(kills::story(binary))),
    ("server-killed", |binary| Box::pin(kills::server_killed(binary))),
    ("all-killed", |binary| Box::pin(kills::embedded_killed(binary))),
    ("stopped", |binary| Box::pin(kills::stopped(binary))),
    ("broker-killed", |binary| Box::pin(kills::broker_killed(binary))),
    ("line", |binary| Box::pin(line::cut(binary))),
    ("poison", |binary| Box::pin(hostile::poison(binary))),
    ("payloads", |binary| Box::pin(hostile::payloads(binary))),
    ("packets", |binary| Box::pin(hostile::packets(binary))),
    ("topics", |binary| Box::pin(hostile::topics(binary))),
    ("disorder", |binary| Box::pin(kills::disorder(binary))),
];

/// Runs those that are named, or all, and says of each what came of it.
pub(crate) async fn run(binary: &Path, names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| RUNS.iter().all(|(known, _)| known != name)) {
        bail!("no run is called {unknown}; there are: {}", RUNS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "));
    }
    let mut failed = vec![];
    for (name, run) in RUNS.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|wanted| wanted == name)) {
        let began = Instant::now();
        let outcome = timeout(PATIENCE, run(binary)).await.with_context(|| format!("it took longer than {} s", PATIENCE.as_secs())).flatten();
        let seconds = began.elapsed().as_secs();
        match outcome {
            Ok(figures) => println!("{name:<15} held    {seconds:>4} s  {figures}"),
            Err(error) => {
                println!("{name:<15} FAILED  {seconds:>4} s  {error:#}");
                failed.push(*name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}
