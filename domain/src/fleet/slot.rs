//! One entity with its value, its quality and its rhythm.

use crate::device::clean_text;
use crate::entity::{Entity, EntityKind};
use crate::live::EntityChange;
use crate::quality::Quality;
use crate::reading::Reading;
use crate::time::{HOUR_MS, SECOND_MS, Timestamp};
use crate::value::Value;

use super::Override;

/// A number that was never seen twice may be this old before it counts as late.
const UNLEARNED_MS: i64 = HOUR_MS;
/// No rhythm is trusted below this: jitter of networks and brokers.
const MIN_LATE_MS: i64 = 10 * SECOND_MS;
/// How many intervals may pass without a reading.
const LATE_INTERVALS: f64 = 4.0;
/// Readings before a rhythm counts as learned.
const LEARNED: u32 = 3;

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) entity: Entity,
    pub(super) value: Option<Value>,
    pub(super) taken_at: Option<Timestamp>,
    /// Since when the value has been what it is.
    pub(super) since: Option<Timestamp>,
    /// When the last live message arrived, whatever time it said.
    heard_at: Option<Timestamp>,
    quality: Quality,
    retained: bool,
    /// Why the last message could not be read.
    pub(super) bad: Option<String>,
    interval_ms: f64,
    n_intervals: u32,
    /// Readings in a row that said the same: a state that is repeated has a rhythm, one that is sent on change has none.
    n_repeats: u32,
    /// Milliseconds that the last commands took to be confirmed, newest last.
    pub(super) latencies_ms: Vec<i64>,
}

impl Slot {
    pub(super) fn new(mut entity: Entity, written: &Override) -> Self {
        if let Some(name) = &written.name {
            entity.name = clean_text(name, crate::device::MAX_NAME_CHARS);
        }
        if let Some(icon) = &written.icon {
            entity.icon.clone_from(icon);
        }
        entity.unit = written.unit.clone().or(entity.unit);
        entity.precision = written.precision.or(entity.precision);
        entity.order = written.order.unwrap_or(entity.order);
        entity.hidden = written.hidden.unwrap_or(entity.hidden);
        entity.word_on = written.word_on.clone().or(entity.word_on);
        entity.word_off = written.word_off.clone().or(entity.word_off);
        Self {
            entity,
            value: None,
            taken_at: None,
            since: None,
            heard_at: None,
            quality: Quality::Unknown,
            retained: false,
            bad: None,
            interval_ms: 0.0,
            n_intervals: 0,
            n_repeats: 0,
            latencies_ms: vec![],
        }
    }

    /// The last reading of an earlier run: shown at once, with its own age.
    pub(super) fn restore(&mut self, reading: &Reading) {
        self.value = Some(reading.value.clone());
        self.taken_at = Some(reading.taken_at);
        self.since = Some(reading.taken_at);
        self.retained = true;
        self.quality = Quality::Retained;
    }

    /// Takes a value. `retained` values never renew an age. Returns the time the reading gets, or `None` when it says nothing new.
    pub(super) fn take(&mut self, value: Value, device_time: Option<Timestamp>, retained: bool, now: Timestamp) -> Option<Timestamp> {
        self.bad = None;
        let taken_at = device_time.unwrap_or(now);
        let same = self.value.as_ref() == Some(&value);
        if retained && device_time.is_none() && same {
            return None;
        }
        let late = self.taken_at.is_some_and(|newest| taken_at < newest);
        if !retained {
            self.learn(same, now);
        }
        if late {
            return Some(taken_at);
        }
        if !same {
            self.since = Some(taken_at);
        }
        self.value = Some(value);
        self.taken_at = Some(taken_at);
        self.retained = retained;
        Some(taken_at)
    }

    fn learn(&mut self, same: bool, now: Timestamp) {
        self.n_repeats = if same { self.n_repeats.saturating_add(1) } else { 0 };
        if let Some(before) = self.heard_at.replace(now) {
            #[expect(clippy::cast_precision_loss, reason = "intervals are far below 2^52 ms")]
            let interval = now.since_ms(before).max(0) as f64;
            // Messages of one burst say nothing about the rhythm.
            if interval >= 50.0 {
                let weight = if self.n_intervals < 8 { 1.0 / f64::from(self.n_intervals + 1) } else { 0.125 };
                self.interval_ms += (interval - self.interval_ms) * weight;
                self.n_intervals = self.n_intervals.saturating_add(1);
            }
        }
    }

    /// How old the newest reading may be; `None` for states that are sent when they change.
    fn late_after_ms(&self) -> Option<i64> {
        let has_rhythm = self.entity.kind.is_sensor() && matches!(self.value, Some(Value::Number(_)));
        if !has_rhythm && self.n_repeats < 5 {
            return None;
        }
        if self.n_intervals < LEARNED {
            return Some(UNLEARNED_MS);
        }
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and is bounded below and above")]
        let late = (self.interval_ms * LATE_INTERVALS) as i64;
        Some(late.clamp(MIN_LATE_MS, 24 * HOUR_MS))
    }

    /// Recomputes the quality; whether it changed. `cut` is since when the entity's broker is not reached, while it is not.
    pub(super) fn update_quality(&mut self, offline: bool, cut: Option<Timestamp>, now: Timestamp) -> bool {
        // What was heard after all, the broker having been lost for commands only, is no worse for it.
        let is_cut = cut.is_some_and(|since| self.heard_at.is_none_or(|heard| heard < since));
        let newest = if self.retained { self.taken_at } else { self.heard_at.or(self.taken_at) };
        let late = newest.zip(self.late_after_ms()).is_some_and(|(newest, late_ms)| now.since_ms(newest) > late_ms);
        let quality = if offline {
            Quality::Offline
        } else if self.value.is_none() {
            if self.bad.is_some() { Quality::Bad } else { Quality::Unknown }
        } else if late || is_cut {
            Quality::Stale
        } else if self.bad.is_some() {
            Quality::Bad
        } else if self.retained {
            Quality::Retained
        } else {
            Quality::Good
        };
        std::mem::replace(&mut self.quality, quality) != quality
    }

    pub(super) fn change(&self) -> EntityChange {
        let is_state = !matches!(self.value, Some(Value::Number(_)));
        EntityChange {
            e: self.entity.id.clone(),
            v: self.value.clone(),
            t: self.taken_at,
            q: self.quality,
            since: if is_state { self.since } else { None },
            entity: None,
        }
    }

    /// Whether a value fits what the entity is; the value as the entity says it.
    pub(super) fn fit(&self, value: Value) -> Result<Value, &'static str> {
        match (self.entity.kind, value) {
            (EntityKind::BinarySensor, Value::Number(n)) if n == 0.0 || n == 1.0 => Ok(Value::Bool(n == 1.0)),
            (EntityKind::BinarySensor, Value::Bool(on)) => Ok(Value::Bool(on)),
            (EntityKind::BinarySensor, _) => Err("on or off"),
            (EntityKind::Sensor, value) => match (&self.value, value) {
                // A text sensor says texts; what looks like a number or a yes among them is a text too.
                (Some(Value::Text(_)), Value::Number(n)) => Ok(Value::Text(crate::value::number_words(n, None))),
                (Some(Value::Text(_)), Value::Bool(on)) => Ok(Value::Text(if on { "on" } else { "off" }.to_owned())),
                (Some(Value::Number(_)), Value::Text(_) | Value::Bool(_)) => Err("number"),
                (_, value) => Ok(value),
            },
            (_, value) => Ok(value),
        }
    }
}
