//! What waits where while messages come in: whether a queue grows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::http::Connection;
use crate::metrics::Metrics;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// One look: what waits, in messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    /// Messages that devices have sent and the server has not read: on the line, in the broker, in the link.
    pub(crate) before: f64,
    /// Messages that the server has read and not stored.
    pub(crate) inside: f64,
}

/// Looks again and again until it is told that it is over.
pub(crate) struct Watch {
    looks: JoinSet<Result<Vec<Waiting>>>,
    over: watch::Sender<bool>,
}

impl Watch {
    /// Begins; nothing may be waiting yet. `written` counts what devices have sent.
    pub(crate) async fn begin(http: SocketAddr, written: Arc<AtomicU32>) -> Result<Self> {
        let mut connection = Connection::open(http).await?;
        let (heard_before, stored_before) = counted(&mut connection).await?;
        let (over, mut told) = watch::channel(false);
        let mut looks = JoinSet::new();
        looks.spawn(async move {
            let mut tick = interval(LOOK_EVERY);
            tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
            let mut looks = vec![];
            loop {
                tokio::select! {
                    _ = tick.tick() => {}
                    _ = told.wait_for(|over| *over) => return Ok(looks),
                }
                // In this order, so that what moves on meanwhile makes no queue.
                let sent = f64::from(written.load(Ordering::Relaxed));
                let (heard, stored) = counted(&mut connection).await?;
                let (heard, stored) = (heard - heard_before, stored - stored_before);
                looks.push(Waiting { before: (sent - heard).max(0.0), inside: (heard - stored).max(0.0) });
            }
        });
        Ok(Self { looks, over })
    }

    /// What was seen.
    pub(crate) async fn end(mut self) -> Result<Vec<Waiting>> {
        self.over.send_replace(true);
        let looks = self.looks.join_next().await.transpose()?.transpose()?.unwrap_or_default();
        ensure!(!looks.is_empty(), "nobody has looked at the queues");
        Ok(looks)
    }
}

/// The highest that was seen, and the mean of the last third less that of the first: what a queue has grown by.
pub(crate) fn highest_and_growth(looks: &[Waiting], of: impl Fn(&Waiting) -> f64) -> (f64, f64) {
    let third = (looks.len() / 3).max(1);
    let mean = |looks: &[Waiting]| looks.iter().map(&of).sum::<f64>() / f64::from(u32::try_from(looks.len()).unwrap_or(u32::MAX));
    let highest = looks.iter().map(&of).fold(0.0, f64::max);
    (highest, mean(&looks[looks.len() - third..]) - mean(&looks[..third]))
}

/// Messages heard, and rows stored.
async fn counted(connection: &mut Connection) -> Result<(f64, f64)> {
    let metrics = Metrics::read(connection).await?;
    Ok((metrics.value("signalbox_link_messages_total")?, metrics.value("signalbox_recorder_rows_total")?))
}
