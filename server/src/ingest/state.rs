//! The state of the plant.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use app::backend::LastMessage;
use domain::change::{Change, Publish};
use domain::command::CommandReport;
use domain::convention::plain::TopicPattern;
use domain::device::{DeviceId, clean_text};
use domain::entity::EntityId;
use domain::fleet::Fleet;
use domain::group::GROUP_DEVICE;
use domain::input::Message;
use domain::live::EntityChange;
use domain::reading::Reading;
use domain::time::Timestamp;
use domain::value::Value;

use super::roster::Roster;
use crate::rate::Rate;
use crate::topics::Topics;
use crate::trends::Trends;

/// Messages remembered of each device.
const LAST_MESSAGES: usize = 12;
/// Devices whose messages are remembered.
const MAX_REMEMBERED: usize = 2_000;

/// How long after a command what a broker hands back is the command itself.
const ECHO_MS: i64 = 5_000;

/// The state of the plant as pages read it. Only ingest writes.
#[derive(Debug)]
pub struct State {
    /// Devices, entities, alarms.
    pub fleet: Fleet,
    /// The last hour of each entity.
    pub trends: Trends,
    /// The last messages of each device, newest first.
    pub messages: HashMap<DeviceId, VecDeque<LastMessage>>,
    /// Commands by id, the last ones.
    pub commands: VecDeque<CommandReport>,
    /// Messages since the start; the hub numbers them in the same order.
    pub rate: Rate,
    /// The same by broker.
    pub link_rates: HashMap<Arc<str>, Rate>,
    /// What was heard on each topic.
    pub topics: Topics,
    /// Which entities each device has.
    pub roster: Roster,
    /// So many of the fleet's patterns, the first ones, are the configuration's; those behind them operators wrote.
    pub n_fixed_patterns: usize,
}

impl State {
    /// A state around a fleet.
    #[must_use]
    pub fn new(fleet: Fleet) -> Self {
        Self {
            roster: Roster::of(&fleet),
            fleet,
            trends: Trends::default(),
            messages: HashMap::new(),
            commands: VecDeque::new(),
            rate: Rate::default(),
            link_rates: HashMap::new(),
            topics: Topics::default(),
            n_fixed_patterns: 0,
        }
    }

    /// The patterns of topics that the configuration says.
    #[must_use]
    pub fn fixed_patterns(&self) -> &[TopicPattern] {
        self.fleet.patterns().get(..self.n_fixed_patterns).unwrap_or_default()
    }

    /// The patterns of topics that operators wrote, which come behind those.
    #[must_use]
    pub fn own_patterns(&self) -> &[TopicPattern] {
        self.fleet.patterns().get(self.n_fixed_patterns..).unwrap_or_default()
    }

    /// Takes a change in.
    pub(super) fn note(&mut self, change: &Change, now: Timestamp) {
        self.roster.note(change);
        match change {
            Change::Reading(reading) => self.trends.take(reading),
            // A group has no readings of its own: what it shows is its last hour.
            Change::Group(view) => self.note_group(&view.id, view.v.as_ref(), now),
            Change::Gone(id) => self.trends.forget(id),
            Change::Shown(change) if change.e.device() == GROUP_DEVICE && self.fleet.is_group(&change.e) => {
                self.note_group(&change.e, change.v.as_ref(), now);
            }
            Change::Rejected { message, reason } => self.topics.reject(message, reason, now),
            Change::Message { message, fed } => {
                self.topics.hear(message, now);
                self.remember(message, fed, now);
            }
            Change::Publish(publish) => self.remember_own(publish, now),
            Change::Command(report) => {
                self.commands.retain(|known| known.id != report.id);
                self.commands.push_back(report.clone());
                if self.commands.len() > 1_000 {
                    self.commands.pop_front();
                }
            }
            _ => {}
        }
    }

    fn note_group(&mut self, id: &EntityId, value: Option<&Value>, now: Timestamp) {
        if let Some(value) = value.cloned() {
            self.trends.take(&Reading { entity: id.clone(), value, taken_at: now, received_at: now, device_time: false });
        }
    }

    fn remember(&mut self, message: &Message, fed: &[EntityChange], now: Timestamp) {
        self.rate.count();
        match self.link_rates.get_mut(&message.link) {
            Some(rate) => rate.count(),
            None => self.link_rates.entry(Arc::clone(&message.link)).or_default().count(),
        }
        let Some(device) = fed.first().and_then(|fed| self.fleet.device_id_of(&fed.e)).cloned() else { return };
        if !self.messages.contains_key(&device) && self.messages.len() >= MAX_REMEMBERED {
            return;
        }
        let (topic, payload) = (clean_text(&message.topic, 200), shown(&message.payload));
        // A device without a voice of its own: its broker hands back what was sent to it.
        let is_echo =
            |own: &LastMessage| own.own && !message.retained && now.since_ms(own.at) < ECHO_MS && own.topic == topic && own.payload == payload;
        let messages = self.messages.entry(device).or_default();
        if messages.iter().any(is_echo) {
            return;
        }
        messages.push_front(LastMessage { at: now, topic, payload, retained: message.retained, own: false });
        messages.truncate(LAST_MESSAGES);
    }

    /// A command that goes out to a device.
    fn remember_own(&mut self, publish: &Publish, now: Timestamp) {
        let entity = self.commands.iter().rev().find(|report| report.id == publish.command).map(|report| &report.entity);
        let Some(device) = entity.and_then(|entity| self.fleet.device_id_of(entity)).cloned() else { return };
        if !self.messages.contains_key(&device) && self.messages.len() >= MAX_REMEMBERED {
            return;
        }
        let messages = self.messages.entry(device).or_default();
        messages.push_front(LastMessage {
            at: now,
            topic: clean_text(&publish.topic, 200),
            payload: shown(&publish.payload),
            retained: false,
            own: true,
        });
        messages.truncate(LAST_MESSAGES);
    }
}

/// A payload as text, or in hex.
fn shown(payload: &[u8]) -> String {
    match std::str::from_utf8(payload) {
        Ok(text) => clean_text(text, 200),
        Err(_) => payload.iter().take(60).map(|b| format!("{b:02x}")).collect(),
    }
}
