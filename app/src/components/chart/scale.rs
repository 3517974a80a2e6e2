//! The value axis: a linear scale that begins and ends at a round tick.

use crate::components::chart::number::{minus, round_to};

/// Values beyond this are drawn at the edge: a chart of a broken device stays a chart.
const LARGEST: f64 = 1e12;
/// Round steps are these times a power of ten. No step is more than twice the one before, which is what keeps 4 to 6 ticks possible.
const STEPS: [f64; 4] = [1.0, 2.0, 2.5, 5.0];
/// Most spaces between ticks: 6 ticks.
const MOST_SPACES: f64 = 5.0;

/// What an axis has to show besides its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Zero is part of the axis: amounts, of which twice as much is twice as high.
    FromZero,
    /// The data fill the axis, with 5 % air: temperature, pressure.
    ToData,
}

impl Fit {
    /// How values of a unit are drawn: percent, flow, power and energy from zero, all else to its data.
    #[must_use]
    pub fn of_unit(unit: Option<&str>) -> Self {
        match unit.unwrap_or_default() {
            "%" | "m³/h" | "m³/s" | "l/min" | "L/min" | "l/h" | "L/h" | "l/s" | "L/s" | "W" | "kW" | "MW" | "VA" | "Wh" | "kWh" | "MWh" => {
                Self::FromZero
            }
            _ => Self::ToData,
        }
    }
}

/// A linear scale of 4 to 6 round ticks; its ends are ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The lowest tick, in steps.
    first: i64,
    /// Spaces between ticks.
    n_spaces: i64,
    /// Distance of two ticks.
    step: f64,
    /// Decimals that a tick needs.
    decimals: usize,
}

impl Scale {
    /// The scale that covers all of `values` (those that are finite) and, by `fit`, zero. Without values it covers 0 to 1.
    pub fn covering(values: impl IntoIterator<Item = f64>, fit: Fit) -> Self {
        let finite = values.into_iter().filter(|v| v.is_finite()).map(|v| v.clamp(-LARGEST, LARGEST));
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        if low > high {
            return Self::round(0.0, 1.0);
        }
        match fit {
            Fit::FromZero => Self::round(low.min(0.0), high.max(0.0)),
            Fit::ToData => {
                let air = (high - low) * 0.05;
                Self::round(low - air, high + air)
            }
        }
    }

    fn round(low: f64, high: f64) -> Self {
        // A flat line gets room on both sides, and no room is so small that the ticks would be the same floating point number.
        let least = (low.abs().max(high.abs()) * 1e-6).max(1e-6);
        let (low, high) = if high - low < least { (low - least.max(0.5), high + least.max(0.5)) } else { (low, high) };
        let mut exponent = round_to((high - low).log10().floor(), 0) - 2;
        loop {
            for mantissa in STEPS {
                let step = mantissa * power_of_ten(exponent);
                // What lies on a tick but for the error of the division counts as on it.
                let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
                if last - first <= MOST_SPACES {
                    let fraction = usize::from(mantissa == 2.5);
                    let decimals = usize::try_from(-exponent).unwrap_or(0) + if exponent <= 0 { fraction } else { 0 };
                    return Self { first: round_to(first, 0), n_spaces: round_to(last - first, 0).max(1), step, decimals };
                }
            }
            exponent += 1;
        }
    }

    /// The lowest value.
    #[must_use]
    pub fn low(&self) -> f64 {
        self.tick(0)
    }

    /// The highest value.
    #[must_use]
    pub fn high(&self) -> f64 {
        self.tick(self.n_spaces)
    }

    /// Whether a value has its place between the ends.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        (self.low()..=self.high()).contains(&value)
    }

    /// All ticks, lowest first.
    #[must_use]
    pub fn ticks(&self) -> Vec<f64> {
        (0..=self.n_spaces).map(|n| self.tick(n)).collect()
    }

    /// Where a value stands, in per cent from the top: 0 at the highest tick, 100 at the lowest. Values outside stand at the edge.
    #[must_use]
    pub fn y(&self, value: f64) -> f64 {
        let y = share_below(value, self.low(), self.high()) * 100.0;
        if y.is_nan() { 100.0 } else { y.clamp(0.0, 100.0) }
    }

    /// A tick as it is written beside the axis: `1500`, `−2.5`, `120 k`.
    #[must_use]
    pub fn label(&self, tick: f64) -> String {
        let largest = self.high().abs().max(self.low().abs());
        // Only where the steps are as large: a meter at 434 526 that moves by 2 keeps all its digits.
        let (divisor, suffix) = match self.step {
            step if largest >= 1e9 && step >= 1e6 => (1e9, " G"),
            step if largest >= 1e6 && step >= 1e3 => (1e6, " M"),
            step if largest >= 1e5 && step >= 1e3 => (1e3, " k"),
            _ => (1.0, ""),
        };
        if divisor == 1.0 {
            return minus(&format!("{tick:.*}", self.decimals));
        }
        let mut text = format!("{:.3}", tick / divisor);
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
        minus(&(text + suffix))
    }

    #[expect(clippy::cast_precision_loss, reason = "a tick is at most 1e12 divided by a millionth of it away from zero, in steps")]
    fn tick(&self, n: i64) -> f64 {
        (self.first + n) as f64 * self.step
    }
}

/// How far below `high` a value stands: 0 there, 1 at `low`; in the middle where those are the same.
#[must_use]
pub fn share_below(value: f64, low: f64, high: f64) -> f64 {
    if high > low { (high - value) / (high - low) } else { 0.5 }
}

/// Ten to a power; the negative powers divide, because 0.001 is nearer to 1/1000 than to a product of tenths.
fn power_of_ten(exponent: i64) -> f64 {
    let power = i32::try_from(exponent.unsigned_abs()).unwrap_or(i32::MAX);
    if exponent < 0 { 1.0 / 10f64.powi(power) } else { 10f64.powi(power) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(values: &[f64], fit: Fit) -> Vec<String> {
        let scale = Scale::covering(values.iter().copied(), fit);
        scale.ticks().into_iter().map(|tick| scale.label(tick)).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(&[16.1, 34.6, 34.0, 30.0], Fit::ToData), ["15", "20", "25", "30", "35", "40"]);
        assert_eq!(labels(&[18.0, 90.0], Fit::FromZero), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(&[3.91, 4.02], Fit::ToData), ["3.90", "3.95", "4.00", "4.05"]);
        assert_eq!(labels(&[3.951, 3.999], Fit::ToData), ["3.94", "3.96", "3.98", "4.00", "4.02"]);
        assert_eq!(labels(&[-11.0, -4.0], Fit::ToData), ["−12", "−10", "−8", "−6", "−4", "−2"]);
        assert_eq!(labels(&[390.0, 1120.0, 1500.0], Fit::ToData), ["0", "500", "1000", "1500", "2000"]);
        assert_eq!(labels(&[0.0, 1_200_000.0], Fit::FromZero), ["0 M", "0.25 M", "0.5 M", "0.75 M", "1 M", "1.25 M"]);
    }

    #[test]
    fn a_flat_line_stands_in_the_middle() {
        let scale = Scale::covering([21.0], Fit::ToData);
        assert!((30.0..70.0).contains(&scale.y(21.0)), "{scale:?}");
    }

    #[test]
    fn an_axis_without_values_is_an_axis() {
        assert_eq!(labels(&[], Fit::ToData), labels(&[f64::NAN, f64::INFINITY, 0.0, 1.0], Fit::FromZero));
    }

    #[test]
    fn amounts_start_at_zero() {
        for (unit, fit) in
            [(Some("%"), Fit::FromZero), (Some("kWh"), Fit::FromZero), (Some("°C"), Fit::ToData), (Some("hPa"), Fit::ToData), (None, Fit::ToData)]
        {
            assert_eq!(Fit::of_unit(unit), fit, "{unit:?}");
        }
        assert!(Scale::covering([40.0, 60.0], Fit::FromZero).low() <= 0.0);
    }

    proptest! {
        #[test]
        fn ticks_cover_the_data_and_are_4_to_6(values in prop::collection::vec(-1e9..1e9f64, 1..40), from_zero: bool) {
            let fit = if from_zero { Fit::FromZero } else { Fit::ToData };
            let scale = Scale::covering(values.iter().copied(), fit);
            let ticks = scale.ticks();
            let tolerance = (scale.high() - scale.low()) * 1e-6;
            for v in &values {
                prop_assert!(ticks[0] - tolerance <= *v && *v <= ticks[ticks.len() - 1] + tolerance, "{v} outside {ticks:?}");
            }
            prop_assert!((4..=6).contains(&ticks.len()), "{ticks:?}");
            let mut labels: Vec<_> = ticks.iter().map(|&t| scale.label(t)).collect();
            labels.dedup();
            prop_assert_eq!(labels.len(), ticks.len(), "two ticks of {:?} read the same", scale);
        }

        #[test]
        fn every_value_has_a_place(values in prop::collection::vec(any::<f64>(), 0..10), from_zero: bool) {
            let fit = if from_zero { Fit::FromZero } else { Fit::ToData };
            let scale = Scale::covering(values.iter().copied(), fit);
            prop_assert!((2..=6).contains(&scale.ticks().len()));
            for v in values {
                prop_assert!((0.0..=100.0).contains(&scale.y(v)));
            }
        }
    }
}
