//! What simulated devices write, and which commands they understand.

use domain::time::Timestamp;
use domain::value::{LightState, OnOff, Value};
use serde_json::{Map, Value as Json, json};

use super::curve::Model;
use super::device::{ControlKind, Form, Sensor};

/// The coolest and the warmest white that a simulated light makes, in kelvin.
const COLOR_TEMP: std::ops::RangeInclusive<u16> = 2_200..=6_500;

/// The payload of a sensor at a moment.
#[must_use]
pub fn reading(sensor: &Sensor, now: Timestamp) -> String {
    let mut values = sensor.measured.iter().map(|m| (m.key, number_or_word(&m.model, now)));
    match sensor.form {
        Form::Leaves => Json::Object(values.map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>()).to_string(),
        Form::Object { unit } => json!({ "value": values.next().map(|(_, value)| value), "unit": unit, "ts": now.as_ms() }).to_string(),
        Form::Words(yes, no) => match values.next() {
            Some((_, Json::Bool(true))) => yes.to_owned(),
            _ => no.to_owned(),
        },
        Form::Plain => sensor.measured.first().map_or_else(String::new, |m| plain(&m.model, now)),
    }
}

/// A number with the decimals of its device (`21.0`, not `21`), a word as it is, `on` or `off`.
fn plain(model: &Model, now: Timestamp) -> String {
    match model.value_at(now) {
        Value::Number(n) => format!("{n:.*}", model.decimals().map_or(3, usize::from)),
        Value::Text(text) => text,
        value => on_off(value.is_on() == Some(true)).to_owned(),
    }
}

fn number_or_word(model: &Model, now: Timestamp) -> Json {
    match model.value_at(now) {
        // With the decimals of the device here too: 412, not 412.0.
        Value::Number(n) => serde_json::from_str(&plain(model, now)).unwrap_or_else(|_| json!(n)),
        Value::Text(text) => json!(text),
        value => json!(value.is_on() == Some(true)),
    }
}

/// The state of a light (JSON) or of a switch (`on`, `off`) as it is reported.
#[must_use]
pub fn state(kind: ControlKind, state: LightState) -> String {
    match kind {
        ControlKind::Switch => on_off(state.state == OnOff::On).to_owned(),
        ControlKind::Light => serde_json::to_string(&state).expect("a state has only words and numbers"),
    }
}

const fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// A command as a device understands it; what is `None` stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// On or off.
    pub state: Option<OnOff>,
    /// Per cent, 0 to 100.
    pub brightness: Option<u8>,
    /// Kelvin.
    pub color_temp: Option<u16>,
}

impl Command {
    /// Reads `on`, `off`, or `{"state":"on","brightness":80,"color_temp":2700}` in any case of letters. `None` for everything else:
    /// a device does not answer what it does not understand.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(payload).ok()?.trim();
        if let Some(state) = word(text) {
            return Some(Self { state: Some(state), brightness: None, color_temp: None });
        }
        let Json::Object(object) = serde_json::from_str(text).ok()? else { return None };
        let state = match object.get("state") {
            Some(Json::String(text)) => Some(word(text)?),
            Some(Json::Bool(on)) => Some(OnOff::from(*on)),
            Some(_) => return None,
            None => None,
        };
        let number = |key: &str, low: f64, high: f64| Some(object.get(key)?.as_f64()?.round().clamp(low, high) as u16);
        let brightness = number("brightness", 0.0, 100.0).and_then(|percent| u8::try_from(percent).ok());
        let color_temp = number("color_temp", f64::from(*COLOR_TEMP.start()), f64::from(*COLOR_TEMP.end()));
        let command = Self { state, brightness, color_temp };
        (command != Self { state: None, brightness: None, color_temp: None }).then_some(command)
    }

    /// The state after the command. A light that is told a brightness alone turns on; a switch knows nothing of brightness.
    #[must_use]
    pub fn applied_to(self, before: LightState) -> LightState {
        let dimmable = before.brightness.is_some();
        let lit = if dimmable { self.brightness.map(|percent| OnOff::from(percent > 0)) } else { None };
        LightState {
            state: self.state.or(lit).unwrap_or(before.state),
            brightness: before.brightness.map(|was| self.brightness.filter(|&percent| percent > 0).unwrap_or(was)),
            color_temp: before.color_temp.map(|was| self.color_temp.unwrap_or(was)),
            ..LightState::new(before.state)
        }
    }
}

fn word(text: &str) -> Option<OnOff> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" => Some(OnOff::On),
        "off" | "false" => Some(OnOff::Off),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::curve::Curve;
    use crate::simulator::device::{Measured, Shown};
    use proptest::prelude::*;

    fn check(form: Form, models: &[(&'static str, Model)], expected: &str) {
        let measured = models.iter().map(|(key, model)| Measured::new(key, Shown::default(), model.clone())).collect();
        let sensor = Sensor { topic: "sensors/a/b".into(), every_ms: 1_000, form, measured };
        assert_eq!(reading(&sensor, Timestamp::from_ms(1_781_273_006_000)), expected);
    }

    #[test]
    fn readings_are_written_in_the_form_of_their_device() {
        use crate::simulator::curve::{Spells, Words};
        let number = |n| Model::Number(Curve::flat(n, 1));
        check(Form::Plain, &[("t", number(21.0))], "21.0");
        check(Form::Plain, &[("t", Model::Text(Words::new(&["Auto, drip"], 60, 1.0)))], "Auto, drip");
        check(Form::Plain, &[("t", Model::Binary(Spells::always(true)))], "on");
        check(Form::Words("open", "closed"), &[("d", Model::Binary(Spells::always(true)))], "open");
        check(Form::Words("open", "closed"), &[("d", Model::Binary(Spells::always(false)))], "closed");
        check(Form::Object { unit: "V" }, &[("u", number(12.1))], r#"{"ts":1781273006000,"unit":"V","value":12.1}"#);
        check(Form::Leaves, &[("power", Model::Number(Curve::flat(412.0, 0))), ("energy", number(6.8))], r#"{"energy":6.8,"power":412}"#);
    }

    #[test]
    fn commands_are_understood_as_text_and_as_json() {
        let command = |state, brightness, color_temp| Some(Command { state, brightness, color_temp });
        for (payload, expected) in [
            ("on", command(Some(OnOff::On), None, None)),
            (" OFF\n", command(Some(OnOff::Off), None, None)),
            (r#"{"state":"on"}"#, command(Some(OnOff::On), None, None)),
            (r#"{"state":"on","brightness":80,"color_temp":2700}"#, command(Some(OnOff::On), Some(80), Some(2_700))),
            (r#"{"brightness":900,"color_temp":1}"#, command(None, Some(100), Some(2_200))),
            (r#"{"state":"purple"}"#, None),
            (r#"{"state":3}"#, None),
            ("{}", None),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(Command::parse(payload.as_bytes()), expected, "{payload}");
        }
    }

    #[test]
    fn a_light_keeps_its_brightness_while_it_is_off() {
        let lit = LightState { brightness: Some(65), color_temp: Some(2_900), ..LightState::new(OnOff::On) };
        let after = |payload: &str| Command::parse(payload.as_bytes()).expect("a command").applied_to(lit);
        assert_eq!(after("off"), LightState { state: OnOff::Off, ..lit });
        assert_eq!(after(r#"{"brightness":0}"#), LightState { state: OnOff::Off, ..lit });
        assert_eq!(after(r#"{"state":"on","brightness":20}"#), LightState { brightness: Some(20), ..lit });
    }

    #[test]
    fn a_switch_has_no_brightness() {
        let off = LightState::new(OnOff::Off);
        let command = Command::parse(br#"{"brightness":80}"#).expect("a command");
        assert_eq!(command.applied_to(off), off);
    }

    proptest! {
        #[test]
        fn no_payload_breaks_a_device(payload in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC*") {
            let _: Option<Command> = Command::parse(&payload).or(Command::parse(text.as_bytes()));
        }
    }
}
