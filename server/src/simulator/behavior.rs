//! What a device of the scenes does next.

use std::time::Duration;

use domain::value::LightState;

use super::device::{Device, FaultKind};
use super::payload::{self, Command};
use super::player::Reactions;

pub use super::player::{Moment, Outgoing, Player};

/// How often a light or a switch repeats its state.
const STATE_EVERY: Duration = Duration::from_secs(5);

/// A device of the scenes at work. It keeps its state while its connection comes and goes.
#[derive(Debug)]
pub struct Behavior {
    device: Device,
    first_connect: Option<Duration>,
    /// When each sensor speaks next.
    sensors_due: Vec<Duration>,
    controls: Vec<ControlState>,
}

#[derive(Debug)]
struct ControlState {
    state: LightState,
    report_due: Duration,
    reactions: Reactions<Command>,
}

impl Behavior {
    /// A device that was just switched on; the seed makes its reaction times.
    #[must_use]
    pub fn new(device: Device, seed: u64) -> Self {
        let control = |initial| ControlState { state: initial, report_due: Duration::ZERO, reactions: Reactions::new(seed) };
        let controls = device.controls.iter().map(|c| control(c.initial)).collect();
        let sensors_due = vec![Duration::ZERO; device.sensors.len()];
        Self { device, first_connect: None, sensors_due, controls }
    }

    /// The device.
    #[must_use]
    pub const fn device(&self) -> &Device {
        &self.device
    }

    /// The message that says whether it is there; `offline` is also its last will.
    fn status(&self, online: bool) -> Outgoing {
        Outgoing::retained(self.device.status_topic(), if online { "online" } else { "offline" })
    }

    fn fault_remaining(&self, kind: FaultKind, uptime: Duration) -> Option<Duration> {
        let fault = self.device.fault.filter(|fault| fault.kind == kind)?;
        fault.remaining(uptime.checked_sub(self.first_connect?)?)
    }
}

impl Player for Behavior {
    fn name(&self) -> &str {
        self.device.id
    }

    fn topics(&self) -> Vec<String> {
        self.device.controls.iter().map(|c| c.command_topic(self.device.id)).collect()
    }

    fn will(&mut self) -> Outgoing {
        self.status(false)
    }

    fn farewell(&self) -> Outgoing {
        self.status(false)
    }

    fn connected(&mut self, at: Moment) -> Vec<Outgoing> {
        self.first_connect.get_or_insert(at.uptime);
        self.sensors_due.fill(at.uptime);
        for control in &mut self.controls {
            control.report_due = at.uptime;
        }
        let mut out = vec![self.status(true)];
        out.extend(self.due(at));
        out
    }

    fn receive(&mut self, topic: &str, payload: &[u8], at: Moment) {
        let Some(command) = Command::parse(payload) else { return };
        for (spec, control) in self.device.controls.iter().zip(&mut self.controls) {
            if spec.obeys && spec.command_topic(self.device.id) == topic {
                control.reactions.take(command, at);
            }
        }
    }

    fn due(&mut self, at: Moment) -> Vec<Outgoing> {
        let mut out = Vec::new();
        let silent = self.fault_remaining(FaultKind::Silent, at.uptime).is_some();
        for (sensor, due) in self.device.sensors.iter().zip(&mut self.sensors_due) {
            if *due > at.uptime {
                continue;
            }
            *due = at.uptime + Duration::from_millis(sensor.every_ms.unsigned_abs().max(100));
            if !silent {
                out.push(Outgoing::retained(sensor.topic.clone(), payload::reading(sensor, at.now)));
            }
        }
        for (spec, control) in self.device.controls.iter().zip(&mut self.controls) {
            let mut changed = false;
            while let Some(command) = control.reactions.next(at) {
                control.state = command.applied_to(control.state);
                changed = true;
            }
            // While a command waits the old state is not repeated: it would look like an answer.
            if changed || (control.report_due <= at.uptime && control.reactions.due().is_none()) {
                control.report_due = at.uptime + STATE_EVERY;
                out.push(Outgoing::retained(spec.state_topic(self.device.id), payload::state(spec.kind, control.state)));
            }
        }
        out
    }

    fn next_wake(&self) -> Duration {
        let sensors = self.sensors_due.iter().copied();
        let commands = self.controls.iter().map(|c| c.reactions.due().unwrap_or(c.report_due));
        sensors.chain(commands).min().unwrap_or(Duration::MAX)
    }

    fn absent_for(&self, uptime: Duration) -> Option<Duration> {
        self.fault_remaining(FaultKind::Dropped, uptime)
    }
}

#[cfg(test)]
mod tests {
    use domain::time::Timestamp;

    use super::*;
    use crate::simulator::player::MAX_WAITING;
    use crate::simulator::{find_device, scenes};

    fn at(ms: u64) -> Moment {
        Moment { uptime: Duration::from_millis(ms), now: Timestamp::from_ms(1_781_273_006_000).plus_ms(i64::try_from(ms).expect("small")) }
    }

    fn device(id: &str) -> Behavior {
        Behavior::new(find_device(scenes(), id).expect("a device of the scenes"), 7)
    }

    /// What the device publishes on a topic from a moment on, millisecond by millisecond.
    fn published(behavior: &mut Behavior, topic: &str, from_ms: u64, to_ms: u64) -> Vec<(u64, String)> {
        let mut seen = vec![];
        for ms in from_ms..to_ms {
            if behavior.next_wake() <= at(ms).uptime {
                seen.extend(behavior.due(at(ms)).into_iter().filter(|o| o.topic == topic).map(|o| (ms, o.text())));
            }
        }
        seen
    }

    #[test]
    fn a_device_says_everything_when_it_connects() {
        let mut pump_house = device("pump-house");
        let out = pump_house.connected(at(0));
        assert_eq!(out[0], Outgoing::retained("devices/pump-house/status", "online"));
        assert_eq!(out.len(), 1 + pump_house.device().sensors.len());
    }

    #[test]
    fn a_light_does_what_it_is_told_after_a_moment() {
        let mut light = device("ceiling-light");
        light.connected(at(0));
        light.receive("control/lights/ceiling-light", br#"{"state":"off"}"#, at(1_000));
        let seen = published(&mut light, "state/lights/ceiling-light", 1_000, 3_000);
        let [(ms, payload)] = seen.as_slice() else { panic!("one report, not {seen:?}") };
        assert!((1_200..=1_900).contains(ms), "after {ms} ms");
        assert_eq!(payload, r#"{"state":"off","brightness":65,"color_temp":2900}"#);
    }

    #[test]
    fn commands_are_done_in_order() {
        let mut lamp = device("floor-lamp");
        lamp.connected(at(0));
        for (payload, ms) in [("on", 10), (r#"{"state":"off"}"#, 20), ("on", 30)] {
            lamp.receive("control/switches/floor-lamp", payload.as_bytes(), at(ms));
        }
        assert_eq!(published(&mut lamp, "state/switches/floor-lamp", 30, 3_000).last().map(|(_, p)| p.as_str()), Some("on"));
    }

    #[test]
    fn the_misting_valve_never_does_what_it_is_told() {
        let mut valve = device("misting-valve");
        valve.connected(at(0));
        valve.receive("control/switches/misting-valve", b"on", at(100));
        let seen = published(&mut valve, "state/switches/misting-valve", 100, 60_000);
        assert!(!seen.is_empty() && seen.iter().all(|(_, payload)| payload == "off"), "{seen:?}");
    }

    #[test]
    fn a_flood_of_commands_is_forgotten() {
        let mut lamp = device("floor-lamp");
        lamp.connected(at(0));
        for _ in 0..10_000 {
            lamp.receive("control/switches/floor-lamp", b"on", at(1));
        }
        assert_eq!(lamp.controls[0].reactions.len(), MAX_WAITING);
    }

    #[test]
    fn the_cargo_bay_falls_silent_and_speaks_again() {
        let mut cargo = device("van-12-cargo");
        cargo.connected(at(0));
        let seen = published(&mut cargo, "sensors/van-12-cargo/temperature", 1, 300_000);
        let in_window = |from, to| seen.iter().filter(|(ms, _)| (from..to).contains(ms)).count();
        assert_eq!((in_window(0, 20_000), in_window(20_000, 260_000)), (9, 0));
        assert!(in_window(260_000, 300_000) >= 19);
        assert_eq!(cargo.absent_for(Duration::from_secs(30)), None);
    }

    #[test]
    fn the_pump_drive_drops_off_and_comes_back() {
        let mut drive = device("pump-2-drive");
        assert_eq!(drive.absent_for(Duration::from_secs(60)), None, "never connected");
        drive.connected(at(60_000));
        let s = Duration::from_secs;
        assert_eq!((drive.absent_for(s(74)), drive.absent_for(s(75)), drive.absent_for(s(376))), (None, Some(s(300)), None));
    }
}
