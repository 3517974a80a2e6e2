//! Devices that count: each message has a number and a time of its own, and is sent again until a broker has acknowledged it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::wire::{self, Reader, Writer};

/// Messages on their way at the same time.
const WINDOW: usize = 200;
/// Between two attempts to reach the broker.
const RETRY: Duration = Duration::from_millis(100);

/// What is to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How many messages.
    pub(crate) messages: u32,
    /// How many a second; 0 is as fast as the broker takes them.
    pub(crate) per_s: u32,
    /// How many devices share them, in turn.
    pub(crate) devices: u32,
}

impl Plan {
    /// The topic of message `n`.
    pub(crate) fn topic(self, n: u32) -> String {
        format!("sensors/fault-{:03}/count", n % self.devices)
    }

    /// The entity that a device's messages feed.
    pub(crate) fn entity(device: u32) -> String {
        format!("fault-{device:03}.count")
    }

    /// The numbers that a device sends.
    pub(crate) fn numbers(self, device: u32) -> impl Iterator<Item = u32> {
        (device..self.messages).step_by(self.devices as usize)
    }
}

/// Sends all of it with QoS 1 and returns when everything is acknowledged. A message that is sent again on a new connection is a new message to
/// the broker: it says the same time, by which Signalbox knows it. `told` hears after each acknowledgement how many there are.
pub(crate) async fn send(plan: Plan, broker: SocketAddr, told: impl Fn(u32) + Send) -> Result<()> {
    let mut fleet = Fleet { plan, next: 0, waiting: BTreeMap::new(), acknowledged: 0, began: Instant::now(), epoch_ms: now_ms()? };
    while fleet.acknowledged < plan.messages {
        let connected = wire::connect(broker, "fault-devices", true).await;
        if let Ok(((reader, writer), _)) = connected {
            // A connection that breaks is what this is about: on to the next.
            let _broken: Result<()> = fleet.talk(reader, writer, &told).await;
        }
        if fleet.acknowledged < plan.messages {
            sleep(RETRY).await;
        }
    }
    Ok(())
}

struct Fleet {
    plan: Plan,
    /// The first number that was never sent.
    next: u32,
    /// Sent and not acknowledged, with the packet id of this connection.
    waiting: BTreeMap<u32, u16>,
    acknowledged: u32,
    began: Instant,
    epoch_ms: u128,
}

impl Fleet {
    async fn talk(&mut self, mut reader: Reader, mut writer: Writer, told: &impl Fn(u32)) -> Result<()> {
        let mut last_id = 0_u16;
        let mut by_id = BTreeMap::new();
        for (n, id) in &mut self.waiting {
            last_id = following(last_id);
            *id = last_id;
            by_id.insert(last_id, *n);
            writer.publish(&self.plan.topic(*n), payload(self.epoch_ms, *n, self.plan).as_bytes(), Some(last_id), false)?;
        }
        writer.flush().await?;
        let mut tick = interval(Duration::from_millis(5));
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while self.acknowledged < self.plan.messages {
            while self.next < self.due() && self.waiting.len() < WINDOW {
                last_id = following(last_id);
                writer.publish(&self.plan.topic(self.next), payload(self.epoch_ms, self.next, self.plan).as_bytes(), Some(last_id), false)?;
                self.waiting.insert(self.next, last_id);
                by_id.insert(last_id, self.next);
                self.next += 1;
            }
            writer.flush().await?;
            tokio::select! {
                id = reader.acknowledged() => {
                    if let Some(n) = by_id.remove(&id?) {
                        self.waiting.remove(&n);
                        self.acknowledged += 1;
                        told(self.acknowledged);
                    }
                }
                _ = tick.tick() => {}
            }
        }
        Ok(())
    }

    /// How many messages are to be sent by now.
    fn due(&self) -> u32 {
        let all = self.plan.messages;
        if self.plan.per_s == 0 {
            return all;
        }
        let due = self.began.elapsed().as_millis() * u128::from(self.plan.per_s) / 1_000;
        u32::try_from(due).map_or(all, |due| due.min(all))
    }
}

/// Packet ids are never 0.
fn following(id: u16) -> u16 {
    id.checked_add(1).unwrap_or(1)
}

/// The number and the time at which it was due: the same however often it is sent, and another one for each message of a device.
fn payload(epoch_ms: u128, n: u32, plan: Plan) -> String {
    let after = n.saturating_mul(1_000).checked_div(plan.per_s).unwrap_or(n / plan.devices);
    format!("{{\"ts\":{},\"value\":{n}}}", epoch_ms + u128::from(after))
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> Result<u128> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?.as_millis())
}
