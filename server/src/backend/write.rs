//! What operators write about entities, devices and areas. Rights are checked here; the log says who wrote what.

use std::time::Duration;

use app::backend::{BackendError, Caller, Role};
use domain::written::{AmendError, Amendment};
use serde_json::{Map, Value as Json, json};
use tokio::sync::oneshot;

use super::amend::entry;
use super::{LiveBackend, require};
use crate::ingest::Request;

/// How long a caller waits for the disk: what is written is shown at once, and stored as soon as that is possible.
const STORED_WITHIN: Duration = Duration::from_secs(10);

/// Why something was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The caller may not.
    #[error(transparent)]
    Refused(#[from] BackendError),
    /// It cannot be taken.
    #[error(transparent)]
    Amend(#[from] AmendError),
    /// The disk takes nothing at the moment.
    #[error("it is shown, but could not be stored yet: it is tried again, and lost if the server stops before")]
    NotStored,
}

impl LiveBackend {
    /// Writes about an entity, a device or an area; returns when it is stored. `fields` is what the log says.
    ///
    /// # Errors
    /// [`WriteError`]; unless it is [`WriteError::NotStored`], nothing is changed.
    pub async fn write(&self, caller: &Caller, amendment: Amendment, fields: Map<String, Json>) -> Result<(), WriteError> {
        require(caller, Role::Operator)?;
        let (what, entity, subject) = match &amendment {
            Amendment::Entity(id, _) => ("entity.written", Some(id), ("entity", id.to_string())),
            Amendment::Device(id, _) => ("device.written", None, ("device", id.to_string())),
            Amendment::Area(id, _) => ("area.written", None, ("area", id.to_string())),
            Amendment::RemoveDevice(id) => ("device.removed", None, ("device", id.to_string())),
            Amendment::MergeDevice { from, .. } => ("device.merged", None, ("device", from.to_string())),
        };
        let entry = Box::new(entry(caller, what, entity, json!({subject.0: subject.1, "written": fields})));
        let (reply, stored) = oneshot::channel();
        self.requests.send(Request::Amend { amendment, entry, reply }).await.map_err(|_| BackendError::Internal)?;
        match tokio::time::timeout(STORED_WITHIN, stored).await {
            Ok(Ok(done)) => Ok(done?),
            Ok(Err(_)) | Err(_) => Err(WriteError::NotStored),
        }
    }
}
