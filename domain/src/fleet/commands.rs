//! Commands on their way: from the request to what the device says.

use crate::change::{Change, Publish};
use crate::command::{self, Action, CommandId, CommandReport, CommandState, Refusal};
use crate::convention::plain;
use crate::convention::speech::{Context, Order, encode, unwritable};
use crate::device::{Availability, clean_text};
use crate::entity::EntityId;
use crate::live::LinkState;
use crate::time::{SECOND_MS, Timestamp};
use crate::value::Value;

use super::Fleet;

/// Shortest wait for a device's answer.
pub const MIN_WAIT_MS: i64 = 2 * SECOND_MS;
/// Longest wait for a device's answer.
pub const MAX_WAIT_MS: i64 = 25 * SECOND_MS;
/// The wait for a device that never answered before.
pub const UNLEARNED_WAIT_MS: i64 = 10 * SECOND_MS;
/// Shortest time between two commands to one entity: a newer one waits so long, and takes the place of one that waits.
pub const PAUSE_MS: i64 = 100;
/// The name under which we call devices, and the beginning of the topics on which they reply.
pub const SOURCE: &str = "signalbox";
/// Answers remembered for learning the wait.
const LATENCIES: usize = 20;
/// What is said of a command that a newer one took the place of.
const SUPERSEDED: &str = "superseded by a newer command";

/// A command whose end is not known.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) report: CommandReport,
    /// What was asked, in the unit that the device speaks in.
    native: Action,
    pub(super) idx: usize,
    deadline: Timestamp,
    /// What is still to go out, and from when on.
    held: Option<(Vec<Publish>, Timestamp)>,
    /// Messages that the broker has not acknowledged.
    n_unacknowledged: usize,
    /// What a reply to it is known by.
    ticket: u32,
    /// What the device reported since, other than what was asked for.
    disagreed: Option<String>,
}

impl Fleet {
    /// Whether a command can be sent now; the action with `toggle` resolved.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn check(&self, entity: &EntityId, action: &Action) -> Result<Action, Refusal> {
        if self.is_group(entity) {
            return self.check_group_action(entity, action);
        }
        let asked = self.check_action(entity, action)?;
        if self.device_of(entity).is_some_and(|device| device.availability == Availability::Offline) {
            return Err(Refusal::DeviceOffline(entity.clone()));
        }
        if self.is_reached(entity) { asked.resolved() } else { Err(Refusal::LinkDown) }
    }

    /// Whether the entity can do it at all, be its device there or not.
    pub(super) fn check_action(&self, entity: &EntityId, action: &Action) -> Result<Asked, Refusal> {
        let slot = self.by_id.get(entity).and_then(|&idx| self.slots.get(idx)).ok_or_else(|| Refusal::UnknownEntity(entity.to_string()))?;
        let action = command::check(&slot.commanded_entity(), action)?;
        if let Some(field) = slot.entity.speech.as_deref().and_then(|speech| unwritable(speech, slot.entity.kind, &action)) {
            let of = |action: &Action| Refusal::Unsupported { entity: entity.clone(), action: action.as_str() };
            // What it cannot do at all, and what it has nothing of.
            return Err(match field {
                "stop" => of(&action),
                "value" => of(&action),
                field => Refusal::Invalid { field: field.to_owned(), reason: format!("is nothing that {entity} has") },
            });
        }
        Ok(Asked { entity: entity.clone(), action, is_on: slot.value.as_ref().and_then(Value::is_on) })
    }

    /// Whether the broker of an entity's device is.
    pub(super) fn is_reached(&self, entity: &EntityId) -> bool {
        self.device_of(entity).and_then(|device| self.links.get(device.link.as_str())).is_some_and(|link| link.state == LinkState::Up)
    }

    pub(super) fn command(&mut self, id: CommandId, entity: &EntityId, action: &Action, now: Timestamp, out: &mut Vec<Change>) {
        match self.check(entity, action) {
            Ok(resolved) => {
                // It would undo later what is done now.
                self.supersede_queued(entity, now, out);
                self.start(id, entity, resolved, now, out);
            }
            Err(refusal) => out.push(Change::Command(refused(id, entity, action, &refusal, now))),
        }
    }

    /// Sends what can be sent, or holds it back for a moment.
    pub(super) fn start(&mut self, id: CommandId, entity: &EntityId, action: Action, now: Timestamp, out: &mut Vec<Change>) {
        let Some(&idx) = self.by_id.get(entity) else { return };
        let link: std::sync::Arc<str> = self.device_of(entity).map(|device| device.link.as_str().into()).unwrap_or_default();
        self.n_tickets = self.n_tickets.wrapping_add(1);
        let ticket = self.n_tickets;
        let Some(slot) = self.slots.get_mut(idx) else { return };
        let context = Context { templates: &self.templates, ticket, source: SOURCE, before: slot.value.as_ref(), now };
        let native = slot.native_action(&action);
        let orders = match slot.entity.speech.as_deref() {
            Some(speech) => encode(speech, slot.native_entity(), &native, context),
            None => plain::encode(slot.native_entity(), &native).into_iter().collect(),
        };
        if orders.is_empty() {
            let refusal = Refusal::Unsupported { entity: entity.clone(), action: action.as_str() };
            out.push(Change::Command(refused(id, entity, &action, &refusal, now)));
            return;
        }
        let wait_ms = wait_ms(&slot.latencies_ms);
        let usual_ms = usual_ms(&slot.latencies_ms);
        let expires_s = u32::try_from(wait_ms / SECOND_MS).unwrap_or(1).max(1);
        let publishes: Vec<Publish> = orders
            .into_iter()
            .map(|Order { topic, payload }| Publish { command: id.clone(), link: std::sync::Arc::clone(&link), topic, payload, expires_s })
            .collect();
        let n_unacknowledged = publishes.len();
        // A clock that was set back holds nothing.
        let free_at = slot.commanded_at.map(|last| last.plus_ms(PAUSE_MS)).filter(|at| (1..=PAUSE_MS).contains(&at.since_ms(now)));
        let goes_at = free_at.unwrap_or(now);
        let held = match free_at {
            Some(at) => Some((publishes.clone(), at)),
            None => {
                slot.commanded_at = Some(now);
                None
            }
        };
        // A newer command takes the place of one that is still on its way: two would confirm or spoil each other.
        let older: Vec<CommandId> = self.pending.iter().filter(|(_, pending)| pending.idx == idx).map(|(id, _)| id.clone()).collect();
        for older in older {
            self.end_command(&older, CommandState::Unconfirmed, Some(SUPERSEDED.to_owned()), now, out);
        }
        let report = CommandReport { state: CommandState::Sent, usual_ms, ..report(id.clone(), entity, action, now) };
        out.push(Change::Command(report.clone()));
        if held.is_none() {
            out.extend(publishes.into_iter().map(Change::Publish));
        }
        let deadline = goes_at.plus_ms(wait_ms);
        self.pending.insert(id, Pending { report, native, idx, deadline, held, n_unacknowledged, ticket, disagreed: None });
    }

    /// When the next command that is held back may go out.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.pending.values().filter_map(|pending| pending.held.as_ref()).map(|(_, at)| *at).min()
    }

    /// Sends what was held back long enough.
    pub(super) fn release_commands(&mut self, now: Timestamp, out: &mut Vec<Change>) {
        for pending in self.pending.values_mut() {
            // Further away than ever: the clock was set back.
            let is_due = pending.held.as_ref().is_some_and(|(_, at)| now >= *at || at.since_ms(now) > PAUSE_MS);
            if is_due && let Some((publishes, _)) = pending.held.take() {
                if let Some(slot) = self.slots.get_mut(pending.idx) {
                    slot.commanded_at = Some(now);
                }
                out.extend(publishes.into_iter().map(Change::Publish));
            }
        }
    }

    pub(super) fn command_accepted(&mut self, id: &str, now: Timestamp, out: &mut Vec<Change>) {
        let Some(pending) = self.pending.get_mut(id) else { return };
        pending.n_unacknowledged = pending.n_unacknowledged.saturating_sub(1);
        if pending.n_unacknowledged > 0 {
            return;
        }
        let idx = pending.idx;
        if pending.report.state == CommandState::Sent {
            pending.report.state = CommandState::Accepted;
            pending.report.after_ms = Some(now.since_ms(pending.report.sent_at));
            out.push(Change::Command(pending.report.clone()));
        }
        let native = pending.native.clone();
        let Some(slot) = self.slots.get_mut(idx) else { return };
        if slot.entity.assumed {
            // Nothing more will be heard: what was asked is what is assumed.
            self.pending.remove(id);
            if let Some(value) = plain::expected(slot.entity.kind, &native, slot.value.as_ref()) {
                slot.take(value, now, false, false, now);
                slot.update_quality(false, None, now);
                out.push(Change::Shown(slot.change()));
            }
        }
    }

    pub(super) fn command_failed(&mut self, id: &str, reason: String, now: Timestamp, out: &mut Vec<Change>) {
        self.end_command(id, CommandState::Failed, Some(reason), now, out);
    }

    /// The entity reported: a command that the report agrees with is confirmed.
    pub(super) fn settle_command(&mut self, idx: usize, now: Timestamp, out: &mut Vec<Change>) {
        if self.pending.is_empty() {
            return;
        }
        let Some(slot) = self.slots.get_mut(idx).filter(|slot| !slot.entity.assumed) else { return };
        let Some(value) = &slot.value else { return };
        // What has not gone out yet is no reason for a report.
        let Some(pending) = self.pending.values_mut().find(|pending| pending.idx == idx && pending.held.is_none()) else { return };
        if !plain::agrees(&pending.native, value) {
            pending.disagreed = slot.shown_value().map(|value| value.words(slot.entity.precision).to_lowercase());
            return;
        }
        let id = pending.report.id.clone();
        if slot.latencies_ms.len() == LATENCIES {
            slot.latencies_ms.remove(0);
        }
        slot.latencies_ms.push(now.since_ms(pending.report.sent_at).max(0));
        if pending.report.state == CommandState::Sent {
            // A device that does it has got it, whenever the broker's own word comes.
            pending.report.state = CommandState::Accepted;
            pending.report.after_ms = Some(now.since_ms(pending.report.sent_at));
            out.push(Change::Command(pending.report.clone()));
        }
        self.end_command(&id, CommandState::Confirmed, None, now, out);
    }

    /// The device says that it could not do what it was asked for.
    pub(super) fn complain(&mut self, idx: usize, complaint: &str, now: Timestamp, out: &mut Vec<Change>) {
        let pending = self.pending.iter().find(|(_, pending)| pending.idx == idx && pending.held.is_none());
        if let Some(id) = pending.map(|(id, _)| id.clone()) {
            self.end_command(&id, CommandState::Failed, Some(format!("the device reports: {complaint}")), now, out);
        }
    }

    /// A device answered the call that a command was.
    pub(super) fn reply(&mut self, ticket: u32, error: Option<String>, now: Timestamp, out: &mut Vec<Change>) {
        let Some((id, idx)) = self.pending.iter().find(|(_, pending)| pending.ticket == ticket).map(|(id, pending)| (id.clone(), pending.idx)) else {
            return;
        };
        match error {
            Some(error) => {
                self.end_command(&id, CommandState::Failed, Some(format!("the device reports: {}", clean_text(&error, 200))), now, out);
            }
            None => self.target_echoed(idx, now, out),
        }
    }

    pub(super) fn expire_commands(&mut self, now: Timestamp, out: &mut Vec<Change>) {
        let late: Vec<CommandId> = self.pending.iter().filter(|(_, pending)| now >= pending.deadline).map(|(id, _)| id.clone()).collect();
        for id in late {
            let Some(pending) = self.pending.get(&id) else { continue };
            let waited_s = (now.since_ms(pending.report.sent_at) + SECOND_MS / 2) / SECOND_MS;
            let reason = match &pending.disagreed {
                Some(words) => format!("after {waited_s} s the device reports {words}"),
                None => format!("no answer in {waited_s} s"),
            };
            self.end_command(&id, CommandState::Unconfirmed, Some(reason), now, out);
        }
    }

    pub(super) fn end_command(&mut self, id: &str, state: CommandState, reason: Option<String>, now: Timestamp, out: &mut Vec<Change>) {
        if let Some(Pending { mut report, .. }) = self.pending.remove(id) {
            report.state = state;
            report.reason = reason;
            report.after_ms = Some(now.since_ms(report.sent_at));
            out.push(Change::Command(report));
        }
    }
}

/// What an entity can do, before it is known whether its device is there.
pub(super) struct Asked {
    entity: EntityId,
    action: Action,
    is_on: Option<bool>,
}

impl Asked {
    /// The action, `toggle` being the opposite of what is reported.
    pub(super) fn resolved(self) -> Result<Action, Refusal> {
        match (self.action, self.is_on) {
            (Action::Toggle {}, Some(true)) => Ok(Action::TurnOff {}),
            (Action::Toggle {}, Some(false)) => Ok(Action::TurnOn { brightness: None, color_temp: None }),
            (Action::Toggle {}, None) => Err(Refusal::UnknownState(self.entity)),
            (action, _) => Ok(action),
        }
    }
}

/// A report before anything happened.
pub(super) const fn fresh(id: CommandId, entity: EntityId, action: Action, now: Timestamp) -> CommandReport {
    CommandReport { id, entity, action, state: CommandState::Refused, reason: None, sent_at: now, after_ms: None, usual_ms: None }
}

fn report(id: CommandId, entity: &EntityId, action: Action, now: Timestamp) -> CommandReport {
    fresh(id, entity.clone(), action, now)
}

pub(super) fn refused(id: CommandId, entity: &EntityId, action: &Action, refusal: &Refusal, now: Timestamp) -> CommandReport {
    CommandReport { reason: Some(refusal.to_string()), ..report(id, entity, action.clone(), now) }
}

/// How long to wait for an answer: four times the 95th percentile of the last ones.
fn wait_ms(latencies_ms: &[i64]) -> i64 {
    percentile(latencies_ms, 95).map_or(UNLEARNED_WAIT_MS, |p95| p95.saturating_mul(4).clamp(MIN_WAIT_MS, MAX_WAIT_MS))
}

/// How long an answer usually takes: half of the last ones took no longer.
fn usual_ms(latencies_ms: &[i64]) -> Option<i64> {
    percentile(latencies_ms, 50)
}

fn percentile(latencies_ms: &[i64], percent: usize) -> Option<i64> {
    let mut sorted = latencies_ms.to_vec();
    sorted.sort_unstable();
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied()
}
