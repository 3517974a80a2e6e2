//! Sparkplug B (wire.md, section 8).

use super::found::Finding;
use super::{Claim, Heard, Speaker};

/// What is known of the devices of one broker that speak it.
#[derive(Debug, Default)]
pub struct Sparkplug {}

impl Speaker for Sparkplug {
    fn hear(&mut self, _heard: &Heard<'_>, _out: &mut Vec<Finding>) -> Claim {
        Claim::No
    }
}

/// A command as Sparkplug writes it: a payload with one metric; `None` where the value does not fit the data type.
pub(super) fn encode(_metric: &str, _datatype: u32, _said: &serde_json::Value, _now: crate::time::Timestamp) -> Option<Vec<u8>> {
    None
}
