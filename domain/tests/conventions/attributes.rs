//! What is said of an entity besides its value: `json_attributes_topic` and `json_attributes_template` of Home Assistant discovery.

use domain::time::Timestamp;
use proptest::prelude::*;

use super::rig::{Plant, entity_id};

const METER: &str = "homeassistant/sensor/meter/config";

/// A meter whose attributes come from `topic` by `template`, which may be empty.
fn meter(topic: &str, template: &str) -> String {
    let mut config = serde_json::json!({
        "name": "Power", "uniq_id": "m1", "stat_t": "meter/state", "unit_of_meas": "W", "val_tpl": "{{ value_json.power }}", "json_attr_t": topic,
        "dev": {"ids": ["m"], "name": "Meter"},
    });
    if !template.is_empty() {
        config["json_attr_tpl"] = template.into();
    }
    config.to_string()
}

/// The attributes as JSON, `-` for none, or the reason why they cannot be read.
fn told(plant: &Plant, id: &str) -> String {
    match plant.fleet.attributes(&entity_id(id)).map(|told| told.read) {
        None => "-".to_owned(),
        Some(Ok(values)) => serde_json::to_string(&values).expect("JSON"),
        Some(Err(error)) => error.to_string(),
    }
}

#[test]
fn attributes_come_from_the_whole_message_or_a_template() {
    let mut plant = Plant::new();
    plant.says(METER, meter("meter/about", ""));
    assert_eq!(told(&plant, "meter.power"), "-");
    for (payload, expected) in [
        (r#"{"serial":"A-1","phases":[1,2,3]}"#, r#"{"phases":[1,2,3],"serial":"A-1"}"#),
        (r#" {"name":"<b>x</b>"} "#, r#"{"name":"<b>x</b>"}"#),
        ("{}", "{}"),
        ("[1,2]", "\"[1,2]\" is no JSON object"),
        ("5", "\"5\" is no JSON object"),
        ("online", "payload is no JSON that can be read: expected value at line 1 column 1"),
        ("", "-"),
        (r#"{"serial":"A-2"}"#, r#"{"serial":"A-2"}"#),
    ] {
        plant.says("meter/about", payload);
        assert_eq!(told(&plant, "meter.power"), expected, "{payload}");
    }
    plant.says("meter/about", b"\xff\xfe");
    assert_eq!(told(&plant, "meter.power"), "payload is not UTF-8");
    // The value has nothing to do with it, neither has what is rejected.
    plant.says("meter/state", r#"{"power":12}"#);
    assert_eq!((plant.value("meter.power").as_str(), plant.quality("meter.power").as_str()), ("12.0", "good"));
    assert_eq!(plant.rejected, Vec::<String>::new());

    plant.says(METER, meter("meter/state", "{{ value_json.more | tojson }}"));
    assert_eq!(told(&plant, "meter.power"), "-", "what the other topic said is over");
    plant.says("meter/state", r#"{"power":13,"more":{"tariff":2}}"#);
    assert_eq!((plant.value("meter.power").as_str(), told(&plant, "meter.power").as_str()), ("13.0", r#"{"tariff":2}"#));
    plant.says(METER, meter("meter/state", "{{ value_json.more.tariff }}"));
    plant.says("meter/state", r#"{"power":13,"more":{"tariff":2}}"#);
    assert_eq!(told(&plant, "meter.power"), "\"2\" is no JSON object");
}

#[test]
fn what_was_retained_before_the_announcement_is_known_and_its_time_is_not() {
    let mut plant = Plant::new();
    plant.holds("meter/about", r#"{"serial":"A-1"}"#);
    plant.holds(METER, meter("meter/about", ""));
    let known = plant.fleet.attributes(&entity_id("meter.power")).expect("attributes");
    assert_eq!((known.at, told(&plant, "meter.power").as_str()), (None, r#"{"serial":"A-1"}"#));
    plant.wait(5_000);
    plant.says("meter/about", r#"{"serial":"A-2"}"#);
    assert_eq!(plant.fleet.attributes(&entity_id("meter.power")).and_then(|told| told.at).map(Timestamp::as_ms), Some(plant.now));

    // A restart knows where they are said, and what the broker says again.
    let mut next = plant.restarted();
    assert_eq!(told(&next, "meter.power"), "-");
    next.holds("meter/about", r#"{"serial":"A-2"}"#);
    assert_eq!(told(&next, "meter.power"), r#"{"serial":"A-2"}"#);

    // Who is removed takes them along.
    next.holds(METER, meter("meter/about", ""));
    assert_eq!(told(&next, "meter.power"), r#"{"serial":"A-2"}"#);
    next.says(METER, "");
    next.says("meter/about", r#"{"serial":"A-3"}"#);
    assert!(next.fleet.attributes(&entity_id("meter.power")).is_none());
}

#[test]
fn a_device_says_once_where_those_of_all_its_components_are() {
    let mut plant = Plant::new();
    plant.says(
        "homeassistant/device/pump/config",
        r#"{"dev":{"ids":["p"],"name":"Pump"},"o":{"name":"x"},"~":"pump","json_attributes_topic":"~/about","stat_t":"~/state",
        "cmps":{"f":{"p":"sensor","name":"Flow","uniq_id":"f","val_tpl":"{{ value_json.f }}","json_attributes_topic":"pump/flow"},
        "p":{"p":"sensor","name":"Pressure","uniq_id":"p","val_tpl":"{{ value_json.p }}"}}}"#,
    );
    plant.says("pump/about", r#"{"build":7}"#);
    plant.says("pump/flow", r#"{"range":"0 - 9"}"#);
    assert_eq!((told(&plant, "pump.flow"), told(&plant, "pump.pressure")), (r#"{"range":"0 - 9"}"#.into(), r#"{"build":7}"#.into()));
    assert_eq!(plant.lines().len(), 2, "{:?}", plant.lines());
}

#[test]
fn long_and_deep_attributes_are_refused_by_name() {
    let mut plant = Plant::new();
    plant.says(METER, meter("meter/about", ""));
    plant.says("meter/about", format!(r#"{{"a":"{}"}}"#, "x".repeat(1 << 20)));
    assert_eq!(told(&plant, "meter.power"), "payload of 1048584 bytes is too large for a reading");
    plant.says("meter/about", format!("{{\"a\":{}{}}}", "[".repeat(10_000 / 2), "]".repeat(10_000 / 2)));
    assert!(told(&plant, "meter.power").starts_with("payload is no JSON that can be read: recursion limit"), "{}", told(&plant, "meter.power"));
    // A configuration that points at itself is none.
    plant.says(METER, meter(METER, ""));
    assert_eq!(plant.rejected, [format!("{METER}: json_attributes_topic \"{METER}\" points at a configuration")]);
}

proptest! {
    /// Whatever is said there, asking for it comes to an answer, and the value stays.
    #[test]
    fn any_message_comes_to_an_answer(payload in prop::collection::vec(any::<u8>(), 0..300), template in "[{}% a-z_.|()0-9]{0,40}") {
        let mut plant = Plant::new();
        plant.says(METER, meter("meter/about", &template));
        plant.says("meter/state", r#"{"power":12}"#);
        plant.says("meter/about", payload);
        _ = told(&plant, "meter.power");
        prop_assert_eq!(plant.value("meter.power"), "12.0");
    }
}
