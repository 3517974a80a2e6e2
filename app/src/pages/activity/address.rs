//! The address of the page of the log: `/activity?q=lamp&kind=control&who=anna&area=hall&unconfirmed=1&from=…&to=…&cursor=…`.

use leptos_router::params::ParamsMap;

use crate::backend::ActivityRequest;

/// What an address asks for.
pub(super) fn read(query: &ParamsMap) -> ActivityRequest {
    let text = |key| query.get(key).unwrap_or_default();
    ActivityRequest {
        q: text("q"),
        kind: text("kind"),
        who: text("who"),
        area: text("area"),
        entity: text("entity"),
        not_confirmed: text("unconfirmed") == "1",
        from: text("from"),
        to: text("to"),
        cursor: text("cursor"),
    }
}

/// The address that asks for it.
pub(super) fn write(asked: &ActivityRequest) -> String {
    let not_confirmed = if asked.not_confirmed { "1" } else { "" };
    [
        "/activity",
        &query(&[
            ("q", asked.q.as_str()),
            ("kind", &asked.kind),
            ("who", &asked.who),
            ("area", &asked.area),
            ("entity", &asked.entity),
            ("unconfirmed", not_confirmed),
            ("from", &asked.from),
            ("to", &asked.to),
            ("cursor", &asked.cursor),
        ]),
    ]
    .concat()
}

/// The address of the same entries, all of them, as a table.
pub(super) fn write_csv(asked: &ActivityRequest) -> String {
    let outcome = if asked.not_confirmed { "unconfirmed,failed,refused" } else { "" };
    [
        "/api/v1/activity.csv",
        &query(&[
            ("q", asked.q.as_str()),
            ("kind", &asked.kind),
            ("who", &asked.who),
            ("area", &asked.area),
            ("entity", &asked.entity),
            ("outcome", outcome),
            ("from", &asked.from),
            ("to", &asked.to),
        ]),
    ]
    .concat()
}

/// What is not empty of a query.
fn query(fields: &[(&'static str, &str)]) -> String {
    let mut query = ParamsMap::new();
    for (key, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        query.insert(*key, (*value).to_owned());
    }
    query.to_query_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_it_was_made_of() {
        let asked = ActivityRequest {
            q: "lamp & <b>?#".into(),
            kind: "control".into(),
            who: "anna/é".into(),
            not_confirmed: true,
            from: "1781273006000".into(),
            to: "2026-06-12T14:03:26Z".into(),
            cursor: "12.3".into(),
            ..ActivityRequest::default()
        };
        let address = write(&asked);
        assert!(!address.contains(['<', ' ', '#']), "{address}");
        let mut query = ParamsMap::new();
        for pair in address.split_once('?').expect("a query").1.split('&') {
            let (key, value) = pair.split_once('=').expect("a pair");
            query.insert(key.to_owned(), leptos_router::location::Url::unescape(value));
        }
        assert_eq!(read(&query), asked);
        assert_eq!(write(&ActivityRequest::default()), "/activity");
        let table = write_csv(&asked);
        assert!(
            table.starts_with("/api/v1/activity.csv?q=") && table.contains("outcome=unconfirmed%2Cfailed") && !table.contains("cursor"),
            "{table}"
        );
    }
}
