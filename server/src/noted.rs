//! What goes into the log of what was done besides commands: alarms, devices that come and go, brokers reached and lost.

use std::collections::HashMap;

use domain::alarm::{Alarm, AlarmState};
use domain::change::Change;
use domain::device::{Availability, DeviceId};
use domain::live::{LinkState, LinkView};
use domain::time::{SECOND_MS, Timestamp};
use serde_json::{Value as Json, json};

use crate::store::activity::{Activity, Actor};

/// Who does what nobody asked for.
pub const PROGRAM: &str = "signalbox";
/// Entries that nobody asked for may come at once, and one more each [`REFILL_MS`]: what flaps must not fill the log.
const BURST: u32 = 500;
const REFILL_MS: i64 = 10 * SECOND_MS;

/// What the log was told before.
#[derive(Debug)]
pub struct Noted {
    links: HashMap<String, LinkState>,
    alarms: HashMap<String, AlarmState>,
    devices: HashMap<DeviceId, Availability>,
    /// Entries that may still come, and since when that is so.
    allowance: (u32, Timestamp),
    /// What was left out since.
    left_out: u64,
}

impl Default for Noted {
    fn default() -> Self {
        Self { links: HashMap::new(), alarms: HashMap::new(), devices: HashMap::new(), allowance: (BURST, Timestamp::default()), left_out: 0 }
    }
}

impl Noted {
    /// What the log says about a change that `by` made; an empty name is nobody. Commands are written down elsewhere.
    pub fn look(&mut self, change: &Change, by: &Actor, now: Timestamp) -> Option<Activity> {
        match change {
            Change::Alarm(alarm) => self.alarm(alarm, by, now),
            Change::Device(device) => {
                let before = self.devices.insert(device.id.clone(), device.availability);
                let what = match (before, device.availability) {
                    (Some(Availability::Online), Availability::Offline) | (None | Some(Availability::Unknown), Availability::Offline) => {
                        "device.offline"
                    }
                    (Some(Availability::Offline), Availability::Online) => "device.online",
                    // First words of a device that was there all the time.
                    _ => return None,
                };
                self.unasked(entry(what, PROGRAM.into(), json!({"device": device.id, "name": device.name}), now))
            }
            Change::Link(link) => self.link(link, now),
            _ => None,
        }
    }

    fn alarm(&mut self, alarm: &Alarm, by: &Actor, now: Timestamp) -> Option<Activity> {
        // An alarm may be told in other words without any change of its state.
        if self.alarms.insert(alarm.id.clone(), alarm.state) == Some(alarm.state) {
            return None;
        }
        let what = match alarm.state {
            _ if !by.name.is_empty() => "alarm.acknowledged",
            AlarmState::Unacked => "alarm.raised",
            AlarmState::Returned => "alarm.returned",
            _ => "alarm.cleared",
        };
        let detail = json!({
            "alarm": alarm.id, "rule": alarm.rule, "severity": alarm.severity, "state": alarm.state, "condition": alarm.condition,
            "message": alarm.message, "since": alarm.since,
        });
        let is_own = alarm.rule == alarm.entity.as_str();
        let who = match by.name.as_str() {
            "" if is_own => PROGRAM.into(),
            "" => Actor { name: format!("rule {}", alarm.rule), address: None },
            _ => by.clone(),
        };
        let entry = Activity { entity: Some(alarm.entity.clone()), ..entry(what, who, detail, now) };
        if by.name.is_empty() { self.unasked(entry) } else { Some(entry) }
    }

    fn link(&mut self, link: &LinkView, now: Timestamp) -> Option<Activity> {
        if self.links.insert(link.broker.clone(), link.state) == Some(link.state) {
            return None;
        }
        let what = match link.state {
            LinkState::Up => "link.up",
            LinkState::Down => "link.down",
            LinkState::Connecting => return None,
        };
        self.unasked(entry(what, PROGRAM.into(), json!({"broker": link.broker}), now))
    }

    fn unasked(&mut self, mut entry: Activity) -> Option<Activity> {
        let (left, since) = self.allowance;
        let refilled = u32::try_from(entry.at.since_ms(since).max(0) / REFILL_MS).unwrap_or(BURST);
        // A clock that was set back must not stop the log.
        let since = if refilled > 0 || entry.at < since { entry.at } else { since };
        let left = left.saturating_add(refilled).min(BURST);
        self.allowance = (left.saturating_sub(1), since);
        if left == 0 {
            self.left_out += 1;
            return None;
        }
        let left_out = std::mem::take(&mut self.left_out);
        if left_out > 0 {
            tracing::warn!(left_out, "Too much happens by itself for the log of what was done: some of it is not written down");
            if let Json::Object(detail) = &mut entry.detail {
                detail.insert("left_out_before".to_owned(), left_out.into());
            }
        }
        Some(entry)
    }
}

/// An entry about something that is done when it happens.
#[must_use]
pub fn entry(what: &str, who: Actor, detail: Json, at: Timestamp) -> Activity {
    Activity { at, who, what: what.to_owned(), entity: None, outcome: "done".to_owned(), after_ms: None, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(state: LinkState) -> Change {
        Change::Link(LinkView::new("main", state, Timestamp::from_ms(0)))
    }

    #[test]
    fn a_link_is_told_when_it_changes_and_what_flaps_does_not_fill_the_log() {
        let mut noted = Noted::default();
        let mut at = Timestamp::from_ms(1_000_000);
        let mut look = |state, at| noted.look(&link(state), &Actor::default(), at);
        assert_eq!(look(LinkState::Connecting, at), None);
        assert_eq!(look(LinkState::Up, at).map(|entry| entry.what), Some("link.up".to_owned()));
        assert_eq!(look(LinkState::Up, at), None, "only its figures changed");
        let told = (0..10_000).filter(|n| look(if n % 2 == 0 { LinkState::Down } else { LinkState::Up }, at).is_some()).count();
        assert_eq!(told, 499);
        at = at.plus_ms(REFILL_MS);
        let next = look(LinkState::Down, at).expect("room again");
        assert_eq!(next.detail["left_out_before"], 9_501);
    }
}
