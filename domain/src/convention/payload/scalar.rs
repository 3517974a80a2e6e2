//! A word, a number, a number with its unit.

use serde_json::Value as Json;

use super::{MAX_TEXT_CHARS, PayloadError, Sample, shown};
use crate::device::clean_text;
use crate::value::Value;

/// A text as a number, a number with a unit, a word for yes or no, or a text.
pub(super) fn read(text: &str) -> Result<Sample, PayloadError> {
    let sample = |value, unit| Sample { leaf: String::new(), value, unit, taken_at: None };
    if let Some(n) = number(text)? {
        return Ok(sample(Value::Number(n), None));
    }
    if let Some((n, unit)) = number_with_unit(text)? {
        return Ok(sample(Value::Number(n), Some(unit)));
    }
    if let Some(on) = yes_no(text) {
        return Ok(sample(Value::Bool(on), None));
    }
    if is_nothing(text) {
        return Err(PayloadError::NotFinite(shown(text)));
    }
    Ok(sample(Value::Text(clean_text(text, MAX_TEXT_CHARS)), None))
}

/// Words that devices and languages write where a number would stand.
fn is_nothing(text: &str) -> bool {
    const WORDS: [&str; 11] = ["nan", "+nan", "-nan", "null", "none", "unavailable", "unknown", "inf", "+inf", "infinity", "+infinity"];
    let bare = text.strip_prefix('-').unwrap_or(text);
    WORDS.iter().any(|word| bare.eq_ignore_ascii_case(word) || text.eq_ignore_ascii_case(word))
}

/// A decimal number; `Ok(None)` for anything else, an error for a number that is not finite.
fn number(text: &str) -> Result<Option<f64>, PayloadError> {
    let numeric = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) && text.bytes().any(|b| b.is_ascii_digit());
    if !numeric {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(n) if n.is_finite() => Ok(Some(n)),
        Ok(_) => Err(PayloadError::NotFinite(shown(text))),
        Err(_) => Ok(None),
    }
}

fn number_with_unit(text: &str) -> Result<Option<(f64, String)>, PayloadError> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))).unwrap_or(text.len());
    let (digits, unit) = (text[..end].trim(), text[end..].trim());
    let is_unit =
        !unit.is_empty() && unit.chars().count() <= 8 && unit.chars().all(|c| c.is_alphabetic() || matches!(c, '°' | '%' | '/' | '²' | '³' | 'µ'));
    if !is_unit {
        return Ok(None);
    }
    Ok(number(digits)?.map(|n| (n, unit.to_owned())))
}

/// `on`/`off`, `true`/`false`, `open`/`closed`, `yes`/`no`, in any case.
#[must_use]
pub fn yes_no(text: &str) -> Option<bool> {
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["on", "true", "open", "yes"]) {
        Some(true)
    } else if is(["off", "false", "closed", "no"]) {
        Some(false)
    } else {
        None
    }
}

/// Whether a payload says online or offline: a word, or `{"state":"online"}`.
#[must_use]
pub fn availability_word(payload: &[u8]) -> Option<bool> {
    let text = std::str::from_utf8(payload.get(..256.min(payload.len()))?).ok()?.trim();
    let word = |text: &str| {
        let is = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        if is(["online", "connected", "ready"]) {
            Some(true)
        } else if is(["offline", "disconnected", "lost"]) {
            Some(false)
        } else {
            None
        }
    };
    word(text).or_else(|| match serde_json::from_str::<Json>(text).ok()?.get("state")? {
        Json::String(state) => word(state),
        _ => None,
    })
}
