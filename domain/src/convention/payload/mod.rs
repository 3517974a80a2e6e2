//! What a plain payload says (wire.md, section 9). Payloads are hostile: everything here is bounded and nothing panics.

/// Bytes that are no text.
mod binary;
/// Objects, and lists of them.
mod json;
/// Text that is nearly JSON.
mod lenient;
/// A word, a number, a number with its unit.
mod scalar;
/// Numbers, selects, texts, covers and climates.
mod settable;
/// Lights and switches.
mod switchable;
/// The times that devices write.
mod time;

#[cfg(test)]
mod tests;

pub use scalar::{availability_word, yes_no};
pub use settable::{complaint, decode_state};
pub use switchable::{decode_light, decode_switch};

use crate::device::clean_text;
use crate::time::Timestamp;
use crate::value::Value;

/// Largest payload read as telemetry, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024;
/// Deepest JSON read.
pub const MAX_DEPTH: usize = 32;
/// Most values that one message may name; a batch may name each of them many times.
pub const MAX_VALUES: usize = 1_000;
/// Longest text that is a value, in characters.
pub const MAX_TEXT_CHARS: usize = 255;

/// Why a payload, or a value in it, could not be read. The messages name the input, cut to what a log line takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Too many bytes.
    #[error("payload of {0} bytes is too large for a reading")]
    TooLarge(usize),
    /// Bytes that are no text.
    #[error("payload is not UTF-8")]
    NotUtf8,
    /// Bytes that are no text, with what they may be.
    #[error("payload is not UTF-8: {0}")]
    Binary(String),
    /// JSON that ends early, is nested too deep, or holds too much.
    #[error("payload is no JSON that can be read: {0}")]
    BadJson(String),
    /// NaN, infinite, too large for a number, or a word that says that there is none.
    #[error("\"{0}\" is no finite number")]
    NotFinite(String),
    /// A template could not make anything of it.
    #[error("{0}")]
    Template(String),
    /// Not what the entity says otherwise.
    #[error("\"{text}\" is no {wanted}")]
    Unexpected {
        /// What arrived.
        text: String,
        /// What the entity says otherwise.
        wanted: &'static str,
    },
}

/// One value of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Where it stood in the JSON, `battery.voltage`; empty for the main value.
    pub leaf: String,
    /// The value, not yet fitted to an entity.
    pub value: Value,
    /// The unit, when the payload says one.
    pub unit: Option<String>,
    /// When the device took it, when the payload says so; not yet compared with any other clock.
    pub taken_at: Option<Timestamp>,
}

/// Something in a message that is no value, beside values that are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLeaf {
    /// Where it stood, as in [`Sample::leaf`]; `None` for a row of a batch.
    pub leaf: Option<String>,
    /// Why it is none.
    pub error: PayloadError,
}

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// Its values, in the order of the payload.
    pub samples: Vec<Sample>,
    /// What could not be read beside them. Only an entity that reads such a leaf has lost something.
    pub bad: Vec<BadLeaf>,
}

/// What a payload says; nothing for an empty payload (a retained message that was deleted).
///
/// # Errors
/// [`PayloadError`] when nothing of it can be read.
pub fn decode(payload: &[u8]) -> Result<Decoded, PayloadError> {
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(PayloadError::TooLarge(payload.len()));
    }
    let text = std::str::from_utf8(payload).map_err(|_| PayloadError::Binary(binary::described(payload)))?.trim();
    let one = |sample: Sample| Decoded { samples: vec![sample], bad: vec![] };
    match text.as_bytes().first() {
        None => Ok(Decoded::default()),
        Some(b'{' | b'[') => json::decode(text),
        Some(b'"') => match serde_json::from_str::<String>(text) {
            Ok(inner) => scalar::read(inner.trim()).map(one),
            Err(_) => scalar::read(text).map(one),
        },
        Some(_) => scalar::read(text).map(one),
    }
}

/// A payload's text as a log line or an operator may see it.
#[must_use]
pub fn shown(text: &str) -> String {
    clean_text(text, 80)
}
