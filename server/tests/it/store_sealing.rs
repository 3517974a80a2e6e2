//! Sealing in small steps: nothing is lost or counted twice, whatever happens in between.

use std::task::{Context, Poll, Waker};

use domain::downsample::Grid;
use domain::history::Series;
use domain::reading::Reading;
use domain::value::Value;
use server::store::sqlite::{Settings, SqliteStore};
use server::store::{Batch, Store, StoreError};
use tempfile::TempDir;

use crate::store::{TestStore, arrival, entity, range, reading};
use crate::store_history::{check_buckets, check_raw, stored};
use crate::store_kinds::check_states;

const HOUR: i64 = 3_600_000;
const IDS: [&str; 5] = ["a.x", "b.x", "c.x", "a.door", "late.x"];
/// Everything that is written lies in here.
const ALL: (i64, i64) = (-1_000 * HOUR, 1_000 * HOUR);

fn settings() -> Settings {
    Settings { most_hot: 600, ..Settings::default() }
}

/// What arrives in one round: three steady series, one of states, one that comes late and twice; some that arrive within the same millisecond.
fn round(n: i64) -> Vec<Reading> {
    let mut random = fastrand::Rng::with_seed(n.cast_unsigned());
    let mut readings = vec![];
    for step in 0..150 {
        let at = (n * 150 + step) * 10_000 + random.i64(0..60);
        readings.push(reading("a.x", at, Value::Number(f64::from(random.u8(..)) / 10.0)));
        readings.push(arrival("b.x", at / 20_000 * 20_000, Value::Number(f64::from(random.u16(..)) / 100.0)));
        readings.push(reading("c.x", at, Value::Number(random.f64())));
        readings.push(arrival("a.door", at, Value::Bool(random.bool())));
        // Anywhere before, often where one is already.
        readings.push(reading("late.x", random.i64(-20..=n * 150) * 10_000, Value::Number(f64::from(random.u8(..)))));
    }
    readings
}

/// Every reading that is there, and buckets of several lengths, are what was written.
async fn check(store: &SqliteStore, written: &[Reading]) {
    let all = range(ALL.0, ALL.1);
    let entities = IDS.map(entity);
    let raw = store.history(&entities, all, usize::MAX).await.unwrap();
    for (series, id) in raw.iter().zip(IDS) {
        match id {
            "a.door" => check_states(series, written, id, all, None),
            _ => check_raw(series, &stored(written, id, all)),
        }
    }
    for (part, ms) in [(all, HOUR), (range(7, 40 * 60_000), 60_000), (range(-3 * HOUR + 1, HOUR * 9 / 7), 900_000)] {
        for (series, id) in store.buckets(&entities, part, ms).await.unwrap().iter().zip(IDS) {
            match id {
                "a.door" => check_states(series, written, id, part, Some(&Grid::Even(ms))),
                _ => check_buckets(series, &stored(written, id, part), ms),
            }
        }
    }
}

/// What a process that is killed now would leave.
async fn killed(test: &TestStore) -> (SqliteStore, TempDir) {
    let left = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal"] {
        std::fs::copy(format!("{}{suffix}", test.path().display()), left.path().join(format!("signalbox.db{suffix}"))).unwrap();
    }
    (SqliteStore::open_with(&left.path().join("signalbox.db"), settings()).await.unwrap(), left)
}

async fn tend_to_the_end(store: &SqliteStore) {
    while store.tend().await.unwrap() {}
}

async fn n_rows(test: &TestStore, sql: &'static str) -> i64 {
    let other = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(test.path())).await.unwrap();
    let n = sqlx::query_scalar(sql).fetch_one(&other).await.unwrap();
    other.close().await;
    n
}

#[tokio::test]
async fn every_step_leaves_all_readings_to_those_who_ask_and_to_the_next_start() {
    let test = TestStore::open_with(settings()).await;
    let mut written = vec![];
    let mut n_steps = 0;
    for n in 0..4 {
        let readings = round(n);
        written.extend(readings.clone());
        test.write(readings).await;
        loop {
            let more = test.store.tend().await.unwrap();
            n_steps += 1;
            check(&test.store, &written).await;
            let (killed, _folder) = killed(&test).await;
            check(&killed, &written).await;
            tend_to_the_end(&killed).await;
            check(&killed, &written).await;
            killed.close().await;
            if !more {
                break;
            }
        }
    }
    assert!(n_steps > 16, "only {n_steps} steps");
    assert!(n_rows(&test, "select count(*) from journal").await <= 1, "what is sealed is cleared away");
    assert_eq!(n_rows(&test, "select count(*) from block where died is not null").await, 0);
    assert_eq!(n_rows(&test, "select count(*) from block").await, n_rows(&test, "select count(*) from block_data").await);
    let test = test.reopen().await;
    check(&test.store, &written).await;
}

#[tokio::test]
async fn a_step_that_is_given_up_half_way_loses_nothing() {
    let test = TestStore::open_with(settings()).await;
    let mut written = vec![];
    for polls in 1..40 {
        let readings = round(polls);
        written.extend(readings.clone());
        test.write(readings).await;
        for _ in 0..3 {
            let mut step = test.store.tend();
            for _ in 0..polls % 13 {
                tokio::select! {
                    biased;
                    done = &mut step => { done.unwrap(); step = test.store.tend() }
                    () = tokio::task::yield_now() => {}
                }
            }
        }
        if polls % 5 == 0 {
            check(&test.store, &written).await;
        }
    }
    tend_to_the_end(&test.store).await;
    check(&test.store, &written).await;
    let test = test.reopen().await;
    check(&test.store, &written).await;
}

#[tokio::test]
async fn a_full_disk_stops_sealing_and_loses_nothing() {
    let mut stopped = 0;
    for max_pages in 40..62 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signalbox.db");
        // Too small for the tables.
        let Ok(store) = SqliteStore::open_with(&path, Settings { max_pages: Some(max_pages), ..settings() }).await else { continue };
        let mut written = vec![];
        for n in 0..4 {
            let readings = round(n);
            match store.write(&Batch { readings: readings.clone(), ..Batch::default() }).await {
                Ok(()) => written.extend(readings),
                Err(error) => assert!(matches!(error, StoreError::Full), "{error}"),
            }
            loop {
                match store.tend().await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        assert!(matches!(error, StoreError::Full), "{error}");
                        stopped += 1;
                        check(&store, &written).await;
                        break;
                    }
                }
            }
        }
        check(&store, &written).await;
        // With room again, it goes on.
        store.close().await;
        let store = SqliteStore::open_with(&path, settings()).await.unwrap();
        tend_to_the_end(&store).await;
        check(&store, &written).await;
    }
    assert!(stopped > 0, "the disk was never full while sealing");
}

#[tokio::test]
async fn a_reader_sees_one_state_however_long_it_takes() {
    let test = TestStore::open_with(settings()).await;
    for n in 0..6 {
        test.write(round(n)).await;
        tend_to_the_end(&test.store).await;
    }
    let entities = IDS.map(entity);
    let ask = || test.store.buckets(&entities, range(ALL.0, ALL.1), 1_700_000);
    for polls in 1..60 {
        let expected: Vec<Series> = ask().await.unwrap();
        let mut slow = ask();
        let mut early = None;
        for _ in 0..polls {
            if let Poll::Ready(answer) = slow.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                early = Some(answer);
                break;
            }
            tokio::task::yield_now().await;
        }
        // The last of six rounds again: all of it is late or known, so that blocks in the midst are made anew.
        test.write(round(polls % 6)).await;
        for _ in 0..40 {
            test.store.tend().await.unwrap();
        }
        let (answer, now) = (
            match early {
                Some(answer) => answer,
                None => slow.await,
            }
            .unwrap(),
            ask().await.unwrap(),
        );
        for ((answer, expected), now) in answer.iter().zip(&expected).zip(&now) {
            let n = |series: &Series| series.n.iter().copied().sum::<u32>();
            assert!(n(answer) == n(expected) || n(answer) == n(now), "{polls}: {} of {} or {}", n(answer), n(expected), n(now));
        }
    }
}

#[tokio::test]
async fn a_reading_is_stored_once_wherever_the_first_one_lies() {
    let test = TestStore::open_with(Settings { most_hot: 50, ..Settings::default() }).await;
    let readings: Vec<Reading> = (0..3_000).map(|n| reading("a.x", n * 1_000, Value::Number(f64::from(u8::try_from(n % 200).unwrap())))).collect();
    for part in readings.chunks(700) {
        test.write(part.to_vec()).await;
        test.store.tend().await.unwrap();
    }
    for _ in 0..3 {
        // With other numbers: the first one stays.
        test.write(readings.iter().map(|known| Reading { value: Value::Number(-1.0), ..known.clone() }).collect()).await;
        tend_to_the_end(&test.store).await;
        let all = &test.store.history(&[entity("a.x")], range(0, HOUR), 5_000).await.unwrap()[0];
        check_raw(all, &stored(&readings, "a.x", range(0, HOUR)));
    }
}

#[tokio::test]
async fn readings_of_an_earlier_version_are_taken_over() {
    let test = TestStore::open().await;
    test.write(vec![reading("a.x", 5, Value::Number(1.0))]).await;
    test.store.close().await;
    let other = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(test.path())).await.unwrap();
    let sql = "insert into reading (taken_at, series_id, n, value)
               with recursive number (i) as (select 0 union all select i + 1 from number where i < 120000)
               select 1000 + i * 10, 1, i % 2, (i % 100) / 10.0 from number";
    sqlx::query(sql).execute(&other).await.unwrap();
    other.close().await;
    let store = SqliteStore::open_with(&test.path(), Settings { most_hot: 10_000, ..Settings::default() }).await.unwrap();
    let all = &store.buckets(&[entity("a.x")], range(0, 10 * HOUR), 10 * HOUR).await.unwrap()[0];
    assert_eq!((all.n[0], all.last[0]), (120_002, 0.0));
    // The same again is known.
    store
        .write(&Batch { readings: vec![reading("a.x", 1_000, Value::Number(5.0)), reading("a.x", 1_020, Value::Number(5.0))], ..Batch::default() })
        .await
        .unwrap();
    assert_eq!(store.buckets(&[entity("a.x")], range(0, 10 * HOUR), 10 * HOUR).await.unwrap()[0].n, [120_002]);
    assert_eq!(n_rows(&test, "select count(*) from reading").await, 0);
}

#[tokio::test]
async fn late_readings_are_in_their_hours() {
    let test = TestStore::open_with(Settings { most_hot: 500, ..Settings::default() }).await;
    let mut random = fastrand::Rng::with_seed(5);
    let mut number = || Value::Number(f64::from(random.u16(..)) / 10.0);
    // Every second reading at first, in some full blocks; then the others, into the midst of those; some before all and some after.
    let (mut written, mut others): (Vec<Reading>, Vec<Reading>) = (vec![], vec![]);
    for n in 0..12_000 {
        let into = if n % 2 == 0 { &mut written } else { &mut others };
        into.push(reading("a.x", n * 7_000, number()));
    }
    test.write(written.clone()).await;
    tend_to_the_end(&test.store).await;
    for (late, nth) in others.chunks(1_000).rev().zip(1..) {
        let more = [late.to_vec(), vec![reading("a.x", -9_000 * nth, number()), reading("a.x", 84_000_000 + nth, number())]].concat();
        written.extend(more.clone());
        test.write(more).await;
        tend_to_the_end(&test.store).await;
        for (part, ms) in [(range(-100 * HOUR, 100 * HOUR), HOUR), (range(90_000, 23 * HOUR + 1_234), 2 * HOUR)] {
            let asked = &test.store.buckets(&[entity("a.x")], part, ms).await.unwrap()[0];
            check_buckets(asked, &stored(&written, "a.x", part), ms);
        }
    }
}

#[tokio::test]
async fn a_block_that_is_missing_or_damaged_is_an_error_and_no_gap() {
    let test = TestStore::open_with(settings()).await;
    for n in 0..8 {
        test.write(round(n)).await;
        tend_to_the_end(&test.store).await;
    }
    let other = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(test.path())).await.unwrap();
    let entities = [entity("a.x"), entity("c.x")];
    assert!(test.store.buckets(&entities, range(0, HOUR), 60_000).await.is_ok());
    sqlx::query("update block_data set data = substr(data, 1, length(data) - 1)").execute(&other).await.unwrap();
    let damaged = test.store.buckets(&entities, range(0, HOUR), 60_000).await.unwrap_err().to_string();
    assert!(damaged.contains("damaged"), "{damaged}");
    sqlx::query("delete from block_data").execute(&other).await.unwrap();
    other.close().await;
    let missing = test.store.buckets(&entities, range(0, HOUR), 60_000).await.unwrap_err().to_string();
    assert!(missing.contains("is missing"), "{missing}");
}
