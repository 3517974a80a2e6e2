use proptest::prelude::*;

use super::column::{HEAD_BYTES, checksum};
use super::*;

/// The points come back to the last bit.
fn check(points: &[Point]) -> usize {
    let data = encode(points);
    let bits = |points: &[Point]| points.iter().map(|point| (point.key(), point.value.to_bits())).collect::<Vec<_>>();
    assert_eq!(bits(&decode(&data).expect("reads back")), bits(points));
    data.len()
}

/// As the first version did: times in front, and another checksum.
fn encode_as_before(points: &[Point]) -> Vec<u8> {
    let times = Times::of(points);
    let mut out = Writer::new(FORMAT_1, times as u8, points.len());
    out.ticking(&points.iter().map(|point| times.mark(point)).collect::<Vec<_>>());
    out.numbers(&points.iter().map(|point| point.value).collect::<Vec<_>>());
    out.finish()
}

/// A sensor with two decimals that reports every ten seconds, give or take.
fn sensor(n: i64) -> Vec<Point> {
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let value = |i: i64| (2_000 + (i * 7) % 13 + i / 50) as f64 / 100.0;
    (0..n).map(|i| Point::new(1_781_273_006_123 + i * 10_000 + (i * i * 31) % 60, true, value(i))).collect()
}

fn hostile_number() -> impl Strategy<Value = f64> {
    let finite = prop::num::f64::ANY.prop_filter("finite", |number| number.is_finite());
    #[expect(clippy::cast_precision_loss, reason = "any number will do")]
    let decimal = (any::<i64>(), -20i32..20).prop_map(|(digits, e)| (digits % 1_000_000_000) as f64 * 10f64.powi(e));
    let edges = prop::sample::select(vec![0.0, -0.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, 9_007_199_254_740_993.0, 0.1 + 0.2, 1e15, 1e-15]);
    prop_oneof![finite, decimal.prop_filter("finite", |number| number.is_finite()), edges]
}

fn sensible_number() -> impl Strategy<Value = f64> {
    #[expect(clippy::cast_precision_loss, reason = "any number will do")]
    let decimal = (-1_000_000i64..1_000_000, 0i32..5).prop_map(|(digits, decimals)| digits as f64 / 10f64.powi(decimals));
    decimal
}

fn points(number: impl Strategy<Value = f64>) -> impl Strategy<Value = Vec<Point>> {
    let at = prop_oneof![1_781_000_000_000i64..1_781_100_000_000, 0i64..50, -8_640_000_000_000_000i64..=8_640_000_000_000_000];
    prop::collection::vec((at, any::<bool>(), number), 0..300).prop_map(|mut rows| {
        rows.sort_by_key(|row| Point::new(row.0, row.1, row.2).key());
        rows.into_iter().map(|(at, device_time, number)| Point::new(at, device_time, number)).collect()
    })
}

proptest! {
    #[test]
    fn hostile_numbers_come_back_to_the_last_bit(points in points(hostile_number())) {
        check(&points);
    }

    #[test]
    fn decimals_come_back_to_the_last_bit(points in points(sensible_number())) {
        check(&points);
    }

    #[test]
    fn sums_come_back_to_the_last_bit(points in points(hostile_number())) {
        let mut sums: Vec<(i64, Sum)> = vec![];
        for part in points.chunk_by(|a, b| a.taken_at() / 1_000 == b.taken_at() / 1_000) {
            sums.extend(Sum::all(part).map(|sum| (part[0].taken_at() / 1_000, sum)));
        }
        let bits = |sums: &[(i64, Sum)]| format!("{sums:?}");
        prop_assert_eq!(decode_sums(&encode_sums(&sums)).map(|sums| bits(&sums)), Ok(bits(&sums)));
    }

    #[test]
    fn a_divided_block_comes_to_what_its_parts_come_to(points in points(sensible_number()), cuts in prop::collection::vec(0i64..60, 0..5)) {
        let mut moments: Vec<i64> = cuts.iter().map(|cut| if cut % 2 == 0 { *cut } else { 1_781_000_000_000 + cut * 1_700_000 }).collect();
        moments.sort_unstable();
        let last_key = points.last().map_or(0, Point::key);
        for data in [encode(&points), encode_as_before(&points)] {
            let parts = divide(&data, &moments, last_key).expect("reads back");
            prop_assert_eq!(parts.len(), moments.len() + 1);
            let mut begin = 0;
            for (part, end) in parts.iter().zip(moments.iter().map(|moment| points.partition_point(|point| point.taken_at() < *moment)).chain([points.len()])) {
                let all = Sum::all(&points[begin..end]);
                let but_total = |sum: &Option<Sum>| sum.map(|sum| Sum { total: 0.0, ..sum });
                prop_assert_eq!(but_total(part), but_total(&all));
                // Added in another order.
                let total = |sum: &Option<Sum>| sum.map_or(0.0, |sum| sum.total);
                prop_assert!((total(part) - total(&all)).abs() < 1e-4, "{part:?} {all:?}");
                begin = end;
            }
        }
    }

    #[test]
    fn what_an_earlier_version_packed_is_read(points in points(hostile_number())) {
        let bits = |points: &[Point]| points.iter().map(|point| (point.key(), point.value.to_bits())).collect::<Vec<_>>();
        prop_assert_eq!(bits(&decode(&encode_as_before(&points)).expect("reads back")), bits(&points));
    }

    #[test]
    fn anything_is_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&data);
        let _ = divide(&data, &[5, 50], 0);
        let _ = decode_sums(&data);
    }

    /// Also what has a right checksum, so that the columns themselves are read.
    #[test]
    fn a_damaged_block_is_read_or_refused(
        points in points(sensible_number()),
        cut in 0usize..800,
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut data = encode(&points);
        for (place, byte) in hits {
            let place = place.index(data.len());
            if place > 1 {
                data[place] = byte;
            }
        }
        data.truncate(data.len().saturating_sub(cut / 8));
        if data.len() >= HEAD_BYTES {
            // As many points as are plausible: room for them is made.
            data[4] = 0;
            data[5] = 0;
            let sum = checksum(&data);
            data[HEAD_BYTES - 4..HEAD_BYTES].copy_from_slice(&sum.to_le_bytes());
        }
        let _ = decode(&data);
        let _ = divide(&data, &[5, 50, 1_781_050_000_000], 0);
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let data = encode(&sensor(300));
    for place in 0..data.len() {
        let mut data = data.clone();
        data[place] ^= 0x10;
        assert!(decode(&data).is_err(), "byte {place}");
    }
    for len in 0..data.len() {
        assert!(decode(&data[..len]).is_err(), "{len} bytes");
    }
}

#[test]
fn a_sensor_with_two_decimals_costs_less_than_two_bytes_a_point() {
    let bytes = check(&sensor(1_024));
    assert!(bytes < 2 * 1_024, "{bytes}");
}

#[test]
fn the_same_moment_many_times_is_kept_in_the_order_of_arrival() {
    let numbers = [3.0, 1.0, 2.0];
    check(&numbers.map(|number| Point::new(5, false, number)));
    check(&[Point::new(5, true, 9.0), Point::new(5, false, 1.0), Point::new(5, false, 0.5)]);
}

#[test]
fn decimals_are_kept_as_integers_and_nothing_else_is() {
    for (numbers, decimals) in [
        (vec![21.4, 21.0, -3.5], Some(1)),
        (vec![1.0, 2.0], Some(0)),
        (vec![0.1 + 0.2], None),
        (vec![-0.0], None),
        (vec![1e300], None),
        (vec![0.001, 1e15], None),
    ] {
        assert_eq!(scale::to_integers(&numbers).map(|(decimals, _)| decimals), decimals, "{numbers:?}");
    }
}
