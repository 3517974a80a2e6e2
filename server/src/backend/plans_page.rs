//! The page of groups, scenes and schedules: what it shows, and what its forms ask for.

use std::time::Duration;

use app::backend::{BackendError, Caller, Role};
use app::plans::{Asks, Choice, Form, GroupRow, PlanForm, RunRow, SceneRow, ScenesPage, ScenesRequest, ScheduleRow};
use domain::command::{Action, Wish};
use domain::control::Limits;
use domain::device::{clean_text, slug};
use domain::entity::{EntityId, EntityKind};
use domain::fleet::Fleet;
use domain::group::{Group, MAX_PLAN_ID_BYTES};
use domain::live::EntityView;
use domain::scene::{Run, RunMember, Scene, SceneCommand};
use domain::schedule::{MOST_MISSED, Schedule, Target, When};
use domain::time::Timestamp;
use domain::value::Value;
use jiff::tz::TimeZone;
use tokio::time::{Instant, sleep_until};

use super::drafts::{edited, filled};
use super::plans::{Plan, PlanError, ShownSchedule, not_found, shown_scene, shown_schedule};
use super::{LiveBackend, require};
use crate::clock::now;
use crate::store::plan::PlanKind;

/// Entities that a form offers; those that are chosen come first.
const MOST_CHOICES: usize = 300;
/// How long the answer to a press waits for the end of a run, so that a page without script shows it.
const MOST_WAIT: Duration = Duration::from_secs(3);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(50);

impl LiveBackend {
    /// The page.
    ///
    /// # Errors
    /// [`BackendError::NotFound`] for something to edit that there is not.
    pub(super) fn plans_page(&self, caller: &Caller, request: &ScenesRequest, problem: String) -> Result<ScenesPage, BackendError> {
        require(caller, Role::Viewer)?;
        let (scenes, groups, schedules) = (self.scenes(caller)?, self.groups(caller)?, self.schedules(caller)?);
        let now = now();
        let question = match plan_of(&request.delete) {
            Some((kind, id)) if !id.is_empty() => {
                let name = match kind {
                    PlanKind::Group => groups.iter().find(|shown| shown.group.id == id).map(|shown| shown.group.name.clone()),
                    PlanKind::Scene => scenes.iter().find(|known| known.scene.id == id).map(|known| known.scene.name.clone()),
                    PlanKind::Schedule => schedules.iter().find(|shown| shown.schedule.id == id).map(|shown| shown.schedule.name.clone()),
                };
                let name = name.ok_or_else(|| not_found(kind, id))?;
                Some((kind.as_str().to_owned(), id.to_owned(), name))
            }
            _ => None,
        };
        let draft = if problem.is_empty() { None } else { self.drafts.get(&request.draft) };
        let typed = draft.and_then(|draft| {
            let edited = edited(&draft);
            let (kind, id) = plan_of(&edited)?;
            Some(filled(self.form(kind, id).ok()?, draft))
        });
        let form = match (typed, plan_of(&request.edit)) {
            (Some(typed), _) => Some(typed),
            (None, Some((kind, id))) => Some(self.form(kind, id)?),
            (None, None) => None,
        };
        let state = self.state();
        let (fleet, zone) = (&state.fleet, &self.plans.place.zone);
        let run = |run: &Run| run_row(run, fleet, zone);
        let scene_name = |id: &str| scenes.iter().find(|known| known.scene.id == id).map_or_else(|| id.to_owned(), |known| known.scene.name.clone());
        let schedule = |shown: &ShownSchedule| ScheduleRow {
            id: shown.schedule.id.clone(),
            name: shown.schedule.name.clone(),
            when: shown.schedule.when.words(),
            what: match &shown.schedule.run {
                Target::Scene { scene } => format!("Scene {}", scene_name(scene)),
                Target::Command(command) => command_words(command, fleet),
            },
            next: match (shown.next_run, shown.never) {
                (Some(at), _) => moment(at, zone),
                (None, Some(never)) => never.to_owned(),
                (None, None) => "switched off".to_owned(),
            },
            missed: shown.standing.missed.as_ref().map_or_else(String::new, |missed| {
                let least = if missed.count >= MOST_MISSED { "at least " } else { "" };
                format!("{least}{} missed, last {}", missed.count, moment(missed.last, zone))
            }),
            last: shown.standing.last.as_ref().map(run),
        };
        Ok(ScenesPage {
            shell: self.shell_of(caller, &state, now),
            problem,
            scenes: scenes
                .iter()
                .map(|known| SceneRow {
                    id: known.scene.id.clone(),
                    name: known.scene.name.clone(),
                    commands: known.scene.commands.iter().map(|command| command_words(command, fleet)).collect(),
                    last: known.last.as_ref().map(run),
                })
                .collect(),
            groups: groups
                .iter()
                .map(|shown| GroupRow {
                    id: shown.group.id.clone(),
                    name: shown.group.name.clone(),
                    state: shown.entity.as_ref().map(EntityView::words).unwrap_or_default(),
                    members: shown.group.members.iter().map(|id| name_of(id, fleet)).collect(),
                })
                .collect(),
            schedules: schedules.iter().map(schedule).collect(),
            form,
            question,
            zone: zone.iana_name().unwrap_or("the server").to_owned(),
            has_place: self.plans.place.location.is_some(),
        })
    }

    fn form(&self, kind: PlanKind, id: &str) -> Result<Form, BackendError> {
        let missing = || not_found(kind, id);
        let state = self.state();
        let id_text = id.to_owned();
        Ok(match kind {
            PlanKind::Group => {
                let known = state.fleet.groups().find(|group| group.id == id);
                if !id.is_empty() && known.is_none() {
                    return Err(missing());
                }
                let members = known.map(|group| group.members.clone()).unwrap_or_default();
                let choices = choices(&state.fleet, &members, false).into_iter();
                let choices = choices.map(|choice| (members.iter().any(|member| member.as_str() == choice.entity), choice));
                Form::Group {
                    id: id_text,
                    name: known.map(|group| group.name.clone()).unwrap_or_default(),
                    choices: choices.map(|(checked, choice)| (choice, checked)).collect(),
                }
            }
            PlanKind::Scene => {
                let known = self.plans.scenes().get(id).map(|known| shown_scene(known.scene.clone(), &state.fleet));
                if !id.is_empty() && known.is_none() {
                    return Err(missing());
                }
                let commands = known.as_ref().map(|scene| scene.commands.clone()).unwrap_or_default();
                let chosen: Vec<EntityId> =
                    commands.iter().filter(|command| is_simple(command, &state.fleet)).map(|command| command.entity.clone()).collect();
                let with = |choice: Choice| {
                    let command = commands.iter().find(|command| command.entity.as_str() == choice.entity);
                    let asks = command.filter(|command| is_simple(command, &state.fleet)).map(|command| fields(&command.action)).unwrap_or_default();
                    (choice, asks)
                };
                let choices: Vec<_> = choices(&state.fleet, &chosen, true).into_iter().map(with).collect();
                Form::Scene { id: id_text, name: known.map(|scene| scene.name).unwrap_or_default(), n_others: commands.len() - chosen.len(), choices }
            }
            PlanKind::Schedule => {
                let known = self.plans.schedules().get(id).map(|known| shown_schedule(known.schedule.clone(), &state.fleet));
                if !id.is_empty() && known.is_none() {
                    return Err(missing());
                }
                self.schedule_form(id_text, known.as_ref(), &state.fleet)
            }
        })
    }

    fn schedule_form(&self, id: String, known: Option<&Schedule>, fleet: &Fleet) -> Form {
        let (cron, offset_min) = match known.map(|schedule| &schedule.when) {
            Some(When::Cron { cron }) => (cron.clone(), 0),
            Some(When::Sunrise { offset_min } | When::Sunset { offset_min }) => (String::new(), *offset_min),
            None => ("0 7 * * *".to_owned(), 0),
        };
        let (target, asks, chosen) = match known.map(|schedule| &schedule.run) {
            Some(Target::Scene { scene }) => (format!("scene:{scene}"), Default::default(), vec![]),
            Some(Target::Command(command)) => (command.entity.to_string(), fields(&command.action), vec![command.entity.clone()]),
            None => Default::default(),
        };
        let scenes = self.plans.scenes();
        let scenes = scenes.values().map(|known| (format!("scene:{}", known.scene.id), format!("Scene {}", known.scene.name)));
        let entities = choices(fleet, &chosen, true).into_iter().map(|choice| (choice.entity, choice.name));
        Form::Schedule {
            id,
            name: known.map(|schedule| schedule.name.clone()).unwrap_or_default(),
            enabled: known.is_none_or(|schedule| schedule.enabled),
            when: known.map_or("cron", |schedule| schedule.when.as_str()).to_owned(),
            cron,
            offset_min: offset_min.to_string(),
            targets: scenes.chain(entities).collect(),
            target,
            asks,
        }
    }

    /// Does what a form asks for.
    ///
    /// # Errors
    /// [`BackendError::Invalid`] says what is wrong with it, in words.
    pub(super) async fn take_form(&self, caller: &Caller, form: PlanForm) -> Result<(), BackendError> {
        require(caller, Role::Operator)?;
        let done = match form {
            PlanForm::Group { id, name, members } => {
                let members = members.iter().map(|member| entity(member)).collect::<Result<_, _>>()?;
                self.save_form(caller, id, &name, |id, name| Ok(Plan::Group(Group { id, name, members }.checked()?))).await
            }
            PlanForm::Scene { id, name, commands } => {
                let commands = self.scene_commands(&id, &commands)?;
                self.save_form(caller, id, &name, |id, name| Ok(Plan::Scene(Scene { id, name, commands }.checked()?))).await
            }
            PlanForm::Schedule { id, name, enabled, when, cron, offset_min, target, asks } => {
                let offset_min = match offset_min.trim() {
                    "" => 0,
                    text => text.parse().map_err(|_| invalid(&format!("minutes from the sun: \"{}\" is no whole number", clean_text(text, 20))))?,
                };
                let when = match when.as_str() {
                    "sunrise" => When::Sunrise { offset_min },
                    "sunset" => When::Sunset { offset_min },
                    _ => When::Cron { cron: cron.trim().to_owned() },
                };
                let run = match target.strip_prefix("scene:") {
                    Some(scene) => Target::Scene { scene: scene.to_owned() },
                    None => {
                        let entity = entity(&target)?;
                        let before = self.plans.schedules().get(&id).map(|known| known.schedule.run.clone());
                        let before = match before {
                            Some(Target::Command(command)) if command.entity == entity => Some(command.action),
                            _ => None,
                        };
                        let action = self.wished(&entity, &asks, before.as_ref())?.unwrap_or(Action::TurnOff {});
                        Target::Command(SceneCommand { entity, action })
                    }
                };
                self.save_form(caller, id, &name, |id, name| Ok(Plan::Schedule(Schedule { id, name, enabled, when, run }.checked()?))).await
            }
            PlanForm::Delete { kind, id } => match plan_of(&kind) {
                Some((kind, _)) => self.delete_plan(caller, kind, &id).await,
                None => Err(invalid("kind: it is none of group, scene and schedule").into()),
            },
            PlanForm::Run { kind, id } => match plan_of(&kind) {
                Some((PlanKind::Scene, _)) => self.run_and_wait(self.run_scene(caller, &id)).await,
                Some((PlanKind::Schedule, _)) => self.run_and_wait(self.run_schedule(caller, &id)).await,
                _ => Err(invalid("kind: it is neither scene nor schedule").into()),
            },
        };
        done.map_err(|error| match error {
            PlanError::Bad(bad) => BackendError::Invalid(bad.to_string()),
            PlanError::Conflict(why) => BackendError::Invalid(why),
            PlanError::Refused(error) => error,
        })
    }

    async fn save_form(
        &self,
        caller: &Caller,
        id: String,
        name: &str,
        plan: impl FnOnce(String, String) -> Result<Plan, PlanError>,
    ) -> Result<(), PlanError> {
        let is_new = id.is_empty();
        // A name is enough: `Good night` is `good_night`.
        let id = if is_new { slug(name.trim()).chars().take(MAX_PLAN_ID_BYTES).collect() } else { id };
        self.put_plan(caller, plan(id, name.to_owned())?, is_new).await.map(drop)
    }

    /// The commands of a scene's form, and those of before that the form did not show.
    fn scene_commands(&self, id: &str, rows: &[(String, Asks)]) -> Result<Vec<SceneCommand>, BackendError> {
        let before = self.plans.scenes().get(id).map(|known| known.scene.clone());
        let before = before.map(|scene| shown_scene(scene, &self.state().fleet).commands).unwrap_or_default();
        let mut commands: Vec<SceneCommand> = {
            let state = self.state();
            before.iter().filter(|command| !is_simple(command, &state.fleet)).cloned().collect()
        };
        for (of, asks) in rows {
            let entity = entity(of)?;
            let known = before.iter().find(|command| command.entity == entity).map(|command| &command.action);
            if let Some(action) = self.wished(&entity, asks, known)? {
                commands.push(SceneCommand { entity, action });
            }
        }
        Ok(commands)
    }

    /// What a form asks of an entity; `None` leaves it as it is. What the form does not show of the same action stays.
    fn wished(&self, entity: &EntityId, asks: &Asks, before: Option<&Action>) -> Result<Option<Action>, BackendError> {
        let Asks { action, brightness, value } = asks;
        let (name, kind) = {
            let state = self.state();
            (name_of(entity, &state.fleet), state.fleet.entity(entity).map(|view| view.kind))
        };
        let percent = |field: &str, text: &str| {
            let percent = text.trim().parse().ok().filter(|percent: &u8| *percent <= 100);
            let bad = || invalid(&format!("{field} of {name}: \"{}\" is no whole number from 0 to 100", clean_text(text, 20)));
            percent.ok_or_else(bad)
        };
        let brightness = if brightness.trim().is_empty() { None } else { Some(percent("brightness", brightness)?) };
        let wish = || match kind {
            Some(EntityKind::Cover) => Ok(Wish { position: Some(percent("position", value)?), ..Wish::default() }),
            _ if value.is_empty() => Err(invalid(&format!("value of {name}: it is missing"))),
            Some(EntityKind::Number) => match value.trim().parse::<f64>() {
                Ok(n) if n.is_finite() => Ok(Wish { value: Some(Value::Number(n)), ..Wish::default() }),
                _ => Err(invalid(&format!("value of {name}: \"{}\" is no number", clean_text(value, 40)))),
            },
            _ => Ok(Wish { value: Some(Value::Text(clean_text(value, 255))), ..Wish::default() }),
        };
        Ok(match (action.as_str(), before) {
            ("", _) => None,
            ("turn_on", Some(Action::TurnOn { color_temp, .. })) => Some(Action::TurnOn { brightness, color_temp: *color_temp }),
            ("turn_on", _) => Some(Action::TurnOn { brightness, color_temp: None }),
            ("turn_off", _) => Some(Action::TurnOff {}),
            ("press", _) => Some(Action::Press {}),
            ("open", _) => Some(Action::Open {}),
            ("close", _) => Some(Action::Close {}),
            ("stop", _) => Some(Action::Stop {}),
            ("set", _) => Some(Action::Set(Box::new(wish()?))),
            (other, _) => return Err(invalid(&format!("command for {name}: \"{}\" is unknown", clean_text(other, 40)))),
        })
    }

    async fn run_and_wait(&self, run: Result<Run, PlanError>) -> Result<(), PlanError> {
        let (id, end) = (run?.id, Instant::now() + MOST_WAIT);
        while Instant::now() < end && self.plans.run(&id).is_some_and(|run| run.ended.is_none()) {
            sleep_until((Instant::now() + LOOK).min(end)).await;
        }
        Ok(())
    }
}

/// `scene:evening`, or `scene` alone.
fn plan_of(text: &str) -> Option<(PlanKind, &str)> {
    let (kind, id) = text.split_once(':').unwrap_or((text, ""));
    let kind = [PlanKind::Group, PlanKind::Scene, PlanKind::Schedule].into_iter().find(|known| known.as_str() == kind)?;
    Some((kind, id))
}

fn invalid(why: &str) -> BackendError {
    BackendError::Invalid(why.to_owned())
}

fn entity(text: &str) -> Result<EntityId, BackendError> {
    EntityId::parse(text).map_err(|_| invalid(&format!("\"{}\" is no entity", clean_text(text, 80))))
}

/// Whether a form shows all that the command asks: what it does not show, it leaves as it is.
fn is_simple(command: &SceneCommand, fleet: &Fleet) -> bool {
    use EntityKind::{Button, Cover, Number, Select, Text};
    match (fleet.entity(&command.entity).map(|view| view.kind), &command.action) {
        (Some(Cover), Action::Set(wish)) => wish.position.is_some(),
        (Some(Number | Select | Text), Action::Set(wish)) => wish.value.is_some(),
        (Some(Cover), action) => matches!(action, Action::Open {} | Action::Close {} | Action::Stop {}),
        (Some(Button), action) => matches!(action, Action::Press {}),
        (Some(Number | Select | Text), _) => false,
        // Of what is not there it is not known.
        (_, action) => matches!(action, Action::TurnOn { .. } | Action::TurnOff {}),
    }
}

fn fields(action: &Action) -> Asks {
    let (brightness, value) = match action {
        Action::TurnOn { brightness, .. } => (brightness.map(|percent| percent.to_string()), None),
        Action::Set(wish) => {
            let position = wish.position.map(|percent| percent.to_string());
            (None, position.or_else(|| wish.value.as_ref().map(|value| value.words(None).into_owned())))
        }
        _ => (None, None),
    };
    Asks { action: action.as_str().to_owned(), brightness: brightness.unwrap_or_default(), value: value.unwrap_or_default() }
}

/// What can be set, or of groups what can be switched: what is chosen first, then the others in the order of the overview. Chosen ones that are not there keep their place.
fn choices(fleet: &Fleet, chosen: &[EntityId], of_all_kinds: bool) -> Vec<Choice> {
    let views = fleet.entities();
    let choice =
        |view: &EntityView| Choice { entity: view.id.to_string(), name: name_of(&view.id, fleet), kind: view.kind, limits: view.limits.clone() };
    let first = chosen.iter().map(|id| {
        let view = views.iter().find(|view| view.id == *id);
        view.map_or_else(|| Choice { entity: id.to_string(), name: id.to_string(), kind: EntityKind::Light, limits: Limits::default() }, choice)
    });
    let can_be = |view: &&EntityView| {
        let can = view.kind.is_switchable() || (of_all_kinds && view.kind.has_control());
        can && view.settable && !chosen.contains(&view.id) && (of_all_kinds || !fleet.is_group(&view.id))
    };
    first.chain(views.iter().filter(can_be).map(choice)).take(MOST_CHOICES.max(chosen.len())).collect()
}

fn name_of(id: &EntityId, fleet: &Fleet) -> String {
    let Some(view) = fleet.entity(id) else { return id.to_string() };
    let area = view.area.as_ref().and_then(|area| fleet.areas().iter().find(|known| known.id == *area));
    match area {
        Some(area) if !fleet.is_group(id) => format!("{}, {}", view.name, area.name),
        _ => view.name,
    }
}

/// `Hall lamp on, 40 %`.
fn command_words(command: &SceneCommand, fleet: &Fleet) -> String {
    format!("{} {}", name_of(&command.entity, fleet), action_words(&command.action))
}

fn action_words(action: &Action) -> String {
    match action {
        Action::TurnOn { brightness: Some(percent), .. } => format!("on at {percent} %"),
        Action::TurnOn { .. } => "on".to_owned(),
        Action::TurnOff {} => "off".to_owned(),
        Action::Set(wish) => match (wish.position, &wish.value) {
            (Some(percent), _) => format!("to {percent} %"),
            (_, Some(value)) => format!("to {}", clean_text(&value.words(None), 60)),
            _ => "set".to_owned(),
        },
        other => other.as_str().replace('_', " "),
    }
}

fn run_row(run: &Run, fleet: &Fleet, zone: &TimeZone) -> RunRow {
    let member = |member: &RunMember| {
        let reason = member.reason.as_deref().map(|reason| format!(" ({})", clean_text(reason, 200))).unwrap_or_default();
        let words = format!("{} {}: {}{reason}", name_of(&member.entity, fleet), action_words(&member.action), member.state.as_str());
        (words, member.state)
    };
    RunRow { state: run.state, t: run.t, when: moment(run.t, zone), who: run.who.clone(), members: run.members.iter().map(member).collect() }
}

/// `Fri 12 Jun 2026, 14:03`, in a zone.
fn moment(at: Timestamp, zone: &TimeZone) -> String {
    let Ok(at) = jiff::Timestamp::from_millisecond(at.as_ms()) else { return String::new() };
    at.to_zoned(zone.clone()).strftime("%a %-d %b %Y, %H:%M").to_string()
}
