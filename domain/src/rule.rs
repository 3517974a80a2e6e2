//! Alarm rules: when an alarm is raised and cleared.

use serde::{Deserialize, Serialize};

use crate::alarm::{AlarmState, Severity};
use crate::entity::EntityId;
use crate::value::number_words;

/// When a rule fires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// Raised by a value greater than `limit`, ended at `limit - hysteresis` or less.
    Above {
        /// In the unit of the entity.
        limit: f64,
    },
    /// Raised by a value smaller than `limit`, ended at `limit + hysteresis` or more.
    Below {
        /// In the unit of the entity.
        limit: f64,
    },
    /// Raised while the device is offline.
    Offline {},
}

impl Condition {
    /// `above 34`, as the strip says it.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Above { limit } => format!("above {}", number_words(*limit, None)),
            Self::Below { limit } => format!("below {}", number_words(*limit, None)),
            Self::Offline {} => "offline".to_owned(),
        }
    }

    /// The limit that a chart draws.
    #[must_use]
    pub const fn limit(&self) -> Option<f64> {
        match self {
            Self::Above { limit } | Self::Below { limit } => Some(*limit),
            Self::Offline {} => None,
        }
    }
}

/// A rule of the configuration: `[[rule]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Stable id.
    pub id: String,
    /// Shown name; empty takes the entity's.
    #[serde(default)]
    pub name: String,
    /// What it watches.
    pub entity: EntityId,
    /// When it fires.
    pub condition: Condition,
    /// How bad it is.
    pub severity: Severity,
    /// How far a value must come back before the alarm ends; in the unit of the entity, not negative.
    #[serde(default)]
    pub hysteresis: f64,
    /// What to tell; empty takes the condition's words.
    #[serde(default)]
    pub message: String,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// The newest good value as a number.
    pub value: Option<f64>,
    /// The device said it is gone.
    pub offline: bool,
}

/// Whether the condition holds now, given that it held before (`active`): the hysteresis keeps it up.
#[must_use]
pub fn holds(rule: &Rule, active: bool, seen: Observation) -> bool {
    let back = if active { rule.hysteresis } else { 0.0 };
    match (&rule.condition, seen.value) {
        (Condition::Offline {}, _) => seen.offline,
        // A device that is gone says nothing new: what was raised stays, nothing new is raised.
        (_, None) => active,
        (Condition::Above { limit }, Some(v)) => v > limit - back,
        (Condition::Below { limit }, Some(v)) => v < limit + back,
    }
}

/// The state after the condition was looked at.
#[must_use]
pub const fn step(state: AlarmState, holds: bool) -> AlarmState {
    match (state, holds) {
        (AlarmState::Normal | AlarmState::Returned, true) => AlarmState::Unacked,
        (AlarmState::Unacked, false) => AlarmState::Returned,
        (AlarmState::Acked, false) => AlarmState::Normal,
        (state, _) => state,
    }
}

/// The state after an operator acknowledged it.
#[must_use]
pub const fn acknowledge(state: AlarmState) -> AlarmState {
    match state {
        AlarmState::Unacked => AlarmState::Acked,
        AlarmState::Returned => AlarmState::Normal,
        state => state,
    }
}

/// Whether the condition counts as holding in this state.
#[must_use]
pub const fn is_active(state: AlarmState) -> bool {
    matches!(state, AlarmState::Unacked | AlarmState::Acked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(condition: Condition, hysteresis: f64) -> Rule {
        Rule {
            id: "r".into(),
            name: String::new(),
            entity: EntityId::parse("a.b").expect("id"),
            condition,
            severity: Severity::Critical,
            hysteresis,
            message: String::new(),
        }
    }

    fn run(rule: &Rule, values: &[f64]) -> Vec<AlarmState> {
        let mut state = AlarmState::Normal;
        values
            .iter()
            .map(|&v| {
                state = step(state, holds(rule, is_active(state), Observation { value: Some(v), offline: false }));
                state
            })
            .collect()
    }

    #[test]
    fn alarm_returns_only_at_limit_minus_hysteresis() {
        use AlarmState::{Normal, Returned, Unacked};
        let above = rule(Condition::Above { limit: 30.0 }, 2.0);
        assert_eq!(run(&above, &[30.0, 30.1, 29.0, 28.1, 28.0, 29.9, 31.0]), [Normal, Unacked, Unacked, Unacked, Returned, Returned, Unacked]);
        let below = rule(Condition::Below { limit: 20.0 }, 1.0);
        assert_eq!(run(&below, &[20.0, 19.9, 20.5, 21.0]), [Normal, Unacked, Unacked, Returned]);
    }

    #[test]
    fn an_acknowledged_alarm_ends_when_its_cause_does() {
        assert_eq!(step(acknowledge(AlarmState::Unacked), false), AlarmState::Normal);
        assert_eq!(acknowledge(AlarmState::Returned), AlarmState::Normal);
        assert_eq!(acknowledge(AlarmState::Normal), AlarmState::Normal);
    }

    proptest! {
        #[test]
        fn values_inside_the_band_change_nothing(limit in -1e3..1e3f64, hysteresis in 0.0..10.0f64, at in 0.0..1.0f64) {
            let rule = rule(Condition::Above { limit }, hysteresis);
            let inside = limit - hysteresis * at * 0.999;
            for active in [false, true] {
                let held = holds(&rule, active, Observation { value: Some(inside), offline: false });
                prop_assert!(held == active || hysteresis * at == 0.0);
            }
        }
    }
}
