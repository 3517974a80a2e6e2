//! What pages, REST and sockets ask of the server. Rights are checked here, once, for every way in.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use app::backend::{BackendError, Caller, Role, Shell};
use domain::alarm::Alarm;
use domain::command::{Action, CommandReport, CommandState, Refusal};
use domain::entity::EntityId;
use domain::fleet::waits_s;
use domain::history::{MAX_SERIES, Range, Series};
use domain::live::Deliver;
use domain::time::{SECOND_MS, Timestamp};
use domain::words::Words;
use jiff::tz::TimeZone;
use tokio::sync::{mpsc, oneshot};

use crate::clock::now;
use crate::ingest::{Request, State};
use crate::mqtt::link::Link;
use crate::plans::Plans;
use crate::store::activity::Actor;
use crate::store::retention::Kept;
use crate::store::{Held, Sizes, Store, StoreError};

/// What people change of the past.
mod amend;
/// The page of a device, and what its forms ask for.
mod device;
/// The page of devices.
mod devices;
/// Forms that were refused.
mod drafts;
/// Devices that are gone and still announced.
pub mod ghosts;
/// The log of what was done.
mod log;
/// What each page shows.
mod pages;
/// What the history page is asked for, and what the store says to it.
mod past;
/// What topics are about, as operators write it.
pub mod patterns;
/// Groups, scenes and schedules.
pub mod plans;
/// What their page shows, and what its forms ask for.
mod plans_page;
/// What a viewer may see and send.
pub(crate) mod rights;
/// Running scenes and schedules.
mod runs;
/// The topic explorer, and publishing by hand.
mod topics;
/// Why there is no data.
mod why;
/// What operators write about entities, devices and areas.
mod write;

pub use amend::FillError;
pub use log::MAX_TEXT_CHARS;
pub use write::WriteError;

/// Points of a chart: the pixels of a wide screen.
const CHART_POINTS: usize = 500;

/// The server behind the pages. Cheap to clone.
#[derive(Clone)]
pub struct LiveBackend {
    state: Arc<RwLock<State>>,
    store: Arc<dyn Store>,
    requests: mpsc::Sender<Request>,
    zone: TimeZone,
    started: Timestamp,
    plans: Arc<Plans>,
    drafts: Arc<drafts::Drafts>,
    /// What became of forms of the page of devices.
    told: Arc<devices::told::Answers>,
    /// What brokers retain of ghosts, as it is cleared.
    clearings: Arc<ghosts::Desk>,
    /// The brokers, by name.
    links: Arc<HashMap<Arc<str>, Link>>,
    /// The turn to look at all devices or all topics: one at a time.
    surveys: Arc<tokio::sync::Mutex<()>>,
}

impl LiveBackend {
    /// A backend over the state that ingest keeps.
    pub fn new(
        state: Arc<RwLock<State>>,
        store: Arc<dyn Store>,
        requests: mpsc::Sender<Request>,
        plans: Arc<Plans>,
        links: Arc<HashMap<Arc<str>, Link>>,
    ) -> Self {
        Self {
            state,
            store,
            requests,
            zone: plans.place.zone.clone(),
            started: now(),
            plans,
            drafts: Arc::default(),
            told: Arc::default(),
            clearings: Arc::default(),
            links,
            surveys: Arc::default(),
        }
    }

    /// The state as it is now. Never held over an await.
    pub fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// History for programs: the same query as the page's, with buckets aligned to the clock of a zone when one is given.
    ///
    /// # Errors
    /// [`BackendError::Invalid`] names what is wrong with the question.
    pub async fn series(
        &self,
        caller: &Caller,
        entities: &[EntityId],
        range: Range,
        points: usize,
        zone: Option<&TimeZone>,
    ) -> Result<Vec<Series>, BackendError> {
        require(caller, Role::Viewer)?;
        if entities.len() > MAX_SERIES {
            return Err(BackendError::Invalid(format!("at most {MAX_SERIES} entities at once")));
        }
        let found = match zone {
            Some(zone) => self.store.history_in(zone, entities, range, points).await,
            None => self.store.history(entities, range, points).await,
        };
        Ok(self.rounded(found.map_err(|error| internal(&error))?))
    }

    /// For how long those of some series that have no numbers were in which state, where any is known.
    ///
    /// # Errors
    /// [`BackendError::Forbidden`] for those who may not look.
    pub async fn held(&self, caller: &Caller, series: &[Series], range: Range) -> Result<HashMap<EntityId, Held>, BackendError> {
        require(caller, Role::Viewer)?;
        let asked: Vec<EntityId> = series.iter().filter(|one| one.t.is_empty()).map(|one| one.entity.clone()).collect();
        if asked.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self.store.held(&asked, range).await.map_err(|error| internal(&error))?;
        Ok(asked.into_iter().zip(found).filter(|(_, held)| !held.states.is_empty() || held.other_ms > 0).collect())
    }

    /// In the units that are shown. What is worked out has as many decimals as its entity is shown with; what was said stays as it is.
    fn rounded(&self, mut series: Vec<Series>) -> Vec<Series> {
        self.show_series(&mut series);
        let state = self.state();
        for one in &mut series {
            if let Some(precision) = state.fleet.entity(&one.entity).and_then(|view| view.precision) {
                past::round(one, precision);
            }
        }
        series
    }

    /// Says series, as the store has them, in the units that are shown: once on the way of every question.
    fn show_series<'a>(&self, series: impl IntoIterator<Item = &'a mut Series>) {
        let state = self.state();
        for one in series {
            if let Some(conversion) = state.fleet.conversion(&one.entity) {
                one.show_in(conversion);
            }
        }
    }

    /// Buckets of exactly `bucket_ms`, for programs.
    ///
    /// # Errors
    /// [`BackendError::Forbidden`] for those who may not look.
    pub async fn buckets(&self, caller: &Caller, entities: &[EntityId], range: Range, bucket_ms: i64) -> Result<Vec<Series>, BackendError> {
        require(caller, Role::Viewer)?;
        let found = self.store.buckets(entities, range, bucket_ms).await.map_err(|error| internal(&error))?;
        Ok(self.rounded(found))
    }

    /// What an entity said in words, in about as many rows as `points` says at most.
    ///
    /// # Errors
    /// [`BackendError::Forbidden`] for those who may not look.
    pub async fn words(&self, caller: &Caller, entity: &EntityId, range: Range, points: usize) -> Result<Words, BackendError> {
        require(caller, Role::Viewer)?;
        let found = self.store.words(std::slice::from_ref(entity), range, points).await.map_err(|error| internal(&error))?;
        Ok(found.into_iter().next().unwrap_or_else(|| Words::none(entity.clone())))
    }

    /// The moment from which on single readings of an entity are kept.
    ///
    /// # Errors
    /// [`BackendError::Forbidden`] for those who may not look.
    pub async fn raw_from(&self, caller: &Caller, entity: &EntityId) -> Result<Timestamp, BackendError> {
        require(caller, Role::Viewer)?;
        self.store.raw_from(entity).await.map_err(|error| internal(&error))
    }

    /// What is kept of history, and how far back it will reach.
    ///
    /// # Errors
    /// [`BackendError::Forbidden`] for those who may not look.
    pub async fn kept(&self, caller: &Caller) -> Result<Kept, BackendError> {
        require(caller, Role::Viewer)?;
        self.store.kept().await.map_err(|error| internal(&error))
    }

    /// What history takes on disk.
    pub async fn store_sizes(&self) -> Sizes {
        self.store.sizes().await
    }

    /// A command by its id, among the last ones.
    #[must_use]
    pub fn command(&self, id: &str) -> Option<CommandReport> {
        self.state().commands.iter().find(|report| report.id == id).cloned()
    }

    /// As [`Backend::send_command`], or let it wait for a device that sleeps.
    ///
    /// # Errors
    /// [`Refusal`] says why it was refused.
    pub async fn command_for(
        &self,
        caller: &Caller,
        entity: &EntityId,
        action: Action,
        deliver: Option<Deliver>,
        expires_s: Option<u64>,
    ) -> Result<CommandReport, Refusal> {
        let expires_s = waits_s(deliver, expires_s)?;
        let expires_at = expires_s.map(|s| now().plus_ms(i64::try_from(s).unwrap_or(0).saturating_mul(SECOND_MS)));
        self.ask(caller, entity, action, expires_at).await
    }

    async fn ask(&self, caller: &Caller, entity: &EntityId, action: Action, expires_at: Option<Timestamp>) -> Result<CommandReport, Refusal> {
        require(caller, Role::Operator).map_err(|_| Refusal::Forbidden)?;
        // Looked at here for a typed refusal; ingest looks again, with the state that it alone changes.
        let checked = match expires_at {
            Some(_) => self.state().fleet.check_queued(entity, &action),
            None => self.state().fleet.check(entity, &action),
        };
        if let Err(refusal) = checked {
            self.write_down(caller, entity, action, &refusal).await;
            return Err(refusal);
        }
        let (reply, report) = oneshot::channel();
        let request = Request::Command { id: new_id(), entity: entity.clone(), action, expires_at, who: actor(caller), reply };
        self.requests.send(request).await.map_err(|_| Refusal::Unavailable)?;
        report.await.map_err(|_| Refusal::Unavailable)
    }

    /// What was refused is a row of the log too; what names no entity of ours is nobody's.
    async fn write_down(&self, caller: &Caller, entity: &EntityId, action: Action, refusal: &Refusal) {
        if matches!(refusal, Refusal::UnknownEntity(_)) {
            return;
        }
        let report = CommandReport {
            id: new_id(),
            entity: entity.clone(),
            action,
            state: CommandState::Refused,
            reason: Some(refusal.to_string()),
            sent_at: now(),
            after_ms: None,
            usual_ms: None,
        };
        // Ingest is gone only when the server stops.
        let _: Result<(), _> = self.requests.send(Request::Refused { report, who: actor(caller) }).await;
    }

    /// Gives up a command that waits for its device; `None` when it does not wait.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for those who may not.
    pub async fn cancel_command(&self, caller: &Caller, id: &str) -> Result<Option<CommandReport>, Refusal> {
        require(caller, Role::Operator).map_err(|_| Refusal::Forbidden)?;
        let (reply, last) = oneshot::channel();
        let request = Request::Cancel { id: id.to_owned(), who: actor(caller), reply };
        self.requests.send(request).await.map_err(|_| Refusal::Unavailable)?;
        last.await.map_err(|_| Refusal::Unavailable)
    }

    fn shell_of(&self, caller: &Caller, state: &State, now: Timestamp) -> Shell {
        let offset = self.offset_at(now);
        Shell {
            now,
            utc_offset_s: offset,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_ms: now.since_ms(self.started),
            user: caller.name.clone(),
            role: caller.role,
            areas: state.fleet.areas_shown(),
            alarms: state.fleet.alarms(),
            links: state.fleet.links().cloned().collect(),
        }
    }

    /// The server's zone at a moment, seconds east of UTC.
    fn offset_at(&self, at: Timestamp) -> i32 {
        jiff::Timestamp::from_millisecond(at.as_ms()).map_or(0, |at| self.zone.to_offset(at).seconds())
    }

    /// Alarms of the past, in the units that are shown now.
    fn shown_alarms(&self, alarms: Vec<(Alarm, Option<Timestamp>)>) -> Vec<(Alarm, Option<Timestamp>)> {
        let state = self.state();
        alarms.into_iter().map(|(alarm, until)| (state.fleet.alarm_as_shown(alarm), until)).collect()
    }

    async fn chart(&self, entities: &[EntityId], range: Range) -> Result<Vec<Series>, BackendError> {
        let mut series = self.store.history(entities, range, CHART_POINTS).await.map_err(|error| internal(&error))?;
        self.show_series(&mut series);
        // Drawn as lines, of what meters show.
        series.iter_mut().for_each(|one| one.increase.clear());
        Ok(series)
    }
}

/// Whether the caller may do what `needed` may.
///
/// # Errors
/// [`BackendError::Forbidden`] names the role that is needed.
pub fn require(caller: &Caller, needed: Role) -> Result<(), BackendError> {
    if caller.role >= needed { Ok(()) } else { Err(BackendError::Forbidden(needed.as_str().to_owned())) }
}

/// The caller as the log writes it.
fn actor(caller: &Caller) -> Actor {
    Actor { name: caller.name.clone(), address: caller.address }
}

fn internal(error: &StoreError) -> BackendError {
    tracing::error!(%error, "History could not be read");
    BackendError::Internal
}

/// An id for a command or a session that nobody guesses or meets twice.
#[must_use]
pub fn new_id() -> String {
    format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}
