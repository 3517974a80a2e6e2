//! Entities that conventions describe: their messages, and who says that they are there.

use std::sync::Arc;

use crate::convention::speech::{Payload, PresenceMode, Speech, decode, presence};
use crate::convention::{Claim, Convention, Heard};
use crate::device::{Availability, DeviceId};
use crate::input::Message;
use crate::time::{SECOND_MS, Timestamp};
use crate::value::Value;

use super::Fleet;
use super::binding::{Binding, Spoken};
use super::hearing::Hearing;
use crate::change::Change;

impl Fleet {
    /// Offers a topic that nobody knows to all conventions; whether one took it.
    pub(super) fn offer(&mut self, heard: &mut Hearing<'_>) -> bool {
        let message = heard.message;
        let mut findings = vec![];
        let speakers = self.speakers.entry(Arc::clone(&message.link)).or_default();
        let (claim, of) = speakers.offer(&as_heard(message, heard.now), &mut findings);
        match (claim, of) {
            (Claim::Hears, Some(of)) => self.bindings.hear(&message.link, &message.topic, of),
            (Claim::Ignores, _) => self.bindings.bind(&message.link, &message.topic, Binding::Nothing),
            _ => {}
        }
        heard.of = of;
        if let Some(of) = of {
            self.take_findings(of, findings, heard);
        }
        claim != Claim::No
    }

    /// Offers a topic that entities read to all conventions, the first time that something is said there: those that describe them first. An entity
    /// binds the topic before its convention has heard of it: after a restart, or when another topic told of the entity; and what one convention
    /// announced, another may have more to say of.
    pub(super) fn offer_spoken(&mut self, spoken: &Spoken, heard: &mut Hearing<'_>) {
        let message = heard.message;
        let speech = |idx: &usize| self.slots.get(*idx)?.entity.speech.as_deref();
        let mut of: Vec<Convention> =
            spoken.reading.iter().chain(&spoken.present).chain(&spoken.telling).filter_map(speech).map(|speech| speech.convention).collect();
        of.extend(Convention::ALL);
        let mut seen = std::collections::HashSet::new();
        of.retain(|convention| seen.insert(*convention));
        let mut found = vec![];
        let mut speaker = None;
        let speakers = self.speakers.entry(Arc::clone(&message.link)).or_default();
        for of in of {
            let mut findings = vec![];
            if speakers.hear(of, &as_heard(message, heard.now), &mut findings) == Claim::Hears {
                speaker = speaker.or(Some(of));
            }
            found.push((of, findings));
        }
        self.bindings.offered(&message.link, &message.topic, speaker);
        heard.of = speaker;
        for (of, findings) in found {
            self.take_findings(of, findings, heard);
        }
    }

    /// A message on a topic that a convention claimed.
    pub(super) fn hear_speaker(&mut self, of: Convention, heard: &mut Hearing<'_>) {
        let message = heard.message;
        heard.of = Some(of);
        let mut findings = vec![];
        if let Some(speakers) = self.speakers.get_mut(&message.link) {
            speakers.hear(of, &as_heard(message, heard.now), &mut findings);
        }
        self.take_findings(of, findings, heard);
    }

    /// A message on a topic that entities read.
    pub(super) fn feed_spoken(&mut self, spoken: &Arc<Spoken>, heard: &mut Hearing<'_>) {
        let message = heard.message;
        let payload = Payload::new(&message.payload);
        for &idx in &spoken.present {
            self.say_presence(idx, &payload, heard);
        }
        for &idx in &spoken.telling {
            self.take_attributes(idx, heard);
        }
        for &idx in &spoken.reading {
            let Some(slot) = self.slots.get(idx) else { continue };
            let Some(speech) = slot.entity.speech.as_deref() else { continue };
            match decode((slot.entity.kind, speech), &message.topic, &payload, slot.value.as_ref(), &self.templates) {
                Ok(Some(value)) => {
                    let is_on = value == Value::Bool(true);
                    let off_at = speech.off_delay_s.filter(|_| is_on).map(|s| heard.now.plus_ms(i64::from(s) * SECOND_MS));
                    if let Some(slot) = self.slots.get_mut(idx) {
                        slot.off_at = off_at;
                    }
                    self.take(idx, value, None, None, heard);
                }
                Ok(None) => {}
                Err(error) => self.reject(idx, &error, heard),
            }
        }
    }

    fn say_presence(&mut self, idx: usize, payload: &Payload<'_>, heard: &mut Hearing<'_>) {
        let Some(slot) = self.slots.get_mut(idx) else { return };
        let Some(speech) = slot.entity.speech.clone() else { return };
        slot.said_there.resize(speech.presence.len(), None);
        for (n, of) in speech.presence.iter().enumerate().filter(|(_, of)| *of.topic == *heard.message.topic) {
            if let Some(online) = presence(of, payload, &self.templates) {
                slot.said_there[n] = Some(online);
                slot.said_last = Some(online);
            }
        }
        let device = slot.entity.device.clone();
        slot.is_absent = is_absent(&speech, &slot.said_there, slot.said_last);
        self.refresh_quality(idx, heard.now, heard.out);
        self.check_rules(idx, heard.now, heard.out);
        self.work_out_availability(&device, heard);
    }

    /// A device is there as long as one of its entities is, of those of which anybody says so.
    fn work_out_availability(&mut self, id: &DeviceId, heard: &mut Hearing<'_>) {
        let of_device = self.by_device.get(id).map(Vec::as_slice).unwrap_or_default();
        let told: Vec<bool> =
            of_device.iter().filter_map(|&idx| self.slots.get(idx)).filter(|slot| slot.said_last.is_some()).map(|slot| !slot.is_absent).collect();
        if !told.is_empty() {
            self.set_availability(id, told.into_iter().any(|there| there), heard.now, heard.out);
        }
    }

    /// Whether a device is there is not known any more: what it said before is stale until it speaks.
    pub(super) fn doubt(&mut self, id: &DeviceId, now: Timestamp, out: &mut Vec<Change>) {
        let Some(device) = self.devices.get_mut(id).filter(|device| device.availability != Availability::Offline) else { return };
        if device.availability != Availability::Unknown {
            (device.availability, device.availability_since) = (Availability::Unknown, now);
            let device = device.clone();
            out.push(Change::Device(self.as_found(&device)));
        }
        self.doubted.insert(id.clone(), now);
        for idx in self.by_device.get(id).cloned().unwrap_or_default() {
            self.refresh_quality(idx, now, out);
            self.check_rules(idx, now, out);
        }
    }

    /// A device is there, or is not.
    pub(super) fn set_availability(&mut self, id: &DeviceId, online: bool, now: Timestamp, out: &mut Vec<Change>) {
        self.doubted.remove(id);
        let Some(device) = self.devices.get_mut(id) else { return };
        let availability = if online { Availability::Online } else { Availability::Offline };
        if device.availability != availability {
            device.availability = availability;
            device.availability_since = now;
            let device = device.clone();
            out.push(Change::Device(self.as_found(&device)));
        }
        for idx in self.by_device.get(id).cloned().unwrap_or_default() {
            self.refresh_quality(idx, now, out);
            self.check_rules(idx, now, out);
        }
        if online {
            self.wake(id, now, out);
        }
    }

    /// What is only ever said to be on is off after a while.
    pub(super) fn release_off_delays(&mut self, now: Timestamp, out: &mut Vec<Change>) {
        for idx in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(idx).filter(|slot| slot.off_at.is_some_and(|at| now >= at)) else { continue };
            slot.off_at = None;
            let _: super::slot::Taken = slot.take(Value::Bool(false), now, false, false, now);
            let reading = crate::reading::Reading {
                entity: slot.entity.id.clone(),
                value: Value::Bool(false),
                taken_at: now,
                received_at: now,
                device_time: false,
            };
            out.push(Change::Reading(reading));
            self.refresh_quality(idx, now, out);
            if let Some(slot) = self.slots.get(idx) {
                out.push(Change::Shown(slot.change()));
            }
            self.check_rules(idx, now, out);
        }
    }
}

fn as_heard(message: &Message, now: Timestamp) -> Heard<'_> {
    Heard { topic: &message.topic, payload: &message.payload, retained: message.retained, now }
}

/// Whether what was said of an entity comes to its not being there. Who has not spoken yet is no reason.
fn is_absent(speech: &Speech, said: &[Option<bool>], last: Option<bool>) -> bool {
    match speech.presence_mode {
        PresenceMode::All => said.contains(&Some(false)),
        PresenceMode::Any => !said.contains(&Some(true)) && said.contains(&Some(false)),
        PresenceMode::Latest => last == Some(false),
    }
}
