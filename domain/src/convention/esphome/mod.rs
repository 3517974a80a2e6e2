//! ESPHome without discovery (wire.md, section 6).

use super::found::Finding;
use super::{Claim, Heard, Speaker};

/// What is known of the devices of one broker that speak it.
#[derive(Debug, Default)]
pub struct EspHome {}

impl Speaker for EspHome {
    fn hear(&mut self, _heard: &Heard<'_>, _out: &mut Vec<Finding>) -> Claim {
        Claim::No
    }
}
