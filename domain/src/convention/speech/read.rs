//! From a message to values.

use std::borrow::Cow;
use std::cell::OnceCell;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::map::Said;
use super::{PartValue, Presence, Read, Speech, fold};
use crate::convention::Convention;
use crate::convention::payload::{MAX_PAYLOAD_BYTES, PayloadError, shown};
use crate::convention::template::{Templates, says_nothing};
use crate::entity::EntityKind;
use crate::value::Value;

/// Where in a payload something stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extract {
    /// It is the payload.
    #[default]
    Whole,
    /// In a JSON object, by the names on the way; in a list a name is a number. A message without it says nothing about it.
    Path(Vec<String>),
    /// What a Jinja template makes of it. An empty text, `None` and `unknown` say nothing.
    Template(String),
}

impl Extract {
    /// One name in an object.
    #[must_use]
    pub fn key(name: &str) -> Self {
        Self::Path(vec![name.to_owned()])
    }

    /// Several names, from the outside.
    #[must_use]
    pub fn path(names: &[&str]) -> Self {
        Self::Path(names.iter().map(|name| (*name).to_owned()).collect())
    }
}

/// A payload that several entities may read: what one needs of it is worked out once for all.
#[derive(Debug)]
pub struct Payload<'a> {
    bytes: &'a [u8],
    text: OnceCell<Result<&'a str, PayloadError>>,
    json: OnceCell<Result<Json, PayloadError>>,
    template_json: OnceCell<minijinja::Value>,
}

impl<'a> Payload<'a> {
    /// Nothing is looked at yet.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, text: OnceCell::new(), json: OnceCell::new(), template_json: OnceCell::new() }
    }

    /// The payload as text.
    ///
    /// # Errors
    /// [`PayloadError`] when it is none, or too large.
    pub fn text(&self) -> Result<&'a str, PayloadError> {
        let read = || {
            if self.bytes.len() > MAX_PAYLOAD_BYTES {
                return Err(PayloadError::TooLarge(self.bytes.len()));
            }
            std::str::from_utf8(self.bytes).map_err(|_| PayloadError::NotUtf8)
        };
        self.text.get_or_init(read).clone()
    }

    /// The payload as JSON.
    ///
    /// # Errors
    /// [`PayloadError`] when it is none, or too large.
    pub fn json(&self) -> Result<&Json, PayloadError> {
        let read = || {
            let text = self.text()?;
            serde_json::from_str(text).map_err(|error| PayloadError::BadJson(shown(&error.to_string())))
        };
        self.json.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    fn is_empty(&self) -> bool {
        self.bytes.iter().all(u8::is_ascii_whitespace)
    }

    /// What stands somewhere; `None` for nothing.
    pub(super) fn find(&self, extract: &Extract, templates: &Templates) -> Result<Option<Said<'_>>, PayloadError> {
        match extract {
            Extract::Whole => Ok(Some(Said::Text(Cow::Borrowed(self.text()?.trim())))),
            Extract::Path(path) => Ok(walk(self.json()?, path).filter(|found| !found.is_null()).map(Said::Json)),
            Extract::Template(template) => {
                let json = || self.json().map_or(minijinja::Value::UNDEFINED, |json| minijinja::value::Serde(json).into());
                let made = templates.render(template, self.text()?, self.template_json.get_or_init(json));
                let made = made.map_err(|error| PayloadError::Template(error.to_string()))?;
                let trimmed = made.trim();
                if says_nothing(trimmed) {
                    return Ok(None);
                }
                let is_trim = trimmed.len() == made.len();
                Ok(Some(Said::Text(Cow::Owned(if is_trim { made } else { trimmed.to_owned() }))))
            }
        }
    }
}

fn walk<'a>(json: &'a Json, path: &[String]) -> Option<&'a Json> {
    path.iter().try_fold(json, |inside, name| match inside {
        Json::Object(object) => object.get(name),
        Json::Array(list) => list.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

/// What an entity is after a message on one of its topics; `None` where the message says nothing about it.
///
/// # Errors
/// [`PayloadError`] names what could not be read.
pub fn decode(
    (kind, speech): (EntityKind, &Speech),
    topic: &str,
    payload: &Payload<'_>,
    before: Option<&Value>,
    templates: &Templates,
) -> Result<Option<Value>, PayloadError> {
    if payload.is_empty() {
        return Ok(None);
    }
    let mut parts: Vec<(super::Part, PartValue)> = Vec::with_capacity(1);
    let mut failed = None;
    // To Home Assistant it says that nothing is known; in a text it may be what somebody wrote.
    let is_silent = |said: &Said<'_>| speech.convention == Convention::HomeAssistant && kind != EntityKind::Text && said.is("None");
    for Read { part, extract, map, .. } in speech.reads.iter().filter(|read| *read.topic == *topic) {
        let found = payload.find(extract, templates).map(|found| found.filter(|said| !is_silent(said)));
        match found.and_then(|found| found.map(|said| map.apply(&said, *part)).transpose()) {
            Ok(Some(value)) => parts.push((*part, value)),
            Ok(None) => {}
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        // What could be read of a light counts, whatever stands beside it.
        Some(error) if parts.is_empty() => Err(error),
        _ if parts.is_empty() => Ok(None),
        _ => fold(kind, before, &parts),
    }
}

/// Whether a message says that a device is there; `None` where it says neither.
#[must_use]
pub fn presence(of: &Presence, payload: &Payload<'_>, templates: &Templates) -> Option<bool> {
    let found = payload.find(&of.extract, templates).ok()??;
    if found.says(&of.online) { Some(true) } else { found.says(&of.offline).then_some(false) }
}
