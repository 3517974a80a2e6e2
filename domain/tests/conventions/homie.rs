//! Homie 3, 4 and 5: the super car of the convention's text, and devices like it.

use domain::command::CommandState;
use proptest::prelude::*;

use super::rig::Plant;

/// Attributes of a car as version 4 writes them.
const CAR: [(&str, &str); 32] = [
    ("$homie", "4.0.0"),
    ("$name", "Super car"),
    ("$state", "ready"),
    ("$extensions", ""),
    ("$nodes", "wheels,engine,lights"),
    ("wheels/$name", "Wheels"),
    ("wheels/$properties", "angle"),
    ("wheels/angle/$name", "Angle"),
    ("wheels/angle/$datatype", "integer"),
    ("wheels/angle/$unit", "°"),
    ("engine/$name", "Car engine"),
    ("engine/$type", "V8"),
    ("engine/$properties", "speed,direction,temperature"),
    ("engine/speed/$name", "Speed"),
    ("engine/speed/$datatype", "float"),
    ("engine/speed/$settable", "true"),
    ("engine/speed/$format", "0:120"),
    ("engine/direction/$name", "Direction"),
    ("engine/direction/$datatype", "enum"),
    ("engine/direction/$settable", "true"),
    ("engine/direction/$format", "forward,backward"),
    ("engine/temperature/$name", "Engine temperature"),
    ("engine/temperature/$datatype", "float"),
    ("engine/temperature/$settable", "false"),
    ("engine/temperature/$unit", "°C"),
    ("engine/temperature/$format", "-20:120"),
    ("lights/$name", "Lights"),
    ("lights/$properties", "power,label,open"),
    ("lights/power/$datatype", "boolean"),
    ("lights/power/$settable", "true"),
    ("lights/label/$datatype", "string"),
    ("lights/open/$datatype", "boolean"),
];

const LINES: [&str; 7] = [
    "super-car.angle | Wheels Angle | sensor | °",
    "super-car.direction | Car engine Direction | select | -",
    "super-car.label | Lights Label | sensor | -",
    "super-car.open | Lights Open | binary_sensor | -",
    "super-car.power | Lights Power | switch | -",
    "super-car.speed | Car engine Speed | number | -",
    "super-car.temperature | Car engine Engine temperature | sensor | °C",
];

const DESCRIPTION: &str = r#"{"homie":"5.0","version":7,"name":"Supercar","nodes":{
  "engine":{"name":"Car engine","type":"V8","properties":{
    "speed":{"name":"Speed","datatype":"float","unit":"km/h","format":"0:120:5","settable":true},
    "direction":{"datatype":"enum","format":"forward,backward","settable":true},
    "temperature":{"datatype":"float","unit":"°C","format":"-20:120","settable":false},
    "running":{"datatype":"boolean","settable":false},
    "label":{"datatype":"string","settable":true},
    "service":{"datatype":"datetime"},
    "uptime":{"datatype":"duration"},
    "raw":{"datatype":"json"},
    "turns":{"datatype":"integer","unit":"\#","retained":true}}},
  "lamp":{"name":"Lamp","properties":{
    "on":{"datatype":"boolean","settable":true},
    "brightness":{"datatype":"integer","format":"0:255","unit":"%","settable":true},
    "color":{"datatype":"color","format":"rgb,hsv","settable":true}}},
  "stripe":{"properties":{"tint":{"datatype":"color","format":"xyz","settable":true}}}},
  "children":["trailer"],"extensions":[]}"#;

fn car(plant: &mut Plant, root: &str, order: impl Iterator<Item = usize>) {
    for n in order {
        let (path, said) = CAR[n];
        plant.holds(&format!("{root}/super-car/{path}"), said);
    }
    plant.wait(500);
}

fn super_car(plant: &mut Plant) {
    plant.holds("homie/5/super-car/$description", DESCRIPTION.replace("\\#", "#"));
    plant.holds("homie/5/super-car/$state", "ready");
}

#[test]
fn a_device_of_version_4_is_what_its_attributes_say_in_any_order() {
    let n = CAR.len();
    for order in [
        (0..n).collect::<Vec<_>>(),
        (0..n).rev().collect(),
        (0..n).map(|at| at * 7 % n).collect(),
        (0..n).map(|at| at * 21 % n).chain(0..n).collect(),
    ] {
        for root in ["homie", "devices", "home/attic"] {
            let mut plant = Plant::new();
            plant.holds(&format!("{root}/super-car/engine/temperature"), "21.5");
            plant.holds(&format!("{root}/super-car/lights/power"), "true");
            car(&mut plant, root, order.iter().copied().filter(|at| *at < n));
            // An order may leave some out.
            car(&mut plant, root, 0..n);
            assert_eq!(plant.lines(), LINES, "{root} {order:?}");
            assert_eq!(plant.value("super-car.temperature"), "21.5");
            assert_eq!(plant.value("super-car.power"), "true");
            assert_eq!(plant.device("super-car").name, "Super car");
        }
    }
}

#[test]
fn values_of_version_4_are_read_by_their_datatypes() {
    let mut plant = Plant::new();
    car(&mut plant, "homie", 0..CAR.len());
    plant.table(&[
        ("homie/super-car/wheels/angle", "-12", &[("super-car.angle", "-12.0")]),
        ("homie/super-car/engine/temperature", "21.5", &[("super-car.temperature", "21.5")]),
        ("homie/super-car/engine/temperature", "2e1", &[("super-car.temperature", "20.0")]),
        ("homie/super-car/engine/speed", "55.5", &[("super-car.speed", "55.5")]),
        ("homie/super-car/engine/direction", "backward", &[("super-car.direction", r#""backward""#)]),
        ("homie/super-car/lights/power", "true", &[("super-car.power", "true")]),
        ("homie/super-car/lights/power", "false", &[("super-car.power", "false")]),
        ("homie/super-car/lights/open", "true", &[("super-car.open", "true")]),
        ("homie/super-car/lights/label", "42", &[("super-car.label", r#""42""#)]),
        ("homie/super-car/lights/label", "\0", &[("super-car.label", r#""""#)]),
    ]);
    assert_eq!(plant.rejected, Vec::<String>::new());
    // What cannot be is told, and what was there stays.
    for (topic, said, entity, kept) in [
        ("lights/power", "TRUE", "super-car.power", "false"),
        ("lights/power", "1", "super-car.power", "false"),
        ("engine/direction", "Backward", "super-car.direction", r#""backward""#),
        ("engine/temperature", "NaN", "super-car.temperature", "20.0"),
        ("engine/temperature", "hot", "super-car.temperature", "20.0"),
    ] {
        plant.says(&format!("homie/super-car/{topic}"), said);
        assert_eq!((plant.value(entity).as_str(), plant.quality(entity).as_str()), (kept, "bad"), "{topic} {said}");
    }
    assert_eq!(plant.rejected.len(), 5);
}

#[test]
fn a_device_says_how_it_stands() {
    let mut plant = Plant::new();
    car(&mut plant, "homie", 0..CAR.len());
    plant.says("homie/super-car/wheels/angle", "1");
    for (state, quality) in [
        ("disconnected", "offline"),
        ("init", "good"),
        ("lost", "offline"),
        ("ready", "good"),
        ("sleeping", "good"),
        ("bogus", "good"),
        ("lost", "offline"),
    ] {
        plant.says("homie/super-car/$state", state);
        assert_eq!(plant.quality("super-car.angle"), quality, "{state}");
    }
    assert_eq!(plant.ask("super-car.power", r#"{"action":"turn_on"}"#).1, [CommandState::Refused]);
    plant.says("homie/super-car/$state", "alert");
    plant.wait(500);
    plant.expect(&[("super-car.alert", r#""alert""#), ("super-car.angle", "1.0")], "alert");
    plant.says("homie/super-car/$state", "ready");
    assert_eq!(plant.value("super-car.alert"), r#""""#);
    plant.says("homie/super-car/$state", "");
    assert_eq!(plant.lines(), Vec::<String>::new());
}

#[test]
fn commands_go_to_set_and_the_property_confirms_them() {
    let mut plant = Plant::new();
    car(&mut plant, "homie", 0..CAR.len());
    for (entity, action, topic, payload) in [
        ("power", r#"{"action":"turn_on"}"#, "lights/power", "true"),
        ("power", r#"{"action":"turn_off"}"#, "lights/power", "false"),
        ("speed", r#"{"action":"set","value":50}"#, "engine/speed", "50"),
        ("direction", r#"{"action":"set","value":"forward"}"#, "engine/direction", "forward"),
    ] {
        let (sent, _) = plant.ask(&format!("super-car.{entity}"), action);
        assert_eq!(sent, [(format!("homie/super-car/{topic}/set"), payload.to_owned())]);
        // Our own words come back, and confirm nothing.
        plant.says(&format!("homie/super-car/{topic}/set"), payload);
        assert_eq!(plant.states(), []);
        plant.says(&format!("homie/super-car/{topic}"), payload);
        assert_eq!(plant.states(), [CommandState::Accepted, CommandState::Confirmed], "{action}");
    }
    for (entity, action) in
        [("speed", r#"{"action":"set","value":121}"#), ("direction", r#"{"action":"set","value":"up"}"#), ("angle", r#"{"action":"set","value":1}"#)]
    {
        assert_eq!(plant.ask(&format!("super-car.{entity}"), action).1, [CommandState::Refused], "{action}");
    }
}

#[test]
fn a_description_that_changes_changes_the_device_alone() {
    let mut plant = Plant::new();
    car(&mut plant, "homie", 0..CAR.len());
    plant.says("homie/super-car/engine/speed", "12");
    plant.says("homie/super-car/engine/$properties", "speed,temperature,oil");
    plant.says("homie/super-car/engine/oil/$datatype", "percent");
    plant.says("homie/super-car/engine/oil/$format", "0:100");
    plant.wait(500);
    plant.expect(&[("super-car.direction", "gone"), ("super-car.oil", ""), ("super-car.speed", "12.0")], "other properties");
    assert_eq!(plant.entity("super-car.oil").unit.as_deref(), Some("%"));
    // The same again is no news.
    plant.says("homie/super-car/engine/$properties", "speed,temperature,oil");
    plant.wait(500);
    assert!(!plant.out.iter().any(|change| matches!(change, domain::change::Change::Entity(..))));
    // What it takes back at last, it has not any more; the rest goes with it.
    plant.says("homie/super-car/$homie", "");
    assert_eq!(plant.lines(), Vec::<String>::new());
}

#[test]
fn version_3_knows_an_address_and_a_color() {
    let mut plant = Plant::new();
    for (path, said) in [
        ("$homie", "3.0.1"),
        ("$name", "Lamp"),
        ("$mac", "DE:AD:BE:EF:FE:ED"),
        ("$fw/name", "weatherstation-firmware"),
        ("$fw/version", "1.0.0"),
        ("$implementation", "esp8266"),
        ("$stats", "uptime"),
        ("$stats/uptime", "120"),
        ("$nodes", "bulb,strip[]"),
        ("bulb/$name", "Bulb"),
        ("bulb/$properties", "on,color,dim"),
        ("bulb/on/$datatype", "boolean"),
        ("bulb/on/$settable", "true"),
        ("bulb/color/$datatype", "color"),
        ("bulb/color/$format", "rgb"),
        ("bulb/color/$settable", "true"),
        ("bulb/dim/$datatype", "percent"),
        ("bulb/dim/$format", "0:100"),
        ("bulb/dim/$settable", "true"),
        ("$state", "ready"),
    ] {
        plant.says(&format!("homie/lamp-1/{path}"), said);
    }
    plant.wait(500);
    assert_eq!(plant.lines(), ["lamp-1.light | Bulb | light | -"]);
    assert!(plant.device("lamp-1").identifiers.contains(&"deadbeeffeed".to_owned()));
    assert_eq!(plant.device("lamp-1").about.sw_version.as_deref(), Some("1.0.0"));
    plant.table(&[
        ("homie/lamp-1/bulb/on", "true", &[("lamp-1.light", r#"{"state":"on"}"#)]),
        ("homie/lamp-1/bulb/dim", "40", &[("lamp-1.light", r#"{"state":"on","brightness":40}"#)]),
        ("homie/lamp-1/bulb/color", "255,0,10", &[("lamp-1.light", r#"{"state":"on","brightness":40,"color":{"r":255,"g":0,"b":10}}"#)]),
    ]);
    let (sent, _) = plant.ask("lamp-1.light", r#"{"action":"turn_on","brightness":70,"color":{"r":1,"g":2,"b":3}}"#);
    let text = |topic: &str, said: &str| (format!("homie/lamp-1/bulb/{topic}/set"), said.to_owned());
    assert_eq!(sent, [text("on", "true"), text("dim", "70"), text("color", "1,2,3")]);
    assert_eq!(plant.rejected, ["homie/lamp-1: \"strip[]\" in $nodes is nothing that is understood"]);
}

#[test]
fn a_device_of_version_5_is_one_document() {
    let mut plant = Plant::new();
    plant.holds("homie/5/super-car/engine/temperature", "80.5");
    super_car(&mut plant);
    assert_eq!(
        plant.lines(),
        [
            "super-car.direction | Car engine Direction | select | -",
            "super-car.label | Car engine Label | text | -",
            "super-car.lamp | Lamp | light | -",
            "super-car.raw | Car engine Raw | sensor | - | hidden",
            "super-car.running | Car engine Running | binary_sensor | -",
            "super-car.service | Car engine Service | sensor | -",
            "super-car.speed | Car engine Speed | number | km/h",
            "super-car.temperature | Car engine Temperature | sensor | °C",
            "super-car.tint | Stripe Tint | text | -",
            "super-car.turns | Car engine Turns | sensor | -",
            "super-car.uptime | Car engine Uptime | sensor | -",
        ]
    );
    plant.expect(&[("super-car.temperature", "80.5")], "what was said before");
    plant.table(&[
        ("homie/5/super-car/engine/turns", "1200", &[("super-car.turns", "1200.0")]),
        ("homie/5/super-car/engine/running", "true", &[("super-car.running", "true")]),
        ("homie/5/super-car/engine/service", "2026-11-23T20:00:00Z", &[("super-car.service", r#""2026-11-23T20:00:00Z""#)]),
        ("homie/5/super-car/engine/uptime", "PT12H5M46S", &[("super-car.uptime", r#""PT12H5M46S""#)]),
        ("homie/5/super-car/engine/raw", r#"{"a":1}"#, &[("super-car.raw", r#""{\"a\":1}""#)]),
        ("homie/5/super-car/engine/label", "\0", &[("super-car.label", r#""""#)]),
        ("homie/5/super-car/stripe/tint", "xyz,0.25,0.34", &[("super-car.tint", r#""xyz,0.25,0.34""#)]),
        ("homie/5/super-car/lamp/on", "true", &[("super-car.lamp", r#"{"state":"on"}"#)]),
        ("homie/5/super-car/lamp/brightness", "51", &[("super-car.lamp", r#"{"state":"on","brightness":20}"#)]),
        ("homie/5/super-car/lamp/color", "rgb,1,2,3", &[("super-car.lamp", r#"{"state":"on","brightness":20,"color":{"r":1,"g":2,"b":3}}"#)]),
        ("homie/5/super-car/lamp/color", "hsv,0,100,9", &[("super-car.lamp", r#"{"state":"on","brightness":20,"color":{"r":255,"g":0,"b":0}}"#)]),
    ]);
    let text = |topic: &str, said: &str| (format!("homie/5/super-car/{topic}/set"), said.to_owned());
    assert_eq!(plant.ask("super-car.label", r#"{"action":"set","value":""}"#).0, [text("engine/label", "\0")]);
    assert_eq!(plant.ask("super-car.label", r#"{"action":"set","value":"7"}"#).0, [text("engine/label", "7")]);
    assert_eq!(plant.ask("super-car.speed", r#"{"action":"set","value":45}"#).0, [text("engine/speed", "45")]);
    assert_eq!(plant.ask("super-car.speed", r#"{"action":"set","value":46}"#).1, [CommandState::Refused]);
    assert_eq!(
        plant.ask("super-car.lamp", r#"{"action":"turn_on","brightness":60,"color":{"r":9,"g":8,"b":7}}"#).0,
        [text("lamp/on", "true"), text("lamp/brightness", "153"), text("lamp/color", "rgb,9,8,7")]
    );
    assert_eq!(plant.rejected, Vec::<String>::new());
}

#[test]
fn a_target_accepts_and_the_value_confirms() {
    let mut plant = Plant::new();
    super_car(&mut plant);
    plant.says("homie/5/super-car/engine/speed", "0");
    plant.ask("super-car.speed", r#"{"action":"set","value":50}"#);
    plant.says("homie/5/super-car/engine/speed/$target", "50");
    assert_eq!(plant.states(), [CommandState::Accepted]);
    plant.says("homie/5/super-car/engine/speed", "25");
    assert_eq!(plant.states(), []);
    plant.says("homie/5/super-car/engine/speed", "50");
    assert_eq!(plant.states(), [CommandState::Confirmed]);
}

#[test]
fn children_are_lost_with_their_root() {
    let mut plant = Plant::new();
    let child = |name: &str, above: &str| {
        format!(r#"{{"homie":"5.0","name":"{name}",{above},"nodes":{{"a":{{"properties":{{"t":{{"datatype":"float"}}}}}}}}}}"#)
    };
    // A child may be heard of first; two may name each other.
    for (id, above) in [
        ("trailer", r#""root":"super-car","parent":"super-car""#),
        ("wheel", r#""parent":"trailer""#),
        ("x", r#""parent":"y""#),
        ("y", r#""parent":"x""#),
    ] {
        plant.holds(&format!("homie/5/{id}/$state"), "ready");
        plant.holds(&format!("homie/5/{id}/$description"), child(id, above));
        plant.says(&format!("homie/5/{id}/a/t"), "1");
    }
    super_car(&mut plant);
    let qualities = |plant: &Plant| ["trailer.t", "wheel.t", "x.t"].map(|id| plant.quality(id));
    assert_eq!(qualities(&plant), ["good", "good", "good"]);
    plant.says("homie/5/super-car/$state", "lost");
    assert_eq!(qualities(&plant), ["offline", "offline", "good"]);
    plant.says("homie/5/trailer/$state", "ready");
    assert_eq!(qualities(&plant), ["offline", "offline", "good"]);
    plant.says("homie/5/super-car/$state", "ready");
    assert_eq!(qualities(&plant), ["good", "good", "good"]);
    plant.says("homie/5/y/$state", "lost");
    assert_eq!(qualities(&plant), ["good", "good", "offline"]);
    plant.says("homie/5/trailer/$state", "");
    assert_eq!(plant.value("trailer.t"), "gone");
}

#[test]
fn alerts_of_version_5_are_told_until_they_are_resolved() {
    let mut plant = Plant::new();
    plant.holds("homie/5/super-car/$alert/battery", "Battery is low");
    super_car(&mut plant);
    assert_eq!(plant.value("super-car.alert"), r#""Battery is low""#);
    plant.says("homie/5/super-car/$alert/oil", "Oil is low\u{202e}");
    assert_eq!(plant.value("super-car.alert"), r#""Battery is low; Oil is low""#);
    plant.says("homie/5/super-car/$alert/battery", "");
    assert_eq!(plant.value("super-car.alert"), r#""Oil is low""#);
    plant.says("homie/5/super-car/$alert/oil", "");
    assert_eq!(plant.value("super-car.alert"), r#""""#);
    assert!(!plant.entity("super-car.alert").hidden);
    plant.says("homie/5/super-car/$log/warn", "nothing to see");
    assert_eq!(plant.lines().len(), 12);
}

#[test]
fn another_root_is_found_by_what_is_said_there() {
    let mut plant = Plant::new();
    plant.holds("plant/5/super-car/$state", "ready");
    plant.holds("plant/5/super-car/engine/temperature", "7");
    plant.holds("plant/5/super-car/$description", DESCRIPTION.replace("\\#", "#"));
    assert_eq!(plant.value("super-car.temperature"), "7.0");
    // Whoever else has a five in a topic is left alone.
    plant.says("plant/5/b/$state", "21");
    plant.says("plant/5/b/$description", "a pump");
    plant.says("plant/5/pump", "1.5");
    assert_eq!(plant.value("5.pump"), "1.5");
}

#[test]
fn a_thousand_properties_cost_no_more_than_they_are() {
    let mut plant = Plant::new();
    let ids: Vec<String> = (0..1_000).map(|n| format!("p{n}")).collect();
    plant.holds("homie/wide/$homie", "4.0.0");
    plant.holds("homie/wide/$state", "ready");
    plant.holds("homie/wide/$nodes", "a");
    plant.holds("homie/wide/a/$properties", ids.join(","));
    for id in &ids {
        plant.holds(&format!("homie/wide/a/{id}/$datatype"), "float");
        plant.holds(&format!("homie/wide/a/{id}/$name"), id);
        plant.holds(&format!("homie/wide/a/{id}"), "1");
    }
    plant.wait(500);
    assert_eq!(plant.lines().len(), 1_000);
    assert_eq!(plant.value("wide.p999"), "1.0");
    plant.says("homie/wide/a/$properties", [ids.join(","), "one-more".to_owned()].join(","));
    plant.wait(4_000);
    assert!(plant.lines().len() <= 1_000);
}

#[test]
fn hostile_messages_do_no_harm() {
    let mut plant = Plant::new();
    super_car(&mut plant);
    car(&mut plant, "homie", 0..CAR.len());
    let n_lines = plant.lines().len();
    let deep = "{\"nodes\":".repeat(10_000);
    let large = "a".repeat(1 << 20);
    let wide: String = (0..5_000).map(|n| format!(r#""n{n}":{{"properties":{{"p":{{"datatype":"float"}}}}}},"#)).collect();
    for said in [&deep, &large, "null", "[]", r#"{"homie":"6.0"}"#, r#"{"homie":"5.0","nodes":7}"#.replace('7', "[[]]").as_str(), "{"] {
        plant.says("homie/5/super-car/$description", said);
        for path in ["$nodes", "engine/$properties", "$state", "$name", "engine/speed/$format"] {
            plant.says(&format!("homie/other/{path}"), said);
        }
    }
    plant.says("homie/other/$homie", "4.0");
    plant.says("homie/other/$homie", [0xff, 0xfe]);
    plant.says("homie/5/super-car/$state", [0xff]);
    plant.says("homie/5/wide/$description", format!(r#"{{"homie":"5.0","nodes":{{{wide}"z":{{}}}}}}"#));
    plant.says("homie/5/wide/$state", "ready");
    plant.says("homie/5/bad/$description", r#"{"homie":"5.0","nodes":{"a/+":{"properties":{"p":{"datatype":"float"}}},"a":{"properties":{"b/#":{"datatype":"float"},"c":{"datatype":"void"},"$d":{"datatype":"float"}}}}}"#);
    plant.says("homie/5/bad/$state", "ready");
    plant.wait(500);
    assert_eq!(plant.lines().iter().filter(|line| line.starts_with("bad")).count(), 0);
    assert_eq!(plant.lines().iter().filter(|line| line.starts_with("wide")).count(), 1_000);
    assert!(plant.lines().len() >= 1_000 + n_lines - 11, "what was described before stays unless it was described anew");
    for n in 0..12_000 {
        plant.says(&format!("homie/5/d{n}/$state"), "ready");
        plant.says(&format!("x{n}/y/$name"), "stray");
    }
    plant.wait(500);
}

fn said() -> impl Strategy<Value = Vec<u8>> {
    let samples = vec![
        "4.0.0",
        "ready",
        "lost",
        "a,b",
        "p,q",
        "float",
        "enum",
        "color",
        "boolean",
        "true",
        "0:10:0.5",
        "rgb",
        "1e308",
        "-inf",
        "x,y,z",
        "",
        r#"{"homie":"5.0","parent":"d","root":"e","nodes":{"a":{"properties":{"p":{"datatype":"float","settable":true},"on":{"datatype":"boolean","settable":true},"color":{"datatype":"color","format":"rgb","settable":true}}}}}"#,
    ];
    let mutated = (prop::sample::select(samples.clone()), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(text, at, byte)| {
        let mut bytes = text.as_bytes().to_vec();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    });
    prop_oneof![4 => prop::sample::select(samples).prop_map(|text| text.as_bytes().to_vec()), 1 => mutated, 1 => prop::collection::vec(any::<u8>(), 0..30)]
}

fn topic() -> impl Strategy<Value = String> {
    let ends = [
        "$homie",
        "$state",
        "$state",
        "$nodes",
        "$name",
        "a/$properties",
        "a/p/$datatype",
        "a/p/$format",
        "a/p/$settable",
        "a/p",
        "a/on",
        "a/color",
        "$description",
        "$description",
        "$alert/x",
        "a/p/$target",
        "a/p/set",
        "$$",
        "$fw/name",
    ];
    let beginnings = ["homie/d", "homie/5/d", "homie/5/e", "r/d", "r/5/d", "homie", "5/5/5"];
    (prop::sample::select(beginnings.to_vec()), prop::sample::select(ends.to_vec())).prop_map(|(a, b)| format!("{a}/{b}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_message_panics_and_every_number_is_finite(messages in prop::collection::vec((topic(), said(), any::<bool>()), 1..60)) {
        let mut plant = Plant::new();
        for (n, (topic, payload, retained)) in messages.into_iter().enumerate() {
            if retained { plant.holds(&topic, payload) } else { plant.says(&topic, payload) }
            if n % 5 == 0 { plant.wait(500) }
        }
        plant.wait(4_000);
        for view in plant.fleet.entities() {
            let number = view.v.and_then(|value| value.as_number());
            prop_assert!(number.is_none_or(f64::is_finite));
        }
    }
}
