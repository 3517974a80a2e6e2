use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// A digest over the inputs of a step.
pub(crate) struct Fingerprint(Sha256);

impl Fingerprint {
    /// A digest over files and folders (with all that is in them), by name and content. What is missing counts as empty.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(crate) fn of(root: &Path, inputs: &[&str]) -> Result<Self> {
        let mut digest = Sha256::new();
        for input in inputs {
            for file in files_below(&root.join(input))? {
                let content = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
                let name = file.strip_prefix(root).unwrap_or(&file).as_os_str().as_encoded_bytes();
                digest.update(name.len().to_le_bytes());
                digest.update(name);
                digest.update(content.len().to_le_bytes());
                digest.update(content);
            }
        }
        Ok(Self(digest))
    }

    /// Adds something that is no file: a tool's path, a setting.
    pub(crate) fn and(mut self, more: &str) -> Self {
        self.0.update(more.len().to_le_bytes());
        self.0.update(more);
        self
    }

    /// Lower-case hexadecimal.
    pub(crate) fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// Whether `folder` is what the step made of the same inputs: the note that [`remember`] left says so.
pub(crate) fn is_current(folder: &Path, fingerprint: &str) -> bool {
    folder.is_dir() && fs::read_to_string(note(folder)).is_ok_and(|noted| noted == fingerprint)
}

/// Forgets what `folder` was made of: before the step changes it, so that a step cut short is done again.
///
/// # Errors
/// When the note cannot be removed.
pub(crate) fn forget(folder: &Path) -> Result<()> {
    match fs::remove_file(note(folder)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).with_context(|| format!("cannot remove {}", note(folder).display())),
        _ => Ok(()),
    }
}

/// Notes what `folder` was made of.
///
/// # Errors
/// When the note cannot be written.
pub(crate) fn remember(folder: &Path, fingerprint: &str) -> Result<()> {
    fs::write(note(folder), fingerprint).with_context(|| format!("cannot write {}", note(folder).display()))
}

/// All files in and below `path`, sorted; `path` itself when it is a file; none when there is no such thing.
///
/// # Errors
/// When a folder cannot be read.
pub(crate) fn files_below(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path).with_context(|| format!("cannot read the folder {}", path.display()))? {
            files.append(&mut files_below(&entry?.path())?);
        }
        files.sort();
    }
    Ok(files)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

/// Beside the folder, for in it lies only what the step made.
fn note(folder: &Path) -> PathBuf {
    folder.with_extension("made-of")
}

/// An empty folder for a test. One of our own: a crate for it would have all that xtask depends on built a second time.
#[cfg(test)]
pub(crate) fn test_folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("signalbox-xtask-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).expect("the system's folder for such things is writable");
    folder
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(root: &Path) -> String {
        Fingerprint::of(root, &["src", "missing"]).unwrap().finish()
    }

    #[test]
    fn a_fingerprint_tells_content_names_and_extras_apart() {
        let root = &test_folder("fingerprint");
        fs::create_dir_all(root.join("src/deep")).unwrap();
        fs::write(root.join("src/deep/a"), "one").unwrap();
        let first = of(root);
        assert_eq!(first, of(root));
        assert_ne!(first, Fingerprint::of(root, &["src"]).unwrap().and("wasm-opt").finish());

        fs::write(root.join("src/deep/a"), "two").unwrap();
        let changed = of(root);
        assert_ne!(first, changed);

        fs::rename(root.join("src/deep/a"), root.join("src/deep/b")).unwrap();
        assert_ne!(changed, of(root));
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_folder_is_current_until_its_inputs_change_or_it_is_forgotten() {
        let root = test_folder("current");
        let made = root.join("made");
        fs::create_dir_all(&made).unwrap();
        assert!(!is_current(&made, "a"));
        remember(&made, "a").unwrap();
        assert!(is_current(&made, "a"));
        assert!(!is_current(&made, "b"));
        forget(&made).unwrap();
        forget(&made).unwrap();
        assert!(!is_current(&made, "a"));
        fs::remove_dir_all(root).unwrap();
    }
}
