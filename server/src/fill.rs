//! What somebody fills into history: values as they are given, fitted to what the entity says otherwise.

use std::borrow::Cow;

use domain::convention::payload::{MAX_TEXT_CHARS, yes_no};
use domain::device::clean_text;
use domain::entity::{EntityId, EntityKind};
use domain::live::EntityView;
use domain::reading::Reading;
use domain::time::{SECOND_MS, Timestamp};
use domain::units::Conversion;
use domain::value::{LightState, Value};

/// Readings that are stored at once: some milliseconds, so that what devices say never waits long.
pub const PIECE: usize = 2_000;
/// A clock may be this far ahead of ours.
const MAX_AHEAD_MS: i64 = 10 * SECOND_MS;
/// The first and the last moment that is kept: those of a calendar.
const ENDS_MS: (i64, i64) = (-8_640_000_000_000_000, 8_640_000_000_000_000);

/// A value as it is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Given<'a> {
    /// A number; perhaps not a finite one.
    Number(f64),
    /// Yes or no.
    Bool(bool),
    /// A text, or anything written as one.
    Text(&'a str),
    /// The state of a light.
    Light(LightState),
    /// Nothing that any entity says.
    Odd,
}

/// What an entity says.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    entity: EntityId,
    wanted: Wanted,
    words: [Option<String>; 2],
    /// From the unit that the entity's history is in to the one that is shown.
    conversion: Option<Conversion>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Number,
    Text,
    /// It has said nothing yet.
    NumberOrText,
    OnOff,
    Light,
    /// It says nothing, ever.
    Nothing,
}

/// Why a reading cannot be filled in. The messages name what was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Not what the entity says.
    #[error("{given} is no {wanted}")]
    Value {
        /// What was given.
        given: String,
        /// What the entity says.
        wanted: &'static str,
    },
    /// Nothing that is a time.
    #[error("{0} is neither Unix milliseconds nor RFC 3339")]
    Time(String),
    /// Nobody measured it yet.
    #[error("{0} lies in the future")]
    Future(String),
    /// No calendar has it.
    #[error("{0} lies outside of all calendars")]
    Beyond(String),
    /// The entity says nothing that could be kept.
    #[error("{0} has no values")]
    Nothing(EntityId),
}

impl Target {
    /// What an entity that is seen like this says.
    #[must_use]
    pub fn of(view: &EntityView) -> Self {
        let wanted = match view.kind {
            EntityKind::Number => Wanted::Number,
            EntityKind::Sensor => match (&view.v, &view.unit) {
                (Some(Value::Text(_)), _) => Wanted::Text,
                (None, None) => Wanted::NumberOrText,
                _ => Wanted::Number,
            },
            EntityKind::Light => Wanted::Light,
            EntityKind::Select | EntityKind::Text => Wanted::Text,
            EntityKind::Button => Wanted::Nothing,
            EntityKind::BinarySensor | EntityKind::Switch | EntityKind::Cover | EntityKind::Climate | EntityKind::Fan | EntityKind::Lock => {
                Wanted::OnOff
            }
        };
        Self { entity: view.id.clone(), wanted, words: [view.word_off.clone(), view.word_on.clone()], conversion: None }
    }

    /// The same, where numbers are given in the unit that is shown and stored in the one that the device speaks in.
    #[must_use]
    pub fn converting(self, conversion: Option<Conversion>) -> Self {
        Self { conversion, ..self }
    }

    /// Whose readings they are.
    #[must_use]
    pub const fn entity(&self) -> &EntityId {
        &self.entity
    }

    /// A reading of the entity. Entity and time say which one it is, as if the device had said the time.
    ///
    /// # Errors
    /// [`Unfit`] when the value is none of the entity's, or `at` is not to be believed.
    pub fn reading(&self, at: Timestamp, given: Given<'_>, now: Timestamp) -> Result<Reading, Unfit> {
        let taken_at = at.as_ms();
        if !(ENDS_MS.0..=ENDS_MS.1).contains(&taken_at) {
            return Err(Unfit::Beyond(taken_at.to_string()));
        }
        if at > now.plus_ms(MAX_AHEAD_MS) {
            return Err(Unfit::Future(taken_at.to_string()));
        }
        let value = match (self.value(given)?, self.conversion) {
            (Value::Number(shown), Some(conversion)) => Value::Number(conversion.native(shown)),
            (value, _) => value,
        };
        Ok(Reading { entity: self.entity.clone(), value, taken_at: at, received_at: now, device_time: true })
    }

    fn value(&self, given: Given<'_>) -> Result<Value, Unfit> {
        let unfit = |wanted| Unfit::Value { given: shown(given).into_owned(), wanted };
        match self.wanted {
            Wanted::Number => number(given).map(Value::Number).ok_or_else(|| unfit("number")),
            Wanted::Text => text(given).ok_or_else(|| unfit("text")),
            Wanted::NumberOrText => number(given).map(Value::Number).or_else(|| text(given)).ok_or_else(|| unfit("number and no text")),
            Wanted::OnOff => self.on_off(given).map(Value::Bool).ok_or_else(|| unfit("state")),
            Wanted::Light => match given {
                Given::Light(light) => Ok(Value::Light(light)),
                given => {
                    let state = self.on_off(given).ok_or_else(|| unfit("state of a light"))?.into();
                    Ok(Value::Light(LightState::new(state)))
                }
            },
            Wanted::Nothing => Err(Unfit::Nothing(self.entity.clone())),
        }
    }

    /// `true`, 1, and the words for it.
    fn on_off(&self, given: Given<'_>) -> Option<bool> {
        match given {
            Given::Bool(on) => Some(on),
            Given::Number(n) if n == 0.0 || n == 1.0 => Some(n == 1.0),
            Given::Text(text) => {
                let own = |n: usize| self.words[n].as_ref().is_some_and(|word| word.eq_ignore_ascii_case(text));
                match text {
                    "1" => Some(true),
                    "0" => Some(false),
                    _ if own(1) => Some(true),
                    _ if own(0) => Some(false),
                    _ => yes_no(text),
                }
            }
            Given::Number(_) | Given::Light(_) | Given::Odd => None,
        }
    }
}

/// A finite number, also written as a text.
fn number(given: Given<'_>) -> Option<f64> {
    let number = match given {
        Given::Number(number) => number,
        // Words such as `inf` are numbers to the standard library.
        Given::Text(text) if text.bytes().any(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn text(given: Given<'_>) -> Option<Value> {
    match given {
        Given::Text(text) => Some(Value::Text(clean_text(text, MAX_TEXT_CHARS))),
        _ => None,
    }
}

/// What was given, as an error repeats it.
#[must_use]
pub fn shown(given: Given<'_>) -> Cow<'static, str> {
    match given {
        Given::Number(number) => number.to_string().into(),
        Given::Bool(on) => on.to_string().into(),
        Given::Text(text) => format!("\"{}\"", clean_text(text, 40)).into(),
        Given::Light(_) => "the state of a light".into(),
        Given::Odd => "what stands there".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::device::DeviceId;
    use domain::quality::Quality;
    use domain::value::OnOff;

    const NOW: Timestamp = Timestamp::from_ms(1_781_265_806_000);

    fn view(kind: EntityKind, unit: Option<&str>, v: Option<Value>) -> EntityView {
        EntityView {
            id: EntityId::parse("a.b").unwrap(),
            device: DeviceId::parse("a").unwrap(),
            area: None,
            name: "B".into(),
            kind,
            unit: unit.map(Into::into),
            unit_guessed: false,
            v,
            t: None,
            q: Quality::Good,
            assumed: false,
            settable: false,
            hidden: false,
            icon: String::new(),
            precision: None,
            since: None,
            word_on: Some("Offen".into()),
            word_off: Some("Zu".into()),
            offline_since: None,
            topic: String::new(),
            link: None,
            limits: domain::control::Limits::default(),
            members: None,
        }
    }

    fn check(kind: EntityKind, unit: Option<&str>, v: Option<Value>, given: Given<'_>, expected: Result<Value, &str>) {
        let found = Target::of(&view(kind, unit, v)).reading(NOW, given, NOW).map(|reading| reading.value).map_err(|unfit| unfit.to_string());
        assert_eq!(found, expected.map_err(ToOwned::to_owned), "{kind:?} {given:?}");
    }

    #[test]
    fn a_value_is_what_the_entity_says_otherwise() {
        use EntityKind::{BinarySensor, Button, Light, Select, Sensor, Switch};
        let number = |n| Ok(Value::Number(n));
        check(Sensor, Some("°C"), None, Given::Number(21.5), number(21.5));
        check(Sensor, Some("°C"), None, Given::Text("-2.5e1"), number(-25.0));
        for (given, shown) in [(Given::Text("NaN"), "\"NaN\""), (Given::Text("inf"), "\"inf\""), (Given::Text("1e999"), "\"1e999\"")] {
            check(Sensor, Some("°C"), None, given, Err(&format!("{shown} is no number")));
        }
        check(Sensor, None, Some(Value::Number(1.0)), Given::Bool(true), Err("true is no number"));
        check(Sensor, None, Some(Value::Text("Auto".into())), Given::Text("Eco\u{0}\u{202e}"), Ok(Value::Text("Eco".into())));
        check(Sensor, None, Some(Value::Text("Auto".into())), Given::Number(1.0), Err("1 is no text"));
        check(Sensor, None, None, Given::Text("7"), number(7.0));
        check(Sensor, None, None, Given::Text("Auto"), Ok(Value::Text("Auto".into())));
        for on in [Given::Bool(true), Given::Number(1.0), Given::Text("1"), Given::Text("ON"), Given::Text("offen")] {
            check(BinarySensor, None, None, on, Ok(Value::Bool(true)));
        }
        check(Switch, None, None, Given::Text("zu"), Ok(Value::Bool(false)));
        check(Switch, None, None, Given::Number(2.0), Err("2 is no state"));
        check(Switch, None, None, Given::Odd, Err("what stands there is no state"));
        let lit = |state, brightness| LightState { brightness, ..LightState::new(state) };
        check(Light, None, None, Given::Light(lit(OnOff::On, Some(80))), Ok(Value::Light(lit(OnOff::On, Some(80)))));
        check(Light, None, None, Given::Text("off"), Ok(Value::Light(lit(OnOff::Off, None))));
        check(Select, None, None, Given::Text("Eco"), Ok(Value::Text("Eco".into())));
        check(Button, None, None, Given::Bool(true), Err("a.b has no values"));
    }

    #[test]
    fn a_reading_is_of_the_past_and_of_a_calendar() {
        let target = Target::of(&view(EntityKind::Sensor, None, None));
        for (at, why) in [
            (NOW.plus_ms(MAX_AHEAD_MS), None),
            (NOW.plus_ms(MAX_AHEAD_MS + 1), Some("1781265816001 lies in the future")),
            (Timestamp::from_ms(-1), None),
            (Timestamp::from_ms(i64::MIN), Some("-9223372036854775808 lies outside of all calendars")),
        ] {
            let found = target.reading(at, Given::Number(1.0), NOW).err().map(|unfit| unfit.to_string());
            assert_eq!(found.as_deref(), why);
        }
    }
}
