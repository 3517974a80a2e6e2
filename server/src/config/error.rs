//! Why a configuration is refused, and where the text that is to blame stands.

use std::fmt;
use std::path::PathBuf;

/// Why a configuration is refused. Each message stands alone and names the key, its place and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Unreadable {
        /// As it was asked for.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{origin}: {reason}")]
    Syntax {
        /// The line.
        origin: Origin,
        /// What the parser says.
        reason: String,
    },
    /// No such key, or no such field of a block.
    #[error("{origin}: unknown key {key}, the nearest known key is {nearest}")]
    UnknownKey {
        /// Where it stands.
        origin: Origin,
        /// The key as it was written.
        key: String,
        /// What was probably meant.
        nearest: String,
    },
    /// A variable `SIGNALBOX_…` that names no key.
    #[error("unknown environment variable {name}, the nearest known key is {key} ({variable})")]
    UnknownVariable {
        /// The variable.
        name: String,
        /// What was probably meant, as the file writes it.
        key: &'static str,
        /// The same as a variable.
        variable: String,
    },
    /// The value has the wrong type or cannot be read.
    #[error("{origin}: {key} cannot be {value}, expected {expected}")]
    BadValue {
        /// Where it stands.
        origin: Origin,
        /// The key.
        key: String,
        /// The value as it was written, without passwords.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A block lacks a field.
    #[error("{origin}: {field} of {block} is missing, expected {expected}")]
    Missing {
        /// Where the block begins.
        origin: Origin,
        /// The block, with its name as far as it is known.
        block: String,
        /// The field.
        field: &'static str,
        /// What would be right.
        expected: &'static str,
    },
    /// Two blocks with one id.
    #[error("{origin}: there is another {block}")]
    Duplicate {
        /// Where the second block begins.
        origin: Origin,
        /// The block with its id.
        block: String,
    },
    /// A promise of a later release.
    #[error("{origin}: {key} is not possible yet in this release: {instead}")]
    NotYet {
        /// Where it stands.
        origin: Origin,
        /// The key.
        key: String,
        /// What to do until then.
        instead: &'static str,
    },
    /// Values that are right alone and wrong together.
    #[error("{0}")]
    Conflict(String),
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the file.
    File {
        /// The file as it was asked for.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}
