//! One topic: its last message, how often it speaks, and what could not be read.

use std::sync::Arc;

use domain::device::clean_text;
use domain::input::Message;
use domain::time::{MINUTE_MS, SECOND_MS, Timestamp};

/// Bytes kept of a payload.
pub const MAX_PAYLOAD_BYTES: usize = 4 * 1024;
/// Bytes kept of a payload that could not be read.
pub const MAX_BAD_BYTES: usize = 256;
/// Characters kept of a reason.
const MAX_REASON_CHARS: usize = 200;
/// A buffer that is larger than what it holds by so much is given back.
const SLACK_BYTES: usize = 256;
/// What it takes to find a topic: a place in a hash map that is half full, and the heads of what is allocated.
const FINDING_BYTES: usize = 80;

/// One topic with its last message.
#[derive(Debug)]
pub struct Entry {
    topic: Arc<str>,
    payload: Vec<u8>,
    bad: Option<Box<Bad>>,
    n: u64,
    heard_at: Timestamp,
    first_at: Timestamp,
    /// The minute since 1970 that `n_minute` counts; `n_before` counts the one before.
    minute: i64,
    n_minute: u32,
    n_before: u32,
    size: u32,
    link: u16,
    qos: u8,
    retained: bool,
}

/// What could not be read of a topic.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Bad {
    /// Messages.
    pub n: u64,
    /// Why the last one could not.
    pub reason: Box<str>,
    /// The beginning of the last one.
    pub payload: Box<[u8]>,
    /// Its true size in bytes.
    pub size: usize,
    /// When it arrived.
    pub at: Timestamp,
}

impl Entry {
    pub(super) fn new(link: u16, topic: Arc<str>, now: Timestamp) -> Self {
        Self {
            topic,
            payload: vec![],
            bad: None,
            n: 0,
            heard_at: now,
            first_at: now,
            minute: 0,
            n_minute: 0,
            n_before: 0,
            size: 0,
            link,
            qos: 0,
            retained: false,
        }
    }

    pub(super) fn hear(&mut self, message: &Message, now: Timestamp) {
        let kept = &message.payload[..message.payload.len().min(MAX_PAYLOAD_BYTES)];
        if self.payload.capacity() > kept.len() * 2 + SLACK_BYTES {
            self.payload = Vec::new();
        }
        self.payload.clear();
        // Exactly: what a vector would add in advance is lost for a payload that keeps its size.
        self.payload.reserve_exact(kept.len());
        self.payload.extend_from_slice(kept);
        self.size = u32::try_from(message.payload.len()).unwrap_or(u32::MAX);
        (self.qos, self.retained, self.heard_at) = (message.qos, message.retained, now);
        self.n += 1;
        (self.n_minute, self.n_before) = self.minutes(now);
        self.n_minute = self.n_minute.saturating_add(1);
        self.minute = minute_of(now);
    }

    pub(super) fn reject(&mut self, message: &Message, reason: &str, now: Timestamp) {
        let bad = self.bad.get_or_insert_default();
        bad.n += 1;
        bad.reason = clean_text(reason, MAX_REASON_CHARS).into();
        bad.payload = message.payload[..message.payload.len().min(MAX_BAD_BYTES)].into();
        (bad.size, bad.at) = (message.payload.len(), now);
    }

    /// The topic, as a stranger wrote it.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The same, to keep.
    pub(crate) const fn shared_topic(&self) -> &Arc<str> {
        &self.topic
    }

    pub(super) const fn link(&self) -> u16 {
        self.link
    }

    /// The last payload, at most [`MAX_PAYLOAD_BYTES`] of it.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Its true size in bytes.
    #[must_use]
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// How the last message came: 0, 1 or 2.
    #[must_use]
    pub const fn qos(&self) -> u8 {
        self.qos
    }

    /// Whether the last message was replayed by the broker, or kept by it.
    #[must_use]
    pub const fn retained(&self) -> bool {
        self.retained
    }

    /// Messages since the topic is known.
    #[must_use]
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// When the last message arrived.
    #[must_use]
    pub const fn heard_at(&self) -> Timestamp {
        self.heard_at
    }

    /// What could not be read.
    #[must_use]
    pub fn bad(&self) -> Option<&Bad> {
        self.bad.as_deref()
    }

    /// Messages a second over about the last minute, or since the topic is known but at least ten seconds.
    #[must_use]
    pub fn per_s(&self, now: Timestamp) -> f64 {
        let (current, before) = self.minutes(now);
        #[expect(clippy::cast_precision_loss, reason = "parts of a minute")]
        let (into, known) = (now.as_ms().rem_euclid(MINUTE_MS) as f64, now.since_ms(self.first_at).clamp(10 * SECOND_MS, MINUTE_MS) as f64);
        let minute = f64::from(60_000_u16);
        let n = f64::from(current) + f64::from(before) * (1.0 - into / minute);
        // What came in the minute before a topic that is younger is all of it.
        let n = if known < minute { f64::from(current) + f64::from(before) } else { n };
        (n / known * 1e6).round() / 1e3
    }

    /// Messages of the minute of `now` and of the one before.
    fn minutes(&self, now: Timestamp) -> (u32, u32) {
        match minute_of(now) - self.minute {
            0 => (self.n_minute, self.n_before),
            1 => (0, self.n_minute),
            _ => (0, 0),
        }
    }

    /// Bytes that it takes, as far as can be counted.
    pub(super) fn n_bytes(&self) -> usize {
        let bad = self.bad.as_ref().map_or(0, |bad| size_of::<Bad>() + bad.reason.len() + bad.payload.len());
        size_of::<Option<Self>>() + FINDING_BYTES + self.topic.len() + self.payload.capacity() + bad
    }
}

const fn minute_of(at: Timestamp) -> i64 {
    at.as_ms().div_euclid(MINUTE_MS)
}
