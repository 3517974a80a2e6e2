//! Scenes: a named set of commands that go out together, and what came of them.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value as Json};

use crate::command::{Action, CommandId, CommandState};
use crate::entity::EntityId;
use crate::group::{BadPlan, check_id, checked_name};
use crate::time::Timestamp;

/// Most scenes of a server.
pub const MAX_SCENES: usize = 200;
/// Most commands of a scene.
pub const MAX_COMMANDS: usize = 100;

/// A named set of commands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Scene {
    /// `[a-z0-9_-]`, at most [`MAX_PLAN_ID_BYTES`](crate::group::MAX_PLAN_ID_BYTES).
    pub id: String,
    /// Shown name.
    pub name: String,
    /// What it asks for: 1 to [`MAX_COMMANDS`], each entity once.
    pub commands: Vec<SceneCommand>,
}

/// What is asked of one entity. On the wire `{"entity":"hall.light","action":"turn_on","brightness":80}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SceneCommand {
    /// Of whom; a group too.
    pub entity: EntityId,
    /// What.
    #[serde(flatten)]
    pub action: Action,
}

impl<'de> Deserialize<'de> for SceneCommand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Map::<String, Json>::deserialize(deserializer)?;
        Self::read(fields).map_err(|bad| serde::de::Error::custom(bad.reason))
    }
}

impl SceneCommand {
    /// Reads the fields of a command.
    ///
    /// # Errors
    /// [`BadPlan`] names the field.
    pub fn read(mut fields: Map<String, Json>) -> Result<Self, BadPlan> {
        let bad = |field: &str, error: &dyn std::fmt::Display| BadPlan::new(field, error.to_string());
        let entity = fields.remove("entity").ok_or_else(|| BadPlan::new("entity", "it is missing"))?;
        let entity = EntityId::deserialize(entity).map_err(|error| bad("entity", &error))?;
        let action = Action::deserialize(Json::Object(fields)).map_err(|error| bad("action", &error))?;
        Ok(Self { entity, action })
    }
}

impl Scene {
    /// Reads a scene as REST takes it, and checks it.
    ///
    /// # Errors
    /// [`BadPlan`] names the field: `commands[3].action`.
    pub fn read(id: String, body: &Map<String, Json>) -> Result<Self, BadPlan> {
        known_fields(body, &["id", "name", "commands"])?;
        let name = text(body, "name")?;
        let Some(Json::Array(all)) = body.get("commands") else { return Err(BadPlan::new("commands", "a list of commands is needed")) };
        let mut commands = Vec::with_capacity(all.len().min(MAX_COMMANDS));
        for (n, command) in all.iter().enumerate().take(MAX_COMMANDS + 1) {
            let Json::Object(fields) = command else { return Err(BadPlan::new(format!("commands[{n}]"), "it is no object")) };
            let command = SceneCommand::read(fields.clone()).map_err(|bad| BadPlan::new(format!("commands[{n}].{}", bad.field), bad.reason))?;
            commands.push(command);
        }
        Self { id, name, commands }.checked()
    }

    /// The scene, if it is right in itself.
    ///
    /// # Errors
    /// [`BadPlan`] names the field.
    pub fn checked(self) -> Result<Self, BadPlan> {
        check_id(&self.id)?;
        let name = checked_name(&self.name)?;
        if self.commands.is_empty() || self.commands.len() > MAX_COMMANDS {
            return Err(BadPlan::new("commands", format!("a scene has 1 to {MAX_COMMANDS} commands, not {}", self.commands.len())));
        }
        for (n, command) in self.commands.iter().enumerate() {
            if self.commands[..n].iter().any(|known| known.entity == command.entity) {
                return Err(BadPlan::new(format!("commands[{n}].entity"), format!("{} has a command already", command.entity)));
            }
        }
        Ok(Self { name, ..self })
    }
}

/// A text field of a body.
pub(crate) fn text(body: &Map<String, Json>, field: &str) -> Result<String, BadPlan> {
    match body.get(field) {
        Some(Json::String(text)) => Ok(text.clone()),
        _ => Err(BadPlan::new(field, "a text is needed")),
    }
}

/// Refuses a field that nobody reads: a typing error must not leave a default in force.
pub(crate) fn known_fields(body: &Map<String, Json>, known: &[&str]) -> Result<(), BadPlan> {
    match body.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(BadPlan::new(crate::device::clean_text(key, 80), format!("there is no such field; there are {}", known.join(", ")))),
        None => Ok(()),
    }
}

/// One run of a scene or a schedule: what was asked, and how far it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Run {
    /// Made by the server.
    pub id: String,
    /// The scene, when it was one.
    #[serde(default)]
    pub scene: Option<String>,
    /// The schedule that it was run for.
    #[serde(default)]
    pub schedule: Option<String>,
    /// Who ran it: a user, or `schedule <id>`.
    pub who: String,
    /// When.
    pub t: Timestamp,
    /// How all of it stands: `sent` while something is on its way, then `confirmed` (or `accepted` where nobody reports a state), `unconfirmed`
    /// or `failed`.
    pub state: CommandState,
    /// When the last member ended.
    #[serde(default)]
    pub ended: Option<Timestamp>,
    /// The commands.
    pub members: Vec<RunMember>,
}

/// One command of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RunMember {
    /// Of whom.
    pub entity: EntityId,
    /// What was asked.
    pub action: Action,
    /// Its command; `None` for one that was refused before it was any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandId>,
    /// Where it stands.
    pub state: CommandState,
    /// Why it ended so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Milliseconds from sending to this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<i64>,
    /// It reports no state: `accepted` is all that will be known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
}

impl RunMember {
    /// Whether nothing more will follow.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.state.is_final() || (self.assumed && matches!(self.state, CommandState::Accepted))
    }
}

impl Run {
    /// Whether nothing more will follow from any member.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.members.iter().all(RunMember::is_over)
    }

    /// What came of all members together.
    #[must_use]
    pub fn outcome(&self) -> CommandState {
        let any = |wanted: fn(&CommandState) -> bool| self.members.iter().any(|member| wanted(&member.state));
        if any(|state| matches!(state, CommandState::Failed | CommandState::Refused)) {
            CommandState::Failed
        } else if self.members.iter().any(|member| !member.is_over() || member.state == CommandState::Unconfirmed) {
            CommandState::Unconfirmed
        } else if any(|state| *state == CommandState::Confirmed) {
            CommandState::Confirmed
        } else {
            CommandState::Accepted
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(body: &Json) -> Result<Scene, BadPlan> {
        let Json::Object(body) = body else { panic!("an object") };
        Scene::read("evening".into(), body)
    }

    #[test]
    fn a_scene_is_read_as_it_is_written() {
        let body = json!({"name": "Evening", "commands": [
            {"entity": "hall.light", "action": "turn_on", "brightness": 30},
            {"entity": "group.pumps", "action": "turn_off"},
        ]});
        let scene = read(&body).expect("a scene");
        assert_eq!(scene.commands[0].action, Action::TurnOn { brightness: Some(30), color_temp: None });
        let written = serde_json::to_value(&scene).expect("JSON");
        assert_eq!((&written["commands"], &written["id"]), (&body["commands"], &json!("evening")));
        assert_eq!(serde_json::from_value::<Scene>(written).expect("reads"), scene);
    }

    #[test]
    fn a_scene_that_makes_no_sense_is_refused_with_its_field() {
        let ok = json!({"entity": "hall.light", "action": "turn_on"});
        for (body, field) in [
            (json!({"commands": [ok]}), "name"),
            (json!({"name": "", "commands": [ok]}), "name"),
            (json!({"name": "a"}), "commands"),
            (json!({"name": "a", "commands": []}), "commands"),
            (json!({"name": "a", "commands": vec![ok.clone(); MAX_COMMANDS + 1]}), "commands"),
            (json!({"name": "a", "commands": [5]}), "commands[0]"),
            (json!({"name": "a", "commands": [ok, ok]}), "commands[1].entity"),
            (json!({"name": "a", "commands": [{"entity": "NO", "action": "turn_on"}]}), "commands[0].entity"),
            (json!({"name": "a", "commands": [ok, {"entity": "b.light", "action": "explode"}]}), "commands[1].action"),
            (json!({"name": "a", "commands": [ok], "comands": []}), "comands"),
        ] {
            assert_eq!(read(&body).expect_err("refused").field, field, "{body}");
        }
    }

    #[test]
    fn a_run_is_as_good_as_its_worst_member() {
        use CommandState::{Accepted, Confirmed, Failed, Refused, Unconfirmed};
        let member = |&(state, assumed): &(CommandState, bool)| RunMember {
            entity: EntityId::parse("a.light").expect("id"),
            action: Action::TurnOff {},
            command: None,
            state,
            reason: None,
            after_ms: None,
            assumed,
        };
        for (of, outcome, is_over) in [
            (vec![(Confirmed, false), (Accepted, true)], Confirmed, true),
            (vec![(Accepted, true)], Accepted, true),
            (vec![(Confirmed, false), (Accepted, false)], Unconfirmed, false),
            (vec![(Confirmed, false), (Unconfirmed, false)], Unconfirmed, true),
            (vec![(Unconfirmed, false), (Refused, false)], Failed, true),
            (vec![(Failed, false)], Failed, true),
        ] {
            let members = of.iter().map(member).collect();
            let run = Run {
                id: String::new(),
                scene: None,
                schedule: None,
                who: String::new(),
                t: Timestamp::from_ms(0),
                state: CommandState::Sent,
                ended: None,
                members,
            };
            assert_eq!((run.outcome(), run.is_over()), (outcome, is_over), "{of:?}");
        }
    }

    proptest! {
        #[test]
        fn any_json_is_read_or_refused(name in "\\PC{0,90}", entity in "[a-z.0-9]{0,9}", action in "(turn_on|turn_off|toggle|[a-z]{3})", n in 0_usize..4) {
            let body = json!({"name": name, "commands": vec![json!({"entity": entity, "action": action, "brightness": n * 50}); n]});
            if let Ok(scene) = read(&body) {
                let again = serde_json::to_value(&scene).expect("JSON");
                prop_assert_eq!(serde_json::from_value::<Scene>(again).expect("reads").checked(), Ok(scene));
            }
        }
    }
}
