//! Opening a database: what goes wrong is said in words that name the path.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use domain::reading::Reading;
use domain::time::Timestamp;
use domain::value::Value;
use server::store::sqlite::SqliteStore;
use server::store::{Store, StoreError};

use crate::store::{TestStore, entity, range, reading};

async fn check(path: &Path, says: &str) {
    let error = SqliteStore::open(path).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains(path.to_str().unwrap()) && message.contains(says), "{message}");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/signalbox.db");
    SqliteStore::open(&path).await.unwrap().close().await;
    assert!(path.is_file());
}

#[tokio::test]
async fn paths_that_cannot_be_a_database_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    check(&file.join("signalbox.db"), "is a file, not a folder").await;
    check(folder.path(), "it is a folder, not a file").await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signalbox.db");
    let text = "not a database ".repeat(1_000);
    std::fs::write(&path, &text).unwrap();
    check(&path, "no SQLite database").await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_database_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signalbox.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let other = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("create table diary (entry text)").execute(&other).await.unwrap();
    other.close().await;
    check(&path, "belongs to another program").await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let test = TestStore::open().await;
    test.store.close().await;
    let other = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(test.path())).await.unwrap();
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (29990101000000, 'later', true, x'00', 0)",
    )
    .execute(&other)
    .await
    .unwrap();
    other.close().await;
    check(&test.path(), "newer version").await;
}

#[tokio::test]
async fn a_folder_without_rights_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Rights do not bind the superuser, whom tests in containers often run as.
    if std::fs::read_dir(&closed).is_err() {
        check(&closed.join("signalbox.db"), "").await;
    }
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn a_database_whose_process_was_killed_opens_with_everything_committed() {
    let test = TestStore::open().await;
    test.write(vec![reading("a.x", 1_000, Value::Number(1.0))]).await;
    // What a killed process leaves: the file and its log as they are, never folded together.
    let left = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal"] {
        std::fs::copy(format!("{}{suffix}", test.path().display()), left.path().join(format!("signalbox.db{suffix}"))).unwrap();
    }
    let store = SqliteStore::open(&left.path().join("signalbox.db")).await.unwrap();
    // History does not say when it arrived.
    let found = Reading { received_at: Timestamp::from_ms(1_000), ..reading("a.x", 1_000, Value::Number(1.0)) };
    assert_eq!(store.load().await.unwrap().last, [found]);
    assert_eq!(store.history(&[entity("a.x")], range(0, 2_000), 5).await.unwrap()[0].last, [1.0]);
}
