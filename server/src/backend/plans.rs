//! Groups, scenes and schedules: who may change them, what was changed, and where it is kept.

use app::backend::{BackendError, Caller, Role};
use domain::command::Action;
use domain::device::{Device, DeviceId, clean_text};
use domain::entity::EntityId;
use domain::fleet::Fleet;
use domain::group::{BadPlan, GROUP_DEVICE, Group};
use domain::live::EntityView;
use domain::scene::{MAX_SCENES, Scene, SceneCommand};
use domain::schedule::{MAX_SCHEDULES, Schedule, Target};
use domain::time::Timestamp;
use serde::Serialize;
use serde_json::{Value as Json, json};
use tokio::sync::oneshot;
use utoipa::ToSchema;

use super::{LiveBackend, amend, require};
use crate::clock::now;
use crate::ingest::Request;
use crate::plans::{KnownScene, KnownSchedule, Plans, Standing};
use crate::schedules::{self, Next};
use crate::store::StoreError;
use crate::store::plan::{PlanChange, PlanKind};

/// Why a group, scene or schedule was not changed or run.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A field is wrong.
    #[error(transparent)]
    Bad(#[from] BadPlan),
    /// The caller may not, there is none, or the server could not.
    #[error(transparent)]
    Refused(#[from] BackendError),
    /// Something else is in the way, in words.
    #[error("{0}")]
    Conflict(String),
}

/// What somebody wants to be there.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// A group.
    Group(Group),
    /// A scene.
    Scene(Scene),
    /// A schedule.
    Schedule(Schedule),
}

impl Plan {
    /// Which of them.
    #[must_use]
    pub const fn kind(&self) -> PlanKind {
        match self {
            Self::Group(_) => PlanKind::Group,
            Self::Scene(_) => PlanKind::Scene,
            Self::Schedule(_) => PlanKind::Schedule,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Group(group) => &group.id,
            Self::Scene(scene) => &scene.id,
            Self::Schedule(schedule) => &schedule.id,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Group(group) => &group.name,
            Self::Scene(scene) => &scene.name,
            Self::Schedule(schedule) => &schedule.name,
        }
    }

    fn to_json(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Group(group) => serde_json::to_string(group),
            Self::Scene(scene) => serde_json::to_string(scene),
            Self::Schedule(schedule) => serde_json::to_string(schedule),
        }
    }
}

/// What is asked, in other units.
type Turn = fn(&Fleet, &EntityId, &Action) -> Action;

fn turned(command: SceneCommand, fleet: &Fleet, turn: Turn) -> SceneCommand {
    SceneCommand { action: turn(fleet, &command.entity, &command.action), ..command }
}

/// Commands of scenes and schedules are kept in the units that devices speak in, so that they mean the same whatever is shown; here in those that are
/// shown.
pub(super) fn shown_command(command: SceneCommand, fleet: &Fleet) -> SceneCommand {
    turned(command, fleet, Fleet::shown_action)
}

pub(super) fn shown_scene(scene: Scene, fleet: &Fleet) -> Scene {
    Scene { commands: scene.commands.into_iter().map(|command| shown_command(command, fleet)).collect(), ..scene }
}

pub(super) fn shown_schedule(schedule: Schedule, fleet: &Fleet) -> Schedule {
    match schedule.run {
        Target::Command(command) => Schedule { run: Target::Command(shown_command(command, fleet)), ..schedule },
        Target::Scene { .. } => schedule,
    }
}

/// A plan as it is kept.
fn native_plan(plan: Plan, fleet: &Fleet) -> Plan {
    let native = |command: SceneCommand| turned(command, fleet, Fleet::native_action);
    match plan {
        Plan::Scene(scene) => Plan::Scene(Scene { commands: scene.commands.into_iter().map(native).collect(), ..scene }),
        Plan::Schedule(Schedule { run: Target::Command(command), id, name, enabled, when }) => {
            Plan::Schedule(Schedule { run: Target::Command(native(command)), id, name, enabled, when })
        }
        plan => plan,
    }
}

/// A group with what it shows.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShownGroup {
    /// The group.
    #[serde(flatten)]
    pub group: Group,
    /// The entity that it is.
    pub entity: Option<EntityView>,
}

/// A schedule with how it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShownSchedule {
    /// The schedule.
    #[serde(flatten)]
    pub schedule: Schedule,
    /// When it runs next; `None` when it does not.
    pub next_run: Option<Timestamp>,
    /// Why it does not: `no sunrise in the next year`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub never: Option<&'static str>,
    /// How it stands.
    #[serde(flatten)]
    pub standing: Standing,
}

impl LiveBackend {
    /// What operators set up.
    #[must_use]
    pub fn plans(&self) -> &Plans {
        &self.plans
    }

    /// All groups, by id.
    ///
    /// # Errors
    /// [`BackendError::Forbidden`] for those who may not look.
    pub fn groups(&self, caller: &Caller) -> Result<Vec<ShownGroup>, BackendError> {
        require(caller, Role::Viewer)?;
        let state = self.state();
        let shown = |group: &Group| ShownGroup { entity: group.entity().and_then(|id| state.fleet.entity(&id)), group: group.clone() };
        Ok(state.fleet.groups().map(shown).collect())
    }

    /// All scenes with their last runs, by id.
    ///
    /// # Errors
    /// [`BackendError::Forbidden`] for those who may not look.
    pub fn scenes(&self, caller: &Caller) -> Result<Vec<KnownScene>, BackendError> {
        require(caller, Role::Viewer)?;
        let known: Vec<KnownScene> = self.plans.scenes().values().cloned().collect();
        let state = self.state();
        Ok(known.into_iter().map(|known| KnownScene { scene: shown_scene(known.scene, &state.fleet), ..known }).collect())
    }

    /// All schedules with how they stand, by id.
    ///
    /// # Errors
    /// [`BackendError::Forbidden`] for those who may not look.
    pub fn schedules(&self, caller: &Caller) -> Result<Vec<ShownSchedule>, BackendError> {
        require(caller, Role::Viewer)?;
        let known: Vec<KnownSchedule> = self.plans.schedules().values().cloned().collect();
        Ok(known.into_iter().map(|known| self.shown(known, now())).collect())
    }

    fn shown(&self, KnownSchedule { schedule, standing }: KnownSchedule, now: Timestamp) -> ShownSchedule {
        let schedule = shown_schedule(schedule, &self.state().fleet);
        let next = schedule.enabled.then(|| schedules::next(&schedule.when, &self.plans.place, standing.done_until.max(now)));
        let never = match next {
            Some(Next::Never(why)) => Some(why),
            _ => None,
        };
        ShownSchedule { next_run: next.and_then(|next| next.at()), never, schedule, standing }
    }

    /// Adds one of them, or changes it; whether it was added. With `is_new` there must be none of its id.
    ///
    /// # Errors
    /// [`PlanError`]; nothing is changed then.
    pub async fn put_plan(&self, caller: &Caller, plan: Plan, is_new: bool) -> Result<bool, PlanError> {
        require(caller, Role::Operator)?;
        let _held = self.plans.editing.lock().await;
        let (kind, is_known) = (plan.kind(), self.has_plan(plan.kind(), plan.id()));
        if is_new && is_known {
            return Err(PlanError::Conflict(format!("there is a {} \"{}\" already", kind.as_str(), plan.id())));
        }
        self.check_plan(&plan, is_known)?;
        let plan = native_plan(plan, &self.state().fleet);
        let id = plan.id().to_owned();
        let data = plan.to_json().map_err(|error| failed(&StoreError::Failed(error.to_string())))?;
        let detail = json!({"id": plan.id(), "name": plan.name()});
        self.change_plan(caller, kind, &PlanChange::Put { id: id.clone(), data }, "save", detail).await?;
        match plan {
            Plan::Group(group) => self.take_group(group).await?,
            Plan::Scene(scene) => {
                let mut scenes = self.plans.scenes_mut();
                let last = scenes.get(&scene.id).and_then(|known| known.last.clone());
                scenes.insert(scene.id.clone(), KnownScene { scene, last });
            }
            Plan::Schedule(schedule) => {
                let mut schedules = self.plans.schedules_mut();
                let known = schedules.remove(&schedule.id).map(|known| known.standing);
                // What was due before it was what it is now is nothing that it missed.
                let standing =
                    known.map_or(Standing { done_until: now(), missed: None, last: None }, |known| Standing { done_until: now(), ..known });
                schedules.insert(schedule.id.clone(), KnownSchedule { schedule, standing });
            }
        }
        // Of a schedule that never ran a restart must know since when it has been there.
        let standing = self.plans.schedules().get(&id).filter(|_| kind == PlanKind::Schedule).map(|known| serde_json::to_string(&known.standing));
        if let Some(standing) = standing {
            self.store_standing(kind, &id, standing).await;
        }
        Ok(!is_known)
    }

    /// Takes one of them away.
    ///
    /// # Errors
    /// [`PlanError::Conflict`] for a scene that a schedule runs.
    pub async fn delete_plan(&self, caller: &Caller, kind: PlanKind, id: &str) -> Result<(), PlanError> {
        require(caller, Role::Operator)?;
        let _held = self.plans.editing.lock().await;
        if !self.has_plan(kind, id) {
            return Err(not_found(kind, id).into());
        }
        if kind == PlanKind::Scene
            && let Some(by) = self.plans.schedules().values().find(|known| matches!(&known.schedule.run, Target::Scene { scene } if scene == id))
        {
            return Err(PlanError::Conflict(format!("the schedule \"{}\" runs this scene", by.schedule.id)));
        }
        self.change_plan(caller, kind, &PlanChange::Delete { id: id.to_owned() }, "delete", json!({"id": id})).await?;
        match kind {
            PlanKind::Group => {
                let (reply, done) = oneshot::channel();
                let request = Request::RemoveGroup { id: id.to_owned(), reply };
                self.requests.send(request).await.map_err(|_| BackendError::Internal)?;
                done.await.map_err(|_| BackendError::Internal)?;
            }
            PlanKind::Scene => drop(self.plans.scenes_mut().remove(id)),
            PlanKind::Schedule => drop(self.plans.schedules_mut().remove(id)),
        }
        Ok(())
    }

    fn has_plan(&self, kind: PlanKind, id: &str) -> bool {
        match kind {
            PlanKind::Group => self.state().fleet.groups().any(|group| group.id == id),
            PlanKind::Scene => self.plans.scenes().contains_key(id),
            PlanKind::Schedule => self.plans.schedules().contains_key(id),
        }
    }

    /// Whether it can be there, beside all others.
    fn check_plan(&self, plan: &Plan, is_known: bool) -> Result<(), BadPlan> {
        let unknown = |field: String, entity: &EntityId| BadPlan::new(field, format!("unknown entity \"{entity}\""));
        let full = |most: usize, of: &str| BadPlan::new("id", format!("there are {most} {of}, and no room for another"));
        match plan {
            Plan::Group(group) => self.state().fleet.check_group(group),
            Plan::Scene(scene) => {
                if !is_known && self.plans.scenes().len() >= MAX_SCENES {
                    return Err(full(MAX_SCENES, "scenes"));
                }
                let state = self.state();
                let missing = scene.commands.iter().enumerate().find(|(_, command)| state.fleet.entity(&command.entity).is_none());
                missing.map_or(Ok(()), |(n, command)| Err(unknown(format!("commands[{n}].entity"), &command.entity)))
            }
            Plan::Schedule(schedule) => {
                if !is_known && self.plans.schedules().len() >= MAX_SCHEDULES {
                    return Err(full(MAX_SCHEDULES, "schedules"));
                }
                schedules::check(&schedule.when, &self.plans.place)?;
                match &schedule.run {
                    Target::Scene { scene } if !self.plans.scenes().contains_key(scene) => {
                        Err(BadPlan::new("run.scene", format!("unknown scene \"{scene}\"")))
                    }
                    Target::Command(command) if self.state().fleet.entity(&command.entity).is_none() => {
                        Err(unknown("run.entity".to_owned(), &command.entity))
                    }
                    Target::Scene { .. } | Target::Command(_) => Ok(()),
                }
            }
        }
    }

    async fn take_group(&self, group: Group) -> Result<(), PlanError> {
        let id = group.id.clone();
        let before = self.state().fleet.groups().find(|known| known.id == id).cloned();
        let (reply, fits) = oneshot::channel();
        self.requests.send(Request::PutGroup { group, reply }).await.map_err(|_| BackendError::Internal)?;
        let fits = fits.await.map_err(|_| BackendError::Internal)?;
        if fits.is_err() {
            // A device took its id, or a member went, in this very moment: what was stored is taken back.
            let data = before.and_then(|before| serde_json::to_string(&before).ok());
            let back = data.map_or(PlanChange::Delete { id: id.clone() }, |data| PlanChange::Put { id, data });
            self.store.change_plan(PlanKind::Group, &back, None).await.map_err(|error| failed(&error))?;
        }
        Ok(fits?)
    }

    async fn change_plan(&self, caller: &Caller, kind: PlanKind, change: &PlanChange, verb: &str, detail: Json) -> Result<(), BackendError> {
        let entity = match (kind, change) {
            (PlanKind::Group, PlanChange::Put { id, .. } | PlanChange::Delete { id }) => EntityId::parse(&format!("group.{id}")).ok(),
            _ => None,
        };
        let entry = amend::entry(caller, &format!("{}.{verb}", kind.as_str()), entity.as_ref(), detail);
        self.store.change_plan(kind, change, Some(&entry)).await.map_err(|error| failed(&error))
    }

    /// Stores how a scene or a schedule stands.
    pub(super) async fn save_standing(&self, kind: PlanKind, id: &str) {
        let _held = self.plans.editing.lock().await;
        let standing = match kind {
            PlanKind::Group => None,
            PlanKind::Scene => self.plans.scenes().get(id).map(|known| serde_json::to_string(&known.last)),
            PlanKind::Schedule => self.plans.schedules().get(id).map(|known| serde_json::to_string(&known.standing)),
        };
        if let Some(standing) = standing {
            self.store_standing(kind, id, standing).await;
        }
    }

    async fn store_standing(&self, kind: PlanKind, id: &str, standing: Result<String, serde_json::Error>) {
        let stored = match standing {
            Ok(standing) => self.store.change_plan(kind, &PlanChange::Standing { id: id.to_owned(), standing }, None).await,
            Err(error) => Err(StoreError::Failed(error.to_string())),
        };
        if let Err(error) = stored {
            // What is due runs all the same; a restart would tell it as missed.
            tracing::error!(%error, kind = kind.as_str(), id, "How it stands could not be stored");
        }
    }
}

/// The page of `group` shows all groups, as if they were one device.
pub(super) fn device_of_groups(fleet: &Fleet, id: &DeviceId) -> Option<Device> {
    let is_asked = id.as_str() == GROUP_DEVICE && fleet.groups().next().is_some();
    is_asked.then(|| Device {
        convention: "groups".to_owned(),
        ..Device::new(id.clone(), "Groups".to_owned(), "signalbox", String::new(), Timestamp::from_ms(0))
    })
}

/// There is none of that kind and id.
#[must_use]
pub fn not_found(kind: PlanKind, id: &str) -> BackendError {
    BackendError::NotFound(format!("{} \"{}\"", kind.as_str(), clean_text(id, 80)))
}

fn failed(error: &StoreError) -> BackendError {
    tracing::error!(%error, "What an operator set up could not be stored");
    BackendError::Internal
}
