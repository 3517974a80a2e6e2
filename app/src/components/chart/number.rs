//! Numbers as the pages write them.

use domain::value::number_words;

/// A number as people read it: at most `precision` decimals, a true minus sign, thousands apart from five digits on: `−2.5`, `41 200`.
#[must_use]
pub fn number(value: f64, precision: Option<u8>) -> String {
    minus(&group(&number_words(value, precision)))
}

/// `text` with a true minus sign in place of the leading hyphen, and none before a zero.
#[must_use]
pub fn minus(text: &str) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().any(|b| matches!(b, b'1'..=b'9')) => format!("−{rest}"),
        Some(rest) => rest.to_owned(),
        None => text.to_owned(),
    }
}

/// Per cent with one decimal at most, as SVG attributes take it: `8.1%`.
#[must_use]
pub fn percent(value: f64) -> String {
    let mut text = String::new();
    push_tenths(&mut text, value);
    text.push('%');
    text
}

/// Writes `value` with one decimal at most, never an exponent, never `NaN`: what is not a number is 0, what is too large is cut.
pub fn push_tenths(out: &mut String, value: f64) {
    let tenths = round_to(value, 1);
    if tenths < 0 {
        out.push('-');
    }
    let tenths = tenths.unsigned_abs();
    push_integer(out, tenths / 10);
    if !tenths.is_multiple_of(10) {
        out.push('.');
        push_integer(out, tenths % 10);
    }
}

/// Writes `value` with three decimals at most, as [`push_tenths`] does.
pub fn push_thousandths(out: &mut String, value: f64) {
    let thousandths = round_to(value, 3);
    if thousandths < 0 {
        out.push('-');
    }
    let thousandths = thousandths.unsigned_abs();
    push_integer(out, thousandths / 1_000);
    let rest = thousandths % 1_000;
    if rest > 0 {
        out.push('.');
        for digit in [rest / 100, rest / 10 % 10, rest % 10] {
            push_integer(out, digit);
        }
    }
}

/// `value` times ten to the power of `decimals`, rounded; what is not a number is 0.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "clamped just before; a cast of NaN is 0")]
pub fn round_to(value: f64, decimals: i32) -> i64 {
    (value * 10f64.powi(decimals)).round().clamp(-1e13, 1e13) as i64
}

fn push_integer(out: &mut String, value: u64) {
    out.push_str(&value.to_string());
}

fn group(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    if whole.len() < 5 {
        return text.to_owned();
    }
    let mut grouped = sign.to_owned();
    for (place, digit) in whole.char_indices() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            // A narrow space that does not break: a number stays on one line.
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_read_well() {
        for (value, precision, words) in [
            (-2.5, None, "−2.5"),
            (-0.001, Some(1), "0.0"),
            (1500.0, None, "1500"),
            (41_200.0, None, "41\u{202f}200"),
            (-1_234_567.8, Some(1), "−1\u{202f}234\u{202f}567.8"),
        ] {
            assert_eq!(number(value, precision), words);
        }
    }

    proptest! {
        #[test]
        fn attributes_are_plain_numbers(value in any::<f64>()) {
            let mut text = String::new();
            push_tenths(&mut text, value);
            prop_assert!(text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-')), "{}", text);
            prop_assert!(text.parse::<f64>().is_ok());
            let mut finer = String::new();
            push_thousandths(&mut finer, value);
            prop_assert!(finer.parse::<f64>().is_ok_and(|read| !value.is_finite() || value.abs() > 1e9 || (read - value).abs() <= 0.0006), "{}", finer);
        }
    }
}
