//! Schedules: when something is done by itself.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value as Json};

use crate::group::{BadPlan, check_id, checked_name};
use crate::scene::{SceneCommand, known_fields, text};
use crate::time::Timestamp;

/// Most schedules of a server.
pub const MAX_SCHEDULES: usize = 200;
/// Most minutes between the sun and a schedule: half a day, before or after.
pub const MAX_OFFSET_MIN: i32 = 720;
/// Longest cron pattern, in bytes.
pub const MAX_CRON_BYTES: usize = 120;

/// Something that is done by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Schedule {
    /// `[a-z0-9_-]`, at most [`MAX_PLAN_ID_BYTES`](crate::group::MAX_PLAN_ID_BYTES).
    pub id: String,
    /// Shown name.
    pub name: String,
    /// Whether it runs by itself.
    pub enabled: bool,
    /// When.
    pub when: When,
    /// What.
    pub run: Target,
}

/// When a schedule runs. On the wire `{"type":"cron","cron":"0 7 * * 1-5"}` or `{"type":"sunset","offset_min":-30}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum When {
    /// At every minute of the server's zone that matches.
    Cron {
        /// Minute, hour, day of month, month, day of week.
        #[cfg_attr(feature = "schema", schema(max_length = 120))]
        cron: String,
    },
    /// When the sun rises.
    Sunrise {
        /// Minutes after it, negative before.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = -720, maximum = 720))]
        offset_min: i32,
    },
    /// When the sun sets.
    Sunset {
        /// Minutes after it, negative before.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = -720, maximum = 720))]
        offset_min: i32,
    },
}

/// What a schedule does. On the wire `{"scene":"evening"}`, or a command as scenes have it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Target {
    /// Runs a scene.
    Scene {
        /// Its id.
        scene: String,
    },
    /// Asks an entity, or a group, for something.
    Command(SceneCommand),
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Map::<String, Json>::deserialize(deserializer)?;
        Self::read(&fields).map_err(serde::de::Error::custom)
    }
}

impl Target {
    fn read(fields: &Map<String, Json>) -> Result<Self, BadPlan> {
        if fields.contains_key("scene") {
            known_fields(fields, &["scene"])?;
            return Ok(Self::Scene { scene: text(fields, "scene")? });
        }
        SceneCommand::read(fields.clone()).map(Self::Command)
    }
}

impl When {
    /// The word of the wire: `cron`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Cron { .. } => "cron",
            Self::Sunrise { .. } => "sunrise",
            Self::Sunset { .. } => "sunset",
        }
    }

    /// As a person reads it: `30 min before sunset`, or the pattern.
    #[must_use]
    pub fn words(&self) -> String {
        let (sun, offset) = match self {
            Self::Cron { cron } => return cron.clone(),
            Self::Sunrise { offset_min } => ("sunrise", *offset_min),
            Self::Sunset { offset_min } => ("sunset", *offset_min),
        };
        match offset {
            0 => format!("at {sun}"),
            ..0 => format!("{} min before {sun}", offset.unsigned_abs()),
            1.. => format!("{offset} min after {sun}"),
        }
    }
}

impl Schedule {
    /// Reads a schedule as REST takes it, and checks it, its pattern apart: whoever runs it reads that.
    ///
    /// # Errors
    /// [`BadPlan`] names the field.
    pub fn read(id: String, body: &Map<String, Json>) -> Result<Self, BadPlan> {
        known_fields(body, &["id", "name", "enabled", "when", "run"])?;
        let name = text(body, "name")?;
        let enabled = match body.get("enabled") {
            None => true,
            Some(Json::Bool(enabled)) => *enabled,
            Some(_) => return Err(BadPlan::new("enabled", "true or false is needed")),
        };
        let when = body.get("when").ok_or_else(|| BadPlan::new("when", "it is missing"))?;
        let when = When::deserialize(when).map_err(|error| BadPlan::new("when", error.to_string()))?;
        let Some(Json::Object(run)) = body.get("run") else { return Err(BadPlan::new("run", "a scene or a command is needed")) };
        let run = Target::read(run).map_err(|bad| BadPlan::new(format!("run.{}", bad.field), bad.reason))?;
        Self { id, name, enabled, when, run }.checked()
    }

    /// The schedule, if it is right in itself.
    ///
    /// # Errors
    /// [`BadPlan`] names the field.
    pub fn checked(self) -> Result<Self, BadPlan> {
        check_id(&self.id)?;
        let name = checked_name(&self.name)?;
        match &self.when {
            When::Cron { cron } if cron.len() > MAX_CRON_BYTES => {
                return Err(BadPlan::new("when.cron", format!("at most {MAX_CRON_BYTES} characters are allowed")));
            }
            When::Cron { .. } => {}
            When::Sunrise { offset_min } | When::Sunset { offset_min } => {
                if !(-MAX_OFFSET_MIN..=MAX_OFFSET_MIN).contains(offset_min) {
                    return Err(BadPlan::new("when.offset_min", format!("it must be between -{MAX_OFFSET_MIN} and {MAX_OFFSET_MIN}")));
                }
            }
        }
        if let Target::Scene { scene } = &self.run {
            check_id(scene).map_err(|bad| BadPlan::new("run.scene", bad.reason))?;
        }
        Ok(Self { name, ..self })
    }
}

/// Runs that did not take place: the server was not there, or its clock was set past them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Missed {
    /// How many; [`MOST_MISSED`] means at least so many.
    pub count: u32,
    /// When the first was due.
    pub first: Timestamp,
    /// When the last was due.
    pub last: Timestamp,
    /// When that was noticed.
    pub noticed: Timestamp,
}

/// Missed runs are counted up to here.
pub const MOST_MISSED: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Action;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(body: &Json) -> Result<Schedule, BadPlan> {
        let Json::Object(body) = body else { panic!("an object") };
        Schedule::read("s".into(), body)
    }

    fn with(when: &Json, run: &Json) -> Json {
        json!({"name": "Morning", "when": when, "run": run})
    }

    #[test]
    fn a_schedule_is_read_as_it_is_written() {
        let scene = json!({"scene": "evening"});
        let command = json!({"entity": "hall.light", "action": "turn_on", "brightness": 30});
        for (when, run, words) in [
            (json!({"type": "cron", "cron": "0 7 * * 1-5"}), &scene, "0 7 * * 1-5"),
            (json!({"type": "sunset", "offset_min": -30}), &command, "30 min before sunset"),
            (json!({"type": "sunrise", "offset_min": 5}), &command, "5 min after sunrise"),
            (json!({"type": "sunrise", "offset_min": 0}), &command, "at sunrise"),
        ] {
            let schedule = read(&with(&when, run)).expect("a schedule");
            assert_eq!((schedule.when.words().as_str(), schedule.enabled), (words, true));
            let written = serde_json::to_value(&schedule).expect("JSON");
            assert_eq!((&written["when"], &written["run"]), (&when, run));
            assert_eq!(serde_json::from_value::<Schedule>(written).expect("reads"), schedule);
        }
        let Target::Command(command) = read(&with(&json!({"type": "sunset"}), &command)).expect("a schedule").run else { panic!("a command") };
        assert_eq!(command.action, Action::TurnOn { brightness: Some(30), color_temp: None });
    }

    #[test]
    fn a_schedule_that_makes_no_sense_is_refused_with_its_field() {
        let (cron, scene) = (json!({"type": "cron", "cron": "* * * * *"}), json!({"scene": "evening"}));
        for (body, field) in [
            (json!({"when": cron, "run": scene}), "name"),
            (json!({"name": "a", "run": scene}), "when"),
            (json!({"name": "a", "when": cron}), "run"),
            (with(&json!({"type": "moon"}), &scene), "when"),
            (with(&json!({"type": "sunset", "offset": 3}), &scene), "when"),
            (with(&json!({"type": "sunset", "offset_min": 721}), &scene), "when.offset_min"),
            (with(&json!({"type": "cron", "cron": "*".repeat(200)}), &scene), "when.cron"),
            (with(&cron, &json!({"scene": 5})), "run.scene"),
            (with(&cron, &json!({"scene": "No"})), "run.scene"),
            (with(&cron, &json!({"scene": "a", "entity": "b.c"})), "run.entity"),
            (with(&cron, &json!({"entity": "b.c"})), "run.action"),
            (json!({"name": "a", "enabled": 1, "when": cron, "run": scene}), "enabled"),
            (json!({"name": "a", "when": cron, "run": scene, "cron": 1}), "cron"),
        ] {
            assert_eq!(read(&body).expect_err("refused").field, field, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_json_is_read_or_refused(kind in "(cron|sunrise|sunset|[a-z]{1,6})", n in any::<i32>(), cron in "\\PC{0,130}", scene in "\\PC{0,9}") {
            for when in [json!({"type": kind, "cron": cron}), json!({"type": kind, "offset_min": n})] {
                if let Ok(schedule) = read(&with(&when, &json!({"scene": scene}))) {
                    let again = serde_json::to_value(&schedule).expect("JSON");
                    prop_assert_eq!(serde_json::from_value::<Schedule>(again).expect("reads").checked(), Ok(schedule));
                }
            }
        }
    }
}
