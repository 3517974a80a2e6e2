//! Devices that operators remove, or make one with others.

use super::*;
use crate::device::DeviceId;
use crate::written::{AmendError, Amendment, Written};

fn id(id: &str) -> DeviceId {
    DeviceId::parse(id).expect("an id")
}

fn merge(from: &str, into: &str) -> Amendment {
    Amendment::MergeDevice { from: id(from), into: id(into) }
}

fn written(out: &[Change]) -> Vec<Written> {
    out.iter().filter_map(|change| if let Change::Written(written) = change { Some(written.clone()) } else { None }).collect()
}

#[test]
fn a_removed_device_comes_back_by_its_own_voice_only() {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/a/temperature", "21");
    plant.says("devices/a/status", "online");
    let out = plant.feed(Input::Amend(Amendment::RemoveDevice(id("a"))));
    assert!(
        matches!(&out[..], [Change::Gone(entity), Change::DeviceGone(device), Change::Written(_)] if entity.as_str() == "a.temperature" && device.as_str() == "a")
    );
    let is_known = |plant: &Plant| plant.fleet.entity(&entity_id("a.temperature")).is_some();
    assert!(!is_known(&plant) && plant.fleet.device(&id("a")).is_none() && plant.fleet.entities().is_empty());

    plant.delivers("sensors/a/temperature", "21", true);
    plant.delivers("devices/a/status", "online", true);
    assert!(!is_known(&plant) && plant.fleet.device(&id("a")).is_none(), "the broker replays it");
    // Also after a restart.
    let mut later = Plant::new(Settings::default());
    later.fleet.restore_written(written(&out));
    later.delivers("sensors/a/temperature", "21", true);
    assert!(!is_known(&later));

    let out = later.says("sensors/a/temperature", "22");
    assert!(is_known(&later));
    assert!(matches!(&written(&out)[..], [Written::Device(_, now)] if *now == crate::written::DeviceOverride::default()), "it is no secret any more");
    later.delivers("sensors/a/humidity", "40", true);
    assert_eq!(later.value("a.humidity").0, number(40.0));
}

#[test]
fn a_command_on_its_way_ends_with_its_device() {
    let mut plant = Plant::new(Settings::default());
    plant.says("state/lights/hall", "off");
    plant.ask("c1", "hall.light", ON);
    let out = plant.feed(Input::Amend(Amendment::RemoveDevice(id("hall"))));
    assert_eq!(states(&out), [CommandState::Failed]);
    let out = plant.wait(30_000);
    assert!(states(&out).is_empty());
    plant.says("state/lights/hall", "off");
    assert_eq!(plant.ask("c2", "hall.light", ON), [CommandState::Sent], "its place is free again");
}

#[test]
fn two_devices_are_one_for_good() {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/a/temperature", "21");
    plant.says("sensors/b/humidity", "40");
    plant.says("devices/b/status", "online");
    let out = plant.feed(Input::Amend(merge("b", "a")));
    assert_eq!(plant.entity("b.humidity").device.as_str(), "a");
    assert_eq!(plant.fleet.device(&id("b")).map(|device| device.id.as_str()), Some("a"), "found by both ids");
    assert_eq!(plant.fleet.devices().len(), 1);
    plant.says("sensors/b/humidity", "41");
    plant.says("sensors/b/pressure", "1000");
    assert_eq!(plant.value("b.humidity").0, number(41.0));
    assert_eq!(plant.entity("a.pressure").device.as_str(), "a", "what is found of the one is the other's");
    plant.says("devices/b/status", "offline");
    assert_eq!(plant.value("a.temperature").1, Quality::Offline);

    let mut later = Plant::new(Settings::default());
    later.fleet.restore_written(written(&out));
    later.says("sensors/b/co2", "400");
    assert_eq!(later.entity("a.co2").device.as_str(), "a");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/a/temperature", "21");
    let told = |amendment| plant.fleet.check_amendment(&amendment).map_err(|error: AmendError| error.to_string());
    assert_eq!(told(merge("a", "a")), Err("into is the device itself".to_owned()));
    assert_eq!(told(merge("a", "x")), Err("unknown device \"x\"".to_owned()));
    assert_eq!(told(merge("x", "a")), Err("unknown device \"x\"".to_owned()));
    assert_eq!(told(Amendment::RemoveDevice(id("x"))), Err("unknown device \"x\"".to_owned()));
}
