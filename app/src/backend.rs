//! What the pages ask of a server. The server implements it; server functions reach it through the context.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use domain::alarm::Alarm;
use domain::command::{Action, CommandReport, Refusal};
use domain::control::Limits;
use domain::device::{Area, Device, DeviceId};
use domain::entity::EntityId;
use domain::excluded::Excluded;
use domain::history::{Range, Series};
use domain::live::{EntityView, LinkView};
use domain::time::Timestamp;
use domain::words::Words;
use leptos::prelude::use_context;
use serde::{Deserialize, Serialize};

use crate::device::{DeviceForm, DeviceMore, DeviceRequest, Why};
use crate::devices::{DevicesForm, DevicesNews, DevicesPage, DevicesRequest, PublishForm, Told, TopicsPage, TopicsRequest};
use crate::patterns::{PatternsPage, PatternsRequest};
use crate::plans::{PlanForm, ScenesPage, ScenesRequest};

/// What somebody may do. Ordered: each may do all that the one before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Switches and acknowledges.
    Operator,
    /// Manages accounts.
    Admin,
}

impl Role {
    /// The word of the contract: `operator`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// Who asks. Made by the HTTP layer for each request, checked by the [`Backend`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// As the log writes it: `anonymous`.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Where from; `None` where that is not known.
    pub address: Option<IpAddr>,
}

/// What every page shows around its content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shell {
    /// The server's clock when the page was made.
    pub now: Timestamp,
    /// The server's zone, seconds east of UTC.
    pub utc_offset_s: i32,
    /// Version of the server: `0.1.0`.
    pub version: String,
    /// Milliseconds since the server started.
    pub uptime_ms: i64,
    /// Who looks.
    pub user: String,
    /// What they may do.
    pub role: Role,
    /// The areas that hold entities, in the order shown.
    pub areas: Vec<Area>,
    /// Alarms that are not normal, most urgent first.
    pub alarms: Vec<Alarm>,
    /// The brokers.
    pub links: Vec<LinkView>,
}

/// The last hour of an entity, for a tile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// One mean per minute, oldest first, ending with the minute of `Shell::now`; `null` where there was no reading.
    Line(Vec<Option<f64>>),
    /// Spans of on (or of a text, alternating), in milliseconds before `Shell::now`: `(from, to)`, oldest first, `from > to >= 0`.
    Spans(Vec<(i64, i64)>),
}

/// An entity with what its tile shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tile {
    /// The entity and its value.
    pub entity: EntityView,
    /// The last hour.
    pub trend: Trend,
    /// The limits that rules set: drawn into the trend.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
    /// The command on its way, or the one that ended last within half a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandReport>,
}

/// A limit that a rule sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// Where.
    pub value: f64,
    /// How bad it is beyond.
    pub severity: domain::alarm::Severity,
    /// In words: `Critical above 34`.
    pub label: String,
    /// What is beyond it lies below it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_below: bool,
}

/// The overview page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// Around it.
    pub shell: Shell,
    /// All entities that are not hidden, ordered by area as in `shell.areas` (those without an area last), then by their order, then by id.
    pub tiles: Vec<Tile>,
    /// Entities besides them that are left out because too many came that nobody has claimed.
    #[serde(default)]
    pub n_unlisted: usize,
}

/// The page of one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DevicePage {
    /// Around it.
    pub shell: Shell,
    /// The device.
    pub device: Device,
    /// Its entities.
    pub tiles: Vec<Tile>,
    /// Smallest and largest value of the last 24 hours, for each of `tiles`; `None` without numbers.
    pub extremes: Vec<Option<(f64, f64)>>,
    /// The last 24 hours of the first two numbers among `tiles`.
    pub charts: Vec<Series>,
    /// Its last messages, newest first.
    pub messages: Vec<LastMessage>,
    /// By how many milliseconds its clock is wrong, positive when it is ahead; `None` while its times are believed, or it says none.
    pub clock_skew_ms: Option<i64>,
    /// What it shows besides its values.
    #[serde(default)]
    pub more: DeviceMore,
}

/// A message that a device sent, or was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastMessage {
    /// When it arrived.
    pub at: Timestamp,
    /// Its topic.
    pub topic: String,
    /// Its payload as text, cut after 200 characters; hex when it is not UTF-8.
    pub payload: String,
    /// Replayed by the broker.
    pub retained: bool,
    /// A command that went out from here.
    #[serde(default)]
    pub own: bool,
}

/// The history page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// Around it.
    pub shell: Shell,
    /// Everything that can be charted, in the order of the overview.
    pub choices: Vec<EntityView>,
    /// What is charted, at most six.
    pub chosen: Vec<EntityId>,
    /// The range.
    pub range: Range,
    /// The end of the range follows the clock.
    pub is_live: bool,
    /// The server's zone at the end of the range, seconds east of UTC.
    pub utc_offset_s: i32,
    /// The chosen entities' series, in the order of `chosen`.
    pub series: Vec<Series>,
    /// What those of `chosen` said that speak in words; their series are empty.
    #[serde(default)]
    pub words: Vec<Words>,
    /// The limits of each of `chosen`.
    pub limits: Vec<Vec<Limit>>,
    /// The numbers among `chosen` in the period before, which is as long and ends where the range begins. Empty when nobody asked.
    #[serde(default)]
    pub previous: Vec<Series>,
    /// A longer range around, for the overview under the chart. `None` without numbers.
    #[serde(default)]
    pub around: Option<Around>,
    /// Alarms of the chosen entities that lasted in the range, oldest first, each with its end; `None` while it lasts. One that was raised again
    /// is there for each time.
    #[serde(default)]
    pub alarms: Vec<(Alarm, Option<Timestamp>)>,
    /// Commands for the chosen entities in the range, oldest first, with who sent them.
    #[serde(default)]
    pub commands: Vec<(CommandReport, String)>,
    /// Readings of the chosen entities that were taken out of history, newest first, at most a hundred.
    #[serde(default)]
    pub excluded: Vec<Excluded>,
    /// How far back history will reach, in words: `raw 41 days, minutes 2 years, hours 30 years at today's rate`. Empty while that is not known.
    #[serde(default)]
    pub reach: String,
}

/// What lies around the range of a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Around {
    /// Holds the range of the chart, and is several times as long.
    pub range: Range,
    /// The first number of the chart.
    pub series: Series,
}

/// What the history page is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HistoryRequest {
    /// Entity ids; empty takes the first that can be charted.
    #[serde(default)]
    pub entities: Vec<String>,
    /// Preset: `15m`, `1h`, `24h`, `7d`, `30d`, `1y`; empty takes `24h`. Without effect beside both `from` and `to`.
    #[serde(default)]
    pub range: String,
    /// Start of the range: Unix ms, RFC 3339, or a civil time of the server's zone, `2026-06-11T14:03`. Empty is the preset's length before
    /// the end.
    #[serde(default)]
    pub from: String,
    /// End of the range, written as the start. Empty is the preset's length after `from`; without that it is now, and follows the clock.
    #[serde(default)]
    pub to: String,
    /// The period before as well.
    #[serde(default)]
    pub compare: bool,
    /// Most points a series, 50 to 2,000; `None` takes 500.
    #[serde(default)]
    pub points: Option<usize>,
    /// What meters show, instead of what they counted.
    #[serde(default)]
    pub meter: bool,
}

/// The page of the log of what was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivityPage {
    /// Around it.
    pub shell: Shell,
    /// Newest first, at most 50.
    pub rows: Vec<ActivityRow>,
    /// Where the next page begins; `None` where the log ends.
    pub older: Option<String>,
    /// How many entries there are that the request lets through.
    pub n_entries: usize,
    /// There are more, which were not counted.
    pub is_more: bool,
    /// Who stands in the log: as the log writes it, and by name.
    pub people: Vec<(String, String)>,
    /// Days that the log is kept; `None` is for good, or not known.
    pub kept_days: Option<u32>,
}

/// An entry of the log in words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivityRow {
    /// Its place in the log.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Its day, by the server's zone: `Today, Friday 12 June`.
    pub day: String,
    /// When on that day: `14:03:24`.
    pub clock: String,
    /// Icon name without `i-`; empty where a mark stands.
    pub icon: String,
    /// The mark of an alarm.
    #[serde(default)]
    pub mark: Option<(domain::alarm::Severity, domain::alarm::AlarmState)>,
    /// `Floor lamp turned on`.
    pub title: String,
    /// `Living room, from 10.0.4.31`.
    pub note: String,
    /// Who did it.
    pub who: String,
    /// The letters of a person; `None` for what is none.
    #[serde(default)]
    pub initials: Option<String>,
    /// What became of it.
    pub standing: Standing,
    /// The same in words, `Confirmed, 0.9 s`; empty where there is nothing to say.
    pub outcome: String,
    /// Where more is shown.
    #[serde(default)]
    pub href: Option<String>,
}

/// What became of something in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It is simply done.
    None,
    /// The device agrees.
    Confirmed,
    /// Nobody knows yet.
    Pending,
    /// The device does not agree, or was not asked.
    Failed,
}

/// What the page of the log is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActivityRequest {
    /// Stands anywhere in an entry, or in the name of its entity.
    #[serde(default)]
    pub q: String,
    /// `control`, `alarm`, `device`, `history`, `settings` or `system`; empty is all.
    #[serde(default)]
    pub kind: String,
    /// Who did it, as the log writes it; empty is everyone.
    #[serde(default)]
    pub who: String,
    /// Of the entities of which area; empty is all.
    #[serde(default)]
    pub area: String,
    /// Of which entity; empty is all.
    #[serde(default)]
    pub entity: String,
    /// Only what was not confirmed.
    #[serde(default)]
    pub not_confirmed: bool,
    /// Not before: Unix ms or RFC 3339; empty is from the beginning.
    #[serde(default)]
    pub from: String,
    /// Before, written as `from`; empty is up to now.
    #[serde(default)]
    pub to: String,
    /// Where the page begins; empty is the newest entry.
    #[serde(default)]
    pub cursor: String,
}

/// What happened while a page was cut off, or nobody looked at it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Away {
    /// Changes of alarms, at most 99.
    pub n_alarms: usize,
    /// Commands, at most 99.
    pub n_commands: usize,
    /// The newest three of both, newest first.
    pub rows: Vec<ActivityRow>,
}

/// Why the server could not answer a page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum BackendError {
    /// No such thing.
    #[error("{0} was not found")]
    NotFound(String),
    /// The request makes no sense; the text names the field.
    #[error("{0}")]
    Invalid(String),
    /// The caller may not.
    #[error("{0} rights are needed")]
    Forbidden(String),
    /// Our fault; the cause is in the log.
    #[error("the server could not answer")]
    Internal,
}

/// What the pages ask of a server. Rights are checked here, once, for every way in.
#[async_trait]
pub trait Backend: Send + Sync {
    /// The overview.
    async fn overview(&self, caller: &Caller) -> Result<Overview, BackendError>;
    /// One device; `problem` is what the form before was refused for.
    async fn device(&self, caller: &Caller, id: &DeviceId, request: &DeviceRequest, problem: String) -> Result<DevicePage, BackendError>;
    /// Its last messages, newest first. A backend that hears none says so.
    async fn device_messages(&self, _caller: &Caller, id: &DeviceId) -> Result<Vec<LastMessage>, BackendError> {
        Err(BackendError::NotFound(format!("device {id}")))
    }
    /// Does what a form of that page asks for; where to go then. A backend that can change nothing says so.
    async fn change_device(&self, _caller: &Caller, id: &DeviceId, _form: DeviceForm) -> Result<String, BackendError> {
        Err(BackendError::NotFound(format!("device {id}")))
    }
    /// Why there is no data of an entity. A backend that does not know says so.
    async fn why(&self, _caller: &Caller, entity: &EntityId) -> Result<Why, BackendError> {
        Err(BackendError::NotFound(format!("entity {entity}")))
    }
    /// The history page.
    async fn history(&self, caller: &Caller, request: &HistoryRequest) -> Result<HistoryPage, BackendError>;
    /// The page of the log of what was done.
    async fn activity_page(&self, caller: &Caller, request: &ActivityRequest) -> Result<ActivityPage, BackendError>;
    /// How many entries came after the newest of a page, at most 99.
    async fn activity_news(&self, caller: &Caller, request: &ActivityRequest, newest: &str) -> Result<usize, BackendError>;
    /// What happened from a moment on and before another. A backend that keeps no log says so.
    async fn away(&self, _caller: &Caller, _from: Timestamp, _to: Timestamp) -> Result<Away, BackendError> {
        Err(BackendError::NotFound("log".to_owned()))
    }
    /// The frame around a page that has no content of its own yet.
    async fn shell(&self, caller: &Caller) -> Result<Shell, BackendError>;
    /// To what an entity can be set. A backend of which nothing can be set says so.
    async fn limits(&self, _caller: &Caller, entity: &EntityId) -> Result<Limits, BackendError> {
        Err(BackendError::NotFound(entity.to_string()))
    }
    /// Asks a device for something: the first report of the command, `sent`.
    async fn send_command(&self, caller: &Caller, entity: &EntityId, action: Action) -> Result<CommandReport, Refusal>;
    /// Acknowledges an alarm.
    async fn acknowledge_alarm(&self, caller: &Caller, alarm: &str) -> Result<Alarm, BackendError>;
    /// Takes the reading of an entity at a moment out of history.
    async fn exclude_reading(&self, caller: &Caller, entity: &EntityId, at: Timestamp) -> Result<(), BackendError>;
    /// Takes it back.
    async fn include_reading(&self, caller: &Caller, entity: &EntityId, at: Timestamp) -> Result<(), BackendError>;
    /// The page of groups, scenes and schedules; `problem` is what the form before was refused for. A backend that keeps none of them says so.
    async fn scenes_page(&self, _caller: &Caller, _request: &ScenesRequest, _problem: String) -> Result<ScenesPage, BackendError> {
        Err(BackendError::NotFound("scenes".to_owned()))
    }
    /// Keeps a form that was refused, to be shown again; its name for [`ScenesRequest::draft`].
    fn keep_form(&self, _caller: &Caller, _form: PlanForm) -> Option<String> {
        None
    }
    /// The list of devices. A backend that has none says so.
    async fn devices_page(&self, _caller: &Caller, _request: &DevicesRequest) -> Result<DevicesPage, BackendError> {
        Err(BackendError::NotFound("devices".to_owned()))
    }
    /// What is new of devices that stand on a page of that list.
    async fn devices_news(&self, _caller: &Caller, _request: &DevicesRequest, _shown: &[DeviceId]) -> Result<DevicesNews, BackendError> {
        Err(BackendError::NotFound("devices".to_owned()))
    }
    /// Moves, hides or shows several devices; what became of it in words.
    async fn change_devices(&self, _caller: &Caller, _form: DevicesForm) -> Result<Told, BackendError> {
        Err(BackendError::NotFound("devices".to_owned()))
    }
    /// The topic explorer. A backend that hears no topics says so.
    async fn topics_page(&self, _caller: &Caller, _request: &TopicsRequest) -> Result<TopicsPage, BackendError> {
        Err(BackendError::NotFound("topics".to_owned()))
    }
    /// Topic patterns, and what a list of them would match. A backend that has none says so.
    async fn patterns_page(&self, _caller: &Caller, _request: &PatternsRequest) -> Result<PatternsPage, BackendError> {
        Err(BackendError::NotFound("topic patterns".to_owned()))
    }
    /// Puts another list in the place of operators' topic patterns; what became of it in words.
    async fn save_patterns(&self, _caller: &Caller, _patterns: Vec<String>) -> Result<Told, BackendError> {
        Err(BackendError::NotFound("topic patterns".to_owned()))
    }
    /// Publishes a message; returns when the broker has it, or why it has not.
    async fn publish(&self, _caller: &Caller, _form: PublishForm) -> Result<Told, BackendError> {
        Err(BackendError::NotFound("broker".to_owned()))
    }
    /// Clears what brokers retain of devices that are gone; what became of it in words.
    async fn clear_ghosts(&self, _caller: &Caller, _devices: &[String]) -> Result<Told, BackendError> {
        Err(BackendError::NotFound("ghosts".to_owned()))
    }
    /// Keeps what became of a form for the page that its browser is led to; its name.
    fn keep_told(&self, _told: Told) -> Option<String> {
        None
    }
    /// Does what a form of the page of groups, scenes and schedules asks for.
    async fn change_plans(&self, _caller: &Caller, _form: PlanForm) -> Result<(), BackendError> {
        Err(BackendError::NotFound("scenes".to_owned()))
    }
}

/// A shared backend.
pub type SharedBackend = Arc<dyn Backend>;

/// The backend and the caller of this request, from the context that the HTTP layer provided.
///
/// # Errors
/// [`BackendError::Internal`] when the HTTP layer provided none.
pub fn backend() -> Result<(SharedBackend, Caller), BackendError> {
    use_context::<SharedBackend>().zip(use_context::<Caller>()).ok_or(BackendError::Internal)
}
