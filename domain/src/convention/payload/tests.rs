//! What payloads say, by example.

use proptest::prelude::*;

use super::*;
use crate::value::LightState;

fn check(payload: &str, expected: &[(&str, Value)]) {
    let got = decode(payload.as_bytes()).expect(payload);
    let got: Vec<(&str, Value)> = got.samples.iter().map(|s| (s.leaf.as_str(), s.value.clone())).collect();
    assert_eq!(got, expected, "{payload}");
}

#[test]
fn payloads_are_read_as_devices_write_them() {
    use Value::{Bool, Number, Text};
    check("23.4", &[("", Number(23.4))]);
    check(" -1e3\n", &[("", Number(-1000.0))]);
    check("\"23.4\"", &[("", Number(23.4))]);
    check("23.4 °C", &[("", Number(23.4))]);
    check("56%", &[("", Number(56.0))]);
    check("ON", &[("", Bool(true))]);
    check("closed", &[("", Bool(false))]);
    check("Auto, drip", &[("", Text("Auto, drip".into()))]);
    check("", &[]);
    check(r#"{"value":3,"unit":"bar"}"#, &[("", Number(3.0))]);
    check(r#"{"battery":{"voltage":3.1,"low":false},"list":[1]}"#, &[("battery.low", Bool(false)), ("battery.voltage", Number(3.1))]);
    check(r#"[{"ts":1,"value":1},{"ts":2,"values":{"a":2}}]"#, &[("", Number(1.0)), ("a", Number(2.0))]);
    check("<b>x</b>", &[("", Text("<b>x</b>".into()))]);
}

#[test]
fn what_is_no_reading_is_refused_by_name() {
    for (payload, words) in [
        ("NaN", "\"NaN\" is no finite number"),
        ("1e999", "\"1e999\" is no finite number"),
        ("{\"a\":", "payload is no JSON that can be read"),
        ("[1,2]", "a batch is a list of objects"),
    ] {
        let error = decode(payload.as_bytes()).expect_err(payload).to_string();
        assert!(error.contains(words), "{payload}: {error}");
    }
    assert_eq!(decode(&[0xff, 0xfe]), Err(PayloadError::Binary("2 bytes ff fe".into())));
    assert_eq!(decode(&vec![b'1'; MAX_PAYLOAD_BYTES + 1]), Err(PayloadError::TooLarge(MAX_PAYLOAD_BYTES + 1)));
    let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    assert!(decode(deep.as_bytes()).is_err());
    let wide = format!("{{{}}}", (0..=MAX_VALUES).map(|i| format!("\"k{i}\":1")).collect::<Vec<_>>().join(","));
    assert!(decode(wide.as_bytes()).is_err());
}

#[test]
fn device_times_are_read_by_their_size() {
    let ms = Some(Timestamp::from_ms(1_781_273_006_000));
    for ts in [
        "1781273006",
        "1781273006000",
        "1781273006000000",
        "1781273006000000000",
        "\"1781273006\"",
        "1781273006.0",
        "\"2026-06-12T14:03:26Z\"",
        "\"2026-06-12T14:03:26\"",
        "\"2026-06-12T16:03:26+02:00\"",
    ] {
        let payload = format!("{{\"value\":1,\"ts\":{ts}}}");
        assert_eq!(decode(payload.as_bytes()).expect("reads").samples[0].taken_at, ms, "{ts}");
    }
}

#[test]
fn lights_say_on_or_off_and_how_bright() {
    let light = |payload: &[u8]| decode_light(payload);
    let state = |on: bool, brightness, color_temp| Ok(Some(Value::Light(LightState { brightness, color_temp, ..LightState::new(on.into()) })));
    assert_eq!(light(br#"{"state":"on","brightness":80}"#), state(true, Some(80), None));
    assert_eq!(light(br#"{"state":"OFF","color_temp":2700}"#), state(false, None, Some(2700)));
    assert_eq!(light(b"on"), state(true, None, None));
    assert_eq!(light(b"1"), state(true, None, None));
    assert_eq!(light(br#"{"state":"on","brightness":900}"#), state(true, Some(100), None));
    assert_eq!(light(b""), Ok(None));
    assert!(light(b"purple").is_err() && light(b"{}").is_err() && light(b"12").is_err());
}

#[test]
fn availability_has_many_words() {
    for (payload, online) in
        [("online", Some(true)), ("Offline", Some(false)), (r#"{"state":"online"}"#, Some(true)), ("lost", Some(false)), ("21", None), ("{}", None)]
    {
        assert_eq!(availability_word(payload.as_bytes()), online, "{payload}");
    }
}

proptest! {
    #[test]
    fn no_payload_panics(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = (decode(&payload), decode_light(&payload), availability_word(&payload));
    }

    #[test]
    fn no_text_panics_and_every_number_is_finite(payload in r#"[ -~\[\]{}":,0-9eE.+µ°-]{0,80}"#) {
        for sample in decode(payload.as_bytes()).unwrap_or_default().samples {
            if let Value::Number(n) = sample.value {
                prop_assert!(n.is_finite());
            }
        }
    }

    #[test]
    fn every_finite_number_reads_back(n in proptest::num::f64::NORMAL) {
        prop_assert_eq!(&decode(n.to_string().as_bytes()).expect("a number").samples[0].value, &Value::Number(n));
    }
}

/// What of a payload could not be read beside `samples` that could.
fn check_bad(payload: &str, samples: &[&str], bad: &[(Option<&str>, &str)]) {
    let decoded = decode(payload.as_bytes()).expect(payload);
    assert_eq!(decoded.samples.iter().map(|s| s.leaf.as_str()).collect::<Vec<_>>(), samples, "{payload}");
    let got: Vec<(Option<&str>, String)> = decoded.bad.iter().map(|bad| (bad.leaf.as_deref(), bad.error.to_string())).collect();
    assert_eq!(got.iter().map(|(leaf, error)| (*leaf, error.as_str())).collect::<Vec<_>>(), bad, "{payload}");
}

#[test]
fn what_is_no_value_leaves_the_values_beside_it() {
    check_bad(r#"{"a":1,"b":null}"#, &["a"], &[(Some("b"), "\"null\" is no finite number")]);
    check_bad(
        r#"{"a":NaN,"b":-Infinity,"c":1e999,"d":2}"#,
        &["d"],
        &[(Some("a"), "\"NaN\" is no finite number"), (Some("b"), "\"-Infinity\" is no finite number"), (Some("c"), "\"1e999\" is no finite number")],
    );
    check_bad(
        r#"{"a":"nan","b":[1],"value":null,"c\"NaN":1}"#,
        &["c\"NaN"],
        &[(Some("a"), "\"nan\" is no finite number"), (Some("b"), "\"a list\" is no single value"), (Some(""), "\"null\" is no finite number")],
    );
    check_bad(r#"{"battery":{"voltage":3}}"#, &["battery.voltage"], &[(Some("battery"), "\"an object\" is no single value")]);
    check_bad(r#"[{"ts":1,"v":1},7,{"ts":2,"v":2}]"#, &["", ""], &[(None, "payload is no JSON that can be read: a batch is a list of objects")]);
}

#[test]
fn a_batch_may_hold_more_rows_than_a_message_may_name_values() {
    let rows = (0..5_000).map(|n| format!("{{\"v\":{n}}}")).collect::<Vec<_>>().join(",");
    assert_eq!(decode(format!("[{rows}]").as_bytes()).expect("reads").samples.len(), 5_000);
    let leaves = (0..=MAX_VALUES).map(|n| format!("{{\"k{n}\":1}}")).collect::<Vec<_>>().join(",");
    assert!(decode(format!("[{leaves}]").as_bytes()).is_err());
}
