//! A database read by another program sees what its server sees, whatever that does meanwhile.

use domain::reading::Reading;
use domain::value::Value;
use server::store::Store;
use server::store::sqlite::{Beside, Settings, SqliteStore};

use crate::store::{TestStore, arrival, entity, range, reading};
use crate::store_exclude::exclude;

const HOUR: i64 = 3_600_000;
const IDS: [&str; 3] = ["a.x", "b.x", "a.door"];

fn round(n: i64) -> Vec<Reading> {
    let mut random = fastrand::Rng::with_seed(n.cast_unsigned());
    let mut readings = vec![];
    for step in 0..200 {
        let at = (n * 200 + step) * 10_000 + random.i64(0..60);
        readings.push(reading("a.x", at, Value::Number(f64::from(random.u8(..)) / 10.0)));
        readings.push(arrival("b.x", at / 2, Value::Number(f64::from(random.u16(..)) / 100.0)));
        readings.push(arrival("a.door", at, Value::Bool(random.bool())));
    }
    readings
}

async fn check(store: &SqliteStore, beside: &mut Beside) {
    let entities = IDS.map(entity);
    let all = range(-HOUR, 100 * HOUR);
    assert_eq!(beside.history(&entities, all, 100_000).await.unwrap(), store.history(&entities, all, 100_000).await.unwrap());
    assert_eq!(beside.buckets(&entities, all, HOUR).await.unwrap(), store.buckets(&entities, all, HOUR).await.unwrap());
}

#[tokio::test]
async fn each_answer_is_of_one_state_of_the_server() {
    let test = TestStore::open_with(Settings { most_hot: 700, ..Settings::default() }).await;
    let mut beside = Beside::open(&test.path()).await.unwrap();
    check(&test.store, &mut beside).await;
    let mut n_steps = 0;
    for n in 0..5 {
        test.write(round(n)).await;
        check(&test.store, &mut beside).await;
        exclude(&test.store, "b.x", round(n)[1].taken_at.as_ms()).await;
        check(&test.store, &mut beside).await;
        while test.store.tend().await.unwrap() {
            n_steps += 1;
            check(&test.store, &mut beside).await;
        }
        exclude(&test.store, "a.x", round(n)[0].taken_at.as_ms()).await;
        check(&test.store, &mut beside).await;
    }
    assert!(n_steps > 20, "only {n_steps} steps");
    assert_eq!(beside.list_entities().await.unwrap(), ["a.door", "a.x", "b.x"].map(entity));
    let ends = beside.ends(&entity("a.x")).await.unwrap().unwrap();
    let known = test.store.history(&[entity("a.x")], range(-HOUR, 100 * HOUR), 100_000).await.unwrap().remove(0);
    assert!(ends.from <= known.t[0] && *known.t.last().unwrap() < ends.to, "{ends:?}");
    assert_eq!(beside.ends(&entity("no.x")).await.unwrap(), None);
    // Whoever asks may go away in the midst of it.
    for polls in 0..40 {
        let entities = IDS.map(entity);
        let mut asked = Box::pin(beside.history(&entities, range(0, HOUR), 10));
        for _ in 0..polls {
            tokio::select! {
                biased;
                done = &mut asked => { done.unwrap(); break }
                () = tokio::task::yield_now() => {}
            }
        }
        drop(asked);
    }
    check(&test.store, &mut beside).await;
}

#[tokio::test]
async fn a_server_goes_on_while_somebody_reads() {
    let test = TestStore::open().await;
    test.write(round(0)).await;
    let mut beside = Beside::open(&test.path()).await.unwrap();
    let entities = IDS.map(entity);
    let before = beside.history(&entities, range(0, HOUR), 10_000).await.unwrap();
    // Nothing of the answer is held on to: the log is begun anew.
    for n in 1..30 {
        test.write(round(n)).await;
    }
    assert!(test.store.sizes().await.log_bytes < 8 << 20);
    assert_ne!(beside.history(&entities, range(0, 100 * HOUR), 100_000).await.unwrap(), before);
    drop(beside);
    let test = test.reopen().await;
    check(&test.store, &mut Beside::open(&test.path()).await.unwrap()).await;
}

#[tokio::test]
async fn what_is_no_database_of_this_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = async |path: &str, why: &str| {
        let error = Beside::open(&folder.path().join(path)).await.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(path) && error.contains(why), "{error}");
    };
    refused("missing.db", "there is no such file").await;
    assert!(!folder.path().join("missing.db").exists(), "nothing is made");
    std::fs::write(folder.path().join("text.db"), "x".repeat(5_000)).unwrap();
    refused("text.db", "no SQLite database").await;
    for (path, sql, why) in [
        (
            "newer.db",
            "insert into _sqlx_migrations select 99999999999999, description, installed_on, success, checksum, execution_time from _sqlx_migrations limit 1",
            "newer version",
        ),
        ("older.db", "delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)", "older version"),
        ("other.db", "pragma application_id = 5", "another program"),
    ] {
        let store = SqliteStore::open(&folder.path().join(path)).await.unwrap();
        store.close().await;
        let other = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join(path))).await.unwrap();
        sqlx::query(sql).execute(&other).await.unwrap();
        other.close().await;
        refused(path, why).await;
    }
}
