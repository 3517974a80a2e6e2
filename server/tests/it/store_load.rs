//! What it costs to store many devices at once.

use domain::history::Series;
use domain::reading::Reading;
use domain::value::Value;
use server::redelivery::Taken;
use server::store::sqlite::SqliteStore;
use server::store::{Batch, Store};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use crate::store::{TestStore, arrival, entity, range};

const DEVICES: i64 = 1_000;
const HOUR: i64 = 3_600_000;

/// `n` batches of `size` messages of devices that take turns in no order, as they would arrive in a quarter of a second each.
async fn store_batches(store: &SqliteStore, n: i64, size: i64) {
    for batch in 0..n {
        let message = |i: i64| batch * size + i;
        let readings = (0..size).map(|i| reading(message(i), batch * 250)).collect();
        let taken = (0..size)
            .map(|i| Taken {
                link: "plant".into(),
                n: message(i).cast_unsigned(),
                packet_id: u16::try_from(message(i) % 65_535).unwrap(),
                digest: message(i).cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15),
            })
            .collect();
        store.write(&Batch { readings, taken, ..Batch::default() }).await.unwrap();
    }
}

#[expect(clippy::cast_precision_loss, reason = "a small number")]
fn reading(message: i64, taken_at: i64) -> Reading {
    arrival(&format!("device-{}.temperature", message * 7 % DEVICES), taken_at, Value::Number((message % 997) as f64 / 10.0))
}

/// Another program that reads, and goes on reading what was there when it began.
async fn long_reader(test: &TestStore) -> SqliteConnection {
    let mut reader = SqliteConnectOptions::new().filename(test.path()).read_only(true).connect().await.unwrap();
    sqlx::query("begin").execute(&mut reader).await.unwrap();
    sqlx::query("select count(*) from reading").execute(&mut reader).await.unwrap();
    reader
}

fn wal_bytes(test: &TestStore) -> u64 {
    std::fs::metadata(format!("{}-wal", test.path().display())).unwrap().len()
}

/// Bytes written to the log for each reading, once all devices are known. No more than that is copied to the database afterwards.
async fn log_bytes_per_reading(size: i64) -> u64 {
    let test = TestStore::open().await;
    store_batches(&test.store, 2, DEVICES).await;
    // With it the log is not begun anew, so that its length is what was written.
    let reader = long_reader(&test).await;
    let before = wal_bytes(&test);
    let n = 40_000 / size;
    store_batches(&test.store, n, size).await;
    let written = wal_bytes(&test) - before;
    reader.close().await.unwrap();
    test.store.close().await;
    written / (n * size).cast_unsigned()
}

/// What a process that is killed now would leave.
async fn killed(test: &TestStore) -> (SqliteStore, tempfile::TempDir) {
    let left = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal"] {
        std::fs::copy(format!("{}{suffix}", test.path().display()), left.path().join(format!("signalbox.db{suffix}"))).unwrap();
    }
    (SqliteStore::open(&left.path().join("signalbox.db")).await.unwrap(), left)
}

/// Everything that is answered about some hours, in the coarse and in the fine, stitched and single.
async fn answers(store: &SqliteStore) -> Vec<Series> {
    let entities = [entity("a.number"), entity("a.switch"), entity("a.text"), entity("b.late")];
    let mut all = vec![];
    for (from, to) in [(-10 * HOUR, 30 * HOUR), (7, 3 * HOUR + 1_234_567), (2 * HOUR, 2 * HOUR + 300_000)] {
        for bucket_ms in [HOUR, 300_000, 60_000] {
            all.extend(store.buckets(&entities, range(from, to), bucket_ms).await.unwrap());
        }
        for points in [10, 100, 5_000] {
            all.extend(store.history(&entities, range(from, to), points).await.unwrap());
        }
    }
    all
}

#[tokio::test]
async fn answers_are_exact_while_roll_ups_are_behind_and_after_a_kill_and_once_they_are_written() {
    let test = TestStore::open().await;
    for n in 0..180 {
        let at = n * 60_000;
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let number = ((n * 37) % 100) as f64;
        let mut readings = vec![
            arrival("a.number", at, Value::Number(number)),
            arrival("a.switch", at, Value::Bool(n % 3 == 0)),
            arrival("a.text", at, Value::Text("so".into())),
        ];
        if n % 10 == 0 {
            readings.push(crate::store::reading("b.late", 2 * HOUR - at, Value::Number(number)));
            readings.push(crate::store::reading("b.late", 2 * HOUR - at, Value::Number(-1.0)));
        }
        test.write(readings).await;
        // Once, in the midst of a span that goes on afterwards.
        if n == 92 {
            test.store.load().await.unwrap();
        }
    }
    let behind = answers(&test.store).await;
    assert!(behind.iter().any(|series| series.n.contains(&60)), "some hours are whole");
    let (killed, _folder) = killed(&test).await;
    assert_eq!(answers(&killed).await, behind);
    // Starting makes up for what was lost with the process.
    let mut last = killed.load().await.unwrap().last;
    assert_eq!(answers(&killed).await, behind);
    killed.close().await;

    let mut expected = test.store.load().await.unwrap().last;
    for reading in last.iter_mut().chain(&mut expected) {
        reading.received_at = reading.taken_at;
    }
    assert_eq!(last, expected);
    assert_eq!(answers(&test.store).await, behind);
    let test = test.reopen().await;
    assert_eq!(answers(&test.store).await, behind);
}

#[tokio::test]
async fn a_long_reader_keeps_nothing_from_being_stored_and_the_log_shrinks_after_it() {
    let test = TestStore::open().await;
    store_batches(&test.store, 1, DEVICES).await;
    let reader = long_reader(&test).await;
    store_batches(&test.store, 240, 1_250).await;
    let wal = wal_bytes(&test);
    assert!(wal <= 128 << 20, "a minute of 5,000 readings a second is {wal} bytes of log");
    reader.close().await.unwrap();
    store_batches(&test.store, 4, 1_250).await;
    let wal = wal_bytes(&test);
    assert!(wal <= 16 << 20, "the log is still {wal} bytes long");
}

#[tokio::test]
async fn a_reading_costs_few_bytes_on_disk_however_devices_take_turns() {
    for size in [1_250, 500, 125] {
        let bytes = log_bytes_per_reading(size).await;
        assert!(bytes <= 300, "{bytes} bytes a reading in batches of {size}");
    }
}
