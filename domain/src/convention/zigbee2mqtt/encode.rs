//! Requests to the bridge, as the page of a device makes them. The bridge answers on `bridge/response/…` with the number of the request.

use serde_json::{Value as Json, json};

use crate::convention::Order;

/// Longest time for which a network can be opened at once, in seconds (Zigbee specification: one byte, 255 being for good).
pub const MOST_SECONDS: u8 = 254;

/// Opens the network to new devices for so many seconds, at most 254; 0 closes it.
#[must_use]
pub fn permit_join(base: &str, seconds: u8, transaction: u32) -> Order {
    let seconds = seconds.min(MOST_SECONDS);
    // 1.x reads `value`, 2.x only `time`.
    request(base, "permit_join", json!({ "value": seconds > 0, "time": seconds }), transaction)
}

/// Gives a device another name, by which its topics change too.
#[must_use]
pub fn rename(base: &str, from: &str, to: &str, transaction: u32) -> Order {
    request(base, "device/rename", json!({ "from": from, "to": to }), transaction)
}

/// Removes a device from the network. With `force` it is forgotten also where it does not answer.
#[must_use]
pub fn remove(base: &str, id: &str, force: bool, transaction: u32) -> Order {
    request(base, "device/remove", json!({ "id": id, "force": force }), transaction)
}

fn request(base: &str, what: &str, mut payload: Json, transaction: u32) -> Order {
    payload["transaction"] = transaction.into();
    Order { topic: format!("{base}/bridge/request/{what}"), payload: payload.to_string().into_bytes() }
}
