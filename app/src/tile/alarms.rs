//! Which alarm comes first, and what a page says about all of them.

use domain::alarm::{Alarm, AlarmState, Severity};

/// Whether a page shows the alarm: raised or not yet acknowledged.
#[must_use]
pub const fn is_shown(alarm: &Alarm) -> bool {
    matches!(alarm.state, AlarmState::Unacked | AlarmState::Returned | AlarmState::Acked)
}

/// The shown alarms, most urgent first: by state, then priority, then newest.
#[must_use]
pub fn by_urgency(alarms: &[Alarm]) -> Vec<Alarm> {
    let mut shown: Vec<Alarm> = alarms.iter().filter(|alarm| is_shown(alarm)).cloned().collect();
    // No two have one id, so that nothing is equal.
    shown.sort_unstable_by(|a, b| (a.state, a.severity, b.since, &a.id).cmp(&(b.state, b.severity, a.since, &b.id)));
    shown
}

/// The most urgent shown alarm among those that `wanted` takes.
#[must_use]
pub fn worst(alarms: &[Alarm], wanted: impl Fn(&Alarm) -> bool) -> Option<&Alarm> {
    alarms.iter().filter(|alarm| is_shown(alarm) && wanted(alarm)).min_by_key(|alarm| (alarm.severity, alarm.state))
}

/// For each priority with shown alarms: how many, and the most urgent state.
#[must_use]
pub fn counts(alarms: &[Alarm]) -> Vec<(Severity, AlarmState, usize)> {
    [Severity::Critical, Severity::Warning, Severity::Notice]
        .into_iter()
        .filter_map(|severity| {
            let of = || alarms.iter().filter(move |alarm| is_shown(alarm) && alarm.severity == severity);
            of().map(|alarm| alarm.state).min().map(|state| (severity, state, of().count()))
        })
        .collect()
}

/// The state as a person reads it: `unacknowledged`.
#[must_use]
pub const fn state_words(state: AlarmState) -> &'static str {
    match state {
        AlarmState::Unacked => "unacknowledged",
        AlarmState::Acked => "acknowledged",
        AlarmState::Returned => "returned, unacknowledged",
        AlarmState::Shelved => "shelved",
        AlarmState::Suppressed => "suppressed",
        AlarmState::OutOfService => "out of service",
        AlarmState::Normal => "normal",
    }
}

/// The priority as a person reads it: `Critical`.
#[must_use]
pub const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::Warning => "Warning",
        Severity::Notice => "Notice",
    }
}

/// `Critical, unacknowledged`: what a mark says that has no word beside it.
#[must_use]
pub fn mark_words(severity: Severity, state: AlarmState) -> String {
    [severity_word(severity), ", ", state_words(state)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::entity::EntityId;
    use domain::time::Timestamp;

    fn alarm(id: &str, severity: Severity, state: AlarmState, since: i64) -> Alarm {
        Alarm {
            id: id.into(),
            rule: id.into(),
            entity: EntityId::parse("a.b").expect("id"),
            severity,
            state,
            message: String::new(),
            condition: String::new(),
            since: Timestamp::from_ms(since),
            until: None,
        }
    }

    #[test]
    fn the_strip_is_ordered_by_state_then_priority_then_newest() {
        use AlarmState::{Acked, Normal, Returned, Shelved, Unacked};
        use Severity::{Critical, Notice, Warning};
        let alarms = [
            alarm("acked", Critical, Acked, 9),
            alarm("returned", Warning, Returned, 9),
            alarm("old", Warning, Unacked, 1),
            alarm("new", Warning, Unacked, 2),
            alarm("critical", Critical, Unacked, 0),
            alarm("shelved", Critical, Shelved, 0),
            alarm("normal", Notice, Normal, 0),
        ];
        let order: Vec<String> = by_urgency(&alarms).into_iter().map(|alarm| alarm.id).collect();
        assert_eq!(order, ["critical", "new", "old", "returned", "acked"]);
        assert_eq!(counts(&alarms), [(Critical, Unacked, 2), (Warning, Unacked, 3)]);
        assert_eq!(worst(&alarms, |_| true).map(|alarm| alarm.id.as_str()), Some("critical"));
    }
}
