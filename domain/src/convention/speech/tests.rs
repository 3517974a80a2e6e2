//! Reading and writing, by example.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::command::Action;
use crate::convention::template::Templates;
use crate::device::DeviceId;
use crate::entity::{Entity, EntityId, EntityKind};
use crate::time::Timestamp;
use crate::value::Value;

fn speech(reads: Vec<Read>, writes: Vec<Write>) -> Speech {
    Speech { reads, writes, ..Speech::new(Convention::HomeAssistant, "d", "k") }
}

fn read(part: Part, extract: Extract, map: Map) -> Read {
    Read { topic: "t".to_owned(), part, extract, map }
}

fn write(topic: &str, part: Part, form: Form) -> Write {
    Write { topic: topic.to_owned(), part, form, only_alone: false }
}

/// What an entity is after each payload in turn, as JSON; `nothing` where one says nothing, the reason where it cannot be read.
fn told(kind: EntityKind, speech: &Speech, payloads: &[&str]) -> Vec<String> {
    let mut templates = Templates::default();
    templates.prepare_all(speech);
    let mut value: Option<Value> = None;
    let mut told = vec![];
    for payload in payloads {
        told.push(match decode((kind, speech), "t", &Payload::new(payload.as_bytes()), value.as_ref(), &templates) {
            Ok(Some(new)) => {
                let json = serde_json::to_string(&new).expect("a value is JSON");
                value = Some(new);
                json
            }
            Ok(None) => "nothing".to_owned(),
            Err(error) => error.to_string(),
        });
    }
    told
}

#[test]
fn a_sensor_reads_a_field_a_template_or_all_of_it() {
    let whole = speech(vec![read(Part::State, Extract::Whole, Map::Auto)], vec![]);
    assert_eq!(told(EntityKind::Sensor, &whole, &["21.5", " auto ", "on", "", "1e999"]), ["21.5", "\"auto\"", "\"on\"", "nothing", "\"1e999\""]);
    let field = speech(vec![read(Part::State, Extract::path(&["a", "0", "b"]), Map::Number(Scale { factor: 0.001, offset: 0.0 }))], vec![]);
    let expected =
        ["3.2", "nothing", "nothing", "\"x\" is no number", "payload is no JSON that can be read: EOF while parsing an object at line 1 column 1"];
    assert_eq!(
        told(EntityKind::Sensor, &field, &[r#"{"a":[{"b":3200}]}"#, r#"{"a":[]}"#, r#"{"a":[{"b":null}]}"#, r#"{"a":[{"b":"x"}]}"#, "{"]),
        expected
    );
    let template = speech(vec![read(Part::State, Extract::Template("{{ value_json.a.b + 1 }}".to_owned()), Map::Auto)], vec![]);
    assert_eq!(told(EntityKind::Sensor, &template, &[r#"{"a":{"b":2}}"#]), ["3.0"]);
}

#[test]
fn on_and_off_are_the_words_that_were_announced() {
    let bools = speech(vec![read(Part::State, Extract::key("state"), Map::OnOff { on: json!(true), off: json!(false) })], vec![]);
    let payloads = [r#"{"state":true}"#, r#"{"state":"false"}"#, r#"{"state":"ON"}"#, "{}"];
    assert_eq!(told(EntityKind::Switch, &bools, &payloads), ["true", "false", "\"ON\" is no on or off", "nothing"]);
}

#[test]
fn a_light_keeps_what_a_message_does_not_name() {
    let light = speech(
        vec![
            read(Part::State, Extract::key("state"), Map::OnOff { on: json!("ON"), off: json!("OFF") }),
            read(Part::Brightness, Extract::key("brightness"), Map::Number(Scale::percent_of(254.0))),
            read(Part::ColorTemp, Extract::key("color_temp"), Map::Mired),
            read(Part::Color, Extract::key("color"), Map::Color(ColorForm::Xy)),
        ],
        vec![],
    );
    assert_eq!(
        told(
            EntityKind::Light,
            &light,
            &[
                r#"{"linkquality":3}"#,
                r#"{"brightness":127}"#,
                r#"{"state":"OFF"}"#,
                r#"{"state":"ON","color_temp":250,"brightness":"x"}"#,
                r#"{"brightness":254,"color":{"r":9,"g":8,"b":7}}"#
            ]
        ),
        [
            "nothing",
            r#"{"state":"on","brightness":50}"#,
            r#"{"state":"off","brightness":50}"#,
            r#"{"state":"on","brightness":50,"color_temp":4000}"#,
            r#"{"state":"on","brightness":100,"color_temp":4000,"color":{"r":9,"g":8,"b":7}}"#,
        ]
    );
}

#[test]
fn a_cover_stands_where_its_position_is() {
    let cover = speech(
        vec![
            read(Part::Position, Extract::key("position"), Map::Number(Scale::between(100.0, 0.0))),
            read(Part::State, Extract::key("state"), Map::Words { words: vec![(json!("up"), "opening".to_owned())], others: true }),
        ],
        vec![],
    );
    let payloads = [r#"{"position":100}"#, r#"{"state":"up"}"#, r#"{"position":60}"#, r#"{"position":0}"#, r#"{"state":"ajar"}"#];
    assert_eq!(
        told(EntityKind::Cover, &cover, &payloads),
        [
            r#"{"state":"closed","position":0}"#,
            r#"{"state":"opening","position":0}"#,
            r#"{"state":"opening","position":40}"#,
            r#"{"state":"open","position":100}"#,
            "\"ajar\" is no open, closed, opening, closing or stopped",
        ]
    );
}

/// The messages of an action, `topic payload` each.
fn sent(kind: EntityKind, speech: &Speech, action: &str) -> Vec<String> {
    let mut templates = Templates::default();
    templates.prepare_all(speech);
    let device = DeviceId::parse("a").expect("id");
    let entity = Entity { kind, speech: Some(Arc::new(speech.clone())), ..Entity::new(EntityId::new(&device, "b"), device) };
    let action: Action = serde_json::from_str(action).expect("an action");
    let context = Context { templates: &templates, before: None, ticket: 7, source: "us", now: Timestamp::from_ms(0) };
    let orders = encode(speech, &entity, &action, context);
    orders.into_iter().map(|order| format!("{} {}", order.topic, String::from_utf8_lossy(&order.payload))).collect()
}

#[test]
fn parts_meet_in_one_object_or_go_to_topics_of_their_own() {
    let number = |max| Form::Number { scale: Scale::percent_of(max), whole: true };
    let json = speech(
        vec![],
        vec![
            write("set", Part::State, Form::on_off("ON", "OFF").at("state")),
            write("set", Part::Brightness, number(254.0).at("brightness")),
            write("set", Part::ColorTemp, Form::Mired.at("color_temp")),
            write("set", Part::Color, Form::Color(ColorForm::Rgb).at("color")),
            write("set", Part::Transition, Form::Number { scale: Scale::default(), whole: false }.at("transition")),
        ],
    );
    for (action, messages) in [
        (r#"{"action":"turn_on","brightness":60}"#, vec![r#"set {"brightness":152,"state":"ON"}"#]),
        (r#"{"action":"turn_off"}"#, vec![r#"set {"state":"OFF"}"#]),
        (r#"{"action":"turn_on","color_temp":4000}"#, vec![r#"set {"color_temp":250,"state":"ON"}"#]),
        (
            r#"{"action":"turn_on","color":{"r":1,"g":2,"b":3},"transition_s":1.5}"#,
            vec![r#"set {"color":{"b":3,"g":2,"r":1},"state":"ON","transition":1.5}"#],
        ),
    ] {
        assert_eq!(sent(EntityKind::Light, &json, action), messages, "{action}");
    }
    let topics = speech(
        vec![],
        vec![Write { only_alone: true, ..write("power", Part::State, Form::on_off("1", "0")) }, write("dim", Part::Brightness, number(255.0))],
    );
    assert_eq!(sent(EntityKind::Light, &topics, r#"{"action":"turn_on","brightness":60}"#), ["dim 153"]);
    assert_eq!(sent(EntityKind::Light, &topics, r#"{"action":"turn_on"}"#), ["power 1"]);
    let turn_on: Action = serde_json::from_str(r#"{"action":"turn_on","color_temp":3000}"#).expect("an action");
    assert_eq!(unwritable(&topics, EntityKind::Light, &turn_on), Some("color_temp"));
}

#[test]
fn a_call_carries_its_number_and_all_that_is_asked() {
    let call = |part, key: &str, form| {
        let params = json!({ "id": 0 }).as_object().cloned().expect("an object");
        write("x/rpc", part, Form::Rpc { method: "Light.Set".to_owned(), params, key: key.to_owned(), form: Box::new(form) })
    };
    let speech = speech(
        vec![],
        vec![
            call(Part::State, "on", Form::on_off(true, false)),
            call(Part::Brightness, "brightness", Form::Number { scale: Scale::default(), whole: true }),
        ],
    );
    assert_eq!(
        sent(EntityKind::Light, &speech, r#"{"action":"turn_on","brightness":60}"#),
        [r#"x/rpc {"id":7,"method":"Light.Set","params":{"brightness":60,"id":0,"on":true},"src":"us"}"#]
    );
}

#[test]
fn words_that_were_not_announced_cannot_be_asked_for() {
    let speech = speech(vec![], vec![write("t", Part::State, Form::Word { words: vec![("press".to_owned(), json!("GO"))], others: false })]);
    assert_eq!(sent(EntityKind::Button, &speech, r#"{"action":"press"}"#), ["t GO"]);
    assert_eq!(sent(EntityKind::Cover, &speech, r#"{"action":"open"}"#), [""; 0]);
    let template = self::speech(vec![], vec![write("t", Part::State, Form::Template("{\"v\": {{ value }}}".to_owned()))]);
    assert_eq!(sent(EntityKind::Number, &template, r#"{"action":"set","value":21}"#), [r#"t {"v": 21}"#]);
    let number = self::speech(vec![], vec![write("t", Part::State, Form::Number { scale: Scale::default(), whole: false })]);
    assert_eq!(sent(EntityKind::Number, &number, r#"{"action":"set","value":21.5}"#), ["t 21.5"]);
}

proptest! {
    #[test]
    fn no_payload_panics_and_every_number_is_finite(payload in proptest::collection::vec(any::<u8>(), 0..80)) {
        let maps = [Map::Auto, Map::Number(Scale::percent_of(254.0)), Map::Mired, Map::Text, Map::Color(ColorForm::Xy)];
        let templates = Templates::default();
        for map in maps {
            for extract in [Extract::Whole, Extract::key("a")] {
                let speech = speech(vec![read(Part::State, extract, map.clone())], vec![]);
                if let Ok(Some(Value::Number(n))) = decode((EntityKind::Sensor, &speech), "t", &Payload::new(&payload), None, &templates) {
                    prop_assert!(n.is_finite());
                }
            }
        }
    }

    #[test]
    fn what_is_asked_of_a_scale_comes_back(percent in 0u8..=100, max in 1u16..=1023) {
        let scale = Scale::percent_of(f64::from(max));
        let device = scale.device(f64::from(percent)).round();
        // By half a step of the device at most.
        prop_assert!((scale.ours(device) - f64::from(percent)).abs() <= 50.0 / f64::from(max) + 1e-9);
    }
}
