//! The brokers, as an operator asks for them who wonders where the messages are.

use axum::Json;
use axum::extract::State;
use domain::live::LinkState;
use domain::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{By, Cursor, Page, Query, page};
use crate::http::AppState;
use crate::rate::Rate;

/// A broker and what comes from it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Broker {
    name: String,
    /// `host:port`.
    address: String,
    state: LinkState,
    /// Since when it has been in that state.
    since: Timestamp,
    /// What is wrong while it is not up.
    error: Option<String>,
    /// The version of MQTT that is spoken, `5` or `3.1.1`; `null` before it is known.
    protocol: Option<&'static str>,
    /// Messages since the start.
    messages: u64,
    /// Over the last ten seconds.
    messages_per_s: f64,
    /// QoS 0 messages that were dropped because too many waited to be recorded.
    dropped: u64,
    /// Messages that came without a topic.
    nameless: u64,
    /// Messages of which something could not be read.
    unreadable: u64,
    /// Connections that it accepted since the start; there are two at a time.
    connects: u64,
}

/// Brokers, whether they are reached, and what comes from them.
#[utoipa::path(get, path = "/api/v1/brokers", params(Cursor), responses((status = 200, body = Page<Broker>)))]
pub(super) async fn list(State(app): State<AppState>, By(_): By, Query(cursor): Query<Cursor>) -> Json<Page<Broker>> {
    let state = app.backend.state();
    let mut brokers: Vec<Broker> = state
        .fleet
        .links()
        .filter_map(|view| {
            let link = app.links.get(view.broker.as_str())?;
            let counts = link.counts();
            let rate = state.link_rates.get(view.broker.as_str());
            Some(Broker {
                name: view.broker.clone(),
                address: link.address(),
                state: view.state,
                since: view.since,
                error: link.trouble().filter(|_| view.state != LinkState::Up),
                protocol: link.protocol(),
                messages: rate.map_or(0, Rate::total),
                messages_per_s: rate.map_or(0.0, Rate::per_s),
                dropped: counts.n_dropped,
                nameless: counts.n_nameless,
                unreadable: state.topics.n_bad(view.broker.as_str()),
                connects: counts.n_connects,
            })
        })
        .collect();
    drop(state);
    brokers.sort_by(|a, b| a.name.cmp(&b.name));
    Json(page(brokers, &cursor, |broker| broker.name.as_str()))
}
