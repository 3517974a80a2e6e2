//! Sparkplug B: births, data, deaths, commands, and messages that are lost, early, or no messages.

use domain::change::Change;
use domain::command::{Action, CommandState};
use domain::convention::sparkplug::message::{
    DataSet, Element, ElementValue, MetaData, Metric, MetricValue, Payload, Property, PropertySet, PropertyValue, Row, Template, read,
};
use domain::device::Availability;
use domain::input::Input;
use domain::live::LinkState;
use domain::time::Timestamp;
use domain::value::Value;
use proptest::prelude::*;
use prost::Message;

use crate::rig::{BEGAN, Plant};

const NBIRTH: &str = "spBv1.0/plant/NBIRTH/line";
const NDATA: &str = "spBv1.0/plant/NDATA/line";
const NDEATH: &str = "spBv1.0/plant/NDEATH/line";
const NCMD: &str = "spBv1.0/plant/NCMD/line";
const DBIRTH: &str = "spBv1.0/plant/DBIRTH/line/pump";
const DDATA: &str = "spBv1.0/plant/DDATA/line/pump";
const DDEATH: &str = "spBv1.0/plant/DDEATH/line/pump";
const DCMD: &str = "spBv1.0/plant/DCMD/line/pump";

fn now_ms(at: i64) -> u64 {
    u64::try_from(at).expect("after 1970")
}

fn metric(name: &str, datatype: u32, value: MetricValue) -> Metric {
    Metric { name: Some(name.into()), datatype: Some(datatype), timestamp: Some(now_ms(BEGAN)), value: Some(value), ..Metric::default() }
}

fn by_alias(alias: u64, value: MetricValue) -> Metric {
    Metric { alias: Some(alias), timestamp: Some(now_ms(BEGAN)), value: Some(value), ..Metric::default() }
}

fn with_alias(alias: u64, metric: Metric) -> Metric {
    Metric { alias: Some(alias), ..metric }
}

fn with(properties: &[(&str, Property)], metric: Metric) -> Metric {
    let keys = properties.iter().map(|(key, _)| (*key).to_owned()).collect();
    let values = properties.iter().map(|(_, value)| PropertyValue { datatype: None, value: Some(value.clone()) }).collect();
    Metric { properties: Some(PropertySet { keys, values }.encode_to_vec()), ..metric }
}

fn text(text: &str) -> Property {
    Property::String(text.into())
}

fn payload(seq: u64, metrics: Vec<Metric>) -> Vec<u8> {
    Payload { timestamp: Some(now_ms(BEGAN) + seq), metrics, seq: Some(seq) }.encode_to_vec()
}

fn bd_seq(n: u64) -> Metric {
    metric("bdSeq", 4, MetricValue::Long(n))
}

fn death(n: u64) -> Vec<u8> {
    Payload { timestamp: Some(now_ms(BEGAN)), metrics: vec![bd_seq(n)], seq: None }.encode_to_vec()
}

/// The birth of a node with what nodes usually have.
fn node(session: u64) -> Vec<u8> {
    payload(
        0,
        vec![
            bd_seq(session),
            metric("Node Control/Rebirth", 11, MetricValue::Boolean(false)),
            metric("Node Control/Scan Rate", 3, MetricValue::Int(1000)),
            metric("Properties/Hardware Make", 12, MetricValue::String("Acme".into())),
            metric("Properties/FW", 12, MetricValue::String("1.2".into())),
            with(&[("engUnit", text("°C"))], with_alias(1, metric("Inputs/Temperature", 9, MetricValue::Float(21.3)))),
            with_alias(2, metric("Inputs/Door", 11, MetricValue::Boolean(true))),
            with_alias(3, metric("Counter", 3, MetricValue::Int(7))),
        ],
    )
}

fn pump(seq: u64) -> Vec<u8> {
    payload(
        seq,
        vec![
            with_alias(10, metric("Outputs/Run", 11, MetricValue::Boolean(false))),
            with_alias(11, with(&[("writable", Property::Boolean(true)), ("engUnit", text("rpm"))], metric("Speed", 6, MetricValue::Int(900)))),
            with_alias(12, with(&[("readOnly", Property::Boolean(false))], metric("Recipe", 12, MetricValue::String("A".into())))),
            with_alias(13, metric("Pressure", 10, MetricValue::Double(2.5))),
            with_alias(14, with(&[("readOnly", Property::Boolean(true))], metric("Outputs/Locked", 11, MetricValue::Boolean(false)))),
        ],
    )
}

fn born() -> Plant {
    let mut plant = Plant::new();
    plant.says(NBIRTH, node(0));
    plant.says(DBIRTH, pump(1));
    plant
}

/// A node with one metric, as births give it and data do after it.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "a table of values reads better")]
fn check(datatype: u32, value: MetricValue, shown: &str) {
    let mut plant = Plant::new();
    plant.says(NBIRTH, payload(0, vec![with_alias(1, metric("m", datatype, value.clone()))]));
    assert_eq!(plant.value("line.m"), shown, "{datatype} {value:?} in a birth: {:?}", plant.rejected);
    let mut plant = Plant::new();
    plant.says(NBIRTH, payload(0, vec![with_alias(1, Metric { is_null: Some(true), value: None, ..metric("m", datatype, value.clone()) })]));
    plant.says(NDATA, payload(1, vec![by_alias(1, value.clone())]));
    assert_eq!(plant.value("line.m"), shown, "{datatype} {value:?} in data: {:?}", plant.rejected);
}

#[test]
fn a_birth_names_devices_and_what_they_have() {
    let plant = born();
    assert_eq!(
        plant.lines(),
        [
            "line.counter | Counter | sensor | -",
            "line.inputs_door | Door | binary_sensor | -",
            "line.inputs_temperature | Temperature | sensor | °C",
            "line.node_control_rebirth | Rebirth | button | - | hidden",
            "line.node_control_scan_rate | Scan Rate | sensor | - | hidden",
            "line.properties_fw | FW | sensor | - | hidden",
            "line.properties_hardware_make | Hardware Make | sensor | - | hidden",
            "pump.outputs_locked | Locked | binary_sensor | -",
            "pump.outputs_run | Run | switch | -",
            "pump.pressure | Pressure | sensor | -",
            "pump.recipe | Recipe | text | -",
            "pump.speed | Speed | number | rpm",
        ]
    );
    plant.expect(
        &[
            ("line.inputs_temperature", "21.3"),
            ("line.inputs_door", "true"),
            ("line.counter", "7.0"),
            ("line.node_control_rebirth", ""),
            ("line.node_control_scan_rate", "1000.0"),
            ("pump.outputs_run", "false"),
            ("pump.speed", "900.0"),
            ("pump.recipe", "\"A\""),
        ],
        "births",
    );
    let (line, pump) = (plant.device("line"), plant.device("pump"));
    assert_eq!((line.name.as_str(), line.convention.as_str(), line.availability), ("line", "Sparkplug B", Availability::Online));
    assert_eq!((line.about.manufacturer.as_deref(), line.about.sw_version.as_deref()), (Some("Acme"), Some("1.2")));
    assert_eq!((pump.about.via.as_deref(), line.about.via.as_deref()), (Some("plant/line"), None));
    assert!(pump.identifiers.contains(&"plant/line/pump".to_owned()) && line.identifiers.contains(&"plant/line".to_owned()));
    assert_eq!(plant.rejected, Vec::<String>::new());
}

#[test]
fn each_data_type_is_shown_as_what_it_is() {
    use MetricValue::{Boolean, Bytes, Double, Float, Int, Long, String};
    check(1, Int(0xff), "-1.0");
    check(1, Int(0xffff_ff80), "-128.0");
    check(2, Int(0x8000), "-32768.0");
    check(3, Int(u32::MAX), "-1.0");
    check(3, Long(u64::MAX), "-1.0");
    check(4, Long(u64::MAX - 4), "-5.0");
    check(5, Int(255), "255.0");
    check(6, Int(65_535), "65535.0");
    check(7, Int(u32::MAX), "4294967295.0");
    check(7, Long(4_294_967_295), "4294967295.0");
    check(8, Long(1 << 40), "1099511627776.0");
    check(9, Float(-0.1), "-0.1");
    check(9, Double(2.0), "2.0");
    check(10, Double(1e100), "1e+100");
    check(11, Boolean(true), "true");
    check(11, Int(0), "false");
    check(12, String("<b>on\u{7}\u{202e}</b>".into()), "\"<b>on</b>\"");
    check(12, String("x".repeat(300)), &format!("\"{}\"", "x".repeat(255)));
    check(13, Long(1_486_144_502_122), "\"2017-02-03T17:55:02Z\"");
    check(14, String("23".into()), "\"23\"");
    check(15, String("2e5a8b6c-2c1f-4bb0-9f0e-0b5f4a7c3a11".into()), "\"2e5a8b6c-2c1f-4bb0-9f0e-0b5f4a7c3a11\"");
    check(17, Bytes(vec![1, 2, 3]), "\"3 bytes\"");
    check(18, Bytes(vec![0; 4096]), "\"4096 bytes\"");
    check(22, Bytes(vec![0xef, 0x7b]), "\"[-17,123]\"");
    check(24, Bytes(vec![0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0]), "\"[-1,2]\"");
    check(27, Bytes(vec![0x1e, 0x00, 0x88, 0xcc]), "\"[30,52360]\"");
    check(30, Bytes([21.3f32.to_le_bytes(), f32::NAN.to_le_bytes()].concat()), "\"[21.3,null]\"");
    check(31, Bytes(2.5f64.to_le_bytes().to_vec()), "\"[2.5]\"");
    check(32, Bytes(vec![12, 0, 0, 0, 0b0011_0100, 0b1101_0000]), "\"[false,false,true,true,false,true,false,false,true,true,false,true]\"");
    check(33, Bytes(b"ABC\0hello\0".to_vec()), r#""[\"ABC\",\"hello\"]""#);
    check(33, Bytes(vec![]), "\"[]\"");
    check(34, Bytes(1_486_144_502_122u64.to_le_bytes().to_vec()), r#""[\"2017-02-03T17:55:02Z\"]""#);
}

#[test]
fn a_birth_without_a_data_type_says_by_its_field_what_it_is() {
    let bare = |name, value| Metric { datatype: None, ..metric(name, 0, value) };
    let mut plant = Plant::new();
    let unknown = metric("b", 99, MetricValue::Boolean(true));
    plant.says(NBIRTH, payload(0, vec![bare("a", MetricValue::Int(3)), unknown, bare("c", MetricValue::String("x".into()))]));
    plant.expect(&[("line.a", "3.0"), ("line.b", "true"), ("line.c", "\"x\"")], "a birth without data types");
}

#[test]
fn tables_files_and_templates_are_shown_in_short() {
    let cell = |value| Element { value: Some(value) };
    let set = DataSet {
        columns: vec!["A".into(), "B".into(), "C".into()],
        types: vec![3, 10, 12],
        rows: vec![Row {
            elements: vec![cell(ElementValue::Int(u32::MAX)), cell(ElementValue::Double(1.5)), cell(ElementValue::String("x".into()))],
        }],
    };
    let inner = metric("Deep", 19, MetricValue::Template(Template::default().encode_to_vec()));
    let template = Template {
        metrics: vec![metric("RPM", 3, MetricValue::Int(5)), metric("On", 11, MetricValue::Boolean(true)), inner],
        template_ref: Some("Motor".into()),
        is_definition: Some(false),
    };
    let definition = Template { is_definition: Some(true), ..template.clone() };
    let file = MetaData { file_name: Some("log.txt".into()) }.encode_to_vec();
    let mut plant = Plant::new();
    plant.says(
        NBIRTH,
        payload(
            0,
            vec![
                metric("table", 16, MetricValue::DataSet(set.encode_to_vec())),
                metric("motor", 19, MetricValue::Template(template.encode_to_vec())),
                metric("_types_/Motor", 19, MetricValue::Template(definition.encode_to_vec())),
                Metric { metadata: Some(file), ..metric("file", 18, MetricValue::Bytes(vec![0; 10])) },
            ],
        ),
    );
    plant.expect(
        &[
            ("line.table", r#""[{\"A\":-1,\"B\":1.5,\"C\":\"x\"}]""#),
            ("line.motor", r#""{\"RPM\":5,\"On\":true,\"Deep\":\"template\"}""#),
            ("line._types__motor", "gone"),
            ("line.file", "\"log.txt (10 bytes)\""),
        ],
        "structures",
    );
}

/// Bytes as the schema makes them, worked out by hand: a birth, data by alias, and a death.
#[test]
fn messages_of_other_writers_are_read() {
    let hex = |text: &str| -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("text"), 16).expect("hex")).collect()
    };
    // Field 1: 1486144502122; field 2: metrics; field 3: the number.
    let stamp = hex("08 ea f2 f5 a8 a0 2b");
    let birth = [
        stamp.clone(),
        // {name "bdSeq", datatype 4 (Int64), long 0}
        hex("12 0b  0a 05 62 64 53 65 71  20 04  58 00"),
        // {name "Temp", alias 5, datatype 9 (Float), properties {keys "engUnit", values {type 12, string "C"}}, float 21.5}
        hex("12 21  0a 04 54 65 6d 70  10 05  20 09  4a 10  0a 07 65 6e 67 55 6e 69 74  12 05  08 0c  42 01 43  65 00 00 ac 41"),
        // {name "N", alias 300, datatype 1 (Int8), int 4294967295 (-1), and a field 19 that we do not know}
        hex("12 12  0a 01 4e  10 ac 02  20 01  50 ff ff ff ff 0f  9a 01 01 00"),
        hex("18 00"),
    ]
    .concat();
    // {alias 5, timestamp one later, float 22.5} and {alias 300, int 128, which is -128 in 8 bits}
    let data = [stamp, hex("12 0e  10 05  18 eb f2 f5 a8 a0 2b  65 00 00 b4 41"), hex("12 06  10 ac 02  50 80 01"), hex("18 01")].concat();
    // {name "bdSeq", datatype 4, long 0}, and no number.
    let death = hex("12 0b  0a 05 62 64 53 65 71  20 04  58 00");
    let mut plant = Plant::new();
    plant.says(NBIRTH, &birth);
    plant.expect(&[("line.temp", "21.5"), ("line.n", "-1.0")], "the birth");
    assert_eq!(plant.entity("line.temp").unit.as_deref(), Some("C"));
    plant.says(NDATA, &data);
    plant.expect(&[("line.temp", "22.5"), ("line.n", "-128.0")], "the data");
    assert_eq!(plant.entity("line.temp").t.map(Timestamp::as_ms), Some(1_486_144_502_123));
    plant.says(NDEATH, &death);
    assert_eq!(plant.quality("line.temp"), "offline");
    assert_eq!(plant.rejected, Vec::<String>::new());
}

/// What is asked of nodes so far, as topics with the one metric of each.
fn asked(plant: &Plant) -> Vec<(String, String, Option<MetricValue>)> {
    let of = |(topic, payload): &(String, Vec<u8>)| {
        let payload: Payload = read(payload).expect("a payload");
        assert_eq!((payload.metrics.len(), payload.seq, payload.timestamp.is_some()), (1, None, true), "{topic}");
        let metric = payload.metrics.into_iter().next().expect("a metric");
        (topic.clone(), metric.name.unwrap_or_default(), metric.value)
    };
    plant.asked.iter().map(of).collect()
}

fn rebirth(topic: &str) -> (String, String, Option<MetricValue>) {
    (topic.to_owned(), "Node Control/Rebirth".to_owned(), Some(MetricValue::Boolean(true)))
}

fn count(seq: u64, n: u32) -> Vec<u8> {
    let at = Some(now_ms(BEGAN) + seq);
    Payload { timestamp: at, metrics: vec![Metric { timestamp: at, ..by_alias(3, MetricValue::Int(n)) }], seq: Some(seq) }.encode_to_vec()
}

#[test]
fn data_names_metrics_by_alias_or_by_name() {
    let mut plant = born();
    plant.says(NDATA, payload(2, vec![by_alias(1, MetricValue::Float(22.0)), by_alias(2, MetricValue::Boolean(false))]));
    plant.says(DDATA, payload(3, vec![metric("Pressure", 10, MetricValue::Double(2.75)), by_alias(12, MetricValue::String("B".into()))]));
    plant.expect(&[("line.inputs_temperature", "22.0"), ("line.inputs_door", "false"), ("pump.pressure", "2.75"), ("pump.recipe", "\"B\"")], "data");
    assert_eq!((plant.asked.len(), plant.rejected.len()), (0, 0));
}

#[test]
fn data_without_a_birth_asks_for_one_rarely() {
    let mut plant = Plant::new();
    for _ in 0..3 {
        plant.says(NDATA, count(7, 1));
        plant.says(DDATA, count(8, 1));
    }
    assert_eq!(asked(&plant), [rebirth(NCMD)]);
    plant.wait(29_000);
    assert_eq!(plant.asked.len(), 1, "not again within half a minute");
    plant.wait(1_000);
    assert_eq!(plant.asked.len(), 2, "what was wanted meanwhile is asked for then");
    plant.says(NBIRTH, node(0));
    plant.says(NDATA, count(1, 9));
    plant.wait(120_000);
    assert_eq!((plant.value("line.counter").as_str(), plant.asked.len()), ("9.0", 2));
}

#[test]
fn not_all_nodes_are_asked_at_once() {
    let mut plant = Plant::new();
    for n in 0..100 {
        plant.says(&format!("spBv1.0/plant/NDATA/n{n}"), count(1, 1));
    }
    assert_eq!(plant.asked.len(), 5);
    let mut before = 5;
    for _ in 0..19 {
        plant.wait(1_000);
        assert!(plant.asked.len() <= before + 5);
        before = plant.asked.len();
    }
    let mut topics: Vec<&String> = plant.asked.iter().map(|(topic, _)| topic).collect();
    topics.sort();
    topics.dedup();
    assert_eq!((plant.asked.len(), topics.len()), (100, 100), "each once");
}

#[test]
fn a_message_that_comes_early_waits_for_those_before_it() {
    let mut plant = born();
    for seq in [4, 3, 5] {
        plant.says(NDATA, count(seq, u32::try_from(seq).expect("small")));
        plant.expect(&[("line.counter", "7.0")], "a gap");
    }
    plant.says(NDATA, count(2, 2));
    plant.expect(&[("line.counter", "5.0")], "the gap closed");
    plant.says(NDATA, count(6, 6));
    // Again what came before, and its fellow.
    plant.says(NDATA, count(6, 60));
    plant.says(NDATA, count(4, 40));
    plant.expect(&[("line.counter", "6.0")], "old messages");
    plant.wait(60_000);
    assert_eq!(plant.asked.len(), 0, "no message was missing");
}

#[test]
fn a_number_behind_that_was_sent_later_is_no_message_of_before() {
    let mut plant = born();
    (2..8).for_each(|seq| plant.says(NDATA, count(seq, 2)));
    // A node that began anew, whose birth was lost.
    let later = Payload { timestamp: Some(now_ms(BEGAN) + 9_000), ..read::<Payload>(&count(5, 50)).expect("a payload") };
    plant.says(NDATA, later.encode_to_vec());
    plant.expect(&[("line.counter", "2.0")], "a number that came already");
    plant.wait(6_000);
    assert_eq!(asked(&plant), [rebirth(NCMD)]);
}

#[test]
fn numbers_begin_again_after_255() {
    let mut plant = Plant::new();
    plant.says(NBIRTH, Payload { seq: Some(254), ..read::<Payload>(&node(0)).expect("a payload") }.encode_to_vec());
    for (seq, n) in [(255, 1), (1, 3), (0, 2), (2, 4)] {
        plant.says(
            NDATA,
            Payload { timestamp: Some(now_ms(BEGAN) + 300 + u64::from(n)), ..read::<Payload>(&count(seq, n)).expect("a payload") }.encode_to_vec(),
        );
    }
    assert_eq!((plant.value("line.counter").as_str(), plant.asked.len()), ("4.0", 0));
}

#[test]
fn a_gap_that_does_not_close_asks_for_a_birth_and_loses_nothing_else() {
    let mut plant = born();
    plant.says(NDATA, count(3, 3));
    plant.wait(4_900);
    assert_eq!(plant.asked.len(), 0, "it may still come");
    plant.wait(200);
    assert_eq!(asked(&plant), [rebirth(NCMD)]);
    plant.says(NDATA, count(4, 4));
    // The same session is born again: what waited was true, and is told before what is now.
    let at = Some(now_ms(BEGAN) + 6_000);
    let birth: Payload = read(&node(0)).expect("a payload");
    let metrics = birth.metrics.into_iter().map(|metric| Metric { timestamp: at, ..metric }).collect();
    plant.says(NBIRTH, Payload { timestamp: at, seq: Some(0), metrics }.encode_to_vec());
    let counted: Vec<Value> = readings(&plant, "line.counter");
    assert_eq!(counted, [Value::Number(3.0), Value::Number(4.0), Value::Number(7.0)]);
    plant.says(NDATA, count(1, 8));
    plant.expect(&[("line.counter", "7.0")], "an older value");
    plant.says(
        NDATA,
        Payload { timestamp: at, metrics: vec![Metric { timestamp: at, ..by_alias(3, MetricValue::Int(9)) }], seq: Some(2) }.encode_to_vec(),
    );
    plant.wait(20_000);
    assert_eq!((plant.value("line.counter").as_str(), plant.asked.len()), ("9.0", 1));
}

/// The values of an entity that are to be stored after the last input.
fn readings(plant: &Plant, id: &str) -> Vec<Value> {
    let of = |change: &Change| match change {
        Change::Reading(reading) if reading.entity.as_str() == id => Some(reading.value.clone()),
        _ => None,
    };
    plant.out.iter().filter_map(of).collect()
}

#[test]
fn a_node_that_is_never_born_again_is_read_as_it_was() {
    let mut plant = born();
    plant.says(NDATA, count(3, 3));
    plant.says(NDATA, count(4, 4));
    for _ in 0..40 {
        plant.wait(1_000);
    }
    plant.expect(&[("line.counter", "4.0")], "nobody answered");
    plant.says(NDATA, count(9, 9));
    plant.says(NDATA, count(10, 10));
    plant.expect(&[("line.counter", "10.0")], "and it goes on");
    assert!(asked(&plant).iter().all(|one| *one == rebirth(NCMD)) && plant.asked.len() <= 2);
}

#[test]
fn a_death_counts_for_its_own_session() {
    let mut plant = born();
    plant.says(NBIRTH, node(1));
    plant.says(DBIRTH, pump(1));
    plant.says(NDEATH, death(0));
    assert_eq!((plant.quality("line.counter").as_str(), plant.quality("pump.speed").as_str()), ("good", "good"), "the will of a session before");
    plant.wait(1_000);
    plant.says(NDEATH, death(1));
    assert_eq!((plant.quality("line.counter").as_str(), plant.quality("pump.speed").as_str()), ("offline", "offline"));
    assert_eq!((plant.value("line.counter").as_str(), plant.value("pump.speed").as_str()), ("7.0", "900.0"), "the last values stay");
    assert_eq!(plant.device("pump").availability_since.as_ms(), plant.now, "since when is ours to say");
    // The node is back, and its device is not until it says so itself.
    plant.says(NBIRTH, node(2));
    assert_eq!((plant.quality("line.counter").as_str(), plant.quality("pump.speed").as_str()), ("good", "offline"));
    plant.says(DBIRTH, pump(1));
    assert_eq!(plant.quality("pump.speed"), "good");
    plant.says(DDEATH, payload(2, vec![]));
    assert_eq!((plant.quality("line.counter").as_str(), plant.quality("pump.speed").as_str()), ("good", "offline"));
    assert_eq!(plant.asked.len(), 0);
}

#[test]
fn a_session_that_ends_unheard_ends_with_the_next_birth() {
    let mut plant = born();
    plant.says(NBIRTH, node(5));
    assert_eq!((plant.quality("line.counter").as_str(), plant.quality("pump.speed").as_str()), ("good", "offline"));
    // In the same session a device has a moment to follow its node.
    let mut plant = born();
    plant.says(NBIRTH, node(0));
    assert_eq!(plant.quality("pump.speed"), "good");
    plant.wait(11_000);
    assert_eq!(plant.quality("pump.speed"), "offline");
}

#[test]
fn data_of_a_device_that_is_not_born_asks_for_a_birth() {
    let mut plant = Plant::new();
    plant.says(NBIRTH, node(0));
    plant.says(DDATA, payload(1, vec![by_alias(10, MetricValue::Boolean(true))]));
    assert_eq!(asked(&plant), [rebirth(NCMD)]);
}

#[test]
fn a_metric_that_no_birth_named_asks_for_one() {
    for unknown in [by_alias(99, MetricValue::Int(1)), metric("New", 3, MetricValue::Int(1)), Metric::default()] {
        let mut plant = born();
        plant.says(NDATA, payload(2, vec![by_alias(3, MetricValue::Int(8)), unknown]));
        assert_eq!((plant.value("line.counter").as_str(), asked(&plant)), ("8.0", vec![rebirth(NCMD)]));
    }
}

#[test]
fn after_the_broker_was_away_a_gap_asks_at_once() {
    let mut plant = born();
    let away = |plant: &mut Plant| {
        plant.feed(Input::Link { broker: "main".into(), state: LinkState::Down });
        plant.feed(Input::Link { broker: "main".into(), state: LinkState::Up });
    };
    away(&mut plant);
    plant.says(NDATA, count(2, 2));
    assert_eq!((plant.value("line.counter").as_str(), plant.asked.len()), ("2.0", 0), "nothing was missed");
    away(&mut plant);
    plant.says(NDATA, count(40, 40));
    assert_eq!((plant.value("line.counter").as_str(), asked(&plant)), ("2.0", vec![rebirth(NCMD)]));
}

#[test]
fn a_node_that_may_have_died_while_the_broker_was_away_is_stale_until_it_speaks() {
    let away = |plant: &mut Plant| {
        plant.feed(Input::Link { broker: "main".into(), state: LinkState::Down });
        plant.now += 60_000;
        plant.feed(Input::Link { broker: "main".into(), state: LinkState::Up });
    };
    let both = |plant: &Plant| (plant.quality("line.counter"), plant.quality("pump.speed"));
    let (good, stale) = (("good".to_owned(), "good".to_owned()), ("stale".to_owned(), "stale".to_owned()));
    // It died, and nobody heard it.
    let mut plant = born();
    assert_eq!(both(&plant), good);
    away(&mut plant);
    assert_eq!(
        (both(&plant), plant.device("line").availability, plant.device("pump").availability),
        (stale.clone(), Availability::Unknown, Availability::Unknown)
    );
    plant.wait(500);
    assert_eq!(asked(&plant), [rebirth(NCMD)], "it is asked to be born again");
    plant.wait(60_000);
    assert_eq!(both(&plant), stale, "it is not there to answer");
    // It is born again.
    plant.says(NBIRTH, node(0));
    plant.says(DBIRTH, pump(1));
    assert_eq!((both(&plant), plant.device("pump").availability), (good.clone(), Availability::Online));
    // It was there all the time, and says so before it is asked.
    plant.asked.clear();
    away(&mut plant);
    plant.says(NDATA, count(2, 2));
    assert_eq!((both(&plant), plant.device("line").availability), (good, Availability::Online));
    plant.wait(500);
    assert_eq!(asked(&plant), Vec::new(), "nothing was missed");
    // Who was not there before is not in doubt.
    plant.says(NDEATH, death(0));
    away(&mut plant);
    plant.wait(40_000);
    assert_eq!((both(&plant), asked(&plant)), (("offline".to_owned(), "offline".to_owned()), Vec::new()));
}

#[test]
fn what_a_birth_no_longer_names_is_gone_and_what_it_names_anew_is_there() {
    let mut plant = born();
    let first = plant.lines();
    plant.says(
        NBIRTH,
        payload(0, vec![bd_seq(0), metric("Counter", 12, MetricValue::String("seven".into())), metric("More", 3, MetricValue::Int(1))]),
    );
    plant.expect(&[("line.inputs_door", "gone"), ("line.counter", "\"seven\""), ("line.more", "1.0")], "another birth");
    plant.says(NBIRTH, node(0));
    assert_eq!(plant.lines(), first, "ids stay");
}

#[test]
fn where_a_value_goes_is_the_devices_to_say() {
    let mut plant = born();
    let at = |ms: i64, metric: Metric| Metric { timestamp: Some(now_ms(BEGAN + ms)), ..metric };
    let historical = Metric { is_historical: Some(true), ..at(-60_000, by_alias(3, MetricValue::Int(1))) };
    let transient = Metric { is_transient: Some(true), ..by_alias(1, MetricValue::Float(50.0)) };
    plant.says(NDATA, payload(2, vec![historical, transient]));
    plant.expect(&[("line.counter", "7.0"), ("line.inputs_temperature", "50.0")], "history and a moment");
    assert_eq!((readings(&plant, "line.counter"), readings(&plant, "line.inputs_temperature")), (vec![Value::Number(1.0)], vec![]));
    plant.wait(2_000);
    plant.says(NDATA, payload(3, vec![at(1_500, by_alias(3, MetricValue::Int(8)))]));
    assert_eq!(plant.entity("line.counter").t.map(Timestamp::as_ms), Some(BEGAN + 1_500), "the time of the metric");
    // A metric without a time has that of its message.
    plant.says(NDATA, payload(4, vec![Metric { timestamp: None, ..by_alias(3, MetricValue::Int(9)) }]));
    plant.expect(&[("line.counter", "8.0")], "an older value");
    assert_eq!(plant.quality("line.counter"), "good");
}

#[test]
fn what_is_no_value_leaves_the_last_one_and_marks_it() {
    let bad = [
        (
            Metric { is_null: Some(true), value: None, ..by_alias(1, MetricValue::Float(0.0)) },
            "Inputs/Temperature: its value is null: the device does not know it",
        ),
        (by_alias(1, MetricValue::Float(f32::NAN)), "Inputs/Temperature: \"NaN\" is no finite number"),
        (by_alias(1, MetricValue::Double(f64::NEG_INFINITY)), "Inputs/Temperature: \"-inf\" is no finite number"),
        (by_alias(1, MetricValue::String("21".into())), "Inputs/Temperature: its value is no number"),
        (by_alias(2, MetricValue::Int(7)), "Inputs/Door: its value is no Boolean"),
        (Metric { value: None, ..by_alias(1, MetricValue::Int(1)) }, "Inputs/Temperature: it has no value"),
        (with(&[("Quality", Property::Int(0))], by_alias(1, MetricValue::Float(50.0))), "Inputs/Temperature: the device marks it as bad"),
        (with(&[("Quality", Property::Int(500))], by_alias(1, MetricValue::Float(50.0))), "Inputs/Temperature: the device marks it as stale"),
    ];
    for (metric, reason) in bad {
        let mut plant = born();
        let id = if metric.alias == Some(1) { "line.inputs_temperature" } else { "line.inputs_door" };
        let before = plant.value(id);
        plant.says(NDATA, payload(2, vec![metric]));
        assert_eq!((plant.rejected.as_slice(), plant.quality(id).as_str(), plant.value(id)), ([reason.to_owned()].as_slice(), "bad", before));
        plant.says(
            NDATA,
            payload(
                3,
                vec![with(&[("Quality", Property::Int(192))], by_alias(1, MetricValue::Float(3.5))), by_alias(2, MetricValue::Boolean(false))],
            ),
        );
        assert_eq!(plant.quality(id), "good");
    }
}

/// The messages of a command: topic, name, data type and value of their one metric.
#[track_caller]
fn order(plant: &mut Plant, id: &str, action: &str) -> Vec<(String, String, Option<u32>, Option<MetricValue>)> {
    let (_, states) = plant.ask(id, action);
    let of = |change: &Change| match change {
        Change::Publish(publish) => {
            let payload: Payload = read(&publish.payload).expect("a payload");
            assert_eq!(payload.metrics.len(), 1);
            let metric = &payload.metrics[0];
            assert_eq!((payload.seq, metric.timestamp), (None, Some(now_ms(plant.now))));
            Some((publish.topic.clone(), metric.name.clone().unwrap_or_default(), metric.datatype, metric.value.clone()))
        }
        _ => None,
    };
    let orders: Vec<_> = plant.out.iter().filter_map(of).collect();
    assert_eq!(orders.is_empty(), states == [CommandState::Refused], "{states:?}");
    orders
}

#[test]
fn commands_name_one_metric_and_the_next_data_confirm_them() {
    use MetricValue::{Boolean, Int, String};
    let mut plant = born();
    let to = |topic: &str, name: &str, datatype, value| vec![(topic.to_owned(), name.to_owned(), Some(datatype), Some(value))];
    for (id, action, orders, echo) in [
        ("pump.outputs_run", r#"{"action":"turn_on"}"#, to(DCMD, "Outputs/Run", 11, Boolean(true)), by_alias(10, Boolean(true))),
        ("pump.outputs_run", r#"{"action":"toggle"}"#, to(DCMD, "Outputs/Run", 11, Boolean(false)), by_alias(10, Boolean(false))),
        ("pump.speed", r#"{"action":"set","value":1200}"#, to(DCMD, "Speed", 6, Int(1200)), by_alias(11, Int(1200))),
        ("pump.recipe", r#"{"action":"set","value":"C"}"#, to(DCMD, "Recipe", 12, String("C".into())), by_alias(12, String("C".into()))),
        ("pump.recipe", r#"{"action":"set","value":12}"#, to(DCMD, "Recipe", 12, String("12".into())), by_alias(12, String("12".into()))),
    ] {
        assert_eq!(order(&mut plant, id, action), orders, "{id} {action}");
        plant.acknowledge();
        assert_eq!(plant.states(), [CommandState::Accepted]);
        let echo = Metric { timestamp: Some(now_ms(plant.now)), ..echo };
        // Without a number a message is taken as it comes.
        plant.says(DDATA, Payload { timestamp: Some(now_ms(plant.now)), metrics: vec![echo], seq: None }.encode_to_vec());
        assert_eq!(plant.states(), [CommandState::Confirmed], "{id} {action}");
    }
    assert_eq!(order(&mut plant, "line.node_control_rebirth", r#"{"action":"press"}"#), to(NCMD, "Node Control/Rebirth", 11, Boolean(true)));
    plant.acknowledge();
    assert_eq!(plant.states(), [CommandState::Accepted]);
    for (id, action, reason) in [
        ("pump.speed", r#"{"action":"set","value":70000}"#, "value cannot be 70000, it must be between 0 and 65535"),
        ("pump.speed", r#"{"action":"set","value":1.5}"#, "value cannot be 1.5, it goes in steps of 1 from 0"),
        ("pump.pressure", r#"{"action":"set","value":1}"#, "pump.pressure cannot set"),
        ("pump.outputs_locked", r#"{"action":"turn_on"}"#, "pump.outputs_locked cannot turn_on"),
    ] {
        assert_eq!(order(&mut plant, id, action), [], "{id} {action}");
        assert_eq!(plant.reason(), reason);
    }
    // What is not there is not asked.
    plant.says(DDEATH, Payload::default().encode_to_vec());
    assert_eq!(order(&mut plant, "pump.outputs_run", r#"{"action":"turn_on"}"#), []);
}

#[test]
fn numbers_go_out_in_the_width_of_their_type() {
    use MetricValue::{Double, Float, Int, Long};
    for (datatype, asked, value) in [
        (1, "-1", Some(Int(0xff))),
        (1, "128", None),
        (2, "-32768", Some(Int(0x8000))),
        (3, "-1", Some(Int(u32::MAX))),
        (3, "2147483648", None),
        (4, "-5", Some(Long(u64::MAX - 4))),
        (4, "9223372036854775807", None),
        (5, "255", Some(Int(255))),
        (5, "-1", None),
        (7, "4294967295", Some(Int(u32::MAX))),
        (8, "1099511627776", Some(Long(1 << 40))),
        (8, "18446744073709551615", None),
        (9, "21.3", Some(Float(21.3))),
        (9, "1e39", None),
        (10, "1e39", Some(Double(1e39))),
    ] {
        let mut plant = Plant::new();
        plant.says(NBIRTH, payload(0, vec![with(&[("writable", Property::Boolean(true))], metric("m", datatype, Int(0)))]));
        let orders = order(&mut plant, "line.m", &format!(r#"{{"action":"set","value":{asked}}}"#));
        assert_eq!(orders.into_iter().next().and_then(|order| order.3), value, "{datatype} {asked}");
    }
}

#[test]
fn topics_of_hosts_and_commands_feed_nothing() {
    let mut plant = Plant::new();
    for topic in ["spBv1.0/STATE/host", "STATE/host", NCMD, DCMD, "spBv1.0/plant/NDATA", "spBv1.0/plant/WHAT/line"] {
        plant.holds(topic, r#"{"online":true,"timestamp":1486144502122}"#);
        plant.says(topic, "ONLINE");
    }
    assert_eq!((plant.lines().len(), plant.asked.len(), plant.rejected.len()), (0, 0, 0));
}

#[test]
fn what_a_broker_keeps_of_sparkplug_is_out_of_date() {
    let mut plant = Plant::new();
    plant.holds(NBIRTH, node(0));
    assert_eq!(plant.lines(), Vec::<String>::new());
    plant.says(NBIRTH, node(0));
    plant.holds(NDEATH, death(0));
    assert_eq!(plant.quality("line.counter"), "good");
}

#[test]
fn an_earlier_run_is_taken_up_by_the_next_birth() {
    let mut plant = born();
    let stored: Vec<_> =
        plant.out.iter().filter_map(|change| if let Change::Entity(entity, _) = change { Some((**entity).clone()) } else { None }).collect();
    let device = plant.device("pump").clone();
    let mut next = Plant::new();
    next.fleet.restore(vec![device], stored, vec![], vec![]);
    next.says(DDATA, pump(9));
    assert_eq!(asked(&next), [rebirth(NCMD)]);
    next.says(NBIRTH, node(0));
    next.says(DBIRTH, pump(1));
    let ids: Vec<String> = next.lines().into_iter().filter(|line| line.starts_with("pump")).collect();
    assert_eq!(ids.len(), 5, "no entity twice: {ids:?}");
    next.expect(&[("pump.speed", "900.0")], "the births");
    plant.says(DDATA, payload(2, vec![]));
}

#[test]
fn a_message_that_is_none_changes_nothing() {
    let mut plant = born();
    let before = plant.lines();
    let truncated = &node(0)[..40];
    for bad in [
        truncated,
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff".as_slice(),
        b"{\"a\":1}",
        &[0x12, 0x02, 0x0a, 0x05],
        &[0x12, 0x03, 0x0a, 0x01, 0xff],
    ] {
        plant.rejected.clear();
        plant.says(NBIRTH, bad);
        assert!(
            plant.rejected.len() == 1 && plant.rejected[0].starts_with("plant/line: no Sparkplug message that can be read"),
            "{:?}",
            plant.rejected
        );
        assert_eq!((plant.lines(), plant.quality("line.counter").as_str()), (before.clone(), "good"));
    }
}

#[test]
fn names_of_strangers_do_no_harm() {
    let mut plant = Plant::new();
    let mut unnamed = metric("", 3, MetricValue::Int(1));
    unnamed.name = None;
    let metrics = vec![
        metric("a\u{202e}/<b>\u{7}x</b>", 3, MetricValue::Int(1)),
        metric("same", 3, MetricValue::Int(1)),
        metric("same", 12, MetricValue::String("last".into())),
        with_alias(1, metric("first", 3, MetricValue::Int(1))),
        with_alias(1, metric("second", 3, MetricValue::Int(1))),
        metric(&"n".repeat(513), 3, MetricValue::Int(1)),
        metric("///", 3, MetricValue::Int(4)),
        unnamed,
    ];
    plant.says("spBv1.0/ü/NBIRTH/../..", payload(0, metrics.clone()));
    plant.says("spBv1.0/ü/NBIRTH/<n>", payload(0, metrics));
    assert_eq!(
        plant.lines(),
        [
            "_n_.___ | /// | sensor | -",
            "_n_.a___b__x__b_ | b> | sensor | -",
            "_n_.first | first | sensor | -",
            "_n_.same | same | sensor | -",
            "_n_.second | second | sensor | -",
        ]
    );
    plant.says("spBv1.0/ü/NDATA/<n>", payload(1, vec![by_alias(1, MetricValue::Int(5))]));
    plant.expect(&[("_n_.same", "\"last\""), ("_n_.first", "1.0"), ("_n_.second", "5.0")], "the last of two is meant");
    assert_eq!(plant.rejected.len(), 1, "{:?}", plant.rejected);
}

#[test]
fn a_birth_makes_at_most_a_thousand_entities() {
    let mut plant = Plant::new();
    let many = |n: usize| (0..n).map(|n| metric(&format!("m{n}"), 3, MetricValue::Int(1))).collect::<Vec<_>>();
    plant.says(NBIRTH, payload(0, many(3_000)));
    assert_eq!(plant.lines().len(), 1_000);
    assert!(plant.rejected[0].contains("no room for 2000 of its metrics"), "{:?}", plant.rejected);
    plant.says(NBIRTH, payload(0, many(30_000)));
    assert!(plant.rejected[1].contains("fields are too many"), "{:?}", plant.rejected);
    // Half a million metrics of two bytes.
    plant.says(NDATA, [0x12, 0x00].repeat(500_000));
    // A body of a megabyte, which a payload may have and nobody reads.
    let body = |n: usize| [b"\x2a\x80\x80\x40".as_slice(), &vec![0; n]].concat();
    assert!(read::<Payload>(&body(1024 * 1024)).is_err_and(|reason| reason.contains("bytes are too many")));
    plant.says(NBIRTH, body(1024 * 1024));
    assert_eq!(plant.rejected.len(), 4);
}

#[test]
fn templates_in_templates_are_not_followed() {
    let mut deep = vec![];
    for _ in 0..10_000 {
        let inner = metric("t", 19, MetricValue::Template(deep));
        deep = Template { metrics: vec![inner], ..Template::default() }.encode_to_vec();
    }
    let mut plant = Plant::new();
    plant.says(NBIRTH, payload(0, vec![metric("deep", 19, MetricValue::Template(deep))]));
    plant.expect(&[("line.deep", r#""{\"t\":\"template\"}""#)], "depth");
}

#[test]
fn a_flood_of_nodes_is_bounded() {
    let mut plant = Plant::new();
    for n in 0..11_000 {
        plant.says(&format!("spBv1.0/g/NBIRTH/n{n}"), payload(0, vec![metric("m", 3, MetricValue::Int(1))]));
    }
    assert!(plant.rejected.len() >= 1_000, "{}", plant.rejected.len());
    assert!(plant.rejected[0].contains("10000 nodes are known"), "{}", plant.rejected[0]);
    // One that is not there gives its place.
    plant.says("spBv1.0/g/NDEATH/n5", death(0));
    let n = plant.rejected.len();
    plant.says("spBv1.0/g/NBIRTH/late", payload(0, vec![metric("m", 3, MetricValue::Int(1))]));
    assert_eq!(plant.rejected.len(), n);
}

fn any_value() -> impl Strategy<Value = Option<MetricValue>> {
    prop_oneof![
        any::<u32>().prop_map(MetricValue::Int),
        any::<u64>().prop_map(MetricValue::Long),
        any::<f32>().prop_map(MetricValue::Float),
        any::<f64>().prop_map(MetricValue::Double),
        any::<bool>().prop_map(MetricValue::Boolean),
        ".{0,12}".prop_map(MetricValue::String),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(MetricValue::Bytes),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(MetricValue::DataSet),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(MetricValue::Template),
    ]
    .prop_map(Some)
}

fn any_metric() -> impl Strategy<Value = Metric> {
    let flags = (
        proptest::option::weighted(0.2, any::<bool>()),
        proptest::option::weighted(0.2, any::<bool>()),
        proptest::option::weighted(0.1, any::<bool>()),
    );
    let name = proptest::option::of(prop_oneof!["[ab/]{0,3}", "(Outputs|Node Control)/[ab]", Just("bdSeq".to_owned())]);
    let times = prop_oneof![Just(None), any::<u64>().prop_map(Some), (0..100u64).prop_map(|ms| Some(now_ms(BEGAN) + ms))];
    let properties = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20));
    (name, proptest::option::of(0..4u64), proptest::option::of(0..40u32), times, flags, properties, any_value()).prop_map(
        |(name, alias, datatype, timestamp, (is_historical, is_transient, is_null), properties, value)| Metric {
            name,
            alias,
            timestamp,
            datatype,
            is_historical,
            is_transient,
            is_null,
            metadata: properties.clone(),
            properties,
            value,
        },
    )
}

fn any_message() -> impl Strategy<Value = (usize, Vec<u8>, i64)> {
    let payload = (proptest::option::of(0..300u64), proptest::option::of(0..6u64), proptest::collection::vec(any_metric(), 0..5))
        .prop_map(|(at, seq, metrics)| Payload { timestamp: at.map(|at| now_ms(BEGAN) + at), metrics, seq }.encode_to_vec());
    // Some with a byte that is another.
    let changed = (payload, proptest::option::weighted(0.2, (any::<prop::sample::Index>(), any::<u8>()))).prop_map(|(mut payload, change)| {
        if let Some((at, byte)) = change.filter(|_| !payload.is_empty()) {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        payload
    });
    (0..7usize, changed, prop_oneof![Just(0), 0..20_000i64])
}

/// Each number shown is finite, each text is short, and nothing of a stranger's text is a control character.
fn check_shown(plant: &Plant) {
    for view in plant.fleet.entities() {
        match view.v {
            Some(Value::Number(n)) => assert!(n.is_finite()),
            Some(Value::Text(text)) => assert!(text.chars().count() <= 255 && !text.chars().any(char::is_control), "{text:?}"),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_message_panics(messages in proptest::collection::vec(any_message(), 1..25)) {
        let topics = [NBIRTH, NDATA, NDEATH, DBIRTH, DDATA, DDEATH, "spBv1.0/plant/NBIRTH/other"];
        let mut plant = Plant::new();
        for (topic, payload, pause) in messages {
            plant.says(topics[topic], payload);
            plant.wait(pause);
            check_shown(&plant);
        }
        for view in plant.fleet.entities() {
            let action: Action = serde_json::from_str(r#"{"action":"set","value":3}"#).expect("an action");
            plant.feed(Input::Command { id: "c".into(), entity: view.id, action });
        }
    }

    #[test]
    fn no_bytes_panic(topic in 0..6usize, payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        let topics = [NBIRTH, NDATA, NDEATH, DBIRTH, DDATA, DDEATH];
        let mut plant = born();
        plant.says(topics[topic], payload);
        plant.wait(40_000);
        check_shown(&plant);
    }

    #[test]
    fn messages_in_any_order_come_to_what_was_said_last(order in Just((2..30u64).collect::<Vec<_>>()).prop_shuffle()) {
        let mut plant = born();
        for seq in order {
            plant.says(NDATA, count(seq, u32::try_from(seq).expect("small")));
        }
        prop_assert_eq!((plant.value("line.counter"), plant.asked.len()), ("29.0".to_owned(), 0));
    }
}
