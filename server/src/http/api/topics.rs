//! The topic explorer: what was heard on each topic, and what became of it.

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::device::clean_text;
use domain::entity::EntityId;
use domain::time::Timestamp;
use domain::topic::MAX_TOPIC_BYTES;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{By, DEFAULT_LIMIT, MAX_LIMIT, Query};
use crate::clock::now;
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::ingest;
use crate::topics::{Bad, Entry, Key, Scan};

/// What is asked.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Question {
    /// How the topics begin.
    #[serde(default)]
    prefix: String,
    cursor: Option<String>,
    limit: Option<usize>,
}

/// A page of topics, and how many there are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Topics)]
pub(super) struct Answer {
    items: Vec<Topic>,
    next_cursor: Option<String>,
    /// Topics remembered, whatever was asked.
    known: usize,
    /// Topics that were forgotten to keep memory bounded.
    forgotten: u64,
}

/// A topic and its last message.
#[derive(Debug, Serialize, ToSchema)]
struct Topic {
    /// Without control and bidi characters.
    topic: String,
    /// The broker.
    link: String,
    #[serde(flatten)]
    payload: Payload,
    qos: u8,
    /// The last message was replayed, or kept, by the broker.
    retained: bool,
    /// A command stands retained on it: devices obey it again at each start.
    retained_command: bool,
    /// When it arrived.
    t: Timestamp,
    messages: u64,
    messages_per_s: f64,
    /// The entities that the topic feeds.
    entities: Vec<EntityId>,
    /// What could not be read.
    bad: Option<Unread>,
}

/// A payload, or the beginning of one.
#[derive(Debug, Serialize, ToSchema)]
struct Payload {
    /// As text when it is UTF-8.
    payload: Option<String>,
    /// In base 64 when it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
    /// The true size in bytes.
    size: usize,
    /// Less than that is shown.
    truncated: bool,
}

/// The messages of a topic that could not be read.
#[derive(Debug, Serialize, ToSchema)]
struct Unread {
    messages: u64,
    /// Why the last one could not.
    reason: String,
    #[serde(flatten)]
    payload: Payload,
    t: Timestamp,
}

/// What was heard on each topic, and what became of it.
#[utoipa::path(get, path = "/api/v1/topics", params(Question), responses((status = 200, body = Answer)))]
pub(super) async fn list(State(app): State<AppState>, By(_): By, Query(question): Query<Question>) -> Result<Json<Answer>, Problem> {
    let after = question.cursor.as_deref().map(read_cursor).transpose()?;
    let limit = question.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let mut scan = Scan::new(question.prefix, after, limit);
    // The state is let go between the parts: a message never waits for more than one of them.
    while !scan.look(&app.backend.state().topics) {}
    let (keys, is_more) = scan.end();
    let next_cursor = keys.last().filter(|_| is_more).map(write_cursor);
    let (now, state) = (now(), app.backend.state());
    let items = keys.iter().filter_map(|key| topic(&state, key, now)).collect();
    Ok(Json(Answer { items, next_cursor, known: state.topics.n_known(), forgotten: state.topics.n_forgotten() }))
}

/// `None` when it was forgotten since it was found.
fn topic(state: &ingest::State, (topic, link): &Key, now: Timestamp) -> Option<Topic> {
    let entry: &Entry = state.topics.get(link, topic)?;
    let unread = |bad: &Bad| Unread { messages: bad.n, reason: bad.reason.to_string(), payload: payload(&bad.payload, bad.size), t: bad.at };
    Some(Topic {
        topic: clean_text(topic, MAX_TOPIC_BYTES),
        link: link.to_string(),
        payload: payload(entry.payload(), entry.size() as usize),
        qos: entry.qos(),
        retained: entry.retained(),
        retained_command: state.fleet.is_retained_command(link, topic),
        t: entry.heard_at(),
        messages: entry.n(),
        messages_per_s: entry.per_s(now),
        entities: state.fleet.fed_by(link, topic).into_iter().cloned().collect(),
        bad: entry.bad().map(unread),
    })
}

fn payload(kept: &[u8], size: usize) -> Payload {
    let truncated = kept.len() < size;
    let text = match std::str::from_utf8(kept) {
        Ok(text) => Some(text),
        // Cut inside a character: what is before it is text.
        Err(error) if truncated && error.error_len().is_none() => std::str::from_utf8(&kept[..error.valid_up_to()]).ok(),
        Err(_) => None,
    };
    Payload { payload: text.map(ToOwned::to_owned), payload_base64: text.is_none().then(|| STANDARD.encode(kept)), size, truncated }
}

/// Any topic and name in a form that goes into an address as it is. No topic holds the byte between them.
pub(super) fn write_cursor((topic, link): &Key) -> String {
    URL_SAFE_NO_PAD.encode(format!("{link}\0{topic}"))
}

pub(super) fn read_cursor(cursor: &str) -> Result<Key, Problem> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (link, topic) = text.split_once('\0')?;
        Some((topic.into(), link.into()))
    };
    read().ok_or_else(|| Problem::field("cursor", "cursor is none that an answer gave"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_holds_any_topic() {
        for key in [("a/b", "main"), ("a\0\u{202e}/#?&", "plant é")].map(|(topic, link)| (topic.into(), link.into())) {
            assert_eq!(read_cursor(&write_cursor(&key)).ok(), Some(key));
        }
        assert!(read_cursor("a.temperature").is_err() && read_cursor("YQ").is_err());
    }

    #[test]
    fn a_payload_is_cut_between_characters_and_never_silently() {
        let cut = payload("aé".as_bytes().split_at(2).0, 3);
        assert_eq!((cut.payload.as_deref(), cut.size, cut.truncated), (Some("a"), 3, true));
        let bytes = payload(&[0xff, 0xfe], 2);
        assert_eq!((bytes.payload, bytes.payload_base64.as_deref(), bytes.truncated), (None, Some("//4="), false));
    }
}
