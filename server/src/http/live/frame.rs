//! What a client's frame asks for: hostile text until it is read here.

use domain::live::ClientFrame;
use serde_json::Value as Json;

/// Why a frame is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadFrame {
    /// No JSON at all: the connection is closed after the answer.
    NotJson(String),
    /// JSON that is no frame of ours: the connection stays open.
    NotAFrame {
        /// The frame's own id, when it has one.
        id: Option<String>,
        /// What is wrong.
        message: String,
    },
}

/// Reads a client's frame.
pub(super) fn parse(text: &str) -> Result<ClientFrame, BadFrame> {
    let json: Json = serde_json::from_str(text).map_err(|error| BadFrame::NotJson(error.to_string()))?;
    let id = json.get("id").and_then(Json::as_str).map(|id| domain::device::clean_text(id, 128));
    let bad = |message: String| BadFrame::NotAFrame { id: id.clone(), message: domain::device::clean_text(&message, 300) };
    if !json.is_object() {
        return Err(bad("a frame is a JSON object".to_owned()));
    }
    serde_json::from_value(json).map_err(|error| bad(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bad_frame_is_answered_with_its_own_id() {
        for bad in
            [r#"{"type":"ping","id":"7","x":1}"#, r#"{"id":"7"}"#, r#"{"type":"command","id":"7","entity":"a.b","action":"turn_on","volume":3}"#]
        {
            assert!(matches!(parse(bad), Err(BadFrame::NotAFrame { id: Some(id), .. }) if id == "7"), "{bad}");
        }
        assert!(matches!(parse("[1]"), Err(BadFrame::NotAFrame { id: None, .. })));
        assert!(matches!(parse("{"), Err(BadFrame::NotJson(_))));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ -~]{0,200}") {
            let _: Result<ClientFrame, BadFrame> = parse(&text);
        }
    }
}
