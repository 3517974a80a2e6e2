use proptest::prelude::*;

use super::column::{HEAD_BYTES, Writer, checksum};
use super::*;

/// The points come back to the last bit.
fn check(points: &[Point]) -> usize {
    let data = encode(points);
    let bits = |points: &[Point]| points.iter().map(|point| (point.key(), point.value.to_bits())).collect::<Vec<_>>();
    assert_eq!(bits(&decode(&data).expect("reads back")), bits(points));
    data.len()
}

/// As earlier versions did: the first one with times in front, and another checksum.
fn encode_as_before(format: u8, points: &[Point]) -> Vec<u8> {
    let times = Times::of(points);
    let marks: Vec<i64> = points.iter().map(|point| times.mark(point)).collect();
    let numbers: Vec<f64> = points.iter().map(|point| point.value).collect();
    let mut out = Writer::new(format, times as u8, points.len());
    if format == FORMAT_1 {
        out.ticking(&marks);
        out.numbers(&numbers);
    } else {
        out.numbers(&numbers);
        out.ticking(&marks);
    }
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

/// Numbers that lie close enough for their blocks to have pages.
fn close_number() -> impl Strategy<Value = f64> {
    (-100_000i32..100_000, 0i32..3).prop_map(|(digits, decimals)| f64::from(digits) / 10f64.powi(decimals))
}

fn points(number: impl Strategy<Value = f64>) -> impl Strategy<Value = Vec<Point>> {
    let at = prop_oneof![1_781_000_000_000i64..1_781_100_000_000, 0i64..50, -8_640_000_000_000_000i64..=8_640_000_000_000_000];
    prop::collection::vec((at, any::<bool>(), number), 0..300).prop_map(|mut rows| {
        rows.sort_by_key(|row| Point::new(row.0, row.1, row.2).key());
        rows.into_iter().map(|(at, device_time, number)| Point::new(at, device_time, number)).collect()
    })
}

/// Many points of a sensor, some at the same moment, with gaps, jitter, and times of both kinds; some begin where others ended.
fn pages_of(number: impl Strategy<Value = f64>) -> impl Strategy<Value = Vec<Point>> {
    let apart = prop_oneof![8 => 9_970i64..10_030, 1 => Just(0), 1 => 0i64..90_000_000];
    let is_mixed = any::<bool>();
    (prop::collection::vec((apart, any::<bool>(), number), 600..2_500), is_mixed).prop_map(|(rows, is_mixed)| {
        let mut at = 1_781_000_000_000;
        let mut points: Vec<Point> = rows
            .into_iter()
            .map(|(apart, device_time, number)| {
                at += apart;
                // The device says a moment once only.
                Point::new(at, device_time && apart > 0 || !is_mixed, number)
            })
            .collect();
        points.sort_by_key(Point::key);
        points
    })
}

/// What a block comes to between moments is what its points come to there. Sums of decimals are exact; others may be added in another order.
fn check_divided(data: &[u8], points: &[Point], moments: &[i64], exact: Option<u8>) {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
    let parts = divide(&mut Room::default(), data, moments, first.taken_at(), last.key()).expect("reads back");
    assert_eq!(parts.len(), moments.len() + 1);
    let mut begin = 0;
    for (part, end) in parts.iter().zip(moments.iter().map(|moment| points.partition_point(|point| point.taken_at() < *moment)).chain([points.len()]))
    {
        let own = &points[begin..end];
        begin = end;
        let all = Sum::all(own);
        let but_total = |sum: &Option<Sum>| sum.map(|sum| Sum { total: 0.0, ..sum });
        assert_eq!(but_total(part), but_total(&all));
        let total = |sum: &Option<Sum>| sum.map_or(0.0, |sum| sum.total);
        if let Some(decimals) = exact {
            let power = scale::power(decimals).expect("a power");
            #[expect(clippy::cast_possible_truncation, reason = "decimals as integers")]
            let integers: i128 = own.iter().map(|point| (point.value * power).round_ties_even() as i128).sum();
            assert_eq!(total(part).to_bits(), scale::total(integers, power).to_bits());
        } else {
            let most: f64 = own.iter().map(|point| sum::bounded(point.value).abs()).sum();
            assert!((total(part) - total(&all)).abs() <= most * 1e-12, "{part:?} {all:?}");
        }
    }
}

/// Some moments around points, by their place, and the moments of all pages' edges.
fn moments_of(points: &[Point], places: &[(prop::sample::Index, i64)]) -> Vec<i64> {
    let near = places.iter().map(|(place, beside)| place.get(points).taken_at() + beside);
    let edges = (1..5).filter_map(|page| Some(points.get(page * 512)?.taken_at())).filter(|_| places.len().is_multiple_of(2));
    let mut moments: Vec<i64> = near.chain(edges).collect();
    moments.sort_unstable();
    moments
}

fn places() -> impl Strategy<Value = Vec<(prop::sample::Index, i64)>> {
    prop::collection::vec((any::<prop::sample::Index>(), -1i64..=1), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn pages_of_decimals_come_back_and_are_divided_exactly(points in pages_of(close_number()), places in places()) {
        check(&points);
        let values: Vec<f64> = points.iter().map(|point| point.value).collect();
        let (decimals, _) = scale::to_integers(&values).expect("decimals");
        check_divided(&encode(&points), &points, &moments_of(&points, &places), Some(decimals));
    }

    #[test]
    fn pages_of_hostile_numbers_come_back_and_are_divided(points in pages_of(hostile_number()), places in places()) {
        check(&points);
        check_divided(&encode(&points), &points, &moments_of(&points, &places), None);
    }

    #[test]
    fn damaged_pages_are_read_or_refused(
        points in pages_of(close_number()),
        places in places(),
        // What says where pages are stands in front.
        hits in prop::collection::vec((prop_oneof![0usize..120, 0usize..4_000], any::<u8>()), 1..6),
        cut in 0usize..3_000,
    ) {
        let mut data = encode(&points);
        for (place, byte) in hits {
            let place = HEAD_BYTES + place % (data.len() - HEAD_BYTES);
            data[place] = byte;
        }
        if cut.is_multiple_of(2) {
            data.truncate(data.len().saturating_sub(cut).max(HEAD_BYTES));
        }
        let sum = checksum(&data);
        data[HEAD_BYTES - 4..HEAD_BYTES].copy_from_slice(&sum.to_le_bytes());
        let _ = decode(&data);
        for last_key in [0, points.last().map_or(0, Point::key), i64::MAX] {
            let _ = divide(&mut Room::default(), &data, &moments_of(&points, &places), points[0].taken_at(), last_key);
        }
    }
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
        for data in [encode(&points), encode_as_before(FORMAT_1, &points), encode_as_before(FORMAT_3, &points)] {
            check_divided(&data, &points, &moments, None);
        }
    }

    #[test]
    fn what_an_earlier_version_packed_is_read(points in points(hostile_number())) {
        let bits = |points: &[Point]| points.iter().map(|point| (point.key(), point.value.to_bits())).collect::<Vec<_>>();
        for format in [FORMAT_1, FORMAT_3] {
            prop_assert_eq!(bits(&decode(&encode_as_before(format, &points)).expect("reads back")), bits(&points));
        }
    }

    #[test]
    fn anything_is_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&data);
        let _ = divide(&mut Room::default(), &data, &[5, 50], 0, 0);
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
        let _ = divide(&mut Room::default(), &data, &[5, 50, 1_781_050_000_000], 0, i64::MAX);
    }
}

/// Written by the version before, and kept as they were.
#[test]
fn blocks_of_the_third_format_are_read_and_divided() {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let decimals = |i: i64| (2_000 + (i * 7) % 13 + i / 50) as f64 / 100.0;
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let as_is = |i: i64| 1.0 / (i + 3) as f64;
    let at = |i: i64| 1_781_273_006_123 + i * 10_000 + (i * i * 31) % 60;
    for (data, points) in [
        (&include_bytes!("blocks/format_3_decimals.bin")[..], (0..300).map(|i| Point::new(at(i), i % 7 > 0, decimals(i))).collect::<Vec<_>>()),
        (&include_bytes!("blocks/format_3_as_is.bin")[..], (0..300).map(|i| Point::new(at(i), true, as_is(i))).collect()),
    ] {
        assert_eq!(data[0], FORMAT_3);
        assert_eq!(decode(data).as_deref(), Ok(points.as_slice()));
        check_divided(data, &points, &[at(0), at(100) - 1, at(100), at(250) + 1], None);
    }
}

/// A clock that ticks regularly but for a jitter without any rule, and once is late: where a page ends is told by the step.
#[test]
fn what_lies_before_the_first_point_of_a_page_ends_with_the_last_of_the_page_before() {
    let jitter: Vec<i64> = std::iter::successors(Some(1u32), |x| Some(x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)))
        .map(|x| i64::from(x >> 16) % 60)
        .take(2_000)
        .collect();
    for late in [0, 5_000, 60_000] {
        for page in [512, 1_024] {
            let moved = |(idx, point): (usize, Point)| {
                let at = 1_781_273_000_000 + i64::try_from(idx).expect("a small number") * 10_000 + jitter[idx] + if idx < page { 0 } else { late };
                Point::new(at, true, point.value)
            };
            let points: Vec<Point> = sensor(2_000).into_iter().enumerate().map(moved).collect();
            let first = points[page].taken_at();
            for moment in [first - 1, first, first + 1] {
                check_divided(&encode(&points), &points, &[moment], Some(2));
            }
        }
    }
}

#[test]
fn a_page_that_begins_past_the_end_is_refused() {
    let points = sensor(2_000);
    let mut data = encode(&points);
    // Behind the two bytes for points of a page and decimals the step, and then how many bytes the first page's numbers take.
    let after = |data: &[u8], at: usize| at + data[at..].iter().position(|byte| byte & 0x80 == 0).expect("an integer") + 1;
    let begin = after(&data, HEAD_BYTES + 2);
    let end = after(&data, begin);
    data.splice(begin..end, [0xff, 0xff, 0x7f]);
    let sum = checksum(&data);
    data[HEAD_BYTES - 4..HEAD_BYTES].copy_from_slice(&sum.to_le_bytes());
    assert!(decode(&data).is_err());
    let (first, last) = (points[0].taken_at(), points[1_999].key());
    assert!(divide(&mut Room::default(), &data, &[points[700].taken_at()], first, last).is_err());
}

/// What one block leaves behind in the room is nothing to the next.
#[test]
fn one_room_is_for_many_blocks() {
    let mut room = Room::default();
    let constant: Vec<Point> = (0..2_000).map(|i| Point::new(i * 1_000, true, 7.0)).collect();
    for points in [sensor(5_000), constant, sensor(700), sensor(3), sensor(2_000)] {
        let (data, at) = (encode(&points), points[points.len() / 2].taken_at());
        let alone = divide(&mut Room::default(), &data, &[at], points[0].taken_at(), points[points.len() - 1].key());
        assert!(alone.is_ok());
        assert_eq!(divide(&mut room, &data, &[at], points[0].taken_at(), points[points.len() - 1].key()), alone);
        assert!(divide(&mut room, &data[..data.len() - 1], &[at], 0, 0).is_err());
    }
}

#[test]
fn a_short_block_is_no_longer_than_it_was() {
    for n in [0, 1, 2, 3, 10, 50, 200, 700] {
        let points = sensor(n);
        let (now, before) = (check(&points), encode_as_before(FORMAT_3, &points).len());
        assert!(now <= before, "{n} points: {now} bytes, {before} before");
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
