//! Real messages, and what becomes of them: Zigbee2MQTT's own documentation (`mqtt_topics_and_messages`, `exposes`) and lists as bridges publish them.

use domain::command::CommandState::{Confirmed, Failed, Sent};
use domain::convention::zigbee2mqtt::{permit_join, remove, rename};
use proptest::prelude::*;

use crate::rig::Plant;

const BULB: &str = r#"{"ieee_address":"0x90fd9ffffe6494fc","type":"Router","network_address":57440,"supported":true,"disabled":false,
  "friendly_name":"my_bulb","endpoints":{"1":{"bindings":[],"configured_reportings":[],"clusters":{"input":["genOnOff"],"output":["genOta"]}}},
  "definition":{"model":"LED1624G9","vendor":"IKEA","description":"TRADFRI LED bulb E14/E26/E27 600 lumen, dimmable, color, opal white","options":[],
  "exposes":[{"type":"light","features":[
    {"type":"binary","name":"state","label":"State","property":"state","value_on":"ON","value_off":"OFF","value_toggle":"TOGGLE","access":7},
    {"type":"numeric","name":"brightness","label":"Brightness","property":"brightness","value_min":0,"value_max":254,"access":7},
    {"type":"numeric","name":"color_temp","property":"color_temp","unit":"mired","value_min":250,"value_max":454,"access":7},
    {"type":"numeric","name":"color_temp_startup","label":"Color temp startup","property":"color_temp_startup","unit":"mired","access":7},
    {"type":"composite","name":"color_xy","property":"color","features":[
      {"type":"numeric","name":"x","property":"x","access":7},{"type":"numeric","name":"y","property":"y","access":7}]}]},
   {"type":"enum","name":"effect","label":"Effect","property":"effect","values":["blink","breathe","okay"],"access":2,"category":"config"},
   {"type":"enum","name":"power_on_behavior","label":"Power-on behavior","property":"power_on_behavior","values":["off","on","previous"],"access":7,
    "category":"config"},
   {"type":"enum","name":"identify","label":"Identify","property":"identify","values":["identify"],"access":2,"category":"config"},
   {"type":"numeric","name":"linkquality","label":"Linkquality","property":"linkquality","unit":"lqi","value_min":0,"value_max":255,"access":1,
    "category":"diagnostic"}]},
  "power_source":"Mains (single phase)","software_build_id":"1.3.009","model_id":"TRADFRI bulb E27 CWS opal 600lm","date_code":"20180410",
  "interviewing":false,"interview_completed":true}"#;

const PLUG: &str = r#"{"ieee_address":"0x00158d00018255df","type":"Router","friendly_name":"kitchen/my plug","supported":true,
  "definition":{"model":"ZNCZ02LM","vendor":"Xiaomi","description":"Mi power plug ZigBee","exposes":[
   {"type":"switch","features":[{"type":"binary","name":"state","property":"state","value_on":"ON","value_off":"OFF","value_toggle":"TOGGLE","access":7}]},
   {"type":"numeric","name":"power","property":"power","unit":"W","access":5},
   {"type":"numeric","name":"energy","property":"energy","unit":"kWh","access":1},
   {"type":"numeric","name":"voltage","property":"voltage","unit":"V","access":1},
   {"type":"numeric","name":"current","property":"current","unit":"A","access":1},
   {"type":"numeric","name":"device_temperature","label":"Device temperature","property":"device_temperature","unit":"°C","access":1},
   {"type":"binary","name":"power_outage_memory","property":"power_outage_memory","value_on":true,"value_off":false,"access":7},
   {"type":"numeric","name":"linkquality","property":"linkquality","unit":"lqi","access":1}]},
  "interviewing":false,"interview_completed":true}"#;

const CLIMATE_SENSOR: &str = r#"{"ieee_address":"0x00158d0001dc126a","type":"EndDevice","friendly_name":"hall","definition":{"model":"WSDCGQ11LM","vendor":"Aqara",
  "description":"Temperature and humidity sensor","exposes":[
   {"type":"numeric","name":"battery","label":"Battery","property":"battery","unit":"%","value_min":0,"value_max":100,"access":1},
   {"type":"numeric","name":"temperature","label":"Temperature","property":"temperature","unit":"°C","access":1},
   {"type":"numeric","name":"humidity","label":"Humidity","property":"humidity","unit":"%","access":1},
   {"type":"numeric","name":"pressure","label":"Pressure","property":"pressure","unit":"hPa","access":1},
   {"type":"numeric","name":"voltage","label":"Voltage","property":"voltage","unit":"mV","access":1,"category":"diagnostic"}]},
  "interview_state":"SUCCESSFUL"}"#;

const BINARIES: &str = r#"{"ieee_address":"0x00158d0002000001","type":"EndDevice","friendly_name":"guard","definition":{"model":"X","vendor":"Y","description":"Many",
  "exposes":[
   {"type":"binary","name":"contact","label":"Contact","property":"contact","value_on":false,"value_off":true,"access":1},
   {"type":"binary","name":"occupancy","property":"occupancy","value_on":true,"value_off":false,"access":1},
   {"type":"binary","name":"water_leak","label":"Water leak","property":"water_leak","value_on":true,"value_off":false,"access":1},
   {"type":"binary","name":"battery_low","property":"battery_low","value_on":true,"value_off":false,"access":1},
   {"type":"enum","name":"action","label":"Action","property":"action","values":["single","double","hold"],"access":1},
   {"type":"text","name":"inserted","property":"inserted","access":1},
   {"type":"numeric","name":"illuminance","property":"illuminance","unit":"lx","access":1},
   {"type":"numeric","name":"co2","property":"co2","access":1},
   {"type":"list","name":"no_occupancy_since","property":"no_occupancy_since","access":1,"item_type":{"access":3,"name":"temperature","type":"numeric"}},
   {"type":"composite","name":"learned","property":"learned","features":[{"type":"numeric","name":"count","property":"count","access":1}]},
   {"type":"composite","name":"warning","property":"warning","access":2,"features":[{"type":"enum","name":"mode","property":"mode","values":["stop"],"access":2}]},
   {"type":"numeric","name":"occupancy_timeout","property":"occupancy_timeout","unit":"s","value_min":0,"value_max":65535,"access":7}]},
  "interview_completed":true}"#;

const DOUBLE: &str = r#"{"ieee_address":"0x0000000000000002","type":"Router","friendly_name":"double","definition":{"model":"D","vendor":"V","description":"Two gangs",
  "exposes":[
   {"type":"switch","endpoint":"left","features":[{"type":"binary","name":"state","property":"state_left","endpoint":"left","value_on":"ON","value_off":"OFF","access":7}]},
   {"type":"switch","endpoint":"right","features":[{"type":"binary","name":"state","property":"state_right","endpoint":"right","value_on":"ON","value_off":"OFF","access":7}]},
   {"type":"numeric","name":"power","endpoint":"left","label":"Power","property":"power_left","unit":"W","access":1}]},"interview_completed":true}"#;

const COVER: &str = r#"{"ieee_address":"0x0000000000000003","type":"Router","friendly_name":"blind","definition":{"model":"C","vendor":"V","description":"Blind",
  "exposes":[{"type":"cover","features":[
   {"type":"enum","name":"state","property":"state","values":["OPEN","CLOSE","STOP"],"access":3},
   {"type":"numeric","name":"position","property":"position","value_min":0,"value_max":100,"unit":"%","access":7},
   {"type":"numeric","name":"tilt","property":"tilt","value_min":0,"value_max":100,"access":7}]},
   {"type":"lock","features":[{"type":"binary","name":"state","property":"lock","value_on":"LOCK","value_off":"UNLOCK","access":7}]},
   {"type":"fan","features":[{"type":"binary","name":"state","property":"fan_state","value_on":"ON","value_off":"OFF","access":7},
     {"type":"enum","name":"mode","property":"fan_mode","values":["off","low","high"],"access":7}]}]},"interview_completed":true}"#;

const VALVE: &str = r#"{"ieee_address":"0x0000000000000004","type":"EndDevice","friendly_name":"valve","definition":{"model":"T","vendor":"V","description":"Radiator",
  "exposes":[{"type":"climate","features":[
   {"type":"numeric","name":"occupied_heating_setpoint","property":"occupied_heating_setpoint","value_min":7,"value_max":30,"value_step":0.5,"access":7,"unit":"°C"},
   {"type":"numeric","name":"local_temperature","label":"Local temperature","property":"local_temperature","access":5,"unit":"°C"},
   {"type":"enum","name":"system_mode","property":"system_mode","values":["off","auto","heat"],"access":7},
   {"type":"enum","name":"preset","property":"preset","values":["hold","program"],"access":7},
   {"type":"enum","name":"running_state","property":"running_state","values":["idle","heat"],"access":1},
   {"type":"numeric","name":"local_temperature_calibration","property":"local_temperature_calibration","value_min":-5,"value_max":5,"unit":"°C","access":7}]},
   {"type":"binary","name":"child_lock","property":"child_lock","value_on":"LOCK","value_off":"UNLOCK","access":7}]},"interview_completed":true}"#;

const COORDINATOR: &str = r#"{"ieee_address":"0x00124b00120144ae","type":"Coordinator","network_address":0,"supported":false,"friendly_name":"Coordinator",
  "definition":null,"interviewing":false,"interview_completed":true}"#;

const UNSUPPORTED: &str = r#"{"ieee_address":"0x00169a00022256da","type":"Router","network_address":22160,"supported":false,"friendly_name":"my_sensor",
  "definition":null,"interviewing":false,"interview_completed":true}"#;

fn list(devices: &[&str]) -> String {
    format!("[{}]", devices.join(","))
}

fn all() -> String {
    list(&[COORDINATOR, BULB, PLUG, CLIMATE_SENSOR, BINARIES, DOUBLE, COVER, VALVE, UNSUPPORTED])
}

fn plant() -> Plant {
    let mut plant = Plant::new();
    plant.holds("zigbee2mqtt/bridge/devices", all());
    plant
}

#[test]
fn the_list_of_the_bridge_makes_devices() {
    let plant = plant();
    assert_eq!(
        plant.lines(),
        [
            "blind.cover | Blind | cover | -",
            "blind.fan | Blind | fan | -",
            "blind.fan_mode | Mode | select | -",
            "blind.lock | Blind | lock | -",
            "blind.tilt | Tilt | number | -",
            "double.power_left | Power (left) | sensor | W",
            "double.switch_left | Switch (left) | switch | -",
            "double.switch_right | Switch (right) | switch | -",
            "guard.action | Action | sensor | -",
            "guard.battery_low | Battery low | binary_sensor | -",
            "guard.co2 | Co2 | sensor | ppm",
            "guard.contact | Door | binary_sensor | -",
            "guard.illuminance | Illuminance | sensor | lx",
            "guard.inserted | Inserted | sensor | -",
            "guard.learned_count | Learned count | sensor | -",
            "guard.no_occupancy_since | No occupancy since | sensor | -",
            "guard.occupancy | Occupancy | binary_sensor | -",
            "guard.occupancy_timeout | Occupancy timeout | number | s | hidden",
            "guard.water_leak | Water leak | binary_sensor | -",
            "hall.battery | Battery | sensor | %",
            "hall.humidity | Humidity | sensor | %",
            "hall.pressure | Pressure | sensor | hPa",
            "hall.temperature | Temperature | sensor | °C",
            "hall.voltage | Voltage | sensor | mV | hidden",
            "kitchen_my_plug.current | Current | sensor | A",
            "kitchen_my_plug.device_temperature | Device temperature | sensor | °C | hidden",
            "kitchen_my_plug.energy | Energy | sensor | kWh",
            "kitchen_my_plug.linkquality | Linkquality | sensor | lqi | hidden",
            "kitchen_my_plug.power | Power | sensor | W",
            "kitchen_my_plug.power_outage_memory | Power outage memory | switch | - | hidden",
            "kitchen_my_plug.switch | kitchen/my plug | switch | -",
            "kitchen_my_plug.voltage | Voltage | sensor | V",
            "my_bulb.color_temp_startup | Color temp startup | number | mired | hidden",
            "my_bulb.effect | Effect | select | - | hidden",
            "my_bulb.identify | Identify | button | - | hidden",
            "my_bulb.light | my_bulb | light | -",
            "my_bulb.linkquality | Linkquality | sensor | lqi | hidden",
            "my_bulb.power_on_behavior | Power-on behavior | select | - | hidden",
            "valve.child_lock | Child lock | switch | - | hidden",
            "valve.climate | Valve | climate | -",
            "valve.local_temperature | Local temperature | sensor | °C",
            "valve.local_temperature_calibration | Local temperature calibration | number | °C | hidden",
            "valve.running_state | Running state | sensor | -",
        ]
        .map(|line| line.replace("| Blind |", "| blind |").replace("| Valve |", "| valve |"))
    );
    let bulb = plant.device("my_bulb");
    assert_eq!(bulb.about.manufacturer.as_deref(), Some("IKEA"));
    assert_eq!(bulb.about.model.as_deref(), Some("TRADFRI LED bulb E14/E26/E27 600 lumen, dimmable, color, opal white (LED1624G9)"));
    assert_eq!(bulb.about.sw_version.as_deref(), Some("1.3.009"));
    assert_eq!(bulb.convention, "Zigbee2MQTT");
    assert!(plant.rejected.is_empty(), "{:?}", plant.rejected);
}

#[test]
fn states_are_read_as_the_exposes_say() {
    plant().table(&[
        ("zigbee2mqtt/hall", r#"{"temperature":27.34,"humidity":44.72}"#, &[("hall.temperature", "27.34"), ("hall.humidity", "44.72")]),
        ("zigbee2mqtt/hall", r#"{"battery":100,"voltage":3005,"pressure":976.6}"#, &[("hall.battery", "100.0"), ("hall.voltage", "3005.0")]),
        ("zigbee2mqtt/hall", r#"{"temperature":null,"humidity":45}"#, &[("hall.temperature", "27.34"), ("hall.humidity", "45.0")]),
        ("zigbee2mqtt/guard", r#"{"occupancy":true}"#, &[("guard.occupancy", "true"), ("guard.contact", "")]),
        ("zigbee2mqtt/guard", r#"{"contact":true}"#, &[("guard.contact", "false")]),
        ("zigbee2mqtt/guard", r#"{"contact":false,"water_leak":false}"#, &[("guard.contact", "true"), ("guard.water_leak", "false")]),
        ("zigbee2mqtt/guard", r#"{"action":"single"}"#, &[("guard.action", "\"single\"")]),
        ("zigbee2mqtt/guard", r#"{"action":"","battery_low":true}"#, &[("guard.action", "\"\""), ("guard.battery_low", "true")]),
        ("zigbee2mqtt/guard", r#"{"inserted":"42"}"#, &[("guard.inserted", "\"42\"")]),
        ("zigbee2mqtt/guard", r#"{"no_occupancy_since":[10,60]}"#, &[("guard.no_occupancy_since", "\"[10,60]\"")]),
        ("zigbee2mqtt/guard", r#"{"learned":{"count":3}}"#, &[("guard.learned_count", "3.0")]),
        ("zigbee2mqtt/my_bulb", r#"{"state":"ON","brightness":215,"color_temp":325}"#, &[("my_bulb.light", r#"{"state":"on","brightness":85,"color_temp":3077}"#)]),
        ("zigbee2mqtt/my_bulb", r#"{"state":"OFF","linkquality":120}"#, &[("my_bulb.light", r#"{"state":"off","brightness":85,"color_temp":3077}"#), ("my_bulb.linkquality", "120.0")]),
        (
            "zigbee2mqtt/my_bulb",
            r#"{"state":"ON","brightness":254,"color_temp":null,"color":{"x":0.3127,"y":0.329}}"#,
            &[("my_bulb.light", r#"{"state":"on","brightness":100,"color_temp":3077,"color":{"r":255,"g":255,"b":255}}"#)],
        ),
        ("zigbee2mqtt/my_bulb", r#"{"power_on_behavior":"previous"}"#, &[("my_bulb.power_on_behavior", "\"previous\"")]),
        ("zigbee2mqtt/kitchen/my plug", r#"{"state":"ON","power":12.3,"energy":1.5}"#, &[("kitchen_my_plug.switch", "true"), ("kitchen_my_plug.power", "12.3"), ("kitchen_my_plug.energy", "1.5")]),
        ("zigbee2mqtt/kitchen/my plug", r#"{"power_outage_memory":true}"#, &[("kitchen_my_plug.power_outage_memory", "true")]),
        ("zigbee2mqtt/double", r#"{"state_left":"ON","state_right":"OFF","power_left":3}"#, &[("double.switch_left", "true"), ("double.switch_right", "false"), ("double.power_left", "3.0")]),
        ("zigbee2mqtt/blind", r#"{"state":"OPEN","position":40,"tilt":10}"#, &[("blind.cover", r#"{"state":"open","position":40}"#), ("blind.tilt", "10.0")]),
        ("zigbee2mqtt/blind", r#"{"state":"CLOSE","position":0}"#, &[("blind.cover", r#"{"state":"closed","position":0}"#)]),
        ("zigbee2mqtt/blind", r#"{"position":100}"#, &[("blind.cover", r#"{"state":"open","position":100}"#)]),
        ("zigbee2mqtt/blind", r#"{"lock":"LOCK"}"#, &[("blind.lock", "\"locked\"")]),
        ("zigbee2mqtt/blind", r#"{"lock":"UNLOCK","fan_state":"ON","fan_mode":"low"}"#, &[("blind.lock", "\"unlocked\""), ("blind.fan", "true"), ("blind.fan_mode", "\"low\"")]),
        (
            "zigbee2mqtt/valve",
            r#"{"occupied_heating_setpoint":21.5,"local_temperature":20.1,"system_mode":"heat","preset":"hold","running_state":"idle","child_lock":"UNLOCK"}"#,
            &[
                ("valve.climate", r#"{"mode":"heat","temperature":21.5,"current_temperature":20.1,"preset":"hold"}"#),
                ("valve.local_temperature", "20.1"),
                ("valve.running_state", "\"idle\""),
                ("valve.child_lock", "false"),
            ],
        ),
        ("zigbee2mqtt/valve", r#"{"system_mode":"off"}"#, &[("valve.climate", r#"{"mode":"off","temperature":21.5,"current_temperature":20.1,"preset":"hold"}"#)]),
    ]);
}

#[test]
fn commands_go_out_as_json_on_set() {
    for (entity, action, topic, payload) in [
        ("my_bulb.light", r#"{"action":"turn_on"}"#, "zigbee2mqtt/my_bulb/set", r#"{"state":"ON"}"#),
        ("my_bulb.light", r#"{"action":"turn_off"}"#, "zigbee2mqtt/my_bulb/set", r#"{"state":"OFF"}"#),
        ("my_bulb.light", r#"{"action":"turn_on","brightness":60}"#, "zigbee2mqtt/my_bulb/set", r#"{"brightness":152,"state":"ON"}"#),
        (
            "my_bulb.light",
            r#"{"action":"turn_on","color_temp":4000,"transition_s":2}"#,
            "zigbee2mqtt/my_bulb/set",
            r#"{"color_temp":250,"state":"ON","transition":2}"#,
        ),
        (
            "my_bulb.light",
            r#"{"action":"turn_on","color":{"r":255,"g":0,"b":0}}"#,
            "zigbee2mqtt/my_bulb/set",
            r#"{"color":{"x":0.64,"y":0.33},"state":"ON"}"#,
        ),
        ("my_bulb.light", r#"{"action":"turn_on","effect":"blink"}"#, "zigbee2mqtt/my_bulb/set", r#"{"effect":"blink","state":"ON"}"#),
        ("my_bulb.effect", r#"{"action":"set","value":"okay"}"#, "zigbee2mqtt/my_bulb/set", r#"{"effect":"okay"}"#),
        ("my_bulb.identify", r#"{"action":"press"}"#, "zigbee2mqtt/my_bulb/set", r#"{"identify":"identify"}"#),
        ("my_bulb.power_on_behavior", r#"{"action":"set","value":"on"}"#, "zigbee2mqtt/my_bulb/set", r#"{"power_on_behavior":"on"}"#),
        ("kitchen_my_plug.switch", r#"{"action":"turn_on"}"#, "zigbee2mqtt/kitchen/my plug/set", r#"{"state":"ON"}"#),
        ("kitchen_my_plug.power_outage_memory", r#"{"action":"turn_off"}"#, "zigbee2mqtt/kitchen/my plug/set", r#"{"power_outage_memory":false}"#),
        ("double.switch_right", r#"{"action":"turn_off"}"#, "zigbee2mqtt/double/set", r#"{"state_right":"OFF"}"#),
        ("guard.occupancy_timeout", r#"{"action":"set","value":90}"#, "zigbee2mqtt/guard/set", r#"{"occupancy_timeout":90}"#),
        ("blind.cover", r#"{"action":"open"}"#, "zigbee2mqtt/blind/set", r#"{"state":"OPEN"}"#),
        ("blind.cover", r#"{"action":"close"}"#, "zigbee2mqtt/blind/set", r#"{"state":"CLOSE"}"#),
        ("blind.cover", r#"{"action":"stop"}"#, "zigbee2mqtt/blind/set", r#"{"state":"STOP"}"#),
        ("blind.cover", r#"{"action":"set","position":30}"#, "zigbee2mqtt/blind/set", r#"{"position":30}"#),
        ("blind.fan", r#"{"action":"turn_on"}"#, "zigbee2mqtt/blind/set", r#"{"fan_state":"ON"}"#),
        (
            "valve.climate",
            r#"{"action":"set","temperature":19.5,"mode":"heat"}"#,
            "zigbee2mqtt/valve/set",
            r#"{"occupied_heating_setpoint":19.5,"system_mode":"heat"}"#,
        ),
        ("valve.climate", r#"{"action":"set","preset":"program"}"#, "zigbee2mqtt/valve/set", r#"{"preset":"program"}"#),
        ("valve.child_lock", r#"{"action":"turn_on"}"#, "zigbee2mqtt/valve/set", r#"{"child_lock":"LOCK"}"#),
    ] {
        let (sent, states) = plant().ask(entity, action);
        assert_eq!(sent, [(topic.to_owned(), payload.to_owned())], "{entity} {action}");
        assert_eq!(states, [Sent], "{entity} {action}");
    }
}

#[test]
fn the_echo_of_a_device_confirms() {
    let mut plant = plant();
    plant.ask("my_bulb.light", r#"{"action":"turn_on","brightness":60}"#);
    plant.acknowledge();
    plant.says("zigbee2mqtt/my_bulb", r#"{"state":"ON","brightness":152}"#);
    assert_eq!(plant.states(), [Confirmed]);
    plant.ask("my_bulb.light", r#"{"action":"turn_on","color":{"r":255,"g":0,"b":0}}"#);
    plant.acknowledge();
    plant.says("zigbee2mqtt/my_bulb", r#"{"state":"ON","color":{"x":0.64,"y":0.33,"hue":0,"saturation":98}}"#);
    assert_eq!(plant.states(), [Confirmed]);
    plant.ask("valve.climate", r#"{"action":"set","temperature":19.5}"#);
    plant.acknowledge();
    plant.says("zigbee2mqtt/valve", r#"{"occupied_heating_setpoint":19.5}"#);
    assert_eq!(plant.states(), [Confirmed]);
}

#[test]
fn what_the_bridge_logs_as_failed_fails_the_command() {
    for (entity, message, fails) in [
        ("my_bulb.light", r#"{"level":"error","message":"z2m: Publish 'set' 'state' to 'my_bulb' failed: 'Error: Command timed out'"}"#, true),
        ("my_bulb.light", r#"{"level":"error","message":"Publish 'set' 'brightness' to 'my_bulb' failed: 'Error'"}"#, true),
        ("my_bulb.light", r#"{"level":"error","message":"Publish 'set' 'power_on_behavior' to 'my_bulb' failed: 'Error'"}"#, false),
        ("my_bulb.light", r#"{"level":"error","message":"Publish 'get' 'state' to 'my_bulb' failed: 'Error'"}"#, false),
        ("my_bulb.light", r#"{"level":"info","message":"Publish 'set' 'state' to 'my_bulb' failed"}"#, false),
        ("my_bulb.light", r#"{"level":"error","message":"Publish 'set' 'state' to 'hall' failed: 'Error'"}"#, false),
        (
            "kitchen_my_plug.switch",
            r#"{"level":"error","message":"z2m: Publish 'set' 'state' to 'kitchen/my plug' failed: 'Error: it's off'"}"#,
            true,
        ),
        ("double.switch_left", r#"{"level":"error","message":"z2m: Publish 'set' 'state' to 'double' failed: 'Error'"}"#, true),
        ("my_bulb.light", r#"{"level":"error","message":"z2m: Entity 'my_bulb' is unknown"}"#, true),
    ] {
        let mut plant = plant();
        plant.ask(entity, r#"{"action":"turn_on"}"#);
        plant.says("zigbee2mqtt/bridge/logging", message);
        assert_eq!(plant.states(), if fails { vec![Failed] } else { vec![] }, "{entity} {message}");
        assert!(!fails || plant.reason().contains("the device reports: "), "{}", plant.reason());
        assert!(!plant.reason().contains("z2m:"), "{}", plant.reason());
    }
    let mut plant = plant();
    plant.ask("my_bulb.light", r#"{"action":"turn_on"}"#);
    plant.says(
        "zigbee2mqtt/bridge/log",
        r#"{"type":"zigbee_publish_error","message":"Publish 'set' 'state' to 'my_bulb' failed: 'Error: no network route'","meta":{"friendly_name":"my_bulb"}}"#,
    );
    assert_eq!(plant.states(), [Failed]);
}

#[test]
fn a_name_may_hold_quotes() {
    let mut plant = Plant::new();
    plant.says("zigbee2mqtt/bridge/devices", list(&[&BULB.replace("my_bulb", "Bob's lamp"), &PLUG.replace("kitchen/my plug", "Bob")]));
    plant.ask("bob_s_lamp.light", r#"{"action":"turn_on"}"#);
    plant.says("zigbee2mqtt/bridge/logging", r#"{"level":"error","message":"z2m: Publish 'set' 'state' to 'Bob's lamp' failed: 'Error'"}"#);
    assert_eq!(plant.states(), [Failed]);
}

#[test]
fn requests_that_the_bridge_could_not_do_are_told() {
    let mut plant = plant();
    plant.says("zigbee2mqtt/bridge/response/permit_join", r#"{"data":{"value":true},"status":"ok","transaction":23}"#);
    assert!(plant.rejected.is_empty());
    plant.says(
        "zigbee2mqtt/bridge/response/device/remove",
        r#"{"data":{"id":"my_bulb"},"status":"error","error":"Failed to remove dimmer (Error: AREQ - ZDO - mgmtLeaveRsp after 10000ms)"}"#,
    );
    assert!(plant.rejected[0].contains("Failed to remove dimmer"), "{:?}", plant.rejected);
}

#[test]
fn a_light_that_shows_its_warmth_shows_no_color() {
    let mut plant = plant();
    plant.table(&[
        (
            "zigbee2mqtt/my_bulb",
            r#"{"state":"ON","brightness":254,"color_mode":"xy","color":{"x":0.7006,"y":0.2993},"color_temp":250}"#,
            &[("my_bulb.light", r#"{"state":"on","brightness":100,"color_temp":4000,"color":{"r":255,"g":0,"b":0}}"#)],
        ),
        // What the color is beside the warmth is worked out by the bridge.
        (
            "zigbee2mqtt/my_bulb",
            r#"{"state":"ON","brightness":254,"color_mode":"color_temp","color":{"x":0.3804,"y":0.3767},"color_temp":250}"#,
            &[("my_bulb.light", r#"{"state":"on","brightness":100,"color_temp":4000}"#)],
        ),
    ]);
}

#[test]
fn availability_is_read_in_both_forms() {
    for (online, offline) in [("online", "offline"), (r#"{"state":"online"}"#, r#"{"state":"offline"}"#)] {
        let mut plant = plant();
        plant.says("zigbee2mqtt/hall", r#"{"temperature":20}"#);
        plant.says("zigbee2mqtt/kitchen/my plug", r#"{"power":20}"#);
        assert_eq!(plant.quality("hall.temperature"), "good");
        plant.says("zigbee2mqtt/hall/availability", offline);
        assert_eq!((plant.quality("hall.temperature"), plant.quality("kitchen_my_plug.power")), ("offline".to_owned(), "good".to_owned()));
        plant.says("zigbee2mqtt/hall/availability", online);
        assert_eq!(plant.quality("hall.temperature"), "good");
        plant.says("zigbee2mqtt/bridge/state", offline);
        assert_eq!((plant.quality("hall.temperature"), plant.quality("kitchen_my_plug.power")), ("offline".to_owned(), "offline".to_owned()));
        // The bridge being there again says nothing of a device that is not.
        plant.says("zigbee2mqtt/hall/availability", offline);
        plant.says("zigbee2mqtt/bridge/state", online);
        assert_eq!((plant.quality("hall.temperature"), plant.quality("kitchen_my_plug.power")), ("offline".to_owned(), "good".to_owned()));
        // A bridge that is brought up to date says it in the other form.
        plant.says("zigbee2mqtt/hall/availability", if online == "online" { r#"{"state":"online"}"# } else { "online" });
        assert_eq!(plant.quality("hall.temperature"), "good");
    }
}

#[test]
fn what_the_broker_holds_may_come_in_any_order() {
    let messages = [
        ("zigbee2mqtt/bridge/state", r#"{"state":"online"}"#.to_owned()),
        ("zigbee2mqtt/bridge/info", r#"{"version":"2.1.0","coordinator":{"type":"ember"}}"#.to_owned()),
        ("zigbee2mqtt/hall", r#"{"temperature":21,"humidity":40}"#.to_owned()),
        ("zigbee2mqtt/hall/availability", r#"{"state":"offline"}"#.to_owned()),
        ("zigbee2mqtt/my_bulb", r#"{"state":"ON","linkquality":7}"#.to_owned()),
        ("zigbee2mqtt/bridge/devices", all()),
    ];
    for turn in 0..messages.len() {
        let mut plant = Plant::new();
        for n in 0..messages.len() {
            let (topic, payload) = &messages[(turn + n) % messages.len()];
            plant.holds(topic, payload);
        }
        plant.expect(
            &[("hall.temperature", "21.0"), ("hall.humidity", "40.0"), ("my_bulb.light", r#"{"state":"on"}"#), ("my_bulb.linkquality", "7.0")],
            &format!("turn {turn}"),
        );
        assert_eq!(plant.quality("hall.humidity"), "offline", "turn {turn}");
        assert_eq!(plant.quality("my_bulb.linkquality"), "retained", "turn {turn}");
        assert_eq!(plant.lines().len(), 43, "turn {turn}: {:#?}", plant.lines());
        assert!(plant.rejected.is_empty(), "turn {turn}: {:?}", plant.rejected);
    }
}

#[test]
fn what_is_announced_later_hears_what_was_said_last() {
    let less = CLIMATE_SENSOR.replace(r#""type":"numeric","name":"humidity""#, r#""type":"unheard of","name":"humidity""#);
    let mut plant = Plant::new();
    plant.holds("zigbee2mqtt/hall", r#"{"temperature":20,"humidity":40}"#);
    plant.holds("zigbee2mqtt/bridge/devices", list(&[&less]));
    plant.says("zigbee2mqtt/hall", r#"{"temperature":21,"humidity":41}"#);
    plant.expect(&[("hall.temperature", "21.0"), ("hall.humidity", "gone")], "the first list");
    plant.says("zigbee2mqtt/bridge/devices", list(&[CLIMATE_SENSOR]));
    plant.expect(&[("hall.temperature", "21.0"), ("hall.humidity", "41.0")], "the second list");
}

#[test]
fn a_bridge_that_is_offline_is_known_before_its_devices() {
    let mut plant = Plant::new();
    plant.holds("zigbee2mqtt/bridge/state", "offline");
    plant.holds("zigbee2mqtt/my_bulb", r#"{"state":"ON"}"#);
    plant.holds("zigbee2mqtt/bridge/devices", all());
    assert_eq!((plant.quality("my_bulb.light"), plant.quality("hall.temperature")), ("offline".to_owned(), "offline".to_owned()));
}

#[test]
fn a_renamed_device_stays_what_it_was() {
    let mut plant = plant();
    plant.says("zigbee2mqtt/my_bulb", r#"{"state":"ON"}"#);
    plant.says("zigbee2mqtt/bridge/devices", all().replace("my_bulb", "desk/lamp"));
    assert_eq!(plant.value("my_bulb.light"), r#"{"state":"on"}"#);
    assert_eq!(plant.device("my_bulb").name, "desk/lamp");
    plant.table(&[
        ("zigbee2mqtt/desk/lamp", r#"{"state":"OFF"}"#, &[("my_bulb.light", r#"{"state":"off"}"#)]),
        ("zigbee2mqtt/my_bulb", r#"{"state":"ON"}"#, &[("my_bulb.light", r#"{"state":"off"}"#)]),
    ]);
    let (sent, _) = plant.ask("my_bulb.light", r#"{"action":"turn_on"}"#);
    assert_eq!(sent[0].0, "zigbee2mqtt/desk/lamp/set");
    plant.says("zigbee2mqtt/bridge/logging", r#"{"level":"error","message":"z2m: Publish 'set' 'state' to 'desk/lamp' failed: 'x'"}"#);
    assert_eq!(plant.states(), [Failed]);
}

#[test]
fn a_device_that_the_list_does_not_name_any_more_is_gone() {
    let mut plant = plant();
    plant.says("zigbee2mqtt/bridge/devices", list(&[PLUG, CLIMATE_SENSOR]));
    plant.expect(&[("my_bulb.light", "gone"), ("hall.temperature", ""), ("kitchen_my_plug.switch", "")], "a shorter list");
    assert_eq!(plant.lines().len(), 13, "{:#?}", plant.lines());
    // It has one expose less, too.
    plant.says("zigbee2mqtt/bridge/devices", list(&[&PLUG.replace("\"current\"", "\"voltage\""), CLIMATE_SENSOR]));
    plant.expect(&[("kitchen_my_plug.current", "gone"), ("kitchen_my_plug.voltage", "")], "a shorter definition");
}

#[test]
fn a_device_without_interview_or_switched_off_has_nothing() {
    for sign in [r#""interview_completed":false"#, r#""interview_state":"FAILED""#, r#""interview_completed":true,"disabled":true"#] {
        let bulb = BULB.replace(r#""disabled":false,"#, "").replace(r#""interview_completed":true"#, sign);
        let mut plant = Plant::new();
        plant.says("zigbee2mqtt/bridge/devices", list(&[&bulb, CLIMATE_SENSOR]));
        plant.expect(&[("my_bulb.light", "gone"), ("hall.temperature", "")], sign);
        // Also when it had something before.
        plant.says("zigbee2mqtt/bridge/devices", list(&[BULB, CLIMATE_SENSOR]));
        plant.expect(&[("my_bulb.light", "")], sign);
        plant.says("zigbee2mqtt/bridge/devices", list(&[&bulb, CLIMATE_SENSOR]));
        plant.expect(&[("my_bulb.light", "gone"), ("hall.temperature", "")], sign);
    }
    // One that is asked anew what it is has not stopped being it.
    let mut plant = plant();
    plant.says("zigbee2mqtt/bridge/devices", list(&[&BULB.replace(r#""interview_completed":true"#, r#""interview_state":"IN_PROGRESS""#)]));
    plant.expect(&[("my_bulb.light", ""), ("hall.temperature", "gone")], "in progress");
}

#[test]
fn groups_are_what_their_members_are() {
    let groups = r#"[{"id":1,"friendly_name":"my_group","scenes":[],"members":[{"ieee_address":"0x90fd9ffffe6494fc","endpoint":1}]},
        {"id":2,"friendly_name":"plugs","members":[{"ieee_address":"0x00158d00018255df","endpoint":1}]},
        {"id":3,"friendly_name":"nobody","members":[]}]"#;
    for devices_first in [true, false] {
        let mut plant = Plant::new();
        if devices_first {
            plant.holds("zigbee2mqtt/bridge/devices", all());
        }
        plant.holds("zigbee2mqtt/bridge/groups", groups);
        if !devices_first {
            plant.holds("zigbee2mqtt/bridge/devices", all());
        }
        plant.table(&[
            ("zigbee2mqtt/my_group", r#"{"state":"ON","brightness":127}"#, &[("my_group.light", r#"{"state":"on","brightness":50}"#)]),
            ("zigbee2mqtt/plugs", r#"{"state":"OFF"}"#, &[("plugs.switch", "false"), ("nobody.switch", "gone")]),
        ]);
        let (sent, _) = plant.ask("my_group.light", r#"{"action":"turn_on","color_temp":4000}"#);
        assert_eq!(sent, [("zigbee2mqtt/my_group/set".to_owned(), r#"{"color_temp":250,"state":"ON"}"#.to_owned())]);
        plant.says("zigbee2mqtt/bridge/logging", r#"{"level":"error","message":"z2m: Publish 'set' 'color_temp' to 'my_group' failed: 'x'"}"#);
        assert_eq!(plant.states(), [Failed]);
        plant.says("zigbee2mqtt/bridge/groups", r#"[{"id":1,"friendly_name":"all","members":[{"ieee_address":"0x90fd9ffffe6494fc"}]}]"#);
        plant.expect(&[("my_group.light", r#"{"state":"on","brightness":50}"#), ("plugs.switch", "gone")], "renamed and removed");
        plant.says("zigbee2mqtt/all", r#"{"state":"OFF"}"#);
        plant.expect(&[("my_group.light", r#"{"state":"off","brightness":50}"#)], "its new topic");
    }
}

#[test]
fn another_base_shows_itself() {
    for (sign, payload) in [
        ("state", r#"{"state":"online"}"#.to_owned()),
        ("info", r#"{"version":"1.30.2","commit":"x","coordinator":{"type":"zStack30x"}}"#.to_owned()),
        ("logging", r#"{"level":"info","message":"hello"}"#.to_owned()),
        ("devices", list(&[BULB])),
        ("groups", r#"[{"id":1,"friendly_name":"g","members":[]}]"#.to_owned()),
    ] {
        let mut plant = Plant::new();
        plant.holds(&format!("site/zigbee/bridge/{sign}"), &payload);
        plant.holds("site/zigbee/my_bulb", r#"{"state":"ON"}"#);
        plant.says("site/zigbee/bridge/devices", list(&[BULB]));
        plant.expect(&[("my_bulb.light", r#"{"state":"on"}"#)], sign);
        assert_eq!(plant.lines().len(), 6, "{sign}: {:#?}", plant.lines());
        let (sent, _) = plant.ask("my_bulb.light", r#"{"action":"turn_off"}"#);
        assert_eq!(sent[0].0, "site/zigbee/my_bulb/set");
    }
    // What only looks like one is somebody else's.
    let mut plant = Plant::new();
    plant.says("hall/bridge/state", "21.5");
    plant.says("hall/bridge/devices", "[1,2]");
    plant.says("hall/temperature", "21.5");
    plant.expect(&[("hall.temperature", "21.5")], "a house with a bridge");
}

#[test]
fn nothing_below_a_base_is_taken_by_topics_alone() {
    let mut plant = Plant::new();
    for (topic, payload) in [
        ("zigbee2mqtt/lamp", r#"{"state":"ON"}"#),
        ("zigbee2mqtt/lamp/availability", "online"),
        ("zigbee2mqtt/lamp/set", r#"{"state":"ON"}"#),
        ("zigbee2mqtt/bridge/state", "online"),
        ("zigbee2mqtt/bridge/event", r#"{"type":"device_joined","data":{"friendly_name":"a","ieee_address":"a"}}"#),
        ("zigbee2mqtt/bridge/request/permit_join", r#"{"value":true}"#),
        ("zigbee2mqtt/bridge/definitions", "{}"),
        ("zigbee2mqtt/bridge/logging", r#"{"level":"info","message":"m"}"#),
    ] {
        plant.says(topic, payload);
    }
    assert_eq!(plant.lines(), Vec::<String>::new());
    assert!(plant.rejected.is_empty(), "{:?}", plant.rejected);
}

#[test]
fn two_bridges_may_have_groups_of_one_number() {
    let mut plant = Plant::new();
    let groups = |name: &str| format!(r#"[{{"id":1,"friendly_name":"{name}","members":[{{"ieee_address":"0x90fd9ffffe6494fc"}}]}}]"#);
    plant.says("zigbee2mqtt/bridge/devices", list(&[BULB]));
    plant.says("zigbee2mqtt/bridge/groups", groups("one"));
    plant.says("upstairs/bridge/devices", list(&[&BULB.replace("my_bulb", "other")]));
    plant.says("upstairs/bridge/groups", groups("two"));
    plant.expect(&[("one.light", ""), ("two.light", "")], "both");
}

#[test]
fn a_list_that_is_bad_leaves_what_was_there() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for bad in [
        "",
        "{}",
        "null",
        "[",
        "\u{0}",
        "nonsense",
        "[null,1,\"x\",{}]",
        &deep,
        r#"[{"ieee_address":"0x90fd9ffffe6494fc","friendly_name":"a/#","definition":{"exposes":[]}}]"#,
        r#"[{"ieee_address":"0x90fd9ffffe6494fc","friendly_name":"bridge","definition":{"exposes":[]}}]"#,
        r#"[{"ieee_address":"0x90fd9ffffe6494fc","friendly_name":"bridge/devices","definition":{"exposes":[]}}]"#,
        r#"[{"ieee_address":"0x90fd9ffffe6494fc","friendly_name":"my_bulb","definition":{"exposes":7}}]"#,
        r#"[{"ieee_address":"0x90fd9ffffe6494fc","friendly_name":"a b","definition":{"exposes":[]}}]"#,
    ] {
        let mut plant = Plant::new();
        plant.says("zigbee2mqtt/bridge/devices", list(&[BULB]));
        plant.says("zigbee2mqtt/my_bulb", r#"{"state":"ON"}"#);
        plant.says("zigbee2mqtt/bridge/devices", bad);
        let kept = !(bad.starts_with("[null") || bad.contains("a b"));
        assert_eq!(plant.value("my_bulb.light"), if kept { r#"{"state":"on"}"# } else { "gone" }, "{}", &bad[..bad.len().min(60)]);
        assert!(!plant.rejected.is_empty() || bad.contains("a b"), "{}", &bad[..bad.len().min(60)]);
        plant.says("zigbee2mqtt/bridge/groups", bad);
    }
    let mut plant = plant();
    plant.says("zigbee2mqtt/bridge/devices", b"\xff\xfe[]");
    plant.says("zigbee2mqtt/bridge/devices", vec![b' '; 5 * 1024 * 1024]);
    assert_eq!(plant.lines().len(), 43);
    assert!(plant.rejected[1].contains("bytes"), "{:?}", plant.rejected);
}

#[test]
fn devices_that_are_listed_twice_are_told() {
    let mut plant = Plant::new();
    plant.says("zigbee2mqtt/bridge/devices", list(&[BULB, BULB, &BULB.replace("my_bulb", "b"), &PLUG.replace("kitchen/my plug", "my_bulb")]));
    assert_eq!(plant.lines().len(), 6);
    assert!(plant.rejected[0].contains("my_bulb"), "{:?}", plant.rejected);
}

#[test]
fn a_list_of_two_megabytes_is_taken() {
    let devices: Vec<String> = (0..200)
        .map(|n| {
            let address = format!("0x{n:016x}");
            BULB.replace("0x90fd9ffffe6494fc", &address)
                .replace("my_bulb", &format!("bulb {n}"))
                .replace("\"options\":[]", &format!("\"options\":\"{}\"", "x".repeat(9_000)))
        })
        .collect();
    let payload = format!("[{}]", devices.join(","));
    assert!(payload.len() > 2_000_000);
    let mut plant = Plant::new();
    plant.says("zigbee2mqtt/bridge/devices", &payload);
    assert_eq!(plant.lines().len(), 1_200);
    plant.says("zigbee2mqtt/bulb 199", r#"{"state":"ON"}"#);
    plant.expect(&[("bulb_199.light", r#"{"state":"on"}"#)], "the last of them");
}

#[test]
fn a_bridge_that_makes_up_devices_has_bounds() {
    let devices: Vec<String> = (0..20_000)
        .map(|n| format!(r#"{{"ieee_address":"0x{n:x}","definition":{{"exposes":[{{"type":"text","name":"t","access":1}}]}}}}"#))
        .collect();
    let mut plant = Plant::new();
    plant.says("zigbee2mqtt/bridge/devices", format!("[{}]", devices.join(",")));
    assert_eq!(plant.lines().len(), 2_000);
    let exposes: Vec<String> = (0..10_000).map(|n| format!(r#"{{"type":"text","name":"t{n}","access":1}}"#)).collect();
    plant.says("zigbee2mqtt/bridge/devices", format!(r#"[{{"ieee_address":"0x1","definition":{{"exposes":[{}]}}}}]"#, exposes.join(",")));
    assert_eq!(plant.lines().len(), 250);
    for n in 0..1_000 {
        plant.says(&format!("base{n}/bridge/state"), "online");
    }
}

#[test]
fn requests_to_the_bridge_are_numbered() {
    for (order, topic, payload) in [
        (permit_join("zigbee2mqtt", 120, 7), "zigbee2mqtt/bridge/request/permit_join", r#"{"time":120,"transaction":7,"value":true}"#),
        (permit_join("a/b", 255, 8), "a/b/bridge/request/permit_join", r#"{"time":254,"transaction":8,"value":true}"#),
        (permit_join("zigbee2mqtt", 0, 9), "zigbee2mqtt/bridge/request/permit_join", r#"{"time":0,"transaction":9,"value":false}"#),
        (
            rename("zigbee2mqtt", "my_bulb", "desk/\"x\"", 1),
            "zigbee2mqtt/bridge/request/device/rename",
            r#"{"from":"my_bulb","to":"desk/\"x\"","transaction":1}"#,
        ),
        (remove("zigbee2mqtt", "my_bulb", true, 2), "zigbee2mqtt/bridge/request/device/remove", r#"{"force":true,"id":"my_bulb","transaction":2}"#),
    ] {
        assert_eq!((order.topic.as_str(), String::from_utf8_lossy(&order.payload).as_ref()), (topic, payload));
    }
}

/// A list, changed: bytes replaced, cut out, doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edits = proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0usize..40), 1..6);
    edits.prop_map(|edits| {
        let mut bytes = all().into_bytes();
        for (at, byte, n) in edits {
            let at = at.index(bytes.len());
            let end = (at + n).min(bytes.len());
            match byte % 3 {
                0 => bytes[at] = byte,
                1 => drop(bytes.drain(at..end)),
                _ => {
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_message_panics_and_numbers_are_finite(
        list in mutated(),
        topic in "zigbee2mqtt/(bridge/(devices|groups|logging|log|state|response/x)|hall|guard|my_bulb|valve|blind)(/set|/availability)?",
        text in "\\PC{0,60}",
        n in any::<f64>(),
    ) {
        let mut plant = plant();
        plant.says("zigbee2mqtt/bridge/devices", &list);
        plant.says(&topic, &text);
        for property in ["temperature", "brightness", "color_temp", "position", "occupied_heating_setpoint", "illuminance"] {
            for name in ["hall", "guard", "my_bulb", "valve", "blind"] {
                plant.says(&format!("zigbee2mqtt/{name}"), format!(r#"{{"{property}":{n}}}"#));
                plant.says(&format!("zigbee2mqtt/{name}"), format!(r#"{{"{property}":"{n}"}}"#));
            }
        }
        for line in plant.lines() {
            let value = plant.value(line.split(" | ").next().expect("an id"));
            prop_assert!(!value.contains("null") && !value.contains("inf") && !value.contains("NaN"), "{line}: {value}");
        }
    }
}
