//! Rules and their alarms.

use crate::alarm::{Alarm, AlarmState};
use crate::change::Change;
use crate::device::Availability;
use crate::rule::{Condition, Observation, Rule, acknowledge, holds, is_active, step};
use crate::time::Timestamp;

use super::Fleet;

/// The condition of a rule in words, and what its alarm tells.
fn words(rule: &Rule) -> (String, String) {
    let condition = rule.condition.words();
    let name = if rule.name.is_empty() { rule.entity.key().replace(['_', '-'], " ") } else { rule.name.clone() };
    let message = if rule.message.is_empty() { format!("{name} {condition}") } else { rule.message.clone() };
    (condition, message)
}

impl Fleet {
    /// One alarm a rule, normal until something happens.
    pub(super) fn make_alarms(&mut self) {
        for rule in &self.settings.rules {
            let (condition, message) = words(rule);
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

    /// Says the alarms of an entity in the unit that it is shown in.
    pub(super) fn word_alarms(&mut self, idx: usize) {
        self.tell_alarms_anew(idx, &mut vec![]);
    }

    /// As [`Fleet::word_alarms`], after that unit changed; tells of those that are shown.
    pub(super) fn tell_alarms_anew(&mut self, idx: usize, out: &mut Vec<Change>) {
        let Some(entity) = self.slots.get(idx).map(|slot| &slot.entity.id) else { return };
        let rules: Vec<Rule> = self.rules_of(entity).collect();
        for rule in rules {
            let Some(alarm) = self.alarms.get_mut(&rule.id) else { continue };
            let (condition, message) = words(&rule);
            if (&alarm.condition, &alarm.message) != (&condition, &message) {
                (alarm.condition, alarm.message) = (condition, message);
                if alarm.state != AlarmState::Normal {
                    out.push(Change::AlarmWords(alarm.clone()));
                }
            }
        }
    }

    /// An alarm in the words of the configuration file, which is what is stored: those of another unit would outlive it.
    #[must_use]
    pub fn alarm_as_written(&self, alarm: Alarm) -> Alarm {
        let Some(rule) = self.settings.rules.iter().find(|rule| rule.id == alarm.rule) else { return alarm };
        let (condition, message) = words(rule);
        Alarm { condition, message, ..alarm }
    }

    /// An alarm of the past, as it was stored, in the unit that its entity is shown in; one of a rule that said something else then, as it was.
    #[must_use]
    pub fn alarm_as_shown(&self, alarm: Alarm) -> Alarm {
        let rule = self.settings.rules.iter().find(|rule| rule.id == alarm.rule);
        let Some(rule) = rule.filter(|rule| rule.condition.words() == alarm.condition) else { return alarm };
        let (condition, message) = words(&self.shown_rule(rule));
        Alarm { condition, message, ..alarm }
    }

    /// Looks at the rules of an entity after its value or its device's availability changed.
    pub(super) fn check_rules(&mut self, idx: usize, now: Timestamp, out: &mut Vec<Change>) {
        let Some(slot) = self.slots.get(idx) else { return };
        let offline = self.devices.get(&slot.entity.device).is_some_and(|device| device.availability == Availability::Offline);
        // Rules are written in the unit of the configuration file, else in that of the device.
        let conversion = slot.conversion.filter(|_| self.is_unit_in_file(&slot.entity.id));
        for rule in self.settings.rules.iter().filter(|rule| rule.entity == slot.entity.id) {
            let Some(alarm) = self.alarms.get_mut(&rule.id) else { continue };
            // While a device is gone its last value says nothing about now; only the rule that watches for that looks.
            let value =
                slot.value.as_ref().and_then(crate::value::Value::as_number).filter(|_| !offline || matches!(rule.condition, Condition::Offline {}));
            let value = value.map(|native| conversion.map_or(native, |conversion| conversion.show(native)));
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
