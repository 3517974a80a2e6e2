//! Commands that wait for a device that sleeps: one an entity, sent with the device's next sign of life.

use crate::change::{Change, QueueChange};
use crate::command::{Action, CommandId, CommandReport, CommandState, QueuedCommand, Refusal};
use crate::device::{Availability, Device, DeviceId};
use crate::entity::EntityId;
use crate::live::Deliver;
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};

use super::Fleet;
use super::commands::{fresh, refused};

/// How long a command waits where nothing else is said, in seconds: a day.
pub const DEFAULT_EXPIRES_S: u64 = 24 * 3_600;
/// How long one may wait, in seconds: thirty days.
pub const MAX_EXPIRES_S: u64 = 30 * DEFAULT_EXPIRES_S;
/// Commands that may wait.
pub const MAX_QUEUED: usize = 1_000;

/// For how many seconds a command may wait for its device; `None` for one that is sent now or never.
///
/// # Errors
/// [`Refusal::Invalid`] names the field.
pub fn waits_s(deliver: Option<Deliver>, expires_s: Option<u64>) -> Result<Option<u64>, Refusal> {
    let invalid = |reason: String| Err(Refusal::Invalid { field: "expires_s".to_owned(), reason });
    match (deliver.unwrap_or_default(), expires_s) {
        (Deliver::AtOnce, None) => Ok(None),
        (Deliver::AtOnce, Some(_)) => invalid("needs deliver to be \"when_online\"".to_owned()),
        (Deliver::WhenOnline, Some(s)) if !(1..=MAX_EXPIRES_S).contains(&s) => {
            invalid(format!("cannot be {s}, it must be between 1 and {MAX_EXPIRES_S} (30 days)"))
        }
        (Deliver::WhenOnline, s) => Ok(Some(s.unwrap_or(DEFAULT_EXPIRES_S))),
    }
}

impl Fleet {
    /// Whether a command can wait for its device; the action with `toggle` resolved to the opposite of what is reported now.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn check_queued(&self, entity: &EntityId, action: &Action) -> Result<Action, Refusal> {
        let asked = self.check_action(entity, action)?;
        if self.queued.len() >= MAX_QUEUED && !self.queued.contains_key(entity) {
            return Err(Refusal::QueueFull);
        }
        asked.resolved()
    }

    /// The commands that wait, by entity, in the units that are shown.
    pub fn queued(&self) -> impl Iterator<Item = QueuedCommand> {
        self.queued.values().map(|queued| QueuedCommand { report: self.shown_report(&queued.report), expires_at: queued.expires_at })
    }

    /// What waits for an entity is told of again, in the unit that is shown now.
    pub(super) fn tell_queued_anew(&self, entity: &EntityId, out: &mut Vec<Change>) {
        if let Some(queued) = self.queued.get(entity) {
            out.push(Change::Command(self.shown_report(&queued.report)));
        }
    }

    /// What waits is kept in the unit that the device speaks in: another one may be shown by the time that it goes out.
    fn shown_report(&self, report: &CommandReport) -> CommandReport {
        CommandReport { action: self.shown_action(&report.entity, &report.action), ..report.clone() }
    }

    /// Takes up what an earlier run left waiting.
    pub fn restore_queue(&mut self, queued: Vec<QueuedCommand>) {
        self.queued.extend(queued.into_iter().map(|queued| (queued.report.entity.clone(), queued)));
    }

    pub(super) fn device_of(&self, entity: &EntityId) -> Option<&Device> {
        let slot = self.by_id.get(entity).and_then(|&idx| self.slots.get(idx))?;
        self.devices.get(&slot.entity.device)
    }

    /// Sends a command at once when its device says that it is there, and else lets it wait.
    pub(super) fn queue_command(
        &mut self,
        id: CommandId,
        entity: &EntityId,
        action: &Action,
        expires_at: Timestamp,
        now: Timestamp,
        out: &mut Vec<Change>,
    ) {
        let is_there = self.device_of(entity).is_some_and(|device| device.availability == Availability::Online) && self.is_reached(entity);
        if is_there {
            return self.command(id, entity, action, now, out);
        }
        match self.check_queued(entity, action) {
            Ok(action) => {
                self.supersede_queued(entity, now, out);
                let report = CommandReport { state: CommandState::Queued, ..fresh(id, entity.clone(), action, now) };
                let native = self.native_action(entity, &report.action);
                let queued = QueuedCommand { report: CommandReport { action: native, ..report.clone() }, expires_at };
                out.push(Change::Command(report));
                out.push(Change::Queue(QueueChange::Put(queued.clone())));
                self.queued.insert(entity.clone(), queued);
            }
            Err(refusal) => out.push(Change::Command(refused(id, entity, action, &refusal, now))),
        }
    }

    /// A newer command takes the place of one that waits.
    pub(super) fn supersede_queued(&mut self, entity: &EntityId, now: Timestamp, out: &mut Vec<Change>) {
        self.end_queued(entity, CommandState::Unconfirmed, "superseded by a newer command", now, out);
    }

    /// Somebody does not want it any more.
    pub(super) fn cancel_command(&mut self, id: &str, who: &str, now: Timestamp, out: &mut Vec<Change>) {
        let entity = self.queued.iter().find(|(_, queued)| queued.report.id == id).map(|(entity, _)| entity.clone());
        if let Some(entity) = entity {
            self.end_queued(&entity, CommandState::Refused, &format!("cancelled by {who}"), now, out);
        }
    }

    /// A device gave a sign of life: what waits for it goes out.
    pub(super) fn wake(&mut self, device: &DeviceId, now: Timestamp, out: &mut Vec<Change>) {
        if self.queued.is_empty() {
            return;
        }
        let waiting: Vec<EntityId> = self
            .queued
            .iter()
            .filter(|(entity, queued)| {
                self.device_of(entity).is_some_and(|of| of.id == *device) && queued.expires_at > now && self.is_reached(entity)
            })
            .map(|(entity, _)| entity.clone())
            .collect();
        for entity in waiting {
            if let Some(QueuedCommand { report, .. }) = self.queued.remove(&entity) {
                out.push(Change::Queue(QueueChange::Gone(report.id.clone())));
                let report = self.shown_report(&report);
                match self.check_action(&entity, &report.action) {
                    Ok(_) => self.start(report.id, &entity, report.action, now, out),
                    // What the entity can do may have been written otherwise since.
                    Err(refusal) => out.push(Change::Command(refused(report.id, &entity, &report.action, &refusal, now))),
                }
            }
        }
    }

    pub(super) fn expire_queued(&mut self, now: Timestamp, out: &mut Vec<Change>) {
        let late: Vec<EntityId> = self.queued.iter().filter(|(_, queued)| now >= queued.expires_at).map(|(entity, _)| entity.clone()).collect();
        for entity in late {
            let waited = self.queued.get(&entity).map_or(0, |queued| queued.expires_at.since_ms(queued.report.sent_at));
            let reason = format!("the device gave no sign of life in {}", span_words(waited));
            self.end_queued(&entity, CommandState::Unconfirmed, &reason, now, out);
        }
    }

    fn end_queued(&mut self, entity: &EntityId, state: CommandState, reason: &str, now: Timestamp, out: &mut Vec<Change>) {
        if let Some(QueuedCommand { report, .. }) = self.queued.remove(entity) {
            out.push(Change::Queue(QueueChange::Gone(report.id.clone())));
            let report = self.shown_report(&report);
            let after_ms = Some(now.since_ms(report.sent_at));
            out.push(Change::Command(CommandReport { state, reason: Some(reason.to_owned()), after_ms, ..report }));
        }
    }
}

/// `90 s`, `5 min`, `3 h`, `2 d`: the largest unit of which it is more than one.
fn span_words(ms: i64) -> String {
    let units = [(DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "min")];
    let (unit, word) = units.into_iter().find(|(unit, _)| ms > *unit).unwrap_or((SECOND_MS, "s"));
    format!("{} {word}", (ms + unit / 2) / unit)
}
