//! Commands that somebody left with a broker: every device that starts would obey them again. They are told, and are no state.

use std::sync::Arc;

use crate::alarm::{AlarmState, Severity};
use crate::change::Change;
use crate::input::Message;
use crate::live::LinkState;
use crate::time::{SECOND_MS, Timestamp};

use super::Fleet;
use super::binding::Binding;

/// The id of the alarm.
const ALARM: &str = "signalbox.retained_command";
/// The beginning of topics that hold commands and feed nothing.
const COMMANDS: &str = "commands/";
/// Topics remembered.
const MOST_TOPICS: usize = 1_000;
/// Brokers deliver again what they hold when they are connected to; for so long an alarm of before is not taken for over.
const REPLAY_MS: i64 = 30 * SECOND_MS;

impl Fleet {
    /// Whether a command is retained on a topic, as far as it was heard.
    #[must_use]
    pub fn is_retained_command(&self, link: &str, topic: &str) -> bool {
        self.retained_commands.iter().any(|(of, on)| **of == *link && **on == *topic)
    }

    /// A message on a topic of commands: one that is retained is told, an empty one deletes it.
    pub(super) fn watch_command_topic(&mut self, message: &Message, now: Timestamp, out: &mut Vec<Change>) {
        let key = || (Arc::clone(&message.link), Arc::clone(&message.topic));
        if message.payload.is_empty() {
            if self.retained_commands.is_empty() || !self.retained_commands.remove(&key()) {
                return;
            }
        } else if !message.retained || self.retained_commands.len() >= MOST_TOPICS || !self.retained_commands.insert(key()) {
            return;
        } else {
            out.push(Change::RetainedCommand { link: Arc::clone(&message.link), topic: Arc::clone(&message.topic) });
        }
        self.tell_retained(now, out);
    }

    /// Whether a topic holds commands.
    pub(super) fn is_command_topic(binding: Option<&Binding>, topic: &str) -> bool {
        matches!(binding, Some(Binding::Command(_))) || topic.starts_with(COMMANDS)
    }

    /// A broker is lost: when it is reached again it says again what it holds.
    pub(super) fn forget_retained(&mut self, broker: &str) {
        self.retained_commands.retain(|(link, _)| **link != *broker);
    }

    /// Ends an alarm of before whose topics nobody heard of again.
    pub(super) fn review_retained(&mut self, now: Timestamp, out: &mut Vec<Change>) {
        let is_told = self.alarms.get(ALARM).is_some_and(|alarm| matches!(alarm.state, AlarmState::Unacked | AlarmState::Acked));
        let heard_all = || self.links.values().all(|link| link.state == LinkState::Up && now.since_ms(link.since) >= REPLAY_MS);
        if is_told && heard_all() {
            self.tell_retained(now, out);
        }
    }

    fn tell_retained(&mut self, now: Timestamp, out: &mut Vec<Change>) {
        let message = self.retained_commands.first().map(|(_, topic)| {
            let topic = crate::device::clean_text(topic, 120);
            let more = match self.retained_commands.len() {
                1 => String::new(),
                n => format!(" (and {} more topics)", n - 1),
            };
            format!("A command is retained on {topic}{more}: devices obey it at each start. Publish an empty retained message there to delete it")
        });
        if message.is_none() && self.links.values().any(|link| link.state != LinkState::Up || now.since_ms(link.since) < REPLAY_MS) {
            // Not everything was heard yet; the clock ends it.
            return;
        }
        self.trouble((ALARM, Severity::Warning), "retained command", message, now, out);
    }
}
