//! The file: TOML with the place of every key and value, so that an error names the line.

use std::borrow::Cow;
use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::key::{Shape, best, nearest};
use super::value::shown;
use super::{BLOCKS, ConfigError, KEYS, Key, Loading, Origin, block};

/// A file that was read.
pub(super) struct Source<'a> {
    /// As it was asked for.
    pub(super) path: PathBuf,
    /// What it holds.
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// The line on which a part of the text begins.
    pub(super) fn origin(&self, span: &Range<usize>) -> Origin {
        let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
        Origin::File { path: self.path.clone(), line: before.iter().filter(|&&b| b == b'\n').count() + 1 }
    }

    /// A part of the text as an error repeats it: its first line, without passwords.
    pub(super) fn shown(&self, span: &Range<usize>) -> String {
        let text = self.text.get(span.clone()).unwrap_or_default();
        shown(text.lines().next().unwrap_or_default())
    }
}

/// Reads a file into the configuration.
pub(super) fn read(source: &Source<'_>, loading: &mut Loading) -> Result<(), ConfigError> {
    let document = DeTable::parse(source.text)
        .map_err(|e| ConfigError::Syntax { origin: source.origin(&e.span().unwrap_or_default()), reason: shown(e.message()) })?;
    for (name, value) in in_order(document.get_ref()) {
        if let Some(block) = BLOCKS.iter().find(|block| block.name == name.get_ref()) {
            block::read(source, block, value, &mut loading.config)?;
        } else if let DeValue::Table(section) = value.get_ref()
            && !KEYS.iter().any(|key| key.name == name.get_ref())
        {
            for (inner, value) in in_order(section) {
                scalar(source, &format!("{}.{}", name.get_ref(), inner.get_ref()), inner.span(), value, loading)?;
            }
        } else {
            scalar(source, name.get_ref(), name.span(), value, loading)?;
        }
    }
    Ok(())
}

/// The entries of a table as they stand in the file, so that the first error told is the first in the file.
pub(super) fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(&'a Spanned<Cow<'i, str>>, &'a Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

fn scalar(source: &Source<'_>, name: &str, at: Range<usize>, value: &Spanned<DeValue<'_>>, loading: &mut Loading) -> Result<(), ConfigError> {
    let Some(key) = KEYS.iter().find(|key| key.name == name) else {
        // `[[rules]]` was probably meant to be a block, anything else a key.
        let is_block = matches!(value.get_ref(), DeValue::Array(_));
        let block = best(BLOCKS.iter(), name, |block| block.name).filter(|_| is_block);
        let nearest = block.map_or_else(|| nearest(name).name.to_owned(), |block| format!("[[{}]]", block.name));
        return Err(ConfigError::UnknownKey { origin: source.origin(&at), key: shown(name), nearest });
    };
    let origin = source.origin(&at);
    let written = source.shown(&value.span());
    match text_of(key, value.get_ref()) {
        Some(text) => loading.set(key, &text, &written, origin),
        None => Err(ConfigError::BadValue { origin, key: name.to_owned(), value: written, expected: key.expected }),
    }
}

/// The value as environment and flags would write it; `None` when it has the wrong type.
fn text_of<'a>(key: &Key, value: &'a DeValue<'_>) -> Option<Cow<'a, str>> {
    match (key.shape, value) {
        (Shape::Text, DeValue::String(text)) => Some(Cow::Borrowed(text)),
        (Shape::Integer, DeValue::Integer(n)) => integer(n).map(|n| Cow::Owned(n.to_string())),
        (Shape::Number, DeValue::Integer(n)) => integer(n).map(|n| Cow::Owned(n.to_string())),
        (Shape::Number, DeValue::Float(n)) => Some(Cow::Borrowed(n.as_str())),
        (Shape::Bool, DeValue::Boolean(yes)) => Some(Cow::Borrowed(if *yes { "true" } else { "false" })),
        _ => None,
    }
}

/// A whole number as TOML writes it.
pub(super) fn integer(n: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(n.as_str(), n.radix()).ok()
}
