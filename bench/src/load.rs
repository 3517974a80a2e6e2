//! More messages than a program can take: several devices that write as fast as the broker reads.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::wire;

/// Connections that share the messages.
const SENDERS: u32 = 4;
/// Unacknowledged messages of each.
const WINDOW: u32 = 500;
/// Messages that are written together.
const ROUND: u32 = 100;

/// Messages `0..n`: message `i` has the value `i` and goes to `{prefix}/bench-{i % series}/temperature`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) prefix: &'static str,
    pub(crate) messages: u32,
    pub(crate) series: u32,
    /// 0 or 1.
    pub(crate) qos: u8,
    /// How many a second; 0 is as fast as the broker takes them.
    pub(crate) per_s: u32,
}

impl Load {
    /// Sends all of it and returns when the broker has taken it.
    pub(crate) async fn send(self, broker: SocketAddr) -> Result<()> {
        self.send_counted(broker, Arc::default()).await
    }

    /// The same, and counts what was written so far.
    pub(crate) async fn send_counted(self, broker: SocketAddr, written: Arc<AtomicU32>) -> Result<()> {
        let mut senders = JoinSet::new();
        for sender in 0..SENDERS {
            senders.spawn(self.send_share(broker, sender, Arc::clone(&written)));
        }
        while let Some(sent) = senders.join_next().await {
            sent??;
        }
        Ok(())
    }

    /// Every [`SENDERS`]th series, so that each arrives in its order.
    async fn send_share(self, broker: SocketAddr, sender: u32, written: Arc<AtomicU32>) -> Result<()> {
        let ((mut reader, mut writer), _) = wire::connect(broker, &format!("bench-sender-{sender}"), true).await?;
        let (mut waiting, mut id, mut sent, began) = (0, 0_u16, 0, Instant::now());
        let mut share = (0..self.messages).filter(|n| n % self.series % SENDERS == sender).peekable();
        while share.peek().is_some() {
            if self.per_s > 0 {
                sleep_until(began + Duration::from_secs(1) * sent * SENDERS / self.per_s).await;
            }
            sent += ROUND;
            let mut n_written = 0;
            for n in share.by_ref().take(ROUND as usize) {
                id = id.checked_add(1).unwrap_or(1);
                let topic = format!("{}/bench-{:04}/temperature", self.prefix, n % self.series);
                writer.publish(&topic, n.to_string().as_bytes(), (self.qos == 1).then_some(id), false)?;
                waiting += u32::from(self.qos);
                n_written += 1;
            }
            writer.flush().await?;
            written.fetch_add(n_written, Ordering::Relaxed);
            while waiting > WINDOW {
                reader.acknowledged().await?;
                waiting -= 1;
            }
        }
        for _ in 0..waiting {
            reader.acknowledged().await?;
        }
        // QoS 0 has no acknowledgment; one message with QoS 1 behind them tells that the broker has read them.
        writer.publish("test/bench-end", b"", Some(1), false)?;
        writer.flush().await?;
        reader.acknowledged().await.map(drop)
    }
}
