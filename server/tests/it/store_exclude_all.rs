//! Readings that are taken out: all of a moment, also those that come in meanwhile, and none that cannot be taken back.

use std::cell::Cell;

use domain::excluded::Excluded;
use domain::reading::Reading;
use domain::time::Timestamp;
use domain::value::Value;
use server::store::sqlite::Settings;
use server::store::{Batch, Store};

use crate::store::{TestStore, arrival, entity, range, reading};
use crate::store_exclude::{entry, exclude};

/// The moment that is taken out.
const AT: i64 = 1_000_000;

async fn write(test: &TestStore, reading: Reading) {
    test.store.write(&Batch { readings: vec![reading], ..Batch::default() }).await.unwrap();
}

/// What history says of the moment: numbers, and words.
async fn told(test: &TestStore, id: &str) -> Vec<Value> {
    let series = test.store.history(&[entity(id)], range(AT, AT + 1), usize::MAX).await.unwrap().remove(0);
    let states = test.store.states(&[entity(id)], range(AT, AT + 1), usize::MAX).await.unwrap().remove(0);
    let words = states.into_iter().filter(|(at, _)| at.as_ms() == AT).map(|(_, value)| value);
    series.last.into_iter().map(Value::Number).chain(words).collect()
}

/// Readings of one moment come in one after the other while that moment is taken out. What was stored before the answer is in the answer, and what
/// came after it is in history: each of them once.
async fn check_all_are_out(test: &TestStore, id: &str, value: fn(i32) -> Value) {
    let is_out = Cell::new(false);
    let (stored_before, n) = (Cell::new(0), Cell::new(0));
    let coming = async {
        // A little longer than the answer takes.
        let mut after = 0;
        while after < 4 {
            let next = n.get();
            n.set(next + 1);
            write(test, arrival(id, AT, value(next))).await;
            if is_out.get() {
                after += 1;
            } else {
                stored_before.set(stored_before.get() + 1);
            }
        }
    };
    let taking_out = async {
        let found = exclude(&test.store, id, AT).await;
        is_out.set(true);
        (found, stored_before.get())
    };
    // Two that write, so that there is always one who is writing.
    let ((), (), (found, stored_before)) = tokio::join!(coming, coming_too(test, id, &is_out), taking_out);
    assert!(stored_before > 0, "nothing came in meanwhile");
    let out: Vec<Value> = found.into_iter().map(|one: Excluded| one.v).collect();
    let left = told(test, id).await;
    for number in 0..n.get() {
        let places = (out.contains(&value(number)), left.contains(&value(number)));
        assert_ne!(places, (true, true), "{number} is taken out and there");
        assert!(places.0 || number >= stored_before, "{number} was there before the answer, and is not in it");
    }
}

/// Another moment of another entity, over and over.
async fn coming_too(test: &TestStore, id: &str, is_out: &Cell<bool>) {
    let mut at = 0;
    while !is_out.get() {
        at += 1;
        write(test, arrival(&format!("{id}-too"), at, Value::Number(0.5))).await;
    }
}

#[tokio::test]
async fn what_comes_in_while_a_moment_is_taken_out_goes_with_it() {
    let test = TestStore::open_with(Settings { most_hot: 100, ..Settings::default() }).await;
    // In a block, and in memory.
    test.write((0..400).map(|n| arrival("a.x", AT - 200_000 + n * 1_000, Value::Number(7.5))).collect()).await;
    while test.store.tend().await.unwrap() {}
    check_all_are_out(&test, "a.x", |n| Value::Number(f64::from(n))).await;
    check_all_are_out(&test, "a.new", |n| Value::Number(f64::from(n))).await;
    check_all_are_out(&test, "a.mode", |n| Value::Text(format!("mode {n}"))).await;
}

#[tokio::test]
async fn a_moment_that_is_taken_out_twice_comes_back_whole() {
    let test = TestStore::open().await;
    let numbers = |from: i32| (from..from + 3).map(|n| arrival("a.x", AT, Value::Number(f64::from(n)))).collect::<Vec<_>>();
    for from in [0, 3] {
        test.write(numbers(from)).await;
        assert_eq!(exclude(&test.store, "a.x", AT).await.len(), 3);
    }
    assert_eq!(test.store.excluded(&[entity("a.x")], range(AT, AT + 1), 99).await.unwrap().len(), 6);
    assert_eq!(test.store.include(Timestamp::from_ms(AT), &entry("a.x", "history.include")).await.unwrap(), 6);
    assert_eq!(told(&test, "a.x").await, (0..6).map(|n| Value::Number(f64::from(n))).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_a_later_release_took_out_is_not_taken_back_by_one_that_cannot_read_it() {
    let test = TestStore::open().await;
    test.write(vec![reading("a.mode", AT, Value::Text("Auto".into())), reading("a.mode", AT + 1, Value::Text("Eco".into()))]).await;
    assert_eq!(exclude(&test.store, "a.mode", AT).await.len(), 1);
    let other = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(test.path())).await.unwrap();
    sqlx::query("update excluded set state = '{\"tune\":[1,2]}'").execute(&other).await.unwrap();
    let log = test.store.activity(None, 9).await.unwrap().len();

    let refused = test.store.include(Timestamp::from_ms(AT), &entry("a.mode", "history.include")).await.unwrap_err().to_string();
    assert!(refused.contains("a.mode") && refused.contains("1970-01-01T00:16:40Z"), "{refused}");
    let kept: Vec<String> = sqlx::query_scalar("select state from excluded").fetch_all(&other).await.unwrap();
    assert_eq!(kept, ["{\"tune\":[1,2]}"]);
    assert_eq!(test.store.activity(None, 9).await.unwrap().len(), log, "and nothing was done");
    // Nor does it come back when it is said again.
    test.write(vec![reading("a.mode", AT, Value::Text("Auto".into()))]).await;
    assert_eq!(told(&test, "a.mode").await, []);
    other.close().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_not_taken_out() {
    let test = TestStore::open().await;
    test.write(vec![reading("a.mode", AT, Value::Text("Auto".into())), arrival("a.mode", AT, Value::Text("Eco".into()))]).await;
    let other = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(test.path())).await.unwrap();
    sqlx::query("update state set value = '{\"tune\":[1,2]}' where n = 1").execute(&other).await.unwrap();
    let refused = test.store.exclude(Timestamp::from_ms(AT), &entry("a.mode", "history.exclude")).await.unwrap_err().to_string();
    assert_eq!(refused, "a state of a.mode at 1970-01-01T00:16:40Z cannot be read by this release of Signalbox");
    assert_eq!(told(&test, "a.mode").await, [Value::Text("Auto".into())], "all of the moment stays");
    let left: (i64, i64) = sqlx::query_as("select (select count(*) from state), (select count(*) from excluded)").fetch_one(&other).await.unwrap();
    assert_eq!((left, test.store.activity(None, 9).await.unwrap().len()), ((2, 0), 0));
    // The store goes on.
    test.write(vec![reading("a.mode", AT + 5, Value::Text("Auto".into()))]).await;
    assert_eq!(exclude(&test.store, "a.mode", AT + 5).await.len(), 1);
    other.close().await;
}
