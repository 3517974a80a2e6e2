//! What the bridge itself is asked for. Each request is answered on the topic of the same name below `bridge/response/`.

use domain::time::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::{Bridge, Outgoing, object, topic};

/// Longest time to join in seconds: longer does not fit into what the network sends.
const LONGEST_JOIN_S: i64 = 254;
/// Longest name in bytes.
const LONGEST_NAME: usize = 100;

/// The answer to a request, and what changes with it. Requests that the bridge does not know are not answered.
pub(super) fn answer(bridge: &mut Bridge, what: &str, payload: &[u8], now: Timestamp) -> Vec<Outgoing> {
    let request = object(payload).unwrap_or_default();
    let done = match what {
        "permit_join" => permit_join(bridge, &request, now),
        "device/rename" => rename(bridge, &request, now),
        "device/remove" => remove(bridge, &request),
        _ => return vec![],
    };
    let (mut response, more) = match done {
        Ok((data, more)) => (json!({ "data": data, "status": "ok" }), more),
        Err(error) => (json!({ "data": {}, "status": "error", "error": error }), vec![]),
    };
    if let Some(transaction) = request.get("transaction") {
        response["transaction"] = transaction.clone();
    }
    let mut out = vec![Outgoing::event(topic(&format!("bridge/response/{what}")), response.to_string())];
    out.extend(more);
    out
}

type Done = Result<(Json, Vec<Outgoing>), String>;

fn permit_join(bridge: &mut Bridge, request: &Map<String, Json>, now: Timestamp) -> Done {
    let seconds = request.get("time").and_then(Json::as_i64).filter(|time| (0..=LONGEST_JOIN_S).contains(time)).ok_or("Invalid payload")?;
    bridge.joining_until = (seconds > 0).then(|| now.plus_ms(seconds * 1_000));
    Ok((json!({ "time": seconds }), vec![bridge.bridge_info()]))
}

fn rename(bridge: &mut Bridge, request: &Map<String, Json>, now: Timestamp) -> Done {
    let name = |key: &str| request.get(key).and_then(Json::as_str);
    let (Some(from), Some(to)) = (name("from"), name("to")) else { return Err("Invalid payload".into()) };
    if bridge.find(to).is_some() || to == super::GROUP {
        return Err(format!("friendly_name '{to}' is already in use"));
    }
    let is_name = !to.is_empty() && to.len() <= LONGEST_NAME && !to.contains(['+', '#', '\0']) && !to.starts_with('/') && !to.ends_with('/');
    if !is_name {
        return Err(format!("friendly_name '{to}' is not allowed"));
    }
    let Some(device) = bridge.find(from) else { return Err(format!("Device '{from}' does not exist")) };
    let before = std::mem::replace(&mut device.name, to.to_owned());
    let mut more = vec![Outgoing::retained(topic(&format!("{before}/availability")), ""), device.availability()];
    if device.reachable {
        more.push(device.state(now));
    }
    more.insert(0, bridge.bridge_devices());
    Ok((json!({ "from": before, "to": to, "homeassistant_rename": false }), more))
}

fn remove(bridge: &mut Bridge, request: &Map<String, Json>) -> Done {
    let id = request.get("id").and_then(Json::as_str).ok_or("Invalid payload")?;
    let place = bridge.devices.iter().position(|device| device.name == id || device.ieee == id);
    let gone = bridge.devices.remove(place.ok_or_else(|| format!("Device '{id}' does not exist"))?);
    let left = json!({ "type": "device_leave", "data": { "ieee_address": gone.ieee, "friendly_name": gone.name } });
    let more = vec![
        Outgoing::event(topic("bridge/event"), left.to_string()),
        bridge.bridge_devices(),
        bridge.bridge_groups(),
        Outgoing::retained(topic(&format!("{}/availability", gone.name)), ""),
    ];
    Ok((json!({ "id": id, "block": false, "force": false }), more))
}
