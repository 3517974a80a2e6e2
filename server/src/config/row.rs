//! One block of the file, read field by field.

use std::path::PathBuf;

use domain::topic::TopicFilter;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::{Source, in_order, integer};
use super::key::best;
use super::value::{is_name, shown};
use super::{Block, ConfigError};

/// One block of the file.
pub(super) struct Row<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) block: &'static Block,
    pub(super) table: &'a DeTable<'a>,
    pub(super) span: std::ops::Range<usize>,
    /// As an error names it: `[[rule]] "too-hot"`.
    pub(super) label: String,
}

impl<'a> Row<'a> {
    /// `None` when the value is no table.
    pub(super) fn new(source: &'a Source<'a>, block: &'static Block, value: &'a Spanned<DeValue<'a>>) -> Option<Self> {
        let table = value.get_ref().as_table()?;
        let id = table.get(block.fields[0].name).and_then(|id| id.get_ref().as_str());
        let label = id.map_or_else(|| format!("[[{}]]", block.name), |id| format!("[[{}]] \"{}\"", block.name, shown(id)));
        Some(Self { source, block, table, span: value.span(), label })
    }

    /// Refuses fields that are unknown or of a later release.
    pub(super) fn check_names(&self) -> Result<(), ConfigError> {
        for (name, _) in in_order(self.table) {
            let origin = self.source.origin(&name.span());
            let field = self.block.fields.iter().find(|field| field.name == name.get_ref());
            match field {
                None => {
                    let known = self.block.fields.iter().filter(|field| !field.not_yet);
                    let nearest = best(known, name.get_ref(), |field| field.name).expect("a block has fields").name.to_owned();
                    return Err(ConfigError::UnknownKey { origin, key: format!("{} of {}", shown(name.get_ref()), self.label), nearest });
                }
                Some(field) if field.not_yet => {
                    let key = format!("{} of {}", field.name, self.label);
                    return Err(ConfigError::NotYet { origin, key, instead: "leave it out" });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// A field, read by `parse`.
    pub(super) fn get<T>(&self, field: &'static str, parse: impl Fn(&DeValue<'_>) -> Option<T>) -> Result<Option<T>, ConfigError> {
        self.table.get(field).map(|value| parse(value.get_ref()).ok_or_else(|| self.bad(field, value))).transpose()
    }

    /// A field that must be there.
    pub(super) fn need<T>(&self, field: &'static str, parse: impl Fn(&DeValue<'_>) -> Option<T>) -> Result<T, ConfigError> {
        self.get(field, parse)?.ok_or_else(|| self.missing(field))
    }

    /// Where the block begins, and which it is.
    pub(super) fn place(&self) -> String {
        format!("{}: {}", self.source.origin(&self.span), self.label)
    }

    fn expected(&self, field: &str) -> &'static str {
        self.block.fields.iter().find(|known| known.name == field).map_or("another value", |known| known.expected)
    }

    pub(super) fn missing(&self, field: &'static str) -> ConfigError {
        ConfigError::Missing { origin: self.source.origin(&self.span), block: self.label.clone(), field, expected: self.expected(field) }
    }

    pub(super) fn bad(&self, field: &'static str, value: &Spanned<DeValue<'_>>) -> ConfigError {
        let value_shown = if field == "password" { "what it is".to_owned() } else { self.source.shown(&value.span()) };
        ConfigError::BadValue {
            origin: self.source.origin(&value.span()),
            key: format!("{field} of {}", self.label),
            value: value_shown,
            expected: self.expected(field),
        }
    }
}

pub(super) fn text(value: &DeValue<'_>) -> Option<String> {
    value.as_str().map(ToOwned::to_owned)
}

pub(super) fn yes(value: &DeValue<'_>) -> Option<bool> {
    value.as_bool()
}

pub(super) fn name(value: &DeValue<'_>) -> Option<String> {
    text(value).filter(|name| is_name(name))
}

pub(super) fn icon(value: &DeValue<'_>) -> Option<String> {
    text(value).filter(|icon| is_plain(icon, 40, "-") && !icon.contains(|c: char| c.is_ascii_uppercase()))
}

pub(super) fn file(value: &DeValue<'_>) -> Option<PathBuf> {
    text(value).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Letters, digits and what `more` lists; not empty, at most `longest` characters.
pub(super) fn is_plain(text: &str, longest: usize, more: &str) -> bool {
    !text.is_empty() && text.len() <= longest && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

/// A finite number, with or without a point.
pub(super) fn number(value: &DeValue<'_>) -> Option<f64> {
    let text = match value {
        // Written in another radix it is no measure of anything.
        DeValue::Integer(n) if n.radix() == 10 => n.as_str(),
        DeValue::Float(n) => n.as_str(),
        _ => return None,
    };
    text.parse().ok().filter(|n: &f64| n.is_finite())
}

pub(super) fn whole<T: TryFrom<i64>>(value: &DeValue<'_>, min: i64, max: i64) -> Option<T> {
    let n = integer(value.as_integer()?)?;
    if (min..=max).contains(&n) { T::try_from(n).ok() } else { None }
}

pub(super) fn filters(value: &DeValue<'_>) -> Option<Vec<TopicFilter>> {
    let list = value.as_array()?;
    let filters: Option<Vec<_>> = list.iter().map(|item| TopicFilter::parse(item.get_ref().as_str()?).ok()).collect();
    filters.filter(|filters| !filters.is_empty())
}
