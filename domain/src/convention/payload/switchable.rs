//! Lights and switches.

use super::{PayloadError, decode, shown};
use crate::value::{Color, Effect, LightState, OnOff, Value};

/// The state of a light: `{"state":"on","brightness":80}` with brightness in per cent, or a word.
///
/// # Errors
/// [`PayloadError`] when it says neither on nor off.
pub fn decode_light(payload: &[u8]) -> Result<Option<Value>, PayloadError> {
    decode_switchable(payload).map(|state| state.map(Value::Light))
}

/// The state of a switch: `on`, or `{"state":"on"}`.
///
/// # Errors
/// [`PayloadError`] when it says neither on nor off.
pub fn decode_switch(payload: &[u8]) -> Result<Option<Value>, PayloadError> {
    decode_switchable(payload).map(|state| state.map(|light| Value::Bool(light.state == OnOff::On)))
}

fn decode_switchable(payload: &[u8]) -> Result<Option<LightState>, PayloadError> {
    let samples = decode(payload)?.samples;
    if samples.is_empty() && payload.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let find = |leaf: &str| samples.iter().find(|s| s.leaf == leaf).map(|s| &s.value);
    let on = match find("state").or_else(|| find("")) {
        Some(Value::Bool(on)) => *on,
        Some(Value::Number(n)) if *n == 0.0 || *n == 1.0 => *n == 1.0,
        _ => return Err(PayloadError::Unexpected { text: shown(&String::from_utf8_lossy(payload)), wanted: "on or off" }),
    };
    let whole = |leaf: &str, max: f64| match find(leaf) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held between 0 and max")]
        Some(Value::Number(n)) => Some(n.round().clamp(0.0, max) as u16),
        _ => None,
    };
    let channel = |leaf: &str| whole(leaf, 255.0).and_then(|n| u8::try_from(n).ok());
    let color = match (channel("color.r"), channel("color.g"), channel("color.b")) {
        (Some(r), Some(g), Some(b)) => Some(Color { r, g, b }),
        _ => None,
    };
    let effect = match find("effect") {
        Some(Value::Text(effect)) => Effect::new(effect),
        _ => None,
    };
    Ok(Some(LightState {
        state: on.into(),
        brightness: whole("brightness", 100.0).and_then(|b| u8::try_from(b).ok()),
        color_temp: whole("color_temp", 20_000.0),
        color,
        effect,
    }))
}
