//! Commands: from the request to what the device says.

use crate::change::{Change, Publish};
use crate::command::{Action, CommandId, CommandReport, CommandState, Refusal};
use crate::convention::plain;
use crate::device::Availability;
use crate::entity::{EntityId, EntityKind};
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
/// Answers remembered for learning the wait.
const LATENCIES: usize = 20;

/// A command whose end is not known.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) report: CommandReport,
    idx: usize,
    deadline: Timestamp,
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
        let slot = self.by_id.get(entity).and_then(|&idx| self.slots.get(idx)).ok_or_else(|| Refusal::UnknownEntity(entity.to_string()))?;
        let unsupported = || Refusal::Unsupported { entity: entity.clone(), action: action.as_str() };
        if slot.entity.command_topic.is_none() || !slot.entity.kind.is_switchable() {
            return Err(unsupported());
        }
        if let Action::TurnOn { brightness, color_temp } = action {
            if slot.entity.kind != EntityKind::Light && (brightness.is_some() || color_temp.is_some()) {
                return Err(unsupported());
            }
            if brightness.is_some_and(|b| b > 100) {
                return Err(Refusal::OutOfRange { field: "brightness", min: 0, max: 100 });
            }
            if color_temp.is_some_and(|k| !(1_000..=20_000).contains(&k)) {
                return Err(Refusal::OutOfRange { field: "color_temp", min: 1_000, max: 20_000 });
            }
        }
        let device = self.devices.get(&slot.entity.device);
        if device.is_some_and(|device| device.availability == Availability::Offline) {
            return Err(Refusal::DeviceOffline(entity.clone()));
        }
        if !device.is_some_and(|device| self.links.get(device.link.as_str()).is_some_and(|link| link.state == LinkState::Up)) {
            return Err(Refusal::LinkDown);
        }
        match (action, slot.value.as_ref().and_then(Value::is_on)) {
            (Action::Toggle {}, Some(true)) => Ok(Action::TurnOff {}),
            (Action::Toggle {}, Some(false)) => Ok(Action::TurnOn { brightness: None, color_temp: None }),
            (Action::Toggle {}, None) => Err(Refusal::UnknownState(entity.clone())),
            (action, _) => Ok(action.clone()),
        }
    }

    pub(super) fn command(&mut self, id: CommandId, entity: &EntityId, action: &Action, now: Timestamp, out: &mut Vec<Change>) {
        let mut report = CommandReport {
            id: id.clone(),
            entity: entity.clone(),
            action: action.clone(),
            state: CommandState::Refused,
            reason: None,
            sent_at: now,
            after_ms: None,
        };
        match self.check(entity, action) {
            Ok(resolved) => report.action = resolved,
            Err(refusal) => {
                report.reason = Some(refusal.to_string());
                out.push(Change::Command(report));
                return;
            }
        }
        let Some(&idx) = self.by_id.get(entity) else { return };
        let Some(slot) = self.slots.get(idx) else { return };
        let (Some(topic), Some(payload)) = (slot.entity.command_topic.clone(), plain::encode(&report.action)) else { return };
        let link = self.devices.get(&slot.entity.device).map(|device| device.link.as_str().into()).unwrap_or_default();
        let deadline = now.plus_ms(wait_ms(&slot.latencies_ms));
        // A newer command takes the place of one that is still on its way: two would confirm or spoil each other.
        let older: Vec<CommandId> = self.pending.iter().filter(|(_, pending)| pending.idx == idx).map(|(id, _)| id.clone()).collect();
        for older in older {
            self.end_command(&older, CommandState::Unconfirmed, Some("superseded by a newer command".to_owned()), now, out);
        }
        report.state = CommandState::Sent;
        out.push(Change::Command(report.clone()));
        out.push(Change::Publish(Publish { command: id.clone(), link, topic, payload }));
        self.pending.insert(id, Pending { report, idx, deadline });
    }

    pub(super) fn command_accepted(&mut self, id: &str, now: Timestamp, out: &mut Vec<Change>) {
        let Some(pending) = self.pending.get_mut(id) else { return };
        pending.report.state = CommandState::Accepted;
        pending.report.after_ms = Some(now.since_ms(pending.report.sent_at));
        let (idx, report) = (pending.idx, pending.report.clone());
        out.push(Change::Command(report.clone()));
        let Some(slot) = self.slots.get_mut(idx) else { return };
        if slot.entity.assumed {
            // Nothing more will be heard: what was asked is what is assumed.
            self.pending.remove(id);
            if let Some(value) = plain::expected(slot.entity.kind, &report.action, slot.value.as_ref()) {
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
        let Some(slot) = self.slots.get(idx) else { return };
        let agreed = self.pending.iter().find(|(_, pending)| {
            pending.idx == idx && !slot.entity.assumed && slot.value.as_ref().is_some_and(|value| plain::agrees(&pending.report.action, value))
        });
        let Some((id, sent_at)) = agreed.map(|(id, pending)| (id.clone(), pending.report.sent_at)) else { return };
        if let Some(slot) = self.slots.get_mut(idx) {
            if slot.latencies_ms.len() == LATENCIES {
                slot.latencies_ms.remove(0);
            }
            slot.latencies_ms.push(now.since_ms(sent_at).max(0));
        }
        self.end_command(&id, CommandState::Confirmed, None, now, out);
    }

    pub(super) fn expire_commands(&mut self, now: Timestamp, out: &mut Vec<Change>) {
        let late: Vec<CommandId> = self.pending.iter().filter(|(_, pending)| now >= pending.deadline).map(|(id, _)| id.clone()).collect();
        for id in late {
            let waited = self.pending.get(&id).map_or(0, |pending| now.since_ms(pending.report.sent_at));
            let reason = format!("no answer in {} s", (waited + SECOND_MS / 2) / SECOND_MS);
            self.end_command(&id, CommandState::Unconfirmed, Some(reason), now, out);
        }
    }

    fn end_command(&mut self, id: &str, state: CommandState, reason: Option<String>, now: Timestamp, out: &mut Vec<Change>) {
        if let Some(Pending { mut report, .. }) = self.pending.remove(id) {
            report.state = state;
            report.reason = reason;
            report.after_ms = Some(now.since_ms(report.sent_at));
            out.push(Change::Command(report));
        }
    }
}

/// How long to wait for an answer: four times the 95th percentile of the last ones.
fn wait_ms(latencies_ms: &[i64]) -> i64 {
    let mut sorted = latencies_ms.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * 95).div_ceil(100).saturating_sub(1);
    sorted.get(at).map_or(UNLEARNED_WAIT_MS, |p95| p95.saturating_mul(4).clamp(MIN_WAIT_MS, MAX_WAIT_MS))
}
