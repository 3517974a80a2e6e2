//! History against a brute-force computation over the readings themselves.

use std::collections::BTreeMap;

use domain::downsample::bucket_ms;
use domain::history::{Range, Resolution, Series};
use domain::reading::Reading;
use domain::value::Value;
use proptest::prelude::*;
use server::store::Store;
use server::store::sqlite::Settings;

use crate::store::{TestStore, arrival, entity, range, reading};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// Readings of one entity as the contract counts them, in order of time: moment, place within it, number.
pub(crate) fn stored(readings: &[Reading], id: &str, range: Range) -> Vec<(i64, i64, f64)> {
    let mut places: BTreeMap<i64, i64> = BTreeMap::new();
    let mut rows: BTreeMap<(i64, i64), f64> = BTreeMap::new();
    for reading in readings.iter().filter(|reading| reading.entity == entity(id)) {
        let (at, Some(number)) = (reading.taken_at.as_ms(), reading.value.as_number()) else { continue };
        let place = if reading.device_time {
            0
        } else {
            let place = places.entry(at).or_default();
            *place += 1;
            *place
        };
        rows.entry((at, place)).or_insert(number);
    }
    let inside = |at: i64| range.from.as_ms() <= at && at < range.to.as_ms();
    rows.into_iter().filter(|((at, _), _)| inside(*at)).map(|((at, place), number)| (at, place, number)).collect()
}

pub(crate) fn check_raw(series: &Series, rows: &[(i64, i64, f64)]) {
    assert_eq!(series.resolution, Resolution::Raw);
    let numbers: Vec<f64> = rows.iter().map(|row| row.2).collect();
    assert_eq!(series.t.iter().map(|t| t.as_ms()).collect::<Vec<_>>(), rows.iter().map(|row| row.0).collect::<Vec<_>>());
    for column in [&series.min, &series.mean, &series.max, &series.last] {
        assert_eq!(column, &numbers);
    }
    assert_eq!(series.n, vec![1; rows.len()]);
}

pub(crate) fn check_buckets(series: &Series, rows: &[(i64, i64, f64)], ms: i64) {
    let mut buckets: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (at, _, number) in rows {
        buckets.entry(at.div_euclid(ms) * ms).or_default().push(*number);
    }
    assert_eq!(series.t.iter().map(|t| t.as_ms()).collect::<Vec<_>>(), buckets.keys().copied().collect::<Vec<_>>());
    for (idx, numbers) in buckets.values().enumerate() {
        assert_eq!(series.min[idx], numbers.iter().copied().fold(f64::INFINITY, f64::min));
        assert_eq!(series.max[idx], numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        assert_eq!(series.last[idx], *numbers.last().unwrap());
        assert_eq!(usize::try_from(series.n[idx]).unwrap(), numbers.len());
        let mean = numbers.iter().sum::<f64>() / f64::from(series.n[idx]);
        assert!((series.mean[idx] - mean).abs() <= 1e-9 * mean.abs().max(1.0), "{} {mean}", series.mean[idx]);
    }
}

/// Readings over some six hours around the epoch and around a late moment: out of order, some twice, some without a time of the device.
pub(crate) fn readings() -> impl Strategy<Value = Vec<Reading>> {
    let at = (0i64..400).prop_flat_map(|step| prop_oneof![Just(step * MINUTE), (0..MINUTE).prop_map(move |ms| step * MINUTE + ms)]);
    let one = (at, any::<bool>(), 0usize..3, -1_000i64..1_000).prop_map(|(at, device_time, which, number)| {
        let at = at - HOUR;
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let (id, value) = match which {
            0 => ("a.x", Value::Number(number as f64 / 10.0)),
            1 => ("b.x", Value::Number(number as f64)),
            _ => ("a.door", Value::Bool(number > 0)),
        };
        if device_time { reading(id, at, value) } else { arrival(id, at, value) }
    });
    prop::collection::vec(one, 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_bucket_and_every_row_is_what_the_readings_come_to(
        readings in readings(),
        batches in 1usize..6,
        from in -2 * HOUR..6 * HOUR,
        len in 0..8 * HOUR,
        points in 1usize..200,
        ms in prop::sample::select(vec![1_000, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 24 * HOUR, 7 * MINUTE]),
        most_hot in 1usize..400,
        steps in prop::collection::vec(0usize..12, 6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let test = TestStore::open_with(Settings { most_hot, ..Settings::default() }).await;
            for (batch, steps) in readings.chunks(readings.len().div_ceil(batches).max(1)).zip(steps) {
                test.write(batch.to_vec()).await;
                // Sealing may be anywhere: not begun, in the midst, or over.
                for _ in 0..steps {
                    test.store.tend().await.unwrap();
                }
            }
            let asked = range(from, from + len);
            let ids = ["a.x", "b.x"];
            let entities = ids.map(entity);
            let history = test.store.history(&entities, asked, points).await.unwrap();
            let buckets = test.store.buckets(&entities, asked, ms).await.unwrap();
            for (idx, id) in ids.into_iter().enumerate() {
                let rows = stored(&readings, id, asked);
                if rows.len() <= points {
                    check_raw(&history[idx], &rows);
                } else {
                    assert_eq!(history[idx].resolution, Resolution::BucketMs(bucket_ms(asked, points)));
                    assert!(history[idx].t.len() <= points.max(2), "the epoch splits a bucket");
                    check_buckets(&history[idx], &rows, bucket_ms(asked, points));
                }
                check_buckets(&buckets[idx], &rows, ms);
            }
        });
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn numbers_read_back_to_the_same_bits(numbers in prop::collection::vec((1.0f64..10.0, -9i32..15, any::<bool>()), 2_000)) {
        let numbers: Vec<f64> = numbers.into_iter().map(|(x, e, minus)| if minus { -x * 10f64.powi(e) } else { x * 10f64.powi(e) }).collect();
        check_read_back(&numbers, |stored, number| stored.to_bits() == number.to_bits());
    }

    /// SQLite reads decimal digits with some 106 bits: numbers no sensor sends may be one bit off.
    #[test]
    fn numbers_at_the_ends_read_back_but_for_a_bit(numbers in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::ZERO, 2_000)) {
        check_read_back(&numbers, |stored, number| (stored - number).abs() <= number.abs() * 2.0 * f64::EPSILON);
    }
}

fn check_read_back(numbers: &[f64], same: impl Fn(f64, f64) -> bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let test = TestStore::open().await;
        test.write(numbers.iter().zip(0..).map(|(&number, at)| reading("a.x", at, Value::Number(number))).collect()).await;
        let raw = &test.store.history(&[entity("a.x")], range(0, 2_000), 2_000).await.unwrap()[0];
        assert_eq!(raw.last.len(), numbers.len());
        let differing: Vec<_> = raw.last.iter().zip(numbers).filter(|(stored, number)| !same(**stored, **number)).collect();
        assert!(differing.is_empty(), "{} differ: {:?}", differing.len(), &differing[..differing.len().min(5)]);
    });
}

#[tokio::test]
async fn days_begin_at_midnight_where_the_plant_is() {
    let test = TestStore::open_with(Settings { most_hot: 200, ..Settings::default() }).await;
    // Every ten minutes from two days before the clock in Berlin goes back to the day after; midnight there is at 22:00 UTC, then at 23:00.
    let midnight = 1_792_706_400_000;
    let readings: Vec<Reading> =
        (0..6 * 97).map(|n| reading("a.x", midnight + n * 10 * MINUTE, Value::Number(f64::from(u16::try_from(n).unwrap())))).collect();
    for part in readings.chunks(100) {
        test.write(part.to_vec()).await;
        test.store.tend().await.unwrap();
    }
    while test.store.tend().await.unwrap() {}
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let asked = range(midnight, midnight + 97 * HOUR);
    let days = &test.store.history_in(&zone, &[entity("a.x")], asked, 4).await.unwrap()[0];
    assert_eq!(days.resolution, Resolution::BucketMs(24 * HOUR));
    assert_eq!(days.n, [144, 144, 150, 144]);
    let starts: Vec<i64> = days.t.iter().map(|t| (t.as_ms() - midnight) / HOUR).collect();
    assert_eq!(starts, [0, 24, 48, 73]);
    assert_eq!((days.min.as_slice(), days.last.as_slice()), ([0.0, 144.0, 288.0, 438.0].as_slice(), [143.0, 287.0, 437.0, 581.0].as_slice()));
    assert_eq!(days.mean[2], f64::midpoint(288.0, 437.0));
}

#[tokio::test]
async fn texts_and_unknown_entities_have_no_numbers() {
    let test = TestStore::open().await;
    test.write(vec![reading("a.mode", 1_000, Value::Text("Auto".into()))]).await;
    let asked = [entity("a.none"), entity("a.mode"), entity("a.mode")];
    for series in test.store.history(&asked, range(0, 10_000), 10).await.unwrap() {
        assert_eq!(series, Series::empty(series.entity.clone(), Resolution::Raw));
    }
    for series in test.store.buckets(&asked, range(0, 10_000), MINUTE).await.unwrap() {
        assert_eq!(series, Series::empty(series.entity.clone(), Resolution::BucketMs(MINUTE)));
    }
}

#[tokio::test]
async fn the_ends_of_time_are_asked_for_without_harm() {
    let test = TestStore::open().await;
    test.write(vec![
        reading("a.x", i64::MIN, Value::Number(1.0)),
        reading("a.x", i64::MAX, Value::Number(2.0)),
        reading("a.x", 5, Value::Number(3.0)),
    ])
    .await;
    for points in [0, 1, 5_000, usize::MAX] {
        let series = &test.store.history(&[entity("a.x")], range(i64::MIN, i64::MAX), points).await.unwrap()[0];
        assert_eq!(series.last, [3.0], "{points}");
    }
    assert_eq!(test.store.buckets(&[entity("a.x")], range(i64::MIN, i64::MAX), 1).await.unwrap()[0].last, [3.0]);
    assert!(test.store.history(&[entity("a.x")], range(10, 0), 5).await.unwrap()[0].t.is_empty());
}
