//! Many viewers: what a value costs on its way to them, how late it comes, and what they hold in memory. `bench viewers`.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::faults::room_for;
use crate::memory::resident_mib;
use crate::mosquitto::Mosquitto;
use crate::processor;
use crate::program::Program;
use crate::table::{Sample, Unit, percentiles};
use crowd::{Crowd, Place, enter};
use pace::Pace;

/// A bridge without anything.
pub(crate) mod bridge;
/// Viewers, and what they see.
mod crowd;
/// What compressing would save.
mod deflate;
/// Messages at a pace.
mod pace;
/// A WebSocket that costs little.
mod socket;

/// How long each load lasts.
const SECONDS: u32 = 8;
/// In which the last values reach everybody.
const LAST: Duration = Duration::from_millis(500);
/// Files that the largest crowd needs, here and there.
const FILES: u64 = 12_000;
/// Viewers that only look.
const IDLE: usize = 5_000;
/// Viewers that come back after a restart.
const BACK: usize = 1_000;
/// In which they have to.
const BACK_WITHIN: Duration = Duration::from_secs(30);
/// Viewers that stop reading, of so many.
const STUCK: usize = 5;
const BESIDE_STUCK: usize = 195;
/// As many that memory tells them from noise, beside a few that read.
const MANY_STUCK: usize = 100;
const FEW: usize = 20;

/// Parts that can be asked for by name.
const PARTS: [&str; 8] = ["few", "many", "flood", "crowd", "stuck", "idle", "back", "deflate"];

/// One run, of all parts or of those that are named.
pub(crate) async fn measure(binary: &Path, names: &[String]) -> Result<Vec<Sample>> {
    if let Some(unknown) = names.iter().find(|name| !PARTS.contains(&name.as_str())) {
        bail!("\"{unknown}\" is none of {}", PARTS.join(", "));
    }
    let wanted = |part: &str| names.is_empty() || names.iter().any(|name| name == part);
    room_for(FILES).await?;
    let mut samples = vec![];
    if wanted("few") {
        let few = lateness(binary, 50, Pace { per_s: 40, entities: 20, seconds: SECONDS }, true).await?;
        samples.push(Sample::new("viewers: 50, 40 msg/s, p50", Unit::Ms, few.ours.p50_ms).over(few.bridge_p50_ms()));
        samples.push(Sample::new("viewers: 50, 40 msg/s, p99", Unit::Ms, few.ours.p99_ms).over(few.bridge_p99_ms()));
    }
    if wanted("many") {
        for (per_s, names) in [
            (500, ["viewers: 50, 500 msg/s, p99", "viewers: 50, 500 msg/s, a value"]),
            (1_000, ["viewers: 50, 1,000 msg/s, p99", "viewers: 50, 1,000 msg/s, a value"]),
        ] {
            let many = lateness(binary, 50, Pace { per_s, entities: 100, seconds: SECONDS }, true).await?;
            samples.push(Sample::new(names[0], Unit::Ms, many.ours.p99_ms).over(many.bridge_p99_ms()));
            samples.push(Sample::new(names[1], Unit::Us, many.ours.us_a_value).over(many.bridge.map_or(f64::NAN, |bridge| bridge.us_a_value)));
        }
    }
    if wanted("flood") {
        let flood = lateness(binary, 100, Pace { per_s: 100_000, entities: 500, seconds: SECONDS }, false).await?.ours;
        samples.push(Sample::new("viewers: 100, 100,000 msg/s, p99", Unit::Ms, flood.p99_ms));
    }
    if wanted("crowd") {
        let crowd = lateness(binary, 1_000, Pace { per_s: 500, entities: 100, seconds: SECONDS }, false).await?.ours;
        samples.push(Sample::new("viewers: 1,000, 500 msg/s, p99", Unit::Ms, crowd.p99_ms));
        samples.push(Sample::new("viewers: 1,000, 500 msg/s, latest", Unit::Ms, crowd.latest_ms));
    }
    if wanted("stuck") {
        samples.extend(stuck(binary).await?);
    }
    if wanted("idle") {
        samples.extend(idle(binary).await?);
    }
    if wanted("back") {
        samples.extend(back(binary).await?);
    }
    if wanted("deflate") {
        samples.extend(deflate::measure(binary).await?);
    }
    Ok(samples)
}

/// What a load came to.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    p50_ms: f64,
    p99_ms: f64,
    /// The latest value that anybody saw.
    latest_ms: f64,
    /// Processor time for each value at a viewer.
    us_a_value: f64,
}

struct Both {
    ours: Outcome,
    bridge: Option<Outcome>,
}

impl Both {
    fn bridge_p50_ms(&self) -> f64 {
        self.bridge.map_or(f64::NAN, |bridge| bridge.p50_ms)
    }

    fn bridge_p99_ms(&self) -> f64 {
        self.bridge.map_or(f64::NAN, |bridge| bridge.p99_ms)
    }
}

/// How late values are at viewers of the program and, when asked, of a bare bridge, one after the other beside the same broker.
async fn lateness(binary: &Path, viewers: usize, pace: Pace, with_bridge: bool) -> Result<Both> {
    eprintln!("  {viewers} viewers, {} msg/s", pace.per_s);
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mosquitto = Mosquitto::start(broker_folder.path(), false).await?;
    let broker = mosquitto.address;
    let mut bridge = None;
    if with_bridge {
        let program = Program::start_bridge(folder.path(), broker).await?;
        bridge = Some(load(&program, Place::Bridge(program.http), broker, viewers, pace).await?);
        program.kill().await?;
    }
    let program = Program::start_beside(binary, folder.path(), broker).await?;
    pace.introduce(broker).await?;
    let ours = load(&program, Place::Program(program.http), broker, viewers, pace).await?;
    program.stop().await?;
    Ok(Both { ours, bridge })
}

async fn load(program: &Program, place: Place, broker: SocketAddr, viewers: usize, pace: Pace) -> Result<Outcome> {
    let crowd = Crowd::gather(place, viewers).await?;
    let (clock, pid) = (crowd.clock(), program.pid()?);
    // A second of it first: whoever begins to be used is slow once.
    Pace { seconds: 1, ..pace }.send(broker, &clock).await?;
    let before = processor::seconds(pid).await?;
    clock.count();
    pace.send(broker, &clock).await?;
    sleep(LAST).await;
    let n_seen = crowd.n_seen();
    let busy = processor::seconds(pid).await? - before;
    let mut late = vec![];
    for seen in crowd.end().await? {
        ensure!(!seen.late.is_empty(), "a viewer saw nothing");
        late.extend(seen.late.into_iter().map(|us| f64::from(us) / 1e6));
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let us_a_value = busy * 1e6 / n_seen as f64;
    let latest_ms = late.iter().fold(0.0_f64, |latest, s| latest.max(*s)) * 1e3;
    let (p50_ms, p99_ms) = percentiles(late);
    Ok(Outcome { p50_ms, p99_ms, latest_ms, us_a_value })
}

/// Some viewers stop reading under load: what the others notice, and what is held for those.
async fn stuck(binary: &Path) -> Result<Vec<Sample>> {
    eprintln!("  some stop reading");
    let (alone, _) = beside(binary, 0, STUCK + BESIDE_STUCK).await?;
    let (others, _) = beside(binary, STUCK, BESIDE_STUCK).await?;
    // History grows by megabytes meanwhile, so it takes many of them to be seen beside it, and a second program that has none.
    let (_, without) = beside(binary, 0, FEW).await?;
    let (_, with) = beside(binary, MANY_STUCK, FEW).await?;
    Ok(vec![
        Sample::new("viewers: beside 5 stuck, p99", Unit::Ms, others.p99_ms).over(alone.p99_ms),
        Sample::new("viewers: held for a stuck one", Unit::Bytes, (with - without) * 1024.0 * 1024.0 / per(MANY_STUCK)),
    ])
}

/// A load on viewers beside others that do not read: how late theirs is, and the resident memory at its end in MiB.
async fn beside(binary: &Path, stuck: usize, viewers: usize) -> Result<(Outcome, f64)> {
    let pace = Pace { per_s: 20_000, entities: 500, seconds: SECONDS };
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mosquitto = Mosquitto::start(broker_folder.path(), false).await?;
    let program = Program::start_beside(binary, folder.path(), mosquitto.address).await?;
    pace.introduce(mosquitto.address).await?;
    let place = Place::Program(program.http);
    let mut silent = vec![];
    for _ in 0..stuck {
        silent.push(enter(place).await?);
    }
    let outcome = load(&program, place, mosquitto.address, viewers, pace).await?;
    let resident = resident_mib(&program).await?;
    drop(silent);
    program.stop().await?;
    Ok((outcome, resident))
}

/// Viewers that nothing happens to: how fast they are let in, and what each holds.
async fn idle(binary: &Path) -> Result<Vec<Sample>> {
    eprintln!("  idle ones");
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mosquitto = Mosquitto::start(broker_folder.path(), false).await?;
    let program = Program::start_beside(binary, folder.path(), mosquitto.address).await?;
    Pace { per_s: 1, entities: 20, seconds: 0 }.introduce(mosquitto.address).await?;
    let place = Place::Program(program.http);
    // What the first ones cost once.
    let first = Crowd::gather(place, 100).await?;
    let before = resident_mib(&program).await?;
    let began = Instant::now();
    let crowd = Crowd::gather(place, IDLE).await?;
    let per_s = per(IDLE) / began.elapsed().as_secs_f64();
    sleep(LAST).await;
    let each = (resident_mib(&program).await? - before) * 1024.0 * 1024.0 / per(IDLE);
    crowd.end().await?;
    first.end().await?;
    program.stop().await?;
    Ok(vec![Sample::new("viewers: let in", Unit::PerS, per_s), Sample::new("viewers: an idle one holds", Unit::Bytes, each)])
}

/// From `ready` after a restart until the last of many viewers has its snapshot.
async fn back(binary: &Path) -> Result<Vec<Sample>> {
    eprintln!("  a restart");
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mosquitto = Mosquitto::start(broker_folder.path(), false).await?;
    let program = Program::start_beside(binary, folder.path(), mosquitto.address).await?;
    Pace { per_s: 1, entities: 100, seconds: 0 }.introduce(mosquitto.address).await?;
    let address = program.http;
    let crowd = Crowd::gather(Place::Program(address), BACK).await?;
    // They stay connected until the program goes, and try again at once.
    let mut returning = JoinSet::new();
    program.kill().await?;
    drop(crowd);
    for _ in 0..BACK {
        returning.spawn(async move {
            loop {
                if let Ok(socket) = enter(Place::Program(address)).await {
                    return (Instant::now(), socket);
                }
                sleep(Duration::from_millis(fastrand::u64(20..120))).await;
            }
        });
    }
    let listen = [("SIGNALBOX_HTTP_LISTEN", address.to_string().into())];
    let program = Program::start_beside_in(binary, folder.path(), mosquitto.address, &listen).await?;
    let returned = timeout(BACK_WITHIN, returning.join_all()).await?;
    let mut ms: Vec<f64> = returned.iter().map(|(at, _)| at.saturating_duration_since(program.ready).as_secs_f64() * 1e3).collect();
    ms.sort_by(f64::total_cmp);
    program.stop().await?;
    let (half, last) = (ms[BACK / 2], ms[BACK - 1]);
    Ok(vec![
        Sample::new("viewers: half of 1,000 back after a restart", Unit::Ms, half),
        Sample::new("viewers: 1,000 back after a restart", Unit::Ms, last),
    ])
}

fn per(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from)
}
