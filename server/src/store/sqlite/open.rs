use std::path::{Path, PathBuf};

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlSafeStr, SqlitePool};

use super::Settings;
use super::budget::Budget;
use super::error::open_reason;
use crate::store::StoreError;

/// Connections that read.
const READERS: u32 = 4;
/// Rows that wait between SQLite's thread and ours: each time it is full, one waits for the other to be scheduled.
const ROW_BUFFER: usize = 4_096;
/// What the write-ahead log shrinks to when it is begun anew: one long read can blow it up, and it would stay so.
const WAL_LIMIT_BYTES: i64 = 16_777_216;
/// Pages after which the log is copied to the database: SQLite's own number.
const CHECKPOINT_PAGES: i64 = 1_000;
/// `application_id` of our files, set by the first migration.
const APPLICATION_ID: i64 = 0x7367_6278;

/// All migrations, oldest first. Applied ones never change.
const MIGRATIONS: [(i64, &str, &str); 12] = [
    (20_261_122_000_000, "first tables", include_str!("../../../../migrations/sqlite/20261122000000_first_tables.sql")),
    (20_261_122_210_000, "deliveries", include_str!("../../../../migrations/sqlite/20261122210000_deliveries.sql")),
    (20_261_122_233_000, "due", include_str!("../../../../migrations/sqlite/20261122233000_due.sql")),
    (20_261_123_030_000, "blocks", include_str!("../../../../migrations/sqlite/20261123030000_blocks.sql")),
    (20_261_123_080_000, "kinds", include_str!("../../../../migrations/sqlite/20261123080000_kinds.sql")),
    (20_261_123_081_000, "retention", include_str!("../../../../migrations/sqlite/20261123081000_retention.sql")),
    (20_261_123_082_000, "activity", include_str!("../../../../migrations/sqlite/20261123082000_activity.sql")),
    (20_261_124_090_000, "queued commands", include_str!("../../../../migrations/sqlite/20261124090000_queued_commands.sql")),
    (20_261_124_091_000, "scenes", include_str!("../../../../migrations/sqlite/20261124091000_scenes.sql")),
    (20_261_124_092_000, "override", include_str!("../../../../migrations/sqlite/20261124092000_override.sql")),
    (20_261_124_093_000, "activity of all kinds", include_str!("../../../../migrations/sqlite/20261124093000_activity_of_all_kinds.sql")),
    (20_261_124_095_000, "topic patterns", include_str!("../../../../migrations/sqlite/20261124095000_topic_patterns.sql")),
];

/// The connection that writes and those that read, on an up-to-date database, and where that is.
pub(super) async fn open(path: &Path, settings: &Settings, budget: Option<Budget>) -> Result<(SqliteConnection, SqlitePool, PathBuf), StoreError> {
    let failed = |reason: String| StoreError::Open { path: path.display().to_string(), reason };
    // SQLite would read a path that begins with `file:` as a URI; an absolute one never does.
    let absolute = std::path::absolute(path).map_err(|error| failed(error.to_string()))?;
    prepare_folder(&absolute).await.map_err(failed)?;

    let options =
        SqliteConnectOptions::new().filename(&absolute).busy_timeout(settings.busy_timeout).row_buffer_size(ROW_BUFFER).disable_statement_logging();
    let is_now = tokio::fs::metadata(&absolute).await.map_or(0, |found| found.len());
    let mut writing = options
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // An acknowledgement promises that a reading survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("journal_size_limit", budget.map_or(WAL_LIMIT_BYTES, |budget| budget.long_log_bytes().min(WAL_LIMIT_BYTES)).to_string())
        .pragma("wal_autocheckpoint", budget.map_or(CHECKPOINT_PAGES, Budget::checkpoint_pages).to_string());
    if is_now == 0 {
        // What is cleared away is given back to the disk, a little at a time. Only a new file takes this, and in one that has it already it would be
        // written again: also on a full disk a database can be opened.
        writing = writing.auto_vacuum(SqliteAutoVacuum::Incremental);
    }
    let most_pages = settings.max_pages.map(i64::from).into_iter().chain(budget.map(|budget| budget.end_of(is_now))).min();
    if let Some(pages) = most_pages {
        writing = writing.pragma("max_page_count", pages.to_string());
    }
    let mut writer = writing.connect().await.map_err(|error| failed(open_reason(&error).into_owned()))?;
    refuse_foreign(&mut writer).await.map_err(failed)?;
    migrator().run(&mut writer).await.map_err(|error| failed(migrate_reason(&error)))?;
    if let Err(error) = super::series::know_kinds(&mut writer).await {
        // Another program may hold the database, or the disk be full: what is not known to be a meter is shown as it came.
        tracing::warn!(%error, "What the series are histories of is not written down");
    }
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options.read_only(true))
        .await
        .map_err(|error| failed(open_reason(&error).into_owned()))?;
    Ok((writer, readers, absolute))
}

/// Makes the folder of the database where there is none, and finds the mistakes that SQLite has no words for.
async fn prepare_folder(path: &Path) -> Result<(), String> {
    let folder = path.parent().map(Path::to_owned).unwrap_or_else(|| PathBuf::from("/"));
    if tokio::fs::metadata(&folder).await.is_ok_and(|found| !found.is_dir()) {
        return Err(format!("{} is a file, not a folder", folder.display()));
    }
    tokio::fs::create_dir_all(&folder).await.map_err(|error| format!("the folder {} cannot be made: {error}", folder.display()))?;
    match tokio::fs::metadata(path).await {
        Ok(found) if found.is_dir() => Err("it is a folder, not a file".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(format!("the folder {} cannot be read: {error}", folder.display())),
        _ => Ok(()),
    }
}

/// A database with tables that are not ours is left as it is.
async fn refuse_foreign(writer: &mut SqliteConnection) -> Result<(), String> {
    let reason = |error: sqlx::Error| open_reason(&error).into_owned();
    let id: i64 = sqlx::query_scalar("pragma application_id").fetch_one(&mut *writer).await.map_err(reason)?;
    let tables: i64 = sqlx::query_scalar("select count(*) from sqlite_schema").fetch_one(&mut *writer).await.map_err(reason)?;
    if tables > 0 && id != APPLICATION_ID { Err("it belongs to another program".to_owned()) } else { Ok(()) }
}

/// Whether a database that is only read is one of ours, and of this version.
pub(super) async fn check_version(reader: &mut SqliteConnection) -> Result<(), String> {
    let reason = |error: sqlx::Error| open_reason(&error).into_owned();
    refuse_foreign(reader).await?;
    let known = MIGRATIONS.last().map_or(0, |(version, ..)| *version);
    let found: Option<i64> = sqlx::query_scalar("select max(version) from _sqlx_migrations").fetch_one(reader).await.map_err(reason)?;
    match found {
        Some(found) if found == known => Ok(()),
        Some(found) if found > known => Err(format!("it was written by a newer version of Signalbox (schema {found})")),
        _ => Err("it was written by an older version of Signalbox; start the server once to bring it up to date".to_owned()),
    }
}

fn migrator() -> Migrator {
    let migration = |(version, what, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, what.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.into_iter().map(migration).collect())
}

fn migrate_reason(error: &MigrateError) -> String {
    match error {
        MigrateError::VersionMissing(version) => format!("it was written by a newer version of Signalbox (schema {version})"),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => open_reason(error).into_owned(),
        other => other.to_string(),
    }
}
