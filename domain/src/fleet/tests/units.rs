//! Units that are shown in place of those that devices speak in.

use super::*;
use crate::change::{Publish, QueueChange};
use crate::control::Control;
use crate::rule::Rule;
use crate::time::DAY_MS;
use crate::units::alternatives;
use crate::written::{Amendment, EntityPatch, Patch};

const ROOM: &str = "room.temperature";

impl Plant {
    fn shows(&mut self, id: &str, unit: Option<&str>) -> Vec<Change> {
        let unit = unit.map_or(Patch::Clear, |unit| Patch::Set(unit.to_owned()));
        self.feed(Input::Amend(Amendment::Entity(entity_id(id), EntityPatch { unit, ..EntityPatch::default() })))
    }
}

fn room() -> Plant {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/room/temperature", "21.5");
    plant
}

fn shown(out: &[Change]) -> Vec<Option<Value>> {
    out.iter().filter_map(|change| if let Change::Shown(shown) = change { Some(shown.v.clone()) } else { None }).collect()
}

fn stored(out: &[Change]) -> Vec<Value> {
    out.iter().filter_map(|change| if let Change::Reading(reading) = change { Some(reading.value.clone()) } else { None }).collect()
}

fn payloads(out: &[Change]) -> Vec<String> {
    let payload = |publish: &Publish| String::from_utf8_lossy(&publish.payload).into_owned();
    out.iter().filter_map(|change| if let Change::Publish(publish) = change { Some(payload(publish)) } else { None }).collect()
}

fn set(json: &str) -> Action {
    serde_json::from_str(json).expect("an action")
}

#[test]
fn what_is_shown_converts_and_what_is_stored_does_not() {
    let mut plant = room();
    let out = plant.shows(ROOM, Some("degF"));
    let Some(Change::Entity(found, view)) = out.iter().find(|change| matches!(change, Change::Entity(..))) else { panic!("{out:?}") };
    assert_eq!((view.unit.as_deref(), &view.v, view.precision), (Some("°F"), &number(70.7), Some(1)), "at once, and as one");
    assert_eq!(found.unit.as_deref(), Some("°C"), "stored as found");
    plant.now += 1_000;
    let out = plant.says("sensors/room/temperature", "22");
    assert_eq!((shown(&out), stored(&out)), (vec![number(71.6)], vec![Value::Number(22.0)]));
    let fed = out.iter().find_map(|change| if let Change::Message { fed, .. } = change { fed.first().cloned() } else { None });
    assert_eq!(fed.and_then(|fed| fed.v), number(71.6), "who follows the topic sees the same");
    // Another unit of the same, one of something else, and none.
    plant.shows(ROOM, Some("K"));
    assert_eq!(plant.value(ROOM).0, number(295.15));
    plant.shows(ROOM, Some("warmth"));
    assert_eq!((plant.entity(ROOM).unit.as_deref(), plant.value(ROOM).0), (Some("warmth"), number(22.0)), "only a label");
    plant.shows(ROOM, None);
    assert_eq!((plant.entity(ROOM).unit.as_deref(), plant.value(ROOM).0, plant.entity(ROOM).precision), (Some("°C"), number(22.0), None));
}

#[test]
fn what_was_restored_and_what_comes_late_is_shown_in_the_same_unit() {
    let mut before = room();
    let out = before.shows(ROOM, Some("°F"));
    let written = out.into_iter().find_map(|change| if let Change::Written(written) = change { Some(written) } else { None });
    let reading = Reading {
        entity: entity_id(ROOM),
        value: Value::Number(10.0),
        taken_at: Timestamp::from_ms(5),
        received_at: Timestamp::from_ms(5),
        device_time: false,
    };
    let mut after = Fleet::new(Settings::default());
    after.restore_written(written.into_iter().collect());
    let devices = before.fleet.devices().into_iter().cloned().collect();
    after.restore(devices, before.fleet.known_entities().collect(), vec![reading], vec![]);
    let view = after.entity(&entity_id(ROOM)).expect("restored");
    assert_eq!((view.v, view.unit.as_deref()), (number(50.0), Some("°F")));
}

#[test]
fn the_operator_says_what_a_device_means_that_does_not_say_it() {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/room/temperature", "72");
    let native = EntityPatch { native_unit: Patch::Set("°F".into()), ..EntityPatch::default() };
    plant.feed(Input::Amend(Amendment::Entity(entity_id(ROOM), native)));
    assert_eq!((plant.entity(ROOM).unit.as_deref(), plant.value(ROOM).0), (Some("°F"), number(72.0)));
    plant.shows(ROOM, Some("°C"));
    assert_eq!((plant.entity(ROOM).unit.as_deref(), plant.value(ROOM).0), (Some("°C"), number(22.222_222_222_2)));
    assert_eq!(plant.fleet.native_unit(&entity_id(ROOM)).as_deref(), Some("°F"));
}

#[test]
fn what_is_suggested_is_what_devices_mean() {
    let suggested = Override { native_unit: Some("bar".into()), ..Override::default() };
    let mut plant = Plant::new(Settings { suggested: [(entity_id("line.pressure"), suggested)].into(), ..Settings::default() });
    plant.says("sensors/line/pressure", "3");
    assert_eq!((plant.entity("line.pressure").unit.as_deref(), plant.value("line.pressure").0), (Some("bar"), number(3.0)));
    plant.shows("line.pressure", Some("kPa"));
    assert_eq!(plant.value("line.pressure").0, number(300.0));
}

#[test]
fn a_meter_is_one_in_every_unit() {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/house/energy", "1.25");
    for unit in alternatives("kWh") {
        let out = plant.shows("house.energy", Some(unit));
        let found = out.iter().find_map(|change| if let Change::Entity(found, _) = change { Some(found.series_kind()) } else { None });
        assert_eq!(found, Some(crate::history::SeriesKind::Counter), "{unit}");
    }
    plant.shows("house.energy", Some("MJ"));
    assert_eq!(plant.value("house.energy").0, number(4.5));
}

/// Above 30, and back at 28.
fn rule() -> Rule {
    Rule {
        id: "hot".into(),
        name: "Room".into(),
        entity: entity_id(ROOM),
        condition: Condition::Above { limit: 30.0 },
        severity: Severity::Warning,
        hysteresis: 2.0,
        message: String::new(),
    }
}

#[test]
fn an_alarm_is_raised_at_the_same_heat_in_every_unit_and_says_it_in_the_one_shown() {
    let mut plant = Plant::new(Settings { rules: vec![rule()], ..Settings::default() });
    plant.says("sensors/room/temperature", "21");
    plant.shows(ROOM, Some("°F"));
    let shown = plant.fleet.rule("hot").expect("a rule");
    assert_eq!((shown.condition, shown.hysteresis), (Condition::Above { limit: 86.0 }, 3.6), "a difference has no offset");
    assert_eq!(plant.fleet.rules_of(&entity_id(ROOM)).count(), 1);
    // 31 °F would be below, 80 °F above 30.
    assert_eq!(alarm_states(&plant.says("sensors/room/temperature", "29.9")), []);
    let out = plant.says("sensors/room/temperature", "30.1");
    let raised = out.iter().find_map(|change| if let Change::Alarm(alarm) = change { Some(alarm.clone()) } else { None }).expect("raised");
    assert_eq!((raised.condition.as_str(), raised.message.as_str()), ("above 86", "Room above 86"));
    let written = plant.fleet.alarm_as_written(raised.clone());
    assert_eq!((written.condition.as_str(), plant.fleet.alarm_as_shown(written.clone())), ("above 30", raised));
    // While it lasts another unit is shown: the same alarm, in other words.
    let out = plant.shows(ROOM, None);
    let told = out.iter().find_map(|change| if let Change::AlarmWords(alarm) = change { Some(alarm.clone()) } else { None }).expect("told");
    assert_eq!((told.condition.as_str(), told.state), ("above 30", AlarmState::Unacked));
    assert_eq!(alarm_states(&out), []);
    plant.shows(ROOM, Some("K"));
    assert_eq!(alarm_states(&plant.says("sensors/room/temperature", "28.1")), []);
    assert_eq!(alarm_states(&plant.says("sensors/room/temperature", "28")), [AlarmState::Returned]);
}

#[test]
fn a_rule_beside_a_unit_in_the_file_is_in_that_unit() {
    let file = Override { unit: Some("°F".into()), ..Override::default() };
    let mut plant = Plant::new(Settings { rules: vec![rule()], overrides: [(entity_id(ROOM), file)].into(), ..Settings::default() });
    // 23 °F, 32 °F.
    assert_eq!(alarm_states(&plant.says("sensors/room/temperature", "-5")), []);
    assert_eq!(alarm_states(&plant.says("sensors/room/temperature", "0")), [AlarmState::Unacked]);
    assert_eq!(plant.fleet.rule("hot").expect("a rule"), rule());
    assert_eq!(plant.fleet.alarm("hot").expect("an alarm").condition, "above 30");
}

fn boiler() -> Plant {
    let declared = Declared {
        kind: EntityKind::Number,
        command_topic: "boiler/flow/set".into(),
        state_topic: Some("boiler/flow".into()),
        link: None,
        control: Control { min: Some(5.0), max: Some(30.0), step: Some(0.5), ..Control::default() },
    };
    let written = Override { native_unit: Some("°C".into()), ..Override::default() };
    let mut plant = Plant::new(Settings {
        declared: [(entity_id("boiler.flow"), declared)].into(),
        suggested: [(entity_id("boiler.flow"), written)].into(),
        ..Settings::default()
    });
    plant.fleet.declare("main", Timestamp::from_ms(plant.now));
    plant.says("boiler/flow", "20");
    plant
}

#[test]
fn a_command_is_asked_for_in_the_unit_shown_and_goes_out_in_the_one_of_the_device() {
    let mut plant = boiler();
    plant.shows("boiler.flow", Some("°F"));
    let view = plant.entity("boiler.flow");
    assert_eq!((view.v, view.limits.min, view.limits.max, view.limits.step), (number(68.0), Some(41.0), Some(86.0), Some(0.9)));
    let out = plant.feed(Input::Command { id: "1".into(), entity: entity_id("boiler.flow"), action: set(r#"{"action":"set","value":70}"#) });
    assert_eq!(payloads(&out), ["21"], "to the step of the device that is next to 21.1");
    let asked = out.iter().find_map(|change| if let Change::Command(report) = change { Some(report.action.clone()) } else { None });
    assert_eq!(asked, Some(set(r#"{"action":"set","value":70}"#)));
    plant.now += 300;
    assert!(states(&plant.says("boiler/flow", "21")).contains(&CommandState::Confirmed));
    assert_eq!(plant.value("boiler.flow").0, number(69.8));
    // Ends are inside, and beyond them there is nothing.
    plant.now += 1_000;
    let out = plant.feed(Input::Command { id: "2".into(), entity: entity_id("boiler.flow"), action: set(r#"{"action":"set","value":86}"#) });
    assert_eq!(payloads(&out), ["30"]);
    let refused = plant.fleet.check(&entity_id("boiler.flow"), &set(r#"{"action":"set","value":30}"#)).expect_err("too cold");
    assert_eq!(refused.to_string(), "value cannot be 30, it must be between 41 and 86");
    // What the device reports instead is told in the unit that is shown.
    plant.now += 1_000;
    plant.says("boiler/flow", "10");
    let out = plant.wait(crate::fleet::MAX_WAIT_MS);
    let reason = out.iter().find_map(|change| if let Change::Command(report) = change { report.reason.clone() } else { None });
    assert!(reason.as_deref().is_some_and(|reason| reason.ends_with("the device reports 50.0")), "{reason:?}");
}

#[test]
fn a_command_that_waits_means_the_same_when_it_goes_out() {
    let mut plant = boiler();
    plant.shows("boiler.flow", Some("°F"));
    plant.says("devices/boiler/status", "offline");
    let action = set(r#"{"action":"set","value":70.7}"#);
    let expires_at = Timestamp::from_ms(plant.now + DAY_MS);
    let out = plant.feed(Input::QueueCommand { id: "1".into(), entity: entity_id("boiler.flow"), action: action.clone(), expires_at });
    let kept =
        out.iter().find_map(|change| if let Change::Queue(QueueChange::Put(queued)) = change { Some(queued.report.action.clone()) } else { None });
    assert_eq!(kept, Some(set(r#"{"action":"set","value":21.5}"#)), "kept as the device means it");
    assert_eq!(plant.fleet.queued().map(|queued| queued.report.action).collect::<Vec<_>>(), [action]);
    plant.shows("boiler.flow", Some("K"));
    assert_eq!(plant.fleet.queued().map(|queued| queued.report.action).collect::<Vec<_>>(), [set(r#"{"action":"set","value":294.65}"#)]);
    plant.now += 1_000;
    let out = plant.says("devices/boiler/status", "online");
    assert_eq!(payloads(&out), ["21.5"]);
}

#[test]
fn what_a_climate_measures_and_aims_at_converts_with_its_range() {
    let mut plant = Plant::new(Settings::default());
    let config = r#"{"uniq_id":"hall","name":"Hall","mode_state_topic":"hall/mode","mode_command_topic":"hall/mode/set","modes":["off","heat"],
        "temperature_state_topic":"hall/target","temperature_command_topic":"hall/target/set","current_temperature_topic":"hall/is",
        "min_temp":5,"max_temp":30,"temp_step":0.5,"device":{"identifiers":["hall"],"name":"Hall"}}"#;
    plant.says("homeassistant/climate/hall/config", config);
    for (topic, payload) in [("hall/mode", "heat"), ("hall/target", "20"), ("hall/is", "18.5")] {
        plant.says(topic, payload);
    }
    let view = plant.fleet.entities().into_iter().find(|view| view.kind == EntityKind::Climate).expect("a climate");
    let patch = EntityPatch { unit: Patch::Set("°F".into()), native_unit: Patch::Set("°C".into()), ..EntityPatch::default() };
    plant.feed(Input::Amend(Amendment::Entity(view.id.clone(), patch)));
    let view = plant.fleet.entity(&view.id).expect("is there");
    let Some(Value::Climate(climate)) = &view.v else { panic!("{view:?}") };
    assert_eq!((climate.temperature, climate.current_temperature), (Some(68.0), Some(65.3)));
    assert_eq!((view.limits.min, view.limits.max, view.limits.step), (Some(41.0), Some(86.0), Some(0.9)));
    let out = plant.feed(Input::Command { id: "1".into(), entity: view.id.clone(), action: set(r#"{"action":"set","temperature":72}"#) });
    assert_eq!(payloads(&out), ["22"]);
    plant.now += 100;
    assert!(states(&plant.says("hall/target", "22")).contains(&CommandState::Confirmed));
}

proptest! {
    /// However the unit is changed, what is shown is what the device said last, and what is stored is what it said.
    #[test]
    fn no_order_of_readings_and_units_shows_a_number_under_another_unit(steps in proptest::collection::vec((0..4_usize, -50.0..50.0_f64), 1..20)) {
        let mut plant = room();
        let mut last = 21.5;
        for (unit, native) in steps {
            if unit < 3 {
                plant.shows(ROOM, Some(["°C", "°F", "K"][unit]));
            } else {
                last = native;
                plant.now += 1_000;
                let out = plant.says("sensors/room/temperature", &native.to_string());
                prop_assert_eq!(stored(&out), vec![Value::Number(native)]);
            }
            let view = plant.entity(ROOM);
            let Some(Value::Number(shown)) = view.v else { panic!("a number") };
            let expected = match view.unit.as_deref() {
                Some("°C") => last,
                Some("°F") => last * 1.8 + 32.0,
                Some("K") => last + 273.15,
                other => panic!("{other:?}"),
            };
            prop_assert!((shown - expected).abs() < 1e-9, "{} {:?} of {} °C", shown, view.unit, last);
        }
    }
}
