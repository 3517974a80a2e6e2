//! Groups in the fleet: entities that are worked out from others, and commands that go to each member.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::change::Change;
use crate::command::{Action, CommandId, CommandReport, CommandState, Refusal};
use crate::device::DeviceId;
use crate::entity::{EntityId, EntityKind};
use crate::group::{BadPlan, GROUP_DEVICE, Group, MAX_GROUPS};
use crate::live::{EntityChange, EntityView};
use crate::time::Timestamp;
use crate::value::Value;

use super::Fleet;

/// Members that a reason names; the others are counted.
const MOST_NAMED: usize = 5;

/// All groups, with what was told of them last.
#[derive(Debug, Default)]
pub(super) struct Groups {
    of: BTreeMap<EntityId, Known>,
    /// Which groups an entity belongs to.
    by_member: HashMap<EntityId, Vec<EntityId>>,
    /// Commands to groups on their way.
    pub(super) pending: HashMap<CommandId, Pending>,
    /// The group's command that a member's belongs to.
    pub(super) parts: HashMap<CommandId, CommandId>,
}

#[derive(Debug)]
struct Known {
    group: Group,
    view: EntityView,
}

/// A command to a group whose end is not known.
#[derive(Debug)]
pub(super) struct Pending {
    report: CommandReport,
    /// Commands to members that have not ended.
    open: HashSet<CommandId>,
    /// Members that were asked and not yet by their brokers' word.
    unacknowledged: HashSet<CommandId>,
    /// How the others ended that did not do it.
    missed: Vec<(EntityId, CommandState, String)>,
    /// Some member's own state agreed.
    is_confirmed: bool,
}

impl Groups {
    fn index(&mut self) {
        self.by_member.clear();
        for (id, known) in &self.of {
            for member in &known.group.members {
                self.by_member.entry(member.clone()).or_default().push(id.clone());
            }
        }
    }
}

impl Fleet {
    /// Takes up the groups that an earlier run stored, once the entities are known. Returns those that cannot be: another entity has their id.
    pub fn restore_groups(&mut self, groups: Vec<Group>) -> Vec<Group> {
        let mut refused = vec![];
        for group in groups {
            if self.check_group_fits(&group).is_ok() {
                self.put_group(group, &mut vec![]);
            } else {
                refused.push(group);
            }
        }
        refused
    }

    /// Whether a group can be there: its id is free, there is room, and its members can be switched.
    ///
    /// # Errors
    /// [`BadPlan`] names the field.
    pub fn check_group(&self, group: &Group) -> Result<(), BadPlan> {
        self.check_group_fits(group)?;
        for (n, member) in group.members.iter().enumerate() {
            let bad = |reason: String| Err(BadPlan::new(format!("members[{n}]"), reason));
            if self.is_group(member) {
                return bad(format!("{member} is a group itself"));
            }
            match self.entity(member) {
                None => return bad(format!("unknown entity \"{member}\"")),
                Some(view) if !view.kind.is_switchable() || !view.settable => return bad(format!("{member} is neither a light nor a switch")),
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn check_group_fits(&self, group: &Group) -> Result<(), BadPlan> {
        let Some(id) = group.entity() else { return Err(BadPlan::new("id", format!("\"{}\" is no id", group.id))) };
        if self.by_id.contains_key(&id) {
            return Err(BadPlan::new("id", format!("a device has the entity {id} already")));
        }
        if !self.groups.of.contains_key(&id) && self.groups.of.len() >= MAX_GROUPS {
            return Err(BadPlan::new("id", format!("there are {MAX_GROUPS} groups, and no room for another")));
        }
        Ok(())
    }

    /// Whether an entity is a group.
    #[must_use]
    pub fn is_group(&self, id: &EntityId) -> bool {
        id.device() == GROUP_DEVICE && self.groups.of.contains_key(id)
    }

    /// All groups, by id.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.of.values().map(|known| &known.group)
    }

    /// The groups as entities.
    pub(super) fn group_views(&self) -> impl Iterator<Item = &EntityView> {
        self.groups.of.values().map(|known| &known.view)
    }

    pub(super) fn group_view(&self, id: &EntityId) -> Option<&EntityView> {
        self.groups.of.get(id).map(|known| &known.view)
    }

    /// The command on its way to a group.
    pub(super) fn pending_of_group(&self, id: &EntityId) -> Option<&CommandReport> {
        self.groups.pending.values().map(|pending| &pending.report).find(|report| report.entity == *id)
    }

    /// Adds a group or changes it. One that does not fit is left out: whoever asks looked before.
    pub(super) fn put_group(&mut self, group: Group, out: &mut Vec<Change>) {
        let Some(id) = group.entity() else { return };
        if self.check_group_fits(&group).is_err() {
            return;
        }
        let view = self.work_out(&group, id.clone());
        out.push(Change::Group(Box::new(view.clone())));
        self.groups.of.insert(id, Known { group, view });
        self.groups.index();
    }

    /// Takes a group away. What is on its way to its members goes on.
    pub(super) fn remove_group(&mut self, id: &str, out: &mut Vec<Change>) {
        let Ok(id) = EntityId::parse(&format!("{GROUP_DEVICE}.{id}")) else { return };
        if self.groups.of.remove(&id).is_some() {
            out.push(Change::Gone(id));
            self.groups.index();
        }
    }

    fn work_out(&self, group: &Group, id: EntityId) -> EntityView {
        let members: Vec<Option<EntityView>> = group.members.iter().map(|member| self.entity(member)).collect();
        group.view(id, DeviceId::slug(GROUP_DEVICE), &members)
    }

    /// Tells of the groups whose members changed among `out[from..]`, and follows the commands to them.
    pub(super) fn follow_groups(&mut self, from: usize, now: Timestamp, out: &mut Vec<Change>) {
        if self.groups.of.is_empty() && self.groups.parts.is_empty() {
            return;
        }
        let (mut touched, mut reports) = (vec![], vec![]);
        for change in out.get(from..).unwrap_or_default() {
            match change {
                Change::Shown(EntityChange { e, .. }) => touched.extend(self.groups.by_member.get(e).into_iter().flatten().cloned()),
                Change::Entity(entity, _) => touched.extend(self.groups.by_member.get(&entity.id).into_iter().flatten().cloned()),
                Change::Command(report) if self.groups.parts.contains_key(&report.id) => reports.push(report.clone()),
                _ => {}
            }
        }
        touched.sort_unstable();
        touched.dedup();
        for id in touched {
            self.tell_group(&id, out);
        }
        for report in reports {
            self.follow_part(report, now, out);
        }
    }

    fn tell_group(&mut self, id: &EntityId, out: &mut Vec<Change>) {
        let Some(known) = self.groups.of.get(id) else { return };
        let view = self.work_out(&known.group, id.clone());
        let Some(known) = self.groups.of.get_mut(id) else { return };
        let before = std::mem::replace(&mut known.view, view.clone());
        let EntityView { v, t, q, since, offline_since, .. } = before.clone();
        if before == view {
            return;
        }
        let is_more = before != EntityView { v, t, q, since, offline_since, ..view.clone() };
        out.push(if is_more {
            Change::Group(Box::new(view))
        } else {
            Change::Shown(EntityChange { e: view.id, v: view.v, t: view.t, q: view.q, since: view.since, entity: None })
        });
    }
}

/// Commands.
impl Fleet {
    /// As [`Fleet::check`], for a group: it can be asked when one of its members can.
    pub(super) fn check_group_action(&self, id: &EntityId, action: &Action) -> Result<Action, Refusal> {
        let Some(known) = self.groups.of.get(id) else { return Err(Refusal::UnknownEntity(id.to_string())) };
        if let Action::TurnOn { brightness, color_temp } = action
            && known.view.kind != EntityKind::Light
            && (brightness.is_some() || color_temp.is_some())
        {
            return Err(Refusal::Unsupported { entity: id.clone(), action: action.as_str() });
        }
        let resolved = match (action, known.view.v.as_ref().and_then(Value::is_on)) {
            (Action::Toggle {}, Some(true)) => Action::TurnOff {},
            (Action::Toggle {}, Some(false)) => Action::TurnOn { brightness: None, color_temp: None },
            (Action::Toggle {}, None) => return Err(Refusal::UnknownState(id.clone())),
            (action, _) => action.clone(),
        };
        let mut refusal = None;
        for member in &known.group.members {
            match self.check(member, &resolved) {
                Ok(_) => return Ok(resolved),
                Err(why) => refusal = refusal.or(Some(why)),
            }
        }
        Err(refusal.unwrap_or_else(|| Refusal::UnknownEntity(id.to_string())))
    }

    /// Asks every member, each with a command of its own.
    pub(super) fn command_group(&mut self, id: CommandId, entity: &EntityId, action: &Action, now: Timestamp, out: &mut Vec<Change>) {
        let mut report = CommandReport {
            id: id.clone(),
            entity: entity.clone(),
            action: action.clone(),
            state: CommandState::Refused,
            reason: None,
            sent_at: now,
            after_ms: None,
            usual_ms: None,
        };
        match self.check_group_action(entity, action) {
            Ok(resolved) => report.action = resolved,
            Err(refusal) => {
                report.reason = Some(refusal.to_string());
                out.push(Change::Command(report));
                return;
            }
        }
        report.state = CommandState::Sent;
        out.push(Change::Command(report.clone()));
        let members = self.groups.of.get(entity).map(|known| known.group.members.clone()).unwrap_or_default();
        let parts: Vec<CommandId> = (0..members.len()).map(|n| format!("{id}-{n}")).collect();
        self.groups.parts.extend(parts.iter().map(|part| (part.clone(), id.clone())));
        let all: HashSet<CommandId> = parts.iter().cloned().collect();
        let action = report.action.clone();
        self.groups.pending.insert(id, Pending { report, open: all.clone(), unacknowledged: all, missed: vec![], is_confirmed: false });
        for (part, member) in parts.into_iter().zip(&members) {
            let from = out.len();
            self.command(part.clone(), member, &action, now, out);
            let is_told = out.iter().skip(from).any(|change| matches!(change, Change::Command(report) if report.id == part));
            if !is_told {
                // Whatever a member has no words for: the whole must come to an end.
                let reason = Refusal::Unsupported { entity: member.clone(), action: action.as_str() }.to_string();
                let (entity, action, state) = (member.clone(), action.clone(), CommandState::Refused);
                out.push(Change::Command(CommandReport {
                    id: part,
                    entity,
                    action,
                    state,
                    reason: Some(reason),
                    sent_at: now,
                    after_ms: None,
                    usual_ms: None,
                }));
            }
        }
    }

    /// A command to a member came further.
    fn follow_part(&mut self, part: CommandReport, now: Timestamp, out: &mut Vec<Change>) {
        let is_assumed = self.entity(&part.entity).is_some_and(|view| view.assumed);
        let Some(whole) = self.groups.parts.get(&part.id).cloned() else { return };
        let Some(pending) = self.groups.pending.get_mut(&whole) else {
            self.groups.parts.remove(&part.id);
            return;
        };
        if part.state == CommandState::Sent {
            return;
        }
        let was_waiting = !pending.unacknowledged.is_empty();
        pending.unacknowledged.remove(&part.id);
        if part.state.is_final() || (is_assumed && part.state == CommandState::Accepted) {
            pending.open.remove(&part.id);
            self.groups.parts.remove(&part.id);
            match part.state {
                CommandState::Confirmed => pending.is_confirmed = true,
                CommandState::Accepted => {}
                state => pending.missed.push((part.entity, state, part.reason.unwrap_or_default())),
            }
        }
        let is_over = pending.open.is_empty();
        if !is_over && was_waiting && pending.unacknowledged.is_empty() {
            pending.report.state = CommandState::Accepted;
        } else if !is_over {
            return;
        } else if pending.missed.is_empty() {
            // Where no member reports a state there is nobody to confirm anything.
            pending.report.state = if pending.is_confirmed { CommandState::Confirmed } else { CommandState::Accepted };
        } else {
            let is_failed = pending.missed.iter().any(|(_, state, _)| *state != CommandState::Unconfirmed);
            pending.report.state = if is_failed { CommandState::Failed } else { CommandState::Unconfirmed };
            pending.report.reason = Some(reason(&pending.missed));
        }
        pending.report.after_ms = Some(now.since_ms(pending.report.sent_at));
        out.push(Change::Command(pending.report.clone()));
        if is_over {
            self.groups.pending.remove(&whole);
        }
    }
}

/// `hall.light: hall.light is offline; stairs.light: no answer in 10 s`.
fn reason(missed: &[(EntityId, CommandState, String)]) -> String {
    let mut named: Vec<String> = missed.iter().take(MOST_NAMED).map(|(member, _, why)| format!("{member}: {why}")).collect();
    if missed.len() > MOST_NAMED {
        named.push(format!("and {} more", missed.len() - MOST_NAMED));
    }
    named.join("; ")
}
