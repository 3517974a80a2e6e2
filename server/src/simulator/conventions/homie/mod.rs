//! Homie: a device of convention 4, a tree of retained attributes, and one of convention 5, which describes itself in one document.

use crate::simulator::player::Outgoing;

/// Convention 4.
pub(super) mod v4;
/// Convention 5.
pub(super) mod v5;

/// A retained attribute or value.
fn kept(root: &str, below: &str, value: impl Into<Vec<u8>>) -> Outgoing {
    Outgoing::retained(format!("{root}/{below}"), value)
}

/// The property that a command is for: `<node>/<property>` of `<root>/<node>/<property>/set`.
fn property<'a>(root: &str, topic: &'a str) -> Option<&'a str> {
    topic.strip_prefix(root)?.strip_prefix('/')?.strip_suffix("/set")
}

/// `true` and `false`, exactly.
fn boolean(payload: &str) -> Option<bool> {
    match payload {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}
