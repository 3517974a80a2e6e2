//! Home Assistant MQTT discovery (wire.md, section 2).

use super::found::Finding;
use super::{Claim, Heard, Speaker};

/// What is known of the devices of one broker that speak it.
#[derive(Debug, Default)]
pub struct HomeAssistant {}

impl Speaker for HomeAssistant {
    fn hear(&mut self, _heard: &Heard<'_>, _out: &mut Vec<Finding>) -> Claim {
        Claim::No
    }
}
