//! What topics are about, as the operator writes it.

use super::*;
use crate::device::AreaId;

fn patterns(texts: &[&str]) -> Vec<TopicPattern> {
    texts.iter().map(|text| TopicPattern::parse(text).expect(text)).collect()
}

fn ids(plant: &Plant) -> Vec<String> {
    let mut ids: Vec<String> = plant.fleet.entities().into_iter().map(|view| view.id.to_string()).collect();
    ids.sort();
    ids
}

#[test]
fn a_pattern_names_what_topics_alone_would_name_otherwise() {
    let written = patterns(&["act/{kind}/{device}", "{site}/{area}/{device}/{measure}", "x/{device}/alive", "x/{device}/LWT"]);
    let mut plant = Plant::new(Settings { patterns: written, ..Settings::default() });
    plant.says("home/kitchen/fridge/temperature", "4.5");
    plant.says("home/kitchen/fridge/door/state", "1");
    plant.says("act/lights/hall", r#"{"state":"on"}"#);
    plant.says("act/lights/hall/state", r#"{"state":"off"}"#);
    plant.says("x/meter/alive", r#"{"power":3}"#);
    plant.says("x/meter/LWT", "Offline");
    assert_eq!(ids(&plant), ["fridge.temperature", "hall.light", "meter.power"]);
    assert_eq!(plant.entity("fridge.temperature").area, Some(AreaId::parse("kitchen").expect("an id")));
    assert_eq!((plant.value("meter.power").1, plant.entity("hall.light").assumed), (Quality::Offline, false));
    assert_eq!(plant.ask("c", "hall.light", Action::TurnOff {}), [CommandState::Sent]);
}

#[test]
fn other_patterns_count_from_the_next_message_on() {
    let mut plant = Plant::new(Settings::default());
    plant.says("home/kitchen/temperature", "21");
    plant.says("a/b/c/temperature", "5");
    plant.says("sensors/s/humidity", "40");
    plant.says("control/lights/hall", r#"{"state":"on"}"#);
    assert_eq!(ids(&plant), ["hall.light", "kitchen.temperature", "s.humidity"]);
    let out = plant.feed(Input::SetPatterns(patterns(&["home/{device}/{measure}", "a/b/{device}/{measure}", "home2/{device}/x"])));
    // It was in an area, and is in none now.
    assert_eq!(ids(&plant), ["hall.light", "s.humidity"]);
    assert!(out.iter().any(|change| matches!(change, Change::Gone(id) if id.as_str() == "kitchen.temperature")));
    plant.says("home/kitchen/temperature", "22");
    plant.says("a/b/c/temperature", "6");
    assert_eq!(ids(&plant), ["c.temperature", "hall.light", "kitchen.temperature", "s.humidity"]);
    assert_eq!(plant.entity("kitchen.temperature").area, None);
    assert_eq!(plant.feed(Input::SetPatterns(plant.fleet.patterns().to_vec())), []);
    plant.feed(Input::SetPatterns(vec![]));
    assert_eq!(ids(&plant), ["hall.light", "s.humidity"]);
    plant.says("home/kitchen/temperature", "23");
    assert_eq!(plant.value("kitchen.temperature"), (Some(Value::Number(23.0)), Quality::Good));
}

#[test]
fn what_somebody_wrote_about_keeps_its_id() {
    let named = Override { name: Some("Mine".into()), ..Override::default() };
    let mut plant = Plant::new(Settings { overrides: [(entity_id("kitchen.temperature"), named)].into(), ..Settings::default() });
    plant.says("home/kitchen/temperature", "21");
    plant.feed(Input::SetPatterns(patterns(&["home/{area}/{device}"])));
    plant.says("home/kitchen/temperature", "22");
    assert_eq!(plant.value("kitchen.temperature").0, Some(Value::Number(22.0)));
}

#[test]
fn a_pattern_is_tried_on_topics_without_changing_anything() {
    let pattern = TopicPattern::parse("{area}/{device}/{measure}").expect("a pattern");
    let shown = Fleet::preview(&pattern, ["home/kitchen/temperature", "a/b"].into_iter());
    assert_eq!((shown.len(), shown[0].device.as_str()), (1, "kitchen"));
}
