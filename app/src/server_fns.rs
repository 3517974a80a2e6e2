//! The calls from page to server. Each is a public HTTP endpoint under `/fn`: rights and input are checked behind
//! [`Backend`](crate::backend::Backend), not here.

#![expect(clippy::too_many_arguments, reason = "a field of a form is an argument")]

use domain::alarm::Alarm;
use domain::command::CommandReport;
use domain::control::Limits;
use leptos::prelude::*;
use leptos::server_fn::codec::{JsonEncoding, Post};
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backend::{ActivityPage, ActivityRequest, Away, BackendError, DevicePage, HistoryPage, HistoryRequest, LastMessage, Overview, Shell};
use crate::device::DeviceRequest;
use crate::devices::{DevicesNews, DevicesPage, DevicesRequest, Told, TopicsPage, TopicsRequest};
use crate::patterns::{PatternsPage, PatternsRequest};
use crate::plans::{ScenesPage, ScenesRequest};

/// JSON that the browser reads as text, as it reads the data in a page and the frames of the socket. Leptos's own encoding reads bytes,
/// and with it all reading code would be there twice.
pub struct JsonText;

impl ContentType for JsonText {
    const CONTENT_TYPE: &'static str = JsonEncoding::CONTENT_TYPE;
}

impl FormatType for JsonText {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for JsonText {
    type Error = serde_json::Error;

    fn encode(answer: &T) -> Result<Bytes, Self::Error> {
        serde_json::to_string(answer).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for JsonText {
    type Error = serde_json::Error;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        serde_json::from_str(&String::from_utf8_lossy(&bytes))
    }
}

impl FromServerFnError for BackendError {
    type Encoder = JsonText;

    fn from_server_fn_error(_: ServerFnErrorErr) -> Self {
        Self::Internal
    }
}

/// The overview page.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "overview")]
pub async fn load_overview() -> Result<Overview, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    let overview = crate::status::answer(backend.overview(&caller).await)?;
    Ok(Overview { tiles: crate::tile::trend::compact_all(overview.tiles), ..overview })
}

/// The page of one device. An unknown device gives the page the status 404.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "device")]
pub async fn load_device(
    /// As the address says it.
    request: DeviceRequest,
) -> Result<DevicePage, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    let id = crate::status::answer(crate::status::device_id(&request.id))?;
    let problem = crate::status::refused(&request.err);
    let page = crate::status::answer(backend.device(&caller, &id, &request, problem).await)?;
    Ok(DevicePage { tiles: crate::tile::trend::compact_all(page.tiles), ..page })
}

/// The last messages of a device.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "device-messages")]
pub async fn load_messages(
    /// `temp-sensor-001`.
    id: String,
) -> Result<Vec<LastMessage>, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    backend.device_messages(&caller, &crate::status::device_id(&id)?).await
}

/// Changes a device, or one of its entities. A plain form posts here.
///
/// # Errors
/// [`BackendError::Invalid`] names the field that is wrong.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "device_change")]
pub async fn change_device(
    /// `temp-sensor-001`.
    id: String,
    /// `name`, `area`, `hide`, `show`, `remove`, `merge`, `entity`, `hide-entity`, `show-entity`, `zigbee-name`, `zigbee-remove`, `zigbee-join`.
    act: String,
    /// For `name`, `entity` and `zigbee-name`.
    #[server(default)]
    name: String,
    /// For `area`: an area id, or `-` for where it was found.
    #[server(default)]
    area: String,
    /// For `area`: the name of a new area, which wins.
    #[server(default)]
    new_area: String,
    /// For `merge`: the id of the device that stays.
    #[server(default)]
    into: String,
    /// For `remove` and `zigbee-remove`: `on` when that is meant.
    #[server(default)]
    sure: String,
    /// For `entity` and those that end in it: the id of the entity.
    #[server(default)]
    entity: String,
    /// For `entity`.
    #[server(default)]
    unit: String,
    /// For `entity`: 0 to 3, or nothing.
    #[server(default)]
    precision: String,
    /// For `zigbee-remove`: `on` to forget it also where it does not answer.
    #[server(default)]
    force: String,
    /// For `zigbee-join`: 0 to 254.
    #[server(default)]
    seconds: String,
) -> Result<(), BackendError> {
    use crate::device::DeviceForm;
    let form = match act.as_str() {
        "name" => DeviceForm::Name(name),
        "area" => DeviceForm::Place { area, new_area },
        "hide" | "show" => DeviceForm::Hide(act == "hide"),
        "remove" => DeviceForm::Remove(!sure.is_empty()),
        "merge" => DeviceForm::Merge(into),
        "entity" => DeviceForm::Entity { entity, name, unit, precision },
        "hide-entity" | "show-entity" => DeviceForm::HideEntity(entity, act == "hide-entity"),
        "zigbee-name" => DeviceForm::ZigbeeName(name),
        "zigbee-remove" => DeviceForm::ZigbeeRemove { sure: !sure.is_empty(), force: !force.is_empty() },
        "zigbee-join" => DeviceForm::ZigbeeJoin(seconds),
        _ => return Err(BackendError::Invalid(format!("act \"{}\" is unknown", domain::device::clean_text(&act, 40)))),
    };
    let (backend, caller) = crate::backend::backend()?;
    let to = backend.change_device(&caller, &crate::status::device_id(&id)?, form).await?;
    crate::status::lead_to(&to);
    Ok(())
}

/// The history page.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "history")]
pub async fn load_history(
    /// As the address says it.
    request: HistoryRequest,
) -> Result<HistoryPage, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    crate::status::answer(backend.history(&caller, &request).await)
}

/// The page of the log of what was done.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "activity")]
pub async fn load_activity(
    /// As the address says it.
    request: ActivityRequest,
) -> Result<ActivityPage, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    crate::status::answer(backend.activity_page(&caller, &request).await)
}

/// How many entries of the log are newer than a page.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "activity-news")]
pub async fn count_activity(
    /// As the address of the page says it.
    request: ActivityRequest,
    /// The newest entry of the page.
    newest: String,
) -> Result<usize, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    backend.activity_news(&caller, &request, &newest).await
}

/// What happened while a page was cut off, or nobody looked at it.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "away")]
pub async fn load_away(
    /// Not before, Unix milliseconds.
    from: i64,
    /// Before, Unix milliseconds.
    to: i64,
) -> Result<Away, BackendError> {
    use domain::time::Timestamp;
    let (backend, caller) = crate::backend::backend()?;
    backend.away(&caller, Timestamp::from_ms(from), Timestamp::from_ms(to)).await
}

/// The frame around a page without content of its own.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "shell")]
pub async fn load_shell() -> Result<Shell, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    crate::status::answer(backend.shell(&caller).await)
}

/// Asks a device for something: `turn_on`. The form of a switch posts here when there is no script, those of other controls always.
///
/// # Errors
/// [`BackendError::Invalid`] says why it was refused.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "command")]
pub async fn send_command(
    /// `living-room.light`.
    entity: String,
    /// `turn_on`.
    action: String,
    /// Per cent, for `turn_on`.
    #[server(default)]
    brightness: Option<u8>,
    /// Kelvin, for `turn_on`.
    #[server(default)]
    color_temp: Option<u16>,
    /// For `set` of a number, a select or a text.
    #[server(default)]
    value: Option<String>,
    /// Per cent, for `set` of a cover.
    #[server(default)]
    position: Option<u8>,
    /// For `set` of a climate, in its own unit.
    #[server(default)]
    temperature: Option<f64>,
    /// For `set` of a climate: `heat`.
    #[server(default)]
    mode: Option<String>,
    /// For `set` of a climate: `low`.
    #[server(default)]
    fan_mode: Option<String>,
    /// For `set` of a climate: `away`.
    #[server(default)]
    preset: Option<String>,
) -> Result<CommandReport, BackendError> {
    use domain::command::{Action, Wish};
    use domain::value::Value;
    let (backend, caller) = crate::backend::backend()?;
    let entity = domain::entity::EntityId::parse(&entity).map_err(|error| BackendError::Invalid(error.to_string()))?;
    let action = match action.as_str() {
        "turn_on" => Action::TurnOn { brightness, color_temp },
        "turn_off" => Action::TurnOff {},
        "toggle" => Action::Toggle {},
        "press" => Action::Press {},
        "open" => Action::Open {},
        "close" => Action::Close {},
        "stop" => Action::Stop {},
        "set" => Action::Set(Box::new(Wish { value: value.map(Value::Text), position, temperature, mode, fan_mode, preset })),
        other => return Err(BackendError::Invalid(format!("unknown action \"{other}\""))),
    };
    backend.send_command(&caller, &entity, action).await.map_err(|refusal| BackendError::Invalid(refusal.to_string()))
}

/// To what an entity can be set.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "limits")]
pub async fn load_limits(
    /// `boiler.flow`.
    entity: String,
) -> Result<Limits, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    let entity = domain::entity::EntityId::parse(&entity).map_err(|error| BackendError::Invalid(error.to_string()))?;
    backend.limits(&caller, &entity).await
}

/// Acknowledges an alarm.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "acknowledge")]
pub async fn acknowledge_alarm(
    /// The alarm's id.
    alarm: String,
) -> Result<Alarm, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    backend.acknowledge_alarm(&caller, &alarm).await
}

/// Takes a reading out of history. A plain form posts here.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "exclude")]
pub async fn exclude_reading(
    /// `temp-sensor-001.temperature`.
    entity: String,
    /// When it was taken, Unix milliseconds.
    t: i64,
) -> Result<(), BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    let entity = domain::entity::EntityId::parse(&entity).map_err(|error| BackendError::Invalid(error.to_string()))?;
    backend.exclude_reading(&caller, &entity, domain::time::Timestamp::from_ms(t)).await
}

/// Takes a reading back into history. A plain form posts here.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "include")]
pub async fn include_reading(
    /// `temp-sensor-001.temperature`.
    entity: String,
    /// When it was taken, Unix milliseconds.
    t: i64,
) -> Result<(), BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    let entity = domain::entity::EntityId::parse(&entity).map_err(|error| BackendError::Invalid(error.to_string()))?;
    backend.include_reading(&caller, &entity, domain::time::Timestamp::from_ms(t)).await
}

/// The page of groups, scenes and schedules. Something to edit that there is not gives the page the status 404.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "scenes")]
pub async fn load_scenes(
    /// As the address says it.
    request: ScenesRequest,
) -> Result<ScenesPage, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    let problem = crate::status::refused(&request.err);
    let draft = use_context::<crate::plans::Draft>().map(|draft| draft.0).unwrap_or_default();
    crate::status::answer(backend.scenes_page(&caller, &ScenesRequest { draft, ..request }, problem).await)
}

/// Makes a group or changes it. A plain form posts here.
///
/// # Errors
/// [`BackendError::Invalid`] says what is wrong.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "group_save")]
pub async fn save_group(
    /// Empty for a new one.
    #[server(default)]
    id: String,
    /// Shown name.
    name: String,
    /// Entity ids.
    #[server(default)]
    members: Vec<String>,
) -> Result<(), BackendError> {
    crate::status::change_plans(crate::plans::PlanForm::Group { id, name, members }, "groups").await
}

/// Makes a scene or changes it. A plain form posts here, four fields for each entity.
///
/// # Errors
/// [`BackendError::Invalid`] says what is wrong.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "scene_save")]
pub async fn save_scene(
    /// Empty for a new one.
    #[server(default)]
    id: String,
    /// Shown name.
    name: String,
    /// Entity ids.
    #[server(default)]
    entities: Vec<String>,
    /// `turn_on`, `set`, or nothing, for each.
    #[server(default)]
    actions: Vec<String>,
    /// Per cent, or nothing, for each.
    #[server(default)]
    brightness: Vec<String>,
    /// For `set`: a value or a position, or nothing, for each; left out where none is set.
    #[server(default)]
    values: Vec<String>,
) -> Result<(), BackendError> {
    let n = entities.len();
    if n != actions.len() || n != brightness.len() || !(values.is_empty() || n == values.len()) {
        return Err(BackendError::Invalid("entities, actions, brightness and values are not as many".to_owned()));
    }
    let values = values.into_iter().chain(std::iter::repeat_n(String::new(), n));
    let asks = actions.into_iter().zip(brightness).zip(values).map(|((action, brightness), value)| crate::plans::Asks { action, brightness, value });
    let commands = entities.into_iter().zip(asks).collect();
    crate::status::change_plans(crate::plans::PlanForm::Scene { id, name, commands }, "scenes").await
}

/// Makes a schedule or changes it. A plain form posts here.
///
/// # Errors
/// [`BackendError::Invalid`] says what is wrong.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "schedule_save")]
pub async fn save_schedule(
    /// Empty for a new one.
    #[server(default)]
    id: String,
    /// Shown name.
    name: String,
    /// `on` when it runs by itself.
    #[server(default)]
    enabled: String,
    /// `cron`, `sunrise` or `sunset`.
    when: String,
    /// Five fields.
    #[server(default)]
    cron: String,
    /// Minutes after the sun.
    #[server(default)]
    offset_min: String,
    /// `scene:evening`, or an entity.
    #[server(default)]
    target: String,
    /// `turn_on`, `set` and so on.
    #[server(default)]
    action: String,
    /// Per cent, or nothing.
    #[server(default)]
    brightness: String,
    /// For `set`: a value or a position.
    #[server(default)]
    value: String,
) -> Result<(), BackendError> {
    let enabled = !enabled.is_empty();
    let asks = crate::plans::Asks { action, brightness, value };
    crate::status::change_plans(crate::plans::PlanForm::Schedule { id, name, enabled, when, cron, offset_min, target, asks }, "schedules").await
}

/// Takes a group, scene or schedule away. A plain form posts here.
///
/// # Errors
/// [`BackendError::Invalid`] says what is in the way.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "plan_delete")]
pub async fn delete_plan(
    /// `group`, `scene` or `schedule`.
    kind: String,
    /// Its id.
    id: String,
) -> Result<(), BackendError> {
    crate::status::change_plans(crate::plans::PlanForm::Delete { kind, id }, "").await
}

/// Runs a scene or a schedule. A plain form posts here.
///
/// # Errors
/// [`BackendError::Invalid`] says what is in the way.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "plan_run")]
pub async fn run_plan(
    /// `scene` or `schedule`.
    kind: String,
    /// Its id.
    id: String,
) -> Result<(), BackendError> {
    crate::status::change_plans(crate::plans::PlanForm::Run { kind, id }, "").await
}

/// The list of devices.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "devices")]
pub async fn load_devices(
    /// As the address says it.
    request: DevicesRequest,
) -> Result<DevicesPage, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    crate::status::answer(backend.devices_page(&caller, &request).await)
}

/// What is new of devices on a page of the list.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "devices-news")]
pub async fn refresh_devices(
    /// As the address of the page says it.
    request: DevicesRequest,
    /// The ids of the devices shown.
    #[server(default)]
    shown: Vec<String>,
) -> Result<DevicesNews, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    let shown: Vec<_> = shown.iter().filter_map(|id| domain::device::DeviceId::parse(id).ok()).collect();
    backend.devices_news(&caller, &request, &shown).await
}

/// Moves, hides or shows several devices. A plain form posts here.
///
/// # Errors
/// [`BackendError::Forbidden`] for those who may not; what else is in the way is in the answer.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "devices_change")]
pub async fn change_devices(
    /// Device ids.
    #[server(default)]
    devices: Vec<String>,
    /// `move`, `hide` or `show`.
    act: String,
    /// For `move`: an area id, or `-` for where they were found.
    #[server(default)]
    area: String,
    /// For `move`: the name of a new area, which wins.
    #[server(default)]
    new_area: String,
    /// The address of the page with the form; empty asks for the answer alone.
    #[server(default)]
    back: String,
) -> Result<Told, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    let form = crate::devices::DevicesForm { devices, act, area, new_area };
    let told = crate::status::answer(backend.change_devices(&caller, form).await)?;
    crate::status::lead_back(&*backend, &back, "done", "list", &told);
    Ok(told)
}

/// Clears what brokers retain of devices that are gone. A plain form posts here.
///
/// # Errors
/// [`BackendError::Forbidden`] for those who may not; what else is in the way is in the answer.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "ghosts_clear")]
pub async fn clear_ghosts(
    /// Device ids.
    #[server(default)]
    devices: Vec<String>,
    /// The address of the page with the form; empty asks for the answer alone.
    #[server(default)]
    back: String,
) -> Result<Told, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    let told = crate::status::answer(backend.clear_ghosts(&caller, &devices).await)?;
    crate::status::lead_back(&*backend, &back, "done", "list", &told);
    Ok(told)
}

/// The topic explorer.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "topics")]
pub async fn load_topics(
    /// As the address says it.
    request: TopicsRequest,
) -> Result<TopicsPage, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    crate::status::answer(backend.topics_page(&caller, &request).await)
}

/// Topic patterns, and what a list of them would match.
///
/// # Errors
/// [`BackendError`] as the backend says.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "patterns")]
pub async fn load_patterns(
    /// As the address says it.
    request: PatternsRequest,
) -> Result<PatternsPage, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    crate::status::answer(backend.patterns_page(&caller, &request).await)
}

/// Puts another list in the place of operators' topic patterns. A plain form posts here.
///
/// # Errors
/// [`BackendError::Forbidden`] for those who may not; what else is in the way is in the answer.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "patterns_save")]
pub async fn save_patterns(
    /// All of them, in their order.
    #[server(default)]
    patterns: Vec<String>,
    /// The address of the page with the form; empty asks for the answer alone.
    #[server(default)]
    back: String,
    /// The address of the page with the list that stands.
    #[server(default)]
    standing: String,
) -> Result<Told, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    let told = crate::status::answer(backend.save_patterns(&caller, patterns).await)?;
    let back = if told.failed { &back } else { &standing };
    crate::status::lead_back(&*backend, back, "saved", "patterns", &told);
    Ok(told)
}

/// Publishes a message. A plain form posts here.
///
/// # Errors
/// [`BackendError::Forbidden`] for those who may not; what else is in the way is in the answer.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "publish")]
pub async fn publish(
    /// The topic.
    topic: String,
    /// The payload as text.
    #[server(default)]
    payload: String,
    /// 0, 1 or 2.
    #[server(default)]
    qos: u8,
    /// `on` when the broker shall keep it.
    #[server(default)]
    retain: String,
    /// The broker; empty is the first by name.
    #[server(default)]
    link: String,
    /// The address of the page with the form; empty asks for the answer alone.
    #[server(default)]
    back: String,
) -> Result<Told, BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    let form = crate::devices::PublishForm { topic, payload, qos, retain: !retain.is_empty(), link };
    let told = crate::status::answer(backend.publish(&caller, form).await)?;
    crate::status::lead_back(&*backend, &back, "sent", "publish", &told);
    Ok(told)
}

/// Keeps the theme in a cookie for a year.
///
/// # Errors
/// None of its own.
#[server(prefix = "/fn", output = Post<JsonText>, endpoint = "theme")]
pub async fn set_theme(
    /// `auto`, `light` or `dark`.
    theme: String,
) -> Result<(), BackendError> {
    let cookie =
        format!("{}={}; Path=/; Max-Age=31536000; SameSite=Strict; HttpOnly", crate::theme::COOKIE, crate::theme::Theme::parse(&theme).as_str());
    if let (Some(options), Ok(name), Ok(value)) = (use_context::<leptos_axum::ResponseOptions>(), "set-cookie".parse(), cookie.parse()) {
        options.append_header(name, value);
    }
    Ok(())
}
