//! What a request or a frame asks for: hostile JSON until it is read here. Every error names its field.

use serde_json::{Map, Value as Json};

use super::{Action, Paint, Refusal, Wish};
use crate::device::clean_text;
use crate::value::{Color, Effect, Value};

/// Longest text that a command may hold, in characters.
const MAX_TEXT_CHARS: usize = 255;

/// A field of a command that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct BadField {
    /// Which one.
    pub field: String,
    /// What is wrong with it, with what is expected.
    pub reason: String,
}

impl From<BadField> for Refusal {
    fn from(BadField { field, reason }: BadField) -> Self {
        Self::Invalid { field, reason }
    }
}

const ACTIONS: &str = "turn_on, turn_off, toggle, set, press, open, close, stop, lock or unlock";

impl Action {
    /// Reads an action. A field that the action does not have is refused: left out, it would change what is done.
    ///
    /// # Errors
    /// [`BadField`], the first one.
    pub fn read(fields: &Map<String, Json>) -> Result<Self, BadField> {
        let read = Reading(fields);
        let action = match fields.get("action") {
            None => return Err(bad("action", format!("is missing, expected {ACTIONS}"))),
            Some(Json::String(action)) => action.as_str(),
            Some(other) => return Err(cannot("action", other, ACTIONS)),
        };
        match action {
            "turn_on" => {
                read.only(action, &["brightness", "color_temp", "color", "effect", "transition_s"])?;
                let paint = Paint {
                    brightness: read.whole("brightness", "a whole number from 0 to 100")?,
                    color_temp: read.whole("color_temp", "a whole number of kelvin from 1000 to 20000")?,
                    color: read.color()?,
                    effect: read.effect()?,
                    transition_s: read.number("transition_s")?,
                };
                Ok(match paint {
                    Paint { brightness, color_temp, color: None, effect: None, transition_s: None } => Self::TurnOn { brightness, color_temp },
                    paint => Self::Paint(Box::new(paint)),
                })
            }
            "set" => {
                read.only(action, &["value", "position", "temperature", "mode", "fan_mode", "preset"])?;
                Ok(Self::Set(Box::new(Wish {
                    value: read.value()?,
                    position: read.whole("position", "a whole number from 0 to 100")?,
                    temperature: read.number("temperature")?,
                    mode: read.text("mode")?,
                    fan_mode: read.text("fan_mode")?,
                    preset: read.text("preset")?,
                })))
            }
            _ => {
                let plain = match action {
                    "turn_off" => Self::TurnOff {},
                    "toggle" => Self::Toggle {},
                    "press" => Self::Press {},
                    "open" => Self::Open {},
                    "close" => Self::Close {},
                    "stop" => Self::Stop {},
                    "lock" => Self::Lock {},
                    "unlock" => Self::Unlock {},
                    _ => return Err(cannot("action", &fields["action"], ACTIONS)),
                };
                read.only(action, &[]).map(|()| plain)
            }
        }
    }
}

struct Reading<'a>(&'a Map<String, Json>);

impl Reading<'_> {
    fn only(&self, action: &str, known: &[&str]) -> Result<(), BadField> {
        match self.0.keys().find(|key| *key != "action" && !known.contains(&key.as_str())) {
            Some(unknown) => Err(bad(&clean_text(unknown, 40), format!("is an unknown field of {action}"))),
            None => Ok(()),
        }
    }

    /// A field that is there and not null.
    fn get(&self, field: &str) -> Option<&Json> {
        self.0.get(field).filter(|json| !json.is_null())
    }

    fn whole<T: TryFrom<u64>>(&self, field: &'static str, expected: &str) -> Result<Option<T>, BadField> {
        let Some(json) = self.get(field) else { return Ok(None) };
        let n = json.as_u64().and_then(|n| T::try_from(n).ok());
        n.map(Some).ok_or_else(|| cannot(field, json, expected))
    }

    fn number(&self, field: &'static str) -> Result<Option<f64>, BadField> {
        let Some(json) = self.get(field) else { return Ok(None) };
        json.as_f64().filter(|n| n.is_finite()).map(Some).ok_or_else(|| cannot(field, json, "a number"))
    }

    fn text(&self, field: &'static str) -> Result<Option<String>, BadField> {
        let Some(json) = self.get(field) else { return Ok(None) };
        let text = json.as_str().filter(|text| !text.is_empty() && is_clean(text));
        text.map(|text| Some(text.to_owned())).ok_or_else(|| cannot(field, json, "a text of 1 to 255 characters"))
    }

    fn effect(&self) -> Result<Option<Effect>, BadField> {
        let Some(json) = self.get("effect") else { return Ok(None) };
        let effect = json.as_str().filter(|text| is_clean(text)).and_then(Effect::new);
        effect.map(Some).ok_or_else(|| cannot("effect", json, "a name of 1 to 32 bytes"))
    }

    fn value(&self) -> Result<Option<Value>, BadField> {
        let Some(json) = self.get("value") else { return Ok(None) };
        let value = match json {
            Json::Number(n) => n.as_f64().filter(|n| n.is_finite()).map(Value::Number),
            Json::String(text) if is_clean(text) => Some(Value::Text(text.clone())),
            _ => None,
        };
        value.map(Some).ok_or_else(|| cannot("value", json, "a number, or a text of at most 255 characters"))
    }

    fn color(&self) -> Result<Option<Color>, BadField> {
        let Some(json) = self.get("color") else { return Ok(None) };
        let part = |name: &str| json.get(name).and_then(Json::as_u64).and_then(|n| u8::try_from(n).ok());
        match (json.as_object().map(Map::len), part("r"), part("g"), part("b")) {
            (Some(3), Some(r), Some(g), Some(b)) => Ok(Some(Color { r, g, b })),
            _ => Err(cannot("color", json, "{\"r\",\"g\",\"b\"} of whole numbers from 0 to 255")),
        }
    }
}

/// Nothing in it that could be taken for something else in a log, on a page or on the wire.
fn is_clean(text: &str) -> bool {
    text.chars().count() <= MAX_TEXT_CHARS && clean_text(text, MAX_TEXT_CHARS) == *text
}

fn bad(field: &str, reason: String) -> BadField {
    BadField { field: field.to_owned(), reason }
}

fn cannot(field: &str, json: &Json, expected: &str) -> BadField {
    bad(field, format!("cannot be {}, expected {expected}", clean_text(&json.to_string(), 60)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Action, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn actions_travel_as_the_contract_writes_them() {
        for text in [
            r#"{"action":"turn_on","brightness":80}"#,
            r#"{"action":"turn_on","brightness":80,"color_temp":2700,"color":{"r":255,"g":0,"b":9},"effect":"Rainbow","transition_s":1.5}"#,
            r#"{"action":"turn_off"}"#,
            r#"{"action":"toggle"}"#,
            r#"{"action":"set","value":21.5}"#,
            r#"{"action":"set","value":"Eco"}"#,
            r#"{"action":"set","position":40}"#,
            r#"{"action":"set","temperature":21.0,"mode":"heat","fan_mode":"low","preset":"away"}"#,
            r#"{"action":"press"}"#,
            r#"{"action":"open"}"#,
            r#"{"action":"close"}"#,
            r#"{"action":"stop"}"#,
            r#"{"action":"lock"}"#,
            r#"{"action":"unlock"}"#,
        ] {
            assert_eq!(serde_json::to_string(&read(text).expect(text)).expect("JSON"), text);
        }
        assert_eq!(
            read(r#"{"brightness":80,"action":"turn_on","effect":null}"#).expect("reads"),
            Action::TurnOn { brightness: Some(80), color_temp: None }
        );
    }

    #[test]
    fn a_bad_field_is_named_with_what_is_expected() {
        for (text, message) in [
            (
                r#"{"action":"explode"}"#,
                "action cannot be \"explode\", expected turn_on, turn_off, toggle, set, press, open, close, stop, lock or unlock",
            ),
            ("{}", "action is missing, expected turn_on, turn_off, toggle, set, press, open, close, stop, lock or unlock"),
            (r#"{"action":"turn_on","brightness":300}"#, "brightness cannot be 300, expected a whole number from 0 to 100"),
            (r#"{"action":"turn_on","brightness":"high"}"#, "brightness cannot be \"high\", expected a whole number from 0 to 100"),
            (r#"{"action":"turn_on","brigthness":3}"#, "brigthness is an unknown field of turn_on"),
            (r#"{"action":"press","value":3}"#, "value is an unknown field of press"),
            (
                r#"{"action":"turn_on","color":{"r":1,"g":2}}"#,
                "color cannot be {\"g\":2,\"r\":1}, expected {\"r\",\"g\",\"b\"} of whole numbers from 0 to 255",
            ),
            (r#"{"action":"set","value":true}"#, "value cannot be true, expected a number, or a text of at most 255 characters"),
            (r#"{"action":"set","mode":""}"#, "mode cannot be \"\", expected a text of 1 to 255 characters"),
            (r#"{"action":"set","position":-1}"#, "position cannot be -1, expected a whole number from 0 to 100"),
        ] {
            let told = read(text).expect_err(text).to_string();
            assert!(told.starts_with(message), "{told}");
        }
    }

    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            ".{0,12}".prop_map(Json::from),
            Just(Json::from("turn_on")),
            Just(Json::from("set")),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            prop::collection::btree_map("[rgb]", inner, 0..3).prop_map(|map| Json::Object(map.into_iter().collect()))
        })
    }

    proptest! {
        /// What can be read is written as it was read, and nothing panics.
        #[test]
        fn what_is_read_is_written_and_read_again(
            fields in prop::collection::btree_map("action|brightness|color_temp|color|effect|transition_s|value|position|mode|x", json(), 0..5),
            action in prop_oneof![Just("turn_on"), Just("set"), Just("press"), Just("fly")],
        ) {
            let mut fields: Map<String, Json> = fields.into_iter().collect();
            fields.entry("action").or_insert_with(|| action.into());
            if let Ok(action) = Action::read(&fields) {
                let again = serde_json::to_string(&action).ok().and_then(|text| serde_json::from_str::<Action>(&text).ok());
                prop_assert_eq!(again, Some(action));
            }
        }
    }
}
