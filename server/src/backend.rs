//! What pages, REST and sockets ask of the server. Rights are checked here, once, for every way in.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use app::backend::{
    ActivityPage, ActivityRequest, Away, Backend, BackendError, Caller, DevicePage, HistoryPage, HistoryRequest, Limit, Overview, Role, Shell, Tile,
};
use app::plans::{PlanForm, ScenesPage, ScenesRequest};
use async_trait::async_trait;
use domain::alarm::Alarm;
use domain::command::{Action, CommandReport, CommandState, Refusal};
use domain::control::Limits;
use domain::device::DeviceId;
use domain::entity::{EntityId, EntityKind};
use domain::fleet::waits_s;
use domain::history::{MAX_SERIES, Range, Series};
use domain::live::{Deliver, EntityView};
use domain::rule::Condition;
use domain::time::{DAY_MS, SECOND_MS, Timestamp};
use domain::value::Value;
use jiff::tz::TimeZone;
use tokio::sync::{mpsc, oneshot};

use crate::clock::now;
use crate::ingest::{Request, State};
use crate::plans::Plans;
use crate::store::activity::Actor;
use crate::store::retention::Kept;
use crate::store::{Held, Sizes, Store, StoreError};

/// What people change of the past.
mod amend;
/// Forms that were refused.
mod drafts;
/// The log of what was done.
mod log;
/// What the history page is asked for, and what the store says to it.
mod past;
/// Groups, scenes and schedules.
pub mod plans;
/// What their page shows, and what its forms ask for.
mod plans_page;
/// Running scenes and schedules.
mod runs;
/// What operators write about entities, devices and areas.
mod write;

pub use amend::FillError;
pub use log::MAX_TEXT_CHARS;
pub use write::WriteError;

/// Series drawn into one chart at most.
const MAX_CHART_SERIES: usize = 6;
/// Points of a chart: the pixels of a wide screen.
const CHART_POINTS: usize = 500;
/// Fewest and most points that a page may ask for.
const LEAST_CHART_POINTS: usize = 50;
const MOST_CHART_POINTS: usize = 2_000;
/// Readings that were taken out, on a page.
const MOST_EXCLUDED: usize = 100;
/// How long a finished command stays on its tile.
const COMMAND_SHOWN_MS: i64 = 30_000;

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
}

impl LiveBackend {
    /// A backend over the state that ingest keeps.
    pub fn new(state: Arc<RwLock<State>>, store: Arc<dyn Store>, requests: mpsc::Sender<Request>, plans: Arc<Plans>) -> Self {
        Self { state, store, requests, zone: plans.place.zone.clone(), started: now(), plans, drafts: Arc::default() }
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

    /// What is worked out has as many decimals as its entity is shown with; what was said stays as it is.
    fn rounded(&self, mut series: Vec<Series>) -> Vec<Series> {
        let state = self.state();
        for one in &mut series {
            if let Some(precision) = state.fleet.entity(&one.entity).and_then(|view| view.precision) {
                past::round(one, precision);
            }
        }
        series
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

    async fn chart(&self, entities: &[EntityId], range: Range) -> Result<Vec<Series>, BackendError> {
        let mut series = self.store.history(entities, range, CHART_POINTS).await.map_err(|error| internal(&error))?;
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

fn tile(state: &State, entity: EntityView, now: Timestamp) -> Tile {
    let is_number = entity.kind.is_sensor() && !matches!(entity.v, Some(Value::Text(_)));
    let shown = |report: &&CommandReport| {
        report.entity == entity.id
            && (!report.state.is_final() || now.since_ms(report.sent_at) - report.after_ms.unwrap_or(0) < COMMAND_SHOWN_MS)
            && !(entity.assumed && report.state == CommandState::Accepted)
    };
    Tile {
        trend: state.trends.of(&entity.id, is_number, now),
        limits: limits(state, &entity.id),
        command: state.commands.iter().rev().find(shown).cloned(),
        entity,
    }
}

fn limits(state: &State, id: &EntityId) -> Vec<Limit> {
    let limit = |rule: &domain::rule::Rule| {
        let severity = rule.severity.as_str();
        let mut label = severity[..1].to_uppercase();
        label.push_str(&severity[1..]);
        label.push(' ');
        label.push_str(&rule.condition.words());
        let is_below = matches!(rule.condition, Condition::Below { .. });
        Some(Limit { value: rule.condition.limit()?, severity: rule.severity, label, is_below })
    };
    state.fleet.rules_of(id).filter_map(limit).collect()
}

fn can_be_charted(view: &EntityView) -> bool {
    !matches!(view.v, Some(Value::Text(_))) && !matches!(view.kind, EntityKind::Text | EntityKind::Button | EntityKind::Select)
}

#[async_trait]
impl Backend for LiveBackend {
    async fn overview(&self, caller: &Caller) -> Result<Overview, BackendError> {
        require(caller, Role::Viewer)?;
        let now = now();
        let state = self.state();
        let shown = state.fleet.entities().into_iter().filter(|view| !view.hidden);
        Ok(Overview {
            shell: self.shell_of(caller, &state, now),
            tiles: shown.map(|view| tile(&state, view, now)).collect(),
            n_unlisted: state.fleet.n_unlisted(),
        })
    }

    async fn device(&self, caller: &Caller, id: &DeviceId) -> Result<DevicePage, BackendError> {
        require(caller, Role::Viewer)?;
        let now = now();
        let (shell, device, tiles, messages, clock_skew_ms) = {
            let state = self.state();
            let device = state.fleet.device(id).cloned().or_else(|| plans::device_of_groups(&state.fleet, id));
            let device = device.ok_or_else(|| BackendError::NotFound(format!("device {id}")))?;
            let views = state.fleet.entities().into_iter().filter(|view| view.device == *id);
            let tiles: Vec<Tile> = views.map(|view| tile(&state, view, now)).collect();
            let messages = state.messages.get(id).into_iter().flatten().cloned().collect();
            // A device has one clock; the entity that shows it most wrong was heard last.
            let skews = tiles.iter().filter_map(|tile| state.fleet.clock_skew_ms(&tile.entity.id));
            let skew = skews.max_by_key(|ms| ms.saturating_abs());
            (self.shell_of(caller, &state, now), device, tiles, messages, skew)
        };
        let ids: Vec<EntityId> = tiles.iter().map(|tile| tile.entity.id.clone()).collect();
        let day = Range { from: now.plus_ms(-DAY_MS), to: now.plus_ms(1) };
        let series = self.chart(&ids, day).await?;
        let is_number = |tile: &Tile| tile.entity.kind.is_sensor();
        let extremes = tiles
            .iter()
            .zip(&series)
            .map(|(tile, series)| {
                let low = series.min.iter().copied().reduce(f64::min);
                let high = series.max.iter().copied().reduce(f64::max);
                low.zip(high).filter(|_| is_number(tile))
            })
            .collect();
        let charts =
            tiles.iter().zip(series).filter(|(tile, series)| is_number(tile) && !series.t.is_empty()).map(|(_, series)| series).take(2).collect();
        Ok(DevicePage { shell, device, tiles, extremes, charts, messages, clock_skew_ms })
    }

    async fn history(&self, caller: &Caller, request: &HistoryRequest) -> Result<HistoryPage, BackendError> {
        require(caller, Role::Viewer)?;
        let now = now();
        let (range, is_live) = past::asked(request, now, &self.zone)?;
        let points = request.points.map_or(CHART_POINTS, |points| points.clamp(LEAST_CHART_POINTS, MOST_CHART_POINTS));
        let (shell, choices, chosen, limits) = {
            let state = self.state();
            let is_offered = |view: &EntityView| state.fleet.is_listed(&view.id) || request.entities.iter().any(|id| view.id.as_str() == id);
            let choices = state.fleet.entities().into_iter().filter(|view| can_be_charted(view) && is_offered(view));
            let choices: Vec<EntityView> = choices.filter(|view| !state.fleet.is_group(&view.id)).collect();
            let mut chosen: Vec<EntityView> =
                request.entities.iter().filter_map(|id| choices.iter().find(|view| view.id.as_str() == id)).take(MAX_CHART_SERIES).cloned().collect();
            if chosen.is_empty() && request.entities.is_empty() {
                chosen.extend(choices.iter().find(|view| view.kind.is_sensor()).cloned());
            }
            let limits = chosen.iter().map(|view| limits(&state, &view.id)).collect();
            (self.shell_of(caller, &state, now), choices, chosen, limits)
        };
        let wanted = past::Wanted { range, now, points, compare: request.compare, meter: request.meter, zone: &self.zone };
        let past::Answer { series, previous, around, marks } = past::read(&*self.store, &chosen, &wanted).await.map_err(|error| internal(&error))?;
        let ids: Vec<EntityId> = chosen.iter().map(|view| view.id.clone()).collect();
        let excluded = self.store.excluded(&ids, range, MOST_EXCLUDED).await.map_err(|error| internal(&error))?;
        // The charts are worth more than this sentence.
        let reach = self.store.kept().await.ok().and_then(|kept| kept.sentence()).unwrap_or_default();
        Ok(HistoryPage {
            utc_offset_s: self.offset_at(range.to),
            shell,
            choices,
            chosen: chosen.into_iter().map(|view| view.id).collect(),
            range,
            is_live,
            series,
            limits,
            previous,
            around,
            alarms: marks.alarms,
            commands: marks.commands,
            excluded,
            reach,
        })
    }

    async fn activity_page(&self, caller: &Caller, request: &ActivityRequest) -> Result<ActivityPage, BackendError> {
        self.log_page(caller, request).await
    }

    async fn activity_news(&self, caller: &Caller, request: &ActivityRequest, newest: &str) -> Result<usize, BackendError> {
        self.log_news(caller, request, newest).await
    }

    async fn away(&self, caller: &Caller, from: Timestamp, to: Timestamp) -> Result<Away, BackendError> {
        self.log_away(caller, from, to).await
    }

    async fn shell(&self, caller: &Caller) -> Result<Shell, BackendError> {
        require(caller, Role::Viewer)?;
        Ok(self.shell_of(caller, &self.state(), now()))
    }

    async fn limits(&self, caller: &Caller, entity: &EntityId) -> Result<Limits, BackendError> {
        require(caller, Role::Viewer)?;
        let view = self.state().fleet.entity(entity);
        view.map(|view| view.limits).ok_or_else(|| BackendError::NotFound(format!("entity {entity}")))
    }

    async fn send_command(&self, caller: &Caller, entity: &EntityId, action: Action) -> Result<CommandReport, Refusal> {
        self.ask(caller, entity, action, None).await
    }

    async fn acknowledge_alarm(&self, caller: &Caller, alarm: &str) -> Result<Alarm, BackendError> {
        require(caller, Role::Operator)?;
        let (reply, after) = oneshot::channel();
        let request = Request::Acknowledge { alarm: alarm.to_owned(), who: actor(caller), reply };
        self.requests.send(request).await.map_err(|_| BackendError::Internal)?;
        let after = after.await.map_err(|_| BackendError::Internal)?;
        after.ok_or_else(|| BackendError::NotFound(format!("alarm \"{}\"", domain::device::clean_text(alarm, 80))))
    }

    async fn exclude_reading(&self, caller: &Caller, entity: &EntityId, at: Timestamp) -> Result<(), BackendError> {
        self.exclude(caller, entity, at).await.map(drop)
    }

    async fn include_reading(&self, caller: &Caller, entity: &EntityId, at: Timestamp) -> Result<(), BackendError> {
        self.include(caller, entity, at).await.map(drop)
    }

    async fn scenes_page(&self, caller: &Caller, request: &ScenesRequest, problem: String) -> Result<ScenesPage, BackendError> {
        self.plans_page(caller, request, problem)
    }

    fn keep_form(&self, caller: &Caller, form: PlanForm) -> Option<String> {
        require(caller, Role::Operator).ok()?;
        self.drafts.keep(form)
    }

    async fn change_plans(&self, caller: &Caller, form: PlanForm) -> Result<(), BackendError> {
        self.take_form(caller, form).await
    }
}

/// An id for a command or a session that nobody guesses or meets twice.
#[must_use]
pub fn new_id() -> String {
    format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}
