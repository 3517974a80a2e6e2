//! What Gen2+ devices reply: to commands, and to what they are asked when they are found.

use serde_json::{Map as Object, Value as Json};

use super::ask::{FIRST_TICKET, Method};
use super::gen2::{Device, Gen2, read};
use crate::convention::Heard;
use crate::convention::found::{Finding, Keep};
use crate::convention::payload::shown;
use crate::convention::speech::{Payload, decode};

impl Gen2 {
    /// A device answered a call: a command, or one of our own.
    pub(super) fn hear_reply(&mut self, heard: &Heard<'_>, out: &mut Vec<Finding>) {
        let reply = match read(heard.payload) {
            Ok(reply) => reply,
            Err(error) => return out.push(Finding::Trouble(format!("a reply cannot be read: {error}"))),
        };
        let ticket = reply["id"].as_u64().and_then(|id| u32::try_from(id).ok());
        let (Some(ticket), Some(source)) = (ticket, reply["src"].as_str()) else {
            return out.push(Finding::Trouble("a reply names neither its call nor who sends it".to_owned()));
        };
        let error = match &reply["error"] {
            Json::Null => None,
            error => Some(error["message"].as_str().map_or_else(|| format!("error {}", error["code"]), str::to_owned)),
        };
        if ticket < FIRST_TICKET {
            if self.sources.contains(source) {
                out.push(Finding::Reply { ticket, error });
            } else {
                out.push(Finding::Trouble(format!("a reply comes from \"{}\", which is no known device", shown(source))));
            }
            return;
        }
        let Some((prefix, method)) = self.asks.answered(ticket) else { return };
        let Some(device) = self.devices.get_mut(&prefix) else { return };
        match device.source.as_deref() {
            Some(known) if *known != *source => {
                return out.push(Finding::Trouble(format!("\"{}\" answers for \"{}\"", shown(source), shown(known))));
            }
            Some(_) => {}
            None if source.len() <= 64 => {
                device.source = Some(source.into());
                self.sources.insert(source.into());
            }
            None => return,
        }
        if let Some(error) = error {
            return out.push(Finding::Trouble(format!("\"{}\" does not say what it is: {}", shown(&prefix), shown(&error))));
        }
        let Some(result) = reply["result"].as_object() else { return };
        match method {
            Method::DeviceInfo => device.inform(&prefix, result, out),
            Method::Config => device.name_parts(&prefix, result, out),
            Method::Status => {
                self.learn(&prefix, result, out);
                self.hear_result(&prefix, &reply["result"], out);
            }
        }
    }

    /// The values of a whole status, which came as a reply and not where entities read.
    fn hear_result(&self, prefix: &str, result: &Json, out: &mut Vec<Finding>) {
        let Some(device) = self.devices.get(prefix) else { return };
        let Ok(bytes) = serde_json::to_vec(&serde_json::json!({ "params": result })) else { return };
        let payload = Payload::new(&bytes);
        let topic = [prefix, "/events/rpc"].concat();
        for entity in device.components.keys().flat_map(|name| device.entities_of(prefix, name)) {
            let value = match decode((entity.kind, &entity.speech), &topic, &payload, None, &self.templates) {
                Ok(Some(value)) => Ok(value),
                Ok(None) => continue,
                Err(error) => Err(error.to_string()),
            };
            out.push(Finding::Reading { device: prefix.to_owned(), key: entity.speech.key, value, taken_at: None, keep: Keep::Both });
        }
    }
}

impl Device {
    /// Takes up what the device is.
    fn inform(&mut self, prefix: &str, info: &Object<String, Json>, out: &mut Vec<Finding>) {
        let text = |name: &str| info.get(name).and_then(Json::as_str).filter(|text| !text.is_empty() && text.len() <= 256).map(str::to_owned);
        self.is_informed = true;
        self.mac = text("mac").or(self.mac.take());
        self.name = text("name").or(self.name.take());
        self.about.model = text("model").or_else(|| text("app")).or(self.about.model.take());
        self.about.sw_version = text("ver").or(self.about.sw_version.take());
        self.tell_all(prefix, out);
    }

    /// Takes up what its owner calls its parts.
    fn name_parts(&mut self, prefix: &str, config: &Object<String, Json>, out: &mut Vec<Finding>) {
        for (name, of) in config {
            let called = of["name"].as_str().map(str::trim).filter(|called| !called.is_empty() && called.len() <= 256);
            if let (Some(called), Some(component)) = (called, self.components.get_mut(name.as_str())) {
                component.name = Some(called.into());
            }
        }
        self.tell_all(prefix, out);
    }
}
