//! What is right alone and wrong together: who could reach the server, and what a demo must not do.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use domain::device::AreaId;
use domain::entity::EntityId;

use super::value::is_loopback;
use super::{Config, ConfigError, Embedded, Mode, Origin};
use crate::store::retention::Class;

/// Refuses what would open the server to strangers unasked, and what does not belong into a demo.
pub(super) fn check(config: &Config, mode: Mode, origins: &BTreeMap<&'static str, Origin>) -> Result<(), ConfigError> {
    let told = |key: &str| format!("{key} ({})", origins.get(key).unwrap_or(&Origin::Default));
    let conflict = |message: String| Err(ConfigError::Conflict(message));
    if mode == Mode::Demo {
        if let Some((key, address)) = listeners(config).find(|&(_, address)| !is_loopback(address)) {
            return conflict(format!("{}: a demo listens on loopback only, not on {address}; use `signalbox serve`", told(key)));
        }
        if config.broker.embedded == Embedded::Off {
            return conflict(format!("{}: a demo needs the embedded broker; use `signalbox serve`", told("broker.embedded")));
        }
        if let Some(broker) = config.mqtt.first() {
            return conflict(format!("[[mqtt]] \"{}\": a demo connects to no other broker than its own; use `signalbox serve`", broker.name));
        }
    }
    if let Some(words) = config.retention.class.contradiction() {
        return conflict(format!("{}: {words}", told("retention.rollup_days")));
    }
    if let Some(words) = retention_conflict(config, origins) {
        return conflict(words);
    }
    let location = &config.location;
    for (set, of, other) in [
        (location.latitude.is_some(), "location.latitude", "location.longitude"),
        (location.longitude.is_some(), "location.longitude", "location.latitude"),
    ] {
        if set && (location.latitude.is_none() || location.longitude.is_none()) {
            return conflict(format!("{}: {other} is needed too", told(of)));
        }
    }
    if let Some(words) = link_conflict(config) {
        return conflict(words);
    }
    let public = listeners(config).filter(|&(_, address)| !is_loopback(address));
    for (key, address) in public {
        if key != "http.listen" {
            return conflict(format!(
                "{}: the embedded broker asks no client for a password yet, so it listens on loopback only, not on {address}; for devices on the \
                 network run a broker of your own and name it in [[mqtt]]",
                told(key)
            ));
        }
        if let Some(role) = config.auth.anonymous
            && !config.auth.allow_public_anonymous
        {
            return conflict(format!(
                "{}: others can reach {address} and every visitor would be {}; set auth.allow_public_anonymous = true if that is meant",
                told(key),
                role.as_str()
            ));
        }
    }
    Ok(())
}

/// An entity whose broker is none, or could be any.
fn link_conflict(config: &Config) -> Option<String> {
    let links = config.links();
    config.declared.iter().find_map(|(id, declared)| match &declared.link {
        Some(link) if !links.contains(link) => {
            Some(format!("link of [[entity]] \"{id}\" is \"{link}\", which is no broker; there is {}", links.join(", ")))
        }
        None if links.len() > 1 => Some(format!("link of [[entity]] \"{id}\" is missing: there are several brokers, {}", links.join(", "))),
        _ => None,
    })
}

/// What an area or an entity says that cannot be together with what is said for it elsewhere, in words that name both.
fn retention_conflict(config: &Config, origins: &BTreeMap<&'static str, Origin>) -> Option<String> {
    let retention = &config.retention;
    let all = |key: &'static str, days: Option<u32>| days.map(|days| (format!("{key} ({})", origins.get(key).unwrap_or(&Origin::Default)), days));
    let all = [all("retention.raw_days", retention.class.raw_days), all("retention.rollup_days", retention.class.rollup_days)];
    let own = |place: &str, class: Class| {
        [("raw_days", class.raw_days), ("rollup_days", class.rollup_days)].map(|(key, days)| Some((format!("{key} of {place}"), days?)))
    };
    let or = |[raw, rollup]: Said, [other_raw, other_rollup]: Said| [raw.or(other_raw), rollup.or(other_rollup)];
    let area = |id: &AreaId, class: Class| or(own(&format!("[[area]] \"{id}\""), class), all.clone());
    let area_of = |id: &EntityId| {
        let placed = config.entities.iter().find(|(entity, _)| entity == id)?.1.area.as_ref()?;
        let (id, class) = retention.areas.iter().find(|(area, _)| area == placed)?;
        Some(area(id, *class))
    };
    let entity = |id: &EntityId, class: Class| or(own(&format!("[[entity]] \"{id}\""), class), area_of(id).unwrap_or_else(|| all.clone()));
    let areas = retention.areas.iter().map(|(id, class)| area(id, *class));
    let entities = retention.entities.iter().map(|(id, class)| entity(id, *class));
    areas.chain(entities).find_map(|[raw, rollup]| {
        let ((raw_key, raw), (rollup_key, rollup)) = raw.zip(rollup)?;
        (rollup < raw).then(|| format!("{rollup_key} is {rollup}, which is less than {raw_key}, {raw}: sums are kept no shorter than readings"))
    })
}

/// Days that readings and sums are kept, each with the key that says so.
type Said = [Option<(String, u32)>; 2];

/// Everything the server would listen on, by its key.
fn listeners(config: &Config) -> impl Iterator<Item = (&'static str, SocketAddr)> {
    let broker = config.runs_embedded_broker();
    [
        Some(("http.listen", config.http.listen)),
        broker.then_some(("broker.listen", config.broker.listen)),
        config.broker.websocket_listen.filter(|_| broker).map(|address| ("broker.websocket_listen", address)),
    ]
    .into_iter()
    .flatten()
}
