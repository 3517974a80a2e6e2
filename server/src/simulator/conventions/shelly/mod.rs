//! Shelly: two devices of the second generation, which are called by RPC, and a relay of the first.

use domain::time::Timestamp;
use serde_json::{Map, Value as Json};

use super::parts::text;

/// A two-channel relay that drives a roller shutter.
pub(super) mod cover;
/// A relay of the first generation.
pub(super) mod gen1;
/// What all devices of the second generation do.
pub(super) mod gen2;
/// A plug that measures.
pub(super) mod plug;

/// What a device is.
#[derive(Clone, Copy, Debug)]
struct Identity {
    /// The id, which is also the beginning of its topics.
    id: &'static str,
    name: &'static str,
    mac: &'static str,
    model: &'static str,
    app: &'static str,
}

/// Seconds with milliseconds, as `ts` of notifications.
fn seconds(now: Timestamp) -> f64 {
    now.as_ms() as f64 / 1_000.0
}

/// Why a call failed: the codes are those of the devices.
pub(super) struct RpcError {
    code: i32,
    message: String,
}

impl RpcError {
    fn unknown_method(method: &str) -> Self {
        Self { code: 404, message: format!("No handler for {method}") }
    }

    fn invalid_argument(name: &str) -> Self {
        Self { code: -103, message: format!("Missing or bad argument '{name}'!") }
    }
}

pub(super) type Answer = Result<Json, RpcError>;

/// The number of the component that a call is for; there is only one.
fn component_0(params: &Map<String, Json>) -> Result<(), RpcError> {
    match params.get("id").and_then(Json::as_u64) {
        Some(0) => Ok(()),
        Some(id) => Err(RpcError { code: -105, message: format!("Argument 'id', value {id} not found!") }),
        None => Err(RpcError::invalid_argument("id")),
    }
}
