use std::borrow::Cow;

use crate::store::StoreError;

/// Primary result codes of SQLite that a caller can do something about (<https://www.sqlite.org/rescode.html>).
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READ_ONLY: i32 = 8;
const FULL: i32 = 13;
const CANNOT_OPEN: i32 = 14;
const NOT_A_DATABASE: i32 = 26;
/// Extended: there is no room for the index of the write-ahead log, a file beside the database that the first to open it makes.
const NO_ROOM_FOR_INDEX: i32 = 4_874;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match primary_code(&error) {
            Some(FULL) => Self::Full,
            Some(BUSY | LOCKED) => Self::Busy,
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// Why a database could not be opened, in words for whoever set the path.
pub(super) fn open_reason(error: &sqlx::Error) -> Cow<'static, str> {
    match primary_code(error) {
        Some(NOT_A_DATABASE) => "the file is no SQLite database".into(),
        Some(CANNOT_OPEN) => "it cannot be read or made; check the folder and its rights".into(),
        Some(READ_ONLY) => "it may not be written to; check its rights and those of its folder".into(),
        Some(BUSY | LOCKED) => "it is locked by another program".into(),
        Some(FULL) => "the disk is full".into(),
        _ => error.to_string().into(),
    }
}

/// SQLite's result code without its extension, which says something else only where the disk is full.
fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(if code == NO_ROOM_FOR_INDEX { FULL } else { code & 0xff })
}
