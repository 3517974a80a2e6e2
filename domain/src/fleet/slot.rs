//! One entity with its value, its quality and its rhythm.

use crate::convention::payload::MAX_TEXT_CHARS;
use crate::convention::speech::Told;
use crate::device::clean_text;
use crate::entity::{Entity, EntityKind};
use crate::history::SeriesKind;
use crate::live::EntityChange;
use crate::quality::Quality;
use crate::reading::Reading;
use crate::time::{SECOND_MS, Timestamp};
use crate::units::Conversion;
use crate::value::Value;

use super::Override;
use super::clock::{Clock, EARLIEST, MAX_AHEAD_MS};
use super::declared::fitted;
use super::rhythm::Rhythm;

/// What a value did to its entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// A retained replay of what is known.
    Nothing,
    /// It is older than what is shown: for history only.
    Late,
    /// It is shown.
    Shown,
}

/// What the message did that feeds an entity now, or fed it last.
#[derive(Debug, Default)]
pub(super) struct Feeding {
    /// Its number.
    n: u64,
    /// What its times are corrected by, when the device's clock is wrong.
    pub(super) correction_ms: Option<i64>,
    /// It moved what is shown.
    pub(super) is_shown: bool,
}

/// Puts what is written over what was found; how numbers convert from the unit that the device speaks in, where another one is shown.
fn write_over(entity: &mut Entity, written: &Override) -> Option<Conversion> {
    if let Some(name) = &written.name {
        entity.name = clean_text(name, crate::device::MAX_NAME_CHARS);
    }
    if let Some(icon) = &written.icon {
        entity.icon.clone_from(icon);
    }
    entity.unit_guessed &= written.unit.is_none() && written.native_unit.is_none();
    entity.counter = written.counter.or(entity.counter.filter(|_| entity.speech.is_some()));
    let conversion = super::shown_unit::convert(entity, written);
    entity.precision = written.precision.or(entity.precision);
    entity.order = written.order.unwrap_or(entity.order);
    entity.hidden = written.hidden.unwrap_or(entity.hidden);
    entity.word_on = written.word_on.clone().or(entity.word_on.take());
    entity.word_off = written.word_off.clone().or(entity.word_off.take());
    conversion
}

#[derive(Debug)]
pub(super) struct Slot {
    /// As it is shown: with what is written about it.
    pub(super) entity: Entity,
    /// Offered where all entities are: `false` for one too many that nobody has claimed.
    pub(super) is_listed: bool,
    /// As it was found, where something is written about it.
    pub(super) found: Option<Box<Entity>>,
    /// From the unit that the device speaks in to the one that is shown; `None` where they are one. Every value in here is as the device says it.
    pub(super) conversion: Option<Conversion>,
    /// It is not there any more; its place waits for another.
    pub(super) is_gone: bool,
    /// What was said at each place of its speech about its being there, and last of all.
    pub(super) said_there: Vec<Option<bool>>,
    pub(super) said_last: Option<bool>,
    /// What was said of it besides its value.
    pub(super) told: Option<Told>,
    /// It is not there, whatever is said of its device.
    pub(super) is_absent: bool,
    /// When what is only ever said to be on is off.
    pub(super) off_at: Option<Timestamp>,
    pub(super) value: Option<Value>,
    pub(super) taken_at: Option<Timestamp>,
    /// Since when the value has been what it is.
    pub(super) since: Option<Timestamp>,
    quality: Quality,
    retained: bool,
    /// Why the last message could not be read.
    pub(super) bad: Option<String>,
    rhythm: Rhythm,
    /// The clock that its readings are timed by.
    pub(super) clock: Clock,
    /// What the operator wrote about how late it may be, in milliseconds; 0 is never late.
    stale_after_ms: Option<i64>,
    /// The message that it is fed by.
    pub(super) feeding: Feeding,
    /// When the last command went out.
    pub(super) commanded_at: Option<Timestamp>,
    /// Milliseconds that the last commands took to be confirmed, newest last.
    pub(super) latencies_ms: Vec<i64>,
}

impl Slot {
    pub(super) fn new(entity: Entity, written: &Override, is_listed: bool) -> Self {
        let mut slot = Self {
            entity,
            is_listed,
            found: None,
            conversion: None,
            is_gone: false,
            said_there: vec![],
            said_last: None,
            told: None,
            is_absent: false,
            off_at: None,
            value: None,
            taken_at: None,
            since: None,
            quality: Quality::Unknown,
            retained: false,
            bad: None,
            rhythm: Rhythm::default(),
            clock: Clock::default(),
            stale_after_ms: None,
            feeding: Feeding::default(),
            commanded_at: None,
            latencies_ms: vec![],
        };
        // Only a convention knows it: what is not written of others is not so any more.
        if slot.entity.speech.is_none() {
            slot.entity.counter = None;
        }
        slot.rewrite(written);
        slot
    }

    /// Puts what is written over what was found, in place of what was written before.
    pub(super) fn rewrite(&mut self, written: &Override) {
        if let Some(found) = self.found.take() {
            self.entity = *found;
        }
        self.stale_after_ms = written.stale_after_s.map(|s| i64::from(s) * SECOND_MS);
        self.conversion = None;
        if *written != Override::default() {
            self.found = Some(Box::new(self.entity.clone()));
            self.conversion = write_over(&mut self.entity, written);
        }
    }

    /// Something else turns out to be so about the entity, which nobody writes about.
    pub(super) fn find(&mut self, turn_out: impl Fn(&mut Entity)) {
        turn_out(&mut self.entity);
        if let Some(found) = &mut self.found {
            turn_out(found);
        }
    }

    /// The entity as it was found, which is what is stored of it; but whether it is a meter is as it is written, for its history goes by that.
    pub(super) fn as_found(&self) -> Entity {
        let Some(found) = &self.found else { return self.entity.clone() };
        let mut found = (**found).clone();
        if found.series_kind() != self.entity.series_kind() {
            found.counter = Some(self.entity.series_kind() == SeriesKind::Counter);
        }
        found
    }

    /// It is something else now: what it said as what it was means nothing.
    pub(super) fn forget_value(&mut self) {
        (self.value, self.taken_at, self.since, self.bad) = (None, None, None, None);
        self.retained = false;
    }

    /// The last reading of an earlier run: shown at once, with its own age.
    pub(super) fn restore(&mut self, reading: &Reading) {
        self.value = Some(reading.value.clone());
        self.taken_at = Some(reading.taken_at);
        self.since = Some(reading.taken_at);
        self.retained = true;
        self.quality = Quality::Retained;
    }

    /// A message comes to it; whether it is the first time for that message.
    pub(super) fn touch(&mut self, n: u64) -> bool {
        if self.feeding.n == n {
            return false;
        }
        self.feeding = Feeding { n, ..Feeding::default() };
        true
    }

    /// The time of a reading that the device timed `said`, and whether it is the device's own: only then is the same time the same reading.
    pub(super) fn time_for(&self, said: Option<Timestamp>, retained: bool, now: Timestamp) -> (Timestamp, bool) {
        let Some(said) = said else { return (now, false) };
        let can_be = |at: Timestamp| at >= EARLIEST && at.since_ms(now) <= MAX_AHEAD_MS;
        match self.feeding.correction_ms {
            // Corrected, the newest row of the message is at its arrival, and the others keep their distance to it.
            Some(correction) => (Some(said.plus_ms(correction)).filter(|&at| can_be(at)).unwrap_or(now), false),
            // A replay says nothing about the clock of today.
            None if can_be(said) && !(retained && self.clock.skew_ms().is_some()) => (said, true),
            None => (now, false),
        }
    }

    /// Takes a value with its time, which is `now` for one that the device gave no time, or none that can be. `retained` values never renew an
    /// age.
    pub(super) fn take(&mut self, value: Value, taken_at: Timestamp, own_time: bool, retained: bool, now: Timestamp) -> Taken {
        let same = self.value.as_ref() == Some(&value);
        if retained && same && (!own_time || self.taken_at == Some(taken_at)) {
            self.bad = None;
            return Taken::Nothing;
        }
        // What arrives now without a time of its own is the newest, also when our clock was set back. What was shown while our clock was ahead is
        // the newest of nothing.
        if taken_at != now && self.shown_at(now).is_some_and(|newest| taken_at < newest) {
            return Taken::Late;
        }
        self.bad = None;
        if !retained {
            self.rhythm.hear(same, now);
        }
        if !same {
            self.since = Some(taken_at);
        }
        self.value = Some(value);
        self.taken_at = Some(taken_at);
        self.retained = retained;
        Taken::Shown
    }

    /// The time of the value shown, if it can be.
    pub(super) fn shown_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.taken_at.filter(|at| at.since_ms(now) <= MAX_AHEAD_MS)
    }

    /// How old the newest reading may be; `None` for states that are sent when they change.
    pub(super) fn late_after_ms(&self) -> Option<i64> {
        match self.stale_after_ms {
            Some(0) => None,
            Some(written) => Some(written),
            None if self.expires_after_ms().is_some() => self.expires_after_ms(),
            None => self.rhythm.late_after_ms(self.entity.kind.is_sensor() && matches!(self.value, Some(Value::Number(_)))),
        }
    }

    /// When the last live message fed it.
    pub(super) const fn heard_at(&self) -> Option<Timestamp> {
        self.rhythm.heard_at()
    }

    /// How old it may be by its own word.
    fn expires_after_ms(&self) -> Option<i64> {
        self.entity.speech.as_deref()?.expire_after_s.map(|s| i64::from(s) * SECOND_MS)
    }

    /// Recomputes the quality; whether it changed. `cut` is since when the entity's broker is not reached, while it is not.
    pub(super) fn update_quality(&mut self, offline: bool, cut: Option<Timestamp>, now: Timestamp) -> bool {
        // What was heard after all, the broker having been lost for commands only, is no worse for it.
        self.rhythm.hold(now);
        let heard_at = self.rhythm.heard_at();
        let is_cut = cut.is_some_and(|since| heard_at.is_none_or(|heard| heard < since));
        let newest = if self.retained { self.taken_at } else { heard_at.or(self.taken_at) };
        let late = newest.zip(self.late_after_ms()).is_some_and(|(newest, late_ms)| now.since_ms(newest) > late_ms);
        let quality = if offline || self.is_absent {
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
            v: self.shown_value(),
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
                (Some(Value::Text(_)), Value::Number(n)) => Ok(Value::Text(clean_text(&crate::value::number_words(n, None), MAX_TEXT_CHARS))),
                (Some(Value::Text(_)), Value::Bool(on)) => Ok(Value::Text(if on { "on" } else { "off" }.to_owned())),
                (Some(Value::Number(_)), Value::Text(_) | Value::Bool(_)) => Err("number"),
                (_, value) => Ok(value),
            },
            (kind, value) => fitted(kind, &value, self.value.as_ref()),
        }
    }
}
