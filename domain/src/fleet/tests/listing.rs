//! Entities that nobody has claimed, and how many of them are shown.

use super::*;
use crate::written::{Amendment, EntityPatch, Patch};

/// Room for two; one area and one entity are written down, and one has a rule.
fn settings() -> Settings {
    let rule = Rule {
        id: "hot".into(),
        name: "Hot".into(),
        entity: entity_id("ruled.temperature"),
        condition: Condition::Above { limit: 30.0 },
        severity: Severity::Warning,
        hysteresis: 0.0,
        message: String::new(),
    };
    Settings {
        rules: vec![rule],
        areas: vec![Area { id: AreaId::parse("cellar").expect("id"), name: "Cellar".into(), icon: None }],
        overrides: [(entity_id("named.temperature"), Override::default())].into(),
        most_unclaimed: 2,
        ..Settings::default()
    }
}

const CLAIMED: [(&str, &str); 3] = [
    ("home/cellar/temperature", "cellar.temperature"),
    ("sensors/named/temperature", "named.temperature"),
    ("sensors/ruled/temperature", "ruled.temperature"),
];

fn hidden(plant: &Plant) -> Vec<String> {
    let mut ids: Vec<String> = plant.fleet.known_entities().map(|entity| entity.id.to_string()).filter(|id| plant.entity(id).hidden).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn the_first_ones_that_nobody_has_claimed_are_shown_and_all_that_somebody_has() {
    let mut plant = Plant::new(settings());
    for device in ["z", "y", "x", "a"] {
        plant.says(&format!("sensors/{device}/temperature"), "1");
    }
    for (topic, _) in CLAIMED {
        plant.says(topic, "1");
    }
    assert_eq!(hidden(&plant), ["a.temperature", "x.temperature"]);
    assert_eq!(plant.fleet.n_unlisted(), 2);
    for (_, id) in CLAIMED {
        assert!(plant.fleet.is_listed(&entity_id(id)), "{id}");
    }
    assert!(!plant.fleet.is_listed(&entity_id("x.temperature")) && !plant.fleet.is_listed(&entity_id("none.temperature")));
    // What is not shown lives on: for history, for programs, and for whoever asks.
    plant.says("sensors/x/temperature", "2");
    assert_eq!(plant.value("x.temperature"), (number(2.0), Quality::Good));
}

#[test]
fn areas_are_those_of_what_is_shown() {
    let mut plant = Plant::new(settings());
    for (topic, _) in CLAIMED {
        plant.says(topic, "1");
    }
    for area in ["attic", "hall", "bomb-1", "bomb-2"] {
        plant.says(&format!("home/{area}/temperature"), "1");
    }
    let areas: Vec<String> = plant.fleet.areas_shown().into_iter().map(|area| area.id.to_string()).collect();
    assert_eq!(areas, ["cellar", "attic", "hall"]);
}

#[test]
fn who_was_shown_is_shown_again_after_a_restart() {
    let (mut plant, mut devices, mut entities) = (Plant::new(settings()), vec![], vec![]);
    for device in ["z", "y", "x", "a"] {
        for change in plant.says(&format!("sensors/{device}/temperature"), "1") {
            match change {
                Change::Device(device) => devices.push(device),
                Change::Entity(entity, _) => entities.push(*entity),
                _ => {}
            }
        }
        plant.wait(1_000);
    }
    // As the store gives them back.
    entities.sort_by(|a, b| a.id.cmp(&b.id));
    let mut again = Plant::new(settings());
    again.fleet.restore(devices, entities, vec![], vec![]);
    assert_eq!(hidden(&again), hidden(&plant));
    assert_eq!(again.fleet.n_unlisted(), 2);
}

#[test]
fn who_names_an_entity_brings_it_back() {
    let mut plant = Plant::new(settings());
    for device in ["z", "y", "x", "a"] {
        plant.says(&format!("sensors/{device}/temperature"), "1");
    }
    let patch = EntityPatch { name: Patch::Set("Boiler".into()), ..EntityPatch::default() };
    plant.feed(Input::Amend(Amendment::Entity(entity_id("a.temperature"), patch)));
    assert_eq!((hidden(&plant), plant.fleet.n_unlisted()), (vec!["x.temperature".to_owned()], 1));
    // Once is enough.
    let patch = EntityPatch { name: Patch::Clear, ..EntityPatch::default() };
    plant.feed(Input::Amend(Amendment::Entity(entity_id("a.temperature"), patch)));
    assert_eq!(plant.fleet.n_unlisted(), 1);
}
