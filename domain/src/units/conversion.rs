//! From the unit that a device speaks in to the one that is shown, and back.

use super::table::{QUANTITIES, find};

/// Digits that a number has after it was converted into the shown unit: binary fractions leave dirt in those behind.
const SHOWN_DIGITS: i32 = 12;
/// Digits of a number that goes back to a device or into history: as many as any decimal number keeps.
const NATIVE_DIGITS: i32 = 15;

/// What a number in the native unit is in the shown one: linear, `shown = (native · up + shift) / down`. Every factor is positive, so that order,
/// and with it least and largest, stay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conversion {
    up: f64,
    shift: f64,
    down: f64,
}

impl Conversion {
    /// From one unit into another, in any of their spellings; `None` where they measure different things, where one of them is not known, and where
    /// they are the same.
    #[must_use]
    pub fn between(from: &str, to: &str) -> Option<Self> {
        let ((_, from), (units, to)) = (find(from)?, find(to)?);
        let is_other = !std::ptr::eq(from, to) && from.name != to.name;
        (is_other && units.iter().any(|unit| unit.name == from.name)).then_some(Self {
            up: from.factor,
            shift: from.offset - to.offset,
            down: to.factor,
        })
    }

    /// A number of the native unit in the shown one.
    #[must_use]
    pub fn show(self, native: f64) -> f64 {
        rounded((native * self.up + self.shift) / self.down, self.shift / self.down, SHOWN_DIGITS)
    }

    /// A number of the shown unit in the native one.
    #[must_use]
    pub fn native(self, shown: f64) -> f64 {
        rounded((shown * self.down - self.shift) / self.up, self.shift / self.up, NATIVE_DIGITS)
    }

    /// A difference in the shown unit: a step, a hysteresis, what a meter counted. 10 K of difference are 18 °F, not 50.
    #[must_use]
    pub fn show_span(self, native: f64) -> f64 {
        rounded(native * self.up / self.down, 0.0, SHOWN_DIGITS)
    }

    /// Decimals that say in the shown unit what `native` decimals say in the native one, 0 to 3.
    #[must_use]
    pub fn decimals(self, native: u8) -> u8 {
        let wanted = f64::from(native) - (self.up / self.down).log10();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is 0 to 3")]
        let wanted = wanted.round().clamp(0.0, 3.0) as u8;
        wanted
    }
}

/// A unit as it is usually written: `degC` is `°C`. `None` for one that is not known.
#[must_use]
pub fn spelled(unit: &str) -> Option<&'static str> {
    find(unit).map(|(_, unit)| unit.name)
}

/// Decimals that are worth showing of a reading in this unit, 0 to 3; `None` for one that is not known.
#[must_use]
pub fn decimals(unit: &str) -> Option<u8> {
    find(unit).map(|(_, unit)| unit.decimals)
}

/// The units that a unit converts into, itself among them; none where there is no other.
#[must_use]
pub fn alternatives(unit: &str) -> Vec<&'static str> {
    find(unit).map(|(units, _)| units).filter(|units| units.len() > 1).into_iter().flatten().map(|unit| unit.name).collect()
}

/// A number with so many digits: counted from those of `offset` where it is larger, for of two numbers that nearly cancel out only dirt is left.
fn rounded(number: f64, offset: f64, digits: i32) -> f64 {
    let magnitude = number.abs().max(offset.abs()).log10().floor();
    if !magnitude.is_finite() {
        return number;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of a float is small")]
    let exponent = digits - 1 - magnitude as i32;
    // Powers of ten up to here are exact, so that dividing by one is what reading the decimal number would be.
    match exponent {
        0..=22 => {
            let power = 10_f64.powi(exponent);
            (number * power).round() / power
        }
        -22..0 => {
            let power = 10_f64.powi(-exponent);
            (number / power).round() * power
        }
        _ => number,
    }
}

/// Every unit that is known.
#[must_use]
pub fn all() -> Vec<&'static str> {
    QUANTITIES.iter().flat_map(|units| units.iter().map(|unit| unit.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn show(from: &str, to: &str, n: f64) -> f64 {
        Conversion::between(from, to).unwrap_or_else(|| panic!("{from} to {to}")).show(n)
    }

    /// Values as tables print them; exact ones exactly.
    #[test]
    fn published_values() {
        for (n, from, to, expected) in [
            (21.5, "°C", "°F", 70.7),
            (-40.0, "°C", "°F", -40.0),
            (100.0, "°C", "K", 373.15),
            (0.0, "°F", "°C", -17.777_777_777_8),
            (1_234.0, "W", "kW", 1.234),
            (2.5, "MW", "W", 2_500_000.0),
            (1.0, "kWh", "MJ", 3.6),
            (1.0, "GJ", "kWh", 277.777_777_778),
            (1.0, "kcal", "kJ", 4.184),
            (1_013.25, "hPa", "inHg", 29.921_255_579_7),
            (1_013.25, "hPa", "mmHg", 759.999_891_726),
            (1.0, "bar", "psi", 14.503_773_773),
            (1.0, "mbar", "Pa", 100.0),
            (10.0, "m/s", "km/h", 36.0),
            (60.0, "mph", "km/h", 96.560_64),
            (1.0, "kn", "km/h", 1.852),
            (1.0, "ft/s", "m/s", 0.304_8),
            (25.4, "mm", "in", 1.0),
            (1.0, "mi", "km", 1.609_344),
            (3.0, "ft", "yd", 1.0),
            (1.0, "m³", "L", 1_000.0),
            (1.0, "gal", "L", 3.785_411_784),
            (1.0, "ft³", "gal", 7.480_519_480_52),
            (1.0, "m³/h", "L/min", 16.666_666_666_7),
            (1.0, "ft³/min", "m³/h", 1.699_010_795_52),
            (1.0, "lb", "oz", 16.0),
            (1.0, "t", "kg", 1_000.0),
            (1.0, "mg", "µg", 1_000.0),
            (3_700.0, "mV", "V", 3.7),
            (250.0, "mA", "A", 0.25),
            (2.4, "GHz", "MHz", 2_400.0),
            (90.0, "min", "h", 1.5),
            (1.0, "MiB", "kB", 1_048.576),
            (1.0, "MB/s", "Mbit/s", 8.0),
            (1.0, "in/h", "mm/h", 25.4),
            (0.035, "mg/m³", "µg/m³", 35.0),
            (1.0, "kVA", "VA", 1_000.0),
            (1.0, "kvar", "var", 1_000.0),
        ] {
            let found = show(from, to, n);
            assert!((found - expected).abs() <= 1e-11 * expected.abs(), "{n} {from} is {found} {to}, not {expected}");
        }
    }

    #[test]
    fn what_measures_something_else_does_not_convert() {
        for (from, to) in [
            ("°C", "%"),
            ("W", "VA"),
            ("W", "Wh"),
            ("kW", "kWh"),
            ("Hz", "rpm"),
            ("mm", "mm/h"),
            ("lx", "W"),
            ("ppm", "ppb"),
            ("", "°C"),
            ("°C", "warm"),
        ] {
            assert_eq!((Conversion::between(from, to), Conversion::between(to, from)), (None, None), "{from} {to}");
        }
        for same in ["°C", "kWh", "lx"] {
            assert_eq!(Conversion::between(same, same), None);
        }
        assert_eq!(Conversion::between("degC", "℃"), None, "two spellings of one unit");
    }

    #[test]
    fn spellings_mean_one_unit_each() {
        let mut seen = std::collections::HashSet::new();
        for unit in QUANTITIES.iter().copied().flatten() {
            for text in unit.spellings.iter().chain([&unit.name]) {
                assert!(seen.insert(*text), "{text} is there twice");
                assert_eq!(spelled(text), Some(unit.name));
            }
            assert!(unit.factor > 0.0 && unit.decimals <= 3, "{}", unit.name);
        }
        // Prefixes differ by their case alone, and so it counts.
        assert_eq!((spelled("mW"), spelled("MW"), spelled("mwh")), (Some("mW"), Some("MW"), None));
    }

    #[test]
    fn differences_have_no_offset_and_no_number_has_dirt() {
        let fahrenheit = Conversion::between("C", "F").expect("converts");
        assert_eq!((fahrenheit.show_span(0.5), fahrenheit.show(0.5), fahrenheit.show_span(10.0)), (0.9, 32.9, 18.0));
        assert_eq!(fahrenheit.native(70.0), 21.111_111_111_111_1);
        assert_eq!(fahrenheit.show(fahrenheit.native(70.0)), 70.0);
        assert_eq!((fahrenheit.native(32.0), show("°F", "°C", 32.0), show("K", "°C", 273.15)), (0.0, 0.0, 0.0), "what cancels out is nothing");
        assert_eq!(show("W", "kW", 11_679.815), 11.679_815);
        assert_eq!(show("kW", "W", 1.1), 1_100.0);
        assert_eq!((fahrenheit.show(f64::NAN).is_nan(), fahrenheit.show(1e300)), (true, 1.8e300));
    }

    #[test]
    fn decimals_follow_the_size_of_the_unit() {
        for (from, to, native, shown) in [
            ("°C", "°F", 1, 1),
            ("W", "kW", 0, 3),
            ("kWh", "Wh", 2, 0),
            ("hPa", "inHg", 0, 2),
            ("hPa", "inHg", 1, 3),
            ("bar", "psi", 2, 1),
            ("g", "t", 0, 3),
        ] {
            assert_eq!(Conversion::between(from, to).expect("converts").decimals(native), shown, "{from} {to}");
        }
        assert_eq!((decimals("°F"), decimals("W"), decimals("pulses")), (Some(1), Some(0), None));
    }

    #[test]
    fn what_is_offered_converts() {
        for unit in all() {
            for other in alternatives(unit) {
                assert!(other == unit || Conversion::between(unit, other).is_some(), "{unit} {other}");
            }
        }
        assert_eq!(alternatives("F"), ["°C", "°F", "K"]);
        assert!(alternatives("lx").is_empty() && alternatives("pulses").is_empty());
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same(from in 0..200_usize, to in 0..200_usize, n in -1e6..1e6f64) {
            let units = all();
            let (from, to) = (units[from % units.len()], units[to % units.len()]);
            if let Some(conversion) = Conversion::between(from, to) {
                let back = conversion.native(conversion.show(n));
                // Twelve digits of what is shown: near its zero, where an offset takes most of them, of the offset.
                let size = n.abs().max((conversion.shift / conversion.up).abs());
                prop_assert!((back - n).abs() <= 1e-9 * size, "{n} {from} came back from {to} as {back}");
            }
        }

        #[test]
        fn no_text_is_a_unit_by_chance(text in "\\PC{0,12}") {
            if let Some(name) = spelled(&text) {
                prop_assert_eq!(spelled(name), Some(name));
            }
        }
    }
}
