/// Bits of a step behind the point.
const FRACTION: u32 = 16;

/// The step of a clock that ticks regularly, whatever jitter and gaps there are, in 65,536ths; 0 for fewer than three times. Each time in ascending order.
pub(super) fn step(times: &[i64]) -> i64 {
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return 0 };
    let mut apart: Vec<i64> = times.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    if apart.len() < 2 {
        return 0;
    }
    let middle = apart.len() / 2;
    let usual = *apart.select_nth_unstable(middle).1;
    if usual <= 0 {
        return 0;
    }
    // A gap is as many steps as fit: the clock went on ticking.
    let steps: i128 = apart.iter().map(|apart| (i128::from(*apart) + i128::from(usual / 2)) / i128::from(usual)).sum();
    let span = i128::from(*last) - i128::from(*first);
    // Where it does not fit, times are packed without a step.
    (span << FRACTION).checked_div(steps).and_then(|step| i64::try_from(step).ok()).unwrap_or(0)
}

/// Where a regular clock is after so many steps. What leaves the range of integers begins anew, for those who write and those who read alike.
#[expect(clippy::cast_possible_wrap, reason = "no block has so many points")]
pub(super) const fn after(step: i64, n: usize) -> i64 {
    (n as i64).wrapping_mul(step) >> FRACTION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_found_through_jitter_and_gaps() {
        let exact: Vec<i64> = (0..1_000).map(|i| 1_750_000_000_000 + i * 10_000 + (i * i) % 61 + if i > 300 { 70_000 } else { 0 }).collect();
        assert!((step(&exact) - (10_000 << FRACTION)).abs() < 1 << FRACTION, "{}", step(&exact));
        let drifting: Vec<i64> = (0..1_000).map(|i| i * 10_000 + i / 4).collect();
        assert!((step(&drifting) - (40_001 << FRACTION) / 4).abs() < 1 << 8, "{}", step(&drifting));
        for short in [&[][..], &[5], &[5, 6], &[5, 5, 5], &[i64::MIN, 0, i64::MAX]] {
            step(short);
        }
        assert_eq!(step(&[5, 5, 5]), 0);
    }
}
