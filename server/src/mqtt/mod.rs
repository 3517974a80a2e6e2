//! MQTT: the only place that knows rumqttc and the embedded broker.

use std::sync::Arc;

use domain::input::Message;
use domain::live::LinkState;
use domain::topic::TopicError;

use crate::redelivery::Delivery;

/// The broker in this process.
pub mod embedded;
/// The connection to a broker.
pub mod link;

/// What a link tells the rest of the server.
#[derive(Debug)]
pub enum Report {
    /// The broker was reached or lost.
    State {
        /// The broker's name.
        broker: Arc<str>,
        /// Whether it is reached.
        state: LinkState,
    },
    /// The broker delivered a message.
    Message {
        /// The message.
        message: Message,
        /// How it came, and the duty to acknowledge it once its readings are on disk; `None` for QoS 0.
        ack: Option<(Delivery, Ack)>,
    },
    /// The broker kept nothing for us: what it delivers from now on is new.
    SessionLost {
        /// The broker's name.
        broker: Arc<str>,
    },
}

/// The duty to acknowledge one message to its broker. Call [`Ack::release`] once what the message said is on disk;
/// dropped without it, the broker will deliver the message again after the next connect.
pub struct Ack {
    release: Option<Box<dyn FnOnce() + Send>>,
}

impl Ack {
    /// A duty that is done by calling `release`, which must not block.
    pub fn new(release: impl FnOnce() + Send + 'static) -> Self {
        Self { release: Some(Box::new(release)) }
    }

    /// Acknowledges the message. Does nothing when the connection it came by is gone.
    pub fn release(mut self) {
        if let Some(release) = self.release.take() {
            release();
        }
    }
}

impl std::fmt::Debug for Ack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ack")
    }
}

/// Why a message could not be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Not connected: nothing was sent and nothing will be.
    #[error("no connection to the broker")]
    LinkDown,
    /// Too much is on its way already: nothing was sent.
    #[error("too many messages wait for the broker")]
    QueueFull,
    /// The connection broke before the broker acknowledged: it may or may not have arrived.
    #[error("the connection broke before the broker acknowledged")]
    Lost,
    /// Nothing can be published there: nothing was sent.
    #[error(transparent)]
    BadTopic(#[from] TopicError),
    /// The broker refused it.
    #[error("the broker refused it: {0}")]
    Refused(String),
}
