//! The folder that holds the broker's state.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::BrokerError;

/// Creates the folder if need be and makes sure that it can be read and written and that nobody else works on it.
///
/// The broker itself would take an unreadable folder for an empty one and start without its sessions.
///
/// # Errors
/// When any of that fails; the error names the folder.
pub(super) async fn prepare(path: PathBuf) -> Result<PathBuf, BrokerError> {
    let folder = path.clone();
    tokio::task::spawn_blocking(move || check(&folder).map(|()| folder))
        .await
        .unwrap_or_else(|e| Err(BrokerError::Folder { path, reason: io::Error::other(e) }))
}

fn check(folder: &Path) -> Result<(), BrokerError> {
    fs::create_dir_all(folder).map_err(|e| unusable(folder, e))?;
    for entry in fs::read_dir(folder).map_err(|e| unusable(folder, e))? {
        let entry = entry.map_err(|e| unusable(folder, e))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            writable(&entry.path())?;
        }
    }
    writable(folder)?;
    lockable(folder)
}

fn writable(folder: &Path) -> Result<(), BrokerError> {
    let probe = folder.join(".writable");
    fs::read_dir(folder).and_then(|_| File::create(&probe)).and_then(|_| fs::remove_file(&probe)).map_err(|e| unusable(folder, e))
}

/// Takes the lock the broker is about to take: its own message for a lock that is held says nothing about processes.
fn lockable(folder: &Path) -> Result<(), BrokerError> {
    let lock = File::options().create(true).truncate(false).write(true).open(folder.join(".lock")).map_err(|e| unusable(folder, e))?;
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => Err(BrokerError::FolderInUse { path: folder.to_owned() }),
        // A file system without locks must not keep the broker from starting.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

fn unusable(folder: &Path, reason: io::Error) -> BrokerError {
    BrokerError::Folder { path: folder.to_owned(), reason }
}
