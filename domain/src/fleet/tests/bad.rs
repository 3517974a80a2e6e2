//! Messages of which something cannot be read.

use super::*;

fn reasons(out: &[Change]) -> Vec<&str> {
    out.iter().filter_map(|change| if let Change::Rejected { reason, .. } = change { Some(reason.as_str()) } else { None }).collect()
}

#[test]
fn a_leaf_that_is_no_number_any_more_is_bad_and_the_others_are_taken() {
    for (leaf, reason) in [
        ("null", "temperature: \"null\" is no finite number"),
        ("\"NaN\"", "temperature: \"NaN\" is no finite number"),
        ("NaN", "temperature: \"NaN\" is no finite number"),
        ("1e999", "temperature: \"1e999\" is no finite number"),
        ("-Infinity", "temperature: \"-Infinity\" is no finite number"),
        ("[1]", "temperature: \"a list\" is no single value"),
        ("{\"a\":null}", "temperature: \"an object\" is no single value"),
        ("true", "temperature: \"{\"temperature\":true,\"humidity\":41}\" is no number"),
    ] {
        let mut plant = Plant::new(Settings::default());
        plant.says("sensors/a", r#"{"temperature":21,"humidity":40}"#);
        let out = plant.says("sensors/a", &format!(r#"{{"temperature":{leaf},"humidity":41}}"#));
        assert_eq!(reasons(&out), [reason], "{leaf}");
        assert_eq!(plant.value("a.temperature"), (number(21.0), Quality::Bad), "{leaf}");
        assert_eq!(plant.value("a.humidity"), (number(41.0), Quality::Good), "{leaf}");
        assert_eq!(plant.fleet.bad_reason(&entity_id("a.temperature")), Some(reason));
        plant.says("sensors/a", r#"{"temperature":22,"humidity":40}"#);
        assert_eq!(plant.value("a.temperature"), (number(22.0), Quality::Good), "{leaf}");
        assert_eq!(plant.fleet.bad_reason(&entity_id("a.temperature")), None);
    }
}

#[test]
fn a_message_is_rejected_once_however_much_of_it_is_bad() {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/a", r#"{"x":1,"y":2,"z":3}"#);
    assert_eq!(reasons(&plant.says("sensors/a", r#"{"x":null,"y":null,"z":null}"#)), ["x: \"null\" is no finite number (and 2 more)"]);
    assert_eq!(reasons(&plant.says("sensors/a", "{")).len(), 1);
    assert_eq!(reasons(&plant.says("sensors/new/temperature", "NaN")), ["\"NaN\" is no finite number"]);
    assert_eq!(reasons(&plant.says("commands/a", "NaN")), Vec::<&str>::new(), "what feeds nothing loses nothing");
    assert_eq!(reasons(&plant.says("sensors/a", r#"{"x":1,"other":null}"#)), Vec::<&str>::new());
}

#[test]
fn the_rows_around_a_bad_one_are_stored() {
    let mut plant = Plant::new(Settings::default());
    let out = plant.says("sensors/a/temperature", r#"[{"value":1},7,{"value":null},{"value":3}]"#);
    assert_eq!((readings(&out), reasons(&out).len()), (2, 1));
    assert_eq!(plant.value("a.temperature"), (number(3.0), Quality::Good));
}

#[test]
fn long_keys_that_begin_alike_get_different_ids() {
    let mut plant = Plant::new(Settings::default());
    let key = "k".repeat(64);
    plant.says("sensors/a", &format!(r#"{{"{key}":{{"{key}":{{"x":1,"y":2,"z":3}}}}}}"#));
    let ids: std::collections::HashSet<String> = plant.fleet.entities().into_iter().map(|view| view.id.to_string()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| EntityId::parse(id).is_ok()));
}

#[test]
fn a_status_that_is_a_number_is_a_reading_whatever_came_first() {
    for first in ["sensors/a/temperature", "sensors/a/status"] {
        let mut plant = Plant::new(Settings::default());
        plant.says(first, "3");
        let out = plant.says("sensors/a/status", "4");
        assert_eq!((plant.value("a.status").0, reasons(&out).len()), (number(4.0), 0), "{first}");
        assert_eq!(reasons(&plant.says("devices/a/status", "4")), ["\"4\" is neither online nor offline"], "{first}");
    }
}

#[test]
fn what_said_yes_and_no_is_a_text_once_it_says_another_word() {
    let mut plant = Plant::new(Settings::default());
    plant.says("sensors/a/mode_now", "on");
    assert_eq!(plant.entity("a.mode_now").kind, EntityKind::BinarySensor);
    let out = plant.says("sensors/a/mode_now", "auto");
    assert_eq!((plant.value("a.mode_now"), reasons(&out).len()), ((Some(Value::Text("auto".into())), Quality::Good), 0));
    assert!(out.iter().any(|change| matches!(change, Change::Entity(entity, _) if entity.kind == EntityKind::Sensor)), "it is stored so");
    plant.says("sensors/a/mode_now", "off");
    assert_eq!(plant.value("a.mode_now").0, Some(Value::Text("off".into())));
    // What nobody can take for a state, and words that say that there is none, change nothing.
    plant.says("sensors/b/door", "open");
    for bad in ["unavailable", "7", &"x".repeat(41)] {
        plant.says("sensors/b/door", bad);
        assert_eq!(
            (plant.entity("b.door").kind, plant.value("b.door")),
            (EntityKind::BinarySensor, (Some(Value::Bool(true)), Quality::Bad)),
            "{bad}"
        );
    }
    plant.says("sensors/b/door", "ajar");
    assert_eq!((plant.entity("b.door").kind, plant.entity("b.door").word_on), (EntityKind::Sensor, None));
}

#[test]
fn what_somebody_wrote_about_stays_what_it_is() {
    let named = Override { name: Some("Door".into()), ..Override::default() };
    let mut plant = Plant::new(Settings { overrides: [(entity_id("a.door"), named)].into(), ..Settings::default() });
    plant.says("sensors/a/door", "open");
    assert_eq!(reasons(&plant.says("sensors/a/door", "ajar")), ["\"ajar\" is no on or off"]);
    assert_eq!(plant.entity("a.door").kind, EntityKind::BinarySensor);
}
