//! Values, commands and rules in the unit that is shown, where it is another than the device speaks in. The fleet holds everything as the device says
//! it, and history is stored so: a unit that is shown can be changed at any time, and nothing is lost.

use std::borrow::Cow;

use crate::command::{Action, Wish};
use crate::control::Control;
use crate::entity::{Entity, EntityId, EntityKind};
use crate::history::SeriesKind;
use crate::rule::{Condition, Rule};
use crate::units::{Conversion, decimals, spelled};
use crate::value::Value;

use super::slot::Slot;
use super::{Fleet, Override};

/// Gives an entity the unit that is written, and with it what else is said in that unit; how its numbers convert. Where they do not, the unit is a
/// label.
pub(super) fn convert(entity: &mut Entity, written: &Override) -> Option<Conversion> {
    entity.unit = written.native_unit.clone().or(entity.unit.take());
    let unit = written.unit.as_deref()?;
    let has_numbers = matches!(entity.kind, EntityKind::Sensor | EntityKind::Number | EntityKind::Climate);
    let conversion = entity.unit.as_deref().filter(|_| has_numbers).and_then(|native| Conversion::between(native, unit));
    let Some(conversion) = conversion else {
        entity.unit = Some(unit.to_owned());
        return None;
    };
    if entity.kind.is_sensor() {
        // A meter is one in whatever unit it is shown.
        entity.counter = Some(entity.series_kind() == SeriesKind::Counter);
    }
    entity.unit = spelled(unit).map(str::to_owned);
    entity.precision = entity.precision.map(|native| conversion.decimals(native)).or_else(|| decimals(unit));
    let Control { min, max, step, .. } = &mut entity.control;
    (*min, *max) = (min.map(|min| conversion.show(min)), max.map(|max| conversion.show(max)));
    *step = step.map(|step| conversion.show_span(step));
    Some(conversion)
}

/// A value that a device says, in the unit that is shown.
#[must_use]
pub fn show_value(conversion: Conversion, value: &Value) -> Value {
    match value {
        Value::Number(native) => Value::Number(conversion.show(*native)),
        Value::Climate(climate) => {
            let mut climate = climate.clone();
            climate.temperature = climate.temperature.map(|native| conversion.show(native));
            climate.current_temperature = climate.current_temperature.map(|native| conversion.show(native));
            Value::Climate(climate)
        }
        other => other.clone(),
    }
}

/// An action whose numbers are changed.
fn with_numbers(action: &Action, change: impl Fn(f64) -> f64) -> Action {
    let Action::Set(wish) = action else { return action.clone() };
    let mut wish: Wish = (**wish).clone();
    if let Some(Value::Number(number)) = &mut wish.value {
        *number = change(*number);
    }
    wish.temperature = wish.temperature.map(change);
    Action::Set(Box::new(wish))
}

/// The number next to this one that a device takes.
fn fitting(control: &Control, number: f64) -> f64 {
    let stepped = match control.step.filter(|step| *step > 0.0) {
        Some(step) => {
            let from = control.min.unwrap_or(0.0);
            let stepped = ((number - from) / step).round() * step + from;
            // Steps such as 0.1 are no binary numbers.
            let decimals = (1e9 * stepped).round() / 1e9;
            if stepped.abs() < 1e6 { decimals } else { stepped }
        }
        None => number,
    };
    let at_least = control.min.map_or(stepped, |min| stepped.max(min));
    control.max.map_or(at_least, |max| at_least.min(max))
}

impl Slot {
    /// The value in the unit that is shown.
    pub(super) fn shown_value(&self) -> Option<Value> {
        match (&self.value, self.conversion) {
            (Some(value), Some(conversion)) => Some(show_value(conversion, value)),
            (value, _) => value.clone(),
        }
    }

    /// The entity with its range in the unit that the device speaks in.
    pub(super) fn native_entity(&self) -> &Entity {
        self.found.as_deref().filter(|_| self.conversion.is_some()).unwrap_or(&self.entity)
    }

    /// The entity as commands are checked against: what is shown in another unit goes to the step of the device that is next.
    pub(super) fn commanded_entity(&self) -> Cow<'_, Entity> {
        if self.conversion.is_none() {
            return Cow::Borrowed(&self.entity);
        }
        let mut entity = self.entity.clone();
        entity.control.step = None;
        Cow::Owned(entity)
    }

    /// An action in the unit that the device speaks in, with numbers that it takes.
    pub(super) fn native_action(&self, action: &Action) -> Action {
        match self.conversion {
            Some(conversion) => with_numbers(action, |shown| fitting(&self.native_entity().control, conversion.native(shown))),
            None => action.clone(),
        }
    }

    /// An action in the unit that is shown.
    pub(super) fn shown_action(&self, action: &Action) -> Action {
        match self.conversion {
            Some(conversion) => with_numbers(action, |native| conversion.show(native)),
            None => action.clone(),
        }
    }
}

impl Fleet {
    fn slot_of(&self, id: &EntityId) -> Option<&Slot> {
        self.by_id.get(id).and_then(|&idx| self.slots.get(idx))
    }

    /// From the unit that an entity's device speaks in, which history is stored in, to the one that is shown; `None` where they are one.
    #[must_use]
    pub fn conversion(&self, id: &EntityId) -> Option<Conversion> {
        self.slot_of(id)?.conversion
    }

    /// The unit that an entity's device speaks in.
    #[must_use]
    pub fn native_unit(&self, id: &EntityId) -> Option<String> {
        let slot = self.slot_of(id)?;
        self.written_about(id).native_unit.or_else(|| slot.found.as_deref().unwrap_or(&slot.entity).unit.clone())
    }

    /// An action that is asked for in the unit that is shown, in the one that the device speaks in.
    #[must_use]
    pub fn native_action(&self, id: &EntityId, action: &Action) -> Action {
        self.slot_of(id).map_or_else(|| action.clone(), |slot| slot.native_action(action))
    }

    /// An action in the unit that the device speaks in, in the one that is shown.
    #[must_use]
    pub fn shown_action(&self, id: &EntityId, action: &Action) -> Action {
        self.slot_of(id).map_or_else(|| action.clone(), |slot| slot.shown_action(action))
    }

    /// A rule with its numbers in the unit that is shown. They are written in the unit that the configuration file says, else in that of the device:
    /// what operators choose to look at does not change when an alarm is raised.
    pub(super) fn shown_rule(&self, rule: &Rule) -> Rule {
        let Some(conversion) = self.conversion(&rule.entity).filter(|_| !self.is_unit_in_file(&rule.entity)) else { return rule.clone() };
        let condition = match rule.condition {
            Condition::Above { limit } => Condition::Above { limit: conversion.show(limit) },
            Condition::Below { limit } => Condition::Below { limit: conversion.show(limit) },
            Condition::Offline {} => Condition::Offline {},
        };
        Rule { condition, hysteresis: conversion.show_span(rule.hysteresis), ..rule.clone() }
    }
}
