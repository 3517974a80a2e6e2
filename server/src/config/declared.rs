//! What an `[[entity]]` says of something that can be set: its kind, its topics, its range.

use domain::control::Control;
use domain::device::clean_text;
use domain::entity::EntityKind;
use domain::fleet::Declared;
use domain::topic::check_topic;
use toml::de::DeValue;

use super::ConfigError;
use super::row::{Row, number, text};

/// Words of a select at most.
const MOST_OPTIONS: usize = 100;
/// Longest word or payload, in characters.
const MAX_TEXT_CHARS: usize = 255;

/// The fields that need others, and the kinds that have them.
const FIELDS: [(&str, &[EntityKind]); 7] = [
    ("min", &[EntityKind::Number, EntityKind::Climate]),
    ("max", &[EntityKind::Number, EntityKind::Climate]),
    ("step", &[EntityKind::Number, EntityKind::Climate]),
    ("options", &[EntityKind::Select, EntityKind::Climate]),
    ("payload_press", &[EntityKind::Button]),
    ("position_command_topic", &[EntityKind::Cover]),
    (
        "state_topic",
        &[
            EntityKind::Light,
            EntityKind::Switch,
            EntityKind::Number,
            EntityKind::Select,
            EntityKind::Text,
            EntityKind::Cover,
            EntityKind::Climate,
            EntityKind::Fan,
        ],
    ),
];

/// Reads it; `None` where nothing of the kind is said.
pub(super) fn read(row: &Row<'_>) -> Result<Option<Declared>, ConfigError> {
    let conflict = |words: String| Err(ConfigError::Conflict(format!("{}: {words}", row.place())));
    let Some(kind) = row.get("kind", kind)? else {
        let alone = FIELDS.iter().map(|(field, _)| *field).chain(["command_topic", "link"]).find(|field| row.table.contains_key(*field));
        return match alone {
            Some(field) => conflict(format!("{field} needs a kind beside it")),
            None => Ok(None),
        };
    };
    if let Some((field, _)) = FIELDS.iter().find(|(field, kinds)| row.table.contains_key(*field) && !kinds.contains(&kind)) {
        return conflict(format!("a {} has no {field}", kind.as_str()));
    }
    let declared = Declared {
        kind,
        command_topic: row.need("command_topic", topic)?,
        state_topic: row.get("state_topic", topic)?,
        link: row.get("link", text)?,
        control: Control {
            min: row.get("min", number)?,
            max: row.get("max", number)?,
            step: row.get("step", |value| number(value).filter(|&step| step > 0.0))?,
            options: row.get("options", options)?.unwrap_or_default(),
            payload_press: row.get("payload_press", |value| text(value).filter(|text| text.chars().count() <= MAX_TEXT_CHARS))?,
            position_command_topic: row.get("position_command_topic", topic)?,
            is_declared: true,
        },
    };
    if declared.control.min.zip(declared.control.max).is_some_and(|(min, max)| min >= max) {
        return conflict("min must be less than max".to_owned());
    }
    if declared.state_topic.as_ref() == Some(&declared.command_topic) {
        return conflict("state_topic and command_topic are the same: a command would be taken for the device's word".to_owned());
    }
    Ok(Some(declared))
}

fn kind(value: &DeValue<'_>) -> Option<EntityKind> {
    use EntityKind::{Button, Climate, Cover, Fan, Light, Number, Select, Switch, Text};
    let word = value.as_str()?;
    [Light, Switch, Number, Select, Text, Button, Cover, Climate, Fan].into_iter().find(|kind| kind.as_str() == word)
}

fn topic(value: &DeValue<'_>) -> Option<String> {
    text(value).filter(|topic| check_topic(topic).is_ok() && !topic.starts_with('$'))
}

fn options(value: &DeValue<'_>) -> Option<Vec<String>> {
    let words: Option<Vec<String>> = value.as_array()?.iter().map(|item| text(item.get_ref()).filter(|word| is_word(word))).collect();
    words.filter(|words| {
        let mut sorted = words.clone();
        sorted.sort_unstable();
        sorted.dedup();
        sorted.len() == words.len() && (1..=MOST_OPTIONS).contains(&words.len())
    })
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && clean_text(word, MAX_TEXT_CHARS) == word
}
