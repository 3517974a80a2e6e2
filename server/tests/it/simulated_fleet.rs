//! The simulated devices and the state of the plant that the server makes of them: names, areas and alarms meet without a broker between them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use domain::alarm::AlarmState;
use domain::entity::EntityKind;
use domain::fleet::{Fleet, Override, Settings};
use domain::input::{Input, Message};
use domain::quality::Quality;
use domain::time::Timestamp;
use server::simulator::behavior::{Behavior, Moment, Player as _};
use server::simulator::{demo_areas, demo_entities, demo_rules, scenes};

const NOW: i64 = 1_781_273_006_000;

fn settings() -> Settings {
    let overrides = demo_entities().into_iter().map(|e| {
        let own = |text: &'static str| Some(text.to_owned());
        let (word_on, word_off) = (e.word_on.and_then(own), e.word_off.and_then(own));
        let more =
            Override { area: Some(e.area), order: Some(e.order), precision: e.precision, word_on, word_off, hidden: None, ..Override::default() };
        (e.id, Override { name: own(e.name), icon: own(e.icon), unit: e.unit.and_then(own), ..more })
    });
    Settings { rules: demo_rules(), areas: demo_areas(), overrides: overrides.collect(), ..Settings::default() }
}

/// Plays the scenes for `seconds` into a fleet.
fn fleet_after(seconds: u64) -> Fleet {
    let mut fleet = Fleet::new(settings());
    let mut devices: Vec<Behavior> = scenes().into_iter().flat_map(|scene| scene.devices).map(|device| Behavior::new(device, 1)).collect();
    let mut changes = vec![];
    for step in 0..seconds * 2 {
        let uptime = Duration::from_millis(step * 500);
        let at = Moment { uptime, now: Timestamp::from_ms(NOW + i64::try_from(step).unwrap() * 500) };
        for device in &mut devices {
            let out = if step == 0 { device.connected(at) } else { device.due(at) };
            for message in out {
                let message = Message {
                    link: "local".into(),
                    topic: message.topic.as_str().into(),
                    payload: message.payload.as_slice().into(),
                    qos: 1,
                    retained: false,
                };
                fleet.apply(Input::Message(message), at.now, &mut changes);
            }
        }
        fleet.apply(Input::Tick, at.now, &mut changes);
        changes.clear();
    }
    fleet
}

#[test]
fn every_entity_of_the_demo_is_found_with_its_name_and_area() {
    let fleet = fleet_after(10);
    let found: BTreeMap<String, (String, Option<String>, Option<String>)> =
        fleet.entities().into_iter().map(|e| (e.id.to_string(), (e.name, e.area.map(|a| a.to_string()), e.unit))).collect();
    let expected: BTreeMap<_, _> = demo_entities()
        .into_iter()
        .map(|e| (e.id.to_string(), (e.name.to_owned(), Some(e.area.to_string()), e.unit.map(ToOwned::to_owned))))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(fleet.areas(), demo_areas());
    let mut kinds: HashMap<EntityKind, usize> = HashMap::new();
    for entity in fleet.entities() {
        *kinds.entry(entity.kind).or_default() += 1;
    }
    assert_eq!((kinds[&EntityKind::Light], kinds[&EntityKind::Switch], kinds[&EntityKind::BinarySensor]), (2, 4, 4));
}

#[test]
fn the_silent_sensor_goes_stale_and_nothing_else_does() {
    let stale: Vec<String> = fleet_after(60).entities().into_iter().filter(|e| e.q != Quality::Good).map(|e| e.id.to_string()).collect();
    assert_eq!(stale, ["van-12-cargo.temperature"]);
}

#[test]
fn the_demo_raises_its_alarms() {
    let fleet = fleet_after(3_600);
    for rule in demo_rules().iter().filter(|rule| rule.id != "pump-2-drive-offline") {
        assert_ne!(fleet.alarm(&rule.id).map(|alarm| alarm.state), Some(AlarmState::Normal), "{}", rule.id);
        assert!(fleet.alarm(&rule.id).is_some(), "{}", rule.id);
    }
}
