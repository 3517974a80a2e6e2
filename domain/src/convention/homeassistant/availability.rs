//! Where it is said whether an entity is there.

use serde_json::Value as Json;

use super::abbreviations::long;
use super::config::Config;
use crate::convention::speech::{Presence, PresenceMode, Speech};

/// Most places of one entity.
const MOST_PLACES: usize = 16;

/// Writes into a speech who says that it is there: a list of places, or a single one.
pub(super) fn add(speech: &mut Speech, config: &Config<'_>, prefix: &str) -> Result<(), String> {
    speech.presence_mode = match config.text("availability_mode").as_deref() {
        Some("all") => PresenceMode::All,
        Some("any") => PresenceMode::Any,
        _ => PresenceMode::Latest,
    };
    match config.get("availability") {
        Some(Json::Array(places)) => {
            for place in places.iter().take(MOST_PLACES).filter_map(Json::as_object) {
                let place = Config::new(place, long, Some(config), prefix);
                speech.presence.extend(presence(&place, "topic", "value_template")?);
            }
        }
        Some(Json::Object(place)) => {
            let place = Config::new(place, long, Some(config), prefix);
            speech.presence.extend(presence(&place, "topic", "value_template")?);
        }
        _ => speech.presence.extend(presence(config, "availability_topic", "availability_template")?),
    }
    Ok(())
}

fn presence(place: &Config<'_>, topic: &str, template: &str) -> Result<Option<Presence>, String> {
    let Some(topic) = place.topic(topic)? else { return Ok(None) };
    let word = |key: &str, default: &str| place.payload(key, default).map(|word| word.unwrap_or_else(|| default.into()));
    Ok(Some(Presence {
        topic,
        extract: place.extract(template)?,
        online: word("payload_available", "online")?,
        offline: word("payload_not_available", "offline")?,
    }))
}
