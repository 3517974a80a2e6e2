//! A light of plain topics that tells nobody what it does, and the motion sensor that commands it as others would.

use std::time::Duration;

use domain::time::Timestamp;
use domain::value::OnOff;

use super::actor::Speech;
use crate::simulator::payload::Command;
use crate::simulator::player::Outgoing;

const LIGHT: &str = "porch";
const MOTION: &str = "porch-motion";

/// The light: it has a command topic and no state topic.
#[derive(Debug)]
pub(super) struct Porch {
    on: bool,
}

impl Porch {
    pub(super) const fn new() -> Self {
        Self { on: false }
    }
}

impl Speech for Porch {
    fn id(&self) -> &str {
        LIGHT
    }

    fn topics(&self) -> Vec<String> {
        vec![command_topic()]
    }

    fn farewell(&self) -> Outgoing {
        presence(LIGHT, false)
    }

    fn birth(&mut self, _now: Timestamp) -> Vec<Outgoing> {
        vec![presence(LIGHT, true)]
    }

    fn telemetry(&mut self, _now: Timestamp) -> Vec<Outgoing> {
        vec![]
    }

    fn obey(&mut self, _topic: &str, payload: &[u8], _now: Timestamp) -> Vec<Outgoing> {
        if let Some(state) = Command::parse(payload).and_then(|command| command.state) {
            self.on = state == OnOff::On;
        }
        vec![]
    }
}

/// The motion sensor. A light without a state topic is known to others by the commands that it gets.
#[derive(Debug)]
pub(super) struct PorchMotion {
    lit: bool,
}

impl PorchMotion {
    pub(super) const fn new() -> Self {
        Self { lit: false }
    }

    fn command(&mut self) -> Outgoing {
        self.lit = !self.lit;
        Outgoing::event(command_topic(), if self.lit { r#"{"state":"on","brightness":70}"# } else { r#"{"state":"off"}"# })
    }
}

impl Speech for PorchMotion {
    fn id(&self) -> &str {
        MOTION
    }

    fn topics(&self) -> Vec<String> {
        vec![]
    }

    fn farewell(&self) -> Outgoing {
        presence(MOTION, false)
    }

    fn birth(&mut self, _now: Timestamp) -> Vec<Outgoing> {
        vec![presence(MOTION, true), self.command()]
    }

    fn every(&self) -> Duration {
        Duration::from_mins(3)
    }

    fn telemetry(&mut self, _now: Timestamp) -> Vec<Outgoing> {
        vec![self.command()]
    }

    fn obey(&mut self, _topic: &str, _payload: &[u8], _now: Timestamp) -> Vec<Outgoing> {
        vec![]
    }
}

fn command_topic() -> String {
    format!("control/lights/{LIGHT}")
}

fn presence(device: &str, online: bool) -> Outgoing {
    Outgoing::retained(format!("devices/{device}/status"), if online { "online" } else { "offline" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_000);

    #[test]
    fn the_light_does_what_it_is_told_and_tells_nobody() {
        let mut light = Porch::new();
        for (payload, on) in [(r#"{"state":"on","brightness":70}"#, true), ("nonsense", true), ("off", false)] {
            assert_eq!((light.obey("control/lights/porch", payload.as_bytes(), NOW), light.on), (vec![], on), "{payload}");
        }
        assert_eq!((light.telemetry(NOW), light.birth(NOW)), (vec![], vec![Outgoing::retained("devices/porch/status", "online")]));
    }

    #[test]
    fn the_motion_sensor_commands_it_and_nothing_is_kept() {
        let mut motion = PorchMotion::new();
        let first = motion.birth(NOW).remove(1);
        assert_eq!((first.topic.as_str(), first.retain), ("control/lights/porch", false));
        assert_eq!((first.text().as_str(), motion.telemetry(NOW)[0].text().as_str()), (r#"{"state":"on","brightness":70}"#, r#"{"state":"off"}"#));
    }
}
