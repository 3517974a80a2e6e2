//! What each page shows, from what is so now and what the store has.

use app::backend::{
    ActivityPage, ActivityRequest, Away, Backend, BackendError, Caller, DevicePage, HistoryPage, HistoryRequest, LastMessage, Limit, Overview, Role,
    Shell, Tile,
};
use app::device::{DeviceForm, DeviceRequest, Why};
use app::devices::{DevicesForm, DevicesNews, DevicesPage, DevicesRequest, PublishForm, Told, TopicsPage, TopicsRequest};
use app::patterns::{PatternsPage, PatternsRequest};
use app::plans::{PlanForm, ScenesPage, ScenesRequest};
use async_trait::async_trait;
use domain::alarm::Alarm;
use domain::command::{Action, CommandReport, CommandState, Refusal};
use domain::control::Limits;
use domain::device::DeviceId;
use domain::entity::{EntityId, EntityKind};
use domain::live::EntityView;
use domain::rule::Condition;
use domain::time::Timestamp;
use domain::value::Value;
use tokio::sync::oneshot;

use super::{LiveBackend, actor, internal, past, require};
use crate::clock::now;
use crate::ingest::{Request, State};

/// Series drawn into one chart at most.
const MAX_CHART_SERIES: usize = 6;
/// Fewest and most points that a page may ask for.
const LEAST_CHART_POINTS: usize = 50;
const MOST_CHART_POINTS: usize = 2_000;
/// Readings that were taken out, on a page.
const MOST_EXCLUDED: usize = 100;
/// How long a finished command stays on its tile.
const COMMAND_SHOWN_MS: i64 = 30_000;

pub(super) fn tile(state: &State, entity: EntityView, now: Timestamp) -> Tile {
    let is_number = entity.kind.is_sensor() && !matches!(entity.v, Some(Value::Text(_)));
    let shown = |report: &&CommandReport| {
        report.entity == entity.id
            && (!report.state.is_final() || now.since_ms(report.sent_at) - report.after_ms.unwrap_or(0) < COMMAND_SHOWN_MS)
            && !(entity.assumed && report.state == CommandState::Accepted)
    };
    Tile {
        trend: state.trends.of(&entity.id, is_number, state.fleet.conversion(&entity.id), now),
        limits: limits(state, &entity.id),
        command: state.commands.iter().rev().find(shown).cloned(),
        entity,
    }
}

fn limits(state: &State, id: &EntityId) -> Vec<Limit> {
    let limit = |rule: domain::rule::Rule| {
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
    view.kind != EntityKind::Button
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

    async fn device(&self, caller: &Caller, id: &DeviceId, request: &DeviceRequest, problem: String) -> Result<DevicePage, BackendError> {
        self.device_page(caller, id, request, problem).await
    }

    async fn device_messages(&self, caller: &Caller, id: &DeviceId) -> Result<Vec<LastMessage>, BackendError> {
        require(caller, Role::Viewer)?;
        self.last_messages(id).ok_or_else(|| BackendError::NotFound(format!("device {id}")))
    }

    async fn change_device(&self, caller: &Caller, id: &DeviceId, form: DeviceForm) -> Result<String, BackendError> {
        self.take_device_form(caller, id, form).await
    }

    async fn why(&self, caller: &Caller, entity: &EntityId) -> Result<Why, BackendError> {
        require(caller, Role::Viewer)?;
        self.why_of(entity)
    }

    async fn history(&self, caller: &Caller, request: &HistoryRequest) -> Result<HistoryPage, BackendError> {
        require(caller, Role::Viewer)?;
        let now = now();
        let (range, is_live) = past::asked(request, now, &self.zone)?;
        let points = request.points.map_or(super::CHART_POINTS, |points| points.clamp(LEAST_CHART_POINTS, MOST_CHART_POINTS));
        let (shell, choices, chosen, limits) = {
            let state = self.state();
            let is_offered = |view: &EntityView| state.fleet.is_listed(&view.id) || request.entities.iter().any(|id| view.id.as_str() == id);
            let choices = state.fleet.entities().into_iter().filter(|view| can_be_charted(view) && is_offered(view));
            let choices: Vec<EntityView> = choices.filter(|view| !state.fleet.is_group(&view.id)).collect();
            let mut chosen: Vec<EntityView> =
                request.entities.iter().filter_map(|id| choices.iter().find(|view| view.id.as_str() == id)).take(MAX_CHART_SERIES).cloned().collect();
            if chosen.is_empty() && request.entities.is_empty() {
                chosen.extend(choices.iter().find(|view| view.kind.is_sensor() && !view.says_words()).cloned());
            }
            let limits = chosen.iter().map(|view| limits(&state, &view.id)).collect();
            (self.shell_of(caller, &state, now), choices, chosen, limits)
        };
        let wanted = past::Wanted { range, now, points, compare: request.compare, meter: request.meter, zone: &self.zone };
        let past::Answer { mut series, words, mut previous, mut around, marks } =
            past::read(&*self.store, &chosen, &wanted).await.map_err(|error| internal(&error))?;
        self.show_series(series.iter_mut().chain(&mut previous).chain(around.iter_mut().map(|around| &mut around.series)));
        let ids: Vec<EntityId> = chosen.iter().map(|view| view.id.clone()).collect();
        let excluded = self.store.excluded(&ids, range, MOST_EXCLUDED).await.map_err(|error| internal(&error))?;
        let (excluded, alarms) = (self.shown_excluded(excluded), self.shown_alarms(marks.alarms));
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
            words,
            limits,
            previous,
            around,
            alarms,
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

    async fn devices_page(&self, caller: &Caller, request: &DevicesRequest) -> Result<DevicesPage, BackendError> {
        self.list_devices(caller, request).await
    }

    async fn devices_news(&self, caller: &Caller, request: &DevicesRequest, shown: &[DeviceId]) -> Result<DevicesNews, BackendError> {
        self.news_of_devices(caller, request, shown).await
    }

    async fn change_devices(&self, caller: &Caller, form: DevicesForm) -> Result<Told, BackendError> {
        self.change_several(caller, form).await
    }

    async fn topics_page(&self, caller: &Caller, request: &TopicsRequest) -> Result<TopicsPage, BackendError> {
        self.explore(caller, request).await
    }

    async fn patterns_page(&self, caller: &Caller, request: &PatternsRequest) -> Result<PatternsPage, BackendError> {
        self.show_patterns(caller, request).await
    }

    async fn save_patterns(&self, caller: &Caller, patterns: Vec<String>) -> Result<Told, BackendError> {
        self.write_patterns(caller, patterns).await
    }

    async fn publish(&self, caller: &Caller, form: PublishForm) -> Result<Told, BackendError> {
        self.publish_by_hand(caller, form).await
    }

    async fn clear_ghosts(&self, caller: &Caller, devices: &[String]) -> Result<Told, BackendError> {
        self.clear_by_form(caller, devices).await
    }

    fn keep_told(&self, told: Told) -> Option<String> {
        Some(self.told.keep(told))
    }
}
