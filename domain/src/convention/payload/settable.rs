//! What something that can be set says of itself: the bare value, or a JSON object that holds it.

use super::{MAX_TEXT_CHARS, PayloadError, Sample, decode, decode_light, decode_switch, shown};
use crate::device::clean_text;
use crate::entity::EntityKind;
use crate::value::{ClimateState, CoverState, CoverWord, Value, number_words};

/// The state of an entity of some kind, given what it said before; `None` for an empty payload.
///
/// # Errors
/// [`PayloadError`] when it is none.
pub fn decode_state(kind: EntityKind, payload: &[u8], before: Option<&Value>) -> Result<Option<Value>, PayloadError> {
    match kind {
        EntityKind::Light => return decode_light(payload),
        EntityKind::Switch | EntityKind::Fan => return decode_switch(payload),
        _ => {}
    }
    let samples = decode(payload)?.samples;
    if samples.is_empty() && payload.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let said = Said { samples: &samples, payload };
    match kind {
        EntityKind::Number => match said.main() {
            Some(Value::Number(n)) => Ok(Some(Value::Number(*n))),
            _ => Err(said.unexpected("number")),
        },
        EntityKind::Cover => said.cover(before).map(Some),
        EntityKind::Climate => said.climate(before).map(Some),
        // What looks like a number is a word of a select as well as any.
        _ => said.main().map(|value| Some(Value::Text(text(value)))).ok_or_else(|| said.unexpected("text")),
    }
}

/// The error that a device reports beside its state, `{"state":"off","error":"jammed"}`; `None` where there is none.
#[must_use]
pub fn complaint(payload: &[u8]) -> Option<String> {
    let samples = if payload.first() == Some(&b'{') { decode(payload).ok()?.samples } else { return None };
    match (Said { samples: &samples, payload }).find("error") {
        Some(Value::Text(error)) if !error.trim().is_empty() => Some(shown(error.trim())),
        _ => None,
    }
}

/// What one message says.
struct Said<'a> {
    samples: &'a [Sample],
    payload: &'a [u8],
}

impl Said<'_> {
    fn find(&self, leaf: &str) -> Option<&Value> {
        self.samples.iter().find(|sample| sample.leaf == leaf).map(|sample| &sample.value)
    }

    /// The bare value, or that of an object: `{"value":3}`, `{"state":3}`.
    fn main(&self) -> Option<&Value> {
        self.find("").or_else(|| self.find("state"))
    }

    fn number(&self, leaf: &str) -> Option<f64> {
        match self.find(leaf) {
            Some(Value::Number(n)) => Some(*n),
            _ => None,
        }
    }

    fn word(&self, leaf: &str) -> Option<String> {
        self.find(leaf).map(text).filter(|word| !word.is_empty())
    }

    /// `open`, `40`, `{"state":"opening","position":40}`.
    fn cover(&self, before: Option<&Value>) -> Result<Value, PayloadError> {
        let wrong = || self.unexpected("open, closed, opening, closing or stopped, nor a position");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held between 0 and 100")]
        let percent = |n: f64| n.round().clamp(0.0, 100.0) as u8;
        let bare = self.number("");
        let position = self.number("position").or(bare).map(percent);
        let word = match self.main() {
            Some(Value::Text(word)) => Some(cover_word(word).ok_or_else(wrong)?),
            // Some say on and off, or open and closed as yes and no.
            Some(Value::Bool(open)) => Some(if *open { CoverWord::Open } else { CoverWord::Closed }),
            Some(Value::Number(_)) if bare.is_none() => return Err(wrong()),
            _ => None,
        };
        let state = match (word, position) {
            (Some(word), _) => word,
            (None, Some(0)) => CoverWord::Closed,
            (None, Some(_)) => CoverWord::Open,
            (None, None) => return Err(wrong()),
        };
        let known = match before {
            Some(Value::Cover(cover)) => cover.position,
            _ => None,
        };
        // A word alone says nothing of where it stands, unless it is closed.
        let position = position.or(if state == CoverWord::Closed { known.map(|_| 0) } else { known.filter(|&known| known > 0) });
        Ok(Value::Cover(CoverState { state, position }))
    }

    /// `heat`, `21.5`, `{"mode":"heat","temperature":21.5,"current_temperature":19}`: what is not said stays as it was.
    fn climate(&self, before: Option<&Value>) -> Result<Value, PayloadError> {
        let mut climate = match before {
            Some(Value::Climate(climate)) => (**climate).clone(),
            _ => ClimateState::default(),
        };
        let said = ClimateState {
            mode: self.word("mode").or_else(|| self.main().filter(|value| !matches!(value, Value::Number(_))).map(text)),
            temperature: self.number("temperature").or_else(|| self.number("")),
            current_temperature: self.number("current_temperature"),
            fan_mode: self.word("fan_mode"),
            preset: self.word("preset"),
        };
        if said == ClimateState::default() {
            return Err(self.unexpected("mode, temperature, fan_mode or preset"));
        }
        climate.mode = said.mode.or(climate.mode);
        climate.temperature = said.temperature.or(climate.temperature);
        climate.current_temperature = said.current_temperature.or(climate.current_temperature);
        climate.fan_mode = said.fan_mode.or(climate.fan_mode);
        climate.preset = said.preset.or(climate.preset);
        Ok(Value::Climate(Box::new(climate)))
    }

    fn unexpected(&self, wanted: &'static str) -> PayloadError {
        PayloadError::Unexpected { text: shown(&String::from_utf8_lossy(self.payload)), wanted }
    }
}

fn cover_word(word: &str) -> Option<CoverWord> {
    match word.to_ascii_lowercase().as_str() {
        "opened" => Some(CoverWord::Open),
        "close" => Some(CoverWord::Closed),
        "stop" => Some(CoverWord::Stopped),
        word => CoverWord::parse(word),
    }
}

fn text(value: &Value) -> String {
    match value {
        // A number may have three hundred digits.
        Value::Number(n) => clean_text(&number_words(*n, None), MAX_TEXT_CHARS),
        Value::Bool(on) => if *on { "on" } else { "off" }.to_owned(),
        other => clean_text(&other.words(None), MAX_TEXT_CHARS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KINDS: [EntityKind; 5] = [EntityKind::Number, EntityKind::Select, EntityKind::Text, EntityKind::Cover, EntityKind::Climate];

    fn told(kind: EntityKind, payload: &str, before: Option<&str>) -> String {
        let before = before.map(|json| serde_json::from_str(json).expect("a value"));
        match decode_state(kind, payload.as_bytes(), before.as_ref()) {
            Ok(Some(value)) => serde_json::to_string(&value).expect("JSON"),
            Ok(None) => "nothing".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_state_is_bare_or_in_an_object() {
        use EntityKind::{Climate, Cover, Number, Select, Text};
        for (kind, payload, expected) in [
            (Number, "21.5", "21.5"),
            (Number, r#"{"value":21.5}"#, "21.5"),
            (Number, r#"{"state":3,"linkquality":20}"#, "3.0"),
            (Number, "warm", "\"warm\" is no number"),
            (Number, "", "nothing"),
            (Select, "Eco", "\"Eco\""),
            (Select, "3", "\"3\""),
            (Select, r#"{"state":"Eco"}"#, "\"Eco\""),
            (Text, "on", "\"on\""),
            (Cover, "OPEN", r#"{"state":"open"}"#),
            (Cover, "40", r#"{"state":"open","position":40}"#),
            (Cover, "0", r#"{"state":"closed","position":0}"#),
            (Cover, r#"{"state":"closing","position":12.4}"#, r#"{"state":"closing","position":12}"#),
            (Cover, r#"{"position":400}"#, r#"{"state":"open","position":100}"#),
            (Cover, "ajar", "\"ajar\" is no open, closed, opening, closing or stopped, nor a position"),
            (Climate, "heat", r#"{"mode":"heat"}"#),
            (Climate, "21.5", r#"{"temperature":21.5}"#),
            (Climate, r#"{"mode":"heat","temperature":21,"preset":"away"}"#, r#"{"mode":"heat","temperature":21.0,"preset":"away"}"#),
            (Climate, r#"{"humidity":21}"#, "\"{\"humidity\":21}\" is no mode, temperature, fan_mode or preset"),
        ] {
            assert_eq!(told(kind, payload, None), expected, "{kind:?} {payload}");
        }
    }

    #[test]
    fn what_is_not_said_stays_as_it_was() {
        let open = r#"{"state":"open","position":40}"#;
        assert_eq!(told(EntityKind::Cover, "opening", Some(open)), r#"{"state":"opening","position":40}"#);
        assert_eq!(told(EntityKind::Cover, "closed", Some(open)), r#"{"state":"closed","position":0}"#);
        assert_eq!(told(EntityKind::Climate, "20", Some(r#"{"mode":"heat","temperature":21}"#)), r#"{"mode":"heat","temperature":20.0}"#);
    }

    #[test]
    fn a_device_complains_in_a_field_of_its_own() {
        assert_eq!(complaint(br#"{"state":"off","error":"jammed\u0007"}"#).as_deref(), Some("jammed"));
        for fine in [br#"{"state":"off","error":""}"#.as_slice(), br#"{"state":"off","error":null}"#, b"error", b"{", b""] {
            assert_eq!(complaint(fine), None, "{}", String::from_utf8_lossy(fine));
        }
    }

    proptest! {
        #[test]
        fn no_payload_panics_and_what_is_read_can_be_stored(payload in r#"[ -~]{0,60}|[{]"(state|position|mode|temperature|value)":[-0-9."a-z]{0,9}[}]"#) {
            for kind in KINDS {
                if let Ok(Some(value)) = decode_state(kind, payload.as_bytes(), None) {
                    let json = serde_json::to_string(&value).expect("JSON");
                    prop_assert_eq!(serde_json::from_str::<Value>(&json).expect("reads back"), value);
                }
            }
            let _: Option<String> = complaint(payload.as_bytes());
        }
    }
}
