//! What every simulated device is to its connection: a pure state machine, told the time and what arrives, that answers with what to publish.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::time::Duration;

use domain::time::Timestamp;

/// How long a device takes to do what it was told.
const REACTION_MS: std::ops::RangeInclusive<u64> = 200..=900;
/// Commands that wait for their turn; a device that is flooded forgets the rest.
pub(super) const MAX_WAITING: usize = 16;

/// A message to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub topic: String,
    /// What; any bytes.
    pub payload: Vec<u8>,
    /// 0 or 1.
    pub qos: u8,
    /// Whether the broker keeps it for those who come later.
    pub retain: bool,
}

impl Outgoing {
    /// A state: QoS 1, retained.
    #[must_use]
    pub fn retained(topic: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self { topic: topic.into(), payload: payload.into(), qos: 1, retain: true }
    }

    /// Something that happens: QoS 1, not retained.
    #[must_use]
    pub fn event(topic: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self { topic: topic.into(), payload: payload.into(), qos: 1, retain: false }
    }

    /// The same with QoS 0.
    #[must_use]
    pub fn at_most_once(self) -> Self {
        Self { qos: 0, ..self }
    }

    /// The payload as text; bytes that are no text are shown as such.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// A moment as a device sees it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Time since the device was switched on, by a clock that never jumps: rhythms follow it.
    pub uptime: Duration,
    /// Wall clock: values follow it.
    pub now: Timestamp,
}

/// A device at work. It keeps its state while its connection comes and goes.
pub trait Player: Debug + Send {
    /// Its name in the client id and in the log: `[A-Za-z0-9_-]+`.
    fn name(&self) -> &str;

    /// The filters that it asks the broker for at every connect.
    fn topics(&self) -> Vec<String>;

    /// The last will of the connection that is opened next. Asked for once each time.
    fn will(&mut self) -> Outgoing;

    /// What it says before it leaves, the last word last: what its will would say.
    fn farewell(&self) -> Outgoing;

    /// The broker answered: what to say at once. Everything else is due now too.
    fn connected(&mut self, at: Moment) -> Vec<Outgoing>;

    /// A message arrived that the broker did not keep.
    fn receive(&mut self, topic: &str, payload: &[u8], at: Moment);

    /// What to publish by now.
    fn due(&mut self, at: Moment) -> Vec<Outgoing>;

    /// When [`Player::due`] or [`Player::absent_for`] may have something new to say, as uptime.
    fn next_wake(&self) -> Duration;

    /// How long it is still off the network, when a fault took it; `None` while it may be connected.
    fn absent_for(&self, _uptime: Duration) -> Option<Duration> {
        None
    }
}

/// What a device was told and has not done yet, in the order in which it came.
#[derive(Debug)]
pub(super) struct Reactions<T> {
    random: fastrand::Rng,
    waiting: VecDeque<(Duration, T)>,
}

impl<T> Reactions<T> {
    /// Nothing waits; the seed makes the reaction times.
    pub(super) fn new(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), waiting: VecDeque::new() }
    }

    /// Takes a command, unless too many wait.
    pub(super) fn take(&mut self, command: T, at: Moment) {
        let takes = Duration::from_millis(self.random.u64(REACTION_MS));
        if self.waiting.len() < MAX_WAITING {
            // No command overtakes another.
            let after = self.waiting.back().map_or(at.uptime, |(due, _)| *due);
            self.waiting.push_back(((at.uptime + takes).max(after), command));
        }
    }

    /// The next command whose time has come.
    pub(super) fn next(&mut self, at: Moment) -> Option<T> {
        self.waiting.pop_front_if(|(due, _)| *due <= at.uptime).map(|(_, command)| command)
    }

    /// When the next command's time comes, as uptime.
    pub(super) fn due(&self) -> Option<Duration> {
        self.waiting.front().map(|(due, _)| *due)
    }

    /// How many commands wait.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}
