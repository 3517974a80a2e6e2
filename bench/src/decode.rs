//! What a message of each convention costs the fleet, from the topic to the changes that follow: one thread, nothing stored, nobody looking. The cost
//! must not grow with the number of devices, so there are a thousand.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use domain::change::Change;
use domain::fleet::{Fleet, Settings};
use domain::input::{Input, Message};
use domain::live::LinkState;
use domain::time::Timestamp;

use crate::table::{Sample, Unit};

/// Devices of each convention.
const DEVICES: usize = 1_000;
/// Messages measured.
const MESSAGES: usize = 200_000;
/// When it happens: 2026-11-23.
const BEGAN: i64 = 1_795_392_000_000;

/// How a device of a convention announces itself, and what it says then. `{n}` stands for its number, `{v}` for a value that changes.
struct Speaker {
    name: &'static str,
    announces: &'static [(&'static str, &'static str)],
    says: (&'static str, &'static str),
    /// Values in each message.
    values: usize,
}

const SPEAKERS: [Speaker; 9] = [
    Speaker { name: "decode: plain number", announces: &[], says: ("sensors/node-{n}/temperature", "{v}"), values: 1 },
    Speaker { name: "decode: plain JSON of 2", announces: &[], says: ("sensors/node-{n}", r#"{"temperature":{v},"humidity":41.5}"#), values: 2 },
    Speaker {
        name: "decode: Home Assistant field",
        announces: &[(
            "homeassistant/sensor/ha-{n}/t/config",
            r#"{"uniq_id":"ha-{n}-t","name":"T","stat_t":"ha-{n}/state","unit_of_meas":"°C","val_tpl":"{{ value_json.temperature }}","dev":{"ids":"ha-{n}","name":"Node {n}"}}"#,
        )],
        says: ("ha-{n}/state", r#"{"temperature":{v},"humidity":41.5}"#),
        values: 1,
    },
    Speaker {
        name: "decode: Home Assistant template",
        announces: &[(
            "homeassistant/sensor/ht-{n}/t/config",
            r#"{"uniq_id":"ht-{n}-t","name":"T","stat_t":"ht-{n}/state","unit_of_meas":"°C","val_tpl":"{% if value_json.ok %}{{ (value_json.raw | float(0) * 1.8 + 32) | round(1) }}{% endif %}","dev":{"ids":"ht-{n}","name":"Node {n}"}}"#,
        )],
        says: ("ht-{n}/state", r#"{"raw":{v},"ok":true}"#),
        values: 1,
    },
    Speaker {
        name: "decode: Zigbee2MQTT of 4",
        announces: &[],
        says: ("zigbee2mqtt/node-{n}", r#"{"temperature":{v},"humidity":41.5,"battery":87,"linkquality":120}"#),
        values: 4,
    },
    Speaker {
        name: "decode: Tasmota",
        announces: &[
            (
                "tasmota/discovery/A4CF12{n}/config",
                r#"{"ip":"192.0.2.9","dn":"Plug {n}","fn":["Plug {n}",null],"hn":"plug-{n}","mac":"A4CF12{n}","md":"Plug","ofln":"Offline","onln":"Online","state":["OFF","ON","TOGGLE","HOLD"],"sw":"14.2.0","t":"plug-{n}","ft":"%prefix%/%topic%/","tp":["cmnd","stat","tele"],"rl":[1,0],"swc":[-1],"btn":[0],"so":{"4":0},"lk":0,"lt_st":0,"sho":[0],"ver":1}"#,
            ),
            ("tasmota/discovery/A4CF12{n}/sensors", r#"{"sn":{"Time":"2026-11-23T10:00:00","DS18B20":{"Temperature":20.6},"TempUnit":"C"},"ver":1}"#),
        ],
        says: ("tele/plug-{n}/SENSOR", r#"{"Time":"2026-11-23T10:00:10","DS18B20":{"Temperature":{v}},"TempUnit":"C"}"#),
        values: 1,
    },
    Speaker {
        name: "decode: Shelly",
        announces: &[
            ("shellyplus1pm-{n}/online", "true"),
            ("shellyplus1pm-{n}/status/switch:0", r#"{"id":0,"output":true,"apower":1.0,"voltage":230.1}"#),
        ],
        says: (
            "shellyplus1pm-{n}/events/rpc",
            r#"{"src":"shellyplus1pm-{n}","dst":"shellyplus1pm-{n}/events","method":"NotifyStatus","params":{"ts":1631186545.04,"switch:0":{"id":0,"apower":{v}}}}"#,
        ),
        values: 1,
    },
    Speaker {
        name: "decode: ESPHome",
        announces: &[("esp-{n}/status", "online"), ("esp-{n}/sensor/temperature/state", "1")],
        says: ("esp-{n}/sensor/temperature/state", "{v}"),
        values: 1,
    },
    Speaker {
        name: "decode: Homie 5",
        announces: &[
            (
                "homie/5/node-{n}/$description",
                r#"{"homie":"5.0","version":1,"name":"Node {n}","nodes":{"a":{"name":"A","properties":{"temperature":{"name":"Temperature","datatype":"float","unit":"°C"}}}}}"#,
            ),
            ("homie/5/node-{n}/$state", "ready"),
        ],
        says: ("homie/5/node-{n}/a/temperature", "{v}"),
        values: 1,
    },
];

/// One run.
pub(crate) fn measure() -> Result<Vec<Sample>> {
    SPEAKERS.iter().map(|speaker| cost(speaker).map(|us| Sample::new(speaker.name, Unit::Us, us))).collect()
}

fn cost(speaker: &Speaker) -> Result<f64> {
    let mut fleet = Fleet::new(Settings::default());
    let (mut now, mut out) = (BEGAN, vec![]);
    fleet.apply(Input::Link { broker: "main".into(), state: LinkState::Up }, Timestamp::from_ms(now), &mut out);
    if speaker.name.contains("Zigbee2MQTT") {
        fleet.apply(message("zigbee2mqtt/bridge/devices", &zigbee_devices()), Timestamp::from_ms(now), &mut out);
    }
    for n in 0..DEVICES {
        for (topic, payload) in speaker.announces {
            fleet.apply(message(&filled(topic, n, 0), &filled(payload, n, 0)), Timestamp::from_ms(now), &mut out);
        }
        fleet.apply(message(&filled(speaker.says.0, n, 0), &filled(speaker.says.1, n, 1)), Timestamp::from_ms(now), &mut out);
    }
    // Some conventions wait until a device has said all of itself.
    for _ in 0..40 {
        now += 500;
        fleet.apply(Input::Tick, Timestamp::from_ms(now), &mut out);
    }
    let messages: Vec<Input> =
        (0..DEVICES * 2).map(|n| message(&filled(speaker.says.0, n % DEVICES, 0), &filled(speaker.says.1, n % DEVICES, n))).collect();
    let mut readings = 0;
    let began = Instant::now();
    for n in 0..MESSAGES {
        out.clear();
        now += 1;
        fleet.apply(messages[n % messages.len()].clone(), Timestamp::from_ms(now), &mut out);
        readings += out.iter().filter(|change| matches!(change, Change::Reading(_))).count();
    }
    let us = began.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(MESSAGES)?);
    ensure!(
        readings == MESSAGES * speaker.values,
        "{}: {readings} readings of {MESSAGES} messages with {} values each",
        speaker.name,
        speaker.values
    );
    Ok(us)
}

fn filled(text: &str, n: usize, value: usize) -> String {
    text.replace("{n}", &format!("{n:06}")).replace("{v}", &format!("{}.{}", 20 + value % 7, value % 10))
}

fn message(topic: &str, payload: &str) -> Input {
    Input::Message(Message { link: Arc::from("main"), topic: topic.into(), payload: payload.as_bytes().into(), qos: 0, retained: false })
}

fn zigbee_devices() -> String {
    let expose = |name: &str, unit: &str| format!(r#"{{"type":"numeric","name":"{name}","property":"{name}","unit":"{unit}","access":1}}"#);
    let exposes = [expose("temperature", "°C"), expose("humidity", "%"), expose("battery", "%"), expose("linkquality", "lqi")].join(",");
    let device = |n: usize| {
        format!(
            r#"{{"ieee_address":"0x00158d{n:010x}","type":"EndDevice","friendly_name":"node-{n:06}","supported":true,"interview_completed":true,"disabled":false,"definition":{{"model":"WSDCGQ11LM","vendor":"Aqara","description":"Climate","exposes":[{exposes}]}}}}"#
        )
    };
    format!("[{}]", (0..DEVICES).map(device).collect::<Vec<_>>().join(","))
}
