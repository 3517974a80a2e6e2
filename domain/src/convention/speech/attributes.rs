//! What is said of an entity besides its value.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map as Object, Value as Json};

use super::Extract;
use super::map::Said;
use super::read::Payload;
use crate::convention::payload::{PayloadError, shown};
use crate::convention::template::Templates;
use crate::time::Timestamp;

/// Longest message with attributes that is kept, in bytes.
pub const MAX_ATTRIBUTES_BYTES: usize = 16 * 1024;

/// Where more is said of an entity than its value, as a JSON object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The topic.
    pub topic: String,
    /// Where in the payload.
    #[serde(default)]
    pub extract: Extract,
}

/// The last message with attributes of an entity, as it came: it is read by who asks for it, so that a message costs nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What came; `Err` is how many bytes, of one that was too long to be kept.
    pub payload: Result<Arc<[u8]>, usize>,
    /// When; `None` for one that the broker had kept.
    pub at: Option<Timestamp>,
}

impl Told {
    /// A message, which is kept unless it is too long.
    #[must_use]
    pub fn new(payload: &Arc<[u8]>, at: Option<Timestamp>) -> Self {
        let n = payload.len();
        Self { payload: if n > MAX_ATTRIBUTES_BYTES { Err(n) } else { Ok(Arc::clone(payload)) }, at }
    }

    /// Bytes that are kept.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.payload.as_ref().map_or(0, |payload| payload.len())
    }

    /// The attributes. A template that says nothing says that there are none.
    ///
    /// # Errors
    /// [`PayloadError`] when the message is too long, or nothing there is a JSON object.
    pub fn read(&self, extract: &Extract, templates: &Templates) -> Result<Object<String, Json>, PayloadError> {
        let payload = Payload::new(self.payload.as_ref().map_err(|n| PayloadError::TooLarge(*n))?);
        let json = match (extract, payload.find(extract, templates)?) {
            (Extract::Whole, _) => payload.json()?.clone(),
            (_, Some(Said::Json(json))) => json.clone(),
            (_, Some(Said::Text(text))) => serde_json::from_str(&text).map_err(|error| PayloadError::BadJson(shown(&error.to_string())))?,
            (_, None) => return Ok(Object::new()),
        };
        match json {
            Json::Object(object) => Ok(object),
            other => Err(PayloadError::Unexpected { text: shown(&other.to_string()), wanted: "JSON object" }),
        }
    }
}
