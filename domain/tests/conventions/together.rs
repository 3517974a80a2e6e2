//! Conventions that meet on one broker: a device that several of them describe is one device, and nothing of it is there twice.
//!
//! Messages are those of the projects' own code and documentation: Zigbee2MQTT's `homeassistant` extension, Tasmota's `SetOption19 1`, the MQTT
//! component of `ESPHome`, and the configurations that people publish for Shelly.

use domain::command::CommandState::{Confirmed, Refused, Sent};
use domain::input::Input;
use domain::written::{Amendment, EntityPatch, Patch};
use proptest::prelude::*;
use serde_json::json;

use crate::rig::{Plant, entity_id};

type Said = (String, String);

#[expect(clippy::needless_pass_by_value, reason = "a test reads better without it")]
fn said(topic: &str, payload: impl ToString) -> Said {
    (topic.to_owned(), payload.to_string())
}

/// A message that a broker holds, to each of them in turn; then time passes.
fn replay(plant: &mut Plant, messages: &[Said]) {
    for (topic, payload) in messages {
        plant.holds(topic, payload);
    }
    plant.wait(1_100);
    plant.wait(1_100);
}

fn heard(messages: &[&[Said]]) -> Plant {
    let mut plant = Plant::new();
    for messages in messages {
        replay(&mut plant, messages);
    }
    plant
}

/// Devices with their entities, and what each says now.
fn picture(plant: &Plant) -> Vec<String> {
    let mut lines: Vec<String> =
        plant.fleet.entities().iter().map(|view| format!("{} {} {}", view.device, view.id, plant.value(view.id.as_str()))).collect();
    lines.sort();
    lines
}

/// What devices are called here, and how many there are.
fn devices(plant: &Plant) -> Vec<String> {
    let mut ids: Vec<String> = plant.fleet.devices().iter().map(|device| format!("{} ({})", device.id, device.convention)).collect();
    ids.sort();
    ids
}

/// A number in front of a name tells that it is there a second time.
#[track_caller]
fn nothing_is_there_twice(plant: &Plant) {
    let twice: Vec<String> = plant.lines().into_iter().filter(|line| line.split(" | ").next().is_some_and(|id| id.ends_with("-2"))).collect();
    assert_eq!(twice, Vec::<String>::new(), "{:#?}", plant.lines());
}

// Zigbee2MQTT.

const BULB: &str = "0x90fd9ffffe6494fc";
const SENSOR: &str = "0x00158d0001dc126a";

fn zigbee_native() -> Vec<Said> {
    let numeric = |name: &str, unit: &str| json!({"type": "numeric", "name": name, "property": name, "unit": unit, "access": 1});
    let bulb = json!({"ieee_address": BULB, "type": "Router", "friendly_name": "desk lamp", "supported": true, "interview_completed": true,
        "definition": {"model": "LED1624G9", "vendor": "IKEA", "description": "TRADFRI bulb", "exposes": [
            {"type": "light", "features": [
                {"type": "binary", "name": "state", "property": "state", "value_on": "ON", "value_off": "OFF", "value_toggle": "TOGGLE", "access": 7},
                {"type": "numeric", "name": "brightness", "property": "brightness", "value_min": 0, "value_max": 254, "access": 7},
                {"type": "numeric", "name": "color_temp", "property": "color_temp", "unit": "mired", "value_min": 250, "value_max": 454, "access": 7},
                {"type": "composite", "name": "color_xy", "property": "color", "features": [
                    {"type": "numeric", "name": "x", "property": "x", "access": 7}, {"type": "numeric", "name": "y", "property": "y", "access": 7}]}]},
            {"type": "enum", "name": "effect", "property": "effect", "values": ["blink", "breathe"], "access": 2, "category": "config"},
            {"type": "enum", "name": "power_on_behavior", "label": "Power-on behavior", "property": "power_on_behavior",
                "values": ["off", "on", "previous"], "access": 7, "category": "config"},
            {"type": "enum", "name": "identify", "label": "Identify", "property": "identify", "values": ["identify"], "access": 2, "category": "config"},
            numeric("linkquality", "lqi")]}});
    let sensor = json!({"ieee_address": SENSOR, "type": "EndDevice", "friendly_name": "hall", "interview_completed": true,
        "definition": {"model": "X", "vendor": "Aqara", "description": "Sensor with a button", "exposes": [
            {"type": "numeric", "name": "battery", "property": "battery", "unit": "%", "access": 1, "category": "diagnostic"},
            numeric("temperature", "°C"),
            {"type": "binary", "name": "contact", "property": "contact", "value_on": false, "value_off": true, "access": 1},
            {"type": "numeric", "name": "occupancy_timeout", "property": "occupancy_timeout", "unit": "s", "value_min": 0, "value_max": 65535,
                "access": 7, "category": "config"},
            {"type": "enum", "name": "action", "label": "Action", "property": "action", "values": ["single", "double"], "access": 1}]}});
    let coordinator = json!({"ieee_address": "0x00124b00120144ae", "type": "Coordinator", "friendly_name": "Coordinator", "definition": null});
    vec![said("zigbee2mqtt/bridge/devices", json!([coordinator, bulb, sensor]))]
}

fn zigbee_state() -> Vec<Said> {
    vec![
        said("zigbee2mqtt/bridge/state", r#"{"state":"online"}"#),
        said("zigbee2mqtt/desk lamp/availability", r#"{"state":"online"}"#),
        said("zigbee2mqtt/hall/availability", r#"{"state":"online"}"#),
        said(
            "zigbee2mqtt/desk lamp",
            r#"{"brightness":127,"color_mode":"color_temp","color_temp":250,"linkquality":120,"power_on_behavior":"on","state":"ON"}"#,
        ),
        said("zigbee2mqtt/hall", r#"{"battery":87,"contact":false,"temperature":21.4,"occupancy_timeout":60,"linkquality":98}"#),
    ]
}

/// What Zigbee2MQTT 2.x announces to Home Assistant of the same devices.
fn zigbee_home_assistant() -> Vec<Said> {
    let config = |component: &str, (address, name): (&str, &str), object: &str, with: serde_json::Value| {
        let mut config = json!({
            "availability": [
                {"topic": "zigbee2mqtt/bridge/state", "value_template": "{{ value_json.state }}"},
                {"topic": format!("zigbee2mqtt/{name}/availability"), "value_template": "{{ value_json.state }}"}],
            "availability_mode": "all",
            "device": {"identifiers": [format!("zigbee2mqtt_{address}")], "manufacturer": "IKEA", "model": "TRADFRI bulb", "model_id": "LED1624G9",
                "name": name, "via_device": "zigbee2mqtt_bridge_0x00124b00120144ae"},
            "object_id": format!("{}_{object}", name.replace(' ', "_")), "origin": {"name": "Zigbee2MQTT", "sw": "2.1.1", "url": "https://www.zigbee2mqtt.io"},
            "state_topic": format!("zigbee2mqtt/{name}"), "unique_id": format!("{address}_{object}_zigbee2mqtt")});
        for (key, value) in with.as_object().expect("an object") {
            if value.is_null() && key != "name" {
                config.as_object_mut().expect("an object").remove(key);
            } else {
                config[key] = value.clone();
            }
        }
        said(&format!("homeassistant/{component}/{address}/{object}/config"), config)
    };
    let (lamp, hall) = ((BULB, "desk lamp"), (SENSOR, "hall"));
    let set = |what: &str| format!("zigbee2mqtt/desk lamp/set{what}");
    vec![
        config(
            "light",
            lamp,
            "light",
            json!({"name": null, "object_id": "desk_lamp", "schema": "json", "brightness": true, "brightness_scale": 254, "command_topic": set(""),
            "effect": true, "effect_list": ["blink", "breathe"], "max_mireds": 454, "min_mireds": 250, "supported_color_modes": ["xy", "color_temp"]}),
        ),
        config(
            "select",
            lamp,
            "power_on_behavior",
            json!({"name": "Power-on behavior", "command_topic": set("/power_on_behavior"), "enabled_by_default": false,
            "entity_category": "config", "options": ["off", "on", "previous"], "value_template": "{{ value_json.power_on_behavior }}"}),
        ),
        config(
            "button",
            lamp,
            "identify",
            json!({"name": "Identify", "command_topic": set("/identify"), "device_class": "identify", "entity_category": "config",
            "payload_press": "identify", "state_topic": null}),
        ),
        config(
            "sensor",
            lamp,
            "linkquality",
            json!({"name": "Linkquality", "enabled_by_default": false, "entity_category": "diagnostic",
            "state_class": "measurement", "unit_of_measurement": "lqi", "value_template": "{{ value_json.linkquality }}"}),
        ),
        config(
            "sensor",
            hall,
            "battery",
            json!({"device_class": "battery", "entity_category": "diagnostic", "state_class": "measurement",
            "unit_of_measurement": "%", "value_template": "{{ value_json.battery }}"}),
        ),
        config(
            "sensor",
            hall,
            "temperature",
            json!({"device_class": "temperature", "state_class": "measurement", "unit_of_measurement": "°C",
            "value_template": "{{ value_json.temperature }}"}),
        ),
        config(
            "binary_sensor",
            hall,
            "contact",
            json!({"device_class": "door", "payload_off": true, "payload_on": false,
            "value_template": "{{ value_json.contact }}"}),
        ),
        config(
            "number",
            hall,
            "occupancy_timeout",
            json!({"name": "Occupancy timeout", "command_topic": "zigbee2mqtt/hall/set/occupancy_timeout",
            "entity_category": "config", "max": 65535, "min": 0, "unit_of_measurement": "s", "value_template": "{{ value_json.occupancy_timeout }}"}),
        ),
        said(
            &format!("homeassistant/device_automation/{SENSOR}/action_single/config"),
            json!({"automation_type": "trigger", "type": "action",
            "subtype": "single", "payload": "single", "topic": "zigbee2mqtt/hall/action", "device": {"identifiers": [format!("zigbee2mqtt_{SENSOR}")], "name": "hall"},
            "origin": {"name": "Zigbee2MQTT", "sw": "2.1.1", "url": "https://www.zigbee2mqtt.io"}}),
        ),
    ]
}

const ZIGBEE: [&str; 10] = [
    "desk_lamp.effect | Effect | select | - | hidden",
    "desk_lamp.identify | Identify | button | - | hidden",
    "desk_lamp.light | desk lamp | light | -",
    "desk_lamp.linkquality | Linkquality | sensor | lqi | hidden",
    "desk_lamp.power-on_behavior | Power-on behavior | select | - | hidden",
    "hall.action | Action | sensor | -",
    "hall.battery | Battery | sensor | %",
    "hall.contact | Door | binary_sensor | -",
    "hall.occupancy_timeout | Occupancy timeout | number | s | hidden",
    "hall.temperature | Temperature | sensor | °C",
];

#[test]
fn zigbee2mqtt_and_its_home_assistant_discovery_are_one() {
    let (native, state, discovery) = (zigbee_native(), zigbee_state(), zigbee_home_assistant());
    for order in [
        [native.as_slice(), &state, &discovery],
        [&native, &discovery, &state],
        [&discovery, &native, &state],
        [&discovery, &state, &native],
        [&state, &native, &discovery],
        [&state, &discovery, &native],
    ] {
        let mut plant = heard(&order);
        let names = |lines: Vec<String>| lines.into_iter().map(|line| line.replacen("power_on_behavior", "power-on_behavior", 1)).collect::<Vec<_>>();
        assert_eq!(names(plant.lines()), ZIGBEE);
        assert_eq!(plant.fleet.devices().len(), 2);
        plant.expect(
            &[
                ("desk_lamp.light", r#"{"state":"on","brightness":50,"color_temp":4000}"#),
                ("hall.battery", "87.0"),
                ("hall.contact", "true"),
                ("hall.temperature", "21.4"),
                ("hall.occupancy_timeout", "60.0"),
            ],
            "all of them",
        );
        // A command goes out once, and the device confirms it once.
        let (sent, states) = plant.ask("desk_lamp.light", r#"{"action":"turn_on","brightness":100}"#);
        assert_eq!((sent, states), (vec![said("zigbee2mqtt/desk lamp/set", r#"{"brightness":254,"state":"ON"}"#)], vec![Sent]));
        plant.says("zigbee2mqtt/desk lamp", r#"{"brightness":254,"color_mode":"color_temp","color_temp":250,"state":"ON"}"#);
        assert_eq!(plant.states().last(), Some(&Confirmed));
        // A button that is pressed is an action, once.
        plant.says("zigbee2mqtt/hall", r#"{"action":"single","battery":87,"contact":false,"temperature":21.5}"#);
        plant.says("zigbee2mqtt/hall/action", "single");
        plant.expect(&[("hall.action", r#""single""#), ("hall.temperature", "21.5")], "a press");
        assert_eq!((plant.quality("hall.temperature").as_str(), plant.quality("hall.action").as_str()), ("good", "good"));
        // The device is gone, then the bridge.
        plant.says("zigbee2mqtt/hall/availability", r#"{"state":"offline"}"#);
        assert_eq!((plant.quality("hall.temperature").as_str(), plant.quality("desk_lamp.light").as_str()), ("offline", "good"));
        plant.says("zigbee2mqtt/hall/availability", r#"{"state":"online"}"#);
        plant.says("zigbee2mqtt/bridge/state", r#"{"state":"offline"}"#);
        assert_eq!((plant.quality("hall.temperature").as_str(), plant.quality("desk_lamp.light").as_str()), ("offline", "offline"));
        assert_eq!(plant.ask("desk_lamp.light", r#"{"action":"turn_off"}"#).1, [Refused]);
        assert_eq!(plant.rejected, Vec::<String>::new());
    }
}

// Tasmota.

fn tasmota_native() -> Vec<Said> {
    let config = json!({
        "ip": "192.168.15.10", "dn": "Plug", "fn": ["Plug", null], "hn": "plug-1", "mac": "DC4F22D3B32F", "md": "Sonoff Basic", "ty": 0, "if": 0,
        "ofln": "Offline", "onln": "Online", "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "9.4.0.4", "t": "plug_1", "ft": "%prefix%/%topic%/",
        "tp": ["cmnd", "stat", "tele"], "rl": [1, 0], "swc": [-1], "swn": [null], "btn": [0], "so": {"4": 0}, "lk": 1, "lt_st": 0, "sho": [0], "ver": 1});
    vec![
        said("tasmota/discovery/DC4F22D3B32F/config", config),
        said("tasmota/discovery/DC4F22D3B32F/sensors", r#"{"sn":{"Time":"2020-09-25T12:47:15","ENERGY":{"Total":0.017,"Power":12}},"ver":1}"#),
    ]
}

fn tasmota_home_assistant() -> Vec<Said> {
    let own = r#""avty_t":"tele/plug_1/LWT","pl_avail":"Online","pl_not_avail":"Offline","dev":{"ids":["D3B32F"]}"#;
    vec![
        said(
            "homeassistant/switch/D3B32F_RL_1/config",
            format!(
                r#"{{"name":"Plug","stat_t":"tele/plug_1/STATE","cmd_t":"cmnd/plug_1/POWER","val_tpl":"{{{{value_json.POWER}}}}","pl_off":"OFF","pl_on":"ON","uniq_id":"D3B32F_RL_1",{own}}}"#
            ),
        ),
        said(
            "homeassistant/sensor/D3B32F_ENERGY_Power/config",
            format!(
                r#"{{"name":"Plug ENERGY Power","stat_t":"tele/plug_1/SENSOR","frc_upd":true,"uniq_id":"D3B32F_ENERGY_Power","unit_of_meas":"W","dev_cla":"power","val_tpl":"{{{{value_json['ENERGY']['Power']}}}}",{own}}}"#
            ),
        ),
        said(
            "homeassistant/sensor/D3B32F_status/config",
            r#"{"name":"Plug status","stat_t":"tele/plug_1/HASS_STATE","avty_t":"tele/plug_1/LWT","pl_avail":"Online","pl_not_avail":"Offline","json_attr_t":"tele/plug_1/HASS_STATE","unit_of_meas":"%","val_tpl":"{{value_json['RSSI']}}","ic":"mdi:information-outline","uniq_id":"D3B32F_status","dev":{"ids":["D3B32F"],"name":"Plug","mdl":"Sonoff Basic","sw":"8.1.0(tasmota)","mf":"Tasmota"}}"#,
        ),
    ]
}

fn tasmota_state() -> Vec<Said> {
    vec![
        said("tele/plug_1/LWT", "Online"),
        said("tele/plug_1/STATE", r#"{"Time":"2021-05-20T22:24:55","UptimeSec":9,"POWER":"ON","Wifi":{"RSSI":100,"Signal":-40}}"#),
        said("tele/plug_1/SENSOR", r#"{"Time":"2021-05-20T22:24:55","ENERGY":{"Total":0.017,"Power":12}}"#),
        said("tele/plug_1/HASS_STATE", r#"{"Version":"8.1.0(tasmota)","Module or Template":"Sonoff Basic","RSSI":"100","Signal (dBm)":"-40"}"#),
    ]
}

#[test]
fn tasmota_and_its_home_assistant_discovery_are_one() {
    let (native, state, discovery) = (tasmota_native(), tasmota_state(), tasmota_home_assistant());
    for order in [
        [native.as_slice(), &state, &discovery],
        [&native, &discovery, &state],
        [&discovery, &native, &state],
        [&discovery, &state, &native],
        [&state, &discovery, &native],
    ] {
        let mut plant = heard(&order);
        assert_eq!(plant.fleet.devices().len(), 1, "{:?}", devices(&plant));
        nothing_is_there_twice(&plant);
        let device = plant.fleet.devices()[0].id.clone();
        let of = |key: &str| format!("{device}.{key}");
        let main: Vec<String> = plant
            .lines()
            .into_iter()
            .filter(|line| !line.ends_with("hidden"))
            .map(|line| line.split(" | ").skip(1).collect::<Vec<_>>().join(" | "))
            .collect();
        assert!(main.iter().filter(|line| line.ends_with("| switch | -")).count() == 1, "{main:?}");
        assert!(main.iter().filter(|line| line.ends_with("| sensor | W")).count() == 1, "{main:?}");
        let switch = plant.lines().into_iter().find(|line| line.contains("| switch |")).expect("a switch");
        let switch = switch.split(" | ").next().expect("an id").to_owned();
        plant.expect(&[(&switch, "true")], "its state");
        let (sent, _) = plant.ask(&switch, r#"{"action":"turn_off"}"#);
        assert_eq!(sent, [said("cmnd/plug_1/POWER", "OFF")], "{}", of("switch"));
        plant.says("stat/plug_1/RESULT", r#"{"POWER":"OFF"}"#);
        assert_eq!(plant.states().last(), Some(&Confirmed));
        plant.says("tele/plug_1/LWT", "Offline");
        assert!(plant.fleet.entities().iter().all(|view| plant.quality(view.id.as_str()) == "offline"), "{:?}", plant.lines());
    }
}

// ESPHome.

fn esphome_native() -> Vec<Said> {
    vec![
        said("livingroom/status", "online"),
        said("livingroom/sensor/temperature/state", "21.4"),
        said("livingroom/switch/relay/state", "OFF"),
        said("livingroom/light/lamp/state", r#"{"state":"ON","color_mode":"brightness","brightness":128}"#),
    ]
}

fn esphome_home_assistant() -> Vec<Said> {
    let device =
        r#""dev":{"ids":"a0b765112233","name":"livingroom","sw":"esphome v2024.11.0 Nov 20 2024, 10:00:00","mdl":"esp32dev","mf":"espressif"}"#;
    let own = format!(r#""avty_t":"livingroom/status",{device}"#);
    vec![
        said(
            "homeassistant/button/livingroom/restart/config",
            format!(
                r#"{{"name":"Restart","cmd_t":"livingroom/button/restart/command","dev_cla":"restart","ent_cat":"config","uniq_id":"ESPbuttonrestart",{own}}}"#
            ),
        ),
        said(
            "homeassistant/sensor/livingroom/temperature/config",
            format!(
                r#"{{"dev_cla":"temperature","unit_of_meas":"°C","stat_cla":"measurement","name":"Temperature","stat_t":"livingroom/sensor/temperature/state","uniq_id":"ESPsensortemperature",{own}}}"#
            ),
        ),
        said(
            "homeassistant/switch/livingroom/relay/config",
            format!(
                r#"{{"name":"Relay","stat_t":"livingroom/switch/relay/state","cmd_t":"livingroom/switch/relay/command","uniq_id":"ESPswitchrelay",{own}}}"#
            ),
        ),
        said(
            "homeassistant/light/livingroom/lamp/config",
            format!(
                r#"{{"schema":"json","brightness":true,"name":"Lamp","stat_t":"livingroom/light/lamp/state","cmd_t":"livingroom/light/lamp/command","uniq_id":"ESPlightlamp",{own}}}"#
            ),
        ),
    ]
}

#[test]
fn esphome_and_home_assistant_are_one() {
    let (native, discovery) = (esphome_native(), esphome_home_assistant());
    let mut backwards = discovery.clone();
    backwards.reverse();
    for order in [[native.as_slice(), &discovery], [&discovery, &native], [&native, &backwards], [&backwards, &native]] {
        let mut plant = heard(&order);
        assert_eq!(
            plant.lines(),
            [
                "livingroom.lamp | Lamp | light | -",
                "livingroom.relay | Relay | switch | -",
                "livingroom.restart | Restart | button | - | hidden",
                "livingroom.temperature | Temperature | sensor | °C",
            ]
        );
        assert_eq!(plant.fleet.devices().len(), 1, "{:?}", devices(&plant));
        plant.expect(
            &[("livingroom.temperature", "21.4"), ("livingroom.relay", "false"), ("livingroom.lamp", r#"{"state":"on","brightness":50}"#)],
            "both",
        );
        assert_eq!(plant.ask("livingroom.relay", r#"{"action":"turn_on"}"#).0, [said("livingroom/switch/relay/command", "ON")]);
        plant.says("livingroom/switch/relay/state", "ON");
        assert_eq!(plant.states().last(), Some(&Confirmed));
        assert_eq!(plant.ask("livingroom.restart", r#"{"action":"press"}"#).0, [said("livingroom/button/restart/command", "PRESS")]);
        plant.says("livingroom/status", "offline");
        assert_eq!((plant.quality("livingroom.relay").as_str(), plant.quality("livingroom.temperature").as_str()), ("offline", "offline"));
    }
}

#[test]
fn logs_of_a_node_before_its_first_state_make_no_sensor() {
    let mut plant = Plant::new();
    plant.says("livingroom/debug", "[I][app:100]: ESPHome version 2024.11.0 compiled on Nov 20 2024, 10:00:00");
    plant.says("livingroom/debug", "\u{1b}[0;36m[C][mqtt:093]: MQTT\u{1b}[0m");
    plant.says("attic/debug", "\u{1b}[0;32m[I][mqtt:287]: Connected\u{1b}[0m");
    replay(&mut plant, &esphome_native());
    nothing_is_there_twice(&plant);
    assert_eq!(devices(&plant), ["livingroom (ESPHome)"]);
    assert!(!plant.lines().iter().any(|line| line.contains("debug")), "{:?}", plant.lines());
    // What is no log is what it was before.
    plant.says("boiler/debug", "17.5");
    assert_eq!(plant.value("boiler.debug"), "17.5");
}

// Shelly.

const SHELLY: &str = "shellyplus1pm-a8032abe54dc";

fn shelly_native() -> Vec<Said> {
    vec![
        said(&format!("{SHELLY}/online"), "true"),
        said(
            &format!("{SHELLY}/status/switch:0"),
            r#"{"id":0,"source":"init","output":false,"apower":8.9,"voltage":237.5,"aenergy":{"total":11679.815}}"#,
        ),
    ]
}

fn shelly_home_assistant() -> Vec<Said> {
    let own = format!(
        r#""avty_t":"{SHELLY}/online","pl_avail":"true","pl_not_avail":"false","dev":{{"cns":[["mac","A8:03:2A:BE:54:DC"]],"name":"{SHELLY}","mf":"Allterco Robotics","mdl":"Shelly Plus 1PM"}}"#
    );
    vec![
        said(
            "homeassistant/switch/a8032abe54dc/switch_0/config",
            format!(
                r#"{{"name":"Switch","stat_t":"{SHELLY}/status/switch:0","val_tpl":"{{{{ value_json.output }}}}","stat_on":"True","stat_off":"False","cmd_t":"{SHELLY}/command/switch:0","pl_on":"on","pl_off":"off","uniq_id":"a8032abe54dc-switch-0",{own}}}"#
            ),
        ),
        said(
            "homeassistant/sensor/a8032abe54dc/power_0/config",
            format!(
                r#"{{"name":"Power","stat_t":"{SHELLY}/status/switch:0","val_tpl":"{{{{ value_json.apower }}}}","unit_of_meas":"W","dev_cla":"power","uniq_id":"a8032abe54dc-power-0",{own}}}"#
            ),
        ),
    ]
}

#[test]
fn shelly_and_home_assistant_are_one() {
    let (native, discovery) = (shelly_native(), shelly_home_assistant());
    for order in [[native.as_slice(), &discovery], [&discovery, &native]] {
        let mut plant = heard(&order);
        assert_eq!(
            plant.lines(),
            [
                "shellyplus1pm-a8032abe54dc.energy | Energy | sensor | kWh",
                "shellyplus1pm-a8032abe54dc.power | Power | sensor | W",
                "shellyplus1pm-a8032abe54dc.switch | Switch | switch | -",
                "shellyplus1pm-a8032abe54dc.voltage | Voltage | sensor | V",
            ]
        );
        plant.expect(
            &[
                ("shellyplus1pm-a8032abe54dc.switch", "false"),
                ("shellyplus1pm-a8032abe54dc.power", "8.9"),
                ("shellyplus1pm-a8032abe54dc.energy", "11.679815"),
            ],
            "both",
        );
        let (sent, _) = plant.ask("shellyplus1pm-a8032abe54dc.switch", r#"{"action":"turn_on"}"#);
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert_eq!(sent[0].0, format!("{SHELLY}/rpc"));
        plant.says(&format!("{SHELLY}/online"), "false");
        assert_eq!(plant.quality("shellyplus1pm-a8032abe54dc.power"), "offline");
    }
}

#[test]
fn an_announcement_of_a_new_shelly_makes_no_sensors() {
    let mut plant = Plant::new();
    let announce = r#"{"name":null,"id":"shellyplus1pm-a8032abe54dc","mac":"A8032ABE54DC","slot":1,"model":"SNSW-001P16EU","gen":2,"fw_id":"20230913-112316/1.0.3-g6176478","ver":"1.0.3","app":"Plus1PM","auth_en":false,"auth_domain":null}"#;
    for prefix in [SHELLY, "kitchen"] {
        plant.says(&format!("{prefix}/announce"), announce);
    }
    assert_eq!(plant.lines(), Vec::<String>::new());
    replay(&mut plant, &shelly_native());
    assert_eq!(devices(&plant), [format!("{SHELLY} (Shelly)")]);
}

// Plain topics.

#[test]
fn a_plain_device_that_announces_itself_keeps_its_ids() {
    let mut plant = Plant::new();
    plant.says("sensors/boiler/temperature", "61.5");
    plant.says("sensors/boiler/pressure", "1.4");
    plant.says("devices/boiler/status", "online");
    assert_eq!(picture(&plant), ["boiler boiler.pressure 1.4", "boiler boiler.temperature 61.5"]);
    let config = |name: &str, class: &str| {
        said(
            &format!("homeassistant/sensor/boiler/{class}/config"),
            json!({"name": name, "stat_t": format!("sensors/boiler/{class}"), "dev_cla": class, "unit_of_meas": if class == "pressure" { "bar" } else { "°C" }, "uniq_id": format!("boiler_{class}"),
                "avty_t": "devices/boiler/status", "dev": {"ids": "boiler-1", "name": "Boiler"}}),
        )
    };
    replay(&mut plant, &[config("Temperature", "temperature"), config("Pressure", "pressure")]);
    assert_eq!(plant.lines(), ["boiler.pressure | Pressure | sensor | bar", "boiler.temperature | Temperature | sensor | °C"]);
    assert_eq!(devices(&plant), ["boiler (Home Assistant discovery)"]);
    plant.says("sensors/boiler/temperature", "62");
    plant.expect(&[("boiler.temperature", "62.0")], "the announcement");
    plant.says("devices/boiler/status", "offline");
    assert_eq!(plant.quality("boiler.temperature"), "offline");
}

#[test]
fn what_an_operator_wrote_about_a_plain_entity_stays_when_it_is_announced() {
    let mut plant = Plant::new();
    plant.says("sensors/boiler/temperature", "61.5");
    plant.says("sensors/boiler/pressure", "1.4");
    let patch = EntityPatch { name: Patch::Set("Flow".into()), ..EntityPatch::default() };
    plant.feed(Input::Amend(Amendment::Entity(entity_id("boiler.temperature"), patch)));
    let config = json!({"name": "Water temperature", "stat_t": "sensors/boiler/temperature", "dev_cla": "temperature", "unit_of_meas": "°C", "uniq_id": "t",
        "dev": {"ids": "boiler-1", "name": "Boiler"}});
    replay(&mut plant, &[said("homeassistant/sensor/boiler/t/config", config)]);
    assert_eq!(plant.lines(), ["boiler.pressure | Pressure | sensor | hPa", "boiler.temperature | Flow | sensor | °C"]);
    plant.says("sensors/boiler/temperature", "62");
    plant.expect(&[("boiler.temperature", "62.0")], "the announcement");
}

#[test]
fn a_device_that_reads_what_others_say_is_none_of_them() {
    let mut plant = Plant::new();
    plant.says("home/attic/temperature", "30");
    plant.says("home/cellar/temperature", "12");
    let config = |area: &str| {
        said(
            &format!("homeassistant/sensor/weather/{area}/config"),
            json!({"name": area, "stat_t": format!("home/{area}/temperature"), "dev_cla": "temperature", "unit_of_meas": "°C", "uniq_id": area,
                "dev": {"ids": "weather", "name": "Weather"}}),
        )
    };
    replay(&mut plant, &[config("attic"), config("cellar")]);
    assert_eq!(devices(&plant), ["weather (Home Assistant discovery)"]);
}

// All of them.

fn homie() -> Vec<Said> {
    vec![
        said("homie/5/meter/$state", "ready"),
        said(
            "homie/5/meter/$description",
            r#"{"homie":"5.0","version":7,"name":"Meter","nodes":{"grid":{"properties":{"power":{"datatype":"float","unit":"W","settable":false}}}}}"#,
        ),
        said("homie/5/meter/grid/power", "410"),
    ]
}

/// All that a broker holds where all of them meet.
fn everything() -> Vec<Said> {
    let plain = [said("sensors/well/level", "3.2"), said("devices/well/status", "online")];
    [
        zigbee_native(),
        zigbee_state(),
        zigbee_home_assistant(),
        tasmota_native(),
        tasmota_state(),
        tasmota_home_assistant(),
        esphome_native(),
        esphome_home_assistant(),
        shelly_native(),
        shelly_home_assistant(),
        homie(),
        plain.to_vec(),
    ]
    .concat()
}

#[test]
fn all_conventions_stand_side_by_side() {
    let plant = heard(&[&everything()]);
    assert_eq!(plant.fleet.devices().len(), 7, "{:?}", devices(&plant));
    nothing_is_there_twice(&plant);
    plant.expect(
        &[
            ("well.level", "3.2"),
            ("meter.power", "410.0"),
            ("hall.temperature", "21.4"),
            ("livingroom.temperature", "21.4"),
            ("plug_1.power", "12.0"),
        ],
        "everything",
    );
    assert_eq!(plant.rejected, Vec::<String>::new());
}

#[test]
fn what_is_replayed_after_a_restart_comes_to_the_same() {
    let mut all = everything();
    let before = heard(&[&all]);
    for _ in 0..3 {
        let step = all.len() / 3;
        all.rotate_left(step);
        let mut after = before.restarted();
        assert_eq!(picture(&after), picture(&before), "what was stored");
        replay(&mut after, &all);
        assert_eq!(picture(&after), picture(&before), "what the broker replayed");
        assert_eq!(after.fleet.devices().len(), before.fleet.devices().len());
        // And again, as after a line that was cut.
        replay(&mut after, &all);
        assert_eq!(picture(&after), picture(&before));
    }
}

/// Entities with what they say. Of a device that is named only by some of what announces it, ids go by what was heard first.
fn by_name(plant: &Plant) -> Vec<String> {
    let is_named_late = |device: &str| device.starts_with("plug") || device.starts_with("d3b32f");
    let line = |view: &domain::live::EntityView| {
        let id = if is_named_late(view.device.as_str()) { String::new() } else { view.id.as_str().replace('-', "_") };
        format!("{id} {} {:?} {} {}", view.kind.as_str(), view.unit, view.hidden, plant.value(view.id.as_str()))
    };
    let mut lines: Vec<String> = plant.fleet.entities().iter().map(line).collect();
    lines.sort();
    lines
}

/// Messages in any order, by their numbers among all.
fn any_order() -> impl Strategy<Value = Vec<usize>> {
    Just((0..everything().len()).collect::<Vec<usize>>()).prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 400, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn the_order_of_what_is_replayed_does_not_matter(order in any_order()) {
        let all = everything();
        let shuffled: Vec<Said> = order.iter().map(|n| all[*n].clone()).collect();
        let (plant, expected) = (heard(&[&shuffled]), heard(&[&all]));
        prop_assert_eq!(by_name(&plant), by_name(&expected));
        prop_assert_eq!(devices(&plant).len(), 7, "{:?}", devices(&plant));
        // Whatever the order was, a restart changes nothing.
        let mut after = plant.restarted();
        replay(&mut after, &all);
        prop_assert_eq!(picture(&after), picture(&plant));
    }
}
