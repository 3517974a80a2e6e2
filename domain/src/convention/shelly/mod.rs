//! Shelly Gen1 and Gen2+ (wire.md, section 5).

use super::found::Finding;
use super::{Claim, Heard, Speaker};

/// What is known of the devices of one broker that speak it.
#[derive(Debug, Default)]
pub struct Shelly {}

impl Speaker for Shelly {
    fn hear(&mut self, _heard: &Heard<'_>, _out: &mut Vec<Finding>) -> Claim {
        Claim::No
    }
}
