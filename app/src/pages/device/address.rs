//! Addresses of and around the page of a device.

use domain::device::DeviceId;
use leptos_router::params::ParamsMap;

/// The page with something open: `name`, `area`, `merge`, `remove`, or an entity id. Ids need no escaping.
#[must_use]
pub(super) fn edit(device: &DeviceId, what: &str) -> String {
    ["/devices/", device.as_str(), "?edit=", what].concat()
}

/// The page with the way of an entity's messages.
#[must_use]
pub(super) fn why(device: &DeviceId, entity: &str) -> String {
    ["/devices/", device.as_str(), "?why=", entity, "#why"].concat()
}

/// The topic explorer at a topic, which is a stranger's text.
#[must_use]
pub(super) fn topic(topic: &str) -> String {
    let mut query = ParamsMap::new();
    query.insert("topic", topic.to_owned());
    ["/devices", &query.to_query_string()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_stays_inside_its_field() {
        let address = topic("a/<b>&edit=x#é?");
        assert!(address.starts_with("/devices?topic=") && !address[15..].contains(['<', '&', '#', '?', '=']), "{address}");
    }
}
