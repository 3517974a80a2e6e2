//! Real messages, and what becomes of them: Tasmota's own documentation (`MQTT.md`, `Commands.md`) and announcements as the firmware makes them.

use domain::command::CommandState::{Confirmed, Sent};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::rig::Plant;

const CONFIG: &str = "tasmota/discovery/DC4F22D3B32F/config";
const SENSORS: &str = "tasmota/discovery/DC4F22D3B32F/sensors";

/// An announcement of a device with one relay, changed by `with`.
fn config(with: Json) -> String {
    let mut config = json!({
        "ip": "192.168.15.10", "dn": "Plug", "fn": ["Plug", null, null, null, null, null, null, null], "hn": "Tasmota-ABCD-1234", "mac": "DC4F22D3B32F",
        "md": "Sonoff Basic", "ty": 0, "if": 0, "ofln": "Offline", "onln": "Online", "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "9.4.0.4",
        "t": "plug_1", "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"], "rl": [1, 0, 0, 0, 0, 0, 0, 0],
        "swc": [-1, -1, -1, -1, -1, -1, -1, -1], "swn": [null, null, null, null, null, null, null, null], "btn": [0, 0, 0, 0],
        "so": {"4": 0, "11": 0, "13": 0, "17": 1, "20": 0, "30": 0, "68": 0, "73": 0, "82": 0, "114": 0, "117": 0},
        "lk": 1, "lt_st": 0, "sho": [0, 0, 0, 0], "ver": 1
    });
    if let Json::Object(with) = with {
        for (key, value) in with {
            config[key] = value;
        }
    }
    config.to_string()
}

fn plant(with: Json) -> Plant {
    let mut plant = Plant::new();
    plant.holds(CONFIG, config(with));
    assert!(plant.rejected.is_empty(), "{:?}", plant.rejected);
    plant
}

/// The entities that are not in the state of every device.
fn main_lines(plant: &Plant) -> Vec<String> {
    plant.lines().into_iter().filter(|line| !line.ends_with("| hidden")).collect()
}

#[test]
fn an_announcement_makes_a_device() {
    let plant = plant(json!({}));
    assert_eq!(
        plant.lines(),
        [
            "plug_1.rssi | Wi-Fi quality | sensor | % | hidden",
            "plug_1.signal | Wi-Fi signal | sensor | dBm | hidden",
            "plug_1.switch | Plug | switch | -",
            "plug_1.uptime | Uptime | sensor | s | hidden",
        ]
    );
    let device = plant.device("plug_1");
    assert_eq!((device.name.as_str(), device.convention.as_str()), ("Plug", "Tasmota"));
    assert_eq!(device.about.model.as_deref(), Some("Sonoff Basic"));
    assert_eq!(device.about.sw_version.as_deref(), Some("9.4.0.4"));
    assert_eq!(device.about.configuration_url.as_deref(), Some("http://192.168.15.10/"));
    assert!(device.identifiers.contains(&"dc4f22d3b32f".to_owned()), "{:?}", device.identifiers);
}

#[test]
fn announcements_make_entities_of_each_kind() {
    for (with, expected) in [
        (json!({"rl": [1, 1]}), &["plug_1.switch-1 | Plug | switch | -", "plug_1.switch-2 | Relay 2 | switch | -"][..]),
        (json!({"rl": [1, 1], "fn": ["Pump", "Fan"]}), &["plug_1.switch-1 | Pump | switch | -", "plug_1.switch-2 | Fan | switch | -"]),
        (json!({"fn": ["Kettle"]}), &["plug_1.switch | Kettle | switch | -"]),
        (json!({"so": {"30": 1}}), &["plug_1.light | Plug | light | -"]),
        (json!({"rl": [2], "lt_st": 1}), &["plug_1.light | Plug | light | -"]),
        (json!({"rl": [1, 2], "lt_st": 5, "fn": ["A", "B"]}), &["plug_1.light | B | light | -", "plug_1.switch | A | switch | -"]),
        (json!({"rl": [2, 2], "lt_st": 5, "lk": 0, "fn": ["A", "B"]}), &["plug_1.light-1 | A | light | -", "plug_1.light-2 | B | light | -"]),
        (json!({"rl": [3, 3]}), &["plug_1.cover | Plug | cover | -"]),
        (
            json!({"rl": [3, 3, 1, 3, 3], "fn": []}),
            &["plug_1.cover-1 | Shutter 1 | cover | -", "plug_1.cover-2 | Shutter 2 | cover | -", "plug_1.switch | Plug | switch | -"],
        ),
        (json!({"rl": [3]}), &[]),
        (json!({"rl": [2, 0, 0, 0], "if": 1, "fn": ["Fan"]}), &["plug_1.fan_speed | Fan speed | number | -", "plug_1.light | Fan | light | -"]),
        (json!({"rl": [], "swc": [1, -1], "swn": ["Door", null]}), &["plug_1.input-1 | Door | binary_sensor | -"]),
        (json!({"rl": [], "swc": [-1, 0]}), &["plug_1.input-2 | Switch 2 | binary_sensor | -", "plug_1.input-2-action | Switch 2 | sensor | -"]),
        (json!({"rl": [], "btn": [1, 0], "so": {"73": 1}}), &["plug_1.button-1 | Button 1 | sensor | -"]),
    ] {
        let plant = plant(with.clone());
        assert_eq!(main_lines(&plant), expected, "{with}");
    }
}

#[test]
fn a_relay_is_read_wherever_it_is_told() {
    plant(json!({})).table(&[
        ("stat/plug_1/RESULT", r#"{"POWER":"ON"}"#, &[("plug_1.switch", "true")]),
        ("stat/plug_1/POWER", "OFF", &[("plug_1.switch", "false")]),
        (
            "tele/plug_1/STATE",
            r#"{"Time":"2021-05-20T22:24:55","UptimeSec":9,"POWER":"ON","Wifi":{"RSSI":100,"Signal":-40}}"#,
            &[("plug_1.switch", "true"), ("plug_1.uptime", "9.0"), ("plug_1.rssi", "100.0"), ("plug_1.signal", "-40.0")],
        ),
        (
            "stat/plug_1/STATUS11",
            r#"{"StatusSTS":{"POWER":"OFF","Wifi":{"RSSI":50,"Signal":-75},"UptimeSec":12}}"#,
            &[("plug_1.switch", "false"), ("plug_1.rssi", "50.0")],
        ),
        // With SetOption26, one relay is POWER1 too.
        ("stat/plug_1/RESULT", r#"{"POWER1":"ON"}"#, &[("plug_1.switch", "true")]),
        ("stat/plug_1/POWER1", "OFF", &[("plug_1.switch", "false")]),
        ("stat/plug_1/RESULT", r#"{"Command":"Unknown"}"#, &[("plug_1.switch", "false")]),
    ]);
    plant(json!({"rl": [1, 1, 1]})).table(&[
        (
            "tele/plug_1/STATE",
            r#"{"POWER1":"ON","POWER2":"OFF","POWER3":"ON"}"#,
            &[("plug_1.switch-1", "true"), ("plug_1.switch-2", "false"), ("plug_1.switch-3", "true")],
        ),
        ("stat/plug_1/RESULT", r#"{"POWER2":"ON"}"#, &[("plug_1.switch-2", "true"), ("plug_1.switch-1", "true")]),
        ("stat/plug_1/POWER3", "OFF", &[("plug_1.switch-3", "false")]),
    ]);
    let mut words = plant(json!({"state": ["Aus", "An", "Um", "Halt"]}));
    words.table(&[
        ("stat/plug_1/RESULT", r#"{"POWER":"An"}"#, &[("plug_1.switch", "true")]),
        ("stat/plug_1/POWER", "Aus", &[("plug_1.switch", "false")]),
    ]);
    words.says("stat/plug_1/POWER", "ON");
    assert_eq!(words.quality("plug_1.switch"), "bad");
    // Each answer on a topic of its own, beside the bare word.
    let mut own = plant(json!({"so": {"4": 1}}));
    own.table(&[
        ("stat/plug_1/POWER", r#"{"POWER":"ON"}"#, &[("plug_1.switch", "true")]),
        ("stat/plug_1/POWER", "OFF", &[("plug_1.switch", "false")]),
        ("stat/plug_1/STATE", r#"{"POWER":"ON"}"#, &[("plug_1.switch", "true")]),
    ]);
    assert_eq!(own.quality("plug_1.switch"), "good");
}

#[test]
fn lights_are_read_in_our_units() {
    plant(json!({"rl": [2], "lt_st": 5})).table(&[
        (
            "tele/plug_1/STATE",
            r#"{"POWER":"ON","Dimmer":60,"Color":"995C00","HSBColor":"36,100,60","White":0,"CT":250,"Channel":[60,36,0,0,0],"Fade":"OFF"}"#,
            &[("plug_1.light", r#"{"state":"on","brightness":60,"color_temp":4000,"color":{"r":255,"g":153,"b":0}}"#)],
        ),
        (
            "stat/plug_1/RESULT",
            r#"{"POWER":"ON","Dimmer":20}"#,
            &[("plug_1.light", r#"{"state":"on","brightness":20,"color_temp":4000,"color":{"r":255,"g":153,"b":0}}"#)],
        ),
        ("stat/plug_1/POWER", "OFF", &[("plug_1.light", r#"{"state":"off","brightness":20,"color_temp":4000,"color":{"r":255,"g":153,"b":0}}"#)]),
    ]);
    plant(json!({"rl": [2], "lt_st": 1})).table(&[(
        "stat/plug_1/RESULT",
        r#"{"POWER":"ON","Dimmer":20}"#,
        &[("plug_1.light", r#"{"state":"on","brightness":20}"#)],
    )]);
    // Two lights: the first is color, the second white.
    plant(json!({"rl": [1, 2, 2], "lt_st": 5, "lk": 0, "fn": []})).table(&[(
        "tele/plug_1/STATE",
        r#"{"POWER1":"OFF","POWER2":"ON","Dimmer1":80,"HSBColor":"0,100,80","POWER3":"OFF","Dimmer2":40,"CT":200}"#,
        &[
            ("plug_1.light-2", r#"{"state":"on","brightness":80,"color":{"r":255,"g":0,"b":0}}"#),
            ("plug_1.light-3", r#"{"state":"off","brightness":40,"color_temp":5000}"#),
            ("plug_1.switch", "false"),
        ],
    )]);
    plant(json!({"rl": [2], "lt_st": 2, "so": {"4": 1}})).table(&[
        (
            "stat/plug_1/DIMMER",
            r#"{"POWER":"ON","Dimmer":30}"#,
            &[("plug_1.light", r#"{"state":"on","brightness":30}"#)].map(|_| ("plug_1.light", r#"{"state":"on","brightness":30}"#)),
        ),
        ("stat/plug_1/CT", r#"{"CT":500}"#, &[("plug_1.light", r#"{"state":"on","brightness":30,"color_temp":2000}"#)]),
    ]);
}

#[test]
fn shutters_move() {
    plant(json!({"rl": [3, 3]})).table(&[
        ("stat/plug_1/RESULT", r#"{"Shutter1":{"Position":0,"Direction":0,"Target":0}}"#, &[("plug_1.cover", r#"{"state":"closed","position":0}"#)]),
        (
            "stat/plug_1/RESULT",
            r#"{"Shutter1":{"Position":20,"Direction":1,"Target":80}}"#,
            &[("plug_1.cover", r#"{"state":"opening","position":20}"#)],
        ),
        (
            "tele/plug_1/SENSOR",
            r#"{"Time":"x","Shutter1":{"Position":80,"Direction":0,"Target":80}}"#,
            &[("plug_1.cover", r#"{"state":"open","position":80}"#)],
        ),
        (
            "tele/plug_1/STATE",
            r#"{"Shutter1":{"Position":70,"Direction":-1,"Target":0}}"#,
            &[("plug_1.cover", r#"{"state":"closing","position":70}"#)],
        ),
        (
            "stat/plug_1/STATUS10",
            r#"{"StatusSNS":{"Shutter1":{"Position":0,"Direction":0}}}"#,
            &[("plug_1.cover", r#"{"state":"closed","position":0}"#)],
        ),
    ]);
    let mut inverted = plant(json!({"rl": [3, 3], "sho": [1]}));
    inverted.table(&[(
        "stat/plug_1/RESULT",
        r#"{"Shutter1":{"Position":30,"Direction":1}}"#,
        &[("plug_1.cover", r#"{"state":"closing","position":70}"#)],
    )]);
    let (sent, _) = inverted.ask("plug_1.cover", r#"{"action":"set","position":70}"#);
    assert_eq!(sent, [("cmnd/plug_1/ShutterPosition1".to_owned(), "30".to_owned())]);
}

#[test]
fn inputs_and_buttons_are_told() {
    plant(json!({"swc": [1, 0, 13], "swn": ["Door"], "btn": [1], "so": {"73": 1, "114": 1}})).table(&[
        (
            "tele/plug_1/SENSOR",
            r#"{"Time":"2020-03-03T00:00:00","Switch1":"ON","Switch2":"OFF"}"#,
            &[("plug_1.input-1", "true"), ("plug_1.input-2", "false")],
        ),
        ("stat/plug_1/RESULT", r#"{"Switch1":{"Action":"OFF"}}"#, &[("plug_1.input-1", "false")]),
        ("stat/plug_1/SWITCH1", r#"{"Switch1":{"Action":"ON"}}"#, &[("plug_1.input-1", "true")]),
        ("stat/plug_1/SWITCH1", r#"{"STATE":"OFF"}"#, &[("plug_1.input-1", "false")]),
        ("stat/plug_1/SWITCH1", "ON", &[("plug_1.input-1", "true")]),
        ("stat/plug_1/RESULT", r#"{"Switch2":{"Action":"TOGGLE"}}"#, &[("plug_1.input-2", "false"), ("plug_1.input-2-action", "\"TOGGLE\"")]),
        ("stat/plug_1/RESULT", r#"{"Switch2":{"Action":"ON"}}"#, &[("plug_1.input-2", "true"), ("plug_1.input-2-action", "\"ON\"")]),
        ("stat/plug_1/STATUS10", r#"{"StatusSNS":{"Switch2":"OFF"}}"#, &[("plug_1.input-2", "false")]),
        ("stat/plug_1/RESULT", r#"{"Button1":{"Action":"SINGLE"}}"#, &[("plug_1.button-1", "\"SINGLE\"")]),
        ("stat/plug_1/BUTTON1", r#"{"Button1":{"Action":"HOLD"}}"#, &[("plug_1.button-1", "\"HOLD\"")]),
    ]);
    let mut plant = plant(json!({"swc": [13]}));
    plant.says("stat/plug_1/RESULT", r#"{"Switch1":{"Action":"ON"}}"#);
    plant.expect(&[("plug_1.input-1", "true")], "pressed");
    plant.wait(1_500);
    plant.expect(&[("plug_1.input-1", "false")], "released");
}

#[test]
fn what_is_measured_has_names_units_and_values() {
    let mut plant = plant(json!({"rl": []}));
    plant.holds(
        SENSORS,
        r#"{"sn":{"Time":"2020-09-25T12:47:15","ENERGY":{"TotalStartTime":"2018-11-23T15:33:47","Total":0.017,"TotalTariff":[0.0,0.017],"Yesterday":0.0,
        "Today":0.002,"Period":0.0,"Power":0.0,"ApparentPower":7.84,"ReactivePower":-7.21,"Factor":0.39,"Frequency":50.0,"Voltage":234.31,"Current":0.039},
        "DS18B20":{"Id":"01131B123456","Temperature":20.6},"BME280":{"Temperature":null,"Humidity":40.2,"DewPoint":8.1,"Pressure":991.1},
        "TX23":{"Speed":{"Act":14.8,"Avg":8.5},"Dir":{"Card":"WSW","Deg":247.5}},"BH1750":{"Illuminance":81},"ANALOG":{"A0":4},"SCD30":{"CarbonDioxide":660,"eCO2":5},
        "ESP32":{"Temperature":51.7},"Switch1":"ON","Shutter1":{"Position":1},"PN532":{"UID":"x"},"TempUnit":"C","PressureUnit":"hPa","SpeedUnit":"m/s"},"ver":1}"#,
    );
    assert_eq!(
        plant.lines(),
        [
            "plug_1.a0 | ANALOG A0 | sensor | -",
            "plug_1.apparent_power | Apparent power | sensor | VA",
            "plug_1.bme280_temperature | BME280 Temperature | sensor | °C",
            "plug_1.carbon_dioxide | SCD30 CarbonDioxide | sensor | ppm",
            "plug_1.current | Current | sensor | A",
            "plug_1.dew_point | BME280 DewPoint | sensor | °C",
            "plug_1.dir_card | TX23 Dir Card | sensor | -",
            "plug_1.dir_deg | TX23 Dir Deg | sensor | -",
            "plug_1.ds18b20_temperature | DS18B20 Temperature | sensor | °C",
            "plug_1.eco2 | SCD30 eCO2 | sensor | ppm",
            "plug_1.energy | Energy total | sensor | kWh",
            "plug_1.energy_today | Energy today | sensor | kWh",
            "plug_1.energy_yesterday | Energy yesterday | sensor | kWh",
            "plug_1.esp32_temperature | ESP32 Temperature | sensor | °C | hidden",
            "plug_1.factor | Factor | sensor | -",
            "plug_1.frequency | Frequency | sensor | Hz",
            "plug_1.humidity | BME280 Humidity | sensor | %",
            "plug_1.illuminance | BH1750 Illuminance | sensor | lx",
            "plug_1.period | Period | sensor | Wh | hidden",
            "plug_1.power | Power | sensor | W",
            "plug_1.pressure | BME280 Pressure | sensor | hPa",
            "plug_1.reactive_power | Reactive power | sensor | var",
            "plug_1.rssi | Wi-Fi quality | sensor | % | hidden",
            "plug_1.signal | Wi-Fi signal | sensor | dBm | hidden",
            "plug_1.speed_act | TX23 Speed Act | sensor | m/s",
            "plug_1.speed_avg | TX23 Speed Avg | sensor | m/s",
            "plug_1.total_tariff_1 | Total tariff 1 | sensor | kWh",
            "plug_1.total_tariff_2 | Total tariff 2 | sensor | kWh",
            "plug_1.uptime | Uptime | sensor | s | hidden",
            "plug_1.voltage | Voltage | sensor | V",
        ]
    );
    plant.table(&[
        ("tele/plug_1/SENSOR", r#"{"Time":"2017-02-16T10:13:52","DS18B20":{"Temperature":20.6}}"#, &[("plug_1.ds18b20_temperature", "20.6")]),
        (
            "tele/plug_1/SENSOR",
            r#"{"ENERGY":{"Total":274.737,"Today":0.0,"Power":256,"Voltage":232,"TotalTariff":[1,2.5]}}"#,
            &[("plug_1.energy", "274.737"), ("plug_1.power", "256.0"), ("plug_1.voltage", "232.0"), ("plug_1.total_tariff_2", "2.5")],
        ),
        (
            "stat/plug_1/STATUS10",
            r#"{"StatusSNS":{"Time":"x","DS18B20":{"Temperature":21.5},"TX23":{"Dir":{"Card":"NE"}}}}"#,
            &[("plug_1.ds18b20_temperature", "21.5"), ("plug_1.dir_card", "\"NE\"")],
        ),
        ("stat/plug_1/STATUS8", r#"{"StatusSNS":{"ENERGY":{"Power":12}}}"#, &[("plug_1.power", "12.0")]),
        ("tele/plug_1/SENSOR", r#"{"BME280":{"Temperature":null,"Humidity":41}}"#, &[("plug_1.bme280_temperature", ""), ("plug_1.humidity", "41.0")]),
        ("tele/plug_1/SENSOR", r#"{"BME280":{"Temperature":"nan"}}"#, &[("plug_1.bme280_temperature", "")]),
        // Announced with two tariffs, told with one.
        ("tele/plug_1/SENSOR", r#"{"ENERGY":{"TotalTariff":7}}"#, &[("plug_1.total_tariff_1", "1.0")]),
    ]);
    assert_eq!(plant.quality("plug_1.bme280_temperature"), "bad");
    // In Fahrenheit, and one sensor less.
    plant.says(SENSORS, r#"{"sn":{"Time":"x","DS18B20":{"Temperature":70},"TempUnit":"F"},"ver":1}"#);
    assert_eq!(plant.lines().len(), 4, "{:#?}", plant.lines());
    assert_eq!(plant.entity("plug_1.ds18b20_temperature").unit.as_deref(), Some("°F"));
    plant.says(SENSORS, "");
    assert_eq!(plant.lines().len(), 3);
}

#[test]
fn commands_go_out_in_upper_case_on_cmnd() {
    let rgb = json!({"rl": [2], "lt_st": 5});
    for (with, entity, action, expected) in [
        (json!({}), "plug_1.switch", r#"{"action":"turn_on"}"#, &[("cmnd/plug_1/POWER", "ON")][..]),
        (json!({"so": {"26": 1}}), "plug_1.switch", r#"{"action":"turn_off"}"#, &[("cmnd/plug_1/POWER1", "OFF")]),
        (json!({"rl": [1, 1]}), "plug_1.switch-2", r#"{"action":"turn_on"}"#, &[("cmnd/plug_1/POWER2", "ON")]),
        (json!({"state": ["Aus", "An"]}), "plug_1.switch", r#"{"action":"turn_off"}"#, &[("cmnd/plug_1/POWER", "OFF")]),
        (rgb.clone(), "plug_1.light", r#"{"action":"turn_on"}"#, &[("cmnd/plug_1/POWER", "ON")]),
        (rgb.clone(), "plug_1.light", r#"{"action":"turn_off"}"#, &[("cmnd/plug_1/POWER", "OFF")]),
        (rgb.clone(), "plug_1.light", r#"{"action":"turn_on","brightness":60}"#, &[("cmnd/plug_1/Dimmer", "60")]),
        (rgb.clone(), "plug_1.light", r#"{"action":"turn_on","color_temp":4000}"#, &[("cmnd/plug_1/CT", "250")]),
        (rgb.clone(), "plug_1.light", r#"{"action":"turn_on","color":{"r":255,"g":0,"b":0}}"#, &[("cmnd/plug_1/HSBColor", "0,100,100")]),
        (
            rgb.clone(),
            "plug_1.light",
            r#"{"action":"turn_on","color":{"r":0,"g":0,"b":255},"brightness":40}"#,
            &[("cmnd/plug_1/Dimmer", "40"), ("cmnd/plug_1/HSBColor", "240,100,40")],
        ),
        (
            json!({"rl": [2], "lt_st": 1, "so": {"20": 1}}),
            "plug_1.light",
            r#"{"action":"turn_on","brightness":60}"#,
            &[("cmnd/plug_1/Dimmer", "60"), ("cmnd/plug_1/POWER", "ON")],
        ),
        (json!({"rl": [2, 2], "lt_st": 4, "lk": 0}), "plug_1.light-2", r#"{"action":"turn_on","brightness":5}"#, &[("cmnd/plug_1/Dimmer2", "5")]),
        (
            json!({"rl": [2, 2], "lt_st": 2, "so": {"68": 1}}),
            "plug_1.light-2",
            r#"{"action":"turn_on","brightness":5}"#,
            &[("cmnd/plug_1/Channel2", "5")],
        ),
        (json!({"rl": [1, 2], "lt_st": 1}), "plug_1.light", r#"{"action":"turn_on"}"#, &[("cmnd/plug_1/POWER2", "ON")]),
        (json!({"rl": [3, 3]}), "plug_1.cover", r#"{"action":"open"}"#, &[("cmnd/plug_1/ShutterOpen1", "")]),
        (json!({"rl": [3, 3]}), "plug_1.cover", r#"{"action":"close"}"#, &[("cmnd/plug_1/ShutterClose1", "")]),
        (json!({"rl": [3, 3]}), "plug_1.cover", r#"{"action":"stop"}"#, &[("cmnd/plug_1/ShutterStop1", "")]),
        (json!({"rl": [3, 3, 3, 3]}), "plug_1.cover-2", r#"{"action":"set","position":30}"#, &[("cmnd/plug_1/ShutterPosition2", "30")]),
        (json!({"rl": [2], "if": 1}), "plug_1.fan_speed", r#"{"action":"set","value":2}"#, &[("cmnd/plug_1/FanSpeed", "2")]),
        (json!({"ft": "home/%topic%/%prefix%/"}), "plug_1.switch", r#"{"action":"turn_on"}"#, &[("home/plug_1/cmnd/POWER", "ON")]),
        (
            json!({"ft": "%hostname%/%id%/%prefix%", "tp": ["c", "s", "t"]}),
            "plug_1.switch",
            r#"{"action":"turn_on"}"#,
            &[("Tasmota-ABCD-1234/D3B32F/c/POWER", "ON")],
        ),
    ] {
        let (sent, states) = plant(with.clone()).ask(entity, action);
        let expected: Vec<(String, String)> = expected.iter().map(|(topic, payload)| ((*topic).to_owned(), (*payload).to_owned())).collect();
        assert_eq!(sent, expected, "{with} {entity} {action}");
        assert_eq!(states, [Sent], "{with} {entity} {action}");
    }
    // A light that is asked for a color alone keeps its brightness.
    let mut plant = plant(rgb);
    plant.says("stat/plug_1/RESULT", r#"{"POWER":"ON","Dimmer":30,"HSBColor":"0,100,30"}"#);
    let (sent, _) = plant.ask("plug_1.light", r#"{"action":"turn_on","color":{"r":0,"g":0,"b":255}}"#);
    assert_eq!(sent, [("cmnd/plug_1/HSBColor".to_owned(), "240,100,30".to_owned())]);
}

#[test]
fn answers_confirm() {
    let mut switch = plant(json!({}));
    switch.ask("plug_1.switch", r#"{"action":"turn_on"}"#);
    switch.acknowledge();
    // Our own echo is none.
    switch.says("cmnd/plug_1/POWER", "ON");
    assert_eq!((switch.states(), switch.value("plug_1.switch").as_str()), (vec![], ""));
    switch.says("stat/plug_1/RESULT", r#"{"POWER":"ON"}"#);
    assert_eq!(switch.states(), [Confirmed]);
    let mut light = plant(json!({"rl": [2], "lt_st": 5}));
    light.ask("plug_1.light", r#"{"action":"turn_on","brightness":60}"#);
    light.acknowledge();
    light.says("stat/plug_1/RESULT", r#"{"POWER":"ON","Dimmer":60,"Color":"999999"}"#);
    assert_eq!(light.states(), [Confirmed]);
    let mut shutter = plant(json!({"rl": [3, 3]}));
    shutter.ask("plug_1.cover", r#"{"action":"open"}"#);
    shutter.acknowledge();
    shutter.says("stat/plug_1/RESULT", r#"{"Shutter1":{"Position":10,"Direction":1,"Target":100}}"#);
    assert_eq!(shutter.states(), [Confirmed]);
}

#[test]
fn a_last_will_turns_a_device_offline() {
    let mut plant = plant(json!({}));
    plant.says("stat/plug_1/POWER", "ON");
    plant.says("tele/plug_1/LWT", "Offline");
    assert_eq!(plant.quality("plug_1.switch"), "offline");
    plant.says("tele/plug_1/LWT", "Online");
    assert_eq!(plant.quality("plug_1.switch"), "good");
    let mut words = self::plant(json!({"ofln": "Weg", "onln": "Da", "ft": "%topic%/%prefix%/"}));
    words.says("plug_1/stat/POWER", "ON");
    words.says("plug_1/tele/LWT", "Weg");
    assert_eq!(words.quality("plug_1.switch"), "offline");
    words.says("plug_1/tele/LWT", "Da");
    assert_eq!(words.quality("plug_1.switch"), "good");
}

#[test]
fn what_the_broker_holds_may_come_in_any_order() {
    let messages = [
        (CONFIG, config(json!({}))),
        (SENSORS, r#"{"sn":{"Time":"x","DS18B20":{"Temperature":20.6},"TempUnit":"C"},"ver":1}"#.to_owned()),
        ("tele/plug_1/LWT", "Offline".to_owned()),
        ("stat/plug_1/POWER", "ON".to_owned()),
        ("tele/plug_1/SENSOR", r#"{"Time":"2017-02-16T10:13:52","DS18B20":{"Temperature":20.7}}"#.to_owned()),
        ("tele/plug_1/STATE", r#"{"Time":"2017-02-16T10:13:52","UptimeSec":9,"POWER":"ON","Wifi":{"RSSI":70,"Signal":-60}}"#.to_owned()),
    ];
    for turn in 0..messages.len() {
        let mut plant = Plant::new();
        for n in 0..messages.len() {
            let (topic, payload) = &messages[(turn + n) % messages.len()];
            plant.holds(topic, payload);
        }
        plant.expect(&[("plug_1.switch", "true"), ("plug_1.temperature", "20.7"), ("plug_1.rssi", "70.0")], &format!("turn {turn}"));
        assert_eq!(plant.quality("plug_1.temperature"), "offline", "turn {turn}");
        assert_eq!(plant.lines().len(), 5, "turn {turn}: {:#?}", plant.lines());
    }
}

#[test]
fn what_a_device_says_before_it_announces_itself_counts() {
    let mut plant = Plant::new();
    plant.says("tele/plug_1/LWT", "Online");
    plant.says("tele/plug_1/STATE", r#"{"POWER":"ON"}"#);
    plant.says("tele/plug_1/SENSOR", r#"{"DS18B20":{"Temperature":20.7}}"#);
    plant.says(CONFIG, config(json!({})));
    plant.says(SENSORS, r#"{"sn":{"DS18B20":{"Temperature":20.6},"TempUnit":"C"},"ver":1}"#);
    plant.expect(&[("plug_1.switch", "true"), ("plug_1.temperature", "20.7")], "its first minute");
    assert_eq!(plant.quality("plug_1.temperature"), "good");
    // With its levels in another order they are taken for plain topics at first.
    let mut plant = Plant::new();
    plant.says("plug_1/tele/SENSOR", r#"{"DS18B20":{"Temperature":20.7}}"#);
    plant.says(CONFIG, config(json!({"ft": "%topic%/%prefix%/"})));
    plant.says(SENSORS, r#"{"sn":{"DS18B20":{"Temperature":20.6},"TempUnit":"C"},"ver":1}"#);
    assert_eq!(plant.lines().len(), 5, "{:#?}", plant.lines());
}

#[test]
fn a_device_is_asked_once_how_it_is() {
    let mut plant = plant(json!({}));
    plant.wait(500);
    let asked = vec![("cmnd/plug_1/STATE".to_owned(), vec![]), ("cmnd/plug_1/STATUS".to_owned(), b"10".to_vec())];
    assert_eq!(plant.asked, asked);
    plant.says(CONFIG, config(json!({"sw": "14.0.0"})));
    plant.says(SENSORS, r#"{"sn":{"DS18B20":{"Temperature":20.6}},"ver":1}"#);
    plant.wait(5_000);
    assert_eq!(plant.asked, asked);
    // One that is known to be away need not be.
    let mut away = Plant::new();
    away.holds("tele/plug_1/LWT", "Offline");
    away.holds(CONFIG, config(json!({})));
    away.wait(5_000);
    assert_eq!(away.asked, []);
}

#[test]
fn many_devices_are_asked_a_few_at_a_time() {
    let mut plant = Plant::new();
    for n in 0..100 {
        let mac = format!("DC4F22D3B{n:03}");
        plant.holds(&format!("tasmota/discovery/{mac}/config"), config(json!({"mac": mac, "t": format!("plug_{n}")})));
    }
    for _ in 0..10 {
        plant.wait(500);
    }
    assert!(plant.asked.len() <= 25, "{} in 5 s", plant.asked.len());
    for _ in 0..100 {
        plant.wait(500);
    }
    assert_eq!(plant.asked.len(), 200);
}

#[test]
fn an_announcement_that_is_taken_back_removes_the_device() {
    let mut plant = plant(json!({"rl": [1, 1]}));
    plant.says(SENSORS, r#"{"sn":{"DS18B20":{"Temperature":20.6}},"ver":1}"#);
    plant.says(CONFIG, config(json!({"rl": [1, 0]})));
    plant.expect(&[("plug_1.switch-1", ""), ("plug_1.switch-2", "gone")], "one relay less");
    plant.says(CONFIG, "");
    assert_eq!(plant.lines(), Vec::<String>::new());
    // It comes back with what it measures.
    plant.says(CONFIG, config(json!({})));
    plant.expect(&[("plug_1.switch", ""), ("plug_1.temperature", "")], "back");
    plant.says(SENSORS, "");
    plant.says(CONFIG, "");
    assert_eq!(plant.lines(), Vec::<String>::new());
}

#[test]
fn a_device_with_another_topic_stays_what_it_was() {
    let mut plant = plant(json!({}));
    plant.says("stat/plug_1/POWER", "ON");
    plant.says(CONFIG, config(json!({"t": "kettle", "dn": "Kettle"})));
    plant.expect(&[("plug_1.switch", "true")], "another topic");
    assert_eq!(plant.device("plug_1").name, "Kettle");
    plant.says("stat/kettle/POWER", "OFF");
    plant.expect(&[("plug_1.switch", "false")], "on it");
    let (sent, _) = plant.ask("plug_1.switch", r#"{"action":"turn_on"}"#);
    assert_eq!(sent[0].0, "cmnd/kettle/POWER");
}

#[test]
fn what_else_is_said_makes_nothing() {
    let mut plant = plant(json!({}));
    let known = plant.lines();
    for (topic, payload) in [
        ("tele/plug_1/INFO1", r#"{"Info1":{"Module":"Sonoff Pow R2","Version":"9.4.0(tasmota)"}}"#),
        ("tele/plug_1/UPTIME", r#"{"Time":"x","Uptime":"0T00:15:10"}"#),
        ("stat/plug_1/LOGGING", "00:00:00 CFG: x"),
        ("stat/plug_1/STATUS5", r#"{"StatusNET":{"Hostname":"x"}}"#),
        ("cmnd/plug_1/POWER", "ON"),
        ("cmnd/tasmotas/POWER", "ON"),
        ("tele/other/INFO2", r#"{"Info2":{"WebServerMode":"Admin"}}"#),
        ("stat/other/RESULT", r#"{"POWER":"ON"}"#),
        ("tele/old/SENSOR", r#"{"DS18B20":{"Temperature":20.6}}"#),
        ("old/tele/INFO1", r#"{"Info1":{"Module":"Sonoff Pow R2"}}"#),
        ("tasmota/discovery/DC4F22D3B32F/else", "1"),
    ] {
        plant.says(topic, payload);
    }
    assert_eq!(plant.lines(), known);
    let mut other = self::plant(json!({"ft": "%topic%/%prefix%/", "tp": ["c", "s", "t"]}));
    let known = other.lines();
    other.says("plug_1/t/HASS_STATE", r#"{"Version":"9.4.0"}"#);
    other.says("plug_1/s/STATUS5", "12");
    assert_eq!(other.lines(), known);
    // In an order that may be anybody's, what never announced itself is a plain device.
    plant.says("old/tele/SENSOR", r#"{"DS18B20":{"Temperature":20.6}}"#);
    assert_ne!(plant.lines(), known);
}

#[test]
fn a_bad_announcement_leaves_what_was_there() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let bad = [
        "null".to_owned(),
        "[]".to_owned(),
        "{".to_owned(),
        "{}".to_owned(),
        deep.clone(),
        config(json!({"mac": "AAAAAAAAAAAA"})),
        config(json!({"t": ""})),
        config(json!({"t": "a/#"})),
        config(json!({"t": "+"})),
        config(json!({"ft": "$SYS/%prefix%/"})),
        config(json!({"tp": ["x", "x", "x"]})),
        config(json!({"ft": "%prefix%".repeat(200)})),
        config(json!({"md": "x".repeat(40_000)})),
    ];
    for bad in bad {
        let mut plant = plant(json!({}));
        let known = plant.lines();
        plant.says(CONFIG, &bad);
        assert_eq!(plant.rejected.len(), 1, "{}", &bad[..bad.len().min(80)]);
        assert!(plant.rejected[0].contains("DC4F22D3B32F"), "{:?}", plant.rejected);
        assert_eq!(plant.lines(), known);
        plant.says("stat/plug_1/POWER", "ON");
        plant.expect(&[("plug_1.switch", "true")], "still read");
    }
    for bad in ["null", "{", r#"{"sn":7}"#, &deep] {
        let mut plant = plant(json!({}));
        plant.says(SENSORS, bad);
        assert_eq!(plant.rejected.len(), 1, "{}", &bad[..bad.len().min(80)]);
    }
    // Names are text of a stranger.
    let mut plant = plant(json!({"dn": "<b>x</b>\u{202e}\u{7}", "fn": ["\u{0}", "<i>"], "rl": [1, 1], "ip": "javascript:alert(1)"}));
    assert_eq!(plant.device("plug_1").about.configuration_url, None);
    assert!(plant.lines().iter().all(|line| !line.contains('\u{202e}') && !line.contains('\u{7}')), "{:?}", plant.lines());
    plant.says(CONFIG, b"\xff\xfe");
}

#[test]
fn announcements_without_end_are_bounded() {
    let mut plant = Plant::new();
    let big = "x".repeat(12_000);
    for n in 0..1_600 {
        plant.holds(
            &format!("tasmota/discovery/{n:012X}/config"),
            config(json!({"mac": format!("{n:012X}"), "t": format!("p{n}"), "rl": [], "pad": big})),
        );
    }
    assert!(plant.lines().len() <= 3 * 1_400, "{}", plant.lines().len());
    assert!(plant.rejected[0].contains("no room"), "{:?}", plant.rejected.first());
    let leaves: Vec<String> = (0..3_000).map(|n| format!(r#""s{n}":{{"Temperature":1}}"#)).collect();
    let mut plant = self::plant(json!({}));
    plant.says(SENSORS, format!(r#"{{"sn":{{{}}},"ver":1}}"#, leaves[..1_200].join(",")));
    assert_eq!(plant.lines().len(), 204);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_message_panics_and_numbers_are_finite(
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0usize..30), 0..5),
        last in "(tele|stat|cmnd)/plug_1/(STATE|SENSOR|RESULT|POWER|POWER1|STATUS10|STATUS11|SWITCH1|LWT)",
        text in "\\PC{0,40}",
        n in any::<f64>(),
        kinds in proptest::collection::vec(0u64..5, 0..9),
        light in 0u64..7,
    ) {
        let mut plant = Plant::new();
        let mut bytes = config(json!({"rl": kinds, "lt_st": light, "swc": [1, 0], "btn": [1]})).into_bytes();
        plant.says(CONFIG, &bytes);
        for (at, byte, n) in edits {
            let at = at.index(bytes.len());
            let end = (at + n).min(bytes.len());
            if byte % 2 == 0 { bytes[at] = byte } else { drop(bytes.drain(at..end)) }
        }
        plant.says(CONFIG, &bytes);
        plant.says(SENSORS, format!(r#"{{"sn":{{"A":{{"Temperature":{n},"B":[{n},"{n}"]}}}}}}"#));
        plant.says(&last, &text);
        plant.says("tele/plug_1/SENSOR", format!(r#"{{"A":{{"Temperature":{n},"B":[{n},"{n}"]}}}}"#));
        plant.says("stat/plug_1/RESULT", format!(r#"{{"Dimmer":{n},"CT":{n},"HSBColor":"{n},{n},{n}","Shutter1":{{"Position":{n},"Direction":{n}}}}}"#));
        plant.wait(500);
        for line in plant.lines() {
            let value = plant.value(line.split(" | ").next().expect("an id"));
            prop_assert!(!value.contains("null") && !value.contains("inf") && !value.contains("NaN"), "{line}: {value}");
        }
    }
}
