//! Rules and their alarms.

use crate::alarm::{Alarm, AlarmState};
use crate::change::Change;
use crate::device::Availability;
use crate::rule::{Condition, Observation, acknowledge, holds, is_active, step};
use crate::time::Timestamp;

use super::Fleet;

impl Fleet {
    /// One alarm a rule, normal until something happens.
    pub(super) fn make_alarms(&mut self) {
        for rule in &self.settings.rules {
            let condition = rule.condition.words();
            let name = if rule.name.is_empty() { rule.entity.key().replace(['_', '-'], " ") } else { rule.name.clone() };
            let message = if rule.message.is_empty() { format!("{name} {condition}") } else { rule.message.clone() };
            self.alarms.insert(
                rule.id.clone(),
                Alarm {
                    id: rule.id.clone(),
                    rule: rule.id.clone(),
                    entity: rule.entity.clone(),
                    severity: rule.severity,
                    state: AlarmState::Normal,
                    message,
                    condition,
                    since: Timestamp::default(),
                    until: None,
                },
            );
        }
    }

    /// Looks at the rules of an entity after its value or its device's availability changed.
    pub(super) fn check_rules(&mut self, idx: usize, now: Timestamp, out: &mut Vec<Change>) {
        let Some(slot) = self.slots.get(idx) else { return };
        let offline = self.devices.get(&slot.entity.device).is_some_and(|device| device.availability == Availability::Offline);
        for rule in self.settings.rules.iter().filter(|rule| rule.entity == slot.entity.id) {
            let Some(alarm) = self.alarms.get_mut(&rule.id) else { continue };
            // While a device is gone its last value says nothing about now; only the rule that watches for that looks.
            let value =
                slot.value.as_ref().and_then(crate::value::Value::as_number).filter(|_| !offline || matches!(rule.condition, Condition::Offline {}));
            let state = step(alarm.state, holds(rule, is_active(alarm.state), Observation { value, offline }));
            if state != alarm.state {
                if state == AlarmState::Unacked {
                    alarm.since = now;
                }
                alarm.state = state;
                out.push(Change::Alarm(alarm.clone()));
            }
        }
    }

    pub(super) fn acknowledge(&mut self, id: &str, out: &mut Vec<Change>) {
        if let Some(alarm) = self.alarms.get_mut(id) {
            let state = acknowledge(alarm.state);
            if state != alarm.state {
                alarm.state = state;
                out.push(Change::Alarm(alarm.clone()));
            }
        }
    }
}
