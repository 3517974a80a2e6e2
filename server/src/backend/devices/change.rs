//! Moving, hiding and showing several devices at once.

use app::backend::{BackendError, Caller, Role};
use app::devices::{DevicesForm, Told};
use app::tile::words::capital;
use domain::device::{AreaId, DeviceId, MAX_NAME_CHARS, clean_text};
use domain::entity::EntityId;
use domain::written::{Amendment, AreaPatch, DevicePatch, EntityPatch, Patch};
use futures_util::future::join_all;
use serde_json::{Map, Value as Json, json};

use super::refused;
use crate::backend::write::WriteError;
use crate::backend::{LiveBackend, require};

/// Devices of one request.
const MOST_DEVICES: usize = 200;
/// Entities that one request hides or shows.
const MOST_ENTITIES: usize = 2_000;
/// Ids that are tried for a new area.
const MOST_TRIES: usize = 100;

/// Something to write, for which device.
type Task = (DeviceId, Amendment, Map<String, Json>);

impl LiveBackend {
    pub(in crate::backend) async fn change_several(&self, caller: &Caller, form: DevicesForm) -> Result<Told, BackendError> {
        require(caller, Role::Operator)?;
        if form.devices.is_empty() {
            return Ok(refused("devices", "no device is selected"));
        }
        if form.devices.len() > MOST_DEVICES {
            return Ok(refused("devices", &format!("at most {MOST_DEVICES} devices at once")));
        }
        let devices: Vec<DeviceId> = match form.devices.iter().map(|id| self.known(id)).collect() {
            Ok(devices) => devices,
            Err(words) => return Ok(refused("devices", &words)),
        };
        let (tasks, done) = match form.act.as_str() {
            "move" => match self.moving(caller, &form, &devices).await {
                Ok(found) => found,
                Err((field, words)) => return Ok(refused(field, &words)),
            },
            "hide" | "show" => match self.hiding(&devices, form.act == "hide") {
                Some(tasks) => (tasks, if form.act == "hide" { "hidden" } else { "shown" }.to_owned()),
                None => return Ok(refused("devices", &format!("at most {MOST_ENTITIES} entities at once"))),
            },
            other => return Err(BackendError::Invalid(format!("act \"{}\" is none of move, hide, show", clean_text(other, 40)))),
        };
        Ok(self.carry_out_all(caller, tasks, devices.len(), &done).await)
    }

    fn known(&self, id: &str) -> Result<DeviceId, String> {
        let known = DeviceId::parse(id).ok().filter(|id| self.state().fleet.device(id).is_some());
        known.ok_or_else(|| format!("unknown device \"{}\"", clean_text(id, 80)))
    }

    /// Writes all of it, and waits for the disk once.
    async fn carry_out_all(&self, caller: &Caller, tasks: Vec<Task>, n: usize, done: &str) -> Told {
        let written = tasks.into_iter().map(|(device, amendment, fields)| async move { (device, self.write(caller, amendment, fields).await) });
        let failures: Vec<(DeviceId, WriteError)> =
            join_all(written).await.into_iter().filter_map(|(device, result)| result.err().map(|error| (device, error))).collect();
        let words = |n: usize| if n == 1 { "1 device".to_owned() } else { format!("{n} devices") };
        let Some((_, reason)) = failures.first() else {
            return Told { words: format!("{} {done}.", words(n)), failed: false, field: String::new(), publish: None };
        };
        let mut failed: Vec<&DeviceId> = failures.iter().map(|(device, _)| device).collect();
        failed.sort();
        failed.dedup();
        let words = format!("{} of {} not {done}: {}.", failed.len(), words(n), clean_text(&reason.to_string(), 200));
        Told { words: capital(&words), failed: true, field: String::new(), publish: None }
    }

    /// The entities of the devices that are not so yet; `None` for too many.
    fn hiding(&self, devices: &[DeviceId], hide: bool) -> Option<Vec<Task>> {
        let state = self.state();
        let of = |device: &DeviceId| {
            let views = state.roster.entities(device).iter().filter_map(|id| state.fleet.entity(id));
            // What has no place on the overview is hidden by nobody; to show it is to claim one.
            let ids: Vec<EntityId> =
                views.filter(|view| if hide { !view.hidden || !state.fleet.is_listed(&view.id) } else { view.hidden }).map(|view| view.id).collect();
            ids.into_iter().map(|id| (device.clone(), id)).collect::<Vec<_>>()
        };
        let all: Vec<(DeviceId, EntityId)> = devices.iter().flat_map(of).collect();
        let task = |(device, id)| {
            let patch = EntityPatch { hidden: Patch::Set(hide), ..EntityPatch::default() };
            (device, Amendment::Entity(id, patch), Map::from_iter([("hidden".to_owned(), Json::Bool(hide))]))
        };
        (all.len() <= MOST_ENTITIES).then(|| all.into_iter().map(task).collect())
    }

    /// What moves the devices, and what to say of it; a new area is named first.
    async fn moving(&self, caller: &Caller, form: &DevicesForm, devices: &[DeviceId]) -> Result<(Vec<Task>, String), (&'static str, String)> {
        let new_name = clean_text(form.new_area.trim(), MAX_NAME_CHARS);
        let (area, name) = match (new_name.as_str(), form.area.as_str()) {
            ("", "") => return Err(("area", "choose an area, or write the name of a new one".to_owned())),
            ("", "-") => (None, "where they were found".to_owned()),
            ("", id) => {
                let known = AreaId::parse(id).ok().and_then(|id| self.state().fleet.area(&id).cloned());
                let area = known.ok_or_else(|| ("area", format!("unknown area \"{}\"", clean_text(id, 80))))?;
                (Some(area.id), area.name)
            }
            (name, _) => {
                let (id, name) = self.area_of_name(name).ok_or_else(|| ("new_area", format!("no id is left for an area named \"{name}\"")))?;
                (Some(id), name)
            }
        };
        let patch = DevicePatch { area: area.clone().map_or(Patch::Clear, Patch::Set), ..DevicePatch::default() };
        let fields = Map::from_iter([("area".to_owned(), json!(area))]);
        let mut tasks: Vec<Task> =
            devices.iter().map(|device| (device.clone(), Amendment::Device(device.clone(), patch.clone()), fields.clone())).collect();
        let is_named = |id: &AreaId| self.state().fleet.area(id).is_some_and(|area| area.name == name);
        if let Some(id) = area.filter(|id| !new_name.is_empty() && !is_named(id)) {
            // The first device that stands there makes it; then it can be named.
            if let Some((device, amendment, fields)) = tasks.pop() {
                self.write(caller, amendment, fields).await.map_err(|error| ("devices", format!("{device}: {error}")))?;
            }
            if self.state().fleet.area(&id).is_some_and(|area| area.name != name) {
                let patch = AreaPatch { name: Patch::Set(name.clone()) };
                let fields = Map::from_iter([("name".to_owned(), Json::String(name.clone()))]);
                self.write(caller, Amendment::Area(id, patch), fields).await.map_err(|error| ("new_area", error.to_string()))?;
            }
        }
        Ok((tasks, format!("moved to {name}")))
    }

    /// The area that has this name, whatever the case; else a new one.
    fn area_of_name(&self, name: &str) -> Option<(AreaId, String)> {
        let state = self.state();
        let wanted = name.to_lowercase();
        if let Some(area) = state.fleet.areas().iter().find(|area| area.name.to_lowercase() == wanted) {
            return Some((area.id.clone(), area.name.clone()));
        }
        let slug = AreaId::slug(name);
        let numbered = (2..MOST_TRIES).filter_map(|n| AreaId::parse(&format!("{slug}-{n}")).ok());
        let mut ids = std::iter::once(slug.clone()).chain(numbered);
        ids.find(|id| state.fleet.area(id).is_none()).map(|id| (id, name.to_owned()))
    }
}
