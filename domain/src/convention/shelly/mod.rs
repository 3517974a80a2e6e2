//! Shelly Gen1 and Gen2+ (wire.md, section 5).

/// What is asked of Gen2+ devices.
mod ask;
/// The components of Gen2+ devices.
mod component;
/// A component of a Gen2+ device as entities.
mod discover;
/// Gen1 devices.
mod gen1;
/// What their topics are about.
mod gen1_parts;
/// Gen2+ devices.
mod gen2;
/// What Gen2+ devices reply.
mod reply;

use super::found::Finding;
use super::{Claim, Heard, Speaker};
use crate::time::Timestamp;

/// What is known of the devices of one broker that speak it.
#[derive(Debug, Default)]
pub struct Shelly {
    gen1: gen1::Gen1,
    gen2: gen2::Gen2,
}

impl Speaker for Shelly {
    fn hear(&mut self, heard: &Heard<'_>, out: &mut Vec<Finding>) -> Claim {
        match heard.topic.strip_prefix("shellies/") {
            Some(rest) => match self.gen2.hear(heard, true, out) {
                // A Gen2+ device may stand under the same name.
                Claim::No => self.gen1.hear(rest, heard, out),
                claim => claim,
            },
            None => self.gen2.hear(heard, false, out),
        }
    }

    fn tick(&mut self, now: Timestamp, out: &mut Vec<Finding>) {
        self.gen1.tick(now, out);
        self.gen2.tick(now, out);
    }

    fn reconnected(&mut self, now: Timestamp, _out: &mut Vec<Finding>) {
        self.gen1.reconnected(now);
    }
}
