//! What devices are made of, whatever they speak: shutters that move, meters that count, curves by name, commands read.

use domain::time::Timestamp;
use domain::value::Value;
use serde_json::{Map, Value as Json};

use crate::simulator::curve::{Curve, Model, Spells, seed_of};

/// A shutter's way in per cent in a quarter of a second: five seconds from end to end.
const STRIDE: u8 = 5;
const HOUR_MS: f64 = 3_600_000.0;

/// A number over time with noise of its own.
pub(super) fn curve(name: &str, curve: Curve) -> Model {
    Model::Number(curve).seeded(seed_of(name))
}

/// Spells of on of its own.
pub(super) fn spells(name: &str, spells: Spells) -> Model {
    Model::Binary(spells).seeded(seed_of(name))
}

/// A model's number at a moment; 0 for what has none.
pub(super) fn number(model: &Model, now: Timestamp) -> f64 {
    model.value_at(now).as_number().unwrap_or_default()
}

/// Whether a model is on at a moment.
pub(super) fn is_on(model: &Model, now: Timestamp) -> bool {
    matches!(model.value_at(now), Value::Bool(true))
}

/// A payload as text; `None` for other bytes.
pub(super) fn text(payload: &[u8]) -> Option<&str> {
    std::str::from_utf8(payload).ok().map(str::trim)
}

/// A payload as a JSON object.
pub(super) fn object(payload: &[u8]) -> Option<Map<String, Json>> {
    serde_json::from_slice(payload).ok()
}

/// A payload as a whole number within a range; a number beyond it, or no number, is `None`.
pub(super) fn whole<T: TryFrom<i64> + PartialOrd>(payload: &[u8], range: std::ops::RangeInclusive<T>) -> Option<T> {
    text(payload)?.parse::<i64>().ok().and_then(|n| T::try_from(n).ok()).filter(|n| range.contains(n))
}

/// What a member of an object says as a whole number, clamped to a range.
pub(super) fn level(json: &Json, least: u16, most: u16) -> Option<u16> {
    Some(json.as_f64()?.round().clamp(f64::from(least), f64::from(most)) as u16)
}

/// `on`, `off` and `toggle` in any case of letters.
pub(super) fn switched(word: &str, was: bool) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "on" => Some(true),
        "off" => Some(false),
        "toggle" => Some(!was),
        _ => None,
    }
}

/// `yes` or `no` by what is true.
pub(super) const fn word<'a>(is: bool, yes: &'a str, no: &'a str) -> &'a str {
    if is { yes } else { no }
}

/// Something that opens and closes by a motor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shutter {
    /// Per cent, 100 is open.
    pub(super) position: u8,
    /// Where it goes; `None` while it stands.
    pub(super) target: Option<u8>,
    /// Whether it stands because it was stopped or sent to a place between its ends.
    pub(super) opened_last: bool,
}

impl Shutter {
    /// Stands at a position.
    pub(super) const fn at(position: u8) -> Self {
        Self { position, target: None, opened_last: false }
    }

    /// Sets out for a position in per cent.
    pub(super) fn go_to(&mut self, position: u8) {
        let position = position.min(100);
        if position != self.position {
            self.opened_last = position > self.position;
        }
        self.target = Some(position).filter(|&target| target != self.position);
    }

    /// Stays where it is.
    pub(super) const fn stop(&mut self) {
        self.target = None;
    }

    /// A quarter of a second on its way.
    pub(super) fn step(&mut self) {
        let Some(target) = self.target else { return };
        self.position =
            if target > self.position { self.position.saturating_add(STRIDE).min(target) } else { self.position.saturating_sub(STRIDE).max(target) };
        self.target = Some(target).filter(|&target| target != self.position);
    }

    /// `opening`, `closing`, and when it stands `open`, `closed` or, between its ends, `between`.
    pub(super) fn state<'a>(&self, between: &'a str) -> &'a str {
        match self.target {
            Some(target) if target > self.position => "opening",
            Some(_) => "closing",
            None if self.position == 100 => "open",
            None if self.position == 0 => "closed",
            None => between,
        }
    }
}

/// A meter of energy. It only counts up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meter {
    wh: f64,
    last: Option<Timestamp>,
}

impl Meter {
    /// Stands at so many watt hours.
    pub(super) const fn at_wh(wh: f64) -> Self {
        Self { wh, last: None }
    }

    /// Counts what so many watts come to since it was last asked; answers with watt hours.
    pub(super) fn count(&mut self, watts: f64, now: Timestamp) -> f64 {
        let ms = self.last.map_or(0, |last| now.since_ms(last).max(0));
        self.wh += watts.max(0.0) * ms as f64 / HOUR_MS;
        self.last = Some(now);
        self.wh
    }
}

/// When a device was switched on, once it has a clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uptime(Option<Timestamp>);

impl Uptime {
    /// A device that was just switched on.
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// Whole seconds since it was first asked.
    pub(super) fn seconds(&mut self, now: Timestamp) -> u64 {
        let since = *self.0.get_or_insert(now);
        now.since_ms(since).max(0).unsigned_abs() / 1_000
    }
}

/// Rounded to so many decimals, as a device writes it.
pub(super) fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shutter_takes_five_seconds_from_end_to_end() {
        let mut shutter = Shutter::at(0);
        assert_eq!(shutter.state("stopped"), "closed");
        shutter.go_to(100);
        for step in 0..20 {
            assert_eq!((shutter.position, shutter.state("stopped")), (step * 5, "opening"));
            shutter.step();
        }
        assert_eq!((shutter.position, shutter.state("stopped"), shutter.opened_last), (100, "open", true));
        shutter.go_to(42);
        shutter.step();
        assert_eq!(shutter.state("stopped"), "closing");
        for _ in 0..30 {
            shutter.step();
        }
        assert_eq!((shutter.position, shutter.state("stopped"), shutter.opened_last), (42, "stopped", false));
    }

    #[test]
    fn a_shutter_that_is_stopped_or_already_there_stands() {
        let mut shutter = Shutter::at(50);
        shutter.go_to(50);
        assert_eq!(shutter.target, None);
        shutter.go_to(255);
        shutter.step();
        shutter.stop();
        shutter.step();
        assert_eq!((shutter.position, shutter.target), (55, None));
    }

    #[test]
    fn a_meter_counts_watts_over_time_and_never_back() {
        let at = |minutes: i64| Timestamp::from_ms(1_781_273_006_000 + minutes * 60_000);
        let mut meter = Meter::at_wh(1_000.0);
        assert!((meter.count(600.0, at(0)) - 1_000.0).abs() < 1e-9);
        assert!((meter.count(600.0, at(6)) - 1_060.0).abs() < 1e-9);
        assert!((meter.count(600.0, at(1)) - 1_060.0).abs() < 1e-9);
        assert!((meter.count(-5.0, at(60)) - 1_060.0).abs() < 1e-9);
    }

    #[test]
    fn uptime_counts_from_the_first_question() {
        let mut uptime = Uptime::new();
        assert_eq!([5_000, 6_999, 4_000].map(|ms| uptime.seconds(Timestamp::from_ms(ms))), [0, 1, 0]);
    }

    #[test]
    fn numbers_and_words_are_read_or_refused() {
        assert_eq!(
            (whole(b" 42 ", 0..=100_u8), whole(b"101", 0..=100_u8), whole(b"4.5", 0..=100_u8), whole(b"-3", -5..=5_i16)),
            (Some(42), None, None, Some(-3))
        );
        assert_eq!(
            (switched("ON", false), switched("toggle", true), switched("Toggle", false), switched("up", true)),
            (Some(true), Some(false), Some(true), None)
        );
        assert_eq!((level(&Json::from(900), 0, 254), level(&Json::from(-3.2), 1, 254), level(&Json::from("9"), 0, 9)), (Some(254), Some(1), None));
    }
}
