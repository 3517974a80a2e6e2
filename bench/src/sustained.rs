//! From many devices over an outside broker to the disk, as fast as it goes: against a bare subscriber that only counts.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::http::Connection;
use crate::load::Load;
use crate::mosquitto::Mosquitto;
use crate::mqtt::Client;
use crate::program::Program;
use crate::queues::{Waiting, Watch, highest_and_growth};
use crate::table::{Sample, Unit};
use crate::task::Task;

const SERIES: u32 = 2_000;
/// Readings of each series in a measurement.
const ROUNDS: u32 = 100;
/// How much of the rate that was just reached is sent while the queues are watched: at all of it, the least hesitation of the machine stays in them.
const STEADY_PER_CENT: u32 = 80;
/// For so long.
const STEADY_S: u32 = 10;
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Without a new reading for so long there will be none.
const SILENCE: Duration = Duration::from_secs(2);

/// Messages a second with QoS 1 and QoS 0, what waits where at a steady rate, and the share of QoS 0 that got lost on the way.
pub(crate) async fn measure(binary: &Path, floor_first: bool) -> Result<Vec<Sample>> {
    let (folder, broker_folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mosquitto = Mosquitto::start(broker_folder.path(), false).await?;
    let server = Program::start_beside(binary, folder.path(), mosquitto.address).await?;
    let mut measured = Measured { broker: mosquitto.address, http: server.http, before: 0 };
    // The entities are made before anything counts.
    let rounds = |rounds, qos, prefix| Load { prefix, messages: SERIES * rounds, series: SERIES, qos, per_s: 0 };
    measured.stored(rounds(1, 1, "sensors")).await?;
    let floor = async || counted(mosquitto.address, rounds(ROUNDS, 1, "test")).await;
    let (bare, stored);
    if floor_first {
        bare = floor().await?;
        stored = measured.stored(rounds(ROUNDS, 1, "sensors")).await?;
    } else {
        stored = measured.stored(rounds(ROUNDS, 1, "sensors")).await?;
        bare = floor().await?;
    }
    let steady = measured.steady(per_s(stored.readings, stored.seconds)).await?;
    let all = rounds(ROUNDS, 0, "sensors");
    let lossy = measured.stored(all).await?;
    server.stop().await?;
    ensure!(stored.readings == u64::from(SERIES * ROUNDS), "{} of {} QoS 1 readings were stored", stored.readings, SERIES * ROUNDS);
    let lost = 100.0 * (1.0 - per_s(lossy.readings, 1.0) / f64::from(all.messages));
    let (before, before_grown) = highest_and_growth(&steady, |waiting| waiting.before);
    let (inside, inside_grown) = highest_and_growth(&steady, |waiting| waiting.inside);
    Ok(vec![
        Sample::new("sustained: QoS 1, subscriber", Unit::PerS, per_s(stored.readings, stored.seconds)).over(bare),
        Sample::new("sustained: 80 %, at broker", Unit::Messages, before),
        Sample::new("sustained: 80 %, growth there", Unit::Messages, before_grown),
        Sample::new("sustained: 80 %, in server", Unit::Messages, inside),
        Sample::new("sustained: 80 %, growth there", Unit::Messages, inside_grown),
        Sample::new("sustained: QoS 0", Unit::PerS, per_s(lossy.readings, lossy.seconds)),
        Sample::new("sustained: QoS 0 not stored", Unit::Percent, lost),
    ])
}

struct Stored {
    readings: u64,
    /// From the first publish until history held the last of them.
    seconds: f64,
    /// What waited while it was sent.
    waiting: Vec<Waiting>,
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn per_s(n: u64, seconds: f64) -> f64 {
    n as f64 / seconds
}

struct Measured {
    broker: SocketAddr,
    http: SocketAddr,
    /// Readings of earlier loads.
    before: u64,
}

impl Measured {
    /// Sends a load and waits until all of it is in history, or nothing more comes.
    async fn stored(&mut self, load: Load) -> Result<Stored> {
        let mut connection = Connection::open(self.http).await?;
        let looked_at = || (0..SERIES).step_by(101);
        let expected = self.before_in(looked_at().count()) + u64::from(load.messages / SERIES) * looked_at().count() as u64;
        let written = Arc::new(AtomicU32::new(0));
        let mut queues = Some(Watch::begin(self.http, Arc::clone(&written)).await?);
        let mut waiting = vec![];
        let began = Instant::now();
        let mut sending = Task::begin(load.send_counted(self.broker, written));
        let mut is_sent = false;
        let (mut seen, mut grown) = (0, began);
        while seen < expected && !(is_sent && grown.elapsed() > SILENCE) {
            sleep(LOOK_EVERY).await;
            is_sent = sending.has_ended()?;
            if is_sent && let Some(queues) = queues.take() {
                waiting = queues.end().await?;
            }
            let now = count(&mut connection, looked_at()).await?;
            if now > seen {
                (seen, grown) = (now, Instant::now());
            }
        }
        sending.end().await?;
        // Of the series that were not looked at, the last may still be on their way.
        let (mut all, mut counted) = (0, Instant::now());
        while all < self.before + u64::from(load.messages) && counted.elapsed() < SILENCE {
            let now = count(&mut connection, 0..SERIES).await?;
            if now > all {
                (all, counted) = (now, Instant::now());
            }
        }
        let readings = all - self.before;
        self.before = all;
        Ok(Stored { readings, seconds: (grown - began).as_secs_f64(), waiting })
    }

    /// Sends at a share of a rate that the server has just kept up with: what waited meanwhile.
    async fn steady(&mut self, per_s: f64) -> Result<Vec<Waiting>> {
        let per_s = (per_s * f64::from(STEADY_PER_CENT) / 100.0) as u32;
        let messages = (per_s * STEADY_S).next_multiple_of(SERIES);
        let stored = self.stored(Load { prefix: "sensors", messages, series: SERIES, qos: 1, per_s }).await?;
        ensure!(stored.readings == u64::from(messages), "{} of {messages} QoS 1 readings were stored", stored.readings);
        Ok(stored.waiting)
    }

    /// Readings of earlier loads in so many series; only the last load loses any, so that each series has as many.
    const fn before_in(&self, series: usize) -> u64 {
        self.before / SERIES as u64 * series as u64
    }
}

/// Readings in the history of some series; those that are not known yet have none.
async fn count(connection: &mut Connection, series: impl Iterator<Item = u32>) -> Result<u64> {
    let names: Vec<String> = series.map(|n| format!("bench-{n:04}.temperature")).collect();
    let mut readings = 0;
    for names in names.chunks(50) {
        let answer = connection.get(&format!("/api/v1/history?entities={}&points=2", names.join(",")), "identity").await?;
        if answer.status == 404 {
            return Ok(0);
        }
        ensure!(answer.status == 200, "history answered {}", answer.status);
        let answer: Value = serde_json::from_slice(&answer.body)?;
        let counts = answer["series"].as_array().context("history without series")?.iter().filter_map(|series| series["n"].as_array());
        readings += counts.flatten().filter_map(Value::as_u64).sum::<u64>();
    }
    Ok(readings)
}

/// Messages a second that a bare subscriber counts of the same load.
async fn counted(broker: SocketAddr, load: Load) -> Result<f64> {
    let mut bare = Client::connect(broker, "bench-bare").await?;
    bare.subscribe("test/#").await?;
    let began = Instant::now();
    let mut sending = Task::begin(load.send(broker));
    let mut last = began;
    for _ in 0..load.messages {
        last = bare.message().await?.at;
    }
    sending.end().await?;
    Ok(f64::from(load.messages) / (last - began).as_secs_f64())
}
