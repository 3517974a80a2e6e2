//! The last hour of every entity, in memory: what tiles draw without asking the store.

use std::collections::{HashMap, VecDeque};

use app::backend::Trend;
use domain::entity::EntityId;
use domain::reading::Reading;
use domain::time::{HOUR_MS, MINUTE_MS, Timestamp};
use domain::units::Conversion;
use domain::value::Value;

/// Minutes of a tile's line.
const MINUTES: i64 = 60;
/// State changes kept for a tile's strip.
const MAX_STATES: usize = 128;

/// The last hour of every entity.
#[derive(Debug, Default)]
pub struct Trends {
    of: HashMap<EntityId, Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    /// Sum and number of readings a minute, oldest first.
    minutes: VecDeque<(i64, f64, u32)>,
    /// When which state began, oldest first.
    states: VecDeque<(Timestamp, Value)>,
}

impl Trends {
    /// Takes a reading; late ones land in their minute.
    pub fn take(&mut self, reading: &Reading) {
        let recent = self.of.entry(reading.entity.clone()).or_default();
        match &reading.value {
            Value::Number(n) => recent.take_number(*n, reading.taken_at),
            state => recent.take_state(state, reading.taken_at),
        }
    }

    /// Forgets an entity that is there no more.
    pub fn forget(&mut self, id: &EntityId) {
        self.of.remove(id);
    }

    /// The last hour of an entity, ending at `now`, in the unit that `conversion` leads to: what is kept is as the device said it.
    #[must_use]
    pub fn of(&self, id: &EntityId, is_number: bool, conversion: Option<Conversion>, now: Timestamp) -> Trend {
        let recent = self.of.get(id);
        if is_number {
            Trend::Line(recent.map_or_else(|| vec![None; 60], |r| r.line(conversion, now)))
        } else {
            Trend::Spans(recent.map_or_else(Vec::new, |r| r.spans(now)))
        }
    }
}

impl Recent {
    fn take_number(&mut self, n: f64, at: Timestamp) {
        let minute = at.as_ms().div_euclid(MINUTE_MS);
        let place = self.minutes.partition_point(|(m, ..)| *m < minute);
        match self.minutes.get_mut(place) {
            Some((m, sum, count)) if *m == minute => {
                *sum += n;
                *count += 1;
            }
            _ => self.minutes.insert(place, (minute, n, 1)),
        }
        while self.minutes.len() > usize::try_from(MINUTES).unwrap_or(0) + 1 {
            self.minutes.pop_front();
        }
    }

    fn take_state(&mut self, state: &Value, at: Timestamp) {
        // A strip shows on and off (or one text after another): brightness alone is no new state.
        let same = |a: &Value, b: &Value| a.is_on().is_some() && a.is_on() == b.is_on() || a == b;
        if self.states.back().is_some_and(|(last, value)| same(value, state) || *last > at) {
            return;
        }
        self.states.push_back((at, state.clone()));
        if self.states.len() > MAX_STATES {
            self.states.pop_front();
        }
    }

    fn line(&self, conversion: Option<Conversion>, now: Timestamp) -> Vec<Option<f64>> {
        let shown = |native: f64| conversion.map_or(native, |conversion| conversion.show(native));
        let last = now.as_ms().div_euclid(MINUTE_MS);
        (last - MINUTES + 1..=last)
            .map(|minute| self.minutes.iter().find(|(m, ..)| *m == minute).map(|(_, sum, n)| rounded(shown(sum / f64::from(*n)))))
            .collect()
    }

    /// Spans of on; of a text, every second one: the strip shows that it changed, the words say to what.
    fn spans(&self, now: Timestamp) -> Vec<(i64, i64)> {
        let start = now.plus_ms(-HOUR_MS);
        let ends = self.states.iter().skip(1).map(|(at, _)| *at).chain([now]);
        let on = self.states.iter().zip(ends).enumerate().filter(|(i, ((_, value), _))| value.is_on().unwrap_or(i % 2 == 0));
        on.filter(|(_, (_, end))| *end > start)
            .map(|(_, ((at, _), end))| (now.since_ms((*at).max(start)), now.since_ms(end).max(0)))
            .filter(|(from, to)| from > to)
            .collect()
    }
}

/// Three decimals are more than a line of 32 pixels shows, and keep the page small.
fn rounded(n: f64) -> f64 {
    (n * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(value: Value, at_ms: i64) -> Reading {
        let at = Timestamp::from_ms(at_ms);
        Reading { entity: EntityId::parse("a.b").expect("id"), value, taken_at: at, received_at: at, device_time: false }
    }

    fn check(readings: &[(Value, i64)], is_number: bool, now_ms: i64, expected: &Trend) {
        let mut trends = Trends::default();
        for (value, at) in readings {
            trends.take(&reading(value.clone(), *at));
        }
        assert_eq!(&trends.of(&EntityId::parse("a.b").expect("id"), is_number, None, Timestamp::from_ms(now_ms)), expected);
    }

    #[test]
    fn a_line_has_a_mean_a_minute_and_gaps() {
        let mut expected = vec![None; 60];
        (expected[57], expected[59]) = (Some(2.0), Some(5.0));
        check(
            &[(Value::Number(1.0), 3_420_000), (Value::Number(5.0), 3_599_000), (Value::Number(3.0), 3_430_000)],
            true,
            3_599_999,
            &Trend::Line(expected),
        );
    }

    #[test]
    fn a_strip_has_the_spans_of_on_within_the_hour() {
        let (on, off) = (Value::Bool(true), Value::Bool(false));
        check(
            &[(on.clone(), 0), (off.clone(), 4_000_000), (on.clone(), 5_000_000), (on, 5_100_000), (off, 5_200_000)],
            false,
            7_200_000,
            &Trend::Spans(vec![(3_600_000, 3_200_000), (2_200_000, 2_000_000)]),
        );
    }
}
