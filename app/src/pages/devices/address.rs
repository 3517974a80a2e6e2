//! The address of the page of devices: `/devices?q=lamp&status=offline&area=hall&convention=Tasmota&sort=-seen&cursor=…&topic=greenhouse/1/&topics=greenhouse/%23`.

use leptos_router::params::ParamsMap;

use leptos::prelude::*;

use crate::devices::{DevicesRequest, TopicsRequest};
use crate::erase::Erase as _;
use crate::patterns::PatternsRequest;

/// What an address says of devices and topics.
pub(super) const KEYS: [&str; 8] = ["q", "status", "area", "convention", "sort", "cursor", "topic", "topics"];

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

/// Which topic patterns an address asks for: `patterns` shows them and stands once for each that is written, `draft=1` says that those are all.
pub(super) fn read_patterns(query: &ParamsMap) -> PatternsRequest {
    let text = |key| query.get(key).unwrap_or_default();
    let texts = query.get_all("patterns");
    PatternsRequest {
        is_open: texts.is_some(),
        is_draft: text("draft") == "1",
        texts: texts.unwrap_or_default().into_iter().filter(|text| !text.trim().is_empty()).collect(),
        act: text("do"),
        find: text("find"),
        done: text("saved"),
    }
}

/// The address that asks for both; what became of forms is no part of it.
pub(super) fn write(list: &DevicesRequest, topics: &TopicsRequest) -> String {
    to(&query(list, topics))
}

/// The same beside the topic patterns, with one that is to be added to them where `text` is one.
pub(super) fn with_patterns(list: &DevicesRequest, topics: &TopicsRequest, text: &str) -> String {
    let mut query = query(list, topics);
    query.insert("patterns", text.to_owned());
    to(&query)
}

/// The same beside a list of patterns that is previewed.
pub(super) fn with_draft<'a>(list: &DevicesRequest, topics: &TopicsRequest, texts: impl Iterator<Item = &'a String>) -> String {
    let mut query = query(list, topics);
    query.insert("patterns", String::new());
    texts.for_each(|text| query.insert("patterns", text.clone()));
    query.insert("draft", "1".to_owned());
    query.insert("do", "try".to_owned());
    to(&query)
}

/// What a form keeps of the address.
pub(super) fn kept(list: &DevicesRequest, topics: &TopicsRequest) -> AnyView {
    let shown = pairs(list, topics).into_iter().filter(|(_, value)| !value.is_empty());
    shown.map(|(name, value)| view! { <input type="hidden" name=name value=value.clone()/> }).collect_view().erase()
}

fn pairs<'a>(list: &'a DevicesRequest, topics: &'a TopicsRequest) -> [(&'static str, &'a String); 8] {
    let values = [&list.q, &list.status, &list.area, &list.convention, &list.sort, &list.cursor, &topics.topic, &topics.filter];
    std::array::from_fn(|n| (KEYS[n], values[n]))
}

fn query(list: &DevicesRequest, topics: &TopicsRequest) -> ParamsMap {
    let mut query = ParamsMap::new();
    for (key, value) in pairs(list, topics) {
        if !value.is_empty() {
            query.insert(key, value.clone());
        }
    }
    query
}

fn to(query: &ParamsMap) -> String {
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
        let texts = ["a/{device}&".to_owned(), "+/{device}".to_owned()];
        let address = with_draft(&DevicesRequest::default(), &TopicsRequest::default(), texts.iter());
        let mut query = ParamsMap::new();
        for pair in address.split_once('?').expect("a query").1.split('&') {
            let (key, value) = pair.split_once('=').expect("a pair");
            query.insert(key.to_owned(), leptos_router::location::Url::unescape(value));
        }
        let asked = read_patterns(&query);
        assert_eq!((asked.is_open, asked.is_draft, asked.texts.as_slice(), asked.act.as_str()), (true, true, &texts[..], "try"));
        assert!(!read_patterns(&ParamsMap::new()).is_open);
    }
}
