//! Small files that a power cut must not take.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file as a whole: after a power cut it is what it was before, or what was written, and once this returns it is what was written.
///
/// # Errors
/// When the folder cannot be written to; the file is what it was before then.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let next = path.with_extension("new");
    let mut file = File::create(&next)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&next, path)?;
    // The name is in the folder, which is a file too. Elsewhere than on Unix a folder cannot be opened as one.
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client-id");
        write(&path, b"signalbox-1").unwrap();
        write(&path, b"signalbox-22").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"signalbox-22");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write(&folder.path().join("missing").join("file"), b"").is_err());
    }
}
