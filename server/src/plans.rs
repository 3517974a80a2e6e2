//! What operators set up, in memory: scenes and schedules with how they stand, and the runs of the last hours. Groups are entities of the fleet.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use domain::command::CommandState;
use domain::group::Group;
use domain::scene::{Run, Scene};
use domain::schedule::{Missed, Schedule};
use domain::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::hub::Hub;
use crate::schedules::Place;
use crate::store::plan::{PlanKind, PlanRow};
use crate::store::{Store, StoreError};
use crate::tasks::Tasks;

/// Runs remembered, whatever they were of.
const MAX_RUNS: usize = 200;

/// A scene with its last run.
#[derive(Clone, Debug)]
pub struct KnownScene {
    /// The scene.
    pub scene: Scene,
    /// Its last run.
    pub last: Option<Run>,
}

/// How a schedule stands. Stored as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ScheduleStanding)]
pub struct Standing {
    /// All that was due up to here was run or told as missed.
    pub done_until: Timestamp,
    /// The runs that were missed last.
    #[serde(default)]
    pub missed: Option<Missed>,
    /// Its last run.
    #[serde(default)]
    pub last: Option<Run>,
}

/// A schedule with how it stands.
#[derive(Clone, Debug)]
pub struct KnownSchedule {
    /// The schedule.
    pub schedule: Schedule,
    /// How it stands.
    pub standing: Standing,
}

/// Everything of it. Whoever changes it holds `editing`.
pub struct Plans {
    scenes: RwLock<BTreeMap<String, KnownScene>>,
    schedules: RwLock<BTreeMap<String, KnownSchedule>>,
    /// Newest last.
    runs: Mutex<VecDeque<Run>>,
    /// One change at a time, so that memory and store agree.
    pub editing: tokio::sync::Mutex<()>,
    /// Where and in which zone schedules run.
    pub place: Place,
    /// Tells how commands end.
    pub hub: Arc<Hub>,
    /// Runs the runs.
    pub tasks: Tasks,
}

impl Plans {
    /// What the store has, as it is at `now`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn load(store: &dyn Store, place: Place, hub: Arc<Hub>, tasks: Tasks, now: Timestamp) -> Result<Self, StoreError> {
        let scene = |row: PlanRow| {
            let scene: Scene = read(PlanKind::Scene, &row.id, &row.data)?;
            let last: Option<Run> = row.standing.and_then(|text| read(PlanKind::Scene, &row.id, &text)).unwrap_or_default();
            let last = last.map(cut_short);
            Some((row.id, KnownScene { scene, last }))
        };
        let schedule = |row: PlanRow| {
            let schedule: Schedule = read(PlanKind::Schedule, &row.id, &row.data)?;
            let standing = row.standing.and_then(|text| read(PlanKind::Schedule, &row.id, &text));
            let standing: Standing = standing.unwrap_or(Standing { done_until: now, missed: None, last: None });
            let standing = Standing { last: standing.last.map(cut_short), ..standing };
            Some((row.id, KnownSchedule { schedule, standing }))
        };
        Ok(Self {
            scenes: RwLock::new(store.plans(PlanKind::Scene).await?.into_iter().filter_map(scene).collect()),
            schedules: RwLock::new(store.plans(PlanKind::Schedule).await?.into_iter().filter_map(schedule).collect()),
            runs: Mutex::default(),
            editing: tokio::sync::Mutex::default(),
            place,
            hub,
            tasks,
        })
    }

    /// The scenes.
    pub fn scenes(&self) -> RwLockReadGuard<'_, BTreeMap<String, KnownScene>> {
        self.scenes.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The scenes, to change them.
    pub fn scenes_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<String, KnownScene>> {
        self.scenes.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The schedules.
    pub fn schedules(&self) -> RwLockReadGuard<'_, BTreeMap<String, KnownSchedule>> {
        self.schedules.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The schedules, to change them.
    pub fn schedules_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<String, KnownSchedule>> {
        self.schedules.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run, among the last ones.
    #[must_use]
    pub fn run(&self, id: &str) -> Option<Run> {
        self.runs().iter().find(|run| run.id == id).cloned()
    }

    /// How many runs have not ended.
    #[must_use]
    pub fn n_running(&self) -> usize {
        self.runs().iter().filter(|run| run.ended.is_none()).count()
    }

    /// Notes how far a run came, wherever it is shown.
    pub fn note(&self, run: &Run) {
        {
            let mut runs = self.runs();
            if let Some(known) = runs.iter_mut().find(|known| known.id == run.id) {
                known.clone_from(run);
            } else {
                runs.push_back(run.clone());
                if runs.len() > MAX_RUNS {
                    runs.pop_front();
                }
            }
        }
        // A later run takes the place of an earlier one, and not the other way round.
        let is_newer = |last: &Option<Run>| last.as_ref().is_none_or(|last| last.id == run.id || last.t <= run.t);
        if let Some(id) = &run.scene
            && let Some(known) = self.scenes_mut().get_mut(id)
            && is_newer(&known.last)
        {
            known.last = Some(run.clone());
        }
        if let Some(id) = &run.schedule
            && let Some(known) = self.schedules_mut().get_mut(id)
            && is_newer(&known.standing.last)
        {
            known.standing.last = Some(run.clone());
        }
    }

    fn runs(&self) -> MutexGuard<'_, VecDeque<Run>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run of an earlier start: whoever followed it is gone.
fn cut_short(mut run: Run) -> Run {
    if run.ended.is_none() {
        for member in run.members.iter_mut().filter(|member| !member.is_over()) {
            (member.state, member.reason) = (CommandState::Unconfirmed, Some("the server stopped".to_owned()));
        }
        (run.state, run.ended) = (run.outcome(), Some(run.t));
    }
    run
}

/// The groups that the store has.
///
/// # Errors
/// What the database says.
pub async fn load_groups(store: &dyn Store) -> Result<Vec<Group>, StoreError> {
    let group = |row: PlanRow| read::<Group>(PlanKind::Group, &row.id, &row.data);
    Ok(store.plans(PlanKind::Group).await?.into_iter().filter_map(group).collect())
}

/// What is stored of one of them. What cannot be read must not keep the server from starting.
fn read<T: DeserializeOwned>(kind: PlanKind, id: &str, text: &str) -> Option<T> {
    serde_json::from_str(text).map_err(|error| tracing::warn!(kind = kind.as_str(), id, %error, "A stored row cannot be read and is left out")).ok()
}
