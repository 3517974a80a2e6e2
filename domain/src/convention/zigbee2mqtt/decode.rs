//! What the bridge reports: commands that failed, and requests that it could not do.

use serde_json::Value as Json;

use super::{Base, MOST_BYTES, text};
use crate::convention::Heard;
use crate::convention::found::Finding;
use crate::convention::payload::shown;

/// Of a report, so much is looked at, in bytes.
const MOST_REPORT_BYTES: usize = 2_000;
/// Quotes that are looked at: names may hold some, and a report names few.
const MOST_QUOTES: usize = 32;

impl Base {
    /// Takes what the bridge writes into its log. It names a device in quotes, and the property that it was asked for:
    /// `Publish 'set' 'state' to 'kitchen/lamp' failed: …`.
    pub(super) fn take_log(&self, payload: &[u8], out: &mut Vec<Finding>) {
        if payload.len() > MOST_BYTES {
            return;
        }
        let Ok(said) = serde_json::from_slice::<Json>(payload) else { return };
        // 2.x and 1.x write `level`; the legacy `bridge/log` of 1.x has a type, and names the device beside the message.
        let is_error = text(&said, "level") == Some("error") || text(&said, "type") == Some("zigbee_publish_error");
        let Some(message) = text(&said, "message").filter(|_| is_error) else { return };
        let message = message.strip_prefix("z2m: ").unwrap_or(message);
        let named = said.get("meta").and_then(|meta| text(meta, "friendly_name")).and_then(|name| self.names.get(name));
        let Some(address) = named.or_else(|| self.who_is_named(message)) else { return };
        // Errors of reading something are no answer to a command.
        if message.starts_with("Publish 'get'") {
            return;
        }
        let key = attribute(message).and_then(|property| self.devices.get(address)?.keys.get(property)?.clone());
        out.push(Finding::Complaint { device: address.clone(), key, text: message.to_owned() });
    }

    /// The device that stands in quotes. Names may hold quotes: the longest text between two of them that is a name is meant.
    fn who_is_named(&self, message: &str) -> Option<&String> {
        let end = message.floor_char_boundary(MOST_REPORT_BYTES);
        let message = message.get(..end)?;
        let quotes: Vec<usize> = message.match_indices(['\'', '"']).map(|(at, _)| at).take(MOST_QUOTES).collect();
        let between = |from: usize, to: usize| message.get(from + 1..to).and_then(|name| self.names.get_key_value(name));
        let pairs = quotes.iter().enumerate().flat_map(|(n, &from)| quotes.iter().skip(n + 1).map(move |&to| (from, to)));
        let named = pairs.filter_map(|(from, to)| between(from, to));
        named.max_by_key(|(name, _)| name.len()).map(|(_, address)| address)
    }
}

/// The property that a report names: `state` in `Publish 'set' 'state' to …`.
fn attribute(message: &str) -> Option<&str> {
    message.strip_prefix("Publish 'set' '")?.split_once("' to ").map(|(property, _)| property)
}

/// Takes an answer to a request: whoever asked is told what became of it, and what could not be done is told to all.
pub(super) fn take_response(heard: &Heard<'_>, out: &mut Vec<Finding>) {
    if heard.payload.len() > MOST_BYTES {
        return;
    }
    let Ok(said) = serde_json::from_slice::<Json>(heard.payload) else { return };
    let failed = text(&said, "status") == Some("error");
    let error = failed.then(|| text(&said, "error").unwrap_or("no reason given").to_owned());
    if let Some(request) = said.get("transaction").and_then(Json::as_u64).and_then(|number| u32::try_from(number).ok()) {
        out.push(Finding::Answered { request, error: error.clone() });
    }
    if let Some(error) = error {
        out.push(Finding::Trouble(format!("the bridge reports on \"{}\": {}", shown(heard.topic), shown(&error))));
    }
}
