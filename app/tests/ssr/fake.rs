//! A backend made of constants: four areas with every kind of tile in every state.

use app::backend::{
    ActivityPage, ActivityRequest, Backend, BackendError, Caller, DevicePage, HistoryPage, HistoryRequest, Limit, Overview, Role, Shell, Tile, Trend,
};
use app::device::DeviceRequest;
use async_trait::async_trait;
use domain::alarm::{Alarm, AlarmState, Severity};
use domain::command::{Action, CommandReport, CommandState, Refusal};
use domain::device::{Area, AreaId, DeviceId};
use domain::entity::{EntityId, EntityKind};
use domain::live::{EntityView, LinkState, LinkView};
use domain::quality::Quality;
use domain::time::{MINUTE_MS, Timestamp};
use domain::value::{LightState, OnOff, Value};

/// Fri 12 Jun 2026, 14:03:26 UTC.
pub(crate) const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_000);

/// What the backend answers.
#[derive(Clone, Default)]
pub(crate) struct Fake {
    pub(crate) areas: Vec<Area>,
    pub(crate) tiles: Vec<Tile>,
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) fails: bool,
}

/// A tile; the entity's key gives name and icon.
pub(crate) fn tile(area: &str, id: &str, name: &str, icon: &str, kind: EntityKind, v: Option<Value>) -> Tile {
    let id = EntityId::parse(id).expect("id");
    Tile {
        entity: EntityView {
            device: DeviceId::parse(id.device()).expect("id"),
            area: Some(AreaId::slug(area)),
            name: name.to_owned(),
            kind,
            unit: None,
            t: v.is_some().then(|| NOW.plus_ms(-4_000)),
            q: if v.is_some() { Quality::Good } else { Quality::Unknown },
            v,
            assumed: false,
            settable: matches!(kind, EntityKind::Light | EntityKind::Switch),
            hidden: false,
            icon: icon.to_owned(),
            precision: None,
            since: Some(NOW.plus_ms(-24 * MINUTE_MS)),
            word_on: None,
            word_off: None,
            offline_since: None,
            topic: ["demo/", id.as_str()].concat(),
            link: None,
            unit_guessed: false,
            limits: domain::control::Limits::default(),
            members: None,
            id,
        },
        trend: Trend::Spans(vec![(45 * MINUTE_MS, 40 * MINUTE_MS), (24 * MINUTE_MS, 0)]),
        limits: vec![],
        command: None,
    }
}

/// A number (value, unit, and where its line begins an hour before).
pub(crate) fn number(area: &str, id: &str, name: &str, icon: &str, (value, unit, from): (f64, &str, f64)) -> Tile {
    let mut tile = tile(area, id, name, icon, EntityKind::Sensor, Some(Value::Number(value)));
    tile.entity.unit = Some(unit.to_owned());
    let wave = |i: u32| (f64::from(i) * 0.9).sin() * (value - from).abs() * 0.08;
    tile.trend = Trend::Line((0..60).map(|i| Some(from + (value - from) * f64::from(i) / 59.0 + wave(i))).collect());
    tile
}

fn light(state: OnOff, brightness: u8, color_temp: Option<u16>) -> Option<Value> {
    Some(Value::Light(LightState { brightness: Some(brightness), color_temp, ..LightState::new(state) }))
}

fn report(entity: &str, state: CommandState) -> CommandReport {
    CommandReport {
        id: "c1".to_owned(),
        entity: EntityId::parse(entity).expect("id"),
        action: Action::TurnOn { brightness: None, color_temp: None },
        state,
        reason: None,
        sent_at: NOW.plus_ms(-2_000),
        after_ms: None,
        usual_ms: None,
    }
}

/// An alarm raised some minutes ago.
pub(crate) fn alarm(entity: &str, severity: Severity, state: AlarmState, condition: &str, minutes: i64) -> Alarm {
    Alarm {
        id: ["rule.", entity].concat(),
        rule: "rule".to_owned(),
        entity: EntityId::parse(entity).expect("id"),
        severity,
        state,
        message: String::new(),
        condition: condition.to_owned(),
        since: NOW.plus_ms(-minutes * MINUTE_MS),
        until: None,
    }
}

impl Fake {
    /// The farm of the design's pictures, without the tiles of later pages.
    pub(crate) fn farm() -> Self {
        let area = |id: &str, name: &str, icon: &str| Area { id: AreaId::slug(id), name: name.to_owned(), icon: Some(icon.to_owned()) };
        let mut door = tile("living", "door.contact", "Garden door", "door", EntityKind::BinarySensor, Some(Value::Bool(false)));
        door.entity.word_off = Some("Closed".to_owned());
        let mut lamp = tile("living", "floor-lamp.switch", "Floor lamp", "power", EntityKind::Switch, Some(Value::Bool(false)));
        lamp.command = Some(report("floor-lamp.switch", CommandState::Sent));
        let mut valve = tile("greenhouse", "misting.valve", "Misting valve", "humidity", EntityKind::Switch, Some(Value::Bool(false)));
        valve.command = Some(report("misting.valve", CommandState::Unconfirmed));
        let mut air = number("greenhouse", "gh.temperature", "Air temperature", "temperature", (34.6, "°C", 30.2));
        air.limits = vec![Limit { value: 34.0, severity: Severity::Critical, label: "Critical above 34".to_owned(), is_below: false }];
        let mut soil = number("greenhouse", "bed-b.moisture", "Soil, bed B", "soil", (18.0, "%", 22.0));
        soil.limits = vec![Limit { value: 20.0, severity: Severity::Warning, label: "Warning below 20".to_owned(), is_below: true }];
        let mut drive = number("pump", "pump-2.rpm", "Pump 2 drive", "pump", (0.0, "rpm", 1_450.0));
        drive.entity.q = Quality::Offline;
        drive.entity.offline_since = Some(NOW.plus_ms(-43 * MINUTE_MS));
        let mut cargo = number("van", "van12.cargo", "Cargo bay", "temperature", (-18.2, "°C", -19.2));
        cargo.entity.q = Quality::Stale;
        cargo.entity.t = Some(NOW.plus_ms(-14 * MINUTE_MS));
        if let Trend::Line(points) = &mut cargo.trend {
            points[46..].fill(None);
        }
        let mut tyre = tile("van", "van12.tyre", "Tyre, front left", "tyre", EntityKind::Sensor, None);
        tyre.entity.unit = Some("bar".to_owned());
        let mut plain = tile("living", "living-room.light", "Reading lamp", "bulb", EntityKind::Light, light(OnOff::On, 80, None));
        plain.entity.assumed = true;
        Self {
            areas: vec![
                area("living", "Living room", "home"),
                area("greenhouse", "Greenhouse 1", "greenhouse"),
                area("pump", "Pump house", "pump"),
                area("van", "Van 12", "van"),
            ],
            tiles: vec![
                number("living", "lr.temperature", "Temperature", "temperature", (21.4, "°C", 20.8)),
                number("living", "lr.humidity", "Humidity", "humidity", (46.0, "%", 45.0)),
                door,
                tile("living", "ceiling.light", "Ceiling light", "bulb", EntityKind::Light, light(OnOff::On, 65, Some(2_900))),
                lamp,
                plain,
                tile("living", "hall.motion", "Hall motion", "motion", EntityKind::BinarySensor, Some(Value::Bool(true))),
                air,
                number("greenhouse", "gh.humidity", "Humidity", "humidity", (71.0, "%", 80.0)),
                soil,
                valve,
                tile("greenhouse", "grow.light", "Grow lights", "bulb", EntityKind::Light, light(OnOff::Off, 80, Some(4_000))),
                tile("greenhouse", "irrigation.mode", "Irrigation", "tag", EntityKind::Sensor, Some(Value::Text("Auto, drip".to_owned()))),
                number("pump", "line.pressure", "Line pressure", "gauge", (3.92, "bar", 3.84)),
                number("pump", "line.flow", "Flow", "flow", (14.2, "m³/h", 13.4)),
                tile("pump", "pump-1.switch", "Pump 1", "pump", EntityKind::Switch, Some(Value::Bool(true))),
                drive,
                number("pump", "motor-1.temperature", "Motor 1", "temperature", (68.3, "°C", 82.0)),
                cargo,
                number("van", "van12.battery", "Starter battery", "battery", (12.1, "V", 12.9)),
                tyre,
                tile("van", "van12.cooling", "Cooling unit", "fan", EntityKind::Switch, Some(Value::Bool(true))),
            ],
            alarms: vec![
                alarm("gh.temperature", Severity::Critical, AlarmState::Unacked, "above 34.0", 6),
                alarm("pump-2.rpm", Severity::Warning, AlarmState::Unacked, "offline", 43),
                alarm("motor-1.temperature", Severity::Warning, AlarmState::Returned, "above 80.0", 70),
                alarm("bed-b.moisture", Severity::Warning, AlarmState::Acked, "below 20", 22),
                alarm("van12.battery", Severity::Notice, AlarmState::Acked, "below 12.2", 9),
            ],
            fails: false,
        }
    }
}

#[async_trait]
impl Backend for Fake {
    async fn overview(&self, caller: &Caller) -> Result<Overview, BackendError> {
        Ok(Overview { shell: self.shell(caller).await?, tiles: self.tiles.clone(), n_unlisted: 0 })
    }

    async fn device(&self, _: &Caller, id: &DeviceId, _: &DeviceRequest, _: String) -> Result<DevicePage, BackendError> {
        Err(BackendError::NotFound(format!("device \"{id}\"")))
    }

    async fn history(&self, _: &Caller, _: &HistoryRequest) -> Result<HistoryPage, BackendError> {
        Err(BackendError::Internal)
    }

    async fn activity_page(&self, _: &Caller, _: &ActivityRequest) -> Result<ActivityPage, BackendError> {
        Err(BackendError::Internal)
    }

    async fn activity_news(&self, _: &Caller, _: &ActivityRequest, _: &str) -> Result<usize, BackendError> {
        Ok(0)
    }

    async fn shell(&self, caller: &Caller) -> Result<Shell, BackendError> {
        if self.fails {
            return Err(BackendError::Internal);
        }
        Ok(Shell {
            now: NOW,
            utc_offset_s: 0,
            version: "0.1.0".to_owned(),
            uptime_ms: 294 * 60 * MINUTE_MS,
            user: caller.name.clone(),
            role: caller.role,
            areas: self.areas.clone(),
            alarms: self.alarms.clone(),
            links: vec![LinkView { messages_per_s: Some(42.0), ..LinkView::new("farm-broker", LinkState::Up, NOW) }],
        })
    }

    async fn send_command(&self, caller: &Caller, entity: &EntityId, _: Action) -> Result<CommandReport, Refusal> {
        if caller.role < Role::Operator { Err(Refusal::Forbidden) } else { Ok(report(entity.as_str(), CommandState::Sent)) }
    }

    async fn acknowledge_alarm(&self, _: &Caller, alarm: &str) -> Result<Alarm, BackendError> {
        Err(BackendError::NotFound(format!("alarm \"{alarm}\"")))
    }

    async fn exclude_reading(&self, _: &Caller, entity: &EntityId, _: Timestamp) -> Result<(), BackendError> {
        Err(BackendError::NotFound(entity.to_string()))
    }

    async fn include_reading(&self, _: &Caller, entity: &EntityId, _: Timestamp) -> Result<(), BackendError> {
        Err(BackendError::NotFound(entity.to_string()))
    }
}
