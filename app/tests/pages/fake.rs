//! A backend that answers with one greenhouse, as the design shows it, and with hostile names.

use app::backend::{
    ActivityPage, ActivityRequest, ActivityRow, Around, Backend, BackendError, Caller, DevicePage, HistoryPage, HistoryRequest, LastMessage, Limit,
    Overview, Role, Shell, Standing, Tile, Trend,
};
use app::device::{Attributes, DeviceMore, DeviceRequest, Open, Step, Why};
use app::devices::{DevicesPage, DevicesRequest, TopicsPage, TopicsRequest};
use domain::alarm::{Alarm, AlarmState, Severity};
use domain::command::{Action, CommandReport, CommandState, Refusal};
use domain::device::{About, Area, AreaId, Availability, Device, DeviceId};
use domain::entity::{EntityId, EntityKind};
use domain::history::{Range, Resolution, Series};
use domain::live::{EntityView, LinkState, LinkView};
use domain::quality::Quality;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use domain::value::{LightState, OnOff, Value};
use domain::words::{HeldWord, Words};

/// Fri 12 Jun 2026, 14:03:26 in UTC+2.
pub(crate) const NOW: Timestamp = Timestamp::from_ms(1_781_265_806_000);
/// A name that is markup.
pub(crate) const HOSTILE: &str = "<script>alert(\"x\")</script>&amp;";

/// The greenhouse.
pub(crate) struct Greenhouse;

/// What the page of its device shows besides values, as the address asks for it.
fn more(request: &DeviceRequest, problem: String) -> DeviceMore {
    let other = (DeviceId::parse("soil").expect("id"), HOSTILE.to_owned(), "greenhouse/<b>".to_owned());
    let step = |step: &str, ok, detail: &str| Step { step: step.into(), ok, detail: detail.into() };
    DeviceMore {
        areas: shell().areas,
        is_changeable: true,
        per_minute: 8.4,
        stale_after_ms: Some((120_000, 120_000)),
        via: Some((HOSTILE.into(), DeviceId::parse("bridge").ok())),
        zigbee: Some(HOSTILE.into()),
        activity: vec![],
        climates: vec![],
        guessed: vec![(EntityId::parse("climate-1.humidity").expect("id"), "%".into())],
        attributes: vec![Attributes {
            entities: vec![HOSTILE.into()],
            rows: vec![(HOSTILE.into(), HOSTILE.into())],
            n_more: 2,
            at: Some(NOW.plus_ms(-3 * SECOND_MS)),
            problem: String::new(),
        }],
        open: match request.edit.as_str() {
            "name" => Some(Open::Name),
            "area" => Some(Open::Area),
            "remove" => Some(Open::Remove),
            "zigbee-name" => Some(Open::ZigbeeName),
            "zigbee-remove" => Some(Open::ZigbeeRemove),
            "zigbee-join" => Some(Open::ZigbeeJoin),
            "merge" => Some(Open::Merge { q: request.q.clone(), choices: vec![other], is_more: true }),
            "" => None,
            entity => EntityId::parse(entity).ok().map(|id| Open::Entity {
                id,
                native: Some("°C".into()),
                units: vec!["°C".into(), "°F".into(), "K".into()],
            }),
        },
        why: EntityId::parse(&request.why).ok().map(|entity| Why {
            entity,
            name: HOSTILE.into(),
            steps: vec![step("link", Some(true), "reached"), step("message", Some(false), "never heard"), step("parse", None, "nothing to read")],
            verdict: "No message was ever heard on <img>.".into(),
        }),
        problem,
        done: request.done.clone(),
    }
}

fn area(id: &str, name: &str, icon: &str) -> Area {
    Area { id: AreaId::parse(id).expect("id"), name: name.into(), icon: Some(icon.into()) }
}

pub(crate) fn shell() -> Shell {
    Shell {
        now: NOW,
        utc_offset_s: 7_200,
        version: "0.1.0".into(),
        uptime_ms: 12 * DAY_MS + 6 * HOUR_MS,
        user: "anonymous".into(),
        role: Role::Operator,
        areas: vec![area("greenhouse", "Greenhouse 1", "greenhouse"), area("pumps", HOSTILE, "pump")],
        alarms: vec![
            alarm("air_temperature", Severity::Critical, AlarmState::Unacked, "above 34", 6),
            alarm("soil_b", Severity::Warning, AlarmState::Acked, "below 20", 22),
        ],
        links: vec![LinkView { messages_per_s: Some(42.0), ..LinkView::new("farm-broker", LinkState::Up, NOW.plus_ms(-DAY_MS)) }],
    }
}

fn alarm(key: &str, severity: Severity, state: AlarmState, condition: &str, minutes: i64) -> Alarm {
    Alarm {
        id: format!("rule-{key}"),
        rule: format!("rule-{key}"),
        entity: id(key),
        severity,
        state,
        message: String::new(),
        condition: condition.into(),
        since: NOW.plus_ms(-minutes * MINUTE_MS),
        until: None,
    }
}

fn id(key: &str) -> EntityId {
    EntityId::parse(&format!("climate-1.{key}")).expect("id")
}

/// Key, name, kind, unit and icon.
type Named = (&'static str, &'static str, EntityKind, Option<&'static str>, &'static str);

fn view((key, name, kind, unit, icon): Named, v: Option<Value>, q: Quality) -> EntityView {
    EntityView {
        id: id(key),
        device: DeviceId::parse("climate-1").expect("id"),
        area: Some(AreaId::parse(if key == "hostile" { "pumps" } else { "greenhouse" }).expect("id")),
        name: name.into(),
        kind,
        unit: unit.map(Into::into),
        t: v.as_ref().map(|_| NOW.plus_ms(if q == Quality::Stale { -32 * MINUTE_MS } else { -3 * SECOND_MS })),
        v,
        q,
        assumed: false,
        settable: kind.is_switchable(),
        hidden: false,
        icon: icon.into(),
        precision: None,
        since: (!kind.is_sensor()).then_some(NOW.plus_ms(-2 * HOUR_MS)),
        word_on: None,
        word_off: None,
        offline_since: None,
        topic: format!("greenhouse/1/{key}"),
        link: None,
        unit_guessed: false,
        limits: domain::control::Limits::default(),
        members: None,
    }
}

/// Everything there is.
pub(crate) fn entities() -> Vec<EntityView> {
    use EntityKind::{BinarySensor, Light, Sensor, Switch};
    let number = |n: f64| Some(Value::Number(n));
    vec![
        view(("air_temperature", "Air temperature", Sensor, Some("°C"), "temperature"), number(34.6), Quality::Good),
        view(("soil_temperature", "Soil temperature", Sensor, Some("°C"), "temperature"), number(21.9), Quality::Good),
        view(("humidity", "Humidity", Sensor, Some("%"), "humidity"), number(71.0), Quality::Good),
        view(("soil_b", "Soil, bed B", Sensor, Some("%"), "soil"), number(18.0), Quality::Good),
        view(("co2", "CO₂", Sensor, Some("ppm"), "air"), number(820.0), Quality::Good),
        view(("lux", "Light level", Sensor, Some("lx"), "sun"), number(41_200.0), Quality::Stale),
        view(("mist", "Misting valve", Switch, None, "humidity"), Some(Value::Bool(false)), Quality::Good),
        view(
            ("lamp", "Grow lamp", Light, None, "bulb"),
            Some(Value::Light(LightState { brightness: Some(80), ..LightState::new(OnOff::On) })),
            Quality::Good,
        ),
        view(("door", "Door", BinarySensor, None, "door"), Some(Value::Bool(true)), Quality::Good),
        view(("mode", "Mode", Sensor, None, "tag"), Some(Value::Text("Auto".into())), Quality::Good),
        view(("hostile", HOSTILE, Sensor, Some("<b>"), "\"><img src=x>"), None, Quality::Unknown),
    ]
}

fn limits(key: &str) -> Vec<Limit> {
    let limit = |value, severity, label: &str| Limit { value, severity, label: label.into(), is_below: label.contains("below") };
    match key {
        "air_temperature" => vec![limit(34.0, Severity::Critical, "Critical above 34"), limit(30.0, Severity::Warning, "Warning above 30")],
        "soil_b" => vec![limit(20.0, Severity::Warning, "Warning below 20")],
        _ => vec![],
    }
}

/// A day of an entity in points of 5 minutes, with 55 minutes missing; states as they changed.
pub(crate) fn series(entity: &EntityView, range: Range) -> Series {
    let (base, swing) = match entity.id.key() {
        "air_temperature" => (25.0, 9.5),
        "soil_temperature" => (20.0, 2.2),
        "humidity" => (78.0, -9.0),
        "soil_b" => (26.0, 7.0),
        "co2" => (700.0, -250.0),
        "lux" => (20_000.0, 20_000.0),
        _ => (0.5, 0.5),
    };
    if entity.v.is_none() || entity.says_words() {
        return Series::empty(entity.id.clone(), Resolution::BucketMs(5 * MINUTE_MS));
    }
    let mut series = Series::empty(entity.id.clone(), if entity.kind.is_sensor() { Resolution::BucketMs(5 * MINUTE_MS) } else { Resolution::Raw });
    if !entity.kind.is_sensor() {
        for (n, hours) in [3, 7, 16, 20, 22].into_iter().enumerate() {
            push(&mut series, range.from.plus_ms(hours * HOUR_MS), if n % 2 == 0 { 1.0 } else { 0.0 }, 0.0);
        }
        return series;
    }
    for n in (0..288).filter(|n| !(146..157).contains(n)) {
        let angle = f64::from(n) / 288.0 * std::f64::consts::TAU;
        let wiggle = f64::from(n * 7 % 11) / 30.0;
        push(&mut series, range.from.plus_ms(i64::from(n) * 5 * MINUTE_MS), base + swing * (angle - 0.4).cos() + wiggle, 0.6);
    }
    series
}

/// A day of a mode: what is usual, for an hour what nobody should call a mode, and once many changes at a time.
fn words(entity: &EntityView, range: Range) -> Words {
    let said = ["Auto", "Manual", HOSTILE].map(|word| HeldWord { word: word.to_owned(), ms: 8 * HOUR_MS });
    Words {
        t: [0, 8, 16, 23].map(|hours| range.from.plus_ms(hours * HOUR_MS)).to_vec(),
        word: vec![0, 2, 1, 0],
        n: vec![0, 1, 7, 1],
        words: said.to_vec(),
        n_changes: 9,
        resolution: Resolution::BucketMs(HOUR_MS),
        ..Words::none(entity.id.clone())
    }
}

fn push(series: &mut Series, t: Timestamp, v: f64, spread: f64) {
    series.t.push(t);
    series.min.push(v - spread);
    series.mean.push(v);
    series.max.push(v + spread);
    series.last.push(v);
    series.n.push(10);
}

fn command(entity: &EntityView) -> CommandReport {
    CommandReport {
        id: "c1".into(),
        entity: entity.id.clone(),
        action: Action::TurnOn { brightness: None, color_temp: None },
        state: CommandState::Confirmed,
        reason: None,
        sent_at: NOW.plus_ms(-3 * HOUR_MS),
        after_ms: Some(420),
        usual_ms: None,
    }
}

fn tile(entity: EntityView) -> Tile {
    let trend = if entity.unit.is_some() {
        let last = entity.v.as_ref().and_then(Value::as_number);
        Trend::Line((0..60).map(|n| last.map(|v| v + f64::from(n - 59) * 0.1).filter(|_| entity.q != Quality::Stale || n < 28)).collect())
    } else {
        Trend::Spans(vec![(50 * MINUTE_MS, 40 * MINUTE_MS), (20 * MINUTE_MS, 0)])
    };
    Tile { limits: limits(entity.id.key()), entity, trend, command: None }
}

#[async_trait::async_trait]
impl Backend for Greenhouse {
    async fn overview(&self, _: &Caller) -> Result<Overview, BackendError> {
        Ok(Overview { shell: shell(), tiles: entities().into_iter().map(tile).collect(), n_unlisted: 0 })
    }

    async fn device(&self, caller: &Caller, id: &DeviceId, request: &DeviceRequest, problem: String) -> Result<DevicePage, BackendError> {
        if id.as_str() != "climate-1" {
            return Err(BackendError::NotFound(format!("device \"{id}\"")));
        }
        let range = Range { from: NOW.plus_ms(-DAY_MS), to: NOW };
        let signal = view(("rssi", "Signal", EntityKind::Sensor, Some("dBm"), "gauge"), Some(Value::Number(-61.0)), Quality::Good);
        let signal = EntityView { hidden: true, ..signal };
        let tiles: Vec<Tile> = entities().into_iter().chain([signal]).map(tile).collect();
        Ok(DevicePage {
            shell: Shell { role: caller.role, ..shell() },
            device: Device {
                area: Some(AreaId::parse("greenhouse").expect("id")),
                convention: "plain topics".into(),
                availability: Availability::Online,
                availability_since: NOW.plus_ms(-DAY_MS),
                identifiers: vec!["240ac412abef".into(), HOSTILE.into()],
                about: About {
                    manufacturer: Some(HOSTILE.into()),
                    model: Some("Climate node 4".into()),
                    configuration_url: Some("https://10.0.0.7/?a=<script>".into()),
                    ..About::default()
                },
                last_seen: Some(NOW.plus_ms(-3 * SECOND_MS)),
                ..Device::new(id.clone(), "Greenhouse climate node".into(), "main", "greenhouse/1".into(), NOW.plus_ms(-101 * DAY_MS))
            },
            extremes: tiles.iter().map(|tile| tile.entity.unit.as_ref().and(tile.entity.v.as_ref()).map(|_| (15.8, 35.04))).collect(),
            charts: [0, 4].map(|n: usize| series(&tiles[n].entity, range)).to_vec(),
            tiles,
            clock_skew_ms: None,
            more: DeviceMore { open: more(request, String::new()).open.filter(|_| caller.role >= Role::Operator), ..more(request, problem) },
            messages: vec![
                LastMessage {
                    at: NOW.plus_ms(-3 * SECOND_MS),
                    topic: "greenhouse/1/climate/state".into(),
                    payload: r#"{"air_temperature":34.6}"#.into(),
                    own: true,
                    retained: false,
                },
                LastMessage {
                    at: NOW.plus_ms(-9 * MINUTE_MS),
                    topic: "greenhouse/1/status".into(),
                    payload: HOSTILE.into(),
                    retained: true,
                    own: false,
                },
            ],
        })
    }

    async fn history(&self, _: &Caller, request: &HistoryRequest) -> Result<HistoryPage, BackendError> {
        let moment = |text: &str| text.parse().ok().map(Timestamp::from_ms);
        let to = moment(&request.to).unwrap_or(NOW);
        let range = match (request.range.as_str(), moment(&request.from)) {
            (_, Some(from)) => Range { from, to },
            ("" | "24h", None) => Range { from: to.plus_ms(-DAY_MS), to },
            (other, None) => return Err(BackendError::Invalid(format!("range \"{other}\" is unknown"))),
        };
        let choices = entities();
        let chosen: Vec<&EntityView> = choices.iter().filter(|choice| request.entities.iter().any(|id| id == choice.id.as_str())).collect();
        let numbers: Vec<&EntityView> = chosen.iter().copied().filter(|entity| entity.kind.is_sensor()).collect();
        let before = Range { from: range.from.plus_ms(-range.len_ms()), to: range.from };
        let week = Range { from: range.to.plus_ms(-7 * range.len_ms()), to: range.to };
        Ok(HistoryPage {
            shell: shell(),
            chosen: chosen.iter().map(|entity| entity.id.clone()).collect(),
            range,
            is_live: request.to.is_empty() && request.from.is_empty(),
            utc_offset_s: 7_200,
            series: chosen.iter().map(|entity| series(entity, range)).collect(),
            words: chosen.iter().filter(|entity| entity.says_words()).map(|entity| words(entity, range)).collect(),
            limits: chosen.iter().map(|entity| limits(entity.id.key())).collect(),
            previous: if request.compare { numbers.iter().map(|entity| series(entity, before)).collect() } else { vec![] },
            around: numbers.first().map(|entity| Around { range: week, series: series(entity, week) }),
            alarms: {
                let of_chosen = |alarm: &Alarm| chosen.iter().any(|entity| entity.id == alarm.entity);
                shell().alarms.into_iter().filter(of_chosen).map(|alarm| (alarm, None)).collect()
            },
            commands: chosen.iter().filter(|entity| entity.settable).map(|entity| (command(entity), HOSTILE.to_owned())).collect(),
            choices,
            excluded: vec![],
            reach: "raw 41 days, minutes 2 years, hours 30 years at today's rate".to_owned(),
        })
    }

    async fn activity_page(&self, _: &Caller, request: &ActivityRequest) -> Result<ActivityPage, BackendError> {
        let row = |n: i64, title: &str, who: &str, standing, outcome: &str| ActivityRow {
            id: format!("{n}.{n}"),
            at: NOW.plus_ms(-n * MINUTE_MS),
            day: if n < 20 { "Today, Friday 12 June" } else { "Yesterday, Thursday 11 June" }.to_owned(),
            clock: "14:03:24".to_owned(),
            icon: "bulb".to_owned(),
            mark: None,
            title: title.to_owned(),
            note: HOSTILE.to_owned(),
            who: who.to_owned(),
            initials: Some("MI".to_owned()),
            standing,
            outcome: outcome.to_owned(),
            href: None,
        };
        let mut rows = vec![
            row(1, "Floor lamp turned on", "Mara Ilves", Standing::Pending, "Waiting"),
            row(2, "Misting valve turned on", HOSTILE, Standing::Failed, "Not confirmed"),
            row(30, HOSTILE, "Jonas Okoro", Standing::Confirmed, "Confirmed, 0.4 s"),
        ];
        if request.q == "nothing" {
            rows.clear();
        }
        let older = Some("1.1".to_owned()).filter(|_| !rows.is_empty());
        let people = ["Mara Ilves", HOSTILE].map(|name| (name.to_owned(), name.to_owned())).to_vec();
        Ok(ActivityPage { shell: shell(), n_entries: rows.len(), is_more: false, rows, older, people, kept_days: Some(365) })
    }

    async fn activity_news(&self, _: &Caller, _: &ActivityRequest, _: &str) -> Result<usize, BackendError> {
        Ok(3)
    }

    async fn shell(&self, _: &Caller) -> Result<Shell, BackendError> {
        Ok(shell())
    }

    async fn send_command(&self, _: &Caller, entity: &EntityId, _: Action) -> Result<CommandReport, Refusal> {
        Err(Refusal::UnknownState(entity.clone()))
    }

    async fn acknowledge_alarm(&self, _: &Caller, alarm: &str) -> Result<Alarm, BackendError> {
        Err(BackendError::NotFound(alarm.into()))
    }

    async fn exclude_reading(&self, _: &Caller, entity: &EntityId, _: Timestamp) -> Result<(), BackendError> {
        Err(BackendError::NotFound(entity.to_string()))
    }

    async fn include_reading(&self, _: &Caller, entity: &EntityId, _: Timestamp) -> Result<(), BackendError> {
        Err(BackendError::NotFound(entity.to_string()))
    }

    async fn devices_page(&self, caller: &Caller, request: &DevicesRequest) -> Result<DevicesPage, BackendError> {
        crate::devices::page(caller, request)
    }

    async fn patterns_page(&self, caller: &Caller, request: &app::patterns::PatternsRequest) -> Result<app::patterns::PatternsPage, BackendError> {
        Ok(crate::devices::patterns(caller, request))
    }

    async fn topics_page(&self, caller: &Caller, request: &TopicsRequest) -> Result<TopicsPage, BackendError> {
        Ok(crate::devices::topics(caller, request))
    }
}
