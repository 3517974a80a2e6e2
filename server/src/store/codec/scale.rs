//! Sensors speak in decimals: 21.4 is kept as 214 with one digit after the point, when that comes back to the very same number.

/// Powers of ten; each is exact as a number.
const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
/// Integers up to here are exact as numbers.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// The fewest decimals with which all numbers are integers, and those; `None` where there is no such.
pub(super) fn to_integers(numbers: &[f64]) -> Option<(u8, Vec<i64>)> {
    let mut decimals = 0;
    for &number in numbers {
        // More decimals do no harm to the numbers before, as long as the integers stay exact; that is looked at below.
        while integer(number, *POWERS.get(decimals)?).is_none() {
            decimals += 1;
        }
    }
    let power = POWERS[decimals];
    let integers = numbers.iter().map(|&number| integer(number, power)).collect::<Option<_>>()?;
    Some((u8::try_from(decimals).ok()?, integers))
}

/// The numbers again; `None` for a number of decimals that there is not.
pub(super) fn to_numbers(decimals: u8, integers: &[i64]) -> Option<Vec<f64>> {
    let power = power(decimals)?;
    Some(integers.iter().map(|&integer| number(integer, power)).collect())
}

/// By what the integers of so many decimals are divided; `None` for a number of decimals that there is not.
pub(super) fn power(decimals: u8) -> Option<f64> {
    POWERS.get(usize::from(decimals)).copied()
}

/// The sum of numbers that are integers.
#[expect(clippy::cast_precision_loss, reason = "it is rounded to a number once, which sums of numbers are with each of them")]
pub(super) fn total(of: i128, power: f64) -> f64 {
    of as f64 / power
}

#[expect(clippy::cast_possible_truncation, reason = "it is within the integers that are exact")]
fn integer(of: f64, power: f64) -> Option<i64> {
    let scaled = (of * power).round_ties_even();
    if scaled.is_nan() || scaled.abs() > LARGEST {
        return None;
    }
    let integer = scaled as i64;
    // Bits, not values: minus zero is another number than zero.
    (number(integer, power).to_bits() == of.to_bits()).then_some(integer)
}

/// Division is rounded correctly, as reading decimal digits is: both give the same number.
#[expect(clippy::cast_precision_loss, reason = "what `to_integers` makes is exact; what else there is stands in a damaged block")]
pub(super) fn number(integer: i64, power: f64) -> f64 {
    integer as f64 / power
}
