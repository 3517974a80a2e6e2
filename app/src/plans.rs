//! What the page of groups, scenes and schedules shows, and what its forms say. Texts are ready to be shown: the page has no rules of its own.

use domain::command::CommandState;
use domain::control::Limits;
use domain::entity::EntityKind;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::backend::Shell;

/// The cookie that names a form that was refused.
pub const DRAFT_COOKIE: &str = "draft";

/// The name of the form that was refused, provided as context by the HTTP layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft(pub String);

/// What the page is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenesRequest {
    /// What is edited: `scene:evening`, or `scene` for a new one.
    #[serde(default)]
    pub edit: String,
    /// What somebody is asked about taking away: `scene:evening`.
    #[serde(default)]
    pub delete: String,
    /// What became of the form before, as the address says it.
    #[serde(default)]
    pub err: String,
    /// The name of the form that was refused, as its cookie says it.
    #[serde(default)]
    pub draft: String,
}

/// The page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenesPage {
    /// Around it.
    pub shell: Shell,
    /// Why the form before was not taken, in words; empty when it was.
    pub problem: String,
    /// The scenes, by id.
    pub scenes: Vec<SceneRow>,
    /// The groups, by id.
    pub groups: Vec<GroupRow>,
    /// The schedules, by id.
    pub schedules: Vec<ScheduleRow>,
    /// What is edited.
    pub form: Option<Form>,
    /// What somebody is asked about taking away: kind, id, name.
    pub question: Option<(String, String, String)>,
    /// The zone of the schedules: `Europe/Berlin`.
    pub zone: String,
    /// The configuration says where the plant stands.
    pub has_place: bool,
}

/// A scene.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SceneRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it asks for: `Hall lamp on, 40 %`.
    pub commands: Vec<String>,
    /// Its last run.
    pub last: Option<RunRow>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it shows: `Mixed · 2 of 3 on`.
    pub state: String,
    /// The names of its members.
    pub members: Vec<String>,
}

/// A schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduleRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When: `30 min before sunset`.
    pub when: String,
    /// What: `Scene Evening`.
    pub what: String,
    /// When next, in the server's zone; or why not: `no sunrise in the next year`.
    pub next: String,
    /// Runs that were missed: `6 missed, last Tue 12 Jun 2026 07:00`; empty when none were.
    pub missed: String,
    /// Its last run.
    pub last: Option<RunRow>,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    /// How all of it stands.
    pub state: CommandState,
    /// When it began.
    pub t: Timestamp,
    /// The same in words.
    pub when: String,
    /// Who ran it.
    pub who: String,
    /// What became of each: `Hall lamp on: confirmed`.
    pub members: Vec<(String, CommandState)>,
}

/// What is edited. An empty id is a new one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Form {
    /// A group.
    Group {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
        /// What can be a member, and whether it is.
        choices: Vec<(Choice, bool)>,
    },
    /// A scene.
    Scene {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
        /// What can be asked, and what is.
        choices: Vec<(Choice, Asks)>,
        /// Commands that this form does not show, and leaves as they are.
        n_others: usize,
    },
    /// A schedule.
    Schedule {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
        /// It runs by itself.
        enabled: bool,
        /// `cron`, `sunrise` or `sunset`.
        when: String,
        /// The pattern.
        cron: String,
        /// Minutes after the sun, negative before.
        offset_min: String,
        /// What can be run: `scene:evening`, or an entity.
        targets: Vec<(String, String)>,
        /// Which of them is.
        target: String,
        /// What is asked of an entity.
        asks: Asks,
    },
}

/// What a form asks of an entity, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asks {
    /// The word of the action, `turn_on`; nothing asks for nothing.
    pub action: String,
    /// Per cent, for `turn_on` of a light; nothing leaves it as it is.
    pub brightness: String,
    /// For `set`: a value, or the position of a cover in per cent.
    pub value: String,
}

/// An entity in a form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Its id.
    pub entity: String,
    /// Its name, with its area.
    pub name: String,
    /// What can be asked of it.
    pub kind: EntityKind,
    /// To what it can be set.
    pub limits: Limits,
}

/// What a form asks for. Texts are as they were typed.
#[derive(Clone, Debug, PartialEq)]
pub enum PlanForm {
    /// A group is made or changed.
    Group {
        /// Its id; empty for a new one.
        id: String,
        /// Its name.
        name: String,
        /// Its members.
        members: Vec<String>,
    },
    /// A scene is made or changed.
    Scene {
        /// Its id; empty for a new one.
        id: String,
        /// Its name.
        name: String,
        /// Each entity, and what is asked of it.
        commands: Vec<(String, Asks)>,
    },
    /// A schedule is made or changed.
    Schedule {
        /// Its id; empty for a new one.
        id: String,
        /// Its name.
        name: String,
        /// It runs by itself.
        enabled: bool,
        /// `cron`, `sunrise` or `sunset`.
        when: String,
        /// The pattern.
        cron: String,
        /// Minutes.
        offset_min: String,
        /// `scene:evening`, or an entity.
        target: String,
        /// What is asked of an entity.
        asks: Asks,
    },
    /// One of them is taken away.
    Delete {
        /// `group`, `scene` or `schedule`.
        kind: String,
        /// Its id.
        id: String,
    },
    /// A scene or a schedule is run.
    Run {
        /// `scene` or `schedule`.
        kind: String,
        /// Its id.
        id: String,
    },
}
