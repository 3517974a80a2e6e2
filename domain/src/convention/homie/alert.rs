//! What is wrong with a device: state `alert` of versions 3 and 4, topics of their own from version 5 on.

use super::{Description, Homie, found};
use crate::convention::Convention;
use crate::convention::found::{Finding, FoundEntity, Keep};
use crate::convention::speech::Speech;
use crate::device::clean_text;
use crate::entity::EntityKind;
use crate::value::Value;

/// Alerts remembered of one device.
const MOST_ALERTS: usize = 32;
/// What alerts are called among the entities of a device; no node is.
const ALERT: &str = "$alert";

/// The entity that says what is wrong: an empty text when nothing is.
pub(super) fn alert_of(prefix: &str) -> FoundEntity {
    let speech = Speech::new(Convention::Homie, prefix, ALERT);
    FoundEntity { id_hint: "alert".to_owned(), icon: Some("alarm".to_owned()), ..FoundEntity::new("Alert", EntityKind::Sensor, speech) }
}

impl Homie {
    /// Who is there, and what is wrong.
    pub(super) fn tell_state(&self, prefix: &str, out: &mut Vec<Finding>) {
        self.tell_availability(prefix, out);
        if let Some(device) = self.devices.get(prefix).filter(|device| device.has_alerts) {
            let text = device.alerts.values().map(String::as_str).collect::<Vec<_>>().join("; ");
            let value = Ok(Value::Text(clean_text(&text, 255)));
            out.push(Finding::Reading { device: prefix.to_owned(), key: ALERT.to_owned(), value, taken_at: None, keep: Keep::Both });
        }
    }

    /// Something is wrong with a device, or, with an empty text, not any more.
    pub(super) fn set_alert(&mut self, prefix: &str, id: &str, text: String, out: &mut Vec<Finding>) {
        let Some(device) = self.devices.get_mut(prefix) else { return };
        let is_new = !device.alerts.contains_key(id);
        if text.is_empty() {
            if device.alerts.remove(id).is_none() {
                return;
            }
        } else if id.len() <= 128 && (!is_new || device.alerts.len() < MOST_ALERTS) {
            if device.alerts.insert(id.to_owned(), text.clone()) == Some(text) {
                return;
            }
        } else {
            return;
        }
        if device.is_told {
            if !device.has_alerts {
                device.has_alerts = true;
                let name = match &device.description {
                    Description::Document(_, said, _) => &said.name,
                    Description::Tree(tree) => tree.name(),
                    Description::Unknown => "",
                };
                out.push(Finding::Device(Box::new(found((prefix, name), &[], true, true))));
            }
            self.tell_state(prefix, out);
        }
    }
}
