//! Believable curves: pure functions of time, the same for the live demo and for the past it starts with.

use std::f64::consts::TAU;

use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use domain::value::{LightState, OnOff, Value};

/// How a simulated entity behaves over time. The same moment always gives the same value, so that a generated past and the live values meet.
#[derive(Clone, Debug, PartialEq)]
pub enum Model {
    /// A number.
    Number(Curve),
    /// A number that grows through each day (UTC) and begins again at midnight.
    DayMeter(DayMeter),
    /// On or off.
    Binary(Spells),
    /// One of several words.
    Text(Words),
    /// A light that is on in spells, always as bright and as warm.
    Light {
        /// When it is on.
        on: Spells,
        /// Per cent, 0 to 100.
        brightness: u8,
        /// Kelvin.
        color_temp: u16,
    },
}

impl Model {
    /// The value at a moment.
    #[must_use]
    pub fn value_at(&self, at: Timestamp) -> Value {
        match self {
            Self::Number(curve) => Value::Number(curve.value_at(at)),
            Self::DayMeter(meter) => Value::Number(meter.value_at(at)),
            Self::Binary(spells) => Value::Bool(spells.is_on_at(at)),
            Self::Text(words) => Value::Text(words.word_at(at).to_owned()),
            Self::Light { on, brightness, color_temp } => {
                let state = OnOff::from(on.is_on_at(at));
                Value::Light(LightState { brightness: Some(*brightness), color_temp: Some(*color_temp), ..LightState::new(state) })
            }
        }
    }

    /// Decimals that the device writes, 0 to 3; `None` for what is no number.
    #[must_use]
    pub const fn decimals(&self) -> Option<u8> {
        match self {
            Self::Number(curve) => Some(curve.decimals),
            Self::DayMeter(meter) => Some(meter.decimals),
            Self::Binary(_) | Self::Text(_) | Self::Light { .. } => None,
        }
    }

    /// The same behavior with noise of its own: two models that differ only in their seed do not move together.
    #[must_use]
    pub fn seeded(mut self, new_seed: u64) -> Self {
        match &mut self {
            Self::Number(Curve { seed, .. })
            | Self::DayMeter(DayMeter { seed, .. })
            | Self::Binary(Spells { seed, .. })
            | Self::Text(Words { seed, .. })
            | Self::Light { on: Spells { seed, .. }, .. } => *seed = new_seed,
        }
        self
    }
}

/// A number over time: a base and the sum of what moves it, rounded as the device rounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    seed: u64,
    base: f64,
    decimals: u8,
    low: f64,
    high: f64,
    terms: Vec<Term>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Term {
    Sine { amplitude: f64, period_ms: i64, peak_ms: i64 },
    Noise { amplitude: f64, period_ms: i64 },
    Fall { amplitude: f64, period_ms: i64 },
    Cycle { amplitude: f64, period_ms: i64, share: f64 },
    Bursts { amplitude: f64, slot_ms: i64, chance: f64 },
}

impl Curve {
    /// A flat line at `base`, written with this many decimals (0 to 3).
    #[must_use]
    pub fn flat(base: f64, decimals: u8) -> Self {
        Self { seed: 0, base, decimals: decimals.min(3), low: f64::MIN, high: f64::MAX, terms: Vec::new() }
    }

    /// Higher by `amplitude` at `peak_hour` UTC, lower by as much twelve hours later.
    #[must_use]
    pub fn daily(self, amplitude: f64, peak_hour: i64) -> Self {
        self.with(Term::Sine { amplitude, period_ms: DAY_MS, peak_ms: peak_hour * HOUR_MS })
    }

    /// Up and down by `amplitude` in `minutes`: a thermostat, a vent, a tank that fills.
    #[must_use]
    pub fn wave(self, amplitude: f64, minutes: i64) -> Self {
        self.with(Term::Sine { amplitude, period_ms: minutes.max(1) * MINUTE_MS, peak_ms: 0 })
    }

    /// A smooth random walk within plus and minus `amplitude` that turns about every `seconds`.
    #[must_use]
    pub fn noise(self, amplitude: f64, seconds: i64) -> Self {
        self.with(Term::Noise { amplitude, period_ms: seconds.max(1) * SECOND_MS })
    }

    /// Falls evenly by `amplitude` over `hours`, then is back at once: fuel and its filling station.
    #[must_use]
    pub fn falling(self, amplitude: f64, hours: i64) -> Self {
        self.with(Term::Fall { amplitude, period_ms: hours.max(1) * HOUR_MS })
    }

    /// Higher by `amplitude` for a `share` (0 to 1) of every `minutes`: a refrigerator.
    #[must_use]
    pub fn cycle(self, amplitude: f64, minutes: i64, share: f64) -> Self {
        self.with(Term::Cycle { amplitude, period_ms: minutes.max(1) * MINUTE_MS, share })
    }

    /// Higher by `amplitude` for whole slots of `seconds`, each with this `chance` (0 to 1): a kettle.
    #[must_use]
    pub fn bursts(self, amplitude: f64, seconds: i64, chance: f64) -> Self {
        self.with(Term::Bursts { amplitude, slot_ms: seconds.max(1) * SECOND_MS, chance })
    }

    /// Never outside `low` to `high`.
    #[must_use]
    pub const fn within(mut self, low: f64, high: f64) -> Self {
        self.low = low;
        self.high = high;
        self
    }

    /// The value at a moment, rounded.
    #[must_use]
    pub fn value_at(&self, at: Timestamp) -> f64 {
        let ms = at.as_ms();
        // Each term has noise of its own: the seed moves on from term to term.
        let moved: f64 = self.terms.iter().zip(0..).map(|(term, nth)| term.at(ms, self.seed.wrapping_add(nth))).sum();
        round((self.base + moved).clamp(self.low, self.high), self.decimals)
    }

    fn with(mut self, term: Term) -> Self {
        self.terms.push(term);
        self
    }
}

impl Term {
    fn at(self, ms: i64, seed: u64) -> f64 {
        match self {
            Self::Sine { amplitude, period_ms, peak_ms } => amplitude * (TAU * share_of(ms - peak_ms, period_ms)).cos(),
            Self::Noise { amplitude, period_ms } => amplitude * smooth_noise(ms, period_ms, seed),
            Self::Fall { amplitude, period_ms } => -amplitude * share_of(ms, period_ms),
            Self::Cycle { amplitude, period_ms, share } => {
                if share_of(ms, period_ms) < share {
                    amplitude
                } else {
                    0.0
                }
            }
            Self::Bursts { amplitude, slot_ms, chance } => {
                if chance_at(ms.div_euclid(slot_ms), seed) < chance {
                    amplitude
                } else {
                    0.0
                }
            }
        }
    }
}

/// What a meter counts from midnight UTC on; it never goes back within a day.
#[derive(Clone, Debug, PartialEq)]
pub struct DayMeter {
    seed: u64,
    per_day: f64,
    decimals: u8,
}

impl DayMeter {
    /// About `per_day` by the end of a day, some days a fifth more or less; written with this many decimals (0 to 3).
    #[must_use]
    pub fn new(per_day: f64, decimals: u8) -> Self {
        Self { seed: 0, per_day, decimals: decimals.min(3) }
    }

    /// The count at a moment, rounded.
    #[must_use]
    pub fn value_at(&self, at: Timestamp) -> f64 {
        let day = at.as_ms().div_euclid(DAY_MS);
        let share = share_of(at.as_ms(), DAY_MS);
        // Slow at night and fast in the evening; the factor below one keeps the slope positive, so that the meter never runs backwards.
        let used = share - 0.8 * (TAU * share).sin() / TAU;
        let total = self.per_day * (0.8 + 0.4 * chance_at(day, self.seed));
        round(total * used, self.decimals)
    }
}

/// Spells of on: in each slot of time one spell at most.
#[derive(Clone, Debug, PartialEq)]
pub struct Spells {
    seed: u64,
    slot_ms: i64,
    chance: f64,
    shortest_ms: i64,
    longest_ms: i64,
}

impl Spells {
    /// In each slot of `slot_s` seconds, with this `chance` (0 to 1), one spell of `shortest_s` to `longest_s` seconds, cut to the slot.
    #[must_use]
    pub fn new(slot_s: i64, chance: f64, shortest_s: i64, longest_s: i64) -> Self {
        let slot_ms = slot_s.max(1) * SECOND_MS;
        let longest_ms = (longest_s * SECOND_MS).clamp(0, slot_ms);
        Self { seed: 0, slot_ms, chance, shortest_ms: (shortest_s * SECOND_MS).clamp(0, longest_ms), longest_ms }
    }

    /// Always on, or never.
    #[must_use]
    pub fn always(on: bool) -> Self {
        Self::new(1, if on { 1.1 } else { 0.0 }, 1, 1)
    }

    /// Whether a spell holds at a moment.
    #[must_use]
    pub fn is_on_at(&self, at: Timestamp) -> bool {
        let slot = at.as_ms().div_euclid(self.slot_ms);
        if chance_at(slot, self.seed) >= self.chance {
            return false;
        }
        let length_ms = self.shortest_ms + portion(self.longest_ms - self.shortest_ms, chance_at(slot, self.seed ^ 1));
        let start_ms = portion(self.slot_ms - length_ms, chance_at(slot, self.seed ^ 2));
        (start_ms..start_ms + length_ms).contains(&at.as_ms().rem_euclid(self.slot_ms))
    }
}

/// One word for each slot of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    seed: u64,
    slot_ms: i64,
    usual: f64,
    words: &'static [&'static str],
}

impl Words {
    /// The first word for a share of `usual` (0 to 1) of the slots of `slot_s` seconds, the others for the rest. No words say nothing.
    #[must_use]
    pub fn new(words: &'static [&'static str], slot_s: i64, usual: f64) -> Self {
        Self { seed: 0, slot_ms: slot_s.max(1) * SECOND_MS, usual, words }
    }

    /// The word at a moment.
    #[must_use]
    pub fn word_at(&self, at: Timestamp) -> &'static str {
        let slot = at.as_ms().div_euclid(self.slot_ms);
        let drawn = chance_at(slot, self.seed);
        let [first, others @ ..] = self.words else { return "" };
        if drawn < self.usual || others.is_empty() {
            return first;
        }
        let nth = hash(slot, self.seed ^ 1) % others.len() as u64;
        others.iter().zip(0..).find_map(|(word, n)| (n == nth).then_some(*word)).unwrap_or(first)
    }
}

/// A seed made from a name: FNV-1a, so that it is the same on every machine and in every version.
#[must_use]
pub fn seed_of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Between -1 and 1, smooth: random values at multiples of the period, eased from one to the next.
fn smooth_noise(ms: i64, period_ms: i64, seed: u64) -> f64 {
    let slot = ms.div_euclid(period_ms);
    let (from, to) = (chance_at(slot, seed), chance_at(slot + 1, seed));
    let x = share_of(ms, period_ms);
    let eased = x * x * (3.0 - 2.0 * x);
    2.0 * (from + (to - from) * eased) - 1.0
}

/// Where in its period a moment lies, 0 to 1.
fn share_of(ms: i64, period_ms: i64) -> f64 {
    ms.rem_euclid(period_ms) as f64 / period_ms as f64
}

/// A random number from 0 to 1, the same for the same slot and seed.
fn chance_at(slot: i64, seed: u64) -> f64 {
    (hash(slot, seed) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The mixing function of `SplitMix64`: neighboring slots and seeds give unrelated numbers.
fn hash(slot: i64, seed: u64) -> u64 {
    let mut z = slot.cast_unsigned().wrapping_add(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn portion(ms: i64, share: f64) -> i64 {
    (ms as f64 * share) as i64
}

fn round(value: f64, decimals: u8) -> f64 {
    let scale = 10_f64.powi(i32::from(decimals));
    // Adding zero turns -0 into 0: no device writes "-0.0".
    (value * scale).round() / scale + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn week() -> impl Iterator<Item = Timestamp> {
        (0..7 * 1_440).map(|minute| Timestamp::from_ms(1_781_200_000_000 + minute * MINUTE_MS))
    }

    fn lively() -> Curve {
        Curve::flat(20.0, 1).daily(3.0, 14).wave(1.0, 30).noise(0.5, 90).cycle(0.4, 40, 0.3).bursts(2.0, 120, 0.1).within(0.0, 40.0)
    }

    #[test]
    fn the_same_moment_gives_the_same_value() {
        for at in week() {
            assert!((lively().value_at(at) - lively().value_at(at)).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn a_seed_changes_the_noise() {
        let (a, b) = (Model::Number(lively()).seeded(1), Model::Number(lively()).seeded(2));
        assert!(week().any(|at| a.value_at(at) != b.value_at(at)));
    }

    #[test]
    fn a_curve_moves_smoothly_without_bursts() {
        let curve = Curve::flat(20.0, 3).daily(3.0, 14).wave(1.0, 30).noise(0.5, 90);
        for at in week() {
            let step = curve.value_at(at.plus_ms(SECOND_MS)) - curve.value_at(at);
            assert!(step.abs() < 0.05, "{step} at {}", at.rfc3339());
        }
    }

    #[test]
    fn a_day_meter_only_grows_within_a_day() {
        let meter = DayMeter::new(10.0, 3);
        for at in week() {
            let (now, soon) = (meter.value_at(at), meter.value_at(at.plus_ms(MINUTE_MS)));
            let same_day = at.as_ms() / DAY_MS == (at.as_ms() + MINUTE_MS) / DAY_MS;
            assert!(!same_day || soon >= now, "{now} then {soon}");
        }
    }

    #[test]
    fn spells_come_and_go() {
        let spells = Spells::new(1_200, 0.5, 60, 300);
        let on = week().filter(|&at| spells.is_on_at(at)).count();
        assert!((300..2_000).contains(&on), "{on} of 10,080 minutes");
        assert!(week().all(|at| Spells::always(true).is_on_at(at) && !Spells::always(false).is_on_at(at)));
    }

    #[test]
    fn the_usual_word_is_usual() {
        let words = Words::new(&["Depot 3", "On the road", "Workshop"], 1_800, 0.7);
        let said: Vec<_> = week().map(|at| words.word_at(at)).collect();
        let usual = said.iter().filter(|&&word| word == "Depot 3").count();
        assert!((6_000..8_200).contains(&usual), "{usual} of 10,080 minutes");
        assert!(["On the road", "Workshop"].iter().all(|word| said.contains(word)));
        assert_eq!(Words::new(&[], 60, 0.5).word_at(Timestamp::default()), "");
    }

    proptest! {
        #[test]
        fn every_moment_has_a_finite_value_in_range(ms in -(1_i64 << 60)..(1_i64 << 60), seed: u64) {
            let Value::Number(value) = Model::Number(lively()).seeded(seed).value_at(Timestamp::from_ms(ms)) else { panic!("no number") };
            prop_assert!((0.0..=40.0).contains(&value));
            prop_assert!(((value * 10.0).round() - value * 10.0).abs() < 1e-9);
        }
    }
}
