//! Measures the built program from outside, as devices and browsers meet it: `make bench`.
//!
//! Each run starts the program on free ports with an empty folder, measures, and ends it. What is shown is the median of the runs and, where
//! there is one, the ratio to a floor that was measured in the same run: times depend on the machine, ratios hardly. Nothing fails because it is
//! slow; it fails when a message is lost, a page is not answered or the program does not end as promised.
//!
//! `SIGNALBOX_BIN` names another program than the one next to this, `BENCH_RUNS` another number of runs than five. The program's folder is made
//! where the system keeps temporary files, and how fast that disk is shows in the rate of the ingest; `TMPDIR` names another place.
//!
//! `bench store [READINGS]` measures history alone, `bench decode` what messages of each convention cost, `bench viewers [PART …]` many viewers, `bench faults [NAME …]` runs the faults that the program has to survive instead.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::timeout;

use program::Program;
use table::{Sample, Unit};

/// After a broker's outage.
mod back;
/// What messages of each convention cost.
mod decode;
/// Bytes that readings cost on disk.
mod disk;
/// Readings from a device to the disk.
mod ingest;
/// A reading from a device to a viewer.
mod live;
/// More messages than a program can take.
mod load;
/// With many entities, and nothing to do.
mod loaded;
/// What the program holds in memory.
mod memory;
/// The overview as a browser asks for it.
mod page;
/// History: what it costs on disk and in time.
mod store;
/// Readings over an outside broker, as fast as it goes.
mod sustained;

/// Many viewers: `bench viewers`.
mod viewers;

/// What it has to survive: `bench faults`.
mod faults;

/// HTTP, as much as is needed.
mod http;
/// What the program says of itself.
mod metrics;
/// An outside broker.
mod mosquitto;
/// An MQTT client that notes when it heard what.
mod mqtt;
/// Processor time.
mod processor;
/// The program under measurement.
mod program;
/// What waits where.
mod queues;
/// Samples, and the table of their medians.
mod table;
/// What goes on beside.
mod task;
/// MQTT on a bare socket.
mod wire;

/// Ends a measurement that would otherwise wait for ever; far longer than any takes.
const PATIENCE: Duration = Duration::from_secs(180);

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("store", words)) = words.split_first().map(|(first, words)| (first.as_str(), words)) {
        print!("{}", table::of(&[store::measure(words).await?]));
        return Ok(());
    }
    if let Some(("bridge", [broker])) = words.split_first().map(|(first, words)| (first.as_str(), words)) {
        return viewers::bridge::run(broker.parse()?).await;
    }
    if words == ["decode"] {
        print!("{}", table::of(&[decode::measure()?, decode::measure()?, decode::measure()?]));
        return Ok(());
    }
    let binary = binary()?;
    if let Some(("faults", names)) = words.split_first().map(|(first, names)| (first.as_str(), names)) {
        return faults::run(&binary, names).await;
    }
    let crowd = words.split_first().filter(|(first, _)| *first == "viewers").map(|(_, names)| names);
    let runs = match std::env::var("BENCH_RUNS") {
        Ok(text) => text.parse::<usize>().ok().filter(|runs| *runs > 0).with_context(|| format!("BENCH_RUNS=\"{text}\" is no number of runs"))?,
        Err(_) => 5,
    };
    let mut samples = vec![];
    for run in 0..runs {
        eprintln!("run {} of {runs}", run + 1);
        samples.push(match crowd {
            Some(names) => viewers::measure(&binary, names).await?,
            None => measure(&binary, run).await?,
        });
    }
    println!("{}\nruns: {runs}; median, lowest to highest, and the ratio to the floor of the same run\n", binary.display());
    print!("{}", table::of(&samples));
    Ok(())
}

/// The program that was built with this one, so that a release measures a release.
fn binary() -> Result<PathBuf> {
    let path = match std::env::var_os("SIGNALBOX_BIN") {
        Some(path) => PathBuf::from(path),
        None => std::env::current_exe()?.with_file_name("signalbox"),
    };
    path.canonicalize().with_context(|| format!("no program at {}: build it with `cargo build --release -p server --bin signalbox`", path.display()))
}

/// One run: the demo for what a visitor meets, then an empty server, whose only devices are ours.
async fn measure(binary: &Path, run: usize) -> Result<Vec<Sample>> {
    let mut samples = vec![];
    let folder = tempfile::tempdir()?;
    let demo = Program::start(binary, "demo", folder.path()).await?;
    samples.push(Sample::new("start: demo, week generated", Unit::Ms, demo.ms_to_ready()));
    samples.extend(bounded("memory", memory::measure(&demo)).await?);
    samples.extend(bounded("page", page::measure(&demo)).await?);
    demo.stop().await?;
    let demo = Program::start(binary, "demo", folder.path()).await?;
    samples.insert(1, Sample::new("start: demo, second time", Unit::Ms, demo.ms_to_ready()));
    demo.stop().await?;

    let folder = tempfile::tempdir()?;
    let serve = Program::start(binary, "serve", folder.path()).await?;
    samples.extend(bounded("live", live::measure(&serve)).await?);
    // Whatever the order does to the machine, it does to both sides of the ratio in turn.
    samples.extend(bounded("ingest", ingest::measure(&serve, run.is_multiple_of(2))).await?);
    serve.stop().await?;
    samples.extend(bounded("sustained", sustained::measure(binary, run.is_multiple_of(2))).await?);
    samples.extend(bounded("disk", disk::measure(binary)).await?);
    samples.extend(bounded("loaded", loaded::measure(binary)).await?);
    samples.extend(bounded("broker back", back::measure(binary)).await?);
    samples.extend(decode::measure()?);
    Ok(samples)
}

async fn bounded(name: &str, measurement: impl Future<Output = Result<Vec<Sample>>>) -> Result<Vec<Sample>> {
    eprintln!("  {name}");
    timeout(PATIENCE, measurement)
        .await
        .with_context(|| format!("{name} took longer than {} s", PATIENCE.as_secs()))?
        .with_context(|| name.to_owned())
}
