//! What the forms of the page of a device ask for. They write what REST writes.

use app::backend::{BackendError, Caller, Role};
use app::device::DeviceForm;
use domain::device::{AreaId, DeviceId, MAX_NAME_CHARS, clean_text};
use domain::entity::EntityId;
use domain::live::EntityView;
use domain::written::{AmendError, Amendment, AreaPatch, DevicePatch, EntityPatch, Patch};
use futures_util::future::join_all;
use serde_json::{Map, Value as Json, json};

use super::super::write::WriteError;
use super::super::{LiveBackend, require};

/// Changes on their way at a time: as many as the way to ingest has room for, and more.
const AT_ONCE: usize = 200;
/// Areas whose ids a new name would give, before it is told so.
const MOST_ALIKE: usize = 100;

impl LiveBackend {
    /// Does what a form asks for; the page to show then.
    ///
    /// # Errors
    /// [`BackendError::Invalid`] names the field.
    pub(crate) async fn take_device_form(&self, caller: &Caller, id: &DeviceId, form: DeviceForm) -> Result<String, BackendError> {
        require(caller, Role::Operator)?;
        let id = self.state().fleet.device(id).map(|device| device.id.clone()).ok_or_else(|| BackendError::NotFound(format!("device {id}")))?;
        let page = |id: &DeviceId, done: &str| format!("/devices/{id}?done={done}");
        Ok(match form {
            DeviceForm::Name(name) => {
                self.name_device(caller, &id, &name).await?;
                page(&id, "name")
            }
            DeviceForm::Place { area, new_area } => {
                self.place_device(caller, &id, &area, new_area.trim()).await?;
                page(&id, "area")
            }
            DeviceForm::Hide(hidden) => {
                self.hide_device(caller, &id, hidden).await?;
                page(&id, if hidden { "hidden" } else { "shown" })
            }
            DeviceForm::Remove(false) => return Err(BackendError::Invalid("sure is not checked: nothing was removed".to_owned())),
            DeviceForm::Remove(true) => {
                self.amend(caller, Amendment::RemoveDevice(id.clone()), json!({})).await?;
                format!("/devices?removed={id}")
            }
            DeviceForm::Merge(into) => {
                let into = DeviceId::parse(into.trim()).map_err(|error| BackendError::Invalid(format!("into {error}")))?;
                self.amend(caller, Amendment::MergeDevice { from: id, into: into.clone() }, json!({"into": into})).await?;
                page(&into, "merged")
            }
            DeviceForm::Entity { entity, name, unit, precision } => {
                let view = self.entity_of(&id, &entity)?;
                let mut fields = Map::new();
                changed(&mut fields, "name", Some(&view.name), name.trim().into());
                // A guess that is saved is none any more.
                let known = view.unit.as_deref().filter(|_| !view.unit_guessed || unit.trim().is_empty());
                changed(&mut fields, "unit", known, unit.trim().into());
                let now = view.precision.map(|precision| precision.to_string());
                // What is no number is told so by whoever reads it.
                let number = precision.trim().parse::<u64>().map_or_else(|_| precision.trim().into(), Json::from);
                changed(&mut fields, "precision", now.as_deref(), number);
                self.amend_entity(caller, &view.id, fields).await?;
                page(&id, "entity")
            }
            DeviceForm::ZigbeeName(name) => {
                self.zigbee_name(caller, &id, name.trim()).await?;
                page(&id, "zigbee-name")
            }
            DeviceForm::ZigbeeRemove { sure: false, .. } => {
                return Err(BackendError::Invalid("sure is not checked: the device stays in its network".to_owned()));
            }
            DeviceForm::ZigbeeRemove { sure: true, force } => {
                self.zigbee_remove(caller, &id, force).await?;
                format!("/devices?removed={id}")
            }
            DeviceForm::ZigbeeJoin(seconds) => {
                let is_open = self.zigbee_join(caller, &id, seconds.trim()).await?;
                page(&id, if is_open { "zigbee-open" } else { "zigbee-closed" })
            }
            DeviceForm::HideEntity(entity, hidden) => {
                let view = self.entity_of(&id, &entity)?;
                self.amend_entity(caller, &view.id, Map::from_iter([("hidden".to_owned(), hidden.into())])).await?;
                page(&id, if hidden { "entity-hidden" } else { "entity-shown" })
            }
        })
    }

    fn entity_of(&self, device: &DeviceId, entity: &str) -> Result<EntityView, BackendError> {
        let view = EntityId::parse(entity).ok().and_then(|id| self.state().fleet.entity(&id)).filter(|view| view.device == *device);
        view.ok_or_else(|| BackendError::Invalid(format!("entity \"{}\" is none of this device", clean_text(entity, 80))))
    }

    async fn name_device(&self, caller: &Caller, id: &DeviceId, name: &str) -> Result<(), BackendError> {
        let name = if name.trim().is_empty() { Json::Null } else { name.into() };
        self.amend_device(caller, id, Map::from_iter([("name".to_owned(), name)])).await
    }

    async fn place_device(&self, caller: &Caller, id: &DeviceId, area: &str, new_area: &str) -> Result<(), BackendError> {
        let put = |area: Json| Map::from_iter([("area".to_owned(), area)]);
        if new_area.is_empty() {
            return self.amend_device(caller, id, put(if area == "-" { Json::Null } else { area.into() })).await;
        }
        if clean_text(new_area, MAX_NAME_CHARS) != new_area {
            return Err(BackendError::Invalid(format!("new_area has more than {MAX_NAME_CHARS} characters, or control characters among them")));
        }
        let area = self.area_named(new_area).ok_or_else(|| BackendError::Invalid("new_area is too much like the names of others".to_owned()))?;
        self.amend_device(caller, id, put(area.as_str().into())).await?;
        // Its id made a name of its own.
        let is_named = self.state().fleet.area(&area).is_some_and(|area| area.name.to_lowercase() == new_area.to_lowercase());
        if !is_named {
            let fields = Map::from_iter([("name".to_owned(), new_area.into())]);
            let patch = AreaPatch::read(fields.clone()).map_err(|error| BackendError::Invalid(format!("new_area {}", error.reason)))?;
            self.amend(caller, Amendment::Area(area, patch), Json::Object(fields)).await?;
        }
        Ok(())
    }

    /// The area with a name, or the id that a new one gets: one that no other has.
    fn area_named(&self, name: &str) -> Option<AreaId> {
        let state = self.state();
        let known = state.fleet.areas();
        if let Some(area) = known.iter().find(|area| area.name.to_lowercase() == name.to_lowercase()) {
            return Some(area.id.clone());
        }
        let slug = AreaId::slug(name);
        let stem: String = slug.as_str().chars().take(100).collect();
        let free = |id: &AreaId| !known.iter().any(|area| area.id == *id);
        std::iter::once(slug).chain((2..MOST_ALIKE).filter_map(|n| AreaId::parse(&format!("{stem}-{n}")).ok())).find(free)
    }

    /// Hides all entities, or shows those that an operator hid. Where that shows none, for the device wants all of them hidden, it shows all.
    async fn hide_device(&self, caller: &Caller, id: &DeviceId, hidden: bool) -> Result<(), BackendError> {
        let of_device = |wanted: bool| -> Vec<EntityId> {
            let entities = self.state().fleet.entities();
            entities.into_iter().filter(|view| view.device == *id && view.hidden == wanted).map(|view| view.id).collect()
        };
        if hidden {
            return self.amend_all(caller, of_device(false), &Patch::Set(true)).await;
        }
        self.amend_all(caller, of_device(true), &Patch::Clear).await?;
        if of_device(false).is_empty() { self.amend_all(caller, of_device(true), &Patch::Set(false)).await } else { Ok(()) }
    }

    async fn amend_all(&self, caller: &Caller, entities: Vec<EntityId>, hidden: &Patch<bool>) -> Result<(), BackendError> {
        let fields = json!({"hidden": if let Patch::Set(hidden) = hidden { Some(*hidden) } else { None }});
        let amendments: Vec<Amendment> =
            entities.into_iter().map(|id| Amendment::Entity(id, EntityPatch { hidden: hidden.clone(), ..EntityPatch::default() })).collect();
        // All of it or nothing, unless the disk says no in the midst of it.
        let refused = amendments.iter().find_map(|amendment| self.state().fleet.check_amendment(amendment).err());
        if let Some(error) = refused {
            return Err(told(error.into()));
        }
        for some in amendments.chunks(AT_ONCE) {
            for done in join_all(some.iter().map(|amendment| self.amend(caller, amendment.clone(), fields.clone()))).await {
                done?;
            }
        }
        Ok(())
    }

    async fn amend_device(&self, caller: &Caller, id: &DeviceId, fields: Map<String, Json>) -> Result<(), BackendError> {
        let patch = DevicePatch::read(fields.clone()).map_err(|error| BackendError::Invalid(error.to_string()))?;
        self.amend(caller, Amendment::Device(id.clone(), patch), Json::Object(fields)).await
    }

    async fn amend_entity(&self, caller: &Caller, id: &EntityId, fields: Map<String, Json>) -> Result<(), BackendError> {
        if fields.is_empty() {
            return Ok(());
        }
        let patch = EntityPatch::read(fields.clone()).map_err(|error| BackendError::Invalid(error.to_string()))?;
        self.amend(caller, Amendment::Entity(id.clone(), patch), Json::Object(fields)).await
    }

    async fn amend(&self, caller: &Caller, amendment: Amendment, fields: Json) -> Result<(), BackendError> {
        let fields = if let Json::Object(fields) = fields { fields } else { Map::new() };
        self.write(caller, amendment, fields).await.map_err(told)
    }
}

/// A field that differs from what is shown; what is empty is taken back.
fn changed(fields: &mut Map<String, Json>, field: &str, shown: Option<&str>, typed: Json) {
    let text = typed.as_str().map_or_else(|| typed.to_string(), ToOwned::to_owned);
    if text != shown.unwrap_or_default() {
        fields.insert(field.to_owned(), if text.is_empty() { Json::Null } else { typed });
    }
}

fn told(error: WriteError) -> BackendError {
    match error {
        WriteError::Refused(error) => error,
        WriteError::Amend(AmendError::Unknown(what)) => BackendError::NotFound(what),
        other => BackendError::Invalid(other.to_string()),
    }
}
