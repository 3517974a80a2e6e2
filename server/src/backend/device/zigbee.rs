//! What only the Zigbee bridge of a device can do: it is asked, and said to have done it when it answers so.

use std::time::Duration;

use app::backend::{BackendError, Caller};
use domain::convention::Order;
use domain::convention::zigbee2mqtt::{MOST_SECONDS, permit_join, remove, rename};
use domain::device::{DeviceId, clean_text};
use domain::fleet::ZigbeeDevice;
use serde_json::{Value as Json, json};
use tokio::time::{Instant, timeout};

use super::super::amend::entry;
use crate::backend::LiveBackend;
use crate::store::activity::Activity;

/// How long a bridge may take: removing a device that sleeps is given up by Zigbee2MQTT itself after 10 s.
const ANSWERED_WITHIN: Duration = Duration::from_secs(12);
/// Longest name of a device, in bytes: it becomes part of topics.
const MOST_NAME_BYTES: usize = 100;

impl LiveBackend {
    /// Lets the bridge call a device something else.
    pub(super) async fn zigbee_name(&self, caller: &Caller, id: &DeviceId, name: &str) -> Result<(), BackendError> {
        let is_name = !name.is_empty() && name.len() <= MOST_NAME_BYTES && clean_text(name, MOST_NAME_BYTES) == name && !name.contains(['+', '#']);
        if !is_name {
            return Err(BackendError::Invalid(format!(
                "name is no text of 1 to {MOST_NAME_BYTES} bytes without \"+\", \"#\" and control characters"
            )));
        }
        let order = |known: &ZigbeeDevice, number| rename(&known.base, &known.address, name, number);
        self.ask_bridge(caller, id, "device.zigbee_renamed", json!({"name": name}), order).await
    }

    /// Lets the network lose a device.
    pub(super) async fn zigbee_remove(&self, caller: &Caller, id: &DeviceId, force: bool) -> Result<(), BackendError> {
        let order = |known: &ZigbeeDevice, number| remove(&known.base, &known.address, force, number);
        self.ask_bridge(caller, id, "device.zigbee_removed", json!({"force": force}), order).await
    }

    /// Opens the network to new devices, or closes it; whether it is open now.
    pub(super) async fn zigbee_join(&self, caller: &Caller, id: &DeviceId, seconds: &str) -> Result<bool, BackendError> {
        let refused = || BackendError::Invalid(format!("seconds \"{}\" is no whole number from 0 to {MOST_SECONDS}", clean_text(seconds, 40)));
        let seconds = seconds.parse::<u8>().ok().filter(|seconds| *seconds <= MOST_SECONDS).ok_or_else(refused)?;
        let order = |known: &ZigbeeDevice, number| permit_join(&known.base, seconds, number);
        self.ask_bridge(caller, id, "device.zigbee_join", json!({"seconds": seconds}), order).await?;
        Ok(seconds > 0)
    }

    /// Asks the bridge of a device, waits for what it says, and writes down what became of it.
    async fn ask_bridge(
        &self,
        caller: &Caller,
        id: &DeviceId,
        what: &str,
        mut detail: Json,
        order: impl Fn(&ZigbeeDevice, u32) -> Order,
    ) -> Result<(), BackendError> {
        let known = self.state().fleet.zigbee(id);
        let known = known.ok_or_else(|| BackendError::Invalid(format!("device {id} is behind no Zigbee bridge")))?;
        let link =
            self.links.get(&known.link).cloned().ok_or_else(|| BackendError::Invalid(format!("broker \"{}\" is not configured", known.link)))?;
        let begun = Instant::now();
        let call = link.call(|number| {
            let Order { topic, payload } = order(&known, number);
            (topic, payload)
        });
        let (outcome, problem) = match timeout(ANSWERED_WITHIN, call).await {
            Ok(Ok(None)) => ("done", None),
            Ok(Ok(Some(error))) => ("failed", Some(format!("the bridge reports: {error}"))),
            Ok(Err(error)) => ("failed", Some(format!("the bridge was not asked: {error}"))),
            Err(_) => {
                ("unconfirmed", Some(format!("the bridge did not answer within {} s: it may or may not have done it", ANSWERED_WITHIN.as_secs())))
            }
        };
        detail["device"] = id.as_str().into();
        detail["called"] = known.name.as_str().into();
        detail["reason"] = problem.as_deref().into();
        let after_ms = i64::try_from(begun.elapsed().as_millis()).ok().filter(|_| problem.is_none());
        let done = Activity { outcome: outcome.to_owned(), after_ms, ..entry(caller, what, None, detail) };
        if let Err(error) = self.store.note(&done).await {
            tracing::error!(%error, who = caller.name, detail = %done.detail, "What a bridge was asked could not be written into the log");
        }
        problem.map_or(Ok(()), |problem| Err(BackendError::Invalid(problem)))
    }
}
