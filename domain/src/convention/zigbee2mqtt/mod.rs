//! Zigbee2MQTT (wire.md, section 3).

use super::found::Finding;
use super::{Claim, Heard, Speaker};

/// What is known of the devices of one broker that speak it.
#[derive(Debug, Default)]
pub struct Zigbee2Mqtt {}

impl Speaker for Zigbee2Mqtt {
    fn hear(&mut self, _heard: &Heard<'_>, _out: &mut Vec<Finding>) -> Claim {
        Claim::No
    }
}
