//! The keys of a configuration: hostile JSON until it is read here. What is longer than anything that means well is refused, so that what is remembered
//! of an entity is bounded.

use serde_json::{Map as Object, Value as Json};

use crate::convention::payload::shown;
use crate::convention::speech::{Extract, Form, Map, Part, Read, Write, scalar_text};
use crate::convention::template::{MAX_TEMPLATE_BYTES, extract};
use crate::device::clean_text;
use crate::topic::{MAX_TOPIC_BYTES, check_topic};

/// Longest word that a device says or takes, in bytes.
const MAX_WORD_BYTES: usize = 1_024;
/// Most words of a list.
const MOST_WORDS: usize = 500;
/// Longest of them, in characters.
const MAX_OPTION_CHARS: usize = 255;

/// A configuration, or a part of one, with long keys.
#[derive(Clone, Debug)]
pub(super) struct Config<'a> {
    keys: Object<String, Json>,
    /// What `~` stands for.
    base: Option<String>,
    /// Where the configurations are: no entity may listen there.
    prefix: &'a str,
}

impl<'a> Config<'a> {
    /// Reads an object. `long` gives the long forms of its keys; `outer` is what it stands in.
    pub(super) fn new(object: &Object<String, Json>, long: fn(&str) -> &str, outer: Option<&Self>, prefix: &'a str) -> Self {
        let mut keys = Object::new();
        for (key, value) in object {
            let full = long(key);
            // Who writes both means the long one.
            if full == key || !object.contains_key(full) {
                keys.insert(full.to_owned(), value.clone());
            }
        }
        let own = keys.get("~").and_then(Json::as_str).map(str::to_owned);
        Self { keys, base: own.or_else(|| outer.and_then(|outer| outer.base.clone())), prefix }
    }

    /// What `~` stands for.
    pub(super) fn base(&self) -> Option<&str> {
        self.base.as_deref()
    }

    /// Takes a key of another configuration where this one does not have it.
    pub(super) fn share(&mut self, from: &Self, key: &str) {
        if let (false, Some(value)) = (self.keys.contains_key(key), from.keys.get(key)) {
            self.keys.insert(key.to_owned(), value.clone());
        }
    }

    /// Whether it says nothing but these.
    pub(super) fn has_only(&self, known: &[&str]) -> bool {
        self.keys.keys().all(|key| known.contains(&key.as_str()))
    }

    pub(super) fn get(&self, key: &str) -> Option<&Json> {
        self.keys.get(key).filter(|json| !json.is_null())
    }

    /// Whether it is there and says that there is nothing.
    pub(super) fn is_null(&self, key: &str) -> bool {
        self.keys.get(key).is_some_and(Json::is_null)
    }

    /// A text; numbers count as one.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.get(key).and_then(scalar_text).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    pub(super) fn number(&self, key: &str) -> Option<f64> {
        scalar_text(self.get(key)?)?.trim().parse().ok().filter(|n: &f64| n.is_finite())
    }

    pub(super) fn whole(&self, key: &str) -> Option<u32> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held within what fits")]
        self.number(key).filter(|n| (0.0..4e9).contains(n)).map(|n| n as u32)
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Json::Bool(flag) => Some(*flag),
            other => crate::convention::payload::yes_no(&scalar_text(other)?),
        }
    }

    /// A list of words.
    pub(super) fn words(&self, key: &str) -> Vec<String> {
        let list = self.get(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let words = list.iter().filter_map(scalar_text).map(|word| clean_text(&word, MAX_OPTION_CHARS));
        words.filter(|word| !word.is_empty()).take(MOST_WORDS).collect()
    }

    /// A word that a device says or takes: `default` where nothing is said of it, `None` where it says that there is none.
    pub(super) fn payload(&self, key: &str, default: &str) -> Result<Option<Json>, String> {
        if self.is_null(key) {
            return Ok(None);
        }
        let Some(json) = self.get(key) else { return Ok((!default.is_empty()).then(|| default.into())) };
        let word = match json {
            // As Python writes it, and so Home Assistant.
            Json::Bool(yes) => if *yes { "True" } else { "False" }.into(),
            other => scalar_text(other).map(Json::from).ok_or_else(|| format!("{key} is no text"))?,
        };
        if word.as_str().is_some_and(|word| word.len() > MAX_WORD_BYTES) {
            return Err(format!("{key} has more than {MAX_WORD_BYTES} bytes"));
        }
        Ok(Some(word))
    }

    /// Several words with what they are here; those that there are none of are left out.
    pub(super) fn payloads(&self, keys: &[(&str, &str, &str)]) -> Result<Vec<(String, Json)>, String> {
        let mut words = vec![];
        for (ours, key, default) in keys {
            words.extend(self.payload(key, default)?.map(|word| ((*ours).to_owned(), word)));
        }
        Ok(words)
    }

    /// The same the other way around.
    pub(super) fn states(&self, keys: &[(&str, &str, &str)]) -> Result<Map, String> {
        let words = self.payloads(keys)?.into_iter().map(|(ours, word)| (word, ours)).collect();
        Ok(Map::Words { words, others: false })
    }

    /// A topic, with what `~` stands for.
    pub(super) fn topic(&self, key: &str) -> Result<Option<String>, String> {
        let Some(text) = self.get(key) else { return Ok(None) };
        let text = text.as_str().ok_or_else(|| format!("{key} is no text"))?;
        let base = self.base.as_deref().unwrap_or("~");
        if base.len() + text.len() > 2 * MAX_TOPIC_BYTES {
            return Err(format!("{key} is too long for a topic"));
        }
        let mut topic = text.to_owned();
        if let Some(rest) = topic.strip_prefix('~') {
            topic = [base, rest].concat();
        }
        if let Some(rest) = topic.strip_suffix('~') {
            topic = [rest, base].concat();
        }
        check_topic(&topic).map_err(|error| format!("{key}: {error}"))?;
        if super::is_config(self.prefix, &topic) {
            return Err(format!("{key} \"{}\" points at a configuration", shown(&topic)));
        }
        Ok(Some(topic))
    }

    pub(super) fn needs_topic(&self, key: &str) -> Result<String, String> {
        self.topic(key)?.ok_or_else(|| format!("{key} is missing"))
    }

    pub(super) fn template(&self, key: &str) -> Result<Option<&str>, String> {
        let Some(template) = self.get(key) else { return Ok(None) };
        let template = template.as_str().ok_or_else(|| format!("{key} is no text"))?;
        if template.len() > MAX_TEMPLATE_BYTES {
            return Err(format!("{key} has more than {MAX_TEMPLATE_BYTES} bytes"));
        }
        Ok((!template.is_empty()).then_some(template))
    }

    pub(super) fn extract(&self, key: &str) -> Result<Extract, String> {
        Ok(self.template(key)?.map(extract).unwrap_or_default())
    }

    /// Where a part is read, if anywhere.
    pub(super) fn read(&self, topic: &str, template: &str, part: Part, map: Map) -> Result<Option<Read>, String> {
        let Some(topic) = self.topic(topic)? else { return Ok(None) };
        Ok(Some(Read { topic, part, extract: self.extract(template)?, map }))
    }

    /// Where a part is written, if anywhere.
    pub(super) fn write(&self, topic: &str, template: &str, part: Part, form: Form) -> Result<Option<Write>, String> {
        let Some(topic) = self.topic(topic)? else { return Ok(None) };
        let form = match self.template(template)? {
            Some(template) => Form::Made { template: template.to_owned(), form: Box::new(form) },
            None => form,
        };
        Ok(Some(Write { topic, part, form, only_alone: false }))
    }
}
