//! Homie 3, 4 and 5 (wire.md, section 7).

use super::found::Finding;
use super::{Claim, Heard, Speaker};

/// What is known of the devices of one broker that speak it.
#[derive(Debug, Default)]
pub struct Homie {}

impl Speaker for Homie {
    fn hear(&mut self, _heard: &Heard<'_>, _out: &mut Vec<Finding>) -> Claim {
        Claim::No
    }
}
