//! Messages at a steady pace, each with the moment at which it was sent.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep_until};

use super::crowd::Clock;
use crate::wire;

/// Messages are written together where more than one is due in it.
const TICK: Duration = Duration::from_millis(1);

/// What is sent, with QoS 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Messages a second.
    pub(crate) per_s: u32,
    /// Entities that they go to in turn.
    pub(crate) entities: u32,
    /// For how long.
    pub(crate) seconds: u32,
}

impl Pace {
    /// Sends each entity a value, so that all are known.
    pub(crate) async fn introduce(self, broker: SocketAddr) -> Result<()> {
        let ((mut reader, mut writer), _) = wire::connect(broker, "bench-introduces", true).await?;
        for (id, n) in (1..).zip(0..self.entities) {
            writer.publish(&topic(n), b"0", Some(id), false)?;
        }
        writer.flush().await?;
        for _ in 0..self.entities {
            reader.acknowledged().await?;
        }
        Ok(())
    }

    /// Sends it all; returns how many messages.
    pub(crate) async fn send(self, broker: SocketAddr, clock: &Clock) -> Result<u32> {
        let ((_reader, mut writer), _) = wire::connect(broker, "bench-paces", true).await?;
        let (messages, began) = (self.per_s * self.seconds, Instant::now());
        let mut n = 0;
        while n < messages {
            let at = began + Duration::from_secs(1) * n / self.per_s;
            sleep_until(at).await;
            let due = (Instant::now() + TICK - began).as_secs_f64() * f64::from(self.per_s);
            // At least the one that was waited for; what the machine slept over is sent late, not left out.
            let due = (due as u32).clamp(n + 1, messages);
            for n in n..due {
                writer.publish(&topic(n % self.entities), clock.now().to_string().as_bytes(), None, false)?;
            }
            writer.flush().await?;
            n = due;
        }
        Ok(messages)
    }
}

fn topic(n: u32) -> String {
    format!("sensors/bench-{n:04}/count")
}
