//! The disk budget: the store never grows past it, whatever comes in.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use domain::history::Resolution;
use domain::reading::Reading;
use domain::value::Value;
use server::clock::now;
use server::store::retention::Retention;
use server::store::sqlite::{Settings, SqliteStore};
use server::store::{Batch, Store, StoreError};
use tokio::time::Instant;

use crate::store::{TestStore, arrival, entity, range, reading};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn budget(bytes: u64) -> Settings {
    Settings { retention: Arc::new(Retention { disk_budget_bytes: Some(bytes), ..Retention::default() }), ..Settings::default() }
}

/// Readings of `n_series` sensors each five seconds, `n` in all, from a moment on.
fn readings(from: i64, n: i64, n_series: i64) -> Vec<Reading> {
    let mut random = fastrand::Rng::with_seed(from.cast_unsigned());
    let mut reading = |i: i64| {
        let value = Value::Number(f64::from(random.u16(..)) / 10.0);
        reading(&format!("device-{}.x", i % n_series), from + i / n_series * 5_000 + random.i64(0..60), value)
    };
    (0..n).map(&mut reading).collect()
}

async fn bytes(store: &SqliteStore) -> u64 {
    let sizes = store.sizes().await;
    sizes.database_bytes + sizes.log_bytes
}

async fn tend_to_the_end(store: &SqliteStore) {
    while store.tend().await.unwrap() {}
}

#[tokio::test]
async fn the_file_and_its_log_stay_within_the_budget_and_hours_last() {
    let most = 4_000_000;
    let test = TestStore::open_with(budget(most)).await;
    let (mut at, mut n_stored, mut n_tried) = (now().as_ms().div_euclid(HOUR) * HOUR - 40 * DAY, 0u32, 0);
    let first = at;
    while at < first + 30 * DAY {
        // Four hours of five sensors and a switch that is switched too often. With long silences within a block it would not become minutes.
        let mut part = readings(at, 2_880 * 5, 5);
        part.extend((0..120).map(|n| arrival("device-0.mode", at + n * 30_000, Value::Text(format!("state {n}")))));
        for part in part.chunks(5_000) {
            n_tried += 1;
            match test.store.write(&Batch { readings: part.to_vec(), ..Batch::default() }).await {
                Ok(()) => n_stored += u32::try_from(part.iter().filter(|one| matches!(one.value, Value::Number(_))).count()).unwrap(),
                Err(error) => panic!("{error} after {n_tried}"),
            }
            assert!(bytes(&test.store).await <= most, "{} bytes after {n_stored} readings", bytes(&test.store).await);
            tend_to_the_end(&test.store).await;
        }
        at += 6 * HOUR;
    }
    // What was given up is still in the hours, to the last reading.
    let ids: Vec<_> = (0..5).map(|n| entity(&format!("device-{n}.x"))).collect();
    let days = test.store.buckets(&ids, range(first, at + DAY), DAY).await.unwrap();
    assert_eq!(days.iter().flat_map(|series| &series.n).sum::<u32>(), n_stored);
    let resolution = async |from: i64, to: i64| test.store.history(&ids[..1], range(from, to), 5_000).await.unwrap()[0].resolution;
    assert_eq!(resolution(at - 6 * HOUR, at).await, Resolution::Raw);
    assert_ne!(resolution(first, first + 6 * HOUR).await, Resolution::Raw);
    let kept = test.store.kept().await.unwrap();
    assert!(kept.disk_bytes <= most && kept.minutes.bytes > 0 && kept.hours.bytes > 0, "{kept:?}");
    assert!(kept.hours.from < kept.minutes.from && kept.minutes.from < kept.raw.from, "{kept:?}");
}

#[tokio::test]
async fn a_smaller_budget_shrinks_the_file() {
    let test = TestStore::open_with(budget(64_000_000)).await;
    let first = now().as_ms() - 10 * DAY;
    for n in 0..10 {
        test.write(readings(first + n * 6 * HOUR, 50_000, 50)).await;
        tend_to_the_end(&test.store).await;
    }
    let before = bytes(&test.store).await;
    test.store.close().await;
    let most = before / 2;
    let store = SqliteStore::open_with(&test.path(), budget(most)).await.unwrap();
    tend_to_the_end(&store).await;
    store.close().await;
    let after = std::fs::metadata(test.path()).unwrap().len();
    assert!(after <= most, "{after} of {most}, {before} before");
}

#[tokio::test]
async fn a_tiny_budget_refuses_what_it_cannot_hold_and_goes_on_with_the_rest() {
    let most = 1_100_000;
    let test = TestStore::open_with(budget(most)).await;
    let first = now().as_ms() - DAY;
    let (mut refused, mut stored) = (0, 0u32);
    for n in 0..100 {
        let part = readings(first + n * 100_000, 4_000, 200);
        // Ten times what is sealed meanwhile: every tenth batch is followed by steps.
        match test.store.write(&Batch { readings: part, ..Batch::default() }).await {
            Ok(()) => stored += 1,
            Err(StoreError::Full) => refused += 1,
            Err(error) => panic!("{error}"),
        }
        assert!(bytes(&test.store).await <= most, "{} bytes", bytes(&test.store).await);
        if n % 10 == 9 {
            while test.store.tend().await.is_ok_and(|more| more) {}
        }
    }
    assert!(refused > 0 && stored > 10, "{stored} stored, {refused} refused");
    // Nothing that was acknowledged is gone that hours would not hold.
    tend_to_the_end(&test.store).await;
    let ids: Vec<_> = (0..200).map(|n| entity(&format!("device-{n}.x"))).collect();
    let all = test.store.buckets(&ids, range(first - DAY, first + 3 * DAY), DAY).await.unwrap();
    assert_eq!(all.iter().flat_map(|series| &series.n).sum::<u32>(), stored * 4_000);
}

#[tokio::test]
async fn writes_get_through_while_old_history_is_given_up() {
    let test = TestStore::open_with(budget(2_048_000_000)).await;
    let first = now().as_ms() - 40 * DAY;
    for n in 0..10 {
        test.write(readings(first + n * 3_600 * 1_000, 60_000, 200)).await;
        tend_to_the_end(&test.store).await;
    }
    test.store.close().await;
    let most = std::fs::metadata(test.path()).unwrap().len() * 3 / 4;
    let store = SqliteStore::open_with(&test.path(), budget(most)).await.unwrap();
    let is_done = Cell::new(false);
    let tending = async {
        let mut n_steps = 0;
        while store.tend().await.unwrap() {
            n_steps += 1;
        }
        is_done.set(true);
        n_steps
    };
    let writing = async {
        let (mut longest, mut n_writes) = (Duration::ZERO, 0);
        while !is_done.get() {
            let began = Instant::now();
            match store.write(&Batch { readings: readings(now().as_ms() + n_writes * 60_000, 200, 200), ..Batch::default() }).await {
                Ok(()) => n_writes += 1,
                // Before anything was given up.
                Err(StoreError::Full) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
            longest = longest.max(began.elapsed());
        }
        (longest, n_writes)
    };
    let (n_steps, (longest, n_writes)) = tokio::join!(tending, writing);
    assert!(n_steps > 10 && n_writes > 5, "{n_steps} steps, {n_writes} writes, the longest {longest:?}");
}

#[tokio::test]
async fn how_far_back_history_reaches_is_told_once_a_day_is_known() {
    let test = TestStore::open_with(Settings { most_hot: 1_000, ..budget(2_048_000_000) }).await;
    let first = now().as_ms() - 6 * HOUR;
    test.write(readings(first, 40_000, 10)).await;
    tend_to_the_end(&test.store).await;
    let kept = test.store.kept().await.unwrap();
    assert_eq!((kept.readings_per_day, kept.sentence()), (None, None), "it began just now");
    assert!(kept.raw.bytes > 0 && kept.raw.from.is_some(), "{kept:?}");
    test.store.close().await;
    // As if it had begun six hours ago, and all had come since.
    let other = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(test.path())).await.unwrap();
    sqlx::query("update growth set hour_at = hour_at - 21600000, ends_at = ends_at - 21600000").execute(&other).await.unwrap();
    other.close().await;
    let store = SqliteStore::open_with(&test.path(), budget(2_048_000_000)).await.unwrap();
    store.write(&Batch { readings: readings(now().as_ms(), 25_000, 10), ..Batch::default() }).await.unwrap();
    let kept = store.kept().await.unwrap();
    let per_day = kept.readings_per_day.unwrap();
    assert!((99_000.0..=100_000.0).contains(&per_day), "{per_day}");
    let days = |tier: server::store::retention::Tier| tier.horizon_days.unwrap();
    // Some two bytes each, and the whole budget for them at most.
    assert!(
        (2_000.0..13_000.0).contains(&days(kept.raw)) && days(kept.raw) <= days(kept.minutes) && days(kept.minutes) <= days(kept.hours),
        "{kept:?}"
    );
    let sentence = kept.sentence().unwrap();
    assert!(sentence.starts_with("raw ") && sentence.contains(" years, minutes ") && sentence.ends_with(" at today's rate"), "{sentence}");
}
