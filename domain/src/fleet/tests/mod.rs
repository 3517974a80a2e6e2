//! The behaviour of the product, fed with inputs and read as changes.

/// What operators write.
mod amend;
/// Messages of which something cannot be read.
mod bad;
/// Commands, and the evidence by which they end.
mod commands;
/// Devices that are gone.
mod departed;
/// Devices that are gone and still announced.
mod ghosts;
/// Several as one.
mod groups;
/// What is shown unasked.
mod listing;
/// What topics are about, as the operator writes it.
mod patterns;
/// Commands that wait for devices that sleep.
mod queue;
/// Quality and time.
mod staleness;
/// Times of devices, late readings, batches.
mod time;
/// Units that are shown in place of those that devices speak in.
mod units;

use proptest::prelude::*;

use super::*;
use crate::alarm::{AlarmState, Severity};
use crate::command::{Action, CommandState};
use crate::entity::EntityKind;
use crate::input::Message;
use crate::live::EntityView;
use crate::quality::Quality;
use crate::rule::Condition;
use crate::value::{LightState, OnOff, Value};

/// A fleet with a clock of its own and a link that is up.
struct Plant {
    fleet: Fleet,
    now: i64,
}

impl Plant {
    fn new(settings: Settings) -> Self {
        let mut plant = Self { fleet: Fleet::new(settings), now: 1_000_000 };
        plant.feed(Input::Link { broker: "main".into(), state: LinkState::Up });
        plant
    }

    fn feed(&mut self, input: Input) -> Vec<Change> {
        let mut out = vec![];
        self.fleet.apply(input, Timestamp::from_ms(self.now), &mut out);
        out
    }

    fn wait(&mut self, ms: i64) -> Vec<Change> {
        self.now += ms;
        self.feed(Input::Tick)
    }

    fn says(&mut self, topic: &str, payload: &str) -> Vec<Change> {
        self.delivers(topic, payload, false)
    }

    fn delivers(&mut self, topic: &str, payload: &str, retained: bool) -> Vec<Change> {
        self.feed(Input::Message(Message { link: "main".into(), topic: topic.into(), payload: payload.as_bytes().into(), qos: 1, retained }))
    }

    fn ask(&mut self, id: &str, entity: &str, action: Action) -> Vec<CommandState> {
        let out = self.feed(Input::Command { id: id.into(), entity: entity_id(entity), action });
        states(&out)
    }

    fn entity(&self, id: &str) -> EntityView {
        self.fleet.entity(&entity_id(id)).unwrap_or_else(|| panic!("{id} is known"))
    }

    fn value(&self, id: &str) -> (Option<Value>, Quality) {
        let view = self.entity(id);
        (view.v, view.q)
    }
}

fn entity_id(id: &str) -> EntityId {
    EntityId::parse(id).expect("an id")
}

fn states(out: &[Change]) -> Vec<CommandState> {
    out.iter().filter_map(|change| if let Change::Command(report) = change { Some(report.state) } else { None }).collect()
}

fn readings(out: &[Change]) -> usize {
    out.iter().filter(|change| matches!(change, Change::Reading(_))).count()
}

fn alarm_states(out: &[Change]) -> Vec<AlarmState> {
    out.iter().filter_map(|change| if let Change::Alarm(alarm) = change { Some(alarm.state) } else { None }).collect()
}

fn number(n: f64) -> Option<Value> {
    Some(Value::Number(n))
}

const ON: Action = Action::TurnOn { brightness: None, color_temp: None };

#[test]
fn a_sensor_appears_with_its_first_message() {
    let mut plant = Plant::new(Settings::default());
    let out = plant.says("sensors/temp-sensor-001/temperature", "21.3");
    assert!(matches!(&out[0], Change::Device(device) if device.id.as_str() == "temp-sensor-001"));
    let view = plant.entity("temp-sensor-001.temperature");
    assert_eq!((view.name.as_str(), view.kind, view.unit.as_deref()), ("Temperature", EntityKind::Sensor, Some("°C")));
    assert_eq!((view.v, view.q, view.t), (number(21.3), Quality::Good, Some(Timestamp::from_ms(1_000_000))));
}

#[test]
fn the_area_comes_from_the_topic_and_the_override_wins() {
    let id = entity_id("livingroom.temperature");
    let written = Override { name: Some("Warmth".into()), area: Some(AreaId::parse("parlor").expect("id")), ..Override::default() };
    let mut plant = Plant::new(Settings { overrides: [(id, written)].into(), ..Settings::default() });
    plant.says("home/livingroom/temperature", "20");
    plant.says("home/kitchen/temperature", "20");
    let view = plant.entity("livingroom.temperature");
    assert_eq!((view.name.as_str(), view.area.expect("an area").as_str()), ("Warmth", "parlor"));
    assert_eq!(plant.entity("kitchen.temperature").area.expect("an area").as_str(), "kitchen");
}

#[test]
fn ids_that_would_be_equal_differ() {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/A B/temperature", "1");
    plant.says("sensors/a_b/temperature", "2");
    assert_eq!((plant.value("a_b.temperature").0, plant.value("a_b.temperature-2").0), (number(1.0), number(2.0)));
}

#[test]
fn json_leaves_become_entities_and_later_leaves_join() {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/node", r#"{"temperature":1,"battery":{"voltage":3.1}}"#);
    plant.says("sensors/node", r#"{"temperature":2,"humidity":40}"#);
    assert_eq!(plant.value("node.temperature").0, number(2.0));
    assert_eq!(plant.value("node.battery_voltage").0, number(3.1));
    assert_eq!(plant.entity("node.humidity").unit.as_deref(), Some("%"));
}

#[test]
fn a_last_will_turns_every_entity_offline_and_keeps_its_value() {
    let mut plant = Plant::new(Settings::default());
    plant.says("devices/a/status", "online");
    plant.says("sensors/a/temperature", "21");
    plant.says("sensors/a/humidity", "40");
    plant.now += 500;
    let out = plant.says("devices/a/status", "offline");
    assert_eq!(out.iter().filter(|c| matches!(c, Change::Shown(change) if change.q == Quality::Offline)).count(), 2);
    let view = plant.entity("a.temperature");
    assert_eq!((view.v, view.t, view.offline_since), (number(21.0), Some(Timestamp::from_ms(1_000_000)), Some(Timestamp::from_ms(1_000_500))));
    plant.says("devices/a/status", "online");
    assert_eq!(plant.value("a.temperature").1, Quality::Good);
}

#[test]
fn a_value_that_is_late_against_its_rhythm_is_stale() {
    let mut plant = Plant::new(Settings::default());
    for _ in 0..6 {
        plant.says("sensors/a/temperature", "21");
        plant.wait(5_000);
    }
    assert_eq!(plant.value("a.temperature").1, Quality::Good);
    plant.wait(14_000);
    assert_eq!(plant.value("a.temperature").1, Quality::Good);
    let out = plant.wait(2_000);
    assert!(matches!(&out[..], [Change::Shown(change)] if change.q == Quality::Stale));
    plant.says("sensors/a/temperature", "21");
    assert_eq!(plant.value("a.temperature").1, Quality::Good);
}

#[test]
fn what_goes_through_a_link_is_told_when_it_changes() {
    let mut plant = Plant::new(Settings::default());
    plant.feed(Input::Link { broker: "main".into(), state: LinkState::Up });
    let busy = |broker: &str| Input::LinkFigures { broker: broker.into(), error: None, messages_per_s: Some(42.5), dropped: 3 };
    let shown = |out: &[Change]| match out {
        [Change::Link(link)] => Some((link.state, link.messages_per_s, link.dropped)),
        _ => None,
    };
    assert_eq!(shown(&plant.feed(busy("main"))), Some((LinkState::Up, Some(42.5), 3)));
    assert_eq!(plant.feed(busy("main")), []);
    // What is lost is lost, whatever becomes of the link; the rate was that of another connection.
    assert_eq!(shown(&plant.feed(Input::Link { broker: "main".into(), state: LinkState::Down })), Some((LinkState::Down, None, 3)));
    assert_eq!(plant.feed(busy("unknown")), []);
}

#[test]
fn nothing_is_fresh_while_its_broker_is_not_reached() {
    let mut plant = Plant::new(Settings::default());
    plant.feed(Input::Link { broker: "other".into(), state: LinkState::Up });
    plant.says("sensors/a/temperature", "21");
    plant.says("sensors/door/contact", "open");
    plant.now += 100;
    assert!(plant.feed(Input::Link { broker: "other".into(), state: LinkState::Down }).iter().all(|change| !matches!(change, Change::Shown(_))));
    let out = plant.feed(Input::Link { broker: "main".into(), state: LinkState::Down });
    assert_eq!(out.iter().filter(|change| matches!(change, Change::Shown(change) if change.q == Quality::Stale)).count(), 2);
    assert_eq!(plant.entity("a.temperature").t, Some(Timestamp::from_ms(1_000_000)), "the age stays true");
    // The connection for commands was lost only: what is heard is fresh, and stays so.
    plant.now += 100;
    plant.says("sensors/a/temperature", "22");
    plant.wait(1_000);
    assert_eq!((plant.value("a.temperature").1, plant.value("door.contact").1), (Quality::Good, Quality::Stale));
    plant.feed(Input::Link { broker: "main".into(), state: LinkState::Up });
    assert_eq!(plant.value("door.contact").1, Quality::Good);
}

#[test]
fn a_state_that_is_sent_on_change_never_gets_stale() {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/a/door", "open");
    plant.wait(1_000_000_000);
    assert_eq!(plant.value("a.door"), (Some(Value::Bool(true)), Quality::Good));
}

#[test]
fn a_retained_replay_never_renews_an_age() {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/a/temperature", "21");
    plant.now += 60_000;
    let out = plant.delivers("sensors/a/temperature", "21", true);
    assert_eq!(readings(&out), 0);
    assert_eq!(plant.entity("a.temperature").t, Some(Timestamp::from_ms(1_000_000)));
}

#[test]
fn a_restart_shows_the_last_value_with_its_own_age() {
    let mut before = Plant::new(Settings::default());
    let mut saved = (vec![], vec![], vec![]);
    for change in before.says("sensors/a/temperature", "21") {
        match change {
            Change::Device(device) => saved.0.push(device),
            Change::Entity(entity, _) => saved.1.push(*entity),
            Change::Reading(reading) => saved.2.push(reading),
            _ => {}
        }
    }
    let mut after = Plant::new(Settings::default());
    after.fleet.restore(saved.0, saved.1, saved.2, vec![]);
    after.now += 120_000;
    let view = after.entity("a.temperature");
    assert_eq!((view.v, view.q, view.t), (number(21.0), Quality::Retained, Some(Timestamp::from_ms(1_000_000))));
    after.delivers("sensors/a/temperature", "21", true);
    assert_eq!(after.entity("a.temperature").t, Some(Timestamp::from_ms(1_000_000)));
    after.says("sensors/a/temperature", "22");
    assert_eq!(after.value("a.temperature"), (number(22.0), Quality::Good));
    assert_eq!(after.fleet.entities().len(), 1);
}

#[test]
fn late_readings_are_kept_and_never_move_a_tile() {
    let mut plant = Plant::new(Settings::default());
    plant.now = 2_000_000_000_000;
    plant.says("sensors/a/temperature", r#"{"value":21,"ts":1999999999000}"#);
    let out = plant.says("sensors/a/temperature", r#"{"value":3,"ts":1999999990000}"#);
    assert_eq!(readings(&out), 1);
    assert_eq!(plant.value("a.temperature").0, number(21.0));
    plant.says("sensors/a/temperature", r#"{"value":5,"ts":3000000000000}"#);
    assert_eq!(plant.entity("a.temperature").t, Some(Timestamp::from_ms(2_000_000_000_000)));
}

#[test]
fn what_cannot_be_read_is_bad_and_keeps_the_last_good_value() {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/a/temperature", "21");
    for bad in ["NaN", "hot", "1e999", "{", "\u{7f}\0"] {
        let out = plant.says("sensors/a/temperature", bad);
        assert!(out.iter().any(|c| matches!(c, Change::Rejected { .. })), "{bad}");
        assert_eq!(plant.value("a.temperature"), (number(21.0), Quality::Bad), "{bad}");
    }
    plant.says("sensors/a/temperature", "22");
    assert_eq!(plant.value("a.temperature"), (number(22.0), Quality::Good));
}

#[test]
fn a_command_is_confirmed_by_the_device_only() {
    let mut plant = Plant::new(Settings::default());
    plant.says("state/lights/hall", r#"{"state":"off","brightness":10}"#);
    let out = plant.feed(Input::Command {
        id: "1".into(),
        entity: entity_id("hall.light"),
        action: Action::TurnOn { brightness: Some(80), color_temp: None },
    });
    let publish = out.iter().find_map(|c| if let Change::Publish(p) = c { Some(p) } else { None }).expect("goes out");
    assert_eq!((publish.topic.as_str(), publish.payload.as_slice()), ("control/lights/hall", br#"{"state":"on","brightness":80}"#.as_slice()));
    // Our own echo on the command topic is no confirmation.
    assert_eq!(states(&plant.says("control/lights/hall", r#"{"state":"on","brightness":80}"#)), []);
    assert_eq!(states(&plant.feed(Input::CommandAccepted { id: "1".into() })), [CommandState::Accepted]);
    assert_eq!(states(&plant.says("state/lights/hall", r#"{"state":"on","brightness":50}"#)), []);
    plant.now += 400;
    let confirmed = plant.says("state/lights/hall", r#"{"state":"on","brightness":80}"#);
    assert_eq!(states(&confirmed), [CommandState::Confirmed]);
    assert_eq!(plant.value("hall.light").0, Some(Value::Light(LightState { brightness: Some(80), ..LightState::new(OnOff::On) })));
}

#[test]
fn a_silent_device_leaves_a_command_unconfirmed() {
    let mut plant = Plant::new(Settings::default());
    plant.says("state/switches/valve", "off");
    assert_eq!(plant.ask("1", "valve.switch", Action::Toggle {}), [CommandState::Sent]);
    plant.feed(Input::CommandAccepted { id: "1".into() });
    assert_eq!(states(&plant.wait(UNLEARNED_WAIT_MS - 1)), []);
    assert_eq!(states(&plant.wait(1)), [CommandState::Unconfirmed]);
    assert_eq!(plant.value("valve.switch").0, Some(Value::Bool(false)));
}

#[test]
fn the_wait_is_learned_from_the_answers() {
    let mut plant = Plant::new(Settings::default());
    plant.says("state/switches/pump", "off");
    for (id, state) in [("1", "on"), ("2", "off"), ("3", "on")] {
        plant.ask(id, "pump.switch", Action::Toggle {});
        plant.now += 1_000;
        assert_eq!(states(&plant.says("state/switches/pump", state)), [CommandState::Accepted, CommandState::Confirmed]);
    }
    plant.ask("4", "pump.switch", Action::Toggle {});
    assert_eq!(states(&plant.wait(3_999)), []);
    assert_eq!(states(&plant.wait(1)), [CommandState::Unconfirmed]);
}

#[test]
fn commands_are_refused_with_a_reason() {
    let mut plant = Plant::new(Settings::default());
    plant.says("state/lights/hall", "off");
    plant.says("sensors/a/temperature", "1");
    let refused = [CommandState::Refused];
    assert_eq!(plant.ask("1", "no.light", ON), refused);
    assert_eq!(plant.ask("2", "a.temperature", ON), refused);
    assert_eq!(plant.ask("3", "hall.light", Action::TurnOn { brightness: Some(101), color_temp: None }), refused);
    plant.says("devices/hall/status", "offline");
    assert_eq!(plant.ask("4", "hall.light", ON), refused);
    plant.says("devices/hall/status", "online");
    plant.feed(Input::Link { broker: "main".into(), state: LinkState::Down });
    assert_eq!(plant.ask("5", "hall.light", ON), refused);
    plant.feed(Input::Link { broker: "main".into(), state: LinkState::Up });
    assert_eq!(plant.ask("6", "hall.light", ON), [CommandState::Sent]);
    assert_eq!(plant.ask("7", "hall.light", Action::TurnOff {}), [CommandState::Unconfirmed, CommandState::Sent]);
    assert_eq!(states(&plant.feed(Input::CommandFailed { id: "7".into(), reason: "lost".into() })), [CommandState::Failed]);
}

#[test]
fn a_light_without_a_state_topic_has_an_assumed_state_until_one_is_found() {
    let mut plant = Plant::new(Settings::default());
    plant.says("control/lights/living-room", r#"{"state":"on","brightness":80}"#);
    let view = plant.entity("living-room.light");
    assert!(view.assumed && view.settable);
    plant.ask("1", "living-room.light", Action::Toggle {});
    assert_eq!(states(&plant.feed(Input::CommandAccepted { id: "1".into() })), [CommandState::Accepted]);
    assert_eq!(plant.entity("living-room.light").v.and_then(|v| v.is_on()), Some(false));
    plant.says("state/lights/living-room", "on");
    let view = plant.entity("living-room.light");
    assert!(!view.assumed && view.v.and_then(|v| v.is_on()) == Some(true));
}

fn hot_rule() -> Settings {
    let rule = |id: &str, condition| Rule {
        id: id.into(),
        name: String::new(),
        entity: entity_id("a.temperature"),
        condition,
        severity: Severity::Critical,
        hysteresis: 2.0,
        message: String::new(),
    };
    Settings { rules: vec![rule("hot", Condition::Above { limit: 30.0 }), rule("gone", Condition::Offline {})], ..Settings::default() }
}

#[test]
fn an_alarm_is_raised_acknowledged_and_cleared() {
    let mut plant = Plant::new(hot_rule());
    plant.says("devices/a/status", "online");
    assert_eq!(alarm_states(&plant.says("sensors/a/temperature", "30")), []);
    assert_eq!(alarm_states(&plant.says("sensors/a/temperature", "30.5")), [AlarmState::Unacked]);
    assert_eq!(plant.fleet.alarms()[0].message, "temperature above 30");
    assert_eq!(alarm_states(&plant.says("sensors/a/temperature", "28.5")), []);
    assert_eq!(alarm_states(&plant.feed(Input::AcknowledgeAlarm { alarm: "hot".into() })), [AlarmState::Acked]);
    assert_eq!(alarm_states(&plant.says("sensors/a/temperature", "28")), [AlarmState::Normal]);
    assert_eq!(alarm_states(&plant.says("devices/a/status", "offline")), [AlarmState::Unacked]);
    assert_eq!(alarm_states(&plant.says("devices/a/status", "online")), [AlarmState::Returned]);
}

#[test]
fn alarms_keep_state_and_since_over_a_restart() {
    let mut before = Plant::new(hot_rule());
    let out = before.says("sensors/a/temperature", "40");
    let alarm = out.iter().find_map(|c| if let Change::Alarm(a) = c { Some(a.clone()) } else { None }).expect("raised");
    let mut after = Plant::new(hot_rule());
    after.fleet.restore(vec![], vec![], vec![], vec![alarm.clone()]);
    assert_eq!(after.fleet.alarms(), [alarm]);
}

#[test]
fn every_message_is_told_with_what_it_fed() {
    let mut plant = Plant::new(Settings::default());
    let fed = |out: &[Change]| out.iter().find_map(|c| if let Change::Message { fed, .. } = c { Some(fed.len()) } else { None });
    assert_eq!(fed(&plant.says("sensors/a/temperature", "1")), Some(1));
    assert_eq!(fed(&plant.says("commands/a", "restart")), Some(0));
    assert_eq!(fed(&plant.says("a/\u{202e}/b", "1")), Some(0));
}

proptest! {
    #[test]
    fn no_message_panics_and_every_id_is_one(messages in proptest::collection::vec(("[a-z/+#$ é\u{202e}]{0,24}|sensors/[a-c]/[a-c]|(state|control)/lights/[ab]|devices/[ab]/status", "[ -~é]{0,12}|on|off|online|offline|[0-9.]{1,4}", any::<bool>()), 1..40)) {
        let mut plant = Plant::new(Settings::default());
        for (topic, payload, retained) in messages {
            plant.delivers(&topic, &payload, retained);
            plant.wait(700);
        }
        for view in plant.fleet.entities() {
            prop_assert!(EntityId::parse(view.id.as_str()).is_ok());
            prop_assert!(plant.fleet.device(&view.device).is_some());
        }
    }
}
