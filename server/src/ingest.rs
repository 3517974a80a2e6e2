//! Ingest: the only task that changes the fleet. Inputs go in, changes go to the recorder, the hub and the links.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use app::tile::words::capital;
use domain::alarm::{AlarmState, Severity};
use domain::change::{Change, Publish};
use domain::command::{CommandReport, CommandState, Refusal};
use domain::input::Input;
use domain::time::Timestamp;
use tokio::sync::mpsc;

use crate::clock::{ClockSteps, now};
use crate::hub::Hub;
use crate::link_watch::LinkWatch;
use crate::mqtt::link::Link;
use crate::mqtt::{Ack, Report};
use crate::noted::Noted;
use crate::recorder::{Health, Record, Recorder};
use crate::redelivery::Memory;
use crate::store::activity::Actor;
use crate::store::{AlarmEvent, Batch};
use crate::tasks::Tasks;
use crate::telemetry::Shown;

pub use request::Request;
pub use roster::Roster;
pub use state::State;

/// What it is asked.
mod request;
/// Which entities each device has.
mod roster;
/// What it keeps.
mod state;

/// Inputs handled under one lock.
const BATCH: usize = 512;
/// How often the fleet looks at the time.
const TICK: Duration = Duration::from_millis(500);
/// Rows that may wait for the recorder before no more messages are taken: the brokers keep those.
const MOST_WAITING: usize = 20_000;
/// Commands that may wait for the recorder; what became of older ones is then not written down.
const MOST_COMMANDS: usize = 1_000;
/// How long the recorder may take to make room for the last records.
const LAST_RECORDS: Duration = Duration::from_secs(2);

/// What ingest works with.
pub struct Ingest {
    /// The state that it alone changes.
    pub state: Arc<RwLock<State>>,
    /// Where changes are shown.
    pub hub: Arc<Hub>,
    /// Where changes are stored.
    pub recorder: Recorder,
    /// Where commands go out, by the broker's name.
    pub links: Arc<HashMap<Arc<str>, Link>>,
    /// What links report.
    pub reports: mpsc::Receiver<Report>,
    /// What pages ask.
    pub requests: mpsc::Receiver<Request>,
    /// For reporting how a publish ended.
    pub outcomes: mpsc::Sender<Request>,
    /// Runs the publishes.
    pub tasks: Tasks,
    /// The messages taken last.
    pub memory: Memory,
    /// What the recorder has no room for yet.
    pub waiting: Record,
    /// Whether our clock was set.
    pub clock_steps: ClockSteps,
    /// What is to be told of the links.
    pub link_watch: LinkWatch,
    /// What the log of what was done was told.
    pub noted: Noted,
}

impl Ingest {
    /// Runs until the links are gone: their reports are all handled before it ends.
    pub async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut reports = Vec::with_capacity(BATCH);
        loop {
            let due = self.due_in();
            tokio::select! {
                biased;
                Some(request) = self.requests.recv() => self.request(request),
                // In front of the messages, of which there may be no end.
                _ = tick.tick() => self.tick(),
                () = tokio::time::sleep(due.unwrap_or_default()), if due.is_some() => self.due(),
                () = self.recorder.has_room(), if !self.waiting.is_empty() => self.record(Record::default()),
                // While the recorder is stuck its brokers keep the messages, and commands and alarms go on.
                n = self.reports.recv_many(&mut reports, BATCH), if self.waiting.len() < MOST_WAITING || self.tasks.is_stopping() => {
                    if n == 0 {
                        return self.end().await;
                    }
                    self.reports_batch(&mut reports);
                }
            }
        }
    }

    /// The last records; what the recorder has no room for comes again from the brokers, for it is not acknowledged.
    async fn end(&mut self) {
        let last = std::mem::take(&mut self.waiting);
        let rows = last.len();
        if rows > 0 && tokio::time::timeout(LAST_RECORDS, self.recorder.send(last)).await.is_err() {
            tracing::error!(rows, "What arrived last could not be stored; the brokers deliver it again if they keep it");
        }
    }

    fn reports_batch(&mut self, reports: &mut Vec<Report>) {
        let now = now();
        let (mut inputs, mut acks, mut deliveries) = (vec![], vec![], vec![]);
        for report in reports.drain(..) {
            match report {
                Report::State { broker, state } => {
                    self.link_watch.changed();
                    inputs.push(Input::Link { broker, state });
                }
                Report::SessionLost { broker } => self.memory.forget(&broker),
                Report::Message { message, ack: None } => {
                    deliveries.push(None);
                    inputs.push(Input::Message(message));
                }
                Report::Message { message, ack: Some((delivery, ack)) } => {
                    // Also one that was taken before: it waits behind what it said the first time.
                    acks.push(ack);
                    if !self.memory.is_again(&message, delivery) {
                        deliveries.push(Some(self.memory.take(&message, delivery)));
                        inputs.push(Input::Message(message));
                    }
                }
            }
        }
        let changes = self.apply(inputs, now);
        // One such change a message, in their order. What fed nothing may come again.
        let fed = changes.iter().filter_map(|change| if let Change::Message { fed, .. } = change { Some(!fed.is_empty()) } else { None });
        let taken = deliveries.into_iter().zip(fed).filter_map(|(taken, fed)| taken.filter(|_| fed)).collect();
        self.follow(changes, Record { batch: Batch { taken, ..Batch::default() }, acks }, &Actor::default());
    }

    fn tick(&mut self) {
        let now = now();
        let mut inputs = vec![];
        if let Some(by_ms) = self.clock_steps.look(now, tokio::time::Instant::now()) {
            tracing::warn!(by_ms, "The clock of this machine was set; times of devices that agree with what it was before are still believed");
            inputs.push(Input::ClockSet { by_ms });
        }
        inputs.extend([Input::Tick, recording(&self.recorder.health()), self.link_watch.dropping(&self.links, now)]);
        {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            inputs.extend(self.link_watch.figures(&self.links, &state.link_rates, now));
        }
        let changes = self.apply(inputs, now);
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            state.rate.mark(now);
            state.link_rates.values_mut().for_each(|rate| rate.mark(now));
        }
        self.follow(changes, Record::default(), &Actor::default());
    }

    /// How long until a command that is held back may go out.
    fn due_in(&self) -> Option<Duration> {
        let due = self.state.read().unwrap_or_else(PoisonError::into_inner).fleet.next_due()?;
        // A clock that is set back makes it no longer.
        Some(Duration::from_millis(u64::try_from(due.since_ms(now())).unwrap_or(0).clamp(1, 100)))
    }

    fn due(&mut self) {
        let changes = self.apply(vec![Input::Due], now());
        self.follow(changes, Record::default(), &Actor::default());
    }

    fn request(&mut self, request: Request) {
        match request {
            Request::Command { id, entity, action, expires_at, who, reply } => {
                let input = match expires_at {
                    Some(expires_at) => Input::QueueCommand { id: id.clone(), entity, action, expires_at },
                    None => Input::Command { id: id.clone(), entity, action },
                };
                let changes = self.apply(vec![input], now());
                let first = changes.iter().find_map(|change| match change {
                    Change::Command(report) if report.id == id => Some(report.clone()),
                    _ => None,
                });
                if let Some(report) = first {
                    // The caller may have gone away: the command goes out all the same.
                    let _: Result<(), _> = reply.send(report);
                }
                self.follow(changes, Record::default(), &who);
            }
            Request::Refused { report, who } => {
                let change = Change::Command(report);
                self.state.write().unwrap_or_else(PoisonError::into_inner).note(&change, now());
                self.follow(vec![change], Record::default(), &who);
            }
            Request::Cancel { id, who, reply } => {
                let changes = self.apply(vec![Input::CancelCommand { id, who: who.name.clone() }], now());
                let last = changes.iter().find_map(|change| if let Change::Command(report) = change { Some(report.clone()) } else { None });
                // As above.
                let _: Result<(), _> = reply.send(last);
                self.follow(changes, Record::default(), &who);
            }
            Request::Acknowledge { alarm, who, reply } => {
                let changes = self.apply(vec![Input::AcknowledgeAlarm { alarm: alarm.clone() }], now());
                let after = self.state.read().unwrap_or_else(PoisonError::into_inner).fleet.alarm(&alarm).cloned();
                if after.is_some() {
                    tracing::info!(alarm.id = %Shown(&alarm), who = %Shown(&who.name), "Alarm acknowledged");
                }
                // As above.
                let _: Result<(), _> = reply.send(after);
                self.follow(changes, Record::default(), &who);
            }
            Request::Amend { amendment, entry, reply } => {
                // Nobody else changes the fleet: what can be taken now is taken.
                let checked = self.state.read().unwrap_or_else(PoisonError::into_inner).fleet.check_amendment(&amendment);
                if checked.is_err() {
                    // The caller may have gone away.
                    let _: Result<(), _> = reply.send(checked);
                    return;
                }
                tracing::info!(what = entry.what, who = %Shown(&entry.who.name), detail = %entry.detail, "Something was written");
                let changes = self.apply(vec![Input::Amend(amendment)], now());
                let stored = Ack::new(move || {
                    // As above.
                    let _: Result<(), _> = reply.send(Ok(()));
                });
                let batch = Batch { notes: vec![*entry], ..Batch::default() };
                self.follow(changes, Record { batch, acks: vec![stored] }, &Actor::default());
            }
            Request::PutGroup { group, reply } => {
                let fits = self.state.read().unwrap_or_else(PoisonError::into_inner).fleet.check_group(&group);
                if fits.is_ok() {
                    let changes = self.apply(vec![Input::PutGroup(group)], now());
                    self.follow(changes, Record::default(), &Actor::default());
                }
                // As above.
                let _: Result<(), _> = reply.send(fits);
            }
            Request::RemoveGroup { id, reply } => {
                let changes = self.apply(vec![Input::RemoveGroup { id }], now());
                self.follow(changes, Record::default(), &Actor::default());
                // As above.
                let _: Result<(), _> = reply.send(());
            }
            Request::SetPatterns { patterns, reply } => {
                let fixed = self.state.read().unwrap_or_else(PoisonError::into_inner).fixed_patterns().to_vec();
                let changes = self.apply(vec![Input::SetPatterns([fixed, patterns].concat())], now());
                self.follow(changes, Record::default(), &Actor::default());
                // As above.
                let _: Result<(), _> = reply.send(());
            }
            Request::Outcome(input) => {
                let changes = self.apply(vec![input], now());
                self.follow(changes, Record::default(), &Actor::default());
            }
        }
    }

    fn apply(&self, inputs: Vec<Input>, now: Timestamp) -> Vec<Change> {
        let mut changes = vec![];
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for input in inputs {
            state.fleet.apply(input, now, &mut changes);
        }
        for change in &changes {
            state.note(change, now);
        }
        changes
    }

    /// Shows, sends and stores what changed.
    fn follow(&mut self, changes: Vec<Change>, mut record: Record, who: &Actor) {
        if changes.is_empty() && record.acks.is_empty() {
            return;
        }
        {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            self.hub.publish(&changes, |id| state.fleet.entity(id));
        }
        let at = now();
        for change in changes {
            record.batch.notes.extend(self.noted.look(&change, who, at));
            match change {
                Change::Device(device) => record.batch.put_device(device),
                Change::Entity(entity, _) => record.batch.put_entity(*entity),
                Change::Gone(id) => record.batch.lose_entity(id),
                Change::DeviceGone(id) => record.batch.lose_device(id),
                Change::Reading(reading) => record.batch.readings.push(reading),
                Change::Alarm(alarm) => {
                    let alarm = self.state.read().unwrap_or_else(PoisonError::into_inner).fleet.alarm_as_written(alarm);
                    let event = AlarmEvent { at: at.max(alarm.since), who: who.name.clone(), state: alarm.state };
                    let event = if alarm.state == AlarmState::Unacked { AlarmEvent { at: alarm.since, ..event } } else { event };
                    record.batch.alarm_events.push((alarm.clone(), event));
                    record.batch.alarms.push(alarm);
                }
                Change::Command(report) => record.batch.commands.push((report, who.clone())),
                Change::Queue(change) => record.batch.queue.push(change),
                Change::Publish(publish) => self.send(publish),
                Change::Ask { link, topic, payload } => self.ask(&link, topic, payload),
                Change::Answered { link, request, error } => {
                    if let Some(link) = self.links.get(&link) {
                        link.answered(request, error);
                    }
                }
                Change::RetainedCommand { link, topic } => {
                    tracing::warn!(%link, topic = %Shown(&topic), "A command is retained here: devices obey it again at each start");
                }
                Change::Rejected { message, reason } => tracing::debug!(topic = %Shown(&message.topic), %reason, "Payload not taken"),
                Change::Written(written) => record.batch.written.push(written),
                Change::AlarmWords(_) | Change::Group(_) | Change::Shown(_) | Change::Message { .. } | Change::Link(_) | Change::Areas(_) => {}
            }
        }
        self.record(record);
    }

    /// Hands over what waits and then this, or lets both wait: the back-pressure that reaches the brokers.
    fn record(&mut self, record: Record) {
        self.waiting.append(record);
        if !self.waiting.is_empty()
            && let Some(waiting) = self.recorder.try_send(std::mem::take(&mut self.waiting))
        {
            self.waiting = waiting;
            let commands = &mut self.waiting.batch.commands;
            let too_many = commands.len().saturating_sub(MOST_COMMANDS);
            let notes = &mut self.waiting.batch.notes;
            notes.drain(..notes.len().saturating_sub(MOST_COMMANDS));
            if too_many > 0 {
                commands.drain(..too_many);
                tracing::warn!(too_many, "Commands are not written down while nothing can be stored");
            }
        }
    }

    /// Asks devices for something that nobody waits for.
    fn ask(&self, link: &Arc<str>, topic: String, payload: Vec<u8>) {
        let Some(sent) = self.links.get(link).map(|link| link.publish_for(topic.clone(), payload, 0, None)) else { return };
        self.tasks.spawn(async move {
            if let Err(error) = sent.await {
                tracing::debug!(topic = %Shown(&topic), %error, "Devices could not be asked");
            }
        });
    }

    fn send(&self, publish: Publish) {
        let outcomes = self.outcomes.clone();
        let id = publish.command;
        let sent = self.links.get(&publish.link).map(|link| link.publish_for(publish.topic, publish.payload, 1, Some(publish.expires_s)));
        self.tasks.spawn(async move {
            let input = match sent {
                Some(sent) => match sent.await {
                    Ok(()) => Input::CommandAccepted { id },
                    Err(error) => Input::CommandFailed { id, reason: error.to_string() },
                },
                None => Input::CommandFailed { id, reason: Refusal::LinkDown.to_string() },
            };
            // Ingest is gone only when the server stops.
            let _: Result<(), _> = outcomes.send(Request::Outcome(input)).await;
        });
    }
}

/// Whether what arrives is being stored.
fn recording(health: &Health) -> Input {
    let message = match health {
        Health::Ok => None,
        Health::Failing { cause, .. } => {
            Some(format!("{}: history is not being recorded. Trying again; nothing acknowledged is lost", capital(cause)))
        }
    };
    Input::Trouble { id: "signalbox.recorder", severity: Severity::Critical, condition: "not recording", message }
}

/// Whether a report of a command is its last one, given that the device may have no state to agree with.
#[must_use]
pub const fn is_last(report: &CommandReport, assumed: bool) -> bool {
    report.state.is_final() || (assumed && matches!(report.state, CommandState::Accepted))
}
