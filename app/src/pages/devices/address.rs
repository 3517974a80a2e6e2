//! The address of the page of devices: `/devices?q=lamp&status=offline&area=hall&convention=Tasmota&sort=-seen&cursor=…&topic=greenhouse/1/&topics=greenhouse/%23`.

use leptos_router::params::ParamsMap;

use crate::devices::{DevicesRequest, TopicsRequest};

/// Which devices an address asks for.
pub(super) fn read_list(query: &ParamsMap) -> DevicesRequest {
    let text = |key| query.get(key).unwrap_or_default();
    DevicesRequest {
        q: text("q"),
        status: text("status"),
        area: text("area"),
        convention: text("convention"),
        sort: text("sort"),
        cursor: text("cursor"),
        done: text("done"),
        dry: query.get_all("dry").unwrap_or_default().into_iter().filter(|id| !id.is_empty()).collect(),
    }
}

/// Which topics an address asks for.
pub(super) fn read_topics(query: &ParamsMap) -> TopicsRequest {
    let text = |key| query.get(key).unwrap_or_default();
    TopicsRequest { topic: text("topic"), filter: text("topics"), done: text("sent") }
}

/// The address that asks for both; what became of forms is no part of it.
pub(super) fn write(list: &DevicesRequest, topics: &TopicsRequest) -> String {
    let mut query = ParamsMap::new();
    for (key, value) in [
        ("q", &list.q),
        ("status", &list.status),
        ("area", &list.area),
        ("convention", &list.convention),
        ("sort", &list.sort),
        ("cursor", &list.cursor),
        ("topic", &topics.topic),
        ("topics", &topics.filter),
    ] {
        if !value.is_empty() {
            query.insert(key, value.clone());
        }
    }
    ["/devices", &query.to_query_string()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_it_was_made_of() {
        let list = DevicesRequest {
            q: "lamp & <b>?#".into(),
            status: "offline".into(),
            area: "hall".into(),
            convention: "Zigbee2MQTT / é".into(),
            sort: "-seen".into(),
            cursor: "a_b-c".into(),
            done: String::new(),
            dry: vec![],
        };
        let topics = TopicsRequest { topic: "greenhouse/1//+é".into(), filter: "a/#".into(), done: String::new() };
        let address = write(&list, &topics);
        assert!(!address.contains(['<', ' ', '#', '+']), "{address}");
        let mut query = ParamsMap::new();
        for pair in address.split_once('?').expect("a query").1.split('&') {
            let (key, value) = pair.split_once('=').expect("a pair");
            query.insert(key.to_owned(), leptos_router::location::Url::unescape(value));
        }
        assert_eq!((read_list(&query), read_topics(&query)), (list, topics));
        assert_eq!(write(&DevicesRequest::default(), &TopicsRequest::default()), "/devices");
    }
}
