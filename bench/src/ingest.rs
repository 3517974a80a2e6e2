//! From devices to the disk: how many readings a second are stored, against a bare subscriber of the same broker that only counts.
//!
//! Both sides get the same messages from the same publisher. Those of the floor go to `test/…`, which feeds nothing; Signalbox subscribes to
//! every topic and drops them, so the broker has two subscribers then and one otherwise, which favors Signalbox a little.

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::http::Connection;
use crate::mqtt::Client;
use crate::program::Program;
use crate::table::{Sample, Unit};

const MESSAGES: u32 = 20_000;
const SERIES: u32 = 200;
/// Series whose history is looked at.
const LOOKED_AT: [u32; 5] = [0, 49, 99, 149, 199];
/// Between two looks at the history.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Messages a second.
pub(crate) async fn measure(program: &Program, floor_first: bool) -> Result<Vec<Sample>> {
    let mut load = Load { devices: Client::connect(program.mqtt, "bench-devices").await?, history: Connection::open(program.http).await?, stored: 0 };
    let mut bare = Client::connect(program.mqtt, "bench-bare").await?;
    bare.subscribe("test/#").await?;
    let (stored, counted);
    if floor_first {
        counted = load.counted(&mut bare).await?;
        stored = load.stored().await?;
    } else {
        stored = load.stored().await?;
        counted = load.counted(&mut bare).await?;
    }
    Ok(vec![Sample::new("ingest: stored, subscriber", Unit::PerS, stored).over(counted)])
}

struct Load {
    devices: Client,
    history: Connection,
    /// Messages that were published for Signalbox so far. Message `n` has the value `n` and goes to series `n % SERIES`.
    stored: u32,
}

impl Load {
    /// Messages a second, from the first publish until history holds the last.
    async fn stored(&mut self) -> Result<f64> {
        // A round before it counts: the entities are made, and whatever Signalbox still had to read is read.
        self.store(SERIES).await?;
        let began = Instant::now();
        self.store(MESSAGES).await?;
        Ok(f64::from(MESSAGES) / began.elapsed().as_secs_f64())
    }

    /// Messages a second, from the first publish until the subscriber has the last.
    async fn counted(&mut self, bare: &mut Client) -> Result<f64> {
        let began = Instant::now();
        self.publish("test", 0..MESSAGES).await?;
        let mut last = began;
        for _ in 0..MESSAGES {
            last = bare.message().await?.at;
        }
        Ok(f64::from(MESSAGES) / (last - began).as_secs_f64())
    }

    /// Publishes and waits until history holds all of it.
    async fn store(&mut self, messages: u32) -> Result<()> {
        let first = self.stored;
        self.stored += messages;
        self.publish("sensors", first..self.stored).await?;
        while !self.is_stored().await? {
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// As fast as the broker acknowledges.
    async fn publish(&self, prefix: &str, messages: Range<u32>) -> Result<()> {
        for n in messages {
            self.devices.publish(format!("{prefix}/{}/temperature", device(n % SERIES)), n.to_string()).await?;
        }
        Ok(())
    }

    /// Whether the last value of each series that is looked at is in its history. What came before it must be there too then.
    async fn is_stored(&mut self) -> Result<bool> {
        let entities = LOOKED_AT.map(|series| format!("{}.temperature", device(series)));
        let answer = self.history.get(&format!("/api/v1/history?entities={}&points=5000", entities.join(",")), "identity").await?;
        if answer.status == 404 {
            // None of them was heard of yet.
            return Ok(false);
        }
        ensure!(answer.status == 200 && answer.encoding.is_empty(), "history answered {} {}", answer.status, answer.encoding);
        let answer: Value = serde_json::from_slice(&answer.body)?;
        for (entity, series) in entities.iter().zip(LOOKED_AT) {
            let all = answer["series"].as_array().context("history without series")?;
            let Some(history) = all.iter().find(|history| history["entity"] == entity.as_str()) else { return Ok(false) };
            let last = history["last"].as_array().and_then(|last| last.last()?.as_f64());
            if last != Some(f64::from(self.stored - SERIES + series)) {
                return Ok(false);
            }
            let readings: u64 = history["n"].as_array().into_iter().flatten().filter_map(Value::as_u64).sum();
            let published = u64::from(self.stored / SERIES);
            // QoS 1 may deliver a message twice, and never not at all.
            ensure!(readings >= published, "{entity} has {readings} readings of {published} that were published");
        }
        Ok(true)
    }
}

fn device(series: u32) -> String {
    format!("bench-{series:03}")
}
