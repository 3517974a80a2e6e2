//! What people change of the past: filling in, taking out, taking back. Rights are checked here, and what was done goes into the log.

use app::backend::{BackendError, Caller, Role};
use domain::entity::EntityId;
use domain::excluded::Excluded;
use domain::fleet::show_value;
use domain::history::{MAX_SERIES, Range};
use domain::reading::Reading;
use domain::time::Timestamp;
use serde_json::{Value as Json, json};

use super::{LiveBackend, actor, internal, require};
use crate::clock::now;
use crate::fill::Target;
use crate::noted;
use crate::store::activity::Activity;
use crate::store::{AlarmEvent, StoreError};

/// What is taken out is listed up to here.
const MOST_EXCLUDED: usize = 1_000;
/// Changes of an alarm that are listed.
const MOST_EVENTS: usize = 500;

/// Why readings were not filled in.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// The caller may not.
    #[error(transparent)]
    Refused(#[from] BackendError),
    /// The store could not; what was stored before is.
    #[error("{}", .0.cause())]
    Store(StoreError),
}

impl LiveBackend {
    /// What an entity says, for somebody who wants to fill in its readings; `None` where there is no such entity.
    ///
    /// # Errors
    /// [`BackendError::Forbidden`] for those who may not.
    pub fn target(&self, caller: &Caller, entity: &EntityId) -> Result<Option<Target>, BackendError> {
        require(caller, Role::Operator)?;
        let state = self.state();
        // A group is worked out from others: it has no readings of its own.
        let view = state.fleet.entity(entity).filter(|view| !state.fleet.is_group(&view.id));
        Ok(view.map(|view| Target::of(&view).converting(state.fleet.conversion(&view.id))))
    }

    /// Fills readings in; how many of them were not there. No more at once than [`crate::fill::PIECE`].
    ///
    /// # Errors
    /// [`FillError`]; none of these readings is stored then.
    pub async fn fill(&self, caller: &Caller, readings: &[Reading]) -> Result<usize, FillError> {
        require(caller, Role::Operator)?;
        self.store.fill(readings).await.map_err(|error| {
            tracing::error!(%error, "Readings could not be filled in");
            FillError::Store(error)
        })
    }

    /// Writes into the log that readings were filled in. What cannot be written there is written into the program's own log.
    pub async fn filled(&self, caller: &Caller, what: &str, entity: Option<&EntityId>, detail: Json) {
        let entry = entry(caller, what, entity, detail);
        if let Err(error) = self.store.note(&entry).await {
            tracing::error!(%error, who = caller.name, what, detail = %entry.detail, "What was done could not be written into the log");
        }
    }

    /// Takes the readings of one moment out of history; what they were.
    ///
    /// # Errors
    /// [`BackendError::NotFound`] where there is none, [`BackendError::Invalid`] where this release cannot read what there is.
    pub async fn exclude(&self, caller: &Caller, entity: &EntityId, at: Timestamp) -> Result<Vec<Excluded>, BackendError> {
        require(caller, Role::Operator)?;
        let entry = entry(caller, "history.exclude", Some(entity), json!({"t": at}));
        let excluded = self.store.exclude(at, &entry).await.map_err(|error| refused(&error))?;
        if excluded.is_empty() { Err(no_reading(entity, at)) } else { Ok(self.shown_excluded(excluded)) }
    }

    /// Takes what was taken out of one moment back into history; how many readings.
    ///
    /// # Errors
    /// [`BackendError::NotFound`] where nothing was taken out, [`BackendError::Invalid`] where this release cannot read what was.
    pub async fn include(&self, caller: &Caller, entity: &EntityId, at: Timestamp) -> Result<usize, BackendError> {
        require(caller, Role::Operator)?;
        let entry = entry(caller, "history.include", Some(entity), json!({"t": at}));
        match self.store.include(at, &entry).await {
            Ok(0) => Err(no_reading(entity, at)),
            Ok(n) => Ok(n),
            Err(error) => Err(refused(&error)),
        }
    }

    /// What is taken out of the history of some entities, newest first.
    ///
    /// # Errors
    /// [`BackendError::Invalid`] for too many entities.
    pub async fn excluded(&self, caller: &Caller, entities: &[EntityId], range: Range) -> Result<Vec<Excluded>, BackendError> {
        require(caller, Role::Viewer)?;
        if entities.len() > MAX_SERIES {
            return Err(BackendError::Invalid(format!("at most {MAX_SERIES} entities at once")));
        }
        let excluded = self.store.excluded(entities, range, MOST_EXCLUDED).await.map_err(|error| internal(&error))?;
        Ok(self.shown_excluded(excluded))
    }

    /// What was taken out, in the units that are shown.
    pub(super) fn shown_excluded(&self, mut excluded: Vec<Excluded>) -> Vec<Excluded> {
        let state = self.state();
        for one in &mut excluded {
            if let Some(conversion) = state.fleet.conversion(&one.entity) {
                one.v = show_value(conversion, &one.v);
            }
        }
        excluded
    }

    /// What happened to an alarm, oldest first.
    ///
    /// # Errors
    /// [`BackendError::Forbidden`] for those who may not look.
    pub async fn alarm_journal(&self, caller: &Caller, alarm: &str) -> Result<Vec<AlarmEvent>, BackendError> {
        require(caller, Role::Viewer)?;
        self.store.alarm_journal(alarm, MOST_EVENTS).await.map_err(|error| internal(&error))
    }
}

pub(super) fn entry(caller: &Caller, what: &str, entity: Option<&EntityId>, detail: Json) -> Activity {
    Activity { entity: entity.cloned(), ..noted::entry(what, actor(caller), detail, now()) }
}

/// Why nothing was taken out or back.
fn refused(error: &StoreError) -> BackendError {
    match error {
        StoreError::Unreadable { .. } => BackendError::Invalid(error.to_string()),
        error => internal(error),
    }
}

fn no_reading(entity: &EntityId, at: Timestamp) -> BackendError {
    BackendError::NotFound(format!("a reading of {entity} at {}", at.as_ms()))
}
