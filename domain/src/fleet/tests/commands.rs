//! Commands: what is sent when, and by which evidence they end.

use super::*;
use crate::change::Publish;

fn action(json: &str) -> Action {
    serde_json::from_str(json).expect("an action")
}

/// The last report: state, reason, time.
fn told(out: &[Change]) -> (CommandState, Option<String>, Option<i64>) {
    let last = out.iter().rev().find_map(|change| if let Change::Command(report) = change { Some(report.clone()) } else { None });
    let last = last.expect("a command is told of");
    (last.state, last.reason, last.after_ms)
}

fn published(out: &[Change]) -> Vec<(String, String)> {
    let sent = |publish: &Publish| (publish.topic.clone(), String::from_utf8_lossy(&publish.payload).into_owned());
    out.iter().filter_map(|change| if let Change::Publish(publish) = change { Some(sent(publish)) } else { None }).collect()
}

fn pump() -> Plant {
    let mut plant = Plant::new(Settings::default());
    plant.says("state/switches/pump", "off");
    plant
}

#[test]
fn a_device_that_reports_something_else_leaves_a_command_unconfirmed_and_it_is_said() {
    let mut plant = pump();
    plant.ask("1", "pump.switch", ON);
    plant.says("state/switches/pump", "off");
    let out = plant.wait(UNLEARNED_WAIT_MS);
    assert_eq!(told(&out), (CommandState::Unconfirmed, Some("after 10 s the device reports off".into()), Some(10_000)));
    // What comes after the end changes nothing of it.
    assert_eq!(states(&plant.says("state/switches/pump", "on")), []);
}

#[test]
fn a_device_that_reports_an_error_fails_the_command() {
    let mut plant = pump();
    plant.ask("1", "pump.switch", ON);
    plant.now += 300;
    let out = plant.says("state/switches/pump", r#"{"state":"off","error":"jammed"}"#);
    assert_eq!(told(&out), (CommandState::Failed, Some("the device reports: jammed".into()), Some(300)));
    assert_eq!(plant.value("pump.switch"), (Some(Value::Bool(false)), Quality::Good));
    // An error alone is no state that cannot be read.
    plant.now += 1_000;
    plant.ask("2", "pump.switch", ON);
    assert_eq!(states(&plant.says("state/switches/pump", r#"{"error":"jammed"}"#)), [CommandState::Failed]);
    assert_eq!(plant.value("pump.switch"), (Some(Value::Bool(false)), Quality::Good));
}

#[test]
fn an_error_that_the_broker_kept_fails_nothing() {
    let mut plant = pump();
    plant.ask("1", "pump.switch", ON);
    assert_eq!(states(&plant.delivers("state/switches/pump", r#"{"state":"off","error":"jammed"}"#, true)), []);
}

#[test]
fn the_usual_time_is_half_of_the_last_answers_and_is_told_with_the_next_command() {
    let mut plant = pump();
    let mut usual = vec![];
    for (id, state, took_ms) in [("1", "on", 400), ("2", "off", 600), ("3", "on", 500), ("4", "off", 1)] {
        let out = plant.feed(Input::Command { id: id.into(), entity: entity_id("pump.switch"), action: Action::Toggle {} });
        usual.extend(out.iter().filter_map(|change| if let Change::Command(report) = change { Some(report.usual_ms) } else { None }));
        plant.now += took_ms;
        plant.says("state/switches/pump", state);
        plant.now += 10_000;
    }
    assert_eq!(usual, [None, Some(400), Some(400), Some(500)]);
}

#[test]
fn of_commands_that_come_too_fast_the_newest_goes_out_and_the_others_are_superseded() {
    let mut plant = Plant::new(Settings::default());
    plant.says("state/lights/hall", r#"{"state":"on","brightness":1}"#);
    let level = |brightness| Action::TurnOn { brightness: Some(brightness), color_temp: None };
    let (mut sent, mut ends) = (vec![], vec![]);
    for n in 0..50_u8 {
        let out = plant.feed(Input::Command { id: n.to_string(), entity: entity_id("hall.light"), action: level(n) });
        sent.extend(published(&out).into_iter().map(|(_, payload)| (plant.now, payload)));
        ends.extend(states(&out));
        plant.now += 10;
        if plant.fleet.next_due().is_some_and(|due| due.as_ms() <= plant.now) {
            sent.extend(published(&plant.feed(Input::Due)).into_iter().map(|(_, payload)| (plant.now, payload)));
        }
    }
    plant.now += PAUSE_MS;
    sent.extend(published(&plant.feed(Input::Due)).into_iter().map(|(_, payload)| (plant.now, payload)));
    assert!(sent.windows(2).all(|pair| pair[1].0 - pair[0].0 >= PAUSE_MS), "{sent:?}");
    assert!((5..=6).contains(&sent.len()), "{sent:?}");
    assert_eq!(sent.last().map(|(_, payload)| payload.as_str()), Some(r#"{"state":"on","brightness":49}"#));
    let superseded = ends.iter().filter(|state| **state == CommandState::Unconfirmed).count();
    assert_eq!((ends.len(), superseded), (99, 49), "each is sent, and all but the last are superseded");
    assert_eq!(states(&plant.says("state/lights/hall", r#"{"state":"on","brightness":49}"#)), [CommandState::Accepted, CommandState::Confirmed]);
}

#[test]
fn what_has_not_gone_out_is_confirmed_by_nothing() {
    let mut plant = pump();
    plant.ask("1", "pump.switch", ON);
    plant.now += 10;
    plant.ask("2", "pump.switch", Action::TurnOff {});
    assert_eq!(states(&plant.says("state/switches/pump", "off")), []);
    plant.now += 90;
    assert_eq!(published(&plant.feed(Input::Due)).len(), 1);
    assert_eq!(states(&plant.says("state/switches/pump", "off")), [CommandState::Accepted, CommandState::Confirmed]);
}

#[test]
fn a_clock_that_is_set_back_holds_no_command() {
    let mut plant = pump();
    plant.ask("1", "pump.switch", ON);
    plant.now -= 3_600_000;
    let out = plant.feed(Input::Command { id: "2".into(), entity: entity_id("pump.switch"), action: Action::TurnOff {} });
    assert_eq!(published(&out).len(), 1);
}

fn declared(kind: EntityKind, state_topic: Option<&str>) -> Settings {
    let control = crate::control::Control {
        min: Some(0.0),
        max: Some(30.0),
        options: if kind == EntityKind::Select { vec!["eco".into(), "auto".into()] } else { vec![] },
        ..Default::default()
    };
    let one = Declared { kind, command_topic: "plant/thing/set".into(), state_topic: state_topic.map(str::to_owned), link: None, control };
    Settings { declared: [(entity_id("thing.it"), one)].into(), ..Settings::default() }
}

fn plant_of(settings: Settings) -> Plant {
    let mut plant = Plant::new(settings);
    plant.fleet.declare("main", Timestamp::from_ms(0));
    plant
}

#[test]
fn each_declared_kind_is_set_and_confirmed_by_its_own_word() {
    use EntityKind::{Climate, Cover, Fan, Number, Select, Switch, Text};
    for (kind, asked, payload, wrong, right) in [
        (Number, r#"{"action":"set","value":21.5}"#, "21.5", "20", r#"{"value":21.5}"#),
        (Select, r#"{"action":"set","value":"eco"}"#, "eco", "auto", "eco"),
        (Text, r#"{"action":"set","value":"a b"}"#, "a b", "c", "a b"),
        (Cover, r#"{"action":"open"}"#, "open", "closed", "opening"),
        (Cover, r#"{"action":"set","position":40}"#, "40", "90", "40"),
        (Climate, r#"{"action":"set","temperature":21}"#, r#"{"temperature":21.0}"#, "19", r#"{"mode":"heat","temperature":21}"#),
        (Switch, r#"{"action":"turn_on"}"#, r#"{"state":"on"}"#, "off", "on"),
        (Fan, r#"{"action":"turn_on"}"#, r#"{"state":"on"}"#, "off", "on"),
    ] {
        let mut plant = plant_of(declared(kind, Some("plant/thing/state")));
        let out = plant.feed(Input::Command { id: "1".into(), entity: entity_id("thing.it"), action: action(asked) });
        assert_eq!(published(&out), [("plant/thing/set".to_owned(), payload.to_owned())], "{kind:?}");
        // Our own words come back from the broker, and are nobody's state.
        assert_eq!(states(&plant.says("plant/thing/set", payload)), [], "{kind:?}");
        assert_eq!(states(&plant.says("plant/thing/state", wrong)), [], "{kind:?}");
        let ended = plant.says("plant/thing/state", right);
        assert_eq!(states(&ended), [CommandState::Accepted, CommandState::Confirmed], "{kind:?} {ended:?}");
        assert_eq!(plant.fleet.known_entities().count(), 1, "{kind:?}: nothing else was made of its topics");
    }
}

#[test]
fn a_button_ends_when_the_broker_has_it() {
    let mut plant = plant_of(declared(EntityKind::Button, None));
    assert!(plant.entity("thing.it").assumed);
    assert_eq!(plant.ask("1", "thing.it", Action::Press {}), [CommandState::Sent]);
    assert_eq!(states(&plant.feed(Input::CommandAccepted { id: "1".into() })), [CommandState::Accepted]);
    assert_eq!(states(&plant.wait(MAX_WAIT_MS)), []);
}

#[test]
fn a_measured_value_that_is_declared_can_be_set_and_keeps_its_id() {
    let speed = |state_topic| Settings {
        declared: [(
            entity_id("pump.speed"),
            Declared {
                kind: EntityKind::Number,
                command_topic: "pump/speed/set".into(),
                state_topic,
                link: None,
                control: crate::control::Control::default(),
            },
        )]
        .into(),
        ..Settings::default()
    };
    for payload in ["3", r#"{"value":3}"#] {
        let mut plant = plant_of(speed(None));
        plant.says("sensors/pump/speed", payload);
        let view = plant.entity("pump.speed");
        assert_eq!((view.kind, view.v, view.assumed, view.settable), (EntityKind::Number, number(3.0), false, true), "{payload}");
        plant.ask("1", "pump.speed", action(r#"{"action":"set","value":4}"#));
        assert_eq!(states(&plant.says("sensors/pump/speed", "4")), [CommandState::Accepted, CommandState::Confirmed]);
    }
    // Also where it is one of several values of a message.
    let mut plant = plant_of(speed(None));
    plant.says("sensors/pump", r#"{"speed":3,"power":40}"#);
    plant.says("sensors/pump", r#"{"speed":5,"power":41}"#);
    assert_eq!((plant.value("pump.speed").0, plant.value("pump.power").0), (number(5.0), number(41.0)));
}

#[test]
fn what_is_no_longer_declared_is_made_anew_by_its_next_message() {
    let plant = plant_of(declared(EntityKind::Number, Some("plant/thing/it")));
    let (devices, entities): (Vec<_>, Vec<_>) = (plant.fleet.devices().into_iter().cloned().collect(), plant.fleet.known_entities().collect());
    let mut fleet = Fleet::new(Settings::default());
    fleet.restore(devices, entities, vec![], vec![]);
    let mut plant = Plant { fleet, now: 2_000_000 };
    plant.feed(Input::Link { broker: "main".into(), state: LinkState::Up });
    plant.says("plant/thing/it", "3");
    let view = plant.entity("thing.it");
    assert!(view.kind == EntityKind::Sensor && !view.settable, "{view:?}");
}

#[test]
fn a_retained_command_is_told_and_is_no_state() {
    let mut plant = Plant::new(Settings::default());
    plant.says("control/lights/hall", "on");
    plant.now += 60_000;
    let out = plant.delivers("control/lights/hall", "off", true);
    assert!(out.iter().any(|change| matches!(change, Change::RetainedCommand { topic, .. } if **topic == *"control/lights/hall")));
    assert_eq!(alarm_states(&out), [AlarmState::Unacked]);
    assert_eq!(plant.entity("hall.light").v.and_then(|v| v.is_on()), Some(true), "it is no state");
    assert!(plant.fleet.is_retained_command("main", "control/lights/hall"));
    assert_eq!(alarm_states(&plant.delivers("control/lights/hall", "off", true)), [], "it is told once");
    let out = plant.delivers("commands/boiler", "restart", true);
    assert_eq!(alarm_states(&out), [AlarmState::Unacked], "in other words, for there are two");
    plant.says("commands/boiler", "");
    assert_eq!(alarm_states(&plant.says("control/lights/hall", "")), [AlarmState::Returned]);
    assert!(!plant.fleet.is_retained_command("main", "control/lights/hall"));
}

#[test]
fn a_retained_command_of_an_earlier_run_is_over_when_the_broker_does_not_deliver_it_again() {
    let mut before = Plant::new(Settings::default());
    before.delivers("commands/boiler", "restart", true);
    let alarms = before.fleet.alarms();
    let restart = |alarms: &Vec<Alarm>| {
        let mut fleet = Fleet::new(Settings::default());
        fleet.restore(vec![], vec![], vec![], alarms.clone());
        let mut plant = Plant { fleet, now: 2_000_000 };
        plant.feed(Input::Link { broker: "main".into(), state: LinkState::Up });
        plant
    };
    let mut again = restart(&alarms);
    assert_eq!(alarm_states(&again.delivers("commands/boiler", "restart", true)), [], "as before");
    assert_eq!(alarm_states(&again.wait(60_000)), []);
    let mut gone = restart(&alarms);
    assert_eq!(alarm_states(&gone.wait(10_000)), []);
    assert_eq!(alarm_states(&gone.wait(30_000)), [AlarmState::Returned]);
}
