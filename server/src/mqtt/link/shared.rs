use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::live::LinkState;
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use super::super::{PublishError, Report};
use super::calls::Calls;
use super::outbox::Outbox;
use super::settings::LinkSettings;
use super::tracker::Reply;
use super::version::Agreed;

/// What was counted since the link was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounts {
    /// QoS 0 messages dropped because the rest of the server was too slow.
    pub n_dropped: u64,
    /// Messages dropped because they came without a topic.
    pub n_nameless: u64,
    /// Connections that a broker accepted, both kinds together.
    pub n_connects: u64,
    /// Connections that were given up because they stood and delivered nothing.
    pub n_deaf: u64,
}

/// One of the two connections of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Ingest,
    Command,
}

/// A message to publish.
pub(super) struct Publish {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    pub(super) qos: u8,
    /// The broker keeps it for those who come later: only what somebody publishes by hand.
    pub(super) retain: bool,
    /// Seconds after which the broker shall throw it away, in MQTT 5.
    pub(super) expires_s: Option<u32>,
    pub(super) reply: Reply,
}

/// What both connections and every handle of a link share. Its locks are held for a few instructions only.
pub(super) struct Shared {
    pub(super) settings: LinkSettings,
    pub(super) agreed: Agreed,
    pub(super) outbox: Outbox,
    pub(super) n_nameless: AtomicU64,
    pub(super) n_connects: AtomicU64,
    pub(super) n_deaf: AtomicU64,
    /// A deaf connection would be noticed.
    pub(super) is_watched: AtomicBool,
    pub(super) calls: Calls,
    status: Mutex<Status>,
    /// Where publishes go while the command connection stands.
    door: Mutex<Option<mpsc::Sender<Publish>>>,
}

struct Status {
    ingest_up: bool,
    command_up: bool,
    state: LinkState,
    trouble: Option<String>,
    /// Filters that the broker refused on this connection, each with its reason.
    refused: Vec<(String, String)>,
}

impl Shared {
    pub(super) fn new(settings: LinkSettings, outbox: Outbox) -> Self {
        Self {
            agreed: Agreed::new(settings.protocol),
            settings,
            outbox,
            n_nameless: AtomicU64::new(0),
            n_connects: AtomicU64::new(0),
            n_deaf: AtomicU64::new(0),
            is_watched: AtomicBool::new(true),
            calls: Calls::default(),
            status: Mutex::new(Status { ingest_up: false, command_up: false, state: LinkState::Connecting, trouble: None, refused: vec![] }),
            door: Mutex::new(None),
        }
    }

    pub(super) fn state(&self) -> LinkState {
        lock(&self.status).state
    }

    pub(super) fn trouble(&self) -> Option<String> {
        lock(&self.status).trouble.clone()
    }

    pub(super) fn refused(&self) -> Vec<(String, String)> {
        lock(&self.status).refused.clone()
    }

    /// What the broker refused of the subscriptions.
    pub(super) fn refuse(&self, refused: Vec<(String, String)>) {
        lock(&self.status).refused = refused;
    }

    pub(super) fn counts(&self) -> LinkCounts {
        LinkCounts {
            n_dropped: self.outbox.n_dropped(),
            n_nameless: self.n_nameless.load(Ordering::Relaxed),
            n_connects: self.n_connects.load(Ordering::Relaxed),
            n_deaf: self.n_deaf.load(Ordering::Relaxed),
        }
    }

    /// Tells the rest of the server the state that a link starts with.
    pub(super) fn report_state(&self) {
        self.outbox.push(Report::State { broker: Arc::clone(&self.settings.name), state: self.state() });
    }

    /// One connection is ready.
    pub(super) fn up(&self, half: Half) {
        let mut status = lock(&self.status);
        *status.half(half) = true;
        if status.ingest_up && status.command_up && status.state != LinkState::Up {
            status.trouble = None;
            self.change(&mut status, LinkState::Up);
            info!(broker.name = %self.settings.name, "Broker reached");
        }
    }

    /// One connection is not, or no longer, ready. Logged once for an outage.
    pub(super) fn down(&self, half: Half, trouble: &str) {
        let mut status = lock(&self.status);
        *status.half(half) = false;
        status.trouble = Some(trouble.to_owned());
        if status.state == LinkState::Down {
            debug!(broker.name = %self.settings.name, connection = ?half, error = trouble, "Broker still not reached");
        } else {
            self.change(&mut status, LinkState::Down);
            warn!(broker.name = %self.settings.name, connection = ?half, error = trouble, "Broker not reached, trying again");
        }
    }

    /// One connection was closed by us; that is no outage.
    pub(super) fn closed(&self, half: Half) {
        let mut status = lock(&self.status);
        *status.half(half) = false;
        status.state = LinkState::Down;
        status.trouble = Some("the link was closed".to_owned());
    }

    fn change(&self, status: &mut Status, state: LinkState) {
        status.state = state;
        // Under the lock, so that reports keep the order of the changes.
        self.outbox.push(Report::State { broker: Arc::clone(&self.settings.name), state });
    }

    /// Lets publishes in.
    pub(super) fn open_door(&self, door: mpsc::Sender<Publish>) {
        *lock(&self.door) = Some(door);
    }

    /// Lets no more publishes in. What was let in before is in the channel when this returns.
    pub(super) fn close_door(&self) {
        *lock(&self.door) = None;
    }

    pub(super) fn queue_publish(&self, publish: Publish) -> Result<(), PublishError> {
        let door = lock(&self.door);
        let door = door.as_ref().ok_or(PublishError::LinkDown)?;
        door.try_send(publish).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => PublishError::QueueFull,
            mpsc::error::TrySendError::Closed(_) => PublishError::LinkDown,
        })
    }
}

impl Status {
    const fn half(&mut self, half: Half) -> &mut bool {
        match half {
            Half::Ingest => &mut self.ingest_up,
            Half::Command => &mut self.command_up,
        }
    }
}

/// A panic elsewhere leaves nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::outbox::outbox;
    use super::*;

    fn shared() -> Shared {
        Shared::new(LinkSettings::new("broker", "localhost", 1883, "test"), outbox(1).0)
    }

    #[test]
    fn a_link_is_up_when_both_connections_are() {
        let link = shared();
        assert_eq!(link.state(), LinkState::Connecting);
        link.up(Half::Command);
        assert_eq!(link.state(), LinkState::Connecting);
        link.up(Half::Ingest);
        assert_eq!(link.state(), LinkState::Up);
        link.down(Half::Command, "cut");
        assert_eq!((link.state(), link.trouble().as_deref()), (LinkState::Down, Some("cut")));
        link.up(Half::Command);
        assert_eq!((link.state(), link.trouble()), (LinkState::Up, None));
    }

    #[test]
    fn publishes_are_taken_only_while_the_door_is_open_and_there_is_room() {
        let link = shared();
        let publish = || Publish { topic: "a".to_owned(), payload: Vec::new(), qos: 1, retain: false, expires_s: None, reply: None };
        assert_eq!(link.queue_publish(publish()), Err(PublishError::LinkDown));
        let (door, _requests) = mpsc::channel(1);
        link.open_door(door);
        assert_eq!(link.queue_publish(publish()), Ok(()));
        assert_eq!(link.queue_publish(publish()), Err(PublishError::QueueFull));
        link.close_door();
        assert_eq!(link.queue_publish(publish()), Err(PublishError::LinkDown));
    }
}
