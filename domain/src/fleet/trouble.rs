//! Alarms of the server itself: no rule watches for them.

use crate::alarm::{Alarm, AlarmState, Severity};
use crate::change::Change;
use crate::entity::EntityId;
use crate::rule::{is_active, step};
use crate::time::Timestamp;

use super::Fleet;

/// The device whose entities such alarms are about. No message feeds them.
const OWN: &str = "signalbox";

impl Fleet {
    /// Raises or ends an alarm, or tells it in other words.
    pub(super) fn trouble(
        &mut self,
        (id, severity): (&str, Severity),
        condition: &str,
        message: Option<String>,
        now: Timestamp,
        out: &mut Vec<Change>,
    ) {
        if message.is_none() && !self.alarms.contains_key(id) {
            return;
        }
        let Ok(entity) = EntityId::parse(id) else { return };
        let alarm = self.alarms.entry(id.to_owned()).or_insert_with(|| Alarm {
            id: id.to_owned(),
            rule: id.to_owned(),
            entity,
            severity,
            state: AlarmState::Normal,
            message: String::new(),
            condition: condition.to_owned(),
            since: now,
            until: None,
        });
        let state = step(alarm.state, message.is_some());
        let message = message.unwrap_or_else(|| alarm.message.clone());
        if (state, &message) == (alarm.state, &alarm.message) {
            return;
        }
        if is_active(state) && !is_active(alarm.state) {
            alarm.since = now;
        }
        (alarm.state, alarm.message) = (state, message);
        out.push(Change::Alarm(alarm.clone()));
    }

    /// What an earlier run left of an alarm that no rule makes; returns one that is not of the server itself.
    pub(super) fn restore_trouble(&mut self, alarm: Alarm) -> Option<Alarm> {
        if alarm.entity.device() != OWN || alarm.id != alarm.entity.as_str() {
            return Some(alarm);
        }
        self.alarms.entry(alarm.id.clone()).or_insert(alarm);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Settings;
    use crate::input::Input;

    fn tell(fleet: &mut Fleet, at: i64, message: Option<&str>) -> Vec<(AlarmState, String, i64)> {
        let mut out = vec![];
        let message = message.map(ToOwned::to_owned);
        let input = Input::Trouble { id: "signalbox.recorder", severity: Severity::Critical, condition: "not recording", message };
        fleet.apply(input, Timestamp::from_ms(at), &mut out);
        let told = |change| match change {
            Change::Alarm(alarm) => (alarm.state, alarm.message, alarm.since.as_ms()),
            other => panic!("{other:?}"),
        };
        out.into_iter().map(told).collect()
    }

    #[test]
    fn trouble_is_told_once_and_in_new_words_and_when_it_is_over() {
        use AlarmState::{Returned, Unacked};
        let mut fleet = Fleet::new(Settings::default());
        assert_eq!(tell(&mut fleet, 1, None), []);
        assert_eq!(tell(&mut fleet, 2, Some("full")), [(Unacked, "full".to_owned(), 2)]);
        assert_eq!(tell(&mut fleet, 3, Some("full")), []);
        assert_eq!(tell(&mut fleet, 4, Some("locked")), [(Unacked, "locked".to_owned(), 2)]);
        assert_eq!(tell(&mut fleet, 5, None), [(Returned, "locked".to_owned(), 2)]);
        assert_eq!(tell(&mut fleet, 6, None), []);
        assert_eq!(tell(&mut fleet, 7, Some("full")), [(Unacked, "full".to_owned(), 7)]);
    }

    #[test]
    fn trouble_of_an_earlier_run_is_told_until_it_is_known_to_be_over() {
        let mut before = Fleet::new(Settings::default());
        tell(&mut before, 1, Some("full"));
        let mut fleet = Fleet::new(Settings::default());
        fleet.restore(vec![], vec![], vec![], before.alarms());
        assert_eq!(fleet.alarms(), before.alarms());
        assert_eq!(tell(&mut fleet, 2, None), [(AlarmState::Returned, "full".to_owned(), 1)]);
    }
}
