//! Shelly Gen1 and Gen2+: messages as Shelly's API documentation and devices show them.

use domain::command::CommandState;
use proptest::prelude::*;

use super::rig::Plant;

const PRO4PM: &str = "shellypro4pm-f008d1d8b8b8";

fn notify(source: &str, params: &str) -> String {
    format!(r#"{{"src":"{source}","dst":"{source}/events","method":"NotifyStatus","params":{params}}}"#)
}

/// The number under which a device was asked for something.
#[track_caller]
fn asked(plant: &Plant, method: &str) -> (String, u64) {
    let find = |(topic, payload): &(String, Vec<u8>)| {
        let call: serde_json::Value = serde_json::from_slice(payload).ok()?;
        (call["method"] == method && call["src"] == "signalbox").then(|| (topic.clone(), call["id"].as_u64().expect("a number")))
    };
    plant.asked.iter().rev().find_map(find).expect("a call")
}

#[test]
fn the_status_of_components_grows_entities() {
    let mut plant = Plant::new();
    let events = format!("{PRO4PM}/events/rpc");
    let status = |of: &str| format!("{PRO4PM}/status/{of}");
    plant.table(&[
        (
            &events,
            &notify(PRO4PM, r#"{"ts":1631186545.04,"switch:0":{"id":0,"output":true,"source":"button"}}"#),
            &[("shellypro4pm-f008d1d8b8b8.switch", "true")],
        ),
        (
            &status("switch:0"),
            r#"{"id":0,"source":"init","output":false,"apower":8.9,"voltage":237.5,"pf":0.97,"freq":50.0,"current":0.038,"aenergy":{"total":6532.1,"by_minute":[0,0,0],"minute_ts":1626935779},"temperature":{"tC":23.4,"tF":74.1}}"#,
            &[
                ("shellypro4pm-f008d1d8b8b8.switch", "false"),
                ("shellypro4pm-f008d1d8b8b8.power", "8.9"),
                ("shellypro4pm-f008d1d8b8b8.voltage", "237.5"),
                ("shellypro4pm-f008d1d8b8b8.current", "0.038"),
                ("shellypro4pm-f008d1d8b8b8.energy", "6.5321"),
                ("shellypro4pm-f008d1d8b8b8.device-temperature", "23.4"),
            ],
        ),
        // A change says what changed.
        (
            &events,
            &notify(PRO4PM, r#"{"ts":1,"switch:0":{"id":0,"apower":12.5}}"#),
            &[("shellypro4pm-f008d1d8b8b8.power", "12.5"), ("shellypro4pm-f008d1d8b8b8.switch", "false")],
        ),
        // A key with null is there no more, and may come back.
        (&events, &notify(PRO4PM, r#"{"ts":1,"switch:0":{"id":0,"apower":null}}"#), &[("shellypro4pm-f008d1d8b8b8.power", "gone")]),
        (&events, &notify(PRO4PM, r#"{"ts":1,"switch:0":{"id":0,"apower":3}}"#), &[("shellypro4pm-f008d1d8b8b8.power", "3.0")]),
        (&status("switch:1"), r#"{"id":1,"output":true,"apower":1.5}"#, &[("shellypro4pm-f008d1d8b8b8.switch-1", "true")]),
        (
            &status("cover:0"),
            r#"{"id":0,"source":"limit_switch","state":"open","apower":0.0,"current_pos":100,"pos_control":true}"#,
            &[("shellypro4pm-f008d1d8b8b8.cover", r#"{"state":"open","position":100}"#)],
        ),
        (
            &events,
            &notify(PRO4PM, r#"{"ts":1,"cover:0":{"id":0,"state":"closing","current_pos":80,"target_pos":20}}"#),
            &[("shellypro4pm-f008d1d8b8b8.cover", r#"{"state":"closing","position":80}"#)],
        ),
        (
            &status("light:0"),
            r#"{"id":0,"source":"HTTP","output":true,"brightness":46,"apower":4.2}"#,
            &[("shellypro4pm-f008d1d8b8b8.light", r#"{"state":"on","brightness":46}"#)],
        ),
        (
            &status("cct:0"),
            r#"{"id":0,"output":true,"brightness":50,"ct":3200}"#,
            &[("shellypro4pm-f008d1d8b8b8.light-2", r#"{"state":"on","brightness":50,"color_temp":3200}"#)],
        ),
        (
            &status("rgb:0"),
            r#"{"id":0,"output":true,"rgb":[255,0,9],"brightness":70}"#,
            &[("shellypro4pm-f008d1d8b8b8.light-3", r#"{"state":"on","brightness":70,"color":{"r":255,"g":0,"b":9}}"#)],
        ),
        (&status("input:0"), r#"{"id":0,"state":true}"#, &[("shellypro4pm-f008d1d8b8b8.input", "true")]),
        (&status("input:1"), r#"{"id":1,"state":null}"#, &[("shellypro4pm-f008d1d8b8b8.input-1", "gone")]),
        (&status("temperature:100"), r#"{"id":100,"tC":22.9,"tF":73.2}"#, &[("shellypro4pm-f008d1d8b8b8.temperature-100", "22.9")]),
        (&status("humidity:0"), r#"{"id":0,"rh":56.1}"#, &[("shellypro4pm-f008d1d8b8b8.humidity", "56.1")]),
        (&status("voltmeter:100"), r#"{"id":100,"voltage":4.321}"#, &[("shellypro4pm-f008d1d8b8b8.voltage-100", "4.321")]),
        (&status("pm1:0"), r#"{"id":0,"voltage":230.1,"current":0.5,"apower":115.0,"aenergy":{"total":1000}}"#, &[]),
        (
            &status("em:0"),
            r#"{"id":0,"a_current":4.029,"a_voltage":236.1,"a_act_power":951.2,"a_aprt_power":951.9,"a_pf":1,"total_current":11.116,"total_act_power":2484.782,"total_aprt_power":2486.7}"#,
            &[("shellypro4pm-f008d1d8b8b8.power-a", "951.2"), ("shellypro4pm-f008d1d8b8b8.voltage-a", "236.1")],
        ),
        (&status("emdata:0"), r#"{"id":0,"a_total_act_energy":12500,"total_act":25000}"#, &[("shellypro4pm-f008d1d8b8b8.energy-a", "12.5")]),
        (&status("smoke:0"), r#"{"id":0,"alarm":false,"mute":false}"#, &[("shellypro4pm-f008d1d8b8b8.smoke", "false")]),
        (&status("flood:0"), r#"{"id":0,"alarm":true,"mute":false}"#, &[("shellypro4pm-f008d1d8b8b8.flood", "true")]),
        (&status("boolean:200"), r#"{"value":true,"source":"rpc"}"#, &[("shellypro4pm-f008d1d8b8b8.boolean-200", "true")]),
        (&status("wifi"), r#"{"sta_ip":"192.168.1.20","status":"got ip","ssid":"x","rssi":-60}"#, &[("shellypro4pm-f008d1d8b8b8.rssi", "-60.0")]),
        (&status("sys"), r#"{"mac":"F008D1D8B8B8","uptime":1234}"#, &[("shellypro4pm-f008d1d8b8b8.uptime", "1234.0")]),
        (&status("cloud"), r#"{"connected":false}"#, &[]),
    ]);
    let lines = plant.lines();
    for line in [
        "shellypro4pm-f008d1d8b8b8.power | Power | sensor | W",
        "shellypro4pm-f008d1d8b8b8.energy | Energy | sensor | kWh",
        "shellypro4pm-f008d1d8b8b8.switch-1 | Switch 1 | switch | -",
        "shellypro4pm-f008d1d8b8b8.power-1 | Power 1 | sensor | W",
        "shellypro4pm-f008d1d8b8b8.rssi | Signal strength | sensor | dBm | hidden",
        "shellypro4pm-f008d1d8b8b8.device-temperature | Device temperature | sensor | °C | hidden",
        "shellypro4pm-f008d1d8b8b8.smoke | Smoke | binary_sensor | -",
    ] {
        assert!(lines.iter().any(|known| known == line), "{line}: {lines:#?}");
    }
    assert_eq!(plant.rejected, Vec::<String>::new());
    assert_eq!(plant.device(PRO4PM).identifiers, ["Shelly shellypro4pm-f008d1d8b8b8", "f008d1d8b8b8"]);
}

#[test]
fn a_prefix_may_be_anything_with_slashes() {
    let mut plant = Plant::new();
    // What nobody could know: it is held until it can be understood.
    plant.holds("home/attic/plug/online", "false");
    plant.says("home/attic/plug/status/switch:0", r#"{"id":0,"output":true}"#);
    plant.says("home/attic/plug/events/rpc", notify("shellyplugus-b0a7321a4b5c", r#"{"ts":1,"temperature:0":{"id":0,"tC":20.5}}"#));
    assert_eq!((plant.value("plug.switch").as_str(), plant.quality("plug.switch").as_str()), ("true", "offline"));
    plant.says("home/attic/plug/online", "true");
    assert_eq!(plant.quality("plug.switch"), "good");
    assert_eq!(plant.value("plug.temperature"), "20.5");
    assert!(plant.device("plug").identifiers.contains(&"Shelly home/attic/plug".to_owned()));
    let (sent, _) = plant.ask("plug.switch", r#"{"action":"turn_off"}"#);
    assert_eq!(sent[0].0, "home/attic/plug/rpc");
}

#[test]
fn a_device_is_asked_once_what_it_is_and_says_all_it_has() {
    let mut plant = Plant::new();
    plant.holds("shellyplus1pm-a8032abe54dc/online", "true");
    assert_eq!(plant.lines(), Vec::<String>::new());
    plant.wait(1_500);
    plant.wait(500);
    let (topic, info) = asked(&plant, "Shelly.GetDeviceInfo");
    assert_eq!(topic, "shellyplus1pm-a8032abe54dc/rpc");
    let (_, status) = asked(&plant, "Shelly.GetStatus");
    let (_, config) = asked(&plant, "Shelly.GetConfig");
    assert!(info >= 1 << 31 && status >= 1 << 31, "below are those of commands");
    // Our own question comes back from the broker.
    plant.says("shellyplus1pm-a8032abe54dc/rpc", format!(r#"{{"id":{info},"src":"signalbox","method":"Shelly.GetDeviceInfo"}}"#));
    plant.says(
        "signalbox/rpc",
        format!(
            r#"{{"id":{status},"src":"shellyplus1pm-a8032abe54dc","dst":"signalbox","result":{{"ble":{{}},"cloud":{{"connected":true}},"input:0":{{"id":0,"state":false}},"switch:0":{{"id":0,"source":"init","output":false,"apower":0.0,"voltage":232.2,"aenergy":{{"total":11.7}}}},"sys":{{"mac":"A8032ABE54DC","uptime":100}},"wifi":{{"rssi":-54}}}}}}"#
        ),
    );
    plant.says(
        "signalbox/rpc",
        format!(
            r#"{{"id":{info},"src":"shellyplus1pm-a8032abe54dc","dst":"signalbox","result":{{"name":"Boiler","id":"shellyplus1pm-a8032abe54dc","mac":"A8032ABE54DC","model":"SNSW-001P16EU","gen":2,"fw_id":"20210720-153353/0.6.7-gc36674b","ver":"0.6.7","app":"Plus1PM","auth_en":false}}}}"#
        ),
    );
    plant.says(
        "signalbox/rpc",
        format!(
            r#"{{"id":{config},"src":"shellyplus1pm-a8032abe54dc","dst":"signalbox","result":{{"switch:0":{{"id":0,"name":"Heater"}},"input:0":{{"id":0,"name":null}}}}}}"#
        ),
    );
    plant.expect(
        &[
            ("shellyplus1pm-a8032abe54dc.switch", "false"),
            ("shellyplus1pm-a8032abe54dc.voltage", "232.2"),
            ("shellyplus1pm-a8032abe54dc.input", "false"),
            ("shellyplus1pm-a8032abe54dc.rssi", "-54.0"),
        ],
        "its replies",
    );
    let device = plant.device("shellyplus1pm-a8032abe54dc");
    assert_eq!(device.availability, domain::device::Availability::Online);
    assert_eq!(
        (device.name.as_str(), device.about.model.as_deref(), device.about.sw_version.as_deref()),
        ("Boiler", Some("SNSW-001P16EU"), Some("0.6.7"))
    );
    assert_eq!(plant.entity("shellyplus1pm-a8032abe54dc.switch").name, "Heater");
    assert_eq!(plant.entity("shellyplus1pm-a8032abe54dc.power").name, "Heater power");
    let n_asked = plant.asked.len();
    plant.wait(120_000);
    plant.says("shellyplus1pm-a8032abe54dc/online", "true");
    plant.wait(500);
    assert_eq!(plant.asked.len(), n_asked, "it has said what it is");
    assert_eq!(plant.rejected, Vec::<String>::new());
}

#[test]
fn many_devices_are_asked_a_few_times_a_second() {
    let mut plant = Plant::new();
    plant.wait(2_000);
    plant.asked.clear();
    for n in 0..1_000 {
        plant.holds(&format!("shellyplus1-{n:012x}/online"), "true");
    }
    plant.wait(500);
    for _ in 0..20 {
        plant.wait(500);
    }
    assert!((40..=60).contains(&plant.asked.len()), "{}", plant.asked.len());
}

#[test]
fn commands_are_calls() {
    let mut plant = Plant::new();
    let status = |of: &str| format!("{PRO4PM}/status/{of}");
    for (of, said) in [
        ("switch:2", r#"{"id":2,"output":false}"#),
        ("cover:0", r#"{"id":0,"state":"closed","current_pos":0}"#),
        ("light:0", r#"{"id":0,"output":false,"brightness":10,"temp":3000}"#),
        ("rgb:1", r#"{"id":1,"output":true,"rgb":[1,2,3],"brightness":70}"#),
        ("number:200", r#"{"value":5}"#),
        ("text:201", r#"{"value":"x"}"#),
    ] {
        plant.says(&status(of), said);
    }
    let call = |n: u32, method: &str, params: &str| format!(r#"{{"id":{n},"method":"{method}","params":{params},"src":"signalbox"}}"#);
    for (n, entity, action, method, params) in [
        (1, "switch-2", r#"{"action":"turn_on"}"#, "Switch.Set", r#"{"id":2,"on":true}"#),
        (2, "switch-2", r#"{"action":"toggle"}"#, "Switch.Set", r#"{"id":2,"on":true}"#),
        (3, "cover", r#"{"action":"open"}"#, "Cover.Open", r#"{"id":0}"#),
        (4, "cover", r#"{"action":"close"}"#, "Cover.Close", r#"{"id":0}"#),
        (5, "cover", r#"{"action":"stop"}"#, "Cover.Stop", r#"{"id":0}"#),
        (6, "cover", r#"{"action":"set","position":35}"#, "Cover.GoToPosition", r#"{"id":0,"pos":35}"#),
        (7, "light", r#"{"action":"turn_on","brightness":80,"color_temp":4000}"#, "Light.Set", r#"{"brightness":80,"id":0,"on":true,"temp":4000}"#),
        (8, "light", r#"{"action":"turn_off"}"#, "Light.Set", r#"{"id":0,"on":false}"#),
        (9, "light", r#"{"action":"turn_on","transition_s":2.5}"#, "Light.Set", r#"{"id":0,"on":true,"transition_duration":2.5}"#),
        (10, "light-1", r#"{"action":"turn_on","color":{"r":9,"g":8,"b":7}}"#, "RGB.Set", r#"{"id":1,"on":true,"rgb":[9,8,7]}"#),
        (11, "number-200", r#"{"action":"set","value":7.5}"#, "Number.Set", r#"{"id":200,"value":7.5}"#),
        (12, "text-201", r#"{"action":"set","value":"hello"}"#, "Text.Set", r#"{"id":201,"value":"hello"}"#),
    ] {
        let (sent, states) = plant.ask(&format!("{PRO4PM}.{entity}"), action);
        assert_eq!(sent, [(format!("{PRO4PM}/rpc"), call(n, method, params))], "{action}");
        assert!(states.contains(&CommandState::Sent));
    }
    assert_eq!(plant.ask(&format!("{PRO4PM}.light"), r#"{"action":"turn_on","effect":"x"}"#).1, [CommandState::Refused]);
}

#[test]
fn a_reply_is_taken_for_what_it_answers() {
    let mut plant = Plant::new();
    let id = format!("{PRO4PM}.switch");
    plant.says(&format!("{PRO4PM}/events/rpc"), notify(PRO4PM, r#"{"ts":1,"switch:0":{"id":0,"output":false}}"#));
    plant.ask(&id, r#"{"action":"turn_on"}"#);
    plant.says("signalbox/rpc", r#"{"id":1,"src":"shellyevil-000000000000","dst":"signalbox","error":{"code":-1,"message":"no"}}"#);
    assert_eq!(plant.states(), [], "nobody knows who that is");
    plant.says("signalbox/rpc", r#"{"id":1,"src":"shellypro4pm-f008d1d8b8b8","dst":"signalbox","result":{"was_on":false}}"#);
    assert_eq!(plant.states(), [CommandState::Accepted]);
    plant.says(&format!("{PRO4PM}/events/rpc"), notify(PRO4PM, r#"{"ts":2,"switch:0":{"id":0,"output":true,"source":"mqtt"}}"#));
    assert_eq!(plant.states(), [CommandState::Confirmed]);
    plant.ask(&id, r#"{"action":"turn_off"}"#);
    plant.says(
        "signalbox/rpc",
        r#"{"id":2,"src":"shellypro4pm-f008d1d8b8b8","dst":"signalbox","error":{"code":-106,"message":"switch:0 is in overtemp"}}"#,
    );
    assert_eq!((plant.states(), plant.reason().as_str()), (vec![CommandState::Failed], "the device reports: switch:0 is in overtemp"));
}

#[test]
fn buttons_tell_what_was_done_with_them() {
    let mut plant = Plant::new();
    let topic = "shellyplusi4-a8032abe54dc/events/rpc";
    let event = |component: &str, event: &str| {
        format!(
            r#"{{"src":"shellyplusi4-a8032abe54dc","dst":"x","method":"NotifyEvent","params":{{"ts":1795464000.5,"events":[{{"component":"{component}","id":0,"event":"{event}","ts":1795464000.5}}]}}}}"#
        )
    };
    plant.table(&[
        (topic, &event("input:0", "single_push"), &[("shellyplusi4-a8032abe54dc.event", r#""single_push""#)]),
        (topic, &event("input:0", "long_push"), &[("shellyplusi4-a8032abe54dc.event", r#""long_push""#)]),
        (topic, &event("input:3", "btn_down"), &[("shellyplusi4-a8032abe54dc.event-3", r#""btn_down""#)]),
        (topic, &event("sys", "config_changed"), &[]),
    ]);
    assert_eq!(plant.lines().len(), 2);
}

#[test]
fn what_sleeps_on_a_battery_is_not_offline() {
    let mut plant = Plant::new();
    // It went to sleep before it was known to sleep at all.
    plant.says("shellyplusht-c049ef8e1d3c/events/rpc", notify("shellyplusht-c049ef8e1d3c", r#"{"ts":1,"temperature:0":{"id":0,"tC":21.5}}"#));
    plant.says("shellyplusht-c049ef8e1d3c/online", "false");
    assert_eq!(plant.quality("shellyplusht-c049ef8e1d3c.temperature"), "offline");
    let said = r#"{"src":"shellyplusht-c049ef8e1d3c","dst":"x","method":"NotifyFullStatus","params":{"ts":1,"ble":{},"devicepower:0":{"id":0,"battery":{"V":5.3,"percent":62},"external":{"present":false}},"humidity:0":{"id":0,"rh":45.2},"temperature:0":{"id":0,"tC":21.6,"tF":70.9}}}"#;
    plant.says("shellyplusht-c049ef8e1d3c/events/rpc", said);
    plant.says("shellyplusht-c049ef8e1d3c/online", "false");
    plant.expect(
        &[
            ("shellyplusht-c049ef8e1d3c.temperature", "21.6"),
            ("shellyplusht-c049ef8e1d3c.humidity", "45.2"),
            ("shellyplusht-c049ef8e1d3c.battery", "62.0"),
        ],
        "its report",
    );
    assert_eq!(plant.quality("shellyplusht-c049ef8e1d3c.temperature"), "good");
    // A sensor that fails says so, and keeps what it said.
    plant.says(
        "shellyplusht-c049ef8e1d3c/events/rpc",
        notify("shellyplusht-c049ef8e1d3c", r#"{"ts":2,"temperature:0":{"id":0,"tC":null,"errors":["read"]}}"#),
    );
    assert_eq!(plant.value("shellyplusht-c049ef8e1d3c.temperature"), "21.6");
    assert_eq!(plant.quality("shellyplusht-c049ef8e1d3c.temperature"), "bad");
    // A component that is taken off is gone, and the others stay.
    plant.says("shellyplusht-c049ef8e1d3c/events/rpc", notify("shellyplusht-c049ef8e1d3c", r#"{"ts":2,"temperature:0":null}"#));
    plant.expect(&[("shellyplusht-c049ef8e1d3c.temperature", "gone"), ("shellyplusht-c049ef8e1d3c.humidity", "45.2")], "null");
}

#[test]
fn gen1_topics_are_entities() {
    let mut plant = Plant::new();
    plant.table(&[
        ("shellies/shelly1pm-84CCA8/relay/0", "on", &[("shelly1pm-84cca8.switch", "true")]),
        ("shellies/shelly1pm-84CCA8/relay/0", "overpower", &[("shelly1pm-84cca8.switch", "false")]),
        ("shellies/shelly1pm-84CCA8/relay/0/power", "42.50", &[("shelly1pm-84cca8.power", "42.5")]),
        ("shellies/shelly1pm-84CCA8/relay/0/energy", "120000", &[("shelly1pm-84cca8.energy", "2.0")]),
        ("shellies/shelly1pm-84CCA8/input/0", "1", &[("shelly1pm-84cca8.input", "true")]),
        ("shellies/shelly1pm-84CCA8/input_event/0", r#"{"event":"S","event_cnt":3}"#, &[("shelly1pm-84cca8.event", r#""S""#)]),
        ("shellies/shelly1pm-84CCA8/temperature", "41.87", &[("shelly1pm-84cca8.device-temperature", "41.87")]),
        ("shellies/shelly1pm-84CCA8/temperature_f", "107.3", &[]),
        ("shellies/shelly1pm-84CCA8/overtemperature", "0", &[("shelly1pm-84cca8.overheating", "false")]),
        ("shellies/shelly1pm-84CCA8/ext_temperature/0", "19.3", &[("shelly1pm-84cca8.temperature", "19.3")]),
        ("shellies/shelly1pm-84CCA8/relay/1", "off", &[("shelly1pm-84cca8.switch-1", "false")]),
        ("shellies/shellyswitch25-1/roller/0", "close", &[("shellyswitch25-1.cover", r#"{"state":"closing"}"#)]),
        ("shellies/shellyswitch25-1/roller/0/pos", "40", &[("shellyswitch25-1.cover", r#"{"state":"closing","position":40}"#)]),
        ("shellies/shellyswitch25-1/roller/0", "stop", &[("shellyswitch25-1.cover", r#"{"state":"open","position":40}"#)]),
        ("shellies/shellydimmer-D3/light/0", "on", &[("shellydimmer-d3.light", r#"{"state":"on"}"#)]),
        (
            "shellies/shellydimmer-D3/light/0/status",
            r#"{"ison":true,"source":"input","has_timer":false,"mode":"white","brightness":62,"transition":0}"#,
            &[("shellydimmer-d3.light", r#"{"state":"on","brightness":62}"#)],
        ),
        ("shellies/shellydimmer-D3/light/0", "off", &[("shellydimmer-d3.light", r#"{"state":"off","brightness":62}"#)]),
        (
            "shellies/ShellyBulbDuo-7/light/0/status",
            r#"{"ison":true,"brightness":30,"white":20,"temp":2900}"#,
            &[("shellybulbduo-7.light", r#"{"state":"on","brightness":30,"color_temp":2900}"#)],
        ),
        (
            "shellies/shellyrgbw2-6/color/0/status",
            r#"{"ison":true,"mode":"color","red":255,"green":10,"blue":0,"white":0,"gain":40,"effect":0,"power":5}"#,
            &[("shellyrgbw2-6.light", r#"{"state":"on","brightness":40,"color":{"r":255,"g":10,"b":0}}"#)],
        ),
        ("shellies/shellyrgbw2-8/white/1/status", r#"{"ison":false,"brightness":7}"#, &[("shellyrgbw2-8.light-1", r#"{"state":"off","brightness":7}"#)]),
        ("shellies/shellyem3-4/emeter/0/power", "-12.5", &[("shellyem3-4.power", "-12.5")]),
        ("shellies/shellyem3-4/emeter/1/total", "1234.5", &[("shellyem3-4.energy-1", "1.2345")]),
        ("shellies/shellyem3-4/emeter/2/voltage", "231.2", &[("shellyem3-4.voltage-2", "231.2")]),
        ("shellies/shellyht-9/sensor/temperature", "22.38", &[("shellyht-9.temperature", "22.38")]),
        ("shellies/shellyht-9/sensor/humidity", "48.5", &[("shellyht-9.humidity", "48.5")]),
        ("shellies/shellyht-9/sensor/battery", "87", &[("shellyht-9.battery", "87.0")]),
        ("shellies/shellydw2-A/sensor/state", "open", &[("shellydw2-a.opening", "true")]),
        ("shellies/shellydw2-A/sensor/state", "close", &[("shellydw2-a.opening", "false")]),
        ("shellies/shellydw2-A/sensor/lux", "120", &[("shellydw2-a.illuminance", "120.0")]),
        ("shellies/shellyflood-B/sensor/flood", "true", &[("shellyflood-b.flood", "true")]),
        (
            "shellies/shellymotionsensor-60A423BE1516/status",
            r#"{"motion":true,"timestamp":1617700000,"active":true,"vibration":false,"lux":52,"bat":98}"#,
            &[("shellymotionsensor-60a423be1516.motion", "true"), ("shellymotionsensor-60a423be1516.battery", "98.0")],
        ),
        (
            "shellies/shelly1pm-84CCA8/info",
            r#"{"wifi_sta":{"connected":true,"ssid":"x","ip":"192.168.1.5","rssi":-61},"mac":"84CCA8ADCF26"}"#,
            &[("shelly1pm-84cca8.rssi", "-61.0")],
        ),
        (
            "shellies/announce",
            r#"{"id":"shelly1pm-84CCA8","model":"SHSW-PM","mac":"84CCA8ADCF26","ip":"192.168.1.5","new_fw":false,"fw_ver":"20200320-123430/v1.6.0@00000000"}"#,
            &[("shelly1pm-84cca8.switch", "false")],
        ),
    ]);
    let device = plant.device("shelly1pm-84cca8");
    assert_eq!(device.about.model.as_deref(), Some("SHSW-PM"));
    assert!(device.identifiers.contains(&"84cca8adcf26".to_owned()));
    assert_eq!(plant.rejected, Vec::<String>::new());
    let lines = plant.lines();
    for line in ["shelly1pm-84cca8.energy | Energy | sensor | kWh", "shellydw2-a.illuminance | Illuminance | sensor | lx"] {
        assert!(lines.iter().any(|known| known == line), "{line}: {lines:#?}");
    }
}

#[test]
fn gen1_devices_are_commanded_and_may_be_away() {
    let mut plant = Plant::new();
    for (topic, said) in [
        ("relay/0", "off"),
        ("roller/0", "stop"),
        ("roller/0/pos", "10"),
        ("light/0/status", r#"{"ison":false,"brightness":10,"temp":3000}"#),
        ("color/1/status", r#"{"ison":true,"red":1,"green":2,"blue":3,"gain":10}"#),
    ] {
        plant.holds(&format!("shellies/s-1/{topic}"), said);
    }
    for (entity, action, topic, payload) in [
        ("switch", r#"{"action":"turn_on"}"#, "relay/0/command", "on"),
        ("cover", r#"{"action":"open"}"#, "roller/0/command", "open"),
        ("cover", r#"{"action":"stop"}"#, "roller/0/command", "stop"),
        ("cover", r#"{"action":"set","position":70}"#, "roller/0/command/pos", "70"),
        ("light", r#"{"action":"turn_on","brightness":80,"color_temp":4000}"#, "light/0/set", r#"{"brightness":80,"temp":4000,"turn":"on"}"#),
        ("light", r#"{"action":"turn_off"}"#, "light/0/set", r#"{"turn":"off"}"#),
        ("light-1", r#"{"action":"turn_on","brightness":50}"#, "color/1/set", r#"{"gain":50,"turn":"on"}"#),
    ] {
        let (sent, _) = plant.ask(&format!("s-1.{entity}"), action);
        assert_eq!(sent, [(format!("shellies/s-1/{topic}"), payload.to_owned())], "{action}");
    }
    let (sent, _) = plant.ask("s-1.light-1", r#"{"action":"turn_on","color":{"r":9,"g":8,"b":7}}"#);
    assert_eq!(sent[1].1, r#"{"mode":"color","red":9,"green":8,"blue":7}"#);
    plant.ask("s-1.switch", r#"{"action":"turn_on"}"#);
    plant.says("shellies/s-1/relay/0", "on");
    assert_eq!(plant.states().last(), Some(&CommandState::Confirmed));
    plant.says("shellies/s-1/online", "false");
    assert_eq!(plant.quality("s-1.switch"), "offline");
    assert_eq!(plant.ask("s-1.switch", r#"{"action":"turn_off"}"#).1, [CommandState::Refused]);
    plant.says("shellies/s-1/online", "true");
    assert_eq!(plant.quality("s-1.switch"), "good");
}

#[test]
fn gen1_devices_are_asked_to_announce_themselves_once_a_minute_at_most() {
    use domain::input::Input;
    use domain::live::LinkState;
    let mut plant = Plant::new();
    let n_asked = |plant: &Plant| plant.n_announces;
    plant.wait(1_000);
    assert_eq!(n_asked(&plant), 1);
    for _ in 0..10 {
        plant.feed(Input::Link { broker: "main".into(), state: LinkState::Down });
        plant.feed(Input::Link { broker: "main".into(), state: LinkState::Up });
        plant.wait(1_000);
    }
    assert_eq!(n_asked(&plant), 1);
    plant.wait(60_000);
    assert_eq!(n_asked(&plant), 2);
    plant.says("shellies/command", "announce");
    assert_eq!(plant.lines(), Vec::<String>::new());
}

#[test]
fn strangers_are_left_alone() {
    let mut plant = Plant::new();
    for (topic, said) in [
        ("home/status/wifi", r#"{"rssi":-3}"#),
        ("boiler/online", "true"),
        ("boiler/events/rpc", r#"{"a":1}"#),
        ("boiler/status/x", r#"{"a":1}"#),
        ("signalbox/events/rpc", r#"{"src":"signalbox","method":"NotifyStatus","params":{"switch:0":{"output":true}}}"#),
    ] {
        plant.says(topic, said);
    }
    plant.wait(2_000);
    assert!(plant.asked.is_empty(), "{:?}", plant.asked);
    assert!(plant.fleet.devices().iter().all(|device| !device.convention.contains("Shelly")));
}

#[test]
fn hostile_messages_do_no_harm() {
    let mut plant = Plant::new();
    let deep = "[".repeat(10_000);
    let large = format!(r#"{{"src":"x","method":"NotifyStatus","params":{{"switch:0":{{"output":true,"x":"{}"}}}}}}"#, "a".repeat(1 << 20));
    let wide: String = (0..5_000).map(|n| format!(r#""temperature:{n}":{{"tC":1}},"#)).collect();
    let wide = format!(r#"{{"src":"shellyx-000000000000","method":"NotifyFullStatus","params":{{{wide}"ts":1}}}}"#);
    for topic in [
        "shellyx-000000000000/events/rpc",
        "shellyx-000000000000/status/switch:0",
        "signalbox/rpc",
        "shellies/announce",
        "shellies/a/info",
        "shellies/a/light/0/status",
    ] {
        for said in [deep.as_str(), &large, "", "null", "[]", "{", "1e999", r#"{"id":4294967295,"src":"shellyx-000000000000","result":[]}"#] {
            plant.says(topic, said);
        }
        plant.says(topic, [0xff, 0xfe, 0]);
    }
    plant.says("shellyx-000000000000/events/rpc", wide);
    plant.says(
        "shellyx-000000000000/events/rpc",
        notify("shellyx-000000000000", r#"{"switch:99999999999":{"output":true},"switch:-1":{"output":true},"temperature:1":{"tC":"NaN"}}"#),
    );
    plant.says("shellies/announce", r#"{"id":"a/../b"}"#);
    for n in 0..12_000 {
        plant.says(&format!("p{n}/status/switch:0"), r#"{"output":true}"#);
    }
    assert!(plant.lines().len() < 11_000);
    assert!(plant.lines().iter().all(|line| !line.contains("NaN")));
}

#[test]
fn an_earlier_run_is_taken_up_and_goes_on_growing() {
    let mut plant = Plant::new();
    let status = |of: &str| format!("attic/{of}");
    plant.says(&status("status/switch:0"), r#"{"id":0,"output":true}"#);
    let devices = plant.fleet.devices().into_iter().cloned().collect();
    let entities = plant
        .out
        .iter()
        .filter_map(|change| if let domain::change::Change::Entity(entity, _) = change { Some((**entity).clone()) } else { None })
        .collect();
    let mut later = Plant::new();
    later.fleet.restore(devices, entities, vec![], vec![]);
    later.says(&status("status/switch:0"), r#"{"id":0,"output":false,"apower":4}"#);
    later.expect(&[("attic.switch", "false"), ("attic.power", "4.0")], "a restart");
}

fn said() -> impl Strategy<Value = Vec<u8>> {
    let samples = prop::sample::select(vec![
        r#"{"src":"shellyx-000000000000","method":"NotifyStatus","params":{"ts":1,"switch:0":{"output":true,"apower":1.5,"aenergy":{"total":3}}}}"#,
        r#"{"src":"x","method":"NotifyEvent","params":{"events":[{"component":"input:0","event":"single_push","ts":1e300}]}}"#,
        r#"{"id":0,"state":"open","current_pos":100,"brightness":5,"rgb":[1,2,3],"output":true}"#,
        r#"{"id":2147483648,"src":"shellyx-000000000000","result":{"switch:0":{"output":false},"mac":"00"}}"#,
        r#"{"ison":true,"brightness":1e308,"temp":-5,"red":1,"green":2,"blue":3}"#,
        "on",
        "1e308",
        "-NaN",
    ]);
    let mutated = (samples, any::<prop::sample::Index>(), any::<u8>()).prop_map(|(text, at, byte)| {
        let mut bytes = text.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes
    });
    prop_oneof![mutated, prop::collection::vec(any::<u8>(), 0..40)]
}

fn topic() -> impl Strategy<Value = String> {
    let ends = [
        "events/rpc",
        "status/switch:0",
        "status/cover:0",
        "status/rgb:1",
        "online",
        "rpc",
        "relay/0",
        "relay/0/energy",
        "roller/0/pos",
        "light/0/status",
        "sensor/lux",
        "input/0",
        "status",
        "info",
        "announce",
    ];
    let beginnings = ["shellyx-000000000000", "a/b", "shellies/x", "shellies", "signalbox"];
    (prop::sample::select(beginnings.to_vec()), prop::sample::select(ends.to_vec())).prop_map(|(a, b)| format!("{a}/{b}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_message_panics_and_every_number_is_finite(messages in prop::collection::vec((topic(), said(), any::<bool>()), 1..30)) {
        let mut plant = Plant::new();
        for (topic, payload, retained) in messages {
            if retained { plant.holds(&topic, payload) } else { plant.says(&topic, payload) }
            plant.wait(500);
        }
        for view in plant.fleet.entities() {
            let number = view.v.and_then(|value| value.as_number());
            prop_assert!(number.is_none_or(f64::is_finite));
        }
    }
}
