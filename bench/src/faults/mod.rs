//! What the program has to survive, each run with a number that decides: `make faults`. Nothing here measures speed.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout};

pub(crate) use crowd::room_for;

/// The clock jumps.
mod clock;
/// 9,000 devices at once.
mod crowd;
/// Another program at the database.
mod database;
/// No space left.
mod disk;
/// What devices must not be able to do.
mod hostile;
/// Kills, cuts and restarts while devices send.
mod kills;
/// The line to the broker: gone, silent, slow.
mod line;
/// The power goes.
mod power;

/// What the server says, and single messages.
mod broker;
/// Devices that count.
mod fleet;
/// What was stored.
mod history;
/// A line that can be cut.
mod proxy;
/// SQLite's own program.
mod sqlite;

/// Longer than any run takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// A run with the program; the number is how often, for the run that does something again and again.
type Run = for<'a> fn(&'a Path, Option<u32>) -> BoxFuture<'a, Result<String>>;

/// Why a run was not made: something that it needs is not here. That is neither held nor failed.
#[derive(Debug)]
struct NotHere(String);

impl std::fmt::Display for NotHere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotHere {}

/// Every run with its name, in the order of the list in the design's facts.
const RUNS: &[(&str, Run)] = &[
    ("story", |binary, _| Box::pin(kills::story(binary))),
    ("server-killed", |binary, _| Box::pin(kills::server_killed(binary))),
    ("all-killed", |binary, _| Box::pin(kills::embedded_killed(binary))),
    ("stopped", |binary, _| Box::pin(kills::stopped(binary))),
    ("broker-killed", |binary, _| Box::pin(kills::broker_killed(binary))),
    ("line", |binary, _| Box::pin(line::cut(binary))),
    ("poison", |binary, _| Box::pin(hostile::poison(binary))),
    ("locked", |binary, _| Box::pin(database::locked(binary))),
    ("fleet", |binary, _| Box::pin(crowd::connected(binary))),
    ("disk-full", |binary, _| Box::pin(disk::full(binary))),
    ("power-cut", |binary, times| Box::pin(power::cut(binary, times.unwrap_or(10)))),
    ("reader", |binary, _| Box::pin(database::read(binary))),
    ("clock", |binary, _| Box::pin(clock::jumps(binary))),
    ("payloads", |binary, _| Box::pin(hostile::payloads(binary))),
    ("packets", |binary, _| Box::pin(hostile::packets(binary))),
    ("topics", |binary, _| Box::pin(hostile::topics(binary))),
    ("disorder", |binary, _| Box::pin(kills::disorder(binary))),
];

/// The one run that does something as often as asked: `power-cut=50`.
const COUNTED: &str = "power-cut";

/// Runs those that are named, or all, and says of each what came of it.
pub(crate) async fn run(binary: &Path, words: &[String]) -> Result<()> {
    let wanted = words.iter().map(|word| named(word)).collect::<Result<Vec<_>>>()?;
    let (mut failed, mut not_run) = (vec![], vec![]);
    for (name, run) in RUNS {
        let asked = wanted.iter().find(|(wanted, _)| wanted == name);
        if asked.is_none() && !wanted.is_empty() {
            continue;
        }
        let began = Instant::now();
        let running = run(binary, asked.and_then(|(_, times)| *times));
        let outcome = timeout(PATIENCE, running).await.with_context(|| format!("it took longer than {} s", PATIENCE.as_secs())).flatten();
        let seconds = began.elapsed().as_secs();
        match outcome {
            Ok(figures) => println!("{name:<15} held    {seconds:>4} s  {figures}"),
            Err(error) if error.is::<NotHere>() => {
                println!("{name:<15} NOT RUN {seconds:>4} s  {error:#}");
                not_run.push(*name);
            }
            Err(error) => {
                println!("{name:<15} FAILED  {seconds:>4} s  {error:#}");
                failed.push(*name);
            }
        }
    }
    if !not_run.is_empty() {
        println!("not run, so not shown: {}", not_run.join(", "));
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// The run that a word of the command line names, and how often it is to do what it does.
fn named(word: &str) -> Result<(&str, Option<u32>)> {
    let (name, times) = match word.split_once('=') {
        Some((name, times)) if name == COUNTED => {
            let times = times.parse().ok().filter(|times| *times > 0).with_context(|| format!("\"{times}\" is no number of times"))?;
            (name, Some(times))
        }
        Some((name, _)) if RUNS.iter().any(|(known, _)| *known == name) => bail!("{name} takes no number: {COUNTED} does"),
        _ => (word, None),
    };
    if RUNS.iter().all(|(known, _)| *known != name) {
        bail!("no run is called {name}; there are: {}", RUNS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "));
    }
    Ok((name, times))
}
