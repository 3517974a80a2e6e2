//! `ESPHome` without the discovery of Home Assistant.

use domain::command::CommandState;
use proptest::prelude::*;

use super::rig::Plant;

/// A device that says that it is there, with what it said of its components before anybody knew.
fn device(plant: &mut Plant, prefix: &str, said: &[(&str, &str)]) {
    for (topic, payload) in said {
        plant.holds(&format!("{prefix}/{topic}"), payload);
    }
    plant.holds(&format!("{prefix}/status"), "online");
    plant.wait(500);
    plant.wait(600);
}

const EVERYTHING: [(&str, &str); 24] = [
    ("sensor/living_room_temperature/state", "21.4"),
    ("sensor/humidity/state", "48"),
    ("sensor/wifi_signal/state", "-61"),
    ("sensor/uptime/state", "3600"),
    ("sensor/esphome_version/state", "2024.11.0 Nov 20 2024"),
    ("sensor/pressure/state", "nan"),
    ("text_sensor/mood/state", "42"),
    ("binary_sensor/hall_motion/state", "ON"),
    ("binary_sensor/status/state", "ON"),
    ("switch/relay/state", "OFF"),
    ("light/lamp/state", r#"{"state":"ON","color_mode":"rgb","brightness":128,"color":{"r":255,"g":0,"b":9},"effect":"None"}"#),
    ("light/led/state", r#"{"state":"OFF"}"#),
    ("number/delay/state", "12.5"),
    ("select/program/state", "fast"),
    ("text/greeting/state", "hello"),
    ("fan/vent/state", "ON"),
    ("fan/vent/speed/state", "2"),
    ("cover/gate/state", "open"),
    ("cover/gate/position/state", "70"),
    ("lock/door/state", "LOCKED"),
    ("climate/stove/mode/state", "heat"),
    ("climate/stove/target_temperature/state", "21.5"),
    ("climate/stove/current_temperature/state", "19.0"),
    ("event/bell/state", r#"{"event_type":"ring"}"#),
];

#[test]
fn topics_are_entities_once_a_device_says_that_it_is_there() {
    let mut plant = Plant::new();
    device(&mut plant, "livingroom", &EVERYTHING);
    assert_eq!(
        plant.lines(),
        [
            "livingroom.bell | Bell | sensor | -",
            "livingroom.delay | Delay | number | -",
            "livingroom.door | Door | lock | -",
            "livingroom.esphome_version | Esphome version | sensor | - | hidden",
            "livingroom.gate | Gate | cover | -",
            "livingroom.greeting | Greeting | text | -",
            "livingroom.hall_motion | Hall motion | binary_sensor | -",
            "livingroom.humidity | Humidity | sensor | %",
            "livingroom.lamp | Lamp | light | -",
            "livingroom.led | Led | light | -",
            "livingroom.living_room_temperature | Living room temperature | sensor | °C",
            "livingroom.mood | Mood | sensor | -",
            "livingroom.pressure | Pressure | sensor | hPa",
            "livingroom.program | Program | select | -",
            "livingroom.relay | Relay | switch | -",
            "livingroom.status | Status | binary_sensor | - | hidden",
            "livingroom.stove | Stove | climate | -",
            "livingroom.uptime | Uptime | sensor | s | hidden",
            "livingroom.vent | Vent | fan | -",
            "livingroom.wifi_signal | Wifi signal | sensor | dBm | hidden",
        ]
    );
    plant.expect(
        &[
            ("livingroom.living_room_temperature", "21.4"),
            ("livingroom.humidity", "48.0"),
            ("livingroom.esphome_version", r#""2024.11.0 Nov 20 2024""#),
            ("livingroom.mood", r#""42""#),
            ("livingroom.hall_motion", "true"),
            ("livingroom.relay", "false"),
            ("livingroom.lamp", r#"{"state":"on","brightness":50,"color":{"r":255,"g":0,"b":9},"effect":"None"}"#),
            ("livingroom.led", r#"{"state":"off"}"#),
            ("livingroom.delay", "12.5"),
            ("livingroom.program", r#""fast""#),
            ("livingroom.greeting", r#""hello""#),
            ("livingroom.vent", "true"),
            ("livingroom.gate", r#"{"state":"open","position":70}"#),
            ("livingroom.door", r#""locked""#),
            ("livingroom.stove", r#"{"mode":"heat","temperature":21.5,"current_temperature":19.0}"#),
            ("livingroom.bell", r#""ring""#),
        ],
        "what was said before",
    );
    assert_eq!((plant.value("livingroom.pressure").as_str(), plant.quality("livingroom.pressure").as_str()), ("", "bad"));
    plant.table(&[
        ("livingroom/sensor/pressure/state", "1013.2", &[("livingroom.pressure", "1013.2")]),
        ("livingroom/binary_sensor/hall_motion/state", "OFF", &[("livingroom.hall_motion", "false")]),
        ("livingroom/cover/gate/state", "closing", &[("livingroom.gate", r#"{"state":"closing","position":70}"#)]),
        ("livingroom/cover/gate/position/state", "0", &[("livingroom.gate", r#"{"state":"closed","position":0}"#)]),
        ("livingroom/cover/gate/state", "unknown", &[("livingroom.gate", r#"{"state":"closed","position":0}"#)]),
        ("livingroom/climate/stove/mode/state", "off", &[("livingroom.stove", r#"{"mode":"off","temperature":21.5,"current_temperature":19.0}"#)]),
        // What a light can, it shows when it is on.
        (
            "livingroom/light/led/state",
            r#"{"state":"ON","brightness":255,"color_temp":250}"#,
            &[("livingroom.led", r#"{"state":"on","brightness":100,"color_temp":4000}"#)],
        ),
        // A component that comes later is there at once.
        ("livingroom/sensor/co2/state", "800", &[("livingroom.co2", "800.0")]),
        ("livingroom/debug", "[D][sensor:093]: 'x'", &[]),
        ("livingroom/button/restart/command", "PRESS", &[]),
    ]);
    assert_eq!(plant.entity("livingroom.restart").kind.as_str(), "button");
}

#[test]
fn a_device_that_describes_itself_needs_no_status() {
    let mut plant = Plant::new();
    plant.holds("esphome/discover/attic", r#"{"ip":"192.168.1.9","name":"attic","friendly_name":"Attic node","port":6053,"version":"2024.11.0","mac":"a0b765112233","platform":"ESP32","board":"esp32dev","network":"wifi"}"#);
    plant.says("attic/sensor/temperature/state", "17");
    assert_eq!(plant.lines(), Vec::<String>::new());
    plant.wait(1_100);
    // It was not held: nobody knew yet whether anybody cares.
    plant.says("attic/sensor/temperature/state", "17.5");
    assert_eq!(plant.value("attic.temperature"), "17.5");
    let device = plant.device("attic");
    assert_eq!(
        (device.name.as_str(), device.about.sw_version.as_deref(), device.about.model.as_deref()),
        ("Attic node", Some("2024.11.0"), Some("esp32dev"))
    );
    assert!(device.identifiers.contains(&"a0b765112233".to_owned()));
}

#[test]
fn it_is_there_or_not_as_its_status_says() {
    let mut plant = Plant::new();
    device(&mut plant, "house/attic", &[("sensor/temperature/state", "17"), ("switch/relay/state", "OFF")]);
    assert_eq!(plant.quality("attic.temperature"), "retained");
    plant.says("house/attic/status", "offline");
    assert_eq!((plant.quality("attic.temperature").as_str(), plant.quality("attic.relay").as_str()), ("offline", "offline"));
    assert_eq!(plant.ask("attic.relay", r#"{"action":"turn_on"}"#).1, [CommandState::Refused]);
    plant.says("house/attic/status", "online");
    plant.says("house/attic/sensor/temperature/state", "18");
    assert_eq!(plant.quality("attic.temperature"), "good");
}

#[test]
fn commands_are_written_as_components_take_them() {
    let mut plant = Plant::new();
    device(&mut plant, "livingroom", &EVERYTHING);
    plant.says("livingroom/button/restart/command", "PRESS");
    for (entity, action, topic, payload) in [
        ("relay", r#"{"action":"turn_on"}"#, "switch/relay", "ON"),
        ("relay", r#"{"action":"toggle"}"#, "switch/relay", "ON"),
        ("vent", r#"{"action":"turn_off"}"#, "fan/vent", "OFF"),
        ("lamp", r#"{"action":"turn_on","brightness":60}"#, "light/lamp", r#"{"brightness":153,"state":"ON"}"#),
        (
            "lamp",
            r#"{"action":"turn_on","color":{"r":1,"g":2,"b":3},"transition_s":2}"#,
            "light/lamp",
            r#"{"color":{"b":3,"g":2,"r":1},"state":"ON","transition":2}"#,
        ),
        ("lamp", r#"{"action":"turn_on","effect":"Rainbow"}"#, "light/lamp", r#"{"effect":"Rainbow","state":"ON"}"#),
        ("lamp", r#"{"action":"turn_off"}"#, "light/lamp", r#"{"state":"OFF"}"#),
        ("delay", r#"{"action":"set","value":3}"#, "number/delay", "3"),
        ("program", r#"{"action":"set","value":"slow"}"#, "select/program", "slow"),
        ("greeting", r#"{"action":"set","value":"hi"}"#, "text/greeting", "hi"),
        ("gate", r#"{"action":"open"}"#, "cover/gate", "OPEN"),
        ("gate", r#"{"action":"stop"}"#, "cover/gate", "STOP"),
        ("gate", r#"{"action":"set","position":40}"#, "cover/gate/position", "40"),
        ("stove", r#"{"action":"set","temperature":22.5}"#, "climate/stove/target_temperature", "22.5"),
        ("stove", r#"{"action":"set","mode":"off"}"#, "climate/stove/mode", "off"),
        ("restart", r#"{"action":"press"}"#, "button/restart", "PRESS"),
    ] {
        let (sent, _) = plant.ask(&format!("livingroom.{entity}"), action);
        assert_eq!(sent, [(format!("livingroom/{topic}/command"), payload.to_owned())], "{action}");
    }
    assert_eq!(plant.ask("livingroom.led", r#"{"action":"turn_on","brightness":5}"#).1, [CommandState::Refused]);
    plant.ask("livingroom.relay", r#"{"action":"turn_on"}"#);
    plant.says("livingroom/switch/relay/command", "ON");
    assert_eq!(plant.states(), []);
    plant.says("livingroom/switch/relay/state", "ON");
    assert_eq!(plant.states(), [CommandState::Accepted, CommandState::Confirmed]);
}

#[test]
fn neither_a_status_nor_a_component_is_a_device() {
    let mut plant = Plant::new();
    plant.says("devices/pump/status", "online");
    plant.says("devices/pump/rpm", "1200");
    plant.says("barn/sensor/temperature/state", "7");
    plant.says("homeassistant/status", "online");
    plant.says("homeassistant/sensor/kitchen/state", "7");
    plant.wait(5_000);
    assert_eq!(plant.lines(), ["pump.rpm | Rpm | sensor | rpm"]);
    plant.says("devices/pump/status", "offline");
    assert_eq!(plant.quality("pump.rpm"), "offline");
}

#[test]
fn an_earlier_run_is_taken_up_and_goes_on_growing() {
    let mut plant = Plant::new();
    plant.holds("attic/sensor/temperature/state", "7");
    plant.holds("attic/status", "online");
    plant.wait(1_100);
    let devices = plant.fleet.devices().into_iter().cloned().collect();
    let entity =
        |change: &domain::change::Change| if let domain::change::Change::Entity(entity, _) = change { Some((**entity).clone()) } else { None };
    let entities: Vec<_> = plant.out.iter().filter_map(entity).collect();
    assert_eq!(entities.len(), 1);
    let mut later = Plant::new();
    later.fleet.restore(devices, entities, vec![], vec![]);
    later.holds("attic/status", "online");
    later.holds("attic/sensor/temperature/state", "8");
    later.holds("attic/sensor/humidity/state", "50");
    later.wait(1_100);
    later.expect(&[("attic.temperature", "8.0"), ("attic.humidity", "50.0")], "a restart");
}

#[test]
fn hostile_messages_do_no_harm() {
    let mut plant = Plant::new();
    device(&mut plant, "livingroom", &EVERYTHING);
    let n = plant.lines().len();
    let deep = "[".repeat(10_000);
    let large = "a".repeat(1 << 20);
    for said in [deep.as_str(), &large, "", "null", "{", "1e999", "-inf"] {
        for topic in [
            "livingroom/light/lamp/state",
            "livingroom/sensor/humidity/state",
            "livingroom/status",
            "esphome/discover/livingroom",
            "esphome/discover",
            "esphome/discover/",
        ] {
            plant.says(topic, said);
        }
    }
    plant.says("livingroom/sensor/humidity/state", [0xff, 0]);
    plant.expect(&[("livingroom.humidity", "48.0")], "nonsense");
    assert_eq!(plant.lines().len(), n);
    for n in 0..12_000 {
        plant.says(&format!("p{n}/sensor/x/state"), "1");
        plant.says(&format!("q{n}/status"), "online");
    }
    for n in 0..2_000 {
        plant.says(&format!("livingroom/sensor/s{n}/state"), "1");
    }
    plant.wait(2_000);
    assert!(plant.lines().len() <= 500);
}

fn topic() -> impl Strategy<Value = String> {
    let ends = [
        "status",
        "sensor/temperature/state",
        "light/a/state",
        "cover/a/position/state",
        "cover/a/state",
        "climate/a/mode/state",
        "climate/a/target_temperature/state",
        "button/a/command",
        "number/a/state",
        "lock/a/state",
        "event/a/state",
        "debug",
        "sensor//state",
        "sensor/state",
    ];
    let beginnings = ["a", "a/b", "esphome/a", "esphome/discover", "sensor/sensor"];
    (prop::sample::select(beginnings.to_vec()), prop::sample::select(ends.to_vec())).prop_map(|(a, b)| format!("{a}/{b}"))
}

fn said() -> impl Strategy<Value = Vec<u8>> {
    let samples = vec![
        "online",
        "offline",
        "ON",
        "21.5",
        "1e308",
        "nan",
        "open",
        "PRESS",
        r#"{"state":"ON","brightness":1e300,"color_temp":0,"color":{"r":-5,"g":1e9,"b":3}}"#,
        r#"{"event_type":"x","mac":"a","name":"a"}"#,
    ];
    let mutated = (prop::sample::select(samples.clone()), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(text, at, byte)| {
        let mut bytes = text.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes
    });
    prop_oneof![3 => prop::sample::select(samples).prop_map(|text| text.as_bytes().to_vec()), 1 => mutated, 1 => prop::collection::vec(any::<u8>(), 0..30)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_message_panics_and_every_number_is_finite(messages in prop::collection::vec((topic(), said(), any::<bool>()), 1..40)) {
        let mut plant = Plant::new();
        for (topic, payload, retained) in messages {
            if retained { plant.holds(&topic, payload) } else { plant.says(&topic, payload) }
            plant.wait(300);
        }
        for view in plant.fleet.entities() {
            let number = view.v.and_then(|value| value.as_number());
            prop_assert!(number.is_none_or(f64::is_finite));
        }
    }
}
