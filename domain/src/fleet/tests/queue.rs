//! Commands that wait for devices that sleep.

use super::*;
use crate::change::QueueChange;
use crate::time::{DAY_MS, HOUR_MS};

fn asleep() -> Plant {
    let mut plant = Plant::new(Settings::default());
    plant.says("state/switches/valve", "off");
    plant
}

fn queue(plant: &mut Plant, id: &str, action: Action) -> Vec<CommandState> {
    let expires_at = Timestamp::from_ms(plant.now + DAY_MS);
    states(&plant.feed(Input::QueueCommand { id: id.into(), entity: entity_id("valve.switch"), action, expires_at }))
}

fn waiting(plant: &Plant) -> Vec<String> {
    plant.fleet.queued().map(|queued| queued.report.id.clone()).collect()
}

fn publishes(out: &[Change]) -> usize {
    out.iter().filter(|change| matches!(change, Change::Publish(_))).count()
}

#[test]
fn a_command_waits_for_a_message_that_is_new() {
    use CommandState::{Accepted, Confirmed, Queued, Sent};
    let mut plant = asleep();
    assert_eq!(queue(&mut plant, "1", ON), [Queued]);
    plant.now += HOUR_MS;
    let out = plant.delivers("state/switches/valve", "off", true);
    assert_eq!((states(&out), publishes(&out)), (vec![], 0), "what a broker kept is no sign of life");
    let out = plant.says("state/switches/valve", "off");
    assert_eq!((states(&out), publishes(&out)), (vec![Sent], 1));
    assert!(out.iter().any(|change| matches!(change, Change::Queue(QueueChange::Gone(id)) if id == "1")));
    plant.now += 400;
    let out = plant.says("state/switches/valve", "on");
    assert_eq!(states(&out), [Accepted, Confirmed]);
    let after = out.iter().rev().find_map(|change| if let Change::Command(report) = change { report.after_ms } else { None });
    assert_eq!((after, waiting(&plant)), (Some(400), vec![]), "the wait in the queue is not the device's");
}

#[test]
fn a_device_that_says_it_is_there_gets_it_at_once() {
    use CommandState::{Queued, Sent, Unconfirmed};
    let mut plant = asleep();
    plant.says("devices/valve/status", "offline");
    assert_eq!(queue(&mut plant, "1", ON), [Queued]);
    assert_eq!(states(&plant.says("devices/valve/status", "online")), [Sent]);
    plant.now += 1_000;
    assert_eq!(queue(&mut plant, "2", Action::TurnOff {}), [Unconfirmed, Sent], "it is online");
}

#[test]
fn one_waits_for_each_entity_and_the_newest_wins() {
    use CommandState::{Queued, Refused, Sent, Unconfirmed};
    let mut plant = asleep();
    assert_eq!(queue(&mut plant, "1", ON), [Queued]);
    assert_eq!(queue(&mut plant, "2", Action::TurnOff {}), [Unconfirmed, Queued]);
    assert_eq!(waiting(&plant), ["2"]);
    assert_eq!(plant.ask("3", "valve.switch", ON), [Unconfirmed, Sent], "nothing undoes later what is done now");
    assert_eq!(waiting(&plant), [""; 0]);
    assert_eq!(queue(&mut plant, "4", Action::Press {}), [Refused]);
    assert_eq!(queue(&mut plant, "5", ON), [Queued]);
    assert_eq!(states(&plant.feed(Input::CancelCommand { id: "5".into(), who: "ann".into() })), [Refused]);
    assert_eq!(waiting(&plant), [""; 0]);
    assert_eq!(states(&plant.feed(Input::CancelCommand { id: "5".into(), who: "ann".into() })), []);
}

#[test]
fn what_waits_too_long_is_given_up_and_what_waits_survives_a_restart() {
    let mut plant = asleep();
    queue(&mut plant, "1", ON);
    let (devices, entities, queued): (Vec<_>, Vec<_>, Vec<_>) =
        (plant.fleet.devices().into_iter().cloned().collect(), plant.fleet.known_entities().collect(), plant.fleet.queued().collect());
    let mut fleet = Fleet::new(Settings::default());
    fleet.restore(devices, entities, vec![], vec![]);
    fleet.restore_queue(queued);
    let mut plant = Plant { fleet, now: 1_000_000 + DAY_MS - 1 };
    assert_eq!(states(&plant.wait(0)), []);
    let out = plant.wait(1);
    let reason = out.iter().find_map(|change| if let Change::Command(report) = change { report.reason.clone() } else { None });
    assert_eq!((states(&out), reason.as_deref()), (vec![CommandState::Unconfirmed], Some("the device gave no sign of life in 24 h")));
    plant.feed(Input::Link { broker: "main".into(), state: LinkState::Up });
    assert_eq!(publishes(&plant.says("state/switches/valve", "off")), 0);
}

#[test]
fn while_the_broker_is_gone_nothing_that_waits_is_sent() {
    let mut plant = asleep();
    queue(&mut plant, "1", ON);
    plant.feed(Input::Link { broker: "main".into(), state: LinkState::Down });
    assert_eq!(publishes(&plant.says("state/switches/valve", "off")), 0);
    assert_eq!(waiting(&plant), ["1"]);
}
