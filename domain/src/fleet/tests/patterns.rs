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

/// Entities that there would be and those that there are, why they stay, and whether the topic is new.
type Foreseen = (Vec<String>, Vec<String>, Option<Stays>, bool);

/// What some patterns would make of a topic: its entities, what it feeds now, why it stays, and whether it is new.
fn foreseen(plant: &Plant, texts: &[&str], topic: &str, payload: &str) -> Option<Foreseen> {
    let ids = |ids: Vec<EntityId>| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let link = plant.fleet.devices().first().map_or("main", |device| device.link.as_str()).to_owned();
    let found = plant.fleet.forecast(&patterns(texts), (&link, topic), payload.as_bytes(), false)?;
    Some((ids(found.entities), ids(found.now), found.stays, found.is_new))
}

#[test]
fn what_is_foreseen_of_a_topic_is_what_becomes_of_it() {
    let named = Override { name: Some("Mine".into()), ..Override::default() };
    let mut plant = Plant::new(Settings { overrides: [(entity_id("hall.humidity"), named)].into(), ..Settings::default() });
    let said = [
        ("home/kitchen/temperature", "21"),
        ("home/hall/humidity", "40"),
        ("a/b/c/power", "5"),
        ("a/b/d/data", r#"{"t":1,"h":2}"#),
        ("a/b/e/data", "[not json"),
        ("act/lights/lamp/state", "on"),
        ("sensors/s/humidity", "40"),
        ("sensors/c/power", "1"),
        ("x/y/status", "online"),
    ];
    for (topic, payload) in said {
        plant.says(topic, payload);
    }
    let written = ["home/{device}/{measure}", "a/b/{device}/data", "a/b/{device}/{measure}", "act/{kind}/{device}", "x/{device}/{measure}"];
    let told: Vec<_> = said.iter().map(|(topic, payload)| (*topic, foreseen(&plant, &written, topic, payload))).collect();
    let some = |entities: &[&str], now: &[&str], stays, is_new| {
        let own = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        Some((own(entities), own(now), stays, is_new))
    };
    assert_eq!(
        told,
        [
            ("home/kitchen/temperature", some(&["kitchen.temperature"], &["kitchen.temperature"], None, false)),
            ("home/hall/humidity", some(&["hall.humidity"], &["hall.humidity"], Some(Stays::Written), false)),
            ("a/b/c/power", some(&["c.power-2"], &[], None, true)),
            ("a/b/d/data", some(&["d.h", "d.t"], &[], None, true)),
            ("a/b/e/data", some(&[], &[], None, false)),
            ("act/lights/lamp/state", some(&["lamp.light"], &[], None, true)),
            ("sensors/s/humidity", None),
            ("sensors/c/power", None),
            ("x/y/status", some(&[], &[], Some(Stays::Presence), false)),
        ]
    );
    plant.feed(Input::SetPatterns(patterns(&written)));
    for (topic, payload) in said {
        plant.says(topic, payload);
    }
    let link = plant.fleet.devices().first().expect("a device").link.clone();
    for (topic, foretold) in told {
        let Some((entities, ..)) = foretold else { continue };
        let mut fed: Vec<String> = plant.fleet.fed_by(&link, topic).into_iter().map(ToString::to_string).collect();
        let mut entities = entities;
        fed.sort();
        entities.sort();
        assert_eq!(fed, entities, "{topic}");
    }
    assert_eq!(foreseen(&plant, &written, "a/b/c/power", "5"), some(&["c.power-2"], &["c.power-2"], Some(Stays::Same), false));
}
