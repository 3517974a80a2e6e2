//! What operators write, over what topics say and under what the file says.

use super::*;
use crate::written::{AmendError, Amendment, AreaPatch, DevicePatch, EntityPatch, Patch, Written};

fn name(name: &str) -> EntityPatch {
    EntityPatch { name: Patch::Set(name.into()), ..EntityPatch::default() }
}

fn area(id: &str) -> AreaId {
    AreaId::parse(id).expect("id")
}

fn device(id: &str) -> DeviceId {
    DeviceId::parse(id).expect("id")
}

impl Plant {
    fn writes(&mut self, amendment: Amendment) -> Vec<Change> {
        self.feed(Input::Amend(amendment))
    }
}

#[test]
fn what_is_written_shows_at_once_and_what_is_taken_back_is_what_the_topic_says() {
    let mut plant = Plant::new(Settings::default());
    plant.says("home/livingroom/temperature", "20");
    let id = entity_id("livingroom.temperature");
    let patch = EntityPatch { area: Patch::Set(area("attic")), unit: Patch::Set("K".into()), hidden: Patch::Set(true), ..name("Warmth") };
    let out = plant.writes(Amendment::Entity(id.clone(), patch));
    let Some(Change::Entity(stored, shown)) = out.iter().find(|change| matches!(change, Change::Entity(..))) else { panic!("{out:?}") };
    assert_eq!((stored.name.as_str(), stored.unit.as_deref(), stored.hidden), ("Temperature", Some("°C"), false), "stored as found");
    assert_eq!((shown.name.as_str(), shown.unit.as_deref(), shown.hidden, shown.area.as_ref()), ("Warmth", Some("K"), true, Some(&area("attic"))));
    assert_eq!(plant.fleet.area(&area("attic")).map(|area| area.name.as_str()), Some("Attic"), "an area that nobody named before");
    assert!(out.iter().any(|change| matches!(change, Change::Areas(areas) if areas.len() == 2)), "{out:?}");
    // The next one leaves the others as they are.
    plant.writes(Amendment::Entity(id.clone(), EntityPatch { area: Patch::Clear, hidden: Patch::Clear, ..EntityPatch::default() }));
    let view = plant.entity("livingroom.temperature");
    assert_eq!((view.name.as_str(), view.hidden, view.area), ("Warmth", false, Some(area("livingroom"))));
    let out = plant.writes(Amendment::Entity(id, EntityPatch { name: Patch::Clear, unit: Patch::Clear, ..EntityPatch::default() }));
    assert_eq!((plant.entity("livingroom.temperature").name, plant.value("livingroom.temperature").0), ("Temperature".into(), number(20.0)));
    assert!(out.iter().any(|change| matches!(change, Change::Written(Written::Entity(_, written)) if *written == Override::default())));
}

#[test]
fn a_device_takes_its_entities_along_but_for_those_that_something_is_written_about() {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/node/temperature", "20");
    plant.says("sensors/node/humidity", "40");
    let own = EntityPatch { area: Patch::Set(area("attic")), ..EntityPatch::default() };
    plant.writes(Amendment::Entity(entity_id("node.humidity"), own));
    let patch = DevicePatch { name: Patch::Set("Weather".into()), area: Patch::Set(area("roof")) };
    let out = plant.writes(Amendment::Device(device("node"), patch.clone()));
    assert_eq!(out.iter().filter(|change| matches!(change, Change::Entity(..))).count(), 2);
    let place = |plant: &Plant, id: &str| plant.entity(id).area.map(|area| area.to_string());
    assert_eq!((place(&plant, "node.temperature"), place(&plant, "node.humidity")), (Some("roof".into()), Some("attic".into())));
    assert_eq!(plant.fleet.device(&device("node")).expect("known").name, "Weather");
    // Its will is stored with the name that was found: what is written is stored beside.
    let out = plant.says("sensors/node/status", "offline");
    assert!(out.iter().any(|change| matches!(change, Change::Device(device) if device.name == "Node" && device.area.is_none())), "{out:?}");
    plant.writes(Amendment::Device(device("node"), DevicePatch { name: Patch::Clear, area: Patch::Clear }));
    assert_eq!((plant.fleet.device(&device("node")).expect("known").name.as_str(), place(&plant, "node.temperature")), ("Node", None));
}

#[test]
fn the_file_wins_and_what_the_demo_suggests_does_not() {
    let written = |name: &str| Override { name: Some(name.into()), ..Override::default() };
    let room = |id: &str, name: &str| Area { id: area(id), name: name.into(), icon: None };
    let mut plant = Plant::new(Settings {
        overrides: [(entity_id("a.temperature"), written("From the file"))].into(),
        suggested: [(entity_id("b.temperature"), written("Suggested"))].into(),
        areas: vec![room("attic", "From the file")],
        suggested_areas: vec![room("roof", "Suggested")],
        ..Settings::default()
    });
    plant.says("sensors/a/temperature", "1");
    plant.says("sensors/b/temperature", "1");
    assert_eq!(plant.entity("b.temperature").name, "Suggested");
    let in_file = plant.fleet.check_amendment(&Amendment::Entity(entity_id("a.temperature"), name("Mine")));
    assert_eq!(in_file, Err(AmendError::InFile { field: "name", what: "[[entity]] \"a.temperature\"".into() }));
    assert_eq!(plant.writes(Amendment::Entity(entity_id("a.temperature"), name("Mine"))), []);
    assert_eq!(plant.entity("a.temperature").name, "From the file");
    plant.writes(Amendment::Entity(entity_id("b.temperature"), name("Mine")));
    assert_eq!(plant.entity("b.temperature").name, "Mine");
    let patch = AreaPatch { name: Patch::Set("Mine".into()) };
    assert!(matches!(plant.fleet.check_amendment(&Amendment::Area(area("attic"), patch.clone())), Err(AmendError::InFile { .. })));
    assert!(matches!(plant.fleet.check_amendment(&Amendment::Area(area("cellar"), patch.clone())), Err(AmendError::Unknown(_))));
    plant.writes(Amendment::Area(area("roof"), patch));
    assert_eq!(plant.fleet.area(&area("roof")).expect("known").name, "Mine");
    plant.writes(Amendment::Area(area("roof"), AreaPatch { name: Patch::Clear }));
    assert_eq!(plant.fleet.area(&area("roof")).expect("known").name, "Suggested");
}

#[test]
fn what_is_written_survives_a_restart_and_can_still_be_taken_back() {
    let mut before = Plant::new(Settings::default());
    let mut out = before.says("home/livingroom/energy", "20");
    let id = entity_id("livingroom.energy");
    out.extend(before.writes(Amendment::Entity(id.clone(), EntityPatch { unit: Patch::Set("W".into()), ..name("Power") })));
    out.extend(
        before.writes(Amendment::Device(device("livingroom"), DevicePatch { name: Patch::Set("Meter".into()), area: Patch::Set(area("attic")) })),
    );
    out.extend(before.writes(Amendment::Area(area("attic"), AreaPatch { name: Patch::Set("Loft".into()) })));
    let (mut devices, mut entities, mut written) = (vec![], vec![], vec![]);
    for change in out {
        match change {
            Change::Device(device) => devices.push(device),
            Change::Entity(entity, _) => {
                entities.retain(|known: &Entity| known.id != entity.id);
                entities.push(*entity);
            }
            Change::Written(one) => written.push(one),
            _ => {}
        }
    }
    assert_eq!(entities[0].counter, Some(false), "a history is one of what is shown");
    let mut after = Plant::new(Settings::default());
    after.fleet.restore_written(written);
    after.fleet.restore(devices, entities, vec![], vec![]);
    let view = after.entity("livingroom.energy");
    assert_eq!((view.name.as_str(), view.unit.as_deref(), view.area.expect("an area").as_str()), ("Power", Some("W"), "attic"));
    assert_eq!(after.fleet.device(&device("livingroom")).expect("known").name, "Meter");
    assert_eq!(after.fleet.area(&area("attic")).expect("known").name, "Loft");
    after.writes(Amendment::Entity(id, EntityPatch { unit: Patch::Clear, name: Patch::Clear, ..EntityPatch::default() }));
    after.writes(Amendment::Device(device("livingroom"), DevicePatch { name: Patch::Clear, area: Patch::Clear }));
    let view = after.entity("livingroom.energy");
    assert_eq!((view.name.as_str(), view.unit.as_deref(), view.area.expect("an area").as_str()), ("Energy", Some("kWh"), "livingroom"));
}

#[test]
fn a_unit_out_of_a_text_is_a_guess_until_somebody_writes_one() {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/a/level", "56%");
    plant.says("sensors/b/level", r#"{"value":3,"unit":"bar"}"#);
    plant.says("sensors/c/temperature", "21");
    let unit = |plant: &Plant, id: &str| (plant.entity(id).unit, plant.entity(id).unit_guessed);
    let of = |unit: &str| Some(unit.to_owned());
    assert_eq!(unit(&plant, "a.level"), (of("%"), true));
    assert_eq!((unit(&plant, "b.level"), unit(&plant, "c.temperature")), ((of("bar"), false), (of("°C"), false)));
    let told = serde_json::to_value(plant.entity("a.level")).expect("JSON");
    assert_eq!((&told["unit_guessed"], serde_json::to_value(plant.entity("b.level")).expect("JSON").get("unit_guessed")), (&true.into(), None));
    let write = |unit| Amendment::Entity(entity_id("a.level"), EntityPatch { unit, ..EntityPatch::default() });
    plant.writes(write(Patch::Set("%".into())));
    assert_eq!(unit(&plant, "a.level"), (of("%"), false));
    plant.writes(write(Patch::Clear));
    assert_eq!(unit(&plant, "a.level"), (of("%"), true));
}
