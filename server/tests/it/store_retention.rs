//! What is not kept any more: nothing is told that is not true, whatever is left.

use std::sync::Arc;

use domain::history::{Range, Resolution, Series};
use domain::reading::Reading;
use domain::time::Timestamp;
use domain::value::Value;
use proptest::prelude::*;
use server::clock::now;
use server::store::retention::{Class, Retention};
use server::store::sqlite::{Settings, SqliteStore};
use server::store::{Batch, Store};
use tempfile::TempDir;

use crate::store::{TestStore, arrival, entity, range, reading};
use crate::store_history::{check_buckets, check_raw, stored};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const IDS: [&str; 4] = ["a.x", "b.x", "c.x", "d.x"];

fn keeping(raw_days: Option<u32>, rollup_days: Option<u32>) -> Settings {
    let retention = Retention { class: Class { raw_days, rollup_days }, ..Retention::default() };
    Settings { most_hot: 4_000, retention: Arc::new(retention), ..Settings::default() }
}

/// The hour that began `days` ago.
fn ago(days: i64) -> i64 {
    (now().as_ms() - days * DAY).div_euclid(HOUR) * HOUR
}

/// A day from `from` on: dense readings by the device's clock and by ours, sparse ones, and some within the same moments.
fn day(from: i64, seed: u64) -> Vec<Reading> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut readings = vec![];
    for step in 0..5_760 {
        let at = from + step * 15_000;
        readings.push(reading("a.x", at + random.i64(0..60), Value::Number(f64::from(random.u8(..)) / 10.0)));
        if step % 2 == 0 {
            readings.push(arrival("b.x", at / 20_000 * 20_000, Value::Number(f64::from(random.u16(..)) / 100.0)));
            readings.push(arrival("b.x", at / 20_000 * 20_000, Value::Number(f64::from(random.u8(..)))));
        }
        if step % 20 == 0 {
            readings.push(reading("c.x", at, Value::Number(random.f64())));
        }
        // Busy for a quarter of an hour, then silent for long.
        if step % 720 < 60 {
            readings.push(reading("d.x", at, Value::Number(f64::from(random.u8(..)))));
        }
    }
    readings
}

async fn tend_to_the_end(store: &SqliteStore) {
    while store.tend().await.unwrap() {}
}

/// An answer is what the readings come to, in no finer rows than were asked for. Ranges of whole hours only: others are widened to those where
/// nothing finer is left.
fn check_answer(series: &Series, all: &[(i64, i64, f64)], asked: Range, ms: i64) {
    let place = |at: Timestamp| all.partition_point(|row| row.0 < at.as_ms());
    let rows = &all[place(asked.from)..place(asked.to)];
    match series.resolution {
        Resolution::Raw => check_raw(series, rows),
        Resolution::BucketMs(found) => {
            assert!(found == ms || found == HOUR.max(ms) || found == MINUTE.max(ms), "{found} for {ms}");
            check_buckets(series, rows, found);
        }
    }
}

/// The readings of each series.
fn all_stored(written: &[Reading]) -> [Vec<(i64, i64, f64)>; 4] {
    IDS.map(|id| stored(written, id, range(i64::MIN, i64::MAX)))
}

/// Asks about everything, days and hours in the coarse and in the fine.
async fn check(store: &SqliteStore, written: &[Reading], first: i64, days: i64) {
    let (entities, all) = (IDS.map(entity), all_stored(written));
    let mut ranges = vec![range(first - DAY, first + (days + 2) * DAY)];
    ranges.extend((0..=days).map(|n| range(first + n * DAY - HOUR, first + n * DAY + 5 * HOUR)));
    for asked in ranges {
        for ms in [10_000, 5 * MINUTE, HOUR, DAY] {
            for (series, rows) in store.buckets(&entities, asked, ms).await.unwrap().iter().zip(&all) {
                check_answer(series, rows, asked, ms);
            }
        }
    }
}

/// How fine the answer about a range is.
async fn resolution(store: &SqliteStore, id: &str, asked: Range) -> Resolution {
    store.history(&[entity(id)], asked, 100_000).await.unwrap()[0].resolution
}

async fn n_rows(test: &TestStore, sql: &'static str) -> i64 {
    let other = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(test.path())).await.unwrap();
    let n = sqlx::query_scalar(sql).fetch_one(&other).await.unwrap();
    other.close().await;
    n
}

#[tokio::test]
async fn readings_become_minutes_and_minutes_hours_as_they_grow_old() {
    let test = TestStore::open_with(keeping(Some(2), Some(4))).await;
    let first = ago(7);
    let mut written = vec![];
    for n in 0..6 {
        let readings = day(first + n * DAY, n.cast_unsigned());
        written.extend(readings.clone());
        test.write(readings).await;
        tend_to_the_end(&test.store).await;
    }
    check(&test.store, &written, first, 6).await;
    let of_day = |n: i64| range(first + n * DAY, first + n * DAY + 6 * HOUR);
    for (id, n, expected) in [
        ("a.x", 0, Resolution::BucketMs(HOUR)),
        ("a.x", 3, Resolution::BucketMs(MINUTE)),
        ("a.x", 5, Resolution::Raw),
        ("b.x", 3, Resolution::BucketMs(MINUTE)),
        // It takes no more room than its minutes would, and is told as those.
        ("c.x", 0, Resolution::BucketMs(HOUR)),
    ] {
        assert_eq!(resolution(&test.store, id, of_day(n)).await, expected, "{id} {n}");
    }
    assert_eq!(n_rows(&test, "select count(*) from block where died is not null").await, 0);
    assert_eq!(n_rows(&test, "select count(*) from block").await, n_rows(&test, "select count(*) from block_data").await);
    for (tier, sql) in [
        ("raw", "select bytes - (select sum(length(data)) from block_data) from tier where name = 'raw'"),
        ("minutes", "select bytes - (select sum(length(data)) from minutes) from tier where name = 'minutes'"),
        ("hours", "select bytes - (select sum(length(data)) from hours) from tier where name = 'hours'"),
    ] {
        assert_eq!(n_rows(&test, sql).await, 0, "bytes of {tier}");
    }
    let test = test.reopen().await;
    check(&test.store, &written, first, 6).await;
}

/// What a process that is killed now would leave.
async fn killed(test: &TestStore, settings: Settings) -> (SqliteStore, TempDir) {
    let left = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal"] {
        std::fs::copy(format!("{}{suffix}", test.path().display()), left.path().join(format!("signalbox.db{suffix}"))).unwrap();
    }
    (SqliteStore::open_with(&left.path().join("signalbox.db"), settings).await.unwrap(), left)
}

#[tokio::test]
async fn every_step_of_giving_up_leaves_one_state_or_the_other() {
    let test = TestStore::open_with(keeping(None, None)).await;
    let first = ago(7);
    let mut written = vec![];
    for n in 0..4 {
        written.extend(day(first + n * DAY, n.cast_unsigned()));
    }
    for part in written.chunks(9_000) {
        test.write(part.to_vec()).await;
        tend_to_the_end(&test.store).await;
    }
    test.store.close().await;
    let settings = keeping(Some(4), Some(5));
    let store = SqliteStore::open_with(&test.path(), settings.clone()).await.unwrap();
    let test = TestStore { store, folder: test.folder };
    let (mut n_steps, entities, all, rows) = (0, IDS.map(entity), range(first, first + 4 * DAY), all_stored(&written));
    loop {
        let more = test.store.tend().await.unwrap();
        n_steps += 1;
        let (killed, _folder) = killed(&test, settings.clone()).await;
        for store in [&test.store, &killed] {
            for ms in [MINUTE, DAY] {
                for (series, rows) in store.buckets(&entities, all, ms).await.unwrap().iter().zip(&rows) {
                    check_answer(series, rows, all, ms);
                }
            }
        }
        if n_steps % 4 == 0 {
            tend_to_the_end(&killed).await;
            check(&killed, &written, first, 4).await;
        }
        killed.close().await;
        if !more {
            break;
        }
    }
    assert!(n_steps > 6, "only {n_steps} steps");
    assert!(n_rows(&test, "select count(*) from minutes").await > 0);
}

#[tokio::test]
async fn late_readings_go_to_what_is_left_of_their_time_and_none_is_counted_twice() {
    let test = TestStore::open_with(keeping(Some(2), Some(4))).await;
    let first = ago(7);
    let all: Vec<Reading> = (0..6).flat_map(|n| day(first + n * DAY, 7 + n.cast_unsigned())).collect();
    // Of one series some minutes and some hours are missing at first.
    let is_late = |reading: &Reading| {
        let at = reading.taken_at.as_ms() - first;
        reading.entity == entity("a.x") && (at.div_euclid(MINUTE) % 7 == 0 && at >= 3 * DAY || at.div_euclid(HOUR) % 5 == 0)
    };
    let (late, written): (Vec<Reading>, Vec<Reading>) = all.iter().cloned().partition(is_late);
    for part in written.chunks(9_000) {
        test.write(part.to_vec()).await;
        tend_to_the_end(&test.store).await;
    }
    for part in late.chunks(1_000) {
        test.write(part.to_vec()).await;
        tend_to_the_end(&test.store).await;
    }
    check(&test.store, &all, first, 6).await;
    // All of it once more: what the device said the time of is known, wherever it is now.
    let again: Vec<Reading> = all.iter().filter(|reading| reading.device_time).cloned().collect();
    for part in again.chunks(9_000) {
        test.write(part.to_vec()).await;
        tend_to_the_end(&test.store).await;
    }
    check(&test.store, &all, first, 6).await;
}

#[tokio::test]
async fn an_answer_is_widened_to_the_whole_spans_that_are_left() {
    let test = TestStore::open_with(keeping(Some(2), Some(4))).await;
    let first = ago(7);
    let written: Vec<Reading> = (0..6).flat_map(|n| day(first + n * DAY, n.cast_unsigned())).collect();
    for part in written.chunks(9_000) {
        test.write(part.to_vec()).await;
        tend_to_the_end(&test.store).await;
    }
    let ask = async |from: i64, to: i64, ms: i64| test.store.buckets(&[entity("a.x")], range(from, to), ms).await.unwrap().remove(0);
    let of_hours = ask(first + 10 * MINUTE + 5, first + 3 * HOUR + 7, MINUTE).await;
    assert_eq!(of_hours.resolution, Resolution::BucketMs(HOUR));
    check_buckets(&of_hours, &stored(&written, "a.x", range(first, first + 4 * HOUR)), HOUR);
    let third = first + 3 * DAY;
    let of_minutes = ask(third + 10_001, third + 20 * MINUTE + 7, 90_000).await;
    assert_eq!(of_minutes.resolution, Resolution::BucketMs(2 * MINUTE), "longer than was asked, of whole minutes");
    check_buckets(&of_minutes, &stored(&written, "a.x", range(third, third + 21 * MINUTE)), 2 * MINUTE);
    // Where the clock is half an hour off, hours are those before.
    let zone = jiff::tz::TimeZone::get("Asia/Kolkata").unwrap();
    let days = &test.store.history_in(&zone, &[entity("a.x")], range(first - DAY, first + 5 * DAY), 7).await.unwrap()[0];
    assert_eq!(days.resolution, Resolution::BucketMs(DAY));
    assert!(days.t.iter().all(|t| t.as_ms().rem_euclid(DAY) == 18 * HOUR), "midnight there is at half past 18 UTC: {:?}", days.t);
    let n_stored = stored(&written, "a.x", range(first - DAY, first + 5 * DAY)).len();
    assert_eq!(days.n.iter().sum::<u32>(), u32::try_from(n_stored).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn every_bucket_is_what_should_be_kept_after_any_mix_of_steps(
        seed in any::<u64>(),
        raw_days in 1u32..5,
        rollup_days in 1u32..6,
        most_hot in 500usize..5_000,
        steps in prop::collection::vec(0usize..60, 24),
        late in 0usize..6,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let settings = Settings { most_hot, ..keeping(Some(raw_days), Some(rollup_days)) };
            let test = TestStore::open_with(settings).await;
            let first = ago(7);
            let mut written: Vec<Reading> = vec![];
            for (n, steps) in (0..24).zip(&steps) {
                let mut part: Vec<Reading> = day(first + n / 4 * DAY, seed.wrapping_add((n / 4).cast_unsigned()))
                    .into_iter()
                    .filter(|reading| (reading.taken_at.as_ms() - first).div_euclid(6 * HOUR) == n)
                    .collect();
                // Some that arrived long ago, and come now: each counts, wherever it falls.
                let mut random = fastrand::Rng::with_seed(seed ^ n.cast_unsigned());
                part.extend((0..late).map(|_| arrival("a.x", first + random.i64(0..(n + 1) * 6 * HOUR), Value::Number(f64::from(random.u8(..))))));
                // And some that are known.
                let known: Vec<Reading> = written.iter().filter(|known| known.device_time && random.u8(..) == 0).cloned().collect();
                test.write([part.clone(), known].concat()).await;
                written.extend(part);
                for _ in 0..*steps {
                    test.store.tend().await.unwrap();
                }
            }
            check(&test.store, &written, first, 6).await;
            tend_to_the_end(&test.store).await;
            check(&test.store, &written, first, 6).await;
        });
    }
}

#[tokio::test]
async fn states_go_with_minutes_and_the_one_in_force_stays() {
    let test = TestStore::open_with(keeping(None, Some(4))).await;
    let first = ago(10);
    let words = |n: i64| Value::Text(format!("state {n}"));
    let readings = (0..1_000).map(|n| reading("a.mode", first + n * 10 * MINUTE, words(n))).collect();
    test.store.write(&Batch { readings, ..Batch::default() }).await.unwrap();
    tend_to_the_end(&test.store).await;
    let cut = now().as_ms() - 4 * DAY;
    let states = test.store.states(&[entity("a.mode")], range(first - DAY, first + 20 * DAY), 5_000).await.unwrap().remove(0);
    let oldest = states[0].0.as_ms();
    assert!(cut - 20 * MINUTE < oldest && oldest < cut, "{} minutes", (cut - oldest) / MINUTE);
    assert_eq!(states.last().unwrap().1, words(999));
}

#[tokio::test]
async fn what_fell_silent_is_in_hours_at_last() {
    let test = TestStore::open_with(Settings { most_hot: 50, ..keeping(Some(1), Some(2)) }).await;
    let first = ago(6);
    let written: Vec<Reading> =
        (0..100).map(|n| reading("a.x", first + n * 10 * MINUTE, Value::Number(f64::from(u8::try_from(n).unwrap())))).collect();
    test.write(written.clone()).await;
    tend_to_the_end(&test.store).await;
    assert_eq!(n_rows(&test, "select count(*) from block").await, 0, "too few for a full block, and too old for a short one");
    // It speaks again.
    let later: Vec<Reading> = (0..100).map(|n| reading("a.x", ago(0) - n * MINUTE, Value::Number(0.5))).collect();
    test.write(later.clone()).await;
    tend_to_the_end(&test.store).await;
    let all = all_stored(&[written, later].concat());
    for asked in [range(first - DAY, first + 8 * DAY), range(first, first + 3 * HOUR), range(ago(0) - HOUR, ago(0))] {
        for ms in [MINUTE, HOUR, DAY] {
            let found = test.store.buckets(&[entity("a.x")], asked, ms).await.unwrap().remove(0);
            check_answer(&found, &all[0], asked, ms);
        }
    }
}
