//! One program at a time writes to a database.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::store::StoreError;

/// Says that the database is in this program's hands, for as long as it is held. It is a lock of the operating system on a file beside the database:
/// it goes with the program, however that ends.
#[derive(Debug)]
pub struct Alone {
    /// `None` where the file system has no locks, or no room for the file: nobody is kept out by that.
    _file: Option<File>,
}

impl Alone {
    /// Takes the database at `path` into this program's hands. The folder is there.
    ///
    /// # Errors
    /// [`StoreError::Open`] where another program has it.
    pub fn take(path: &Path) -> Result<Self, StoreError> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".lock");
        let beside = Path::new(&beside);
        let file = match OpenOptions::new().create(true).truncate(false).write(true).open(beside) {
            Ok(file) => file,
            Err(error) => {
                tracing::warn!(%error, path = %beside.display(), "Nothing keeps another program from writing to the database as well");
                return Ok(Self { _file: None });
            }
        };
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => {
                Err(StoreError::Open { path: path.display().to_string(), reason: "another signalbox writes to it".to_owned() })
            }
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, path = %beside.display(), "Nothing keeps another program from writing to the database as well");
                Ok(Self { _file: None })
            }
        }
    }
}
