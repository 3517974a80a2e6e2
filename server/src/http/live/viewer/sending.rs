//! Sending to a viewer that may be slow to take it.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use domain::live::ServerFrame;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message as Frame};

use super::super::snapshots::packed;
use super::{Gone, Viewer};
use crate::hub::{Hub, Packed};
use crate::tasks::Tasks;

/// A viewer that takes longer to read is not waited for by the others.
const BEHIND: Duration = Duration::from_millis(50);
/// How long a viewer may take to read before it is let go.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);

impl Viewer {
    pub(super) async fn send(&mut self, frame: &ServerFrame) -> Result<(), Gone> {
        self.say(&packed(frame)).await
    }

    pub(super) async fn say(&mut self, frame: &Packed) -> Result<(), Gone> {
        in_time(&self.hub, &self.app.tasks, self.wire.say(frame)).await
    }

    pub(super) async fn signal(&mut self, frame: Frame) -> Result<(), Gone> {
        in_time(&self.hub, &self.app.tasks, self.wire.signal(frame)).await
    }
}

/// Sends something to a viewer that may be slow to take it.
async fn in_time(hub: &Hub, tasks: &Tasks, sending: impl Future<Output = Result<(), SocketError>> + Send) -> Result<(), Gone> {
    let mut sending = pin!(sending);
    let sent = match futures_util::poll!(sending.as_mut()) {
        Poll::Ready(sent) => sent.is_ok(),
        // It seldom has to wait, and then it may need the room.
        Poll::Pending => Box::pin(patiently(hub, tasks, sending)).await,
    };
    if sent { Ok(()) } else { Err(Gone::Closed) }
}

/// Whether it was sent after all.
async fn patiently(hub: &Hub, tasks: &Tasks, mut sending: impl Future<Output = Result<(), SocketError>> + Unpin) -> bool {
    if let Ok(sent) = timeout(BEHIND, &mut sending).await {
        return sent.is_ok();
    }
    let _behind = hub.behind();
    tokio::select! {
        sent = timeout(SEND_TIMEOUT, sending) => matches!(sent, Ok(Ok(()))),
        // Who does not take what came before does not hear that the server stops.
        () = tasks.stopping() => false,
    }
}
