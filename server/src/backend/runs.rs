//! Running scenes and schedules: all commands at once, and what becomes of each.

use std::time::Duration;

use app::backend::{Backend as _, BackendError, Caller, Role};
use domain::command::{CommandReport, CommandState};
use domain::scene::{Run, RunMember, SceneCommand};
use domain::schedule::{Schedule, Target};
use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};

use super::plans::{PlanError, not_found};
use super::{LiveBackend, actor, new_id, require};
use crate::clock::now;
use crate::hub::Event;
use crate::noted;
use crate::schedules::Due;
use crate::store::activity::Activity;
use crate::store::plan::PlanKind;

/// Runs at once: each follows its commands to their end.
const MAX_RUNNING: usize = 50;
/// Every command ends within 25 s; past this a run stops waiting for word of one.
const GIVE_UP: Duration = Duration::from_secs(40);

/// What a run is of.
#[derive(Clone, Debug, Default)]
struct Of {
    scene: Option<String>,
    schedule: Option<String>,
}

impl LiveBackend {
    /// Runs a scene: the run, with its commands on their way.
    ///
    /// # Errors
    /// [`PlanError::Refused`] where there is none, for those who may not, and while too much is running.
    pub fn run_scene(&self, caller: &Caller, id: &str) -> Result<Run, PlanError> {
        require(caller, Role::Operator)?;
        let commands = self.plans.scenes().get(id).map(|known| known.scene.commands.clone()).ok_or_else(|| not_found(PlanKind::Scene, id))?;
        self.begin(caller, Of { scene: Some(id.to_owned()), schedule: None }, commands)
    }

    /// Runs a schedule now, whatever its time; its next run stays where it is.
    ///
    /// # Errors
    /// As [`LiveBackend::run_scene`].
    pub fn run_schedule(&self, caller: &Caller, id: &str) -> Result<Run, PlanError> {
        require(caller, Role::Operator)?;
        let schedule = self.plans.schedules().get(id).map(|known| known.schedule.clone()).ok_or_else(|| not_found(PlanKind::Schedule, id))?;
        let of = Of { scene: None, schedule: Some(id.to_owned()) };
        match schedule.run {
            Target::Command(command) => self.begin(caller, of, vec![command]),
            Target::Scene { scene } => {
                let known = self.plans.scenes().get(&scene).map(|known| known.scene.commands.clone());
                let commands = known.ok_or_else(|| not_found(PlanKind::Scene, &scene))?;
                self.begin(caller, Of { scene: Some(scene), ..of }, commands)
            }
        }
    }

    /// Does what is due of a schedule, and tells what was missed.
    pub async fn deal_with(&self, schedule: &Schedule, due: Due) {
        {
            let mut schedules = self.plans.schedules_mut();
            // Changed or taken away meanwhile: what was due of the one before is not due any more.
            let Some(known) = schedules.get_mut(&schedule.id).filter(|known| known.schedule == *schedule) else { return };
            known.standing.done_until = due.done_until;
            if due.missed.is_some() {
                known.standing.missed.clone_from(&due.missed);
            }
        }
        // Before it runs: a crash in between must not make it run twice.
        self.save_standing(PlanKind::Schedule, &schedule.id).await;
        let caller = Caller { name: format!("schedule {}", schedule.id), role: Role::Operator, address: None };
        if let Some(missed) = due.missed {
            tracing::warn!(schedule.id = %schedule.id, count = missed.count, "Runs of a schedule were missed");
            let detail = json!({"schedule": schedule.id, "count": missed.count, "first": missed.first, "last": missed.last});
            self.log_run(&caller, "schedule.missed", "missed", now(), detail).await;
        }
        if due.run.is_some()
            && let Err(error) = self.run_schedule(&caller, &schedule.id)
        {
            tracing::warn!(schedule.id = %schedule.id, %error, "A schedule could not be run");
            self.log_run(&caller, "schedule.run", "failed", now(), json!({"schedule": schedule.id, "reason": error.to_string()})).await;
        }
    }

    fn begin(&self, caller: &Caller, of: Of, commands: Vec<SceneCommand>) -> Result<Run, PlanError> {
        if self.plans.n_running() >= MAX_RUNNING {
            return Err(PlanError::Conflict(format!("{MAX_RUNNING} runs are on their way; try again when some have ended")));
        }
        // They are kept in the units of the devices, and asked for in those that are shown.
        let commands: Vec<SceneCommand> = {
            let state = self.state();
            commands.into_iter().map(|command| super::plans::shown_command(command, &state.fleet)).collect()
        };
        let member = |SceneCommand { entity, action }: SceneCommand| RunMember {
            assumed: self.state().fleet.entity(&entity).is_some_and(|view| view.assumed),
            entity,
            action,
            command: None,
            state: CommandState::Sent,
            reason: None,
            after_ms: None,
        };
        let run = Run {
            id: new_id(),
            scene: of.scene,
            schedule: of.schedule,
            who: caller.name.clone(),
            t: now(),
            state: CommandState::Sent,
            ended: None,
            members: commands.into_iter().map(member).collect(),
        };
        self.plans.note(&run);
        let (backend, caller, begun) = (self.clone(), caller.clone(), run.clone());
        // Whoever asked may go away: what was begun is brought to its end.
        self.plans.tasks.spawn(async move { backend.carry_out(&caller, begun).await });
        Ok(run)
    }

    async fn carry_out(&self, caller: &Caller, mut run: Run) {
        let mut events = self.plans.hub.events();
        let give_up = Instant::now() + GIVE_UP;
        let asked = run.members.iter().map(|member| self.send_command(caller, &member.entity, member.action.clone()));
        let answers = join_all(asked).await;
        for (member, answer) in run.members.iter_mut().zip(answers) {
            match answer {
                Ok(report) => {
                    member.command = Some(report.id.clone());
                    take(member, &report);
                }
                Err(refusal) => (member.state, member.reason) = (CommandState::Refused, Some(refusal.to_string())),
            }
        }
        self.plans.note(&run);
        while !run.is_over() {
            let event = tokio::select! {
                event = timeout_at(give_up, events.recv()) => event,
                () = self.plans.tasks.stopping() => break,
            };
            match event {
                Ok(Ok(Event::Command(report))) => {
                    if let Some(member) = run.members.iter_mut().find(|member| member.command.as_ref() == Some(&report.id)) {
                        take(member, &report);
                        self.plans.note(&run);
                    }
                }
                Ok(Ok(_)) => {}
                // More happened than is held for one who is busy: the state knows how the last commands stand.
                Ok(Err(RecvError::Lagged(_))) => {
                    for member in &mut run.members {
                        if let Some(report) = member.command.as_ref().and_then(|id| self.command(id)) {
                            take(member, &report);
                        }
                    }
                    self.plans.note(&run);
                }
                Ok(Err(RecvError::Closed)) | Err(_) => break,
            }
        }
        run.ended = Some(now());
        run.state = run.outcome();
        self.plans.note(&run);
        self.close(caller, &run).await;
    }

    /// Writes down what came of a run.
    async fn close(&self, caller: &Caller, run: &Run) {
        let mut detail = json!({"run": run.id, "members": run.members});
        for (key, id) in [("scene", &run.scene), ("schedule", &run.schedule)] {
            if let Some(id) = id {
                detail[key] = json!(id);
            }
        }
        let what = if run.scene.is_some() { "scene.run" } else { "schedule.run" };
        self.log_run(caller, what, run.state.as_str(), run.t, detail).await;
        if let Some(id) = &run.scene {
            self.save_standing(PlanKind::Scene, id).await;
        }
        if let Some(id) = &run.schedule {
            self.save_standing(PlanKind::Schedule, id).await;
        }
    }

    async fn log_run(&self, caller: &Caller, what: &str, outcome: &str, at: domain::time::Timestamp, detail: serde_json::Value) {
        let entry = Activity { outcome: outcome.to_owned(), ..noted::entry(what, actor(caller), detail, at) };
        if let Err(error) = self.store.note(&entry).await {
            tracing::error!(%error, who = caller.name, what, outcome, "What was done could not be written into the log");
        }
    }

    /// A run of a scene or schedule: one of the last, or the last that is stored.
    ///
    /// # Errors
    /// [`BackendError::NotFound`] where there is none.
    pub fn run(&self, caller: &Caller, kind: PlanKind, of: &str, id: &str) -> Result<Run, BackendError> {
        require(caller, Role::Viewer)?;
        let is_of = |run: &Run| match kind {
            PlanKind::Group => false,
            PlanKind::Scene => run.scene.as_deref() == Some(of),
            PlanKind::Schedule => run.schedule.as_deref() == Some(of),
        };
        let stored = || match kind {
            PlanKind::Group => None,
            PlanKind::Scene => self.plans.scenes().get(of).and_then(|known| known.last.clone()),
            PlanKind::Schedule => self.plans.schedules().get(of).and_then(|known| known.standing.last.clone()),
        };
        let found = self.plans.run(id).or_else(|| stored().filter(|run| run.id == id)).filter(is_of);
        found.ok_or_else(|| BackendError::NotFound(format!("run \"{}\"", domain::device::clean_text(id, 80))))
    }
}

/// Takes what a report says, unless the member has ended.
fn take(member: &mut RunMember, report: &CommandReport) {
    if !member.is_over() {
        member.action = report.action.clone();
        (member.state, member.after_ms) = (report.state, report.after_ms);
        member.reason.clone_from(&report.reason);
    }
}
