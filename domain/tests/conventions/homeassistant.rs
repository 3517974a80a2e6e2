//! Home Assistant MQTT discovery: configurations as its documentation, `Zigbee2MQTT`, `ESPHome` and Tasmota write them.

use domain::command::CommandState;
use proptest::prelude::*;

use super::rig::Plant;

/// The entities after a configuration: `id | name | kind | unit`, of those whose id begins so.
#[track_caller]
fn check(plant: &Plant, of: &str, lines: &[&str]) {
    let known: Vec<String> = plant.lines().into_iter().filter(|line| line.starts_with(of)).collect();
    assert_eq!(known, lines, "rejected: {:?}", plant.rejected);
}

/// What goes out for an action.
#[track_caller]
fn asks(plant: &mut Plant, id: &str, action: &str, messages: &[(&str, &str)]) {
    let (sent, states) = plant.ask(id, action);
    let sent: Vec<(&str, &str)> = sent.iter().map(|(topic, payload)| (topic.as_str(), payload.as_str())).collect();
    assert_eq!(sent, messages, "{id} {action}: {states:?} {}", plant.reason());
}

const KITCHEN: &str = r#"{"~":"homeassistant/light/kitchen","name":null,"uniq_id":"kitchen_light","cmd_t":"~/set","stat_t":"~/state","schema":"json","brightness":true,
 "dev":{"ids":"ea334450945afc","name":"Kitchen","mf":"Bla electronics","mdl":"xya","mdl_id":"ABC123","sw":"1.0","sn":"ea334450945afc","hw":"1.0rev2"},
 "o":{"name":"bla2mqtt","sw":"2.1","url":"https://bla2mqtt.example.com/support"}}"#;

const BEDROOM: &str = r#"{"dev":{"ids":"ea334450945afc","name":"Bedroom"},"o":{"name":"bla2mqtt","sw":"2.1"},
 "cmps":{"id1":{"p":"sensor","device_class":"temperature","unit_of_measurement":"°C","value_template":"{{ value_json.temperature }}","unique_id":"temp01ae_t"},
         "id2":{"p":"sensor","device_class":"humidity","unit_of_measurement":"%","value_template":"{{ value_json.humidity }}","unique_id":"temp01ae_h"}},
 "state_topic":"sensorBedroom/state","qos":2}"#;

#[test]
fn a_short_configuration_is_a_device_with_a_light() {
    let mut plant = Plant::new();
    plant.holds("homeassistant/light/kitchen/config", KITCHEN);
    check(&plant, "", &["kitchen.light | Kitchen | light | -"]);
    let device = plant.device("kitchen");
    assert_eq!((device.name.as_str(), device.convention.as_str()), ("Kitchen", "Home Assistant discovery"));
    assert_eq!(device.about.manufacturer.as_deref(), Some("Bla electronics"));
    assert_eq!(device.about.sw_version.as_deref(), Some("1.0"));
    assert_eq!(device.about.hw_version.as_deref(), Some("1.0rev2"));
    assert_eq!(device.topic_root, "homeassistant/light/kitchen");
    plant.table(&[
        ("homeassistant/light/kitchen/state", r#"{"state":"ON","brightness":128}"#, &[("kitchen.light", r#"{"state":"on","brightness":50}"#)]),
        ("homeassistant/light/kitchen/state", r#"{"state":"OFF"}"#, &[("kitchen.light", r#"{"state":"off","brightness":50}"#)]),
        ("homeassistant/light/kitchen/state", r#"{"state":null}"#, &[("kitchen.light", r#"{"state":"off","brightness":50}"#)]),
    ]);
    asks(
        &mut plant,
        "kitchen.light",
        r#"{"action":"turn_on","brightness":60}"#,
        &[("homeassistant/light/kitchen/set", r#"{"brightness":153,"state":"ON"}"#)],
    );
    plant.says("homeassistant/light/kitchen/state", r#"{"state":"ON","brightness":153}"#);
    assert!(plant.states().contains(&CommandState::Confirmed), "{:?}", plant.states());
}

#[test]
fn a_device_announces_all_of_its_components_at_once() {
    let mut plant = Plant::new();
    plant.says("homeassistant/device/0AFFD2/bedroom/config", BEDROOM);
    let both = ["bedroom.humidity | Humidity | sensor | %", "bedroom.temperature | Temperature | sensor | °C"];
    check(&plant, "", &both);
    plant.table(&[(
        "sensorBedroom/state",
        r#"{"temperature":21.5,"humidity":40}"#,
        &[("bedroom.temperature", "21.5"), ("bedroom.humidity", "40.0")],
    )]);
    // One component goes, the other stays, also where a later message leaves it out.
    plant.says("homeassistant/device/0AFFD2/bedroom/config", BEDROOM.replace(r#""p":"sensor","device_class":"humidity","unit_of_measurement":"%","value_template":"{{ value_json.humidity }}","unique_id":"temp01ae_h""#, r#""p":"sensor""#));
    check(&plant, "", &both[1..]);
    plant.says("homeassistant/device/0AFFD2/bedroom/config", BEDROOM.replace("cmps", "cmp"));
    check(&plant, "", &both);
    plant.says("homeassistant/device/0AFFD2/bedroom/config", "");
    check(&plant, "", &[]);
    // It is found anew, with the ids that it had.
    plant.says("homeassistant/device/0AFFD2/bedroom/config", BEDROOM);
    check(&plant, "", &both);
}

#[test]
fn keys_of_the_root_hold_for_components_that_say_nothing_else() {
    let mut plant = Plant::new();
    plant.says(
        "homeassistant/device/d/config",
        r#"{"dev":{"ids":["d1"],"name":"Pump","sa":"Cellar","sw":"3"},"o":{"name":"x"},"~":"plant/pump","avty_t":"~/status","pl_avail":"up","pl_not_avail":"down",
           "cmps":{"a":{"p":"switch","cmd_t":"~/set","stat_t":"~/state","unique_id":"a","name":"Pump relay"},
                   "b":{"p":"binary_sensor","stat_t":"~/leak","dev_cla":"moisture","unique_id":"b","avty_t":"~/leak/status"},
                   "c":{"p":"button","cmd_t":"~/restart","dev_cla":"restart","ent_cat":"config","unique_id":"c"},
                   "d":{"p":"sensor","stat_t":"~/rssi","unit_of_meas":"dBm","dev_cla":"signal_strength","ent_cat":"diagnostic","unique_id":"d","sw":"no key of entities"},
                   "e":{"p":"sensor","stat_t":"~/x","en":false,"unique_id":"e","name":"Extra"}}}"#,
    );
    check(
        &plant,
        "",
        &[
            "pump.extra | Extra | sensor | - | hidden",
            "pump.moisture | Moisture | binary_sensor | -",
            "pump.relay | relay | switch | -",
            "pump.restart | Restart | button | - | hidden",
            "pump.signal_strength | Signal strength | sensor | dBm | hidden",
        ],
    );
    assert_eq!(plant.device("pump").area.as_ref().map(domain::device::AreaId::as_str), Some("cellar"));
    plant.table(&[("plant/pump/state", "ON", &[("pump.relay", "true")]), ("plant/pump/leak", "OFF", &[("pump.moisture", "false")])]);
    plant.says("plant/pump/status", "down");
    assert_eq!((plant.quality("pump.relay").as_str(), plant.quality("pump.extra").as_str()), ("offline", "offline"));
    plant.says("plant/pump/status", "up");
    assert_eq!(plant.quality("pump.relay"), "good");
    plant.says("plant/pump/leak/status", "down");
    assert_eq!((plant.quality("pump.relay").as_str(), plant.quality("pump.moisture").as_str()), ("good", "offline"));
    asks(&mut plant, "pump.relay", r#"{"action":"toggle"}"#, &[("plant/pump/set", "OFF")]);
    asks(&mut plant, "pump.restart", r#"{"action":"press"}"#, &[("plant/pump/restart", "PRESS")]);
}

#[test]
fn entities_without_a_device_are_devices_of_their_own() {
    let mut plant = Plant::new();
    plant.says(
        "homeassistant/binary_sensor/garden/config",
        r#"{"name":"Garden","device_class":"motion","state_topic":"homeassistant/binary_sensor/garden/state"}"#,
    );
    plant.says(
        "homeassistant/switch/irrigation/config",
        r#"{"command_topic":"homeassistant/switch/irrigation/set","state_topic":"homeassistant/switch/irrigation/state"}"#,
    );
    plant.says(
        "homeassistant/sensor/node/boiler/config",
        r#"{"name":"Boiler","state_topic":"boiler/t","unit_of_measurement":"°C","state_class":"measurement","suggested_display_precision":1}"#,
    );
    check(
        &plant,
        "",
        &["boiler.sensor | Boiler | sensor | °C", "garden.motion | Garden | binary_sensor | -", "irrigation.switch | Irrigation | switch | -"],
    );
    plant.table(&[
        ("homeassistant/binary_sensor/garden/state", "ON", &[("garden.motion", "true")]),
        ("homeassistant/switch/irrigation/state", "OFF", &[("irrigation.switch", "false")]),
        ("boiler/t", "61.25", &[("boiler.sensor", "61.25")]),
        ("boiler/t", "nan", &[("boiler.sensor", "61.25")]),
    ]);
    assert_eq!(plant.quality("boiler.sensor"), "bad");
    plant.says("homeassistant/binary_sensor/garden/config", "");
    check(&plant, "garden", &[]);
}

#[test]
fn one_device_grows_by_several_configurations() {
    // As ESPHome announces itself.
    let mut plant = Plant::new();
    let device = r#""avty_t":"livingroom/status","dev":{"ids":"a4cf12b5c6d7","name":"livingroom","sw":"esphome v2024.6.0","mdl":"esp32dev","mf":"Espressif","cns":[["mac","a4cf12b5c6d7"]]}"#;
    for (topic, config) in [
        (
            "sensor/livingroom/temperature",
            r#""dev_cla":"temperature","unit_of_meas":"°C","stat_cla":"measurement","name":"Temperature","stat_t":"livingroom/sensor/temperature/state","uniq_id":"ESPsensortemperature","obj_id":"livingroom_temperature""#,
        ),
        (
            "sensor/livingroom/energy",
            r#""dev_cla":"energy","unit_of_meas":"kWh","stat_cla":"total_increasing","name":"Energy","stat_t":"livingroom/sensor/energy/state","uniq_id":"ESPsensorenergy""#,
        ),
        ("binary_sensor/livingroom/door", r#""dev_cla":"door","name":"Door","stat_t":"livingroom/binary_sensor/door/state","uniq_id":"ESPdoor""#),
        (
            "switch/livingroom/relay",
            r#""name":"Relay","stat_t":"livingroom/switch/relay/state","cmd_t":"livingroom/switch/relay/command","uniq_id":"ESPrelay""#,
        ),
        (
            "light/livingroom/lamp",
            r#""schema":"json","brightness":true,"clrm":true,"sup_clrm":["rgb"],"effect":true,"fx_list":["Rainbow"],"name":"Lamp","stat_t":"livingroom/light/lamp/state","cmd_t":"livingroom/light/lamp/command","uniq_id":"ESPlamp""#,
        ),
        (
            "number/livingroom/limit",
            r#""min":0,"max":30,"step":0.5,"mode":"box","name":"Limit","unit_of_meas":"°C","stat_t":"livingroom/number/limit/state","cmd_t":"livingroom/number/limit/command","uniq_id":"ESPlimit""#,
        ),
        (
            "select/livingroom/mode",
            r#""ops":["eco","boost"],"name":"Mode","stat_t":"livingroom/select/mode/state","cmd_t":"livingroom/select/mode/command","uniq_id":"ESPmode""#,
        ),
        ("text/livingroom/note", r#""name":"Note","stat_t":"livingroom/text/note/state","cmd_t":"livingroom/text/note/command","uniq_id":"ESPnote""#),
    ] {
        plant.holds(&format!("homeassistant/{topic}/config"), format!("{{{config},{device}}}"));
    }
    check(
        &plant,
        "",
        &[
            "livingroom.door | Door | binary_sensor | -",
            "livingroom.energy | Energy | sensor | kWh",
            "livingroom.lamp | Lamp | light | -",
            "livingroom.limit | Limit | number | °C",
            "livingroom.mode | Mode | select | -",
            "livingroom.note | Note | text | -",
            "livingroom.relay | Relay | switch | -",
            "livingroom.temperature | Temperature | sensor | °C",
        ],
    );
    plant.table(&[
        ("livingroom/sensor/temperature/state", "21.7", &[("livingroom.temperature", "21.7")]),
        ("livingroom/sensor/temperature/state", "unknown", &[("livingroom.temperature", "21.7")]),
        ("livingroom/binary_sensor/door/state", "ON", &[("livingroom.door", "true")]),
        ("livingroom/number/limit/state", "12.5", &[("livingroom.limit", "12.5")]),
        ("livingroom/select/mode/state", "eco", &[("livingroom.mode", "\"eco\"")]),
        ("livingroom/text/note/state", "21", &[("livingroom.note", "\"21\"")]),
        (
            "livingroom/light/lamp/state",
            r#"{"color_mode":"rgb","state":"ON","brightness":255,"color":{"r":255,"g":128,"b":0},"effect":"Rainbow"}"#,
            &[("livingroom.lamp", r#"{"state":"on","brightness":100,"color":{"r":255,"g":128,"b":0},"effect":"Rainbow"}"#)],
        ),
    ]);
    asks(
        &mut plant,
        "livingroom.lamp",
        r#"{"action":"turn_on","color":{"r":0,"g":0,"b":255},"transition_s":2}"#,
        &[("livingroom/light/lamp/command", r#"{"color":{"b":255,"g":0,"r":0},"state":"ON","transition":2}"#)],
    );
    asks(&mut plant, "livingroom.limit", r#"{"action":"set","value":21}"#, &[("livingroom/number/limit/command", "21")]);
    asks(&mut plant, "livingroom.limit", r#"{"action":"set","value":21.3}"#, &[]);
    asks(&mut plant, "livingroom.mode", r#"{"action":"set","value":"boost"}"#, &[("livingroom/select/mode/command", "boost")]);
    asks(&mut plant, "livingroom.mode", r#"{"action":"set","value":"warp"}"#, &[]);
    asks(&mut plant, "livingroom.note", r#"{"action":"set","value":"hi"}"#, &[("livingroom/text/note/command", "hi")]);
    plant.says("livingroom/status", "offline");
    assert_eq!(plant.quality("livingroom.door"), "offline");
}

#[test]
fn configurations_of_zigbee2mqtt_are_understood() {
    let mut plant = Plant::new();
    let rest = r#""availability":[{"topic":"zigbee2mqtt/bridge/state","value_template":"{{ value_json.state }}"},{"topic":"zigbee2mqtt/hall/availability","value_template":"{{ value_json.state }}"}],
        "availability_mode":"all","device":{"identifiers":["zigbee2mqtt_0x00158d0001dc126a"],"manufacturer":"Xiaomi","model":"Aqara","name":"hall","sw_version":"3.0","via_device":"zigbee2mqtt_bridge_0x00124b0024c2a9d1"},
        "origin":{"name":"Zigbee2MQTT","sw":"2.1.0","url":"https://www.zigbee2mqtt.io"},"object_id":"hall_#","state_topic":"zigbee2mqtt/hall","unique_id":"0x00158d0001dc126a_#_zigbee2mqtt"}"#;
    // States before what explains them, as brokers replay them.
    plant.holds("zigbee2mqtt/bridge/state", r#"{"state":"online"}"#);
    plant.holds("zigbee2mqtt/hall/availability", r#"{"state":"offline"}"#);
    plant.holds("zigbee2mqtt/hall", r#"{"temperature":20.5,"contact":false,"battery":null,"linkquality":88,"action":"single"}"#);
    for (component, key, config) in [
        (
            "sensor",
            "temperature",
            r#"{"device_class":"temperature","enabled_by_default":true,"state_class":"measurement","unit_of_measurement":"°C","value_template":"{{ value_json.temperature }}","#,
        ),
        ("binary_sensor", "contact", r#"{"device_class":"door","payload_on":false,"payload_off":true,"value_template":"{{ value_json.contact }}","#),
        (
            "sensor",
            "linkquality",
            r#"{"enabled_by_default":false,"entity_category":"diagnostic","icon":"mdi:signal","name":"Linkquality","state_class":"measurement","unit_of_measurement":"lqi","value_template":"{{ value_json.linkquality }}","#,
        ),
        (
            "sensor",
            "battery",
            r#"{"device_class":"battery","entity_category":"diagnostic","state_class":"measurement","unit_of_measurement":"%","value_template":"{{ value_json.battery }}","#,
        ),
    ] {
        plant.holds(&format!("homeassistant/{component}/0x00158d0001dc126a/{key}/config"), [config, &rest.replace('#', key)].concat());
    }
    check(
        &plant,
        "",
        &[
            "hall.battery | Battery | sensor | % | hidden",
            "hall.contact | Door | binary_sensor | -",
            "hall.linkquality | Linkquality | sensor | lqi | hidden",
            "hall.temperature | Temperature | sensor | °C",
        ],
    );
    plant.expect(
        &[("hall.temperature", "20.5"), ("hall.contact", "true"), ("hall.linkquality", "88.0"), ("hall.battery", "")],
        "a replay in any order",
    );
    for id in ["hall.temperature", "hall.contact", "hall.linkquality", "hall.battery"] {
        assert_eq!(plant.quality(id), "offline", "{id}");
    }
    plant.says("zigbee2mqtt/hall/availability", r#"{"state":"online"}"#);
    plant.says("zigbee2mqtt/hall", r#"{"temperature":21,"contact":true,"battery":90}"#);
    plant.expect(&[("hall.temperature", "21.0"), ("hall.contact", "false"), ("hall.battery", "90.0")], "a message");
    assert_eq!(plant.quality("hall.contact"), "good");
    plant.says("zigbee2mqtt/bridge/state", r#"{"state":"offline"}"#);
    assert_eq!(plant.quality("hall.contact"), "offline");
    assert_eq!(plant.device("hall").about.via.as_deref(), Some("bridge_0x00124b0024c2a9d1"));
}

#[test]
fn configurations_of_tasmota_are_understood() {
    let mut plant = Plant::new();
    let rest = r#""avty_t":"tele/plug/LWT","pl_avail":"Online","pl_not_avail":"Offline","dev":{"ids":["549A2B"],"name":"Plug","mdl":"Sonoff S31","sw":"9.3.0(tasmota)","mf":"Tasmota"}}"#;
    for (topic, config) in [
        (
            "switch/549A2B_RL_1",
            r#"{"name":"Plug","stat_t":"tele/plug/STATE","val_tpl":"{{value_json.POWER}}","pl_off":"OFF","pl_on":"ON","cmd_t":"cmnd/plug/POWER","uniq_id":"549A2B_RL_1","#,
        ),
        (
            "sensor/549A2B_ENERGY_Power",
            r#"{"name":"Plug ENERGY Power","stat_t":"tele/plug/SENSOR","val_tpl":"{{value_json['ENERGY'].Power}}","unit_of_meas":"W","dev_cla":"power","frc_upd":true,"uniq_id":"549A2B_ENERGY_Power","#,
        ),
        (
            "sensor/549A2B_status",
            r#"{"name":"Plug status","stat_t":"tele/plug/HASS_STATE","json_attr_t":"tele/plug/HASS_STATE","unit_of_meas":"%","val_tpl":"{{value_json['RSSI']}}","ic":"mdi:information-outline","uniq_id":"549A2B_status","#,
        ),
    ] {
        plant.holds(&format!("homeassistant/{topic}/config"), [config, rest].concat());
    }
    check(&plant, "", &["plug.energy_power | ENERGY Power | sensor | W", "plug.status | status | sensor | %", "plug.switch | Plug | switch | -"]);
    plant.table(&[
        ("tele/plug/LWT", "Online", &[]),
        ("tele/plug/STATE", r#"{"Time":"2021-05-20T22:24:55","POWER":"ON","Wifi":{"RSSI":100}}"#, &[("plug.switch", "true")]),
        ("tele/plug/SENSOR", r#"{"Time":"2021-05-20T22:24:55","ENERGY":{"Total":274.737,"Power":256}}"#, &[("plug.energy_power", "256.0")]),
        ("tele/plug/SENSOR", r#"{"Time":"2021-05-20T22:25:55"}"#, &[("plug.energy_power", "256.0")]),
        ("tele/plug/HASS_STATE", r#"{"Version":"9.3.0","RSSI":"78"}"#, &[("plug.status", "78.0")]),
    ]);
    assert_eq!(plant.quality("plug.energy_power"), "good");
    asks(&mut plant, "plug.switch", r#"{"action":"turn_off"}"#, &[("cmnd/plug/POWER", "OFF")]);
    plant.says("tele/plug/LWT", "Offline");
    assert_eq!(plant.quality("plug.switch"), "offline");
    let (sent, states) = plant.ask("plug.switch", r#"{"action":"turn_on"}"#);
    assert_eq!((sent.len(), states.as_slice()), (0, &[CommandState::Refused][..]));
}

#[test]
fn triggers_and_events_say_what_happened_last() {
    let mut plant = Plant::new();
    for action in ["single", "double"] {
        plant.says(
            &format!("homeassistant/device_automation/0x1/action_{action}/config"),
            format!(r#"{{"automation_type":"trigger","type":"action","subtype":"{action}","payload":"{action}","topic":"zigbee2mqtt/knob/action","device":{{"identifiers":["zigbee2mqtt_0x1"],"name":"knob"}}}}"#),
        );
    }
    plant.says(
        "homeassistant/event/0x1/bell/config",
        r#"{"device_class":"doorbell","event_types":["press"],"name":"Bell","state_topic":"bell/event","unique_id":"bell","device":{"identifiers":["zigbee2mqtt_0x1"]}}"#,
    );
    plant.says(
        "homeassistant/event/0x1/made/config",
        r#"{"event_types":["press"],"name":"Made","state_topic":"made/event","value_template":"{{ {'event_type': value_json.what} | tojson }}","unique_id":"made","device":{"identifiers":["zigbee2mqtt_0x1"]}}"#,
    );
    check(&plant, "", &["knob.action | Action | sensor | -", "knob.bell | Bell | sensor | -", "knob.made | Made | sensor | -"]);
    plant.table(&[
        ("zigbee2mqtt/knob/action", "double", &[("knob.action", "\"double\"")]),
        ("bell/event", r#"{"event_type":"press","button":3}"#, &[("knob.bell", "\"press\"")]),
        ("bell/event", r#"{"no":"type"}"#, &[("knob.bell", "\"press\"")]),
        ("made/event", r#"{"what":"hold"}"#, &[("knob.made", "\"hold\"")]),
    ]);
    // It is there as long as one trigger is.
    plant.says("homeassistant/device_automation/0x1/action_single/config", "");
    assert_eq!(plant.value("knob.action"), "\"double\"");
    plant.says("homeassistant/device_automation/0x1/action_double/config", "");
    assert_eq!(plant.value("knob.action"), "gone");
}

#[test]
fn lights_with_a_topic_for_each_part() {
    let mut plant = Plant::new();
    let light = |name: &str, rest: &str| {
        format!(r#"{{"name":"{name}","unique_id":"{name}","command_topic":"{name}/set","state_topic":"{name}/state"{rest}}}"#)
    };
    plant.says(
        "homeassistant/light/office/config",
        light(
            "office",
            r#","brightness_command_topic":"office/dim/set","brightness_state_topic":"office/dim","color_temp_command_topic":"office/ct/set","color_temp_state_topic":"office/ct","rgb_command_topic":"office/rgb/set","rgb_state_topic":"office/rgb","effect_command_topic":"office/fx/set","effect_state_topic":"office/fx","effect_list":["rainbow"],"payload_on":"1","payload_off":"0""#,
        ),
    );
    plant.table(&[
        ("office/dim", "127", &[("office.light", r#"{"state":"on","brightness":50}"#)]),
        ("office/state", "0", &[("office.light", r#"{"state":"off","brightness":50}"#)]),
        ("office/ct", "250", &[("office.light", r#"{"state":"off","brightness":50,"color_temp":4000}"#)]),
        ("office/rgb", "255,0,10", &[("office.light", r#"{"state":"off","brightness":50,"color_temp":4000,"color":{"r":255,"g":0,"b":10}}"#)]),
        (
            "office/fx",
            "rainbow",
            &[("office.light", r#"{"state":"off","brightness":50,"color_temp":4000,"color":{"r":255,"g":0,"b":10},"effect":"rainbow"}"#)],
        ),
    ]);
    asks(
        &mut plant,
        "office.light",
        r#"{"action":"turn_on","brightness":60,"color_temp":4000}"#,
        &[("office/dim/set", "153"), ("office/ct/set", "250"), ("office/set", "1")],
    );
    asks(&mut plant, "office.light", r#"{"action":"turn_on","color":{"r":1,"g":2,"b":3}}"#, &[("office/rgb/set", "1,2,3"), ("office/set", "1")]);
    asks(&mut plant, "office.light", r#"{"action":"turn_on","effect":"rainbow"}"#, &[("office/fx/set", "rainbow"), ("office/set", "1")]);
    asks(&mut plant, "office.light", r#"{"action":"turn_off"}"#, &[("office/set", "0")]);

    plant.says(
        "homeassistant/light/first/config",
        light("first", r#","brightness_command_topic":"first/dim","brightness_scale":100,"on_command_type":"first""#),
    );
    asks(&mut plant, "first.light", r#"{"action":"turn_on","brightness":60}"#, &[("first/set", "ON"), ("first/dim", "60")]);
    plant.says("homeassistant/light/only/config", light("only", r#","brightness_command_topic":"only/dim","on_command_type":"brightness""#));
    asks(&mut plant, "only.light", r#"{"action":"turn_on","brightness":60}"#, &[("only/dim", "153")]);
    asks(&mut plant, "only.light", r#"{"action":"turn_on"}"#, &[("only/dim", "255")]);
    asks(&mut plant, "only.light", r#"{"action":"turn_off"}"#, &[("only/set", "OFF")]);
    plant.says(
        "homeassistant/light/kelvin/config",
        light("kelvin", r#","color_temp_command_topic":"kelvin/ct/set","color_temp_state_topic":"kelvin/ct","color_temp_kelvin":true,"hs_command_topic":"kelvin/hs/set","hs_state_topic":"kelvin/hs","xy_state_topic":"kelvin/xy","rgbw_state_topic":"kelvin/rgbw""#),
    );
    plant.table(&[
        ("kelvin/state", "ON", &[("kelvin.light", r#"{"state":"on"}"#)]),
        ("kelvin/ct", "2700", &[("kelvin.light", r#"{"state":"on","color_temp":2700}"#)]),
        ("kelvin/hs", "240,100", &[("kelvin.light", r#"{"state":"on","color_temp":2700,"color":{"r":0,"g":0,"b":255}}"#)]),
        ("kelvin/rgbw", "9,8,7,6", &[("kelvin.light", r#"{"state":"on","color_temp":2700,"color":{"r":9,"g":8,"b":7}}"#)]),
    ]);
    asks(&mut plant, "kelvin.light", r#"{"action":"turn_on","color_temp":3000}"#, &[("kelvin/ct/set", "3000"), ("kelvin/set", "ON")]);
    asks(&mut plant, "kelvin.light", r#"{"action":"turn_on","color":{"r":0,"g":0,"b":255}}"#, &[("kelvin/hs/set", "240,100"), ("kelvin/set", "ON")]);
    plant.says(
        "homeassistant/light/made/config",
        light("made", r##","rgb_command_topic":"made/rgb","rgb_command_template":"#{{ '%02x%02x%02x' | format(red, green, blue) }}","rgbw_command_topic":"made/rgbw","brightness_command_topic":"made/dim","brightness_command_template":"{\"b\":{{ value }}}""##),
    );
    asks(
        &mut plant,
        "made.light",
        r#"{"action":"turn_on","color":{"r":255,"g":10,"b":0},"brightness":100}"#,
        &[("made/dim", "{\"b\":255}"), ("made/rgb", "#ff0a00"), ("made/set", "ON")],
    );
}

#[test]
fn lights_by_json_and_by_template() {
    let mut plant = Plant::new();
    plant.says(
        "homeassistant/light/strip/config",
        r#"{"name":"strip","schema":"json","command_topic":"strip/set","state_topic":"strip","brightness_scale":254,"supported_color_modes":["color_temp","xy"],"unique_id":"s"}"#,
    );
    plant.says("strip", r#"{"state":"ON","brightness":254,"color_mode":"xy","color":{"x":0.7006,"y":0.2993}}"#);
    plant.says("strip", r#"{"state":"ON","brightness":254,"color_mode":"color_temp","color_temp":250}"#);
    assert_eq!(plant.value("strip.light"), r#"{"state":"on","brightness":100,"color_temp":4000}"#);
    asks(
        &mut plant,
        "strip.light",
        r#"{"action":"turn_on","brightness":60,"color_temp":2500}"#,
        &[("strip/set", r#"{"brightness":152,"color_temp":400,"state":"ON"}"#)],
    );
    asks(&mut plant, "strip.light", r#"{"action":"turn_on","effect":"x"}"#, &[]);
    plant.says(
        "homeassistant/light/plain/config",
        r#"{"name":"plain","schema":"json","command_topic":"plain/set","supported_color_modes":["onoff"],"unique_id":"p"}"#,
    );
    asks(&mut plant, "plain.light", r#"{"action":"turn_on","brightness":60}"#, &[]);
    asks(&mut plant, "plain.light", r#"{"action":"turn_on"}"#, &[("plain/set", r#"{"state":"ON"}"#)]);
    assert!(plant.entity("plain.light").assumed);

    plant.says(
        "homeassistant/light/rgb/config",
        r#"{"name":"rgb","schema":"template","command_topic":"rgb/set","state_topic":"rgb/state","unique_id":"r",
            "command_on_template":"on,{{ brightness|d }},{{ red|d }}-{{ green|d }}-{{ blue|d }}{% if effect is defined %},{{ effect }}{% endif %}","command_off_template":"off",
            "state_template":"{{ value.split(',')[0] }}","brightness_template":"{{ value.split(',')[1] }}",
            "red_template":"{{ value.split(',')[2].split('-')[0] }}","green_template":"{{ value.split(',')[2].split('-')[1] }}","blue_template":"{{ value.split(',')[2].split('-')[2] }}"}"#,
    );
    plant.says("rgb/state", "on,255,1-2-3");
    assert_eq!(plant.value("rgb.light"), r#"{"state":"on","brightness":100,"color":{"r":1,"g":2,"b":3}}"#);
    asks(&mut plant, "rgb.light", r#"{"action":"turn_on","brightness":60,"color":{"r":9,"g":8,"b":7}}"#, &[("rgb/set", "on,153,9-8-7")]);
    asks(&mut plant, "rgb.light", r#"{"action":"turn_on"}"#, &[("rgb/set", "on,,--")]);
    asks(&mut plant, "rgb.light", r#"{"action":"turn_off"}"#, &[("rgb/set", "off")]);
    asks(&mut plant, "rgb.light", r#"{"action":"turn_on","color_temp":3000}"#, &[]);
}

#[test]
fn covers_stand_in_per_cent_whatever_they_count_in() {
    let mut plant = Plant::new();
    plant.says(
        "homeassistant/cover/blind/config",
        r#"{"name":"blind","unique_id":"b","command_topic":"blind/set","state_topic":"blind/state","position_topic":"blind/pos","set_position_topic":"blind/pos/set","position_open":0,"position_closed":100,"payload_stop":"HALT","tilt_command_topic":"blind/tilt/set","tilt_status_topic":"blind/tilt","tilt_max":180}"#,
    );
    check(&plant, "", &["blind.cover | blind | cover | -", "blind.tilt | Tilt | number | %"]);
    plant.table(&[
        ("blind/pos", "70", &[("blind.cover", r#"{"state":"open","position":30}"#)]),
        ("blind/state", "opening", &[("blind.cover", r#"{"state":"opening","position":30}"#)]),
        ("blind/pos", "0", &[("blind.cover", r#"{"state":"open","position":100}"#)]),
        ("blind/state", "stopped", &[("blind.cover", r#"{"state":"open","position":100}"#)]),
        ("blind/state", "closed", &[("blind.cover", r#"{"state":"closed"}"#)]),
        ("blind/tilt", "90", &[("blind.tilt", "50.0")]),
    ]);
    asks(&mut plant, "blind.cover", r#"{"action":"set","position":40}"#, &[("blind/pos/set", "60")]);
    asks(&mut plant, "blind.cover", r#"{"action":"open"}"#, &[("blind/set", "OPEN")]);
    asks(&mut plant, "blind.cover", r#"{"action":"stop"}"#, &[("blind/set", "HALT")]);
    asks(&mut plant, "blind.tilt", r#"{"action":"set","value":100}"#, &[("blind/tilt/set", "180")]);
    plant.says(
        "homeassistant/cover/roof/config",
        r#"{"name":"roof","unique_id":"r","position_topic":"roof/pos","set_position_topic":"roof/set","set_position_template":"{\"to\":{{ position }}}","payload_stop":null}"#,
    );
    asks(&mut plant, "roof.cover", r#"{"action":"set","position":40}"#, &[("roof/set", "{\"to\":40}")]);
    asks(&mut plant, "roof.cover", r#"{"action":"close"}"#, &[("roof/set", "{\"to\":0}")]);
    asks(&mut plant, "roof.cover", r#"{"action":"stop"}"#, &[]);
    plant.says(
        "homeassistant/valve/tap/config",
        r#"{"name":"tap","unique_id":"t","command_topic":"tap/set","state_topic":"tap","reports_position":true,"payload_stop":"STOP"}"#,
    );
    plant.says("homeassistant/valve/main/config", r#"{"name":"main","unique_id":"m","command_topic":"main/set","state_topic":"main"}"#);
    plant.table(&[
        ("tap", "25", &[("tap.valve", r#"{"state":"open","position":25}"#)]),
        ("tap", "closing", &[("tap.valve", r#"{"state":"closing","position":25}"#)]),
        ("main", "closed", &[("main.valve", r#"{"state":"closed"}"#)]),
    ]);
    asks(&mut plant, "tap.valve", r#"{"action":"open"}"#, &[("tap/set", "100")]);
    asks(&mut plant, "tap.valve", r#"{"action":"set","position":10}"#, &[("tap/set", "10")]);
    asks(&mut plant, "tap.valve", r#"{"action":"stop"}"#, &[("tap/set", "STOP")]);
    asks(&mut plant, "main.valve", r#"{"action":"close"}"#, &[("main/set", "CLOSE")]);
}

#[test]
fn climates_fans_and_locks_do_what_they_can() {
    let mut plant = Plant::new();
    plant.says(
        "homeassistant/climate/hall/config",
        r#"{"name":"hall","uniq_id":"h","modes":["off","heat"],"mode_cmd_t":"hall/mode/set","mode_stat_t":"hall","mode_stat_tpl":"{{ value_json.mode }}","temp_cmd_t":"hall/t/set","temp_cmd_tpl":"{\"t\":{{ value }}}","temp_stat_t":"hall","temp_stat_tpl":"{{ value_json.target }}",
            "curr_temp_t":"hall","curr_temp_tpl":"{{ value_json.now | float | round(1) }}","fan_mode_cmd_t":"hall/fan/set","fan_mode_stat_t":"hall/fan","pr_modes":["away"],"pr_mode_cmd_t":"hall/pr/set","pr_mode_stat_t":"hall/pr","min_temp":5,"max_temp":30,"temp_step":0.5,"swing_mode_cmd_t":"hall/swing/set","curr_hum_t":"hall/hum"}"#,
    );
    check(&plant, "", &["hall.climate | hall | climate | -", "hall.humidity | Humidity | sensor | %", "hall.swing_mode | Swing mode | select | -"]);
    plant.table(&[
        (
            "hall",
            r#"{"mode":"off","target":21.5,"now":"19.04"}"#,
            &[("hall.climate", r#"{"mode":"off","temperature":21.5,"current_temperature":19.0}"#)],
        ),
        ("hall/pr", "none", &[("hall.climate", r#"{"mode":"off","temperature":21.5,"current_temperature":19.0,"preset":"none"}"#)]),
        ("hall/fan", "low", &[("hall.climate", r#"{"mode":"off","temperature":21.5,"current_temperature":19.0,"fan_mode":"low","preset":"none"}"#)]),
    ]);
    asks(
        &mut plant,
        "hall.climate",
        r#"{"action":"set","temperature":22,"mode":"heat"}"#,
        &[("hall/mode/set", "heat"), ("hall/t/set", "{\"t\":22}")],
    );
    asks(&mut plant, "hall.climate", r#"{"action":"set","preset":"away","fan_mode":"high"}"#, &[("hall/fan/set", "high"), ("hall/pr/set", "away")]);
    asks(&mut plant, "hall.climate", r#"{"action":"set","temperature":31}"#, &[]);
    asks(&mut plant, "hall.climate", r#"{"action":"set","mode":"dry"}"#, &[]);
    let limits = plant.entity("hall.climate");
    assert_eq!(limits.id.as_str(), "hall.climate");

    plant.says(
        "homeassistant/fan/ceiling/config",
        r#"{"name":"ceiling","unique_id":"f","command_topic":"fan/set","state_topic":"fan","state_value_template":"{{ value_json.state }}","percentage_command_topic":"fan/speed/set","percentage_state_topic":"fan/speed","speed_range_max":4,"preset_modes":["auto","smart"],"preset_mode_command_topic":"fan/preset/set","oscillation_command_topic":"fan/osc/set","direction_command_topic":"fan/dir/set"}"#,
    );
    check(
        &plant,
        "ceiling",
        &[
            "ceiling.direction | Direction | select | -",
            "ceiling.fan | ceiling | fan | -",
            "ceiling.oscillation | Oscillation | switch | -",
            "ceiling.percentage | Percentage | number | %",
            "ceiling.preset_mode | Preset mode | select | -",
        ],
    );
    plant.table(&[("fan", r#"{"state":"ON"}"#, &[("ceiling.fan", "true")]), ("fan/speed", "3", &[("ceiling.percentage", "75.0")])]);
    asks(&mut plant, "ceiling.fan", r#"{"action":"turn_off"}"#, &[("fan/set", "OFF")]);
    asks(&mut plant, "ceiling.percentage", r#"{"action":"set","value":50}"#, &[("fan/speed/set", "2")]);
    asks(&mut plant, "ceiling.preset_mode", r#"{"action":"set","value":"smart"}"#, &[("fan/preset/set", "smart")]);
    asks(&mut plant, "ceiling.oscillation", r#"{"action":"turn_on"}"#, &[("fan/osc/set", "oscillate_on")]);

    plant.says("homeassistant/lock/door/config", r#"{"name":"door","unique_id":"l","command_topic":"door/set","state_topic":"door","value_template":"{{ value_json.lock }}","state_jammed":"STUCK"}"#);
    plant.table(&[
        ("door", r#"{"lock":"LOCKED"}"#, &[("door.lock", "\"locked\"")]),
        ("door", r#"{"lock":"UNLOCKING"}"#, &[("door.lock", "\"unlocking\"")]),
        ("door", r#"{"lock":"STUCK"}"#, &[("door.lock", "\"jammed\"")]),
    ]);
    asks(&mut plant, "door.lock", r#"{"action":"unlock"}"#, &[("door/set", "UNLOCK")]);
    plant.acknowledge();
    plant.says("door", r#"{"lock":"UNLOCKED"}"#);
    assert_eq!(plant.states(), [CommandState::Confirmed]);
    asks(&mut plant, "door.lock", r#"{"action":"lock"}"#, &[("door/set", "LOCK")]);
    asks(&mut plant, "door.lock", r#"{"action":"turn_on"}"#, &[]);
}

#[test]
fn the_other_kinds_and_keys() {
    let mut plant = Plant::new();
    let config = |rest: &str| format!(r#"{{"dev":{{"ids":["x"],"name":"Box"}},{rest}}}"#);
    for (topic, rest) in [
        ("scene/s", r#""name":"Movie","cmd_t":"box/scene","pl_on":"movie","unique_id":"1""#),
        ("button/b", r#""name":"Box Identify","cmd_t":"box/id","pl_prs":"GO","cmd_tpl":"{\"do\":\"{{ value }}\"}","unique_id":"2""#),
        (
            "switch/w",
            r#""name":"Heater","cmd_t":"box/w/set","stat_t":"box/w","pl_on":"{\"on\":1}","pl_off":"{\"on\":0}","stat_on":"yes","stat_off":"no","unique_id":"3""#,
        ),
        ("update/u", r#""name":"Firmware","stat_t":"box/fw","l_ver_t":"box/fw/latest","ent_cat":"config","unique_id":"4""#),
        (
            "update/v",
            r#""name":"App","stat_t":"box/app","val_tpl":"{{ {'installed_version': value_json.v, 'latest_version': value_json.l} | tojson }}","unique_id":"5""#,
        ),
        ("sensor/t", r#""name":"Mode","stat_t":"box/mode","default_entity_id":"sensor.box_operating_mode","unique_id":"6""#),
        ("sensor/e", r#""dev_cla":"enum","ops":["1","2"],"name":"Level","stat_t":"box/level","unique_id":"7""#),
        ("binary_sensor/m", r#""dev_cla":"motion","stat_t":"box/motion","off_dly":5,"unique_id":"8""#),
        (
            "sensor/x",
            r#""name":"Flow","unit_of_meas":"m³","stat_cla":"total","stat_t":"box/flow","exp_aft":30,"json_attr_t":"box/attributes","frc_upd":true,"ic":"mdi:x","unique_id":"9""#,
        ),
        ("text/p", r#""name":"Password","mode":"password","cmd_t":"box/pw/set","stat_t":"box/pw","unique_id":"10""#),
        ("sensor/y", r#""name":null,"dev_cla":"duration","stat_t":"box/up","unique_id":"11""#),
        ("number/n", r#""name":"Box","cmd_t":"box/n","opt":true,"unique_id":"12""#),
    ] {
        plant.says(&format!("homeassistant/{topic}/config"), config(rest));
    }
    check(
        &plant,
        "",
        &[
            "box.app | App | sensor | -",
            "box.app_latest_version | App latest version | sensor | - | hidden",
            "box.duration | Box | sensor | -",
            "box.firmware | Firmware | sensor | - | hidden",
            "box.firmware_latest_version | Firmware latest version | sensor | - | hidden",
            "box.flow | Flow | sensor | m³",
            "box.heater | Heater | switch | -",
            "box.identify | Identify | button | -",
            "box.level | Level | sensor | -",
            "box.motion | Motion | binary_sensor | -",
            "box.movie | Movie | button | -",
            "box.number | Box | number | -",
            "box.operating_mode | Mode | sensor | -",
            "box.password | Password | text | - | hidden",
        ],
    );
    asks(&mut plant, "box.movie", r#"{"action":"press"}"#, &[("box/scene", "movie")]);
    asks(&mut plant, "box.identify", r#"{"action":"press"}"#, &[("box/id", r#"{"do":"GO"}"#)]);
    asks(&mut plant, "box.heater", r#"{"action":"turn_on"}"#, &[("box/w/set", r#"{"on":1}"#)]);
    asks(&mut plant, "box.number", r#"{"action":"set","value":100}"#, &[("box/n", "100")]);
    assert!(plant.entity("box.number").assumed);
    plant.table(&[
        ("box/w", "yes", &[("box.heater", "true")]),
        ("box/fw", "1.0", &[("box.firmware", "\"1.0\"")]),
        ("box/fw", r#"{"installed_version":"1.1","latest_version":"1.2"}"#, &[("box.firmware", "\"1.1\"")]),
        ("box/fw/latest", "1.2", &[("box.firmware_latest_version", "\"1.2\"")]),
        ("box/app", r#"{"v":"2.0","l":"2.1"}"#, &[("box.app", "\"2.0\""), ("box.app_latest_version", "\"2.1\"")]),
        ("box/mode", "open", &[("box.operating_mode", "\"open\"")]),
        ("box/level", "2", &[("box.level", "\"2\"")]),
        ("box/motion", "ON", &[("box.motion", "true")]),
        ("box/flow", "12.5", &[("box.flow", "12.5")]),
        ("box/pw", "secret", &[("box.password", "")]),
    ]);
    plant.wait(6_000);
    assert_eq!(plant.value("box.motion"), "false");
    assert_eq!(plant.quality("box.flow"), "good");
    plant.wait(30_000);
    assert_eq!(plant.quality("box.flow"), "stale");
}

#[test]
fn a_template_that_fails_keeps_what_was_known() {
    let mut plant = Plant::new();
    plant.says("homeassistant/sensor/t/config", r#"{"name":"T","stat_t":"t","unit_of_meas":"°C","val_tpl":"{{ value_json.t | float | round(1) }}"}"#);
    plant.says("t", r#"{"t":"21.46"}"#);
    assert_eq!((plant.value("t.sensor").as_str(), plant.quality("t.sensor").as_str()), ("21.5", "good"));
    plant.says("t", r#"{"t":"warm"}"#);
    assert_eq!((plant.value("t.sensor").as_str(), plant.quality("t.sensor").as_str()), ("21.5", "bad"));
    assert!(plant.rejected.iter().any(|reason| reason.contains("float got \"warm\"")), "{:?}", plant.rejected);
    // One that cannot be read says so as well.
    plant.says("homeassistant/sensor/u/config", r#"{"name":"U","stat_t":"u","val_tpl":"{% if %}"}"#);
    plant.says("u", "3");
    assert_eq!((plant.value("u.sensor").as_str(), plant.quality("u.sensor").as_str()), ("", "bad"));
    plant.says("homeassistant/sensor/v/config", r#"{"name":"V","stat_t":"v","unit_of_meas":"W","val_tpl":"{{ value_json.v | default(None) }}"}"#);
    plant.says("v", "{}");
    assert_eq!((plant.value("v.sensor").as_str(), plant.quality("v.sensor").as_str()), ("", "unknown"));
}

#[test]
fn a_later_configuration_changes_and_a_bad_one_does_not() {
    let mut plant = Plant::new();
    let topic = "homeassistant/sensor/t/config";
    plant.says(topic, r#"{"name":"Tank","stat_t":"t","unit_of_meas":"°C","unique_id":"t1","dev":{"ids":"a","name":"Boiler"}}"#);
    plant.says("t", "50");
    plant.says(topic, r#"{"name":"Tank top","stat_t":"t/top","unit_of_meas":"°C","unique_id":"t1","dev":{"ids":"a","name":"Boiler"}}"#);
    check(&plant, "", &["boiler.tank | Tank top | sensor | °C"]);
    assert_eq!(plant.value("boiler.tank"), "50.0");
    plant.says("t/top", "60");
    assert_eq!(plant.value("boiler.tank"), "60.0");
    let n = plant.rejected.len();
    for (bad, why) in [
        (r#"{"name":"No topic","unique_id":"t1","dev":{"ids":"a"}}"#, "state_topic is missing"),
        ("{", "EOF"),
        ("[1]", "no JSON object"),
        ("\u{0}", "expected value"),
        (r#"{"stat_t":"a/#"}"#, "wildcard"),
        (r#"{"stat_t":"homeassistant/sensor/t/config"}"#, "points at a configuration"),
        (r#"{"stat_t":"x","avty_t":"homeassistant/a/b/config"}"#, "points at a configuration"),
        (r#"{"~":"homeassistant/sensor/t","stat_t":"~/config"}"#, "points at a configuration"),
        (r#"{"stat_t":7}"#, "state_topic is no text"),
    ] {
        plant.says(topic, bad);
        assert!(plant.rejected.last().is_some_and(|reason| reason.starts_with(topic) && reason.contains(why)), "{bad}: {:?}", plant.rejected.last());
        check(&plant, "", &["boiler.tank | Tank top | sensor | °C"]);
    }
    assert_eq!(plant.rejected.len(), n + 9);
    // Another device, another entity: the one before is gone.
    plant.says(topic, r#"{"name":"Tank","stat_t":"t","unique_id":"t2","dev":{"ids":"b","name":"Other"}}"#);
    check(&plant, "", &["other.tank | Tank | sensor | -"]);
}

#[test]
fn a_configuration_moves_to_another_topic_and_nothing_is_lost() {
    let mut plant = Plant::new();
    let single = r#"{"name":"T","stat_t":"t","unit_of_meas":"°C","unique_id":"t1","dev":{"ids":"a","name":"Boiler"}}"#;
    plant.says("homeassistant/sensor/t/config", single);
    plant.says("t", "50");
    plant.says("homeassistant/sensor/t/config", r#"{"migrate_discovery":true}"#);
    plant.says("homeassistant/device/boiler/config", r#"{"dev":{"ids":"a","name":"Boiler"},"o":{"name":"x"},"cmps":{"t":{"p":"sensor","name":"T","stat_t":"t","unit_of_meas":"°C","unique_id":"t1"}}}"#);
    plant.says("homeassistant/sensor/t/config", "");
    check(&plant, "", &["boiler.t | T | sensor | °C"]);
    assert_eq!(plant.value("boiler.t"), "50.0");
    plant.says("homeassistant/device/boiler/config", "");
    check(&plant, "", &[]);
}

#[test]
fn what_nobody_understands_is_told_once() {
    let mut plant = Plant::new();
    for n in 0..3 {
        plant.says(&format!("homeassistant/vacuum/v{n}/config"), r#"{"name":"V","command_topic":"v"}"#);
    }
    assert_eq!(plant.rejected, ["homeassistant/vacuum/v0/config: components of kind \"vacuum\" are not understood"]);
    plant.says("homeassistant/status", "online");
    plant.says("homeassistant/sensor/a b/config", r#"{"name":"V","state_topic":"v"}"#);
    plant.says("homeassistant/a/b/c/d/config", r#"{"name":"V","state_topic":"v"}"#);
    plant.says("homeassistant/anything", "23.4");
    check(&plant, "", &[]);
    assert!(plant.asked.is_empty());
}

#[test]
fn hostile_configurations_do_no_harm() {
    let mut plant = Plant::new();
    let deep = [r#"{"name":"#, &"[".repeat(10_000), &"]".repeat(10_000), "}"].concat();
    let many = (0..5_000).map(|n| format!(r#""c{n}":{{"p":"sensor","stat_t":"many/{n}","unique_id":"u{n}"}}"#)).collect::<Vec<_>>().join(",");
    let twice = r#"{"dev":{"ids":"tw","name":"Twice"},"cmps":{"a":{"p":"sensor","stat_t":"a","unique_id":"u"},"b":{"p":"sensor","stat_t":"b","unique_id":"u"}}}"#;
    for payload in [
        deep,
        format!(r#"{{"dev":{{"ids":"m","name":"Many"}},"cmps":{{{many}}}}}"#),
        twice.to_owned(),
        format!(r#"{{"name":"{}","stat_t":"x"}}"#, "<script>\\u0000\\u202e".repeat(30_000)),
        format!(r#"{{"stat_t":"{}"}}"#, "x".repeat(900_000)),
        format!(r#"{{"~":"{}","stat_t":"~/x"}}"#, "x/".repeat(400_000)),
        format!(r#"{{"stat_t":"x","val_tpl":"{}"}}"#, "{{ value }}".repeat(50_000)),
        format!(r#"{{"stat_t":"x","unique_id":"{}"}}"#, "u".repeat(900_000)),
        format!(r#"{{"stat_t":"x","dev":{{"ids":["{}"]}}}}"#, "u".repeat(900_000)),
        format!(r#"{{"cmd_t":"x","pl_on":"{}"}}"#, "u".repeat(900_000)),
        r#"{"stat_t":"x","min":1e999}"#.to_owned(),
        r#"{"stat_t":"x","dev":[],"availability":[1,{"t":3},{}],"o":7,"cmps":[]}"#.to_owned(),
        r#"{"cmps":{"":{"p":"sensor","stat_t":"x"}},"dev":{}}"#.to_owned(),
        "x".repeat(1024 * 1024),
    ] {
        for component in ["sensor", "switch", "device", "number", "light", "cover", "climate"] {
            plant.says(&format!("homeassistant/{component}/hostile/config"), &payload);
        }
    }
    plant.says("homeassistant/sensor/raw/config", [0xff, 0xfe, 0x00]);
    assert!(plant.fleet.entities().len() <= 1_020, "{}", plant.fleet.entities().len());
    for line in plant.lines() {
        assert!(!line.contains('\u{202e}') && line.len() < 500, "{line}");
    }
    plant.says("homeassistant/number/bad/config", r#"{"name":"N","cmd_t":"n","stat_t":"n/state","min":5,"max":1}"#);
    assert!(plant.rejected.last().is_some_and(|reason| reason.contains("min 5 is above max 1")), "{:?}", plant.rejected.last());
}

/// As many configurations as somebody cares to send: of devices with names of their own or with one name, of one device, on one topic, and all that
/// taken back. Nothing is timed: what is not
/// linear here takes minutes.
#[test]
fn a_hundred_thousand_announcements_do_no_harm() {
    type Row = (&'static str, usize, fn(usize) -> (String, String));
    let rows: [Row; 5] = [
        ("names of their own", 60_000, |n| {
            (
                format!("sensor/n{n}"),
                format!(r#"{{"stat_t":"s/{}","avty_t":"bridge/state","unique_id":"u{n}","val_tpl":"{{{{ value | float + {n} }}}}"}}"#, n % 100),
            )
        }),
        ("one name", 8_000, |n| {
            (format!("sensor/n{n}"), format!(r#"{{"name":"Same","stat_t":"s","unique_id":"u{n}","dev":{{"ids":"d{n}","name":"Same"}}}}"#))
        }),
        ("one device", 8_000, |n| {
            (format!("sensor/n{n}"), format!(r#"{{"name":"Same","stat_t":"s","unique_id":"u{n}","dev":{{"ids":"d","name":"Same"}}}}"#))
        }),
        ("one topic", 32_000, |n| ("sensor/n".to_owned(), format!(r#"{{"name":"N{n}","stat_t":"s/{n}","unique_id":"u{n}"}}"#))),
        ("areas of their own", 8_000, |n| {
            (format!("sensor/n{n}"), format!(r#"{{"stat_t":"s/{n}","unique_id":"u{n}","dev":{{"ids":"d{n}","name":"D{n}","sa":"Area {n}"}}}}"#))
        }),
    ];
    for (what, most, row) in rows {
        let mut plant = Plant::new();
        for n in 0..most {
            let (topic, config) = row(n);
            plant.says(&format!("homeassistant/{topic}/config"), config);
            plant.rejected.clear();
        }
        assert!(plant.fleet.entities().len() <= 50_000);
        let n_before = plant.fleet.entities().len();
        for n in 0..most.min(2_000) {
            plant.says(&format!("homeassistant/{}/config", row(n).0), "");
        }
        assert_eq!(plant.fleet.entities().len(), n_before.saturating_sub(2_000), "{what}");
    }
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("homeassistant/sensor/x/config".to_owned()),
        Just("a/b".to_owned()),
        Just("~/c".to_owned()),
        Just("ON".to_owned()),
        Just("{{ value_json.a }}".to_owned()),
        Just("{{ value | float }}".to_owned()),
        Just("json".to_owned()),
        Just("template".to_owned()),
        Just("1e400".to_owned()),
        ".{0,12}",
    ]
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        (-300i64..300).prop_map(Into::into),
        word().prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(word(), inner, 0..4).prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

const KEYS: &str = "(~|name|uniq_id|stat_t|cmd_t|schema|dev|cmps|avty|avty_t|avty_mode|val_tpl|cmd_tpl|pl_on|pl_off|stat_on|min|max|step|ops|pos_t|set_pos_t|pos_open|pos_clsd|mode_cmd_t|temp_stat_t|modes|bri_cmd_t|bri_stat_t|bri_scl|rgb_cmd_t|hs_stat_t|sup_clrm|pct_cmd_t|spd_rng_max|obj_id|dev_cla|ent_cat|exp_aft|off_dly|cmd_on_tpl|cmd_off_tpl|state_template|t|p|ids)";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_configuration_panics_and_every_number_is_finite(
        component in "(sensor|binary_sensor|switch|light|number|select|text|button|scene|cover|valve|climate|fan|lock|event|device_automation|update|device)",
        keys in prop::collection::btree_map(KEYS, json(), 0..10),
        part in prop::collection::btree_map(KEYS, json(), 0..8),
        payloads in prop::collection::vec(prop_oneof![word(), json().prop_map(|json| json.to_string())], 0..6),
    ) {
        let mut plant = Plant::new();
        let mut config: serde_json::Map<String, serde_json::Value> = keys.into_iter().collect();
        config.entry("stat_t").or_insert_with(|| "a/b".into());
        config.entry("cmd_t").or_insert_with(|| "a/b/set".into());
        let part: serde_json::Map<String, serde_json::Value> = part.into_iter().collect();
        config.entry("cmps").or_insert_with(|| serde_json::json!({ "x": part, "y": { "p": "light", "schema": "json", "cmd_t": "y" } }));
        let config = serde_json::Value::Object(config).to_string();
        plant.says(&format!("homeassistant/{component}/x/config"), &config);
        for payload in &payloads {
            plant.says("a/b", payload);
            plant.says("homeassistant/sensor/x/config", payload);
        }
        for view in plant.fleet.entities() {
            let v = serde_json::to_value(&view.v).expect("JSON");
            prop_assert!(!matches!(view.v, Some(domain::value::Value::Number(n)) if !n.is_finite()), "{v}");
            for action in [r#"{"action":"turn_on","brightness":40}"#, r#"{"action":"set","value":3}"#, r#"{"action":"set","position":40}"#, r#"{"action":"open"}"#, r#"{"action":"press"}"#] {
                let _: (Vec<(String, String)>, Vec<CommandState>) = plant.ask(view.id.as_str(), action);
            }
        }
        plant.says(&format!("homeassistant/{component}/x/config"), "");
    }

    /// Real configurations with a piece cut out or put in.
    #[test]
    fn no_mutated_configuration_panics(cut in 0usize..800, len in 0usize..40, put in ".{0,6}", which in 0usize..2) {
        let mut plant = Plant::new();
        let mut config: Vec<char> = [KITCHEN, BEDROOM][which].chars().collect();
        let at = cut.min(config.len());
        let end = (at + len).min(config.len());
        config.splice(at..end, put.chars());
        let config: String = config.into_iter().collect();
        plant.says(["homeassistant/light/k/config", "homeassistant/device/k/config"][which], config);
        plant.says("sensorBedroom/state", r#"{"temperature":1e999,"humidity":"NaN"}"#);
        plant.says("homeassistant/light/kitchen/state", r#"{"state":"ON","brightness":1e300}"#);
        for view in plant.fleet.entities() {
            prop_assert!(!matches!(view.v, Some(domain::value::Value::Number(n)) if !n.is_finite()));
        }
    }
}

#[test]
fn templates_that_nobody_uses_any_more_make_room_for_others() {
    let mut plant = Plant::new();
    let template = |n: usize| format!("{{{{ (value | float) + {n} }}}}{{# {} #}}", "x".repeat(16_000));
    let config = |n: usize| format!(r#"{{"name":"a","stat_t":"a","uniq_id":"a","val_tpl":"{}"}}"#, template(n));
    plant.says(
        "homeassistant/sensor/keeps/config",
        config(0).replace(r#""uniq_id":"a""#, r#""uniq_id":"b""#).replace(r#""stat_t":"a""#, r#""stat_t":"b""#),
    );
    // A device that changes its mind 3,000 times has said 48 MB of templates.
    for n in 0..3_000 {
        plant.says("homeassistant/sensor/a/config", config(n));
    }
    plant.says("a", "1");
    plant.says("b", "1");
    let values: Vec<String> = plant.fleet.entities().iter().map(|view| plant.value(view.id.as_str())).collect();
    assert_eq!(plant.rejected, Vec::<String>::new());
    assert!(values.contains(&"3000.0".to_owned()) && values.contains(&"1.0".to_owned()), "{values:?}");
}

#[test]
fn a_climate_has_two_temperatures_and_says_what_it_does() {
    let mut plant = Plant::new();
    plant.says(
        "homeassistant/climate/hall/config",
        r#"{"~":"hvac","name":null,"uniq_id":"hvac","dev":{"ids":"hvac","name":"Hvac"},"mode_cmd_t":"~/mode/set","mode_stat_t":"~","mode_stat_tpl":"{{ value_json.mode }}",
            "temp_hi_cmd_t":"~/high/set","temp_hi_stat_t":"~","temp_hi_stat_tpl":"{{ value_json.high }}","temp_lo_cmd_t":"~/low/set","temp_lo_stat_t":"~","temp_lo_stat_tpl":"{{ value_json.low }}",
            "act_t":"~","act_tpl":"{{ value_json.action }}","curr_temp_t":"~/now","fan_mode_cmd_t":"~/fan/set","pr_mode_cmd_t":"~/preset/set","pr_modes":["eco","away"],
            "pow_cmd_t":"~/power/set","min_temp":10,"max_temp":30,"temp_step":0.5,"swing_h_mode_cmd_t":"~/swing/set","swing_h_modes":["left","right"]}"#,
    );
    check(
        &plant,
        "",
        &[
            "hvac.action | Action | sensor | -",
            "hvac.climate | Hvac | climate | -",
            "hvac.power | Power | switch | -",
            "hvac.swing_horizontal_mode | Swing horizontal mode | select | -",
            "hvac.temperature_high | Temperature high | number | °C",
            "hvac.temperature_low | Temperature low | number | °C",
        ],
    );
    plant.table(&[
        (
            "hvac",
            r#"{"mode":"heat_cool","high":24,"low":19.5,"action":"cooling"}"#,
            &[
                ("hvac.climate", r#"{"mode":"heat_cool"}"#),
                ("hvac.temperature_high", "24.0"),
                ("hvac.temperature_low", "19.5"),
                ("hvac.action", r#""cooling""#),
            ],
        ),
        ("hvac/now", "21", &[("hvac.climate", r#"{"mode":"heat_cool","current_temperature":21.0}"#)]),
        // What is not known is no number, and nothing is wrong.
        ("hvac/now", "None", &[("hvac.climate", r#"{"mode":"heat_cool","current_temperature":21.0}"#)]),
    ]);
    assert_eq!(plant.quality("hvac.climate"), "good");
    asks(&mut plant, "hvac.temperature_high", r#"{"action":"set","value":25.5}"#, &[("hvac/high/set", "25.5")]);
    asks(&mut plant, "hvac.temperature_low", r#"{"action":"set","value":5}"#, &[]);
    asks(&mut plant, "hvac.power", r#"{"action":"turn_on"}"#, &[("hvac/power/set", "ON")]);
    asks(&mut plant, "hvac.climate", r#"{"action":"set","preset":"none"}"#, &[("hvac/preset/set", "none")]);
    let id = crate::rig::entity_id("hvac.climate");
    let words = |part| plant.fleet.words_of(&id, part).unwrap_or_default();
    assert_eq!(words(domain::convention::speech::Part::FanMode), ["auto", "low", "medium", "high"]);
    assert_eq!(words(domain::convention::speech::Part::Preset), ["none", "eco", "away"]);
}

#[test]
fn one_template_of_a_climate_is_that_of_all_its_parts() {
    let mut plant = Plant::new();
    plant.says(
        "homeassistant/climate/a/config",
        r#"{"name":"a","uniq_id":"a","temp_cmd_t":"a/t/set","temp_stat_t":"a/t","mode_cmd_t":"a/m/set","mode_stat_t":"a/m","val_tpl":"{{ value_json.v }}"}"#,
    );
    plant.says("a/t", r#"{"v":21}"#);
    plant.says("a/m", r#"{"v":"heat"}"#);
    assert_eq!(plant.value("a.climate"), r#"{"mode":"heat","temperature":21.0}"#);
}

#[test]
fn what_is_not_known_is_said_by_none() {
    let mut plant = Plant::new();
    for (kind, more, said, value) in [
        ("sensor", r#","unit_of_meas":"W""#, "12", "12.0"),
        ("binary_sensor", "", "ON", "true"),
        ("switch", r#","cmd_t":"x/set""#, "ON", "true"),
        ("number", r#","cmd_t":"x/set""#, "5", "5.0"),
        ("select", r#","cmd_t":"x/set","ops":["a","None"]"#, "a", r#""a""#),
    ] {
        plant.says(&format!("homeassistant/{kind}/{kind}/config"), format!(r#"{{"name":"{kind}","uniq_id":"{kind}","stat_t":"{kind}/s"{more}}}"#));
        plant.says(&format!("{kind}/s"), said);
        plant.says(&format!("{kind}/s"), "None");
        let id = plant.fleet.entities().iter().find(|view| view.device.as_str() == kind).expect("it").id.to_string();
        assert_eq!((plant.value(&id).as_str(), plant.quality(&id).as_str()), (value, "good"), "{kind}");
    }
    plant.says("homeassistant/text/text/config", r#"{"name":"text","uniq_id":"text","stat_t":"text/s","cmd_t":"text/set"}"#);
    plant.says("text/s", "None");
    assert_eq!(plant.value("text.text"), r#""None""#);
}

#[test]
fn lights_with_whites_are_asked_for_colors_without_them() {
    for (modes, asked) in [
        (r#"["rgbw"]"#, r#"{"color":{"b":9,"g":0,"r":255,"w":0},"state":"ON"}"#),
        (r#"["rgbww","color_temp"]"#, r#"{"color":{"b":9,"c":0,"g":0,"r":255,"w":0},"state":"ON"}"#),
        (r#"["rgb"]"#, r#"{"color":{"b":9,"g":0,"r":255},"state":"ON"}"#),
    ] {
        let mut plant = Plant::new();
        plant.says(
            "homeassistant/light/w/config",
            format!(r#"{{"name":"w","schema":"json","cmd_t":"w/set","stat_t":"w","sup_clrm":{modes},"uniq_id":"w"}}"#),
        );
        plant.says("w", r#"{"state":"ON","brightness":255,"color_mode":"rgbw","color":{"r":255,"g":0,"b":9,"w":40}}"#);
        assert_eq!(plant.value("w.light"), r#"{"state":"on","brightness":100,"color":{"r":255,"g":0,"b":9}}"#);
        asks(&mut plant, "w.light", r#"{"action":"turn_on","color":{"r":255,"g":0,"b":9}}"#, &[("w/set", asked)]);
    }
}

#[test]
fn a_valve_says_words_numbers_or_both() {
    let mut plant = Plant::new();
    plant
        .says("homeassistant/valve/v/config", r#"{"name":"v","uniq_id":"v","stat_t":"v","cmd_t":"v/set","reports_position":true,"dev_cla":"water"}"#);
    plant.table(&[
        ("v", "40", &[("v.water", r#"{"state":"open","position":40}"#)]),
        ("v", r#"{"state":"closing","position":20}"#, &[("v.water", r#"{"state":"closing","position":20}"#)]),
        ("v", r#"{"position":0}"#, &[("v.water", r#"{"state":"closed","position":0}"#)]),
        ("v", "opening", &[("v.water", r#"{"state":"opening","position":0}"#)]),
    ]);
    assert_eq!(plant.quality("v.water"), "good");
}

#[test]
fn devices_that_wait_for_a_birth_hear_one_after_each_connection_once_a_minute_at_most() {
    use domain::input::Input;
    use domain::live::LinkState;
    let mut plant = Plant::new();
    plant.feed(Input::Link { broker: "main".into(), state: LinkState::Up });
    assert_eq!(plant.n_births, 0);
    plant.wait(1_000);
    assert_eq!(plant.n_births, 1);
    for _ in 0..10 {
        plant.feed(Input::Link { broker: "main".into(), state: LinkState::Down });
        plant.feed(Input::Link { broker: "main".into(), state: LinkState::Up });
        plant.wait(1_000);
    }
    assert_eq!(plant.n_births, 1);
    plant.wait(60_000);
    assert_eq!(plant.n_births, 2);
    // Ours comes back, and a Home Assistant's comes too: nothing follows from it.
    plant.says("homeassistant/status", "online");
    plant.says("homeassistant/status", "offline");
    assert_eq!(plant.lines(), Vec::<String>::new());
    assert_eq!((plant.n_births, plant.rejected.len()), (2, 0));
}
