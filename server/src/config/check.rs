//! What is right alone and wrong together: who could reach the server, and what a demo must not do.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::value::is_loopback;
use super::{Config, ConfigError, Embedded, Mode, Origin};

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
