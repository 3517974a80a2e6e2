//! What a device's word or number means.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::color::ColorForm;
use super::{Part, PartValue};
use crate::convention::payload::{MAX_TEXT_CHARS, PayloadError, shown, yes_no};
use crate::device::clean_text;

/// What a device's word or number means.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Map {
    /// A number is one, whatever it is written as; everything else is a word.
    #[default]
    Auto,
    /// A number in the device's scale.
    Number(Scale),
    /// Mireds, which are millionths of a reciprocal kelvin.
    Mired,
    /// The one is on, the other is off; anything else is an error.
    OnOff {
        /// What says on.
        on: Json,
        /// What says off.
        off: Json,
    },
    /// Words of the device's, with ours.
    Words {
        /// What the device says, and what that is here.
        words: Vec<(Json, String)>,
        /// Other words are taken as they are; without it they are errors.
        #[serde(default)]
        others: bool,
    },
    /// A text, also where it looks like a number; a list or an object is its JSON.
    Text,
    /// A number where it is one, and every other text as it is, also one that looks like yes or no: `open`.
    NumberOrText,
    /// A color.
    Color(ColorForm),
}

/// From a device's numbers to ours: `ours = device * factor + offset`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Ours for one of the device's; never 0.
    pub factor: f64,
    /// Ours for the device's 0.
    #[serde(default)]
    pub offset: f64,
}

impl Default for Scale {
    fn default() -> Self {
        Self { factor: 1.0, offset: 0.0 }
    }
}

impl Scale {
    /// Per cent of a number that goes from 0 to `max`.
    #[must_use]
    pub fn percent_of(max: f64) -> Self {
        Self::between(0.0, max)
    }

    /// Per cent of a way that begins at `from` and ends at `to`, which may be less.
    #[must_use]
    pub fn between(from: f64, to: f64) -> Self {
        let way = to - from;
        if !way.is_finite() || way == 0.0 {
            return Self::default();
        }
        Self { factor: 100.0 / way, offset: -from * 100.0 / way }
    }

    /// A device's number as ours: what was calculated, to twelve digits. More of them would be what binary fractions leave behind.
    #[must_use]
    pub fn ours(self, device: f64) -> f64 {
        if self == Self::default() { device } else { tidy(device.mul_add(self.factor, self.offset)) }
    }

    /// Our number as a device's.
    #[must_use]
    pub fn device(self, ours: f64) -> f64 {
        (ours - self.offset) / self.factor
    }
}

/// A number to twelve significant digits.
fn tidy(n: f64) -> f64 {
    const EXACT: i32 = 22;
    if n == 0.0 || !n.is_finite() {
        return n;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of a float has three digits")]
    let digits = 11 - n.abs().log10().floor() as i32;
    match digits {
        0..=EXACT => (n * 10f64.powi(digits)).round() / 10f64.powi(digits),
        // Larger, it has no fraction; smaller, its power of ten is none that a float can be exactly.
        _ => n,
    }
}

/// A single JSON value as the text that stands for it bare: `ON`, `true`, `3`. Objects and lists have none.
#[must_use]
pub fn scalar_text(json: &Json) -> Option<Cow<'_, str>> {
    match json {
        Json::String(text) => Some(Cow::Borrowed(text)),
        Json::Bool(true) => Some(Cow::Borrowed("true")),
        Json::Bool(false) => Some(Cow::Borrowed("false")),
        Json::Number(n) => Some(Cow::Owned(n.to_string())),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// What a payload says of a part: something in its JSON, or a text that needs no JSON around it.
#[derive(Debug)]
pub(super) enum Said<'a> {
    Json(&'a Json),
    Text(Cow<'a, str>),
}

impl Said<'_> {
    fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Json(json) => scalar_text(json),
            Self::Text(text) => Some(Cow::Borrowed(text)),
        }
    }

    /// A number that is written as one in JSON.
    fn number(&self) -> Option<f64> {
        if let Self::Json(Json::Number(n)) = self { n.as_f64().filter(|n| n.is_finite()) } else { None }
    }

    /// Yes or no that is written as such in JSON.
    const fn yes(&self) -> Option<bool> {
        if let Self::Json(Json::Bool(yes)) = self { Some(*yes) } else { None }
    }

    pub(super) fn is(&self, word: &str) -> bool {
        match self {
            Self::Json(json) => json.as_str() == Some(word),
            Self::Text(text) => text == word,
        }
    }

    /// Whether it says a word.
    pub(super) fn says(&self, word: &Json) -> bool {
        self.text().is_some_and(|said| scalar_text(word).is_some_and(|word| is_same_word(&word, &said)))
    }

    fn unexpected(&self, wanted: &'static str) -> PayloadError {
        let text = self.text().map_or_else(|| if let Self::Json(json) = self { json.to_string() } else { String::new() }, Cow::into_owned);
        PayloadError::Unexpected { text: shown(&text), wanted }
    }
}

impl Map {
    /// What `said` means for a part.
    ///
    /// # Errors
    /// [`PayloadError`] names what was said.
    pub(super) fn apply(&self, said: &Said<'_>, part: Part) -> Result<PartValue, PayloadError> {
        if let Self::Color(form) = self {
            let color = match said {
                Said::Json(json) => form.read(json),
                Said::Text(text) => form.read_text(text.trim()),
            };
            return color.map(PartValue::Color).ok_or_else(|| said.unexpected("color"));
        }
        if let (Self::Text, Said::Json(json @ (Json::Array(_) | Json::Object(_)))) = (self, said) {
            return Ok(PartValue::Word(clean_text(&json.to_string(), MAX_TEXT_CHARS)));
        }
        // What is a number already need not be written down to be read again.
        if let (Some(n), Self::Auto | Self::Number(_) | Self::NumberOrText) = (said.number(), self) {
            let ours = if let Self::Number(scale) = self { scale.ours(n) } else { n };
            return if ours.is_finite() { Ok(PartValue::Number(ours)) } else { Err(PayloadError::NotFinite(shown(&n.to_string()))) };
        }
        let text = said.text().ok_or_else(|| said.unexpected("single value"))?;
        let text = text.trim();
        match self {
            Self::Auto => Ok(said.yes().map_or_else(|| auto(text, part), PartValue::Bool)),
            Self::Number(scale) => match scale.ours(number(text)?) {
                n if n.is_finite() => Ok(PartValue::Number(n)),
                _ => Err(PayloadError::NotFinite(shown(text))),
            },
            Self::NumberOrText => Ok(number(text).map_or_else(|_| PartValue::Word(clean_text(text, MAX_TEXT_CHARS)), PartValue::Number)),
            Self::Mired => match number(text)? {
                n if n > 0.0 => Ok(PartValue::Number((1e6 / n).round())),
                _ => Err(said.unexpected("color temperature in mireds")),
            },
            Self::OnOff { on, off } => {
                let says = |word: &Json| scalar_text(word).is_some_and(|word| is_same_word(&word, text));
                match (says(on), says(off)) {
                    (true, _) => Ok(PartValue::Bool(true)),
                    (_, true) => Ok(PartValue::Bool(false)),
                    _ => Err(said.unexpected("on or off")),
                }
            }
            Self::Words { words, others } => {
                let known = words.iter().find(|(word, _)| scalar_text(word).is_some_and(|word| is_same_word(&word, text)));
                match known {
                    Some((_, ours)) => Ok(PartValue::Word(ours.clone())),
                    None if *others => Ok(PartValue::Word(clean_text(text, MAX_TEXT_CHARS))),
                    None => Err(said.unexpected("word that was announced")),
                }
            }
            Self::Text => Ok(PartValue::Word(clean_text(text, MAX_TEXT_CHARS))),
            Self::Color(_) => Err(said.unexpected("color")),
        }
    }
}

/// Whether a device says a word. Yes and no are the same with a capital: Python writes `True`, and JSON `true`.
pub(super) fn is_same_word(word: &str, said: &str) -> bool {
    word == said || matches!((word, said), ("true", "True") | ("True", "true") | ("false", "False") | ("False", "false"))
}

/// A finite number.
pub(super) fn number(text: &str) -> Result<f64, PayloadError> {
    match text.parse::<f64>() {
        Ok(n) if n.is_finite() => Ok(n),
        Ok(_) => Err(PayloadError::NotFinite(shown(text))),
        Err(_) => Err(PayloadError::Unexpected { text: shown(text), wanted: "number" }),
    }
}

fn auto(text: &str, part: Part) -> PartValue {
    if let Ok(n) = number(text) {
        return PartValue::Number(n);
    }
    match yes_no(text) {
        Some(on) if part == Part::State => PartValue::Bool(on),
        _ => PartValue::Word(clean_text(text, MAX_TEXT_CHARS)),
    }
}
